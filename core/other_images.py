"""What is on a set whose image reference has changed: versions of two images do not compare (semantics 2).

    at the change                                  all that is not in flight: unknown
    in flight then, or done for the old image      what its attempt left there, until another image's attempt is made

An unknown version is no target and none that failed: it is taken to the new image's target. What is in flight finishes
for the image that it started for, and a restore still brings back what was there; so that is forgotten only later.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core.lifecycle import Life
from phasegate.core.working import Working

LEFT_BY_AN_ATTEMPT = (Life.UPGRADED, Life.RESTORED, Life.FAILED)


def forget_failures(work: Working, slots: Sequence[int]) -> None:
    """Clear the memory of the versions that failed on these instances."""
    for slot in slots:
        work.v.failed[slot] = 0
        work.v.touch_slot(slot, c.WROTE_FAILED)
    members = frozenset(slots)
    kept = frozenset(entry for entry in work.book.failed_more if entry[0] not in members)
    work.book = evolve(work.book, failed_more=kept)


def forget_versions(work: Working, slots: Sequence[int]) -> None:
    """Let nobody know any more which versions are on these instances."""
    for slot in slots:
        work.v.version[slot] = 0
        work.v.touch_slot(slot, c.WROTE_VERSION)


def left_by_another(work: Working, s: int) -> list[int]:
    """Return the instances on which an attempt has left a version, or a failure, of an image that is not the set's.

    Whoever joined since has not been in that attempt, and is on a version of the new image.
    """
    last = work.v.link[s * c.LINK + c.LINK_ROLLOUT]
    if last < 0 or work.book.rollouts[last].image == work.model(s).image.name:
        return []
    return [slot for slot in work.slots_of(s) if work.v.life[slot] & c.STATE_BITS in LEFT_BY_AN_ATTEMPT]
