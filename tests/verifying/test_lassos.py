"""Runs without an end: found where there are some, and fair."""

from __future__ import annotations

import re
from typing import Any

import pytest
from scenes import WINDOWS, NeverStarts, two_windows

from phasegate.cli.screen import Screen
from phasegate.cli.verifyview import AGAIN, show
from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.twin import Explorer
from phasegate.core.twin import Kernel as Twin
from phasegate.verifying import lassos
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import parse_scenario


class WaitsForTheOther(Twin):
    """A kernel whose first set starts only while the window of the second is shut, or its attempt has ended."""

    def standing(self, s: int) -> int:
        """Add that reason."""
        found = super().standing(s)
        return found | 128 if s == 0 and self.v.status[1] in (1, 2) and not self.v.mark[1] & 16 else found


class StallsOverIllness(Twin):
    """A kernel that finds no batch to start once somebody is unhealthy."""

    def choose(self, s: int) -> int:
        """Find none then."""
        return -1 if self.v.sums[c.SUM_BAD] else super().choose(s)

    def legal(self, s: int) -> list[Any]:
        """Find none then."""
        return [] if self.v.sums[c.SUM_BAD] else super().legal(s)


def twin(kernel: Any = Twin) -> Explorer:
    """Return a plain explorer of it."""
    made = Explorer(two_windows().subject(kernel), is_symmetric=False)
    made.open.settle_times()
    return made


def test_windows_that_recur_let_every_rollout_end() -> None:
    """Windows may open and close for ever, but not without being open again and again while a start is possible."""
    assert None is lassos.lasso(twin())
    result = verify(two_windows())
    assert ("holds", True) == (result.verdict, result.rising > 0)


def test_a_run_without_an_end_is_shown_as_a_way_there_and_a_round_trip() -> None:
    """Where nothing ever starts, both windows open and close for ever, each of them."""
    found = lassos.lasso(twin(NeverStarts))
    assert found is not None
    explorer = twin(NeverStarts)
    here, met = found.stem[-1] if found.stem else explorer.first, set()
    assert here == found.loop[-1]
    for key in found.loop:
        move = next(one.move for one in explorer.successors(here) if one.key == key)
        met.add(move[:2])
        here = key
    assert {(16, 0), (16, 1)} == met


def test_the_way_to_a_round_trip_is_told_too() -> None:
    """Where all is well until somebody falls ill, that comes first, and only then the windows that go round."""
    text = WINDOWS.replace("lost_reports: 0", "lost_reports: 0, health_flips: 1")
    explorer = Explorer(parse_scenario(text.encode(), "ill.yaml").subject(StallsOverIllness), is_symmetric=False)
    explorer.open.settle_times()
    found = lassos.lasso(explorer)
    assert found is not None
    assert found.stem
    first = next(one for one in explorer.successors(explorer.first) if one.key == found.stem[0])
    assert Act.UNHEALTHY == first.move[0]


def test_the_story_marks_what_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Each step of the round trip has its sign, and a line says how often it comes."""
    result = verify(two_windows(), kernel=NeverStarts)
    assert result.trace is not None
    show(Screen(), [result], written={}, unwritten=[])
    out = capsys.readouterr().out
    assert result.trace.again + 1 == out.count(AGAIN)


def test_where_nothing_is_owed_any_round_trip_will_do() -> None:
    """Without windows, an instance whose health comes and goes for ever keeps a run going that owes nothing."""
    text = WINDOWS.replace("lost_reports: 0", "lost_reports: 0, health_flips: any")
    text = re.sub(r",\n +windows: [^\n]*}\n", "}\n", text)
    explorer = Explorer(parse_scenario(text.encode(), "flips.yaml").subject(NeverStarts), is_symmetric=False)
    explorer.open.settle_times()
    found = lassos.lasso(explorer)
    assert found is not None
    assert ((), 2) == (found.stem, len(found.loop))


def test_the_verdict_names_the_promise_and_the_round_trip() -> None:
    """A run without an end breaks the promise that every rollout ends, and its trace runs through the engine."""
    result = verify(two_windows(), kernel=NeverStarts)
    assert ("violated", "every-rollout-ends") == (result.verdict, result.broken and result.broken.name)
    assert result.reason is not None
    assert "again and again" in result.reason
    assert result.trace is not None


def test_what_happens_again_and_again_counts_though_it_is_not_possible_all_the_time() -> None:
    """A start that is possible only while another window is shut happens at last: each window shuts again and again."""
    assert None is lassos.lasso(twin(WaitsForTheOther))


def test_too_many_states_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its bound the search gives up, and the verdict says why it is undetermined."""
    monkeypatch.setattr(lassos, "STATES_MAX", 3)
    with pytest.raises(lassos.TooLarge):
        lassos.lasso(twin())
    assert "undetermined" == verify(two_windows()).verdict
