"""A sheet in inches, its origin at the top left, that matplotlib draws; the one module that knows matplotlib.

Nothing here depends on a user's matplotlib settings, the time of day or a hash seed: equal calls give equal bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from phasegate.core.errors import PhasegateError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH: Final = 100
INK: Final = "#222222"
FONT: Final = "DejaVu Sans"  # comes with matplotlib, so text is as wide everywhere

# svg.hashsalt: without it the ids in an SVG are random. text.hinting: hinted text is up to a tenth wider in a PNG than
# in an SVG, and wider than text_width says. text.parse_math: a name with two dollar signs is no formula
_SETTINGS: Final[dict[Any, Any]] = {
    "font.family": [FONT],
    "svg.hashsalt": "phasegate",
    "svg.fonttype": "path",
    "hatch.linewidth": 0.6,
    "path.simplify": False,
    "text.hinting": "no_hinting",
    "text.parse_math": False,
}

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@frozen
class Symbol:
    """How one kind of event is marked: matplotlib's marker, its size in points, and its colours."""

    marker: str
    size: float
    fill: str
    edge: str


def require() -> None:
    """Raise `PhasegateError` with the remedy if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401, PLC0415  # an extra: imported where it is used
    except ImportError:
        raise PhasegateError("plots need matplotlib, which is not installed; `pip install 'phasegate[plot]'`") from None


@contextmanager
def settings() -> Iterator[None]:
    """Draw with matplotlib's own defaults and a few of ours, whatever the user's are.

    A letter that the font lacks is drawn as a box, without a word: other fonts are not the same everywhere.
    """
    import matplotlib  # noqa: PLC0415

    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.rcdefaults()
        for name, value in _SETTINGS.items():
            matplotlib.rcParams[name] = value
        yield


@cache
def text_width(words: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a line of text is, in inches; to be called within `settings()`."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415
    from matplotlib.textpath import TextPath  # noqa: PLC0415

    if not words.strip():
        return 0.0
    font = FontProperties(family=FONT, weight="bold" if bold else "normal")
    return float(TextPath((0, 0), words, size=size, prop=font).get_extents().width) / 72


def shortened(words: str, size: float, width: float, *, bold: bool = False) -> str:
    """Return the text, its end cut off and marked so if it is wider than `width` inches."""
    if text_width(words, size, bold=bold) <= width:
        return words
    low, high = 0, len(words)
    while low < high:  # the widest beginning that fits; text_width grows with the text
        middle = (low + high + 1) // 2
        if text_width(f"{words[:middle]}…", size, bold=bold) <= width:
            low = middle
        else:
            high = middle - 1
    return f"{words[:low].rstrip()}…"


@frozen
class Canvas:
    """The sheet; what has a higher `z` is drawn over what has a lower one."""

    width: float
    height: float
    _axes: Axes

    @classmethod
    def blank(cls, width: float, height: float) -> Canvas:
        """Return an empty white sheet; to be called, drawn on and saved within `settings()`."""
        from matplotlib.figure import Figure  # noqa: PLC0415

        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        axes.set_autoscale_on(False)
        return cls(width, height, axes)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float,
        color: str = INK,
        bold: bool = False,
        align: str = "left",
        upright: str = "center_baseline",
        halo: bool = False,
    ) -> float:
        """Write one line; return where it ends if it is left-aligned. `halo` keeps it clear of what is under it."""
        from matplotlib.patheffects import withStroke  # noqa: PLC0415

        drawn = self._axes.text(x, y, words, fontsize=size, color=color, ha=align, va=upright, zorder=10, clip_on=False)
        drawn.set_fontweight("bold" if bold else "normal")
        if halo:
            drawn.set_path_effects([withStroke(linewidth=1.6, foreground="white")])
        return x + text_width(words, size, bold=bold)

    def boxes(self, boxes: Iterable[Box], color: str, *, z: float) -> None:
        """Fill boxes with one colour."""
        from matplotlib.collections import PolyCollection  # noqa: PLC0415

        corners = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in boxes]
        self._axes.add_collection(PolyCollection(corners, facecolors=color, edgecolors="none", zorder=z))

    def hatched(self, box: Box, color: str, *, z: float) -> None:
        """Cover a box with slanted lines."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415

        x0, y0, x1, y1 = box
        self._axes.add_patch(
            Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, hatch="/////", edgecolor=color, linewidth=0, zorder=z)
        )

    def line(
        self, xs: Sequence[float], ys: Sequence[float], color: str, *, width: float, z: float, dashed: bool = False
    ) -> None:
        """Draw a line through points, its width in points."""
        style = (0, (4, 2)) if dashed else "-"
        self._axes.plot(
            xs, ys, color=color, linewidth=width, linestyle=style, solid_capstyle="butt", zorder=z, clip_on=False
        )

    def area(self, xs: Sequence[float], ys: Sequence[float], base: float, color: str, *, z: float) -> None:
        """Fill what lies between points and the height `base`."""
        self._axes.fill_between(xs, ys, base, color=color, linewidth=0, zorder=z)

    def symbols(self, points: Sequence[tuple[float, float]], symbol: Symbol, *, z: float) -> None:
        """Put the same symbol at each point."""
        if points:
            self._axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                linestyle="none",
                marker=symbol.marker,
                markersize=symbol.size,
                markerfacecolor=symbol.fill,
                markeredgecolor=symbol.edge,
                markeredgewidth=min(0.8, symbol.size / 8),
                zorder=z,
                clip_on=False,
            )

    def save(self, format: str, title: str) -> bytes:
        """Return the sheet as `svg` or `png`, without a date or the name of a program version in it."""
        file = BytesIO()
        metadata = {"Title": title, "Date": None, "Creator": None} if format == "svg" else {"Software": None}
        figure = self._axes.get_figure(root=True)
        assert figure is not None  # `blank` made it
        figure.savefig(file, format=format, metadata=metadata, dpi=DOTS_PER_INCH)
        return file.getvalue()
