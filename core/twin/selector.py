"""What keeps a batch from starting, which batches are legal, which are selected; and the two gates.

`standing` and `in_cell` are the only places where a start is refused: one bit a rule, so that all that hold are
reported. `walk` is the only place where batches are picked: the sets that might start, in order, each judged after the
picks before it, which are assumed while it walks and taken back at its end.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from phasegate.core import codes as c
from phasegate.core.lifecycle import Life
from phasegate.core.picks import Pick, Picks
from phasegate.core.twin.counters import ADMIT, NEVER, UNBOUNDED, Counters, items_of

Choice = tuple[int, int, "array[int]", int, int]
"""What is legal for one set: set, bucket, candidates in order, at most, of those healthy at most."""


class Selector(Counters):
    """Everything that answers "may it start?", and changes nothing by itself."""

    # --- the numbers of section 7 ------------------------------------------------------------------------------------

    def cap(self, s: int) -> int:
        """Return how many instances a batch of the set may have."""
        total = self.v.tally[s * c.TALLY + c.TALLY_TOTAL]
        percent = self.v.percent[s * c.PERCENT + c.BATCH_PERCENT]
        return max(1, min(total * percent // 100, total - 1))

    def healthy_at_most(self, s: int) -> int:
        """Return how many of a batch may be healthy or initializing, were it larger than one."""
        if not self.v.option[s] & c.SHRINKS:
            return UNBOUNDED
        return max(0, self.cap(s) - self.v.tally[s * c.TALLY + c.TALLY_BAD])

    def room(self, s: int) -> int:
        """Return how many instances of the set its groups still let in flight."""
        found = UNBOUNDED
        for group in items_of(self.statics.set_instance_groups, s):
            found = min(found, self.statics.group_limit[group] - self.v.used[group])
        return max(0, found)

    def upgraded_gate_broken(self, s: int) -> bool:
        """Whether too many of the upgraded ones have turned out bad (the after-batch gate)."""
        tally = s * c.TALLY
        t = self.v.tally
        bad = t[tally + Life.RESTORED] + t[tally + Life.FAILED] + t[tally + c.TALLY_UPGRADED_BAD]
        attempted = t[tally + Life.RESTORED] + t[tally + Life.FAILED] + t[tally + Life.UPGRADED]
        of = t[tally + c.TALLY_TOTAL] if self.v.option[s] & c.OF_SET else attempted
        return bool(100 * bad > self.v.percent[s * c.PERCENT + c.UPGRADED_PERCENT] * of)

    def health_gate_broken(self, s: int) -> bool:
        """Whether too many of the set's instances are not healthy (the before-batch gate)."""
        t = self.v.tally
        bad, total = t[s * c.TALLY + c.TALLY_BAD], t[s * c.TALLY + c.TALLY_TOTAL]
        return bool(100 * bad > self.v.percent[s * c.PERCENT + c.UNHEALTHY_PERCENT] * total)

    # --- what keeps a batch from starting ----------------------------------------------------------------------------

    def is_open(self, s: int) -> bool:
        """Whether the set's phase is open; always without phases."""
        link = s * c.LINK
        rollout = self.v.link[link + c.LINK_ROLLOUT]
        if not self.v.trait[rollout] & c.PHASED:
            return True
        return bool(self.v.link[link + c.LINK_PHASE] <= self.v.plan[rollout * c.PLAN + c.PLAN_PHASE])

    def standing(self, s: int) -> int:
        """Return one bit for each rule that keeps the whole set from starting anything, gates aside."""
        v = self.v
        status = v.status[s]
        if status == c.NONE:
            return c.NO_ATTEMPT
        if status not in (c.WAITING, c.ROLLING):
            return c.ENDED
        mark = v.mark[s]
        found = 0
        if mark & c.CANCELLING:
            found |= c.IS_CANCELLED
        if v.trait[v.link[s * c.LINK + c.LINK_ROLLOUT]] & c.PAUSED:
            found |= c.IS_PAUSED
        if not self.is_open(s):
            found |= c.PHASE_SHUT
        if v.tally[s * c.TALLY + c.TALLY_FLIGHT]:
            found |= c.IN_FLIGHT
        if mark & (c.DELAYED | c.RESTING):
            found |= c.NOT_BEFORE
        if mark & c.SHUT:
            found |= c.WINDOW_SHUT
        region = v.link[s * c.LINK + c.LINK_REGION]
        if any(v.working[pair] for pair in items_of(self.statics.region_pairs, region)):
            found |= c.PAIR_AT_WORK
        if not self.room(s) or (status == c.WAITING and self.is_crowded(s)):
            found |= c.GROUP_FULL
        return found

    def is_crowded(self, s: int) -> bool:
        """Whether a group of sets has no room for the set to go to work."""
        limit = self.statics.group_limit
        return any(self.v.used[g] >= limit[g] for g in items_of(self.statics.set_work_groups, s))

    def gates(self, s: int) -> int:
        """Return one bit for each reason to end the set's attempt instead of starting a batch."""
        found = 0
        if self.v.status[s] == c.WAITING and self.v.mark[s] & c.UNFIT:
            found |= c.NOT_ELIGIBLE
        if self.upgraded_gate_broken(s):
            found |= c.UPGRADED_UNHEALTHY
        if self.health_gate_broken(s):
            found |= c.SET_UNHEALTHY
        return found

    def in_cell(self, s: int, cell: int) -> int:
        """Return one bit for each rule that keeps the set from starting in that cell."""
        if self.v.option[s] & c.CROSS_ZONE:
            return 0
        held = self.v.link[s * c.LINK + c.LINK_HOLD]
        if held == cell:
            return 0
        if held >= 0 or self.is_disturbed(cell):
            return c.CELL_BUSY
        if not self.v.holds[cell]:
            limit = self.statics.group_limit
            if any(self.v.used[g] >= limit[g] for g in items_of(self.statics.cell_groups, cell)):
                return c.GROUP_FULL
        return 0

    def is_disturbed(self, cell: int) -> bool:
        """Whether a cell in conflict with this one is busy."""
        words = self.statics.cell_words
        rows = self.statics.cell_rows
        return any(self.busy[word] & rows[cell * words + word] for word in range(words))

    # --- candidates --------------------------------------------------------------------------------------------------

    def current(self, s: int) -> tuple[int, int]:
        """Return the set's current phase ordering number, and how lately the upgrade domain to finish was begun.

        The number is -1 if nothing is pending. The second is the highest `begun` among the buckets that have pending
        instances of that number, 0 if none of them was begun: only buckets with that `begun` have candidates.
        """
        v = self.v
        number, lately = -1, 0
        for bucket in self.buckets(s):
            if number >= 0 and v.site[bucket * c.SITE + c.SITE_NUMBER] != number:
                break
            if v.wait[bucket * c.WAIT + c.WAIT_PENDING]:
                number = v.site[bucket * c.SITE + c.SITE_NUMBER]
                lately = max(lately, v.begun[bucket])
        return number, lately

    def is_candidate(self, bucket: int, number: int, lately: int) -> bool:
        """Whether the bucket has candidates, were its cell free to start."""
        v = self.v
        return bool(
            v.wait[bucket * c.WAIT + c.WAIT_PENDING]
            and v.site[bucket * c.SITE + c.SITE_NUMBER] == number
            and v.begun[bucket] == lately
        )

    def has_candidates_in(self, s: int, cell: int) -> bool:
        """Whether the set has candidates in the cell, were it free to start; a user's policy is asked too."""
        number, lately = self.current(s)
        return any(
            self.v.site[bucket * c.SITE + c.SITE_CELL] == cell
            and self.is_candidate(bucket, number, lately)
            and (self.ask is None or self.part(s, bucket))
            for bucket in self.buckets(s)
        )

    def candidates(self, s: int, bucket: int) -> list[int]:
        """Return the pending instances that a batch from that bucket is taken from, in order.

        With `enable_cross_zone`, those of its upgrade domain number in every zone; with `prioritize_unhealthy` the
        not healthy ones first.
        """
        v = self.v
        site = v.site
        found: list[int] = []
        if v.option[s] & c.CROSS_ZONE:
            here = bucket * c.SITE
            for other in self.buckets(s):
                at = other * c.SITE
                if site[at + c.SITE_DOMAIN] == site[here + c.SITE_DOMAIN] and (
                    site[at + c.SITE_NUMBER] == site[here + c.SITE_NUMBER]
                ):
                    found += [slot for slot in self.members(other) if v.life[slot] & c.STATE_BITS == Life.PENDING]
        else:
            found += [slot for slot in self.members(bucket) if v.life[slot] & c.STATE_BITS == Life.PENDING]
        if v.option[s] & c.PRIORITIZE:
            found.sort(key=lambda slot: v.life[slot] >> c.HEALTH_SHIFT not in (1, 2))
        return found

    def part(self, s: int, bucket: int) -> Sequence[int]:
        """Return the candidates that the users' policies admit; none if they say wait or never."""
        found: Sequence[int] = self.candidates(s, bucket)
        if self.ask is not None:
            answer, found = self.ask(s, bucket, found)
            if answer == NEVER:
                self.refusals.append((s, bucket))
            if answer != ADMIT:
                return ()
        return found

    def choose(self, s: int) -> int:
        """Return the bucket of the set's first candidate in a cell that may start, -1 if there is none."""
        v = self.v
        number, lately = self.current(s)
        first = -1
        for bucket in self.buckets(s):
            if not self.is_candidate(bucket, number, lately):
                continue
            if self.in_cell(s, v.site[bucket * c.SITE + c.SITE_CELL]):
                continue
            bad = v.wait[bucket * c.WAIT + c.WAIT_BAD]
            if self.ask is not None:
                own = [slot for slot in self.part(s, bucket) if v.bucket[slot] == bucket]
                if not own:
                    continue
                bad = sum(v.life[slot] >> c.HEALTH_SHIFT in (1, 2) for slot in own)
            if not v.option[s] & c.PRIORITIZE or bad:
                return bucket
            if first < 0:
                first = bucket
        return first

    def fill(self, s: int, found: Sequence[int]) -> array[int]:
        """Return the batch from these candidates: the first, then each with which both bounds still hold."""
        cap = min(self.cap(s), self.room(s))
        at_most = self.healthy_at_most(s)
        batch = array("I")
        healthy = 0
        for slot in found:
            well = self.v.life[slot] >> c.HEALTH_SHIFT not in (1, 2)
            if not batch or (len(batch) < cap and healthy + well <= at_most):
                batch.append(slot)
                healthy += well
        return batch

    # --- what is legal, what is picked -------------------------------------------------------------------------------

    def legal(self, s: int) -> list[Choice]:
        """Return all that the rules allow the set to start now, in order of cell, then upgrade domain."""
        if self.standing(s) or self.gates(s):
            return []
        v = self.v
        number, lately = self.current(s)
        at_most = min(self.cap(s), self.room(s))
        found: list[Choice] = []
        domains: set[int] = set()
        for bucket in self.buckets(s):
            domain = v.site[bucket * c.SITE + c.SITE_DOMAIN]
            if not self.is_candidate(bucket, number, lately):
                continue
            if self.in_cell(s, v.site[bucket * c.SITE + c.SITE_CELL]):
                continue
            if v.option[s] & c.CROSS_ZONE:
                if domain in domains:
                    continue
                domains.add(domain)
            part = self.part(s, bucket)
            if part:
                found.append((s, bucket, array("I", part), at_most, self.healthy_at_most(s)))
        return found

    def assume(self, s: int, bucket: int, count: int, by: int) -> None:
        """Count a batch as if it had started (`by` 1), or take that back (-1)."""
        v = self.v
        if by > 0:
            self.assumed.append(s)
        else:
            self.assumed.pop()
        if not v.option[s] & c.CROSS_ZONE and v.link[s * c.LINK + c.LINK_HOLD] < 0:
            cell = v.site[bucket * c.SITE + c.SITE_CELL]
            if by > 0:
                self.hold(cell)
            else:
                self.unhold(cell)
        if v.status[s] == c.WAITING:
            self.work(s, by)
        for group in items_of(self.statics.set_instance_groups, s):
            self.use(group, by * count)

    def walk(self) -> tuple[Picks, list[tuple[int, int]]]:
        """Return the batches to start now, and the attempts to end instead with the bits of `gates`.

        Both in order: phase, region, cell, set. Every pick is legal after the ones before it. If no attempt is to end,
        nothing more is legal after the last; else end them and walk again: the walk breaks off where an end may free
        others. Sets of one phase and region are looked at together, just before their turn; users' policies are asked
        about every set before the first pick.
        """
        self.refusals.clear()
        picks: list[Pick] = []
        ends: list[tuple[int, int]] = []
        still: list[int] = []
        doubtful: list[int] = []  # who may have been kept from starting by a pick alone
        turns = self.take_turns()
        while turns:
            queue = self.look_at_turns(turns.pop(0), still, doubtful)
            if self.walk_through(queue, picks, ends):
                break
        still += (s for turn in turns for s in turn)
        self.is_quiet = True
        for s, bucket, batch in reversed(picks):
            self.assume(s, bucket, len(batch), -1)
        self.is_quiet = False
        for s in doubtful:
            if self.standing(s) or self.choose(s) < 0:
                self.hot[s] = 0
            else:
                still.append(s)
        self.hot_sets = still
        return Picks.of(picks), ends

    def take_turns(self) -> list[list[int]]:
        """Return the hot sets of each phase and region, in order; all in one where users' policies are asked."""
        if self.ask is not None:
            return [sorted(self.hot_sets)]
        turns: dict[tuple[int, int], list[int]] = {}
        for s in sorted(self.hot_sets):
            link = s * c.LINK
            turns.setdefault((self.v.link[link + c.LINK_PHASE], self.v.link[link + c.LINK_REGION]), []).append(s)
        return [turns[key] for key in sorted(turns)]

    def look_at_turns(self, turn: list[int], still: list[int], doubtful: list[int]) -> list[tuple[int, int, int]]:
        """Return the places of those that could start a batch, as a heap; the others stay hot if they may soon."""
        queue: list[tuple[int, int, int]] = []
        for s in turn:
            bucket = self.choose(s) if not self.standing(s) else -1
            if bucket >= 0:
                queue.append(self.place(s, bucket))
            if bucket >= 0 or (self.ask is not None and self.v.status[s] in (c.WAITING, c.ROLLING)):
                still.append(s)
            elif self.assumed:
                doubtful.append(s)
            else:
                self.hot[s] = 0
        heapify(queue)
        return queue

    def walk_through(self, queue: list[tuple[int, int, int]], picks: list[Pick], ends: list[tuple[int, int]]) -> bool:
        """Pick from a heap of places, the first one first; return whether the walk is to break off."""
        while queue:
            place = heappop(queue)
            s = place[2]
            bucket = self.choose(s) if not self.standing(s) else -1
            if bucket < 0:
                continue
            if self.place(s, bucket) != place:
                heappush(queue, self.place(s, bucket))
                continue
            gates = self.gates(s)
            if gates:
                ends.append((s, gates))
                if self.v.status[s] == c.ROLLING:
                    return True
                continue
            batch = self.fill(s, self.part(s, bucket))
            cell = self.v.site[bucket * c.SITE + c.SITE_CELL]
            was_free = not self.v.holds[cell]
            self.assume(s, bucket, len(batch), 1)
            picks.append((s, bucket, batch))
            if was_free and self.v.holds[cell]:
                self.look_again(queue)
        return False

    def look_again(self, queue: list[tuple[int, int, int]]) -> None:
        """Place anew those whom a cell that has become busy keeps from theirs.

        With `prioritize_unhealthy` alone the next place may be an earlier one; the others move back when their turn is.
        """
        for at, (_, cell, s) in enumerate(queue):
            if self.v.option[s] & c.PRIORITIZE and self.in_cell(s, cell):
                bucket = self.choose(s)
                if bucket >= 0:
                    queue[at] = self.place(s, bucket)
        heapify(queue)

    def place(self, s: int, bucket: int) -> tuple[int, int, int]:
        """Return where a batch stands in the order: regions by phase, then name; cells; sets."""
        return self.v.link[s * c.LINK + c.LINK_PHASE], self.v.site[bucket * c.SITE + c.SITE_CELL], s
