"""Which explorer there is for an engine: the compiled one on the compiled kernel, its plain twin on any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Protocol

from phasegate.core.engine import Engine
from phasegate.core.exploring.subject import Open, Subject
from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.core.exploring.twin import Move, Successor, Violation
from phasegate.files.sizes import BYTES_MAX

THREADS_MAX: Final = 256  # each has memory of its own, and waits for all others after each part of a level


class Explorer(Protocol):
    """What both explorers are."""

    @property
    def subject(self) -> Subject:
        """What is explored."""
        ...

    @property
    def open(self) -> Open:
        """Its arena and books."""
        ...

    @property
    def is_symmetric(self) -> bool:
        """Whether states that differ in names only are one."""
        ...

    @property
    def is_compiled(self) -> bool:
        """Whether it is the compiled one."""
        ...

    @property
    def group(self) -> Sequence[Any]:
        """The symmetries, the identity first."""
        ...

    @property
    def depth(self) -> int:
        """The depth that it has come to."""
        ...

    @property
    def transitions(self) -> int:
        """How many acts were taken."""
        ...

    @property
    def rising(self) -> int:
        """Along how many of them the rank did not fall."""
        ...

    @property
    def violation(self) -> Violation | None:
        """The promise that is broken."""
        ...

    @property
    def left(self) -> Sequence[int]:
        """What the environment has left in the state that is laid open."""
        ...

    @property
    def happened(self) -> int:
        """Which of the scenario's events have happened in it, one bit each."""
        ...

    @property
    def states(self) -> int:
        """How many states have been found."""
        ...

    @property
    def frontier(self) -> int:
        """How many of them wait to be expanded."""
        ...

    @property
    def bytes_used(self) -> int:
        """How many bytes its states take."""
        ...

    @property
    def first(self) -> Any:
        """The key of the first state."""
        ...

    @property
    def taken(self) -> Mapping[Any, int]:
        """How often each kind of act was taken."""
        ...

    @property
    def became(self) -> Mapping[Any, int]:
        """How often an instance went from one state of its life to another."""
        ...

    @property
    def ended(self) -> Mapping[Any, int]:
        """How often an attempt ended with that status and code."""
        ...

    @property
    def standing(self) -> Mapping[Any, int]:
        """In how many states a rule kept a set from starting."""
        ...

    def run(self, states_max: int) -> str:
        """Expand up to so many states."""
        ...

    def key_of(self, number: int) -> Any:
        """Return a state's key."""
        ...

    def write(self, key: Any) -> None:
        """Lay a key open."""
        ...

    def successors(self, key: Any) -> list[Successor]:
        """Return what each possible act leads to."""
        ...

    def watch(self, fields: Any, predicate: Callable[[], bool], of: object) -> None:
        """Ask about every new state, once for each combination of bytes in the arena."""
        ...

    def path(self, number: int) -> list[int]:
        """Return the states from the first one to that one."""
        ...

    def trace(self, number: int) -> list[Move]:
        """Return the acts that lead there."""
        ...


def explorer_class(engine: Engine) -> Any:
    """Return the class of explorer for an engine."""
    if not engine.is_compiled:
        return Twin
    try:
        return import_module("phasegate.core.exploring.explorer").Explorer
    except ImportError:
        return Twin


def made(subject: Subject, *, is_symmetric: bool, order: str, memory_max: int | None, threads: int = 1) -> Explorer:
    """Return an explorer of the subject; `memory_max` bounds the bytes that it takes.

    The compiled one goes on so many threads, `THREADS_MAX` at most, where it can; what it finds does not depend on how
    many there are.
    """
    cls = explorer_class(subject.engine)
    more: dict[str, Any] = {} if memory_max is None else {"memory_max": min(memory_max, BYTES_MAX)}
    if cls is not Twin:
        more["threads"] = min(threads, THREADS_MAX)
    explorer: Explorer = cls(subject, is_symmetric=is_symmetric, order=order, **more)
    return explorer
