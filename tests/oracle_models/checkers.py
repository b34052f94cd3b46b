"""Runs the two model checkers, and reads what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from attrs import frozen

TIME_LIMIT_S = 600


@frozen
class Found:
    """What a model checker found: distinct states, transitions, and the assertion that failed, if one did."""

    states: int
    transitions: int
    violated: bool
    output: str


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
    if done.returncode or "Error: " in done.stdout:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def build_spin(model: str, folder: Path, *options: str, defines: tuple[str, ...] = ()) -> None:
    """Write the model there and compile its verifier; `defines` are the model's switches, `options` are gcc's."""
    (folder / "rollout.pml").write_text("".join(f"#define {name}\n" for name in defines) + model)
    _run(["spin", "-o2", "-a", "rollout.pml"], folder)  # -o2: what is only written is a part of the state too
    _run(["gcc", "-w", "-DSAFETY", "-DNOREDUCE", *options, "-o", "pan", "pan.c"], folder)


def spin(folder: Path, *options: str) -> Found:
    """Run the verifier that was built there; states in which nothing can happen are ends like others (-E).

    The model's very first state, before anything has settled, is not counted, nor are its being found and its settling.
    """
    said = _run(["./pan", "-E", "-m1000000", *options], folder)
    if ("Search not completed" in said and "errors: 0" in said) or "max search depth too small" in said:
        raise RuntimeError(said)
    states = re.search(r"(\d+) states, stored", said)
    transitions = re.search(r"(\d+) transitions", said)
    if not states or not transitions:
        raise RuntimeError(said)
    return Found(int(states[1]) - 1, int(transitions[1]) - 2, "errors: 0" not in said, said)


def shortest(model: str, folder: Path, defect: str) -> list[str]:
    """Search the bent model breadth first; return the acts of a shortest way to a broken promise, if there is one."""
    build_spin(model, folder, "-DBFS", defines=(defect, "PROMISES", "TOLD", "SHORTEST"))
    if not spin(folder).violated:
        return []
    return re.findall(r"^act (.*?) *$", _run(["./pan", "-r"], folder), re.MULTILINE)


def missing() -> list[str]:
    """Return which of the programs are not installed here."""
    return [name for name in ("spin", "gcc", "rumur") if shutil.which(name) is None]


def rumur(model: str, folder: Path, *, symmetry: str = "exhaustive", level: str = "-O3") -> Found:
    """Check a Murphi model; `symmetry` is `exhaustive` (one state an orbit, exactly) or `off`, `level` is gcc's."""
    (folder / "rollout.m").write_text(model)
    how = ["--symmetry-reduction", symmetry, "--deadlock-detection", "off", "--threads", "1", "--value-type", "int32_t"]
    _run(["rumur", *how, "--output", "rollout.c", "rollout.m"], folder)
    _run(["gcc", "-w", level, "-std=c11", "-mcx16", "-o", "rollout", "rollout.c", "-latomic", "-lpthread"], folder)
    said = _run(["./rollout"], folder)
    total = re.search(r"State Space Explored:\s+(\d+) states, (\d+) rules fired", said)
    if not total:
        raise RuntimeError(said)
    return Found(int(total[1]), int(total[2]), "No error found" not in said, said)
