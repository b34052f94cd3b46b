"""The cast of the stories: sets that return in many of them, how a story begins and ends, and who keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from .telling import NEW, OLD, REFERENCE, Json, Story, a_fleet, a_set, rows

WEB, WEST, NORTH, DB = "eastus/web", "westus/web", "northeurope/web", "eastus/db"
Z1, Z2, N1 = "eastus/1", "eastus/2", "northeurope/1"
GATE: Final = "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade"
BEFORE: Final = "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade"
WITHIN: Final = "MaxUnhealthyInstancePercentExceededInRollingUpgrade"
IN_GALLERY: Final = {"gallery": "corp", "definition": "web", "version": "latest"}
# printf 'eastus/web\n18.04.202402010' | sha256sum | cut -c1-16, as a number modulo 3 h + 1 ms
FIRST_OF_NEW_MS: Final = 7_621_898
# the same of 18.04.202403010 modulo 30 min + 1 ms, after 30 min
LATER_OF_NEWER_MS: Final = 1_800_000 + 1_605_595
FABRIC: Final = {"cluster_durability": "Silver"}

Tell = Callable[[], Story]
GOOD: Final[list[Tell]] = []
BAD: Final[list[tuple[str, Tell]]] = []


def good(tell: Tell) -> Tell:
    """Enter a story among those that must have no finding."""
    GOOD.append(tell)
    return tell


def breaks(rule: str) -> Callable[[Tell], Tell]:
    """Enter a story among those that break one rule."""

    def enter(tell: Tell) -> Tell:
        BAD.append((rule, tell))
        return tell

    return enter


def web(**more: Any) -> Json:
    """Return a set of six: three in zone 1, three in zone 2, one of them protected. Two make a batch."""
    six = rows(("0", "1", 0), ("1", "1", 0), ("2", "1", 1), ("3", "2", 0), ("4", "2", 1))
    six += rows(("5", "2", 1), protect_from_scale_set_actions=True)
    return a_set("web", "eastus", six, **{"rolling_policy": {"max_batch_percent": 40}} | more)


def pair_of(name: str, region: str, **more: Any) -> Json:
    """Return a set of two in zone 1, in upgrade domains 0 and 1."""
    return a_set(name, region, rows(("0", "1", 0), ("1", "1", 1)), **more)


def begun(
    *sets: Json, phases: Sequence[Sequence[str]] = (("eastus",),), more: Json | None = None, t: int = 0, **starts: Any
) -> Story:
    """Return a story of a rollout over the sets, its first phase open."""
    story = Story(a_fleet(*sets, **(more or {})), t=t)
    story.starts([list(regions) for regions in phases], **starts)
    return story


def manual(*sets: Json, **starts: Any) -> Story:
    """Return a story of a manual rollout over the sets."""
    story = Story(a_fleet(*sets))
    story.starts(manual=True, **starts)
    return story


def announced(at_ms: int) -> Story:
    """Return a story of a rollout over a set of two, that a version cancels which is listed for that time."""
    versions = [{"version": OLD}, {"version": NEW}, {"version": "18.04.202403010", "published_at_ms": at_ms}]
    return begun(pair_of("web", "eastus"), more={"images": [{**REFERENCE, "versions": versions}]}, supersede="cancel")


def small(**more: Any) -> Story:
    """Return a story of a rollout over one set of two."""
    return begun(pair_of("web", "eastus", **more))


def verifying(**more: Any) -> Story:
    """Return the same with an instance that is verifying since a second."""
    story = small(**more)
    story.batch(WEB, Z1, 0, "0")
    story.swap(WEB, "0")
    return story


def both(**more: Any) -> Story:
    """Return the same with both instances upgraded, the attempt not ended."""
    story = small(**more)
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 1, "1")
    return story


def finish(story: Story, *progress: int, lost: int = 0, eligible: int = 2) -> Story:
    """End the only attempt, the only phase and the rollout, all completed."""
    story.ends(WEB, *progress)
    story.phase_ends(0, lost, eligible)
    story.over()
    return story
