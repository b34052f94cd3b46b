"""Sweep files: what they mean, and each error with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sweeps import FAMILY, HEAD, a_sweep, write

import phasegate as pg
from phasegate.files.documents import InvalidFile
from phasegate.files.fleetfile import write_fleet
from phasegate.verifying.result import Bounds
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.sweeping import cases
from phasegate.verifying.sweeping.cases import Settings, program, sources
from phasegate.verifying.sweeping.sweepfile import load_sweep

OF_FAMILY = HEAD + "scenario: family.yaml\n"
EXPECTING = FAMILY + "expect: {verdict: holds, states: 11, symmetric: {states: 11}}\n"


def test_a_grid_is_every_combination_the_last_parameter_fastest(tmp_path: Path) -> None:
    """Names, values, and documents with the values in them."""
    sweep = a_sweep(tmp_path)
    assert ("grid", "family.yaml", Bounds()) == (sweep.name, sweep.family, sweep.bounds)
    assert ("fleet.sets[0].instances", "environment.faults") == sweep.parameters
    assert [(1, 0), (1, 1), (2, 0), (2, 1)] == [tuple(case.parameters.values()) for case in sweep.cases]
    last: dict[str, Any] = json.loads(sweep.cases[3].document)
    assert (2, 1) == (last["fleet"]["sets"][0]["instances"], last["environment"]["faults"])
    assert [0, 1, 2, 3] == [case.number for case in sweep.cases]


def test_bounds_are_read(tmp_path: Path) -> None:
    """States, seconds, and memory as people write it or in bytes."""
    text = OF_FAMILY + "grid: {environment.faults: [1]}\nbounds: {states: 5, seconds: 1.5, memory: 2K}\n"
    assert Bounds(states=5, seconds=1.5, memory=2048) == a_sweep(tmp_path, text).bounds
    assert 77 == a_sweep(tmp_path, text.replace("2K", "77")).bounds.memory


def test_scenarios_are_listed_by_name_and_pattern(tmp_path: Path) -> None:
    """In the order of the patterns, then of names, each once; a case's name is its file's."""
    for name in ("b.yaml", "a.yaml", "z.yaml"):
        (tmp_path / name).write_text(FAMILY, encoding="utf-8")
    sweep = a_sweep(tmp_path, HEAD + 'scenarios: [z.yaml, "[ab].yaml", ./a.yaml]\n')
    assert (("scenario",), None) == (sweep.parameters, sweep.family)
    assert [("z", "z.yaml"), ("a", "a.yaml"), ("b", "b.yaml")] == [
        (case.name, case.parameters["scenario"]) for case in sweep.cases
    ]


def test_a_case_stands_alone(tmp_path: Path) -> None:
    """Fleet and policy that lie in files of their own are taken in, and can be varied."""
    write(tmp_path)
    write_fleet(load_scenario(tmp_path / "family.yaml").fleet, tmp_path / "fleet.ndjson")
    (tmp_path / "policy.yaml").write_text("format: phasegate/policy/1\ndelays: false\n", encoding="utf-8")
    family = "format: phasegate/scenario/1\nabout: by path\nfleet: fleet.ndjson\npolicy: policy.yaml\n"
    text = OF_FAMILY + 'grid: {"fleet.sets[0].instances": [3], policy.max_batch_percent: [50]}\n'
    document = json.loads(a_sweep(tmp_path, text, family).cases[0].document)
    assert (3, {"delays": False, "max_batch_percent": 50}) == (
        document["fleet"]["sets"][0]["instances"],
        document["policy"],
    )


def test_counts_that_a_family_expects_are_its_own(tmp_path: Path) -> None:
    """A case that differs keeps the verdict alone; the one that does not keeps all."""
    text = OF_FAMILY + 'grid: {"fleet.sets[0].instances": [1, 2]}\n'
    same, other = (json.loads(case.document)["expect"] for case in a_sweep(tmp_path, text, EXPECTING).cases)
    assert {"verdict": "holds", "states": 11, "symmetric": {"states": 11}} == same
    assert {"verdict": "holds"} == other


def test_a_digest_is_of_scenario_settings_and_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same once more, and another where any of them is."""
    case, other, *_ = a_sweep(tmp_path).cases
    digest = case.digest(Settings())
    assert digest == a_sweep(tmp_path).cases[0].digest(Settings())
    others = {other.digest(Settings()), case.digest(Settings(symmetry=False)), case.digest(Settings(seed=1))}
    monkeypatch.setattr(cases, "program", lambda: "1.2.3+later")
    others.add(case.digest(Settings()))
    assert 4 == len(others - {digest})


def test_the_program_is_told_by_version_and_code() -> None:
    """Compiled modules count here; what is compared between machines is the sources."""
    assert [pg.__version__] * 2 == [one.partition("+")[0] for one in (program(), sources())]
    assert program() == program()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "say `scenarios`, a list of files, or `scenario`, one file, with a `grid` (grid.yaml)"),
        ("scenario: a\nscenarios: [b]\n", "say `scenarios`, a list of files, or `scenario`, one file, with a `grid`"),
        ("scenarios: [family.yaml]\ngrid: {a: [1]}\n", "a grid varies one family; name it as `scenario` and leave"),
        ("scenarios: ['x*.yaml']\n", "no file matches `x*.yaml` (grid.yaml: scenarios[0])"),
        ("scenarios: [family.yaml, none.yaml]\n", "there is no file `none.yaml` (grid.yaml: scenarios[1])"),
        ("scenarios: []\n", "no scenario is named (grid.yaml: scenarios)"),
        ("scenario: family.yaml\n", "`grid` is missing: what varies, like"),
        ("scenario: none.yaml\ngrid: {about: [a]}\n", "cannot be read: no such file or directory (none.yaml)"),
        ("scenaro: family.yaml\n", "unknown key `scenaro`; did you mean `scenario`? (grid.yaml)"),
        ("GRID{environment.faults: 1}", "expected a list, got the number 1 (grid.yaml: grid: environment.faults)"),
        ("GRID{environment.faults: []}", "a parameter has a value at least; name one, or leave it out (grid.yaml"),
        ("GRID{environment.faults: [1, 1]}", "the number 1 is there twice (grid.yaml: grid: environment.faults[1])"),
        ("GRID{a b: [1]}", "`a b` is no place in a document, like `fleet.sets[0].instances` (grid.yaml: grid)"),
        ("GRID{environment: [{}], environment.faults: [1]}", "`environment.faults` lies in `environment`; vary one"),
        (
            "GRID{environment.falts: [1]}",
            "unknown key `falts`; did you mean `faults`? (grid.yaml: grid, with environment.falts 1: environment)",
        ),
        ("GRID{polcy.delays: [1]}", "unknown key `polcy`; did you mean `policy`? (grid.yaml: grid, with polcy.delays"),
        ('GRID{"flet.sets[0].x": [1]}', "unknown key `flet`; did you mean `fleet`? (grid.yaml: grid: flet.sets[0].x)"),
        (
            "GRID{policy.max_batch_percent: [20, 500]}",
            "500 is not between 5 and 100 (grid.yaml: grid, with policy.max_batch_percent 500: policy",
        ),
        ("GRID{environment.faults: [1]}\nbounds: {states: 0}", "0 is not more than 0; leave it out for no bound (grid"),
        ("GRID{environment.faults: [1]}\nbounds: {memory: much}", "`much` is no amount of memory, like `500M` or `2G`"),
        ("GRID{environment.faults: [1]}\nbounds: {memory: 0}", "0 bytes are not more than 0 (grid.yaml: bounds.memory"),
        ("GRID{seed: LONG, about: LONG}", "10,201 combinations are more than 10,000; name fewer values (grid.yaml: g"),
    ],
)
def test_each_error_has_its_line(text: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong, in which file, where in it."""
    monkeypatch.chdir(tmp_path)
    text = text.replace("GRID", "scenario: family.yaml\ngrid: ").replace("LONG", str(list(range(101))))
    write(tmp_path, HEAD + text)
    with pytest.raises(InvalidFile) as caught:
        load_sweep("grid.yaml")
    assert str(caught.value).startswith(error)
