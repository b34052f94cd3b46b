from typing import Final, Self

from typing_extensions import disjoint_base

__pyx_capi__: Final[dict[str, object]]  # what other compiled modules call

@disjoint_base
class Lexicon:
    def __new__(cls, follows: bool, orders: int) -> Self: ...
