"""An instance on the target or on a newer version is left alone, unless it failed there (semantics 2 and 8).

So nothing that works is ever taken back. A `failed` instance is never `current`: what is installed on it did not work,
and a rollout to an older version, too, may be what brings it back.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Targets:
    """Rule: what is on the target or newer is `current`. `supersede`: what a newer version does to a rollout."""

    name: ClassVar = "targets"
    reasons: ClassVar = ("current",)
    promises: ClassVar = (Promise.TARGET_UNTOUCHED,)

    supersede: Literal["finish", "cancel"] = "finish"

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Keep newer versions."""
        return evolve(rules, keeps_newer=True, supersede=self.supersede)
