"""What all tests of the rules share: the kernels that there are, one after the other."""

from __future__ import annotations

import os
from typing import Any

import pytest
import rules_removed
from fleets import KERNELS
from hypothesis import settings

# No test is timed: how long an example takes says more about the machine than about the code. CI draws the same each
# time, so that it says the same of the same commit; random search goes on where people work.
settings.register_profile("phasegate", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("phasegate")

if rule := os.environ.get(rules_removed.REMOVE):
    rules_removed.remove(rule)


@pytest.fixture(params=KERNELS, ids=lambda kernel: "compiled" if kernel.is_compiled else "twin")
def kernel(request: pytest.FixtureRequest) -> Any:
    """Return the class of one kernel: the plain twin, and the compiled one where it was built."""
    return request.param
