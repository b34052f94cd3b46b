"""A trace state by state: where everybody stands, who waits and why, what may start, and what is commanded.

All of it is what `Engine` answers of these states; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from phasegate.core import codes as c
from phasegate.core.engine import Choice, Engine
from phasegate.core.facts import Commands
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.order import natural_key
from phasegate.core.reasons import Reason
from phasegate.core.state import State
from phasegate.core.tracing import ATTEMPTS, COURSES, ERRORS
from phasegate.verifying.trace import Trace, column
from phasegate.verifying.view import MARKS

UNTRIED: Final = "none"  # the status of a set that no rollout has


@frozen
class Place:
    """One instance, by where it stands: its set (full name), cell, upgrade domain, and id in the set."""

    set: str
    cell: str
    upgrade_domain: int
    id: str

    @property
    def region(self) -> str:
        """The region of its set."""
        return self.set.partition("/")[0]

    @property
    def zone(self) -> str:
        """The zone of its cell, `-` for none."""
        return self.cell.rpartition("/")[2]


@frozen(kw_only=True)
class Being:
    """What one instance is in one state."""

    life: Life
    health: Health
    version: str | None


@frozen(kw_only=True)
class Share:
    """So many of so many, and the percentage that it may come to."""

    count: int
    of: int
    percent: int

    @property
    def is_over(self) -> bool:
        """Whether it is more than the percentage."""
        return 100 * self.count > self.percent * self.of


@frozen(kw_only=True)
class Standing:
    """Where the attempt of one set stands: its status, the code it ended with, its marks and numbers.

    `unhealthy` and `bad` are what the gates before and after a batch weigh (semantics 7); `in_flight` stands beside the
    percentage of a batch.
    """

    set: str
    status: str
    error: str | None
    marks: tuple[str, ...]
    hold: str | None
    in_flight: Share
    unhealthy: Share
    bad: Share


@frozen(kw_only=True)
class Course:
    """How far one rollout is: its status, the open phase and how many there are (0: it has none)."""

    number: int
    image: str
    target: str
    status: str
    phase: int
    phases: int
    is_paused: bool
    is_baking: bool


@frozen(kw_only=True)
class Waiting:
    """Pending instances of one set that wait for the same reasons, or that the engine itself would start next."""

    places: tuple[Place, ...]
    reasons: tuple[Reason, ...]
    is_next: bool


@frozen(kw_only=True)
class Frame:
    """One state of a trace."""

    beings: dict[Place, Being]
    sets: tuple[Standing, ...]
    rollouts: tuple[Course, ...]
    waiting: tuple[Waiting, ...]
    choices: tuple[tuple[Choice, tuple[Place, ...]], ...]
    commands: tuple[tuple[Commands, tuple[Place, ...]], ...]


def frames(trace: Trace) -> list[Frame]:
    """Return the states of a trace, the first one first: one more than it has steps."""
    return [frame(trace.engine, state) for state in (trace.first, *(step.state for step in trace.steps))]


def places(engine: Engine, found: list[Frame]) -> list[Place]:
    """Return everybody who is in some frame: by set, cell, upgrade domain, and id."""
    directory = engine.compiled.directory
    sets = {name: at for at, name in enumerate(directory.sets)}
    cells = {name: at for at, name in enumerate(directory.cells)}

    def order(place: Place) -> tuple[object, ...]:
        return sets[place.set], cells[place.cell], place.upgrade_domain, natural_key(place.id)

    return sorted({place for one in found for place in one.beings}, key=order)


def frame(engine: Engine, state: State) -> Frame:
    """Return what there is to be seen of one state."""
    by_slot = dict(_standing_places(engine, state))
    lives = column(state, "life")
    choices = ((choice, tuple(by_slot[slot] for slot in choice.candidates)) for choice in engine.legal(state))
    commands = ((some, tuple(by_slot[slot] for slot in some.slots)) for some in engine.outstanding(state))
    return Frame(
        beings={
            place: Being(
                life=Life(lives[slot] & c.STATE_BITS),
                health=Health(lives[slot] >> c.HEALTH_SHIFT),
                version=engine.version(state, slot),
            )
            for slot, place in by_slot.items()
        },
        sets=tuple(_standings(engine, state)),
        rollouts=tuple(_courses(state)),
        waiting=tuple(_waiting(engine, state, by_slot)),
        choices=tuple(choices),
        commands=tuple(commands),
    )


def _standing_places(engine: Engine, state: State) -> Iterator[tuple[int, Place]]:
    """Yield the present instances by slot."""
    for name in engine.compiled.directory.sets:
        slots = engine.members(state, name)
        for slot, ident in zip(slots, engine.ids(state, slots), strict=True):
            yield slot, Place(name, engine.cell_of(state, slot), engine.upgrade_domain_of(state, slot), ident)


def _standings(engine: Engine, state: State) -> Iterator[Standing]:
    directory = engine.compiled.directory
    columns = ("tally", "percent", "status", "code", "mark", "link", "option")
    tallies, percents, status, code, mark, link, option = (column(state, name) for name in columns)
    for s, name in enumerate(directory.sets):
        tally = tallies[s * c.TALLY : (s + 1) * c.TALLY]
        percent = percents[s * c.PERCENT : (s + 1) * c.PERCENT]
        total, hold = tally[c.TALLY_TOTAL], link[s * c.LINK + c.LINK_HOLD]
        undone = tally[Life.RESTORED] + tally[Life.FAILED]
        weighed = total if option[s] & c.OF_SET else undone + tally[Life.UPGRADED]
        yield Standing(
            set=name,
            status=ATTEMPTS.get(status[s], UNTRIED),
            error=ERRORS[code[s]],
            marks=tuple(word for word, bit in MARKS.items() if mark[s] & bit),
            hold=directory.cells[hold] if hold >= 0 else None,
            in_flight=Share(count=tally[c.TALLY_FLIGHT], of=total, percent=percent[c.BATCH_PERCENT]),
            unhealthy=Share(count=tally[c.TALLY_BAD], of=total, percent=percent[c.UNHEALTHY_PERCENT]),
            bad=Share(count=undone + tally[c.TALLY_UPGRADED_BAD], of=weighed, percent=percent[c.UPGRADED_PERCENT]),
        )


def _courses(state: State) -> Iterator[Course]:
    course, trait, plan = (column(state, name) for name in ("course", "trait", "plan"))
    for number, record in enumerate(state.book.rollouts):
        yield Course(
            number=number,
            image=record.image,
            target=record.target,
            status=COURSES[course[number]],
            phase=plan[number * c.PLAN + c.PLAN_PHASE],
            phases=len(record.phases or ()),
            is_paused=bool(trait[number] & c.PAUSED),
            is_baking=bool(trait[number] & c.BAKING),
        )


def _waiting(engine: Engine, state: State, by_slot: dict[int, Place]) -> Iterator[Waiting]:
    lives = column(state, "life")
    alike: dict[tuple[str, tuple[Reason, ...], bool], list[Place]] = {}
    for slot, place in by_slot.items():
        if lives[slot] & c.STATE_BITS == Life.PENDING:
            found = engine.explain(state, f"{place.set}/{place.id}")
            alike.setdefault((place.set, found.reasons, found.selected), []).append(place)
    for (_, reasons, is_next), these in alike.items():
        yield Waiting(places=tuple(these), reasons=reasons, is_next=is_next)
