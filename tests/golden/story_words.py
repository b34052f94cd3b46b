"""The words of a story: rows in columns, and what a reader wants to know of a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import frozen

from .story_cast import Cast, Line

NOTE_AT_MOST: Final = 60  # a longer `what` pushes its own note to the right, not all of them


@frozen
class Row:
    """One line of the telling: when, who, what, and numbers to check it with."""

    when: str
    who: str
    what: str
    note: str = ""


def clock(ms: int) -> str:
    """Return a time as h:mm:ss, with the milliseconds if there are any."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{rest:03}" if rest else "")


def laid_out(told: Iterable[str | Row]) -> Iterator[str]:
    """Yield lines of text: what is text as it is, and the columns of all rows below each other."""
    told = list(told)
    rows = [row for row in told if isinstance(row, Row)]
    when = max((len(row.when) for row in rows), default=0)
    who = max((len(row.who) for row in rows), default=0)
    what = min(max((len(row.what) for row in rows if row.note), default=0), NOTE_AT_MOST)
    for row in told:
        if isinstance(row, Row):
            yield f"{row.when:>{when}}  {row.who:<{who}}  {row.what:<{what}}  {row.note}".rstrip()
        else:
            yield row


def which(line: Line) -> str:
    """Return which rollouts an order is about."""
    return "all rollouts" if line["rollout"] is None else f"rollout {line['rollout']}"


def zone(zone: str | None) -> str:
    """Return a zone in words."""
    return "zoneless" if zone is None else f"zone {zone}"


def marks(set_: Cast) -> Iterable[tuple[str, list[str]]]:
    """Yield what sets some of a set's instances apart, with their ids."""
    found: dict[str, list[str]] = {}
    common = {member.version for member in set_.members.values()}
    for member in set_.members.values():
        if len(common) > 1:
            found.setdefault(f"on {member.version}", []).append(member.id)
        if member.health != "healthy":
            found.setdefault(member.health, []).append(member.id)
        if member.protected:
            found.setdefault("protected from scale set actions", []).append(member.id)
        if member.skipped:
            found.setdefault("asked to be skipped", []).append(member.id)
        for version in sorted(member.failed):
            found.setdefault(f"failed on {'.'.join(map(str, version))} before", []).append(member.id)
    return sorted(found.items())


DEFAULTS: Final[Line] = {
    "max_batch_percent": 20,
    "max_unhealthy_percent": 20,
    "max_unhealthy_upgraded_percent": 20,
    "unhealthy_upgraded_of": "upgraded",
    "unhealthy_shrinks_batch": True,
    "prioritize_unhealthy": False,
    "enable_cross_zone": False,
    "pause_between_batches_ms": 0,
    "phase_failure_percent": 0,
    "phase_bake_ms": 0,
    "disable_automatic_rollback": False,
    "health_timeout_ms": 300_000,
    "step_timeout_ms": 5_400_000,
    "supersede": "finish",
    "delays": True,
    "also": [],
}


MODEL: Final[Line] = {
    "zones": [],
    "tags": {},
    "os": "linux",
    "api_version": "2021-03-01",
    "automatic_os_upgrade": True,
    "disable_automatic_rollback": False,
    "upgrade_mode": "automatic",
    "health_sources": ["extension"],
    "placement_groups": "single",
    "rolling_policy": {},
    "custom_data": False,
    "extensions": [],
    "external_resources": [],
    "windows": [],
}


def whole(model: Line) -> Line:
    """Return a set's model with what is left out filled in."""
    return {**MODEL, **model, "image": {"version": "latest", **model["image"]}}


def chosen(policy: Line) -> list[tuple[str, str]]:
    """Return the options of a policy that are not the semantics' defaults."""
    return [(name, plain(policy[name])) for name, value in DEFAULTS.items() if policy[name] != value]


def plain(value: Any) -> str:
    """Return a value of a file as words."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(inner)}" for key, inner in value.items()) or "by default"
    if isinstance(value, list):
        return " ".join(f"({plain(one)})" if isinstance(one, dict) else plain(one) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def percent(part: int, of: int) -> str:
    """Return a share in percent, cut off after one decimal."""
    tenths = 1000 * part // of
    return f"{tenths // 10}{f'.{tenths % 10}' if tenths % 10 else ''} %"
