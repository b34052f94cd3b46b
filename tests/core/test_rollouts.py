"""Section 9: rollouts side by side, cancelled, stopped, paused, superseded, manual; and the history of a set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
import pytest
from fleets import CENTOS, HOUR, NEW, NEWER, OLD, UBUNTU, Story, a_fleet, a_set, a_story, an_image, drive, vm

import phasegate as pg
from phasegate.core.calendar import two_months_before
from phasegate.core.events import What
from phasegate.core.facts import RolloutEnded, RolloutStarted
from phasegate.core.model import ImageVersion

WEB = "eastus/web"
DAY = 24 * HOUR


def two_images(kernel: Any, **options: Any) -> Story:
    """Return rollouts of two images in two regions, side by side."""
    fleet = a_fleet(a_set("a/web", 2), a_set("b/db", 2, image=CENTOS))
    return a_story(kernel, fleet, **options).roll_out().roll_out(CENTOS.name)


# --- how rollouts begin and end --------------------------------------------------------------------------------------


def test_a_rollout_says_what_it_begins_with(kernel: Any) -> None:
    """Number, image, target, by whom, phases, and who was left out."""
    fleet = a_fleet(a_set("a/web"), a_set("b/web", automatic_os_upgrade=False))
    story = a_story(kernel, fleet)
    facts = story.on(pg.Rollout(UBUNTU.name, 5))
    begun = [fact for fact in facts if isinstance(fact, RolloutStarted)]
    refused = (("b/web", ("automatic-upgrade-disabled",)),)
    assert begun == [RolloutStarted(0, UBUNTU.name, NEW, "platform", (("a",),), refused)]
    assert story.rollout()["started_at_ms"] == 5


def test_rollouts_of_different_images_run_side_by_side(kernel: Any) -> None:
    """Each has its own phases and its own end."""
    story = two_images(kernel)
    assert story.selected() == [["a/web/0"], ["b/db/0"]]
    story.finish()
    assert [story.status(number=number) for number in (0, 1)] == ["completed", "completed"]


def test_one_rollouts_end_leaves_the_other_alone(kernel: Any) -> None:
    """Halted here, completed there."""
    story = drive(two_images(kernel), lambda name: name != "a/web/0")
    assert [story.status(number=number) for number in (0, 1)] == ["halted", "completed"]


def test_a_rollout_ends_once_with_its_reason(kernel: Any) -> None:
    """In words that follow from its status."""
    story = drive(two_images(kernel), lambda name: name != "a/web/0")
    ended = [(fact.rollout, fact.status, fact.reason) for fact in story.facts if isinstance(fact, RolloutEnded)]
    assert sorted(ended) == [(0, "halted", "a phase did not succeed"), (1, "completed", "every phase succeeded")]


def test_attempts_end_before_phases_and_phases_before_rollouts(kernel: Any) -> None:
    """The order of one step's facts."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    story.start()
    story.configured()
    kinds = [type(fact).__name__ for fact in story.healthy(f"{WEB}/0")]
    assert kinds == ["Became", "AttemptEnded", "PhaseEnded", "RolloutEnded"]


def test_a_rollout_without_an_eligible_set_completes_at_once(kernel: Any) -> None:
    """There is nothing to do."""
    story = a_story(kernel, a_set(automatic_os_upgrade=False)).roll_out()
    assert (story.status(), story.rollout()["phases"]) == ("completed", [])


@pytest.mark.parametrize("event", [pg.Pause, pg.Resume, pg.Cancel])
@pytest.mark.parametrize("number", [-1, 2])
def test_an_unknown_rollout_is_an_error(kernel: Any, event: Any, number: int) -> None:
    """It names how many there are."""
    with pytest.raises(pg.UnknownName, match=f"no rollout {number}; there are 2"):
        two_images(kernel).on(event(0, number))


# --- cancel and stop -------------------------------------------------------------------------------------------------


def test_cancel_lets_nothing_start_and_what_is_in_flight_finish(kernel: Any) -> None:
    """Then the attempt ends as cancelled, and so does the rollout."""
    story = a_story(kernel).roll_out()
    story.start()
    story.on(pg.Cancel(0, 0))
    assert (story.status(WEB), story.status(), story.selected()) == ("rolling-forward", "running", [])
    assert story.why(f"{WEB}/1") == ["cancelled", "batch-in-flight(count=1)"]
    story.upgrade()
    assert (story.status(WEB), story.status()) == ("cancelled", "cancelled")
    assert story.lives() == {"0": "upgraded", "1": "pending", "2": "pending", "3": "pending"}


def test_what_fails_after_a_cancellation_is_restored(kernel: Any) -> None:
    """And the attempt is cancelled, not faulted, whatever its last batch does."""
    story = a_story(kernel).roll_out()
    story.start()
    story.on(pg.Cancel(0, 0))
    story.roll_back(f"{WEB}/0")
    assert (story.lives()["0"], story.status(WEB), story.error(), story.status()) == (
        "restored",
        "cancelled",
        None,
        "cancelled",
    )


def test_cancelling_before_the_first_batch_ends_all_at_once(kernel: Any) -> None:
    """Nothing is in flight."""
    story = a_story(kernel).roll_out()
    story.on(pg.Cancel(0, 0))
    assert (story.status(WEB), story.status(), story.engine.next_time(story.state)) == ("cancelled", "cancelled", None)


def test_cancelling_ends_attempts_of_closed_phases(kernel: Any) -> None:
    """At once, while the open phase finishes."""
    story = a_story(kernel, a_fleet(a_set("a/web", 1), a_set("b/web", 2))).roll_out()
    story.start()
    story.on(pg.Cancel(0, 0))
    assert (story.status("b/web"), story.status()) == ("cancelled", "running")
    story.upgrade()
    assert story.status() == "cancelled"


def test_cancelling_a_rollout_that_bakes_or_is_paused(kernel: Any) -> None:
    """Nothing is in flight, so it is over."""
    story = a_story(kernel, a_set(instances=1), phase_bake_ms=HOUR).roll_out()
    story.start()
    story.upgrade()
    story.on(pg.Cancel(0, 0))
    assert (story.status(), story.engine.next_time(story.state)) == ("cancelled", None)
    story = a_story(kernel).roll_out()
    story.on(pg.Pause(0))
    story.on(pg.Cancel(0, 0))
    assert story.status() == "cancelled"


def test_cancel_names_one_rollout_and_stop_ends_all(kernel: Any) -> None:
    """The andon cord is one event."""
    story = two_images(kernel)
    story.on(pg.Cancel(0, 1))
    assert [story.status(number=number) for number in (0, 1)] == ["running", "cancelled"]
    story = two_images(kernel)
    story.start()
    story.on(pg.Cancel(0))
    assert story.selected() == []
    story.upgrade()
    assert [story.status(number=number) for number in (0, 1)] == ["cancelled", "cancelled"]


def test_cancelling_what_has_ended_moves_nothing(kernel: Any) -> None:
    """A rollout ends once."""
    story = a_story(kernel, a_set(instances=1)).roll_out().finish()
    before = story.state
    assert (story.on(pg.Cancel(story.now)), story.state == before) == ([], True)


# --- pause and resume ------------------------------------------------------------------------------------------------


def test_no_batch_starts_while_paused(kernel: Any) -> None:
    """What is in flight goes on."""
    story = a_story(kernel).roll_out()
    story.start()
    story.on(pg.Pause(0))
    assert (story.selected(), story.rollout()["paused"]) == ([], True)
    story.upgrade()
    with pytest.raises(pg.IllegalTransition, match="paused"):
        story.start(f"{WEB}/1")
    story.on(pg.Resume(story.now))
    assert (story.selected(), story.rollout()["paused"]) == ([[f"{WEB}/1"]], False)


def test_one_of_two_rollouts_is_paused(kernel: Any) -> None:
    """The other goes on."""
    story = two_images(kernel)
    story.on(pg.Pause(0, 0))
    assert story.selected() == [["b/db/0"]]
    story.on(pg.Pause(0))
    assert story.selected() == []
    story.on(pg.Resume(0, 0))
    assert story.selected() == [["a/web/0"]]


def test_a_paused_set_is_not_faulted_for_a_dip(kernel: Any) -> None:
    """No batch could start; on resumption it is judged."""
    story = a_story(kernel).roll_out()
    story.on(pg.Pause(0))
    story.unhealthy(f"{WEB}/0", now=1)
    assert story.status(WEB) == "waiting"
    story.on(pg.Resume(1))
    assert story.status(WEB) == "faulted"


def test_an_attempt_may_complete_while_paused(kernel: Any) -> None:
    """Completion is no start."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    story.start()
    story.on(pg.Pause(0))
    story.upgrade()
    assert story.status() == "completed"


# --- newer versions --------------------------------------------------------------------------------------------------


def test_a_running_rollout_finishes_and_the_newer_version_gets_its_own(kernel: Any) -> None:
    """By default, through all its phases."""
    story = a_story(kernel, a_fleet(a_set("a/web", 1), a_set("b/web", 2))).roll_out()
    story.start()
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    assert story.engine.candidates_for_update(story.state) == ()
    story.finish()
    assert (story.status(), story.version("b/web/1")) == ("completed", NEW)
    assert story.engine.candidates_for_update(story.state) == (UBUNTU.name,)
    story.roll_out().finish()
    assert (story.status(number=1), story.version("b/web/1")) == ("completed", NEWER)


def test_a_newer_version_may_cancel_the_running_rollout(kernel: Any) -> None:
    """What is in flight finishes first; a manual rollout is nobody's business."""
    story = a_story(kernel, supersede="cancel").roll_out()
    story.start()
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    assert (story.selected(), story.status()) == ([], "running")
    story.upgrade()
    assert story.status() == "cancelled"
    story = a_story(kernel, supersede="cancel").roll_out(sets=(WEB,))
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    assert story.status() == "running"


def test_an_older_version_or_that_of_another_image_cancels_nothing(kernel: Any) -> None:
    """Only a newer one supersedes."""
    story = a_story(kernel, a_fleet(a_set(), images=[an_image(), an_image(CENTOS)]), supersede="cancel").roll_out()
    story.on(pg.Published(UBUNTU.name, ImageVersion("1.9"), 0))
    story.on(pg.Published(CENTOS.name, ImageVersion(NEWER), 0))
    assert story.status() == "running"


@pytest.mark.parametrize("fields", [{"exclude_from_latest": True}, {"published_at_ms": HOUR}])
def test_a_version_that_is_no_target_supersedes_nothing(kernel: Any, fields: dict[str, Any]) -> None:
    """Nothing newer could be rolled out."""
    story = a_story(kernel, supersede="cancel").roll_out()
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER, **fields), 0))
    assert story.status() == "running"


# --- manual ----------------------------------------------------------------------------------------------------------


def test_a_manual_rollout_names_its_sets_and_has_no_phases(kernel: Any) -> None:
    """Both regions at once, and nothing else."""
    fleet = a_fleet(a_set("a/web", 1), a_set("b/web", 2), a_set("c/web", 3))
    story = a_story(kernel, fleet).roll_out(sets=("b/web", "a/web"), started_by="ops")
    assert (story.rollout()["phases"], story.rollout()["started_by"]) == (None, "ops")
    assert story.selected() == [["a/web/0"], ["b/web/0"]]
    assert story.why("c/web/0") == ["no-rollout"]


def test_start_begins_a_rollout_on_the_fleet_as_listed_or_on_a_state(kernel: Any) -> None:
    """A manual one is started by `user` unless said otherwise."""
    story = a_story(kernel)
    engine = story.engine
    state = engine.start(UBUNTU.name, now=7)
    assert (state.now, engine.progress(state)["rollouts"][0]["started_by"]) == (7, "platform")
    state = engine.start(UBUNTU.name, OLD, sets=iter([WEB]), now=9, state=engine.initial(3))
    report = engine.progress(state)["rollouts"][0]
    assert (report["started_by"], report["target"], report["started_at_ms"]) == ("user", OLD, 9)


def test_one_rollout_is_told_as_all_are(kernel: Any) -> None:
    """Also one whose sets another rollout has taken since; there is no third."""
    story = a_story(kernel, a_fleet(a_set("a/web", 2), a_set("b/web", 1)))
    engine = story.engine
    state = engine.start(UBUNTU.name, sets=["a/web", "b/web"], now=0)
    state = engine.step(state, pg.Cancel(0)).state
    state = engine.start(UBUNTU.name, sets=["a/web"], now=0, state=state)
    assert engine.progress(state)["rollouts"] == [engine.rollout(state, 0), engine.rollout(state, 1)]
    assert [["b/web"], ["a/web"]] == [
        [one["name"] for one in engine.rollout(state, number)["sets"]] for number in (0, 1)
    ]
    for number in (-1, 2):
        with pytest.raises(pg.UnknownName, match="there are 2"):
            engine.rollout(state, number)


def test_a_manual_rollout_with_a_faulted_attempt_is_faulted(kernel: Any) -> None:
    """Without phases nothing halts: the other set goes on."""
    story = a_story(kernel, a_fleet(a_set("a/web", 1), a_set("b/web", 1))).roll_out(sets=("a/web", "b/web"))
    drive(story, lambda name: name != "a/web/0")
    assert (story.lives("a/web"), story.lives("b/web")) == ({"0": "failed"}, {"0": "upgraded"})
    assert story.status() == "faulted"


def test_a_manual_rollout_with_a_cancelled_attempt_is_cancelled(kernel: Any) -> None:
    """Here because a user's policy refuses to go on."""

    class Once:
        name = "once"

        def judge(self, question: pg.policies.Question) -> Any:
            begun = question.set.full_name in question.at_work
            return pg.policies.Never(("enough",)) if begun else pg.policies.Admit()

    story = a_story(kernel, also=(Once(),)).roll_out(sets=(WEB,))
    drive(story)
    assert (story.status(WEB), story.status()) == ("cancelled", "cancelled")
    assert story.lives() == {"0": "upgraded", "1": "pending", "2": "pending", "3": "pending"}


# --- history and progress --------------------------------------------------------------------------------------------


def test_history_holds_what_became_of_each_attempt(kernel: Any) -> None:
    """Status, error, times, counts, by whom, to which image, and how the rollbacks went."""
    listed = [vm(0), vm(1), vm(2), vm(3, version=NEW), vm(4, skip_upgrade=True)]
    story = a_story(kernel, a_set(instances=listed), max_unhealthy_upgraded_percent=40, max_batch_percent=60)
    story.roll_out(now=5)
    story.start(f"{WEB}/0", f"{WEB}/1", now=10)
    story.on(pg.Tick(20))
    story.roll_back(f"{WEB}/0")
    story.report(What.FAILED, f"{WEB}/1")
    story.report(What.RESTORE_FAILED, f"{WEB}/1")
    (record,) = story.engine.history(story.state, WEB)
    assert (record.status, record.error) == (
        "faulted",
        "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade",
    )
    assert (record.started_at_ms, record.ended_at_ms, record.number) == (10, 20, 1)
    assert (record.rollout, record.started_by, record.image, record.target) == (0, "platform", UBUNTU.name, NEW)
    counts = record.progress
    assert (counts.successful, counts.failed, counts.in_progress, counts.pending, counts.skipped) == (0, 2, 0, 1, 2)
    assert (record.rolled_back, record.rollbacks_failed) == (1, 1)


def test_history_begins_with_the_attempt_that_is_rolling_forward(kernel: Any) -> None:
    """It has no end yet, its counts say how far it is, and `progress` shows the same."""
    story = a_story(kernel, a_set(instances=2)).roll_out(now=5)
    assert story.engine.history(story.state, WEB) == ()
    story.start(f"{WEB}/0", now=10)
    (record,) = story.engine.history(story.state, WEB)
    assert (record.status, record.started_at_ms, record.ended_at_ms) == ("rolling-forward", 10, None)
    assert (record.progress.in_progress, record.progress.pending) == (1, 1)
    assert story.engine.progress(story.state)["history"] == {WEB: [attrs.asdict(record)]}


def test_history_is_the_last_five_newest_first(kernel: Any) -> None:
    """Seven rollouts, five records."""
    story = a_story(kernel, a_set(instances=1))
    for _ in range(7):
        story.roll_out().finish()
    assert [record.rollout for record in story.engine.history(story.state, WEB)] == [6, 5, 4, 3, 2]
    assert story.engine.history(story.state, WEB)[0].started_at_ms is None


def test_history_reaches_back_two_calendar_months(kernel: Any) -> None:
    """1970-01-01 is two months before 1970-03-01, to the millisecond."""
    story = a_story(kernel, a_set(instances=1)).roll_out().finish()
    ended = story.engine.history(story.state, WEB)[0].ended_at_ms
    story.on(pg.Tick(59 * DAY + ended))
    assert len(story.engine.history(story.state, WEB)) == 1
    story.on(pg.Tick(59 * DAY + ended + 1))
    assert story.engine.history(story.state, WEB) == ()


def test_history_of_an_unknown_set_is_an_error(kernel: Any) -> None:
    """Not an empty one."""
    story = a_story(kernel)
    with pytest.raises(pg.UnknownName, match="no set `eastus/x`"):
        story.engine.history(story.state, "eastus/x")
    assert story.engine.history(story.state, WEB) == ()


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("1970-03-01", "1970-01-01"),
        ("1970-05-31", "1970-03-31"),
        ("1970-04-30", "1970-02-28"),
        ("2000-04-30", "2000-02-29"),
        ("2000-02-29", "1999-12-29"),
        ("2026-01-31", "2025-11-30"),
        ("2100-04-29", "2100-02-28"),
    ],
)
def test_two_months_before_is_cut_to_the_months_length(of: str, expected: str) -> None:
    """Within a year, to a leap day and to none, over the turn of the year."""

    def ms(text: str) -> int:
        return int(datetime.fromisoformat(f"{text}T00:00:00.005+00:00").timestamp() * 1000)

    assert two_months_before(ms(of)) == ms(expected)


def test_progress_counts_a_rollout_by_region_and_set(kernel: Any) -> None:
    """Every instance in one column; the sets' counts sum to their sizes."""
    listed = [vm(0), vm(1, version=NEW), vm(2, skip_upgrade=True), vm(3)]
    story = a_story(kernel, a_fleet(a_set("a/web", listed), a_set("b/web", 3))).roll_out()
    story.start()
    story.upgrade()
    report = story.rollout()
    assert report["counts"] == {
        "eligible": 5,
        "upgraded": 1,
        "restored": 0,
        "failed": 0,
        "abandoned": 0,
        "excluded": 1,
        "current": 1,
    }
    assert report["regions"]["b"]["eligible"] == 3
    assert [(entry["name"], sum(entry["progress"].values())) for entry in report["sets"]] == [
        ("a/web", 4),
        ("b/web", 3),
    ]
    assert (report["batches"], report["phase"]) == (1, 0)


def test_abandoned_are_the_pending_ones_of_an_ended_attempt(kernel: Any) -> None:
    """Cancelled after one of four."""
    story = a_story(kernel).roll_out()
    story.start()
    story.upgrade()
    story.on(pg.Cancel(story.now))
    assert (story.rollout()["counts"]["abandoned"], story.of_set(WEB)["progress"]["pending"]) == (3, 3)
