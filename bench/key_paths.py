"""Four key paths, each run once where callgrind counts: see `instructions`.

Callgrind can count from the call of a C function to its return, if its name is known. `dir` calls `PyObject_Dir`, which
calls a Python method: whatever that does is counted, and nothing else here ever calls `dir`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, Final

import phasegate as pg
from phasegate.bench.begun import Begun, Scale, full_selection
from phasegate.bench.flapping import FEW, Flapping, spread
from phasegate.bench.fleets import a_fleet
from phasegate.simulating.simulation import simulate

COUNTED: Final = "PyObject_Dir"
WARM_UPS: Final = 3  # until the interpreter has specialised its code, and caches are filled


def selection() -> Callable[[], Any]:
    """Select over 20,000 instances, nothing remembered."""
    begun = Begun.of(Scale("sixty regions", 20_000))
    select: Callable[[], Any] = full_selection(begun.engine, begun.state)
    return select


def step() -> Callable[[], Any]:
    """Step and select after a hundred changes."""
    begun = Begun.of(Scale("sixty regions", 20_000))
    return Flapping(begun.engine, begun.started, spread(begun.started, FEW))


def rollout() -> Callable[[], Any]:
    """Roll out 2,000 instances, from the fleet in memory to the end."""
    fleet = a_fleet(2_000, "usual sets")

    def run() -> None:
        assert simulate(pg.Engine(fleet, pg.policies.availability_first())).is_completed

    return run


def beginning() -> Callable[[], Any]:
    """Compile a fleet of 5,000 listed instances, and begin."""
    scale = Scale("mostly upgraded", 5_000)
    return lambda: Begun.of(scale)


PATHS: Final[dict[str, Callable[[], Callable[[], Any]]]] = {
    "full selection": selection,
    "step and selection after 100 changes": step,
    "whole rollout": rollout,
    "compile a fleet and begin": beginning,
}


class Counted:
    """Something to run: `dir` of it runs it, within `PyObject_Dir`."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self.run = run

    def __dir__(self) -> list[str]:
        self.run()
        return []


def main() -> None:
    """Run every path, warmed up, once counted."""
    for prepare in PATHS.values():
        run = prepare()
        for _ in range(WARM_UPS):
            run()
        gc.collect()
        gc.disable()
        dir(Counted(run))
        gc.enable()


if __name__ == "__main__":
    main()
