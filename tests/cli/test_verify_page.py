"""`phasegate verify --page`: where the page goes, and when there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Call, Write

SCENARIO = """
format: phasegate/scenario/1
about: Two instances, and a step that may fail.
fleet:
  regions: [{name: eastus}]
  images:
    - {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS, versions: [{version: 1.0.0}, {version: 2.0.0}]}
  sets:
    - {name: web, region: eastus, image: {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS},
       upgrade_domains: 1, instances: 2}
environment: {failed_steps: 1, lost_reports: 0}
policy: {delays: false}
"""
PROMISES = """
from phasegate.verifying.promise import always


@always(reads=("restored",))
def none_restored(state):
    "Nobody is ever rolled back."
    return state.restored == 0
"""

SOMETIMES = """
from phasegate.verifying.promise import sometimes


@sometimes(reads=("upgraded",))
def both_done(state):
    return state.upgraded == 2
"""
ABOUT_NAMES = """
from phasegate.verifying.promise import always


@always(reads=("life",))
def none_restored(state):
    return "restored" not in state.life.values()
"""


def test_the_page_is_written_and_named(call: Call, write: Write) -> None:
    """Beside what is shown anyway, with the exit code of a broken promise."""
    write("two.yaml", SCENARIO)
    write("mine.py", PROMISES)
    result = call("verify", "two.yaml", "--kernel", "twin", "--promises", "mine.py", "--page", "run.html")
    assert 1 == result.exit_code
    assert "its page is in run.html: open it in a browser" in result.stdout
    assert Path("run.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_log_and_page_go_side_by_side(call: Call, write: Write) -> None:
    """Both are named, and what the page holds is the log."""
    write("two.yaml", SCENARIO)
    write("mine.py", PROMISES)
    asked = ("--kernel", "twin", "--promises", "mine.py", "--page", "run.html", "--trace", "run.ndjson")
    result = call("verify", "two.yaml", *asked)
    assert "its log is in run.ndjson" in result.stdout
    assert "its page is in run.html" in result.stdout
    assert 0 == call("replay", "run.ndjson").exit_code


def test_the_page_goes_to_standard_output(call: Call, write: Write) -> None:
    """Where it is not named."""
    write("two.yaml", SCENARIO)
    write("mine.py", PROMISES)
    result = call("verify", "two.yaml", "--kernel", "twin", "--promises", "mine.py", "--page", "-")
    assert result.stdout.startswith("<!DOCTYPE html>")
    assert "none_restored` is broken" in result.stderr


def test_where_nothing_is_broken_there_is_no_page(call: Call, write: Write) -> None:
    """And none is written, which is said."""
    write("two.yaml", SCENARIO)
    result = call("verify", "two.yaml", "--page", "run.html")
    assert 0 == result.exit_code
    assert "there is no run to show: run.html was not written" in result.stdout
    assert not Path("run.html").exists()


def test_a_witness_is_a_run_to_what_is_named(call: Call, write: Write) -> None:
    """As page and log; the verdict is what it is."""
    write("two.yaml", SCENARIO)
    asked = ("--kernel", "twin", "--witness", "restored", "--page", "run.html", "--trace", "run.ndjson")
    result = call("verify", "two.yaml", *asked)
    assert 0 == result.exit_code
    assert "a run to what `restored` names is shown" in result.stdout
    assert "✓ here it is shown: restored" in Path("run.html").read_text(encoding="utf-8")
    kinds = [json.loads(line)["kind"] for line in Path("run.ndjson").read_text(encoding="utf-8").splitlines()]
    assert ["shown", "log-ended"] == kinds[-2:]
    assert 0 == call("replay", "run.ndjson").exit_code


def test_a_witness_may_be_a_promise_of_ones_own(call: Call, write: Write) -> None:
    """Of the kind `sometimes`; where nothing shows it, the answer is no, and there is no page."""
    write("two.yaml", SCENARIO)
    write("mine.py", SOMETIMES)
    shown = call("verify", "two.yaml", "--kernel", "twin", "--promises", "mine.py", "--witness", "both_done")
    assert 0 == shown.exit_code
    never = call("verify", "two.yaml", "--kernel", "twin", "--witness", "paused", "--page", "run.html")
    assert 1 == never.exit_code
    assert "promise `paused` is never shown" in never.stdout
    assert "there is no run to show: run.html was not written" in never.stdout


def test_a_promise_about_names_has_no_numbers(call: Call, write: Write) -> None:
    """Neither the story nor the page makes any up."""
    write("two.yaml", SCENARIO)
    write("mine.py", ABOUT_NAMES)
    result = call("verify", "two.yaml", "--kernel", "twin", "--promises", "mine.py", "--page", "run.html")
    assert 1 == result.exit_code
    assert "  so  " not in result.stdout
    assert 'class="evidence"' not in Path("run.html").read_text(encoding="utf-8")


def test_an_unknown_witness_is_refused(call: Call, write: Write) -> None:
    """With the closest name that there is."""
    write("two.yaml", SCENARIO)
    result = call("verify", "two.yaml", "--witness", "restord")
    assert 2 == result.exit_code
    assert "error: unknown condition `restord`; did you mean `restored`? (--witness)" in result.stderr


def test_what_cannot_be_written_is_refused_before_the_run(call: Call, write: Write) -> None:
    """A folder that is not there, one page of two scenarios, and one file for two things."""
    write("two.yaml", SCENARIO)
    cases = {
        ("two.yaml", "--page", "none/run.html"): "there is no folder `none` to write to (--page)",
        ("two.yaml", "two.yaml", "--page", "run.html"): "one page file is for one scenario (--page)",
        ("two.yaml", "--page", "-", "--json"): (
            "the page and `--json` cannot both go to standard output; write it to a file (--page)"
        ),
        ("two.yaml", "--page", "run", "--trace", "run"): "`run` is where the log goes (--page)",
    }
    for arguments, words in cases.items():
        result = call("verify", *arguments)
        assert 2 == result.exit_code
        assert words in result.stderr


def test_the_readme_shows_what_is_printed(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Up to where times and memory begin."""
    top = Path(__file__).parents[2]
    readme = (top / "README.md").read_text(encoding="utf-8")
    command, shown = re.findall(r"```sh\nphasegate (verify .*?)\n```\n\n```text\n(.*?)```", readme, re.DOTALL)[0]
    (tmp_path / "examples").symlink_to(top / "examples")
    monkeypatch.chdir(tmp_path)
    result = call(*command.split())
    assert 1 == result.exit_code
    assert shown.rstrip() == result.stdout.partition("\n\n  states")[0]
