"""Draws: equal everywhere, independent of their order, exact at the ends."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.simulating.chance import MASK, Chance, Draw, between, draw, mixed, threshold

BITS = st.integers(0, MASK)


def test_the_mixer_gives_the_published_first_outputs_of_splitmix64() -> None:
    """The reference implementation, seeded with 1234567, begins with these numbers."""
    counters = [1234567 + at * 0x9E3779B97F4A7C15 for at in (1, 2, 3)]
    assert [mixed(counter) for counter in counters] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_seed_gives_the_same_draws_under_every_hash_seed() -> None:
    """Nothing of a draw comes from `hash`."""
    code = "from phasegate.simulating.chance import *; print(draw(Chance(7).of('eastus/web/17'), Draw.LATE, 3))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert {f"{draw(Chance(7).of('eastus/web/17'), Draw.LATE, 3)}\n"} == printed


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_outside_64_bits_is_refused(seed: int) -> None:
    """The error names the seed and its range."""
    with pytest.raises(ValueError, match=f"seed `{seed}` is not between 0 and {MASK}"):
        Chance(seed)


@pytest.mark.parametrize(
    ("low", "high", "bits", "number"),
    [
        (5, 7, 0, 5),
        (5, 7, 2**64 // 3, 5),
        (5, 7, 2**64 // 3 + 1, 6),
        (5, 7, MASK, 7),
        (4, 4, MASK, 4),
        (0, 2**53, 2**63, 2**52),
    ],
)
def test_bits_are_a_share_of_what_is_between(low: int, high: int, bits: int, number: int) -> None:
    """Each number has an equal share of the bits, in their order."""
    assert number == between(low, high, bits)


@given(BITS, st.integers(0, 10**12), st.integers(0, 10**6))
def test_a_number_between_two_is_between_them(bits: int, low: int, width: int) -> None:
    """Both ends are included."""
    assert low <= between(low, low + width, bits) <= low + width


@given(BITS)
def test_a_rate_of_one_takes_every_draw_and_of_zero_none(bits: int) -> None:
    """The comparison is exact at both ends."""
    assert (bits < threshold(0.0), bits < threshold(1.0)) == (False, True)


def test_a_rate_is_met_closely_over_many_names() -> None:
    """Of 20,000 names about a hundredth are drawn: within five standard deviations of 200."""
    chance = Chance(1)
    hits = sum(draw(chance.of(f"eastus/web/{at}"), Draw.FAILS, 9) < threshold(0.01) for at in range(20_000))
    assert 130 <= hits <= 270


def test_kinds_and_occasions_draw_apart() -> None:
    """No two of a name's draws are equal."""
    luck = Chance(0).of("eastus/web/0")
    draws = [draw(luck, kind, occasion) for kind in Draw for occasion in range(50)]
    assert len(draws) == len(set(draws))
