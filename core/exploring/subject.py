"""What is explored: a small fleet under a policy, laid open where an exploration begins, and the events of its own.

The first state is made by `Engine` itself, from ordinary events (the *prologue*). After it the kernel works on the
columns directly. What does not happen often enough to be compiled (a published version, a changed model, a new
rollout, scale-out) is done by the very functions that `Engine` calls, on the same columns; what such an event changes
in the state's book is kept as the number of a book.

Time is abstract. All that the rules ever ask of an instant is its order among a few others, so every explored state is
brought to one normal form (`settle_times`): now is `NOW`, an instance's last health report lies before the entry into
`verifying` or after it, and what a timer says is only that it is armed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from attrs import evolve, field, frozen

from phasegate.core import changes, rollouts
from phasegate.core import codes as c
from phasegate.core.compiling import number_of
from phasegate.core.engine import Engine
from phasegate.core.errors import InvalidEvent, InvalidModel, UnknownName
from phasegate.core.events import Configured, Event, Protected, Published, Replicated, Rollout, Scaled
from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.arena import Arena
from phasegate.core.exploring.promises import Promise
from phasegate.core.lifecycle import Life
from phasegate.core.roster import Instance
from phasegate.core.state import Book, State
from phasegate.core.views import Views
from phasegate.core.working import Working

NOW: Final = 2**40
OLD: Final = NOW - 20  # observed before the last swap: stale
SEEN: Final = NOW - 10  # the last report that counted, where it came before the entry into `verifying`
BETWEEN: Final = NOW - 7  # observed after the swap, before the entry into `verifying`
ENTERED: Final = NOW - 5  # into `verifying`
SEEN_SINCE: Final = NOW - 4  # the last report that counted, where it was observed after the entry
FRESH: Final = NOW
BOOKS_MAX: Final = 256  # their numbers are a byte
EVERY: Final = frozenset(int(promise) for promise in Promise)

Order = Rollout | Configured | Published | Replicated | Protected
_APPLY: Final[dict[type[Any], Callable[[Working, Any], object]]] = {
    Rollout: rollouts.begin,
    Configured: changes.configure,
    Published: changes.publish,
    Replicated: changes.replicate,
    Protected: changes.protect,
}


class _NoTimers:
    """Timers are marks in the columns here; there is nothing to note."""

    def arm(self, kind: int, of: int) -> None:
        """Note nothing."""


@frozen(eq=False)
class Spare:
    """Instances that scale-out may bring: they join `set`, the same way each time."""

    set: str
    instances: tuple[Instance, ...]


@frozen(eq=False, kw_only=True)
class Subject:
    """A fleet where its exploration begins.

    `start` are the events that lead there, all at `NOW`, `orders` those that may happen later, each at most once,
    anywhere; `spares` what scale-out may add. `takes` says which batches the orchestrator starts: any legal one, or
    only those that the engine itself selects. `promises` are those that are checked (numbers of `Promise`).
    """

    engine: Engine
    start: tuple[Event, ...]
    freedom: Freedom = field(factory=Freedom)
    orders: tuple[Order, ...] = ()
    spares: tuple[Spare, ...] = ()
    takes: str = "legal"
    promises: frozenset[int] = EVERY

    def prologue(self) -> tuple[Event, ...]:
        """Return every event from the fleet as listed to the first explored state, in order."""
        spare: list[Event] = []
        for some in self.spares:
            spare.append(Scaled(some.set, NOW, added=some.instances))
            spare.append(Scaled(some.set, NOW, removed=tuple(one.id for one in some.instances)))
        return (*spare, *self.start)

    def first_state(self) -> State:
        """Return the state at which the exploration begins."""
        state = self.engine.initial(now=NOW)
        for event in self.prologue():
            state = self.engine.step(state, event).state
        return state

    def lay_open(self) -> Open:
        """Return the first state in an arena of its own, with a kernel on it."""
        return Open(self)


class Open:
    """The arena, the kernel on it, and the books; what twin and compiled explorer both stand on.

    `tags` tell apart whom one of the scenario's own events names, and who is held in reserve, from everybody else.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        engine = subject.engine
        state = subject.first_state()
        more = sum(isinstance(order, Rollout) for order in subject.orders)
        room = Working(engine.compiled, engine.kernel_class)
        if more:
            room.grow(state, rollout=state.rows["rollout"] + more)
            state = room.workspace.state or state
        self.state = state
        self.arena = Arena(evolve(state, now=OLD))  # no deadline that an exploration sets lies before it
        work = Working(engine.compiled, engine.kernel_class)
        work.workspace = self.arena  # type: ignore[assignment]  # it has what kernels and views look at
        work.v = Views(self.arena)  # type: ignore[arg-type]  # the same
        ask = work.ask if engine.compiled.rules.asks else None
        work.kernel = engine.kernel_class(self.arena, engine.compiled.statics, ask)
        work.timers = _NoTimers()
        work.book = state.book
        work.picks = None
        self.work = work
        self.kernel = work.kernel
        self.v = work.v
        self.books: list[Book] = [state.book]
        self._book_numbers: dict[bytes, int] = {state.book.digest: 0}
        self.rows = state.rows
        for bucket in range(self.rows["bucket"]):
            if not self.is_live(bucket):
                self.v.site[bucket * c.SITE + c.SITE_COUNT] = 0
        self.spares = self._spares()
        self.tags = self._tags()
        self._check_sizes()

    def _check_sizes(self) -> None:
        if len(self.subject.orders) > 16:
            raise InvalidModel(f"{len(self.subject.orders)} events of its own; at most 16 can be explored", "orders")
        if self.rows["instance"] > 64:
            raise InvalidModel(f"{self.rows['instance']} instances; at most 64 can be explored", "fleet")

    def _tags(self) -> bytes:
        tags = bytearray(self.rows["instance"])
        for order in self.subject.orders:
            if isinstance(order, Protected):
                s = self.work.compiled.directory.set_named(order.set)
                for slot in changes.find(self.work, s, order.instances):
                    tags[slot] = max(tags) + 1
        kinds: dict[tuple[int, Instance], int] = {}
        for slot, (s, instance) in self.spares.items():
            tags[slot] = kinds.setdefault((s, evolve(instance, id="")), max(tags) + 1)
        return bytes(tags)

    def is_live(self, bucket: int) -> bool:
        """Whether a bucket is one of its set's; those that scale-out wrote anew elsewhere have nobody in them."""
        link = self.v.site[bucket * c.SITE + c.SITE_SET] * c.LINK
        first = self.v.link[link + c.LINK_BUCKET]
        return bool(first <= bucket < first + self.v.link[link + c.LINK_BUCKETS])

    def standing_of(self, s: int) -> int:
        """Return what keeps a set with pending instances from starting, a bit each: all of it, its gates, or cells."""
        kernel = self.kernel
        if not self.v.tally[s * c.TALLY + Life.PENDING]:
            return 0
        bits: int = kernel.standing(s) or kernel.gates(s)
        if not bits:
            number, lately = kernel.current(s)
            for bucket in kernel.buckets(s):
                if kernel.is_candidate(bucket, number, lately):
                    bits |= kernel.in_cell(s, self.v.site[bucket * c.SITE + c.SITE_CELL])
        return bits

    # --- books -------------------------------------------------------------------------------------------------------

    def book_number(self, book: Book) -> int:
        """Return the number of a book, a new one if it is new."""
        number = self._book_numbers.setdefault(book.digest, len(self.books))
        if number == len(self.books):
            if number >= BOOKS_MAX:
                raise InvalidModel(
                    f"more than {BOOKS_MAX} different catalogues and histories of failures; bound the events"
                )
            self.books.append(book)
        return number

    def targets(self, book: int) -> list[int]:
        """Return the target of each rollout, as the number of a version."""
        held = self.books[book]
        return [number_of(held, record.target) or 0 for record in held.rollouts]

    def remember_failures(self, book: int, entries: Iterable[tuple[int, int]]) -> int:
        """Return the number of the book in which these older failures are noted too."""
        held = self.books[book]
        return self.book_number(evolve(held, failed_more=held.failed_more | frozenset(entries)))

    # --- what Engine's own functions do ------------------------------------------------------------------------------

    def order(self, book: int, which: int) -> int | None:
        """Let one of the scenario's own events happen; return the book after it, None if the engine refuses it."""
        work, event = self.work, self.subject.orders[which]
        work.book = self.books[book]
        try:
            _APPLY[type(event)](work, evolve(event, now=NOW))
        except (InvalidEvent, UnknownName):
            return None
        return self.book_number(work.book)

    def add(self, book: int, slot: int) -> int:
        """Let a reserved instance join its set; return the book after it."""
        work = self.work
        work.book = self.books[book]
        s, instance = self.spares[slot]
        work.v.failed[slot] = 0
        changes.settle_in(work, s, [(slot, instance)], NOW)
        work.kernel.touch(s)
        return self.book_number(work.book)

    def _spares(self) -> dict[int, tuple[int, Instance]]:
        """Return the reserved slots: each with its set and what it is when it joins."""
        found = {}
        by_name = dict(self.books[0].names.items())
        for some in self.subject.spares:
            s = self.work.compiled.directory.set_named(some.set)
            for instance in some.instances:
                slot = next(at for at, name in by_name.items() if name == instance.id and self.v.set_of(at) == s)
                found[slot] = (s, instance)
        return found

    # --- time --------------------------------------------------------------------------------------------------------

    def settle_times(self) -> None:
        """Bring every instant to its normal form; what is armed stays armed."""
        v, timeout = self.v, self.work.compiled.statics.health_timeout_ms
        for slot in range(self.rows["instance"]):
            state = v.life[slot] & c.STATE_BITS
            deadline = self.kernel.deadline_of(slot)
            is_since = state == Life.VERIFYING and v.observed_at(slot) >= deadline - timeout
            v.observe(slot, SEEN_SINCE if is_since else SEEN)
            self.kernel.set_deadline(slot, ENTERED + timeout if state == Life.VERIFYING else NOW + 1 if deadline else 0)
        for s in range(self.rows["set"]):
            clock = s * c.CLOCK
            v.clock[clock + c.CLOCK_BEGAN] = 0
            v.clock[clock + c.CLOCK_DELAY] = int(bool(v.mark[s] & c.DELAYED))
            v.clock[clock + c.CLOCK_REST] = int(bool(v.mark[s] & c.RESTING))
            v.clock[clock + c.CLOCK_WINDOW] = int(bool(v.clock[clock + c.CLOCK_WINDOW]))
        for rollout in range(self.rows["rollout"]):
            for at in range(c.DIAL):
                v.dial[rollout * c.DIAL + at] = 0
