"""What the tests of the models share: explorers of the engine, run to their end, and the model checkers' presence."""

from __future__ import annotations

import os
from typing import Any

import pytest

from phasegate.core.exploring.subject import Subject
from phasegate.core.exploring.twin import Explorer as Twin

from .checkers import missing

REQUIRED = "PHASEGATE_MODEL_CHECKERS"
"""The environment variable that says `required` where no test may be skipped for want of a model checker."""


@pytest.fixture
def installed() -> None:
    """Skip where a model checker is not installed; fail where it has to be."""
    if absent := missing():
        how = pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip
        how(f"not installed: {', '.join(absent)}")


def explored(subject: Subject, *, is_symmetric: bool = False, explorer: Any = None) -> Any:
    """Return an explorer of the subject that has found all its states; the compiled one unless told otherwise."""
    found = (explorer or fastest())(subject, is_symmetric=is_symmetric)
    while found.run(100_000) == "more":
        pass
    return found


def fastest() -> Any:
    """Return the compiled explorer where it was built, else the twin."""
    try:
        from phasegate.core.exploring.explorer import Explorer
    except ImportError:
        return Twin
    return Explorer
