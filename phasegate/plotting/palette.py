"""The colours and symbols of a rollout's plot: told apart by the colour-blind, and symbols by their shape alone.

The zones' colours are those of Okabe and Ito ("Color universal design", 2008), the two others from Tol's muted scheme.
"""

from __future__ import annotations

from typing import Final

from phasegate.plotting.canvas import Symbol

ZONES: Final = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#F0E442")
ZONELESS: Final = "#7F7F7F"
CROSS_ZONE: Final = "#882255"

MUTED: Final = "#6B6B6B"
GRID: Final = "#D9DCE1"
BAND: Final = ("#F3F4F7", "#FAFAFC")  # a phase after the other
OPEN: Final = "#DDE4EE"
PAUSE: Final = "#8A8F98"
BAD: Final = "#C1440E"
IN_FLIGHT: Final = "#0072B2"
NOT_HEALTHY: Final = "#C1440E"

RESTORED: Final = Symbol("<", 6.0, "white", BAD)
FAILED: Final = Symbol("X", 6.5, BAD, "white")
FAULTED: Final = Symbol("s", 6.0, "#111111", "white")
CANCELLED: Final = Symbol("s", 5.0, "white", "#111111")
PUBLISHED: Final = Symbol("*", 8.0, "#111111", "white")
SCALED: Final = Symbol("D", 4.5, "#56B4E9", "#111111")


def zone(ordinal: int) -> str:
    """Return the colour of a region's zone by its place among the region's zones; they repeat after six."""
    return ZONES[ordinal % len(ZONES)]


def lighter(color: str) -> str:
    """Return a colour mixed with white, a third of it left.

    >>> lighter("#0072B2")
    '#aad0e5'
    """
    parts = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{(part + 2 * 255) // 3:02x}" for part in parts)
