"""A sweep run to its end: what is known is taken over, the rest is verified; rows are in the order of the grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen

from phasegate.verifying.result import Bounds, Progress
from phasegate.verifying.sweeping.cases import Case, Settings
from phasegate.verifying.sweeping.outcome import Job, Outcome
from phasegate.verifying.sweeping.pool import Place
from phasegate.verifying.sweeping.results import Results
from phasegate.verifying.sweeping.sweepfile import Sweep


@frozen(kw_only=True)
class Row:
    """A case and what it came to; None where the sweep ended before it did. `is_old`: taken over from the file."""

    case: Case
    outcome: Outcome | None
    is_old: bool = False


@frozen(kw_only=True)
class Totals:
    """What the rows come to together; rates and memory are of single runs and have no sum."""

    cases: int
    done: int
    old: int
    verdicts: dict[str, int]
    states: int
    transitions: int
    seconds: float


@frozen(kw_only=True)
class Table:
    """The rows, in the order of the sweep's cases. `stale` is how many results of the file were of something else."""

    sweep: Sweep
    where: str
    rows: tuple[Row, ...]
    stale: int = 0

    @property
    def outcomes(self) -> list[Outcome]:
        """What the cases that are done came to."""
        return [row.outcome for row in self.rows if row.outcome is not None]

    @property
    def totals(self) -> Totals:
        """What they come to together."""
        done = self.outcomes
        return Totals(
            cases=len(self.rows),
            done=len(done),
            old=sum(row.is_old for row in self.rows),
            verdicts={
                verdict: sum(one.verdict == verdict for one in done)
                for verdict in ("holds", "violated", "undetermined")
            },
            states=sum(one.states for one in done),
            transitions=sum(one.transitions for one in done),
            seconds=round(sum(one.seconds for one in done), 3),
        )


@define
class Watch:
    """What somebody who looks on is told: how many cases are done, and how far those are that are being verified."""

    cases: int
    done: int = 0
    running: dict[int, tuple[Case, Progress]] = field(factory=dict)
    told: Callable[[Watch], Any] = lambda watch: None


def swept(
    sweep: Sweep,
    settings: Settings,
    place: Place,
    *,
    bounds: Bounds,
    results: Results | None = None,
    told: Callable[[Watch], Any] = lambda watch: None,
    stop: Callable[[], bool] = lambda: False,
) -> Table:
    """Verify every case of the sweep that `results` does not know, and return them all.

    Each that is done is written to `results` at once. Once `stop` says so, those that are at work are let go, and
    nothing is written of them.
    """
    digests = [case.digest(settings) for case in sweep.cases]
    found: list[Outcome | None] = [None] * len(sweep.cases)
    stale = 0
    if results is not None:
        found = [results.taken_over(case, digests[case.number], bounds) for case in sweep.cases]
        stale = sum(results.is_stale(case, digests[case.number]) for case in sweep.cases)
    old = [outcome is not None for outcome in found]
    watch = Watch(cases=len(found), done=sum(old), told=told)
    jobs = [Job(case=case, settings=settings, bounds=bounds) for case in sweep.cases if found[case.number] is None]

    def note(job: Job, progress: Progress) -> None:
        watch.running[job.case.number] = job.case, progress
        watch.told(watch)

    for job, outcome in place.outcomes(jobs, note, stop):
        number = job.case.number
        found[number] = outcome
        if results is not None:
            results.add(job.case, digests[number], bounds, outcome)
        watch.running.pop(number, None)
        watch.done += 1
        watch.told(watch)
    rows = _rows(sweep.cases, found, old)
    return Table(sweep=sweep, where=place.words, rows=rows, stale=stale)


def _rows(cases: Sequence[Case], found: Sequence[Outcome | None], old: Sequence[bool]) -> tuple[Row, ...]:
    return tuple(
        Row(case=case, outcome=outcome, is_old=is_old) for case, outcome, is_old in zip(cases, found, old, strict=True)
    )
