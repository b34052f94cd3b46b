# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What was written in a workspace, page by page: `core.twin.copier`, compiled.

The coarse marks of a table are looked through a cache line at a time, and the marks of 64 pages where one says so;
every page that a mark names is copied once. The GIL stays held: what is made here are Python's own bytes.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

import array as _arrays

from phasegate.core.columns import COLUMNS as _COLUMNS, MARKS_FAN as _MARKS_FAN, TABLES as _TABLES
from phasegate.core.pages import Paged as _Paged, first_pages as _first_pages

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define phasegate_prefetch(place) __builtin_prefetch(place)
    #else
    #define phasegate_prefetch(place) ((void)(place))
    #endif
    """
    void prefetch "phasegate_prefetch"(const void* place) noexcept


cdef enum:
    FAN = 64  # pages that share a coarse mark
    AHEAD = 8  # how many pages before its turn the memory is asked for one

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


cdef uint8_t* start_of(uint8_t[::1] buffer) noexcept:
    return &buffer[0]


cdef Py_ssize_t next_marked(const uint8_t* marks, Py_ssize_t at, Py_ssize_t count) noexcept nogil:
    """Return the first place from `at` on that has a mark, `count` if there is none."""
    cdef uint64_t word
    while at < count:
        if at + 8 <= count:
            memcpy(&word, marks + at, 8)
            if not word:
                at += 8
                continue
        if marks[at]:
            return at
        at += 1
    return count


cdef tuple copied(tuple items):
    """Return a tuple of its own with the same items, which nobody has seen yet: `put_into` may write in it."""
    cdef Py_ssize_t count = PyTuple_GET_SIZE(items)
    cdef Py_ssize_t at
    cdef tuple made = PyTuple_New(count)
    cdef object item
    for at in range(count):
        item = <object>PyTuple_GET_ITEM(items, at)
        Py_INCREF(item)
        PyTuple_SET_ITEM(made, at, item)
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

    def take(self, array.array numbers, list pages):
        """Append every page that was written since the last time, with its number; nothing is marked afterwards."""
        cdef Py_ssize_t begin = numbers.ob_size
        self.go_through(numbers)
        self.copy(numbers, begin, pages)

    def changed(self):
        """Return the numbers of the pages that were written since the last time; nothing is marked afterwards."""
        cdef array.array numbers = _arrays.array("I")
        self.go_through(numbers)
        return numbers.tolist()

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
            if entry + AHEAD < count:
                number = numbers.data.as_uints[entry + AHEAD]
                at = self.column_of(number)
                if found[at] is not None:
                    prefetch(PyTuple_GET_ITEM(<tuple>found[at], number - self.columns[at].first))
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
        cdef int at = 0
        while at + 1 < self.column_count and self.columns[at + 1].first <= number:
            at += 1
        return at

    cdef int go_through(self, array.array numbers) except -1:
        """Note the pages that were written, and clear their marks."""
        cdef Table* table
        cdef uint8_t* coarse
        cdef Py_ssize_t block, blocks, page, end
        cdef int of, at, marks
        for of in range(self.table_count):
            table = &self.tables[of]
            if table.marks == NULL:
                for at in range(table.begin, table.end):
                    self.compare(at, table.pages, numbers)
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
                    for at in range(table.begin, table.end):
                        if self.columns[at].mark & marks:
                            self.note(at, page, numbers)
                    page = next_marked(table.marks, page + 1, end)
                block = next_marked(coarse, block + 1, blocks)
        return 0

    cdef int compare(self, int at, Py_ssize_t count, array.array numbers) except -1:
        cdef Column* column = &self.columns[at]
        cdef Py_ssize_t page, offset
        for page in range(count):
            offset = page * column.page_bytes
            if memcmp(column.before + offset, column.flat + offset, column.page_bytes):
                memcpy(column.before + offset, column.flat + offset, column.page_bytes)
                self.note(at, page, numbers)
        return 0

    cdef int note(self, int at, Py_ssize_t page, array.array numbers) except -1:
        cdef unsigned int number = <unsigned int>(self.columns[at].first + page)
        array.extend_buffer(numbers, <char*>&number, 1)
        return 0

    cdef int copy(self, array.array numbers, Py_ssize_t begin, list pages) except -1:
        """Append the pages whose numbers are noted from `begin` on; each is asked for a few turns before its own."""
        cdef Py_ssize_t i, line, number, count = numbers.ob_size
        cdef Column* column
        cdef const uint8_t* page
        for i in range(begin, count + AHEAD):
            if i < count:
                number = numbers.data.as_uints[i]
                column = &self.columns[self.column_of(number)]
                page = column.flat + (number - column.first) * column.page_bytes
                for line in range(0, min(column.page_bytes, 512), 64):
                    prefetch(page + line)
            if i >= begin + AHEAD:
                number = numbers.data.as_uints[i - AHEAD]
                column = &self.columns[self.column_of(number)]
                page = column.flat + (number - column.first) * column.page_bytes
                pages.append(PyBytes_FromStringAndSize(<char*>page, column.page_bytes))
        return 0
