"""Versions that are listed with a time to come: when one of them overtakes a running rollout (semantics 9).

With `supersede = "cancel"`, and only then is this asked, a rollout is cancelled when a newer version is there: somebody
says so (`Published`, `Replicated`), or the time has come with which it was listed. Nothing in the state is armed for
that: the time follows from the catalogue and the rollouts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from phasegate.core import codes as c
from phasegate.core.changes import supersede
from phasegate.core.compiling import image_named
from phasegate.core.model import Image
from phasegate.core.state import Book, RolloutRecord
from phasegate.core.versions import version_key
from phasegate.core.working import Working


class Announced:
    """What is announced in the catalogue of the state that is laid open; it is looked for once a book."""

    def __init__(self, work: Working) -> None:
        self._work = work
        self._book: Book | None = None
        self._since = 0
        # of each rollout: when after `_since` a newer version than its target comes to count, in order
        self._times: list[list[int]] = []

    def next_time(self, since: int) -> int | None:
        """Return when (ms UTC, after `since`) a version first overtakes a running rollout, None if none does.

        Nothing overtakes a manual rollout, or one that is cancelled already.
        """
        self._look_up(since)
        v = self._work.v
        first: int | None = None
        for rollout, times in enumerate(self._times):
            if times and v.course[rollout] == c.RUNNING and not v.trait[rollout] & c.STOPPING:
                at = bisect_right(times, since)
                if at < len(times) and (first is None or times[at] < first):
                    first = times[at]
        return first

    def come(self, time: int) -> None:
        """Cancel the rollouts that a version overtakes at that time, which `next_time` has told."""
        for rollout, record in enumerate(self._work.book.rollouts):
            if time in self._times[rollout]:
                supersede(self._work, record.image, time)

    def _look_up(self, since: int) -> None:
        book = self._work.book
        if book is not self._book or since < self._since:
            self._book, self._since = book, since
            self._times = [list(self._overtaking(record, since)) for record in book.rollouts]

    def _overtaking(self, record: RolloutRecord, since: int) -> Iterator[int]:
        work = self._work
        image = image_named(work.book.catalogue, record.image)
        if image is None or record.is_manual:
            return
        times = sorted({time for time in _times(image) if time > since})
        if not times:
            return
        models = (work.model(s) for s in range(work.rows("set")))
        regions = {model.region for model in models if model.image.name == record.image}
        target = work.compiled.rules.target
        known = target(image, regions, since)
        for time in times:
            newest = target(image, regions, time)
            if newest and newest != known and version_key(newest) > version_key(record.target):
                yield time
            known = newest


def _times(image: Image) -> Iterator[int]:
    for version in image.versions:
        yield version.published_at_ms
        yield from (replica.replicated_at_ms for replica in version.regions)
