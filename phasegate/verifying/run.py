"""One verification: an explorer run to its end, or to a bound, and what is to be said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from attrs import define, field

from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import Subject
from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.core.kernels import default_kernel
from phasegate.core.model import refuse_unknown
from phasegate.core.twin import Kernel as TwinKernel
from phasegate.verifying.conditions import CONDITIONS
from phasegate.verifying.coverage import coverage_of
from phasegate.verifying.ends import escaping
from phasegate.verifying.evidence import waiting_in
from phasegate.verifying.explorers import Explorer, made
from phasegate.verifying.lassos import STATES_MAX, TooLarge, lasso
from phasegate.verifying.promise import Custom, Memory, moved, tells_apart
from phasegate.verifying.result import Asked, Bounds, Broken, Order, Progress, Result, Verdict
from phasegate.verifying.retracing import plain
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import promise_name
from phasegate.verifying.trace import Trace, told, traced
from phasegate.verifying.view import FIELDS, NAMING, PLACES
from phasegate.verifying.walks import Walker

LIVENESS: Final = frozenset({Promise.EVERY_ROLLOUT_ENDS, Promise.EVERYONE_UPGRADED, Promise.SMALL_SETS_END})
CHUNK_SECONDS: Final = 0.2  # between two looks at the clock, the memory, and whether somebody wants it to end
_CHUNK_MAX: Final = 4_000_000
_SUCCESSORS: Final = 16  # about as many as a state leads to


def verify(
    scenario: Scenario,
    *,
    promises: Sequence[Custom] = (),
    symmetry: bool = True,
    order: Order = "breadth",
    bounds: Bounds | None = None,
    kernel: Any = None,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
    witness: str | None = None,
    threads: int = 1,
) -> Result:
    """Explore every state of the scenario, and return what it shows (semantics 11).

    `promises` are somebody's own beside the built-in ones. `symmetry` takes for one what differs in names only; it is
    left out where a promise tells apart those whom it would take for one. `order` is breadth (shortest
    counterexamples), depth, or random walks, which are a sample: their verdict is never "holds". `bounds` end a run
    with what it covered, as `stop` does when it returns true, which is asked a few times a second, like `progress` is
    told. `witness` names what some state is to show: one of `promises` of the kind `sometimes`, or one of the
    conditions that a scenario names or may name; where all holds, the result has the run to it. The compiled explorer
    goes on up to `threads` threads, 256 at most, where nobody is asked on the way; what it finds is the same.

    `InvalidModel`, `InvalidEvent` or `UnknownName` if the scenario cannot begin.
    """
    own = tuple(promises)
    if witness is not None:
        check_witness(witness, (*own, *scenario.claims))
    cls = kernel_class(kernel)
    run = Run(scenario, own, order, bounds or Bounds(), cls, seed, progress, stop, witness, threads)
    return run.through(symmetry)


def check_witness(name: str, promises: Sequence[Custom]) -> None:
    """Raise `InvalidModel` if there is no condition, and none of these is a promise `sometimes`, of that name."""
    known = [*(one.name for one in promises if one.kind == "sometimes"), *CONDITIONS]
    if name not in known:
        refuse_unknown(name, known, "condition", "")


def kernel_class(kernel: Any) -> Any:
    """Return the class of selector and stepper: as given, by the words `compiled` or `twin`, or what there is."""
    if kernel == "twin":
        return TwinKernel
    return default_kernel() if kernel in (None, "compiled") else kernel


class _Widened(Exception):
    """A promise has read a field that it did not declare, while its answers were remembered by the others alone."""


@define
class Run:
    """One run: what it was asked, and what it keeps beside its explorer."""

    scenario: Scenario
    promises: tuple[Custom, ...]
    order: Order
    bounds: Bounds
    kernel: Any
    seed: int
    progress: Callable[[Progress], None] | None
    stop: Callable[[], bool]
    witness: str | None = None
    threads: int = 1
    explorer: Explorer = field(init=False)
    is_symmetric: bool = field(init=False, default=True)
    asked: list[Memory] = field(init=False, factory=list)
    shown: dict[Custom, int] = field(init=False, factory=dict)  # `sometimes`, and the first state that shows it
    watched: set[Custom] = field(init=False, factory=set)  # those that the explorer asks about by itself
    seen: int = field(init=False, default=0)  # states that were asked about
    began: float = field(init=False, default=0.0)

    def through(self, symmetry: bool) -> Result:
        """Run, once more without symmetry if a promise turns out to read who is who."""
        subject = self.scenario.subject(self.kernel)
        self.asked = [Memory(one) for one in (*self.promises, *self._claims())]
        self.began = time.monotonic()
        self.is_symmetric = symmetry and self.order != "random"
        while True:
            self.explorer = self._made(subject)
            if self._tells_apart():
                self.is_symmetric = False
                continue
            if self.order == "random":
                self.explorer = cast(Explorer, Walker(self.explorer, self.seed))
            self.seen, self.shown = 0, {}
            self.watched.clear()
            found = self._explore()
            if found != "again":
                return self._result(found)

    def _made(self, subject: Subject) -> Explorer:
        """Return a new explorer; walks keep states themselves, and only ask what is possible in one."""
        if self.order == "random":
            return made(subject, is_symmetric=False, order="breadth", memory_max=None)
        memory, threads = self.bounds.memory, self.threads
        return made(subject, is_symmetric=self.is_symmetric, order=self.order, memory_max=memory, threads=threads)

    def _claims(self) -> list[Custom]:
        found = self.scenario.own()
        if self.witness is not None and self.witness not in (one.name for one in (*found, *self.promises)):
            found.append(CONDITIONS[self.witness])
        return found

    def _tells_apart(self) -> bool:
        return tells_apart(self.explorer, self.asked)

    # --- exploring ---------------------------------------------------------------------------------------------------

    def _explore(self) -> str:
        """Run to an end: `done`, `violated`, a custom promise's `broken`, `again`, or the bound that was met."""
        broken = self._ask(self._open_questions())
        self._watch()  # only now: what the first state has widened is looked at too
        chunk = self._within(64)
        if not broken and self._is_full():
            return "bound"
        while not broken:
            before = time.monotonic()
            try:
                found = self.explorer.run(chunk)
            except _Widened:
                return "again"
            broken = self._ask(self._unwatched())
            if broken:
                break
            took = time.monotonic() - before
            now = self.measured()
            if self.progress is not None:
                self.progress(now)
            if found != "more":
                return found
            bound = self._bound(now)
            if bound is not None:
                return bound
            chunk = self._within(max(16, min(_CHUNK_MAX, int(chunk * CHUNK_SECONDS / max(took, CHUNK_SECONDS / 4)))))
        return broken

    def _within(self, chunk: int) -> int:
        """Return how many states to expand at once: the fewer, the nearer the bound, as each may lead to several."""
        if self.bounds.states is None:
            return chunk
        return max(1, min(chunk, (self.bounds.states - self.explorer.states) // _SUCCESSORS))

    def _is_full(self) -> bool:
        return self.bounds.states is not None and self.explorer.states >= self.bounds.states

    def _bound(self, now: Progress) -> str | None:
        if self.stop():
            return "interrupted"
        if self._is_full():
            return "bound"
        if self.bounds.seconds is not None and now.seconds >= self.bounds.seconds:
            return "time"
        if self.bounds.memory is not None and now.memory >= self.bounds.memory:
            return "memory"
        return None

    def measured(self) -> Progress:
        """Return how far the run is."""
        explorer = self.explorer
        return Progress(
            states=explorer.states,
            transitions=explorer.transitions,
            frontier=explorer.frontier,
            depth=explorer.depth,
            seconds=time.monotonic() - self.began,
            memory=explorer.bytes_used,
        )

    # --- somebody's own promises -------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Let the explorer itself ask about each new state, where the columns tell all that a promise reads.

        It asks once for each combination of the bytes there; what is left to Python are the first states of each.
        """
        explorer = self.explorer
        if isinstance(explorer, Walker):
            return
        for memory in self._open_questions():
            if all(name in PLACES for name in memory.reads):
                places = dict.fromkeys(place for name in memory.reads for place in PLACES[name](explorer.open))
                explorer.watch(tuple(places), partial(self._answer, memory), memory.promise)
                self.watched.add(memory.promise)

    def _answer(self, memory: Memory) -> bool:
        """Answer for the state that the explorer has just found; `_Widened` if the promise reads more than it said."""
        known = len(memory.reads)
        holds = memory.holds(self.explorer, {})
        if len(memory.reads) > known:
            raise _Widened
        if memory.promise.kind == "sometimes":
            if holds:
                self.shown.setdefault(memory.promise, self.explorer.states - 1)
            return True
        return holds

    def _ask(self, questions: Sequence[Memory]) -> str:
        """Ask these about the states found since: return `broken` or `again` if that ends the run, else nothing."""
        explorer = self.explorer
        first, self.seen = self.seen, explorer.states
        for number in range(first, self.seen) if questions else ():
            explorer.write(explorer.key_of(number))
            known: dict[str, Any] = {}
            for memory in questions:
                if memory.promise in self.shown:
                    continue
                holds = memory.holds(explorer, known)
                if memory.undeclared and self._tells_apart():
                    return "again"
                if memory.promise.kind == "sometimes" and holds:
                    self.shown[memory.promise] = number
                elif memory.promise.kind == "always" and not holds:
                    self.shown[memory.promise] = number
                    return "broken"
        return ""

    def _open_questions(self) -> list[Memory]:
        """Return the promises that are asked of every state: `sometimes` until one has shown it, never `eventually`."""
        return [
            memory for memory in self.asked if memory.promise.kind != "eventually" and memory.promise not in self.shown
        ]

    def _unwatched(self) -> list[Memory]:
        return [memory for memory in self._open_questions() if memory.promise not in self.watched]

    # --- what it came to ---------------------------------------------------------------------------------------------

    def _result(self, found: str) -> Result:
        progress, covered = self.measured(), coverage_of(self.explorer)  # before a trace goes the way once more
        verdict, reason, broken, trace = self._judged(found)
        witness = self.witness if verdict == "holds" else None
        if witness is not None:
            custom = next(one for one in self.shown if one.name == witness)
            found = self._values(custom, self.shown[custom])
            trace = traced(self.explorer, self.shown[custom], kind="shown", evidence=found, **_said(custom))
        return Result(
            scenario=self.scenario,
            verdict=verdict,
            reason=reason,
            broken=broken,
            progress=progress,
            is_symmetric=self.explorer.is_symmetric,
            symmetries=len(self.explorer.group),
            is_compiled=self.explorer.is_compiled,
            order=self.order,
            rising=self.explorer.rising,
            coverage=covered,
            asked=tuple(
                Asked(
                    name=memory.promise.name,
                    kind=memory.promise.kind,
                    calls=memory.calls,
                    undeclared=tuple(memory.undeclared),
                )
                for memory in self.asked[: len(self.promises)]
            ),
            trace=trace,
            disagreements=self._disagreements(verdict, broken, progress),
            witness=witness,
        )

    def _judged(self, found: str) -> tuple[Verdict, str | None, Broken | None, Trace | None]:
        if found == "violated":
            return self._built_in()
        if found == "broken":
            custom, number = next(item for item in self.shown.items() if item[0].kind == "always")
            return "violated", None, _broken(custom), self._traced(custom, number)
        if found != "done":
            return "undetermined", found, None, None
        for memory in self.asked:
            if memory.promise.kind == "sometimes" and memory.promise not in self.shown:
                return "violated", f"no state shows `{memory.promise.name}`", _broken(memory.promise), None
        for memory in self.asked:
            if memory.promise.kind == "eventually":
                twin = plain(self.explorer)
                keys = escaping(twin, memory)
                if keys is not None:
                    trace = told(twin, keys, 0, None, evidence=partial(_missed, memory), **_said(memory.promise))
                    return "violated", None, _broken(memory.promise), trace
        is_asked = self.scenario.promises & LIVENESS or any(
            memory.promise.kind == "eventually" for memory in self.asked
        )
        if self.explorer.rising and is_asked:
            return self._endless()
        return "holds", None, None, None

    def _endless(self) -> tuple[Verdict, str | None, Broken | None, Trace | None]:
        """Look for a run without an end, where the ranks leave room for one."""
        twin = Twin(self.explorer.subject, is_symmetric=False)
        twin.open.settle_times()
        try:
            found = lasso(twin)
        except TooLarge:
            return "undetermined", f"runs without an end: more than {STATES_MAX:,} states to look through", None, None
        if found is None:
            return "holds", None, None, None
        promise = Promise.EVERY_ROLLOUT_ENDS
        broken = Broken(name=promise_name(promise), number=int(promise), sentence=promise.sentence)
        said: dict[str, Any] = {"of": int(promise), "name": broken.name, "sentence": broken.sentence}
        again = len(found.loop)
        trace = told(twin, [*found.stem, *found.loop], 0, None, evidence=waiting_in, again=again, **said)
        return "violated", f"the last {again} acts again and again", broken, trace

    def _built_in(self) -> tuple[Verdict, str | None, Broken | None, Trace | None]:
        violation = self.explorer.violation
        assert violation is not None, "an explorer that says `violated` says by what"
        promise = violation.promise
        if isinstance(promise, Custom):
            return "violated", None, _broken(promise), self._traced(promise, violation.state)
        broken = Broken(name=promise_name(promise), number=int(promise), sentence=promise.sentence)
        said: dict[str, Any] = {"of": int(promise), "name": broken.name, "sentence": broken.sentence}
        return "violated", None, broken, traced(self.explorer, violation.state, int(promise), **said)

    def _traced(self, custom: Custom, number: int) -> Trace:
        return traced(self.explorer, number, evidence=self._values(custom, number), **_said(custom))

    def _values(self, custom: Custom, number: int) -> str:
        """Return the values of the fields that a promise of somebody's own reads, of those that name nobody."""
        self.explorer.write(self.explorer.key_of(number))
        return _values(self.explorer, next(memory.reads for memory in self.asked if memory.promise is custom))

    def _disagreements(
        self, verdict: Verdict, broken: Broken | None, progress: Progress
    ) -> tuple[tuple[str, str, str], ...]:
        """Compare with what the scenario expects; of a run that met a bound nothing can be said."""
        expect = self.scenario.expect
        if verdict == "undetermined" and expect.verdict != "undetermined":
            return ()
        rows: list[tuple[str, Any, Any]] = [("verdict", expect.verdict, verdict)]
        if broken is not None:
            rows.append(("promise", expect.promise, broken.name))
        elif self.order == "breadth" and verdict == "holds":
            counts = expect.symmetric if self.explorer.is_symmetric else expect
            place = "symmetric." if self.explorer.is_symmetric else ""
            rows.append((f"{place}states", counts.states, progress.states))
            rows.append((f"{place}transitions", counts.transitions, progress.transitions))
            rows.append((f"{place}depth", counts.depth, progress.depth))
        return tuple((what, str(one), str(other)) for what, one, other in rows if one is not None and one != other)


def _values(at: Any, reads: Sequence[str]) -> str:
    """Return the values of fields: not of those that name each instance, nor whom the symmetry takes for another."""
    hidden = moved(at) | {"instances"}
    values = {name: FIELDS[name](at) for name in reads if NAMING.get(name) not in hidden}
    return ", ".join(f"{name} = {_plain(value)}" for name, value in values.items())


def _missed(memory: Memory, twin: Twin) -> str:
    """Return the values of what a promise reads where a run has ended without it, and who is not through there."""
    return "; ".join(part for part in (_values(twin, memory.reads), waiting_in(twin)) if part)


def _plain(value: Any) -> str:
    """Return the value of a field for people: sets in order, mappings by their names."""
    if isinstance(value, Mapping):
        value = tuple(
            f"{one} {name}" if isinstance(one, int) else f"{name} {_plain(one)}" for name, one in value.items() if one
        )
    if isinstance(value, frozenset):
        value = tuple(sorted(value))
    return " and ".join(map(str, value)) or "nothing" if isinstance(value, tuple) else str(value)


def _said(custom: Custom) -> dict[str, Any]:
    return {"of": None, "name": custom.name, "sentence": custom.sentence}


def _broken(custom: Custom) -> Broken:
    return Broken(name=custom.name, number=None, sentence=custom.sentence, kind=custom.kind)
