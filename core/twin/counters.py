"""The counters, and the one place where an instance changes its state or its health.

Counts a set: how many instances in each state, in all, not healthy, upgraded and not healthy, in flight. Counts a
bucket: pending, pending and not healthy, in flight. Holds a cell, attempts at work a region, members in use a group.
Invariant: they are what one would count anew; a test does.

A set is *hot* if it might start a batch: a set that is not hot has a standing reason not to, and whatever lifts that
reason heats it again. A *touched* set may have ended a batch, a hold or an attempt. Neither belongs to the state: both
are remembered between steps to follow what changed, and after another state is taken up all sets are hot.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from phasegate.core import codes as c
from phasegate.core.lifecycle import Life
from phasegate.core.statics import Ragged, Statics
from phasegate.core.views import Views
from phasegate.core.workspace import Workspace

Answer = tuple[int, Sequence[int]]
Ask = Callable[[int, int, Sequence[int]], Answer]
"""Ask the users' policies about a batch: (set, bucket, slots) -> (ADMIT, WAIT or NEVER; the slots admitted)."""

ADMIT, WAIT, NEVER = 0, 1, 2
UNBOUNDED = 2**31 - 1


class Counters:
    """The columns, and how they are kept in step with one another."""

    is_compiled = False

    def __init__(self, workspace: Workspace, statics: Statics, ask: Ask | None) -> None:
        self.workspace = workspace
        self.v = Views(workspace)
        self.statics = statics
        self.ask = ask
        self.set_count = statics.region_sets[-1]
        self.busy = [0] * statics.cell_words  # one bit a cell: somebody holds it
        self.hot = bytearray(self.set_count)
        self.hot_sets: list[int] = []
        self.touched = bytearray(self.set_count)
        self.touched_sets: list[int] = []
        self.unsettled: list[int] = []  # rollouts of which an attempt has ended
        self.refusals: list[tuple[int, int]] = []  # (set, bucket) to which a user's policy said never
        self.assumed: list[int] = []  # sets of the picks that a walk has made so far
        self.is_quiet = False  # assumptions are being taken back: nobody is heated by that
        self.now = 0
        self.commanded: set[int] = set()  # slots that this step has given a command, which nobody can have answered
        self.since = 0  # no deadline of an instance in flight lies before it
        self.trace = array("i")
        self._group = -1  # where the trace's open group of instances has its count
        self.refresh()

    # --- taking up and leaving ---------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Work out anew what is remembered beside the state: which cells are busy; every set is hot.

        What a step that did not come to its end has left behind is forgotten.
        """
        self.since = self.workspace.now
        self.touched = bytearray(self.set_count)
        for left in (self.touched_sets, self.unsettled, self.refusals, self.assumed, self.hot_sets):
            left.clear()
        self.hot = bytearray(self.set_count)
        self.is_quiet = False
        self.busy = [0] * self.statics.cell_words
        for cell, holds in enumerate(self.v.holds[: len(self.statics.cell_region)]):
            if holds:
                self.busy[cell >> 6] |= 1 << (cell & 63)
        for s in range(self.set_count):
            self.heat(s)

    def begin(self, now: int) -> None:
        """Open a step at `now` with an empty trace."""
        self.now, self.since = now, self.workspace.now
        self.commanded.clear()
        self.trace = array("i")
        self._group = -1

    def take_trace(self) -> array[int]:
        """Return what has happened since `begin` (the records in `codes`)."""
        trace, self.trace, self._group = self.trace, array("i"), -1
        return trace

    # --- notes for later ---------------------------------------------------------------------------------------------

    def heat(self, s: int) -> None:
        """Note that the set might start a batch."""
        if not self.hot[s] and not self.is_quiet:
            self.hot[s] = 1
            self.hot_sets.append(s)

    def touch(self, s: int) -> None:
        """Note that the set's counts have changed."""
        self.heat(s)
        if not self.touched[s]:
            self.touched[s] = 1
            self.touched_sets.append(s)

    def heat_region(self, region: int) -> None:
        """Heat every set of a region that has an attempt."""
        status = self.v.status
        for s in range(self.statics.region_sets[region], self.statics.region_sets[region + 1]):
            if status[s] in (c.WAITING, c.ROLLING):
                self.heat(s)

    def heat_all_of(self, lists: Ragged, at: int) -> None:
        """Heat the regions in one of the ragged lists."""
        if not self.is_quiet:
            for region in items_of(lists, at):
                self.heat_region(region)

    def heat_group(self, group: int) -> None:
        """Heat all whom a group that has room again may have kept waiting."""
        for s in items_of(self.statics.group_sets, group):
            self.heat(s)
        self.heat_all_of(self.statics.group_regions, group)

    # --- the trace ---------------------------------------------------------------------------------------------------

    def record(self, *numbers: int) -> None:
        """Write one record."""
        self._group = -1
        self.trace.extend(numbers)

    def record_slot(self, operation: int, s: int, what: int, why: int, slot: int) -> None:
        """Write that something happened to an instance, joined to the record before it if that says the same."""
        at = self._group
        if at < 0 or self.trace[at - 4 : at] != array("i", (operation, s, what, why)):
            self.trace.extend((operation, s, what, why, 0))
            at = self._group = len(self.trace) - 1
        self.trace[at] += 1
        self.trace.append(slot)

    # --- one instance ------------------------------------------------------------------------------------------------

    def put(self, slot: int, state: int, health: int) -> None:
        """Give an instance a state and a health, and count it there instead of where it was."""
        v = self.v
        old = v.life[slot]
        bucket = v.bucket[slot]
        s = v.site[bucket * c.SITE + c.SITE_SET]
        self._count(s, bucket, old & c.STATE_BITS, old >> c.HEALTH_SHIFT, -1)
        self._count(s, bucket, state, health, 1)
        v.life[slot] = state | health << c.HEALTH_SHIFT
        v.touch_slot(slot, c.WROTE_LIFE)
        v.touch_set(s, c.WROTE_TALLY)
        self.touch(s)

    def _count(self, s: int, bucket: int, state: int, health: int, by: int) -> None:
        if state == Life.GONE:
            return
        v = self.v
        tally, wait = s * c.TALLY, bucket * c.WAIT
        bad = by if health in (1, 2) else 0
        v.tally[tally + state] += by
        v.tally[tally + c.TALLY_TOTAL] += by
        v.tally[tally + c.TALLY_BAD] += bad
        v.sums[c.SUM_TOTAL] += by
        v.sums[c.SUM_BAD] += bad
        if state == Life.PENDING:
            v.wait[wait + c.WAIT_PENDING] += by
            v.wait[wait + c.WAIT_BAD] += bad
            v.touch_bucket(bucket, c.WROTE_WAIT)
        elif state == Life.UPGRADED:
            v.tally[tally + c.TALLY_UPGRADED_BAD] += bad
        elif is_in_flight(state):
            v.tally[tally + c.TALLY_FLIGHT] += by
            v.wait[wait + c.WAIT_FLIGHT] += by
            v.touch_bucket(bucket, c.WROTE_WAIT)
            v.sums[c.SUM_FLIGHT] += by
            for group in items_of(self.statics.set_instance_groups, s):
                self.use(group, by)

    def use(self, group: int, by: int) -> None:
        """Count members of a group in or out of use."""
        before = self.v.used[group]
        self.v.used[group] = before + by
        limit = self.statics.group_limit[group]
        if before >= limit > before + by:
            self.heat_group(group)

    # --- holds and work ----------------------------------------------------------------------------------------------

    def hold(self, cell: int) -> None:
        """Let one attempt more hold the cell."""
        holds = self.v.holds
        holds[cell] += 1
        if holds[cell] == 1:
            self.busy[cell >> 6] |= 1 << (cell & 63)
            for group in items_of(self.statics.cell_groups, cell):
                self.use(group, 1)

    def unhold(self, cell: int) -> None:
        """Let one attempt less hold the cell; whoever waits for it is heated."""
        holds = self.v.holds
        holds[cell] -= 1
        if holds[cell] == 0:
            self.busy[cell >> 6] &= ~(1 << (cell & 63))
            for group in items_of(self.statics.cell_groups, cell):
                self.use(group, -1)
            self.heat_all_of(self.statics.cell_wakes, cell)

    def work(self, s: int, by: int) -> None:
        """Count an attempt at work in its region and groups, or no more."""
        region = self.v.link[s * c.LINK + c.LINK_REGION]
        self.v.working[region] += by
        for group in items_of(self.statics.set_work_groups, s):
            self.use(group, by)
        if self.v.working[region] == 0:
            self.heat_all_of(self.statics.region_pairs, region)

    def let_go(self, s: int) -> None:
        """End the attempt's hold, if it has one."""
        at = s * c.LINK + c.LINK_HOLD
        cell = self.v.link[at]
        if cell >= 0:
            self.v.link[at] = -1
            self.v.touch_set(s, c.WROTE_LINK)
            self.touch(s)
            self.unhold(cell)

    # --- reading -----------------------------------------------------------------------------------------------------

    def buckets(self, s: int) -> range:
        """Return the set's buckets, in order: by phase ordering number, cell, upgrade domain."""
        first = self.v.link[s * c.LINK + c.LINK_BUCKET]
        return range(first, first + self.v.link[s * c.LINK + c.LINK_BUCKETS])

    def members(self, bucket: int) -> memoryview:
        """Return the slots of a bucket in order, those that are gone too."""
        first = self.v.site[bucket * c.SITE + c.SITE_FIRST]
        return self.v.order[first : first + self.v.site[bucket * c.SITE + c.SITE_COUNT]]

    def present(self, s: int) -> array[int]:
        """Return the slots of the set's instances in order, without those that are gone."""
        found = array("I")
        for bucket in self.buckets(s):
            found.extend(slot for slot in self.members(bucket) if self.v.life[slot] & c.STATE_BITS != Life.GONE)
        return found

    def earliest(self, s: int) -> int:
        """Return when the first deadline of the set's instances in flight falls due, 0 if none is in flight."""
        v = self.v
        found = 0
        if not v.tally[s * c.TALLY + c.TALLY_FLIGHT]:
            return 0
        for bucket in self.buckets(s):
            if v.wait[bucket * c.WAIT + c.WAIT_FLIGHT]:
                for slot in self.members(bucket):
                    time = self.deadline_of(slot)
                    if time and (not found or time < found):
                        found = time
        return found

    def overdue(self, s: int, before: int) -> array[int]:
        """Return the slots of the set's instances in flight whose deadline lies before that time, in order."""
        v = self.v
        found = array("I")
        for bucket in self.buckets(s):
            if v.wait[bucket * c.WAIT + c.WAIT_FLIGHT]:
                found.extend(slot for slot in self.members(bucket) if 0 < self.deadline_of(slot) < before)
        return found

    def deadline_of(self, slot: int) -> int:
        """Return when the instance's deadline falls due, 0 if it is not in flight.

        Its column has the time modulo 2**32. That is enough: deadlines pass before anything else happens, so none lies
        before the state that the step began from, and none farther ahead of it than the leap and the longest timeout.
        """
        if not is_in_flight(self.v.life[slot] & c.STATE_BITS):
            return 0
        return self.since + (self.v.deadline[slot] - self.since) % c.DEADLINES

    def set_deadline(self, slot: int, time: int) -> None:
        """Set when the instance's deadline falls due."""
        self.v.deadline[slot] = time % c.DEADLINES

    def leap(self) -> None:
        """Where time has leapt so far that all deadlines before the leap lie behind: let them be of the instant before.

        So they stay apart from those that come up now. In which order they fall due must be known already.
        """
        if self.now - self.since <= c.TIMEOUT_MS_MAX:
            return
        for s in range(self.set_count):
            for slot in self.overdue(s, self.now):
                self.set_deadline(slot, self.now - 1)
                self.v.touch_slot(slot, c.WROTE_DEADLINE)
        self.since = self.now - 1


def is_in_flight(state: int) -> bool:
    """Whether an instance in that state is unavailable because of us."""
    return state in (Life.REPLACING, Life.CONFIGURING, Life.VERIFYING, Life.RESTORING)


def items_of(lists: Ragged, at: int) -> Iterable[int]:
    """Return one of the ragged lists."""
    first, items = lists
    return items[first[at] : first[at + 1]]
