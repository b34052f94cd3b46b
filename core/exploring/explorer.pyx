# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""The explorer, compiled: `twin.py` function by function, on the compiled kernel's own columns.

A key is a few bytes: a number for the record of each instance, bucket by bucket (one byte); how lately each upgrade domain was
begun (one byte, where a set cares); the cell that each set holds (one byte); a number for the record of each set, each
rollout, and of what the environment has left (two bytes each). What a number stands for is kept once (`Names`): there are
few different records. Keys are exact; nothing is hashed away.

Keys stand one after the other in blocks, in the order in which they were found, each with the number of its parent. The
table that finds them holds, in open addressing, their numbers and 32 bits of their hashes (`slots` of 8 bytes), or in
`is_compact` mode their numbers alone (4 bytes), at most four fifths full.

One state is expanded by laying its key open in the arena, remembering the arena, and for each act: letting it happen through
the kernel, reading the key, and putting the arena back. The GIL is taken only for what Python does.
"""

cimport cython
from cpython cimport array
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

import array as _arrays

from phasegate.core.kernel cimport (
    BAKING, BROKEN, CANCELLED, CANCELLING, CLOCK, COMPLETED, FAULTED, NO_ERROR, CLOCK_BEGAN, CLOCK_DELAY, CLOCK_PAUSE, CLOCK_REST, CLOCK_WINDOW,
    CONFIGURING, DELAYED, DIAL, FAILED, GONE, HEALTHY, HEALTH_SHIFT, INITIALIZING, Ints, Kernel, LEFT,
    LINK, LINK_ATTEMPT, LINK_HOLD, LINK_PHASE, LINK_REGION, LINK_ROLLOUT, LINK_TARGET, PAUSED, PENDING, PERCENT, PHASED,
    PLAN, PLAN_ELIGIBLE, PLAN_PHASE, PLAN_PHASES, REFUSED, REPLACING, RESTING, RESTORED, RESTORING, ROLLING, RO_HALTED, RUNNING, Ragged, SHUT, SITE,
    SITE_CELL, SITE_DOMAIN, SITE_NUMBER, TOO_MANY_UNHEALTHY, TOO_MANY_UNHEALTHY_BEFORE, TOO_MANY_UPGRADED_UNHEALTHY,
     SITE_SET, STATE_BITS, STOPPING, SUM_BAD, SUM_FLIGHT, SUM_TOTAL, TALLY, TALLY_BAD, TALLY_FLIGHT,
    TALLY_TOO_LATE, TALLY_TOTAL, TALLY_UPGRADED_BAD, TOO_LATE, T_ARMED, T_ATTEMPT_ENDED, T_BECAME, T_FAILED_MORE,
    T_IGNORED, T_PHASE_ENDED, T_STARTED, UNKNOWN, UPGRADED, VERIFYING, WAIT, WAITING,
    WAIT_BAD, WAIT_FLIGHT, WAIT_PENDING, push,
)

from phasegate.core.exploring import acts as _acts, ranking as _ranking, subject as _subject
from phasegate.core.exploring.promises import LED as _LED, Meant, Promise, version_ranks
from phasegate.core.exploring.symmetry import identity, is_free, symmetries
from phasegate.core.exploring.twin import Successor, Violation
from phasegate.core.lifecycle import Life as _Life

cdef extern from *:
    """
    #define PREFETCH(place) __builtin_prefetch(place)
    #define POPCOUNT(bits) __builtin_popcount(bits)
    #define POSITION(bits) __builtin_ctz(bits)
    """
    void PREFETCH(const void* place) noexcept nogil
    int POPCOUNT(uint32_t bits) noexcept nogil
    int POSITION(uint32_t bits) noexcept nogil

cdef enum:
    # `Act`
    A_START = 0
    A_ANSWER = 1
    A_FAIL = 2
    A_HEALTHY = 3
    A_UNHEALTHY = 4
    A_STALE = 5
    A_LATE = 6
    A_DUPLICATE = 7
    A_REMOVE = 8
    A_ADD = 9
    A_DEADLINE = 10
    A_ISSUE = 11
    A_EXECUTE = 12
    A_MAINTENANCE = 13
    A_DELAY = 14
    A_REST = 15
    A_WINDOW = 16
    A_BAKE = 17
    A_PAUSE = 18
    A_RESUME = 19
    A_CANCEL = 20
    A_STOP = 21
    A_ORDER = 22
    A_CRASH = 23
    ACTS = 24
    # `Promise`
    PAIRS_APART = 1
    CELLS_APART = 2
    PHASES_IN_ORDER = 3
    BATCH_WITHIN_CAP = 4
    HEALTHY_ENOUGH = 5
    NOT_AFTER_THE_END = 6
    PROMOTED_BY_HEALTH = 7
    OWN_DISK_BACK = 8
    TARGET_UNTOUCHED = 9
    MANUAL_NEVER_RESTORES = 10
    COUNTS_ADD_UP = 11
    COMMANDS_AS_RECORDED = 12
    EVERY_ROLLOUT_ENDS = 13
    EVERYONE_UPGRADED = 14
    SMALL_SETS_END = 15
    LATE_MOVES_NOTHING = 16
    GROUPS_WITHIN_LIMITS = 17
    NOT_BEFORE_ITS_TIME = 18
    LOWER_NUMBERS_FIRST = 19
    DOMAINS_FINISHED = 20
    LIVES_AS_WRITTEN = 21
    STOPPED_FOR_A_REASON = 22
    # where an act leads (`promises.LED`)
    BACK = 254
    UNSAID = 255
    # a command on its way
    RECORDED = 0
    ISSUED = 1
    EXECUTED = 2
    UNSURE = 3
    # what a budget without bound is, and flags and traits that the kernel does not name
    ANY = 255
    PROTECTED = 1
    SKIPPED = 4
    MANUAL = 16
    STATUSES = 6
    # how much there may be
    SLOTS = 64
    SETS = 16
    ROLLOUTS = 8
    PURSES = 16
    RECORDS = 256
    SET_BYTES = 20
    COUNTED = 14  # the first counts of a set: the states, all, not healthy, upgraded and not healthy, in flight
    ROLLOUT_BYTES = 34
    REST_BYTES = 24
    BLOCK = 65536  # keys

# the weights of a state's rank, and how far an instance in each health and a command on its way have to go (`ranking`)
cdef int64_t R_PURSE = _ranking.PURSE
cdef int64_t R_WIRE = _ranking.WIRE
cdef int64_t R_HEALTH = _ranking.HEALTH
cdef int64_t R_PHASE = _ranking.PHASE
cdef int64_t R_ATTEMPT = _ranking.ATTEMPT
cdef int64_t R_ARMED = _ranking.ARMED
cdef int[4] R_HEALTHS = _ranking.HEALTHS
cdef int[4] R_WIRES = _ranking.WIRES
cdef int64_t STATES_MAX = 2**32 - 16  # numbers of states are 32 bits wide
cdef int64_t NOW = _subject.NOW
cdef int64_t OLD = _subject.OLD
cdef int64_t SEEN = _subject.SEEN
cdef int64_t BETWEEN = _subject.BETWEEN
cdef int64_t ENTERED = _subject.ENTERED
cdef int64_t SEEN_SINCE = _subject.SEEN_SINCE

for _act in _acts.Act:
    if _act != {
        "START": A_START, "ANSWER": A_ANSWER, "FAIL": A_FAIL, "HEALTHY": A_HEALTHY, "UNHEALTHY": A_UNHEALTHY,
        "STALE": A_STALE, "LATE": A_LATE, "DUPLICATE": A_DUPLICATE, "REMOVE": A_REMOVE, "ADD": A_ADD,
        "DEADLINE": A_DEADLINE, "ISSUE": A_ISSUE, "EXECUTE": A_EXECUTE, "MAINTENANCE": A_MAINTENANCE,
        "DELAY": A_DELAY, "REST": A_REST, "WINDOW": A_WINDOW, "BAKE": A_BAKE, "PAUSE": A_PAUSE, "RESUME": A_RESUME,
        "CANCEL": A_CANCEL, "STOP": A_STOP, "ORDER": A_ORDER, "CRASH": A_CRASH,
    }[_act.name]:
        raise ImportError(f"the compiled explorer was built with another {_act.name}; build it again")


# --- names for records -----------------------------------------------------------------------------------------------

cdef struct Names:
    # different byte strings of one width, each with a number in order of appearance
    uint8_t* bytes
    int64_t* rank
    uint32_t* slots  # number + 1
    int width
    uint32_t count, room, mask


cdef int open_names(Names* names, int width) except -1:
    names.width = width
    names.count, names.room, names.mask = 0, 64, 255
    names.bytes = <uint8_t*>malloc(names.room * width)
    names.rank = <int64_t*>malloc(names.room * sizeof(int64_t))
    names.slots = <uint32_t*>calloc(names.mask + 1, sizeof(uint32_t))
    if names.bytes == NULL or names.rank == NULL or names.slots == NULL:
        raise MemoryError()
    return 0


cdef void close_names(Names* names) noexcept:
    free(names.bytes)
    free(names.rank)
    free(names.slots)


cdef inline uint64_t mixed(uint64_t word) noexcept nogil:
    word ^= word >> 32
    word *= <uint64_t>0x9E3779B97F4A7C15
    word ^= word >> 29
    word *= <uint64_t>0xBF58476D1CE4E5B9
    return word ^ (word >> 32)


cdef uint64_t hashed(const uint8_t* bytes, int width) noexcept nogil:
    cdef uint64_t word, found = 0x243F6A8885A308D3
    cdef int at = 0
    while at + 8 <= width:
        memcpy(&word, bytes + at, 8)
        found = (found ^ word) * <uint64_t>0x9E3779B97F4A7C15
        found ^= found >> 32
        at += 8
    if at < width:
        word = 0
        memcpy(&word, bytes + at, width - at)
        found = (found ^ word) * <uint64_t>0x9E3779B97F4A7C15
        found ^= found >> 32
    return mixed(found)


cdef int64_t named(Names* names, const uint8_t* bytes, bint* is_new) except -1 nogil:
    """Return the number of a byte string, a new one if it is new."""
    cdef uint32_t at = <uint32_t>hashed(bytes, names.width) & names.mask
    cdef uint32_t number
    is_new[0] = False
    while names.slots[at]:
        number = names.slots[at] - 1
        if not memcmp(names.bytes + <size_t>number * names.width, bytes, names.width):
            return number
        at = (at + 1) & names.mask
    is_new[0] = True
    if names.count == names.room:
        grow_names(names)
        at = <uint32_t>hashed(bytes, names.width) & names.mask
        while names.slots[at]:
            at = (at + 1) & names.mask
    memcpy(names.bytes + <size_t>names.count * names.width, bytes, names.width)
    names.rank[names.count] = 0
    names.count += 1
    names.slots[at] = names.count
    return names.count - 1


cdef int grow_names(Names* names) except -1 nogil:
    cdef uint32_t number, at
    cdef uint8_t* bytes = <uint8_t*>realloc(names.bytes, 2 * <size_t>names.room * names.width)
    cdef int64_t* rank
    cdef uint32_t* slots
    if bytes != NULL:
        names.bytes = bytes
    rank = <int64_t*>realloc(names.rank, 2 * <size_t>names.room * sizeof(int64_t))
    if rank != NULL:
        names.rank = rank
    slots = <uint32_t*>calloc(2 * (<size_t>names.mask + 1), sizeof(uint32_t))
    if bytes == NULL or rank == NULL or slots == NULL:
        free(slots)
        with gil:
            raise MemoryError()
    free(names.slots)
    names.slots = slots
    names.room *= 2
    names.mask = 2 * names.mask + 1
    for number in range(names.count):
        at = <uint32_t>hashed(names.bytes + <size_t>number * names.width, names.width) & names.mask
        while slots[at]:
            at = (at + 1) & names.mask
        slots[at] = number + 1
    return 0


# --- the explorer ----------------------------------------------------------------------------------------------------

cdef struct Beside:
    # what an exploration keeps beside the columns
    uint8_t ghost[SLOTS]  # the version that an instance in flight had when its batch started
    uint8_t wire[SLOTS]  # how far its command is on its way
    uint8_t rest[REST_BYTES]  # purses, what has happened (2), the book


cdef struct Move:
    int act
    int whom
    int choice
    int which


cdef inline int popcount(uint32_t bits) noexcept nogil:
    return POPCOUNT(bits)


cdef inline bint is_in_flight(int state) noexcept nogil:
    return state == REPLACING or state == CONFIGURING or state == VERIFYING or state == RESTORING


cdef inline bint is_commanded(int state) noexcept nogil:
    return state == REPLACING or state == CONFIGURING or state == RESTORING


cdef inline bint is_bad(int health) noexcept nogil:
    return health == 1 or health == 2


cdef uint8_t* start_of(uint8_t[::1] column) noexcept:
    return &column[0]


cdef uint32_t FAIR_ACTS = 0
_ACTS = list(_acts.Act)
for _act in _acts.FAIR:
    FAIR_ACTS |= <uint32_t>1 << <int>_act
cdef uint32_t ANSWERING_ACTS = 0
for _act in _acts.ANSWERING:
    ANSWERING_ACTS |= <uint32_t>1 << <int>_act


@cython.final
cdef class Watch:
    """A predicate on some fields of a state: asked once for each combination of their values."""

    cdef Names seen
    cdef list answers
    cdef object predicate
    cdef int count
    cdef int* offset
    cdef int* size
    cdef readonly object of  # what its owner calls it

    def __cinit__(self, fields, predicate, of):
        cdef int width = 0
        self.predicate, self.of, self.answers = predicate, of, []
        self.count = len(fields)
        self.offset = <int*>malloc((self.count + 1) * sizeof(int))
        self.size = <int*>malloc((self.count + 1) * sizeof(int))
        for at, (offset, size) in enumerate(fields):
            self.offset[at], self.size[at] = offset, size
            width += size
        open_names(&self.seen, max(1, width))

    def __dealloc__(self):
        free(self.offset)
        free(self.size)
        close_names(&self.seen)

    cdef int ask(self, const uint8_t* block) except -1:
        """Return what the predicate says of the state in the block: 0 holds, 1 does not."""
        cdef uint8_t bytes[4096]
        cdef int at, end = 0
        cdef bint is_new
        cdef int64_t number
        bytes[0] = 0
        for at in range(self.count):
            memcpy(bytes + end, block + self.offset[at], self.size[at])
            end += self.size[at]
        number = named(&self.seen, bytes, &is_new)
        if is_new:
            self.answers.append(0 if self.predicate() else 1)
        return self.answers[number]

    @property
    def asked(self):
        """How often the predicate itself was asked."""
        return len(self.answers)


@cython.final
cdef class Explorer:
    """Explores a subject; `is_symmetric` says whether states that differ in names only are one.

    `order` is `breadth` or `depth`. `memory_max` bounds the bytes of keys, parents and table; `is_compact` makes the table
    half as large and slower.
    """

    is_compiled = True

    cdef readonly object subject, open, v, group, meant, violation, freedom
    cdef readonly str order
    cdef readonly bint is_symmetric, is_benign, is_compact
    cdef readonly int64_t memory_max, transitions, rising
    cdef readonly int depth
    cdef Kernel k
    cdef list watches
    # the fleet
    cdef int slots, buckets, sets, rollouts, cells, regions, orders
    cdef uint8_t* block
    cdef size_t block_bytes
    cdef uint8_t* base  # the arena's mutable part, as the state that is being expanded has it
    cdef uint8_t[::1] held  # keeps the arena's memory
    cdef int run_first[SLOTS + 1]  # of each bucket, in `lined`
    cdef int lined[SLOTS]  # slots, bucket by bucket
    cdef int place_of[SLOTS]  # in `lined`
    cdef int set_of[SLOTS]
    cdef int bucket_of[SLOTS]
    cdef uint8_t tag[SLOTS]
    cdef bint is_spare[SLOTS]
    cdef bint has_begun, takes_selected, follows
    cdef int64_t timeout
    # what is beside the columns: now, and in the state that is being expanded
    cdef Beside beside
    cdef Beside base_beside
    cdef uint8_t base_life[SLOTS]
    cdef uint8_t base_key[SLOTS]  # the numbers of the instances' records, lined up
    cdef int64_t base_lives_rank
    cdef uint8_t base_number[SLOTS]  # the same, by slot
    cdef uint8_t changed[SLOTS]
    cdef int changed_count
    cdef uint64_t base_word[SLOTS]
    cdef uint8_t base_set[SETS * SET_BYTES]
    cdef uint8_t base_rollout[ROLLOUTS * ROLLOUT_BYTES]
    cdef int base_set_number[SETS]
    cdef int base_rollout_number[ROLLOUTS]
    cdef int base_rest_number
    cdef int base_phase[ROLLOUTS]
    cdef int64_t base_rank
    cdef int purse_of[ACTS]
    # records
    cdef uint64_t word_of[RECORDS]
    cdef int64_t rank_of[RECORDS]
    cdef uint32_t acts_of[RECORDS]
    cdef int record_count
    cdef uint64_t word_slots[1024]  # word + 1
    cdef uint8_t number_slots[1024]
    cdef Names set_names, rollout_names, rest_names
    cdef int64_t life_rank[16]
    # keys: where the parts begin
    cdef int at_begun, at_hold, at_sets, at_rollouts, at_rest, key_bytes
    cdef uint8_t key[512]
    cdef uint8_t trial[512]
    cdef int group_size
    cdef int* group_bucket
    cdef int* group_cell
    cdef int* group_set
    cdef int64_t found_rank
    # all keys
    cdef uint8_t** blocks
    cdef uint32_t** parents
    cdef Py_ssize_t block_count
    cdef uint64_t* table
    cdef uint32_t* compact
    cdef uint64_t table_size
    cdef readonly int64_t states
    cdef int64_t next_state, level_end
    cdef Ints todo
    # moves of the state that is being expanded
    cdef Move* moves_
    cdef int move_count, move_room
    cdef Ints offered  # the candidates of each choice
    cdef Ints offer  # bucket, where in `offered`, how many, of each choice
    # what is meant
    cdef uint8_t* pairs
    cdef uint8_t* conflicts
    cdef uint8_t* percent
    cdef uint8_t* cross_zone
    cdef uint8_t* small
    cdef uint8_t* fabric
    cdef uint8_t* restores
    cdef uint8_t* led
    cdef int32_t* domains
    cdef int32_t* numbers
    cdef bint shrinks
    cdef uint8_t* group_members
    cdef int meant_groups, group_count, phase_failure_percent
    cdef int asked  # the promises that count, one bit each
    cdef int group_limits[64]
    cdef int group_counts[64]
    cdef size_t still_at[8]  # what late reports must leave as it is: where in the arena, and how many bytes
    cdef size_t still_bytes[8]
    cdef size_t tally_at, link_at, status_at, mark_at, option_at, code_at  # of these columns in the arena
    cdef bint is_laid, todo_is_kept, has_watches, has_broken_watch
    cdef list meant_kept
    cdef int targets[ROLLOUTS]
    cdef int version_rank[RECORDS]
    cdef int versions_of_book
    # coverage
    cdef int64_t taken_[ACTS]
    cdef int64_t became_[16 * 16]
    cdef int64_t ended_[STATUSES * 8]
    cdef int64_t standing_[32]

    def __cinit__(self, subject, *, bint is_symmetric=True, str order="breadth", int64_t memory_max=1 << 40, bint is_compact=False):
        cdef int at, s, bucket
        self.subject = subject
        self.order = order
        self.memory_max = memory_max
        self.is_compact = is_compact
        self.open = subject.lay_open()
        self.v = self.open.v
        self.k = self.open.kernel
        self.freedom = subject.freedom
        self.group = symmetries(self.open) if is_symmetric else (identity(self.open),)
        self.is_symmetric = is_symmetric and is_free(self.open)
        rows = self.open.rows
        self.slots, self.buckets, self.sets = rows["instance"], rows["bucket"], rows["set"]
        self.rollouts, self.cells = rows["rollout"], rows["cell"]
        self.regions = rows["region"]
        self.orders = len(subject.orders)
        if self.sets > SETS or self.rollouts > ROLLOUTS or self.buckets > SLOTS or self.cells > 254:
            raise ValueError(f"{self.sets} sets, {self.rollouts} rollouts, {self.buckets} buckets; at most {SETS}, {ROLLOUTS}, {SLOTS}")
        self.held = self.open.arena.block
        self.block = &self.held[0]
        self.block_bytes = self.open.arena.mutable_bytes
        self.base = <uint8_t*>malloc(self.block_bytes)
        self.timeout = self.k.health_timeout_ms
        self.takes_selected = subject.takes == "select"
        self.follows = self.freedom.has_crashes
        for act in _acts.Act:
            self.purse_of[act] = self.freedom.purse(act)
        for life in _Life:
            self.life_rank[life] = _ranking.LIFE * _ranking.LIVES[life]
        self._lay_out()
        self._open_group()
        self._mean()
        open_names(&self.set_names, SET_BYTES)
        open_names(&self.rollout_names, ROLLOUT_BYTES)
        open_names(&self.rest_names, REST_BYTES)
        budgets = self.freedom.budgets()
        for at in range(len(budgets)):
            self.beside.rest[at] = budgets[at]
        self.is_benign = self.freedom.is_benign and not subject.orders
        self.watches = []
        self.versions_of_book = -1
        self.table_size = 1 << 12
        if is_compact:
            self.compact = <uint32_t*>calloc(self.table_size, sizeof(uint32_t))
        else:
            self.table = <uint64_t*>calloc(self.table_size, sizeof(uint64_t))
        for at in range(SLOTS):
            self.base_word[at] = <uint64_t>-1
        for at in range(SETS):
            self.base_set_number[at] = -1
        for at in range(ROLLOUTS):
            self.base_rollout_number[at] = -1
        self.base_rest_number = -1
        self.open.settle_times()
        self.compare(True)
        self.c_read()
        if self.insert(hashed(self.key, self.key_bytes), 0) != 1:
            raise MemoryError()
        self.todo_is_kept = order == "depth"
        if self.todo_is_kept:
            self.push_todo(0)
        self.level_end = 1

    def _lay_out(self):
        cdef int bucket, slot, at = 0
        for bucket in range(self.buckets):
            self.run_first[bucket] = at
            for slot in sorted(self.k.members(bucket), key=self.open.tags.__getitem__):  # equal tags side by side
                self.lined[at] = slot
                self.place_of[slot] = at
                self.bucket_of[slot] = bucket
                self.set_of[slot] = self.k.site[bucket * SITE + SITE_SET]
                at += 1
        self.run_first[self.buckets] = at
        for slot in range(self.slots):
            self.tag[slot] = self.open.tags[slot]
            self.is_spare[slot] = slot in self.open.spares
        self.has_begun = any(self.v.option[s] & 4 for s in range(self.sets)) or any(
            self.open.work.model(s).service_fabric is not None for s in range(self.sets)
        )
        self.at_begun = self.slots
        self.at_hold = self.at_begun + (self.buckets if self.has_begun else 0)
        self.at_sets = self.at_hold + self.sets
        self.at_rollouts = self.at_sets + 2 * self.sets
        self.at_rest = self.at_rollouts + 2 * self.rollouts
        self.key_bytes = (self.at_rest + 2 + 7) // 8 * 8
        memset(self.key, 0, sizeof(self.key))
        memset(self.trial, 0, sizeof(self.trial))

    def _open_group(self):
        cdef int g, at
        self.group_size = len(self.group)
        self.group_bucket = <int*>malloc(self.group_size * self.buckets * sizeof(int) + 1)
        self.group_cell = <int*>malloc(self.group_size * self.cells * sizeof(int) + 1)
        self.group_set = <int*>malloc(self.group_size * self.sets * sizeof(int) + 1)
        for g, one in enumerate(self.group):
            for at in range(self.buckets):
                self.group_bucket[g * self.buckets + at] = one.bucket[at]
            for at in range(self.cells):
                self.group_cell[g * self.cells + at] = one.cell[at]
            for at in range(self.sets):
                self.group_set[g * self.sets + at] = one.set[at]

    def _mean(self):
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
        self.group_count = len(self.open.work.compiled.statics.group_limit)
        for at, (counts, limit, _) in enumerate(self.meant.groups):
            self.group_limits[at] = limit
            self.group_counts[at] = {"instances": 0, "sets": 1, "cells": 2}[counts]
        self.phase_failure_percent = self.meant.phase_failure_percent
        for promise in self.subject.promises:
            self.asked |= 1 << <int>promise
        arena = self.open.arena
        self.tally_at, self.link_at = arena.offset["tally"], arena.offset["link"]
        self.status_at, self.mark_at = arena.offset["status"], arena.offset["mark"]
        self.option_at, self.code_at = arena.offset["option"], arena.offset["code"]
        for at, name in enumerate(("life", "flag", "version", "previous", "failed", "status", "mark", "course")):
            self.still_at[at], self.still_bytes[at] = arena.offset[name], len(arena.flat[name])

    def __dealloc__(self):
        cdef Py_ssize_t at
        free(self.base)
        free(self.group_bucket)
        free(self.group_cell)
        free(self.group_set)
        close_names(&self.set_names)
        close_names(&self.rollout_names)
        close_names(&self.rest_names)
        for at in range(self.block_count):
            free(self.blocks[at])
            free(self.parents[at])
        free(self.blocks)
        free(self.parents)
        free(self.table)
        free(self.compact)
        free(self.todo.data)
        free(self.moves_)
        free(self.offered.data)
        free(self.offer.data)

    # --- keys --------------------------------------------------------------------------------------------------------

    cdef uint64_t word(self, int slot) noexcept nogil:
        """Return an instance's record in one word: eight bits each, what it has heard and its command at the top."""
        cdef uint64_t found = self.k.life[slot]
        cdef int state = self.k.life[slot] & STATE_BITS
        if state == GONE:
            return <uint64_t>GONE | <uint64_t>self.tag[slot] << 48
        found |= <uint64_t>self.k.flag[slot] << 8
        found |= <uint64_t>(self.k.version[slot] & 255) << 16
        found |= <uint64_t>(self.k.previous[slot] & 255) << 24
        found |= <uint64_t>(self.k.failed[slot] & 255) << 32
        found |= <uint64_t>self.beside.ghost[slot] << 40
        found |= <uint64_t>self.tag[slot] << 48
        found |= <uint64_t>self.beside.wire[slot] << 56
        if state == VERIFYING and self.k.observed[slot] >= self.k.deadline[slot] - self.timeout and self.beside.rest[2]:
            found |= <uint64_t>1 << 58
        return found

    cdef int number_of(self, uint64_t word) except -1 nogil:
        """Return the number of a record."""
        cdef uint32_t at = <uint32_t>(mixed(word) & 1023)
        while self.word_slots[at]:
            if self.word_slots[at] == word + 1:
                return self.number_slots[at]
            at = (at + 1) & 1023
        if self.record_count == RECORDS:
            with gil:
                raise OverflowError(f"more than {RECORDS} different instances; bound the environment or the fleet")
        self.word_slots[at] = word + 1
        self.number_slots[at] = <uint8_t>self.record_count
        self.word_of[self.record_count] = word
        self.describe(self.record_count, word)
        self.record_count += 1
        return self.record_count - 1

    cdef void describe(self, int number, uint64_t word) noexcept nogil:
        """Work out once what a record's rank is, and which acts are possible on whoever has it."""
        cdef int state = <int>(word & STATE_BITS)
        cdef int health = <int>(word >> HEALTH_SHIFT & 15)
        cdef int wire = <int>(word >> 56 & 3)
        cdef bint has_heard = word >> 58 & 1
        cdef uint32_t acts = 0
        cdef int64_t rank = self.life_rank[state]
        if state != GONE:
            rank += R_HEALTH * R_HEALTHS[health & 3]
            if self.follows and is_commanded(state):
                rank += R_WIRE * R_WIRES[wire]
            acts |= 1 << A_REMOVE
            if state == VERIFYING or health != HEALTHY:
                acts |= 1 << A_HEALTHY
            if not is_bad(health):
                acts |= 1 << A_UNHEALTHY
        else:
            acts |= 1 << A_ADD
        if is_commanded(state):
            if not self.follows or wire == EXECUTED:
                acts |= 1 << A_ANSWER | 1 << A_FAIL
            if self.follows and (wire == RECORDED or wire == UNSURE):
                acts |= 1 << A_ISSUE
            if self.follows and (wire == ISSUED or wire == UNSURE):
                acts |= 1 << A_EXECUTE
        if is_in_flight(state):
            acts |= 1 << A_DEADLINE
        if is_in_flight(state) or state == UPGRADED or state == RESTORED or state == FAILED:
            acts |= 1 << A_LATE | 1 << A_DUPLICATE
            if state != REPLACING:
                acts |= 1 << A_STALE
        if state == VERIFYING and not has_heard:
            acts |= <uint32_t>1 << 31  # stale, observed before it verified
        self.rank_of[number] = rank
        self.acts_of[number] = acts

    cdef void set_bytes(self, int s, uint8_t* bytes) noexcept nogil:
        """Write a set's record, without the cell that it holds."""
        cdef int32_t* link = self.k.link + s * LINK
        memset(bytes, 0, SET_BYTES)
        bytes[0], bytes[1], bytes[2], bytes[3] = self.k.status[s], self.k.mark[s], self.k.option[s], self.k.code[s]
        memcpy(bytes + 4, self.k.percent + s * PERCENT, 3)
        bytes[7] = self.k.clock[s * CLOCK + CLOCK_WINDOW] != 0
        bytes[8] = self.k.clock[s * CLOCK + CLOCK_PAUSE] != 0
        bytes[9] = <uint8_t>(link[LINK_ROLLOUT] + 1)
        bytes[10] = <uint8_t>link[LINK_PHASE]
        bytes[11] = <uint8_t>link[LINK_ATTEMPT]
        memcpy(bytes + 12, &link[LINK_TARGET], 4)

    cdef void rollout_bytes(self, int r, uint8_t* bytes) noexcept nogil:
        """Write a rollout's record."""
        bytes[0], bytes[1] = self.k.course[r], self.k.trait[r]
        memcpy(bytes + 2, self.k.plan + r * PLAN, 32)

    cdef void compare(self, bint is_all) noexcept nogil:
        """Leave in `changed` the instances whose record may be another one than in the base.

        A record changes with the state or the health of its instance, except where somebody else's hand is in it
        (`is_all`): an event of the scenario's own, a command on its way, or the last stale report, after which nobody
        asks any more what was heard.
        """
        cdef int slot
        self.changed_count = 0
        for slot in range(self.slots):
            if is_all or self.k.life[slot] != self.base_life[slot]:
                self.changed[self.changed_count] = <uint8_t>slot
                self.changed_count += 1

    cdef int c_read(self) except -1 nogil:
        """Leave in `key` the least image of what the arena holds, and in `found_rank` its rank.

        `changed` says whose records are not those of the base.
        """
        cdef uint8_t bytes[ROLLOUT_BYTES]
        cdef int at, number, s, slot
        cdef uint64_t word
        cdef int64_t rank = 0
        cdef bint is_new
        cdef uint16_t short
        memcpy(self.key, self.base_key, self.slots)
        rank = self.base_lives_rank
        for at in range(self.changed_count):
            slot = self.changed[at]
            word = self.word(slot)
            if word != self.base_word[slot]:
                number = self.number_of(word)
                self.key[self.place_of[slot]] = <uint8_t>number
                rank += self.rank_of[number] - self.rank_of[self.base_number[slot]]
        if self.has_begun:
            memcpy(self.key + self.at_begun, self.k.begun, self.buckets)
        for s in range(self.sets):
            self.key[self.at_hold + s] = <uint8_t>(self.k.link[s * LINK + LINK_HOLD] + 1)
            if self.base_set_number[s] >= 0 and self.is_set_as_it_was(s):
                number = self.base_set_number[s]
            else:
                self.set_bytes(s, bytes)
                number = self.short_name(&self.set_names, bytes, &is_new)
                if is_new:
                    self.set_names.rank[number] = (
                        (R_ATTEMPT if bytes[0] == WAITING or bytes[0] == ROLLING else 0)
                        + (R_ARMED if bytes[1] & DELAYED else 0) + (R_ARMED if bytes[1] & RESTING else 0)
                    )
            short = <uint16_t>number
            memcpy(self.key + self.at_sets + 2 * s, &short, 2)
            rank += self.set_names.rank[number]
        for at in range(self.rollouts):
            if self.base_rollout_number[at] >= 0 and self.is_rollout_as_it_was(at):
                number = self.base_rollout_number[at]
            else:
                self.rollout_bytes(at, bytes)
                number = self.short_name(&self.rollout_names, bytes, &is_new)
                if is_new:
                    self.rollout_names.rank[number] = self.rank_of_rollout(at)
            short = <uint16_t>number
            memcpy(self.key + self.at_rollouts + 2 * at, &short, 2)
            rank += self.rollout_names.rank[number]
        if self.base_rest_number >= 0 and not memcmp(self.beside.rest, self.base_beside.rest, REST_BYTES):
            number = self.base_rest_number
        else:
            number = self.short_name(&self.rest_names, self.beside.rest, &is_new)
            if is_new:
                self.rest_names.rank[number] = self.rank_of_rest()
        short = <uint16_t>number
        memcpy(self.key + self.at_rest, &short, 2)
        self.found_rank = rank + self.rest_names.rank[number]
        if self.is_symmetric:
            self.make_least()
        return 0

    cdef inline bint is_set_as_it_was(self, int s) noexcept nogil:
        """Whether a set's record is that of the base: what it is made of stands there unchanged."""
        cdef const int32_t* link = self.k.link + s * LINK
        cdef const int32_t* was = <const int32_t*>(self.base + self.link_at) + s * LINK
        return (
            self.k.status[s] == self.base[self.status_at + s]
            and self.k.mark[s] == self.base[self.mark_at + s]
            and self.k.option[s] == self.base[self.option_at + s]
            and self.k.code[s] == self.base[self.code_at + s]
            and link[LINK_ROLLOUT] == was[LINK_ROLLOUT]
            and link[LINK_PHASE] == was[LINK_PHASE]
            and link[LINK_ATTEMPT] == was[LINK_ATTEMPT]
            and link[LINK_TARGET] == was[LINK_TARGET]
            and (self.k.clock[s * CLOCK + CLOCK_WINDOW] != 0) == self.base_set[s * SET_BYTES + 7]
            and (self.k.clock[s * CLOCK + CLOCK_PAUSE] != 0) == self.base_set[s * SET_BYTES + 8]
            and not memcmp(self.k.percent + s * PERCENT, self.base_set + s * SET_BYTES + 4, 3)
        )

    cdef inline bint is_rollout_as_it_was(self, int r) noexcept nogil:
        """Whether a rollout's record is that of the base."""
        cdef const uint8_t* was = self.base_rollout + r * ROLLOUT_BYTES
        return self.k.course[r] == was[0] and self.k.trait[r] == was[1] and not memcmp(self.k.plan + r * PLAN, was + 2, 32)

    cdef int64_t rank_of_rollout(self, int r) noexcept nogil:
        cdef int64_t rank = (R_ARMED if self.k.trait[r] & PAUSED else 0) + (R_ARMED if self.k.trait[r] & BAKING else 0)
        if self.k.course[r] == RUNNING:
            rank += R_ARMED
            if self.k.plan[r * PLAN + PLAN_PHASES] > self.k.plan[r * PLAN + PLAN_PHASE]:
                rank += R_PHASE * (self.k.plan[r * PLAN + PLAN_PHASES] - self.k.plan[r * PLAN + PLAN_PHASE])
        return rank

    cdef int64_t rank_of_rest(self) noexcept nogil:
        cdef int64_t total = self.orders
        cdef int at
        for at in range(PURSES):
            if self.beside.rest[at] != ANY:
                total += self.beside.rest[at]
        for at in range(16):
            total -= self.beside.rest[PURSES + (at >> 3)] >> (at & 7) & 1
        return total * R_PURSE

    cdef int short_name(self, Names* names, const uint8_t* bytes, bint* is_new) except -1 nogil:
        cdef int64_t number = named(names, bytes, is_new)
        if number > 65535:
            with gil:
                raise OverflowError("more than 65536 different sets, rollouts or remainders; bound the environment")
        return <int>number

    cdef void make_least(self) noexcept nogil:
        """Sort what is interchangeable, and leave the least image under the group in `key`."""
        cdef int bucket, first, end, i, j, g, s, hold
        cdef uint8_t held
        cdef uint8_t least[512]
        cdef int* to
        for bucket in range(self.buckets):
            first, end = self.run_first[bucket], self.run_first[bucket + 1]
            for i in range(first + 1, end):
                held = self.key[i]
                j = i
                while j > first and self.key[j - 1] > held and self.tag[self.lined[j - 1]] == self.tag[self.lined[i]]:
                    self.key[j] = self.key[j - 1]
                    j -= 1
                self.key[j] = held
        if self.group_size == 1:
            return
        memcpy(least, self.key, self.key_bytes)
        memcpy(self.trial + self.at_rollouts, self.key + self.at_rollouts, self.key_bytes - self.at_rollouts)
        for g in range(1, self.group_size):
            to = self.group_bucket + g * self.buckets
            for bucket in range(self.buckets):
                first = self.run_first[bucket]
                memcpy(self.trial + self.run_first[to[bucket]], self.key + first, self.run_first[bucket + 1] - first)
                if self.has_begun:
                    self.trial[self.at_begun + to[bucket]] = self.key[self.at_begun + bucket]
            for s in range(self.sets):
                hold = self.key[self.at_hold + s]
                if hold:
                    hold = self.group_cell[g * self.cells + hold - 1] + 1
                i = self.group_set[g * self.sets + s]
                self.trial[self.at_hold + i] = <uint8_t>hold
                memcpy(self.trial + self.at_sets + 2 * i, self.key + self.at_sets + 2 * s, 2)
            if memcmp(self.trial, least, self.key_bytes) < 0:
                memcpy(least, self.trial, self.key_bytes)
        memcpy(self.key, least, self.key_bytes)

    cdef int c_write(self, const uint8_t* key) except -1 nogil:
        """Lay a key open in the arena, count what follows from it, and take it as the base.

        Where the arena holds the base already (`is_laid`), only what differs from it is written and counted anew.
        """
        cdef int at, s, slot, hold
        cdef uint16_t short
        if not self.is_laid:
            self.clear()
        for at in range(self.slots):
            if self.is_laid and key[at] == self.base_key[at]:
                continue
            slot = self.lined[at]
            if self.is_laid:
                self.count(slot, -1)
                self.base_lives_rank -= self.rank_of[self.base_key[at]]
            self.write_instance(slot, key[at])
            self.base_lives_rank += self.rank_of[key[at]]
            self.count(slot, 1)
        memcpy(self.base_key, key, self.slots)
        for s in range(self.sets):
            memcpy(&short, key + self.at_sets + 2 * s, 2)
            hold = <int>key[self.at_hold + s] - 1
            if self.is_laid:
                if short == self.base_set_number[s] and hold == self.k.link[s * LINK + LINK_HOLD]:
                    continue
                self.count_set(s, -1)
            self.base_set_number[s] = short
            memcpy(self.base_set + s * SET_BYTES, self.set_names.bytes + <size_t>short * SET_BYTES, SET_BYTES)
            self.write_set(s, hold, self.base_set + s * SET_BYTES)
            self.count_set(s, 1)
        for at in range(self.rollouts):
            memcpy(&short, key + self.at_rollouts + 2 * at, 2)
            if not self.is_laid or short != self.base_rollout_number[at]:
                self.base_rollout_number[at] = short
                self.write_rollout(at, self.rollout_names.bytes + <size_t>short * ROLLOUT_BYTES)
        if self.has_begun:
            memcpy(self.k.begun, key + self.at_begun, self.buckets)
        memcpy(&short, key + self.at_rest, 2)
        self.base_rest_number = short
        memcpy(self.beside.rest, self.rest_names.bytes + <size_t>short * REST_BYTES, REST_BYTES)
        if self.group_count:
            self.count_groups()
        self.remember()
        self.changed_count = 0
        self.is_laid = True
        return self.renew()

    cdef void clear(self) noexcept nogil:
        """Count nothing and nobody."""
        self.base_lives_rank = 0
        memset(self.k.tally, 0, self.sets * TALLY * sizeof(uint32_t))
        memset(self.k.wait, 0, self.buckets * WAIT * sizeof(uint32_t))
        memset(self.k.holds, 0, self.cells * sizeof(uint32_t))
        memset(self.k.working, 0, self.regions * sizeof(uint32_t))
        memset(self.k.sums, 0, 4 * sizeof(int64_t))

    cdef void write_instance(self, int slot, int number) noexcept nogil:
        cdef uint64_t word = self.word_of[number]
        cdef int state = <int>(word & STATE_BITS)
        self.base_number[slot] = <uint8_t>number
        self.base_word[slot] = word
        self.k.life[slot] = <uint8_t>word
        self.k.flag[slot] = <uint8_t>(word >> 8)
        self.k.version[slot] = word >> 16 & 255
        self.k.previous[slot] = word >> 24 & 255
        self.k.failed[slot] = word >> 32 & 255
        self.beside.ghost[slot] = word >> 40 & 255
        self.beside.wire[slot] = word >> 56 & 3
        self.k.observed[slot] = SEEN_SINCE if word >> 58 & 1 else SEEN
        if state == VERIFYING:
            self.k.deadline[slot] = ENTERED + self.timeout
        else:
            self.k.deadline[slot] = NOW + 1 if is_in_flight(state) else 0

    cdef void count(self, int slot, int by) noexcept nogil:
        """Count an instance as it stands (1), or no more (-1)."""
        cdef int state = self.k.life[slot] & STATE_BITS
        cdef int bad = by if is_bad(self.k.life[slot] >> HEALTH_SHIFT) else 0
        cdef uint32_t* tally = self.k.tally + self.set_of[slot] * TALLY
        cdef uint32_t* wait = self.k.wait + self.bucket_of[slot] * WAIT
        cdef int64_t* sums = self.k.sums
        if state == GONE:
            return
        tally[state] += by
        tally[TALLY_TOTAL] += by
        tally[TALLY_BAD] += bad
        sums[SUM_TOTAL] += by
        sums[SUM_BAD] += bad
        if state == PENDING:
            wait[WAIT_PENDING] += by
            wait[WAIT_BAD] += bad
            if self.k.flag[slot] & TOO_LATE:
                tally[TALLY_TOO_LATE] += by
        elif state == UPGRADED:
            tally[TALLY_UPGRADED_BAD] += bad
        elif is_in_flight(state):
            tally[TALLY_FLIGHT] += by
            wait[WAIT_FLIGHT] += by
            sums[SUM_FLIGHT] += by

    cdef void write_set(self, int s, int hold, const uint8_t* bytes) noexcept nogil:
        cdef int32_t* link = self.k.link + s * LINK
        cdef int64_t* clock = self.k.clock + s * CLOCK
        self.k.status[s], self.k.mark[s], self.k.option[s], self.k.code[s] = bytes[0], bytes[1], bytes[2], bytes[3]
        memcpy(self.k.percent + s * PERCENT, bytes + 4, 3)
        clock[CLOCK_BEGAN] = 0
        clock[CLOCK_DELAY] = 1 if bytes[1] & DELAYED else 0
        clock[CLOCK_REST] = 1 if bytes[1] & RESTING else 0
        clock[CLOCK_WINDOW] = bytes[7]
        clock[CLOCK_PAUSE] = bytes[8]
        link[LINK_ROLLOUT] = <int>bytes[9] - 1
        link[LINK_PHASE] = bytes[10]
        link[LINK_ATTEMPT] = bytes[11]
        memcpy(&link[LINK_TARGET], bytes + 12, 4)
        link[LINK_HOLD] = hold

    cdef void count_set(self, int s, int by) noexcept nogil:
        """Count a set's hold and work as they stand (1), or no more (-1)."""
        cdef uint32_t* holds = self.k.holds
        cdef uint32_t* working = self.k.working
        cdef int hold = self.k.link[s * LINK + LINK_HOLD]
        if hold >= 0:
            holds[hold] += by
        if self.k.status[s] == ROLLING:
            working[self.k.link[s * LINK + LINK_REGION]] += by

    cdef void write_rollout(self, int r, const uint8_t* bytes) noexcept nogil:
        memcpy(self.base_rollout + r * ROLLOUT_BYTES, bytes, ROLLOUT_BYTES)
        self.k.course[r], self.k.trait[r] = bytes[0], bytes[1]
        memcpy(self.k.plan + r * PLAN, bytes + 2, 32)
        self.base_phase[r] = self.k.plan[r * PLAN + PLAN_PHASE]
        memset(self.k.dial + r * DIAL, 0, DIAL * sizeof(int64_t))

    cdef void count_groups(self) noexcept nogil:
        """Count anew what the groups have in use."""
        cdef int s, cell
        memset(self.k.used, 0, self.group_count * sizeof(uint32_t))
        for s in range(self.sets):
            self.use_all(self.k.set_instance_groups, s, self.k.tally[s * TALLY + TALLY_FLIGHT])
            if self.k.status[s] == ROLLING:
                self.use_all(self.k.set_work_groups, s, 1)
        for cell in range(self.cells):
            if self.k.holds[cell]:
                self.use_all(self.k.cell_groups, cell, 1)

    cdef void use_all(self, Ragged lists, int at, uint32_t by) noexcept nogil:
        cdef uint32_t i
        for i in range(lists.first[at], lists.first[at + 1]):
            self.k.used[lists.items[i]] = self.k.used[lists.items[i]] + by

    # --- the base: the state that is being expanded ------------------------------------------------------------------

    cdef void remember(self) noexcept nogil:
        """Take what is laid open now as the base."""
        memcpy(self.base, self.block, self.block_bytes)
        self.base_beside = self.beside
        memcpy(self.base_life, self.k.life, self.slots)

    cdef int put_back(self) except -1 nogil:
        """Lay the base open again."""
        memcpy(self.block, self.base, self.block_bytes)
        self.beside = self.base_beside
        return self.renew()

    cdef int renew(self) except -1 nogil:
        """Make anew what the kernel remembers beside the columns: which cells are busy; every set is hot."""
        cdef int cell, s
        memset(self.k.busy, 0, self.k.cell_words * sizeof(uint64_t))
        for s in range(self.sets):
            cell = self.k.link[s * LINK + LINK_HOLD]
            if cell >= 0:
                self.k.busy[cell >> 6] = self.k.busy[cell >> 6] | ((<uint64_t>1) << (cell & 63))
            if not self.k.hot[s]:
                self.k.c_heat(s)
        return 0

    # --- what may happen ---------------------------------------------------------------------------------------------

    cdef int add_move(self, int act, int whom, int choice, int which) except -1 nogil:
        cdef Move* moves
        if self.move_count == self.move_room:
            moves = <Move*>realloc(self.moves_, (2 * self.move_room + 64) * sizeof(Move))
            if moves == NULL:
                with gil:
                    raise MemoryError()
            self.moves_ = moves
            self.move_room = 2 * self.move_room + 64
        moves = self.moves_ + self.move_count
        moves.act, moves.whom, moves.choice, moves.which = act, whom, choice, which
        self.move_count += 1
        return 0

    cdef inline bint may(self, int act) noexcept nogil:
        return self.purse_of[act] < 0 or self.beside.rest[self.purse_of[act]] > 0

    cdef int c_moves(self) except -1 nogil:
        """Leave in `moves_` what may happen in the state that the arena holds, in order of `Act`."""
        cdef uint8_t numbers[SLOTS]  # of the instances' records, lined up
        cdef uint32_t acts[SLOTS]
        cdef uint32_t possible = 0
        cdef uint32_t allowed = <uint32_t>1 << 31 if self.may(A_STALE) else 0
        cdef int at, act, slot, bucket, other
        self.move_count = 0
        memcpy(numbers, self.base_key, self.slots)
        for at in range(self.changed_count):
            slot = self.changed[at]
            numbers[self.place_of[slot]] = <uint8_t>self.number_of(self.word(slot))
        self.starts(numbers)
        for act in range(A_ANSWER, A_MAINTENANCE):
            if self.may(act):
                allowed |= <uint32_t>1 << act
        for bucket in range(self.buckets):
            for at in range(self.run_first[bucket], self.run_first[bucket + 1]):
                acts[at] = self.acts_of[numbers[at]] & allowed
                if not self.is_spare[self.lined[at]]:
                    acts[at] &= ~(<uint32_t>1 << A_ADD)
                if self.is_symmetric:
                    for other in range(self.run_first[bucket], at):
                        if numbers[other] == numbers[at]:
                            acts[at] = 0
                            break
                possible |= acts[at] | acts[at] >> 31 << A_STALE
        for act in range(A_ANSWER, A_MAINTENANCE):
            if not possible >> act & 1:
                continue
            for at in range(self.slots):
                if acts[at] >> act & 1:
                    self.add_move(act, self.lined[at], 0, 0)
                if act == A_STALE and acts[at] >> 31:
                    self.add_move(act, self.lined[at], 0, 1)
        if self.may(A_MAINTENANCE):
            for bucket in range(self.buckets):
                for at in range(self.run_first[bucket], self.run_first[bucket + 1]):
                    if self.acts_of[numbers[at]] >> A_UNHEALTHY & 1:
                        self.add_move(A_MAINTENANCE, bucket, 0, 0)
                        break
        self.timers_and_people()
        for at in range(self.orders):
            if not self.beside.rest[PURSES + (at >> 3)] >> (at & 7) & 1:
                self.add_move(A_ORDER, at, 0, 0)
        if self.follows and self.may(A_CRASH):
            for slot in range(self.slots):
                if self.beside.wire[slot] == ISSUED or self.beside.wire[slot] == EXECUTED:
                    self.add_move(A_CRASH, 0, 0, 0)
                    break
        return 0

    cdef int starts(self, const uint8_t* numbers) except -1 nogil:
        cdef int32_t* choice
        cdef int32_t* slots
        cdef Py_ssize_t i, j
        cdef int s
        self.offer.size = self.offered.size = 0
        if self.takes_selected:
            return self.selected()
        for s in range(self.sets):
            self.k.c_legal(s)
            for i in range(0, self.k.choices.size, 5):
                choice = self.k.choices.data + i
                slots = self.k.choice_slots.data + choice[1]
                push(&self.offer, choice[0])
                push(&self.offer, <int32_t>self.offered.size)
                push(&self.offer, choice[2])
                for j in range(choice[2]):
                    push(&self.offered, slots[j])
                self.parts(s, <int>(self.offer.size // 3 - 1), choice[2], choice[3], choice[4], numbers)
        return 0

    cdef int parts(self, int s, int choice, int count, int at_most, int healthy_at_most, const uint8_t* numbers) except -1 nogil:
        """Add a start for each part of a choice that is within its numbers; of those alike, the first ones."""
        cdef int32_t* slots = self.offered.data + self.offer.data[choice * 3 + 1]
        cdef int before[32]
        cdef uint32_t well = 0
        cdef uint32_t part
        cdef int i, j, size
        if count > 20:
            with gil:
                raise OverflowError(f"{count} candidates for one batch; at most 20 can be explored")
        for i in range(count):
            before[i] = -1
            if not is_bad(self.k.life[slots[i]] >> HEALTH_SHIFT):
                well |= <uint32_t>1 << i
            if self.is_symmetric:
                for j in range(i):
                    if self.bucket_of[slots[j]] == self.bucket_of[slots[i]]:
                        if numbers[self.place_of[slots[j]]] == numbers[self.place_of[slots[i]]]:
                            before[i] = j
        for part in range(1, <uint32_t>1 << count):
            size = popcount(part)
            if size > 1 and (size > at_most or popcount(part & well) > healthy_at_most):
                continue
            for i in range(count):
                if part >> i & 1 and before[i] >= 0 and not part >> before[i] & 1:
                    break
            else:
                self.add_move(A_START, s, choice, <int>part)
        return 0

    cdef int selected(self) except -1 nogil:
        """Add the start of the first batch that the engine itself would start."""
        cdef int32_t* pick
        cdef Py_ssize_t i
        cdef int j, part = 0
        self.k.c_walk()
        if not self.k.picks.size:
            return 0
        pick = self.k.picks.data
        self.k.c_part(pick[0], pick[1])
        push(&self.offer, pick[1])
        push(&self.offer, 0)
        push(&self.offer, <int32_t>self.k.found.size)
        for i in range(self.k.found.size):
            push(&self.offered, self.k.found.data[i])
            for j in range(pick[3]):
                if self.k.pick_slots.data[pick[2] + j] == self.k.found.data[i]:
                    part |= 1 << i
        return self.add_move(A_START, pick[0], 0, part)

    cdef int timers_and_people(self) except -1 nogil:
        cdef int s, r, going = 0
        for s in range(self.sets):
            if self.k.mark[s] & DELAYED:
                self.add_move(A_DELAY, s, 0, 0)
        for s in range(self.sets):
            if self.k.mark[s] & RESTING and not self.k.trait[self.k.link[s * LINK + LINK_ROLLOUT]] & PAUSED:
                self.add_move(A_REST, s, 0, 0)
        for s in range(self.sets):
            if self.k.clock[s * CLOCK + CLOCK_WINDOW]:
                self.add_move(A_WINDOW, s, 0, 0)
        for r in range(self.rollouts):
            if self.k.course[r] == RUNNING and self.k.trait[r] & BAKING and not self.k.trait[r] & PAUSED:
                self.add_move(A_BAKE, r, 0, 0)
        if self.may(A_PAUSE):
            for r in range(self.rollouts):
                if self.k.course[r] == RUNNING and not self.k.trait[r] & PAUSED:
                    self.add_move(A_PAUSE, r, 0, 0)
        for r in range(self.rollouts):
            if self.k.course[r] == RUNNING and self.k.trait[r] & PAUSED:
                self.add_move(A_RESUME, r, 0, 0)
        if self.may(A_CANCEL):
            for r in range(self.rollouts):
                if self.k.course[r] == RUNNING and not self.k.trait[r] & STOPPING:
                    going += 1
                    self.add_move(A_CANCEL, r, 0, 0)
            if going > 1:
                self.add_move(A_STOP, 0, 0, 0)
        return 0

    # --- letting it happen -------------------------------------------------------------------------------------------

    cdef int c_happen(self, Move move) except -1 nogil:
        """Let an act happen in the state that the arena holds; return whether it could (an order may be refused)."""
        cdef int act = move.act
        cdef int whom = move.whom
        cdef int at, slot, book
        cdef int purse = self.purse_of[act]
        self.k.now = NOW
        self.k.trace.size = 0
        self.k.group = -1
        if purse >= 0 and self.beside.rest[purse] != ANY:
            self.beside.rest[purse] -= 1
        if act == A_START:
            self.start(move)
        elif act < A_MAINTENANCE:
            self.happen_to(act, whom, move.which)
        elif act == A_MAINTENANCE:
            for at in range(self.run_first[whom], self.run_first[whom + 1]):
                slot = self.lined[at]
                if self.k.life[slot] & STATE_BITS != GONE and not is_bad(self.k.life[slot] >> HEALTH_SHIFT):
                    self.k.c_report(slot, 1, NOW, 0, 0)
        elif act == A_DELAY:
            self.k.c_pass_timer(whom, DELAYED)
        elif act == A_REST:
            self.k.c_pass_timer(whom, RESTING)
        elif act == A_WINDOW:
            self.k.c_set_window(whom, self.k.mark[whom] & SHUT)
        elif act == A_BAKE:
            self.k.c_pass_bake(whom)
        elif act == A_PAUSE:
            self.k.c_pause(whom)
        elif act == A_RESUME:
            self.k.c_resume(whom)
        elif act == A_CANCEL:
            self.k.c_cancel(whom)
        elif act == A_STOP:
            for at in range(self.rollouts):
                self.k.c_cancel(at)
        elif act == A_ORDER:
            self.beside.rest[PURSES + (whom >> 3)] |= 1 << (whom & 7)
            book = self.order_(whom)
            if book < 0:
                return 0
            self.beside.rest[PURSES + 2] = <uint8_t>book
        else:
            for slot in range(self.slots):
                if self.beside.wire[slot] == ISSUED or self.beside.wire[slot] == EXECUTED:
                    self.beside.wire[slot] = UNSURE
        self.settle(act == A_ADD or act == A_ISSUE or act == A_EXECUTE or act >= A_ORDER or act == A_STALE)
        return 1

    cdef int start(self, Move move) except -1 nogil:
        cdef uint32_t taken[32]
        cdef int32_t* slots = self.offered.data + self.offer.data[move.choice * 3 + 1]
        cdef int i, count = 0
        for i in range(self.offer.data[move.choice * 3 + 2]):
            if move.which >> i & 1:
                taken[count] = slots[i]
                self.beside.ghost[slots[i]] = <uint8_t>self.k.version[slots[i]]
                count += 1
        return self.k.c_start(move.whom, self.k.bucket[taken[0]], taken, count)

    cdef int happen_to(self, int act, int slot, int which) except -1 nogil:
        """Let something happen to one instance."""
        cdef int state = self.k.life[slot] & STATE_BITS
        cdef int do = 1 if state == REPLACING else 2 if state == CONFIGURING else 3 if state == RESTORING else 0
        cdef uint32_t attempt = self.k.link[self.set_of[slot] * LINK + LINK_ATTEMPT]
        cdef int64_t observed
        if act == A_ANSWER:
            self.k.c_report(slot, 3 + do if do < 3 else 7, NOW, attempt, do)
        elif act == A_FAIL:
            self.k.c_report(slot, 6 if do < 3 else 8, NOW, attempt, do)
        elif act == A_HEALTHY:
            self.k.c_report(slot, 0, NOW, 0, 0)
        elif act == A_UNHEALTHY:
            self.k.c_report(slot, 1, NOW, 0, 0)
        elif act == A_STALE:
            self.k.c_report(slot, 0, BETWEEN if which else OLD, 0, 0)
        elif act == A_LATE:
            self.k.c_report(slot, 4, NOW, attempt - (do == 1), 1)
            self.k.c_report(slot, 6, NOW, attempt - (do == 1), 1)
            self.k.c_report(slot, 5, NOW, attempt - (do == 2), 2)
            self.k.c_report(slot, 6, NOW, attempt - (do == 2), 2)
            self.k.c_report(slot, 7, NOW, attempt - (do == 3), 3)
            self.k.c_report(slot, 8, NOW, attempt - (do == 3), 3)
        elif act == A_DUPLICATE:
            observed = self.k.observed[slot]
            self.k.c_report(slot, 0, observed, 0, 0)
            self.k.c_report(slot, 1, observed, 0, 0)
        elif act == A_REMOVE:
            self.k.c_happen(8, slot, 4)
            self.k.c_touch(self.set_of[slot])
        elif act == A_ADD:
            self.beside.rest[PURSES + 2] = <uint8_t>self.add(slot)
        elif act == A_DEADLINE:
            self.k.c_happen(4, slot, 2)
        elif act == A_ISSUE:
            self.beside.wire[slot] = ISSUED
        else:
            self.beside.wire[slot] = EXECUTED
        return 0

    cdef int settle(self, bint is_all) except -1 nogil:
        """Settle as the engine does; then what this exploration keeps beside the columns follows."""
        cdef int at, slot, state
        self.k.c_settle()
        self.note_failures()
        self.compare(is_all)
        for at in range(self.changed_count):
            slot = self.changed[at]
            state = self.k.life[slot] & STATE_BITS
            if not is_in_flight(state):
                self.beside.ghost[slot] = 0
            if state != self.base_life[slot] & STATE_BITS:
                self.beside.wire[slot] = RECORDED
        return 0

    cdef int note_failures(self) except -1 nogil:
        """Note in the book what the trace says of older failures."""
        cdef Py_ssize_t at = 0
        cdef int32_t* trace = self.k.trace.data
        cdef int operation
        while at < self.k.trace.size:
            operation = trace[at]
            if operation == T_BECAME or operation == T_IGNORED:
                at += 5 + trace[at + 4]
            elif operation == T_STARTED:
                at += 4 + trace[at + 3]
            elif operation == T_ATTEMPT_ENDED:
                self.ended_[trace[at + 2] * 8 + trace[at + 3]] += 1
                at += 4
            elif operation == T_PHASE_ENDED:
                at += 6
            elif operation == T_FAILED_MORE:
                self.beside.rest[PURSES + 2] = <uint8_t>self.remember_failure(trace[at + 1], trace[at + 2])
                at += 3
            else:
                at += 3
        return 0

    # Python's part stands in functions of its own: one that has an object of Python's takes the GIL whenever it returns.

    cdef int order_(self, int which) except -2 with gil:
        """Let one of the scenario's own events happen; return the book after it, -1 if the engine refuses it."""
        book = self.open.order(self.beside.rest[PURSES + 2], which)
        return -1 if book is None else book

    cdef int add(self, int slot) except -1 with gil:
        """Let a reserved instance join its set; return the book after it."""
        return self.open.add(self.beside.rest[PURSES + 2], slot)

    cdef int remember_failure(self, int slot, int version) except -1 with gil:
        """Return the book in which an older failure is noted too."""
        return self.open.remember_failures(self.beside.rest[PURSES + 2], [(slot, version)])

    cdef int take_up_book(self) except -1 with gil:
        """Take up the targets and the order of versions of the book that is open."""
        book = self.beside.rest[PURSES + 2]
        for at, target in enumerate(self.open.targets(book)):
            self.targets[at] = target
        for at, rank in enumerate(version_ranks(self.open.books[book].versions)):
            self.version_rank[at] = rank
        self.versions_of_book = book
        return 0

    cdef int violate(self, int promise, int64_t number) except -1 with gil:
        """Note that a state breaks a promise."""
        self.violation = Violation(Promise(promise), number, None)
        return 0

    cdef int violate_by(self, int promise, int64_t number, Move move) except -1 with gil:
        """Note that an act breaks a promise."""
        self.violation = Violation(Promise(promise), number, self.shown(move))
        return 0

    # --- judging: `judging.py` ---------------------------------------------------------------------------------------

    cdef inline int know_versions(self) except -1 nogil:
        return 0 if self.versions_of_book == self.beside.rest[PURSES + 2] else self.take_up_book()

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
        return 100 * (undone + bad) > self.percent[s * 4 + 2] * (total if self.percent[s * 4 + 3] else undone + upgraded)

    # Each function returns the promises that are broken, one bit each (`1 << promise`).

    cdef inline int first_of(self, int broken) noexcept nogil:
        """Return the lowest of the broken promises that are asked for, 0 if there is none."""
        broken &= self.asked
        return POSITION(<uint32_t>broken) if broken else 0

    cdef int judge_before(self, Move move) except -1 nogil:
        """Judge whether a batch may start in the state that the arena holds."""
        cdef int32_t* slots
        cdef int s = move.whom
        cdef int rollout, slot, state, i, cap, size = 0, well = 0, total = 0, bad = 0, flying = 0
        cdef int broken = 0
        cdef bint is_manual
        if move.act != A_START:
            return 0
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
        size = popcount(<uint32_t>move.which)
        slots = self.offered.data + self.offer.data[move.choice * 3 + 1]
        for i in range(self.offer.data[move.choice * 3 + 2]):
            if move.which >> i & 1:
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
        for i in range(self.offer.data[move.choice * 3 + 2]):
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
            if self.set_of[slot] != s or not (is_in_flight(state) or state == UPGRADED or state == RESTORED or state == FAILED):
                continue
            if self.domains[slot] == self.domains[first]:
                is_begun = True
                continue
            for other in range(self.slots):
                if self.set_of[other] == s and self.k.life[other] & STATE_BITS == PENDING:
                    if self.numbers[other] == number and self.domains[other] == self.domains[slot]:
                        is_another_left = True
        return broken | 1 << DOMAINS_FINISHED if is_another_left and not is_begun else broken

    cdef int judge_after(self, Move move) except -1 nogil:
        """Judge what the act has led to: how instances have changed, and whether a phase opened rightly."""
        cdef int at, slot, was, now, r
        cdef int broken = 0
        if move.act == A_LATE or move.act == A_DUPLICATE or (move.act == A_STALE and not move.which):
            if self.has_moved():
                broken |= 1 << LATE_MOVES_NOTHING
        for at in range(self.changed_count):
            slot = self.changed[at]
            was = self.base_life[slot] & STATE_BITS
            now = self.k.life[slot] & STATE_BITS
            if was != now:
                broken |= self.judge_life(slot, was, now, move)
        if self.is_led_astray(move):
            broken |= 1 << LIVES_AS_WRITTEN
        for r in range(self.rollouts):
            if self.k.trait[r] & PHASED and self.k.plan[r * PLAN + PLAN_PHASE] != self.base_phase[r]:
                if self.has_opened_wrongly(r, self.base_phase[r]):
                    broken |= 1 << PHASES_IN_ORDER
        return broken | self.judge_stops()

    cdef bint has_moved(self) noexcept nogil:
        cdef int at
        for at in range(8):
            if memcmp(self.block + self.still_at[at], self.base + self.still_at[at], self.still_bytes[at]):
                return True
        return False

    cdef int judge_life(self, int slot, int was, int now, Move move) noexcept nogil:
        cdef int broken = 0
        self.became_[was * 16 + now] += 1
        if now == UPGRADED and (was != VERIFYING or move.act != A_HEALTHY or move.whom != slot):
            broken |= 1 << PROMOTED_BY_HEALTH
        if is_in_flight(now) and not is_in_flight(was) and move.act != A_START:
            broken |= 1 << TARGET_UNTOUCHED
        if now == RESTORING and self.k.trait[self.k.link[self.set_of[slot] * LINK + LINK_ROLLOUT]] & MANUAL:
            broken |= 1 << MANUAL_NEVER_RESTORES
        if now == RESTORED and self.k.version[slot] != self.base_beside.ghost[slot]:
            broken |= 1 << OWN_DISK_BACK
        if now == CONFIGURING or now == RESTORED or now == FAILED:
            if self.k.life[slot] >> HEALTH_SHIFT != (UNKNOWN if now == FAILED else INITIALIZING):
                broken |= 1 << LIVES_AS_WRITTEN
        return broken

    cdef bint is_led_astray(self, Move move) noexcept nogil:
        """Return whether what happened to an instance has not led where it should (section 8)."""
        cdef int slot = move.whom
        cdef int s, to, rollout
        if move.act not in (A_ANSWER, A_FAIL, A_HEALTHY, A_DEADLINE, A_REMOVE):
            return False
        to = self.led[move.act * 16 + (self.base_life[slot] & STATE_BITS)]
        if to == BACK:
            s = self.set_of[slot]
            rollout = self.k.link[s * LINK + LINK_ROLLOUT]
            to = RESTORING if self.restores[s] and not self.k.trait[rollout] & MANUAL else FAILED
        return to != UNSAID and to != self.k.life[slot] & STATE_BITS

    cdef bint has_opened_wrongly(self, int r, int phase) noexcept nogil:
        cdef int s
        for s in range(self.sets):
            if self.is_of(s, r, phase) and (self.k.status[s] == WAITING or self.k.status[s] == ROLLING):
                return True
        return self.has_failed(r, phase)

    cdef inline bint is_of(self, int s, int r, int phase) noexcept nogil:
        """Return whether a set is of a phase and has not left it."""
        if self.k.link[s * LINK + LINK_ROLLOUT] != r or self.k.link[s * LINK + LINK_PHASE] != phase:
            return False
        return not self.k.mark[s] & LEFT

    cdef bint has_failed(self, int r, int phase) noexcept nogil:
        """Return whether too many of a phase are lost (section 5)."""
        cdef int slot, state, lost = 0, eligible = 0
        cdef bint is_lost
        for slot in range(self.slots):
            if not self.is_of(self.set_of[slot], r, phase):
                continue
            state = self.k.life[slot] & STATE_BITS
            is_lost = state == RESTORED or state == FAILED
            if state == PENDING and not self.k.flag[slot] & TOO_LATE:
                is_lost = True
            if is_lost or (state == UPGRADED and is_bad(self.k.life[slot] >> HEALTH_SHIFT)):
                lost += 1
            if is_lost or state == UPGRADED:
                eligible += 1
        return 100 * lost > self.phase_failure_percent * eligible

    cdef int judge_stops(self) noexcept nogil:
        """Judge that an attempt faults, or a rollout halts, where a gate or a phase says so (sections 5 and 7)."""
        cdef const uint8_t* status = self.base + self.still_at[5]
        cdef const uint8_t* course = self.base + self.still_at[7]
        cdef int s, r
        for s in range(self.sets):
            if status[s] == self.k.status[s] or (status[s] != WAITING and status[s] != ROLLING):
                continue
            if self.k.status[s] == COMPLETED or self.k.status[s] == FAULTED:
                if not self.may_end(s, status[s] == WAITING):
                    return 1 << STOPPED_FOR_A_REASON
        for r in range(self.rollouts):
            if course[r] == RUNNING and self.k.course[r] == RO_HALTED and not self.k.plan[r * PLAN + PLAN_ELIGIBLE]:
                if not self.has_failed(r, self.k.plan[r * PLAN + PLAN_PHASE]):
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
        cdef int one, other, s, slot, state, hold, domain, where
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
            where = self.bucket_of[slot] * SITE
            if not self.cross_zone[s] and self.k.site[where + SITE_CELL] != self.k.link[s * LINK + LINK_HOLD]:
                broken |= 1 << CELLS_APART
            domain = self.domains[slot]
            if domains[s] >= 0 and domains[s] != domain:
                broken |= 1 << BATCH_WITHIN_CAP
            domains[s] = domain
            if state == RESTORING:
                if self.k.previous[slot] != self.beside.ghost[slot]:
                    broken |= 1 << COMMANDS_AS_RECORDED
            elif state != VERIFYING:
                self.know_versions()
                if self.k.link[s * LINK + LINK_TARGET] != self.targets[self.k.link[s * LINK + LINK_ROLLOUT]]:
                    broken |= 1 << COMMANDS_AS_RECORDED
        return broken | self.judge_groups() if self.meant_groups else broken

    cdef int judge_counts(self) noexcept nogil:
        """Judge the kernel's counters: what the base has, counted anew, and the difference that the act has made."""
        cdef uint32_t meant[SETS * COUNTED]
        cdef const uint32_t* base = <const uint32_t*>(self.base + self.tally_at)
        cdef int at, s, slot
        for s in range(self.sets):
            memcpy(meant + s * COUNTED, base + s * TALLY, COUNTED * sizeof(uint32_t))
        for at in range(self.changed_count):
            slot = self.changed[at]
            self.add_up(meant + self.set_of[slot] * COUNTED, self.base_life[slot], -1)
            self.add_up(meant + self.set_of[slot] * COUNTED, self.k.life[slot], 1)
        for s in range(self.sets):
            if memcmp(meant + s * COUNTED, self.k.tally + s * TALLY, COUNTED * sizeof(uint32_t)):
                return 1 << COUNTS_ADD_UP
        for at in range(self.group_count):
            if <int>self.k.used[at] != self.in_use(at):
                return 1 << COUNTS_ADD_UP
        return 1 << COUNTS_ADD_UP if self.has_miscounted_work() else 0

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

    cdef void add_up(self, uint32_t* counts, int life, int by) noexcept nogil:
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

    # --- exploring ---------------------------------------------------------------------------------------------------

    cdef inline uint8_t* key_at(self, int64_t number) noexcept nogil:
        return self.blocks[number // BLOCK] + <size_t>(number % BLOCK) * self.key_bytes

    @property
    def bytes_used(self):
        """How many bytes keys, parents, table and what waits take."""
        return self.c_bytes_used()

    cdef int64_t c_bytes_used(self) noexcept nogil:
        cdef int64_t a_slot = 4 if self.is_compact else 8
        return (
            <int64_t>self.block_count * BLOCK * (self.key_bytes + 4)
            + <int64_t>self.table_size * a_slot + self.todo.room * 4
        )

    cdef int insert(self, uint64_t hash, uint32_t parent) except -1 nogil:
        """Enter `key` unless it is there: return 1 if it was new, 0 if not, 2 if there is no room for it."""
        cdef uint64_t at = hash & (self.table_size - 1)
        cdef uint64_t tag = hash >> 32 << 32
        cdef uint64_t entry
        if self.is_compact:
            while self.compact[at]:
                if not memcmp(self.key_at(self.compact[at] - 1), self.key, self.key_bytes):
                    return 0
                at = (at + 1) & (self.table_size - 1)
        else:
            while self.table[at]:
                entry = self.table[at]
                if entry >> 32 << 32 == tag and not memcmp(
                    self.key_at(<int64_t><uint32_t>entry - 1), self.key, self.key_bytes
                ):
                    return 0
                at = (at + 1) & (self.table_size - 1)
        if self.states == <int64_t>self.block_count * BLOCK and not self.has_another_block():
            return 2
        if self.states * 5 >= <int64_t>self.table_size * 4:
            if not self.has_larger_table():
                return 2
            at = hash & (self.table_size - 1)
            while (self.compact[at] if self.is_compact else self.table[at]) != 0:
                at = (at + 1) & (self.table_size - 1)
        memcpy(self.key_at(self.states), self.key, self.key_bytes)
        self.parents[self.states // BLOCK][self.states % BLOCK] = parent
        self.states += 1
        if self.is_compact:
            self.compact[at] = <uint32_t>self.states
        else:
            self.table[at] = tag | <uint64_t>self.states
        return 1

    cdef bint has_another_block(self) noexcept nogil:
        cdef uint8_t** blocks
        cdef uint32_t** parents
        # the first block is there whatever the bound: there is a state to say something of
        if self.block_count and self.c_bytes_used() + BLOCK * (self.key_bytes + 4) > self.memory_max:
            return False
        if self.states >= STATES_MAX:
            return False
        blocks = <uint8_t**>realloc(self.blocks, (self.block_count + 1) * sizeof(uint8_t*))
        if blocks != NULL:
            self.blocks = blocks
        parents = <uint32_t**>realloc(self.parents, (self.block_count + 1) * sizeof(uint32_t*))
        if parents != NULL:
            self.parents = parents
        if blocks == NULL or parents == NULL:
            return False
        blocks[self.block_count] = <uint8_t*>malloc(<size_t>BLOCK * self.key_bytes)
        parents[self.block_count] = <uint32_t*>malloc(BLOCK * sizeof(uint32_t))
        if blocks[self.block_count] == NULL or parents[self.block_count] == NULL:
            free(blocks[self.block_count])
            free(parents[self.block_count])
            return False
        self.block_count += 1
        return True

    cdef bint has_larger_table(self) noexcept nogil:
        cdef uint64_t size = 2 * self.table_size
        cdef uint64_t hash, at
        cdef uint64_t* table = NULL
        cdef uint32_t* compact = NULL
        cdef int64_t number
        cdef int64_t a_slot = 4 if self.is_compact else 8
        if self.c_bytes_used() + <int64_t>size * a_slot > self.memory_max:
            return False
        if self.is_compact:
            compact = <uint32_t*>calloc(size, 4)
        else:
            table = <uint64_t*>calloc(size, 8)
        if table == NULL and compact == NULL:
            return False
        for number in range(self.states):
            hash = hashed(self.key_at(number), self.key_bytes)
            at = hash & (size - 1)
            if self.is_compact:
                while compact[at]:
                    at = (at + 1) & (size - 1)
                compact[at] = <uint32_t>(number + 1)
            else:
                while table[at]:
                    at = (at + 1) & (size - 1)
                table[at] = hash >> 32 << 32 | <uint64_t>(number + 1)
        free(self.table)
        free(self.compact)
        self.table, self.compact, self.table_size = table, compact, size
        return True

    cdef int push_todo(self, int64_t number) except -1 nogil:
        return push(&self.todo, <int32_t>number)

    cdef bint c_is_fair(self, Move move) noexcept nogil:
        """Whether the act cannot be put off for ever in the base."""
        if not ANSWERING_ACTS >> move.act & 1:
            return FAIR_ACTS >> move.act & 1
        if self.base_beside.rest[self.purse_of[A_DEADLINE]]:
            return False
        return move.act != A_HEALTHY or self.base_life[move.whom] & STATE_BITS == VERIFYING

    cdef int expand(self, int64_t number) except -1 nogil:
        """Expand one state: 0 goes on, 1 a promise is broken, 2 there is no more memory."""
        cdef uint8_t here[512]
        cdef uint64_t hash
        cdef Move move
        cdef int at, broken, entered
        cdef bint is_end = True
        memcpy(here, self.key_at(number), self.key_bytes)
        self.c_write(here)
        self.base_rank = self.rank_of_key(here)
        self.count_standing()
        self.c_moves()
        for at in range(self.move_count):
            move = self.moves_[at]
            broken = self.judge_before(move)
            if not self.c_happen(move):
                self.put_back()
                continue
            self.transitions += 1
            self.taken_[move.act] += 1
            self.c_read()
            hash = hashed(self.key, self.key_bytes)
            if not self.is_compact:
                PREFETCH(self.table + (hash & (self.table_size - 1)))
            broken |= self.judge_after(move) | self.judge_counts()
            if memcmp(self.key, here, self.key_bytes):
                is_end = is_end and not self.c_is_fair(move)
                self.rising += self.found_rank >= self.base_rank
            entered = self.insert(hash, <uint32_t>number)
            if entered == 2:
                self.is_laid = False
                return 2
            if entered:
                broken |= self.judge_state()
                if self.todo_is_kept:
                    self.push_todo(self.states - 1)
                if self.has_watches:
                    self.ask_watches(self.states - 1)
            if broken & self.asked:
                self.violate_by(self.first_of(broken), number, move)
                self.is_laid = False
                return 1
            if self.has_watches and self.has_broken_watch:
                self.is_laid = False
                return 1
            self.put_back()
        if is_end:
            broken = self.first_of(self.judge_end())
            if broken:
                self.violate(broken, number)
                return 1
        return 0

    cdef int64_t rank_of_key(self, const uint8_t* key) noexcept nogil:
        cdef int64_t rank = 0
        cdef uint16_t short
        cdef int at
        for at in range(self.slots):
            rank += self.rank_of[key[at]]
        for at in range(self.sets):
            memcpy(&short, key + self.at_sets + 2 * at, 2)
            rank += self.set_names.rank[short]
        for at in range(self.rollouts):
            memcpy(&short, key + self.at_rollouts + 2 * at, 2)
            rank += self.rollout_names.rank[short]
        memcpy(&short, key + self.at_rest, 2)
        return rank + self.rest_names.rank[short]

    def run(self, int64_t states_max):
        """Expand up to so many states; return `more`, `done`, `violated` or `memory`.

        Breadth first, the first violation is one of the nearest. `depth` is the depth whose states are all expanded.
        """
        cdef int64_t left = states_max
        cdef int64_t number
        cdef int found = 0
        with nogil:
            while left > 0 and self.has_more():
                left -= 1
                number = self.next_number()
                found = self.expand(number)
                if found:
                    break
        if found:
            return "violated" if found == 1 else "memory"
        return "more" if self.has_more() else "done"

    cdef bint has_more(self) noexcept nogil:
        return self.todo.size > 0 if self.todo_is_kept else self.next_state < self.states

    cdef int64_t next_number(self) noexcept nogil:
        if self.todo_is_kept:
            self.todo.size -= 1
            return <uint32_t>self.todo.data[self.todo.size]
        if self.next_state == self.level_end:
            self.level_end = self.states
            self.depth += 1
        self.next_state += 1
        return self.next_state - 1

    @property
    def frontier(self):
        """How many states wait to be expanded."""
        return self.todo.size if self.todo_is_kept else self.states - self.next_state

    # --- for people and tests ----------------------------------------------------------------------------------------

    @property
    def first(self):
        """The key of the first state."""
        return self.key_of(0)

    def key_of(self, int64_t number):
        """Return a state's key by its number, in order of discovery."""
        if not 0 <= number < self.states:
            raise IndexError(f"no state {number}; there are {self.states}")
        return <bytes>self.key_at(number)[: self.key_bytes]

    def write(self, bytes key):
        """Lay a key open in the arena, and count what follows from it."""
        self.is_laid = False
        self.c_write(<const uint8_t*>(<char*>key))
        self.is_laid = False
        self.open.work.book = self.open.books[self.beside.rest[PURSES + 2]]

    def read(self):
        """Return the key of what the arena holds: the least of its images under the group."""
        self.compare(True)
        self.c_read()
        return <bytes>self.key[: self.key_bytes]

    def moves(self):
        """Return what may happen in the state that the arena holds, in order of `Act`."""
        self.compare(True)
        self.c_moves()
        return [self.shown(self.moves_[at]) for at in range(self.move_count)]

    cdef object shown(self, Move move):
        """Return a move as people see it: a choice is the bucket of its first candidate."""
        choice = self.offer.data[move.choice * 3] if move.act == A_START else 0
        return (_ACTS[move.act], move.whom, choice, move.which)

    def happen(self, move):
        """Let one of `moves` happen in the state that the arena holds; return whether it could."""
        cdef int at
        self.compare(True)
        self.c_moves()
        self.remember()
        for at in range(self.sets):  # what is remembered now was not read from a key, and has no numbers
            self.base_set_number[at] = -1
        for at in range(self.rollouts):
            self.base_rollout_number[at] = -1
        self.base_rest_number = -1
        for at in range(self.move_count):
            if self.shown(self.moves_[at]) == tuple(move):
                return bool(self.c_happen(self.moves_[at]))
        raise ValueError(f"{move} is not possible here")

    def saved(self):
        """Return everything that `restore` puts back."""
        return (
            <bytes>(<char*>self.block)[: self.block_bytes], <bytes>(<char*>self.beside.ghost)[: self.slots],
            <bytes>(<char*>self.beside.wire)[: self.slots], <bytes>(<char*>self.beside.rest)[:REST_BYTES],
        )

    def restore(self, held):
        """Put back what `saved` returned."""
        cdef const uint8_t[::1] block = held[0]
        cdef const uint8_t[::1] ghost = held[1]
        cdef const uint8_t[::1] wire = held[2]
        cdef const uint8_t[::1] rest = held[3]
        memcpy(self.block, &block[0], self.block_bytes)
        memcpy(self.beside.ghost, &ghost[0], self.slots)
        memcpy(self.beside.wire, &wire[0], self.slots)
        memcpy(self.beside.rest, &rest[0], REST_BYTES)
        self.renew()
        self.open.work.book = self.open.books[self.beside.rest[PURSES + 2]]

    @property
    def wires(self):
        """How far each instance's command is on its way (`twin.RECORDED`, ...), by slot."""
        return [self.beside.wire[slot] for slot in range(self.slots)]

    def successors(self, bytes key):
        """Return what each possible act leads to, in order, and which promise it breaks."""
        cdef int at, broken
        found = []
        self.write(key)
        self.c_moves()
        for at in range(self.move_count):
            broken = self.judge_before(self.moves_[at])
            if self.c_happen(self.moves_[at]):
                self.c_read()
                broken |= self.judge_after(self.moves_[at]) | self.judge_counts() | self.judge_state()
                key = <bytes>self.key[: self.key_bytes]
                found.append(Successor(self.shown(self.moves_[at]), key, self.first_of(broken)))
            self.put_back()
        return found

    def rank(self, bytes key):
        """Return a key's rank (see `ranking`)."""
        return self.rank_of_key(<const uint8_t*>(<char*>key))

    def path(self, int64_t number):
        """Return the states from the first one to that one, by number."""
        found = [number]
        while number:
            number = self.parents[number // BLOCK][number % BLOCK]
            found.append(number)
        return found[::-1]

    def trace(self, int64_t number):
        """Return the acts that lead from the first state to that one, each on the instances as they are then.

        Under symmetry a key stands for all its images, so the acts are found anew, step by step, on one fleet.
        """
        moves = []
        self.write(self.first)
        for there in self.path(number)[1:]:
            here, wanted = self.saved(), self.key_of(there)
            for move in self.moves():
                if self.happen(move) and self.read() == wanted:
                    moves.append(move)
                    self.open.settle_times()
                    break
                self.restore(here)
            else:
                raise AssertionError(f"no act leads from state {number} to its successor on the way")
        return moves

    def watch(self, fields, predicate, of):
        """Ask `predicate` about every new state, once for each combination of `fields` (offset, bytes in the arena).

        It is called while the arena holds the state. Where it says no, `violation` is `of`.
        """
        self.watches.append(Watch(fields, predicate, of))
        self.has_watches = True

    cdef int ask_watches(self, int64_t number) except -1 with gil:
        cdef Watch one
        for one in self.watches:
            if one.ask(self.block):
                self.violation = Violation(one.of, number, None)
                self.has_broken_watch = True
        return 0

    @property
    def taken(self):
        """How often each kind of act was taken."""
        return {_ACTS[act]: self.taken_[act] for act in range(ACTS) if self.taken_[act]}

    @property
    def became(self):
        """How often an instance went from one state of its life to another."""
        return {
            (_Life(at // 16), _Life(at % 16)): self.became_[at] for at in range(256) if self.became_[at]
        }

    @property
    def ended(self):
        """How often an attempt ended with that status and code (`core.codes`)."""
        return {(at // 8, at % 8): self.ended_[at] for at in range(STATUSES * 8) if self.ended_[at]}

    cdef void count_standing(self) noexcept nogil:
        """Count each rule that keeps a set with pending instances from starting."""
        cdef int s, at, bucket, number, lately, bits
        for s in range(self.sets):
            if not self.k.tally[s * TALLY + PENDING]:
                continue
            bits = self.k.c_standing(s)
            if not bits:
                bits = self.k.c_gates(s)
            if not bits:
                number = self.k.c_current(s, &lately)
                for bucket in range(self.k.first_bucket(s), self.k.end_bucket(s)):
                    if self.k.c_is_candidate(bucket, number, lately):
                        bits |= self.k.c_in_cell(s, self.k.site[bucket * SITE + SITE_CELL])
            at = 0
            while bits:
                self.standing_[at] += bits & 1
                bits >>= 1
                at += 1

    @property
    def standing(self):
        """In how many states a rule (a bit) kept a set from starting."""
        return {1 << at: self.standing_[at] for at in range(32) if self.standing_[at]}

    @property
    def left(self):
        """What the environment has left in the state that the arena holds: a byte an entry of `acts.PURSES`."""
        return <bytes>(<char*>self.beside.rest)[: len(_acts.PURSES)]

    @property
    def happened(self):
        """Which of the scenario's own events have happened in the state that the arena holds, one bit each."""
        return self.beside.rest[PURSES] | self.beside.rest[PURSES + 1] << 8
