"""Expanding a level on several threads at once, and entering what they found."""

from libc.stdint cimport int64_t

from phasegate.core.exploring.expander cimport Expander
from phasegate.core.exploring.judge cimport Counts
from phasegate.core.exploring.store cimport Finds


cdef struct Rounds:
    # what the threads share: of each its part of the level, how its expansion ended, and what it found
    int size
    int64_t* firsts  # where each part begins, and the last one ends
    int* ended
    Finds** finds
    int64_t found  # how much in the parts that are entered
    bint is_growing  # the table is, now
    int entered  # so many parts of the last round have been entered
    int64_t end  # the rounds go no further than this
    int64_t beside  # bytes that are in use beside the store's, and those that grow meanwhile
    int64_t most, most_ever  # states a part, in the next round and in any
    bint is_over
    # where all wait for all
    int arrived, meetings
    int is_left  # somebody does not come any more, which can only be while parts are expanded


cdef int64_t bytes_found(const Rounds* rounds, int find_words) noexcept nogil

cdef enum:
    PART_MIN = 128  # states that are worth a thread's while
    PART_MAX = 8192


cdef class Abreast(Expander):
    cdef Rounds* rounds
    cdef int part  # which part is its own
    cdef int64_t ticket  # of the work that it may do; what was asked of it before is not done any more
    cdef bint is_at_work
    cdef Counts kept  # of what was entered

    cdef int go_on(self) except -1 nogil
    cdef int expand_part(self) except -1 nogil
    cdef void decide(self) noexcept nogil
    cdef void make_room(self) noexcept nogil
    cdef void settle_part(self) noexcept nogil
    cdef void begin_next(self) noexcept nogil
    cdef void make_room_for_acts(self) noexcept nogil


cdef class Team:
    cdef Rounds rounds
    cdef list members
    cdef object pool

    cdef Abreast member(self, int at)
    cdef int go(self, int64_t first, int64_t end, int64_t beside) except -1
    cdef bint is_at_work(self)
    cdef int call_back(self) except -1
