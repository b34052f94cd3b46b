"""Starting what `select` has just answered is starting those batches, however they are given."""

from __future__ import annotations

from typing import Any

import pytest
from fleets import HOUR, UBUNTU, a_fleet, a_set, vm

import phasegate as pg


def an_engine(kernel: Any) -> pg.Engine:
    """Return an engine over listed and counted sets in two regions that are a pair."""
    rows = [vm(number, zone=str(number % 3 + 1), upgrade_domain=number % 2) for number in range(12)]
    fleet = a_fleet(
        a_set("eastus/web", rows), a_set("eastus/db", 9), a_set("westus/web", 4), pairs={"eastus": "westus"}
    )
    return pg.Engine(fleet, pg.policies.availability_first(), kernel=kernel)


def test_what_was_selected_starts_as_if_it_were_given_anew(kernel: Any) -> None:
    """State, commands and facts are the same as when every batch is checked."""
    engine = an_engine(kernel)
    state = engine.start(UBUNTU.name, now=0)
    state = engine.step(state, pg.Tick(2 * HOUR)).state
    batches = engine.select(state)
    assert batches
    anew = pg.Start([pg.Batch(batch.set, batch.slots) for batch in batches], state.now)
    selected = engine.step(state, pg.Start(batches, state.now))
    given = engine.step(state, anew)
    assert (given.state, given.facts) == (selected.state, selected.facts)


def test_what_was_selected_for_another_state_is_checked(kernel: Any) -> None:
    """Started once, it is not legal again; nothing moves."""
    engine = an_engine(kernel)
    state = engine.step(engine.start(UBUNTU.name, now=0), pg.Tick(2 * HOUR)).state
    batches = engine.select(state)
    after = engine.step(state, pg.Start(batches, state.now)).state
    with pytest.raises(pg.IllegalTransition):
        engine.step(after, pg.Start(batches, after.now))


def test_what_was_selected_is_checked_if_a_timer_passes_before_it_starts(kernel: Any) -> None:
    """The batch before it has run out of time by then: its set starts nothing while that is being restored."""
    engine = an_engine(kernel)
    state = engine.step(engine.start(UBUNTU.name, now=0), pg.Tick(2 * HOUR)).state
    state = engine.step(state, pg.Start(engine.select(state)[:1], state.now)).state
    batches = engine.select(state)
    later = state.now + 2 * HOUR
    given = pg.Start([pg.Batch(batch.set, batch.slots) for batch in batches], later)
    selected = pg.Start(batches, later)
    told = []
    for event in (given, selected):
        assert batches == engine.select(state)
        try:
            told.append(engine.step(state, event).state.digest)
        except pg.IllegalTransition as refused:
            told.append(str(refused))
    assert told[0] == told[1]
