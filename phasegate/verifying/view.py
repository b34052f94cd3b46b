"""What a promise of somebody's own sees of an explored state: named fields, immutable, worked out when they are read.

Fields of the fleet are numbers and names that no symmetry changes. Those of sets, cells and instances tell apart what a
symmetry may take for one another: `NAMING` says whom, so that a run can do without the symmetry where they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from phasegate.core import codes as c
from phasegate.core.exploring.acts import PURSES
from phasegate.core.exploring.subject import Open
from phasegate.core.frozenmap import FrozenMap
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.tracing import ATTEMPTS, COURSES, ERRORS
from phasegate.verifying.coverage import REASONS

Laid = Any
"""An explorer that has a state laid open: `open`, its columns `v`, and what the environment has `left`."""


def _lives(at: Laid) -> list[int]:
    return [byte & c.STATE_BITS for byte in at.v.life[: at.open.rows["instance"]]]


def _tally(place: int) -> Callable[[Laid], int]:
    return lambda at: sum(at.v.tally[s * c.TALLY + place] for s in range(at.open.rows["set"]))


def _names(at: Laid) -> tuple[str, ...]:
    names: tuple[str, ...] = at.open.work.compiled.directory.sets
    return names


def _by_set(read: Callable[[Laid, int], Any]) -> Callable[[Laid], FrozenMap[str, Any]]:
    return lambda at: FrozenMap({name: read(at, s) for s, name in enumerate(_names(at))})


def _counts(at: Laid, s: int) -> FrozenMap[str, int]:
    tally = at.v.tally[s * c.TALLY : (s + 1) * c.TALLY]
    counts = {life.word: tally[life] for life in Life if life is not Life.GONE}
    more = {"total": c.TALLY_TOTAL, "unhealthy": c.TALLY_BAD, "in_flight": c.TALLY_FLIGHT}
    return FrozenMap(counts | {name: tally[place] for name, place in more.items()})


def _held(at: Laid, s: int) -> str | None:
    cell = at.v.link[s * c.LINK + c.LINK_HOLD]
    return at.open.work.compiled.directory.cells[cell] if cell >= 0 else None


def _marks(at: Laid, s: int) -> frozenset[str]:
    return frozenset(name for name, bit in MARKS.items() if at.v.mark[s] & bit)


MARKS: Final = {
    "cancelling": c.CANCELLING,
    "left": c.LEFT,
    "delayed": c.DELAYED,
    "resting": c.RESTING,
    "window-shut": c.SHUT,
    "unfit": c.UNFIT,
}


def _by_instance(read: Callable[[Laid, int], Any]) -> Callable[[Laid], FrozenMap[str, Any]]:
    def field(at: Laid) -> FrozenMap[str, Any]:
        names, work = _names(at), at.open.work
        return FrozenMap(
            {
                f"{names[at.v.set_of(slot)]}/{work.id_of(slot)}": read(at, slot)
                for slot, life in enumerate(_lives(at))
                if life != Life.GONE
            }
        )

    return field


def _version(at: Laid, slot: int) -> str | None:
    return at.open.work.book.versions[at.v.installed(slot)] or None


def _by_rollout(read: Callable[[Laid, int], Any]) -> Callable[[Laid], tuple[Any, ...]]:
    def field(at: Laid) -> tuple[Any, ...]:
        return tuple(read(at, rollout) for rollout in range(at.open.rows["rollout"]) if at.v.course[rollout])

    return field


def _regions(at: Laid) -> frozenset[str]:
    regions = at.open.work.compiled.directory.regions
    return frozenset(
        regions[at.v.link[s * c.LINK + c.LINK_REGION]]
        for s in range(at.open.rows["set"])
        if at.v.status[s] == c.ROLLING
    )


def _cells(at: Laid) -> frozenset[str]:
    held = (_held(at, s) for s in range(at.open.rows["set"]))
    return frozenset(cell for cell in held if cell is not None)


def _reasons(at: Laid, s: int) -> frozenset[str]:
    """Return what keeps a set with pending instances from starting: the rules for all of it, else gates, else cells."""
    bits = at.open.standing_of(s)
    return frozenset(str(code) for bit, code in REASONS.items() if bits & bit)


def _may_start(at: Laid, s: int) -> tuple[int, ...]:
    """Return how many instances the largest legal batch of each place has where one may start, smallest first."""
    return tuple(sorted(_largest(at, *choice[2:]) for choice in at.open.kernel.legal(s)))


def _largest(at: Laid, slots: Sequence[int], at_most: int, healthy_at_most: int) -> int:
    bad = sum(at.v.life[slot] >> c.HEALTH_SHIFT in (Health.UNHEALTHY, Health.UNKNOWN) for slot in slots)
    return max(1, min(at_most, bad + min(len(slots) - bad, healthy_at_most)))


def _left(at: Laid) -> FrozenMap[str, int]:
    return FrozenMap(dict(zip(PURSES, at.left, strict=True)))


FIELDS: Final[Mapping[str, Callable[[Laid], Any]]] = {
    # of the fleet: how many instances
    **{life.word: _tally(life) for life in Life if life is not Life.GONE},
    "total": _tally(c.TALLY_TOTAL),
    "unhealthy": _tally(c.TALLY_BAD),  # not healthy: unhealthy or unknown
    "in_flight": _tally(c.TALLY_FLIGHT),
    "upgraded_unhealthy": _tally(c.TALLY_UPGRADED_BAD),
    # of the fleet: sets by status, rollouts in order
    "attempts": lambda at: tuple(sorted(ATTEMPTS[status] for status in at.v.status[: at.open.rows["set"]] if status)),
    "rollouts": _by_rollout(lambda at, rollout: COURSES[at.v.course[rollout]]),
    "paused": _by_rollout(lambda at, rollout: bool(at.v.trait[rollout] & c.PAUSED)),
    "baking": _by_rollout(lambda at, rollout: bool(at.v.trait[rollout] & c.BAKING)),
    "stopping": _by_rollout(lambda at, rollout: bool(at.v.trait[rollout] & c.STOPPING)),  # it is being cancelled
    "phase": _by_rollout(lambda at, rollout: at.v.plan[rollout * c.PLAN + c.PLAN_PHASE]),
    "left": _left,
    "happened": lambda at: frozenset(which for which in range(len(at.subject.orders)) if at.happened >> which & 1),
    # regions by name: those at work
    "at_work": _regions,
    # of each set, by its full name
    "status": _by_set(lambda at, s: ATTEMPTS.get(at.v.status[s], "none")),
    "error": _by_set(lambda at, s: ERRORS[at.v.code[s]]),
    "marks": _by_set(_marks),
    "counts": _by_set(_counts),
    "waits": _by_set(_reasons),
    "may_start": _by_set(_may_start),
    # of each set the cell that it holds; of all the cells that are busy
    "holds": _by_set(_held),
    "busy": _cells,
    # of each instance, by its full name
    "life": _by_instance(lambda at, slot: Life(at.v.life[slot] & c.STATE_BITS).word),
    "health": _by_instance(lambda at, slot: Health(at.v.life[slot] >> c.HEALTH_SHIFT).name.lower()),
    "version": _by_instance(_version),
}
NAMING: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("at_work", "status", "error", "marks", "counts", "waits", "may_start"), "sets"
    ),  # a region moves with its sets
    **dict.fromkeys(("holds", "busy"), "cells"),
    **dict.fromkeys(("life", "health", "version"), "instances"),
}
"""Whom a field names, where it names somebody."""


# --- where in an arena a field's values stand -------------------------------------------------------------------------

Places = tuple[tuple[int, int], ...]
"""Offsets and lengths in bytes: equal bytes there, equal field."""


def _column(name: str) -> Callable[[Open], Places]:
    return lambda opened: ((opened.arena.offset[name], len(opened.arena.flat[name])),)


def _words(name: str, stride: int, *wanted: int) -> Callable[[Open], Places]:
    """Return where these numbers (of four bytes) of each row of a column stand."""

    def places(opened: Open) -> Places:
        first, size = opened.arena.offset[name], len(opened.arena.flat[name])
        return tuple((first + at + 4 * place, 4) for at in range(0, size, 4 * stride) for place in wanted)

    return places


_TALLIED: Final = (*(life for life in Life if life is not Life.GONE), c.TALLY_TOTAL, c.TALLY_BAD, c.TALLY_FLIGHT)
PLACES: Final[Mapping[str, Callable[[Open], Places]]] = {
    **{life.word: _words("tally", c.TALLY, life) for life in Life if life is not Life.GONE},
    "total": _words("tally", c.TALLY, c.TALLY_TOTAL),
    "unhealthy": _words("tally", c.TALLY, c.TALLY_BAD),
    "in_flight": _words("tally", c.TALLY, c.TALLY_FLIGHT),
    "upgraded_unhealthy": _words("tally", c.TALLY, c.TALLY_UPGRADED_BAD),
    "attempts": _column("status"),
    "rollouts": _column("course"),
    "paused": lambda opened: (*_column("trait")(opened), *_column("course")(opened)),
    "baking": lambda opened: (*_column("trait")(opened), *_column("course")(opened)),
    "stopping": lambda opened: (*_column("trait")(opened), *_column("course")(opened)),
    "phase": lambda opened: (*_words("plan", c.PLAN, c.PLAN_PHASE)(opened), *_column("course")(opened)),
    "at_work": _column("status"),
    "status": _column("status"),
    "error": _column("code"),
    "marks": _column("mark"),
    "counts": _words("tally", c.TALLY, *_TALLIED),
    "holds": _words("link", c.LINK, c.LINK_HOLD),
    "busy": _words("link", c.LINK, c.LINK_HOLD),
    "life": _column("life"),
    "health": _column("life"),
}
"""Where the columns tell a field; what also goes by books and budgets (`version`, `left`, `happened`), or
by many columns (`waits`, `may_start`), is not here."""


class StateView:
    """One explored state. Its fields are those of `FIELDS`, read as attributes; every field that is read is noted.

    Counts of instances in the fleet: `current`, `excluded`, `pending`, `replacing`, `configuring`, `verifying`,
    `upgraded`, `restoring`, `restored`, `failed`, `total`, `unhealthy`, `in_flight`, `upgraded_unhealthy`. A tuple over
    the rollouts: `rollouts` (status), `paused`, `baking`, `stopping` (being cancelled), `phase` (the open one).
    `attempts` are the sets' statuses, in order; `at_work` regions, `busy` cells; `left` the environment's budgets by
    name; `happened` the scenario's own events that have. Mappings over sets: `status`, `error`, `marks`, `counts`,
    `holds`, `waits` (codes of what keeps it from starting), `may_start` (of each place where a batch may start, how
    many instances at most); over instances: `life`, `health`, `version`.
    """

    __slots__ = ("_at", "_known", "_note")

    _at: Laid
    _known: dict[str, Any]
    _note: Callable[[str], None]

    def __init__(self, at: Laid, known: dict[str, Any], note: Callable[[str], None]) -> None:
        set_ = object.__setattr__
        set_(self, "_at", at)
        set_(self, "_known", known)
        set_(self, "_note", note)

    def __getattr__(self, name: str) -> Any:
        if name not in FIELDS:
            raise AttributeError(f"an explored state has no field `{name}`; it has {', '.join(FIELDS)}")
        self._note(name)
        return read(self._at, name, self._known)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("an explored state is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("an explored state is immutable")


def read(at: Laid, name: str, known: dict[str, Any]) -> Any:
    """Return a field of the state that is laid open; `known` holds those that were read before."""
    if name not in known:
        known[name] = FIELDS[name](at)
    return known[name]
