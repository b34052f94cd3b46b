"""What the numbers in keys stand for."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from phasegate.core.exploring.codes cimport RECORDS

cdef struct Names:
    # different byte strings of one width, each with a number in order of appearance
    uint8_t* bytes
    int64_t* rank
    uint32_t* slots  # number + 1
    int width
    uint32_t count, room, mask

cdef enum:
    NAMELESS = -2  # what has no number yet, and may not be given one


cdef inline uint64_t mixed(uint64_t word) noexcept nogil:
    word ^= word >> 32
    word *= <uint64_t>0x9E3779B97F4A7C15
    word ^= word >> 29
    word *= <uint64_t>0xBF58476D1CE4E5B9
    return word ^ (word >> 32)


cdef inline uint64_t hashed(const uint8_t* bytes, int width) noexcept nogil:
    cdef uint64_t word, found = 0x243F6A8885A308D3
    cdef uint64_t[4] lane, words
    cdef int at = 0
    if width >= 64:  # four at once: none waits for the others
        lane[0], lane[1] = 0x13198A2E03707344, 0xA4093822299F31D0
        lane[2], lane[3] = 0x082EFA98EC4E6C89, 0x452821E638D01377
        while at + 32 <= width:
            memcpy(words, bytes + at, 32)
            lane[0] = (lane[0] ^ lane[0] >> 32 ^ words[0]) * <uint64_t>0x9E3779B97F4A7C15
            lane[1] = (lane[1] ^ lane[1] >> 32 ^ words[1]) * <uint64_t>0x9E3779B97F4A7C15
            lane[2] = (lane[2] ^ lane[2] >> 32 ^ words[2]) * <uint64_t>0x9E3779B97F4A7C15
            lane[3] = (lane[3] ^ lane[3] >> 32 ^ words[3]) * <uint64_t>0x9E3779B97F4A7C15
            at += 32
        found = mixed(lane[0]) ^ mixed(lane[1] + 1) ^ mixed(lane[2] + 2) ^ mixed(lane[3] + 3)
    while at + 8 <= width:
        memcpy(&word, bytes + at, 8)
        found = (found ^ word) * <uint64_t>0x9E3779B97F4A7C15
        found ^= found >> 32
        at += 8
    if at < width:
        word = 0
        memcpy(&word, bytes + at, width - at)
        found = (found ^ word) * <uint64_t>0x9E3779B97F4A7C15
        found ^= found >> 32
    return mixed(found)


cdef inline uint64_t key_hash(const uint64_t* key, int count) noexcept nogil:
    """Return the hash of a key of so many words."""
    cdef uint64_t found = <uint64_t>0x243F6A8885A308D3
    cdef int at
    if count == 2:
        found = (found ^ key[0]) * <uint64_t>0x9E3779B97F4A7C15
        found = (found ^ found >> 32 ^ key[1]) * <uint64_t>0x9E3779B97F4A7C15
    else:
        for at in range(count):
            found = (found ^ found >> 32 ^ key[at]) * <uint64_t>0x9E3779B97F4A7C15
    found = (found ^ found >> 29) * <uint64_t>0xBF58476D1CE4E5B9
    return found ^ found >> 32


cdef inline void copy_words(uint64_t* to, const uint64_t* words, int count) noexcept nogil:
    """Copy a key; those of small fleets have two words or three."""
    if count == 2:
        to[0], to[1] = words[0], words[1]
    elif count == 3:
        to[0], to[1], to[2] = words[0], words[1], words[2]
    else:
        memcpy(to, words, 8 * <size_t>count)


cdef inline bint are_words_same(const uint64_t* one, const uint64_t* other, int count) noexcept nogil:
    if count == 2:
        return not ((one[0] ^ other[0]) | (one[1] ^ other[1]))
    if count == 3:
        return not ((one[0] ^ other[0]) | (one[1] ^ other[1]) | (one[2] ^ other[2]))
    return not memcmp(one, other, 8 * <size_t>count)


cdef int open_names(Names* names, int width) except -1
cdef void close_names(Names* names) noexcept
cdef int64_t named(Names* names, const uint8_t* bytes, bint* is_new, bint is_shut) except -1 nogil


cdef class Lexicon:
    # Explorers that work on one search share it; while it is shut, nothing is named anew.
    cdef bint is_shut, follows
    cdef uint64_t word_of[RECORDS]
    cdef int64_t rank_of[RECORDS]
    cdef uint32_t acts_of[RECORDS]
    cdef int record_count
    cdef uint64_t word_slots[1024]  # word + 1
    cdef uint8_t number_slots[1024]
    cdef int64_t life_rank[16]
    cdef int orders
    cdef int32_t* without  # of each remainder and purse: the number of what is left after one act more, -1 if not known
    cdef uint32_t without_room
    cdef Names sets, rollouts, rests

    cdef int number_of(self, uint64_t word) except -1 nogil
    cdef void describe(self, int number, uint64_t word) noexcept nogil
    cdef int set_number(self, const uint8_t* bytes) except -1 nogil
    cdef int rollout_number(self, const uint8_t* bytes) except -1 nogil
    cdef int rest_number(self, const uint8_t* bytes) except -1 nogil
    cdef int rest_without(self, int number, int purse) except -1 nogil
    cdef int short_name(self, Names* names, const uint8_t* bytes, bint* is_new) except -1 nogil
