"""The checker is silent about logs that keep the rules, and finds each rule broken where exactly that one is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .fleet_document import instances_of, version_key
from .log_checker import RULES, check, main
from .stories import BAD, GOOD
from .stories.cast import Tell


@pytest.mark.parametrize("tell", GOOD, ids=lambda tell: tell.__name__)
def test_a_log_that_keeps_the_rules_has_no_finding(tell: Tell) -> None:
    """Stories in which every rule is kept, often at its limit."""
    story = tell()
    assert [str(finding) for finding in check(story.fleet, story.lines)] == []


@pytest.mark.parametrize(("rule", "tell"), BAD, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_log_that_breaks_one_rule_has_findings_of_that_rule_alone(rule: str, tell: Tell) -> None:
    """Stories that break one rule each."""
    story = tell()
    findings = check(story.fleet, story.lines)
    assert {finding.rule for finding in findings} == {rule}, [str(finding) for finding in findings]


def test_every_rule_is_broken_by_some_story() -> None:
    """No rule of the checker is vacuous."""
    assert {rule for rule, _ in BAD} == set(RULES)


def told(rule: str, name: str) -> list[str]:
    """Return the findings in a story that breaks a rule, in words."""
    story = next(tell() for broken, tell in BAD if (broken, tell.__name__) == (rule, name))
    return [str(finding) for finding in check(story.fleet, story.lines)]


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        ("batch-size", "above_the_cap", "line 5, t=0: batch-size: 3 instances; 40 % of 6 is a cap of 2"),
        ("cells", "two_zones", "line 9, t=0: cells: `eastus/2` starts while `eastus/db` holds `eastus/1`"),
        ("unhealthy", "more_than_a_fifth_ill", "line 7, t=0: unhealthy: 2 of 6 are not healthy, more than 20 %"),
        ("paused", "while_paused", "line 7, t=0: paused: rollout 1 is paused since 0"),
    ],
)
def test_a_finding_names_its_line_its_rule_and_its_numbers(rule: str, name: str, text: str) -> None:
    """Somebody who reads a finding can look the place up."""
    assert told(rule, name) == [text]


def test_a_rule_is_reported_once_a_line() -> None:
    """A line with many strangers in it is one finding."""
    story = GOOD[0]()
    story.batch("eastus/web", "eastus/1", 0, *map(str, range(100, 110)))
    strangers = [finding for finding in check(story.fleet, story.lines) if "no instance" in finding.text]
    assert [finding.rule for finding in strangers] == ["commands", "life-cycle", "commands"]


def written(tmp_path: Path, index: int, suffix: str = ".json") -> list[str]:
    """Write the fleet and the log of a story that keeps the rules (0), or breaks one (1)."""
    story = GOOD[0]() if not index else next(tell() for _, tell in BAD if tell.__name__ == "both_of_a_pair")
    fleet, log = tmp_path / f"fleet{suffix}", tmp_path / "log.ndjson"
    dump = json.dumps if suffix == ".json" else yaml.safe_dump
    fleet.write_text(dump(story.fleet), encoding="utf-8")
    log.write_text("\n".join(map(json.dumps, story.lines)) + "\n\n", encoding="utf-8")
    return [str(fleet), str(log)]


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_main_is_silent_about_a_good_log(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    """Exit status 0 and no output, for a fleet in either notation."""
    status = main(written(tmp_path, 0, suffix))
    assert (status, capsys.readouterr().out) == (0, "")


def test_main_prints_the_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 and a line for each finding."""
    status = main(written(tmp_path, 1))
    text = "line 8, t=0: pairs: `westus` starts while `eastus/web` is at work in its pair `eastus`\n"
    assert (status, capsys.readouterr().out) == (1, text)


@pytest.mark.parametrize("arguments", [[], ["no-fleet.json", "no-log.ndjson"]])
def test_main_says_what_it_cannot_read(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2 and an error, no traceback."""
    status = main(arguments)
    assert (status, capsys.readouterr().err[:7]) == (2, "error: ")


def test_main_refuses_what_is_no_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log in the place of the fleet is an error too."""
    fleet, log = written(tmp_path, 0)
    Path(fleet).write_text("[]", encoding="utf-8")
    assert (main([fleet, log]), capsys.readouterr().err[:7]) == (2, "error: ")


def test_it_runs_as_a_script_that_knows_nothing_of_the_project(tmp_path: Path) -> None:
    """`python tests/oracle/log_checker.py FLEET LOG`, from anywhere, with the project's package out of reach."""
    script = Path(__file__).with_name("log_checker.py")
    blocked = (
        "import runpy, sys; sys.modules['phasegate'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-c", blocked, str(script), *written(tmp_path, 1)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("pairs"), done.stderr) == (1, 1, "")


@pytest.mark.parametrize(("version", "key"), [("1.10", (1, 10)), ("1.2.0", (1, 2)), ("0.0", (0,))])
def test_versions_compare_as_numbers(version: str, key: tuple[int, ...]) -> None:
    """Part by part, trailing zeros dropped."""
    assert version_key(version) == key


def test_a_count_stands_for_instances_dealt_out_to_zones_then_domains() -> None:
    """Zones with digits as numbers, then text; ids from 0."""
    model = {"region": "r", "zones": ["b", "10", "2"], "upgrade_domains": 2, "instances": 8}
    dealt = [(one.id, one.cell, one.domain) for one in instances_of(model, "1.0")]
    cells = ["r/2", "r/10", "r/b"] * 2 + ["r/2", "r/10"]
    assert dealt == [(str(at), cell, at // 3 % 2) for at, cell in enumerate(cells)]
