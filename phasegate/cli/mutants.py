"""`phasegate verify --mutants`: one rule bent after the other, and which scenario notices by what."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.text import Text

import phasegate
from phasegate.cli.ending import Exit, Refused
from phasegate.cli.inputs import Inputs
from phasegate.cli.screen import BAD, DIM, GOOD, ODD, STRONG, Screen, columns, heading, number, print_json
from phasegate.cli.verifying import interruptible
from phasegate.core.model import refuse_unknown
from phasegate.plotting.summary import counted
from phasegate.verifying.mutants.hunting import STATES_MAX, Catch, hunt_all, look
from phasegate.verifying.mutants.killers import KILLERS
from phasegate.verifying.mutants.table import BY_NAME, MUTANTS
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import parse_scenario

FORMAT: Final = "phasegate/mutants/1"
LIBRARY: Final = Path(phasegate.__file__).parent / "scenarios"
Given = Sequence[tuple[str, bytes]]


def run(paths: Sequence[str], *, only: str | None, quick: bool, states: int | None, as_json: bool) -> Exit:
    """Hunt the mutants that have `only` in their name, in these scenarios or else in the library's; show the table."""
    chosen = [mutant for mutant in MUTANTS if only is None or only in mutant.name]
    if not chosen:
        raise Refused(f"no mutant has `{only}` in its name", "--only")
    files = Inputs()
    given = [files.read(path) for path in paths or library()]
    parsed(given)  # what is wrong with one is said here, not in a process of its own
    with interruptible() as stop, _progress(len(chosen)) as tell:
        catches = hunt_all(
            chosen,
            partial(parsed, given),
            states_max=STATES_MAX if states is None else states,
            is_quick=quick,
            workers=min(len(chosen), os.cpu_count() or 1),
            tell=tell,
            stop=stop,
        )
    if as_json:
        print_json(document(catches))
    else:
        show(Screen(width=_WIDTH), catches)
    if stop():
        done = f"interrupted with {len(catches)} of {counted(len(chosen), 'mutant', 'mutants')} done"
        print(f"error: {done}; --only WORD chooses fewer (phasegate verify)", file=sys.stderr, flush=True)
        return Exit.INTERRUPTED
    return Exit.NO if any(catch.is_gap for catch in catches) else Exit.WELL


def library() -> list[str]:
    """Return the paths of the scenarios that come with the program, by name."""
    return sorted(str(path) for path in LIBRARY.glob("*.yaml"))


def parsed(given: Given) -> tuple[Scenario, ...]:
    """Return the scenarios; `InvalidFile` if one cannot be read."""
    return tuple(parse_scenario(data, name) for name, data in given)


def where_noticed(name: str) -> list[str]:
    """Return the path of the scenario in the library that notices a mutant."""
    if name not in BY_NAME:
        refuse_unknown(name, BY_NAME, "mutant", "--mutant")
    if name not in KILLERS:
        raise Refused(f"no scenario of the library notices `{name}`; name one to see so", "SCENARIO")
    return [path for path in library() if Path(path).stem == KILLERS[name]]


def fall(name: str, scenarios: Sequence[Scenario]) -> dict[str, Any] | None:
    """Return where exploring itself fails over a bent rule, as data: it raises an error, or comes to no end."""
    for scenario in scenarios:
        with BY_NAME[name].bent():
            sign = look(scenario)[0]
        if sign is not None and sign.how in ("crash", "endless"):
            after = counted(sign.acts or 0, "act", "acts")
            what = f"with `{name}` exploring it fails after {after}: {sign.what}"
            return {"format": FORMAT, "scenario": scenario.name, "mutant": name, "by": sign.how, "what": what}
    return None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Catch], None]]:
    """Show how many are done, and which was last, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda catch: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    parts = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*parts, console=Screen(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda catch: bar.update(task, advance=1, description=f"{catch.mutant}  {_fate(catch)}")


# --- what is printed -------------------------------------------------------------------------------------------------

_WIDTH: Final = 132  # names, promises and scenarios side by side
_STYLES: Final = {"caught": GOOD, "counts": ODD, "unseen": DIM, "survived": BAD}


def _fate(catch: Catch) -> str:
    if catch.sign is not None:
        return "counts" if catch.sign.how == "counts" else "caught"
    return "survived" if catch.is_gap else "unseen"


def show(out: Screen, catches: Sequence[Catch]) -> None:
    """Print a line for each mutant, then the gaps, and what is argued of those that nobody can tell."""
    table = columns(
        ("mutant", "left"), ("", "left"), ("by", "left", 24), ("in", "left"), ("acts", "right"), ("s", "right")
    )
    for catch in catches:
        sign, fate = catch.sign, _fate(catch)
        table.add_row(
            catch.mutant,
            Text(fate, style=_STYLES[fate]),
            "" if sign is None else sign.what,
            counted(catch.scenarios, "scenario", "scenarios") if sign is None else sign.scenario,
            Text("-", style=DIM) if sign is None or sign.acts is None else number(sign.acts),
            Text(f"{catch.seconds:.1f}"),
        )
    out.print(table)
    for fate, title in (("survived", "gaps: nothing gives these away"), ("unseen", "no exploration can tell these")):
        found = [catch for catch in catches if _fate(catch) == fate]
        if found:
            out.print()
            out.print(heading((title, STRONG)))
        for catch in found:
            mutant = BY_NAME[catch.mutant]
            out.print(Text(f"  {mutant.name} ({mutant.where}): {mutant.about}"))
            more = mutant.unseen or (
                f"other states in {', '.join(catch.moved)}" if catch.moved else "the same states everywhere"
            )
            out.print(Text(f"    {more}", style=DIM))
    out.print()
    fates = [_fate(catch) for catch in catches]
    out.print(
        f"{counted(len(catches), 'mutant', 'mutants')}: {fates.count('caught')} caught, {fates.count('counts')} by the "
        f"number of states alone, {fates.count('unseen')} unseen, {fates.count('survived')} survived"
    )


def document(catches: Sequence[Catch]) -> dict[str, Any]:
    """Return what `verify --mutants --json` prints."""
    return {
        "format": FORMAT,
        "mutants": [
            {
                "name": catch.mutant,
                "about": BY_NAME[catch.mutant].about,
                "where": BY_NAME[catch.mutant].where,
                "fate": _fate(catch),
                "by": None if catch.sign is None else catch.sign.how,
                "what": None if catch.sign is None else catch.sign.what,
                "scenario": None if catch.sign is None else catch.sign.scenario,
                "acts": None if catch.sign is None else catch.sign.acts,
                "unseen": BY_NAME[catch.mutant].unseen,
                "scenarios": catch.scenarios,
                "states": catch.states,
                "seconds": round(catch.seconds, 3),
                "moved": list(catch.moved),
            }
            for catch in catches
        ],
    }
