"""Section 9: the fleet changes under way: scaled, configured, published, replicated, protected; incarnations."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from fleets import CORP, HOUR, NEW, NEWER, OLD, UBUNTU, Story, a_fleet, a_set, a_story, an_image, vm

import phasegate as pg
from phasegate.core.errors import PhasegateError
from phasegate.core.events import What
from phasegate.core.model import ImageVersion, Replica, RollingPolicy, ServiceFabric, Window

WEB, ONE = "eastus/web", "eastus/web/0"


def scaled(story: Story, *added: Any, removed: tuple[str, ...] = ()) -> list[Any]:
    """Add and remove instances of the set."""
    return story.on(pg.Scaled(WEB, story.now, added=added, removed=removed))


# --- scale-out -------------------------------------------------------------------------------------------------------


def test_a_new_instance_is_current_or_pending_by_its_version(kernel: Any) -> None:
    """On the target or newer current, protected excluded, else pending; without a version it gets the newest."""
    story = a_story(kernel).roll_out()
    scaled(
        story,
        vm(10, version=OLD),
        vm(11, version=NEW),
        vm(12, version=NEWER),
        vm(13),
        vm(14, version=OLD, protect_from_scale_set_actions=True),
        vm(15, version=OLD, skip_upgrade=True),
    )
    lives = story.lives()
    assert {ident: lives[str(ident)] for ident in range(10, 16)} == {
        10: "pending",
        11: "current",
        12: "current",
        13: "current",
        14: "excluded",
        15: "excluded",
    }
    assert story.version(f"{WEB}/13") == NEW


def test_a_new_instance_counts_in_the_total(kernel: Any) -> None:
    """The cap grows with the set."""
    story = a_story(kernel, a_set(instances=9)).roll_out()
    assert [len(batch) for batch in story.selected()] == [1]
    scaled(story, vm(9, version=NEW))
    assert [len(batch) for batch in story.selected()] == [2]


def test_a_new_instance_finds_its_place_in_the_order(kernel: Any) -> None:
    """By number, zone, domain and id, among those that were there."""
    listed = [vm(1, "1"), vm(3, "1"), vm(5, "2")]
    story = a_story(kernel, a_set(instances=listed, upgrade_domains=2), max_batch_percent=100).roll_out()
    scaled(story, vm(2, "1", version=OLD), vm(0, "2", version=OLD), vm(4, "1", version=OLD, upgrade_domain=1))
    assert story.legal() == [
        ("eastus/1", [f"{WEB}/{ident}" for ident in (1, 2, 3)]),
        ("eastus/1", [f"{WEB}/4"]),
        ("eastus/2", [f"{WEB}/0", f"{WEB}/5"]),
    ]
    scaled(story, vm(9, "2", version=OLD, phase_ordering_number=3))
    assert story.legal() == [("eastus/2", [f"{WEB}/9"])]
    assert story.finish().status(WEB) == "completed"


def test_what_joins_while_a_batch_flies_waits_for_it(kernel: Any) -> None:
    """The batch, its commands and its deadline are as they were."""
    story = a_story(kernel).roll_out()
    story.start()
    before = story.engine.outstanding(story.state)
    due = story.engine.next_time(story.state)
    scaled(story, vm(9, version=OLD))
    assert story.engine.outstanding(story.state) == before
    assert (story.engine.next_time(story.state), story.selected()) == (due, [])
    assert set(story.finish().lives().values()) == {"upgraded"}


def test_a_begun_upgrade_domain_stays_begun_when_instances_join(kernel: Any) -> None:
    """A Service Fabric set goes on with it, and takes the new one along."""
    listed = [vm(0), vm(1), vm(2, upgrade_domain=1)]
    own = a_set(instances=listed, service_fabric=ServiceFabric(), upgrade_domains=2)
    story = a_story(kernel, own).roll_out()
    story.start(f"{WEB}/2")
    story.upgrade()
    scaled(story, vm(3, version=OLD, upgrade_domain=1))
    assert story.legal() == [("eastus/-", [f"{WEB}/3"])]


def test_a_set_may_grow_from_nothing(kernel: Any) -> None:
    """An empty set has completed; the next rollout finds its instances."""
    story = a_story(kernel, a_set(instances=0)).roll_out()
    scaled(story, vm("a", version=OLD), vm("b", version=OLD))
    assert story.why(f"{WEB}/a") == ["attempt-ended(code=none, status=completed)"]
    assert set(story.roll_out().finish().lives().values()) == {"upgraded"}


# --- scale-in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("life", ["pending", "replacing", "verifying", "upgraded", "restoring"])
def test_what_is_removed_is_gone_from_every_count(kernel: Any, life: str) -> None:
    """Whatever it was doing; the counts sum to the set."""
    story = a_story(kernel, a_set(instances=10), max_unhealthy_upgraded_percent=100).roll_out()
    if life != "pending":
        story.start(ONE)
    if life == "verifying":
        story.configured(ONE)
    elif life == "upgraded":
        story.upgrade(ONE)
    elif life == "restoring":
        story.report(What.FAILED, ONE)
    story.unhealthy(ONE, now=1)
    assert story.life(ONE).word == life
    scaled(story, removed=("0",))
    assert sum(story.of_set(WEB)["progress"].values()) == 9
    assert (story.engine.counts(story.state), story.names()[0]) == ((0, 0), f"{WEB}/1")
    assert story.finish().status(WEB) == "completed"


def test_a_cap_below_what_is_in_flight_starts_nothing_new(kernel: Any) -> None:
    """Four in flight, and the set shrinks to five."""
    story = a_story(kernel, a_set(instances=20)).roll_out()
    story.start()
    scaled(story, removed=tuple(str(ident) for ident in range(5, 20)))
    assert (len(story.in_flight()), story.selected()) == (4, [])
    story.upgrade()
    assert story.selected() == [[f"{WEB}/4"]]


def test_removing_everything_completes_the_set(kernel: Any) -> None:
    """Nothing becomes negative."""
    story = a_story(kernel, a_set(instances=3)).roll_out()
    story.start()
    scaled(story, removed=("0", "1", "2"))
    assert (story.status(WEB), story.status()) == ("completed", "completed")
    assert story.of_set(WEB)["progress"] == dict.fromkeys(
        ("successful", "failed", "in_progress", "pending", "skipped"), 0
    )


def test_removing_unhealthy_instances_mends_the_gate(kernel: Any) -> None:
    """Before it is looked at."""
    story = a_story(kernel, a_set(instances=10)).roll_out()
    story.start()
    story.unhealthy(*(f"{WEB}/{ident}" for ident in (7, 8, 9)), now=1)
    scaled(story, removed=("7", "8", "9"))
    story.upgrade()
    assert story.status(WEB) == "rolling-forward"


# --- incarnations ----------------------------------------------------------------------------------------------------


def test_an_id_that_comes_back_is_a_new_instance(kernel: Any) -> None:
    """With a slot of its own: reports about the old one do not reach it."""
    story = a_story(kernel, a_set(instances=2)).roll_out()
    story.start(ONE)
    old = story.slot(ONE)
    scaled(story, removed=("0",))
    scaled(story, vm(0, version=OLD))
    assert story.slot(ONE) != old
    assert story.life(ONE).word == "pending"
    facts = story.on(pg.Signals.of(What.DISK_REPLACED, [old], story.now, attempt=1, answers=pg.Do.REPLACE))
    assert [fact.why for fact in facts] == ["gone"]


def test_commands_of_incarnations_differ(kernel: Any) -> None:
    """The second and the third of an id have their own."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    story.start()
    ids = [command.id for command in story.engine.outstanding(story.state)]
    for _ in range(2):
        story.on(pg.Scaled(WEB, story.now, added=[vm(0, version=OLD)], removed=("0",)))
        story.start()
        ids += [command.id for command in story.engine.outstanding(story.state)]
    assert ids == ["0/eastus/web/1/replace", "0/eastus/web/1/replace#2", "0/eastus/web/1/replace#3"]


def test_the_memory_of_failures_is_the_instances_own(kernel: Any) -> None:
    """A new instance of the same id has not failed yet."""
    story = a_story(kernel, a_set(instances=2)).roll_out()
    story.start(ONE)
    story.roll_back(ONE)
    scaled(story, vm(0, version=OLD), removed=("0",))
    assert story.roll_out().lives() == {"0": "pending", "1": "pending"}


def test_a_new_instance_brings_its_own_memory(kernel: Any) -> None:
    """What failed on it before is not offered to it again."""
    story = a_story(kernel).roll_out()
    scaled(story, vm(9, version=OLD, failed_versions=(NEW,)))
    assert story.lives()["9"] == "excluded"


WRONG = [
    ({"added": (vm(0),)}, pg.InvalidEvent, "`0` is in set `eastus/web` already"),
    ({"added": (vm(7), vm(7))}, pg.InvalidEvent, "`7`"),
    ({"added": (vm(""),)}, pg.InvalidEvent, "is empty, or holds"),
    ({"added": (vm("a/b"),)}, pg.InvalidEvent, "`a/b` is empty, or holds"),
    ({"added": (vm(7, "9"),)}, pg.InvalidEvent, "zone `9`, which its set does not list"),
    ({"added": (vm(7, version="abc"),)}, pg.InvalidEvent, "`abc`"),
    ({"added": (vm(7, upgrade_domain=-1),)}, pg.InvalidEvent, "-1"),
    ({"added": (vm(7, upgrade_domain=65536),)}, pg.InvalidEvent, "65536"),
    ({"added": (vm(7, phase_ordering_number=-5),)}, pg.InvalidEvent, "-5"),
    ({"removed": ("1", "1")}, pg.InvalidEvent, "named twice"),
    ({"removed": ("77",)}, pg.UnknownName, "no instance `77`"),
    ({"added": (vm(7),), "removed": ("77",)}, pg.UnknownName, "no instance `77`"),
    ({"set": "eastus/x"}, pg.UnknownName, "no set `eastus/x`"),
]


@pytest.mark.parametrize(("fields", "error", "message"), WRONG)
def test_wrong_scaling_is_refused_whole(
    kernel: Any, fields: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Nothing has moved, and the engine goes on."""
    story = a_story(kernel).roll_out()
    before, digest = story.state, story.state.digest
    with pytest.raises(error, match=message):
        story.on(pg.Scaled(**{"set": WEB, "now": 0} | fields))
    assert (story.state is before, story.state.digest) == (True, digest)
    assert story.finish().status() == "completed"


# --- configured ------------------------------------------------------------------------------------------------------


def configured(story: Story, **fields: Any) -> list[Any]:
    """Change those fields of the set's model."""
    return story.on(pg.Configured(evolve(story.engine.fleet.sets[0], **fields), story.now))


def test_new_limits_hold_from_the_next_attempt_on(kernel: Any) -> None:
    """The one that runs keeps its own."""
    story = a_story(kernel, a_set(instances=10)).roll_out()
    configured(story, rolling_policy=RollingPolicy(max_batch_percent=50))
    assert [len(batch) for batch in story.selected()] == [2]
    story.on(pg.Cancel(story.now))
    assert [len(batch) for batch in story.roll_out().selected()] == [5]


def test_a_changed_model_of_a_manual_mode_set_is_not_applied_yet(kernel: Any) -> None:
    """Its instances stay on the old model; with another mode they follow."""
    story = a_story(kernel)
    configured(story, upgrade_mode="manual")
    assert story.roll_out().refused() == {WEB: ["model-not-applied"]}
    configured(story, upgrade_mode="automatic")
    assert story.roll_out().refused(1) == {}


def test_a_model_that_was_applied_to_all_lets_the_set_in(kernel: Any) -> None:
    """One that is not on it is enough to keep it out; the instances are told one by one, and anew after each change."""
    story = a_story(kernel, a_set(instances=2, upgrade_mode="manual"))
    configured(story, upgrade_mode="manual", custom_data=True)
    story.on(pg.Applied(WEB, ("1",), 0))
    assert story.roll_out().refused() == {WEB: ["model-not-applied"]}
    assert story.engine.candidates_for_update(story.state) == ()
    story.on(pg.Applied(WEB, ("0", "1"), 0))
    assert story.engine.candidates_for_update(story.state) == (UBUNTU.name,)
    assert story.roll_out().refused(1) == {}
    story.finish()
    configured(story, upgrade_mode="manual")
    assert story.roll_out().refused(2) == {WEB: ["model-not-applied"]}


def test_a_set_that_waits_stays_if_its_model_is_applied_before_it_would_begin(kernel: Any) -> None:
    """It is judged again when it was applied."""
    for applied, status in ((("0",), "cancelled"), (("0", "1"), "completed")):
        sets = (a_set("eastus/a", 1), a_set("westus/b", 2, upgrade_mode="manual"))
        story = a_story(kernel, a_fleet(*sets)).roll_out()
        story.on(pg.Configured(evolve(sets[1], custom_data=True), 0))
        story.on(pg.Applied("westus/b", applied, 0))
        assert story.finish().status("westus/b") == status


def test_applying_a_model_changes_nothing_else(kernel: Any) -> None:
    """Nothing for a set that is not in manual mode, or whose instances were on it; strangers are refused by name."""
    story = a_story(kernel)
    before = story.state
    assert story.on(pg.Applied(WEB, ("0",), 0)) == []
    assert story.state == before
    with pytest.raises(pg.UnknownName, match="no instance `9` in set `eastus/web`"):
        story.on(pg.Applied(WEB, ("9",), 0))
    with pytest.raises(pg.InvalidEvent, match="named twice"):
        story.on(pg.Applied(WEB, ("0", "0"), 0))
    assert story.state is not before
    assert story.state == before


def test_after_the_memory_is_cleared_nobody_is_out_without_a_reason(kernel: Any) -> None:
    """Excluded or not, an instance that does not start says why."""
    for begun in (False, True):
        story = a_story(kernel, a_set(instances=[vm(0, failed_versions=(NEW,)), vm(1)]))
        if begun:
            story.roll_out()
        configured(story, custom_data=True)
        assert ("pending", [] if begun else ["no-rollout"]) == (story.life(ONE).word, story.why(ONE))
        assert ([[ONE]] if begun else []) == story.selected()


def test_a_model_keeps_its_zones_and_its_set(kernel: Any) -> None:
    """Another zone, or a set that is not there, is refused."""
    story = a_story(kernel, a_set(zones=("1",)))
    with pytest.raises(pg.InvalidEvent, match="keeps its zones 1"):
        configured(story, zones=("1", "2"))
    with pytest.raises(pg.UnknownName, match="no set `eastus/other`"):
        configured(story, name="other")


# --- published and replicated ----------------------------------------------------------------------------------------


def test_a_published_version_is_the_next_target(kernel: Any) -> None:
    """Once; the same again, in any spelling, is refused."""
    story = a_story(kernel)
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 0))
    assert story.roll_out().rollout()["target"] == NEWER
    with pytest.raises(pg.InvalidEvent, match=r"has version `3\.0\.0` already"):
        story.on(pg.Published(UBUNTU.name, ImageVersion("3.0.0"), 0))
    with pytest.raises(pg.UnknownName, match="no image `x/y/z`"):
        story.on(pg.Published("x/y/z", ImageVersion(NEWER), 0))


def test_a_published_gallery_version_waits_for_its_replicas(kernel: Any) -> None:
    """It is no target before the first."""
    story = a_story(kernel, a_set(image=CORP))
    story.on(pg.Published(CORP.name, ImageVersion(NEWER), 0))
    assert story.engine.candidates_for_update(story.state) == (CORP.name,)
    assert story.roll_out(CORP.name).finish().version(ONE) == NEW
    story.on(pg.Replicated(CORP.name, NEWER, "eastus", story.now))
    assert story.roll_out(CORP.name).rollout(1)["target"] == NEWER


def test_an_entry_that_is_no_longer_excluded_counts(kernel: Any) -> None:
    """The region keeps the time of its first arrival."""
    image = evolve(an_image(CORP), versions=[ImageVersion(OLD, regions=[Replica("eastus")])])
    story = a_story(kernel, a_fleet(a_set(image=CORP), images=[image]))
    story.on(pg.Published(CORP.name, ImageVersion(NEW, regions=[Replica("eastus", 0, True)]), 0))
    assert story.engine.candidates_for_update(story.state) == ()
    story.on(pg.Replicated(CORP.name, NEW, "eastus", 5))
    assert story.engine.candidates_for_update(story.state) == (CORP.name,)
    version = story.state.book.catalogue[0].versions[1]
    assert version.regions == (Replica("eastus", 0, False),)


# --- protected -------------------------------------------------------------------------------------------------------


def test_protection_takes_a_pending_instance_out_and_puts_it_back(kernel: Any) -> None:
    """As long as its attempt goes on."""
    story = a_story(kernel).roll_out()
    story.on(pg.Protected(WEB, ("0", "2"), True, 0))
    assert story.lives() == {"0": "excluded", "1": "pending", "2": "excluded", "3": "pending"}
    assert story.why(ONE) == ["excluded(why=protected)"]
    story.on(pg.Protected(WEB, ("0",), False, 0))
    assert story.lives()["0"] == "pending"


def test_protection_does_not_stop_what_is_in_flight(kernel: Any) -> None:
    """It is finished; the next rollout leaves it out."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.on(pg.Protected(WEB, ("0",), True, 0))
    story.upgrade()
    assert story.life(ONE).word == "upgraded"
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), story.now))
    story.on(pg.Cancel(story.now))
    assert story.roll_out().lives()["0"] == "excluded"


def test_protecting_the_last_pending_ones_completes_the_attempt(kernel: Any) -> None:
    """There is nothing left to do."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    story.on(pg.Protected(WEB, ("0",), True, 0))
    assert (story.status(WEB), story.status()) == ("completed", "completed")


def test_before_and_after_an_attempt_nobody_is_out_without_a_reason(kernel: Any) -> None:
    """Protection that is taken away leaves no instance behind without a word."""
    story = a_story(kernel, a_set(instances=[vm(0, protect_from_scale_set_actions=True), vm(1)]))
    story.on(pg.Protected(WEB, ("0",), False, 0))
    assert (story.life(ONE).word, story.why(ONE)) == ("pending", ["no-rollout"])
    story.on(pg.Protected(WEB, ("0",), True, 0))
    story.roll_out().finish()
    story.on(pg.Protected(WEB, ("0",), False, story.now))
    assert story.why(ONE) == ["attempt-ended(code=none, status=completed)"]


def test_protection_of_nobody_that_is_there_is_refused(kernel: Any) -> None:
    """With the name."""
    for event in (pg.Protected(WEB, ("9",), True, 0), pg.Protected("eastus/x", (), True, 0)):
        with pytest.raises(PhasegateError, match=r"no instance `9`|no set `eastus/x`"):
            a_story(kernel).on(event)


def test_who_joins_or_leaves_may_change_whether_a_waiting_set_is_eligible(kernel: Any) -> None:
    """With upgrade mode manual, one that is not on the model keeps its set from beginning, as long as it is there."""
    web = a_set("b/web", 2, upgrade_mode="manual", windows=[Window(day="thu", start="02:00", minutes=300)])
    for removed, expected in (((), "cancelled"), (("7",), "waiting")):
        story = a_story(kernel, a_fleet(web)).roll_out()
        story.on(pg.Scaled("b/web", 1, added=[vm(7, version=OLD, on_model=False)]))
        if removed:
            story.on(pg.Scaled("b/web", 2, removed=removed))
        story.on(pg.Tick(2 * HOUR))
        assert expected == story.status("b/web")
    assert story.selected() == [["b/web/0"]]
