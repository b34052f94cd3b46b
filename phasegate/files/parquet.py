"""Fleets in Parquet: one file whose rows are instances, with the fleet's description in its metadata or beside it.

The rows have these columns; the first two are needed, any other may be left out, and null is the same as left out:

| column | type | left out |
| --- | --- | --- |
| `set` | text, `region/name` | |
| `id` | text | |
| `zone` | text | no zone |
| `upgrade_domain` | whole number, 0 to 65535 | 0 |
| `version` | text | the oldest known one |
| `health` | text: healthy, unhealthy, unknown, initializing | healthy |
| `protect_from_scale_set_actions`, `protect_from_scale_in`, `skip_upgrade` | boolean | false |
| `phase_ordering_number` | whole number | none, comes last |
| `failed_versions` | list of texts | none |
| `on_model` | boolean | true |

The description is a fleet document (`phasegate/fleet/1`): regions, images, sets and so on, where the sets whose
instances are rows have no `instances`. It is the value of the key `phasegate` in the file's metadata, as `write`
writes it; without that, it is the file of the same name with the ending `.json`, `.yaml` or `.yml`. The rows of a set
are best side by side, but need not be. Rows are counted from 0 in errors.

Columns are read one after the other, and cut into rosters set by set: there is no object for an instance.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from phasegate.core import packing
from phasegate.core.errors import InvalidModel
from phasegate.core.model import Fleet, refuse_unknown
from phasegate.core.names import PackedNames
from phasegate.core.roster import DOMAIN_MAX, NO_NUMBER, NO_ZONE, Roster
from phasegate.core.versions import version_key
from phasegate.files.documents import InvalidFile, open_atomically, reading
from phasegate.files.fleetwrite import description_text
from phasegate.files.instancerows import FLAGS, HEALTH, HEALTH_WORDS, RAISED_BY_FALSE

KEY: Final = b"phasegate"
BESIDE: Final = (".json", ".yaml", ".yml")
ROWS_A_GROUP: Final = 2**20
_NONE: Final = 2**16 - 1  # the code of a row without
_LOW: Final = 0 if sys.byteorder == "little" else 1  # which byte of a uint16 is the lower one

_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [
        pa.field("set", _TEXT, nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("zone", _TEXT),
        pa.field("upgrade_domain", pa.uint16()),
        pa.field("version", _TEXT),
        pa.field("health", _TEXT),
        pa.field("protect_from_scale_set_actions", pa.bool_()),
        pa.field("protect_from_scale_in", pa.bool_()),
        pa.field("skip_upgrade", pa.bool_()),
        pa.field("phase_ordering_number", pa.int32()),
        pa.field("failed_versions", pa.list_(pa.string())),
        pa.field("on_model", pa.bool_()),
    ]
)
_CODED: Final = ("set", "zone", "version", "health")


# --- reading ---------------------------------------------------------------------------------------------------------


class Rows:
    """An open file of instances, or its bytes; `name` is what errors call it."""

    def __init__(self, source: str | os.PathLike[str] | bytes, name: str) -> None:
        self.name = name
        opened = pa.BufferReader(source) if isinstance(source, bytes) else mapped(source, name)
        try:
            names = pq.read_schema(opened).names
            coded = [column for column in _CODED if column in names]
            self.file = pq.ParquetFile(opened, read_dictionary=coded)
        except (pa.ArrowException, OSError) as error:
            raise InvalidFile(f"no Parquet: {one_line(error)}", name) from None
        self.order: Any = None  # how the rows are sorted so that those of a set are side by side, None if they are
        self.columns: Sequence[str] = names
        for column in ("set", "id"):
            if column not in names:
                raise InvalidFile(f"column `{column}` is missing", name)
        for column in self.file.schema_arrow:
            if column.name not in SCHEMA.names:
                try:
                    refuse_unknown(column.name, SCHEMA.names, "column", "")
                except InvalidModel as error:
                    raise InvalidFile(error.what, name) from None
            expected = _kind(SCHEMA.field(column.name).type)
            if _kind(column.type) not in (expected, "nulls", "lists of nulls"):
                raise InvalidFile(f"expected {expected}, got {column.type}", name, f"column {column.name}")

    @property
    def description(self) -> bytes | None:
        """The fleet's description in the metadata, None if it is not there."""
        found: bytes | None = (self.file.schema_arrow.metadata or {}).get(KEY)
        return found

    @staticmethod
    def beside(path: str | os.PathLike[str]) -> Path:
        """Return the description that stands beside a file; `InvalidFile` if there is none."""
        for ending in BESIDE:
            found = Path(path).with_suffix(ending)
            if found.is_file():
                return found
        endings = ", ".join(f"`{ending}`" for ending in BESIDE)
        what = f"has no description of its fleet: neither in its metadata (key `phasegate`) nor beside it ({endings})"
        raise InvalidFile(what, os.fspath(path))

    def put_into(self, sets: Sequence[Any]) -> None:
        """Set the rows as `instances` of the described sets, which are plain data; `InvalidFile` for a fault in a row.

        A set whose region or name is no text is passed over: whoever reads the description refuses it.
        """
        runs = self._runs({name: s for s, name in enumerate(map(_full_name, sets)) if name is not None})
        count = self.file.metadata.num_rows
        ends, blob = self._ids()
        zones, zone = self._zones(count)
        versions, version = self._versions(count)
        domain = self._numbers("upgrade_domain", pa.uint16(), 0, DOMAIN_MAX)
        health, flags = self._health(count), self._flags(count)
        number = self._numbers("phase_ordering_number", pa.int32(), NO_NUMBER, NO_NUMBER - 1)
        failed = self._failed()
        failing = sorted(failed)
        for s, first, end in runs:
            if "instances" in sets[s]:
                what = f"set `{_full_name(sets[s])}` has rows, and `instances` in its description"
                raise self._fault(what, "set", first)
            used, codes = packing.recoded(bytes(zone[2 * first : 2 * end]), 2, _NONE)
            if len(used) > NO_ZONE:
                raise self._fault(f"{len(used)} zones in one set; at most {NO_ZONE} are possible", "zone", first)
            self._check_zones(sets[s], [zones[code] for code in used], codes, first)
            start, names = packing.cut_ends(ends, first, end)
            ids = PackedNames(bytes(blob[start : start + _last(names)]), names)
            mine = failing[bisect_left(failing, first) : bisect_left(failing, end)]
            try:
                sets[s]["instances"] = Roster.of_columns(
                    ids,
                    zones=[zones[code] for code in used],
                    versions=versions,
                    zone=codes[_LOW::2],
                    domain=bytes(domain[2 * first : 2 * end]),
                    version=bytes(version[2 * first : 2 * end]),
                    health=bytes(health[first:end]),
                    flags=bytes(flags[first:end]),
                    number=bytes(number[4 * first : 4 * end]),
                    failed=[(at - first, failed[at]) for at in mine],
                )
            except InvalidModel as error:
                raise self._fault(error.what, "id", first + _wrong(ids)) from None

    def _runs(self, known: Mapping[str, int]) -> list[tuple[int, int, int]]:
        """Return each set that has rows with where these begin and end, once they are side by side."""
        column = self._column("set", _TEXT)
        if column.null_count:
            raise self._fault("a row without its set", "set", _first(column.is_null()))
        names = column.dictionary.to_pylist()
        indices = column.indices
        encoded = pc.run_end_encode(indices)
        if len(encoded.values) != len(pc.unique(encoded.values)):
            self.order = pc.array_sort_indices(indices)
            encoded = pc.run_end_encode(indices.take(self.order))
        runs = []
        first = 0
        for code, end in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
            if names[code] not in known:
                try:
                    refuse_unknown(names[code], known, "set", "")
                except InvalidModel as error:
                    raise self._fault(error.what, "set", first) from None
            runs.append((known[names[code]], first, end))
            first = end
        return runs

    def _column(self, column: str, form: Any) -> Any:
        """Return a column in one piece, of that type, in the order of the runs; refused if it cannot be read."""
        try:
            found = self.file.read(columns=[column]).column(0)
            if found.type != form:
                found = found.cast(pa.string()).dictionary_encode() if form == _TEXT else found.cast(form)
            found = (found.unify_dictionaries() if form == _TEXT else found).combine_chunks()
        except (pa.ArrowException, OSError) as error:
            raise InvalidFile(one_line(error), self.name, f"column {column}") from None
        if isinstance(found, pa.ChunkedArray):
            found = found.chunk(0) if found.num_chunks else pa.array([], form)
        return found if self.order is None else found.take(self.order)

    def _ids(self) -> tuple[memoryview, memoryview]:
        """Return where each id ends (int64, a 0 before the first), and the texts of all."""
        column = self._column("id", pa.large_string())
        if column.null_count:
            raise self._fault("a row without its id", "id", _first(column.is_null()))
        _, ends, blob = column.buffers()
        texts = memoryview(b"" if blob is None else blob)
        return memoryview(bytes(8) if ends is None else ends).cast("B")[8 * column.offset :], texts

    def _coded(self, column: str) -> tuple[list[Any], Any]:
        """Return the texts of a column, and for each row the place of its own, null for none."""
        coded = self._column(column, _TEXT)
        names = coded.dictionary.to_pylist()
        if len(names) >= _NONE:
            what = f"{len(names)} different texts; at most {_NONE - 1} are possible"
            raise InvalidFile(what, self.name, f"column {column}")
        return names, coded.indices

    def _zones(self, count: int) -> tuple[list[str], memoryview]:
        if "zone" not in self.columns:
            return [], memoryview(array("H", [_NONE]) * count).cast("B")
        zones, indices = self._coded("zone")
        return zones, _flat(indices.fill_null(_NONE).cast(pa.uint16()))

    def _check_zones(self, scale_set: Mapping[str, Any], used: Sequence[str], codes: bytes, first: int) -> None:
        listed = scale_set.get("zones", ())
        for place, zone in enumerate(used):
            if zone not in listed:
                row = first + list(memoryview(codes).cast("H")).index(place)
                what = f"zone `{zone}` is none that set `{_full_name(scale_set)}` lists"
                raise self._fault(what, "zone", row)

    def _versions(self, count: int) -> tuple[list[str | None], memoryview]:
        if "version" not in self.columns:
            return [None], memoryview(bytes(2 * count))
        versions, indices = self._coded("version")
        for place, version in enumerate(versions):
            try:
                version_key(version)
            except InvalidModel as error:
                raise self._fault(error.what, "version", _first(pc.equal(indices, place))) from None
        return [*versions, None], _flat(indices.fill_null(len(versions)).cast(pa.uint16()))

    def _health(self, count: int) -> memoryview:
        if "health" not in self.columns:
            return memoryview(bytes(count))
        words, indices = self._coded("health")
        for place, word in enumerate(words):
            if word not in HEALTH:
                choices = ", ".join(f"`{word}`" for word in HEALTH)
                raise self._fault(f"`{word}` is none of {choices}", "health", _first(pc.equal(indices, place)))
        codes = pa.array([*(HEALTH[word] for word in words), 0], pa.uint8())
        return _flat(codes.take(indices.fill_null(len(words))))

    def _flags(self, count: int) -> memoryview:
        flags = pa.array(memoryview(bytes(count)), pa.uint8())
        for column, bit in FLAGS.items():
            if column in self.columns:
                given = self._column(column, pa.bool_())
                raised = pc.invert(given) if column in RAISED_BY_FALSE else given
                bits = pc.multiply(raised.fill_null(False).cast(pa.uint8()), pa.scalar(bit, pa.uint8()))
                flags = pc.bit_wise_or(flags, bits)
        return _flat(flags)

    def _numbers(self, column: str, form: Any, absent: int, most: int) -> memoryview:
        count = self.file.metadata.num_rows
        if column not in self.columns:
            return memoryview(array("H" if form == pa.uint16() else "i", [absent]) * count).cast("B")
        given = self._column(column, pa.int64())
        outside = pc.or_kleene(pc.less(given, 0), pc.greater(given, most))
        if pc.any(outside).as_py():
            row = _first(outside)
            raise self._fault(f"{given[row].as_py()} is not between 0 and {most}", column, row)
        return _flat(given.fill_null(absent).cast(form))

    def _failed(self) -> dict[int, tuple[str, ...]]:
        """Return the versions that failed by the rows where some did."""
        if "failed_versions" not in self.columns:
            return {}
        lists = self._column("failed_versions", pa.list_(pa.string()))
        rows = pc.indices_nonzero(pc.list_value_length(lists).fill_null(0))
        failed = {row: tuple(lists[row].as_py()) for row in rows.to_pylist()}
        for row, versions in failed.items():
            for version in versions:
                try:
                    version_key(version)
                except InvalidModel as error:
                    raise self._fault(error.what, "failed_versions", row) from None
                except (TypeError, AttributeError):
                    raise self._fault("a version is missing", "failed_versions", row) from None
        return failed

    def _fault(self, what: str, column: str, at: int) -> InvalidFile:
        row = at if self.order is None else self.order[at].as_py()
        return InvalidFile(what, self.name, f"row {row}, column {column}")


def mapped(path: str | os.PathLike[str], name: str) -> Any:
    """Open a file to be read where it lies; `InvalidFile` in the system's words if that does not go."""
    with reading(path, name):
        return pa.memory_map(os.fspath(path))


def _kind(form: Any) -> str:
    """Return of which kind a type is, in words."""
    inner = form.value_type if pa.types.is_dictionary(form) else form
    if pa.types.is_string(inner) or pa.types.is_large_string(inner):
        return "texts"
    if pa.types.is_list(form) or pa.types.is_large_list(form):
        return f"lists of {_kind(form.value_type)}"
    if pa.types.is_null(form):
        return "nulls"
    if pa.types.is_boolean(form):
        return "booleans"
    return "whole numbers" if pa.types.is_integer(form) else str(form)


def one_line(error: Exception) -> str:
    """Return the first line of what Arrow says, as error texts here are written."""
    text = str(error).partition("\n")[0]
    return text[:1].lower() + text[1:].removesuffix(".")


def _first(mask: Any) -> int:
    return int(pc.index(mask, True).as_py())


def _flat(column: Any) -> memoryview:
    """Return the bytes of a column of numbers without nulls."""
    width = column.type.bit_width // 8
    if not len(column):
        return memoryview(b"")
    return memoryview(column.buffers()[1]).cast("B")[column.offset * width : (column.offset + len(column)) * width]


def _last(ends: bytes) -> int:
    return int.from_bytes(ends[-4:], sys.byteorder)


def _full_name(scale_set: Any) -> str | None:
    """Return `region/name` of a set in plain data, None if it has none."""
    if not isinstance(scale_set, dict):
        return None
    region, name = scale_set.get("region"), scale_set.get("name")
    return f"{region}/{name}" if isinstance(region, str) and isinstance(name, str) else None


def _wrong(ids: PackedNames) -> int:
    """Return the first id that is empty, holds a `/`, or was there before."""
    seen: set[str] = set()
    for at, name in enumerate(ids):
        if not name or "/" in name or name in seen:
            return at
        seen.add(name)
    raise AssertionError("one of the ids is wrong")


# --- writing ---------------------------------------------------------------------------------------------------------


def write(fleet: Fleet, path: str | os.PathLike[str]) -> None:
    """Write the fleet to one file, its description in the metadata; all of it or nothing.

    A set with a count of instances has no rows. `InvalidFile` if the file cannot be written.
    """
    schema = SCHEMA.with_metadata({KEY: description_text(fleet)})
    with open_atomically(path) as file, pq.ParquetWriter(file, schema) as writer:
        group = _Group()
        for scale_set in fleet.sets:
            if isinstance(scale_set.instances, Roster) and scale_set.instances:
                group.add(scale_set.full_name, scale_set.instances)
                if group.count >= ROWS_A_GROUP:
                    writer.write_table(group.table())
                    group = _Group()
        if group.count:
            writer.write_table(group.table())


class _Group:
    """Rosters one after the other, as the columns of one row group."""

    def __init__(self) -> None:
        self.count = 0
        self.sets: list[str] = []
        self.ids: list[Any] = []
        self.zones: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.columns: dict[str, list[bytes]] = {}
        self.failed: dict[int, tuple[str, ...]] = {}

    def add(self, name: str, roster: Roster) -> None:
        """Add the instances of a set."""
        count = len(roster)
        zones = array("H", [_NONE]) * (NO_ZONE + 1)
        for place, zone in enumerate(roster.zones):
            zones[place] = self.zones.setdefault(zone, len(self.zones))
        versions = array(
            "H",
            (_NONE if one is None else self.versions.setdefault(one, len(self.versions)) for one in roster.versions),
        )
        wide = bytearray(2 * count)
        wide[_LOW::2] = roster.zone
        buffers = (bytes(4) + roster.ids.ends, roster.ids.blob)
        self.ids.append(pa.Array.from_buffers(pa.string(), count, [None, *map(pa.py_buffer, buffers)]))
        self.failed.update((self.count + row, versions) for row, versions in roster.failed)
        for column, data in (
            ("set", array("i", [len(self.sets)]).tobytes() * count),
            ("zone", packing.looked_up(bytes(wide), zones)),
            ("version", packing.looked_up(roster.version, versions)),
            ("upgrade_domain", roster.domain),
            ("health", roster.health),
            ("flags", roster.flags),
            ("phase_ordering_number", roster.number),
        ):
            self.columns.setdefault(column, []).append(data)
        self.sets.append(name)
        self.count += count

    def table(self) -> Any:
        """Return what was added as a table."""
        flags = self._column("flags", pa.uint8())
        columns = {
            "set": _texts(self.sets, self._column("set", pa.int32())),
            "id": pa.concat_arrays(self.ids),
            "zone": _texts(self.zones, _but(self._column("zone", pa.uint16()), _NONE)),
            "upgrade_domain": self._column("upgrade_domain", pa.uint16()),
            "version": _texts(self.versions, _but(self._column("version", pa.uint16()), _NONE)),
            "health": _texts(HEALTH_WORDS, self._column("health", pa.uint8())),
            "phase_ordering_number": _but(self._column("phase_ordering_number", pa.int32()), NO_NUMBER),
            "failed_versions": self._failed(),
        }
        for column, bit in FLAGS.items():
            raised = pc.not_equal(pc.bit_wise_and(flags, pa.scalar(bit, pa.uint8())), pa.scalar(0, pa.uint8()))
            columns[column] = pc.invert(raised) if column in RAISED_BY_FALSE else raised
        return pa.table([columns[column] for column in SCHEMA.names], schema=SCHEMA)

    def _column(self, column: str, form: Any) -> Any:
        data = b"".join(self.columns.pop(column))
        return pa.Array.from_buffers(form, self.count, [None, pa.py_buffer(data)])

    def _failed(self) -> Any:
        form = pa.list_(pa.string())
        if not self.failed:
            return pa.nulls(self.count, form)
        return pa.array([self.failed.get(row) for row in range(self.count)], form)


def _but(column: Any, value: int) -> Any:
    """Return the column with null where it has that value."""
    return pc.if_else(pc.equal(column, pa.scalar(value, column.type)), pa.scalar(None, column.type), column)


def _texts(words: Iterable[str], places: Any) -> Any:
    return pa.DictionaryArray.from_arrays(places.cast(pa.int32()), pa.array(list(words), pa.string()))
