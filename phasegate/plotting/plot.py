"""Draws the log of a rollout: a Gantt of phases, regions and zones, and under it what was in flight and not healthy.

`collect` reads the log into a `Timeline`, `draw` writes it as a picture. Only `draw` needs matplotlib, which the extra
`phasegate[plot]` brings.

    with open("rollout.ndjson", encoding="utf-8") as file:
        draw(collect(map(json.loads, file)), "rollout.svg")
"""

from __future__ import annotations

import os
from typing import Final

from phasegate.core.errors import PhasegateError
from phasegate.files.documents import write_atomically
from phasegate.plotting import canvas
from phasegate.plotting.page import page
from phasegate.plotting.picture import picture
from phasegate.plotting.summary import title_of
from phasegate.plotting.timeline import collect
from phasegate.plotting.tracks import Timeline

ENDINGS: Final = ("svg", "png", "html")

__all__ = ["ENDINGS", "check", "collect", "draw"]


def check(path: str | os.PathLike[str]) -> str:
    """Return the ending of a path that a plot can be written to, in lower case: one of `ENDINGS`.

    For those who would know before a long simulation. `PhasegateError` if the ending is another, or if matplotlib is
    not installed.

    >>> check("rollout.SVG")
    'svg'
    >>> check("rollout.pdf")
    Traceback (most recent call last):
        ...
    phasegate.core.errors.PhasegateError: cannot plot to `rollout.pdf`: its ending is none of .svg, .png, .html
    """
    ending = os.path.splitext(os.fspath(path))[1].removeprefix(".").lower()
    if ending not in ENDINGS:
        known = ", ".join(f".{one}" for one in ENDINGS)
        raise PhasegateError(f"cannot plot to `{os.fspath(path)}`: its ending is none of {known}")
    canvas.require()
    return ending


def draw(timeline: Timeline, path: str | os.PathLike[str], *, title: str | None = None) -> None:
    """Write the plot of a timeline to `path`, as the kind of file that its ending says: SVG, PNG or a web page.

    The file is written whole or not at all. Equal timelines and titles give equal bytes, with the same version of
    matplotlib. Left out, the title is made from the rollouts.

    `PhasegateError` as `check` has it, `InvalidFile` if the file cannot be written.
    """
    ending = check(path)
    if title is None:
        title = title_of(timeline)
    with canvas.settings():
        sheet = picture(timeline, title)
        drawn = sheet.save("png" if ending == "png" else "svg", title)
    write_atomically(path, [page(timeline, title, drawn) if ending == "html" else drawn])
