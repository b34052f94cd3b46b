"""What other compiled modules see of the kernel: its numbers, its columns, what can be called without the GIL."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport realloc

cimport cython

cdef enum:
    # what was written
    WROTE_LIFE = 1
    WROTE_FLAG = 2
    WROTE_VERSION = 4
    WROTE_FAILED = 16
    WROTE_OBSERVED = 64
    WROTE_DEADLINE = 128
    WROTE_WAIT = 2
    WROTE_BEGUN = 4
    WROTE_STATUS = 1
    WROTE_MARK = 2
    WROTE_CODE = 8
    WROTE_TALLY = 16
    WROTE_LINK = 32
    WROTE_CLOCK = 64
    # an instance
    STATE_BITS = 15
    HEALTH_SHIFT = 4
    BROKEN = 16
    REFUSED = 32
    TOO_LATE = 64
    SWAPPED = 64
    UNANSWERED = 128
    TIMEOUT_MS_MAX = 2147483647
    OBSERVED = 3
    # a bucket
    SITE_SET = 0
    SITE_CELL = 1
    SITE_DOMAIN = 2
    SITE_NUMBER = 3
    SITE_FIRST = 4
    SITE_COUNT = 5
    SITE = 6
    WAIT_PENDING = 0
    WAIT_BAD = 1
    WAIT_FLIGHT = 2
    WAIT = 3
    LATELY_MAX = 255
    # a set
    NONE = 0
    WAITING = 1
    ROLLING = 2
    COMPLETED = 3
    FAULTED = 4
    CANCELLED = 5
    CANCELLING = 1
    LEFT = 2
    DELAYED = 4
    RESTING = 8
    SHUT = 16
    UNFIT = 32
    BATCHING = 64
    PRIORITIZE = 1
    CROSS_ZONE = 2
    FABRIC = 4
    ROLLBACK = 8
    SHRINKS = 16
    OF_SET = 32
    MANUAL_SET = 64
    NO_ERROR = 0
    TOO_MANY_UPGRADED_UNHEALTHY = 1
    TOO_MANY_UNHEALTHY_BEFORE = 2
    TOO_MANY_UNHEALTHY = 3
    REFUSED_BY_POLICY = 4
    BATCH_PERCENT = 0
    UNHEALTHY_PERCENT = 1
    UPGRADED_PERCENT = 2
    PERCENT = 4
    TALLY_TOTAL = 10
    TALLY_BAD = 11
    TALLY_UPGRADED_BAD = 12
    TALLY_FLIGHT = 13
    TALLY_BATCHES = 14
    TALLY_UNRESTORED = 15
    TALLY_TOO_LATE = 16
    TALLY = 18
    LINK_ROLLOUT = 0
    LINK_PHASE = 1
    LINK_ATTEMPT = 2
    LINK_HOLD = 3
    LINK_TARGET = 4
    LINK_REGION = 5
    LINK_BUCKET = 6
    LINK_BUCKETS = 7
    LINK = 8
    CLOCK_BEGAN = 0
    CLOCK_DELAY = 1
    CLOCK_REST = 2
    CLOCK_WINDOW = 3
    CLOCK_PAUSE = 4
    CLOCK = 5
    # a rollout
    RUNNING = 1
    RO_COMPLETED = 2
    RO_FAULTED = 3
    RO_HALTED = 4
    RO_CANCELLED = 5
    PAUSED = 1
    PHASED = 2
    BAKING = 4
    STOPPING = 8
    PLAN_PHASE = 0
    PLAN_PHASES = 1
    PLAN_OPEN = 2
    PLAN_ALIVE = 3
    PLAN_FAULTED = 4
    PLAN_CANCELLED = 5
    PLAN_LOST = 6
    PLAN_ELIGIBLE = 7
    PLAN = 8
    DIAL_PAUSED = 0
    DIAL_BAKED = 1
    DIAL_OPENED = 2
    DIAL_ENDED = 3
    DIAL = 4
    # the fleet
    SUM_FLIGHT = 0
    SUM_BAD = 1
    SUM_TOTAL = 2
    # the trace
    T_BECAME = 1
    T_IGNORED = 2
    T_STARTED = 3
    T_ATTEMPT_ENDED = 4
    T_PHASE_OPENED = 5
    T_PHASE_ENDED = 6
    T_ROLLOUT_ENDED = 7
    T_ARMED = 8
    T_FAILED_MORE = 9
    LATE = 1
    STALE = 2
    DUPLICATE = 3
    IS_GONE = 4
    BY_BATCH = 0
    BY_SIGNAL = 1
    BY_DEADLINE = 2
    BY_POLICY = 6
    TIMER_DEADLINE = 0
    TIMER_DELAY = 1
    TIMER_REST = 2
    TIMER_BAKE = 3
    TIMER_WINDOW = 4
    # what keeps a batch from starting
    NO_ATTEMPT = 1
    ENDED = 2
    IS_CANCELLED = 4
    IS_PAUSED = 8
    PHASE_SHUT = 16
    IN_FLIGHT = 32
    NOT_BEFORE = 64
    WINDOW_SHUT = 128
    PAIR_AT_WORK = 256
    GROUP_FULL = 512
    CELL_BUSY = 1024
    NOT_ELIGIBLE = 2048
    UPGRADED_UNHEALTHY = 4096
    SET_UNHEALTHY = 8192

cdef enum:
    # `Life`
    CURRENT = 0
    EXCLUDED = 1
    PENDING = 2
    REPLACING = 3
    CONFIGURING = 4
    VERIFYING = 5
    UPGRADED = 6
    RESTORING = 7
    RESTORED = 8
    FAILED = 9
    GONE = 10
    # `Happening`
    H_BATCH_STARTS = 0
    H_DISK_REPLACED = 1
    H_HEALTHY = 3
    H_DEADLINE_PASSED = 4
    STAYS = 255
    # `Health`
    HEALTHY = 0
    UNKNOWN = 2
    INITIALIZING = 3
    # what a user's policy answers, and what no bound holds
    ADMIT = 0
    NEVER = 2
    UNBOUNDED = 2147483647
    # rows a page
    SLOT_PAGE = 32
    BUCKET_PAGE = 8
    SET_PAGE = 2

cdef inline bint is_in_flight(int state) noexcept nogil:
    return state == REPLACING or state == CONFIGURING or state == VERIFYING or state == RESTORING


cdef inline bint is_commanded(int state) noexcept nogil:
    return state == REPLACING or state == CONFIGURING or state == RESTORING


cdef inline bint is_bad(int health) noexcept nogil:
    return health == 1 or health == 2


cdef inline Py_ssize_t length_of(const int32_t* record) noexcept nogil:
    """Return how many numbers a record of the trace has (`codes`)."""
    cdef int operation = record[0]
    if operation == T_BECAME or operation == T_IGNORED:
        return 5 + record[4]
    if operation == T_STARTED:
        return 4 + record[3]
    if operation == T_ATTEMPT_ENDED:
        return 4
    return 6 if operation == T_PHASE_ENDED else 3


cdef struct Ints:
    int32_t* data
    Py_ssize_t size
    Py_ssize_t room


cdef inline int push(Ints* ints, int32_t number) except -1 nogil:
    """Append a number."""
    cdef int32_t* data
    if ints.size == ints.room:
        data = <int32_t*>realloc(ints.data, (2 * ints.room + 64) * sizeof(int32_t))
        if data == NULL:
            with gil:
                raise MemoryError()
        ints.data = data
        ints.room = 2 * ints.room + 64
    ints.data[ints.size] = number
    ints.size += 1
    return 0


cdef struct Ragged:
    const uint32_t* first
    const uint32_t* items


cdef struct Place:
    int32_t phase
    int32_t cell
    int32_t s
    int32_t bucket


cdef struct Places:
    Place* data
    Py_ssize_t size
    Py_ssize_t room


@cython.final
cdef class Kernel:
    cdef object workspace, statics, ask
    cdef list keep  # the buffers below stay alive as long as this does
    cdef uint8_t* life
    cdef uint8_t* flag
    cdef uint16_t* version
    cdef uint16_t* failed
    cdef uint32_t* bucket
    cdef uint16_t* observed
    cdef uint32_t* deadline
    cdef uint32_t* order
    cdef int32_t* site
    cdef uint32_t* wait
    cdef uint8_t* begun
    cdef uint8_t* status
    cdef uint8_t* mark
    cdef uint8_t* option
    cdef uint8_t* code
    cdef uint8_t* percent
    cdef uint32_t* tally
    cdef int32_t* link
    cdef int64_t* clock
    cdef uint32_t* holds
    cdef uint32_t* working
    cdef uint32_t* used
    cdef uint8_t* course
    cdef uint8_t* trait
    cdef int32_t* plan
    cdef int64_t* dial
    cdef int64_t* sums
    cdef uint8_t* dirty_slots
    cdef uint8_t* dirty_buckets
    cdef uint8_t* dirty_sets
    cdef uint8_t* coarse_slots
    cdef uint8_t* coarse_buckets
    cdef uint8_t* coarse_sets
    cdef const uint8_t* life_table
    cdef const uint64_t* cell_rows
    cdef const uint32_t* region_sets
    cdef const uint32_t* group_limit
    cdef Ragged cell_wakes, cell_groups, region_pairs, set_instance_groups, set_work_groups, group_sets, group_regions
    cdef int listed, cell_words, cell_count, region_count, group_count, set_count
    cdef int64_t step_timeout_ms, health_timeout_ms, phase_bake_ms
    cdef int phase_failure_percent
    cdef bint has_delays
    cdef uint64_t* busy
    cdef uint8_t* hot
    cdef uint8_t* touched
    cdef uint8_t* commands  # a bit a slot: this step has given it a command, which nobody can have answered
    cdef Py_ssize_t commands_bytes
    cdef Ints commanded  # the slots of those bits
    cdef Ints hot_sets, touched_sets, unsettled, refusals, assumed_sets, doubtful
    cdef Ints found, batch, picks, pick_slots, ends, choices, choice_slots
    cdef Places turns, queue, later, sorting
    cdef uint8_t* before  # holds, work and use before the picks of a walk
    cdef bint is_quiet
    cdef bint has_looked  # at other instances than the one that something happened to, and somebody may have gone by it
    cdef bint is_last_turn
    cdef int64_t now
    cdef int64_t since  # no deadline of an instance in flight lies before it
    cdef Ints trace
    cdef Py_ssize_t group

    cdef int c_heat(self, int s) except -1 nogil
    cdef int c_touch(self, int s) except -1 nogil
    cdef int heat_region(self, int region) except -1 nogil
    cdef int heat_all_of(self, Ragged lists, int at) except -1 nogil
    cdef int heat_group(self, int group) except -1 nogil
    cdef int record(self, int count, int a, int b, int c, int d, int e, int f) except -1 nogil
    cdef int record_slot(self, int operation, int s, int what, int why, int slot) except -1 nogil
    cdef int c_put(self, int slot, int state, int health) except -1 nogil
    cdef int recount(self, int s, int bucket, int was, int was_bad, int state, int bad) except -1 nogil
    cdef int use(self, int group, int by) except -1 nogil
    cdef int hold(self, int cell) except -1 nogil
    cdef int unhold(self, int cell) except -1 nogil
    cdef int work(self, int s, int by) except -1 nogil
    cdef int let_go(self, int s) except -1 nogil
    cdef int first_bucket(self, int s) noexcept nogil
    cdef int end_bucket(self, int s) noexcept nogil
    cdef int64_t c_earliest(self, int s) noexcept nogil
    cdef int find_overdue(self, int s, int64_t before) except -1 nogil
    cdef int64_t time_of_deadline(self, int slot) noexcept nogil
    cdef int c_leap(self) except -1 nogil
    cdef int c_cap(self, int s) noexcept nogil
    cdef int c_healthy_at_most(self, int s) noexcept nogil
    cdef int c_room(self, int s) noexcept nogil
    cdef bint c_upgraded_gate_broken(self, int s) noexcept nogil
    cdef bint c_health_gate_broken(self, int s) noexcept nogil
    cdef bint c_is_open(self, int s) noexcept nogil
    cdef int c_standing(self, int s) noexcept nogil
    cdef bint is_crowded(self, int s) noexcept nogil
    cdef int c_gates(self, int s) noexcept nogil
    cdef int c_in_cell(self, int s, int cell) noexcept nogil
    cdef bint is_disturbed(self, int cell) noexcept nogil
    cdef int c_current(self, int s, int* lately) noexcept nogil
    cdef bint c_is_candidate(self, int bucket, int number, int lately) noexcept nogil
    cdef int c_has_candidates_in(self, int s, int cell) except -1 nogil
    cdef int gather(self, int bucket, int wanted) except -1 nogil
    cdef int c_candidates(self, int s, int bucket) except -1 nogil
    cdef int c_part(self, int s, int bucket) except -1 nogil
    cdef int consult(self, int s, int bucket) except -1
    cdef int bad_among_own(self, int bucket) noexcept nogil
    cdef int c_choose(self, int s) except -2 nogil
    cdef int c_fill(self, int s) except -1 nogil
    cdef int c_batch(self, int s, int bucket) except -1 nogil
    cdef int c_legal(self, int s) except -1 nogil
    cdef bint has_met_domain(self, int s, int bucket, int number, int lately) noexcept nogil
    cdef int assume(self, int s, int bucket, int count, int by) except -1 nogil
    cdef int c_walk(self) except -1 nogil
    cdef bint is_flying(self, int s) noexcept nogil
    cdef int take_turns(self) except -1 nogil
    cdef int look_at_turns(self, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t* kept) except -1 nogil
    cdef bint walk_through(self) except -1 nogil
    cdef int look_again(self, Py_ssize_t first) except -1 nogil
    cdef bint moves_up(self, Place* place) except -1 nogil
    cdef int remember(self, bint back) except -1 nogil
    cdef int sort_hot(self) except -1 nogil
    cdef void fetch_set(self, int s) noexcept nogil
    cdef void fetch_place(self, Place place) noexcept nogil
    cdef bint may_still(self, Place place) noexcept nogil
    cdef object taken_picks(self)
    cdef Place c_place(self, int s, int bucket) noexcept nogil
    cdef int c_happen(self, int happening, int slot, int cause) except -1 nogil
    cdef int lead(self, int happening, int slot, int cause, int health) except -1 nogil
    cdef uint16_t installed(self, int slot) noexcept nogil
    cdef int forget_health(self, int slot, int health) noexcept nogil
    cdef int remember_failure(self, int s, int slot) except -1 nogil
    cdef int c_start(self, int s, int bucket, const uint32_t* slots, Py_ssize_t count) except -1 nogil
    cdef int begin_domain(self, int s, int bucket) noexcept nogil
    cdef int c_report(self, int slot, int what, int64_t observed_at, uint32_t attempt, int answers) except -1 nogil
    cdef int c_signal(self, int slot, int what, int64_t observed_at, uint32_t attempt, int answers) except -1 nogil
    cdef bint is_commanded(self, int slot) noexcept nogil
    cdef int note_command(self, int slot, int before) except -1 nogil
    cdef void fetch_row(self, int slot) noexcept nogil
    cdef void fetch_site(self, int slot) noexcept nogil
    cdef void fetch_counts(self, int slot) noexcept nogil
    cdef int hear(self, int slot, int state, int health, int64_t observed_at) except -1 nogil
    cdef int answer(self, int slot, int state, int what, uint32_t attempt, int answers) except -1 nogil
    cdef int64_t c_time_of(self, int kind, int of) noexcept nogil
    cdef int c_pass_timer(self, int s, int mark) except -1 nogil
    cdef int c_pass_bake(self, int rollout) except -1 nogil
    cdef int c_set_window(self, int s, bint is_open) except -1 nogil
    cdef int c_pause(self, int rollout) except -1 nogil
    cdef int c_resume(self, int rollout) except -1 nogil
    cdef int c_cancel(self, int rollout) except -1 nogil
    cdef int c_cancel_attempt(self, int s) except -1 nogil
    cdef int c_leave(self, int s) except -1 nogil
    cdef bint is_attempt_of(self, int s, int rollout) noexcept nogil
    cdef int c_end(self, int s, int status, int code) except -1 nogil
    cdef int c_settle(self) except -1 nogil
    cdef int touch_holders(self) except -1 nogil
    cdef int look_at_touched(self) except -1 nogil
    cdef int look_at(self, int s) except -1 nogil
    cdef int between_batches(self, int s) except -1 nogil
    cdef int rest(self, int s) except -1 nogil
    cdef int review_hold(self, int s) except -1 nogil
    cdef int end_at_gate(self, int s, int gates) except -1 nogil
    cdef int c_refuse(self, int s, int bucket) except -1 nogil
    cdef int ask_who_is_refused(self, int s, int bucket) except -1
    cdef int look_at_rollouts(self) except -1 nogil
    cdef int end_phase(self, int rollout) except -1 nogil
    cdef int c_lost_and_eligible(self, int rollout, int64_t* lost, int64_t* eligible) noexcept nogil
    cdef int judge_phase(self, int rollout) except -1 nogil
    cdef int c_open_phase(self, int rollout, int phase) except -1 nogil
    cdef int end_rollout(self, int rollout, int course) except -1 nogil

    cdef inline int64_t observed_at(self, int slot) noexcept nogil:
        cdef const uint16_t* row = self.observed + <Py_ssize_t>slot * OBSERVED
        return (row[0] | <int64_t>row[1] << 16 | <int64_t>row[2] << 32) - 1

    cdef inline void observe(self, int slot, int64_t time) noexcept nogil:
        cdef uint16_t* row = self.observed + <Py_ssize_t>slot * OBSERVED
        row[0] = <uint16_t>(time + 1)
        row[1] = <uint16_t>(time + 1 >> 16)
        row[2] = <uint16_t>(time + 1 >> 32)
