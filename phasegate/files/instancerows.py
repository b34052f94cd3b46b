"""Listed instances between a file and a roster: many rows of JSON at once, column by column.

msgspec decodes a set's rows in bulk, each column is then taken from all of them in one go, and the rows are dropped
before the next set is read. What is decoded in bulk is what the strict reader would accept, or it is not accepted at
all: the caller then reads the same text with that one, for an error that helps.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Health
from phasegate.core.names import PackedNames
from phasegate.core.roster import (
    DOMAIN_MAX,
    NO_NUMBER,
    NO_ZONE,
    OFF_MODEL,
    PROTECTED,
    PROTECTED_FROM_SCALE_IN,
    SKIPPED,
    Roster,
)
from phasegate.core.versions import version_key

HEALTH: Final = {member.name.lower(): int(member) for member in Health}
HEALTH_WORDS: Final = tuple(HEALTH)
FLAGS: Final = {
    "protect_from_scale_set_actions": PROTECTED,
    "protect_from_scale_in": PROTECTED_FROM_SCALE_IN,
    "skip_upgrade": SKIPPED,
    "on_model": OFF_MODEL,
}
RAISED_BY_FALSE: Final = frozenset(("on_model",))  # the keys whose flag is raised where they are false


class Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A listed instance as it stands in a file, with the keys of `Instance`; what is left out is `UNSET`."""

    id: str
    zone: str | UnsetType | None = UNSET
    upgrade_domain: int | UnsetType = UNSET
    version: str | UnsetType | None = UNSET
    health: str | UnsetType = UNSET
    protect_from_scale_set_actions: bool | UnsetType = UNSET
    protect_from_scale_in: bool | UnsetType = UNSET
    skip_upgrade: bool | UnsetType = UNSET
    phase_ordering_number: int | UnsetType | None = UNSET
    failed_versions: tuple[str, ...] | UnsetType = UNSET
    on_model: bool | UnsetType = UNSET


class NotInBulk(Exception):
    """The rows are not what is read in bulk; the strict reader says what is wrong, if anything is."""


_decode: Final = msgspec.json.Decoder(list[Row]).decode


def roster_of_text(text: bytes) -> Roster:
    """Return the roster of a JSON list of instances; `NotInBulk` for any that is not plainly right.

    Quotes are counted, as a decoder passes over a key that is there twice: without backslashes, each key and each text
    has two of them, and any more belong to such a key.
    """
    if b"\\" in text:
        raise NotInBulk
    try:
        rows = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotInBulk from None
    columns: dict[str, list[Any]] = {}
    quotes = text.count(b'"')
    for key in Row.__struct_fields__:  # until all quotes are accounted for: then no row has any of the other keys
        if not quotes:
            break
        columns[key] = _column(rows, key)
        quotes -= 2 * _texts(key, columns[key])
    if quotes:
        raise NotInBulk
    return _roster(len(rows), columns)


def roster_of_rows(rows: Sequence[Row]) -> Roster:
    """Return the roster of decoded rows; `NotInBulk` if a value is out of its range, or an id wrong or there twice."""
    return _roster(len(rows), {key: _column(rows, key) for key in Row.__struct_fields__})


def _column(rows: Sequence[Row], key: str) -> list[Any]:
    return list(map(attrgetter(key), rows))


def _texts(key: str, column: Sequence[Any]) -> int:
    """Return how many texts a column stands for in a file: its keys, and those of its values that are texts."""
    given = len(column) - column.count(UNSET)
    match key:
        case "failed_versions":
            return given + sum(len(failed) for failed in column if failed is not UNSET)
        case "id" | "zone" | "version" | "health":
            return 2 * given - column.count(None)
    return given


def _roster(count: int, columns: Mapping[str, Sequence[Any]]) -> Roster:
    try:
        return _packed(count, columns)
    except (InvalidModel, KeyError, OverflowError, ValueError):
        raise NotInBulk from None


def _packed(count: int, columns: Mapping[str, Sequence[Any]]) -> Roster:
    zones, zone = _coded(columns.get("zone"), count)
    if len(zones) - (None in zones) > NO_ZONE:
        raise NotInBulk
    versions, version = _coded(columns.get("version"), count)
    if len(versions) > DOMAIN_MAX + 1:
        raise NotInBulk
    domain = array("H", bytes(2 * count))
    if "upgrade_domain" in columns:
        domain = array("H", _filled(columns["upgrade_domain"], 0))
    health = bytes(count)
    if "health" in columns:
        health = bytes(map(HEALTH.__getitem__, _filled(columns["health"], "healthy")))
    number = array("i", [NO_NUMBER]) * count
    if "phase_ordering_number" in columns:
        given = (NO_NUMBER if item is None else item for item in _filled(columns["phase_ordering_number"], None))
        number = array("i", given)
        if min(number, default=0) < 0:
            raise NotInBulk
    failed = [(at, item) for at, item in enumerate(columns.get("failed_versions", ())) if item is not UNSET and item]
    for name in (*versions, *(name for _, names in failed for name in names)):
        if name is not None:
            version_key(name)
    named = [name for name in zones if name is not None]
    places = {name: at for at, name in enumerate(named)}
    at_of = [NO_ZONE if name is None else places[name] for name in zones]
    return Roster.of_columns(
        PackedNames.of(columns.get("id", ())),
        zones=named,
        versions=versions,
        zone=bytes(map(at_of.__getitem__, zone)),
        domain=domain.tobytes(),
        version=array("H", version).tobytes(),
        health=health,
        flags=_flags(count, columns),
        number=number.tobytes(),
        failed=failed,
    )


def _coded(column: Sequence[Any] | None, count: int) -> tuple[list[Any], Iterable[int]]:
    """Return the values that occur, and for each row the place of its own; left out is None."""
    if column is None:
        return [None], [0] * count
    column = _filled(column, None)
    places = {value: at for at, value in enumerate(dict.fromkeys(column))}
    return list(places), map(places.__getitem__, column)


def _filled(column: Sequence[Any], default: object) -> Sequence[Any]:
    if UNSET not in column:
        return column
    return [default if item is UNSET else item for item in column]


def _flags(count: int, columns: Mapping[str, Sequence[Any]]) -> bytes:
    flags = bytes(count)
    for key, bit in FLAGS.items():
        off = key in RAISED_BY_FALSE
        if key in columns:
            raised = bytes(bit if item is not UNSET and item is not off else 0 for item in columns[key])
            flags = (int.from_bytes(flags) | int.from_bytes(raised)).to_bytes(count)
    return flags


def rows_of(roster: Roster, start: int = 0, end: int | None = None) -> list[Row]:
    """Return the instances from `start` to `end` as rows of a file, in their order, defaults left out."""
    span = slice(start, len(roster) if end is None else end)
    zones = [*roster.zones, *[UNSET] * (NO_ZONE + 1 - len(roster.zones))]
    versions = [UNSET if version is None else version for version in roster.versions]
    failed = dict(roster.failed)
    flags = [_flag_values(flags) for flags in range(16)]
    return [
        Row(
            id_,
            zones[zone],
            domain or UNSET,
            versions[version],
            HEALTH_WORDS[health] if health else UNSET,
            flags[flag][0],
            flags[flag][1],
            flags[flag][2],
            UNSET if number == NO_NUMBER else number,
            failed.get(at, UNSET) if failed else UNSET,
            flags[flag][3],
        )
        for at, (id_, zone, domain, version, health, flag, number) in enumerate(
            zip(
                roster.ids[span],
                roster.zone[span],
                memoryview(roster.domain).cast("H")[span],
                memoryview(roster.version).cast("H")[span],
                roster.health[span],
                roster.flags[span],
                memoryview(roster.number).cast("i")[span],
                strict=True,
            ),
            span.start,
        )
    ]


def _flag_values(flags: int) -> list[bool | UnsetType]:
    return [key not in RAISED_BY_FALSE if flags & bit else UNSET for key, bit in FLAGS.items()]
