"""At most k of a named group at a time: instances in flight, cells busy, or sets at work (semantics 6)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Groups:
    """Rule: no start takes a group over its limit; a batch is cut to the room in its groups. Groups may overlap."""

    name: ClassVar = "groups"
    reasons: ClassVar = ("group-full",)
    promises: ClassVar = (Promise.GROUPS_WITHIN_LIMITS,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Add the fleet's groups."""
        return evolve(rules, groups=rules.groups + fleet.groups)
