"""How commands end: exit codes, one line for an error, never a traceback, nothing half written."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from cli_cases import many, small

from phasegate import __version__
from phasegate.cli import _leave, main
from phasegate.cli.app import app
from phasegate.cli.ending import usage_words
from phasegate.cli.screen import Screen, print_json
from phasegate.core.errors import InvalidModel, UnknownName
from phasegate.core.kernels import default_kernel

PROGRAM = [sys.executable, "-c", "from phasegate.cli import main; main()"]


def test_the_version_names_the_kernel(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--version` says which of the two kernels is at work."""
    kernel = "compiled kernel" if default_kernel().is_compiled else "plain twin"
    assert (0, f"phasegate {__version__} ({kernel})\n") == (
        call("--version").exit_code,
        call("--version").stdout,
    )
    for is_compiled, word in ((True, "compiled kernel"), (False, "plain twin")):
        one = type("Kernel", (), {"is_compiled": is_compiled})
        monkeypatch.setattr("phasegate.core.kernels.default_kernel", lambda one=one: one)
        assert f"phasegate {__version__} ({word})\n" == call("--version").stdout


def test_without_a_command_there_is_help(call: Any) -> None:
    """The program alone prints the help, which names every command."""
    result = call()
    assert 0 == result.exit_code
    assert [] == [name for name in ("import", "plan", "simulate", "replay", "explain") if name not in result.stdout]


@pytest.mark.parametrize("command", ["plan", "simulate", "replay", "explain", "import arm", "import az"])
def test_the_help_of_every_command_documents_its_json(call: Any, command: str) -> None:
    """The keys that `--json` prints stand in the help, brackets too."""
    shown = call(*command.split(), "--help").stdout
    assert "With --json" in shown.replace("`", "")
    assert command == "replay" or "[" in shown.split("With", 1)[1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["pln"], "no such command `pln`; did you mean `plan` or `explain`? (phasegate)"),
        (
            ["zzzzz"],
            "no such command `zzzzz`; "
            "there are import, convert, plan, simulate, replay, explain, verify, bench (phasegate)",
        ),
        (["--versio"], "no such option: `--versio`; did you mean `--version`? (phasegate)"),
        (["plan"], "missing argument `FLEET` (phasegate plan)"),
        (["plan", "x", "--imgae", "y"], "no such option: `--imgae`; did you mean `--image`? (phasegate plan)"),
        (["plan", "x", "y"], "got unexpected extra argument(s) (y) (phasegate plan)"),
        (["plan", "x", "--image"], "option `--image` requires an argument (phasegate)"),
    ],
)
def test_misuse_is_one_line_with_a_suggestion(call: Any, arguments: list[str], error: str) -> None:
    """What is typed wrongly ends with exit code 2, in the same form as every other error."""
    result = call(*arguments)
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_misuse_without_a_place_is_told_too() -> None:
    """Words of typer without a place, a full stop or quotes come out in this program's form."""
    assert "invalid value: no" == usage_words(typer.BadParameter("No."))
    assert "invalid value: it's so" == usage_words(typer.BadParameter("it's so"))


@pytest.mark.parametrize(
    ("raised", "code", "error"),
    [
        (KeyboardInterrupt(), 130, "interrupted (phasegate plan)"),
        (MemoryError(), 3, "out of memory (phasegate plan)"),
        (
            KeyError("x"),
            3,
            "a fault of this program: KeyError: 'x'; PHASEGATE_TRACEBACK=1 shows where (phasegate plan)",
        ),
        (UnknownName("no set `x`"), 2, "no set `x` (phasegate plan)"),
        (InvalidModel("bad", "sets[0]"), 2, "bad (sets[0])"),
        (InvalidModel("bad\nworse\x1b[31m"), 2, "bad worse?[31m (phasegate plan)"),
        (OSError(28, "No space left on device"), 2, "cannot be written: no space left on device (standard output)"),
        (OSError("odd"), 2, "cannot be written: odd (standard output)"),
    ],
)
def test_whatever_is_raised_ends_as_one_line(
    call: Any, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, error: str
) -> None:
    """An interruption, no memory, a fault of the program: each has its exit code, none shows a traceback."""

    def run(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr("phasegate.cli.planning.run", run)
    result = call("plan", "x")
    assert (code, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_fault_can_be_traced_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PHASEGATE_TRACEBACK set, a fault of the program is raised as it is."""

    def run(*_: Any, **__: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr("phasegate.cli.planning.run", run)
    monkeypatch.setattr(sys, "argv", ["phasegate", "plan", "x"])
    monkeypatch.setenv("PHASEGATE_TRACEBACK", "1")
    with pytest.raises(KeyError):
        main()


def test_an_exit_of_a_command_passes(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command may end by itself with a code of its own."""

    def run(*_: Any, **__: Any) -> None:
        raise typer.Exit(5)

    monkeypatch.setattr("phasegate.cli.planning.run", run)
    assert 5 == call("plan", "x").exit_code


def test_a_reader_that_has_gone_ends_quietly(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken pipe is no error: nothing is said, and the exit code is 141."""

    def run(*_: Any, **__: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("phasegate.cli.planning.run", run)
    result = call("plan", "x")
    assert (141, "", "") == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(("code", "expected"), [(1, 141), (7, 7)])
def test_a_help_text_whose_reader_has_gone(
    call: Any, monkeypatch: pytest.MonkeyPatch, code: int, expected: int
) -> None:
    """Rich ends the process with 1 then, and we with 141; other codes stand."""

    def run(*_: Any, **__: Any) -> None:
        raise SystemExit(code)

    monkeypatch.setattr("phasegate.cli.planning.run", run)
    assert expected == call("plan", "x").exit_code


def test_a_document_goes_to_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in memory has no bytes to choose."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    print_json({"name": "w\u00e9"})
    assert '{\n  "name": "w\u00e9"\n}\n' == sys.stdout.getvalue()


def test_rich_leaves_a_broken_pipe_to_us() -> None:
    """Rich would end the process with 1, which means no."""
    with pytest.raises(BrokenPipeError):
        Screen().on_broken_pipe()


def test_an_error_stands_though_the_output_is_lost(
    call: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was printed before an error may be unwritable too: the error and its exit code are the same."""

    class Full(io.StringIO):
        def flush(self) -> None:
            """Fail."""
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(SystemExit) as ended:
        app(["plan", "/nowhere/fleet.json"])
    assert (2, "error: cannot be read: no such file or directory (/nowhere/fleet.json)\n") == (
        ended.value.code,
        capsys.readouterr().err,
    )


def test_main_runs_without_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed standard streams are no reason to fail."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    monkeypatch.setattr(sys, "argv", ["phasegate", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert 0 == ended.value.code


def test_an_interruption_before_the_commands_are_there_ends_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the program is still being read ends with 130 too."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("phasegate.cli.app.app", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert 130 == ended.value.code


def test_a_command_that_returns_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends with 0 when nothing says otherwise."""
    monkeypatch.setattr("phasegate.cli.app.app", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert 0 == ended.value.code


def test_closed_standard_input_is_said(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that should read standard input, and has none, says so."""
    from phasegate.cli.ending import Refused
    from phasegate.cli.inputs import Inputs

    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(Refused, match="there is no standard input"):
        Inputs().read("-")


def test_standard_input_that_fails_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder as standard input is refused like one that is named."""
    from phasegate.cli.inputs import Inputs
    from phasegate.files.documents import InvalidFile

    class Broken:
        closed = False

        @property
        def buffer(self) -> Any:
            raise IsADirectoryError(21, "Is a directory")

    monkeypatch.setattr(sys, "stdin", Broken())
    with pytest.raises(InvalidFile, match=r"cannot be read: is a directory \(standard input\)"):
        Inputs().read("-")


# --- whole processes -------------------------------------------------------------------------------------------------


def _ran(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], check=False, capture_output=True, text=True, timeout=60, **options)


def test_a_process_says_its_error_in_one_line(tmp_path: Path) -> None:
    """A process ends as the commands do: exit code 2, one line, no traceback."""
    found = _ran("plan", "nowhere.json", cwd=tmp_path)
    assert (2, "", "error: cannot be read: no such file or directory (nowhere.json)\n") == (
        found.returncode,
        found.stdout,
        found.stderr,
    )


def test_a_full_disk_is_bad_input(tmp_path: Path) -> None:
    """Output that cannot be written ends with 2 and one line, and Python adds nothing at its end."""
    (tmp_path / "fleet.json").write_text(json.dumps(small()), encoding="utf-8")
    with open("/dev/full", "w", encoding="utf-8") as full:
        found = subprocess.run(
            [*PROGRAM, "plan", "fleet.json"],
            check=False,
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert (2, "error: cannot be written: no space left on device (standard output)\n") == (
        found.returncode,
        found.stderr,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["import", "aws", "--help"]])
def test_help_ends_as_other_output_does(arguments: list[str]) -> None:
    """On a full disk with 2 and one line, and with 141 where its reader has gone."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        found = subprocess.run(
            [*PROGRAM, *arguments], check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    line = "error: cannot be written: no space left on device (standard output)\n"
    assert (2, line) == (found.returncode, found.stderr)
    process = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert (b"", 141) == (process.stderr.read(), process.wait(60))


def test_documents_are_utf_8_whatever_the_terminal_shows(tmp_path: Path) -> None:
    """Names come through as they are: a fleet on standard output, and what `--json` prints."""
    fleet = small()
    fleet["sets"][0]["name"] = "w\u00e9"
    (tmp_path / "fleet.json").write_text(json.dumps(fleet), encoding="utf-8")
    ascii_only = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    for arguments in (["convert", "fleet.json"], ["plan", "fleet.json", "--json"]):
        found = subprocess.run(
            [*PROGRAM, *arguments], check=True, capture_output=True, cwd=tmp_path, env=ascii_only, timeout=60
        )
        assert "w\u00e9" in json.dumps(json.loads(found.stdout.decode("utf-8")), ensure_ascii=False)


def test_a_broken_pipe_is_quiet(tmp_path: Path) -> None:
    """A reader that goes after the first line ends the process with 141, and nothing on standard error."""
    # the plan, 200 KB, is more than a pipe holds
    (tmp_path / "fleet.json").write_text(json.dumps(many(400)), encoding="utf-8")
    process = subprocess.Popen(
        [*PROGRAM, "plan", "fleet.json", "--all", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    error = process.stderr.read()
    assert (141, b"") == (process.wait(60), error)


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    """An interrupted run ends with 130, one line, and neither a log nor a part of one."""
    (tmp_path / "fleet.json").write_text(json.dumps(many(2000)), encoding="utf-8")
    # whoever started the tests may have let their children ignore the signal
    program = [sys.executable, "-c", f"import signal; signal.signal(2, signal.default_int_handler); {PROGRAM[2]}"]
    process = subprocess.Popen(
        [*program, "simulate", "fleet.json", "--log", "log.ndjson"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):  # until the log is being written
        if len(os.listdir(tmp_path)) > 1:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert (130, "error: interrupted (phasegate simulate)\n") == (process.wait(60), process.stderr.read())  # type: ignore[union-attr]
    assert ["fleet.json"] == os.listdir(tmp_path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_whoever_is_told_to_end_leaves_nothing_half_written(tmp_path: Path, number: int, code: int) -> None:
    """As after Ctrl-C: the exit code that shells expect, and no part of a log."""
    (tmp_path / "fleet.json").write_text(json.dumps(many(2000)), encoding="utf-8")
    program = [sys.executable, "-c", f"import signal; signal.signal({int(number)}, signal.SIG_DFL); {PROGRAM[2]}"]
    process = subprocess.Popen([*program, "simulate", "fleet.json", "--log", "log.ndjson"], cwd=tmp_path)
    for _ in range(600):  # until the log is being written
        if len(os.listdir(tmp_path)) > 1:
            break
        time.sleep(0.05)
    process.send_signal(number)
    assert code == process.wait(60)
    assert ["fleet.json"] == os.listdir(tmp_path)


def test_signals_that_somebody_has_taken_stay_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever started us under `nohup`, say, has let us ignore the end of the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr(sys, "argv", ["phasegate", "--version"])
        with pytest.raises(SystemExit):
            main()
        assert signal.SIG_IGN is signal.getsignal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_a_signal_ends_in_order() -> None:
    """It unwinds the stack like any other exit."""
    with pytest.raises(SystemExit) as ended:
        _leave(15, None)
    assert 143 == ended.value.code


def test_a_narrow_alphabet_is_no_reason_to_fail(tmp_path: Path) -> None:
    """Where the output cannot show a letter, the rest is shown."""
    (tmp_path / "fleet.json").write_text(json.dumps(small()), encoding="utf-8")
    found = _ran("plan", "fleet.json", cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (0, "") == (found.returncode, found.stderr)
    assert "Canonical/UbuntuServer/18.04-LTS ? 18.04.202402010" in found.stdout


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    """Asking for the version reads neither the simulation nor tables nor matplotlib."""
    code = (
        "import sys; sys.argv = ['phasegate', '--version']\n"
        "from phasegate.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('phasegate.simulating.simulation', 'rich.table', 'matplotlib')"
        " if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert "[]" == found.stdout.splitlines()[-1]
