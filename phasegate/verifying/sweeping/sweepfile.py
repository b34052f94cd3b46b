"""Sweep files, `phasegate/sweep/1`: which scenarios, or which family over which grid, and where each run ends at most.

Paths and patterns are seen from the file's folder.
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from phasegate.core.errors import InvalidModel
from phasegate.files.documents import blamed_on, parse_document, read_bytes, without_format
from phasegate.files.plaindata import described, list_of
from phasegate.files.sizes import bytes_of
from phasegate.files.structure import Reader
from phasegate.verifying.result import Bounds
from phasegate.verifying.sweeping.cases import Case, of_files, of_grid
from phasegate.verifying.sweeping.substituting import refuse_overlaps, steps_of

FORMAT: Final = "phasegate/sweep/1"


@frozen(kw_only=True)
class Sweep:
    """What is to be verified. `family` is the scenario that a grid varies, None where scenarios are listed."""

    name: str
    about: str = ""
    family: str | None = None
    parameters: tuple[str, ...]
    cases: tuple[Case, ...]
    bounds: Bounds = field(factory=Bounds)


@frozen(kw_only=True)
class _Bounds:
    states: int | None = None
    seconds: float | None = None
    memory: str | int | None = None


@frozen(kw_only=True)
class _Document:
    """A sweep file as it stands."""

    about: str = ""
    scenarios: tuple[str, ...] | None = None
    scenario: str | None = None
    grid: Mapping[str, object] | None = None
    bounds: _Bounds = field(factory=_Bounds)


def load_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Return the sweep of a file, named after it; `InvalidFile` for all that `parse_sweep` refuses."""
    return parse_sweep(read_bytes(path), os.fspath(path))


def parse_sweep(data: bytes, name: str) -> Sweep:
    """Return the sweep that a text describes; `name` is what errors call it, and whose folder paths are seen from.

    `InvalidFile`, with the place, if it is no such document; if a file or pattern leads nowhere; for a parameter whose
    place a scenario does not have, or a value that it cannot take there; and for whatever scenario files are refused.
    """
    document = parse_document(data, name)
    with blamed_on(name):
        top = Reader().read(_Document, without_format(document, FORMAT))
        if (top.scenario is None) == (top.scenarios is None):
            raise InvalidModel("say `scenarios`, a list of files, or `scenario`, one file, with a `grid`")
        bounds = _bounds(top.bounds)
        folder = Path(name).parent
        if top.scenarios is not None:
            if top.grid is not None:
                raise InvalidModel("a grid varies one family; name it as `scenario` and leave `scenarios` out", "grid")
            cases = of_files(_matching(top.scenarios, folder))
            parameters: tuple[str, ...] = ("scenario",)
        else:
            grid = _grid(top.grid)
            cases = of_grid(folder / str(top.scenario), grid, name)
            parameters = tuple(grid)
    return Sweep(
        name=Path(name).stem,
        about=top.about,
        family=top.scenario,
        parameters=parameters,
        cases=cases,
        bounds=bounds,
    )


def _bounds(given: _Bounds) -> Bounds:
    """Return the bounds of each run; a bound that nothing could be found within is none."""
    for key in ("states", "seconds"):
        value = getattr(given, key)
        if value is not None and value <= 0:
            raise InvalidModel(f"{value} is not more than 0; leave it out for no bound", f"bounds.{key}")
    try:
        memory = bytes_of(given.memory) if isinstance(given.memory, str) else given.memory
    except InvalidModel as error:
        raise error.under("bounds.memory") from None
    if memory is not None and memory <= 0:
        raise InvalidModel(f"{memory} bytes are not more than 0", "bounds.memory")
    return Bounds(states=given.states, seconds=given.seconds, memory=memory)


def _matching(patterns: Sequence[str], folder: Path) -> list[tuple[str, Path]]:
    """Return the files that are named, in the order of the patterns and then of names, each once."""
    found: dict[str, Path] = {}
    for at, pattern in enumerate(patterns):
        names = sorted(glob.glob(pattern, root_dir=folder)) if glob.has_magic(pattern) else [pattern]
        if not names:
            raise InvalidModel(f"no file matches `{pattern}`", f"scenarios[{at}]")
        for name in names:
            if not (folder / name).is_file():
                raise InvalidModel(f"there is no file `{name}`", f"scenarios[{at}]")
            found.setdefault(os.path.normpath(name), folder / name)
    if not found:
        raise InvalidModel("no scenario is named", "scenarios")
    return list(found.items())


def _grid(data: Mapping[str, object] | None) -> dict[str, Sequence[Any]]:
    """Return the values of each parameter, by its place in the scenario document."""
    if not data:
        raise InvalidModel('`grid` is missing: what varies, like {"fleet.sets[0].instances": [2, 3]}')
    found: dict[str, Sequence[Any]] = {}
    for path, values in data.items():
        try:
            steps_of(path)
            found[path] = _different(list_of(values))
        except InvalidModel as error:
            raise error.under("grid" if path in error.what else f"grid: {path}") from None
    try:
        refuse_overlaps(tuple(found))
    except InvalidModel as error:
        raise error.under("grid") from None
    return found


def _different(values: list[object]) -> list[object]:
    if not values:
        raise InvalidModel("a parameter has a value at least; name one, or leave it out")
    seen: set[str] = set()
    for at, value in enumerate(values):
        key = json.dumps(value, sort_keys=True)
        if key in seen:
            raise InvalidModel(f"{described(value)} is there twice", f"[{at}]")
        seen.add(key)
    return values
