"""Small scenarios of different kinds, each for what it is about; explored by the engine's explorer and by SPIN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve
from fleets import NEW, OLD, UBUNTU, a_fleet, a_set, vm

import phasegate as pg
from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.subject import Spare
from phasegate.core.model import Fleet, Group, RollingPolicy, ScaleSet, Window
from phasegate.verifying.scenario import Scenario


def a_scenario(fleet: Fleet, freedom: Freedom, *, sets: tuple[str, ...] | None = None, **options: Any) -> Scenario:
    """Return one rollout of the fleet's image, a manual one of `sets`, without delays unless asked for."""
    return Scenario(
        name="-",
        fleet=fleet,
        policy=pg.policies.availability_first(**{"delays": False} | options),
        start=(pg.Rollout(UBUNTU.name, 0, sets=sets),),
        freedom=freedom,
    )


def a_grid(name: str = "eastus/web", zones: int = 2, domains: int = 2, members: int = 1, **fields: Any) -> ScaleSet:
    """Return a set with so many instances in each upgrade domain of each zone."""
    listed = [
        vm(f"{zone}{domain}{at}", str(zone + 1), upgrade_domain=domain)
        for zone in range(zones)
        for domain in range(domains)
        for at in range(members)
    ]
    return a_set(name, listed, upgrade_domains=domains, **fields)


def batches_and_gates() -> Scenario:
    """Start batches of two, with both gates at their limits, a failed step and lost reports."""
    return a_scenario(
        a_fleet(a_set(instances=3)),
        Freedom(failed_steps=1),
        max_batch_percent=70,
        max_unhealthy_upgraded_percent=50,
    )


def zones_and_domains() -> Scenario:
    """Two zones, two upgrade domains, and two faults that failed steps and passed deadlines share."""
    return a_scenario(
        a_fleet(a_grid()),
        Freedom(faults=2),
        max_batch_percent=50,
        max_unhealthy_upgraded_percent=50,
    )


def paired_regions() -> Scenario:
    """Two sets in paired regions, one phase after the other, with a failed step and a flip."""
    return a_scenario(
        a_fleet(a_set("a/web", 2), a_set("b/web", 2), pairs={"a": "b"}),
        Freedom(failed_steps=1, health_flips=1),
        max_batch_percent=50,
        max_unhealthy_percent=50,
        max_unhealthy_upgraded_percent=50,
    )


def baking_phases() -> Scenario:
    """Two phases that bake, while people pause, resume and cancel and instances turn unhealthy."""
    return a_scenario(
        a_fleet(a_set("a/web", 1), a_set("b/web", 2)),
        Freedom(health_flips=1, pauses=1, cancels=1),
        phase_bake_ms=1,
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def pauses_and_cancels() -> Scenario:
    """People pause, resume and cancel between batches that rest."""
    return a_scenario(
        a_fleet(a_set(instances=2)),
        Freedom(pauses=1, cancels=1, failed_steps=1),
        pause_between_batches_ms=1,
        max_batch_percent=50,
        max_unhealthy_upgraded_percent=50,
    )


def flips_and_shrinking() -> Scenario:
    """Instances turn unhealthy, which shrinks batches until the gate before them ends the attempt."""
    return a_scenario(
        a_fleet(a_set(instances=3)),
        Freedom(health_flips=1),
        max_batch_percent=70,
        max_unhealthy_percent=34,
    )


def manual_without_rollback() -> Scenario:
    """Roll out by hand: without phases, and whoever fails stays failed."""
    return a_scenario(
        a_fleet(a_set(instances=3)),
        Freedom(failed_steps=2, cancels=1),
        sets=("eastus/web",),
        max_batch_percent=70,
        max_unhealthy_upgraded_percent=100,
    )


def zones_shared_by_sets() -> Scenario:
    """Two sets contend for the zones of one region."""
    return a_scenario(
        a_fleet(a_set("a/db", [vm(1, "1"), vm(2)], zones=("1",)), a_set("a/web", [vm(1, "2")])),
        Freedom(faults=1, health_flips=1),
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def delays_in_both_phases() -> Scenario:
    """Each phase's set waits for its instant from when its phase opened."""
    return a_scenario(
        a_fleet(a_set("a/web", 1), a_set("b/web", 2)),
        Freedom(cancels=1, pauses=1, health_flips=1),
        delays=True,
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def unhealthy_first() -> Scenario:
    """Let two sets contend for zones, where the unhealthy go first and not the first zone."""
    sick = vm(2, "2", health="unhealthy")
    return a_scenario(
        a_fleet(a_set("a/db", [vm(1, "1"), sick]), a_set("a/web", [vm(1, "1"), vm(2, "2")])),
        Freedom(health_flips=1, lost_reports=0),
        prioritize_unhealthy=True,
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def a_quorum() -> Scenario:
    """Let a group have one instance of two sets in flight at a time; one of the sets goes across zones."""
    cross = RollingPolicy(enable_cross_zone=True)
    return a_scenario(
        a_fleet(
            a_set("a/db", [vm(1, "1"), vm(2, "2")], rolling_policy=cross),
            a_set("b/db", 1),
            groups=[Group(name="quorum", counts="instances", members=("a/db", "b/db"), limit=1)],
            phases=[["a", "b"]],
        ),
        Freedom(faults=1, pauses=1),
        max_batch_percent=100,
        max_unhealthy_upgraded_percent=50,
    )


def busy_cells() -> Scenario:
    """Let one of two cells in two regions be busy at a time, held through rests and let go by pauses."""
    return a_scenario(
        a_fleet(
            a_set("a/web", 2),
            a_set("b/web", 2),
            groups=[Group(name="line", counts="cells", members=("a/-", "b/-"), limit=1)],
            phases=[["a", "b"]],
        ),
        Freedom(faults=1, pauses=1),
        pause_between_batches_ms=1,
        max_batch_percent=50,
    )


def reports_out_of_order() -> Scenario:
    """Stale, late and duplicate reports, and one true flip."""
    return a_scenario(
        a_fleet(a_set(instances=2)),
        Freedom(stale_reports=2, late_reports=1, duplicate_reports=1, health_flips=1),
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def maintenance_of_zones() -> Scenario:
    """Outside maintenance takes down whole upgrade domains of a zone, twice."""
    return a_scenario(
        a_fleet(a_grid()),
        Freedom(maintenances=2),
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def scale_ins() -> Scenario:
    """Instances are removed, in flight or not, and the batch size follows."""
    return a_scenario(
        a_fleet(a_set(instances=3)),
        Freedom(scale_ins=2),
        max_batch_percent=70,
        max_unhealthy_percent=50,
    )


def scale_outs() -> Scenario:
    """Let instances join before their set's attempt begins, within it, and too late, while its phase bakes."""
    later = (vm(7, version=OLD), vm(8, version=NEW), vm(9, version=OLD, skip_upgrade=True))
    scenario = a_scenario(
        a_fleet(a_set("a/web", 1), a_set("b/web", 2)),
        Freedom(scale_outs=2, scale_ins=1, lost_reports=0, health_flips=1),
        phase_bake_ms=1,
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )
    return evolve(scenario, spares=(Spare("a/web", later),))


def windows() -> Scenario:
    """Let windows open and close, one of them open at first, while people pause and cancel."""
    first, second = (Window(day=day, start="00:00", minutes=1440) for day in ("wed", "thu"))
    return a_scenario(
        a_fleet(a_set("a/db", 1, windows=[first]), a_set("a/web", 2, windows=[second])),
        Freedom(pauses=1, cancels=1, lost_reports=0),
        delays=True,
        max_batch_percent=50,
    )


def crashes() -> Scenario:
    """Crash between recording a command, handing it out, and hearing of it."""
    return a_scenario(
        a_fleet(a_set(instances=2)),
        Freedom(crashes=2, lost_reports=1),
        max_batch_percent=50,
    )


def ordered_instances() -> Scenario:
    """Phase ordering numbers, with instances that are current, skipped, protected, or without a number."""
    first, second = {"phase_ordering_number": 1}, {"phase_ordering_number": 2}
    listed = [
        vm(1, "1", **first),
        vm(2, "2"),
        vm(3, "1", **second),
        vm(4, "2", version=NEW, **first),
        vm(5, "1", skip_upgrade=True),
    ]
    return a_scenario(
        a_fleet(a_set(instances=listed)),
        Freedom(faults=1, pauses=1),
        max_batch_percent=50,
        max_unhealthy_upgraded_percent=40,
    )


def delayed_start() -> Scenario:
    """Wait for the set's instant, while people pause and cancel."""
    return a_scenario(
        a_fleet(a_set(instances=2)),
        Freedom(health_flips=1, pauses=1, cancels=1),
        delays=True,
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def share_of_the_set() -> Scenario:
    """Take the gate after a batch of the whole set; let unhealthy instances go first, and not shrink a batch."""
    return a_scenario(
        a_fleet(a_set(instances=3)),
        Freedom(health_flips=1, faults=1),
        max_batch_percent=70,
        max_unhealthy_percent=50,
        max_unhealthy_upgraded_percent=34,
        unhealthy_upgraded_of="set",
        unhealthy_shrinks_batch=False,
        prioritize_unhealthy=True,
    )


SCENARIOS: Final[tuple[Callable[[], Scenario], ...]] = (
    batches_and_gates,
    zones_and_domains,
    paired_regions,
    baking_phases,
    pauses_and_cancels,
    flips_and_shrinking,
    manual_without_rollback,
    zones_shared_by_sets,
    unhealthy_first,
    a_quorum,
    busy_cells,
    reports_out_of_order,
    maintenance_of_zones,
    scale_ins,
    scale_outs,
    windows,
    crashes,
    ordered_instances,
    delayed_start,
    delays_in_both_phases,
    share_of_the_set,
)
