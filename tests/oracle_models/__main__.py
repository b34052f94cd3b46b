"""Writes a scenario as a model, or compares scenarios with SPIN: run in `tests`, with files of scenarios.

`python -m oracle_models emit promela|murphi SCENARIO` prints the model; its switches are in the head of `rollout.pml`.
`python -m oracle_models compare SCENARIO...` explores each in both, and prints the numbers of both; exit status 1 if
some differ. What the models have no rules for is said and passed over.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from phasegate.verifying.scenariofile import load_scenario

from .checkers import build_spin, spin
from .conftest import explored
from .murphi import murphi
from .promela import promela
from .shape import Shape, Unmodelled


def compared(path: str) -> bool:
    """Compare one scenario, say what came of it, and return whether both agree as far as the models go."""
    scenario = load_scenario(path)
    try:
        model = promela(Shape.of(scenario))
    except Unmodelled as unmodelled:
        print(f"{scenario.name:<28}not modelled: {unmodelled}")
        return True
    with tempfile.TemporaryDirectory() as folder:
        build_spin(model, Path(folder), "-O1", defines=("PROMISES", "PACKED"))
        theirs = spin(Path(folder), "-w22")
    ours = explored(scenario)
    numbers = [(theirs.states, theirs.transitions), (ours.states, ours.transitions)]
    agree = numbers[0] == numbers[1] and not theirs.violated and ours.violation is None
    told = "".join(f"{states:>14,}{transitions:>14,}" for states, transitions in numbers)
    print(f"{scenario.name:<28}{told}  {'agree' if agree else 'DIFFER'}", flush=True)
    return agree


def main(arguments: list[str]) -> int:
    """Do what is asked for; return the exit status."""
    match arguments:
        case ["emit", "promela" | "murphi" as language, path]:
            print((promela if language == "promela" else murphi)(Shape.of(load_scenario(path))))
            return 0
        case ["compare", *paths] if paths:
            print(f"{'':<28}{'SPIN: states':>14}{'transitions':>14}{'here: states':>14}{'transitions':>14}")
            agree = [compared(path) for path in paths]
            return 0 if all(agree) else 1
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
