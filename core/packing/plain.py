"""The functions of `core.packing` in plain Python, written to be read; `fast.pyx` is the same, compiled."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from phasegate.core.names import is_name
from phasegate.core.order import natural_key

IS_COMPILED: bool = False
NUMBER_MAX: Final = 2**32 - 1
_VIEWED: Final[dict[int, Literal["B", "H", "I"]]] = {1: "B", 2: "H", 4: "I"}


def first_wrong(blob: bytes, ends: bytes) -> int:
    """Return the first name that is none (`names.is_name`), -1 if there is none."""
    return next((at for at, name in enumerate(_names(blob, ends)) if not is_name(name.decode())), -1)


def first_repeated(blob: bytes, ends: bytes) -> int:
    """Return the first name that is the same as the one before it, -1 if there is none."""
    before: bytes | None = None
    for at, name in enumerate(_names(blob, ends)):
        if name == before:
            return at
        before = name
    return -1


def natural_order(blob: bytes, ends: bytes) -> array[int] | None:
    """Return the order in which the names are sorted (`order.natural_key`), None if they already are.

    Equal names stay in the order in which they are given.
    """
    keys = [natural_key(name.decode()) for name in _names(blob, ends)]
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    return None if rows == list(range(len(keys))) else array("I", rows)


def numbers(blob: bytes, ends: bytes) -> array[int] | None:
    """Return the names as uint32 if each is a plain number below 2**32, written without leading zeros, else None."""
    found = array("I")
    for name in _names(blob, ends):
        plain = len(name) <= 10 and name.isdigit() and (name == b"0" or not name.startswith(b"0"))
        if not plain or int(name) > NUMBER_MAX:
            return None
        found.append(int(name))
    return found


def grouped(number: bytes, place: bytes, domain: bytes) -> array[int] | None:
    """Return the rows in order of number (int32, not negative), place (uint8) and domain (uint16), None if they are.

    Rows that are alike stay in the order in which they are given.
    """
    keys = list(zip(memoryview(number).cast("i"), place, memoryview(domain).cast("H"), strict=True))
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    return None if rows == list(range(len(keys))) else array("I", rows)


def run_starts(number: bytes, place: bytes, domain: bytes) -> array[int]:
    """Return where each run of rows that are alike in all three columns begins, and the number of rows last."""
    keys = list(zip(memoryview(number).cast("i"), place, memoryview(domain).cast("H"), strict=True))
    starts = [at for at, key in enumerate(keys) if at == 0 or key != keys[at - 1]]
    return array("I", [*starts, len(keys)])


def taken(column: bytes, item_bytes: int, order: array[int]) -> bytes:
    """Return the rows of a column (items of 1, 2 or 4 bytes) in that order."""
    items = memoryview(column).cast(_VIEWED[item_bytes])
    return array(_VIEWED[item_bytes], (items[row] for row in order)).tobytes()


def taken_names(blob: bytes, ends: bytes, order: array[int]) -> tuple[bytes, bytes]:
    """Return blob and ends of the names in that order."""
    names = list(_names(blob, ends))
    new, new_ends = bytearray(), array("I")
    for row in order:
        new += names[row]
        new_ends.append(len(new))
    return bytes(new), new_ends.tobytes()


def recoded(codes: bytes, item_bytes: int, kept: int) -> tuple[array[int], bytes]:
    """Return the codes (of 1 or 2 bytes) that occur, by first appearance, and the column with places among these.

    The code `kept` stays what it is and is not listed; -1 for none.
    """
    places: dict[int, int] = {}
    new = array(_VIEWED[item_bytes])
    for code in memoryview(codes).cast(_VIEWED[item_bytes]):
        new.append(kept if code == kept else places.setdefault(code, len(places)))
    return array("I", places), new.tobytes()


def looked_up(codes: bytes, table: array[int]) -> bytes:
    """Return, for a column of uint16, the column of what stands in the table (uint16) at each place."""
    return array("H", (table[code] for code in memoryview(codes).cast("H"))).tobytes()


def cut_ends(ends: memoryview | bytes, first: int, end: int) -> tuple[int, bytes]:
    """Return where the names from `first` to before `end` begin, and where each ends counted from there (uint32).

    `ends` is int64: where every name of a long list ends, with a 0, or where the first begins, before them.
    """
    stops = memoryview(ends).cast("q")
    return stops[first], array("I", (stop - stops[first] for stop in stops[first + 1 : end + 1])).tobytes()


def repeated(values: Sequence[int], counts: Sequence[int], typecode: Literal["I", "q"]) -> array[int]:
    """Return each value as often as its count says, in their order; `typecode` is `I` or `q`."""
    found = array(typecode)
    for value, count in zip(values, counts, strict=True):
        found.extend(array(typecode, (value,)) * count)
    return found


def span(column: Sequence[int]) -> tuple[int, int]:
    """Return the least and the greatest number of a column that is not empty."""
    return min(column), max(column)


def _names(blob: bytes, ends: bytes) -> Iterator[bytes]:
    start = 0
    for end in memoryview(ends).cast("I"):
        yield bytes(blob[start:end])
        start = end
