"""Runs to make pages of: bent rules, promises that do not hold, names that attack, and a long one."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from attrs import evolve
from fleets import a_fleet, a_set, vm
from oracle_models.defects import DEFECTS
from oracle_models.scenarios import a_scenario
from scenes import NeverStarts, two_windows

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act, Freedom
from phasegate.core.exploring.twin import Explorer, Move
from phasegate.core.lifecycle import Life
from phasegate.core.twin import Kernel as Twin
from phasegate.verifying.promise import Custom, always
from phasegate.verifying.result import Bounds, Broken, Result
from phasegate.verifying.run import verify
from phasegate.verifying.trace import Teller, Trace

SCRIPT = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
HOSTILE = '"><img src=x onerror=window.hacked=1>'
FOREIGN = "ünïcode 日本 🙂 &amp; 'quoted'"


@always(reads=("restored",))
def none_restored(state: Any) -> bool:
    """Nobody is ever rolled back."""
    return bool(state.restored == 0)


def bent(name: str, patch: pytest.MonkeyPatch) -> Result:
    """Return what a run shows of one of the seeded defects, bent into the twin."""
    defect = next(one for one in DEFECTS if one.name == name)
    defect.bend(patch)
    return verify(defect.scenario(), kernel=Twin)


def rolled_back() -> Result:
    """Return a run of four instances, one of them not healthy from the beginning, to the first that is rolled back."""
    sick = vm(3, health="unhealthy")
    scenario = a_scenario(
        a_fleet(a_set(instances=[vm(0), vm(1), vm(2), sick])), Freedom(failed_steps=1, lost_reports=0)
    )
    named = evolve(scenario, name="rolled back", policy=scenario.policy.evolve(max_unhealthy_percent=25))
    return verify(named, promises=[none_restored], kernel=Twin)


def waiting_zones() -> Result:
    """Return a run in which zones wait for one another, to the first that is rolled back."""
    fleet = a_fleet(a_set(instances=[vm(ident, str(1 + ident % 3)) for ident in range(6)]))
    return verify(a_scenario(fleet, Freedom(failed_steps=1, lost_reports=0)), promises=[none_restored], kernel=Twin)


def endless() -> Result:
    """Return a run without an end: two windows open and close, and nothing ever starts."""
    return verify(two_windows(), kernel=NeverStarts)


def hostile() -> Result:
    """Return a run in which whatever has a name has one that would rather be markup."""
    fleet = a_fleet(a_set(f"{FOREIGN}/{HOSTILE}", [vm(HOSTILE), vm(FOREIGN)]))
    scenario = evolve(a_scenario(fleet, Freedom(failed_steps=1)), name=SCRIPT, about=f"{SCRIPT} \ud800")
    promise = Custom(SCRIPT, "always", none_restored.predicate, ("restored",))
    return verify(scenario, promises=[promise], kernel=Twin)


@cache
def long_run(steps: int = 300, instances: int = 60) -> Result:
    """Return a run of many steps: one set after the other, all of it well but for a failure now and then."""
    sets = [
        a_set(f"eastus/web{s}", [vm(ident, str(1 + ident % 3)) for ident in range(instances // 3)], upgrade_domains=1)
        for s in range(3)
    ]
    whole = Freedom(failed_steps=9, health_flips=99, lost_reports=0)
    lenient = a_scenario(a_fleet(*sets), whole, max_unhealthy_upgraded_percent=100, max_unhealthy_percent=100)
    scenario = evolve(lenient, about="Three sets, one after the other")
    result = verify(scenario, kernel=Twin, bounds=Bounds(states=50))
    twin = Explorer(scenario.subject(Twin), is_symmetric=False)
    twin.open.settle_times()
    teller = Teller(twin, twin.subject.engine)
    teller.begin(twin.subject)
    first = teller.state
    for number in range(steps):
        teller.tell(min(twin.moves(), key=lambda move: _liking(twin, move, number)))
    teller.end(of=None, name="never", sentence="never")
    trace = Trace(engine=teller.engine, first=first, steps=tuple(teller.steps), lines=tuple(teller.lines))
    broken = Broken(name="never", number=None, sentence="never")
    return evolve(result, verdict="violated", reason=None, broken=broken, trace=trace)


def _liking(twin: Explorer, move: Move, number: int) -> tuple[int, int]:
    """Return how gladly an act is taken: what leads on first, of batches the largest."""
    act = Act(move[0])
    if act is Act.HEALTHY:
        return (1 if twin.v.life[move[1]] & c.STATE_BITS == Life.VERIFYING else 8), 0
    order = {Act.ANSWER: 0, Act.START: 2, Act.DELAY: 3, Act.UNHEALTHY: 9, Act.FAIL: 9}
    if act in (Act.FAIL, Act.UNHEALTHY) and number % 37 == 36:
        return -1, 0
    return order.get(act, 99), -move[3].bit_count()
