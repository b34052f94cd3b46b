"""One set's model as a document, and a document as a model: a set of a fleet file without its instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import evolve, fields

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Fleet, ScaleSet
from phasegate.files.documents import InvalidFile
from phasegate.files.fleetfile import dump_fleet, parse_fleet
from phasegate.files.structure import plain


def dump_model(fleet: Fleet, model: ScaleSet) -> dict[str, Any]:
    """Return what a fleet file would say of the set, every default said too, its instances left out."""
    document: dict[str, Any] = dump_fleet(_alone(fleet, model))["sets"][0]
    document["image"].setdefault("version", model.version)
    for attribute in fields(ScaleSet):
        if attribute.name not in ("version", "instances"):
            document.setdefault(attribute.name, plain(getattr(model, attribute.name)))
    return document


def parse_model(fleet: Fleet, document: Mapping[str, Any]) -> ScaleSet:
    """Return the set that a document describes, in a fleet with its region and image.

    `InvalidModel`, with the place in the document, if a fleet file could not say so.
    """
    whole = dump_fleet(_alone(fleet, None))
    whole["sets"] = [dict(document)]
    try:
        return parse_fleet(msgspec.json.encode(whole), "model").sets[0]
    except InvalidFile as error:
        raise InvalidModel(error.what, error.place.removeprefix("sets[0]").removeprefix(".")) from None


def _alone(fleet: Fleet, model: ScaleSet | None) -> Fleet:
    sets = () if model is None else (evolve(model, instances=0),)
    return evolve(fleet, sets=sets, conflicts=(), groups=(), phases=None)
