"""Sections 4, 7 and 8: timers before and at now, windows, delays, pauses between batches, pausing and resuming."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve, frozen
from fleets import CORP, HEALTH_MS, HOUR, MINUTE, NEW, OLD, UBUNTU, Story, a_fleet, a_set, a_story, vm

import phasegate as pg
from phasegate.core.codes import DEADLINES, TIME_MAX, TIMEOUT_MS_MAX
from phasegate.core.facts import Became
from phasegate.core.lifecycle import Life
from phasegate.core.model import Image, ImageVersion, Replica, Window
from phasegate.core.schedule import first_instant, later_instant

WEB, ONE = "eastus/web", "eastus/web/0"
THURSDAY = Window(day="thu", start="02:00", minutes=300)  # 1970-01-01 was a Thursday
DAY = 24 * HOUR


# --- before now, at now ----------------------------------------------------------------------------------------------


def verifying(kernel: Any) -> Story:
    """Return a story whose first instance must be healthy by `HEALTH_MS`."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    return story.configured(ONE)


def test_healthy_exactly_at_the_deadline_is_in_time(kernel: Any) -> None:
    """The timers due before now pass first, those due at now only with a tick."""
    story = verifying(kernel)
    story.healthy(ONE, now=HEALTH_MS)
    assert story.life(ONE) is Life.UPGRADED


def test_a_moment_later_is_too_late(kernel: Any) -> None:
    """However early it was observed."""
    story = verifying(kernel)
    story.healthy(ONE, now=HEALTH_MS + 1, observed_at=HEALTH_MS)
    assert (story.life(ONE), story.health(ONE)) == (Life.RESTORING, "healthy")


def test_a_tick_at_the_deadline_lets_it_pass(kernel: Any) -> None:
    """Then healthy at that very instant comes too late."""
    story = verifying(kernel)
    story.on(pg.Tick(HEALTH_MS))
    story.healthy(ONE, now=HEALTH_MS)
    assert story.life(ONE) is Life.RESTORING


def test_time_goes_forward_only(kernel: Any) -> None:
    """The same instant again is allowed, an earlier one is refused."""
    story = a_story(kernel)
    story.on(pg.Tick(5))
    story.on(pg.Tick(5))
    before = story.state
    with pytest.raises(pg.InvalidEvent, match="the event is of 4, the state of 5"):
        story.on(pg.Tick(4))
    assert story.state is before


@pytest.mark.parametrize("now", [-1, TIME_MAX + 1, True, 1.5, "5", None])
def test_a_time_is_whole_milliseconds(kernel: Any, now: Any) -> None:
    """Anything else is refused, at the beginning too."""
    story = a_story(kernel)
    with pytest.raises(pg.InvalidEvent, match="is not whole milliseconds"):
        story.on(pg.Tick(now))
    with pytest.raises(pg.InvalidEvent, match="is not whole milliseconds"):
        story.engine.initial(now)


def test_nothing_is_armed_before_anything_begins(kernel: Any) -> None:
    """And nothing after the end."""
    story = a_story(kernel, a_set(instances=1))
    assert story.engine.next_time(story.state) is None
    assert story.engine.next_time(story.roll_out().finish().state) is None


def test_many_timers_pass_in_one_step(kernel: Any) -> None:
    """Deadlines of two sets, long ago."""
    fleet = a_fleet(a_set("eastus/a", 1), a_set("eastus/b", 1))
    story = a_story(kernel, fleet).roll_out()
    story.start()
    story.configured()
    story.on(pg.Tick(DAY))
    assert [story.life(name) for name in ("eastus/a/0", "eastus/b/0")] == [Life.RESTORING] * 2


# --- far ahead, far behind -------------------------------------------------------------------------------------------

AROUND = (0, DEADLINES - HEALTH_MS, DEADLINES - 1, DEADLINES, 3 * DEADLINES - 7)  # where a column's numbers begin anew


@pytest.mark.parametrize("begin", AROUND)
@pytest.mark.parametrize("timeout", [1, HEALTH_MS, TIMEOUT_MS_MAX])
def test_a_deadline_is_told_whenever_it_is(kernel: Any, begin: int, timeout: int) -> None:
    """A moment before it is in time, a moment after it is not."""
    story = a_story(kernel, now=begin, health_timeout_ms=timeout).roll_out()
    story.start(ONE)
    story.configured(ONE)
    assert story.engine.next_time(story.state) == begin + timeout
    assert story.engine.explain(story.state, ONE).deadline == begin + timeout
    before = story.state
    story.healthy(ONE, now=begin + timeout)
    assert story.life(ONE) is Life.UPGRADED
    story.state = before
    story.healthy(ONE, now=begin + timeout + 1)
    assert story.life(ONE) is Life.RESTORING


@pytest.mark.parametrize("begin", AROUND)
@pytest.mark.parametrize("leap", [TIMEOUT_MS_MAX, TIMEOUT_MS_MAX + 1, DEADLINES, 5 * DEADLINES + 1])
@pytest.mark.parametrize("timeout", [90 * MINUTE, TIMEOUT_MS_MAX])
def test_what_passed_long_ago_stays_apart_from_what_comes_up(kernel: Any, begin: int, leap: int, timeout: int) -> None:
    """After years in which nobody looked, deadlines pass in their order; those of the restores are told from them."""
    fleet = a_fleet(a_set("eastus/a", 2), a_set("eastus/b", 2))
    options = {"max_batch_percent": 100, "max_unhealthy_percent": 100}
    story = a_story(kernel, fleet, now=begin, step_timeout_ms=timeout, **options).roll_out()
    story.start("eastus/b/0")
    story.start("eastus/a/0", now=begin + 1)
    facts = story.on(pg.Tick(begin + 1 + leap))
    became = [(fact.set, fact.state) for fact in facts if isinstance(fact, Became)]
    assert became == [("eastus/b", Life.RESTORING), ("eastus/a", Life.RESTORING)]
    assert story.engine.next_time(story.state) == story.now + timeout
    assert [story.engine.explain(story.state, name).deadline for name in ("eastus/a/0", "eastus/b/0")] == [
        story.now + timeout
    ] * 2
    story.on(pg.Tick(story.now + timeout - 1))
    assert story.life("eastus/a/0") is Life.RESTORING
    story.on(pg.Tick(story.now + 1))
    assert [story.life(name) for name in ("eastus/a/0", "eastus/b/0")] == [Life.FAILED] * 2


@pytest.mark.parametrize("name", ["health_timeout_ms", "step_timeout_ms"])
@pytest.mark.parametrize("timeout", [0, TIMEOUT_MS_MAX + 1])
def test_a_timeout_is_at_most_24_days(kernel: Any, name: str, timeout: int) -> None:
    """In the options of a policy, and in what any policy makes of the rules."""

    @frozen
    class Patient:
        def rules(self, fleet: pg.Fleet) -> Any:
            return evolve(pg.policies.availability_first().rules(fleet), **{name: timeout})

        def document(self) -> dict[str, object]:
            return {}

    refusal = f"^{timeout} is not between 1 and {TIMEOUT_MS_MAX} \\(at `{name}`\\)$"
    with pytest.raises(pg.InvalidModel, match=refusal):
        pg.policies.availability_first(**{name: timeout})
    with pytest.raises(pg.InvalidModel, match=refusal):
        pg.Engine(a_fleet(), Patient(), kernel=kernel)


# --- pause between batches -------------------------------------------------------------------------------------------


def test_a_pause_passes_between_batches(kernel: Any) -> None:
    """From the end of the batch on."""
    story = a_story(kernel, pause_between_batches_ms=HOUR).roll_out()
    story.start(ONE)
    story.on(pg.Tick(MINUTE))
    story.upgrade()
    assert story.why("eastus/web/1") == [f"not-before(time={HOUR + MINUTE})"]
    assert (story.earliest("eastus/web/1"), story.engine.next_time(story.state)) == (HOUR + MINUTE, HOUR + MINUTE)
    story.on(pg.Tick(HOUR + MINUTE - 1))
    assert story.selected() == []
    with pytest.raises(pg.IllegalTransition, match="not-before"):
        story.start("eastus/web/1")
    story.on(pg.Tick(HOUR + MINUTE))
    assert story.selected() == [["eastus/web/1"]]


def test_there_is_no_pause_before_the_first_nor_after_the_last_batch(kernel: Any) -> None:
    """It is between batches."""
    story = a_story(kernel, a_set(instances=1), pause_between_batches_ms=HOUR).roll_out()
    assert story.selected() == [[ONE]]
    assert story.finish().status() == "completed"


@pytest.mark.parametrize(("paused_at", "resumed_at"), [(10 * MINUTE, 40 * MINUTE), (10 * MINUTE, 5 * HOUR)])
def test_the_pause_between_batches_stands_still_while_the_rollout_is_paused(
    kernel: Any, paused_at: int, resumed_at: int
) -> None:
    """Fifty minutes were left, and fifty are left."""
    story = a_story(kernel, pause_between_batches_ms=HOUR).roll_out()
    story.start(ONE)
    story.upgrade()
    story.on(pg.Pause(paused_at))
    assert story.engine.next_time(story.state) is None
    story.on(pg.Resume(resumed_at))
    assert story.engine.next_time(story.state) == resumed_at + 50 * MINUTE
    story.on(pg.Tick(resumed_at + 50 * MINUTE))
    assert story.selected() == [["eastus/web/1"]]


def test_a_batch_that_ends_while_paused_pauses_from_the_resumption_on(kernel: Any) -> None:
    """The pause between batches has not begun to run."""
    story = a_story(kernel, pause_between_batches_ms=HOUR).roll_out()
    story.start(ONE)
    story.on(pg.Pause(10))
    story.on(pg.Tick(20))
    story.upgrade()
    story.on(pg.Resume(50))
    assert story.engine.next_time(story.state) == 50 + HOUR


def test_the_bake_time_stands_still_too(kernel: Any) -> None:
    """Paused before it begins, or while it runs."""
    story = a_story(kernel, a_set(instances=1), phase_bake_ms=HOUR).roll_out()
    story.start()
    story.upgrade()
    story.on(pg.Pause(10 * MINUTE))
    story.on(pg.Tick(2 * HOUR))
    assert story.status() == "running"
    story.on(pg.Resume(3 * HOUR))
    assert story.engine.next_time(story.state) == 3 * HOUR + 50 * MINUTE
    story = a_story(kernel, a_set(instances=1), phase_bake_ms=HOUR).roll_out()
    story.start()
    story.on(pg.Pause(10))
    story.on(pg.Tick(20))
    story.upgrade()
    story.on(pg.Resume(100))
    assert story.engine.next_time(story.state) == 100 + HOUR


def test_deadlines_run_on_while_paused(kernel: Any) -> None:
    """What is in flight is not paused."""
    story = verifying(kernel)
    story.on(pg.Pause(MINUTE))
    assert story.engine.next_time(story.state) == HEALTH_MS
    story.on(pg.Tick(HEALTH_MS))
    assert story.life(ONE) is Life.RESTORING


def test_pausing_twice_and_resuming_twice_is_once(kernel: Any) -> None:
    """The first pause counts; a resume without a pause is nothing."""
    story = a_story(kernel, pause_between_batches_ms=HOUR).roll_out()
    story.on(pg.Resume(0))
    story.start(ONE)
    story.upgrade()
    story.on(pg.Pause(10 * MINUTE))
    story.on(pg.Pause(20 * MINUTE))
    story.on(pg.Resume(30 * MINUTE))
    story.on(pg.Resume(40 * MINUTE))
    assert story.engine.next_time(story.state) == HOUR + 20 * MINUTE


# --- windows ---------------------------------------------------------------------------------------------------------


def windowed(kernel: Any, *windows: Window, now: int = 0, **options: Any) -> Story:
    """Return a rollout of a set with these windows."""
    return a_story(kernel, a_set(windows=windows or (THURSDAY,)), now=now, **options).roll_out()


def test_no_batch_starts_before_its_window(kernel: Any) -> None:
    """It opens at its start, inclusive, and the reason says when."""
    story = windowed(kernel)
    assert story.why(ONE) == [f"outside-window(next_opening={2 * HOUR})"]
    assert (story.earliest(ONE), story.engine.next_time(story.state)) == (2 * HOUR, 2 * HOUR)
    with pytest.raises(pg.IllegalTransition, match="outside-window"):
        story.start(ONE, now=2 * HOUR - 1)
    story.on(pg.Tick(2 * HOUR))
    assert story.selected() == [[ONE]]


def test_no_batch_starts_at_the_end_of_a_window(kernel: Any) -> None:
    """The end is exclusive, also when nobody has ticked since."""
    story = windowed(kernel, now=6 * HOUR)
    assert story.selected() == [[ONE]]
    with pytest.raises(pg.IllegalTransition, match="outside-window"):
        story.start(ONE, now=7 * HOUR)


def test_a_window_closes_at_its_end(kernel: Any) -> None:
    """With a tick, or after it without."""
    story = windowed(kernel, now=6 * HOUR)
    with pytest.raises(pg.IllegalTransition, match="outside-window"):
        story.start(ONE, now=7 * HOUR + 1)
    story.on(pg.Tick(7 * HOUR - 1))
    assert story.selected() == [[ONE]]
    story.on(pg.Tick(7 * HOUR))
    assert (story.selected(), story.why(ONE)) == ([], [f"outside-window(next_opening={7 * DAY + 2 * HOUR})"])


def test_a_batch_in_flight_is_finished_outside_the_window(kernel: Any) -> None:
    """Windows say when a batch may start."""
    story = windowed(kernel, now=7 * HOUR - MINUTE)
    story.start(ONE)
    story.on(pg.Tick(7 * HOUR))
    story.upgrade()
    assert (story.life(ONE), story.selected()) == (Life.UPGRADED, [])
    story.on(pg.Tick(7 * DAY + 2 * HOUR))
    assert story.selected() == [["eastus/web/1"]]


def test_time_may_jump_over_a_window(kernel: Any) -> None:
    """A tick long after it finds it closed, and the next opening armed."""
    story = windowed(kernel)
    story.on(pg.Tick(DAY))
    assert (story.selected(), story.engine.next_time(story.state)) == ([], 7 * DAY + 2 * HOUR)


def test_a_manual_rollout_knows_no_windows_and_no_delays(kernel: Any) -> None:
    """Somebody wants it now."""
    own = a_set(windows=[THURSDAY], configured_at_ms=0)
    story = a_story(kernel, own, delays=True).roll_out(sets=(WEB,))
    assert story.selected() == [[ONE]]


def test_changed_windows_hold_at_once(kernel: Any) -> None:
    """Taken away, and given again."""
    story = windowed(kernel)
    own = story.engine.fleet.sets[0]
    story.on(pg.Configured(evolve(own, windows=()), 0))
    assert story.selected() == [[ONE]]
    story.on(pg.Configured(own, 0))
    assert story.selected() == []


def test_nothing_pending_needs_no_window(kernel: Any) -> None:
    """It completes as soon as its phase is open, without delay or window."""
    own = a_set(instances=[vm(0, version=NEW)], windows=[THURSDAY], configured_at_ms=0)
    assert a_story(kernel, own, delays=True).roll_out().status() == "completed"


# --- delays ----------------------------------------------------------------------------------------------------------


def test_a_first_rollout_begins_within_three_hours_of_the_configuration(kernel: Any) -> None:
    """At the set's own instant."""
    story = a_story(kernel, a_set(configured_at_ms=0), delays=True).roll_out()
    instant = first_instant(WEB, NEW, 0)
    assert 0 < instant <= 3 * HOUR
    assert (story.earliest(ONE), story.why(ONE)) == (instant, [f"not-before(time={instant})"])
    story.on(pg.Tick(instant - 1))
    assert story.selected() == []
    story.on(pg.Tick(instant))
    assert story.selected() == [[ONE]]


def test_a_set_configured_long_ago_begins_at_once(kernel: Any) -> None:
    """Its three hours are over; so they are if nobody knows when it was configured."""
    assert a_story(kernel, a_set(configured_at_ms=0), delays=True).roll_out(now=3 * HOUR).selected() == [[ONE]]
    assert a_story(kernel, a_set(), delays=True).roll_out().selected() == [[ONE]]


def test_a_later_rollout_begins_30_to_60_minutes_after_its_phase_opened(kernel: Any) -> None:
    """Counted from the opening of the second phase for a set that is in it."""
    fleet = a_fleet(a_set("a/web", 1), a_set("b/web", 2))
    story = a_story(kernel, fleet, delays=True).roll_out().finish()
    story.on(pg.Published(UBUNTU.name, ImageVersion("3.0"), HOUR))
    story.roll_out()
    instant = later_instant("a/web", "3.0", HOUR)
    assert HOUR + 30 * MINUTE <= instant <= 2 * HOUR
    assert story.earliest("a/web/0") == instant
    assert story.why("b/web/0") == ["phase-not-open(phase=1, regions=a, waiting_for=0)"]
    story.on(pg.Tick(instant + HOUR))
    story.start("a/web/0")
    story.upgrade()
    assert story.earliest("b/web/0") == later_instant("b/web", "3.0", story.now)


def test_a_gallery_set_begins_after_its_replica_came(kernel: Any) -> None:
    """Also if that was long before the rollout: then at once."""
    versions = [ImageVersion(OLD, regions=[Replica("eastus")]), ImageVersion(NEW, regions=[Replica("eastus", HOUR)])]
    fleet = a_fleet(a_set(image=CORP), images=[Image(CORP, versions)])
    for now, expected in ((HOUR, later_instant(WEB, NEW, HOUR)), (9 * HOUR, None)):
        story = a_story(kernel, fleet, delays=True).roll_out(CORP.name, OLD)
        story.on(pg.Tick(now))
        story.roll_out(CORP.name)
        assert story.rollout(1)["target"] == NEW
        assert story.earliest(ONE) == expected


def test_a_delay_runs_on_while_the_rollout_is_paused(kernel: Any) -> None:
    """Only pauses between batches and bake times stand still."""
    story = a_story(kernel, a_set(configured_at_ms=0), delays=True).roll_out()
    story.on(pg.Pause(1))
    story.on(pg.Tick(3 * HOUR))
    assert story.why(ONE) == ["paused"]
    story.on(pg.Resume(3 * HOUR))
    assert story.selected() == [[ONE]]


def test_delays_can_be_switched_off(kernel: Any) -> None:
    """For tests, and for those who spread their fleets otherwise."""
    assert a_story(kernel, a_set(configured_at_ms=0), delays=False).roll_out().selected() == [[ONE]]


def test_a_delay_and_a_window_both_hold(kernel: Any) -> None:
    """The later of the two is the earliest start."""
    story = a_story(kernel, a_set(configured_at_ms=0, windows=[THURSDAY]), delays=True).roll_out()
    instant = first_instant(WEB, NEW, 0)
    assert story.why(ONE) == [f"not-before(time={instant})", f"outside-window(next_opening={2 * HOUR})"]
    assert story.earliest(ONE) == max(instant, 2 * HOUR)


def test_what_time_does_not_lift_has_no_earliest_start(kernel: Any) -> None:
    """A window and a batch in flight: nobody knows when."""
    story = windowed(kernel, now=3 * HOUR)
    story.start(ONE)
    story.on(pg.Tick(7 * HOUR))
    assert story.earliest("eastus/web/1") is None
