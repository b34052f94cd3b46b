"""The cloud's list of regions: `phasegate import regions`.

The shape is that of `az account list-locations` (REST: *Subscriptions - List Locations*): rows with `name`, `metadata`
with `regionType` and `pairedRegion`, and `availabilityZoneMappings`. Logical regions, which hold no machines, are
listed as unmapped. Rows of a plain table of regions are read too: `name`, `displayName`, `pairedRegion` and how many
`zones` there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from phasegate.core.model import Region
from phasegate.importers.reading import Imported, Notes, Source, fleet_of, items_of, parsed

ZONES_MAX: Final = 99  # of a row that says how many: no cloud has more than a few


def import_regions(documents: Sequence[tuple[str, bytes]]) -> Imported:
    """Return a fleet of regions alone; `InvalidFile` for another kind of document, or without a physical region."""
    inputs = parsed(documents)
    notes = Notes()
    regions: list[Region] = []
    for document in inputs:
        for at, row in enumerate(items_of(document, "value")):
            source = Source(row, document, f"[{at}]", notes, "[*]")
            if "name" not in source or not ("metadata" in source or "displayName" in source):
                document.refuse("is no region as `az account list-locations` lists them", source.place)
            name = source.required("name")
            metadata = source.child("metadata")
            if (metadata.text("regionType") or "Physical").lower() != "physical":
                notes.add(document.name, source.place, f"region `{name}`", "is logical: it holds no machines")
                continue
            pairs = [pair.required("name") for pair in metadata.children("pairedRegion")]
            zones = [zone.required("logicalZone") for zone in source.children("availabilityZoneMappings")]
            own_pairs, own_zones = _of_table(source)
            pairs, zones = pairs or own_pairs, zones or own_zones
            if len(pairs) > 1:
                notes.add(
                    document.name, source.place, f"pairs {', '.join(pairs[1:])} of `{name}`", "are beyond the first"
                )
            with source.blamed():
                regions.append(Region(name, pairs[0] if pairs else None, tuple(zones)))
            source.finish()
    if not regions:
        inputs[0].refuse("there is no physical region in it")
    return notes.imported(fleet_of(inputs[0].name, regions=regions))


def _of_table(row: Source) -> tuple[list[str], list[str]]:
    """Return the pair, if it has one, and the zones of a row in which both stand by themselves."""
    pair, count = row.text("pairedRegion"), row.number("zones") or 0
    if not 0 <= count <= ZONES_MAX:
        row.refuse(f"{count} is no number of availability zones; there are {ZONES_MAX} at most", "zones")
    return [pair] if pair else [], [str(number) for number in range(1, count + 1)]
