"""The log of a run: NDJSON, one line an event, command or consequence, in order (format `phasegate/log/1`).

The first line says what was run: fleet, policy, seed, faults. Then come the lines of each step: its event, its facts,
and a `step` line with the digest of the state that it led to; last a `log-ended` line. Lines about instances are about
one set. The batches of a start and the rollout of a rollout event stand in the lines of the facts `batch-started` and
`rollout-started`; a `tick` has no line of its own. So a reader can make each event again, and compare.

Lines of the kinds in `REMARKS` belong to no step: they say for people what a step is about, and readers pass them over.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, Protocol

import msgspec
from attrs import asdict, define, field

from phasegate.core.events import (
    Applied,
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
from phasegate.core.facts import (
    AttemptEnded,
    BatchStarted,
    Became,
    Commands,
    Fact,
    Ignored,
    PhaseEnded,
    PhaseOpened,
    RolloutEnded,
    RolloutStarted,
    Step,
)
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet
from phasegate.core.state import State
from phasegate.core.telling import Told
from phasegate.files.modelfile import dump_model
from phasegate.files.structure import plain
from phasegate.logs.columnlines import ColumnLines
from phasegate.simulating.reports import Bulk, Reports

FORMAT: Final = "phasegate/log/1"
REMARKS: Final = ("act", "violated", "shown")
POLICY_FORMAT: Final = "phasegate/policy/1"
_REMEMBERED_MAX: Final = 20_000  # groups whose ids are kept encoded: a batch is written about ten times in a row

EVENTS: Final[Mapping[type, str]] = {
    Start: "start",
    Signals: "signals",
    Tick: "tick",
    Elapsed: "elapsed",
    Rollout: "rollout",
    Pause: "pause",
    Resume: "resume",
    Cancel: "cancel",
    Configured: "configured",
    Applied: "applied",
    Published: "published",
    Replicated: "replicated",
    Protected: "protected",
    Scaled: "scaled",
}
_encode = msgspec.json.Encoder().encode


class Named(Protocol):
    """What the journal asks the engine: who an instance is, and whether it is still there."""

    @property
    def fleet(self) -> Fleet:
        """The fleet as it was at the beginning."""
        ...

    def ids(self, state: State, slots: array[int]) -> Sequence[str]:
        """Return the ids of the instances, in their order."""
        ...

    def life(self, state: State, slot: int) -> Life:
        """Return an instance's state."""
        ...

    def set_of(self, state: State, slot: int) -> str:
        """Return the full name of an instance's set."""
        ...


def header(
    now: int,
    fleet: Mapping[str, Any] | msgspec.Raw,
    policy: Mapping[str, Any],
    seed: int,
    faults: Mapping[str, Any] | None,
) -> bytes:
    """Return the first line: what was run, as documents of the formats that they have in files.

    The fleet may be its text already, as that of a large one is.
    """
    line = {"t": now, "kind": "log", "format": FORMAT, "fleet": fleet, "policy": policy, "seed": seed, "faults": faults}
    return _encode(line) + b"\n"


def remark(now: int, kind: str, **content: Any) -> bytes:
    """Return a line of one of the kinds in `REMARKS`."""
    return _encode({"t": now, "kind": kind, **content}) + b"\n"


def footer(now: int, steps: int) -> bytes:
    """Return the last line, without which a log is cut off."""
    return _encode({"t": now, "kind": "log-ended", "steps": steps}) + b"\n"


@define
class Journal:
    """Turns steps into lines. `policy` is what `rollout-started` says that the rollout runs under."""

    engine: Named
    policy: Mapping[str, Any]
    steps: int = field(default=0, init=False)
    _ids: dict[bytes, bytes] = field(factory=dict, init=False, repr=False)
    _columns: ColumnLines = field(factory=ColumnLines, init=False, repr=False)
    _shrunk: set[str] = field(factory=set, init=False, repr=False)

    def lines(self, event: Event, step: Step, reports: Iterable[Reports | Bulk] = ()) -> list[bytes]:
        """Return the lines of one step, each with its line end; `reports` are what a `Signals` was joined from.

        Names are asked of the state after the step alone: an instance keeps its slot, and the engine has that state
        laid open.
        """
        found: list[bytes] = []

        def line_of(fact: Fact) -> bytes:
            return _encode({"t": event.now, **self._fact(step.state, event, fact)}) + b"\n"

        def put(line: dict[str, Any]) -> None:
            found.append(_encode({"t": event.now, **line}) + b"\n")

        def ids(slots: bytes) -> bytes:
            return self._known_instances(step.state, slots)

        if isinstance(event, Signals):
            for part in reports:
                if isinstance(part, Reports):
                    self._signal(step.state, part, put)
                elif self._shrunk:
                    for group in part:
                        self._signal(step.state, group, put)
                else:
                    found += self._columns.signals(event.now, part, ids)
        elif isinstance(event, Elapsed):
            self._elapsed(step.state, event, put)
        else:
            line = self._event(event)
            if line is not None:
                put(line)
        for told in step.facts.parts:
            if not isinstance(told, Told):
                found.append(line_of(told))
            elif told.book.incarnations:
                found += map(line_of, told.facts())
            else:
                found += self._columns.told(event.now, told, ids, line_of)
        self.steps += 1
        put({"kind": "step", "n": self.steps, "event": EVENTS[type(event)], "state": step.state.digest})
        return found

    def _instances(self, state: State, slots: array[int]) -> msgspec.Raw:
        return msgspec.Raw(self._known_instances(state, slots.tobytes()))

    def _known_instances(self, state: State, slots: bytes) -> bytes:
        known = self._ids.get(slots)
        if known is None:
            if len(self._ids) >= _REMEMBERED_MAX:
                self._ids.clear()
            known = self._ids[slots] = _encode(self.engine.ids(state, array("I", slots)))
        return known

    def _signal(self, state: State, part: Reports, put: Callable[[dict[str, Any]], None]) -> None:
        """Write one report, its runs of instances that are gone apart: those are named by id and slot.

        An id that was removed may have come back as another instance, which the id alone would name.
        """
        for slots, gone in self._runs(state, part):
            line: dict[str, Any] = {"kind": "signal", "what": part.what.word, "set": part.set}
            line["instances"] = [] if gone else self._instances(state, slots)
            line["observed_at"] = part.observed_at
            if part.answers:
                line |= {"command": part.command, "do": part.answers.word, "attempt": part.attempt}
            if gone:
                ids = self.engine.ids(state, slots)
                line["gone"] = [{"id": id_, "slot": slot} for id_, slot in zip(ids, slots, strict=True)]
            put(line)

    def _elapsed(self, state: State, event: Elapsed, put: Callable[[dict[str, Any]], None]) -> None:
        """Write a line for each timer; deadlines that follow one another in one set are one line."""
        by_set = [(self.engine.set_of(state, slot), slot) for slot in event.deadlines]
        for name, some in groupby(by_set, key=lambda entry: entry[0]):
            slots = array("I", (slot for _, slot in some))
            instances = self._instances(state, slots)
            put({"kind": "elapsed", "what": "deadline", "set": name, "instances": instances})
        for what, names in (("delay", event.delays), ("pause", event.pauses)):
            for name in names:
                put({"kind": "elapsed", "what": what, "set": name})
        for rollout in event.bakes:
            put({"kind": "elapsed", "what": "bake", "rollout": rollout})
        for name, is_open in event.windows:
            put({"kind": "elapsed", "what": "window", "set": name, "open": is_open})

    def _runs(self, state: State, part: Reports) -> Iterable[tuple[array[int], bool]]:
        if part.set not in self._shrunk:
            return ((part.slots, False),)
        runs: list[tuple[array[int], bool]] = []
        for slot in part.slots:
            gone = self.engine.life(state, slot) is Life.GONE
            if not runs or runs[-1][1] is not gone:
                runs.append((array("I"), gone))
            runs[-1][0].append(slot)
        return runs

    def _event(self, event: Event) -> dict[str, Any] | None:
        match event:
            case Scaled():
                if event.removed:
                    self._shrunk.add(event.set)
                added = [
                    {"id": one.id, "zone": one.zone, "upgrade_domain": one.upgrade_domain, "version": one.version}
                    | plain(one)
                    for one in event.added
                ]
                return {"kind": "scaled", "set": event.set, "added": added, "removed": event.removed}
            case Configured():
                model = dump_model(self.engine.fleet, event.model)
                return {"kind": "configured", "set": event.model.full_name, "model": model}
            case Published():
                return {"kind": "published", "image": event.image, "version": plain(event.version)}
            case Replicated():
                return {"kind": "replicated", **asdict(event, filter=_but_now)}
            case Protected():
                return {"kind": "protected", **asdict(event, filter=_but_now)}
            case Applied():
                return {"kind": "applied", **asdict(event, filter=_but_now)}
            case Pause():
                return {"kind": "paused", "rollout": event.rollout}
            case Resume():
                return {"kind": "resumed", "rollout": event.rollout}
            case Cancel():
                return {"kind": "cancelled", "rollout": event.rollout}
        return None

    def _fact(self, state: State, event: Event, fact: Fact) -> dict[str, Any]:
        match fact:
            case Became():
                return {
                    "kind": "became",
                    "rollout": fact.rollout,
                    "state": fact.state.word,
                    "cause": fact.cause,
                    "set": fact.set,
                    "instances": self._instances(state, fact.slots),
                }
            case Commands():
                return {
                    "kind": "command",
                    "rollout": fact.rollout,
                    "id": fact.id,
                    "do": fact.do.word,
                    "set": fact.set,
                    "version": fact.version,
                    "attempt": fact.attempt,
                    "instances": self._instances(state, fact.slots),
                }
            case BatchStarted():
                cells = {"cell": fact.cells[0]} if len(fact.cells) == 1 else {"cells": fact.cells}
                return {
                    "kind": "batch-started",
                    "rollout": fact.rollout,
                    "set": fact.set,
                    **cells,
                    "upgrade_domain": fact.upgrade_domain,
                    "instances": self._instances(state, fact.slots),
                }
            case Ignored():
                return {
                    "kind": "ignored",
                    "what": fact.what,
                    "why": fact.why,
                    "set": fact.set,
                    "instances": self._instances(state, fact.slots),
                }
            case RolloutStarted():
                return self._rollout_started(event, fact)
            case _:
                return {"kind": _KINDS[type(fact)], **asdict(fact)}

    def _rollout_started(self, event: Event, fact: RolloutStarted) -> dict[str, Any]:
        asked = event if isinstance(event, Rollout) else Rollout(fact.image, event.now)
        return {
            "kind": "rollout-started",
            "rollout": fact.rollout,
            "image": fact.image,
            "target": fact.target,
            "started_by": fact.started_by,
            "manual": asked.sets is not None,
            "policy": self.policy,
            "phases": fact.phases,
            "ineligible": [{"name": name, "codes": codes} for name, codes in fact.refused],
            "asked": {"target": asked.target, "sets": asked.sets},
        }


_KINDS: Final[Mapping[type, str]] = {
    PhaseOpened: "phase-opened",
    PhaseEnded: "phase-ended",
    AttemptEnded: "attempt-ended",
    RolloutEnded: "rollout-ended",
}


def _but_now(attribute: Any, value: object) -> bool:
    return bool(attribute.name != "now")
