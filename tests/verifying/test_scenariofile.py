"""Scenario files: what they say, and errors that name the place and the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scenes import EVENTS, FLEET, HEAD, SPARES, UBUNTU, scene

from phasegate.core.events import Configured, Protected, Published, Replicated, Rollout, Signals
from phasegate.core.exploring.acts import ANY, Freedom
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import NOW
from phasegate.core.windows import DAY_MS
from phasegate.files.documents import InvalidFile
from phasegate.verifying.scenariofile import load_scenario, parse_scenario, promise_name, promise_of


def refused(text: str, fleet: str = FLEET) -> str:
    """Return the error of a scenario that cannot be used."""
    with pytest.raises(InvalidFile) as error:
        scene(text, fleet)
    return str(error.value)


def test_what_is_left_out_has_its_default() -> None:
    """Any legal choice, every promise, no budget but that deadlines may pass, rollouts of all that is behind."""
    one = scene()
    assert ("scene", "a test", "legal", frozenset(Promise), Freedom(), ()) == (
        one.name,
        one.about,
        one.orchestrator,
        one.promises,
        one.freedom,
        one.events,
    )
    assert ANY == one.freedom.lost_reports
    assert [Rollout(UBUNTU, NOW)] == list(one.subject().start)


def test_everything_that_can_be_said_is_read() -> None:
    """Start, budgets, spares, events, orchestrator, promises, conditions and what is expected."""
    one = scene(
        SPARES
        + EVENTS
        + f"""start: [{{image: {UBUNTU}, target: "2.0", sets: [eastus/web]}}]
environment: {{faults: 2, health_flips: any}}
policy: {{max_batch_percent: 50}}
orchestrator: select
promises: [1, cells-apart]
sometimes: [restored]
expect: {{verdict: holds, promise: pairs-apart, states: 3, transitions: 4, depth: 2, symmetric: {{states: 2}}}}
"""
    )
    assert (Rollout(UBUNTU, NOW, "2.0", ("eastus/web",), "user"),) == one.start
    assert (2, ANY) == (one.freedom.faults, one.freedom.health_flips)
    assert ["7", "8"] == [instance.id for instance in one.spares[0].instances]
    assert [Published, Rollout, Protected, Protected, Configured, Replicated] == [type(event) for event in one.events]
    assert [True, False] == [event.protected for event in one.events if isinstance(event, Protected)]
    assert ("select", {1, 2}, ("restored",)) == (one.orchestrator, one.promises, one.sometimes)
    assert ("holds", 3, 4, 2, 2) == (
        one.expect.verdict,
        one.expect.states,
        one.expect.transitions,
        one.expect.depth,
        one.expect.symmetric.states,
    )


def test_times_are_only_there_or_not() -> None:
    """A span that is not zero is a day, sets were configured a day ahead, versions are there at the beginning."""
    fleet = FLEET.replace("instances: 3", "rolling_policy: {pause_between_batches_ms: 5}\n      instances: 3")
    one = scene("policy: {phase_bake_ms: 7}\n", fleet).subject()
    web, db = one.engine.fleet.sets
    policy = one.engine.policy.document()
    assert (DAY_MS, NOW + DAY_MS) == (web.rolling_policy.pause_between_batches_ms, web.configured_at_ms)
    assert db.rolling_policy.pause_between_batches_ms is None
    assert (DAY_MS, DAY_MS, DAY_MS, 0) == (
        policy["phase_bake_ms"],
        policy["health_timeout_ms"],
        policy["step_timeout_ms"],
        policy["pause_between_batches_ms"],
    )
    assert {NOW} == {version.published_at_ms for image in one.engine.fleet.images for version in image.versions}
    assert [NOW] == [replica.replicated_at_ms for replica in one.engine.fleet.images[1].versions[0].regions]


@pytest.mark.parametrize("budget", ["stale_reports", "duplicate_reports"])
def test_everybody_is_heard_of_once_where_a_report_may_be_old(budget: str) -> None:
    """A stale or duplicate report is so beside another one: the prologue has one about everybody."""
    start = scene(f"environment: {{{budget}: 1}}\n").subject().start
    assert [Signals, Rollout] == [type(event) for event in start]


def test_fleet_and_policy_may_be_files(tmp_path: Path) -> None:
    """Paths are seen from the scenario's folder; what is wrong there is blamed on that file."""
    fleet = {"format": "phasegate/fleet/1", "regions": [{"name": "eastus"}]}
    (tmp_path / "fleet.json").write_text(json.dumps(fleet))
    (tmp_path / "policy.yaml").write_text("format: phasegate/policy/1\nmax_batch_percent: 10\n")
    path = tmp_path / "one.yaml"
    path.write_text(HEAD + "fleet: fleet.json\npolicy: policy.yaml\n")
    one = load_scenario(path)
    assert ("one", "eastus", 10) == (one.name, one.fleet.regions[0].name, one.policy.max_batch_percent)
    path.write_text(HEAD + "fleet: none.json\n")
    with pytest.raises(InvalidFile, match=r"none\.json"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stert: []\n", "unknown key `stert`; did you mean `start`? (scene.yaml)"),
        ("environment: {fualts: 1}\n", "unknown key `fualts`; did you mean `faults`? (scene.yaml: environment)"),
        (
            "environment: {faults: 256}\n",
            "256 is not a number from 0 to 254, nor `any` (scene.yaml: environment.faults)",
        ),
        ("environment: {faults: some}\n", "expected a number or `any`, got text `some`"),
        ("policy: {max_batch: 1}\n", "unknown key `max_batch`; did you mean `max_batch_percent`? (scene.yaml: policy)"),
        (
            "policy: {also: [x]}\n",
            "policies are code and cannot come from a file; leave it out (scene.yaml: policy.also)",
        ),
        ("spares: [{set: eastus/wob, instances: []}]\n", "unknown set `eastus/wob`; did you mean `eastus/web`?"),
        ("spares: [{sets: eastus/web}]\n", "unknown key `sets`; did you mean `set`? (scene.yaml: spares[0])"),
        ("spares: [{set: eastus/web}]\n", "`instances` is missing (scene.yaml: spares[0])"),
        ('spares: [{set: eastus/web, instances: [{id: "0"}]}]\n', "in set `eastus/web` already (scene.yaml: spares)"),
        ('spares: [{set: eastus/web, instances: [{id: "7", health: healthy}]}]\n', "unknown key `health`"),
        ("events: [{publish: {}, rollout: {}}]\n", "got 2 keys; write one event for each (scene.yaml: events[0])"),
        ("events: [{publich: {}}]\n", "unknown event `publich`; did you mean `publish`? (scene.yaml: events[0])"),
        (
            "events: [{publish: {image: corp/wob, version: '3'}}]\n",
            "did you mean `corp/web`? (scene.yaml: events[0].publish",
        ),
        ("events: [{publish: {image: corp/web, version: x}}]\n", "(scene.yaml: events[0].publish.version.version)"),
        ("events: [{replicate: {image: corp/web, version: '2.0', region: eastis}}]\n", "did you mean `eastus`?"),
        (
            "events: [{configure: {automatic_os_upgrade: false}}]\n",
            "`set` is missing (scene.yaml: events[0].configure)",
        ),
        ("events: [{configure: {set: eastus/web, zones: []}}]\n", "`zones` of a set does not change"),
        ("events: [{configure: {set: eastus/web, os: mac}}]\n", "(scene.yaml: events[0].configure.os)"),
        (
            "events: [{protect: {set: eastus/web, instances: ['9']}}]\n",
            "no instance `9` in set `eastus/web` (scene.yaml: ev",
        ),
        ("events: [{rollout: {image: corp/web, sets: [eastus/wob]}}]\n", "(scene.yaml: events[0].rollout.sets[0])"),
        (
            f"start: [{{image: {UBUNTU}, target: '9.0'}}]\n",
            "has no version `9.0`; publish it first (scene.yaml: start)",
        ),
        ("start: [{image: nothing}]\n", "no image `nothing` in the fleet (scene.yaml: start)"),
        ("promises: [23]\n", "there is no promise 23; there are 1 to 22 (scene.yaml: promises[0])"),
        (
            "promises: [pair-apart]\n",
            "unknown promise `pair-apart`; did you mean `pairs-apart`? (scene.yaml: promises[0])",
        ),
        (
            "sometimes: [restoredd]\n",
            "unknown condition `restoredd`; did you mean `restored`? (scene.yaml: sometimes[0])",
        ),
        ("expect: {verdict: yes}\n", "unknown verdict `yes` (scene.yaml: expect.verdict)"),
        ("orchestrator: any\n", "`any` is none of `legal`, `select` (scene.yaml: orchestrator)"),
    ],
)
def test_an_error_names_place_and_remedy(text: str, words: str) -> None:
    """One line: what is wrong, how to mend it, and where it stands."""
    assert words in refused(text)


def test_what_is_too_large_is_refused() -> None:
    """More instances than can be explored, or a fleet that its policy cannot take, is blamed on the file."""
    assert "at most 64 can be explored (scene.yaml: fleet)" in refused(
        "", FLEET.replace("instances: 3", "instances: 70")
    )
    assert "phases" in refused("", FLEET.replace("  sets:", "  phases: [[eastus, westus]]\n  sets:"))


def test_an_event_that_is_refused_now_may_come_later() -> None:
    """A rollout to a version that another event publishes is no error."""
    rollout = f"  - rollout: {{image: {UBUNTU}, target: '3.0'}}\n"
    assert 7 == len(scene(EVENTS + rollout).events)


def test_a_part_of_a_wrong_kind_is_refused() -> None:
    """The whole must be an object of this format."""
    with pytest.raises(InvalidFile, match="`format` is missing"):
        parse_scenario(b"{}", "scene.json")


def test_promises_have_names_and_numbers() -> None:
    """Every name and every number lead to the same promise."""
    assert list(Promise) == [promise_of(promise_name(promise)) for promise in Promise]
    assert list(Promise) == [promise_of(int(promise)) for promise in Promise]
