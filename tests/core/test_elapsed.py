"""Timers that pass because somebody says so: each by its own rule, and refused where it is not armed."""

from __future__ import annotations

from typing import Any

import pytest
from fleets import UBUNTU, a_fleet, a_set, a_story

import phasegate as pg
from phasegate.core.errors import InvalidEvent, UnknownName
from phasegate.core.model import RollingPolicy, Window

WEB = "eastus/web"


def test_a_deadline_passes_before_its_time(kernel: Any) -> None:
    """Whoever is in flight goes back, or fails out of restoring; the others go on."""
    story = a_story(kernel, a_set(instances=3), max_batch_percent=70).roll_out()
    story.start(f"{WEB}/0", f"{WEB}/1")
    story.on(pg.Elapsed(now=0, deadlines=[story.slot(f"{WEB}/0")]))
    assert {"0": "restoring", "1": "replacing", "2": "pending"} == story.lives()
    story.on(pg.Elapsed(now=1, deadlines=[story.slot(f"{WEB}/0")]))
    assert {"0": "failed", "1": "replacing", "2": "pending"} == story.lives()
    assert 90 * 60_000 == story.engine.next_time(story.state)


def test_a_delay_and_a_pause_pass(kernel: Any) -> None:
    """A delayed set may start; one that rests between batches too."""
    fleet = a_fleet(
        a_set(instances=2, configured_at_ms=0, rolling_policy=RollingPolicy(pause_between_batches_ms=60_000))
    )
    story = a_story(kernel, fleet, delays=True).roll_out()
    assert [] == story.legal()
    story.on(pg.Elapsed(now=0, delays=[WEB]))
    story.start(f"{WEB}/0")
    story.upgrade()
    assert [] == story.legal()
    story.on(pg.Elapsed(now=story.now, pauses=[WEB]))
    assert [("eastus/-", [f"{WEB}/1"])] == story.legal()


def test_a_bake_passes(kernel: Any) -> None:
    """The phase is judged then."""
    story = a_story(kernel, a_set(instances=1), phase_bake_ms=1000).roll_out()
    story.start()
    story.upgrade()
    assert "running" == story.status()
    story.on(pg.Elapsed(now=story.now, bakes=[0]))
    assert "completed" == story.status()


def test_a_window_opens_and_closes(kernel: Any) -> None:
    """Whatever the clock says of it."""
    window = Window(day="sat", start="01:00", minutes=300)
    story = a_story(kernel, a_set(instances=1, windows=(window,))).roll_out()
    assert [] == story.legal()
    story.on(pg.Elapsed(now=0, windows=[(WEB, True)]))
    assert 1 == len(story.legal())
    story.on(pg.Elapsed(now=0, windows=[(WEB, False)]))
    assert [] == story.legal()


@pytest.mark.parametrize(
    ("timers", "words"),
    [
        ({"deadlines": [0]}, "slot 0 has no deadline: it is not in flight"),
        ({"deadlines": [9]}, "slot 9 has no deadline"),
        ({"delays": [WEB]}, f"set `{WEB}` is not delayed"),
        ({"pauses": [WEB]}, f"set `{WEB}` does not pause between batches"),
        ({"bakes": [0]}, "rollout 0 does not bake"),
        ({"windows": [(WEB, True)]}, f"set `{WEB}` waits for no maintenance window"),
    ],
)
def test_what_is_not_armed_is_refused(kernel: Any, timers: dict[str, Any], words: str) -> None:
    """Nothing has moved then."""
    story = a_story(kernel, a_set(instances=2)).roll_out()
    before = story.state
    with pytest.raises(InvalidEvent, match=words):
        story.on(pg.Elapsed(now=0, **timers))
    assert before == story.state


def test_names_that_there_are_not_are_refused(kernel: Any) -> None:
    """Sets by name, rollouts by number."""
    story = a_story(kernel, a_set(instances=1)).roll_out()
    for timers in ({"delays": ["eastus/wob"]}, {"bakes": [7]}, {"pauses": ["x"]}, {"windows": [("x", True)]}):
        with pytest.raises(UnknownName):
            story.on(pg.Elapsed(now=0, **timers))


def test_what_stands_still_does_not_pass(kernel: Any) -> None:
    """In a paused rollout neither a pause between batches nor a bake passes, before its first rollout nothing does."""
    resting = RollingPolicy(pause_between_batches_ms=60_000)
    story = a_story(kernel, a_set(instances=2, rolling_policy=resting), phase_bake_ms=5).roll_out()
    story.start(f"{WEB}/0")
    story.upgrade()
    story.on(pg.Pause(story.now))
    with pytest.raises(InvalidEvent, match="stands still: its rollout is paused"):
        story.on(pg.Elapsed(now=story.now, pauses=[WEB]))
    story.on(pg.Resume(story.now))
    story.on(pg.Elapsed(now=story.now, pauses=[WEB]))
    story.start()
    story.upgrade()
    story.on(pg.Pause(story.now))
    with pytest.raises(InvalidEvent, match="or stands still because it is paused"):
        story.on(pg.Elapsed(now=story.now, bakes=[0]))
    fresh = a_story(kernel, a_set(instances=1))
    with pytest.raises(InvalidEvent, match="does not pause"):
        fresh.on(pg.Elapsed(now=0, pauses=[WEB]))
    assert WEB == fresh.engine.set_of(fresh.state, 0)
    assert UBUNTU.name == fresh.engine.fleet.images[0].name
