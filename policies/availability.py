"""Availability first: the composition of all rules, with the document's defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, Protocol

import attrs
from attrs import evolve, field, frozen

from phasegate.core.codes import TIMEOUT_MS_MAX
from phasegate.core.errors import InvalidModel
from phasegate.core.model import Fleet, Image, ScaleSet, refuse_unknown
from phasegate.core.rules import Rules, UserPolicy
from phasegate.policies.batches import Batches
from phasegate.policies.conflicts import Conflicts
from phasegate.policies.delays import Delays
from phasegate.policies.eligibility import judge
from phasegate.policies.groups import Groups
from phasegate.policies.health_gate import HealthGate
from phasegate.policies.maintenance_windows import MaintenanceWindows
from phasegate.policies.pairs import Pairs
from phasegate.policies.phase_order import PhaseOrder
from phasegate.policies.phases import Phases
from phasegate.policies.protection import Protection
from phasegate.policies.retries import Retries
from phasegate.policies.rollback import Rollback
from phasegate.policies.service_fabric import ServiceFabricDomains
from phasegate.policies.supported_images import DEFAULT, SupportedImage
from phasegate.policies.targets import Targets
from phasegate.policies.upgrade_domains import UpgradeDomains
from phasegate.policies.upgraded_gate import UpgradedGate
from phasegate.policies.versions import counts_in, newest_target
from phasegate.policies.zones import Zones


class Part(Protocol):
    """One rule as a composition sees it: its name, and how it narrows what the rules before it have left."""

    @property
    def name(self) -> str:
        """The rule's name."""
        ...

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Return the rules with something narrower in them."""
        ...


@frozen
class Eligibility:
    """Rule: every condition of semantics 3 keeps a set out; the supported images are data."""

    name = "eligibility"

    supported_images: tuple[SupportedImage, ...] = DEFAULT

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Set the judge."""
        return evolve(rules, judge=partial(_judge, self.supported_images))


def _judge(
    supported: Sequence[SupportedImage],
    scale_set: ScaleSet,
    image: Image | None,
    target: str | None,
    manual: bool,
    off_model: bool,
    now: int,
) -> tuple[str, ...]:
    return judge(scale_set, image, target, manual=manual, supported=supported, off_model=off_model, now=now)


PARTS: Final[tuple[type[Any], ...]] = (
    Eligibility,
    Targets,
    Protection,
    Retries,
    Phases,
    Pairs,
    Zones,
    Conflicts,
    Groups,
    Delays,
    MaintenanceWindows,
    UpgradeDomains,
    ServiceFabricDomains,
    PhaseOrder,
    Batches,
    HealthGate,
    UpgradedGate,
    Rollback,
)


@frozen(kw_only=True)
class AvailabilityFirst:
    """The rules of the document, composed. Immutable; `evolve` returns one with other options.

    Every default is the document's (20 % and 5 minutes), or decided by the semantics where it is silent. Percentages
    are in percent: batch and unhealthy 5..100, the others 0..100; times in ms. A value outside its range is refused
    with `ValueError` that names the option. `also` are users' own policies, each of which can only narrow further.

    >>> availability_first().evolve(max_batch_percent=10).max_batch_percent
    10
    >>> availability_first(max_batch_percent=4)
    Traceback (most recent call last):
    phasegate.core.errors.InvalidModel: 4 is not between 5 and 100 (at `max_batch_percent`)
    """

    max_batch_percent: int = 20
    max_unhealthy_percent: int = 20
    max_unhealthy_upgraded_percent: int = 20
    unhealthy_upgraded_of: Literal["upgraded", "set"] = "upgraded"
    unhealthy_shrinks_batch: bool = True
    prioritize_unhealthy: bool = False
    enable_cross_zone: bool = False
    pause_between_batches_ms: int = 0
    phase_failure_percent: int = 0
    phase_bake_ms: int = 0
    disable_automatic_rollback: bool = False
    health_timeout_ms: int = 5 * 60_000
    step_timeout_ms: int = 90 * 60_000
    supersede: Literal["finish", "cancel"] = "finish"
    delays: bool = True
    supported_images: tuple[SupportedImage, ...] = field(default=DEFAULT, converter=tuple)
    also: tuple[UserPolicy, ...] = field(default=(), converter=tuple)

    def __attrs_post_init__(self) -> None:
        for a in attrs.fields(AvailabilityFirst):
            _check(a.name, getattr(self, a.name), a.default)

    def evolve(self, **changes: Any) -> AvailabilityFirst:
        """Return the same policy with other options."""
        return availability_first(**(attrs.asdict(self, recurse=False) | changes))

    def parts(self) -> tuple[Part, ...]:
        """Return the rules that it is composed of, in order; each has those of the options that it names."""
        options = attrs.asdict(self, recurse=False)
        return tuple(
            part(**{a.name: options[a.name] for a in attrs.fields(part)})
            for part in PARTS
            if self.delays or part is not Delays
        )

    def rules(self, fleet: Fleet) -> Rules:
        """Return what the composition makes of the rules for that fleet."""
        rules = Rules(target=newest_target, counts=counts_in)
        for part in self.parts():
            rules = part.narrow(rules, fleet)
        return evolve(rules, asks=self.also)

    def document(self) -> Mapping[str, object]:
        """Return the options as a policy file has them, users' own policies by name."""
        options = attrs.asdict(self, recurse=False)
        options["supported_images"] = [attrs.asdict(image) for image in self.supported_images]
        options["also"] = [policy.name for policy in self.also]
        return options


def availability_first(**options: Any) -> AvailabilityFirst:
    """Return the composition of all rules with the document's defaults, and these options instead of them.

    `InvalidModel` if an option is unknown or out of its range.
    """
    known = [a.name for a in attrs.fields(AvailabilityFirst)]
    for name in options:
        if name not in known:
            refuse_unknown(name, known, "option", name)
    return AvailabilityFirst(**options)


RANGES: Final[dict[str, tuple[int, int]]] = {
    "max_batch_percent": (5, 100),
    "max_unhealthy_percent": (5, 100),
    "max_unhealthy_upgraded_percent": (0, 100),
    "phase_failure_percent": (0, 100),
    "pause_between_batches_ms": (0, 2**53),
    "phase_bake_ms": (0, 2**53),
    "health_timeout_ms": (1, TIMEOUT_MS_MAX),
    "step_timeout_ms": (1, TIMEOUT_MS_MAX),
}
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "unhealthy_upgraded_of": ("upgraded", "set"),
    "supersede": ("finish", "cancel"),
}


def _check(name: str, value: Any, default: Any) -> None:
    if name in RANGES:
        low, high = RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidModel(f"{value!r} is not between {low} and {high}", name)
    elif name in CHOICES and value not in CHOICES[name]:
        raise InvalidModel(f"`{value}` is not one of {', '.join(CHOICES[name])}", name)
    elif isinstance(default, bool) and not isinstance(value, bool):
        raise InvalidModel(f"{value!r} is not true or false", name)
