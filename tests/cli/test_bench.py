"""`phasegate bench`: the table, the document, the plot, and what it refuses. Times are never looked at."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from phasegate.bench import running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of one's own."""
    monkeypatch.chdir(tmp_path)


def test_the_table_the_document_and_the_plot(call: Any) -> None:
    """One command prints what was measured, and writes it for programs and for the eye."""
    result = call("bench", "--quick", "--cpu", "--only", "explain", "-o", "bench.json", "--plot", "growth.svg")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "explain an instance  phasegate" in result.stdout
    assert "times are the processor's" in result.stdout
    document = json.loads(Path("bench.json").read_text(encoding="utf-8"))
    assert ["phasegate/bench/1", "processor", {"explain an instance"}] == [
        document["format"],
        document["clock"],
        {figure["path"] for figure in document["figures"]},
    ]
    assert Path("growth.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_json(call: Any) -> None:
    """With `--json` the document is all that is printed; with `--quick` what takes long is done once."""
    result = call("bench", "--quick", "--only", "test_progress", "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)["figures"]
    assert {("progress of everything", 1)} == {(figure["path"], figure["rounds"]) for figure in figures}


def test_progress_is_shown_on_a_terminal_only(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of each benchmark that is done is told to whoever waits."""
    said: list[str] = []
    monkeypatch.setattr(running, "_watched", lambda *given: (given[2]("test_one"), (5, ""))[1])
    monkeypatch.setattr("phasegate.cli.benching.Status.update", lambda self, status: said.append(status))
    monkeypatch.setattr("phasegate.cli.benching.Screen.is_terminal", True)
    assert call("bench", "--only", "nothing").exit_code == 2
    assert said == ["test_one"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--only", "nothing"), "error: no benchmark has `nothing` in its name (bench)\n"),
        (("--plot", "a.pdf"), "error: cannot plot to `a.pdf`: its ending is none of .svg, .png (bench)\n"),
    ],
)
def test_bad_input(call: Any, arguments: tuple[str, ...], error: str) -> None:
    """A name that no benchmark has and a picture that cannot be drawn are refused in a line."""
    result = call("bench", "--quick", *arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", error)


def test_what_is_not_installed_is_named(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the command says how to get it."""
    monkeypatch.setattr(running, "NEEDED", ("pytest", "simpy_of_another_planet"))
    result = call("bench", "--quick")
    assert result.exit_code == 2
    assert "simpy_of_another_planet, not installed; `pip install 'phasegate[bench]'`" in result.stderr


@pytest.mark.parametrize(
    ("code", "error"),
    [(1, "error: a benchmark did not come to"), (-9, "error: the benchmarks broke off, with exit code -9")],
)
def test_a_wrong_result_is_shown_and_the_answer_is_no(
    call: Any, monkeypatch: pytest.MonkeyPatch, code: int, error: str
) -> None:
    """What pytest said of it, then one line; the exit code is that of a "no"."""
    monkeypatch.setattr(running, "_watched", lambda *given: (code, "E   assert 1 == 2\n"))
    result = call("bench", "--quick")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"E   assert 1 == 2\n{error}")


def test_an_interrupt_ends_the_benchmarks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes on in the background."""

    def stop(name: str) -> None:
        raise KeyboardInterrupt

    command = [sys.executable, "-u", "-c", "import time; print('a::b PASSED [ 1%]'); time.sleep(600)"]
    with pytest.raises(KeyboardInterrupt):
        running._watched(command, {}, stop)
