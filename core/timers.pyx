# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""When something falls due: `core.twin.timers`, compiled; a heap of plain numbers on the compiled kernel's columns."""

cimport cython
from cpython cimport array
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free, realloc

import array as _arrays

from phasegate.core.kernel cimport (
    CONFIGURING, CROSS_ZONE, LINK, LINK_ATTEMPT, LINK_ROLLOUT, LINK_TARGET, REPLACING, RESTORING, SITE, SITE_CELL,
    SITE_DOMAIN, T_ARMED, T_BECAME, T_IGNORED, T_STARTED, TIMER_DEADLINE, TIMER_WINDOW, VERIFYING, Kernel, length_of,
)

cdef array.array _INT32 = _arrays.array("i")

cdef struct Entry:
    int64_t time
    int32_t kind
    int32_t of


cdef struct Heap:
    Entry* data
    Py_ssize_t size
    Py_ssize_t room


cdef inline bint precedes(Entry one, Entry other) noexcept nogil:
    if one.time != other.time:
        return one.time < other.time
    if one.kind != other.kind:
        return one.kind < other.kind
    return one.of < other.of


cdef int put(Heap* heap, Entry entry) except -1:
    cdef Py_ssize_t at = heap.size, above
    cdef Entry* data
    if heap.size == heap.room:
        data = <Entry*>realloc(heap.data, (2 * heap.room + 64) * sizeof(Entry))
        if data == NULL:
            raise MemoryError()
        heap.data = data
        heap.room = 2 * heap.room + 64
    heap.size += 1
    while at > 0:
        above = (at - 1) // 2
        if not precedes(entry, heap.data[above]):
            break
        heap.data[at] = heap.data[above]
        at = above
    heap.data[at] = entry
    return 0


cdef Entry pop(Heap* heap) noexcept:
    """Take the first entry out of a heap that is not empty."""
    cdef Entry first = heap.data[0]
    cdef Entry moved
    cdef Py_ssize_t at = 0, below
    heap.size -= 1
    moved = heap.data[heap.size]
    while True:
        below = 2 * at + 1
        if below >= heap.size:
            break
        if below + 1 < heap.size and precedes(heap.data[below + 1], heap.data[below]):
            below += 1
        if not precedes(heap.data[below], moved):
            break
        heap.data[at] = heap.data[below]
        at = below
    heap.data[at] = moved
    return first


@cython.final
cdef class Timers:
    """The armed timers of the state that a compiled kernel works on."""

    cdef Kernel kernel
    cdef Heap heap
    cdef Heap windows
    cdef int64_t* noted  # by set: the earliest entry of its deadlines

    def __cinit__(self, Kernel kernel, v, statics, int rollout_count):
        self.kernel = kernel
        self.noted = <int64_t*>calloc(kernel.set_count + 1, sizeof(int64_t))
        if self.noted == NULL:
            raise MemoryError()
        for time, kind, of in kernel.armed(rollout_count):
            self.add(time, kind, of)

    def __dealloc__(self):
        free(self.heap.data)
        free(self.windows.data)
        free(self.noted)

    def arm(self, int kind, int of):
        """Note that a timer was armed; its time is read from the columns."""
        self.add(self.kernel.c_time_of(kind, of), kind, of)

    cdef int add(self, int64_t time, int kind, int of) except -1:
        cdef Entry entry
        if kind == TIMER_DEADLINE:
            return self.note(time, of)
        entry.time, entry.kind, entry.of = time, kind, of
        return put(&self.windows if kind == TIMER_WINDOW else &self.heap, entry)

    cdef int note(self, int64_t time, int s) except -1:
        """Note a deadline, unless an entry of the set comes up before it anyway."""
        cdef Entry entry
        if time and (not self.noted[s] or time < self.noted[s]):
            self.noted[s] = time
            entry.time, entry.kind, entry.of = time, TIMER_DEADLINE, s
            return put(&self.heap, entry)
        return 0

    def follow(self, array.array trace, int64_t now):
        """Arm what a trace says was armed; return what its facts need of this moment, and where the rare records begin.

        Three numbers for each record about instances: its set's rollout, attempt number and target, for a batch its
        rollout, cell and upgrade domain. Rare records tell more than that, or of no instances.
        """
        cdef const int32_t* data = <const int32_t*>trace.data.as_ints
        cdef const int32_t* site
        cdef const int32_t* link
        cdef Py_ssize_t at = 0, end = trace.ob_size, told = 0
        cdef array.array moments
        cdef int32_t* moment
        cdef int operation, of, life
        cdef list rare = []
        while at < end:  # how many there are
            operation = data[at]
            told += operation == T_BECAME or operation == T_STARTED or operation == T_IGNORED
            at += length_of(data + at)
        moments = array.clone(_INT32, 3 * told, False)
        moment = <int32_t*>moments.data.as_ints
        at = 0
        while at < end:
            operation, of = data[at], data[at + 1]
            link = self.kernel.link + <Py_ssize_t>of * LINK
            if operation == T_BECAME:
                life = data[at + 2]
                moment[0], moment[1], moment[2] = link[LINK_ROLLOUT], link[LINK_ATTEMPT], link[LINK_TARGET]
                moment += 3
                if life == REPLACING or life == CONFIGURING or life == RESTORING:
                    self.note(now + self.kernel.step_timeout_ms, of)
                elif life == VERIFYING:
                    self.note(now + self.kernel.health_timeout_ms, of)
                if life == RESTORING:
                    rare.append(at)
            elif operation == T_STARTED:
                site = self.kernel.site + <Py_ssize_t>data[at + 2] * SITE
                moment[0], moment[1], moment[2] = link[LINK_ROLLOUT], site[SITE_CELL], site[SITE_DOMAIN]
                moment += 3
                if self.kernel.option[of] & CROSS_ZONE:
                    rare.append(at)
            elif operation == T_IGNORED:
                moment[0] = moment[1] = moment[2] = 0
                moment += 3
            elif operation == T_ARMED:
                self.arm(of, data[at + 2])
            else:
                rare.append(at)
            at += length_of(data + at)
        return moments, rare

    def next_time(self):
        """Return when the next timer falls due, None if none is armed."""
        cdef int64_t one = self.first(&self.heap), other = self.first(&self.windows)
        if not one or not other:
            return one or other or None
        return min(one, other)

    cdef int64_t first(self, Heap* heap) except -1:
        """Return when the heap's first entry that holds falls due, 0 for none; those before it are thrown away."""
        cdef Entry entry
        cdef int64_t armed
        while heap.size:
            entry = heap.data[0]
            armed = self.kernel.c_time_of(entry.kind, entry.of)
            if entry.time and armed == entry.time:
                return armed
            self.take(heap)
            if entry.kind == TIMER_DEADLINE:
                self.note(armed, entry.of)
        return 0

    cdef Entry take(self, Heap* heap) noexcept:
        cdef Entry found = pop(heap)
        if found.kind == TIMER_DEADLINE and self.noted[found.of] == found.time:
            self.noted[found.of] = 0
        return found

    def pop_due(self, int64_t before, int64_t now):
        """Take out and return what falls due before that time, and the windows that open or close until now.

        In order of time, kind and number, the windows last. A window is a fact about the clock, not a deadline that
        somebody may still be in time for: its end is exclusive (semantics 4).
        """
        cdef list due = []
        self.take_due(&self.heap, before, due)
        self.take_due(&self.windows, now + 1, due)
        return due

    cdef int take_due(self, Heap* heap, int64_t limit, list due) except -1:
        cdef Entry entry
        cdef int64_t time = self.first(heap)
        last = None
        while time and time < limit:
            entry = self.take(heap)
            found = (entry.time, entry.kind, entry.of)
            if found != last:
                due.append(found)
                last = found
            time = self.first(heap)
        return 0
