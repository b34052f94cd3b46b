"""`phasegate plan`: what a rollout would do, before it does it."""

from __future__ import annotations

from typing import Any, Final

from phasegate.cli.blueprint import Ineligible, RolloutPlan, plan
from phasegate.cli.ending import Exit, Refused, asked_by
from phasegate.cli.inputs import Inputs, default_now, image_named, last_time, time_at, version_named
from phasegate.cli.screen import print_json
from phasegate.core.engine import Engine
from phasegate.core.model import Fleet
from phasegate.files.documents import blamed_on
from phasegate.policies import AvailabilityFirst
from phasegate.policies.eligibility import judge

FORMAT: Final = "phasegate/plan/1"


def run(
    fleet: str,
    *,
    image: str | None,
    target: str | None,
    policy: str | None,
    now: str | None,
    show_all: bool,
    as_json: bool,
) -> Exit:
    """Plan the rollout of one image, or of every image that has something newer, and show it."""
    files = Inputs()
    name, given = files.fleet(fleet)
    rules = files.policy(policy)
    if image is not None:
        image_named(given, image)
    version_named(given, given.images[0].name if image is None and len(given.images) == 1 else image, target)
    with blamed_on(name):
        engine = Engine(given, rules)
        plans = plans_of(engine, image, target, _now(given, now))  # what the fleet's phases lack is found here
    strangers = () if image is not None else uncatalogued(given, rules)
    if as_json:
        print_json(document(plans, strangers))
    else:
        from phasegate.cli.planview import show

        show(given, plans, strangers, show_all=show_all)
    return Exit.WELL


def _now(fleet: Fleet, now: str | None) -> int:
    return max(last_time(fleet), default_now(fleet)) if now is None else time_at(now, "--now")


def plans_of(engine: Engine, image: str | None, target: str | None, now: int) -> list[RolloutPlan]:
    """Return the plan of the image, or one for each image of the fleet; each as if it were alone."""
    images = [known.name for known in engine.fleet.images] if image is None else [image]
    if target is not None and len(images) != 1:
        raise Refused(f"a version needs its image; the fleet has {len(images)}, name one with `--image`", "--target")
    with asked_by("--target" if target is not None else "--now" if image is None else "--image"):
        return [plan(engine, name, target, now) for name in images]


def uncatalogued(fleet: Fleet, policy: AvailabilityFirst) -> tuple[Ineligible, ...]:
    """Return the sets of custom images outside a gallery: no rollout takes them, as their images have no versions."""
    known = {image.name for image in fleet.images}
    return tuple(
        Ineligible(
            name=model.full_name,
            instances=model.size,
            codes=tuple(map(str, judge(model, None, None, supported=policy.supported_images))),
        )
        for model in sorted(fleet.sets, key=lambda model: (model.region, model.name))
        if model.image.name not in known
    )


def document(plans: list[RolloutPlan], strangers: tuple[Ineligible, ...]) -> dict[str, Any]:
    """Return what `plan --json` prints."""
    return {
        "format": FORMAT,
        "rollouts": [entry.document() for entry in plans if not entry.is_idle],
        "idle": [entry.document() for entry in plans if entry.is_idle],
        "without_catalogue": [
            {"name": entry.name, "instances": entry.instances, "codes": entry.codes} for entry in strangers
        ],
    }
