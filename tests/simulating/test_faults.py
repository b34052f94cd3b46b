"""The faults file: everything that it can say is read, everything else is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Health
from phasegate.files.documents import InvalidFile
from phasegate.simulating.faultmodel import (
    Apply,
    CancelAll,
    Configure,
    Fails,
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
    Stop,
    Timing,
)
from phasegate.simulating.faults import FORMAT, dump_faults, load_faults, parse_faults

WHOLE = """
format: phasegate/faults/1
timing: {replace_ms: [60000, 120000], configure_ms: 20000, healthy_after_ms: [5000, 60000], restore_ms: 60000}
rates: {never_healthy: 0.01, replace_fails: 0.001, configure_fails: 0.0, restore_fails: 0, late_report: 0.01}
events:
  - {instances: "eastus/web/*", version: "18.04.202402010", never_healthy: true}
  - {instances: "*", from_version: "18.04.3", never_healthy: true}
  - {instances: "eastus/web/1[0-9]", fails: replace}
  - {instances: "westus/db/*", at_ms: 600000, until_ms: 1200000, health: unhealthy}
  - {instances: "eastus/web/7", silent: health}
  - {at_ms: 300000, scale: "eastus/web", to: 120, version: "1.2"}
  - {at_ms: 300000, publish: {image: "Canonical/UbuntuServer/18.04-LTS", version: "18.04.202403010"}}
  - {at_ms: 300000, replicate: {image: corp/web, version: "1.2", region: eastus}}
  - {at_ms: 300000, protect: {instances: "eastus/web/1", protected: false}}
  - {at_ms: 300000, configure: {set: eastus/web, automatic_os_upgrade: false}}
  - {at_ms: 300000, apply: "eastus/web/*"}
  - {at_ms: 900000, pause: true}
  - {at_ms: 1200000, resume: true}
  - {at_ms: 1500000, cancel: true}
  - {at_ms: 1500000, stop: true}
"""
READ = Faults(
    timing=Timing(
        replace_ms=(60000, 120000),
        configure_ms=(20000, 20000),
        healthy_after_ms=(5000, 60000),
        restore_ms=(60000, 60000),
    ),
    rates=Rates(never_healthy=0.01, replace_fails=0.001, late_report=0.01),
    events=[
        NeverHealthy(instances="eastus/web/*", version="18.04.202402010", never_healthy=True),
        NeverHealthy(instances="*", from_version="18.04.3", never_healthy=True),
        Fails(instances="eastus/web/1[0-9]", fails="replace"),
        Outage(instances="westus/db/*", at_ms=600000, until_ms=1200000, health=Health.UNHEALTHY),
        Silent(instances="eastus/web/7", silent="health"),
        Scale(at_ms=300000, scale="eastus/web", to=120, version="1.2"),
        Publish(at_ms=300000, publish=NewVersion(image="Canonical/UbuntuServer/18.04-LTS", version="18.04.202403010")),
        Replicate(at_ms=300000, replicate=NewReplica(image="corp/web", version="1.2", region="eastus")),
        Protect(at_ms=300000, protect=Protection(instances="eastus/web/1", protected=False)),
        Configure(at_ms=300000, configure={"set": "eastus/web", "automatic_os_upgrade": False}),
        Apply(at_ms=300000, apply="eastus/web/*"),
        PauseAll(at_ms=900000, pause=True),
        ResumeAll(at_ms=1200000, resume=True),
        CancelAll(at_ms=1500000, cancel=True),
        Stop(at_ms=1500000, stop=True),
    ],
)


def test_everything_that_a_file_can_say_is_read(tmp_path: Path) -> None:
    """One of each kind, from YAML."""
    path = tmp_path / "faults.yaml"
    path.write_text(WHOLE)
    assert load_faults(path) == READ


def test_what_is_written_is_read_back_as_the_same() -> None:
    """Defaults left out, every kind there."""
    assert parse_faults(dump_faults(READ)) == READ
    assert dump_faults(Faults()) == {"format": FORMAT}


def test_nothing_said_means_that_everything_works() -> None:
    """Replace 60 s, configure 20 s, healthy 30 s, restore 60 s, no fault."""
    faults = parse_faults({"format": FORMAT})
    timing = faults.timing
    assert (timing.replace_ms, timing.configure_ms) == ((60_000, 60_000), (20_000, 20_000))
    assert (timing.healthy_after_ms, timing.restore_ms) == ((30_000, 30_000), (60_000, 60_000))
    assert (faults.rates, faults.events) == (Rates(), ())


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], "expected an object, got a list"),
        ({}, "`format` is missing; this one is `phasegate/faults/1`"),
        ({"format": "phasegate/fleet/1"}, "format `phasegate/fleet/1` is not `phasegate/faults/1` (at `format`)"),
        ({"rate": {}}, "unknown key `rate`; did you mean `rates`?"),
        ({"timing": {"replace": 1}}, "unknown key `replace`; did you mean `replace_ms`? (at `timing`)"),
        (
            {"timing": {"replace_ms": "60 s"}},
            "expected whole milliseconds or [low, high], got text `60 s` (at `timing.replace_ms`)",
        ),
        (
            {"timing": {"replace_ms": [1, 2, 3]}},
            "expected whole milliseconds or [low, high], got a list (at `timing.replace_ms`)",
        ),
        (
            {"timing": {"replace_ms": [2, 1]}},
            "[2, 1] is not [low, high] with 0 <= low <= high <= 2**48 - 2 (at `timing.replace_ms`)",
        ),
        (
            {"timing": {"restore_ms": [0, 2**48 - 1]}},  # the engine knows no such time
            f"[0, {2**48 - 1}] is not [low, high] with 0 <= low <= high <= 2**48 - 2 (at `timing.restore_ms`)",
        ),
        (
            {"timing": {"restore_ms": -1}},
            "[-1, -1] is not [low, high] with 0 <= low <= high <= 2**48 - 2 (at `timing.restore_ms`)",
        ),
        ({"rates": {"late_report": 1.5}}, "rate 1.5 is not between 0 and 1 (at `rates.late_report`)"),
        ({"rates": {"late_report": "often"}}, "expected a number, got text `often` (at `rates.late_report`)"),
        ({"events": {}}, "expected a list, got an object (at `events`)"),
        ({"events": [5]}, "expected an object, got the number 5 (at `events[0]`)"),
        (
            {"events": [{"at_ms": 5}]},
            "the event does nothing; add one of never_healthy, fails, silent, health, scale, publish, replicate, "
            "protect, configure, apply, pause, resume, cancel, stop (at `events[0]`)",
        ),
        (
            {"events": [{"at_ms": 5, "pause": True, "resume": True}]},
            "`pause` and `resume` in one event; write one event for each (at `events[0]`)",
        ),
        (
            {"events": [{"at_ms": 5, "slient": "health"}]},
            "unknown event `slient`; did you mean `silent`? (at `events[0]`)",
        ),
        ({"events": [{"pause": True}]}, "`at_ms` is missing (at `events[0]`)"),
        ({"events": [{"pause": True, "at_ms": -1}]}, "-1 ms is not between 0 and 2**48 - 2 (at `events[0].at_ms`)"),
        (
            {"events": [{"pause": False, "at_ms": 0}]},
            "false says nothing here; leave the event out instead (at `events[0].pause`)",
        ),
        ({"events": [{"pause": True, "at_ms": 0, "x": 1}]}, "unknown key `x` (at `events[0]`)"),
        (
            {"events": [{"instances": "*", "fails": "reboot"}]},
            "`reboot` is none of `replace`, `configure`, `restore` (at `events[0].fails`)",
        ),
        (
            {"events": [{"instances": "", "fails": "replace"}]},
            "an empty text; name what is meant (at `events[0].instances`)",
        ),
        (
            {"events": [{"instances": "*", "fails": "replace", "version": "v1"}]},
            "version `v1` is not dotted integers, like `1.2.0` (at `events[0].version`)",
        ),
        (
            {"events": [{"instances": "*", "never_healthy": True, "version": "1", "from_version": "1"}]},
            "`version` and `from_version` exclude each other; keep one (at `events[0].from_version`)",
        ),
        (
            {"events": [{"instances": "*", "health": "ill", "at_ms": 1}]},
            "`ill` is none of `healthy`, `unhealthy`, `unknown`, `initializing` (at `events[0].health`)",
        ),
        (
            {"events": [{"instances": "*", "health": "unhealthy", "at_ms": 5, "until_ms": 5}]},
            "5 is not after `at_ms` 5 (at `events[0].until_ms`)",
        ),
        ({"events": [{"scale": "a/b", "at_ms": 1, "to": -1}]}, "-1 is no number of instances (at `events[0].to`)"),
        ({"events": [{"publish": {"image": "a/b/c"}, "at_ms": 1}]}, "`version` is missing (at `events[0].publish`)"),
        (
            {"events": [{"configure": {"os": "linux"}, "at_ms": 1}]},
            "`set` is missing; give the full name `region/set` of the set to change (at `events[0].configure`)",
        ),
        (
            {"events": [{"configure": {"set": "a/b"}, "at_ms": 1}]},
            "nothing changes; add changed fields beside `set` (at `events[0].configure`)",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(document: Any, error: str) -> None:
    """What, where, and how to mend it."""
    whole = {"format": FORMAT, **document} if document and isinstance(document, dict) else document
    with pytest.raises(InvalidModel) as caught:
        parse_faults(whole)
    assert error == str(caught.value)


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    """File and place."""
    path = tmp_path / "faults.json"
    path.write_text('{"format": "phasegate/faults/1", "rates": {"late_report": 2}}')
    with pytest.raises(InvalidFile) as caught:
        load_faults(path)
    assert f"rate 2.0 is not between 0 and 1 ({path}: rates.late_report)" == str(caught.value)


@pytest.mark.parametrize(
    ("fields", "on", "holds"),
    [
        ({}, "1.2", True),
        ({}, None, True),
        ({"version": "1.2"}, "1.2.0", True),
        ({"version": "1.2"}, "1.3", False),
        ({"version": "1.2"}, None, False),
        ({"from_version": "1.9"}, "1.10", True),
        ({"from_version": "1.9"}, "1.9", True),
        ({"from_version": "1.9"}, "1.8", False),
    ],
)
def test_never_healthy_holds_on_its_versions(fields: dict[str, str], on: str | None, holds: bool) -> None:
    """One version, all from one on, or any; versions compare as numbers."""
    assert holds == NeverHealthy(instances="*", never_healthy=True, **fields).holds_on(on)
