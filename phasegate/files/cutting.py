"""Long lists of instances cut out of a fleet's JSON text, so that what is left can be read strictly, and quickly.

In the place of each list stands `PLACE`; `put_back` sets the rosters that were made of the lists in its place in the
plain data. Whatever is not as expected is left in the text, for the strict reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from phasegate.core.roster import Roster
from phasegate.files.instancerows import NotInBulk, roster_of_text

PLACE: Final = "(a list of instances)"
_PLACE: Final = msgspec.json.encode(PLACE)
_LONG: Final = 256  # bytes: shorter lists stay in the text
_NOT_READ: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Set(msgspec.Struct):
    instances: msgspec.Raw = msgspec.Raw(b"")


class _Sets(msgspec.Struct):
    sets: list[msgspec.Raw] = []


_set: Final = msgspec.json.Decoder(_Set).decode
_sets: Final = msgspec.json.Decoder(_Sets).decode


def cut_set(text: bytes) -> tuple[bytes, Roster | None]:
    """Return the text of one set without its list of instances, and the roster of these; None if it stays."""
    try:
        listed = bytes(_set(text).instances)
        if len(listed) < _LONG or not listed.startswith(b"["):
            return text, None
        roster = roster_of_text(listed)
    except (*_NOT_READ, NotInBulk):
        return text, None
    start = _place(text, listed, 0)
    return b"".join((text[:start], _PLACE, text[start + len(listed) :])), roster


def cut_fleet(text: bytes) -> tuple[bytes, list[Roster | None]]:
    """Return the text of a whole fleet without its lists of instances, and what was cut out of each set."""
    try:
        sets = _sets(text).sets
    except _NOT_READ:
        return text, []
    parts: list[bytes] = []
    rosters: list[Roster | None] = []
    done = 0
    for one in sets:
        whole = bytes(one)
        rest, roster = cut_set(whole)
        rosters.append(roster)
        if roster is not None:
            start = _place(text, whole, done)
            parts += (text[done:start], rest)
            done = start + len(whole)
    return b"".join((*parts, text[done:])), rosters


def _place(text: bytes, piece: bytes, start: int) -> int:
    """Return where the piece stands in the text; by its beginning, as searching for megabytes is slow."""
    at = text.find(piece[:_LONG], start)
    return at if text.startswith(piece, at) else text.find(piece, at)


def put_back(sets: Any, rosters: Sequence[Roster | None]) -> bool:
    """Set the rosters in the place of the lists in the data of the sets; return whether each had such a place.

    One has not if its text stood somewhere else too, where no list of instances belongs.
    """
    for at, roster in enumerate(rosters):
        if roster is not None:
            found = sets[at] if isinstance(sets, list) and at < len(sets) else None
            if not isinstance(found, dict) or found.get("instances") != PLACE:
                return False
            found["instances"] = roster
    return True
