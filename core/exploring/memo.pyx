# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What acts on single instances have led to, kept by all that the kernel goes by.

What an act on one instance leads to follows from the instance's own record, its bucket, and its context: everything in
the arena that is of no single instance. The kernel says where it has looked at other instances too (`has_looked`);
that is not kept. An act is local if all that it changes is the record of its instance, and what is of no single
instance. So for a local act the kernel is asked, and its answer judged, once for each combination of those, not once
for each state.

Several threads read and add at once. Nothing moves while they do: contexts and outcomes have their places from the
beginning, entries get more only in `make_room`, which is for one thread alone.
"""

cimport cython
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy

from phasegate.core.exploring.atomics cimport close_lock, open_lock, see, show, show_64
from phasegate.core.exploring.names cimport hashed

cdef enum:
    ENTRIES_MAX = 1 << 21
    CONTEXT_MASK = 4 * CONTEXTS - 1


@cython.final
cdef class Memo:
    """Contexts and outcomes with their numbers; entries by context, bucket, record and act, at most half full."""

    def __cinit__(self, int context_bytes):
        self.context_bytes = context_bytes
        self.contexts = <uint8_t*>malloc(CONTEXTS * <size_t>context_bytes)  # the system brings what is written
        self.context_slots = <uint32_t*>calloc(CONTEXT_MASK + 1, sizeof(uint32_t))
        self.mask, self.shift = 1023, 54
        self.entries = <Entry*>calloc(self.mask + 1, sizeof(Entry))
        self.outcomes = <Outcome*>calloc(OUTCOMES, sizeof(Outcome))
        self.outcome_count = 1
        if self.contexts == NULL or self.context_slots == NULL or self.entries == NULL or self.outcomes == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.contexts)
        free(self.context_slots)
        free(self.entries)
        free(self.outcomes)

    cdef int64_t bytes_used(self) noexcept nogil:
        """Return how many bytes of this are in use."""
        return (
            <int64_t>self.context_count * self.context_bytes + (CONTEXT_MASK + 1) * sizeof(uint32_t)
            + (<int64_t>self.mask + 1) * sizeof(Entry) + <int64_t>self.outcome_count * sizeof(Outcome)
        )

    cdef int context(self, const uint8_t* bytes) noexcept nogil:
        """Return the number of a context, a new one if it is new; `NO_CONTEXT` if there are too many."""
        cdef uint32_t at = <uint32_t>hashed(bytes, self.context_bytes) & CONTEXT_MASK
        cdef int found = self.seek(bytes, &at)
        if found >= 0 or self.context_count == CONTEXTS:
            return found
        close_lock(&self.lock)
        found = self.seek(bytes, &at)  # somebody may have been faster
        if found < 0 and self.context_count < CONTEXTS:
            found = self.context_count
            memcpy(self.contexts + <size_t>found * self.context_bytes, bytes, self.context_bytes)
            self.context_count += 1
            show(self.context_slots + at, self.context_count)
        open_lock(&self.lock)
        return found

    cdef int seek(self, const uint8_t* bytes, uint32_t* at) noexcept nogil:
        """Return the number of a context that is there, or `NO_CONTEXT`; leave in `at` where it stands, or would."""
        cdef uint32_t number
        while True:
            number = see(self.context_slots + at[0])
            if not number:
                return NO_CONTEXT
            if not memcmp(self.contexts + <size_t>(number - 1) * self.context_bytes, bytes, self.context_bytes):
                return <int>number - 1
            at[0] = (at[0] + 1) & CONTEXT_MASK

    cdef int outcome(self, const Outcome* like) noexcept nogil:
        """Return the number of an outcome, a new one if it is new; 0 if there is no room for one."""
        cdef uint32_t at
        cdef int found = 0
        close_lock(&self.lock)
        for at in range(1, self.outcome_count):
            if not memcmp(self.outcomes + at, like, sizeof(Outcome)):
                found = at
                break
        else:
            if self.outcome_count < OUTCOMES:
                found = self.outcome_count
                self.outcomes[found] = like[0]
                self.outcome_count += 1
        open_lock(&self.lock)
        return found

    cdef int keep(self, uint64_t of, uint64_t said) noexcept nogil:
        """Keep what is said of an act, if there is room for it and nobody has said it yet."""
        cdef uint64_t at = memo_place(of, self.shift)
        close_lock(&self.lock)
        while self.entries[at].of and self.entries[at].of != of:
            at = (at + 1) & self.mask
        if not self.entries[at].of and self.count * 2 <= self.mask:
            self.count += 1
            self.entries[at].said = said
            show_64(&self.entries[at].of, of)
        open_lock(&self.lock)
        return 0

    cdef bint make_room(self, uint32_t more) noexcept nogil:
        """Make room for so many entries more, as far as there may be so many. They move: nobody else may be at them."""
        cdef Entry* old = self.entries
        cdef Entry* entries
        cdef uint64_t to
        cdef uint32_t at, size = self.mask + 1
        cdef int shift = self.shift
        while (self.count + more) * 2 >= size and size < ENTRIES_MAX:
            size *= 2
            shift -= 1
        if size == self.mask + 1:
            return True
        entries = <Entry*>calloc(size, sizeof(Entry))
        if entries == NULL:
            return False
        for at in range(self.mask + 1):
            if old[at].of:
                to = memo_place(old[at].of, shift)
                while entries[to].of:
                    to = (to + 1) & (size - 1)
                entries[to] = old[at]
        free(old)
        self.entries, self.mask, self.shift = entries, size - 1, shift
        return True
