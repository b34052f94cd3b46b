"""Protected instances, and those that asked to be skipped, are left out (semantics 8)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Protection:
    """Rule: protection from scale set actions excludes, and `skip_upgrade`; protection from scale-in alone does not."""

    name: ClassVar = "protection"
    reasons: ClassVar = ("excluded",)
    promises: ClassVar = (Promise.TARGET_UNTOUCHED,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Exclude them."""
        return evolve(rules, excludes_protected=True, excludes_skipped=True)
