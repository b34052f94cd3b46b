"""Rumur, with scalarsets for zones, upgrade domains and instances, finds one state an orbit where the explorer does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fleets import a_fleet, a_set

from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.subject import Subject

from .checkers import rumur
from .conftest import explored
from .murphi import murphi
from .scenarios import a_grid, a_subject, flips_and_shrinking, manual_without_rollback, zones_and_domains
from .shape import Shape


def three_zones() -> Subject:
    """Three zones with one instance each, a maintenance and a failed step."""
    return a_subject(
        a_fleet(a_grid(zones=3, domains=1)),
        freedom=Freedom(maintenances=1, failed_steps=1, lost_reports=0, cancels=1),
        max_batch_percent=50,
        max_unhealthy_percent=50,
        max_unhealthy_upgraded_percent=50,
    )


def four_alike() -> Subject:
    """Four instances of one bucket, one of them paused on its way."""
    return a_subject(
        a_fleet(a_set(instances=4)), freedom=Freedom(faults=1, pauses=1), max_batch_percent=75, max_unhealthy_percent=50
    )


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "scenario",
    [zones_and_domains, three_zones, four_alike, flips_and_shrinking, manual_without_rollback],
    ids=lambda scenario: scenario.__name__,
)
def test_rumur_finds_as_many_orbits_and_as_many_states(scenario: Callable[[], Subject], tmp_path: Path) -> None:
    """States agree exactly with symmetry (exhaustive in Rumur) and without; no promise is broken."""
    subject = scenario()
    model = murphi(Shape.of(subject))
    theirs = [rumur(model, tmp_path, symmetry=how) for how in ("exhaustive", "off")]
    ours = [explored(subject, is_symmetric=how) for how in (True, False)]
    assert [(one.states, one.violated) for one in theirs] == [(one.states, one.violation is not None) for one in ours]
