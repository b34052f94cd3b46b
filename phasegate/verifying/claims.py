"""What a scenario says of its own states, as its file writes it: under `sometimes`, `never` and `eventually`.

A *condition* is a name (`conditions.py`), or fields of an explored state with their values (`{in_flight: 2}`), or a
list of conditions that hold in one state, or `{not: condition}`. Of a field that is a mapping only what is written
counts: `{status: {eastus/web: completed}}` says nothing of other sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from attrs import frozen

from phasegate.core.errors import InvalidModel
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, Health, refuse_unknown
from phasegate.core.reasons import Code
from phasegate.core.tracing import ATTEMPTS, COURSES
from phasegate.files.plaindata import bool_of, described, int_of, list_of, mapping_of, text_of
from phasegate.verifying.conditions import CONDITIONS
from phasegate.verifying.promise import Custom
from phasegate.verifying.view import FIELDS, MARKS, NAMING, StateView

Kind = Literal["sometimes", "never", "eventually"]
Value = Any


@frozen
class Condition:
    """What a state may show: in words, by which fields, and whether it tells apart those whom they name."""

    text: str
    reads: tuple[str, ...]
    holds: Callable[[StateView], bool]
    is_symmetric: bool


def claim_of(kind: Kind, data: object, fleet: Fleet) -> Custom:
    """Return the promise that a condition under that key makes; `InvalidModel`, with the place, if it is no condition.

    >>> claim_of("never", ["paused", {"in_flight": 2}], Fleet(regions=[])).name
    'never paused and in_flight 2'
    """
    found = condition_of(data, fleet)

    def holds(state: StateView) -> bool:
        return found.holds(state) is not (kind == "never")

    holds.__doc__ = f"{_SAID[kind]} {found.text}"
    name = found.text if kind == "sometimes" else f"{kind} {found.text}"
    reads = tuple(dict.fromkeys(found.reads))
    return Custom(name, "always" if kind == "never" else kind, holds, reads, found.is_symmetric)


_SAID: Final[Mapping[Kind, str]] = {
    "sometimes": "some state shows",
    "never": "no state shows",
    "eventually": "every run comes by",
}


def condition_of(data: object, fleet: Fleet) -> Condition:
    """Return the condition that is written so."""
    if isinstance(data, str):
        return _named(data)
    if isinstance(data, list):
        if not data:
            raise InvalidModel("no condition; leave it out")
        return _all([_at(f"[{at}]", lambda item=item: condition_of(item, fleet)) for at, item in enumerate(data)])  # type: ignore[misc]
    if not isinstance(data, dict):
        raise InvalidModel(f"expected a name, a list, or fields with their values, got {described(data)}")
    if not data:
        raise InvalidModel("no field; write fields with their values, like {in_flight: 2}")
    return _all([_at(name, lambda name=name: _part(name, data[name], fleet)) for name in data])  # type: ignore[misc]


def _at(place: str, make: Callable[[], Condition]) -> Condition:
    try:
        return make()
    except InvalidModel as error:
        raise error.under(place) from None


def _named(name: str) -> Condition:
    if name not in CONDITIONS:
        refuse_unknown(name, CONDITIONS, "condition", "")
    known = CONDITIONS[name]
    return Condition(name, known.reads, known.predicate, known.is_symmetric or not set(known.reads) & set(NAMING))


def _all(parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    return Condition(
        " and ".join(part.text for part in parts),
        tuple(name for part in parts for name in part.reads),
        lambda state: all(part.holds(state) for part in parts),
        all(part.is_symmetric for part in parts),
    )


def _part(name: str, data: object, fleet: Fleet) -> Condition:
    if name == "not":
        found = condition_of(data, fleet)
        return Condition(f"not {found.text}", found.reads, lambda state: not found.holds(state), found.is_symmetric)
    if name not in _READERS:
        refuse_unknown(name, (*_READERS, "not"), "field", "")
    matches, said = _READERS[name](data, fleet)
    return Condition(
        f"{name} {said}", (name,), lambda state: matches(getattr(state, name)), is_symmetric=name not in NAMING
    )


# --- the values of a field -------------------------------------------------------------------------------------------

Matches = Callable[[Value], bool]
Reader = Callable[[object, Fleet], tuple[Matches, str]]


def _number(data: object, fleet: Fleet) -> tuple[Matches, str]:
    wanted = int_of(data)
    return lambda value: value == wanted, str(wanted)


def _word_of(known: tuple[str, ...]) -> Reader:
    def read(data: object, fleet: Fleet) -> tuple[Matches, str]:
        wanted = text_of(data)
        if wanted not in known:
            refuse_unknown(wanted, known, "word", "")
        return lambda value: value == wanted, wanted

    return read


def _text(data: object, fleet: Fleet) -> tuple[Matches, str]:
    wanted = None if data is None else text_of(data)
    return lambda value: value == wanted, wanted or "none"


def _list(item: Callable[[object], Any], made: Callable[[list[Any]], Any]) -> Reader:
    """Read a list that is the whole value: as it stands, in order, or as a set."""

    def read(data: object, fleet: Fleet) -> tuple[Matches, str]:
        wanted = made([item(one) for one in list_of(data)])
        return lambda value: value == wanted, f"[{', '.join(str(one).lower() for one in sorted(wanted))}]"

    return read


def _known_word(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(data: object) -> str:
        word = text_of(data)
        if word not in known:
            refuse_unknown(word, known, "word", "")
        return word

    return read


def _in_order(items: list[Any]) -> tuple[Any, ...]:
    return tuple(sorted(items))


def _by_name(names: Callable[[Fleet], tuple[str, ...] | None], what: str, value: Reader) -> Reader:
    """Read some entries of a mapping."""

    def read(data: object, fleet: Fleet) -> tuple[Matches, str]:
        known = names(fleet)
        wanted: dict[str, Matches] = {}
        said = []
        for name, content in mapping_of(data).items():
            if known is not None and name not in known:
                refuse_unknown(name, known, what, "")
            try:
                wanted[name], text = value(content, fleet)
            except InvalidModel as error:
                raise error.under(name) from None
            said.append(f"{name} {text}")
        return (
            lambda found: all(name in found and matches(found[name]) for name, matches in wanted.items()),
            ", ".join(said),
        )

    return read


def _sets(fleet: Fleet) -> tuple[str, ...]:
    return tuple(one.full_name for one in fleet.sets)


def _anybody(fleet: Fleet) -> None:
    """Instances come and go: a name that nobody has is no mistake that one could tell."""


_LIVES: Final = tuple(life.word for life in Life if life is not Life.GONE)
_COUNTS: Final = (*_LIVES, "total", "unhealthy", "in_flight")
_STATUSES: Final = tuple(ATTEMPTS.values())
_of_sets: Final[Callable[[Reader], Reader]] = lambda value: _by_name(_sets, "set", value)  # noqa: E731
_of_instances: Final[Callable[[Reader], Reader]] = lambda value: _by_name(_anybody, "instance", value)  # noqa: E731

_READERS: Final[Mapping[str, Reader]] = {
    **dict.fromkeys((*_COUNTS, "upgraded_unhealthy"), _number),
    "attempts": _list(_known_word(_STATUSES), _in_order),
    "rollouts": _list(_known_word(tuple(COURSES.values())), tuple),
    **{name: _list(bool_of, tuple) for name in ("paused", "baking", "stopping")},
    "phase": _list(int_of, tuple),
    "happened": _list(int_of, frozenset),
    "at_work": _list(text_of, frozenset),
    "busy": _list(text_of, frozenset),
    "status": _of_sets(_word_of((*_STATUSES, "none"))),
    "error": _of_sets(_text),
    "marks": _of_sets(_list(_known_word(tuple(MARKS)), frozenset)),
    "counts": _of_sets(_by_name(lambda fleet: _COUNTS, "count", _number)),
    "holds": _of_sets(_text),
    "waits": _of_sets(_list(_known_word(tuple(map(str, Code))), frozenset)),
    "may_start": _of_sets(_list(int_of, _in_order)),
    "life": _of_instances(_word_of(_LIVES)),
    "health": _of_instances(_word_of(tuple(health.name.lower() for health in Health))),
    "version": _of_instances(_text),
}
assert set(_READERS) <= set(FIELDS)
