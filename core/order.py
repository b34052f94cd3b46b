"""The order of names, wherever one is needed (semantics 1).

Ids compare with their digit runs as numbers (`web_9` before `web_10`), zones with digits as numbers, then text, the
zoneless cell last. Two names that differ only in leading zeros fall back to their text, so the order is total.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_RUN_MAX = 1000  # digits that are one number; Python refuses to read numbers of more than 4300
_DIGITS = re.compile(f"([0-9]{{1,{_RUN_MAX}}})")

NaturalKey = tuple[tuple[str | int, ...], str]
ZoneKey = tuple[int, int, str]


def natural_key(name: str) -> NaturalKey:
    """Return the key under which ids sort: text and numbers in turn, then the name itself.

    >>> sorted(["web_10", "web_9", "web_09"], key=natural_key)
    ['web_09', 'web_9', 'web_10']
    """
    parts = _DIGITS.split(name)
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts)), name


def zone_key(zone: str | None) -> ZoneKey:
    """Return the key under which zones sort: numbers, then text, then no zone at all.

    >>> sorted(["b", None, "10", "2"], key=zone_key)
    ['2', '10', 'b', None]
    """
    if zone is None:
        return (2, 0, "")
    if len(zone) <= _RUN_MAX and zone.isascii() and zone.isdigit():
        return (0, int(zone), zone)
    return (1, 0, zone)


def sorted_zones(zones: Iterable[str]) -> tuple[str, ...]:
    """Return the zones in their order."""
    return tuple(sorted(zones, key=zone_key))
