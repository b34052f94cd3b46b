"""What may happen in a state, and letting it happen."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from phasegate.core.exploring.codes cimport ACTS, SLOTS
from phasegate.core.exploring.judge cimport Judge, Move
from phasegate.core.kernel cimport Ints

cdef enum:
    SINCE = 31  # bit of a record's acts: stale, observed before it verified
    SOMEBODY = 30  # bit of what is allowed: others than timers may act on more than one instance


cdef class Mover(Judge):
    cdef int orders
    cdef bint takes_selected, follows
    cdef bint is_bound  # to what needs neither new numbers nor Python's hand
    cdef bint is_beyond  # what was tried last needs either
    cdef int purse_of[ACTS]
    cdef uint32_t* allowed  # of each remainder: acts of single instances that there are budgets for
    cdef uint8_t is_like_another[SLOTS]  # interchangeable with one before it, lined up
    cdef uint32_t only_at[SLOTS]  # acts that an instance may have at all, lined up
    # moves of the state that is looked at
    cdef Move* moves_
    cdef int move_count, move_room
    cdef Ints offered  # the candidates of each choice
    cdef Ints offer  # bucket, where in `offered`, how many, of each choice

    cdef int take_stock(self) except -1
    cdef Move* room_for_moves(self, int more) except NULL nogil
    cdef int add_move(self, int act, int whom, int choice, int which) except -1 nogil
    cdef bint may(self, int act) noexcept nogil
    cdef int c_moves(self) except -1 nogil
    cdef int single(self, const uint8_t* numbers, uint32_t allowed) except -1 nogil
    cdef uint32_t c_allowed(self, int rest) noexcept nogil
    cdef int starts(self, const uint8_t* numbers) except -1 nogil
    cdef int parts(
        self, int s, int choice, int count, int at_most, int healthy_at_most, const uint8_t* numbers
    ) except -1 nogil
    cdef int selected(self) except -1 nogil
    cdef int timers_and_people(self) except -1 nogil
    cdef int c_happen(self, Move move) except -1 nogil
    cdef int start(self, Move move) except -1 nogil
    cdef int happen_to(self, int act, int slot, int which) except -1 nogil
    cdef bint settle(self, bint is_all) except -1 nogil
    cdef bint note_failures(self) except -1 nogil
    cdef object shown(self, Move move)
    cdef int order_(self, int which) except -2 with gil
    cdef int add(self, int slot) except -1 with gil
    cdef int remember_failure(self, int slot, int version) except -1 with gil
