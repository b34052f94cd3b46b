from typing import final

from phasegate.core.exploring.expander import Expander

@final
class Abreast(Expander):
    def __init__(self, beside: Expander, part: int) -> None: ...
    def work(self, ticket: int) -> None: ...

@final
class Team:
    def __init__(self, beside: Expander, size: int) -> None: ...
