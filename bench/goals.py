"""What the figures must show: each goal as data, with how it is read out of a run.

A goal that a run did not measure is neither met nor missed. None of them ever fails a test: a busy machine is no bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from attrs import frozen

from phasegate.bench.figures import Figures
from phasegate.bench.growth import fit_of
from phasegate.core.frozenmap import EMPTY

MILLION: Final = 1_000_000
MAIN: Final = "sixty regions"
SELECTION, STEP, ROLLOUT = "full selection", "step and selection after few changes", "whole rollout"
BARE: Final = "SimPy, no deadlines"
EVENTS: Final = "whole rollout, once compiled"
HUNDRED: Final = {"changed": 100}

Reading = Callable[[Figures], float | None]


@frozen
class Goal:
    """`what` must be at least, or at most, `bound`; `measured` reads it out of a run, None if it is not in there."""

    what: str
    at: Literal["at least", "at most"]
    bound: float
    unit: str
    measured: Reading

    def is_met(self, figures: Figures) -> bool | None:
        """Whether the run meets it, None if it did not measure it."""
        found = self.measured(figures)
        if found is None:
            return None
        return found >= self.bound if self.at == "at least" else found <= self.bound


def _seconds(path: str, instances: int, factor: float = 1.0, numbers: Mapping[str, float] = EMPTY) -> Reading:
    def read(figures: Figures) -> float | None:
        figure = figures.at(instances, path, shape=MAIN, numbers=numbers)
        return None if figure is None else figure.seconds * factor

    return read


def _times_faster(path: str, instances: int, than: str) -> Reading:
    def read(figures: Figures) -> float | None:
        ours, theirs = figures.at(instances, path, shape=MAIN), figures.at(instances, path, than, shape=MAIN)
        return None if ours is None or theirs is None else theirs.seconds / ours.seconds

    return read


def _times_the_rate(than: str) -> Reading:
    """Compare the same rollout on the largest fleet that both were run on, once the fleet is compiled for either."""

    def read(figures: Figures) -> float | None:
        ours = {figure.instances: figure for figure in figures.of(EVENTS, shape=MAIN)}
        theirs = [figure for figure in figures.of(EVENTS, than, shape=MAIN) if figure.instances in ours]
        return theirs[-1].seconds / ours[theirs[-1].instances].seconds if theirs else None

    return read


def _growth(path: str, one: int, other: int, numbers: Mapping[str, float] = EMPTY) -> Reading:
    def read(figures: Figures) -> float | None:
        small = figures.at(one, path, shape=MAIN, numbers=numbers)
        large = figures.at(other, path, shape=MAIN, numbers=numbers)
        return None if small is None or large is None else large.seconds / small.seconds

    return read


def _exponent(path: str, numbers: Mapping[str, float] = EMPTY) -> Reading:
    def read(figures: Figures) -> float | None:
        fit = fit_of(figures.of(path, shape=MAIN, numbers=numbers))
        return None if fit is None else fit.exponent

    return read


def _bytes_an_instance(figures: Figures) -> float | None:
    found = figures.of("count the bytes of a state", shape=MAIN)
    return found[-1].numbers["facts_bytes"] / found[-1].instances if found else None


def _peak_gb(instances: int) -> Reading:
    def read(figures: Figures) -> float | None:
        figure = figures.at(instances, ROLLOUT, shape=MAIN)
        peak = None if figure is None else figure.numbers.get("peak_bytes")
        return None if peak is None else peak / 1e9

    return read


def _loading(path: str, instances: int) -> Reading:
    """Read the slowest of those of that size, whatever the size of their sets."""

    def read(figures: Figures) -> float | None:
        return max((figure.seconds for figure in figures.of(path) if figure.instances == instances), default=None)

    return read


def _import_ms(figures: Figures) -> float | None:
    ours, theirs = figures.of("import phasegate"), figures.of("import networkx, attrs, transitions")
    return (ours[0].seconds - theirs[0].seconds) * 1e3 if ours and theirs else None


GOALS: Final = (
    Goal(
        "full selection over 10 million, faster than numpy",
        "at least",
        5,
        "times",
        _times_faster(SELECTION, 10 * MILLION, "numpy"),
    ),
    Goal("full selection over 10 million", "at most", 10, "ms", _seconds(SELECTION, 10 * MILLION, 1e3)),
    Goal(
        "step and selection after 100 changes in 10 million",
        "at most",
        200,
        "µs",
        _seconds(STEP, 10 * MILLION, 1e6, HUNDRED),
    ),
    Goal("the same, 10 million to 100,000", "at most", 1.5, "times", _growth(STEP, 100_000, 10 * MILLION, HUNDRED)),
    Goal("whole rollout of 1 million", "at most", 5, "s", _seconds(ROLLOUT, MILLION)),
    Goal("whole rollout of 10 million", "at most", 60, "s", _seconds(ROLLOUT, 10 * MILLION)),
    Goal("whole rollout, the rate of SimPy", "at least", 50, "times", _times_the_rate("SimPy")),
    Goal("the same, of a SimPy model without states and deadlines", "at least", 50, "times", _times_the_rate(BARE)),
    Goal("whole rollout, the rate of transitions machines", "at least", 100, "times", _times_the_rate("transitions")),
    Goal("a state, beyond identity columns, an instance", "at most", 16, "bytes", _bytes_an_instance),
    Goal("memory at most in a whole rollout of 10 million", "at most", 2, "GB", _peak_gb(10 * MILLION)),
    Goal("load 1 million listed instances from NDJSON", "at most", 5, "s", _loading("load, ndjson", MILLION)),
    Goal("load 1 million listed instances from Parquet", "at most", 0.5, "s", _loading("load, parquet", MILLION)),
    Goal("exponent of full selection", "at most", 1.1, "", _exponent(SELECTION)),
    Goal("exponent of whole rollouts", "at most", 1.1, "", _exponent(ROLLOUT)),
    Goal("exponent of a step after 100 changes", "at most", 0.1, "", _exponent(STEP, HUNDRED)),
    Goal("import phasegate, beyond its dependencies", "at most", 150, "ms", _import_ms),
)
