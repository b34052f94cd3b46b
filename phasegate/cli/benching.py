"""`phasegate bench`: what a decision costs on this machine, and how it grows."""

from __future__ import annotations

import json
import sys
from typing import Final

from rich.status import Status

from phasegate.cli.ending import Exit, Refused
from phasegate.cli.screen import Screen, print_json
from phasegate.core.errors import PhasegateError
from phasegate.files.documents import write_atomically

OUTPUT_MAX: Final = 60  # lines of what pytest said of a wrong result: its summary is at the end


def run(
    *, most: int, quick: bool, cpu: bool, only: str | None, output: str | None, plot: str | None, as_json: bool
) -> int:
    """Run the suite; print the table or the document, write the document and the plot where they are asked for."""
    from phasegate.bench import running

    if absent := running.missing():
        raise Refused(f"benchmarks need {', '.join(absent)}, not installed; `pip install 'phasegate[bench]'`", "bench")
    from phasegate.bench import growth_plot, table
    from phasegate.bench.report import document

    err = Screen(stderr=True)
    try:
        if plot is not None:
            growth_plot.check(plot)
        with Status("starting", console=err) if err.is_terminal else _Silent() as status:
            figures = running.run(most=most, quick=quick, cpu=cpu, only=only, said=status.update)
    except running.Failed as failed:
        sys.stderr.write("".join(failed.output.splitlines(keepends=True)[-OUTPUT_MAX:]))
        print(f"error: {failed} (bench)", file=sys.stderr)
        return Exit.NO
    except PhasegateError as error:
        raise Refused(str(error), "bench") from None
    told = document(figures, most=most, cpu=cpu)
    if output is not None:
        write_atomically(output, [json.dumps(told, indent=2, ensure_ascii=False) + "\n"])
    if plot is not None:
        growth_plot.draw(figures, told["machine"], plot)
    if as_json:
        print_json(told)
    else:
        table.show(figures, told)
    return Exit.WELL


class _Silent:
    """What stands where there is no terminal to show progress on."""

    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, status: str) -> None:
        """Say nothing."""
