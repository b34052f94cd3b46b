"""What is promised, checked in the state that the arena holds."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from phasegate.core.exploring.codes cimport ACTS, RECORDS, ROLLOUTS, STATUSES
from phasegate.core.exploring.ground cimport Ground

cdef struct Move:
    int act
    int whom
    int choice
    int which


cdef struct Counts:
    # what was exercised, and how often
    int64_t transitions, rising
    int64_t taken[ACTS]
    int64_t became[512]  # from one state of a life to another (or the same); the second half by a deadline that passed
    int64_t ended[STATUSES * 8]
    int64_t standing[32]


cdef inline void add_counts(Counts* to, Counts* more) noexcept nogil:
    """Add what was counted, and begin to count anew."""
    cdef int64_t* sums = <int64_t*>to
    cdef int64_t* counts = <int64_t*>more
    cdef int at
    for at in range(<int>(sizeof(Counts) // sizeof(int64_t))):
        sums[at] += counts[at]
        counts[at] = 0


cdef class Judge(Ground):
    cdef readonly object meant
    cdef readonly bint is_benign
    cdef object shelf  # whose books say what the rollouts' targets are
    cdef list meant_kept
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
    cdef int meant_groups, phase_failure_percent
    cdef int asked  # the promises that count, one bit each
    cdef int group_limits[64]
    cdef int group_counts[64]
    cdef size_t still_at[7]  # what late reports must leave as it is: where in the arena, and how many bytes
    cdef size_t still_bytes[7]
    cdef uint8_t* base_flag  # in the base's copy of the arena
    cdef int targets[ROLLOUTS]
    cdef int version_rank[RECORDS]
    cdef int versions_of_book
    cdef Counts counts

    cdef int mean(self) except -1
    cdef int know_versions(self) except -1 nogil
    cdef int take_up_book(self) except -1 with gil
    cdef bint gate_is_broken(self, int s) noexcept nogil
    cdef int first_of(self, int broken) noexcept nogil
    cdef int judge_before(self, Move move, const int32_t* slots, int count) except -1 nogil
    cdef int judge_order(self, int s, int first) noexcept nogil
    cdef int judge_act(self, Move move, bint is_first) except -1 nogil
    cdef bint has_moved(self) noexcept nogil
    cdef int judge_life(self, int slot, int was, int now, Move move) noexcept nogil
    cdef bint is_led_astray(self, Move move) noexcept nogil
    cdef int judge_rollouts(self, int act) noexcept nogil
    cdef void take_over(self, int r, int phase, int* lost, int* eligible) noexcept nogil
    cdef bint is_going(self, int r, int phase) noexcept nogil
    cdef bint has_failed_attempts(self, int r) noexcept nogil
    cdef bint is_of(self, int s, int r, int phase) noexcept nogil
    cdef bint has_failed(self, int r, int phase, int lost, int eligible) noexcept nogil
    cdef int judge_stops(self) noexcept nogil
    cdef bint may_end(self, int s, bint is_first) noexcept nogil
    cdef int judge_state(self) except -1 nogil
    cdef int judge_flight(self, int slot, int state) except -1 nogil
    cdef int judge_counts(self) noexcept nogil
    cdef bint has_miscounted_work(self) noexcept nogil
    cdef void add_up(self, uint32_t* counts, int life, int by) noexcept nogil
    cdef int judge_groups(self) noexcept nogil
    cdef int in_use(self, int g) noexcept nogil
    cdef int judge_end(self) except -1 nogil
