"""Section 4: weekly maintenance windows, against the time zone database and a scan minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.model import DAYS, MINUTES_A_WEEK, Window
from phasegate.core.windows import MINUTE_MS, is_open, next_change, next_opening

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # southern, changes at midnight
    "Australia/Sydney",  # southern
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kolkata",  # half an hour, no changes
    "Asia/Kathmandu",  # three quarters of an hour
    "Africa/Casablanca",  # four changes within three months of most years
    "Pacific/Apia",  # left out 2011-12-30: a gap of a whole day
]


def ms(text: str) -> int:
    """Return an instant, written in UTC, in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@cache
def offsets_of(zone: str) -> tuple[tuple[int, int], ...]:
    """Return the offsets of a zone from 2009 to 2030, found by asking the database day by day and halving."""

    def offset(minute: int) -> int:
        shown = datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).utcoffset()
        assert shown is not None
        return int(shown.total_seconds()) // 60

    minute, end = ms("2009-01-01") // MINUTE_MS, ms("2030-01-01") // MINUTE_MS
    found = [(minute * MINUTE_MS, offset(minute))]
    while minute < end:
        low, high = minute, minute + 1440
        minute = high
        if offset(high) == offset(low):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == offset(low) else (low, middle)
        found.append((high * MINUTE_MS, offset(high)))
    return tuple(found)


def window(day: Any, start: str, minutes: int = 300, zone: str = "UTC") -> Window:
    """Return a window with the offsets of its zone."""
    offsets = () if zone == "UTC" else offsets_of(zone)
    return Window(day=day, start=start, minutes=minutes, timezone=zone, offsets=offsets)


def open_minutes(windows: list[Window], base: datetime, days: int) -> bytearray:
    """Return a byte for each minute from `base` on, 1 where a window is open: the oracle, built date by date."""
    marks = bytearray(days * 1440)
    for one in windows:
        for day in range(-10, days + 3):
            date = (base + timedelta(days=day)).date()
            if DAYS[date.weekday()] != one.day:
                continue
            local = datetime(
                date.year,
                date.month,
                date.day,
                int(one.start[:2]),
                int(one.start[3:]),
                fold=0,
                tzinfo=ZoneInfo(one.timezone),
            )
            first = int(local.timestamp() - base.timestamp()) // 60
            low, high = max(0, first), min(len(marks), first + one.minutes)
            if low < high:
                marks[low:high] = b"\1" * (high - low)
    return marks


@st.composite
def any_windows(draw: st.DrawFn) -> list[Window]:
    """Draw up to four windows, each in a zone of its own, some of them touching the one before."""
    found: list[Window] = []
    for _ in range(draw(st.integers(1, 4))):
        minutes = draw(st.one_of(st.integers(300, 2000), st.integers(300, MINUTES_A_WEEK), st.just(MINUTES_A_WEEK)))
        if found and draw(st.booleans()):
            at, zone = (found[-1].start_minute + found[-1].minutes) % MINUTES_A_WEEK, found[-1].timezone
        else:
            at, zone = draw(st.integers(0, MINUTES_A_WEEK - 1)), draw(st.sampled_from(ZONES))
        found.append(window(DAYS[at // 1440], f"{at // 60 % 24:02}:{at % 60:02}", minutes, zone))
    return found


BASES = st.one_of(
    st.sampled_from(["2024-03-24", "2024-10-20", "2024-04-01", "2024-09-02", "2024-09-30", "2011-12-25", "2023-03-12"]),
    st.dates(datetime(2010, 1, 15).date(), datetime(2029, 1, 1).date()).map(str),
)


@given(any_windows(), BASES, st.integers(0, 14 * 1440 - 1))
def test_agrees_with_a_scan_minute_by_minute(windows: list[Window], base: str, probe: int) -> None:
    """At a chosen minute, and around every change of two weeks, all three answers are those of the scan."""
    days = 24
    marks = open_minutes(windows, datetime.fromisoformat(base).replace(tzinfo=UTC), days)
    edges = [at for at in range(1, len(marks)) if marks[at] != marks[at - 1]]
    near = {at + by for at in edges for by in (-1, 0)} | {probe}
    for minute in sorted(at for at in near if at < 14 * 1440):
        first_ms = ms(base) + minute * MINUTE_MS
        change = marks.find(1 - marks[minute], minute)
        for now in (first_ms, first_ms + MINUTE_MS - 1):
            assert is_open(windows, now) == bool(marks[minute])
            found = next_change(windows, now)
            if change >= 0:
                assert found == ms(base) + change * MINUTE_MS
            else:
                assert found is None or found >= ms(base) + days * 1440 * MINUTE_MS
            assert next_opening(windows, now) == (now if marks[minute] else found)


@given(any_windows(), st.integers(ms("2009-06-01"), ms("2031-01-01")))
def test_a_change_is_the_first_one(windows: list[Window], now: int) -> None:
    """However far ahead it lies, the state flips exactly at the change, and not at any window's edge before it."""
    change = next_change(windows, now)
    until = ms("2033-01-01") if change is None else change
    before = is_open(windows, now)
    assert all(is_open(windows, at) == before for at in range(now, until, max(7_200_000, (until - now) // 300)))
    assert is_open(windows, until - 1) == before
    assert is_open(windows, until) == (before if change is None else not before)


@pytest.mark.parametrize(
    ("zone", "day_and_time", "after", "opens", "closes"),
    [
        # Berlin, 2024-03-31: 02:00 becomes 03:00, so 02:30 comes as 03:30 in summer time
        ("Europe/Berlin", "sun 02:30", "2024-03-30", "2024-03-31T01:30", "2024-03-31T06:30"),
        ("Europe/Berlin", "sun 01:59", "2024-03-30", "2024-03-31T00:59", "2024-03-31T05:59"),
        ("Europe/Berlin", "sun 02:00", "2024-03-30", "2024-03-31T01:00", "2024-03-31T06:00"),
        ("Europe/Berlin", "sun 03:00", "2024-03-30", "2024-03-31T01:00", "2024-03-31T06:00"),
        # open across the change: five hours pass, the clock shows six
        ("Europe/Berlin", "sat 23:00", "2024-03-30", "2024-03-30T22:00", "2024-03-31T03:00"),
        # Berlin, 2024-10-27: 03:00 becomes 02:00, so 02:30 is shown twice
        ("Europe/Berlin", "sun 02:30", "2024-10-26", "2024-10-27T00:30", "2024-10-27T05:30"),
        ("Europe/Berlin", "sun 02:00", "2024-10-26", "2024-10-27T00:00", "2024-10-27T05:00"),
        ("Europe/Berlin", "sun 03:00", "2024-10-26", "2024-10-27T02:00", "2024-10-27T07:00"),
        # Sydney: summer time ends on 2024-04-07 at 03:00 and begins on 2024-10-06 at 02:00
        ("Australia/Sydney", "sun 02:30", "2024-04-05", "2024-04-06T15:30", "2024-04-06T20:30"),
        ("Australia/Sydney", "sun 02:30", "2024-10-04", "2024-10-05T16:30", "2024-10-05T21:30"),
        # Lord Howe, 2024-10-06: 02:00 becomes 02:30
        ("Australia/Lord_Howe", "sun 02:15", "2024-10-04", "2024-10-05T15:45", "2024-10-05T20:45"),
        # zones off the full hour
        ("Asia/Kolkata", "mon 00:00", "2024-06-01", "2024-06-02T18:30", "2024-06-02T23:30"),
        ("Asia/Kathmandu", "mon 00:00", "2024-06-01", "2024-06-02T18:15", "2024-06-02T23:15"),
        # Apia had no 2011-12-30, a Friday: its window came a day later
        ("Pacific/Apia", "fri 12:00", "2011-12-28", "2011-12-30T22:00", "2011-12-31T03:00"),
    ],
)
def test_golden_openings(zone: str, day_and_time: str, after: str, opens: str, closes: str) -> None:
    """The instants at which well-known clocks are put forward and back, worked out by hand."""
    windows = [window(*day_and_time.split(), zone=zone)]
    assert next_opening(windows, ms(after)) == next_change(windows, ms(after)) == ms(opens)
    assert next_change(windows, ms(opens)) == ms(closes)
    assert [is_open(windows, at) for at in (ms(opens) - 1, ms(opens), ms(closes) - 1, ms(closes))] == [
        False,
        True,
        True,
        False,
    ]


def test_no_window_is_always_open() -> None:
    """A set without windows never waits for one."""
    assert is_open([], 0) is True
    assert next_opening([], 17) == 17
    assert next_change([], 0) is None


def test_a_window_runs_over_the_end_of_the_week() -> None:
    """Sunday night's window is still open on Monday, also before 1970."""
    windows = [window("sun", "22:00")]
    for monday in ("2024-06-03", "1969-12-29", "1901-01-07"):
        assert is_open(windows, ms(monday)) is True
        assert next_change(windows, ms(monday)) == ms(monday) + 3 * 3_600_000


def test_touching_and_overlapping_windows_are_one_run() -> None:
    """Where one window ends as the next begins, or later, nothing changes."""
    touching = [window("mon", "05:00"), window("mon", "00:00")]
    assert next_change(touching, ms("2024-06-03T01:00")) == ms("2024-06-03T10:00")
    overlapping = [window("mon", "00:00", 900), window("mon", "02:00", 300), window("mon", "14:59", 300)]
    assert next_change(overlapping, ms("2024-06-03T01:00")) == ms("2024-06-03T19:59")


def test_a_whole_week_never_closes_in_utc() -> None:
    """One window of a week, or two that add up to one, never change."""
    assert next_change([window("wed", "12:00", MINUTES_A_WEEK)], ms("2024-06-03")) is None
    halves = [window("mon", "00:00", MINUTES_A_WEEK // 2), window("thu", "12:00", MINUTES_A_WEEK // 2)]
    assert next_change(halves, ms("2024-06-03")) is None


@pytest.mark.parametrize("known", [1, None])
def test_what_opened_before_a_change_says_nothing_of_the_weeks_after_it(known: int | None) -> None:
    """Two zones that meet in winter part in summer, a week after the change; also where it is the last one known."""
    berlin = window("wed", "00:00", 109 * 60, "Europe/Berlin")  # in winter until Sunday 12:00 UTC
    if known is not None:
        first, *later = (pair for pair in berlin.offsets if pair[0] >= ms("2023-10-01"))
        berlin = evolve(berlin, offsets=(first, *later[:known]))
    windows = [berlin, window("sun", "12:00", 60 * 60)]
    for now in ("2024-03-05", "2024-03-31T00:59", "2024-03-31T02:00", "2024-04-02"):
        assert next_change(windows, ms(now)) == ms("2024-04-07T11:00")
    assert next_opening(windows, ms("2024-04-07T11:00")) == ms("2024-04-07T12:00")


def test_a_whole_week_closes_for_the_hour_that_autumn_adds() -> None:
    """A length is elapsed time, so a window of 168 hours leaves an hour of a week with 169; another one covers it."""
    whole = window("mon", "00:00", MINUTES_A_WEEK, "Europe/Berlin")
    for now in ("2024-11-05", "2025-03-28", "2025-10-20", "2025-10-26T21:59"):
        assert next_change([whole], ms(now)) == ms("2025-10-26T22:00")
    assert next_opening([whole], ms("2025-10-26T22:00")) == ms("2025-10-26T23:00")
    other = window("tue", "00:00", MINUTES_A_WEEK, "Europe/Berlin")
    assert next_change([whole, other], ms("2024-11-05")) is None
