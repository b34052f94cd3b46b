"""The table of rules names what there is: every module, every function or constant, every test."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "rules.md"
LINES_MAX = 150


def rows() -> list[list[str]]:
    """Return the cells of every row of the table, without its head."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return every function, method, class and constant that a module defines."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                found.add(name)
    return frozenset(found)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]} {row[1]}")
def test_every_row_names_what_there_is(row: list[str]) -> None:
    """A rule lives where the table says, and its test is there."""
    _, _, where, test = row
    module, _, name = where.partition(":")
    place = module if module.startswith("policies/") else f"core/{module}"
    assert name in names_in(ROOT / f"{place}.py")
    module, _, name = test.partition(":")
    modules = [ROOT / f"tests/{at}/test_{module}.py" for at in ("core", "policies")]
    assert any(f"test_{name}" in names_in(path) for path in modules if path.exists())


def test_the_table_is_short_and_says_nothing_twice() -> None:
    """Somebody reads it from end to end."""
    rules = [tuple(row[:2]) for row in rows()]
    assert len(rules) == len({*rules})
    assert len(TABLE.read_text(encoding="utf-8").splitlines()) <= LINES_MAX
