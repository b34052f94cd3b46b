"""The results file: what is taken over from it, what is not, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sweeps import GRID, HEAD, a_sweep

from phasegate.files.documents import InvalidFile
from phasegate.verifying.result import Bounds
from phasegate.verifying.sweeping.cases import Settings
from phasegate.verifying.sweeping.outcome import Outcome, lost
from phasegate.verifying.sweeping.results import opened
from phasegate.verifying.sweeping.sweepfile import Sweep

HOLDS = Outcome(verdict="holds", states=5, disagreements=(("states", "1", "5"),))
BOUND = Outcome(verdict="undetermined", reason="bound", states=5)
NONE = Bounds()


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    """Return a sweep of four small cases."""
    return a_sweep(tmp_path)


def written(path: Path, sweep: Sweep, *outcomes: Outcome) -> bytes:
    """Write outcomes of the first cases, and return what the file holds then."""
    with opened(str(path), sweep) as results:
        for case, outcome in zip(sweep.cases, outcomes, strict=False):
            results.add(case, case.digest(Settings()), NONE, outcome)
            assert path.read_bytes().endswith(b"\n")  # at once, not at the end
    return path.read_bytes()


def known(path: Path, sweep: Sweep, bounds: Bounds = NONE, settings: Settings | None = None) -> list[Outcome | None]:
    """Return what the file says of each case."""
    chosen = settings or Settings()
    with opened(str(path), sweep) as results:
        return [results.taken_over(case, case.digest(chosen), bounds) for case in sweep.cases]


def test_what_was_written_is_taken_over(sweep: Sweep, tmp_path: Path) -> None:
    """All of it, by who reads it next; the file is the same afterwards."""
    path = tmp_path / "r.ndjson"
    data = written(path, sweep, HOLDS, BOUND)
    assert 3 == data.count(b"\n")
    assert [HOLDS, BOUND, None, None] == known(path, sweep)
    assert data == path.read_bytes()


def test_what_would_come_out_otherwise_is_not(sweep: Sweep, tmp_path: Path) -> None:
    """Undetermined within other bounds, a worker that died, another way to verify: each is run again."""
    path = tmp_path / "r.ndjson"
    written(path, sweep, HOLDS, BOUND, lost("the process ended: signal 9"))
    assert [HOLDS, None, None, None] == known(path, sweep, Bounds(states=9))
    assert [None] * 4 == known(path, sweep, settings=Settings(symmetry=False))


def test_a_result_of_another_scenario_is_stale(sweep: Sweep, tmp_path: Path) -> None:
    """Its parameters are known, its digest is not."""
    path = tmp_path / "r.ndjson"
    written(path, sweep, HOLDS)
    with opened(str(path), sweep) as results:
        found = [
            results.is_stale(case, case.digest(settings))
            for case in sweep.cases[:2]
            for settings in (Settings(), Settings(seed=7))
        ]
    assert [False, True, False, False] == found


@pytest.mark.parametrize("kept", [1, 10, -30, -1])
def test_a_last_line_that_is_half_written_goes(kept: int, sweep: Sweep, tmp_path: Path) -> None:
    """Wherever it was cut; the lines before it count, and the next one is whole."""
    path = tmp_path / "r.ndjson"
    data = written(path, sweep, HOLDS, BOUND)
    first, last = data[: data.rindex(b"\n", 0, -1) + 1], data[data.rindex(b"\n", 0, -1) + 1 :]
    path.write_bytes(first + last[:kept])
    assert [HOLDS, None, None, None] == known(path, sweep)
    assert first == path.read_bytes()
    with opened(str(path), sweep) as results:
        results.add(sweep.cases[1], sweep.cases[1].digest(Settings()), NONE, BOUND)
    assert data == path.read_bytes()


def test_a_first_line_that_is_half_written_begins_anew(sweep: Sweep, tmp_path: Path) -> None:
    """As an empty file does."""
    whole = written(tmp_path / "whole", sweep)
    for start in (b"", whole[:20]):
        (tmp_path / "r").write_bytes(start)
        assert whole == written(tmp_path / "r", sweep)


def test_the_values_of_a_grid_may_grow(sweep: Sweep, tmp_path: Path) -> None:
    """It is the same sweep; what is done is done."""
    path = tmp_path / "r.ndjson"
    written(path, sweep, HOLDS)
    grown = a_sweep(tmp_path, GRID.replace("[1, 2]", "[3, 1]"))
    assert [None, None, HOLDS, None] == known(path, grown)


def test_a_file_of_another_sweep_is_refused(sweep: Sweep, tmp_path: Path) -> None:
    """In one line, and it stays as it is."""
    path = tmp_path / "r.ndjson"
    data = written(path, a_sweep(tmp_path, HEAD + "scenario: family.yaml\ngrid: {environment.faults: [1]}\n"), HOLDS)
    with pytest.raises(InvalidFile) as caught:
        written(path, sweep)
    of = "`grid` of family.yaml over environment.faults"
    assert f"these are results of another sweep, {of}; name another results file ({path}: line 1)" == str(caught.value)
    listed = a_sweep(tmp_path, HEAD + "scenarios: [family.yaml]\n")
    written(tmp_path / "listed", listed)
    with pytest.raises(InvalidFile, match="`grid` of a list of scenarios over scenario; name another"):
        written(tmp_path / "listed", sweep)
    assert data == path.read_bytes()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"format": "phasegate/scenario/1"}', "is no file of results, and would be written over; name another (r)"),
        (b"{}\n", "`format` is missing (r: line 1)"),
        (b"[1]\n", "expected an object, got a list (r: line 1)"),
        (b"no json\n", "no JSON: expecting value (r: line 1, column 1)"),
        (
            b'{"format": "phasegate/log/1", "sweep": "x", "scenario": null, "parameters": []}\n',
            "format `phasegate/log/1` is not `phasegate/sweep-results/1` (r: line 1: format)",
        ),
        (b'HEAD{"digest": 1}\n', "expected text, got the number 1; write it in quotes (r: line 2: digest)"),
        (
            b'HEAD{"digest": "a", "parameters": {}, "bounds": {}, "verdict": "maybe"}\n',
            "`maybe` is none of `holds`, `violated`, `undetermined` (r: line 2: verdict)",
        ),
    ],
)
def test_what_is_no_results_file_is_refused(
    line: bytes, error: str, sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the line at fault; nothing of it is lost."""
    monkeypatch.chdir(tmp_path)
    data = line.replace(b"HEAD", written(tmp_path / "whole", sweep))
    Path("r").write_bytes(data)
    with pytest.raises(InvalidFile) as caught:
        written(Path("r"), sweep)
    assert error == str(caught.value)
    assert data == Path("r").read_bytes()


def test_where_nothing_can_be_written_is_refused(sweep: Sweep, tmp_path: Path) -> None:
    """No folder, a folder, what is no file, and a name that cannot be one."""
    with pytest.raises(InvalidFile, match="cannot be written: no such file or directory"):
        written(tmp_path / "none" / "r", sweep)
    with pytest.raises(InvalidFile, match="cannot be written: is a directory"):
        written(tmp_path, sweep)
    with pytest.raises(InvalidFile, match="cannot be written: embedded null byte"), opened("a\0b", sweep):
        pass
    with pytest.raises(InvalidFile, match="is no regular file; results are read as well as written"):
        written(Path(os.devnull), sweep)


def test_two_sweeps_do_not_write_to_one_file(sweep: Sweep, tmp_path: Path) -> None:
    """The second one says so; once the first has ended it may."""
    path = tmp_path / "r"
    with opened(str(path), sweep), pytest.raises(InvalidFile, match="another sweep is writing to it"):
        written(path, sweep)
    assert [b"phasegate/sweep-results/1"] == [json.loads(written(path, sweep))["format"].encode()]
