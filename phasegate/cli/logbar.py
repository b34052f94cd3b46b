"""How far a command has read a log, shown while it reads, if standard error is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from phasegate.cli.screen import Screen
from phasegate.files.documents import kind_by_ending

BYTES_A_TIME: Final = 2**18  # between two tellings: some hundred lines

Lines = Iterable[bytes]


@contextmanager
def log_bar(doing: str, path: str) -> Iterator[Callable[[Lines], Lines]]:
    """Give a function that hands the lines of the log on and shows how many of its bytes they were.

    Where nobody knows how many there are, in a pipe or in Parquet, the number of lines is all that is shown.
    """
    if not sys.stderr.isatty():
        yield lambda lines: lines
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    with Progress(
        TextColumn(doing),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        console=Screen(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=_size(path))

        def watch(lines: Lines) -> Iterator[bytes]:
            read = told = 0
            for number, line in enumerate(lines, 1):
                read += len(line)
                if read - told >= BYTES_A_TIME:
                    told = read
                    bar.update(task, completed=read, description=f"line {number:,}")
                yield line

        yield watch


def _size(path: str) -> int | None:
    """Return how many bytes the lines of a log have, None if nobody can say."""
    is_text = path != "-" and kind_by_ending(path) != "parquet" and os.path.isfile(path)
    return os.path.getsize(path) if is_text else None
