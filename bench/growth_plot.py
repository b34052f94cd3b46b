"""The plot of how costs grow: both axes logarithmic, a panel a path, the fitted exponent beside each line."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from phasegate.bench import machine
from phasegate.bench.figures import OURS, Figure, Figures
from phasegate.bench.goals import BARE, EVENTS, MAIN, ROLLOUT, SELECTION, STEP
from phasegate.bench.growth import Fit, fit_of
from phasegate.bench.table import seconds, size
from phasegate.core.errors import PhasegateError
from phasegate.files.documents import write_atomically
from phasegate.plotting import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS: Final = ("svg", "png")
WIDTH, HEIGHT = 13.5, 5.4
MUTED: Final = "#6B6B6B"


@frozen
class Line:
    """How one series looks; colours are those of Okabe and Ito, and the marker alone tells lines apart too."""

    path: str
    by: str
    words: str
    color: str
    marker: str


PANELS: Final[dict[str, tuple[Line, ...]]] = {
    "Full selection": (
        Line(SELECTION, OURS, "phasegate", "#0072B2", "o"),
        Line(SELECTION, "plain twin", "plain twin", "#56B4E9", "s"),
        Line(SELECTION, "numpy", "numpy", "#D55E00", "^"),
        Line(SELECTION, "numpy, our counters", "numpy, our counters", "#E69F00", "v"),
        Line("read the bytes of a selection", "floor", "reading the bytes", "#7F7F7F", "."),
        Line("copy the bytes of a selection", "floor", "copying the bytes", "#B0B0B0", "."),
    ),
    "Step and selection after 100 changes": (
        Line(STEP, OURS, "phasegate", "#0072B2", "o"),
        Line(STEP, "plain twin", "plain twin", "#56B4E9", "s"),
        Line("copy the bytes of a step", "floor", "copying the pages", "#7F7F7F", "."),
    ),
    "Whole rollout": (
        Line(ROLLOUT, OURS, "phasegate", "#0072B2", "o"),
        Line(ROLLOUT, "plain twin", "plain twin", "#56B4E9", "s"),
        Line(EVENTS, "SimPy", "SimPy", "#009E73", "D"),
        Line(EVENTS, BARE, BARE, "#8CCFB7", "d"),
        Line(EVENTS, "transitions", "transitions", "#CC79A7", "P"),
    ),
}


def check(path: str | os.PathLike[str]) -> str:
    """Return the ending of a path that the plot can be written to; `PhasegateError` if it is not one of `ENDINGS`."""
    ending = os.path.splitext(os.fspath(path))[1].removeprefix(".").lower()
    if ending not in ENDINGS:
        raise PhasegateError(f"cannot plot to `{os.fspath(path)}`: its ending is none of .svg, .png")
    canvas.require()
    return ending


def draw(figures: Figures, described: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the plot of a run to `path`, whole or not at all."""
    ending = check(path)
    with canvas.settings():
        from matplotlib.figure import Figure as Sheet  # noqa: PLC0415  # an extra: imported where it is used

        sheet = Sheet(figsize=(WIDTH, HEIGHT), dpi=canvas.DOTS_PER_INCH, facecolor="white")
        for at, (title, lines) in enumerate(PANELS.items()):
            _panel(sheet.add_subplot(1, len(PANELS), at + 1), title, lines, figures)
        sheet.subplots_adjust(left=0.055, right=0.985, top=0.80, bottom=0.11, wspace=0.2)
        sheet.text(0.012, 0.945, "What a decision costs, and how that grows", size=13, weight="bold")
        under = f"{machine.in_a_line(described)}  ·  fleets of sets of 100 in sixty regions"
        sheet.text(0.012, 0.895, under, size=8.5, color=MUTED)
        room = BytesIO()
        options: dict[str, Any] = {"metadata": {"Date": None}} if ending == "svg" else {}
        sheet.savefig(room, format=ending, **options)
    write_atomically(path, [room.getvalue()])


def _panel(axes: Axes, title: str, lines: tuple[Line, ...], figures: Figures) -> None:
    axes.set_title(title, size=10, weight="bold", loc="left")
    axes.set_xscale("log")
    axes.set_yscale("log")
    for line in lines:
        found = [f for f in figures.of(line.path, line.by, MAIN) if f.numbers.get("changed", 100) == 100]
        if found:
            _draw_line(axes, line, found, fit_of(found))
    axes.grid(visible=True, which="major", color="#E3E5E9", linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda value, _: size(round(value)))
    axes.yaxis.set_major_formatter(lambda value, _: seconds(value).replace(".00", "").replace(".0 ", " "))
    axes.minorticks_off()
    axes.set_xlabel("instances", size=8, color=MUTED)
    axes.tick_params(labelsize=8, colors=MUTED, length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#B8BBC2")
    labels = axes.get_legend_handles_labels()[1]
    if labels:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** (0.07 * len(labels)))  # room for the legend
        axes.legend(loc="upper left", fontsize=8, frameon=False, labelspacing=0.35, handlelength=1.8, borderaxespad=0.2)
    else:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", size=8, color=MUTED)


def _draw_line(axes: Axes, line: Line, found: list[Figure], fit: Fit | None) -> None:
    exponent = "" if fit is None else f"   n^{fit.exponent:.2f}"
    axes.plot(
        [figure.instances for figure in found],
        [figure.seconds for figure in found],
        color=line.color,
        marker=line.marker,
        markersize=5,
        linewidth=1.8 if line.by == OURS else 1.1,
        label=line.words + exponent,
        zorder=3 if line.by == OURS else 2,
    )
    if fit is not None:
        axes.plot(
            [fit.least, fit.most],
            [fit.at(fit.least), fit.at(fit.most)],
            color=line.color,
            linewidth=0.7,
            linestyle=(0, (4, 3)),
            zorder=1,
        )
