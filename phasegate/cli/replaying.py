"""`phasegate replay`: a log through the engine again, every line and every state compared."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from phasegate.cli.ending import Exit
from phasegate.cli.inputs import Inputs
from phasegate.cli.logbar import log_bar
from phasegate.cli.screen import BAD, DIM, GOOD, grid, heading, print_json, screen
from phasegate.logs.replay import replay
from phasegate.plotting.summary import counted

FORMAT: Final = "phasegate/replay/1"


def run(log: str, *, as_json: bool) -> Exit:
    """Replay the log and say whether it came out the same."""
    name, lines = Inputs().lines(log)
    with log_bar("replaying", log) as watch:
        report = replay(watch(lines), name=name)
    found = report.difference
    if as_json:
        difference = None
        if found is not None:
            difference = {"line": found.line, "recorded": found.recorded, "replayed": found.replayed}
        print_json(
            {
                "format": FORMAT,
                "same": report.is_same,
                "steps": report.steps,
                "lines": report.lines,
                "state": report.state.digest,
                "difference": difference,
            }
        )
    elif found is None:
        out = screen()
        steps = f"{counted(report.steps, 'step', 'steps')} and {counted(report.lines, 'line', 'lines')}"
        out.print(heading(("the same", GOOD), f": {steps}, and every state"))
        out.print(grid([("last state", Text(report.state.digest, style=DIM))]))
    else:
        out = screen()
        out.print(heading(("differs", BAD), f" at line {found.line:,}, after {counted(report.steps, 'step', 'steps')}"))
        nothing = Text("no such line", style=DIM)
        rows = [
            ("the log says", Text(found.recorded, overflow="fold") if found.recorded else nothing),
            ("the engine says", Text(found.replayed, overflow="fold") if found.replayed else nothing),
        ]
        out.print(grid(rows))
    return Exit.WELL if report.is_same else Exit.NO
