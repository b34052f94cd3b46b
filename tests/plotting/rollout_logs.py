"""Makes logs of rollouts that never ran, as `simulate` writes them: for tests of what reads logs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from attrs import field, frozen

MINUTE = 60_000
IMAGE = "Canonical/UbuntuServer/18.04-LTS"
TARGET = "18.04.202402010"

Line = dict[str, Any]


@frozen(kw_only=True)
class Story:
    """What happens in a made-up log; everything else works."""

    regions: int = 2
    zones: tuple[str, ...] = ("1", "2", "3")
    sets: int = 2
    instances: int = 30
    start: int = 0
    seed: int = 1
    spread: bool = True  # every instance answers at a time of its own, a line each
    pause_ms: int = 0
    restored: float = 0.0
    failed: float = 0.0
    bad_regions: tuple[int, ...] = ()  # their sets fault after the first batch, and the rollout halts
    cross_zone: bool = False
    zoneless: bool = False
    outage: tuple[int, int] | None = None  # minutes from, until: one region not healthy
    extra: tuple[Line, ...] = field(default=())


def region_names(count: int) -> list[str]:
    """Return names as a cloud has them, short and long."""
    stems = ("eastus", "westeurope", "southcentralus", "uknorth", "japaneast", "germanywestcentral")
    return [f"{stems[at % 6]}{at // 6 + 1 if at >= 6 else ''}" for at in range(count)]


def phases_of(names: list[str]) -> list[list[str]]:
    """Return phases of 1, 2, 4, ... regions."""
    phases: list[list[str]] = []
    while names:
        size = 2 ** len(phases)
        phases.append(names[:size])
        names = names[size:]
    return phases


def fleet(story: Story) -> Line:
    """Return the fleet document."""
    zones = [] if story.zoneless else list(story.zones)
    names = region_names(story.regions)
    return {
        "format": "phasegate/fleet/1",
        "regions": [{"name": name, "zones": list(story.zones)} for name in names],
        "sets": [
            {"name": f"web{at}", "region": name, "zones": zones, "instances": story.instances}
            for name in names
            for at in range(story.sets)
        ],
    }


def lines(story: Story) -> Iterator[Line]:
    """Yield the lines of the log, in order."""
    yield {"t": story.start, "kind": "log", "format": "phasegate/log/1", "fleet": fleet(story)}
    made = _Making(story)
    made.run()
    yield from sorted(made.out + list(story.extra), key=lambda line: line["t"])


class _Making:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.chance = random.Random(story.seed)
        self.out: list[Line] = []
        self.bad: set[str] = {region_names(story.regions)[at] for at in story.bad_regions}

    def say(self, t: int, kind: str, **more: Any) -> None:
        self.out.append({"t": t, "kind": kind, **more})

    def run(self) -> None:
        phases = phases_of(region_names(self.story.regions))
        now = self.story.start
        self.say(now, "rollout-started", rollout=1, image=IMAGE, target=TARGET, started_by="platform", phases=phases)
        status = "completed"
        for number, regions in enumerate(phases):
            self.say(now, "phase-opened", rollout=1, phase=number, regions=regions)
            ends = [self.region(region, now) for region in regions]
            now = max(end for end, _ in ends)
            lost = sum(lost for _, lost in ends)
            total = len(regions) * self.story.sets * self.story.instances
            succeeded = lost * 100 <= total * 2
            self.say(now, "phase-ended", rollout=1, phase=number, succeeded=succeeded, lost=lost, eligible=total)
            if not succeeded:
                status = "halted"
                for region in (name for later in phases[number + 1 :] for name in later):
                    for at in range(self.story.sets):
                        self.end(now, f"{region}/web{at}", "cancelled", None)
                break
        reason = "every phase succeeded" if status == "completed" else f"phase {number} did not succeed"
        self.say(now, "rollout-ended", rollout=1, status=status, reason=reason)
        if self.story.outage:
            start, end = (self.story.start + at * MINUTE for at in self.story.outage)
            ids = [str(at) for at in range(self.story.instances)]
            for t, what in ((start, "unhealthy"), (end, "healthy")):
                self.say(t, "signal", what=what, set="eastus/web0", instances=ids, observed_at=t)

    def end(self, now: int, name: str, status: str, error: str | None) -> None:
        progress = {"successful": 0, "failed": 0, "in_progress": 0, "pending": 0, "skipped": 0}
        self.say(now, "attempt-ended", rollout=1, set=name, status=status, error=error, progress=progress)

    def region(self, region: str, opened: int) -> tuple[int, int]:
        """Run a region zone by zone; return when it ended and how many were lost."""
        story = self.story
        lanes = ["-"] if story.zoneless or story.cross_zone else list(story.zones)
        starts = [opened + self.chance.randrange(30 * MINUTE, 60 * MINUTE) for _ in range(story.sets)]
        lost = [0] * story.sets
        done = [False] * story.sets
        now = 0
        for place, zone in enumerate(lanes):
            ids = [str(at) for at in range(story.instances) if at % len(lanes) == place]
            ends = []
            for at in range(story.sets):
                t = max(now, starts[at])
                if not done[at]:
                    t, more = self.zone(region, f"web{at}", zone, ids, t)
                    lost[at] += more
                    if region in self.bad:
                        done[at] = True
                        lost[at] = story.instances
                        error = "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade"
                        self.end(t, f"{region}/web{at}", "faulted", error)
                ends.append(t)
            now = max(ends)
        for at in range(story.sets):
            if not done[at]:
                self.end(now, f"{region}/web{at}", "completed", None)
        return now, sum(lost)

    def zone(self, region: str, name: str, zone: str, ids: list[str], now: int) -> tuple[int, int]:
        story = self.story
        cap = max(1, story.instances // 5)
        lost = 0
        for begin in range(0, len(ids), cap):
            batch = ids[begin : begin + cap]
            where = (
                {"cells": [f"{region}/{z}" for z in story.zones]} if story.cross_zone else {"cell": f"{region}/{zone}"}
            )
            self.say(
                now, "batch-started", rollout=1, set=f"{region}/{name}", upgrade_domain=0, instances=batch, **where
            )
            end = now
            for part in [[one] for one in batch] if story.spread else [batch]:
                over, bad = self.instance(f"{region}/{name}", part, now)
                end = max(end, over)
                lost += bad
            now = end + story.pause_ms
            if region in self.bad:
                break
        return now - story.pause_ms, lost

    def instance(self, name: str, ids: list[str], now: int) -> tuple[int, int]:
        """Take instances through a batch; return when they landed and how many were lost."""
        story = self.story

        def signal(what: str) -> None:
            self.say(now, "signal", rollout=1, what=what, set=name, instances=ids, observed_at=now)

        def became(state: str, cause: str = "signal") -> None:
            self.say(now, "became", rollout=1, state=state, set=name, instances=ids, cause=cause)

        became("replacing", "batch")
        self.say(now, "command", rollout=1, id=f"1/{name}/replace", do="replace", set=name, instances=ids)
        now += self.chance.randrange(MINUTE, 2 * MINUTE)
        signal("disk-replaced")
        became("configuring")
        now += 20_000
        signal("configured")
        became("verifying")
        luck = self.chance.random()
        bad = name.split("/", maxsplit=1)[0] in self.bad
        if luck >= story.restored + story.failed and not bad:
            now += self.chance.randrange(5_000, 60_000)
            signal("healthy")
            became("upgraded")
            return now, 0
        now += 30_000
        signal("unhealthy")
        now += 5 * MINUTE - 30_000
        became("restoring", "deadline")
        now += MINUTE
        if luck < story.failed:
            signal("restore-failed")
            became("failed")
        else:
            signal("disk-restored")
            became("restored")
            now += 10_000
            signal("healthy")
            now -= 10_000
        return now, len(ids)
