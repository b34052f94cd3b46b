"""Logs in files: both forms hold the same lines, whole or not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fleets import a_fleet, a_set

import phasegate as pg
from phasegate.files.documents import InvalidFile
from phasegate.logs import parquetlog
from phasegate.logs.logfile import log_lines, write_log
from phasegate.logs.replay import replay
from phasegate.simulating.simulation import simulate, simulate_into


def an_engine() -> pg.Engine:
    """Return an engine over a small fleet."""
    return pg.Engine(a_fleet(a_set(instances=9)), pg.policies.availability_first())


def test_a_log_in_parquet_holds_the_lines_and_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte; time, kind, rollout, set and number of instances stand beside them; replay reads it."""
    monkeypatch.setattr(parquetlog, "LINES_A_GROUP", 20)
    monkeypatch.setattr("phasegate.simulating.simulation._CHUNK_LINES", 10)
    path, chunks = tmp_path / "log.parquet", list[bytes]()
    simulate(an_engine(), sink=chunks.append)
    simulate_into(path, an_engine())
    lines = list(log_lines(path))
    assert b"".join(chunks).splitlines(keepends=True) == lines
    assert 1 < pq.ParquetFile(path).num_row_groups
    said = [json.loads(line) for line in lines]
    table = pq.read_table(path)
    for column in ("t", "kind", "rollout", "set"):
        assert [line.get(column) for line in said] == table.column(column).to_pylist()
    counts = [len(line["instances"]) if "instances" in line else None for line in said]
    assert counts == table.column("instances").to_pylist()
    assert replay(log_lines(path)).is_same


def test_an_empty_log_is_a_file_without_rows(tmp_path: Path) -> None:
    """Somebody has written none of it."""
    write_log(tmp_path / "log.parquet", [])
    assert [] == list(log_lines(tmp_path / "log.parquet"))


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """Whatever form it was to have."""

    def broken() -> Iterator[bytes]:
        yield b'{"t": 0, "kind": "log"}\n'
        raise RuntimeError

    for name in ("log.parquet", "log.ndjson"):
        with pytest.raises(RuntimeError):
            write_log(tmp_path / name, broken())
    assert [] == list(tmp_path.iterdir())


def test_what_is_no_log_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another table, no Parquet at all, no file; and pyarrow is asked for where it is not there."""
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "none.parquet").write_bytes(b"PAR1")
    bytes_as_text = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"line": bytes_as_text}), tmp_path / "bytes.parquet")
    for name, what in (
        ("other.parquet", "no log: it has no column `line`"),
        ("none.parquet", "no Parquet: "),
        ("bytes.parquet", "text is not UTF-8"),
        ("missing.parquet", "cannot be read: no such file or directory"),
        ("missing.ndjson", "cannot be read: no such file or directory"),
    ):
        with pytest.raises(InvalidFile) as caught:
            list(log_lines(tmp_path / name))
        assert str(caught.value).startswith(what)
    monkeypatch.setitem(sys.modules, "phasegate.logs.parquetlog", None)
    with pytest.raises(InvalidFile, match="Parquet needs pyarrow"):
        list(log_lines(tmp_path / "other.parquet"))
