"""Expanding a level on several threads at once, and entering what they found."""

from libc.stdint cimport int64_t

from phasegate.core.exploring.expander cimport Expander
from phasegate.core.exploring.judge cimport Counts
from phasegate.core.exploring.store cimport Finds, Store


cdef struct Rounds:
    # what the threads share: of each its part of the level, how its expansion ended, and what it found
    int size
    int64_t* firsts  # where each part begins, and the last one ends
    int* ended
    Finds** finds
    int64_t found  # how much in the parts that are entered
    bint is_growing  # the table is, now
    int entered  # so many parts of the last round have been entered
    int64_t end  # where the last round ends
    int64_t most  # states a part, in the next round
    bint is_over
    # where all wait for all
    int arrived, meetings
    int is_left  # somebody does not come any more


cdef enum:
    PART_MIN = 128  # states that are worth a thread's while
    PART_MAX = 8192


cdef class Abreast(Expander):
    cdef Rounds* rounds
    cdef int part  # which part is its own
    cdef Counts kept  # of what was entered

    cdef int go_on(self) except -1 nogil
    cdef int expand_part(self) except -1 nogil
    cdef void decide(self) noexcept nogil
    cdef void make_room(self) noexcept nogil
    cdef void enter_part(self) noexcept nogil
    cdef void begin_next(self) noexcept nogil


cdef class Team:
    cdef Rounds rounds
    cdef list members
    cdef object pool
    cdef Store store

    cdef Abreast member(self, int at)
    cdef int go(self, int64_t first, int64_t end) except -1
    cdef int64_t bytes_used(self) noexcept nogil
