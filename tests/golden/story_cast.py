"""Who is in a story: the sets of a log with their instances, followed line by line, from the log alone.

This is bookkeeping for readers: it counts what a reviewer would count on paper, and asks nothing of the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import define, field

Line = dict[str, Any]

FLIGHT: Final = ("replacing", "configuring", "verifying", "restoring")
ILL: Final = ("unhealthy", "unknown")
LAST: Final = 2**31  # where an instance without a phase ordering number comes


def natural(text: str) -> list[tuple[bool, int, str]]:
    """Return the key by which digit runs sort as numbers."""
    return [(not run.isdigit(), int(run) if run.isdigit() else 0, run) for run in re.findall(r"\d+|\D+", text)]


def key_of(version: str | None) -> tuple[int, ...]:
    """Return a version as numbers; one that nobody knows is older than all."""
    return tuple(map(int, version.split("."))) if version else ()


def image_name(reference: Line) -> str:
    """Return `publisher/offer/sku` or `gallery/definition`."""
    parts = ("publisher", "offer", "sku") if "publisher" in reference else ("gallery", "definition")
    return "/".join(reference[part] for part in parts)


@define
class Member:
    """One instance as the log has told of it so far."""

    id: str
    zone: str | None
    domain: int
    version: str | None
    health: str = "healthy"
    life: str = ""
    number: int | None = None
    protected: bool = False
    skipped: bool = False
    failed: set[tuple[int, ...]] = field(factory=set)
    seen: int = -(2**63)
    before: str | None = None

    def why_left_out(self, target: str, *, manual: bool) -> str | None:
        """Return why the instance is no part of a rollout to `target`; None if it is one."""
        if self.life != "failed" and key_of(self.version) >= key_of(target):
            return "current"
        if self.protected:
            return "protected"
        if self.skipped:
            return "asked to be skipped"
        if not manual and key_of(target) in self.failed:
            return f"failed on {target} before"
        return None


@define
class Cast:
    """One set: its model, its instances, and the attempt that it is in."""

    name: str
    model: Line
    policy: Line
    members: dict[str, Member]
    rollout: int = -1
    target: str = ""
    image: str = ""  # of that attempt
    batches: int = 0

    @classmethod
    def of(cls, model: Line, policy: Line, oldest: str | None) -> Cast:
        """Make it from a set of a fleet document; a count is dealt out to the zones, then to the upgrade domains."""
        rows = model.get("instances", 0)
        zones = sorted(model.get("zones", ()), key=natural) or [None]
        domains = model.get("upgrade_domains", 5)
        if isinstance(rows, int):
            dealt = range(rows)
            rows = [
                {"id": str(n), "zone": zones[n % len(zones)], "upgrade_domain": n // len(zones) % domains}
                for n in dealt
            ]
        made = cls(f"{model['region']}/{model['name']}", model, policy, {})
        for row in rows:
            made.add(row, oldest)
        return made

    def add(self, row: Line, oldest: str | None, health: str = "healthy", now: int = -(2**63)) -> None:
        """Take in an instance."""
        self.members[row["id"]] = Member(
            id=row["id"],
            zone=row.get("zone"),
            domain=row.get("upgrade_domain", 0),
            version=row.get("version") or oldest,
            health=row.get("health") or health,
            number=row.get("phase_ordering_number"),
            protected=row.get("protect_from_scale_set_actions", False),
            skipped=row.get("skip_upgrade", False),
            failed=set(map(key_of, row.get("failed_versions", ()))),
            seen=now - 1,
        )

    def limit(self, name: str) -> Any:
        """Return a limit: the set's own where it has one."""
        own = self.model.get("rolling_policy", {}).get(name)
        return self.policy[name] if own is None else own

    @property
    def total(self) -> int:
        """How many instances there are."""
        return len(self.members)

    @property
    def cap(self) -> int:
        """How many a batch may have at most (section 7)."""
        return max(1, min(self.total * int(self.limit("max_batch_percent")) // 100, self.total - 1))

    @property
    def ill(self) -> int:
        """How many are not healthy."""
        return sum(member.health in ILL for member in self.members.values())

    def count(self, *lives: str) -> int:
        """Return how many are in one of these states."""
        return sum(member.life in lives for member in self.members.values())

    @property
    def bad_of_attempted(self) -> tuple[int, int]:
        """How many the after-batch gate counts as bad, and of how many."""
        bad = self.count("restored", "failed")
        bad += sum(member.life == "upgraded" and member.health in ILL for member in self.members.values())
        attempted = self.count("upgraded", "restored", "failed")
        return bad, self.total if self.policy["unhealthy_upgraded_of"] == "set" else attempted

    def begin(self, rollout: int, target: str) -> None:
        """Begin an attempt: nobody has been in a batch of it."""
        before, self.image = self.image, image_name(self.model["image"])
        self.rollout, self.target, self.batches = rollout, target, 0
        for member in self.members.values():
            if before not in ("", self.image) and member.life in ("upgraded", "restored", "failed"):
                member.version, member.failed = None, set()  # those were of the image before
            if member.life not in FLIGHT:
                member.life = "failed" if member.life == "failed" else ""

    def left_out(self, target: str, *, manual: bool) -> dict[str, list[str]]:
        """Return the instances that are no part of a rollout to `target`, by reason."""
        found: dict[str, list[str]] = {}
        for member in self.members.values():
            why = member.why_left_out(target, manual=manual)
            if why is not None:
                found.setdefault(why, []).append(member.id)
        return found

    def to_do(self, target: str, *, manual: bool) -> int:
        """Return how many a rollout to `target` has to upgrade."""
        return self.total - sum(map(len, self.left_out(target, manual=manual).values()))

    def became(self, line: Line) -> None:
        """Follow a `became` line."""
        life, t = line["state"], line["t"]
        for member in map(self.members.__getitem__, line["instances"]):
            was, member.life = member.life, life
            if life == "replacing":
                member.before = member.version
            elif life == "configuring":
                member.version = self.target
                member.health, member.seen = "initializing", max(member.seen, t - 1)
            elif life == "restored":
                member.version = member.before
                member.health, member.seen = "initializing", max(member.seen, t - 1)
            elif life == "failed":
                member.health, member.seen = "unknown", max(member.seen, t - 1)
                if line["cause"] == "deadline" and was != "verifying":
                    member.version = None
            if life in ("restored", "failed"):
                member.failed.add(key_of(self.target))

    def heard(self, line: Line) -> Iterator[tuple[str, str, str]]:
        """Follow a report of health; yield (id, old, new) of each instance whose health it changes."""
        for ident in line["instances"]:
            member = self.members.get(ident)
            if member is not None and line["observed_at"] > member.seen:
                member.seen = line["observed_at"]
                if member.health != line["what"]:
                    yield ident, member.health, line["what"]
                    member.health = line["what"]

    def where(self) -> Iterator[tuple[int | None, str | None, int, list[str]]]:
        """Yield (phase ordering number, zone, upgrade domain, ids), in the order in which candidates are walked."""
        places: dict[tuple[int | None, str | None, int], list[str]] = {}
        for member in self.members.values():
            places.setdefault((member.number, member.zone, member.domain), []).append(member.id)
        for place in sorted(places, key=_walk):
            yield *place, sorted(places[place], key=natural)


def _walk(place: tuple[int | None, str | None, int]) -> tuple[int, bool, list[tuple[bool, int, str]], int]:
    number, zone, domain = place
    return (LAST if number is None else number, zone is None, natural(zone or ""), domain)


def cast_of(fleet: Line, policy: Line) -> dict[str, Cast]:
    """Return the sets of a fleet document by full name; an instance without a version is on the oldest known one."""
    oldest: dict[str, str] = {}
    for image in fleet.get("images", ()):
        versions = [row["version"] for row in image.get("versions", ())]
        if versions:
            oldest[image_name(image)] = min(versions, key=key_of)
    sets = [Cast.of(model, policy, oldest.get(image_name(model["image"]))) for model in fleet.get("sets", ())]
    return {one.name: one for one in sorted(sets, key=lambda one: (one.model["region"], one.model["name"]))}


def ids(names: Iterable[str]) -> str:
    """Return ids as a reader wants them: in order, all of them."""
    return " ".join(sorted(names, key=natural))
