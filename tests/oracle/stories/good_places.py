"""Rollouts that keep the rules of where and when a batch may start, often at their limits."""

from __future__ import annotations

from .cast import (
    BEFORE,
    DB,
    FABRIC,
    FIRST_OF_NEW_MS,
    IN_GALLERY,
    LATER_OF_NEWER_MS,
    N1,
    NORTH,
    WEB,
    WEST,
    Z1,
    Z2,
    begun,
    both,
    finish,
    good,
    pair_of,
    web,
)
from .telling import GALLERY, HOUR, IMAGE, MINUTE, NEW, SECOND, Story, a_fleet, a_set, rows

NEWER = "18.04.202403010"


@good
def two_phases() -> Story:
    """Tell of a pair of regions, zone by zone, the west with instances that are current, skipped or failed before."""
    west = rows(("0", "1", 0), ("1", "1", 0)) + rows(("2", "2", 0), version=NEW)
    west += rows(("3", "2", 0), failed_versions=[NEW]) + rows(("4", "2", 0), skip_upgrade=True)
    story = begun(web(), a_set("web", "westus", west), phases=[["westus"], ["eastus"]], ineligible=[])
    story.whole(WEST, "westus/1", 0, "0")
    story.whole(WEST, "westus/1", 0, "1")
    story.ends(WEST, 2, 0, 0, 0, 3)
    story.phase_ends(0, 0, 2)
    story.opens(1, "eastus")
    story.step()
    story.whole(WEB, Z1, 0, "0", "1")
    story.whole(WEB, Z1, 1, "2")
    story.whole(WEB, Z2, 0, "3")
    story.whole(WEB, Z2, 1, "4")
    story.ends(WEB, 5, 0, 0, 0, 1)
    story.phase_ends(1, 0, 5)
    story.over()
    return story


@good
def zones_wait() -> Story:
    """Tell of two sets of a region that take turns in the zones: a hold ends with its candidates."""
    night = {"day": "thu", "start": "00:00", "minutes": 300}
    story = begun(web(), a_set("db", "eastus", rows(("0", "2", 0), ("1", "1", 0)), windows=[night]))
    story.whole(DB, Z2, 0, "0")
    story.whole(WEB, Z2, 0, "3")
    story.whole(WEB, Z2, 1, "4")
    story.whole(DB, Z1, 0, "1")
    story.ends(DB, 2, 0, 0, 0, 0)
    story.step()
    story.whole(WEB, Z1, 0, "0", "1")
    story.whole(WEB, Z1, 1, "2")
    story.ends(WEB, 5, 0, 0, 0, 1)
    story.phase_ends(0, 0, 7)
    story.over()
    return story


@good
def window_lets_go() -> Story:
    """Tell of a hold that ends as the window closes, and of one that ends by a pause."""
    night = {"day": "thu", "start": "01:00", "minutes": 300, "timezone": "Europe/Berlin"}
    story = begun(web(), a_set("db", "eastus", rows(("0", "2", 0), ("1", "2", 0)), windows=[night]))
    story.whole(DB, Z2, 0, "0")
    story.t = 5 * HOUR
    story.whole(WEB, Z1, 0, "0", "1")
    story.say("paused", rollout=1)
    story.step(7 * 24 * HOUR - story.t)
    story.say("resumed", rollout=None)
    story.step()
    story.whole(DB, Z2, 0, "1")
    story.ends(DB, 2, 0, 0, 0, 0)
    story.step()
    return story


@good
def window_closed_meanwhile() -> Story:
    """Tell of a hold that ended as the window closed, though it is open again."""
    windows = [{"day": day, "start": "00:00", "minutes": 300} for day in ("thu", "fri")]
    story = begun(web(windows=windows))
    story.whole(WEB, Z1, 0, "0", "1")
    story.t = 25 * HOUR
    story.whole(WEB, Z2, 0, "3")
    return story


@good
def many_windows() -> Story:
    """Tell of a hold through windows that follow one another without a gap, over a week."""
    windows = [{"day": "thu", "start": start, "minutes": 5040} for start in ("00:00", "12:00")]
    windows.append({"day": "mon", "start": "00:00", "minutes": 5040})
    story = begun(web(windows=windows))
    story.whole(WEB, Z1, 0, "0", "1")
    story.t = 9 * 24 * HOUR
    story.whole(WEB, Z1, 1, "2")
    return story


@good
def clocks_change() -> Story:
    """Tell of a hold that nobody can be sure of: the clocks changed in between."""
    always = {"day": "mon", "start": "00:00", "minutes": 7 * 24 * 60, "timezone": "Europe/Berlin"}
    story = begun(web(windows=[always]), t=1_711_843_200_000)  # 2024-03-31T00:00:00Z, an hour before
    story.whole(WEB, Z1, 0, "0", "1")
    story.t += 3 * HOUR
    story.whole(WEB, Z2, 0, "3")
    return story


@good
def service_fabric() -> Story:
    """Tell of a Service Fabric set: a domain is finished across zones before the next begins."""
    places = rows(("0", "1", 0), ("1", "2", 0), ("2", "1", 1), ("3", "2", 1))
    story = begun(a_set("web", "eastus", places, service_fabric=FABRIC))
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z2, 0, "1")
    story.whole(WEB, Z2, 1, "3")
    story.whole(WEB, Z1, 1, "2")
    return finish(story, 4, 0, 0, 0, 0, eligible=4)


@good
def fabric_goes_round_a_busy_cell() -> Story:
    """Tell of a Service Fabric set that begins another domain, as the rest of the first is in a cell set apart."""
    places = rows(("0", "1", 0), ("1", "2", 0), ("2", "1", 1))
    fabric = a_set("web", "eastus", places, service_fabric=FABRIC)
    phases = [["eastus", "northeurope"]]
    more = {"conflicts": [[Z2, N1]], "phases": phases}
    story = begun(fabric, pair_of("web", "northeurope"), phases=phases, more=more)
    story.batch(NORTH, N1, 0, "0")
    story.whole(WEB, Z1, 0, "0")
    story.batch(WEB, Z1, 1, "2")
    return story


@good
def fabric_goes_round_a_full_group() -> Story:
    """Tell of the same with a group of cells: whether there is room is nothing that the checker claims to know."""
    places = rows(("0", "1", 0), ("1", "2", 0), ("2", "1", 1))
    fabric = a_set("web", "eastus", places, service_fabric=FABRIC)
    story = begun(fabric, more={"groups": [{"name": "one", "counts": "cells", "members": [Z2, N1], "limit": 1}]})
    story.whole(WEB, Z1, 0, "0")
    story.batch(WEB, Z1, 1, "2")
    return story


@good
def cross_zone() -> Story:
    """Tell of a set outside the zone rule: batches over both zones, no cell held, no group of cells."""
    limits = {"max_batch_percent": 40, "enable_cross_zone": True}
    groups = [{"name": "one", "counts": "cells", "members": [Z1, Z2], "limit": 1}]
    story = begun(web(rolling_policy=limits, service_fabric=FABRIC), pair_of("db", "eastus"), more={"groups": groups})
    story.batch(WEB, [Z1, Z2], 0, "0", "3")
    story.whole(DB, Z1, 0, "0")
    story.swap(WEB, "0", "3")
    story.upgraded(WEB, "0", "3")
    story.whole(WEB, Z1, 0, "1")
    story.whole(WEB, [Z1, Z2], 1, "2", "4")
    return story


@good
def crosses_from_now_on() -> Story:
    """Tell of a set that holds a cell when its model gives up the zone rule."""
    story = begun(web())
    story.whole(WEB, Z1, 0, "0", "1")
    story.say("configured", set=WEB, model={"rolling_policy": {"max_batch_percent": 40, "enable_cross_zone": True}})
    story.step()
    story.whole(WEB, [Z1, Z2], 1, "2", "4")
    return story


@good
def numbers_and_groups() -> Story:
    """Tell of phase ordering numbers, a full group of each kind, and ill instances that go first."""
    ten = rows(*((str(at), "1", 0) for at in range(8)), phase_ordering_number=2)
    ten += rows(("8", "1", 0), ("9", "1", 0), health="unhealthy", phase_ordering_number=1)
    groups = [
        {"name": "quorum", "counts": "instances", "members": [WEB, DB], "limit": 3},
        {"name": "turns", "counts": "sets", "members": [WEB, DB], "limit": 2},
        {"name": "cells", "counts": "cells", "members": [Z1, N1], "limit": 1},
    ]
    limits = {"max_batch_percent": 30, "max_unhealthy_percent": 40}
    phases = [["eastus", "northeurope"]]
    sets = a_set("web", "eastus", ten, rolling_policy=limits), pair_of("db", "eastus"), pair_of("web", "northeurope")
    story = begun(*sets, phases=phases, more={"groups": groups, "phases": phases})
    story.batch(WEB, Z1, 0, "8", "9")
    story.whole(DB, Z1, 0, "0")
    story.swap(WEB, "8", "9")
    story.upgraded(WEB, "8", "9")
    story.whole(WEB, Z1, 0, "0", "1", "2")
    story.whole(DB, Z1, 1, "1")
    story.ends(DB, 2, 0, 0, 0, 0)
    story.step()
    story.whole(WEB, Z1, 0, "3", "4", "5")
    story.whole(WEB, Z1, 0, "6", "7")
    story.ends(WEB, 10, 0, 0, 0, 0)
    story.step()
    story.whole(NORTH, N1, 0, "0")
    return story


@good
def rests_between() -> Story:
    """Tell of a pause between batches that a pause of the rollout stretches, and of a bake that one stretches too."""
    limits = {"pause_between_batches_ms": MINUTE}
    story = begun(pair_of("web", "eastus", rolling_policy=limits), phase_bake_ms=HOUR, phase_failure_percent=50)
    story.whole(WEB, Z1, 0, "0")
    story.t += SECOND
    story.say("paused", rollout=None)
    story.step(HOUR)
    story.say("resumed", rollout=1)
    story.step(59 * SECOND)
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 2, 0, 0, 0, 0)
    story.step()
    story.say("paused", rollout=1)
    story.step(HOUR)
    story.say("resumed", rollout=1)
    story.step(HOUR)
    story.signal("unhealthy", WEB, "0")
    story.phase_ends(0, 1, 2)
    story.over()
    return story


@good
def delays() -> Story:
    """Tell of a first rollout at its instant, and of a second one at the one after its phase opened."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0)), configured_at_ms=0), delays=True)
    story.t = FIRST_OF_NEW_MS
    story.whole(WEB, Z1, 0, "0")
    finish(story, 1, 0, 0, 0, 0, eligible=1)
    story.say("published", image=IMAGE, version=NEWER)
    story.step(HOUR)
    story.starts([["eastus"]], rollout=2, target=NEWER, delays=True)
    story.t += LATER_OF_NEWER_MS
    story.whole(WEB, Z1, 0, "0", rollout=2)
    return story


@good
def tried_before() -> Story:
    """Tell of an attempt that was cancelled before its first batch: the next one may be the first."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0)), configured_at_ms=10 * HOUR), delays=True)
    story.say("cancelled", rollout=1)
    story.ends(WEB, 0, 0, 0, 1, 0, status="cancelled")
    story.over("cancelled")
    story.starts([["eastus"]], rollout=2, delays=True)
    story.t = HOUR
    story.whole(WEB, Z1, 0, "0", rollout=2)
    return story


@good
def gallery() -> Story:
    """Tell of a gallery version: regions join when it is replicated there, and nothing in it is excluded."""
    sets = [a_set("web", region, 1, image=IN_GALLERY, upgrade_domains=1) for region in ("eastus", "westus")]
    story = Story(a_fleet(*sets), t=5 * MINUTE)
    story.starts(image=GALLERY, target="2.0")
    story.whole(WEB, Z1, 0, "0")
    story.ends(WEB, 1, 0, 0, 0, 0)
    story.say("replicated", image=GALLERY, version="2.0", region="westus", exclude_from_latest=True)
    story.step()
    story.say("replicated", image=GALLERY, version="2.0", region="westus", exclude_from_latest=False)
    story.step()
    story.whole(WEST, "westus/1", 0, "0")
    story.ends(WEST, 1, 0, 0, 0, 0)
    story.over()
    return story


@good
def of_the_whole_set() -> Story:
    """Tell of the after-batch gate with the whole set as its denominator; ill instances shrink no batch."""
    ten = rows(*((str(at), None, 0) for at in range(9))) + rows(("9", None, 0), health="unknown")
    story = begun(a_set("web", "eastus", ten, zones=[]), unhealthy_upgraded_of="set", unhealthy_shrinks_batch=False)
    story.whole(WEB, "eastus/-", 0, "0", "1")
    story.t += 1
    story.health("unhealthy", WEB, "0")
    story.whole(WEB, "eastus/-", 0, "2", "3")
    return story


@good
def default_plan() -> Story:
    """Tell of three regions in the default plan: fewer eligible first, no pair together, none last."""
    sets = web(), pair_of("web", "northeurope"), a_set("web", "westus", rows(("0", "1", 0), version=NEW))
    story = begun(*sets, phases=[["northeurope"], ["eastus"], ["westus"]], ineligible=[])
    story.health("unhealthy", NORTH, "0")
    story.ends(NORTH, 0, 0, 0, 2, 0, status="faulted", error=BEFORE)
    story.phase_ends(0, 2, 2, succeeded=False)
    story.say("rollout-ended", rollout=1, status="halted", reason="")
    story.ends(WEB, 0, 0, 0, 5, 1, status="cancelled")
    story.ends(WEST, 0, 0, 0, 0, 1, status="cancelled")
    story.step()
    return story


@good
def a_set_of_another_image() -> Story:
    """Tell of a plan and a phase that have nothing to do with a set of another image, or one left out."""
    other = a_set("db", "eastus", 2, image=IN_GALLERY)
    left_out = pair_of("api", "northeurope")
    story = begun(pair_of("web", "eastus"), other, left_out, ineligible=["northeurope/api"])
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 1, "1")
    return finish(story, 2, 0, 0, 0, 0)


@good
def unknown_version() -> Story:
    """Tell of a target that no catalogue lists, and an image that the fleet does not know either."""
    story = Story(a_fleet(a_set("web", "eastus", 2, image={"custom": "disk-7"}), images=[]))
    story.starts(image="custom:disk-7", target="7")
    story.whole(WEB, Z1, 0, "0")
    return story


@good
def a_long_wait_paused() -> Story:
    """Tell of pauses that come twice and resumes that find nothing paused."""
    story = both()
    for kind in ("resumed", "paused", "paused", "resumed"):
        story.say(kind, rollout=1)
        story.step(SECOND)
    return finish(story, 2, 0, 0, 0, 0)
