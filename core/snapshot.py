"""The columns of one state: a base, and the pages that came instead of some of its pages since.

A step changes a few pages out of very many. To put each into its column would copy the column's list of pages; to hang
the columns into trees would copy a node a page, and touch every neighbour's reference count. So a step appends its
pages to a log that many states share: a state is the log's base and its first `size` entries. Once a log holds a
share of all pages, what it says is written into a new base, and a new log begins; so a changed page costs the same
whether the fleet has a thousand instances or ten million. Only the newest state of a log can be appended to; stepping
from an older one begins a log of its own.

The digest of the columns is a sum, modulo 2**128, of one hash for each page at its place: a changed page takes its old
hash out and puts the new one in, and the order in which pages were changed does not matter.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final, Protocol

from phasegate.core.hashing import changed_by, sum_of
from phasegate.core.pages import DIGEST_BYTES, Paged, first_pages, merged

LOG_SHARE: Final = 4  # a log holds at most one page for every four that there are,
LOG_PAGES_MIN: Final = 1024  # and this many at least: small fleets write their bases anew every few dozen steps
_MODULUS: Final = 1 << 8 * DIGEST_BYTES

Merge = Callable[["tuple[Paged, ...]", "array[int]", "list[bytes]"], "tuple[Paged, ...]"]


class Copier(Protocol):
    """What a snapshot asks of a copier (`core.twin.copier`)."""

    def take(self, numbers: array[int], pages: list[bytes], /) -> None:
        """Append the pages that were written, and their numbers."""
        ...

    def merged(self, columns: tuple[Paged, ...], numbers: array[int], pages: list[bytes], /) -> tuple[Paged, ...]:
        """Return the columns with those pages, as `pages.merged` does."""
        ...

    def differing(self, columns: tuple[Paged, ...], others: tuple[Paged, ...], /) -> Sequence[int]:
        """Return the numbers of the pages that are not one object in both."""
        ...

    def latest(self, numbers: array[int], size: int, wanted: Sequence[int], /) -> Sequence[int]:
        """Return for each wanted number the last of the first `size` entries that has it, -1 for none."""
        ...


class PageLog:
    """A base and what came since. Entry n says: page `numbers[n]` is now `pages[n]`.

    Pages are numbered through all columns, one column after the other: column `at` begins with page `first[at]`.
    """

    __slots__ = ("_base_sum", "_latest", "_sum", "base", "first", "lock", "numbers", "pages", "pages_max", "whole")

    def __init__(self, base: tuple[Paged, ...], base_sum: int | None = None) -> None:
        self.base = base
        self.first = first_pages(column.page_count for column in base)
        self.pages_max = max(LOG_PAGES_MIN, self.first[-1] // LOG_SHARE)
        self.numbers = array("I")
        self.pages: list[bytes] = []
        self.lock = Lock()  # two engines may step from one state at once; one of them appends, the other begins anew
        self.whole = (0, base)  # the columns as they were after so many entries, the last time that somebody asked
        self._base_sum = base_sum
        self._sum: tuple[int, int] | None = None  # (entries, sum), the last time that somebody asked
        self._latest: dict[int, bytes] = {}  # the hashes of changed pages, as they were then

    def columns(self, size: int, merge: Merge = merged) -> tuple[Paged, ...]:
        """Return the columns after the first `size` entries."""
        since, columns = self.whole
        if since > size:
            since, columns = 0, self.base
        if since == size:
            return columns
        numbers, pages = self.numbers, self.pages
        if since or size < len(pages):
            numbers, pages = numbers[since:size], pages[since:size]
        self.whole = (size, merge(columns, numbers, pages))
        return self.whole[1]

    def column_of(self, number: int) -> int:
        """Return the column in which a page is."""
        return bisect_right(self.first, number) - 1

    def successor(self, size: int, merge: Merge) -> PageLog:
        """Return the log that goes on after the first `size` entries: this one, or a new one with them in its base."""
        if size == len(self.pages) < self.pages_max:
            return self
        # Whoever has asked for a digest since this log began will ask again: the sum goes on, and is not made anew.
        return PageLog(self.columns(size, merge), None if self._sum is None else self.sum(size))

    def sum(self, size: int) -> int:
        """Return the sum of the hashes of all pages after the first `size` entries."""
        if self._base_sum is None:
            self._base_sum = sum_of(self.base)
        since, total = self._sum or (0, self._base_sum)
        latest = self._latest
        if since > size:
            since, total, latest = 0, self._base_sum, {}
        total += changed_by(self.first, self.base, latest, self.numbers, self.pages, since, size)
        total %= _MODULUS
        if latest is self._latest:
            self._sum = (size, total)
        return total


class Snapshot:
    """The columns of one state: the first `size` entries of a log. Immutable, and shared as far as it can be."""

    __slots__ = ("_log", "_size")

    def __init__(self, log: PageLog, size: int) -> None:
        self._log = log
        self._size = size

    @classmethod
    def of(cls, columns: tuple[Paged, ...]) -> Snapshot:
        """Return these columns with nothing changed in them."""
        return cls(PageLog(columns), 0)

    @property
    def columns(self) -> tuple[Paged, ...]:
        """Every column, whole."""
        return self._log.columns(self._size)

    @property
    def first(self) -> tuple[int, ...]:
        """The number of each column's first page, and how many pages there are."""
        return self._log.first

    @property
    def digest(self) -> bytes:
        """128 bits over all pages and their places."""
        with self._log.lock:
            return self._log.sum(self._size).to_bytes(DIGEST_BYTES, "big")

    def followed(self, copier: Copier) -> Snapshot:
        """Return the snapshot after what was written where the copier copies from."""
        with self._log.lock:
            log = self._log.successor(self._size, copier.merged)
            size = len(log.pages)
            try:
                copier.take(log.numbers, log.pages)
            except BaseException:  # out of memory, say: what is half appended was never there
                del log.numbers[size:], log.pages[size:]
                raise
            return Snapshot(log, len(log.pages))

    def differing(self, other: Snapshot, copier: Copier) -> set[int]:
        """Return the numbers of all pages that may differ: those that are not one object in both."""
        if self._log is other._log:
            low, high = sorted((self._size, other._size))
            return set(self._log.numbers[low:high])
        columns = [some._log.columns(some._size, copier.merged) for some in (self, other)]
        return set(copier.differing(*columns))

    def pages(self, numbers: Sequence[int], copier: Copier) -> list[bytes]:
        """Return some of the pages."""
        log = self._log
        found = []
        for number, entry in zip(numbers, copier.latest(log.numbers, self._size, numbers), strict=True):
            if entry >= 0:
                found.append(log.pages[entry])
            else:
                at = log.column_of(number)
                found.append(log.base[at].pages[number - log.first[at]])
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return (self._log is other._log and self._size == other._size) or self.columns == other.columns

    __hash__ = None  # type: ignore[assignment]  # hash a state, by its digest

    def __reduce__(self) -> tuple[Callable[[tuple[Paged, ...]], Snapshot], tuple[tuple[Paged, ...]]]:
        return Snapshot.of, (self.columns,)
