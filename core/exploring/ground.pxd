"""One state laid open in an arena with the kernel on it, read as a key and written from one."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from phasegate.core.exploring.codes cimport KEY_BYTES, KEY_WORDS, RECORDS, REST_BYTES, ROLLOUTS, SETS, SLOTS
from phasegate.core.exploring.memo cimport Memo
from phasegate.core.exploring.names cimport Lexicon
from phasegate.core.kernel cimport Kernel, Ragged

cdef struct Beside:
    # what an exploration keeps beside the columns
    uint8_t ghost[SLOTS]  # the version that an instance in flight had when its batch started
    uint8_t wire[SLOTS]  # how far its command is on its way
    uint8_t rest[REST_BYTES]  # purses, what has happened (2), the book


cdef class Ground:
    cdef readonly object subject, open, v, group, freedom
    cdef readonly bint is_symmetric
    cdef Kernel k
    cdef Lexicon lexicon
    cdef Memo memo
    # the fleet
    cdef int slots, buckets, sets, rollouts, cells, regions, life_words
    cdef uint8_t* block
    cdef size_t block_bytes, steady_at, steady_bytes, context_at
    cdef int context_bytes
    cdef uint8_t* base  # the arena's mutable part, as the state that is being expanded has it
    cdef uint8_t[::1] held  # keeps the arena's memory
    cdef int run_first[SLOTS + 1]  # of each bucket, in `lined`
    cdef int lined[SLOTS]  # slots, bucket by bucket
    cdef int place_of[SLOTS]  # in `lined`
    cdef int set_of[SLOTS]
    cdef int bucket_of[SLOTS]
    cdef uint8_t tag[SLOTS]
    cdef bint is_spare[SLOTS]
    cdef bint has_begun
    cdef int64_t timeout
    # what is beside the columns: now, and in the base
    cdef Beside beside
    cdef Beside base_beside
    # the base: the state that is being expanded
    cdef bint is_laid  # the arena holds what the base's key says
    cdef bint is_steady  # the last act has left the steady columns as the base has them
    cdef int changed_count
    cdef uint8_t changed[SLOTS]  # instances whose record may be another one than in the base
    cdef uint8_t base_number[SLOTS]  # the numbers of the instances' records, by slot
    cdef uint64_t base_word[SLOTS]
    cdef uint64_t base_key[KEY_WORDS]
    # in the base's copy of the arena
    cdef uint8_t* base_life
    cdef uint8_t* base_status
    cdef uint8_t* base_mark
    cdef uint8_t* base_course
    cdef uint8_t* base_trait
    cdef int32_t* base_link
    cdef int32_t* base_plan
    cdef uint32_t* base_tally
    cdef uint32_t* base_wait
    cdef int64_t* base_sums
    # keys: where the parts begin
    cdef int at_begun, at_hold, at_sets, at_rollouts, at_rest, key_bytes
    cdef uint64_t key_words[KEY_WORDS]
    cdef uint8_t* key
    cdef uint8_t tail[KEY_BYTES]  # of the key read last, before its least image was sought: holds, sets, rollouts
    cdef int64_t risen
    cdef uint8_t last_rest[REST_BYTES]  # what was left in the key that was read last, and its number
    cdef int last_rest_number
    cdef int group_size
    cdef uint16_t* group_source  # of each symmetry: from where in a key each byte of its image comes
    cdef int* group_cell  # and where each cell goes

    cdef int lie_on(self, subject, bint is_symmetric, Lexicon lexicon, Memo memo) except -1
    cdef uint64_t word(self, int slot) noexcept nogil
    cdef void set_bytes(self, int s, uint8_t* bytes) noexcept nogil
    cdef void rollout_bytes(self, int r, uint8_t* bytes) noexcept nogil
    cdef void compare(self, bint is_all) noexcept nogil
    cdef bint c_read(self) except -1 nogil
    cdef bint read_the_rest(self) except -1 nogil
    cdef int c_context(self) noexcept nogil
    cdef bint say(self, int at, int number, const int64_t* rank) noexcept nogil
    cdef void make_least(self) noexcept nogil
    cdef int c_write(self, const uint8_t* key) except -1 nogil
    cdef void clear(self) noexcept nogil
    cdef void write_instance(self, int slot, int number) noexcept nogil
    cdef void count(self, int slot, int by) noexcept nogil
    cdef void write_set(self, int s, int hold, const uint8_t* bytes) noexcept nogil
    cdef void count_set(self, int s, int by) noexcept nogil
    cdef void write_rollout(self, int r, const uint8_t* bytes) noexcept nogil
    cdef void count_groups(self) noexcept nogil
    cdef void use_all(self, Ragged lists, int at, uint32_t by) noexcept nogil
    cdef void remember(self) noexcept nogil
    cdef int put_back(self) except -1 nogil
    cdef int renew(self) except -1 nogil
    cdef int heat(self) except -1 nogil
    cdef int64_t rank_of_tail(self, const uint8_t* key) noexcept nogil
    cdef int64_t rank_of_key(self, const uint8_t* key) noexcept nogil
