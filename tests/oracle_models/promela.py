"""Fits the rules in `rollout.pml` to a scenario: constants and tables before them, the acts after them.

What depends on who is where is written out as expressions, one a set (`CAP_0`, `SICK_0`, ...) or one a set and cell
(`FREE_0_1`), so that the guards of starts are expressions too: whoever chooses looks at nothing but the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from phasegate.core.exploring.acts import ANY

from .shape import Shape

RULES = Path(__file__).with_name("rollout.pml")


def promela(shape: Shape) -> str:
    """Return the model of a shape; its states are one to one with the explorer's keys without symmetry."""
    return "\n".join(
        [*_head(shape), *_counts(shape), *_places(shape), RULES.read_text(), *_settling(shape), *_acts(shape)]
    )


def _table(values: Iterable[int]) -> str:
    return "{" + ", ".join(str(int(value)) for value in values) + "}"


def _sum(terms: Iterable[str]) -> str:
    return "(" + (" + ".join(terms) or "0") + ")"


def _all(terms: Iterable[str]) -> str:
    return "(" + (" && ".join(terms) or "true") + ")"


def _any(terms: Iterable[str]) -> str:
    return "(" + (" || ".join(terms) or "false") + ")"


# --- before the rules ------------------------------------------------------------------------------------------------


def _head(shape: Shape) -> Iterator[str]:
    sets, members = shape.sets, shape.members
    yield "#ifdef SHORTEST\n#define SCRATCH\n#else\n#define SCRATCH hidden\n#endif"
    yield f"#define N {len(members)}"
    yield f"#define SETS {len(sets)}"
    yield f"#define CELLS {shape.cells}"
    yield f"#define PHASES {shape.phases}"
    yield f"#define PHASE_FAILURE_PERCENT {shape.phase_failure_percent}"
    yield f"#define BAKES {int(shape.bakes)}"
    yield f"#define STALES {shape.freedom.stale_reports}"
    yield f"#define CRASHES {shape.freedom.crashes}"
    yield f"#define SCALE_OUTS {shape.freedom.scale_outs}"
    yield f"#define WINDOWS {int(any(one.has_window for one in sets))}"
    yield f"#define SHUTS {_table(one.begins_shut for one in sets)}"
    yield f"#define LIVES {_table(one.life for one in members)}"
    yield f"#define HEALTHS {_table(one.health for one in members)}"
    yield f"#define DISKS {_table(0 for _ in members)}"
    yield f"#define INSTANCES {_table(one.life | one.health << 4 for one in members)}"
    yield f"#define DELAYS {_table(one.is_delayed and not one.phase for one in sets)}"
    yield f"SCRATCH byte SET_OF[N] = {_table(one.set for one in members)};"
    yield f"SCRATCH byte PHASE_OF[SETS] = {_table(one.phase for one in sets)};"
    yield f"SCRATCH byte ROLLBACK[SETS] = {_table(one.rollback for one in sets)};"
    yield f"SCRATCH byte IS_DELAYED[SETS] = {_table(one.is_delayed for one in sets)};"
    yield f"SCRATCH byte RESTS[SETS] = {_table(one.rests for one in sets)};"
    for purse in sorted({*PURSES.values()} - {""}):
        if 0 < shape.budget(purse) < ANY:
            yield f"byte left_{purse} = {shape.budget(purse)};"


def _counts(shape: Shape) -> Iterator[str]:
    for s, limits in enumerate(shape.sets):
        of = shape.of_set(s)
        total = f"TOTAL_{s}"
        can_change = shape.freedom.scale_ins > 0 or shape.freedom.scale_outs > 0
        yield f"#define {total} " + (_sum(f"(LIFE({i}) != GONE)" for i in of) if can_change else str(len(of)))
        yield f"#define SICK_{s} {_sum(f'BAD({i})' for i in of)}"
        yield f"#define PENDING_{s} {_sum(f'(LIFE({i}) == PENDING)' for i in of)}"
        yield f"#define FLYING_{s} {_sum(f'FLYING({i})' for i in of)}"
        for name, share in (
            ("FLOOR", f"({total} * {limits.batch} / 100)"),
            ("CEILING", f"(({total} * {limits.batch} + 99) / 100)"),
        ):
            least = f"({share} < {total} - 1 -> {share} : {total} - 1)"
            yield f"#define CAP_{name}_{s} ({least} > 1 -> {least} : 1)"
        yield f"#define ATTEMPTED_{s} " + (
            total if limits.of_set else _sum(f"(LIFE({i}) == UPGRADED || UNDONE({i}))" for i in of)
        )
        yield f"#define BAD_{s} {_sum(f'(UNDONE({i}) || (LIFE({i}) == UPGRADED && BAD({i})))' for i in of)}"
        forgiven = _sum(f"(LIFE({i}) == FAILED || (LIFE({i}) == UPGRADED && BAD({i})))" for i in of)
        yield f"#define FORGIVEN_{s} {forgiven}"
        yield f"#define GATE_BROKEN_{s} (100 * BAD_{s} > {limits.upgraded} * ATTEMPTED_{s})"
        yield f"#define HEALTH_BROKEN_{s} (100 * SICK_{s} > {limits.unhealthy} * {total})"
        yield "#ifdef CEIL"
        yield f"#define CAP_{s} CAP_CEILING_{s}"
        yield "#else"
        yield f"#define CAP_{s} CAP_FLOOR_{s}"
        yield "#endif"
        yield "#ifdef FORGIVE"
        yield f"#define GATE_{s} (100 * FORGIVEN_{s} > {limits.upgraded} * ATTEMPTED_{s})"
        yield "#else"
        yield f"#define GATE_{s} GATE_BROKEN_{s}"
        yield "#endif"


def _places(shape: Shape) -> Iterator[str]:
    """Which starts are free: no pair at work, no cell in conflict busy, room in every group (semantics 6)."""
    for s in range(len(shape.sets)):
        for name, pairs in (("CLOSED", shape.pairs), ("AS_WRITTEN", shape.pairs_written)):
            others = [t for t, other in enumerate(shape.sets) if (shape.sets[s].region, other.region) in pairs]
            yield f"#define APART_{name}_{s} {_all(f'status[{t}] != ROLLING' for t in others)}"
        yield "#ifdef WRITTEN"
        yield f"#define APART_{s} APART_AS_WRITTEN_{s}"
        yield "#else"
        yield f"#define APART_{s} APART_CLOSED_{s}"
        yield "#endif"
        for cell in sorted({cell for cell, _ in shape.choices(s)}):
            yield f"#define FREE_{s}_{_name(cell)} {_free(shape, s, cell)}"
            yield f"#define ROOM_{s}_{_name(cell)}(some) {_room(shape, s)}"
            yield f"#define CANDIDATE_{s}_{_name(cell)} {_any(_candidate(shape, i) for i in _within(shape, s, cell))}"


def _name(cell: int) -> str:
    return "X" if cell < 0 else str(cell)


def _within(shape: Shape, s: int, cell: int) -> list[int]:
    return [i for i in shape.of_set(s) if cell in (-1, shape.members[i].cell)]


def _candidate(shape: Shape, i: int) -> str:
    """Pending, and nobody of its set with a lower phase ordering number is."""
    one = shape.members[i]
    before = [j for j in shape.of_set(one.set) if shape.members[j].number < one.number]
    return _all([f"LIFE({i}) == PENDING", *(f"LIFE({j}) != PENDING" for j in before)])


def _free(shape: Shape, s: int, cell: int) -> str:
    terms = [f"APART_{s}"]
    for other, limits in enumerate(shape.sets):
        held = sorted({shape.members[i].cell for i in shape.of_set(other)}) if not limits.cross_zone else []
        terms += [f"hold[{other}] != {x}" for x in held if (cell, x) in shape.conflicts]
    for group in shape.groups:
        if group.counts == "sets" and s in group.members:
            others = _sum(f"(status[{t}] == ROLLING)" for t in sorted(group.members))
            terms.append(f"(status[{s}] == ROLLING || {others} < {group.limit})")
        if group.counts == "cells" and cell in group.members:
            busy = {x: _any(f"hold[{t}] == {x}" for t in range(len(shape.sets))) for x in sorted(group.members)}
            terms.append(f"({busy[cell]} || {_sum(busy.values())} < {group.limit})")
    terms.append(f"ROOM_{s}_{_name(cell)}(1)")
    return _all(terms)


def _room(shape: Shape, s: int) -> str:
    """Whether `some` more instances of the set fit into each of its groups."""
    return _all(
        f"(some) + {_sum(f'FLYING_{t} + extra[{t}]' for t in sorted(group.members))} <= {group.limit}"
        for group in shape.groups
        if group.counts == "instances" and s in group.members
    )


# --- after the rules -------------------------------------------------------------------------------------------------


def _settling(shape: Shape) -> Iterator[str]:
    yield "inline COUNT() {"
    for s in range(len(shape.sets)):
        yield f"  flying[{s}] = FLYING_{s}; pending[{s}] = PENDING_{s};"
        yield f"  gate_broken[{s}] = GATE_{s}; too_sick[{s}] = HEALTH_BROKEN_{s};"
    yield "  skip\n}\ninline BATCHES_END() {"
    for s in range(len(shape.sets)):
        yield f"  batch_ends({s});"
    yield "  skip\n}\ninline HOLDS_END() {"
    for s, limits in enumerate(shape.sets):
        if not limits.cross_zone:
            cells = sorted({cell for cell, _ in shape.choices(s)})
            yield f"  has_candidate = {_any(f'(hold[{s}] == {x} && CANDIDATE_{s}_{x})' for x in cells)};"
            yield f"  hold_ends({s});"
    yield "  skip\n}\ninline WALK() {"
    for s, cell in _walk(shape):
        name = f"{s}_{_name(cell)}"
        hold = "NO_CELL" if cell < 0 else str(cell)
        yield f"  could_start = !picked[{s}] && FREE_{name} && CANDIDATE_{name}{_is_first(shape, s, cell)};"
        yield f"  look({s}, {hold});{_greedy(shape, s, cell)}"
    yield "  skip\n}\ninline PROMISES_HOLD() {"
    for s, limits in enumerate(shape.sets):
        for t in range(s):
            if (limits.region, shape.sets[t].region) in shape.pairs:
                yield f"  PROMISE(!(status[{s}] == ROLLING && status[{t}] == ROLLING));"
        for i in shape.of_set(s) if not limits.cross_zone else ():
            yield f"  PROMISE(!FLYING({i}) || hold[{s}] == {shape.members[i].cell});"
    for x, y in sorted(shape.conflicts):
        one, other = (_any(f"hold[{t}] == {cell}" for t in range(len(shape.sets))) for cell in (x, y))
        if x < y:
            yield f"  PROMISE(!({one} && {other}));"
    for group in shape.groups:
        if group.counts == "instances":
            yield f"  PROMISE({_sum(f'FLYING_{t}' for t in sorted(group.members))} <= {group.limit});"
    yield "  skip\n}"


def _walk(shape: Shape) -> list[tuple[int, int]]:
    """Return in which order sets are looked at: region by region, cell by cell, set by set (semantics 1 and 7)."""
    places = {
        (min(_cells_of(shape, s)) if cell < 0 else cell, s, cell)
        for s in range(len(shape.sets))
        for cell, _ in shape.choices(s)
    }
    return [(s, cell) for _, s, cell in sorted(places)]


def _is_first(shape: Shape, s: int, cell: int) -> str:
    """With `prioritize_unhealthy`: that the set's first candidate is in this cell, and no unhealthy one in another."""
    if cell < 0 or not shape.sets[s].prioritizes:
        return ""
    sick = {x: _any(f"{_candidate(shape, i)} && BAD({i})" for i in _within(shape, s, x)) for x, _ in shape.choices(s)}
    elsewhere = _any(f"FREE_{s}_{x} && {of}" for x, of in sick.items() if x != cell)
    return f" && ({sick[cell]} || !{elsewhere})"


def _cells_of(shape: Shape, s: int) -> list[int]:
    return [shape.members[i].cell for i in shape.of_set(s)]


def _greedy(shape: Shape, s: int, cell: int) -> str:
    """Count what the engine's own pick would have in flight, where a group counts instances (semantics 7, point 4)."""
    if not any(group.counts == "instances" and s in group.members for group in shape.groups):
        return ""
    limits, name = shape.sets[s], f"{s}_{_name(cell)}"
    order = sorted(_within(shape, s, cell), key=lambda i: (shape.members[i].cell, shape.members[i].domain, i))
    steps = []
    for first in ("BAD", "WELL") if limits.prioritizes else ("",):
        for i in order:
            domain = shape.members[i].domain
            fits = [f"domain == {domain}", f"extra[{s}] < CAP_{s}", f"ROOM_{name}(1)"]
            if limits.shrinks:
                fits.append(f"(BAD({i}) || taken_well + SICK_{s} < CAP_{s})")
            who = [f"{first}({i})"] if first else []
            steps.append(
                f"if :: {_all([*who, _candidate(shape, i)])} && (extra[{s}] == 0 || {_all(fits)}) -> "
                f"domain = {domain}; extra[{s}]++; taken_well = taken_well + WELL({i}) :: else fi"
            )
    walk = ";\n    ".join(["taken_well = 0", *steps])
    return f"\n  if\n  :: picked[{s}] && extra[{s}] == 0 ->\n    {walk}\n  :: else\n  fi;"


PURSES = {
    "answer": "",
    "fail": "failed_steps",
    "healthy": "",
    "unhealthy": "health_flips",
    "stale": "stale_reports",
    "between": "stale_reports",
    "late": "late_reports",
    "duplicate": "duplicate_reports",
    "remove": "scale_ins",
    "add": "scale_outs",
    "deadline": "lost_reports",
    "issue": "",
    "execute": "",
    "maintenance": "maintenances",
    "pause": "pauses",
    "cancel": "cancels",
    "crash": "crashes",
}
"""The acts that may cost, and the budget that each draws on."""


def _of_instance(shape: Shape, i: int) -> Iterator[tuple[str, str, str]]:
    arrived = f"COMMANDED({i}) && ARRIVED({i})"
    yield "answer", arrived, f"answered({i})"
    yield "fail", arrived, f"step_failed({i})"
    yield (
        "healthy",
        f"LIFE({i}) != GONE && (LIFE({i}) == VERIFYING || HEALTH({i}) != HEALTHY)",
        f"reported_healthy({i})",
    )
    yield "unhealthy", f"WELL({i})", f"reported_unhealthy({i})"
    yield "stale", f"TOUCHED({i}) && LIFE({i}) != REPLACING", f"reported_stale({i}, false)"
    if shape.freedom.stale_reports:
        yield "between", f"LIFE({i}) == VERIFYING && !heard[{i}]", f"reported_stale({i}, true)"
    yield "late", f"TOUCHED({i})", "skip"
    yield "duplicate", f"TOUCHED({i})", "skip"
    yield "remove", f"LIFE({i}) != GONE", f"removed({i})"
    joins = shape.members[i].joins
    if joins is not None and shape.freedom.scale_outs:
        yield "add", f"LIFE({i}) == GONE", f"added({i}, {joins})"
    yield "deadline", f"FLYING({i})", f"deadline_passed({i})"
    if shape.freedom.crashes:
        yield "issue", f"COMMANDED({i}) && (wire[{i}] == RECORDED || wire[{i}] == UNSURE)", f"wire[{i}] = ISSUED"
        yield "execute", f"COMMANDED({i}) && (wire[{i}] == ISSUED || wire[{i}] == UNSURE)", f"wire[{i}] = EXECUTED"


def _acts(shape: Shape) -> Iterator[str]:
    yield "active proctype fleet() {\n  d_step { settle(); PROMISES_HOLD() };\n  do\n  :: atomic {\n       if"
    for s in range(len(shape.sets)):
        yield from _starts(shape, s)
    for i in range(len(shape.members)):
        for act, guard, effect in _of_instance(shape, i):
            yield from _act(shape, act, str(i), guard, effect)
    for at, bucket in enumerate(shape.buckets()):
        effect = "; ".join(f"if :: WELL({i}) -> reported_unhealthy({i}) :: else fi" for i in bucket)
        yield from _act(shape, "maintenance", str(at), _any(f"WELL({i})" for i in bucket), effect)
    for s, limits in enumerate(shape.sets):
        if limits.is_delayed:
            yield from _act(shape, "delay", str(s), f"delayed[{s}]", f"delayed[{s}] = false")
        if limits.rests:
            yield from _act(shape, "rest", str(s), f"resting[{s}] && !paused", f"resting[{s}] = false")
        if limits.has_window:
            yield from _act(shape, "window", str(s), f"!ENDED({s})", f"shut[{s}] = !shut[{s}]")
    running = "course == RUNNING"
    if shape.bakes:
        yield from _act(shape, "bake", "", f"{running} && baking && !paused", "baking = false; judge_phase()")
    yield from _act(shape, "pause", "", f"{running} && !paused", "paused = true")
    if shape.freedom.pauses:
        yield from _act(shape, "resume", "", f"{running} && paused", "paused = false")
    yield from _act(shape, "cancel", "", f"{running} && !stopping", "stopping = true")
    if shape.freedom.crashes:
        sent = "(wire[{0}] == ISSUED || wire[{0}] == EXECUTED)"
        everyone = range(len(shape.members))
        effect = "; ".join(f"if :: {sent.format(i)} -> wire[{i}] = UNSURE :: else fi" for i in everyone)
        yield from _act(shape, "crash", "", _any(sent.format(i) for i in everyone), effect)
    yield "       fi;\n       d_step { settle(); PROMISES_HOLD() }\n     }\n  od\n}"


def _starts(shape: Shape, s: int) -> Iterator[str]:
    limits = shape.sets[s]
    may = f"MAY({s}) && FLYING_{s} == 0 && !GATE_{s} && !HEALTH_BROKEN_{s}"
    for cell, of in shape.choices(s):
        for size in range(1, len(of) + 1):
            for part in combinations(of, size):
                terms = [may, f"FREE_{s}_{_name(cell)}", *(_candidate(shape, i) for i in part)]
                if size > 1:
                    terms += [f"{size} <= CAP_{s}", f"ROOM_{s}_{_name(cell)}({size})"]
                    if limits.shrinks:
                        well = _sum(f"WELL({i})" for i in part)
                        terms.append(f"({well} == 0 || {well} + SICK_{s} <= CAP_{s})")
                hold = "NO_CELL" if cell < 0 else str(cell)
                effect = "; ".join(
                    [
                        f"PROMISE({size} <= CAP_FLOOR_{s} && !HEALTH_BROKEN_{s} && !GATE_BROKEN_{s})",
                        f"begin({s}, {hold})",
                        *(f"start({i})" for i in part),
                    ]
                )
                yield from _act(shape, "start", f"{s}: {' '.join(map(str, part))}", _all(terms), effect)


def _act(shape: Shape, act: str, whom: str, guard: str, effect: str) -> Iterator[str]:
    purse = PURSES.get(act, "")
    if act == "deadline" and shape.freedom.faults is not None:
        purse = "failed_steps"
    budget = shape.budget(purse) if purse else ANY
    if budget == 0:
        return
    if budget < ANY:
        guard = f"left_{purse} > 0 && {guard}"
        effect = f"left_{purse}--; {effect}"
        if purse == "stale_reports":  # with the last one gone, nobody asks any more who was heard of
            forget = "; ".join(f"FORGET({i})" for i in range(len(shape.members)))
            effect += f"; if :: left_{purse} == 0 -> {forget} :: else fi"
    yield f'       :: d_step {{ {guard} -> TELL("act {act} {whom}\\n"); {effect} }}'
