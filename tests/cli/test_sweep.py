"""`phasegate verify --sweep`: the table, exit codes, results that go on after a kill, and what is refused."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from phasegate.cli import sweeping
from phasegate.verifying.result import Progress
from phasegate.verifying.sweeping.cluster import Cluster, NoCluster
from phasegate.verifying.sweeping.outcome import Job, Outcome
from phasegate.verifying.sweeping.sweepfile import load_sweep
from phasegate.verifying.sweeping.sweeping import Watch

PROGRAM = [sys.executable, "-c", "from phasegate.cli import main; main()", "verify"]
EXAMPLE = Path(__file__).parents[2] / "examples" / "sweeps"
FAMILY = (EXAMPLE / "family.yaml").read_text(encoding="utf-8")
GRID = 'format: phasegate/sweep/1\nscenario: family.yaml\ngrid: {"fleet.sets[0].instances": [1, 2]}\n'
SLOW = GRID.replace("[1, 2]", "[1, 2, 3, 10, 11]")
NEVER = """import phasegate as pg

@pg.always(reads=("upgraded",))
def nobody(state):
    "Nobody is upgraded."
    return state.upgraded == 0
"""
TWO = 'format: phasegate/sweep/1\nscenarios: ["*.yaml"]\n'


@pytest.fixture
def grid(write: Any) -> str:
    """Write a sweep of two cases into the working folder."""
    write("family.yaml", FAMILY)
    return str(write("grid.yaml", GRID))


def test_the_example_is_swept(call: Any, tmp_path: Path) -> None:
    """Sizes one to six by none to two faults, each holding, in one table in that order."""
    result = call("verify", "--sweep", str(EXAMPLE / "grid.yaml"), "--results", str(tmp_path / "r"))
    assert (0, "") == (result.exit_code, result.stderr)
    rows = [line.split()[:3] for line in result.stdout.splitlines() if re.match(r" +\d", line)]
    assert [[str(size), str(faults), "holds"] for size in range(1, 7) for faults in range(3)] == rows[:18]
    assert "18 cases  ·  holds 18  ·" in result.stdout
    again = call("verify", "--sweep", str(EXAMPLE / "grid.yaml"), "--results", str(tmp_path / "r"))
    assert "18 were taken over from the results file" in again.stdout
    assert 19 == len((tmp_path / "r").read_text(encoding="utf-8").splitlines())


def test_json_says_everything(call: Any, grid: str) -> None:
    """The runs in order with their numbers, and totals."""
    document = json.loads(call("verify", "--sweep", grid, "--workers", "1", "--no-symmetry", "--json").stdout)
    assert ("phasegate/sweep-report/1", "grid", ["fleet.sets[0].instances"], "1 at a time on this machine") == (
        *(document[key] for key in ("format", "sweep", "parameters", "where")),
    )
    assert [({"fleet.sets[0].instances": size}, "holds", False, False) for size in (1, 2)] == [
        (run["parameters"], run["verdict"], run["symmetric"], run["taken_over"]) for run in document["runs"]
    ]
    totals = document["totals"]
    assert (2, 2, 0, sum(run["states"] for run in document["runs"])) == (
        totals["cases"],
        totals["done"],
        totals["old"],
        totals["states"],
    )


def test_what_is_broken_is_a_no(call: Any, grid: str, write: Any) -> None:
    """Exit code 1, the promise beside the verdict; undetermined alone is 3; broken goes before undetermined."""
    write("mine.py", NEVER)
    broken = call("verify", "--sweep", grid, "--promises", "mine.py")
    assert (1, 2) == (broken.exit_code, broken.stdout.count("violated (nobody)"))
    write("grid.yaml", GRID.replace("[1, 2]", "[6, 7]"))
    bounded = call("verify", "--sweep", grid, "--states", "80", "--memory", "1G", "--seconds", "60")
    assert (3, 2) == (bounded.exit_code, bounded.stdout.count("undetermined (the bound on states was met)"))
    write("grid.yaml", GRID)
    write("family.yaml", FAMILY + "expect: {verdict: violated}\n")
    other = call("verify", "--sweep", grid)
    assert (1, 2) == (other.exit_code, other.stdout.count("holds, not as expected"))
    assert "instances 2: expected verdict violated, found holds" in other.stdout
    expected = call("verify", "--sweep", grid, "--promises", "mine.py")
    assert (0, 2) == (expected.exit_code, expected.stdout.count("violated (nobody), as expected"))


def test_scenarios_go_by_their_names(call: Any, write: Any, tmp_path: Path) -> None:
    """By their paths where two have the same; a long value is cut short."""
    for name in ("one.yaml", "two.yaml"):
        write(name, FAMILY)
    (tmp_path / "more").mkdir()
    write("more/two.yaml", FAMILY)
    write("sweep.txt", TWO.replace('"*.yaml"', '"*.yaml", more/two.yaml'))
    shown = call("verify", "--sweep", "sweep.txt").stdout
    assert ["one", "two.yaml", "more/two.yaml"] == [
        line.split()[0] for line in shown.splitlines() if "  holds" in line
    ][:3]
    write("one.yaml", FAMILY + "expect: {verdict: violated}\n")
    assert "  one: expected verdict violated, found holds\n" in call("verify", "--sweep", "sweep.txt").stdout
    write("family.yaml", FAMILY)
    long = GRID.replace('"fleet.sets[0].instances": [1, 2]', f"about: [{'long ' * 20}]")
    assert f"{('long ' * 20)[:32]}..." in call("verify", "--sweep", write("grid.yaml", long)).stdout.replace("\n", " ")


def test_stale_results_are_not_taken_over(call: Any, grid: str, write: Any) -> None:
    """The scenario has changed: all is verified anew, and it says why."""
    call("verify", "--sweep", grid, "--results", "r")
    write("family.yaml", FAMILY.replace("health_flips: 1", "health_flips: 0"))
    result = call("verify", "--sweep", grid, "--results", "r")
    assert "2 results of the file were of another state of scenario or program, and not taken over" in result.stdout
    write("family.yaml", FAMILY)
    write("grid.yaml", GRID.replace("[1, 2]", "[1]"))
    again = call("verify", "--sweep", grid, "--results", "r", "--seed", "1")
    assert "1 result of the file was of another state" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["family.yaml", "--sweep", "grid.yaml"], "a sweep names its scenarios itself; leave SCENARIO out (--sweep)"),
        (
            ["--sweep", "grid.yaml", "--trace", "t"],
            "a sweep has no one trace; verify the scenario by itself for it (--t",
        ),
        (["--sweep", "grid.yaml", "--page", "p"], "a sweep has no one page; verify the scenario by itself for it (--p"),
        (
            ["--sweep", "grid.yaml", "--witness", "restored"],
            "a sweep has no one witness; verify the scenario by itself",
        ),
        (
            ["--sweep", "grid.yaml", "--cluster", "auto", "--workers", "2"],
            "how many workers there are is for the cluste",
        ),
        (["--sweep", "grid.yaml", "--results", "grid.yaml"], "`grid.yaml` would be written over, and is read as well"),
        (["--sweep", "grdi.yaml"], "cannot be read: no such file or directory; did you mean `grid.yaml`? (grdi.yaml)"),
        (
            ["--sweep", "grid.yaml", "--order", "random"],
            "random walks have no end of their own; give --states or --sec",
        ),
        (["--sweep", "grid.yaml", "--memory", "much"], "`much` is no amount of memory, like `500M` or `2G` (--memory)"),
        (["--sweep", "grid.yaml", "--promises", "none.py"], "cannot be read: no such file (none.py)"),
        (["family.yaml", "--results", "r"], "is of sweeps; name one with --sweep (--results)"),
        (["family.yaml", "--cluster", "auto"], "is of sweeps; name one with --sweep (--cluster)"),
        (["family.yaml", "--workers", "2"], "is of sweeps; name one with --sweep (--workers)"),
        ([], "name a scenario file, a sweep file with --sweep, or --mutants for the library (SCENARIO)"),
    ],
)
@pytest.mark.usefixtures("grid")
def test_what_cannot_be_is_refused(arguments: list[str], error: str, call: Any) -> None:
    """In one line, before anything is run."""
    result = call("verify", *arguments)
    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith(f"error: {error}")
    assert 1 == result.stderr.count("\n")


def test_a_cluster_is_asked_for(call: Any, grid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is handed on; where there is none, one line says so."""
    asked: list[str] = []

    def none(address: str) -> Cluster:
        asked.append(address)
        raise NoCluster(f"no cluster at `{address}`: not found")

    monkeypatch.setattr(sweeping, "Cluster", none)
    result = call("verify", "--sweep", grid, "--cluster", "auto")
    assert (["auto"], 2) == (asked, result.exit_code)
    assert "error: no cluster at `auto`: not found (--cluster)\n" == result.stderr


def until(path: Path, lines: int) -> None:
    """Wait until a results file has so many lines."""
    end = time.monotonic() + 120
    while not (path.exists() and lines <= path.read_bytes().count(b"\n")):
        assert time.monotonic() < end, "the sweep writes no results"
        time.sleep(0.02)


def processes_with(text: str) -> list[int]:
    """Return the processes whose environment holds a text."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def started(tmp_path: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a sweep whose last cases take long."""
    (tmp_path / "family.yaml").write_text(FAMILY.replace("faults: 0", "faults: 2"), encoding="utf-8")
    (tmp_path / "grid.yaml").write_text(SLOW, encoding="utf-8")
    return subprocess.Popen(
        [*PROGRAM, "--sweep", "grid.yaml", "--kernel", "twin", "--no-symmetry", "--workers", "2", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "SWEEP_MARK": str(tmp_path)},
    )


def test_a_sweep_that_was_killed_goes_on(call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is taken over byte for byte, no worker outlives it, and half a line does no harm."""
    path = tmp_path / "r"
    with started(tmp_path, "--results", "r") as program:
        until(path, 3)
        program.kill()
    end = time.monotonic() + 60
    while processes_with(str(tmp_path)) and time.monotonic() < end:
        time.sleep(0.05)
    assert [] == processes_with(str(tmp_path))
    before = path.read_bytes()
    path.write_bytes(before + b'{"digest": "0123')
    monkeypatch.chdir(tmp_path)
    done = before.count(b"\n") - 1
    again = ("--sweep", "grid.yaml", "--kernel", "twin", "--no-symmetry", "--results", "r", "--seconds", "0.1")
    document = json.loads(call("verify", *again, "--json").stdout)
    assert (5, 5, done) == (document["totals"]["cases"], document["totals"]["done"], document["totals"]["old"])
    assert path.read_bytes().startswith(before)
    assert 6 == path.read_bytes().count(b"\n")


def test_an_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    """Exit code 130, the rows that are done, whole lines in the file."""
    path = tmp_path / "r"
    with started(tmp_path, "--results", "r") as program:
        until(path, 3)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=120)
    assert 130 == program.returncode
    assert re.fullmatch(
        rb"error: interrupted with [23] of 5 done; they are in r, and the same command goes on from there "
        rb"\(phasegate verify\)\n",
        err,
    )
    assert b"not run" in out
    assert re.search(rb"[23] cases were not run\n", out)
    assert path.read_bytes().endswith(b"\n")


class Interrupted:
    """A place where somebody presses Ctrl-C once the first case is done."""

    words = "interrupted"

    def outcomes(self, jobs: Iterable[Job], told: Any, stop: Callable[[], bool]) -> Iterator[tuple[Job, Outcome]]:
        """Give the first outcome, and end as a pool would."""
        yield next(iter(jobs)), Outcome(verdict="holds")
        signal.raise_signal(signal.SIGINT)
        assert stop()


@pytest.mark.parametrize(
    ("arguments", "how"),
    [
        ((), "with --results FILE, a second start would go on from there"),
        (("--results", "r"), "they are in r, and the same command goes on from there"),
    ],
)
def test_an_interrupt_shows_what_is_done(
    arguments: tuple[str, ...], how: str, call: Any, grid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table with what was not run, one line on how to go on, and Ctrl-C means what it meant before."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sweeping, "Pool", Interrupted)
    result = call("verify", "--sweep", grid, *arguments)
    assert 130 == result.exit_code
    assert f"error: interrupted with 1 of 2 done; {how} (phasegate verify)\n" == result.stderr
    assert "not run" in result.stdout
    assert "1 case was not run" in result.stdout
    assert before == signal.getsignal(signal.SIGINT)


def test_without_a_results_file_it_says_what_one_is_for(tmp_path: Path) -> None:
    """What was done is gone."""
    with started(tmp_path, "--json") as program:
        end = time.monotonic() + 60
        while len(processes_with(str(tmp_path))) < 3 and time.monotonic() < end:
            time.sleep(0.02)  # until workers are there: then it can be interrupted
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=120)
    assert 130 == program.returncode
    assert err.endswith(b" of 5 done; with --results FILE, a second start would go on from there (phasegate verify)\n")
    document = json.loads(out)
    assert len(document["runs"]) == document["totals"]["done"] < 5


def test_a_progress_line_is_told(grid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which cases are at work, and how far they are."""
    shown = type("Terminal", (io.StringIO,), {"isatty": lambda self: True})()
    monkeypatch.setattr(sweeping.sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    sweep = load_sweep(grid)
    now = Progress(states=1234, transitions=5, frontier=7, depth=3, seconds=2.0, memory=2**20)
    with sweeping.progress_line(sweep) as tell:
        tell(Watch(cases=2, done=1, running={1: (sweep.cases[1], now)}))
        time.sleep(0.3)
    assert re.search(r"1/2\S* instances 2: 1,234 states, depth 3", shown.getvalue())


def test_a_terminal_shows_how_far_it_is(grid: str, tmp_path: Path) -> None:
    """How many are done, and of those at work which they are and how far."""
    main, other = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "--sweep", grid, "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=other,
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    ) as program:
        os.close(other)
        shown = b""
        while True:
            try:
                piece = os.read(main, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        program.communicate()
    os.close(main)
    assert re.search(rb"2/2", shown)
