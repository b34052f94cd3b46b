"""The benchmarks' fleets: seeded, of exactly the size that was asked for, and in the shape that they are named for."""

from __future__ import annotations

import pytest

import phasegate as pg
from phasegate.bench.fleets import IMAGE, SHAPES, VERSIONS, a_fleet

SIZE = 3_000


@pytest.mark.parametrize("shape", SHAPES)
def test_equal_seeds_give_equal_fleets_of_the_size_asked_for(shape: str) -> None:
    """Two calls give one fleet, another seed gives another, and nobody is missing."""
    fleet = a_fleet(SIZE, shape)
    assert sum(some.size for some in fleet.sets) == SIZE
    assert a_fleet(SIZE, shape) == fleet
    assert a_fleet(SIZE, shape, seed=1) != fleet


@pytest.mark.parametrize(("shape", "regions"), [("sixty regions", 60), ("one region", 1)])
def test_regions(shape: str, regions: int) -> None:
    """The fleet has as many regions as its shape says, and uses them."""
    fleet = a_fleet(60_000, shape)
    assert len(fleet.regions) == regions
    assert {some.region for some in fleet.sets} == {region.name for region in fleet.regions}


def test_sizes_of_sets() -> None:
    """Tiny sets have at most four instances, large ones thousands, ragged ones both."""
    sizes = {shape: [some.size for some in a_fleet(50_000, shape).sets] for shape in SHAPES}
    assert max(sizes["many tiny sets"]) == 4
    assert min(sizes["few large sets"][:-1]) >= 5_000
    assert min(sizes["ragged"]) < 10
    assert max(sizes["ragged"]) > 1_000


def test_mostly_upgraded() -> None:
    """Nineteen of twenty instances are on the target already."""
    roster = a_fleet(SIZE, "mostly upgraded").sets
    versions = [one.version for some in roster if isinstance(some.instances, pg.Roster) for one in some.instances]
    assert versions.count(VERSIONS[-1]) / SIZE == pytest.approx(0.95, abs=0.02)


def test_mostly_unhealthy() -> None:
    """Seven of ten instances are unhealthy, and still some sets have none."""
    fleet = a_fleet(20_000, "mostly unhealthy")
    engine = pg.Engine(fleet, pg.policies.availability_first())
    state = engine.start(IMAGE.name, sets=[some.full_name for some in fleet.sets], now=0)
    assert engine.counts(state)[1] / 20_000 == pytest.approx(0.7, abs=0.1)
    assert engine.select(state)
