"""Section 9: a newer version that is listed with a time to come overtakes what runs when that time is there."""

from __future__ import annotations

from typing import Any

import pytest
from fleets import (
    CENTOS,
    CORP,
    HOUR,
    MINUTE,
    NEW,
    NEWER,
    OLD,
    STEP_MS,
    UBUNTU,
    Story,
    a_fleet,
    a_set,
    a_story,
    an_image,
)

import phasegate as pg
from phasegate.core.events import What
from phasegate.core.facts import PhaseOpened
from phasegate.core.model import Image, ImageVersion, Replica

WEB, ONE = "eastus/web", "eastus/web/0"


def announcing(kernel: Any, *versions: ImageVersion, sets: Any = (), **options: Any) -> Story:
    """Return a story in which these versions, or 3.0 in an hour, are listed, and a newer one cancels what runs."""
    listed = (ImageVersion(OLD), ImageVersion(NEW), *(versions or (ImageVersion(NEWER, published_at_ms=HOUR),)))
    fleet = a_fleet(*(sets or (a_set(),)), images=[Image(UBUNTU, listed), an_image(CENTOS)])
    return a_story(kernel, fleet, **{"supersede": "cancel"} | options)


def test_the_rollout_is_cancelled_when_the_version_is_there(kernel: Any) -> None:
    """As if it had been published then: what is in flight finishes, and the next rollout goes to it."""
    story = announcing(kernel).roll_out()
    story.start(ONE)
    assert story.engine.next_time(story.state) == HOUR
    assert story.on(pg.Tick(HOUR - 1)) == []
    story.on(pg.Tick(HOUR))
    assert (story.selected(), story.status(), story.engine.next_time(story.state)) == ([], "running", STEP_MS)
    story.upgrade()
    assert (story.status(), story.engine.next_time(story.state)) == ("cancelled", None)
    assert story.roll_out().rollout(1)["target"] == NEWER


def test_said_or_announced_it_comes_to_the_same(kernel: Any) -> None:
    """But for the catalogue, the states are alike."""
    said, listed = a_story(kernel, supersede="cancel"), announcing(kernel)
    for story in (said, listed):
        story.roll_out()
        story.start(ONE)
    said.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), HOUR))
    listed.on(pg.Tick(HOUR))
    for story in (said, listed):
        story.upgrade()
    assert (said.lives(), said.ended(), said.rollout()) == (listed.lives(), listed.ended(), listed.rollout())


def test_whatever_happens_at_that_time_comes_after_it(kernel: Any) -> None:
    """A version is there from its first millisecond on, as for who begins a rollout then."""
    story = announcing(kernel).roll_out()
    batch = story.batch(ONE)
    with pytest.raises(pg.IllegalTransition, match="attempt-ended"):
        story.on(pg.Start([batch], HOUR))
    assert story.on(pg.Start([batch], HOUR - 1)) != []
    story.report(What.DISK_REPLACED, ONE, now=2 * HOUR)
    assert (story.life(ONE).word, story.selected(), story.status()) == ("configuring", [], "running")
    story.upgrade()
    assert story.status() == "cancelled"


@pytest.mark.parametrize(
    ("options", "fields"),
    [({"supersede": "finish"}, {}), ({}, {"sets": (WEB,)})],
)
def test_it_overtakes_only_what_a_published_one_would(
    kernel: Any, options: dict[str, Any], fields: dict[str, Any]
) -> None:
    """With `finish` nothing, and never a manual rollout: no time is waited for either."""
    story = announcing(kernel, **options).roll_out(**fields)
    assert story.engine.next_time(story.state) is None
    story.on(pg.Tick(2 * HOUR))
    assert story.finish().status() == "completed"


@pytest.mark.parametrize(
    "version",
    [
        ImageVersion("1.5", published_at_ms=HOUR),
        ImageVersion(NEWER, published_at_ms=HOUR, exclude_from_latest=True),
        ImageVersion(NEWER),
    ],
)
def test_a_version_that_is_not_newer_or_no_target_or_there_before_is_waited_for_by_nobody(
    kernel: Any, version: ImageVersion
) -> None:
    """The last one was there when somebody chose an older one."""
    story = announcing(kernel, version).roll_out(target=NEW)
    assert story.engine.next_time(story.state) is None
    story.on(pg.Tick(2 * HOUR))
    assert story.finish().status() == "completed"


def test_the_first_of_several_counts(kernel: Any) -> None:
    """A rollout of the second is overtaken by the third; what has ended by then, by nothing."""
    versions = [ImageVersion(f"{at + 3}.0", published_at_ms=at * HOUR) for at in (1, 2)]
    story = announcing(kernel, *versions).roll_out()
    story.on(pg.Tick(HOUR))
    assert (story.status(), story.engine.next_time(story.state)) == ("cancelled", None)
    story.roll_out()
    assert (story.rollout(1)["target"], story.engine.next_time(story.state)) == ("4.0", 2 * HOUR)
    story.finish()
    assert (story.status(number=1), story.engine.next_time(story.state)) == ("completed", None)
    assert story.on(pg.Tick(3 * HOUR)) == []


@pytest.mark.parametrize(("ubuntu", "centos"), [(2 * HOUR, HOUR), (HOUR, 2 * HOUR)])
def test_two_in_one_step_come_one_after_the_other(kernel: Any, ubuntu: int, centos: int) -> None:
    """Rollouts of two images, each overtaken at its own time, whichever was begun first."""
    images = [
        Image(reference, (ImageVersion(OLD), ImageVersion(NEW), ImageVersion(NEWER, published_at_ms=time)))
        for reference, time in ((UBUNTU, ubuntu), (CENTOS, centos))
    ]
    fleet = a_fleet(a_set(), a_set("westus/db", image=CENTOS), images=images)
    story = a_story(kernel, fleet, supersede="cancel").roll_out().roll_out(CENTOS.name)
    assert story.engine.next_time(story.state) == HOUR
    story.on(pg.Tick(3 * HOUR))
    by_time = ["eastus/web cancelled", "westus/db cancelled"]
    ended = by_time if ubuntu < centos else by_time[::-1]
    rollouts = ["0 cancelled", "1 cancelled"] if ubuntu < centos else ["1 cancelled", "0 cancelled"]
    assert story.ended() == [*ended, *rollouts]


def test_a_version_that_was_published_ahead_of_its_time_is_announced(kernel: Any) -> None:
    """By an event, in the middle of the rollout."""
    story = a_story(kernel, supersede="cancel").roll_out()
    assert story.engine.next_time(story.state) is None
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER, published_at_ms=HOUR), MINUTE))
    assert (story.status(), story.engine.next_time(story.state)) == ("running", HOUR)
    story.on(pg.Tick(HOUR))
    assert story.status() == "cancelled"


def test_a_gallery_version_overtakes_when_it_reaches_a_region_of_the_sets(kernel: Any) -> None:
    """Published and replicated; where no set of the image is, it does not matter."""
    there = [Replica("westus", replicated_at_ms=MINUTE), Replica("eastus", replicated_at_ms=2 * HOUR)]
    newer = ImageVersion(NEWER, published_at_ms=HOUR, regions=there)
    known = [ImageVersion(version, regions=[Replica("eastus")]) for version in (OLD, NEW)]
    sets = (a_set(image=CORP), a_set("westus/db", image=CENTOS))
    fleet = a_fleet(*sets, images=[Image(CORP, (*known, newer)), an_image(CENTOS)])
    story = a_story(kernel, fleet, supersede="cancel").roll_out(CORP.name)
    assert story.engine.next_time(story.state) == 2 * HOUR
    story.on(pg.Tick(2 * HOUR))
    assert story.status() == "cancelled"


@pytest.mark.parametrize(("bake_ms", "opened"), [(HOUR - 1, [0, 1]), (HOUR + 1, [0])])
def test_timers_pass_in_the_order_of_their_times(kernel: Any, bake_ms: int, opened: list[int]) -> None:
    """A phase that has baked before the version was there opens the next one; later there is nothing left to open."""
    sets = (a_set("a/web", 1), a_set("b/web", 2))
    story = announcing(kernel, sets=sets, phase_bake_ms=bake_ms).roll_out()
    story.start()
    story.upgrade()
    story.on(pg.Tick(HOUR + 2))
    assert [fact.phase for fact in story.facts if isinstance(fact, PhaseOpened)] == opened
    assert story.status() == "cancelled"


def test_an_older_state_still_waits_for_it(kernel: Any) -> None:
    """The time follows from the state alone, in whatever order states are asked."""
    story = announcing(kernel).roll_out()
    before = story.state
    story.on(pg.Tick(2 * HOUR))
    assert story.engine.next_time(story.state) is None
    assert story.engine.next_time(before) == HOUR
    assert story.engine.step(before, pg.Tick(2 * HOUR)).state == story.state
