"""What a rollout would do, before it begins: phases, cells, and the numbers that follow from the percentages.

Everything is read from the engine: the rollout is begun at an instant, and the state after it is asked. Nothing is
carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict, field, frozen

from phasegate.core.codes import CROSS_ZONE, OF_SET, ROLLBACK
from phasegate.core.engine import Engine
from phasegate.core.errors import InvalidEvent
from phasegate.core.lifecycle import Life
from phasegate.core.limits import Limits
from phasegate.core.model import ZONELESS, Health, ScaleSet
from phasegate.core.order import zone_key
from phasegate.core.roster import NO_NUMBER, Roster
from phasegate.core.state import State

Share = tuple[int, int]  # how many of how many


@frozen(kw_only=True)
class SetPlan:
    """One eligible set. Every number counts instances, `batches_at_least` batches.

    `batch_size` is the most that start together: `cap` of semantics 7, or the limit of a group of instances where that
    is smaller. `zones` are those with eligible instances, `-` for none. `unhealthy_stop` of the set's instances not
    healthy before a batch end the attempt; so do `upgraded_stop`: so many bad ones of so many attempted, after the
    first full batch and when all are attempted. None: no number of them does.
    """

    name: str
    region: str
    zones: tuple[str, ...]
    total: int
    eligible: int
    current: int
    excluded: int
    not_healthy: int
    batch_size: int
    batches_at_least: int
    unhealthy_stop: int | None
    upgraded_stop: tuple[Share, Share] | None
    rollback: bool
    cross_zone: bool
    windows: int
    groups: tuple[str, ...]

    @property
    def stops_at_once(self) -> bool:
        """Whether so many are not healthy already that the attempt would fault before its first batch."""
        return bool(self.eligible) and self.unhealthy_stop is not None and self.not_healthy >= self.unhealthy_stop


@frozen(kw_only=True)
class RegionPlan:
    """One region of a rollout; `pairs` are the regions that it never works beside, as far as the rollout has them."""

    name: str
    pairs: tuple[str, ...]
    zones: tuple[str, ...]
    sets: int
    eligible: int


@frozen(kw_only=True)
class Ineligible:
    """A set that takes no part, and every code that keeps it out."""

    name: str
    instances: int
    codes: tuple[str, ...]


@frozen(kw_only=True)
class RolloutPlan:
    """One image's rollout. Without phases (a gallery image) `phases` is None and all regions are in `regions`.

    `versions` says how many eligible instances come from which version, `why_idle` why there is nothing to do.
    """

    image: str
    target: str | None
    now: int
    phases: tuple[tuple[str, ...], ...] | None = None
    regions: tuple[RegionPlan, ...] = ()
    versions: Mapping[str, int] = field(factory=dict)
    sets: tuple[SetPlan, ...] = field(default=(), repr=False)
    ineligible: tuple[Ineligible, ...] = ()
    why_idle: str | None = None

    @property
    def eligible(self) -> int:
        """How many instances it is for."""
        return sum(entry.eligible for entry in self.sets)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self.eligible

    def document(self) -> dict[str, Any]:
        """Return it as plain data; `phasegate plan --help` promises the keys."""
        return {
            "image": self.image,
            "target": self.target,
            "now_ms": self.now,
            "eligible": self.eligible,
            "why_idle": self.why_idle,
            "versions": dict(self.versions),
            "phases": self.phases,
            "regions": [asdict(region) for region in self.regions],
            "sets": [{**asdict(entry), "stops_at_once": entry.stops_at_once} for entry in self.sets],
            "ineligible": [asdict(entry) for entry in self.ineligible],
        }


def plan(engine: Engine, image: str, target: str | None, now: int) -> RolloutPlan:
    """Return what a rollout of the image would do if it began at `now` (ms UTC) on the fleet as listed.

    An image of which no version counts anywhere has an idle plan if no target is named; every other error is that of
    `engine.start`.
    """
    try:
        state = engine.start(image, target, now=now)
    except InvalidEvent as error:
        if target is not None:
            raise
        return RolloutPlan(image=image, target=None, now=now, why_idle=str(error))
    report = engine.progress(state)["rollouts"][0]
    return RolloutPlan(
        image=image,
        target=report["target"],
        now=now,
        **_parts(engine, state, report),
    )


def _parts(engine: Engine, state: State, report: Mapping[str, Any]) -> dict[str, Any]:
    models = {model.full_name: model for model in engine.fleet.sets}
    versions: Counter[str] = Counter()
    sets = tuple(_set_plan(engine, state, models[entry["name"]], versions) for entry in report["sets"])
    phases = report["phases"]
    ineligible = tuple(
        Ineligible(name=entry["name"], instances=models[entry["name"]].size, codes=tuple(entry["codes"]))
        for entry in report["ineligible"]
    )
    why_idle = None
    if not any(entry.eligible for entry in sets):
        why_idle = "no set is eligible" if not sets else "no instance is below the target version"
        if not sets and not ineligible:
            why_idle = "no set is made from it"
    return {
        "phases": None if phases is None else tuple(tuple(sorted(phase)) for phase in phases),
        "regions": tuple(_regions(engine, sets, phases)),
        "versions": dict(sorted(versions.items())),
        "sets": sets,
        "ineligible": ineligible,
        "why_idle": why_idle,
    }


def _regions(engine: Engine, sets: Iterable[SetPlan], phases: Sequence[Sequence[str]] | None) -> Iterable[RegionPlan]:
    by_region: dict[str, list[SetPlan]] = {}
    for entry in sets:
        by_region.setdefault(entry.region, []).append(entry)
    order = sorted(by_region) if phases is None else [name for phase in phases for name in sorted(phase)]
    pairs = engine.topology.pairs
    for name in order:
        inside = by_region.get(name, [])
        yield RegionPlan(
            name=name,
            pairs=tuple(sorted(pair for pair in pairs[name] if pair in by_region)) if name in pairs else (),
            zones=_in_order(zone for entry in inside for zone in entry.zones),
            sets=len(inside),
            eligible=sum(entry.eligible for entry in inside),
        )


def _in_order(zones: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(zones), key=lambda zone: zone_key(None if zone == ZONELESS else zone)))


def _set_plan(engine: Engine, state: State, model: ScaleSet, versions: Counter[str]) -> SetPlan:
    name = model.full_name
    rules = engine.compiled.rules
    limits = Limits.of(model, rules, is_manual=False)
    slots = engine.members(state, name)
    all_lives = [engine.life(state, slot) for slot in slots]
    lives = Counter(all_lives)
    pending = [slot for slot, life in zip(slots, all_lives, strict=True) if life is Life.PENDING]
    versions.update(engine.version(state, slot) or "unknown" for slot in pending)
    not_healthy = sum(engine.health(state, slot) in (Health.UNHEALTHY, Health.UNKNOWN) for slot in slots)
    total, eligible = len(slots), len(pending)
    batch_percent, unhealthy_percent, upgraded_percent = limits.percent
    groups = tuple(group for group in rules.groups if name in group.members)
    room = [group.limit for group in groups if group.counts == "instances"]
    size = min([batch_size(total, batch_percent), *room])
    cross_zone = bool(limits.option & CROSS_ZONE)
    places = _places(engine, state, model, pending, cross_zone=cross_zone)
    first = min(size, max(places.values(), default=0))
    of = (total, total) if limits.option & OF_SET else (first, eligible)
    stops = stop_at(of[0], upgraded_percent), stop_at(of[1], upgraded_percent)
    return SetPlan(
        name=name,
        region=model.region,
        zones=_in_order(engine.cell_of(state, slot).rpartition("/")[2] for slot in pending),
        total=total,
        eligible=eligible,
        current=lives[Life.CURRENT],
        excluded=lives[Life.EXCLUDED],
        not_healthy=not_healthy,
        batch_size=size,
        batches_at_least=sum(-(-count // size) for count in places.values()),
        unhealthy_stop=stop_at(total, unhealthy_percent),
        upgraded_stop=None if stops[0] is None or stops[1] is None else ((stops[0], of[0]), (stops[1], of[1])),
        rollback=bool(limits.option & ROLLBACK),
        cross_zone=cross_zone,
        windows=len(model.windows) if rules.has_windows else 0,
        groups=tuple(group.name for group in groups),
    )


def batch_size(total: int, percent: int) -> int:
    """Return the most instances of a set that may start together (`cap` of semantics 7).

    >>> batch_size(30, 20), batch_size(4, 20), batch_size(3, 100)
    (6, 1, 2)
    """
    return max(1, min(total * percent // 100, total - 1))


def stop_at(of: int, percent: int) -> int | None:
    """Return the smallest count for which `100 * count > percent * of`, None if that is more than there are.

    >>> stop_at(5, 20), stop_at(4, 20), stop_at(5, 100)
    (2, 1, None)
    """
    count = percent * of // 100 + 1
    return count if count <= of else None


def _places(
    engine: Engine, state: State, model: ScaleSet, pending: Sequence[int], *, cross_zone: bool
) -> Counter[tuple[str, int, int]]:
    """Return how many pending instances are in each place that a batch comes from: cell, upgrade domain, number."""
    numbers = _ordering_numbers(model)
    ids = engine.ids(state, pending) if numbers else [""] * len(pending)
    return Counter(
        (
            "" if cross_zone else engine.cell_of(state, slot),
            engine.upgrade_domain_of(state, slot),
            numbers.get(id_, NO_NUMBER),
        )
        for slot, id_ in zip(pending, ids, strict=True)
    )


def _ordering_numbers(model: ScaleSet) -> dict[str, int]:
    if not isinstance(model.instances, Roster):
        return {}
    return {one.id: one.phase_ordering_number for one in model.instances if one.phase_ordering_number is not None}
