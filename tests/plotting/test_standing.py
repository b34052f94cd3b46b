"""How the instances of a set stand while a log is read."""

from __future__ import annotations

from phasegate.plotting.standing import Standing

LISTED = [{"id": "web_1"}, {"id": "07", "health": "unknown"}, {"id": "7", "health": "unhealthy"}, {"id": "9" * 30}]


def test_listed_instances_stand_as_the_fleet_file_says() -> None:
    """Any ids do: words, padded numbers, and numbers too large to be places."""
    standing = Standing.of(LISTED)
    assert (standing.size, standing.not_healthy) == (4, 2)
    assert standing.report(["7"], not_healthy=False, observed_at=0) == -1
    assert (standing.size, standing.not_healthy) == (4, 1)


def test_instances_start_once_and_land_once() -> None:
    """Repeated lines and instances that are not there change nothing."""
    standing = Standing.of(LISTED)
    assert standing.start(["web_1", "7", "7", "gone"], lane=3) == 2
    assert standing.start(["7"], lane=5) == 0
    assert standing.land(["web_1", "7", "07"]) == {3: 1, 5: 1}
    assert standing.land(["web_1", "7"]) == {}


def test_of_two_reports_the_later_observed_one_holds() -> None:
    """Whatever order they come in, and one observed at the same time is not later."""
    standing = Standing.of(1)
    assert standing.report(["0"], not_healthy=True, observed_at=20) == 1
    assert standing.report(["0"], not_healthy=False, observed_at=10) == 0
    assert standing.report(["0"], not_healthy=False, observed_at=20) == 0
    assert standing.report(["0"], not_healthy=False, observed_at=21) == -1


def test_a_change_of_state_makes_older_reports_stale() -> None:
    """What was observed before it is stale, what is observed in its instant is not."""
    standing = Standing.of(1)
    assert standing.set_health(["0"], not_healthy=True, now=50) == 1
    assert standing.report(["0"], not_healthy=False, observed_at=49) == 0
    assert standing.report(["0"], not_healthy=False, observed_at=50) == -1


def test_an_id_that_comes_back_is_a_new_instance() -> None:
    """It is not in flight, initializing, and reports about its predecessor are stale."""
    standing = Standing.of(2)
    standing.start(["1"], lane=0)
    standing.report(["1"], not_healthy=True, observed_at=5)
    assert standing.remove(["1"]) == ({0: 1}, -1)
    assert standing.remove(["1"]) == ({}, 0)
    assert standing.report(["1"], not_healthy=True, observed_at=9) == 0
    assert standing.add(["1", "new"], now=10) == 2
    assert standing.add(["new"], now=10) == 0
    assert standing.land(["1"]) == {}
    assert (standing.size, standing.report(["1"], not_healthy=True, observed_at=9)) == (3, 0)
