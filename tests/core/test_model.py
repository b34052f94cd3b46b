"""What a fleet may be: every refusal of the model, made in code, names what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import phasegate as pg
from phasegate.core.model import Extension, Replica, Window, provision_order

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
