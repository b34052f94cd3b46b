"""`phasegate import`: what other tools say of their machines, as a fleet file, and what of it could not be mapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.text import Text

from phasegate.cli.ending import Exit, Refused
from phasegate.cli.fleetout import STANDARD_OUTPUT, counts_line, counts_of, write_out
from phasegate.cli.inputs import Inputs, refuse_same
from phasegate.cli.screen import DIM, ODD, STRONG, Screen, heading, indented, listed, print_json, screen
from phasegate.core.model import Fleet
from phasegate.files.fleetfile import dump_fleet
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
    to_stdout = output == STANDARD_OUTPUT
    if not (to_stdout and as_json):
        write_out(fleet, output)
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
        **counts_of(fleet),
        "unmapped": [{"file": line.file, "place": line.place, "what": line.what, "why": line.why} for line in unmapped],
        "fleet": dump_fleet(fleet) if output is None else None,
    }


def _show(out: Screen, fleet: Fleet, unmapped: Sequence[Unmapped], output: str) -> None:
    out.print(heading(("fleet", STRONG), " to ", "standard output" if output == STANDARD_OUTPUT else output))
    out.print(indented(counts_line(fleet)))
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
