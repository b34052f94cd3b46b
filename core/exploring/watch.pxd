"""Predicates of somebody's own on some fields of a state."""

from libc.stdint cimport uint8_t

from phasegate.core.exploring.names cimport Names


cdef class Watch:
    cdef Names seen
    cdef list answers
    cdef object predicate
    cdef int count
    cdef int* offset
    cdef int* size
    cdef readonly object of  # what its owner calls it

    cdef int ask(self, const uint8_t* block) except -1
