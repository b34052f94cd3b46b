# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What was written in a workspace, page by page: `core.twin.copier`, compiled.

The coarse marks of a table are looked through a cache line at a time, and the marks of 64 pages where one says so;
every page that a mark names is copied once. The GIL stays held: what is made here are Python's own bytes.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_ITEM
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from phasegate.core.prefetch cimport prefetch

import array as _arrays

from phasegate.core.columns import COLUMNS as _COLUMNS, MARKS_FAN as _MARKS_FAN, TABLES as _TABLES
from phasegate.core.pages import Paged as _Paged, first_pages as _first_pages

cdef extern from *:
    """
    #if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    #define phasegate_first_byte(word) (__builtin_ctzll(word) >> 3)
    #else
    static inline int phasegate_first_byte(unsigned long long word) {
        const unsigned char* byte = (const unsigned char*)&word;
        int at = 0;
        while (!byte[at]) at++;
        return at;
    }
    #endif
    """
    int first_byte "phasegate_first_byte"(uint64_t word) noexcept nogil  # that is not 0, of a word that is not


cdef extern from "Python.h":
    void PyObject_GC_UnTrack(object made)


cdef enum:
    FAN = 64  # pages that share a coarse mark
    AHEAD = 8  # how many pages before its turn the memory is asked for one
    FAR = 32  # the same where a page is an object of which only the head is touched

if FAN != _MARKS_FAN:
    raise ImportError("the compiled copier was built for other marks; build it again")

cdef struct Column:
    uint8_t* flat
    uint8_t* before  # what a small table's column was, NULL where pages are marked
    Py_ssize_t page_bytes
    Py_ssize_t first  # the number of its first page
    int mark


cdef struct Table:
    uint8_t* marks  # NULL in small tables
    Py_ssize_t pages
    int begin  # its columns: [begin, end)
    int end


cdef struct Written:
    const uint8_t* page
    Py_ssize_t bytes
    uint32_t number


cdef uint8_t* start_of(uint8_t[::1] buffer) noexcept:
    return &buffer[0]


cdef Py_ssize_t next_marked(const uint8_t* marks, Py_ssize_t at, Py_ssize_t count) noexcept nogil:
    """Return the first place from `at` on that has a mark, `count` if there is none."""
    cdef uint64_t word
    while at + 8 <= count:
        memcpy(&word, marks + at, 8)
        if word:
            return at + first_byte(word)
        at += 8
    while at < count and not marks[at]:
        at += 1
    return at


cdef tuple copied(tuple items):
    """Return a tuple of its own with the same items, which nobody has seen yet: `put_into` may write in it."""
    cdef Py_ssize_t count = PyTuple_GET_SIZE(items)
    cdef Py_ssize_t at
    cdef tuple made = PyTuple_New(count)
    cdef object item
    for at in range(count):
        if at + FAR < count:
            prefetch(PyTuple_GET_ITEM(items, at + FAR))
        item = <object>PyTuple_GET_ITEM(items, at)
        Py_INCREF(item)
        PyTuple_SET_ITEM(made, at, item)
    PyObject_GC_UnTrack(made)  # pages refer to nothing: the collector need not go through all of them to find that out
    return made


cdef int put_into(tuple made, Py_ssize_t at, object item) except -1:
    cdef object before = <object>PyTuple_GET_ITEM(made, at)
    Py_INCREF(item)
    PyTuple_SET_ITEM(made, at, item)
    Py_DECREF(before)
    return 0


cdef class Copier:
    """The pages of a workspace's flat columns and its marks; it holds on to these buffers."""

    cdef list keep
    cdef Column* columns
    cdef Table* tables
    cdef int column_count, table_count
    cdef Written* written  # the pages that `go_through` has found
    cdef Py_ssize_t count, room

    def __cinit__(self, flat, dirty):
        cdef int at = 0, of = 0
        cdef Column* column
        cdef Table* table
        self.keep = [flat, dirty, *flat.values(), *dirty.values()]
        self.column_count, self.table_count = len(_COLUMNS), len(_TABLES)
        self.columns = <Column*>calloc(self.column_count, sizeof(Column))
        self.tables = <Table*>calloc(self.table_count, sizeof(Table))
        if self.columns == NULL or self.tables == NULL:
            raise MemoryError()
        first = _first_pages(len(flat[known.name]) // known.page_bytes for known in _COLUMNS)
        for of in range(self.table_count):
            table = &self.tables[of]
            table.begin = at
            if _TABLES[of] in dirty:
                table.marks = start_of(dirty[_TABLES[of]])
            while at < self.column_count and _COLUMNS[at].table == _TABLES[of]:
                column = &self.columns[at]
                column.flat = start_of(flat[_COLUMNS[at].name])
                column.page_bytes = _COLUMNS[at].page_bytes
                column.first = first[at]
                column.mark = _COLUMNS[at].mark
                table.pages = first[at + 1] - first[at]
                if table.marks == NULL:
                    before = bytearray(flat[_COLUMNS[at].name])
                    self.keep.append(before)
                    column.before = start_of(before)
                at += 1
            table.end = at

    def __dealloc__(self):
        free(self.columns)
        free(self.tables)
        free(self.written)

    def take(self, array.array numbers, list pages):
        """Append every page that was written since the last time, with its number; nothing is marked afterwards."""
        self.go_through()
        self.copy(numbers, pages)

    def changed(self):
        """Return the numbers of the pages that were written since the last time; nothing is marked afterwards."""
        cdef Py_ssize_t i
        self.go_through()
        return [self.written[i].number for i in range(self.count)]

    def put(self, numbers, pages):
        """Make these pages what is written here, and what was before."""
        cdef Column* column
        cdef Py_ssize_t number, offset
        cdef int at
        for number, page in zip(numbers, pages, strict=True):
            at = self.column_of(number)
            column = &self.columns[at]
            offset = (number - column.first) * column.page_bytes
            if PyBytes_GET_SIZE(page) != column.page_bytes:
                raise ValueError(f"page {number} is not of {column.page_bytes} bytes")
            memcpy(column.flat + offset, PyBytes_AS_STRING(page), column.page_bytes)
            if column.before != NULL:
                memcpy(column.before + offset, PyBytes_AS_STRING(page), column.page_bytes)

    def merged(self, tuple columns, array.array numbers, list pages):
        """Return the columns with other pages at these numbers; the last one said of a number counts."""
        cdef list found = [None] * self.column_count  # the pages of the columns that change
        cdef Py_ssize_t entry, number, count = len(pages)
        cdef int at
        for entry in range(count):
            if entry + FAR < count:
                number = numbers.data.as_uints[entry + FAR]
                at = self.column_of(number)
                if found[at] is not None:
                    prefetch(PyTuple_GET_ITEM(<tuple>found[at], number - self.columns[at].first))
                    prefetch(PyList_GET_ITEM(pages, entry + FAR))
            number = numbers.data.as_uints[entry]
            at = self.column_of(number)
            if found[at] is None:
                found[at] = copied((<object>columns[at]).pages)
            put_into(<tuple>found[at], number - self.columns[at].first, pages[entry])
        return tuple(
            column if changed is None else _Paged(changed, column.page_bytes)
            for column, changed in zip(columns, found, strict=True)
        )

    def differing(self, tuple columns, tuple others):
        """Return the numbers of the pages that are not one object in both, in order."""
        cdef list found = []
        cdef tuple mine, theirs
        cdef Py_ssize_t place
        cdef int at
        for at in range(self.column_count):
            mine, theirs = (<object>columns[at]).pages, (<object>others[at]).pages
            if mine is theirs:
                continue
            if PyTuple_GET_SIZE(mine) != PyTuple_GET_SIZE(theirs):
                raise ValueError("columns of another length")
            for place in range(PyTuple_GET_SIZE(mine)):
                if PyTuple_GET_ITEM(mine, place) != PyTuple_GET_ITEM(theirs, place):
                    found.append(self.columns[at].first + place)
        return found

    def latest(self, array.array numbers, Py_ssize_t size, wanted):
        """Return for each wanted number the last of the first `size` entries that has it, -1 for none."""
        cdef array.array sought = _arrays.array("I", wanted)
        cdef array.array entries = _arrays.array("q", [-1]) * len(sought)
        cdef const uint32_t* number = <const uint32_t*>numbers.data.as_uints
        cdef int64_t* entry = <int64_t*>entries.data.as_voidptr
        cdef Py_ssize_t left = sought.ob_size, mask = 64, i, at
        cdef int32_t* table  # places in `sought` by number: a hash table with open addresses, at most half full
        while mask < 2 * left:
            mask *= 2
        table = <int32_t*>malloc(mask * sizeof(int32_t))
        if table == NULL:
            raise MemoryError()
        memset(table, 255, mask * sizeof(int32_t))
        mask -= 1
        for i in range(sought.ob_size):
            at = sought.data.as_uints[i] & mask
            while table[at] >= 0:
                at = (at + 1) & mask
            table[at] = <int32_t>i
        i = min(size, <Py_ssize_t>numbers.ob_size)
        while i > 0 and left > 0:
            i -= 1
            at = number[i] & mask
            while table[at] >= 0:
                if sought.data.as_uints[table[at]] == number[i]:
                    if entry[table[at]] < 0:
                        entry[table[at]] = i
                        left -= 1
                    break
                at = (at + 1) & mask
        free(table)
        return entries.tolist()

    cdef int column_of(self, Py_ssize_t number) noexcept:
        cdef int low = 0, high = self.column_count, middle
        while low + 1 < high:
            middle = (low + high) >> 1
            if self.columns[middle].first <= number:
                low = middle
            else:
                high = middle
        return low

    cdef int go_through(self) except -1:
        """Note the pages that were written, and clear their marks."""
        cdef Table* table
        cdef uint8_t* coarse
        cdef Py_ssize_t block, blocks, page, end
        cdef int of, at, marks
        self.count = 0
        for of in range(self.table_count):
            table = &self.tables[of]
            if table.marks == NULL:
                for at in range(table.begin, table.end):
                    self.compare(at, table.pages)
                continue
            coarse = table.marks + table.pages
            blocks = (table.pages + FAN - 1) // FAN
            block = next_marked(coarse, 0, blocks)
            while block < blocks:
                coarse[block] = 0
                end = min((block + 1) * FAN, table.pages)
                page = next_marked(table.marks, block * FAN, end)
                while page < end:
                    marks = table.marks[page]
                    table.marks[page] = 0
                    self.make_room(table.end - table.begin)
                    for at in range(table.begin, table.end):
                        if self.columns[at].mark & marks:
                            self.note(at, page)
                    page = next_marked(table.marks, page + 1, end)
                block = next_marked(coarse, block + 1, blocks)
        return 0

    cdef int compare(self, int at, Py_ssize_t count) except -1:
        cdef Column* column = &self.columns[at]
        cdef Py_ssize_t page, offset
        for page in range(count):
            offset = page * column.page_bytes
            if memcmp(column.before + offset, column.flat + offset, column.page_bytes):
                memcpy(column.before + offset, column.flat + offset, column.page_bytes)
                self.make_room(1)
                self.note(at, page)
        return 0

    cdef int make_room(self, Py_ssize_t more) except -1:
        """Make room for so many pages more."""
        cdef Written* written
        if self.count + more > self.room:
            written = <Written*>realloc(self.written, (2 * self.room + more + 64) * sizeof(Written))
            if written == NULL:
                raise MemoryError()
            self.written = written
            self.room = 2 * self.room + more + 64
        return 0

    cdef inline void note(self, int at, Py_ssize_t page) noexcept:
        cdef Column* column = &self.columns[at]
        cdef Written* one = &self.written[self.count]
        self.count += 1
        one.page = column.flat + page * column.page_bytes
        one.bytes = column.page_bytes
        one.number = <uint32_t>(column.first + page)

    cdef int copy(self, array.array numbers, list pages) except -1:
        """Append the pages that were noted; each is asked for a few turns before its own."""
        cdef Py_ssize_t i, line, begin = numbers.ob_size
        cdef const uint8_t* page
        cdef Written* one
        array.resize_smart(numbers, begin + self.count)
        for i in range(self.count + AHEAD):
            if i < self.count:
                one = &self.written[i]
                page = one.page
                numbers.data.as_uints[begin + i] = one.number
                for line in range(0, min(one.bytes, 512), 64):
                    prefetch(page + line)
            if i >= AHEAD:
                one = &self.written[i - AHEAD]
                pages.append(PyBytes_FromStringAndSize(<char*>one.page, one.bytes))
        return 0
