"""What the checker knows at one line of a log: rollouts, attempts, what is held, and what must still be seen."""

from __future__ import annotations

from typing import Any, Final

from attrs import define, field

from .findings import Finding
from .fleet_document import (
    CURRENT,
    EXCLUDED,
    NEVER,
    NOT_ELIGIBLE,
    NOT_HEALTHY,
    PENDING,
    UPGRADED,
    Fleet,
    Instance,
    Json,
    ScaleSet,
    Version,
    version_key,
)
from .timing import closed_between

MINUTE: Final = 60_000
DEFAULTS: Final[Json] = {
    "max_batch_percent": 20,
    "max_unhealthy_percent": 20,
    "max_unhealthy_upgraded_percent": 20,
    "health_timeout_ms": 5 * MINUTE,
    "step_timeout_ms": 90 * MINUTE,
    "phase_bake_ms": 0,
    "phase_failure_percent": 0,
    "unhealthy_shrinks_batch": True,
    "unhealthy_upgraded_of": "upgraded",
    "disable_automatic_rollback": False,
    "prioritize_unhealthy": False,
    "enable_cross_zone": False,
    "pause_between_batches_ms": 0,
    "supersede": "finish",
    "delays": True,
}


@define(eq=False)
class Rollout:
    """A rollout: what it said when it started, and how far its phases are. `phases` is empty where it has none."""

    id: Any
    image: str
    target: str
    manual: bool
    policy: Json
    phases: list[list[str]]
    sets: frozenset[str] | None
    target_key: Version
    ineligible: frozenset[str] | None  # sets that it left out when it started; None where the log does not say
    began: int = NEVER
    attempts: dict[str, Attempt] = field(factory=dict)
    opened: dict[int, int] = field(factory=dict)  # phase: when
    succeeded: dict[int, bool] = field(factory=dict)  # of the phases that have ended
    status: str | None = None
    cancelled: bool = False
    paused_since: int | None = None
    paused_ms: int = 0

    def phase_of(self, region: str) -> int | None:
        """Return the phase of a region, None if it is in none."""
        return next((at for at, regions in enumerate(self.phases) if region in regions), None)

    def running_ms(self, t: int) -> int:
        """Return a clock that stands still while the rollout is paused."""
        return t - self.paused_ms - (0 if self.paused_since is None else t - self.paused_since)

    def limit(self, scale_set: ScaleSet, name: str) -> Any:
        """Return a limit: the set's own, else that of the rollout's policy."""
        return scale_set.limit(name, self.policy[name])


@define(eq=False)
class Attempt:
    """One set's part of a rollout; `status` None while it waits or rolls forward."""

    rollout: Rollout
    scale_set: ScaleSet
    batches: int = 0
    cell: str | None = None  # the cell that it holds; `held` is asked before this is believed
    held_at: int = NEVER  # when the hold was looked at last
    domains: set[tuple[float, int]] = field(factory=set)  # what was begun: phase ordering number, upgrade domain
    cancelled: bool = False
    status: str | None = None
    over_at: int | None = None  # when its last batch ended
    rested_from: int | None = None  # the same on the clock that stands still while paused
    ended_from: int = 0  # when it ended, on that clock
    frozen: list[tuple[Instance, str]] | None = None  # how it left its instances, once another attempt took them on

    @property
    def at_work(self) -> bool:
        """From its first batch until it ends."""
        return self.batches > 0 and self.status is None

    def eligible(self) -> list[tuple[Instance, str]]:
        """Return its eligible instances that still exist, with their states (section 5)."""
        if self.frozen is not None:
            return [(one, state) for one, state in self.frozen if self.scale_set.instances.get(one.id) is one]
        here = self.scale_set.instances.values()
        return [(one, one.state) for one in here if one.state not in NOT_ELIGIBLE]

    def lost(self) -> int:
        """Return how many of its eligible instances are not upgraded and healthy now."""
        return sum(state != UPGRADED or one.health in NOT_HEALTHY for one, state in self.eligible())


@define(eq=False)
class Court:
    """All state of a check, and its findings."""

    fleet: Fleet
    rollouts: dict[Any, Rollout] = field(factory=dict)
    at_work: dict[str, set[Attempt]] = field(factory=dict)  # by region
    holders: dict[str, set[Attempt]] = field(factory=dict)  # by cell
    deadlines: dict[int, list[tuple[ScaleSet, Instance]]] = field(factory=dict)
    alarms: list[int] = field(factory=list)  # a heap of the times in `deadlines`
    due: dict[Instance, tuple[ScaleSet, str]] = field(factory=dict)  # entered by a report, to be seen in the log
    wanted: dict[Instance, tuple[ScaleSet, str]] = field(factory=dict)  # to be commanded in this step
    removed: set[tuple[str, str]] = field(factory=set)  # set and instance, in this step
    leaving: list[Attempt] = field(factory=list)  # cancelled in this step, before its first batch, without a request
    closed: list[Rollout] = field(factory=list)  # ended in this step
    superseded: bool = False  # a version has come since the beginning
    findings: list[Finding] = field(factory=list)
    line: int = 0
    t: int = NEVER
    _found: set[str] = field(factory=set)
    _found_at: int = 0

    def find(self, rule: str, text: str) -> None:
        """Report a breach at the current line, once a rule."""
        if self._found_at != self.line:
            self._found.clear()
            self._found_at = self.line
        if rule not in self._found:
            self._found.add(rule)
            self.findings.append(Finding(self.line, self.t, rule, text))

    def scale_set(self, name: str) -> ScaleSet | None:
        """Return a set, or report that there is none."""
        found = self.fleet.sets.get(name)
        if found is None:
            self.find("log", f"set `{name}` is not in the fleet")
        return found

    def rollout(self, id_: Any) -> Rollout | None:
        """Return a rollout, or report that it was not started."""
        found = self.rollouts.get(id_)
        if found is None:
            self.find("log", f"rollout `{id_}` was not started")
        return found

    def some(self, id_: Any) -> list[Rollout]:
        """Return one rollout, or all that run where none is named."""
        if id_ is None:
            return [rollout for rollout in self.rollouts.values() if rollout.status is None]
        found = self.rollout(id_)
        return [found] if found else []

    def is_overtaken(self, rollout: Rollout) -> bool:
        """Tell whether a newer version has come to count since the rollout began, which then is to be cancelled (9)."""
        if rollout.manual or rollout.policy["supersede"] != "cancel":
            return False
        regions = {one.region for one in self.fleet.sets.values() if one.image == rollout.image}
        for key, row in self.fleet.images.get(rollout.image, {}).items():
            if key <= rollout.target_key or row.get("exclude_from_latest"):
                continue
            published = row.get("published_at_ms") or 0
            replicas = [
                max(published, one.get("replicated_at_ms") or 0)
                for one in row.get("regions") or ()
                if one["name"] in regions and not one.get("exclude_from_latest")
            ]
            is_gallery = rollout.image.count("/") == 1  # `gallery/definition`
            came = min(replicas, default=None) if is_gallery else published
            if came is not None and rollout.began < came <= self.t:
                return True
        return False

    def attempt(self, rollout: Rollout, scale_set: ScaleSet) -> Attempt:
        """Return a set's attempt in a rollout; it is made where the log speaks of it first."""
        found = rollout.attempts.get(scale_set.name)
        if found is not None:
            return found
        before: Attempt | None = scale_set.attempt
        if before is not None:
            if before.status is None:
                self.find("one-attempt", f"`{scale_set.name}` is still in its attempt of rollout {before.rollout.id}")
            if before.rollout.status is None:
                before.frozen = before.eligible()
        if scale_set.image != rollout.image:
            self.find("rollout", f"`{scale_set.name}` has image `{scale_set.image}`, not `{rollout.image}`")
        if rollout.sets is not None and scale_set.name not in rollout.sets:
            self.find("rollout", f"`{scale_set.name}` is not among the sets of rollout {rollout.id}")
        found = rollout.attempts[scale_set.name] = scale_set.attempt = Attempt(rollout, scale_set)
        for instance in scale_set.instances.values():
            scale_set.enter(instance, standing(instance, rollout))
        return found

    def holds(self, attempt: Attempt) -> bool:
        """Tell whether an attempt surely holds its cell still; only a batch takes a cell again (section 6)."""
        if attempt.cell is None:
            return False
        if attempt.scale_set.in_flight == 0 and self._lets_go(attempt):
            self.holders[attempt.cell].discard(attempt)
            attempt.cell = None
            return False
        attempt.held_at = self.t
        return True

    def _lets_go(self, attempt: Attempt) -> bool:
        rollout = attempt.rollout
        if attempt.status is not None or attempt.cancelled or rollout.cancelled or rollout.paused_since is not None:
            return True
        windows = () if rollout.manual else attempt.scale_set.model.get("windows") or ()
        since = attempt.held_at if attempt.over_at is None else max(attempt.held_at, attempt.over_at)
        return bool(windows and closed_between(windows, since, self.t)) or not has_candidate(attempt)

    def look_at_holds(self, rollout: Rollout) -> None:
        """Let go the holds of a rollout that end now, before something happens that would hide it."""
        for attempt in rollout.attempts.values():
            self.holds(attempt)


def standing(instance: Instance, rollout: Rollout) -> str:
    """Return what an instance is when its set's attempt is made (sections 2 and 8)."""
    if on_target(instance, rollout):
        return CURRENT
    failed = not instance.is_of_another(rollout.image) and rollout.target_key in instance.failed_on
    if instance.protected or instance.skip or (failed and not rollout.manual):
        return EXCLUDED
    return PENDING


def on_target(instance: Instance, rollout: Rollout) -> bool:
    """Tell whether an instance is on the target or newer; one that failed never is, nor one of another image."""
    if instance.broken or instance.version is None or instance.is_of_another(rollout.image):
        return False
    return version_key(instance.version) >= rollout.target_key


def has_candidate(attempt: Attempt) -> bool:
    """Tell whether the held cell has a candidate, were it free to start.

    In a Service Fabric set the upgrade domains that were begun are finished first, whatever the cell: an attempt whose
    begun domains are pending elsewhere only is not said to hold.
    """
    scale_set = attempt.scale_set
    number = scale_set.lowest_number()
    if number is None:
        return False
    places = scale_set.pending[number]
    begun = unfinished(attempt, number)
    return any(cell == attempt.cell and (not begun or domain in begun) for domain, cell in places)


def unfinished(attempt: Attempt, number: float) -> set[int]:
    """Return the upgrade domains of a Service Fabric set that were begun and are pending, both with this number.

    Whether a domain that was begun with an earlier number counts as begun is a matter of reading; here it does not.
    """
    if attempt.scale_set.model.get("service_fabric") is None:
        return set()
    return {domain for domain, _ in attempt.scale_set.pending[number] if (number, domain) in attempt.domains}
