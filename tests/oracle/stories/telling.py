"""Logs written by hand: a small fleet, and a storyteller that knows the lines of a rollout but none of its rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import define, field

Json = dict[str, Any]
IMAGE: Final = "Canonical/UbuntuServer/18.04-LTS"
REFERENCE: Final = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
OLD, NEW = "18.04.202401010", "18.04.202402010"
GALLERY: Final = "corp/web"
SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE


def rows(*places: tuple[str, str | None, int], **more: Any) -> list[Json]:
    """Return instances on the old version: (id, zone, upgrade domain) each."""
    return [{"id": id_, "zone": zone, "upgrade_domain": domain, "version": OLD} | more for id_, zone, domain in places]


def a_set(name: str, region: str, instances: Any, **more: Any) -> Json:
    """Return a set in zones 1 and 2."""
    return {
        "name": name,
        "region": region,
        "zones": ["1", "2"],
        "image": {**REFERENCE, "version": "latest"},
        "instances": instances,
    } | more


def a_fleet(*sets: Json, **more: Any) -> Json:
    """Return a fleet of two regions that are a pair, one alone, and the sets."""
    return {
        "format": "phasegate/fleet/1",
        "regions": [
            {"name": "eastus", "pair": "westus", "zones": ["1", "2"]},
            {"name": "westus", "zones": ["1", "2"]},
            {"name": "northeurope", "pair": "elsewhere", "zones": ["1", "2"]},
        ],
        "images": [
            {**REFERENCE, "versions": [{"version": OLD, "published_at_ms": 0}, {"version": NEW, "published_at_ms": 0}]},
            {
                "gallery": "corp",
                "definition": "web",
                "versions": [
                    {"version": "1.0", "regions": [{"name": "eastus"}, {"name": "westus"}]},
                    {"version": "2.0", "regions": [{"name": "eastus", "replicated_at_ms": 5 * MINUTE}]},
                ],
            },
        ],
        "sets": list(sets),
    } | more


@define
class Story:
    """Lines of a log, a step at a time; times in ms."""

    fleet: Json
    t: int = 0
    lines: list[Json] = field(factory=list)
    versions: dict[int, str] = field(factory=dict)
    given: dict[tuple[str, str], str] = field(factory=dict)  # set and instance: the command it was given last
    count: int = 0

    def say(self, kind: str, **more: Any) -> None:
        """Add a line."""
        self.lines.append({"t": self.t, "kind": kind, **more})

    def step(self, after: int = 0) -> None:
        """End a step, and let time pass."""
        self.say("step", n=1)
        self.t += after

    def starts(
        self,
        phases: Sequence[Sequence[str]] | None = None,
        *,
        rollout: int = 1,
        target: str = NEW,
        image: str = IMAGE,
        manual: bool = False,
        sets: Sequence[str] | None = None,
        ineligible: Sequence[str] | None = None,
        open_phase: bool = True,
        **policy: Any,
    ) -> None:
        """Start a rollout, and open its first phase."""
        if not self.lines:
            self.say("log", fleet=self.fleet, policy={})
        self.versions[rollout] = target
        left_out = {} if ineligible is None else {"ineligible": [{"name": name, "codes": []} for name in ineligible]}
        self.say(
            "rollout-started",
            rollout=rollout,
            image=image,
            target=target,
            started_by="user" if manual else "platform",
            manual=manual,
            policy={"delays": False} | policy,
            phases=phases,
            asked={"target": None, "sets": sets},
            **left_out,
        )
        if phases and open_phase:
            self.opens(0, *phases[0], rollout=rollout)
        self.step()

    def opens(self, phase: int, *regions: str, rollout: int = 1) -> None:
        """Open a phase."""
        self.say("phase-opened", rollout=rollout, phase=phase, regions=list(regions))

    def batch(
        self, name: str, cell: str | list[str], domain: int, *ids: str, rollout: int = 1, version: str | None = None
    ) -> None:
        """Start a batch, in a step of its own."""
        where = {"cell": cell} if isinstance(cell, str) else {"cells": cell}
        self.say("batch-started", rollout=rollout, set=name, **where, upgrade_domain=domain, instances=list(ids))
        self.became("replacing", name, *ids, cause="batch", rollout=rollout)
        self.command("replace", name, *ids, rollout=rollout, version=version)
        self.step()

    def command(self, do: str, name: str, *ids: str, rollout: int = 1, version: str | None = None) -> None:
        """Record a command."""
        self.count += 1
        id_ = f"c{self.count}"
        version = self.versions[rollout] if version is None else version
        self.say("command", rollout=rollout, id=id_, do=do, set=name, version=version, attempt=1, instances=list(ids))
        self.given.update({(name, one): id_ for one in ids})

    def became(self, state: str, name: str, *ids: str, cause: str = "signal", rollout: int = 1) -> None:
        """Say that instances entered a state."""
        self.say("became", rollout=rollout, state=state, cause=cause, set=name, instances=list(ids))

    def signal(self, what: str, name: str, *ids: str, observed: int | None = None, command: str | None = None) -> None:
        """Report about instances; what is no health answers the command given last."""
        line: Json = {"what": what, "set": name, "instances": list(ids)}
        line["observed_at"] = self.t if observed is None else observed
        if what not in ("healthy", "unhealthy", "unknown", "initializing"):
            line |= {"answers": "replace", "attempt": 1, "command": command or self.given[name, ids[0]]}
        self.say("signal", **line)

    def health(self, what: str, name: str, *ids: str, observed: int | None = None) -> None:
        """Report health, in a step of its own."""
        self.signal(what, name, *ids, observed=observed)
        self.step()

    def swap(self, name: str, *ids: str, rollout: int = 1, version: str | None = None) -> None:
        """Replace the disks and configure: a minute each. The instances are verifying afterwards."""
        self.t += MINUTE
        self.signal("disk-replaced", name, *ids)
        self.became("configuring", name, *ids, rollout=rollout)
        self.command("configure", name, *ids, rollout=rollout, version=version)
        self.step(MINUTE)
        self.signal("configured", name, *ids)
        self.became("verifying", name, *ids, rollout=rollout)
        self.step(SECOND)

    def upgraded(self, name: str, *ids: str, rollout: int = 1, observed: int | None = None) -> None:
        """Report healthy, and promote."""
        self.signal("healthy", name, *ids, observed=observed)
        self.became("upgraded", name, *ids, rollout=rollout)
        self.step()

    def whole(self, name: str, cell: str | list[str], domain: int, *ids: str, rollout: int = 1) -> None:
        """Take a batch through to the end, all well."""
        self.batch(name, cell, domain, *ids, rollout=rollout)
        self.swap(name, *ids, rollout=rollout)
        self.upgraded(name, *ids, rollout=rollout)

    def times_out(self, name: str, *ids: str, after: int, version: str | None = OLD, rollout: int = 1) -> None:
        """Let a deadline pass and restore, or fail where `version` is None."""
        self.t += after
        if version is None:
            self.became("failed", name, *ids, cause="deadline", rollout=rollout)
        else:
            self.became("restoring", name, *ids, cause="deadline", rollout=rollout)
            self.command("restore", name, *ids, version=version, rollout=rollout)
        self.step()

    def restored(self, name: str, *ids: str, rollout: int = 1) -> None:
        """Answer the restore after a minute, and report healthy."""
        self.t += MINUTE
        self.signal("disk-restored", name, *ids)
        self.became("restored", name, *ids, rollout=rollout)
        self.step(SECOND)
        self.health("healthy", name, *ids)

    def ends(
        self, name: str, *progress: int, status: str = "completed", error: str | None = None, rollout: int = 1
    ) -> None:
        """End an attempt: successful, failed, in progress, pending, skipped."""
        names = ("successful", "failed", "in_progress", "pending", "skipped")
        counts = dict(zip(names, progress, strict=True))
        self.say("attempt-ended", rollout=rollout, set=name, status=status, error=error, progress=counts)

    def phase_ends(self, phase: int, lost: int, eligible: int, *, succeeded: bool = True, rollout: int = 1) -> None:
        """End a phase."""
        self.say("phase-ended", rollout=rollout, phase=phase, succeeded=succeeded, lost=lost, eligible=eligible)

    def over(self, status: str = "completed", rollout: int = 1) -> None:
        """End a rollout and the step."""
        self.say("rollout-ended", rollout=rollout, status=status, reason="")
        self.step()
