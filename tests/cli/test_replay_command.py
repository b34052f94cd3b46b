"""`phasegate replay`: the same, or where it differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_cases import small


@pytest.fixture
def log(call: Any, write: Any) -> Path:
    """Write the log of the small fleet's rollout, and return its path."""
    write("fleet.json", small())
    call("simulate", "fleet.json", "--log", "log.ndjson")
    return Path("log.ndjson")


def test_a_log_replays_to_the_same_states(call: Any, log: Path) -> None:
    """What was written is reproduced line by line, and the exit code is 0."""
    result = call("replay", "log.ndjson")
    lines = len(log.read_text(encoding="utf-8").splitlines())
    assert (0, True) == (result.exit_code, result.stdout.startswith("the same: 8"))
    document = json.loads(call("replay", "log.ndjson", "--json").stdout)
    assert ("phasegate/replay/1", True, lines, None) == (
        document["format"],
        document["same"],
        document["lines"],
        document["difference"],
    )


def test_a_log_that_was_changed_differs(call: Any, log: Path) -> None:
    """A changed line is shown beside what the engine says, and the answer is no."""
    text = log.read_text(encoding="utf-8")
    log.write_text(text.replace('"what":"healthy"', '"what":"unhealthy"', 1), encoding="utf-8")
    result = call("replay", "log.ndjson")
    assert (1, "differs at line ") == (result.exit_code, result.stdout[:16])
    assert "the engine says" in result.stdout
    document = json.loads(call("replay", "log.ndjson", "--json").stdout)
    assert (False, ["line", "recorded", "replayed"]) == (document["same"], list(document["difference"]))


def test_a_line_that_is_missing_is_shown_as_missing(call: Any, log: Path) -> None:
    """Where a log has no line, that is said."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(at for at, line in enumerate(lines) if '"kind":"command"' in line)
    log.write_text("".join(lines[:at] + lines[at + 1 :]), encoding="utf-8")
    assert 1 == call("replay", "log.ndjson").exit_code
    at = next(at for at, line in enumerate(lines) if '"kind":"step"' in line)
    log.write_text("".join([*lines[:at], lines[at - 1], *lines[at:]]), encoding="utf-8")
    assert 1 == call("replay", "log.ndjson").exit_code


def test_a_log_that_is_cut_off_is_bad_input(call: Any, log: Path) -> None:
    """A log without its end is no log."""
    log.write_text(log.read_text(encoding="utf-8")[:-80], encoding="utf-8")
    result = call("replay", "log.ndjson")
    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("error: ")
    assert result.stderr.endswith(")\n")


def test_no_log_at_all_is_bad_input(call: Any, log: Path) -> None:
    """Something else than a log is refused by its first line."""
    assert "(fleet.json: line 1)" in call("replay", "fleet.json").stderr
