"""The commands as they are typed: names, options and help. What each does is imported when it is called."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from phasegate import __version__
from phasegate.cli.ending import Commands

EXITS: Final = "Exit codes: 0 all is well, 1 the answer is no, 2 bad input, 3 no answer."

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The rules of a safe OS image rollout: plan it, simulate it, verify it, and say why an instance waits.",
    epilog=EXITS,
)
imports = typer.Typer(
    help="Make a fleet file from what other tools say of their machines.",
    rich_markup_mode="rich",
    epilog="What could not be mapped, or is assumed, is listed; nothing is dropped silently.",
)
app.add_typer(imports, name="import", no_args_is_help=False)


def _json_keys(*lines: str) -> str:
    """Return an epilog that says what `--json` prints, a paragraph each; brackets are no markup in it."""
    return "\n\n".join(("With `--json`:", *lines)).replace("[", r"\[")


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
FleetFile = Annotated[
    str,
    typer.Argument(metavar="FLEET", help="Fleet file: .json, .yaml, .ndjson or .parquet; `-` for standard input."),
]
ImageName = Annotated[
    str | None,
    typer.Option("--image", metavar="REF", help="Only this image: publisher/offer/sku or gallery/definition."),
]
Target = Annotated[str | None, typer.Option("--target", metavar="V", help="Go to this version; left out, the newest.")]
PolicyFile = Annotated[
    str | None, typer.Option("--policy", metavar="FILE", help="Policy file; left out, the defaults.")
]
Now = Annotated[
    str | None, typer.Option("--now", metavar="TIME", help="Begin at this time: ms since 1970, or RFC 3339.")
]
All = Annotated[bool, typer.Option("--all", help="Every set by itself, however many there are.")]
Files = Annotated[list[str], typer.Argument(metavar="FILE", help="What the tool said; `-` for standard input.")]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FLEET", help="Fleet file to write; `-` for standard output.")
]
LogFile = Annotated[str, typer.Argument(metavar="LOG", help="Log of `simulate --log`, or `-` for standard input.")]


def _say_version(wanted: bool) -> None:
    if wanted:
        from phasegate.core.kernels import default_kernel

        kernel = "compiled kernel" if default_kernel().is_compiled else "plain twin"
        print(f"phasegate {__version__} ({kernel})")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def phasegate(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print version and kernel, and end.")
    ] = False,
) -> None:
    """Print the help if no command is named."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


IMPORT_JSON: Final = _json_keys(
    "format, output (the file, or null), regions, images, sets, instances (counts), "
    "unmapped: [{file, place, what, why}], fleet (the document, if no file was written)",
)


def _importer(kind: str, help_text: str) -> None:
    @imports.command(kind, help=help_text, epilog=IMPORT_JSON)
    def command(files: Files, output: Output = "-", as_json: Json = False) -> int:
        from phasegate.cli.importing import run

        return run(kind, files, output=output, as_json=as_json)


@imports.command("arm", epilog=IMPORT_JSON)
def import_arm(
    files: Files,
    output: Output = "-",
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE", help="A value for a parameter; repeatable.")
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", metavar="REGION", help="Where the resource group is.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Deployment templates and parameters files."""
    from phasegate.cli.importing import parameters_of, run

    given = parameters_of(parameter or ())
    return run("arm", files, output=output, as_json=as_json, parameters=given, location=location)


_importer("az", "What `az vmss list`, `list-instances`, and the image lists print.")
_importer("regions", "The cloud's region list, as `az account list-locations` prints it.")
_importer("kubectl", "What `kubectl get nodes -o json` prints, by topology labels.")
_importer("aws", "What `aws autoscaling describe-auto-scaling-groups` prints.")


@app.command(
    epilog=_json_keys("format, output, regions, images, sets, instances (counts)"),
)
def convert(fleet: FleetFile, output: Output = "-", as_json: Json = False) -> int:
    """Write a fleet in another form, told by the name's ending: .json, .ndjson or .parquet.

    In Parquet each row is an instance: `set` (region/name) and `id`; any of
    `zone`, `upgrade_domain`, `version`, `health`, `phase_ordering_number`,
    `failed_versions`, `protect_from_scale_set_actions`, `skip_upgrade`,
    `protect_from_scale_in` and `on_model` may be null or left out.

    The description, a fleet document whose sets have no `instances`, is in
    the metadata under the key `phasegate`, or in a file beside it:
    fleet.json, fleet.yaml or fleet.yml for fleet.parquet.
    """
    from phasegate.cli.converting import run

    return run(fleet, output=output, as_json=as_json)


@app.command(
    epilog=_json_keys(
        "format, rollouts, idle (images with nothing to do), without_catalogue (sets of custom images)",
        "rollout: image, target, now_ms, eligible, why_idle, versions {version: instances}, phases [[region]], "
        "regions [{name, pairs, zones, sets, eligible}], sets, ineligible [{name, instances, codes}]",
        "set: name, region, zones, total, eligible, current, excluded, not_healthy, batch_size, batches_at_least, "
        "unhealthy_stop (a count, or null), upgraded_stop (null, or [[count, of], [count, of]]: after the first "
        "batch, and when all are attempted), stops_at_once, rollback, cross_zone, windows (how many), groups",
    )
)
def plan(
    fleet: FleetFile,
    *,
    image: ImageName = None,
    target: Target = None,
    policy: PolicyFile = None,
    now: Now = None,
    show_all: All = False,
    as_json: Json = False,
) -> int:
    """Show what a rollout would do: phases, regions, zones, batch sizes, limits, and who takes no part and why."""
    from phasegate.cli.planning import run

    return run(fleet, image=image, target=target, policy=policy, now=now, show_all=show_all, as_json=as_json)


@app.command(
    epilog=_json_keys(
        "format, seed, start_ms, duration_ms, max_in_flight, max_unhealthy, rollouts",
        "rollout: id, image, target, started_by, started_at_ms, ended_at_ms, status, reason, paused, phase, "
        "phases [[region]], phase_times [{phase, opened_at_ms, ended_at_ms, succeeded, eligible, lost}], batches, "
        "counts, regions {region: counts}, sets [{name, status, error, batches, progress}], "
        "ineligible [{name, codes}]",
        "counts: eligible, upgraded, restored, failed, abandoned, excluded, current",
        "progress: successful, failed, in_progress, pending, skipped",
        "Exit code 1: a rollout did not complete, or a named set is not eligible.",
    )
)
def simulate(
    fleet: FleetFile,
    *,
    image: ImageName = None,
    target: Target = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME", help="A manual rollout of region/set; repeatable.")
    ] = None,
    manual: Annotated[
        bool, typer.Option("--manual", help="A manual rollout: no phases, delays, windows or rollback.")
    ] = False,
    policy: PolicyFile = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Equal seeds give equal logs.")] = 0,
    faults: Annotated[
        str | None, typer.Option("--faults", metavar="FILE", help="What goes wrong; left out, nothing does.")
    ] = None,
    log: Annotated[
        str | None,
        typer.Option("--log", metavar="LOG", help="Write the log: NDJSON, or .parquet; `-` for standard output."),
    ] = None,
    plot: Annotated[str | None, typer.Option("--plot", metavar="OUT", help="Draw it: .svg, .png or .html.")] = None,
    now: Now = None,
    show_all: All = False,
    as_json: Json = False,
) -> int:
    """Simulate whole rollouts, of every image with a newer version or of one, in a seeded environment."""
    from phasegate.cli.simulating import run

    return run(
        fleet,
        image=image,
        target=target,
        sets=sets or (),
        manual=manual,
        policy=policy,
        seed=seed,
        faults=faults,
        log=log,
        plot=plot,
        now=now,
        show_all=show_all,
        as_json=as_json,
    )


@app.command(
    epilog=_json_keys(
        "format, same, steps, lines, state (the digest of the last one), difference {line, recorded, replayed} or null",
        "Exit code 1: it differs.",
    )
)
def replay(log: LogFile, as_json: Json = False) -> int:
    """Run a log through the engine again, and compare every line and every state."""
    from phasegate.cli.replaying import run

    return run(log, as_json=as_json)


@app.command(
    epilog=_json_keys(
        "format, instance, at_ms, since_ms (when something happened last), state, version, target, health, "
        "selected, deadline_ms, earliest_ms, reasons [{code, text, earliest_ms, facts {name: value}}]",
    )
)
def explain(
    log: LogFile,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Which one: region/set/id.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When: ms since 1970, or RFC 3339; left out, the log's end."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Say why an instance does not start, and when it may at the earliest."""
    from phasegate.cli.explaining import run

    return run(log, instance, at=at, as_json=as_json)


@app.command(
    epilog=_json_keys(
        "format, scenario, about, verdict (holds, violated, undetermined), reason, promise {name, number, sentence,",
        "  kind} or null, witness, evidence, order, kernel, symmetric, symmetries, states, transitions, depth,",
        "  frontier, seconds, states_per_second, memory_bytes, rising (acts along which the rank does not fall),",
        "  coverage {acts, rows, ends, reasons: {name: count}, missing [name]},",
        "  asked [{name, kind, calls, undeclared}], story [{number, who, did, came}], again (how many of its",
        "  last steps come again and again), disagreements [{what, expected, found}]",
        "of several scenarios: format, scenarios [as above]",
        "of a sweep: format, sweep, about, parameters, where, runs [{parameters {name: value}, verdict, reason, "
        "promise, states, transitions, depth, seconds, states_per_second, memory_bytes, kernel, symmetric, "
        "is_expected, is_final, disagreements, taken_over}], stale, "
        "totals {cases, done, old, verdicts, states, transitions, seconds}",
        "of mutants: format, mutants [{name, about, where, fate (caught, counts, unseen, survived), by, what,",
        "  scenario, acts, unseen, scenarios, states, seconds, moved [scenario]}]",
        "Exit code 1: a promise is broken, a scenario does not come out as it expects, or a mutant survived;",
        "3: undetermined.",
    )
)
def verify(
    scenarios: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO...", help="Scenario files; `-` for standard input.")
    ] = None,
    *,
    sweep: Annotated[
        str | None,
        typer.Option("--sweep", metavar="FILE", help="Many scenarios, or a family over a grid, side by side."),
    ] = None,
    results: Annotated[
        str | None,
        typer.Option(
            "--results", metavar="FILE", help="A sweep's results as NDJSON; a second start goes on from them."
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Sweep on a Ray cluster: its address, or auto."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="A sweep's processes; left out, one a processor."),
    ] = None,
    mutants: Annotated[
        bool,
        typer.Option("--mutants", help="Bend one rule after the other: some scenario, of the library's, must notice."),
    ] = False,
    only: Annotated[
        str | None, typer.Option("--only", metavar="WORD", help="With --mutants: those that have it in their name.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --mutants: each in the scenario alone that noticed it last.")
    ] = False,
    mutant: Annotated[
        str | None,
        typer.Option(
            "--mutant",
            metavar="NAME",
            help="Bend this rule, and show what comes of it; without a scenario, in the one that notices it.",
        ),
    ] = None,
    symmetry: Annotated[
        bool, typer.Option("--symmetry/--no-symmetry", help="Take for one what differs in names only.")
    ] = True,
    order: Annotated[
        str, typer.Option("--order", metavar="ORDER", help="breadth, depth, or random (walks: a sample).")
    ] = "breadth",
    states: Annotated[
        int | None, typer.Option("--states", metavar="N", min=1, help="End after so many states.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="N", min=0, help="End after so many seconds.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="SIZE", help="End at this much, like 2G; left out, half of what is free."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", metavar="N", min=1, help="Go on so many threads; left out, one a processor."),
    ] = None,
    kernel: Annotated[
        str | None, typer.Option("--kernel", metavar="KERNEL", help="compiled or twin; left out, what there is.")
    ] = None,
    promises: Annotated[
        str | None,
        typer.Option("--promises", metavar="FILE", help="Promises of your own: a Python file, which is run."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Equal seeds give equal random walks.")] = 0,
    trace: Annotated[
        str | None,
        typer.Option("--trace", metavar="LOG", help="Write the counterexample as a log; `-` for standard output."),
    ] = None,
    page: Annotated[
        str | None,
        typer.Option("--page", metavar="HTML", help="Write the counterexample as one web page, to be stepped through."),
    ] = None,
    witness: Annotated[
        str | None,
        typer.Option("--witness", metavar="NAME", help="Where all holds, show a run to it, like `restored`."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Explore every state that small fleets can reach, whatever their environment does, and say what holds."""
    from phasegate.cli.verifying import check_mutants, refuse_without_sweep, run

    check_mutants(mutants, only=only, quick=quick, mutant=mutant, sweep=sweep, threads=threads)
    if mutants:
        from phasegate.cli.mutants import run as hunt

        return hunt(scenarios or (), only=only, quick=quick, states=states, as_json=as_json)
    if sweep is not None:
        from phasegate.cli.sweeping import run as run_sweep

        return run_sweep(
            sweep,
            scenarios or (),
            symmetry=symmetry,
            order=order,
            states=states,
            seconds=seconds,
            memory=memory,
            kernel=kernel,
            promises=promises,
            seed=seed,
            shown={"trace": trace, "page": page, "witness": witness},
            results=results,
            cluster=cluster,
            workers=workers,
            as_json=as_json,
        )
    refuse_without_sweep(results=results, cluster=cluster, workers=workers)
    return run(
        scenarios or (),
        mutant=mutant,
        threads=threads,
        symmetry=symmetry,
        order=order,
        states=states,
        seconds=seconds,
        memory=memory,
        kernel=kernel,
        promises=promises,
        seed=seed,
        trace=trace,
        page=page,
        witness=witness,
        as_json=as_json,
    )


@app.command(
    epilog=_json_keys(
        "format, machine, clock, most, goals [{what, goal, unit, measured (or null), met (or null)}],",
        "growth [{path, by, numbers, exponent, factor, least, most}],",
        "floors [{path, floor, instances, bytes, seconds, times}],",
        "figures [{path, by, shape, instances, seconds, median, rounds, numbers}],",
        "peers {name: {version, threads, cannot}}",
        "Exit code 1: a benchmark did not come to its result. A goal that is not met is no error.",
    )
)
def bench(
    *,
    most: Annotated[
        int, typer.Option("--most", metavar="N", min=1_000, help="Fleets of at most so many instances.")
    ] = 10_000_000,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small fleets, each benchmark once: results are checked, times say little.")
    ] = False,
    cpu: Annotated[
        bool, typer.Option("--cpu", help="Take the processor's time: for a machine that others are using too.")
    ] = False,
    only: Annotated[
        str | None, typer.Option("--only", metavar="WORD", help="Only benchmarks that have it in their name.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the document of `--json` to a file too.")
    ] = None,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="OUT", help="Draw how costs grow: .svg or .png.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Measure what a decision costs on this machine and how that grows, beside what others would take for it."""
    from phasegate.cli.benching import run

    return run(most=most, quick=quick, cpu=cpu, only=only, output=output, plot=plot, as_json=as_json)
