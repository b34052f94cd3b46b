# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What the numbers in keys stand for: records of instances, sets, rollouts, and of what the environment has left.

There are few different records, so a key says each in one or two bytes. Numbers are given in order of appearance; a
lexicon that several explorers read at once is shut, and whoever needs a new number waits until it is open again.
"""

from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memset

from phasegate.core.exploring.codes cimport (
    ANY, A_ADD, A_ANSWER, A_DEADLINE, A_DUPLICATE, A_EXECUTE, A_FAIL, A_HEALTHY, A_ISSUE, A_LATE, A_REMOVE, A_STALE,
    A_UNHEALTHY, EXECUTED, ISSUED, PURSES, RECORDED, REST_BYTES, ROLLOUT_BYTES, SET_BYTES, UNSURE,
)
from phasegate.core.kernel cimport (
    BAKING, DELAYED, FAILED, GONE, HEALTHY, HEALTH_SHIFT, PAUSED, PLAN_PHASE, PLAN_PHASES, REPLACING, RESTING, RESTORED,
    ROLLING, RUNNING, STATE_BITS, UPGRADED, VERIFYING, WAITING, is_bad, is_commanded, is_in_flight,
)

from phasegate.core.exploring import ranking as _ranking
from phasegate.core.lifecycle import Life as _Life

# the weights of a state's rank, and how far an instance in each health and a command on its way have to go (`ranking`)
cdef int64_t R_PURSE = _ranking.PURSE
cdef int64_t R_WIRE = _ranking.WIRE
cdef int64_t R_HEALTH = _ranking.HEALTH
cdef int64_t R_PHASE = _ranking.PHASE
cdef int64_t R_ATTEMPT = _ranking.ATTEMPT
cdef int64_t R_ARMED = _ranking.ARMED
cdef int[4] R_HEALTHS = _ranking.HEALTHS
cdef int[4] R_WIRES = _ranking.WIRES


# --- byte strings with numbers ---------------------------------------------------------------------------------------

cdef int open_names(Names* names, int width) except -1:
    names.width = width
    names.count, names.room, names.mask = 0, 64, 255
    names.bytes = <uint8_t*>calloc(names.room, width)
    names.rank = <int64_t*>calloc(names.room, sizeof(int64_t))
    names.slots = <uint32_t*>calloc(names.mask + 1, sizeof(uint32_t))
    if names.bytes == NULL or names.rank == NULL or names.slots == NULL:
        raise MemoryError()
    return 0


cdef void close_names(Names* names) noexcept:
    free(names.bytes)
    free(names.rank)
    free(names.slots)


cdef int64_t named(Names* names, const uint8_t* bytes, bint* is_new, bint is_shut) except -1 nogil:
    """Return the number of a byte string, a new one if it is new (`NAMELESS` if there are no new ones)."""
    cdef uint32_t at = <uint32_t>hashed(bytes, names.width) & names.mask
    cdef uint32_t number
    is_new[0] = False
    while names.slots[at]:
        number = names.slots[at] - 1
        if not memcmp(names.bytes + <size_t>number * names.width, bytes, names.width):
            return number
        at = (at + 1) & names.mask
    if is_shut:
        return NAMELESS
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


# --- the records of a search -----------------------------------------------------------------------------------------

cdef class Lexicon:
    """The records that a search has met, each with its number and its part of a state's rank."""

    def __cinit__(self, bint follows, int orders):
        self.follows, self.orders = follows, orders
        for life in _Life:
            self.life_rank[life] = _ranking.LIFE * _ranking.LIVES[life]
        open_names(&self.sets, SET_BYTES)
        open_names(&self.rollouts, ROLLOUT_BYTES)
        open_names(&self.rests, REST_BYTES)

    def __dealloc__(self):
        close_names(&self.sets)
        close_names(&self.rollouts)
        close_names(&self.rests)
        free(self.without)

    cdef int number_of(self, uint64_t word) except -1 nogil:
        """Return the number of an instance's record."""
        cdef uint32_t at = <uint32_t>(mixed(word) & 1023)
        while self.word_slots[at]:
            if self.word_slots[at] == word + 1:
                return self.number_slots[at]
            at = (at + 1) & 1023
        if self.is_shut:
            return NAMELESS
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

    cdef int set_number(self, const uint8_t* bytes) except -1 nogil:
        """Return the number of a set's record."""
        cdef bint is_new
        cdef int number = self.short_name(&self.sets, bytes, &is_new)
        if is_new:
            self.sets.rank[number] = (
                (R_ATTEMPT if bytes[0] == WAITING or bytes[0] == ROLLING else 0)
                + (R_ARMED if bytes[1] & DELAYED else 0) + (R_ARMED if bytes[1] & RESTING else 0)
            )
        return number

    cdef int rollout_number(self, const uint8_t* bytes) except -1 nogil:
        """Return the number of a rollout's record."""
        cdef bint is_new
        cdef int number = self.short_name(&self.rollouts, bytes, &is_new)
        cdef int64_t rank
        cdef int32_t phase, phases
        if is_new:
            memcpy(&phase, bytes + 2 + 4 * PLAN_PHASE, 4)
            memcpy(&phases, bytes + 2 + 4 * PLAN_PHASES, 4)
            rank = (R_ARMED if bytes[1] & PAUSED else 0) + (R_ARMED if bytes[1] & BAKING else 0)
            if bytes[0] == RUNNING:
                rank += R_ARMED
                if phases > phase:
                    rank += R_PHASE * (phases - phase)
            self.rollouts.rank[number] = rank
        return number

    cdef int rest_number(self, const uint8_t* bytes) except -1 nogil:
        """Return the number of what the environment has left."""
        cdef bint is_new
        cdef int number = self.short_name(&self.rests, bytes, &is_new)
        cdef int64_t total = self.orders
        cdef int at
        if is_new:
            for at in range(PURSES):
                if bytes[at] != ANY:
                    total += bytes[at]
            for at in range(16):
                total -= bytes[PURSES + (at >> 3)] >> (at & 7) & 1
            self.rests.rank[number] = total * R_PURSE
        return number

    cdef int rest_without(self, int number, int purse) except -1 nogil:
        """Return the number of what is left when one more of a purse is spent."""
        cdef uint8_t bytes[REST_BYTES]
        cdef Py_ssize_t at = <Py_ssize_t>number * PURSES + purse
        cdef int32_t* room
        cdef size_t more
        cdef int found = -1
        if <uint32_t>number < self.without_room:
            found = self.without[at]
        if found >= 0:
            return found
        memcpy(bytes, self.rests.bytes + <size_t>number * REST_BYTES, REST_BYTES)
        bytes[purse] -= 1
        found = self.rest_number(bytes)
        if found < 0 or self.is_shut:
            return found
        if self.without_room < self.rests.room:
            room = <int32_t*>realloc(self.without, <size_t>self.rests.room * PURSES * sizeof(int32_t))
            if room == NULL:
                with gil:
                    raise MemoryError()
            more = <size_t>(self.rests.room - self.without_room)
            memset(room + <size_t>self.without_room * PURSES, 255, more * PURSES * sizeof(int32_t))
            self.without, self.without_room = room, self.rests.room
        self.without[at] = found
        return found

    cdef int short_name(self, Names* names, const uint8_t* bytes, bint* is_new) except -1 nogil:
        cdef int64_t number = named(names, bytes, is_new, self.is_shut)
        if number > 65535:
            with gil:
                raise OverflowError("more than 65536 different sets, rollouts or remainders; bound the environment")
        return <int>number
