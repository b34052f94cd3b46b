"""`phasegate convert`: a fleet file in another form, as the name of the new file says."""

from __future__ import annotations

from typing import Final

from phasegate.cli.ending import Exit, Refused
from phasegate.cli.fleetout import STANDARD_OUTPUT, counts_line, counts_of, write_out
from phasegate.cli.inputs import Inputs, refuse_same
from phasegate.cli.screen import STRONG, Screen, heading, indented, print_json, screen

FORMAT: Final = "phasegate/convert/1"


def run(path: str, *, output: str, as_json: bool) -> Exit:
    """Read a fleet, write it to `output` (`-`: standard output, as JSON), and say how much is in it."""
    to_stdout = output == STANDARD_OUTPUT
    if to_stdout and as_json:
        raise Refused("the fleet and `--json` cannot both go to standard output; write the fleet to a file", "--output")
    refuse_same(output, [path], "--output")
    _, fleet = Inputs().fleet(path)
    write_out(fleet, output)
    if as_json:
        print_json({"format": FORMAT, "output": output, **counts_of(fleet)})
    else:
        out = Screen(stderr=True) if to_stdout else screen()
        out.print(heading(("fleet", STRONG), " to ", "standard output" if to_stdout else output))
        out.print(indented(counts_line(fleet)))
    return Exit.WELL
