"""SPIN and the explorer side by side, on the same scenario, in one run: `python bench/spin/compare.py`.

The model is the one that the tests compare state by state (`tests/oracle_models`); both must find exactly as many
distinct states and transitions, or the run ends there. Seconds are processor seconds of the search alone, where it goes
on several threads those of the clock; the least of `--rounds` rounds, in each of which every engine has its turn: other
work on the machine hits all of them alike (the clock more: measure that on a quiet machine). Bytes a state are all the
memory of the search (SPIN: without its depth-first stack, which is as long as it is told to be).

SPIN is run as its manual says (`-DSAFETY -DNOREDUCE`, exact hash table), and tuned by hand, exact all the same: a byte
an instance, a hash table as large as there are states, no bounds checks. SPIN checks no promise here; the explorer is
run with all of its promises, and with none.

Needs `spin` and `gcc` (Debian has both).
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from oracle_models.checkers import build_spin, spin  # noqa: E402  # the models live with the tests
from oracle_models.promela import promela  # noqa: E402
from oracle_models.shape import Shape  # noqa: E402

from phasegate.verifying.explorers import explorer_class  # noqa: E402
from phasegate.verifying.scenario import Scenario  # noqa: E402
from phasegate.verifying.scenariofile import load_scenario  # noqa: E402

USUAL: Final = "SPIN, as usual"
TUNED: Final = "SPIN, tuned"


@frozen
class Measured:
    """One engine's run: what it found, in how many processor seconds, with how many bytes."""

    states: int
    transitions: int
    seconds: float
    memory: float

    def row(self, name: str, usual: float, tuned: float) -> str:
        """Return it as a line of the table; the ratios are of the time that SPIN takes."""
        rate, each = self.states / self.seconds / 1e6, self.memory / self.states
        ratios = f"{usual / self.seconds:>9.2f}{tuned / self.seconds:>9.2f}"
        return (
            f"{name:<36}{self.states:>12,}{self.transitions:>14,}{self.seconds:>9.2f}{rate:>9.3f}{each:>8.0f}{ratios}"
        )


def built(model: str, folder: Path, table_bits: int, *, is_tuned: bool) -> Callable[[], Measured]:
    """Compile a verifier; return what runs it."""
    folder.mkdir()
    tuning = ("-DNOFAIR", "-DNOBOUNDCHECK") if is_tuned else ()
    build_spin(model, folder, "-O3", "-DMEMLIM=16000", *tuning, defines=("PACKED",) if is_tuned else ())

    def run() -> Measured:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        found = spin(folder, f"-w{table_bits if is_tuned else 24}")
        seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        total, stack = (
            float(match[1]) if (match := re.search(rf"([\d.]+)\s+{what}", found.output)) else 0.0
            for what in ("total actual memory usage", "memory used for DFS stack")
        )
        return Measured(found.states, found.transitions, seconds, (total - stack) * 2**20)

    return run


def explored(
    scenario: Scenario, *, is_symmetric: bool, is_compact: bool = False, threads: int = 1
) -> Callable[[], Measured]:
    """Return what runs the explorer on the scenario."""

    def run() -> Measured:
        subject = scenario.subject()
        cls = explorer_class(subject.engine)
        more = {"is_compact": is_compact, "threads": threads} if cls.is_compiled else {}
        explorer = cls(subject, is_symmetric=is_symmetric, **more)
        clock = time.process_time if threads == 1 else time.perf_counter
        began = clock()
        while explorer.run(1_000_000) == "more":
            pass
        seconds = clock() - began
        if explorer.violation is not None:
            sys.exit(f"a promise is broken: {explorer.violation}")
        return Measured(explorer.states, explorer.transitions, seconds, getattr(explorer, "bytes_used", 0))

    return run


def main() -> None:
    """Build everything, run it in rounds, print the table."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--flips", type=int, help="how often an instance turns unhealthy (the scenario's own: 2)")
    asked.add_argument("--rounds", type=int, default=2)
    asked.add_argument("--threads", type=int, default=2, help="of one of the explorers (2)")
    asked.add_argument("--scenario", type=Path, default=HERE / "eight.yaml")
    options = asked.parse_args()
    scenario = load_scenario(options.scenario)
    if options.flips is not None:
        scenario = evolve(scenario, freedom=evolve(scenario.freedom, health_flips=options.flips))
    model = promela(Shape.of(scenario))
    bare = evolve(scenario, promises=frozenset())
    probe = explored(bare, is_symmetric=False)()
    bits = max(16, probe.states.bit_length())
    with tempfile.TemporaryDirectory() as folder:
        engines = {
            USUAL: built(model, Path(folder, "usual"), bits, is_tuned=False),
            TUNED: built(model, Path(folder, "tuned"), bits, is_tuned=True),
            "explorer, no promises": explored(bare, is_symmetric=False),
            "explorer, all promises": explored(scenario, is_symmetric=False),
            f"explorer, all promises, {options.threads} threads": explored(
                scenario, is_symmetric=False, threads=options.threads
            ),
            "explorer, all promises, compact": explored(scenario, is_symmetric=False, is_compact=True),
            "explorer, all promises, symmetry": explored(scenario, is_symmetric=True),
        }
        best: dict[str, Measured] = {}
        for _ in range(options.rounds):
            for name, run in engines.items():
                one = run()
                if name not in best or one.seconds < best[name].seconds:
                    best[name] = one
    agreed = {(one.states, one.transitions) for name, one in best.items() if "symmetry" not in name}
    head = f"{'states':>12}{'transitions':>14}{'seconds':>9}{'M/s':>9}{'bytes':>8}{'x usual':>9}{'x tuned':>9}"
    print(f"{options.scenario.name}: {scenario.about}\n\n{'':<36}{head}")
    for name, one in best.items():
        print(one.row(name, best[USUAL].seconds, best[TUNED].seconds))
    if len(agreed) != 1:
        sys.exit(f"they do not agree: {agreed}")


if __name__ == "__main__":
    main()
