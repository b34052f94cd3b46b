"""What all tests of the rules share: the kernels that there are, one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
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
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count as covered nothing that tests with drawn examples run, nor those marked `untraced`: they go twice as fast.

    Neither what fixtures do that they are the first to ask for. It holds of coverage's tracer in C, which is slow.
    The marker `no_cover` of pytest-cov would say the same, but the workers of pytest-xdist go on tracing under it.
    """
    tracing = sys.gettrace()
    is_apart = any(item.get_closest_marker(name) for name in ("hypothesis", "untraced"))
    if not (is_apart and type(tracing).__module__.startswith("coverage")):
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracing)


@pytest.fixture(params=KERNELS, ids=lambda kernel: "compiled" if kernel.is_compiled else "twin")
def kernel(request: pytest.FixtureRequest) -> Any:
    """Return the class of one kernel: the plain twin, and the compiled one where it was built."""
    return request.param
