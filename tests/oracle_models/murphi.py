"""Fits the rules in `rollout.m` to a scenario: its constants before them, who may start together after them.

For sets whose instances fill a grid of zones, upgrade domains and members, so that each of the three is a scalarset.
Members are swapped in all places at once: the group is that of the explorer where there is one place, or one member.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from phasegate.core.exploring.acts import PURSES

from .shape import PENDING, Shape, Unmodelled

RULES = Path(__file__).with_name("rollout.m")


def murphi(shape: Shape) -> str:
    """Return the model of a shape."""
    return "\n".join([_constants(shape), RULES.read_text(), _starts(shape)])


def _grid(shape: Shape) -> tuple[int, int, int]:
    """Return how many zones, domains and members there are; refuse what is no grid, or has what has no rule here."""
    known = ("failed_steps", "lost_reports", "health_flips", "maintenances", "pauses", "cancels")
    more = [name for name in PURSES if name not in known and shape.budget(name)]
    only, places = shape.sets[0], Counter((one.cell, one.domain) for one in shape.members)
    zones, domains = ({one[at] for one in places} for at in (0, 1))
    if len(places) != len(zones) * len(domains) or len(set(places.values())) != 1:
        raise Unmodelled("instances that fill no grid")
    if len(shape.sets) != 1 or shape.phases > 1 or shape.groups or shape.bakes or more:
        raise Unmodelled(f"several sets or phases, groups, bakes{''.join(', ' + name for name in more)}")
    if (
        only.rests
        or only.is_delayed
        or only.has_window
        or only.cross_zone
        or len({one.number for one in shape.members}) > 1
    ):
        raise Unmodelled("rests, delays, windows, cross-zone, phase ordering numbers")
    if any(one.life != PENDING or one.health for one in shape.members):
        raise Unmodelled("instances that do not begin pending and healthy")
    return len(zones), len(domains), places[next(iter(places))]


def _constants(shape: Shape) -> str:
    only, total = shape.sets[0], len(shape.members)
    zones, domains, members = _grid(shape)
    constants = {
        "N": total,
        "ZONES": zones,
        "DOMAINS": domains,
        "MEMBERS": members,
        "CAP": max(1, min(total * only.batch // 100, total - 1)),
        "UNHEALTHY_PERCENT": only.unhealthy,
        "UPGRADED_PERCENT": only.upgraded,
        "PHASE_FAILURE_PERCENT": shape.phase_failure_percent,
    } | {
        name.upper(): shape.budget(name)
        for name in ("failed_steps", "lost_reports", "health_flips", "maintenances", "pauses", "cancels")
    }
    flags = {
        "OF_SET": only.of_set,
        "SHRINKS": only.shrinks,
        "ROLLBACK": only.rollback,
        "MANUAL": shape.phases == 0,
        "SHARED": shape.freedom.faults is not None,
    }
    constants |= {name: int(flag) for name, flag in flags.items()}
    lines = [f"  {name}: {value};" for name, value in constants.items()]
    return "const\n" + "\n".join(lines) + "\n"


def _starts(shape: Shape) -> str:
    """Any members of one place: as many parameters as there are members, some of them perhaps the same one."""
    members = _grid(shape)[2]
    names = [f"m{at}" for at in range(members)]
    is_in = " | ".join(f"m = {name}" for name in names)
    all_pending = " & ".join(f"inst[z][d][{name}].life = PENDING" for name in names)
    return f"""
function is_within(z: Zone; d: Domain; {"; ".join(f"{name}: Member" for name in names)}): boolean;
var size: Count; well: Count;
begin
  size := 0;
  well := 0;
  for m: Member do
    if {is_in} then
      size := size + 1;
      if !is_bad(inst[z][d][m]) then well := well + 1; end;
    end;
  end;
  return size = 1 | (size <= CAP & (SHRINKS = 0 | well = 0 | well + sick() <= CAP));
end;

ruleset z: Zone; d: Domain; {"; ".join(f"{name}: Member" for name in names)} do
  rule "start"
    may() & !gate_is_broken() & !is_too_sick() & is_free(z) & {all_pending} & is_within(z, d, {", ".join(names)})
  ==> begin
    for m: Member do
      if {is_in} then inst[z][d][m].life := REPLACING; end;
    end;
    held[z] := true;
    status := ROLLING;
    batching := true;
    settle();
  end;
end;
"""
