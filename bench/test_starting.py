"""How long one waits before anything happens: a fresh interpreter, the import, the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from phasegate.bench.figures import OURS, note

# what every process pays that uses our dependencies anyway
STARTS = {
    "interpreter": ["-c", "pass"],
    "import networkx, attrs, transitions": ["-c", "import networkx, attrs, transitions"],
    "import phasegate": ["-c", "import phasegate"],
    "phasegate --version": ["-c", "from phasegate.cli import main; main()", "--version"],
}


@pytest.mark.parametrize("what", STARTS)
def test_start(benchmark: Any, what: str) -> None:
    """A process from its start to its end; the fastest of seven."""

    def run() -> str:
        return subprocess.run([sys.executable, *STARTS[what]], check=True, capture_output=True, text=True).stdout

    assert ("kernel" in run() or "twin" in run()) is what.startswith("phasegate")
    note(benchmark, what, OURS, "", 0)
    benchmark.pedantic(run, rounds=7)
