"""The hunt for mutants: scenarios are explored with one rule bent until something gives it away.

What gives it away: a broken promise, one that the scenario makes of its own states among them; something that it claims
to show and never does; an exploration that raises an error; or one that comes to no end where the fleet should settle.
Last, and said to be so: only the number of states or transitions is another one than the scenario expects. That shows
that the rule does something, not that its absence does harm. It is taken in the scenario of `KILLERS` alone, where
nothing better is known. A mutant that nothing gives away is a gap: a scenario or promise is missing.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Final, Literal

from attrs import astuple, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.core.twin import Kernel
from phasegate.verifying.ends import escaping
from phasegate.verifying.explorers import Explorer, made
from phasegate.verifying.lassos import Lasso, TooLarge, lasso
from phasegate.verifying.mutants.killers import KILLERS
from phasegate.verifying.mutants.mutant import Mutant
from phasegate.verifying.mutants.table import BY_NAME
from phasegate.verifying.promise import Memory, tells_apart
from phasegate.verifying.scenario import Count, Scenario
from phasegate.verifying.scenariofile import promise_name

How = Literal["promise", "claim", "crash", "endless", "counts"]
STATES_MAX: Final = 10_000  # more than any scenario of the library has under symmetry
ARGUED_STATES: Final = 3_000  # of a mutant of which it is argued that nobody can tell: the argument counts
LOOK_SECONDS: Final = 0.2  # between two looks at whether somebody wants the hunt to end
SETTLE_SECONDS: Final = 2.0  # of the processor: a thousand times what the plain twin takes for a state


class Endless(Exception):
    """A state whose acts come to no end."""


@frozen
class Sign:
    """What gave a mutant away: in which scenario, what, and after how many acts (None: by all its runs)."""

    scenario: str
    how: How
    what: str
    acts: int | None


@frozen
class Catch:
    """What came of one mutant: the sign (None: it survived), how many scenarios and states that took.

    `moved` are scenarios that came to other states than they expect, and showed no sign.
    """

    mutant: str
    sign: Sign | None
    scenarios: int
    states: int
    seconds: float
    moved: tuple[str, ...]

    @property
    def is_gap(self) -> bool:
        """Whether it survived, and nobody argues why it may."""
        return self.sign is None and BY_NAME[self.mutant].unseen is None


def hunt(
    mutant: Mutant, scenarios: Sequence[Scenario], *, states_max: int = STATES_MAX, is_quick: bool = False
) -> Catch:
    """Explore the scenarios, the likeliest first, with the rule bent until something gives it away.

    `is_quick` looks only where it was given away last. Where it is argued that nobody can tell, it is not looked for
    everywhere: the smallest scenarios must do.
    """
    began = time.monotonic()
    known = KILLERS.get(mutant.name)
    tried, states, moved = 0, 0, []
    for scenario in in_order(known, scenarios):
        if (is_quick and scenario.name != known) or (mutant.unseen is not None and states >= ARGUED_STATES):
            break
        with mutant.bent():
            sign, found, is_done = look(scenario, states_max)
        tried += 1
        states += found.states or 0
        expected = scenario.expect.symmetric
        is_known = found in (
            expected,
            Count(scenario.expect.states, scenario.expect.transitions, scenario.expect.depth),
        )
        if sign is None and is_done and None not in astuple(expected) and not is_known:
            moved.append(scenario.name)
            if scenario.name == known:
                sign = Sign(scenario.name, "counts", _other(found, expected), None)
        if sign is not None:
            return Catch(mutant.name, sign, tried, states, time.monotonic() - began, ())
    return Catch(mutant.name, None, tried, states, time.monotonic() - began, tuple(moved))


def in_order(known: str | None, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios: the one of that name, then the smallest first."""

    def place(scenario: Scenario) -> tuple[bool, int, str]:
        size = scenario.expect.symmetric.states or scenario.expect.states
        return scenario.name != known, STATES_MAX if size is None else size, scenario.name

    return sorted(scenarios, key=place)


def _other(found: Count, expected: Count) -> str:
    """Return the first of the counts that is another one."""
    names = ("states", "transitions", "acts deep")
    return next(
        f"{one:,} {name}, not {other:,}"
        for name, one, other in zip(names, astuple(found), astuple(expected), strict=True)
        if one != other
    )


def look(scenario: Scenario, states_max: int = STATES_MAX) -> tuple[Sign | None, Count, bool]:
    """Explore one scenario as the rules are now; return what gives them away, the counts, and whether those are all."""
    explorer: Explorer | None = None
    asked = [Memory(one) for one in scenario.own()]
    try:
        with within(SETTLE_SECONDS):
            explorer = made(scenario.subject(Kernel), is_symmetric=True, order="breadth", memory_max=None)
            if tells_apart(explorer, asked):
                explorer = made(scenario.subject(Kernel), is_symmetric=False, order="breadth", memory_max=None)
        found = "more"
        while found == "more" and explorer.states < states_max:
            with within(SETTLE_SECONDS):
                found = explorer.run(1)
        sign = _sign(scenario, explorer, asked, is_done=found == "done")
    except Endless:
        sign, found = Sign(scenario.name, "endless", "the fleet does not settle", _depth(explorer)), "endless"
    except Exception as error:  # whatever the bent rule has led to
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        sign, found = Sign(scenario.name, "crash", text, _depth(explorer)), "crash"
    if explorer is None:
        return sign, Count(0, 0, 0), False
    return sign, Count(explorer.states, explorer.transitions, explorer.depth), found == "done"


def _depth(explorer: Explorer | None) -> int:
    return 0 if explorer is None else explorer.depth + 1


def _sign(scenario: Scenario, explorer: Explorer, asked: Sequence[Memory], *, is_done: bool) -> Sign | None:
    violation = explorer.violation
    if violation is not None:
        acts = len(explorer.path(violation.state)) - 1 + (violation.move is not None)
        return _broken(scenario, Promise(violation.promise), acts)
    if not is_done:
        return None
    if explorer.rising and Promise.EVERY_ROLLOUT_ENDS in scenario.promises:
        run = _endless_run(scenario)
        if run is not None:
            return _broken(scenario, Promise.EVERY_ROLLOUT_ENDS, len(run.stem) + len(run.loop))
    return _own(scenario, explorer, asked)


def _own(scenario: Scenario, explorer: Explorer, asked: Sequence[Memory]) -> Sign | None:
    """Return which of the scenario's own promises does not hold in all that it has come to."""
    always = [memory for memory in asked if memory.promise.kind == "always"]
    claimed = [memory for memory in asked if memory.promise.kind == "sometimes"]
    for number in range(explorer.states if always or claimed else 0):
        explorer.write(explorer.key_of(number))
        known: dict[str, Any] = {}
        for memory in always:
            if not memory.holds(explorer, known):
                return Sign(scenario.name, "promise", memory.promise.name, len(explorer.path(number)) - 1)
        claimed = [memory for memory in claimed if not memory.holds(explorer, known)]
        if not always and not claimed:
            break
    if claimed:
        return Sign(scenario.name, "claim", f"never shown: {claimed[0].promise.name}", None)
    for memory in asked:
        if memory.promise.kind == "eventually":
            keys = escaping(Twin(scenario.subject(Kernel), is_symmetric=False), memory)
            if keys is not None:
                return Sign(scenario.name, "promise", memory.promise.name, len(keys))
    return None


def _broken(scenario: Scenario, promise: Promise, acts: int) -> Sign:
    return Sign(scenario.name, "promise", f"{int(promise)} {promise_name(promise)}", acts)


def _endless_run(scenario: Scenario) -> Lasso | None:
    """Look for a run without an end where the ranks leave room for one; None if there is none, or too much to see."""
    try:
        return lasso(Twin(scenario.subject(Kernel), is_symmetric=False))
    except TooLarge:
        return None


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `Endless` if what is done takes the processor longer; outside of the main thread nobody would notice."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


# --- many at once ----------------------------------------------------------------------------------------------------

_scenarios: list[Scenario] = []  # of this worker


def hunt_all(
    mutants: Sequence[Mutant],
    read: Callable[[], tuple[Scenario, ...]],
    *,
    states_max: int = STATES_MAX,
    is_quick: bool = False,
    workers: int = 2,
    tell: Callable[[Catch], None] = lambda catch: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Catch]:
    """Hunt them all, each in a worker of its own process; return what came of them, in their order.

    `read` returns the scenarios; each worker calls it once, so it is a function that can be sent to another process.
    Once `stop` returns true, which is asked a few times a second, those that are done are returned.
    """
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _set_out, (read,)) as pool:
        with _undisturbed():  # workers are started here
            running = {pool.submit(_hunt_named, mutant.name, states_max, is_quick): mutant.name for mutant in mutants}
        found: dict[str, Catch] = {}
        left = set(running)
        try:
            while left and not stop():
                done, left = wait(left, LOOK_SECONDS, FIRST_COMPLETED)
                for future in done:
                    found[running[future]] = future.result()
                    tell(found[running[future]])
        finally:
            pool.shutdown(cancel_futures=True)
    return [found[mutant.name] for mutant in mutants if mutant.name in found]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let processes that are started meanwhile hear of no interrupt: whoever asked for the hunt ends it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _set_out(read: Callable[[], tuple[Scenario, ...]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked for the hunt ends it
    _scenarios[:] = read()


def _hunt_named(name: str, states_max: int, is_quick: bool) -> Catch:
    return hunt(BY_NAME[name], _scenarios, states_max=states_max, is_quick=is_quick)
