"""Times for people: where the ticks of an axis lie, and how a time and a duration are written.

Times since 2000 in milliseconds since 1970 are written in UTC; smaller ones count from the start of a simulation.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# 2000-01-01: no simulation that starts at 0 runs for thirty years, no real rollout is older
EPOCH_FROM_MS: Final = 946_684_800_000

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

# steps that divide the next larger unit, so that ticks fall on full minutes, hours and days
_STEPS: Final = (
    *(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14, 28, 56, 112, 224, 448)),
)

_UNITS: Final = ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", SECOND, "s"))


def duration(ms: int) -> str:
    """Return a duration in its two largest units.

    >>> duration(0), duration(1500), duration(3 * HOUR + 4 * MINUTE + 5), duration(50 * HOUR)
    ('0 s', '1.5 s', '3 h 4 min', '2 d 2 h')
    """
    if ms < MINUTE:
        return f"{ms // SECOND} s" if ms % SECOND == 0 else f"{ms / SECOND:.3f}".rstrip("0") + " s"
    unit, word, smaller, part = next(row for row in _UNITS if ms >= row[0])
    rest = ms % unit // smaller
    return f"{ms // unit} {word} {rest} {part}" if rest else f"{ms // unit} {word}"


@frozen
class Clock:
    """How the times of one log are written: in UTC, or since the start.

    >>> Clock(0, 2 * HOUR).words(90 * MINUTE), Clock(EPOCH_FROM_MS, EPOCH_FROM_MS + HOUR).words(EPOCH_FROM_MS)
    ('1 h 30 min', '2000-01-01 00:00 UTC')
    """

    start_ms: int
    end_ms: int

    @property
    def is_utc(self) -> bool:
        """Whether times are since 1970."""
        return self.start_ms >= EPOCH_FROM_MS

    @property
    def label(self) -> str:
        """What an axis of these times is called."""
        if not self.is_utc:
            return "time since the start"
        return f"UTC, from {_utc(self.start_ms):%Y-%m-%d %H:%M}"

    def words(self, at: int) -> str:
        """Return one time as people write it."""
        if self.is_utc:
            return f"{_utc(at):%Y-%m-%d %H:%M} UTC"
        return duration(at - self.start_ms) if at > self.start_ms else "the start"

    def ticks(self, most: int) -> list[tuple[int, str]]:
        """Return at most `most` + 1 ticks (at, label), on full units, from the start to the end.

        >>> Clock(0, 3 * HOUR).ticks(4)
        [(0, '0'), (3600000, '1 h'), (7200000, '2 h'), (10800000, '3 h')]
        """
        span = max(self.end_ms - self.start_ms, 1)
        step = next((step for step in _STEPS if span <= most * step), span)
        base = 0 if self.is_utc else self.start_ms
        first = base + -(-(self.start_ms - base) // step) * step
        places = range(first, self.end_ms + 1, step)
        if not self.is_utc:
            return [(at, _since(at - base, step)) for at in places]
        labels = []
        day = ""
        for at in places:
            today = f"{_utc(at):%Y-%m-%d}"
            clock = "" if step >= DAY else f"{_utc(at):%H:%M}" if step >= MINUTE else f"{_utc(at):%H:%M:%S}"
            # the date stands under the first time of a day, and alone where a tick is a day or more
            labels.append((at, "\n".join(part for part in (clock, today if today != day else "") if part)))
            day = today
        return labels


def _utc(at: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at)


def _since(ms: int, step: int) -> str:
    if ms == 0:
        return "0"
    if step >= DAY:
        return f"{ms // DAY} d"
    if step >= HOUR:
        days, hours = divmod(ms // HOUR, 24)
        return f"{hours} h" if not days else f"{days} d {hours} h" if hours else f"{days} d"
    if step >= MINUTE:
        hours, minutes = divmod(ms // MINUTE, 60)
        return f"{minutes} min" if not hours else f"{hours} h {minutes:02}" if minutes else f"{hours} h"
    return duration(ms)
