"""Batches that must not start: size, shape, gates, order, time (sections 4, 7 and 9)."""

# ruff: noqa: D401 -- a story's docstring says what happens in it

from __future__ import annotations

from .cast import (
    BEFORE,
    DB,
    FABRIC,
    FIRST_OF_NEW_MS,
    IN_GALLERY,
    LATER_OF_NEWER_MS,
    WEB,
    WEST,
    Z1,
    Z2,
    announced,
    begun,
    both,
    breaks,
    finish,
    manual,
    pair_of,
    small,
    verifying,
    web,
)
from .telling import GALLERY, HOUR, MINUTE, NEW, SECOND, Story, a_fleet, a_set, rows


@breaks("batch-size")
def above_the_cap() -> Story:
    """Three where 40 % of six are two."""
    six = rows(*((str(at), "1", 0) for at in range(6)))
    story = begun(a_set("web", "eastus", six), max_batch_percent=40)
    story.batch(WEB, Z1, 0, "0", "1", "2")
    return story


@breaks("batch-size")
def the_whole_set() -> Story:
    """Never all of a set, whatever the percentage."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0), ("1", "1", 0))), max_batch_percent=100)
    story.batch(WEB, Z1, 0, "0", "1")
    return story


@breaks("batch-size")
def two_well_ones_while_one_is_ill() -> Story:
    """What is down stays within the cap."""
    story = begun(web())
    story.health("unknown", WEB, "4")
    story.batch(WEB, Z1, 0, "0", "1")
    return story


@breaks("batch-size")
def empty_batch() -> Story:
    """A batch has instances."""
    story = begun(web())
    story.batch(WEB, Z1, 0)
    return story


@breaks("batch-shape")
def two_domains() -> Story:
    """Instances of two upgrade domains."""
    story = begun(web())
    story.batch(WEB, Z1, 0, "1", "2")
    return story


@breaks("batch-shape")
def another_cell() -> Story:
    """An instance that stands in another zone."""
    story = begun(web())
    story.batch(WEB, Z1, 0, "0", "3")
    return story


@breaks("batch-shape")
def two_cells() -> Story:
    """A batch of two cells in a set that does not cross zones."""
    story = begun(web())
    story.batch(WEB, [Z1, Z2], 0, "0", "3")
    return story


@breaks("batch-shape")
def one_twice() -> Story:
    """An instance is there once."""
    story = begun(web())
    story.batch(WEB, Z1, 0, "0", "0")
    story.lines[-3]["instances"] = story.lines[-2]["instances"] = ["0"]
    return story


@breaks("between-batches")
def batch_upon_batch() -> Story:
    """A second batch while the first one flies."""
    story = begun(web())
    story.batch(WEB, Z1, 0, "0")
    story.batch(WEB, Z1, 0, "1")
    return story


@breaks("unhealthy")
def more_than_a_fifth_ill() -> Story:
    """Two of six are above 20 %, whether or not they can be touched."""
    story = begun(web())
    story.health("unhealthy", WEB, "4", "5")
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("unhealthy")
def older_report_does_not_help() -> Story:
    """A report that was observed before the latest one is ignored; `unknown` is not healthy either."""
    story = begun(web(), t=HOUR)
    story.signal("unhealthy", WEB, "4")
    story.signal("unknown", WEB, "5")
    story.signal("healthy", WEB, "4", "5")
    story.signal("healthy", WEB, "4", "5", observed=HOUR - 1)
    story.step()
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("attempt-over")
def batch_after_the_end() -> Story:
    """An attempt that has ended starts nothing, though all is well again."""
    story = begun(web())
    story.health("unhealthy", WEB, "4", "5")
    story.ends(WEB, 0, 0, 0, 5, 1, status="faulted", error=BEFORE)
    story.step(1)
    story.health("healthy", WEB, "4", "5")
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("attempt-over")
def batch_after_cancel() -> Story:
    """A cancelled rollout starts nothing."""
    story = begun(web())
    story.say("cancelled", rollout=1)
    story.step()
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("attempt-over")
def batch_after_a_newer_version() -> Story:
    """A rollout that a version has overtaken, whose listed time is there, starts nothing."""
    story = announced(HOUR)
    story.t += HOUR
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("attempt-over")
def batch_after_the_rollout() -> Story:
    """A rollout that has ended starts nothing."""
    story = Story(a_fleet(web()))
    story.starts()
    story.over()
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("attempt-over")
def ends_twice() -> Story:
    """An attempt ends once."""
    story = both()
    story.ends(WEB, 2, 0, 0, 0, 0)
    story.ends(WEB, 2, 0, 0, 0, 0)
    return story


@breaks("upgraded-unhealthy")
def rolled_back_is_bad() -> Story:
    """One of one was rolled back, healthy as it is again."""
    story = verifying()
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    story.restored(WEB, "0")
    story.batch(WEB, Z1, 1, "1")
    return story


@breaks("upgraded-unhealthy")
def upgraded_turns_ill() -> Story:
    """One of two upgraded instances turned unhealthy later; of the whole set that is within the limit."""
    story = begun(web())
    story.whole(WEB, Z1, 0, "0", "1")
    story.t += 1
    story.health("unhealthy", WEB, "1")
    story.batch(WEB, Z1, 1, "2")
    return story


@breaks("touched")
def already_there() -> Story:
    """An instance on a newer version than the target."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0)) + rows(("1", "1", 0), version=NEW + ".1")))
    story.batch(WEB, Z1, 0, "1")
    return story


@breaks("touched")
def upgraded_again() -> Story:
    """An instance that a batch took to the target before."""
    story = begun(web())
    story.whole(WEB, Z1, 0, "0")
    story.ends(WEB, 1, 0, 0, 4, 1, status="cancelled", error="policy:frozen")
    story.step()
    story.starts(rollout=2, manual=True)
    story.batch(WEB, Z1, 0, "0", rollout=2)
    return story


@breaks("touched")
def protected() -> Story:
    """An instance that is protected from scale set actions."""
    story = begun(web())
    story.batch(WEB, Z2, 1, "5")
    return story


@breaks("touched")
def protected_on_the_way() -> Story:
    """An instance that was protected after its attempt began."""
    story = small()
    story.whole(WEB, Z1, 0, "0")
    story.say("protected", set=WEB, instances=["1"], protected=True)
    story.step()
    story.batch(WEB, Z1, 1, "1")
    return story


@breaks("touched")
def failed_before() -> Story:
    """A version that failed on the instance before."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0), failed_versions=[NEW]) + rows(("1", "1", 0))))
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("touched")
def failed_a_moment_ago() -> Story:
    """A version that failed on the instance in the rollout before this one."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0))), max_unhealthy_upgraded_percent=100)
    story.batch(WEB, Z1, 0, "0")
    story.swap(WEB, "0")
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    story.restored(WEB, "0")
    story.ends(WEB, 0, 1, 0, 0, 0)
    story.phase_ends(0, 1, 1, succeeded=False)
    story.over("halted")
    story.starts([["eastus"]], rollout=2)
    story.batch(WEB, Z1, 0, "0", rollout=2)
    return story


@breaks("touched")
def commanded_without_a_batch() -> Story:
    """A command to an excluded instance that is in no batch."""
    story = begun(web())
    story.batch(WEB, Z1, 0, "0")
    story.command("configure", WEB, "5")
    story.step()
    return story


@breaks("not-pending")
def once_more() -> Story:
    """An instance that was restored is not tried again in the same attempt."""
    story = verifying(rolling_policy={"max_unhealthy_upgraded_percent": 100})
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    story.restored(WEB, "0")
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("phase-number")
def later_number_first() -> Story:
    """The instance without a number comes last."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0)) + rows(("1", "1", 0), phase_ordering_number=7)))
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("service-fabric")
def another_domain_here() -> Story:
    """Domain 1 begins while domain 0 has an instance left in the same zone."""
    places = rows(("0", "1", 0), ("1", "1", 0), ("2", "1", 1))
    story = begun(a_set("web", "eastus", places, service_fabric=FABRIC))
    story.whole(WEB, Z1, 0, "0")
    story.batch(WEB, Z1, 1, "2")
    return story


@breaks("service-fabric")
def another_domain_there() -> Story:
    """Domain 1 begins while domain 0 has an instance left in a zone that is free."""
    places = rows(("0", "1", 0), ("1", "2", 0), ("2", "1", 1))
    story = begun(a_set("web", "eastus", places, service_fabric=FABRIC))
    story.whole(WEB, Z1, 0, "0")
    story.batch(WEB, Z1, 1, "2")
    return story


@breaks("pause-between")
def too_soon() -> Story:
    """A minute between batches; the hour in which the rollout was paused does not count."""
    story = begun(pair_of("web", "eastus"), pause_between_batches_ms=MINUTE)
    story.whole(WEB, Z1, 0, "0")
    story.say("paused", rollout=1)
    story.step(HOUR)
    story.say("resumed", rollout=1)
    story.step(59 * SECOND)
    story.batch(WEB, Z1, 1, "1")
    return story


@breaks("paused")
def while_paused() -> Story:
    """A batch in a rollout that is paused, with all others."""
    story = small()
    story.say("paused", rollout=None)
    story.step()
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("window")
def at_closing_time() -> Story:
    """The end of a window is exclusive, in its own time zone."""
    night = {"day": "thu", "start": "01:00", "minutes": 300, "timezone": "Europe/Berlin"}
    story = small(windows=[night])
    story.t = 5 * HOUR
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("delay")
def first_too_early() -> Story:
    """A first rollout one millisecond before its instant."""
    story = begun(pair_of("web", "eastus", configured_at_ms=0), delays=True)
    story.t = FIRST_OF_NEW_MS - 1
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("delay")
def later_too_early() -> Story:
    """A second rollout one millisecond before its instant."""
    newer = "18.04.202403010"
    story = finish(both(), 2, 0, 0, 0, 0)
    story.starts([["eastus"]], rollout=2, target=newer, delays=True)
    story.t += LATER_OF_NEWER_MS - 1
    story.batch(WEB, Z1, 0, "0", rollout=2)
    return story


@breaks("delay")
def before_publication() -> Story:
    """No delays, but the version is not published yet."""
    story = small()
    story.fleet["images"][0]["versions"][1]["published_at_ms"] = 1
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("delay")
def not_replicated() -> Story:
    """A gallery version that the region does not have."""
    story = Story(a_fleet(a_set("web", "westus", 2, image=IN_GALLERY)), t=HOUR)
    story.starts(image=GALLERY, target="2.0")
    story.batch(WEST, "westus/1", 0, "0")
    return story


@breaks("one-attempt")
def two_rollouts_at_once() -> Story:
    """A second rollout takes on a set that is in one."""
    story = manual(web())
    story.starts(rollout=2, manual=True)
    story.whole(WEB, Z1, 0, "0")
    story.ends(WEB, 0, 0, 0, 4, 2, status="cancelled", error="policy:frozen", rollout=2)
    return story


@breaks("rollout")
def another_image() -> Story:
    """A rollout touches a set of another image."""
    story = manual(web(image=IN_GALLERY))
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("rollout")
def unnamed_set() -> Story:
    """A manual rollout touches a set that it does not name."""
    story = manual(web(), sets=[DB])
    story.batch(WEB, Z1, 0, "0")
    return story
