"""A trace in words: who acted, on whom, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from attrs import frozen

from phasegate.core.engine import Engine
from phasegate.core.events import Configured, Event, Protected, Published, Replicated, Rollout, Signals, What
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.subject import Order
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
)
from phasegate.core.lifecycle import Do
from phasegate.core.state import State
from phasegate.verifying.trace import Trace, TracedStep


@frozen
class Sentence:
    """One step of a story: its number, who acted, what they did, and what came of it."""

    number: int
    who: str
    did: str
    came: tuple[str, ...]


def story(trace: Trace) -> list[Sentence]:
    """Return the steps of a trace in words, in order."""
    return [Sentence(step.number, step.who, _did(step), tuple(_came(trace.engine, step))) for step in trace.steps]


def again(trace: Trace) -> str:
    """Return which of its steps come again and again, in words; nothing where the run has an end."""
    if not trace.again:
        return ""
    last = len(trace.steps)
    first = last - trace.again + 1
    steps = f"steps {first} to {last} come" if trace.again > 1 else f"step {last} comes"
    before = f"after step {first - 1}" if first > 1 else "at the beginning"
    return f"{steps} again and again: after step {last} all is as {before}"


# --- what was done ---------------------------------------------------------------------------------------------------

_PLAIN: Final = {
    Act.HEALTHY: "reports {names} healthy",
    Act.UNHEALTHY: "reports {names} unhealthy",
    Act.LATE: "answers commands that {names} is not under",
    Act.DUPLICATE: "repeats the last health report of {names}, with either content",
    Act.REMOVE: "remove {names}",
    Act.ADD: "add {names}",
    Act.DEADLINE: "the deadline of {names} passes",
    Act.ISSUE: "hands out the command to {names}",
    Act.EXECUTE: "carries out the command on {names}",
    Act.MAINTENANCE: "{names} turn unhealthy at once",
    Act.DELAY: "the delay before {whom} passes",
    Act.REST: "the pause between the batches of {whom} passes",
    Act.BAKE: "the bake time of {whom} passes",
    Act.PAUSE: "pause {whom}",
    Act.RESUME: "resume {whom}",
    Act.CANCEL: "cancel {whom}",
    Act.STOP: "stop every rollout",
    Act.CRASH: "loses what it had not recorded",
}


def _did(step: TracedStep) -> str:
    if step.act in _PLAIN:
        return _PLAIN[step.act].format(names=", ".join(step.names), whom=step.whom)
    event = step.event
    match step.act:
        case Act.START:
            where = "".join(
                f" in {' and '.join(fact.cells)}, upgrade domain {fact.upgrade_domain}"
                for fact in step.facts
                if isinstance(fact, BatchStarted)
            )
            return f"starts {', '.join(step.names)}{where}"
        case Act.ANSWER | Act.FAIL if isinstance(event, Signals):
            how = "failed" if step.act is Act.FAIL else "done"
            return f"answers {Do(event.answers[0]).word} of {step.names[0]}: {how}"
        case Act.STALE if isinstance(event, Signals):
            return f"reports {step.names[0]} healthy, as it was {event.now - event.observed_at[0]} ms ago"
        case Act.WINDOW:
            return f"the maintenance window of {step.whom} {'opens' if _opens(event) else 'closes'}"
        case _:
            return _ordered(event)


def _opens(event: Event | None) -> bool:
    windows: Sequence[tuple[str, bool]] = getattr(event, "windows", ())
    return any(is_open for _, is_open in windows)


def _ordered(event: Event | Order | None) -> str:
    match event:
        case Published():
            return f"publish {event.image} {event.version.version}"
        case Replicated():
            return f"replicate {event.image} {event.version} to {event.region}"
        case Protected():
            on = "protect" if event.protected else "no longer protect"
            return f"{on} {', '.join(f'{event.set}/{ident}' for ident in event.instances)}"
        case Configured():
            return f"change the model of {event.model.full_name}"
        case _:
            assert isinstance(event, Rollout), "the last of a scenario's own events"
            return f"begin a rollout of {event.image} to {event.target or 'the newest version'}"


# --- what came of it -------------------------------------------------------------------------------------------------


def _came(engine: Engine, step: TracedStep) -> Iterator[str]:
    if step.refused is not None:
        yield f"which the engine itself refuses: {step.refused}"
    for fact in step.facts:
        if not isinstance(fact, Commands | BatchStarted):
            yield _fact(engine, step.state, fact)


def _fact(engine: Engine, state: State, fact: Fact) -> str:
    match fact:
        case Became():
            return f"{_named(engine, state, fact.set, fact.slots)}: {fact.state.word}"
        case Ignored():
            return f"{What[fact.what.upper().replace('-', '_')].word} about {fact.set} ignored: {fact.why}"
        case AttemptEnded():
            code = f", {fact.error}" if fact.error else ""
            return f"the attempt of {fact.set} ends: {fact.status}{code}"
        case PhaseOpened():
            return f"phase {fact.phase} opens: {', '.join(fact.regions)}"
        case PhaseEnded():
            how = "succeeds" if fact.succeeded else "does not succeed"
            return f"phase {fact.phase} {how}: {fact.lost} of {fact.eligible} lost"
        case RolloutEnded():
            return f"rollout {fact.rollout} ends: {fact.status}, {fact.reason}"
        case _:
            assert isinstance(fact, RolloutStarted), "commands and batches are told by the act"
            return f"rollout {fact.rollout} begins: {fact.image} to {fact.target}"


def _named(engine: Engine, state: State, of: str, slots: Sequence[int]) -> str:
    return ", ".join(f"{of}/{ident}" for ident in engine.ids(state, slots))
