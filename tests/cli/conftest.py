"""How the tests of the command line call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from phasegate.cli.app import app

Call = Callable[..., Result]
Write = Callable[[str, Any], str]


@pytest.fixture
def call() -> Call:
    """Return a function that calls the command line: `call("plan", path, columns=80, stdin="")`."""

    def run(*arguments: str, columns: int = 100, stdin: str | bytes | None = None) -> Result:
        env = {"COLUMNS": str(columns), "FORCE_COLOR": None, "NO_COLOR": None, "PHASEGATE_TRACEBACK": None}
        return CliRunner().invoke(app, list(arguments), input=stdin, env=env)

    return run


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a document to a file of the working folder, and returns the file's name."""
    monkeypatch.chdir(tmp_path)

    def put(name: str, document: Any) -> str:
        Path(name).write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return name

    return put
