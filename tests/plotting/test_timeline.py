"""A rollout's log as plain series."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_logs import IMAGE, MINUTE, TARGET, Line, Story, lines

from phasegate.core.engine import Engine
from phasegate.core.errors import InvalidModel
from phasegate.files.fleetfile import parse_fleet
from phasegate.plotting.timeline import collect
from phasegate.plotting.tracks import Timeline
from phasegate.policies import availability_first
from phasegate.simulating.faults import parse_faults
from phasegate.simulating.simulation import Summary, simulate

FLEET = {
    "regions": [{"name": "east", "zones": ["2", "1"]}, {"name": "west"}],
    "sets": [
        {"name": "web", "region": "east", "zones": ["1", "2"], "instances": 6},
        {"name": "db", "region": "west", "instances": [{"id": "a", "health": "unknown"}, {"id": "b"}]},
        {"name": "all", "region": "east", "rolling_policy": {"enable_cross_zone": True}, "instances": 2},
    ],
}


def line(t: int, kind: str, **more: Any) -> Line:
    """Return one line, of rollout 1 unless it says otherwise."""
    return {"t": t, "kind": kind, "rollout": 1, **more}


LOG = line(0, "log", fleet=FLEET)
STARTED = line(0, "rollout-started", image="corp/web", target="2.0", started_by="ann", phases=[["east"], ["west"]])


def batch(t: int, name: str, ids: list[str], **where: Any) -> Line:
    """Return the start of a batch."""
    return line(t, "batch-started", set=name, instances=ids, upgrade_domain=0, **where)


def became(t: int, name: str, state: str, ids: list[str]) -> Line:
    """Return what became of instances."""
    return line(t, "became", set=name, state=state, instances=ids, cause="signal")


def reported(t: int, name: str, what: str, ids: list[str], observed_at: int) -> Line:
    """Return a report."""
    return line(t, "signal", set=name, what=what, instances=ids, observed_at=observed_at)


def ended(t: int, name: str, status: str) -> Line:
    """Return the end of an attempt."""
    return line(t, "attempt-ended", set=name, status=status, error=None, progress={})


WHOLE = [
    LOG,
    STARTED,
    line(0, "phase-opened", phase=0, regions=["east"]),
    batch(10, "east/web", ["0", "2"], cell="east/1"),
    line(10, "command", set="east/web", id="1", instances=["0", "2"]),
    became(15, "east/web", "configuring", ["0", "2"]),
    became(18, "east/web", "verifying", ["0", "2"]),
    reported(20, "east/web", "healthy", ["0"], 20),
    became(20, "east/web", "upgraded", ["0"]),
    became(30, "east/web", "restoring", ["2"]),
    became(34, "east/web", "restored", ["2"]),
    batch(40, "east/web", ["4"], cell="east/1"),
    became(50, "east/web", "failed", ["4"]),
    line(55, "paused", rollout=None),
    line(56, "paused"),
    line(60, "resumed"),
    batch(60, "east/web", ["1", "3"], cell="east/2"),
    batch(60, "east/all", ["0", "1"], cell="east/1"),
    line(65, "published", image="corp/web", version="3.0"),
    line(66, "published", image="corp/web", version={"version": "3.1", "published_at_ms": 66}),
    line(70, "scaled", set="east/web", added=[{"id": "6"}, {"id": "7"}], removed=["3", "5"]),
    reported(70, "east/web", "unhealthy", ["3"], 70),
    became(80, "east/web", "upgraded", ["1"]),
    became(80, "east/all", "upgraded", ["0", "1"]),
    ended(80, "east/web", "faulted"),
    ended(80, "east/all", "completed"),
    line(90, "phase-ended", phase=0, succeeded=False, lost=2, eligible=6),
    ended(90, "west/db", "cancelled"),
    line(90, "rollout-ended", status="halted", reason="phase 0 did not succeed"),
    reported(95, "west/db", "healthy", ["a"], 94),
    line(100, "log-ended"),
]


def plain(value: Any) -> Any:
    """Return a timeline as lists and dictionaries."""
    if isinstance(value, array):
        return list(value)
    if attrs.has(type(value)):
        return {one.name: plain(getattr(value, one.name)) for one in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def spans(*pairs: tuple[int, int]) -> dict[str, list[int]]:
    """Return spans as `plain` shows them."""
    return {"starts": [start for start, _ in pairs], "ends": [end for _, end in pairs]}


def counts(*pairs: tuple[int, int]) -> dict[str, list[int]]:
    """Return counts as `plain` shows them."""
    return {"at": [at for at, _ in pairs], "count": [count for _, count in pairs]}


def test_a_whole_log_comes_to_these_series() -> None:
    """Bars, waits, failures, phases, pauses, marks and shares of a log that has a line of every kind."""
    nothing = counts()
    east = {
        "region": "east",
        "zones": ["1", "2"],
        "lanes": {"1": spans((10, 34), (40, 50)), "2": spans((60, 80)), "*": spans((60, 80))},
        "waits": {"1": spans((34, 40))},
        "batches": 4,
        "upgraded": 4,
        "restored": counts((34, 1)),
        "failed": counts((50, 1)),
        "faulted": counts((80, 1)),
        "cancelled": nothing,
    }
    west = {
        "region": "west",
        "zones": [],
        "lanes": {},
        "waits": {},
        "batches": 0,
        "upgraded": 0,
        "restored": nothing,
        "failed": nothing,
        "faulted": nothing,
        "cancelled": counts((90, 1)),
    }
    phases = [
        {
            "number": 0,
            "regions": [east],
            "opened_ms": 0,
            "ended_ms": 90,
            "succeeded": False,
            "lost": 2,
            "eligible": 6,
        },
        {
            "number": 1,
            "regions": [west],
            "opened_ms": None,
            "ended_ms": None,
            "succeeded": None,
            "lost": 0,
            "eligible": 0,
        },
    ]
    rollout = {
        "id": 1,
        "image": "corp/web",
        "target": "2.0",
        "started_by": "ann",
        "started_ms": 0,
        "ended_ms": 90,
        "status": "halted",
        "reason": "phase 0 did not succeed",
        "cancelled_ms": None,
        "paused": spans((55, 60)),
        "phases": phases,
    }
    expected = {
        "start_ms": 0,
        "end_ms": 100,
        "rollouts": [rollout],
        "marks": [
            {"at_ms": 65, "kind": "published", "words": "corp/web 3.0"},
            {"at_ms": 66, "kind": "published", "words": "corp/web 3.1"},
            {"at_ms": 70, "kind": "scaled", "words": "east/web +2 \N{MINUS SIGN}2"},
        ],
        "in_flight": {
            "at": [0, 10, 20, 34, 40, 50, 60, 70, 80],
            "count": [0, 2, 1, 0, 1, 0, 4, 3, 0],
            "whole": [10] * 9,
            "high": [0, 2, 1, 0, 1, 0, 4, 3, 2],
        },
        "not_healthy": {
            "at": [0, 50, 95],
            "count": [1, 2, 1],
            "whole": [10] * 3,
            "high": [1, 2, 1],
        },
    }
    assert expected == plain(collect(WHOLE))


def test_a_log_is_read_once_and_equal_logs_give_equal_timelines() -> None:
    """A generator will do."""
    assert collect(WHOLE) == collect(one for one in WHOLE)


def test_a_log_with_steps_is_taken_step_by_step() -> None:
    """What lies between two lines of one step is no state of the fleet."""
    step = line(10, "step", n=1)
    both = [
        line(9, "step", n=0),
        reported(10, "east/web", "unhealthy", ["0"], 10),
        reported(10, "west/db", "healthy", ["a"], 10),
        step,
    ]
    assert tuple(collect([LOG, *more]).not_healthy.most for more in (both, both[1:3])) == (1, 2)


def test_a_rollout_without_phases_has_one_group_of_regions_in_order() -> None:
    """And a rollout that the log leaves running has no end; what is in flight is drawn until the last line."""
    log = [
        LOG,
        STARTED | {"phases": None},
        batch(5, "west/db", ["a"], cell="west/-"),
        batch(6, "east/web", ["0"], cell="east/1"),
        line(7, "paused"),
        line(8, "cancelled", rollout=None),
        line(9, "log-ended"),
    ]
    rollout = collect(log).rollouts[0]
    (phase,) = rollout.phases
    assert (
        phase.number,
        phase.opened_ms,
        rollout.ended_ms,
        rollout.status,
        rollout.cancelled_ms,
    ) == (None, 0, None, "running", 8)
    assert [(track.region, [span for spans in track.lanes.values() for span in spans]) for track in phase.regions] == [
        ("east", [(6, 9)]),
        ("west", [(5, 9)]),
    ]
    assert list(rollout.paused) == [(7, 9)]


def test_a_region_outside_of_the_phases_is_seen() -> None:
    """It comes after them, in a group without a number."""
    log = [LOG, STARTED | {"phases": [["east"]]}, batch(5, "west/db", ["a"], cell="west/-")]
    assert [(phase.number, [track.region for track in phase.regions]) for phase in collect(log).rollouts[0].phases] == [
        (0, ["east"]),
        (None, ["west"]),
    ]


def test_pauses_and_cancels_of_all_are_those_of_the_running_rollouts() -> None:
    """A rollout that has ended is not paused any more; an end ends its pause."""
    second = STARTED | {"rollout": 2, "phases": []}
    log = [
        LOG,
        STARTED,
        second,
        line(3, "paused"),
        line(5, "rollout-ended", status="cancelled"),
        line(6, "paused", rollout=None),
        line(9, "resumed", rollout=None),
        line(9, "cancelled", rollout=None),
    ]
    assert [(list(rollout.paused), rollout.cancelled_ms) for rollout in collect(log).rollouts] == [
        ([(3, 5)], None),
        ([(6, 9)], 9),
    ]


def test_a_set_that_once_ran_across_zones_always_does() -> None:
    """A later batch that happens to be in one zone stands in the same lane."""
    log = [
        LOG,
        STARTED,
        batch(5, "east/web", ["0"], cells=["east/1", "east/2"]),
        became(6, "east/web", "upgraded", ["0"]),
        batch(7, "east/web", ["1"], cell="east/1"),
    ]
    track = collect([*log, line(8, "log-ended")]).rollouts[0].regions[0]
    assert {name: list(found) for name, found in track.lanes.items()} == {"*": [(5, 6), (7, 8)]}


def test_the_wait_between_batches_ends_with_the_attempt() -> None:
    """The next attempt of the set, in another rollout, does not begin where the last one ended."""
    log = [
        LOG,
        STARTED,
        batch(5, "east/web", ["0"], cell="east/1"),
        became(6, "east/web", "upgraded", ["0"]),
        ended(6, "east/web", "completed"),
        batch(9, "east/web", ["1"], cell="east/1"),
        ended(9, "east/web", "completed"),
        became(12, "east/web", "upgraded", ["1"]),
    ]
    track = collect(log).rollouts[0].regions[0]
    assert (track.waits, track.upgraded) == ({}, 2)


def test_what_lands_without_a_batch_is_counted_where_its_line_says() -> None:
    """A log that begins in the midst of a rollout still tells of failures."""
    log = [LOG, STARTED, became(5, "east/web", "failed", ["1"])]
    timeline = collect(log)
    assert (timeline.rollouts[0].regions[0].failed.total, timeline.not_healthy.most) == (0, 2)


def test_a_scale_in_alone_and_a_set_that_nobody_started() -> None:
    """Instances that go take their health with them."""
    timeline = collect([LOG, line(5, "scaled", set="west/db", added=[], removed=["a"])])
    assert (
        timeline.marks[0].words,
        list(timeline.not_healthy.count),
        list(timeline.in_flight.whole),
    ) == ("west/db \N{MINUS SIGN}1", [1, 0], [10, 9])


@pytest.mark.parametrize(
    ("log", "what", "place"),
    [
        ([], "the log is empty; its first line has kind `log` and the fleet", ""),
        (
            [STARTED],
            "the first line of a log has kind `log` and the fleet; this is not a log, or a part of one",
            "line 1",
        ),
        ([line(0, "log")], "a `log` line lacks `fleet`", "line 1"),
        ([["log"]], "the line does not have the shape that its kind has", "line 1"),
        ([LOG, {"kind": "step"}], "a `step` line lacks `t`", "line 2"),
        ([LOG, line(5, "step"), line(4, "step")], "time goes back from 5 to 4 ms; a log is in order", "line 3"),
        ([line("0", "log", fleet=FLEET)], "the line does not have the shape that its kind has", "line 1"),
        ([LOG, {"t": None, "kind": "step"}], "the line does not have the shape that its kind has", "line 2"),
        ([LOG, STARTED | {"phases": [["north"]]}], "region `north` is not in the fleet of the log", "line 2"),
        ([LOG, batch(1, "east/web", ["0"], cell="east/1")], "rollout `1` was not started before", "line 2"),
        ([LOG, ended(1, "east/x", "faulted")], "set `east/x` is not in the fleet of the log", "line 2"),
        (
            [LOG, STARTED, batch(1, "east/web", ["0"], cell="west/1")],
            "cell `west/1` is not in region `east` of the fleet of the log",
            "line 3",
        ),
        (
            [
                LOG,
                STARTED,
                STARTED | {"rollout": 2},
                batch(1, "east/web", ["0"], cell="east/1"),
                batch(2, "east/web", ["1"], cell="east/1", rollout=2),
            ],
            "a batch of `east/web` starts while instances of it are in flight in another rollout",
            "line 5",
        ),
    ],
)
def test_a_log_that_cannot_be_right_is_refused_with_its_line(log: list[Any], what: str, place: str) -> None:
    """What is wrong, and where; never a traceback of something else."""
    with pytest.raises(InvalidModel) as caught:
        collect(log)
    assert (what, place) == (caught.value.what, caught.value.path)


STATES = ("healthy", "unhealthy", "unknown", "initializing")
IDS = st.lists(st.sampled_from(["0", "1", "2", "3", "07", "x"]), max_size=3, unique=True)
HAPPENINGS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["batch", "configuring", "upgraded", "restored", "failed", "add", "remove", *STATES]),
        IDS,
        st.integers(0, 3),
    ),
    max_size=40,
)


def told(happenings: Iterable[tuple[int, str, list[str], int]]) -> list[Line]:
    """Return a log, sensible or not, in which these things happen to one set."""
    log, now = [LOG, STARTED], 0
    for wait, what, ids, late in happenings:
        now += wait
        if what == "batch":
            log.append(batch(now, "east/web", ids, cell="east/1"))
        elif what == "add":
            log.append(line(now, "scaled", set="east/web", added=[{"id": one} for one in ids], removed=[]))
        elif what == "remove":
            log.append(line(now, "scaled", set="east/web", added=[], removed=ids))
        elif what in STATES:
            log.append(reported(now, "east/web", what, ids, now - late))
        else:
            log.append(became(now, "east/web", what, ids))
    return log


class Model:
    """The plain definition: an object an instance."""

    def __init__(self) -> None:
        self.there = {str(at): {"in_flight": False, "bad": False, "seen": -(10**9)} for at in range(6)}
        self.elsewhere = (1, 4)  # not healthy, and all, of the other sets

    def read(self, one: Line) -> tuple[int, int, int]:
        """Take in a line; return what is in flight, not healthy, and there."""
        t, kind = one["t"], one["kind"]
        if kind == "scaled":
            for name in one["removed"]:
                self.there.pop(name, None)
            for added in one["added"]:
                self.there.setdefault(added["id"], {"in_flight": False, "bad": False, "seen": t - 1})["seen"] = t - 1
        for name in one.get("instances", ()):
            it = self.there.get(name)
            if it is None:
                continue
            if kind == "batch-started":
                it["in_flight"] = True
            elif kind == "signal" and one["observed_at"] > it["seen"]:
                it |= {"bad": one["what"] in ("unhealthy", "unknown"), "seen": one["observed_at"]}
            elif kind == "became":
                if one["state"] != "configuring":
                    it["in_flight"] = False
                if one["state"] != "upgraded":
                    it |= {"bad": one["state"] == "failed", "seen": t - 1}
        here = self.there.values()
        bad, others = self.elsewhere
        return sum(it["in_flight"] for it in here), bad + sum(it["bad"] for it in here), others + len(here)


@settings(max_examples=200)
@given(HAPPENINGS)
def test_the_shares_are_those_of_the_plain_definition(happenings: list[tuple[int, str, list[str], int]]) -> None:
    """After every instant, and the peak after every line, as if each instance were an object."""
    log = told(happenings)
    model = Model()
    expected: dict[int, tuple[int, int, int]] = {}
    highest = [0, 0]
    for one in log:
        flying, bad, there = expected[one["t"]] = model.read(one)
        highest = [max(highest[0], flying), max(highest[1], bad)]
    timeline = collect(log)
    for at, (flying, bad, there) in expected.items():
        for steps, count in ((timeline.in_flight, flying), (timeline.not_healthy, bad)):
            place = max(place for place, begun in enumerate(steps.at) if begun <= at)
            assert (count, there) == (steps.count[place], steps.whole[place])
    assert highest == [timeline.in_flight.most, timeline.not_healthy.most]


def covers(timeline: Timeline) -> bool:
    """Say whether something is in flight exactly while some bar is drawn."""
    bars = [list(one) for rollout in timeline.rollouts for track in rollout.regions for one in track.lanes.values()]
    steps = timeline.in_flight
    return all(
        (count > 0) == any(start <= at < end for bar in bars for start, end in bar)
        for at, count in zip(steps.at, steps.count, strict=True)
        if at < timeline.end_ms
    )


@settings(max_examples=25)
@given(
    st.builds(
        Story,
        regions=st.integers(1, 4),
        sets=st.integers(1, 3),
        instances=st.integers(1, 12),
        seed=st.integers(0, 99),
        pause_ms=st.sampled_from([0, MINUTE]),
        restored=st.sampled_from([0.0, 0.2]),
        failed=st.sampled_from([0.0, 0.2]),
        cross_zone=st.booleans(),
        zoneless=st.booleans(),
        spread=st.booleans(),
    )
)
def test_bars_are_drawn_exactly_while_something_is_in_flight(story: Story) -> None:
    """In whole made-up rollouts, and every instance ends up in one of the counts."""
    timeline = collect(lines(story))
    assert covers(timeline)
    tracks = timeline.rollouts[0].regions
    opened = [phase for phase in timeline.rollouts[0].phases if phase.opened_ms is not None]
    regions = sum(len(phase.regions) for phase in opened)
    done = sum(track.upgraded + track.restored.total + track.failed.total for track in tracks)
    assert regions * story.sets * story.instances == done
    assert (timeline.rollouts[0].image, timeline.rollouts[0].target) == (IMAGE, TARGET)


def simulated(seed: int) -> tuple[Summary, Timeline]:
    """Run a whole rollout in which everything goes wrong now and then; return what it came to, and its log."""
    image = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
    limits = {"max_unhealthy_upgraded_percent": 50, "pause_between_batches_ms": MINUTE}
    places = {"eastus": ["1", "2", "3"], "westus": ["1", "2"], "north": []}
    fleet = {
        "format": "phasegate/fleet/1",
        "regions": [{"name": name, "zones": zones} for name, zones in places.items()],
        "images": [{**image, "versions": [{"version": version} for version in ("18.04.1", "18.04.2")]}],
        "sets": [
            {
                "name": name,
                "region": region,
                "zones": zones,
                "instances": 12,
                "image": {**image, "version": "latest"},
                "rolling_policy": limits | {"enable_cross_zone": name == "all"},
            }
            for region, zones in places.items()
            for name in ("web", "all")
        ],
    }
    faults = {
        "format": "phasegate/faults/1",
        "timing": {"replace_ms": [MINUTE, 2 * MINUTE], "healthy_after_ms": [5000, MINUTE]},
        "rates": {
            "never_healthy": 0.05,
            "replace_fails": 0.05,
            "restore_fails": 0.2,
            "late_report": 0.2,
            "duplicate_report": 0.2,
        },
        "events": [
            {"instances": "north/*/*", "at_ms": 60 * MINUTE, "until_ms": 90 * MINUTE, "health": "unhealthy"},
            {"at_ms": 30 * MINUTE, "scale": "eastus/web", "to": 20},
            {"at_ms": 100 * MINUTE, "scale": "eastus/web", "to": 9},
        ],
    }
    policy = availability_first(phase_failure_percent=60)
    engine = Engine(parse_fleet(json.dumps(fleet).encode(), "fleet.json"), policy)
    log: list[bytes] = []
    summary = simulate(engine, seed=seed, faults=parse_faults(faults), sink=log.append)
    return summary, collect(map(json.loads, b"".join(log).splitlines()))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_peaks_are_those_that_the_engine_counted(seed: int) -> None:
    """Late, stale and duplicate reports, failures, outages, scale-outs and scale-ins: health and flight agree."""
    summary, timeline = simulated(seed)
    assert (summary.max_in_flight, summary.max_unhealthy) == (timeline.in_flight.most, timeline.not_healthy.most)
    assert covers(timeline)
    assert sum(rollout["batches"] for rollout in summary.document["rollouts"]) == sum(
        track.batches for rollout in timeline.rollouts for track in rollout.regions
    )


def test_a_large_log_keeps_little() -> None:
    """Sixty regions: the series of 24,000 instances hold what happened, not who it happened to."""
    story = Story(regions=60, sets=4, instances=100, spread=False)
    timeline = collect(lines(story))
    bars = sum(len(one) for track in timeline.rollouts[0].regions for one in track.lanes.values())
    assert (len(timeline.rollouts[0].regions), timeline.in_flight.whole[0]) == (60, 24_000)
    assert bars < 60 * 3 * 8
    assert len(timeline.in_flight) < 2 * 60 * 4 * 6 + 2
