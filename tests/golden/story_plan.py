"""How a story opens: what there is and what the environment will do; and of each rollout, the plan and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from .story_cast import Cast, Line, ids, image_name, natural
from .story_words import chosen, clock, marks, plain, zone

LISTED_MAX: Final = 40  # of larger sets only the number of instances is told
COUNTED: Final = {"instances": "instances in flight", "cells": "cells busy", "sets": "sets at work"}


def opening(header: Line, cast: Mapping[str, Cast]) -> Iterator[str]:
    """Yield the fleet, what the policy has chosen beside the defaults, and the environment of a log's header."""
    fleet, start = header["fleet"], header["t"]
    if start:
        yield f"0:00:00 is {datetime.fromtimestamp(start / 1000, UTC):%a %Y-%m-%d %H:%M} UTC"
    for region in fleet["regions"]:
        pair = f", pair {region['pair']}" if region.get("pair") else ""
        zones = f", zones {' '.join(region['zones'])}" if region.get("zones") else ""
        yield f"region {region['name']}{pair}{zones}"
    for set_ in cast.values():
        yield from _of_set(set_)
    for one, other in fleet.get("conflicts", ()):
        yield f"conflict: {one} and {other} are never busy together"
    for group in fleet.get("groups", ()):
        members = ", ".join(group["members"])
        yield f"group {group['name']}: at most {group['limit']} {COUNTED[group['counts']]} of {members}"
    if fleet.get("phases"):
        yield f"the user's phases: {_phases(fleet['phases'])}"
    for name, value in chosen(header["policy"]):
        yield f"policy {name}: {value}"
    yield from _of_faults(header["faults"] or {})


def _of_set(set_: Cast) -> Iterator[str]:
    model = set_.model
    gate = int(set_.limit("max_unhealthy_percent")) * set_.total // 100
    limits = (
        f"batches of at most {set_.cap} ({set_.limit('max_batch_percent')} %), none with more than {gate} not healthy"
    )
    yield f"set {set_.name}: {set_.total} of {image_name(model['image'])}, {limits}"
    told = ("name", "region", "image", "zones", "upgrade_domains", "instances")
    more = {key: value for key, value in model.items() if key not in told}
    if model["image"].get("version"):
        more["image version"] = model["image"]["version"]
    for key, value in more.items():
        yield f"    {key}: {plain(value)}"
    if set_.total <= LISTED_MAX:
        for number, of, domain, members in set_.where():
            order = "" if number is None else f"number {number}, "
            yield f"    {order}{zone(of)}, ud {domain}: {' '.join(members)}"
    for word, names in marks(set_):
        yield f"    {word}: {ids(names)}"


def _of_faults(faults: Line) -> Iterator[str]:
    for name, value in faults.get("timing", {}).items():
        yield f"environment {name}: {plain(value)}"
    for name, value in faults.get("rates", {}).items():
        yield f"environment rate {name}: {value:g}"
    for event in faults.get("events", ()):
        when = f"{clock(event['at_ms'])} " if "at_ms" in event else ""
        when += f"to {clock(event['until_ms'])} " if "until_ms" in event else ""
        yield f"environment: {when}{plain({key: event[key] for key in event if key not in ('at_ms', 'until_ms')})}"


def reasons(fleet: Line, cast: Mapping[str, Cast], line: Line) -> Iterator[str]:
    """Yield what a `rollout-started` line leaves out and why, and its phases and why; its sets begin their attempts."""
    target, manual = line["target"], line["manual"]
    refused = {entry["name"]: entry["codes"] for entry in line["ineligible"]}
    asked = line["asked"]["sets"]
    to_do: dict[str, int] = {}
    for set_ in cast.values():
        if image_name(set_.model["image"]) != line["image"] or (asked is not None and set_.name not in asked):
            continue
        if set_.name in refused:
            yield f"not eligible: {set_.name}: {', '.join(refused[set_.name])}"
            continue
        set_.begin(line["rollout"], target)
        region = set_.model["region"]
        to_do[region] = to_do.get(region, 0) + set_.to_do(target, manual=manual)
        for why, names in set_.left_out(target, manual=manual).items():
            yield f"{set_.name}: left out, {why}: {ids(names)}"
    if manual:
        yield "no phases: it is manual"
    elif line["phases"] is None:
        yield "no phases: it is of a gallery; regions join when the target counts there"
    else:
        yield from _plan(fleet, line, to_do)


def _plan(fleet: Line, line: Line, to_do: Mapping[str, int]) -> Iterator[str]:
    order = sorted(to_do, key=lambda name: (to_do[name] == 0, to_do[name], natural(name)))
    yield f"to do: {', '.join(f'{name} {to_do[name]}' for name in order)}"
    pairs = {tuple(sorted((region["name"], region.get("pair") or ""))) for region in fleet["regions"]}
    there = sorted((one, other) for one, other in pairs if one in to_do and other in to_do)
    if there:
        yield f"pairs: {', '.join(f'{one} and {other}' for one, other in there)}"
    whose = "as the user says" if fleet.get("phases") else "fewest first, at most 1, 2, 4, ..., no pair inside one"
    yield f"phases ({whose}): {_phases(line['phases'])}"


def _phases(phases: list[list[str]]) -> str:
    return " | ".join(" ".join(phase) for phase in phases)
