"""Work on whole columns of instances: ordering ids, grouping rows, renumbering, without an object a row.

One set of functions in two texts: `plain`, written to be read, and `fast`, the same compiled; which of them is at hand
is found out once, here. Columns are bytes in the types that `core.roster` names, names are `PackedNames` taken apart
into `blob` and `ends` (uint32), orders are arrays of row numbers (uint32).
"""

from __future__ import annotations

try:
    from phasegate.core.packing.fast import (
        IS_COMPILED,
        cut_ends,
        first_repeated,
        first_wrong,
        grouped,
        looked_up,
        natural_order,
        numbers,
        recoded,
        repeated,
        run_starts,
        span,
        taken,
        taken_names,
    )
except ImportError:  # no C compiler was at hand
    from phasegate.core.packing.plain import (
        IS_COMPILED,
        cut_ends,
        first_repeated,
        first_wrong,
        grouped,
        looked_up,
        natural_order,
        numbers,
        recoded,
        repeated,
        run_starts,
        span,
        taken,
        taken_names,
    )

__all__ = [
    "IS_COMPILED",
    "cut_ends",
    "first_repeated",
    "first_wrong",
    "grouped",
    "looked_up",
    "natural_order",
    "numbers",
    "recoded",
    "repeated",
    "run_starts",
    "span",
    "taken",
    "taken_names",
]
