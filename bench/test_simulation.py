"""What a whole simulated rollout costs: every start, replace, configure, health and settle event through the engine.

With constant timing, reports of one instant are one event, and large batches are one object each; with drawn timing
nearly every report has its own millisecond, and is a step of its own: the most that the environment can be asked to do.
Each benchmark asserts that the rollout completes before it is timed. Run with `pytest bench/test_simulation.py
--benchmark-only`.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import phasegate as pg
from phasegate.regions import region_table
from phasegate.simulating.faultmodel import Faults, Timing
from phasegate.simulating.simulation import Summary, simulate

IMAGE = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
VERSIONS = ("18.04.202401010", "18.04.202402010")
DRAWN = Timing(replace_ms=(60_000, 120_000), configure_ms=(15_000, 25_000), healthy_after_ms=(5_000, 60_000))


def a_counted_fleet(instances: int, size: int) -> pg.Fleet:
    """Return a fleet of sets of that size over all real regions."""
    random = Random(f"{instances} {size}")
    regions = region_table()
    sets = []
    for number in range(instances // size):
        region = random.choice(regions)
        name = f"s{number}"
        sets.append(pg.ScaleSet(name=name, region=region.name, zones=region.zones, image=IMAGE, instances=size))
    return pg.Fleet(regions=regions, images=[pg.Image(IMAGE, map(pg.ImageVersion, VERSIONS))], sets=sets)


def measured(benchmark: Any, fleet: pg.Fleet, faults: Faults | None, *, is_logged: bool) -> None:
    """Assert that the rollout gets everywhere, then time it with the engine's own beginnings."""

    def run() -> Summary:
        engine = pg.Engine(fleet, pg.policies.availability_first())
        return simulate(engine, faults=faults, sink=(lambda chunk: None) if is_logged else None)

    summary = run()
    counts = summary.rollouts[0]["counts"]
    size = sum(one.size for one in fleet.sets)
    assert (True, size, size) == (summary.is_completed, counts["eligible"], counts["upgraded"])
    benchmark.extra_info["steps"] = summary.steps
    benchmark.pedantic(run, rounds=2, warmup_rounds=0)


@pytest.mark.parametrize("is_logged", [False, True], ids=["no log", "log"])
@pytest.mark.parametrize(("instances", "size"), [(10_000, 100), (100_000, 100), (100_000, 10_000), (1_000_000, 10_000)])
def test_constant_timing(benchmark: Any, instances: int, size: int, is_logged: bool) -> None:
    """Every step takes as long for each instance."""
    measured(benchmark, a_counted_fleet(instances, size), None, is_logged=is_logged)


@pytest.mark.parametrize("is_logged", [False, True], ids=["no log", "log"])
@pytest.mark.parametrize(("instances", "size"), [(2_000, 100), (10_000, 100)])
def test_drawn_timing(benchmark: Any, instances: int, size: int, is_logged: bool) -> None:
    """Every step takes its own time for each instance."""
    measured(benchmark, a_counted_fleet(instances, size), Faults(timing=DRAWN), is_logged=is_logged)
