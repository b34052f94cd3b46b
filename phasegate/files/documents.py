"""Files in and out: text to plain data with errors that name file and place, and writing that leaves no half a file.

A document is JSON, YAML (hand-written) or NDJSON (one JSON value a line). The name's ending decides (`.json`, `.yaml`,
`.yml`, `.ndjson`, `.jsonl`); without one of these, as from a pipe, the text itself. It is 1 GiB at most, so is a line
of a log; a file of NDJSON may be of any size.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Literal, NoReturn, TypeVar

from phasegate.core.errors import InvalidModel, PhasegateError
from phasegate.core.names import printable
from phasegate.files.structure import mapping_of, structure
from phasegate.files.yamltext import parse_yaml

__all__ = [
    "InvalidFile",
    "blamed_on",
    "decoded",
    "kind_by_ending",
    "kind_of",
    "lines_of",
    "open_atomically",
    "parse_as",
    "parse_document",
    "parse_line",
    "parse_lines",
    "read_as",
    "read_bytes",
    "read_document",
    "reading",
    "split_lines",
    "structure",
    "whole",
    "write_atomically",
]

T = TypeVar("T")
Kind = Literal["json", "yaml", "ndjson", "parquet"]

_ENDINGS: dict[str, Kind] = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}
DOCUMENT_BYTES_MAX: Final = 2**30  # of what is read as a whole: ten million listed instances are less
_MAX_IN_WORDS: Final = "1 GiB"
_QUOTED_MAX = 60
_WHAT_MAX = 400
_QUOTE = re.compile("`([^`]*)`")
_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


class InvalidFile(PhasegateError, ValueError):
    """A file that cannot be read or understood: `what`, in which `file`, and at which `place` in it.

    Its text is one line, `what (file: place)`; what the file holds is cut short in it.

    >>> str(InvalidFile("expected text, got null", "fleet.json", "sets[3].name"))
    'expected text, got null (fleet.json: sets[3].name)'
    """

    def __init__(self, what: str, file: str, place: str = "") -> None:
        super().__init__(what, file, place)
        self.what = what
        self.file = file
        self.place = place

    def __str__(self) -> str:
        what = _one_line(_QUOTE.sub(_cut_short, self.what), _WHAT_MAX)
        where = f"{self.file}: {_one_line(self.place, _WHAT_MAX)}" if self.place else self.file
        return f"{what} ({_one_line(where, 2 * _WHAT_MAX)})"


def _cut_short(quote: re.Match[str]) -> str:
    return quote[0] if len(quote[1]) <= _QUOTED_MAX else f"`{quote[1][:_QUOTED_MAX]}...`"


def _one_line(text: str, length_max: int) -> str:
    shown = printable(text[: length_max + 1])
    return shown if len(shown) <= length_max else f"{shown[:length_max]}..."


@contextmanager
def blamed_on(file: str, place: str = "", line: int | None = None) -> Iterator[None]:
    """Turn `InvalidModel` and too deep a recursion into an `InvalidFile` of this file, seen from `place` and `line`."""
    try:
        yield
    except InvalidModel as error:
        raise InvalidFile(error.what, file, _on_line(line, error.under(place).path)) from None
    except RecursionError:
        raise InvalidFile("nested too deeply", file, _on_line(line, place)) from None


def _on_line(line: int | None, place: str) -> str:
    return ": ".join(filter(None, ("" if line is None else f"line {line}", place)))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return what the file holds; `InvalidFile` if the system does not give it, or it is larger than `whole` takes."""
    with reading(path, os.fspath(path)) as file:
        return whole(file, os.fspath(path))


def whole(file: BinaryIO, name: str) -> bytes:
    """Return all that an open file holds, `DOCUMENT_BYTES_MAX` at most; `InvalidFile` if it is more, or has no end.

    A regular file whose name says that it is NDJSON may be of any size.
    """
    if kind_by_ending(name) == "ndjson" and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file.read()
    data = file.read(DOCUMENT_BYTES_MAX + 1)
    if len(data) > DOCUMENT_BYTES_MAX:
        what = f"holds more than {_MAX_IN_WORDS}; what is so large goes into a file of NDJSON (`.ndjson`) or Parquet"
        raise InvalidFile(what, name)
    return data


def lines_of(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the lines of an open file, each with its line end; `InvalidFile` for one above `DOCUMENT_BYTES_MAX`."""
    number = 0
    while line := file.readline(DOCUMENT_BYTES_MAX + 1):
        number += 1
        if len(line) > DOCUMENT_BYTES_MAX:
            raise InvalidFile(f"holds more than {_MAX_IN_WORDS} in one line", name, f"line {number}")
        yield line


@contextmanager
def reading(path: str | os.PathLike[str], name: str) -> Iterator[BinaryIO]:
    """Open a file; `InvalidFile` in the system's words if that, or reading from it, does not go."""
    try:
        with Path(path).open("rb") as file:
            yield file
    except InvalidFile:  # it can be read, but not be used
        raise
    except (OSError, ValueError) as error:  # ValueError: the name holds a zero byte
        raise InvalidFile(f"cannot be read: {_reason(error)}", name) from None


def _reason(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def read_document(path: str | os.PathLike[str]) -> object:
    """Return the plain data of a JSON or YAML file, or the list of an NDJSON file's values; `InvalidFile` otherwise."""
    return parse_document(read_bytes(path), os.fspath(path))


def read_as(cls: type[T], path: str | os.PathLike[str], form: str) -> T:
    """Return `cls` from a file whose `format` is `form`, as `parse_as` does."""
    return parse_as(cls, read_bytes(path), os.fspath(path), form)


def parse_as(
    cls: type[T],
    data: bytes,
    name: str,
    form: str,
    read: Callable[[type[T], object], T] = structure,
) -> T:
    """Return `cls` from a document whose top says `format: form`; its other keys are the fields of `cls`.

    `InvalidFile` if it is no such document; `read` converts plain data in place of `structure`.
    """
    document = parse_document(data, name)
    with blamed_on(name):
        return read(cls, without_format(document, form))


def without_format(document: object, form: str) -> dict[str, object]:
    """Return the document without its `format`; `InvalidModel` if that is missing or another than `form`."""
    top = dict(mapping_of(document))
    if "format" not in top:
        raise InvalidModel(f"`format` is missing; this one is `{form}`")
    found = top.pop("format")
    if found != form:
        shown = found if isinstance(found, str) else json.dumps(found)[:80]
        raise InvalidModel(f"format `{shown}` is not `{form}`", "format")
    return top


def parse_document(data: bytes, name: str, *, comments: bool = False) -> object:
    """Return the plain data of a document; of an NDJSON one, the list of its lines' values.

    With `comments`, JSON may hold `//` and `/* */` comments. `InvalidFile` for an empty file, text that is not UTF-8,
    a fault of syntax (by line and column), a key that is there twice, NaN or Infinity, or nesting too deep.
    """
    text = decoded(data, name)
    kind = kind_of(name, text)
    if kind == "ndjson":
        return [value for _, value in parse_lines(data, name)]
    if kind == "yaml":
        with blamed_on(name):
            return parse_yaml(text)
    return _json(_COMMENT.sub(_blanked, text) if comments else text, name)


def parse_lines(data: bytes, name: str) -> Iterator[tuple[int, object]]:
    """Yield number and value of each line of NDJSON that is not blank, read one at a time; `InvalidFile` as above."""
    for number, line in split_lines(data, name):
        yield number, parse_line(number, line, name)


def parse_line(number: int, line: bytes, name: str) -> object:
    """Return the value of one line of NDJSON; `InvalidFile` as above."""
    return _json(decoded(line, name, number), name, number)


def split_lines(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of each line that is not blank, without copying the rest; `InvalidFile` if none is."""
    number, start, found = 0, 0, False
    while start <= len(data):
        number += 1
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end]
        if line.strip():
            found = True
            yield number, line
        start = end + 1
    if not found:
        raise InvalidFile("is empty", name)


def decoded(data: bytes, name: str, line: int | None = None) -> str:
    """Return the text; `InvalidFile` if the file is empty or not UTF-8 (a byte order mark of UTF-8 is passed over)."""
    if not data.strip():
        raise InvalidFile("is empty", name)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) in (1, 2, 3):  # every other byte is zero
        raise InvalidFile("text is UTF-16 or UTF-32; save it as UTF-8", name, "byte 0")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise InvalidFile(what, name, _on_line(line, f"byte {error.start}")) from None


def kind_by_ending(name: str) -> Kind | None:
    """Return the kind of a document by its name's ending, None if that does not tell."""
    return _ENDINGS.get(Path(name).suffix.lower())


def kind_of(name: str, text: str) -> Kind:
    """Return the kind of a document by its name's ending, or else by how its text begins."""
    kind = kind_by_ending(name)
    if kind is not None:
        return kind
    body = text.lstrip()
    if not body.startswith(("{", "[")):
        return "json" if body.startswith(("//", "/*")) else "yaml"
    first, _, rest = body.partition("\n")
    if not rest.strip():
        return "json"
    try:
        json.loads(first)
    except (ValueError, RecursionError):  # its first line is no value alone: the document goes over several lines
        return "json"
    return "ndjson"


def _blanked(match: re.Match[str]) -> str:
    """Return a string as it is, a comment as blanks of the same shape, so that lines and columns stay."""
    text = match.group()
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _json(text: str, name: str, line: int | None = None) -> object:
    twice: list[tuple[dict[str, object], str]] = []

    def made(pairs: list[tuple[str, object]]) -> dict[str, object]:
        table = dict(pairs)
        if len(table) != len(pairs):
            keys = [key for key, _ in pairs]
            twice.append((table, next(key for at, key in enumerate(keys) if key in keys[:at])))
        return table

    place = _on_line(line, "")
    try:
        data: object = json.loads(text, object_pairs_hook=made, parse_constant=_no_number)
        if _HALF_A_PAIR.search(text):
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _no_json(error, text, name, line) from None
    except UnicodeEncodeError:
        raise InvalidFile("text holds half of a surrogate pair", name, place) from None
    except InvalidModel as error:
        raise InvalidFile(error.what, name, place) from None
    except ValueError:  # what else json refuses: digits without end
        raise InvalidFile("a number has too many digits", name, place) from None
    except RecursionError:
        raise InvalidFile("nested too deeply", name, place) from None
    for table, key in twice:
        path = _path_to(table, data)
        if path is not None:
            raise InvalidFile(f"key `{key}` is there twice", name, _on_line(line, path))
    return data


def _no_json(error: json.JSONDecodeError, text: str, name: str, line: int | None) -> InvalidFile:
    place = f"line {line or error.lineno}, column {error.colno}"
    if error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()):
        return InvalidFile("no JSON: the text ends too early", name, place)
    return InvalidFile(f"no JSON: {error.msg[0].lower()}{error.msg[1:].removesuffix(' at')}", name, place)


def _no_number(word: str) -> NoReturn:
    raise InvalidModel(f"no JSON: `{word}` is no number")


def _path_to(wanted: object, data: object) -> str | None:
    """Return the place of an object in plain data, or None; without recursion, as depth is not bounded here."""
    waiting: list[tuple[str, object]] = [("", data)]
    while waiting:
        path, value = waiting.pop()
        if value is wanted:
            return path
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", item) for at, item in enumerate(value)]
    return None


def write_atomically(path: str | os.PathLike[str], chunks: Iterable[bytes | str]) -> None:
    """Write the chunks to `path` as `open_atomically` does; text is written as UTF-8."""
    with open_atomically(path) as file:
        for chunk in chunks:
            file.write(chunk.encode() if isinstance(chunk, str) else chunk)


@contextmanager
def open_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new file beside `path`; at the end bring it to the disk, and put it in the place of `path`.

    So a reader sees the old file or the whole new one, also after a crash. What is no regular file (a pipe, a terminal)
    is written to as it is. Whatever is raised meanwhile passes through, and the old file stays; `InvalidFile` if the
    system refuses to write.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        part = target.with_name(f".{target.name[:200]}.{secrets.token_hex(8)}")
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with suppress(FileNotFoundError):
                part.unlink()
            raise
    except OSError as error:
        raise InvalidFile(f"cannot be written: {_reason(error)}", os.fspath(path)) from None
