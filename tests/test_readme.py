"""The README tells the truth: its code runs, and its commands print what it shows.

`python tests/test_readme.py` writes what they print now into it; read the difference before you commit it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).parents[1]
README = TOP / "README.md"
CODE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n\$ (.*?)\n(.*?)```", re.DOTALL)


def what_the_code_prints(code: str) -> str:
    """Run the code as a file in the top folder would run, and return what it prints."""
    printed = io.StringIO()
    with contextlib.chdir(TOP), contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    return printed.getvalue()


def what_a_command_prints(command: str, folder: Path) -> str:
    """Run a command where `examples` and `tests` are, and return what it prints, 100 columns wide and unpainted."""
    name, *arguments = command.split()
    assert name == "phasegate"
    program = "from phasegate.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(TOP)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in run.stdout.strip("\n").splitlines()]
    return "\n".join(lines) + "\n"


def rewritten(text: str) -> str:
    """Return the README with what its code and commands print now."""
    text = CODE.sub(lambda found: f"```python\n{found[1]}```\n\n```text\n{what_the_code_prints(found[1])}```", text)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(TOP / "examples", folder / "examples")
        shutil.copytree(TOP / "tests" / "data", folder / "tests" / "data")
        return CONSOLE.sub(
            lambda found: f"```console\n$ {found[1]}\n{what_a_command_prints(found[1], folder)}```", text
        )


def test_the_readme_shows_what_is_printed() -> None:
    """The library's code and every command print what the README says."""
    text = README.read_text(encoding="utf-8")
    assert text == rewritten(text)
    assert len(CONSOLE.findall(text)) == 6


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
