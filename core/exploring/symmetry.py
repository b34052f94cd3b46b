"""Which zones, upgrade domains and sets are interchangeable, and why it is sound to explore one of each kind.

A *symmetry* is a permutation of the buckets, cells and sets of a fleet under which everything that the rules read stays
as it is. Two states that a symmetry turns into one another have the same future up to names; if no promise tells them
apart either, exploring one of them is enough. The group that is used is made of

- the instances of one bucket (one set, phase ordering number, cell and upgrade domain) and one tag: any permutation,
- the zones of one region, all sets of the region at once,
- the upgrade domains of one set, in all zones at once,
- the sets of one region with equal models.

Soundness. (1) The kernel's step commutes with them: what it reads of an instance is in its record, its bucket and its
set; what it reads of a cell are its conflicts and groups, of a set its limits and groups. Each generator is kept only
if `is_kept` finds all of that unchanged under it. Numbers of slots, cells and sets are otherwise read only to *order*
things, and an order decides nothing here: `legal` is a set of batches, and settling ends attempts one by one until
nothing moves. (2) The promises speak of cells, sets and instances by these same relations. (3) An act has an image
under every symmetry: the environment and people may do to each what they may do to any. Where one of these does not
hold, there is no symmetry: an orchestrator that takes only what `select` gives goes by order, a user's own policy may
go by names, and whoever one of the scenario's events names is told apart by a tag (instances) or fixed (sets, regions).

The order of settling needs a word: `walk` ends attempts at gates in order of cells and sets, and an end may free a cell
for a set later in order, which is then looked at in the next round. Ends only ever free, gates do not look at other
sets, and a set ends at its gates as soon as it could start; so the fixed point is the same in every order unless two
sets contend for one cell with both gates broken, where the first that could start ends first, and frees the cell for
the other, which then ends too.
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


def symmetries(opened: Open) -> tuple[Symmetry, ...]:
    """Return the group of the fleet, the identity first; only the identity where there is none, or it is too large."""
    found = [identity(opened)]
    if opened.subject.takes != "legal" or opened.work.compiled.rules.asks:
        return tuple(found)
    for generators in (_zones(opened), _domains(opened), _sets(opened)):
        kept = [one for one in generators if is_kept(opened, one)]
        if len(found) * len(kept) <= GROUP_MAX:
            found = list(dict.fromkeys(_after(one, other) for other in kept for one in found))
    return tuple(found)


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
    zones = [[x for x in of if x in used] for of in by_region.values()]
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


def _sets(opened: Open) -> Iterator[Symmetry]:
    alike: dict[object, list[int]] = {}
    for s in range(opened.rows["set"]):
        alike.setdefault(evolve(opened.work.model(s), name="-"), []).append(s)
    still = identity(opened)
    for orders in product(*(permutations(of) for of in alike.values())):
        sets = list(still.set)
        for of, order in zip(alike.values(), orders, strict=True):
            for one, other in zip(of, order, strict=True):
                sets[one] = other
        yield from _some(_moved(opened, still.cell, tuple(sets), {}))


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
