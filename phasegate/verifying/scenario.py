"""A scenario: a small fleet under a policy, where to begin, what its environment may do, and what is expected of it.

Time is abstract in it. Whatever the fleet and the policy say of times, only this is left of them: a span that is not
zero is one day, every set was configured a day ahead of the beginning, and what the catalogue lists is there at the
beginning. So each timer is armed exactly where the rules arm it, and none passes by itself in a replay, whose steps
are milliseconds apart: it passes where somebody says so.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, field, frozen

from phasegate.core import codes as c
from phasegate.core.engine import Engine
from phasegate.core.events import Event, Rollout, Signals, What
from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import NOW, Order, Spare, Subject
from phasegate.core.model import Fleet, Image, ScaleSet
from phasegate.core.windows import DAY_MS
from phasegate.policies import AvailabilityFirst, availability_first
from phasegate.verifying.conditions import CONDITIONS
from phasegate.verifying.promise import Custom

EVERY_PROMISE: Final = frozenset(Promise)
_SPANS: Final = ("pause_between_batches_ms", "phase_bake_ms", "health_timeout_ms", "step_timeout_ms")


@frozen
class Count:
    """How many states and transitions there are, and how many acts away the farthest state is."""

    states: int | None = None
    transitions: int | None = None
    depth: int | None = None


@frozen(kw_only=True)
class Expected:
    """What a run of a scenario is expected to come to; None: whatever it is.

    `states`, `transitions` and `depth` go without symmetry, `symmetric` with it, both by the whole exploration, breadth
    first. Where the beginning is not symmetric itself, symmetry may make the way to a state shorter.
    """

    verdict: str | None = None
    promise: str | None = None
    states: int | None = None
    transitions: int | None = None
    depth: int | None = None
    symmetric: Count = field(factory=Count)


@frozen(kw_only=True, eq=False)
class Scenario:
    """What is explored. `start` None: a rollout of every image that has something newer for somebody.

    `events` are its own, each at most once, anywhere; `spares` what scale-out may add. `orchestrator` says which
    batches are started: any that is legal, or only those that the engine selects. `promises` are checked in every
    state; `sometimes` names what some state must show, or the scenario does not exercise what it claims to, and
    `claims` are what it says beside that of its own states (`claims.py`).
    """

    name: str
    about: str = ""
    fleet: Fleet
    policy: AvailabilityFirst = field(factory=availability_first)
    start: tuple[Rollout, ...] | None = None
    freedom: Freedom = field(factory=Freedom)
    spares: tuple[Spare, ...] = ()
    events: tuple[Order, ...] = ()
    orchestrator: str = "legal"
    promises: frozenset[Promise] = EVERY_PROMISE
    sometimes: tuple[str, ...] = ()
    claims: tuple[Custom, ...] = ()
    expect: Expected = field(factory=Expected)

    def own(self) -> list[Custom]:
        """Return all that it says of its own states: what `sometimes` names, then its `claims`."""
        return [*(CONDITIONS[name] for name in self.sometimes), *self.claims]

    def subject(self, kernel: Any = None) -> Subject:
        """Return what an explorer explores, on that class of selector and stepper (None: the engine's own choice).

        `InvalidModel`, `InvalidEvent` or `UnknownName` if fleet, policy and start do not fit together.
        """
        engine = Engine(timeless_fleet(self.fleet), timeless_policy(self.policy), kernel=kernel)
        start: list[Event] = list(self._first_reports(engine))
        start += self.start if self.start is not None else self._due(engine)
        return Subject(
            engine=engine,
            start=tuple(evolve(event, now=NOW) for event in start),
            freedom=self.freedom,
            orders=self.events,
            spares=self.spares,
            takes=self.orchestrator,
            promises=frozenset(int(promise) for promise in self.promises),
        )

    def _due(self, engine: Engine) -> list[Event]:
        return [Rollout(image, NOW) for image in engine.candidates_for_update(engine.initial(now=NOW))]

    def _first_reports(self, engine: Engine) -> list[Event]:
        """Let everybody be heard of once where stale or duplicate reports may come, which are so beside another one."""
        state = engine.initial(now=NOW)
        life = state.column("life").flat()[: state.rows["instance"]]
        if not (self.freedom.stale_reports or self.freedom.duplicate_reports) or not life:
            return []
        return [
            Signals.joined([Signals.of(What(byte >> c.HEALTH_SHIFT), [at], NOW) for at, byte in enumerate(life)], NOW)
        ]


def timeless_policy(policy: AvailabilityFirst) -> AvailabilityFirst:
    """Return the policy with each span that is not zero as one day."""
    return policy.evolve(**{name: DAY_MS for name in _SPANS if getattr(policy, name)})


def timeless_fleet(fleet: Fleet) -> Fleet:
    """Return the fleet configured a day ahead of the beginning, what its catalogue lists being there by then."""
    return evolve(
        fleet, images=tuple(map(timeless_image, fleet.images)), sets=tuple(timeless_set(one) for one in fleet.sets)
    )


def timeless_set(model: ScaleSet) -> ScaleSet:
    """Return the set's model, configured a day ahead of the beginning."""
    rolling = model.rolling_policy
    if rolling.pause_between_batches_ms:
        rolling = evolve(rolling, pause_between_batches_ms=DAY_MS)
    return evolve(model, configured_at_ms=NOW + DAY_MS, rolling_policy=rolling)


def timeless_image(image: Image) -> Image:
    """Return the image, all its versions published and replicated at the beginning."""
    return evolve(
        image,
        versions=tuple(
            evolve(
                version,
                published_at_ms=NOW,
                regions=tuple(evolve(replica, replicated_at_ms=NOW) for replica in version.regions),
            )
            for version in image.versions
        ),
    )
