"""Section 7: the gates between batches, the size of a batch, which batches are legal, and which are selected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from attrs import define
from fleets import HOUR, MINUTE, NEW, OLD, Story, a_fleet, a_set, a_story, vm

import phasegate as pg
from phasegate.core.model import RollingPolicy, ServiceFabric
from phasegate.core.roster import Instance

WEB = "eastus/web"
UPGRADED_ERROR = "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade"
BEFORE_ERROR = "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade"
DURING_ERROR = "MaxUnhealthyInstancePercentExceededInRollingUpgrade"


def web(*ids: int) -> list[str]:
    """Return the names of instances of the set."""
    return [f"{WEB}/{ident}" for ident in ids]


def of_size(kernel: Any, size: int, unhealthy: Iterable[int] = (), **options: Any) -> Story:
    """Return a rollout over one set of that many instances, some of them unhealthy."""
    bad = {*unhealthy}
    listed = [vm(ident, health="unhealthy" if ident in bad else "healthy") for ident in range(size)]
    return a_story(kernel, a_set(instances=listed), **options).roll_out()


# --- size ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "percent", "expected"),
    [(1, 100, 1), (2, 100, 1), (3, 100, 2), (4, 20, 1), (5, 20, 1), (9, 20, 1), (10, 20, 2), (20, 5, 1), (20, 100, 19)],
)
def test_the_cap_of_a_batch(kernel: Any, size: int, percent: int, expected: int) -> None:
    """A share rounded down, at least one, and never the whole set unless it is one instance."""
    story = of_size(kernel, size, max_batch_percent=percent)
    assert [len(batch) for batch in story.selected()] == [expected]


def test_what_is_down_already_shrinks_the_batch(kernel: Any) -> None:
    """With a cap of 4 and 2 unhealthy, 2 healthy ones may go down, and the unhealthy ones on top."""
    story = of_size(kernel, 20, unhealthy=(18, 19))
    assert story.selected() == [web(0, 1, 18, 19)]


def test_the_first_candidate_is_always_in(kernel: Any) -> None:
    """With the whole cap down already one healthy instance may still start, alone."""
    story = of_size(kernel, 10, unhealthy=(8, 9))
    assert story.selected() == [web(0)]
    assert story.check(*web(0, 1)) == ["batch-full(size=1)"]
    assert story.check(*web(0, 8)) == ["batch-full(size=1)"]
    assert story.check(*web(8, 9)) == []


def test_later_ones_that_do_not_fit_are_skipped(kernel: Any) -> None:
    """Healthy ones beyond their bound are passed over for unhealthy ones further on."""
    story = of_size(kernel, 20, unhealthy=(5, 6, 7))
    assert story.selected() == [web(0, 5, 6, 7)]


def test_initializing_counts_as_well_in_a_batch(kernel: Any) -> None:
    """An initializing instance takes a healthy one's place."""
    listed = [vm(i, health="unhealthy" if i > 17 else "initializing") for i in range(20)]
    assert a_story(kernel, a_set(instances=listed)).roll_out().selected() == [web(0, 1, 18, 19)]


def test_unhealthy_shrinks_batch_can_be_switched_off(kernel: Any) -> None:
    """Then only the cap counts."""
    story = of_size(kernel, 20, unhealthy=(18, 19), unhealthy_shrinks_batch=False)
    assert story.selected() == [web(0, 1, 2, 3)]


def test_excluded_instances_stay_in_the_total(kernel: Any) -> None:
    """Half of the set is excluded, and the cap is still a fifth of all."""
    listed = [vm(i, skip_upgrade=i >= 5) for i in range(10)]
    assert a_story(kernel, a_set(instances=listed)).roll_out().selected() == [web(0, 1)]


def test_prioritize_unhealthy_takes_them_first_of_all(kernel: Any) -> None:
    """Before those of lower ids and zones; the batch is in the first one's cell."""
    listed = [vm(i, "1" if i < 5 else "2", health="unhealthy" if i == 9 else "healthy") for i in range(10)]
    assert a_story(kernel, a_set(instances=listed)).roll_out().selected() == [web(0)]
    first = a_story(kernel, a_set(instances=listed), prioritize_unhealthy=True, max_batch_percent=50).roll_out()
    assert first.selected() == [web(9, 5, 6, 7, 8)]


@define
class Only:
    """A user's policy that admits these ids alone."""

    ids: frozenset[str]
    name: str = "only"

    def judge(self, question: pg.policies.Question) -> pg.policies.Admit:
        """Admit of a batch what it may."""
        return pg.policies.Admit(self.ids.intersection(question.ids))


@pytest.mark.parametrize("enable_cross_zone", [False, True])
@pytest.mark.parametrize(("refused", "expected"), [((), (9, 5)), ((9,), (0, 1)), ((0, 9), (1, 2)), ((5,), (9, 6))])
def test_whom_a_users_policy_holds_back_is_first_of_nothing(
    kernel: Any, refused: tuple[int, ...], expected: tuple[int, ...], enable_cross_zone: bool
) -> None:
    """The unhealthy one of zone 2 draws the batch there only if it is itself admitted."""
    listed = [
        vm(i, "1" if i < 5 else "2", upgrade_domain=i // 5, health="unhealthy" if i == 9 else "healthy")
        for i in range(10)
    ]
    only = Only(frozenset(str(i) for i in range(10) if i not in refused))
    options = {"prioritize_unhealthy": True, "enable_cross_zone": enable_cross_zone, "unhealthy_shrinks_batch": False}
    story = a_story(kernel, a_set(instances=listed), also=(only,), **options).roll_out()
    assert story.selected() == [web(*expected)]


def test_across_zones_an_unhealthy_one_draws_its_own_domain(kernel: Any) -> None:
    """One in the second zone is the first candidate, though its domain has healthy ones in the first zone too."""
    listed = [vm(i, "12"[i % 2], upgrade_domain=i // 4, health="unhealthy" if i == 7 else "healthy") for i in range(8)]
    for ids, expected in ((range(8), (7,)), (range(7), (0,))):
        only = Only(frozenset(map(str, ids)))
        options = {"prioritize_unhealthy": True, "enable_cross_zone": True, "max_batch_percent": 20}
        story = a_story(kernel, a_set(instances=listed), also=(only,), **options).roll_out()
        assert story.selected() == [web(*expected)]


def test_ids_are_ordered_as_numbers(kernel: Any) -> None:
    """9 before 10."""
    listed = [vm(f"vm{i}") for i in (10, 9, 100, 11, 12)]
    story = a_story(kernel, a_set(instances=listed), max_batch_percent=60).roll_out()
    assert story.selected() == [["eastus/web/vm9", "eastus/web/vm10", "eastus/web/vm11"]]


# --- one batch -------------------------------------------------------------------------------------------------------


def grid() -> list[Instance]:
    """Return twelve instances: two in each of three zones times two upgrade domains."""
    return [vm(i, "123"[i % 3], upgrade_domain=i // 3 % 2) for i in range(12)]


def test_a_batch_is_of_one_cell_and_one_upgrade_domain(kernel: Any) -> None:
    """Instances of two cells, or of two domains, do not start together."""
    story = a_story(kernel, a_set(instances=grid()), max_batch_percent=50).roll_out()
    assert story.selected() == [web(0, 6)]
    assert story.check(*web(0, 6)) == []
    assert story.check(*web(0, 3)) == ["not-one-batch(buckets=2)"]
    assert story.check(*web(0, 1)) == ["not-one-batch(buckets=2)"]


def test_legal_is_every_cell_and_domain_that_may_start(kernel: Any) -> None:
    """In order of the cell, then of the domain."""
    story = a_story(kernel, a_set(instances=grid()), max_batch_percent=50).roll_out()
    assert story.legal() == [
        ("eastus/1", web(0, 6)),
        ("eastus/1", web(3, 9)),
        ("eastus/2", web(1, 7)),
        ("eastus/2", web(4, 10)),
        ("eastus/3", web(2, 8)),
        ("eastus/3", web(5, 11)),
    ]
    assert {(choice.upgrade_domain, choice.at_most) for choice in story.engine.legal(story.state)} == {(0, 6), (1, 6)}


def test_a_batch_may_be_too_large(kernel: Any) -> None:
    """One more than the cap is refused whole, and nothing has moved."""
    story = of_size(kernel, 10)
    before = story.state
    with pytest.raises(pg.IllegalTransition, match=r"batch-full\(size=2\)"):
        story.start(*web(0, 1, 2))
    assert story.state is before
    assert story.check(*web(4, 7)) == []


def test_a_set_with_an_instance_in_flight_starts_nothing(kernel: Any) -> None:
    """Not even while there is room in the cap."""
    story = of_size(kernel, 10)
    story.start(*web(0))
    assert (story.selected(), story.legal()) == ([], [])
    assert story.check(*web(1)) == ["batch-in-flight(count=1)"]
    story.configured(*web(0))
    assert story.selected() == []
    story.healthy(*web(0))
    assert story.selected() == [web(1, 2)]


# --- order -----------------------------------------------------------------------------------------------------------


def test_phase_ordering_numbers_go_one_after_the_other(kernel: Any) -> None:
    """All of one number before the next, an instance without one last; zones come after that."""
    numbers = {0: None, 1: 7, 2: 2, 3: 7, 4: 2}
    listed = [vm(i, "1" if i % 2 else "2", phase_ordering_number=number) for i, number in numbers.items()]
    story = a_story(kernel, a_set(instances=listed), max_batch_percent=40).roll_out()
    order = []
    while story.selected():
        order += story.selected()
        story.start()
        story.upgrade()
    assert order == [web(2, 4), web(1, 3), web(0)]


def test_a_later_number_waits_for_the_last_of_the_one_before(kernel: Any) -> None:
    """It is not legal, and says which number is up."""
    listed = [vm(0, phase_ordering_number=1), vm(1, phase_ordering_number=1), vm(2, phase_ordering_number=2), vm(3)]
    story = a_story(kernel, a_set(instances=listed)).roll_out()
    story.start(*web(0))
    story.upgrade()
    assert story.legal() == [("eastus/-", web(1))]
    assert story.why(*web(2)) == ["phase-order-later(current=1, number=2)"]


def fabric(kernel: Any, **options: Any) -> Story:
    """Return a Service Fabric set: two upgrade domains in two zones, two instances each."""
    listed = [vm(i, "12"[i % 2], upgrade_domain=i // 2 % 2) for i in range(8)]
    own = a_set(instances=listed, service_fabric=ServiceFabric())
    return a_story(kernel, own, **options).roll_out()


def test_service_fabric_finishes_an_upgrade_domain_in_every_zone(kernel: Any) -> None:
    """Domain 0 in zone 1, then in zone 2: the hold on zone 1 ends though domain 1 waits there."""
    story = fabric(kernel, max_batch_percent=25)
    order = []
    while story.selected():
        order += story.selected()
        story.start()
        story.upgrade()
    assert order == [web(0, 4), web(1, 5), web(3, 7), web(2, 6)]


def test_without_service_fabric_the_zone_is_finished_first(kernel: Any) -> None:
    """The same set of the ordinary kind."""
    listed = [vm(i, "12"[i % 2], upgrade_domain=i // 2 % 2) for i in range(8)]
    story = a_story(kernel, a_set(instances=listed), max_batch_percent=25).roll_out()
    order = []
    while story.selected():
        order += story.selected()
        story.start()
        story.upgrade()
    assert order == [web(0, 4), web(2, 6), web(1, 5), web(3, 7)]


def test_only_a_begun_domain_keeps_others_back(kernel: Any) -> None:
    """Before the first batch any domain is legal; then only the begun one."""
    story = fabric(kernel, max_batch_percent=12)
    assert len(story.legal()) == 4
    story.start(*web(2))
    story.upgrade()
    assert story.legal() == [("eastus/1", web(6))]
    assert story.why(*web(0)) == ["upgrade-domain-later(domain=0)"]


def test_when_the_numbers_of_begun_domains_run_out_the_latest_still_goes_first(kernel: Any) -> None:
    """There are 255 of them: domains 2 and 3 take turns until they are used up, and 0 and 1 fall together."""
    own = a_set(instances=[vm("last", upgrade_domain=9)], service_fabric=ServiceFabric())
    story = a_story(kernel, own).roll_out()
    for ident, domain in enumerate([0, 1] + [2, 3] * 130):
        story.on(pg.Scaled(WEB, 0, added=[vm(ident, version=OLD, upgrade_domain=domain)]))
        story.start(*web(ident))
        story.on(pg.Scaled(WEB, 0, removed=[str(ident)]))
    story.on(pg.Scaled(WEB, 0, added=[vm(domain, version=OLD, upgrade_domain=domain) for domain in range(4)]))
    for domain in (3, 2):
        assert story.legal() == [("eastus/-", web(domain))]
        story.start()
        story.upgrade()
    assert story.legal() == [("eastus/-", web(0)), ("eastus/-", web(1))]
    assert story.why(f"{WEB}/last") == ["upgrade-domain-later(domain=9)"]
    assert story.finish().status() == "completed"


# --- the after-batch gate --------------------------------------------------------------------------------------------


def test_too_many_bad_among_the_upgraded_fault_the_attempt(kernel: Any) -> None:
    """One of two upgraded is unhealthy when the next batch could start: more than a fifth."""
    story = of_size(kernel, 10)
    story.start()
    story.upgrade()
    facts = story.unhealthy(*web(0), now=1)
    assert [type(fact).__name__ for fact in facts] == ["AttemptEnded", "PhaseEnded", "RolloutEnded"]
    assert (story.status(WEB), story.error()) == ("faulted", UPGRADED_ERROR)
    assert (story.selected(), story.status()) == ([], "halted")


def test_a_fifth_exactly_is_within_the_gate(kernel: Any) -> None:
    """One bad of five attempted passes at 20 percent, at 19 it does not."""
    for percent, expected in ((20, "rolling-forward"), (19, "faulted")):
        story = of_size(kernel, 10, max_batch_percent=50, max_unhealthy_upgraded_percent=percent)
        story.start()
        story.configured()
        story.healthy(*web(0, 1, 2, 3))
        story.tick(5 * MINUTE)
        story.answer()
        assert story.lives()["4"] == "restored"
        assert story.status(WEB) == expected


def test_a_restored_instance_counts_as_bad_though_it_is_healthy_again(kernel: Any) -> None:
    """Else a bad image walks through the fleet one rollback at a time."""
    story = of_size(kernel, 10)
    story.start(*web(0))
    story.roll_back(*web(0))
    story.healthy(*web(0), now=1)
    assert (story.status(WEB), story.error()) == ("faulted", UPGRADED_ERROR)


def test_the_gate_is_looked_at_when_the_last_batch_ends_too(kernel: Any) -> None:
    """An attempt whose only batch failed is faulted, not completed."""
    story = of_size(kernel, 1)
    story.start()
    story.roll_back(*web(0))
    assert (story.status(WEB), story.error()) == ("faulted", UPGRADED_ERROR)


def test_the_gate_waits_for_the_batch_in_flight(kernel: Any) -> None:
    """While something is in flight nothing is faulted."""
    story = of_size(kernel, 10)
    story.start(*web(0, 1))
    story.upgrade(*web(0))
    story.unhealthy(*web(0), now=1)
    assert story.status(WEB) == "rolling-forward"
    story.roll_back(*web(1))
    assert story.status(WEB) == "faulted"


def test_an_upgraded_instance_that_recovers_in_time_breaks_nothing(kernel: Any) -> None:
    """Unhealthy and healthy again while the next batch is in flight."""
    story = of_size(kernel, 10)
    story.start()
    story.upgrade()
    story.start()
    story.unhealthy(*web(0), now=1)
    story.healthy(*web(0), now=2)
    story.upgrade()
    assert story.status(WEB) == "rolling-forward"


def test_the_percentage_may_be_of_the_whole_set(kernel: Any) -> None:
    """One bad of two attempted is one of ten."""
    story = of_size(kernel, 10, unhealthy_upgraded_of="set")
    story.start()
    story.upgrade()
    story.unhealthy(*web(0), now=1)
    assert story.status(WEB) == "rolling-forward"


def test_a_pause_between_batches_does_not_hide_the_end_of_a_batch_from_the_gate(kernel: Any) -> None:
    """A batch that ends badly faults the attempt at once."""
    story = of_size(kernel, 10, pause_between_batches_ms=HOUR)
    story.start(*web(0))
    story.roll_back(*web(0))
    assert story.status(WEB) == "faulted"


def test_between_batches_a_bad_moment_that_passes_is_forgiven(kernel: Any) -> None:
    """Unhealthy during the pause between batches, healthy at its end: no batch could have started meanwhile."""
    story = of_size(kernel, 10, pause_between_batches_ms=HOUR)
    story.start()
    story.upgrade()
    story.unhealthy(*web(0), now=1)
    assert story.status(WEB) == "rolling-forward"
    story.healthy(*web(0), now=2)
    story.on(pg.Tick(HOUR))
    assert story.selected() == [web(2, 3)]


# --- the before-batch gate -------------------------------------------------------------------------------------------


def test_a_set_too_unhealthy_to_begin_is_faulted(kernel: Any) -> None:
    """Three of ten, before the first batch."""
    story = of_size(kernel, 10, unhealthy=(7, 8, 9))
    assert (story.status(WEB), story.error(), story.status()) == ("faulted", BEFORE_ERROR, "halted")


def test_two_of_ten_are_a_fifth_and_may_begin(kernel: Any) -> None:
    """The comparison is strict."""
    assert of_size(kernel, 10, unhealthy=(8, 9)).status(WEB) == "waiting"


def test_unknown_counts_as_not_healthy_and_initializing_does_not(kernel: Any) -> None:
    """Three unknown fault the set, three initializing do not."""
    for health, expected in (("unknown", "faulted"), ("initializing", "waiting")):
        listed = [vm(i, health=health if i > 6 else "healthy") for i in range(10)]
        assert a_story(kernel, a_set(instances=listed)).roll_out().status(WEB) == expected


@pytest.mark.parametrize(("what", "expected"), [("unknown", "faulted"), ("initializing", "waiting")])
def test_reported_health_counts_like_listed_health(kernel: Any, what: str, expected: str) -> None:
    """Three of ten are reported so."""
    story = of_size(kernel, 10)
    story.report(pg.What[what.upper()], *web(7, 8, 9), now=1)
    assert story.status(WEB) == expected
    story = of_size(kernel, 10)
    story.start()
    story.upgrade()
    story.report(pg.What[what.upper()], *web(0), now=1)
    assert story.status(WEB) == expected.replace("waiting", "rolling-forward")


def test_outside_maintenance_stops_the_rollout_after_the_batch_in_flight(kernel: Any) -> None:
    """The batch is finished, nothing more starts, and the code says that it was under way."""
    story = of_size(kernel, 10)
    story.start()
    story.unhealthy(*web(7, 8, 9), now=1)
    assert story.status(WEB) == "rolling-forward"
    story.upgrade()
    assert (story.status(WEB), story.error()) == ("faulted", DURING_ERROR)
    assert story.lives() == dict.fromkeys("01", "upgraded") | dict.fromkeys("23456789", "pending")


def test_excluded_instances_count_in_the_gate(kernel: Any) -> None:
    """Both as not healthy and in the total."""
    listed = [vm(i, skip_upgrade=i > 2, health="unhealthy" if i > 6 else "healthy") for i in range(10)]
    assert a_story(kernel, a_set(instances=listed)).roll_out().status(WEB) == "faulted"


def test_a_set_that_merely_waits_is_not_faulted_for_a_passing_dip(kernel: Any) -> None:
    """Its zone is busy; it recovers before it could start."""
    fleet = a_fleet(a_set("eastus/a", [vm(0, "1"), vm(1, "1")]), a_set("eastus/b", [vm(0, "2")]))
    story = a_story(kernel, fleet).roll_out()
    story.start("eastus/a/0")
    story.unhealthy("eastus/b/0", now=1)
    assert story.status("eastus/b") == "waiting"
    story.healthy("eastus/b/0", now=2)
    story.finish()
    assert story.status() == "completed"


def test_a_dip_when_the_set_could_start_faults_it(kernel: Any) -> None:
    """The same dip, and the zone becomes free meanwhile."""
    fleet = a_fleet(a_set("eastus/a", [vm(0, "1")]), a_set("eastus/b", [vm(0, "2")]))
    story = a_story(kernel, fleet).roll_out()
    story.start("eastus/a/0")
    story.unhealthy("eastus/b/0", now=1)
    story.upgrade("eastus/a/0")
    assert story.error("eastus/b") == BEFORE_ERROR


def test_the_set_behind_a_pick_is_not_judged_yet(kernel: Any) -> None:
    """Gates are looked at after the picks before: a set in the way of the first pick is left alone."""
    fleet = a_fleet(a_set("eastus/a", [vm(0, "1")]), a_set("eastus/b", [vm(0, "2", health="unhealthy")]))
    story = a_story(kernel, fleet).roll_out()
    assert (story.selected(), story.status("eastus/b")) == ([["eastus/a/0"]], "waiting")


def test_an_attempt_that_ends_at_its_gate_frees_its_zone_before_the_next_is_judged(kernel: Any) -> None:
    """`b` in zone 1 goes on then, and keeps the unhealthy `c` in zone 2 waiting: a set that waits is not faulted."""
    sets = (
        a_set("eastus/a", [vm(0, "2"), vm(1, "2")]),
        a_set("eastus/b", [vm(0, "1")]),
        a_set("eastus/c", [vm(0, "2")]),
    )
    story = a_story(kernel, a_fleet(*sets)).roll_out()
    story.start("eastus/a/0")
    story.upgrade()
    story.unhealthy("eastus/a/0", "eastus/c/0", now=1)
    assert [story.status(f"eastus/{name}") for name in "abc"] == ["faulted", "waiting", "waiting"]
    assert story.selected() == [["eastus/b/0"]]


def test_nothing_pending_completes_even_an_unhealthy_set(kernel: Any) -> None:
    """There is no batch that could start, so there is no gate."""
    listed = [vm(0, version=NEW, health="unhealthy"), vm(1, skip_upgrade=True, health="unhealthy")]
    story = a_story(kernel, a_set(instances=listed)).roll_out()
    assert (story.status(WEB), story.status()) == ("completed", "completed")
    assert story.of_set(WEB)["progress"]["skipped"] == 2


# --- a set's own limits ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (RollingPolicy(), [web(0, 1)]),
        (RollingPolicy(max_batch_percent=50), [web(0, 1, 2, 3, 4)]),
        (RollingPolicy(max_batch_percent=5), [web(0)]),
    ],
)
def test_a_sets_own_rolling_policy_wins(kernel: Any, own: RollingPolicy, expected: list[list[str]]) -> None:
    """Where it says nothing the engine's policy holds."""
    assert a_story(kernel, a_set(instances=10, rolling_policy=own)).roll_out().selected() == expected


def test_a_sets_own_gates_and_orders_win(kernel: Any) -> None:
    """Unhealthy percent, upgraded percent, prioritizing, crossing zones, pausing."""
    bad = [vm(i, health="unhealthy" if i > 6 else "healthy") for i in range(10)]
    mild = RollingPolicy(max_unhealthy_percent=30, prioritize_unhealthy=True)
    story = a_story(kernel, a_set(instances=bad, rolling_policy=mild)).roll_out()
    assert story.selected() == [web(7, 8)]
    mild = RollingPolicy(max_unhealthy_upgraded_percent=100, pause_between_batches_ms=MINUTE)
    story = a_story(kernel, a_set(instances=10, rolling_policy=mild)).roll_out()
    story.start(*web(0))
    story.roll_back(*web(0))
    assert (story.status(WEB), story.selected()) == ("rolling-forward", [])
    story.tick(MINUTE)
    assert story.selected() == [web(1, 2)]
    wide = RollingPolicy(enable_cross_zone=True)
    listed = [vm(i, "12"[i % 2]) for i in range(10)]
    assert a_story(kernel, a_set(instances=listed, rolling_policy=wide)).roll_out().selected() == [web(0, 2)]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_small_sets_never_deadlock(kernel: Any, size: int) -> None:
    """With every percentage at its least, one after the other is upgraded."""
    options = {"max_batch_percent": 5, "max_unhealthy_percent": 5, "max_unhealthy_upgraded_percent": 0}
    story = of_size(kernel, size, **options).finish()
    assert (set(story.lives().values()), story.status()) == ({"upgraded"}, "completed")
