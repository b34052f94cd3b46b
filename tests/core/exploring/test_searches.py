"""The compiled search: what it keeps of acts on single instances, and several threads, change nothing that it finds."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from attrs import evolve

from phasegate.core.exploring.promises import Meant, Promise
from phasegate.verifying.explorers import explorer_class, made
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import load_scenario, parse_scenario

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[3]
EIGHT = load_scenario(ROOT / "bench" / "spin" / "eight.yaml")


def eight(**freedom: int) -> Scenario:
    """Return eight instances with so much freedom."""
    return evolve(EIGHT, freedom=evolve(EIGHT.freedom, **freedom))


def found(scenario: Scenario, *, threads: int = 1, is_symmetric: bool = False, step: int = 10**6) -> tuple[Any, ...]:
    """Return all that a search says of itself in the end."""
    explorer: Any = made(
        scenario.subject(), is_symmetric=is_symmetric, order="breadth", memory_max=None, threads=threads
    )
    ended = "more"
    while ended == "more":
        try:
            ended = explorer.run(step)
        except KeyboardInterrupt:  # goes on with what there is
            continue
    sizes = (explorer.states, explorer.transitions, explorer.depth, explorer.rising)
    counts = (explorer.taken, explorer.became, explorer.ended, explorer.standing)
    some = range(0, explorer.states, 97)
    return ended, sizes, counts, explorer.violation, [(explorer.key_of(at), explorer.path(at)) for at in some]


@pytest.fixture(autouse=True)
def compiled() -> None:
    """Leave these out where there is no compiled explorer."""
    if not explorer_class(EIGHT.subject().engine).is_compiled:
        pytest.skip("the plain explorer keeps nothing, and has one thread")


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("is_symmetric", [False, True])
def test_any_number_of_threads_finds_the_same(threads: int, is_symmetric: bool) -> None:
    """States, their numbers and ways, transitions, and what was exercised how often."""
    scenario = eight(health_flips=0 if not is_symmetric else 1)
    assert found(scenario, threads=threads, is_symmetric=is_symmetric) == found(scenario, is_symmetric=is_symmetric)


def test_it_does_not_matter_how_a_search_is_cut() -> None:
    """A search of pieces, some of them too small for two threads, comes to the same."""
    scenario = eight(health_flips=0, faults=1)
    assert found(scenario, threads=2, step=700) == found(scenario, threads=2) == found(scenario)


def test_an_interrupt_leaves_a_search_that_can_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever somebody interrupts the threads, it is told when nobody is at work any more, and nothing is lost."""
    from phasegate.core.exploring import abreast

    heard: Counter[str] = Counter()

    def interrupted(where: str, times: int) -> None:
        heard[where] += 1
        if heard[where] % times == 0:
            raise KeyboardInterrupt

    class Pool(ThreadPoolExecutor):
        def submit(self, *of: Any, **more: Any) -> Any:
            interrupted("before", 5)
            future = super().submit(*of, **more)
            interrupted("after", 7)
            return future

        def shutdown(self, *of: Any, **more: Any) -> None:
            interrupted("at the end", 2)
            super().shutdown(*of, **more)

    def waited(others: Any) -> None:
        interrupted("waiting", 3)
        wait(others)

    start = Thread.start

    def started(thread: Thread) -> None:
        start(thread)
        interrupted("starting", 1 if heard["starting"] == 0 else 10**6)

    scenario = eight(health_flips=0)
    expected = found(scenario, threads=3)
    monkeypatch.setattr(abreast, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(abreast, "wait", waited)
    monkeypatch.setattr(Thread, "start", started)
    assert expected == found(scenario, threads=3)
    assert min(heard[where] for where in ("before", "after", "waiting", "at the end")) > 7
    assert heard["starting"] > 0


def test_what_broke_off_in_the_middle_of_a_state_is_not_gone_on_with() -> None:
    """What was found stands; a search from there on would not be whole."""
    explorer: Any = made(eight().subject(), is_symmetric=False, order="breadth", memory_max=None)
    asked = iter([True] * 20)

    def predicate() -> bool:
        for answer in asked:
            return answer
        raise KeyboardInterrupt

    explorer.watch(((0, 8),), predicate, "nothing")
    with pytest.raises(KeyboardInterrupt):
        explorer.run(10**6)
    assert explorer.states > 20
    with pytest.raises(RuntimeError, match="begin it anew"):
        explorer.run(10**6)


def test_a_compact_table_finds_the_same_whatever_the_threads() -> None:
    """It is searched by one, who finds what several find in the other."""
    scenario = eight(health_flips=0)
    explorer: Any = explorer_class(scenario.subject().engine)
    compact = explorer(scenario.subject(), is_symmetric=False, is_compact=True, threads=2)
    assert "done" == compact.run(10**6)
    assert found(scenario, threads=2)[1] == (compact.states, compact.transitions, compact.depth, compact.rising)


def test_two_threads_find_the_violation_that_one_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first in order, with as many states and transitions before it."""
    meant = Meant.of

    def stricter(opened: Any) -> Meant:
        """Nobody may go on after a single failure: no policy here keeps to that."""
        found = meant(opened)
        percent = bytearray(found.percent)
        percent[2::4] = bytes(len(percent) // 4)
        return evolve(found, percent=bytes(percent))

    monkeypatch.setattr(Meant, "of", stricter)
    scenario = evolve(eight(health_flips=1), promises=frozenset({Promise.NOT_AFTER_THE_END}))
    one, two = found(scenario), found(scenario, threads=2)
    assert one[0] == "violated"
    assert one[1][0] > 2000
    assert one == two


def searched(scenario: Scenario, *, is_symmetric: bool, is_kept: bool) -> tuple[Any, ...]:
    """Return what a search counts; one with a watch, whatever it says, keeps nothing and asks the kernel each time."""
    explorer: Any = made(scenario.subject(), is_symmetric=is_symmetric, order="breadth", memory_max=None)
    if not is_kept:
        explorer.watch(((0, 1),), lambda: True, "nothing")
    ended = explorer.run(10**7)
    return (
        (ended, explorer.states, explorer.transitions, explorer.depth, explorer.rising, explorer.violation),
        (explorer.taken, explorer.became, explorer.ended, explorer.standing),
    )


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("is_symmetric", [False, True])
def test_what_is_kept_is_what_the_kernel_says(path: Path, is_symmetric: bool) -> None:
    """Nothing changes in any scenario of the library if the kernel is asked in each state anew."""
    scenario = load_scenario(path)
    kept, asked = (searched(scenario, is_symmetric=is_symmetric, is_kept=one) for one in (True, False))
    assert kept == asked


MANY = """
format: phasegate/scenario/1
about: Budgets for everything.
fleet:
  regions: [{{name: eastus}}]
  images:
    - {{publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS,
        versions: [{{version: 1.0.0}}, {{version: 2.0.0}}, {{version: 3.0.0}}]}}
  sets:
    - {{name: web, region: eastus, upgrade_domains: 1, instances: {instances},
       image: {{publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS}}}}
policy: {{max_unhealthy_percent: 100, max_unhealthy_upgraded_percent: 100}}
start:
  - {{image: Canonical/UbuntuServer/18.04-LTS, target: 2.0.0, sets: [eastus/web]}}
environment: {environment}
events: {events}
"""
AGAIN = """
  - rollout: {image: Canonical/UbuntuServer/18.04-LTS, target: 3.0.0, sets: [eastus/web]}
  - rollout: {image: Canonical/UbuntuServer/18.04-LTS, target: 2.0.0, sets: [eastus/web]}
  - rollout: {image: Canonical/UbuntuServer/18.04-LTS, target: 3.0.0, sets: [eastus/web]}
"""


@pytest.mark.parametrize(
    ("instances", "environment", "events"),
    [
        (1, "{failed_steps: 1, health_flips: 2, stale_reports: 2, lost_reports: 1}", "[]"),
        (2, "{failed_steps: 3, lost_reports: 0}", AGAIN),
        (2, "{failed_steps: 4, health_flips: 5, duplicate_reports: 2, late_reports: 3, lost_reports: 1}", "[]"),
        (2, "{crashes: 1, failed_steps: 1, stale_reports: 1, lost_reports: 1}", "[]"),
        (3, "{maintenances: 1, health_flips: 1, scale_ins: 1, pauses: 1, cancels: 1, lost_reports: 1}", "[]"),
    ],
)
@pytest.mark.parametrize("is_symmetric", [False, True])
def test_what_is_kept_holds_under_every_budget(
    instances: int, environment: str, events: str, is_symmetric: bool
) -> None:
    """The last of a purse, failures that the book remembers, more remainders than there is room for at first."""
    text = MANY.format(instances=instances, environment=environment, events=events)
    scenario = parse_scenario(text.encode(), "many.yaml")
    kept, asked = (searched(scenario, is_symmetric=is_symmetric, is_kept=one) for one in (True, False))
    assert kept == asked


def test_who_failed_with_several_versions_is_interchangeable_with_nobody() -> None:
    """The book names such an instance by its slot, which no key holds."""
    scenario = parse_scenario(
        MANY.format(instances=2, environment="{failed_steps: 2, lost_reports: 0}", events=AGAIN).encode(), "again.yaml"
    )
    explorer: Any = made(scenario.subject(), is_symmetric=True, order="breadth", memory_max=None)
    assert not explorer.is_symmetric
    assert searched(scenario, is_symmetric=True, is_kept=True) == searched(scenario, is_symmetric=False, is_kept=True)


@pytest.mark.parametrize("is_symmetric", [False, True])
def test_the_memory_of_a_search_is_bounded(is_symmetric: bool) -> None:
    """It ends with what it covered, with two threads too."""
    explorer: Any = made(eight().subject(), is_symmetric=is_symmetric, order="breadth", memory_max=3_000_000, threads=2)
    ended = explorer.run(10**6)
    assert ended == "memory"
    assert 1000 < explorer.states < 200_000


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_more_memory_is_in_use_than_there_may_be(threads: int) -> None:
    """But for what finds take that wait, of which there is no more than a tenth."""
    bound = 20_000_000
    explorer: Any = made(eight().subject(), is_symmetric=False, order="breadth", memory_max=bound, threads=threads)
    assert "memory" == explorer.run(10**6)
    assert explorer.bytes_used <= 1.1 * bound


def test_an_error_on_a_thread_is_told() -> None:
    """What cannot be explored says so, whichever thread meets it."""
    fleet = EIGHT.fleet
    large = evolve(fleet, sets=[evolve(fleet.sets[0], instances=44, upgrade_domains=1)])
    scenario = evolve(EIGHT, fleet=large)
    explorer: Any = made(scenario.subject(), is_symmetric=False, order="breadth", memory_max=None, threads=2)
    with pytest.raises(OverflowError, match="at most 20 can be explored"):
        explorer.run(10**6)
