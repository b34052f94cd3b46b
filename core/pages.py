"""One column as immutable pages, shared between the states that have them in common.

Sharing tells two columns apart quickly: pages that are one object need not be compared or copied.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

DIGEST_BYTES: Final = 16


class Paged:
    """One immutable column in pages of `page_bytes`; the last page is padded with zeros."""

    __slots__ = ("page_bytes", "pages")

    def __init__(self, pages: tuple[bytes, ...], page_bytes: int) -> None:
        self.pages = pages
        self.page_bytes = page_bytes

    @classmethod
    def of(cls, flat: bytes | bytearray | memoryview, page_bytes: int) -> Paged:
        """Cut a flat column into pages; equal pages next to each other are one object."""
        view = memoryview(flat)
        pages: list[bytes] = []
        for start in range(0, len(view), page_bytes):
            page = bytes(view[start : start + page_bytes]).ljust(page_bytes, b"\0")
            pages.append(pages[-1] if pages and pages[-1] == page else page)
        return cls(tuple(pages), page_bytes)

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return len(self.pages)

    def page(self, number: int) -> bytes:
        """Return one page."""
        return self.pages[number]

    def replaced(self, changes: Mapping[int, bytes]) -> Paged:
        """Return the column with other pages at these numbers; `IndexError` if it has no such page."""
        pages = list(self.pages)
        for number, page in changes.items():
            pages[number] = page
        return Paged(tuple(pages), self.page_bytes)

    def lengthened(self, page_count: int) -> Paged:
        """Return the column with pages of zeros at its end, itself if it has as many pages already."""
        if page_count <= len(self.pages):
            return self
        more = (bytes(self.page_bytes),) * (page_count - len(self.pages))
        return Paged((*self.pages, *more), self.page_bytes)

    def differing(self, other: Paged) -> Iterator[int]:
        """Yield the numbers of the pages that are not one object in both, in order; both are of one length."""
        if self.pages is not other.pages:
            for number, (mine, theirs) in enumerate(zip(self.pages, other.pages, strict=True)):
                if mine is not theirs:
                    yield number

    def flat(self) -> bytearray:
        """Return a writable copy of the whole column."""
        return bytearray().join(self.pages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Paged) and self.pages == other.pages

    __hash__ = None  # type: ignore[assignment]  # hash a state, by its digest

    def __reduce__(self) -> tuple[type[Paged], tuple[tuple[bytes, ...], int]]:
        return Paged, (self.pages, self.page_bytes)


def first_pages(counts: Iterable[int]) -> tuple[int, ...]:
    """Return where each column's pages begin if all columns' pages are numbered through, and how many there are."""
    found = [0]
    for count in counts:
        found.append(found[-1] + count)
    return tuple(found)


def merged(columns: Sequence[Paged], numbers: Iterable[int], pages: Iterable[bytes]) -> tuple[Paged, ...]:
    """Return the columns with other pages at these numbers, as `first_pages` numbers them; the last one said counts."""
    first = first_pages(column.page_count for column in columns)
    changes: dict[int, dict[int, bytes]] = {}
    for number, page in zip(numbers, pages, strict=True):
        at = bisect_right(first, number) - 1
        changes.setdefault(at, {})[number - first[at]] = page
    found = list(columns)
    for at, of_column in changes.items():
        found[at] = found[at].replaced(of_column)
    return tuple(found)
