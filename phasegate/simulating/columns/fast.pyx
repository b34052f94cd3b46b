# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""The contents of `simulating.columns`, compiled: `plain` one by one, in the same order.

Columns that belong together are of one length; whoever calls has made sure of that.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

import array as _arrays

from phasegate.core.events import What as _What
from phasegate.core.kernel cimport (
    CONFIGURING, FAILED, REPLACING, RESTORED, T_ATTEMPT_ENDED, T_BECAME, T_IGNORED, T_PHASE_ENDED, T_STARTED, UPGRADED,
    VERIFYING,
)
from phasegate.simulating.reports import Reports

IS_COMPILED = True

cdef enum:
    ALL = 255  # in the place of a `What`: the base itself is delivered, all of it
    TIME = 0  # the kinds of draws, as in `chance.Draw`
    FAILS = 1
    LATE = 2
    LATE_BY = 3
    TWICE = 4
    TWICE_BY = 5

cdef enum:
    HEALTHY = 0  # `What`
    DISK_REPLACED = 4
    CONFIGURED = 5
    NOTHING = 0  # `Do`
    REPLACE = 1
    CONFIGURE = 2

cdef uint64_t _GOLDEN = 0x9E3779B97F4A7C15
cdef uint64_t _ONE = 0xBF58476D1CE4E5B9
cdef uint64_t _TWO = 0x94D049BB133111EB
cdef tuple _WHATS = tuple(_What)
cdef array.array _INT32 = _arrays.array("i")
cdef array.array _INT64 = _arrays.array("q")
cdef array.array _UINT32 = _arrays.array("I")

cdef struct Entry:
    int64_t due
    int64_t number
    int64_t observed_at
    uint32_t base
    uint32_t slot
    uint8_t what


cdef class Queue:
    """Reports that are on their way, a row each, or a group of them as one entry; by the time of their delivery.

    Rows that were pushed together, are due at the same time, and say the same as observed at the same time, are
    delivered as one group again.
    """

    cdef Entry* entries  # a binary heap
    cdef Py_ssize_t count
    cdef Py_ssize_t room
    cdef int64_t pushed
    cdef dict bases  # by number: the base, and how many of its rows are on their way
    cdef uint32_t last

    def __cinit__(self):
        self.entries = NULL
        self.count = self.room = 0
        self.pushed = 0
        self.bases = {}
        self.last = 0

    def __dealloc__(self):
        free(self.entries)

    def __len__(self):
        return self.count

    def push(self, int64_t due, group):
        """Put a group, or many in bulk, on their way."""
        cdef uint32_t base = self._base(group, 1)
        self._make_room(1)
        self._sift(due, 0, base, 0, ALL)

    def push_rows(self, base, array.array slots, array.array due, array.array observed_at, bytes what):
        """Put a row a slot on its way, each with its own time and content; all else is as in `base`."""
        cdef Py_ssize_t at, rows = len(slots)
        cdef const uint8_t* said = what
        cdef uint32_t number
        if not rows:
            return
        number = self._base(base, rows)
        self._make_room(rows)
        for at in range(rows):
            self._sift(
                due.data.as_longlongs[at], observed_at.data.as_longlongs[at], number, slots.data.as_uints[at], said[at]
            )

    def next_time(self):
        """Return when the next one is delivered (ms UTC), None if none is on its way."""
        return self.entries[0].due if self.count else None

    def take(self, int64_t now):
        """Take what is delivered at `now` or before: by time, then in the order in which it was pushed."""
        cdef list taken = []
        cdef dict rows
        cdef Entry first, entry
        cdef array.array alone
        while self.count and self.entries[0].due <= now:
            first = self._pop()
            base = self._taken(first.base)
            if first.what == ALL:
                taken.append(base)
                continue
            alone = array.clone(_UINT32, 1, zero=False)
            alone.data.as_uints[0] = first.slot
            if not self._goes_on(&first):
                taken.append(_group(base, first.what, alone, first.observed_at))
                continue
            rows = {(first.observed_at, first.what): alone}
            while self._goes_on(&first):
                entry = self._pop()
                self._taken(entry.base)
                key = (entry.observed_at, entry.what)
                if key not in rows:
                    rows[key] = array.clone(_UINT32, 0, zero=False)
                rows[key].append(entry.slot)
            for (observed_at, what), slots in rows.items():
                taken.append(_group(base, what, slots, observed_at))
        return taken

    cdef bint _goes_on(self, Entry* first) noexcept:
        """Whether the next entry was pushed together with this one, and is due at the same time."""
        return bool(self.count) and self.entries[0].due == first.due and self.entries[0].base == first.base

    cdef uint32_t _base(self, base, Py_ssize_t rows) except? 0:
        self.last += 1
        while self.last in self.bases:
            self.last += 1
        self.bases[self.last] = [base, rows]
        return self.last

    cdef _taken(self, uint32_t number):
        cdef list held = self.bases[number]
        held[1] -= 1
        if not held[1]:
            del self.bases[number]
        return held[0]

    cdef int _make_room(self, Py_ssize_t rows) except -1:
        cdef Py_ssize_t room = self.room if self.room else 64
        cdef Entry* entries
        while room < self.count + rows:
            room *= 2
        if room != self.room:
            entries = <Entry*> realloc(self.entries, room * sizeof(Entry))
            if entries == NULL:
                raise MemoryError
            self.entries, self.room = entries, room
        return 0

    cdef void _sift(self, int64_t due, int64_t observed_at, uint32_t base, uint32_t slot, uint8_t what) noexcept:
        """Add an entry: from the end of the heap it moves up past all that are due later."""
        cdef Py_ssize_t at = self.count, above
        while at:
            above = (at - 1) // 2
            if self.entries[above].due <= due:
                break
            self.entries[at] = self.entries[above]
            at = above
        self.entries[at].due, self.entries[at].number = due, self.pushed
        self.entries[at].observed_at, self.entries[at].base = observed_at, base
        self.entries[at].slot, self.entries[at].what = slot, what
        self.count += 1
        self.pushed += 1

    cdef Entry _pop(self) noexcept:
        """Take the first entry out: the last one moves down from its place, past all that come before it."""
        cdef Entry first = self.entries[0], last
        cdef Py_ssize_t at = 0, below
        self.count -= 1
        last = self.entries[self.count]
        while True:
            below = 2 * at + 1
            if below >= self.count:
                break
            if below + 1 < self.count and _before(&self.entries[below + 1], &self.entries[below]):
                below += 1
            if not _before(&self.entries[below], &last):
                break
            self.entries[at] = self.entries[below]
            at = below
        self.entries[at] = last
        return first


cdef inline bint _before(Entry* one, Entry* other) noexcept nogil:
    return one.due < other.due or (one.due == other.due and one.number < other.number)


cdef _group(base, uint8_t what, array.array slots, int64_t observed_at):
    return Reports(base.set, _WHATS[what], slots, observed_at, base.attempt, base.answers, base.command)


def drawn(
    array.array lucks,
    occasion,
    tuple span,
    int64_t now,
    *,
    fails_below,
    late_below,
    int64_t late_at,
    twice_below,
    int64_t stray_ms,
):
    """Return rows of reports, one or two for each luck: which one it is for, due, observed, and whether it failed.

    The step takes from `span[0]` to `span[1]` ms from `now` on, and fails by chance. A late one is delivered at
    `late_at` or up to `stray_ms` after it, a second one up to `stray_ms` after the first. Chances are numbers of 64-bit
    draws (`chance.threshold`).
    """
    cdef Py_ssize_t count = len(lucks), number, row = 0
    cdef int64_t low = span[0], observed, delivered
    cdef uint64_t choices = span[1] - span[0] + 1
    cdef uint64_t which = <uint64_t> (occasion & 0xFFFFFFFFFFFFFFFF) * 8
    cdef uint64_t luck, strays = stray_ms + 1
    cdef bint fails, always_fails = fails_below >> 64, always_late = late_below >> 64, always_twice = twice_below >> 64
    cdef uint64_t failing = fails_below & 0xFFFFFFFFFFFFFFFF
    cdef uint64_t late = late_below & 0xFFFFFFFFFFFFFFFF
    cdef uint64_t twice = twice_below & 0xFFFFFFFFFFFFFFFF
    cdef Py_ssize_t rows = 2 * count if twice or always_twice else count
    cdef array.array at = array.clone(_UINT32, rows, zero=False)
    cdef array.array due = array.clone(_INT64, rows, zero=False)
    cdef array.array observed_at = array.clone(_INT64, rows, zero=False)
    cdef bytearray failed = bytearray(rows)
    for number in range(count):
        luck = lucks.data.as_ulonglongs[number]
        observed = now + low + <int64_t> _high(_draw(luck, TIME, which), choices)
        fails = always_fails or (failing and _draw(luck, FAILS, which) < failing)
        delivered = observed
        if always_late or (late and _draw(luck, LATE, which) < late):
            delivered = max(observed, late_at + <int64_t> _high(_draw(luck, LATE_BY, which), strays))
        at.data.as_uints[row] = <uint32_t> number
        due.data.as_longlongs[row] = delivered
        observed_at.data.as_longlongs[row] = observed
        failed[row] = fails
        row += 1
        if always_twice or (twice and _draw(luck, TWICE, which) < twice):
            at.data.as_uints[row] = <uint32_t> number
            due.data.as_longlongs[row] = delivered + <int64_t> _high(_draw(luck, TWICE_BY, which), strays)
            observed_at.data.as_longlongs[row] = observed
            failed[row] = fails
            row += 1
    array.resize(at, row)
    array.resize(due, row)
    array.resize(observed_at, row)
    return at, due, observed_at, bytes(failed[:row])


def replies(array.array trace, array.array moments, int64_t now, tuple spans):
    """Return what instances answer of which a trace tells (`core.telling.Told`), if all of them do as they are told.

    `spans` is how long it takes (ms) to replace, to configure, and to become healthy. What is delivered at one time is
    one entry: when, then groups, slots, what, attempt and answers as `Bulk` has them.
    """
    cdef int64_t[3] due
    cdef Py_ssize_t[3] groups, rows  # how many there are of each
    cdef int[3] into  # where those of each span go
    cdef int span
    cdef list order = []
    cdef list found = [None, None, None]
    for span in range(3):
        due[span] = now + <int64_t> spans[span]
        groups[span] = rows[span] = 0
        into[span] = span
        if span > 0 and due[span] == due[0]:
            into[span] = 0
        elif span > 1 and due[span] == due[1]:
            into[span] = 1
    _count_replies(trace, into, groups, rows, order)
    for span in order:
        found[span] = (
            due[span],
            array.clone(_INT32, 3 * groups[span], zero=False),
            array.clone(_UINT32, rows[span], zero=False),
            PyBytes_FromStringAndSize(NULL, rows[span]),
            array.clone(_UINT32, rows[span], zero=False),
            PyBytes_FromStringAndSize(NULL, rows[span]),
        )
        groups[span] = rows[span] = 0
    _fill_replies(trace, moments, into, groups, rows, found)
    return [found[span] for span in order]


def arrived(array.array trace):
    """Return how many instances a trace says are through: upgraded, restored or failed."""
    cdef const int32_t* data = <const int32_t*> trace.data.as_ints
    cdef Py_ssize_t at = 0, end = trace.ob_size, found = 0
    while at < end:
        if data[at] == T_BECAME and (data[at + 2] == UPGRADED or data[at + 2] == RESTORED or data[at + 2] == FAILED):
            found += data[at + 4]
        at += _length_of(data + at)
    return found


cdef int _count_replies(array.array trace, int* into, Py_ssize_t* groups, Py_ssize_t* rows, list order) except -1:
    """Count groups and rows by where they go; `order` is by the first of each."""
    cdef const int32_t* data = <const int32_t*> trace.data.as_ints
    cdef Py_ssize_t at = 0, end = trace.ob_size
    cdef int span
    while at < end:
        span = _span_of(data + at)
        if span >= 0:
            span = into[span]
            if not groups[span]:
                order.append(span)
            groups[span] += 1
            rows[span] += data[at + 4]
        at += _length_of(data + at)
    return 0


cdef int _fill_replies(
    array.array trace, array.array moments, int* into, Py_ssize_t* groups, Py_ssize_t* rows, list found
) except -1:
    cdef const int32_t* data = <const int32_t*> trace.data.as_ints
    cdef const int32_t* moment = <const int32_t*> moments.data.as_ints
    cdef int32_t* group
    cdef uint32_t* attempt
    cdef Py_ssize_t at = 0, end = trace.ob_size, i, count, row
    cdef int span, operation
    cdef uint8_t[3] said, answered
    said[0], said[1], said[2] = DISK_REPLACED, CONFIGURED, HEALTHY
    answered[0], answered[1], answered[2] = REPLACE, CONFIGURE, NOTHING
    while at < end:
        operation = data[at]
        span = _span_of(data + at)
        if span >= 0:
            count = data[at + 4]
            columns = <tuple> found[into[span]]
            row = rows[into[span]]
            group = <int32_t*> (<array.array> columns[1]).data.as_ints + 3 * groups[into[span]]
            group[0], group[1], group[2] = data[at + 1], moment[0], <int32_t> count
            memcpy((<array.array> columns[2]).data.as_uints + row, data + at + 5, count * sizeof(uint32_t))
            memset(PyBytes_AS_STRING(columns[3]) + row, said[span], count)
            attempt = <uint32_t*> (<array.array> columns[4]).data.as_uints + row
            for i in range(count):
                attempt[i] = moment[1] if answered[span] else 0
            memset(PyBytes_AS_STRING(columns[5]) + row, answered[span], count)
            groups[into[span]] += 1
            rows[into[span]] += count
        if operation == T_BECAME or operation == T_STARTED or operation == T_IGNORED:
            moment += 3
        at += _length_of(data + at)
    return 0


cdef inline int _span_of(const int32_t* record) noexcept nogil:
    """Return which span a record's instances take to answer, -1 if they do not."""
    if record[0] != T_BECAME:
        return -1
    if record[2] == REPLACING:
        return 0
    if record[2] == CONFIGURING:
        return 1
    return 2 if record[2] == VERIFYING or record[2] == RESTORED else -1


cdef inline Py_ssize_t _length_of(const int32_t* record) noexcept nogil:
    """Return how many numbers a record of a trace has (`core.codes`)."""
    if record[0] == T_BECAME or record[0] == T_IGNORED:
        return 5 + record[4]
    if record[0] == T_STARTED:
        return 4 + record[3]
    if record[0] == T_ATTEMPT_ENDED:
        return 4
    return 6 if record[0] == T_PHASE_ENDED else 3


def set_at(bytearray column, array.array slots, const uint8_t[::1] values):
    """Set the bytes of a column at the slots, lengthening it with zeros where it is too short."""
    cdef Py_ssize_t count = len(slots), at, longest = len(column)
    cdef uint8_t[::1] view
    for at in range(count):
        if slots.data.as_uints[at] >= longest:
            longest = <Py_ssize_t> slots.data.as_uints[at] + 1
    column += bytes(longest - len(column))
    if not count:
        return
    view = column
    for at in range(count):
        view[slots.data.as_uints[at]] = values[at]


# --- drawing ---------------------------------------------------------------------------------------------------------


cdef inline uint64_t _draw(uint64_t luck, int kind, uint64_t which) noexcept nogil:
    """Return 64 bits, as `chance.draw` does; `which` is eight times the occasion."""
    cdef uint64_t z = luck + _GOLDEN * (which + <uint64_t> kind)
    z = (z ^ (z >> 30)) * _ONE
    z = (z ^ (z >> 27)) * _TWO
    return z ^ (z >> 31)


cdef inline uint64_t _high(uint64_t one, uint64_t other) noexcept nogil:
    """Return the upper 64 bits of a product, put together from 32-bit halves: no C compiler needs to know more."""
    cdef uint64_t half = <uint64_t> 0xFFFFFFFF
    cdef uint64_t low = (one & half) * (other & half)
    cdef uint64_t middle = (one >> 32) * (other & half) + (low >> 32)
    cdef uint64_t cross = (one & half) * (other >> 32) + (middle & half)
    return (one >> 32) * (other >> 32) + (middle >> 32) + (cross >> 32)
