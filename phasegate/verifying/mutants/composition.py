"""Mutants: each policy of the composition left out."""

from __future__ import annotations

from typing import Final

from phasegate.policies import availability as a
from phasegate.policies.batches import Batches
from phasegate.policies.conflicts import Conflicts
from phasegate.policies.delays import Delays
from phasegate.policies.groups import Groups
from phasegate.policies.health_gate import HealthGate
from phasegate.policies.maintenance_windows import MaintenanceWindows
from phasegate.policies.pairs import Pairs
from phasegate.policies.phase_order import PhaseOrder
from phasegate.policies.phases import Phases
from phasegate.policies.protection import Protection
from phasegate.policies.retries import Retries
from phasegate.policies.rollback import Rollback
from phasegate.policies.service_fabric import ServiceFabricDomains
from phasegate.policies.targets import Targets
from phasegate.policies.upgrade_domains import UpgradeDomains
from phasegate.policies.upgraded_gate import UpgradedGate
from phasegate.policies.zones import Zones
from phasegate.verifying.mutants.mutant import Without

PARTS: Final = (
    Without(a.Eligibility, "every set is eligible"),
    Without(Targets, "a newer version than the target is taken back to it"),
    Without(Protection, "protected instances are started like others"),
    Without(Retries, "a version is offered again to whoever it failed on"),
    Without(Phases, "all regions are one phase"),
    Without(Pairs, "regions of a pair may be at work together"),
    Without(Zones, "zones of a region may be busy together"),
    Without(Conflicts, "users' own conflicts are not looked at"),
    Without(Groups, "users' groups have no limits"),
    Without(Delays, "attempts begin without a delay"),
    Without(MaintenanceWindows, "maintenance windows are always open"),
    Without(UpgradeDomains, "a batch is taken from several upgrade domains"),
    Without(ServiceFabricDomains, "upgrade domains of a Service Fabric set are begun before others are finished"),
    Without(PhaseOrder, "phase ordering numbers are not looked at"),
    Without(Batches, "a batch may be the whole set but one"),
    Without(HealthGate, "a batch starts however many are not healthy"),
    Without(UpgradedGate, "a batch starts however many of those upgraded are bad"),
    Without(Rollback, "nobody is restored"),
)
