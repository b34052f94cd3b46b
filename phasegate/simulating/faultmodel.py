"""What can go wrong, or just happen, in the simulated environment: one class for each kind of event of a faults file.

Times are whole milliseconds; `at_ms` and `until_ms` count from the start of the simulation. A pattern (`instances`) is
shell-style and case-sensitive over full instance names (`region/set/id`). Each class is told by the key that only it
has (`KINDS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from attrs import Attribute, field, frozen

from phasegate.core.codes import TIME_MAX
from phasegate.core.errors import InvalidModel
from phasegate.core.model import Health
from phasegate.core.versions import version_key

Span = tuple[int, int]
Step = Literal["replace", "configure", "restore"]


def _time(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if value is not None and not 0 <= value <= TIME_MAX:
        raise InvalidModel(f"{value} ms is not between 0 and 2**48 - 2", attribute.name)


def _span(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    low, high = value
    if not 0 <= low <= high <= TIME_MAX:
        raise InvalidModel(f"[{low}, {high}] is not [low, high] with 0 <= low <= high <= 2**48 - 2", attribute.name)


def _rate(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if not 0 <= value <= 1:
        raise InvalidModel(f"rate {value} is not between 0 and 1", attribute.name)


def _filled(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if not value:
        raise InvalidModel("an empty text; name what is meant", attribute.name)


def _version(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if value is not None:
        try:
            version_key(value)
        except InvalidModel as error:
            raise error.under(attribute.name) from None


def _yes(instance: Any, attribute: Attribute[Any], value: Any) -> None:
    if not value:
        raise InvalidModel("false says nothing here; leave the event out instead", attribute.name)


@frozen(kw_only=True)
class Timing:
    """How long things take (ms): a span is drawn from uniformly, both ends included; equal ends are a constant."""

    replace_ms: Span = field(default=(60_000, 60_000), validator=_span)
    configure_ms: Span = field(default=(20_000, 20_000), validator=_span)
    healthy_after_ms: Span = field(default=(30_000, 30_000), validator=_span)
    restore_ms: Span = field(default=(60_000, 60_000), validator=_span)


@frozen(kw_only=True)
class Rates:
    """How often what goes wrong by chance, from 0 to 1; 1 is always.

    `never_healthy` is of pairs of an instance and a version that it is upgraded to or made on, the `*_fails` are of
    commands, `late_report` (delivered up to a minute after the deadline) and `duplicate_report` (delivered once more
    within a minute) of reports, those of health after a swap included.
    """

    never_healthy: float = field(default=0.0, validator=_rate)
    replace_fails: float = field(default=0.0, validator=_rate)
    configure_fails: float = field(default=0.0, validator=_rate)
    restore_fails: float = field(default=0.0, validator=_rate)
    late_report: float = field(default=0.0, validator=_rate)
    duplicate_report: float = field(default=0.0, validator=_rate)


@frozen(kw_only=True)
class NeverHealthy:
    """Matching instances report `unhealthy` while on `version`, or while on `from_version` or a newer one.

    With neither, on every version that they are upgraded to or made on, but not on the one that they had before.
    """

    instances: str = field(validator=_filled)
    never_healthy: bool = field(validator=_yes)
    version: str | None = field(default=None, validator=_version)
    from_version: str | None = field(default=None, validator=_version)

    def __attrs_post_init__(self) -> None:
        if self.version is not None and self.from_version is not None:
            raise InvalidModel("`version` and `from_version` exclude each other; keep one", "from_version")

    @property
    def names_version(self) -> bool:
        """Whether it is about given versions."""
        return self.version is not None or self.from_version is not None

    def holds_on(self, version: str | None) -> bool:
        """Whether it is about this installed version; None is an unknown one."""
        if not self.names_version:
            return True
        if version is None:
            return False
        if self.version is not None:
            return version_key(version) == version_key(self.version)
        return version_key(version) >= version_key(cast(str, self.from_version))


@frozen(kw_only=True)
class Fails:
    """A step of matching instances fails; with `version`, the step that replaces with, configures or restores it."""

    instances: str = field(validator=_filled)
    fails: Step
    version: str | None = field(default=None, validator=_version)


@frozen(kw_only=True)
class Silent:
    """A step of matching instances is never answered, or their health never reported; `version` as in `Fails`."""

    instances: str = field(validator=_filled)
    silent: Literal["replace", "configure", "restore", "health"]
    version: str | None = field(default=None, validator=_version)


@frozen(kw_only=True)
class Outage:
    """Outside maintenance: matching instances report this health from `at_ms` to before `until_ms` (None: for good)."""

    instances: str = field(validator=_filled)
    at_ms: int = field(validator=_time)
    health: Health
    until_ms: int | None = field(default=None, validator=_time)

    def __attrs_post_init__(self) -> None:
        if self.until_ms is not None and self.until_ms <= self.at_ms:
            raise InvalidModel(f"{self.until_ms} is not after `at_ms` {self.at_ms}", "until_ms")


@frozen(kw_only=True)
class Scale:
    """A set is brought to `to` instances; new ones are made on `version` (None: the newest available to the set)."""

    scale: str = field(validator=_filled)
    at_ms: int = field(validator=_time)
    to: int
    version: str | None = field(default=None, validator=_version)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.to <= 2**31:
            raise InvalidModel(f"{self.to} is no number of instances", "to")


@frozen(kw_only=True)
class NewVersion:
    """A version of an image (`publisher/offer/sku` or `gallery/definition`)."""

    image: str = field(validator=_filled)
    version: str = field(validator=_version)


@frozen(kw_only=True)
class Publish:
    """A version is published."""

    publish: NewVersion
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class NewReplica:
    """A gallery version in one region."""

    image: str = field(validator=_filled)
    version: str = field(validator=_version)
    region: str = field(validator=_filled)
    exclude_from_latest: bool = False


@frozen(kw_only=True)
class Replicate:
    """A gallery version reaches a region, or that region's entry is changed."""

    replicate: NewReplica
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class Protection:
    """Protection from scale set actions, on or off, of matching instances."""

    instances: str = field(validator=_filled)
    protected: bool = True


@frozen(kw_only=True)
class Protect:
    """Instances are protected from scale set actions, or no longer."""

    protect: Protection
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class Configure:
    """A set's model is changed: `configure` holds `set` (its full name) and changed fields as a fleet file has them."""

    configure: Mapping[str, Any] = field(converter=dict)
    at_ms: int = field(validator=_time)

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.configure.get("set"), str):
            raise InvalidModel("`set` is missing; give the full name `region/set` of the set to change", "configure")
        if len(self.configure) == 1:
            raise InvalidModel("nothing changes; add changed fields beside `set`", "configure")


@frozen(kw_only=True)
class Apply:
    """The model is applied to matching instances, of sets with upgrade mode manual as of others."""

    apply: str = field(validator=_filled)
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class PauseAll:
    """Every rollout is paused."""

    pause: bool = field(validator=_yes)
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class ResumeAll:
    """Every rollout is resumed."""

    resume: bool = field(validator=_yes)
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class CancelAll:
    """Every rollout is cancelled: nothing starts any more, what is in flight finishes."""

    cancel: bool = field(validator=_yes)
    at_ms: int = field(validator=_time)


@frozen(kw_only=True)
class Stop:
    """The andon cord: the same as `cancel`, under the name that the semantics give it (section 9)."""

    stop: bool = field(validator=_yes)
    at_ms: int = field(validator=_time)


Standing = NeverHealthy | Fails | Silent
Dated = Outage | Scale | Publish | Replicate | Protect | Configure | Apply | PauseAll | ResumeAll | CancelAll | Stop
FaultEvent = Standing | Dated

KINDS: Final[dict[str, type[FaultEvent]]] = {
    "never_healthy": NeverHealthy,
    "fails": Fails,
    "silent": Silent,
    "health": Outage,
    "scale": Scale,
    "publish": Publish,
    "replicate": Replicate,
    "protect": Protect,
    "configure": Configure,
    "apply": Apply,
    "pause": PauseAll,
    "resume": ResumeAll,
    "cancel": CancelAll,
    "stop": Stop,
}


@frozen(kw_only=True)
class Faults:
    """All that a faults file says; without arguments: replace 60 s, configure 20 s, healthy 30 s, nothing fails."""

    timing: Timing = field(factory=Timing)
    rates: Rates = field(factory=Rates)
    events: tuple[FaultEvent, ...] = field(default=(), converter=tuple[FaultEvent, ...])
