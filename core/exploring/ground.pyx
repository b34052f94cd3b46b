# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""One state laid open in an arena, with the compiled kernel on its columns; read as a key, and written from one.

A key is a few bytes: a number for the record of each instance, bucket by bucket (one byte); how lately each upgrade
domain was begun (one byte, where a set cares); the cell that each set holds (one byte); a number for the record of
each set, each rollout, and of what the environment has left (two bytes each). What a number stands for is kept once
(`names`). Keys are exact; nothing is hashed away.

The state that is being expanded is the base. Of what an act leads to, only what differs from the base is read anew:
instances by their state and health, everything else where the arena's steady columns are not those of the base.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from phasegate.core.exploring.codes cimport ANY, CONTEXT_BYTES, PURSES, ROLLOUT_BYTES, SET_BYTES, STALE_PURSE
from phasegate.core.exploring.memo cimport NO_CONTEXT
from phasegate.core.exploring.names cimport are_words_same, copy_words
from phasegate.core.kernel cimport (
    CLOCK, CLOCK_BEGAN, CLOCK_DELAY, CLOCK_PAUSE, CLOCK_REST, CLOCK_WINDOW, DELAYED, DIAL, GONE, HEALTH_SHIFT, LINK,
    LINK_ATTEMPT, LINK_HOLD, LINK_PHASE, LINK_REGION, LINK_ROLLOUT, LINK_TARGET, PENDING, PERCENT, PLAN, RESTING,
    ROLLING, SITE, SITE_SET, STATE_BITS, SUM_BAD, SUM_FLIGHT, SUM_TOTAL, TALLY, TALLY_BAD, TALLY_FLIGHT,
    TALLY_TOO_LATE, TALLY_TOTAL, TALLY_UPGRADED_BAD, TOO_LATE, UPGRADED, VERIFYING, WAIT, WAIT_BAD, WAIT_FLIGHT,
    WAIT_PENDING, is_bad, is_in_flight, push,
)

from phasegate.core.exploring import subject as _subject
from phasegate.core.exploring.symmetry import identity, is_free, symmetries

cdef extern from *:
    """
    #if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    #error "the compiled explorer reads columns by words, lowest byte first; the plain one does without"
    #endif
    #define BYTE_OF_LOWEST(word) (__builtin_ctzll(word) >> 3)
    """
    int BYTE_OF_LOWEST(uint64_t word) noexcept nogil

cdef int64_t NOW = _subject.NOW
cdef int64_t SEEN = _subject.SEEN
cdef int64_t ENTERED = _subject.ENTERED
cdef int64_t SEEN_SINCE = _subject.SEEN_SINCE


cdef class Ground:
    """A state of a subject, laid open. `is_symmetric` says whether states that differ in names only are one."""

    cdef int lie_on(self, subject, bint is_symmetric, Lexicon lexicon, Memo memo) except -1:
        """Lay the subject's first state open; keys are written in the words of the lexicon, or one of its own."""
        self.subject = subject
        self.freedom = subject.freedom
        self.open = subject.lay_open()
        self.v = self.open.v
        self.k = self.open.kernel
        self.last_rest[REST_BYTES - 1] = ANY  # what no rest is
        self.group = symmetries(self.open) if is_symmetric else (identity(self.open),)
        self.is_symmetric = is_symmetric and is_free(self.open)
        rows = self.open.rows
        self.slots, self.buckets, self.sets = rows["instance"], rows["bucket"], rows["set"]
        self.rollouts, self.cells, self.regions = rows["rollout"], rows["cell"], rows["region"]
        if self.sets > SETS or self.rollouts > ROLLOUTS or self.buckets > SLOTS or self.cells > 254:
            raise ValueError(
                f"{self.sets} sets, {self.rollouts} rollouts, {self.buckets} buckets; "
                f"at most {SETS}, {ROLLOUTS}, {SLOTS}"
            )
        self.held = self.open.arena.block
        self.block = &self.held[0]
        self.block_bytes = self.open.arena.mutable_bytes
        self.context_at = self.open.arena.instance_bytes
        self.context_bytes = <int>(self.block_bytes - self.context_at)
        if self.context_bytes + 8 > CONTEXT_BYTES:
            self.context_bytes = 0  # too much to tell apart
        self.lexicon = Lexicon(self.freedom.has_crashes, len(subject.orders)) if lexicon is None else lexicon
        self.memo = Memo(self.context_bytes + 8) if memo is None else memo
        self.steady_at = self.open.arena.steady_begin
        self.steady_bytes = self.block_bytes - self.steady_at
        self.life_words = (self.slots + 7) >> 3  # columns begin and end with whole words
        self.base = <uint8_t*>malloc(self.block_bytes)
        if self.base == NULL:
            raise MemoryError()
        at = self.open.arena.offset
        self.base_life, self.base_status = self.base + <size_t>at["life"], self.base + <size_t>at["status"]
        self.base_mark, self.base_course = self.base + <size_t>at["mark"], self.base + <size_t>at["course"]
        self.base_trait = self.base + <size_t>at["trait"]
        self.base_link = <int32_t*>(self.base + <size_t>at["link"])
        self.base_plan = <int32_t*>(self.base + <size_t>at["plan"])
        self.base_tally = <uint32_t*>(self.base + <size_t>at["tally"])
        self.base_wait = <uint32_t*>(self.base + <size_t>at["wait"])
        self.base_sums = <int64_t*>(self.base + <size_t>at["sums"])
        self.timeout = self.k.health_timeout_ms
        self.key = <uint8_t*>self.key_words
        self._lay_out()
        self._open_group()
        budgets = self.freedom.budgets()
        for place in range(len(budgets)):
            self.beside.rest[place] = budgets[place]
        for place in range(SLOTS):
            self.base_word[place] = <uint64_t>-1
        self.open.settle_times()
        self.remember()
        return 0

    def _lay_out(self):
        cdef int bucket, slot, at = 0
        for bucket in range(self.buckets):
            self.run_first[bucket] = at
            for slot in sorted(self.k.members(bucket), key=self.open.tags.__getitem__):  # equal tags side by side
                self.lined[at] = slot
                self.place_of[slot] = at
                self.bucket_of[slot] = bucket
                self.set_of[slot] = self.k.site[bucket * SITE + SITE_SET]
                at += 1
        self.run_first[self.buckets] = at
        for slot in range(self.slots):
            self.tag[slot] = self.open.tags[slot]
            self.is_spare[slot] = slot in self.open.spares
        self.has_begun = any(self.v.option[s] & 4 for s in range(self.sets)) or any(
            self.open.work.model(s).service_fabric is not None for s in range(self.sets)
        )
        self.at_begun = self.slots
        self.at_hold = self.at_begun + (self.buckets if self.has_begun else 0)
        self.at_sets = self.at_hold + self.sets
        self.at_rollouts = self.at_sets + 2 * self.sets
        self.at_rest = self.at_rollouts + 2 * self.rollouts
        self.key_bytes = (self.at_rest + 2 + 7) // 8 * 8

    def _open_group(self):
        """Note of each symmetry from where in a key each byte of its image comes, and where cells go."""
        cdef int g, at, bucket
        cdef uint16_t* source
        self.group_size = len(self.group)
        self.group_source = <uint16_t*>malloc(self.group_size * self.key_bytes * sizeof(uint16_t))
        self.group_cell = <int*>malloc(self.group_size * self.cells * sizeof(int) + 1)
        if self.group_source == NULL or self.group_cell == NULL:
            raise MemoryError()
        for g, one in enumerate(self.group):
            source = self.group_source + g * self.key_bytes
            for at in range(self.key_bytes):
                source[at] = at
            for bucket in range(self.buckets):
                for at in range(self.run_first[bucket + 1] - self.run_first[bucket]):
                    source[self.run_first[<int>one.bucket[bucket]] + at] = self.run_first[bucket] + at
                if self.has_begun:
                    source[self.at_begun + <int>one.bucket[bucket]] = self.at_begun + bucket
            for at in range(self.sets):
                source[self.at_hold + <int>one.set[at]] = self.at_hold + at
                source[self.at_sets + 2 * <int>one.set[at]] = self.at_sets + 2 * at
                source[self.at_sets + 2 * <int>one.set[at] + 1] = self.at_sets + 2 * at + 1
            for at in range(self.cells):
                self.group_cell[g * self.cells + at] = one.cell[at]

    def __dealloc__(self):
        free(self.base)
        free(self.group_source)
        free(self.group_cell)

    # --- reading a key -----------------------------------------------------------------------------------------------

    cdef uint64_t word(self, int slot) noexcept nogil:
        """Return an instance's record in one word: eight bits each, what it has heard and its command at the top."""
        cdef uint64_t found = self.k.life[slot]
        cdef int state = self.k.life[slot] & STATE_BITS
        if state == GONE:
            return <uint64_t>GONE | <uint64_t>self.tag[slot] << 48
        found |= <uint64_t>self.k.flag[slot] << 8
        found |= <uint64_t>(self.k.version[slot] & 255) << 16
        found |= <uint64_t>(self.k.failed[slot] & 255) << 32
        found |= <uint64_t>self.beside.ghost[slot] << 40
        found |= <uint64_t>self.tag[slot] << 48
        found |= <uint64_t>self.beside.wire[slot] << 56
        if state == VERIFYING and self.beside.rest[STALE_PURSE]:
            if self.k.observed_at(slot) >= self.k.time_of_deadline(slot) - self.timeout:
                found |= <uint64_t>1 << 58
        return found

    cdef void set_bytes(self, int s, uint8_t* bytes) noexcept nogil:
        """Write a set's record, without the cell that it holds."""
        cdef int32_t* link = self.k.link + s * LINK
        memset(bytes, 0, SET_BYTES)
        bytes[0], bytes[1], bytes[2], bytes[3] = self.k.status[s], self.k.mark[s], self.k.option[s], self.k.code[s]
        memcpy(bytes + 4, self.k.percent + s * PERCENT, 3)
        bytes[7] = self.k.clock[s * CLOCK + CLOCK_WINDOW] != 0
        bytes[8] = self.k.clock[s * CLOCK + CLOCK_PAUSE] != 0
        bytes[9] = <uint8_t>(link[LINK_ROLLOUT] + 1)
        bytes[10] = <uint8_t>link[LINK_PHASE]
        bytes[11] = <uint8_t>link[LINK_ATTEMPT]
        memcpy(bytes + 12, &link[LINK_TARGET], 4)

    cdef void rollout_bytes(self, int r, uint8_t* bytes) noexcept nogil:
        """Write a rollout's record."""
        bytes[0], bytes[1] = self.k.course[r], self.k.trait[r]
        memcpy(bytes + 2, self.k.plan + r * PLAN, 32)

    cdef void compare(self, bint is_all) noexcept nogil:
        """Leave in `changed` the instances whose record may be another one than in the base, and set `is_steady`.

        A record changes with the state or the health of its instance, except where somebody else's hand is in it
        (`is_all`): an event of the scenario's own, a command on its way, or the last stale report, after which nobody
        asks any more what was heard.
        """
        cdef const uint64_t* here = <const uint64_t*>self.k.life
        cdef const uint64_t* there = <const uint64_t*>self.base_life
        cdef uint64_t differing
        cdef int slot, word, count = 0
        if is_all:
            for slot in range(self.slots):
                self.changed[slot] = <uint8_t>slot
            count = self.slots
        else:
            for word in range(self.life_words):
                differing = here[word] ^ there[word]
                while differing:
                    slot = BYTE_OF_LOWEST(differing)
                    differing &= ~(<uint64_t>255 << 8 * slot)
                    self.changed[count] = <uint8_t>(8 * word + slot)
                    count += 1
        self.changed_count = count
        self.is_steady = self.is_laid and not memcmp(
            self.block + self.steady_at, self.base + self.steady_at, self.steady_bytes
        )

    cdef bint c_read(self) except -1 nogil:
        """Leave in `key` the least image of what the arena holds, and in `risen` its rank less the base's.

        `changed` and `is_steady` say what is not as in the base. Return False where something has no number yet, and
        may not be given one.
        """
        cdef int at, number, slot
        cdef uint64_t word
        cdef int64_t rank = 0
        copy_words(self.key_words, self.base_key, self.key_bytes >> 3)
        for at in range(self.changed_count):
            slot = self.changed[at]
            word = self.word(slot)
            if word != self.base_word[slot]:
                number = self.lexicon.number_of(word)
                if number < 0:
                    return False
                self.key[self.place_of[slot]] = <uint8_t>number
                rank += self.lexicon.rank_of[number] - self.lexicon.rank_of[self.base_number[slot]]
        self.risen = rank
        if not self.is_steady or not are_words_same(
            <uint64_t*>self.beside.rest, <uint64_t*>self.base_beside.rest, REST_BYTES // 8
        ):
            if not self.read_the_rest():
                return False
        if not self.is_steady:
            memcpy(self.tail, self.key + self.at_begun, self.at_rest - self.at_begun)
        if self.is_symmetric:
            self.make_least()
        return True

    cdef bint read_the_rest(self) except -1 nogil:
        """Read sets, rollouts and what the environment has left into the key; add to its rank what they have more."""
        cdef uint8_t bytes[ROLLOUT_BYTES]
        cdef int at, number
        if self.has_begun:
            memcpy(self.key + self.at_begun, self.k.begun, self.buckets)
        for at in range(self.sets if not self.is_steady else 0):
            self.key[self.at_hold + at] = <uint8_t>(self.k.link[at * LINK + LINK_HOLD] + 1)
            self.set_bytes(at, bytes)
            number = self.lexicon.set_number(bytes)  # first: a new one may move the ranks
            if not self.say(self.at_sets + 2 * at, number, self.lexicon.sets.rank):
                return False
        for at in range(self.rollouts if not self.is_steady else 0):
            self.rollout_bytes(at, bytes)
            number = self.lexicon.rollout_number(bytes)
            if not self.say(self.at_rollouts + 2 * at, number, self.lexicon.rollouts.rank):
                return False
        if are_words_same(<uint64_t*>self.beside.rest, <uint64_t*>self.last_rest, REST_BYTES // 8):
            number = self.last_rest_number
        else:
            number = self.lexicon.rest_number(self.beside.rest)
            if number < 0:
                return False
            self.last_rest_number = number
            memcpy(self.last_rest, self.beside.rest, REST_BYTES)
        return self.say(self.at_rest, number, self.lexicon.rests.rank)

    cdef bint say(self, int at, int number, const int64_t* rank) noexcept nogil:
        """Write a number into the key, and add what its rank has more than the one before; False if there is none."""
        cdef uint16_t short
        if number < 0:
            return False
        memcpy(&short, self.key + at, 2)
        self.risen += rank[number] - rank[short]
        short = <uint16_t>number
        memcpy(self.key + at, &short, 2)
        return True

    cdef void make_least(self) noexcept nogil:
        """Sort what is interchangeable, and leave the least image under the group in `key`."""
        cdef int bucket, first, end, i, j, g, s, hold
        cdef int words = self.key_bytes >> 3
        cdef uint8_t held
        cdef uint64_t[KEY_WORDS] least_words, trial_words
        cdef uint8_t* least = <uint8_t*>least_words
        cdef uint8_t* trial = <uint8_t*>trial_words
        cdef const uint16_t* source
        for bucket in range(self.buckets):
            first, end = self.run_first[bucket], self.run_first[bucket + 1]
            for i in range(first + 1, end):
                held = self.key[i]
                j = i
                while j > first and self.key[j - 1] > held and self.tag[self.lined[j - 1]] == self.tag[self.lined[i]]:
                    self.key[j] = self.key[j - 1]
                    j -= 1
                self.key[j] = held
        if self.group_size == 1:
            return
        copy_words(<uint64_t*>least, self.key_words, words)
        for g in range(1, self.group_size):
            source = self.group_source + g * self.key_bytes
            for i in range(self.key_bytes):
                trial[i] = self.key[source[i]]
            for s in range(self.sets):
                hold = trial[self.at_hold + s]
                if hold:
                    trial[self.at_hold + s] = <uint8_t>(self.group_cell[g * self.cells + hold - 1] + 1)
            if memcmp(trial, least, self.key_bytes) < 0:
                copy_words(<uint64_t*>least, <uint64_t*>trial, words)
        copy_words(self.key_words, <uint64_t*>least, words)

    cdef int64_t rank_of_key(self, const uint8_t* key) noexcept nogil:
        cdef int64_t rank = self.rank_of_tail(key)
        cdef uint16_t short
        cdef int at
        for at in range(self.slots):
            rank += self.lexicon.rank_of[key[at]]
        memcpy(&short, key + self.at_rest, 2)
        return rank + self.lexicon.rests.rank[short]

    cdef int64_t rank_of_tail(self, const uint8_t* key) noexcept nogil:
        """Return the part of a key's rank that sets and rollouts have."""
        cdef int64_t rank = 0
        cdef uint16_t short
        cdef int at
        for at in range(self.sets):
            memcpy(&short, key + self.at_sets + 2 * at, 2)
            rank += self.lexicon.sets.rank[short]
        for at in range(self.rollouts):
            memcpy(&short, key + self.at_rollouts + 2 * at, 2)
            rank += self.lexicon.rollouts.rank[short]
        return rank

    cdef int c_context(self) noexcept nogil:
        """Return the number of what the arena holds beside instances; `NO_CONTEXT` if it has none.

        That is all that the kernel and the judge go by when something happens to a single instance, with its record:
        the columns of no single instance, the book, and whether anybody asks what was heard.
        """
        cdef uint8_t bytes[CONTEXT_BYTES]
        if not self.context_bytes:
            return NO_CONTEXT
        memcpy(bytes, self.block + self.context_at, self.context_bytes)
        memset(bytes + self.context_bytes, 0, 8)
        bytes[self.context_bytes] = self.beside.rest[PURSES + 2]
        bytes[self.context_bytes + 1] = self.beside.rest[STALE_PURSE] != 0
        return self.memo.context(bytes)

    # --- writing one -------------------------------------------------------------------------------------------------

    cdef int c_write(self, const uint8_t* key) except -1 nogil:
        """Lay a key open in the arena, count what follows from it, and take it as the base.

        Where the arena holds the base already (`is_laid`), only what differs from it is written and counted anew.
        """
        cdef const uint8_t* before = <const uint8_t*>self.base_key
        cdef int at, s, slot, hold
        cdef uint16_t short, was
        if not self.is_laid:
            self.clear()
        for at in range(self.slots):
            if self.is_laid and key[at] == before[at]:
                continue
            slot = self.lined[at]
            if self.is_laid:
                self.count(slot, -1)
            self.write_instance(slot, key[at])
            self.count(slot, 1)
        for s in range(self.sets):
            memcpy(&short, key + self.at_sets + 2 * s, 2)
            hold = <int>key[self.at_hold + s] - 1
            if self.is_laid:
                memcpy(&was, before + self.at_sets + 2 * s, 2)
                if short == was and hold == self.k.link[s * LINK + LINK_HOLD]:
                    continue
                self.count_set(s, -1)
            self.write_set(s, hold, self.lexicon.sets.bytes + <size_t>short * SET_BYTES)
            self.count_set(s, 1)
        for at in range(self.rollouts):
            memcpy(&short, key + self.at_rollouts + 2 * at, 2)
            memcpy(&was, before + self.at_rollouts + 2 * at, 2)
            if not self.is_laid or short != was:
                self.write_rollout(at, self.lexicon.rollouts.bytes + <size_t>short * ROLLOUT_BYTES)
        if self.has_begun:
            memcpy(self.k.begun, key + self.at_begun, self.buckets)
        memcpy(&short, key + self.at_rest, 2)
        memcpy(self.beside.rest, self.lexicon.rests.bytes + <size_t>short * REST_BYTES, REST_BYTES)
        if self.k.group_count:
            self.count_groups()
        memcpy(self.base_key, key, self.key_bytes)
        self.remember()
        self.changed_count = 0
        self.is_laid = True
        return self.renew()

    cdef void clear(self) noexcept nogil:
        """Count nothing and nobody."""
        memset(self.k.tally, 0, self.sets * TALLY * sizeof(uint32_t))
        memset(self.k.wait, 0, self.buckets * WAIT * sizeof(uint32_t))
        memset(self.k.holds, 0, self.cells * sizeof(uint32_t))
        memset(self.k.working, 0, self.regions * sizeof(uint32_t))
        memset(self.k.sums, 0, 4 * sizeof(int64_t))

    cdef void write_instance(self, int slot, int number) noexcept nogil:
        cdef uint64_t word = self.lexicon.word_of[number]
        cdef int state = <int>(word & STATE_BITS)
        self.base_number[slot] = <uint8_t>number
        self.base_word[slot] = word
        self.k.life[slot] = <uint8_t>word
        self.k.flag[slot] = <uint8_t>(word >> 8)
        self.k.version[slot] = word >> 16 & 255
        self.k.failed[slot] = word >> 32 & 255
        self.beside.ghost[slot] = word >> 40 & 255
        self.beside.wire[slot] = word >> 56 & 3
        self.k.observe(slot, SEEN_SINCE if word >> 58 & 1 else SEEN)
        if state == VERIFYING:
            self.k.deadline[slot] = <uint32_t>(ENTERED + self.timeout)
        else:
            self.k.deadline[slot] = <uint32_t>(NOW + 1) if is_in_flight(state) else 0

    cdef void count(self, int slot, int by) noexcept nogil:
        """Count an instance as it stands (1), or no more (-1)."""
        cdef int state = self.k.life[slot] & STATE_BITS
        cdef int bad = by if is_bad(self.k.life[slot] >> HEALTH_SHIFT) else 0
        cdef uint32_t* tally = self.k.tally + self.set_of[slot] * TALLY
        cdef uint32_t* wait = self.k.wait + self.bucket_of[slot] * WAIT
        cdef int64_t* sums = self.k.sums
        if state == GONE:
            return
        tally[state] += by
        tally[TALLY_TOTAL] += by
        tally[TALLY_BAD] += bad
        sums[SUM_TOTAL] += by
        sums[SUM_BAD] += bad
        if state == PENDING:
            wait[WAIT_PENDING] += by
            wait[WAIT_BAD] += bad
            if self.k.flag[slot] & TOO_LATE:
                tally[TALLY_TOO_LATE] += by
        elif state == UPGRADED:
            tally[TALLY_UPGRADED_BAD] += bad
        elif is_in_flight(state):
            tally[TALLY_FLIGHT] += by
            wait[WAIT_FLIGHT] += by
            sums[SUM_FLIGHT] += by

    cdef void write_set(self, int s, int hold, const uint8_t* bytes) noexcept nogil:
        cdef int32_t* link = self.k.link + s * LINK
        cdef int64_t* clock = self.k.clock + s * CLOCK
        self.k.status[s], self.k.mark[s], self.k.option[s], self.k.code[s] = bytes[0], bytes[1], bytes[2], bytes[3]
        memcpy(self.k.percent + s * PERCENT, bytes + 4, 3)
        clock[CLOCK_BEGAN] = 0
        clock[CLOCK_DELAY] = 1 if bytes[1] & DELAYED else 0
        clock[CLOCK_REST] = 1 if bytes[1] & RESTING else 0
        clock[CLOCK_WINDOW] = bytes[7]
        clock[CLOCK_PAUSE] = bytes[8]
        link[LINK_ROLLOUT] = <int>bytes[9] - 1
        link[LINK_PHASE] = bytes[10]
        link[LINK_ATTEMPT] = bytes[11]
        memcpy(&link[LINK_TARGET], bytes + 12, 4)
        link[LINK_HOLD] = hold

    cdef void count_set(self, int s, int by) noexcept nogil:
        """Count a set's hold and work as they stand (1), or no more (-1)."""
        cdef uint32_t* holds = self.k.holds
        cdef uint32_t* working = self.k.working
        cdef int hold = self.k.link[s * LINK + LINK_HOLD]
        if hold >= 0:
            holds[hold] += by
        if self.k.status[s] == ROLLING:
            working[self.k.link[s * LINK + LINK_REGION]] += by

    cdef void write_rollout(self, int r, const uint8_t* bytes) noexcept nogil:
        self.k.course[r], self.k.trait[r] = bytes[0], bytes[1]
        memcpy(self.k.plan + r * PLAN, bytes + 2, 32)
        memset(self.k.dial + r * DIAL, 0, DIAL * sizeof(int64_t))

    cdef void count_groups(self) noexcept nogil:
        """Count anew what the groups have in use."""
        cdef int s, cell
        memset(self.k.used, 0, self.k.group_count * sizeof(uint32_t))
        for s in range(self.sets):
            self.use_all(self.k.set_instance_groups, s, self.k.tally[s * TALLY + TALLY_FLIGHT])
            if self.k.status[s] == ROLLING:
                self.use_all(self.k.set_work_groups, s, 1)
        for cell in range(self.cells):
            if self.k.holds[cell]:
                self.use_all(self.k.cell_groups, cell, 1)

    cdef void use_all(self, Ragged lists, int at, uint32_t by) noexcept nogil:
        cdef uint32_t i
        for i in range(lists.first[at], lists.first[at + 1]):
            self.k.used[lists.items[i]] = self.k.used[lists.items[i]] + by

    # --- the base ----------------------------------------------------------------------------------------------------

    cdef void remember(self) noexcept nogil:
        """Take what is laid open now as the base."""
        memcpy(self.base, self.block, self.block_bytes)
        self.base_beside = self.beside

    cdef int put_back(self) except -1 nogil:
        """Lay the base open again."""
        self.beside = self.base_beside
        if self.is_steady:
            memcpy(self.block, self.base, self.steady_at)
            return self.heat()
        memcpy(self.block, self.base, self.block_bytes)
        return self.renew()

    cdef int renew(self) except -1 nogil:
        """Make anew what the kernel remembers beside the columns: which cells are busy; every set is hot."""
        cdef int cell, s
        memset(self.k.busy, 0, self.k.cell_words * sizeof(uint64_t))
        for s in range(self.sets):
            cell = self.k.link[s * LINK + LINK_HOLD]
            if cell >= 0:
                self.k.busy[cell >> 6] = self.k.busy[cell >> 6] | ((<uint64_t>1) << (cell & 63))
        return self.heat()

    cdef int heat(self) except -1 nogil:
        """Let every set be hot."""
        cdef int s
        for s in range(self.sets):
            if not self.k.hot[s]:
                self.k.hot[s] = 1
                push(&self.k.hot_sets, s)
        return 0
