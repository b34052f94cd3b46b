"""The listed instances of one set, as columns: a row each, in the order of their ids (semantics 1)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from attrs import field, frozen

from phasegate.core import packing
from phasegate.core.errors import InvalidModel
from phasegate.core.names import PackedNames

T = TypeVar("T")

NO_ZONE = 255
NO_NUMBER = 2**31 - 1
DOMAIN_MAX = 2**16 - 1
HEALTH_MAX = 3  # the last `model.Health`

PROTECTED = 1  # protected from scale set actions: excluded from every rollout
PROTECTED_FROM_SCALE_IN = 2
SKIPPED = 4  # asked to be skipped
OFF_MODEL = 8  # not yet on the set's current model


@frozen(kw_only=True)
class Instance:
    """One instance as a person sees it: made on demand from columns, or a row to be packed into them.

    `health` is a `Health`; `version` None is the oldest known one; `phase_ordering_number` None comes last.
    """

    id: str
    zone: str | None = None
    upgrade_domain: int = 0
    version: str | None = None
    health: int = 0
    protect_from_scale_set_actions: bool = False
    protect_from_scale_in: bool = False
    skip_upgrade: bool = False
    phase_ordering_number: int | None = None
    failed_versions: tuple[str, ...] = ()
    on_model: bool = True

    @property
    def flags(self) -> int:
        """Its flags in one byte."""
        return (
            PROTECTED * self.protect_from_scale_set_actions
            | PROTECTED_FROM_SCALE_IN * self.protect_from_scale_in
            | SKIPPED * self.skip_upgrade
            | OFF_MODEL * (not self.on_model)
        )


@frozen
class Roster(Sequence[Instance]):
    """Many instances in about 20 bytes each beside their ids; a sequence of `Instance` views.

    Columns: `zone` (uint8, an index into `zones`, 255 for none), `domain` (uint16), `version` (uint16, an index into
    `versions`), `health` and `flags` (uint8), `number` (int32, the phase ordering number, 2**31 - 1 for none).

    >>> roster = Roster.of([Instance(id="web_10"), Instance(id="web_9", zone="1")])
    >>> [instance.id for instance in roster], roster[0].zone
    (['web_9', 'web_10'], '1')
    """

    ids: PackedNames
    zones: tuple[str, ...]
    versions: tuple[str | None, ...]
    zone: bytes = field(repr=False)
    domain: bytes = field(repr=False)
    version: bytes = field(repr=False)
    health: bytes = field(repr=False)
    flags: bytes = field(repr=False)
    number: bytes = field(repr=False)
    failed: tuple[tuple[int, tuple[str, ...]], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, instances: Iterable[Instance]) -> Roster:
        """Pack the instances.

        `InvalidModel` if an id is no name (`names.is_name`) or is there twice, or if a number is out of its range.
        """
        rows = list(instances)
        zones = _places((row.zone for row in rows if row.zone is not None), NO_ZONE, "zones")
        versions = _places((row.version for row in rows), 2**16, "versions")
        for row in rows:
            _check(row)
        return cls.of_columns(
            PackedNames.of(row.id for row in rows),
            zones=tuple(zones),
            versions=tuple(versions),
            zone=bytes(NO_ZONE if row.zone is None else zones[row.zone] for row in rows),
            domain=array("H", (row.upgrade_domain for row in rows)).tobytes(),
            version=array("H", (versions[row.version] for row in rows)).tobytes(),
            health=bytes(row.health for row in rows),
            flags=bytes(row.flags for row in rows),
            number=array(
                "i", (NO_NUMBER if row.phase_ordering_number is None else row.phase_ordering_number for row in rows)
            ).tobytes(),
            failed=tuple((at, row.failed_versions) for at, row in enumerate(rows) if row.failed_versions),
        )

    @classmethod
    def of_columns(
        cls,
        ids: PackedNames,
        *,
        zones: Sequence[str],
        versions: Sequence[str | None],
        zone: bytes,
        domain: bytes,
        version: bytes,
        health: bytes,
        flags: bytes,
        number: bytes,
        failed: Sequence[tuple[int, tuple[str, ...]]] = (),
    ) -> Roster:
        """Pack columns, as the class describes them, whose rows are in any order.

        `zones` and `versions` may have more entries than the rows use. `InvalidModel` if an id is no name
        (`names.is_name`) or is there twice; the other columns are taken to be in their ranges.
        """
        wrong = packing.first_wrong(ids.blob, ids.ends)
        if wrong >= 0:
            raise InvalidModel(
                f"instance id `{ids[wrong]}` is empty, or holds a `/` or a character that does not print"
            )
        order = packing.natural_order(ids.blob, ids.ends)
        if order is not None:
            ids = PackedNames(*packing.taken_names(ids.blob, ids.ends, order))
            zone, health, flags = (packing.taken(column, 1, order) for column in (zone, health, flags))
            domain, version = (packing.taken(column, 2, order) for column in (domain, version))
            number = packing.taken(number, 4, order)
            if failed:
                of = dict(failed)
                failed = [(at, of[row]) for at, row in enumerate(order) if row in of]
        twice = packing.first_repeated(ids.blob, ids.ends)
        if twice >= 0:
            raise InvalidModel(f"instance `{ids[twice]}` is there twice")
        used_zones, zone = packing.recoded(zone, 1, NO_ZONE)
        used_versions, version = packing.recoded(version, 2, -1)
        return cls(
            ids,
            tuple(zones[at] for at in used_zones),
            tuple(versions[at] for at in used_versions),
            zone,
            domain,
            version,
            health,
            flags,
            number,
            tuple(failed),
        )

    def check_zones(self, zones: Iterable[str], path: str) -> None:
        """Raise `InvalidModel` if an instance stands in a zone that is not among the given ones."""
        for zone in self.zones:
            if zone not in zones:
                row = next(instance for instance in self if instance.zone == zone)
                raise InvalidModel(f"instance `{row.id}` is in zone `{zone}`, which its set does not list", path)

    def __len__(self) -> int:
        return len(self.zone)

    def __getitem__(self, at: int) -> Instance:  # type: ignore[override]  # rows are read one by one; slices are not needed
        flags = self.flags[at]
        number = memoryview(self.number).cast("i")[at]
        return Instance(
            id=self.ids[at],
            zone=None if self.zone[at] == NO_ZONE else self.zones[self.zone[at]],
            upgrade_domain=memoryview(self.domain).cast("H")[at],
            version=self.versions[memoryview(self.version).cast("H")[at]],
            health=self.health[at],
            protect_from_scale_set_actions=bool(flags & PROTECTED),
            protect_from_scale_in=bool(flags & PROTECTED_FROM_SCALE_IN),
            skip_upgrade=bool(flags & SKIPPED),
            phase_ordering_number=None if number == NO_NUMBER else number,
            failed_versions=self._failed(at % len(self)),
            on_model=not flags & OFF_MODEL,
        )

    def _failed(self, row: int) -> tuple[str, ...]:
        place = bisect_left(self.failed, (row, ()))
        found = place < len(self.failed) and self.failed[place][0] == row
        return self.failed[place][1] if found else ()

    def __iter__(self) -> Iterator[Instance]:
        return (self[at] for at in range(len(self)))


def _places(names: Iterable[T], count_max: int, what: str) -> dict[T, int]:
    """Return each name once with its place, by first appearance; `InvalidModel` if there are too many."""
    places: dict[T, int] = {}
    for name in names:
        places.setdefault(name, len(places))
    if len(places) > count_max:
        raise InvalidModel(f"{len(places)} {what} in one set; at most {count_max} are possible")
    return places


def _check(row: Instance) -> None:
    _between("health", row.health, HEALTH_MAX, row.id)
    _between("upgrade domain", row.upgrade_domain, DOMAIN_MAX, row.id)
    if row.phase_ordering_number is not None:
        _between("phase ordering number", row.phase_ordering_number, NO_NUMBER - 1, row.id)


def _between(what: str, number: int, highest: int, identity: str) -> None:
    if not 0 <= number <= highest:
        raise InvalidModel(f"{what} {number} of instance `{identity}` is not between 0 and {highest}")
