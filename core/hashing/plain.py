"""The functions of `core.hashing` in plain Python, written to be read; `fast.pyx` is the same, compiled."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b

from phasegate.core.pages import DIGEST_BYTES, Paged

IS_COMPILED: bool = False


def page_hash(column: int, number: int, page: bytes) -> bytes:
    """Return the hash of a page at its place: of its column and its number in it, so that growing moves nobody."""
    place = (column << 48 | number).to_bytes(8, "big")
    return blake2b(page, digest_size=DIGEST_BYTES, salt=place).digest()


def sum_of(columns: Sequence[Paged]) -> int:
    """Return the sum of the hashes of all pages, modulo 2**128."""
    return _modulo(
        sum(
            _number(page_hash(at, number, page))
            for at, column in enumerate(columns)
            for number, page in enumerate(column.pages)
        )
    )


def changed_by(
    first: Sequence[int],
    base: Sequence[Paged],
    latest: dict[int, bytes],
    numbers: array[int],
    pages: list[bytes],
    begin: int,
    end: int,
) -> int:
    """Return by how much the entries from `begin` to before `end` of a log change the sum, modulo 2**128.

    Pages are numbered through all columns, column `at` begins with page `first[at]`; `base` is what the log began with.
    `latest` has the hashes of the pages that were changed before, and takes up the new ones.
    """
    change = 0
    for entry in range(begin, end):
        number = numbers[entry]
        at = bisect_right(first, number) - 1
        place = number - first[at]
        before = latest.get(number)
        if before is None:
            before = page_hash(at, place, base[at].pages[place])
        now = latest[number] = page_hash(at, place, pages[entry])
        change += _number(now) - _number(before)
    return _modulo(change)


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "big")


def _modulo(number: int) -> int:
    return number % (1 << 8 * DIGEST_BYTES)
