"""How a trace is cut into its records (`codes` says what each of them is); `kernel.pxd` has the same for C."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Final

from phasegate.core import codes as c

LENGTHS: Final[Mapping[int, int]] = {  # of records of one length
    c.T_ATTEMPT_ENDED: 4,
    c.T_PHASE_OPENED: 3,
    c.T_PHASE_ENDED: 6,
    c.T_ROLLOUT_ENDED: 3,
    c.T_ARMED: 3,
    c.T_FAILED_MORE: 3,
}
_HEADS: Final = {c.T_BECAME: 5, c.T_IGNORED: 5, c.T_STARTED: 4}  # of records about instances: the last is how many


def records(trace: array[int]) -> Iterator[tuple[int, int, int]]:
    """Yield where each record begins, where its slots begin, and where it ends; one about no instances has no slots.

    >>> list(records(array("i", [c.T_ARMED, 0, 4, c.T_STARTED, 2, 5, 2, 70, 71])))
    [(0, 3, 3), (3, 7, 9)]
    """
    at, end = 0, len(trace)
    while at < end:
        operation = trace[at]
        if operation in LENGTHS:
            begin = after = at + LENGTHS[operation]
        else:
            begin = at + _HEADS[operation]
            after = begin + trace[begin - 1]
        yield at, begin, after
        at = after
