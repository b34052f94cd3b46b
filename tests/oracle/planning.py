"""Where rollouts and phases begin: the plan of phases, computed again (section 5)."""

from __future__ import annotations

from .court import DEFAULTS, Court, Rollout, standing
from .fleet_document import PENDING, Json, ScaleSet, image_name, version_key


def rollout_started(court: Court, line: Json) -> None:
    """Enter a rollout, and look at its plan (section 5)."""
    sets = (line.get("asked") or {}).get("sets")
    manual = line.get("manual")
    if manual is None:
        manual = sets is not None or line.get("started_by", "platform") != "platform"
    left_out = line.get("ineligible")
    given = {name: value for name, value in (line.get("policy") or {}).items() if value is not None}
    rollout = Rollout(
        line["rollout"],
        image_name(line["image"]),
        line["target"],
        bool(manual),
        {**DEFAULTS, **given},
        line.get("phases") or [],
        None if sets is None else frozenset(sets),
        version_key(line["target"]),
        None if left_out is None else frozenset(row["name"] for row in left_out),
        court.t,
    )
    if rollout.id in court.rollouts:
        court.find("log", f"rollout `{rollout.id}` was started before")
    court.rollouts[rollout.id] = rollout
    if rollout.manual and rollout.phases:
        court.find("phase-plan", "a manual rollout has phases")
    _colouring(court, rollout)
    if rollout.phases and court.fleet.phases is None and not rollout.policy.get("phases"):
        _default_plan(court, rollout)


def _colouring(court: Court, rollout: Rollout) -> None:
    seen: set[str] = set()
    for number, regions in enumerate(rollout.phases):
        for region in regions:
            if region not in court.fleet.pairs:
                court.find("phase-plan", f"region `{region}` of phase {number} is not in the fleet")
                continue
            if region in seen:
                court.find("phase-plan", f"region `{region}` is there twice")
            seen.add(region)
            both = sorted(court.fleet.pairs[region].intersection(regions))
            if both:
                court.find("phase-plan", f"phase {number} holds `{region}` and its pair `{both[0]}`")


def _default_plan(court: Court, rollout: Rollout) -> None:
    """Compute the default plan again where the log says which sets were left out (section 5)."""
    if rollout.ineligible is None:
        return
    eligible: dict[str, int] = {}
    for scale_set in left_in(court, rollout):
        pending = sum(standing(one, rollout) == PENDING for one in scale_set.instances.values())
        eligible[scale_set.region] = eligible.get(scale_set.region, 0) + pending
    waiting = sorted(eligible, key=lambda region: (not eligible[region], eligible[region], region))
    plan: list[list[str]] = []
    while waiting:
        taken: list[str] = []
        for region in waiting:
            if len(taken) < 2 ** len(plan) and not court.fleet.pairs[region].intersection(taken):
                taken.append(region)
        waiting = [region for region in waiting if region not in taken]
        plan.append(taken)
    if [sorted(regions) for regions in plan] != [sorted(regions) for regions in rollout.phases]:
        court.find("phase-plan", f"the plan is {rollout.phases}; by default it is {plan}")


def left_in(court: Court, rollout: Rollout) -> list[ScaleSet]:
    """Return the sets of its image that a rollout did not leave out when it started; none if the log is silent."""
    out, named = rollout.ineligible, rollout.sets
    if out is None:
        return []
    sets = (one for one in court.fleet.sets.values() if named is None or one.name in named)
    return [one for one in sets if one.image == rollout.image and one.name not in out]


def phase_opened(court: Court, line: Json) -> None:
    """Open a phase, which the one before it must have let: it has succeeded (section 5)."""
    rollout, number = court.rollout(line["rollout"]), line["phase"]
    if rollout is None:
        return
    if not 0 <= number < len(rollout.phases):
        court.find("phases", f"rollout {rollout.id} has no phase {number}")
        return
    if sorted(line.get("regions", rollout.phases[number])) != sorted(rollout.phases[number]):
        court.find("phase-plan", f"phase {number} opens with {line['regions']}, not {rollout.phases[number]}")
    if number and not rollout.succeeded.get(number - 1, False):
        court.find("phases", f"phase {number} opens; phase {number - 1} has not succeeded")
    if number in rollout.opened:
        court.find("phases", f"phase {number} was open before")
    if rollout.status is not None or rollout.cancelled:
        court.find("phases", f"phase {number} opens in a rollout that has ended or was cancelled")
    rollout.opened[number] = court.t
