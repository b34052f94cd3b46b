"""Traces: every act becomes an event of the engine, and both sides come to the same state."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from scenes import EVENTS, FLEET, LIBRARY, SPARES, scene

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.subject import NOW
from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.core.lifecycle import Happening, Life
from phasegate.core.model import Health
from phasegate.core.twin import Kernel
from phasegate.files.documents import InvalidFile
from phasegate.logs.replay import replay, state_at
from phasegate.verifying import trace as tracing
from phasegate.verifying.explorers import Explorer, made
from phasegate.verifying.retracing import Divergence, breaking_act, keys_to, on_the_fleet, plain
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.story import story
from phasegate.verifying.trace import STEP_MS, Teller, traced

EVERYTHING = """environment:
  failed_steps: 1
  lost_reports: 1
  health_flips: 1
  stale_reports: 1
  late_reports: 1
  duplicate_reports: 1
  maintenances: 1
  scale_ins: 1
  scale_outs: 1
  pauses: 1
  cancels: 1
  crashes: 1
policy: {pause_between_batches_ms: 1, phase_bake_ms: 1, max_unhealthy_percent: 100}
"""


def explored(text: str, kernel: Any, states: int = 400, *, is_symmetric: bool = True) -> Explorer:
    """Return an explorer that has expanded so many states."""
    explorer = made(scene(text).subject(kernel), is_symmetric=is_symmetric, order="breadth", memory_max=None)
    explorer.run(states)
    return explorer


def wandered(text: str, kernel: Any, seed: int, steps: int = 40) -> Iterator[tuple[Twin, list[Any]]]:
    """Yield a plain explorer of a scenario, and the keys of a random run through it."""
    twin = Twin(scene(text).subject(kernel), is_symmetric=False)
    twin.open.settle_times()
    real, key, keys, chance = twin.saved(), twin.first, [], Random(seed)
    for _ in range(steps):
        successors = [one for one in twin.successors(key) if one.key != key]
        if not successors:
            break
        acts = sorted({one.move[0] for one in successors})
        act = chance.choice(acts)  # each kind as likely as any, however many acts there are of it
        key = chance.choice([one.key for one in successors if one.move[0] == act])
        keys.append(key)
    twin.restore(real)
    yield twin, keys


@pytest.mark.untraced
@pytest.mark.parametrize("symmetry", [True, False])
def test_every_state_of_a_scenario_can_be_told(kernel: Any, symmetry: bool) -> None:
    """The trace to each state replays to the same lines, and `explain` can be asked at its end."""
    explorer = explored("environment: {faults: 1}\n", kernel, 10_000, is_symmetric=symmetry)
    for number in range(0, explorer.states, 5):
        told = traced(explorer, number)
        assert replay(told.lines).is_same
        engine, state = state_at(told.lines)
        assert told.steps == () or told.steps[-1].state == state
        assert engine.explain(state, "eastus/web/0").instance == "eastus/web/0"


@pytest.mark.parametrize("seed", range(12))
def test_every_kind_of_act_is_told_alike(kernel: Any, seed: int) -> None:
    """Random runs through everything that may happen are the same to the engine, and have their words."""
    for twin, keys in wandered(EVERYTHING + SPARES + EVENTS, kernel, seed):
        told = tracing.told(twin, keys, 0, None)
        assert len(keys) == len(told.steps)
        assert replay(told.lines).is_same
        assert all(sentence.did for sentence in story(told))


def test_the_runs_together_show_every_kind_of_act() -> None:
    """Else the test above says less than it seems to."""
    seen: set[Act] = set()
    for seed in range(12):
        for twin, keys in wandered(EVERYTHING + SPARES + EVENTS, Kernel, seed):
            seen |= {step.act for step in tracing.told(twin, keys, 0, None).steps}
    more = [explored("environment: {late_reports: 1, duplicate_reports: 1, cancels: 1}\n", Kernel, 60)]
    seen |= {Act(act) for explorer in more for act in explorer.taken}
    assert set() == {*Act} - seen - {Act.STOP}


def test_reports_that_move_nothing_are_told_too(kernel: Any) -> None:
    """Late, duplicate and stale reports are signals that the engine ignores, a crash is a remark."""
    twin = Twin(scene(EVERYTHING).subject(kernel), is_symmetric=False)
    twin.open.settle_times()
    teller = Teller(twin, twin.subject.engine)
    teller.begin(twin.subject)
    for act in (
        Act.DELAY,
        Act.WINDOW,
        Act.START,
        Act.LATE,
        Act.DUPLICATE,
        Act.ISSUE,
        Act.EXECUTE,
        Act.ANSWER,
        Act.STALE,
        Act.CRASH,
    ):
        found = [move for move in twin.moves() if move[0] == act]
        if act is Act.CRASH:
            teller.tell(next(move for move in twin.moves() if move[0] == Act.ISSUE))
            found = [move for move in twin.moves() if move[0] == act]
        teller.tell(found[0])
    teller.end()
    lines = [msgspec.json.decode(line) for line in teller.lines]
    assert 6 + 2 + 1 == sum(line["kind"] == "ignored" for line in lines)
    assert {"late", "duplicate", "stale"} == {line["why"] for line in lines if line["kind"] == "ignored"}
    assert "crash" == [line["act"] for line in lines if line["kind"] == "act"][-1]
    assert replay(teller.lines).is_same


def test_stop_is_one_event(kernel: Any) -> None:
    """The andon cord is told as a cancel of every rollout."""
    subject = load_scenario(LIBRARY / "stop.yaml").subject(kernel)
    explorer = made(subject, is_symmetric=True, order="breadth", memory_max=None)
    explorer.run(1)
    number = next(n for n in range(explorer.states) if explorer.trace(n) and explorer.trace(n)[0][0] == Act.STOP)
    assert ["stop every rollout"] == [sentence.did for sentence in story(traced(explorer, number))]


def test_times_rise_step_by_step(kernel: Any) -> None:
    """Each act has a time of its own, so that `explain --at` can be asked between any two."""
    told = traced(explored("", kernel), 40)
    times = [msgspec.json.decode(line)["t"] for line in told.lines]
    assert sorted(times) == times
    assert NOW + STEP_MS * len(told.steps) == times[-1]


def test_a_fault_of_the_engine_is_not_told_as_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised as it is where no promise is broken."""
    twin = Twin(scene().subject(Kernel), is_symmetric=False)
    twin.open.settle_times()
    teller = Teller(twin, twin.subject.engine)
    teller.begin(twin.subject)

    def out_of_order(*_: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(twin.subject.engine, "step", out_of_order)
    with pytest.raises(ZeroDivisionError, match="a fault"):
        teller.tell(next(iter(move for move in twin.moves() if move[0] == Act.DELAY)))


def test_a_difference_is_a_fault_of_the_program() -> None:
    """Where the engine comes to another state than the explorer, that is said with both."""
    twin = Twin(scene().subject(Kernel), is_symmetric=False)
    twin.open.settle_times()
    teller = Teller(twin, twin.subject.engine)
    teller.begin(twin.subject)
    twin.v.version[0] = 2
    with pytest.raises(Divergence, match=r"step 1, delay: eastus/web/0 is .* to the engine, and .* to the explorer"):
        teller.tell(next(iter(move for move in twin.moves() if move[0] == Act.DELAY)))


def test_a_way_that_there_is_not_is_refused() -> None:
    """Keys that no act leads to, acts that are not possible, a promise that nothing breaks."""
    explorer = explored("events: [{rollout: {image: corp/web}}]\n", Kernel)
    twin = plain(explorer)
    with pytest.raises(Divergence, match="no act leads to the next state"):
        on_the_fleet(twin, [("nowhere",)])
    with pytest.raises(Divergence, match="is not possible"):
        keys_to(plain(explorer), [(Act.ORDER, 0, 0, 0)])
    with pytest.raises(Divergence, match="no act breaks promise 1"):
        breaking_act(plain(explorer), 1)
    again = plain(explorer)
    teller = Teller(again, again.subject.engine)
    teller.begin(again.subject)
    with pytest.raises(Divergence, match=r"step 1: the engine refuses to order: .* no version yet that counts"):
        teller.tell((Act.ORDER, 0, 0, 0))
    short = explored("", Kernel)
    short.trace = lambda number: []  # type: ignore[method-assign]
    with pytest.raises(Divergence, match="0 acts were found of a path to state 9 that is longer"):
        traced(short, 9)


def test_a_changed_timer_is_no_log(kernel: Any) -> None:
    """A timer that there is not is refused with its line, another one differs."""
    told = traced(explored("", kernel), 9)
    number = next(at for at, line in enumerate(told.lines) if b'"kind":"elapsed"' in line)
    for what, raises in (("x", True), ("pause", False)):
        line = msgspec.json.decode(told.lines[number]) | {"what": what}
        lines = [*told.lines[:number], msgspec.json.encode(line) + b"\n", *told.lines[number + 1 :]]
        if raises:
            with pytest.raises(InvalidFile, match=rf"`x` is no timer of a log \(log: line {number + 1}\)"):
                replay(lines)
        else:
            assert not replay(lines).is_same


def test_a_log_holds_the_fleet_as_it_was_explored(kernel: Any) -> None:
    """The header says fleet and policy with their times replaced, the end what is broken."""
    told = traced(explored("", kernel), 3, of=None, name="mine", sentence="x")
    first, last = msgspec.json.decode(told.lines[0]), msgspec.json.decode(told.lines[-2])
    assert (NOW, "log", 86_400_000) == (first["t"], first["kind"], first["policy"]["health_timeout_ms"])
    assert ("violated", "mine", "") == (last["kind"], last["name"], last["evidence"])
    assert FLEET.count("- name:") == len(first["fleet"]["sets"])


class Unspeakable(Kernel):
    """A kernel that leads whoever fails nowhere, for a cause that there is no word for."""

    def happen(self, happening: int, slot: int, cause: int) -> None:
        """Let all else be."""
        if happening == Happening.STEP_FAILED:
            self.put(slot, Life.EXCLUDED, Health.HEALTHY)
            self.record_slot(c.T_BECAME, self.v.set_of(slot), Life.EXCLUDED, 99, slot)
        else:
            super().happen(happening, slot, cause)


def test_what_the_engine_has_no_word_for_is_told_as_what_it_refuses() -> None:
    """The step that breaks a promise is the last of the story, whatever the engine makes of it."""
    result = verify(load_scenario(LIBRARY / "rollback.yaml"), kernel=Unspeakable)
    assert ("violated", "lives-as-written") == (result.verdict, result.broken and result.broken.name)
    assert result.trace is not None
    assert "KeyError: 99" == result.trace.steps[-1].refused
