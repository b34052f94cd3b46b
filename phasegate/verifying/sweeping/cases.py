"""What a sweep means: its cases, each a scenario document that stands alone, with the parameters that tell it apart.

Files that a scenario names are taken in, so that a case is the same wherever it runs. Its digest is of the document, of
how it is verified, and of the program that does so: a result is taken over only where all three are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Final

from attrs import asdict, frozen

import phasegate
from phasegate.core.errors import InvalidModel
from phasegate.files.documents import InvalidFile, parse_document, read_bytes, read_document, without_format
from phasegate.files.fleetfile import FLEET_FORMAT, dump_fleet, load_fleet
from phasegate.files.plaindata import mapping_of
from phasegate.files.policyfile import FORMAT as POLICY_FORMAT
from phasegate.verifying.result import Order
from phasegate.verifying.scenariofile import parse_scenario
from phasegate.verifying.sweeping.substituting import substituted

CASES_MAX: Final = 10_000
_COUNTS: Final = ("states", "transitions", "depth", "symmetric")
_DECIDING: Final = ("core", "policies", "verifying")  # the folders whose code decides what a result is


@frozen(kw_only=True)
class Settings:
    """How every case is verified; `promises` are name and text of a file of somebody's own, or None."""

    symmetry: bool = True
    order: Order = "breadth"
    kernel: str | None = None
    seed: int = 0
    promises: tuple[str, str] | None = None


@frozen(kw_only=True)
class Case:
    """One scenario of a sweep: what tells it apart, by name, and its document, which names no other file."""

    number: int
    name: str
    parameters: Mapping[str, Any]
    document: bytes

    def digest(self, settings: Settings) -> str:
        """Return what stays the same as long as the result must (32 hexadecimal digits)."""
        said = {"scenario": json.loads(self.document), "settings": asdict(settings), "program": program()}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def program() -> str:
    """Return the version of this program, and a digest of the code that decides here what a scenario comes to."""
    return _digest((".py", *EXTENSION_SUFFIXES))


def sources() -> str:
    """Return the same, compiled modules left out: what is equal on all machines that have installed the same."""
    return _digest((".py",))


@cache
def _digest(endings: tuple[str, ...]) -> str:
    root = Path(phasegate.__file__).parent
    found = hashlib.sha256()
    for folder in _DECIDING:
        for path in sorted((root / folder).rglob("*")):
            if path.name.endswith(endings):
                found.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return f"{phasegate.__version__}+{found.hexdigest()[:16]}"


def of_files(paths: Sequence[tuple[str, Path]]) -> tuple[Case, ...]:
    """Return a case for each scenario file, told apart by the name that comes with it; `InvalidFile` for a bad one."""
    cases = []
    for number, (shown, path) in enumerate(paths):
        document = _taken_in(path)
        cases.append(
            Case(number=number, name=path.stem, parameters={"scenario": shown}, document=_encoded(document)),
        )
    return tuple(cases)


def of_grid(family: Path, grid: Mapping[str, Sequence[Any]], blamed: str) -> tuple[Case, ...]:
    """Return a case for each combination of the grid's values, the last parameter changing fastest.

    `InvalidFile`, on `blamed`, for a combination that is no scenario, with its values; on the family if that is none
    itself. The counts that a family expects are its own: a case that differs from it keeps only the expected verdict.
    """
    document = _taken_in(family)
    count = prod(map(len, grid.values()))
    if count > CASES_MAX:
        raise InvalidFile(f"{count:,} combinations are more than {CASES_MAX:,}; name fewer values", blamed, "grid")
    return tuple(
        _case(number, family, document, dict(zip(grid, values, strict=True)), blamed)
        for number, values in enumerate(product(*grid.values()))
    )


def _case(number: int, family: Path, document: Mapping[str, Any], parameters: Mapping[str, Any], blamed: str) -> Case:
    varied: Any = document
    for path, value in parameters.items():
        try:
            varied = substituted(varied, path, value)
        except InvalidModel as error:
            raise InvalidFile(error.what, blamed, f"grid: {path}") from None
    if varied != document and isinstance(varied.get("expect"), dict):
        varied = {**varied, "expect": {key: one for key, one in varied["expect"].items() if key not in _COUNTS}}
    encoded = _encoded(varied)
    try:
        parse_scenario(encoded, f"{family.stem}.json")
    except InvalidFile as error:
        place = f": {error.place}" if error.place else ""
        raise InvalidFile(error.what, blamed, f"grid, with {in_words(parameters)}{place}") from None
    return Case(number=number, name=family.stem, parameters=parameters, document=encoded)


def in_words(parameters: Mapping[str, Any]) -> str:
    """Return the values of parameters in a line.

    >>> in_words({"environment.faults": 2, "policy.delays": False})
    'environment.faults 2, policy.delays false'
    """
    return ", ".join(f"{name} {value_in_words(value)}" for name, value in parameters.items())


def value_in_words(value: Any) -> str:
    """Return a parameter's value as a scenario file would write it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _taken_in(path: Path) -> dict[str, Any]:
    """Return the document of a scenario file, the files that it names taken in; `InvalidFile` if it is no scenario."""
    data = read_bytes(path)
    parse_scenario(data, str(path))
    document = dict(mapping_of(parse_document(data, str(path))))
    fleet, policy = document["fleet"], document.get("policy")
    if isinstance(fleet, str):
        document["fleet"] = without_format(dump_fleet(load_fleet(path.parent / fleet)), FLEET_FORMAT)
    if isinstance(policy, str):
        document["policy"] = without_format(read_document(path.parent / policy), POLICY_FORMAT)
    return document


def _encoded(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
