"""Attempts, phases and rollouts that end otherwise than they should (sections 5, 7 and 9)."""

# ruff: noqa: D401 -- a story's docstring says what happens in it

from __future__ import annotations

from typing import Any

from .cast import BEFORE, GATE, WEB, WITHIN, Z1, begun, both, breaks, finish, pair_of, small, web
from .telling import HOUR, MINUTE, SECOND, Story, a_fleet, a_set, rows


def ending(lost: int, eligible: int, *, succeeded: bool = True, wait: int = SECOND, **policy: Any) -> Story:
    """Return a story of two that are upgraded, one of them ill, and a phase that ends so."""
    story = begun(pair_of("web", "eastus"), **policy)
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 2, 0, 0, 0, 0)
    story.step(wait)
    story.signal("unhealthy", WEB, "0")
    story.phase_ends(0, lost, eligible, succeeded=succeeded)
    return story


@breaks("phase-result")
def too_few_lost() -> Story:
    """An upgraded instance that is not healthy is lost."""
    return ending(0, 2)


@breaks("phase-result")
def too_few_eligible() -> Story:
    """Both were pending when the attempt was made."""
    return ending(1, 1, succeeded=False)


@breaks("phase-result")
def success_in_spite_of_loss() -> Story:
    """One of two is more than nothing."""
    return ending(1, 2)


@breaks("phase-result")
def failure_in_spite_of_success() -> Story:
    """One of two is as much as a half."""
    return ending(1, 2, succeeded=False, phase_failure_percent=50)


@breaks("phase-result")
def not_baked() -> Story:
    """An hour of bake time, and one second missing."""
    return ending(1, 2, wait=HOUR - SECOND, phase_bake_ms=HOUR, phase_failure_percent=50)


@breaks("phase-result")
def ended_twice() -> Story:
    """A phase ends once."""
    story = ending(1, 2, succeeded=False)
    story.phase_ends(0, 1, 2, succeeded=False)
    return story


@breaks("phase-result")
def phase_beyond_the_plan() -> Story:
    """A phase that is not there ends."""
    story = small()
    story.phase_ends(3, 0, 0)
    return story


@breaks("phase-result")
def attempt_goes_on() -> Story:
    """A phase ends while an attempt of it is between batches."""
    story = small()
    story.whole(WEB, Z1, 0, "0")
    story.phase_ends(0, 1, 2, succeeded=False)
    return story


@breaks("phase-result")
def forgotten_set() -> Story:
    """A set of the phase never had an attempt, and nobody said why."""
    story = begun(pair_of("web", "eastus"), pair_of("db", "eastus"), ineligible=[])
    story.whole(WEB, Z1, 0, "0")
    story.whole(WEB, Z1, 1, "1")
    story.ends(WEB, 2, 0, 0, 0, 0)
    story.phase_ends(0, 0, 2)
    return story


@breaks("phase-result")
def abandoned_is_lost() -> Story:
    """What was pending in an attempt that faulted is lost."""
    story = begun(web(), pair_of("db", "eastus"))
    story.health("unhealthy", WEB, "4", "5")
    story.ends(WEB, 0, 0, 0, 5, 1, status="faulted", error=BEFORE)
    story.say("cancelled", rollout=1)
    story.ends("eastus/db", 0, 0, 0, 2, 0, status="cancelled")
    story.phase_ends(0, 4, 5, succeeded=False)
    return story


@breaks("counts")
def wrong_counts() -> Story:
    """The sum is right, the summands are not."""
    return finish(both(), 1, 0, 0, 0, 1)


@breaks("attempt-result")
def completed_too_early() -> Story:
    """Completed with an instance pending."""
    story = small()
    story.whole(WEB, Z1, 0, "0")
    story.ends(WEB, 1, 0, 0, 1, 0)
    return story


@breaks("attempt-result")
def ended_in_flight() -> Story:
    """An attempt ends with an instance in flight."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.say("cancelled", rollout=1)
    story.ends(WEB, 0, 0, 1, 1, 0, status="cancelled")
    return story


@breaks("attempt-result")
def completed_with_an_error() -> Story:
    """Completed means well."""
    story = begun(a_set("web", "eastus", []))
    story.ends(WEB, 0, 0, 0, 0, 0, error="Oops")
    return story


@breaks("attempt-result")
def completed_through_the_gate() -> Story:
    """The last batch broke the after-batch gate, which comes before completion."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0))))
    story.batch(WEB, Z1, 0, "0")
    story.swap(WEB, "0")
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    story.t += MINUTE
    story.signal("disk-restored", WEB, "0")
    story.became("restored", WEB, "0")
    story.ends(WEB, 0, 1, 0, 0, 0)
    return story


@breaks("attempt-result")
def cancelled_by_nobody() -> Story:
    """Cancelled, and nobody asked for it."""
    story = small()
    story.whole(WEB, Z1, 0, "0")
    story.ends(WEB, 1, 0, 0, 1, 0, status="cancelled")
    return story


@breaks("attempt-result")
def waiting_and_cancelled_by_nobody() -> Story:
    """A waiting attempt ends cancelled while its rollout goes on."""
    story = small()
    story.ends(WEB, 0, 0, 0, 2, 0, status="cancelled")
    return story


@breaks("attempt-result")
def completed_though_cancelled() -> Story:
    """A cancelled attempt ends cancelled, whatever its last batch did."""
    story = begun(a_set("web", "eastus", rows(("0", "1", 0))))
    story.batch(WEB, Z1, 0, "0")
    story.say("cancelled", rollout=1)
    story.step()
    story.swap(WEB, "0")
    story.upgraded(WEB, "0")
    story.ends(WEB, 1, 0, 0, 0, 0)
    return story


def faulted(error: str, *, batches: bool = False, ill: bool = False) -> Story:
    """Return a story of an attempt that faults with this error."""
    story = begun(web())
    if batches:
        story.whole(WEB, Z1, 0, "0", "1")
    if ill:
        story.health("unhealthy", WEB, "4", "5")
    story.ends(WEB, 2 * batches, 0, 0, 5 - 2 * batches, 1, status="faulted", error=error)
    return story


@breaks("attempt-result")
def gate_after_is_not_broken() -> Story:
    """All that was upgraded is well."""
    return faulted(GATE, batches=True)


@breaks("attempt-result")
def gate_before_is_not_broken() -> Story:
    """The set is well."""
    return faulted(BEFORE)


@breaks("attempt-result")
def before_after_a_batch() -> Story:
    """The code for an attempt without batches, after one."""
    return faulted(BEFORE, batches=True, ill=True)


@breaks("attempt-result")
def within_without_a_batch() -> Story:
    """The code for an attempt with batches, before any."""
    return faulted(WITHIN, ill=True)


@breaks("attempt-result")
def unknown_error() -> Story:
    """A code that the rules do not know."""
    return faulted("Oops", ill=True)


@breaks("attempt-result")
def unknown_end() -> Story:
    """A status that the rules do not know."""
    story = small()
    story.ends(WEB, 0, 0, 0, 2, 0, status="bored")
    return story


@breaks("rollout-result")
def completed_before_its_phases() -> Story:
    """Completed while a phase is open."""
    story = small()
    story.over()
    return story


@breaks("rollout-result")
def completed_in_spite_of_a_fault() -> Story:
    """A rollout without phases completes only if no attempt faulted."""
    story = Story(a_fleet(web()))
    story.starts()
    story.health("unhealthy", WEB, "4", "5")
    story.ends(WEB, 0, 0, 0, 5, 1, status="faulted", error=BEFORE)
    story.over()
    return story


@breaks("rollout-result")
def halted_by_nothing() -> Story:
    """Halted without a phase that failed."""
    story = small()
    story.over("halted")
    return story


@breaks("rollout-result")
def faulted_with_phases() -> Story:
    """Faulted is for rollouts without phases."""
    story = small()
    story.over("faulted")
    return story


@breaks("rollout-result")
def cancelled_rollout_by_nobody() -> Story:
    """Cancelled, and nobody asked for it."""
    story = small()
    story.over("cancelled")
    return story


@breaks("rollout-result")
def unknown_rollout_end() -> Story:
    """A status that the rules do not know."""
    story = small()
    story.over("bored")
    return story


@breaks("rollout-result")
def rollout_ends_twice() -> Story:
    """A rollout ends once."""
    story = Story(a_fleet(web()))
    story.starts()
    story.over()
    story.over()
    return story


@breaks("rollout-result")
def rollout_ends_at_work() -> Story:
    """A rollout ends while a set of it is between batches."""
    story = Story(a_fleet(web()))
    story.starts()
    story.whole(WEB, Z1, 0, "0")
    story.over()
    return story


@breaks("rollout-result")
def rollout_forgets_a_set() -> Story:
    """A rollout ends, and with it the attempt of a set that it never spoke of."""
    story = Story(a_fleet(web(), pair_of("db", "eastus")))
    story.starts(manual=True, sets=[WEB], ineligible=[])
    story.over()
    return story
