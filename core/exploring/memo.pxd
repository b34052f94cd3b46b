"""What acts on single instances have led to, kept by all that the kernel goes by."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    # of what is kept
    KNOWN = 1
    LOCAL = 2
    RECORD_SHIFT = 2
    OUTCOME_SHIFT = 10
    CHANGE_SHIFT = 22
    CONTEXT_SHIFT = 32
    # how much is told apart; what acts lead to beyond that is worked out each time
    CONTEXTS = 32768
    OUTCOMES = 4096
    CHANGES = 512
    NO_CONTEXT = -1
    UNTOLD = 0xFFFFFFFF  # a context that nobody has told
    TAIL_BYTES = 80  # of a key: how lately domains were begun, holds, sets, rollouts
    ENDS = 4

cdef struct Entry:
    uint64_t of  # context, bucket, record, act; 0 is nobody's
    # whether it is known, whether it is local, the record, outcome and context after it, the place in `Counts.became`
    uint64_t said

cdef struct Outcome:
    # what an act changes beside the record of its instance; 0 is nothing
    uint8_t tail[TAIL_BYTES]
    uint8_t ends[ENDS]  # how attempts have ended: their places in `Counts.ended`, + 1
    int64_t rank  # of the sets and rollouts


cdef inline uint64_t memo_key(int context, int bucket, int record, int act) noexcept nogil:
    return <uint64_t>(context + 1) << 32 | <uint64_t>bucket << 16 | <uint64_t>record << 8 | <uint64_t>act


cdef inline uint64_t memo_place(uint64_t of, int shift) noexcept nogil:
    return of * <uint64_t>0x9E3779B97F4A7C15 >> shift


cdef class Memo:
    cdef char lock
    cdef int context_bytes
    cdef uint8_t* contexts
    cdef uint32_t* context_slots  # number + 1
    cdef uint32_t context_count
    cdef Entry* entries
    cdef uint32_t count, mask
    cdef int shift
    cdef Outcome* outcomes
    cdef uint32_t outcome_count

    cdef int context(self, const uint8_t* bytes) noexcept nogil
    cdef int outcome(self, const Outcome* like) noexcept nogil
    cdef int seek(self, const uint8_t* bytes, uint32_t* at) noexcept nogil
    cdef int keep(self, uint64_t of, uint64_t said) noexcept nogil
    cdef bint make_room(self, uint32_t more) noexcept nogil
    cdef int64_t bytes_used(self) noexcept nogil
