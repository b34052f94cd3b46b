"""Writing fleets in Parquet: rosters as columns, a row group at a time (`files.parquet` has the layout)."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from phasegate.core import packing
from phasegate.core.model import Fleet
from phasegate.core.roster import NO_NUMBER, NO_ZONE, Roster
from phasegate.files.documents import open_atomically
from phasegate.files.fleetwrite import description_text
from phasegate.files.instancerows import FLAGS, HEALTH_WORDS, RAISED_BY_FALSE
from phasegate.files.parquet import KEY, LOW, NONE, SCHEMA

ROWS_A_GROUP: Final = 2**20

pc: Any = import_module("pyarrow.compute")  # its functions are made as it is imported: no type checker knows them


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
        zones = array("H", [NONE]) * (NO_ZONE + 1)
        for place, zone in enumerate(roster.zones):
            zones[place] = self.zones.setdefault(zone, len(self.zones))
        versions = array(
            "H",
            (NONE if one is None else self.versions.setdefault(one, len(self.versions)) for one in roster.versions),
        )
        wide = bytearray(2 * count)
        wide[LOW::2] = roster.zone
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
            "zone": _texts(self.zones, _but(self._column("zone", pa.uint16()), NONE)),
            "upgrade_domain": self._column("upgrade_domain", pa.uint16()),
            "version": _texts(self.versions, _but(self._column("version", pa.uint16()), NONE)),
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
