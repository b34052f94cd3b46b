"""Logs in Parquet at the command line: written, drawn, replayed and explained like those in NDJSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SMALL = str(Path(__file__).parents[2] / "examples" / "small.yaml")


def test_a_log_in_parquet_goes_wherever_one_in_ndjson_goes(call: Any, write: Any) -> None:
    """The same rollout, the same last state, the same plot."""
    write("x", "")
    told = []
    for log, plot in (("a.ndjson", "a.html"), ("b.parquet", "b.html")):
        assert 0 == call("simulate", SMALL, "--log", log, "--plot", plot).exit_code
        replayed = json.loads(call("replay", log, "--json").stdout)
        explained = call("explain", log, "eastus/web/1", "--json")
        told.append((replayed, explained.exit_code, explained.stdout, Path(plot).read_bytes()))
    assert told[0][0]["same"]
    assert told[0] == told[1]


def test_a_log_that_is_not_there_is_told_with_its_like(call: Any, write: Any) -> None:
    """Whatever form it has."""
    write("run.parquet", "")
    result = call("replay", "rum.parquet")
    what = "cannot be read: no such file or directory; did you mean `run.parquet`?"
    assert (2, f"error: {what} (rum.parquet)\n") == (result.exit_code, result.stderr)
