"""The guard against slowing down: what it compares, and that it never passes without having counted."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from phasegate.bench import instructions, key_paths


def test_every_key_path_is_recorded() -> None:
    """The record in the repository has exactly the paths that are counted."""
    records = json.loads(instructions.RECORD.read_text(encoding="utf-8"))
    assert records
    assert all(set(key_paths.PATHS) == set(counts) for counts in records.values())


def test_a_slower_path_is_told_and_fails() -> None:
    """One path beyond its tolerance is enough; a faster one is asked to be recorded."""
    records = {instructions.here(): {"one": 1_000, "two": 1_000}}
    is_well, lines = instructions.compared({"one": 1_051, "two": 900}, records)
    assert not is_well
    assert "SLOWER than the 5 % allowed" in lines[0]
    assert "faster; run with --record" in lines[1]


def test_a_path_without_a_record_fails() -> None:
    """A new path is not compared with nothing."""
    is_well, lines = instructions.compared({"new": 1}, {instructions.here(): {"old": 1}})
    assert not is_well
    assert lines == ["new: 1 instructions, not recorded; run with --record"]


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="there is no valgrind; .ci/run installs it")
def test_what_is_copied_counts_little() -> None:
    """A byte that is copied is no instruction: whether memory is moved or grows in place depends on addresses."""
    program = """
class Copy:
    def __init__(self, length):
        self.bytes = bytearray(length)
    def __dir__(self):
        self.bytes.copy()
        return []

dir(Copy(10_000))
dir(Copy(90_000))
"""
    short, long = instructions.counted("-I", "-c", program)[-2:]
    assert 0 < long - short < 80_000 / 4


def test_without_valgrind_the_guard_fails_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A guard that did not run is no guard that found nothing."""
    monkeypatch.setattr(sys, "argv", ["instructions"])
    monkeypatch.setattr(instructions.shutil, "which", lambda name: None)
    assert instructions.main() == 1
    assert "did not run: valgrind is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("path", key_paths.PATHS)
def test_a_key_path_runs_when_it_is_asked_for_its_names(path: str) -> None:
    """`dir` is what callgrind sees; whatever goes wrong inside comes out of it."""
    done: list[str] = []
    assert dir(key_paths.Counted(lambda: done.append(path))) == []
    assert done == [path]
    with pytest.raises(ZeroDivisionError):
        dir(key_paths.Counted(lambda: 1 // 0))
    if path == "whole rollout":
        key_paths.PATHS[path]()()
