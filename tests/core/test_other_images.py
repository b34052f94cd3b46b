"""Section 2: versions of two images do not compare, so what is on a set whose image reference changes is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from fleets import CENTOS, NEW, NEWER, OLD, UBUNTU, Story, a_fleet, a_set, a_story, an_image, vm

import phasegate as pg
from phasegate.core.events import What
from phasegate.core.model import ImageReference

WEB, ONE = "eastus/web", "eastus/web/0"


def a_tale(kernel: Any, *instances: Any) -> Story:
    """Return a story of a set on the first of two images, with these instances or two old ones, before a rollout."""
    fleet = a_fleet(a_set(WEB, instances or (vm(0), vm(1))), images=[an_image(), an_image(CENTOS, OLD, NEW)])
    return a_story(kernel, fleet)


def now_on(story: Story, image: ImageReference) -> None:
    """Change the set's model to that image."""
    story.on(pg.Configured(evolve(story.engine.fleet.sets[0], image=image), story.now))


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_newer_version_of_the_old_image_is_not_current_for_the_new_one(kernel: Any, has_begun: bool) -> None:
    """Nobody knows how they compare: it is replaced, and only its own target makes it current."""
    story = a_tale(kernel, vm(0, version=NEWER), vm(1, version=NEW))
    if has_begun:
        assert story.roll_out().status() == "completed"
    now_on(story, CENTOS)
    assert [story.version(name) for name in story.names()] == [None, None]
    assert story.engine.candidates_for_update(story.state) == (CENTOS.name,)
    story.roll_out(CENTOS.name).finish()
    assert (story.lives(), story.version(ONE)) == ({"0": "upgraded", "1": "upgraded"}, NEW)
    assert story.engine.candidates_for_update(story.state) == ()


def test_without_a_rollout_yet_instances_wait_for_the_newest_of_the_new_image(kernel: Any) -> None:
    """They were current for the old one."""
    story = a_tale(kernel, vm(0, version=NEW))
    assert story.life(ONE).word == "current"
    now_on(story, CENTOS)
    assert (story.life(ONE).word, story.engine.explain(story.state, ONE).target) == ("pending", NEW)
    now_on(story, ImageReference("Nobody", "knows", "it"))
    assert (story.life(ONE).word, story.engine.explain(story.state, ONE).target) == ("pending", "")


def test_a_model_on_the_same_image_leaves_the_versions(kernel: Any) -> None:
    """Whatever else it changes."""
    story = a_tale(kernel, vm(0, version=NEW))
    story.on(pg.Configured(evolve(story.engine.fleet.sets[0], custom_data=True), 0))
    assert (story.version(ONE), story.life(ONE).word) == (NEW, "current")


def test_what_was_in_flight_to_the_old_image_is_pending_for_the_new_one(kernel: Any) -> None:
    """It ends up on the old target, which may be spelt like the new one."""
    story = a_tale(kernel, vm(0)).roll_out()
    story.start()
    now_on(story, CENTOS)
    story.upgrade()
    assert (story.status(WEB), story.version(ONE)) == ("cancelled", NEW)
    assert story.engine.candidates_for_update(story.state) == (CENTOS.name,)
    story.roll_out(CENTOS.name)
    assert (story.life(ONE).word, story.version(ONE)) == ("pending", None)
    assert story.finish().life(ONE).word == "upgraded"


def test_a_restore_brings_back_the_version_of_the_old_image(kernel: Any) -> None:
    """What the instance had when its batch started (section 11), and it is unknown from the next attempt on."""
    story = a_tale(kernel, vm(0, version=OLD)).roll_out()
    story.start()
    now_on(story, CENTOS)
    story.report(What.FAILED, ONE)
    assert [command.version for command in story.engine.outstanding(story.state)] == [OLD]
    story.answer()
    assert story.version(ONE) == OLD
    story.roll_out(CENTOS.name).start()
    story.report(What.FAILED, ONE)
    assert [command.version for command in story.engine.outstanding(story.state)] == [""]


def test_what_failed_of_the_old_image_is_offered_of_the_new_one(kernel: Any) -> None:
    """A version of the same name is another one; so is one that failed long before."""
    story = a_tale(kernel, vm(0, failed_versions=(NEWER,))).roll_out()
    story.start()
    now_on(story, CENTOS)
    story.roll_back(ONE)
    story.roll_out(CENTOS.name)
    assert story.life(ONE).word == "pending"


def test_back_on_the_old_image_what_it_was_taken_to_counts(kernel: Any) -> None:
    """The attempt that left it there was one of this image; the others' versions stay unknown."""
    story = a_tale(kernel, vm(0, version=OLD), vm(1, version=NEW)).roll_out()
    story.start(ONE)
    now_on(story, CENTOS)
    now_on(story, UBUNTU)
    story.upgrade()
    story.roll_out()
    assert story.lives() == {"0": "current", "1": "pending"}


def test_who_joins_after_the_change_is_on_the_new_image(kernel: Any) -> None:
    """On its target such an instance is current, whatever happened to the others."""
    story = a_tale(kernel, vm(0, version=OLD)).roll_out()
    story.start()
    now_on(story, CENTOS)
    story.upgrade()
    story.on(pg.Scaled(WEB, story.now, added=(vm(7, version=NEW), vm(8))))
    story.roll_out(CENTOS.name)
    assert story.lives() == {"0": "pending", "7": "current", "8": "current"}


def test_a_rollout_of_the_other_image_to_the_same_version_is_another_one(kernel: Any) -> None:
    """The set was not taken to it before, though its last target had that name."""
    story = a_tale(kernel, vm(0, version=OLD)).roll_out().finish()
    assert (story.rollout()["target"], story.engine.candidates_for_update(story.state)) == (NEW, ())
    now_on(story, CENTOS)
    assert story.engine.candidates_for_update(story.state) == (CENTOS.name,)
