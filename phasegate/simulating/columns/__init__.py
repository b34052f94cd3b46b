"""What the simulated environment does for many instances at once: drawing for them, and keeping their reports.

One set of functions and a class in two texts: `plain`, written to be read, and `fast`, the same compiled; which of them
is at hand is found out once, here. The columns are arrays, a row an instance of one set.
"""

from __future__ import annotations

try:
    from phasegate.simulating.columns.fast import IS_COMPILED, Queue, arrived, drawn, replies, set_at
except ImportError:  # no C compiler was at hand
    from phasegate.simulating.columns.plain import (  # type: ignore[assignment]  # a class of the same interface
        IS_COMPILED,
        Queue,
        arrived,
        drawn,
        replies,
        set_at,
    )

__all__ = ["IS_COMPILED", "Queue", "arrived", "drawn", "replies", "set_at"]
