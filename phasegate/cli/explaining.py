"""`phasegate explain`: why an instance does not start, at a time in a log, and when it may at the earliest."""

from __future__ import annotations

from typing import Any, Final

from rich.text import Text

from phasegate.cli.ending import Exit, Refused, asked_by
from phasegate.cli.inputs import Inputs, time_at
from phasegate.cli.logbar import log_bar
from phasegate.cli.screen import BAD, DIM, GOOD, ODD, STRONG, grid, heading, indented, listed, print_json, screen
from phasegate.cli.words import STATES, moment, sentence
from phasegate.core.engine import Engine
from phasegate.core.explaining import Explanation
from phasegate.core.lifecycle import IN_FLIGHT, Life
from phasegate.core.model import Health, refuse_unknown
from phasegate.core.order import natural_key
from phasegate.core.reasons import Code
from phasegate.core.state import State
from phasegate.logs.replay import state_at

FORMAT: Final = "phasegate/explanation/1"
_FINAL: Final = (Code.NOT_ELIGIBLE, Code.NO_ROLLOUT, Code.ATTEMPT_ENDED, Code.CANCELLED)  # no time lifts these
_COLOURS: Final = {Life.UPGRADED: GOOD, Life.CURRENT: GOOD, Life.RESTORED: ODD, Life.FAILED: BAD}


def run(log: str, instance: str, *, at: str | None, as_json: bool) -> Exit:
    """Explain the instance as it was at that time, or at the end of the log."""
    time = None if at is None else time_at(at, "--at")
    name, lines = Inputs().lines(log)
    with log_bar("reading", log) as watch:
        engine, state = state_at(watch(lines), time, name=name)
    if time is not None and state.now > time:
        raise Refused(f"the log begins at {moment(state.now)}, after {moment(time)}", "--at")
    _check(engine, state, instance)
    found = engine.explain(state, instance)
    if as_json:
        print_json(document(found, state, state.now if time is None else time))
    else:
        _show(found, state.now, time)
    return Exit.WELL


def _check(engine: Engine, state: State, instance: str) -> None:
    """Refuse an instance that is not there, with what is."""
    of, _, ident = instance.rpartition("/")
    where = f"instance `{instance}`"
    names = [scale_set.full_name for scale_set in engine.fleet.sets]
    if of.count("/") != 1:
        like = f"{names[0]}/0" if names else "region/set/id"
        raise Refused(f"an instance is named region/set/id, like `{like}`", where)
    if of not in names:
        with asked_by(where):
            refuse_unknown(of, names, "set", "")
    ids = sorted(engine.ids(state, engine.members(state, of)), key=natural_key)
    if ident not in ids:
        there = f"it has {len(ids):,}, from `{ids[0]}` to `{ids[-1]}`" if ids else "it has none"
        raise Refused(f"set `{of}` has no instance `{ident}` then; {there}", where)


def document(found: Explanation, state: State, at: int) -> dict[str, Any]:
    """Return what `explain --json` prints, of the state that still held at `at`."""
    return {
        "format": FORMAT,
        "instance": found.instance,
        "at_ms": at,
        "since_ms": state.now,
        "state": found.state.word,
        "version": found.version or None,
        "target": found.target or None,
        "health": Health(found.health).name.lower(),
        "selected": found.selected,
        "deadline_ms": found.deadline,
        "earliest_ms": found.earliest,
        "reasons": [
            {
                "code": str(reason.code),
                "text": sentence(reason),
                "earliest_ms": reason.earliest,
                "facts": dict(reason.facts),
            }
            for reason in found
        ],
    }


def _show(found: Explanation, now: int, asked: int | None) -> None:
    """Show it as it was at `asked`: nothing had happened since `now`."""
    out = screen()
    since = "" if asked in (None, now) else f", as since {moment(now)}"
    out.print(heading((found.instance, STRONG), (f"  at {moment(now if asked is None else asked)}{since}", DIM)))
    state_words = Text.assemble((found.state.word, _COLOURS.get(found.state, "")), (f"  {STATES[found.state]}", DIM))
    rows = [("state", state_words), ("version", _version(found)), ("health", _health(found))]
    if found.state in IN_FLIGHT and found.deadline is not None:
        rows.append(("deadline", Text(moment(found.deadline))))
    out.print(grid(rows))
    if found.selected:
        out.print()
        out.print(indented(Text("it starts now: it is in the next batch", style=GOOD)))
    elif len(found) and found.state is not Life.CURRENT:  # which its state has said already
        out.print()
        verb = "It does not start now, because" if found.state is Life.PENDING else "It is not touched, because"
        out.print(indented(Text(verb)))
        out.print(indented(listed(Text(sentence(reason)) for reason in found)))
        if found.state is Life.PENDING and not any(reason.code in _FINAL for reason in found):
            out.print()
            out.print(indented(_earliest(found)))


def _version(found: Explanation) -> Text:
    text = Text(found.version or "unknown")
    if found.target and found.target != found.version:
        text.append(" → ", style=DIM).append(found.target)
    return text


def _health(found: Explanation) -> Text:
    health = Health(found.health)
    return Text(health.name.lower(), style={Health.HEALTHY: GOOD, Health.INITIALIZING: ""}.get(health, BAD))


def _earliest(found: Explanation) -> Text:
    times = [reason.earliest for reason in found if reason.earliest is not None]
    if found.earliest is not None:
        return Text.assemble("At the earliest: ", (moment(found.earliest), STRONG))
    if times:
        return Text.assemble("Not before ", (moment(max(times)), STRONG), "; the rest depends on what happens")
    return Text("When it may is not known: it depends on what happens", style=DIM)
