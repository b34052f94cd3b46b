"""Section 5: phases, their plan and their end; paired regions are never at work together; gallery rollouts join."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from attrs import evolve
from fleets import CENTOS, CORP, HOUR, MINUTE, NEW, OLD, UBUNTU, Story, a_fleet, a_set, a_story, drive, vm
from hypothesis import given
from hypothesis import strategies as st

import phasegate as pg
from phasegate.core.facts import BatchStarted, PhaseEnded, PhaseOpened
from phasegate.core.model import Image, ImageVersion, Region, Replica, Window
from phasegate.core.schedule import first_instant
from phasegate.core.topology import check_phases, pair_graph, phase_plan


def phases(story: Story, number: int = 0) -> list[list[str]]:
    """Return the plan of a rollout."""
    found: list[list[str]] = story.rollout(number)["phases"]
    return found


def phase_ends(story: Story) -> list[tuple[int, bool, int, int]]:
    """Return the phases that have ended: number, whether it succeeded, lost, eligible."""
    return [(f.phase, f.succeeded, f.lost, f.eligible) for f in story.facts if isinstance(f, PhaseEnded)]


def sized(**sizes: int) -> tuple[pg.ScaleSet, ...]:
    """Return one set of that size for each region."""
    return tuple(a_set(f"{region}/web", size) for region, size in sizes.items())


# --- the plan --------------------------------------------------------------------------------------------------------


def test_the_default_plan_doubles_from_the_smallest_region_on(kernel: Any) -> None:
    """One region, then two, then four; fewest eligible instances first, then by name."""
    fleet = a_fleet(*sized(h=3, g=3, f=2, e=9, d=8, c=7, b=6, a=5))
    assert phases(a_story(kernel, fleet).roll_out()) == [["f"], ["g", "h"], ["a", "b", "c", "d"], ["e"]]


def test_regions_without_eligible_instances_come_last(kernel: Any) -> None:
    """A region that is on the target already is no canary."""
    fleet = a_fleet(a_set("a/web", [vm(0, version=NEW)]), *sized(b=5, c=4))
    assert phases(a_story(kernel, fleet).roll_out()) == [["c"], ["b", "a"]]


def test_the_plan_counts_eligible_instances_of_eligible_sets_only(kernel: Any) -> None:
    """Excluded instances and ineligible sets make no region large; a region without an eligible set is in no phase."""
    fleet = a_fleet(
        a_set("a/web", [vm(i, skip_upgrade=i > 0) for i in range(9)]),
        a_set("a/out", 50, automatic_os_upgrade=False),
        *sized(b=2),
        a_set("c/out", 1, automatic_os_upgrade=False),
        regions=[Region(name) for name in "abcd"],
    )
    assert phases(a_story(kernel, fleet).roll_out()) == [["a"], ["b"]]


def test_a_pair_is_never_in_one_phase(kernel: Any) -> None:
    """The second of a pair waits for a later phase, and a region after it takes its place."""
    fleet = a_fleet(*sized(a=1, b=2, c=3, d=4), pairs={"b": "c"})
    assert phases(a_story(kernel, fleet).roll_out()) == [["a"], ["b", "d"], ["c"]]


def test_a_pair_that_is_named_one_way_holds_both_ways(kernel: Any) -> None:
    """The real data have chains: x names a, and a names b."""
    fleet = a_fleet(*sized(a=2, b=3, x=4, c=1), pairs={"a": "b", "b": "a", "x": "a"})
    assert phases(a_story(kernel, fleet).roll_out()) == [["c"], ["a"], ["b", "x"]]
    story = a_story(kernel, fleet).roll_out(sets=("a/web", "x/web"))
    story.start("a/web/0")
    assert story.why("x/web/0") == ["pair-at-work(pair=a, region=x)", "cell-busy(busy_cell=a/-, cell=x/-)"]


def test_a_pair_that_is_not_in_the_fleet_is_ignored(kernel: Any) -> None:
    """As if it named none."""
    fleet = a_fleet(*sized(a=1), pairs={"a": "elsewhere"}, regions=[Region("a", "elsewhere")])
    assert phases(a_story(kernel, fleet).roll_out()) == [["a"]]


def test_a_region_that_names_itself_is_refused() -> None:
    """With its name."""
    with pytest.raises(pg.InvalidModel, match="`a` names itself"):
        Region("a", "a")


@given(
    st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 5), max_size=10),
    st.sets(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("abcdefghij")).filter(lambda e: e[0] != e[1])),
)
def test_the_plan_is_a_proper_colouring_of_the_pairs(eligible: dict[str, int], pairs: set[tuple[str, str]]) -> None:
    """Every region in exactly one phase, no pair inside one, phase n of at most 2**n, each as greedy as it can be."""
    graph = nx.Graph(pairs)
    plan = phase_plan(eligible, graph)
    assert sorted(region for phase in plan for region in phase) == sorted(eligible)
    rank = {region: (not eligible[region], eligible[region], region) for region in eligible}
    for number, phase in enumerate(plan):
        assert not any(graph.has_edge(a, b) for a in phase for b in phase)
        assert 1 <= len(phase) <= 2**number
        assert list(phase) == sorted(phase, key=rank.__getitem__)
        for region in [region for later in plan[number + 1 :] for region in later]:
            before = [other for other in phase if rank[other] < rank[region]]
            assert len(before) == 2**number or any(graph.has_edge(region, other) for other in before)


def test_the_users_phases_are_taken(kernel: Any) -> None:
    """In their order, whatever the sizes; a phase with nothing eligible succeeds at once."""
    fleet = a_fleet(*sized(a=9, b=1), phases=(("a",), ("c",), ("b",)), regions=[Region(name) for name in "abc"])
    story = a_story(kernel, fleet).roll_out()
    assert phases(story) == [["a"], ["c"], ["b"]]
    assert phase_ends(story.finish()) == [(0, True, 0, 9), (1, True, 0, 0), (2, True, 0, 1)]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ((("a",),), "no phase has `b`"),
        ((("a",), ("b", "a")), "`a` is in phase 0 and in phase 1"),
        ((("a", "b"),), "`a` and `b` are a pair and both in phase 0"),
        ((("a",), ("b",), ("x",)), "unknown region `x`"),
    ],
)
def test_wrong_phases_are_refused_by_name(plan: tuple[tuple[str, ...], ...], message: str) -> None:
    """Each region with an eligible set in exactly one, no pair inside one."""
    with pytest.raises(pg.InvalidModel, match=message):
        check_phases(plan, ["a", "b"], nx.Graph([("a", "b")]))


def test_phases_that_can_never_be_right_are_refused_when_the_engine_is_made(kernel: Any) -> None:
    """A pair inside one of them, as `Engine` says."""
    fleet = a_fleet(*sized(a=1, b=1), pairs={"a": "b"}, phases=(("a", "b"),))
    with pytest.raises(pg.InvalidModel, match="`a` and `b` are a pair"):
        a_story(kernel, fleet).roll_out()
    with pytest.raises(pg.InvalidModel, match="`a` and `b` are a pair"):
        pg.Engine(fleet, pg.policies.availability_first(), kernel=kernel)


def test_the_graph_of_pairs_is_a_symmetric_closure() -> None:
    """One naming is enough."""
    fleet = a_fleet(*sized(a=1, b=1, c=1), pairs={"a": "b", "c": "a"})
    assert sorted(tuple(sorted(edge)) for edge in pair_graph(fleet).edges) == [("a", "b"), ("a", "c")]


# --- phases end ------------------------------------------------------------------------------------------------------


def test_only_a_phase_that_succeeded_opens_the_next(kernel: Any) -> None:
    """Region b is closed until region a is done."""
    story = a_story(kernel, a_fleet(*sized(a=1, b=2))).roll_out()
    assert story.selected() == [["a/web/0"]]
    assert story.why("b/web/0") == ["phase-not-open(phase=1, regions=a, waiting_for=0)"]
    with pytest.raises(pg.IllegalTransition, match="phase-not-open"):
        story.start("b/web/0")
    story.start()
    story.upgrade()
    assert story.selected() == [["b/web/0"]]
    opened = [(f.phase, f.regions) for f in story.facts if isinstance(f, PhaseOpened)]
    assert opened == [(0, ("a",)), (1, ("b",))]


def test_a_set_with_nothing_to_do_still_waits_for_its_phase(kernel: Any) -> None:
    """It completes when its phase opens, not before."""
    story = a_story(kernel, a_fleet(*sized(a=1), a_set("b/web", [vm(0, version=NEW)]))).roll_out()
    assert story.status("b/web") == "waiting"
    story.finish()
    assert story.ended() == ["a/web completed", "b/web completed", "0 completed"]
    assert phase_ends(story) == [(0, True, 0, 1), (1, True, 0, 0)]


def test_a_lost_instance_halts_the_rollout(kernel: Any) -> None:
    """At 0 percent all eligible ones must have succeeded; the attempts that wait end as cancelled."""
    story = a_story(kernel, a_fleet(*sized(a=1, b=2))).roll_out()
    story.start()
    story.roll_back("a/web/0")
    assert phase_ends(story) == [(0, False, 1, 1)]
    assert (story.status(), story.status("b/web")) == ("halted", "cancelled")
    assert story.selected() == []


def test_two_regions_that_break_their_gates_at_once_both_end(kernel: Any) -> None:
    """The first end does not hide the second, whose turn comes after it."""
    story = a_story(kernel, a_fleet(*sized(a=4, b=4), phases=(("a", "b"),))).roll_out()
    story.start()
    story.upgrade()
    story.unhealthy("a/web/0", "b/web/0", now=10)
    assert story.ended() == ["a/web faulted", "b/web faulted", "0 halted"]


def test_the_last_phase_halts_too(kernel: Any) -> None:
    """A rollout of one phase that did not succeed is not completed."""
    story = a_story(kernel, a_fleet(*sized(a=1))).roll_out()
    story.start()
    story.roll_back("a/web/0")
    assert story.status() == "halted"


@pytest.mark.parametrize(("percent", "expected"), [(24, "halted"), (25, "completed")])
def test_the_share_of_lost_instances_is_compared_exactly(kernel: Any, percent: int, expected: str) -> None:
    """One of four is 25 percent."""
    story = a_story(
        kernel, a_fleet(*sized(a=4)), phase_failure_percent=percent, max_unhealthy_upgraded_percent=100
    ).roll_out()
    drive(story, lambda name: name != "a/web/0")
    assert phase_ends(story) == [(0, expected == "completed", 1, 4)]
    assert story.status() == expected


def test_every_kind_of_loss_counts(kernel: Any) -> None:
    """Restored, failed, abandoned, upgraded and not healthy; initializing alone is no loss."""
    story = a_story(
        kernel, a_fleet(a_set("a/web", 6)), max_unhealthy_upgraded_percent=50, max_unhealthy_percent=100
    ).roll_out()
    for number in range(3):
        story.start(f"a/web/{number}")
        story.upgrade()
    story.start("a/web/3")
    story.unhealthy("a/web/0", now=10)
    story.report(pg.What.INITIALIZING, "a/web/1", now=10)
    story.report(pg.What.FAILED, "a/web/3")
    story.report(pg.What.RESTORE_FAILED, "a/web/3")
    story.unhealthy("a/web/2", now=11)
    assert (story.status("a/web"), story.status()) == ("faulted", "halted")
    assert phase_ends(story) == [(0, False, 5, 6)]


def test_current_and_excluded_instances_are_neither_eligible_nor_lost(kernel: Any) -> None:
    """Nor are those that were removed."""
    listed = [vm(0), vm(1, version=NEW, health="unhealthy"), vm(2, skip_upgrade=True), vm(3), vm(4), vm(5)]
    story = a_story(kernel, a_fleet(a_set("a/web", listed))).roll_out()
    story.on(pg.Scaled("a/web", 0, removed=("3",)))
    story.finish()
    assert phase_ends(story) == [(0, True, 0, 3)]


def test_an_instance_that_joined_in_time_is_eligible(kernel: Any) -> None:
    """Pending before its attempt has ended."""
    story = a_story(kernel, a_fleet(*sized(a=1))).roll_out()
    story.start()
    story.on(pg.Scaled("a/web", 0, added=[vm(7, version=OLD)]))
    story.finish()
    assert phase_ends(story) == [(0, True, 0, 2)]


def test_an_instance_that_joined_after_its_attempt_ended_waits_for_the_next_rollout(kernel: Any) -> None:
    """It is not eligible in this one, and loses nothing, though its phase is still open."""
    story = a_story(kernel, a_fleet(a_set("a/one", 1), a_set("a/two", 2))).roll_out()
    story.start("a/one/0")
    story.upgrade()
    assert story.status("a/one") == "completed"
    story.on(pg.Scaled("a/one", story.now, added=[vm(7, version=OLD)]))
    assert story.life("a/one/7").word == "pending"
    story.finish()
    assert phase_ends(story) == [(0, True, 0, 3)]
    assert story.status() == "completed"
    assert story.roll_out().finish().life("a/one/7").word == "upgraded"


def test_a_phase_bakes_before_the_next_opens(kernel: Any) -> None:
    """It is judged when the bake time is over, by what is healthy then."""
    story = a_story(kernel, a_fleet(*sized(a=1, b=1)), phase_bake_ms=HOUR).roll_out()
    story.start()
    story.upgrade()
    assert (story.selected(), story.engine.next_time(story.state)) == ([], HOUR)
    story.on(pg.Tick(HOUR - 1))
    assert phase_ends(story) == []
    story.on(pg.Tick(HOUR))
    assert (phase_ends(story), story.selected()) == ([(0, True, 0, 1)], [["b/web/0"]])


def test_what_turns_unhealthy_while_it_bakes_is_lost(kernel: Any) -> None:
    """That is what baking is for."""
    story = a_story(kernel, a_fleet(*sized(a=1, b=1)), phase_bake_ms=HOUR).roll_out()
    story.start()
    story.upgrade()
    story.unhealthy("a/web/0", now=MINUTE)
    assert story.status() == "running"
    story.on(pg.Tick(HOUR))
    assert (phase_ends(story), story.status()) == ([(0, False, 1, 1)], "halted")


def test_a_phase_with_nothing_eligible_does_not_bake(kernel: Any) -> None:
    """It succeeds at once."""
    story = a_story(kernel, a_fleet(a_set("a/web", [vm(0, version=NEW)])), phase_bake_ms=HOUR).roll_out()
    assert (story.status(), phase_ends(story)) == ("completed", [(0, True, 0, 0)])


def test_a_set_that_a_manual_rollout_took_over_still_counts_in_its_phase(kernel: Any) -> None:
    """What it had lost when it was taken is lost."""
    story = a_story(kernel, a_fleet(a_set("a/one", 1), a_set("a/two", 2))).roll_out()
    story.start("a/one/0")
    story.roll_back("a/one/0")
    assert story.status("a/one") == "faulted"
    story.roll_out(sets=("a/one",))
    story.finish()
    assert phase_ends(story) == [(0, False, 1, 3)]


# --- pairs at work ---------------------------------------------------------------------------------------------------


def paired(kernel: Any) -> Story:
    """Return two rollouts of two images in two paired regions."""
    fleet = a_fleet(a_set("a/web", 2), a_set("b/db", 2, image=CENTOS), pairs={"a": "b"})
    return a_story(kernel, fleet).roll_out().roll_out(CENTOS.name)


def test_paired_regions_are_never_at_work_together(kernel: Any) -> None:
    """Judged over all rollouts, from the first batch of an attempt until it ends, between its batches too."""
    story = paired(kernel)
    assert story.selected() == [["a/web/0"]]
    story.start("b/db/0")
    assert story.selected() == []
    story.upgrade()
    assert story.selected() == [["b/db/1"]]
    assert story.why("a/web/0")[0] == "pair-at-work(pair=b, region=a)"
    story.start()
    story.upgrade()
    assert story.selected() == [["a/web/0"]]


def test_a_start_in_the_pair_of_a_region_at_work_is_refused(kernel: Any) -> None:
    """Also within one event, after the batch before it."""
    story = paired(kernel)
    with pytest.raises(pg.IllegalTransition, match="pair-at-work"):
        story.on(pg.Start([story.batch("a/web/0"), story.batch("b/db/0")], 0))
    assert story.in_flight() == []


def test_the_pair_rule_holds_for_cross_zone_sets(kernel: Any) -> None:
    """They are out of the zone rule only."""
    story = a_story(
        kernel,
        a_fleet(a_set("a/web", 2), a_set("b/db", 2, image=CENTOS), pairs={"a": "b"}),
        enable_cross_zone=True,
    )
    story.roll_out().roll_out(CENTOS.name)
    story.start("a/web/0")
    assert story.why("b/db/0") == ["pair-at-work(pair=a, region=b)"]
    story.upgrade()
    story.start("a/web/1")
    story.upgrade()
    assert story.selected() == [["b/db/0"]]


def test_while_a_set_waits_for_its_window_its_region_stays_at_work(kernel: Any) -> None:
    """Its cell is free for others, its pair is not."""
    window = Window(day="thu", start="00:00", minutes=300)
    sets = (a_set("a/web", 2, windows=[window]), a_set("a/other", 1), a_set("b/db", 1, image=CENTOS))
    story = a_story(kernel, a_fleet(*sets, pairs={"a": "b"})).roll_out().roll_out(CENTOS.name)
    story.start("a/web/0")
    story.upgrade()
    story.tick(5 * HOUR)
    assert story.selected() == [["a/other/0"]]
    assert story.why("b/db/0") == ["pair-at-work(pair=a, region=b)"]


# --- gallery rollouts ------------------------------------------------------------------------------------------------


def gallery(kernel: Any, *replicas: str, **options: Any) -> Story:
    """Return a gallery image in three regions, a and b a pair, whose new version is replicated to those."""
    everywhere = tuple(Replica(name) for name in "abc")
    versions = (ImageVersion(OLD, regions=everywhere), ImageVersion(NEW, regions=[Replica(name) for name in replicas]))
    sets = tuple(a_set(f"{name}/web", 1, image=CORP) for name in "abc")
    fleet = a_fleet(*sets, images=[Image(CORP, versions)], pairs={"a": "b"})
    return a_story(kernel, fleet, **options)


def test_a_gallery_rollout_has_no_phases(kernel: Any) -> None:
    """All regions where the target counts go at once, pairs aside."""
    story = gallery(kernel, *"abc").roll_out(CORP.name)
    assert (phases(story), story.selected()) == (None, [["a/web/0"], ["c/web/0"]])
    story.start()
    assert story.why("b/web/0")[0] == "pair-at-work(pair=a, region=b)"


def test_a_region_joins_when_the_version_gets_there(kernel: Any) -> None:
    """By the event that says so; before it the set keeps its version."""
    story = gallery(kernel, "c").roll_out(CORP.name)
    assert story.refused() == {"a/web": ["image-not-replicated"], "b/web": ["image-not-replicated"]}
    story.on(pg.Replicated(CORP.name, NEW, "a", 10))
    assert (story.refused(), story.status("a/web")) == ({"b/web": ["image-not-replicated"]}, "waiting")
    story.on(pg.Replicated(CORP.name, NEW, "b", 10, exclude_from_latest=True))
    assert set(story.refused()) == {"b/web"}
    story.finish()
    assert [story.version(f"{name}/web/0") for name in "abc"] == [NEW, OLD, NEW]


def test_an_ineligible_set_does_not_join(kernel: Any) -> None:
    """Its codes are those of now; the delay of one that joins begins when the version got there."""
    everywhere = (Replica("a"), Replica("c"))
    versions = (ImageVersion(OLD, regions=everywhere), ImageVersion(NEW, regions=[Replica("c")]))
    sets = (
        a_set("a/out", 1, image=CORP, health_sources=()),
        a_set("a/in", 1, image=CORP, configured_at_ms=0),
        a_set("c/web", 1, image=CORP),
    )
    story = a_story(kernel, a_fleet(*sets, images=[Image(CORP, versions)]), delays=True).roll_out(CORP.name)
    story.on(pg.Replicated(CORP.name, NEW, "a", HOUR))
    assert story.refused() == {"a/out": ["health-source-missing"]}
    assert story.earliest("a/in/0") == first_instant("a/in", NEW, 0)


def test_a_region_joins_once(kernel: Any) -> None:
    """Said again, its arrival brings nobody back: not who faulted and was in a rollout by hand since."""
    for replicas in ("abc", "bc"):
        story = gallery(kernel, *replicas).roll_out(CORP.name)
        story.on(pg.Replicated(CORP.name, NEW, "a", 0))
        story.start("a/web/0")
        story.roll_back("a/web/0")
        story.on(pg.Rollout(CORP.name, story.now, None, ("a/web",), "user"))
        story.on(pg.Cancel(story.now, 1))
        before = (story.rollout(), story.lives("a/web"), story.selected())
        story.on(pg.Replicated(CORP.name, NEW, "a", story.now))
        assert before == (story.rollout(), story.lives("a/web"), story.selected())
        assert (before[0]["status"], before[2]) == ("running", [["b/web/0"], ["c/web/0"]])


def test_who_was_left_out_when_its_region_joined_stays_out(kernel: Any) -> None:
    """Whether it was not eligible then, or somebody was at work on it: the next rollout takes it."""
    old = ImageVersion(OLD, regions=[Replica(name) for name in "abc"])
    image = Image(CORP, [old, ImageVersion(NEW, regions=[Replica("c")])])
    sets = [a_set(f"{name}/web", [vm(0, version="0.5")], image=CORP) for name in "abc"]
    story = a_story(kernel, a_fleet(*sets, images=[image])).roll_out(CORP.name)
    story.on(pg.Configured(evolve(sets[0], automatic_os_upgrade=False), 0))
    story.on(pg.Rollout(CORP.name, 0, OLD, ("b/web",), "user"))
    story.on(pg.Replicated(CORP.name, NEW, "a", 0))
    story.on(pg.Replicated(CORP.name, NEW, "b", 0))
    left_out = {"a/web": ["automatic-upgrade-disabled"], "b/web": ["in-another-attempt"]}
    assert story.refused() == left_out
    story.on(pg.Configured(sets[0], 0))
    story.start("b/web/0")
    story.upgrade("b/web/0")
    story.on(pg.Replicated(CORP.name, NEW, "a", story.now))
    story.on(pg.Replicated(CORP.name, NEW, "b", story.now))
    assert (story.refused(), story.selected()) == (left_out, [["c/web/0"]])


def test_a_region_does_not_join_a_rollout_that_has_ended(kernel: Any) -> None:
    """The next one takes it along."""
    story = gallery(kernel, "c").roll_out(CORP.name).finish()
    assert story.status() == "completed"
    story.on(pg.Replicated(CORP.name, NEW, "a", 10))
    assert story.lives("a/web") == {"0": "current"}
    assert story.engine.candidates_for_update(story.state) == (CORP.name,)
    assert story.roll_out(CORP.name).finish().version("a/web/0") == NEW


def test_a_region_does_not_join_a_rollout_that_is_being_cancelled(kernel: Any) -> None:
    """What is in flight finishes, and nobody begins any more."""
    story = gallery(kernel, "c").roll_out(CORP.name)
    story.start()
    story.on(pg.Cancel(0))
    story.on(pg.Replicated(CORP.name, NEW, "a", 0))
    assert (set(story.refused()), story.selected()) == ({"a/web", "b/web"}, [])
    story.upgrade()
    assert story.status() == "cancelled"


def test_a_waiting_set_whose_replica_is_excluded_leaves_when_it_would_begin(kernel: Any) -> None:
    """The other two go on."""
    story = gallery(kernel, *"abc").roll_out(CORP.name)
    story.start("a/web/0")
    story.on(pg.Replicated(CORP.name, NEW, "b", 0, exclude_from_latest=True))
    story.finish()
    assert (story.status("b/web"), story.version("b/web/0"), story.status()) == ("cancelled", OLD, "completed")


def test_a_gallery_rollout_with_a_faulted_attempt_is_faulted(kernel: Any) -> None:
    """The other attempts go on to their end before."""
    story = gallery(kernel, *"abc").roll_out(CORP.name)
    story.start("a/web/0")
    story.roll_back("a/web/0")
    assert (story.status("a/web"), story.status()) == ("faulted", "running")
    story.finish()
    assert (story.status("b/web"), story.status("c/web"), story.status()) == ("completed", "completed", "faulted")


@pytest.mark.parametrize(
    ("event", "error", "message"),
    [
        (pg.Replicated("corp/none", NEW, "a", 0), pg.UnknownName, "no image `corp/none`"),
        (pg.Replicated(CORP.name, NEW, "x", 0), pg.UnknownName, "no region `x`"),
        (pg.Replicated(CORP.name, "9.9", "a", 0), pg.InvalidEvent, "with a version `9.9`"),
    ],
)
def test_a_replica_of_nothing_is_refused(
    kernel: Any, event: pg.Replicated, error: type[Exception], message: str
) -> None:
    """Unknown image, unknown region, unknown version: nothing has moved."""
    story = gallery(kernel, "c")
    before = story.state
    with pytest.raises(error, match=message):
        story.on(event)
    assert story.state is before


def test_a_platform_image_is_not_replicated(kernel: Any) -> None:
    """It is the same everywhere."""
    with pytest.raises(pg.InvalidEvent, match="no gallery image"):
        a_story(kernel).on(pg.Replicated(UBUNTU.name, NEW, "eastus", 0))


def test_batches_of_one_phase_run_in_all_its_regions(kernel: Any) -> None:
    """Two regions of the second phase are at work at the same time, in order of their names."""
    story = a_story(kernel, a_fleet(*sized(a=1, c=3, b=3))).roll_out()
    story.start()
    story.upgrade()
    facts = story.start()
    assert [f.set for f in facts if isinstance(f, BatchStarted)] == ["b/web", "c/web"]
