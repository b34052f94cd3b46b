"""Running a log again: the same states, and the first line that differs when somebody has changed it."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from typing import Any

import pytest
from paper_engine import NEW, OLD, fleet_of

from phasegate.core.engine import Engine
from phasegate.core.errors import InvalidModel
from phasegate.core.lifecycle import Life
from phasegate.core.rules import Admit, Question
from phasegate.files.documents import InvalidFile
from phasegate.logs.replay import Difference, policy_of, replay, state_at
from phasegate.policies import availability_first
from phasegate.simulating.simulation import simulate

WEB = "eastus/web"


class Willing:
    """A policy of somebody's own that admits everything."""

    name = "willing"

    def judge(self, question: Question) -> Admit:
        """Admit it."""
        return Admit()


def logged(**options: Any) -> list[bytes]:
    """Return the lines of a small run."""
    pieces: list[bytes] = []
    simulate(Engine(fleet_of(WEB, size=2), availability_first(**options)), sink=pieces.append)
    return b"".join(pieces).splitlines(keepends=True)


LOG = logged()


def changed(number: int, change: Callable[[dict[str, Any]], object]) -> list[bytes]:
    """Return the log with one line changed, counted from 1."""
    line = json.loads(LOG[number - 1])
    change(line)
    return [*LOG[: number - 1], json.dumps(line).encode() + b"\n", *LOG[number:]]


def number_of(kind: str, **fields: Any) -> int:
    """Return the number of the first line of that kind with those fields."""
    for number, text in enumerate(LOG, 1):
        line = json.loads(text)
        if line["kind"] == kind and fields.items() <= line.items():
            return number
    raise LookupError(kind)


def test_a_log_runs_again_to_the_same_states() -> None:
    """Every line is counted, and the last state is that of the run."""
    report = replay(LOG)
    steps = sum(json.loads(line)["kind"] == "step" for line in LOG)
    assert report.is_same
    assert (report.steps, report.lines, report.difference) == (steps, len(LOG), None)
    assert report.engine.progress(report.state)["rollouts"][0]["status"] == "completed"


def test_a_log_from_another_json_writer_is_the_same() -> None:
    """Blanks and the order of keys say nothing."""
    rewritten = [LOG[0]]
    for text in LOG[1:]:
        line = json.loads(text)
        rewritten.append(json.dumps(dict(reversed(line.items()))).encode() + b"\r\n")
    assert replay(rewritten).is_same


def test_the_first_changed_consequence_is_named() -> None:
    """By number, with what the log says and what the engine says."""
    number = number_of("became", state="verifying")
    report = replay(changed(number, lambda line: line.update(state="upgraded")))
    assert not report.is_same
    difference = report.difference
    assert difference is not None
    assert (difference.line, report.lines) == (number, number)
    assert '"state": "upgraded"' in difference.recorded
    assert '"state":"verifying"' in difference.replayed
    assert str(difference).startswith(f"line {number} says `{{")


def test_a_changed_digest_is_named() -> None:
    """Also where nothing else differs."""
    number = number_of("step", event="start")
    report = replay(changed(number, lambda line: line.update(state="0" * 32)))
    assert report.difference is not None
    assert report.difference.line == number


def test_a_changed_event_differs_in_what_follows_from_it() -> None:
    """A report that fails in the place of one that succeeds leads elsewhere."""
    number = number_of("signal", what="configured")
    report = replay(changed(number, lambda line: line.update(what="failed")))
    assert report.difference is not None
    assert report.difference.line == number + 1


def test_a_missing_and_an_added_consequence_are_named() -> None:
    """Where the step's lines part."""
    number = number_of("became", state="verifying")
    missing = replay([*LOG[: number - 1], *LOG[number:]]).difference
    added = replay([*LOG[:number], LOG[number - 1], *LOG[number:]]).difference
    assert missing is not None
    assert added is not None
    assert (missing.line, added.line) == (number, number + 1)


def test_lines_that_the_log_has_too_few_or_too_many_are_shown_as_nothing() -> None:
    """The engine says something where the log ends its step, or the other way round."""
    number = number_of("step", event="start")
    moved = [*LOG[: number - 1], LOG[number - 1], *LOG[number:]]
    extra = json.dumps({"t": 0, "kind": "x"}).encode() + b"\n"
    longer = replay([*moved[: number - 1], extra, *moved[number - 1 :]]).difference
    assert longer == Difference(number, extra.decode().strip(), LOG[number - 1].decode().strip())


def test_an_event_that_the_engine_refuses_is_a_difference() -> None:
    """Here a batch of an instance that is not pending any more."""
    first = number_of("batch-started", instances=["0"])
    second = number_of("batch-started", instances=["1"])
    report = replay(changed(second, lambda line: line.update(instances=["0"])))
    assert first < second
    assert report.difference is not None
    assert report.difference.line == second
    assert report.difference.replayed.startswith("refused: ")


def test_a_version_that_is_none_is_refused_on_its_line() -> None:
    """Whatever the engine says of an event is said of where it stands."""
    number = number_of("rollout-started")
    edited = changed(number, lambda line: line["asked"].update(target="x"))
    report = replay(edited)
    assert report.difference is not None
    assert "refused: version `x` is not dotted integers, like `1.2.0`" == report.difference.replayed
    with pytest.raises(InvalidFile, match=r"the engine refuses the event: version `x` .* \(log: line \d+\)"):
        state_at(edited)


def test_a_long_line_is_cut_short_in_words() -> None:
    """At 200 signs."""
    assert str(Difference(7, "x" * 300, "")) == f"line 7 says `{'x' * 200}...`, the engine says ``"


def test_the_state_at_a_time_is_that_after_the_last_step_until_then() -> None:
    """Before the first step, in between, and at the end."""
    replaced = json.loads(LOG[number_of("became", state="configuring") - 1])["t"]
    for time, life, version in (
        (replaced - 1, Life.REPLACING, OLD),
        (replaced, Life.CONFIGURING, NEW),
        (None, Life.UPGRADED, NEW),
    ):
        engine, state = state_at(LOG, time)
        (slot,) = engine.slots(state, [f"{WEB}/0"])
        assert (engine.life(state, slot), engine.version(state, slot)) == (life, version)
    engine, state = state_at(LOG, -1)
    assert state == engine.initial(now=0)


def test_a_changed_log_has_no_state_at_a_time_after_the_change() -> None:
    """It names the line of the step, or why the engine refuses it; before it, all is well."""
    second = number_of("batch-started", instances=["1"])
    refused = changed(second, lambda line: line.update(instances=["0"]))
    with pytest.raises(InvalidFile, match=r"the engine refuses the event: .* \(rollout\.log: line \d+\)"):
        state_at(refused, name="rollout.log")
    state_at(refused, json.loads(LOG[second - 1])["t"] - 1)
    number = number_of("step", event="start")
    with pytest.raises(InvalidFile, match=rf"the engine comes to the state [0-9a-f]{{32}} \(log: line {number}\)"):
        state_at(changed(number, lambda line: line.update(state="0" * 32)))


@pytest.mark.parametrize("kept", [0, 1, 7, len(LOG) - 1])
def test_a_log_that_is_cut_off_is_refused(kept: int) -> None:
    """Wherever it is cut: between steps, in a step, before its end, or whole."""
    with pytest.raises(InvalidFile, match="line" if kept else r"^is empty \(log\)$"):
        replay(LOG[:kept])


def test_a_log_that_is_cut_off_within_a_line_is_refused() -> None:
    """With the line's number; a line that is no JSON though whole, or blank, is something else."""
    with pytest.raises(InvalidFile, match=rf"the log is cut off in the middle of a line \(log: line {len(LOG)}\)"):
        replay([*LOG[:-1], LOG[-1][:10]])
    with pytest.raises(InvalidFile, match=rf"no line of a log: .*line {len(LOG)}"):
        replay([*LOG[:-1], LOG[-1][:10] + b"\n"])
    with pytest.raises(InvalidFile, match=r"no line of a log: it is blank \(log: line 2\)"):
        replay([LOG[0], b"\r\n", *LOG[1:]])


def test_a_log_may_begin_with_the_mark_of_utf_8() -> None:
    """As some editors write it."""
    report = replay([codecs.BOM_UTF8 + LOG[0], *LOG[1:]])
    assert (replay(LOG).steps, None) == (report.steps, report.difference)


def test_what_is_no_log_at_all_says_who_writes_one() -> None:
    """A fleet file, say, or a file that begins with a blank line."""
    with pytest.raises(InvalidFile, match=r"no log as `simulate --log` writes it: .* \(fleet\.yaml: line 1\)"):
        replay([b"format: phasegate/fleet/1\n"], name="fleet.yaml")
    with pytest.raises(InvalidFile, match=r"the first line is blank \(log: line 1\)"):
        replay([b"\n", *LOG])


def test_a_log_under_somebodys_own_policy_needs_that_policy() -> None:
    """The log has its name only; without it, the first line is at fault."""
    log = logged(also=(Willing(),))
    assert replay(log, also=[Willing()]).is_same
    with pytest.raises(InvalidFile) as caught:
        replay(log)
    assert str(caught.value) == (
        "policy: policy `willing` of somebody's own is not known here; give it with `also` (at `also`) (log: line 1)"
    )


def test_a_policy_comes_back_from_its_document() -> None:
    """With every option, the supported images too."""
    policy = availability_first(max_batch_percent=50, delays=False)
    assert policy_of({"format": "phasegate/policy/1", **policy.document()}) == policy
    assert policy_of({"format": "phasegate/policy/1"}) == availability_first()


def test_an_unknown_option_of_a_policy_is_refused() -> None:
    """With the closest that there is."""
    with pytest.raises(InvalidModel, match="max_batch_percent"):
        policy_of({"format": "phasegate/policy/1", "max_batch_precent": 5})


def test_a_fleet_in_the_first_line_that_is_none_is_refused() -> None:
    """With its place."""
    with pytest.raises(InvalidFile, match=r"rollout\.log: line 1, fleet"):
        replay(changed(1, lambda line: line["fleet"].update(regions=5)), name="rollout.log")
