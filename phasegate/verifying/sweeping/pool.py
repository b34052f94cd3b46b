"""Workers on this machine: each case in a process of its own, as many at a time as there are processors.

A process a case, because then one that dies takes nothing with it, its exit code says how it died, and what it used is
given back. The processes are forked from one that has imported everything, so that they begin in milliseconds. Each
has a pipe to here: it tells how far it is and what it came to, and whoever finds the pipe closed ends; so no worker
outlives a sweep that was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Final, Protocol

from attrs import define, field

from phasegate.verifying.result import Progress
from phasegate.verifying.sweeping.outcome import Job, Outcome, died, worked

POLL_SECONDS: Final = 0.2  # between two looks at whether somebody wants it to end
GRACE_SECONDS: Final = 5.0  # for workers that were asked to end, before they are made to
COMPILED: Final = ("phasegate.core.kernel", "phasegate.core.exploring.explorer")  # passed over where not built
Work = Callable[[Job, int, Callable[[Progress], None], Callable[[], bool]], Outcome]


class Place(Protocol):
    """Where cases are verified."""

    @property
    def words(self) -> str:
        """Where that is, for people."""
        ...

    def outcomes(
        self, jobs: Iterable[Job], told: Callable[[Job, Progress], None], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with what it came to, as they are done; end early, the others let go, once `stop` says so."""
        ...


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@define
class Pool:
    """Processes on this machine, at most `workers` at a time; each runs `work`."""

    workers: int = field(factory=processors)
    work: Work = worked

    @property
    def words(self) -> str:
        """Where that is, for people."""
        return f"{self.workers} at a time on this machine"

    def outcomes(
        self, jobs: Iterable[Job], told: Callable[[Job, Progress], None], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with what it came to, in the order in which they are done."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, *COMPILED])
        waiting = deque(jobs)
        running: dict[Any, tuple[Any, Job]] = {}
        try:
            while (waiting or running) and not stop():
                while waiting and len(running) < self.workers:
                    job = waiting.popleft()
                    ours, theirs = context.Pipe()
                    process = context.Process(
                        target=serve, args=(theirs, self.work, job, self.workers), name=f"case {job.case.number}"
                    )
                    process.start()
                    theirs.close()
                    running[ours] = process, job
                connection: Any
                for connection in wait(list(running), POLL_SECONDS):
                    process, job = running[connection]
                    said = _received(connection)
                    if isinstance(said, Progress):
                        told(job, said)
                        continue
                    del running[connection]
                    connection.close()
                    process.join()
                    yield job, died(process.exitcode) if said is None else said
        finally:
            _end(running)


def _received(connection: Any) -> Progress | Outcome | None:
    """Return what a worker says; None if it has died."""
    try:
        said: Progress | Outcome = connection.recv()
    except (EOFError, OSError):
        return None
    return said


def _end(running: dict[Any, tuple[Any, Job]]) -> None:
    """Let the workers go that are still at it."""
    for connection in running:
        connection.close()
    for process, _ in running.values():
        process.join(GRACE_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()


def serve(connection: Connection, work: Work, job: Job, share: int) -> None:
    """Do one job in a process of its own, and say what it came to; end early if nobody listens any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody; who started us says what comes of it
    with suppress(OSError):  # nobody listens any more
        connection.send(work(job, share, connection.send, connection.poll))
    connection.close()
