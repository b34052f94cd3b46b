"""Section 2: which version a rollout goes to, and which instances it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from fleets import CENTOS, CORP, HOUR, NEW, NEWER, OLD, UBUNTU, Story, a_fleet, a_set, a_story, an_image, vm

import phasegate as pg
from phasegate.core.model import Image, ImageVersion, Replica


def of_versions(*versions: ImageVersion) -> pg.Fleet:
    """Return a fleet of one set on an image with these versions."""
    return a_fleet(a_set(), images=[Image(UBUNTU, versions)])


def test_the_target_is_the_newest_by_number_not_by_text(kernel: Any) -> None:
    """`17763.1039` is newer than `17763.973`, though a catalogue lists it before."""
    fleet = of_versions(ImageVersion("17763.1039.1"), ImageVersion("17763.973.2"), ImageVersion("17763.107.9"))
    assert a_story(kernel, fleet).roll_out().rollout()["target"] == "17763.1039.1"


def test_a_version_is_no_target_before_it_is_published(kernel: Any) -> None:
    """At the instant of its publication it is."""
    fleet = of_versions(ImageVersion(OLD), ImageVersion(NEW, published_at_ms=HOUR))
    assert a_story(kernel, fleet).roll_out(now=HOUR - 1).rollout()["target"] == OLD
    assert a_story(kernel, fleet).roll_out(now=HOUR).rollout()["target"] == NEW


def test_a_version_excluded_from_latest_is_never_chosen(kernel: Any) -> None:
    """The newest that is not excluded is the target."""
    fleet = of_versions(ImageVersion(NEW), ImageVersion(NEWER, exclude_from_latest=True))
    assert a_story(kernel, fleet).roll_out().rollout()["target"] == NEW


def test_a_named_target_must_be_published(kernel: Any) -> None:
    """One that the image does not have, or not yet, is refused and says so."""
    fleet = of_versions(ImageVersion(OLD), ImageVersion(NEW, published_at_ms=HOUR))
    story = a_story(kernel, fleet)
    with pytest.raises(pg.InvalidEvent, match=r"no version `9\.9`"):
        story.roll_out(target="9.9")
    with pytest.raises(pg.InvalidEvent, match="published at 3600000, after 0"):
        story.roll_out(target=NEW)


def test_a_version_that_is_no_dotted_integers_is_refused(kernel: Any) -> None:
    """A rollout to it is not begun."""
    with pytest.raises(ValueError, match=r"`2\.0-beta` is not dotted integers"):
        a_story(kernel).roll_out(target="2.0-beta")


def test_an_unknown_image_is_refused(kernel: Any) -> None:
    """The error names it."""
    with pytest.raises(pg.UnknownName, match="no image `Canonical/Nothing/1`"):
        a_story(kernel).roll_out("Canonical/Nothing/1")


def test_an_image_without_a_version_that_counts_cannot_be_rolled_out(kernel: Any) -> None:
    """There is nothing to go to."""
    with pytest.raises(pg.InvalidEvent, match="no version yet"):
        a_story(kernel, of_versions(ImageVersion(NEW, published_at_ms=HOUR))).roll_out()


def gallery(*replicas: Replica, **fields: Any) -> pg.Fleet:
    """Return two sets in two regions on a gallery image whose new version has these replicas."""
    everywhere = (Replica("eastus"), Replica("westus"))
    versions = (ImageVersion(OLD, regions=everywhere), ImageVersion(NEW, regions=replicas, **fields))
    sets = (a_set("eastus/web", image=CORP), a_set("westus/web", image=CORP))
    return a_fleet(*sets, images=[Image(CORP, versions)])


def test_a_gallery_version_counts_where_it_is_replicated(kernel: Any) -> None:
    """It is the target as soon as it counts in one region; sets elsewhere keep theirs."""
    story = a_story(kernel, gallery(Replica("eastus"))).roll_out(CORP.name)
    assert story.rollout()["target"] == NEW
    assert story.refused() == {"westus/web": ["image-not-replicated"]}
    story.finish()
    assert (story.version("eastus/web/0"), story.version("westus/web/0")) == (NEW, OLD)


def test_a_replica_excluded_from_latest_keeps_its_region_out(kernel: Any) -> None:
    """It counts in the other region only."""
    story = a_story(kernel, gallery(Replica("eastus"), Replica("westus", exclude_from_latest=True))).roll_out(CORP.name)
    assert story.refused() == {"westus/web": ["image-excluded-from-latest"]}


def test_a_gallery_version_that_counts_nowhere_is_no_target(kernel: Any) -> None:
    """Excluded as a whole, excluded everywhere, or replicated only later: the old one stays the newest."""
    for fleet in (
        gallery(Replica("eastus"), exclude_from_latest=True),
        gallery(Replica("eastus", exclude_from_latest=True)),
        gallery(Replica("eastus", replicated_at_ms=1)),
        gallery(),
    ):
        assert a_story(kernel, fleet).roll_out(CORP.name).rollout()["target"] == OLD


def test_commands_name_the_target_and_only_sets_of_the_image(kernel: Any) -> None:
    """Publisher, offer and sku never change: a set on another image is not touched."""
    story = a_story(kernel, a_fleet(a_set("eastus/web"), a_set("westus/db", image=CENTOS))).roll_out()
    story.start()
    assert [(fact.set, fact.version) for fact in story.engine.outstanding(story.state)] == [("eastus/web", NEW)]
    assert story.finish().lives("westus/db") == dict.fromkeys("0123", "pending")


def test_what_is_on_the_target_or_newer_is_current_even_if_protected(kernel: Any) -> None:
    """And nothing of it ever starts, protected or not."""
    listed = [
        vm(0, version=OLD),
        vm(1, version=NEW),
        vm(2, version="2.0.0.0"),
        vm(3, version=NEWER, protect_from_scale_set_actions=True),
    ]
    story = a_story(kernel, a_set(instances=listed)).roll_out()
    assert story.lives() == {"0": "pending", "1": "current", "2": "current", "3": "current"}
    assert {name.rpartition("/")[2] for batch in story.selected() for name in batch} == {"0"}
    for ident in (1, 2, 3):
        assert story.check(f"eastus/web/{ident}")[0] == f"not-pending(instance={ident}, state=current)"


def test_an_automatic_rollout_never_takes_an_instance_back(kernel: Any) -> None:
    """A named older target leaves newer ones alone."""
    story = a_story(kernel, a_set(instances=[vm(0, version=NEW)])).roll_out(target=OLD)
    assert (story.lives(), story.status()) == ({"0": "current"}, "completed")


def failing(kernel: Any, **options: Any) -> Story:
    """Return a story in which the new version has failed on instance 0 and was rolled back."""
    story = a_story(kernel, a_set(instances=[vm(0), vm(1)]), **options).roll_out()
    story.start("eastus/web/0")
    return story.roll_back("eastus/web/0")


def test_a_version_that_failed_on_an_instance_is_not_offered_to_it_again(kernel: Any) -> None:
    """The next automatic rollout excludes it: `failed-before`."""
    story = failing(kernel).roll_out()
    assert story.lives() == {"0": "excluded", "1": "pending"}
    assert story.why("eastus/web/0") == ["failed-before(version=2.0)"]


def test_a_newer_version_is_offered_to_it(kernel: Any) -> None:
    """What failed is a version, not the instance."""
    story = failing(kernel)
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    assert story.roll_out().lives() == {"0": "pending", "1": "pending"}


def test_both_of_two_versions_that_failed_are_remembered(kernel: Any) -> None:
    """A later failure does not wipe out the memory of an earlier one."""
    story = failing(kernel, max_unhealthy_upgraded_percent=100, phase_failure_percent=100)
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    story.on(pg.Cancel(0))
    story.roll_out()
    story.healthy("eastus/web/0")
    story.start("eastus/web/0")
    story.roll_back("eastus/web/0")
    story.on(pg.Cancel(0))
    assert story.roll_out(target=NEW).lives()["0"] == "excluded"
    story.on(pg.Cancel(0))
    assert story.roll_out(target=NEWER).lives()["0"] == "excluded"


def test_listed_failures_count_in_any_spelling_of_the_version(kernel: Any) -> None:
    """`2`, `2.0` and `2.0.0` are one version."""
    listed = [
        vm(0, failed_versions=("0.9", NEW)),
        vm(1, failed_versions=(NEW, "0.9")),
        vm(2, failed_versions=("2.0.0",)),
    ]
    assert set(a_story(kernel, a_set(instances=listed)).roll_out().lives().values()) == {"excluded"}


def test_a_manual_rollout_may_try_it_again(kernel: Any) -> None:
    """Somebody named the set."""
    assert failing(kernel).roll_out(sets=("eastus/web",)).lives() == {"0": "pending", "1": "pending"}


def test_what_failed_in_a_manual_rollout_is_remembered_too(kernel: Any) -> None:
    """The next automatic one leaves that instance out."""
    story = a_story(kernel, a_set(instances=2)).roll_out(sets=("eastus/web",))
    story.start("eastus/web/0")
    story.report(pg.What.FAILED, "eastus/web/0")
    assert (story.life("eastus/web/0").word, story.status()) == ("failed", "faulted")
    assert story.roll_out().lives() == {"0": "excluded", "1": "pending"}


def test_deploying_a_changed_model_clears_the_memory(kernel: Any) -> None:
    """The recovery from expired credentials: a new token, and the next rollout tries again."""
    story = failing(kernel)
    story.on(pg.Configured(evolve(story.engine.fleet.sets[0], custom_data=True), 0))
    assert story.roll_out().lives() == {"0": "pending", "1": "pending"}


def test_what_failed_for_good_is_never_current(kernel: Any) -> None:
    """Without rollback the disk is the new one, and the instance is still not done."""
    story = a_story(kernel, a_set(instances=2), disable_automatic_rollback=True).roll_out()
    story.start("eastus/web/0")
    story.configured("eastus/web/0")
    story.tick(5 * 60_000)
    assert (story.life("eastus/web/0").word, story.version("eastus/web/0")) == ("failed", NEW)
    assert story.roll_out(sets=("eastus/web",)).lives()["0"] == "pending"


def test_what_failed_on_a_newer_version_may_be_taken_back_to_an_older_one(kernel: Any) -> None:
    """It is never current (section 8), so a rollout to the version before is a way out; who works is left alone."""
    options = {"disable_automatic_rollback": True, "max_unhealthy_percent": 100, "max_unhealthy_upgraded_percent": 100}
    story = a_story(kernel, a_set(instances=2), **options).roll_out()
    for name, is_well in (("eastus/web/0", True), ("eastus/web/1", False)):
        story.start(name)
        if is_well:
            story.upgrade(name)
        else:
            story.configured(name)
            story.tick(5 * 60_000)
    assert (story.lives(), story.version("eastus/web/1")) == ({"0": "upgraded", "1": "failed"}, NEW)
    failed = story.state
    for sets in (None, ("eastus/web",)):
        story.state = failed
        story.on(pg.Rollout(UBUNTU.name, story.now, OLD, sets=sets))
        assert story.lives() == {"0": "current", "1": "pending"}
    story.finish()
    assert (story.life("eastus/web/1").word, story.version("eastus/web/1")) == ("upgraded", OLD)


def test_images_that_wait_for_a_rollout_are_candidates(kernel: Any) -> None:
    """One that is running, or that was taken to its newest version before, is none."""
    fleet = a_fleet(a_set(), a_set("westus/db", image=CENTOS), images=[an_image(), an_image(CENTOS, NEW)])
    story = a_story(kernel, fleet)
    assert story.engine.candidates_for_update(story.state) == (UBUNTU.name,)
    story.roll_out()
    assert story.engine.candidates_for_update(story.state) == ()
    story.finish()
    assert story.engine.candidates_for_update(story.state) == ()
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    assert story.engine.candidates_for_update(story.state) == (UBUNTU.name,)


@pytest.mark.parametrize(
    "fields",
    [{"automatic_os_upgrade": False}, {"instances": [vm(0, version=NEW)]}, {"instances": 0}],
)
def test_an_image_that_nobody_needs_is_no_candidate(kernel: Any, fields: dict[str, Any]) -> None:
    """No eligible set has an instance below the newest version."""
    story = a_story(kernel, a_set(**fields))
    assert story.engine.candidates_for_update(story.state) == ()


def test_an_image_without_a_target_is_no_candidate(kernel: Any) -> None:
    """Before its first version is published."""
    story = a_story(kernel, of_versions(ImageVersion(NEW, published_at_ms=HOUR)))
    assert story.engine.candidates_for_update(story.state) == ()
