"""A plan for people: at three sets every set with its numbers, at two thousand every region, and how to see more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phasegate.cli.blueprint import Ineligible, RegionPlan, RolloutPlan, SetPlan
from phasegate.cli.screen import (
    BAD,
    DIM,
    ODD,
    STRONG,
    Heads,
    columns,
    dotted,
    heading,
    indented,
    listed,
    number,
    screen,
    some,
)
from phasegate.cli.words import ineligible
from phasegate.core.model import ZONELESS, Fleet, Group
from phasegate.plotting.summary import counted

SETS_MAX: Final = 25  # more of them are summed up by region
INELIGIBLE_MAX: Final = 12  # more of them are summed up by code
NAMES_MAX: Final = 3
_REGION_WIDTH: Final = 18  # the longest names of regions that there are
_WIDE: Final = 96  # columns; narrower, what skips an instance is one column


def show(fleet: Fleet, plans: Sequence[RolloutPlan], strangers: Sequence[Ineligible], *, show_all: bool) -> None:
    """Print the plans, those that have something to do first."""
    out = screen()
    for entry in sorted(plans, key=lambda entry: entry.is_idle):
        out.print(_title(entry))
        for block in _idle(entry, show_all) if entry.is_idle else _blocks(fleet, entry, show_all, out.width):
            out.print(indented(block))
            out.print()
    if strangers:
        out.print(heading(("Custom images outside a gallery", STRONG)))
        out.print(indented(_ineligible(strangers, show_all)))
        out.print()
    if not plans and not strangers:
        out.print(Text("nothing to do: the fleet has no image"))


def _title(entry: RolloutPlan) -> Text:
    if entry.target is None:
        return heading((entry.image, STRONG))
    return heading((entry.image, STRONG), (" → ", DIM), (entry.target, STRONG))


def _idle(entry: RolloutPlan, show_all: bool) -> Iterator[RenderableType]:
    yield Text(f"nothing to do: {entry.why_idle}")
    if entry.ineligible:
        yield _ineligible(entry.ineligible, show_all)


def _blocks(fleet: Fleet, entry: RolloutPlan, show_all: bool, width: int) -> Iterator[RenderableType]:
    is_short = len(entry.sets) > SETS_MAX and not show_all
    yield _summary(entry)
    yield _regions(entry, with_numbers=is_short, is_wide=width >= _WIDE)
    order = list(_order(entry))
    if order:
        yield listed(order)
    if is_short:
        yield Text(f"{len(entry.sets):,} sets; `--all` shows the numbers of each", style=DIM)
    else:
        yield _sets(entry, is_wide=width >= _WIDE)
        yield _legend()
    notes = list(_notes(fleet, entry))
    if notes:
        yield listed(notes)
    if entry.ineligible:
        yield _ineligible(entry.ineligible, show_all)


def _summary(entry: RolloutPlan) -> Text:
    current = sum(one.current for one in entry.sets)
    excluded = sum(one.excluded for one in entry.sets)
    out = counted(len(entry.ineligible), "set is not eligible", "sets are not eligible") if entry.ineligible else ""
    origins = [f"{version} ({count:,})" for version, count in entry.versions.items()]
    lines = [
        dotted(
            [
                counted(entry.eligible, "eligible instance", "eligible instances"),
                counted(len(entry.sets), "set", "sets"),
                counted(len(entry.regions), "region", "regions"),
                "no phases" if entry.phases is None else counted(len(entry.phases), "phase", "phases"),
            ]
        ),
        dotted(
            [
                f"{current:,} current" if current else "",
                f"{excluded:,} excluded" if excluded else "",
                Text(out, style=ODD),
            ]
        ),
        Text(f"from {some(origins, NAMES_MAX)}", style=DIM),
    ]
    return Text("\n").join(line for line in lines if line)


def _regions(entry: RolloutPlan, *, with_numbers: bool, is_wide: bool) -> Table:
    """Return the regions by phase; in the order in which the phases open, in one by name."""
    phase_of = {name: at for at, phase in enumerate(entry.phases or ()) for name in phase}
    phases: Heads = () if entry.phases is None else (("phase", "right"),)
    numbers: Heads = (("batch", "right"), ("batches", "right")) if is_wide else (("batch", "right"),)
    width = min(_REGION_WIDTH, max(len(region.name) for region in entry.regions))
    middle: Heads = (("region", "left", width), ("zones", "left"), ("sets", "right"), ("instances", "right"))
    pair: Heads = (("pair", "left", 13),)
    table = columns(*phases, *middle, *(numbers if with_numbers else ()), *pair)
    before: int | None = None
    for region in entry.regions:
        phase = phase_of.get(region.name)
        cells: list[RenderableType] = []
        if entry.phases is not None:
            if before is not None and phase != before and len(entry.phases) < len(entry.regions):
                table.add_section()
            cells.append(Text("" if phase == before else str(phase), style=STRONG))
        before = phase
        cells += [region.name, _zones(region.zones), number(region.sets), number(region.eligible)]
        if with_numbers:
            cells += _numbers(entry, region)[: 2 if is_wide else 1]
        cells.append(_pairs(region, phase_of))
        table.add_row(*cells)
    return table


def _zones(zones: Sequence[str]) -> Text:
    return Text(" ".join(zones), style=DIM if zones in ((), (ZONELESS,)) else "")


def _numbers(entry: RolloutPlan, region: RegionPlan) -> list[Text]:
    """Return the sizes of batches in a region, and how many batches its longest set needs."""
    inside = [one for one in entry.sets if one.region == region.name and one.eligible]
    sizes = [one.batch_size for one in inside]
    low, high = min(sizes, default=0), max(sizes, default=0)
    longest = max((one.batches_at_least for one in inside), default=0)
    return [Text(f"{low:,}" if low == high else f"{low:,}..{high:,}"), Text(f"≥ {longest:,}" if longest else "0")]


def _pairs(region: RegionPlan, phase_of: dict[str, int]) -> Text:
    if not region.pairs:
        return Text("-", style=DIM)
    return Text(", ".join(f"{pair} ({phase_of[pair]})" if pair in phase_of else pair for pair in region.pairs))


def _order(entry: RolloutPlan) -> Iterator[Text]:
    """Yield why the regions are in this order, as far as there is a choice."""
    if entry.phases is None:
        yield Text("no phases: a region joins as soon as the version has reached it", style=DIM)
    elif len(entry.phases) > 1:
        yield Text("a phase opens when the one before it has ended and succeeded", style=DIM)
    if any(region.pairs for region in entry.regions):
        apart = "at work at the same time" if entry.phases is None else "in one phase; the pair's phase is in brackets"
        yield Text(f"paired regions are never {apart}", style=DIM)
    if any(len(region.zones) > 1 for region in entry.regions):
        yield Text("a region's zones are worked on one at a time", style=DIM)


def _sets(entry: RolloutPlan, *, is_wide: bool) -> Table:
    """Return every set with its numbers, in the order of its region."""
    has_skipped = any(one.current or one.excluded for one in entry.sets)
    first: Heads = (("set", "left", 14), ("instances", "right"))
    skipped: Heads = (("current", "right"), ("excluded", "right")) if is_wide else (("skipped", "right"),)
    rest: Heads = (("batch", "right"), ("batches", "right"), ("unhealthy", "right"), ("bad upgraded", "right"))
    table = columns(*first, *(skipped if has_skipped else ()), *rest)
    rank = {region.name: at for at, region in enumerate(entry.regions)}
    for one in sorted(entry.sets, key=lambda one: (rank[one.region], one.name)):
        cells: list[RenderableType] = [one.name, _of(one.eligible, one.total)]
        if has_skipped and is_wide:
            cells += [number(one.current), number(one.excluded)]
        elif has_skipped:
            cells.append(number(one.current + one.excluded))
        if one.eligible:
            cells += [number(one.batch_size), Text(f"≥ {one.batches_at_least:,}"), _stop(one), _upgraded_stop(one)]
        else:
            cells += [Text("-", style=DIM)] * 4
        table.add_row(*cells)
    return table


def _of(eligible: int, total: int) -> Text:
    if eligible == total:
        return number(total)
    return Text.assemble((f"{eligible:,}", "" if eligible else DIM), (f"/{total:,}", DIM))


def _stop(one: SetPlan) -> Text:
    if one.unhealthy_stop is None:
        return Text("never", style=DIM)
    return Text.assemble((f"{one.unhealthy_stop:,}", BAD if one.stops_at_once else ""), (f"/{one.total:,}", DIM))


def _upgraded_stop(one: SetPlan) -> Text:
    if one.upgraded_stop is None:
        return Text("never", style=DIM)
    shares = dict.fromkeys(one.upgraded_stop)
    return Text(" … ").join(Text.assemble(f"{bad:,}", (f"/{of:,}", DIM)) for bad, of in shares)


def _legend() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style=DIM, no_wrap=True)
    table.add_column(style=DIM, overflow="fold")
    table.add_row("batch", "how many instances of a set start together at most")
    table.add_row("unhealthy", "so many not healthy before a batch end the set's attempt")
    table.add_row("bad upgraded", "so many bad of so many attempted end it: first batch … all")
    return table


def _notes(fleet: Fleet, entry: RolloutPlan) -> Iterator[Text]:
    """Yield what is special about some of the sets."""
    for one in entry.sets:
        if one.stops_at_once:
            text = (
                f"{one.name} would fault before its first batch: {one.not_healthy:,} of {one.total:,} are not healthy"
            )
            yield Text(text, style=BAD)
    kinds = (
        ("batches start in maintenance windows only", [one.name for one in entry.sets if one.windows]),
        ("no rollback, what fails stays failed", [one.name for one in entry.sets if not one.rollback]),
        ("batches from all zones at once", [one.name for one in entry.sets if one.cross_zone]),
    )
    for what, names in kinds:
        if names:
            yield Text(f"{what}: {'all sets' if len(names) == len(entry.sets) else some(names, NAMES_MAX)}")
    touched = {name for one in entry.sets for name in one.groups}
    regions = {region.name for region in entry.regions}
    for group in fleet.groups:
        if group.name in touched or (group.counts == "cells" and _regions_of(group) & regions):
            yield Text(f"group {group.name}: at most {_counted(group)} at a time, of {some(group.members, NAMES_MAX)}")
    apart = [f"{one} and {other}" for one, other in fleet.conflicts if {_region(one), _region(other)} & regions]
    if apart:
        yield Text(f"cells kept apart: {some(apart, NAMES_MAX)}")


def _region(cell: str) -> str:
    return cell.rpartition("/")[0]


def _regions_of(group: Group) -> set[str]:
    return {_region(member) for member in group.members}


def _counted(group: Group) -> str:
    return {
        "instances": counted(group.limit, "instance in flight", "instances in flight"),
        "cells": counted(group.limit, "cell busy", "cells busy"),
        "sets": counted(group.limit, "set at work", "sets at work"),
    }[group.counts]


def _ineligible(entries: Sequence[Ineligible], show_all: bool) -> Table:
    """Return the sets that take no part, each with all its codes; many of them are summed up by code."""
    if len(entries) > INELIGIBLE_MAX and not show_all:
        return _ineligible_by_code(entries)
    table = columns(("not eligible", "left", 14), ("instances", "right"), ("because", "left"), ("", "left", 16))
    for entry in entries:
        first: tuple[str | Text, ...] = (entry.name, number(entry.instances))
        for code in entry.codes:
            table.add_row(*first, Text(code, style=ODD), _words(code))
            first = ("", "")
    return table


def _ineligible_by_code(entries: Sequence[Ineligible]) -> Table:
    names: dict[str, list[str]] = {}
    for entry in entries:
        for code in entry.codes:
            names.setdefault(code, []).append(entry.name)
    table = columns(("not eligible because", "left"), ("sets", "right"), ("", "left", 24))
    for code, found in sorted(names.items(), key=lambda row: (-len(row[1]), row[0])):
        which = Text(some(found, NAMES_MAX))
        table.add_row(Text(code, style=ODD), number(len(found)), Text("\n").join([_words(code), which]))
    return table


def _words(code: str) -> Text:
    words = ineligible(code)
    return Text("" if words == code else words, style=DIM)
