"""What one event does, and how the fleet settles after it.

An event changes instances, marks and rollouts; `settle` then brings everything to a fixed point in the order of the
semantics (section 8): gates of batches that have ended, completion, gates of batches that could start, ends of phases,
ends of rollouts. Every function assumes that its event has been checked.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from phasegate.core import codes as c
from phasegate.core.lifecycle import Do, Happening, Life
from phasegate.core.model import Health
from phasegate.core.picks import Picks
from phasegate.core.twin.counters import NEVER
from phasegate.core.twin.selector import Selector

OPEN_COMMAND = {Life.REPLACING: Do.REPLACE, Life.CONFIGURING: Do.CONFIGURE, Life.RESTORING: Do.RESTORE}
ANSWERS = {4: Happening.DISK_REPLACED, 5: Happening.CONFIGURED, 6: Happening.STEP_FAILED}
ANSWERS |= {7: Happening.DISK_RESTORED, 8: Happening.RESTORE_FAILED}


class Stepper(Selector):
    """Everything that changes the state."""

    # --- one instance ------------------------------------------------------------------------------------------------

    def happen(self, happening: int, slot: int, cause: int) -> None:
        """Let the life-cycle table act on one instance, and do what the new state brings with it (section 8)."""
        v = self.v
        before = v.life[slot] & c.STATE_BITS
        health = v.life[slot] >> c.HEALTH_SHIFT
        s = v.set_of(slot)
        without_rollback = 0 if v.option[s] & c.ROLLBACK else 256
        to = self.statics.life_table[without_rollback + happening * 16 + before]
        target = v.link[s * c.LINK + c.LINK_TARGET]
        wrote = c.WROTE_DEADLINE
        v.deadline[slot] = 0
        if to == Life.REPLACING:
            self.set_deadline(slot, self.now + self.statics.step_timeout_ms)
        elif to == Life.CONFIGURING:
            self.set_deadline(slot, self.now + self.statics.step_timeout_ms)
            health = self.forget_health(slot, Health.INITIALIZING)
        elif to == Life.VERIFYING:
            self.set_deadline(slot, self.now + self.statics.health_timeout_ms)
        elif to == Life.RESTORING:
            self.set_deadline(slot, self.now + self.statics.step_timeout_ms)
            if before != Life.REPLACING and v.version[slot] != target:
                v.flag[slot] |= c.SWAPPED
                wrote |= c.WROTE_FLAG
            if happening == Happening.DEADLINE_PASSED and before != Life.VERIFYING:
                v.flag[slot] |= c.UNANSWERED
                wrote |= c.WROTE_FLAG
        elif to == Life.UPGRADED:
            v.version[slot] = target
            v.flag[slot] &= ~c.BROKEN
            wrote |= c.WROTE_VERSION | c.WROTE_FLAG
        elif to == Life.RESTORED:
            v.flag[slot] &= ~(c.BROKEN | c.SWAPPED | c.UNANSWERED)
            wrote |= c.WROTE_FLAG
            self.remember_failure(s, slot)
            health = self.forget_health(slot, Health.INITIALIZING)
        elif to == Life.FAILED:
            is_unknown = happening == Happening.DEADLINE_PASSED and before != Life.VERIFYING  # nobody has answered
            v.version[slot] = 0 if is_unknown or v.flag[slot] & c.UNANSWERED else v.installed(slot)
            if before == Life.RESTORING:
                v.tally[s * c.TALLY + c.TALLY_UNRESTORED] += 1
            v.flag[slot] = v.flag[slot] & ~(c.SWAPPED | c.UNANSWERED) | c.BROKEN
            wrote |= c.WROTE_VERSION | c.WROTE_FLAG
            self.remember_failure(s, slot)
            health = self.forget_health(slot, Health.UNKNOWN)
        else:  # gone: the table leads nowhere else
            v.version[slot] = v.installed(slot)
            wrote |= c.WROTE_VERSION
            if before == Life.PENDING and v.flag[slot] & c.TOO_LATE:
                v.tally[s * c.TALLY + c.TALLY_TOO_LATE] -= 1
            elif before == Life.RESTORING:
                v.flag[slot] &= ~c.SWAPPED
                wrote |= c.WROTE_FLAG
        v.touch_slot(slot, wrote)
        self.put(slot, to, health)
        self.record_slot(c.T_BECAME, s, to, cause, slot)

    def forget_health(self, slot: int, health: int) -> int:
        """Make reports observed before now stale; return the health that the instance has instead."""
        if self.v.observed_at(slot) < self.now - 1:
            self.v.observe(slot, self.now - 1)
            self.v.touch_slot(slot, c.WROTE_OBSERVED)
        return health

    def remember_failure(self, s: int, slot: int) -> None:
        """Remember that the target failed on this instance (section 2)."""
        failed = self.v.failed
        target = self.v.link[s * c.LINK + c.LINK_TARGET]
        if failed[slot] not in (0, target):
            self.record(c.T_FAILED_MORE, slot, failed[slot])
        failed[slot] = target
        self.v.touch_slot(slot, c.WROTE_FAILED)

    # --- batches -----------------------------------------------------------------------------------------------------

    def start(self, s: int, bucket: int, slots: Sequence[int]) -> None:
        """Start a batch that is legal: its first candidate's bucket gives the cell and the upgrade domain."""
        v = self.v
        link = s * c.LINK
        if not v.option[s] & c.CROSS_ZONE and v.link[link + c.LINK_HOLD] < 0:
            v.link[link + c.LINK_HOLD] = v.site[bucket * c.SITE + c.SITE_CELL]
            v.touch_set(s, c.WROTE_LINK)
            self.hold(v.link[link + c.LINK_HOLD])
        if v.status[s] == c.WAITING:
            v.status[s] = c.ROLLING
            v.clock[s * c.CLOCK + c.CLOCK_BEGAN] = self.now
            v.touch_set(s, c.WROTE_STATUS | c.WROTE_CLOCK)
            self.work(s, 1)
        v.mark[s] |= c.BATCHING
        v.tally[s * c.TALLY + c.TALLY_BATCHES] += 1
        v.touch_set(s, c.WROTE_MARK | c.WROTE_TALLY)
        if v.option[s] & c.FABRIC:
            self.begin_domain(s, bucket)
        self.record(c.T_STARTED, s, bucket, len(slots), *slots)
        for slot in slots:
            self.happen(Happening.BATCH_STARTS, slot, c.BY_BATCH)
        self.touch(s)

    def start_all(self, heads: array[int], slots: array[int]) -> None:
        """Start the batches of `Picks`, each legal after the ones before it."""
        for s, bucket, some in Picks(heads, slots):
            self.start(s, bucket, some)

    def begin_domain(self, s: int, bucket: int) -> None:
        """Mark the upgrade domain number as the one begun last, in every cell: it is finished before any other."""
        v = self.v
        domain = v.site[bucket * c.SITE + c.SITE_DOMAIN]
        latest = max(v.begun[other] for other in self.buckets(s))
        if latest and v.begun[bucket] == latest:
            return
        for other in self.buckets(s):
            if v.site[other * c.SITE + c.SITE_DOMAIN] == domain:
                v.begun[other] = min(latest + 1, c.LATELY_MAX)
            elif latest == c.LATELY_MAX and v.begun[other] > 1:
                v.begun[other] -= 1  # the number is used up: the others move back, the earliest fall together
            v.touch_bucket(other, c.WROTE_BEGUN)

    # --- reports -----------------------------------------------------------------------------------------------------

    def signals(
        self,
        slots: Sequence[int],
        what: Sequence[int],
        observed_at: Sequence[int],
        attempt: Sequence[int],
        answers: Sequence[int],
    ) -> None:
        """Apply reports in their order; those that do not belong leave the state as it is (section 8)."""
        for at, slot in enumerate(slots):
            if what[at] <= Health.INITIALIZING:
                self.report(slot, what[at], observed_at[at], attempt[at], answers[at])
            elif slot in self.commanded:  # by this very step: not recorded yet, so nobody can answer it (section 10)
                self.record_slot(c.T_IGNORED, self.v.set_of(slot), what[at], c.LATE, slot)
            else:
                before = self.v.life[slot]
                self.report(slot, what[at], observed_at[at], attempt[at], answers[at])
                self.note_command(slot, before)

    def report(self, slot: int, what: int, observed_at: int, attempt: int, answers: int) -> None:
        """Apply one report, in a step that has given its instance no command."""
        state = self.v.life[slot] & c.STATE_BITS
        if state == Life.GONE:
            why = c.IS_GONE
        elif what <= Health.INITIALIZING:
            why = self.hear(slot, state, what, observed_at)
        else:
            why = self.answer(slot, state, what, attempt, answers)
        if why:
            self.record_slot(c.T_IGNORED, self.v.set_of(slot), what, why, slot)

    def note_command(self, slot: int, before: int) -> None:
        """Note that the step has given the instance a command: its state is not that of `before`, and is under one."""
        state = self.v.life[slot] & c.STATE_BITS
        if state != before & c.STATE_BITS and state in (Life.CONFIGURING, Life.RESTORING):
            self.commanded.add(slot)

    def hear(self, slot: int, state: int, health: int, observed_at: int) -> int:
        """Take a health report; return why it is ignored, 0 if it is not."""
        v = self.v
        latest = v.observed_at(slot)
        if observed_at <= latest:
            return c.DUPLICATE if observed_at == latest else c.STALE
        v.observe(slot, observed_at)
        v.touch_slot(slot, c.WROTE_OBSERVED)
        self.put(slot, state, health)
        entered = self.deadline_of(slot) - self.statics.health_timeout_ms
        if health == Health.HEALTHY and state == Life.VERIFYING and observed_at >= entered:
            self.happen(Happening.HEALTHY, slot, c.BY_SIGNAL)
        return 0

    def answer(self, slot: int, state: int, what: int, attempt: int, answers: int) -> int:
        """Take the answer to a command; return why it is ignored, 0 if it is not."""
        if OPEN_COMMAND.get(Life(state), Do.NOTHING) != answers or not answers:
            return c.LATE
        s = self.v.set_of(slot)
        if attempt != self.v.link[s * c.LINK + c.LINK_ATTEMPT]:
            return c.LATE
        happening = ANSWERS[what]
        if self.statics.life_table[happening * 16 + state] == 255:
            return c.LATE
        self.happen(happening, slot, c.BY_SIGNAL)
        return 0

    # --- timers ------------------------------------------------------------------------------------------------------

    def time_of(self, kind: int, of: int) -> int:
        """Return when a timer of a set or a rollout falls due; 0 if it is not armed, or stands still while paused."""
        v = self.v
        if kind == c.TIMER_DEADLINE:
            return self.earliest(of)
        if kind == c.TIMER_BAKE:
            is_running = v.trait[of] & c.BAKING and not v.trait[of] & c.PAUSED
            return int(v.dial[of * c.DIAL + c.DIAL_BAKED]) if is_running else 0
        clock = of * c.CLOCK
        if kind == c.TIMER_WINDOW:
            return int(v.clock[clock + c.CLOCK_WINDOW])
        if kind == c.TIMER_DELAY:
            return int(v.clock[clock + c.CLOCK_DELAY]) if v.mark[of] & c.DELAYED else 0
        if not v.mark[of] & c.RESTING or v.trait[v.link[of * c.LINK + c.LINK_ROLLOUT]] & c.PAUSED:
            return 0
        return int(v.clock[clock + c.CLOCK_REST])

    def armed(self, rollout_count: int) -> list[tuple[int, int, int]]:
        """Return every armed timer: when it falls due, its kind, and whose it is."""
        of_sets = (c.TIMER_DEADLINE, c.TIMER_DELAY, c.TIMER_REST, c.TIMER_WINDOW)
        timers = [(kind, s) for s in range(self.set_count) for kind in of_sets]
        timers += [(c.TIMER_BAKE, rollout) for rollout in range(rollout_count)]
        return [(time, kind, of) for kind, of in timers if (time := self.time_of(kind, of))]

    def pass_deadlines(self, slots: Iterable[int]) -> None:
        """Let the deadlines of instances in flight pass."""
        for slot in slots:
            before = self.v.life[slot]
            self.happen(Happening.DEADLINE_PASSED, slot, c.BY_DEADLINE)
            self.note_command(slot, before)

    def pass_timer(self, s: int, mark: int) -> None:
        """Let a set's delay (`DELAYED`) or pause between batches (`RESTING`) pass."""
        self.v.mark[s] &= ~mark
        self.v.clock[s * c.CLOCK + (c.CLOCK_DELAY if mark == c.DELAYED else c.CLOCK_REST)] = 0
        self.v.touch_set(s, c.WROTE_MARK | c.WROTE_CLOCK)
        self.touch(s)

    def pass_bake(self, rollout: int) -> None:
        """Let a phase's bake time pass."""
        self.v.trait[rollout] &= ~c.BAKING
        self.v.dial[rollout * c.DIAL + c.DIAL_BAKED] = 0
        self.judge_phase(rollout)

    def set_window(self, s: int, is_open: bool) -> None:
        """Open or close the set's maintenance window."""
        if is_open:
            self.v.mark[s] &= ~c.SHUT
        else:
            self.v.mark[s] |= c.SHUT
        self.v.touch_set(s, c.WROTE_MARK)
        self.touch(s)

    # --- what people say ---------------------------------------------------------------------------------------------

    def pause(self, rollout: int) -> None:
        """Let no batch of the rollout start until it is resumed."""
        if self.v.course[rollout] == c.RUNNING and not self.v.trait[rollout] & c.PAUSED:
            self.v.trait[rollout] |= c.PAUSED
            self.v.dial[rollout * c.DIAL + c.DIAL_PAUSED] = self.now
            self.touch_all_of(rollout)

    def resume(self, rollout: int) -> None:
        """Let batches start again; pauses between batches and bake times have stood still meanwhile (section 9)."""
        v = self.v
        if not v.trait[rollout] & c.PAUSED or v.course[rollout] != c.RUNNING:
            return
        stood = self.now - v.dial[rollout * c.DIAL + c.DIAL_PAUSED]
        v.trait[rollout] &= ~c.PAUSED
        v.dial[rollout * c.DIAL + c.DIAL_PAUSED] = 0
        if v.trait[rollout] & c.BAKING:
            v.dial[rollout * c.DIAL + c.DIAL_BAKED] += stood
            self.record(c.T_ARMED, c.TIMER_BAKE, rollout)
        for s in self.attempts_of(rollout):
            if v.mark[s] & c.RESTING:
                v.clock[s * c.CLOCK + c.CLOCK_REST] += stood
                v.touch_set(s, c.WROTE_CLOCK)
                self.record(c.T_ARMED, c.TIMER_REST, s)
            self.touch(s)

    def cancel(self, rollout: int) -> None:
        """Let nothing of the rollout start any more; what is in flight finishes."""
        if self.v.course[rollout] == c.RUNNING:
            self.v.trait[rollout] |= c.STOPPING
            for s in self.attempts_of(rollout):
                self.cancel_attempt(s)
            self.unsettled.append(rollout)

    def cancel_attempt(self, s: int) -> None:
        """Let the attempt end as cancelled, at once or when what is in flight has finished."""
        self.v.mark[s] |= c.CANCELLING
        self.v.touch_set(s, c.WROTE_MARK)
        self.touch(s)

    def leave(self, s: int) -> None:
        """Take the set out of its rollout: it counts neither for nor against it (section 3)."""
        self.v.mark[s] |= c.LEFT
        self.cancel_attempt(s)

    def attempts_of(self, rollout: int) -> list[int]:
        """Return the sets whose attempt in the rollout has not ended, in order."""
        v = self.v
        return [
            s
            for s in range(self.set_count)
            if v.link[s * c.LINK + c.LINK_ROLLOUT] == rollout and v.status[s] in (c.WAITING, c.ROLLING)
        ]

    def touch_all_of(self, rollout: int) -> None:
        """Touch every set whose attempt in the rollout has not ended."""
        for s in self.attempts_of(rollout):
            self.touch(s)

    # --- attempts ----------------------------------------------------------------------------------------------------

    def classify(
        self,
        s: int,
        slots: Iterable[int],
        reached: Sequence[int],
        more: frozenset[int],
        excluding: int,
        excludes_failed: bool,
        cause: int,
    ) -> None:
        """Say of each instance whether it is current, excluded or pending for the set's target (sections 2 and 8).

        `reached` has a byte a version number: whether it is the target or newer; `more` are slots on which the target
        failed longer ago than the `failed` column tells; `excluding` are the flags that exclude. None of the instances
        is gone or in flight.
        """
        v = self.v
        target = v.link[s * c.LINK + c.LINK_TARGET]
        is_manual = bool(v.option[s] & c.MANUAL_SET)
        for slot in slots:
            life, flag = v.life[slot], v.flag[slot]
            state = life & c.STATE_BITS
            if reached[v.version[slot]] and not flag & c.BROKEN:
                to = Life.CURRENT
            elif flag & excluding or (
                excludes_failed and not is_manual and target and (v.failed[slot] == target or slot in more)
            ):
                to = Life.EXCLUDED
            else:
                to = Life.PENDING
            if to != state:
                self.put(slot, to, life >> c.HEALTH_SHIFT)
                self.record_slot(c.T_BECAME, s, to, cause, slot)

    def forget_marks(self, slots: Iterable[int]) -> None:
        """Let instances be judged anew by a new attempt: neither refused by a policy nor too late any more."""
        for slot in slots:
            if self.v.flag[slot] & (c.REFUSED | c.TOO_LATE):
                self.v.flag[slot] &= ~(c.REFUSED | c.TOO_LATE)
                self.v.touch_slot(slot, c.WROTE_FLAG)

    def end(self, s: int, status: int, code: int) -> None:
        """End the set's attempt; nothing of it is in flight."""
        v = self.v
        link = s * c.LINK
        rollout = v.link[link + c.LINK_ROLLOUT]
        self.let_go(s)
        if v.status[s] == c.ROLLING:
            self.work(s, -1)
        has_left = v.mark[s] & c.LEFT
        v.status[s] = status
        v.code[s] = code
        v.mark[s] = has_left
        for at in (c.CLOCK_DELAY, c.CLOCK_REST, c.CLOCK_WINDOW):
            v.clock[s * c.CLOCK + at] = 0
        v.touch_set(s, c.WROTE_STATUS | c.WROTE_CODE | c.WROTE_MARK | c.WROTE_CLOCK)
        plan = rollout * c.PLAN
        v.plan[plan + c.PLAN_ALIVE] -= 1
        if self.is_open(s):
            v.plan[plan + c.PLAN_OPEN] -= 1
        if status == c.FAULTED:
            v.plan[plan + c.PLAN_FAULTED] += 1
        elif status == c.CANCELLED and not has_left:
            v.plan[plan + c.PLAN_CANCELLED] += 1
        self.touch(s)
        self.record(c.T_ATTEMPT_ENDED, s, status, code)
        self.unsettled.append(rollout)

    # --- settling ----------------------------------------------------------------------------------------------------

    def settle(self) -> Picks:
        """Bring everything to a fixed point; return what `select` would start then."""
        while True:
            if self.ask is not None:
                self.touch_holders()
            self.look_at_touched()
            picks, ends = self.walk()
            for s, gates in ends:
                self.end_at_gate(s, gates)
            for s, bucket in self.refusals:
                self.refuse(s, bucket)
            if ends or self.touched_sets:  # a refusal that came to something has touched its set
                continue
            if not self.look_at_rollouts():
                return picks

    def touch_holders(self) -> None:
        """Touch every set that holds a cell: a user's policy may have changed its mind for any reason."""
        for s in range(self.set_count):
            if self.v.link[s * c.LINK + c.LINK_HOLD] >= 0:
                self.touch(s)

    def look_at_touched(self) -> None:
        """End batches, holds and attempts of the sets whose counts have changed, in order of the sets."""
        while self.touched_sets:
            sets = sorted(self.touched_sets)
            self.touched_sets = []
            for s in sets:
                self.touched[s] = 0
            for s in sets:
                if self.v.status[s] in (c.WAITING, c.ROLLING) and not self.v.tally[s * c.TALLY + c.TALLY_FLIGHT]:
                    self.between_batches(s)

    def between_batches(self, s: int) -> None:
        """Look at an attempt of which nothing is in flight: has it ended, is its hold over? (sections 6 and 7)."""
        v = self.v
        has_batch_ended = bool(v.mark[s] & c.BATCHING)
        if has_batch_ended:
            v.mark[s] &= ~c.BATCHING
            v.touch_set(s, c.WROTE_MARK)
        pending = v.tally[s * c.TALLY + Life.PENDING]
        if v.mark[s] & c.CANCELLING:
            self.end(s, c.CANCELLED, c.NO_ERROR)
        elif has_batch_ended and self.upgraded_gate_broken(s):
            self.end(s, c.FAULTED, c.TOO_MANY_UPGRADED_UNHEALTHY)
        elif not pending and self.is_open(s):
            self.end(s, c.COMPLETED, c.NO_ERROR)
        else:
            if has_batch_ended and v.clock[s * c.CLOCK + c.CLOCK_PAUSE]:
                self.rest(s)
            self.review_hold(s)

    def rest(self, s: int) -> None:
        """Arm the pause between batches; while the rollout is paused it stands still from its first moment on."""
        v = self.v
        rollout = v.link[s * c.LINK + c.LINK_ROLLOUT]
        since = v.dial[rollout * c.DIAL + c.DIAL_PAUSED] if v.trait[rollout] & c.PAUSED else self.now
        v.mark[s] |= c.RESTING
        v.clock[s * c.CLOCK + c.CLOCK_REST] = since + v.clock[s * c.CLOCK + c.CLOCK_PAUSE]
        v.touch_set(s, c.WROTE_MARK | c.WROTE_CLOCK)
        self.record(c.T_ARMED, c.TIMER_REST, s)

    def review_hold(self, s: int) -> None:
        """End the hold of an attempt that cannot go on in its cell for now (section 6)."""
        v = self.v
        cell = v.link[s * c.LINK + c.LINK_HOLD]
        if cell < 0:
            return
        is_paused = v.trait[v.link[s * c.LINK + c.LINK_ROLLOUT]] & c.PAUSED
        if is_paused or v.mark[s] & c.SHUT or not self.has_candidates_in(s, cell):
            self.let_go(s)

    def end_at_gate(self, s: int, gates: int) -> None:
        """End an attempt that could start a batch but must not: the first of the gates that says so gives the code."""
        if gates & c.NOT_ELIGIBLE:
            self.leave(s)
        elif gates & c.UPGRADED_UNHEALTHY:
            self.end(s, c.FAULTED, c.TOO_MANY_UPGRADED_UNHEALTHY)
        elif self.v.status[s] == c.WAITING:
            self.end(s, c.FAULTED, c.TOO_MANY_UNHEALTHY_BEFORE)
        else:
            self.end(s, c.FAULTED, c.TOO_MANY_UNHEALTHY)

    def refuse(self, s: int, bucket: int) -> None:
        """Do what a user's policy's `never` asks for: exclude those refused from a waiting attempt, end a begun one.

        It is asked again, as things are: what it said because of picks that a walk had only assumed was a wait.
        """
        if self.v.status[s] not in (c.WAITING, c.ROLLING):
            return
        candidates = self.candidates(s, bucket)
        answer, refused = self.ask(s, bucket, candidates) if self.ask is not None else (NEVER, candidates)
        if answer != NEVER:
            return
        if self.v.status[s] == c.ROLLING:
            self.end(s, c.CANCELLED, c.REFUSED_BY_POLICY)
        else:
            for slot in refused:
                self.v.flag[slot] |= c.REFUSED
                self.v.touch_slot(slot, c.WROTE_FLAG)
                self.put(slot, Life.EXCLUDED, self.v.life[slot] >> c.HEALTH_SHIFT)
                self.record_slot(c.T_BECAME, s, Life.EXCLUDED, c.BY_POLICY, slot)

    # --- phases and rollouts -----------------------------------------------------------------------------------------

    def note_rollout(self, rollout: int) -> None:
        """Note that the rollout may have ended."""
        self.unsettled.append(rollout)

    def look_at_rollouts(self) -> bool:
        """End the phases and rollouts whose attempts have all ended; return whether anything came of it."""
        rollouts = sorted(set(self.unsettled))
        self.unsettled = []
        v = self.v
        for rollout in rollouts:
            plan = rollout * c.PLAN
            if v.course[rollout] != c.RUNNING:
                continue
            if v.trait[rollout] & c.STOPPING:
                if not v.plan[plan + c.PLAN_ALIVE]:
                    self.end_rollout(rollout, c.RO_CANCELLED)
            elif v.trait[rollout] & c.PHASED:
                if not v.plan[plan + c.PLAN_OPEN] and not v.trait[rollout] & c.BAKING:
                    self.end_phase(rollout)
            elif not v.plan[plan + c.PLAN_ALIVE]:
                if v.plan[plan + c.PLAN_FAULTED]:
                    self.end_rollout(rollout, c.RO_FAULTED)
                elif v.plan[plan + c.PLAN_CANCELLED]:
                    self.end_rollout(rollout, c.RO_CANCELLED)
                else:
                    self.end_rollout(rollout, c.RO_COMPLETED)
        return bool(self.touched_sets or self.unsettled)

    def end_phase(self, rollout: int) -> None:
        """End the open phase, all of whose attempts have ended, or let it bake first."""
        v = self.v
        bake = self.statics.phase_bake_ms
        if bake and self.lost_and_eligible(rollout)[1]:
            dial = rollout * c.DIAL
            since = v.dial[dial + c.DIAL_PAUSED] if v.trait[rollout] & c.PAUSED else self.now
            v.trait[rollout] |= c.BAKING
            v.dial[dial + c.DIAL_BAKED] = since + bake
            self.record(c.T_ARMED, c.TIMER_BAKE, rollout)
        else:
            self.judge_phase(rollout)

    def lost_and_eligible(self, rollout: int) -> tuple[int, int]:
        """Return how many eligible instances of the open phase are not upgraded and healthy, and how many there are."""
        v = self.v
        phase = v.plan[rollout * c.PLAN + c.PLAN_PHASE]
        lost = v.plan[rollout * c.PLAN + c.PLAN_LOST]
        eligible = v.plan[rollout * c.PLAN + c.PLAN_ELIGIBLE]
        for s in range(self.set_count):
            link = s * c.LINK
            if v.link[link + c.LINK_ROLLOUT] != rollout or v.link[link + c.LINK_PHASE] != phase or v.mark[s] & c.LEFT:
                continue
            t = s * c.TALLY
            abandoned = v.tally[t + Life.PENDING] - v.tally[t + c.TALLY_TOO_LATE]
            not_done = abandoned + v.tally[t + Life.RESTORED] + v.tally[t + Life.FAILED]
            lost += not_done + v.tally[t + c.TALLY_UPGRADED_BAD]
            eligible += not_done + v.tally[t + Life.UPGRADED]
        return lost, eligible

    def judge_phase(self, rollout: int) -> None:
        """Say whether the phase succeeded; open the next one, or end the rollout (section 5)."""
        v = self.v
        plan = rollout * c.PLAN
        phase = v.plan[plan + c.PLAN_PHASE]
        lost, eligible = self.lost_and_eligible(rollout)
        has_succeeded = 100 * lost <= self.statics.phase_failure_percent * eligible
        if v.plan[plan + c.PLAN_PHASES]:
            self.record(c.T_PHASE_ENDED, rollout, phase, int(has_succeeded), lost, eligible)
        if not has_succeeded:
            self.end_rollout(rollout, c.RO_HALTED)
        elif phase + 1 >= v.plan[plan + c.PLAN_PHASES]:
            self.end_rollout(rollout, c.RO_COMPLETED)
        else:
            self.open_phase(rollout, phase + 1)

    def open_phase(self, rollout: int, phase: int) -> None:
        """Open a phase: its attempts may begin, each after its delay where there are delays."""
        v = self.v
        plan = rollout * c.PLAN
        v.plan[plan + c.PLAN_PHASE] = phase
        v.plan[plan + c.PLAN_LOST] = v.plan[plan + c.PLAN_ELIGIBLE] = 0
        v.dial[rollout * c.DIAL + c.DIAL_OPENED] = self.now
        self.record(c.T_PHASE_OPENED, rollout, phase)
        count = 0
        for s in self.attempts_of(rollout):
            if v.link[s * c.LINK + c.LINK_PHASE] == phase:
                count += 1
                if self.statics.has_delays:
                    v.mark[s] |= c.DELAYED
                    v.touch_set(s, c.WROTE_MARK)
                self.touch(s)
        v.plan[plan + c.PLAN_OPEN] = count
        self.unsettled.append(rollout)

    def end_rollout(self, rollout: int, course: int) -> None:
        """End the rollout, and with it the attempts that wait (section 9)."""
        v = self.v
        for s in self.attempts_of(rollout):
            self.end(s, c.CANCELLED, c.NO_ERROR)
        v.course[rollout] = course
        v.trait[rollout] &= ~(c.PAUSED | c.BAKING | c.STOPPING)
        v.dial[rollout * c.DIAL + c.DIAL_PAUSED] = 0
        v.dial[rollout * c.DIAL + c.DIAL_ENDED] = self.now
        self.record(c.T_ROLLOUT_ENDED, rollout, course)
