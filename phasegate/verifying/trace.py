"""From an explorer's acts to a log that `phasegate replay` runs through `Engine`: one event an act.

An explorer works on columns in a normal form of time and, under symmetry, on images of the fleet; a log tells of the
fleet itself, at times that rise. So the acts are found once more on the fleet as it is, and each becomes an event.
After each the engine's state must be the explorer's: lives, healths and versions of all instances, status and marks of
all sets, the course of all rollouts. A difference is a fault of the program, and raised as `Divergence`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from phasegate.core import codes as c
from phasegate.core.columns import BY_NAME
from phasegate.core.engine import Engine
from phasegate.core.errors import IllegalTransition, InvalidEvent, UnknownName
from phasegate.core.events import Batch, Cancel, Elapsed, Event, Pause, Resume, Scaled, Start, What
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.subject import NOW, Subject
from phasegate.core.exploring.twin import ANSWERS as _ANSWERS
from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.core.exploring.twin import Move, Violation
from phasegate.core.facts import Fact
from phasegate.core.lifecycle import COMMANDS, Do, Life
from phasegate.core.state import State
from phasegate.core.views import observed_in
from phasegate.files.fleetfile import dump_fleet
from phasegate.logs.journal import POLICY_FORMAT, Journal, footer, header, remark
from phasegate.simulating.reports import Reports, joined
from phasegate.verifying.evidence import evidence_in
from phasegate.verifying.explorers import Explorer
from phasegate.verifying.retracing import Divergence, breaking_act, keys_to, on_the_fleet, plain

STEP_MS: Final = 10
"""Between two acts: room for reports observed between them, and far below any span."""

ACTORS: Final = {
    **dict.fromkeys((Act.START, Act.ISSUE), "orchestrator"),
    Act.CRASH: "orchestrator",
    **dict.fromkeys((Act.DEADLINE, Act.DELAY, Act.REST, Act.WINDOW, Act.BAKE), "time"),
    **dict.fromkeys((Act.PAUSE, Act.RESUME, Act.CANCEL, Act.STOP, Act.REMOVE, Act.ADD, Act.ORDER), "people"),
}
"""Who acts; whoever is not among them is the environment."""


@frozen(kw_only=True)
class TracedStep:
    """One act: who did what to whom, the event that it is to the engine (None: none), and what came of it.

    `refused` says why the engine does not take the event, which can only be the act that breaks a promise.
    """

    number: int
    act: Act
    who: str
    whom: str
    names: tuple[str, ...]
    event: Event | None
    facts: Sequence[Fact]
    state: State
    refused: str | None = None


@frozen(kw_only=True)
class Trace:
    """A run from the beginning to where something shows: its steps, and the lines of its log.

    `again` of its steps, the last ones, come again and again: a run without an end.
    """

    engine: Engine
    first: State
    steps: tuple[TracedStep, ...]
    lines: tuple[bytes, ...]
    evidence: str = ""
    again: int = 0


def column(state: State, name: str) -> memoryview:
    """Return the numbers of one column of a state."""
    return memoryview(state.column(name).flat()).cast(BY_NAME[name].typecode)


def traced(explorer: Explorer, number: int, promise: int = 0, **violated: Any) -> Trace:
    """Return the trace to a state, and on over the act there by which the built-in `promise` is broken (0: none is).

    `violated` is what its log says at its end of what is broken (or, with `kind`, shown). `Divergence` if engine and
    explorer part on the way.
    """
    twin, moves = plain(explorer), explorer.trace(number)
    if len(moves) != len(explorer.path(number)) - 1:
        raise Divergence(f"{len(moves)} acts were found of a path to state {number} that is longer")
    return told(twin, keys_to(twin, moves), promise, explorer.violation, **violated)


def told(
    twin: Twin,
    keys: Sequence[Any],
    promise: int,
    violation: Violation | None,
    *,
    evidence: str | Callable[[Twin], str] = "",
    again: int = 0,
    **violated: Any,
) -> Trace:
    """Return the trace along these keys of a plain explorer, and on as `traced` does.

    `evidence` are the numbers of a promise that is not a built-in one, whose own are worked out here; or what tells
    them where the run has come to. `again` of the keys, the last ones, come again and again.
    """
    moves = on_the_fleet(twin, keys)
    engine = twin.subject.engine
    teller = Teller(twin, engine)
    teller.begin(twin.subject)
    first = teller.state
    for move in moves:
        teller.tell(move)
    found = (evidence if isinstance(evidence, str) else evidence(twin)) or evidence_in(twin, promise, None)
    if promise and violation is not None and violation.move is not None:
        last = breaking_act(twin, promise)
        before = evidence_in(twin, promise, last)
        teller.tell(last, is_breaking=True)
        found = before or evidence_in(twin, promise, None)
    teller.end(**violated, evidence=found)
    steps, lines = tuple(teller.steps), tuple(teller.lines)
    return Trace(engine=engine, first=first, steps=steps, lines=lines, evidence=found, again=again)


# --- events ----------------------------------------------------------------------------------------------------------


class Teller:
    """Turns the acts of one explorer into events of an engine, step by step."""

    def __init__(self, twin: Twin, engine: Engine) -> None:
        self.twin = twin
        self.engine = engine
        self.sets = engine.compiled.directory.sets
        self.journal = Journal(engine, engine.policy.document())
        self.lines: list[bytes] = []
        self.steps: list[TracedStep] = []
        self.state = engine.initial(now=NOW)

    def begin(self, subject: Subject) -> None:
        """Tell what leads to the first explored state."""
        fleet, policy = dump_fleet(self.engine.fleet), {"format": POLICY_FORMAT, **self.engine.policy.document()}
        self.lines.append(header(NOW, fleet, policy, 0, None))
        for event in subject.prologue():
            reports = self._first_reports(event)
            step = self.engine.step(self.state, event)
            self.lines += self.journal.lines(event, step, reports)
            self.state = step.state

    def _first_reports(self, event: Any) -> tuple[Reports, ...]:
        """Return a prologue's reports, one a line: whose set is whose is read from the slots."""
        if not hasattr(event, "observed_at"):
            return ()
        return tuple(
            Reports(self.engine.set_of(self.state, slot), What(event.what[at]), array("I", [slot]), NOW)
            for at, slot in enumerate(event.slots)
        )

    def tell(self, move: Move, *, is_breaking: bool = False) -> None:
        """Let one act happen on both sides, and compare; the engine may refuse the one that breaks a promise.

        It judges a batch by itself (`explaining`): where a rule is bent in the kernel alone, it does not follow.
        """
        act = Act(move[0])
        now = NOW + STEP_MS * (len(self.steps) + 1)
        slots = self._slots(move)
        names = tuple(self._name(slot) for slot in slots)
        reports = self._reports(move, slots, now)
        event = joined(reports, now) if reports else self._event(move, slots, now)
        whom = self._whom(move, slots)
        who = ACTORS.get(act, "environment")
        number = len(self.steps) + 1
        ids = [name.rpartition("/")[2] for name in names]
        self.lines.append(remark(now, "act", n=number, act=act.word, by=who, whom=whom, instances=ids))
        facts: Sequence[Fact] = ()
        refused = None
        try:
            if event is not None:
                step = self.engine.step(self.state, event)
                self.lines += self.journal.lines(event, step, reports)
                self.state, facts = step.state, step.facts
        except (IllegalTransition, InvalidEvent, UnknownName) as error:
            if not is_breaking:
                raise Divergence(f"step {number}: the engine refuses to {act.word}: {error}") from None
            refused = str(error)
        except Exception as error:  # a bent rule may lead where the engine has no word for
            if not is_breaking:
                raise
            refused = f"{type(error).__name__}: {error}"
        could = self.twin.happen(move)
        assert could, "what the engine takes, the explorer does too"
        self.twin.open.settle_times()
        self.steps.append(
            TracedStep(
                number=number,
                act=act,
                who=who,
                whom=whom,
                names=names,
                event=event,
                facts=facts,
                state=self.state,
                refused=refused,
            )
        )
        if refused is None:
            self._compare()

    def end(self, kind: str = "violated", **said: object) -> None:
        """Tell what is broken, or shown (`kind`), and end the log."""
        self.lines.append(remark(self.state.now, kind, **said))
        self.lines.append(footer(self.state.now, self.journal.steps))

    # --- who is meant ------------------------------------------------------------------------------------------------

    def _name(self, slot: int) -> str:
        return f"{self.sets[self.twin.v.set_of(slot)]}/{self.twin.open.work.id_of(slot)}"

    def _slots(self, move: Move) -> list[int]:
        """Return the explorer's slots of the instances that the act is about."""
        act, whom, choice, which = move
        if act == Act.START:
            part = self.twin.kernel.part(whom, choice)
            return [slot for at, slot in enumerate(part) if which >> at & 1]
        if act == Act.MAINTENANCE:
            return [slot for slot in self.twin.runs[whom] if self.twin.is_well(slot)]
        if act < Act.MAINTENANCE:
            return [whom]
        return []

    def _whom(self, move: Move, slots: Sequence[int]) -> str:
        act, whom = Act(move[0]), move[1]
        if slots:
            return self.sets[self.twin.v.set_of(slots[0])]
        if act in (Act.DELAY, Act.REST, Act.WINDOW):
            return self.sets[whom]
        if act in (Act.BAKE, Act.PAUSE, Act.RESUME, Act.CANCEL):
            return f"rollout {whom}"
        if act is Act.ORDER:
            return f"event {whom}"
        return "the fleet" if act is Act.STOP else "the orchestrator"

    def _engine_slots(self, slots: Sequence[int]) -> array[int]:
        return self.engine.slots(self.state, [self._name(slot) for slot in slots])

    # --- what it is to the engine ------------------------------------------------------------------------------------

    def _event(self, move: Move, slots: Sequence[int], now: int) -> Event | None:
        """Return the event of an act that is no report."""
        act, whom, twin = Act(move[0]), move[1], self.twin
        match act:
            case Act.START:
                return Start([Batch(self.sets[whom], self._engine_slots(slots))], now)
            case Act.REMOVE:
                name, _, ident = self._name(whom).rpartition("/")
                return Scaled(name, now, removed=(ident,))
            case Act.ADD:
                s, instance = twin.open.spares[whom]
                return Scaled(self.sets[s], now, added=(instance,))
            case Act.DEADLINE:
                return Elapsed(now=now, deadlines=self._engine_slots(slots))
            case Act.DELAY:
                return Elapsed(now=now, delays=(self.sets[whom],))
            case Act.REST:
                return Elapsed(now=now, pauses=(self.sets[whom],))
            case Act.WINDOW:
                return Elapsed(now=now, windows=((self.sets[whom], bool(twin.v.mark[whom] & c.SHUT)),))
            case Act.BAKE:
                return Elapsed(now=now, bakes=(whom,))
            case Act.PAUSE:
                return Pause(now, whom)
            case Act.RESUME:
                return Resume(now, whom)
            case Act.CANCEL:
                return Cancel(now, whom)
            case Act.STOP:
                return Cancel(now)
            case Act.ORDER:
                return evolve(twin.subject.orders[whom], now=now)
            case _:
                return None

    def _reports(self, move: Move, slots: Sequence[int], now: int) -> tuple[Reports, ...]:
        """Return the reports that an act is, observed and numbered as it means them; none if it is no report."""
        act, _, _, which = move
        if act not in _REPORTS:
            return ()
        here = self._engine_slots(slots)
        name = self.sets[self.twin.v.set_of(slots[0])]
        seen = observed_in(column(self.state, "observed"), here[0])
        match Act(act):
            case Act.ANSWER | Act.FAIL:
                do = COMMANDS[Life(self.twin.v.life[slots[0]] & c.STATE_BITS)]
                return (self._answer(name, here, _ANSWERS[do][act == Act.FAIL], do, self._attempt(name), now),)
            case Act.HEALTHY:
                return (Reports(name, What.HEALTHY, here, now),)
            case Act.UNHEALTHY | Act.MAINTENANCE:
                return (Reports(name, What.UNHEALTHY, here, now),)
            case Act.STALE:
                return (Reports(name, What.HEALTHY, here, seen + 1 if which else max(0, seen - 1)),)
            case Act.DUPLICATE:
                return tuple(Reports(name, what, here, seen) for what in (What.HEALTHY, What.UNHEALTHY))
            case _:
                under = COMMANDS.get(Life(self.twin.v.life[slots[0]] & c.STATE_BITS), Do.NOTHING)
                return tuple(
                    self._answer(name, here, what, do, self._attempt(name) - (do is under), now)
                    for do, whats in _ANSWERS.items()
                    for what in whats
                )

    def _attempt(self, name: str) -> int:
        s = self.engine.compiled.directory.set_named(name)
        return int(column(self.state, "link")[s * c.LINK + c.LINK_ATTEMPT])

    def _answer(self, name: str, here: array[int], what: What, do: Do, attempt: int, now: int) -> Reports:
        s = self.engine.compiled.directory.set_named(name)
        rollout = column(self.state, "link")[s * c.LINK + c.LINK_ROLLOUT]
        incarnation = self.state.book.incarnations.get(here[0], 1)
        suffix = f"#{incarnation}" if incarnation > 1 else ""
        return Reports(name, what, here, now, attempt, do, f"{rollout}/{name}/{attempt}/{do.word}{suffix}")

    # --- whether both agree ------------------------------------------------------------------------------------------

    def _compare(self) -> None:
        """Hold the engine's state against the explorer's."""
        seen, told = self._explored(), self._engines()
        for name in seen.keys() | told.keys():
            if seen.get(name) != told.get(name):
                step = self.steps[-1]
                what = f"step {step.number}, {step.act.word}: {name} is {told.get(name)} to the engine"
                raise Divergence(f"{what}, and {seen.get(name)} to the explorer")

    def _explored(self) -> dict[str, Any]:
        v, versions = self.twin.v, self.twin.open.work.book.versions
        found: dict[str, Any] = {}
        for slot in range(self.twin.slots):
            if v.life[slot] & c.STATE_BITS != Life.GONE:
                found[self._name(slot)] = (v.life[slot], versions[v.installed(slot)])
        for s, name in enumerate(self.sets):
            found[name] = (v.status[s], v.mark[s], v.code[s])
        for rollout in range(self.twin.rollouts):
            if v.course[rollout]:
                found[f"rollout {rollout}"] = (v.course[rollout], v.trait[rollout])
        return found

    def _engines(self) -> dict[str, Any]:
        state, engine = self.state, self.engine
        columns = {name: column(state, name) for name in ("life", "status", "mark", "code")}
        found: dict[str, Any] = {}
        for s, name in enumerate(self.sets):
            found[name] = (columns["status"][s], columns["mark"][s], columns["code"][s])
            slots = engine.members(state, name)
            for slot, ident in zip(slots, engine.ids(state, slots), strict=True):
                found[f"{name}/{ident}"] = (columns["life"][slot], engine.version(state, slot) or "")
        course, trait = column(state, "course"), column(state, "trait")
        for rollout in range(state.rows["rollout"]):
            found[f"rollout {rollout}"] = (course[rollout], trait[rollout])
        return found


_REPORTS: Final = (
    Act.ANSWER,
    Act.FAIL,
    Act.HEALTHY,
    Act.UNHEALTHY,
    Act.STALE,
    Act.LATE,
    Act.DUPLICATE,
    Act.MAINTENANCE,
)
