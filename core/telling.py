"""The facts of a step, told when somebody asks: until then they are the numbers that the kernel left behind.

A whole rollout brings about several facts for each batch, and hardly anybody looks at all of them. So a step keeps its
traces as they are, with what their facts need of the moment in which they came about: numbers of names that may change
hands later, and the few facts that are made at once because the engine goes on from them. Names are looked up late, in
what never changes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, overload

from attrs import frozen

from phasegate.core import codes as c
from phasegate.core.directory import Directory
from phasegate.core.events import What
from phasegate.core.facts import BatchStarted, Became, Cause, Commands, Fact, Ignored
from phasegate.core.lifecycle import COMMANDS, Life
from phasegate.core.state import Book
from phasegate.core.traces import LENGTHS, records

CAUSES: Final[Mapping[int, Cause]] = {
    c.BY_BATCH: "batch",
    c.BY_SIGNAL: "signal",
    c.BY_DEADLINE: "deadline",
    c.BY_ROLLOUT: "rollout",
    c.BY_SCALING: "scaled",
    c.BY_MODEL: "configured",
    c.BY_POLICY: "policy",
    c.BY_PROTECTION: "protected",
}
WHY: Final = {c.LATE: "late", c.STALE: "stale", c.DUPLICATE: "duplicate", c.IS_GONE: "gone"}
LIVES: Final = tuple(Life)
DOES: Final = {life: (do, do.word) for life, do in COMMANDS.items()}


@frozen(eq=False)
class Told:
    """One trace (the records in `codes`), with what its facts need of the moment in which it was taken.

    `moments` has three numbers for each record about instances: its set's rollout, attempt number and target, for a
    batch its rollout, cell and upgrade domain. `noted` has the facts that were made at once, by where their record
    begins: for instances that are restored the commands, else all of the record's facts.
    """

    trace: array[int]
    moments: array[int]
    noted: Mapping[int, tuple[Fact, ...]]
    book: Book
    directory: Directory

    @property
    def has_restores(self) -> bool:
        """Whether some instances were told to go back to what they had."""
        return any(isinstance(fact, Commands) for facts in self.noted.values() for fact in facts)

    def facts(self) -> Iterator[Fact]:
        """Yield the facts, in the order in which they came about."""
        trace, noted, sets = self.trace, self.noted, self.directory.sets
        moment = 0
        for at, begin, after in records(trace):
            operation, s = trace[at], trace[at + 1]
            if operation in LENGTHS:
                yield from noted.get(at, ())
                continue
            first, second, third = self.moments[moment : moment + 3]
            moment += 3
            slots = array("I", trace[begin:after].tobytes())
            if operation == c.T_STARTED:
                if at in noted:
                    yield from noted[at]
                else:
                    yield BatchStarted(first, sets[s], (self.directory.cells[second],), third, slots)
                continue
            state, cause = trace[at + 2], trace[at + 3]
            if operation == c.T_IGNORED:
                yield Ignored(What(state).word, WHY[cause], sets[s], slots)
            else:
                life = LIVES[state]
                if at in noted:
                    yield from noted[at]
                elif life in COMMANDS:
                    yield from self._commands(life, first, s, second, third, slots)
                yield Became(first if first >= 0 else None, sets[s], life, CAUSES[cause], slots)

    def _commands(
        self, life: Life, rollout: int, s: int, attempt: int, target: int, slots: array[int]
    ) -> Iterator[Commands]:
        incarnations, name = self.book.incarnations, self.directory.sets[s]
        by: dict[int, array[int]] = {1: slots}
        if incarnations:
            by = {}
            for slot in slots:
                by.setdefault(incarnations.get(slot, 1), array("I")).append(slot)
        for incarnation, some in by.items():
            yield commands(life, rollout, name, attempt, incarnation, self.book.versions[target], some)


def commands(
    life: Life, rollout: int, name: str, attempt: int, incarnation: int, version: str, slots: array[int]
) -> Commands:
    """Return the commands that instances of one set in that state are under (semantics 10)."""
    do, word = DOES[life]
    suffix = f"#{incarnation}" if incarnation > 1 else ""
    return Commands(f"{rollout}/{name}/{attempt}/{word}{suffix}", do, rollout, name, version, attempt, slots)


class Facts(Sequence[Fact]):
    """A step's facts in order, each made when it is first looked at. Equal to a tuple of the same facts.

    >>> from phasegate.core.facts import PhaseOpened
    >>> facts = Facts([PhaseOpened(0, 1, ("westus",))])
    >>> len(facts), facts[0].phase, facts == (PhaseOpened(0, 1, ("westus",)),)
    (1, 1, True)
    """

    __slots__ = ("_facts", "parts")

    def __init__(self, parts: Iterable[Told | Fact]) -> None:
        self.parts = tuple(parts)
        self._facts: tuple[Fact, ...] | None = None

    def all(self) -> tuple[Fact, ...]:
        """Return the facts as a tuple."""
        if self._facts is None:
            self._facts = tuple(
                fact for part in self.parts for fact in (part.facts() if isinstance(part, Told) else (part,))
            )
        return self._facts

    @property
    def milestones(self) -> Iterator[Fact]:
        """The facts that are not about instances: beginnings and ends of rollouts, phases and attempts."""
        for part in self.parts:
            if not isinstance(part, Told):
                yield part
            elif part.noted:
                for facts in part.noted.values():
                    yield from (fact for fact in facts if not isinstance(fact, Commands | BatchStarted))

    def __len__(self) -> int:
        return len(self.all())

    def __bool__(self) -> bool:
        return any(not isinstance(part, Told) or part.moments or part.noted for part in self.parts)

    @overload
    def __getitem__(self, at: int) -> Fact: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Fact, ...]: ...
    def __getitem__(self, at: int | slice) -> Fact | tuple[Fact, ...]:
        return self.all()[at]

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.all())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Facts | tuple):
            return NotImplemented
        return self.all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self.all())

    def __repr__(self) -> str:
        return repr(self.all())

    def __reduce__(self) -> tuple[type[Facts], tuple[tuple[Fact, ...]]]:
        return Facts, (self.all(),)
