"""What all tests of the rules share: the kernels that there are, one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Count as covered nothing that a test with drawn examples runs; tracing would more than double their time.

    The marker `no_cover` of pytest-cov would say the same, but the workers of pytest-xdist go on tracing under it.
    """
    tracing = sys.gettrace()
    is_paused = type(tracing).__module__.startswith("coverage") and item.get_closest_marker("hypothesis") is not None
    if is_paused:
        sys.settrace(None)
    try:
        yield
    finally:
        if is_paused:
            sys.settrace(tracing)


@pytest.fixture(params=KERNELS, ids=lambda kernel: "compiled" if kernel.is_compiled else "twin")
def kernel(request: pytest.FixtureRequest) -> Any:
    """Return the class of one kernel: the plain twin, and the compiled one where it was built."""
    return request.param
