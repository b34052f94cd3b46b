"""Events from the lines that were written for them.

Whatever is wrong with a log is an `InvalidFile` that names the line.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final, Protocol, TypeVar

import msgspec
from attrs import define, field

from phasegate.core.errors import InvalidModel, PhasegateError
from phasegate.core.events import (
    Applied,
    Batch,
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
    Start,
    Tick,
    What,
)
from phasegate.core.lifecycle import Do
from phasegate.core.model import Fleet, ImageVersion
from phasegate.core.roster import Instance
from phasegate.core.state import State
from phasegate.files.documents import InvalidFile
from phasegate.files.modelfile import parse_model
from phasegate.files.structure import structure
from phasegate.logs.loglines import Line, RecordedStep, Time, in_words
from phasegate.simulating.reports import Reports, joined

_WHAT: Final = {what.word: what for what in What}
_DO: Final = {do.word: do for do in Do}
_REMEMBERED_MAX: Final = 20_000

T = TypeVar("T")


_Number = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class _Gone(msgspec.Struct):
    slot: _Number


class _Signal(msgspec.Struct):
    what: str
    set: str
    instances: list[str]
    observed_at: Time
    command: str | None = None
    do: str = "nothing"
    attempt: _Number = 0
    gone: list[_Gone] | None = None


class _Elapsed(msgspec.Struct):
    what: str
    set: str = ""
    instances: list[str] = []
    rollout: int = -1
    open: bool = False


class _Some(msgspec.Struct):
    set: str
    instances: list[str]


class _Asked(msgspec.Struct):
    target: str | None
    sets: tuple[str, ...] | None


class _Rollout(msgspec.Struct):
    image: str
    started_by: str
    asked: _Asked


class _Which(msgspec.Struct):
    rollout: int | None = None


class _Scaled(msgspec.Struct):
    set: str
    added: list[dict[str, Any]]
    removed: tuple[str, ...]


class _Configured(msgspec.Struct):
    model: dict[str, Any]


class _Published(msgspec.Struct):
    image: str
    version: dict[str, Any]


class _Replicated(msgspec.Struct):
    image: str
    version: str
    region: str
    exclude_from_latest: bool


class _Protected(msgspec.Struct):
    set: str
    instances: tuple[str, ...]
    protected: bool


class Slots(Protocol):
    """What a reader asks the engine: which slots instances have now."""

    @property
    def fleet(self) -> Fleet:
        """The fleet as it was at the beginning."""
        ...

    def slots(self, state: State, names: Iterable[str]) -> array[int]:
        """Return the slots of the instances with these full names."""
        ...


@define
class Reader:
    """Makes events from the lines of steps; `name` is what errors call the log."""

    engine: Slots
    name: str
    _known: dict[tuple[str, tuple[str, ...]], array[int]] = field(factory=dict, init=False, repr=False)

    def event(self, state: State, step: RecordedStep) -> tuple[Event, Sequence[Reports]]:
        """Return the event that meets `state`, and the reports if it is `signals`; `InvalidFile` if lines lack."""
        made: Callable[[State, RecordedStep], Event]
        match step.event:
            case "signals":
                reports = [self._reports(state, line) for line in step.lines if line.kind == "signal"]
                return joined(reports, step.now), reports
            case "tick":
                return Tick(step.now), ()
            case "start":
                made = self._start
            case "elapsed":
                made = self._elapsed
            case "rollout":
                made = self._rollout
            case _:
                made = self._single
        return made(state, step), ()

    def _start(self, state: State, step: RecordedStep) -> Event:
        batches = []
        for line in step.lines:
            if line.kind == "batch-started":
                batch = self._as(line, _Some)
                batches.append(Batch(batch.set, self._slots(state, batch.set, batch.instances, line)))
        return Start(batches, step.now)

    def _elapsed(self, state: State, step: RecordedStep) -> Event:
        deadlines = array("I")
        passed: dict[str, list[Any]] = {"delay": [], "pause": [], "bake": [], "window": []}
        for line in step.lines:
            if line.kind != "elapsed":
                continue
            timer = self._as(line, _Elapsed)
            if timer.what == "deadline":
                deadlines.extend(self._slots(state, timer.set, timer.instances, line))
            elif timer.what == "bake":
                passed["bake"].append(timer.rollout)
            elif timer.what == "window":
                passed["window"].append((timer.set, timer.open))
            elif timer.what in passed:
                passed[timer.what].append(timer.set)
            else:
                raise self._fault(line, f"`{timer.what}` is no timer of a log")
        return Elapsed(
            now=step.now,
            deadlines=deadlines,
            delays=passed["delay"],
            pauses=passed["pause"],
            bakes=passed["bake"],
            windows=passed["window"],
        )

    def _rollout(self, state: State, step: RecordedStep) -> Event:
        begun = self._as(self._only(step, "rollout-started"), _Rollout)
        return Rollout(begun.image, step.now, begun.asked.target, begun.asked.sets, begun.started_by)

    def _single(self, state: State, step: RecordedStep) -> Event:
        now = step.now
        match step.event:
            case "pause":
                return Pause(now, self._as(self._only(step, "paused"), _Which).rollout)
            case "resume":
                return Resume(now, self._as(self._only(step, "resumed"), _Which).rollout)
            case "cancel":
                return Cancel(now, self._as(self._only(step, "cancelled"), _Which).rollout)
            case "protected":
                protected = self._as(self._only(step, "protected"), _Protected)
                return Protected(protected.set, protected.instances, protected.protected, now)
            case "applied":
                applied = self._as(self._only(step, "applied"), _Some)
                return Applied(applied.set, applied.instances, now)
            case "replicated":
                replica = self._as(self._only(step, "replicated"), _Replicated)
                return Replicated(replica.image, replica.version, replica.region, now, replica.exclude_from_latest)
            case "published":
                line = self._only(step, "published")
                published = self._as(line, _Published)
                version = self._structured(line, lambda: structure(ImageVersion, published.version, "version"))
                return Published(published.image, version, now)
            case "configured":
                line = self._only(step, "configured")
                document = self._as(line, _Configured).model
                return Configured(self._structured(line, lambda: parse_model(self.engine.fleet, document)), now)
            case _:
                line = self._only(step, "scaled")
                scaled = self._as(line, _Scaled)
                self._known.clear()
                added = self._structured(line, lambda: structure(tuple[Instance, ...], scaled.added, "added"))
                return Scaled(scaled.set, now, added, scaled.removed)

    def _reports(self, state: State, line: Line) -> Reports:
        signal = self._as(line, _Signal)
        if signal.what not in _WHAT or signal.do not in _DO:
            raise self._fault(line, f"`{signal.what}` or `{signal.do}` is no word of a log")
        if signal.gone is None:
            slots = self._slots(state, signal.set, signal.instances, line)
        else:
            slots = array("I", (gone.slot for gone in signal.gone))
        what, answers = _WHAT[signal.what], _DO[signal.do]
        return Reports(signal.set, what, slots, signal.observed_at, signal.attempt, answers, signal.command)

    def _slots(self, state: State, set_name: str, ids: list[str], line: Line) -> array[int]:
        key = set_name, tuple(ids)
        known = self._known.get(key)
        if known is None:
            try:
                known = self.engine.slots(state, [f"{set_name}/{id_}" for id_ in ids])
            except PhasegateError as error:
                raise self._fault(line, str(error)) from None
            if len(self._known) >= _REMEMBERED_MAX:
                self._known.clear()
            self._known[key] = known
        return known

    def _only(self, step: RecordedStep, kind: str) -> Line:
        for line in step.lines:
            if line.kind == kind:
                return line
        raise self._fault(step.lines[-1], f"the step has no line `{kind}`")

    def _as(self, line: Line, cls: type[T]) -> T:
        try:
            return msgspec.convert(line.content, cls)
        except msgspec.ValidationError as error:
            raise self._fault(line, in_words(error)) from None

    def _structured(self, line: Line, make: Callable[[], T]) -> T:
        try:
            return make()
        except InvalidModel as error:
            raise self._fault(line, str(error)) from None

    def _fault(self, line: Line, what: str) -> InvalidFile:
        return InvalidFile(what, self.name, f"line {line.number}")
