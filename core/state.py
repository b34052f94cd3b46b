"""The immutable state of a fleet: paged columns, and a book of what changes rarely.

States are hashable, comparable and picklable, and they share what they have in common. They hold facts and counters
only; what the fleet looks like beyond that (names, regions, who may run together) is compiled once by the engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Final

from attrs import evolve, field, frozen

from phasegate.core.columns import COLUMNS, TABLES, Table
from phasegate.core.facts import AttemptStatus, Progress
from phasegate.core.frozenmap import EMPTY, FrozenMap
from phasegate.core.model import Image, ScaleSet
from phasegate.core.pages import DIGEST_BYTES, Paged
from phasegate.core.snapshot import Snapshot
from phasegate.core.vector import Vector


@frozen(kw_only=True)
class RolloutRecord:
    """What a rollout was begun with; how far it is stands in the columns (semantics 9).

    `regions` are those that an automatic gallery rollout has come to: each joins once (semantics 5).
    """

    image: str
    target: str
    started_by: str
    started_at_ms: int
    phases: tuple[tuple[str, ...], ...] | None
    sets: tuple[str, ...] | None
    ineligible: tuple[tuple[str, tuple[str, ...]], ...]
    regions: tuple[str, ...] = ()

    @property
    def is_manual(self) -> bool:
        """Whether somebody named its sets."""
        return self.sets is not None


WAITING_MAX: Final = 2**16  # attempts that a history's digest may be behind
ATTEMPTS_KEPT: Final = 5  # a set's history, as the vendor's document has it


@frozen(kw_only=True)
class AttemptRecord:
    """One attempt in a set's history; `ended_at_ms` is None while it is rolling forward (semantics 9)."""

    rollout: int
    number: int
    status: AttemptStatus
    error: str | None
    started_at_ms: int | None
    ended_at_ms: int | None
    progress: Progress
    started_by: str
    image: str
    target: str
    rolled_back: int
    rollbacks_failed: int


@frozen(kw_only=True)
class Book:
    """What changes rarely: the catalogue, changed models, rollouts, names of instances that joined later.

    `versions` interns version names; number 0 is "unknown". `names` are the ids of slots that joined later,
    `incarnations` those of them whose id was there before (2 for the second of that id, ...). `failed_more` holds
    (slot, version number) of failures older than the one in the `failed` column.
    """

    versions: tuple[str, ...] = ("",)
    catalogue: tuple[Image, ...] = ()
    models: FrozenMap[int, ScaleSet] = EMPTY
    rollouts: tuple[RolloutRecord, ...] = ()
    names: FrozenMap[int, str] = EMPTY
    incarnations: FrozenMap[int, int] = EMPTY
    failed_more: frozenset[tuple[int, int]] = frozenset()

    @cached_property
    def digest(self) -> bytes:
        """128 bits over its content."""
        text = repr(evolve(self, failed_more=frozenset())) + repr(sorted(self.failed_more))
        return blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


class Chain:
    """A digest of every attempt that has ended, one after the other; worked out when somebody asks for it.

    A run that nobody watches never does. What has not been worked in yet is kept, up to `WAITING_MAX` attempts.
    """

    __slots__ = ("_behind", "_digest", "_waiting")

    def __init__(self, digest: bytes = bytes(DIGEST_BYTES)) -> None:
        self._digest = digest
        self._behind: tuple[Chain, Sequence[tuple[int, AttemptRecord]]] | None = None  # and who ended since
        self._waiting = 0

    def followed(self, ended: Sequence[tuple[int, AttemptRecord]]) -> Chain:
        """Return the chain after these have ended too: (set, record) each, in order."""
        chain = Chain()
        chain._behind = self, ended
        chain._waiting = self._waiting + len(ended)
        if chain._waiting > WAITING_MAX:
            chain.digest()
        return chain

    def digest(self) -> bytes:
        """Return 128 bits over all of them."""
        links: list[tuple[Chain, Sequence[tuple[int, AttemptRecord]]]] = []
        link = self
        while (behind := link._behind) is not None:  # looked at once: another thread may work it out meanwhile
            links.append((link, behind[1]))
            link = behind[0]
        digest = link._digest
        for link, ended in reversed(links):
            for entry in ended:
                digest = blake2b(digest + repr(entry).encode(), digest_size=DIGEST_BYTES).digest()
            link._digest, link._waiting = digest, 0
            link._behind = None
        return digest

    def __reduce__(self) -> tuple[type[Chain], tuple[bytes]]:
        return Chain, (self.digest(),)


@frozen(kw_only=True, eq=False)
class State:
    """All that is known of a fleet at `now` (ms UTC). Made by `engine.start` and `engine.step` alone.

    `digest` is 128 bits in hex, independent of hash seeds and processes; equal states have equal digests.
    """

    now: int
    rows: Mapping[Table, int] = field(repr=False)
    snapshot: Snapshot = field(repr=False)
    book: Book = field(repr=False)
    history: Vector[tuple[AttemptRecord, ...]] = field(repr=False)
    history_digest: Chain = field(factory=Chain, repr=False)
    fleet_digest: bytes = field(default=bytes(DIGEST_BYTES), repr=False)

    @cached_property
    def digest(self) -> str:
        """128 bits over everything in the state, in hex."""
        counts = array("q", [self.now, *(self.rows[table] for table in TABLES)])
        parts = [
            counts.tobytes(),
            self.fleet_digest,
            self.book.digest,
            self.history_digest.digest(),
            self.snapshot.digest,
        ]
        return blake2b(b"".join(parts), digest_size=DIGEST_BYTES).hexdigest()

    @property
    def columns(self) -> tuple[Paged, ...]:
        """All columns, in the order of `core.columns`."""
        return self.snapshot.columns

    def column(self, name: str) -> Paged:
        """Return one column by its name (`core.columns`)."""
        return self.columns[_PLACES[name]]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return self is other or (
            self.now == other.now
            and self.rows == other.rows
            and self.fleet_digest == other.fleet_digest
            and self.snapshot == other.snapshot
            and self.book == other.book
            and self.history == other.history
        )

    def __hash__(self) -> int:
        return int(self.digest[:15], 16)


_PLACES = {column.name: at for at, column in enumerate(COLUMNS)}
