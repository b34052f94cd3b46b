"""The library: every scenario comes out exactly as it says, on every kernel and explorer, with and without symmetry."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenes import LIBRARY

from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import load_scenario

PATHS = sorted(LIBRARY.glob("*.yaml"))
STATES_MAX = {False: 500, True: 300}  # without and with symmetry: the plain twin takes some milliseconds for each


def small() -> list[tuple[Path, bool]]:
    """Return the scenarios that the plain twin explores in about a second, with symmetry or without."""
    found = []
    for path in PATHS:
        expect = load_scenario(path).expect
        for symmetry, states in ((False, expect.states), (True, expect.symmetric.states)):
            if states is not None and states <= STATES_MAX[symmetry]:
                found.append((path, symmetry))
    return found


SMALL = small()


def test_there_is_one_for_each_rule_and_hazard() -> None:
    """At least twenty-five, each with a sentence on what it is for and with exact counts of its own."""
    scenarios = [load_scenario(path) for path in PATHS]
    assert 25 <= len(scenarios)
    assert [] == [one.name for one in scenarios if not one.about.endswith(".") or len(one.sometimes) < 2]
    assert [] == [one.name for one in scenarios if None in (one.expect.states, one.expect.symmetric.states)]


@pytest.mark.parametrize("symmetry", [False, True], ids=["every", "symmetric"])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_scenario_comes_out_as_it_expects(path: Path, symmetry: bool) -> None:
    """States, transitions and depth are the pinned ones, every promise holds, and it exercises what it claims to."""
    result = verify(load_scenario(path), symmetry=symmetry)
    assert ((), "holds", None) == (result.disagreements, result.verdict, result.reason)
    assert () == result.coverage.missing


@pytest.mark.untraced
@pytest.mark.parametrize(("path", "symmetry"), SMALL, ids=lambda value: getattr(value, "stem", str(value)))
def test_the_plain_twin_comes_to_the_same(path: Path, symmetry: bool) -> None:
    """On the plain kernel and explorer the counts are the pinned ones too, and acts, lives, ends, reasons are alike."""
    scenario = load_scenario(path)
    result = verify(scenario, symmetry=symmetry, kernel="twin")
    assert ((), "holds", False) == (result.disagreements, result.verdict, result.is_compiled)
    assert result.coverage == verify(scenario, symmetry=symmetry).coverage


def test_the_twin_is_held_to_enough_of_them() -> None:
    """At least fifteen scenarios without symmetry, and most with it."""
    assert 15 <= sum(not symmetry for _, symmetry in SMALL)
    assert 20 <= sum(symmetry for _, symmetry in SMALL)
