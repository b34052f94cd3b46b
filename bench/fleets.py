"""Seeded fleets for the benchmarks: equal seed, shape and size give equal fleets on every machine.

Sets whose instances are all alike are counts, so that ten million instances cost no more than their sets. Where states
differ, sets draw from a few dozen rosters of the same seed: a roster is immutable, and is shared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Final

from attrs import frozen

import phasegate as pg
from phasegate.core.model import RollingPolicy
from phasegate.core.names import PackedNames
from phasegate.core.roster import NO_NUMBER, NO_ZONE
from phasegate.regions import region_table

IMAGE: Final = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
VERSIONS: Final = ("18.04.202401010", "18.04.202402010")
UPGRADE_DOMAINS: Final = 5
ZONAL: Final = 0.8  # of the sets in a region with zones
ROSTERS: Final = 48  # different ones in a fleet, for each list of zones


@frozen(kw_only=True)
class Shape:
    """One kind of fleet: how large its sets are, in how many regions, and in which state its instances are.

    `upgraded` and `unhealthy` are shares of the instances; `sick_sets` is the share of the sets that have any
    unhealthy ones. `most` is the largest size that is sensible: every set costs an object of a few hundred bytes.
    """

    why: str
    size: Callable[[Random], int]
    regions: int = 60
    upgraded: float = 0.0
    unhealthy: float = 0.0
    sick_sets: float = 0.0
    mixed: bool = False  # sets have limits and upgrade domains of their own
    most: int = 10_000_000

    @property
    def is_listed(self) -> bool:
        """Whether instances differ, so that a count cannot say how they are."""
        return bool(self.upgraded or self.unhealthy)


SHAPES: Final[dict[str, Shape]] = {
    "sixty regions": Shape(
        why="equal sets of 100 in sixty regions: what grows is the number of sets, nothing else",
        size=lambda random: 100,
    ),
    "one region": Shape(
        why="everything competes for the cells of one region",
        size=lambda random: 100,
        regions=1,
    ),
    "usual sets": Shape(
        why="sets of 1 to 200, as people have them",
        size=lambda random: random.randint(1, 200),
    ),
    "few large sets": Shape(
        why="long columns and few decisions",
        size=lambda random: random.randint(5_000, 15_000),
    ),
    "many tiny sets": Shape(
        why="as many decisions as there can be for so many instances",
        size=lambda random: random.randint(1, 4),
        most=1_000_000,
    ),
    "ragged": Shape(
        why="sizes over three orders of magnitude, limits and upgrade domains of their own: nothing is aligned",
        size=lambda random: min(20_000, int(3 * random.paretovariate(0.9))),
        mixed=True,
        most=1_000_000,
    ),
    "mostly upgraded": Shape(
        why="the end of a rollout: what is left to do must be found among what is done",
        size=lambda random: 100,
        upgraded=0.95,
        most=1_000_000,
    ),
    "mostly unhealthy": Shape(
        why="most sets are beyond their health gate; in the others the batches shrink",
        size=lambda random: 100,
        unhealthy=0.7,
        sick_sets=0.8,
        most=1_000_000,
    ),
}


def a_fleet(instances: int, shape: str = "usual sets", seed: int = 0) -> pg.Fleet:
    """Return a fleet of exactly that many instances in one of `SHAPES`; its last set may be smaller than the others."""
    of = SHAPES[shape]
    random = Random(f"{seed} {shape} {instances}")
    regions = (
        region_table()[: of.regions]
        if of.regions > 1
        else tuple(region for region in region_table() if len(region.zones) == 3)[:1]
    )
    sets: list[pg.ScaleSet] = []
    left = instances
    while left > 0:
        region = random.choice(regions)
        size = min(left, of.size(random))
        left -= size
        zones = region.zones if random.random() < ZONAL else ()
        name = f"s{len(sets)}"
        if of.mixed:
            sets.append(_mixed_set(random, name, region.name, zones, size))
        else:
            content: int | pg.Roster = size
            if of.is_listed:
                content = roster(shape, size, zones, f"{seed} {random.randrange(ROSTERS)}")
            sets.append(pg.ScaleSet(name=name, region=region.name, zones=zones, image=IMAGE, instances=content))
    image = pg.Image(IMAGE, [pg.ImageVersion(version) for version in VERSIONS])
    return pg.Fleet(regions=regions, images=[image], sets=sets)


def _mixed_set(random: Random, name: str, region: str, zones: tuple[str, ...], size: int) -> pg.ScaleSet:
    return pg.ScaleSet(
        name=name,
        region=region,
        zones=zones,
        image=IMAGE,
        instances=size,
        upgrade_domains=random.randint(1, 20),
        rolling_policy=RollingPolicy(
            max_batch_percent=random.randint(5, 60), max_unhealthy_percent=random.randint(5, 60)
        ),
    )


@cache
def roster(shape: str, size: int, zones: tuple[str, ...], seed: str) -> pg.Roster:
    """Return listed instances `0`, `1`, ... in that shape's states, placed where a count would place them."""
    of = SHAPES[shape]
    random = Random(f"{seed} {shape} {size} {zones}")
    unhealthy = of.unhealthy / of.sick_sets if of.sick_sets and random.random() < of.sick_sets else 0.0
    spread = max(1, len(zones))
    return pg.Roster(
        ids=_numbered(size),
        zones=zones,
        versions=VERSIONS,
        zone=bytes(at % spread if zones else NO_ZONE for at in range(size)),
        domain=array("H", (at // spread % UPGRADE_DOMAINS for at in range(size))).tobytes(),
        version=array("H", (int(random.random() < of.upgraded) for _ in range(size))).tobytes(),
        health=bytes(int(random.random() < unhealthy) for _ in range(size)),
        flags=bytes(size),
        number=array("i", [NO_NUMBER] * size).tobytes(),
    )


@cache
def _numbered(size: int) -> PackedNames:
    return PackedNames.of(str(at) for at in range(size))
