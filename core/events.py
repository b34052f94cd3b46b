"""What can happen to a fleet: every event carries `now`, never below the state's (semantics 8 and 9).

Instances are named by slot: `engine.slots(state, names)` gives them, and a slot belongs to one incarnation for life.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import overload

from attrs import field, frozen

from phasegate.core.lifecycle import Do
from phasegate.core.model import ImageVersion, ScaleSet
from phasegate.core.picks import Picks
from phasegate.core.roster import Instance


class What(IntEnum):
    """What one report says of one instance (semantics 8)."""

    HEALTHY = 0
    UNHEALTHY = 1
    UNKNOWN = 2
    INITIALIZING = 3
    DISK_REPLACED = 4
    CONFIGURED = 5
    FAILED = 6
    DISK_RESTORED = 7
    RESTORE_FAILED = 8

    @property
    def word(self) -> str:
        """The report as files and logs write it."""
        return self.name.lower().replace("_", "-")


def _uint32(numbers: Iterable[int]) -> array[int]:
    return numbers if isinstance(numbers, array) and numbers.typecode == "I" else array("I", numbers)


@frozen
class Batch:
    """Instances of one set that start together; `slots` in any order."""

    set: str
    slots: Sequence[int] = field(converter=tuple[int, ...])


class Batches(Sequence[Batch]):
    """Picks with their sets' names; each batch is made when it is first looked at. Equal to a tuple of the same ones.

    >>> batches = Batches(Picks.of([(1, 4, array("I", [7, 8]))]), ("eastus/db", "eastus/web"))
    >>> len(batches), batches[0]
    (1, Batch(set='eastus/web', slots=(7, 8)))
    """

    __slots__ = ("_batches", "_picks", "_sets")

    def __init__(self, picks: Picks, sets: Sequence[str]) -> None:
        self._picks = picks
        self._sets = sets
        self._batches: tuple[Batch, ...] | None = None

    def all(self) -> tuple[Batch, ...]:
        """Return the batches as a tuple."""
        if self._batches is None:
            self._batches = tuple(Batch(self._sets[s], slots) for s, _, slots in self._picks)
        return self._batches

    def __len__(self) -> int:
        return len(self._picks)

    @overload
    def __getitem__(self, at: int) -> Batch: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Batch, ...]: ...
    def __getitem__(self, at: int | slice) -> Batch | tuple[Batch, ...]:
        return self.all()[at]

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.all())

    def __eq__(self, other: object) -> bool:
        return self.all() == tuple(other) if isinstance(other, Batches | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.all())

    def __repr__(self) -> str:
        return repr(self.all())

    def __reduce__(self) -> tuple[type[tuple[Batch, ...]], tuple[tuple[Batch, ...]]]:
        return tuple, (self.all(),)


def _kept(batches: Iterable[Batch]) -> Sequence[Batch]:
    return batches if isinstance(batches, Batches) else tuple(batches)


@frozen
class Start:
    """Start these batches, each legal after the ones before it (semantics 7)."""

    batches: Sequence[Batch] = field(converter=_kept)
    now: int


@frozen(eq=False)
class Signals:
    """Reports about many instances, applied in their order, then settled once.

    Columns of one length: `slots` (uint32), `what` (a byte, `What`), `observed_at` (int64 ms; not above `now`),
    `attempt` (uint32, the attempt number of the command that it answers, 0 for none) and `answers` (a byte, `Do`).
    """

    slots: array[int]
    what: bytes
    observed_at: array[int]
    attempt: array[int]
    answers: bytes
    now: int

    @classmethod
    def of(
        cls,
        what: What,
        slots: Iterable[int],
        now: int,
        *,
        observed_at: int | None = None,
        attempt: int = 0,
        answers: Do = Do.NOTHING,
    ) -> Signals:
        """Return the same report about each of the slots, observed now unless said otherwise."""
        column = _uint32(slots)
        count = len(column)
        return cls(
            column,
            bytes([what]) * count,
            array("q", [now if observed_at is None else observed_at]) * count,
            array("I", [attempt]) * count,
            bytes([answers]) * count,
            now,
        )

    @classmethod
    def joined(cls, parts: Iterable[Signals], now: int) -> Signals:
        """Return the reports of all parts, one part after the other."""
        slots, observed_at, attempt = array("I"), array("q"), array("I")
        what, answers = bytearray(), bytearray()
        for part in parts:
            slots.extend(part.slots)
            what += part.what
            observed_at.extend(part.observed_at)
            attempt.extend(part.attempt)
            answers += part.answers
        return cls(slots, bytes(what), observed_at, attempt, bytes(answers), now)

    def __len__(self) -> int:
        return len(self.slots)


@frozen
class Tick:
    """Time has come to `now`: the timers due at it pass too."""

    now: int


@frozen(kw_only=True)
class Elapsed:
    """These armed timers have passed, whatever their times: what is told of a run whose times are not told (section 8).

    `deadlines` are slots in flight; `delays`, `pauses` between batches, and `windows` (whether it is open now) go by
    sets, `bakes` by rollouts.
    """

    now: int
    deadlines: Sequence[int] = field(default=(), converter=tuple[int, ...])
    delays: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    pauses: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    bakes: tuple[int, ...] = field(default=(), converter=tuple[int, ...])
    windows: tuple[tuple[str, bool], ...] = field(default=(), converter=tuple[tuple[str, bool], ...])


@frozen
class Rollout:
    """Begin taking the eligible sets of `image` to `target` (None: the newest; semantics 2, 3 and 9).

    With `sets` (full names) it is a manual one: no phases, no delays, no windows, no restore.
    """

    image: str
    now: int
    target: str | None = None
    sets: tuple[str, ...] | None = None
    started_by: str = "platform"


@frozen
class Pause:
    """No batch starts in `rollout` (None: in all) until it is resumed."""

    now: int
    rollout: int | None = None


@frozen
class Resume:
    """Batches may start again in `rollout` (None: in all)."""

    now: int
    rollout: int | None = None


@frozen
class Cancel:
    """Nothing starts any more in `rollout` (None: in all, the andon cord); what is in flight finishes."""

    now: int
    rollout: int | None = None


@frozen
class Configured:
    """The set's model was changed to this one; its instances, region, zones and name stay as they are."""

    model: ScaleSet
    now: int


@frozen
class Applied:
    """The set's model, as it is now, was applied to these instances: with upgrade mode manual nobody else does it."""

    set: str
    instances: tuple[str, ...] = field(converter=tuple[str, ...])
    now: int


@frozen
class Published:
    """A version of the image was published."""

    image: str
    version: ImageVersion
    now: int


@frozen
class Replicated:
    """A gallery version has reached a region, or that region's entry was changed."""

    image: str
    version: str
    region: str
    now: int
    exclude_from_latest: bool = False


@frozen
class Protected:
    """The protection of instances of one set from scale set actions was switched on or off."""

    set: str
    instances: tuple[str, ...] = field(converter=tuple[str, ...])
    protected: bool
    now: int


@frozen
class Scaled:
    """Instances of one set were added or removed; an id that comes back is a new instance."""

    set: str
    now: int
    added: tuple[Instance, ...] = field(default=(), converter=tuple[Instance, ...])
    removed: tuple[str, ...] = field(default=(), converter=tuple[str, ...])


Order = Rollout | Pause | Resume | Cancel  # what people say
Change = Configured | Applied | Published | Replicated | Protected | Scaled  # how the fleet changes
Event = Start | Signals | Tick | Elapsed | Order | Change
