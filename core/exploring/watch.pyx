# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""Predicates of somebody's own on some fields of a state, asked once for each combination of their values."""

cimport cython
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from phasegate.core.exploring.names cimport close_names, named, open_names


@cython.final
cdef class Watch:
    """A predicate on some fields of a state: asked once for each combination of their values."""

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
        number = named(&self.seen, bytes, &is_new, False)
        if is_new:
            self.answers.append(None)  # until there is one: a predicate may raise
        if self.answers[number] is None:
            self.answers[number] = 0 if self.predicate() else 1
        return self.answers[number]

    @property
    def asked(self):
        """How often the predicate itself was asked."""
        return len(self.answers)
