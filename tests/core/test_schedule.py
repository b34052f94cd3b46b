"""Section 4: the instants at which attempts may begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.schedule import first_instant, later_instant, spread

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("set_full_name", "version", "first", "later"),
    # from `printf 'eastus/web\n18.04.202401010' | sha256sum`: the first 16 hex digits, modulo 10800001 and 1800001
    [
        ("eastus/web", "18.04.202401010", 8_357_623, 1_658_646),
        ("eastus/web", "18.04.202402010", 7_621_898, 83_610),
        ("westeurope/häfen", "1.2.0", 6_471_909, 552_275),
    ],
)
def test_pinned_instants(set_full_name: str, version: str, first: int, later: int) -> None:
    """The formula is the one of section 4, so that other tools and later releases agree."""
    assert first_instant(set_full_name, version, 1_000) == 1_000 + first
    assert later_instant(set_full_name, version, 1_000) == 1_000 + HOUR_MS // 2 + later


@given(st.text(min_size=1), st.text(min_size=1), st.integers(-(2**53), 2**53))
def test_the_bounds_hold(set_full_name: str, version: str, since: int) -> None:
    """Within three hours after configuration; later ones 30 to 60 minutes after the version was available."""
    assert 0 <= first_instant(set_full_name, version, since) - since <= 3 * HOUR_MS
    assert HOUR_MS // 2 <= later_instant(set_full_name, version, since) - since <= HOUR_MS


def test_both_ends_of_a_window_are_reached() -> None:
    """The window is closed at both ends: over many sets every one of its instants is used."""
    assert {spread(f"eastus/web{number}", "1.0", 3) for number in range(100)} == {0, 1, 2, 3}
    assert spread("eastus/web", "1.0", 0) == 0


def test_a_fleet_spreads_out() -> None:
    """Of 3000 sets, each quarter hour of the three hours gets its share, within a fifth."""
    counts = [0] * 12
    for number in range(3000):
        counts[first_instant(f"eastus/web{number}", "1.0", 0) * 12 // (3 * HOUR_MS + 1)] += 1
    assert all(200 <= count <= 300 for count in counts), counts
