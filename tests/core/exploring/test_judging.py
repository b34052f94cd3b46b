"""The judge notices what is wrong in a state, whoever made it wrong: columns are changed behind the kernel's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import phasegate as pg
from phasegate.core import codes as c
from phasegate.core.events import Rollout
from phasegate.core.exploring.acts import Act, Freedom
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import NOW, Subject
from phasegate.core.exploring.twin import Explorer
from phasegate.core.lifecycle import Life
from phasegate.core.model import Group
from phasegate.core.twin import Kernel as Twin

IMAGE = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")


def explorer(**promised: frozenset[int]) -> Explorer:
    """Return an explorer of one set of two in a group, before its rollout's first batch."""
    image = pg.Image(IMAGE, [pg.ImageVersion("1.0"), pg.ImageVersion("2.0")])
    scale_set = pg.ScaleSet(name="web", region="r", image=IMAGE, instances=2, upgrade_domains=1)
    group = Group(name="all", counts="instances", members=("r/web",), limit=2)
    fleet = pg.Fleet(regions=[pg.Region("r")], images=[image], sets=[scale_set], groups=[group])
    engine = pg.Engine(fleet, pg.policies.availability_first(delays=False), kernel=Twin)
    start = (Rollout(IMAGE.name, NOW),)
    made = Explorer(Subject(engine=engine, start=start, freedom=Freedom(), **promised), is_symmetric=False)  # type: ignore[arg-type]  # `promises`
    made.write(made.first)
    return made


def tally(v: Any) -> None:
    """Count one more who is not healthy."""
    v.tally[c.TALLY_BAD] += 1


def pending(v: Any) -> None:
    """Count one pending instance as excluded."""
    v.tally[Life.PENDING] -= 1
    v.tally[Life.EXCLUDED] += 1


def holds(v: Any) -> None:
    """Count a hold that nobody has."""
    v.holds[0] += 1


def working(v: Any) -> None:
    """Count a set at work that is not."""
    v.working[0] += 1


def used(v: Any) -> None:
    """Count one in flight in the group."""
    v.used[0] += 1


def too_late(v: Any) -> None:
    """Count one who joined too late."""
    v.tally[c.TALLY_TOO_LATE] += 1


@pytest.mark.parametrize("bend", [tally, pending, holds, working, used, too_late])
def test_counters_that_do_not_add_up_are_noticed(bend: Callable[[Any], None]) -> None:
    """Each counter is counted anew."""
    made = explorer()
    assert 0 == made.judge.state()
    bend(made.v)
    assert Promise.COUNTS_ADD_UP == made.judge.state()


def test_a_promise_that_is_not_asked_for_does_not_count() -> None:
    """Only those of the subject do."""
    made = explorer(promises=frozenset({int(Promise.PAIRS_APART)}))
    tally(made.v)
    assert 0 == made.judge.state()


def test_nobody_starts_on_what_failed_there() -> None:
    """Nor is anybody started who is excluded, or has the target."""
    made = explorer()
    move = next(move for move in made.moves() if move[0] == Act.START)
    assert 0 == made.judge.before(move)
    made.v.failed[0] = made.v.link[c.LINK_TARGET]
    assert Promise.TARGET_UNTOUCHED == made.judge.before(move)


def test_whoever_is_in_flight_was_started() -> None:
    """An act that is no start brings nobody into flight."""
    made = explorer()
    move = (Act.UNHEALTHY, 0, 0, 0)
    made.judge.before(move)
    made.kernel.put(0, Life.VERIFYING, 0)
    made.v.link[c.LINK_HOLD] = 0
    made.kernel.refresh()
    assert Promise.TARGET_UNTOUCHED in _broken(made, move)


def test_a_start_leads_to_replacing() -> None:
    """Whoever is started is replaced first."""
    made = explorer()
    move = next(move for move in made.moves() if move[0] == Act.START)
    made.judge.before(move)
    made.kernel.put(0, Life.REPLACING, 0)
    assert Promise.LIVES_AS_WRITTEN not in _broken(made, move)
    made.kernel.put(0, Life.VERIFYING, 0)
    assert {Promise.LIVES_AS_WRITTEN} == _broken(made, move)


def test_a_disk_that_is_brought_back_is_the_one_that_was_there() -> None:
    """Its version is that of the start of the batch."""
    made = explorer()
    made.kernel.put(0, Life.RESTORING, 0)
    made.ghost[0] = 1
    move = (Act.ANSWER, 0, 0, 0)
    made.judge.before(move)
    made.kernel.put(0, Life.RESTORED, 3)
    made.v.version[0] = 2
    assert Promise.OWN_DISK_BACK in _broken(made, move)


def test_a_manual_rollout_restores_nobody() -> None:
    """Whatever was asked of it."""
    made = explorer()
    made.kernel.put(0, Life.VERIFYING, 0)
    made.v.trait[0] |= c.MANUAL
    move = (Act.DEADLINE, 0, 0, 0)
    made.judge.before(move)
    made.kernel.put(0, Life.RESTORING, 0)
    assert Promise.MANUAL_NEVER_RESTORES in _broken(made, move)


def test_a_healthy_environment_leaves_nobody_behind() -> None:
    """Where all has ended, whoever is pending still breaks the promise; a set that had no attempt does not."""
    made = explorer()
    made.v.course[0] = c.RO_COMPLETED
    assert Promise.EVERYONE_UPGRADED == made.judge.end(is_benign=True)
    assert 0 == made.judge.end(is_benign=False)
    made.v.status[0] = c.NONE
    assert 0 == made.judge.end(is_benign=True)


def test_a_report_from_before_the_swap_is_stale() -> None:
    """Once its disk is replaced, an instance has heard of nothing before."""
    made = explorer()
    made.kernel.put(0, Life.REPLACING, 0)
    move = (Act.ANSWER, 0, 0, 0)
    made.judge.before(move)
    made.kernel.put(0, Life.CONFIGURING, 0)
    made.v.observe(0, NOW - 1)
    assert Promise.LIVES_AS_WRITTEN in _broken(made, move)  # it is healthy still
    made.kernel.put(0, Life.CONFIGURING, 3)
    assert Promise.LIVES_AS_WRITTEN not in _broken(made, move)
    made.v.observe(0, NOW - 2)
    assert Promise.LIVES_AS_WRITTEN in _broken(made, move)


def _broken(made: Explorer, move: Any) -> set[Promise]:
    """Return every promise that the act has broken in the life of an instance."""
    return set(made.judge._lived(move))
