"""Rollouts that keep the rules of how instances live and attempts end, whatever the world does."""

from __future__ import annotations

from .cast import (
    BEFORE,
    DB,
    GATE,
    IN_GALLERY,
    WEB,
    WITHIN,
    Z1,
    announced,
    begun,
    both,
    finish,
    good,
    manual,
    pair_of,
    small,
    verifying,
    web,
)
from .telling import HOUR, IMAGE, MINUTE, NEW, OLD, SECOND, Story, a_fleet, a_set, rows

NEWER = "18.04.202403010"


@good
def restored_and_halted() -> Story:
    """Tell of a deadline that passes, a restore, the after-batch gate, and the end of the rollout."""
    story = verifying()
    story.health("unhealthy", WEB, "0")
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    story.t += MINUTE
    story.signal("disk-restored", WEB, "0")
    story.became("restored", WEB, "0")
    story.ends(WEB, 0, 1, 0, 1, 0, status="faulted", error=GATE)
    story.phase_ends(0, 2, 2, succeeded=False)
    story.over("halted")
    return story


@good
def healthy_at_the_deadline() -> Story:
    """Tell of a report exactly at the deadline, in a log without step lines, and of late and duplicate ones."""
    story = verifying()
    story.t += 5 * MINUTE - SECOND
    story.upgraded(WEB, "0")
    story.health("healthy", WEB, "0")
    story.signal("disk-replaced", WEB, "0")
    story.signal("healthy", WEB, "nobody")
    story.say("ignored", what="healthy", why="gone", set=WEB, instances=["nobody"])
    story.step()
    story.whole(WEB, Z1, 1, "1")
    story.lines = [line for line in story.lines if line["kind"] != "step"]
    return finish(story, 2, 0, 0, 0, 0)


@good
def healthy_as_it_begins_to_verify() -> Story:
    """Tell of a healthy report observed in the millisecond of the entry into verifying, that came before it."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.signal("disk-replaced", WEB, "0")
    story.became("configuring", WEB, "0")
    story.command("configure", WEB, "0")
    story.step()
    story.health("healthy", WEB, "0")
    story.signal("configured", WEB, "0")
    story.became("verifying", WEB, "0")
    story.became("upgraded", WEB, "0")
    story.step()
    return story


@good
def timed_out_in_time() -> Story:
    """Tell of a step that comes after a deadline and of one at it, with reports that are too late or no help."""
    story = verifying(rolling_policy={"max_unhealthy_upgraded_percent": 100})
    story.t += 5 * MINUTE
    story.signal("healthy", WEB, "0")
    story.times_out(WEB, "0", after=0)
    story.restored(WEB, "0")
    story.batch(WEB, Z1, 1, "1")
    story.swap(WEB, "1")
    story.t += 5 * MINUTE - SECOND
    story.signal("unhealthy", WEB, "1")
    story.times_out(WEB, "1", after=0)
    story.t += 90 * MINUTE
    story.became("failed", WEB, "1", cause="deadline")
    story.ends(WEB, 0, 2, 0, 0, 0)
    story.phase_ends(0, 2, 2, succeeded=False)
    story.over("halted")
    return story


@good
def one_of_two_in_time() -> Story:
    """Tell of two instances whose deadline a step meets: one reports healthy in it, the log names the other alone."""
    story = begun(web())
    story.batch(WEB, Z1, 0, "0", "1")
    story.swap(WEB, "0", "1")
    story.t += 5 * MINUTE - SECOND
    story.signal("unhealthy", WEB, "0")
    story.became("restoring", WEB, "0", "1", cause="deadline")
    story.command("restore", WEB, "0", "1", version=OLD)
    story.step()
    return story


@good
def answers_that_fail() -> Story:
    """Tell of a replace that fails and a restore that fails."""
    story = small(rolling_policy={"max_unhealthy_upgraded_percent": 100, "max_unhealthy_percent": 50})
    story.batch(WEB, Z1, 0, "0")
    story.signal("failed", WEB, "0")
    story.became("restoring", WEB, "0")
    story.command("restore", WEB, "0", version=OLD)
    story.step(MINUTE)
    story.signal("restore-failed", WEB, "0", command=story.given[WEB, "0"] + "/0")
    story.became("failed", WEB, "0")
    story.step()
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 1, 1, 0, 0, 0)
    story.phase_ends(0, 1, 2, succeeded=False)
    story.over("halted")
    return story


@good
def manual_and_again() -> Story:
    """Tell of a manual rollout that fails an instance, and of one that takes it on again; no phases, no restore."""
    limits = {"max_unhealthy_percent": 100, "max_unhealthy_upgraded_percent": 100}
    story = manual(pair_of("web", "eastus", rolling_policy=limits), sets=[WEB])
    story.batch(WEB, Z1, 0, "0")
    story.swap(WEB, "0")
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND, version=None)
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 1, 1, 0, 0, 0)
    story.over()
    story.starts(rollout=2, manual=True, sets=[WEB])
    story.whole(WEB, Z1, 0, "0", rollout=2)
    story.ends(WEB, 1, 0, 0, 0, 1, rollout=2)
    story.over(rollout=2)
    return story


@good
def failed_with_nothing_known() -> Story:
    """Tell of a manual rollout whose replace fails, and another never answered: no version is known of that one."""
    limits = {"max_unhealthy_percent": 100, "max_unhealthy_upgraded_percent": 100}
    story = manual(pair_of("web", "eastus", rolling_policy=limits))
    story.batch(WEB, Z1, 0, "0")
    story.signal("failed", WEB, "0")
    story.became("failed", WEB, "0")
    story.step()
    story.batch(WEB, Z1, 1, "1")
    story.times_out(WEB, "1", after=90 * MINUTE, version=None)
    story.ends(WEB, 0, 2, 0, 0, 0)
    story.over()
    story.starts([["eastus"]], rollout=2)
    story.ends(WEB, 0, 0, 0, 0, 2, rollout=2)
    story.phase_ends(0, 0, 0, rollout=2)
    story.over(rollout=2)
    story.starts([["eastus"]], rollout=3, target=NEWER)
    story.batch(WEB, Z1, 1, "1", rollout=3)
    story.times_out(WEB, "1", after=90 * MINUTE, version="", rollout=3)
    return story


@good
def manual_fault() -> Story:
    """Tell of a manual rollout that faults, before its first batch in one set and later in another."""
    ill = a_set("db", "eastus", rows(("0", "1", 0)) + rows(("1", "1", 0), health="unknown"))
    story = manual(web(), ill, sets=[WEB, DB])
    del story.lines[1]["manual"]  # who started it, and the sets, say as much
    story.ends(DB, 0, 0, 0, 2, 0, status="faulted", error=BEFORE)
    story.step()
    story.whole(WEB, Z1, 0, "0", "1")
    story.health("unhealthy", WEB, "4", "5")
    story.ends(WEB, 2, 0, 0, 3, 1, status="faulted", error=WITHIN)
    story.over("faulted")
    return story


@good
def cancelled_in_flight() -> Story:
    """Tell of the andon cord: what is in flight finishes, nothing else starts."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.say("cancelled", rollout=None)
    story.step()
    story.swap(WEB, "0")
    story.signal("healthy", WEB, "0")
    story.became("upgraded", WEB, "0")
    story.ends(WEB, 1, 0, 0, 1, 0, status="cancelled")
    story.phase_ends(0, 1, 2, succeeded=False)
    story.over("cancelled")
    return story


@good
def opted_out() -> Story:
    """Tell of a set that opts out of a rollout that had begun in it, and counts neither for nor against."""
    story = begun(pair_of("web", "eastus"), pair_of("db", "eastus"), ineligible=[])
    story.whole(WEB, Z1, 0, "0")
    story.say("configured", set=WEB, model={"automatic_os_upgrade": False})
    story.ends(WEB, 1, 0, 0, 1, 0, status="cancelled")
    story.step()
    story.whole(DB, Z1, 0, "0")
    story.whole(DB, Z1, 1, "1")
    story.ends(DB, 2, 0, 0, 0, 0)
    story.phase_ends(0, 0, 2)
    story.over()
    return story


@good
def model_deployed() -> Story:
    """Tell of a changed model that clears what failed before: the instance is offered the version again."""
    image = a_set("web", "eastus", [])["image"]
    story = Story(a_fleet(a_set("web", "eastus", rows(("0", "1", 0), failed_versions=[NEW]), image=IN_GALLERY)))
    story.say("configured", set=WEB, model={"image": image})
    story.step()
    story.starts([["eastus"]])
    story.whole(WEB, Z1, 0, "0")
    return finish(story, 1, 0, 0, 0, 0, eligible=1)


@good
def scaled_out_and_in() -> Story:
    """Tell of instances that come and go: current, pending, in flight, and an id that comes back."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.say("scaled", set=WEB, added=[*rows(("7", "1", 0)), *rows(("8", "1", 0), version=NEW)], removed=["0"])
    story.became("gone", WEB, "0", cause="scaled")
    story.became("pending", WEB, "7", cause="scaled")
    story.became("current", WEB, "8", cause="scaled")
    story.step()
    story.say("scaled", set=WEB, added=rows(("0", "1", 0)), removed=[])
    story.signal("unhealthy", WEB, "0")
    story.lines[-1]["gone"] = [0]
    story.step()
    story.t += 1
    story.health("unhealthy", WEB, "7", observed=story.t - 2)
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 0, "7")
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 3, 0, 0, 0, 1)
    story.step()
    story.say("scaled", set=WEB, added=rows(("9", "1", 0)), removed=["8"])
    story.became("pending", WEB, "9", cause="scaled")
    story.phase_ends(0, 0, 3)
    story.over()
    return story


@good
def removed_with_its_answer() -> Story:
    """Tell of a log without step lines in which an instance answers and is removed at the same time."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.t += 1
    story.signal("disk-replaced", WEB, "0")
    story.say("scaled", set=WEB, removed=["0"])
    return story


@good
def scaled_before_the_rollout() -> Story:
    """Tell of scaling and protection in a set that no rollout has come to yet."""
    story = Story(a_fleet(pair_of("web", "eastus")))
    story.say("scaled", set=WEB, added=rows(("2", "1", 0)), removed=["0"])
    story.lines.append(
        {"t": 0, "kind": "became", "state": "current", "cause": "scaled", "set": WEB, "instances": ["2"]}
    )
    story.say("protected", set=WEB, instances=["1"], protected=True)
    story.step()
    story.starts([["eastus"]])
    story.whole(WEB, Z1, 0, "2")
    return finish(story, 1, 0, 0, 0, 1, eligible=1)


@good
def protected_on_the_way() -> Story:
    """Tell of protection that comes and goes while the attempt is under way."""
    story = small()
    story.whole(WEB, Z1, 0, "0")
    story.say("protected", set=WEB, instances=["1", "nobody"], protected=True)
    story.became("excluded", WEB, "1", cause="configured")
    story.step()
    story.say("protected", set=WEB, instances=["1"], protected=False)
    story.became("pending", WEB, "1", cause="configured")
    story.step()
    story.whole(WEB, Z1, 1, "1")
    return finish(story, 2, 0, 0, 0, 0)


@good
def superseded() -> Story:
    """Tell of a newer version that cancels the running rollout and gets its own, the first one still ending."""
    story = begun(pair_of("web", "eastus"), pair_of("db", "eastus"), supersede="cancel")
    story.whole(WEB, Z1, 0, "0")
    story.say("published", image=IMAGE, version={"version": NEWER, "published_at_ms": story.t})
    story.ends(WEB, 1, 0, 0, 1, 0, status="cancelled")
    story.step()
    story.starts(rollout=2, manual=True, sets=[WEB], target=NEWER)
    story.whole(WEB, Z1, 0, "0", rollout=2)
    story.phase_ends(0, 1, 2, succeeded=False)
    story.over("cancelled")
    return story


@good
def overtaken() -> Story:
    """Tell of a newer version whose listed time has come while a batch flew, though nobody said that it is there."""
    story = announced(HOUR)
    story.batch(WEB, Z1, 0, "0")
    story.t += HOUR
    story.swap(WEB, "0")
    story.upgraded(WEB, "0")
    story.ends(WEB, 1, 0, 0, 1, 0, status="cancelled")
    story.over("cancelled")
    return story


@good
def refused_by_a_policy() -> Story:
    """Tell of a user's policy that ends a begun attempt."""
    story = small()
    story.whole(WEB, Z1, 0, "0")
    story.ends(WEB, 1, 0, 0, 1, 0, status="cancelled", error="policy:frozen")
    story.phase_ends(0, 1, 2, succeeded=False)
    story.over("halted")
    return story


@good
def never_looked_at_again() -> Story:
    """Tell of a set whose last pending instance goes while the after-batch gate is broken: nobody looks at it again."""
    story = both()
    story.say("scaled", set=WEB, added=rows(("2", "1", 0)), removed=[])
    story.step(MINUTE)
    story.health("unhealthy", WEB, "0")
    story.say("scaled", set=WEB, added=[], removed=["2"])
    story.ends(WEB, 2, 0, 0, 0, 0)
    story.step()
    return story


@good
def twice_around() -> Story:
    """Tell of a failed instance that a later rollout upgrades, and that is current for a third."""
    limits = {"max_unhealthy_percent": 100}
    story = manual(a_set("web", "eastus", rows(("0", "1", 0)), rolling_policy=limits))
    story.batch(WEB, Z1, 0, "0")
    story.swap(WEB, "0")
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND, version=None)
    story.ends(WEB, 0, 1, 0, 0, 0, status="faulted", error=GATE)
    story.over("faulted")
    story.starts(rollout=2, manual=True)
    story.whole(WEB, Z1, 0, "0", rollout=2)
    story.ends(WEB, 1, 0, 0, 0, 0, rollout=2)
    story.over(rollout=2)
    story.starts(rollout=3, manual=True)
    story.ends(WEB, 0, 0, 0, 0, 1, rollout=3)
    story.over(rollout=3)
    return story


@good
def turned_ineligible() -> Story:
    """Tell of a waiting set whose model pins a version: it leaves the rollout, which goes on without it."""
    story = begun(pair_of("web", "eastus"), pair_of("db", "eastus"), ineligible=[])
    story.say("configured", set=DB, model={"image": {**a_set("db", "eastus", [])["image"], "version": OLD}})
    story.ends(DB, 0, 0, 0, 2, 0, status="cancelled")
    story.step()
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 1, "1")
    return finish(story, 2, 0, 0, 0, 0)
