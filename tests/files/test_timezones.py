"""Time zones as offsets."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.errors import InvalidModel
from phasegate.files.timezones import LONG_AGO_MS, timezone_names, utc_offsets

ZONES = ("Europe/Berlin", "America/St_Johns", "Africa/Casablanca", "Australia/Lord_Howe", "Asia/Kolkata")


def test_utc_needs_no_offsets() -> None:
    """UTC is the empty list."""
    assert utc_offsets("UTC") == ()


def test_a_zone_without_changes_has_one_pair() -> None:
    """Its offset holds from long ago."""
    assert utc_offsets("Etc/GMT-3") == ((LONG_AGO_MS, 180),)


def test_transitions_are_exact() -> None:
    """Berlin changes at 01:00 UTC on the last Sundays of March and October."""
    spring, autumn = (datetime(2024, 3, 31, 1, tzinfo=UTC), datetime(2024, 10, 27, 1, tzinfo=UTC))
    pairs = [(int(moment.timestamp()) * 1000, east) for moment, east in ((spring, 120), (autumn, 60))]
    assert pairs == [pair for pair in utc_offsets("Europe/Berlin") if 1704067200000 <= pair[0] < 1735689600000]


@given(zone=st.sampled_from(ZONES), moment=st.datetimes(datetime(1975, 1, 1), datetime(2099, 12, 31)))
def test_the_offsets_agree_with_the_zone_at_every_instant(zone: str, moment: datetime) -> None:
    """The last pair not after an instant holds its offset."""
    instant = moment.replace(tzinfo=UTC, microsecond=0)
    now = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    with files("tzdata.zoneinfo").joinpath(*zone.split("/")).open("rb") as rules:  # the machine may have older rules
        expected = instant.astimezone(ZoneInfo.from_file(rules)).utcoffset()
    actual = [east for since, east in utc_offsets(zone) if since <= now][-1]
    assert expected == timedelta(minutes=actual)


def test_an_unknown_zone_gets_a_suggestion() -> None:
    """The closest name is offered."""
    with pytest.raises(InvalidModel, match=r"unknown timezone `Europe/Berln`; did you mean `Europe/Berlin`\?"):
        utc_offsets("Europe/Berln")


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_only_names_of_zones_are_opened(name: str) -> None:
    """A path or a folder is no zone."""
    assert name not in timezone_names()
    with pytest.raises(InvalidModel, match="unknown timezone"):
        utc_offsets(name)
