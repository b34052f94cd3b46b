from typing_extensions import disjoint_base

from phasegate.core.exploring.mover import Mover
from phasegate.core.exploring.twin import Violation

@disjoint_base
class Expander(Mover):
    violation: Violation | None
