"""Instances as columns: what no column can hold is refused."""

from __future__ import annotations

import pytest

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Health
from phasegate.core.roster import HEALTH_MAX, NO_NUMBER, Instance, Roster


@pytest.mark.parametrize(
    ("instance", "error"),
    [
        (Instance(id="7", health=4), "health 4 of instance `7` is not between 0 and 3"),
        (Instance(id="7", health=-1), "health -1 of instance `7` is not between 0 and 3"),
        (Instance(id="7", upgrade_domain=2**16), "upgrade domain 65536 of instance `7` is not between 0 and 65535"),
        (
            Instance(id="7", phase_ordering_number=NO_NUMBER),
            "phase ordering number 2147483647 of instance `7` is not between 0 and 2147483646",
        ),
    ],
)
def test_a_number_out_of_its_range_is_refused(instance: Instance, error: str) -> None:
    """It names the instance."""
    with pytest.raises(InvalidModel) as caught:
        Roster.of([Instance(id="6"), instance])
    assert error == str(caught.value)


def test_every_health_has_its_place() -> None:
    """What is refused is beyond the last of them."""
    healths = [*Health]
    assert HEALTH_MAX == max(healths)
    assert healths == [row.health for row in Roster.of(Instance(id=f"{one}", health=one) for one in healths)]
