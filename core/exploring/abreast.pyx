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

from phasegate.core.exploring.atomics cimport count_up, see_int, show_int
from phasegate.core.exploring.expander cimport EXPANDED, Expander
from phasegate.core.exploring.judge cimport Counts, add_counts
from phasegate.core.exploring.store cimport Finds

from concurrent.futures import ThreadPoolExecutor, wait

cdef extern from "sched.h":
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


cdef int64_t bytes_found(const Rounds* rounds, int find_words) noexcept nogil:
    """Return the bytes of what all have found."""
    cdef int64_t found = 0
    cdef int at
    for at in range(rounds.size):
        found += rounds.finds[at].room * find_words * 8
    return found


@cython.final
cdef class Abreast(Expander):
    """Works on a thread of its own, beside the explorer that its team belongs to; the first one leads."""

    def __init__(self, Expander beside, int part):
        self.stand_on(beside.subject, beside.is_symmetric, beside, beside.store)
        self.part = part

    def work(self, int64_t ticket):
        """Take part in rounds until they are over, unless the ticket is an old one."""
        if ticket != self.ticket:
            return
        self.is_at_work = True
        try:
            with nogil:
                self.go_on()
        finally:
            self.is_at_work = False

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
                        self.settle_part()
                    meet(rounds)
                    if not self.part:
                        self.begin_next()
                    meet(rounds)
        finally:
            if not has_met:  # an error, or somebody else has left: nothing is known of what the arena holds
                self.is_laid = False
                self.versions_of_book = -1
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
        while rounds.entered < rounds.size and rounds.ended[rounds.entered] == EXPANDED:
            rounds.found += rounds.finds[rounds.entered].size
            rounds.entered += 1
        self.make_room()

    cdef void make_room(self) noexcept nogil:
        """Make room for all that was found, as far as may be; no part is entered where there may be none.

        Where the table is to grow, all are to take part.
        """
        cdef Rounds* rounds = self.rounds
        self.store.beside = rounds.beside + self.memo.bytes_used() + bytes_found(rounds, self.store.find_words)
        rounds.is_growing = self.store.is_too_small(rounds.found)
        if self.store.begins_growth() if rounds.is_growing else self.store.has_blocks_for(rounds.found):
            return
        rounds.is_growing = False
        rounds.entered = 0

    cdef void settle_part(self) noexcept nogil:
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
            rounds.most = min(rounds.most_ever, 2 * rounds.most)
            divide(rounds, rounds.firsts[rounds.size])
            self.make_room_for_acts()

    cdef void make_room_for_acts(self) noexcept nogil:
        """Make room for as many acts more as a round may come to, but for no more than there are already."""
        cdef int64_t most = 16 * (self.rounds.firsts[self.rounds.size] - self.rounds.firsts[0])
        self.memo.make_room(<uint32_t>min(most, <int64_t>self.memo.count + 1024))


@cython.final
cdef class Team:
    """As many expanders as there are threads; one works on the thread of whoever asks."""

    def __init__(self, Expander beside, int size):
        self.rounds.size, self.rounds.most = size, PART_MIN
        # what waits to be entered, some ten finds a state, is to take a small part of what memory there may be
        self.rounds.most_ever = beside.store.memory_max // (256 * size * beside.store.find_words * 8)
        self.rounds.most_ever = max(PART_MIN, min(PART_MAX, self.rounds.most_ever))
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

    cdef int go(self, int64_t first, int64_t end, int64_t beside) except -1:
        """Expand the states from `first` on in rounds, as far as `end`, and enter what is found.

        What is left is for one thread: the last states, where they are fewer than is worth it; and the parts of the
        last round from `rounds.entered` on, where one was left open, or broken off, or there may be no room for what
        was found. `beside` are the bytes that others have. Whoever interrupts is heard when nobody is at work any more.
        """
        cdef Abreast one
        self.rounds.end, self.rounds.beside = end, beside
        self.rounds.arrived = self.rounds.is_left = 0
        divide(&self.rounds, first)
        self.member(0).make_room_for_acts()
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.rounds.size - 1)
        others = []
        try:
            for one in self.members[1:]:
                others.append(self.pool.submit(one.work, one.ticket))
            self.member(0).work(self.member(0).ticket)
            wait(others)
        except BaseException:
            self.call_back()
            raise
        for other in others:
            other.result()
        return 0

    cdef bint is_at_work(self):
        """Whether anybody is."""
        for member in self.members:
            if (<Abreast>member).is_at_work:
                return True
        return False

    cdef int call_back(self) except -1:
        """Let nobody begin any more, and wait until nobody is at work, however often somebody interrupts.

        The pool need not know of a thread that it was just about to start: members say themselves whether they are at
        work, and the pool is given up, so that no thread of it waits for work for ever.
        """
        for member in self.members:
            (<Abreast>member).ticket += 1
        show_int(&self.rounds.is_left, True)  # to those who wait for one that has not begun
        interrupt = None
        while self.pool is not None:
            try:
                self.pool.shutdown(wait=False)
                self.pool = None
            except BaseException as error:  # told below, when nobody is at work
                interrupt = error
        while self.is_at_work():
            with nogil:
                sched_yield()
        if interrupt is not None:
            raise interrupt
        return 0
