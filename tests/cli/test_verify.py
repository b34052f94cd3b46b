"""`phasegate verify`: exit codes, tables, stories, traces, and what ends a run early."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from phasegate.cli import verifying
from phasegate.cli.verifyview import amount
from phasegate.core.kernels import default_kernel
from phasegate.core.twin import Kernel
from phasegate.verifying.result import Progress
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import load_scenario

PROGRAM = [sys.executable, "-c", "from phasegate.cli import main; main()"]
LIBRARY = Path(__file__).parents[1] / "scenarios"
SMALL = str(LIBRARY / "set_of_two.yaml")
LARGE = str(LIBRARY / "cross_zone.yaml")
NEVER = """
import phasegate as pg

@pg.always(reads=("restored",))
def nothing_is_restored(state):
    "Nothing is ever restored."
    return state.restored == 0
"""
UNDECLARED = """
import phasegate as pg

@pg.always(reads=("failed",))
def few(state):
    "Few fail."
    return state.failed + state.restored < 9
"""


def test_a_scenario_that_holds(call: Any) -> None:
    """The verdict, what it is about, the numbers, and what was covered; the exit code is 0."""
    result = call("verify", SMALL)
    assert (0, "") == (result.exit_code, result.stderr)
    for words in ("set_of_two  holds", "promises hold in every state", "states", "lives", "verifying -> upgraded"):
        assert words in result.stdout
    assert "taken for one another" in result.stdout
    assert "without symmetry" in call("verify", SMALL, "--no-symmetry").stdout
    assert "ways)" in call("verify", LARGE).stdout


def test_the_number_of_threads_changes_nothing(call: Any) -> None:
    """What is found and counted is the same on one thread, on three, and on too many; a hunt has processes."""
    asked = ("1", "3", f"{2**40}")
    told = [json.loads(call("verify", LARGE, "--no-symmetry", "--json", "--threads", n).stdout) for n in asked]
    counts = [{key: one[key] for key in ("verdict", "states", "transitions", "depth", "coverage")} for one in told]
    assert [counts[0]] * 3 == counts
    refused = call("verify", "--mutants", "--threads", "2")
    assert 2 == refused.exit_code
    assert "go on processes" in refused.stderr


def test_json_says_everything(call: Any) -> None:
    """One document of a scenario, a list of several."""
    document = json.loads(call("verify", SMALL, "--json").stdout)
    kernel = "compiled" if default_kernel().is_compiled else "twin"
    assert ("phasegate/verification/1", "set_of_two", "holds", None, kernel, True, "breadth") == (
        *(document[key] for key in ("format", "scenario", "verdict", "promise", "kernel", "symmetric", "order")),
    )
    assert ([], [], []) == (document["coverage"]["missing"], document["story"], document["disagreements"])
    both = json.loads(call("verify", SMALL, LARGE, "--json").stdout)
    assert ["set_of_two", "cross_zone"] == [one["scenario"] for one in both["scenarios"]]


def test_several_scenarios_are_one_table(call: Any) -> None:
    """A row each, and what is broken of them in full below it."""
    result = call("verify", SMALL, LARGE)
    assert 0 == result.exit_code
    assert ["scenario", "set_of_two", "cross_zone", "all"] == [
        line.split()[0] for line in result.stdout.splitlines() if line and line[0].isalpha()
    ]


def test_a_broken_promise_is_told_as_a_story(call: Any, write: Any) -> None:
    """Who acted, what came of it, and a log that replays and can be explained; the exit code is 1."""
    write("mine.py", NEVER)
    result = call("verify", SMALL, "--promises", "mine.py", "--trace", "trace.ndjson")
    assert 1 == result.exit_code
    for words in (
        "promise `nothing_is_restored` is broken: Nothing is ever restored",
        "1  orchestrator  starts eastus/web/",
        "2  environment   answers replace of eastus/web/",
        "restored",
        "`phasegate replay trace.ndjson` runs it",
        "asked 2 times",
        "expected verdict holds, found violated",
    ):
        assert words in result.stdout
    assert 0 == call("replay", "trace.ndjson").exit_code
    assert "has its old OS disk again" in call("explain", "trace.ndjson", "eastus/web/0").stdout
    written = call("verify", SMALL, "--promises", "mine.py", "--trace", "-")
    assert (True, True) == (written.stdout.startswith('{"t":'), "is broken" in written.stderr)
    assert Path("trace.ndjson").read_text(encoding="utf-8") == written.stdout


class NoGate(Kernel):
    """Bad ones after their upgrade stop nothing."""

    def upgraded_gate_broken(self, s: int) -> bool:
        """Never say so."""
        return False


def test_the_numbers_of_a_broken_promise_are_shown(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of the story, where a rule is bent."""
    monkeypatch.setattr(verifying, "verify", lambda one, **options: verify(one, **options | {"kernel": NoGate}))
    result = call("verify", SMALL)
    assert 1 == result.exit_code
    assert "promise 6, not-after-the-end, is broken" in result.stdout
    assert "so            1 of 1 in eastus/web turned out bad, of 20 % that may, and a batch starts" in result.stdout


def test_a_promise_that_reads_more_than_it_says(call: Any, write: Any) -> None:
    """The report names the fields."""
    write("mine.py", UNDECLARED)
    assert "it reads restored without saying so" in call("verify", SMALL, "--promises", "mine.py").stdout


def test_a_violation_that_is_expected_is_well(call: Any, write: Any) -> None:
    """A scenario may show what a policy does not keep."""
    text = Path(SMALL).read_text(encoding="utf-8")
    text = re.sub(r"expect: .*", "expect: {verdict: violated, promise: nothing_is_restored}", text)
    write("mine.py", NEVER)
    write("shown.yaml", text)
    result = call("verify", "shown.yaml", "--promises", "mine.py")
    assert (0, True) == (result.exit_code, "is broken" in result.stdout)
    write("shown.yaml", text.replace("nothing_is_restored", "another"))
    again = call("verify", "shown.yaml", "--promises", "mine.py")
    assert (1, True) == (again.exit_code, "expected promise another, found nothing_is_restored" in again.stdout)


def test_what_no_state_shows_has_no_story(call: Any, write: Any) -> None:
    """`sometimes` that never comes is broken, and there is no way to show."""
    write("never.yaml", Path(SMALL).read_text(encoding="utf-8").replace("sometimes: [", "sometimes: [paused, "))
    result = call("verify", "never.yaml", "--trace", "none.ndjson")
    assert (1, True) == (result.exit_code, "promise `paused` is never shown" in result.stdout)
    assert not Path("none.ndjson").exists()


def test_a_different_outcome_is_an_error_that_says_both(call: Any, write: Any) -> None:
    """What was expected and what was found."""
    write("wrong.yaml", re.sub(r"symmetric: {states: \d+", "symmetric: {states: 7", Path(SMALL).read_text("utf-8")))
    result = call("verify", "wrong.yaml")
    assert 1 == result.exit_code
    assert "expected symmetric.states 7, found " in result.stdout
    assert "not as expected" in call("verify", "wrong.yaml", SMALL).stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--states", "40"), "the bound on states was met; all runs of up to "),
        (("--seconds", "0"), "the time was up; all runs of up to "),
        (("--memory", "1K"), "the memory was used up; all runs of up to "),
        (("--states", "40", "--order", "depth"), "acts were taken, and none broke a promise"),
        (("--states", "40", "--order", "random", "--seed", "3"), "acts were taken, and none broke a promise"),
    ],
)
def test_a_bound_gives_no_answer(call: Any, options: tuple[str, ...], words: str) -> None:
    """The exit code is 3, and what was covered is said."""
    result = call("verify", LARGE, *options, "--kernel", "twin")
    assert (3, True) == (result.exit_code, words in result.stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((SMALL, "--order", "deep"), "`deep` is none of breadth, depth, random (--order)"),
        ((SMALL, "--kernel", "fast"), "`fast` is none of compiled, twin (--kernel)"),
        ((SMALL, "--order", "random"), "random walks have no end of their own; give --states or --seconds (--order)"),
        ((SMALL, "--trace", "-", "--json"), "the log and `--json` cannot both go to standard output"),
        ((SMALL, LARGE, "--trace", "x"), "one trace file is for one scenario (--trace)"),
        ((SMALL, "--trace", "no/x"), "there is no folder `no` to write to (--trace)"),
        ((SMALL, "--memory", "much"), "`much` is no amount of memory, like `500M` or `2G` (--memory)"),
        ((SMALL, "--memory", f"{'9' * 400}G"), "is more than 8192T (--memory)"),
        ((SMALL, "--promises", "none.py"), "cannot be read: no such file (none.py)"),
        (("here", "--page", "here"), "`here` would be written over, and is read as well; name another file (--page)"),
        ((SMALL, "--promises", "here", "--trace", "./here"), "`./here` would be written over, and is read as well"),
        (("none.yaml",), "cannot be read: no such file or directory"),
    ],
)
def test_bad_input_is_one_line(call: Any, write: Any, arguments: tuple[str, ...], words: str) -> None:
    """Naming the option or the file; the exit code is 2."""
    write("here", "")
    result = call("verify", *arguments)
    assert (2, True, 1) == (result.exit_code, words in result.stderr, result.stderr.count("\n"))


def test_a_kernel_that_was_not_built_is_refused(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for the compiled one does not get the other one."""
    monkeypatch.setattr(verifying, "default_kernel", lambda: type("Kernel", (), {"is_compiled": False}))
    assert "the compiled kernel was not built here" in call("verify", SMALL, "--kernel", "compiled").stderr


def test_a_scenario_that_turns_out_too_large_is_blamed_on_its_file(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error from within a run names the scenario."""

    def fails(*given: object, **options: object) -> None:
        raise verifying.InvalidModel("more than can be explored", "fleet")

    monkeypatch.setattr(verifying, "verify", fails)
    result = call("verify", SMALL)
    assert (2, f"error: more than can be explored ({SMALL}: fleet)\n") == (result.exit_code, result.stderr)


def test_sizes_are_read_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """With their units, in powers of 1024; what is free is taken where the system says it."""
    assert [1, 512, 2**21, 3 * 2**30, 2**40] == [
        verifying.memory_of(text) for text in ("1", "0.5k", "2 MiB", "3GB", "1t")
    ]
    assert 2**53 == verifying.memory_of("8192T")
    assert 0 < (verifying.memory_of(None) or 0)
    monkeypatch.setattr(verifying.os, "sysconf_names", {})
    assert None is verifying.memory_of(None)
    assert ["5 B", "1.5 KiB", "2.0 MiB", "2048.0 GiB"] == [amount(n) for n in (5, 1536, 2**21, 2**41)]


def interrupted(program: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Interrupt the program when it is at work; once more if it was so slow that it did not take the first."""
    for _ in range(10):
        time.sleep(4)
        program.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return program.communicate(timeout=60)
    program.kill()
    return program.communicate()


def test_an_interrupt_gives_what_was_covered(write: Any, tmp_path: Path) -> None:
    """The first Ctrl-C ends the run with its report, exit code 130; files stay whole."""
    text = re.sub(r"(?m)^(sometimes|expect):.*\n", "", Path(LARGE).read_text(encoding="utf-8"))
    write("huge.yaml", text.replace("instances: 4", "instances: 12"))
    with subprocess.Popen(
        [*PROGRAM, "verify", "huge.yaml", "huge.yaml", "--kernel", "twin", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as program:
        out, err = interrupted(program)
    document = json.loads(out)["scenarios"]
    assert (130, b"", 1) == (program.returncode, err, len(document))
    assert ("undetermined", "interrupted") == (document[0]["verdict"], document[0]["reason"])


def test_the_first_interrupt_is_noted(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the run that goes on, and those after it do not begin; the handler is the old one afterwards."""
    real, before = verifying.verify, signal.getsignal(signal.SIGINT)

    def interrupted(*given: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*given, **options)

    monkeypatch.setattr(verifying, "verify", interrupted)
    result = call("verify", LARGE, LARGE, "--kernel", "twin", "--json")
    assert (130, 1) == (result.exit_code, len(json.loads(result.stdout)["scenarios"]))
    assert before == signal.getsignal(signal.SIGINT)


def test_a_progress_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, it says how far the run is."""
    shown = type("Terminal", (io.StringIO,), {"isatty": lambda self: True})()
    monkeypatch.setattr(verifying.sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    with verifying.progress_line(load_scenario(SMALL)) as tell:
        assert tell is not None
        tell(Progress(states=1234, transitions=5, frontier=7, depth=3, seconds=2.0, memory=2**20))
        time.sleep(0.3)
    assert "set_of_two  1,234 states  7 to expand  depth 3  617/s  1.0 MiB" in shown.getvalue()


def test_a_scenario_need_not_say_what_it_is_for(call: Any, write: Any) -> None:
    """Nor exercise all that it could: what never was is named."""
    text = re.sub(r"(?ms)^(sometimes|expect):.*", "", Path(SMALL).read_text(encoding="utf-8"))
    text = re.sub(r"about: >-\n.*\n", "about: ''\n", text).replace("faults: 1", "faults: 1, stale_reports: 1")
    write("quiet.yaml", text.replace("instances: 2", "instances: [{id: '0', version: 2.0.0}]"))
    result = call("verify", "quiet.yaml")
    assert (0, True) == (result.exit_code, "never" in result.stdout)
    assert "- act start" in result.stdout


def test_outside_the_main_thread_nobody_interrupts() -> None:
    """Signals belong to the main thread; elsewhere a run goes through."""
    seen: list[bool] = []

    def look() -> None:
        with verifying.interruptible() as stop:
            seen.append(stop())

    other = threading.Thread(target=look)
    other.start()
    other.join()
    assert [False] == seen


def test_a_terminal_shows_how_far_it_is(tmp_path: Path) -> None:
    """States, what waits, depth, rate and memory, in one line that goes again."""
    main, other = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, "verify", LARGE, "--kernel", "twin", "--states", "600"],
        stdout=subprocess.PIPE,
        stderr=other,
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
    assert re.search(rb"cross_zone  [\d,]+ states  [\d,]+ to expand  depth \d+  [\d,]+/s", shown)
