"""Gates and batches of a whole fleet, vectorised with numpy: no Python loop but one over the regions.

`recounted` is what numpy can do alone: it has no counters to carry from step to step, so it counts the whole fleet
for every decision. It counts runs of equal bytes instead of instances, which is several times faster than `bincount`
or `add.reduceat` over all of them where states come in runs, as they do in rollouts. `carried` is given the engine's
own counters: what would be left of the distance if somebody kept them up for numpy.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

import phasegate as pg
from phasegate.core import codes as c
from phasegate.core.columns import BY_NAME
from phasegate.core.lifecycle import Life

CANNOT: Final = (
    "one rollout only; no groups, users' edges, users' policies, cross-zone sets, prioritized unhealthy ones, phase "
    "ordering numbers, Service Fabric sets; no reasons; nothing incremental: every decision costs the whole fleet"
)

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

VALUES: Final = 64  # a life byte: four bits of state, two of health
IN_FLIGHT: Final = (Life.REPLACING, Life.CONFIGURING, Life.VERIFYING, Life.RESTORING)


def _of(state: int, healths: tuple[int, ...] = (0, 1, 2, 3)) -> list[int]:
    return [state | health << c.HEALTH_SHIFT for health in healths]


NOT_HEALTHY: Final = (1, 2)
# what is counted, as the life bytes that it consists of
COUNTED: Final = (
    [value for state in Life if state != Life.GONE for value in _of(state)],
    [value for state in Life if state != Life.GONE for value in _of(state, NOT_HEALTHY)],
    _of(Life.PENDING),
    _of(Life.PENDING, NOT_HEALTHY),
    [value for state in IN_FLIGHT for value in _of(state)],
    _of(Life.UPGRADED),
    _of(Life.UPGRADED, NOT_HEALTHY),
    [*_of(Life.RESTORED), *_of(Life.FAILED)],
)
TOTAL, BAD, PENDING, PENDING_BAD, FLIGHT, UPGRADED, UPGRADED_BAD, LOST = range(len(COUNTED))


def _weights() -> NDArray[np.uint8]:
    found = np.zeros((len(COUNTED), VALUES), np.uint8)
    for row, values in enumerate(COUNTED):
        found[row, values] = 1
    return found


WEIGHTS: Final = _weights()


@frozen(eq=False, slots=False)
class Layout:
    """What does not change from decision to decision, prepared once and never timed."""

    bucket_set: Ints
    bucket_cell: Ints
    bucket_first: Ints
    bucket_count: Ints
    set_bucket: Ints  # the first of each set
    set_region: Ints
    region_cell: Ints  # the first of each region, one longer
    pairs: list[list[int]]

    @classmethod
    def of(cls, engine: pg.Engine, state: pg.State) -> Layout:
        """Prepare it. The fleet must be one that nobody has scaled: each bucket a run of slots."""
        statics = engine.compiled.statics
        sets = state.rows["set"]
        site = column(state, "site").reshape(-1, c.SITE)
        link = column(state, "link").reshape(-1, c.LINK)[:sets]
        site = site[: state.rows["bucket"]]
        order = column(state, "order")[: state.rows["instance"]]
        assert np.array_equal(order, np.arange(len(order))), "each bucket is a run of slots"
        cells = np.asarray(statics.cell_region)
        first, items = statics.region_pairs
        return cls(
            bucket_set=site[:, c.SITE_SET].astype(np.int32),
            bucket_cell=site[:, c.SITE_CELL].astype(np.int32),
            bucket_first=site[:, c.SITE_FIRST].astype(np.int64),
            bucket_count=site[:, c.SITE_COUNT].astype(np.int64),
            set_bucket=link[:, c.LINK_BUCKET].astype(np.int64),
            set_region=link[:, c.LINK_REGION].astype(np.int32),
            region_cell=np.searchsorted(cells, np.arange(cells[-1] + 2)),
            pairs=[list(items[first[r] : first[r + 1]]) for r in range(len(first) - 1)],
        )


@frozen(eq=False, slots=False)
class Facts:
    """The columns of one state, as arrays: also prepared and not timed."""

    life: NDArray[np.uint8]
    status: NDArray[np.uint8]
    mark: NDArray[np.uint8]
    option: NDArray[np.uint8]
    batch_percent: Ints
    unhealthy_percent: Ints
    upgraded_percent: Ints
    hold: Ints
    is_open: Bools
    holds: Ints
    working: Ints
    wait: Ints
    tally: Ints

    @classmethod
    def of(cls, state: pg.State) -> Facts:
        """Read them out of a state in which one rollout is running, not paused."""
        sets = state.rows["set"]
        link = column(state, "link").reshape(-1, c.LINK)[:sets]
        percent = column(state, "percent").reshape(-1, c.PERCENT)[:sets].astype(np.int64)
        trait, plan = column(state, "trait"), column(state, "plan")
        is_open = np.ones(sets, bool)
        if trait[0] & c.PHASED:
            is_open = link[:, c.LINK_PHASE] <= plan[c.PLAN_PHASE]
        return cls(
            life=column(state, "life")[: state.rows["instance"]],
            status=column(state, "status")[:sets],
            mark=column(state, "mark")[:sets],
            option=column(state, "option")[:sets],
            batch_percent=percent[:, c.BATCH_PERCENT],
            unhealthy_percent=percent[:, c.UNHEALTHY_PERCENT],
            upgraded_percent=percent[:, c.UPGRADED_PERCENT],
            hold=link[:, c.LINK_HOLD].astype(np.int32),
            is_open=is_open,
            holds=column(state, "holds")[: state.rows["cell"]],
            working=column(state, "working")[: state.rows["region"]],
            wait=column(state, "wait").reshape(-1, c.WAIT)[: state.rows["bucket"]],
            tally=column(state, "tally").reshape(-1, c.TALLY)[:sets],
        )


def column(state: pg.State, name: str) -> NDArray[Any]:
    """Return one column of a state as an array."""
    kinds = {"B": np.uint8, "H": np.uint16, "I": np.uint32, "i": np.int32, "q": np.int64}
    return np.frombuffer(bytes(state.column(name).flat()), kinds[BY_NAME[name].typecode])


@frozen(eq=False)
class Counts:
    """What the gates and the batches compare."""

    pending: Ints  # a bucket
    pending_bad: Ints
    total: Ints  # a set
    bad: Ints
    flight: Ints
    upgraded: Ints
    upgraded_bad: Ints
    lost: Ints


def recounted(layout: Layout, facts: Facts) -> Counts:
    """Count the whole fleet: find the runs of equal bytes within buckets, weigh each by its length, add them up."""
    life = facts.life
    starts_here = np.empty(len(life), bool)
    np.not_equal(life[1:], life[:-1], out=starts_here[1:])
    starts_here[layout.bucket_first] = True
    starts = np.flatnonzero(starts_here)
    lengths = np.diff(starts, append=len(life))
    value = life[starts]
    first_run = np.searchsorted(starts, layout.bucket_first)
    if len(starts) == len(layout.bucket_first):  # every bucket is of one kind: nothing to add up in it
        of_bucket = [WEIGHTS[row][value] * lengths for row in (PENDING, PENDING_BAD)]
    else:
        of_bucket = [np.add.reduceat(WEIGHTS[row][value] * lengths, first_run) for row in (PENDING, PENDING_BAD)]
    first_of_set = first_run[layout.set_bucket]
    of_set = [
        np.add.reduceat(WEIGHTS[row][value] * lengths, first_of_set)
        for row in (TOTAL, BAD, FLIGHT, UPGRADED, UPGRADED_BAD, LOST)
    ]
    return Counts(*of_bucket, *of_set)


def carried(layout: Layout, facts: Facts) -> Counts:
    """Take the counters that the engine carries along."""
    tally = facts.tally
    return Counts(
        facts.wait[:, c.WAIT_PENDING],
        facts.wait[:, c.WAIT_BAD],
        tally[:, c.TALLY_TOTAL].astype(np.int64),
        tally[:, c.TALLY_BAD].astype(np.int64),
        tally[:, c.TALLY_FLIGHT],
        tally[:, Life.UPGRADED].astype(np.int64),
        tally[:, c.TALLY_UPGRADED_BAD].astype(np.int64),
        (tally[:, Life.RESTORED] + tally[:, Life.FAILED]).astype(np.int64),
    )


def gates(facts: Facts, counts: Counts) -> tuple[Bools, Bools]:
    """Return for each set whether the after-batch gate and the before-batch gate are broken (semantics 7)."""
    lost = counts.lost + counts.upgraded_bad
    attempted = counts.lost + counts.upgraded
    of = np.where(facts.option & c.OF_SET != 0, counts.total, attempted)
    upgraded = 100 * lost > facts.upgraded_percent * of
    healthy = 100 * counts.bad > facts.unhealthy_percent * counts.total
    return upgraded, healthy


def select(layout: Layout, facts: Facts, counts: Counts) -> tuple[Ints, Ints, Ints]:
    """Return the batches to start: their sets, their slots one after the other, and where each batch's slots end.

    In the order of the engine for a rollout without phases: cell by cell, in a cell by set.
    """
    barred = c.CANCELLING | c.DELAYED | c.RESTING | c.SHUT
    upgraded_broken, health_broken = gates(facts, counts)
    may = (
        ((facts.status == c.WAITING) | (facts.status == c.ROLLING))
        & (facts.mark & barred == 0)
        & facts.is_open
        & (counts.flight == 0)
        & ~upgraded_broken
        & ~health_broken
    )
    buckets = np.flatnonzero((counts.pending > 0) & may[layout.bucket_set])
    chosen = _in_free_cells(layout, facts, buckets)
    return _batches(layout, facts, counts, chosen)


def _in_free_cells(layout: Layout, facts: Facts, buckets: Ints) -> Ints:
    """Return each set's first bucket in the one cell of its region that may be worked on, pairs taking turns."""
    cells = layout.bucket_cell[buckets]
    sets = layout.bucket_set[buckets]
    hold = facts.hold[sets]
    in_hold = (hold < 0) | (hold == cells)
    buckets, cells, sets = buckets[in_hold], cells[in_hold], sets[in_hold]
    regions = layout.set_region[sets]
    count = len(layout.region_cell) - 1
    wanted = np.full(count, len(facts.holds), np.int32)  # each region's first cell with a start
    edges = np.searchsorted(regions, np.arange(count + 1))
    present = edges[1:] > edges[:-1]
    if present.any():
        wanted[present] = np.minimum.reduceat(cells, edges[:-1][present])
    allowed = np.full(count, -1, np.int32)
    working = facts.working > 0
    for region in range(count):
        if any(working[pair] for pair in layout.pairs[region]):
            continue
        first, end = layout.region_cell[region], layout.region_cell[region + 1]
        busy = np.flatnonzero(facts.holds[first:end])
        allowed[region] = first + busy[0] if len(busy) else wanted[region]
        if present[region] and (not len(busy) or (cells[edges[region] : edges[region + 1]] == allowed[region]).any()):
            working[region] = True
    here = np.flatnonzero(cells == allowed[regions])
    sets = sets[here]
    is_first = np.ones(len(here), bool)
    is_first[1:] = sets[1:] != sets[:-1]
    return buckets[here[is_first]]


def _batches(layout: Layout, facts: Facts, counts: Counts, chosen: Ints) -> tuple[Ints, Ints, Ints]:
    """Fill each batch: the first candidate, then each with which both bounds still hold (semantics 7)."""
    sets = layout.bucket_set[chosen]
    total, bad = counts.total[sets], counts.bad[sets]
    cap = np.maximum(1, np.minimum(total * facts.batch_percent[sets] // 100, total - 1))
    healthy_at_most = np.where(facts.option[sets] & c.SHRINKS != 0, np.maximum(0, cap - bad), np.int64(2**31))
    pending, first = counts.pending[chosen].astype(np.int64), layout.bucket_first[chosen]
    size = np.minimum(cap, pending)
    simple = (pending == layout.bucket_count[chosen]) & (bad == 0)  # a run of healthy pending ones
    simple &= healthy_at_most >= size
    slots_of_simple = _runs(first[simple], size[simple])
    rest = np.flatnonzero(~simple)
    if not len(rest):
        return sets, slots_of_simple, np.cumsum(size)
    # everything else: look at each candidate of these buckets
    length = layout.bucket_count[chosen[rest]]
    slots = _runs(first[rest], length)
    batch = np.repeat(np.arange(len(rest)), length)
    life = facts.life[slots]
    is_pending = (life & c.STATE_BITS) == Life.PENDING
    slots, batch, life = slots[is_pending], batch[is_pending], life[is_pending]
    well = WEIGHTS[BAD][life] == 0
    starts = np.searchsorted(batch, np.arange(len(rest)))
    well_before = np.cumsum(well) - well
    well_before -= well_before[starts][batch]
    place = np.arange(len(batch)) - starts[batch]
    at_most = np.maximum(healthy_at_most[rest], well[starts])[batch]
    taken_before = np.minimum(well_before, at_most) + (place - well_before)
    is_in = (taken_before < cap[rest][batch]) & (~well | (well_before < at_most))
    slots, batch = slots[is_in], batch[is_in]
    size[rest] = np.bincount(batch, minlength=len(rest))
    ends = np.cumsum(size)
    found = np.empty(int(ends[-1]), np.int64)
    is_simple = np.repeat(simple, size)
    found[is_simple] = slots_of_simple
    found[~is_simple] = slots
    return sets, found, ends


def _runs(first: Ints, length: Ints) -> Ints:
    """Return the numbers of all runs, one run after the other."""
    ends = np.cumsum(length)
    if not len(ends):
        return np.zeros(0, np.int64)
    steps = np.ones(int(ends[-1]), np.int64)
    has = length > 0
    heads = np.concatenate(([0], ends[has][:-1]))
    tails = (first + length)[has]
    steps[heads] = first[has]
    steps[heads[1:]] -= tails[:-1] - 1
    return np.cumsum(steps)
