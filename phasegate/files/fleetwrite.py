"""Writing fleet files, `phasegate/fleet/1`: as plain data, as text, and into files, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec
from attrs import evolve

from phasegate.core.model import Fleet, Image, ScaleSet
from phasegate.core.roster import Roster
from phasegate.files.documents import InvalidFile, kind_by_ending, write_atomically
from phasegate.files.instancerows import rows_of
from phasegate.files.structure import given, plain

FLEET_FORMAT = "phasegate/fleet/1"


def dump_fleet(fleet: Fleet) -> dict[str, Any]:
    """Return the fleet as plain data, defaults left out: what `parse_fleet` makes an equal fleet from.

    >>> from phasegate.core.model import Region
    >>> dump_fleet(Fleet(regions=[Region("eastus")]))
    {'format': 'phasegate/fleet/1', 'regions': [{'name': 'eastus'}]}
    """
    dumped = _dump_header(fleet)
    if fleet.sets:
        dumped["sets"] = [msgspec.to_builtins(_dump_set(scale_set)) for scale_set in fleet.sets]
    return dumped


def fleet_text(fleet: Fleet) -> bytes:
    """Return the fleet as one line of JSON, the text of what `dump_fleet` returns."""
    dumped = _dump_header(fleet)
    if fleet.sets:
        dumped["sets"] = [msgspec.Raw(_text_of(scale_set)) for scale_set in fleet.sets]
    return msgspec.json.encode(dumped)


def description_text(fleet: Fleet) -> bytes:
    """Return what `fleet_text` does, without the instances that are listed: the description of a table of them."""
    alone = (evolve(one, instances=0) if one.size and isinstance(one.instances, Roster) else one for one in fleet.sets)
    return fleet_text(evolve(fleet, sets=alone))


def _text_of(scale_set: ScaleSet) -> bytes:
    """Return a set as text: so only the rows of one set are there at a time."""
    return msgspec.json.encode(_dump_set(scale_set))


def _dump_header(fleet: Fleet) -> dict[str, Any]:
    dumped: dict[str, Any] = {"format": FLEET_FORMAT}
    for key, value in given(fleet).items():
        if key == "images":
            dumped[key] = [_dump_image(image) for image in value]
        elif key != "sets":
            dumped[key] = plain(value)
    return dumped


def _dump_image(image: Image) -> dict[str, Any]:
    dumped: dict[str, Any] = plain(image.reference)
    if image.versions:
        dumped["versions"] = plain(image.versions)
    return dumped


def _dump_set(scale_set: ScaleSet) -> dict[str, Any]:
    dumped: dict[str, Any] = {}
    for key, value in given(scale_set).items():
        match key:
            case "version":
                dumped["image"]["version"] = value  # the reference comes before it
            case "windows":
                dumped[key] = [{k: v for k, v in plain(window).items() if k != "offsets"} for window in value]
            case "instances" if isinstance(value, Roster):
                dumped[key] = rows_of(value)
            case _:
                dumped[key] = plain(value)
    return dumped


def write_fleet(fleet: Fleet, path: str | os.PathLike[str]) -> None:
    """Write the fleet as JSON, or as the name's ending says: NDJSON or Parquet; all of it or nothing.

    In JSON, one region, image, set a line, so that versions of a file compare well. `InvalidFile` if it cannot be
    written, or is to be Parquet without pyarrow being there.
    """
    name = os.fspath(path)
    kind = kind_by_ending(name)
    if kind == "parquet":
        with_arrow(name, "phasegate.files.parquetwrite").write(fleet, path)
    else:
        write_atomically(path, _ndjson(fleet) if kind == "ndjson" else _json(fleet))


def with_arrow(name: str, module: str) -> ModuleType:
    """Return a module that reads and writes Parquet; `InvalidFile` if pyarrow is not there, for the file's sake."""
    try:
        return import_module(module)
    except ImportError:
        what = "Parquet needs pyarrow, which is not installed; `pip install 'phasegate[arrow]'`"
        raise InvalidFile(what, name) from None


def _ndjson(fleet: Fleet) -> Iterator[bytes]:
    yield msgspec.json.encode(_dump_header(fleet)) + b"\n"
    for scale_set in fleet.sets:
        yield _text_of(scale_set) + b"\n"


def _json(fleet: Fleet) -> Iterator[bytes]:
    for at, (key, value) in enumerate(_dump_header(fleet).items()):
        yield (b",\n " if at else b"{") + msgspec.json.encode(key) + b": "
        if isinstance(value, list):
            yield b"[" + b",\n  ".join(map(msgspec.json.encode, value)) + b"]"
        else:
            yield msgspec.json.encode(value)
    for at, scale_set in enumerate(fleet.sets):
        yield b",\n  " if at else b',\n "sets": ['
        yield _text_of(scale_set)
    yield b"]}\n" if fleet.sets else b"}\n"
