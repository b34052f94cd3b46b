"""A Service Fabric set finishes an upgrade domain that it has begun (semantics 7)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class ServiceFabricDomains:
    """Rule: among the candidates of the current number, a begun upgrade domain number is finished before another."""

    name: ClassVar = "service-fabric-domains"
    reasons: ClassVar = ("upgrade-domain-later",)
    promises: ClassVar = (Promise.DOMAINS_FINISHED,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Ask for it."""
        return evolve(rules, finishes_upgrade_domains=True)
