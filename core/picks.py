"""The batches that a kernel picks, as two columns: no object a batch, until somebody looks at one."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

Pick = tuple[int, int, "array[int]"]
"""One batch: set, bucket of its first candidate, slots in order."""


class Picks(Sequence[Pick]):
    """Batches in order: `heads` has four numbers a batch (set, bucket, where in `slots` its slots begin, how many).

    >>> picks = Picks.of([(0, 3, array("I", [7, 8])), (1, 5, array("I", [9]))])
    >>> len(picks), picks[1]
    (2, (1, 5, array('I', [9])))
    """

    __slots__ = ("heads", "slots")

    def __init__(self, heads: array[int], slots: array[int]) -> None:
        self.heads = heads
        self.slots = slots

    @classmethod
    def of(cls, batches: Iterable[Pick]) -> Picks:
        """Return these batches as columns."""
        heads, slots = array("i"), array("I")
        for s, bucket, some in batches:
            heads.extend((s, bucket, len(slots), len(some)))
            slots.extend(some)
        return cls(heads, slots)

    def __len__(self) -> int:
        return len(self.heads) // 4

    def __getitem__(self, at: int) -> Pick:  # type: ignore[override]  # read one by one; slices are not needed
        s, bucket, first, count = self.heads[4 * at : 4 * at + 4]
        return s, bucket, self.slots[first : first + count]

    def __iter__(self) -> Iterator[Pick]:
        return (self[at] for at in range(len(self)))
