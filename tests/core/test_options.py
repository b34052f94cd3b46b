"""Every option of `availability_first` and of a set's rolling policy: its default, its range, what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from fleets import HEALTH_MS, HOUR, MINUTE, NEW, NEWER, UBUNTU, Story, a_fleet, a_set, a_story, drive, vm

import phasegate as pg
from phasegate.core.model import ImageReference, RollingPolicy
from phasegate.policies import AvailabilityFirst, SupportedImage, availability_first
from phasegate.policies.availability import PARTS, RANGES

WEB = "eastus/web"


def test_the_defaults_are_the_documents() -> None:
    """Twenty percent three times, five minutes, no pause; decided ones beside them."""
    policy = availability_first()
    assert (policy.max_batch_percent, policy.max_unhealthy_percent, policy.max_unhealthy_upgraded_percent) == (20,) * 3
    assert (policy.health_timeout_ms, policy.step_timeout_ms) == (300_000, 5_400_000)
    assert (policy.pause_between_batches_ms, policy.phase_bake_ms, policy.phase_failure_percent) == (0, 0, 0)
    assert (policy.unhealthy_upgraded_of, policy.supersede, policy.delays) == ("upgraded", "finish", True)
    assert (policy.prioritize_unhealthy, policy.enable_cross_zone, policy.disable_automatic_rollback) == (False,) * 3
    assert (policy.unhealthy_shrinks_batch, policy.also, len(policy.supported_images)) == (True, (), 13)


def _batch(story: Story) -> int:
    return len(story.roll_out().selected()[0])


def _dip(story: Story) -> str:
    story.roll_out()
    story.unhealthy(f"{WEB}/9", f"{WEB}/8", f"{WEB}/7", now=1)
    return story.status(WEB)


def _bad_one(story: Story) -> str:
    story.roll_out().start(f"{WEB}/0")
    story.roll_back(f"{WEB}/0")
    return story.status(WEB)


def _bad_two_of_ten(story: Story) -> str:
    story.roll_out().start(f"{WEB}/0", f"{WEB}/1")
    story.roll_back(f"{WEB}/0", f"{WEB}/1")
    return story.status(WEB)


def _down(story: Story) -> list[str]:
    story.unhealthy(f"{WEB}/9", now=1)
    return [name.rpartition("/")[2] for name in story.roll_out().selected()[0]]


def _first(story: Story) -> str:
    story.unhealthy(f"{WEB}/9", now=1)
    return story.roll_out().selected()[0][0]


def _cells(story: Story) -> set[str]:
    story.roll_out()
    return {cell for fact in story.start() for cell in getattr(fact, "cells", ())}


def _rest(story: Story) -> int | None:
    story.roll_out().start()
    story.upgrade()
    return story.engine.next_time(story.state)


def _ending(story: Story) -> str:
    story.roll_out()
    return drive(story, lambda name: name != f"{WEB}/9").status()


def _bake(story: Story) -> int | None:
    story.roll_out().finish()
    return story.engine.next_time(story.state)


def _loser(story: Story) -> str:
    story.roll_out().start(f"{WEB}/0")
    story.report(pg.What.FAILED, f"{WEB}/0")
    return story.lives()["0"]


def _due(story: Story) -> int | None:
    story.roll_out().start(f"{WEB}/0")
    return story.engine.next_time(story.state)


def _verified_by(story: Story) -> int | None:
    story.roll_out().start(f"{WEB}/0")
    story.configured(f"{WEB}/0")
    return story.engine.next_time(story.state)


def _superseded(story: Story) -> str:
    story.roll_out()
    story.on(pg.Published(UBUNTU.name, pg.ImageVersion(NEWER), 0))
    return story.status()


def _at_once(story: Story) -> bool:
    return bool(story.roll_out().selected())


def _refused(story: Story) -> dict[str, list[str]]:
    return story.roll_out().refused()


class Nobody:
    """A user's policy that lets nobody start."""

    name = "nobody"

    def judge(self, question: pg.policies.Question) -> Any:
        """Wait."""
        return pg.policies.Wait(("nobody",))


OPTIONS: list[tuple[str, Any, Callable[[Story], Any], Any, Any]] = [
    ("max_batch_percent", 40, _batch, 2, 4),
    ("max_unhealthy_percent", 30, _dip, "faulted", "waiting"),
    ("max_unhealthy_upgraded_percent", 100, _bad_one, "faulted", "rolling-forward"),
    ("unhealthy_upgraded_of", "set", _bad_two_of_ten, "faulted", "rolling-forward"),
    ("unhealthy_shrinks_batch", False, _down, ["0", "9"], ["0", "1"]),
    ("prioritize_unhealthy", True, _first, f"{WEB}/0", f"{WEB}/9"),
    ("enable_cross_zone", True, _cells, {"eastus/1"}, {"eastus/1", "eastus/2"}),
    ("pause_between_batches_ms", MINUTE, _rest, None, MINUTE),
    ("phase_failure_percent", 10, _ending, "halted", "completed"),
    ("phase_bake_ms", HOUR, _bake, None, HOUR),
    ("disable_automatic_rollback", True, _loser, "restoring", "failed"),
    ("health_timeout_ms", MINUTE, _verified_by, HEALTH_MS, MINUTE),
    ("step_timeout_ms", HOUR, _due, 90 * MINUTE, HOUR),
    ("supersede", "cancel", _superseded, "running", "cancelled"),
    ("delays", True, _at_once, True, False),
    ("supported_images", (), _refused, {}, {WEB: ["image-not-supported"]}),
    ("also", (Nobody(),), _at_once, True, False),
]


def ten(name: str) -> pg.ScaleSet:
    """Return ten instances; in two zones for those options that ask for it."""
    if name == "enable_cross_zone":
        return a_set(
            instances=[vm(i, "12"[i % 2]) for i in range(10)], rolling_policy=RollingPolicy(max_batch_percent=90)
        )
    return a_set(instances=10, configured_at_ms=0 if name == "delays" else None)


@pytest.mark.parametrize(("name", "value", "tell", "before", "after"), OPTIONS, ids=[option[0] for option in OPTIONS])
def test_each_option_makes_its_difference(
    kernel: Any, name: str, value: Any, tell: Callable[[Story], Any], before: Any, after: Any
) -> None:
    """The same story under the default and under the other value ends differently."""
    assert before != after
    assert tell(a_story(kernel, ten(name))) == before
    assert tell(a_story(kernel, ten(name), **{name: value})) == after


def test_every_option_is_shown_above() -> None:
    """A new option needs its story."""
    assert {option[0] for option in OPTIONS} == {a.name for a in attrs.fields(AvailabilityFirst)}


OWN: list[tuple[str, Any, Callable[[Story], Any], Any]] = [
    ("max_batch_percent", 40, _batch, 4),
    ("max_unhealthy_percent", 30, _dip, "waiting"),
    ("max_unhealthy_upgraded_percent", 100, _bad_one, "rolling-forward"),
    ("pause_between_batches_ms", MINUTE, _rest, MINUTE),
    ("prioritize_unhealthy", True, _first, f"{WEB}/9"),
    ("enable_cross_zone", True, _cells, {"eastus/1", "eastus/2"}),
]


@pytest.mark.parametrize(("name", "value", "tell", "expected"), OWN, ids=[option[0] for option in OWN])
def test_each_field_of_a_rolling_policy_wins_over_the_policy(
    kernel: Any, name: str, value: Any, tell: Callable[[Story], Any], expected: Any
) -> None:
    """What the set says, the policy's default notwithstanding."""
    own = RollingPolicy(**{"max_batch_percent": 90} | {name: value}) if name == "enable_cross_zone" else None
    model = attrs.evolve(ten(name), rolling_policy=own or RollingPolicy(**{name: value}))
    assert tell(a_story(kernel, model)) == expected


def test_every_field_of_a_rolling_policy_is_shown_above() -> None:
    """A new field needs its story."""
    assert {option[0] for option in OWN} == {a.name for a in attrs.fields(RollingPolicy)}


def test_a_field_may_switch_off_what_the_policy_switches_on(kernel: Any) -> None:
    """`False` and 0 are said, not left out."""
    own = RollingPolicy(prioritize_unhealthy=False, pause_between_batches_ms=0, max_unhealthy_upgraded_percent=0)
    options = {"prioritize_unhealthy": True, "pause_between_batches_ms": HOUR, "max_unhealthy_upgraded_percent": 100}
    model = a_set(instances=10, rolling_policy=own)
    assert _first(a_story(kernel, model, **options)) == f"{WEB}/0"
    assert _rest(a_story(kernel, model, **options)) is None
    assert _bad_one(a_story(kernel, model, **options)) == "faulted"


@pytest.mark.parametrize(("name", "low", "high"), [(name, *bounds) for name, bounds in RANGES.items()])
def test_numbers_outside_their_range_are_refused(name: str, low: int, high: int) -> None:
    """Both ends are inside; whole numbers only."""
    assert getattr(availability_first(**{name: low}), name) == low
    assert getattr(availability_first(**{name: high}), name) == high
    for value in (low - 1, high + 1, True, float(low), str(low), None):
        with pytest.raises(pg.InvalidModel, match=f"is not between {low} and {high} \\(at `{name}`\\)"):
            availability_first(**{name: value})


def test_the_ranges_are_the_vendors() -> None:
    """Batch and unhealthy from 5, upgraded from 0; in a set's own policy too."""
    percents = ("max_batch_percent", "max_unhealthy_percent", "max_unhealthy_upgraded_percent")
    assert [RANGES[name] for name in percents] == [(5, 100), (5, 100), (0, 100)]
    for name, (low, high) in zip(percents, [(5, 100), (5, 100), (0, 100)], strict=True):
        for value in (low - 1, high + 1):
            with pytest.raises(pg.InvalidModel, match=f"{value} is not between {low} and {high}"):
                RollingPolicy(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"supersede": "now"}, "`now` is not one of finish, cancel"),
        ({"unhealthy_upgraded_of": "fleet"}, "`fleet` is not one of upgraded, set"),
        ({"delays": 1}, "1 is not true or false"),
        ({"prioritize_unhealthy": None}, "None is not true or false"),
        ({"max_batch_precent": 10}, "did you mean `max_batch_percent`"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    """With what they may be."""
    with pytest.raises(pg.InvalidModel, match=message):
        availability_first(**options)


def test_evolve_returns_another_policy() -> None:
    """The old one stays as it was, and the new one is checked."""
    policy = availability_first(max_batch_percent=50, also=(Nobody(),))
    other = policy.evolve(phase_bake_ms=5)
    assert (policy.phase_bake_ms, other.phase_bake_ms, other.max_batch_percent) == (0, 5, 50)
    assert [one.name for one in other.also] == ["nobody"]
    with pytest.raises(pg.InvalidModel, match="1 is not between 5 and 100"):
        policy.evolve(max_batch_percent=1)
    assert (availability_first(), hash(availability_first())) == (availability_first(), hash(availability_first()))


def test_the_document_of_a_policy_is_plain_data() -> None:
    """What a policy file has."""
    document = availability_first(supported_images=[SupportedImage("a", "b", "c")], also=(Nobody(),)).document()
    assert document["supported_images"] == [{"publisher": "a", "offer": "b", "sku": "c"}]
    assert (document["also"], document["supersede"]) == (["nobody"], "finish")
    assert {*document} == {a.name for a in attrs.fields(AvailabilityFirst)}


def test_the_parts_are_named_rules() -> None:
    """One each, delays only where they are wanted; every reason that a part names is a reason."""
    names = [part.name for part in availability_first().parts()]
    assert (len(names), len(set(names)), "delays" in names) == (len(PARTS), len(PARTS), True)
    assert "delays" not in [part.name for part in availability_first(delays=False).parts()]
    for part in PARTS:
        assert {*getattr(part, "reasons", ())} <= {str(code) for code in pg.Code}


# --- users' own policies ---------------------------------------------------------------------------------------------


class Asked:
    """A user's policy that admits everything and remembers what it was asked."""

    name = "asked"

    def __init__(self) -> None:
        self.questions: list[pg.policies.Question] = []

    def judge(self, question: pg.policies.Question) -> Any:
        """Remember and admit."""
        self.questions.append(question)
        return pg.policies.Admit()


def test_a_users_policy_is_asked_about_candidate_batches(kernel: Any) -> None:
    """Set, cells, domain, ids in order, who is at work, sizes and the target."""
    asked = Asked()
    listed = [vm(2, "1"), vm(10, "1", health="unhealthy"), vm(1, "2"), vm(3, "2"), vm(4, "2")]
    fleet = a_fleet(a_set(instances=listed), a_set("eastus/x", [vm(0, "1")]))
    story = a_story(kernel, fleet, also=(asked,)).roll_out()
    story.start("eastus/x/0")
    asked.questions.clear()
    story.state = story.engine.step(story.state, pg.Tick(0)).state
    story.check(f"{WEB}/2")
    question = asked.questions[-1]
    assert (question.set.full_name, question.cells, question.upgrade_domain) == (WEB, ("eastus/1",), 0)
    assert (question.ids, question.at_work) == (("2", "10"), ("eastus/x",))
    assert (question.size, question.not_healthy, question.target) == (5, 1, NEW)
    assert question.model("eastus/x").name == "x"


def test_a_users_policy_can_only_take_away(kernel: Any) -> None:
    """What it admits is legal only where the rules admit it."""
    story = a_story(kernel, also=(Asked(),)).roll_out()
    assert story.selected() == [[f"{WEB}/0"]]
    assert story.check(f"{WEB}/0", f"{WEB}/1") == ["batch-full(size=1)"]


class OneAtATime:
    """A user's policy: one set of the fleet at work at a time."""

    name = "one-at-a-time"

    def judge(self, question: pg.policies.Question) -> Any:
        """Wait for any other set."""
        others = set(question.at_work) - {question.set.full_name}
        return (
            pg.policies.Wait(tuple(f"{name} is at work" for name in sorted(others))) if others else pg.policies.Admit()
        )


def test_the_picks_before_count_as_at_work(kernel: Any) -> None:
    """So that what is selected is legal one after the other."""
    story = a_story(kernel, a_fleet(a_set("eastus/a"), a_set("eastus/b")), also=(OneAtATime(),)).roll_out()
    assert story.selected() == [["eastus/a/0"]]
    assert story.why("eastus/b/0") == ["later-in-order(cell=eastus/-, set=eastus/a)"]
    story.start()
    assert story.why("eastus/b/0") == ["policy(name=one-at-a-time, reasons=eastus/a is at work)"]


class NotInstanceTwo:
    """A user's policy that never lets set `b` start."""

    name = "not-b"

    def judge(self, question: pg.policies.Question) -> Any:
        """Never for `b`."""
        return pg.policies.Never(("b is dear to us",)) if question.set.name == "b" else pg.policies.Admit()


def test_what_is_never_admitted_is_excluded_when_the_attempt_begins(kernel: Any) -> None:
    """It is not lost: the rollout completes without it."""
    story = a_story(kernel, a_fleet(a_set("eastus/a", 2), a_set("eastus/b", 2)), also=(NotInstanceTwo(),)).roll_out()
    assert story.lives("eastus/b") == {"0": "excluded", "1": "excluded"}
    assert (story.status("eastus/b"), story.finish().status()) == ("completed", "completed")


class Enough:
    """A user's policy that has had enough once a set has begun."""

    name = "enough"

    def judge(self, question: pg.policies.Question) -> Any:
        """Never again."""
        begun = question.set.full_name in question.at_work
        return pg.policies.Never(("enough",)) if begun else pg.policies.Admit()


def test_a_begun_attempt_that_is_never_admitted_again_ends_as_cancelled(kernel: Any) -> None:
    """Its pending instances are abandoned, and lost to their phase."""
    story = a_story(kernel, a_set(instances=2), also=(Enough(),)).roll_out()
    story.start()
    story.upgrade()
    assert (story.status(WEB), story.status()) == ("cancelled", "halted")


def test_a_begun_attempt_that_is_refused_everywhere_ends_once(kernel: Any) -> None:
    """Two upgrade domains are refused in one walk; the second refusal finds the attempt ended."""
    listed = [vm(at, upgrade_domain=at) for at in range(3)]
    story = a_story(kernel, a_set(instances=listed), also=(Enough(),)).roll_out()
    story.start()
    story.upgrade()
    assert story.ended() == [f"{WEB} cancelled", "0 halted"]


class Alone:
    """A user's policy that never lets a set start beside another one."""

    name = "alone"

    def judge(self, question: pg.policies.Question) -> Any:
        """Never, if somebody else is at work."""
        others = {*question.at_work} - {question.set.full_name}
        return pg.policies.Never(("not alone",)) if others else pg.policies.Admit()


@pytest.mark.parametrize("has_begun", [False, True])
def test_what_is_never_admitted_beside_a_pick_is_refused_once_that_has_started(kernel: Any, has_begun: bool) -> None:
    """A `never` because of a pick that is only assumed keeps the set waiting; all settles, and nobody is lost yet."""
    story = a_story(kernel, a_fleet(a_set("eastus/a", 2), a_set("eastus/b", 2)), also=(Alone(),)).roll_out()
    assert story.selected() == [["eastus/a/0"]]
    if has_begun:
        story.start()
        assert (story.lives("eastus/b"), story.status("eastus/b")) == ({"0": "excluded", "1": "excluded"}, "completed")
    else:
        story.start("eastus/b/0")
        assert (story.lives("eastus/a"), story.status("eastus/a")) == ({"0": "excluded", "1": "excluded"}, "completed")


class Moody:
    """A user's policy that breaks down once, when it sees somebody at work."""

    name = "moody"

    def __init__(self) -> None:
        self.is_angry = False
        self.seen: list[tuple[str, ...]] = []

    def judge(self, question: pg.policies.Question) -> Any:
        """Raise, once."""
        if self.is_angry and question.at_work:
            self.is_angry = False
            raise RuntimeError("not today")
        self.seen.append(question.at_work)
        return pg.policies.Admit()


@pytest.mark.parametrize("asks", ["select", "step"])
def test_a_policy_that_raises_leaves_nothing_behind(kernel: Any, asks: str) -> None:
    """The picks that were assumed when it did are forgotten: the same question gets the same answer afterwards."""
    moody = Moody()
    fleet = a_fleet(a_set("eastus/a", 2), a_set("eastus/b", 2))
    story = a_story(kernel, fleet, also=(moody,)).roll_out()
    expected, legal = story.selected(), story.legal()
    story.engine = pg.Engine(fleet, story.engine.policy, kernel=kernel)
    moody.is_angry = True
    with pytest.raises(RuntimeError, match="not today"):
        story.selected() if asks == "select" else story.tick(1)
    moody.seen.clear()
    assert (story.legal(), story.selected()) == (legal, expected)
    assert moody.seen[0] == ()
    story.tick(1)
    assert story.selected() == expected


def test_policies_are_asked_one_after_the_other(kernel: Any) -> None:
    """Each about what the ones before it have admitted; the first that waits decides."""

    class Odd:
        name = "odd"

        def judge(self, question: pg.policies.Question) -> Any:
            return pg.policies.Admit(frozenset(name for name in question.ids if int(name) % 2))

    asked = Asked()
    story = a_story(kernel, a_set(instances=10), also=(Odd(), asked)).roll_out()
    assert story.selected() == [[f"{WEB}/1", f"{WEB}/3"]]
    assert asked.questions[-1].ids == ("1", "3", "5", "7", "9")
    assert a_story(kernel, also=(Nobody(), Odd())).roll_out().selected() == []


def test_who_is_never_admitted_is_asked_after_the_policies_before(kernel: Any) -> None:
    """Nobody is excluded for the sake of instances that another policy holds back anyway."""

    class Odd:
        name = "odd"

        def judge(self, question: pg.policies.Question) -> Any:
            return pg.policies.Admit(frozenset(name for name in question.ids if int(name) % 2))

    class NeverEven:
        name = "never-even"

        def judge(self, question: pg.policies.Question) -> Any:
            even = any(int(name) % 2 == 0 for name in question.ids)
            return pg.policies.Never(("even",)) if even else pg.policies.Admit()

    story = a_story(kernel, a_set(instances=10), also=(Odd(), NeverEven())).roll_out()
    assert story.selected() == [[f"{WEB}/1", f"{WEB}/3"]]


def test_an_unsupported_image_may_be_supported_by_data(kernel: Any) -> None:
    """The rows are compared whatever the case of their letters."""
    own = a_set(image=ImageReference("canonical", "ubuntuserver", "18.04-lts"))
    assert a_story(kernel, own).roll_out("canonical/ubuntuserver/18.04-lts").refused() == {}
