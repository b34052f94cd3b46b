"""Chance without a generator: a draw is a function of what it is about, so its order never matters.

A draw is the splitmix64 finaliser of a counter (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", 2014). The counter starts at a keyed BLAKE2b of a name, so the same seed gives the same draws on every
machine, under every PYTHONHASHSEED, and whatever else was drawn before.
"""

from __future__ import annotations

from enum import IntEnum
from fractions import Fraction
from hashlib import blake2b

from attrs import field, frozen

MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / golden ratio, odd: so multiplying by it permutes the 64-bit numbers


class Draw(IntEnum):
    """What a draw is for; two kinds never share a number for the same instance and attempt."""

    TIME = 0
    FAILS = 1
    LATE = 2
    LATE_BY = 3
    TWICE = 4
    TWICE_BY = 5
    SICK = 6


def mixed(counter: int) -> int:
    """Return the splitmix64 finaliser of a counter: 64 bits, a permutation of them.

    >>> hex(mixed(_GOLDEN))  # the first output of splitmix64 seeded with 0
    '0xe220a8397b1dcdaf'
    """
    z = counter & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def threshold(rate: float) -> int:
    """Return the number of 64-bit draws that are below `rate` of all, compared exactly: 0.0 none, 1.0 every one.

    >>> threshold(0.0), threshold(0.5) == 2**63, threshold(1.0) == 2**64
    (0, True, True)
    """
    exact = Fraction(rate) * 2**64
    return -(-exact.numerator // exact.denominator)


@frozen
class Chance:
    """All the luck of one simulation; `seed` is any whole number from 0 to 2**64 - 1.

    >>> luck = Chance(7).of("eastus/web/17")
    >>> Chance(7).of("eastus/web/17") == luck != Chance(8).of("eastus/web/17")
    True
    """

    seed: int = 0
    _key: bytes = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.seed <= MASK:
            raise ValueError(f"seed `{self.seed}` is not between 0 and {MASK}")
        object.__setattr__(self, "_key", self.seed.to_bytes(8, "big"))

    def of(self, name: str) -> int:
        """Return the number that stands for `name` in all its draws."""
        return int.from_bytes(blake2b(name.encode(), digest_size=8, key=self._key).digest(), "big")


def draw(luck: int, kind: Draw, occasion: int) -> int:
    """Return 64 bits for a name's `luck`, the kind of the draw, and the occasion (which command, which version)."""
    return mixed(luck + _GOLDEN * (kind + 8 * occasion))


def between(low: int, high: int, bits: int) -> int:
    """Return the whole number from `low` to `high`, both included, that 64 drawn bits stand for.

    >>> between(5, 7, 0), between(5, 7, 2**64 - 1)
    (5, 7)
    """
    return low + ((bits * (high - low + 1)) >> 64)
