"""Time zones for the pure core: a zone as a list of instants and offsets (semantics 4).

The rules come from the tzdata package alone, never from the machine, so that the same file means the same everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from phasegate.core.model import refuse_unknown

Offsets = tuple[tuple[int, int], ...]

LONG_AGO_MS = -(2**53)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2100, 1, 1, tzinfo=UTC)
_STEP = timedelta(days=1)  # no zone of the data changes its offset twice in so short a time
_SECOND = timedelta(seconds=1)


@cache
def timezone_names() -> frozenset[str]:
    """Return the names of all time zones that there are."""
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split())


@cache
def utc_offsets(timezone: str) -> Offsets:
    """Return the offsets of a zone: pairs (from this UTC millisecond on, minutes east of UTC), in order.

    They cover 1970 to 2100; the first holds from long ago, the last for ever. UTC has none. Seconds of an offset (a few
    zones had some until 1972) are dropped. `InvalidModel` for an unknown zone.

    >>> [pair for pair in utc_offsets("Europe/Berlin") if 1704067200000 <= pair[0] < 1735689600000]
    [(1711846800000, 120), (1729990800000, 60)]
    """
    if timezone not in timezone_names():
        refuse_unknown(timezone, timezone_names(), "timezone", "timezone")
    if timezone == "UTC":
        return ()
    with files("tzdata.zoneinfo").joinpath(*timezone.split("/")).open("rb") as rules:
        zone = ZoneInfo.from_file(rules, timezone)
    offset = _minutes_east(zone, _START)
    pairs = [(LONG_AGO_MS, offset)]
    low = _START
    while low < _END:
        high = low + _STEP
        after = _minutes_east(zone, high)
        if after != offset:
            pairs.append((_first_with(zone, after, low, high), after))
            offset = after
        low = high
    return tuple(pairs)


def _first_with(zone: ZoneInfo, offset: int, low: datetime, high: datetime) -> int:
    """Return the first millisecond with this offset in (low, high]: low has another, high has it."""
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if _minutes_east(zone, middle) == offset:
            high = middle
        else:
            low = middle
    return round((high - _START) / timedelta(milliseconds=1))


def _minutes_east(zone: ZoneInfo, instant: datetime) -> int:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None, "a zone from a file always has one"
    return offset // timedelta(minutes=1)
