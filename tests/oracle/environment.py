"""What the world does to a fleet: scale events, protection, new models and versions, pauses and cancels (section 9)."""

from __future__ import annotations

from typing import Any

from .court import Attempt, Court, on_target
from .fleet_document import CURRENT, EXCLUDED, FLIGHT, PENDING, Json, image_name, instance_of, version_key
from .living import batch_over


def scaled(court: Court, line: Json) -> None:
    """Take instances out and in; an id that comes back is a new instance."""
    scale_set = court.scale_set(line["set"])
    if scale_set is None:
        return
    attempt: Attempt | None = scale_set.attempt
    for id_ in line.get("removed") or ():
        instance = scale_set.instances.get(id_)
        if instance is None:
            court.find("log", f"`{scale_set.name}` has no instance `{id_}` to remove")
            continue
        court.removed.add((scale_set.name, id_))
        flew = instance.state in FLIGHT
        scale_set.remove(instance)
        if flew and not scale_set.in_flight and attempt is not None:
            batch_over(court, attempt)
    for row in line.get("added") or ():
        if row["id"] in scale_set.instances:
            court.find("log", f"`{scale_set.name}` has an instance `{row['id']}` already")
            continue
        instance = instance_of(row, scale_set.region, None)
        instance.health, instance.seen = "initializing", court.t - 1
        scale_set.add(instance)
        if attempt is not None and attempt.status is None:
            scale_set.enter(instance, CURRENT if on_target(instance, attempt.rollout) else PENDING)
    if attempt is not None:
        court.holds(attempt)


def protected(court: Court, line: Json) -> None:
    """Note protection from scale set actions; a pending instance that gets it is excluded."""
    scale_set, on = court.scale_set(line["set"]), bool(line.get("protected", True))
    if scale_set is None:
        return
    attempt: Attempt | None = scale_set.attempt
    for id_ in line["instances"]:
        instance = scale_set.instances.get(id_)
        if instance is None:
            continue
        instance.protected = on
        if on and instance.state == PENDING:
            scale_set.enter(instance, EXCLUDED)
    if attempt is not None:
        court.holds(attempt)


def configured(court: Court, line: Json) -> None:
    """Take over a changed model: failures are forgotten, opting out cancels an automatic attempt, another image any.

    Which version is on what is not in flight is unknown from another image on.
    """
    model = line.get("model") or {}
    scale_set = court.scale_set(line["set"])
    if scale_set is None:
        return
    attempt: Attempt | None = scale_set.attempt
    if attempt is not None:
        court.holds(attempt)
    scale_set.changed = True
    kept = {name: value for name, value in model.items() if name not in ("instances", "name", "region")}
    scale_set.model = {**scale_set.model, **kept}
    old_image = scale_set.image
    if "image" in kept:
        scale_set.image = image_name(kept["image"])
    for instance in scale_set.instances.values():
        instance.failed_on = frozenset()
        if scale_set.image != old_image and instance.state not in FLIGHT:  # versions of two images do not compare
            instance.version, instance.image = None, None
    opted_out = not scale_set.model.get("automatic_os_upgrade", True)
    if attempt is not None and attempt.status is None:
        if (opted_out and not attempt.rollout.manual) or scale_set.image != attempt.rollout.image:
            attempt.cancelled = True
        court.holds(attempt)


def published(court: Court, line: Json) -> None:
    """Note a new version."""
    given: Any = line["version"]
    row = given if isinstance(given, dict) else {"version": given}
    row = {"published_at_ms": court.t, **row}
    court.superseded = True
    court.fleet.images.setdefault(image_name(line["image"]), {})[version_key(row["version"])] = row


def replicated(court: Court, line: Json) -> None:
    """Note a gallery version's replica in a region, or that its entry changed."""
    versions = court.fleet.images.setdefault(image_name(line["image"]), {})
    row = versions.setdefault(version_key(line["version"]), {"version": line["version"], "regions": []})
    entry = {
        "name": line["region"],
        "replicated_at_ms": court.t,
        "exclude_from_latest": bool(line.get("exclude_from_latest")),
    }
    here = [old for old in row.get("regions") or () if old["name"] == line["region"]]
    if here:
        entry["replicated_at_ms"] = here[0].get("replicated_at_ms") or 0
    court.superseded = True
    row["regions"] = [old for old in row.get("regions") or () if old["name"] != line["region"]] + [entry]


def paused(court: Court, line: Json) -> None:
    """Stop the clock of a rollout, or of all that run."""
    for rollout in court.some(line.get("rollout")):
        if rollout.paused_since is None:
            rollout.paused_since = court.t
            court.look_at_holds(rollout)


def resumed(court: Court, line: Json) -> None:
    """Let the clock of a rollout, or of all, go on."""
    for rollout in court.some(line.get("rollout")):
        if rollout.paused_since is not None:
            court.look_at_holds(rollout)
            rollout.paused_ms += court.t - rollout.paused_since
            rollout.paused_since = None


def cancelled(court: Court, line: Json) -> None:
    """Cancel a rollout, or all that run: nothing starts in them any more."""
    for rollout in court.some(line.get("rollout")):
        rollout.cancelled = True
        court.look_at_holds(rollout)
