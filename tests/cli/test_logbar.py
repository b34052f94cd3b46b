"""How far a log is read, told on a terminal and nowhere else."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from phasegate.cli import logbar
from phasegate.cli.logbar import log_bar

SMALL = str(Path(__file__).parents[2] / "examples" / "small.yaml")


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        """Say that somebody looks at it."""
        return True


@pytest.mark.parametrize(("name", "shown"), [("log.ndjson", "100%"), ("log.parquet", "line 3")])
def test_a_bar_is_shown_on_a_terminal(name: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of the file where they are known, lines everywhere; and every line is handed on."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(logbar, "BYTES_A_TIME", 4)
    path = tmp_path / name
    path.write_bytes(b"a\nbcd\ne\n")
    with log_bar("replaying", str(path)) as watch:
        assert list(watch(iter([b"a\n", b"bcd\n", b"efgh\n"]))) == [b"a\n", b"bcd\n", b"efgh\n"]
    assert "replaying" in terminal.getvalue()
    assert shown in terminal.getvalue()


def test_without_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines go on as they are."""
    lines = iter([b"a\n"])
    with log_bar("replaying", "-") as watch:
        assert watch(lines) is lines
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", [("replay",), ("explain", "eastus/web/0")])
def test_commands_that_read_logs_show_it(
    call: Any, write: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """And print the same as ever on standard output."""
    write("x", "")
    assert call("simulate", SMALL, "--log", "log.ndjson").exit_code == 0
    plain = call(command[0], "log.ndjson", *command[1:])
    told = []

    def told_bar(doing: str, path: str) -> Any:
        told.append((doing, path))
        return log_bar(doing, path)

    for module in ("replaying", "explaining"):
        monkeypatch.setattr(f"phasegate.cli.{module}.log_bar", told_bar)
    again = call(command[0], "log.ndjson", *command[1:])
    assert (again.stdout, again.exit_code) == (plain.stdout, 0)
    assert told == [("replaying" if command[0] == "replay" else "reading", "log.ndjson")]
