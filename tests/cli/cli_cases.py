"""Fleet documents that the tests of the command line share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

UBUNTU = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
CENTOS = {"publisher": "OpenLogic", "offer": "CentOS", "sku": "7.5"}
GALLERY = {"gallery": "corp", "definition": "web"}
UBUNTU_NAME = "Canonical/UbuntuServer/18.04-LTS"
OLD, NEW = "18.04.202401010", "18.04.202402010"


def fleet(**parts: Any) -> dict[str, Any]:
    """Return a fleet document."""
    return {"format": "phasegate/fleet/1", **parts}


def ubuntu(*versions: str) -> dict[str, Any]:
    """Return the platform image with its versions."""
    return {**UBUNTU, "versions": [{"version": version} for version in versions or (OLD, NEW)]}


def small() -> dict[str, Any]:
    """Return a fleet of three eligible sets in two phases, with a pair of regions, and one that is not eligible."""
    return fleet(
        regions=[
            {"name": "eastus", "pair": "westus", "zones": ["1", "2", "3"]},
            {"name": "westus", "pair": "eastus"},
            {"name": "northeurope", "pair": "westeurope", "zones": ["1", "2", "3"]},
        ],
        images=[ubuntu()],
        sets=[
            {"name": "web", "region": "eastus", "zones": ["1", "2", "3"], "image": UBUNTU, "instances": 30},
            {"name": "db", "region": "westus", "image": UBUNTU, "instances": 5},
            {
                "name": "old",
                "region": "westus",
                "image": UBUNTU,
                "instances": 5,
                "automatic_os_upgrade": False,
                "health_sources": [],
            },
            {"name": "api", "region": "northeurope", "image": UBUNTU, "instances": 12},
        ],
    )


def special() -> dict[str, Any]:
    """Return a fleet in which something is special about every set."""
    rows: list[dict[str, Any]] = [{"id": str(number), "upgrade_domain": number % 2} for number in range(8)]
    rows[0]["version"] = NEW
    rows[1]["protect_from_scale_set_actions"] = True
    rows[2]["phase_ordering_number"] = 1
    rows[3]["health"] = rows[4]["health"] = "unhealthy"
    replicas = [{"name": "eastus"}, {"name": "westus"}]
    return fleet(
        regions=[
            {"name": "eastus", "pair": "westus", "zones": ["1", "2"]},
            {"name": "westus", "zones": ["1"]},
            {"name": "northeurope"},
        ],
        images=[
            ubuntu(),
            {**GALLERY, "versions": [{"version": v, "regions": replicas} for v in ("1.0.0", "1.1.0")]},
            {**CENTOS, "versions": [{"version": "7.5.1"}]},
            {"gallery": "corp", "definition": "later"},
        ],
        sets=[
            {"name": "mixed", "region": "eastus", "image": UBUNTU, "instances": rows},
            {
                "name": "windowed",
                "region": "eastus",
                "zones": ["1", "2"],
                "image": UBUNTU,
                "instances": 20,
                "windows": [{"day": "sat", "start": "01:00", "minutes": 300, "timezone": "Europe/Berlin"}],
                "disable_automatic_rollback": True,
            },
            {
                "name": "cross",
                "region": "westus",
                "zones": ["1"],
                "image": UBUNTU,
                "instances": 10,
                "rolling_policy": {"enable_cross_zone": True, "max_unhealthy_percent": 100, "max_batch_percent": 50},
            },
            {"name": "done", "region": "northeurope", "image": UBUNTU, "instances": [{"id": "0", "version": NEW}]},
            {"name": "shop", "region": "eastus", "zones": ["1"], "image": GALLERY, "instances": 4},
            {"name": "shop", "region": "westus", "zones": ["1"], "image": GALLERY, "instances": 4},
            {"name": "cent", "region": "eastus", "image": CENTOS, "instances": 2},
            {"name": "own", "region": "eastus", "image": {"custom": "mine"}, "instances": 1},
        ],
        conflicts=[["eastus/1", "westus/1"]],
        groups=[
            {"name": "quorum", "counts": "instances", "members": ["westus/cross", "eastus/mixed"], "limit": 2},
            {"name": "front", "counts": "sets", "members": ["eastus/mixed", "eastus/windowed"], "limit": 1},
            {"name": "rack", "counts": "cells", "members": ["eastus/1", "westus/1"], "limit": 1},
            {"name": "elsewhere", "counts": "cells", "members": ["northeurope/-"], "limit": 1},
        ],
    )


def many(count: int = 40) -> dict[str, Any]:
    """Return a fleet of more sets than are shown one by one; every third is not eligible."""
    regions = ["eastus", "westus", "northeurope", "japaneast"]
    return fleet(
        regions=[
            {"name": "eastus", "pair": "westus", "zones": ["1", "2"]},
            {"name": "westus"},
            {"name": "northeurope"},
            {"name": "japaneast", "zones": ["1"]},
        ],
        images=[ubuntu()],
        sets=[
            {
                "name": f"svc-{number:02}",
                "region": regions[number % 4],
                "image": UBUNTU,
                "instances": 5 + number,
                **({"automatic_os_upgrade": False} if number % 3 == 2 else {}),
                **({"health_sources": []} if number % 6 == 5 else {}),
            }
            for number in range(count)
        ],
    )


def faults(*events: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """Return a faults document."""
    return {"format": "phasegate/faults/1", "events": list(events), **parts}


def policy(**options: Any) -> dict[str, Any]:
    """Return a policy document."""
    return {"format": "phasegate/policy/1", **options}


def golden(name: str) -> str:
    """Return a golden text of this folder."""
    return (Path(__file__).with_name("golden") / name).read_text(encoding="utf-8")
