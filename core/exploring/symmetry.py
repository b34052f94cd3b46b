"""Which zones, upgrade domains and regions are interchangeable, and why it is sound to explore one of each kind.

A *symmetry* is a permutation of the buckets, cells and sets of a fleet under which everything that the rules read stays
as it is. Two states that a symmetry turns into one another have the same future up to names; if no promise tells them
apart either, exploring one of them is enough. The group that is used is made of

- the instances of one bucket (one set, phase ordering number, cell and upgrade domain) and one tag: any permutation,
- the upgrade domains of one set, in all zones at once,
- the zones of one region,
- regions with equal zones and equal sets, the first set of one for the first of the other and so on.

Soundness. (1) The kernel's step commutes with them: what it reads of an instance is in its record, its bucket and its
set; what it reads of a cell are its conflicts and groups, of a set its limits and groups. Each generator is kept only
if `is_kept` finds all of that unchanged under it, and the first state too. Numbers of slots, cells and sets are
otherwise read only to *order* things. `legal` is a set of batches, whatever the order. But gates are looked at "in this
order, after the picks before it" (section 7): of two sets that *contend*, that is, that the pick of one may keep from
starting the other, the order decides whose gates are looked at. So zones are interchangeable only where no two sets of
their region contend and no set of it contends with another region's; regions only where they contend with no other; and
instances and upgrade domains only where no two sets share a group of instances, in which the size of one pick, which
goes by order, is room that another lacks. (2) The promises speak of cells, sets and instances by these same relations.
(3) An act has an image under every symmetry: the environment and people may do to each what they may do to any. Where
one of these does not hold, there is no symmetry: an orchestrator that takes only what `select` gives goes by order, a
user's own policy may go by names, and whoever one of the scenario's events names is told apart by a tag (instances) or
fixed (sets, regions). And where an instance may fail with one version after another, the book names it by its slot,
which is in no record: then nobody is interchangeable either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations, product
from typing import Final

from attrs import evolve, frozen

from phasegate.core import codes as c
from phasegate.core.events import Configured, Protected, Replicated, Rollout
from phasegate.core.exploring.subject import Open

GROUP_MAX: Final = 720


@frozen
class Symmetry:
    """One permutation: where each bucket, cell and set goes."""

    bucket: tuple[int, ...]
    cell: tuple[int, ...]
    set: tuple[int, ...]


def identity(opened: Open) -> Symmetry:
    """Return the symmetry that leaves everything in place."""
    rows = opened.rows
    return Symmetry(tuple(range(rows["bucket"])), tuple(range(rows["cell"])), tuple(range(rows["set"])))


def is_free(opened: Open) -> bool:
    """Whether instances of one bucket are interchangeable."""
    lists = opened.work.compiled.statics.set_instance_groups
    is_shared = any(list(lists[1]).count(group) > 1 for group in lists[1])
    has_names = opened.work.compiled.rules.asks or fails_with_several(opened)
    return opened.subject.takes == "legal" and not has_names and not is_shared


def fails_with_several(opened: Open) -> bool:
    """Whether an instance may fail with several versions, of which the book keeps the older ones by its slot."""
    book, v = opened.books[0], opened.v
    targets: dict[str, set[str | None]] = {}
    for record in book.rollouts:
        targets.setdefault(record.image, set()).add(record.target)
    for order in opened.subject.orders:
        if isinstance(order, Rollout):
            targets.setdefault(order.image, set()).add(order.target)
    versions = {version for some in targets.values() for version in some}
    listed = {book.versions[v.failed[slot]] for slot in range(opened.rows["instance"]) if v.failed[slot]}
    return bool(book.failed_more or listed - versions) or any(len(some) > 1 for some in targets.values())


def symmetries(opened: Open) -> tuple[Symmetry, ...]:
    """Return the group of the fleet, the identity first; only the identity where there is none, or it is too large."""
    found = [identity(opened)]
    if not is_free(opened):
        return tuple(found)
    for generators in (_zones(opened), _domains(opened), _regions(opened)):
        kept = [one for one in generators if is_kept(opened, one)]
        if len(found) * len(kept) <= GROUP_MAX:
            found = list(dict.fromkeys(_after(one, other) for other in kept for one in found))
    return tuple(found)


# --- who contends ----------------------------------------------------------------------------------------------------


def contending(opened: Open) -> frozenset[tuple[int, int]]:
    """Return the pairs of sets of which one may keep the other from starting: by region, pair, conflict or group."""
    compiled = opened.work.compiled
    region = compiled.directory.set_region
    edges = compiled.topology.graph.edges
    number = compiled.directory.region_number
    near = {(number[one.rsplit("/", 1)[0]], number[other.rsplit("/", 1)[0]]) for one, other in edges}
    near |= {(number[one], number[other]) for one, other in compiled.topology.pairs.edges}
    near |= {(other, one) for one, other in near}
    names = compiled.directory.sets
    groups = [
        {region[s] for s, name in enumerate(names) if name in group.members}
        if group.counts != "cells"
        else {number[cell.rsplit("/", 1)[0]] for cell in group.members}
        for group in compiled.rules.groups
    ]
    return frozenset(
        (s, other)
        for s in range(len(names))
        for other in range(len(names))
        if s != other
        and (
            region[s] == region[other]
            or (region[s], region[other]) in near
            or any(region[s] in group and region[other] in group for group in groups)
        )
    )


def _after(first: Symmetry, then: Symmetry) -> Symmetry:
    return Symmetry(
        tuple(then.bucket[b] for b in first.bucket),
        tuple(then.cell[x] for x in first.cell),
        tuple(then.set[s] for s in first.set),
    )


# --- candidates ------------------------------------------------------------------------------------------------------


def _sites(opened: Open) -> list[tuple[int, int, int, int]]:
    site = opened.v.site
    return [
        (site[b + c.SITE_SET], site[b + c.SITE_CELL], site[b + c.SITE_NUMBER], site[b + c.SITE_DOMAIN])
        for b in range(0, opened.rows["bucket"] * c.SITE, c.SITE)
    ]


def _moved(
    opened: Open, cell: tuple[int, ...], sets: tuple[int, ...], domains: dict[int, dict[int, int]]
) -> Symmetry | None:
    """Return the symmetry that these make of the buckets, None if a bucket would go where there is none."""
    sites = _sites(opened)
    place = {site: b for b, site in enumerate(sites) if opened.is_live(b)}
    bucket = []
    for b, (s, x, number, domain) in enumerate(sites):
        if not opened.is_live(b):
            bucket.append(b)
            continue
        to = place.get((sets[s], cell[x], number, domains.get(s, {}).get(domain, domain)))
        if to is None:
            return None
        bucket.append(to)
    return Symmetry(tuple(bucket), cell, sets)


def _zones(opened: Open) -> Iterator[Symmetry]:
    names = opened.work.compiled.directory.cells
    by_region: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        region, zone = name.rsplit("/", 1)
        if zone != "-":
            by_region.setdefault(region, []).append(at)
    used = {site[1] for site in _sites(opened)}
    directory = opened.work.compiled.directory
    busy = {directory.regions[directory.set_region[s]] for pair in contending(opened) for s in pair}
    zones = [[x for x in of if x in used] for name, of in by_region.items() if name not in busy]
    for orders in product(*(permutations(of) for of in zones)):
        cell = list(range(len(names)))
        for of, order in zip(zones, orders, strict=True):
            for one, other in zip(of, order, strict=True):
                cell[one] = other
        yield from _some(_moved(opened, tuple(cell), identity(opened).set, {}))


def _domains(opened: Open) -> Iterator[Symmetry]:
    still = identity(opened)
    of_set: dict[int, list[int]] = {}
    for s, _, _, domain in _sites(opened):
        if domain not in of_set.setdefault(s, []):
            of_set[s].append(domain)
    for orders in product(*(permutations(of) for of in of_set.values())):
        domains = {s: dict(zip(of, order, strict=True)) for (s, of), order in zip(of_set.items(), orders, strict=True)}
        yield from _some(_moved(opened, still.cell, still.set, domains))


def _regions(opened: Open) -> Iterator[Symmetry]:
    """Swap regions that are alike and contend with no other: cells zone by zone, sets in order of their names."""
    directory = opened.work.compiled.directory
    contend = contending(opened)
    region = directory.set_region
    sets = {r: [s for s in range(opened.rows["set"]) if region[s] == r] for r in range(len(directory.regions))}
    cells = {
        r: [x for x, cell in enumerate(directory.cells) if cell.rsplit("/", 1)[0] == name]
        for r, name in enumerate(directory.regions)
    }
    alike: dict[object, list[int]] = {}
    for r, mine in sets.items():
        if any(region[other] != r for s in mine for one, other in contend if one == s):
            continue
        models = tuple(evolve(opened.work.model(s), name="-", region="-") for s in mine)
        zones = tuple(directory.cells[x].rsplit("/", 1)[1] for x in cells[r])
        alike.setdefault((zones, models), []).append(r)
    still = identity(opened)
    for orders in product(*(permutations(of) for of in alike.values())):
        cell, moved = list(still.cell), list(still.set)
        for of, order in zip(alike.values(), orders, strict=True):
            for one, other in zip(of, order, strict=True):
                for x, to in zip(cells[one], cells[other], strict=True):
                    cell[x] = to
                for s, to in zip(sets[one], sets[other], strict=True):
                    moved[s] = to
        yield from _some(_moved(opened, tuple(cell), tuple(moved), {}))


def _some(one: Symmetry | None) -> Iterable[Symmetry]:
    return () if one is None else (one,)


# --- what stays as it is ---------------------------------------------------------------------------------------------


def is_kept(opened: Open, one: Symmetry) -> bool:
    """Whether everything that the rules and promises read, beside the states themselves, stays as it is."""
    statics = opened.work.compiled.statics
    cells, words = range(opened.rows["cell"]), statics.cell_words

    def conflicts(x: int, y: int) -> bool:
        return bool(statics.cell_rows[x * words + (y >> 6)] >> (y & 63) & 1)

    def members(lists: tuple[object, object], at: int) -> frozenset[int]:
        first, items = lists
        return frozenset(items[first[at] : first[at + 1]])  # type: ignore[index]

    tags = [sorted(opened.tags[slot] for slot in opened.kernel.members(b)) for b in range(opened.rows["bucket"])]
    return (
        all(tags[b] == tags[to] for b, to in enumerate(one.bucket))
        and all(conflicts(x, y) == conflicts(one.cell[x], one.cell[y]) for x in cells for y in cells)
        and all(members(statics.cell_groups, x) == members(statics.cell_groups, one.cell[x]) for x in cells)
        and all(
            members(lists, s) == members(lists, to)
            for lists in (statics.set_instance_groups, statics.set_work_groups)
            for s, to in enumerate(one.set)
        )
        and all(one.set[s] == s for s in _named(opened))
        and _first_state_is_kept(opened, one)
    )


def _first_state_is_kept(opened: Open, one: Symmetry) -> bool:
    """Whether the first state is its own image: the facts of instances, bucket by bucket, and of sets."""
    v = opened.v

    def bucket(b: int) -> tuple[object, ...]:
        run = opened.kernel.members(b)
        facts = sorted((v.life[x], v.flag[x], v.version[x], v.failed[x]) for x in run)
        return (*facts, v.begun[b])

    def of_set(s: int) -> tuple[object, ...]:
        link = s * c.LINK
        percent = bytes(v.percent[s * c.PERCENT : (s + 1) * c.PERCENT])
        links = tuple(v.link[link : link + c.LINK_HOLD])
        clock = v.clock[s * c.CLOCK + c.CLOCK_PAUSE]
        return (v.status[s], v.mark[s], v.option[s], v.code[s], percent, links, v.link[link + c.LINK_TARGET], clock)

    return all(bucket(b) == bucket(to) for b, to in enumerate(one.bucket)) and all(
        of_set(s) == of_set(to) for s, to in enumerate(one.set)
    )


def _named(opened: Open) -> frozenset[int]:
    """Return the sets that the reserve or one of the scenario's own events names, itself or by its region."""
    directory = opened.work.compiled.directory
    found: set[int] = set()
    for order in opened.subject.orders:
        match order:
            case Configured():
                found.add(directory.set_named(order.model.full_name))
            case Protected():
                found.add(directory.set_named(order.set))
            case Rollout():
                found.update(directory.set_named(name) for name in order.sets or ())
            case Replicated():
                found.update(s for s, r in enumerate(directory.set_region) if directory.regions[r] == order.region)
    return frozenset(found | {s for s, _ in opened.spares.values()})
