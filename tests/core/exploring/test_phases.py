"""Whether phases open and rollouts end as what was lost says: columns are changed behind the kernel's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import phasegate as pg
from phasegate.core import codes as c
from phasegate.core.events import Rollout
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import NOW, Subject
from phasegate.core.exploring.twin import Explorer
from phasegate.core.lifecycle import Life
from phasegate.core.twin import Kernel as Twin

IMAGE = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
ORDERS = {Promise.PHASES_IN_ORDER}
STOPS = {Promise.STOPPED_FOR_A_REASON}


def explorer(*, sets: tuple[str, ...] | None = None) -> Explorer:
    """Return an explorer of two sets of two in one phase, or in a manual rollout of those that are named."""
    image = pg.Image(IMAGE, [pg.ImageVersion("1.0"), pg.ImageVersion("2.0")])
    models = [pg.ScaleSet(name=name, region="r", image=IMAGE, instances=2, upgrade_domains=1) for name in ("a", "b")]
    fleet = pg.Fleet(regions=[pg.Region("r")], images=[image], sets=models)
    policy = pg.policies.availability_first(delays=False, phase_failure_percent=50)
    engine = pg.Engine(fleet, policy, kernel=Twin)
    rollout = Rollout(IMAGE.name, NOW, sets=sets, started_by="platform" if sets is None else "user")
    orders = (Rollout(IMAGE.name, NOW, sets=("r/a",), started_by="user"),)
    made = Explorer(Subject(engine=engine, start=(rollout,), orders=orders), is_symmetric=False)
    made.write(made.first)
    return made


def judged(made: Explorer, bend: Callable[[Any], None], act: Act = Act.UNHEALTHY) -> set[Promise]:
    """Return what an act breaks that bends the columns so."""
    move = (act, 0, 0, 0)
    made.judge.before(move)
    bend(made.v)
    return set(made.judge.phases.judged(act))


def lives(made: Explorer, *states: Life) -> None:
    """Give the instances these states; those of set `a` come first. Their attempts have ended."""
    for slot, state in enumerate(states):
        made.kernel.put(slot, state, 0)
    for s in range(made.sets):
        made.v.status[s] = c.COMPLETED


def test_nothing_moves_and_nothing_is_broken() -> None:
    """An act that changes nothing keeps every promise."""
    assert set() == judged(explorer(), lambda v: None)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((Life.UPGRADED,) * 4, set()),
        ((Life.UPGRADED, Life.UPGRADED, Life.RESTORED, Life.FAILED), set()),  # half of them, which may be
        ((Life.UPGRADED, Life.PENDING, Life.RESTORED, Life.FAILED), ORDERS),
    ],
)
def test_a_phase_opens_where_the_one_before_succeeded(states: tuple[Life, ...], expected: set[Promise]) -> None:
    """Of those eligible at most as many are lost as may be."""
    made = explorer()
    lives(made, *states)

    def bend(v: Any) -> None:
        v.plan[c.PLAN_PHASE] = 1
        v.plan[c.PLAN_PHASES] = 2

    assert expected == judged(made, bend)


def test_a_phase_opens_when_its_attempts_have_ended() -> None:
    """All are upgraded, and one set goes on."""
    made = explorer()
    lives(made, *[Life.UPGRADED] * 4)
    made.v.status[1] = c.ROLLING

    def bend(v: Any) -> None:
        v.plan[c.PLAN_PHASE] = 1
        v.plan[c.PLAN_PHASES] = 2

    assert ORDERS == judged(made, bend)


def test_there_is_no_phase_after_the_last() -> None:
    """None is opened."""
    made = explorer()
    lives(made, *[Life.UPGRADED] * 4)

    def bend(v: Any) -> None:
        v.plan[c.PLAN_PHASE] = 1

    assert ORDERS == judged(made, bend)


def test_a_set_that_left_counts_for_no_phase() -> None:
    """Its instances are neither lost nor eligible."""
    made = explorer()
    lives(made, Life.UPGRADED, Life.UPGRADED, Life.PENDING, Life.PENDING)

    def bend(v: Any) -> None:
        v.course[0] = c.RO_COMPLETED

    assert set() == judged(made, bend)
    made.v.course[0] = c.RUNNING
    made.kernel.put(0, Life.RESTORED, 0)
    assert STOPS == judged(made, bend)
    made.v.course[0] = c.RUNNING
    made.v.mark[1] |= c.LEFT
    assert set() == judged(made, bend)


@pytest.mark.parametrize(
    ("upgraded", "course", "expected"),
    [
        (4, c.RO_COMPLETED, set()),
        (4, c.RO_HALTED, STOPS),
        (4, c.RO_CANCELLED, set()),
        (1, c.RO_HALTED, set()),
        (1, c.RO_COMPLETED, STOPS),
    ],
)
def test_a_rollout_ends_as_its_phase_says(upgraded: int, course: int, expected: set[Promise]) -> None:
    """It halts where too many are lost, and is completed where they are not."""
    made = explorer()
    lives(made, *[Life.UPGRADED] * upgraded, *[Life.RESTORED] * (4 - upgraded))

    def bend(v: Any) -> None:
        v.course[0] = course

    assert expected == judged(made, bend)
    assert set() == judged(made, bend)  # it has ended before


def test_a_rollout_is_completed_after_its_last_phase() -> None:
    """Not where one is left."""
    made = explorer()
    lives(made, *[Life.UPGRADED] * 4)

    def bend(v: Any) -> None:
        v.course[0] = c.RO_COMPLETED
        v.plan[c.PLAN_PHASES] = 2

    assert STOPS == judged(made, bend)


def test_a_rollout_without_phases_is_completed_where_no_attempt_faulted() -> None:
    """Faulted and cancelled ones count against it, those that left do not."""
    made = explorer(sets=("r/a", "r/b"))

    def bend(v: Any) -> None:
        v.course[0] = c.RO_COMPLETED

    assert set() == judged(made, bend)
    made.v.course[0] = c.RUNNING
    made.v.status[1] = c.FAULTED
    assert STOPS == judged(made, bend)
    made.v.course[0] = c.RUNNING
    made.v.mark[1] |= c.LEFT
    assert set() == judged(made, bend)


@pytest.mark.parametrize(
    ("lost", "eligible", "act", "expected"),
    [
        (1, 2, Act.ORDER, set()),
        (0, 2, Act.ORDER, ORDERS),
        (1, 1, Act.ORDER, ORDERS),
        (1, 2, Act.HEALTHY, ORDERS),  # only an event takes a set over
        (0, 0, Act.ORDER, ORDERS),
    ],
)
def test_what_is_taken_over_stays_lost(lost: int, eligible: int, act: Act, expected: set[Promise]) -> None:
    """Another rollout takes set `a`, of which one of two was restored; its phase goes on with set `b`."""
    made = explorer()
    lives(made, Life.UPGRADED, Life.RESTORED)
    made.v.status[1] = c.ROLLING

    def bend(v: Any) -> None:
        v.link[c.LINK_ROLLOUT] = 1
        v.plan[c.PLAN_LOST] += lost
        v.plan[c.PLAN_ELIGIBLE] += eligible

    assert expected == judged(made, bend, act)


def test_a_new_phase_begins_with_nothing_lost() -> None:
    """What was taken over of the phase before does not count in it."""
    made = explorer()
    lives(made, *[Life.UPGRADED] * 4)
    made.v.plan[c.PLAN_LOST], made.v.plan[c.PLAN_ELIGIBLE] = 2, 4

    def bend(v: Any) -> None:
        v.plan[c.PLAN_PHASE] = 1
        v.plan[c.PLAN_PHASES] = 2

    assert ORDERS == judged(made, bend)


def test_what_was_taken_over_counts_for_its_phase() -> None:
    """With three lost of four beside those that are there, it has failed."""
    made = explorer()
    lives(made, Life.UPGRADED, Life.UPGRADED, Life.RESTORED, Life.RESTORED)
    made.v.plan[c.PLAN_LOST], made.v.plan[c.PLAN_ELIGIBLE] = 1, 1

    def bend(v: Any) -> None:
        v.course[0] = c.RO_HALTED

    assert set() == judged(made, bend)
