"""What it costs to read and write a fleet of listed instances, in each form, and to begin with it.

The instances differ in zone, upgrade domain, version and health, and their ids are not plain numbers, so that every
column is read and ordered. Sets of a hundred show what a set costs, sets of ten thousand what an instance costs. Each
benchmark asserts that it is the same fleet before it is timed. Run with `pytest bench/test_loading.py
--benchmark-only`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

import phasegate as pg
from phasegate.files.fleetfile import load_fleet, write_fleet
from phasegate.regions import region_table

IMAGE = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
VERSIONS = ("18.04.202401010", "18.04.202402010")
INSTANCES = [10_000, 100_000, 1_000_000]
SIZES = [100, 10_000]


@cache
def a_listed_fleet(instances: int, size: int) -> pg.Fleet:
    """Return a fleet of listed instances in sets of that size over all real regions; sets share a few rosters."""
    random = Random(f"{instances} {size}")
    regions = region_table()
    rosters: dict[tuple[str, ...], list[pg.Roster]] = {}
    sets = []
    for number in range(instances // size):
        region = random.choice(regions)
        known = rosters.setdefault(region.zones, [])
        if len(known) < max(1, 100_000 // size // 8):
            known.append(pg.Roster.of(an_instance(random, at, region.zones) for at in range(size)))
        roster = random.choice(known)
        name = f"s{number}"
        sets.append(pg.ScaleSet(name=name, region=region.name, zones=region.zones, image=IMAGE, instances=roster))
    return pg.Fleet(regions=regions, images=[pg.Image(IMAGE, map(pg.ImageVersion, VERSIONS))], sets=sets)


def an_instance(random: Random, number: int, zones: tuple[str, ...]) -> pg.Instance:
    """Return one that is on the old version four times out of five, and not healthy once in fifty."""
    return pg.Instance(
        id=f"web_{number}",
        zone=random.choice(zones) if zones else None,
        upgrade_domain=number % 5,
        version=VERSIONS[random.random() < 0.2],
        health=random.random() < 0.02,
    )


@pytest.fixture
def fleet(instances: int, size: int) -> pg.Fleet:
    """Return the fleet of the case, made once."""
    if size >= instances:
        pytest.skip("one set is no fleet")
    return a_listed_fleet(instances, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("instances", INSTANCES)
@pytest.mark.parametrize("ending", ["json", "ndjson", "parquet"])
def test_load(benchmark: Any, tmp_path: Path, fleet: pg.Fleet, ending: str) -> None:
    """Read and check a whole file."""
    path = tmp_path / f"fleet.{ending}"
    write_fleet(fleet, path)
    assert fleet == load_fleet(path)
    benchmark.pedantic(load_fleet, (path,), rounds=3, warmup_rounds=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("instances", INSTANCES[:2])
@pytest.mark.parametrize("ending", ["json", "ndjson", "parquet"])
def test_write(benchmark: Any, tmp_path: Path, fleet: pg.Fleet, ending: str) -> None:
    """Write a whole file."""
    path = tmp_path / f"fleet.{ending}"
    write_fleet(fleet, path)
    assert fleet == load_fleet(path)
    benchmark.pedantic(write_fleet, (fleet, path), rounds=3, warmup_rounds=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("instances", INSTANCES)
def test_begin(benchmark: Any, fleet: pg.Fleet) -> None:
    """Compile the fleet, and lay out its first state: slots by cell and upgrade domain, everything counted."""

    def begin() -> pg.State:
        return pg.Engine(fleet, pg.policies.availability_first()).initial()

    assert sum(one.size for one in fleet.sets) == begin().rows["instance"]
    benchmark.pedantic(begin, rounds=3, warmup_rounds=0)
