"""The faults file, format `phasegate/faults/1`: what the simulated environment does beyond "everything works".

Every event does exactly one thing, told by the key that only it has; `faultmodel` says what each means.
"""

from __future__ import annotations

import os
from typing import Any, Final

from phasegate.core.errors import InvalidModel
from phasegate.core.model import refuse_unknown
from phasegate.files.documents import parse_as, read_bytes, without_format
from phasegate.files.structure import Reader, described, mapping_of, plain
from phasegate.simulating.faultmodel import KINDS, FaultEvent, Faults, Span

FORMAT: Final = "phasegate/faults/1"
_FIELDS: Final = ("instances", "at_ms", "until_ms", "version", "from_version", "to")  # of several kinds


def load_faults(path: str | os.PathLike[str]) -> Faults:
    """Read a faults file (YAML or JSON); `InvalidFile`, with file and place, for all that `parse_faults` refuses."""
    return parse_as(Faults, read_bytes(path), os.fspath(path), FORMAT, _READER.read)


def parse_faults(document: object) -> Faults:
    """Return the faults that a document of plain data describes.

    `InvalidModel`, with the place in the document, if `format` is missing or another one, a key is unknown, an event
    does nothing or two things, or a value is of another type or outside its range.

    >>> parse_faults({"format": "phasegate/faults/1", "timing": {"replace_ms": [1000, 2000]}}).timing.replace_ms
    (1000, 2000)
    >>> parse_faults({"format": "phasegate/faults/1", "events": [{"at_ms": 5, "puase": True}]})
    Traceback (most recent call last):
    phasegate.core.errors.InvalidModel: unknown event `puase`; did you mean `pause`? (at `events[0]`)
    """
    return _READER.read(Faults, without_format(document, FORMAT))


def dump_faults(faults: Faults) -> dict[str, Any]:
    """Return the document that `parse_faults` reads back as the same faults; what is a default is left out.

    >>> from phasegate.simulating.faultmodel import PauseAll
    >>> dump_faults(Faults(events=[PauseAll(pause=True, at_ms=5)]))
    {'format': 'phasegate/faults/1', 'events': [{'pause': True, 'at_ms': 5}]}
    """
    return {"format": FORMAT, **plain(faults)}


def _span(data: object) -> Span:
    if type(data) is int:
        return data, data
    match data:
        case [low, high] if type(low) is int and type(high) is int:
            return low, high
    raise InvalidModel(f"expected whole milliseconds or [low, high], got {described(data)}")


def _event(data: object) -> FaultEvent:
    event = mapping_of(data)
    kinds = [key for key in event if key in KINDS]
    if len(kinds) > 1:
        raise InvalidModel(f"`{kinds[0]}` and `{kinds[1]}` in one event; write one event for each")
    if not kinds:
        for key in event:
            if key not in _FIELDS:
                refuse_unknown(str(key), KINDS, "event", "")
        raise InvalidModel(f"the event does nothing; add one of {', '.join(KINDS)}")
    made: FaultEvent = _READER.read(KINDS[kinds[0]], event)
    return made


_READER: Final = Reader({Span: _span, FaultEvent: _event})
