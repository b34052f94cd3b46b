"""Facts and batches that are numbers until somebody looks: then they are what they would have been at once."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

import pytest
from fleets import HOUR, UBUNTU, a_fleet, a_set, afresh
from hypothesis import given, settings
from hypothesis import strategies as st
from wild import a_wild_event, a_wild_fleet, a_wild_policy

import phasegate as pg
from phasegate.core.events import Batches
from phasegate.core.facts import BatchStarted, Commands, PhaseOpened, RolloutStarted, Step
from phasegate.core.kernels import default_kernel
from phasegate.core.model import RollingPolicy
from phasegate.core.picks import Picks
from phasegate.core.telling import Facts
from phasegate.core.twin import Kernel as Twin
from phasegate.core.twin import Timers as TwinTimers

ABOUT_INSTANCES = {"Commands", "Became", "BatchStarted", "Ignored"}


def an_engine(kernel: Any) -> pg.Engine:
    """Return an engine over three sets, one of them across zones, in a pair of regions."""
    across = RollingPolicy(enable_cross_zone=True, max_batch_percent=100)
    fleet = a_fleet(
        a_set("eastus/web", 9, zones=("1", "2")),
        a_set("eastus/wide", 9, zones=("1", "2"), rolling_policy=across),
        a_set("westus/db", 4),
        pairs={"eastus": "westus"},
    )
    return pg.Engine(fleet, pg.policies.availability_first(), kernel=kernel)


def a_start(engine: pg.Engine) -> Step:
    """Return the step that starts the first batches."""
    state = engine.step(engine.start(UBUNTU.name, now=0), pg.Tick(2 * HOUR)).state
    state = engine.start(UBUNTU.name, now=state.now, sets=["eastus/web", "eastus/wide"], state=engine.initial(0))
    return engine.step(state, pg.Start(engine.select(state), state.now))


@pytest.mark.parametrize("of", [Twin, default_kernel()])
@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_facts_that_are_told_late_are_the_same(of: Any, seed: int) -> None:
    """Whatever happened since: other steps, other states taken up, instances gone and come again."""
    random = Random(seed)
    fleet, policy = a_wild_fleet(random), a_wild_policy(random, is_moody=True)
    at_once, late = (pg.Engine(fleet, policy, kernel=of) for _ in range(2))
    state, other = at_once.initial(0), late.initial(0)
    told, untold, states = [], [], [(state, other)]
    for _ in range(30):
        event = a_wild_event(random, at_once, state)
        try:
            step = at_once.step(state, event)
        except pg.PhasegateError:
            continue
        told.append(tuple(step.facts))
        untold.append(late.step(other, event).facts)
        state, other = step.state, late.step(other, event).state
        states.append((state, other))
        if random.random() < 0.1:
            state, other = random.choice(states)
    assert [bool(facts) for facts in told] == [bool(facts) for facts in untold]
    milestones = [[fact for fact in facts if type(fact).__name__ not in ABOUT_INSTANCES] for facts in told]
    assert milestones == [list(facts.milestones) for facts in untold]
    assert told == untold


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_both_timers_follow_a_trace_alike(seed: int) -> None:
    """The compiled ones and their twin, on one kernel, say the same of every trace and every moment."""
    random = Random(seed)
    compiled = pytest.importorskip("phasegate.core.timers")

    class Both:
        def __init__(self, *of: Any) -> None:
            self.both = compiled.Timers(*of), TwinTimers(*of)

        def __getattr__(self, name: str) -> Any:
            def ask(*given: Any) -> Any:
                one, other = (getattr(timers, name)(*given) for timers in self.both)
                assert one == other
                return one

            return ask

    fleet, policy = a_wild_fleet(random), a_wild_policy(random, is_moody=True)
    engine = pg.Engine(fleet, policy)
    engine._work.timers_class = Both
    state = engine.initial(0)
    for _ in range(40):
        event = a_wild_event(random, engine, state)
        try:
            state = engine.step(state, event).state
        except pg.PhasegateError:
            continue
        assert engine.next_time(state) == afresh(engine).next_time(state)


def test_facts_are_a_sequence(kernel: Any) -> None:
    """Places, slices, pickling, comparing, hashing and showing are those of a tuple."""
    facts = a_start(an_engine(kernel)).facts
    told = facts.all()
    assert (len(told), told[0], told[1:3], told) == (len(facts), facts[0], facts[1:3], tuple(facts))
    assert (facts, hash(facts), repr(facts)) == (told, hash(told), repr(told))
    assert facts == pickle.loads(pickle.dumps(facts))
    assert (facts != told[1:], facts != list(told), bool(Facts(()))) == (True, True, False)


def test_a_batch_across_zones_names_every_cell(kernel: Any) -> None:
    """Others have one; the commands of a step are those among its facts, in order."""
    step = a_start(an_engine(kernel))
    cells = [fact.cells for fact in step.facts if isinstance(fact, BatchStarted)]
    assert [("eastus/1",), ("eastus/1", "eastus/2")] == cells
    assert step.commands == tuple(fact for fact in step.facts if isinstance(fact, Commands))
    assert 2 == len(step.commands)


def test_milestones_are_what_is_not_about_instances(kernel: Any) -> None:
    """A rollout that begins tells of its first phase too."""
    engine = an_engine(kernel)
    facts = engine.step(engine.initial(0), pg.Rollout(UBUNTU.name, 0)).facts
    assert [RolloutStarted, PhaseOpened] == [type(fact) for fact in facts.milestones]


def test_selected_batches_are_a_sequence(kernel: Any) -> None:
    """Places, slices, pickling, comparing, hashing and showing are those of a tuple; a start keeps them as they are."""
    engine = an_engine(kernel)
    state = engine.start(UBUNTU.name, sets=["eastus/web", "eastus/wide"], now=0)
    batches = engine.select(state)
    known = batches.all()
    assert (2, known[0], known[:1], known) == (len(batches), batches[0], batches[:1], tuple(batches))
    assert (batches, hash(batches), repr(batches)) == (known, hash(known), repr(known))
    assert known == pickle.loads(pickle.dumps(batches))
    assert (batches != list(known), Batches(Picks.of(()), ()) == ()) == (True, True)
    assert pg.Start(batches, 0).batches is batches
    assert pg.Start(batches, 0) == pg.Start(list(known), 0)
