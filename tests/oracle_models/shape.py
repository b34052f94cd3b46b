"""What a scenario comes to in plain numbers, worked out from its fleet and its policy's options alone.

Everything is in the order of semantics 1: regions by phase, then name; cells zone by zone, the zoneless one last; sets
by name; instances by id. Refused with `Unmodelled` is what the models have no rules for, so that no comparison can
pass for want of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from attrs import frozen

from phasegate.core.events import Rollout
from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.subject import NOW
from phasegate.core.model import Fleet, ScaleSet, Window
from phasegate.core.order import natural_key, sorted_zones
from phasegate.core.roster import NO_NUMBER, Instance
from phasegate.core.versions import version_key
from phasegate.verifying.scenario import Scenario

CURRENT, EXCLUDED, PENDING, GONE = 0, 1, 2, 10


class Unmodelled(Exception):
    """The scenario has something that the models have no rules for."""


@frozen
class Member:
    """An instance: where it is (numbers of its set, cell, upgrade domain), and how it begins.

    `joins` is what one becomes that is held in reserve and joins by scale-out, None for everybody else.
    """

    set: int
    cell: int
    domain: int
    number: int
    life: int
    health: int
    joins: int | None = None


@frozen(kw_only=True)
class SetLimits:
    """A set: where it is, and what it runs under (percentages of semantics 7)."""

    region: int
    phase: int
    batch: int
    unhealthy: int
    upgraded: int
    of_set: bool
    shrinks: bool
    prioritizes: bool
    cross_zone: bool
    rollback: bool
    rests: bool
    is_delayed: bool
    has_window: bool
    begins_shut: bool


@frozen
class GroupLimit:
    """A group of semantics 6: what counts, at most how many, and the numbers of its members."""

    counts: str
    limit: int
    members: frozenset[int]


@frozen(kw_only=True)
class Shape:
    """A scenario in numbers. `pairs` are closed both ways, `pairs_written` as the regions name them."""

    members: tuple[Member, ...]
    sets: tuple[SetLimits, ...]
    cells: int
    pairs: frozenset[tuple[int, int]]
    pairs_written: frozenset[tuple[int, int]]
    conflicts: frozenset[tuple[int, int]]
    groups: tuple[GroupLimit, ...]
    phases: int  # 0: without phases
    phase_failure_percent: int
    bakes: bool
    freedom: Freedom

    def of_set(self, s: int) -> list[int]:
        """Return the instances of a set."""
        return [i for i, one in enumerate(self.members) if one.set == s]

    def choices(self, s: int) -> list[tuple[int, list[int]]]:
        """Return who of a set may start together: the cell (-1 with cross-zone), and the instances, in order."""
        found: dict[tuple[int, int, int], list[int]] = {}
        for i in self.of_set(s):
            one = self.members[i]
            found.setdefault((-1 if self.sets[s].cross_zone else one.cell, one.domain, one.number), []).append(i)
        return [(cell, of) for (cell, _, _), of in sorted(found.items())]

    def buckets(self) -> list[list[int]]:
        """Return the instances that are alike in set, number, cell and upgrade domain, together."""
        found: dict[tuple[int, int, int, int], list[int]] = {}
        for i, one in enumerate(self.members):
            found.setdefault((one.set, one.number, one.cell, one.domain), []).append(i)
        return list(found.values())

    def budget(self, name: str) -> int:
        """Return how often what draws on that purse may happen; `faults` fills the purse of `failed_steps`."""
        if name == "failed_steps" and self.freedom.faults is not None:
            return self.freedom.faults
        return int(getattr(self.freedom, name))

    @classmethod
    def of(cls, scenario: Scenario) -> Shape:
        """Work out the shape of a scenario."""
        fleet, options = scenario.fleet, scenario.policy.document()
        rollout = _only_rollout(scenario)
        sets = [one for one in fleet.sets if rollout.sets is None or one.full_name in rollout.sets]
        if len(sets) != len(fleet.sets):
            raise Unmodelled("sets that are not in the rollout")
        target = rollout.target or max((v.version for v in fleet.images[0].versions), key=version_key)
        oldest = min((v.version for v in fleet.images[0].versions), key=version_key)
        is_manual = rollout.sets is not None
        listed = {one.full_name: _listed(one) for one in sets}
        lives = {name: [_life(vm, target, oldest, is_manual) for vm in of] for name, of in listed.items()}
        spares: dict[str, list[Instance]] = {}
        for some in scenario.spares:
            spares.setdefault(some.set, []).extend(some.instances)
        has_phases = not is_manual and fleet.images[0].reference.is_platform
        phases = () if not has_phases else _phases(fleet, {name: of.count(PENDING) for name, of in lives.items()})
        rank = {name: (at, name) for at, names in enumerate(phases) for name in names}
        regions = sorted((one.name for one in fleet.regions), key=lambda name: rank.get(name, (len(phases), name)))
        zones = {one.name: (*sorted_zones(one.zones), "-") for one in fleet.regions}
        cells = [f"{name}/{zone}" for name in regions for zone in zones[name]]
        sets.sort(key=lambda one: (regions.index(one.region), one.name))
        names = [one.full_name for one in sets]
        return cls(
            members=(
                *(
                    Member(
                        s,
                        cells.index(f"{one.region}/{vm.zone or '-'}"),
                        vm.upgrade_domain,
                        _number(vm),
                        life,
                        vm.health,
                    )
                    for s, one in enumerate(sets)
                    for vm, life in sorted(
                        zip(listed[one.full_name], lives[one.full_name], strict=True),
                        key=lambda both: natural_key(both[0].id),
                    )
                ),
                *(
                    Member(
                        s,
                        cells.index(f"{one.region}/{vm.zone or '-'}"),
                        vm.upgrade_domain,
                        _number(vm),
                        GONE,
                        0,
                        joins=_life(vm, target, target, is_manual),  # without a version it comes from the newest
                    )
                    for s, one in enumerate(sets)
                    for vm in spares.get(one.full_name, ())
                ),
            ),
            sets=tuple(_limits(one, options, is_manual, regions, rank) for one in sets),
            cells=len(cells),
            pairs=frozenset(both for one, other in _written(fleet, regions) for both in ((one, other), (other, one))),
            pairs_written=frozenset(_written(fleet, regions)),
            conflicts=frozenset(_conflicts(fleet, cells, zones)),
            groups=tuple(
                GroupLimit(
                    group.counts,
                    group.limit,
                    frozenset((cells if group.counts == "cells" else names).index(member) for member in group.members),
                )
                for group in fleet.groups
            ),
            phases=len(phases),
            phase_failure_percent=int(str(options["phase_failure_percent"])),
            bakes=bool(options["phase_bake_ms"]),
            freedom=scenario.freedom,
        )


def _only_rollout(scenario: Scenario) -> Rollout:
    fleet = scenario.fleet
    if scenario.events or scenario.orchestrator != "legal":
        raise Unmodelled("events of its own, or an orchestrator that takes what `select` gives")
    if len(fleet.images) != 1 or any(one.service_fabric for one in fleet.sets):
        raise Unmodelled("several images, Service Fabric")
    if any(window.timezone != "UTC" for one in fleet.sets for window in one.windows):
        raise Unmodelled("maintenance windows in local time")
    regions = {one.region for one in fleet.sets}
    for version in () if fleet.images[0].reference.is_platform else fleet.images[0].versions:
        counted = {replica.name for replica in version.regions if not replica.exclude_from_latest}
        if version.exclude_from_latest or not regions <= counted:
            raise Unmodelled("a gallery image that does not count everywhere")
    if scenario.policy.also:
        raise Unmodelled("policies of users")
    start = scenario.start if scenario.start is not None else (Rollout(fleet.images[0].name, 0),)
    if len(start) != 1:
        raise Unmodelled("a beginning that is not one rollout")
    return start[0]


def _listed(one: ScaleSet) -> list[Instance]:
    """Return the instances of a set; a mere number is spread over the zones, then over the upgrade domains."""
    if not isinstance(one.instances, int):
        return list(one.instances)
    zones = one.zones or (None,)
    return [
        Instance(id=str(i), zone=zones[i % len(zones)], upgrade_domain=i // len(zones) % one.upgrade_domains)
        for i in range(one.instances)
    ]


def _life(vm: Instance, target: str, oldest: str, is_manual: bool) -> int:
    """Semantics 2 and 8: on the target or newer is current; protected, skipped or failed before is excluded."""
    if version_key(vm.version or oldest) >= version_key(target):
        return CURRENT
    failed_before = not is_manual and target in vm.failed_versions
    return EXCLUDED if vm.protect_from_scale_set_actions or vm.skip_upgrade or failed_before else PENDING


def _number(vm: Instance) -> int:
    return NO_NUMBER if vm.phase_ordering_number is None else vm.phase_ordering_number


def _phases(fleet: Fleet, pending: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """Semantics 5: phase n takes up to 2^n regions, fewest eligible instances first, no two of them a pair."""
    if fleet.phases is not None:
        return fleet.phases
    eligible: dict[str, int] = {}
    for one in fleet.sets:
        eligible[one.region] = eligible.get(one.region, 0) + pending[one.full_name]
    left = sorted(eligible, key=lambda name: (not eligible[name], eligible[name], name))
    apart = {both for one in fleet.regions for both in ((one.name, one.pair), (one.pair, one.name))}
    phases: list[tuple[str, ...]] = []
    while left:
        taken: list[str] = []
        for name in left:
            if len(taken) < 2 ** len(phases) and not any((name, other) in apart for other in taken):
                taken.append(name)
        left = [name for name in left if name not in taken]
        phases.append(tuple(taken))
    return tuple(phases)


def _limits(
    one: ScaleSet, options: Mapping[str, Any], is_manual: bool, regions: list[str], rank: Mapping[str, tuple[int, str]]
) -> SetLimits:
    def own(name: str) -> Any:
        mine = getattr(one.rolling_policy, name)
        return options[name] if mine is None else mine

    return SetLimits(
        region=regions.index(one.region),
        phase=rank[one.region][0] if one.region in rank else 0,
        batch=own("max_batch_percent"),
        unhealthy=own("max_unhealthy_percent"),
        upgraded=own("max_unhealthy_upgraded_percent"),
        of_set=options["unhealthy_upgraded_of"] == "set",
        shrinks=options["unhealthy_shrinks_batch"],
        prioritizes=own("prioritize_unhealthy"),
        cross_zone=own("enable_cross_zone"),
        rollback=not (is_manual or one.disable_automatic_rollback or options["disable_automatic_rollback"]),
        rests=own("pause_between_batches_ms") > 0,
        is_delayed=bool(options["delays"]) and not is_manual,
        has_window=bool(one.windows) and not is_manual,
        begins_shut=bool(one.windows) and not is_manual and not any(map(_is_open, one.windows)),
    )


def _is_open(window: Window) -> bool:
    """Semantics 4: whether a weekly window is open at the beginning of an exploration."""
    minute = NOW // 60_000 + 3 * 1440  # 1970 began on a Thursday
    return (minute - window.start_minute) % (7 * 1440) < window.minutes


def _written(fleet: Fleet, regions: list[str]) -> list[tuple[int, int]]:
    return [(regions.index(one.name), regions.index(one.pair)) for one in fleet.regions if one.pair in regions]


def _conflicts(fleet: Fleet, cells: list[str], zones: Mapping[str, tuple[str, ...]]) -> set[tuple[int, int]]:
    """Semantics 6: the cells of a region with one another, those of a pair with one another, what users add."""
    edges = set(fleet.conflicts)
    for one in fleet.regions:
        own = [f"{one.name}/{zone}" for zone in zones[one.name]]
        edges |= set(combinations(own, 2))
        if one.pair in zones:
            edges |= {(cell, f"{one.pair}/{zone}") for cell in own for zone in zones[one.pair]}
    return {(cells.index(a), cells.index(b)) for one, other in edges for a, b in ((one, other), (other, one))}
