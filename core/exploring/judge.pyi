from typing import Final

from typing_extensions import disjoint_base

from phasegate.core.exploring.ground import Ground
from phasegate.core.exploring.promises import Meant

__pyx_capi__: Final[dict[str, object]]  # what other compiled modules call

@disjoint_base
class Judge(Ground):
    meant: Meant
    is_benign: bool
