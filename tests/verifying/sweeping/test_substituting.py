"""Values put in at places of a document."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.errors import InvalidModel
from phasegate.verifying.sweeping.substituting import refuse_overlaps, steps_of, substituted

DOCUMENT: dict[str, Any] = {"fleet": {"sets": [{"name": "web", "instances": 2}, {}]}, "about": "x", "policy": None}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("flet.sets[0].instances", "unknown key `flet`; did you mean `fleet`?"),
        ("fleet.stes[0]", "unknown key `stes`; did you mean `sets`?"),
        ("fleet.sets[2].name", "there is no [2] in `fleet.sets`, which has 2, counted from 0"),
        ("fleet.sets.name", "`fleet.sets` is a list; say which of it, like `fleet.sets[0].name`"),
        ("fleet[0]", "`fleet` is an object and has no [0]"),
        ("about.more", "`about` is text `x` and has no `more`"),
        ("a..b", "`a..b` is no place in a document, like `fleet.sets[0].instances`"),
        ("a[01]", "`a[01]` is no place in a document, like `fleet.sets[0].instances`"),
        ("", "`` is no place in a document, like `fleet.sets[0].instances`"),
    ],
)
def test_a_place_that_is_not_there(path: str, error: str) -> None:
    """Each has its line, with the closest key that exists."""
    with pytest.raises(InvalidModel) as caught:
        substituted(DOCUMENT, path, 1)
    assert error == caught.value.what


def test_what_is_left_out_can_be_named() -> None:
    """Objects come into being on the way; whether there is such a key is for the reader of the document to say."""
    assert {"environment": {"faults": 1}} == substituted({}, "environment.faults", 1)
    assert {"max_batch_percent": 5} == substituted(DOCUMENT, "policy.max_batch_percent", 5)["policy"]  # type: ignore[index]


@given(st.sampled_from(["fleet", "fleet.sets", "fleet.sets[0]", "fleet.sets[1].x.y", "about", "new"]), st.integers())
def test_the_value_is_there_and_nothing_else_changed(path: str, value: int) -> None:
    """The document itself stays as it is, and putting the old value back gives it again."""
    before = copy.deepcopy(DOCUMENT)
    after: Any = substituted(DOCUMENT, path, value)
    at = after
    for step in steps_of(path):
        at = at[step]
    assert value == at
    assert before == DOCUMENT
    assert after == substituted(after, path, value)


def test_one_place_in_another_is_refused() -> None:
    """Which value would count there would hang on their order."""
    refuse_overlaps(("fleet.sets[0].instances", "fleet.sets[1]", "fleet.sets[10].name"))
    with pytest.raises(InvalidModel, match=r"`fleet.sets\[1\].name` lies in `fleet.sets\[1\]`; vary one of them"):
        refuse_overlaps(("fleet.sets[1].name", "fleet.sets[1]"))
