"""Mutants: the table is not rotten, what is bent is put back, and what gives a mutant away is told as what it is."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from attrs import evolve
from scenes import LIBRARY, ONE, scene

from phasegate.cli import mutants as command
from phasegate.core import lifecycle
from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.promises import Promise
from phasegate.core.lifecycle import TABLE, Life
from phasegate.core.twin.selector import Selector
from phasegate.core.twin.stepper import Stepper
from phasegate.policies import availability
from phasegate.verifying.claims import claim_of
from phasegate.verifying.lassos import TooLarge
from phasegate.verifying.mutants import hunting
from phasegate.verifying.mutants.hunting import Endless, Sign, hunt, hunt_all, in_order, look, within
from phasegate.verifying.mutants.killers import KILLERS
from phasegate.verifying.mutants.mutant import Bent, Entry, RottenMutant, Without
from phasegate.verifying.mutants.table import BY_NAME, MUTANTS
from phasegate.verifying.scenario import Count, Expected, Scenario
from phasegate.verifying.scenariofile import load_scenario

ALONE = scene(fleet=ONE, name="alone.yaml")
TWO = load_scenario(LIBRARY / "set_of_two.yaml")
WELL = Bent("well", "nothing", Stepper.touch_holders, "for s in", "for s in")
CODES = [mutant for mutant in MUTANTS if isinstance(mutant, Bent)]


def test_no_name_is_there_twice() -> None:
    """Each has a name of its own, of words and hyphens, says what it bends, and says where."""
    assert len(MUTANTS) == len(BY_NAME)
    for mutant in MUTANTS:
        assert mutant.name.replace("-", "").isalnum()
        assert not mutant.about.endswith(".")
        assert mutant.where.startswith(("core.", "policies."))


@pytest.mark.parametrize("mutant", CODES, ids=lambda mutant: mutant.name)
def test_the_fragment_is_there_exactly_once(mutant: Bent) -> None:
    """The table does not rot in silence: a function that has changed takes its mutants along."""
    assert mutant.old != mutant.new
    assert mutant.code() != mutant._plain.__code__


@pytest.mark.parametrize(("old", "count"), [("no such fragment", 0), ("self", 8)])
def test_a_rotten_mutant_says_so(old: str, count: int) -> None:
    """A fragment that is not there, or there more than once, is a mistake in the table."""
    rotten = Bent("rotten", "nothing", Selector.cap, old, "")
    found = Selector.cap.__code__
    with pytest.raises(RottenMutant, match=r"`rotten`: core.twin.selector.Selector.cap has its fragment \d+ times"):
        rotten.code()
    with pytest.raises(RottenMutant), rotten.bent():
        pass
    assert found is Selector.cap.__code__
    assert (count > 1) == (old == "self")


def test_every_policy_and_every_entry_has_its_mutant() -> None:
    """Each part of the composition is left out by one, each entry of the life-cycle table taken out by one."""
    assert list(availability.PARTS) == [mutant.part for mutant in MUTANTS if isinstance(mutant, Without)]
    taken_out = {(one.happening, one.life) for one in MUTANTS if isinstance(one, Entry) and one.to is None}
    entries = {
        (happening, life)
        for happening, row in TABLE.items()
        for life, entry in zip(Life, row, strict=True)
        if entry != lifecycle.__
    }
    assert entries == taken_out


@pytest.mark.parametrize("name", ["without-pairs", "life-healthy-verifying-stays", "cap-rounded-up", "manual-restores"])
def test_what_is_bent_is_put_back(name: str) -> None:
    """Whatever happens meanwhile: parts, table and functions are what they were."""

    def now() -> tuple[Any, ...]:
        limits = BY_NAME["manual-restores"]._plain.__code__  # type: ignore[attr-defined]  # one of code
        return availability.PARTS, dict(lifecycle.TABLE), Selector.cap.__code__, limits

    def fail() -> None:
        with BY_NAME[name].bent():
            assert before != now()
            raise ZeroDivisionError

    before = now()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert before == now()


# --- what gives one away ---------------------------------------------------------------------------------------------


def test_a_broken_promise() -> None:
    """It is named with its number, the scenario, and how many acts it takes."""
    catch = hunt(BY_NAME["cap-one-more"], [load_scenario(LIBRARY / "set_of_three.yaml")])
    assert Sign("set_of_three", "promise", "4 batch-within-cap", 1) == catch.sign
    assert not catch.is_gap


def test_a_claim_that_is_never_shown() -> None:
    """A scenario that no longer shows what it claims to has noticed too."""
    mutant = BY_NAME["without-rollback"]
    scenario = evolve(TWO, promises=frozenset(), sometimes=("upgraded", "restored"))
    assert Sign("set_of_two", "claim", "never shown: restored", None) == hunt(mutant, [scenario]).sign


def test_a_claim_that_is_broken() -> None:
    """What must never be is a promise, told with the acts that lead there."""
    mutant = BY_NAME["without-rollback"]
    scenario = evolve(TWO, promises=frozenset(), sometimes=(), claims=(claim_of("never", "failed", TWO.fleet),))
    assert Sign("set_of_two", "promise", "never failed", 2) == hunt(mutant, [scenario]).sign


def test_a_claim_that_some_run_misses() -> None:
    """So is what must come at some time: the shortest run to its end that never shows it is told."""
    mutant = BY_NAME["life-healthy-verifying-stays"]
    claims = (claim_of("never", "paused", TWO.fleet), claim_of("eventually", "upgraded", TWO.fleet))
    scenario = evolve(TWO, promises=frozenset(), sometimes=(), claims=claims, freedom=Freedom(lost_reports=2))
    sign = hunt(mutant, [scenario]).sign
    assert sign is not None
    assert ("promise", "eventually upgraded") == (sign.how, sign.what)
    well = evolve(scenario, claims=(*claims[:1], claim_of("eventually", "pending", TWO.fleet)))
    assert hunt(WELL, [well]).sign is None


def test_a_claim_that_names_somebody() -> None:
    """Where it tells apart whom symmetry takes for one, the scenario is explored without."""
    claims = (claim_of("never", {"life": {"eastus/web/0": "failed"}}, TWO.fleet),)
    scenario = evolve(TWO, sometimes=(), claims=claims)
    assert Count(TWO.expect.states, TWO.expect.transitions, TWO.expect.depth) == look(scenario)[1]
    assert hunt(WELL, [scenario]).moved == ()


def test_what_is_argued_is_not_looked_for_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The argument counts: as soon as enough states showed nothing, the others are left out."""
    monkeypatch.setattr(hunting, "ARGUED_STATES", 50)
    argued = evolve(WELL, unseen="it is the same")
    scenarios = [TWO, load_scenario(LIBRARY / "set_of_three.yaml")]
    assert (1, 2) == (hunt(argued, scenarios).scenarios, hunt(WELL, scenarios).scenarios)


def test_a_crash() -> None:
    """An exploration that raises an error has noticed; the error is told."""
    mutant = Bent("crashes", "", Stepper.start, "v.mark[s] |= c.BATCHING", "v.mark[99] |= c.BATCHING")
    sign, counts, is_done = _bent(mutant, ALONE)
    assert Sign("alone", "crash", "IndexError: index out of bounds on dimension 1", 2) == sign
    assert (2, False) == (counts.states, is_done)


def test_a_beginning_that_crashes() -> None:
    """So has one that cannot even begin."""
    mutant = Bent("crashes", "", Stepper.open_phase, "count = 0", "count = 1 // 0")
    sign, counts, _ = _bent(mutant, ALONE)
    assert sign is not None
    assert ("crash", 0, 0) == (sign.how, sign.acts, counts.states)


def test_a_fleet_that_does_not_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """So has one in which a state's acts come to no end."""
    monkeypatch.setattr(hunting, "SETTLE_SECONDS", 0.5)
    mutant = Bent("endless", "", Stepper.settle, "return picks", "continue")
    sign, _, _ = _bent(mutant, ALONE)
    assert sign is not None
    assert ("endless", "the fleet does not settle") == (sign.how, sign.what)


def test_a_fleet_that_no_longer_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it settles at first, the number of acts until then is told, and what was explored by then."""
    given: list[float] = []  # no signal: where one ends a call that just begins, coverage loses its place

    @contextmanager
    def time_of_four(seconds: float) -> Iterator[None]:
        given.append(seconds)
        if len(given) > 4:  # the explorer is made, and expands three states
            raise Endless
        yield

    monkeypatch.setattr(hunting, "within", time_of_four)
    sign, counts, is_done = look(ALONE)
    assert Sign("alone", "endless", "the fleet does not settle", 3) == sign
    assert (Count(5, 4, 2), False, [hunting.SETTLE_SECONDS] * 5) == (counts, is_done, given)


def test_the_number_of_states_alone() -> None:
    """Where nothing better is known, other states than expected are taken, and said to be no promise."""
    scenario = evolve(ALONE, expect=Expected(symmetric=Count(3, 3, 3)))
    assert (None, ("alone",)) == _sign_and_moved(WELL, scenario)


def test_the_number_of_states_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the scenario of the list of killers it gives the mutant away."""
    monkeypatch.setitem(KILLERS, "well", "alone")
    scenario = evolve(ALONE, expect=Expected(symmetric=Count(3, 3, 3)))
    catch = hunt(WELL, [scenario])
    assert catch.sign is not None
    assert ("counts", f"{catch.states} states, not 3") == (catch.sign.how, catch.sign.what)


def test_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nothing gives away is a gap, unless the table argues why it may be."""
    monkeypatch.setitem(BY_NAME, "well", WELL)
    catch = hunt(WELL, [ALONE, TWO])
    assert (None, 2, True) == (catch.sign, catch.scenarios, catch.is_gap)
    monkeypatch.setitem(BY_NAME, "well", evolve(WELL, unseen="it is the same"))
    assert not hunt(WELL, [ALONE], states_max=2).is_gap


def test_quickly() -> None:
    """A quick hunt looks where the mutant was given away last, and nowhere else."""
    assert 0 == hunt(WELL, [ALONE, TWO], is_quick=True).scenarios


def test_a_run_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ranks leave room for one it is looked for, as long as there is not too much to see."""
    windows = load_scenario(LIBRARY / "windows.yaml")
    small = evolve(windows, sometimes=())
    assert (None, True) == (look(small)[0], look(small)[2])

    def too_large(twin: object) -> None:
        raise TooLarge

    monkeypatch.setattr(hunting, "lasso", too_large)
    assert look(small)[0] is None
    monkeypatch.setattr(hunting, "lasso", lambda twin: type("Run", (), {"stem": (1, 2), "loop": (3,)}))
    assert Sign("windows", "promise", f"{int(Promise.EVERY_ROLLOUT_ENDS)} every-rollout-ends", 3) == look(small)[0]


def test_order() -> None:
    """The scenario that noticed last comes first, then the smallest; one of unknown size comes last."""
    large = load_scenario(LIBRARY / "set_of_four.yaml")
    assert ["set_of_four", "set_of_two", "alone"] == [one.name for one in in_order("set_of_four", [ALONE, large, TWO])]
    assert ["set_of_two", "set_of_four", "alone"] == [one.name for one in in_order(None, [ALONE, large, TWO])]


def test_time_is_up() -> None:
    """What takes the processor too long is ended; what does not is not, nor later, nor what only waits."""
    with pytest.raises(Endless), within(0.02):
        _run_on()
    with within(0.02):
        time.sleep(0.05)


def test_nobody_is_interrupted_elsewhere() -> None:
    """Only a program's first thread can be; what another one does takes as long as it takes."""
    done: list[int] = []

    def work() -> None:
        with within(0.0001):
            done.append(sum(range(100_000)))

    other = threading.Thread(target=work)
    other.start()
    other.join()
    assert [4_999_950_000] == done


def _run_on() -> None:
    while True:
        pass


def _bent(mutant: Bent, scenario: Scenario) -> tuple[Sign | None, Count, bool]:
    with mutant.bent():
        return look(scenario)


def _sign_and_moved(mutant: Bent, scenario: Scenario) -> tuple[Sign | None, tuple[str, ...]]:
    catch = hunt(mutant, [scenario])
    return catch.sign, catch.moved


# --- all of them -----------------------------------------------------------------------------------------------------


def test_killers_are_in_the_library() -> None:
    """The list names mutants of the table, and scenarios of the library."""
    assert set(KILLERS) <= set(BY_NAME)
    assert set(KILLERS.values()) <= {path.stem for path in LIBRARY.glob("*.yaml")}


@pytest.mark.parametrize("name", [*sorted(KILLERS)[6::12], "domains-over-zones", "legal-any-cell"])
def test_the_library_notices(name: str) -> None:
    """A sample of them; `phasegate verify --mutants --quick` in the CI hunts all."""
    assert hunt(BY_NAME[name], [load_scenario(LIBRARY / f"{KILLERS[name]}.yaml")]).sign is not None


def test_many_at_once() -> None:
    """Workers of their own processes come to the same, in the order of the table."""
    chosen = [BY_NAME[name] for name in ("cap-one-more", "without-rollback")]
    given = [("set_of_three.yaml", (LIBRARY / "set_of_three.yaml").read_bytes())]
    told: list[str] = []
    catches = hunt_all(chosen, partial(command.parsed, given), tell=lambda catch: told.append(catch.mutant))
    scenarios = command.parsed(given)
    assert [hunt(one, scenarios).sign for one in chosen] == [catch.sign for catch in catches]
    assert {"cap-one-more", "without-rollback"} == set(told)


def test_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker reads the scenarios once, leaves interrupts to whoever asked, and hunts by name."""
    monkeypatch.setattr(hunting, "_scenarios", [])
    interrupts = signal.getsignal(signal.SIGINT)
    hunting._set_out(lambda: (ALONE,))
    signal.signal(signal.SIGINT, interrupts)
    assert 1 == hunting._hunt_named("cap-one-more", 10, False).scenarios


def test_whoever_wants_it_to_end_gets_what_is_done() -> None:
    """The others are left out; nobody waits for them to be hunted."""
    given = [("set_of_three.yaml", (LIBRARY / "set_of_three.yaml").read_bytes())]
    told: list[str] = []
    chosen = [BY_NAME[name] for name in ("cap-one-more", "cap-rounded-up", "cap-whole-set", "cap-zero")]
    catches = hunt_all(
        chosen,
        partial(command.parsed, given),
        workers=1,
        tell=lambda catch: told.append(catch.mutant),
        stop=lambda: bool(told),
    )
    assert told == [catch.mutant for catch in catches]
    assert 1 <= len(told) < len(chosen)


def test_workers_are_started_where_nobody_can_interrupt_them() -> None:
    """Who starts them in another thread than the first cannot keep an interrupt away, and need not."""
    interrupts = signal.getsignal(signal.SIGINT)
    seen: list[Any] = []

    def start() -> None:
        with hunting._undisturbed():
            seen.append(signal.getsignal(signal.SIGINT))

    other = threading.Thread(target=start)
    other.start()
    other.join()
    start()
    assert [interrupts, signal.SIG_IGN, interrupts] == [*seen, signal.getsignal(signal.SIGINT)]


def test_whoever_cannot_go_on_ends_the_rest() -> None:
    """What is told to somebody who fails ends the hunt."""

    def fail(catch: object) -> None:
        raise KeyError("enough")

    given = [("set_of_three.yaml", (LIBRARY / "set_of_three.yaml").read_bytes())]
    with pytest.raises(KeyError):
        hunt_all([BY_NAME["cap-one-more"]], partial(command.parsed, given), workers=1, tell=fail)
