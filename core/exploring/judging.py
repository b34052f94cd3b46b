"""Whether one act keeps the promises: what must hold before a start, and in what every act leads to.

Nothing here asks the kernel or its counters: lives, healths and versions are counted anew, and limits come from
`promises.Meant`. Each function returns the number of the promise that is broken, 0 if none is; only those that the
subject asks for count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.phases import Phases
from phasegate.core.exploring.promises import BACK, LED, UNSAID, Meant, Promise, version_ranks
from phasegate.core.exploring.subject import NOW
from phasegate.core.lifecycle import COMMANDS, IN_FLIGHT, Do, Life
from phasegate.core.model import Health
from phasegate.core.roster import PROTECTED, SKIPPED

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from phasegate.core.exploring.subject import Open, Subject
    from phasegate.core.views import Views

KEPT: Final = 0
BEGUN: Final = (*IN_FLIGHT, Life.UPGRADED, Life.RESTORED, Life.FAILED)
NEW_HEALTH: Final = {
    Life.CONFIGURING: Health.INITIALIZING,
    Life.RESTORED: Health.INITIALIZING,
    Life.FAILED: Health.UNKNOWN,
}
"""What an instance's health is once it has come there (section 7), whatever was reported before."""
_UNMOVED: Final = (Act.LATE, Act.DUPLICATE)
_ABOUT_ONE: Final = (Act.ANSWER, Act.FAIL, Act.HEALTHY, Act.DEADLINE, Act.REMOVE)


Move = tuple[int, int, int, int]


class Explored(Protocol):
    """What is judged: an explorer with one state laid open."""

    subject: Subject
    open: Open
    v: Views
    kernel: Any
    slots: int
    sets: int
    rollouts: int
    book: int
    ghost: list[int]
    became: Counter[tuple[Life, Life, bool]]


class Judge:
    """Judges the acts of one explorer."""

    def __init__(self, explorer: Explored) -> None:
        self.of = explorer
        self.v = explorer.v
        self.asked = explorer.subject.promises
        self.meant = Meant.of(explorer.open)
        self.members: list[list[int]] = [[] for _ in range(explorer.sets)]
        for slot in range(explorer.slots):
            self.members[self.v.set_of(slot)].append(slot)
        self._lives = b""
        self._facts: tuple[bytes, ...] = ()
        self._ghosts: list[int] = []
        self.phases = Phases(self)

    def _first(self, *broken: Iterator[Promise]) -> int:
        """Return the lowest of the broken promises that are asked for."""
        return min((promise for some in broken for promise in some if promise in self.asked), default=KEPT)

    # --- counting ----------------------------------------------------------------------------------------------------

    def _state(self, slot: int) -> int:
        return int(self.v.life[slot] & c.STATE_BITS)

    def _is_bad(self, slot: int) -> bool:
        return self.v.life[slot] >> c.HEALTH_SHIFT in (Health.UNHEALTHY, Health.UNKNOWN)

    def _present(self, s: int) -> list[int]:
        return [slot for slot in self.members[s] if self._state(slot) != Life.GONE]

    def _flying(self, s: int) -> list[int]:
        return [slot for slot in self.members[s] if self._state(slot) in IN_FLIGHT]

    def _gate_is_broken(self, s: int) -> bool:
        """Return whether the after-batch gate is broken (section 7): rolled back is bad, healthy again or not."""
        undone = sum(self._state(slot) in (Life.RESTORED, Life.FAILED) for slot in self.members[s])
        upgraded = [slot for slot in self.members[s] if self._state(slot) == Life.UPGRADED]
        bad = undone + sum(self._is_bad(slot) for slot in upgraded)
        percent, of_set = self.meant.percent[s * 4 + 2], self.meant.percent[s * 4 + 3]
        return 100 * bad > percent * (len(self._present(s)) if of_set else undone + len(upgraded))

    def _targets(self) -> list[int]:
        return self.of.open.targets(self.of.book)

    def _target_of(self, slot: int) -> int:
        return self._targets()[self.v.link[self.v.set_of(slot) * c.LINK + c.LINK_ROLLOUT]]

    def _ranks(self) -> list[int]:
        return version_ranks(self.of.open.books[self.of.book].versions)

    # --- before a start ----------------------------------------------------------------------------------------------

    def before(self, move: Move) -> int:
        """Judge whether a batch may start in the state that the arena holds; remember it for `after`."""
        self._lives = bytes(self.v.life)
        self._facts = self._all_but_purses()
        self.phases.remember()
        self._ghosts = list(self.of.ghost)
        act, s, bucket, part = move
        if act != Act.START:
            return KEPT
        slots = [slot for at, slot in enumerate(self.of.kernel.part(s, bucket)) if part >> at & 1]
        return self._first(self._of_set(s, slots), self._of_slots(s, slots), self._of_order(s, slots))

    def _of_set(self, s: int, slots: list[int]) -> Iterator[Promise]:
        v, link = self.v, s * c.LINK
        present = self._present(s)
        cap = max(1, min(len(present) * self.meant.percent[s * 4] // 100, len(present) - 1))
        well = sum(not self._is_bad(slot) for slot in slots)
        is_too_well = self.meant.shrinks and well > max(0, cap - sum(map(self._is_bad, present)))
        if len(slots) + len(self._flying(s)) > cap or (len(slots) > 1 and is_too_well):
            yield Promise.BATCH_WITHIN_CAP
        if 100 * sum(map(self._is_bad, present)) > self.meant.percent[s * 4 + 1] * len(present):
            yield Promise.HEALTHY_ENOUGH
        if v.status[s] not in (c.WAITING, c.ROLLING) or self._gate_is_broken(s):
            yield Promise.NOT_AFTER_THE_END
        rollout = v.link[link + c.LINK_ROLLOUT]
        if v.mark[s] & (c.SHUT | c.DELAYED | c.RESTING | c.CANCELLING) or v.trait[rollout] & c.PAUSED:
            yield Promise.NOT_BEFORE_ITS_TIME
        if v.trait[rollout] & c.PHASED and v.link[link + c.LINK_PHASE] > v.plan[rollout * c.PLAN + c.PLAN_PHASE]:
            yield Promise.PHASES_IN_ORDER

    def _of_slots(self, s: int, slots: list[int]) -> Iterator[Promise]:
        v = self.v
        rollout = v.link[s * c.LINK + c.LINK_ROLLOUT]
        ranks, target = self._ranks(), self._targets()[rollout]
        is_manual = v.trait[rollout] & c.MANUAL
        for slot in slots:
            is_reached = ranks[v.version[slot]] >= ranks[target] and not v.flag[slot] & c.BROKEN
            is_excluded = v.flag[slot] & (PROTECTED | SKIPPED | c.REFUSED)
            if not is_manual and v.failed[slot] == target:
                is_excluded = True
            if self._state(slot) != Life.PENDING or is_reached or is_excluded:
                yield Promise.TARGET_UNTOUCHED

    def _of_order(self, s: int, slots: list[int]) -> Iterator[Promise]:
        """Judge that lower phase ordering numbers go first, and begun upgrade domains are finished."""
        pending = [slot for slot in self.members[s] if self._state(slot) == Life.PENDING]
        number = self.meant.numbers[slots[0]]
        if any(self.meant.numbers[slot] < number for slot in pending):
            yield Promise.LOWER_NUMBERS_FIRST
        if not self.meant.fabric[s]:
            return
        begun = {self.meant.domains[slot] for slot in self.members[s] if self._state(slot) in BEGUN}
        left = {self.meant.domains[slot] for slot in pending if self.meant.numbers[slot] == number}
        if self.meant.domains[slots[0]] not in begun and begun & left:
            yield Promise.DOMAINS_FINISHED

    # --- after an act ------------------------------------------------------------------------------------------------

    def after(self, move: Move) -> int:
        """Judge what the act has led to, which the arena holds now."""
        return self._first(
            self._moved_nothing(move),
            self._lived(move),
            self._led(move),
            self._stopped(),
            self.phases.judged(move[0]),
            *self._of_state(),
        )

    def _all_but_purses(self) -> tuple[bytes, ...]:
        v = self.v
        return tuple(bytes(column) for column in (v.life, v.flag, v.version, v.failed, v.status, v.mark, v.course))

    def _moved_nothing(self, move: Move) -> Iterator[Promise]:
        is_late = move[0] in _UNMOVED or (move[0] == Act.STALE and not move[3])
        if is_late and self._all_but_purses() != self._facts:
            yield Promise.LATE_MOVES_NOTHING

    def _lived(self, move: Move) -> Iterator[Promise]:
        for slot in range(self.of.slots):
            was, now = self._lives[slot] & c.STATE_BITS, self._state(slot)
            if was != now:
                self.of.became[Life(was), Life(now), move[0] == Act.DEADLINE] += 1
                yield from self._became(slot, was, now, move)

    def _became(self, slot: int, was: int, now: int, move: Move) -> Iterator[Promise]:
        v = self.v
        if now == Life.UPGRADED and (was != Life.VERIFYING or move[:2] != (Act.HEALTHY, slot)):
            yield Promise.PROMOTED_BY_HEALTH
        if now in IN_FLIGHT and was not in IN_FLIGHT:
            if move[0] != Act.START:
                yield Promise.TARGET_UNTOUCHED
            elif now != Life.REPLACING:
                yield Promise.LIVES_AS_WRITTEN
        if now == Life.RESTORING and v.trait[v.link[v.set_of(slot) * c.LINK + c.LINK_ROLLOUT]] & c.MANUAL:
            yield Promise.MANUAL_NEVER_RESTORES
        if now == Life.RESTORED and v.version[slot] != self._ghosts[slot]:
            yield Promise.OWN_DISK_BACK
        if now in NEW_HEALTH and v.life[slot] >> c.HEALTH_SHIFT != NEW_HEALTH[Life(now)]:
            yield Promise.LIVES_AS_WRITTEN
        if now in NEW_HEALTH and v.observed_at(slot) < NOW - 1:  # a report from before would count
            yield Promise.LIVES_AS_WRITTEN

    def _led(self, move: Move) -> Iterator[Promise]:
        """Judge that what happens to an instance leads where it should (section 8)."""
        act, slot, v = move[0], move[1], self.v
        if act not in _ABOUT_ONE:
            return
        to = LED[act * 16 + (self._lives[slot] & c.STATE_BITS)]
        if to == BACK:
            s = v.set_of(slot)
            is_manual = v.trait[v.link[s * c.LINK + c.LINK_ROLLOUT]] & c.MANUAL
            to = Life.RESTORING if self.meant.restores[s] and not is_manual else Life.FAILED
        if to not in (UNSAID, self._state(slot)):
            yield Promise.LIVES_AS_WRITTEN

    def _stopped(self) -> Iterator[Promise]:
        """Judge that an attempt faults where a gate says so (section 7)."""
        v, status = self.v, self._facts[-3]
        for s in range(self.of.sets):
            if status[s] in (c.WAITING, c.ROLLING) and v.status[s] in (c.COMPLETED, c.FAULTED):
                was_flying = any(self._lives[slot] & c.STATE_BITS in IN_FLIGHT for slot in self.members[s])
                if (v.code[s] if v.status[s] == c.FAULTED else c.NO_ERROR) not in self._codes(
                    s, status[s] == c.WAITING, was_flying
                ):
                    yield Promise.STOPPED_FOR_A_REASON

    def _codes(self, s: int, is_first: bool, was_flying: bool) -> list[int]:
        """Return the codes that an attempt which has ended by itself may have."""
        present, found = self._present(s), []
        if self._gate_is_broken(s):
            found.append(c.TOO_MANY_UPGRADED_UNHEALTHY)
        if 100 * sum(map(self._is_bad, present)) > self.meant.percent[s * 4 + 1] * len(present):
            found.append(c.TOO_MANY_UNHEALTHY_BEFORE if is_first else c.TOO_MANY_UNHEALTHY)
        if not (was_flying and c.TOO_MANY_UPGRADED_UNHEALTHY in found):
            found.append(c.NO_ERROR)
        return found

    # --- where a run ends --------------------------------------------------------------------------------------------

    def end(self, *, is_benign: bool) -> int:
        """Judge the state that the arena holds as one in which runs end (liveness 13 to 15)."""
        return self._first(self._at_end(is_benign))

    def _at_end(self, is_benign: bool) -> Iterator[Promise]:
        v = self.v
        if any(v.course[at] == c.RUNNING for at in range(self.of.rollouts)):
            yield Promise.EVERY_ROLLOUT_ENDS
            if all(self.meant.small[s] for s in range(self.of.sets)):
                yield Promise.SMALL_SETS_END
            return
        if not is_benign:
            return
        for slot in range(self.of.slots):
            is_left = self._state(slot) == Life.PENDING and not v.flag[slot] & c.TOO_LATE
            if v.status[v.set_of(slot)] == c.NONE:
                continue
            is_elsewhere = self._state(slot) == Life.UPGRADED and v.version[slot] != self._target_of(slot)
            if is_left or is_elsewhere or self._state(slot) in (Life.RESTORED, Life.FAILED):
                yield Promise.EVERYONE_UPGRADED

    # --- any state ---------------------------------------------------------------------------------------------------

    def state(self) -> int:
        """Judge the state that the arena holds, however it came about."""
        return self._first(*self._of_state())

    def _of_state(self) -> tuple[Iterator[Promise], ...]:
        return (
            self._regions(),
            self._cells(),
            self._places(),
            self._counts(),
            self._commands(),
            self._groups(),
        )

    def _regions(self) -> Iterator[Promise]:
        v = self.v
        at_work = {v.link[s * c.LINK + c.LINK_REGION] for s in range(self.of.sets) if v.status[s] == c.ROLLING}
        count = len(self.of.open.work.compiled.directory.regions)
        if any(self.meant.pairs[one * count + other] for one in at_work for other in at_work):
            yield Promise.PAIRS_APART

    def _holds(self) -> list[int]:
        v = self.v
        holds = [v.link[s * c.LINK + c.LINK_HOLD] for s in range(self.of.sets)]
        return [cell for cell in holds if cell >= 0]

    def _cells(self) -> Iterator[Promise]:
        holds, count = self._holds(), self.of.open.rows["cell"]
        if any(self.meant.conflicts[one * count + other] for one in holds for other in holds):
            yield Promise.CELLS_APART
        for s in range(self.of.sets):
            hold = self.v.link[s * c.LINK + c.LINK_HOLD]
            if not self.meant.cross_zone[s] and any(self.v.cell_of(slot) != hold for slot in self._flying(s)):
                yield Promise.CELLS_APART

    def _places(self) -> Iterator[Promise]:
        for s in range(self.of.sets):
            domains = {self.meant.domains[slot] for slot in self._flying(s)}
            if len(domains) > 1:
                yield Promise.BATCH_WITHIN_CAP

    def _counts(self) -> Iterator[Promise]:
        v = self.v
        for s in range(self.of.sets):
            tally = s * c.TALLY
            lives = [self._state(slot) for slot in self._present(s)]
            done = v.tally[tally + Life.UPGRADED] + v.tally[tally + Life.RESTORED] + v.tally[tally + Life.FAILED]
            left = v.tally[tally + Life.PENDING] + v.tally[tally + Life.CURRENT] + v.tally[tally + Life.EXCLUDED]
            bad = sum(map(self._is_bad, self._present(s)))
            if done + left + v.tally[tally + c.TALLY_FLIGHT] != len(lives) or v.tally[tally + c.TALLY_BAD] != bad:
                yield Promise.COUNTS_ADD_UP
            if any(v.tally[tally + life] != lives.count(life) for life in list(Life)[: Life.GONE]):
                yield Promise.COUNTS_ADD_UP
            late = sum(v.flag[slot] & c.TOO_LATE and self._state(slot) == Life.PENDING for slot in self.members[s])
            if v.tally[tally + c.TALLY_TOO_LATE] != late:
                yield Promise.COUNTS_ADD_UP
        holds = self._holds()
        if any(v.holds[cell] != holds.count(cell) for cell in range(self.of.open.rows["cell"])):
            yield Promise.COUNTS_ADD_UP
        at_work = [v.link[s * c.LINK + c.LINK_REGION] for s in range(self.of.sets) if v.status[s] == c.ROLLING]
        if any(v.working[region] != at_work.count(region) for region in range(self.of.open.rows["region"])):
            yield Promise.COUNTS_ADD_UP

    def _commands(self) -> Iterator[Promise]:
        """Judge that an open command names the recorded version: the rollout's target, or what the instance had."""
        v, targets = self.v, self._targets()
        for slot in range(self.of.slots):
            state = self._state(slot)
            if state not in COMMANDS:
                continue
            link = v.set_of(slot) * c.LINK
            if COMMANDS[Life(state)] is Do.RESTORE:
                is_recorded = v.version[slot] == self.of.ghost[slot]
            else:
                is_recorded = v.link[link + c.LINK_TARGET] == targets[v.link[link + c.LINK_ROLLOUT]]
            if not is_recorded:
                yield Promise.COMMANDS_AS_RECORDED

    def _groups(self) -> Iterator[Promise]:
        v = self.v
        holds = set(self._holds())
        for g, (counts, limit, members) in enumerate(self.meant.groups):
            if counts == "cells":
                used = sum(bool(members[cell]) for cell in holds)
            elif counts == "sets":
                used = sum(bool(members[s]) and v.status[s] == c.ROLLING for s in range(self.of.sets))
            else:
                used = sum(len(self._flying(s)) for s in range(self.of.sets) if members[s])
            if used > limit:
                yield Promise.GROUPS_WITHIN_LIMITS
            if g < self.of.open.rows["group"] and v.used[g] != used:
                yield Promise.COUNTS_ADD_UP
