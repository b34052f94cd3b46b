"""What the faults file says happens at a given time, turned into events of the engine when that time has come.

Outages are kept here too: whoever reports a health asks `outage_health` what an instance in an outage reports instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from attrs import define, field, frozen

from phasegate.core.errors import InvalidModel
from phasegate.core.events import (
    Applied,
    Cancel,
    Configured,
    Event,
    Pause,
    Protected,
    Published,
    Replicated,
    Resume,
    Scaled,
)
from phasegate.core.model import Fleet, Health, Image, ImageVersion, ScaleSet, refuse_unknown
from phasegate.core.order import natural_key
from phasegate.core.roster import Instance, Roster
from phasegate.core.state import State
from phasegate.core.versions import VersionKey, version_key
from phasegate.files.modelfile import dump_model, parse_model
from phasegate.logs.readable import Readable
from phasegate.policies.versions import newest_target
from phasegate.simulating.faultmodel import (
    Apply,
    CancelAll,
    Configure,
    Dated,
    Fails,
    FaultEvent,
    Faults,
    NeverHealthy,
    Outage,
    PauseAll,
    Protect,
    Publish,
    Replicate,
    ResumeAll,
    Scale,
    Silent,
    Stop,
)
from phasegate.simulating.patterns import Pattern

_FIXED: Final = ("name", "region", "zones", "upgrade_domains", "instances")  # of a set: no change of its model


@frozen
class _Entry:
    """Something at `at` (ms UTC); `place` is its number in the file, `ends` marks the end of an outage."""

    at: int
    place: int
    event: Dated
    ends: bool = False


@define
class Agenda:
    """The dated events in order of time, then of the file; made for one fleet and checked against it.

    `InvalidModel`, with the place in the faults file, if an event names a set, image or region that is not in the
    fleet, a pattern that can match no instance of any set, or a change that makes no model.
    """

    engine: Readable
    fleet: Fleet
    faults: Faults
    start: int
    _entries: list[_Entry] = field(init=False, repr=False)
    _next: int = field(default=0, init=False, repr=False)
    _outages: tuple[tuple[Pattern, Outage], ...] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        entries: list[_Entry] = []
        outages: list[tuple[Pattern, Outage]] = []
        names = _Names(self.fleet, self.faults.events)
        for place, event in enumerate(self.faults.events):
            _check(names, event, f"events[{place}]")
            if isinstance(event, Dated):
                entries.append(_Entry(self.start + event.at_ms, place, event))
            if isinstance(event, Outage):
                outages.append((Pattern(event.instances), event))
                if event.until_ms is not None:
                    entries.append(_Entry(self.start + event.until_ms, place, event, ends=True))
        self._entries = sorted(entries, key=lambda entry: (entry.at, entry.place))
        self._outages = tuple(outages)

    def next_time(self) -> int | None:
        """Return when the next event is due (ms UTC), None if none is left."""
        return self._entries[self._next].at if self._next < len(self._entries) else None

    def take(self, now: int) -> list[Dated]:
        """Take what is due at `now` or before, in order; an outage is there for its beginning and for its end."""
        taken: list[Dated] = []
        while self._next < len(self._entries) and self._entries[self._next].at <= now:
            taken.append(self._entries[self._next].event)
            self._next += 1
        return taken

    def events(self, state: State, dated: Dated, now: int) -> tuple[Event, ...]:
        """Return what happens to the engine; nothing for an outage, of which only reports tell."""
        match dated:
            case Scale():
                scaled = self._scaled(state, dated, now)
                return (scaled,) if scaled.added or scaled.removed else ()
            case Publish(publish=new):
                return (Published(new.image, ImageVersion(new.version, published_at_ms=now), now),)
            case Replicate(replicate=new):
                return (Replicated(new.image, new.version, new.region, now, new.exclude_from_latest),)
            case Protect(protect=asked):
                found = self._matching(state, asked.instances)
                return tuple(Protected(name, ids, asked.protected, now) for name, ids in found)
            case Apply():
                return tuple(Applied(name, ids, now) for name, ids in self._matching(state, dated.apply))
            case Configure():
                return (Configured(changed(self.fleet, self.model(state, dated.configure["set"]), dated), now),)
            case PauseAll():
                return (Pause(now),)
            case ResumeAll():
                return (Resume(now),)
            case CancelAll() | Stop():
                return (Cancel(now),)
        return ()

    def outage_health(self, set_name: str, names: Sequence[str], now: int) -> list[Health | None]:
        """Return for each full instance name the health that an outage makes it report, the last listed one's first."""
        found: list[Health | None] = [None] * len(names)
        for pattern, outage in self._outages:
            begun = self.start + outage.at_ms <= now
            over = outage.until_ms is not None and self.start + outage.until_ms <= now
            reach = pattern.reach(set_name) if begun and not over else "none"
            if reach != "none":
                for at, name in enumerate(names):
                    if reach == "all" or pattern.matches(name):
                        found[at] = outage.health
        return found

    @property
    def has_outages(self) -> bool:
        """Whether the faults file has any outage."""
        return bool(self._outages)

    def in_outage(self, set_name: str, now: int) -> bool:
        """Whether an outage can reach the set at `now`."""
        return any(
            self.start + outage.at_ms <= now
            and (outage.until_ms is None or now < self.start + outage.until_ms)
            and pattern.reach(set_name) != "none"
            for pattern, outage in self._outages
        )

    def model(self, state: State, name: str) -> ScaleSet:
        """Return the model that a set has now."""
        return next(model for model in (*state.book.models.values(), *self.fleet.sets) if model.full_name == name)

    def _matching(self, state: State, instances: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Yield each set with the ids of its present instances that match the pattern, if any does."""
        pattern = Pattern(instances)
        for scale_set in self.fleet.sets:
            name = scale_set.full_name
            if pattern.reach(name) != "none":
                ids = self.engine.ids(state, self.engine.members(state, name))
                matching = tuple(id_ for id_ in ids if pattern.matches(f"{name}/{id_}"))
                if matching:
                    yield name, matching

    def _scaled(self, state: State, dated: Scale, now: int) -> Scaled:
        ids = sorted(self.engine.ids(state, self.engine.members(state, dated.scale)), key=natural_key)
        if dated.to <= len(ids):
            return Scaled(dated.scale, now, removed=tuple(ids[dated.to :]))
        model = self.model(state, dated.scale)
        version = dated.version or available(model, state.book.catalogue, now)
        first = max((int(id_) for id_ in ids if id_.isascii() and id_.isdigit()), default=-1) + 1
        numbers = range(first, first + dated.to - len(ids))
        return Scaled(dated.scale, now, added=tuple(placed(model, number, version) for number in numbers))


def placed(model: ScaleSet, number: int, version: str | None) -> Instance:
    """Return instance `number` of a set, where a count puts it: zones in turn, then upgrade domains in turn."""
    zones = model.zones or (None,)
    return Instance(
        id=str(number),
        zone=zones[number % len(zones)],
        upgrade_domain=number // len(zones) % model.upgrade_domains,
        version=version,
    )


def available(model: ScaleSet, catalogue: Iterable[Image], now: int) -> str | None:
    """Return the version that a new instance of the set is made on: the pinned one, else the newest available to it.

    None where no version is known (a custom image outside a gallery).
    """
    if model.version != "latest":
        return model.version
    image = next((image for image in catalogue if image.name == model.image.name), None)
    return None if image is None else newest_target(image, (model.region,), now)


def changed(fleet: Fleet, model: ScaleSet, dated: Configure) -> ScaleSet:
    """Return the model with the changed fields; a mapping in a mapping's place changes only the keys that it has.

    `InvalidModel` if a field is unknown, is none of a model (names, zones, instances), or has a wrong value.
    """
    fields = dump_model(fleet, model)
    for key, value in dated.configure.items():
        if key in _FIXED:
            raise InvalidModel(f"`{key}` of a set cannot be changed; leave it out", f"configure.{key}")
        if key != "set":
            old = fields.get(key)
            fields[key] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    try:
        return parse_model(fleet, fields)
    except InvalidModel as error:
        raise error.under("configure") from None


@frozen
class _Names:
    """What events may name; looked for when one does."""

    fleet: Fleet
    events: Sequence[FaultEvent]

    @cached_property
    def sets(self) -> Mapping[str, ScaleSet]:
        """The sets by their full names."""
        return {scale_set.full_name: scale_set for scale_set in self.fleet.sets}

    @cached_property
    def versions(self) -> Mapping[VersionKey, str]:
        """Every version that there may come to be: of images and sets, on instances, and in events."""
        found: set[str | None] = {version.version for image in self.fleet.images for version in image.versions}
        for scale_set in self.fleet.sets:
            rows = scale_set.instances
            found |= {scale_set.version, *(rows.versions if isinstance(rows, Roster) else ())}
        for event in self.events:
            match event:
                case Publish(publish=new):
                    found.add(new.version)
                case Scale(version=version) | Configure(configure={"image": {"version": str(version)}}):
                    found.add(version)
        return {version_key(version): version for version in sorted(filter(None, found)) if version != "latest"}

    def has_instance(self, name: str) -> bool:
        """Whether there is an instance of that full name in a set of the fleet, or may be one day."""
        region, set_name, ident = name.split("/", 2)
        scale_set = self.sets[f"{region}/{set_name}"]
        if any(isinstance(event, Scale) and event.scale == scale_set.full_name for event in self.events):
            return True
        rows = scale_set.instances
        return ident in (rows.ids if isinstance(rows, Roster) else map(str, range(rows)))


def _check(names: _Names, event: FaultEvent, path: str) -> None:
    fleet, sets = names.fleet, names.sets
    match event:
        case Scale(scale=name):
            _known(name, sets, "set", f"{path}.scale")
        case Publish(publish=new):
            listed = {image.name: {one.version for one in image.versions} for image in fleet.images}
            _known(new.image, listed, "image", f"{path}.publish.image")
            if new.version in listed[new.image]:
                raise InvalidModel(
                    f"image `{new.image}` has version `{new.version}` already", f"{path}.publish.version"
                )
        case Replicate(replicate=new):
            images = {image.name for image in fleet.images if image.reference.is_gallery}
            _known(new.image, images, "gallery image", f"{path}.replicate.image")
            _known(new.region, {region.name for region in fleet.regions}, "region", f"{path}.replicate.region")
        case Configure():
            _known(event.configure["set"], sets, "set", f"{path}.configure.set")
            try:
                changed(fleet, sets[event.configure["set"]], event)
            except InvalidModel as error:
                raise error.under(path) from None
        case Protect(protect=protection):
            _reaching(protection.instances, names, f"{path}.protect.instances")
        case Apply():
            _reaching(event.apply, names, f"{path}.apply")
        case NeverHealthy() | Fails() | Silent() | Outage():
            _reaching(event.instances, names, f"{path}.instances")
    version = event.version if isinstance(event, NeverHealthy | Fails | Silent) else None
    if version is not None and version_key(version) not in names.versions:
        refuse_unknown(version, names.versions.values(), "version", f"{path}.version")


def _known(name: str, known: Iterable[str], what: str, path: str) -> None:
    if name not in known:
        refuse_unknown(name, known, what, path)


def _reaching(pattern: str, names: _Names, path: str) -> None:
    translated = Pattern(pattern)
    if all(translated.reach(name) == "none" for name in names.sets):
        raise InvalidModel(f"pattern `{pattern}` reaches no set; it is matched against `region/set/id`", path)
    if "[" in pattern and "]" not in pattern.partition("[")[2]:
        raise InvalidModel(f"pattern `{pattern}` has a `[` that nothing closes", path)
    if translated.is_name and not names.has_instance(pattern):
        raise InvalidModel(f"no instance `{pattern}`, and nothing scales {pattern.rpartition('/')[0]}", path)
