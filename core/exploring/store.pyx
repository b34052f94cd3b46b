# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""All keys that were found: one after the other in blocks, in the order in which they were found, with their parents.

The table that finds them holds, in open addressing, their numbers and the upper 32 bits of their hashes, of which the
first say where they stand (8 bytes a place, at most half full), or in `is_compact` mode their numbers alone (4 bytes a
place, at most nine tenths full). Keys wait in `Finds` before they are entered, so that the memory can bring what they
will be compared with.
"""

cimport cython
from libc.stdlib cimport calloc, free, malloc, realloc

from phasegate.core.exploring.atomics cimport add_64, is_put, see_64, touch
from phasegate.core.exploring.codes cimport BLOCK
from phasegate.core.exploring.memo cimport UNTOLD
from phasegate.core.exploring.names cimport are_words_same, copy_words, key_hash
from phasegate.core.prefetch cimport prefetch

cdef enum:
    PAGE_WORDS = 512
    AHEAD = 16  # how many keys before its turn the memory is asked for what one is compared with

cdef int64_t STATES_MAX = 2**32 - 16  # numbers of states are 32 bits wide


cdef void forget_finds(Finds* finds) noexcept nogil:
    free(finds.rows)


cdef inline bint is_put_first(uint64_t* place, uint64_t entry, bint is_shared) noexcept nogil:
    """Put an entry in a place unless there is one; return whether it stands there now."""
    cdef uint64_t nothing = 0
    if is_shared:
        return not see_64(place) and is_put(place, &nothing, entry)
    if place[0]:
        return False
    place[0] = entry
    return True


cdef inline uint64_t place_in(
    const uint64_t* table, uint64_t mask, int shift, uint8_t** blocks, int words, const uint64_t* key, uint64_t hash,
    bint* is_known,
) noexcept nogil:
    """Return where in a table of numbers and hashes a key stands, or would."""
    cdef uint64_t at = hash >> shift
    cdef uint64_t entry = table[at]
    cdef uint32_t number
    while entry:
        if not (entry ^ hash) >> 32:
            number = <uint32_t>entry - 1
            if are_words_same(<uint64_t*>blocks[number // BLOCK] + <size_t>(number % BLOCK) * words, key, words):
                is_known[0] = True
                return at
        at = (at + 1) & mask
        entry = table[at]
    is_known[0] = False
    return at


@cython.final
cdef class Store:
    """The keys of one search. `memory_max` bounds the bytes of keys, parents and table."""

    def __cinit__(self, int key_bytes, int64_t memory_max, bint is_compact):
        self.key_bytes, self.memory_max, self.is_compact = key_bytes, memory_max, is_compact
        self.key_words = key_bytes >> 3
        self.find_words = FIND_KEY + self.key_words
        self.fullest = 90 if is_compact else 50
        self.table_size, self.shift = 1 << 12, 64 - 12
        if is_compact:
            self.compact = <uint32_t*>calloc(self.table_size, sizeof(uint32_t))
        else:
            self.table = <uint64_t*>calloc(self.table_size, sizeof(uint64_t))
        if self.table == NULL and self.compact == NULL:
            raise MemoryError()

    def __dealloc__(self):
        cdef Py_ssize_t at
        for at in range(self.block_count):
            free(self.blocks[at])
            free(self.parents[at])
            free(self.contexts[at])
        free(self.blocks)
        free(self.parents)
        free(self.contexts)
        free(self.spare)
        free(self.table)
        free(self.compact)

    cdef inline uint8_t* key_at(self, int64_t number) noexcept nogil:
        return self.blocks[<uint64_t>number // BLOCK] + <size_t>(<uint64_t>number % BLOCK) * self.key_bytes

    cdef int64_t bytes_used(self) noexcept nogil:
        cdef int64_t a_slot = 4 if self.is_compact else 8
        cdef int64_t keys = <int64_t>self.block_count * BLOCK * (self.key_bytes + 4)
        return keys + <int64_t>(self.block_count - self.forgotten) * BLOCK * 4 + <int64_t>self.table_size * a_slot

    cdef uint32_t context_at(self, int64_t number) noexcept nogil:
        """Return the context that a state was found in, `UNTOLD` if nobody said."""
        cdef uint32_t* contexts = self.contexts[<uint64_t>number // BLOCK]
        return UNTOLD if contexts == NULL else contexts[<uint64_t>number % BLOCK]

    cdef void forget_contexts(self, int64_t number) noexcept nogil:
        """Forget the contexts of whole blocks of states before this one: they are expanded.

        One block's memory is kept for the next: what the system has brought once is there.
        """
        while <int64_t>(self.forgotten + 1) * BLOCK <= number:
            free(self.spare)
            self.spare = self.contexts[self.forgotten]
            self.contexts[self.forgotten] = NULL
            self.forgotten += 1

    # --- those that wait ---------------------------------------------------------------------------------------------

    cdef uint64_t* more_finds(self, Finds* finds, Py_ssize_t more) except NULL nogil:
        """Make room for so many finds; return where the next one goes."""
        cdef uint64_t* rows
        if finds.size + more > finds.room:
            rows = <uint64_t*>realloc(finds.rows, (2 * finds.room + more + 256) * self.find_words * sizeof(uint64_t))
            if rows == NULL:
                with gil:
                    raise MemoryError()
            finds.rows = rows
            finds.room = 2 * finds.room + more + 256
        return finds.rows + finds.size * self.find_words

    cdef void look_ahead(self, uint64_t hash) noexcept nogil:
        """Ask the memory for the key that one with this hash will be compared with."""
        cdef uint64_t at = hash >> self.shift
        cdef uint64_t entry
        cdef uint8_t* key
        if self.is_compact:
            entry = self.compact[at]
        else:
            entry = self.table[at]
            if (entry ^ hash) >> 32:
                return
            entry = <uint32_t>entry
        if entry and <int64_t>entry <= self.states:
            key = self.key_at(<int64_t>entry - 1)
            prefetch(key)
            prefetch(key + self.key_bytes - 1)

    cdef bint take(self, Finds* finds) noexcept nogil:
        """Enter those that are new, in order, and leave none; return False where there is no room for one."""
        cdef uint64_t* row = finds.rows
        cdef uint64_t* last = finds.rows + finds.size * self.find_words
        finds.size = 0
        while row < last:
            if row + 2 * AHEAD * self.find_words < last and not self.is_compact:
                prefetch(self.table + (row[2 * AHEAD * self.find_words] >> self.shift))
            if row + AHEAD * self.find_words < last:
                self.look_ahead(row[AHEAD * self.find_words])
            if self.enter(row + FIND_KEY, row[FIND_HASH], row[FIND_FROM]) == 2:
                return False
            row += self.find_words
        return True

    # --- the table ---------------------------------------------------------------------------------------------------

    cdef uint64_t place_of(self, const uint64_t* key, uint64_t hash, bint* is_known) noexcept nogil:
        """Return where in the table a key stands, or would."""
        if self.is_compact:
            return self.place_in_compact(key, hash, is_known)
        return place_in(
            self.table, self.table_size - 1, self.shift, self.blocks, self.key_words, key, hash, is_known
        )

    cdef uint64_t place_in_compact(self, const uint64_t* key, uint64_t hash, bint* is_known) noexcept nogil:
        cdef uint64_t mask = self.table_size - 1
        cdef uint64_t at = hash >> self.shift
        is_known[0] = True
        while self.compact[at]:
            if are_words_same(<uint64_t*>self.key_at(<int64_t>self.compact[at] - 1), key, self.key_words):
                return at
            at = (at + 1) & mask
        is_known[0] = False
        return at

    cdef int enter(self, const uint64_t* key, uint64_t hash, uint64_t found_from) noexcept nogil:
        """Enter a key unless it is there: return 1 if it was new, 0 if not, 2 if there is no room for it.

        `found_from` is the number of its parent, and its context in the upper half.
        """
        cdef bint is_known
        cdef uint64_t at = self.place_of(key, hash, &is_known)
        if is_known:
            return 0
        if self.states == <int64_t>self.block_count * BLOCK and not self.has_another_block():
            return 2
        if self.states * 100 >= <int64_t>self.table_size * self.fullest:
            if not self.has_larger_table():
                return 2
            at = self.place_of(key, hash, &is_known)
        self.put(self.states, key, found_from)
        self.states += 1
        if self.is_compact:
            self.compact[at] = <uint32_t>self.states
        else:
            self.table[at] = hash >> 32 << 32 | <uint64_t>self.states
        return 1

    cdef inline void put(self, int64_t number, const uint64_t* key, uint64_t found_from) noexcept nogil:
        """Write down a key under its number."""
        copy_words(<uint64_t*>self.key_at(number), key, self.key_words)
        self.parents[<uint64_t>number // BLOCK][<uint64_t>number % BLOCK] = <uint32_t>found_from
        self.contexts[<uint64_t>number // BLOCK][<uint64_t>number % BLOCK] = <uint32_t>(found_from >> 32)

    # --- entering on several threads ---------------------------------------------------------------------------------
    #
    # What was found on several threads, part after part, is entered in two steps, each taken by all threads at once.
    # First each claims places in the table for what is new in its part, under the numbers that the finds would have if
    # all of them were new; of two that are the same the one with the lower number gets the place, whoever comes first.
    # Now it is known how many are new in each part, and so the number of its first one. Then each settles its part:
    # writes keys down, and their numbers into the table.

    cdef bint is_too_small(self, int64_t more) noexcept nogil:
        """Whether the table is too small for so many keys more."""
        return (self.states + more) * 100 >= <int64_t>self.table_size * self.fullest

    cdef bint has_blocks_for(self, int64_t more) noexcept nogil:
        """Have blocks for so many keys more, as far as the bound allows; return whether there are, and numbers too."""
        if self.states + more >= STATES_MAX:
            return False
        while self.states + more > <int64_t>self.block_count * BLOCK:
            if not self.has_another_block():
                return False
        return True

    cdef Finds* part_of(self, Finds** parts, int64_t* number) noexcept nogil:
        """Return the part that holds the find which would have this number; leave in `number` which one of it."""
        number[0] -= self.states
        while number[0] >= parts[0].size:
            number[0] -= parts[0].size
            parts += 1
        return parts[0]

    cdef const uint64_t* claimed_key(self, Finds** parts, int64_t number) noexcept nogil:
        """Return the key of the find that would have this number."""
        cdef Finds* part = self.part_of(parts, &number)
        return part.rows + number * self.find_words + FIND_KEY

    cdef void claim(self, Finds** parts, int part) noexcept nogil:
        """Claim a place for each find of a part that is new; the others are at theirs meanwhile."""
        cdef uint64_t* table = self.table
        cdef uint64_t mask = self.table_size - 1
        cdef int shift = self.shift
        cdef int words = self.key_words
        cdef int ahead = AHEAD * self.find_words
        cdef uint64_t states = <uint64_t>self.states
        cdef uint64_t number = <uint64_t>self.first_number(parts, part)
        cdef uint64_t* row = parts[part].rows
        cdef uint64_t* last = row + parts[part].size * self.find_words
        cdef int64_t loser, fresh = 0
        cdef uint64_t hash, mine, at, entry, known
        cdef const uint64_t* key
        while row < last:
            if row + 2 * ahead < last:
                prefetch(table + (row[2 * ahead] >> shift))
            if row + ahead < last:
                self.look_ahead(row[ahead])
            hash = row[FIND_HASH]
            row[FIND_HASH] = hash & ~<uint64_t>SEAT  # known before
            number += 1
            mine = hash >> 32 << 32 | number
            at = hash >> shift
            entry = see_64(table + at)
            while True:
                if not entry:
                    if is_put(table + at, &entry, mine):
                        fresh += 1
                        row[FIND_HASH] |= (at - (hash >> shift) & mask) + 1
                        break
                    continue  # somebody was faster: `entry` is what stands there now
                if not (entry ^ mine) >> 32:
                    known = <uint32_t>entry - 1
                    if known < states:
                        key = <const uint64_t*>self.key_at(<int64_t>known)
                    else:
                        key = self.claimed_key(parts, <int64_t>known)
                    if are_words_same(key, row + FIND_KEY, words):
                        if known < number:
                            break
                        if is_put(table + at, &entry, mine):
                            loser = <int64_t>known
                            add_64(&self.part_of(parts, &loser).fresh, -1)
                            fresh += 1
                            row[FIND_HASH] |= (at - (hash >> shift) & mask) + 1
                            break
                        continue
                at = (at + 1) & mask
                entry = see_64(table + at)
            row += self.find_words
        add_64(&parts[part].fresh, fresh)

    cdef int64_t first_number(self, Finds** parts, int part) noexcept nogil:
        """Return the number that the first find of a part would have."""
        cdef int64_t number = self.states
        cdef int at
        for at in range(part):
            number += parts[at].size
        return number

    cdef void settle(self, Finds** parts, int part, int64_t number) noexcept nogil:
        """Write down those of a part that are new under the numbers from this one on, in order."""
        cdef const uint64_t* row = parts[part].rows
        cdef const uint64_t* last = row + parts[part].size * self.find_words
        cdef const uint64_t* ahead
        cdef int64_t claimed = self.first_number(parts, part)
        cdef uint64_t seat
        cdef uint64_t* place
        while row < last:
            ahead = row + AHEAD * self.find_words
            if ahead < last and ahead[FIND_HASH] & SEAT:
                prefetch(self.table + (ahead[FIND_HASH] >> self.shift))
            claimed += 1
            seat = row[FIND_HASH] & SEAT
            if seat:
                place = self.table + ((row[FIND_HASH] >> self.shift) + seat - 1 & self.table_size - 1)
                if <uint32_t>place[0] == <uint32_t>claimed:  # nobody has taken it
                    self.put(number, row + FIND_KEY, row[FIND_FROM])
                    number += 1
                    place[0] = row[FIND_HASH] >> 32 << 32 | <uint64_t>number
            row += self.find_words

    # --- room --------------------------------------------------------------------------------------------------------

    cdef bint has_another_block(self) noexcept nogil:
        cdef uint8_t** blocks
        cdef uint32_t** parents
        cdef uint32_t** contexts
        # the first block is there whatever the bound: there is a state to say something of
        if self.block_count and self.bytes_used() + self.beside + BLOCK * (self.key_bytes + 8) > self.memory_max:
            return False
        if self.states >= STATES_MAX:
            return False
        blocks = <uint8_t**>realloc(self.blocks, (self.block_count + 1) * sizeof(uint8_t*))
        if blocks != NULL:
            self.blocks = blocks
        parents = <uint32_t**>realloc(self.parents, (self.block_count + 1) * sizeof(uint32_t*))
        if parents != NULL:
            self.parents = parents
        contexts = <uint32_t**>realloc(self.contexts, (self.block_count + 1) * sizeof(uint32_t*))
        if contexts != NULL:
            self.contexts = contexts
        if blocks == NULL or parents == NULL or contexts == NULL:
            return False
        blocks[self.block_count] = <uint8_t*>malloc(<size_t>BLOCK * self.key_bytes)
        parents[self.block_count] = <uint32_t*>malloc(BLOCK * sizeof(uint32_t))
        contexts[self.block_count] = self.spare if self.spare != NULL else <uint32_t*>malloc(BLOCK * sizeof(uint32_t))
        self.spare = NULL
        if blocks[self.block_count] == NULL or parents[self.block_count] == NULL or contexts[self.block_count] == NULL:
            free(blocks[self.block_count])
            free(parents[self.block_count])
            free(contexts[self.block_count])
            return False
        self.block_count += 1
        return True

    cdef bint has_larger_table(self) noexcept nogil:
        """Make the table twice as large, as far as the bound allows; return whether it is."""
        if not self.begins_growth():
            return False
        self.spread(0, 1)
        self.end_growth()
        return True

    cdef bint begins_growth(self) noexcept nogil:
        """Set out to make the table twice as large, as far as the bound allows; return whether it will be."""
        cdef int64_t a_slot = 4 if self.is_compact else 8
        if self.shift == 32 and not self.is_compact:
            return False  # entries say no more than 32 bits of where they stand
        if self.bytes_used() + self.beside + 2 * <int64_t>self.table_size * a_slot > self.memory_max:
            return False
        if self.is_compact:
            self.larger_compact = <uint32_t*>calloc(2 * self.table_size, 4)
            return self.larger_compact != NULL
        self.larger = <uint64_t*>calloc(2 * self.table_size, 8)
        return self.larger != NULL

    cdef void spread(self, int share, int shares) noexcept nogil:
        """Enter a share of the table in the larger one; the others are at theirs meanwhile (but in compact mode)."""
        cdef uint64_t begin = self.table_size * <uint64_t>share // <uint64_t>shares
        cdef uint64_t end = self.table_size * <uint64_t>(share + 1) // <uint64_t>shares
        cdef uint64_t mask = 2 * self.table_size - 1
        cdef uint64_t old, at, entry
        cdef int64_t number
        cdef int shift = self.shift - 1
        if self.is_compact:
            for number in range(self.states):
                at = key_hash(<uint64_t*>self.key_at(number), self.key_words) >> shift
                while self.larger_compact[at]:
                    at = (at + 1) & mask
                self.larger_compact[at] = <uint32_t>(number + 1)
            return
        at = 2 * begin
        while at < 2 * end:  # a page that is read first, and written then, is brought twice
            touch(self.larger + at)
            at += PAGE_WORDS
        for old in range(begin, end):  # places follow from the upper halves of the hashes: old order is new order
            entry = self.table[old]
            if entry:
                at = entry >> shift
                while not is_put_first(self.larger + at, entry, shares > 1):
                    at = (at + 1) & mask

    cdef void end_growth(self) noexcept nogil:
        """Let the larger table take the place of the other."""
        free(self.table)
        free(self.compact)
        self.table, self.compact = self.larger, self.larger_compact
        self.larger, self.larger_compact = NULL, NULL
        self.table_size, self.shift = 2 * self.table_size, self.shift - 1
