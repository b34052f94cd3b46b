"""All keys that were found, in order, each with the number of its parent; and those that wait to be entered."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    # a find: words
    FIND_HASH = 0
    FIND_FROM = 1  # the number of its parent; its context above
    FIND_KEY = 2
    # the lower bits of a hash say, once it is known, where the key has its place: so many after its first, + 1; or 0
    SEAT = 0x7FFFFFFF

cdef struct Finds:
    # keys in order of discovery, each behind its hash and whom and where it was found from
    uint64_t* rows
    Py_ssize_t size, room
    int64_t fresh  # how many of them are new, once that is known

cdef void forget_finds(Finds* finds) noexcept nogil


cdef class Store:
    cdef int key_bytes, key_words, find_words
    cdef bint is_compact
    cdef int fullest  # percent of the table's places that may be taken
    cdef int64_t memory_max, states
    cdef int64_t beside  # bytes that others have of them
    cdef uint8_t** blocks
    cdef uint32_t** parents
    cdef uint32_t** contexts  # of those that wait to be expanded; NULL where a block has none any more
    cdef uint32_t* spare  # memory for the contexts of a block
    cdef Py_ssize_t forgotten  # how many blocks have none any more
    cdef Py_ssize_t block_count
    cdef uint64_t* table
    cdef uint32_t* compact
    cdef uint64_t* larger  # the table that it becomes, while it grows
    cdef uint32_t* larger_compact
    cdef uint64_t table_size  # two to the power of 64 less `shift`: a key stands where the first bits of its hash say
    cdef int shift

    cdef uint8_t* key_at(self, int64_t number) noexcept nogil
    cdef int64_t bytes_used(self) noexcept nogil
    cdef uint32_t context_at(self, int64_t number) noexcept nogil
    cdef void forget_contexts(self, int64_t number) noexcept nogil
    cdef uint64_t* more_finds(self, Finds* finds, Py_ssize_t more) except NULL nogil
    cdef bint take(self, Finds* finds) noexcept nogil
    cdef uint64_t place_of(self, const uint64_t* key, uint64_t hash, bint* is_known) noexcept nogil
    cdef uint64_t place_in_compact(self, const uint64_t* key, uint64_t hash, bint* is_known) noexcept nogil
    cdef void look_ahead(self, uint64_t hash) noexcept nogil
    cdef int enter(self, const uint64_t* key, uint64_t hash, uint64_t parent) noexcept nogil
    cdef void put(self, int64_t number, const uint64_t* key, uint64_t found_from) noexcept nogil
    cdef bint is_too_small(self, int64_t more) noexcept nogil
    cdef bint has_blocks_for(self, int64_t more) noexcept nogil
    cdef const uint64_t* claimed_key(self, Finds** parts, int64_t number) noexcept nogil
    cdef Finds* part_of(self, Finds** parts, int64_t* number) noexcept nogil
    cdef int64_t first_number(self, Finds** parts, int part) noexcept nogil
    cdef void claim(self, Finds** parts, int part) noexcept nogil
    cdef void settle(self, Finds** parts, int part, int64_t number) noexcept nogil
    cdef bint has_another_block(self) noexcept nogil
    cdef bint has_larger_table(self) noexcept nogil
    cdef bint begins_growth(self) noexcept nogil
    cdef void spread(self, int share, int shares) noexcept nogil
    cdef void end_growth(self) noexcept nogil
