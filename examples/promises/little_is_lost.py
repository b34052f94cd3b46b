"""A promise of one's own, for `phasegate verify SCENARIO --promises examples/promises/little_is_lost.py`."""

from __future__ import annotations

import phasegate as pg
from phasegate.verifying.view import StateView


@pg.always(reads=("restored", "failed"))
def little_is_lost(state: StateView) -> bool:
    """At most one instance is rolled back or fails."""
    return bool(state.restored + state.failed <= 1)
