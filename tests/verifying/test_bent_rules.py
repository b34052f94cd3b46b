"""A rule that is bent breaks its promise, and the story of it replays: one bent kernel for each of the promises."""

# ruff: noqa: D102  # each class says what its methods bend

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from scenes import LIBRARY

from phasegate.core import codes as c
from phasegate.core.exploring.promises import Promise
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.twin import Kernel
from phasegate.core.twin.counters import UNBOUNDED
from phasegate.verifying.result import Result
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.story import story


class NoPairs(Kernel):
    """Pairs may be at work together."""

    def standing(self, s: int) -> int:
        return super().standing(s) & ~c.PAIR_AT_WORK


class NoZones(Kernel):
    """Cells in conflict may be busy together."""

    def is_disturbed(self, cell: int) -> bool:
        return False


class NoPhases(Kernel):
    """Every phase is open."""

    def is_open(self, s: int) -> bool:
        return True


class LargeBatches(Kernel):
    """A batch may have one instance more."""

    def cap(self, s: int) -> int:
        return super().cap(s) + 1


class NoHealthGate(Kernel):
    """A batch may start however many are unhealthy."""

    def health_gate_broken(self, s: int) -> bool:
        return False


class NoUpgradedGate(Kernel):
    """Bad ones after their upgrade stop nothing."""

    def upgraded_gate_broken(self, s: int) -> bool:
        return False


class EarlyHealth(Kernel):
    """Whoever is configured is upgraded, and its health not waited for."""

    def happen(self, happening: int, slot: int, cause: int) -> None:
        super().happen(happening, slot, cause)
        if self.v.life[slot] & c.STATE_BITS == Life.VERIFYING:
            self.v.version[slot] = self.v.installed(slot)
            self.put(slot, Life.UPGRADED, Health.HEALTHY)


class AnotherDisk(Kernel):
    """A restore brings back the target."""

    def happen(self, happening: int, slot: int, cause: int) -> None:
        super().happen(happening, slot, cause)
        if self.v.life[slot] & c.STATE_BITS == Life.RESTORED:
            self.v.version[slot] = self.v.link[self.v.set_of(slot) * c.LINK + c.LINK_TARGET]


class AnotherRestore(Kernel):
    """A restore is commanded to the target."""

    def happen(self, happening: int, slot: int, cause: int) -> None:
        super().happen(happening, slot, cause)
        if self.v.life[slot] & c.STATE_BITS == Life.RESTORING:
            self.v.version[slot] = self.v.link[self.v.set_of(slot) * c.LINK + c.LINK_TARGET]


class NoProtection(Kernel):
    """Protected instances are started like others."""

    def classify(self, s: int, slots: Any, reached: Any, more: Any, excluding: int, failed: bool, cause: int) -> None:
        super().classify(s, slots, reached, more, 0, failed, cause)


class ManualRestores(Kernel):
    """Rollback is on in manual rollouts too."""

    def happen(self, happening: int, slot: int, cause: int) -> None:
        self.v.option[self.v.set_of(slot)] |= c.ROLLBACK
        super().happen(happening, slot, cause)


class Miscounts(Kernel):
    """Whoever turns unhealthy is counted twice."""

    def put(self, slot: int, state: int, health: int) -> None:
        super().put(slot, state, health)
        self.v.tally[self.v.set_of(slot) * c.TALLY + c.TALLY_BAD] += health == Health.UNHEALTHY


class NeverEnds(Kernel):
    """An attempt with nothing pending goes on."""

    def end(self, s: int, status: int, code: int) -> None:
        if status != c.COMPLETED:
            super().end(s, status, code)


class EndsEarly(Kernel):
    """An attempt is completed after its first batch."""

    def review_hold(self, s: int) -> None:
        if self.v.tally[s * c.TALLY + Life.UPGRADED]:
            self.end(s, c.COMPLETED, c.NO_ERROR)


class TakesLateAnswers(Kernel):
    """An answer counts whichever command it answers."""

    def answer(self, slot: int, state: int, what: int, attempt: int, answers: int) -> int:
        s = self.v.set_of(slot)
        do = {Life.REPLACING: 1, Life.CONFIGURING: 2, Life.RESTORING: 3}.get(Life(state), 0)
        return super().answer(slot, state, what, self.v.link[s * c.LINK + c.LINK_ATTEMPT], do)


class NoWindows(Kernel):
    """Neither windows, delays, pauses between batches nor pauses keep a batch."""

    def standing(self, s: int) -> int:
        return super().standing(s) & ~(c.WINDOW_SHUT | c.NOT_BEFORE | c.IS_PAUSED)


class AnyNumber(Kernel):
    """Phase ordering numbers go in any order."""

    def is_candidate(self, bucket: int, number: int, lately: int) -> bool:
        return bool(self.v.wait[bucket * c.WAIT + c.WAIT_PENDING])


class NoGroups(Kernel):
    """Groups are never full."""

    def room(self, s: int) -> int:
        return UNBOUNDED

    def is_crowded(self, s: int) -> bool:
        return False

    def in_cell(self, s: int, cell: int) -> int:
        return super().in_cell(s, cell) & ~c.GROUP_FULL


class FailsAtOnce(Kernel):
    """Whoever is to be restored is failed instead."""

    def happen(self, happening: int, slot: int, cause: int) -> None:
        self.v.option[self.v.set_of(slot)] &= ~c.ROLLBACK
        super().happen(happening, slot, cause)


class FaultsForNothing(Kernel):
    """An attempt is faulted where it should be completed."""

    def end(self, s: int, status: int, code: int) -> None:
        if status == c.COMPLETED:
            status, code = c.FAULTED, c.TOO_MANY_UNHEALTHY
        super().end(s, status, code)


class HaltsForNothing(Kernel):
    """A rollout is halted where it should be completed."""

    def end_rollout(self, rollout: int, course: int) -> None:
        super().end_rollout(rollout, c.RO_HALTED if course == c.RO_COMPLETED else course)


class FaultsForNobody(Kernel):
    """A rollout without phases is completed whatever became of its attempts."""

    def end_rollout(self, rollout: int, course: int) -> None:
        super().end_rollout(rollout, c.RO_COMPLETED if course == c.RO_FAULTED else course)


class CompletesWhateverComes(Kernel):
    """The end of a batch is not looked at."""

    def between_batches(self, s: int) -> None:
        self.v.mark[s] &= ~c.BATCHING
        super().between_batches(s)


BENT: Sequence[tuple[type[Kernel], str, Promise, str]] = [
    (NoPairs, "pairs", Promise.PAIRS_APART, "at work: eastus, westus"),
    (NoZones, "zones", Promise.CELLS_APART, "eastus/db holds eastus/1; eastus/web holds eastus/2"),
    (NoPhases, "pairs_in_phases", Promise.PHASES_IN_ORDER, "eastus/web of phase 1 starts, and phase 0 is the open one"),
    (LargeBatches, "set_of_three", Promise.BATCH_WITHIN_CAP, "2 start in eastus/web: at most 1 of 3 may (20 %)"),
    (
        NoHealthGate,
        "health_gate_before",
        Promise.HEALTHY_ENOUGH,
        "2 of 3 in eastus/web are not healthy, more than 40 %, and a batch starts",
    ),
    (
        NoUpgradedGate,
        "set_of_three",
        Promise.NOT_AFTER_THE_END,
        "1 of 1 in eastus/web turned out bad, of 20 % that may, and a batch starts",
    ),
    (EarlyHealth, "set_of_one", Promise.PROMOTED_BY_HEALTH, "eastus/web/0 upgraded on 2.0.0"),
    (AnotherDisk, "rollback", Promise.OWN_DISK_BACK, "restored on 2.0.0"),
    (NoProtection, "protection", Promise.TARGET_UNTOUCHED, "a batch to 2.0.0 takes eastus/web/1 (pending, 1.0.0)"),
    (ManualRestores, "manual", Promise.MANUAL_NEVER_RESTORES, "restoring on 1.0.0"),
    (Miscounts, "set_of_one", Promise.COUNTS_ADD_UP, "eastus/web has 1 instances and counts 1 pending"),
    (AnotherRestore, "rollback", Promise.COMMANDS_AS_RECORDED, "restoring on 2.0.0"),
    (NeverEnds, "batch_cap", Promise.EVERY_ROLLOUT_ENDS, "rollout 0 still runs, and nothing is left that must happen"),
    (EndsEarly, "healthy_environment", Promise.EVERYONE_UPGRADED, "not on the target at the end: "),
    (NeverEnds, "set_of_two", Promise.SMALL_SETS_END, "rollout 0 still runs, and nothing is left that must happen"),
    (TakesLateAnswers, "late_reports", Promise.LATE_MOVES_NOTHING, "eastus/web/1"),
    (NoWindows, "windows", Promise.NOT_BEFORE_ITS_TIME, "is outside its window, and a batch starts"),
    (NoWindows, "cancel", Promise.NOT_BEFORE_ITS_TIME, "eastus/web is delayed, and a batch starts"),
    (NoWindows, "pause_and_resume", Promise.NOT_BEFORE_ITS_TIME, " is delayed, and a batch starts"),
    (NoWindows, "pause_between_batches", Promise.NOT_BEFORE_ITS_TIME, "eastus/web is paused, and a batch starts"),
    (AnyNumber, "phase_ordering", Promise.LOWER_NUMBERS_FIRST, "of a lower phase ordering number"),
    (AnyNumber, "service_fabric", Promise.DOMAINS_FINISHED, "was begun and is not finished"),
    (NoGroups, "group_of_instances", Promise.GROUPS_WITHIN_LIMITS, "at most 1 instances of eastus/db, northus/db"),
    (NoGroups, "group_of_cells", Promise.GROUPS_WITHIN_LIMITS, "at most 1 cells of eastus/-, northus/-"),
    (NoGroups, "group_of_sets", Promise.GROUPS_WITHIN_LIMITS, "at most 1 sets of eastus/front, northus/front"),
    (FailsAtOnce, "set_of_one", Promise.LIVES_AS_WRITTEN, "eastus/web/0 failed on"),
    (FaultsForNothing, "set_of_one", Promise.STOPPED_FOR_A_REASON, "eastus/web is faulted (MaxUnhealthyInstance"),
    (HaltsForNothing, "set_of_one", Promise.STOPPED_FOR_A_REASON, "eastus/web is completed with 1 upgraded"),
    (FaultsForNobody, "manual_tries_again", Promise.STOPPED_FOR_A_REASON, "eastus/web is faulted (MaxUnhealthy"),
    (CompletesWhateverComes, "set_of_one", Promise.STOPPED_FOR_A_REASON, "completed with 1 restored, 0 not healthy"),
]


def bent(kernel: type[Kernel], name: str, *promises: Promise) -> Result:
    """Return what a library scenario comes to on a bent kernel, these promises asked for alone."""
    scenario = load_scenario(LIBRARY / f"{name}.yaml")
    return verify(evolve(scenario, promises=frozenset(promises), sometimes=(), claims=()), kernel=kernel)


@pytest.mark.parametrize(("kernel", "name", "promise", "evidence"), BENT)
def test_a_bent_rule_breaks_its_promise(kernel: type[Kernel], name: str, promise: Promise, evidence: str) -> None:
    """The explorer finds it, names the promise, and shows by which numbers at the end of the way there."""
    result = bent(kernel, name, promise)
    assert result.broken is not None
    assert result.trace is not None
    assert ("violated", int(promise), promise.sentence) == (
        result.verdict,
        result.broken.number,
        result.broken.sentence,
    )
    assert evidence in result.trace.evidence
    assert len(story(result.trace)) == len(result.trace.steps)
    assert [("verdict", "holds", "violated")] == [row for row in result.disagreements if row[0] == "verdict"]


def test_every_promise_is_broken_by_one() -> None:
    """No promise is kept by all kernels that there are: each says something."""
    assert set(Promise) == {promise for _, _, promise, _ in BENT}


def test_promises_that_are_not_asked_for_do_not_end_a_run() -> None:
    """Only what is asked for is judged: a kernel that breaks one promise keeps another."""
    result = bent(NoHealthGate, "health_gate_before", *(set(Promise) - {Promise.HEALTHY_ENOUGH}))
    assert ("holds", None) == (result.verdict, result.broken)
