"""Section 7: what is selected is picked one batch at a time, each the first in order of all that is legal by then."""

from __future__ import annotations

from random import Random
from typing import Any

from fleets import UBUNTU, a_fleet, a_set, a_story, vm
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wild import Moody

import phasegate as pg
from phasegate.core.model import Group, RollingPolicy
from phasegate.core.state import State

BAD = (pg.Health.UNHEALTHY, pg.Health.UNKNOWN)
ZONES = ("1", "2", "3", None)  # in order: who has no zone comes last


# --- the same by hand ------------------------------------------------------------------------------------------------


def one_by_one(engine: pg.Engine, state: State) -> list[pg.Batch]:
    """Return what is to be selected: the first batch starts, then what is legal after it is looked at anew."""
    found: list[pg.Batch] = []
    while choices := engine.legal(state):
        batch = first_of(engine, state, choices)
        found.append(batch)
        state = engine.step(state, pg.Start([batch], state.now)).state
    return found


def first_of(engine: pg.Engine, state: State, choices: tuple[pg.Choice, ...]) -> pg.Batch:
    """Return the batch of the first candidate of each set, of all sets that at the first place: region, cell, set."""
    places = []
    for name in dict.fromkeys(choice.set for choice in choices):
        first, choice = min(
            (
                (rank(engine, state, name, slot), choice)
                for choice in choices
                if choice.set == name
                for slot in choice.candidates
            ),
            key=lambda entry: entry[0],
        )
        places.append((name.partition("/")[0], first[1], name, choice))
    chosen = min(places, key=lambda place: place[:3])[-1]
    return pg.Batch(chosen.set, filled(engine, state, chosen))


def rank(engine: pg.Engine, state: State, name: str, slot: int) -> tuple[bool, int, int, int]:
    """Return where a candidate stands in its set: where unhealthy ones go first, before all others if it is one."""
    model = next(one for one in engine.fleet.sets if one.full_name == name)
    (ident,) = engine.ids(state, [slot])
    instance = next(one for one in model.instances if one.id == ident)
    is_later = bool(model.rolling_policy.prioritize_unhealthy) and engine.health(state, slot) not in BAD
    return is_later, ZONES.index(instance.zone), instance.upgrade_domain, int(ident)


def filled(engine: pg.Engine, state: State, choice: pg.Choice) -> list[int]:
    """Return the batch from the candidates of a choice: the first, then each with which both numbers still hold."""
    batch: list[int] = []
    well = 0
    for slot in choice.candidates:
        is_well = engine.health(state, slot) not in BAD
        if not batch or (len(batch) < choice.at_most and well + is_well <= choice.healthy_at_most):
            batch.append(slot)
            well += is_well
    return batch


# --- fleets in which sets are in one another's way -------------------------------------------------------------------


def a_crowded_fleet(chance: Random) -> pg.Fleet:
    """Return up to two regions with up to six small sets, in zones that they share, and in groups."""
    sets = []
    for at in range(chance.randint(2, 6)):
        name = f"{chance.choice(('east', 'east', 'west'))}/s{at}"
        zones = chance.sample(ZONES, chance.randint(1, 3))
        rows = [
            vm(
                number,
                chance.choice(zones),
                upgrade_domain=chance.randrange(2),
                health=chance.choice(("healthy", "healthy", "unhealthy", "unknown")),
            )
            for number in range(chance.randint(1, 4))
        ]
        own = RollingPolicy(
            prioritize_unhealthy=chance.random() < 0.7,
            enable_cross_zone=chance.random() < 0.15,
            max_batch_percent=chance.choice((20, 50, 100)),
        )
        sets.append(
            a_set(
                name, rows, tags={"team": chance.choice("xy")}, upgrade_domains=2, zones=ZONES[:3], rolling_policy=own
            )
        )
    names = [one.full_name for one in sets]
    cells = [f"{region}/{zone or '-'}" for region in sorted({one.region for one in sets}) for zone in ZONES]
    groups = []
    for at in range(chance.randint(0, 3)):
        counts: Any = chance.choice(("instances", "sets", "cells"))
        among = cells if counts == "cells" else names
        groups.append(
            Group(
                name=f"g{at}",
                counts=counts,
                limit=chance.randint(1, 2),
                members=[member for member in among if chance.random() < 0.6],
            )
        )
    conflicts = [tuple(chance.sample(cells, 2)) for _ in range(chance.randint(0, 1))]
    return a_fleet(*sets, groups=groups, conflicts=conflicts)


def begun(kernel: Any, fleet: pg.Fleet, *, also: Any = ()) -> tuple[pg.Engine, State]:
    """Return the fleet with a manual rollout of all its sets begun, so that none of them waits for a phase."""
    story = a_story(kernel, fleet, max_unhealthy_percent=100, also=also)
    story.roll_out(UBUNTU.name, sets=tuple(one.full_name for one in fleet.sets), started_by="user")
    return story.engine, story.state


# --- what must be ----------------------------------------------------------------------------------------------------


def test_a_set_that_falls_back_on_an_earlier_cell_goes_first_there(kernel: Any) -> None:
    """Zone 2 is taken before the zone of its unhealthy one; in zone 2 it comes before those of a later name."""
    fleet = a_fleet(
        a_set(
            "east/a",
            [vm(0, "2"), vm(1, "3", health="unhealthy")],
            rolling_policy=RollingPolicy(prioritize_unhealthy=True),
        ),
        a_set("east/b", [vm(0, "2")]),
        a_set("east/c", [vm(0, "2")]),
        groups=[Group(name="quorum", counts="instances", limit=1, members=["east/a", "east/c"])],
    )
    engine, state = begun(kernel, fleet)
    assert ["east/b", "east/a"] == [batch.set for batch in engine.select(state)]
    assert one_by_one(engine, state) == list(engine.select(state))


def test_a_set_that_loses_its_only_cell_waits(kernel: Any) -> None:
    """Where unhealthy ones go first, it would be looked at again in another cell, but it has none."""
    prioritized = RollingPolicy(prioritize_unhealthy=True)
    fleet = a_fleet(
        a_set("east/a", [vm(0, "3", health="unhealthy")], rolling_policy=prioritized),
        a_set("east/b", [vm(0, "1"), vm(1, "3", health="unhealthy")], rolling_policy=prioritized),
        a_set("east/c", [vm(0, "1")]),
    )
    engine, state = begun(kernel, fleet)
    selected = engine.select(state)
    assert [("east/c", ["0"]), ("east/b", ["0"])] == [(batch.set, engine.ids(state, batch.slots)) for batch in selected]
    assert one_by_one(engine, state) == list(selected)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_each_pick_is_the_first_after_those_before_it(kernel: Any, seed: int) -> None:
    """Whatever sets, cells and groups are there, whether users' policies are asked or not."""
    chance = Random(seed)
    fleet = a_crowded_fleet(chance)
    engine, state = begun(kernel, fleet, also=[Moody(chance.choice((1, 4, 5)))] if chance.random() < 0.3 else [])
    assert one_by_one(engine, state) == list(engine.select(state))


def test_a_set_kept_from_its_cell_by_another_region_falls_back_on_the_next(kernel: Any) -> None:
    """Where users' policies are asked, all regions are looked at together: a pick in one moves a set in another on."""
    fleet = a_fleet(
        a_set("east/a", [vm(0, "1")], tags={"team": "y"}),
        a_set("west/b", [vm(0, "1"), vm(1, "2")], tags={"team": "y"}),
        a_set("west/c", [vm(0, "2")], tags={"team": "y"}),
        conflicts=[("east/1", "west/1")],
    )
    engine, state = begun(kernel, fleet, also=[Moody(1)])
    selected = engine.select(state)
    assert [("east/a", ["0"]), ("west/b", ["1"]), ("west/c", ["0"])] == [
        (batch.set, engine.ids(state, batch.slots)) for batch in selected
    ]
    assert one_by_one(engine, state) == list(selected)
