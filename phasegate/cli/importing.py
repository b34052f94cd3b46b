"""`phasegate import`: what other tools say of their machines, as a fleet file, and what of it could not be mapped."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.text import Text

from phasegate.cli.ending import Exit, Refused
from phasegate.cli.inputs import Inputs, refuse_same
from phasegate.cli.screen import DIM, ODD, STRONG, Screen, dotted, heading, indented, listed, print_json, screen
from phasegate.core.model import Fleet
from phasegate.files.fleetfile import dump_fleet, write_fleet
from phasegate.importers import IMPORTERS, Unmapped
from phasegate.importers.reading import NO_PART
from phasegate.plotting.summary import counted

FORMAT: Final = "phasegate/import/1"


def run(kind: str, paths: Sequence[str], *, output: str, as_json: bool, **options: Any) -> Exit:
    """Import the files as a fleet, write it to `output` (`-`: standard output), and list what is not in it."""
    refuse_same(output, paths, "--output")
    files = Inputs()
    imported = IMPORTERS[kind]([files.read(path) for path in paths], **options)
    fleet = imported.fleet
    to_stdout = output == "-"
    if not to_stdout:
        write_fleet(fleet, output)
    elif not as_json:
        _write_out(fleet)
    if as_json:
        print_json(document(fleet, imported.unmapped, None if to_stdout else output))
    else:
        _show(Screen(stderr=True) if to_stdout else screen(), fleet, imported.unmapped, output)
    return Exit.WELL


def parameters_of(pairs: Iterable[str]) -> dict[str, str]:
    """Return `name=value` pairs as a mapping; refused if one is no pair."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Refused(f"`{pair}` is not NAME=VALUE, like `instanceCount=3`", "--parameter")
        found[name] = value
    return found


def document(fleet: Fleet, unmapped: Sequence[Unmapped], output: str | None) -> dict[str, Any]:
    """Return what `import --json` prints; the fleet itself is in it unless it was written to a file."""
    return {
        "format": FORMAT,
        "output": output,
        "regions": len(fleet.regions),
        "images": len(fleet.images),
        "sets": len(fleet.sets),
        "instances": _size(fleet),
        "unmapped": [{"file": line.file, "place": line.place, "what": line.what, "why": line.why} for line in unmapped],
        "fleet": dump_fleet(fleet) if output is None else None,
    }


def _size(fleet: Fleet) -> int:
    return sum(scale_set.size for scale_set in fleet.sets)


def _write_out(fleet: Fleet) -> None:
    """Write the fleet to standard output as it would stand in a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.json"
        write_fleet(fleet, path)
        with path.open(encoding="utf-8") as file:
            shutil.copyfileobj(file, sys.stdout)


def _show(out: Screen, fleet: Fleet, unmapped: Sequence[Unmapped], output: str) -> None:
    counts = dotted(
        [
            counted(len(fleet.regions), "region", "regions"),
            counted(len(fleet.images), "image", "images"),
            counted(len(fleet.sets), "set", "sets"),
            counted(_size(fleet), "instance", "instances"),
        ]
    )
    out.print(heading(("fleet", STRONG), " to ", "standard output" if output == "-" else output))
    out.print(indented(counts))
    if not unmapped:
        out.print(indented(Text("everything in the files is in the fleet", style=DIM)))
        return
    by_file: dict[str, list[Unmapped]] = {}
    for line in unmapped:
        by_file.setdefault(line.file, []).append(line)
    for file, lines in by_file.items():
        out.print()
        out.print(heading((counted(len(lines), "thing", "things"), ODD), " not in the fleet, or assumed, from ", file))
        told = [line for line in lines if line.why != NO_PART]
        if told:
            out.print(indented(listed(map(_told, told))))
        rest = [line for line in lines if line.why == NO_PART]
        if rest:
            out.print(indented(Text("no part of a rollout:")))
            out.print(indented(listed(_by_place(rest))))


def _told(line: Unmapped) -> Text:
    return Text.assemble(line.what, " ", line.why, (f"  ({line.place})" if line.place else "", DIM))


def _by_place(lines: Sequence[Unmapped]) -> Iterator[Text]:
    places: dict[str, list[str]] = {}
    for line in lines:
        places.setdefault(line.place, []).append(line.what)
    for place, names in places.items():
        yield Text.assemble((f"{place}  " if place else "", DIM), " ".join(names))
