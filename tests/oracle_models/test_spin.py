"""SPIN, on a model of the rules that shares nothing with the engine, finds the very numbers that the explorer finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from phasegate.core.twin import Kernel as Twin
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import load_scenario

from .checkers import build_spin, shortest, spin
from .conftest import explored
from .defects import DEFECTS, Defect
from .promela import promela
from .scenarios import SCENARIOS, batches_and_gates, reports_out_of_order
from .shape import Shape, Unmodelled

pytestmark = pytest.mark.untraced

LIBRARY = Path(__file__).parents[1] / "scenarios"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_spin_finds_as_many_states_and_transitions(scenario: Callable[[], Scenario], tmp_path: Path) -> None:
    """Without symmetry, distinct states and transitions agree exactly, and no promise is broken in either."""
    build_spin(promela(Shape.of(scenario())), tmp_path, defines=("PROMISES", "PACKED"))
    theirs, ours = spin(tmp_path), explored(scenario())
    assert (theirs.states, theirs.transitions) == (ours.states, ours.transitions)
    assert (theirs.violated, ours.violation) == (False, None)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["pairs", "pair_chain", "own_conflicts", "group_of_instances", "zones_and_loners"])
def test_spin_finds_as_many_in_the_library(name: str, tmp_path: Path) -> None:
    """The same for scenarios of the library about places that sets keep from one another."""
    scenario = load_scenario(LIBRARY / f"{name}.yaml")
    build_spin(promela(Shape.of(scenario)), tmp_path, defines=("PROMISES", "PACKED"))
    theirs, ours = spin(tmp_path), explored(scenario)
    assert (theirs.states, theirs.transitions) == (ours.states, ours.transitions)
    assert (theirs.violated, ours.violation) == (False, None)


@pytest.mark.usefixtures("installed")
def test_how_the_model_is_packed_changes_nothing(tmp_path: Path) -> None:
    """A byte for each of life, health and disk, or one for all three: the states are the same."""
    build_spin(promela(Shape.of(reports_out_of_order())), tmp_path)
    plain, ours = spin(tmp_path), explored(reports_out_of_order())
    assert (plain.states, plain.transitions) == (ours.states, ours.transitions)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_bent_rule_breaks_a_promise_in_both_equally_soon(
    defect: Defect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each seeded defect is found by both, by a shortest way of the same length."""
    theirs = shortest(promela(Shape.of(defect.scenario())), tmp_path, defect.name)
    defect.bend(monkeypatch)
    ours = explored(defect.scenario(), kernel=Twin)
    assert ours.violation is not None
    acts = len(ours.path(ours.violation.state)) - 1 + (ours.violation.move is not None)
    assert (defect.promise, defect.acts, defect.acts) == (ours.violation.promise, acts, len(theirs)), theirs


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_as_it_is_the_rule_breaks_nothing(defect: Defect, tmp_path: Path) -> None:
    """Where a bent rule breaks a promise, the rule as it is breaks none, in the model and in the engine."""
    assert [] == shortest(promela(Shape.of(defect.scenario())), tmp_path, "UNBENT")
    assert explored(defect.scenario(), kernel=Twin).violation is None


def test_what_the_models_have_no_rules_for_is_refused() -> None:
    """A scenario in which the engine selects is not compared as if anything legal were started."""
    with pytest.raises(Unmodelled, match="takes what `select` gives"):
        Shape.of(evolve(batches_and_gates(), orchestrator="select"))
