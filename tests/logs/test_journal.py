"""The log: every event and fact has its line, and every event is made again from its lines."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import evolve
from paper_engine import NEW, OLD, UBUNTU, PaperEngine, fleet_of

from phasegate.core.errors import UnknownName
from phasegate.core.events import (
    Applied,
    Batch,
    Cancel,
    Configured,
    Event,
    Pause,
    Protected,
    Published,
    Replicated,
    Resume,
    Rollout,
    Scaled,
    Signals,
    Start,
    Tick,
    What,
)
from phasegate.core.facts import (
    AttemptEnded,
    BatchStarted,
    Became,
    Commands,
    Fact,
    Ignored,
    PhaseEnded,
    PhaseOpened,
    Progress,
    RolloutEnded,
    RolloutStarted,
)
from phasegate.core.lifecycle import Do, Life
from phasegate.core.model import ImageVersion, Window
from phasegate.core.roster import Instance
from phasegate.core.telling import Facts
from phasegate.files.documents import InvalidFile
from phasegate.files.timezones import utc_offsets
from phasegate.logs.journal import Journal, footer, header
from phasegate.logs.loglines import RecordedStep, read_header, read_steps
from phasegate.logs.logread import Reader
from phasegate.simulating.reports import Reports, joined

WEB, DB = "eastus/web", "westus/db"
NOW = 70


def slots(*numbers: int) -> array[int]:
    """Return a column of slots."""
    return array("I", numbers)


def written(
    event: Event, facts: Sequence[Fact] = (), reports: Sequence[Reports] = (), journal: Journal | None = None
) -> tuple[Any, list[bytes]]:
    """Return the paper engine and the lines of one step."""
    engine = PaperEngine(fleet_of(WEB, DB)) if journal is None else journal.engine
    journal = journal or Journal(engine, {"max_batch_percent": 20})
    step: Any = SimpleNamespace(state=engine.state(event.now), facts=Facts(facts))
    return engine, journal.lines(event, step, reports)


def said(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return what lines say."""
    return [json.loads(line) for line in lines]


def read_back(engine: Any, lines: Sequence[bytes]) -> tuple[Event, Sequence[Reports]]:
    """Return the event of the only step among the lines."""
    (step,) = read_steps([*lines, footer(NOW, 1)], "log")
    return Reader(engine, "log").event(engine.state(), step)


def test_the_first_line_says_what_was_run() -> None:
    """And is read back."""
    line = header(5, {"format": "f"}, {"p": 1}, 7, None)
    assert said([line]) == [
        {
            "t": 5,
            "kind": "log",
            "format": "phasegate/log/1",
            "fleet": {"format": "f"},
            "policy": {"p": 1},
            "seed": 7,
            "faults": None,
        }
    ]
    read = read_header(line, "log")
    assert (read.t, read.seed, bytes(read.fleet), bytes(read.faults)) == (5, 7, b'{"format":"f"}', b"null")


def test_reports_are_written_one_line_each_and_read_back_in_order() -> None:
    """With the command that they answer, or none."""
    reports = [
        Reports(WEB, What.DISK_REPLACED, slots(0, 1), 60, 3, Do.REPLACE, "c/3"),
        Reports(DB, What.HEALTHY, slots(7), 70),
        Reports(WEB, What.HEALTHY, slots(1), 50),
    ]
    engine, lines = written(joined(reports, NOW), reports=reports)
    assert said(lines) == [
        {
            "t": NOW,
            "kind": "signal",
            "what": "disk-replaced",
            "set": WEB,
            "instances": ["0", "1"],
            "observed_at": 60,
            "command": "c/3",
            "do": "replace",
            "attempt": 3,
        },
        {"t": NOW, "kind": "signal", "what": "healthy", "set": DB, "instances": ["1"], "observed_at": 70},
        {"t": NOW, "kind": "signal", "what": "healthy", "set": WEB, "instances": ["1"], "observed_at": 50},
        {"t": NOW, "kind": "step", "n": 1, "event": "signals", "state": f"{NOW:032x}"},
    ]
    event, read = read_back(engine, lines)
    assert isinstance(event, Signals)
    assert list(read) == reports
    assert joined(reports, NOW).slots == event.slots


def test_reports_about_instances_that_are_gone_name_them_apart() -> None:
    """By id and slot, as the id may be another instance's by now; the order is kept."""
    engine = PaperEngine(fleet_of(WEB, DB))
    journal = Journal(engine, {})
    written(Scaled(WEB, 1, removed=("1",)), journal=journal)
    engine.lives[1] = Life.GONE
    reports = [Reports(WEB, What.HEALTHY, slots(0, 1, 2), 60), Reports(DB, What.HEALTHY, slots(6), 60)]
    _, lines = written(joined(reports, NOW), reports=reports, journal=journal)
    assert [(line["instances"], line.get("gone")) for line in said(lines)[:-1]] == [
        (["0"], None),
        ([], [{"id": "1", "slot": 1}]),
        (["2"], None),
        (["0"], None),
    ]
    event, _ = read_back(engine, lines)
    assert isinstance(event, Signals)
    assert list(event.slots) == [0, 1, 2, 6]


def test_every_fact_has_its_line() -> None:
    """The one that a reader who knows only the documents looks for."""
    progress = Progress(successful=1, failed=0, in_progress=0, pending=2, skipped=3)
    facts = [
        PhaseOpened(1, 0, ("eastus",)),
        BatchStarted(1, WEB, ("eastus/1",), 4, slots(0, 1)),
        BatchStarted(1, DB, ("westus/1", "westus/2"), 0, slots(6)),
        Commands("1/eastus/web/3/replace", Do.REPLACE, 1, WEB, NEW, 3, slots(0, 1)),
        Became(1, WEB, Life.REPLACING, "batch", slots(0, 1)),
        Became(None, WEB, Life.GONE, "scaled", slots(2)),
        Ignored("healthy", "late", WEB, slots(3)),
        AttemptEnded(1, WEB, "completed", None, progress),
        PhaseEnded(1, 0, True, 0, 2),
        RolloutEnded(1, "completed", "every phase succeeded"),
    ]
    _, lines = written(Tick(NOW), facts)
    assert said(lines)[:-1] == [
        {"t": NOW, **line}
        for line in (
            {"kind": "phase-opened", "rollout": 1, "phase": 0, "regions": ["eastus"]},
            {
                "kind": "batch-started",
                "rollout": 1,
                "set": WEB,
                "cell": "eastus/1",
                "upgrade_domain": 4,
                "instances": ["0", "1"],
            },
            {
                "kind": "batch-started",
                "rollout": 1,
                "set": DB,
                "cells": ["westus/1", "westus/2"],
                "upgrade_domain": 0,
                "instances": ["0"],
            },
            {
                "kind": "command",
                "rollout": 1,
                "id": "1/eastus/web/3/replace",
                "do": "replace",
                "set": WEB,
                "version": NEW,
                "attempt": 3,
                "instances": ["0", "1"],
            },
            {
                "kind": "became",
                "rollout": 1,
                "state": "replacing",
                "cause": "batch",
                "set": WEB,
                "instances": ["0", "1"],
            },
            {"kind": "became", "rollout": None, "state": "gone", "cause": "scaled", "set": WEB, "instances": ["2"]},
            {"kind": "ignored", "what": "healthy", "why": "late", "set": WEB, "instances": ["3"]},
            {
                "kind": "attempt-ended",
                "rollout": 1,
                "set": WEB,
                "status": "completed",
                "error": None,
                "progress": {"successful": 1, "failed": 0, "in_progress": 0, "pending": 2, "skipped": 3},
            },
            {"kind": "phase-ended", "rollout": 1, "phase": 0, "succeeded": True, "lost": 0, "eligible": 2},
            {"kind": "rollout-ended", "rollout": 1, "status": "completed", "reason": "every phase succeeded"},
        )
    ]


def test_a_rollout_is_written_by_what_it_became_and_read_back_by_what_was_asked() -> None:
    """Target and sets as asked, beside the target found and the sets that were refused."""
    event = Rollout(UBUNTU.name, NOW, sets=(WEB, DB), started_by="user")
    fact = RolloutStarted(0, UBUNTU.name, NEW, "user", None, ((DB, ("version-not-latest",)),))
    engine, lines = written(event, [fact])
    (line, _) = said(lines)
    assert line == {
        "t": NOW,
        "kind": "rollout-started",
        "rollout": 0,
        "image": UBUNTU.name,
        "target": NEW,
        "started_by": "user",
        "manual": True,
        "policy": {"max_batch_percent": 20},
        "phases": None,
        "ineligible": [{"name": DB, "codes": ["version-not-latest"]}],
        "asked": {"target": None, "sets": [WEB, DB]},
    }
    assert read_back(engine, lines) == (event, ())


MODEL = evolve(
    fleet_of(WEB).sets[0],
    instances=0,
    version=OLD,
    tags={"team": "shop"},
    windows=[
        Window(day="sat", start="01:00", minutes=300, timezone="Europe/Berlin", offsets=utc_offsets("Europe/Berlin"))
    ],
)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (Pause(NOW), "paused"),
        (Pause(NOW, 3), "paused"),
        (Resume(NOW, 3), "resumed"),
        (Cancel(NOW), "cancelled"),
        (Published(UBUNTU.name, ImageVersion("19", published_at_ms=5, exclude_from_latest=True), NOW), "published"),
        (Replicated("corp/web", "2", "eastus", NOW, exclude_from_latest=True), "replicated"),
        (Protected(WEB, ("1", "2"), True, NOW), "protected"),
        (Configured(MODEL, NOW), "configured"),
        (Applied(WEB, ("1", "2"), NOW), "applied"),
        (Scaled(WEB, NOW, removed=("4", "5")), "scaled"),
        (Scaled(WEB, NOW, (Instance(id="6", zone="1", upgrade_domain=1, version=NEW), Instance(id="7")), ()), "scaled"),
    ],
)
def test_what_the_environment_does_is_written_and_read_back(event: Event, kind: str) -> None:
    """As the same event."""
    engine, lines = written(event)
    assert [kind, "step"] == [line["kind"] for line in said(lines)]
    assert (event, ()) == read_back(engine, lines)


def test_a_changed_model_is_written_whole() -> None:
    """Defaults too, so that a reader sees what was changed back to its default."""
    _, lines = written(Configured(MODEL, NOW))
    model = said(lines)[0]["model"]
    assert (model["automatic_os_upgrade"], model["extensions"], model["service_fabric"]) == (True, [], None)
    assert "instances" not in model


def test_new_instances_say_where_they_are() -> None:
    """Id, zone, upgrade domain and version, also where they have none."""
    _, lines = written(Scaled(WEB, NOW, added=(Instance(id="6"),)))
    assert said(lines)[0]["added"] == [{"id": "6", "zone": None, "upgrade_domain": 0, "version": None}]


def test_ticks_and_starts_are_read_back() -> None:
    """A tick from its step line, a start from its batches."""
    engine, lines = written(Tick(NOW))
    assert read_back(engine, lines) == (Tick(NOW), ())
    batches = [Batch(WEB, (1, 0)), Batch(DB, (6,))]
    facts = [
        BatchStarted(1, WEB, ("eastus/1",), 4, slots(1, 0)),
        Became(1, WEB, Life.REPLACING, "batch", slots(1, 0)),
        BatchStarted(1, DB, ("westus/1",), 0, slots(6)),
    ]
    engine, lines = written(Start(batches, NOW), facts)
    assert read_back(engine, lines) == (Start(batches, NOW), ())


def test_ids_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writer and reader forget, and are right all the same."""
    monkeypatch.setattr("phasegate.logs.journal._REMEMBERED_MAX", 1)
    monkeypatch.setattr("phasegate.logs.logread._REMEMBERED_MAX", 1)
    reports = [Reports(WEB, What.HEALTHY, slots(at), 60) for at in (0, 1, 0)]
    engine, lines = written(joined(reports, NOW), reports=reports)
    assert [line["instances"] for line in said(lines)[:-1]] == [["0"], ["1"], ["0"]]
    assert reports == read_back(engine, lines)[1]


def test_after_a_scale_event_names_are_looked_up_again() -> None:
    """The same id is another slot then."""
    engine, first = written(joined([], NOW), reports=[Reports(WEB, What.HEALTHY, slots(1), 60)])
    _, scaled = written(Scaled(WEB, NOW, (Instance(id="1"),), ("1",)))
    steps = read_steps([*first, *scaled, *first, footer(NOW, 3)], "log")
    reader = Reader(engine, "log")
    assert reader.event(engine.state(), next(steps))[1][0].slots == slots(1)
    reader.event(engine.state(), next(steps))
    engine.names[1] = (WEB, "gone")
    engine.names.append((WEB, "1"))
    assert reader.event(engine.state(), next(steps))[1][0].slots == slots(12)


STEP = b'{"t":1,"kind":"step","n":1,"event":"%s","state":""}\n'


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([], "the log is cut off: it has no `log-ended` line (log: line 1)"),
        ([STEP % b"tick"], "the log is cut off: it has no `log-ended` line (log: line 2)"),
        ([b'{"t":1,"kind":"st'], "the log is cut off in the middle of a line (log: line 2)"),
        ([b'{"t":1,"kind":"st\n'], "no line of a log: input data was truncated (log: line 2)"),
        ([b"\xff\n"], "no line of a log: invalid character (byte 0) (log: line 2)"),
        ([b"[]\n"], "no line of a log: expected `object`, got `array` (log: line 2)"),
        ([b'{"kind":"step"}\n'], "no line of a log: `t` or `kind` is missing (log: line 2)"),
        ([b'{"t":1}\n'], "no line of a log: `t` or `kind` is missing (log: line 2)"),
        ([STEP % b"tock"], "`tock` is no kind of event (log: line 2)"),
        ([footer(1, 1)], "the log ends here, but 0 whole steps were found (log: line 2)"),
        ([b'{"t":1,"kind":"x"}\n', footer(1, 0)], "the log ends here, but 0 whole steps were found (log: line 3)"),
        ([footer(1, 0), footer(1, 0)], "a line after the end of the log (log: line 3)"),
    ],
)
def test_a_log_that_cannot_be_read_names_the_line(lines: list[bytes], error: str) -> None:
    """Cut off, edited, or something else altogether."""
    with pytest.raises(InvalidFile) as caught:
        list(read_steps(lines, "log"))
    assert error == str(caught.value)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "is empty (log)"),
        (b"\n", "the first line is blank (log: line 1)"),
        (b"{}", "no log as `simulate --log` writes it: object missing required field `t` (log: line 1)"),
        (
            header(2**48 - 1, {}, {}, 0, None),  # a time that the engine does not know
            "no log as `simulate --log` writes it: expected `int` <= 281474976710654 - at `t` (log: line 1)",
        ),
        (
            header(0, {}, {}, 0, None).replace(b"log/1", b"log/2"),
            "format `phasegate/log/2` is not `phasegate/log/1` (log: line 1)",
        ),
    ],
)
def test_a_first_line_that_is_none_is_refused(line: bytes, error: str) -> None:
    """It names format and line."""
    with pytest.raises(InvalidFile) as caught:
        read_header(line, "log")
    assert error == str(caught.value)


@pytest.mark.parametrize(
    ("event", "line", "error"),
    [
        ("pause", b'{"t":1,"kind":"x"}', "the step has no line `paused` (log: line 3)"),
        ("start", b'{"t":1,"kind":"batch-started","set":1}', "expected `str`, got `int` - at `set` (log: line 2)"),
        (
            "signals",
            b'{"t":1,"kind":"signal","what":"well","set":"eastus/web","instances":[],"observed_at":1}',
            "`well` or `nothing` is no word of a log (log: line 2)",
        ),
        (
            "signals",
            b'{"t":1,"kind":"signal","what":"healthy","do":"x","set":"eastus/web","instances":[],"observed_at":1}',
            "`healthy` or `x` is no word of a log (log: line 2)",
        ),
        (
            "signals",
            b'{"t":1,"kind":"signal","what":"healthy","set":"s","instances":[],"observed_at":1,"attempt":4294967296}',
            "expected `int` <= 4294967295 - at `attempt` (log: line 2)",
        ),
        (
            "signals",
            b'{"t":1,"kind":"signal","what":"healthy","set":"s","instances":[],"observed_at":1000000000000000000000}',
            "expected `int` <= 281474976710654 - at `observed_at` (log: line 2)",
        ),
        (
            "signals",
            b'{"t":1,"kind":"signal","what":"gone","set":"s","instances":[],"observed_at":1,"gone":[{"slot":-1}]}',
            "expected `int` >= 0 - at `gone[0].slot` (log: line 2)",
        ),
        (
            "published",
            b'{"t":1,"kind":"published","image":"a","version":{"version":"x"}}',
            "version `x` is not dotted integers, like `1.2.0` (at `version.version`) (log: line 2)",
        ),
        (
            "configured",
            b'{"t":1,"kind":"configured","model":{"name":"web"}}',
            "`region` is missing (log: line 2)",
        ),
    ],
)
def test_a_step_that_makes_no_event_names_the_line(event: str, line: bytes, error: str) -> None:
    """Somebody has edited it."""
    steps: list[RecordedStep] = list(read_steps([line + b"\n", STEP % event.encode(), footer(1, 1)], "log"))
    engine = PaperEngine(fleet_of(WEB))
    with pytest.raises(InvalidFile) as caught:
        Reader(engine, "log").event(engine.state(), steps[0])
    assert error == str(caught.value)


def test_an_instance_that_is_not_there_is_an_error_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine says what is wrong, the reader where."""

    def slots_of(*_: Any) -> Any:
        raise UnknownName("no instance `eastus/web/99`")

    monkeypatch.setattr(PaperEngine, "slots", slots_of)
    engine, lines = written(joined([], NOW), reports=[Reports(WEB, What.HEALTHY, slots(1), 60)])
    with pytest.raises(InvalidFile) as caught:
        read_back(engine, lines)
    assert str(caught.value) == "no instance `eastus/web/99` (log: line 2)"
