"""From figures to goals and growth: what is met, what is missed, and what was not measured."""

from __future__ import annotations

from typing import Any

import pytest

from phasegate.bench.figures import OURS, Figure, Figures, in_order, note, read
from phasegate.bench.goals import BARE, EVENTS, GOALS, MAIN, ROLLOUT, SELECTION, STEP
from phasegate.bench.growth import fit_of
from phasegate.bench.report import document
from phasegate.bench.running import run


def figure(path: str, instances: int, seconds: float, by: str = OURS, **numbers: float) -> Figure:
    """Return a figure of the main shape."""
    return Figure(path=path, by=by, shape=MAIN, instances=instances, seconds=seconds, median=seconds, rounds=1,
                  numbers=numbers)  # fmt: skip


SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
GOOD = Figures(
    (
        *(figure(SELECTION, size, size * 1e-10) for size in SIZES),
        *(figure(SELECTION, size, size * 1e-8, by="numpy") for size in SIZES),
        *(figure(STEP, size, 100e-6, changed=100) for size in SIZES),
        *(figure(STEP, size, 900e-6, changed=1_000) for size in SIZES),
        *(figure(ROLLOUT, size, size * 1e-7, peak_bytes=1e9) for size in SIZES),
        figure(EVENTS, 10_000, 1e-3),
        figure(EVENTS, 10_000, 0.06, by="SimPy"),
        figure(EVENTS, 10_000, 0.05, by=BARE),
        figure(EVENTS, 100_000, 0.05, by=BARE),  # compared where both were run
        figure(EVENTS, 10_000, 0.2, by="transitions"),
        figure("count the bytes of a state", 10_000, 1.0, facts_bytes=150_000),
        figure("load, ndjson", 1_000_000, 4.0),
        figure("load, parquet", 1_000_000, 0.4),
        figure("import phasegate", 0, 0.3),
        figure("import networkx, attrs, transitions", 0, 0.2),
        figure("read the bytes of a selection", 10_000_000, 0.5e-3, by="floor", bytes=1e7),
    )
)


def slower(by: float) -> Figures:
    """Return the good figures, ours that many times slower, the more so the larger the fleet."""
    return Figures(
        tuple(
            figure(
                f.path,
                f.instances,
                f.seconds * by * (f.instances + 1) ** 0.2,
                f.by,
                **{name: number * by for name, number in f.numbers.items() if name != "changed"},
                **({"changed": f.numbers["changed"]} if "changed" in f.numbers else {}),
            )
            if f.by == OURS and not f.path.startswith("import networkx")
            else f
            for f in GOOD.all
        )
    )


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.what)
def test_every_goal_can_be_met_missed_and_left_unmeasured(goal: Any) -> None:
    """Good figures meet each goal, much slower ones miss it, and where there are none it is neither."""
    assert goal.is_met(GOOD) is True
    assert goal.is_met(slower(50)) is False
    assert goal.is_met(Figures(())) is None


def test_growth_is_fitted_from_three_sizes_on() -> None:
    """Linear and flat costs have exponents one and nought; two sizes say nothing."""
    fits = [fit_of(GOOD.of(path, numbers=numbers)) for path, numbers in ((SELECTION, {}), (STEP, {"changed": 100}))]
    assert [1.0, 0.0] == [round(fit.exponent, 6) for fit in fits if fit is not None]
    assert fit_of(GOOD.of(SELECTION)[:2]) is None


def test_the_document_says_how_far_the_floor_is() -> None:
    """Ten million are selected in twice the time that their bytes can be read in."""
    told = document(GOOD, most=10_000_000, cpu=False)
    assert [(SELECTION, 10_000_000, 2.0)] == [
        (row["path"], row["instances"], pytest.approx(row["times"])) for row in told["floors"]
    ]
    assert {"numpy", "polars", "networkx", "simpy", "transitions"} == set(told["peers"])
    assert [goal["met"] for goal in told["goals"]] == [True] * len(GOALS)


def test_figures_are_read_from_what_was_noted() -> None:
    """What `note` writes, `read` finds; seconds of another process go before those that were timed."""

    class Benchmark:
        group = ""

        def __init__(self) -> None:
            self.extra_info: dict[str, Any] = {}

    here, elsewhere = Benchmark(), Benchmark()
    note(here, "a path", OURS, MAIN, 10, changed=3)
    note(elsewhere, "a path", "numpy", MAIN, 10, seconds=9.0)
    stats = {"min": 1.0, "median": 2.0, "rounds": 3}
    entries = [{"extra_info": one.extra_info, "stats": stats} for one in (here, elsewhere)]
    parameters = {"ending": "ndjson", "instances": 10, "size": 5, "is_logged": False}
    entries.append({"name": "test_load[ndjson-10-5]", "params": parameters, "extra_info": {}, "stats": stats})
    found = read({"benchmarks": entries})
    assert [("a path", 1.0), ("a path", 9.0), ("load, ndjson", 1.0)] == [(one.path, one.seconds) for one in found]
    assert [{"changed": 3}, {"seconds": 9.0}, {"size": 5}] == [one.numbers for one in found]


def test_ours_comes_first() -> None:
    """Names are in the order in which they were met, but ours."""
    assert [OURS, "numpy", "SimPy"] == in_order(["numpy", OURS, "SimPy", "numpy"])


def test_every_floor_of_a_step_is_told_with_its_bytes() -> None:
    """As the benchmarks note them, beside the step that they are the floor of."""
    chosen = "test_hundred_changes and not twin or a_step"
    told = document(run(most=100_000, quick=False, only=chosen), most=100_000, cpu=False)
    assert {"copy the pages that it changes", "read the lines that it must, anywhere"} == {
        row["floor"] for row in told["floors"]
    }
    assert all(row["bytes"] > 0 for row in told["floors"])
