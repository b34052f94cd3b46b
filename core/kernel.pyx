# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""The selector and the stepper, compiled: `core.twin` function by function, in the same order.

The contract of this boundary, said once: columns come as the writable buffers of a `Workspace`, in the types of
`core.columns`; slots, sets, buckets, cells and rollouts are in range; events have been checked. What is a method of the
twin is one here, with the same arguments and results. Inside, everything runs on raw memory without the GIL, which is
taken only to ask a user's policy.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memcpy, memset

from phasegate.core.prefetch cimport prefetch

import array as _arrays

from phasegate.core import codes as _codes
from phasegate.core.columns import PAGE_ROWS as _PAGE_ROWS
from phasegate.core.picks import Picks as _Picks

cdef enum:
    AHEAD = 8  # how many sets before its turn a walk asks the memory for what it will read of one

CODES = dict(
    WROTE_LIFE=WROTE_LIFE, WROTE_FLAG=WROTE_FLAG, WROTE_VERSION=WROTE_VERSION, WROTE_FAILED=WROTE_FAILED,
    WROTE_OBSERVED=WROTE_OBSERVED, WROTE_DEADLINE=WROTE_DEADLINE, WROTE_WAIT=WROTE_WAIT,
    WROTE_BEGUN=WROTE_BEGUN, WROTE_STATUS=WROTE_STATUS, WROTE_MARK=WROTE_MARK, WROTE_CODE=WROTE_CODE,
    WROTE_TALLY=WROTE_TALLY, WROTE_LINK=WROTE_LINK, WROTE_CLOCK=WROTE_CLOCK,
    STATE_BITS=STATE_BITS, HEALTH_SHIFT=HEALTH_SHIFT, BROKEN=BROKEN, REFUSED=REFUSED, TOO_LATE=TOO_LATE,
    SWAPPED=SWAPPED, UNANSWERED=UNANSWERED, TIMEOUT_MS_MAX=TIMEOUT_MS_MAX, OBSERVED=OBSERVED,
    SITE_SET=SITE_SET, SITE_CELL=SITE_CELL, SITE_DOMAIN=SITE_DOMAIN, SITE_NUMBER=SITE_NUMBER,
    SITE_FIRST=SITE_FIRST, SITE_COUNT=SITE_COUNT, SITE=SITE,
    WAIT_PENDING=WAIT_PENDING, WAIT_BAD=WAIT_BAD, WAIT_FLIGHT=WAIT_FLIGHT, WAIT=WAIT, LATELY_MAX=LATELY_MAX,
    NONE=NONE, WAITING=WAITING, ROLLING=ROLLING, COMPLETED=COMPLETED, FAULTED=FAULTED, CANCELLED=CANCELLED,
    CANCELLING=CANCELLING, LEFT=LEFT, DELAYED=DELAYED, RESTING=RESTING, SHUT=SHUT, UNFIT=UNFIT, BATCHING=BATCHING,
    PRIORITIZE=PRIORITIZE, CROSS_ZONE=CROSS_ZONE, FABRIC=FABRIC, ROLLBACK=ROLLBACK, SHRINKS=SHRINKS, OF_SET=OF_SET,
    MANUAL_SET=MANUAL_SET, NO_ERROR=NO_ERROR, TOO_MANY_UPGRADED_UNHEALTHY=TOO_MANY_UPGRADED_UNHEALTHY,
    TOO_MANY_UNHEALTHY_BEFORE=TOO_MANY_UNHEALTHY_BEFORE, TOO_MANY_UNHEALTHY=TOO_MANY_UNHEALTHY,
    REFUSED_BY_POLICY=REFUSED_BY_POLICY,
    BATCH_PERCENT=BATCH_PERCENT, UNHEALTHY_PERCENT=UNHEALTHY_PERCENT, UPGRADED_PERCENT=UPGRADED_PERCENT,
    PERCENT=PERCENT, TALLY_TOTAL=TALLY_TOTAL, TALLY_BAD=TALLY_BAD, TALLY_UPGRADED_BAD=TALLY_UPGRADED_BAD,
    TALLY_FLIGHT=TALLY_FLIGHT, TALLY_BATCHES=TALLY_BATCHES, TALLY_UNRESTORED=TALLY_UNRESTORED,
    TALLY_TOO_LATE=TALLY_TOO_LATE, TALLY=TALLY,
    LINK_ROLLOUT=LINK_ROLLOUT, LINK_PHASE=LINK_PHASE, LINK_ATTEMPT=LINK_ATTEMPT, LINK_HOLD=LINK_HOLD,
    LINK_TARGET=LINK_TARGET, LINK_REGION=LINK_REGION, LINK_BUCKET=LINK_BUCKET, LINK_BUCKETS=LINK_BUCKETS, LINK=LINK,
    CLOCK_BEGAN=CLOCK_BEGAN, CLOCK_DELAY=CLOCK_DELAY, CLOCK_REST=CLOCK_REST, CLOCK_WINDOW=CLOCK_WINDOW,
    CLOCK_PAUSE=CLOCK_PAUSE, CLOCK=CLOCK,
    RUNNING=RUNNING, RO_COMPLETED=RO_COMPLETED, RO_FAULTED=RO_FAULTED, RO_HALTED=RO_HALTED, RO_CANCELLED=RO_CANCELLED,
    PAUSED=PAUSED, PHASED=PHASED, BAKING=BAKING, STOPPING=STOPPING,
    PLAN_PHASE=PLAN_PHASE, PLAN_PHASES=PLAN_PHASES, PLAN_OPEN=PLAN_OPEN, PLAN_ALIVE=PLAN_ALIVE,
    PLAN_FAULTED=PLAN_FAULTED, PLAN_CANCELLED=PLAN_CANCELLED, PLAN_LOST=PLAN_LOST, PLAN_ELIGIBLE=PLAN_ELIGIBLE,
    PLAN=PLAN, DIAL_PAUSED=DIAL_PAUSED, DIAL_BAKED=DIAL_BAKED, DIAL_OPENED=DIAL_OPENED, DIAL_ENDED=DIAL_ENDED,
    DIAL=DIAL, SUM_FLIGHT=SUM_FLIGHT, SUM_BAD=SUM_BAD, SUM_TOTAL=SUM_TOTAL,
    T_BECAME=T_BECAME, T_IGNORED=T_IGNORED, T_STARTED=T_STARTED, T_ATTEMPT_ENDED=T_ATTEMPT_ENDED,
    T_PHASE_OPENED=T_PHASE_OPENED, T_PHASE_ENDED=T_PHASE_ENDED, T_ROLLOUT_ENDED=T_ROLLOUT_ENDED, T_ARMED=T_ARMED,
    T_FAILED_MORE=T_FAILED_MORE, LATE=LATE, STALE=STALE, DUPLICATE=DUPLICATE, IS_GONE=IS_GONE,
    BY_BATCH=BY_BATCH, BY_SIGNAL=BY_SIGNAL, BY_DEADLINE=BY_DEADLINE, BY_POLICY=BY_POLICY,
    TIMER_DEADLINE=TIMER_DEADLINE, TIMER_DELAY=TIMER_DELAY, TIMER_REST=TIMER_REST, TIMER_BAKE=TIMER_BAKE,
    TIMER_WINDOW=TIMER_WINDOW,
    NO_ATTEMPT=NO_ATTEMPT, ENDED=ENDED, IS_CANCELLED=IS_CANCELLED, IS_PAUSED=IS_PAUSED, PHASE_SHUT=PHASE_SHUT,
    IN_FLIGHT=IN_FLIGHT, NOT_BEFORE=NOT_BEFORE, WINDOW_SHUT=WINDOW_SHUT, PAIR_AT_WORK=PAIR_AT_WORK,
    GROUP_FULL=GROUP_FULL, CELL_BUSY=CELL_BUSY, NOT_ELIGIBLE=NOT_ELIGIBLE, UPGRADED_UNHEALTHY=UPGRADED_UNHEALTHY,
    SET_UNHEALTHY=SET_UNHEALTHY,
)

if (_PAGE_ROWS["instance"], _PAGE_ROWS["bucket"], _PAGE_ROWS["set"]) != (SLOT_PAGE, BUCKET_PAGE, SET_PAGE):
    raise ImportError("the compiled kernel was built for pages of another size; build it again")
for _name, _value in CODES.items():
    if getattr(_codes, _name) != _value:
        raise ImportError(f"the compiled kernel was built with another {_name}; build it again")


# --- growing arrays of integers --------------------------------------------------------------------------------------

cdef int32_t* reserved(Ints* ints, Py_ssize_t more) except NULL nogil:
    """Make room for so many numbers; return where the first of them goes."""
    cdef int32_t* data
    if ints.size + more > ints.room:
        data = <int32_t*>realloc(ints.data, (2 * ints.room + more + 64) * sizeof(int32_t))
        if data == NULL:
            with gil:
                raise MemoryError()
        ints.data = data
        ints.room = 2 * ints.room + more + 64
    return ints.data + ints.size


cdef int by_size(const void* one, const void* other) noexcept nogil:
    cdef int32_t a = (<const int32_t*>one)[0]
    cdef int32_t b = (<const int32_t*>other)[0]
    return (a > b) - (a < b)


cdef uint8_t* start_of(uint8_t[::1] column) noexcept:
    """Return where a column's memory begins: a bytearray's own, or a part of an arena that holds many."""
    return &column[0]


cdef Py_ssize_t pages_of(uint8_t[::1] column, Py_ssize_t page_rows) noexcept:
    """Return how many pages a column of bytes has; its coarse marks stand behind as many (`columns.marks_for`)."""
    return (column.shape[0] + page_rows - 1) // page_rows


cdef inline void mark_page(uint8_t* marks, uint8_t* coarse, Py_ssize_t page, int what) noexcept nogil:
    """Mark columns of a page as written."""
    marks[page] |= what
    coarse[page >> 6] = 1


cdef array.array as_array(str typecode, const int32_t* data, Py_ssize_t size):
    """Return a copy as an array."""
    cdef array.array made = array.clone(_arrays.array(typecode), size, False)
    if size:
        memcpy(made.data.as_voidptr, data, size * sizeof(int32_t))
    return made


cdef array.array uint32s(object slots):
    """Return slots as an array of uint32, itself if it is one."""
    if isinstance(slots, _arrays.array) and (<array.array>slots).typecode == "I":
        return <array.array>slots
    return _arrays.array("I", slots)


# --- ragged lists ----------------------------------------------------------------------------------------------------

cdef Ragged ragged(object lists):
    cdef Ragged made
    made.first = (<array.array?>lists[0]).data.as_uints
    made.items = (<array.array?>lists[1]).data.as_uints
    return made


cdef uint8_t* swap_in(uint8_t* copy, uint8_t* column, Py_ssize_t size, bint back) noexcept nogil:
    """Copy a column, or put its copy back; return where the next copy goes."""
    if back:
        memcpy(column, copy, size)
    else:
        memcpy(copy, column, size)
    return copy + size


# --- places in the order ---------------------------------------------------------------------------------------------

cdef inline bint precedes(Place one, Place other) noexcept nogil:
    if one.phase != other.phase:
        return one.phase < other.phase
    if one.cell != other.cell:
        return one.cell < other.cell
    return one.s < other.s


cdef int make_room(Places* places, Py_ssize_t count) except -1 nogil:
    cdef Place* data
    if count > places.room:
        data = <Place*>realloc(places.data, (count + count // 2 + 64) * sizeof(Place))
        if data == NULL:
            with gil:
                raise MemoryError()
        places.data = data
        places.room = count + count // 2 + 64
    return 0


cdef inline int32_t key_of(Place place, bint by_phase) noexcept nogil:
    return place.phase if by_phase else place.cell


cdef int sort_by(Places* places, Places* spare, bint by_phase) except -1 nogil:
    """Sort places by one key, keeping the order of those that are equal: count, then put each where it belongs."""
    cdef int32_t highest = 0
    cdef bint is_sorted = True
    cdef Py_ssize_t* ends
    cdef Py_ssize_t i, before, count
    cdef int32_t key
    cdef Places swap
    for i in range(places.size):
        key = key_of(places.data[i], by_phase)
        highest = max(highest, key)
        is_sorted = is_sorted and (i == 0 or key_of(places.data[i - 1], by_phase) <= key)
    if is_sorted:
        return 0
    make_room(spare, places.size)
    ends = <Py_ssize_t*>calloc(highest + 1, sizeof(Py_ssize_t))
    if ends == NULL:
        with gil:
            raise MemoryError()
    for i in range(places.size):
        ends[key_of(places.data[i], by_phase)] += 1
    before = 0
    for key in range(highest + 1):
        count = ends[key]
        ends[key] = before
        before += count
    for i in range(places.size):
        key = key_of(places.data[i], by_phase)
        spare.data[ends[key]] = places.data[i]
        ends[key] += 1
    free(ends)
    spare.size = places.size
    swap = places[0]
    places[0] = spare[0]
    spare[0] = swap
    return 0


cdef int put_back(Places* heap, Place place) except -1 nogil:
    """Add a place to a heap."""
    cdef Py_ssize_t at = heap.size
    make_room(heap, heap.size + 1)
    heap.size += 1
    while at > 0 and precedes(place, heap.data[(at - 1) // 2]):
        heap.data[at] = heap.data[(at - 1) // 2]
        at = (at - 1) // 2
    heap.data[at] = place
    return 0


cdef Place take_first(Places* heap) noexcept nogil:
    """Take the first place out of a heap that is not empty."""
    cdef Place first = heap.data[0]
    cdef Place moved
    cdef Py_ssize_t at = 0, child
    heap.size -= 1
    moved = heap.data[heap.size]
    while True:
        child = 2 * at + 1
        if child >= heap.size:
            break
        if child + 1 < heap.size and precedes(heap.data[child + 1], heap.data[child]):
            child += 1
        if not precedes(heap.data[child], moved):
            break
        heap.data[at] = heap.data[child]
        at = child
    heap.data[at] = moved
    return first


cdef class Kernel:
    """The selector and the stepper on the raw columns of a workspace."""

    is_compiled = True

    def __cinit__(self, workspace, statics, ask):
        self.workspace, self.statics, self.ask = workspace, statics, ask
        flat, dirty = workspace.flat, workspace.dirty
        self.keep = [flat, dirty, statics]
        self.life = <uint8_t*>start_of(flat["life"])
        self.flag = <uint8_t*>start_of(flat["flag"])
        self.version = <uint16_t*>start_of(flat["version"])
        self.failed = <uint16_t*>start_of(flat["failed"])
        self.bucket = <uint32_t*>start_of(flat["bucket"])
        self.observed = <uint16_t*>start_of(flat["observed"])
        self.deadline = <uint32_t*>start_of(flat["deadline"])
        self.order = <uint32_t*>start_of(flat["order"])
        self.site = <int32_t*>start_of(flat["site"])
        self.wait = <uint32_t*>start_of(flat["wait"])
        self.begun = <uint8_t*>start_of(flat["begun"])
        self.status = <uint8_t*>start_of(flat["status"])
        self.mark = <uint8_t*>start_of(flat["mark"])
        self.option = <uint8_t*>start_of(flat["option"])
        self.code = <uint8_t*>start_of(flat["code"])
        self.percent = <uint8_t*>start_of(flat["percent"])
        self.tally = <uint32_t*>start_of(flat["tally"])
        self.link = <int32_t*>start_of(flat["link"])
        self.clock = <int64_t*>start_of(flat["clock"])
        self.holds = <uint32_t*>start_of(flat["holds"])
        self.working = <uint32_t*>start_of(flat["working"])
        self.used = <uint32_t*>start_of(flat["used"])
        self.course = <uint8_t*>start_of(flat["course"])
        self.trait = <uint8_t*>start_of(flat["trait"])
        self.plan = <int32_t*>start_of(flat["plan"])
        self.dial = <int64_t*>start_of(flat["dial"])
        self.sums = <int64_t*>start_of(flat["sums"])
        self.dirty_slots = <uint8_t*>start_of(dirty["instance"])
        self.dirty_buckets = <uint8_t*>start_of(dirty["bucket"])
        self.dirty_sets = <uint8_t*>start_of(dirty["set"])
        self.coarse_slots = self.dirty_slots + pages_of(flat["life"], SLOT_PAGE)
        self.coarse_buckets = self.dirty_buckets + pages_of(flat["begun"], BUCKET_PAGE)
        self.coarse_sets = self.dirty_sets + pages_of(flat["status"], SET_PAGE)
        self.life_table = <const uint8_t*>PyBytes_AS_STRING(statics.life_table)
        self.cell_rows = <const uint64_t*>(<array.array?>statics.cell_rows).data.as_ulonglongs
        self.region_sets = (<array.array?>statics.region_sets).data.as_uints
        self.group_limit = (<array.array?>statics.group_limit).data.as_uints
        self.cell_wakes = ragged(statics.cell_wakes)
        self.cell_groups = ragged(statics.cell_groups)
        self.region_pairs = ragged(statics.region_pairs)
        self.set_instance_groups = ragged(statics.set_instance_groups)
        self.set_work_groups = ragged(statics.set_work_groups)
        self.group_sets = ragged(statics.group_sets)
        self.group_regions = ragged(statics.group_regions)
        self.listed = statics.listed
        self.cell_words = statics.cell_words
        self.cell_count = len(statics.cell_region)
        self.region_count = len(statics.region_sets) - 1
        self.group_count = len(statics.group_limit)
        self.set_count = self.region_sets[len(statics.region_sets) - 1]
        self.step_timeout_ms = statics.step_timeout_ms
        self.health_timeout_ms = statics.health_timeout_ms
        self.phase_bake_ms = statics.phase_bake_ms
        self.phase_failure_percent = statics.phase_failure_percent
        self.has_delays = statics.has_delays
        self.busy = <uint64_t*>malloc(self.cell_words * sizeof(uint64_t))
        self.hot = <uint8_t*>malloc(self.set_count + 1)
        self.touched = <uint8_t*>malloc(self.set_count + 1)
        self.before = <uint8_t*>malloc(
            4 * (self.cell_count + self.region_count + self.group_count) + self.cell_words * sizeof(uint64_t)
        )
        if self.busy == NULL or self.hot == NULL or self.touched == NULL or self.before == NULL:
            raise MemoryError()
        memset(self.hot, 0, self.set_count + 1)
        memset(self.touched, 0, self.set_count + 1)
        self.commands = NULL
        self.commands_bytes = 0
        self.group = -1
        self.refresh()

    def __dealloc__(self):
        free(self.busy)
        free(self.hot)
        free(self.touched)
        free(self.commands)
        free(self.commanded.data)
        free(self.hot_sets.data)
        free(self.touched_sets.data)
        free(self.unsettled.data)
        free(self.refusals.data)
        free(self.assumed_sets.data)
        free(self.found.data)
        free(self.batch.data)
        free(self.picks.data)
        free(self.pick_slots.data)
        free(self.ends.data)
        free(self.choices.data)
        free(self.choice_slots.data)
        free(self.before)
        free(self.doubtful.data)
        free(self.turns.data)
        free(self.queue.data)
        free(self.later.data)
        free(self.sorting.data)
        free(self.trace.data)

    # --- taking up and leaving ---------------------------------------------------------------------------------------

    def refresh(self):
        """Work out anew what is remembered beside the state: which cells are busy; every set is hot."""
        cdef int cell, s
        self.since = self.workspace.now
        memset(self.touched, 0, self.set_count + 1)
        self.touched_sets.size = self.unsettled.size = self.refusals.size = 0
        self.assumed_sets.size = self.hot_sets.size = 0
        memset(self.hot, 0, self.set_count + 1)
        self.is_quiet = False
        memset(self.busy, 0, self.cell_words * sizeof(uint64_t))
        for cell in range(self.cell_count):
            if self.holds[cell]:
                self.busy[cell >> 6] |= (<uint64_t>1) << (cell & 63)
        for s in range(self.set_count):
            self.c_heat(s)

    def begin(self, int64_t now):
        """Open a step at `now` with an empty trace."""
        cdef Py_ssize_t i
        self.now, self.since = now, self.workspace.now
        for i in range(self.commanded.size):
            self.commands[self.commanded.data[i] >> 3] = 0
        self.commanded.size = 0
        self.trace.size = 0
        self.group = -1

    def take_trace(self):
        """Return what has happened since `begin` (the records in `codes`)."""
        trace = as_array("i", self.trace.data, self.trace.size)
        self.trace.size = 0
        self.group = -1
        return trace

    # --- notes for later ---------------------------------------------------------------------------------------------

    cdef int c_heat(self, int s) except -1 nogil:
        if not self.hot[s] and not self.is_quiet:
            self.hot[s] = 1
            push(&self.hot_sets, s)
        return 0

    cdef int c_touch(self, int s) except -1 nogil:
        if not self.hot[s]:
            self.c_heat(s)
        if not self.touched[s]:
            self.touched[s] = 1
            push(&self.touched_sets, s)
        return 0

    def heat(self, int s):
        """Note that the set might start a batch."""
        self.c_heat(s)

    def touch(self, int s):
        """Note that the set's counts have changed."""
        self.c_touch(s)

    cdef int heat_region(self, int region) except -1 nogil:
        cdef uint32_t s
        for s in range(self.region_sets[region], self.region_sets[region + 1]):
            if self.status[s] == WAITING or self.status[s] == ROLLING:
                self.c_heat(s)
        return 0

    cdef int heat_all_of(self, Ragged lists, int at) except -1 nogil:
        cdef uint32_t i
        if not self.is_quiet:
            for i in range(lists.first[at], lists.first[at + 1]):
                self.heat_region(lists.items[i])
        return 0

    cdef int heat_group(self, int group) except -1 nogil:
        cdef uint32_t i
        for i in range(self.group_sets.first[group], self.group_sets.first[group + 1]):
            self.c_heat(self.group_sets.items[i])
        return self.heat_all_of(self.group_regions, group)

    # --- the trace ---------------------------------------------------------------------------------------------------

    cdef int record(self, int count, int a, int b, int c, int d, int e, int f) except -1 nogil:
        self.group = -1
        push(&self.trace, a)
        push(&self.trace, b)
        push(&self.trace, c)
        if count > 3:
            push(&self.trace, d)
        if count > 4:
            push(&self.trace, e)
            push(&self.trace, f)
        return 0

    cdef int record_slot(self, int operation, int s, int what, int why, int slot) except -1 nogil:
        cdef Py_ssize_t at = self.group
        cdef int32_t* data = self.trace.data
        if at < 0 or data[at - 4] != operation or data[at - 3] != s or data[at - 2] != what or data[at - 1] != why:
            push(&self.trace, operation)
            push(&self.trace, s)
            push(&self.trace, what)
            push(&self.trace, why)
            push(&self.trace, 0)
            at = self.group = self.trace.size - 1
        self.trace.data[at] += 1
        return push(&self.trace, slot)

    # --- one instance ------------------------------------------------------------------------------------------------

    cdef int c_put(self, int slot, int state, int health) except -1 nogil:
        cdef int old = self.life[slot]
        cdef int bucket = self.bucket[slot]
        cdef int s = self.site[bucket * SITE + SITE_SET]
        self.recount(s, bucket, old & STATE_BITS, is_bad(old >> HEALTH_SHIFT), state, is_bad(health))
        self.life[slot] = <uint8_t>(state | health << HEALTH_SHIFT)
        mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_LIFE)
        mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_TALLY)
        return self.c_touch(s)

    def put(self, int slot, int state, int health):
        """Give an instance a state and a health, and count it there instead of where it was."""
        self.c_put(slot, state, health)

    cdef int recount(self, int s, int bucket, int was, int was_bad, int state, int bad) except -1 nogil:
        """Count an instance in a state (and as bad or not) instead of where it was."""
        cdef uint32_t* tally = self.tally + <Py_ssize_t>s * TALLY
        cdef uint32_t* wait = self.wait + <Py_ssize_t>bucket * WAIT
        cdef int by
        cdef uint32_t i
        if was == GONE or state == GONE:
            was_bad = 0 if was == GONE else was_bad
            bad = 0 if state == GONE else bad
            by = (was == GONE) - (state == GONE)
            tally[TALLY_TOTAL] += by
            self.sums[SUM_TOTAL] += by
        tally[was] -= was != GONE
        tally[state] += state != GONE
        if bad != was_bad:
            tally[TALLY_BAD] += bad - was_bad
            self.sums[SUM_BAD] += bad - was_bad
        by = is_in_flight(state) - is_in_flight(was)
        if was == PENDING or state == PENDING or by:
            mark_page(self.dirty_buckets, self.coarse_buckets, bucket // BUCKET_PAGE, WROTE_WAIT)
        if was == PENDING:
            wait[WAIT_PENDING] -= 1
            wait[WAIT_BAD] -= was_bad
        elif was == UPGRADED:
            tally[TALLY_UPGRADED_BAD] -= was_bad
        if state == PENDING:
            wait[WAIT_PENDING] += 1
            wait[WAIT_BAD] += bad
        elif state == UPGRADED:
            tally[TALLY_UPGRADED_BAD] += bad
        if by:
            tally[TALLY_FLIGHT] += by
            wait[WAIT_FLIGHT] += by
            self.sums[SUM_FLIGHT] += by
            for i in range(self.set_instance_groups.first[s], self.set_instance_groups.first[s + 1]):
                self.use(self.set_instance_groups.items[i], by)
        return 0

    cdef int use(self, int group, int by) except -1 nogil:
        cdef int64_t before = self.used[group]
        cdef int64_t limit = self.group_limit[group]
        self.used[group] = <uint32_t>(before + by)
        if before >= limit > before + by:
            self.heat_group(group)
        return 0

    # --- holds and work ----------------------------------------------------------------------------------------------

    cdef int hold(self, int cell) except -1 nogil:
        cdef uint32_t i
        self.holds[cell] += 1
        if self.holds[cell] == 1:
            self.busy[cell >> 6] |= (<uint64_t>1) << (cell & 63)
            for i in range(self.cell_groups.first[cell], self.cell_groups.first[cell + 1]):
                self.use(self.cell_groups.items[i], 1)
        return 0

    cdef int unhold(self, int cell) except -1 nogil:
        cdef uint32_t i
        self.holds[cell] -= 1
        if self.holds[cell] == 0:
            self.busy[cell >> 6] &= ~((<uint64_t>1) << (cell & 63))
            for i in range(self.cell_groups.first[cell], self.cell_groups.first[cell + 1]):
                self.use(self.cell_groups.items[i], -1)
            self.heat_all_of(self.cell_wakes, cell)
        return 0

    cdef int work(self, int s, int by) except -1 nogil:
        cdef int region = self.link[s * LINK + LINK_REGION]
        cdef uint32_t i
        self.working[region] += by
        for i in range(self.set_work_groups.first[s], self.set_work_groups.first[s + 1]):
            self.use(self.set_work_groups.items[i], by)
        if self.working[region] == 0:
            self.heat_all_of(self.region_pairs, region)
        return 0

    cdef int let_go(self, int s) except -1 nogil:
        cdef int cell = self.link[s * LINK + LINK_HOLD]
        if cell >= 0:
            self.link[s * LINK + LINK_HOLD] = -1
            mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_LINK)
            self.c_touch(s)
            self.unhold(cell)
        return 0

    # --- reading -----------------------------------------------------------------------------------------------------

    cdef int first_bucket(self, int s) noexcept nogil:
        return self.link[s * LINK + LINK_BUCKET]

    cdef int end_bucket(self, int s) noexcept nogil:
        return self.link[s * LINK + LINK_BUCKET] + self.link[s * LINK + LINK_BUCKETS]

    def buckets(self, int s):
        """Return the set's buckets, in order: by phase ordering number, cell, upgrade domain."""
        return range(self.first_bucket(s), self.end_bucket(s))

    def members(self, int bucket):
        """Return the slots of a bucket in order, those that are gone too."""
        cdef int32_t* site = self.site + <Py_ssize_t>bucket * SITE
        return as_array("I", <const int32_t*>(self.order + site[SITE_FIRST]), site[SITE_COUNT])

    def present(self, int s):
        """Return the slots of the set's instances in order, without those that are gone."""
        cdef int bucket, i
        cdef uint32_t* run
        self.found.size = 0
        for bucket in range(self.first_bucket(s), self.end_bucket(s)):
            run = self.order + self.site[bucket * SITE + SITE_FIRST]
            for i in range(self.site[bucket * SITE + SITE_COUNT]):
                if self.life[run[i]] & STATE_BITS != GONE:
                    push(&self.found, run[i])
        return as_array("I", self.found.data, self.found.size)

    def earliest(self, int s):
        """Return when the first deadline of the set's instances in flight falls due, 0 if none is in flight."""
        return self.c_earliest(s)

    cdef int64_t c_earliest(self, int s) noexcept nogil:
        cdef int64_t found = 0
        cdef int bucket
        cdef uint32_t* run
        cdef int64_t time
        cdef int i, slot
        if self.tally[<Py_ssize_t>s * TALLY + TALLY_FLIGHT]:
            for bucket in range(self.first_bucket(s), self.end_bucket(s)):
                if self.wait[<Py_ssize_t>bucket * WAIT + WAIT_FLIGHT]:
                    run = self.order + self.site[bucket * SITE + SITE_FIRST]
                    for i in range(self.site[bucket * SITE + SITE_COUNT]):
                        slot = run[i]
                        if is_in_flight(self.life[slot] & STATE_BITS):
                            time = self.time_of_deadline(slot)
                            if not found or time < found:
                                found = time
        return found

    def overdue(self, int s, int64_t before):
        """Return the slots of the set's instances in flight whose deadline lies before that time, in order."""
        self.find_overdue(s, before)
        return as_array("I", self.found.data, self.found.size)

    cdef int find_overdue(self, int s, int64_t before) except -1 nogil:
        cdef int bucket, i, slot
        cdef uint32_t* run
        self.found.size = 0
        for bucket in range(self.first_bucket(s), self.end_bucket(s)):
            if self.wait[<Py_ssize_t>bucket * WAIT + WAIT_FLIGHT]:
                run = self.order + self.site[bucket * SITE + SITE_FIRST]
                for i in range(self.site[bucket * SITE + SITE_COUNT]):
                    slot = run[i]
                    if is_in_flight(self.life[slot] & STATE_BITS) and self.time_of_deadline(slot) < before:
                        push(&self.found, slot)
        return 0

    cdef int64_t time_of_deadline(self, int slot) noexcept nogil:
        return self.since + <uint32_t>(self.deadline[slot] - <uint32_t>self.since)

    def deadline_of(self, int slot):
        """Return when the instance's deadline falls due, 0 if it is not in flight."""
        return self.time_of_deadline(slot) if is_in_flight(self.life[slot] & STATE_BITS) else 0

    def set_deadline(self, int slot, int64_t time):
        """Set when the instance's deadline falls due."""
        self.deadline[slot] = <uint32_t>time

    def leap(self):
        """Where time has leapt so far that all deadlines before the leap are over: they get the instant before it."""
        if self.now - self.since > TIMEOUT_MS_MAX:
            self.c_leap()

    cdef int c_leap(self) except -1 nogil:
        cdef Py_ssize_t i
        cdef int s, slot
        for s in range(self.set_count):
            self.find_overdue(s, self.now)
            for i in range(self.found.size):
                slot = self.found.data[i]
                self.deadline[slot] = <uint32_t>(self.now - 1)
                mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_DEADLINE)
        self.since = self.now - 1
        return 0

    @property
    def assumed(self):
        """The sets of the picks that a walk has made so far."""
        return [self.assumed_sets.data[i] for i in range(self.assumed_sets.size)]

    # --- the numbers of section 7 ------------------------------------------------------------------------------------

    cdef int c_cap(self, int s) noexcept nogil:
        cdef int64_t total = self.tally[<Py_ssize_t>s * TALLY + TALLY_TOTAL]
        cdef int64_t cap = total * self.percent[s * PERCENT + BATCH_PERCENT] // 100
        if total - 1 < cap:
            cap = total - 1
        return <int>cap if cap > 1 else 1

    def cap(self, int s):
        """Return how many instances a batch of the set may have."""
        return self.c_cap(s)

    cdef int c_healthy_at_most(self, int s) noexcept nogil:
        cdef int64_t left
        if not self.option[s] & SHRINKS:
            return UNBOUNDED
        left = <int64_t>self.c_cap(s) - self.tally[<Py_ssize_t>s * TALLY + TALLY_BAD]
        return <int>left if left > 0 else 0

    def healthy_at_most(self, int s):
        """Return how many of a batch may be healthy or initializing, were it larger than one."""
        return self.c_healthy_at_most(s)

    cdef int c_room(self, int s) noexcept nogil:
        cdef int64_t found = UNBOUNDED
        cdef int64_t left
        cdef uint32_t i, group
        for i in range(self.set_instance_groups.first[s], self.set_instance_groups.first[s + 1]):
            group = self.set_instance_groups.items[i]
            left = <int64_t>self.group_limit[group] - self.used[group]
            if left < found:
                found = left
        return <int>found if found > 0 else 0

    def room(self, int s):
        """Return how many instances of the set its groups still let in flight."""
        return self.c_room(s)

    cdef bint c_upgraded_gate_broken(self, int s) noexcept nogil:
        cdef uint32_t* t = self.tally + <Py_ssize_t>s * TALLY
        cdef int64_t undone = <int64_t>t[RESTORED] + t[FAILED]
        cdef int64_t of = t[TALLY_TOTAL] if self.option[s] & OF_SET else undone + t[UPGRADED]
        return 100 * (undone + t[TALLY_UPGRADED_BAD]) > self.percent[s * PERCENT + UPGRADED_PERCENT] * of

    def upgraded_gate_broken(self, int s):
        """Whether too many of the upgraded ones have turned out bad (the after-batch gate)."""
        return bool(self.c_upgraded_gate_broken(s))

    cdef bint c_health_gate_broken(self, int s) noexcept nogil:
        cdef uint32_t* t = self.tally + <Py_ssize_t>s * TALLY
        return 100 * <int64_t>t[TALLY_BAD] > self.percent[s * PERCENT + UNHEALTHY_PERCENT] * <int64_t>t[TALLY_TOTAL]

    def health_gate_broken(self, int s):
        """Whether too many of the set's instances are not healthy (the before-batch gate)."""
        return bool(self.c_health_gate_broken(s))

    # --- what keeps a batch from starting ----------------------------------------------------------------------------

    cdef bint c_is_open(self, int s) noexcept nogil:
        cdef int rollout = self.link[s * LINK + LINK_ROLLOUT]
        if not self.trait[rollout] & PHASED:
            return True
        return self.link[s * LINK + LINK_PHASE] <= self.plan[rollout * PLAN + PLAN_PHASE]

    def is_open(self, int s):
        """Whether the set's phase is open; always without phases."""
        return bool(self.c_is_open(s))

    cdef int c_standing(self, int s) noexcept nogil:
        cdef int status = self.status[s]
        cdef int mark = self.mark[s]
        cdef int found = 0
        cdef int region
        cdef uint32_t i
        if status == NONE:
            return NO_ATTEMPT
        if status != WAITING and status != ROLLING:
            return ENDED
        if mark & CANCELLING:
            found |= IS_CANCELLED
        if self.trait[self.link[s * LINK + LINK_ROLLOUT]] & PAUSED:
            found |= IS_PAUSED
        if not self.c_is_open(s):
            found |= PHASE_SHUT
        if self.tally[<Py_ssize_t>s * TALLY + TALLY_FLIGHT]:
            found |= IN_FLIGHT
        if mark & (DELAYED | RESTING):
            found |= NOT_BEFORE
        if mark & SHUT:
            found |= WINDOW_SHUT
        region = self.link[s * LINK + LINK_REGION]
        for i in range(self.region_pairs.first[region], self.region_pairs.first[region + 1]):
            if self.working[self.region_pairs.items[i]]:
                found |= PAIR_AT_WORK
        if not self.c_room(s) or (status == WAITING and self.is_crowded(s)):
            found |= GROUP_FULL
        return found

    def standing(self, int s):
        """Return one bit for each rule that keeps the whole set from starting anything, gates aside."""
        return self.c_standing(s)

    cdef bint is_crowded(self, int s) noexcept nogil:
        cdef uint32_t i, group
        for i in range(self.set_work_groups.first[s], self.set_work_groups.first[s + 1]):
            group = self.set_work_groups.items[i]
            if self.used[group] >= self.group_limit[group]:
                return True
        return False

    cdef int c_gates(self, int s) noexcept nogil:
        cdef int found = 0
        if self.status[s] == WAITING and self.mark[s] & UNFIT:
            found |= NOT_ELIGIBLE
        if self.c_upgraded_gate_broken(s):
            found |= UPGRADED_UNHEALTHY
        if self.c_health_gate_broken(s):
            found |= SET_UNHEALTHY
        return found

    def gates(self, int s):
        """Return one bit for each reason to end the set's attempt instead of starting a batch."""
        return self.c_gates(s)

    cdef int c_in_cell(self, int s, int cell) noexcept nogil:
        cdef int held
        cdef uint32_t i, group
        if self.option[s] & CROSS_ZONE:
            return 0
        held = self.link[s * LINK + LINK_HOLD]
        if held == cell:
            return 0
        if held >= 0 or self.is_disturbed(cell):
            return CELL_BUSY
        if not self.holds[cell]:
            for i in range(self.cell_groups.first[cell], self.cell_groups.first[cell + 1]):
                group = self.cell_groups.items[i]
                if self.used[group] >= self.group_limit[group]:
                    return GROUP_FULL
        return 0

    def in_cell(self, int s, int cell):
        """Return one bit for each rule that keeps the set from starting in that cell."""
        return self.c_in_cell(s, cell)

    cdef bint is_disturbed(self, int cell) noexcept nogil:
        cdef int word
        for word in range(self.cell_words):
            if self.busy[word] & self.cell_rows[cell * self.cell_words + word]:
                return True
        return False

    # --- candidates --------------------------------------------------------------------------------------------------

    cdef int c_current(self, int s, int* lately) noexcept nogil:
        cdef int number = -1
        cdef int bucket
        lately[0] = 0
        for bucket in range(self.first_bucket(s), self.end_bucket(s)):
            if number >= 0 and self.site[bucket * SITE + SITE_NUMBER] != number:
                break
            if self.wait[<Py_ssize_t>bucket * WAIT + WAIT_PENDING]:
                number = self.site[bucket * SITE + SITE_NUMBER]
                if not self.option[s] & FABRIC:
                    break  # no upgrade domain is marked as begun
                if self.begun[bucket] > lately[0]:
                    lately[0] = self.begun[bucket]
        return number

    def current(self, int s):
        """Return the set's current phase ordering number, and how lately the upgrade domain to finish was begun."""
        cdef int lately
        number = self.c_current(s, &lately)
        return number, lately

    cdef bint c_is_candidate(self, int bucket, int number, int lately) noexcept nogil:
        return (
            self.wait[<Py_ssize_t>bucket * WAIT + WAIT_PENDING] != 0
            and self.site[bucket * SITE + SITE_NUMBER] == number
            and self.begun[bucket] == lately
        )

    def is_candidate(self, int bucket, int number, int lately):
        """Whether the bucket has candidates, were its cell free to start."""
        return bool(self.c_is_candidate(bucket, number, lately))

    cdef int c_has_candidates_in(self, int s, int cell) except -1 nogil:
        cdef int lately
        cdef int number = self.c_current(s, &lately)
        cdef int bucket
        for bucket in range(self.first_bucket(s), self.end_bucket(s)):
            if self.site[bucket * SITE + SITE_CELL] == cell and self.c_is_candidate(bucket, number, lately):
                if self.ask is None or self.c_part(s, bucket):
                    return 1
        return 0

    def has_candidates_in(self, int s, int cell):
        """Whether the set has candidates in the cell, were it free to start; a user's policy is asked too."""
        return bool(self.c_has_candidates_in(s, cell))

    cdef int gather(self, int bucket, int wanted) except -1 nogil:
        """Append the pending instances of a bucket: all (-1), the well ones (0), the not healthy ones (1)."""
        cdef uint32_t* run = self.order + self.site[bucket * SITE + SITE_FIRST]
        cdef int i, life
        self.has_looked = True
        for i in range(self.site[bucket * SITE + SITE_COUNT]):
            life = self.life[run[i]]
            if life & STATE_BITS == PENDING and (wanted < 0 or is_bad(life >> HEALTH_SHIFT) == wanted):
                push(&self.found, run[i])
        return 0

    cdef int c_candidates(self, int s, int bucket) except -1 nogil:
        cdef int wanted = 1 if self.option[s] & PRIORITIZE else -1
        cdef int32_t* here = self.site + <Py_ssize_t>bucket * SITE
        cdef int32_t* there
        cdef int other
        self.found.size = 0
        while True:
            if self.option[s] & CROSS_ZONE:
                for other in range(self.first_bucket(s), self.end_bucket(s)):
                    there = self.site + <Py_ssize_t>other * SITE
                    if there[SITE_DOMAIN] == here[SITE_DOMAIN] and there[SITE_NUMBER] == here[SITE_NUMBER]:
                        self.gather(other, wanted)
            else:
                self.gather(bucket, wanted)
            if wanted != 1:
                return 0
            wanted = 0

    def candidates(self, int s, int bucket):
        """Return the pending instances that a batch from that bucket is taken from, in order."""
        self.c_candidates(s, bucket)
        return [self.found.data[i] for i in range(self.found.size)]

    cdef int c_part(self, int s, int bucket) except -1 nogil:
        """Leave the candidates that the users' policies admit in `found`; return how many there are."""
        self.c_candidates(s, bucket)
        if self.ask is not None:
            with gil:
                self.consult(s, bucket)
        return <int>self.found.size

    cdef int consult(self, int s, int bucket) except -1:
        answer, slots = self.ask(s, bucket, [self.found.data[i] for i in range(self.found.size)])
        if answer == NEVER:
            push(&self.refusals, s)
            push(&self.refusals, bucket)
        self.found.size = 0
        if answer == ADMIT:
            for slot in slots:
                push(&self.found, slot)
        return 0

    def part(self, int s, int bucket):
        """Return the candidates that the users' policies admit; none if they say wait or never."""
        self.c_part(s, bucket)
        return as_array("I", self.found.data, self.found.size)

    cdef int bad_among_own(self, int bucket) noexcept nogil:
        """Return how many of those in `found` that are of the bucket itself are not healthy, -1 if none is of it."""
        cdef Py_ssize_t i
        cdef int bad = -1
        for i in range(self.found.size):
            if self.bucket[self.found.data[i]] == <uint32_t>bucket:
                bad = max(bad, 0) + is_bad(self.life[self.found.data[i]] >> HEALTH_SHIFT)
        return bad

    cdef int c_choose(self, int s) except -2 nogil:
        cdef int lately
        cdef int number = self.c_current(s, &lately)
        cdef int first = -1
        cdef int bucket, bad
        for bucket in range(self.first_bucket(s), self.end_bucket(s)):
            if not self.c_is_candidate(bucket, number, lately):
                continue
            if self.c_in_cell(s, self.site[bucket * SITE + SITE_CELL]):
                continue
            bad = self.wait[<Py_ssize_t>bucket * WAIT + WAIT_BAD]
            if self.ask is not None:
                self.c_part(s, bucket)
                bad = self.bad_among_own(bucket)
                if bad < 0:
                    continue
            if not self.option[s] & PRIORITIZE or bad:
                return bucket
            if first < 0:
                first = bucket
        return first

    def choose(self, int s):
        """Return the bucket of the set's first candidate in a cell that may start, -1 if there is none."""
        return self.c_choose(s)

    cdef int c_fill(self, int s) except -1 nogil:
        """Append the batch from the candidates in `found` to `pick_slots`; return its size."""
        cdef int cap = self.c_cap(s)
        cdef int room = self.c_room(s)
        cdef int at_most = self.c_healthy_at_most(s)
        cdef int size = 0
        cdef int healthy = 0
        cdef int well
        cdef Py_ssize_t i
        if room < cap:
            cap = room
        for i in range(self.found.size):
            well = not is_bad(self.life[self.found.data[i]] >> HEALTH_SHIFT)
            if size == 0 or (size < cap and healthy + well <= at_most):
                push(&self.pick_slots, self.found.data[i])
                size += 1
                healthy += well
        return size

    cdef int c_batch(self, int s, int bucket) except -1 nogil:
        """Append the batch from a bucket to `pick_slots`, in one go where that is possible, and return its size."""
        cdef int cap, room, at_most, wanted, life, bad, i, slot
        cdef int first = self.site[bucket * SITE + SITE_FIRST]
        cdef int count = self.site[bucket * SITE + SITE_COUNT]
        cdef int size = 0, healthy = 0
        cdef int32_t* into
        cdef const uint32_t* run = NULL if first + count <= self.listed else self.order + first
        self.has_looked = True
        if self.ask is not None or self.option[s] & CROSS_ZONE:
            self.c_part(s, bucket)
            return self.c_fill(s)
        cap = self.c_cap(s)
        room = self.c_room(s)
        at_most = self.c_healthy_at_most(s)
        if room < cap:
            cap = room
        into = reserved(&self.pick_slots, max(1, cap))
        wanted = 1 if self.option[s] & PRIORITIZE else -1
        while True:
            for i in range(count):
                if size >= max(1, cap):
                    break
                slot = first + i if run == NULL else run[i]
                life = self.life[slot]
                bad = is_bad(life >> HEALTH_SHIFT)
                if life & STATE_BITS == PENDING and (wanted < 0 or bad == wanted):
                    if size == 0 or healthy + 1 - bad <= at_most:
                        into[size] = slot
                        size += 1
                        healthy += 1 - bad
            if wanted != 1:
                break
            wanted = 0
        self.pick_slots.size += size
        return size

    # --- what is legal, what is picked -------------------------------------------------------------------------------

    def legal(self, int s):
        """Return all that the rules allow the set to start now, in order of cell, then upgrade domain."""
        cdef int32_t* choice
        cdef Py_ssize_t i
        self.c_legal(s)
        found = []
        for i in range(0, self.choices.size, 5):
            choice = self.choices.data + i
            part = as_array("I", self.choice_slots.data + choice[1], choice[2])
            found.append((s, choice[0], part, choice[3], choice[4]))
        return found

    cdef int c_legal(self, int s) except -1 nogil:
        """Leave the choices in `choices`: bucket, where in `choice_slots`, how many, at most, healthy at most."""
        cdef int lately
        cdef int number, at_most, bucket
        cdef Py_ssize_t i
        self.choices.size = self.choice_slots.size = 0
        if self.c_standing(s) or self.c_gates(s):
            return 0
        number = self.c_current(s, &lately)
        at_most = min(self.c_cap(s), self.c_room(s))
        for bucket in range(self.first_bucket(s), self.end_bucket(s)):
            if not self.c_is_candidate(bucket, number, lately):
                continue
            if self.c_in_cell(s, self.site[bucket * SITE + SITE_CELL]):
                continue
            if self.option[s] & CROSS_ZONE and self.has_met_domain(s, bucket, number, lately):
                continue
            if self.c_part(s, bucket):
                push(&self.choices, bucket)
                push(&self.choices, <int32_t>self.choice_slots.size)
                push(&self.choices, <int32_t>self.found.size)
                push(&self.choices, at_most)
                push(&self.choices, self.c_healthy_at_most(s))
                for i in range(self.found.size):
                    push(&self.choice_slots, self.found.data[i])
        return 0

    cdef bint has_met_domain(self, int s, int bucket, int number, int lately) noexcept nogil:
        """Whether an earlier bucket with candidates has the same upgrade domain: a cross-zone batch takes both."""
        cdef int other
        for other in range(self.first_bucket(s), bucket):
            if self.site[other * SITE + SITE_DOMAIN] == self.site[bucket * SITE + SITE_DOMAIN]:
                if self.c_is_candidate(other, number, lately):
                    return True
        return False

    cdef int assume(self, int s, int bucket, int count, int by) except -1 nogil:
        cdef uint32_t i
        if by > 0:
            push(&self.assumed_sets, s)
        else:
            self.assumed_sets.size -= 1
        if not self.option[s] & CROSS_ZONE and self.link[s * LINK + LINK_HOLD] < 0:
            if by > 0:
                self.hold(self.site[bucket * SITE + SITE_CELL])
            else:
                self.unhold(self.site[bucket * SITE + SITE_CELL])
        if self.status[s] == WAITING:
            self.work(s, by)
        for i in range(self.set_instance_groups.first[s], self.set_instance_groups.first[s + 1]):
            self.use(self.set_instance_groups.items[i], by * count)
        return 0

    cdef int sort_hot(self) except -1 nogil:
        cdef Py_ssize_t i
        cdef int s
        for i in range(1, self.hot_sets.size):
            if self.hot_sets.data[i] < self.hot_sets.data[i - 1]:
                break
        else:
            return 0
        if self.hot_sets.size < self.set_count // 16:
            qsort(self.hot_sets.data, self.hot_sets.size, sizeof(int32_t), by_size)
            return 0
        i = 0
        for s in range(self.set_count):
            if self.hot[s]:
                self.hot_sets.data[i] = s
                i += 1
        return 0

    cdef bint is_flying(self, int s) noexcept nogil:
        """Whether the set has a batch in flight, and no user's policy wants to be asked about it all the same."""
        return self.tally[<Py_ssize_t>s * TALLY + TALLY_FLIGHT] != 0 and self.ask is None

    cdef int take_turns(self) except -1 nogil:
        """Leave the hot sets in `turns`, in the order in which they are looked at: by phase, region, name.

        One with a batch in flight starts nothing, whatever the others do: it is not hot any more.
        """
        cdef Place place
        cdef Py_ssize_t i
        cdef Py_ssize_t count = 0
        self.sort_hot()
        make_room(&self.turns, self.hot_sets.size)
        place.bucket = -1
        for i in range(self.hot_sets.size):
            if i + AHEAD < self.hot_sets.size:
                prefetch(self.tally + <Py_ssize_t>self.hot_sets.data[i + AHEAD] * TALLY + TALLY_FLIGHT)
            place.s = self.hot_sets.data[i]
            if self.is_flying(place.s):
                self.hot[place.s] = 0
                continue
            place.phase = self.link[place.s * LINK + LINK_PHASE]
            place.cell = self.link[place.s * LINK + LINK_REGION]
            self.turns.data[count] = place
            count += 1
        self.turns.size = count
        return sort_by(&self.turns, &self.sorting, True) if count > 1 else 0

    cdef int c_walk(self) except -1 nogil:
        """Leave the picks in `picks` (set, bucket, where in `pick_slots`, how many) and the ends in `ends`."""
        cdef Py_ssize_t begin = 0, end, i, kept = 0
        cdef int s
        cdef int32_t* pick
        cdef bint has_broken_off = False
        cdef bint is_kept_before
        self.refusals.size = self.picks.size = self.pick_slots.size = self.ends.size = self.doubtful.size = 0
        if self.hot_sets.size == 1 and self.is_flying(self.hot_sets.data[0]):
            self.hot[self.hot_sets.data[0]] = 0
            self.hot_sets.size = 0
            return 0
        self.take_turns()
        if not self.turns.size:
            self.hot_sets.size = 0
            return 0
        # Taking the picks back one by one costs a few look-ups each; a copy costs what there is of cells and groups.
        is_kept_before = self.turns.size > self.cell_count + self.region_count + self.group_count
        if is_kept_before:
            self.remember(False)
        while begin < self.turns.size and not has_broken_off:
            end = begin + 1
            while end < self.turns.size and (
                self.ask is not None
                or (
                    self.turns.data[end].phase == self.turns.data[begin].phase
                    and self.turns.data[end].cell == self.turns.data[begin].cell
                )
            ):
                end += 1
            self.look_at_turns(begin, end, &kept)
            self.is_last_turn = end == self.turns.size
            has_broken_off = self.walk_through()
            begin = end
        for i in range(begin, self.turns.size):
            self.hot_sets.data[kept] = self.turns.data[i].s
            kept += 1
        self.is_quiet = True
        if is_kept_before:
            self.remember(True)
            self.assumed_sets.size = 0
        else:
            i = self.picks.size
            while i > 0:
                i -= 4
                pick = self.picks.data + i
                self.assume(pick[0], pick[1], pick[3], -1)
        self.is_quiet = False
        for i in range(self.doubtful.size):
            s = self.doubtful.data[i]
            if self.c_standing(s) or self.c_choose(s) < 0:
                self.hot[s] = 0
            else:
                self.hot_sets.data[kept] = s
                kept += 1
        self.hot_sets.size = kept
        return 0

    cdef int look_at_turns(self, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t* kept) except -1 nogil:
        """Leave those of `turns` that could start a batch in `queue`, sorted; keep who stays hot."""
        cdef Py_ssize_t i
        cdef int s, bucket
        cdef bint is_asked = self.ask is not None
        self.queue.size = self.later.size = 0
        make_room(&self.queue, end - begin)
        for i in range(begin, end):
            if i + AHEAD < end:
                self.fetch_set(self.turns.data[i + AHEAD].s)
            s = self.turns.data[i].s
            bucket = -1 if self.c_standing(s) else self.c_choose(s)
            if bucket >= 0:
                self.queue.data[self.queue.size] = self.c_place(s, bucket)
                self.queue.size += 1
            if bucket >= 0 or (is_asked and (self.status[s] == WAITING or self.status[s] == ROLLING)):
                self.hot_sets.data[kept[0]] = s
                kept[0] += 1
            elif self.assumed_sets.size:
                push(&self.doubtful, s)
            else:
                self.hot[s] = 0
        if self.queue.size < 2:
            return 0
        sort_by(&self.queue, &self.sorting, False)
        return sort_by(&self.queue, &self.sorting, True)

    cdef bint walk_through(self) except -1 nogil:
        """Pick from `queue`; return whether to break off. The twin's heap is a sorted array here, and a small heap."""
        cdef Py_ssize_t i = 0
        cdef int s, bucket, gates, count
        cdef int32_t* pick
        cdef Place place
        cdef bint had_looked
        cdef bint was_free
        while i < self.queue.size or self.later.size:
            if self.later.size and (i == self.queue.size or precedes(self.later.data[0], self.queue.data[i])):
                place = take_first(&self.later)
            else:
                if i + AHEAD < self.queue.size:
                    self.fetch_place(self.queue.data[i + AHEAD])
                place = self.queue.data[i]
                i += 1
            s, bucket = place.s, place.bucket
            if not self.may_still(place):
                bucket = -1 if self.c_standing(s) else self.c_choose(s)
                if bucket >= 0 and self.site[bucket * SITE + SITE_CELL] != place.cell:
                    put_back(&self.later, self.c_place(s, bucket))
                    continue
                if bucket < 0:
                    continue
            gates = self.c_gates(s)
            if gates:
                push(&self.ends, s)
                push(&self.ends, gates)
                if self.status[s] == ROLLING:
                    return True
                continue
            pick = reserved(&self.picks, 4)
            pick[0], pick[1], pick[2] = s, bucket, <int32_t>self.pick_slots.size
            had_looked = self.has_looked
            count = pick[3] = self.c_batch(s, bucket)
            self.has_looked = had_looked or not self.is_last_turn or i < self.queue.size or self.later.size > 0
            self.picks.size += 4
            was_free = not self.holds[self.site[bucket * SITE + SITE_CELL]]
            self.assume(s, bucket, count, 1)
            if was_free and self.holds[self.site[bucket * SITE + SITE_CELL]]:
                self.look_again(i)
        return False

    cdef int look_again(self, Py_ssize_t first) except -1 nogil:
        """Place anew those of whom a cell that has become busy keeps from theirs; who moves waits in `later`.

        With `prioritize_unhealthy` alone the next place may be an earlier one; the others move back when their turn is.
        """
        cdef Py_ssize_t i, kept = first, count = self.later.size
        cdef Place place
        self.later.size = 0
        for i in range(count):
            place = self.later.data[i]
            self.moves_up(&place)
            put_back(&self.later, place)
        for i in range(first, self.queue.size):
            place = self.queue.data[i]
            if self.moves_up(&place):
                put_back(&self.later, place)
            else:
                self.queue.data[kept] = place
                kept += 1
        self.queue.size = kept
        return 0

    cdef bint moves_up(self, Place* place) except -1 nogil:
        """Give whoever puts unhealthy ones first its place as it is now; return whether that is another one."""
        cdef int bucket
        if not self.option[place.s] & PRIORITIZE or not self.c_in_cell(place.s, place.cell):
            return False
        bucket = self.c_choose(place.s)
        if bucket < 0:
            return False
        place[0] = self.c_place(place.s, bucket)
        return True

    cdef int remember(self, bint back) except -1 nogil:
        """Copy what assumed batches count into: cells held, regions at work, groups in use; or put it back."""
        cdef uint8_t* at = self.before
        at = swap_in(at, <uint8_t*>self.holds, 4 * self.cell_count, back)
        at = swap_in(at, <uint8_t*>self.working, 4 * self.region_count, back)
        at = swap_in(at, <uint8_t*>self.used, 4 * self.group_count, back)
        swap_in(at, <uint8_t*>self.busy, self.cell_words * sizeof(uint64_t), back)
        return 0

    cdef void fetch_set(self, int s) noexcept nogil:
        """Let the memory bring what `c_choose` will read of a set; its row of `link` may have come already."""
        cdef int bucket = self.link[s * LINK + LINK_BUCKET]
        prefetch(self.wait + <Py_ssize_t>bucket * WAIT)
        prefetch(self.site + <Py_ssize_t>bucket * SITE)
        prefetch(self.tally + <Py_ssize_t>s * TALLY + TALLY_FLIGHT)

    cdef void fetch_place(self, Place place) noexcept nogil:
        """Let the memory bring what a batch will be filled from."""
        cdef int32_t* site = self.site + <Py_ssize_t>place.bucket * SITE
        prefetch(self.life + site[SITE_FIRST])
        prefetch(self.link + <Py_ssize_t>place.s * LINK)
        prefetch(self.tally + <Py_ssize_t>place.s * TALLY)
        prefetch(self.tally + <Py_ssize_t>place.s * TALLY + TALLY_TOTAL)

    cdef bint may_still(self, Place place) noexcept nogil:
        """Whether the picks of this walk left a choice as it was; False where it takes as long to say as to choose.

        A walk only takes cells, regions and groups into use, so whatever kept the set from another cell still does.
        """
        cdef int region = self.link[place.s * LINK + LINK_REGION]
        cdef uint32_t i
        if self.ask is not None:
            return False
        if self.set_instance_groups.first[place.s] != self.set_instance_groups.first[place.s + 1]:
            return False
        if self.set_work_groups.first[place.s] != self.set_work_groups.first[place.s + 1]:
            return False
        for i in range(self.region_pairs.first[region], self.region_pairs.first[region + 1]):
            if self.working[self.region_pairs.items[i]]:
                return False
        return not self.c_in_cell(place.s, place.cell)

    cdef object taken_picks(self):
        return _Picks(
            as_array("i", self.picks.data, self.picks.size), as_array("I", self.pick_slots.data, self.pick_slots.size)
        )

    def walk(self):
        """Return the batches to start now, and the attempts to end instead with the bits of `gates`."""
        with nogil:
            self.c_walk()
        ends = [(self.ends.data[i], self.ends.data[i + 1]) for i in range(0, self.ends.size, 2)]
        return self.taken_picks(), ends

    cdef Place c_place(self, int s, int bucket) noexcept nogil:
        cdef Place place
        place.phase = self.link[s * LINK + LINK_PHASE]
        place.cell = self.site[bucket * SITE + SITE_CELL]
        place.s = s
        place.bucket = bucket
        return place

    def place(self, int s, int bucket):
        """Return where a batch stands in the order: regions by phase, then name; cells; sets."""
        cdef Place place = self.c_place(s, bucket)
        return place.phase, place.cell, place.s

    # --- one instance's life -----------------------------------------------------------------------------------------

    cdef int c_happen(self, int happening, int slot, int cause) except -1 nogil:
        return self.lead(happening, slot, cause, self.life[slot] >> HEALTH_SHIFT)

    cdef int lead(self, int happening, int slot, int cause, int health) except -1 nogil:
        """Let the life-cycle table act on one instance, of which this health is known now."""
        cdef int before = self.life[slot] & STATE_BITS
        cdef int s = self.site[self.bucket[slot] * SITE + SITE_SET]
        cdef int without_rollback = 0 if self.option[s] & ROLLBACK else 256
        cdef int to = self.life_table[without_rollback + happening * 16 + before]
        cdef int target = self.link[s * LINK + LINK_TARGET]
        cdef int wrote = WROTE_DEADLINE
        cdef bint is_unknown
        self.deadline[slot] = 0
        if to == REPLACING:
            self.deadline[slot] = <uint32_t>(self.now + self.step_timeout_ms)
        elif to == CONFIGURING:
            self.deadline[slot] = <uint32_t>(self.now + self.step_timeout_ms)
            health = self.forget_health(slot, INITIALIZING)
        elif to == VERIFYING:
            self.deadline[slot] = <uint32_t>(self.now + self.health_timeout_ms)
        elif to == RESTORING:
            self.deadline[slot] = <uint32_t>(self.now + self.step_timeout_ms)
            if before != REPLACING and self.version[slot] != target:
                self.flag[slot] |= SWAPPED
                wrote |= WROTE_FLAG
            if happening == H_DEADLINE_PASSED and before != VERIFYING:
                self.flag[slot] |= UNANSWERED
                wrote |= WROTE_FLAG
        elif to == UPGRADED:
            self.version[slot] = <uint16_t>target
            self.flag[slot] &= 255 - BROKEN
            wrote |= WROTE_VERSION | WROTE_FLAG
        elif to == RESTORED:
            self.flag[slot] &= 255 - (BROKEN | SWAPPED | UNANSWERED)
            wrote |= WROTE_FLAG
            self.remember_failure(s, slot)
            health = self.forget_health(slot, INITIALIZING)
        elif to == FAILED:
            is_unknown = happening == H_DEADLINE_PASSED and before != VERIFYING
            self.version[slot] = 0 if is_unknown or self.flag[slot] & UNANSWERED else self.installed(slot)
            if before == RESTORING:
                self.tally[<Py_ssize_t>s * TALLY + TALLY_UNRESTORED] += 1
            self.flag[slot] = self.flag[slot] & (255 - (SWAPPED | UNANSWERED)) | BROKEN
            wrote |= WROTE_VERSION | WROTE_FLAG
            self.remember_failure(s, slot)
            health = self.forget_health(slot, UNKNOWN)
        else:  # gone: the table leads nowhere else
            self.version[slot] = self.installed(slot)
            wrote |= WROTE_VERSION
            if before == PENDING and self.flag[slot] & TOO_LATE:
                self.tally[<Py_ssize_t>s * TALLY + TALLY_TOO_LATE] -= 1
            elif before == RESTORING:
                self.flag[slot] &= 255 - SWAPPED
                wrote |= WROTE_FLAG
        mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, wrote)
        self.c_put(slot, to, health)
        return self.record_slot(T_BECAME, s, to, cause, slot)

    def happen(self, int happening, int slot, int cause):
        """Let the life-cycle table act on one instance, and do what the new state brings with it (section 8)."""
        self.c_happen(happening, slot, cause)

    cdef uint16_t installed(self, int slot) noexcept nogil:
        cdef int life = self.life[slot] & STATE_BITS
        if life == CONFIGURING or life == VERIFYING or (life == RESTORING and self.flag[slot] & SWAPPED):
            return <uint16_t>self.link[self.site[self.bucket[slot] * SITE + SITE_SET] * LINK + LINK_TARGET]
        return self.version[slot]

    cdef int forget_health(self, int slot, int health) noexcept nogil:
        if self.observed_at(slot) < self.now - 1:
            self.observe(slot, self.now - 1)
            mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_OBSERVED)
        return health

    cdef int remember_failure(self, int s, int slot) except -1 nogil:
        cdef int target = self.link[s * LINK + LINK_TARGET]
        if self.failed[slot] != 0 and self.failed[slot] != target:
            self.record(3, T_FAILED_MORE, slot, self.failed[slot], 0, 0, 0)
        self.failed[slot] = <uint16_t>target
        mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_FAILED)
        return 0

    # --- batches -----------------------------------------------------------------------------------------------------

    def start(self, int s, int bucket, slots):
        """Start a batch that is legal: its first candidate's bucket gives the cell and the upgrade domain."""
        cdef array.array column = uint32s(slots)
        with nogil:
            self.c_start(s, bucket, column.data.as_uints, column.ob_size)

    cdef int c_start(self, int s, int bucket, const uint32_t* slots, Py_ssize_t count) except -1 nogil:
        cdef int32_t* link = self.link + <Py_ssize_t>s * LINK
        cdef Py_ssize_t i
        if not self.option[s] & CROSS_ZONE and link[LINK_HOLD] < 0:
            link[LINK_HOLD] = self.site[bucket * SITE + SITE_CELL]
            mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_LINK)
            self.hold(link[LINK_HOLD])
        if self.status[s] == WAITING:
            self.status[s] = ROLLING
            self.clock[s * CLOCK + CLOCK_BEGAN] = self.now
            mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_STATUS | WROTE_CLOCK)
            self.work(s, 1)
        self.mark[s] |= BATCHING
        self.tally[<Py_ssize_t>s * TALLY + TALLY_BATCHES] += 1
        mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK | WROTE_TALLY)
        if self.option[s] & FABRIC:
            self.begin_domain(s, bucket)
        self.record(4, T_STARTED, s, bucket, <int>count, 0, 0)
        for i in range(count):
            push(&self.trace, slots[i])
        for i in range(count):
            self.c_happen(H_BATCH_STARTS, slots[i], BY_BATCH)
        return self.c_touch(s)

    def start_all(self, array.array heads, array.array slots):
        """Start the batches of `Picks`, each legal after the ones before it."""
        cdef Py_ssize_t i
        cdef const int32_t* pick
        with nogil:
            for i in range(0, heads.ob_size, 4):
                pick = <const int32_t*>heads.data.as_ints + i
                self.c_start(pick[0], pick[1], slots.data.as_uints + pick[2], pick[3])

    cdef int begin_domain(self, int s, int bucket) noexcept nogil:
        cdef int domain = self.site[bucket * SITE + SITE_DOMAIN]
        cdef int latest = 0
        cdef int other
        for other in range(self.first_bucket(s), self.end_bucket(s)):
            if self.begun[other] > latest:
                latest = self.begun[other]
        if latest and self.begun[bucket] == latest:
            return 0
        for other in range(self.first_bucket(s), self.end_bucket(s)):
            if self.site[other * SITE + SITE_DOMAIN] == domain:
                self.begun[other] = <uint8_t>(latest + 1 if latest < LATELY_MAX else LATELY_MAX)
            elif latest == LATELY_MAX and self.begun[other] > 1:
                self.begun[other] -= 1
            mark_page(self.dirty_buckets, self.coarse_buckets, other // BUCKET_PAGE, WROTE_BEGUN)
        return 0

    # --- reports -----------------------------------------------------------------------------------------------------

    def signals(self, slots, const uint8_t[::1] what, observed_at, attempt, const uint8_t[::1] answers):
        """Apply reports in their order; those that do not belong leave the state as it is (section 8)."""
        cdef array.array slot_column = uint32s(slots)
        cdef array.array observed_column = observed_at
        cdef array.array attempt_column = attempt
        cdef const uint32_t* slot = slot_column.data.as_uints
        cdef const int64_t* observed = <const int64_t*>observed_column.data.as_voidptr
        cdef const uint32_t* number = attempt_column.data.as_uints
        cdef Py_ssize_t at, count = slot_column.ob_size
        with nogil:
            for at in range(-3 * AHEAD, count):  # whoever comes is asked for three times: what is next follows from it
                if at + 3 * AHEAD < count:
                    self.fetch_row(slot[at + 3 * AHEAD])
                if 0 <= at + 2 * AHEAD < count:
                    self.fetch_site(slot[at + 2 * AHEAD])
                if 0 <= at + AHEAD < count:
                    self.fetch_counts(slot[at + AHEAD])
                if at >= 0:
                    self.c_signal(slot[at], what[at], observed[at], number[at], answers[at])

    cdef int c_signal(self, int slot, int what, int64_t observed_at, uint32_t attempt, int answers) except -1 nogil:
        """Apply one report of a step; nobody can have answered a command that this very step has given (section 10)."""
        cdef int before = self.life[slot]
        if what <= INITIALIZING:
            return self.c_report(slot, what, observed_at, attempt, answers)
        if self.commanded.size and self.is_commanded(slot):
            return self.record_slot(T_IGNORED, self.site[self.bucket[slot] * SITE + SITE_SET], what, LATE, slot)
        self.c_report(slot, what, observed_at, attempt, answers)
        return self.note_command(slot, before)

    cdef bint is_commanded(self, int slot) noexcept nogil:
        return slot >> 3 < self.commands_bytes and self.commands[slot >> 3] >> (slot & 7) & 1

    cdef int note_command(self, int slot, int before) except -1 nogil:
        """Note that the step has given the instance a command: its state is not that of `before`, and is under one."""
        cdef int state = self.life[slot] & STATE_BITS
        cdef Py_ssize_t size
        cdef uint8_t* commands
        if state == before & STATE_BITS or (state != CONFIGURING and state != RESTORING):
            return 0
        if slot >> 3 >= self.commands_bytes:
            size = (slot >> 2) + 64
            commands = <uint8_t*>realloc(self.commands, size)
            if commands == NULL:
                with gil:
                    raise MemoryError()
            memset(commands + self.commands_bytes, 0, size - self.commands_bytes)
            self.commands, self.commands_bytes = commands, size
        push(&self.commanded, slot)
        self.commands[slot >> 3] |= <uint8_t>(1 << (slot & 7))
        return 0

    cdef int c_report(self, int slot, int what, int64_t observed_at, uint32_t attempt, int answers) except -1 nogil:
        """Apply one report, in a step that has given its instance no command."""
        cdef int state = self.life[slot] & STATE_BITS
        cdef int why
        if state == GONE:
            why = IS_GONE
        elif what <= INITIALIZING:
            why = self.hear(slot, state, what, observed_at)
        else:
            why = self.answer(slot, state, what, attempt, answers)
        if why:
            self.record_slot(T_IGNORED, self.site[self.bucket[slot] * SITE + SITE_SET], what, why, slot)
        return 0

    cdef void fetch_row(self, int slot) noexcept nogil:
        """Let the memory bring an instance's row, of which a report touches these columns."""
        prefetch(self.life + slot)
        prefetch(self.bucket + slot)
        prefetch(self.observed + <Py_ssize_t>slot * OBSERVED)
        prefetch(self.dirty_slots + slot // SLOT_PAGE)

    cdef void fetch_site(self, int slot) noexcept nogil:
        """Let the memory bring the row of its bucket; its own has come."""
        prefetch(self.site + <Py_ssize_t>self.bucket[slot] * SITE)

    cdef void fetch_counts(self, int slot) noexcept nogil:
        """Let the memory bring where it is counted; its bucket's row has come."""
        cdef int bucket = self.bucket[slot]
        cdef int s = self.site[bucket * SITE + SITE_SET]
        prefetch(self.wait + <Py_ssize_t>bucket * WAIT)
        prefetch(self.tally + <Py_ssize_t>s * TALLY)
        prefetch(self.tally + <Py_ssize_t>s * TALLY + TALLY_TOTAL)
        prefetch(self.link + <Py_ssize_t>s * LINK)
        prefetch(self.hot + s)
        prefetch(self.touched + s)
        prefetch(self.status + s)
        prefetch(self.mark + s)
        prefetch(self.dirty_buckets + bucket // BUCKET_PAGE)
        prefetch(self.dirty_sets + s // SET_PAGE)

    cdef int hear(self, int slot, int state, int health, int64_t observed_at) except -1 nogil:
        cdef int64_t latest = self.observed_at(slot)
        if observed_at <= latest:
            return DUPLICATE if observed_at == latest else STALE
        self.observe(slot, observed_at)
        mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_OBSERVED)
        if health == HEALTHY and state == VERIFYING:
            if observed_at >= self.time_of_deadline(slot) - self.health_timeout_ms:
                self.lead(H_HEALTHY, slot, BY_SIGNAL, health)
                return 0
        return self.c_put(slot, state, health)

    cdef int answer(self, int slot, int state, int what, uint32_t attempt, int answers) except -1 nogil:
        cdef int asked = 1 if state == REPLACING else 2 if state == CONFIGURING else 3 if state == RESTORING else 0
        cdef int happening = what - 3
        cdef int s
        if asked != answers or not answers:
            return LATE
        s = self.site[self.bucket[slot] * SITE + SITE_SET]
        if <int>attempt != self.link[s * LINK + LINK_ATTEMPT]:
            return LATE
        if what == 5:
            happening = 2
        elif what == 4:
            happening = H_DISK_REPLACED
        elif what == 6:
            happening = 5
        elif what == 7:
            happening = 6
        else:
            happening = 7
        if self.life_table[happening * 16 + state] == STAYS:
            return LATE
        self.c_happen(happening, slot, BY_SIGNAL)
        return 0

    # --- timers ------------------------------------------------------------------------------------------------------

    def time_of(self, int kind, int of):
        """Return when a timer of a set or a rollout falls due; 0 if it is not armed, or stands still while paused."""
        return self.c_time_of(kind, of)

    cdef int64_t c_time_of(self, int kind, int of) noexcept nogil:
        cdef int64_t* clock
        if kind == TIMER_DEADLINE:
            return self.c_earliest(of)
        if kind == TIMER_BAKE:
            return self.dial[of * DIAL + DIAL_BAKED] if self.trait[of] & BAKING and not self.trait[of] & PAUSED else 0
        clock = self.clock + <Py_ssize_t>of * CLOCK
        if kind == TIMER_WINDOW:
            return clock[CLOCK_WINDOW]
        if kind == TIMER_DELAY:
            return clock[CLOCK_DELAY] if self.mark[of] & DELAYED else 0
        if not self.mark[of] & RESTING or self.trait[self.link[of * LINK + LINK_ROLLOUT]] & PAUSED:
            return 0
        return clock[CLOCK_REST]

    def armed(self, int rollout_count):
        """Return every armed timer: when it falls due, its kind, and whose it is."""
        cdef int64_t time
        cdef int s, kind, rollout
        found = []
        for s in range(self.set_count):
            for kind in (TIMER_DEADLINE, TIMER_DELAY, TIMER_REST, TIMER_WINDOW):
                time = self.c_time_of(kind, s)
                if time:
                    found.append((time, kind, s))
        for rollout in range(rollout_count):
            time = self.c_time_of(TIMER_BAKE, rollout)
            if time:
                found.append((time, <int>TIMER_BAKE, rollout))
        return found

    def pass_deadlines(self, slots):
        """Let the deadlines of instances in flight pass."""
        cdef array.array column = uint32s(slots)
        cdef Py_ssize_t i
        cdef int before
        for i in range(column.ob_size):
            before = self.life[column.data.as_uints[i]]
            self.c_happen(H_DEADLINE_PASSED, column.data.as_uints[i], BY_DEADLINE)
            self.note_command(column.data.as_uints[i], before)

    def pass_timer(self, int s, int mark):
        """Let a set's delay (`DELAYED`) or pause between batches (`RESTING`) pass."""
        self.c_pass_timer(s, mark)

    cdef int c_pass_timer(self, int s, int mark) except -1 nogil:
        self.mark[s] &= 255 - mark
        self.clock[s * CLOCK + (CLOCK_DELAY if mark == DELAYED else CLOCK_REST)] = 0
        mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK | WROTE_CLOCK)
        self.c_touch(s)
        return 0

    def pass_bake(self, int rollout):
        """Let a phase's bake time pass."""
        self.c_pass_bake(rollout)

    cdef int c_pass_bake(self, int rollout) except -1 nogil:
        self.trait[rollout] &= 255 - BAKING
        self.dial[rollout * DIAL + DIAL_BAKED] = 0
        self.judge_phase(rollout)
        return 0

    def set_window(self, int s, bint is_open):
        """Open or close the set's maintenance window."""
        self.c_set_window(s, is_open)

    cdef int c_set_window(self, int s, bint is_open) except -1 nogil:
        if is_open:
            self.mark[s] &= 255 - SHUT
        else:
            self.mark[s] |= SHUT
        mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK)
        self.c_touch(s)
        return 0

    # --- what people say ---------------------------------------------------------------------------------------------

    def pause(self, int rollout):
        """Let no batch of the rollout start until it is resumed."""
        self.c_pause(rollout)

    cdef int c_pause(self, int rollout) except -1 nogil:
        cdef int s
        if self.course[rollout] == RUNNING and not self.trait[rollout] & PAUSED:
            self.trait[rollout] |= PAUSED
            self.dial[rollout * DIAL + DIAL_PAUSED] = self.now
            for s in range(self.set_count):
                if self.is_attempt_of(s, rollout):
                    self.c_touch(s)
        return 0

    def resume(self, int rollout):
        """Let batches start again; pauses between batches and bake times have stood still meanwhile (section 9)."""
        self.c_resume(rollout)

    cdef int c_resume(self, int rollout) except -1 nogil:
        cdef int64_t stood
        cdef int s
        if not self.trait[rollout] & PAUSED or self.course[rollout] != RUNNING:
            return 0
        stood = self.now - self.dial[rollout * DIAL + DIAL_PAUSED]
        self.trait[rollout] &= 255 - PAUSED
        self.dial[rollout * DIAL + DIAL_PAUSED] = 0
        if self.trait[rollout] & BAKING:
            self.dial[rollout * DIAL + DIAL_BAKED] += stood
            self.record(3, T_ARMED, TIMER_BAKE, rollout, 0, 0, 0)
        for s in range(self.set_count):
            if self.is_attempt_of(s, rollout):
                if self.mark[s] & RESTING:
                    self.clock[s * CLOCK + CLOCK_REST] += stood
                    mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_CLOCK)
                    self.record(3, T_ARMED, TIMER_REST, s, 0, 0, 0)
                self.c_touch(s)
        return 0

    def cancel(self, int rollout):
        """Let nothing of the rollout start any more; what is in flight finishes."""
        self.c_cancel(rollout)

    cdef int c_cancel(self, int rollout) except -1 nogil:
        cdef int s
        if self.course[rollout] == RUNNING:
            self.trait[rollout] |= STOPPING
            for s in range(self.set_count):
                if self.is_attempt_of(s, rollout):
                    self.c_cancel_attempt(s)
            push(&self.unsettled, rollout)
        return 0

    cdef int c_cancel_attempt(self, int s) except -1 nogil:
        self.mark[s] |= CANCELLING
        mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK)
        return self.c_touch(s)

    cdef int c_leave(self, int s) except -1 nogil:
        self.mark[s] |= LEFT
        return self.c_cancel_attempt(s)

    def leave(self, int s):
        """Take the set out of its rollout: it counts neither for nor against it (section 3)."""
        self.c_leave(s)

    cdef bint is_attempt_of(self, int s, int rollout) noexcept nogil:
        if self.link[s * LINK + LINK_ROLLOUT] != rollout:
            return False
        return self.status[s] == WAITING or self.status[s] == ROLLING

    def attempts_of(self, int rollout):
        """Return the sets whose attempt in the rollout has not ended, in order."""
        return [s for s in range(self.set_count) if self.is_attempt_of(s, rollout)]

    # --- attempts ----------------------------------------------------------------------------------------------------

    def classify(
        self, int s, slots, const uint8_t[::1] reached, more, int excluding, bint excludes_failed, int cause
    ):
        """Say of each instance whether it is current, excluded or pending for the set's target (sections 2 and 8)."""
        cdef array.array column = uint32s(slots)
        cdef int target = self.link[s * LINK + LINK_TARGET]
        cdef bint is_manual = self.option[s] & MANUAL_SET
        cdef bint has_more = bool(more)
        cdef Py_ssize_t i
        cdef int slot, state, flag, to
        for i in range(column.ob_size):
            slot = column.data.as_uints[i]
            state = self.life[slot] & STATE_BITS
            flag = self.flag[slot]
            if reached[self.version[slot]] and not flag & BROKEN:
                to = CURRENT
            elif flag & excluding:
                to = EXCLUDED
            elif excludes_failed and not is_manual and target and (
                self.failed[slot] == target or (has_more and slot in more)
            ):
                to = EXCLUDED
            else:
                to = PENDING
            if to != state:
                self.c_put(slot, to, self.life[slot] >> HEALTH_SHIFT)
                self.record_slot(T_BECAME, s, to, cause, slot)

    def forget_marks(self, slots):
        """Let instances be judged anew by a new attempt: neither refused by a policy nor too late any more."""
        cdef array.array column = uint32s(slots)
        cdef Py_ssize_t i
        cdef int slot
        for i in range(column.ob_size):
            slot = column.data.as_uints[i]
            if self.flag[slot] & (REFUSED | TOO_LATE):
                self.flag[slot] &= 255 - (REFUSED | TOO_LATE)
                mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_FLAG)

    cdef int c_end(self, int s, int status, int code) except -1 nogil:
        cdef int rollout = self.link[s * LINK + LINK_ROLLOUT]
        cdef int32_t* plan = self.plan + <Py_ssize_t>rollout * PLAN
        cdef int64_t* clock = self.clock + <Py_ssize_t>s * CLOCK
        cdef int has_left
        self.let_go(s)
        if self.status[s] == ROLLING:
            self.work(s, -1)
        has_left = self.mark[s] & LEFT
        self.status[s] = <uint8_t>status
        self.code[s] = <uint8_t>code
        self.mark[s] = <uint8_t>has_left
        clock[CLOCK_DELAY] = clock[CLOCK_REST] = clock[CLOCK_WINDOW] = 0
        mark_page(
            self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_STATUS | WROTE_CODE | WROTE_MARK | WROTE_CLOCK
        )
        plan[PLAN_ALIVE] -= 1
        if self.c_is_open(s):
            plan[PLAN_OPEN] -= 1
        if status == FAULTED:
            plan[PLAN_FAULTED] += 1
        elif status == CANCELLED and not has_left:
            plan[PLAN_CANCELLED] += 1
        self.c_touch(s)
        self.record(4, T_ATTEMPT_ENDED, s, status, code, 0, 0)
        return push(&self.unsettled, rollout)

    # --- settling ----------------------------------------------------------------------------------------------------

    def settle(self):
        """Bring everything to a fixed point; return what `select` would start then."""
        with nogil:
            self.c_settle()
        return self.taken_picks()

    cdef int c_settle(self) except -1 nogil:
        cdef Py_ssize_t i
        while True:
            if self.ask is not None:
                self.touch_holders()
            self.look_at_touched()
            self.c_walk()
            for i in range(0, self.ends.size, 2):
                self.end_at_gate(self.ends.data[i], self.ends.data[i + 1])
            for i in range(0, self.refusals.size, 2):
                self.c_refuse(self.refusals.data[i], self.refusals.data[i + 1])
            if self.ends.size or self.touched_sets.size:  # a refusal that came to something has touched its set
                continue
            if not self.look_at_rollouts():
                return 0

    cdef int touch_holders(self) except -1 nogil:
        cdef int s
        for s in range(self.set_count):
            if self.link[s * LINK + LINK_HOLD] >= 0:
                self.c_touch(s)
        return 0

    cdef int look_at_touched(self) except -1 nogil:
        cdef Ints sets
        cdef Py_ssize_t i
        cdef int s
        while self.touched_sets.size:
            if self.touched_sets.size == 1:
                s = self.touched_sets.data[0]
                self.touched_sets.size = 0
                self.touched[s] = 0
                self.look_at(s)
                continue
            # `batch` lends its memory: the sets of this round, while those of the next are noted
            sets = self.touched_sets
            self.touched_sets = self.batch
            self.touched_sets.size = 0
            self.batch = sets
            if sets.size > 1:
                qsort(sets.data, sets.size, sizeof(int32_t), by_size)
            for i in range(sets.size):
                self.touched[sets.data[i]] = 0
            for i in range(sets.size):
                self.look_at(sets.data[i])
        return 0

    cdef int look_at(self, int s) except -1 nogil:
        """Do what is due between two batches of a set, if it has nobody in flight."""
        if self.status[s] == WAITING or self.status[s] == ROLLING:
            if not self.tally[<Py_ssize_t>s * TALLY + TALLY_FLIGHT]:
                return self.between_batches(s)
        return 0

    cdef int between_batches(self, int s) except -1 nogil:
        cdef bint has_batch_ended = self.mark[s] & BATCHING
        if has_batch_ended:
            self.mark[s] &= 255 - BATCHING
            mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK)
        if self.mark[s] & CANCELLING:
            return self.c_end(s, CANCELLED, NO_ERROR)
        if has_batch_ended and self.c_upgraded_gate_broken(s):
            return self.c_end(s, FAULTED, TOO_MANY_UPGRADED_UNHEALTHY)
        if not self.tally[<Py_ssize_t>s * TALLY + PENDING] and self.c_is_open(s):
            return self.c_end(s, COMPLETED, NO_ERROR)
        if has_batch_ended and self.clock[s * CLOCK + CLOCK_PAUSE]:
            self.rest(s)
        return self.review_hold(s)

    cdef int rest(self, int s) except -1 nogil:
        cdef int rollout = self.link[s * LINK + LINK_ROLLOUT]
        cdef int64_t since = self.dial[rollout * DIAL + DIAL_PAUSED] if self.trait[rollout] & PAUSED else self.now
        self.mark[s] |= RESTING
        self.clock[s * CLOCK + CLOCK_REST] = since + self.clock[s * CLOCK + CLOCK_PAUSE]
        mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK | WROTE_CLOCK)
        return self.record(3, T_ARMED, TIMER_REST, s, 0, 0, 0)

    cdef int review_hold(self, int s) except -1 nogil:
        cdef int cell = self.link[s * LINK + LINK_HOLD]
        if cell < 0:
            return 0
        if (
            self.trait[self.link[s * LINK + LINK_ROLLOUT]] & PAUSED
            or self.mark[s] & SHUT
            or not self.c_has_candidates_in(s, cell)
        ):
            self.let_go(s)
        return 0

    cdef int end_at_gate(self, int s, int gates) except -1 nogil:
        if gates & NOT_ELIGIBLE:
            return self.c_leave(s)
        if gates & UPGRADED_UNHEALTHY:
            return self.c_end(s, FAULTED, TOO_MANY_UPGRADED_UNHEALTHY)
        if self.status[s] == WAITING:
            return self.c_end(s, FAULTED, TOO_MANY_UNHEALTHY_BEFORE)
        return self.c_end(s, FAULTED, TOO_MANY_UNHEALTHY)

    cdef int c_refuse(self, int s, int bucket) except -1 nogil:
        cdef Py_ssize_t i
        cdef int slot
        if self.status[s] != WAITING and self.status[s] != ROLLING:
            return 0
        self.c_candidates(s, bucket)
        if self.ask is not None:
            with gil:
                self.ask_who_is_refused(s, bucket)
        if not self.found.size:
            return 0
        if self.status[s] == ROLLING:
            return self.c_end(s, CANCELLED, REFUSED_BY_POLICY)
        for i in range(self.found.size):
            slot = self.found.data[i]
            self.flag[slot] |= REFUSED
            mark_page(self.dirty_slots, self.coarse_slots, slot // SLOT_PAGE, WROTE_FLAG)
            self.c_put(slot, EXCLUDED, self.life[slot] >> HEALTH_SHIFT)
            self.record_slot(T_BECAME, s, EXCLUDED, BY_POLICY, slot)
        return 0

    cdef int ask_who_is_refused(self, int s, int bucket) except -1:
        answer, slots = self.ask(s, bucket, [self.found.data[i] for i in range(self.found.size)])
        self.found.size = 0
        if answer == NEVER:
            for slot in slots:
                push(&self.found, slot)
        return 0

    def refuse(self, int s, int bucket):
        """Do what a user's policy's `never` asks for: exclude those refused from a waiting attempt, end a begun one."""
        self.c_refuse(s, bucket)

    # --- phases and rollouts -----------------------------------------------------------------------------------------

    def note_rollout(self, int rollout):
        """Note that the rollout may have ended."""
        push(&self.unsettled, rollout)

    cdef int look_at_rollouts(self) except -1 nogil:
        cdef Ints rollouts = self.unsettled
        cdef Py_ssize_t i
        cdef int rollout
        cdef int32_t* plan
        if not rollouts.size:
            return self.touched_sets.size != 0
        # `batch` lends its memory, as above
        self.unsettled = self.batch
        self.unsettled.size = 0
        self.batch = rollouts
        if rollouts.size > 1:
            qsort(rollouts.data, rollouts.size, sizeof(int32_t), by_size)
        for i in range(rollouts.size):
            rollout = rollouts.data[i]
            if i > 0 and rollouts.data[i - 1] == rollout:
                continue
            plan = self.plan + <Py_ssize_t>rollout * PLAN
            if self.course[rollout] != RUNNING:
                continue
            if self.trait[rollout] & STOPPING:
                if not plan[PLAN_ALIVE]:
                    self.end_rollout(rollout, RO_CANCELLED)
            elif self.trait[rollout] & PHASED:
                if not plan[PLAN_OPEN] and not self.trait[rollout] & BAKING:
                    self.end_phase(rollout)
            elif not plan[PLAN_ALIVE]:
                if plan[PLAN_FAULTED]:
                    self.end_rollout(rollout, RO_FAULTED)
                elif plan[PLAN_CANCELLED]:
                    self.end_rollout(rollout, RO_CANCELLED)
                else:
                    self.end_rollout(rollout, RO_COMPLETED)
        return self.touched_sets.size != 0 or self.unsettled.size != 0

    cdef int end_phase(self, int rollout) except -1 nogil:
        cdef int64_t lost, eligible, since
        self.c_lost_and_eligible(rollout, &lost, &eligible)
        if self.phase_bake_ms and eligible:
            since = self.dial[rollout * DIAL + DIAL_PAUSED] if self.trait[rollout] & PAUSED else self.now
            self.trait[rollout] |= BAKING
            self.dial[rollout * DIAL + DIAL_BAKED] = since + self.phase_bake_ms
            return self.record(3, T_ARMED, TIMER_BAKE, rollout, 0, 0, 0)
        return self.judge_phase(rollout)

    cdef int c_lost_and_eligible(self, int rollout, int64_t* lost, int64_t* eligible) noexcept nogil:
        cdef int phase = self.plan[rollout * PLAN + PLAN_PHASE]
        cdef int64_t not_done
        cdef uint32_t* t
        cdef int s
        lost[0] = self.plan[rollout * PLAN + PLAN_LOST]
        eligible[0] = self.plan[rollout * PLAN + PLAN_ELIGIBLE]
        for s in range(self.set_count):
            if self.link[s * LINK + LINK_ROLLOUT] != rollout or self.link[s * LINK + LINK_PHASE] != phase:
                continue
            if self.mark[s] & LEFT:
                continue
            t = self.tally + <Py_ssize_t>s * TALLY
            not_done = <int64_t>t[PENDING] - t[TALLY_TOO_LATE] + t[RESTORED] + t[FAILED]
            lost[0] += not_done + t[TALLY_UPGRADED_BAD]
            eligible[0] += not_done + t[UPGRADED]
        return 0

    def lost_and_eligible(self, int rollout):
        """Return how many eligible instances of the open phase are not upgraded and healthy, and how many there are."""
        cdef int64_t lost, eligible
        self.c_lost_and_eligible(rollout, &lost, &eligible)
        return lost, eligible

    cdef int judge_phase(self, int rollout) except -1 nogil:
        cdef int32_t* plan = self.plan + <Py_ssize_t>rollout * PLAN
        cdef int phase = plan[PLAN_PHASE]
        cdef int64_t lost, eligible
        cdef bint has_succeeded
        self.c_lost_and_eligible(rollout, &lost, &eligible)
        has_succeeded = 100 * lost <= self.phase_failure_percent * eligible
        if plan[PLAN_PHASES]:
            self.record(6, T_PHASE_ENDED, rollout, phase, has_succeeded, <int>lost, <int>eligible)
        if not has_succeeded:
            return self.end_rollout(rollout, RO_HALTED)
        if phase + 1 >= plan[PLAN_PHASES]:
            return self.end_rollout(rollout, RO_COMPLETED)
        return self.c_open_phase(rollout, phase + 1)

    cdef int c_open_phase(self, int rollout, int phase) except -1 nogil:
        cdef int32_t* plan = self.plan + <Py_ssize_t>rollout * PLAN
        cdef int s
        plan[PLAN_PHASE] = phase
        plan[PLAN_LOST] = plan[PLAN_ELIGIBLE] = plan[PLAN_OPEN] = 0
        self.dial[rollout * DIAL + DIAL_OPENED] = self.now
        self.record(3, T_PHASE_OPENED, rollout, phase, 0, 0, 0)
        for s in range(self.set_count):
            if self.is_attempt_of(s, rollout) and self.link[s * LINK + LINK_PHASE] == phase:
                plan[PLAN_OPEN] += 1
                if self.has_delays:
                    self.mark[s] |= DELAYED
                    mark_page(self.dirty_sets, self.coarse_sets, s // SET_PAGE, WROTE_MARK)
                self.c_touch(s)
        return push(&self.unsettled, rollout)

    def open_phase(self, int rollout, int phase):
        """Open a phase: its attempts may begin, each after its delay where there are delays."""
        self.c_open_phase(rollout, phase)

    cdef int end_rollout(self, int rollout, int course) except -1 nogil:
        cdef int s
        for s in range(self.set_count):
            if self.is_attempt_of(s, rollout):
                self.c_end(s, CANCELLED, NO_ERROR)
        self.course[rollout] = <uint8_t>course
        self.trait[rollout] &= 255 - (PAUSED | BAKING | STOPPING)
        self.dial[rollout * DIAL + DIAL_PAUSED] = 0
        self.dial[rollout * DIAL + DIAL_ENDED] = self.now
        return self.record(3, T_ROLLOUT_ENDED, rollout, course, 0, 0, 0)
