"""The example fleets are what their script and comments say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import phasegate as pg

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_example_fleet_is_as_large_as_it_says() -> None:
    """60 regions, 2,000 sets and 200,000 instances."""
    fleet = pg.load_fleet(EXAMPLES / "azure.json")
    assert (60, 2000, 200_000) == (len(fleet.regions), len(fleet.sets), sum(some.size for some in fleet.sets))


def test_the_script_builds_the_example_fleet_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the repository is what the script makes."""
    monkeypatch.setattr("sys.argv", ["build_azure.py", str(tmp_path / "azure.json")])
    runpy.run_path(str(EXAMPLES / "build_azure.py"), run_name="__main__")
    assert (EXAMPLES / "azure.json").read_bytes() == (tmp_path / "azure.json").read_bytes()
