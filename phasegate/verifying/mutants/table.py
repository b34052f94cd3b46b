"""The mutants, all of them: data before code."""

from __future__ import annotations

from typing import Final

from phasegate.verifying.mutants.beginnings import BEGINNINGS
from phasegate.verifying.mutants.composition import PARTS
from phasegate.verifying.mutants.lives import ENTRIES
from phasegate.verifying.mutants.mutant import Mutant
from phasegate.verifying.mutants.picking import PICKING
from phasegate.verifying.mutants.stepping import STEPPING

MUTANTS: Final[tuple[Mutant, ...]] = (*PARTS, *ENTRIES, *PICKING, *STEPPING, *BEGINNINGS)
BY_NAME: Final = {mutant.name: mutant for mutant in MUTANTS}
