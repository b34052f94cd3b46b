"""`phasegate verify --page`: where the page goes, and when there is none."""

from __future__ import annotations

from pathlib import Path

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
