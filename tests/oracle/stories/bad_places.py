"""Batches and phases in the wrong place: pairs, cells, groups, phases (sections 5 and 6)."""

# ruff: noqa: D401 -- a story's docstring says what happens in it

from __future__ import annotations

from .cast import BEFORE, DB, IN_GALLERY, N1, NORTH, WEB, WEST, Z1, Z2, begun, breaks, manual, pair_of, small, web
from .telling import GALLERY, HOUR, NEW, Story, a_fleet, a_set, rows


@breaks("pairs")
def both_of_a_pair() -> Story:
    """West names no pair, but is one of east all the same."""
    story = manual(pair_of("web", "eastus"), pair_of("web", "westus"))
    story.batch(WEB, Z1, 0, "0")
    story.batch(WEST, "westus/1", 0, "0")
    return story


@breaks("pairs")
def pair_between_batches() -> Story:
    """A region stays at work between two batches, also where the set crosses zones."""
    crossing = pair_of("web", "westus", rolling_policy={"enable_cross_zone": True})
    story = manual(pair_of("web", "eastus"), crossing)
    story.whole(WEST, "westus/1", 0, "0")
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("cells")
def two_zones() -> Story:
    """One set flies in zone 1, another starts in zone 2."""
    story = begun(web(), pair_of("db", "eastus"))
    story.batch(DB, Z1, 0, "0")
    story.batch(WEB, Z2, 0, "3")
    return story


@breaks("cells")
def zone_and_zoneless() -> Story:
    """The zoneless cell may be anywhere."""
    story = begun(web(), a_set("db", "eastus", 2, zones=[]))
    story.batch(DB, "eastus/-", 0, "0")
    story.batch(WEB, Z2, 0, "3")
    return story


@breaks("cells")
def held_between_batches() -> Story:
    """A cell is busy while its attempt has candidates there, with nothing in flight."""
    story = begun(web(), pair_of("db", "eastus"))
    story.whole(DB, Z1, 0, "0")
    story.batch(WEB, Z2, 0, "3")
    return story


@breaks("cells")
def own_zone_unfinished() -> Story:
    """A set goes on to zone 2 before it has finished zone 1."""
    story = begun(web())
    story.whole(WEB, Z1, 0, "0", "1")
    story.batch(WEB, Z2, 0, "3")
    return story


@breaks("cells")
def across_rollouts() -> Story:
    """Rollouts of different images mind each other's cells."""
    story = manual(pair_of("web", "eastus"), a_set("db", "eastus", 2, image=IN_GALLERY))
    story.starts(manual=True, rollout=2, image=GALLERY, target="2.0")
    story.batch(WEB, Z1, 0, "0")
    story.t = HOUR
    story.batch(DB, Z2, 0, "1", rollout=2)
    return story


@breaks("cells")
def set_apart_by_a_user() -> Story:
    """Cells of regions that have nothing to do with each other, in conflict by a user's edge."""
    phases = [["eastus", "northeurope"]]
    sets = pair_of("web", "eastus"), pair_of("web", "northeurope")
    story = begun(*sets, phases=phases, more={"conflicts": [[N1, Z1]], "phases": phases})
    story.batch(WEB, Z1, 0, "0")
    story.batch(NORTH, N1, 0, "0")
    return story


@breaks("cells")
def window_is_open() -> Story:
    """A hold does not end while one window follows the other without a gap."""
    windows = [{"day": "thu", "start": start, "minutes": 300} for start in ("00:00", "05:00")]
    story = begun(web(windows=windows))
    story.whole(WEB, Z1, 0, "0", "1")
    story.t = 6 * HOUR
    story.batch(WEB, Z2, 0, "3")
    return story


def grouped(counts: str, members: list[str], limit: int = 1) -> Story:
    """Return a story with two regions, two sets in the one, and a group."""
    phases = [["eastus", "northeurope"]]
    more = {"groups": [{"name": "quorum", "counts": counts, "members": members, "limit": limit}], "phases": phases}
    return begun(web(), pair_of("db", "eastus"), pair_of("web", "northeurope"), phases=phases, more=more)


@breaks("groups")
def group_of_instances() -> Story:
    """Two in flight and one more are above two."""
    story = grouped("instances", [WEB, DB], 2)
    story.batch(WEB, Z1, 0, "0", "1")
    story.batch(DB, Z1, 0, "0")
    return story


@breaks("groups")
def group_of_cells() -> Story:
    """A cell is busy between batches too."""
    story = grouped("cells", [Z1, N1])
    story.whole(DB, Z1, 0, "0")
    story.batch(NORTH, N1, 0, "0")
    return story


@breaks("groups")
def group_of_sets() -> Story:
    """A set is at work between batches too."""
    story = grouped("sets", [NORTH, DB])
    story.whole(DB, Z1, 0, "0")
    story.batch(NORTH, N1, 0, "0")
    return story


@breaks("phases")
def phase_too_early() -> Story:
    """The second phase works while the first one does."""
    story = begun(pair_of("web", "eastus"), pair_of("web", "northeurope"), phases=[["eastus"], ["northeurope"]])
    story.whole(WEB, Z1, 0, "0")
    story.batch(NORTH, N1, 0, "0")
    return story


@breaks("phases")
def phase_opens_twice() -> Story:
    """A phase opens once."""
    story = small()
    story.opens(0, "eastus")
    return story


@breaks("phases")
def phase_opens_after_a_failure() -> Story:
    """A phase was lost; the next one opens."""
    story = begun(pair_of("web", "eastus"), phases=[["eastus"], ["northeurope"]])
    story.health("unhealthy", WEB, "0")
    story.ends(WEB, 0, 0, 0, 2, 0, status="faulted", error=BEFORE)
    story.phase_ends(0, 2, 2, succeeded=False)
    story.opens(1, "northeurope")
    return story


@breaks("phases")
def phase_that_is_not_there() -> Story:
    """A phase beyond the plan."""
    story = small()
    story.opens(1, "westus")
    return story


@breaks("phases")
def phase_of_a_cancelled_rollout() -> Story:
    """Nothing opens after a cancel."""
    story = begun(pair_of("web", "eastus"), open_phase=False)
    story.say("cancelled", rollout=1)
    story.opens(0, "eastus")
    return story


@breaks("phases")
def phase_not_open() -> Story:
    """A batch before its phase was opened."""
    story = begun(pair_of("web", "eastus"), open_phase=False)
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("phases")
def region_in_no_phase() -> Story:
    """A batch in a region that the plan leaves out."""
    story = begun(pair_of("web", "eastus"), pair_of("web", "northeurope"))
    story.batch(NORTH, N1, 0, "0")
    return story


@breaks("phases")
def phase_is_over() -> Story:
    """A batch in a phase that has ended."""
    story = begun(pair_of("web", "eastus"), pair_of("db", "eastus"))
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 2, 0, 0, 0, 0)
    story.phase_ends(0, 0, 2)
    story.batch(DB, Z1, 0, "0")
    return story


@breaks("phase-plan")
def pair_in_a_phase() -> Story:
    """A pair in one phase, given by a user."""
    phases = [["eastus", "westus"]]
    return begun(pair_of("web", "eastus"), phases=phases, more={"phases": phases})


@breaks("phase-plan")
def region_twice() -> Story:
    """A region in two phases."""
    return begun(pair_of("web", "eastus"), phases=[["eastus"], ["eastus"]])


@breaks("phase-plan")
def unknown_region() -> Story:
    """A region that the fleet does not have."""
    return begun(pair_of("web", "eastus"), phases=[["eastus"], ["mars"]])


@breaks("phase-plan")
def other_regions_open() -> Story:
    """A phase opens with other regions than planned."""
    story = begun(pair_of("web", "eastus"), open_phase=False)
    story.opens(0, "northeurope")
    return story


@breaks("phase-plan")
def not_the_default_plan() -> Story:
    """The region without eligible instances comes last, not next."""
    sets = web(), pair_of("web", "northeurope"), a_set("web", "westus", rows(("0", "1", 0), version=NEW))
    return begun(*sets, phases=[["northeurope"], ["westus"], ["eastus"]], ineligible=[])


@breaks("phase-plan")
def manual_phases() -> Story:
    """A manual rollout has no phases."""
    story = Story(a_fleet(pair_of("web", "eastus")))
    story.starts([["eastus"]], manual=True)
    return story
