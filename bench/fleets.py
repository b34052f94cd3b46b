"""Seeded fleets for the benchmarks: the same seed and shape give the same fleet on every machine."""

from __future__ import annotations

from random import Random

import phasegate as pg
from phasegate.regions import region_table

IMAGE = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
VERSIONS = ("18.04.202401010", "18.04.202402010")

# instances a set, at most: the shapes that fleets come in
SHAPES = {"large sets": 10_000, "usual sets": 200, "tiny sets": 4}


def a_fleet(instances: int, shape: str = "usual sets", seed: int = 0) -> pg.Fleet:
    """Return a fleet of about that many instances over all real regions, in sets of any size up to the shape's."""
    random = Random(f"{seed} {shape} {instances}")
    regions = region_table()
    largest = SHAPES[shape]
    sets: list[pg.ScaleSet] = []
    left = instances
    while left > 0:
        region = random.choice(regions)
        size = min(left, random.randint(1, largest))
        left -= size
        zones = region.zones if random.random() < 0.8 else ()
        sets.append(pg.ScaleSet(name=f"s{len(sets)}", region=region.name, zones=zones, image=IMAGE, instances=size))
    image = pg.Image(IMAGE, [pg.ImageVersion(version) for version in VERSIONS])
    return pg.Fleet(regions=regions, images=[image], sets=sets)
