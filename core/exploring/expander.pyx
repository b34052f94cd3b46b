# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What each act in a state leads to, and whether that is as promised: `twin.py`, compiled.

One state is expanded by laying its key open in the arena and, for each act, letting it happen through the kernel,
reading the key, judging, and putting the arena back. What an act on a single instance led to is kept (`memo`), and
where all that may happen is kept, the state need not be laid open at all. Keys that were found wait in `finds` until
they are entered in the store.

The GIL is taken only for what Python does. An expander that is bound leaves an act open that would give something a
number, or needs Python's hand: whoever is not bound goes on from there.
"""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from phasegate.core.exploring.atomics cimport see_64
from phasegate.core.exploring.bits cimport POSITION
from phasegate.core.exploring.codes cimport (
    ACTS, ANY, A_ADD, A_ANSWER, A_DEADLINE, A_HEALTHY, A_MAINTENANCE, A_STALE, A_START, REST_BYTES,
)
from phasegate.core.exploring.memo cimport (
    CHANGES, CHANGE_SHIFT, CONTEXTS, CONTEXT_SHIFT, ENDS, Entry, KNOWN, LOCAL, NO_CONTEXT, OUTCOMES, OUTCOME_SHIFT,
    Outcome, RECORD_SHIFT, TAIL_BYTES, UNTOLD, memo_key, memo_place,
)
from phasegate.core.exploring.mover cimport SOMEBODY
from phasegate.core.exploring.names cimport are_words_same, copy_words, key_hash
from phasegate.core.exploring.store cimport FIND_FROM, FIND_HASH, FIND_KEY, forget_finds
from phasegate.core.exploring.watch cimport Watch
from phasegate.core.kernel cimport (
    GONE, HEALTH_SHIFT, PENDING, SITE, SITE_CELL, STATE_BITS, SUM_BAD, SUM_FLIGHT, TALLY, T_ATTEMPT_ENDED, VERIFYING,
    WAIT, WAIT_BAD, WAIT_PENDING, is_bad, is_in_flight, length_of,
)
from phasegate.core.prefetch cimport prefetch

from phasegate.core.exploring import acts as _acts
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.twin import Violation

cdef uint32_t FAIR_ACTS = 0
for _act in _acts.FAIR:
    FAIR_ACTS |= <uint32_t>1 << <int>_act
cdef uint32_t ANSWERING_ACTS = 0
for _act in _acts.ANSWERING:
    ANSWERING_ACTS |= <uint32_t>1 << <int>_act


cdef inline bint is_single(Move move) noexcept nogil:
    """Whether an act is kept: one on a single instance.

    What joins brings more with it; and what a stale report leaves depends on whether it was the last.
    """
    return A_ANSWER <= move.act < A_MAINTENANCE and move.act != A_ADD and move.act != A_STALE


cdef inline int is_pending(int life) noexcept nogil:
    return life & STATE_BITS == PENDING


cdef inline int is_pending_and_bad(int life) noexcept nogil:
    return life & STATE_BITS == PENDING and is_bad(life >> HEALTH_SHIFT)


cdef inline int is_down(int life) noexcept nogil:
    return life & STATE_BITS != GONE and is_bad(life >> HEALTH_SHIFT)


cdef class Expander(Mover):
    """Expands states of one search: on its own arena, in the words and into the store that the search shares."""

    cdef int stand_on(self, subject, bint is_symmetric, Judge beside, Store store) except -1:
        """Lay the subject open; `beside` is whose lexicon, memo and books are used, None for its own."""
        if beside is None:
            self.lie_on(subject, is_symmetric, None, None)
        else:
            self.lie_on(subject, is_symmetric, beside.lexicon, beside.memo)
        self.mean()
        self.take_stock()
        if beside is not None:
            self.shelf = beside.shelf
            self.is_bound = True
        self.store = store
        self.facts = <Facts*>calloc(CONTEXTS, sizeof(Facts))
        if self.facts == NULL:
            raise MemoryError()
        return 0

    def __dealloc__(self):
        forget_finds(&self.finds)
        free(self.facts)

    # --- expanding ---------------------------------------------------------------------------------------------------

    cdef void count_standing(self, const Facts* facts) noexcept nogil:
        """Count each rule that keeps a set with pending instances from starting."""
        cdef int s, bits
        for s in range(self.sets):
            bits = facts.standing[s]
            while bits:
                self.counts.standing[POSITION(<uint32_t>bits)] += 1
                bits &= bits - 1

    cdef uint16_t standing_of(self, int s) noexcept nogil:
        """Return the rules that keep a set with pending instances from starting."""
        cdef int bucket, number, lately, bits
        if not self.k.tally[s * TALLY + PENDING]:
            return 0
        bits = self.k.c_standing(s)
        if not bits:
            bits = self.k.c_gates(s)
        if not bits:
            number = self.k.c_current(s, &lately)
            for bucket in range(self.k.first_bucket(s), self.k.end_bucket(s)):
                if self.k.c_is_candidate(bucket, number, lately):
                    bits |= self.k.c_in_cell(s, self.k.site[bucket * SITE + SITE_CELL])
        return <uint16_t>bits

    cdef uint32_t c_fair_acts(self) noexcept nogil:
        """Return the acts that cannot be put off for ever in the state that is being expanded, one bit each."""
        return FAIR_ACTS & ~ANSWERING_ACTS | (0 if self.here_rest[self.purse_of[A_DEADLINE]] else ANSWERING_ACTS)

    cdef bint is_fair(self, Move move) noexcept nogil:
        """Whether an act cannot be put off for ever; good news of somebody's health counts where it is waited for."""
        cdef uint8_t record
        if not self.fair_acts >> move.act & 1 or move.act != A_HEALTHY:
            return self.fair_acts >> move.act & 1
        record = (<uint8_t*>self.here)[self.place_of[move.whom]]
        return self.lexicon.word_of[record] & STATE_BITS == VERIFYING

    cdef void count_ends(self) noexcept nogil:
        """Count the attempts that the trace says have ended."""
        cdef Py_ssize_t at = 0
        cdef int32_t* trace = self.k.trace.data
        while at < self.k.trace.size:
            if trace[at] == T_ATTEMPT_ENDED:
                self.counts.ended[trace[at + 2] * 8 + trace[at + 3]] += 1
            at += length_of(trace + at)

    cdef int judge_start(self, Move move) except -1 nogil:
        """Judge whether the batch of a start may start."""
        return self.judge_before(
            move, self.offered.data + self.offer.data[move.choice * 3 + 1], self.offer.data[move.choice * 3 + 2]
        )

    cdef int expand(self, int64_t number, int first, bint is_end) except -1 nogil:
        """Expand one state, from its act `first` on; return how that ended, and leave in `finds` what was found.

        `is_end` says whether none of the acts before could have been put off for ever. Where all that may happen is
        known to be local, the state is not even laid open.
        """
        cdef Move move
        cdef Facts unkept
        cdef Facts* facts = &unkept
        cdef uint32_t allowed
        cdef uint16_t rest
        cdef int at, broken, context
        cdef bint is_kept = number and self.watches is None
        cdef bint has_nobody
        copy_words(self.here, <uint64_t*>self.store.key_at(number), self.key_bytes >> 3)
        memcpy(&rest, <uint8_t*>self.here + self.at_rest, 2)
        memcpy(self.here_rest, self.lexicon.rests.bytes + <size_t>rest * REST_BYTES, REST_BYTES)
        self.is_here = False
        context = <int>self.store.context_at(number) if is_kept else NO_CONTEXT
        allowed = self.c_allowed(rest)
        has_nobody = not allowed >> SOMEBODY & 1
        if is_kept and context < 0:
            self.lay()
            context = self.c_context()
        if context >= 0:
            facts = self.facts + context
        else:
            unkept.is_known = unkept.is_plain = False
        self.move_count = 0
        if facts.is_plain and has_nobody:
            self.single(<uint8_t*>self.here, allowed)
        else:
            if not self.is_here:
                self.lay()
            self.c_moves()
        if not facts.is_known:
            for at in range(self.sets):
                facts.standing[at] = self.standing_of(at)
        if not self.is_going_on:
            self.count_standing(facts)
        if not facts.is_known and has_nobody:
            facts.is_known = True
            facts.is_plain = not self.move_count or (
                self.moves_[0].act > A_START and self.moves_[self.move_count - 1].act < A_MAINTENANCE
            )
        if not self.is_bound and not self.memo.make_room(self.move_count):
            context = NO_CONTEXT
        self.fair_acts = self.c_fair_acts()
        at = first
        while at < self.move_count:
            if context >= 0 and is_single(self.moves_[at]):
                at = self.recall(number, context, at, &is_end)
                if at == self.move_count:
                    break
                if self.is_beyond:
                    return self.leave_open(number, at, is_end)
            move = self.moves_[at]
            at += 1
            if not self.is_here:
                self.lay()
            broken = self.judge_start(move) if move.act == A_START else 0
            if not self.c_happen(move):
                self.put_back()
                continue
            if self.is_beyond or not self.c_read():
                self.put_back()
                return self.leave_open(number, at - 1, is_end)
            broken |= self.judge_act(move, number == 0)
            self.counts.transitions += 1
            self.counts.taken[move.act] += 1
            if not self.is_steady:
                self.count_ends()
            if context >= 0 and not broken and is_single(move):
                self.memo.keep(self.kept_as(context, move), self.what_to_keep(move))
            if not are_words_same(self.key_words, self.here, self.key_bytes >> 3):
                is_end = is_end and not self.is_fair(move)
                self.counts.rising += self.risen >= 0
                if self.watches is None:
                    self.find(number)
                elif not self.enter_watched(number) and not broken & self.asked:
                    self.is_laid = False
                    return STORE_FULL if self.violation is None else BROKEN_PROMISE
            if broken & self.asked:
                self.violate_by(self.first_of(broken), number, move)
                self.is_laid = False
                return BROKEN_PROMISE
            self.put_back()
        if is_end:
            if not self.is_here:
                self.lay()
            broken = self.first_of(self.judge_end())
            if broken:
                self.violate(broken, number)
                return BROKEN_PROMISE
        return EXPANDED

    cdef int lay(self) except -1 nogil:
        """Lay the state that is being expanded open in the arena."""
        self.is_here = True
        return self.c_write(<uint8_t*>self.here)

    cdef int leave_open(self, int64_t number, int act, bint is_end) noexcept nogil:
        """Note where an expansion is left open."""
        self.open_state, self.open_move, self.open_is_end = number, act, is_end
        return LEFT_OPEN

    # --- what is known of acts on single instances: `memo` -----------------------------------------------------------

    cdef uint64_t kept_as(self, int context, Move move) noexcept nogil:
        """Return under what an act on a single instance is kept."""
        cdef int record = (<uint8_t*>self.here)[self.place_of[move.whom]]
        return memo_key(context, self.bucket_of[move.whom], record, move.act)

    cdef int recall(self, int64_t number, int context, int first, bint* is_end) except -1 nogil:
        """Find what the acts from the `first` on lead to, as long as they are local; return the first that is not.

        `is_beyond` says that it leads to something without a number, and none may be given.
        """
        cdef Entry* entries = self.memo.entries
        cdef Entry* entry
        cdef uint32_t mask = self.memo.mask
        cdef int shift = self.memo.shift
        cdef const int64_t* rank_of = self.lexicon.rank_of
        cdef const uint8_t* here = <const uint8_t*>self.here
        cdef const uint8_t* rest_bytes = self.here_rest
        cdef const uint64_t* table = self.store.table
        cdef int table_shift = self.store.shift
        cdef int words = self.key_bytes >> 3
        cdef int at_rest = self.at_rest
        cdef uint64_t* row = self.store.more_finds(&self.finds, self.move_count - first)
        cdef uint64_t* begin = row
        cdef uint64_t* asked = row  # where each goes if all are found: until then it says there what it is kept under
        cdef uint8_t* key
        cdef uint64_t of, seen, hash, found_from = <uint64_t>number
        cdef int32_t left[ACTS]  # the numbers of what each act leaves, as far as they are known
        cdef int64_t gone[ACTS]  # and what the rank has more
        cdef const Move* move = self.moves_ + first
        cdef const Move* end = self.moves_ + self.move_count
        cdef const Move* ahead
        cdef bint is_symmetric = self.is_symmetric
        cdef bint is_next = not self.is_bound and table != NULL  # to be entered soon
        cdef bint has_end = is_end[0]
        cdef int act, place, purse, outcome
        cdef uint8_t was, record
        cdef uint16_t rest, rest_after
        cdef int64_t risen
        cdef int64_t rising = 0
        memset(left, 255, sizeof(left))
        memcpy(&rest, here + at_rest, 2)
        self.is_beyond = False
        ahead = move
        while ahead < end:  # ask the memory for all of them before the first is needed
            of = memo_key(context, self.bucket_of[ahead.whom], here[self.place_of[ahead.whom]], ahead.act)
            prefetch(entries + memo_place(of, shift))
            asked[0] = of
            asked += FIND_KEY + words
            ahead += 1
        asked = row
        while move < end:
            act = move.act
            if act < A_ANSWER or act >= A_MAINTENANCE:
                break
            place = self.place_of[move.whom]
            was = here[place]
            of = asked[0]
            asked += FIND_KEY + words
            entry = entries + memo_place(of, shift)
            seen = see_64(&entry.of)  # once: somebody may add an entry meanwhile
            while seen and seen != of:
                entry = entries + ((entry - entries + 1) & mask)
                seen = see_64(&entry.of)
            if not seen or not entry.said & LOCAL:
                break
            record = <uint8_t>(entry.said >> RECORD_SHIFT)
            if left[act] < 0:
                purse = self.purse_of[act]
                left[act], gone[act] = rest, 0
                if purse >= 0 and rest_bytes[purse] != ANY:
                    left[act] = self.lexicon.rest_without(rest, purse)
                    if left[act] < 0:
                        self.is_beyond = True
                        break
                    gone[act] = self.lexicon.rests.rank[left[act]] - self.lexicon.rests.rank[rest]
            self.counts.taken[act] += 1
            self.counts.became[entry.said >> CHANGE_SHIFT & (CHANGES - 1)] += 1
            risen = rank_of[record] - rank_of[was] + gone[act]
            outcome = <int>(entry.said >> OUTCOME_SHIFT & (OUTCOMES - 1))
            move += 1
            key = <uint8_t*>(row + FIND_KEY)
            copy_words(<uint64_t*>key, <const uint64_t*>here, words)
            key[place] = record
            rest_after = <uint16_t>left[act]
            memcpy(key + at_rest, &rest_after, 2)
            if outcome:
                risen += self.take_outcome(outcome, key)
            if is_symmetric:
                copy_words(self.key_words, <uint64_t*>key, words)
                self.make_least()
                copy_words(<uint64_t*>key, self.key_words, words)
            if are_words_same(<uint64_t*>key, <const uint64_t*>here, words):
                continue
            if has_end:
                has_end = not self.is_fair((move - 1)[0])
            rising += risen >= 0
            hash = key_hash(<uint64_t*>key, words)
            if is_next:
                prefetch(table + (hash >> table_shift))
            row[FIND_HASH] = hash
            row[FIND_FROM] = found_from | entry.said >> CONTEXT_SHIFT << CONTEXT_SHIFT
            if self.group_size > 1:
                row[FIND_FROM] = found_from | <uint64_t>UNTOLD << CONTEXT_SHIFT
            row += FIND_KEY + words
        self.counts.rising += rising
        self.counts.transitions += move - (self.moves_ + first)
        self.finds.size += (row - begin) // (FIND_KEY + words)
        is_end[0] = has_end
        return <int>(move - self.moves_)

    cdef int64_t take_outcome(self, int number, uint8_t* key) noexcept nogil:
        """Write into a key what an act changes beside its instance; return what the rank has more by it."""
        cdef Outcome* outcome = self.memo.outcomes + number
        cdef int at
        for at in range(ENDS):
            if outcome.ends[at]:
                self.counts.ended[outcome.ends[at] - 1] += 1
        memcpy(key + self.at_begun, outcome.tail, self.at_rest - self.at_begun)
        return outcome.rank - self.rank_of_tail(<uint8_t*>self.here)

    cdef int find(self, int64_t number) except -1 nogil:
        """Let `key`, found from a state, wait to be entered."""
        cdef uint64_t* row = self.store.more_finds(&self.finds, 1)
        row[FIND_HASH] = key_hash(self.key_words, self.key_bytes >> 3)
        row[FIND_FROM] = <uint64_t>UNTOLD << 32 | <uint64_t>number
        copy_words(row + FIND_KEY, self.key_words, self.key_bytes >> 3)
        self.finds.size += 1
        return 0

    cdef uint64_t what_to_keep(self, Move move) except -1 nogil:
        """Return what to keep of an act that has just happened, and that nothing speaks against."""
        cdef uint64_t record = self.base_number[move.whom]
        cdef uint64_t change
        cdef int purse = self.purse_of[move.act]
        cdef int at, context, outcome = 0
        if self.k.has_looked or self.changed_count > 1:
            return KNOWN
        if self.changed_count:
            if self.changed[0] != move.whom:
                return KNOWN
            record = self.lexicon.number_of(self.word(move.whom))
        if not self.is_counted_right(move.whom):
            return KNOWN
        for at in range(REST_BYTES):
            if self.beside.rest[at] != self.base_beside.rest[at] - (at == purse and self.base_beside.rest[at] != ANY):
                return KNOWN
        if not self.is_steady:
            outcome = self.c_outcome()
            if not outcome:
                return KNOWN
        context = self.c_context()
        change = <uint64_t>(move.act == A_DEADLINE) << 8
        change |= (self.lexicon.word_of[self.base_number[move.whom]] & STATE_BITS) << 4
        change |= self.lexicon.word_of[record] & STATE_BITS
        return (
            <uint64_t>(UNTOLD if context < 0 else context) << CONTEXT_SHIFT | <uint64_t>outcome << OUTCOME_SHIFT
            | change << CHANGE_SHIFT | record << RECORD_SHIFT | LOCAL | KNOWN
        )

    cdef bint is_counted_right(self, int slot) noexcept nogil:
        """Whether the counts of buckets and of the fleet, which no promise speaks of, are what this act has made them.

        They are part of the context that is kept: a slip there would spread.
        """
        cdef const uint32_t* was = self.base_wait
        cdef const uint32_t* now = self.k.wait
        cdef int before = self.base_life[slot]
        cdef int after = self.k.life[slot]
        cdef int bucket = self.bucket_of[slot]
        cdef int at, more
        cdef int pending = is_pending(after) - is_pending(before)
        cdef int bad = is_pending_and_bad(after) - is_pending_and_bad(before)
        cdef int flight = is_in_flight(after & STATE_BITS) - is_in_flight(before & STATE_BITS)
        for at in range(self.buckets * WAIT):
            more = 0
            if at // WAIT == bucket:
                more = pending if at % WAIT == WAIT_PENDING else bad if at % WAIT == WAIT_BAD else flight
            if now[at] != was[at] + <uint32_t>more:
                return False
        more = is_down(after) - is_down(before)
        return (
            self.k.sums[SUM_FLIGHT] == self.base_sums[SUM_FLIGHT] + flight
            and self.k.sums[SUM_BAD] == self.base_sums[SUM_BAD] + more
        )

    cdef int c_outcome(self) noexcept nogil:
        """Return the number of what an act has changed beside its instance; 0 if there is no room to say it."""
        cdef Outcome found
        cdef Py_ssize_t at = 0
        cdef int count = 0
        cdef int32_t* trace = self.k.trace.data
        memset(&found, 0, sizeof(Outcome))
        if self.at_rest - self.at_begun > TAIL_BYTES:
            return 0
        while at < self.k.trace.size:
            if trace[at] == T_ATTEMPT_ENDED:
                if count == ENDS:
                    return 0
                found.ends[count] = <uint8_t>(trace[at + 2] * 8 + trace[at + 3] + 1)
                count += 1
            at += length_of(trace + at)
        memcpy(found.tail, self.tail, self.at_rest - self.at_begun)
        found.rank = self.rank_of_tail(self.tail - self.at_begun)
        return self.memo.outcome(&found)

    cdef bint enter_watched(self, int64_t parent) except -1 nogil:
        """Enter a key at once, and ask the watches about a new state; return whether the search may go on."""
        cdef uint64_t found_from = <uint64_t>UNTOLD << 32 | <uint64_t>parent
        cdef int entered = self.store.enter(self.key_words, key_hash(self.key_words, self.key_bytes >> 3), found_from)
        return entered != 2 and (not entered or self.ask_watches(self.store.states - 1))

    cdef bint ask_watches(self, int64_t number) except -1 with gil:
        """Ask about the state that the arena holds; return whether all say yes."""
        cdef Watch one
        for one in self.watches:
            if one.ask(self.block):
                self.violation = Violation(one.of, number, None)
        return self.violation is None

    cdef int violate(self, int promise, int64_t number) except -1 with gil:
        """Note that a state breaks a promise."""
        self.violation = Violation(Promise(promise), number, None)
        return 0

    cdef int violate_by(self, int promise, int64_t number, Move move) except -1 with gil:
        """Note that an act breaks a promise."""
        self.violation = Violation(Promise(promise), number, self.shown(move))
        return 0
