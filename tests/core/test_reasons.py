"""Section 12: every reason, with its numbers, and its earliest time where time alone lifts it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from fleets import CENTOS, HOUR, MINUTE, NEW, UBUNTU, Story, a_fleet, a_set, a_story, vm

import phasegate as pg
from phasegate.core.explaining import reason
from phasegate.core.model import Group, RollingPolicy, ServiceFabric, Window
from phasegate.core.reasons import Code, Reason
from phasegate.core.schedule import first_instant

WEB, ONE, OTHER = "eastus/web", "eastus/web/0", "eastus/web/1"
UPGRADED_ERROR = "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade"
WINDOW = Window(day="thu", start="02:00", minutes=300)


class Hesitant:
    """A user's policy that lets nothing start before nine."""

    name = "hesitant"

    def judge(self, question: pg.policies.Question) -> Any:
        """Wait until nine."""
        return pg.policies.Wait(("not before nine", "nor on holidays"), earliest=9)


class Partial:
    """A user's policy that admits instance 0 alone."""

    name = "partial"

    def judge(self, question: pg.policies.Question) -> Any:
        """Admit a part."""
        return pg.policies.Admit(frozenset({"0"}))


class Refusing:
    """A user's policy that refuses for good."""

    name = "refusing"

    def judge(self, question: pg.policies.Question) -> Any:
        """Never."""
        return pg.policies.Never(("no",))


def _current(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0, version=NEW)])).roll_out()


def _protected(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0, protect_from_scale_set_actions=True)])).roll_out()


def _skipped(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0, skip_upgrade=True), vm(1)])).roll_out()


def _refused(kernel: Any) -> Story:
    return a_story(kernel, also=(Refusing(),)).roll_out()


def _failed_before(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0, failed_versions=(NEW,))])).roll_out()


def _not_eligible(kernel: Any) -> Story:
    return a_story(kernel, a_set(automatic_os_upgrade=False, health_sources=())).roll_out()


def _no_rollout(kernel: Any) -> Story:
    return a_story(kernel)


def _faulted(kernel: Any) -> Story:
    story = a_story(kernel).roll_out()
    story.start(OTHER)
    return story.roll_back(OTHER)


def _cancelled(kernel: Any) -> Story:
    story = a_story(kernel).roll_out()
    story.start(OTHER)
    story.on(pg.Cancel(0))
    return story


def _paused(kernel: Any) -> Story:
    story = a_story(kernel).roll_out()
    story.on(pg.Pause(0))
    return story


def _phase_not_open(kernel: Any) -> Story:
    return a_story(kernel, a_fleet(a_set(instances=3), a_set("westus/db", 1))).roll_out()


def _pair_at_work(kernel: Any) -> Story:
    fleet = a_fleet(a_set(rolling_policy=RollingPolicy(enable_cross_zone=True)), a_set("w/db"), pairs={"w": "eastus"})
    story = a_story(kernel, fleet).roll_out(sets=(WEB, "w/db"))
    story.start("w/db/0")
    return story


def _resting(kernel: Any) -> Story:
    story = a_story(kernel, pause_between_batches_ms=HOUR).roll_out()
    story.start(OTHER)
    return story.upgrade()


def _outside_window(kernel: Any) -> Story:
    return a_story(kernel, a_set(windows=[WINDOW])).roll_out()


def _in_flight(kernel: Any) -> Story:
    story = a_story(kernel, max_batch_percent=50).roll_out()
    story.start(OTHER, f"{WEB}/2")
    return story


def _upgraded_unhealthy(kernel: Any) -> Story:
    story = _resting(kernel)
    story.unhealthy(OTHER, now=1)
    return story


def _upgraded_unhealthy_of_set(kernel: Any) -> Story:
    story = a_story(kernel, pause_between_batches_ms=HOUR, unhealthy_upgraded_of="set").roll_out()
    story.start(OTHER)
    story.upgrade()
    story.unhealthy(OTHER, now=1)
    return story


def _set_unhealthy(kernel: Any) -> Story:
    story = _paused(kernel)
    story.unhealthy(OTHER, now=1)
    return story


def _instances_full(kernel: Any) -> Story:
    group = Group(name="quorum", counts="instances", members=(WEB, "eastus/x"), limit=1)
    story = a_story(kernel, a_fleet(a_set(), a_set("eastus/x"), groups=[group])).roll_out()
    story.start("eastus/x/0")
    return story


def _cells_full(kernel: Any) -> Story:
    group = Group(name="racks", counts="cells", members=("eastus/-", "w/-"), limit=1)
    story = a_story(kernel, a_fleet(a_set(), a_set("w/x"), groups=[group])).roll_out(sets=(WEB, "w/x"))
    story.start("w/x/0")
    return story


def _busy(kernel: Any) -> Story:
    story = a_story(kernel, a_fleet(a_set(), a_set("eastus/x", [vm(0, "2")]))).roll_out()
    story.start("eastus/x/0")
    return story


def _numbered(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0, phase_ordering_number=7), vm(1, phase_ordering_number=3)])).roll_out()


def _unnumbered(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0), vm(1, phase_ordering_number=3)])).roll_out()


def _begun(kernel: Any) -> Story:
    listed = [vm(0, upgrade_domain=4), vm(1), vm(2), vm(3)]
    story = a_story(kernel, a_set(instances=listed, service_fabric=ServiceFabric())).roll_out()
    story.start(OTHER)
    return story.upgrade()


def _hesitant(kernel: Any) -> Story:
    return a_story(kernel, also=(Hesitant(),)).roll_out()


def _partial(kernel: Any) -> Story:
    own = a_set(instances=[vm(0, "1"), vm(1, "1")])
    story = a_story(kernel, own, also=(Partial(),)).roll_out()
    assert story.selected() == [[ONE]]
    story.start(ONE)
    return story.upgrade()


def _full(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0), vm(1, health="unhealthy")]), max_unhealthy_percent=50,
                   prioritize_unhealthy=True).roll_out()  # fmt: skip


def _later_zone(kernel: Any) -> Story:
    return a_story(kernel, a_set(instances=[vm(0, "2"), vm(1, "1")])).roll_out()


def _later_set(kernel: Any) -> Story:
    return a_story(kernel, a_fleet(a_set(instances=[vm(0, "2")]), a_set("eastus/a", [vm(0, "1")]))).roll_out()


REASONS: list[tuple[Callable[[Any], Story], str, Reason]] = [
    (_current, ONE, reason(Code.CURRENT)),
    (_protected, ONE, reason(Code.EXCLUDED, why="protected")),
    (_skipped, ONE, reason(Code.EXCLUDED, why="skip-upgrade")),
    (_refused, ONE, reason(Code.EXCLUDED, why="policy")),
    (_failed_before, ONE, reason(Code.FAILED_BEFORE, version=NEW)),
    (_not_eligible, ONE, reason(Code.NOT_ELIGIBLE, codes=("automatic-upgrade-disabled", "health-source-missing"))),
    (_no_rollout, ONE, reason(Code.NO_ROLLOUT)),
    (_faulted, ONE, reason(Code.ATTEMPT_ENDED, status="faulted", code=UPGRADED_ERROR)),
    (_cancelled, ONE, reason(Code.CANCELLED)),
    (_paused, ONE, reason(Code.PAUSED)),
    (_phase_not_open, ONE, reason(Code.PHASE_NOT_OPEN, phase=1, waiting_for=0, regions=("westus",))),
    (_pair_at_work, ONE, reason(Code.PAIR_AT_WORK, region="eastus", pair="w")),
    (_resting, ONE, reason(Code.NOT_BEFORE, HOUR, time=HOUR)),
    (_outside_window, ONE, reason(Code.OUTSIDE_WINDOW, 2 * HOUR, next_opening=2 * HOUR)),
    (_in_flight, ONE, reason(Code.BATCH_IN_FLIGHT, count=2)),
    (_upgraded_unhealthy, ONE, reason(Code.UPGRADED_UNHEALTHY, count=1, of=1, percent=20)),
    (_upgraded_unhealthy_of_set, ONE, reason(Code.UPGRADED_UNHEALTHY, count=1, of=4, percent=20)),
    (_set_unhealthy, ONE, reason(Code.SET_UNHEALTHY, count=1, total=4, percent=20)),
    (_instances_full, ONE, reason(Code.GROUP_FULL, group="quorum", k=1)),
    (_cells_full, ONE, reason(Code.GROUP_FULL, group="racks", k=1)),
    (_busy, ONE, reason(Code.CELL_BUSY, cell="eastus/-", busy_cell="eastus/2")),
    (_numbered, ONE, reason(Code.PHASE_ORDER_LATER, number=7, current=3)),
    (_unnumbered, ONE, reason(Code.PHASE_ORDER_LATER, number="none", current=3)),
    (_begun, ONE, reason(Code.UPGRADE_DOMAIN_LATER, domain=4)),
    (_hesitant, ONE, reason(Code.POLICY, 9, name="hesitant", reasons=("not before nine", "nor on holidays"))),
    (_partial, OTHER, reason(Code.POLICY, name="partial", reasons=("not in the part that it admits",))),
    (_full, ONE, reason(Code.BATCH_FULL, size=1)),
    (_later_zone, ONE, reason(Code.LATER_IN_ORDER, set=WEB, cell="eastus/1")),
    (_later_set, ONE, reason(Code.LATER_IN_ORDER, set="eastus/a", cell="eastus/1")),
]
OF_BATCHES = {Code.NOT_ONE_BATCH, Code.NOT_PENDING}


@pytest.mark.parametrize(("told", "name", "expected"), REASONS, ids=lambda one: getattr(one, "__name__", ""))
def test_each_reason_has_its_numbers(kernel: Any, told: Callable[[Any], Story], name: str, expected: Reason) -> None:
    """The reason is there, with its facts and its earliest time; and the instance does not start."""
    story = told(kernel)
    explanation = story.engine.explain(story.state, name)
    assert expected in explanation.reasons
    assert (explanation.selected, len(explanation), explanation.instance) == (False, len([*explanation]), name)
    if expected.code not in (Code.BATCH_FULL, Code.LATER_IN_ORDER):  # alone, or before the picks, these are legal
        with pytest.raises(pg.IllegalTransition) as refusal:
            story.start(name)
        assert {expected.code, Code.NOT_PENDING} & {one.code for one in refusal.value.verdict.reasons}


def test_every_code_is_shown_above() -> None:
    """A new reason needs its story; two codes are about whole batches."""
    assert {expected.code for _, _, expected in REASONS} | OF_BATCHES == {*Code}


def test_verdicts_about_batches_have_reasons_of_their_own(kernel: Any) -> None:
    """What is no one batch, and what is not pending."""
    story = _later_zone(kernel)
    verdict = story.engine.check(story.state, story.batch(ONE, OTHER))
    assert reason(Code.NOT_ONE_BATCH, buckets=2) in verdict.reasons
    story.start(OTHER)
    verdict = story.engine.check(story.state, story.batch(OTHER))
    assert reason(Code.NOT_PENDING, instance="1", state="replacing") in verdict.reasons
    assert (bool(verdict), verdict.admitted) == (False, False)


def test_a_waiting_set_that_turned_ineligible_says_its_codes(kernel: Any) -> None:
    """Those of now, before it leaves."""
    fleet = a_fleet(a_set(instances=[vm(0, "2")]), a_set("eastus/a", [vm(0, "1")]))
    story = a_story(kernel, fleet).roll_out()
    story.start("eastus/a/0")
    model = next(one for one in fleet.sets if one.full_name == WEB)
    story.on(pg.Configured(evolve(model, health_sources=(), external_resources=()), 0))
    assert reason(Code.NOT_ELIGIBLE, codes=("health-source-missing",)) in [*story.engine.explain(story.state, ONE)]


def test_all_reasons_are_given_at_once(kernel: Any) -> None:
    """In the order of the codes; one that time does not lift leaves no earliest start."""
    story = a_story(kernel, a_set(windows=[WINDOW], instances=4), now=3 * HOUR, pause_between_batches_ms=5 * HOUR)
    story.roll_out()
    story.start(OTHER)
    story.upgrade()
    story.on(pg.Tick(7 * HOUR))
    opening = 7 * 24 * HOUR + 2 * HOUR
    assert story.why(ONE) == [f"not-before(time={8 * HOUR})", f"outside-window(next_opening={opening})"]
    assert story.earliest(ONE) == opening
    story.on(pg.Pause(7 * HOUR))
    assert [why.split("(")[0] for why in story.why(ONE)] == ["paused", "not-before", "outside-window"]
    assert story.earliest(ONE) is None


def test_the_earliest_start_is_inside_a_window(kernel: Any) -> None:
    """A pause that ends after the window has closed, though it is open now: nobody is told a time that is none."""
    story = a_story(kernel, a_set(windows=[WINDOW], instances=4), now=3 * HOUR, pause_between_batches_ms=5 * HOUR)
    story.roll_out()
    story.start(OTHER)
    story.upgrade()
    opening = 7 * 24 * HOUR + 2 * HOUR
    assert (story.why(ONE), story.earliest(ONE)) == ([f"not-before(time={8 * HOUR})"], opening)
    story.on(pg.Tick(8 * HOUR))
    assert story.selected() == []
    story.on(pg.Tick(opening))
    assert story.selected() == [[ONE]]


def test_reasons_come_in_the_order_of_their_codes(kernel: Any) -> None:
    """Of one instance and of a batch alike, whichever part of the rules has found them."""
    order = list(Code)
    own = a_set(instances=[vm(0, "1"), vm(1, "2", phase_ordering_number=1), vm(2, "1", version=NEW)])
    story = a_story(kernel, a_fleet(own, a_set("eastus/z", [vm(0, "3")])), also=[Partial()]).roll_out()
    story.start("eastus/z/0")
    found = [reason.code for reason in story.engine.explain(story.state, ONE)]
    assert found == [Code.CELL_BUSY, Code.PHASE_ORDER_LATER]
    found = [reason.code for reason in story.engine.check(story.state, story.batch(OTHER, ONE, "eastus/web/2")).reasons]
    assert found == sorted(found, key=order.index)
    assert {Code.CELL_BUSY, Code.PHASE_ORDER_LATER, Code.NOT_ONE_BATCH, Code.NOT_PENDING} <= {*found}


def test_who_holds_no_cell_is_in_nobodys_way(kernel: Any) -> None:
    """Of two picks in another zone the one that crosses zones is no reason to come later."""
    fleet = a_fleet(
        a_set("a/a", [vm(0, "1"), vm(1, "2")], rolling_policy=RollingPolicy(enable_cross_zone=True)),
        a_set("a/b", [vm(0, "1")]),
        a_set("a/c", [vm(0, "2")]),
    )
    story = a_story(kernel, fleet).roll_out()
    assert (story.selected(), story.why("a/c/0")) == (
        [["a/a/0"], ["a/b/0"]],
        ["later-in-order(cell=a/1, set=a/b)"],
    )


def test_who_shares_a_cell_shares_its_place_in_a_group(kernel: Any) -> None:
    """A cell that is held already counts once: only the pick in the other cell of the group is in the way."""
    group = Group(name="one", counts="cells", members=("a/1", "b/1"), limit=1)
    fleet = a_fleet(a_set("a/a", [vm(0, "1")]), a_set("b/b", [vm(0, "1")]), groups=[group], phases=[["a", "b"]])
    story = a_story(kernel, fleet).roll_out()
    assert (story.selected(), story.why("b/b/0")) == ([["a/a/0"]], ["later-in-order(cell=a/1, set=a/a)"])


def test_a_group_with_room_is_no_reason_to_come_later(kernel: Any) -> None:
    """Only what a pick takes of a group that has no more is in the way."""
    group = Group(name="roomy", counts="instances", members=("a/a", "b/b"), limit=2)
    sets = (a_set("a/0", [vm(0, "1")]), a_set("a/a", [vm(0, "2")]), a_set("b/b", [vm(0)]))
    for limit, more in ((2, []), (1, ["later-in-order(cell=b/-, set=b/b)"])):
        fleet = a_fleet(*sets, groups=[evolve(group, limit=limit)], phases=[["b"], ["a"]])
        names = tuple(one.full_name for one in fleet.sets)
        story = a_story(kernel, fleet).roll_out(sets=names)
        assert story.why("a/a/0") == ["later-in-order(cell=a/1, set=a/0)", *more]


def test_what_fills_a_group_together_is_in_the_way_together(kernel: Any) -> None:
    """Two picks take a place each of a group of two sets, and a third set has none."""
    group = Group(name="two", counts="sets", members=("a/a", "b/b", "c/c"), limit=2)
    fleet = a_fleet(*(a_set(f"{name}/{name}", 1) for name in "abc"), groups=[group])
    story = a_story(kernel, fleet).roll_out(sets=("a/a", "b/b", "c/c"))
    assert story.why("c/c/0") == ["later-in-order(cell=a/-, set=a/a)", "later-in-order(cell=b/-, set=b/b)"]


def test_a_set_at_work_needs_no_place_among_sets_at_work(kernel: Any) -> None:
    """What keeps it is the cell that another pick takes, not the place in the group that it has already."""
    group = Group(name="two", counts="sets", members=("a/b", "b/b"), limit=2)
    fleet = a_fleet(a_set("a/a", [vm(0, "1")]), a_set("a/b", [vm(0, "1"), vm(1, "2")]), a_set("b/b", 1), groups=[group])
    story = a_story(kernel, fleet).roll_out(sets=("a/a", "a/b", "b/b"))
    story.start("a/b/0")
    story.upgrade("a/b/0")
    assert story.status("a/b") == "rolling-forward"
    assert story.why("a/b/1") == ["later-in-order(cell=a/1, set=a/a)"]


def test_a_refusal_that_is_over_is_no_reason(kernel: Any) -> None:
    """Refused because somebody was at work on it, whose attempt has faulted since: that is why it does not start."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.on(pg.Rollout(UBUNTU.name, story.now, None, (WEB,), "user"))
    story.roll_back(ONE)
    expected = ["attempt-ended(code=MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade, status=faulted)"]
    assert (story.why(OTHER), story.check(OTHER)) == (expected, expected)


def test_codes_of_a_rollout_that_is_over_are_those_of_now(kernel: Any) -> None:
    """Once a set that was left out would be eligible, what it lacks is a rollout."""
    off = a_set(automatic_os_upgrade=False)
    story = a_story(kernel, off).roll_out()
    assert (story.status(), story.why(ONE)) == ("completed", ["not-eligible(codes=automatic-upgrade-disabled)"])
    story.on(pg.Configured(evolve(off, automatic_os_upgrade=True), story.now))
    assert story.why(ONE) == ["no-rollout"]
    story.on(pg.Configured(evolve(off, health_sources=()), story.now))
    assert story.why(ONE) == ["not-eligible(codes=automatic-upgrade-disabled+health-source-missing)"]


def test_the_phase_after_one_that_bakes_opens_by_time_alone(kernel: Any) -> None:
    """Unless it is paused, too many are lost, or another phase comes before."""
    sets = [a_set("a/s", 1), a_set("b/t", 2), a_set("c/u", 3), a_set("d/v", 4)]
    story = a_story(kernel, a_fleet(*sets), phase_bake_ms=HOUR).roll_out()
    assert story.earliest("b/t/0") is None
    story.start()
    story.upgrade()
    assert (story.earliest("b/t/0"), story.earliest("d/v/0")) == (HOUR, None)
    paused, unwell = (Story(story.engine, story.state) for _ in range(2))
    paused.on(pg.Pause(0))
    unwell.unhealthy("a/s/0", now=1)
    assert (paused.earliest("b/t/0"), unwell.earliest("b/t/0")) == (None, None)
    story.on(pg.Tick(HOUR))
    assert story.selected() == [["b/t/0"], ["c/u/0"]]


def test_the_earliest_time_knows_the_delay_of_the_next_phase(kernel: Any) -> None:
    """It is drawn when the phase opens, from what is known before."""
    sets = [a_set("a/s", 1), a_set("b/t", 2, configured_at_ms=HOUR)]
    story = a_story(kernel, a_fleet(*sets), phase_bake_ms=HOUR, delays=True).roll_out()
    story.start()
    story.upgrade()
    instant = first_instant("b/t", NEW, HOUR)
    assert (story.why("b/t/0"), story.earliest("b/t/0")) == (
        ["phase-not-open(phase=1, regions=a, waiting_for=0)"],
        instant,
    )
    story.on(pg.Tick(HOUR))
    assert (story.why("b/t/0"), story.earliest("b/t/0")) == ([f"not-before(time={instant})"], instant)


def test_one_alone_is_always_within_the_size(kernel: Any) -> None:
    """Even where no healthy one may be added to what is down: the size given is never 0."""
    listed = [vm(0), vm(1), vm(2, health="unhealthy"), vm(3, health="unhealthy"), vm(4)]
    story = a_story(kernel, a_set(instances=listed), max_batch_percent=50, max_unhealthy_percent=100).roll_out()
    assert (story.check(ONE, OTHER), story.check(ONE)) == (["batch-full(size=1)"], [])


def test_where_nothing_is_pending_nobody_comes_later(kernel: Any) -> None:
    """There is no current phase ordering number that one could be behind."""
    story = a_story(kernel, a_fleet(a_set("a/web", 1), a_set("b/web", [vm(0, version=NEW)]))).roll_out()
    assert [why.split("(")[0] for why in story.check("b/web/0")] == ["phase-not-open", "not-pending"]


def test_what_failed_before_is_no_reason_in_a_manual_rollout(kernel: Any) -> None:
    """It may try again; what excludes the instance is its protection alone."""
    own = a_set(instances=[vm(0, version="1.0", failed_versions=(NEW,), protect_from_scale_set_actions=True)])
    story = a_story(kernel, own).roll_out()
    assert story.why(ONE) == ["excluded(why=protected)", f"failed-before(version={NEW})"]
    story.roll_out(sets=(WEB,), started_by="user")
    assert story.why(ONE) == ["excluded(why=protected)"]


def test_a_pause_that_stands_still_has_no_earliest_time(kernel: Any) -> None:
    """While the rollout is paused nobody knows when it ends."""
    story = _resting(kernel)
    story.on(pg.Pause(MINUTE))
    found = {one.code: one.earliest for one in story.engine.explain(story.state, ONE)}
    assert found == {Code.PAUSED: None, Code.NOT_BEFORE: None}
    story.on(pg.Tick(HOUR))
    assert story.why(ONE) == ["paused", f"not-before(time={2 * HOUR - MINUTE})"]  # were it resumed now
    story.on(pg.Resume(HOUR))
    assert story.why(ONE) == [f"not-before(time={2 * HOUR - MINUTE})"]


def test_an_instance_that_starts_has_no_reason(kernel: Any) -> None:
    """Nor has one that is at work or done."""
    story = a_story(kernel).roll_out()
    explanation = story.engine.explain(story.state, ONE)
    assert (explanation.selected, explanation.reasons, explanation.earliest) == (True, (), None)
    story.start()
    explanation = story.engine.explain(story.state, ONE)
    assert (explanation.selected, explanation.reasons, explanation.deadline) == (False, (), 90 * MINUTE)
    assert (explanation.state.word, explanation.version, explanation.target) == ("replacing", "1.0", NEW)
    story.upgrade()
    explanation = story.engine.explain(story.state, ONE)
    assert (explanation.reasons, explanation.deadline, explanation.version) == ((), None, NEW)


def test_who_is_not_there_cannot_be_explained(kernel: Any) -> None:
    """Unknown instances and sets are errors with their names."""
    story = a_story(kernel)
    for name, message in ((f"{WEB}/77", "no instance `77`"), ("eastus/x/0", "no set `eastus/x`"), ("", "no set")):
        with pytest.raises(pg.UnknownName, match=message):
            story.engine.explain(story.state, name)


def test_a_protected_instance_without_a_target_has_one_reason(kernel: Any) -> None:
    """There is no version that could have failed on it."""
    images = [pg.Image(UBUNTU, (pg.ImageVersion(NEW, published_at_ms=HOUR),))]
    own = a_set(instances=[vm(0, version="1.0", protect_from_scale_set_actions=True)])
    story = a_story(kernel, a_fleet(own, images=images))
    assert story.why(ONE) == ["excluded(why=protected)"]


def test_a_set_without_a_rollout_of_its_image_waits_for_one(kernel: Any) -> None:
    """A rollout of another image is not its own."""
    story = a_story(kernel, a_fleet(a_set(), a_set("w/x", image=CENTOS))).roll_out(CENTOS.name)
    assert story.why(ONE) == ["no-rollout"]


def test_reasons_read_as_code_and_numbers() -> None:
    """Words are made at the edge."""
    assert str(reason(Code.PAUSED)) == "paused"
    assert str(reason(Code.NOT_ELIGIBLE, codes=("a", "b"))) == "not-eligible(codes=a+b)"
    assert str(pg.IllegalTransition(pg.Verdict((reason(Code.PAUSED), reason(Code.CANCELLED))))) == "paused; cancelled"


# --- batches that are no batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "slots", "error", "message"),
    [
        (WEB, [], pg.InvalidEvent, "is empty or names a slot twice"),
        (WEB, [0, 0], pg.InvalidEvent, "is empty or names a slot twice"),
        (WEB, [4], pg.InvalidEvent, "slot 4 is no instance of `eastus/web`"),
        (WEB, [99], pg.InvalidEvent, "slot 99 is no instance"),
        (WEB, [-1], pg.InvalidEvent, "slot -1 is no instance"),
        ("eastus/none", [0], pg.UnknownName, "no set `eastus/none`"),
    ],
)
def test_a_malformed_batch_is_an_error_not_a_verdict(
    kernel: Any, of: str, slots: list[int], error: type[Exception], message: str
) -> None:
    """Empty, twice, of another set, beyond the last slot, of no set."""
    story = a_story(kernel, a_fleet(a_set(), a_set("eastus/zoo"))).roll_out()
    batch = pg.Batch(of, slots)
    with pytest.raises(error, match=message):
        story.engine.check(story.state, batch)
    before = story.state
    with pytest.raises(error, match=message):
        story.on(pg.Start([batch], 0))
    assert story.state is before
