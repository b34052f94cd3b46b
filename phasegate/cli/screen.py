"""What people see: consoles, and the few kinds of tables and lines that all commands share."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NoReturn, TextIO

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from phasegate.core.names import printable

WIDTH_OF_A_PIPE: Final = 100  # nobody knows how wide the reader of a file is; wide enough for every column
WIDTH_MAX: Final = 140  # lines longer than this are hard to follow
WIDTH_MIN: Final = 80  # in less, tables would lose columns: a narrower terminal breaks the lines itself
GOOD, BAD, ODD, DIM, STRONG = "green", "red", "yellow", "dim", "bold"

Side = Literal["left", "right"]
Head = tuple[str, Side] | tuple[str, Side, int]
Heads = tuple[Head, ...]


class Screen(Console):
    """A console that shows text as it is: no markup, no emoji, no colours that are not asked for."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; without the blanks at the ends of lines where they end up in a file."""
        if self.is_terminal:
            super().print(*objects, **options)
            return
        with self.capture() as captured:
            super().print(*objects, **options)
        self.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render; what does not print becomes a question mark, so that no name from a file commands the terminal."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment("\n".join(map(printable, segment.text.split("\n"))), segment.style)

    def on_broken_pipe(self) -> NoReturn:
        """Say that nobody reads any more: how that ends is decided in one place."""
        raise BrokenPipeError


def screen() -> Screen:
    """Return the console of standard output."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return Screen(width=min(max(Screen().width, WIDTH_MIN), WIDTH_MAX))
    return Screen(width=WIDTH_OF_A_PIPE)


def for_programs() -> TextIO:
    """Return standard output for a document: it is UTF-8, whatever the terminal would show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def print_json(document: Any) -> None:
    """Print a document for programs: one object, keys in a promised order, text as it is."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    for_programs().writelines(text.splitlines(keepends=True))  # in pieces: a reader who has gone is noticed


def heading(*parts: tuple[str, str] | str) -> Text:
    """Return a line of parts, each with its style or none."""
    return Text.assemble(*parts, overflow="fold")


def dotted(parts: Iterable[str | Text]) -> Text:
    """Return the parts in one line with dots between them; empty ones are left out.

    >>> dotted(["2 sets", "", "1 region"]).plain
    '2 sets  ·  1 region'
    """
    found = Text()
    for part in parts:
        if part:
            found.append("  ·  " if found else "", style=DIM).append(part)
    return found


def listed(lines: Iterable[RenderableType]) -> Table:
    """Return lines with a bullet before each, wrapped beside it."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row(Text("-", style=DIM), line)
    return table


def grid(rows: Iterable[tuple[str, RenderableType]]) -> Padding:
    """Return names and values side by side."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return indented(table)


def columns(*heads: Head) -> Table:
    """Return an empty table of these columns: head, side, and how narrow it may get if it may be broken at all."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style=STRONG,
        show_edge=False,
        collapse_padding=False,
    )
    for head, side, *narrow in heads:
        table.add_column(
            head,
            justify=side,
            vertical="top",
            no_wrap=not narrow,
            overflow="fold",
            min_width=narrow[0] if narrow else None,
        )
    return table


def indented(what: RenderableType) -> Padding:
    """Return it two columns further in."""
    return Padding(what, (0, 0, 0, 2), expand=False)


def number(count: int, style: str = "") -> Text:
    """Return a count with its thousands apart; a zero is dim.

    >>> number(12000).plain, number(0).plain
    ('12,000', '0')
    """
    return Text(f"{count:,}", style=style if count else DIM)


def some(names: Sequence[str], most: int) -> str:
    """Return names in one line, at most that many of them.

    >>> some(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"
