"""The mutants, all of them: data before code."""

from __future__ import annotations

from collections import Counter
from typing import Final

from phasegate.verifying.mutants.beginnings import BEGINNINGS
from phasegate.verifying.mutants.composition import PARTS
from phasegate.verifying.mutants.lives import ENTRIES
from phasegate.verifying.mutants.mutant import Mutant
from phasegate.verifying.mutants.picking import PICKING
from phasegate.verifying.mutants.stepping import STEPPING

MUTANTS: Final[tuple[Mutant, ...]] = (*PARTS, *ENTRIES, *PICKING, *STEPPING, *BEGINNINGS)
BY_NAME: Final = {mutant.name: mutant for mutant in MUTANTS}

if len(BY_NAME) < len(MUTANTS):  # pragma: no cover  # a mistake in the table
    raise AssertionError(
        f"twice in the table: {[name for name, n in Counter(m.name for m in MUTANTS).items() if n > 1]}"
    )
