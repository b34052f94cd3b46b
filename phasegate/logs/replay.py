"""Running a log through the engine again: the same events must lead to the same lines and the same states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from attrs import field, frozen

from phasegate.core.engine import Engine
from phasegate.core.errors import InvalidModel, PhasegateError
from phasegate.core.state import State
from phasegate.files.documents import InvalidFile, without_format
from phasegate.files.fleetfile import parse_fleet
from phasegate.files.structure import structure
from phasegate.logs.journal import POLICY_FORMAT, Journal
from phasegate.logs.loglines import Header, Line, RecordedStep, read_header, read_steps
from phasegate.logs.logread import Reader
from phasegate.policies import AvailabilityFirst, SupportedImage, UserPolicy, availability_first

_LINE_1: Final = "line 1"
_SHOWN_MAX: Final = 200


@frozen
class Difference:
    """Where a log and its replay part: the line from 1, what it says, and what the engine makes of the event."""

    line: int
    recorded: str
    replayed: str

    def __str__(self) -> str:
        return f"line {self.line} says `{_short(self.recorded)}`, the engine says `{_short(self.replayed)}`"


@frozen
class ReplayReport:
    """What a replay came to: `steps` led to the recorded states; `difference` is the first line that differs."""

    steps: int
    lines: int
    difference: Difference | None
    engine: Engine = field(repr=False)
    state: State = field(repr=False)

    @property
    def is_same(self) -> bool:
        """Whether every line and every state was reproduced."""
        return self.difference is None


def replay(lines: Iterable[bytes], *, name: str = "log", also: Iterable[UserPolicy] = ()) -> ReplayReport:
    """Run the events of a log again and compare every line and every digest, up to the first that differs.

    `lines` may come from an open file (in binary); `name` is what errors call it. `also` are the users' own policies
    that the log was made with, of which it knows the names only. `InvalidFile`, with the line, if the log is cut off
    or cannot be read.
    """
    engine, state, steps = _opened(lines, name, also)
    reader, journal = Reader(engine, name), Journal(engine, engine.policy.document())
    count, line = 0, 1
    for step in steps:
        event, reports = reader.event(state, step)
        try:
            taken = engine.step(state, event)
        except PhasegateError as error:
            first = step.lines[0]
            refusal = Difference(first.number, _text(first.text), f"refused: {error}")
            return ReplayReport(count, refusal.line, refusal, engine, state)
        difference = _first_difference(step.lines, journal.lines(event, taken, reports))
        if difference is not None:
            return ReplayReport(count, difference.line, difference, engine, taken.state)
        count, line, state = count + 1, step.lines[-1].number, taken.state
    return ReplayReport(count, line + 1, None, engine, state)


def state_at(
    lines: Iterable[bytes], time: int | None = None, *, name: str = "log", also: Iterable[UserPolicy] = ()
) -> tuple[Engine, State]:
    """Return the engine of a log and its state after the last step not later than `time` (ms UTC; None: the last).

    `InvalidFile`, with the line, as for `replay`, and if the log differs from what the engine makes of it.
    """
    engine, state, steps = _opened(lines, name, also)
    reader = Reader(engine, name)
    for step in steps:
        if time is not None and step.now > time:
            break
        line, event = step.lines[-1], reader.event(state, step)[0]
        try:
            state = engine.step(state, event).state
        except PhasegateError as error:
            raise InvalidFile(f"the engine refuses the event: {error}", name, f"line {line.number}") from None
        if state.digest != line.content.get("state"):
            raise InvalidFile(f"the engine comes to the state {state.digest}", name, f"line {line.number}")
    return engine, state


def policy_of(document: Any, also: Iterable[UserPolicy] = ()) -> AvailabilityFirst:
    """Return the policy of a log's header. `InvalidModel` if it has an unknown option, or lacks users' own policies."""
    options = without_format(document, POLICY_FORMAT)
    given = {policy.name: policy for policy in also}
    names = structure(tuple[str, ...], options.pop("also", []), "also")
    for name in names:
        if name not in given:
            raise InvalidModel(f"policy `{name}` of somebody's own is not known here; give it with `also`", "also")
    if "supported_images" in options:
        images = structure(tuple[SupportedImage, ...], options["supported_images"], "supported_images")
        options["supported_images"] = images
    return availability_first(**options, also=tuple(given[name] for name in names))


def _opened(
    lines: Iterable[bytes], name: str, also: Iterable[UserPolicy]
) -> tuple[Engine, State, Iterator[RecordedStep]]:
    rest = iter(lines)
    first = read_header(next(rest, b""), name)
    engine = Engine(parse_fleet(bytes(first.fleet), f"{name}: {_LINE_1}, fleet"), _policy(first, name, also))
    return engine, engine.initial(now=first.t), read_steps(rest, name)


def _policy(first: Header, name: str, also: Iterable[UserPolicy]) -> AvailabilityFirst:
    try:
        return policy_of(msgspec.json.decode(first.policy), also)
    except InvalidModel as error:
        raise InvalidFile(f"policy: {error}", name, _LINE_1) from None


def _first_difference(recorded: Iterable[Line], replayed: list[bytes]) -> Difference | None:
    # both end in their only `step` line, so where one goes on and the other does not, two lines differ
    for line, text in zip(recorded, replayed, strict=False):
        # equal bytes nearly always; a log that went through another JSON writer says the same in other bytes
        if line.text != text[:-1] and line.content != msgspec.json.decode(text):
            return Difference(line.number, _text(line.text), _text(text[:-1]))
    return None


def _text(line: bytes) -> str:
    return line.decode(errors="replace")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
