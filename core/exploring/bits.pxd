"""Counting and finding bits."""

from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    """
    #define POPCOUNT(bits) __builtin_popcount(bits)
    #define POSITION(bits) __builtin_ctz(bits)
    #define POSITION_OF_64(bits) __builtin_ctzll(bits)
    """
    int POPCOUNT(uint32_t bits) noexcept nogil
    int POSITION(uint32_t bits) noexcept nogil  # of the lowest; there is one
    int POSITION_OF_64(uint64_t bits) noexcept nogil
