"""`phasegate verify`: every state of small fleets, explored; what holds, what does not, and the shortest way there."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final, cast

from attrs import asdict

from phasegate.cli.ending import Exit, Refused, asked_by
from phasegate.cli.inputs import Inputs, refuse_same
from phasegate.cli.screen import Screen, print_json, screen
from phasegate.core.errors import InvalidModel
from phasegate.core.kernels import default_kernel
from phasegate.core.model import refuse_unknown
from phasegate.files.documents import InvalidFile, write_atomically
from phasegate.files.sizes import bytes_of
from phasegate.verifying.promise import Custom, load_promises
from phasegate.verifying.result import Bounds, Order, Progress, Result
from phasegate.verifying.run import check_witness, verify
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import parse_scenario
from phasegate.verifying.story import story

FORMAT: Final = "phasegate/verification/1"
ORDERS: Final = ("breadth", "depth", "random")
KERNELS: Final = ("compiled", "twin")
_WHAT: Final = {"--trace": "log", "--page": "page"}


def run(
    scenarios: Sequence[str],
    *,
    mutant: str | None,
    symmetry: bool,
    order: str,
    states: int | None,
    seconds: float | None,
    memory: str | None,
    kernel: str | None,
    promises: str | None,
    seed: int,
    trace: str | None,
    page: str | None,
    witness: str | None,
    as_json: bool,
    threads: int | None,
) -> Exit:
    """Verify each scenario, write the trace and the page that are asked for, and show what came of it."""
    if not scenarios and mutant is not None:
        from phasegate.cli.mutants import where_noticed

        scenarios = where_noticed(mutant)
    if not scenarios:
        raise Refused("name a scenario file, a sweep file with --sweep, or --mutants for the library", "SCENARIO")
    outputs = {option: path for option, path in (("--trace", trace), ("--page", page)) if path is not None}
    bent: Any = nullcontext()
    if mutant is not None:
        bent, kernel = _bent(mutant, kernel), "twin"
    check(order, kernel, states, seconds)
    check_outputs(outputs, scenarios, promises, as_json=as_json)
    bounds = Bounds(states=states, seconds=seconds, memory=memory_of(memory))
    files = Inputs()
    read = [files.read(path) for path in scenarios]
    given = [parse_scenario(data, name) for name, data in read]
    own = load_promises(promises) if promises is not None else ()
    if witness is not None:
        with asked_by("--witness"):
            for scenario in given:
                check_witness(witness, (*own, *scenario.claims))
    if mutant is not None:
        from phasegate.cli.mutants import fall

        fallen = fall(mutant, given)
        if fallen is not None:
            print_json(fallen) if as_json else screen().print(f"{fallen['scenario']}: {fallen['what']}")
            return Exit.NO
    results: list[Result] = []
    goes_on = threads or os.cpu_count() or 1
    with bent, interruptible() as stop:
        for (name, _), scenario in zip(read, given, strict=True):
            with progress_line(scenario) as tell:
                results.append(
                    _verified(scenario, name, own, symmetry, order, bounds, kernel, seed, tell, stop, witness, goes_on)
                )
            if stop():
                break
    written = _write(results, outputs)
    if as_json:
        documents = [document(result) for result in results]
        print_json(documents[0] if len(given) == 1 else {"format": FORMAT, "scenarios": documents})
    else:
        from phasegate.cli.verifyview import show

        unwritten = [path for option, path in outputs.items() if path != "-" and option not in written]
        out = Screen(stderr=True) if "-" in outputs.values() else screen()
        show(out, results, written=written, unwritten=unwritten)
    return _exit(results, is_cut=stop())


def check_mutants(
    mutants: bool, *, only: str | None, quick: bool, mutant: str | None, sweep: str | None, threads: int | None
) -> None:
    """Refuse options that do not go together."""
    if threads is not None and (sweep is not None or mutants):
        raise Refused("a sweep and a hunt go on processes; leave it out, or give a sweep --workers", "--threads")
    if sweep is not None and (mutants or mutant is not None):
        raise Refused("a sweep bends no rule; leave it out, or the mutants", "--sweep")
    if only is not None and not mutants:
        raise Refused("it chooses mutants; give --mutants too", "--only")
    if quick and not mutants:
        raise Refused("it is of mutants; give --mutants too", "--quick")
    if mutant is not None and mutants:
        raise Refused("all of them are hunted, or one is shown", "--mutant")


def _bent(name: str, kernel: str | None) -> Any:
    """Return the context in which the rule is bent; it is so in the plain kernel alone."""
    from phasegate.verifying.mutants.table import BY_NAME

    if name not in BY_NAME:
        refuse_unknown(name, BY_NAME, "mutant", "--mutant")
    if kernel == "compiled":
        raise Refused("a mutant is explored on the plain twin; leave it out", "--kernel")
    return BY_NAME[name].bent()


def refuse_without_sweep(**options: object) -> None:
    """Refuse options that say something of a sweep where there is none."""
    for name, value in options.items():
        if value is not None:
            raise Refused("is of sweeps; name one with --sweep", f"--{name}")


def check(order: str, kernel: str | None, states: int | None, seconds: float | None) -> None:
    """Refuse what cannot be done before a long run, not after it."""
    if order not in ORDERS:
        raise Refused(f"`{order}` is none of {', '.join(ORDERS)}", "--order")
    if kernel is not None and kernel not in KERNELS:
        raise Refused(f"`{kernel}` is none of {', '.join(KERNELS)}", "--kernel")
    if kernel == "compiled" and not default_kernel().is_compiled:
        raise Refused("the compiled kernel was not built here; leave it out", "--kernel")
    if order == "random" and states is None and seconds is None:
        raise Refused("random walks have no end of their own; give --states or --seconds", "--order")


def check_outputs(outputs: Mapping[str, str], scenarios: Sequence[str], promises: str | None, *, as_json: bool) -> None:
    """Refuse what has no place to go to, also before the run."""
    for option, path in outputs.items():
        what = _WHAT[option]
        if len(scenarios) > 1:
            raise Refused(f"one {option.removeprefix('--')} file is for one scenario", option)
        if path == "-" and as_json:
            raise Refused(f"the {what} and `--json` cannot both go to standard output; write it to a file", option)
        if path != "-" and not os.path.isdir(os.path.dirname(os.path.realpath(path))):
            raise Refused(f"there is no folder `{os.path.dirname(path)}` to write to", option)
        refuse_same(path, (*scenarios, promises), option)
    if len({os.path.realpath(path) for path in outputs.values()}) < len(outputs):
        raise Refused(f"`{outputs['--page']}` is where the log goes", "--page")


def memory_of(text: str | None) -> int | None:
    """Return a number of bytes; without one, half of the memory that is free now, so that a run ends by itself.

    None, no bound, where the system does not say how much is free.
    """
    if text is None:
        if "SC_AVPHYS_PAGES" not in os.sysconf_names:
            return None
        return int(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    try:
        return bytes_of(text)
    except InvalidModel as error:
        raise Refused(error.what, "--memory") from None


def _verified(
    scenario: Scenario,
    name: str,
    own: tuple[Custom, ...],
    symmetry: bool,
    order: str,
    bounds: Bounds,
    kernel: str | None,
    seed: int,
    tell: Callable[[Progress], None] | None,
    stop: Callable[[], bool],
    witness: str | None,
    threads: int,
) -> Result:
    try:
        return verify(
            scenario,
            promises=own,
            symmetry=symmetry,
            order=cast(Order, order),
            bounds=bounds,
            kernel=kernel,
            seed=seed,
            progress=tell,
            stop=stop,
            witness=witness,
            threads=threads,
        )
    except InvalidModel as error:
        raise InvalidFile(error.what, name, error.path) from None


def _exit(results: Sequence[Result], *, is_cut: bool) -> Exit:
    if is_cut:
        return Exit.INTERRUPTED
    if any((result.verdict == "violated" and not _is_expected(result)) or result.disagreements for result in results):
        return Exit.NO
    return Exit.NO_ANSWER if any(result.verdict == "undetermined" for result in results) else Exit.WELL


def _is_expected(result: Result) -> bool:
    """Whether the scenario says that it is violated, and it is, in that way: some show what a policy does not keep."""
    return result.scenario.expect.verdict == "violated" and not result.disagreements


# --- while it runs ---------------------------------------------------------------------------------------------------


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C end a run with what it covered; a second one ends it at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress_line(scenario: Scenario) -> Iterator[Callable[[Progress], None] | None]:
    """Show how far a run is, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn

    from phasegate.cli.verifyview import amount

    with Bar(SpinnerColumn(), TextColumn("{task.description}"), console=Screen(stderr=True), transient=True) as bar:
        task = bar.add_task(scenario.name, total=None)

        def tell(now: Progress) -> None:
            parts = (
                f"{now.states:,} states",
                f"{now.frontier:,} to expand",
                f"depth {now.depth}",
                f"{now.rate:,.0f}/s",
                amount(now.memory),
            )
            bar.update(task, description=f"{scenario.name}  {'  '.join(parts)}")

        yield tell


# --- what is written and printed -------------------------------------------------------------------------------------


def _write(results: Sequence[Result], outputs: Mapping[str, str]) -> dict[str, str]:
    """Write the run that a result shows, as a log and as a page; return the options, and the files written for them."""
    written: dict[str, str] = {}
    trace = results[0].trace if results else None
    if trace is None:
        return written
    for option, path in outputs.items():
        chunks = trace.lines if option == "--trace" else (_page(results[0]),)
        if path == "-":
            sys.stdout.buffer.writelines(chunks)
        else:
            write_atomically(path, chunks)
            written[option] = path
    return written


def _page(result: Result) -> bytes:
    from phasegate.cli.verifypage import page

    return page(result)


def document(result: Result) -> dict[str, Any]:
    """Return what `verify --json` prints of a scenario."""
    progress, broken = result.progress, result.broken
    return {
        "format": FORMAT,
        "scenario": result.scenario.name,
        "about": result.scenario.about,
        "verdict": result.verdict,
        "reason": result.reason,
        "promise": None if broken is None else asdict(broken),
        "witness": result.witness,
        "evidence": result.trace.evidence if result.trace is not None else None,
        "order": result.order,
        "kernel": "compiled" if result.is_compiled else "twin",
        "symmetric": result.is_symmetric,
        "symmetries": result.symmetries,
        "states": progress.states,
        "transitions": progress.transitions,
        "depth": progress.depth,
        "frontier": progress.frontier,
        "seconds": round(progress.seconds, 3),
        "states_per_second": round(progress.rate),
        "memory_bytes": progress.memory,
        "rising": result.rising,
        "coverage": asdict(result.coverage),
        "asked": [asdict(one) for one in result.asked],
        "again": result.trace.again if result.trace is not None else 0,
        "story": [asdict(sentence) for sentence in story(result.trace)] if result.trace is not None else [],
        "disagreements": [
            {"what": what, "expected": expected, "found": found} for what, expected, found in result.disagreements
        ],
    }
