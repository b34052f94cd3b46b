"""What a simulation came to, for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phasegate.cli.milestones import PhaseTimes, RolloutTimes
from phasegate.cli.screen import (
    BAD,
    DIM,
    GOOD,
    ODD,
    STRONG,
    Screen,
    columns,
    dotted,
    grid,
    heading,
    indented,
    listed,
    number,
    some,
)
from phasegate.cli.simulating import Outcome
from phasegate.cli.words import ERRORS, ineligible
from phasegate.plotting.summary import counted
from phasegate.plotting.times import duration

SETS_MAX: Final = 20  # more that did not complete are summed up by how they ended
NAMES_MAX: Final = 3
STYLES: Final = {"completed": GOOD, "running": ODD, "cancelled": ODD, "faulted": BAD, "halted": BAD}


def show(out: Screen, outcome: Outcome, *, show_all: bool) -> None:
    """Print every rollout with its phases and what did not complete, then the whole run."""
    for rollout in outcome.summary.rollouts:
        out.print(heading((rollout["image"], STRONG), (" → ", DIM), (rollout["target"], STRONG)))
        for block in _blocks(rollout, outcome, show_all):
            out.print(indented(block))
            out.print()
    if not outcome.summary.rollouts:
        out.print(Text("nothing to do: no eligible set has an instance below the newest version of its image"))
        out.print()
    out.print(heading(("The whole run", STRONG)))
    out.print(_run(outcome))


def _blocks(rollout: Mapping[str, Any], outcome: Outcome, show_all: bool) -> Iterator[RenderableType]:
    times = outcome.times.rollouts[rollout["id"]]
    yield Text("\n").join([_status(rollout, times), _counts(rollout)])
    if rollout["phases"]:
        yield _phases(rollout["phases"], times)
    rest = [entry for entry in rollout["sets"] if entry["status"] != "completed"]
    if rest:
        yield _rest(rest, show_all)
        codes = Counter(entry["error"] for entry in rest if entry["error"] is not None)
        if codes:
            yield listed(_code(code, count) for code, count in sorted(codes.items()))
    refused = [entry for entry in rollout["ineligible"] if entry["name"] in outcome.refused]
    if refused:
        yield _refused(refused)
    elif rollout["ineligible"]:
        names = [entry["name"] for entry in rollout["ineligible"]]
        what = counted(len(names), "set was", "sets were")
        yield Text(f"{what} not eligible: {some(names, NAMES_MAX)}; `phasegate plan` says why", style=DIM)


def _status(rollout: Mapping[str, Any], times: RolloutTimes) -> Text:
    status = rollout["status"]
    if times.ended_at_ms is None:
        why = "but paused for good" if rollout["paused"] else "and nothing is left to happen"
        how = Text(f"{status}, {why}", style=STYLES[status])
    else:
        how = Text.assemble(
            (status, f"{STYLES[status]} bold"), f" after {duration(times.ended_at_ms - times.started_at_ms)}"
        )
        if status not in ("completed", times.reason):  # `cancelled` says it all
            how.append(f": {times.reason}")
    return dotted([how, f"started by {rollout['started_by']}", counted(rollout["batches"], "batch", "batches")])


def _counts(rollout: Mapping[str, Any]) -> Text:
    counts = rollout["counts"]
    styles = {"upgraded": GOOD, "restored": ODD, "failed": BAD, "abandoned": ODD}
    parts: list[str | Text] = [counted(counts["eligible"], "eligible instance", "eligible instances")]
    parts += [Text(f"{counts[name]:,} {name}", style=style) for name, style in styles.items() if counts[name]]
    parts += [f"{counts[name]:,} {name}" for name in ("current", "excluded") if counts[name]]
    return dotted(parts)


def _phases(phases: Sequence[Sequence[str]], times: RolloutTimes) -> Table:
    opened = {phase.phase: phase for phase in times.phases}
    table = columns(
        ("phase", "right"),
        ("regions", "left", 12),
        ("opened", "right"),
        ("took", "right"),
        ("instances", "right"),
        ("lost", "right"),
        ("", "left"),
    )
    for at, regions in enumerate(phases):
        names = some(sorted(regions), 4)
        phase = opened.get(at)
        if phase is None:
            table.add_row(Text(str(at)), names, "", "", "", "", Text("not opened", style=DIM))
            continue
        start = duration(phase.opened_at_ms - times.started_at_ms)
        table.add_row(Text(str(at)), names, Text(start), *_ended(phase))
    return table


def _ended(phase: PhaseTimes) -> list[Text]:
    if phase.ended_at_ms is None:
        return [Text(""), Text(""), Text(""), Text("not ended", style=ODD)]
    assert phase.lost is not None, "a phase that has ended says what it lost"
    assert phase.eligible is not None, "and of how many"
    how = Text("succeeded", style=GOOD) if phase.succeeded else Text("too many lost", style=BAD)
    took = Text(duration(phase.ended_at_ms - phase.opened_at_ms))
    return [took, number(phase.eligible), number(phase.lost, BAD), how]


def _rest(sets: Sequence[Mapping[str, Any]], show_all: bool) -> Table:
    """Return the sets that did not complete, why, and how far they came."""
    if len(sets) > SETS_MAX and not show_all:
        return _rest_by_ending(sets)
    table = columns(
        ("did not complete", "left", 16), ("", "left", 20), ("upgraded", "right"), ("lost", "right"), ("left", "right")
    )
    for entry in sets:
        progress = entry["progress"]
        table.add_row(
            entry["name"],
            _why(entry["status"], entry["error"]),
            number(progress["successful"]),
            number(progress["failed"], BAD),
            number(progress["pending"] + progress["in_progress"]),
        )
    return table


def _rest_by_ending(sets: Sequence[Mapping[str, Any]]) -> Table:
    counts = Counter((entry["status"], entry["error"]) for entry in sets)
    table = columns(("did not complete", "left"), ("", "left", 24), ("which", "left", 16))
    for (status, error), count in sorted(counts.items(), key=lambda row: (-row[1], row[0][0], row[0][1] or "")):
        names = [entry["name"] for entry in sets if (entry["status"], entry["error"]) == (status, error)]
        table.add_row(counted(count, "set", "sets"), _why(status, error), some(names, NAMES_MAX))
    return table


def _why(status: str, error: str | None) -> Text:
    found = Text(status, style=STYLES.get(status, ODD))
    if error is not None:
        found.append(f": {ERRORS.get(error, error)}", style="default")
    return found


def _code(code: str, count: int) -> Text:
    return Text.assemble(counted(count, "attempt", "attempts"), " faulted with ", (code, DIM))


def _refused(entries: Sequence[Mapping[str, Any]]) -> Table:
    table = columns(("not eligible", "left", 16), ("because", "left"), ("", "left", 20))
    for entry in entries:
        name = entry["name"]
        for code in entry["codes"]:
            table.add_row(name, Text(code, style=ODD), Text(ineligible(code), style=DIM))
            name = ""
    return table


def _run(outcome: Outcome) -> Padding:
    summary = outcome.summary
    return grid(
        [
            ("took", duration(summary.duration_ms)),
            ("in flight at most", counted(summary.max_in_flight, "instance", "instances")),
            ("not healthy at most", counted(summary.max_unhealthy, "instance", "instances")),
            ("seed", str(outcome.seed)),
        ]
    )
