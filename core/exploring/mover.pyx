# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""What may happen in a state, and letting it happen through the kernel: the acts of `acts.py`, compiled."""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from phasegate.core.exploring.bits cimport POPCOUNT, POSITION, POSITION_OF_64
from phasegate.core.exploring.codes cimport (
    ACTS, ANY, A_ADD, A_ANSWER, A_BAKE, A_CANCEL, A_CRASH, A_DEADLINE, A_DELAY, A_DUPLICATE, A_EXECUTE, A_FAIL,
    A_HEALTHY, A_ISSUE, A_LATE, A_MAINTENANCE, A_ORDER, A_PAUSE, A_REMOVE, A_REST, A_RESUME, A_STALE, A_START, A_STOP,
    A_UNHEALTHY, A_WINDOW, EXECUTED, ISSUED, PURSES, RECORDED, REST_BYTES, UNSURE,
)
from phasegate.core.kernel cimport (
    BAKING, CLOCK, CLOCK_WINDOW, CONFIGURING, DELAYED, FAILED, GONE, HEALTH_SHIFT, LINK, LINK_ATTEMPT, LINK_ROLLOUT,
    PAUSED, REPLACING, RESTING, RESTORED, RESTORING, RUNNING, SHUT, STATE_BITS, STOPPING, T_FAILED_MORE, is_bad,
    is_in_flight, length_of, push,
)

from phasegate.core.exploring import acts as _acts, subject as _subject

cdef int64_t NOW = _subject.NOW
cdef int64_t OLD = _subject.OLD
cdef int64_t BETWEEN = _subject.BETWEEN
_ACTS = list(_acts.Act)


cdef class Mover(Judge):
    """Says what may happen, and lets it happen. One that is bound does nothing that takes Python's hand."""

    cdef int take_stock(self) except -1:
        """Note what the subject lets happen at all."""
        cdef int at
        self.follows = self.freedom.has_crashes
        self.orders = len(self.subject.orders)
        self.takes_selected = self.subject.takes == "select"
        for act in _acts.Act:
            self.purse_of[act] = self.freedom.purse(act)
        for at in range(self.slots):
            self.only_at[at] = 0xFFFFFFFF if self.is_spare[self.lined[at]] else 0xFFFFFFFF & ~(<uint32_t>1 << A_ADD)
        self.allowed = <uint32_t*>calloc(65536, sizeof(uint32_t))
        if self.allowed == NULL:
            raise MemoryError()
        return 0

    def __dealloc__(self):
        free(self.moves_)
        free(self.allowed)
        free(self.offered.data)
        free(self.offer.data)

    # --- what may happen ---------------------------------------------------------------------------------------------

    cdef Move* room_for_moves(self, int more) except NULL nogil:
        """Make room for so many moves; return where the next one goes."""
        cdef Move* moves
        if self.move_count + more > self.move_room:
            moves = <Move*>realloc(self.moves_, (2 * self.move_room + more + 64) * sizeof(Move))
            if moves == NULL:
                with gil:
                    raise MemoryError()
            self.moves_ = moves
            self.move_room = 2 * self.move_room + more + 64
        return self.moves_ + self.move_count

    cdef int add_move(self, int act, int whom, int choice, int which) except -1 nogil:
        cdef Move* move = self.room_for_moves(1)
        move.act, move.whom, move.choice, move.which = act, whom, choice, which
        self.move_count += 1
        return 0

    cdef bint may(self, int act) noexcept nogil:
        return self.purse_of[act] < 0 or self.beside.rest[self.purse_of[act]] > 0

    cdef int c_moves(self) except -1 nogil:
        """Leave in `moves_` what may happen in the state that the arena holds, in order of `Act`."""
        cdef uint8_t numbers[SLOTS]  # of the instances' records, lined up
        cdef int at, slot, bucket
        self.move_count = 0
        for at in range(self.slots):
            numbers[at] = (<uint8_t*>self.base_key)[at]
        for at in range(self.changed_count):
            slot = self.changed[at]
            numbers[self.place_of[slot]] = <uint8_t>self.lexicon.number_of(self.word(slot))
        self.starts(numbers)
        self.single(numbers, self.c_allowed(self.lexicon.rest_number(self.beside.rest)))
        if self.may(A_MAINTENANCE):
            for bucket in range(self.buckets):
                for at in range(self.run_first[bucket], self.run_first[bucket + 1]):
                    if self.lexicon.acts_of[numbers[at]] >> A_UNHEALTHY & 1:
                        self.add_move(A_MAINTENANCE, bucket, 0, 0)
                        break
        self.timers_and_people()
        for at in range(self.orders):
            if not self.beside.rest[PURSES + (at >> 3)] >> (at & 7) & 1:
                self.add_move(A_ORDER, at, 0, 0)
        if self.follows and self.may(A_CRASH):
            for slot in range(self.slots):
                if self.beside.wire[slot] == ISSUED or self.beside.wire[slot] == EXECUTED:
                    self.add_move(A_CRASH, 0, 0, 0)
                    break
        return 0

    cdef int single(self, const uint8_t* numbers, uint32_t allowed) except -1 nogil:
        """Add what may happen to single instances with these records, lined up."""
        cdef uint64_t whose[32]  # of each act: instances that it may happen to, lined up, one bit each
        cdef uint64_t left, bit
        cdef uint32_t bits, possible = 0
        cdef const uint32_t* acts_of = self.lexicon.acts_of
        cdef const uint32_t* only_at = self.only_at
        cdef Move* move = self.room_for_moves(self.slots * (A_MAINTENANCE + 1))
        cdef int at, act, bucket, other
        memset(whose, 0, sizeof(whose))
        for bucket in range(self.buckets if self.is_symmetric else 0):
            for at in range(self.run_first[bucket], self.run_first[bucket + 1]):
                self.is_like_another[at] = 0
                for other in range(self.run_first[bucket], at):
                    if numbers[other] == numbers[at]:
                        self.is_like_another[at] = 1
                        break
        for at in range(self.slots):
            bits = acts_of[numbers[at]] & allowed & only_at[at]
            if self.is_like_another[at]:
                continue
            bit = <uint64_t>1 << at
            possible |= bits
            while bits:
                act = POSITION(bits)
                bits &= bits - 1
                whose[act] |= bit
        if possible >> SINCE:
            possible = possible & 0x7FFFFFFF | <uint32_t>1 << A_STALE
        while possible:
            act = POSITION(possible)
            possible &= possible - 1
            left = whose[act] | whose[SINCE] if act == A_STALE else whose[act]
            while left:
                at = POSITION_OF_64(left)
                left &= left - 1
                if whose[act] >> at & 1:
                    move.act, move.whom, move.choice, move.which = act, self.lined[at], 0, 0
                    move += 1
                if act == A_STALE and whose[SINCE] >> at & 1:
                    move.act, move.whom, move.choice, move.which = act, self.lined[at], 0, 1
                    move += 1
        self.move_count = <int>(move - self.moves_)
        return 0

    cdef uint32_t c_allowed(self, int rest) noexcept nogil:
        """Return which acts on single instances there are budgets for; `SOMEBODY` if people or maintenance may act."""
        cdef const uint8_t* left
        cdef uint32_t found
        cdef int act
        if self.allowed[rest]:
            return self.allowed[rest]
        left = self.lexicon.rests.bytes + <size_t>rest * REST_BYTES
        found = 0
        for act in range(A_ANSWER, ACTS):
            if self.purse_of[act] < 0 or left[self.purse_of[act]] > 0:
                if act < A_MAINTENANCE:
                    found |= <uint32_t>1 << act
                elif self.purse_of[act] >= 0:
                    found |= <uint32_t>1 << SOMEBODY
        if found >> A_STALE & 1:
            found |= <uint32_t>1 << SINCE
        if self.orders or self.k.ask is not None:
            found |= <uint32_t>1 << SOMEBODY
        self.allowed[rest] = found
        return found

    cdef int starts(self, const uint8_t* numbers) except -1 nogil:
        cdef int32_t* choice
        cdef int32_t* slots
        cdef Py_ssize_t i, j
        cdef int s
        self.offer.size = self.offered.size = 0
        if self.takes_selected:
            return self.selected()
        for s in range(self.sets):
            self.k.c_legal(s)
            for i in range(0, self.k.choices.size, 5):
                choice = self.k.choices.data + i
                slots = self.k.choice_slots.data + choice[1]
                push(&self.offer, choice[0])
                push(&self.offer, <int32_t>self.offered.size)
                push(&self.offer, choice[2])
                for j in range(choice[2]):
                    push(&self.offered, slots[j])
                self.parts(s, <int>(self.offer.size // 3 - 1), choice[2], choice[3], choice[4], numbers)
        return 0

    cdef int parts(
        self, int s, int choice, int count, int at_most, int healthy_at_most, const uint8_t* numbers
    ) except -1 nogil:
        """Add a start for each part of a choice that is within its numbers; of those alike, the first ones."""
        cdef int32_t* slots = self.offered.data + self.offer.data[choice * 3 + 1]
        cdef int before[32]
        cdef uint32_t well = 0
        cdef uint32_t part
        cdef int i, j, size
        if count > 20:
            with gil:
                raise OverflowError(f"{count} candidates for one batch; at most 20 can be explored")
        for i in range(count):
            before[i] = -1
            if not is_bad(self.k.life[slots[i]] >> HEALTH_SHIFT):
                well |= <uint32_t>1 << i
            if self.is_symmetric:
                for j in range(i):
                    if self.bucket_of[slots[j]] == self.bucket_of[slots[i]]:
                        if numbers[self.place_of[slots[j]]] == numbers[self.place_of[slots[i]]]:
                            before[i] = j
        for part in range(1, <uint32_t>1 << count):
            size = POPCOUNT(part)
            if size > 1 and (size > at_most or POPCOUNT(part & well) > healthy_at_most):
                continue
            for i in range(count):
                if part >> i & 1 and before[i] >= 0 and not part >> before[i] & 1:
                    break
            else:
                self.add_move(A_START, s, choice, <int>part)
        return 0

    cdef int selected(self) except -1 nogil:
        """Add the start of the first batch that the engine itself would start."""
        cdef int32_t* pick
        cdef Py_ssize_t i
        cdef int j, part = 0
        self.k.c_walk()
        if not self.k.picks.size:
            return 0
        pick = self.k.picks.data
        self.k.c_part(pick[0], pick[1])
        push(&self.offer, pick[1])
        push(&self.offer, 0)
        push(&self.offer, <int32_t>self.k.found.size)
        for i in range(self.k.found.size):
            push(&self.offered, self.k.found.data[i])
            for j in range(pick[3]):
                if self.k.pick_slots.data[pick[2] + j] == self.k.found.data[i]:
                    part |= 1 << i
        return self.add_move(A_START, pick[0], 0, part)

    cdef int timers_and_people(self) except -1 nogil:
        cdef int s, r, going = 0
        for s in range(self.sets):
            if self.k.mark[s] & DELAYED:
                self.add_move(A_DELAY, s, 0, 0)
        for s in range(self.sets):
            if self.k.mark[s] & RESTING and not self.k.trait[self.k.link[s * LINK + LINK_ROLLOUT]] & PAUSED:
                self.add_move(A_REST, s, 0, 0)
        for s in range(self.sets):
            if self.k.clock[s * CLOCK + CLOCK_WINDOW]:
                self.add_move(A_WINDOW, s, 0, 0)
        for r in range(self.rollouts):
            if self.k.course[r] == RUNNING and self.k.trait[r] & BAKING and not self.k.trait[r] & PAUSED:
                self.add_move(A_BAKE, r, 0, 0)
        if self.may(A_PAUSE):
            for r in range(self.rollouts):
                if self.k.course[r] == RUNNING and not self.k.trait[r] & PAUSED:
                    self.add_move(A_PAUSE, r, 0, 0)
        for r in range(self.rollouts):
            if self.k.course[r] == RUNNING and self.k.trait[r] & PAUSED:
                self.add_move(A_RESUME, r, 0, 0)
        if self.may(A_CANCEL):
            for r in range(self.rollouts):
                if self.k.course[r] == RUNNING and not self.k.trait[r] & STOPPING:
                    going += 1
                    self.add_move(A_CANCEL, r, 0, 0)
            if going > 1:
                self.add_move(A_STOP, 0, 0, 0)
        return 0

    # --- letting it happen -------------------------------------------------------------------------------------------

    cdef int c_happen(self, Move move) except -1 nogil:
        """Let an act happen in the state that the arena holds; return whether it could (an order may be refused).

        `is_beyond` says that one that is bound may not: it takes Python's hand.
        """
        cdef int act = move.act
        cdef int whom = move.whom
        cdef int at, slot, book
        cdef int purse = self.purse_of[act]
        self.is_steady = self.k.has_looked = False
        self.is_beyond = self.is_bound and (act == A_ADD or act == A_ORDER)
        if self.is_beyond:
            return 1
        self.k.now = NOW
        self.k.trace.size = 0
        self.k.group = -1
        if purse >= 0 and self.beside.rest[purse] != ANY:
            self.beside.rest[purse] -= 1
        if act == A_START:
            self.start(move)
        elif act < A_MAINTENANCE:
            self.happen_to(act, whom, move.which)
        elif act == A_MAINTENANCE:
            for at in range(self.run_first[whom], self.run_first[whom + 1]):
                slot = self.lined[at]
                if self.k.life[slot] & STATE_BITS != GONE and not is_bad(self.k.life[slot] >> HEALTH_SHIFT):
                    self.k.c_report(slot, 1, NOW, 0, 0)
        elif act == A_DELAY:
            self.k.c_pass_timer(whom, DELAYED)
        elif act == A_REST:
            self.k.c_pass_timer(whom, RESTING)
        elif act == A_WINDOW:
            self.k.c_set_window(whom, self.k.mark[whom] & SHUT)
        elif act == A_BAKE:
            self.k.c_pass_bake(whom)
        elif act == A_PAUSE:
            self.k.c_pause(whom)
        elif act == A_RESUME:
            self.k.c_resume(whom)
        elif act == A_CANCEL:
            self.k.c_cancel(whom)
        elif act == A_STOP:
            for at in range(self.rollouts):
                self.k.c_cancel(at)
        elif act == A_ORDER:
            self.beside.rest[PURSES + (whom >> 3)] |= 1 << (whom & 7)
            book = self.order_(whom)
            if book < 0:
                return 0
            self.beside.rest[PURSES + 2] = <uint8_t>book
        else:
            for slot in range(self.slots):
                if self.beside.wire[slot] == ISSUED or self.beside.wire[slot] == EXECUTED:
                    self.beside.wire[slot] = UNSURE
        self.is_beyond = not self.settle(
            act == A_ADD or act == A_ISSUE or act == A_EXECUTE or act >= A_ORDER or act == A_STALE
        )
        return 1

    cdef int start(self, Move move) except -1 nogil:
        cdef uint32_t taken[32]
        cdef int32_t* slots = self.offered.data + self.offer.data[move.choice * 3 + 1]
        cdef int i, count = 0
        for i in range(self.offer.data[move.choice * 3 + 2]):
            if move.which >> i & 1:
                taken[count] = slots[i]
                self.beside.ghost[slots[i]] = <uint8_t>self.k.version[slots[i]]
                count += 1
        return self.k.c_start(move.whom, self.k.bucket[taken[0]], taken, count)

    cdef int happen_to(self, int act, int slot, int which) except -1 nogil:
        """Let something happen to one instance."""
        cdef int state = self.k.life[slot] & STATE_BITS
        cdef int do = 1 if state == REPLACING else 2 if state == CONFIGURING else 3 if state == RESTORING else 0
        cdef uint32_t attempt = self.k.link[self.set_of[slot] * LINK + LINK_ATTEMPT]
        cdef int64_t observed
        if act == A_ANSWER:
            self.k.c_report(slot, 3 + do if do < 3 else 7, NOW, attempt, do)
        elif act == A_FAIL:
            self.k.c_report(slot, 6 if do < 3 else 8, NOW, attempt, do)
        elif act == A_HEALTHY:
            self.k.c_report(slot, 0, NOW, 0, 0)
        elif act == A_UNHEALTHY:
            self.k.c_report(slot, 1, NOW, 0, 0)
        elif act == A_STALE:
            self.k.c_report(slot, 0, BETWEEN if which else OLD, 0, 0)
        elif act == A_LATE:
            self.k.c_report(slot, 4, NOW, attempt - (do == 1), 1)
            self.k.c_report(slot, 6, NOW, attempt - (do == 1), 1)
            self.k.c_report(slot, 5, NOW, attempt - (do == 2), 2)
            self.k.c_report(slot, 6, NOW, attempt - (do == 2), 2)
            self.k.c_report(slot, 7, NOW, attempt - (do == 3), 3)
            self.k.c_report(slot, 8, NOW, attempt - (do == 3), 3)
        elif act == A_DUPLICATE:
            observed = self.k.observed_at(slot)
            self.k.c_report(slot, 0, observed, 0, 0)
            self.k.c_report(slot, 1, observed, 0, 0)
        elif act == A_REMOVE:
            self.k.c_happen(8, slot, 4)
            self.k.c_touch(self.set_of[slot])
        elif act == A_ADD:
            self.beside.rest[PURSES + 2] = <uint8_t>self.add(slot)
        elif act == A_DEADLINE:
            self.k.c_happen(4, slot, 2)
        elif act == A_ISSUE:
            self.beside.wire[slot] = ISSUED
        else:
            self.beside.wire[slot] = EXECUTED
        return 0

    cdef bint settle(self, bint is_all) except -1 nogil:
        """Settle as the engine does; then what this exploration keeps beside the columns follows."""
        cdef int at, slot, state
        cdef bint has_failed = False
        self.k.c_settle()
        self.compare(is_all)
        for at in range(self.changed_count):
            slot = self.changed[at]
            state = self.k.life[slot] & STATE_BITS
            has_failed = has_failed or state == RESTORED or state == FAILED
            if not is_in_flight(state):
                self.beside.ghost[slot] = 0
            if state != self.base_life[slot] & STATE_BITS:
                self.beside.wire[slot] = RECORDED
        return self.note_failures() if has_failed else True

    cdef bint note_failures(self) except -1 nogil:
        """Note in the book what the trace says of older failures; return False where one that is bound may not."""
        cdef Py_ssize_t at = 0
        cdef int32_t* trace = self.k.trace.data
        while at < self.k.trace.size:
            if trace[at] == T_FAILED_MORE:
                self.k.has_looked = True  # what the book says of older failures is of single instances
                if self.is_bound:
                    return False
                self.beside.rest[PURSES + 2] = <uint8_t>self.remember_failure(trace[at + 1], trace[at + 2])
            at += length_of(trace + at)
        return True

    # Python's part stands in functions of its own: one that has an object of Python's takes the GIL when it returns.

    cdef int order_(self, int which) except -2 with gil:
        """Let one of the scenario's own events happen; return the book after it, -1 if the engine refuses it."""
        book = self.open.order(self.beside.rest[PURSES + 2], which)
        return -1 if book is None else book

    cdef int add(self, int slot) except -1 with gil:
        """Let a reserved instance join its set; return the book after it."""
        return self.open.add(self.beside.rest[PURSES + 2], slot)

    cdef int remember_failure(self, int slot, int version) except -1 with gil:
        """Return the book in which an older failure is noted too."""
        return self.open.remember_failures(self.beside.rest[PURSES + 2], [(slot, version)])

    cdef object shown(self, Move move):
        """Return a move as people see it: a choice is the bucket of its first candidate."""
        choice = self.offer.data[move.choice * 3] if move.act == A_START else 0
        return (_ACTS[move.act], move.whom, choice, move.which)
