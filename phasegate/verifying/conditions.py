"""What a scenario may claim to exercise: conditions by name, each of which some explored state must show.

`sometimes` in a scenario file lists their names. A scenario that never faults says nothing about what a fault leads to,
however many states it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from phasegate.core.lifecycle import Life
from phasegate.core.tracing import COURSES, ERRORS
from phasegate.verifying.promise import Custom, sometimes
from phasegate.verifying.view import MARKS, StateView

Holds = Callable[[StateView], bool]

_CODES: Final = {
    "too-many-upgraded-unhealthy": ERRORS[1],
    "too-many-unhealthy-before": ERRORS[2],
    "too-many-unhealthy": ERRORS[3],
}


def _life(word: str) -> tuple[tuple[str, ...], Holds]:
    return (word,), lambda state: bool(getattr(state, word))


def _ended(status: str) -> tuple[tuple[str, ...], Holds]:
    return ("attempts",), lambda state: status in state.attempts


def _course(status: str) -> tuple[tuple[str, ...], Holds]:
    return ("rollouts",), lambda state: status in state.rollouts


def _some(field: str) -> tuple[tuple[str, ...], Holds]:
    return (field,), lambda state: any(getattr(state, field))


_KNOWN: Final[Mapping[str, tuple[tuple[str, ...], Holds]]] = {
    **{life.word: _life(life.word) for life in Life if life is not Life.GONE},
    "attempt-completed": _ended("completed"),
    "attempt-faulted": _ended("faulted"),
    "attempt-cancelled": _ended("cancelled"),
    **{f"rollout-{course}": _course(course) for course in COURSES.values() if course != "running"},
    "paused": _some("paused"),
    "baking": _some("baking"),
    "stopping": _some("stopping"),
    "later-phase": _some("phase"),
    "unhealthy": (("unhealthy",), lambda state: bool(state.unhealthy)),
    "upgraded-unhealthy": (("upgraded_unhealthy",), lambda state: bool(state.upgraded_unhealthy)),
    "several-in-flight": (("in_flight",), lambda state: state.in_flight > 1),
    "two-sets-at-work": (("attempts",), lambda state: state.attempts.count("rolling-forward") > 1),
    "two-rollouts": (("rollouts",), lambda state: len(state.rollouts) > 1),
}


def _of_marks(name: str) -> Holds:
    return lambda state: any(name in marks for marks in state.marks.values())


def _of_errors(code: str | None) -> Holds:
    return lambda state: code in state.error.values()


CONDITIONS: Final[Mapping[str, Custom]] = {
    **{name: sometimes(reads=reads, name=name)(holds) for name, (reads, holds) in _KNOWN.items()},
    "two-regions-at-work": sometimes(reads=("at_work",), name="two-regions-at-work", is_symmetric=True)(
        lambda state: len(state.at_work) > 1
    ),
    # these read sets by name, and do not tell them apart: any of them will do
    **{name: sometimes(reads=("marks",), name=name, is_symmetric=True)(_of_marks(name)) for name in MARKS},
    **{
        name: sometimes(reads=("error",), name=name, is_symmetric=True)(_of_errors(code))
        for name, code in _CODES.items()
    },
}
