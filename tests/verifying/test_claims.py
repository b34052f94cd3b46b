"""What a scenario says of its own states: how conditions are written, what they mean, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from scenes import EVENTS, FLEET, LIBRARY, SPARES, scene

from phasegate.core.exploring.twin import Explorer
from phasegate.core.lifecycle import Life
from phasegate.core.twin import Kernel
from phasegate.files.documents import InvalidFile
from phasegate.verifying.claims import _READERS, claim_of, condition_of
from phasegate.verifying.run import verify
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.view import FIELDS, StateView

BEGUN = scene("environment: {scale_outs: 1, pauses: 1}\n" + SPARES + EVENTS)


def laid() -> Explorer:
    """Return the first state of a scenario laid open: nothing has begun yet."""
    explorer = Explorer(BEGUN.subject(Kernel), is_symmetric=False)
    explorer.write(explorer.first)
    return explorer


def holds(data: object, explorer: Explorer | None = None) -> bool:
    """Return whether a condition holds there."""
    explorer = explorer or laid()
    noted: list[str] = []
    found = condition_of(data, BEGUN.fleet)
    answer = found.holds(StateView(explorer, {}, noted.append))
    assert set(noted) <= set(found.reads)
    return answer


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("delayed", True),
        ("restored", False),
        (["delayed", "pending"], True),
        (["delayed", "restored"], False),
        ({"not": "restored"}, True),
        ([{"not": ["delayed", "pending"]}], False),
        ({"pending": 4}, True),
        ({"pending": 4, "in_flight": 1}, False),
        ({"upgraded_unhealthy": 0}, True),
        ({"attempts": ["waiting", "waiting"]}, True),
        ({"rollouts": ["running"], "paused": [False], "baking": [False], "stopping": [False], "phase": [0]}, True),
        ({"rollouts": []}, False),
        ({"happened": []}, True),
        ({"happened": [2, 0]}, False),
        ({"at_work": [], "busy": []}, True),
        ({"busy": ["eastus/1"]}, False),
        ({"status": {"eastus/web": "waiting", "westus/db": "waiting"}}, True),
        ({"status": {"eastus/web": "none"}}, False),
        ({"error": {"eastus/web": None}}, True),
        ({"marks": {"westus/db": ["window-shut", "delayed"]}}, True),
        ({"marks": {"westus/db": ["delayed"]}}, False),  # the whole of it
        ({"counts": {"eastus/web": {"pending": 3, "total": 3}}}, True),
        ({"counts": {"eastus/web": {"pending": 2}}}, False),
        ({"holds": {"eastus/web": None}}, True),
        ({"waits": {"westus/db": ["outside-window", "not-before"]}}, True),
        ({"may_start": {"eastus/web": []}}, True),
        ({"life": {"eastus/web/0": "pending"}, "health": {"eastus/web/0": "healthy"}}, True),
        ({"version": {"eastus/web/0": "1.0"}}, True),
        ({"version": {"eastus/web/7": "1.0"}}, False),  # it is not there
    ],
)
def test_a_condition_holds(data: object, expected: bool) -> None:
    """Names, fields with values, several at once, and the contrary."""
    assert expected == holds(data)


def test_what_may_start_is_in_any_order() -> None:
    """Numbers of places are told smallest first, however they are written."""
    explorer = Explorer(load_scenario(LIBRARY / "upgrade_domains.yaml").subject(Kernel), is_symmetric=False)
    explorer.write(explorer.first)
    explorer.kernel.put(0, Life.EXCLUDED, 0)
    fleet = explorer.subject.engine.fleet
    for data, expected in (([2, 1], True), ([1, 2], True), ([1], False), ([2, 2], False)):
        found = condition_of({"may_start": {"eastus/web": data}}, fleet)
        assert expected == found.holds(StateView(explorer, {}, lambda name: None))


def test_every_field_but_what_is_left_can_be_written() -> None:
    """The budgets are the environment's own affair."""
    assert {"left"} == FIELDS.keys() - _READERS.keys()


@pytest.mark.parametrize(
    ("kind", "data", "name", "said"),
    [
        ("sometimes", ["paused", {"in_flight": 2}], "paused and in_flight 2", "sometimes"),
        ("never", {"not": "paused"}, "never not paused", "always"),
        ("eventually", "upgraded", "eventually upgraded", "eventually"),
        ("never", {"busy": ["b/-", "a/-"]}, "never busy [a/-, b/-]", "always"),
        ("sometimes", {"error": {"eastus/web": None}}, "error eastus/web none", "sometimes"),
        ("never", {"counts": {"eastus/web": {"pending": 1, "total": 2}}}, "never counts eastus/web pending 1, total 2",
         "always"),
    ],
)  # fmt: skip
def test_a_claim_has_a_name(kind: Any, data: object, name: str, said: str) -> None:
    """It is the condition in words; what must never be is a promise that always holds."""
    claim = claim_of(kind, data, BEGUN.fleet)
    assert (name, said) == (claim.name, claim.kind)


def test_a_claim_that_names_somebody_tells_apart() -> None:
    """What conditions of the list ask of any set is symmetric; a set by its name is not."""
    assert claim_of("sometimes", ["delayed", {"pending": 4}], BEGUN.fleet).is_symmetric
    assert not claim_of("sometimes", ["delayed", {"status": {"westus/db": "waiting"}}], BEGUN.fleet).is_symmetric
    assert not claim_of("never", {"not": {"busy": ["eastus/1"]}}, BEGUN.fleet).is_symmetric


# --- in a file -------------------------------------------------------------------------------------------------------

SMALL = FLEET[: FLEET.index("    - name: db")].replace("instances: 3", "instances: 1")


def small(text: str) -> Scenario:
    """Return a scenario of one instance that may be lost."""
    return scene("environment: {failed_steps: 1, lost_reports: 0}\npolicy: {delays: false}\n" + text, SMALL)


def test_a_file_claims() -> None:
    """Names stay names; all else is a claim of its own."""
    one = small("sometimes: [restored, [restored, {pending: 0}]]\nnever: [paused]\neventually: [rollout-completed]\n")
    assert ("restored",) == one.sometimes
    names = ["restored and pending 0", "never paused", "eventually rollout-completed"]
    assert names == [claim.name for claim in one.claims]
    assert ["restored", *names] == [claim.name for claim in one.own()]


def test_claims_are_promises() -> None:
    """What holds holds; what does not is told by its name, with a way to it where there is one."""
    assert "holds" == verify(small("sometimes: [[restored, {pending: 0}]]\nnever: [paused]\n")).verdict
    missed = verify(small("sometimes: [[restored, {pending: 1}]]\n"))
    assert ("violated", "no state shows `restored and pending 1`") == (missed.verdict, missed.reason)
    broken = verify(small("never: [{failed: 0, restored: 1}]\n"))
    assert broken.broken is not None
    assert broken.trace is not None
    assert ("never failed 0 and restored 1", 3) == (broken.broken.name, len(broken.trace.steps))
    assert "no state shows failed 0 and restored 1" == broken.broken.sentence
    late = verify(small("eventually: [upgraded]\n"))
    assert late.broken is not None
    assert ("eventually upgraded", "eventually") == (late.broken.name, late.broken.kind)


def test_a_claim_can_be_witnessed() -> None:
    """By its name, as a condition of the list is."""
    shown = verify(small("sometimes: [[restored, {pending: 0}]]\n"), witness="restored and pending 0")
    assert shown.trace is not None
    assert ("restored and pending 0", 3) == (shown.witness, len(shown.trace.steps))


def test_numbers_of_a_claim_name_sets_where_no_symmetry_moves_them() -> None:
    """Each instance is not named; nor is a set that the symmetry takes for another one."""
    told = [
        "never: [{may_start: {eastus/web: [1]}, counts: {eastus/web: {pending: 1}}, waits: {eastus/web: []}}]\n",
        "never: [{life: {eastus/web/0: replacing}, status: {eastus/web: rolling-forward}}]\n",
    ]
    traces = [verify(small(text)).trace for text in told]
    assert [
        "may_start = eastus/web 1, counts = eastus/web 1 pending and 1 total, waits = nothing",
        "status = eastus/web rolling-forward",
    ] == [trace.evidence for trace in traces if trace is not None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("never: [restoredd]", "unknown condition `restoredd`; did you mean `restored`? (scene.yaml: never[0])"),
        ("never: [[restored, pausd]]", "unknown condition `pausd`; did you mean `paused`? (scene.yaml: never[0][1])"),
        ("never: [[]]", "no condition; leave it out (scene.yaml: never[0])"),
        ("never: [{}]", "no field; write fields with their values, like {in_flight: 2} (scene.yaml: never[0])"),
        ("never: [3]", "expected a name, a list, or fields with their values, got the number 3 (scene.yaml: never[0])"),
        ("never: [{pendin: 1}]", "unknown field `pendin`; did you mean `pending`? (scene.yaml: never[0].pendin)"),
        ("never: [{pending: many}]", "expected a whole number, got text `many` (scene.yaml: never[0].pending)"),
        ("never: [{not: {pending: many}}]", "(scene.yaml: never[0].not.pending)"),
        ("eventually: [{status: {eastus/wob: none}}]", "did you mean `eastus/web`? (scene.yaml: eventually[0].status)"),
        ("never: [{status: {eastus/web: runing}}]", "unknown word `runing` (scene.yaml: never[0].status.eastus/web)"),
        ("sometimes: [{waits: {eastus/web: [pausd]}}]", "unknown word `pausd`; did you mean `paused`?"),
        ("sometimes: [{counts: {eastus/web: {pendin: 1}}}]", "unknown count `pendin`; did you mean `pending`?"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str, words: str) -> None:
    """One line: what is wrong, how to mend it, and where it stands."""
    with pytest.raises(InvalidFile) as raised:
        small(text + "\n")
    assert words in str(raised.value)
