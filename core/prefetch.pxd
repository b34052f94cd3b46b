"""Asking for memory before it is needed."""

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    static inline void phasegate_prefetch(const void* place) {
        __builtin_prefetch(place);
        __asm__ volatile("");  /* else GCC drops calls of it: a function that does nothing else seems without effect */
    }
    #else
    #define phasegate_prefetch(place) ((void)(place))
    #endif
    """
    void prefetch "phasegate_prefetch"(const void* place) noexcept nogil
