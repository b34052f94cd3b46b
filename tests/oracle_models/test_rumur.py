"""Rumur, with scalarsets for zones, upgrade domains and instances, finds one state an orbit where the explorer does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fleets import a_fleet, a_set

from phasegate.core.exploring.acts import Freedom
from phasegate.verifying.scenario import Scenario

from .checkers import rumur
from .conftest import explored
from .murphi import murphi
from .scenarios import a_grid, a_scenario, zones_and_domains
from .shape import Shape

pytestmark = pytest.mark.untraced


def three_zones() -> Scenario:
    """Three zones with one instance each, a maintenance and a failed step."""
    return a_scenario(
        a_fleet(a_grid(zones=3, domains=1)),
        Freedom(maintenances=1, failed_steps=1, lost_reports=0, cancels=1),
        max_batch_percent=50,
        max_unhealthy_percent=50,
        max_unhealthy_upgraded_percent=50,
    )


def four_alike() -> Scenario:
    """Four instances of one bucket, one of them paused on its way."""
    return a_scenario(
        a_fleet(a_set(instances=4)), Freedom(faults=1, pauses=1), max_batch_percent=75, max_unhealthy_percent=50
    )


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("scenario", "levels"),  # to compile at -O3 takes longer than to explore a few thousand states without
    [(zones_and_domains, ("-O0", "-O0")), (three_zones, ("-O0", "-O0")), (four_alike, ("-O1", "-O3"))],
    ids=["zones_and_domains", "three_zones", "four_alike"],
)
def test_rumur_finds_as_many_orbits_and_as_many_states(
    scenario: Callable[[], Scenario], levels: tuple[str, str], tmp_path: Path
) -> None:
    """States agree exactly with symmetry (exhaustive in Rumur) and without; no promise is broken."""
    model = murphi(Shape.of(scenario()))
    theirs = [
        rumur(model, tmp_path, symmetry=how, level=level)
        for how, level in zip(("exhaustive", "off"), levels, strict=True)
    ]
    ours = [explored(scenario(), is_symmetric=how) for how in (True, False)]
    assert [(one.states, one.violated) for one in theirs] == [(one.states, one.violation is not None) for one in ours]
