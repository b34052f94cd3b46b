from typing_extensions import disjoint_base

from phasegate.core.exploring.judge import Judge

@disjoint_base
class Mover(Judge): ...
