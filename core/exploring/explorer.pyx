# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: binding=True, autotestdict=False, embedsignature=False, infer_types=False, auto_pickle=False
"""The explorer, compiled: searches a subject's states breadth first or depth first, with the compiled kernel.

It is `twin.py` on the kernel's own columns: `names` and `store` hold what was found, `ground`, `judge` and `expander`
work on one state at a time.

A level is expanded by several threads where there are some (`abreast`). Where one had to leave an act open, the search
goes on from there on one thread. So states, their numbers, transitions and the violation are the same with any number.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

from phasegate.core.exploring.abreast cimport Abreast, PART_MIN, Rounds, Team, bytes_found
from phasegate.core.exploring.codes cimport *
from phasegate.core.exploring.expander cimport BROKEN_PROMISE, EXPANDED, Expander, Facts, LEFT_OPEN, STORE_FULL
from phasegate.core.exploring.judge cimport Counts, add_counts
from phasegate.core.exploring.memo cimport UNTOLD
from phasegate.core.exploring.names cimport key_hash
from phasegate.core.exploring.store cimport Store
from phasegate.core.exploring.watch cimport Watch
from phasegate.core.kernel cimport Ints, push

from phasegate.core.exploring import acts as _acts
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.twin import Successor
from phasegate.core.lifecycle import Life as _Life

cdef enum:
    ALONE = 256  # where one act was left open others will be: so many states are not tried by several threads

_ACTS = list(_acts.Act)
_NUMBERS = {
    "START": A_START, "ANSWER": A_ANSWER, "FAIL": A_FAIL, "HEALTHY": A_HEALTHY, "UNHEALTHY": A_UNHEALTHY,
    "STALE": A_STALE, "LATE": A_LATE, "DUPLICATE": A_DUPLICATE, "REMOVE": A_REMOVE, "ADD": A_ADD,
    "DEADLINE": A_DEADLINE, "ISSUE": A_ISSUE, "EXECUTE": A_EXECUTE, "MAINTENANCE": A_MAINTENANCE,
    "DELAY": A_DELAY, "REST": A_REST, "WINDOW": A_WINDOW, "BAKE": A_BAKE, "PAUSE": A_PAUSE, "RESUME": A_RESUME,
    "CANCEL": A_CANCEL, "STOP": A_STOP, "ORDER": A_ORDER, "CRASH": A_CRASH,
    "PAIRS_APART": PAIRS_APART, "CELLS_APART": CELLS_APART, "PHASES_IN_ORDER": PHASES_IN_ORDER,
    "BATCH_WITHIN_CAP": BATCH_WITHIN_CAP, "HEALTHY_ENOUGH": HEALTHY_ENOUGH, "NOT_AFTER_THE_END": NOT_AFTER_THE_END,
    "PROMOTED_BY_HEALTH": PROMOTED_BY_HEALTH, "OWN_DISK_BACK": OWN_DISK_BACK, "TARGET_UNTOUCHED": TARGET_UNTOUCHED,
    "MANUAL_NEVER_RESTORES": MANUAL_NEVER_RESTORES, "COUNTS_ADD_UP": COUNTS_ADD_UP,
    "COMMANDS_AS_RECORDED": COMMANDS_AS_RECORDED, "EVERY_ROLLOUT_ENDS": EVERY_ROLLOUT_ENDS,
    "EVERYONE_UPGRADED": EVERYONE_UPGRADED, "SMALL_SETS_END": SMALL_SETS_END,
    "LATE_MOVES_NOTHING": LATE_MOVES_NOTHING, "GROUPS_WITHIN_LIMITS": GROUPS_WITHIN_LIMITS,
    "NOT_BEFORE_ITS_TIME": NOT_BEFORE_ITS_TIME, "LOWER_NUMBERS_FIRST": LOWER_NUMBERS_FIRST,
    "DOMAINS_FINISHED": DOMAINS_FINISHED, "LIVES_AS_WRITTEN": LIVES_AS_WRITTEN,
    "STOPPED_FOR_A_REASON": STOPPED_FOR_A_REASON,
}
for _one in (*_acts.Act, *Promise):
    if _one != _NUMBERS[_one.name]:
        raise ImportError(f"the compiled explorer was built with another {_one.name}; build it again")


@cython.final
cdef class Explorer(Expander):
    """Explores a subject; `is_symmetric` says whether states that differ in names only are one.

    `order` is `breadth` or `depth`. `memory_max` bounds the bytes that all of it takes; `is_compact` makes the table
    half as large and slower. A breadth-first search goes on `threads` threads where nobody is asked on the way: neither
    a user's policy nor a watch.
    """

    is_compiled = True

    cdef readonly str order
    cdef readonly bint is_compact
    cdef readonly int64_t memory_max
    cdef readonly int depth, threads
    cdef bint todo_is_kept
    cdef int64_t next_state, level_end
    cdef int64_t kept_states  # so many have been put into `todo`
    cdef Ints todo
    cdef Counts sums
    cdef Team team
    cdef int64_t alone_until  # up to this state one thread goes on alone
    cdef bint is_broken_off  # in the middle of a state

    def __init__(
        self,
        subject,
        *,
        bint is_symmetric=True,
        str order="breadth",
        int64_t memory_max=1 << 40,
        bint is_compact=False,
        int threads=1,
    ):
        self.order, self.memory_max, self.is_compact, self.threads = order, memory_max, is_compact, threads
        self.stand_on(subject, is_symmetric, None, None)
        self.store = Store(self.key_bytes, memory_max, is_compact)
        self.compare(True)
        self.c_read()
        if self.store.enter(self.key_words, key_hash(self.key_words, self.key_bytes >> 3), <uint64_t>UNTOLD << 32) != 1:
            raise MemoryError()
        self.todo_is_kept = order == "depth"
        if self.todo_is_kept:
            push(&self.todo, 0)
            self.kept_states = 1
        self.level_end = 1

    def __dealloc__(self):
        free(self.todo.data)

    # --- the search --------------------------------------------------------------------------------------------------

    def run(self, int64_t states_max):
        """Expand up to so many states; return `more`, `done`, `violated` or `memory`.

        Breadth first, the first violation is one of the nearest. `depth` is the depth whose states are all expanded.
        `RuntimeError` if an error, or an interrupt, came in the middle of a state before: what was found so far stands,
        but cannot be gone on with.
        """
        cdef int64_t left = states_max
        cdef int found = EXPANDED
        if self.is_broken_off:
            raise RuntimeError("an error or an interrupt broke the search off in the middle of a state; begin it anew")
        try:
            while found == EXPANDED and left > 0 and self.has_more():
                if self.goes_abreast(left):
                    found = self.go_abreast(&left)
                else:
                    self.is_broken_off = True
                    with nogil:
                        found = self.go_on(&left)
                    self.is_broken_off = False
        finally:
            add_counts(&self.sums, &self.counts)
        if found == EXPANDED:
            return "more" if self.has_more() else "done"
        return "violated" if found == BROKEN_PROMISE else "memory"

    cdef bint has_more(self) noexcept nogil:
        return self.todo.size > 0 if self.todo_is_kept else self.next_state < self.store.states

    cdef int64_t next_number(self) noexcept nogil:
        if self.todo_is_kept:
            self.todo.size -= 1
            return <uint32_t>self.todo.data[self.todo.size]
        self.next_state += 1
        self.store.forget_contexts(self.next_state - 1)
        return self.next_state - 1

    cdef int go_on(self, int64_t* left) except -1 nogil:
        """Expand one state after the other, until so many are, or more threads are worth it; enter what was found."""
        cdef int found = EXPANDED
        while found == EXPANDED and left[0] > 0 and self.has_more():
            self.begin_level()
            left[0] -= 1
            found = self.expand(self.next_number(), 0, True)
            if found or self.finds.size >= 256 or self.todo_is_kept or self.next_state == self.level_end:
                found = self.enter_finds(found)
            if self.goes_abreast(left[0]):
                break
        return self.enter_finds(found)

    cdef int enter_finds(self, int found) except -1 nogil:
        """Enter what was found; return `found`, or that there is no room."""
        cdef int64_t number
        cdef bint has_room
        self.store.beside = self.c_bytes_beside()
        has_room = self.store.take(&self.finds)
        if self.todo_is_kept:
            for number in range(self.kept_states, self.store.states):  # where a watch is asked, entered before
                push(&self.todo, <int32_t>number)
            self.kept_states = self.store.states
        return found if has_room or found else STORE_FULL

    cdef int64_t c_bytes_beside(self) noexcept nogil:
        """Return the bytes that are in use beside keys, parents and table."""
        return self.memo.bytes_used() + self.c_bytes_apart() + (
            0 if self.team is None else bytes_found(&self.team.rounds, self.store.find_words)
        )

    cdef int64_t c_bytes_apart(self) noexcept nogil:
        """Return those that are neither of what is kept nor of what several threads have found."""
        cdef int64_t each = self.memo.context_count * <int64_t>sizeof(Facts) + 65536 * 4
        cdef int64_t expanders = 1 if self.team is None else self.threads + 1
        return each * expanders + self.finds.room * self.store.find_words * 8 + self.todo.room * 4

    cdef void begin_level(self) noexcept nogil:
        """Note that a level is done, where one is: what was found in it is entered."""
        if self.next_state == self.level_end and not self.todo_is_kept:
            self.level_end = self.store.states
            self.depth += 1

    # --- several threads ---------------------------------------------------------------------------------------------

    cdef bint goes_abreast(self, int64_t left) noexcept nogil:
        """Whether what is left of the level, and may be expanded, is worth more than one thread."""
        cdef int64_t wanted = self.threads * PART_MIN
        if self.threads < 2 or self.todo_is_kept or left < wanted or self.is_compact or self.k.ask is not None:
            return False
        if self.next_state < self.alone_until:
            return False
        return self.watches is None and min(self.level_end, self.store.states) - self.next_state >= wanted

    cdef int go_abreast(self, int64_t* left) except -1:
        """Expand the level, as far as may be, on all threads; go on where they could not."""
        cdef Rounds* rounds
        cdef int64_t first = self.next_state
        cdef int at, found = EXPANDED
        if self.team is None:
            self.team = Team(self, self.threads)
        rounds = &self.team.rounds
        self.lexicon.is_shut = True
        try:
            self.team.go(first, min(self.level_end, first + left[0]), self.c_bytes_apart())
        finally:  # nobody is at work any more, so names may be given
            self.lexicon.is_shut = False
            self.next_state = rounds.firsts[rounds.entered]
            for member in self.team.members:
                add_counts(&self.sums, &(<Abreast>member).kept)
        self.is_broken_off = rounds.entered < rounds.size
        for at in range(rounds.entered, rounds.size):
            found = self.enter_part(at)
            if found or self.next_state < rounds.firsts[at + 1]:
                break
        self.is_broken_off = False
        left[0] -= self.next_state - first
        return found

    cdef int enter_part(self, int at) except -1:
        """Enter what was found of a part; go on where an act was left open."""
        cdef Abreast one = self.team.member(at)
        cdef Rounds* rounds = &self.team.rounds
        cdef int found = EXPANDED
        if rounds.ended[at] == BROKEN_PROMISE:  # once more, one after the other, up to the very act
            while found == EXPANDED and self.next_state < rounds.firsts[at + 1]:
                found = self.enter_finds(self.expand(self.next_number(), 0, True))
            return found
        add_counts(&self.sums, &one.counts)
        if not self.store.take(&one.finds):
            return STORE_FULL
        self.next_state = rounds.firsts[at + 1]
        self.store.forget_contexts(rounds.firsts[at])
        if rounds.ended[at] == LEFT_OPEN:
            self.alone_until = one.open_state + ALONE
            self.next_state = one.open_state + 1
            self.is_going_on = True
            found = self.enter_finds(self.expand(one.open_state, one.open_move, one.open_is_end))
            self.is_going_on = False
        return found

    @property
    def bytes_used(self):
        """How many bytes keys, parents, table, what waits and what is kept take."""
        return self.store.bytes_used() + self.c_bytes_beside()

    @property
    def states(self):
        """How many states have been found."""
        return self.store.states

    @property
    def transitions(self):
        """How many acts were taken."""
        return self.sums.transitions

    @property
    def rising(self):
        """Along how many of them the rank did not fall."""
        return self.sums.rising

    @property
    def frontier(self):
        """How many states wait to be expanded."""
        return self.todo.size if self.todo_is_kept else self.store.states - self.next_state

    # --- for people and tests ----------------------------------------------------------------------------------------

    @property
    def first(self):
        """The key of the first state."""
        return self.key_of(0)

    def key_of(self, int64_t number):
        """Return a state's key by its number, in order of discovery."""
        if not 0 <= number < self.store.states:
            raise IndexError(f"no state {number}; there are {self.store.states}")
        return <bytes>self.store.key_at(number)[: self.key_bytes]

    def write(self, bytes key):
        """Lay a key open in the arena, and count what follows from it."""
        self.is_laid = False
        self.c_write(<const uint8_t*>(<char*>key))
        self.is_laid = False
        self.open.work.book = self.open.books[self.beside.rest[PURSES + 2]]

    def read(self):
        """Return the key of what the arena holds: the least of its images under the group."""
        self.compare(True)
        self.c_read()
        return <bytes>self.key[: self.key_bytes]

    def moves(self):
        """Return what may happen in the state that the arena holds, in order of `Act`."""
        self.compare(True)
        self.c_moves()
        return [self.shown(self.moves_[at]) for at in range(self.move_count)]

    def happen(self, move):
        """Let one of `moves` happen in the state that the arena holds; return whether it could."""
        cdef int at
        self.compare(True)
        self.c_moves()
        self.remember()
        self.is_laid = False  # what is remembered now was not read from a key
        for at in range(self.move_count):
            if self.shown(self.moves_[at]) == tuple(move):
                return bool(self.c_happen(self.moves_[at]))
        raise ValueError(f"{move} is not possible here")

    def saved(self):
        """Return everything that `restore` puts back."""
        return (
            <bytes>(<char*>self.block)[: self.block_bytes], <bytes>(<char*>self.beside.ghost)[: self.slots],
            <bytes>(<char*>self.beside.wire)[: self.slots], <bytes>(<char*>self.beside.rest)[:REST_BYTES],
        )

    def restore(self, held):
        """Put back what `saved` returned."""
        cdef const uint8_t[::1] block = held[0]
        cdef const uint8_t[::1] ghost = held[1]
        cdef const uint8_t[::1] wire = held[2]
        cdef const uint8_t[::1] rest = held[3]
        memcpy(self.block, &block[0], self.block_bytes)
        memcpy(self.beside.ghost, &ghost[0], self.slots)
        memcpy(self.beside.wire, &wire[0], self.slots)
        memcpy(self.beside.rest, &rest[0], REST_BYTES)
        self.renew()
        self.open.work.book = self.open.books[self.beside.rest[PURSES + 2]]

    @property
    def wires(self):
        """How far each instance's command is on its way (`twin.RECORDED`, ...), by slot."""
        return [self.beside.wire[slot] for slot in range(self.slots)]

    def successors(self, bytes key):
        """Return what each possible act leads to, in order, and which promise it breaks."""
        cdef int at, broken
        found = []
        self.write(key)
        self.c_moves()
        for at in range(self.move_count):
            broken = self.judge_start(self.moves_[at]) if self.moves_[at].act == A_START else 0
            if self.c_happen(self.moves_[at]):
                self.c_read()
                broken |= self.judge_act(self.moves_[at], True)
                key = <bytes>self.key[: self.key_bytes]
                found.append(Successor(self.shown(self.moves_[at]), key, self.first_of(broken)))
            self.put_back()
        return found

    def rank(self, bytes key):
        """Return a key's rank (see `ranking`)."""
        return self.rank_of_key(<const uint8_t*>(<char*>key))

    def path(self, int64_t number):
        """Return the states from the first one to that one, by number."""
        found = [number]
        while number:
            number = self.store.parents[number // BLOCK][number % BLOCK]
            found.append(number)
        return found[::-1]

    def trace(self, int64_t number):
        """Return the acts that lead from the first state to that one, each on the instances as they are then.

        Under symmetry a key stands for all its images, so the acts are found anew, step by step, on one fleet.
        """
        moves = []
        self.write(self.first)
        for there in self.path(number)[1:]:
            here, wanted = self.saved(), self.key_of(there)
            for move in self.moves():
                if self.happen(move) and self.read() == wanted:
                    moves.append(move)
                    self.open.settle_times()
                    break
                self.restore(here)
            else:
                raise AssertionError(f"no act leads from state {number} to its successor on the way")
        return moves

    def watch(self, fields, predicate, of):
        """Ask `predicate` about every new state, once for each combination of `fields` (offset, bytes in the arena).

        It is called while the arena holds the state. Where it says no, `violation` is `of`.
        """
        self.watches = [*(self.watches or ()), Watch(fields, predicate, of)]

    @property
    def taken(self):
        """How often each kind of act was taken."""
        return {_ACTS[act]: self.sums.taken[act] for act in range(ACTS) if self.sums.taken[act]}

    @property
    def became(self):
        """How often an instance went from one state of its life to another, and whether by a deadline that passed."""
        return {
            (_Life(at >> 4 & 15), _Life(at & 15), bool(at >> 8)): self.sums.became[at]
            for at in range(512)
            if self.sums.became[at] and at >> 4 & 15 != at & 15
        }

    @property
    def ended(self):
        """How often an attempt ended with that status and code (`core.codes`)."""
        return {(at // 8, at % 8): self.sums.ended[at] for at in range(STATUSES * 8) if self.sums.ended[at]}

    @property
    def standing(self):
        """In how many states a rule (a bit) kept a set from starting."""
        return {1 << at: self.sums.standing[at] for at in range(32) if self.sums.standing[at]}

    @property
    def left(self):
        """What the environment has left in the state that the arena holds: a byte an entry of `acts.PURSES`."""
        return <bytes>(<char*>self.beside.rest)[: len(_acts.PURSES)]

    @property
    def happened(self):
        """Which of the scenario's own events have happened in the state that the arena holds, one bit each."""
        return self.beside.rest[PURSES] | self.beside.rest[PURSES + 1] << 8
