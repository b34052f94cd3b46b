"""The table of a cloud's regions that comes with the package: names, pairs, zones (data/README.md says from where)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from phasegate.core.model import Region


@cache
def region_table() -> tuple[Region, ...]:
    """Return the 62 physical regions of Azure, by name, with their pairs and zones as the cloud lists them.

    Pairs are kept as they are: a region may name one that names another back, or one that is not in the table.

    >>> {region.name: region.pair for region in region_table()}["brazilsouth"]
    'southcentralus'
    """
    text = files("phasegate").joinpath("data", "azure-regions.json").read_text("utf-8")
    return tuple(
        Region(row["name"], row["pairedRegion"], tuple(str(zone) for zone in range(1, row["zones"] + 1)))
        for row in json.loads(text)["regions"]
    )


@cache
def regions_by_name() -> dict[str, Region]:
    """Return the table by name."""
    return {region.name: region for region in region_table()}


def region_key(name: str) -> str:
    """Return the name of a region as the cloud's API writes it: `East US` is `eastus`.

    >>> region_key("East US 2")
    'eastus2'
    """
    return name.replace(" ", "").lower()
