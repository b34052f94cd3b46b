from typing import Final, final

from phasegate.core.exploring.expander import Expander

__pyx_capi__: Final[dict[str, object]]  # what other compiled modules call

@final
class Abreast(Expander):
    def __init__(self, beside: Expander, part: int) -> None: ...
    def work(self, ticket: int) -> None: ...

@final
class Team:
    def __init__(self, beside: Expander, size: int) -> None: ...
