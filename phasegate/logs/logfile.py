"""Logs in files: NDJSON, or Parquet where the name ends in `.parquet`; written as they come, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from phasegate.files.documents import kind_by_ending, lines_of, reading, write_atomically
from phasegate.files.fleetwrite import with_arrow


def write_log(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> None:
    """Write a log that comes in pieces of whole lines; `InvalidFile` if it cannot be written.

    What `chunks` raise passes through, and then there is no new file.
    """
    name = os.fspath(path)
    if kind_by_ending(name) == "parquet":
        with_arrow(name, "phasegate.logs.parquetlog").write(path, chunks)
    else:
        write_atomically(path, chunks)


def log_lines(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """Yield the lines of a log, each with its line end; `InvalidFile` if it cannot be read."""
    name = os.fspath(path)
    if kind_by_ending(name) == "parquet":
        yield from with_arrow(name, "phasegate.logs.parquetlog").lines(path, name)
    else:
        with reading(path, name) as file:
            yield from lines_of(file, name)
