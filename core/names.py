"""Many names in little room: one blob of UTF-8 and where each name ends, instead of an object a name."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from attrs import frozen


def is_name(name: str) -> bool:
    r"""Return whether something can be named so: not empty, without a `/`, and all of it prints.

    What does not print could command the terminal that it is shown on, and nobody could type it.

    >>> is_name("web_0"), is_name("web/0"), is_name("web\x1b[2J")
    (True, False, False)
    """
    return bool(name) and "/" not in name and name.isprintable()


def printable(text: str) -> str:
    r"""Return the text with a question mark for each character that does not print, so on one line.

    >>> printable("web\n0\x1b[2J")
    'web?0?[2J'
    """
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


@frozen
class PackedNames(Sequence[str]):
    """An immutable sequence of strings that holds no string object; `names[i]` makes one on demand.

    >>> names = PackedNames.of(["web_0", "web_1"])
    >>> len(names), names[1], list(names)
    (2, 'web_1', ['web_0', 'web_1'])
    """

    blob: bytes
    ends: bytes  # uint32 a name: where it ends in the blob

    @classmethod
    def of(cls, names: Iterable[str]) -> PackedNames:
        """Pack the names, in their order."""
        texts = list(names)
        joined = "".join(texts)
        blob = joined.encode()
        # Every character is one byte nearly always: then nobody needs to encode the names one by one.
        lengths = map(len, texts) if len(blob) == len(joined) else (len(text.encode()) for text in texts)
        return cls(blob, array("I", accumulate(lengths)).tobytes())

    def __len__(self) -> int:
        return len(self.ends) // 4

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._run(start, stop) if step == 1 else [self[i] for i in range(start, stop, step)]
        ends = memoryview(self.ends).cast("I")
        end = ends[at]  # or an IndexError
        return self.blob[ends[at - 1] if at % len(ends) else 0 : end].decode()

    def _run(self, start: int, stop: int) -> list[str]:
        ends = memoryview(self.ends).cast("I")
        begin = ends[start - 1] if start else 0
        names = []
        for end in ends[start:stop]:
            names.append(self.blob[begin:end].decode())
            begin = end
        return names

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in memoryview(self.ends).cast("I"):
            yield self.blob[start:end].decode()
            start = end

    def __repr__(self) -> str:
        return f"PackedNames({len(self)} names)"
