"""How the simulated environment answers: commands carried out, failed or left alone, and health reported after a swap.

A group of instances stays one group as long as nothing distinguishes them: constant timing, no chance that applies,
and no standing fault that reaches their set. Otherwise each instance is drawn for by name, and those that say the same
at the same time are one group again when that time has come. On the way, a report is a row of a few numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import define, field, frozen

from phasegate.core import codes as c
from phasegate.core.events import What
from phasegate.core.facts import Commands
from phasegate.core.lifecycle import COMMANDS, Do, Life
from phasegate.core.state import State
from phasegate.core.telling import Told
from phasegate.core.traces import LENGTHS, records
from phasegate.logs.readable import Readable
from phasegate.simulating.chance import Chance, Draw, draw, threshold
from phasegate.simulating.columns import Queue, drawn, replies, set_at
from phasegate.simulating.faultmodel import Fails, Faults, NeverHealthy, Silent, Span
from phasegate.simulating.patterns import Pattern
from phasegate.simulating.reports import Bulk, Reports

STRAY_WITHIN_MS: Final = 60_000  # how long after its time a late or second report is delivered at most


_ANSWERED: Final[Mapping[int, Do]] = {life: do for life, do in COMMANDS.items() if life is not Life.RESTORING}
_WATCHED: Final = (Life.VERIFYING, Life.RESTORED)


@frozen
class _Course:
    """One kind of answer: its words, how long it takes, when it is too late, and how often it fails by chance."""

    step: str
    done: What
    failed: What
    span: Span
    timeout_ms: int
    fails_below: int
    is_even: bool  # the same for every instance, as far as it is not for a standing fault


@frozen
class _SetFaults:
    """The standing faults that reach one set, with None for a pattern that takes all of it."""

    fails: tuple[tuple[Pattern | None, Fails], ...] = ()
    silent: tuple[tuple[Pattern | None, Silent], ...] = ()
    never: tuple[tuple[Pattern | None, NeverHealthy], ...] = ()


_NO_FAULTS: Final = _SetFaults()


@define
class Answers:
    """The reports that are on their way, by the time of their delivery.

    `sick` has a byte for each slot: 1 where the instance is never healthy on the version that it has now.
    """

    engine: Readable
    chance: Chance
    faults: Faults
    step_timeout_ms: int
    health_timeout_ms: int
    sick: bytearray = field(factory=bytearray, init=False, repr=False)
    queue: Queue = field(factory=Queue, init=False, repr=False)
    _luck: array[int] = field(factory=lambda: array("Q"), init=False, repr=False)  # by slot; 0: not asked for yet
    _by_set: dict[str, _SetFaults] = field(factory=dict, init=False, repr=False)
    _courses: dict[Do, _Course] = field(init=False, repr=False)
    _patterns: dict[str, Pattern] = field(factory=dict, init=False, repr=False)
    _spans: tuple[int, int, int] = field(init=False, repr=False)  # of replacing, configuring, becoming healthy
    _is_even: bool = field(init=False, repr=False)
    _never_below: int = field(init=False, repr=False)
    _late_below: int = field(init=False, repr=False)
    _twice_below: int = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        timing, rates, step = self.faults.timing, self.faults.rates, self.step_timeout_ms
        self._never_below = threshold(rates.never_healthy)
        self._late_below = threshold(rates.late_report)
        self._twice_below = threshold(rates.duplicate_report)

        def course(word: str, done: What, failed: What, span: Span, timeout_ms: int, fails: float) -> _Course:
            below = threshold(fails)
            is_even = not (below or self._late_below or self._twice_below) and span[0] == span[1]
            return _Course(word, done, failed, span, timeout_ms, below, is_even)

        self._courses = {
            Do.REPLACE: course(
                "replace", What.DISK_REPLACED, What.FAILED, timing.replace_ms, step, rates.replace_fails
            ),
            Do.CONFIGURE: course(
                "configure", What.CONFIGURED, What.FAILED, timing.configure_ms, step, rates.configure_fails
            ),
            Do.RESTORE: course(
                "restore", What.DISK_RESTORED, What.RESTORE_FAILED, timing.restore_ms, step, rates.restore_fails
            ),
            Do.NOTHING: course(
                "health", What.HEALTHY, What.UNHEALTHY, timing.healthy_after_ms, self.health_timeout_ms, 0.0
            ),
        }
        self._spans = (timing.replace_ms[0], timing.configure_ms[0], timing.healthy_after_ms[0])
        self._patterns = {event.instances: Pattern(event.instances) for event in self._standing()}
        are_even = all(course.is_even for course in self._courses.values())
        self._is_even = are_even and not (self._patterns or self._never_below)

    def _standing(self) -> Iterable[NeverHealthy | Fails | Silent]:
        return (event for event in self.faults.events if isinstance(event, NeverHealthy | Fails | Silent))

    def next_time(self) -> int | None:
        """Return when the next report is delivered (ms UTC), None if none is on its way."""
        return self.queue.next_time()

    def take(self, now: int) -> list[Reports | Bulk]:
        """Take what is delivered at `now` or before: by time, then in the order in which it was sent off."""
        return self.queue.take(now)

    def send(self, reports: Reports, at: int) -> None:
        """Put a report on its way, to be delivered at `at`."""
        self.queue.push(at, reports)

    def begin(self, state: State, sets: Iterable[str]) -> None:
        """Report `unhealthy` now for the instances that already stand on a version they are never healthy on."""
        for name in sets:
            if any(rule.names_version for _, rule in self.of(name).never):
                slots = self.engine.members(state, name)
                marks = self._mark_sick(state, name, slots, upgraded=False) or bytes(len(slots))
                ill = _where(slots, marks, 1)
                if ill:
                    self.send(Reports(name, What.UNHEALTHY, ill, state.now), state.now)

    @property
    def is_even(self) -> bool:
        """Whether nothing distinguishes instances: constant timing, no chance that applies, no standing fault."""
        return self._is_even and not self.sick

    def follow(self, now: int, told: Told) -> None:
        """Do what `answer` and `watch` do for all that a trace tells, where nothing distinguishes instances.

        Not for traces in which instances are restored, or with later incarnations: their commands differ.
        """
        for due, groups, slots, what, attempt, answers in replies(told.trace, told.moments, now, self._spans):
            self.queue.push(due, Bulk(told.directory.sets, groups, slots, what, attempt, answers, due))

    def follow_each(self, state: State, told: Told) -> None:
        """Do what `answer` and `watch` do for all that a trace tells, record by record.

        Not for traces with later incarnations: their commands differ.
        """
        trace, moments, sets, versions = told.trace, told.moments, told.directory.sets, told.book.versions
        moment = 0
        for at, begin, after in records(trace):
            operation = trace[at]
            if operation in LENGTHS:
                continue
            life = trace[at + 2] if operation == c.T_BECAME else -1
            if life in _ANSWERED:
                name, do = sets[trace[at + 1]], _ANSWERED[life]
                rollout, attempt, target = moments[moment : moment + 3]
                base = Reports(
                    name,
                    self._courses[do].done,
                    array("I", trace[begin:after].tobytes()),
                    state.now,
                    attempt,
                    do,
                    f"{rollout}/{name}/{attempt}/{do.word}",
                )
                self._answer(state, base, rollout, versions[target])
            elif life in _WATCHED:
                slots = array("I", trace[begin:after].tobytes())
                self.watch(state, sets[trace[at + 1]], slots, upgraded=life == Life.VERIFYING)
            elif life == Life.RESTORING:
                for fact in told.noted[at]:
                    assert isinstance(fact, Commands), "what is noted of a restore are its commands"
                    self.answer(state, fact)
            moment += 3

    def answer(self, state: State, commands: Commands) -> None:
        """Carry the commands out: put their answers on the way, those of silent instances aside."""
        do = commands.do
        done = self._courses[do].done
        base = Reports(commands.set, done, commands.slots, state.now, commands.attempt, do, commands.id)
        self._answer(state, base, commands.rollout, commands.version)

    def _answer(self, state: State, base: Reports, rollout: int, version: str) -> None:
        course = self._courses[base.answers]
        failing = [
            pattern
            for pattern, rule in self.of(base.set).fails
            if rule.fails == course.step and rule.version in (None, version)
        ]
        occasion = (rollout << 32 | base.attempt) << 2 | base.answers
        self._schedule(state, base, course, occasion, version, failing)

    def watch(self, state: State, name: str, slots: array[int], *, upgraded: bool) -> None:
        """Let the health source report on instances that have just been swapped, restored or made.

        `upgraded` says whether they are on a version that is new to them, where chance has a say in their health.
        """
        course, occasion = self._courses[Do.NOTHING], state.now << 2
        marks = self._mark_sick(state, name, slots, upgraded=upgraded)
        if marks is None:
            self._schedule(state, Reports(name, What.HEALTHY, slots, state.now), course, occasion, None, [])
            return
        for what, wanted in ((What.HEALTHY, 0), (What.UNHEALTHY, 1)):
            group = slots if marks.count(wanted) == len(slots) else _where(slots, marks, wanted)
            if group:
                self._schedule(state, Reports(name, what, group, state.now), course, occasion, None, [])

    def silent_health(self, state: State, name: str, slots: Sequence[int], names: Sequence[str]) -> list[bool]:
        """Return for each instance whether its health source says nothing at all."""
        rules = [(pattern, rule) for pattern, rule in self.of(name).silent if rule.silent == "health"]
        return [
            any(
                (pattern is None or pattern.matches(full))
                and (rule.version is None or rule.version == self.engine.version(state, slot))
                for pattern, rule in rules
            )
            for slot, full in zip(slots, names, strict=True)
        ]

    def of(self, name: str) -> _SetFaults:
        """Return the standing faults that reach a set."""
        if not self._patterns:
            return _NO_FAULTS
        known = self._by_set.get(name)
        if known is None:
            reaching: list[tuple[Pattern | None, NeverHealthy | Fails | Silent]] = []
            for rule in self._standing():
                reach = self._patterns[rule.instances].reach(name)
                if reach != "none":
                    reaching.append((None if reach == "all" else self._patterns[rule.instances], rule))
            known = self._by_set[name] = _SetFaults(
                tuple((pattern, rule) for pattern, rule in reaching if isinstance(rule, Fails)),
                tuple((pattern, rule) for pattern, rule in reaching if isinstance(rule, Silent)),
                tuple((pattern, rule) for pattern, rule in reaching if isinstance(rule, NeverHealthy)),
            )
        return known

    def _schedule(
        self,
        state: State,
        base: Reports,
        course: _Course,
        occasion: int,
        version: str | None,
        failing: Sequence[Pattern | None],
    ) -> None:
        """Put the reports of a group on their way; `failing` are the patterns of those whose step is to fail."""
        silent = bool(self._patterns) and any(rule.silent == course.step for _, rule in self.of(base.set).silent)
        if silent or not course.is_even or (failing and None not in failing):
            self._schedule_each(state, base, course, occasion, version, failing)
            return
        what = course.failed if failing else base.what
        due = state.now + course.span[0]
        self.queue.push(due, Reports(base.set, what, base.slots, due, base.attempt, base.answers, base.command))

    def _schedule_each(
        self,
        state: State,
        base: Reports,
        course: _Course,
        occasion: int,
        version: str | None,
        failing: Sequence[Pattern | None],
    ) -> None:
        slots = base.slots
        if failing or self.of(base.set).silent:
            names = [f"{base.set}/{id_}" for id_ in self.engine.ids(state, slots)]
            mute = self._silent(state, base, names, version)
            slots = array("I", (slot for slot, is_mute in zip(slots, mute, strict=True) if not is_mute))
            names = [name for name, is_mute in zip(names, mute, strict=True) if not is_mute]
            to_fail = bytes(any(pattern is None or pattern.matches(name) for pattern in failing) for name in names)
        else:
            to_fail = b""
        at, due, observed_at, failed = drawn(
            self._lucks(state, base.set, slots),
            occasion,
            course.span,
            state.now,
            fails_below=course.fails_below,
            late_below=self._late_below,
            late_at=state.now + course.timeout_ms + 1,
            twice_below=self._twice_below,
            stray_ms=STRAY_WITHIN_MS,
        )
        if any(to_fail):
            failed = bytes(by_chance or to_fail[row] for by_chance, row in zip(failed, at, strict=True))
        rows = slots if len(at) == len(slots) else array("I", (slots[row] for row in at))
        what = failed.translate(bytes((base.what, course.failed)).ljust(256, b"\0"))
        self.queue.push_rows(base, rows, due, observed_at, what)

    def _lucks(self, state: State, set_name: str, slots: array[int]) -> array[int]:
        """Return each instance's number for all its draws (`Chance.of`), which is worked out once."""
        missing = max(slots, default=-1) + 1 - len(self._luck)
        if missing > 0:
            self._luck.frombytes(bytes(8 * missing))
        known = self._luck
        lucks = array("Q", [known[slot] for slot in slots])
        if 0 in lucks:
            of = self.chance.of
            lucks = array("Q", [of(f"{set_name}/{id_}") for id_ in self.engine.ids(state, slots)])
            for slot, luck in zip(slots, lucks, strict=True):
                known[slot] = luck
        return lucks

    def _silent(self, state: State, base: Reports, names: Sequence[str], version: str | None) -> list[bool]:
        if base.answers is Do.NOTHING:
            return self.silent_health(state, base.set, base.slots, names)
        rules = [
            pattern
            for pattern, rule in self.of(base.set).silent
            if rule.silent == base.answers.word and rule.version in (None, version)
        ]
        return [any(pattern is None or pattern.matches(name) for pattern in rules) for name in names]

    def _mark_sick(self, state: State, set_name: str, slots: array[int], *, upgraded: bool) -> bytes | None:
        """Return (and keep in `sick`) a byte for each slot: 1 where it is never healthy on the version it has now.

        None stands for a 0 for each.
        """
        chance = self._never_below if upgraded else 0
        if not (chance or self._patterns or self.sick):
            return None
        rules = [(pattern, rule) for pattern, rule in self.of(set_name).never if upgraded or rule.names_version]
        if not rules and not chance:
            if self.sick:
                set_at(self.sick, slots, bytes(len(slots)))
            return None
        marks = bytearray()
        lucks = self._lucks(state, set_name, slots) if chance else slots
        ids = self.engine.ids(state, slots) if rules else [""] * len(slots)
        for slot, id_, luck in zip(slots, ids, lucks, strict=True):
            name, version = f"{set_name}/{id_}", self.engine.version(state, slot)
            ill = any((pattern is None or pattern.matches(name)) and rule.holds_on(version) for pattern, rule in rules)
            if not ill and chance:
                ill = draw(luck, Draw.SICK, self.chance.of(version or "")) < chance
            marks.append(ill)
        set_at(self.sick, slots, marks)
        return bytes(marks)

    def health_now(self, slot: int) -> What:
        """Return what an instance reports of itself, outages aside."""
        return What.UNHEALTHY if slot < len(self.sick) and self.sick[slot] else What.HEALTHY


def _where(slots: array[int], marks: bytes, wanted: int) -> array[int]:
    return array("I", (slot for slot, mark in zip(slots, marks, strict=True) if mark == wanted))
