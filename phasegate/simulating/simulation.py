"""Whole rollouts in a simulated environment: the loop that brings engine and environment together, and its summary.

At each instant: what the faults file lets happen, then all reports of the instant as one event, then a tick if a timer
is due, then batches until nothing more may start, then rollouts that are due to begin. Then the clock jumps to whatever
comes next. A run is over when nothing comes any more; a rollout that is still running then is waiting for something
that never happens, a pause without a resume for instance.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from attrs import define, field, frozen

from phasegate.core.engine import Engine
from phasegate.core.errors import PhasegateError
from phasegate.core.events import Event, Scaled, Start, Tick
from phasegate.core.facts import RolloutEnded, RolloutStarted
from phasegate.core.state import State
from phasegate.core.telling import Told
from phasegate.files.fleetwrite import fleet_text
from phasegate.logs.journal import POLICY_FORMAT, Journal, footer, header
from phasegate.logs.logfile import write_log
from phasegate.simulating.beginnings import Beginnings
from phasegate.simulating.columns import arrived
from phasegate.simulating.environment import Environment
from phasegate.simulating.faultmodel import Faults
from phasegate.simulating.faults import dump_faults
from phasegate.simulating.reports import Bulk, Reports, joined

STEPS_AN_INSTANCE_MAX: Final = 64  # at one instant: all its reports twice over, in more rollouts than can follow
STEPS_MAX_AT_LEAST: Final = 10_000
QUIET_MAX: Final = 20_000  # instants in a row that bring nothing about; more for a fleet with many windows
QUIET_A_SET_MAX: Final = 1_000
_QUIET_LOOK: Final = 64  # after so many of them, and again: is anything waited for at all?
_CHUNK_LINES: Final = 2_000
_PROGRESS_STEPS: Final = 256  # how many steps go by between two calls of `progress`

Progress = Callable[[int, int, int], object]


class Endless(PhasegateError):
    """A run that would never be over: its bound on steps at one instant, or on instants without effect, is reached."""


@frozen(kw_only=True)
class Summary:
    """What a run came to. `duration_ms` is from the first rollout's start to the last one's end, or to the last step.

    `max_in_flight` and `max_unhealthy` are counts over the fleet, taken after every step; `rollouts` are the rollouts
    as `engine.progress` tells them; `state` is the last state.
    """

    duration_ms: int
    max_in_flight: int
    max_unhealthy: int
    rollouts: Sequence[Mapping[str, Any]] = field(repr=False)
    steps: int
    state: State = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        """What `simulate --json` prints."""
        return {
            "duration_ms": self.duration_ms,
            "max_in_flight": self.max_in_flight,
            "max_unhealthy": self.max_unhealthy,
            "rollouts": list(self.rollouts),
        }

    @property
    def is_completed(self) -> bool:
        """Whether there was a rollout, and every one is completed."""
        return bool(self.rollouts) and all(rollout["status"] == "completed" for rollout in self.rollouts)


def simulate(
    engine: Engine,
    *,
    image: str | None = None,
    target: str | None = None,
    sets: Iterable[str] | None = None,
    manual: bool = False,
    seed: int = 0,
    faults: Faults | None = None,
    now: int = 0,
    sink: Callable[[bytes], object] | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Simulate the rollout of `image` to `target` (None: the newest), or of every image with a newer version.

    With `manual`, or with `sets` (full names), it is a manual rollout of the sets (None: all of the image), started
    by `user`. Else a rollout begins whenever a version was published or a rollout has ended, and an image has a newer
    version (of `image` only, if it is given; none after a `target`). Equal arguments give equal logs.

    `sink` is given the log in pieces of whole lines; `progress` is called every few hundred steps and at the end with
    the time, how many instances are through, and how many were eligible when their rollouts began (those that join
    later are not among these).

    `UnknownName` if the image, a set or the target is not in the fleet, or if no image is given where one is needed and
    the fleet has several; `InvalidModel` if the faults do not fit the fleet; `Endless` if the run would never be over.
    """
    run = Run(
        engine=engine,
        image=image,
        target=target,
        sets=None if sets is None else tuple(sets),
        manual=manual,
        seed=seed,
        faults=faults,
        now=now,
        progress=progress,
    )
    for chunk in run.log(is_kept=sink is not None):
        assert sink is not None, "a log that is not kept has no pieces"
        sink(chunk)
    return run.summary()


def simulate_into(path: str | os.PathLike[str], engine: Engine, **options: Any) -> Summary:
    """Do as `simulate` with the same options, and write the log to `path`: all of it, or nothing if the run breaks off.

    The name's ending says whether as NDJSON or as Parquet. `InvalidFile` if it cannot be written.
    """
    run = Run(engine=engine, **options)
    write_log(path, run.log(is_kept=True))
    return run.summary()


@define(kw_only=True)
class Run:
    """One run, to be run once: `log` runs it, `summary` then tells what it came to. The options are `simulate`'s."""

    engine: Engine
    image: str | None = None
    target: str | None = None
    sets: Sequence[str] | None = None
    manual: bool = False
    seed: int = 0
    faults: Faults | None = None
    now: int = 0
    progress: Progress | None = None
    _state: State = field(init=False, repr=False)
    _environment: Environment = field(init=False, repr=False)
    _journal: Journal | None = field(default=None, init=False, repr=False)
    _lines: list[bytes] = field(factory=list, init=False, repr=False)
    _beginnings: Beginnings = field(init=False, repr=False)
    _steps_max: int = field(init=False, repr=False)  # at one instant
    _steps: int = field(default=0, init=False)
    _next: int | None = field(default=None, init=False)  # when anything happens after this instant
    _comes: bool = field(default=False, init=False)  # whether anything but timers will
    _has_told: bool = field(default=False, init=False)  # whether anything has come of this instant
    _running: int = field(default=0, init=False)
    _ended: dict[int, Mapping[str, Any]] = field(factory=dict, init=False, repr=False)
    _started_at: int | None = field(default=None, init=False)
    _ended_at: int | None = field(default=None, init=False)
    _in_flight_max: int = field(default=0, init=False)
    _unhealthy_max: int = field(default=0, init=False)
    _through: int = field(default=0, init=False)
    _eligible: int = field(default=0, init=False)
    _timer: int | None = field(default=None, init=False)  # when the engine's next timer falls due in `_timer_of`
    _timer_of: State | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        fleet = self.engine.fleet
        self._state = self.engine.initial(now=self.now)
        timeouts = self.engine.compiled.statics
        self._environment = Environment(self.engine, fleet, self.faults or Faults(), self.seed, self.now, timeouts)
        self._beginnings = Beginnings(
            engine=self.engine,
            image=self.image,
            target=self.target,
            sets=self.sets,
            manual=self.manual,
            start=self.now,
        )
        self._steps_max = STEPS_MAX_AT_LEAST + STEPS_AN_INSTANCE_MAX * sum(s.size for s in fleet.sets)

    def log(self, *, is_kept: bool) -> Iterator[bytes]:
        """Run, and yield the log in pieces of whole lines; nothing if it is not kept."""
        if is_kept:
            policy = self.engine.policy.document()
            self._journal = Journal(self.engine, policy)
            faults = None if self.faults is None else dump_faults(self.faults)
            document = {"format": POLICY_FORMAT, **policy}
            yield header(self.now, msgspec.Raw(fleet_text(self.engine.fleet)), document, self.seed, faults)
        self._environment.begin(self._state)
        first = self._beginnings.first()
        if first is not None:
            self._apply(first)
        now: int | None = self.now
        last, quiet, quiet_max = self.now, 0, QUIET_MAX + QUIET_A_SET_MAX * len(self.engine.fleet.sets)
        while now is not None:
            happened = self._instant(now)
            last, quiet = now, 0 if happened else quiet + 1
            if self._is_over(looks_closer=quiet % _QUIET_LOOK == _QUIET_LOOK - 1):
                break
            if quiet > quiet_max:
                raise Endless(f"nothing has come of {quiet} timers in a row (simulation, at {now} ms)")
            if len(self._lines) > _CHUNK_LINES:
                yield self._chunk()
            now = self._next
        self._tell()
        if is_kept:
            self._lines.append(footer(last, self._steps))
            yield self._chunk()

    def summary(self) -> Summary:
        """Return what the run has come to; an ended rollout as it was at its end, before a later one took its sets."""
        rollouts = [self._ended[number] for number in sorted(self._ended)]
        if self._running:
            latest: list[Mapping[str, Any]] = self.engine.progress(self._state)["rollouts"]
            rollouts = [self._ended.get(number, rollout) for number, rollout in enumerate(latest)]
        start = self.now if self._started_at is None else self._started_at
        end = self._state.now if self._running or self._ended_at is None else self._ended_at
        return Summary(
            duration_ms=end - start,
            max_in_flight=self._in_flight_max,
            max_unhealthy=self._unhealthy_max,
            rollouts=rollouts,
            steps=self._steps,
            state=self._state,
        )

    def _is_over(self, *, looks_closer: bool) -> bool:
        """Whether nothing can come any more but the opening and closing of windows, which never ends.

        That is so when no rollout is running; or, looking closer, when every one that runs is paused for good.
        """
        if self._comes or self.engine.counts(self._state)[0]:
            return False
        if not self._running:
            return True
        if not looks_closer:
            return False
        rollouts = self.engine.progress(self._state)["rollouts"]
        return all(rollout["paused"] for rollout in rollouts if rollout["status"] == "running")

    def _next_time(self) -> int | None:
        times = (self._environment.next_time(), self._beginnings.next_time())
        self._comes = times != (None, None)
        found = self._timer_due()
        for time in times:
            if time is not None and (found is None or time < found):
                found = time
        return found

    def _timer_due(self) -> int | None:
        """Return when the engine's next timer falls due, which is asked once of each state."""
        if self._timer_of is not self._state:
            self._timer, self._timer_of = self.engine.next_time(self._state), self._state
        return self._timer

    def _instant(self, now: int) -> bool:
        """Let everything happen that happens at `now`; return whether anything came of it."""
        before = self._steps
        happened = self._has_told = False
        while True:
            happened |= self._outside(now)
            due = self._timer_due()
            # what may begin is asked of a state of this instant; reports come first, as they are in time at a deadline
            if (due is not None and due <= now) or (self._beginnings.wake(now) and self._state.now < now):
                self._apply(Tick(now))
            while batches := self.engine.select(self._state):
                self._apply(Start(batches, now))
            begun = self._beginnings.due(self._state)
            for rollout in begun:
                self._apply(rollout)
            if self._steps - before > self._steps_max:
                raise Endless(f"more than {self._steps_max} steps at one instant (simulation, at {now} ms)")
            self._next = self._next_time()
            if not begun and (self._next is None or self._next > now):
                return happened or self._has_told

    def _outside(self, now: int) -> bool:
        """Let the environment's events and reports of `now` happen; return whether there were any."""
        happenings = self._environment.happenings(now)
        for happening in happenings:
            for event in self._environment.events(self._state, happening, now):
                self._apply(event)
        reports = self._environment.reports(self._state, now)
        if reports:
            self._apply(joined(reports, now), reports)
        return bool(happenings or reports)

    def _apply(self, event: Event, reports: Iterable[Reports | Bulk] = ()) -> None:
        step = self.engine.step(self._state, event)
        self._state = step.state
        self._steps += 1
        self._has_told |= bool(step.facts)
        if self._journal is not None:
            self._lines += self._journal.lines(event, step, reports)
        self._environment.observe(step.state, step.facts)
        has_ended = False
        if self.progress is not None:
            self._through += sum(arrived(part.trace) for part in step.facts.parts if isinstance(part, Told))
        for fact in step.facts.milestones:
            match fact:
                case RolloutStarted():
                    self._running += 1
                    if self.progress is not None:
                        self._eligible += self.engine.rollout(step.state, fact.rollout)["counts"]["eligible"]
                    self._started_at = event.now if self._started_at is None else self._started_at
                case RolloutEnded():
                    self._running -= 1
                    self._ended_at = event.now
                    self._ended[fact.rollout] = self.engine.rollout(step.state, fact.rollout)
                    has_ended = True
        if isinstance(event, Scaled) and event.added:
            names = [f"{event.set}/{instance.id}" for instance in event.added]
            self._environment.welcome(step.state, event, self.engine.slots(step.state, names))
        self._beginnings.note(event, has_ended=has_ended)
        in_flight, unhealthy = self.engine.counts(step.state)
        self._in_flight_max = max(self._in_flight_max, in_flight)
        self._unhealthy_max = max(self._unhealthy_max, unhealthy)
        if self._steps % _PROGRESS_STEPS == 0:
            self._tell()

    def _chunk(self) -> bytes:
        chunk = b"".join(self._lines)
        self._lines.clear()
        return chunk

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self._state.now, self._through, self._eligible)
