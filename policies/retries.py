"""An automatic rollout does not try a version again on the instance on which it failed (semantics 2)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Retries:
    """Rule: failed before means excluded; a manual rollout may, and a changed model of the set clears the memory."""

    name: ClassVar = "retries"
    reasons: ClassVar = ("failed-before",)
    promises: ClassVar = (Promise.TARGET_UNTOUCHED,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Exclude them."""
        return evolve(rules, excludes_failed_before=True)
