"""Laws that hold in every reachable state, whatever happens: section 11 and the promises of the engine's own docs."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pytest
from attrs import define, field
from fleets import Story, afresh, drive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wild import a_wild_event, a_wild_fleet, a_wild_policy, part_of

import phasegate as pg
from phasegate.core import codes as c
from phasegate.core.columns import BY_NAME
from phasegate.core.events import What
from phasegate.core.facts import AttemptEnded, BatchStarted, Became, PhaseEnded, RolloutStarted
from phasegate.core.lifecycle import IN_FLIGHT, Do, Life
from phasegate.core.state import State
from phasegate.core.versions import version_key

EVENTS = 40
lawful = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.integers(0, 2**32)


def told(kernel: Any, seed: int, *, is_moody: bool = True) -> tuple[Random, pg.Engine, State]:
    """Return a wild fleet with a rollout begun; a moody policy may say wait for ever."""
    chance = Random(seed)
    engine = pg.Engine(a_wild_fleet(chance), a_wild_policy(chance, is_moody=is_moody), kernel=kernel)
    return chance, engine, engine.start("Canonical/UbuntuServer/18.04-LTS", now=0)


class Columns(dict[str, Any]):
    """The columns of a state as flat sequences of numbers, by name; only those that are asked for are joined."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state

    def __missing__(self, name: str) -> Any:
        self[name] = found = memoryview(self.state.column(name).flat()).cast(BY_NAME[name].typecode)
        return found


def tried(engine: pg.Engine, state: State, event: Any) -> Any:
    """Return the step, None if the event was refused; then nothing has moved."""
    digest = state.digest
    try:
        return engine.step(state, event)
    except pg.PhasegateError:
        assert state.digest == digest
        return None


# --- counters --------------------------------------------------------------------------------------------------------


def recount(engine: pg.Engine, state: State) -> dict[str, Any]:
    """Count everything anew from what each instance, attempt and hold is."""
    col = Columns(state)
    sets = engine.compiled.directory.sets
    statics = engine.compiled.statics
    rules = engine.compiled.rules
    tally = {s: [0] * 14 for s in range(len(sets))}
    wait: dict[int, list[int]] = {}
    flight: dict[int, int] = {}
    for s in range(len(sets)):
        first, count = (col["link"][s * c.LINK + at] for at in (c.LINK_BUCKET, c.LINK_BUCKETS))
        for bucket in range(first, first + count):
            wait[bucket] = [0, 0, 0]
    for slot in range(state.rows["instance"]):
        life, health = col["life"][slot] & c.STATE_BITS, col["life"][slot] >> c.HEALTH_SHIFT
        if life == Life.GONE:
            continue
        bucket = col["bucket"][slot]
        s = col["site"][bucket * c.SITE]
        bad, flies = health in (1, 2), Life(life) in IN_FLIGHT
        tally[s][life] += 1
        tally[s][c.TALLY_TOTAL] += 1
        tally[s][c.TALLY_BAD] += bad
        tally[s][c.TALLY_UPGRADED_BAD] += bad and life == Life.UPGRADED
        tally[s][c.TALLY_FLIGHT] += flies
        wait[bucket][c.WAIT_PENDING] += life == Life.PENDING
        wait[bucket][c.WAIT_BAD] += bad and life == Life.PENDING
        wait[bucket][c.WAIT_FLIGHT] += flies
        flight[s] = flight.get(s, 0) + flies
    holds = [0] * state.rows["cell"]
    working = [0] * state.rows["region"]
    for s in range(len(sets)):
        held = col["link"][s * c.LINK + c.LINK_HOLD]
        if held >= 0:
            holds[held] += 1
        working[engine.compiled.directory.set_region[s]] += col["status"][s] == c.ROLLING
    used = []
    for group in rules.groups:
        if group.counts == "cells":
            used.append(sum(holds[engine.compiled.directory.cell_number[name]] > 0 for name in group.members))
        else:
            numbers = [engine.compiled.directory.set_number[name] for name in group.members]
            rolling = sum(col["status"][s] == c.ROLLING for s in numbers)
            used.append(rolling if group.counts == "sets" else sum(flight.get(s, 0) for s in numbers))
    alive = [0] * state.rows["rollout"]
    for s in range(len(sets)):
        if col["status"][s] in (c.WAITING, c.ROLLING):
            alive[col["link"][s * c.LINK + c.LINK_ROLLOUT]] += 1
    too_late = {
        s: sum(
            col["life"][slot] & c.STATE_BITS == Life.PENDING and bool(col["flag"][slot] & c.TOO_LATE)
            for slot in engine.members(state, name)
        )
        for s, name in enumerate(sets)
    }
    sums = [sum(row[at] for row in tally.values()) for at in (c.TALLY_FLIGHT, c.TALLY_BAD, c.TALLY_TOTAL)]
    assert len(statics.group_limit) == len(used)
    return {
        "tally": tally,
        "wait": wait,
        "holds": holds,
        "working": working,
        "used": used,
        "alive": alive,
        "sums": sums,
        "too_late": too_late,
    }


def carried(engine: pg.Engine, state: State, like: dict[str, Any]) -> dict[str, Any]:
    """Return the same counts as the state carries them."""
    col = Columns(state)
    return {
        "tally": {s: [*col["tally"][s * c.TALLY : s * c.TALLY + 14]] for s in like["tally"]},
        "wait": {bucket: [*col["wait"][bucket * c.WAIT : (bucket + 1) * c.WAIT]] for bucket in like["wait"]},
        "holds": [*col["holds"][: len(like["holds"])]],
        "working": [*col["working"][: len(like["working"])]],
        "used": [*col["used"][: len(like["used"])]],
        "alive": [col["plan"][at * c.PLAN + c.PLAN_ALIVE] for at in range(len(like["alive"]))],
        "too_late": {s: col["tally"][s * c.TALLY + c.TALLY_TOO_LATE] for s in like["too_late"]},
        "sums": [col["sums"][at] for at in (c.SUM_FLIGHT, c.SUM_BAD, c.SUM_TOTAL)],
    }


@lawful
@given(seed=seeds)
def test_counters_equal_a_recount(kernel: Any, seed: int) -> None:
    """Every count that a state carries is what one would count anew."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS):
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state
        expected = recount(engine, state)
        assert carried(engine, state, expected) == expected


def fits(engine: pg.Engine, state: State, choice: pg.Choice, part: Sequence[int]) -> bool:
    """Tell whether a part of the candidates is within both numbers; one alone always is."""
    well = sum(engine.health(state, slot) in (pg.Health.HEALTHY, pg.Health.INITIALIZING) for slot in part)
    return len(part) == 1 or (len(part) <= choice.at_most and well <= choice.healthy_at_most)


# --- legal and selected ----------------------------------------------------------------------------------------------


@lawful
@given(seed=seeds)
def test_legal_is_closed_under_parts_and_holds_all_that_is_selected(kernel: Any, seed: int) -> None:
    """Any non-empty part within both numbers is admitted, no other is; every pick is such a part of one choice."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS):
        choices = engine.legal(state)
        for choice in choices:
            assert engine.check(state, pg.Batch(choice.set, part_of(chance, engine, state, choice))).admitted
            some = chance.sample(choice.candidates, min(4, len(choice.candidates)))
            parts = [part for size in range(1, len(some) + 1) for part in combinations(some, size)]
            for part in [*parts, choice.candidates]:
                assert engine.check(state, pg.Batch(choice.set, part)).admitted is fits(engine, state, choice, part)
        for batch in engine.select(state):
            within = [
                choice for choice in choices if choice.set == batch.set and {*batch.slots} <= {*choice.candidates}
            ]
            assert [True] == [fits(engine, state, choice, batch.slots) for choice in within]
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state


@lawful
@given(seed=seeds)
def test_every_single_instance_is_legal_or_has_a_reason_against_it(kernel: Any, seed: int) -> None:
    """`check` of one instance admits exactly what `legal` lists."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS // 2):
        listed = {slot for choice in engine.legal(state) for slot in choice.candidates}
        admitted = {
            slot
            for one in engine.fleet.sets
            for slot in engine.members(state, one.full_name)
            if engine.check(state, pg.Batch(one.full_name, [slot])).admitted
        }
        assert listed == admitted
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state


@lawful
@given(seed=seeds)
def test_what_is_selected_may_all_be_started_and_nothing_more(kernel: Any, seed: int) -> None:
    """In its order, in one event; then nothing is selected and nothing is legal."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS):
        after = engine.step(state, pg.Start(engine.select(state), state.now)).state
        assert (engine.select(after), engine.legal(after)) == ((), ())
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state


@lawful
@given(seed=seeds)
def test_who_does_not_start_has_a_reason(kernel: Any, seed: int) -> None:
    """Every pending instance that is not selected has one at least, so has who is left out; the selected none."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS):
        picked = {slot for batch in engine.select(state) for slot in batch.slots}
        for one in engine.fleet.sets:
            slots = engine.members(state, one.full_name)
            for slot, ident in zip(slots, engine.ids(state, slots), strict=True):
                explanation = engine.explain(state, f"{one.full_name}/{ident}")
                assert explanation.selected is (slot in picked)
                waits = explanation.state in (Life.PENDING, Life.CURRENT, Life.EXCLUDED)
                assert bool(explanation.reasons) is (waits and slot not in picked), explanation
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state


# --- purity ----------------------------------------------------------------------------------------------------------


@lawful
@given(seed=seeds)
def test_step_is_a_pure_function(kernel: Any, seed: int) -> None:
    """Equal input gives equal output, on another engine too, and the old state stays as it was."""
    chance, engine, state = told(kernel, seed)
    other = pg.Engine(engine.fleet, engine.policy, kernel=kernel)
    for _ in range(EVENTS // 2):
        event = a_wild_event(chance, engine, state)
        copy, digest = pickle.loads(pickle.dumps(state)), state.digest
        step = tried(engine, state, event)
        if step is None:
            assert tried(other, copy, event) is None
            continue
        again = other.step(copy, event)
        assert (again.state, again.facts) == (step.state, step.facts)
        assert (again.state.digest, hash(again.state)) == (step.state.digest, hash(step.state))
        assert (state.digest, state) == (digest, copy)
        state = step.state


@lawful
@given(seed=seeds)
def test_what_an_engine_answers_does_not_depend_on_what_it_saw_before(kernel: Any, seed: int) -> None:
    """An engine that has followed a story answers like one that is handed its last state."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS):
        fresh = afresh(engine)
        assert engine.next_time(state) == fresh.next_time(state)
        assert engine.select(state) == fresh.select(state)
        assert engine.legal(state) == fresh.legal(state)
        assert engine.outstanding(state) == fresh.outstanding(state)
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state


@lawful
@given(seed=seeds)
def test_old_states_can_be_taken_up_again_in_any_order(kernel: Any, seed: int) -> None:
    """Going back and forth gives the same steps again."""
    chance, engine, state = told(kernel, seed)
    steps = []
    for _ in range(EVENTS // 2):
        event = a_wild_event(chance, engine, state)
        step = tried(engine, state, event)
        if step is not None:
            steps.append((state, event, step.state.digest, engine.select(step.state)))
            state = step.state
    chance.shuffle(steps)
    for before, event, digest, picks in steps:
        after = engine.step(before, event).state
        assert (after.digest, engine.select(after)) == (digest, picks)


@lawful
@given(seed=seeds)
def test_a_refused_batch_leaves_nothing_moved(kernel: Any, seed: int) -> None:
    """Good batches before a bad one in the same event are taken back, and the engine goes on as if it had not been."""
    chance, engine, state = told(kernel, seed)
    for _ in range(EVENTS // 2):
        picks = engine.select(state)
        if picks:
            with pytest.raises(pg.IllegalTransition):
                engine.step(state, pg.Start((*picks, picks[0]), state.now))
            fresh = afresh(engine)
            assert (engine.select(state), engine.legal(state)) == (picks, fresh.legal(state))
            event = pg.Start(picks[:1], state.now)
            assert engine.step(state, event).state == fresh.step(state, event).state
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state


TELL = """
from random import Random
from test_laws import EVENTS, a_wild_event, told, tried
from phasegate.core.kernels import default_kernel
for seed in range(20):
    chance, engine, state = told(default_kernel(), seed)
    for _ in range(EVENTS):
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state
    print(state.digest, engine.legal(state), engine.select(state), engine.progress(state))
"""


def test_nothing_depends_on_the_hash_seed() -> None:
    """The same wild stories in two processes end in the same states, with everything in the same order."""
    here = Path(__file__).parent
    told_in = [
        subprocess.run(
            [sys.executable, "-c", TELL],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told_in[0] == told_in[1]
    assert len(told_in[0].splitlines()) == 20


# --- section 11 ------------------------------------------------------------------------------------------------------


@define
class Witness:
    """Follows a story from outside, and holds every promise of section 11 against it."""

    engine: pg.Engine
    entered: dict[int, int] = field(factory=dict)  # slot -> since when it is verifying
    kept: dict[int, str | None] = field(factory=dict)  # slot -> version when its batch started
    succeeded: set[tuple[int, int]] = field(factory=set)
    over: set[tuple[int, str]] = field(factory=set)
    manual: dict[int, bool] = field(factory=dict)
    targets: dict[int, str] = field(factory=dict)

    def see(self, before: State, event: Any, step: pg.Step) -> None:
        """Judge one step, and the state that it led to."""
        for fact in step.facts:
            if isinstance(fact, RolloutStarted):
                self.manual[fact.rollout] = bool(event.sets)
                self.targets[fact.rollout] = fact.target
            elif isinstance(fact, BatchStarted):
                self.begins(before, event, fact)
            elif isinstance(fact, PhaseEnded) and fact.succeeded:
                self.succeeded.add((fact.rollout, fact.phase))
            elif isinstance(fact, AttemptEnded):
                self.over.add((fact.rollout, fact.set))
            elif isinstance(fact, Became):
                self.becomes(event, step.state, fact)
            elif isinstance(fact, pg.Commands):
                self.is_commanded(fact)
        self.stands(step.state)

    def begins(self, before: State, event: Any, fact: BatchStarted) -> None:
        """Promises 3, 4, 5, 6 and 9, at the start of a batch."""
        engine = self.engine
        index = engine.compiled.directory.set_number[fact.set]
        assert isinstance(event, pg.Start)
        assert (fact.rollout, fact.set) not in self.over
        report = engine.progress(before)["rollouts"][fact.rollout]
        region = fact.set.split("/")[0]
        if report["phases"] is not None:
            phase = next(at for at, regions in enumerate(report["phases"]) if region in regions)
            assert all((fact.rollout, at) in self.succeeded for at in range(phase))
        col = Columns(before)
        percent = col["percent"][index * c.PERCENT : index * c.PERCENT + 3]
        members = engine.members(before, fact.set)
        bad = [slot for slot in members if engine.health(before, slot) in (pg.Health.UNHEALTHY, pg.Health.UNKNOWN)]
        total = len(members)
        assert 100 * len(bad) <= percent[1] * total
        lives = [engine.life(before, slot) for slot in members]
        assert not {*lives} & {*IN_FLIGHT}
        cap = max(1, min(total * percent[0] // 100, total - 1))
        assert len(fact.slots) <= cap
        if engine.compiled.rules.unhealthy_shrinks_batch:
            well = [slot for slot in fact.slots if slot not in bad]
            assert len(fact.slots) == 1 or len(well) <= max(0, cap - len(bad))
        is_crossing = col["option"][index] & c.CROSS_ZONE
        assert is_crossing or len({engine.cell_of(before, slot) for slot in fact.slots}) == 1
        assert len({engine.upgrade_domain_of(before, slot) for slot in fact.slots}) == 1
        ended = [
            slot
            for slot, life in zip(members, lives, strict=True)
            if life in (Life.RESTORED, Life.FAILED, Life.UPGRADED)
        ]
        worse = [s for s in ended if engine.life(before, s) is not Life.UPGRADED or s in bad]
        of = total if engine.compiled.rules.unhealthy_upgraded_of == "set" else len(ended)
        assert 100 * len(worse) <= percent[2] * of
        for slot in fact.slots:
            version = engine.version(before, slot)
            assert engine.life(before, slot) is Life.PENDING
            is_broken = col["flag"][slot] & c.BROKEN
            target = self.targets[fact.rollout]
            assert version is None or is_broken or version_key(version) < version_key(target)
            assert not col["flag"][slot] & c.PROTECTED
            self.kept[slot] = version

    def becomes(self, event: Any, state: State, fact: Became) -> None:
        """Promise 7: a healthy report, observed after the swap, within the deadline."""
        timeout = self.engine.compiled.rules.health_timeout_ms
        for slot in fact.slots:
            if fact.state is Life.VERIFYING:
                self.entered[slot] = state.now
            elif fact.state is Life.UPGRADED:
                assert isinstance(event, pg.Signals)
                heard = [
                    observed
                    for of, what, observed in zip(event.slots, event.what, event.observed_at, strict=True)
                    if of == slot and what == What.HEALTHY
                ]
                assert any(self.entered[slot] <= observed <= self.entered[slot] + timeout for observed in heard)
                assert state.now <= self.entered[slot] + timeout

    def is_commanded(self, command: pg.Commands) -> None:
        """Promises 8, 10 and 12: the own version back, no restore by hand, no other version."""
        if command.do is Do.RESTORE:
            assert not self.manual[command.rollout]
            assert {self.kept[slot] or "" for slot in command.slots} == {command.version}
        else:
            assert command.version == self.targets[command.rollout]
            assert {*command.slots} <= {*self.kept}

    def stands(self, state: State) -> None:
        """Promises 1, 2, 4 and 11, and the limits of groups, in a state."""
        engine, col = self.engine, Columns(state)
        directory, topology = engine.compiled.directory, engine.topology
        progress = engine.progress(state)
        at_work = {
            entry["name"].split("/")[0]
            for report in progress["rollouts"]
            for entry in report["sets"]
            if entry["status"] == "rolling-forward"
        }
        assert not any(topology.pairs.has_edge(one, other) for one in at_work for other in at_work)
        busy = set()
        flying: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for s, name in enumerate(directory.sets):
            held = col["link"][s * c.LINK + c.LINK_HOLD]
            held_cell = None if held < 0 else directory.cells[held]
            busy |= {held_cell} - {None}
            members = engine.members(state, name)
            flies = [slot for slot in members if col["life"][slot] & c.STATE_BITS in IN_FLIGHT]
            flying[name], sizes[name] = len(flies), len(members)
            if not col["option"][s] & c.CROSS_ZONE:
                assert {engine.cell_of(state, slot) for slot in flies} <= {held_cell}
            assert len({engine.upgrade_domain_of(state, slot) for slot in flies}) <= 1
        assert not any(topology.graph.has_edge(one, other) for one in busy for other in busy)
        for group in engine.compiled.rules.groups:
            if group.counts == "cells":
                assert len(busy & {*group.members}) <= group.limit
            elif group.counts == "instances":
                assert sum(flying[name] for name in group.members) <= group.limit
        for report in progress["rollouts"]:
            for entry in report["sets"]:
                assert sum(entry["progress"].values()) == sizes[entry["name"]]
                assert min(entry["progress"].values()) >= 0


@settings(lawful, max_examples=150)
@given(seed=seeds)
def test_whatever_happens_the_promises_hold(kernel: Any, seed: int) -> None:
    """Section 11, 1 to 12, recomputed from outside after every step of a wild story."""
    chance, engine, state = told(kernel, seed)
    witness = Witness(engine)
    witness.manual[0], witness.targets[0] = False, engine.progress(state)["rollouts"][0]["target"]
    for phase in [at for at in range(9) if at < (engine.progress(state)["rollouts"][0]["phase"] or 0)]:
        witness.succeeded.add((0, phase))
    for _ in range(2 * EVENTS):
        event = a_wild_event(chance, engine, state)
        step = tried(engine, state, event)
        if step is not None:
            witness.see(state, event, step)
            state = step.state


@lawful
@given(seed=seeds)
def test_every_rollout_ends(kernel: Any, seed: int) -> None:
    """From any state, once pauses are resumed and commands are answered; and nothing is left behind."""
    chance, engine, state = told(kernel, seed, is_moody=False)
    for _ in range(EVENTS // 2):
        step = tried(engine, state, a_wild_event(chance, engine, state))
        state = state if step is None else step.state
    story = Story(engine, state)
    story.on(pg.Resume(state.now))
    drive(story, lambda name: crc32(f"{seed}{name}".encode()) % 4 > 0, rounds=3000)
    running = [report for report in engine.progress(story.state)["rollouts"] if report["status"] == "running"]
    assert (running, story.in_flight(), engine.next_time(story.state)) == ([], [], None)
    counts = recount(engine, story.state)
    assert (sum(counts["holds"]), sum(counts["working"]), sum(counts["used"])) == (0, 0, 0)


@lawful
@given(seed=seeds)
def test_in_a_healthy_environment_every_eligible_instance_is_upgraded(kernel: Any, seed: int) -> None:
    """Whatever the fleet and the policy, if nothing is unhealthy at the beginning."""
    chance = Random(seed)
    engine = pg.Engine(a_wild_fleet(chance), a_wild_policy(chance), kernel=kernel)
    story = Story(engine, engine.initial(0))
    story.healthy(*story.names(), now=1)
    story.roll_out()
    eligible = [
        name
        for entry in story.rollout()["sets"]
        for name in story.names(entry["name"])
        if story.life(name) is Life.PENDING
    ]
    drive(story)
    assert {name: story.life(name).word for name in eligible} == dict.fromkeys(eligible, "upgraded")
    assert story.status() == "completed"
