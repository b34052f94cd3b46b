"""The explorer's symmetries lose no state, and the future of each image is the image of the future."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from fleets import a_fleet, a_set, vm

from phasegate.core.exploring.acts import Freedom
from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.verifying.scenario import Scenario

from .conftest import explored
from .orbits import canonical, orbit_size, shuffled
from .scenarios import (
    a_scenario,
    busy_cells,
    crashes,
    flips_and_shrinking,
    maintenance_of_zones,
    paired_regions,
    reports_out_of_order,
    scale_ins,
    zones_and_domains,
)

pytestmark = pytest.mark.untraced

SAMPLES = 80


def equal_sets() -> Scenario:
    """Two sets of one region with equal models contend for two zones; instances of both turn unhealthy."""
    zones = [vm(1, "1"), vm(2, "2")]
    return a_scenario(
        a_fleet(a_set("a/db", zones), a_set("a/web", zones)),
        Freedom(health_flips=1, lost_reports=0),
        max_batch_percent=50,
        max_unhealthy_percent=50,
    )


def equal_regions() -> Scenario:
    """Two regions of one phase with equal sets, each with two zones."""
    zones = [vm(1, "1"), vm(2, "2")]
    return a_scenario(
        a_fleet(a_set("a/web", zones), a_set("b/web", zones), phases=[["a", "b"]]),
        Freedom(failed_steps=1, lost_reports=0),
        max_batch_percent=50,
    )


SCENARIOS = (
    zones_and_domains,
    equal_sets,
    equal_regions,
    paired_regions,
    busy_cells,
    flips_and_shrinking,
    maintenance_of_zones,
    reports_out_of_order,
    scale_ins,
    crashes,
)


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda scenario: scenario.__name__)
def reduced(request: pytest.FixtureRequest) -> tuple[Callable[[], Scenario], Twin]:
    """Return a scenario and the plain explorer that has found all its states under symmetry, once for all tests."""
    return request.param, explored(request.param(), is_symmetric=True, explorer=Twin)


def test_orbits_add_up_to_all_states(reduced: tuple[Callable[[], Scenario], Twin]) -> None:
    """The orbits of the states under symmetry are, together, as many states as there are without it.

    Sets that contend go by order: whose gates are looked at first is not the same in an image, so nothing is swapped.
    """
    scenario, found = reduced
    orbits = sum(orbit_size(key, found.group) for key in found.keys)
    assert (orbits, scenario is not equal_sets) == (explored(scenario()).states, found.states < orbits)


def test_the_future_of_an_image_is_the_image_of_the_future(reduced: tuple[Callable[[], Scenario], Twin]) -> None:
    """For states of sampled orbits and permutations, the successors are the same up to symmetry, each as often.

    By the test before, every image of a state that was found is a state that there is without symmetry.
    """
    scenario, found = reduced
    group = found.group
    plain = Twin(scenario().subject(), is_symmetric=False)
    chance = random.Random(1)
    for orbit in chance.sample(found.keys, min(SAMPLES, found.states)):
        key, image = shuffled(orbit, group, chance), shuffled(orbit, group, chance)
        assert canonical(key, group) == canonical(image, group)
        futures = [
            Counter((canonical(one.key, group), one.move[0], one.broken) for one in plain.successors(which))
            for which in (key, image)
        ]
        assert futures[0] == futures[1]
