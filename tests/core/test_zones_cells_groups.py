"""Section 6: cells and holds, zones one after the other, users' conflicts and groups, sets that cross zones."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from fleets import CENTOS, HOUR, NEW, Story, a_fleet, a_set, a_story, vm

import phasegate as pg
from phasegate.core.errors import InvalidModel
from phasegate.core.model import Group, RollingPolicy, Window
from phasegate.core.schedule import first_instant
from phasegate.policies import availability_first

WINDOW = Window(day="thu", start="00:00", minutes=300)


def in_zones(name: str, *zones: str | None, **fields: Any) -> pg.ScaleSet:
    """Return a set with one instance in each of these zones, counted from 0."""
    return a_set(name, [vm(at, zone) for at, zone in enumerate(zones)], **fields)


def busy(story: Story) -> list[str]:
    """Return the cells that are busy."""
    holds = memoryview(story.state.column("holds").page(0)).cast("I")
    return [cell for at, cell in enumerate(story.engine.compiled.directory.cells) if holds[at]]


def order_of(story: Story) -> list[list[str]]:
    """Run to the end, and return what was started at each moment, cells only."""
    found = []
    while story.engine.select(story.state):
        found.append([cell for fact in story.start() for cell in getattr(fact, "cells", ())])
        story.upgrade()
    return found


def test_zones_go_one_after_the_other(kernel: Any) -> None:
    """A set begins in its first zone, finishes there, and goes on to the next; without a zone comes last."""
    own = in_zones("eastus/web", "1", "2", "3", "1", "2", None, zones=("1", "2", "3"))
    story = a_story(kernel, own).roll_out()
    assert order_of(story) == [[f"eastus/{zone}"] for zone in "11223-"]


def test_zones_sort_as_numbers_then_text(kernel: Any) -> None:
    """2 before 10 before b."""
    own = in_zones("eastus/web", "b", "10", "2")
    assert order_of(a_story(kernel, own).roll_out()) == [["eastus/2"], ["eastus/10"], ["eastus/b"]]


def test_two_sets_may_be_in_one_zone_but_not_in_two(kernel: Any) -> None:
    """The second set begins in the zone of the first."""
    fleet = a_fleet(in_zones("eastus/a", "1", "2"), in_zones("eastus/b", "1", "2"), in_zones("eastus/c", "2"))
    story = a_story(kernel, fleet).roll_out()
    assert story.selected() == [["eastus/a/0"], ["eastus/b/0"]]
    story.start()
    assert busy(story) == ["eastus/1"]
    assert story.why("eastus/c/0") == ["cell-busy(busy_cell=eastus/1, cell=eastus/2)"]
    story.upgrade("eastus/a/0")
    assert (busy(story), story.selected()) == (["eastus/1"], [])
    story.upgrade("eastus/b/0")
    assert story.selected() == [["eastus/a/1"], ["eastus/b/1"], ["eastus/c/0"]]


@pytest.mark.parametrize(("first", "other"), [("1", "2"), ("1", None), (None, "1")])
def test_zones_and_the_zoneless_cell_keep_one_another_out(kernel: Any, first: str, other: str) -> None:
    """The virtual machines of the zoneless cell may be in any zone."""
    story = a_story(kernel, a_fleet(in_zones("eastus/a", first), in_zones("eastus/b", other))).roll_out()
    story.start("eastus/a/0")
    assert (story.legal(), story.selected()) == ([], [])
    with pytest.raises(pg.IllegalTransition, match="cell-busy"):
        story.start("eastus/b/0")


def test_zones_of_other_regions_are_free(kernel: Any) -> None:
    """Unless they are a pair: then every cell of the one keeps every cell of the other out."""
    for pairs, expected in (({}, [["b/db/0"]]), ({"a": "b"}, [])):
        fleet = a_fleet(in_zones("a/web", "1"), in_zones("b/db", "2", image=CENTOS), pairs=pairs)
        story = a_story(kernel, fleet).roll_out().roll_out(CENTOS.name)
        story.start("a/web/0")
        assert story.selected() == expected


def test_the_graph_says_who_may_run_together_and_why_not(kernel: Any) -> None:
    """Zones, the zoneless cell, pairs and users' edges each with their reason."""
    fleet = a_fleet(
        in_zones("a/web", "1"),
        in_zones("b/web", "1"),
        in_zones("c/web", "1"),
        pairs={"a": "b"},
        conflicts=[("a/1", "c/2")],
    )
    topology = a_story(kernel, fleet).engine.topology
    found = [
        topology.may_run_together(*cells)
        for cells in (("a/1", "a/2"), ("a/1", "a/-"), ("a/1", "b/-"), ("c/2", "a/1"), ("a/1", "c/1"), ("a/1", "a/1"))
    ]
    assert [(bool(one), one.reason) for one in found] == [
        (False, "zones"),
        (False, "zoneless"),
        (False, "pair"),
        (False, "user"),
        (True, None),
        (True, None),
    ]


# --- holds -----------------------------------------------------------------------------------------------------------


def holding(kernel: Any, **fields: Any) -> Story:
    """Return a set with two instances in zone 1 and one in zone 2, and a neighbour in zone 2; zone 1 is begun."""
    options = fields.pop("options", {})
    fleet = a_fleet(in_zones("eastus/a", "1", "1", "2", **fields), in_zones("eastus/z", "2"))
    story = a_story(kernel, fleet, **options).roll_out()
    story.start("eastus/a/0")
    return story


def test_a_cell_stays_held_between_batches(kernel: Any) -> None:
    """As long as the set has a candidate there; also while it pauses between batches."""
    for options in ({}, {"pause_between_batches_ms": HOUR}):
        story = holding(kernel, options=options)
        story.upgrade()
        assert busy(story) == ["eastus/1"]
        assert story.check("eastus/a/2")[-1] == "cell-busy(busy_cell=eastus/1, cell=eastus/2)"
        assert story.check("eastus/z/0") == ["cell-busy(busy_cell=eastus/1, cell=eastus/2)"]


def test_a_hold_ends_without_a_candidate(kernel: Any) -> None:
    """Upgraded, removed or protected: nobody is left to start there, and the next zone is free."""
    for event in (None, pg.Scaled("eastus/a", 1, removed=("1",)), pg.Protected("eastus/a", ("1",), True, 1)):
        story = holding(kernel)
        story.upgrade()
        if event is None:
            story.start("eastus/a/1")
            story.upgrade()
        else:
            story.on(event)
        assert (busy(story), story.selected()) == ([], [["eastus/a/2"], ["eastus/z/0"]])


def test_a_hold_lasts_while_something_is_in_flight(kernel: Any) -> None:
    """Whatever happens: window, pause, cancel."""
    for event in (pg.Pause(1), pg.Cancel(1), pg.Tick(5 * HOUR)):
        story = holding(kernel, windows=[WINDOW], options={"step_timeout_ms": 99 * HOUR})
        story.on(event)
        assert busy(story) == ["eastus/1"]
        story.upgrade("eastus/a/0")
        assert busy(story) == []


def test_a_hold_ends_when_the_window_closes(kernel: Any) -> None:
    """Another set may go on in another zone meanwhile, and the first has to wait for it then."""
    story = holding(kernel, windows=[WINDOW])
    story.upgrade()
    story.on(pg.Tick(5 * HOUR))
    assert (busy(story), story.selected()) == ([], [["eastus/z/0"]])
    story.start()
    assert "cell-busy(busy_cell=eastus/2, cell=eastus/1)" in story.why("eastus/a/1")


def test_a_hold_ends_when_its_rollout_is_paused(kernel: Any) -> None:
    """A rollout of another image is not kept waiting by it."""
    fleet = a_fleet(in_zones("eastus/a", "1", "1"), in_zones("eastus/z", "2", image=CENTOS))
    story = a_story(kernel, fleet).roll_out().roll_out(CENTOS.name)
    story.start("eastus/a/0")
    story.upgrade()
    assert story.selected() == [["eastus/a/1"]]
    story.on(pg.Pause(1, 0))
    assert (busy(story), story.selected()) == ([], [["eastus/z/0"]])
    story.start()
    story.on(pg.Resume(2, 0))
    assert story.selected() == []


def test_a_hold_ends_when_its_attempt_is_cancelled_or_faulted(kernel: Any) -> None:
    """Then it is over."""
    story = holding(kernel)
    story.roll_back("eastus/a/0")
    assert (story.status("eastus/a"), busy(story)) == ("faulted", [])


def test_a_hold_ends_when_a_users_policy_refuses_its_cell(kernel: Any) -> None:
    """It waits, and so does nobody else."""

    class NotTwice:
        name = "not-twice"

        def judge(self, question: pg.policies.Question) -> Any:
            if question.set.name == "a" and question.at_work and question.cells == ("eastus/1",):
                return pg.policies.Wait(("once is enough",))
            return pg.policies.Admit()

    story = holding(kernel, options={"also": (NotTwice(),)})
    story.upgrade()
    assert busy(story) == []
    assert story.selected() == [["eastus/a/2"], ["eastus/z/0"]]


def test_a_hold_ends_when_a_users_policy_changes_its_mind(kernel: Any) -> None:
    """Here because a set far away begins, while the holder pauses between its batches."""

    class OneAlone:
        name = "one-alone"

        def judge(self, question: pg.policies.Question) -> Any:
            if question.set.name == "a" and "far/away" in question.at_work:
                return pg.policies.Wait(("far/away is at work",))
            return pg.policies.Admit()

    sets = (in_zones("eastus/a", "1", "1"), in_zones("eastus/z", "2"), a_set("far/away", 1))
    story = a_story(kernel, a_fleet(*sets), also=(OneAlone(),), pause_between_batches_ms=HOUR)
    story.roll_out(sets=tuple(one.full_name for one in sets))
    story.start("eastus/a/0")
    story.upgrade()
    assert busy(story) == ["eastus/1"]
    story.start("far/away/0")
    assert (busy(story)[0], story.selected()) == ("far/-", [["eastus/z/0"]])


def test_an_attempt_holds_one_cell_at_a_time(kernel: Any) -> None:
    """Though another one would be free of conflicts."""
    story = a_story(kernel, in_zones("eastus/a", "1", "1", "2")).roll_out()
    story.start("eastus/a/0")
    assert story.check("eastus/a/2") == [
        "batch-in-flight(count=1)",
        "cell-busy(busy_cell=eastus/1, cell=eastus/2)",
    ]


class WithoutZones:
    """The default policy without any edge between cells."""

    def rules(self, fleet: pg.Fleet) -> Any:
        """Take the edges out."""
        return evolve(availability_first(delays=False).rules(fleet), edges=())

    def document(self) -> dict[str, object]:
        """There is nothing to say."""
        return {}


def test_an_attempt_holds_one_cell_even_where_zones_do_not_conflict(kernel: Any) -> None:
    """The hold is a rule of its own: two sets may be in two zones then, one set may not."""
    fleet = a_fleet(in_zones("eastus/a", "1", "1", "2"), in_zones("eastus/z", "2"))
    story = a_story(kernel, fleet, policy=WithoutZones()).roll_out()
    assert story.selected() == [["eastus/a/0"], ["eastus/z/0"]]
    story.start("eastus/a/0")
    story.upgrade()
    assert story.check("eastus/a/2") == ["cell-busy(busy_cell=eastus/1, cell=eastus/2)"]


# --- users' conflicts ------------------------------------------------------------------------------------------------


def test_a_users_edge_keeps_two_cells_apart(kernel: Any) -> None:
    """Two regions that nothing else keeps apart."""
    sets = (in_zones("a/web", "1"), in_zones("b/db", "1", "2", image=CENTOS))
    story = a_story(kernel, a_fleet(*sets, conflicts=[("b/1", "a/1")])).roll_out().roll_out(CENTOS.name)
    assert story.selected() == [["a/web/0"], ["b/db/1"]]
    story.start("a/web/0")
    assert story.check("b/db/0") == ["cell-busy(busy_cell=a/1, cell=b/1)"]


def test_an_edge_from_a_cell_to_itself_is_refused() -> None:
    """And one to a cell that is not there."""
    with pytest.raises(InvalidModel, match="`eastus/1` cannot be in conflict with itself"):
        a_fleet(conflicts=[("eastus/1", "eastus/1")])
    with pytest.raises(InvalidModel, match="unknown cell `eastus/9`"):
        a_fleet(conflicts=[("eastus/1", "eastus/9")])


# --- groups ----------------------------------------------------------------------------------------------------------


def grouped(kernel: Any, counts: str, limit: int, *members: str, **options: Any) -> Story:
    """Return three sets of ten in three regions, a batch of two each, under a group."""
    sets = tuple(a_set(f"{name}/web", 10) for name in "abc")
    group = Group(name="quorum", counts=counts, members=members, limit=limit)  # type: ignore[arg-type]
    story = a_story(kernel, a_fleet(*sets, groups=[group]), **options)
    return story.roll_out(sets=("a/web", "b/web", "c/web"))


def test_a_batch_is_cut_to_the_room_in_its_group(kernel: Any) -> None:
    """Three of the two sets at a time: two and one."""
    story = grouped(kernel, "instances", 3, "a/web", "b/web")
    assert [len(batch) for batch in story.selected()] == [2, 1, 2]
    story.start("a/web/0", "a/web/1")
    assert [choice.at_most for choice in story.engine.legal(story.state)] == [1, 2]
    assert story.check("b/web/0", "b/web/1") == ["batch-full(size=1)"]
    story.start("b/web/0")
    assert story.why("a/web/5") == ["batch-in-flight(count=2)", "group-full(group=quorum, k=3)"]


def test_a_full_group_of_instances_keeps_the_next_set_waiting(kernel: Any) -> None:
    """Until one of them is done."""
    story = grouped(kernel, "instances", 2, "a/web", "b/web")
    assert [batch[0] for batch in story.selected()] == ["a/web/0", "c/web/0"]
    story.start("a/web/0", "a/web/1")
    assert story.why("b/web/0") == ["group-full(group=quorum, k=2)"]
    story.upgrade("a/web/0")
    assert story.selected() == [["b/web/0"], ["c/web/0", "c/web/1"]]


def test_restoring_instances_count_in_their_group(kernel: Any) -> None:
    """They are down."""
    sets = tuple(a_set(f"{name}/web", 10) for name in "abc")
    group = Group(name="quorum", counts="instances", members=("a/web", "b/web"), limit=1)
    story = a_story(kernel, a_fleet(*sets, groups=[group])).roll_out()
    story.start("a/web/0")
    story.report(pg.What.FAILED, "a/web/0")
    assert story.life("a/web/0").word == "restoring"
    assert "group-full(group=quorum, k=1)" in story.why("b/web/0")


def test_a_group_of_sets_counts_those_at_work(kernel: Any) -> None:
    """From the first batch to the end of the attempt, between batches too."""
    story = grouped(kernel, "sets", 1, "a/web", "b/web")
    assert [batch[0] for batch in story.selected()] == ["a/web/0", "c/web/0"]
    story.start("a/web/0")
    story.upgrade()
    assert story.why("b/web/0") == ["group-full(group=quorum, k=1)"]
    assert story.selected()[0] == ["a/web/1", "a/web/2"]
    story.on(pg.Scaled("a/web", story.now, removed=tuple("123456789")))
    assert story.status("a/web") == "completed"
    assert [batch[0] for batch in story.selected()] == ["b/web/0", "c/web/0"]


def test_a_group_of_cells_counts_those_that_are_busy(kernel: Any) -> None:
    """A cell that is held already counts once: a second set may join it."""
    sets = (in_zones("a/one", "1"), in_zones("a/two", "1"), in_zones("b/web", "1"), in_zones("c/web", "1"))
    group = Group(name="racks", counts="cells", members=("a/1", "b/1"), limit=1)
    story = a_story(kernel, a_fleet(*sets, groups=[group]))
    story.roll_out(sets=tuple(one.full_name for one in sets))
    assert story.selected() == [["a/one/0"], ["a/two/0"], ["c/web/0"]]
    story.start("a/one/0")
    assert story.selected() == [["a/two/0"], ["c/web/0"]]
    assert story.why("b/web/0") == ["group-full(group=racks, k=1)"]
    story.start("a/two/0")
    story.upgrade("a/one/0")
    assert story.selected() == [["c/web/0"]]
    story.upgrade("a/two/0")
    assert story.selected() == [["b/web/0"], ["c/web/0"]]


def test_groups_may_overlap(kernel: Any) -> None:
    """The fullest decides, and every full one is named."""
    groups = [
        Group(name="g", counts="instances", members=("a/web", "b/web"), limit=2),
        Group(name="h", counts="sets", members=("b/web", "c/web", "a/web"), limit=1),
    ]
    sets = tuple(a_set(f"{name}/web", 10) for name in "abc")
    story = a_story(kernel, a_fleet(*sets, groups=groups)).roll_out(sets=("a/web", "b/web", "c/web"))
    assert [batch[0] for batch in story.selected()] == ["a/web/0"]
    story.start()
    assert story.why("b/web/0") == ["group-full(group=g, k=2)", "group-full(group=h, k=1)"]
    assert story.why("c/web/0") == ["group-full(group=h, k=1)"]


@pytest.mark.parametrize("limits", [(2, 3), (3, 2)])
def test_the_tightest_of_a_sets_groups_cuts_its_batch(kernel: Any, limits: tuple[int, int]) -> None:
    """Whichever of them is named first."""
    groups = [Group(name=f"g{k}", counts="instances", members=("a/web",), limit=k) for k in limits]
    story = a_story(kernel, a_fleet(a_set("a/web", 100), groups=groups)).roll_out()
    assert story.selected() == [["a/web/0", "a/web/1"]]


def test_a_group_must_be_possible() -> None:
    """At least one at a time, members that exist, each once."""
    with pytest.raises(InvalidModel, match="0 is not between 1"):
        Group(name="g", counts="sets", members=("eastus/web",), limit=0)
    with pytest.raises(InvalidModel, match="names a member twice"):
        Group(name="g", counts="sets", members=("eastus/web", "eastus/web"), limit=1)
    with pytest.raises(InvalidModel, match="unknown set `eastus/1`"):
        a_fleet(groups=[Group(name="g", counts="instances", members=("eastus/1",), limit=1)])


# --- crossing zones --------------------------------------------------------------------------------------------------


def crossing(kernel: Any, **fleet: Any) -> Story:
    """Return a set over two zones and two upgrade domains with `enable_cross_zone`, and a neighbour in zone 2."""
    listed = [vm(i, "12"[i % 2], upgrade_domain=i // 2 % 2) for i in range(8)]
    own = a_set("eastus/a", listed, rolling_policy=RollingPolicy(enable_cross_zone=True))
    return a_story(kernel, a_fleet(own, in_zones("eastus/z", "2"), **fleet), max_batch_percent=50).roll_out()


def test_a_cross_zone_batch_takes_its_domain_in_every_zone(kernel: Any) -> None:
    """One upgrade domain number, two cells."""
    story = crossing(kernel)
    assert story.selected()[0] == [f"eastus/a/{i}" for i in (0, 4, 1, 5)]
    facts = story.start(*(f"eastus/a/{i}" for i in (0, 4, 1, 5)))
    assert [fact.cells for fact in facts if hasattr(fact, "cells")] == [("eastus/1", "eastus/2")]
    assert story.check("eastus/a/2", "eastus/a/4")[0] == "batch-in-flight(count=4)"


def test_a_cross_zone_batch_is_still_of_one_domain(kernel: Any) -> None:
    """Two numbers are not one batch."""
    story = crossing(kernel)
    assert story.check("eastus/a/0", "eastus/a/1") == []
    assert story.check("eastus/a/0", "eastus/a/2") == ["not-one-batch(buckets=2)"]
    assert len(story.legal()) == 3


def test_a_cross_zone_batch_is_of_one_ordering_number(kernel: Any) -> None:
    """Those of a later number are of its domain, and not of its turn."""
    listed = [vm(i, zone, phase_ordering_number=number) for i, zone, number in ((0, "1", 1), (1, "2", 2), (2, "2", 1))]
    own = a_set("eastus/a", listed, rolling_policy=RollingPolicy(enable_cross_zone=True))
    story = a_story(kernel, a_fleet(own), max_batch_percent=100).roll_out()
    assert story.selected() == [["eastus/a/0", "eastus/a/2"]]


def test_a_cross_zone_set_holds_no_cell_and_waits_for_none(kernel: Any) -> None:
    """Its neighbour may start in zone 2 beside it, before and after."""
    story = crossing(kernel)
    story.start("eastus/a/0")
    assert (busy(story), story.check("eastus/z/0")) == ([], [])
    story = crossing(kernel)
    story.start("eastus/z/0")
    assert (busy(story), story.check("eastus/a/0")) == (["eastus/2"], [])


def test_users_edges_and_groups_of_cells_do_not_hold_for_it(kernel: Any) -> None:
    """It has no cell: an ordinary set in its place would have to wait for the other region."""
    wide = RollingPolicy(enable_cross_zone=True)
    group = Group(name="g", counts="cells", members=("eastus/1", "w/1"), limit=1)
    for kept_apart, reason in (
        ({"groups": [group]}, "group-full(group=g, k=1)"),
        ({"conflicts": [("eastus/1", "w/1")]}, "cell-busy(busy_cell=w/1, cell=eastus/1)"),
    ):
        for own, expected in ((wide, []), (RollingPolicy(), [reason])):
            sets = (in_zones("eastus/a", "1", rolling_policy=own), in_zones("w/z", "1"))
            story = a_story(kernel, a_fleet(*sets, **kept_apart)).roll_out(sets=("eastus/a", "w/z"))
            story.start("w/z/0")
            assert story.check("eastus/a/0") == expected


@pytest.mark.parametrize(("counts", "reason"), [("instances", "group-full"), ("sets", "group-full")])
def test_groups_of_instances_and_sets_hold_for_it(kernel: Any, counts: Any, reason: str) -> None:
    """Like for any other."""
    group = Group(name="g", counts=counts, members=("eastus/a", "eastus/z"), limit=1)
    story = crossing(kernel, groups=[group])
    story.start("eastus/z/0")
    assert [code.split("(")[0] for code in story.check("eastus/a/0")] == [reason]


def test_the_region_of_a_cross_zone_set_is_at_work(kernel: Any) -> None:
    """Nothing in its counters is left behind when it ends."""
    story = crossing(kernel)
    story.finish()
    working = memoryview(story.state.column("working").page(0)).cast("I")
    assert ([*working[:1]], busy(story), story.status()) == ([0], [], "completed")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"windows": [Window(day="thu", start="08:00", minutes=300)]}, f"outside-window(next_opening={8 * HOUR})"),
        ({"configured_at_ms": 0}, f"not-before(time={first_instant('eastus/a', NEW, 0)})"),
    ],
)
def test_delays_and_windows_hold_up_no_other_zone(kernel: Any, fields: dict[str, Any], reason: str) -> None:
    """A set that has not begun holds nothing."""
    fleet = a_fleet(in_zones("eastus/a", "1", **fields), in_zones("eastus/b", "2"))
    story = a_story(kernel, fleet, delays=True).roll_out()
    assert ([["eastus/b/0"]], [reason]) == (story.selected(), story.why("eastus/a/0"))
