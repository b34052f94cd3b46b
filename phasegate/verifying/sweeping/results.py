"""The results file: NDJSON, a line for each case that is done, in the order in which they were done.

The first line says which sweep it is of. Each line is brought to the disk before the next case is looked at, so that a
sweep that was killed goes on where it was: a second start with the same file takes over what is there. What stands
after the last line end was being written when it was killed, and goes.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final

from attrs import asdict, define, field, fields, frozen

from phasegate.core.errors import InvalidModel
from phasegate.files.documents import InvalidFile, blamed_on, parse_lines
from phasegate.files.plaindata import mapping_of
from phasegate.files.structure import Reader
from phasegate.verifying.result import Bounds
from phasegate.verifying.sweeping.cases import Case
from phasegate.verifying.sweeping.outcome import Outcome, document_of
from phasegate.verifying.sweeping.sweepfile import Sweep

FORMAT: Final = "phasegate/sweep-results/1"


@frozen(kw_only=True)
class _Head:
    """What the first line says: whose results these are."""

    format: str
    sweep: str
    scenario: str | None
    parameters: tuple[str, ...]


@frozen(kw_only=True)
class _Line:
    """What identifies a result, and what it was bounded by; the outcome stands beside it."""

    parameters: Mapping[str, object]
    digest: str
    bounds: Bounds


@define
class Results:
    """An open results file: what it knows, and where what comes is written."""

    file: IO[bytes]
    known: dict[str, tuple[Bounds, Outcome]] = field(factory=dict)
    _parameters: dict[str, str] = field(factory=dict)  # the digest that was last written for them

    def taken_over(self, case: Case, digest: str, bounds: Bounds) -> Outcome | None:
        """Return what the file says of a case; None if that is nothing, or nothing that would come out so again.

        What holds or is violated does so within any bounds; what was undetermined within others is tried once more.
        """
        found = self.known.get(digest)
        if found is None or not found[1].is_final:
            return None
        return found[1] if found[1].verdict != "undetermined" or found[0] == bounds else None

    def is_stale(self, case: Case, digest: str) -> bool:
        """Whether the file has a result of these parameters, but of another scenario, program, or way to verify."""
        return digest not in self.known and _key(case.parameters) in self._parameters

    def add(self, case: Case, digest: str, bounds: Bounds, outcome: Outcome) -> None:
        """Write a line, and bring it to the disk."""
        line = {"digest": digest, "bounds": asdict(bounds), **document_of(case, outcome)}
        self.file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def read(self, sweep: Sweep, name: str) -> None:
        """Read what is there, begin the file if that is nothing; `InvalidFile` if it is not of this sweep."""
        data = self.file.read()
        whole = data[: data.rfind(b"\n") + 1]
        head = _Head(format=FORMAT, sweep=sweep.name, scenario=sweep.family, parameters=sweep.parameters)
        first = json.dumps(asdict(head), ensure_ascii=False).encode() + b"\n"
        if not whole and not first.startswith(data):  # what goes must be what was being written
            raise InvalidFile("is no file of results, and would be written over; name another", name)
        for number, line in parse_lines(whole, name) if whole else ():
            with blamed_on(name, line=number):
                if number == 1:
                    _compare(_READER.read(_Head, line), head)
                else:
                    self._take(mapping_of(line))
        self.file.seek(len(whole))
        self.file.truncate()
        if not whole:
            self.file.write(first)
            self.file.flush()

    def _take(self, line: dict[str, object]) -> None:
        about = _READER.read(_Line, {key: value for key, value in line.items() if key in _ABOUT})
        told = {key: value for key, value in line.items() if key not in _ABOUT and key != "states_per_second"}
        self.known[about.digest] = about.bounds, _READER.read(Outcome, told)
        self._parameters[_key(about.parameters)] = about.digest


_ABOUT: Final = frozenset(attribute.name for attribute in fields(_Line))
_READER: Final = Reader()


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(dict(parameters), sort_keys=True)


def _compare(found: _Head, wanted: _Head) -> None:
    """Refuse the results of another sweep: nothing is written over, and nothing is mixed."""
    if found.format != wanted.format:
        raise InvalidModel(f"format `{found.format}` is not `{wanted.format}`", "format")
    if found != wanted:
        of = found.scenario or "a list of scenarios"
        raise InvalidModel(
            f"these are results of another sweep, `{found.sweep}` of {of} over {', '.join(found.parameters)}; "
            "name another results file"
        )


@contextmanager
def opened(path: str, sweep: Sweep) -> Iterator[Results]:
    """Open a results file, made if there is none, for this process alone.

    `InvalidFile` if the system refuses, if another sweep is writing to it, or if it is not of this sweep.
    """
    try:
        file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")  # noqa: SIM115  # closed below
    except (OSError, ValueError) as error:
        raise _refused(error, path) from None
    with file:
        if not os.path.isfile(path):
            raise InvalidFile("is no regular file; results are read as well as written", path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InvalidFile("another sweep is writing to it; wait for its end, or name another file", path) from None
        results = Results(file)
        results.read(sweep, path)
        yield results


def _refused(error: OSError | ValueError, path: str) -> InvalidFile:
    return InvalidFile(f"cannot be written: {(getattr(error, 'strerror', None) or str(error)).lower()}", path)
