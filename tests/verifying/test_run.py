"""Running a verification: verdicts, bounds, orders, symmetry, and somebody's own promises."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from scenes import LIBRARY, ONE, scene

import phasegate as pg
from phasegate.core.exploring.acts import Freedom
from phasegate.core.twin import Kernel
from phasegate.logs.replay import replay
from phasegate.verifying import explorers
from phasegate.verifying.promise import Custom, always, eventually, sometimes
from phasegate.verifying.result import Bounds, Progress
from phasegate.verifying.run import verify
from phasegate.verifying.scenario import Count, Expected, Scenario
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.view import StateView
from phasegate.verifying.walks import Walker

ALIKE = """fleet:
  regions: [{name: eastus}, {name: northus}]
  images:
    - {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS, versions: [{version: "1.0"}, {version: "2.0"}]}
  sets:
    - &web
      name: web
      region: eastus
      upgrade_domains: 1
      image: {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS}
      instances: 1
    - {<<: *web, region: northus}
  phases: [[eastus, northus]]
"""


def library(name: str) -> Scenario:
    """Return a scenario of the library."""
    return load_scenario(LIBRARY / f"{name}.yaml")


@always(reads=("restored",))
def nothing_is_restored(state: StateView) -> bool:
    """Nothing is ever restored."""
    return bool(state.restored == 0)


@eventually(reads=("upgraded",))
def all_are_upgraded(state: StateView) -> bool:
    """All three are upgraded in the end."""
    return bool(state.upgraded == 3)


@sometimes(reads="failed")
def two_fail(state: StateView) -> bool:
    """Two fail."""
    return bool(state.failed == 2)


# --- verdicts --------------------------------------------------------------------------------------------------------


def test_a_scenario_holds(kernel: Any) -> None:
    """Everything was explored and nothing is broken: that is said with what was covered."""
    result = verify(library("set_of_three"), kernel=kernel)
    assert (True, None, None, (), kernel.is_compiled) == (
        result.holds,
        result.broken,
        result.trace,
        result.disagreements,
        result.is_compiled,
    )
    assert {"start", "answer", "deadline"} <= result.coverage.acts.keys()
    assert "verifying -> upgraded (healthy)" in result.coverage.rows
    assert "batch-in-flight" in result.coverage.reasons


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (Bounds(states=50, memory=2**70), "bound"),  # more than there can be is none
        (Bounds(seconds=0.0), "time"),
        (Bounds(memory=1), "memory"),
    ],
)
def test_a_bound_ends_a_run_with_what_it_covered(kernel: Any, bounds: Bounds, reason: str) -> None:
    """The verdict is undetermined, with the reason; what is expected of the whole is not asked."""
    result = verify(library("cross_zone"), kernel=kernel, bounds=bounds)
    assert ("undetermined", reason, ()) == (result.verdict, result.reason, result.disagreements)
    assert result.progress.states < 4240


@pytest.mark.parametrize("states", [1, 2, 60, 1000])
def test_a_run_ends_at_so_many_states(kernel: Any, states: int) -> None:
    """The last state that is expanded may lead to several; nothing more is looked at than that, the first time too."""
    found = verify(library("cross_zone"), kernel=kernel, bounds=Bounds(states=states)).progress
    assert states <= found.states < states + 16
    assert (found.depth == 0) == (states < 3)


def test_a_failed_step_and_a_passed_deadline_are_two_rows(kernel: Any) -> None:
    """They lead to the same state of a life, and each must have been there."""
    scenario = library("set_of_one")
    rows = verify(scenario, kernel=kernel).coverage.rows
    assert {"replacing -> restoring (step-failed)", "replacing -> restoring (deadline-passed)"} < rows.keys()
    cut = verify(scenario, kernel=kernel, bounds=Bounds(states=3)).coverage
    assert "row verifying -> restoring (deadline-passed)" in cut.missing
    fails = evolve(scenario, freedom=Freedom(failed_steps=1, lost_reports=0))
    cut = verify(fails, kernel=kernel, bounds=Bounds(states=3)).coverage
    assert "row configuring -> restoring (step-failed)" in cut.missing
    assert not any("deadline" in name for name in (*cut.missing, *cut.rows))


def test_somebody_can_end_a_run() -> None:
    """`stop` is asked between any two pieces of work, and `progress` told."""
    told: list[Progress] = []
    result = verify(library("cross_zone"), kernel="twin", stop=lambda: len(told) > 1, progress=told.append)
    assert ("undetermined", "interrupted", 2) == (result.verdict, result.reason, len(told))
    assert 0 < told[0].states < told[1].states
    assert told[1].rate > 0.0
    assert 0.0 == evolve(told[0], seconds=0.0).rate


def test_runs_without_an_end_are_looked_for() -> None:
    """Where a window opens and closes again, ends alone say nothing of the runs that have none."""
    assert 0 < verify(library("windows")).rising
    asked = eventually(reads=("rollouts",), name="ends")(lambda state: state.rollouts[0] != "running")
    assert verify(library("windows"), promises=[asked]).holds


def test_what_is_not_as_expected_is_said_with_both() -> None:
    """Verdict, promise, states, transitions and depth, with symmetry and without."""
    scenario = library("set_of_two")
    wrong = evolve(scenario, expect=Expected(verdict="violated", states=1, symmetric=Count(2, 3, 4)))
    found = [what for what, _, _ in verify(wrong).disagreements]
    assert ["verdict", "symmetric.states", "symmetric.transitions", "symmetric.depth"] == found
    assert ["verdict", "states"] == [what for what, _, _ in verify(wrong, symmetry=False).disagreements]
    assert [("verdict", "violated", "holds")] == list(verify(wrong, order="depth").disagreements)
    promised = evolve(scenario, expect=Expected(verdict="violated", promise="another"))
    result = verify(promised, promises=[nothing_is_restored])
    assert (("promise", "another", "nothing_is_restored"),) == result.disagreements


# --- orders ----------------------------------------------------------------------------------------------------------


def test_depth_first_finds_the_same_states(kernel: Any) -> None:
    """The order changes nothing of what there is."""
    breadth, depth = (
        verify(library("pair_between_zones"), kernel=kernel, order=order) for order in ("breadth", "depth")
    )
    assert (breadth.progress.states, breadth.progress.transitions) == (
        depth.progress.states,
        depth.progress.transitions,
    )


def test_random_walks_never_hold(kernel: Any) -> None:
    """They are a sample: equal seeds take equal ways, and without a violation nothing is said."""
    results = [
        verify(library("set_of_two"), kernel=kernel, order="random", seed=seed, bounds=Bounds(states=60))
        for seed in (1, 1)
    ]
    assert ["undetermined"] * 2 == [result.verdict for result in results]
    assert results[0].coverage == results[1].coverage
    assert 60 <= results[0].progress.states
    assert {"start", "answer"} <= results[0].coverage.acts.keys()


def test_random_walks_find_what_is_broken(kernel: Any) -> None:
    """A promise that is broken on a walk is told like any other; one that is shown is remembered."""
    result = verify(
        library("set_of_two"),
        promises=[nothing_is_restored, two_fail],
        kernel=kernel,
        order="random",
        bounds=Bounds(seconds=60.0),
    )
    assert ("violated", "nothing_is_restored") == (result.verdict, result.broken and result.broken.name)
    assert result.trace is not None
    assert replay(result.trace.lines).is_same


class NoGate(Kernel):
    """Bad ones after their upgrade stop nothing."""

    def upgraded_gate_broken(self, s: int) -> bool:
        """Never say so."""
        return False


def test_random_walks_find_a_bent_rule() -> None:
    """A built-in promise is broken on a walk too, and its trace ends with the act that breaks it."""
    result = verify(library("set_of_three"), kernel=NoGate, order="random", bounds=Bounds(seconds=60.0))
    assert ("violated", "not-after-the-end") == (result.verdict, result.broken and result.broken.name)
    assert result.trace is not None
    assert "turned out bad" in result.trace.evidence


def test_a_walk_that_does_not_end_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many steps the next walk begins."""
    monkeypatch.setattr("phasegate.verifying.walks.STEPS_MAX", 3)
    result = verify(library("set_of_one"), order="random", bounds=Bounds(states=6))
    assert 3 >= result.progress.depth


def test_a_walk_can_be_asked_like_an_explorer() -> None:
    """What is left, what has happened, and what is possible belong to the state that is laid open."""
    left = always(reads=("left", "happened"), name="left")(
        lambda state: state.left["crashes"] == 0 and len(state.happened) < 3
    )
    result = verify(library("protection"), promises=[left], order="random", bounds=Bounds(states=40))
    assert ("undetermined", "bound") == (result.verdict, result.reason)
    few = verify(library("protection"), order="random", bounds=Bounds(memory=4096))
    assert ("undetermined", "memory") == (few.verdict, few.reason)
    explorer = explorers.made(library("set_of_one").subject(), is_symmetric=False, order="random", memory_max=None)
    walker = Walker(explorer, 0)
    assert explorer.successors(explorer.first) == walker.successors(walker.first)


# --- somebody's own promises -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("promise", [nothing_is_restored, all_are_upgraded])
def test_a_promise_of_ones_own_is_broken(kernel: Any, promise: Custom) -> None:
    """The nearest state, or a run that ends without, is told as a story; its log replays."""
    result = verify(library("set_of_three"), promises=[promise], kernel=kernel)
    assert ("violated", promise.name, None) == (
        result.verdict,
        result.broken and result.broken.name,
        result.broken and result.broken.number,
    )
    assert result.trace is not None
    assert replay(result.trace.lines).is_same
    last = result.trace.steps[-1].state
    lives = [result.trace.engine.life(last, slot).word for slot in range(3)]
    assert promise is all_are_upgraded or "restored" in lives
    assert lives.count("upgraded") < 3


def test_the_nearest_state_is_told() -> None:
    """Breadth first, no way to a broken promise is shorter: start, deadline, restored."""
    result = verify(library("set_of_three"), promises=[nothing_is_restored])
    assert result.trace is not None
    assert ["start", "fail", "answer"] == [step.act.word for step in result.trace.steps]


def test_promises_of_ones_own_hold() -> None:
    """What holds everywhere is asked once for each combination of what it reads."""
    few = always(reads=("failed", "restored"), name="few")(lambda state: state.failed + state.restored <= 2)
    ends = eventually(reads=("rollouts",), name="ends")(lambda state: state.rollouts[0] != "running")
    one = sometimes(reads="restored", name="one")(lambda state: state.restored == 1)
    result = verify(library("set_of_three"), promises=[few, ends, one])
    assert ("holds", 3) == (result.verdict, len(result.asked))
    assert result.asked[0].calls < 10
    assert () == result.asked[0].undeclared


def test_acts_that_change_nothing_are_no_end() -> None:
    """Late reports may come any number of times; no run ends by them, and every one comes by the predicate."""
    ends = eventually(reads=("rollouts",), name="ends")(lambda state: state.rollouts[0] != "running")
    late = scene("environment: {late_reports: any, lost_reports: 0}\npolicy: {delays: false}\n", ONE)
    assert verify(late, promises=[ends]).holds


def test_what_no_state_shows_is_said() -> None:
    """`sometimes` that is never so is a broken promise without a way to show."""
    result = verify(library("set_of_three"), promises=[two_fail])
    assert ("violated", "no state shows `two_fail`", None) == (result.verdict, result.reason, result.trace)
    missed = evolve(library("set_of_three"), sometimes=("paused",))
    assert "no state shows `paused`" == verify(missed).reason


def test_reading_who_is_who_leaves_the_symmetry_out() -> None:
    """Declared at once, undeclared as soon as it is noticed; then the field is known, and the report says so."""

    @always(reads=("life",))
    def declared(state: StateView) -> bool:
        return bool(state.life["eastus/web/0"] != "nothing")

    @always()
    def undeclared(state: StateView) -> bool:
        return bool(state.life["eastus/web/0"] != "nothing")

    scenario = library("set_of_three")
    for promise, fields in ((declared, ()), (undeclared, ("life",))):
        result = verify(scenario, promises=[promise])
        assert (True, False, scenario.expect.states) == (result.holds, result.is_symmetric, result.progress.states)
        assert fields == result.asked[0].undeclared


def test_the_explorer_asks_by_itself_where_columns_tell(kernel: Any) -> None:
    """A field that was not declared is noticed there too; what goes by books and budgets is asked from outside."""

    @always(reads=("failed",))
    def widened(state: StateView) -> bool:
        return bool(state.failed + state.restored < 2)

    @always(reads=("failed", "left"))
    def outside(state: StateView) -> bool:
        return bool(state.failed + state.left["failed_steps"] < 2)

    @always(reads=("failed",))
    def later(state: StateView) -> bool:
        return bool(state.failed == 0 and state.restored == 0)

    @always(reads=("upgraded",))
    def branching(state: StateView) -> bool:
        return bool(state.upgraded < 1 or state.pending < 3)

    assert "violated" == verify(library("set_of_three"), promises=[later], kernel=kernel).verdict
    assert ("pending",) == verify(library("set_of_three"), promises=[branching], kernel=kernel).asked[0].undeclared
    result = verify(library("set_of_three"), promises=[widened, outside], kernel=kernel)
    assert (True, [("restored",), ()]) == (result.holds, [one.undeclared for one in result.asked])
    assert result.is_symmetric
    lost = always(reads=("left",), name="lost")(lambda state: state.left["failed_steps"] > 0)
    broken = verify(library("set_of_three"), promises=[lost], kernel=kernel)
    assert broken.trace is not None
    assert 2 == len(broken.trace.steps)


def test_a_promise_about_sets_or_cells_leaves_out_what_moves_them() -> None:
    """Sets that are alike and zones are told apart where a promise names them, and only there."""
    busy = always(reads=("busy",), name="busy")(lambda state: len(state.busy) < 3)
    counts = always(reads=("counts",), name="counts")(lambda state: len(state.counts) > 0)
    assert not verify(library("zones_and_loners"), promises=[busy]).is_symmetric
    assert verify(library("set_of_three"), promises=[busy, counts]).is_symmetric
    alike = scene("policy: {delays: false}\n", ALIKE)
    assert 2 == verify(alike).symmetries
    assert not verify(alike, promises=[counts]).is_symmetric


def test_the_package_offers_it() -> None:
    """`phasegate.verify`, its promises and its scenarios are names of the package."""
    scenario = pg.load_scenario(LIBRARY / "set_of_one.yaml")
    mine = pg.always(reads=("total",))(lambda state: state.total == 1)
    assert pg.verify(scenario, promises=[mine]).holds
    assert pg.sometimes is sometimes
    assert pg.eventually is eventually


# --- explorers -------------------------------------------------------------------------------------------------------


def test_the_explorer_goes_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled one on the compiled kernel where it was built, else the twin."""
    twin = scene().subject(Kernel).engine
    assert not explorers.explorer_class(twin).is_compiled

    class Compiled:
        is_compiled = True

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(explorers, "import_module", missing)
    assert not explorers.explorer_class(Compiled).is_compiled  # type: ignore[arg-type]
