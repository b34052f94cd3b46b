"""One whole rollout in a process of its own, which tells how long it took and how much memory it has had at most.

python -m phasegate.bench.whole "sixty regions" 1000000
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import Any

import phasegate as pg
from phasegate.bench.begun import Scale
from phasegate.bench.fleets import a_fleet
from phasegate.simulating.simulation import simulate

KIB = 1 if sys.platform == "darwin" else 1024  # what `ru_maxrss` counts in


def in_a_process(scale: Scale) -> dict[str, Any]:
    """Run it, and return what it told; `CalledProcessError` if it failed."""
    command = [sys.executable, "-m", __name__, scale.shape, str(scale.instances)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def peak_bytes() -> int:
    """Return the most memory that this process has had at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def main(shape: str, instances: int) -> None:
    """Run the rollout, and print what came of it."""
    before = peak_bytes()
    fleet = a_fleet(instances, shape)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    summary = simulate(pg.Engine(fleet, pg.policies.availability_first()))
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - begun_cpu
    rollout = summary.rollouts[0]
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu_seconds": cpu_seconds,
                "peak_bytes": peak_bytes(),
                "bytes_before": before,
                "status": rollout["status"],
                "upgraded": rollout["counts"]["upgraded"],
                "batches": rollout["batches"],
                "steps": summary.steps,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
