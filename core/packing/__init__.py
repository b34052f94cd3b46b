"""Work on whole columns of listed instances: ordering ids, grouping rows, renumbering, without an object a row.

One set of functions in two texts: `plain`, written to be read, and `fast`, the same compiled; which of them is at hand
is found out once, here. Columns are bytes in the types that `core.roster` names, names are `PackedNames` taken apart
into `blob` and `ends` (uint32), orders are arrays of row numbers (uint32).
"""

from __future__ import annotations

from types import ModuleType

from phasegate.core.packing import plain


def _compiled() -> ModuleType:
    try:
        from phasegate.core.packing import fast
    except ImportError:
        return plain
    return fast


_text = _compiled()

first_wrong = _text.first_wrong
first_repeated = _text.first_repeated
natural_order = _text.natural_order
numbers = _text.numbers
grouped = _text.grouped
run_starts = _text.run_starts
taken = _text.taken
taken_names = _text.taken_names
recoded = _text.recoded
looked_up = _text.looked_up
is_compiled: bool = _text.IS_COMPILED

__all__ = [
    "first_repeated",
    "first_wrong",
    "grouped",
    "is_compiled",
    "looked_up",
    "natural_order",
    "numbers",
    "recoded",
    "run_starts",
    "taken",
    "taken_names",
]
