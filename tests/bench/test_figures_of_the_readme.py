"""The README's figures are those of the recorded run.

`python tests/bench/test_figures_of_the_readme.py` writes them into it, after

    phasegate bench -o docs/bench.json --plot docs/growth.svg
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from phasegate.bench.table import goals_in_markdown

TOP = Path(__file__).parents[2]
README = TOP / "README.md"
BLOCK = re.compile(r"(<!-- figures -->\n\n).*?(<!-- /figures -->)", re.DOTALL)


def recorded() -> dict[str, Any]:
    """Return the recorded run."""
    return dict(json.loads((TOP / "docs" / "bench.json").read_text(encoding="utf-8")))


def rewritten(text: str) -> str:
    """Return the README with the figures of the recorded run."""
    return BLOCK.sub(lambda found: f"{found[1]}{goals_in_markdown(recorded())}\n{found[2]}", text)


def test_the_readme_has_the_recorded_figures() -> None:
    """No figure is typed in by hand."""
    text = README.read_text(encoding="utf-8")
    assert BLOCK.search(text)
    assert text == rewritten(text)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
