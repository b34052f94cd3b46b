"""Reading fleets in Parquet: column after column, cut into rosters set by set (`files.parquet` has the layout)."""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from phasegate.core import packing
from phasegate.core.errors import InvalidModel
from phasegate.core.model import refuse_unknown
from phasegate.core.names import PackedNames, is_name
from phasegate.core.roster import DOMAIN_MAX, NO_NUMBER, NO_ZONE, Roster
from phasegate.core.versions import version_key
from phasegate.files.documents import InvalidFile
from phasegate.files.instancerows import FLAGS, HEALTH, RAISED_BY_FALSE
from phasegate.files.parquet import BESIDE, CODED, KEY, LOW, NONE, SCHEMA, TEXT, kind_of_type, mapped, one_line

pc: Any = import_module("pyarrow.compute")  # its functions are made as it is imported: no type checker knows them


class Rows:
    """An open file of instances, or its bytes; `name` is what errors call it."""

    def __init__(self, source: str | os.PathLike[str] | bytes, name: str) -> None:
        self.name = name
        opened = pa.BufferReader(source) if isinstance(source, bytes) else mapped(source, name)
        try:
            names = pq.read_schema(opened).names
            coded = [column for column in CODED if column in names]
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
            expected = kind_of_type(SCHEMA.field(column.name).type)
            if kind_of_type(column.type) not in (expected, "nulls", "lists of nulls"):
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
            used, codes = packing.recoded(bytes(zone[2 * first : 2 * end]), 2, NONE)
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
                    zone=codes[LOW::2],
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
        column = self._column("set", TEXT)
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
                found = found.cast(pa.string()).dictionary_encode() if form == TEXT else found.cast(form)
            found = (found.unify_dictionaries() if form == TEXT else found).combine_chunks()
        except (pa.ArrowException, OSError) as error:
            raise InvalidFile(one_line(error), self.name, f"column {column}") from None
        try:
            found.validate(full=True)
        except pa.ArrowInvalid:  # of what was read and cast it is the texts alone that nobody has looked at
            raise InvalidFile("text is not UTF-8", self.name, f"column {column}") from None
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
        coded = self._column(column, TEXT)
        names = coded.dictionary.to_pylist()
        if len(names) >= NONE:
            what = f"{len(names)} different texts; at most {NONE - 1} are possible"
            raise InvalidFile(what, self.name, f"column {column}")
        return names, coded.indices

    def _zones(self, count: int) -> tuple[list[str], memoryview]:
        if "zone" not in self.columns:
            return [], memoryview(array("H", [NONE]) * count).cast("B")
        zones, indices = self._coded("zone")
        return zones, _flat(indices.fill_null(NONE).cast(pa.uint16()))

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
    """Return the first id that is no name, or was there before."""
    first: dict[str, int] = {}
    return next(at for at, name in enumerate(ids) if not is_name(name) or first.setdefault(name, at) != at)
