"""Parameters of a family: values put in at stated places of a document, like `fleet.sets[0].instances`.

A place is written as errors write it: keys with dots between them, positions in lists (from 0) in brackets. What the
document leaves out may be named as well; whether there is such a key is for whoever reads the document to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from phasegate.core.errors import InvalidModel
from phasegate.core.model import refuse_unknown
from phasegate.files.plaindata import described

Step = str | int
_PLACE: Final = re.compile(r"[^.\[\]\s]+(?:\.[^.\[\]\s]+|\[(?:0|[1-9][0-9]{0,8})\])*")
_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def steps_of(path: str) -> tuple[Step, ...]:
    """Return the keys and positions of a place; `InvalidModel` if it is not written as one.

    >>> steps_of("fleet.sets[0].instances")
    ('fleet', 'sets', 0, 'instances')
    """
    if not _PLACE.fullmatch(path):
        raise InvalidModel(f"`{path}` is no place in a document, like `fleet.sets[0].instances`")
    return tuple(int(at) if at else key for at, key in _STEP.findall(path))


def refuse_overlaps(paths: Sequence[str]) -> None:
    """Refuse places of which one lies in another, where it would not be clear which value counts."""
    known = {steps_of(path): path for path in paths}
    for steps, path in known.items():
        for length in range(1, len(steps)):
            if steps[:length] in known:
                raise InvalidModel(f"`{path}` lies in `{known[steps[:length]]}`; vary one of them")


def substituted(document: object, path: str, value: object) -> object:
    """Return the document with another value at a place; all else is shared with it, and it stays as it is.

    `InvalidModel` if the place goes through something that has no such parts, or a list that is too short.

    >>> substituted({"fleet": {"sets": [{"instances": 2}]}}, "fleet.sets[0].instances", 3)
    {'fleet': {'sets': [{'instances': 3}]}}
    """
    return _put(document, steps_of(path), value, "")


def _put(data: object, steps: tuple[Step, ...], value: object, place: str) -> object:
    if not steps:
        return value
    step, *rest = steps
    where = f"`{place}`" if place else "the document"
    if isinstance(step, int):
        if not isinstance(data, list):
            raise InvalidModel(f"{where} is {described(data)} and has no [{step}]")
        if step >= len(data):
            raise InvalidModel(f"there is no [{step}] in {where}, which has {len(data)}, counted from 0")
        return [*data[:step], _put(data[step], tuple(rest), value, f"{place}[{step}]"), *data[step + 1 :]]
    table = {} if data is None else data
    if isinstance(table, list):
        raise InvalidModel(f"{where} is a list; say which of it, like `{place}[0].{step}`")
    if not isinstance(table, dict):
        raise InvalidModel(f"{where} is {described(data)} and has no `{step}`")
    if step not in table and any(isinstance(one, int) for one in rest):  # there is no list to take one of
        refuse_unknown(step, table, "key", "")
    inner = f"{place}.{step}" if place else step
    return {**table, step: _put(table.get(step), tuple(rest), value, inner)}
