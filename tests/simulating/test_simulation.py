"""Whole rollouts: what they come to, that they are always the same, and that their logs run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from paper_engine import NEW, OLD, UBUNTU, fleet_of

from phasegate.core.engine import Engine
from phasegate.core.errors import InvalidModel, UnknownName
from phasegate.core.model import Fleet, Health, Image, ImageReference, ImageVersion, Region, Replica, ScaleSet, Window
from phasegate.logs.replay import replay
from phasegate.policies import availability_first
from phasegate.simulating import simulation
from phasegate.simulating.faultmodel import (
    Apply,
    CancelAll,
    Configure,
    FaultEvent,
    Faults,
    NeverHealthy,
    NewReplica,
    NewVersion,
    Outage,
    PauseAll,
    Protect,
    Protection,
    Publish,
    Rates,
    Replicate,
    ResumeAll,
    Scale,
    Silent,
    Timing,
)
from phasegate.simulating.simulation import Endless, Run, Summary, simulate, simulate_into

WEB, DB = "eastus/web", "westus/db"
HERE = Path(__file__).parent
HOUR = 3_600_000
SAME = (20_000, 20_000)
BATCH = 110_000  # replace 60 s, configure 20 s, healthy 30 s


def run(fleet: Fleet, *events: FaultEvent, policy: Any = None, **options: Any) -> tuple[Summary, list[dict[str, Any]]]:
    """Simulate, run the log again, and return the summary and the log's lines."""
    pieces: list[bytes] = []
    faults = options.pop("faults", Faults(events=events) if events else None)
    summary = simulate(Engine(fleet, policy or availability_first()), faults=faults, sink=pieces.append, **options)
    lines = b"".join(pieces).splitlines(keepends=True)
    assert replay(lines).difference is None
    return summary, [json.loads(line) for line in lines]


def of_kind(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return the lines of one kind."""
    return [line for line in lines if line["kind"] == kind]


def states(lines: list[dict[str, Any]], state: str) -> int:
    """Return how many instances became that state."""
    return sum(len(line["instances"]) for line in of_kind(lines, "became") if line["state"] == state)


def test_without_faults_everything_ends_up_on_the_target() -> None:
    """Two sets of 6 in two phases: 6 batches of one each; nothing else is summed up than what happened."""
    summary, lines = run(fleet_of(WEB, DB))
    (rollout,) = summary.rollouts
    assert summary.is_completed
    assert (summary.max_in_flight, summary.max_unhealthy) == (1, 0)
    assert rollout["counts"] == {
        "eligible": 12,
        "upgraded": 12,
        "restored": 0,
        "failed": 0,
        "abandoned": 0,
        "excluded": 0,
        "current": 0,
    }
    assert (rollout["phases"], rollout["batches"]) == ([["eastus"], ["westus"]], 12)
    assert [states(lines, state) for state in ("configuring", "verifying", "upgraded")] == [12, 12, 12]
    assert summary.duration_ms >= 12 * BATCH
    assert set(summary.document) == {"duration_ms", "max_in_flight", "max_unhealthy", "rollouts"}
    assert summary.steps == len(of_kind(lines, "step")) == lines[-1]["steps"]


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(timing=Timing(replace_ms=SAME, configure_ms=SAME, healthy_after_ms=SAME)),
        Faults(timing=Timing(healthy_after_ms=(HOUR, HOUR))),
        Faults(timing=Timing(replace_ms=(2 * HOUR, 2 * HOUR))),
        Faults(
            events=(
                Scale(at_ms=100_000, scale=WEB, to=9),
                Scale(at_ms=200_000, scale=WEB, to=3),
                Scale(at_ms=400_000, scale=WEB, to=8),
                Outage(instances="eastus/*/[0-4]", at_ms=250_000, until_ms=300_000, health=Health.UNHEALTHY),
                PauseAll(at_ms=600_000, pause=True),
                ResumeAll(at_ms=700_000, resume=True),
            )
        ),
    ],
    ids=["everything works", "equally long", "never healthy in time", "never replaced in time", "scaled, ill, paused"],
)
def test_what_is_answered_in_bulk_is_what_is_answered_one_by_one(faults: Faults) -> None:
    """Line for line: a fault that never comes about makes the environment look at every group by itself."""
    idle = evolve(faults, events=(*faults.events, NeverHealthy(instances="*", never_healthy=True, from_version="999")))
    logs = [run(fleet_of(WEB, DB, size=6), faults=one)[1][1:] for one in (faults, idle)]
    assert logs[0] == logs[1]


def test_a_log_is_the_same_for_the_same_seed_under_every_hash_seed(tmp_path: Path) -> None:
    """Byte for byte; another seed gives another log."""
    code = (
        "import sys; from test_simulation import *; "
        "simulate_into(sys.argv[1], Engine(fleet_of(WEB, DB, size=20), availability_first()),"
        " faults=EVERYTHING, seed=int(sys.argv[2]))"
    )
    logs = []
    for hash_seed, seed in (("0", "5"), ("1", "5"), ("4711", "5"), ("0", "6")):
        path = tmp_path / f"{hash_seed}-{seed}.ndjson"
        subprocess.run(
            [sys.executable, "-c", code, str(path), seed],
            cwd=HERE,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HERE.parent)},
            check=True,
        )
        logs.append(path.read_bytes())
    assert logs[0] == logs[1] == logs[2] != logs[3]


EVERYTHING = Faults(
    timing=Timing(replace_ms=(0, 90_000), configure_ms=(0, 0), healthy_after_ms=(5_000, 60_000), restore_ms=(1, 9)),
    rates=Rates(
        never_healthy=0.1,
        replace_fails=0.1,
        configure_fails=0.1,
        restore_fails=0.1,
        late_report=0.1,
        duplicate_report=0.5,
    ),
    events=[
        Silent(instances=f"{WEB}/3", silent="replace"),
        Outage(instances=f"{DB}/*", at_ms=60_000, until_ms=90_000, health=Health.UNHEALTHY),
        Scale(scale=WEB, at_ms=60_000, to=10),
        Scale(scale=WEB, at_ms=120_000, to=25),
        Configure(configure={"set": DB, "rolling_policy": {"max_batch_percent": 100}}, at_ms=5),
        Protect(protect=Protection(instances="*/5"), at_ms=10),
        PauseAll(pause=True, at_ms=70_000),
        ResumeAll(resume=True, at_ms=200_000),
        Publish(publish=NewVersion(image=UBUNTU.name, version="18.04.3"), at_ms=100_000),
        CancelAll(cancel=True, at_ms=20 * HOUR),
    ],
)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_log_runs_again_and_every_rollout_ends(seed: int) -> None:
    """All faults at once: every digest is reproduced, and nothing is left running."""
    policy = availability_first(max_unhealthy_upgraded_percent=100, phase_failure_percent=100)
    summary, lines = run(fleet_of(WEB, DB, size=20), faults=EVERYTHING, policy=policy, seed=seed)
    assert [rollout["target"] for rollout in summary.rollouts] == [NEW, "18.04.3"]
    assert all(rollout["status"] != "running" for rollout in summary.rollouts)
    assert {"late", "duplicate"} & {line["why"] for line in of_kind(lines, "ignored")}


def test_a_bad_version_is_restored_and_halts_the_rollout() -> None:
    """The instance reports `unhealthy`, its deadline passes, its old disk comes back, and it is healthy again."""
    summary, lines = run(fleet_of(WEB), NeverHealthy(instances="*", never_healthy=True, version=NEW))
    (rollout,) = summary.rollouts
    assert (rollout["status"], rollout["counts"]["restored"], rollout["counts"]["abandoned"]) == ("halted", 1, 5)
    assert not summary.is_completed
    assert summary.max_unhealthy == 1
    assert [line["cause"] for line in of_kind(lines, "became") if line["state"] == "restoring"] == ["deadline"]
    assert [line["what"] for line in of_kind(lines, "signal") if line["what"] in ("healthy", "unhealthy")] == [
        "unhealthy",
        "healthy",
    ]


def test_a_silent_instance_times_out() -> None:
    """After `step_timeout_ms`, by its deadline."""
    _, lines = run(fleet_of(WEB, size=1), Silent(instances="*", silent="replace"))
    (restoring,) = [line for line in of_kind(lines, "became") if line["state"] == "restoring"]
    assert (restoring["cause"], restoring["t"]) == ("deadline", 90 * 60_000)


def test_a_late_report_is_ignored() -> None:
    """It names a command that has timed out."""
    _, lines = run(fleet_of(WEB, size=1), faults=Faults(rates=Rates(late_report=1.0)))
    assert "late" in {line["why"] for line in of_kind(lines, "ignored")}


def test_reports_about_instances_that_are_gone_are_ignored() -> None:
    """They were removed while their disk was replaced; the log names them by slot and runs again."""
    faults = Faults(events=[Scale(scale=WEB, at_ms=30_000, to=0), Scale(scale=WEB, at_ms=40_000, to=2)])
    summary, lines = run(fleet_of(WEB, size=1), faults=faults)
    (gone,) = [line for line in of_kind(lines, "signal") if "gone" in line]
    assert (gone["instances"], [one["id"] for one in gone["gone"]]) == ([], ["0"])
    assert [line["why"] for line in of_kind(lines, "ignored")] == ["gone"]
    assert [line["added"] for line in of_kind(lines, "scaled")][1] == [
        {"id": "0", "zone": "1", "upgrade_domain": 0, "version": NEW},
        {"id": "1", "zone": "2", "upgrade_domain": 0, "version": NEW},
    ]
    assert summary.is_completed


def test_outside_maintenance_stops_what_would_start() -> None:
    """A set that is not healthy for an hour faults; the batch in flight is finished."""
    outage = Outage(instances=f"{WEB}/*", at_ms=10_000, until_ms=HOUR, health=Health.UNHEALTHY)
    summary, _ = run(fleet_of(WEB), outage)
    assert summary.max_unhealthy == 6
    assert summary.rollouts[0]["sets"][0]["status"] == "faulted"


def test_a_pause_without_a_resume_leaves_the_rollout_running() -> None:
    """Nothing is left to happen, with windows that open and close for ever too."""
    pause = PauseAll(pause=True, at_ms=1)
    window = Window(day="thu", start="00:00", minutes=300)  # 1970-01-01 was a Thursday
    for windows in ((), (window,)):
        summary, lines = run(fleet_of(WEB, windows=windows), pause)
        assert summary.rollouts[0]["status"] == "running"
        assert summary.duration_ms == lines[-1]["t"]
        assert states(lines, "upgraded") == 1


def test_a_rollout_with_windows_is_over_when_it_has_ended() -> None:
    """Although they go on opening."""
    window = Window(day="thu", start="00:00", minutes=300)
    summary, lines = run(fleet_of(WEB, windows=(window,)))
    assert summary.is_completed
    assert lines[-1]["t"] < 24 * HOUR


def test_a_version_published_meanwhile_gets_its_own_rollout() -> None:
    """After the running one has gone through; only of the image that was asked for, if one was."""
    publish = Publish(publish=NewVersion(image=UBUNTU.name, version="18.04.3"), at_ms=5)
    for image in (None, UBUNTU.name):
        summary, _ = run(fleet_of(WEB), publish, image=image)
        assert [rollout["target"] for rollout in summary.rollouts] == [NEW, "18.04.3"]
        assert summary.is_completed


def test_a_rollout_that_ended_is_told_as_it_was_then() -> None:
    """Whoever took its sets later does not take what it had done."""
    publish = Publish(publish=NewVersion(image=UBUNTU.name, version="18.04.3"), at_ms=5)
    summary, lines = run(fleet_of(WEB), publish)
    assert [6, 6] == [rollout["counts"]["upgraded"] for rollout in summary.rollouts]
    for rollout in summary.rollouts:
        started = [line for line in of_kind(lines, "batch-started") if line["rollout"] == rollout["id"]]
        assert (len(started), "completed") == (rollout["batches"], rollout["sets"][0]["status"])


def test_a_rollout_to_a_given_version_is_the_only_one() -> None:
    """A newer one published meanwhile waits for somebody to ask for it."""
    publish = Publish(publish=NewVersion(image=UBUNTU.name, version="18.04.3"), at_ms=5)
    summary, _ = run(fleet_of(WEB), publish, target=NEW)
    assert [rollout["target"] for rollout in summary.rollouts] == [NEW]


def two_images() -> Fleet:
    """Return two sets in one region, each on an image of its own."""
    fleet = fleet_of(WEB, "eastus/db")
    other = ImageReference("OpenLogic", "CentOS", "7.5")
    versions = (ImageVersion("1"), ImageVersion("2"))
    return evolve(
        fleet,
        images=(*fleet.images, Image(other, versions)),
        sets=(fleet.sets[0], evolve(fleet.sets[1], image=other)),
    )


def test_without_an_image_every_image_with_a_newer_version_is_rolled_out() -> None:
    """Side by side; with an image only that one."""
    summary, _ = run(two_images())
    assert {UBUNTU.name, "OpenLogic/CentOS/7.5"} == {rollout["image"] for rollout in summary.rollouts}
    summary, _ = run(two_images(), image="OpenLogic/CentOS/7.5")
    assert [rollout["image"] for rollout in summary.rollouts] == ["OpenLogic/CentOS/7.5"]


def test_a_manual_rollout_names_its_sets() -> None:
    """All of the image, or those given; started by the user, without phases."""
    summary, lines = run(fleet_of(WEB, DB), manual=True)
    assert of_kind(lines, "rollout-started")[0]["asked"]["sets"] == [WEB, DB]
    summary, lines = run(fleet_of(WEB, DB), sets=[DB])
    (rollout,) = summary.rollouts
    assert (rollout["started_by"], rollout["phases"], rollout["counts"]["upgraded"]) == ("user", None, 6)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"image": "Canonical/UbuntuServer"}, "no image `Canonical/UbuntuServer` in the fleet"),
        ({"target": "2"}, "which image? the fleet has 2: Canonical/UbuntuServer/18.04-LTS, OpenLogic/CentOS/7.5"),
        ({"image": UBUNTU.name, "sets": ["eastus/wbe"]}, "no set `eastus/wbe` in the fleet; sets are named region/set"),
    ],
)
def test_a_name_that_is_not_in_the_fleet_is_refused(options: Any, error: str) -> None:
    """By its name."""
    with pytest.raises(UnknownName) as caught:
        run(two_images(), **options)
    assert error == str(caught.value)


def test_faults_that_do_not_fit_the_fleet_are_refused() -> None:
    """Before anything runs."""
    with pytest.raises(InvalidModel, match=r"events\[0\]\.scale"):
        run(fleet_of(WEB), Scale(scale=DB, to=1, at_ms=0))


def test_a_version_that_the_fleet_announces_is_rolled_out_when_it_is_there() -> None:
    """Whether its image was asked for or not; the rollout's duration begins with it."""
    fleet = fleet_of(WEB)
    versions = (ImageVersion(OLD), ImageVersion(NEW, published_at_ms=HOUR))
    for image in (None, UBUNTU.name):
        later = evolve(fleet, images=(Image(UBUNTU, versions),))
        summary, lines = run(later, image=image)
        assert of_kind(lines, "rollout-started")[-1]["t"] == HOUR
        assert summary.rollouts[-1]["counts"]["upgraded"] == 6
    first = evolve(fleet, images=(Image(UBUNTU, (ImageVersion(NEW, published_at_ms=HOUR),)),))
    summary, lines = run(first, image=UBUNTU.name)
    assert [line for line in of_kind(lines, "rollout-started") if line["t"] < HOUR] == []


def test_a_replica_lets_a_gallery_rollout_begin() -> None:
    """At the time that the fleet announces, or that the faults say."""
    reference = ImageReference(gallery="corp", definition="web")
    here, there = Replica("eastus"), Replica("westus", replicated_at_ms=HOUR)
    image = Image(reference, (ImageVersion("1", regions=[here, there]), ImageVersion("2", regions=[there])))
    sets = [ScaleSet(name="web", region=name, image=reference, instances=2) for name in ("eastus", "westus")]
    fleet = Fleet(regions=[Region("eastus"), Region("westus")], images=[image], sets=sets)
    arrives = Replicate(replicate=NewReplica(image="corp/web", version="2", region="eastus"), at_ms=2 * HOUR)
    summary, lines = run(fleet, arrives)
    assert [line["t"] for line in of_kind(lines, "rollout-started")] == [HOUR, 2 * HOUR]
    assert [rollout["counts"]["upgraded"] for rollout in summary.rollouts][-1] == 2
    assert summary.is_completed


def test_a_model_on_another_image_lets_a_rollout_of_that_begin() -> None:
    """Though that image had nothing new since its own rollout, it is new to the set."""
    other = ImageReference("OpenLogic", "CentOS", "7.5")
    fleet = fleet_of(WEB, DB)
    web, db = fleet.sets
    images = (*fleet.images, Image(other, (ImageVersion("1"), ImageVersion("2"))))
    fleet = evolve(fleet, images=images, sets=(web, evolve(db, image=other)))
    asked = {"publisher": "OpenLogic", "offer": "CentOS", "sku": "7.5"}
    summary, lines = run(fleet, Configure(configure={"set": WEB, "image": asked}, at_ms=10 * HOUR))
    assert [(line["t"], line["image"]) for line in of_kind(lines, "rollout-started")] == [
        (0, UBUNTU.name),
        (0, other.name),
        (10 * HOUR, other.name),
    ]
    assert [rollout["counts"]["upgraded"] for rollout in summary.rollouts] == [6, 6, 6]


def test_a_model_that_is_applied_lets_the_set_into_a_rollout() -> None:
    """Nobody was eligible before, so the image had no rollout yet; of the image that the set has by then."""
    other = ImageReference("OpenLogic", "CentOS", "7.5")
    fleet = fleet_of(WEB, upgrade_mode="manual")
    fleet = evolve(fleet, images=(*fleet.images, Image(other, (ImageVersion("1"), ImageVersion("2")))))
    asked = {"publisher": "OpenLogic", "offer": "CentOS", "sku": "7.5"}
    to_other = Configure(configure={"set": WEB, "image": asked}, at_ms=10 * HOUR)
    applied = Apply(apply=f"{WEB}/*", at_ms=11 * HOUR)
    for events, begun in (
        ([to_other], [(0, UBUNTU.name)]),
        ([to_other, applied], [(0, UBUNTU.name), (11 * HOUR, other.name)]),
    ):
        _, lines = run(fleet, *events)
        assert [(line["t"], line["image"]) for line in of_kind(lines, "rollout-started")] == begun


def test_progress_is_told_and_ends_with_everybody_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, how many are through, how many were eligible."""
    monkeypatch.setattr(simulation, "_PROGRESS_STEPS", 4)
    told: list[tuple[int, int, int]] = []
    run(fleet_of(WEB, size=100), progress=lambda *counts: told.append(counts))
    assert told == sorted(told)
    assert told[-1][1:] == (100, 100)
    assert len(told) > 1


def test_a_log_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that breaks off leaves nothing behind, not even a part."""
    path = tmp_path / "log.ndjson"
    summary = simulate_into(path, Engine(fleet_of(WEB), availability_first()))
    assert replay(path.read_bytes().splitlines(keepends=True)).state == summary.state
    path.unlink()

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "_CHUNK_LINES", 0)
    with pytest.raises(KeyboardInterrupt):
        simulate_into(path, Engine(fleet_of(WEB, size=100), availability_first()), progress=interrupted)
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_log_comes_to_the_same() -> None:
    """Writing changes nothing."""
    engine = Engine(fleet_of(WEB), availability_first())
    assert simulate(engine) == simulate(engine, sink=lambda _: None)


def test_an_endless_instant_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names its bound and the time."""
    monkeypatch.setattr(simulation, "STEPS_MAX_AT_LEAST", -1000)
    with pytest.raises(Endless, match=r"more than -616 steps at one instant \(simulation, at 0 ms\)"):
        run(fleet_of(WEB))


def test_timers_that_never_bring_anything_about_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a bound of none at all; a window opens, and the set is not due."""
    monkeypatch.setattr(simulation, "QUIET_MAX", -1)
    monkeypatch.setattr(simulation, "QUIET_A_SET_MAX", 0)
    window = Window(day="fri", start="00:00", minutes=300)
    with pytest.raises(Endless, match=r"nothing has come of \d+ timers in a row"):
        run(fleet_of(WEB, windows=(window,)), Scale(scale=WEB, to=6, at_ms=40 * 24 * HOUR))


def test_a_run_needs_nothing_but_an_engine() -> None:
    """Its defaults are those of `simulate`."""
    engine = Engine(fleet_of(WEB), availability_first())
    by_hand = Run(engine=engine)
    assert list(by_hand.log(is_kept=False)) == []
    assert simulate(engine) == by_hand.summary()
