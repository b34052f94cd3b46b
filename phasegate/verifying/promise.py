"""Promises of somebody's own: Python predicates on explored states that declare the fields which they read.

`always` must hold in every explored state, `sometimes` in one at least, `eventually` on every run to its end at some
time. A predicate is asked once for each combination of values of its fields. What it reads without having said so is
noticed: the field is added, its memory is dropped, and the report says so.
"""

from __future__ import annotations

import runpy
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from attrs import define, field, frozen

from phasegate.core.errors import InvalidModel
from phasegate.core.model import refuse_unknown
from phasegate.files.documents import InvalidFile
from phasegate.verifying.view import FIELDS, NAMING, Laid, StateView, read

Kind = Literal["always", "sometimes", "eventually"]
Predicate = Callable[[StateView], bool]


@frozen
class Custom:
    """One promise: its name, when it must hold, its predicate, and the fields that it says it reads.

    `is_symmetric` says that it does not tell apart those whom its fields name, so that symmetry may stay on.
    """

    name: str
    kind: Kind
    predicate: Predicate = field(repr=False)
    reads: tuple[str, ...]
    is_symmetric: bool = False

    def __call__(self, state: StateView) -> bool:
        """Ask the predicate; `InvalidFile` names the file, the line and the promise if it raises something."""
        try:
            return bool(self.predicate(state))
        except Exception as error:  # whatever somebody's own code raises
            at = traceback.extract_tb(error.__traceback__)[-1]
            what = f"promise `{self.name}` does not run: {type(error).__name__}: {error}"
            raise InvalidFile(what, at.filename, f"line {at.lineno}") from error

    @property
    def sentence(self) -> str:
        """What it promises: its predicate's docstring, else its name."""
        lines = (self.predicate.__doc__ or "").strip().splitlines()
        return lines[0].rstrip(".") if lines else self.name.replace("_", " ")


def _decorator(kind: Kind, reads: Iterable[str], name: str | None, is_symmetric: bool) -> Callable[[Predicate], Custom]:
    fields = (reads,) if isinstance(reads, str) else tuple(reads)
    for at, one in enumerate(fields):
        if one not in FIELDS:
            refuse_unknown(one, FIELDS, "field", f"reads[{at}]")

    def made(predicate: Predicate) -> Custom:
        return Custom(name or predicate.__name__, kind, predicate, fields, is_symmetric)

    return made


def always(
    *, reads: Iterable[str] = (), name: str | None = None, is_symmetric: bool = False
) -> Callable[[Predicate], Custom]:
    """Make a promise of a predicate: it holds in every state. `reads` are the fields of `StateView` that it reads.

    `InvalidModel` names a field that there is not.

    >>> @always(reads=("upgraded", "failed"))
    ... def fails_little(state):
    ...     "At most one instance fails."
    ...     return state.failed <= 1
    >>> fails_little.sentence
    'At most one instance fails'
    """
    return _decorator("always", reads, name, is_symmetric)


def sometimes(
    *, reads: Iterable[str] = (), name: str | None = None, is_symmetric: bool = False
) -> Callable[[Predicate], Custom]:
    """Make a promise of a predicate: it holds in some state. Else as `always`."""
    return _decorator("sometimes", reads, name, is_symmetric)


def eventually(
    *, reads: Iterable[str] = (), name: str | None = None, is_symmetric: bool = False
) -> Callable[[Predicate], Custom]:
    """Make a promise of a predicate: on every run to its end it holds at some time. Else as `always`."""
    return _decorator("eventually", reads, name, is_symmetric)


def load_promises(path: str) -> tuple[Custom, ...]:
    """Return the promises of a Python file, in the order in which they stand there. The file is run.

    `InvalidFile` if it cannot be read or run, or has none.
    """
    if not Path(path).is_file():
        raise InvalidFile("cannot be read: no such file", path)
    try:
        content = runpy.run_path(path)
    except InvalidModel as error:
        raise InvalidFile(error.what, path, error.path) from None
    except (Exception, SystemExit) as error:  # whatever somebody's own code raises
        raise InvalidFile(f"does not run: {type(error).__name__}: {error}", path) from None
    found = tuple(value for value in content.values() if isinstance(value, Custom))
    if not found:
        raise InvalidFile("no promise; decorate a predicate with `always`, `sometimes` or `eventually`", path)
    return tuple(dict.fromkeys(found))


@define
class Memory:
    """What a predicate has answered, by the values of the fields that it reads; how often it was asked."""

    promise: Custom
    reads: tuple[str, ...] = field(init=False)
    answers: dict[tuple[Any, ...], bool] = field(factory=dict, init=False)
    calls: int = field(default=0, init=False)
    undeclared: list[str] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self.reads = self.promise.reads

    def holds(self, at: Laid, known: dict[str, Any]) -> bool:
        """Return whether the predicate holds in the state that is laid open; `known` are its fields read so far."""
        key = tuple(read(at, name, known) for name in self.reads)
        answer = self.answers.get(key)
        if answer is not None:
            return answer
        noted: list[str] = []
        self.calls += 1
        answer = self.promise(StateView(at, known, noted.append))
        more = [name for name in dict.fromkeys(noted) if name not in self.reads]
        if more:
            self.reads += tuple(more)
            self.undeclared += more
            self.answers.clear()
            key = tuple(read(at, name, known) for name in self.reads)
        self.answers[key] = answer
        return answer

    def names(self) -> frozenset[str]:
        """Return whom its fields name: of sets, cells, instances, none where it does not tell them apart."""
        if self.promise.is_symmetric:
            return frozenset()
        return frozenset(NAMING[name] for name in self.reads if name in NAMING)


def tells_apart(explorer: Laid, asked: Iterable[Memory]) -> bool:
    """Whether a promise reads who is who among those that the explorer's symmetry takes for one."""
    return bool(moved(explorer) & {name for memory in asked for name in memory.names()})


def moved(explorer: Laid) -> frozenset[str]:
    """Return whom the explorer's symmetry takes for one another: some of instances, cells and sets."""
    if not explorer.is_symmetric:
        return frozenset()
    found = {"instances"}
    for one in explorer.group:
        if one.cell != tuple(range(len(one.cell))):
            found.add("cells")
        if one.set != tuple(range(len(one.set))):
            found.add("sets")
    return frozenset(found)
