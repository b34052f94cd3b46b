"""One run as one document: machine, versions, figures, growth, goals; what `phasegate bench --json` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs

from phasegate.bench import machine
from phasegate.bench.figures import OURS, Figures, in_order
from phasegate.bench.goals import EVENTS, GOALS, HUNDRED, MAIN, ROLLOUT, SELECTION, STEP
from phasegate.bench.growth import fit_of
from phasegate.bench.peers import networkx_cells, numpy_selection, plain_rules, polars_gates

FORMAT: Final = "phasegate/bench/1"

CANNOT: Final = {
    "numpy": numpy_selection.CANNOT,
    "polars": polars_gates.CANNOT,
    "networkx": networkx_cells.CANNOT,
    "simpy": f"{plain_rules.CANNOT}; no timeout can be taken back, so answered deadlines stay in its queue",
    "transitions": plain_rules.CANNOT,
}
THREADS: Final = {"polars": polars_gates.THREADS}  # of those that take more than one

FIRST: Final = (SELECTION, STEP, ROLLOUT, EVENTS)  # of the paths, the others as they were measured

# what is as far from its floor as it is slower than that
FLOORS: Final = (
    (SELECTION, "read the bytes of a selection", "read its bytes once"),
    (SELECTION, "copy the bytes of a selection", "copy its bytes"),
    (STEP, "copy the bytes of a step", "copy the pages that it changes"),
    (STEP, "touch the lines of a step", "read the lines that it must, anywhere"),
)


def document(figures: Figures, *, most: int, cpu: bool) -> dict[str, Any]:
    """Return the run as plain data."""
    return {
        "format": FORMAT,
        "machine": machine.described(),
        "clock": "processor" if cpu else "wall",
        "most": most,
        "goals": [
            {
                "what": goal.what,
                "goal": f"{goal.at} {goal.bound:g}",
                "unit": goal.unit,
                "measured": goal.measured(figures),
                "met": goal.is_met(figures),
            }
            for goal in GOALS
        ],
        "growth": [
            {"path": path, "by": by, "numbers": dict(numbers), **attrs.asdict(fit)}
            for path, by, numbers in series(figures)
            if (fit := fit_of(figures.of(path, by, MAIN, dict(numbers)))) is not None
        ],
        "floors": [
            {
                "path": path,
                "floor": words,
                "instances": figure.instances,
                "bytes": least.numbers["bytes"],
                "seconds": least.seconds,
                "times": figure.seconds / least.seconds,
            }
            for path, floor, words in FLOORS
            for least in figures.of(floor, "floor", MAIN)
            if (figure := figures.at(least.instances, path, OURS, shape=MAIN, numbers=HUNDRED if path == STEP else {}))
            is not None
        ],
        "figures": [attrs.asdict(figure) | {"numbers": dict(figure.numbers)} for figure in figures.all],
        "peers": {
            name: {"version": number, "threads": THREADS.get(name, 1), "cannot": CANNOT[name]}
            for name, number in machine.versions().items()
        },
    }


def series(figures: Figures) -> Iterable[tuple[str, str, tuple[tuple[str, float], ...]]]:
    """Return what was measured over sizes of the main shape: path, by whom, and how many instances were changed."""
    main = [figure for figure in figures.all if figure.shape == MAIN]
    paths = dict.fromkeys(figure.path for figure in main)
    for path in sorted(paths, key=lambda path: FIRST.index(path) if path in FIRST else len(FIRST)):
        of_path = [figure for figure in main if figure.path == path]
        for by in in_order(figure.by for figure in of_path):
            changed = sorted({figure.numbers.get("changed", 0) for figure in of_path if figure.by == by})
            yield from ((path, by, (("changed", number),) if number else ()) for number in changed)
