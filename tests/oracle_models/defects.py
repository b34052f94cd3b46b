"""Four rules bent in ways that look reasonable: in the engine's twin in one place, in the model by one switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import networkx as nx
import pytest
from attrs import frozen
from fleets import a_fleet, a_set, vm

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.promises import Promise
from phasegate.core.lifecycle import Happening, Life
from phasegate.core.model import Fleet, Health
from phasegate.verifying.scenario import Scenario

from .scenarios import a_scenario


@frozen
class Defect:
    """A bent rule: its name in the model, where it shows, how it gets into the twin, and the promise that it breaks.

    `acts` is how many acts the shortest way to the broken promise has.
    """

    name: str
    scenario: Callable[[], Scenario]
    bend: Callable[[pytest.MonkeyPatch], None]
    promise: Promise
    acts: int


# --- a batch rounded up ----------------------------------------------------------------------------------------------


def _half_of_three() -> Scenario:
    return a_scenario(a_fleet(a_set(instances=3)), Freedom(), max_batch_percent=50)


def _cap_rounded_up(self: Any, s: int) -> int:
    total = self.v.tally[s * c.TALLY + c.TALLY_TOTAL]
    percent = self.v.percent[s * c.PERCENT + c.BATCH_PERCENT]
    return max(1, min(-(-total * percent // 100), total - 1))


# --- whoever was rolled back is well again ---------------------------------------------------------------------------


def _one_fails() -> Scenario:
    return a_scenario(a_fleet(a_set(instances=3)), Freedom(failed_steps=1), max_batch_percent=50)


def _gate_that_forgives(self: Any, s: int) -> bool:
    t, at = self.v.tally, s * c.TALLY
    bad = t[at + Life.FAILED] + t[at + c.TALLY_UPGRADED_BAD]
    attempted = t[at + Life.RESTORED] + t[at + Life.FAILED] + t[at + Life.UPGRADED]
    return bool(100 * bad > self.v.percent[s * c.PERCENT + c.UPGRADED_PERCENT] * attempted)


# --- a report is a report --------------------------------------------------------------------------------------------


def _one_stale_report() -> Scenario:
    return a_scenario(a_fleet(a_set(instances=2)), Freedom(stale_reports=1))


def _hear_everything(self: Any, slot: int, state: int, health: int, observed_at: int) -> int:
    self.v.observe(slot, observed_at)
    self.put(slot, state, health)
    if health == Health.HEALTHY and state == Life.VERIFYING:
        self.happen(Happening.HEALTHY, slot, c.BY_SIGNAL)
    return 0


# --- pairs as they are written ---------------------------------------------------------------------------------------


def _a_chain_of_pairs() -> Scenario:
    sets = [a_set("a/web", [vm(1, "1"), vm(2, "2")]), a_set("b/web", 1), a_set("c/web", 1)]
    return a_scenario(
        a_fleet(*sets, pairs={"a": "b", "b": "c", "c": "b"}),
        Freedom(lost_reports=0),
        sets=tuple(one.full_name for one in sets),
    )


def _as_written(fleet: Fleet) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(region.name for region in fleet.regions)
    graph.add_edges_from((region.name, region.pair) for region in fleet.regions if region.pair in graph)
    return graph


DEFECTS: Final = (
    Defect(
        "CEIL",
        _half_of_three,
        lambda patch: patch.setattr("phasegate.core.twin.selector.Selector.cap", _cap_rounded_up),
        Promise.BATCH_WITHIN_CAP,
        acts=1,
    ),
    Defect(
        "FORGIVE",
        _one_fails,
        lambda patch: patch.setattr("phasegate.core.twin.selector.Selector.upgraded_gate_broken", _gate_that_forgives),
        Promise.NOT_AFTER_THE_END,
        acts=4,
    ),
    Defect(
        "TRUST",
        _one_stale_report,
        lambda patch: patch.setattr("phasegate.core.twin.stepper.Stepper.hear", _hear_everything),
        Promise.LATE_MOVES_NOTHING,
        acts=3,
    ),
    Defect(
        "WRITTEN",
        _a_chain_of_pairs,
        lambda patch: patch.setattr("phasegate.policies.pairs.pair_graph", _as_written),
        Promise.PAIRS_APART,
        acts=5,
    ),
)
