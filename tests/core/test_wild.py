"""The random fleets and stories that the laws are held against are of every kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

import pytest
from wild import a_wild_event, a_wild_fleet, a_wild_policy

import phasegate as pg
from phasegate.core.facts import AttemptEnded, Became, Fact, Ignored, PhaseEnded, RolloutEnded
from phasegate.core.kernels import default_kernel
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, ScaleSet
from phasegate.core.topology import pair_graph

FLEETS_MANY = 300


@cache
def fleets() -> list[Fleet]:
    """Return many wild fleets, made once."""
    return [a_wild_fleet(Random(seed)) for seed in range(FLEETS_MANY)]


def rows(one: ScaleSet) -> list[pg.Instance]:
    """Return the listed instances of a set, none if it only has a count."""
    return [] if isinstance(one.instances, int) else list(one.instances)


def has_an_empty_zone(one: ScaleSet) -> bool:
    """Whether one of the set's zones has none of its instances, while others have."""
    return bool(rows(one)) and not {*one.zones} <= {row.zone for row in rows(one)}


def is_all_excluded(one: ScaleSet) -> bool:
    """Whether none of the set's instances may be touched."""
    return bool(rows(one)) and all(row.protect_from_scale_set_actions or row.skip_upgrade for row in rows(one))


def is_ragged(one: ScaleSet) -> bool:
    """Whether the set's zones have different numbers of instances."""
    placed = [row.zone for row in rows(one)]
    return len({placed.count(zone) for zone in one.zones}) > 1


def longest_chain(fleet: Fleet) -> int:
    """Return how many pairs the region with the most of them is in."""
    return max(dict(pair_graph(fleet).degree()).values(), default=0)


SHAPES: dict[str, Callable[[Fleet], bool]] = {
    "a fleet without sets": lambda fleet: not fleet.sets,
    "an empty set": lambda fleet: any(one.size == 0 for one in fleet.sets),
    "a set of one instance": lambda fleet: any(one.size == 1 for one in fleet.sets),
    "a region without zones": lambda fleet: any(not region.zones for region in fleet.regions),
    "a zone without instances": lambda fleet: any(has_an_empty_zone(one) for one in fleet.sets),
    "a ragged set": lambda fleet: any(is_ragged(one) for one in fleet.sets),
    "a zoneless set": lambda fleet: any(not one.zones and one.size for one in fleet.sets),
    "a zoneless instance in a zonal set": lambda fleet: any(
        one.zones and None in {row.zone for row in rows(one)} for one in fleet.sets
    ),
    "a set that is all excluded": lambda fleet: any(is_all_excluded(one) for one in fleet.sets),
    "a chain of pairs": lambda fleet: longest_chain(fleet) >= 2,
    "a pair that is not in the fleet": lambda fleet: any(region.pair == "elsewhere" for region in fleet.regions),
    "phase ordering numbers": lambda fleet: any(
        row.phase_ordering_number is not None for one in fleet.sets for row in rows(one)
    ),
    "a cross-zone set": lambda fleet: any(one.rolling_policy.enable_cross_zone for one in fleet.sets),
    "a service fabric set": lambda fleet: any(one.service_fabric is not None for one in fleet.sets),
    "a set with a window": lambda fleet: any(one.windows for one in fleet.sets),
    "a set of a gallery image": lambda fleet: any(one.image.is_gallery for one in fleet.sets),
    "a conflict of the user's": lambda fleet: bool(fleet.conflicts),
    "groups that overlap": lambda fleet: any(
        {*one.members} & {*other.members} for one in fleet.groups for other in fleet.groups if one.name < other.name
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_a_fleet_comes_up(shape: str) -> None:
    """At least in one of fifty."""
    assert sum(SHAPES[shape](fleet) for fleet in fleets()) >= FLEETS_MANY // 50


def test_every_thing_that_can_happen_comes_up() -> None:
    """In a hundred stories: every event, every state, every end, every reason to ignore a report."""
    seen: set[str] = set()
    for seed in range(100):
        chance = Random(seed)
        engine = pg.Engine(a_wild_fleet(chance), a_wild_policy(chance, is_moody=True), kernel=default_kernel())
        state = engine.start("Canonical/UbuntuServer/18.04-LTS", now=0)
        for _ in range(60):
            event = a_wild_event(chance, engine, state)
            seen.add(type(event).__name__)
            try:
                step = engine.step(state, event)
            except pg.PhasegateError as error:
                seen.add(type(error).__name__)
                continue
            seen |= {word for fact in step.facts for word in words_of(fact)}
            state = step.state
    events = {"Start", "Signals", "Tick", "Rollout", "Pause", "Resume", "Cancel", "Scaled", "Protected", "Configured"}
    events |= {"Applied"}
    ends = {f"attempt {status}" for status in ("completed", "faulted", "cancelled")}
    ends |= {f"rollout {status}" for status in ("completed", "faulted", "halted", "cancelled")}
    ends |= {f"phase {succeeded}" for succeeded in (True, False)}
    ignored = {f"ignored {why}" for why in ("late", "duplicate", "stale", "gone")}
    wanted = events | {"Published", "Replicated"} | {life.word for life in Life} | ends | ignored
    assert set() == wanted - seen


def words_of(fact: Fact) -> list[str]:
    """Return what a fact shows, in words."""
    match fact:
        case Became():
            return [fact.state.word]
        case AttemptEnded():
            return [f"attempt {fact.status}"]
        case RolloutEnded():
            return [f"rollout {fact.status}"]
        case Ignored():
            return [f"ignored {fact.why}"]
        case PhaseEnded():
            return [f"phase {fact.succeeded}"]
        case _:
            return []
