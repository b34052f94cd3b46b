"""The engine: a fleet under a policy, and the pure functions from state to state that follow from them.

    step(state, event) -> Step(state, facts)

is the only verb that changes anything, and it changes nothing in place: the old state stays valid, equal input gives
equal output. Everything else answers questions about a state.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from typing import Any

from attrs import field, frozen

from phasegate.core import changes, elapsing, explaining, packing, rollouts, tracing
from phasegate.core import codes as c
from phasegate.core.announced import Announced
from phasegate.core.compiled import Compiled
from phasegate.core.compiling import Compiler
from phasegate.core.errors import IllegalTransition, InvalidEvent, UnknownName
from phasegate.core.events import (
    Applied,
    Batch,
    Batches,
    Cancel,
    Configured,
    Elapsed,
    Event,
    Pause,
    Protected,
    Published,
    Replicated,
    Resume,
    Rollout,
    Scaled,
    Signals,
    Start,
    Tick,
)
from phasegate.core.explaining import Explanation
from phasegate.core.facts import Commands, Step
from phasegate.core.kernels import default_kernel
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, Health
from phasegate.core.picks import Picks
from phasegate.core.progress import history_of, report, rollout_report
from phasegate.core.reasons import Verdict
from phasegate.core.rules import Policy
from phasegate.core.state import ATTEMPTS_KEPT, AttemptRecord, State
from phasegate.core.working import Working


@frozen
class Choice:
    """What is legal for one set now: any non-empty part of `candidates` (slots, in order) within both numbers.

    One candidate alone is always within them; `healthy_at_most` bounds those that are healthy or initializing. `cell`
    is the first candidate's; with `enable_cross_zone` the candidates may be in several.
    """

    set: str
    cell: str
    upgrade_domain: int
    candidates: array[int] = field(repr=lambda slots: f"<{len(slots)}>", eq=bytes)
    at_most: int
    healthy_at_most: int


class Engine:
    """A fleet under a policy. Immutable to its users; one lock makes it safe between threads.

    `kernel` is the class of the selector and stepper: the compiled one where there is one, else its plain twin.
    `InvalidModel` if the policy cannot be applied to the fleet (a pair inside one of the users' phases, ...).
    """

    def __init__(self, fleet: Fleet, policy: Policy, *, kernel: Any = None) -> None:
        self.fleet = fleet
        self.policy = policy
        self.compiled = Compiled.of(fleet, policy)
        self.topology = self.compiled.topology
        self._work = Working(self.compiled, kernel if kernel is not None else default_kernel())
        self._announced = Announced(self._work) if self.compiled.rules.supersede == "cancel" else None
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"Engine({self.fleet!r}, {type(self.policy).__name__})"

    @property
    def kernel_class(self) -> Any:
        """The class of the selector and stepper at work."""
        return self._work.kernel_class

    @property
    def is_compiled(self) -> bool:
        """Whether the compiled kernel is at work."""
        return bool(self._work.kernel_class.is_compiled)

    # --- changing ----------------------------------------------------------------------------------------------------

    def initial(self, now: int = 0) -> State:
        """Return the state in which nothing has begun: every instance as the fleet lists it, at `now` (ms UTC)."""
        models, directory = self.compiled.models, self.compiled.directory
        state = Compiler(self.fleet, models, directory, self.compiled.rules).first_state(_time(now))
        with self._lock:
            work = self._work
            work.take_up(state)
            work.kernel.begin(now)
            for s, model in enumerate(models):
                rollouts.aim(work, s, model, now)
                rollouts.classify(work, s, work.slots_of(s), c.BY_ROLLOUT)
            work.kernel.take_trace()
            work.picks, work.selected = work.kernel.settle(), None
            return work.publish(now)

    def start(
        self,
        image: str,
        target: str | None = None,
        *,
        now: int,
        sets: Iterable[str] | None = None,
        started_by: str | None = None,
        state: State | None = None,
    ) -> State:
        """Begin a rollout of `image` (its name) to `target`, None for the newest version; return the state after it.

        With `sets` it is a manual one, started by `"user"` unless said otherwise. Without `state` it begins on the
        fleet as listed. The errors are those of `step` with a `Rollout` event.
        """
        named = None if sets is None else tuple(sets)
        event = Rollout(image, now, target, named, started_by or ("platform" if named is None else "user"))
        return self.step(self.initial(now) if state is None else state, event).state

    def step(self, state: State, event: Event) -> Step:
        """Return the state after the event, and what it brought about (semantics 8).

        First the timers due before `event.now` pass, and versions that were announced until then are there; then the
        event is applied, then everything settles. A `Tick` also lets the timers due at its `now` pass. `InvalidEvent`
        if the event is malformed or its time lies before the state's, `UnknownName` if it names what is not there,
        `IllegalTransition` if a batch is not legal: then nothing has moved.
        """
        with self._lock:
            self._check(state, event)
            self._open(state, event)
            try:
                return self._step(state, event)
            except BaseException:
                self._work.spoil()
                raise

    def _check(self, state: State, event: Event) -> None:
        now = _time(event.now)
        if now < state.now:
            raise InvalidEvent(f"time goes forward only: the event is of {now}, the state of {state.now}")
        if isinstance(event, Signals):
            _check_signals(event, state.rows["instance"])
        elif isinstance(event, Pause | Resume | Cancel) and event.rollout is not None:
            _known(event.rollout, state)

    def _open(self, state: State, event: Event) -> None:
        """Lay the state open, with room for what the event adds."""
        work = self._work
        if isinstance(event, Rollout):
            work.grow(state, rollout=state.rows["rollout"] + 1)
        elif isinstance(event, Scaled):
            work.take_up(state)
            changes.find(work, self.compiled.directory.set_named(event.set), event.removed)
            if event.added:
                changes.check_added(work, event)
                work.grow(state, **changes.room_for(work, event))
        else:
            work.take_up(state)

    def _step(self, state: State, event: Event) -> Step:
        work = self._work
        now = event.now
        work.kernel.begin(now)
        reader = tracing.Reader(work, now)
        is_as_it_was = self._announced is None or not self._let_come(reader, self._announced, state.now, now)
        if self._pass_due(reader, before=now):
            self._settle(reader, now)
            is_as_it_was = False
        if is_as_it_was and isinstance(event, Start) and event.batches is work.selected and work.picks is not None:
            work.kernel.start_all(work.picks.heads, work.picks.slots)  # each was picked as legal after those before it
        else:
            self._apply(reader, event)
        if isinstance(event, Tick):
            reader.read(work.kernel.take_trace())
            self._pass_due(reader, before=now + 1)
        work.picks, work.selected = self._settle(reader, now), None
        history, chain = state.history, state.history_digest
        if reader.ended:
            latest: dict[int, tuple[AttemptRecord, ...]] = {}
            for s, record in reader.ended:
                latest[s] = (record, *latest.get(s, history[s]))[:ATTEMPTS_KEPT]
            history, chain = history.replaced_all(latest), chain.followed(reader.ended)
        return Step(work.publish(now, history=history, history_digest=chain), reader.facts)

    def _let_come(self, reader: tracing.Reader, announced: Announced, since: int, now: int) -> bool:
        """Let versions come that were announced for times up to `now`, each after the timers due before it.

        What falls due later finds the rollouts that it overtakes cancelled. Return whether one overtook any.
        """
        has_any = False
        while (time := announced.next_time(since)) is not None and time <= now:
            if self._pass_due(reader, before=time):
                self._settle(reader, now)
            announced.come(time)
            self._settle(reader, now)
            since, has_any = time, True
        return has_any

    def _settle(self, reader: tracing.Reader, now: int) -> Picks:
        """Settle, and set the start instants of the phases that have opened; until nothing moves any more."""
        work = self._work
        while True:
            picks: Picks = work.kernel.settle()
            reader.read(work.kernel.take_trace())
            if not reader.opened:
                return picks
            for rollout, phase in reader.opened:
                self._delay(rollout, phase, now)
            reader.opened.clear()

    def _delay(self, rollout: int, phase: int, now: int) -> None:
        v = self._work.v
        for s in self._work.kernel.attempts_of(rollout):
            if v.link[s * c.LINK + c.LINK_PHASE] == phase and v.mark[s] & c.DELAYED:
                rollouts.delay(self._work, s, now, now)

    def _pass_due(self, reader: tracing.Reader, before: int) -> bool:
        """Let every timer due before that time pass, in order; return whether there was one."""
        work = self._work
        due = work.timers.pop_due(before, reader.now)
        work.kernel.leap()
        for _, kind, of in due:
            if kind == c.TIMER_DEADLINE:
                work.kernel.pass_deadlines(work.kernel.overdue(of, before))
                work.timers.arm(c.TIMER_DEADLINE, of)
            elif kind == c.TIMER_BAKE:
                work.kernel.pass_bake(of)
            elif kind == c.TIMER_WINDOW:
                if work.kernel.time_of(kind, of):  # a bake that passed just before may have ended the whole rollout
                    rollouts.set_window(work, of, reader.now, is_manual=False)
            else:
                work.kernel.pass_timer(of, c.DELAYED if kind == c.TIMER_DELAY else c.RESTING)
            reader.read(work.kernel.take_trace())
        return bool(due)

    def _apply(self, reader: tracing.Reader, event: Event) -> None:
        work, kernel = self._work, self._work.kernel
        match event:
            case Tick():
                pass
            case Elapsed():
                elapsing.elapse(work, event)
            case Signals():
                kernel.signals(event.slots, event.what, event.observed_at, event.attempt, event.answers)
            case Start():
                for batch in event.batches:
                    self._start(batch, event.now)
            case Rollout():
                reader.parts.append(rollouts.begin(work, event))
            case Pause() | Resume() | Cancel():
                verb = {Pause: kernel.pause, Resume: kernel.resume, Cancel: kernel.cancel}[type(event)]
                for rollout in range(work.rows("rollout")) if event.rollout is None else (event.rollout,):
                    verb(rollout)
            case _:
                _CHANGES[type(event)](work, event)

    def _start(self, batch: Batch, now: int) -> None:
        s, slots = self._batch(batch)
        verdict = explaining.check(self._work, s, slots, now)
        if not verdict:
            raise IllegalTransition(verdict)
        self._work.kernel.start(s, self._work.v.bucket[slots[0]], slots)

    def _batch(self, batch: Batch) -> tuple[int, array[int]]:
        """Return a batch's set and its slots in order; `InvalidEvent` if it is empty or not of one set."""
        s = self.compiled.directory.set_named(batch.set)
        v, known = self._work.v, self._work.rows("instance")
        if not batch.slots or len(set(batch.slots)) != len(batch.slots):
            raise InvalidEvent(f"a batch of `{batch.set}` is empty or names a slot twice")
        for slot in batch.slots:
            if not 0 <= slot < known or v.set_of(slot) != s:
                raise InvalidEvent(f"slot {slot} is no instance of `{batch.set}`")
        return s, array("I", batch.slots)

    # --- asking ------------------------------------------------------------------------------------------------------

    def select(self, state: State) -> Batches:
        """Return the batches that the engine itself would start now, each legal after the ones before it.

        In order: regions by phase, then name; zones; sets by name. Nothing more is legal after the last (semantics 7).
        """
        with self._lock:
            picks = self._picks(state)
            if self._work.selected is None:
                self._work.selected = Batches(picks, self.compiled.directory.sets)
            return self._work.selected

    def _picks(self, state: State) -> Picks:
        work = self._work
        work.take_up(state)
        picks = work.picks
        if picks is None:
            try:
                picks = work.picks = work.kernel.walk()[0]
            except BaseException:  # a user's policy, or an interrupt: the picks so far are still assumed
                work.spoil()
                raise
            work.selected = None
        return picks

    def legal(self, state: State) -> tuple[Choice, ...]:
        """Return every batch that is legal now, in the order of `select`: what each set may start, cell by cell."""
        with self._lock:
            work = self._work
            work.take_up(state)
            found = []
            for s in range(state.rows["set"]):
                found += [(work.kernel.place(s, choice[1]), choice) for choice in work.kernel.legal(s)]
            found.sort(key=lambda entry: (*entry[0], work.v.site[entry[1][1] * c.SITE + c.SITE_DOMAIN]))
            return tuple(self._choice(*choice) for _, choice in found)

    def _choice(self, s: int, bucket: int, slots: array[int], at_most: int, healthy_at_most: int) -> Choice:
        site = self._work.v.site[bucket * c.SITE : (bucket + 1) * c.SITE]
        directory = self.compiled.directory
        cell = directory.cells[site[c.SITE_CELL]]
        return Choice(directory.sets[s], cell, site[c.SITE_DOMAIN], slots, at_most, healthy_at_most)

    def check(self, state: State, batch: Batch) -> Verdict:
        """Say whether the batch may start now, and if not, every reason why not (semantics 7 and 12).

        `InvalidEvent` if it is empty, names a slot twice or one of another set; `UnknownName` if there is no such set.
        """
        with self._lock:
            self._work.take_up(state)
            s, slots = self._batch(batch)
            return explaining.check(self._work, s, slots, state.now)

    def explain(self, state: State, instance: str) -> Explanation:
        """Return why the instance (`region/set/id`) does not start now, every reason with its numbers (semantics 12).

        `UnknownName` if there is no such instance in the state.
        """
        with self._lock:
            picks = self._picks(state)
            slot = self.slots(state, [instance])[0]
            return explaining.explain(self._work, slot, state.now, picks)

    def next_time(self, state: State) -> int | None:
        """Return when the next timer falls due (ms UTC), None if none is armed.

        With `supersede = "cancel"` also when a version that is listed with a time to come overtakes a running rollout.
        """
        with self._lock:
            self._work.take_up(state)
            time: int | None = self._work.timers.next_time()
            announced = None if self._announced is None else self._announced.next_time(state.now)
            return announced if time is None or (announced is not None and announced < time) else time

    def outstanding(self, state: State) -> tuple[Commands, ...]:
        """Return the commands that nobody has answered yet, for whoever comes back after a crash (semantics 10)."""
        with self._lock:
            self._work.take_up(state)
            return tracing.outstanding(self._work, state)

    def progress(self, state: State) -> dict[str, Any]:
        """Return the counts of every rollout, phase, region and set, and each set's history, as plain data.

        The last attempts of a set are under `history`, by its full name, newest first (semantics 9).
        """
        with self._lock:
            self._work.take_up(state)
            return report(self._work, state)

    def rollout(self, state: State, number: int) -> dict[str, Any]:
        """Return one rollout as `progress` tells it; `UnknownName` if there is none of that number."""
        _known(number, state)
        with self._lock:
            self._work.take_up(state)
            return rollout_report(self._work, number)

    def history(self, state: State, name: str) -> tuple[AttemptRecord, ...]:
        """Return a set's last attempts, newest first: at most five, not ended more than two months ago (semantics 9).

        One that is rolling forward comes first; one that waits has not begun, and is not there yet.
        """
        s = self.compiled.directory.set_named(name)
        with self._lock:
            self._work.take_up(state)
            return history_of(self._work, state, s)

    def counts(self, state: State) -> tuple[int, int]:
        """Return how many instances of the fleet are in flight, and how many are not healthy."""
        with self._lock:
            self._work.take_up(state)
            sums = self._work.v.sums
            return sums[c.SUM_FLIGHT], sums[c.SUM_BAD]

    def candidates_for_update(self, state: State) -> tuple[str, ...]:
        """Return the images that an automatic rollout would do something for now, and that have none running."""
        with self._lock:
            work = self._work
            work.take_up(state)
            return rollouts.candidates(work, state.now)

    # --- names -------------------------------------------------------------------------------------------------------

    def slots(self, state: State, names: Iterable[str]) -> array[int]:
        """Return the slots of instances (`region/set/id`), in order; `UnknownName` names the first unknown one."""
        with self._lock:
            work = self._work
            work.take_up(state)
            found = array("I")
            known: dict[str, dict[str, int]] = {}
            for name in names:
                of, _, ident = name.rpartition("/")
                if of not in known:
                    slots = work.slots_of(self.compiled.directory.set_named(of))
                    known[of] = dict(zip(work.ids_of(slots), slots, strict=True))
                if ident not in known[of]:
                    raise UnknownName(f"no instance `{ident}` in set `{of}`")
                found.append(known[of][ident])
            return found

    def ids(self, state: State, slots: Sequence[int]) -> list[str]:
        """Return the ids of instances of one set, in the order of their slots."""
        with self._lock:
            self._work.take_up(state)
            return self._work.ids_of(slots)

    def members(self, state: State, name: str) -> array[int]:
        """Return the slots of a set's present instances, in order."""
        with self._lock:
            self._work.take_up(state)
            return self._work.slots_of(self.compiled.directory.set_named(name))

    def set_of(self, state: State, slot: int) -> str:
        """Return the full name of an instance's set."""
        return self.compiled.directory.sets[self._read(state, lambda v: v.set_of(slot))]

    def cell_of(self, state: State, slot: int) -> str:
        """Return the cell of an instance, `region/zone` or `region/-`."""
        return self.compiled.directory.cells[self._read(state, lambda v: v.cell_of(slot))]

    def upgrade_domain_of(self, state: State, slot: int) -> int:
        """Return the upgrade domain of an instance."""
        return self._read(state, lambda v: v.site[v.bucket[slot] * c.SITE + c.SITE_DOMAIN])

    def life(self, state: State, slot: int) -> Life:
        """Return the life-cycle state of an instance."""
        return Life(self._read(state, lambda v: v.life[slot]) & c.STATE_BITS)

    def health(self, state: State, slot: int) -> Health:
        """Return the health of an instance."""
        return Health(self._read(state, lambda v: v.life[slot]) >> c.HEALTH_SHIFT)

    def version(self, state: State, slot: int) -> str | None:
        """Return the version installed on an instance, None if nobody knows."""
        return state.book.versions[self._read(state, lambda v: v.installed(slot))] or None

    def _read(self, state: State, read: Callable[[Any], int]) -> int:
        with self._lock:
            self._work.take_up(state)
            return int(read(self._work.v))


_CHANGES: dict[type, Callable[[Working, Any], None]] = {
    Configured: changes.configure,
    Applied: changes.apply_model,
    Published: changes.publish,
    Replicated: changes.replicate,
    Protected: changes.protect,
    Scaled: changes.scale,
}


def _time(now: int) -> int:
    if isinstance(now, bool) or not isinstance(now, int) or not 0 <= now <= c.TIME_MAX:
        raise InvalidEvent(f"time {now!r} is not whole milliseconds from 0 to 2**48 - 2")
    return now


def _known(rollout: int, state: State) -> None:
    if not 0 <= rollout < state.rows["rollout"]:
        raise UnknownName(f"no rollout {rollout}; there are {state.rows['rollout']}")


def _check_signals(event: Signals, slot_count: int) -> None:
    count = len(event.slots)
    if {len(event.what), len(event.observed_at), len(event.attempt), len(event.answers)} != {count}:
        raise InvalidEvent("the columns of the reports are not of one length")
    if not count:
        return
    if (event.slots.typecode, event.observed_at.typecode, event.attempt.typecode) != ("I", "q", "I"):
        raise InvalidEvent("the columns of the reports are not of the types that they have: uint32, int64, uint32")
    _, last = packing.span(event.slots)
    if last >= slot_count:
        raise InvalidEvent(f"slot {last} is beyond the {slot_count} that there are")
    if packing.span(event.what)[1] > 8 or packing.span(event.answers)[1] > 3:
        raise InvalidEvent("a report says what is no `What`, or answers what is no `Do`")
    first_at, last_at = packing.span(event.observed_at)
    if last_at > event.now or first_at < 0:
        raise InvalidEvent(f"a report was observed after {event.now}, when it came in, or before 0")
