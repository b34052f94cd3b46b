"""The lines of a log: its header, and the lines of each step; whether a step makes sense is not asked here.

Whatever is wrong with a line is an `InvalidFile` that names it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
from attrs import frozen

from phasegate.core.codes import TIME_MAX
from phasegate.files.documents import InvalidFile
from phasegate.logs.journal import EVENTS, FORMAT, REMARKS

Time = Annotated[int, msgspec.Meta(ge=0, le=TIME_MAX)]  # that the engine knows


class Header(msgspec.Struct, frozen=True):
    """The first line of a log; the documents are still text."""

    t: Time
    kind: str
    format: str
    fleet: msgspec.Raw
    policy: msgspec.Raw
    seed: int
    faults: msgspec.Raw


@frozen
class Line:
    """One line: its number from 1, its text without the line end, and what it says."""

    number: int
    text: bytes
    content: dict[str, Any]

    @property
    def kind(self) -> str:
        """What the line is about."""
        return str(self.content["kind"])


@frozen
class RecordedStep:
    """The lines of one step, the `step` line last."""

    now: int
    event: str
    lines: Sequence[Line]


def read_header(text: bytes, name: str) -> Header:
    """Return the first line; `InvalidFile` if it is none of this format."""
    if not text.strip():
        raise InvalidFile("is empty" if not text else "the first line is blank", name, "" if not text else "line 1")
    try:
        header = msgspec.json.decode(text.removeprefix(codecs.BOM_UTF8), type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"no log as `simulate --log` writes it: {in_words(error)}"
        raise InvalidFile(what, name, "line 1") from None
    if header.kind != "log" or header.format != FORMAT:
        raise InvalidFile(f"format `{header.format}` is not `{FORMAT}`", name, "line 1")
    return header


def read_steps(lines: Iterable[bytes], name: str) -> Iterator[RecordedStep]:
    """Yield the steps of the lines after the first, remarks passed over.

    `InvalidFile` where one cannot be read or the log is cut off.
    """
    found: list[Line] = []
    number, steps, ended = 1, 0, False
    for number, text in enumerate(lines, 2):
        line = _line(number, text, name)
        if ended:
            raise InvalidFile("a line after the end of the log", name, f"line {number}")
        if line.kind in REMARKS:
            continue
        found.append(line)
        if line.kind == "step":
            steps += 1
            event = str(line.content.get("event"))
            if event not in EVENTS.values():
                raise InvalidFile(f"`{event}` is no kind of event", name, f"line {number}")
            yield RecordedStep(line.content["t"], event, tuple(found))
            found.clear()
        elif line.kind == "log-ended":
            ended = True
            if len(found) > 1 or line.content.get("steps") != steps:
                raise InvalidFile(f"the log ends here, but {steps} whole steps were found", name, f"line {number}")
    if not ended:
        raise InvalidFile("the log is cut off: it has no `log-ended` line", name, f"line {number}")


def _line(number: int, text: bytes, name: str) -> Line:
    whole = text.endswith(b"\n")
    text = text.rstrip(b"\r\n")
    if not text.strip():
        raise InvalidFile("no line of a log: it is blank", name, f"line {number}")
    try:
        content = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"no line of a log: {in_words(error)}" if whole else "the log is cut off in the middle of a line"
        raise InvalidFile(what, name, f"line {number}") from None
    if type(content.get("t")) is not int or type(content.get("kind")) is not str:
        raise InvalidFile("no line of a log: `t` or `kind` is missing", name, f"line {number}")
    return Line(number, text, content)


def in_words(error: Exception) -> str:
    """Return what a decoder says, as error texts here are written."""
    text = str(error).removeprefix("JSON is malformed: ")
    return text[:1].lower() + text[1:].replace("`$.", "`")
