# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False
"""The functions of `core.packing`, compiled: `plain` function by function, in the same order.

Everything runs on raw memory without the GIL. Columns that belong together are of one length, orders are permutations
of the rows; whoever calls has made sure of that.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

import array as _arrays

IS_COMPILED = True

cdef enum:
    RUN_MAX = 1000  # digits that are one number, as in `order`

cdef array.array _UINT32 = _arrays.array("I")
cdef array.array _INT64 = _arrays.array("q")


def first_wrong(const uint8_t[::1] blob, const uint8_t[::1] ends):
    """Return the first name that is none (`names.is_name`), -1 if there is none.

    What is not ASCII is left to Python, which knows what prints: all names at once first, as it nearly always does.
    """
    cdef Py_ssize_t count = ends.shape[0] // 4, at, found = -1
    cdef const uint32_t* stop
    cdef const uint8_t* text
    cdef uint32_t start = 0, i
    cdef uint8_t byte, wide = 0
    cdef bint is_wrong
    if not count:
        return -1
    stop = <const uint32_t*> &ends[0]
    text = &blob[0] if blob.shape[0] else NULL
    with nogil:
        for at in range(count):
            is_wrong = stop[at] == start
            for i in range(start, stop[at]):
                byte = text[i]
                is_wrong |= byte < 32 or byte == 127 or byte == c"/"
                wide |= byte
            if is_wrong:
                found = at
                break
            start = stop[at]
    if wide & 128:
        whole = bytes(blob[:start])
        if not whole.decode().isprintable():
            start = 0
            for at in range(count if found < 0 else found):
                if not whole[start:stop[at]].decode().isprintable():
                    return at
                start = stop[at]
    return found


def first_repeated(const uint8_t[::1] blob, const uint8_t[::1] ends):
    """Return the first name that is the same as the one before it, -1 if there is none."""
    cdef Py_ssize_t count = ends.shape[0] // 4, at, found = -1
    cdef const uint32_t* stop
    cdef const uint8_t* text
    cdef uint32_t before, start
    if count < 2:
        return -1
    stop = <const uint32_t*> &ends[0]
    text = &blob[0] if blob.shape[0] else NULL
    with nogil:
        before = 0
        for at in range(1, count):
            start = stop[at - 1]
            if stop[at] - start == start - before and not memcmp(text + start, text + before, start - before):
                found = at
                break
            before = start
    return found


def natural_order(const uint8_t[::1] blob, const uint8_t[::1] ends):
    """Return the order in which the names are sorted (`order.natural_key`), None if they already are.

    Equal names stay in the order in which they are given.
    """
    cdef Py_ssize_t count = ends.shape[0] // 4, at
    cdef const uint32_t* stop
    cdef const uint8_t* text
    cdef bint sorted_already = True
    cdef array.array order
    cdef uint32_t* spare
    if count < 2:
        return None
    stop = <const uint32_t*> &ends[0]
    text = &blob[0] if blob.shape[0] else NULL
    with nogil:
        for at in range(1, count):
            if _compared(text, stop, <uint32_t> at - 1, <uint32_t> at) > 0:
                sorted_already = False
                break
    if sorted_already:
        return None
    order = array.clone(_UINT32, count, zero=False)
    spare = <uint32_t*> malloc(count * sizeof(uint32_t))
    if spare == NULL:
        raise MemoryError
    with nogil:
        for at in range(count):
            order.data.as_uints[at] = <uint32_t> at
        _merge_sort(text, stop, order.data.as_uints, spare, count)
    free(spare)
    return order


def numbers(const uint8_t[::1] blob, const uint8_t[::1] ends):
    """Return the names as uint32 if each is a plain number below 2**32, written without leading zeros, else None."""
    cdef Py_ssize_t count = ends.shape[0] // 4, at
    cdef const uint32_t* stop
    cdef const uint8_t* text
    cdef uint32_t start = 0, digit
    cdef uint64_t value
    cdef bint plain = True
    cdef array.array found = array.clone(_UINT32, count, zero=False)
    if not count:
        return found
    stop = <const uint32_t*> &ends[0]
    text = &blob[0] if blob.shape[0] else NULL
    with nogil:
        for at in range(count):
            plain = 0 < stop[at] - start <= 10 and (text[start] != c"0" or stop[at] - start == 1)
            value = 0
            while plain and start < stop[at]:
                digit = <uint32_t> text[start] - c"0"
                plain = digit <= 9
                value = value * 10 + digit
                start += 1
            if not plain or value > <uint64_t> 0xFFFFFFFF:
                plain = False
                break
            found.data.as_uints[at] = <uint32_t> value
    return found if plain else None


def grouped(const uint8_t[::1] number, const uint8_t[::1] place, const uint8_t[::1] domain):
    """Return the rows in order of number (int32, not negative), place (uint8) and domain (uint16), None if they are.

    Rows that are alike stay in the order in which they are given.
    """
    cdef Py_ssize_t count = place.shape[0], at
    cdef const int32_t* numbers_
    cdef const uint16_t* domains
    cdef bint sorted_already = True
    cdef array.array order
    cdef uint64_t* keys
    cdef uint32_t* spare
    if count < 2:
        return None
    numbers_, domains = <const int32_t*> &number[0], <const uint16_t*> &domain[0]
    with nogil:
        for at in range(1, count):
            if _key(numbers_, &place[0], domains, at - 1) > _key(numbers_, &place[0], domains, at):
                sorted_already = False
                break
    if sorted_already:
        return None
    order = array.clone(_UINT32, count, zero=False)
    spare = <uint32_t*> malloc(count * sizeof(uint32_t))
    keys = <uint64_t*> malloc(count * sizeof(uint64_t))
    if spare == NULL or keys == NULL:
        free(spare)
        free(keys)
        raise MemoryError
    with nogil:
        for at in range(count):
            keys[at] = _key(numbers_, &place[0], domains, at)
            order.data.as_uints[at] = <uint32_t> at
        _radix_sort(keys, order.data.as_uints, spare, count)
    free(keys)
    free(spare)
    return order


def run_starts(const uint8_t[::1] number, const uint8_t[::1] place, const uint8_t[::1] domain):
    """Return where each run of rows that are alike in all three columns begins, and the number of rows last."""
    cdef Py_ssize_t count = place.shape[0], at, runs = 0
    cdef const int32_t* numbers_
    cdef const uint16_t* domains
    cdef uint64_t before = 0, key
    cdef array.array starts
    cdef bint is_filling
    if not count:
        return _arrays.array("I", [0])
    numbers_, domains = <const int32_t*> &number[0], <const uint16_t*> &domain[0]
    starts = array.clone(_UINT32, 0, zero=False)
    for is_filling in (False, True):
        if is_filling:
            starts = array.clone(_UINT32, runs + 1, zero=False)
        runs = 0
        with nogil:
            for at in range(count):
                key = _key(numbers_, &place[0], domains, at)
                if at == 0 or key != before:
                    if is_filling:
                        starts.data.as_uints[runs] = <uint32_t> at
                    runs += 1
                before = key
    starts.data.as_uints[runs] = <uint32_t> count
    return starts


def taken(const uint8_t[::1] column, int item_bytes, array.array order):
    """Return the rows of a column (items of 1, 2 or 4 bytes) in that order."""
    cdef Py_ssize_t count = len(order), at
    cdef bytes found = PyBytes_FromStringAndSize(NULL, count * item_bytes)
    cdef char* into = PyBytes_AS_STRING(found)
    cdef const uint32_t* rows = order.data.as_uints
    cdef const uint8_t* items
    if not count:
        return found
    items = &column[0]
    with nogil:
        if item_bytes == 1:
            for at in range(count):
                (<uint8_t*> into)[at] = items[rows[at]]
        elif item_bytes == 2:
            for at in range(count):
                (<uint16_t*> into)[at] = (<const uint16_t*> items)[rows[at]]
        else:
            for at in range(count):
                (<uint32_t*> into)[at] = (<const uint32_t*> items)[rows[at]]
    return found


def taken_names(const uint8_t[::1] blob, const uint8_t[::1] ends, array.array order):
    """Return blob and ends of the names in that order."""
    cdef Py_ssize_t count = len(order), at
    cdef bytes new = PyBytes_FromStringAndSize(NULL, blob.shape[0])
    cdef bytes new_ends = PyBytes_FromStringAndSize(NULL, 4 * count)
    cdef char* into = PyBytes_AS_STRING(new)
    cdef uint32_t* stops = <uint32_t*> PyBytes_AS_STRING(new_ends)
    cdef const uint32_t* rows = order.data.as_uints
    cdef const uint32_t* stop
    cdef const uint8_t* text
    cdef uint32_t start, written = 0
    if not count:
        return new, new_ends
    stop = <const uint32_t*> &ends[0]
    text = &blob[0] if blob.shape[0] else NULL
    with nogil:
        for at in range(count):
            start = stop[rows[at] - 1] if rows[at] else 0
            memcpy(into + written, text + start, stop[rows[at]] - start)
            written += stop[rows[at]] - start
            stops[at] = written
    return new, new_ends


def recoded(const uint8_t[::1] codes, int item_bytes, int kept):
    """Return the codes (of 1 or 2 bytes) that occur, by first appearance, and the column with places among these.

    The code `kept` stays what it is and is not listed; -1 for none.
    """
    cdef Py_ssize_t count = codes.shape[0] // item_bytes, at
    cdef bytes new = PyBytes_FromStringAndSize(NULL, count * item_bytes)
    cdef char* into = PyBytes_AS_STRING(new)
    cdef const uint8_t* items
    cdef array.array used = array.clone(_UINT32, 0, zero=False)
    cdef int32_t* places
    cdef int32_t code, before = -2, place = 0, known = 0, size = 256 if item_bytes == 1 else 65536
    if not count:
        return used, new
    items = &codes[0]
    places = <int32_t*> malloc(size * sizeof(int32_t))
    if places == NULL:
        raise MemoryError
    places[<Py_ssize_t> 0] = -1
    if size == 256 or count > 4096:
        memset(places, 0xFF, size * sizeof(int32_t))
    else:  # a small set does not pay for a table of all codes: only the entries of its own are laid out
        for at in range(count):
            places[(<const uint16_t*> items)[at]] = -1
    for at in range(count):
        code = items[at] if item_bytes == 1 else (<const uint16_t*> items)[at]
        if code != before:
            before = code
            if code == kept:
                place = kept
            else:
                if places[code] < 0:
                    places[code] = known
                    known += 1
                    used.append(code)
                place = places[code]
        if item_bytes == 1:
            (<uint8_t*> into)[at] = <uint8_t> place
        else:
            (<uint16_t*> into)[at] = <uint16_t> place
    free(places)
    return used, new


def looked_up(const uint8_t[::1] codes, array.array table):
    """Return, for a column of uint16, the column of what stands in the table (uint16) at each place."""
    cdef Py_ssize_t count = codes.shape[0] // 2, at
    cdef bytes new = PyBytes_FromStringAndSize(NULL, codes.shape[0])
    cdef uint16_t* into = <uint16_t*> PyBytes_AS_STRING(new)
    cdef const uint16_t* words = table.data.as_ushorts
    cdef const uint16_t* items
    if not count:
        return new
    items = <const uint16_t*> &codes[0]
    with nogil:
        for at in range(count):
            into[at] = words[items[at]]
    return new


def cut_ends(const uint8_t[::1] ends, Py_ssize_t first, Py_ssize_t end):
    """Return where the names from `first` to before `end` begin, and where each ends counted from there (uint32).

    `ends` is int64: where every name of a long list ends, with a 0, or where the first begins, before them.
    """
    cdef bytes new = PyBytes_FromStringAndSize(NULL, 4 * (end - first))
    cdef uint32_t* into = <uint32_t*> PyBytes_AS_STRING(new)
    cdef const int64_t* stops = <const int64_t*> &ends[0]
    cdef Py_ssize_t at
    for at in range(first, end):
        into[at - first] = <uint32_t> (stops[at + 1] - stops[first])
    return stops[first], new


def repeated(values, counts, str typecode):
    """Return each value as often as its count says, in their order; `typecode` is `I` or `q`."""
    cdef array.array found = array.clone(_UINT32 if typecode == "I" else _INT64, sum(counts), zero=False)
    cdef Py_ssize_t at = 0, end
    cdef int64_t value
    cdef bint is_wide = typecode != "I"
    for value, count in zip(values, counts, strict=True):
        end = at + <Py_ssize_t> count
        while at < end:
            if is_wide:
                found.data.as_longlongs[at] = value
            else:
                found.data.as_uints[at] = <uint32_t> value
            at += 1
    return found


# --- comparing and sorting -------------------------------------------------------------------------------------------


cdef inline bint _is_digit(uint8_t char) noexcept nogil:
    return c"0" <= char <= c"9"


cdef int _compared(const uint8_t* text, const uint32_t* stop, uint32_t one, uint32_t other) noexcept nogil:
    """Return below, at or above 0 as the one name comes before, with, or after the other.

    Text and numbers in turn, as in `order.natural_key`; UTF-8 sorts as the characters do. Invariant: what lies before
    `at` and `to` is alike in both, but perhaps for leading zeros.
    """
    cdef uint32_t begin = stop[one - 1] if one else 0, begins = stop[other - 1] if other else 0
    cdef uint32_t at = begin, to = begins, end = stop[one], ends = stop[other], a, b, size
    cdef int found
    while True:
        a, b = at, to
        while a < end and not _is_digit(text[a]):
            a += 1
        while b < ends and not _is_digit(text[b]):
            b += 1
        found = _compared_text(text + at, a - at, text + to, b - to)
        if found:
            return found
        at, to = a, b
        if at == end or to == ends:
            break
        while a < end and a - at < RUN_MAX and _is_digit(text[a]):
            a += 1
        while b < ends and b - to < RUN_MAX and _is_digit(text[b]):
            b += 1
        while at < a and text[at] == c"0":
            at += 1
        while to < b and text[to] == c"0":
            to += 1
        if a - at != b - to:
            return -1 if a - at < b - to else 1
        size = a - at
        found = memcmp(text + at, text + to, size)
        if found:
            return found
        at, to = a, b
    if at != end or to != ends:
        return -1 if at == end else 1
    return _compared_text(text + begin, end - begin, text + begins, ends - begins)


cdef inline int _compared_text(const uint8_t* one, uint32_t size, const uint8_t* other, uint32_t sizes) noexcept nogil:
    cdef int found = memcmp(one, other, size if size < sizes else sizes) if size and sizes else 0
    if found or size == sizes:
        return found
    return -1 if size < sizes else 1


cdef void _merge_sort(
    const uint8_t* text, const uint32_t* stop, uint32_t* rows, uint32_t* spare, Py_ssize_t count
) noexcept nogil:
    """Sort the rows by their names, bottom up: runs of `width` are in order, and are merged two by two."""
    cdef Py_ssize_t width = 1, first, middle, last, a, b, into
    cdef uint32_t* home = rows
    while width < count:
        first = 0
        while first < count:
            middle = first + width if first + width < count else count
            last = middle + width if middle + width < count else count
            a, b, into = first, middle, first
            if middle == last or _compared(text, stop, rows[middle - 1], rows[middle]) <= 0:
                memcpy(spare + first, rows + first, (last - first) * sizeof(uint32_t))
            else:
                while a < middle and b < last:
                    if _compared(text, stop, rows[a], rows[b]) <= 0:
                        spare[into] = rows[a]
                        a += 1
                    else:
                        spare[into] = rows[b]
                        b += 1
                    into += 1
                memcpy(spare + into, rows + a, (middle - a) * sizeof(uint32_t))
                memcpy(spare + into + middle - a, rows + b, (last - b) * sizeof(uint32_t))
            first = last
        rows, spare = spare, rows
        width *= 2
    if rows != home:
        memcpy(home, rows, count * sizeof(uint32_t))


cdef inline uint64_t _key(
    const int32_t* number, const uint8_t* place, const uint16_t* domain, Py_ssize_t row
) noexcept nogil:
    return <uint64_t> number[row] << 24 | <uint64_t> place[row] << 16 | domain[row]


cdef void _radix_sort(const uint64_t* keys, uint32_t* rows, uint32_t* spare, Py_ssize_t count) noexcept nogil:
    """Sort the rows by their keys, byte by byte from the lowest; a byte that is the same in all keys is passed over."""
    cdef Py_ssize_t[256] first
    cdef Py_ssize_t at, sum_, size
    cdef uint64_t varying = 0
    cdef int shift
    cdef uint8_t byte
    cdef uint32_t* home = rows
    for at in range(1, count):
        varying |= keys[at] ^ keys[0]
    for shift in range(0, 64, 8):
        if not varying >> shift & 0xFF:
            continue
        memset(first, 0, sizeof(first))
        for at in range(count):
            first[keys[rows[at]] >> shift & 0xFF] += 1
        sum_ = 0
        for at in range(256):
            size = first[at]
            first[at] = sum_
            sum_ += size
        for at in range(count):
            byte = keys[rows[at]] >> shift & 0xFF
            spare[first[byte]] = rows[at]
            first[byte] += 1
        rows, spare = spare, rows
    if rows != home:
        memcpy(home, rows, count * sizeof(uint32_t))


def span(column):
    """Return the least and the greatest number of a column that is not empty."""
    cdef const uint8_t* bytes_
    cdef const uint32_t* words
    cdef const int64_t* times
    cdef Py_ssize_t at, count = len(column)
    cdef int64_t low, high
    if count and isinstance(column, bytes):
        bytes_ = <const uint8_t*>PyBytes_AS_STRING(column)
        low = high = bytes_[0]
        for at in range(count):
            low, high = min(low, bytes_[at]), max(high, bytes_[at])
        return low, high
    if count and isinstance(column, _arrays.array) and (<array.array>column).typecode == "I":
        words = (<array.array>column).data.as_uints
        low = high = words[0]
        for at in range(count):
            low, high = min(low, words[at]), max(high, words[at])
        return low, high
    if count and isinstance(column, _arrays.array) and (<array.array>column).typecode == "q":
        times = <const int64_t*>(<array.array>column).data.as_voidptr
        low = high = times[0]
        for at in range(count):
            low, high = min(low, times[at]), max(high, times[at])
        return low, high
    return min(column), max(column)
