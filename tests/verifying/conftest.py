"""A real browser for the tests of pages: Debian's Chromium without a screen, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

REQUIRED = "PHASEGATE_BROWSER"
"""The environment variable that says `required` where no test may be skipped for want of a browser."""
FLAGS = (
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a browser; skip where there is none, and fail where there has to be one."""
    how = pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        how("no Chromium is installed")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        how("playwright is not installed: pip install -e '.[test]'")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield started
        started.close()
