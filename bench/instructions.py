"""The guard against slowing down: instructions of four key paths, counted by callgrind, compared with a record.

    python -m phasegate.bench.instructions             compare with instructions.json; exit code 1 if one is slower
    python -m phasegate.bench.instructions --record    write instructions.json anew, when a change is meant

Counts repeat to a fraction of a percent on a busy machine too, which times never do, whatever surrounds the program
(`FIXED`). They do depend on the interpreter and, little, on the compiler: a Python without a record of its own is
compared with the one that is there, with a wider tolerance, in which only gross slowdowns are noticed; that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from phasegate.bench.key_paths import COUNTED, PATHS
from phasegate.core.kernels import default_kernel
from phasegate.files.documents import write_atomically

RECORD: Final = Path(__file__).with_name("instructions.json")
PERCENT: Final = 5  # of tolerance, against a record of the same Python
PERCENT_ELSEWHERE: Final = 50  # against one of another Python

# What would make the same program take other counts: the order of sets, and how glibc copies memory. It takes the
# widest way that the processor has, and for long stretches one instruction that callgrind counts once a byte: whether
# something that grows is moved or not, as addresses have it, would then be 6 % of a step.
FIXED: Final = {
    "PYTHONHASHSEED": "0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM",
}


class NotCounted(Exception):
    """There is no count: what is missing, and how to get it."""


def here() -> str:
    """Return what counts depend on: the interpreter and the processor's kind."""
    return f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor} {platform.machine()}"


def count() -> dict[str, int]:
    """Return how many instructions each path takes; `NotCounted` if there is no valgrind, or no compiled kernel."""
    if not default_kernel().is_compiled:
        raise NotCounted("the kernel is not compiled; install a C compiler and `pip install -e .` again")
    totals = counted("-m", "phasegate.bench.key_paths")[-len(PATHS) :]  # whoever called `dir` before is counted too
    if len(totals) < len(PATHS) or not all(totals):
        raise NotCounted(f"callgrind did not see `{COUNTED}`: does this Python export it?")
    return dict(zip(PATHS, totals, strict=True))


def counted(*program: str) -> list[int]:
    """Return how many instructions each call of `dir` takes, of this Python with these arguments, or raise."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NotCounted("valgrind is not installed; `apt-get install valgrind`")
    with tempfile.TemporaryDirectory() as room:
        command = [
            valgrind, "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={COUNTED}",
            f"--dump-after={COUNTED}", f"--callgrind-out-file={room}/dump", sys.executable, *program,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | FIXED, check=False)
        if done.returncode:
            raise NotCounted(f"what is to be counted did not run: {done.stderr[-2_000:]}")
        return [_total(path) for path in sorted(Path(room).glob("dump.*"), key=lambda path: int(path.suffix[1:]))]


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)$", dump.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def compared(counts: Mapping[str, int], records: Mapping[str, Mapping[str, int]]) -> tuple[bool, list[str]]:
    """Return whether no path takes more instructions than its record allows, and a line on each.

    >>> compared({"walk": 104}, {here(): {"walk": 100}})
    (True, ['walk: 104 instructions, 100 recorded, +4.0 %'])
    >>> compared({"walk": 106}, {here(): {"walk": 100}})[0]
    False
    >>> compared({"walk": 106}, {"another Python": {"walk": 100}})[1][0]
    'no record of this Python: compared with another Python, 50 % allowed'
    """
    lines = []
    key, percent = here(), PERCENT
    if key not in records:
        key, percent = next(iter(records)), PERCENT_ELSEWHERE
        lines.append(f"no record of this Python: compared with {key}, {percent} % allowed")
    is_well = True
    for path, number in counts.items():
        recorded = records[key].get(path)
        if recorded is None:
            lines.append(f"{path}: {number:,} instructions, not recorded; run with --record")
            is_well = False
            continue
        more = 100 * (number - recorded) / recorded
        verdict = ""
        if more > percent:
            verdict = f": SLOWER than the {percent} % allowed"
            is_well = False
        elif more < -percent:
            verdict = ": faster; run with --record so that it stays so"
        lines.append(f"{path}: {number:,} instructions, {recorded:,} recorded, {more:+.1f} %{verdict}")
    return is_well, lines


def main() -> int:
    """Count, then compare or record."""
    parser = argparse.ArgumentParser(prog="python -m phasegate.bench.instructions", description=__doc__.split("\n")[0])
    parser.add_argument("--record", action="store_true", help="write the record anew")
    wanted = parser.parse_args()
    try:
        counts = count()
    except NotCounted as error:
        print(f"error: the guard against slowing down did not run: {error}", file=sys.stderr)
        return 1
    records: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    if wanted.record:
        records[here()] = counts
        write_atomically(RECORD, [json.dumps(records, indent=2) + "\n"])
        print("\n".join(f"{path}: {number:,} instructions recorded" for path, number in counts.items()))
        return 0
    is_well, lines = compared(counts, records)
    print("\n".join(lines))
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
