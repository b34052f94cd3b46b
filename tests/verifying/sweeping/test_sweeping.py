"""Whole sweeps: rows in the order of the grid, totals, what is taken over, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sweeps import a_sweep

from phasegate.verifying.result import Bounds, Progress
from phasegate.verifying.sweeping.cases import Settings
from phasegate.verifying.sweeping.outcome import Job, Outcome
from phasegate.verifying.sweeping.results import opened
from phasegate.verifying.sweeping.sweeping import Watch, swept

HERE = Progress(states=1, transitions=2, frontier=3, depth=4, seconds=5.0, memory=6)


class Backwards:
    """A place that is done with the last job first."""

    words = "backwards"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def outcomes(
        self, jobs: Iterable[Job], told: Callable[[Job, Progress], None], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Outcome]]:
        """Give the outcomes from the last to the first, until it is to stop."""
        for job in reversed(list(jobs)):
            if stop():
                return
            told(job, HERE)
            self.asked.append(job.case.number)
            yield job, Outcome(verdict="holds", states=job.case.number, transitions=10, seconds=0.5)


def test_rows_are_in_the_order_of_the_grid(tmp_path: Path) -> None:
    """Whoever is done first; totals are of all."""
    place = Backwards()
    seen: list[tuple[int, list[int]]] = []

    def look(watch: Watch) -> None:
        seen.append((watch.done, list(watch.running)))

    table = swept(a_sweep(tmp_path), Settings(), place, bounds=Bounds(), told=look)
    assert ([3, 2, 1, 0], [0, 1, 2, 3]) == (place.asked, [row.outcome.states for row in table.rows if row.outcome])
    totals = table.totals
    assert (4, 4, 0, 6, 40, 2.0) == (
        totals.cases,
        totals.done,
        totals.old,
        totals.states,
        totals.transitions,
        totals.seconds,
    )
    assert {"holds": 4, "violated": 0, "undetermined": 0} == totals.verdicts
    assert [(0, [3]), (1, []), (1, [2]), (2, []), (2, [1]), (3, []), (3, [0]), (4, [])] == seen


def test_a_second_start_does_what_is_left(tmp_path: Path) -> None:
    """What was done is taken over, what was not is done; nothing is done twice."""
    sweep, place = a_sweep(tmp_path), Backwards()
    path = str(tmp_path / "r")
    with opened(path, sweep) as results:
        cut = swept(sweep, Settings(), place, bounds=Bounds(), results=results, stop=lambda: len(place.asked) == 2)
    assert [True, True, False, False] == [row.outcome is None for row in cut.rows]
    with opened(path, sweep) as results:
        whole = swept(sweep, Settings(), place, bounds=Bounds(), results=results)
    assert ([3, 2, 1, 0], 2, 0) == (place.asked, whole.totals.old, whole.stale)
    assert [False, False, True, True] == [row.is_old for row in whole.rows]
    with opened(path, sweep) as results:
        other = swept(sweep, Settings(seed=1), place, bounds=Bounds(), results=results)
    assert (4, 0) == (other.stale, other.totals.old)
