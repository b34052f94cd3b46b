"""Scenario files, `phasegate/scenario/1`: what is to be verified, as YAML or JSON.

The parts of a fleet file, a policy file and a log are written as they are there; `fleet` and `policy` may also be
paths, seen from the scenario's folder. Every event of its own does one thing, told by its one key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from attrs import evolve, field, fields, frozen

from phasegate.core.errors import InvalidEvent, InvalidModel, UnknownName
from phasegate.core.events import Configured, Protected, Published, Replicated, Rollout
from phasegate.core.exploring.acts import ANY, Freedom
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import NOW, Order, Spare
from phasegate.core.model import Fleet, ImageVersion, ScaleSet, refuse_unknown
from phasegate.core.roster import Instance
from phasegate.files.documents import InvalidFile, blamed_on, parse_document, read_bytes, without_format
from phasegate.files.fleetfile import fleet_of, load_fleet
from phasegate.files.modelfile import dump_model, parse_model
from phasegate.files.plaindata import described, int_of, list_of, mapping_of, text_of
from phasegate.files.policyfile import load_policy, policy_of
from phasegate.files.structure import Reader
from phasegate.policies import AvailabilityFirst, availability_first
from phasegate.verifying.claims import claim_of
from phasegate.verifying.promise import Custom
from phasegate.verifying.scenario import EVERY_PROMISE, Expected, Scenario, timeless_image, timeless_set

FORMAT: Final = "phasegate/scenario/1"
VERDICTS: Final = ("holds", "violated", "undetermined")

T = TypeVar("T")


@frozen(kw_only=True)
class _Document:
    """A scenario file as it stands, its parts still plain data where they need one another."""

    about: str
    fleet: object
    policy: object = None
    start: tuple[_Start, ...] | None = None
    environment: Mapping[str, object] = field(factory=dict)
    spares: tuple[Mapping[str, object], ...] = ()
    events: tuple[Mapping[str, object], ...] = ()
    orchestrator: Literal["legal", "select"] = "legal"
    promises: tuple[object, ...] | None = None
    sometimes: tuple[object, ...] = ()
    never: tuple[object, ...] = ()
    eventually: tuple[object, ...] = ()
    expect: Expected = field(factory=Expected)


@frozen(kw_only=True)
class _Start:
    image: str
    target: str | None = None
    sets: tuple[str, ...] | None = None

    def rollout(self) -> Rollout:
        return Rollout(self.image, NOW, self.target, self.sets, "platform" if self.sets is None else "user")


@frozen(kw_only=True)
class _Publish:
    image: str
    version: object


@frozen(kw_only=True)
class _Replicate:
    image: str
    version: str
    region: str
    exclude_from_latest: bool = False


@frozen(kw_only=True)
class _Protect:
    set: str
    instances: tuple[str, ...]


def load_scenario(path: str | os.PathLike[str]) -> Scenario:
    """Return the scenario of a file, named after it; `InvalidFile` for all that `parse_scenario` refuses."""
    return parse_scenario(read_bytes(path), os.fspath(path))


def parse_scenario(data: bytes, name: str) -> Scenario:
    """Return the scenario that a text describes; `name` is what errors call it, and whose folder paths are seen from.

    `InvalidFile`, with the place, if it is no such document, has a key that is unknown or there twice, a value of a
    wrong type or out of its range, names what is not there, or if its rollouts cannot begin.
    """
    document = parse_document(data, name)
    with blamed_on(name):
        top = _READER.read(_Document, without_format(document, FORMAT))
        folder = Path(name).parent
        fleet = _part(top.fleet, "fleet", folder, fleet_of, load_fleet)
        policy: AvailabilityFirst = availability_first()
        if top.policy is not None:
            policy = _part(top.policy, "policy", folder, policy_of, load_policy)
        scenario = Scenario(
            name=Path(name).stem,
            about=top.about,
            fleet=fleet,
            policy=policy,
            start=None if top.start is None else tuple(start.rollout() for start in top.start),
            freedom=_under("environment", lambda: _freedom(top.environment)),
            spares=_each("spares", top.spares, lambda spare: _spare(spare, fleet)),
            events=_each("events", top.events, lambda event: _event(event, fleet)),
            orchestrator=top.orchestrator,
            promises=EVERY_PROMISE if top.promises is None else frozenset(_each("promises", top.promises, promise_of)),
            sometimes=_names(top.sometimes),
            claims=_claims(top, fleet),
            expect=_under("expect", lambda: _expected(top.expect)),
        )
    _try(scenario, name)
    return scenario


def _part(
    data: object, key: str, folder: Path, read: Callable[[object], T], load: Callable[[str | os.PathLike[str]], T]
) -> T:
    """Return a part that stands here, or in a file of its own."""
    if isinstance(data, str):
        return load(folder / data)
    return _under(key, lambda: read(data))


def _under(place: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except InvalidModel as error:
        raise error.under(place) from None


def _each(place: str, items: tuple[Any, ...], read: Callable[[Any], T]) -> tuple[T, ...]:
    return tuple(_under(f"{place}[{at}]", lambda item=item: read(item)) for at, item in enumerate(items))  # type: ignore[misc]


# --- the environment -------------------------------------------------------------------------------------------------


def _budget(data: object) -> int:
    if data == "any":
        return ANY
    if type(data) is not int:
        raise InvalidModel(f"expected a number or `any`, got {described(data)}")
    return int_of(data)


_BUDGETS: Final = {attribute.name: _budget for attribute in fields(Freedom)}
_FREEDOM: Final = Reader().arguments(Freedom, instead=_BUDGETS)


def _freedom(data: Mapping[str, object]) -> Freedom:
    return Freedom(**_FREEDOM(data))


# --- scale-out -------------------------------------------------------------------------------------------------------

_INSTANCE: Final = Reader().arguments(Instance, leave_out=("health",))


def _spare(data: Mapping[str, object], fleet: Fleet) -> Spare:
    table = _READER.of(Mapping[str, object])(data)
    for key in table:
        if key not in ("set", "instances"):
            refuse_unknown(str(key), ("set", "instances"), "key", "")
    for key in ("set", "instances"):
        if key not in table:
            raise InvalidModel(f"`{key}` is missing")
    name = _under("set", lambda: text_of(table["set"]))
    _under("set", lambda: _set_named(fleet, name))
    rows = _under("instances", lambda: tuple(list_of(table["instances"])))
    return Spare(name, _each("instances", rows, lambda row: Instance(**_INSTANCE(row))))


def _set_named(fleet: Fleet, name: str) -> ScaleSet:
    known = {one.full_name: one for one in fleet.sets}
    if name not in known:
        refuse_unknown(name, known, "set", "")
    return known[name]


# --- its own events --------------------------------------------------------------------------------------------------


def _event(data: Mapping[str, object], fleet: Fleet) -> Order:
    if len(data) != 1:
        raise InvalidModel(f"expected one of {', '.join(_EVENTS)}, got {len(data)} keys; write one event for each")
    (kind, content), *_ = data.items()
    if kind not in _EVENTS:
        refuse_unknown(kind, _EVENTS, "event", "")
    return _under(kind, lambda: _EVENTS[kind](content, fleet))


def _publish(data: object, fleet: Fleet) -> Order:
    made = _READER.read(_Publish, data)
    image = _image_named(fleet, made.image)
    document = {"version": made.version} if isinstance(made.version, str) else made.version
    version = _under("version", lambda: _READER.read(ImageVersion, document))
    return Published(made.image, timeless_image(evolve(image, versions=(version,))).versions[0], NOW)


def _image_named(fleet: Fleet, name: str) -> Any:
    known = {image.name: image for image in fleet.images}
    if name not in known:
        refuse_unknown(name, known, "image", "image")
    return known[name]


def _configure(data: object, fleet: Fleet) -> Order:
    changes = dict(mapping_of(data))
    if "set" not in changes:
        raise InvalidModel("`set` is missing")
    name = _under("set", lambda: text_of(changes.pop("set")))
    model = _under("set", lambda: _set_named(fleet, name))
    for key in changes:
        if key in ("name", "region", "zones", "instances"):
            raise InvalidModel(f"`{key}` of a set does not change", key)
    document = dump_model(fleet, model) | changes
    return Configured(timeless_set(parse_model(fleet, document)), NOW)


def _replicate(data: object, fleet: Fleet) -> Order:
    made = _READER.read(_Replicate, data)
    _image_named(fleet, made.image)
    regions = [region.name for region in fleet.regions]
    if made.region not in regions:
        refuse_unknown(made.region, regions, "region", "region")
    return Replicated(made.image, made.version, made.region, NOW, made.exclude_from_latest)


def _protection(protected: bool) -> Callable[[object, Fleet], Order]:
    def read(data: object, fleet: Fleet) -> Order:
        made = _READER.read(_Protect, data)
        _under("set", lambda: _set_named(fleet, made.set))
        return Protected(made.set, made.instances, protected, NOW)

    return read


def _rollout(data: object, fleet: Fleet) -> Order:
    made = _READER.read(_Start, data)
    _image_named(fleet, made.image)
    for at, name in enumerate(made.sets or ()):
        _under(f"sets[{at}]", lambda name=name: _set_named(fleet, name))  # type: ignore[misc]
    return made.rollout()


_EVENTS: Final[Mapping[str, Callable[[object, Fleet], Order]]] = {
    "publish": _publish,
    "configure": _configure,
    "replicate": _replicate,
    "protect": _protection(True),
    "unprotect": _protection(False),
    "rollout": _rollout,
}


# --- what is asked of it ---------------------------------------------------------------------------------------------


def promise_of(data: object) -> Promise:
    """Return the promise of a number or a name like `pairs-apart`; `InvalidModel` if there is none.

    >>> promise_of(3), promise_of("pairs-apart")
    (<Promise.PHASES_IN_ORDER: 3>, <Promise.PAIRS_APART: 1>)
    """
    if type(data) is int:
        if data not in list(Promise):
            raise InvalidModel(f"there is no promise {data}; there are 1 to {max(Promise)}")
        return Promise(data)
    name = text_of(data)
    known = {promise_name(promise): promise for promise in Promise}
    if name not in known:
        refuse_unknown(name, known, "promise", "")
    return known[name]


def promise_name(promise: Promise) -> str:
    """Return the promise's name as files write it."""
    return promise.name.lower().replace("_", "-")


def _names(conditions: tuple[object, ...]) -> tuple[str, ...]:
    """Return those of the conditions that are names alone."""
    return tuple(one for one in conditions if isinstance(one, str))


def _claims(top: _Document, fleet: Fleet) -> tuple[Custom, ...]:
    """Return what it says of its own states beside names under `sometimes`."""
    found: list[Custom] = []
    for kind, conditions in (("sometimes", top.sometimes), ("never", top.never), ("eventually", top.eventually)):
        made = _each(kind, conditions, lambda one, kind=kind: claim_of(kind, one, fleet))  # type: ignore[misc]
        found += [
            claim
            for claim, one in zip(made, conditions, strict=True)
            if kind != "sometimes" or not isinstance(one, str)
        ]
    return tuple(found)


def _expected(expect: Expected) -> Expected:
    if expect.verdict is not None and expect.verdict not in VERDICTS:
        refuse_unknown(expect.verdict, VERDICTS, "verdict", "verdict")
    return expect


_READER: Final = Reader()


# --- whether it can begin --------------------------------------------------------------------------------------------


def _try(scenario: Scenario, name: str) -> None:
    """Refuse a scenario whose beginning the engine refuses, or whose events name what is not there."""
    place = "fleet"
    try:
        subject = scenario.subject()
        engine = subject.engine
        state = engine.initial(now=NOW)
        place = "spares"
        for event in subject.prologue():
            place = place if not isinstance(event, Rollout) else "start"
            state = engine.step(state, event).state
        for at, order in enumerate(scenario.events):
            place = f"events[{at}]"
            try:
                engine.step(state, order)
            except InvalidEvent:  # refused now: another of the events may have to happen first
                continue
        place = "fleet"
        subject.lay_open()
    except InvalidModel as error:
        raise InvalidFile(error.what, name, error.path or place) from None
    except (InvalidEvent, UnknownName) as error:
        raise InvalidFile(str(error), name, place) from None
