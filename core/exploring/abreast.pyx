# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""Expanding a level on several threads at once, and entering what they found.

They go in rounds. Each thread has an arena of its own and expands its part of the level, while nothing is named and
nothing entered. What they found is then entered by all of them together (`store`): numbers are given in the order of
the parts, as one thread alone would give them. A round takes some milliseconds, its steps less; so they wait for one
another without giving the processor away, unless it takes long.
"""

cimport cython
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from phasegate.core.exploring.expander cimport EXPANDED, Expander
from phasegate.core.exploring.judge cimport Counts, add_counts
from phasegate.core.exploring.store cimport Finds, Store

from concurrent.futures import ThreadPoolExecutor, wait

cdef extern from *:
    """
    #include <sched.h>
    #define phasegate_see_int(place) __atomic_load_n(place, __ATOMIC_ACQUIRE)
    #define phasegate_show_int(place, what) __atomic_store_n(place, what, __ATOMIC_RELEASE)
    #define phasegate_count(place) __atomic_add_fetch(place, 1, __ATOMIC_ACQ_REL)
    """
    int see_int "phasegate_see_int"(const int* place) noexcept nogil
    void show_int "phasegate_show_int"(int* place, int what) noexcept nogil
    int count_up "phasegate_count"(int* place) noexcept nogil
    int sched_yield() noexcept nogil

cdef enum:
    PATIENCE = 4096  # so often a thread looks for the others before it lets somebody else have the processor


cdef bint meet(Rounds* rounds) noexcept nogil:
    """Wait until all have come here; return False if somebody does not come any more."""
    cdef int before = see_int(&rounds.meetings)
    cdef int looks = 0
    if count_up(&rounds.arrived) == rounds.size:
        rounds.arrived = 0
        show_int(&rounds.meetings, before + 1)
        return True
    while see_int(&rounds.meetings) == before:
        if see_int(&rounds.is_left):
            return False
        looks += 1
        if looks > PATIENCE:
            sched_yield()
    return True


cdef void divide(Rounds* rounds, int64_t first) noexcept nogil:
    """Give each a part of the level from there on; the rounds are over where that is not worth it."""
    cdef int64_t each = min(rounds.most, (rounds.end - first) // rounds.size)
    cdef int at
    rounds.is_over = each < PART_MIN
    if not rounds.is_over:
        rounds.entered = 0
        for at in range(rounds.size + 1):
            rounds.firsts[at] = first + each * at


@cython.final
cdef class Abreast(Expander):
    """Works on a thread of its own, beside the explorer that its team belongs to; the first one leads."""

    def __init__(self, Expander beside, int part):
        self.stand_on(beside.subject, beside.is_symmetric, beside, beside.store)
        self.part = part

    def work(self):
        """Take part in rounds until they are over."""
        with nogil:
            self.go_on()

    cdef int go_on(self) except -1 nogil:
        cdef Rounds* rounds = self.rounds
        cdef bint has_met = True
        try:
            while has_met and not rounds.is_over:
                has_met = False
                self.expand_part()
                has_met = meet(rounds)
                if has_met:  # whoever has met expands no more, and so fails no more
                    if not self.part:
                        self.decide()
                    meet(rounds)
                    while rounds.is_growing:
                        self.store.spread(self.part, rounds.size)
                        meet(rounds)
                        if not self.part:
                            self.store.end_growth()
                            self.make_room()
                        meet(rounds)
                    if self.part < rounds.entered:
                        self.store.claim(rounds.finds, self.part)
                    meet(rounds)
                    if self.part < rounds.entered:
                        self.enter_part()
                    meet(rounds)
                    if not self.part:
                        self.begin_next()
                    meet(rounds)
        finally:
            if not has_met:
                show_int(&rounds.is_left, True)
        return 0

    cdef int expand_part(self) except -1 nogil:
        """Expand the states of its part, as far as one that is bound may."""
        cdef int64_t number = self.rounds.firsts[self.part]
        cdef int ended = EXPANDED
        self.finds.size = self.finds.fresh = 0
        memset(&self.counts, 0, sizeof(Counts))
        while ended == EXPANDED and number < self.rounds.firsts[self.part + 1]:
            ended = self.expand(number, 0, True)
            number += 1
        self.rounds.ended[self.part] = ended
        return 0

    cdef void decide(self) noexcept nogil:
        """Say how many parts are entered: those before the first that was not expanded to its end."""
        cdef Rounds* rounds = self.rounds
        rounds.found = rounds.entered = 0
        if self.store.is_compact:
            return
        while rounds.entered < rounds.size and rounds.ended[rounds.entered] == EXPANDED:
            rounds.found += rounds.finds[rounds.entered].size
            rounds.entered += 1
        self.make_room()

    cdef void make_room(self) noexcept nogil:
        """Make room for all that was found, as far as may be; no part is entered where there may be none.

        Where the table is to grow, all are to take part.
        """
        cdef Rounds* rounds = self.rounds
        rounds.is_growing = self.store.is_too_small(rounds.found)
        if self.store.begins_growth() if rounds.is_growing else self.store.has_blocks_for(rounds.found):
            return
        rounds.is_growing = False
        rounds.entered = 0

    cdef void enter_part(self) noexcept nogil:
        """Settle what is new in its part, and keep what was counted."""
        cdef int64_t number = self.store.states
        cdef int at
        for at in range(self.part):
            number += self.rounds.finds[at].fresh
        self.store.settle(self.rounds.finds, self.part, number)
        add_counts(&self.kept, &self.counts)

    cdef void begin_next(self) noexcept nogil:
        """Count what was entered; begin the next round where all was."""
        cdef Rounds* rounds = self.rounds
        cdef int at
        for at in range(rounds.entered):
            self.store.states += rounds.finds[at].fresh
        self.store.forget_contexts(rounds.firsts[rounds.entered])
        if rounds.entered < rounds.size:
            rounds.is_over = True
            rounds.most = max(PART_MIN, rounds.most // 4)  # less is done in vain
        else:
            rounds.most = min(PART_MAX, 2 * rounds.most)
            divide(rounds, rounds.firsts[rounds.size])
            self.memo.make_room(16 * <uint32_t>(rounds.firsts[rounds.size] - rounds.firsts[0]))


@cython.final
cdef class Team:
    """As many expanders as there are threads; one works on the thread of whoever asks."""

    def __init__(self, Expander beside, int size):
        self.store = beside.store
        self.rounds.size, self.rounds.most = size, PART_MIN
        self.rounds.firsts = <int64_t*>calloc(size + 1, sizeof(int64_t))
        self.rounds.ended = <int*>calloc(size, sizeof(int))
        self.rounds.finds = <Finds**>calloc(size, sizeof(Finds*))
        if self.rounds.firsts == NULL or self.rounds.ended == NULL or self.rounds.finds == NULL:
            raise MemoryError()
        self.members = [Abreast(beside, at) for at in range(size)]
        for at in range(size):
            self.member(at).rounds = &self.rounds
            self.rounds.finds[at] = &self.member(at).finds

    def __dealloc__(self):
        free(self.rounds.firsts)
        free(self.rounds.ended)
        free(self.rounds.finds)

    cdef Abreast member(self, int at):
        return <Abreast>self.members[at]

    cdef int64_t bytes_used(self) noexcept nogil:
        """Return the bytes of what they found."""
        cdef int64_t found = 0
        cdef int at
        for at in range(self.rounds.size):
            found += self.rounds.finds[at].room * self.store.find_words * 8
        return found

    cdef int go(self, int64_t first, int64_t end) except -1:
        """Expand the states from `first` on in rounds, and enter what is found; leave open what is left for one thread.

        That are less than is worth it, before `end`, or the parts from `rounds.entered` on: the first of them ends
        somewhere, or there may be no room. Who interrupts is heard when nobody is at work any more.
        """
        self.rounds.end = end
        self.rounds.arrived = self.rounds.is_left = 0
        divide(&self.rounds, first)
        self.member(0).memo.make_room(16 * <uint32_t>(self.rounds.firsts[self.rounds.size] - first))
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.rounds.size - 1)
        try:
            others = [self.pool.submit(member.work) for member in self.members[1:]]
            self.member(0).work()
            wait(others)
        except BaseException:
            show_int(&self.rounds.is_left, True)  # to those who wait for one who has not begun
            self._end_the_others()
            raise
        for other in others:
            other.result()
        return 0

    def _end_the_others(self):
        """Wait until nobody is at work any more, however often somebody interrupts; the last interrupt is told."""
        try:
            self.pool.shutdown(cancel_futures=True)
            self.pool = None
        except KeyboardInterrupt:
            self._end_the_others()
            raise
