from typing_extensions import disjoint_base

from phasegate.core.exploring.ground import Ground
from phasegate.core.exploring.promises import Meant

@disjoint_base
class Judge(Ground):
    meant: Meant
    is_benign: bool
