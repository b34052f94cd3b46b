"""A run for people: the machine, the goals, what grows how, shapes side by side, the peers and what they cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phasegate.bench import machine
from phasegate.bench.figures import OURS, Figure, Figures
from phasegate.bench.goals import MAIN, ROLLOUT, SELECTION
from phasegate.bench.growth import FIT_FROM, fit_of
from phasegate.bench.report import series
from phasegate.cli.screen import BAD, DIM, GOOD, STRONG, Heads, columns, grid, heading, indented, screen

UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
SHAPED: Final = {(SELECTION, OURS), (SELECTION, "numpy"), (SELECTION, "numpy, our counters"), (ROLLOUT, OURS)}


def seconds(count: float) -> str:
    """Return a time with three figures in the unit that fits.

    >>> seconds(0.0001234), seconds(12.34), seconds(0.0)
    ('123 µs', '12.3 s', '0 ns')
    """
    scale, unit = next((entry for entry in UNITS if count >= entry[0]), UNITS[-1])
    return f"{figures3(count / scale)} {unit}"


def figures3(value: float) -> str:
    """Return a number with three significant figures and no exponent.

    >>> figures3(1234.5), figures3(0.01234), figures3(9.999)
    ('1,234', '0.0123', '10.0')
    """
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 0.1:
        return f"{value:.3g}" if abs(value) < 1 else f"{value:#.3g}"
    return f"{value:.3g}"


def size(instances: int) -> str:
    """Return a count of instances in short.

    >>> size(1_000), size(10_000_000), size(1_500)
    ('1k', '10M', '1,500')
    """
    for scale, letter in ((1_000_000, "M"), (1_000, "k")):
        if instances and instances % scale == 0:
            return f"{instances // scale}{letter}"
    return f"{instances:,}"


def show(figures: Figures, document: Mapping[str, Any]) -> None:
    """Print the run."""
    out = screen()
    out.print(heading(("What a decision costs", STRONG)))
    out.print(indented(Text(machine.in_a_line(document["machine"]))))
    if document["clock"] == "processor":
        out.print(indented(Text("times are the processor's, not the wall's", style=DIM)))
    for title, block in _blocks(figures, document):
        out.print()
        out.print(heading((title, STRONG)))
        out.print(indented(block))


def _blocks(figures: Figures, document: Mapping[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    if any(goal["met"] is not None for goal in document["goals"]):
        yield "Goals", goals(document)
    yield f"Growth, {MAIN}: time by instances, and the exponent fitted from {size(FIT_FROM)} on", growth(figures)
    if document["floors"]:
        yield "Distance to the floor: how many times what the machine allows", floors(document)
    shaped = shapes(figures)
    if shaped.row_count:
        yield "Other shapes of fleets", shaped
    rest = others(figures)
    if rest.row_count:
        yield "Once", rest
    yield "What the others are, and what they cannot do here", peers(document)


def goals(document: Mapping[str, Any]) -> Table:
    """Return a row a goal: what, goal, measured, met or not."""
    table = columns(("", "left", 30), ("goal", "right"), ("measured", "right"), ("", "left"))
    for goal in document["goals"]:
        measured, unit = goal["measured"], goal["unit"]
        words, style = {True: ("met", GOOD), False: ("not met", BAD), None: ("not measured", DIM)}[goal["met"]]
        shown = "" if measured is None else f"{figures3(measured)} {unit}".strip()
        table.add_row(goal["what"], f"{goal['goal']} {unit}".strip(), shown, Text(words, style=style))
    return table


def goals_in_markdown(document: Mapping[str, Any]) -> str:
    """Return the goals as the README shows them, with the machine under them."""
    lines = ["| what | goal | measured | |", "| --- | ---: | ---: | --- |"]
    for goal in document["goals"]:
        shown = "" if goal["measured"] is None else f"{figures3(goal['measured'])} {goal['unit']}".strip()
        words = {True: "met", False: "not met", None: "not measured"}[goal["met"]]
        lines.append(f"| {goal['what']} | {goal['goal']} {goal['unit']}".rstrip() + f" | {shown} | {words} |")
    clock = "; the processor's time, on a machine that others were using" if document["clock"] == "processor" else ""
    return "\n".join([*lines, "", f"{machine.in_a_line(document['machine'])}{clock}.", ""])


def growth(figures: Figures) -> Table:
    """Return a row a path and peer, a column a size, and the fitted exponent."""
    rows = list(series(figures))
    sizes = sorted({figure.instances for figure in figures.all if figure.shape == MAIN})
    table = columns(
        ("", "left", 16), ("by", "left", 9), *((size(count), "right") for count in sizes), ("exponent", "right")
    )
    path_before = ""
    for path, by, numbers in rows:
        found = figures.of(path, by, MAIN, dict(numbers))
        by_size = {figure.instances: figure for figure in found}
        fit = fit_of(found)
        changed = (
            f", {int(dict(numbers)['changed']):,}" if len([row for row in rows if row[:2] == (path, by)]) > 1 else ""
        )
        table.add_row(
            Text(path if path != path_before else ""),
            Text(by + changed, style=STRONG if by == OURS else ""),
            *(seconds(by_size[count].seconds) if count in by_size else "" for count in sizes),
            "" if fit is None else f"{fit.exponent:.2f}",
        )
        path_before = path
    return table


def floors(document: Mapping[str, Any]) -> Table:
    """Return a row a path, floor and size: how many bytes, how long they take, and how many times that we take."""
    heads: Heads = (
        ("", "left", 16),
        ("floor", "left", 16),
        ("instances", "right"),
        ("MB", "right"),
        ("takes", "right"),
        ("we take", "right"),
    )
    table = columns(*heads)
    for row in document["floors"]:
        times = f"{figures3(row['times'])} times"
        megabytes, takes = figures3(row["bytes"] / 1e6), seconds(row["seconds"])
        table.add_row(row["path"], row["floor"], size(row["instances"]), megabytes, takes, times)
    return table


def shapes(figures: Figures) -> Table:
    """Return a row a shape: full selection beside numpy's, and a whole rollout."""
    table = columns(
        ("", "left"),
        ("instances", "right"),
        (SELECTION, "right"),
        ("numpy", "right"),
        ("our counters", "right"),
        ("instances", "right"),
        (ROLLOUT, "right"),
    )
    for shape in dict.fromkeys(figure.shape for figure in figures.all):
        if shape in ("", MAIN):
            continue
        cells = [shape]
        for path, by in ((SELECTION, OURS), (SELECTION, "numpy"), (SELECTION, "numpy, our counters"), (ROLLOUT, OURS)):
            found = figures.of(path, by, shape)
            if by == OURS:
                cells.append(size(found[-1].instances) if found else "")
            cells.append(seconds(found[-1].seconds) if found else "")
        table.add_row(*cells)
    return table


def others(figures: Figures) -> Table:
    """Return a row for each thing that was measured once, outside fleets or at one size."""
    table = columns(("", "left"), ("instances", "right"), ("time", "right"), ("", "left", 10))
    shown = {(path, by) for path, by, _ in series(figures)} | SHAPED
    for figure in figures.all:
        if (figure.path, figure.by) not in shown:
            table.add_row(
                _named(figure), size(figure.instances), seconds(figure.seconds), Text(_more(figure), style=DIM)
            )
    return table


def _named(figure: Figure) -> str:
    return figure.path if figure.by == OURS else f"{figure.path}, {figure.by}"


def _more(figure: Figure) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {figures3(number)}" for name, number in figure.numbers.items())


def peers(document: Mapping[str, Any]) -> RenderableType:
    """Return each peer with its version and what it leaves out."""
    return grid(
        (f"{name} {of['version']}" + (f", {of['threads']} threads" if of["threads"] > 1 else ""), Text(of["cannot"]))
        for name, of in document["peers"].items()
    )
