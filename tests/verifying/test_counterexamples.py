"""Four policies that look reasonable are refuted, each by a shortest counterexample; the page is current."""

from __future__ import annotations

import pytest
from counterexamples import CASES, PAGE, Case, page

from phasegate.core.exploring.promises import Promise
from phasegate.verifying.mutants.table import BY_NAME
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import load_scenario

BROKEN = {
    "ceil": Promise.BATCH_WITHIN_CAP,
    "restored": Promise.NOT_AFTER_THE_END,
    "stale": Promise.PROMOTED_BY_HEALTH,
    "pairs": Promise.PAIRS_APART,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario)
def test_it_is_refuted_by_a_shortest_counterexample(case: Case) -> None:
    """So many acts lead to the broken promise, and nothing that is fewer acts away breaks it."""
    scenario = load_scenario(case.path)
    with BY_NAME[case.mutant].bent():
        result = verify(scenario, kernel="twin")
        shallow = verify(scenario, kernel="twin", order="depth")
    assert result.broken is not None
    assert result.trace is not None
    assert (BROKEN[case.scenario], case.acts) == (result.broken.number, len(result.trace.steps))
    assert "violated" == shallow.verdict
    assert shallow.trace is not None
    assert case.acts <= len(shallow.trace.steps)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario)
def test_the_rule_as_it_is_holds(case: Case) -> None:
    """The same scenario, with the rule as it is, breaks nothing."""
    result = verify(load_scenario(case.path))
    assert ("holds", ()) == (result.verdict, result.disagreements)


def test_the_page_is_what_the_commands_print() -> None:
    """`python tests/verifying/counterexamples.py` would write what stands there."""
    assert page() == PAGE.read_text(encoding="utf-8")
