"""The explorer in plain Python, written to be read; `explorer.pyx` is the same, compiled.

A *key* is everything that tells two explored states apart, in five parts: a record an instance, bucket by bucket; how
lately each upgrade domain was begun; a record a set with the cell that it holds; a record a rollout; and what the
environment has left. Counters are not in it: they follow from the rest, and writing a key counts them anew. Times are
not either (see `subject`), nor what only reports read (how many batches there were, how many restores failed).

One key is expanded by writing it into the arena, and then, for each act that is possible, letting it happen through the
kernel and reading the key that comes of it. The kernel is whichever the engine has, and does what it does there.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, final

from attrs import frozen

from phasegate.core import codes as c
from phasegate.core.events import What
from phasegate.core.exploring import ranking as r
from phasegate.core.exploring.acts import ANSWERING, ANY, FAIR, PURSES, Act
from phasegate.core.exploring.judging import Judge
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import BETWEEN, FRESH, NOW, OLD, SEEN, Subject
from phasegate.core.exploring.symmetry import identity, is_free, symmetries
from phasegate.core.lifecycle import COMMANDS, IN_FLIGHT, Do, Happening, Life
from phasegate.core.model import Health
from phasegate.core.traces import records

Key = tuple[Any, ...]
Move = tuple[int, int, int, int]  # act, whom, choice, which
Fields = Sequence[tuple[int, int]]  # places in an arena: offset, bytes
Saved = tuple[Any, ...]

OBJECT_BYTES: Final = 100  # of a small tuple of numbers that mostly exist already
NOBODY: Final = (Life.GONE, 0, 0, 0, 0, False, 0)
TOUCHED: Final = (*IN_FLIGHT, Life.UPGRADED, Life.RESTORED, Life.FAILED)
# on its way: a recorded command is 0, then handed out, then carried out; after a crash nobody knows which
RECORDED, ISSUED, EXECUTED, UNSURE = 0, 1, 2, 3

ANSWERS: Final = {
    Do.REPLACE: (What.DISK_REPLACED, What.FAILED),
    Do.CONFIGURE: (What.CONFIGURED, What.FAILED),
    Do.RESTORE: (What.DISK_RESTORED, What.RESTORE_FAILED),
}


@frozen
class Successor:
    """What one act leads to, and which promise it breaks (0: none)."""

    move: Move
    key: Key
    broken: int


@frozen
class Violation:
    """A broken promise: the number of the state in which `move` breaks it, None if the state itself does."""

    promise: Any  # a `Promise`, or whatever a watch is called
    state: int
    move: Move | None


@final
class Explorer:
    """Explores a subject; `is_symmetric` says whether states that differ in names only are one."""

    is_compiled = False

    def __init__(
        self,
        subject: Subject,
        *,
        is_symmetric: bool = True,
        order: str = "breadth",
        memory_max: int = 2**40,
        is_compact: bool = False,
    ) -> None:
        self.subject = subject
        self.order = order
        self.memory_max = memory_max
        self.is_compact = is_compact
        self.open = subject.lay_open()
        self.v, self.kernel = self.open.v, self.open.kernel
        self.group = symmetries(self.open) if is_symmetric else (identity(self.open),)
        self.is_symmetric = is_symmetric and is_free(self.open)
        self.freedom = subject.freedom
        self.purses = {act: self.freedom.purse(act) for act in Act}
        rows = self.open.rows
        self.slots, self.buckets, self.sets = rows["instance"], rows["bucket"], rows["set"]
        self.rollouts = rows["rollout"]
        self.runs = [self._run(bucket) for bucket in range(self.buckets)]
        self.left = bytearray(self.freedom.budgets())
        self.happened = 0
        self.book = 0
        self.ghost = [0] * self.slots  # the version that an instance in flight had when its batch started
        self.wire = [RECORDED] * self.slots
        self.judge = Judge(self)
        self.first = self.read()
        self.is_benign = self.freedom.is_benign and not subject.orders
        self.keys: list[Key] = [self.first]
        self.numbers: dict[Key, int] = {self.first: 0}
        self.parents = array("i", [-1])
        self.todo: deque[int] = deque([0])
        self.level_end = 1  # breadth first: the states before it are at most `depth` acts away from the first
        self.depth = 0
        self.transitions = 0
        self.rising = 0  # edges along which the rank does not fall
        self.taken: Counter[Act] = Counter()  # how often each kind of act was taken
        self.became: Counter[tuple[Life, Life, bool]] = Counter()  # the last says whether a deadline had passed
        self.ended: Counter[tuple[int, int]] = Counter()  # attempts, by status and code (`core.codes`)
        self.standing: Counter[int] = Counter()  # in how many states a rule (a bit) kept a set from starting
        self.watches: list[tuple[Fields, Callable[[], bool], object, dict[bytes, bool]]] = []
        self.violation: Violation | None = None

    def _run(self, bucket: int) -> list[int]:
        """Return the slots of a bucket, those with equal tags side by side: only they are interchangeable."""
        first = self.v.site[bucket * c.SITE + c.SITE_FIRST]
        slots = self.v.order[first : first + self.v.site[bucket * c.SITE + c.SITE_COUNT]]
        return sorted(slots, key=lambda slot: self.open.tags[slot])

    # --- keys --------------------------------------------------------------------------------------------------------

    def _record(self, slot: int) -> tuple[Any, ...]:
        v = self.v
        if v.life[slot] & c.STATE_BITS == Life.GONE:
            return (*NOBODY, self.open.tags[slot])
        timeout = self.open.work.compiled.statics.health_timeout_ms
        is_verifying = v.life[slot] & c.STATE_BITS == Life.VERIFYING
        has_heard = is_verifying and v.observed_at(slot) >= self.kernel.deadline_of(slot) - timeout
        return (
            v.life[slot],
            v.flag[slot],
            v.version[slot],
            v.failed[slot],
            self.ghost[slot],
            has_heard and self.left[PURSES.index("stale_reports")] > 0,
            self.wire[slot],
            self.open.tags[slot],
        )

    def _set_record(self, s: int) -> tuple[Any, ...]:
        v, link, clock = self.v, s * c.LINK, s * c.CLOCK
        return (
            v.status[s],
            v.mark[s],
            v.option[s],
            v.code[s],
            *v.percent[s * c.PERCENT : s * c.PERCENT + 3],
            *v.link[link : link + c.LINK_HOLD],
            v.link[link + c.LINK_TARGET],
            bool(v.clock[clock + c.CLOCK_WINDOW]),
            bool(v.clock[clock + c.CLOCK_PAUSE]),
        )

    def read(self) -> Key:
        """Return the key of what the arena holds: the least of its images under the group."""
        v = self.v
        records = [tuple(self._record(slot) for slot in run) for run in self.runs]
        if self.is_symmetric:
            records = [tuple(sorted(some, key=lambda record: (record[-1], record))) for some in records]
        sets = [(v.link[s * c.LINK + c.LINK_HOLD], self._set_record(s)) for s in range(self.sets)]
        rollouts = tuple(
            (v.course[at], v.trait[at], *v.plan[at * c.PLAN : (at + 1) * c.PLAN]) for at in range(self.rollouts)
        )
        rest = (rollouts, (bytes(self.left), self.happened, self.book))
        return min((*self._image(one, records, sets), *rest) for one in self.group)

    def _image(self, one: Any, records: list[Any], sets: list[Any]) -> tuple[Any, ...]:
        moved, begun = [()] * self.buckets, [0] * self.buckets
        for bucket, to in enumerate(one.bucket):
            moved[to], begun[to] = records[bucket], self.v.begun[bucket]
        placed: list[Any] = [None] * self.sets
        for s, to in enumerate(one.set):
            hold, record = sets[s]
            placed[to] = (one.cell[hold] if hold >= 0 else hold, record)
        return tuple(moved), tuple(begun), tuple(placed)

    def write(self, key: Key) -> None:
        """Lay a key open in the arena, and count what follows from it."""
        v = self.v
        records, begun, sets, rollouts, (left, self.happened, self.book) = key
        self.left[:] = left
        v.wait[:] = memoryview(array("I", [0] * len(v.wait)))
        v.tally[:] = memoryview(array("I", [0] * len(v.tally)))
        for column in (v.holds, v.working, v.used, v.sums):
            for at in range(len(column)):
                column[at] = 0
        for bucket, run in enumerate(self.runs):
            v.begun[bucket] = begun[bucket]
            for slot, record in zip(run, records[bucket], strict=True):
                self._write_instance(slot, record)
        for s, (hold, record) in enumerate(sets):
            self._write_set(s, hold, record)
        for at, (course, trait, *plan) in enumerate(rollouts):
            v.course[at], v.trait[at] = course, trait
            v.plan[at * c.PLAN : (at + 1) * c.PLAN] = memoryview(array("i", plan))
        self._count()
        self.open.settle_times()
        self.open.work.book = self.open.books[self.book]
        self.kernel.refresh()

    def _write_instance(self, slot: int, record: tuple[Any, ...]) -> None:
        v = self.v
        timeout = self.open.work.compiled.statics.health_timeout_ms
        v.life[slot], v.flag[slot], v.version[slot], v.failed[slot] = record[:4]
        self.ghost[slot], has_heard, self.wire[slot] = record[4:7]
        state = record[0] & c.STATE_BITS
        self.kernel.set_deadline(slot, NOW + timeout if state in IN_FLIGHT else 0)
        v.observe(slot, NOW if has_heard else SEEN)
        if state == Life.VERIFYING and not has_heard:
            self.kernel.set_deadline(slot, SEEN + timeout + 1)

    def _write_set(self, s: int, hold: int, record: tuple[Any, ...]) -> None:
        v, link, clock = self.v, s * c.LINK, s * c.CLOCK
        v.status[s], v.mark[s], v.option[s], v.code[s] = record[:4]
        v.percent[s * c.PERCENT : s * c.PERCENT + 3] = memoryview(bytes(record[4:7]))
        v.link[link], v.link[link + 1], v.link[link + 2] = record[7:10]
        v.link[link + c.LINK_HOLD], v.link[link + c.LINK_TARGET] = hold, record[10]
        v.clock[clock + c.CLOCK_WINDOW], v.clock[clock + c.CLOCK_PAUSE] = record[11], record[12]

    def _count(self) -> None:
        """Count everything anew that the counters count."""
        v, statics = self.v, self.open.work.compiled.statics
        for slot in range(self.slots):
            state, health = v.life[slot] & c.STATE_BITS, v.life[slot] >> c.HEALTH_SHIFT
            if state == Life.GONE:
                continue
            bucket, s = v.bucket[slot], v.set_of(slot)
            tally, wait = s * c.TALLY, bucket * c.WAIT
            is_bad, is_flying = health in (Health.UNHEALTHY, Health.UNKNOWN), state in IN_FLIGHT
            v.tally[tally + state] += 1
            v.tally[tally + c.TALLY_TOTAL] += 1
            v.tally[tally + c.TALLY_BAD] += is_bad
            v.tally[tally + c.TALLY_UPGRADED_BAD] += is_bad and state == Life.UPGRADED
            v.tally[tally + c.TALLY_FLIGHT] += is_flying
            v.tally[tally + c.TALLY_TOO_LATE] += bool(state == Life.PENDING and v.flag[slot] & c.TOO_LATE)
            v.wait[wait + c.WAIT_PENDING] += state == Life.PENDING
            v.wait[wait + c.WAIT_BAD] += is_bad and state == Life.PENDING
            v.wait[wait + c.WAIT_FLIGHT] += is_flying
            v.sums[c.SUM_FLIGHT] += is_flying
            v.sums[c.SUM_BAD] += is_bad
            v.sums[c.SUM_TOTAL] += 1
            for group in _items(statics.set_instance_groups, s):
                v.used[group] += is_flying
        for s in range(self.sets):
            hold = v.link[s * c.LINK + c.LINK_HOLD]
            if hold >= 0:
                v.holds[hold] += 1
            if v.status[s] == c.ROLLING:
                v.working[v.link[s * c.LINK + c.LINK_REGION]] += 1
                for group in _items(statics.set_work_groups, s):
                    v.used[group] += 1
        for cell in range(len(v.holds)):
            for group in _items(statics.cell_groups, cell) if v.holds[cell] else ():
                v.used[group] += 1

    # --- what may happen ---------------------------------------------------------------------------------------------

    def moves(self) -> Iterator[Move]:
        """Yield what may happen in the state that the arena holds, in order of `Act`."""
        yield from self._starts()
        for act in (Act.ANSWER, *list(Act)[Act.FAIL : Act.MAINTENANCE]):
            if self._may(act):
                for run in self.runs:
                    yield from self._of_instances(act, run)
        for bucket in range(self.buckets) if self._may(Act.MAINTENANCE) else ():
            if any(self.is_well(slot) for slot in self.runs[bucket]):
                yield (Act.MAINTENANCE, bucket, 0, 0)
        yield from self._timers_and_people()
        for which in range(len(self.subject.orders)):
            if not self.happened >> which & 1:
                yield (Act.ORDER, which, 0, 0)
        if self._may(Act.CRASH) and any(self.wire[slot] in (ISSUED, EXECUTED) for slot in range(self.slots)):
            yield (Act.CRASH, 0, 0, 0)

    def _may(self, act: Act) -> bool:
        purse = self.purses[act]
        return purse < 0 or self.left[purse] > 0

    def _starts(self) -> Iterator[Move]:
        if self.subject.takes == "select":
            picks = self.kernel.walk()[0]
            if picks:
                s, bucket, slots = picks[0]
                candidates = self.kernel.candidates(s, bucket)
                yield (Act.START, s, bucket, sum(1 << list(candidates).index(slot) for slot in slots))
            return
        for s in range(self.sets):
            for _, bucket, slots, at_most, healthy_at_most in self.kernel.legal(s):
                for part in range(1, 1 << len(slots)):
                    if self._is_within(slots, part, at_most, healthy_at_most) and self._is_least(slots, part):
                        yield (Act.START, s, bucket, part)

    def _is_within(self, slots: Any, part: int, at_most: int, healthy_at_most: int) -> bool:
        taken = [slot for at, slot in enumerate(slots) if part >> at & 1]
        well = sum(self.v.life[slot] >> c.HEALTH_SHIFT not in (Health.UNHEALTHY, Health.UNKNOWN) for slot in taken)
        return len(taken) == 1 or (len(taken) <= at_most and well <= healthy_at_most)

    def _is_least(self, slots: Any, part: int) -> bool:
        """Whether of candidates that are alike the first ones are taken."""
        if not self.is_symmetric:
            return True
        refused: set[Any] = set()
        for at, slot in enumerate(slots):
            alike = (self.v.bucket[slot], self._record(slot))
            if part >> at & 1:
                if alike in refused:
                    return False
            else:
                refused.add(alike)
        return True

    def _of_instances(self, act: Act, run: list[int]) -> Iterator[Move]:
        met: set[Any] = set()
        for slot in run:
            if self.is_symmetric:
                record = self._record(slot)
                if record in met:
                    continue
                met.add(record)
            for which in (0, 1) if act is Act.STALE else (0,):
                if self._is_possible(act, slot, which):
                    yield (act, slot, 0, which)

    def is_well(self, slot: int) -> bool:
        """Whether an instance is there, and healthy or initializing."""
        state, health = self.v.life[slot] & c.STATE_BITS, self.v.life[slot] >> c.HEALTH_SHIFT
        return state != Life.GONE and health not in (Health.UNHEALTHY, Health.UNKNOWN)

    def _is_possible(self, act: Act, slot: int, which: int) -> bool:
        state, health = self.v.life[slot] & c.STATE_BITS, self.v.life[slot] >> c.HEALTH_SHIFT
        is_commanded, wire = state in COMMANDS, self.wire[slot]
        follows = self.freedom.has_crashes
        match act:
            case Act.ANSWER | Act.FAIL:
                return is_commanded and (not follows or wire == EXECUTED)
            case Act.HEALTHY:
                return state != Life.GONE and (state == Life.VERIFYING or health != Health.HEALTHY)
            case Act.UNHEALTHY:
                return self.is_well(slot)
            case Act.STALE:
                if which:
                    return bool(state == Life.VERIFYING and self.v.observed_at(slot) < BETWEEN)
                return state in TOUCHED and state != Life.REPLACING
            case Act.LATE | Act.DUPLICATE:
                return state in TOUCHED
            case Act.REMOVE:
                return state != Life.GONE
            case Act.ADD:
                return state == Life.GONE and slot in self.open.spares
            case Act.DEADLINE:
                return state in IN_FLIGHT
            case Act.ISSUE:
                return follows and is_commanded and wire in (RECORDED, UNSURE)
            case _:
                return follows and is_commanded and wire in (ISSUED, UNSURE)

    def _timers_and_people(self) -> Iterator[Move]:
        v = self.v
        paused = [bool(v.trait[at] & c.PAUSED) for at in range(self.rollouts)]
        running = [at for at in range(self.rollouts) if v.course[at] == c.RUNNING]
        for s in range(self.sets):
            if v.mark[s] & c.DELAYED:
                yield (Act.DELAY, s, 0, 0)
        for s in range(self.sets):
            if v.mark[s] & c.RESTING and not paused[v.link[s * c.LINK + c.LINK_ROLLOUT]]:
                yield (Act.REST, s, 0, 0)
        for s in range(self.sets):
            if v.clock[s * c.CLOCK + c.CLOCK_WINDOW]:
                yield (Act.WINDOW, s, 0, 0)
        for at in running:
            if v.trait[at] & c.BAKING and not paused[at]:
                yield (Act.BAKE, at, 0, 0)
        for at in running if self._may(Act.PAUSE) else ():
            if not paused[at]:
                yield (Act.PAUSE, at, 0, 0)
        for at in running:
            if paused[at]:
                yield (Act.RESUME, at, 0, 0)
        if self._may(Act.CANCEL):
            going = [at for at in running if not v.trait[at] & c.STOPPING]
            for at in going:
                yield (Act.CANCEL, at, 0, 0)
            if len(going) > 1:
                yield (Act.STOP, 0, 0, 0)

    # --- letting it happen -------------------------------------------------------------------------------------------

    def happen(self, move: Move) -> bool:
        """Let an act happen in the state that the arena holds; return whether it could (an order may be refused)."""
        act, whom, choice, which = move
        kernel = self.kernel
        lives = bytes(self.v.life)
        kernel.begin(NOW)
        purse = self.purses[Act(act)]
        if purse >= 0 and self.left[purse] != ANY:
            self.left[purse] -= 1
        match act:
            case Act.START:
                slots = [slot for at, slot in enumerate(kernel.part(whom, choice)) if which >> at & 1]
                for slot in slots:
                    self.ghost[slot] = self.v.version[slot]
                kernel.start(whom, self.v.bucket[slots[0]], slots)
            case Act.MAINTENANCE:
                self._report([(slot, What.UNHEALTHY, FRESH, 0, 0) for slot in self.runs[whom] if self.is_well(slot)])
            case Act.DELAY | Act.REST:
                kernel.pass_timer(whom, c.DELAYED if act == Act.DELAY else c.RESTING)
            case Act.WINDOW:
                kernel.set_window(whom, bool(self.v.mark[whom] & c.SHUT))
            case Act.BAKE:
                kernel.pass_bake(whom)
            case Act.PAUSE | Act.RESUME | Act.CANCEL:
                {Act.PAUSE: kernel.pause, Act.RESUME: kernel.resume, Act.CANCEL: kernel.cancel}[Act(act)](whom)
            case Act.STOP:
                for rollout in range(self.rollouts):
                    kernel.cancel(rollout)
            case Act.ORDER:
                self.happened |= 1 << whom
                book = self.open.order(self.book, whom)
                if book is None:
                    return False
                self.book = book
            case Act.CRASH:
                self.wire = [UNSURE if wire in (ISSUED, EXECUTED) else wire for wire in self.wire]
            case _:
                self._happen_to(act, whom, which)
        self._settle(lives)
        return True

    def _happen_to(self, act: int, slot: int, which: int) -> None:
        """Let something happen to one instance."""
        kernel, v = self.kernel, self.v
        state = Life(v.life[slot] & c.STATE_BITS)
        attempt = v.link[v.set_of(slot) * c.LINK + c.LINK_ATTEMPT]
        do = COMMANDS.get(state, Do.NOTHING)
        match act:
            case Act.ANSWER | Act.FAIL:
                self._report([(slot, ANSWERS[do][act == Act.FAIL], FRESH, attempt, do)])
            case Act.HEALTHY:
                self._report([(slot, What.HEALTHY, FRESH, 0, 0)])
            case Act.UNHEALTHY:
                self._report([(slot, What.UNHEALTHY, FRESH, 0, 0)])
            case Act.STALE:
                self._report([(slot, What.HEALTHY, BETWEEN if which else OLD, 0, 0)])
            case Act.LATE:
                self._report(
                    [
                        (slot, what, FRESH, attempt - (answered is do), answered)
                        for answered, whats in ANSWERS.items()
                        for what in whats
                    ]
                )
            case Act.DUPLICATE:
                self._report([(slot, what, v.observed_at(slot), 0, 0) for what in (What.HEALTHY, What.UNHEALTHY)])
            case Act.REMOVE:
                kernel.happen(Happening.REMOVED, slot, c.BY_SCALING)
                kernel.touch(v.set_of(slot))
            case Act.ADD:
                self.book = self.open.add(self.book, slot)
            case Act.DEADLINE:
                kernel.pass_deadlines([slot])
            case Act.ISSUE:
                self.wire[slot] = ISSUED
            case _:
                self.wire[slot] = EXECUTED

    def _report(self, reports: list[tuple[int, int, int, int, int]]) -> None:
        slots, what, observed, attempt, answers = zip(*reports, strict=True)
        self.kernel.signals(array("I", slots), bytes(what), array("q", observed), array("I", attempt), bytes(answers))

    def _settle(self, lives: bytes) -> None:
        """Settle as the engine does; then what this exploration keeps beside the columns follows.

        Whoever has left flight has no version to go back to, and a new command is recorded and nothing more.
        """
        v = self.v
        self.kernel.settle()
        trace = self.kernel.take_trace()
        for at, _, _ in records(trace):
            if trace[at] == c.T_FAILED_MORE:
                self.book = self.open.remember_failures(self.book, [(trace[at + 1], trace[at + 2])])
            elif trace[at] == c.T_ATTEMPT_ENDED:
                self.ended[trace[at + 2], trace[at + 3]] += 1
        for slot in range(self.slots):
            state = v.life[slot] & c.STATE_BITS
            if state not in IN_FLIGHT:
                self.ghost[slot] = 0
            if state != lives[slot] & c.STATE_BITS:
                self.wire[slot] = RECORDED

    # --- exploring ---------------------------------------------------------------------------------------------------

    def successors(self, key: Key) -> list[Successor]:
        """Return what each possible act leads to, in order, and which promise it breaks."""
        found = []
        self.write(key)
        before = self.saved()
        for move in list(self.moves()):
            broken = self.judge.before(move)
            if self.happen(move):
                found.append(Successor(move, self.read(), broken or self.judge.after(move)))
            self.restore(before)
        return found

    def _count_standing(self) -> None:
        """Count each rule that keeps a set with pending instances from starting."""
        for s in range(self.sets):
            bits = self.open.standing_of(s)
            self.standing.update(1 << at for at in range(bits.bit_length()) if bits >> at & 1)

    @property
    def states(self) -> int:
        """How many states have been found."""
        return len(self.keys)

    @property
    def frontier(self) -> int:
        """How many states wait to be expanded."""
        return len(self.todo)

    @property
    def bytes_used(self) -> int:
        """About how many bytes keys, parents and table take."""
        return self.states * (OBJECT_BYTES * (3 + self.slots + 2 * self.sets + self.rollouts))

    @property
    def wires(self) -> list[int]:
        """How far each instance's command is on its way (`RECORDED`, ...), by slot."""
        return self.wire

    def key_of(self, number: int) -> Key:
        """Return a state's key by its number, in order of discovery; `IndexError` if there is none."""
        if not 0 <= number < self.states:
            raise IndexError(f"no state {number}; there are {self.states}")
        return self.keys[number]

    def run(self, states_max: int) -> str:
        """Expand up to so many states; return `more`, `done`, `violated` or `memory`.

        Breadth first, the first violation is one of the nearest. `depth` is the depth whose states are all expanded.
        """
        for _ in range(states_max):
            if not self.todo:
                return "done"
            number = self.todo.popleft() if self.order == "breadth" else self.todo.pop()
            if self.order == "breadth" and number == self.level_end:
                self.level_end = self.states
                self.depth += 1
            self._expand(number)
            if self.violation is not None:
                return "violated"
            if self.bytes_used > self.memory_max:
                return "memory"
        return "more" if self.todo else "done"

    def watch(self, fields: Fields, predicate: Callable[[], bool], of: object) -> None:
        """Ask `predicate` about every new state, once for each combination of `fields` (offset, bytes in the arena).

        It is called while the arena holds the state. Where it says no, `violation` is `of`.
        """
        self.watches.append((fields, predicate, of, {}))

    def _ask_watches(self, number: int) -> None:
        block = self.open.arena.block
        for fields, predicate, of, answers in self.watches:
            values = b"".join(block[offset : offset + size] for offset, size in fields)
            if values not in answers:
                answers[values] = bool(predicate())
            if not answers[values]:
                self.violation = Violation(of, number, None)

    def _expand(self, number: int) -> None:
        key = self.keys[number]
        rank = self.rank(key)
        is_end = True
        self.write(key)
        self._count_standing()
        before = self.saved()
        for move in list(self.moves()):
            is_fair = self.is_fair(move)
            broken = self.judge.before(move)
            if not self.happen(move):
                self.restore(before)
                continue
            self.transitions += 1
            self.taken[Act(move[0])] += 1
            found = self.read()
            broken = broken or self.judge.after(move)
            if found != key:
                is_end = is_end and not is_fair
                self.rising += self.rank(found) >= rank
            if found not in self.numbers:
                self.numbers[found] = self.states
                self.keys.append(found)
                self.parents.append(number)
                self.todo.append(self.states - 1)
                self._ask_watches(self.states - 1)
            if broken:
                self.violation = Violation(Promise(broken), number, move)
            if self.violation is not None:
                return
            self.restore(before)
        if is_end:
            promise = self.judge.end(is_benign=self.is_benign)
            if promise:
                self.violation = Violation(Promise(promise), number, None)

    def is_fair(self, move: Move) -> bool:
        """Whether the act cannot be put off for ever in the state that the arena holds (see `acts.FAIR`)."""
        act = Act(move[0])
        if act not in ANSWERING:
            return act in FAIR
        if self.left[self.purses[Act.DEADLINE]]:
            return False
        return act is not Act.HEALTHY or bool(self.v.life[move[1]] & c.STATE_BITS == Life.VERIFYING)

    def rank(self, key: Key) -> int:
        """Return the key's rank (see `ranking`)."""
        records, _, sets, rollouts, (left, happened, _) = key
        found: int
        total = sum(some for some in left if some != ANY) + len(self.subject.orders) - happened.bit_count()
        found = total * r.PURSE
        for run in records:
            for life, *_, wire, _ in run:
                state = Life(life & c.STATE_BITS)
                found += r.LIFE * r.LIVES[state] + r.HEALTH * r.HEALTHS[life >> c.HEALTH_SHIFT]
                found += r.WIRE * r.WIRES[wire] * (self.freedom.has_crashes and state in COMMANDS)
        for _, record in sets:
            found += r.ATTEMPT * (record[0] in (c.WAITING, c.ROLLING))
            found += r.ARMED * (bool(record[1] & c.DELAYED) + bool(record[1] & c.RESTING))
        for course, trait, phase, phases, *_ in rollouts:
            found += r.PHASE * max(0, phases - phase) * (course == c.RUNNING)
            found += r.ARMED * (bool(trait & c.PAUSED) + bool(trait & c.BAKING) + (course == c.RUNNING))
        return found

    # --- telling how it came about -----------------------------------------------------------------------------------

    def path(self, number: int) -> list[int]:
        """Return the states from the first one to that one, by number."""
        found = [number]
        while self.parents[found[-1]] >= 0:
            found.append(self.parents[found[-1]])
        return found[::-1]

    def trace(self, number: int) -> list[Move]:
        """Return the acts that lead from the first state to that one, each on the instances as they are then.

        Under symmetry a key stands for all its images, so the acts are found anew, step by step, on one fleet.
        """
        moves: list[Move] = []
        self.write(self.first)
        for there in self.path(number)[1:]:
            here = self.saved()
            for move in list(self.moves()):
                if self.happen(move) and self.read() == self.keys[there]:
                    moves.append(move)
                    self.open.settle_times()
                    break
                self.restore(here)
            else:
                raise AssertionError(f"no act leads from state {number} to its successor on the way")
        return moves

    # --- putting back ------------------------------------------------------------------------------------------------

    def saved(self) -> Saved:
        """Return everything that `restore` puts back."""
        beside = (bytes(self.left), self.happened, self.book, tuple(self.ghost), tuple(self.wire))
        return (self.open.arena.save(), *beside)

    def restore(self, saved: Saved) -> None:
        """Put back what `saved` returned."""
        block, left, self.happened, self.book, ghost, wire = saved
        self.open.arena.restore(block)
        self.left[:], self.ghost, self.wire = left, list(ghost), list(wire)
        self.open.work.book = self.open.books[self.book]
        self.kernel.refresh()


def _items(lists: tuple[array[int], array[int]], at: int) -> Sequence[int]:
    first, items = lists
    return items[first[at] : first[at + 1]]
