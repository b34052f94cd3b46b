"""What several threads say to one another in memory that they share; gcc and clang have the words."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from *:
    """
    #define phasegate_see(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
    #define phasegate_show(place, what) __atomic_store_n(place, what, __ATOMIC_RELEASE)
    #define phasegate_count_up(place) __atomic_add_fetch(place, 1, __ATOMIC_ACQ_REL)
    #define phasegate_add(place, more) __atomic_fetch_add(place, more, __ATOMIC_RELAXED)
    #define phasegate_touch(place) __atomic_fetch_or(place, 0, __ATOMIC_RELAXED)
    #define phasegate_is_put(place, was, what) \\
        __atomic_compare_exchange_n(place, was, what, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
    #define phasegate_close(lock) while (__atomic_test_and_set(lock, __ATOMIC_ACQUIRE)) {}
    #define phasegate_open(lock) __atomic_clear(lock, __ATOMIC_RELEASE)
    """
    int see_int "phasegate_see"(const int* place) noexcept nogil
    uint32_t see "phasegate_see"(const uint32_t* place) noexcept nogil
    uint64_t see_64 "phasegate_see"(const uint64_t* place) noexcept nogil
    void show_int "phasegate_show"(int* place, int what) noexcept nogil
    void show "phasegate_show"(uint32_t* place, uint32_t what) noexcept nogil
    void show_64 "phasegate_show"(uint64_t* place, uint64_t what) noexcept nogil
    int count_up "phasegate_count_up"(int* place) noexcept nogil
    void add_64 "phasegate_add"(int64_t* place, int64_t more) noexcept nogil
    void touch "phasegate_touch"(uint64_t* place) noexcept nogil
    bint is_put "phasegate_is_put"(uint64_t* place, uint64_t* was, uint64_t what) noexcept nogil
    void close_lock "phasegate_close"(char* lock) noexcept nogil
    void open_lock "phasegate_open"(char* lock) noexcept nogil
