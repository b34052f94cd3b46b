"""Workers on this machine: what they come to, how they die, and that they end with whoever started them."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from sweeps import a_sweep, jobs, kills_itself, never_ends, waits_to_be_stopped

from phasegate.verifying.result import Progress
from phasegate.verifying.sweeping import pool
from phasegate.verifying.sweeping.outcome import Job, Outcome, worked
from phasegate.verifying.sweeping.pool import Pool, processors, serve


def never() -> bool:
    """Let them go on."""
    return False


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Give Ctrl-C back its meaning after a test that plays a worker in this process."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def test_every_job_has_its_outcome(tmp_path: Path) -> None:
    """As many at a time as it says, each told of while it is at work."""
    given = jobs(a_sweep(tmp_path))
    told: list[tuple[int, Progress]] = []
    found = {
        job.case.number: outcome
        for job, outcome in Pool(2).outcomes(given, lambda job, now: told.append((job.case.number, now)), never)
    }
    assert {0, 1, 2, 3} == set(found) == {number for number, _ in told}
    assert [evolve(worked(job, 1, print, never), seconds=0) for job in given] == [
        evolve(found[number], seconds=0) for number in range(4)
    ]
    assert ("2 at a time on this machine", True) == (Pool(2).words, processors() == Pool().workers > 0)


def test_a_worker_that_dies_is_a_row(tmp_path: Path) -> None:
    """The others go on; the row says which signal it was."""
    found = {
        job.case.number: outcome
        for job, outcome in Pool(1, kills_itself).outcomes(jobs(a_sweep(tmp_path)), lambda *_: None, never)
    }
    assert ["holds", "undetermined", "holds", "holds"] == [found[number].verdict for number in range(4)]
    assert "the process ended: signal 9" == found[1].reason


def test_who_is_stopped_lets_its_workers_go(tmp_path: Path) -> None:
    """A worker notices that nobody listens any more, and ends by itself."""
    mark = tmp_path / "ended"
    seen: list[Outcome] = []
    given = jobs(a_sweep(tmp_path), promises=(str(mark), ""))
    given[0] = jobs(a_sweep(tmp_path))[0]
    for _, outcome in Pool(2, waits_to_be_stopped).outcomes(given, lambda *_: None, lambda: bool(seen)):
        seen.append(outcome)
    assert ["holds"] == [outcome.verdict for outcome in seen]
    assert mark.exists()
    assert [] == multiprocessing.active_children()


def test_who_does_not_end_is_made_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a grace."""
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0.1)
    until = time.monotonic() + 1
    found = Pool(1, never_ends).outcomes(jobs(a_sweep(tmp_path)), lambda *_: None, lambda: time.monotonic() > until)
    assert [] == list(found)
    assert [] == multiprocessing.active_children()


def test_processors_are_counted_where_none_are_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system says which of them a process may use."""
    monkeypatch.delattr(pool.os, "sched_getaffinity", raising=False)
    assert 0 < processors()


@pytest.mark.usefixtures("interruptible")
def test_a_worker_says_what_it_came_to(tmp_path: Path) -> None:
    """How far it is, then the outcome; Ctrl-C is not for it."""
    ours, theirs = multiprocessing.Pipe()
    job = jobs(a_sweep(tmp_path))[0]
    serve(theirs, worked, job, 1)
    assert signal.SIG_IGN == signal.getsignal(signal.SIGINT)
    said = [ours.recv()]
    while isinstance(said[-1], Progress):
        said.append(ours.recv())
    assert ("holds", True) == (said[-1].verdict, len(said) > 1)
    with pytest.raises(EOFError):
        ours.recv()


@pytest.mark.usefixtures("interruptible")
def test_a_worker_to_whom_nobody_listens_ends(tmp_path: Path) -> None:
    """Without a word."""
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    serve(theirs, _silent, jobs(a_sweep(tmp_path))[0], 1)
    assert theirs.closed


def _silent(job: Job, *_: object) -> Outcome:
    return Outcome(verdict="holds")
