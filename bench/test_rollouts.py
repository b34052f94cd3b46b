"""Whole rollouts: every start, replace, configure, health and settle event through the engine, to the end.

In an environment in which everything works, so that SimPy models and `transitions` machines can follow. Each must
come to the same number of batches, the same time, the same most in flight.
"""

from __future__ import annotations

from typing import Any

import pytest

import phasegate as pg
from phasegate.bench import whole
from phasegate.bench.begun import Scale
from phasegate.bench.figures import OURS, note
from phasegate.bench.fleets import a_fleet
from phasegate.bench.goals import BARE, EVENTS
from phasegate.bench.peers import simpy_bare, simpy_rollout, transitions_rollout
from phasegate.bench.peers.plain_rules import PlainRules
from phasegate.core.twin import Kernel as Twin
from phasegate.simulating.simulation import Run, Summary, simulate

PATH = "whole rollout"
LARGE = "few large sets"
TIMES = (60_000, 20_000, 30_000)  # replace, configure, healthy: what the simulator takes without a faults file


def outcome(summary: Summary) -> tuple[int, int, int, int]:
    """Return how long it took (simulated ms), batches, most in flight, upgraded."""
    rollout = summary.rollouts[0]
    return summary.duration_ms, rollout["batches"], summary.max_in_flight, rollout["counts"]["upgraded"]


def ours(fleet: pg.Fleet, kernel: Any = None) -> Summary:
    """Roll out with the engine."""
    return simulate(pg.Engine(fleet, pg.policies.availability_first(), kernel=kernel))


def run_through(run: Run) -> None:
    """Let a run run."""
    for _ in run.log(is_kept=False):
        raise AssertionError("a log that is not kept has no pieces")


@pytest.mark.fleets(most=100_000)
@pytest.mark.fleets(shapes="all", most=100_000)
def test_whole_rollout(benchmark: Any, scale: Scale) -> None:
    """From the fleet in memory to its end, compiling it included: what somebody waits for who asks how it would go."""
    fleet = a_fleet(scale.instances, scale.shape)
    summary = ours(fleet)
    counts = summary.rollouts[0]["counts"]
    assert counts["eligible"] + counts["excluded"] + counts["current"] == scale.instances
    is_sick = scale.shape == "mostly unhealthy"  # its first phase is lost, and the rollout halts
    assert summary.is_completed is not is_sick
    assert is_sick or counts["upgraded"] == counts["eligible"]
    note(benchmark, PATH, OURS, scale.shape, scale.instances)
    benchmark.pedantic(lambda: ours(fleet), rounds=3)


@pytest.mark.fleets(least=1_000_000)
def test_large_rollout(benchmark: Any, scale: Scale, is_cpu_time: bool) -> None:
    """Millions, in a process of their own: how long it takes, and the most memory that it has had."""
    found: list[dict[str, Any]] = []
    benchmark.pedantic(lambda: found.append(whole.in_a_process(scale)), rounds=1)
    (told,) = found
    assert (told["status"], told["upgraded"]) == ("completed", scale.instances)
    seconds = told["cpu_seconds" if is_cpu_time else "seconds"]
    numbers = {"seconds": seconds, "peak_bytes": told["peak_bytes"]}
    note(benchmark, PATH, OURS, scale.shape, scale.instances, **numbers)


@pytest.mark.fleets(most=100_000)
@pytest.mark.fleets(shapes=LARGE, most=100_000)
def test_events(benchmark: Any, scale: Scale) -> None:
    """Once the fleet is compiled and its first state made: what the peers below are compared with.

    They too are handed the plan, and instances that stand where they start.
    """
    fleet = a_fleet(scale.instances, scale.shape)
    runs: list[Run] = []

    def fresh() -> Any:
        runs[:] = [Run(engine=pg.Engine(fleet, pg.policies.availability_first()))]
        return (runs[0],), {}

    benchmark.pedantic(run_through, setup=fresh, rounds=3)
    assert outcome(ours(fleet)) == outcome(runs[0].summary())
    note(benchmark, EVENTS, OURS, scale.shape, scale.instances)


@pytest.mark.fleets(most=100_000)
@pytest.mark.fleets(shapes=LARGE, most=100_000)
@pytest.mark.parametrize(("by", "model"), [("SimPy", simpy_rollout.roll_out), (BARE, simpy_bare.roll_out)])
def test_by_simpy(benchmark: Any, scale: Scale, by: str, model: Any) -> None:
    """A process an instance, and the plain rules: with states and deadlines, and with nothing but time."""
    fleet = a_fleet(scale.instances, scale.shape)
    summary = ours(fleet)
    rules: list[PlainRules] = []

    def fresh() -> Any:
        rules[:] = [PlainRules.of(fleet, summary.rollouts[0]["phases"])]
        return (rules[0], *TIMES), {}

    args, _ = fresh()
    took = model(*args)
    assert outcome(summary) == (took, rules[0].batches, rules[0].in_flight_max, rules[0].upgraded)
    note(benchmark, EVENTS, by, scale.shape, scale.instances)
    benchmark.pedantic(model, setup=fresh, rounds=2)


@pytest.mark.fleets(most=100_000)
@pytest.mark.fleets(shapes=LARGE, most=100_000)
def test_by_transitions(benchmark: Any, scale: Scale) -> None:
    """A state machine an instance, and the plain rules; making the machines is not timed."""
    fleet = a_fleet(scale.instances, scale.shape)
    summary = ours(fleet)
    rules: list[PlainRules] = []

    def fresh() -> Any:
        rules[:] = [PlainRules.of(fleet, summary.rollouts[0]["phases"])]
        return (rules[0], transitions_rollout.instances(scale.instances), *TIMES), {}

    args, _ = fresh()
    took = transitions_rollout.roll_out(*args)
    assert outcome(summary) == (took, rules[0].batches, rules[0].in_flight_max, rules[0].upgraded)
    assert {one.state for one in args[1]} == {"upgraded"}
    note(benchmark, EVENTS, "transitions", scale.shape, scale.instances)
    benchmark.pedantic(transitions_rollout.roll_out, setup=fresh, rounds=1)


@pytest.mark.fleets(most=10_000)
def test_by_the_twin(benchmark: Any, scale: Scale) -> None:
    """The same engine on the plain twin of its kernel."""
    fleet = a_fleet(scale.instances, scale.shape)
    assert outcome(ours(fleet, Twin)) == outcome(ours(fleet))
    note(benchmark, PATH, "plain twin", scale.shape, scale.instances)
    benchmark.pedantic(lambda: ours(fleet, Twin), rounds=1)
