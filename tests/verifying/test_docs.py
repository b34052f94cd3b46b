"""What the documentation of verification shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phasegate.verifying.scenariofile import parse_scenario
from phasegate.verifying.sweeping.sweepfile import parse_sweep

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the blocks of code in one language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_scenario_can_be_read() -> None:
    """Every key that is explained is one that there is."""
    text, _ = blocks("yaml")
    assert 4 == len(parse_scenario(text.encode(), "scenario.yaml").events)


def test_the_sweep_can_be_read() -> None:
    """On the family among the examples."""
    _, text = blocks("yaml")
    assert 3 * 2 * 2 == len(parse_sweep(text.encode(), str(ROOT / "examples" / "sweeps" / "shown.yaml")).cases)


def test_the_promises_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the root of the repository, as people would."""
    monkeypatch.chdir(ROOT)
    (code,) = blocks("python")
    shown: dict[str, object] = {}
    exec(code, shown)
    assert "undetermined" != getattr(shown["result"], "verdict", None)
