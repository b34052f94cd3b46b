"""What `phasegate verify --sweep` shows: a row for each case in the order of the grid, and totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table as Grid
from rich.text import Text

from phasegate.cli.screen import BAD, DIM, GOOD, ODD, STRONG, Head, Screen, columns, dotted, heading, indented, number
from phasegate.cli.verifyview import COLOURS, REASONS, amount
from phasegate.plotting.summary import counted
from phasegate.verifying.sweeping.cases import Case, value_in_words
from phasegate.verifying.sweeping.outcome import Outcome
from phasegate.verifying.sweeping.sweepfile import Sweep
from phasegate.verifying.sweeping.sweeping import Table, Watch

VALUE_MAX: Final = 32  # a value may be a whole object


def show(out: Screen, table: Table) -> None:
    """Print what is swept, the rows, and the totals."""
    sweep = table.sweep
    out.print(heading((sweep.name, STRONG), "  ", (table.where, DIM)))
    if sweep.about:
        out.print(indented(Text(sweep.about, style=DIM)))
    out.print()
    out.print(_table(table))
    out.print()
    for line in _lines(table):
        out.print(indented(line))


def headings(paths: Sequence[str]) -> list[str]:
    """Return short names of places: their last parts, as many as it takes to tell them apart.

    >>> headings(["fleet.sets[0].instances", "fleet.sets[1].instances", "environment.faults"])
    ['sets[0].instances', 'sets[1].instances', 'faults']
    """
    parts = [path.split(".") for path in paths]

    def short(at: int) -> str:
        own = parts[at]
        lengths = range(1, len(own) + 1)
        others = [other for number, other in enumerate(parts) if number != at]
        length = next((n for n in lengths if all(other[-n:] != own[-n:] for other in others)), len(own))
        return ".".join(own[-length:])

    return [short(at) for at in range(len(parts))]


def at_work(sweep: Sweep, watch: Watch) -> str:
    """Return how far those are that are being verified, in one line."""
    return "  |  ".join(
        f"{in_short(sweep, case)}: {now.states:,} states, depth {now.depth}" for case, now in watch.running.values()
    )


def in_short(sweep: Sweep, case: Case) -> str:
    """Return which case it is, in few words."""
    values = _values(sweep, case)
    if sweep.family is None:
        return values[0]
    return ", ".join(f"{name} {value}" for name, value in zip(headings(sweep.parameters), values, strict=True))


def _values(sweep: Sweep, case: Case) -> list[str]:
    """Return what tells a case apart; of a scenario its name, if no other has the same, else its path."""
    if sweep.family is None:
        is_one = sum(other.name == case.name for other in sweep.cases) == 1
        return [case.name if is_one else str(case.parameters["scenario"])]
    return [_value(value) for value in case.parameters.values()]


def _value(value: object) -> str:
    text = value_in_words(value)
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}..."


def _table(table: Table) -> Grid:
    names = headings(table.sweep.parameters)
    heads: list[Head] = [(name, "left" if name == "scenario" else "right", 6) for name in names]
    shown = columns(
        *heads,
        ("verdict", "left", 12),
        ("states", "right"),
        ("transitions", "right"),
        ("depth", "right"),
        ("states/s", "right"),
        ("memory", "right"),
    )
    for row in table.rows:
        shown.add_row(*_values(table.sweep, row.case), *_cells(row.outcome))
    totals = table.totals
    blank = [""] * (len(names) - 1)
    shown.add_row(Text("all", style=DIM), *blank, "", number(totals.states), number(totals.transitions), "", "", "")
    return shown


def _cells(outcome: Outcome | None) -> list[Text]:
    if outcome is None:
        return [Text("not run", style=DIM), *[Text()] * 5]
    return [
        _verdict(outcome),
        number(outcome.states),
        number(outcome.transitions),
        number(outcome.depth),
        number(round(outcome.states_per_second)),
        Text(amount(outcome.memory_bytes), style="" if outcome.memory_bytes else DIM),
    ]


def _verdict(outcome: Outcome) -> Text:
    text = Text(outcome.verdict, style=COLOURS[outcome.verdict])
    why = REASONS.get(outcome.reason or "", outcome.reason)
    if why is not None:
        text.append(f" ({why})", style=DIM)
    elif outcome.promise is not None:
        text.append(f" ({outcome.promise})", style=DIM)
    if outcome.is_expected:
        text.append(", as expected", style=GOOD)
    if outcome.disagreements:
        text.append(", not as expected", style=BAD)
    return text


def _lines(table: Table) -> list[Text]:
    totals = table.totals
    verdicts = [
        Text(f"{verdict} {count:,}", style=COLOURS[verdict]) for verdict, count in totals.verdicts.items() if count
    ]
    lines = [dotted([counted(totals.cases, "case", "cases"), *verdicts, f"{totals.seconds:,.1f} s of work"])]
    for row in table.rows:
        for what, expected, found in row.outcome.disagreements if row.outcome is not None else ():
            of = in_short(table.sweep, row.case)
            lines.append(Text(f"{of}: expected {what} {expected}, found {found}", style=BAD))
    if totals.done < totals.cases:
        left = counted(totals.cases - totals.done, "case was", "cases were")
        lines.append(Text(f"{left} not run", style=ODD))
    if totals.old:
        lines.append(Text(f"{totals.old:,} were taken over from the results file", style=DIM))
    if table.stale:
        were = "result of the file was" if table.stale == 1 else "results of the file were"
        lines.append(
            Text(f"{table.stale:,} {were} of another state of scenario or program, and not taken over", style=DIM)
        )
    return lines
