"""What may be upgraded: regions, images, scale sets and their instances (semantics 1).

A fleet is immutable and checked when it is made: every name that is used exists, every number is in its range. It is
what a person writes down; the engine compiles it into columns. Instances are columns already here (`Roster`), so that
ten million of them are no ten million objects.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Any, Literal, NoReturn

from attrs import Attribute, field, frozen

from phasegate.core.errors import InvalidModel
from phasegate.core.frozenmap import EMPTY, FrozenMap
from phasegate.core.order import sorted_zones
from phasegate.core.roster import Roster
from phasegate.core.versions import version_key

ZONELESS = "-"
MINUTES_A_WEEK = 7 * 24 * 60
_API_VERSION = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:-[A-Za-z]+)?")
_TIME_OF_DAY = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Health(IntEnum):
    """The health of an instance; `UNHEALTHY` and `UNKNOWN` are "not healthy" (semantics 1)."""

    HEALTHY = 0
    UNHEALTHY = 1
    UNKNOWN = 2
    INITIALIZING = 3


class HealthSource(StrEnum):
    """Where the platform learns how an application does (semantics 3)."""

    PROBE = "probe"
    EXTENSION = "extension"


def _map(tags: Mapping[str, str]) -> FrozenMap[str, str]:
    return FrozenMap(tags)


def _pairs(items: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((one, other) for one, other in items)


def _phases(phases: Iterable[Iterable[str]] | None) -> tuple[tuple[str, ...], ...] | None:
    return None if phases is None else tuple(map(tuple, phases))


def refuse_unknown(name: str, known: Iterable[str], what: str, path: str) -> NoReturn:
    """Raise `InvalidModel` for a name that does not exist, with the closest one that does."""
    close = difflib.get_close_matches(name[:100], list(known), n=1)  # the search is quadratic
    hint = f"; did you mean `{close[0]}`?" if close else ""
    raise InvalidModel(f"unknown {what} `{name}`{hint}", path)


def _named(instance: Any, attribute: Attribute[str], value: str) -> None:
    if not value or "/" in value or value != value.strip():
        raise InvalidModel(f"name `{value}` is empty, padded, or holds a `/`", attribute.name)
    _check_prints(value, attribute.name)


def _prints(instance: Any, attribute: Any, value: Any) -> None:
    if value is not None:
        _check_prints(value, attribute.name)


def _check_prints(name: str, path: str) -> None:
    if not name.isprintable():
        raise InvalidModel(f"name `{name}` holds a character that does not print", path)


def check_zones(zones: tuple[str, ...]) -> None:
    """Raise `InvalidModel` if one of the zones has no name that a zone may have, or is there twice."""
    for at, zone in enumerate(zones):
        _check_prints(zone, "zones")
        if not zone or "/" in zone or zone == ZONELESS:
            raise InvalidModel(f"zone `{zone}` is empty, `-`, or holds a `/`", "zones")
        if zone in zones[:at]:
            raise InvalidModel(f"zone `{zone}` is there twice", "zones")


def _between(low: int, high: int) -> Any:
    def check(instance: Any, attribute: Attribute[int | None], value: int | None) -> None:
        if value is not None and not low <= value <= high:
            raise InvalidModel(f"{value} is not between {low} and {high}", attribute.name)

    return check


def _api_versioned(instance: Any, attribute: Attribute[str], value: str) -> None:
    if not _API_VERSION.fullmatch(value):
        raise InvalidModel(
            f"API version `{value}` is no date, like `2021-03-01` or `2021-03-01-preview`", attribute.name
        )


@frozen
class Region:
    """A region: its name, the region that it is paired with, and its availability zones in order."""

    name: str = field(validator=_named)
    pair: str | None = field(default=None, validator=_prints)
    zones: tuple[str, ...] = field(default=(), converter=sorted_zones)

    def __attrs_post_init__(self) -> None:
        if self.pair == self.name:
            raise InvalidModel(f"region `{self.name}` names itself as its pair; leave `pair` out", "pair")
        check_zones(self.zones)


@frozen
class ImageReference:
    """What a set's instances are made from; a rollout never changes it (semantics 1).

    Exactly one of: publisher, offer and sku (a platform image); gallery and definition (a gallery image); custom (a
    custom image outside a gallery, which no automatic rollout supports).

    >>> ImageReference("Canonical", "UbuntuServer", "18.04-LTS").name
    'Canonical/UbuntuServer/18.04-LTS'
    >>> ImageReference(gallery="corp", definition="web").name
    'corp/web'
    """

    publisher: str | None = field(default=None, validator=_prints)
    offer: str | None = field(default=None, validator=_prints)
    sku: str | None = field(default=None, validator=_prints)
    gallery: str | None = field(default=None, validator=_prints)
    definition: str | None = field(default=None, validator=_prints)
    custom: str | None = field(default=None, validator=_prints)

    def __attrs_post_init__(self) -> None:
        kinds = (
            (self.publisher, self.offer, self.sku),
            (self.gallery, self.definition),
            (self.custom,),
        )
        given = [kind for kind in kinds if any(part is not None for part in kind)]
        if len(given) != 1 or not all(given[0]):
            raise InvalidModel("an image is publisher, offer and sku, or gallery and definition, or custom")

    @property
    def name(self) -> str:
        """The reference as one word: `publisher/offer/sku`, `gallery/definition` or `custom:ID`."""
        if self.publisher is not None:
            return f"{self.publisher}/{self.offer}/{self.sku}"
        if self.gallery is not None:
            return f"{self.gallery}/{self.definition}"
        return f"custom:{self.custom}"

    @property
    def is_platform(self) -> bool:
        """Whether the platform publishes it."""
        return self.publisher is not None

    @property
    def is_gallery(self) -> bool:
        """Whether it comes from a gallery, replicated region by region."""
        return self.gallery is not None


def _versioned(instance: Any, attribute: Attribute[str], value: str) -> None:
    try:
        version_key(value)
    except InvalidModel as error:
        raise error.under(attribute.name) from None


@frozen
class Replica:
    """A gallery version in one region: since when, and whether that entry is excluded from latest."""

    name: str = field(validator=_prints)
    replicated_at_ms: int = 0
    exclude_from_latest: bool = False


@frozen
class ImageVersion:
    """One version of an image; `regions` only matters for a gallery image (semantics 2)."""

    version: str = field(validator=_versioned)
    published_at_ms: int = 0
    exclude_from_latest: bool = False
    regions: tuple[Replica, ...] = field(default=(), converter=tuple[Replica, ...])


@frozen
class Image:
    """An image reference with its known versions, each once, in any order."""

    reference: ImageReference
    versions: tuple[ImageVersion, ...] = field(default=(), converter=tuple[ImageVersion, ...])

    def __attrs_post_init__(self) -> None:
        seen: dict[tuple[int, ...], str] = {}
        for at, version in enumerate(self.versions):
            key = version_key(version.version)
            if key in seen:
                raise InvalidModel(f"version `{version.version}` is there twice", f"versions[{at}]")
            seen[key] = version.version
            replicas = [replica.name for replica in version.regions]
            if len(set(replicas)) != len(replicas):
                raise InvalidModel("a region is there twice", f"versions[{at}].regions")

    @property
    def name(self) -> str:
        """The name of its reference."""
        return self.reference.name


@frozen(kw_only=True)
class RollingPolicy:
    """A set's own limits; None leaves the engine's policy in force (semantics 7; the vendor's ranges)."""

    max_batch_percent: int | None = field(default=None, validator=_between(5, 100))
    max_unhealthy_percent: int | None = field(default=None, validator=_between(5, 100))
    max_unhealthy_upgraded_percent: int | None = field(default=None, validator=_between(0, 100))
    pause_between_batches_ms: int | None = field(default=None, validator=_between(0, 2**53))
    prioritize_unhealthy: bool | None = None
    enable_cross_zone: bool | None = None


@frozen
class Extension:
    """A VM extension and those that must be provisioned before it (semantics 8)."""

    name: str = field(validator=_prints)
    provision_after: tuple[str, ...] = field(default=(), converter=tuple[str, ...])


@frozen
class ExternalResource:
    """Something that the set's model refers to (a token, a secret, a payload), and whether it can be had now."""

    name: str = field(validator=_prints)
    available: bool = True


Durability = Literal["Bronze", "Silver", "Gold"]


@frozen(kw_only=True)
class ServiceFabric:
    """What matters of a Service Fabric node type (semantics 3)."""

    cluster_durability: Durability = "Silver"
    extension_durability: Durability = "Silver"
    stateless: bool = False
    extension_version: str = field(default="1.1", validator=_versioned)


@frozen(kw_only=True)
class Window:
    """A weekly maintenance window in local time: inclusive start, exclusive end, at least five hours (semantics 4).

    `offsets` resolves the timezone for the pure core: pairs (from this UTC millisecond on, minutes east of UTC), in
    order, the first from long ago. Whoever reads files fills it in; left empty, the zone is UTC.
    """

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    start: str
    minutes: int = field(validator=_between(300, MINUTES_A_WEEK))
    timezone: str = "UTC"
    offsets: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def __attrs_post_init__(self) -> None:
        if self.day not in DAYS:
            refuse_unknown(self.day, DAYS, "day", "day")
        if not _TIME_OF_DAY.fullmatch(self.start):
            raise InvalidModel(f"start `{self.start}` is not a time of day, like `01:00`", "start")
        if not self.offsets and self.timezone != "UTC":
            raise InvalidModel(f"timezone `{self.timezone}` needs its `offsets`; load_fleet fills them in", "offsets")

    @property
    def start_minute(self) -> int:
        """Minutes from Monday 00:00 to the opening, local time."""
        return DAYS.index(self.day) * 1440 + int(self.start[:2]) * 60 + int(self.start[3:])


@frozen(kw_only=True)
class ScaleSet:
    """A scale set: one model, one region, one upgrade policy, one health source (semantics 1 and 3).

    `instances` is a count (spread evenly over the zones, then over the upgrade domains, healthy, on the oldest known
    version) or a `Roster`. A set without zones is zoneless.
    """

    name: str = field(validator=_named)
    region: str
    image: ImageReference
    version: str = "latest"
    zones: tuple[str, ...] = field(default=(), converter=sorted_zones)
    upgrade_domains: int = field(default=5, validator=_between(1, 65535))
    tags: Mapping[str, str] = field(default=EMPTY, converter=_map)
    os: Literal["linux", "windows"] = "linux"
    api_version: str = field(default="2021-03-01", validator=_api_versioned)
    configured_at_ms: int | None = None
    automatic_os_upgrade: bool = True
    disable_automatic_rollback: bool = False
    upgrade_mode: Literal["automatic", "rolling", "manual"] = "automatic"
    patch_mode: str | None = None
    windows_automatic_updates: bool | None = None
    health_sources: tuple[HealthSource, ...] = field(
        default=(HealthSource.EXTENSION,), converter=tuple[HealthSource, ...]
    )
    load_balancer_sku: str | None = None
    placement_groups: Literal["single", "multiple"] = "single"
    rolling_policy: RollingPolicy = field(factory=RollingPolicy)
    custom_data: bool = False
    extensions: tuple[Extension, ...] = field(default=(), converter=tuple[Extension, ...])
    external_resources: tuple[ExternalResource, ...] = field(default=(), converter=tuple[ExternalResource, ...])
    service_fabric: ServiceFabric | None = None
    windows: tuple[Window, ...] = field(default=(), converter=tuple[Window, ...])
    instances: int | Roster = 0

    def __attrs_post_init__(self) -> None:
        if self.version != "latest":
            try:
                version_key(self.version)
            except InvalidModel as error:
                raise InvalidModel(f"{error.what}, nor `latest`", "image.version") from None
        if isinstance(self.instances, int) and not 0 <= self.instances <= 2**31:
            raise InvalidModel(f"{self.instances} is no number of instances", "instances")
        check_zones(self.zones)
        provision_order(self.extensions)

    @property
    def api_date(self) -> str:
        """The date of its API version, a preview's too, as text that sorts like dates.

        >>> image = ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
        >>> ScaleSet(name="web", region="eastus", image=image, api_version="2018-10-01-preview").api_date
        '2018-10-01'
        """
        return self.api_version[:10]

    @property
    def full_name(self) -> str:
        """`region/name`, unique in the fleet."""
        return f"{self.region}/{self.name}"

    @property
    def size(self) -> int:
        """How many instances it has."""
        return self.instances if isinstance(self.instances, int) else len(self.instances)


def provision_order(extensions: Iterable[Extension]) -> tuple[str, ...]:
    """Return the order in which extensions are provisioned: each after those that it names, else as listed.

    `InvalidModel` if a name is unknown or there twice, or if the extensions wait for one another in a circle.

    >>> provision_order([Extension("app", ("agent",)), Extension("agent")])
    ('agent', 'app')
    """
    waiting = {}
    for at, extension in enumerate(extensions):
        if extension.name in waiting:
            raise InvalidModel(f"extension `{extension.name}` is there twice", f"extensions[{at}]")
        waiting[extension.name] = extension.provision_after
    for at, after in enumerate(waiting.values()):
        for needed in after:
            if needed not in waiting:
                refuse_unknown(needed, waiting, "extension", f"extensions[{at}].provision_after")
    done: list[str] = []
    while waiting:
        ready = next((name for name, after in waiting.items() if not set(after) & waiting.keys()), None)
        if ready is None:
            raise InvalidModel(f"extensions wait for one another in a circle: {', '.join(waiting)}", "extensions")
        done.append(ready)
        del waiting[ready]
    return tuple(done)


@frozen(kw_only=True)
class Group:
    """At most `limit` of its members at a time: instances in flight, cells busy, or sets at work (semantics 6).

    `members` are full names of sets (`region/name`), or of cells (`region/zone`, `region/-`) where cells count.
    """

    name: str = field(validator=_prints)
    counts: Literal["instances", "cells", "sets"]
    members: tuple[str, ...] = field(converter=tuple[str, ...])
    limit: int = field(validator=_between(1, 2**31 - 1))

    def __attrs_post_init__(self) -> None:
        if len(set(self.members)) != len(self.members):
            raise InvalidModel(f"group `{self.name}` names a member twice", "members")


@frozen(kw_only=True)
class Fleet:
    """Everything that may be upgraded. Regions, images and sets keep the order in which they are given.

    `conflicts` are pairs of cells that are never busy together, beside those that follow from zones and pairs;
    `phases`, if given, lists the regions of each phase (semantics 5 and 6).
    """

    regions: tuple[Region, ...] = field(converter=tuple[Region, ...])
    images: tuple[Image, ...] = field(default=(), converter=tuple[Image, ...])
    sets: tuple[ScaleSet, ...] = field(default=(), converter=tuple[ScaleSet, ...])
    conflicts: tuple[tuple[str, str], ...] = field(default=(), converter=_pairs)
    groups: tuple[Group, ...] = field(default=(), converter=tuple[Group, ...])
    phases: tuple[tuple[str, ...], ...] | None = field(default=None, converter=_phases)

    def __attrs_post_init__(self) -> None:
        regions = _unique((region.name for region in self.regions), "region", "regions")
        images = _unique((image.name for image in self.images), "image", "images")
        sets = _unique((s.full_name for s in self.sets), "set", "sets")
        _unique((group.name for group in self.groups), "group", "groups")
        zones = {region.name: frozenset(region.zones) for region in self.regions}
        for at, scale_set in enumerate(self.sets):
            path = f"sets[{at}]"
            if scale_set.region not in regions:
                refuse_unknown(scale_set.region, regions, "region", f"{path}.region")
            for zone in scale_set.zones:
                if zone not in zones[scale_set.region]:
                    refuse_unknown(zone, zones[scale_set.region], f"zone of {scale_set.region}", f"{path}.zones")
            name = scale_set.image.name
            if name not in images and scale_set.image.custom is None:
                refuse_unknown(name, images, "image", f"{path}.image")
            if isinstance(scale_set.instances, Roster):
                scale_set.instances.check_zones(scale_set.zones, f"{path}.instances")
        cells = {f"{name}/{zone}" for name, of in zones.items() for zone in (*of, ZONELESS)}
        for at, (one, other) in enumerate(self.conflicts):
            for cell in (one, other):
                if cell not in cells:
                    refuse_unknown(cell, cells, "cell", f"conflicts[{at}]")
            if one == other:
                raise InvalidModel(f"cell `{one}` cannot be in conflict with itself", f"conflicts[{at}]")
        for at, group in enumerate(self.groups):
            known: Iterable[str] = cells if group.counts == "cells" else sets
            what = "cell" if group.counts == "cells" else "set"
            for member in group.members:
                if member not in known:
                    refuse_unknown(member, known, what, f"groups[{at}].members")

    def __repr__(self) -> str:
        size = sum(scale_set.size for scale_set in self.sets)
        return f"<Fleet {len(self.regions)} regions, {len(self.sets)} sets, {size} instances>"


def _unique(names: Iterable[str], what: str, path: str) -> frozenset[str]:
    seen: set[str] = set()
    for at, name in enumerate(names):
        if name in seen:
            raise InvalidModel(f"{what} `{name}` is there twice", f"{path}[{at}]")
        seen.add(name)
    return frozenset(seen)
