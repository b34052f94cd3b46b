"""The hashes of pages, and how their sum changes: most of what a state's digest costs.

One set of functions in two texts: `plain`, written to be read, and `fast`, the same compiled; which of them is at hand
is found out once, here.
"""

from __future__ import annotations

try:
    from phasegate.core.hashing.fast import IS_COMPILED, changed_by, page_hash, sum_of
except ImportError:  # no C compiler was at hand
    from phasegate.core.hashing.plain import IS_COMPILED, changed_by, page_hash, sum_of

__all__ = ["IS_COMPILED", "changed_by", "page_hash", "sum_of"]
