"""`phasegate simulate`: whole rollouts in a seeded environment, with a log, a plot and a summary."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile, gettempdir
from typing import Any, Final

import msgspec
from attrs import asdict, frozen

from phasegate.cli.ending import Exit, Refused, asked_by
from phasegate.cli.inputs import Inputs, default_now, image_named, refuse_same, sets_named, time_at, version_named
from phasegate.cli.milestones import Milestones
from phasegate.cli.screen import Screen, print_json, screen
from phasegate.core.engine import Engine
from phasegate.core.errors import PhasegateError
from phasegate.core.model import Fleet
from phasegate.files.documents import blamed_on
from phasegate.logs.logfile import log_lines, write_log
from phasegate.plotting.times import duration
from phasegate.simulating.simulation import Progress, Run, Summary

FORMAT: Final = "phasegate/simulation/1"
SEED_MAX: Final = 2**64 - 1


@frozen(kw_only=True)
class Outcome:
    """What a run came to: its summary, its times, and the sets that were named but are not eligible."""

    summary: Summary
    times: Milestones
    seed: int
    start: int
    refused: tuple[str, ...]

    @property
    def exit(self) -> Exit:
        """No if a rollout did not complete, or a named set is not eligible; a run without a rollout is well."""
        completed = all(rollout["status"] == "completed" for rollout in self.summary.rollouts)
        return Exit.WELL if completed and not self.refused else Exit.NO

    def document(self) -> dict[str, Any]:
        """Return what `simulate --json` prints."""
        whole = {"format": FORMAT, "seed": self.seed, "start_ms": self.start, **self.summary.document}
        whole["rollouts"] = [self._rollout(rollout) for rollout in self.summary.rollouts]
        return whole

    def _rollout(self, rollout: Mapping[str, Any]) -> dict[str, Any]:
        times = self.times.rollouts[rollout["id"]]
        return {
            **rollout,
            "ended_at_ms": times.ended_at_ms,
            "reason": times.reason,
            "phase_times": [asdict(phase) for phase in times.phases],
        }


def run(
    fleet: str,
    *,
    image: str | None,
    target: str | None,
    sets: Sequence[str],
    manual: bool,
    policy: str | None,
    seed: int,
    faults: str | None,
    log: str | None,
    plot: str | None,
    now: str | None,
    show_all: bool,
    as_json: bool,
) -> Exit:
    """Simulate, write what is asked for, and show what came of it."""
    if not 0 <= seed <= SEED_MAX:
        raise Refused(f"{seed} is not between 0 and {SEED_MAX}", "--seed")
    _check_outputs(log, plot, as_json)
    for path, option in ((log, "--log"), (plot, "--plot")):
        refuse_same(path, (fleet, policy, faults), option)
    files = Inputs()
    name, given = files.fleet(fleet)
    rules = files.policy(policy)
    faults_name, faulty = files.faults(faults)
    named = sets_named(given, sets)
    image = _image(given, image, named)
    if image is None and (manual or target is not None):
        image = _only_image(given, "--manual" if manual else "--target")
    version_named(given, image, target)
    start = default_now(given) if now is None else time_at(now, "--now")
    with blamed_on(name):
        engine = Engine(given, rules)
    with _progress_bar() as progress, blamed_on(faults_name):
        one = Run(
            engine=engine,
            image=image,
            target=target,
            sets=named or None,
            manual=manual,
            seed=seed,
            faults=faulty,
            now=start,
            progress=progress,
        )
        times = Milestones()
        with blamed_on(name), asked_by(_asked(image, target)):
            _write(times.watch(one.log(is_kept=True)), log, plot)
        summary = one.summary()
    refused = _refused(summary, named)
    outcome = Outcome(summary=summary, times=times, seed=seed, start=start, refused=refused)
    if as_json:
        print_json(outcome.document())
    else:
        from phasegate.cli.outcomeview import show

        show(Screen(stderr=True) if log == "-" else screen(), outcome, show_all=show_all)
    return outcome.exit


def _check_outputs(log: str | None, plot: str | None, as_json: bool) -> None:
    """Refuse what cannot be written before a long run, not after it."""
    if log == "-" and as_json:
        raise Refused("the log and `--json` cannot both go to standard output; write the log to a file", "--log")
    for path, option in ((log, "--log"), (plot, "--plot")):
        if path is not None and path != "-":
            folder = os.path.dirname(os.path.realpath(path))
            if os.path.isdir(path):
                raise Refused(f"`{path}` is a folder; name a file in it", option)
            if not os.path.isdir(folder):
                raise Refused(f"there is no folder `{os.path.dirname(path)}` to write `{path}` to", option)
    if plot is not None:
        if log is not None and os.path.realpath(log) == os.path.realpath(plot):
            raise Refused(f"the log and the plot cannot both be `{plot}`", "--plot")
        from phasegate.plotting import plot as plots

        try:
            plots.check(plot)
        except PhasegateError as error:
            raise Refused(str(error), "--plot") from None


def _asked(image: str | None, target: str | None) -> str:
    """Return what to blame for a request that the engine refuses."""
    return "--target" if target is not None else "--image" if image is not None else "the simulation"


def _image(fleet: Fleet, image: str | None, sets: Sequence[str]) -> str | None:
    """Return the image that is asked for by its name or by sets that are made from it."""
    if image is not None:
        image_named(fleet, image)
    by_name = {scale_set.full_name: scale_set.image.name for scale_set in fleet.sets}
    for name in sets:
        if image is None:
            image = by_name[name]
        if by_name[name] != image:
            raise Refused(f"set `{name}` is made from `{by_name[name]}`, not `{image}`", "--set")
    return image


def _only_image(fleet: Fleet, option: str) -> str:
    if len(fleet.images) != 1:
        raise Refused(f"which image? the fleet has {len(fleet.images)}; name one with `--image`", option)
    return fleet.images[0].name


def _refused(summary: Summary, named: Iterable[str]) -> tuple[str, ...]:
    if not summary.rollouts:
        return ()
    out = {entry["name"] for entry in summary.rollouts[0]["ineligible"]}
    return tuple(name for name in named if name in out)


def _write(chunks: Iterator[bytes], log: str | None, plot: str | None) -> None:
    """Let the run go through, and write its log and its plot as they are asked for."""
    if plot is not None and log in (None, "-"):
        with TemporaryFile() as spool:
            for chunk in chunks:
                with _blamed_on_temporary_files():
                    spool.write(chunk)
                if log == "-":
                    sys.stdout.buffer.write(chunk)
            with _blamed_on_temporary_files():
                spool.seek(0)  # writes what is left
            _draw(spool, plot)
    elif log == "-":
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
    elif log is not None:
        write_log(log, chunks)
        if plot is not None:
            _draw(log_lines(log), plot)
    else:
        for _ in chunks:  # the milestones are what is wanted
            pass


@contextmanager
def _blamed_on_temporary_files() -> Iterator[None]:
    """Name the folder that is full, and how another is chosen."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {(error.strerror or str(error)).lower()}; TMPDIR names another folder"
        raise Refused(what, f"temporary file in {gettempdir()}") from None


def _draw(log: Iterable[bytes], plot: str) -> None:
    from phasegate.plotting import plot as plots

    timeline = plots.collect(map(msgspec.json.decode, log))
    plots.draw(timeline, plot)


@contextmanager
def _progress_bar() -> Iterator[Progress | None]:
    """Show how far the run is, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("simulating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("instances, {task.description}"),
        console=Screen(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)

        def tell(now: int, through: int, pending: int) -> None:
            bar.update(task, completed=through, total=pending, description=duration(now))

        yield tell
