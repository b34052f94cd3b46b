"""What the tests of the models share: explorers of the engine, run to their end, and the model checkers' presence."""

from __future__ import annotations

import os
from typing import Any

import pytest

from phasegate.verifying.explorers import explorer_class
from phasegate.verifying.scenario import Scenario

from .checkers import missing

REQUIRED = "PHASEGATE_MODEL_CHECKERS"
"""The environment variable that says `required` where no test may be skipped for want of a model checker."""


@pytest.fixture
def installed() -> None:
    """Skip where a model checker is not installed; fail where it has to be."""
    if absent := missing():
        how = pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip
        how(f"not installed: {', '.join(absent)}")


def explored(scenario: Scenario, *, is_symmetric: bool = False, kernel: Any = None, explorer: Any = None) -> Any:
    """Return an explorer that has found all states of the scenario, or a broken promise; the fastest that there is."""
    subject = scenario.subject(kernel)
    found = (explorer or explorer_class(subject.engine))(subject, is_symmetric=is_symmetric)
    while found.run(100_000) == "more":
        pass
    return found
