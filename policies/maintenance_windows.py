"""A batch starts only inside one of its set's weekly windows (semantics 4)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class MaintenanceWindows:
    """Rule: windows say when a batch may start; one in flight is finished. A set without windows may always."""

    name: ClassVar = "maintenance-windows"
    reasons: ClassVar = ("outside-window",)
    promises: ClassVar = (Promise.NOT_BEFORE_ITS_TIME,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Ask for the windows."""
        return evolve(rules, has_windows=True)
