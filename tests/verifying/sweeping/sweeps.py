"""Small sweeps, and workers of several kinds, that the tests of sweeps share."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve

from phasegate.verifying.result import Bounds, Progress
from phasegate.verifying.sweeping.cases import Settings
from phasegate.verifying.sweeping.outcome import Job, Outcome, worked
from phasegate.verifying.sweeping.sweepfile import Sweep, load_sweep

FAMILY = """format: phasegate/scenario/1
about: a family
fleet:
  regions: [{name: eastus}]
  images:
    - {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS, versions: [{version: "1.0"}, {version: "2.0"}]}
  sets:
    - name: web
      region: eastus
      upgrade_domains: 1
      image: {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS}
      instances: 1
environment: {lost_reports: 0}
policy: {delays: false}
"""
HEAD = "format: phasegate/sweep/1\n"
GRID = HEAD + 'scenario: family.yaml\ngrid: {"fleet.sets[0].instances": [1, 2], environment.faults: [0, 1]}\n'


def write(folder: Path, text: str = GRID, family: str = FAMILY) -> Path:
    """Write a sweep and its family, and return the sweep's path."""
    (folder / "family.yaml").write_text(family, encoding="utf-8")
    path = folder / "grid.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def a_sweep(folder: Path, text: str = GRID, family: str = FAMILY) -> Sweep:
    """Return a sweep of four small cases, or another one."""
    return load_sweep(write(folder, text, family))


def jobs(sweep: Sweep, **settings: Any) -> list[Job]:
    """Return a job for each case."""
    return [Job(case=case, settings=Settings(**settings), bounds=Bounds()) for case in sweep.cases]


def kills_itself(job: Job, share: int, tell: Callable[[Progress], None], stop: Callable[[], bool]) -> Outcome:
    """Die as by the kernel's hand in case 1, and verify the others."""
    if job.case.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return worked(job, share, tell, stop)


def waits_to_be_stopped(job: Job, share: int, tell: Callable[[Progress], None], stop: Callable[[], bool]) -> Outcome:
    """Go on until somebody wants it to end, case 0 apart; leave a file when it has ended."""
    if job.case.number == 0:
        return worked(job, share, tell, stop)
    until = time.monotonic() + 60
    while not stop() and time.monotonic() < until:
        time.sleep(0.02)
    Path(str(job.settings.promises and job.settings.promises[0])).touch()
    return evolve(worked(job, share, tell, stop), reason="late")


def never_ends(job: Job, share: int, tell: Callable[[Progress], None], stop: Callable[[], bool]) -> Outcome:
    """Sleep, whatever somebody wants."""
    time.sleep(600)
    raise AssertionError("it is killed before")
