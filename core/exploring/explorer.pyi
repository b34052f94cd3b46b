from collections.abc import Callable, Sequence
from typing import Any, Self, final

from phasegate.core.exploring.acts import Act, Freedom
from phasegate.core.exploring.promises import Meant
from phasegate.core.exploring.subject import Open, Subject
from phasegate.core.exploring.symmetry import Symmetry
from phasegate.core.exploring.twin import Successor, Violation
from phasegate.core.lifecycle import Life
from phasegate.core.views import Views

_Key = bytes
_Move = tuple[int, int, int, int]

@final
class Watch:
    of: Any
    def __new__(cls, fields: Sequence[tuple[int, int]], predicate: Callable[[], bool], of: object) -> Self: ...
    @property
    def asked(self) -> int: ...

@final
class Explorer:
    is_compiled: bool
    subject: Subject
    open: Open
    v: Views
    group: tuple[Symmetry, ...]
    meant: Meant
    violation: Violation | None
    freedom: Freedom
    order: str
    is_symmetric: bool
    is_benign: bool
    is_compact: bool
    memory_max: int
    transitions: int
    rising: int
    depth: int
    states: int
    def __new__(
        cls,
        subject: Subject,
        *,
        is_symmetric: bool = True,
        order: str = "breadth",
        memory_max: int = ...,
        is_compact: bool = False,
        seed: int = 1,
    ) -> Self: ...
    @property
    def frontier(self) -> int: ...
    @property
    def bytes_used(self) -> int: ...
    @property
    def wires(self) -> list[int]: ...
    @property
    def first(self) -> _Key: ...
    @property
    def taken(self) -> dict[Act, int]: ...
    @property
    def became(self) -> dict[tuple[Life, Life], int]: ...
    @property
    def ended(self) -> dict[tuple[int, int], int]: ...
    def key_of(self, number: int) -> _Key: ...
    def run(self, states_max: int) -> str: ...
    def write(self, key: _Key) -> None: ...
    def read(self) -> _Key: ...
    def moves(self) -> list[_Move]: ...
    def happen(self, move: _Move) -> bool: ...
    def saved(self) -> Any: ...
    def restore(self, held: Any) -> None: ...
    def successors(self, key: _Key) -> list[Successor]: ...
    def rank(self, key: _Key) -> int: ...
    def path(self, number: int) -> list[int]: ...
    def trace(self, number: int) -> list[_Move]: ...
    def watch(self, fields: Sequence[tuple[int, int]], predicate: Callable[[], bool], of: object) -> None: ...
