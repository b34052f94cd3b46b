"""One case verified by a worker: whatever happens, there is an outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from sweeps import FAMILY, HEAD, a_sweep, jobs

from phasegate.core.kernels import default_kernel
from phasegate.verifying.result import Bounds, Progress
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.sweeping import outcome
from phasegate.verifying.sweeping.outcome import Job, Outcome, died, document_of, worked

NEVER = """import phasegate as pg

@pg.always(reads=("upgraded",))
def nobody_is_upgraded(state):
    "Nobody is upgraded."
    return state.upgraded == 0
"""


def ran(job: Job, stop: bool = False) -> Outcome:
    """Do a job in this process."""
    return worked(job, 1, lambda progress: None, lambda: stop)


def test_a_case_comes_to_what_its_scenario_comes_to(tmp_path: Path) -> None:
    """The same numbers as when it is verified by itself."""
    sweep = a_sweep(tmp_path)
    told: list[Progress] = []
    found = worked(jobs(sweep)[0], 1, told.append, lambda: False)
    (tmp_path / "alone.json").write_bytes(sweep.cases[0].document)
    alone = verify(load_scenario(tmp_path / "alone.json")).progress
    assert ("holds", alone.states, alone.transitions, alone.depth) == (
        found.verdict,
        found.states,
        found.transitions,
        found.depth,
    )
    assert ("compiled" if default_kernel().is_compiled else "twin", True, True) == (
        found.kernel,
        found.symmetric,
        found.is_final,
    )
    assert told


def test_a_broken_promise_of_somebodys_own_travels_as_text(tmp_path: Path) -> None:
    """A worker writes the file anew; what is violated is named and is a no."""
    job = jobs(a_sweep(tmp_path), promises=("mine.py", NEVER))[0]
    found = ran(job)
    assert ("violated", "nobody_is_upgraded", True) == (found.verdict, found.promise, found.is_no)


def test_what_is_expected_is_no_no(tmp_path: Path) -> None:
    """A scenario may say that it is violated; one that does not come out as it says is a no."""
    text = HEAD + "scenario: family.yaml\ngrid: {environment.faults: [0]}\n"
    family = FAMILY + "expect: {verdict: violated}\n"
    job = jobs(a_sweep(tmp_path, text, family), promises=("mine.py", NEVER))[0]
    assert (True, False) == (ran(job).is_expected, ran(job).is_no)
    held = ran(jobs(a_sweep(tmp_path, text, family))[0])
    assert ((("verdict", "violated", "holds"),), True) == (held.disagreements, held.is_no)


def test_a_bound_is_final_and_an_interrupt_is_not(tmp_path: Path) -> None:
    """The same would come again within the same bounds; who was interrupted was not done."""
    text = HEAD + 'scenario: family.yaml\ngrid: {"fleet.sets[0].instances": [6], environment: [{health_flips: 1}]}\n'
    job = evolve(jobs(a_sweep(tmp_path, text))[0], bounds=Bounds(states=80, memory=2**30))
    found = ran(job)
    assert ("undetermined", "bound", True) == (found.verdict, found.reason, found.is_final)
    assert ("interrupted", False) == (ran(job, stop=True).reason, ran(job, stop=True).is_final)


@pytest.mark.parametrize(
    ("error", "reason", "is_final"),
    [
        (MemoryError(), "out of memory", False),
        (KeyError("x"), "a fault of this program: KeyError: 'x'", False),
    ],
)
def test_what_goes_wrong_is_undetermined(
    error: Exception, reason: str, is_final: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in one case is no end of the others."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(outcome, "verify", fail)
    found = ran(jobs(a_sweep(tmp_path))[0])
    assert ("undetermined", reason, is_final) == (found.verdict, found.reason, found.is_final)


def test_what_cannot_begin_says_why(tmp_path: Path) -> None:
    """A file of promises that has none shows only where it is run."""
    found = ran(jobs(a_sweep(tmp_path), promises=("mine.py", "x = 1\n"))[0])
    assert "undetermined" == found.verdict
    assert str(found.reason).startswith("it cannot begin: no promise; decorate a predicate")


def test_memory_is_shared_where_the_system_says_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among the workers of a machine; else there is no bound but the given one."""
    assert 0 < (outcome.memory_share(1000) or 0) < (outcome.memory_share(1) or 0)
    monkeypatch.setattr(outcome.os, "sysconf_names", {})
    assert outcome.memory_share(1) is None


def test_how_a_process_died_is_said() -> None:
    """By its signal, or its exit code; neither says anything of the scenario."""
    assert ("the process ended: signal 9", "the process ended: exit code 1", False) == (
        died(-9).reason,
        died(1).reason,
        died(None).is_final,
    )


def test_the_document_says_what_the_outcome_does(tmp_path: Path) -> None:
    """Parameters, verdict and numbers, the rate among them."""
    case = a_sweep(tmp_path).cases[1]
    found = Outcome(verdict="holds", states=100, seconds=0.5, disagreements=(("states", "1", "2"),))
    document = document_of(case, found)
    assert ({"fleet.sets[0].instances": 1, "environment.faults": 1}, 200, [["states", "1", "2"]]) == (
        document["parameters"],
        document["states_per_second"],
        document["disagreements"],
    )
    assert 0 == Outcome(verdict="holds").states_per_second
