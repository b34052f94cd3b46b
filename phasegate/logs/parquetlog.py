"""Logs in Parquet: a row a line, in order, so that other tools find what is of one kind, set, rollout or time.

`line` is the line of NDJSON itself, so nothing is lost, and a log goes from one form to the other byte for byte; `t`,
`kind`, `rollout`, `set` and `instances` (how many the line names) are what it says, null where it does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from phasegate.files.documents import InvalidFile, open_atomically
from phasegate.files.parquet import mapped, one_line

LINES_A_GROUP: Final = 2**17

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [
        pa.field("t", pa.int64(), nullable=False),
        pa.field("kind", _TEXT, nullable=False),
        pa.field("rollout", pa.int32()),
        pa.field("set", _TEXT),
        pa.field("instances", pa.int32()),
        pa.field("line", pa.large_string(), nullable=False),
    ]
)


class _Said(msgspec.Struct, gc=False):
    t: int
    kind: str
    rollout: int | None = None
    set: str | None = None
    instances: object = None


_said: Final = msgspec.json.Decoder(_Said).decode


def write(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> None:
    """Write a log that comes in pieces of whole lines."""
    with open_atomically(path) as file, pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        waiting: list[bytes] = []
        for chunk in chunks:
            waiting += chunk.splitlines()
            if len(waiting) >= LINES_A_GROUP:
                writer.write_table(_table(waiting))
                waiting.clear()
        if waiting:
            writer.write_table(_table(waiting))


def _table(lines: list[bytes]) -> Any:
    said = [_said(line) for line in lines]
    columns = [
        pa.array([one.t for one in said], pa.int64()),
        pa.array([one.kind for one in said], pa.string()).dictionary_encode(),
        pa.array([one.rollout for one in said], pa.int32()),
        pa.array([one.set for one in said], pa.string()).dictionary_encode(),
        pa.array([len(one.instances) if isinstance(one.instances, list) else None for one in said], pa.int32()),
        pa.array([line.decode() for line in lines], pa.large_string()),
    ]
    return pa.table(columns, schema=SCHEMA)


def lines(path: str | os.PathLike[str], name: str) -> Iterator[bytes]:
    """Yield the lines of a log, each with its line end, a group of rows at a time; `InvalidFile` if it is none."""
    source = mapped(path, name)
    try:
        file = pq.ParquetFile(source)
        if "line" not in file.schema_arrow.names:
            raise InvalidFile("no log: it has no column `line`", name)
        for batch in file.iter_batches(columns=["line"]):
            for line in batch.column(0):
                yield line.as_py().encode() + b"\n"
    except UnicodeDecodeError:
        raise InvalidFile("text is not UTF-8", name, "column line") from None
    except (pa.ArrowException, OSError) as error:
        raise InvalidFile(f"no Parquet: {one_line(error)}", name) from None
