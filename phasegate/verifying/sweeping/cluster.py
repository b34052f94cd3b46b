"""Workers on a Ray cluster, with the extra `phasegate[cluster]`: a task a case, one processor each.

Ray decides where a task runs. A case stands alone, so nothing but the package has to be on the other machines, and the
same version of it: a worker that has another says so instead of a result. A task that dies is not started once more:
what killed it would most likely do so again, and a second start of the sweep tries it anyway.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import define, field

from phasegate.core.errors import PhasegateError
from phasegate.verifying.result import Progress
from phasegate.verifying.sweeping.cases import sources
from phasegate.verifying.sweeping.outcome import Job, Outcome, lost, worked
from phasegate.verifying.sweeping.pool import POLL_SECONDS, Work

REACHED_SECONDS: Final = 10.0  # to be heard by the head of a cluster


class NoCluster(PhasegateError):
    """Ray is not installed, or there is no cluster at the address."""


@define
class Cluster:
    """The Ray cluster at an address (`auto`: the one of this machine; else as `ray.init` takes it)."""

    address: str
    work: Work = worked
    _ray: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        try:
            import ray  # noqa: PLC0415  # an extra
        except ImportError:
            raise NoCluster("a cluster needs ray, not installed; `pip install 'phasegate[cluster]'`") from None
        self._ray = ray

    @property
    def words(self) -> str:
        """Where that is, for people."""
        return f"on the Ray cluster at {self.address}"

    def outcomes(
        self, jobs: Iterable[Job], told: Callable[[Job, Progress], None], stop: Callable[[], bool]
    ) -> Iterator[tuple[Job, Outcome]]:
        """Yield each job with what it came to, in the order in which they are done; how far they are is not known.

        `NoCluster` if there is none at the address.
        """
        ray = self._ray
        _refuse_unreachable(self.address)
        try:
            ray.init(address=self.address, logging_level=logging.ERROR, log_to_driver=False, namespace="phasegate")
        except (ConnectionError, RuntimeError, ValueError) as error:
            what = str(error).strip().partition("\n")[0] or type(error).__name__
            raise NoCluster(f"no cluster at `{self.address}`: {what}") from None
        try:
            task = ray.remote(num_cpus=1, max_retries=0)(served)
            pending = {task.remote(self.work, job, sources()): job for job in jobs}
            while pending and not stop():
                ready, _ = ray.wait(list(pending), timeout=POLL_SECONDS)
                for one in ready:
                    yield pending.pop(one), self._outcome(one)
        finally:
            ray.shutdown()  # what is still at work ends with whoever asked for it

    def _outcome(self, one: Any) -> Outcome:
        try:
            outcome: Outcome = self._ray.get(one)
        except self._ray.exceptions.RayError as error:
            what = str(error).strip().partition("\n")[0]
            return lost(f"the process ended: {type(error).__name__}: {what}")
        return outcome


def served(work: Work, job: Job, wanted: str) -> Outcome:
    """Do one job in a worker of the cluster, one of as many on its machine as that has processors."""
    found = sources()
    if found != wanted:
        return lost(f"the worker has another phasegate, {found} instead of {wanted}")
    return work(job, os.cpu_count() or 1, _nobody_told, _never)


def _refuse_unreachable(address: str) -> None:
    """Refuse an address where nobody listens: ray itself would go on trying for a quarter of an hour."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        if parts.hostname and parts.port:  # else a word that ray knows, like `auto`
            socket.create_connection((parts.hostname, parts.port), REACHED_SECONDS).close()
    except (OSError, ValueError) as error:
        what = (getattr(error, "strerror", None) or str(error)).lower()
        raise NoCluster(f"no cluster at `{address}`: {what}") from None


def _nobody_told(progress: Progress) -> None:
    """Tell nobody: a task has no line back before it ends."""


def _never() -> bool:
    return False
