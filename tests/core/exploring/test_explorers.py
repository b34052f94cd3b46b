"""Both explorers on small subjects: what they refuse, what they bound, and that they are one."""

from __future__ import annotations

from typing import Any

import pytest
from fleets import KERNELS

import phasegate as pg
from phasegate.core.errors import InvalidModel
from phasegate.core.events import Published, Replicated, Rollout
from phasegate.core.exploring import subject as subjects
from phasegate.core.exploring import symmetry
from phasegate.core.exploring.acts import ANY, Act, Freedom
from phasegate.core.exploring.subject import NOW, Subject
from phasegate.core.exploring.twin import Explorer as Plain
from phasegate.core.twin import Kernel as Twin
from phasegate.verifying.explorers import explorer_class

IMAGE = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")


def subject(kernel: Any, sizes: tuple[int, ...] = (2,), **more: Any) -> Subject:
    """Return sets of these sizes in a region each, before a rollout."""
    image = pg.Image(IMAGE, [pg.ImageVersion(version) for version in ("1.0", "2.0")])
    regions = [pg.Region(f"r{at}") for at in range(len(sizes))]
    sets = [
        pg.ScaleSet(name="web", region=region.name, image=IMAGE, instances=size, upgrade_domains=1)
        for region, size in zip(regions, sizes, strict=True)
    ]
    options = {"delays": False, "max_batch_percent": 50, "max_unhealthy_upgraded_percent": 100}
    policy = pg.policies.availability_first(**(options | more.pop("policy", {})))
    engine = pg.Engine(pg.Fleet(regions=regions, images=[image], sets=sets), policy, kernel=kernel)
    start = more.pop("start", (Rollout(IMAGE.name, NOW),))
    return Subject(engine=engine, start=start, **({"freedom": Freedom(faults=1)} | more))


@pytest.fixture
def explorer(kernel: Any) -> Any:
    """Return the class of explorer that belongs to the kernel."""
    return explorer_class(subject(kernel).engine)


def published(count: int) -> tuple[Published, ...]:
    """Return so many versions to be published."""
    return tuple(Published(IMAGE.name, pg.ImageVersion(f"3.{at}"), NOW) for at in range(count))


def counts(explored: Any) -> tuple[Any, ...]:
    """Return what a whole exploration came to."""
    return explored.run(10**6), explored.states, explored.transitions, explored.depth, explored.rising


def test_a_budget_is_a_number_up_to_the_last_but_one() -> None:
    """The last stands for any number of times."""
    for wrong in (-1, 256, True, "many"):
        with pytest.raises(InvalidModel, match="is not a number from 0 to 254"):
            Freedom(cancels=wrong)  # type: ignore[arg-type]  # that is what is tested
    with pytest.raises(InvalidModel, match="is not a number"):
        Freedom(faults=300)
    assert ANY == Freedom().lost_reports


def test_an_act_has_a_word() -> None:
    """It is what people read."""
    assert "start" == Act.START.word


def test_too_much_is_refused(kernel: Any, explorer: Any) -> None:
    """More events of its own, or more instances, than a key has room for."""
    with pytest.raises(InvalidModel, match="17 events of its own; at most 16"):
        explorer(subject(kernel, orders=published(17)))
    with pytest.raises(InvalidModel, match="65 instances; at most 64"):
        explorer(subject(kernel, (65,)))


def test_too_many_books_are_refused(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each catalogue and each set of remembered failures is one."""
    monkeypatch.setattr(subjects, "BOOKS_MAX", 1)
    opened = subject(kernel, orders=published(1)).lay_open()
    opened.work.kernel.begin(NOW)
    with pytest.raises(InvalidModel, match="more than 1 different catalogues"):
        opened.order(0, 0)


def test_failures_of_two_versions_are_remembered(kernel: Any, explorer: Any) -> None:
    """Who fails on a second version keeps the first one in the book, and states with different books differ."""
    orders = (*published(1), Rollout(IMAGE.name, NOW))
    freedom = Freedom(failed_steps=2, lost_reports=0)
    explored = explorer(subject(kernel, (1,), orders=orders, freedom=freedom), is_symmetric=False)
    assert "done" == explored.run(10**6)
    assert any(book.failed_more for book in explored.open.books)


def test_an_event_that_the_engine_refuses_does_not_happen(kernel: Any, explorer: Any) -> None:
    """A replica of a version that no gallery has changes nothing and is no transition."""
    order = Replicated(IMAGE.name, "9.9", "r0", NOW)
    assert counts(explorer(subject(kernel))) == counts(explorer(subject(kernel, orders=(order,))))


def test_what_is_selected_is_started(kernel: Any, explorer: Any) -> None:
    """Where the orchestrator takes what the engine selects, there are fewer states, and nothing is symmetric."""
    some = explorer(subject(kernel, (3,), takes="select"))
    every = explorer(subject(kernel, (3,)), is_symmetric=False)
    assert "done" == some.run(10**6)
    assert "done" == every.run(10**6)
    assert not some.is_symmetric
    assert some.states < every.states


def test_depth_first_finds_the_same_states(kernel: Any, explorer: Any) -> None:
    """In another order."""
    breadth, depth = explorer(subject(kernel)), explorer(subject(kernel), order="depth")
    assert "done" == breadth.run(10**6)
    assert "more" == depth.run(1)
    assert depth.frontier > 0
    assert "done" == depth.run(10**6)
    assert (breadth.states, breadth.transitions) == (depth.states, depth.transitions)
    assert {breadth.rank(breadth.key_of(at)) for at in range(breadth.states)} == {
        depth.rank(depth.key_of(at)) for at in range(depth.states)
    }


def test_memory_ends_an_exploration(kernel: Any, explorer: Any) -> None:
    """With what there is until then; the first states find room whatever the bound."""
    explored = explorer(subject(kernel, (4, 4), freedom=Freedom(faults=2)), memory_max=1, is_symmetric=False)
    found = explored.run(10**6)
    assert found in ("memory", "done")
    assert explored.states > 0
    assert explored.bytes_used > 0


def test_a_compact_table_finds_the_same(kernel: Any, explorer: Any) -> None:
    """Its entries are numbers alone."""
    assert counts(explorer(subject(kernel, (3, 2)))) == counts(explorer(subject(kernel, (3, 2)), is_compact=True))


@pytest.mark.untraced
@pytest.mark.parametrize(
    "freedom",
    [Freedom(faults=1, health_flips=1, stale_reports=1), Freedom(faults=1, pauses=1, crashes=1)],
    ids=["reports", "people"],
)
def test_the_plain_explorer_runs_on_either_kernel(freedom: Freedom) -> None:
    """There is one machine: compiled or plain, explored by either, it has the same states."""

    def found(explored: Any) -> tuple[Any, ...]:
        tallies = [dict(tally) for tally in (explored.taken, explored.became, explored.ended, explored.standing)]
        return counts(explored), *tallies

    expected = found(Plain(subject(Twin, (2, 1), freedom=freedom)))
    for kernel in KERNELS[1:]:
        for explorer in (Plain, explorer_class(subject(kernel).engine)):
            assert expected == found(explorer(subject(kernel, (2, 1), freedom=freedom)))


def test_ranks_are_the_same_in_both(kernel: Any, explorer: Any) -> None:
    """The weights stand in one place; what both make of them is compared along every act."""
    more = {
        "freedom": Freedom(faults=1, health_flips=1, pauses=1, crashes=1),
        "policy": {"pause_between_batches_ms": 5},
    }
    one = explorer(subject(kernel, **more), is_symmetric=False)
    other = Plain(subject(Twin, **more), is_symmetric=False)
    here, there = one.first, other.first
    for _ in range(40):
        assert other.rank(there) == one.rank(here)
        mine, theirs = one.successors(here), other.successors(there)
        assert [some.move for some in theirs] == [some.move for some in mine]
        if not mine:
            break
        here, there = mine[len(mine) // 2].key, theirs[len(theirs) // 2].key


def test_every_state_has_a_trace_that_leads_there(kernel: Any, explorer: Any) -> None:
    """As many acts as the state is deep, on one fleet; and a command on its way can be followed."""
    explored = explorer(subject(kernel, freedom=Freedom(faults=1, crashes=1)))
    assert "done" == explored.run(10**6)
    for number in range(explored.states):
        assert len(explored.path(number)) - 1 == len(explored.trace(number))
    explored.write(explored.key_of(0))
    assert [0, 0] == list(explored.wires)


def test_there_is_no_state_beyond_the_last(kernel: Any, explorer: Any) -> None:
    """Nor before the first."""
    explored = explorer(subject(kernel))
    for number in (-1, 1):
        with pytest.raises(IndexError, match=f"no state {number}; there are 1"):
            explored.key_of(number)


def test_a_path_that_no_act_takes_is_no_trace(kernel: Any) -> None:
    """It says so instead of leaving something out."""
    explored = Plain(subject(kernel))
    explored.run(10**6)
    explored.parents[explored.states - 1] = 0
    with pytest.raises(AssertionError, match="no act leads from state"):
        explored.trace(explored.states - 1)


def test_regions_that_are_alike_are_interchangeable(kernel: Any, explorer: Any) -> None:
    """Two regions without a pair: each state stands for its image too; too large a group is left out."""
    phases = {"policy": {"phase_failure_percent": 100}}
    with_it = explorer(subject(kernel, (1, 1), start=(manual("r0/web", "r1/web"),), **phases))
    without = explorer(subject(kernel, (1, 1), start=(manual("r0/web", "r1/web"),), **phases), is_symmetric=False)
    assert 2 == len(with_it.group)
    assert "done" == with_it.run(10**6)
    assert "done" == without.run(10**6)
    assert with_it.states < without.states


def test_a_group_that_is_too_large_is_left_out(kernel: Any, explorer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity remains."""
    monkeypatch.setattr(symmetry, "GROUP_MAX", 1)
    assert 1 == len(explorer(subject(kernel, (1, 1), start=(manual("r0/web", "r1/web"),))).group)


def manual(*sets: str) -> Rollout:
    """Return a manual rollout of these sets."""
    return Rollout(IMAGE.name, NOW, sets=sets, started_by="user")
