"""The fleet document as the checker needs it: sets of instances with their counts, and which cells exclude which."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from attrs import define, field

PENDING, CURRENT, EXCLUDED = "pending", "current", "excluded"
REPLACING, CONFIGURING, VERIFYING, RESTORING = "replacing", "configuring", "verifying", "restoring"
UPGRADED, RESTORED, FAILED = "upgraded", "restored", "failed"
GONE: Final = "gone"
OUTSIDE: Final = "outside"  # in no attempt: before the first, or joined after the last one ended
FLIGHT: Final = frozenset((REPLACING, CONFIGURING, VERIFYING, RESTORING))
NOT_ELIGIBLE: Final = frozenset((CURRENT, EXCLUDED, OUTSIDE))
NOT_HEALTHY: Final = frozenset(("unhealthy", "unknown"))
LAST_NUMBER: Final = float("inf")
NEVER: Final = -1 << 62

Json = dict[str, Any]
Version = tuple[int, ...]


@cache
def version_key(version: str) -> Version:
    """Return the parts of a version as numbers, trailing zeros dropped."""
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


def image_name(image: Json | str) -> str:
    """Return an image reference as one word."""
    if isinstance(image, str):
        return image
    if image.get("publisher") is not None:
        return f"{image['publisher']}/{image['offer']}/{image['sku']}"
    if image.get("gallery") is not None:
        return f"{image['gallery']}/{image['definition']}"
    return f"custom:{image.get('custom')}"


@define(eq=False)
class Instance:
    """One instance: where it stands, what it runs, how it is, and where it is in its life."""

    id: str
    cell: str
    domain: int
    version: str | None
    number: float = LAST_NUMBER
    health: str = "healthy"
    protected: bool = False
    skip: bool = False
    failed_on: frozenset[Version] = frozenset()
    broken: bool = False  # it failed, and was neither upgraded nor restored since: never current
    unanswered: bool = False  # a command to it timed out in this attempt
    state: str = OUTSIDE
    entered: int = NEVER
    deadline: int | None = None
    seen: int = NEVER  # reports not observed later than this are ignored
    healthy_at: int = NEVER  # when the latest healthy report that counts was observed
    image: str | None = None  # of its last command, and so of its version and of what failed on it
    before: str | None = None  # the version when its batch started
    open: str | None = None  # the id of its command that is not answered
    commands: tuple[str, ...] = ()

    def is_of_another(self, image: str) -> bool:
        """Tell whether its version is one of another image, which compares with none of this one."""
        return self.image is not None and self.image != image


@define(eq=False)
class ScaleSet:
    """A set, its instances by id, and counts that are kept up with every change."""

    name: str
    region: str
    image: str
    model: Json
    instances: dict[str, Instance] = field(factory=dict)
    counts: dict[str, int] = field(factory=dict)
    unhealthy: int = 0
    upgraded_unhealthy: int = 0
    in_flight: int = 0
    pending: dict[float, dict[tuple[int, str], int]] = field(factory=dict)  # number: (domain, cell): how many
    attempt: Any = None  # the latest Attempt
    rolled: bool = False  # an attempt of an automatic rollout has begun and ended in it
    changed: bool = False  # its model is not that of the document any more
    tried: bool = False  # an attempt has ended in it that never began, or was manual
    retired: dict[str, tuple[str, ...]] = field(factory=dict)  # ids that went: commands that they were given
    _numbers: list[float] = field(factory=list)

    @property
    def total(self) -> int:
        """Every instance of the set, excluded ones too."""
        return len(self.instances)

    def limit(self, name: str, otherwise: Any) -> Any:
        """Return the set's own limit where it has one."""
        own = (self.model.get("rolling_policy") or {}).get(name)
        return otherwise if own is None else own

    def add(self, instance: Instance) -> None:
        """Take in an instance that is in no attempt yet."""
        instance.commands = self.retired.pop(instance.id, ())
        self.instances[instance.id] = instance
        self.counts[OUTSIDE] = self.counts.get(OUTSIDE, 0) + 1
        self.unhealthy += instance.health in NOT_HEALTHY

    def remove(self, instance: Instance) -> None:
        """Take out an instance, wherever it is in its life."""
        self.retired[instance.id] = instance.commands
        self.enter(instance, OUTSIDE)
        self.counts[OUTSIDE] -= 1
        self.unhealthy -= instance.health in NOT_HEALTHY
        del self.instances[instance.id]

    def set_health(self, instance: Instance, health: str) -> None:
        """Note the health of an instance."""
        change = (health in NOT_HEALTHY) - (instance.health in NOT_HEALTHY)
        instance.health = health
        if change:
            self.unhealthy += change
            if instance.state == UPGRADED:
                self.upgraded_unhealthy += change

    def enter(self, instance: Instance, state: str) -> None:
        """Move an instance to a state, and every count with it."""
        old = instance.state
        instance.state = state
        counts = self.counts
        counts[old] -= 1
        counts[state] = counts.get(state, 0) + 1
        self.in_flight += (state in FLIGHT) - (old in FLIGHT)
        if instance.health in NOT_HEALTHY:
            self.upgraded_unhealthy += (state == UPGRADED) - (old == UPGRADED)
        if old == PENDING:
            self._count_pending(instance, -1)
        if state == PENDING:
            self._count_pending(instance, 1)

    def _count_pending(self, instance: Instance, change: int) -> None:
        number = instance.number
        places = self.pending.get(number)
        if places is None:
            places = self.pending[number] = {}
            heapq.heappush(self._numbers, number)
        place = (instance.domain, instance.cell)
        places[place] = places.get(place, 0) + change
        if not places[place]:
            del places[place]
            if not places:
                del self.pending[number]

    def lowest_number(self) -> float | None:
        """Return the current phase ordering number: the lowest among the pending ones, None if nothing is pending."""
        while self._numbers and self._numbers[0] not in self.pending:
            heapq.heappop(self._numbers)
        return self._numbers[0] if self._numbers else None

    def count(self, *states: str) -> int:
        """Return how many instances are in any of the states."""
        return sum(self.counts.get(state, 0) for state in states)


@define(eq=False)
class Fleet:
    """Sets by full name, images with their versions, pairs both ways, and the cells that users set apart."""

    sets: dict[str, ScaleSet]
    images: dict[str, dict[Version, Json]]
    pairs: dict[str, set[str]]
    cells: dict[str, list[str]]  # a region's zone cells, then its zoneless one
    apart: dict[str, set[str]]
    groups: list[Json]
    phases: list[list[str]] | None

    @classmethod
    def of(cls, document: Json) -> Fleet:
        """Read a document in format `phasegate/fleet/1`."""
        regions = {region["name"]: region for region in document["regions"]}
        pairs: dict[str, set[str]] = {name: set() for name in regions}
        for name, region in regions.items():
            pair = region.get("pair")
            if pair in regions:
                pairs[name].add(pair)
                pairs[pair].add(name)
        images = {}
        for image in document.get("images") or ():
            images[image_name(image)] = {version_key(row["version"]): row for row in image.get("versions") or ()}
        apart: dict[str, set[str]] = {}
        for one, other in document.get("conflicts") or ():
            apart.setdefault(one, set()).add(other)
            apart.setdefault(other, set()).add(one)
        sets = {}
        for model in document.get("sets") or ():
            image = image_name(model["image"])
            oldest = min(images.get(image, {}).items(), default=(None, {"version": None}), key=lambda item: item[0])
            scale_set = ScaleSet(f"{model['region']}/{model['name']}", model["region"], image, model)
            for instance in instances_of(model, oldest[1]["version"]):
                scale_set.add(instance)
            sets[scale_set.name] = scale_set
        cells = {name: [f"{name}/{zone}" for zone in (*(regions[name].get("zones") or ()), "-")] for name in regions}
        groups = [{**group, "members": frozenset(group["members"])} for group in document.get("groups") or ()]
        return cls(sets, images, pairs, cells, apart, groups, document.get("phases"))

    def conflicts(self, cell: str) -> Iterator[str]:
        """Yield the cells that may not be busy with this one, pairs' regions aside (rule `pairs` has them)."""
        region = cell.rpartition("/")[0]
        for other in self.cells.get(region, ()):
            if other != cell:
                yield other
        yield from self.apart.get(cell, ())


def instance_of(row: Json, region: str, oldest: str | None) -> Instance:
    """Read one instance; without zone it is in the region's zoneless cell, without version on the oldest known one."""
    zone, number = row.get("zone"), row.get("phase_ordering_number")
    return Instance(
        row["id"],
        f"{region}/{'-' if zone is None else zone}",
        row.get("upgrade_domain") or 0,
        row.get("version") or oldest,
        LAST_NUMBER if number is None else number,
        row.get("health") or "healthy",
        bool(row.get("protect_from_scale_set_actions")),
        bool(row.get("skip_upgrade")),
        frozenset(map(version_key, row.get("failed_versions") or ())),
    )


def instances_of(model: Json, oldest: str | None) -> Iterator[Instance]:
    """Yield a set's instances; a count n stands for ids 0 to n - 1, dealt out to the zones, then to the domains."""
    rows = model.get("instances") or 0
    region = model["region"]
    if not isinstance(rows, int):
        for row in rows:
            yield instance_of(row, region, oldest)
        return
    zones: Sequence[str] = sorted(model.get("zones") or (), key=_zone_order)
    cells = [f"{region}/{zone}" for zone in zones] or [f"{region}/-"]
    domains = model.get("upgrade_domains") or 5
    for at in range(rows):
        yield Instance(str(at), cells[at % len(cells)], at // len(cells) % domains, oldest)


def _zone_order(zone: str) -> tuple[bool, int, str]:
    digits = zone.isascii() and zone.isdigit()
    return (not digits, int(zone) if digits else 0, zone)
