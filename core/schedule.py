"""When a set's attempt may begin: an instant inside a window, spread over the fleet by a stable hash (semantics 4).

The instant is a function of the set's name and the version alone: two sets rarely fall together, and a replay agrees.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

FIRST_WITHIN_MS: Final = 3 * 3_600_000  # a set's first rollout: within three hours after it was configured
LATER_AFTER_MS: Final = 30 * 60_000  # later ones: 30 minutes after the version became available at the earliest,
LATER_WITHIN_MS: Final = 30 * 60_000  # and at most 30 minutes after that


def first_instant(set_full_name: str, version: str, configured_at_ms: int) -> int:
    """Return when a set's first rollout may begin (ms UTC): at most three hours after it was configured, inclusive.

    `set_full_name` is `region/set`, `version` the target as its image writes it (`1.2` and `1.2.0` hash differently).

    >>> first_instant("eastus/web", "18.04.202401010", configured_at_ms=0)
    8357623
    """
    return configured_at_ms + spread(set_full_name, version, FIRST_WITHIN_MS)


def later_instant(set_full_name: str, version: str, available_at_ms: int) -> int:
    """Return when a later rollout may begin (ms UTC): 30 to 60 minutes after the version was available, inclusive.

    `available_at_ms` is when the set's phase opened, or when its region got the replica.

    >>> later_instant("eastus/web", "18.04.202401010", available_at_ms=0)
    3458646
    """
    return available_at_ms + LATER_AFTER_MS + spread(set_full_name, version, LATER_WITHIN_MS)


def spread(set_full_name: str, version: str, window_ms: int) -> int:
    """Return the set's place in a window that is `window_ms` long, both ends included.

    It is the first eight bytes of the SHA-256 of `region/set`, a line feed and the version in UTF-8, big-endian,
    modulo the window's length + 1 ms.
    """
    digest = sha256(f"{set_full_name}\n{version}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (window_ms + 1)
