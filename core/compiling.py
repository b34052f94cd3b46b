"""From a fleet and its rules to numbers: what the kernel knows for good, and the columns of the first state.

Instances get their slots set by set, in a set by phase ordering number, cell and upgrade domain, then by id: so a
bucket's instances lie side by side, and a batch is found by one scan of a few bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Final

from attrs import evolve, frozen

from phasegate.core import codes as c
from phasegate.core import packing
from phasegate.core import roster as r
from phasegate.core.columns import COLUMNS, PAGE_ROWS, Table
from phasegate.core.directory import Directory
from phasegate.core.lifecycle import Life, compiled
from phasegate.core.model import ZONELESS, Fleet, Health, Image, ScaleSet
from phasegate.core.pages import DIGEST_BYTES, Paged
from phasegate.core.roster import NO_NUMBER, Roster
from phasegate.core.rules import Rules
from phasegate.core.snapshot import Snapshot
from phasegate.core.state import Book, State
from phasegate.core.statics import Statics, ragged
from phasegate.core.topology import Topology
from phasegate.core.vector import Vector
from phasegate.core.versions import version_key

_PENDING: Final = bytes((Life.PENDING | health << c.HEALTH_SHIFT) & 255 for health in range(256))  # `life` by health


def make_statics(models: Sequence[ScaleSet], directory: Directory, topology: Topology, rules: Rules) -> Statics:
    """Return the flat numbers that a kernel needs beside the state."""
    words, rows = topology.rows()
    region_of = {cell: directory.region_number[cell.rsplit("/", 1)[0]] for cell in topology.cells}
    region_sets = array("I", [0] * (len(directory.regions) + 1))
    for region in directory.set_region:
        region_sets[region + 1] += 1
    for at in range(len(directory.regions)):
        region_sets[at + 1] += region_sets[at]
    number = directory.set_number
    of_sets: dict[str, list[list[int]]] = {kind: [[] for _ in models] for kind in ("instances", "sets")}
    of_cells: list[list[int]] = [[] for _ in topology.cells]
    for g, group in enumerate(rules.groups):
        for member in group.members:
            if group.counts == "cells":
                of_cells[directory.cell_number[member]].append(g)
            else:
                of_sets[group.counts][number[member]].append(g)
    return Statics(
        life_table=compiled(),
        listed=directory.first_slot[-1],
        cell_words=words,
        cell_rows=rows,
        cell_region=array("I", (region_of[cell] for cell in topology.cells)),
        cell_wakes=ragged(
            sorted({region_of[other] for other in topology.graph[cell]} | {region_of[cell]}) for cell in topology.cells
        ),
        cell_groups=ragged(of_cells),
        region_sets=region_sets,
        region_pairs=ragged(
            sorted(directory.region_number[other] for other in topology.pairs.adj.get(region, ()))
            for region in directory.regions
        ),
        set_instance_groups=ragged(of_sets["instances"]),
        set_work_groups=ragged(of_sets["sets"]),
        group_limit=array("I", (group.limit for group in rules.groups)),
        group_sets=ragged(
            () if group.counts == "cells" else sorted(number[member] for member in group.members)
            for group in rules.groups
        ),
        group_regions=ragged(
            sorted({region_of[member] for member in group.members}) if group.counts == "cells" else ()
            for group in rules.groups
        ),
        step_timeout_ms=rules.step_timeout_ms,
        health_timeout_ms=rules.health_timeout_ms,
        phase_bake_ms=rules.phase_bake_ms,
        phase_failure_percent=rules.phase_failure_percent,
        has_delays=rules.has_delays,
    )


@frozen
class Rows:
    """The instances of one set in slot order: columns as in the state, and its buckets side by side."""

    ident: bytes  # uint32
    sites: list[tuple[int, int, int, int]]  # cell, upgrade domain, number, how many
    version: bytes  # uint16
    health: bytes
    flag: bytes
    failed: list[tuple[int, tuple[str, ...]]]  # row, versions that failed there


class Compiler:
    """Builds the columns of the first state, set by set."""

    def __init__(self, fleet: Fleet, models: Sequence[ScaleSet], directory: Directory, rules: Rules) -> None:
        self.fleet = fleet
        self.models = models
        self.directory = directory
        self.rules = rules
        self.versions = [""]
        self.numbers: dict[tuple[int, ...], int] = {}
        self.oldest: dict[str, int] = {}  # the number of each image's oldest version
        self.images = {image.name: image for image in fleet.images}
        for image in fleet.images:
            for version in image.versions:
                self._number(version.version)

    def first_state(self, now: int) -> State:
        """Return the state in which nothing has begun: every listed instance in place, and counted."""
        flat = {column.name: array(column.typecode) for column in COLUMNS}
        failed_last: dict[int, int] = {}
        failed_more: set[tuple[int, int]] = set()
        for s, model in enumerate(self.models):
            rows = self._rows(s, model)
            first_slot, first_bucket = len(flat["life"]), len(flat["begun"])
            self._add_instances(flat, rows)
            self._add_set(flat, s, rows, first_slot, first_bucket)
            for row, versions in rows.failed:
                numbers = [self._number(version) for version in versions]
                failed_last[first_slot + row] = numbers[-1]
                failed_more.update((first_slot + row, number) for number in numbers[:-1])
        total = len(flat["life"])
        flat["order"] = array("I", range(total))
        for name in ("failed", "deadline"):
            flat[name] = array(flat[name].typecode, [0]) * total
        flat["observed"] = array("H", bytes(2 * c.OBSERVED * total))  # nothing has been reported yet: any report counts
        for slot, number in failed_last.items():
            flat["failed"][slot] = number
        counts: dict[Table, int] = {
            "instance": total,
            "order": total,
            "bucket": len(flat["begun"]),
            "set": len(self.models),
            "cell": len(self.directory.cells),
            "region": len(self.directory.regions),
            "group": len(self.rules.groups),
            "rollout": 0,
            "fleet": 1,
        }
        flat["sums"] = array("q", [0] * c.SUM)
        flat["sums"][c.SUM_TOTAL] = counts["instance"]
        flat["sums"][c.SUM_BAD] = sum(flat["tally"][s * c.TALLY + c.TALLY_BAD] for s in range(len(self.models)))
        book = Book(
            versions=tuple(self.versions),
            catalogue=self.fleet.images,
            failed_more=frozenset(failed_more),
        )
        return State(
            now=now,
            rows=counts,
            snapshot=Snapshot.of(
                tuple(
                    padded(flat[column.name].tobytes(), max(1, counts[column.table]), column.table, column.row_bytes)
                    for column in COLUMNS
                )
            ),
            book=book,
            history=Vector.filled((), len(self.models)),
            fleet_digest=blake2b(
                repr((self.directory.sets, self.directory.cells)).encode(), digest_size=DIGEST_BYTES
            ).digest(),
        )

    def _number(self, version: str) -> int:
        """Return the number of a version, however it is spelt; 0 for the empty one, which is unknown."""
        if not version:
            return 0
        number = self.numbers.setdefault(version_key(version), len(self.versions))
        if number == len(self.versions):
            self.versions.append(version)
        return number

    def _oldest(self, model: ScaleSet) -> int:
        name = model.image.name
        if name not in self.oldest:
            known = [version.version for version in self.images[name].versions] if name in self.images else []
            self.oldest[name] = self._number(min(known, key=version_key, default=""))
        return self.oldest[name]

    def _cell(self, model: ScaleSet, zone: str | None) -> int:
        return self.directory.cell_number[f"{model.region}/{ZONELESS if zone is None else zone}"]

    def _rows(self, s: int, model: ScaleSet) -> Rows:
        if isinstance(model.instances, Roster):
            return self._listed(s, model, model.instances)
        return self._spread(model, model.instances)

    def _spread(self, model: ScaleSet, count: int) -> Rows:
        """Spread a count evenly over the zones, then over the upgrade domains."""
        cells = [self._cell(model, zone) for zone in model.zones or (None,)]
        ident = array("I")
        sites: list[tuple[int, int, int, int]] = []
        stride = len(cells) * model.upgrade_domains
        for at, cell in enumerate(cells):
            for domain in range(model.upgrade_domains):
                ids = range(at + len(cells) * domain, count, stride)
                if not ids:
                    continue
                kept = domain if self.rules.by_upgrade_domain else 0
                if not sites or sites[-1][:2] != (cell, kept):
                    sites.append((cell, kept, NO_NUMBER, 0))
                sites[-1] = (*sites[-1][:3], sites[-1][3] + len(ids))
                ident.extend(ids)
        version = array("H", [self._oldest(model)]).tobytes() * count
        return Rows(ident.tobytes(), sites, version, bytes(count), bytes(count), [])

    def _listed(self, s: int, model: ScaleSet, roster: Roster) -> Rows:
        """Order listed instances by number, cell, upgrade domain and id."""
        count = len(roster)
        zoneless = self._cell(model, None)
        cells = [self._cell(model, zone) for zone in roster.zones]
        ranked = sorted({*cells, zoneless})  # their places make the order of cells one byte a row
        ranks = bytearray(256)
        ranks[r.NO_ZONE] = ranked.index(zoneless)
        for zone, cell in enumerate(cells):
            ranks[zone] = ranked.index(cell)
        number = roster.number if self.rules.by_phase_order else array("i", [NO_NUMBER]).tobytes() * count
        place = roster.zone.translate(ranks)
        domain = roster.domain if self.rules.by_upgrade_domain else bytes(2 * count)
        known = [self._oldest(model) if version is None else self._number(version) for version in roster.versions]
        version, health, flag = packing.looked_up(roster.version, array("H", known)), roster.health, roster.flags
        numbers = None if s in self.directory.texts else packing.numbers(roster.ids.blob, roster.ids.ends)
        ident = (array("I", range(count)) if numbers is None else numbers).tobytes()
        failed = list(roster.failed)
        order = packing.grouped(number, place, domain)
        if order is not None:
            number, ident = (packing.taken(column, 4, order) for column in (number, ident))
            domain, version = (packing.taken(column, 2, order) for column in (domain, version))
            place, health, flag = (packing.taken(column, 1, order) for column in (place, health, flag))
            if failed:
                places = {row: at for at, row in enumerate(order)}
                failed = [(places[row], versions) for row, versions in failed]
        starts = packing.run_starts(number, place, domain)
        orders, domains = memoryview(number).cast("i"), memoryview(domain).cast("H")
        sites = [(ranked[place[start]], domains[start], orders[start], end - start) for start, end in pairwise(starts)]
        return Rows(ident, sites, version, health, flag, failed)

    @staticmethod
    def _add_instances(flat: dict[str, array[int]], rows: Rows) -> None:
        bucket = len(flat["begun"])
        flat["life"].frombytes(rows.health.translate(_PENDING))
        flat["flag"].frombytes(rows.flag)
        flat["version"].frombytes(rows.version)
        flat["ident"].frombytes(rows.ident)
        for *_, count in rows.sites:
            flat["bucket"].extend(array("I", [bucket]) * count)
            bucket += 1

    def _add_set(self, flat: dict[str, array[int]], s: int, rows: Rows, first_slot: int, first_bucket: int) -> None:
        bad = _count_bad(rows.health, 0, len(rows.health))
        row = 0
        site, wait = array("i"), array("I")
        for cell, domain, number, count in rows.sites:
            bad_here = _count_bad(rows.health, row, row + count) if bad else 0
            site.extend((s, cell, domain, number, first_slot + row, count))
            wait.extend((count, bad_here, 0))
            row += count
        flat["site"].extend(site)
        flat["wait"].extend(wait)
        flat["begun"].frombytes(bytes(len(rows.sites)))
        tally = array("I", [0] * c.TALLY)
        tally[Life.PENDING] = tally[c.TALLY_TOTAL] = len(rows.health)
        tally[c.TALLY_BAD] = bad
        flat["tally"].extend(tally)
        link = array("i", [0] * c.LINK)
        link[c.LINK_ROLLOUT] = link[c.LINK_HOLD] = -1
        link[c.LINK_REGION] = self.directory.set_region[s]
        link[c.LINK_BUCKET], link[c.LINK_BUCKETS] = first_bucket, len(rows.sites)
        flat["link"].extend(link)


def _count_bad(health: bytes, first: int, end: int) -> int:
    return health.count(Health.UNHEALTHY, first, end) + health.count(Health.UNKNOWN, first, end)


def padded(flat: bytes, rows: int, table: Table, row_bytes: int) -> Paged:
    """Return a column of that many rows, cut into pages and filled up with zeros."""
    pages = max(1, -(-rows // PAGE_ROWS[table]))
    page_bytes = row_bytes * PAGE_ROWS[table]
    return Paged.of(flat.ljust(pages * page_bytes, b"\0"), page_bytes)


def number_of(book: Book, version: str) -> int | None:
    """Return the number of a version, however it is spelt (`1.2` is `1.2.0`), None if it has none."""
    if version in book.versions:
        return book.versions.index(version)
    key = version_key(version)
    return next((n for n, known in enumerate(book.versions) if known and version_key(known) == key), None)


def interned(book: Book, version: str) -> tuple[Book, int]:
    """Return the book with that version in it, and the version's number."""
    number = number_of(book, version)
    if number is not None:
        return book, number
    return evolve(book, versions=(*book.versions, version)), len(book.versions)


def image_named(images: Iterable[Image], name: str) -> Image | None:
    """Return the image of that name, None if there is none."""
    return next((image for image in images if image.name == name), None)
