"""Both gates of every set by one polars group-by over its instances."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

import phasegate as pg
from phasegate.bench.peers.numpy_selection import Facts, column
from phasegate.core import codes as c
from phasegate.core.lifecycle import Life

CANNOT: Final = (
    "the gates alone: no cells, pairs, phases, holds or batches, which are decided one after the other; every "
    "decision costs the whole fleet"
)
THREADS: Final = pl.thread_pool_size()


def frame(state: pg.State) -> pl.DataFrame:
    """Return the fleet as a table: an instance a row, with its set and its life byte split into two columns."""
    site = column(state, "site").reshape(-1, c.SITE)
    bucket = column(state, "bucket")[: state.rows["instance"]]
    life = column(state, "life")[: state.rows["instance"]]
    return pl.DataFrame(
        {
            "set": site[bucket, c.SITE_SET].astype(np.uint32),
            "state": life & c.STATE_BITS,
            "health": life >> c.HEALTH_SHIFT,
        }
    )


def limits(facts: Facts) -> pl.DataFrame:
    """Return the limits of each set."""
    return pl.DataFrame(
        {
            "set": np.arange(len(facts.status), dtype=np.uint32),
            "unhealthy_percent": facts.unhealthy_percent,
            "upgraded_percent": facts.upgraded_percent,
            "of_set": facts.option & c.OF_SET != 0,
        }
    )


def gates(instances: pl.DataFrame, of_sets: pl.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return for each set whether the after-batch gate and the before-batch gate are broken (semantics 7)."""
    state, bad = pl.col("state"), pl.col("health").is_between(1, 2)
    counted = (
        instances.lazy()
        .filter(state != Life.GONE)
        .group_by("set")
        .agg(
            total=pl.len().cast(pl.Int64),
            bad=bad.sum().cast(pl.Int64),
            upgraded=(state == Life.UPGRADED).sum().cast(pl.Int64),
            upgraded_bad=((state == Life.UPGRADED) & bad).sum().cast(pl.Int64),
            lost=state.is_in([Life.RESTORED, Life.FAILED]).sum().cast(pl.Int64),
        )
    )
    lost, attempted = pl.col("lost") + pl.col("upgraded_bad"), pl.col("lost") + pl.col("upgraded")
    of = pl.when(pl.col("of_set")).then(pl.col("total")).otherwise(attempted)
    found = (
        of_sets.lazy()
        .join(counted, on="set", how="left")
        .sort("set")
        .select(
            after=(100 * lost > pl.col("upgraded_percent") * of).fill_null(False),
            before=(100 * pl.col("bad") > pl.col("unhealthy_percent") * pl.col("total")).fill_null(False),
        )
        .collect()
    )
    return found["after"].to_numpy(), found["before"].to_numpy()
