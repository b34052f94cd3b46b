"""The switch that writes the golden stories anew: `pytest tests/golden --update-golden`, then read every difference."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch."""
    parser.addoption("--update-golden", action="store_true", help="write the golden stories anew")


@pytest.fixture
def updates_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether the stories are to be written; without the switch, or where it is unknown, they are compared."""
    return bool(request.config.getoption("--update-golden", default=False))
