"""Sections 3, 7 and 9: how one set's attempt begins, goes on and ends."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from fleets import CENTOS, CORP, NEW, UBUNTU, Story, a_fleet, a_set, a_story, vm

import phasegate as pg
from phasegate.core.facts import AttemptEnded
from phasegate.core.model import ExternalResource, ImageReference

WEB = "eastus/web"


def test_an_attempt_waits_rolls_forward_and_completes(kernel: Any) -> None:
    """`rolling-forward` from its first batch, `completed` when nothing is pending."""
    story = a_story(kernel, a_set(instances=2)).roll_out()
    assert story.status(WEB) == "waiting"
    story.start()
    assert story.status(WEB) == "rolling-forward"
    story.upgrade()
    assert story.status(WEB) == "rolling-forward"
    story.start()
    story.upgrade()
    assert (story.status(WEB), story.status()) == ("completed", "completed")


def test_an_attempt_completes_with_the_number_skipped(kernel: Any) -> None:
    """Current and excluded ones are skipped; the counts sum to the set."""
    listed = [vm(0), vm(1, version=NEW), vm(2, skip_upgrade=True), vm(3, protect_from_scale_set_actions=True)]
    story = a_story(kernel, a_set(instances=listed)).roll_out().finish()
    ended = [fact.progress for fact in story.facts if isinstance(fact, AttemptEnded)]
    assert [(p.successful, p.failed, p.in_progress, p.pending, p.skipped) for p in ended] == [(1, 0, 0, 0, 3)]


def test_protection_from_scale_in_alone_excludes_nobody(kernel: Any) -> None:
    """It is about removing, not about upgrading."""
    story = a_story(kernel, a_set(instances=[vm(0, protect_from_scale_in=True)])).roll_out()
    assert story.lives() == {"0": "pending"}


def test_an_empty_set_completes(kernel: Any) -> None:
    """There is nothing to do."""
    story = a_story(kernel, a_set(instances=0)).roll_out()
    assert (story.status(WEB), story.status()) == ("completed", "completed")


def test_a_set_whose_last_pending_instances_are_removed_completes(kernel: Any) -> None:
    """Scale-in can bring an attempt to its end."""
    story = a_story(kernel, a_set(instances=2)).roll_out()
    story.start(f"{WEB}/0")
    story.upgrade()
    story.on(pg.Scaled(WEB, 0, removed=("1",)))
    assert (story.status(WEB), story.status()) == ("completed", "completed")


def test_removing_the_last_one_in_flight_ends_the_batch(kernel: Any) -> None:
    """The next one may start."""
    story = a_story(kernel, a_set(instances=3)).roll_out()
    story.start(f"{WEB}/0")
    story.on(pg.Scaled(WEB, 0, removed=("0",)))
    assert story.selected() == [[f"{WEB}/1"]]


INELIGIBLE = [
    ({"automatic_os_upgrade": False}, "automatic-upgrade-disabled"),
    ({"version": NEW}, "version-not-latest"),
    ({"image": ImageReference("Acme", "Own", "1")}, "image-not-supported"),
    ({"health_sources": ()}, "health-source-missing"),
    ({"api_version": "2017-12-01"}, "api-version-too-old"),
    ({"external_resources": [ExternalResource("sas", available=False)]}, "external-resource-unavailable"),
]


@pytest.mark.parametrize(("fields", "code"), INELIGIBLE)
def test_an_ineligible_set_takes_no_part(kernel: Any, fields: dict[str, Any], code: str) -> None:
    """It is left out with its codes, and its rollout goes on without it."""
    story = a_story(kernel, a_set(**fields))
    story.roll_out(story.engine.fleet.sets[0].image.name)
    assert (story.refused(), story.status()) == ({WEB: [code]}, "completed")
    assert story.why(f"{WEB}/0") == [f"not-eligible(codes={code})"]
    assert story.selected() == []


def test_a_set_is_ineligible_with_all_codes_that_apply(kernel: Any) -> None:
    """Whoever mends it sees everything at once."""
    story = a_story(kernel, a_set(automatic_os_upgrade=False, health_sources=(), version=NEW)).roll_out()
    assert story.refused() == {
        WEB: ["automatic-upgrade-disabled", "version-not-latest", "health-source-missing"],
    }


def test_instances_off_the_model_keep_a_manual_mode_set_out(kernel: Any) -> None:
    """One is enough; with all of them on the model it is eligible."""
    for on_model, expected in ((False, {WEB: ["model-not-applied"]}), (True, {})):
        own = a_set(instances=[vm(0), vm(1, on_model=on_model)], upgrade_mode="manual")
        assert a_story(kernel, own).roll_out().refused() == expected


def test_the_supported_images_are_data(kernel: Any) -> None:
    """A user's own list lets another image in, and the document's out."""
    own = ImageReference("Acme", "Own", "1")
    listed = (pg.policies.SupportedImage("acme", "OWN", "1"),)
    story = a_story(kernel, a_fleet(a_set(image=own), a_set("westus/web")), supported_images=listed)
    assert story.roll_out(own.name).refused() == {}
    assert story.roll_out().refused(1) == {"westus/web": ["image-not-supported"]}


def test_a_manual_rollout_needs_no_automatic_upgrade_but_all_the_rest(kernel: Any) -> None:
    """The switch is for automatic ones."""
    story = a_story(kernel, a_set(automatic_os_upgrade=False)).roll_out(sets=(WEB,))
    assert story.refused() == {}
    story = a_story(kernel, a_set(automatic_os_upgrade=False, health_sources=())).roll_out(sets=(WEB,))
    assert story.refused() == {WEB: ["health-source-missing"]}


def two(kernel: Any, **options: Any) -> Story:
    """Return a rollout over two sets of one region and zone; the first has begun."""
    story = a_story(kernel, a_fleet(a_set("eastus/a", 2), a_set("eastus/b", 2)), **options).roll_out()
    story.start("eastus/a/0")
    return story


def model(story: Story, name: str, **fields: Any) -> pg.Configured:
    """Return the event that changes those fields of a set's model."""
    found = next(one for one in story.engine.fleet.sets if one.full_name == name)
    return pg.Configured(evolve(found, **fields), story.now)


def test_a_set_that_turned_ineligible_leaves_when_it_would_begin(kernel: Any) -> None:
    """It counts neither for nor against the rollout."""
    story = a_story(kernel, a_fleet(a_set("eastus/a", [vm(0, "1")]), a_set("eastus/b", [vm(0, "2")]))).roll_out()
    story.start("eastus/a/0")
    story.on(model(story, "eastus/b", health_sources=()))
    assert story.status("eastus/b") == "waiting"
    story.upgrade()
    assert (story.status("eastus/b"), story.status()) == ("cancelled", "completed")
    assert story.rollout()["counts"]["eligible"] == 1


def test_a_set_mended_before_it_would_begin_stays(kernel: Any) -> None:
    """It is judged when its turn comes."""
    story = a_story(kernel, a_fleet(a_set("eastus/a", [vm(0, "1")]), a_set("eastus/b", [vm(0, "2")]))).roll_out()
    story.start("eastus/a/0")
    story.on(model(story, "eastus/b", health_sources=()))
    story.on(model(story, "eastus/b"))
    story.finish()
    assert story.lives("eastus/b") == {"0": "upgraded"}


def test_a_begun_attempt_is_not_judged_again(kernel: Any) -> None:
    """What turns ineligible under way goes on."""
    story = two(kernel)
    story.on(model(story, "eastus/a", health_sources=()))
    story.finish()
    assert story.status("eastus/a") == "completed"


def test_opting_out_cancels_the_attempt(kernel: Any) -> None:
    """What is in flight finishes, the rest never starts, and the rollout does not mind."""
    story = two(kernel)
    story.on(model(story, "eastus/a", automatic_os_upgrade=False))
    assert story.status("eastus/a") == "rolling-forward"
    assert "eastus/a/1" not in [name for batch in story.selected() for name in batch]
    story.finish()
    assert story.lives("eastus/a") == {"0": "upgraded", "1": "pending"}
    assert (story.status("eastus/a"), story.status()) == ("cancelled", "completed")


def test_after_opting_out_a_pending_instance_says_why_it_does_not_start(kernel: Any) -> None:
    """Its attempt has ended."""
    story = two(kernel)
    story.on(model(story, "eastus/b", automatic_os_upgrade=False))
    assert story.why("eastus/b/0") == ["attempt-ended(code=none, status=cancelled)"]


def test_opting_out_while_waiting_ends_the_attempt_at_once(kernel: Any) -> None:
    """Nothing of it is in flight."""
    story = two(kernel)
    story.on(model(story, "eastus/b", automatic_os_upgrade=False))
    assert story.status("eastus/b") == "cancelled"


def test_opting_out_does_not_save_a_rollout_from_another_sets_failure(kernel: Any) -> None:
    """The set that goes counts for nothing, the one that stays and fails halts the rollout."""
    story = two(kernel)
    story.on(model(story, "eastus/a", automatic_os_upgrade=False))
    story.upgrade("eastus/a/0")
    story.start("eastus/b/0")
    story.roll_back("eastus/b/0")
    assert (story.status("eastus/a"), story.status("eastus/b"), story.status()) == ("cancelled", "faulted", "halted")


def test_what_failed_in_a_set_that_opts_out_does_not_count_against_its_rollout(kernel: Any) -> None:
    """Whether it failed before the set opted out or after."""
    for fails_before in (True, False):
        story = two(kernel, max_unhealthy_upgraded_percent=100)
        if fails_before:
            story.roll_back("eastus/a/0")
        story.on(model(story, "eastus/a", automatic_os_upgrade=False))
        if not fails_before:
            story.roll_back("eastus/a/0")
        story.finish()
        assert story.lives("eastus/a") == {"0": "restored", "1": "pending"}
        assert (story.status("eastus/a"), story.status()) == ("cancelled", "completed")


def test_opting_out_leaves_a_manual_rollout_alone(kernel: Any) -> None:
    """Somebody named the set."""
    story = a_story(kernel, a_set(instances=2)).roll_out(sets=(WEB,))
    story.start()
    story.on(model(story, WEB, automatic_os_upgrade=False))
    assert story.finish().status(WEB) == "completed"


def test_a_model_on_another_image_leaves_the_rollout_of_the_old_one(kernel: Any) -> None:
    """The reference never changes in a rollout."""
    fleet = a_fleet(a_set("eastus/a", [vm(0, "1")]), a_set("eastus/b", [vm(0, "2")]), a_set("westus/c", image=CENTOS))
    story = a_story(kernel, fleet).roll_out()
    story.start("eastus/a/0")
    story.on(model(story, "eastus/b", image=CENTOS))
    story.finish()
    assert (story.status("eastus/b"), story.lives("eastus/b")) == ("cancelled", {"0": "pending"})


@pytest.mark.parametrize("sets", [None, (WEB,)])
def test_a_model_on_another_image_leaves_in_the_middle_of_its_attempt(kernel: Any, sets: Any) -> None:
    """What is in flight finishes, nothing more of the old image starts, and it counts neither for nor against."""
    fleet = a_fleet(a_set(WEB, 3), a_set("westus/c", 1, image=CENTOS))
    story = a_story(kernel, fleet).roll_out(sets=sets)
    story.start(f"{WEB}/0")
    story.on(model(story, WEB, image=CENTOS))
    story.upgrade()
    assert (story.status(WEB), story.selected()) == ("cancelled", [])
    assert (story.lives(), story.status()) == ({"0": "upgraded", "1": "pending", "2": "pending"}, "completed")


def test_a_set_is_in_one_attempt_at_a_time(kernel: Any) -> None:
    """A start for a set that is in one is refused for that set alone."""
    story = a_story(kernel, a_fleet(a_set("eastus/a"), a_set("westus/b"))).roll_out(sets=("eastus/a",))
    story.start()
    story.roll_out()
    assert story.refused(1) == {"eastus/a": ["in-another-attempt"]}
    assert story.status("westus/b", 1) == "waiting"


def test_a_faulted_attempt_is_tried_again_only_by_a_new_rollout(kernel: Any) -> None:
    """Its pending instances wait for that."""
    story = a_story(kernel, a_set(instances=4), max_unhealthy_percent=100).roll_out()
    story.start(f"{WEB}/0")
    story.roll_back(f"{WEB}/0")
    assert (story.status(WEB), story.selected()) == ("faulted", [])
    story.roll_out()
    assert story.lives() == {"0": "excluded", "1": "pending", "2": "pending", "3": "pending"}
    assert story.selected() == [[f"{WEB}/1"]]


def test_a_manual_rollout_must_name_sets_of_its_image(kernel: Any) -> None:
    """A set of another image, or none at all, is an error with its name."""
    story = a_story(kernel, a_fleet(a_set("eastus/a"), a_set("westus/b", image=CORP)))
    with pytest.raises(pg.InvalidEvent, match="`westus/b` is made from `corp/web`"):
        story.roll_out(sets=("westus/b",))
    with pytest.raises(pg.UnknownName, match="no set `eastus/x`"):
        story.roll_out(sets=("eastus/x",))
    assert story.engine.progress(story.state)["rollouts"] == []


def test_a_custom_image_outside_a_gallery_has_no_rollout(kernel: Any) -> None:
    """It has no versions to go to."""
    story = a_story(kernel, a_fleet(a_set(image=ImageReference(custom="golden")), a_set("westus/b", image=UBUNTU)))
    with pytest.raises(pg.UnknownName, match="no image `custom:golden`"):
        story.roll_out("custom:golden")
    assert story.why(f"{WEB}/0") == ["no-rollout"]


def test_an_excluded_instance_is_never_touched(kernel: Any) -> None:
    """Not by the engine, and not by somebody who asks for it."""
    listed = [vm(0, protect_from_scale_set_actions=True), vm(1, skip_upgrade=True), vm(2)]
    story = a_story(kernel, a_set(instances=listed)).roll_out()
    for name in (f"{WEB}/0", f"{WEB}/1"):
        with pytest.raises(pg.IllegalTransition, match=r"not-pending\(instance=\d, state=excluded\)"):
            story.start(name)
    assert story.finish().lives() == {"0": "excluded", "1": "excluded", "2": "upgraded"}
