"""The listed instances of one set, as columns: a row each, in the order of their ids (semantics 1)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence

from attrs import field, frozen

from phasegate.core.errors import InvalidModel
from phasegate.core.names import PackedNames
from phasegate.core.order import natural_key

NO_ZONE = 255
NO_NUMBER = 2**31 - 1

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

        `InvalidModel` if an id is empty, holds a `/` or is there twice, or if a number is out of its range.
        """
        rows = sorted(instances, key=lambda instance: natural_key(instance.id))
        for what, many, count_max in (
            ("zones", {row.zone for row in rows} - {None}, NO_ZONE),
            ("versions", {row.version for row in rows}, 2**16),
        ):
            if len(many) > count_max:
                raise InvalidModel(f"{len(many)} {what} in one set; at most {count_max} are possible")
        zones: dict[str, int] = {}
        versions: dict[str | None, int] = {}
        zone, health, flags = bytearray(), bytearray(), bytearray()
        domain, version, number = array("H"), array("H"), array("i")
        failed: list[tuple[int, tuple[str, ...]]] = []
        before: str | None = None
        for at, row in enumerate(rows):
            _check(row, before)
            before = row.id
            zone.append(NO_ZONE if row.zone is None else zones.setdefault(row.zone, len(zones)))
            domain.append(row.upgrade_domain)
            version.append(versions.setdefault(row.version, len(versions)))
            health.append(row.health)
            flags.append(row.flags)
            number.append(NO_NUMBER if row.phase_ordering_number is None else row.phase_ordering_number)
            if row.failed_versions:
                failed.append((at, row.failed_versions))
        return cls(
            PackedNames.of(row.id for row in rows),
            tuple(zones),
            tuple(versions),
            bytes(zone),
            domain.tobytes(),
            version.tobytes(),
            bytes(health),
            bytes(flags),
            number.tobytes(),
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
            failed_versions=dict(self.failed).get(at % len(self), ()),
            on_model=not flags & OFF_MODEL,
        )

    def __iter__(self) -> Iterator[Instance]:
        return (self[at] for at in range(len(self)))


def _check(row: Instance, before: str | None) -> None:
    if not row.id or "/" in row.id:
        raise InvalidModel(f"instance id `{row.id}` is empty or holds a `/`")
    if row.id == before:
        raise InvalidModel(f"instance `{row.id}` is there twice")
    if not 0 <= row.upgrade_domain <= 65535:
        raise InvalidModel(f"upgrade domain {row.upgrade_domain} of instance `{row.id}` is not between 0 and 65535")
    number = row.phase_ordering_number
    if number is not None and not 0 <= number < NO_NUMBER:
        what = f"phase ordering number {number} of instance `{row.id}`"
        raise InvalidModel(f"{what} is not between 0 and {NO_NUMBER - 1}")
