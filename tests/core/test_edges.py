"""Stories at the edges of the rules: what nobody expects to happen, and what must happen then."""

from __future__ import annotations

from typing import Any

import pytest
from fleets import CORP, HOUR, NEW, NEWER, OLD, UBUNTU, a_fleet, a_set, a_story, an_image, vm

import phasegate as pg
from phasegate.core.model import Window
from phasegate.policies import availability
from phasegate.policies.eligibility import NAME as ELIGIBILITY
from phasegate.policies.upgrade_domains import UpgradeDomains

WEB = "eastus/web"


def test_one_who_joined_too_late_may_leave_again(kernel: Any) -> None:
    """It counts neither for the phase while it is there nor after it is gone."""
    story = a_story(kernel, a_fleet(a_set("a/one", 1), a_set("a/two", 1))).roll_out()
    story.finish("a/one/0")
    assert story.status("a/one") == "completed"
    story.on(pg.Scaled("a/one", story.now, added=[vm(7, version=OLD)]))
    story.on(pg.Scaled("a/one", story.now, removed=["7"]))
    story.finish("a/two/0")
    assert (story.status(), 2) == ("completed", story.rollout()["counts"]["eligible"])


def test_a_replica_for_a_cancelled_rollout_brings_nobody_in(kernel: Any) -> None:
    """What is in flight finishes, and that is all."""
    image = an_image(CORP, OLD, NEW, regions=["a"])
    sets = [a_set("a/web", 2, image=CORP), a_set("b/web", 1, image=CORP)]
    story = a_story(kernel, a_fleet(*sets, images=[image])).roll_out(CORP.name)
    story.start("a/web/0")
    story.on(pg.Cancel(story.now))
    story.on(pg.Replicated(CORP.name, NEW, "b", story.now))
    assert ["a/web"] == [entry["name"] for entry in story.rollout()["sets"]]
    story.upgrade("a/web/0")
    assert story.status() == "cancelled"


def test_a_replica_for_a_running_rollout_leaves_sets_in_other_attempts_alone(kernel: Any) -> None:
    """A set that somebody upgrades by hand meanwhile stays in that attempt, whether it waits or has begun."""
    image = an_image(CORP, OLD, NEW, regions=["a"])
    sets = [a_set("a/web", 1, image=CORP), a_set("b/web", [vm(0, version="0.5")], image=CORP)]
    for has_begun in (False, True):
        story = a_story(kernel, a_fleet(*sets, images=[image])).roll_out(CORP.name)
        story.on(pg.Replicated(CORP.name, OLD, "b", story.now))
        story.roll_out(CORP.name, OLD, sets=("b/web",), started_by="user")
        if has_begun:
            story.start("b/web/0")
        before = (story.of_set("b/web", 1), story.version("b/web/0"), story.life("b/web/0"))
        story.on(pg.Replicated(CORP.name, NEW, "b", story.now))
        assert ["a/web"] == [entry["name"] for entry in story.rollout(0)["sets"]]
        assert before == (story.of_set("b/web", 1), story.version("b/web/0"), story.life("b/web/0"))
        story.finish()
        assert (OLD, "completed", "completed") == (
            story.version("b/web/0"),
            story.status(number=0),
            story.status(number=1),
        )


def test_nothing_newer_supersedes_nothing(kernel: Any) -> None:
    """A version that counts nowhere yet cancels no rollout, nor does one when none counts any more."""
    image = an_image(CORP, OLD, NEW, regions=["a"])
    story = a_story(kernel, a_fleet(a_set("a/web", 2, image=CORP), images=[image]), supersede="cancel")
    story.roll_out(CORP.name).start("a/web/0")
    story.on(pg.Published(CORP.name, pg.ImageVersion(NEWER), story.now))
    story.on(pg.Replicated(CORP.name, OLD, "a", story.now, exclude_from_latest=True))
    story.on(pg.Replicated(CORP.name, NEW, "a", story.now, exclude_from_latest=True))
    story.on(pg.Published(CORP.name, pg.ImageVersion("4.0"), story.now))
    assert () == story.engine.candidates_for_update(story.state)
    story.upgrade("a/web/0")
    assert ("rolling-forward", [["a/web/1"]]) == (story.status("a/web"), story.selected())
    assert ("completed", NEW) == (story.finish().status(), story.version("a/web/1"))


def test_who_joins_brings_all_its_failures(kernel: Any) -> None:
    """Both versions that failed on it are remembered."""
    fleet = a_fleet(a_set(instances=1), images=[an_image(UBUNTU, OLD, NEW, NEWER)])
    for target in (NEW, NEWER):
        story = a_story(kernel, fleet)
        story.on(pg.Scaled(WEB, story.now, added=[vm(7, version=OLD, failed_versions=(NEW, NEWER))]))
        story.roll_out(target=target)
        assert [f"failed-before(version={target})"] == story.why(f"{WEB}/7")


def test_a_window_that_is_always_open_never_changes(kernel: Any) -> None:
    """A whole week: there is nothing to wait for."""
    week = Window(day="mon", start="00:00", minutes=7 * 24 * 60)
    story = a_story(kernel, a_set(instances=1, windows=[week])).roll_out()
    assert (None, [[f"{WEB}/0"]]) == (story.engine.next_time(story.state), story.selected())


def test_a_policy_that_admits_none_keeps_the_next_from_being_asked(kernel: Any) -> None:
    """An empty part is a no: nothing is selected or legal, and the policy after it is not asked."""
    asked: list[pg.policies.Question] = []

    class Nobody:
        name = "nobody"

        def judge(self, question: pg.policies.Question) -> pg.policies.Admit:
            return pg.policies.Admit(frozenset())

    class Loud:
        name = "loud"

        def judge(self, question: pg.policies.Question) -> pg.policies.Admit:
            asked.append(question)
            return pg.policies.Admit()

    story = a_story(kernel, a_set(instances=1), also=[Nobody(), Loud()]).roll_out()
    assert ([], [], []) == (story.selected(), story.legal(), asked)
    story = a_story(kernel, a_set(instances=1), also=[Loud(), Nobody()]).roll_out()
    assert ([], ("0",)) == (story.selected(), asked[-1].ids)


def test_a_policy_that_refuses_several_batches_ends_an_attempt_once(kernel: Any) -> None:
    """Two upgrade domains are left, and it will never admit either."""

    class Once:
        name = "once"

        def judge(self, question: pg.policies.Question) -> pg.policies.Admit | pg.policies.Never:
            return pg.policies.Never(("enough",)) if question.at_work else pg.policies.Admit()

    listed = [vm(0), vm(1), vm(2, upgrade_domain=1)]
    story = a_story(kernel, a_set(instances=listed), also=[Once()]).roll_out()
    story.start(f"{WEB}/0")
    story.upgrade()
    assert [f"{WEB} cancelled", "0 halted"] == story.ended()
    assert {"0": "upgraded", "1": "pending", "2": "pending"} == story.lives()


@pytest.mark.parametrize("without", [ELIGIBILITY, UpgradeDomains.name])
def test_a_composition_without_a_rule_lets_more_through(
    kernel: Any, without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without eligibility everybody takes part, without upgrade domains a batch may cross them."""
    kept = tuple(part for part in availability.PARTS if part.name != without)
    monkeypatch.setattr(availability, "PARTS", kept)
    web = a_set(instances=4, upgrade_domains=2, automatic_os_upgrade=without != ELIGIBILITY)
    story = a_story(kernel, web, max_batch_percent=50).roll_out()
    (names,) = story.selected()
    domains = {story.engine.upgrade_domain_of(story.state, story.slot(name)) for name in names}
    assert ({}, 1, 2) == (story.refused(), len(domains), len(names))


def test_a_window_that_changes_while_a_bake_halts_the_rollout_is_over(kernel: Any) -> None:
    """Both fall due in one step: the attempt that the halt has ended arms no timer any more."""
    window = Window(day="thu", start="00:00", minutes=300)
    fleet = a_fleet(a_set("a/web", 1), a_set("b/web", 2, windows=[window]))
    story = a_story(kernel, fleet, phase_bake_ms=HOUR).roll_out()
    story.finish("a/web/0")
    story.unhealthy("a/web/0", now=story.now + 1)
    story.tick(6 * HOUR)
    assert ("halted", "cancelled", None) == (
        story.status(),
        story.status("b/web"),
        story.engine.next_time(story.state),
    )
