"""The engine's one workplace: a workspace with a kernel on it, the timers, and the book while it is being written.

Everything that changes a state goes through here: `take_up` a state, change it, `publish` the next one. The kernel and
the timers remember things beside the state (who might start, what falls due); they follow as long as the states follow
one another, and are made anew when another state is taken up.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core.columns import COLUMNS, PAGE_ROWS, Table
from phasegate.core.compiled import Compiled
from phasegate.core.events import Batches
from phasegate.core.frozenmap import EMPTY
from phasegate.core.kernels import copier_beside, timers_beside
from phasegate.core.model import ScaleSet
from phasegate.core.picks import Picks
from phasegate.core.rules import Admit, Never, Question
from phasegate.core.snapshot import Snapshot
from phasegate.core.state import AttemptRecord, Book, Chain, State
from phasegate.core.twin.counters import ADMIT, NEVER, WAIT
from phasegate.core.vector import Vector
from phasegate.core.views import Views
from phasegate.core.workspace import Workspace


class Working:
    """One state, laid open."""

    v: Views
    kernel: Any  # the compiled kernel or its twin: one interface, two texts
    _timers: Any | None  # the compiled timers or their twin
    book: Book
    picks: Picks | None
    selected: Batches | None  # the same as somebody has asked for them

    def __init__(self, compiled: Compiled, kernel_class: Any) -> None:
        self.compiled = compiled
        self.kernel_class = kernel_class
        self.timers_class = timers_beside(kernel_class)
        self.workspace = Workspace(copier_beside(kernel_class))

    # --- taking up and publishing ------------------------------------------------------------------------------------

    def take_up(self, state: State) -> None:
        """Lay the state open; free if it is the one that was published last."""
        how = self.workspace.take_up(state)
        if how == "same":
            return
        if how == "new":
            self.v = Views(self.workspace)
            ask = self.ask if self.compiled.rules.asks else None
            self.kernel = self.kernel_class(self.workspace, self.compiled.statics, ask)
        else:
            self.kernel.refresh()
        self._timers = None
        self.book = state.book
        self.picks = self.selected = None

    def publish(
        self,
        now: int,
        history: Vector[tuple[AttemptRecord, ...]] | None = None,
        history_digest: Chain | None = None,
    ) -> State:
        """Return the state as it stands now, and keep it laid open; without a new history it keeps the one it had."""
        held = self.workspace.state
        assert held is not None, "a state is published after one was taken up"
        state = State(
            now=now,
            rows=held.rows,
            snapshot=self.workspace.publish(),
            book=self.book,
            history=held.history if history is None else history,
            history_digest=held.history_digest if history_digest is None else history_digest,
            fleet_digest=held.fleet_digest,
        )
        self.workspace.state = state
        return state

    def grow(self, state: State, **rows: int) -> None:
        """Lay the state open with more rows in some of its tables; they hold zeros."""
        counts: dict[Table, int] = {**state.rows, **rows}  # type: ignore[dict-item]  # the names of rows are tables
        columns = tuple(
            old.lengthened(-(-counts[column.table] // PAGE_ROWS[column.table]))
            for column, old in zip(COLUMNS, state.columns, strict=True)
        )
        has_room = all(new is old for new, old in zip(columns, state.columns, strict=True))
        self.take_up(evolve(state, rows=counts, snapshot=state.snapshot if has_room else Snapshot.of(columns)))

    @property
    def timers(self) -> Any:
        """The armed timers; whoever only looks at a state does not wait for them."""
        if self._timers is None:
            self._timers = self.timers_class(self.kernel, self.v, self.compiled.statics, self.rows("rollout"))
        return self._timers

    @timers.setter
    def timers(self, timers: Any) -> None:
        self._timers = timers

    def spoil(self) -> None:
        """Throw away what was changed since the last state."""
        self.workspace.spoil()

    def rows(self, table: Table) -> int:
        """Return how many rows a table has."""
        assert self.workspace.state is not None, "a state is laid open"
        return self.workspace.state.rows[table]

    # --- who is who --------------------------------------------------------------------------------------------------

    def model(self, s: int) -> ScaleSet:
        """Return the set's model as it is now."""
        models = self.book.models
        return self.compiled.models[s] if models is EMPTY else models.get(s, self.compiled.models[s])

    def slots_of(self, s: int) -> array[int]:
        """Return the set's present instances, in order."""
        slots: array[int] = self.kernel.present(s)
        return slots

    def sets_at_work(self) -> list[int]:
        """Return the sets whose attempt is rolling forward, in order."""
        status = bytes(self.v.status[: len(self.compiled.directory.sets)])
        found = []
        at = status.find(c.ROLLING)
        while at >= 0:
            found.append(at)
            at = status.find(c.ROLLING, at + 1)
        return found

    def id_of(self, slot: int) -> str:
        """Return an instance's id; one that is gone keeps it."""
        name = self.book.names.get(slot)
        if name is not None:
            return name
        return self.compiled.directory.listed_id(self.v.set_of(slot), self.v.ident[slot])

    def ids_of(self, slots: Sequence[int]) -> list[str]:
        """Return the ids of instances of one set, in the order of the slots."""
        if not slots:
            return []
        names, ident = self.book.names, self.v.ident
        texts = self.compiled.directory.texts.get(self.v.set_of(slots[0]))
        listed = str if texts is None else texts.__getitem__
        if not names:
            return [listed(ident[slot]) for slot in slots]
        return [names.get(slot) or listed(ident[slot]) for slot in slots]

    # --- users' own policies -----------------------------------------------------------------------------------------

    def ask(self, s: int, bucket: int, slots: Sequence[int]) -> tuple[int, Sequence[int]]:
        """Ask the users' policies about a batch, one after the other, each about what the ones before it admitted.

        Return what they say and the slots admitted, for `NEVER` those that the refusing policy was asked about.
        """
        for policy in self.compiled.rules.asks:
            if not slots:
                return WAIT, ()
            question = self.question(s, bucket, slots)
            answer = policy.judge(question)
            if isinstance(answer, Never):
                return NEVER, slots
            if not isinstance(answer, Admit):
                return WAIT, ()
            if answer.part is not None:
                part = answer.part
                slots = [slot for slot, name in zip(slots, question.ids, strict=True) if name in part]
        return (ADMIT, slots) if slots else (WAIT, ())

    def question(self, s: int, bucket: int, slots: Sequence[int]) -> Question:
        """Return a candidate batch as a user's policy sees it."""
        directory = self.compiled.directory
        cells = sorted({self.v.cell_of(slot) for slot in slots})
        working = self.sets_at_work()
        return Question(
            set=self.model(s),
            cells=tuple(directory.cells[cell] for cell in cells),
            upgrade_domain=self.v.site[bucket * c.SITE + c.SITE_DOMAIN],
            ids=tuple(self.ids_of(slots)),
            at_work=tuple(directory.sets[at] for at in sorted({*working, *self.kernel.assumed})),
            model=lambda name: self.model(directory.set_named(name)),
            size=self.v.tally[s * c.TALLY + c.TALLY_TOTAL],
            not_healthy=self.v.tally[s * c.TALLY + c.TALLY_BAD],
            target=self.book.versions[self.v.link[s * c.LINK + c.LINK_TARGET]],
        )
