"""A set begins at its own instant inside a window, so that a fleet does not begin all at once (semantics 4)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Delays:
    """Rule: within 3 hours after it was configured the first time, 30 to 60 minutes after the version came later on."""

    name: ClassVar = "delays"
    reasons: ClassVar = ("not-before",)
    promises: ClassVar = (Promise.NOT_BEFORE_ITS_TIME,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Ask for the delays."""
        return evolve(rules, has_delays=True)
