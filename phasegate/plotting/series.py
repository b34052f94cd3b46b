"""Plain series over time, kept as columns: counts that change in steps, spans, and how often something happened.

Times are integer milliseconds and never go back. A series is written in the order of a log and then only read; it
grows with what happened, not with how many instances there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

from attrs import field, frozen


def _column() -> array[int]:
    return array("q")


@frozen
class Steps:
    """A count out of a whole, both of which hold from one instant to the next.

    From `at[i]` on it is `count[i]` of `whole[i]`; `high[i]` is the highest that the count was within that instant,
    so that a peak which is over in the millisecond that it began in is not lost.

    >>> steps = Steps()
    >>> for now, count in ((0, 0), (10, 4), (10, 2), (30, 1)):
    ...     steps.record(now, count, 100)
    >>> list(steps.at), list(steps.count), list(steps.high)
    ([0, 10, 30], [0, 2, 1], [0, 4, 1])
    """

    at: array[int] = field(factory=_column)
    count: array[int] = field(factory=_column)
    whole: array[int] = field(factory=_column)
    high: array[int] = field(factory=_column)

    def record(self, now: int, count: int, whole: int) -> None:
        """Say what holds from `now` on, or a correction within that instant."""
        if self.at and self.at[-1] == now:
            self.high[-1] = max(self.high[-1], count)
            self.count[-1], self.whole[-1] = count, whole
            return
        self.at.append(now)
        self.count.append(count)
        self.whole.append(whole)
        self.high.append(count)

    def __len__(self) -> int:
        return len(self.at)

    @property
    def most(self) -> int:
        """The highest count, 0 if there is none."""
        return max(self.high, default=0)

    @property
    def peak(self) -> tuple[int, int, int]:
        """When its share of the whole was highest for the first time, and the two numbers: (at, high, whole).

        Shares are compared by cross multiplication; a whole of 0 has none. `(0, 0, 0)` if there is nothing.

        >>> steps = Steps()
        >>> steps.record(0, 1, 10)
        >>> steps.record(5, 2, 40)
        >>> steps.peak
        (0, 1, 10)
        """
        best = (0, 0, 0)
        for at, high, whole in zip(self.at, self.high, self.whole, strict=True):
            if whole and (not best[2] or high * best[2] > best[1] * whole):
                best = (at, high, whole)
        return best

    def outline(self, start: int, end: int, bins: int) -> tuple[list[int], list[float]]:
        """Return the outline of the share in percent from `start` to `end` as points of a polyline.

        Exact where there are at most `bins` steps; else one value for each of `bins` equal spans, the highest that
        held within it, so that no peak is drawn lower than it was.
        """
        shares = [_percent(count, whole) for count, whole in zip(self.count, self.whole, strict=True)]
        peaks = [_percent(high, whole) for high, whole in zip(self.high, self.whole, strict=True)]
        if len(self) <= bins:
            return _exact(self.at, shares, peaks, end)
        return _binned(self.at, shares, peaks, start=start, end=end, bins=bins)


def _percent(count: int, whole: int) -> float:
    return 100 * count / whole if whole else 0.0


def _exact(at: Iterable[int], shares: list[float], peaks: list[float], end: int) -> tuple[list[int], list[float]]:
    x: list[int] = []
    y: list[float] = []
    for now, share, peak in zip(at, shares, peaks, strict=True):
        before = y[-1] if y else share
        for level in (before, peak, share):
            if not y or level != y[-1] or now != x[-1]:
                x.append(now)
                y.append(level)
    if y:
        x.append(end)
        y.append(y[-1])
    return x, y


def _binned(
    at: Iterable[int], shares: list[float], peaks: list[float], *, start: int, end: int, bins: int
) -> tuple[list[int], list[float]]:
    span = max(end - start, 1)
    highest = [-1.0] * bins
    last = [-1.0] * bins
    for now, share, peak in zip(at, shares, peaks, strict=True):
        place = min((now - start) * bins // span, bins - 1)
        highest[place] = max(highest[place], peak)
        last[place] = share
    x: list[int] = []
    y: list[float] = []
    held = 0.0
    for place in range(bins):
        level = max(held, highest[place])
        if last[place] >= 0:
            held = last[place]
        x += [start + span * place // bins, start + span * (place + 1) // bins]
        y += [level, level]
    return x, y


@frozen
class Spans:
    """Half-open spans of time in order, none touching the next: `[starts[i], ends[i])`.

    >>> list(Spans.union([(5, 9), (0, 2), (8, 12), (2, 3)]))
    [(0, 3), (5, 12)]
    """

    starts: array[int] = field(factory=_column)
    ends: array[int] = field(factory=_column)

    @classmethod
    def union(cls, spans: Iterable[tuple[int, int]], gap: int = 0) -> Spans:
        """Return what the given spans cover together, gaps of at most `gap` ms closed."""
        made = cls()
        for start, end in sorted(spans):
            if made.ends and start - made.ends[-1] <= gap:
                made.ends[-1] = max(made.ends[-1], end)
            else:
                made.starts.append(start)
                made.ends.append(end)
        return made

    def open(self, now: int) -> None:
        """Begin a span now, or go on with the last one if it ended in this very instant."""
        if self.ends and self.ends[-1] == now:
            self.ends.pop()
        else:
            self.starts.append(now)

    def close(self, now: int) -> None:
        """End the span that is open; nothing if none is."""
        if len(self.ends) < len(self.starts):
            self.ends.append(now)

    @property
    def is_open(self) -> bool:
        """Whether a span has begun and not ended."""
        return len(self.ends) < len(self.starts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.starts, self.ends, strict=True)

    def __len__(self) -> int:
        return len(self.starts)


@frozen
class Counts:
    """How often something happened and when: `count[i]` times at `at[i]`, times in order, each once.

    >>> counts = Counts()
    >>> counts.add(5, 1), counts.add(5, 2), counts.add(90, 1)
    (None, None, None)
    >>> list(counts), counts.total, list(counts.clusters(100))
    ([(5, 3), (90, 1)], 4, [(47, 4)])
    """

    at: array[int] = field(factory=_column)
    count: array[int] = field(factory=_column)

    @classmethod
    def sum(cls, parts: Iterable[Counts]) -> Counts:
        """Return how often it happened in all parts together.

        >>> one, other = Counts(), Counts()
        >>> one.add(5, 1), one.add(90, 1), other.add(5, 2)
        (None, None, None)
        >>> list(Counts.sum([one, other]))
        [(5, 3), (90, 1)]
        """
        made = cls()
        for at, count in sorted(pair for part in parts for pair in part):
            made.add(at, count)
        return made

    def add(self, now: int, count: int) -> None:
        """Say that it happened `count` times now."""
        if self.at and self.at[-1] == now:
            self.count[-1] += count
        else:
            self.at.append(now)
            self.count.append(count)

    @property
    def total(self) -> int:
        """How often in all."""
        return sum(self.count)

    def clusters(self, gap: int) -> Iterator[tuple[int, int]]:
        """Yield (middle, how often) for runs of times that lie within `gap` ms of the first one of the run."""
        first = last = count = 0
        for at, more in self:
            if count and at - first > gap:
                yield (first + last) // 2, count
                count = 0
            if not count:
                first = at
            last = at
            count += more
        if count:
            yield (first + last) // 2, count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.at, self.count, strict=True)

    def __len__(self) -> int:
        return len(self.at)
