"""What each act in a state leads to, and whether that is as promised."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from phasegate.core.exploring.codes cimport KEY_WORDS, REST_BYTES, SETS
from phasegate.core.exploring.judge cimport Counts, Judge, Move
from phasegate.core.exploring.mover cimport Mover
from phasegate.core.exploring.store cimport Finds, Store

cdef enum:
    # how an expansion ends
    EXPANDED = 0
    BROKEN_PROMISE = 1
    STORE_FULL = 2
    LEFT_OPEN = 3  # at an act that leads to something without a number, while none may be given


cdef struct Facts:
    # what follows from a context alone
    uint8_t is_known
    uint8_t is_plain  # nothing may happen but to single instances, as far as nobody acts but timers
    uint16_t standing[SETS]  # what keeps each set from starting


cdef class Expander(Mover):
    cdef readonly object violation
    cdef list watches  # None while nobody watches
    cdef Store store
    cdef Finds finds
    cdef uint32_t fair_acts
    cdef Facts* facts  # of each context
    cdef uint64_t here[KEY_WORDS]  # the key of the state that is being expanded
    cdef uint8_t here_rest[REST_BYTES]  # what it has left
    cdef bint is_here  # it is laid open
    # where an expansion was left open, or broke off
    cdef int64_t open_state
    cdef int open_move
    cdef bint open_is_end
    cdef bint is_going_on  # an expansion that was left open is gone on with

    cdef int stand_on(self, subject, bint is_symmetric, Judge beside, Store store) except -1
    cdef void count_ends(self) noexcept nogil
    cdef void count_standing(self, const Facts* facts) noexcept nogil
    cdef uint16_t standing_of(self, int s) noexcept nogil
    cdef uint32_t c_fair_acts(self) noexcept nogil
    cdef bint is_fair(self, Move move) noexcept nogil
    cdef int judge_start(self, Move move) except -1 nogil
    cdef int expand(self, int64_t number, int first, bint is_end) except -1 nogil
    cdef int lay(self) except -1 nogil
    cdef int leave_open(self, int64_t number, int act, bint is_end) noexcept nogil
    cdef uint64_t kept_as(self, int context, Move move) noexcept nogil
    cdef int recall(self, int64_t number, int context, int first, bint* is_end) except -1 nogil
    cdef int64_t take_outcome(self, int number, uint8_t* key) noexcept nogil
    cdef bint is_counted_right(self, int slot) noexcept nogil
    cdef int c_outcome(self) noexcept nogil
    cdef int find(self, int64_t number) except -1 nogil
    cdef uint64_t what_to_keep(self, Move move) except -1 nogil
    cdef bint enter_watched(self, int64_t parent) except -1 nogil
    cdef bint ask_watches(self, int64_t number) except -1 with gil
    cdef int violate(self, int promise, int64_t number) except -1 with gil
    cdef int violate_by(self, int promise, int64_t number, Move move) except -1 with gil
