"""What a fleet may be: every refusal of the model, made in code, names what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import phasegate as pg
from phasegate.core.model import Extension, ExternalResource, Group, Replica, Window, provision_order

REFERENCE = pg.ImageReference(gallery="corp", definition="web")


def replicas(*names: str) -> list[Replica]:
    """Return entries of regions."""
    return [Replica(name) for name in names]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: pg.Image(REFERENCE, [pg.ImageVersion("1.0"), pg.ImageVersion("1.0.0")]),
            "version `1.0.0` is there twice (at `versions[1]`)",
        ),
        (
            lambda: pg.Image(REFERENCE, [pg.ImageVersion("1.0", regions=replicas("a", "a"))]),
            "a region is there twice (at `versions[0].regions`)",
        ),
        (
            lambda: Window(day="son", start="01:00", minutes=300),  # type: ignore[arg-type]
            "unknown day `son`; did you mean `sun`? (at `day`)",
        ),
        (
            lambda: Window(day="sun", start="24:00", minutes=300),
            "start `24:00` is not a time of day, like `01:00` (at `start`)",
        ),
        (
            lambda: Window(day="sun", start="01:00", minutes=300, timezone="Europe/Berlin"),
            "timezone `Europe/Berlin` needs its `offsets`; load_fleet fills them in (at `offsets`)",
        ),
        (
            lambda: pg.Region("east\x1b[31mus"),
            "name `east\x1b[31mus` holds a character that does not print (at `name`)",
        ),
        (
            lambda: pg.Region("eastus", "west\x07us"),
            "name `west\x07us` holds a character that does not print (at `pair`)",
        ),
        (
            lambda: pg.Region("eastus", zones=("1", "2\n")),
            "name `2\n` holds a character that does not print (at `zones`)",
        ),
        (
            lambda: pg.Fleet(
                regions=[pg.Region("eastus")],
                images=[pg.Image(REFERENCE, [pg.ImageVersion("1.0")])],
                sets=[
                    pg.ScaleSet(name="web", region="eastus", image=pg.ImageReference(gallery="corp", definition="wep"))
                ],
            ),
            "unknown image `corp/wep`; did you mean `corp/web`? (at `sets[0].image`)",
        ),
        (
            lambda: pg.Fleet(
                regions=[pg.Region("eastus", zones=("1", "2"))],
                images=[pg.Image(REFERENCE, [pg.ImageVersion("1.0")])],
                sets=[pg.ScaleSet(name="web", region="eastus", image=REFERENCE, zones=("1", "3"))],
            ),
            "unknown zone of eastus `3` (at `sets[0].zones`)",
        ),
        (lambda: pg.Region("eastus", zones=("2", "1", "2")), "zone `2` is there twice (at `zones`)"),
        (
            lambda: pg.ScaleSet(name="web", region="eastus", image=REFERENCE, zones=("1", "1")),
            "zone `1` is there twice (at `zones`)",
        ),
        (
            lambda: pg.ImageReference("Canonical", "Ubuntu\x00Server", "18.04-LTS"),
            "name `Ubuntu\x00Server` holds a character that does not print (at `offer`)",
        ),
        (
            lambda: pg.ImageReference(custom="\u2028"),
            "name `\u2028` holds a character that does not print (at `custom`)",
        ),
        (
            lambda: Replica("eastus\t"),
            "name `eastus\t` holds a character that does not print (at `name`)",
        ),
        (
            lambda: Group(name="a\x1bb", counts="sets", members=(), limit=1),
            "name `a\x1bb` holds a character that does not print (at `name`)",
        ),
        (
            lambda: Extension("app\r"),
            "name `app\r` holds a character that does not print (at `name`)",
        ),
        (
            lambda: ExternalResource("sas\x85"),
            "name `sas\x85` holds a character that does not print (at `name`)",
        ),
        (
            lambda: pg.Roster.of([pg.Instance(id="vm\x1b[2J")]),
            "instance id `vm\x1b[2J` is empty, or holds a `/` or a character that does not print",
        ),
        (
            lambda: provision_order([Extension("app", ("agnt",)), Extension("agent")]),
            "unknown extension `agnt`; did you mean `agent`? (at `extensions[0].provision_after`)",
        ),
        (
            lambda: provision_order([Extension("app"), Extension("app")]),
            "extension `app` is there twice (at `extensions[1]`)",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_in_one_line(make: Callable[[], Any], text: str) -> None:
    """The place is the one in a fleet file."""
    with pytest.raises(pg.InvalidModel) as refusal:
        make()
    assert text == str(refusal.value)


def test_tags_and_tuples_come_from_any_iterable() -> None:
    """What is given as lists and dicts is kept immutable."""
    made = pg.ScaleSet(name="web", region="a", image=REFERENCE, tags={"b": "2", "a": "1"}, extensions=[Extension("x")])
    assert ((Extension("x"),), ["a", "b"]) == (made.extensions, list(made.tags))
    fleet = pg.Fleet(regions=[pg.Region("a"), pg.Region("b")], phases=[["b"], ["a"]])
    assert (("b",), ("a",)) == fleet.phases
    assert isinstance(hash(fleet), int)


@pytest.mark.parametrize(
    ("api_version", "date"),
    [("2021-03-01", "2021-03-01"), ("2016-04-30-preview", "2016-04-30"), ("2016-04-30-Preview", "2016-04-30")],
)
def test_api_versions_are_dates(api_version: str, date: str) -> None:
    """Those of a preview too."""
    assert date == pg.ScaleSet(name="web", region="eastus", image=REFERENCE, api_version=api_version).api_date


@pytest.mark.parametrize(
    "api_version",
    ["yesterday", "latest", "2021-3-1", "2021-13-01", "2021-03-32", "2021-03-01\n", "99999-03-01", "٢٠٢١-03-01", ""],
)
def test_an_api_version_that_is_no_date_is_refused(api_version: str) -> None:
    """It is bad input, not an old version: nobody would look for the mistake there."""
    with pytest.raises(pg.InvalidModel) as refusal:
        pg.ScaleSet(name="web", region="eastus", image=REFERENCE, api_version=api_version)
    what = f"API version `{api_version}` is no date, like `2021-03-01` or `2021-03-01-preview` (at `api_version`)"
    assert what == str(refusal.value)
