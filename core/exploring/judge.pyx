# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What is promised, checked in the state that the arena holds: `judging.py`, compiled.

Each function returns the promises that are broken, one bit each (`1 << promise`). What an act cannot have changed, in
an arena whose steady columns are those of the base, was judged with the base, and is not looked at again.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcmp

from phasegate.core.exploring.bits cimport POSITION
from phasegate.core.exploring.codes cimport (
    A_ANSWER, A_DEADLINE, A_DUPLICATE, A_FAIL, A_HEALTHY, A_LATE, A_ORDER, A_REMOVE, A_STALE, A_START, BACK,
    BATCH_WITHIN_CAP, CELLS_APART, COMMANDS_AS_RECORDED, COUNTED, COUNTS_ADD_UP, DOMAINS_FINISHED, EVERYONE_UPGRADED,
    EVERY_ROLLOUT_ENDS, GROUPS_WITHIN_LIMITS, HEALTHY_ENOUGH, LATE_MOVES_NOTHING, LIVES_AS_WRITTEN,
    LOWER_NUMBERS_FIRST, MANUAL, MANUAL_NEVER_RESTORES, NOT_AFTER_THE_END, NOT_BEFORE_ITS_TIME, OWN_DISK_BACK,
    PAIRS_APART, PHASES_IN_ORDER, PROMOTED_BY_HEALTH, PROTECTED, PURSES, SETS, SKIPPED, SMALL_SETS_END,
    STOPPED_FOR_A_REASON, TARGET_UNTOUCHED, UNSAID,
)
from phasegate.core.kernel cimport (
    BROKEN, CANCELLED, CANCELLING, COMPLETED, CONFIGURING, DELAYED, FAILED, FAULTED, GONE, HEALTH_SHIFT, INITIALIZING,
    LEFT, LINK, LINK_HOLD, LINK_PHASE, LINK_REGION, LINK_ROLLOUT, LINK_TARGET, NO_ERROR, PAUSED, PENDING, PHASED, PLAN,
    PLAN_ELIGIBLE, PLAN_LOST, PLAN_PHASE, PLAN_PHASES, REFUSED, REPLACING, RESTING, RESTORED, RESTORING, ROLLING,
    RO_COMPLETED, RO_HALTED, RUNNING, SHUT, SITE, SITE_CELL, STATE_BITS, TALLY, TALLY_BAD, TALLY_FLIGHT, TALLY_TOO_LATE,
    TALLY_TOTAL, TALLY_UPGRADED_BAD, TOO_LATE, TOO_MANY_UNHEALTHY, TOO_MANY_UNHEALTHY_BEFORE,
    TOO_MANY_UPGRADED_UNHEALTHY, UNKNOWN, UPGRADED, VERIFYING, WAITING, is_bad, is_in_flight,
)

from phasegate.core.exploring.promises import LED as _LED, Meant, version_ranks

cdef inline int is_late(int life, int flag) noexcept nogil:
    return life & STATE_BITS == PENDING and flag & TOO_LATE != 0


cdef inline void count_lost(int life, int flag, int* lost, int* eligible) noexcept nogil:
    """Count an instance that is lost to its phase, and one that is eligible there (section 5)."""
    cdef int state = life & STATE_BITS
    cdef bint is_lost = state == RESTORED or state == FAILED or (state == PENDING and not flag & TOO_LATE)
    lost[0] += is_lost or (state == UPGRADED and is_bad(life >> HEALTH_SHIFT))
    eligible[0] += is_lost or state == UPGRADED


cdef uint8_t* start_of(uint8_t[::1] column) noexcept:
    return &column[0]


cdef class Judge(Ground):
    """Judges what acts lead to, by what is meant (`promises.Meant`)."""

    cdef int mean(self) except -1:
        """Work out what is meant."""
        self.shelf = self.open
        self.is_benign = self.freedom.is_benign and not self.subject.orders
        self.versions_of_book = -1
        self.meant = Meant.of(self.open)
        members = b"".join(some.ljust(256, b"\0") for _, _, some in self.meant.groups)
        kept = [self.meant.pairs, self.meant.conflicts, self.meant.percent, self.meant.cross_zone]
        kept += [self.meant.small, members, self.meant.fabric, self.meant.restores, _LED]
        kept += [self.meant.domains.tobytes(), self.meant.numbers.tobytes()]
        self.meant_kept = [bytearray(some or b"\0") for some in kept]
        self.pairs, self.conflicts = start_of(self.meant_kept[0]), start_of(self.meant_kept[1])
        self.percent, self.cross_zone = start_of(self.meant_kept[2]), start_of(self.meant_kept[3])
        self.small, self.group_members = start_of(self.meant_kept[4]), start_of(self.meant_kept[5])
        self.fabric, self.restores = start_of(self.meant_kept[6]), start_of(self.meant_kept[7])
        self.led, self.shrinks = start_of(self.meant_kept[8]), self.meant.shrinks
        self.domains = <int32_t*>start_of(self.meant_kept[9])
        self.numbers = <int32_t*>start_of(self.meant_kept[10])
        self.meant_groups = len(self.meant.groups)
        for at, (counts, limit, _) in enumerate(self.meant.groups):
            self.group_limits[at] = limit
            self.group_counts[at] = {"instances": 0, "sets": 1, "cells": 2}[counts]
        self.phase_failure_percent = self.meant.phase_failure_percent
        for promise in self.subject.promises:
            self.asked |= 1 << <int>promise
        arena = self.open.arena
        for at, name in enumerate(("life", "flag", "version", "failed", "status", "mark", "course")):
            self.still_at[at], self.still_bytes[at] = arena.offset[name], len(arena.flat[name])
        self.base_flag = self.base + self.still_at[1]
        return 0

    cdef int know_versions(self) except -1 nogil:
        return 0 if self.versions_of_book == self.beside.rest[PURSES + 2] else self.take_up_book()

    cdef int take_up_book(self) except -1 with gil:
        """Take up the targets and the order of versions of the book that is open."""
        book = self.beside.rest[PURSES + 2]
        self.versions_of_book = -1  # until all of it is taken up
        for at, target in enumerate(self.shelf.targets(book)):
            self.targets[at] = target
        for at, rank in enumerate(version_ranks(self.shelf.books[book].versions)):
            self.version_rank[at] = rank
        self.versions_of_book = book
        return 0

    cdef bint gate_is_broken(self, int s) noexcept nogil:
        cdef int slot, state, undone = 0, upgraded = 0, bad = 0, total = 0
        for slot in range(self.slots):
            state = self.k.life[slot] & STATE_BITS
            if self.set_of[slot] != s or state == GONE:
                continue
            total += 1
            if state == RESTORED or state == FAILED:
                undone += 1
            elif state == UPGRADED:
                upgraded += 1
                bad += is_bad(self.k.life[slot] >> HEALTH_SHIFT)
        if not self.percent[s * 4 + 3]:
            total = undone + upgraded
        return 100 * (undone + bad) > self.percent[s * 4 + 2] * total

    cdef int first_of(self, int broken) noexcept nogil:
        """Return the lowest of the broken promises that are asked for, 0 if there is none."""
        broken &= self.asked
        return POSITION(<uint32_t>broken) if broken else 0

    cdef int judge_before(self, Move move, const int32_t* slots, int count) except -1 nogil:
        """Judge whether a batch of these candidates may start in the state that the arena holds."""
        cdef int s = move.whom
        cdef int rollout, slot, state, i, cap, size = 0, well = 0, total = 0, bad = 0, flying = 0
        cdef int broken = 0
        cdef bint is_manual
        self.know_versions()
        for slot in range(self.slots):
            state = self.k.life[slot] & STATE_BITS
            if self.set_of[slot] != s or state == GONE:
                continue
            total += 1
            bad += is_bad(self.k.life[slot] >> HEALTH_SHIFT)
            flying += is_in_flight(state)
        cap = total * self.percent[s * 4] // 100
        if total - 1 < cap:
            cap = total - 1
        if cap < 1:
            cap = 1
        for i in range(count):
            if move.which >> i & 1:
                size += 1
                well += not is_bad(self.k.life[slots[i]] >> HEALTH_SHIFT)
        if size + flying > cap or (size > 1 and self.shrinks and well > (cap - bad if cap > bad else 0)):
            broken |= 1 << BATCH_WITHIN_CAP
        if 100 * bad > self.percent[s * 4 + 1] * total:
            broken |= 1 << HEALTHY_ENOUGH
        if (self.k.status[s] != WAITING and self.k.status[s] != ROLLING) or self.gate_is_broken(s):
            broken |= 1 << NOT_AFTER_THE_END
        rollout = self.k.link[s * LINK + LINK_ROLLOUT]
        if rollout < 0:
            return broken
        if self.k.mark[s] & (SHUT | DELAYED | RESTING | CANCELLING) or self.k.trait[rollout] & PAUSED:
            broken |= 1 << NOT_BEFORE_ITS_TIME
        if self.k.trait[rollout] & PHASED:
            if self.k.link[s * LINK + LINK_PHASE] > self.k.plan[rollout * PLAN + PLAN_PHASE]:
                broken |= 1 << PHASES_IN_ORDER
        is_manual = self.k.trait[rollout] & MANUAL
        for i in range(count):
            if not move.which >> i & 1:
                continue
            slot = slots[i]
            if self.k.life[slot] & STATE_BITS != PENDING or self.k.flag[slot] & (PROTECTED | SKIPPED | REFUSED):
                broken |= 1 << TARGET_UNTOUCHED
            if not is_manual and self.k.failed[slot] == self.targets[rollout]:
                broken |= 1 << TARGET_UNTOUCHED
            if not self.k.flag[slot] & BROKEN:
                if self.version_rank[self.k.version[slot]] >= self.version_rank[self.targets[rollout]]:
                    broken |= 1 << TARGET_UNTOUCHED
        return broken | self.judge_order(s, slots[POSITION(<uint32_t>move.which)])

    cdef int judge_order(self, int s, int first) noexcept nogil:
        """Judge that lower phase ordering numbers go first, and begun upgrade domains are finished."""
        cdef int number = self.numbers[first]
        cdef int slot, other, state
        cdef int broken = 0
        cdef bint is_begun = False, is_another_left = False
        for slot in range(self.slots):
            if self.set_of[slot] == s and self.k.life[slot] & STATE_BITS == PENDING and self.numbers[slot] < number:
                broken |= 1 << LOWER_NUMBERS_FIRST
        if not self.fabric[s]:
            return broken
        for slot in range(self.slots):
            state = self.k.life[slot] & STATE_BITS
            if self.set_of[slot] != s:
                continue
            if not (is_in_flight(state) or state == UPGRADED or state == RESTORED or state == FAILED):
                continue
            if self.domains[slot] == self.domains[first]:
                is_begun = True
                continue
            for other in range(self.slots):
                if self.set_of[other] == s and self.k.life[other] & STATE_BITS == PENDING:
                    if self.numbers[other] == number and self.domains[other] == self.domains[slot]:
                        is_another_left = True
        return broken | 1 << DOMAINS_FINISHED if is_another_left and not is_begun else broken

    cdef int judge_act(self, Move move, bint is_first) except -1 nogil:
        """Judge what the act has led to: instances, rollouts, counts, and the state however it came about.

        `is_first` says that the base is the first state, which nobody has judged.
        """
        cdef int at, slot, was, now
        cdef int broken = self.judge_counts()
        cdef bint is_whole = is_first or not self.is_steady
        if move.act == A_LATE or move.act == A_DUPLICATE or (move.act == A_STALE and not move.which):
            if self.has_moved():
                broken |= 1 << LATE_MOVES_NOTHING
        for at in range(self.changed_count):
            slot = self.changed[at]
            was = self.base_life[slot] & STATE_BITS
            now = self.k.life[slot] & STATE_BITS
            if was != now:
                broken |= self.judge_life(slot, was, now, move)
                is_whole = is_whole or (is_in_flight(now) and not is_in_flight(was))
            if is_in_flight(now):
                broken |= self.judge_flight(slot, now)
        if 1 << move.act & (1 << A_ANSWER | 1 << A_FAIL | 1 << A_HEALTHY | 1 << A_DEADLINE | 1 << A_REMOVE):
            if self.is_led_astray(move):
                broken |= 1 << LIVES_AS_WRITTEN
        if not self.is_steady:
            broken |= self.judge_rollouts(move.act) | self.judge_stops()
        if is_whole:
            broken |= self.judge_state()
        elif self.meant_groups:
            broken |= self.judge_groups()
        return broken

    cdef bint has_moved(self) noexcept nogil:
        cdef int at
        for at in range(7):
            if memcmp(self.block + self.still_at[at], self.base + self.still_at[at], self.still_bytes[at]):
                return True
        return False

    cdef int judge_life(self, int slot, int was, int now, Move move) noexcept nogil:
        cdef int broken = 0
        self.counts.became[(move.act == A_DEADLINE) << 8 | was << 4 | now] += 1
        if now == UPGRADED and (was != VERIFYING or move.act != A_HEALTHY or move.whom != slot):
            broken |= 1 << PROMOTED_BY_HEALTH
        if is_in_flight(now) and not is_in_flight(was):
            if move.act != A_START:
                broken |= 1 << TARGET_UNTOUCHED
            elif now != REPLACING:
                broken |= 1 << LIVES_AS_WRITTEN
        if now == RESTORING and self.k.trait[self.k.link[self.set_of[slot] * LINK + LINK_ROLLOUT]] & MANUAL:
            broken |= 1 << MANUAL_NEVER_RESTORES
        if now == RESTORED and self.k.version[slot] != self.base_beside.ghost[slot]:
            broken |= 1 << OWN_DISK_BACK
        if now == CONFIGURING or now == RESTORED or now == FAILED:
            if self.k.life[slot] >> HEALTH_SHIFT != (UNKNOWN if now == FAILED else INITIALIZING):
                broken |= 1 << LIVES_AS_WRITTEN
            if self.k.observed_at(slot) < self.k.now - 1:  # a report from before would count
                broken |= 1 << LIVES_AS_WRITTEN
        return broken

    cdef bint is_led_astray(self, Move move) noexcept nogil:
        """Return whether what happened to an instance has not led where it should (section 8)."""
        cdef int slot = move.whom
        cdef int s, to, rollout
        to = self.led[move.act * 16 + (self.base_life[slot] & STATE_BITS)]
        if to == BACK:
            s = self.set_of[slot]
            rollout = self.k.link[s * LINK + LINK_ROLLOUT]
            to = RESTORING if self.restores[s] and not self.k.trait[rollout] & MANUAL else FAILED
        return to != UNSAID and to != self.k.life[slot] & STATE_BITS

    cdef int judge_rollouts(self, int act) noexcept nogil:
        """Judge that phases open and rollouts end as what was lost says: `phases.py`."""
        cdef const int32_t* was
        cdef const int32_t* now
        cdef int r, phase, lost, eligible
        cdef int broken = 0
        cdef bint has_failed
        for r in range(self.rollouts):
            if self.base_course[r] != RUNNING:
                continue
            if not self.k.trait[r] & PHASED:
                if self.k.course[r] == RO_COMPLETED and self.has_failed_attempts(r):
                    broken |= 1 << STOPPED_FOR_A_REASON
                continue
            was, now = self.base_plan + r * PLAN, self.k.plan + r * PLAN
            lost, eligible = was[PLAN_LOST], was[PLAN_ELIGIBLE]
            for phase in range(was[PLAN_PHASE], now[PLAN_PHASE]):
                if self.is_going(r, phase) or self.has_failed(r, phase, lost, eligible):
                    broken |= 1 << PHASES_IN_ORDER
                lost = eligible = 0
            if act == A_ORDER and was[PLAN_PHASE] == now[PLAN_PHASE]:
                self.take_over(r, now[PLAN_PHASE], &lost, &eligible)
            if now[PLAN_LOST] != lost or now[PLAN_ELIGIBLE] != eligible or 0 < now[PLAN_PHASES] <= now[PLAN_PHASE]:
                broken |= 1 << PHASES_IN_ORDER
            if self.k.course[r] == RO_HALTED or self.k.course[r] == RO_COMPLETED:
                has_failed = self.has_failed(r, now[PLAN_PHASE], now[PLAN_LOST], now[PLAN_ELIGIBLE])
                if has_failed != (self.k.course[r] == RO_HALTED):
                    broken |= 1 << STOPPED_FOR_A_REASON
                if self.k.course[r] == RO_COMPLETED and now[PLAN_PHASE] + 1 < now[PLAN_PHASES]:
                    broken |= 1 << STOPPED_FOR_A_REASON
        return broken

    cdef void take_over(self, int r, int phase, int* lost, int* eligible) noexcept nogil:
        """Count what those sets of the phase had lost that another rollout has taken over."""
        cdef const int32_t* link
        cdef int slot, s
        for slot in range(self.slots):
            s = self.set_of[slot]
            link = self.base_link + s * LINK
            if link[LINK_ROLLOUT] != r or link[LINK_PHASE] != phase or self.base_mark[s] & LEFT:
                continue
            if self.k.link[s * LINK + LINK_ROLLOUT] != r:
                count_lost(self.base_life[slot], self.base_flag[slot], lost, eligible)

    cdef bint is_going(self, int r, int phase) noexcept nogil:
        cdef int s
        for s in range(self.sets):
            if self.is_of(s, r, phase) and (self.k.status[s] == WAITING or self.k.status[s] == ROLLING):
                return True
        return False

    cdef bint has_failed_attempts(self, int r) noexcept nogil:
        """Return whether an attempt that its set has not left faulted or was cancelled, in a rollout without phases."""
        cdef int s
        for s in range(self.sets):
            if self.is_of(s, r, 0) and (self.k.status[s] == FAULTED or self.k.status[s] == CANCELLED):
                return True
        return False

    cdef bint is_of(self, int s, int r, int phase) noexcept nogil:
        """Return whether a set is of a phase and has not left it."""
        if self.k.link[s * LINK + LINK_ROLLOUT] != r or self.k.link[s * LINK + LINK_PHASE] != phase:
            return False
        return not self.k.mark[s] & LEFT

    cdef bint has_failed(self, int r, int phase, int lost, int eligible) noexcept nogil:
        """Return whether too many of a phase are lost, beside those that were taken over (section 5)."""
        cdef int slot
        for slot in range(self.slots):
            if self.is_of(self.set_of[slot], r, phase):
                count_lost(self.k.life[slot], self.k.flag[slot], &lost, &eligible)
        return 100 * lost > self.phase_failure_percent * eligible

    cdef int judge_stops(self) noexcept nogil:
        """Judge that an attempt faults where a gate says so (section 7)."""
        cdef const uint8_t* status = self.base_status
        cdef int s
        for s in range(self.sets):
            if status[s] == self.k.status[s] or (status[s] != WAITING and status[s] != ROLLING):
                continue
            if self.k.status[s] == COMPLETED or self.k.status[s] == FAULTED:
                if not self.may_end(s, status[s] == WAITING):
                    return 1 << STOPPED_FOR_A_REASON
        return 0

    cdef bint may_end(self, int s, bint is_first) noexcept nogil:
        """Return whether an attempt that has ended by itself has a code that it may have."""
        cdef int code = self.k.code[s] if self.k.status[s] == FAULTED else NO_ERROR
        cdef int slot, total = 0, bad = 0
        cdef bint was_flying = False
        for slot in range(self.slots):
            if self.set_of[slot] != s:
                continue
            was_flying = was_flying or is_in_flight(self.base_life[slot] & STATE_BITS)
            if self.k.life[slot] & STATE_BITS != GONE:
                total += 1
                bad += is_bad(self.k.life[slot] >> HEALTH_SHIFT)
        if code == TOO_MANY_UPGRADED_UNHEALTHY:
            return self.gate_is_broken(s)
        if code == NO_ERROR:
            return not (was_flying and self.gate_is_broken(s))
        if code != (TOO_MANY_UNHEALTHY_BEFORE if is_first else TOO_MANY_UNHEALTHY):
            return False
        return 100 * bad > self.percent[s * 4 + 1] * total

    cdef int judge_state(self) except -1 nogil:
        """Judge the state that the arena holds, however it came about."""
        cdef int one, other, s, slot, state, hold, domain
        cdef int domains[SETS]
        cdef int broken = 0
        for s in range(self.sets):
            domains[s] = -1
            if self.k.status[s] == ROLLING:
                one = self.k.link[s * LINK + LINK_REGION]
                for other in range(s):
                    if self.k.status[other] == ROLLING:
                        if self.pairs[one * self.regions + self.k.link[other * LINK + LINK_REGION]]:
                            broken |= 1 << PAIRS_APART
            one = self.k.link[s * LINK + LINK_HOLD]
            if one >= 0:
                for other in range(s):
                    hold = self.k.link[other * LINK + LINK_HOLD]
                    if hold >= 0 and self.conflicts[one * self.cells + hold]:
                        broken |= 1 << CELLS_APART
        for slot in range(self.slots):
            state = self.k.life[slot] & STATE_BITS
            if not is_in_flight(state):
                continue
            s = self.set_of[slot]
            domain = self.domains[slot]
            if domains[s] >= 0 and domains[s] != domain:
                broken |= 1 << BATCH_WITHIN_CAP
            domains[s] = domain
            broken |= self.judge_flight(slot, state)
        return broken | self.judge_groups() if self.meant_groups else broken

    cdef int judge_flight(self, int slot, int state) except -1 nogil:
        """Judge where an instance in flight is, and what its command says."""
        cdef int s = self.set_of[slot]
        cdef int broken = 0
        if not self.cross_zone[s]:
            if self.k.site[self.bucket_of[slot] * SITE + SITE_CELL] != self.k.link[s * LINK + LINK_HOLD]:
                broken |= 1 << CELLS_APART
        if state == RESTORING:
            if self.k.version[slot] != self.beside.ghost[slot]:
                broken |= 1 << COMMANDS_AS_RECORDED
        elif state != VERIFYING:
            self.know_versions()
            if self.k.link[s * LINK + LINK_TARGET] != self.targets[self.k.link[s * LINK + LINK_ROLLOUT]]:
                broken |= 1 << COMMANDS_AS_RECORDED
        return broken

    cdef int judge_counts(self) noexcept nogil:
        """Judge the kernel's counters: what the base has, counted anew, and the difference that the act has made."""
        cdef uint64_t meant[7]  # `COUNTED` counts
        cdef uint32_t late
        cdef int at, s, slot
        for s in range(self.sets):
            for at in range(COUNTED // 2):
                meant[at] = (<const uint64_t*>(self.base_tally + s * TALLY))[at]
            late = self.base_tally[s * TALLY + TALLY_TOO_LATE]
            for at in range(self.changed_count):
                slot = self.changed[at]
                if self.set_of[slot] == s:
                    late += is_late(self.k.life[slot], self.k.flag[slot])
                    late -= is_late(self.base_life[slot], self.base_flag[slot])
                    self.add_up(<uint32_t*>meant, self.base_life[slot], -1)
                    self.add_up(<uint32_t*>meant, self.k.life[slot], 1)
            if memcmp(meant, self.k.tally + s * TALLY, COUNTED * sizeof(uint32_t)):
                return 1 << COUNTS_ADD_UP
            if late != self.k.tally[s * TALLY + TALLY_TOO_LATE]:
                return 1 << COUNTS_ADD_UP
        for at in range(self.k.group_count):
            if <int>self.k.used[at] != self.in_use(at):
                return 1 << COUNTS_ADD_UP
        return 1 << COUNTS_ADD_UP if not self.is_steady and self.has_miscounted_work() else 0

    cdef bint has_miscounted_work(self) noexcept nogil:
        """Return whether the holds of a cell, or the attempts at work in a region, are not what the sets say."""
        cdef int at, s, count
        for at in range(self.cells):
            count = 0
            for s in range(self.sets):
                count += self.k.link[s * LINK + LINK_HOLD] == at
            if <int>self.k.holds[at] != count:
                return True
        for at in range(self.regions):
            count = 0
            for s in range(self.sets):
                count += self.k.status[s] == ROLLING and self.k.link[s * LINK + LINK_REGION] == at
            if <int>self.k.working[at] != count:
                return True
        return False

    cdef inline void add_up(self, uint32_t* counts, int life, int by) noexcept nogil:
        cdef int state = life & STATE_BITS
        cdef int bad = by if is_bad(life >> HEALTH_SHIFT) else 0
        if state == GONE:
            return
        counts[state] += by
        counts[TALLY_TOTAL] += by
        counts[TALLY_BAD] += bad
        if state == UPGRADED:
            counts[TALLY_UPGRADED_BAD] += bad
        elif is_in_flight(state):
            counts[TALLY_FLIGHT] += by

    cdef int judge_groups(self) noexcept nogil:
        cdef int g
        for g in range(self.meant_groups):
            if self.in_use(g) > self.group_limits[g]:
                return 1 << GROUPS_WITHIN_LIMITS
        return 0

    cdef int in_use(self, int g) noexcept nogil:
        """Return how many members of a group are in use."""
        cdef uint8_t* members = self.group_members + g * 256
        cdef int s, cell, used = 0
        if self.group_counts[g] == 0:
            for s in range(self.sets):
                if members[s]:
                    used += self.k.tally[s * TALLY + TALLY_FLIGHT]
        elif self.group_counts[g] == 1:
            for s in range(self.sets):
                if members[s] and self.k.status[s] == ROLLING:
                    used += 1
        else:
            for cell in range(self.cells):
                for s in range(self.sets):
                    if members[cell] and self.k.link[s * LINK + LINK_HOLD] == cell:
                        used += 1
                        break
        return used

    cdef int judge_end(self) except -1 nogil:
        """Judge the state that the arena holds as one in which runs end."""
        cdef int r, s, slot, state
        cdef int is_small = 1
        for r in range(self.rollouts):
            if self.k.course[r] == RUNNING:
                for s in range(self.sets):
                    is_small = is_small and self.small[s]
                return 1 << EVERY_ROLLOUT_ENDS | is_small << SMALL_SETS_END
        if self.is_benign:
            self.know_versions()
            for slot in range(self.slots):
                state = self.k.life[slot] & STATE_BITS
                if self.k.status[self.set_of[slot]] == 0:
                    continue
                if (state == PENDING and not self.k.flag[slot] & TOO_LATE) or state == RESTORED or state == FAILED:
                    return 1 << EVERYONE_UPGRADED
                r = self.k.link[self.set_of[slot] * LINK + LINK_ROLLOUT]
                if state == UPGRADED and self.k.version[slot] != self.targets[r]:
                    return 1 << EVERYONE_UPGRADED
        return 0
