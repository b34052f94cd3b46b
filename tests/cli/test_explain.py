"""`phasegate explain`: golden texts through the life of a rollout, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_cases import NEW, OLD, faults, golden, small, special

from phasegate.cli.explaining import _show
from phasegate.core.explaining import Explanation
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.reasons import Code, Reason


@pytest.fixture
def log(call: Any, write: Any) -> str:
    """Write the log of a rollout of the small fleet that is halted by a bad image, and return its name."""
    write("fleet.json", small())
    write("faults.json", faults({"instances": "eastus/web/1?", "never_healthy": True}))
    call("simulate", "fleet.json", "--faults", "faults.json", "--log", "log.ndjson")
    return "log.ndjson"


@pytest.mark.parametrize("columns", [80, 100])
def test_an_instance_is_explained_through_its_life(call: Any, log: str, columns: int) -> None:
    """From a phase that is not open to the end, every reason is a sentence with its numbers."""
    shown = []
    for instance, at in [
        ("eastus/web/17", "0"),
        ("westus/db/3", "0"),
        ("westus/db/0", "10000"),
        ("westus/db/0", "1000000"),
        ("eastus/web/9", "660000"),
        ("eastus/web/1", "660000"),
        ("westus/old/1", "0"),
    ]:
        result = call("explain", log, instance, "--at", at, columns=columns)
        shown.append(f"{result.stdout}=> {result.exit_code}\n")
    shown.append(call("explain", log, "eastus/web/17", columns=columns).stdout)
    assert golden(f"explain-{columns}.txt") == "\n".join(shown)


def test_special_sets_are_explained(call: Any, write: Any) -> None:
    """Windows with their next opening, exclusion, a newer version: each with the earliest time where there is one."""
    write("fleet.json", special())
    call("simulate", "fleet.json", "--log", "log.ndjson")
    shown = [
        call("explain", "log.ndjson", instance, "--at", "990000").stdout
        for instance in ("eastus/windowed/5", "eastus/mixed/0", "eastus/mixed/1", "eastus/mixed/2")
    ]
    assert golden("explain-special.txt") == "\n".join(shown)


def test_json_has_code_facts_and_text(call: Any, log: str) -> None:
    """`--json` gives each reason as its code, its numbers and its sentence."""
    document = json.loads(call("explain", log, "eastus/web/17", "--at", "0", "--json").stdout)
    assert {
        "format": "phasegate/explanation/1",
        "instance": "eastus/web/17",
        "at_ms": 0,
        "since_ms": 0,
        "state": "pending",
        "version": OLD,
        "target": NEW,
        "health": "healthy",
        "selected": False,
        "deadline_ms": None,
        "earliest_ms": None,
    } == {key: value for key, value in document.items() if key != "reasons"}
    assert {
        "code": "phase-not-open",
        "text": "phase 1 is not open: it waits for phase 0 (westus)",
        "earliest_ms": None,
        "facts": {"phase": 1, "waiting_for": 0, "regions": ["westus"]},
    } == document["reasons"][0]


def test_the_log_can_come_from_standard_input(call: Any, log: str) -> None:
    """`-` reads the log from standard input."""
    with open(log, encoding="utf-8") as file:
        result = call("explain", "-", "westus/db/0", stdin=file.read())
    assert (0, True) == (result.exit_code, "upgraded" in result.stdout)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["eastus/web/99"], "set `eastus/web` has no instance `99` then; it has 30, from `0` to `29` "
            "(instance `eastus/web/99`)"),
        (["eastus/web/"], "set `eastus/web` has no instance `` then; it has 30, from `0` to `29` "
            "(instance `eastus/web/`)"),
        (["eastus/wb/1"], "unknown set `eastus/wb`; did you mean `eastus/web`? (instance `eastus/wb/1`)"),
        (["web"], "an instance is named region/set/id, like `eastus/web/0` (instance `web`)"),
        (["eastus/web/1", "--at", "soon"], "time `soon` is neither milliseconds since 1970 nor RFC 3339 from then on, "
            "like `2024-05-01T12:00:00Z` (--at)"),
        (["eastus/web/1", "--at", "1969-12-31T00:00:00Z"], "time `1969-12-31T00:00:00Z` is neither milliseconds since "
            "1970 nor RFC 3339 from then on, like `2024-05-01T12:00:00Z` (--at)"),
        (["eastus/web/1", "--at", "99999999999999999999"], "time `99999999999999999999` is neither milliseconds since "
            "1970 nor RFC 3339 from then on, like `2024-05-01T12:00:00Z` (--at)"),
        (["eastus/web/1", "--at", "2024-05-01T12:00:00"], "time `2024-05-01T12:00:00` does not say its offset from "
            "UTC; add `Z` or `+01:00` (--at)"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_where(call: Any, log: str, arguments: list[str], error: str) -> None:
    """What cannot be used ends with exit code 2 and one line on standard error."""
    result = call("explain", log, *arguments)
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_time_between_two_events_says_since_when_it_holds(call: Any, log: str) -> None:
    """What is shown is the time that was asked for, and that nothing had happened since."""
    assert "eastus/web/17  at the start\n" in call("explain", log, "eastus/web/17", "--at", "0").stdout
    between = call("explain", log, "eastus/web/17", "--at", "5").stdout
    assert "eastus/web/17  at 0.005 s (5 ms), as since the start\n" in between
    document = json.loads(call("explain", log, "eastus/web/17", "--at", "5", "--json").stdout)
    assert (5, 0) == (document["at_ms"], document["since_ms"])


def test_a_time_before_the_log_is_refused(call: Any, write: Any) -> None:
    """A log that begins later knows nothing of the time before."""
    write("fleet.json", small())
    call("simulate", "fleet.json", "--log", "log.ndjson", "--now", "5000")
    result = call("explain", "log.ndjson", "eastus/web/1", "--at", "4000")
    assert "error: the log begins at 5 s (5000 ms), after 4 s (4000 ms) (--at)\n" == result.stderr


def test_an_emptied_set_has_no_instance(call: Any, write: Any) -> None:
    """A set without instances says so, and a fleet without sets says what a name looks like."""
    document = small()
    document["sets"][0]["instances"] = 0
    write("fleet.json", document)
    call("simulate", "fleet.json", "--log", "log.ndjson")
    result = call("explain", "log.ndjson", "eastus/web/1")
    assert "error: set `eastus/web` has no instance `1` then; it has none (instance `eastus/web/1`)\n" == result.stderr
    write("fleet.json", small() | {"sets": []})
    call("simulate", "fleet.json", "--log", "log.ndjson")
    result = call("explain", "log.ndjson", "web")
    assert "error: an instance is named region/set/id, like `region/set/id` (instance `web`)\n" == result.stderr


def test_a_missing_log_has_a_suggestion(call: Any, log: str) -> None:
    """A log that is not there is refused with the closest file; a folder is no log."""
    result = call("explain", "log.ndjsn", "eastus/web/1")
    assert "error: cannot be read: no such file or directory; did you mean `log.ndjson`? (log.ndjsn)\n" == result.stderr
    assert "error: cannot be read: is a directory (.)\n" == call("explain", ".", "eastus/web/1").stderr


def _explanation(*reasons: Reason, **changes: Any) -> Explanation:
    parts: dict[str, Any] = {
        "instance": "eastus/web/1",
        "state": Life.PENDING,
        "health": Health.UNKNOWN,
        "version": "",
        "target": "",
        "reasons": reasons,
        "selected": False,
    }
    return Explanation(**parts | changes)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (_explanation(selected=True), "  it starts now: it is in the next batch"),
        (_explanation(Reason(Code.PAUSED)), "  When it may is not known: it depends on what happens"),
        (
            _explanation(Reason(Code.NOT_BEFORE, {"time": 5000}, 5000), earliest=5000),
            "  At the earliest: 5 s (5000 ms)",
        ),
        (
            _explanation(Reason(Code.NOT_BEFORE, {"time": 5000}, 5000), Reason(Code.PAUSED)),
            "  Not before 5 s (5000 ms); the rest depends on what happens",
        ),
        (_explanation(Reason(Code.NO_ROLLOUT)), "  - no rollout has its set"),
        (_explanation(state=Life.FAILED), "  version  unknown"),
        (_explanation(state=Life.VERIFYING, deadline=7000), "  deadline  7 s (7000 ms)"),
    ],
)
def test_the_last_word_is_when_it_may_start(capsys: pytest.CaptureFixture[str], found: Explanation, line: str) -> None:
    """The earliest time is given as far as time alone decides, and nothing is promised where it does not."""
    _show(found, 0, None)
    assert line in capsys.readouterr().out.splitlines()
