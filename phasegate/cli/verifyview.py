"""What `phasegate verify` shows: the verdict, what was covered, and the way to what is broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phasegate.cli.screen import (
    BAD,
    DIM,
    GOOD,
    ODD,
    STRONG,
    Screen,
    columns,
    dotted,
    grid,
    heading,
    indented,
    listed,
    number,
)
from phasegate.plotting.summary import counted
from phasegate.verifying.result import Result
from phasegate.verifying.story import again, story

COLOURS: Final = {"holds": GOOD, "violated": BAD, "undetermined": ODD}
AGAIN: Final = "↺"  # stands at steps that come again and again
REASONS: Final[Mapping[str, str]] = {
    "bound": "the bound on states was met",
    "time": "the time was up",
    "memory": "the memory was used up",
    "interrupted": "it was interrupted",
}


def show(out: Screen, results: Sequence[Result], *, written: Mapping[str, str], unwritten: Sequence[str]) -> None:
    """Print one scenario in full, several as a table, and what is broken of them in full.

    `written` are the files of its run by their options, `unwritten` those that are not there for want of a run.
    """
    if len(results) > 1:
        out.print(_table(results))
        out.print()
    for result in results:
        if len(results) == 1 or result.broken is not None or result.disagreements:
            for block in _blocks(result, written, is_alone=len(results) == 1):
                out.print(block)
    for path in unwritten:
        out.print(indented(Text(f"there is no run to show: {path} was not written", style=DIM)))


def amount(count: int) -> str:
    """Return a number of bytes for people.

    >>> amount(900), amount(3 * 2**20), amount(5 * 2**30)
    ('900 B', '3.0 MiB', '5.0 GiB')
    """
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("the last unit takes all")  # pragma: no cover  # the loop returns


def _table(results: Sequence[Result]) -> Table:
    table = columns(
        ("scenario", "left", 16),
        ("verdict", "left", 8),
        ("states", "right"),
        ("transitions", "right"),
        ("depth", "right"),
        ("states/s", "right"),
        ("seconds", "right"),
    )
    for result in results:
        now = result.progress
        table.add_row(
            result.scenario.name,
            _verdict_of(result),
            number(now.states),
            number(now.transitions),
            number(now.depth),
            number(round(now.rate)),
            Text(f"{now.seconds:.1f}"),
        )
    total = sum(result.progress.seconds for result in results)
    states = sum(result.progress.states for result in results)
    table.add_row(Text("all", style=DIM), "", number(states), "", "", "", Text(f"{total:.1f}"))
    return table


def _verdict_of(result: Result) -> Text:
    text = Text(result.verdict, style=COLOURS[result.verdict])
    if result.disagreements:
        text.append(", not as expected", style=BAD)
    return text


def _blocks(result: Result, written: Mapping[str, str], *, is_alone: bool) -> Iterator[RenderableType]:
    yield heading((result.scenario.name, STRONG), "  ").append_text(_verdict_of(result))
    if result.scenario.about:
        yield indented(Text(result.scenario.about, style=DIM))
    yield Text()
    yield indented(verdict_in_words(result))
    for what, expected, found in result.disagreements:
        yield indented(Text(f"expected {what} {expected}, found {found}", style=BAD))
    if result.trace is not None:
        yield Text()
        yield _story(result)
        if written:
            yield Text()
        for option, path in written.items():
            words = f"its log is in {path}: `phasegate replay {path}` runs it"
            if option == "--page":
                words = f"its page is in {path}: open it in a browser"
            yield indented(Text(words, style=DIM))
    if is_alone:
        yield Text()
        yield _numbers(result)
        yield Text()
        yield _coverage(result)
    yield Text()


def verdict_in_words(result: Result) -> Text:
    """Return the verdict with the promise that it is about, or what was covered."""
    broken, now = result.broken, result.progress
    if broken is not None:
        of = f"promise {broken.number}, {broken.name}," if broken.number is not None else f"promise `{broken.name}`"
        how = {"always": "is broken", "sometimes": "is never shown", "eventually": "is not kept by every run"}
        again = f"; {result.reason}" if result.reason and broken.kind != "sometimes" else ""
        return Text.assemble(f"{of} {how[broken.kind]}: ", (broken.sentence, STRONG), again)
    if result.verdict == "undetermined":
        reason = REASONS.get(result.reason or "", result.reason or "")
        covered = f"all runs of up to {counted(now.depth, 'act', 'acts')} were covered"
        if result.order != "breadth":
            covered = f"{counted(now.transitions, 'act was', 'acts were')} taken, and none broke a promise"
        return Text(f"{reason}; {covered}")
    own = [*result.asked, *(claim for claim in result.scenario.claims if claim.kind != "sometimes")]
    kept = counted(len(result.scenario.promises) + len(own), "promise holds", "promises hold")
    shown = f"; a run to what `{result.witness}` names is shown" if result.witness else ""
    return Text(f"{kept} in every state that can be reached{shown}")


def _story(result: Result) -> Padding:
    assert result.trace is not None, "asked for where there is one"
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style=DIM, no_wrap=True)
    table.add_column(style=STRONG, no_wrap=True)
    table.add_column(overflow="fold")
    for sentence in story(result.trace):
        text = Text(sentence.did)
        for line in sentence.came:
            text.append(f"\n  {line}", style=DIM)
        is_again = sentence.number > len(result.trace.steps) - result.trace.again
        table.add_row(f"{AGAIN} {sentence.number}" if is_again else str(sentence.number), sentence.who, text)
    if result.trace.again:
        table.add_row("", Text(AGAIN, style=BAD), Text(again(result.trace), style=BAD))
    if result.trace.evidence:
        style = BAD if result.witness is None else GOOD
        table.add_row("", Text("so", style=style), Text(result.trace.evidence, style=style))
    return indented(table)


def how_explored(result: Result) -> str:
    """Return in which order, by which kernel and under which symmetry a scenario was explored."""
    how = [result.order, "compiled" if result.is_compiled else "plain twin"]
    if not result.is_symmetric:
        how.append("without symmetry")
    elif result.symmetries == 1:
        how.append("instances that are alike taken for one another")
    else:
        how.append(
            f"instances, zones, domains and sets that are alike taken for one another ({result.symmetries:,} ways)"
        )
    return ", ".join(how)


def _numbers(result: Result) -> Padding:
    now = result.progress
    rows: list[tuple[str, RenderableType]] = [
        ("states", f"{now.states:,}"),
        ("transitions", f"{now.transitions:,}"),
        ("depth", f"{now.depth:,}"),
        ("took", f"{now.seconds:.2f} s, {now.rate:,.0f} states a second"),
        ("memory", amount(now.memory)),
        ("explored", how_explored(result)),
    ]
    for asked in result.asked:
        more = f"; it reads {', '.join(asked.undeclared)} without saying so" if asked.undeclared else ""
        rows.append((asked.name, f"asked {counted(asked.calls, 'time', 'times')}{more}"))
    return grid(rows)


def _coverage(result: Result) -> Padding:
    covered = result.coverage
    rows: list[tuple[str, RenderableType]] = [
        ("acts", _counts(covered.acts)),
        ("lives", _lines(covered.rows)),
        ("attempts", _lines(covered.ends)),
        ("waited for", _counts(covered.reasons)),
    ]
    if covered.missing and result.verdict == "holds":
        rows.append(("never", listed(Text(name, style=ODD) for name in covered.missing)))
    return grid(rows)


def _counts(counts: Mapping[str, int]) -> Text:
    return dotted(f"{name} {count:,}" for name, count in counts.items()) if counts else Text("none", style=DIM)


def _lines(counts: Mapping[str, int]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for name, count in counts.items():
        table.add_row(number(count), name)
    return table if counts else Text("none", style=DIM)
