"""Sections 7 and 8: whose report counts, and which reports leave the state as it is."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from attrs import evolve
from fleets import STEP_MS, Story, a_set, a_story, vm

import phasegate as pg
from phasegate.core.codes import TIME_MAX
from phasegate.core.events import What
from phasegate.core.facts import Ignored
from phasegate.core.lifecycle import Do

ONE, OTHER = "eastus/web/0", "eastus/web/1"


def ignored(facts: list[Any]) -> list[tuple[str, str]]:
    """Return what was ignored, and why."""
    return [(fact.what, fact.why) for fact in facts if isinstance(fact, Ignored)]


def test_the_latest_observation_counts(kernel: Any) -> None:
    """Not the one that came in last; one observed at the same instant is a duplicate."""
    story = a_story(kernel)
    story.unhealthy(ONE, now=10, observed_at=5)
    assert ignored(story.healthy(ONE, now=20, observed_at=4)) == [("healthy", "stale")]
    assert ignored(story.healthy(ONE, now=20, observed_at=5)) == [("healthy", "duplicate")]
    assert story.health(ONE) == "unhealthy"
    assert ignored(story.healthy(ONE, now=20, observed_at=6)) == []
    assert story.health(ONE) == "healthy"


@pytest.mark.parametrize("now", [1, 2**16, 2**32, 2**47, TIME_MAX])
def test_the_order_of_reports_is_told_whenever_they_are_observed(kernel: Any, now: int) -> None:
    """To the millisecond, from 1970 to the last instant that there is; before the first report any counts."""
    story = a_story(kernel)
    story.unhealthy(ONE, now=now, observed_at=now - 1)
    assert ignored(story.healthy(ONE, now=now, observed_at=now - 1)) == [("healthy", "duplicate")]
    assert ignored(story.healthy(ONE, now=now, observed_at=0)) == [("healthy", "stale" if now > 1 else "duplicate")]
    assert story.health(ONE) == "unhealthy"
    assert ignored(story.healthy(ONE, now=now)) == []
    assert story.health(ONE) == "healthy"


def test_reports_of_one_event_are_applied_in_their_order(kernel: Any) -> None:
    """Later observations win, whatever their place."""
    story = a_story(kernel)
    slots = [0, 0, 0]
    what = bytes([What.UNHEALTHY, What.UNKNOWN, What.HEALTHY])
    zeros = array("I", [0, 0, 0])
    facts = story.on(pg.Signals(array("I", slots), what, array("q", [3, 7, 5]), zeros, bytes(3), 9))
    assert (story.health(ONE), ignored(facts)) == ("unknown", [("healthy", "stale")])


def test_joined_reports_are_one_step(kernel: Any) -> None:
    """All parts in their order, settled once."""
    story = a_story(kernel)
    parts = [pg.Signals.of(What.UNHEALTHY, [0, 1], 5), pg.Signals.of(What.HEALTHY, [1], 6)]
    joined = pg.Signals.joined(parts, 6)
    assert len(joined) == 3
    story.on(joined)
    assert (story.health(ONE), story.health(OTHER)) == ("unhealthy", "healthy")


def test_listed_without_health_means_healthy(kernel: Any) -> None:
    """A count and a list alike."""
    assert a_story(kernel).health(ONE) == a_story(kernel, a_set(instances=[vm(0)])).health(ONE) == "healthy"


def test_a_report_from_the_epoch_counts(kernel: Any) -> None:
    """What the fleet lists was never observed."""
    story = a_story(kernel)
    story.unhealthy(ONE, now=0)
    assert story.health(ONE) == "unhealthy"


@pytest.mark.parametrize(("answers", "expected"), [(0, "healthy"), (1, "initializing"), (2, "initializing")])
def test_a_new_disk_begins_initializing(kernel: Any, answers: int, expected: str) -> None:
    """From disk replaced on; while it is replaced the old report stands."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    for _ in range(answers):
        story.answer(ONE)
    assert story.health(ONE) == expected


def test_a_restored_disk_begins_initializing_and_a_failed_one_unknown(kernel: Any) -> None:
    """And reports from before that are stale."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.report(What.FAILED, ONE, now=5)
    story.unhealthy(ONE, now=6)
    story.on(pg.Tick(10))
    story.answer(ONE)
    assert story.health(ONE) == "initializing"
    assert ignored(story.healthy(ONE, now=11, observed_at=8)) == [("healthy", "stale")]
    story.healthy(ONE, now=12)
    assert story.health(ONE) == "healthy"
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.report(What.FAILED, ONE)
    story.report(What.RESTORE_FAILED, ONE, now=20)
    assert story.health(ONE) == "unknown"
    assert ignored(story.healthy(ONE, now=21, observed_at=18)) == [("healthy", "stale")]
    story.healthy(ONE, now=22)
    assert story.health(ONE) == "healthy"


def test_a_new_instance_begins_initializing(kernel: Any) -> None:
    """Whatever somebody wrote of its health; reports from before it was there are stale."""
    story = a_story(kernel, now=50)
    story.on(pg.Scaled("eastus/web", 50, added=[vm(9, health="healthy")]))
    assert story.health("eastus/web/9") == "initializing"
    assert ignored(story.healthy("eastus/web/9", observed_at=48)) == [("healthy", "stale")]
    story.healthy("eastus/web/9", observed_at=50)
    assert story.health("eastus/web/9") == "healthy"


def test_initializing_counts_for_no_gate(kernel: Any) -> None:
    """Every instance initializing, and a batch may start."""
    story = a_story(kernel).roll_out()
    story.report(What.INITIALIZING, *story.names(), now=1)
    assert story.selected() == [[ONE]]
    assert story.engine.counts(story.state) == (0, 0)


def test_counts_of_the_fleet_follow_health_and_flight(kernel: Any) -> None:
    """In flight, and not healthy."""
    story = a_story(kernel, a_set(instances=10)).roll_out()
    story.unhealthy(OTHER, now=1)
    assert story.engine.counts(story.state) == (0, 1)
    story.healthy(OTHER, now=2)
    story.start(ONE)
    assert story.engine.counts(story.state) == (1, 0)


def flying(kernel: Any) -> Story:
    """Return a story with one instance in `replacing`."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    return story


@pytest.mark.parametrize(
    "fields",
    [
        {"attempt": 0},
        {"attempt": 2},
        {"answers": Do.CONFIGURE},
        {"answers": Do.NOTHING},
        {"answers": Do.RESTORE},
    ],
)
def test_a_report_that_does_not_name_the_open_command_is_late(kernel: Any, fields: dict[str, Any]) -> None:
    """Another attempt, another kind, or none."""
    story = flying(kernel)
    before = story.state
    facts = story.report(What.DISK_REPLACED, ONE, **{"answers": Do.REPLACE} | fields)
    assert ignored(facts) == [("disk-replaced", "late")]
    assert story.state == before


def test_an_answer_of_the_attempt_before_is_late(kernel: Any) -> None:
    """The same instance, the same kind of command, the next rollout."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    story.start()
    story.report(What.FAILED, ONE)
    story.answer()
    story.roll_out(sets=("eastus/web",))
    story.start()
    assert ignored(story.report(What.DISK_REPLACED, ONE, attempt=1)) == [("disk-replaced", "late")]
    assert ignored(story.report(What.DISK_REPLACED, ONE, attempt=2)) == []


def test_a_second_answer_is_late(kernel: Any) -> None:
    """Duplicates leave the state as it is."""
    story = flying(kernel)
    story.report(What.DISK_REPLACED, ONE)
    before = story.state
    assert ignored(story.report(What.DISK_REPLACED, ONE, answers=Do.REPLACE)) == [("disk-replaced", "late")]
    assert story.state == before


def test_reports_about_instances_that_are_gone_are_counted(kernel: Any) -> None:
    """Health and answers alike."""
    story = flying(kernel)
    story.on(pg.Scaled("eastus/web", 0, removed=("0",)))
    before = story.state
    for what in (What.HEALTHY, What.DISK_REPLACED):
        facts = story.on(pg.Signals.of(what, [0], 0, attempt=1, answers=Do.REPLACE))
        assert ignored(facts) == [(what.word, "gone")]
    assert story.state == before


def test_some_of_many_reports_may_be_late(kernel: Any) -> None:
    """The others count."""
    story = a_story(kernel, max_batch_percent=50).roll_out()
    story.start(ONE, OTHER)
    story.answer(ONE)
    facts = story.report(What.DISK_REPLACED, ONE, OTHER, answers=Do.REPLACE)
    assert [(fact.why, [*fact.slots]) for fact in facts if isinstance(fact, Ignored)] == [("late", [0])]
    assert story.lives() == {"0": "configuring", "1": "configuring", "2": "pending", "3": "pending"}


def answers_to(*told: tuple[What, int, Do], now: int = 0) -> pg.Signals:
    """Return one event with these reports of the first attempt: what, slot, the kind of command that it answers."""
    return pg.Signals.joined((pg.Signals.of(what, [slot], now, attempt=1, answers=do) for what, slot, do in told), now)


@pytest.mark.parametrize(
    ("first", "second", "life"),
    [
        ((What.DISK_REPLACED, 0, Do.REPLACE), (What.CONFIGURED, 0, Do.CONFIGURE), "configuring"),
        ((What.DISK_REPLACED, 0, Do.REPLACE), (What.FAILED, 0, Do.CONFIGURE), "configuring"),
        ((What.FAILED, 0, Do.REPLACE), (What.DISK_RESTORED, 0, Do.RESTORE), "restoring"),
        ((What.FAILED, 0, Do.REPLACE), (What.RESTORE_FAILED, 0, Do.RESTORE), "restoring"),
    ],
)
def test_an_answer_to_a_command_that_its_own_event_gives_is_late(
    kernel: Any, first: tuple[What, int, Do], second: tuple[What, int, Do], life: str
) -> None:
    """Nobody can have carried out what was not recorded before (section 10); the event after that may answer it."""
    story = flying(kernel)
    alone = story.engine.step(story.state, answers_to(first)).state
    facts = story.on(answers_to(first, second))
    assert ignored(facts) == [(second[0].word, "late")]
    assert (story.life(ONE).word, story.state) == (life, alone)
    assert ignored(story.on(answers_to(second))) == []


def test_an_answer_to_a_restore_that_a_deadline_gives_in_the_same_step_is_late(kernel: Any) -> None:
    """The timers due before pass first, and what they command is not recorded yet either."""
    story = flying(kernel)
    restored = (What.DISK_RESTORED, 0, Do.RESTORE)
    facts = story.on(answers_to(restored, now=STEP_MS + 1))
    assert (ignored(facts), story.life(ONE).word) == ([("disk-restored", "late")], "restoring")
    assert ignored(story.on(answers_to(restored, now=STEP_MS + 1))) == []


def test_only_the_instances_that_an_event_commands_cannot_answer_in_it(kernel: Any) -> None:
    """Others answer commands of the same kind that were open before, and a duplicate takes nobody's answer away."""
    story = a_story(kernel, a_set(instances=20), max_batch_percent=50).roll_out()
    story.start()
    story.answer(OTHER)
    facts = story.on(
        answers_to(
            (What.DISK_REPLACED, 1, Do.REPLACE),  # again: the instance is configuring since before
            (What.DISK_REPLACED, 9, Do.REPLACE),
            (What.CONFIGURED, 1, Do.CONFIGURE),
            (What.CONFIGURED, 9, Do.CONFIGURE),
        )
    )
    assert [(fact.what, [*fact.slots]) for fact in facts if isinstance(fact, Ignored)] == [
        ("disk-replaced", [1]),
        ("configured", [9]),
    ]
    assert (story.life(OTHER).word, story.life("eastus/web/9").word) == ("verifying", "configuring")


def test_what_an_event_commanded_is_forgotten_with_it(kernel: Any) -> None:
    """From another state on, the next event stands for itself."""
    story = flying(kernel)
    replaced, configured = (What.DISK_REPLACED, 0, Do.REPLACE), (What.CONFIGURED, 0, Do.CONFIGURE)
    before = story.engine.step(story.state, answers_to(replaced)).state
    story.engine.step(story.state, answers_to(replaced))
    step = story.engine.step(before, answers_to(configured))
    assert ignored(list(step.facts)) == []


GOOD = pg.Signals.of(What.HEALTHY, [0, 1], 5)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (evolve(GOOD, slots=array("I", [0])), "not of one length"),
        (evolve(GOOD, what=b"\0"), "not of one length"),
        (evolve(GOOD, observed_at=array("q", [5])), "not of one length"),
        (evolve(GOOD, attempt=array("I", [0])), "not of one length"),
        (evolve(GOOD, answers=b"\0\0\0"), "not of one length"),
        (evolve(GOOD, slots=array("I", [0, 4])), "slot 4 is beyond the 4 that there are"),
        (evolve(GOOD, slots=array("Q", [0, 1])), "not of the types"),
        (evolve(GOOD, observed_at=array("d", [5, 5])), "not of the types"),
        (evolve(GOOD, attempt=array("i", [0, 0])), "not of the types"),
        (evolve(GOOD, what=b"\0\x09"), "what is no `What`"),
        (evolve(GOOD, answers=b"\0\4"), "answers what is no `Do`"),
        (evolve(GOOD, observed_at=array("q", [5, 6])), "observed after 5, when it came in"),
        (evolve(GOOD, observed_at=array("q", [5, -1])), "or before 0"),
    ],
)
def test_a_malformed_report_is_refused_whole(kernel: Any, event: pg.Signals, message: str) -> None:
    """Not even its good part moves anything."""
    story = a_story(kernel)
    before = story.state
    with pytest.raises(pg.InvalidEvent, match=message):
        story.on(event)
    assert (story.state is before, story.on(GOOD)) == (True, [])


def test_no_reports_are_no_harm(kernel: Any) -> None:
    """An empty event is a step in time."""
    story = a_story(kernel)
    assert (story.on(pg.Signals.of(What.HEALTHY, [], 5)), story.now) == ([], 5)
