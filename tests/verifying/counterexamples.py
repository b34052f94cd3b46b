"""The page of counterexamples, written by the command itself: `python tests/verifying/counterexamples.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import frozen
from typer.testing import CliRunner

from phasegate.cli.app import app

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "counterexamples.md"
HEAD: Final = """# Four policies that look reasonable

Each of these changes one rule in a way that reads well in a review. Each is refuted by `phasegate verify` with a
shortest counterexample: breadth first, no run of fewer acts breaks the promise. The scenarios are in
[examples/broken](../examples/broken); as the rules are, all of them hold. What follows is what the commands print,
without the numbers of the run.

`phasegate verify --mutants` does this for every rule there is: it bends one after the other, and some scenario of the
library must notice.
"""


@frozen
class Case:
    """A bent rule, the scenario that refutes it, what speaks for it, and how many acts it takes."""

    mutant: str
    scenario: str
    title: str
    why: str
    acts: int

    @property
    def command(self) -> tuple[str, ...]:
        """What is run, in the project's folder."""
        return ("verify", "--mutant", self.mutant, f"examples/broken/{self.scenario}.yaml")

    @property
    def path(self) -> Path:
        """Where the scenario is."""
        return ROOT / "examples" / "broken" / f"{self.scenario}.yaml"


CASES: Final = (
    Case(
        "cap-rounded-up",
        "ceil",
        "A share of a set is rounded up",
        "A small set would get on faster, and `max(1, ...)` rounds up already. But then 30 % of five are two, which is "
        "40 %: more is down than anybody allowed.",
        1,
    ),
    Case(
        "restored-are-well",
        "restored",
        "Rolled-back instances are not bad",
        "They are healthy again, on the version that they had. But then a bad image walks through the fleet, one "
        "rollback at a time, and no gate ever says stop.",
        4,
    ),
    Case(
        "health-from-any-time",
        "stale",
        "A healthy report is a healthy report",
        "Reports are late now and then, and the source knows best. But the disk that it speaks of is not the one that "
        "is there now.",
        4,
    ),
    Case(
        "pairs-as-written",
        "pairs",
        "Pairs are as they are written",
        "The list says whom each region names. But four regions name a pair that names another one back: the region "
        "that is named starts beside the one that names it. `eastus` is between two zones here, so no cell keeps them "
        "apart.",
        5,
    ),
)


def said(case: Case) -> str:
    """Return what the command prints, without the numbers of the run."""
    path = str(case.path)
    result = CliRunner().invoke(app, [*case.command[:-1], path], env={"COLUMNS": "100"})
    lines = result.stdout.splitlines()
    until = next(at for at, line in enumerate(lines) if line.startswith("  states"))
    return "\n".join(lines[:until]).rstrip()


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for case in CASES:
        parts.append(f"\n## {case.title}\n\n{wrapped(case.why)}\n\n```console\n$ phasegate {' '.join(case.command)}\n")
        parts.append(f"{said(case)}\n```\n")
    return "".join(parts)


def wrapped(text: str, width: int = 120) -> str:
    """Return the text in lines of at most that many characters."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
