"""How the simulated environment answers: commands carried out, failed or left alone, and health reported after a swap.

A group of instances stays one group as long as nothing distinguishes them: constant timing, no chance that applies,
and no standing fault that reaches their set. Otherwise each instance is drawn for by name, and the group is cut into
those that say the same at the same time.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Final

from attrs import define, evolve, field, frozen

from phasegate.core.events import What
from phasegate.core.facts import Commands
from phasegate.core.lifecycle import Do
from phasegate.core.state import State
from phasegate.logs.readable import Readable
from phasegate.simulating.chance import Chance, Draw, between, draw, threshold
from phasegate.simulating.faultmodel import Fails, Faults, NeverHealthy, Silent, Span
from phasegate.simulating.patterns import Pattern
from phasegate.simulating.reports import Reports

STRAY_WITHIN_MS: Final = 60_000  # how long after its time a late or second report is delivered at most

_DONE: Final = {Do.REPLACE: What.DISK_REPLACED, Do.CONFIGURE: What.CONFIGURED, Do.RESTORE: What.DISK_RESTORED}
_FAILED: Final = {Do.REPLACE: What.FAILED, Do.CONFIGURE: What.FAILED, Do.RESTORE: What.RESTORE_FAILED}


@frozen
class _Course:
    """One kind of answer: how long it takes, when it is too late, and how often it fails by chance."""

    step: str
    span: Span
    timeout_ms: int
    fails_below: int


@frozen
class _SetFaults:
    """The standing faults that reach one set, with None for a pattern that takes all of it."""

    fails: tuple[tuple[Pattern | None, Fails], ...]
    silent: tuple[tuple[Pattern | None, Silent], ...]
    never: tuple[tuple[Pattern | None, NeverHealthy], ...]


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
    _times: list[int] = field(factory=list, init=False, repr=False)
    _due: dict[int, list[Reports]] = field(factory=dict, init=False, repr=False)
    _by_set: dict[str, _SetFaults] = field(factory=dict, init=False, repr=False)
    _courses: dict[Do, _Course] = field(init=False, repr=False)
    _patterns: dict[str, Pattern] = field(factory=dict, init=False, repr=False)
    _never_below: int = field(init=False, repr=False)
    _late_below: int = field(init=False, repr=False)
    _twice_below: int = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        timing, rates, step = self.faults.timing, self.faults.rates, self.step_timeout_ms
        self._courses = {
            Do.REPLACE: _Course("replace", timing.replace_ms, step, threshold(rates.replace_fails)),
            Do.CONFIGURE: _Course("configure", timing.configure_ms, step, threshold(rates.configure_fails)),
            Do.RESTORE: _Course("restore", timing.restore_ms, step, threshold(rates.restore_fails)),
            Do.NOTHING: _Course("health", timing.healthy_after_ms, self.health_timeout_ms, 0),
        }
        self._never_below = threshold(rates.never_healthy)
        self._late_below = threshold(rates.late_report)
        self._twice_below = threshold(rates.duplicate_report)
        self._patterns = {event.instances: Pattern(event.instances) for event in self._standing()}

    def _standing(self) -> Iterable[NeverHealthy | Fails | Silent]:
        return (event for event in self.faults.events if isinstance(event, NeverHealthy | Fails | Silent))

    def next_time(self) -> int | None:
        """Return when the next report is delivered (ms UTC), None if none is on its way."""
        return self._times[0] if self._times else None

    def take(self, now: int) -> list[Reports]:
        """Take what is delivered at `now` or before: by time, then in the order in which it was sent off."""
        taken: list[Reports] = []
        while self._times and self._times[0] <= now:
            taken += self._due.pop(heappop(self._times))
        return taken

    def send(self, reports: Reports, at: int) -> None:
        """Put a report on its way, to be delivered at `at`."""
        due = self._due.get(at)
        if due is None:
            self._due[at] = [reports]
            heappush(self._times, at)
        else:
            due.append(reports)

    def begin(self, state: State, sets: Iterable[str]) -> None:
        """Report `unhealthy` now for the instances that already stand on a version they are never healthy on."""
        for name in sets:
            if any(rule.names_version for _, rule in self.of(name).never):
                slots = self.engine.members(state, name)
                marks = self._mark_sick(state, name, slots, upgraded=False)
                ill = array("I", (slot for slot, mark in zip(slots, marks, strict=True) if mark))
                if ill:
                    self.send(Reports(name, What.UNHEALTHY, ill, state.now), state.now)

    def answer(self, state: State, commands: Commands) -> None:
        """Carry the commands out: put their answers on the way, those of silent instances aside."""
        do = commands.do
        base = Reports(commands.set, _DONE[do], commands.slots, 0, commands.attempt, do, commands.id)
        occasion = (commands.rollout << 32 | commands.attempt) << 2 | do
        failing = [
            pattern
            for pattern, rule in self.of(commands.set).fails
            if rule.fails == do.word and rule.version in (None, commands.version)
        ]
        self._schedule(state, base, occasion, commands.version, failing)

    def watch(self, state: State, name: str, slots: array[int], *, upgraded: bool) -> None:
        """Let the health source report on instances that have just been swapped, restored or made.

        `upgraded` says whether they are on a version that is new to them, where chance has a say in their health.
        """
        marks = self._mark_sick(state, name, slots, upgraded=upgraded)
        for what, wanted in ((What.HEALTHY, 0), (What.UNHEALTHY, 1)):
            group = slots if marks.count(wanted) == len(slots) else _where(slots, marks, wanted)
            if group:
                self._schedule(state, Reports(name, what, group, 0), state.now << 2, None, [])

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
        self, state: State, base: Reports, occasion: int, version: str | None, failing: Sequence[Pattern | None]
    ) -> None:
        course = self._courses[base.answers]
        low, high = course.span
        silent = any(rule.silent == course.step for _, rule in self.of(base.set).silent)
        lucky = course.fails_below or self._late_below or self._twice_below or low != high
        if not silent and not lucky and None in failing:
            self.send(evolve(base, what=_FAILED[base.answers], observed_at=state.now + low), state.now + low)
        elif not silent and not lucky and not failing:
            self.send(evolve(base, observed_at=state.now + low), state.now + low)
        else:
            self._schedule_each(state, base, occasion, version, failing)

    def _schedule_each(
        self, state: State, base: Reports, occasion: int, version: str | None, failing: Sequence[Pattern | None]
    ) -> None:
        course = self._courses[base.answers]
        (low, high), now = course.span, state.now
        cut: dict[tuple[int, int, What], array[int]] = {}
        names = [f"{base.set}/{id_}" for id_ in self.engine.ids(state, base.slots)]
        silent = self._silent(state, base, names, version)
        for slot, name, mute in zip(base.slots, names, silent, strict=True):
            if mute:
                continue
            luck = self.chance.of(name)
            observed = now + between(low, high, draw(luck, Draw.TIME, occasion))
            what = base.what
            if any(pattern is None or pattern.matches(name) for pattern in failing) or (
                course.fails_below and draw(luck, Draw.FAILS, occasion) < course.fails_below
            ):
                what = _FAILED[base.answers]
            due = observed
            if self._late_below and draw(luck, Draw.LATE, occasion) < self._late_below:
                too_late = now + course.timeout_ms + 1
                due = max(observed, too_late + between(0, STRAY_WITHIN_MS, draw(luck, Draw.LATE_BY, occasion)))
            cut.setdefault((due, observed, what), array("I")).append(slot)
            if self._twice_below and draw(luck, Draw.TWICE, occasion) < self._twice_below:
                again = due + between(0, STRAY_WITHIN_MS, draw(luck, Draw.TWICE_BY, occasion))
                cut.setdefault((again, observed, what), array("I")).append(slot)
        for (due, observed, what), slots in cut.items():
            self.send(evolve(base, what=what, slots=slots, observed_at=observed), due)

    def _silent(self, state: State, base: Reports, names: Sequence[str], version: str | None) -> list[bool]:
        if base.answers is Do.NOTHING:
            return self.silent_health(state, base.set, base.slots, names)
        rules = [
            pattern
            for pattern, rule in self.of(base.set).silent
            if rule.silent == base.answers.word and rule.version in (None, version)
        ]
        return [any(pattern is None or pattern.matches(name) for pattern in rules) for name in names]

    def _mark_sick(self, state: State, set_name: str, slots: array[int], *, upgraded: bool) -> bytes:
        """Return (and keep in `sick`) a byte for each slot: 1 where it is never healthy on the version it has now."""
        rules = [(pattern, rule) for pattern, rule in self.of(set_name).never if upgraded or rule.names_version]
        chance = self._never_below if upgraded else 0
        if not rules and not chance:
            if self.sick:
                self._keep(slots, bytes(len(slots)))
            return bytes(len(slots))
        marks = bytearray()
        for slot, id_ in zip(slots, self.engine.ids(state, slots), strict=True):
            name, version = f"{set_name}/{id_}", self.engine.version(state, slot)
            ill = any((pattern is None or pattern.matches(name)) and rule.holds_on(version) for pattern, rule in rules)
            if not ill and chance:
                ill = draw(self.chance.of(name), Draw.SICK, self.chance.of(version or "")) < chance
            marks.append(ill)
        self._keep(slots, marks)
        return bytes(marks)

    def _keep(self, slots: array[int], marks: bytes | bytearray) -> None:
        missing = max(slots, default=-1) + 1 - len(self.sick)
        if missing > 0:
            self.sick += bytes(missing)
        for slot, mark in zip(slots, marks, strict=True):
            self.sick[slot] = mark

    def health_now(self, slot: int) -> What:
        """Return what an instance reports of itself, outages aside."""
        return What.UNHEALTHY if slot < len(self.sick) and self.sick[slot] else What.HEALTHY


def _where(slots: array[int], marks: bytes, wanted: int) -> array[int]:
    return array("I", (slot for slot, mark in zip(slots, marks, strict=True) if mark == wanted))
