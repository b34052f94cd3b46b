"""`phasegate verify --sweep`: many scenarios, or one family over a grid, on this machine's processors or a cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final, cast

from attrs import asdict

from phasegate.cli.ending import Exit, Refused
from phasegate.cli.inputs import Inputs, refuse_same
from phasegate.cli.screen import Screen, print_json, screen
from phasegate.cli.verifying import check, interruptible, memory_of
from phasegate.files.documents import decoded
from phasegate.verifying.promise import load_promises
from phasegate.verifying.result import Bounds, Order
from phasegate.verifying.sweeping.cases import Settings
from phasegate.verifying.sweeping.cluster import Cluster, NoCluster
from phasegate.verifying.sweeping.outcome import document_of
from phasegate.verifying.sweeping.pool import Place, Pool
from phasegate.verifying.sweeping.results import opened
from phasegate.verifying.sweeping.sweepfile import Sweep, parse_sweep
from phasegate.verifying.sweeping.sweeping import Table, Watch, swept

FORMAT: Final = "phasegate/sweep-report/1"


def run(
    path: str,
    scenarios: Sequence[str],
    *,
    symmetry: bool,
    order: str,
    states: int | None,
    seconds: float | None,
    memory: str | None,
    kernel: str | None,
    promises: str | None,
    seed: int,
    shown: Mapping[str, str | None],
    results: str | None,
    cluster: str | None,
    workers: int | None,
    as_json: bool,
) -> Exit:
    """Verify what the sweep file means and the results file does not know, and show what came of all of it.

    `shown` are the options that show one run, which a sweep has not.
    """
    if scenarios:
        raise Refused("a sweep names its scenarios itself; leave SCENARIO out", "--sweep")
    for option, value in shown.items():
        if value is not None:
            raise Refused(f"a sweep has no one {option}; verify the scenario by itself for it", f"--{option}")
    if cluster is not None and workers is not None:
        raise Refused("how many workers there are is for the cluster to say; leave one of them out", "--workers")
    refuse_same(results, (path, promises), "--results")
    files = Inputs()
    name, data = files.read(path)
    sweep = parse_sweep(data, name)
    bounds = _bounds(sweep.bounds, states, seconds, memory)
    check(order, kernel, bounds.states, bounds.seconds)
    settings = Settings(
        symmetry=symmetry, order=cast(Order, order), kernel=kernel, seed=seed, promises=_promises(files, promises)
    )
    try:
        place: Place = _place(cluster, workers)
        with (
            opened(results, sweep) if results is not None else nullcontext() as file,
            interruptible() as stop,
            progress_line(sweep) as told,
        ):
            table = swept(sweep, settings, place, bounds=bounds, results=file, told=told, stop=stop)
            is_cut = stop()
    except NoCluster as error:
        raise Refused(str(error), "--cluster") from None
    if as_json:
        print_json(document(table))
    else:
        from phasegate.cli.sweepview import show

        show(screen(), table)
    if is_cut:
        print(f"error: {_cut_short(table, results)} (phasegate verify)", file=sys.stderr, flush=True)
    return _exit(table, is_cut=is_cut)


def _bounds(given: Bounds, states: int | None, seconds: float | None, memory: str | None) -> Bounds:
    """Return the file's bounds, each that the command line says in its place."""
    return Bounds(
        states=given.states if states is None else states,
        seconds=given.seconds if seconds is None else seconds,
        memory=given.memory if memory is None else memory_of(memory),
    )


def _promises(files: Inputs, path: str | None) -> tuple[str, str] | None:
    """Return name and text of a file of promises, run once here so that its faults show before a long run."""
    if path is None:
        return None
    load_promises(path)
    name, data = files.read(path)
    return name, decoded(data, name)


def _place(cluster: str | None, workers: int | None) -> Place:
    if cluster is not None:
        return Cluster(cluster)
    return Pool() if workers is None else Pool(workers)


def _cut_short(table: Table, results: str | None) -> str:
    """Return how to go on after an interrupt."""
    totals = table.totals
    done = f"interrupted with {totals.done:,} of {totals.cases:,} done"
    if results is None:
        return f"{done}; with --results FILE, a second start would go on from there"
    return f"{done}; they are in {results}, and the same command goes on from there"


def _exit(table: Table, *, is_cut: bool) -> Exit:
    if is_cut:
        return Exit.INTERRUPTED
    if any(outcome.is_no for outcome in table.outcomes):
        return Exit.NO
    return Exit.NO_ANSWER if table.totals.verdicts["undetermined"] else Exit.WELL


def document(table: Table) -> dict[str, Any]:
    """Return what `verify --sweep --json` prints."""
    return {
        "format": FORMAT,
        "sweep": table.sweep.name,
        "about": table.sweep.about,
        "parameters": list(table.sweep.parameters),
        "where": table.where,
        "runs": [
            {**document_of(row.case, row.outcome), "taken_over": row.is_old}
            for row in table.rows
            if row.outcome is not None
        ],
        "stale": table.stale,
        "totals": asdict(table.totals),
    }


@contextmanager
def progress_line(sweep: Sweep) -> Iterator[Callable[[Watch], None]]:
    """Show how many cases are done and how far the others are, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda watch: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    from phasegate.cli.sweepview import at_work

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Screen(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(sweep.cases))

        def tell(watch: Watch) -> None:
            bar.update(task, completed=watch.done, description=at_work(sweep, watch))

        yield tell
