"""`phasegate simulate`: golden summaries, the log and the plot, and when the answer is no."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_cases import CENTOS, NEW, OLD, UBUNTU, UBUNTU_NAME, faults, fleet, golden, many, policy, small, special, ubuntu

from phasegate.cli.milestones import Milestones
from phasegate.cli.simulating import _progress_bar

BAD_IMAGE = faults({"instances": "eastus/web/*", "never_healthy": True})


@pytest.mark.parametrize("columns", [80, 100])
def test_a_healthy_rollout_completes(call: Any, write: Any, columns: int) -> None:
    """Without faults every phase succeeds, and the exit code is 0."""
    result = call("simulate", write("fleet.json", small()), columns=columns)
    assert (0, golden(f"simulate-small-{columns}.txt")) == (result.exit_code, result.stdout)


@pytest.mark.parametrize("columns", [80, 100])
def test_a_bad_image_halts_the_rollout(call: Any, write: Any, columns: int) -> None:
    """Where a set's upgrades fail, its attempt faults, the phase does not succeed, and the answer is no."""
    write("faults.json", BAD_IMAGE)
    result = call("simulate", write("fleet.json", small()), "--faults", "faults.json", columns=columns)
    assert (1, golden(f"simulate-halted-{columns}.txt")) == (result.exit_code, result.stdout)


def test_many_sets_that_did_not_complete_are_summed_up(call: Any, write: Any) -> None:
    """More than 20 are counted by how they ended, and `--all` shows each."""
    write("faults.json", faults({"instances": "*", "never_healthy": True}))
    result = call("simulate", write("fleet.json", many(60)), "--faults", "faults.json")
    assert (1, golden("simulate-many.txt")) == (result.exit_code, result.stdout)
    assert "eastus/svc-12 " in call("simulate", "fleet.json", "--faults", "faults.json", "--all").stdout


def test_json_has_the_promised_keys(call: Any, write: Any) -> None:
    """`--json` prints at least what the design says, and when each phase began and ended."""
    write("faults.json", BAD_IMAGE)
    result = call("simulate", write("fleet.json", small()), "--faults", "faults.json", "--seed", "7", "--json")
    document = json.loads(result.stdout)
    assert [
        "format",
        "seed",
        "start_ms",
        "duration_ms",
        "max_in_flight",
        "max_unhealthy",
        "rollouts",
    ] == list(document)
    assert (1, 7, 0) == (result.exit_code, document["seed"], document["start_ms"])
    rollout = document["rollouts"][0]
    assert {
        *("id", "image", "target", "started_by", "status", "phases", "batches", "counts", "sets", "ineligible"),
        *("ended_at_ms", "reason", "phase_times"),
    } <= set(rollout)
    assert {"eligible", "upgraded", "restored", "failed", "abandoned", "excluded", "current"} == set(rollout["counts"])
    assert {"name", "status", "error", "batches", "progress"} == set(rollout["sets"][0])
    assert {"successful", "failed", "in_progress", "pending", "skipped"} == set(rollout["sets"][0]["progress"])
    assert ("halted", "a phase did not succeed") == (rollout["status"], rollout["reason"])
    first, second = rollout["phase_times"]
    assert (0, 0, True, 5, 0) == tuple(first[key] for key in ("phase", "opened_at_ms", "succeeded", "eligible", "lost"))
    assert (1, first["ended_at_ms"], False, 42) == (
        second["phase"],
        second["opened_at_ms"],
        second["succeeded"],
        second["eligible"],
    )
    assert rollout["ended_at_ms"] == second["ended_at_ms"] == document["duration_ms"]


def test_equal_seeds_give_equal_output_and_others_do_not(call: Any, write: Any) -> None:
    """The seed decides, and nothing else does."""
    write("faults.json", faults(timing={"replace_ms": [1, 100_000]}))
    write("fleet.json", small())
    outputs = [
        call("simulate", "fleet.json", "--faults", "faults.json", "--seed", seed, "--json").stdout
        for seed in ("1", "1", "2")
    ]
    assert outputs[0] == outputs[1] != outputs[2].replace('"seed": 2', '"seed": 1')


def test_the_log_is_written_whole_and_the_same_everywhere(call: Any, write: Any) -> None:
    """`--log` to a file and to standard output give the same lines; then the summary goes to standard error."""
    write("fleet.json", small())
    call("simulate", "fleet.json", "--log", "log.ndjson")
    result = call("simulate", "fleet.json", "--log", "-")
    assert Path("log.ndjson").read_text(encoding="utf-8") == result.stdout
    assert result.stderr.startswith(f"{UBUNTU_NAME} → {NEW}\n  completed")
    assert ["fleet.json", "log.ndjson"] == sorted(path.name for path in Path().iterdir())


@pytest.mark.parametrize("log", [None, "-", "log.ndjson"])
def test_a_plot_is_drawn_with_and_without_a_log(call: Any, write: Any, log: str | None) -> None:
    """`--plot` needs no log of its own, and both together are the same run."""
    pytest.importorskip("matplotlib")
    result = call(
        "simulate", write("fleet.json", small()), "--plot", "out.svg", *(() if log is None else ("--log", log))
    )
    assert 0 == result.exit_code
    assert "<svg" in Path("out.svg").read_text(encoding="utf-8")
    assert (log == "log.ndjson") == Path("log.ndjson").exists()


def test_a_named_set_is_rolled_out_by_hand(call: Any, write: Any) -> None:
    """`--set` takes the image from the sets, and does nothing else."""
    result = call("simulate", write("fleet.json", small()), "--set", "westus/db", "--json")
    rollout = json.loads(result.stdout)["rollouts"][0]
    assert (0, "user", ["westus/db"]) == (
        result.exit_code,
        rollout["started_by"],
        [entry["name"] for entry in rollout["sets"]],
    )


def test_a_named_set_that_is_not_eligible_is_a_no(call: Any, write: Any) -> None:
    """The others are rolled out, the codes are shown, and the exit code is 1."""
    result = call("simulate", write("fleet.json", small()), "--set", "westus/db", "--set", "westus/old")
    assert (1, golden("simulate-refused.txt")) == (result.exit_code, result.stdout)


def test_manual_takes_all_sets_of_the_image(call: Any, write: Any) -> None:
    """`--manual` has no phases; sets that are not eligible leave, and nobody named them."""
    result = call("simulate", write("fleet.json", small()), "--manual", "--json")
    rollout = json.loads(result.stdout)["rollouts"][0]
    assert (0, None, 3) == (result.exit_code, rollout["phases"], len(rollout["sets"]))


def test_a_rollout_that_waits_for_good_is_a_no(call: Any, write: Any) -> None:
    """A pause without a resume leaves the rollout running, and that is said."""
    write("faults.json", faults({"at_ms": 600_000, "pause": True}))
    result = call("simulate", write("fleet.json", small()), "--faults", "faults.json")
    assert (1, True) == (result.exit_code, "running, but paused for good" in result.stdout)
    assert "not ended" in result.stdout


def test_a_halted_rollout_never_opens_its_last_phase(call: Any, write: Any) -> None:
    """A phase after the one that did not succeed is shown as not opened."""
    write("faults.json", faults({"instances": "westus/*", "never_healthy": True}))
    result = call("simulate", write("fleet.json", small()), "--faults", "faults.json")
    assert (1, True) == (result.exit_code, "not opened" in result.stdout)


def test_a_reason_that_the_status_says_already_is_not_said_twice(call: Any, write: Any) -> None:
    """A rollout that was cancelled is cancelled."""
    write("faults.json", faults({"at_ms": 1000, "cancel": True}))
    result = call("simulate", write("fleet.json", small()), "--faults", "faults.json")
    assert (1, True) == (result.exit_code, "  cancelled after 1 min 50 s  ·  started by platform" in result.stdout)


def test_nothing_to_do_is_well(call: Any, write: Any) -> None:
    """A fleet that is current needs no rollout, and that is no failure."""
    write("fleet.json", small() | {"images": [ubuntu(NEW)]})
    result = call("simulate", "fleet.json")
    assert (0, True) == (result.exit_code, result.stdout.startswith("nothing to do: no eligible set has"))
    assert [] == json.loads(call("simulate", "fleet.json", "--json").stdout)["rollouts"]


def test_current_and_excluded_instances_are_counted(call: Any, write: Any) -> None:
    """The summary says how many instances were never touched, and a gallery rollout has no table of phases."""
    result = call("simulate", write("fleet.json", special()))
    assert "2 current  ·  1 excluded" in result.stdout
    assert "corp/web → 1.1.0\n  completed" in result.stdout


def test_a_simulation_begins_when_it_is_told_to(call: Any, write: Any) -> None:
    """`--now` is the first instant; without it a fleet with real times begins when its last version was there."""
    document = small()
    document["images"][0]["versions"][1]["published_at_ms"] = 1_714_564_800_000
    write("fleet.json", document)
    assert 1_714_564_800_000 == json.loads(call("simulate", "fleet.json", "--json").stdout)["start_ms"]
    later = call("simulate", "fleet.json", "--now", "2024-06-01T00:00:00+02:00", "--json").stdout
    assert 1_717_192_800_000 == json.loads(later)["start_ms"]


def test_a_policy_is_taken(call: Any, write: Any) -> None:
    """`--policy` decides over the run: with bigger batches there are fewer."""
    write("policy.json", policy(max_batch_percent=100))
    write("fleet.json", small())
    batches = [
        json.loads(call("simulate", "fleet.json", *options, "--json").stdout)["rollouts"][0]["batches"]
        for options in ((), ("--policy", "policy.json"))
    ]
    assert batches[1] < batches[0]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--log", "-", "--json"], "the log and `--json` cannot both go to standard output; write the log to a file "
            "(--log)"),
        (["--log", "folder"], "`folder` is a folder; name a file in it (--log)"),
        (["--log", "nowhere/x"], "there is no folder `nowhere` to write `nowhere/x` to (--log)"),
        (["--plot", "x.pdf"], "cannot plot to `x.pdf`: its ending is none of .svg, .png, .html (--plot)"),
        (["--plot", "x.svg", "--log", "./x.svg"], "the log and the plot cannot both be `x.svg` (--plot)"),
        (["--set", "eastus/wb"], "unknown set `eastus/wb`; did you mean `eastus/web`? (--set)"),
        (["--set", "eastus/web", "--set", "eastus/cent"],
            f"set `eastus/cent` is made from `OpenLogic/CentOS/7.5`, not `{UBUNTU_NAME}` (--set)"),
        (["--image", "OpenLogic/CentOS/7.5", "--set", "eastus/web"],
            f"set `eastus/web` is made from `{UBUNTU_NAME}`, not `OpenLogic/CentOS/7.5` (--set)"),
        (["--manual"], "which image? the fleet has 2; name one with `--image` (--manual)"),
        (["--target", "1"], "which image? the fleet has 2; name one with `--image` (--target)"),
        (["--image", UBUNTU_NAME, "--target", "1"],
            f"image `{UBUNTU_NAME}` has no version `1`; its newest are `{NEW}`, `{OLD}` (--target)"),
        (["--set", "web"], "a set is named region/set; did you mean `eastus/web`? (--set)"),
        (["--seed", str(2**64)], f"{2**64} is not between 0 and {2**64 - 1} (--seed)"),
        (["--seed", "-1"], f"-1 is not between 0 and {2**64 - 1} (--seed)"),
        (["--log", "fleet.json"], "`fleet.json` would be written over, and is read as well; name another file (--log)"),
        (["--faults", "bad.json", "--log", "./bad.json"],
            "`./bad.json` would be written over, and is read as well; name another file (--log)"),
        (["--faults", "twice.json"],
            f"image `{UBUNTU_NAME}` has version `{NEW}` already (twice.json: events[0].publish.version)"),
        (["--policy", "late.json"],
            "time 9007199254850992 is not whole milliseconds from 0 to 2**48 - 2 (the simulation)"),
        (["--image", UBUNTU_NAME, "--policy", "late.json"],
            "time 9007199254850992 is not whole milliseconds from 0 to 2**48 - 2 (--image)"),
        (["--image", "OpenLogic/CentOS/7.5"],
            "image `OpenLogic/CentOS/7.5` has no version yet that counts in a region of its sets (--image)"),
        (["--faults", "bad.json"], "unknown set `eastus/wb`; did you mean `eastus/web`? (bad.json: events[0].scale)"),
        (["--faults", "worse.json"], "unknown event `puase`; did you mean `pause`? (worse.json: events[0])"),
        (["--seed", "x"], "invalid value for `--seed`: input should be a valid integer, unable to parse string as an "
            "integer (phasegate simulate)"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_where(call: Any, write: Any, arguments: list[str], error: str) -> None:
    """What cannot be used ends with exit code 2 before anything is written."""
    document = small()
    document["images"].append({**CENTOS, "versions": []})
    document["sets"].append({"name": "cent", "region": "eastus", "image": CENTOS, "instances": 2})
    write("fleet.json", document)
    write("bad.json", faults({"at_ms": 5, "scale": "eastus/wb", "to": 3}))
    write("worse.json", faults({"at_ms": 5, "puase": True}))
    write("twice.json", faults({"at_ms": 5, "publish": {"image": UBUNTU_NAME, "version": NEW}}))
    write("late.json", policy(pause_between_batches_ms=2**53))
    Path("folder").mkdir()
    before = sorted(Path().iterdir())
    result = call("simulate", "fleet.json", *arguments)
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)
    assert before == sorted(Path().iterdir())


def test_without_matplotlib_the_remedy_is_named(call: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plot without its extra is refused before the run, with what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = call("simulate", write("fleet.json", small()), "--plot", "x.svg")
    assert (2, "error: plots need matplotlib, which is not installed; `pip install 'phasegate[plot]'` (--plot)\n") == (
        result.exit_code,
        result.stderr,
    )


def test_an_output_that_is_there_may_be_written_over(call: Any, write: Any) -> None:
    """A log of an earlier run, say; the fleet that is missing is what is wrong."""
    result = call("simulate", "missing.json", "--log", write("log.ndjson", ""))
    assert (2, "error: cannot be read: no such file or directory (missing.json)\n") == (result.exit_code, result.stderr)
    assert 0 == call("simulate", write("fleet.json", small()), "--log", "log.ndjson").exit_code


def test_a_full_folder_for_temporary_files_is_named(
    call: Any, write: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plot without a log needs room for one; where there is none, that folder is at fault, and nothing is left."""
    monkeypatch.setattr("phasegate.cli.simulating.TemporaryFile", lambda: io.FileIO("/dev/full", "r+"))
    monkeypatch.setattr("phasegate.cli.simulating.gettempdir", lambda: "/full")
    result = call("simulate", write("fleet.json", small()), "--plot", "x.svg")
    what = "cannot be written: no space left on device; TMPDIR names another folder (temporary file in /full)"
    assert (2, f"error: {what}\n") == (result.exit_code, result.stderr)
    assert ["fleet.json"] == [path.name for path in tmp_path.iterdir()]


def test_a_run_without_an_end_has_no_answer(call: Any, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the bound on steps is reached, the exit code is 3 and no log is left."""
    monkeypatch.setattr("phasegate.simulating.simulation.STEPS_AN_INSTANCE_MAX", 0)
    monkeypatch.setattr("phasegate.simulating.simulation.STEPS_MAX_AT_LEAST", 0)
    result = call("simulate", write("fleet.json", small()), "--log", "log.ndjson")
    assert (3, False) == (result.exit_code, Path("log.ndjson").exists())
    assert result.stderr.startswith("error: more than 0 steps at one instant (simulation, at 0 ms)")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        """Return that it is one."""
        return True


def test_a_terminal_sees_how_far_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the bar counts instances; elsewhere there is none."""
    with _progress_bar() as tell:
        assert tell is None
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with _progress_bar() as tell:
        assert tell is not None
        tell(3_600_000, 5, 10)
    assert "simulating" in terminal.getvalue()
    assert "5/10" in terminal.getvalue()


def test_milestones_are_not_taken_from_names() -> None:
    """A name that looks like a milestone is none: its quotes are escaped in the log."""
    line = json.dumps({"t": 5, "kind": "became", "set": 'a"kind":"rollout-started"'}).replace(": ", ":").encode()
    seen = Milestones()
    assert [line + b"\n"] == list(seen.watch([line + b"\n"]))
    assert {} == seen.rollouts


def test_an_empty_fleet_has_nothing_to_simulate(call: Any, write: Any) -> None:
    """A fleet without anything is well."""
    write("fleet.json", fleet(regions=[{"name": "eastus"}], images=[{**UBUNTU, "versions": []}]))
    assert 0 == call("simulate", "fleet.json").exit_code
