# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False
"""The functions of `core.hashing`, compiled: `plain` function by function, in the same order.

BLAKE2b as RFC 7693 has it, with a digest of 16 bytes and a salt: a page is a few blocks, and the call into `hashlib`
takes several times as long as the hash. Sums are of two 64-bit halves, which wrap around as they should.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint64_t

IS_COMPILED = True

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static const uint64_t phasegate_iv[8] = {
        0x6A09E667F3BCC908u, 0xBB67AE8584CAA73Bu, 0x3C6EF372FE94F82Bu, 0xA54FF53A5F1D36F1u,
        0x510E527FADE682D1u, 0x9B05688C2B3E6C1Fu, 0x1F83D9ABFB41BD6Bu, 0x5BE0CD19137E2179u};
    static const uint8_t phasegate_sigma[12][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
        {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
        {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
        {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
        {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
        {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
        {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
        {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
        {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

    static uint64_t phasegate_word(const uint8_t *at) {  /* whatever the machine's own order of bytes */
        return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24
            | (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
    }

    #define PHASEGATE_TURNED(x, by) ((x) >> (by) | (x) << (64 - (by)))
    #define PHASEGATE_MIX(a, b, c, d, x, y) do { \\
        v[a] += v[b] + (x); v[d] = PHASEGATE_TURNED(v[d] ^ v[a], 32); \\
        v[c] += v[d];       v[b] = PHASEGATE_TURNED(v[b] ^ v[c], 24); \\
        v[a] += v[b] + (y); v[d] = PHASEGATE_TURNED(v[d] ^ v[a], 16); \\
        v[c] += v[d];       v[b] = PHASEGATE_TURNED(v[b] ^ v[c], 63); } while (0)

    static void phasegate_compress(uint64_t h[8], const uint8_t *block, uint64_t total, int is_last) {
        uint64_t v[16], m[16];
        int i, round;
        for (i = 0; i < 16; i++) m[i] = phasegate_word(block + 8 * i);
        for (i = 0; i < 8; i++) { v[i] = h[i]; v[i + 8] = phasegate_iv[i]; }
        v[12] ^= total;
        if (is_last) v[14] = ~v[14];
        for (round = 0; round < 12; round++) {
            const uint8_t *s = phasegate_sigma[round];
            PHASEGATE_MIX(0, 4, 8, 12, m[s[0]], m[s[1]]);
            PHASEGATE_MIX(1, 5, 9, 13, m[s[2]], m[s[3]]);
            PHASEGATE_MIX(2, 6, 10, 14, m[s[4]], m[s[5]]);
            PHASEGATE_MIX(3, 7, 11, 15, m[s[6]], m[s[7]]);
            PHASEGATE_MIX(0, 5, 10, 15, m[s[8]], m[s[9]]);
            PHASEGATE_MIX(1, 6, 11, 12, m[s[10]], m[s[11]]);
            PHASEGATE_MIX(2, 7, 8, 13, m[s[12]], m[s[13]]);
            PHASEGATE_MIX(3, 4, 9, 14, m[s[14]], m[s[15]]);
        }
        for (i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
    }

    /* The first 16 bytes of the digest as two words, most significant byte first as `hashlib` writes them. */
    static void phasegate_blake2b(const uint8_t *data, uint64_t size, uint64_t place, uint64_t digest[2]) {
        uint64_t h[8], at = 0;
        uint8_t block[128];
        int i, half;
        for (i = 0; i < 8; i++) h[i] = phasegate_iv[i];
        h[0] ^= 0x01010000u ^ 16u;  /* depth 1, fanout 1, no key, 16 bytes of digest */
        for (i = 0; i < 8; i++) block[i] = (uint8_t)(place >> (56 - 8 * i));
        h[4] ^= phasegate_word(block);  /* the salt: the place, and 8 bytes of zeros */
        for (; size - at > 128; at += 128) phasegate_compress(h, data + at, at + 128, 0);
        memset(block, 0, sizeof block);
        memcpy(block, data + at, size - at);
        phasegate_compress(h, block, size, 1);
        for (half = 0; half < 2; half++) {
            digest[half] = 0;
            for (i = 0; i < 8; i++) digest[half] = digest[half] << 8 | (h[half] >> (8 * i) & 255u);
        }
    }
    """
    void blake2b "phasegate_blake2b"(
        const uint8_t* data, uint64_t size, uint64_t place, uint64_t* digest
    ) noexcept nogil


cdef inline void hash_of(uint64_t column, uint64_t number, bytes page, uint64_t* digest) noexcept:
    blake2b(
        <const uint8_t*> PyBytes_AS_STRING(page), <uint64_t> PyBytes_GET_SIZE(page), column << 48 | number, digest
    )


cdef bytes written(const uint64_t* digest):
    """Return two words as 16 bytes, the most significant one first."""
    cdef bytes made = PyBytes_FromStringAndSize(NULL, 16)
    cdef uint8_t* into = <uint8_t*> PyBytes_AS_STRING(made)
    cdef int i
    for i in range(16):
        into[i] = <uint8_t> (digest[i >> 3] >> (56 - 8 * (i & 7)))
    return made


cdef inline void read(bytes known, uint64_t* digest) noexcept:
    cdef const uint8_t* at = <const uint8_t*> PyBytes_AS_STRING(known)
    cdef int i
    digest[0] = digest[1] = 0
    for i in range(16):
        digest[i >> 3] = digest[i >> 3] << 8 | at[i]


cdef inline void add(uint64_t* total, const uint64_t* digest) noexcept nogil:
    total[1] += digest[1]
    total[0] += digest[0] + (total[1] < digest[1])


cdef inline void subtract(uint64_t* total, const uint64_t* digest) noexcept nogil:
    cdef bint borrows = total[1] < digest[1]
    total[1] -= digest[1]
    total[0] -= digest[0] + borrows


def page_hash(uint64_t column, uint64_t number, bytes page):
    """Return the hash of a page at its place: of its column and its number in it, so that growing moves nobody."""
    cdef uint64_t[2] digest
    hash_of(column, number, page, digest)
    return written(digest)


def sum_of(columns):
    """Return the sum of the hashes of all pages, modulo 2**128."""
    cdef uint64_t[2] total, digest
    cdef uint64_t at, number
    cdef bytes page
    total[0] = total[1] = 0
    for at, column in enumerate(columns):
        number = 0
        for page in column.pages:
            hash_of(at, number, page, digest)
            add(total, digest)
            number += 1
    return int(total[0]) << 64 | total[1]


def changed_by(first, base, dict latest, array.array numbers, list pages, Py_ssize_t begin, Py_ssize_t end):
    """Return by how much the entries from `begin` to before `end` of a log change the sum, modulo 2**128.

    Pages are numbered through all columns, column `at` begins with page `first[at]`; `base` is what the log began with.
    `latest` has the hashes of the pages that were changed before, and takes up the new ones.
    """
    cdef uint64_t[2] total, before, now
    cdef array.array starts = array.array("Q", first)
    cdef const uint64_t* start = <const uint64_t*> starts.data.as_ulonglongs
    cdef list columns = [column.pages for column in base]
    cdef Py_ssize_t entry, at
    cdef uint64_t number
    total[0] = total[1] = 0
    for entry in range(begin, end):
        number = numbers.data.as_uints[entry]
        at = 0
        while start[at + 1] <= number:
            at += 1
        name = numbers.data.as_uints[entry]
        known = latest.get(name)
        if known is None:
            hash_of(at, number - start[at], (<tuple> columns[at])[<Py_ssize_t> (number - start[at])], before)
        else:
            read(known, before)
        hash_of(at, number - start[at], pages[entry], now)
        latest[name] = written(now)
        add(total, now)
        subtract(total, before)
    return int(total[0]) << 64 | total[1]
