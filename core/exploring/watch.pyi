from collections.abc import Callable, Sequence
from typing import Any, Self, final

@final
class Watch:
    of: Any
    def __new__(cls, fields: Sequence[tuple[int, int]], predicate: Callable[[], bool], of: object) -> Self: ...
    @property
    def asked(self) -> int: ...
