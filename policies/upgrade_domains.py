"""A batch stays inside one upgrade domain; Service Fabric finishes one before it begins another (semantics 7)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class UpgradeDomains:
    """Rule: the instances of a batch are of one upgrade domain."""

    name: ClassVar = "upgrade-domains"
    reasons: ClassVar = ("upgrade-domain-later",)
    promises: ClassVar = (Promise.BATCH_WITHIN_CAP,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Keep upgrade domains apart."""
        return evolve(rules, by_upgrade_domain=True)
