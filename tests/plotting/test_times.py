"""Times for people."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from phasegate.plotting.times import DAY, EPOCH_FROM_MS, HOUR, MINUTE, SECOND, Clock, duration

NOON = EPOCH_FROM_MS + 12 * HOUR


def labels(clock: Clock, most: int = 5) -> list[str]:
    """Return the ticks' labels alone."""
    return [label for _, label in clock.ticks(most)]


def test_durations_have_two_units_at_most() -> None:
    """The larger one first, the smaller one left out where it is 0."""
    values = (999, SECOND, MINUTE, 61 * SECOND, 2 * HOUR, DAY, 3 * DAY + 5 * HOUR + 59 * MINUTE)
    expected = ["0.999 s", "1 s", "1 min", "1 min 1 s", "2 h", "1 d", "3 d 5 h"]
    assert expected == [duration(value) for value in values]


def test_times_since_the_start_are_durations() -> None:
    """A log that starts later than 0 still counts from its start."""
    clock = Clock(MINUTE, 2 * HOUR)
    assert (clock.label, clock.words(MINUTE), clock.words(2 * MINUTE)) == ("time since the start", "the start", "1 min")


def test_times_since_1970_are_utc() -> None:
    """From the year 2000 on."""
    assert (
        Clock(NOON, NOON + HOUR).label,
        Clock(NOON, NOON + HOUR).words(NOON + HOUR),
    ) == ("UTC, from 2000-01-01 12:00", "2000-01-01 13:00 UTC")


def test_ticks_since_the_start_are_in_the_unit_that_fits() -> None:
    """From milliseconds to days."""
    assert labels(Clock(0, 5), 3) == ["0", "0.002 s", "0.004 s"]
    assert labels(Clock(0, MINUTE)) == ["0", "15 s", "30 s", "45 s", "1 min"]
    assert labels(Clock(0, 2 * HOUR)) == ["0", "30 min", "1 h", "1 h 30", "2 h"]
    assert labels(Clock(0, 2 * DAY)) == ["0", "12 h", "1 d", "1 d 12 h", "2 d"]
    assert labels(Clock(0, 25 * DAY)) == ["0", "7 d", "14 d", "21 d"]


def test_utc_ticks_name_the_day_where_it_begins() -> None:
    """Under the first tick and under the first one of each later day; alone where a tick is a day."""
    clock = Clock(NOON + 7 * MINUTE, NOON + 25 * HOUR)
    assert labels(clock) == ["18:00\n2000-01-01", "00:00\n2000-01-02", "06:00", "12:00"]
    assert labels(Clock(NOON, NOON + 2 * DAY), 2) == ["2000-01-02", "2000-01-03"]
    assert labels(Clock(NOON, NOON + MINUTE), 3) == ["12:00:00\n2000-01-01", "12:00:30", "12:01:00"]


@given(st.integers(0, 2 * EPOCH_FROM_MS), st.integers(0, 400 * 365 * DAY // 10), st.integers(1, 30))
def test_ticks_are_few_distinct_and_within(start: int, span: int, most: int) -> None:
    """Whatever the log, at most one more than asked for, in order, all of it within the log."""
    places = [at for at, _ in Clock(start, start + span).ticks(most)]
    assert len(places) <= most + 1
    assert sorted(set(places)) == places
    assert all(start <= at <= start + span for at in places)
