"""What a kernel knows beside the state: who conflicts with whom, who belongs where, and the timeouts.

All of it is flat numbers made once by the engine from the fleet and its policies (`compiling`); it never changes while
the engine lives. Ragged lists are two arrays: where each list begins (`..._first`, one longer), and all of them in one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from attrs import frozen

Ragged = tuple["array[int]", "array[int]"]


def ragged(lists: Iterable[Sequence[int]]) -> Ragged:
    """Return the lists as where each begins, and all their items."""
    first, items = array("I", [0]), array("I")
    for some in lists:
        items.extend(some)
        first.append(len(items))
    return first, items


@frozen(kw_only=True, eq=False)
class Statics:
    """The flat numbers; regions are numbered by name, cells by region and zone, sets by region and name.

    `cell_rows` has `cell_words` 64-bit words a cell: the cells that it conflicts with. `cell_wakes` are the regions
    whose sets may go on once the cell is free, `group_sets` and `group_regions` those of a group that has room again.
    """

    life_table: bytes
    listed: int  # slots that the fleet lists: `order` begins with them, each in the place of its number, and keeps that
    cell_words: int
    cell_rows: array[int]
    cell_region: array[int]
    cell_wakes: Ragged
    cell_groups: Ragged
    region_sets: array[int]  # where each region's sets begin, one longer
    region_pairs: Ragged
    set_instance_groups: Ragged
    set_work_groups: Ragged
    group_limit: array[int]
    group_sets: Ragged
    group_regions: Ragged
    step_timeout_ms: int
    health_timeout_ms: int
    phase_bake_ms: int
    phase_failure_percent: int
    has_delays: bool
