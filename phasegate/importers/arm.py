"""Deployment templates of Azure: `phasegate import arm`.

A template gives its scale sets; the load balancers and Service Fabric clusters beside them are asked for what the
rules need. Parameters come from the template's defaults, from parameters files, and from the command line, the later
over the earlier. Everything else in a template is listed as unmapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define

from phasegate.core.model import ScaleSet, refuse_unknown
from phasegate.files.documents import blamed_on
from phasegate.importers.catalogue import Catalogue, Places
from phasegate.importers.reading import NO_PART, Document, Imported, Notes, Source, Unresolved, fleet_of, parsed
from phasegate.importers.template import Template
from phasegate.importers.vmss import DURABILITIES, NodeType, Surroundings, scale_set_of

_SETS = "microsoft.compute/virtualmachinescalesets"
_SET_EXTENSIONS = f"{_SETS}/extensions"
_BALANCERS = "microsoft.network/loadbalancers"
_CLUSTERS = "microsoft.servicefabric/clusters"
_STAND_IN = "is filled in by the deployment: a stand-in, always the same, is in its place"


@define
class _Resource:
    """A resource with its expressions evaluated; `kind` in lower case."""

    kind: str
    source: Source


def import_arm(
    documents: Sequence[tuple[str, bytes]],
    *,
    parameters: Mapping[str, str] | None = None,
    location: str | None = None,
) -> Imported:
    """Return the fleet of the scale sets of templates.

    `documents` are templates and parameters files, told apart by their shape; `parameters` are further values by name,
    `location` is that of the resource group. `InvalidFile` for a file that is neither, a template without scale sets, a
    parameter that no template has, and a value that a set needs and that is missing or not known offline.
    """
    templates, values = _told_apart(parsed(documents, comments=True))
    notes = Notes()
    around = Surroundings(Catalogue(notes), Places(notes))
    sets: list[ScaleSet] = []
    for template in (Template(document, values, location) for document in templates):
        template.given = values | {name.lower(): value for name, value in (parameters or {}).items()}
        with blamed_on(template.document.name):
            sets += _sets_of(template, around, notes)
    _refuse_strangers(parameters or {}, templates)
    first = templates[0]
    if not sets:
        first.refuse("the template holds no scale set (`Microsoft.Compute/virtualMachineScaleSets`)", "resources")
    regions, images = around.places.regions(), around.catalogue.images()
    return notes.imported(fleet_of(first.name, regions=regions, images=images, sets=sets))


def _told_apart(documents: list[Document]) -> tuple[list[Document], dict[str, Any]]:
    templates: list[Document] = []
    values: dict[str, Any] = {}
    for document in documents:
        data = document.data
        if isinstance(data, dict) and isinstance(data.get("resources"), list | dict):
            templates.append(document)
        elif isinstance(data, dict) and isinstance(data.get("parameters"), dict):
            for name, entry in data["parameters"].items():
                if not isinstance(entry, dict) or not ("value" in entry or "reference" in entry):
                    document.refuse("expected an object with `value`", f"parameters.{name}")
                reference = Unresolved(f"parameter `{name}` refers to a key vault")
                values[name.lower()] = entry.get("value", reference)
        else:
            document.refuse("is neither a deployment template (it has no `resources`) nor a parameters file")
    if not templates:
        documents[0].refuse("is a parameters file alone; name its template too")
    return templates, values


def _refuse_strangers(parameters: Mapping[str, str], templates: list[Document]) -> None:
    declared = {name for document in templates for name in document.data.get("parameters") or {}}
    for name in parameters:
        if name.lower() not in {known.lower() for known in declared}:
            with blamed_on(templates[0].name):
                refuse_unknown(name, declared, "parameter", "parameters")


def _sets_of(template: Template, around: Surroundings, notes: Notes) -> list[ScaleSet]:
    resources = _resources(template, notes)
    around.balancers = {
        resource.source.required("name").lower(): resource.source.child("sku").text("name") or "Basic"
        for resource in resources
        if resource.kind == _BALANCERS
    }
    around.node_types = _node_types(resources)
    file = template.document.name
    sets = []
    for resource in resources:
        source = resource.source
        if resource.kind == _SETS:
            name = source.required("name")
            source.value("type", "dependsOn", "copy", "condition", "comments")
            api_version = source.text("apiVersion")
            extra = [
                one.source
                for one in resources
                if one.kind == _SET_EXTENSIONS and one.source.required("name").lower().startswith(f"{name.lower()}/")
            ]
            with source.blamed():
                sets.append(scale_set_of(source, around, name=name, api_version=api_version, extra_extensions=extra))
            source.finish()
        elif resource.kind != _SET_EXTENSIONS:
            shown = source.text("name") if not isinstance(source.data.get("name"), Unresolved) else None
            why = "serves only for what the rules ask of it" if resource.kind in (_BALANCERS, _CLUSTERS) else NO_PART
            notes.add(file, source.place, f"resource `{source.data['type']}` `{shown or '?'}`", why)
    for name in sorted(template.stand_ins):
        notes.add(file, "", f"`{name}`", _STAND_IN)
    for part in ("outputs", "functions"):
        if template.document.data.get(part):
            notes.add(file, part, f"`{part}`", NO_PART)
    return sets


def _resources(template: Template, notes: Notes) -> list[_Resource]:
    found: list[_Resource] = []
    data = template.document.data["resources"]
    rows = list(data.items()) if isinstance(data, dict) else [(f"[{at}]", row) for at, row in enumerate(data)]
    waiting = [(f"resources{key}" if key.startswith("[") else f"resources.{key}", row, "", "") for key, row in rows]
    while waiting:
        place, row, kind_above, name_above = waiting.pop(0)
        if not isinstance(row, dict) or not isinstance(row.get("type"), str):
            template.document.refuse("expected an object with `type`", place)
        kind = "/".join(filter(None, (kind_above, row["type"])))
        for copies in _rounds(template, row, place, notes):
            own = {key: value for key, value in row.items() if key not in ("copy", "resources")}
            made = template.resolve(own, copies)
            if made.get("condition", True) in (False, "false", "False"):
                notes.add(template.document.name, place, f"resource `{kind}`", "is left out: its condition is false")
                continue
            if name_above and isinstance(made.get("name"), str):
                made["name"] = f"{name_above}/{made['name']}"
            found.append(_Resource(kind.lower(), Source(made, template.document, place, notes)))
            for at, inner in enumerate(row.get("resources") or []):
                waiting.append((f"{place}.resources[{at}]", inner, kind, str(made.get("name"))))
    return found


def _rounds(template: Template, row: dict[str, Any], place: str, notes: Notes) -> list[dict[str, int]]:
    """Return the loop indices of a resource, one of none where it is not copied."""
    if "copy" not in row:
        return [{}]
    rounds = template.rounds(row["copy"])
    if isinstance(rounds, Unresolved):
        if row["type"].lower() == _SETS:
            template.document.refuse(f"the copy loop is not known: {rounds.why}", f"{place}.copy")
        notes.add(
            template.document.name,
            place,
            f"resource `{row['type']}`",
            f"has a copy loop that is not known: {rounds.why}",
        )
        return []
    return rounds


def _node_types(resources: list[_Resource]) -> dict[str, NodeType]:
    found: dict[str, NodeType] = {}
    for resource in resources:
        if resource.kind == _CLUSTERS:
            for source in resource.source.child("properties").children("nodeTypes"):
                durability = source.choice("durabilityLevel", DURABILITIES) or "Bronze"
                found[source.required("name").lower()] = NodeType(durability, bool(source.truth("isStateless")))
    return found
