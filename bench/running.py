"""Runs the suite with pytest-benchmark in a process of its own, and reads what it measured.

Of its own, so that neither what the caller has imported nor the plugins that happen to be installed disturb what is
measured; and without the caller's pytest settings.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from phasegate.bench.clock import CPU_CLOCK
from phasegate.bench.figures import Figures, read
from phasegate.core.errors import PhasegateError

NEEDED: Final = ("pytest", "pytest_benchmark", "matplotlib", "numpy", "polars", "pyarrow", "simpy")
SECONDS_EACH: Final = 0.5  # how long a benchmark is repeated; short ones more often, long ones once
QUICK: Final = ("--quick", "--benchmark-max-time=0.01", "--benchmark-min-rounds=1")


class Failed(PhasegateError):
    """A benchmark found another result than it must have, or the run broke off; `output` is what pytest said."""

    def __init__(self, code: int, output: str) -> None:
        wrong = "a benchmark did not come to the result that it must have"
        super().__init__(wrong if code == 1 else f"the benchmarks broke off, with exit code {code}")
        self.output = output


def missing() -> list[str]:
    """Return what is not installed of what the suite needs."""
    return [name for name in NEEDED if find_spec(name) is None]


def run(
    *, most: int, quick: bool, cpu: bool = False, only: str | None = None, said: Callable[[str], object] | None = None
) -> Figures:
    """Run the benchmarks on fleets of at most `most` instances; `said` is called with the name of each that is done.

    With `cpu` they are timed with the processor's clock; `only` takes those whose name has it. What is `missing` must
    be installed before. `PhasegateError` if nothing is selected, `Failed` if a result is wrong or pytest breaks off.
    """
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as room:
        found = Path(room) / "measured.json"
        command = [
            sys.executable, "-m", "pytest", str(here),
            "-c", os.devnull, "--rootdir", str(here.parent.parent),
            "-p", "pytest_benchmark.plugin", "-p", "no:cacheprovider",
            "-v", "--no-header", "--color=no", "--benchmark-quiet", "--benchmark-disable-gc", "--benchmark-warmup=off",
            f"--benchmark-json={found}", f"--benchmark-storage=file://{room}/storage", f"--most={most}",
            *(QUICK if quick else (f"--benchmark-max-time={SECONDS_EACH}", "--benchmark-min-rounds=3")),
            *((f"--benchmark-timer={CPU_CLOCK}",) if cpu else ()),
            *(("-k", only) if only else ()),
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        code, output = _watched(command, environment, said)
        if code == 5:
            raise PhasegateError(f"no benchmark has `{only}` in its name")
        if code:
            raise Failed(code, output)
        return Figures(tuple(read(json.loads(found.read_bytes()))))


def _watched(command: list[str], environment: dict[str, str], said: Callable[[str], object] | None) -> tuple[int, str]:
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None, "it is a pipe"
        try:
            for line in process.stdout:
                lines.append(line)
                if said is not None and "::" in line:
                    said(line.split("::", 1)[1].rsplit(" ", 2)[0].strip())
        except BaseException:
            process.kill()
            raise
    return process.returncode, "".join(lines)
