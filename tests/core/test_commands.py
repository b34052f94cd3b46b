"""Section 10: commands are data, recorded before they are carried out, and readable after a crash."""

from __future__ import annotations

import pickle
from typing import Any

from fleets import NEW, OLD, STEP_MS, a_fleet, a_set, a_story, vm

import phasegate as pg
from phasegate.core.events import What

WEB = "eastus/web"


def flat(commands: Any) -> list[tuple[str, str, str, list[int]]]:
    """Return id, kind, version and slots of each command."""
    return [(command.id, command.do.word, command.version, [*command.slots]) for command in commands]


def test_a_step_returns_the_commands_that_it_recorded(kernel: Any) -> None:
    """They are in the state that it returned, and in no state before."""
    story = a_story(kernel, a_set(instances=10)).roll_out()
    assert story.engine.outstanding(story.state) == ()
    step = story.engine.step(story.state, pg.Start(story.engine.select(story.state), 0))
    assert flat(step.commands) == [("0/eastus/web/1/replace", "replace", NEW, [0, 1])]
    assert story.engine.outstanding(step.state) == step.commands
    assert story.engine.outstanding(story.state) == ()


def test_an_answer_closes_a_command_and_opens_the_next(kernel: Any) -> None:
    """One instance has one open command at most; watching health is none."""
    story = a_story(kernel, a_set(instances=10)).roll_out()
    story.start()
    story.answer(f"{WEB}/0")
    assert flat(story.engine.outstanding(story.state)) == [
        ("0/eastus/web/1/replace", "replace", NEW, [1]),
        ("0/eastus/web/1/configure", "configure", NEW, [0]),
    ]
    story.answer(f"{WEB}/0")
    assert flat(story.engine.outstanding(story.state)) == [("0/eastus/web/1/replace", "replace", NEW, [1])]


def test_restores_name_each_instances_own_version(kernel: Any) -> None:
    """One command a version; the slots are told apart."""
    listed = [vm(0, version="1.5"), vm(1, version=OLD), vm(2, version="1.5"), *(vm(i) for i in range(3, 20))]
    story = a_story(kernel, a_set(instances=listed)).roll_out()
    story.start()
    facts = story.tick(STEP_MS)
    restores = [fact for fact in facts if isinstance(fact, pg.Commands)]
    expected = {"1.5": [0, 2], OLD: [1, 3]}
    assert {command.version: [*command.slots] for command in restores} == expected
    assert {command.version: [*command.slots] for command in story.engine.outstanding(story.state)} == expected


def test_ids_are_of_rollout_set_attempt_and_kind(kernel: Any) -> None:
    """Whoever carries a command out twice can tell that it is the same; a second attempt has others."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    story.start()
    story.report(What.FAILED, f"{WEB}/0")
    assert [command.id for command in story.engine.outstanding(story.state)] == ["0/eastus/web/1/restore"]
    story.answer()
    story.roll_out(sets=(WEB,))
    story.start()
    (command,) = story.engine.outstanding(story.state)
    assert (command.id, command.rollout, command.attempt, command.set) == ("1/eastus/web/2/replace", 1, 2, WEB)


def test_open_commands_can_be_read_after_a_crash(kernel: Any) -> None:
    """By another engine of the same fleet, from a pickled state, in the order of the sets."""
    story = a_story(kernel, a_fleet(a_set("eastus/b", 2), a_set("eastus/a", 2)), max_batch_percent=100).roll_out()
    story.start()
    other = pg.Engine(story.engine.fleet, story.engine.policy, kernel=kernel)
    found = other.outstanding(pickle.loads(pickle.dumps(story.state)))
    assert found == story.engine.outstanding(story.state)
    assert [command.set for command in found] == ["eastus/a", "eastus/b"]
    story.answer("eastus/a/0")
    found = other.outstanding(pickle.loads(pickle.dumps(story.state)))
    assert [command.id for command in found] == ["0/eastus/a/1/configure", "0/eastus/b/1/replace"]
    story.answer("eastus/a/0")
    assert [command.set for command in story.engine.outstanding(story.state)] == ["eastus/b"]


def test_an_unanswered_command_counts_as_in_flight(kernel: Any) -> None:
    """Commanded and not yet observed is unavailable."""
    story = a_story(kernel, a_set(instances=10)).roll_out()
    story.start()
    assert story.engine.counts(story.state) == (2, 0)
    assert story.of_set(WEB)["progress"]["in_progress"] == 2


def test_no_command_is_given_twice(kernel: Any) -> None:
    """Over a whole rollout each instance gets each command once, and nobody else any."""
    story = a_story(kernel, a_set(instances=[vm(0), vm(1), vm(2, skip_upgrade=True), vm(3, version=NEW)])).roll_out()
    story.finish()
    given = [(fact.id, slot) for fact in story.facts if isinstance(fact, pg.Commands) for slot in fact.slots]
    assert len(given) == len(set(given)) == 4
    touched = {name for _, slot in given for name in story.engine.ids(story.state, [slot])}
    assert touched == {"0", "1"}
