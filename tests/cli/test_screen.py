"""How wide what is printed may be: that of a terminal, within bounds; that of a pipe is one for all."""

from __future__ import annotations

import pytest

from phasegate.cli.screen import WIDTH_MAX, WIDTH_MIN, WIDTH_OF_A_PIPE, screen


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (None, WIDTH_OF_A_PIPE),
        ("wide", WIDTH_OF_A_PIPE),
        ("100", 100),
        ("10", WIDTH_MIN),
        ("1000", WIDTH_MAX),
    ],
)
def test_the_width(monkeypatch: pytest.MonkeyPatch, columns: str | None, expected: int) -> None:
    """Whoever reads a pipe gets the same everywhere, unless `COLUMNS` says otherwise."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert expected == screen().width
