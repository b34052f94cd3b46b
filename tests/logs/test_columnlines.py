"""Lines put together from columns: the bytes that an encoder makes of the facts, one by one."""

from __future__ import annotations

from random import Random

from fleets import HOUR, UBUNTU, a_fleet, a_set
from hypothesis import given, settings
from hypothesis import strategies as st
from wild import a_wild_event, a_wild_fleet, a_wild_policy

import phasegate as pg
from phasegate.core.events import Event
from phasegate.core.facts import Step
from phasegate.core.telling import Facts
from phasegate.logs.journal import Journal
from phasegate.simulating.environment import Environment
from phasegate.simulating.faultmodel import Faults
from phasegate.simulating.reports import Bulk, each, joined


def both(journals: tuple[Journal, Journal], event: Event, step: Step) -> None:
    """Assert that the lines of a step are what they are when every fact is made first."""
    one, other = journals
    assert one.lines(event, step) == other.lines(event, Step(step.state, Facts(step.facts.all())))


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_lines_are_what_an_encoder_makes_of_the_facts(seed: int) -> None:
    """Whatever happens."""
    random = Random(seed)
    engine = pg.Engine(a_wild_fleet(random), a_wild_policy(random, is_moody=True))
    journals = Journal(engine, {}), Journal(engine, {})
    state = engine.initial(0)
    for _ in range(40):
        event = a_wild_event(random, engine, state)
        try:
            step = engine.step(state, event)
        except pg.PhasegateError:
            continue
        both(journals, event, step)
        state = step.state


def test_names_are_quoted_as_they_must_be() -> None:
    """Quotation marks, backslashes and letters of any language, in lines of every kind that is put together."""
    name = 'eastus/w"é\\ b'
    engine = pg.Engine(a_fleet(a_set(name, 9, zones=("1", "2"))), pg.policies.availability_first())
    journals = Journal(engine, {}), Journal(engine, {})
    environment = Environment(engine, engine.fleet, Faults(), 0, 0, engine.compiled.statics)
    step = engine.step(engine.initial(0), pg.Rollout(UBUNTU.name, 0))
    both(journals, pg.Rollout(UBUNTU.name, 0), step)
    step = engine.step(step.state, pg.Tick(2 * HOUR))
    kinds = set()
    for _ in range(5):
        event: Event = pg.Start(engine.select(step.state), step.state.now)
        step = engine.step(step.state, event)
        both(journals, event, step)
        environment.observe(step.state, step.facts)
        for _ in range(3):
            now = environment.next_time()
            assert now is not None
            reports = environment.reports(step.state, now)
            assert all(isinstance(part, Bulk) for part in reports)
            event = joined(reports, now)
            step = engine.step(step.state, event)
            environment.observe(step.state, step.facts)
            alike = [
                journal.lines(event, step, some)
                for journal, some in zip(journals, (reports, each(reports)), strict=True)
            ]
            assert alike[0] == alike[1]
            kinds |= {line.split(b'"kind":"')[1].split(b'"')[0] for line in alike[0]}
    assert {b"signal", b"became", b"command", b"step"} <= kinds
    late = pg.Signals.of(pg.What.CONFIGURED, engine.members(step.state, name), step.state.now)
    both(journals, late, engine.step(step.state, late))
