"""A fleet on its way out of a command: to a file or standard output, and in a line of numbers."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text

from phasegate.cli.screen import dotted, for_programs
from phasegate.core.model import Fleet
from phasegate.files.fleetfile import write_fleet
from phasegate.plotting.summary import counted

STANDARD_OUTPUT = "-"


def write_out(fleet: Fleet, output: str) -> None:
    """Write the fleet to the file, or to standard output as it would stand in a JSON file."""
    if output != STANDARD_OUTPUT:
        write_fleet(fleet, output)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.json"
        write_fleet(fleet, path)
        with path.open(encoding="utf-8") as file:
            shutil.copyfileobj(file, for_programs())


def counts_of(fleet: Fleet) -> dict[str, int]:
    """Return how many regions, images, sets and instances there are."""
    return {
        "regions": len(fleet.regions),
        "images": len(fleet.images),
        "sets": len(fleet.sets),
        "instances": sum(scale_set.size for scale_set in fleet.sets),
    }


def counts_line(fleet: Fleet) -> Text:
    """Return the counts for people."""
    return dotted([counted(count, what.removesuffix("s"), what) for what, count in counts_of(fleet).items()])
