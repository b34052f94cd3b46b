"""The simulated environment: it carries out commands, reports on health, and lets happen what the faults file says.

It never decides anything: it only sees facts and a state, and gives events back. Equal seed, faults and facts give
equal events. What it keeps of an instance is one byte (is it sick?) and its place in the reports that are on the way.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from attrs import define, evolve, field

from phasegate.core.events import Event, Scaled, What
from phasegate.core.facts import Became, Commands, Fact
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, Health
from phasegate.core.state import State
from phasegate.core.telling import Facts, Told
from phasegate.logs.readable import Readable
from phasegate.simulating.agenda import Agenda
from phasegate.simulating.answers import Answers
from phasegate.simulating.chance import Chance
from phasegate.simulating.faultmodel import Dated, Faults, Outage
from phasegate.simulating.patterns import Pattern
from phasegate.simulating.reports import Bulk, Reports, each

# whose virtual machine does not run, or runs on nobody knows what: no health source speaks for these
_MUTE: Final = frozenset((Life.REPLACING, Life.RESTORING, Life.FAILED, Life.GONE))
_REPORTED: Final = {health: What[health.name] for health in Health}


class Timeouts(Protocol):
    """What a late report must know of the engine's policy."""

    @property
    def step_timeout_ms(self) -> int:
        """How long a command may stay unanswered."""
        ...

    @property
    def health_timeout_ms(self) -> int:
        """How long an instance may take to become healthy."""
        ...


@define
class Environment:
    """One simulated environment, from `start` (ms UTC) on.

    `InvalidModel`, with the place in the faults file, if the faults do not fit the fleet (see `Agenda`).
    """

    engine: Readable
    fleet: Fleet
    faults: Faults
    seed: int
    start: int
    timeouts: Timeouts
    _agenda: Agenda = field(init=False, repr=False)
    _answers: Answers = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._agenda = Agenda(self.engine, self.fleet, self.faults, self.start)
        self._answers = Answers(
            self.engine,
            Chance(self.seed),
            self.faults,
            self.timeouts.step_timeout_ms,
            self.timeouts.health_timeout_ms,
        )

    def begin(self, state: State) -> None:
        """Let the health sources speak for the first time; to be called once, with the first state."""
        self._answers.begin(state, (scale_set.full_name for scale_set in self.fleet.sets))

    def next_time(self) -> int | None:
        """Return when something happens or is reported next (ms UTC), None if nothing will."""
        happening, reported = self._agenda.next_time(), self._answers.next_time()
        if happening is None or reported is None:
            return reported if happening is None else happening
        return min(happening, reported)

    def happenings(self, now: int) -> list[Dated]:
        """Take what the faults file lets happen at `now` or before, in order."""
        return self._agenda.take(now)

    def events(self, state: State, happening: Dated, now: int) -> tuple[Event, ...]:
        """Return the events of a happening, given the state that it meets; none for an outage, which is only reported.

        Whatever an outage's beginning or end changes in an instance's health is reported at the same instant.
        """
        if isinstance(happening, Outage):
            self._report_around(state, happening, now)
        return self._agenda.events(state, happening, now)

    def reports(self, state: State, now: int) -> list[Reports | Bulk]:
        """Take the reports that are delivered at `now` or before, in the order in which they were sent off."""
        taken = self._answers.take(now)
        if not self._agenda.has_outages:
            return taken
        seen: list[Reports | Bulk] = []
        for reports in each(taken):
            seen += self._as_observed(state, reports)
        return seen

    def observe(self, state: State, facts: Iterable[Fact]) -> None:
        """Take note of what a step brought about; `state` is the one that it returned.

        Where nothing distinguishes instances, what they answer is worked out column by column.
        """
        if not isinstance(facts, Facts):
            self._observe(state, facts)
            return
        answers = self._answers
        for part in facts.parts:
            if isinstance(part, Told):
                if part.book.incarnations:
                    self._observe(state, part.facts())
                elif answers.is_even and not part.has_restores:
                    answers.follow(state.now, part)
                else:
                    answers.follow_each(state, part)

    def _observe(self, state: State, facts: Iterable[Fact]) -> None:
        answers = self._answers
        for fact in facts:
            match fact:
                case Commands():
                    answers.answer(state, fact)
                case Became(state=Life.VERIFYING | Life.RESTORED as life):
                    answers.watch(state, fact.set, fact.slots, upgraded=life is Life.VERIFYING)

    def welcome(self, state: State, scaled: Scaled, slots: array[int]) -> None:
        """Let the health source find the instances that have just been added, by their slots."""
        self._answers.watch(state, scaled.set, slots, upgraded=True)

    def _report_around(self, state: State, outage: Outage, now: int) -> None:
        pattern = Pattern(outage.instances)
        for scale_set in self.fleet.sets:
            name = scale_set.full_name
            if pattern.reach(name) == "none":
                continue
            slots = self.engine.members(state, name)
            names = self._names(state, name, slots)
            silent = self._answers.silent_health(state, name, slots, names)
            speaking = array("I")
            for slot, full, mute in zip(slots, names, silent, strict=True):
                if not mute and pattern.matches(full) and self.engine.life(state, slot) not in _MUTE:
                    speaking.append(slot)
            for what in (What.HEALTHY, What.UNHEALTHY):
                group = array("I", (slot for slot in speaking if self._answers.health_now(slot) is what))
                if group:
                    self._answers.send(Reports(name, what, group, now), now)

    def _as_observed(self, state: State, reports: Reports) -> list[Reports]:
        """Return the reports as the health source saw them: in an outage, it reports the outage's health."""
        if reports.what > What.INITIALIZING or not self._agenda.in_outage(reports.set, reports.observed_at):
            return [reports]
        names = self._names(state, reports.set, reports.slots)
        cut: dict[What, array[int]] = {}
        seen = self._agenda.outage_health(reports.set, names, reports.observed_at)
        for slot, health in zip(reports.slots, seen, strict=True):
            what = reports.what if health is None else _REPORTED[health]
            cut.setdefault(what, array("I")).append(slot)
        return [evolve(reports, what=what, slots=slots) for what, slots in cut.items()]

    def _names(self, state: State, set_name: str, slots: Sequence[int]) -> list[str]:
        return [f"{set_name}/{id_}" for id_ in self.engine.ids(state, slots)]
