"""Plain data to attrs classes and back."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import attrs
import pytest

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Health
from phasegate.files.structure import INT_MAX, Reader, described, given, list_of, mapping_of, plain, structure


class Colour(Enum):
    """An enumeration of text."""

    RED = "red"


@attrs.frozen
class Inner:
    """A nested class with an alias and a field that is no argument."""

    _size: int
    made: int = attrs.field(init=False, default=3)


@attrs.frozen
class Outer:
    """A class with a field of each kind."""

    name: str
    ratio: float = 0.0
    flag: bool = False
    day: Literal["mon", "tue"] = "mon"
    colour: Colour = Colour.RED
    health: Health = Health.HEALTHY
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    span: int | tuple[int, int] = 0
    tags: Mapping[str, str] = attrs.field(factory=dict)
    maybe: str | None = None
    level: Literal["low"] | float | None = None
    anything: Any = None
    nothing: None = None


FULL = {
    "name": "a",
    "ratio": 1,
    "flag": True,
    "day": "tue",
    "colour": "red",
    "health": "unknown",
    "inner": {"_size": 1},
    "many": [{"_size": 2}],
    "span": [1, 2],
    "tags": {"team": "shop"},
    "maybe": "b",
    "level": 0.5,
    "anything": [1, {"x": None}],
    "nothing": None,
}


def test_every_kind_of_field_is_read() -> None:
    """Each supported type hint has a reader."""
    expected = Outer(
        name="a",
        ratio=1.0,
        flag=True,
        day="tue",
        colour=Colour.RED,
        health=Health.UNKNOWN,
        inner=Inner(1),
        many=(Inner(2),),
        span=(1, 2),
        tags={"team": "shop"},
        maybe="b",
        level=0.5,
        anything=[1, {"x": None}],
    )
    assert expected == structure(Outer, FULL)


def test_defaults_stand_for_what_is_left_out() -> None:
    """Only what has no default is required."""
    assert Outer("a") == structure(Outer, {"name": "a"})


def test_a_union_goes_by_the_type_of_the_data() -> None:
    """A number is a number, a list a range, a word a literal."""
    assert (
        structure(Outer, {"name": "a", "span": 5}).span,
        structure(Outer, {"name": "a", "span": [1, 2]}).span,
        structure(Outer, {"name": "a", "level": "low"}).level,
        structure(Outer, {"name": "a", "level": None}).level,
    ) == (5, (1, 2), "low", None)


@pytest.mark.parametrize(
    ("change", "what", "path"),
    [
        ({"name": 5}, "expected text, got the number 5; write it in quotes", "name"),
        ({"name": None}, "expected text, got null", "name"),
        ({"ratio": "1"}, "expected a number, got text `1`", "ratio"),
        ({"ratio": float("inf")}, "the number is too large", "ratio"),
        ({"flag": "true"}, "expected true or false, got text `true`; leave the quotes out", "flag"),
        ({"flag": 1}, "expected true or false, got the number 1", "flag"),
        ({"day": "sun"}, "`sun` is none of `mon`, `tue`", "day"),
        ({"day": []}, "expected text, got a list", "day"),
        ({"colour": "blue"}, "`blue` is none of `red`", "colour"),
        ({"health": "ill"}, "`ill` is none of `healthy`, `unhealthy`, `unknown`, `initializing`", "health"),
        ({"inner": {"_size": "1"}}, "expected a whole number, got text `1`; leave the quotes out", "inner._size"),
        ({"inner": {"_size": 1.5}}, "expected a whole number, got the number 1.5", "inner._size"),
        ({"inner": {"_size": True}}, "expected a whole number, got true", "inner._size"),
        ({"inner": {"_size": INT_MAX + 1}}, f"the number {INT_MAX + 1} is not between -2**53 and 2**53", "inner._size"),
        ({"inner": {"size": 1}}, "unknown key `size`; did you mean `_size`?", "inner"),
        ({"inner": {"made": 1}}, "unknown key `made`", "inner"),
        ({"inner": {}}, "`_size` is missing", "inner"),
        ({"inner": 5}, "expected an object, got the number 5", "inner"),
        ({"many": {}}, "expected a list, got an object", "many"),
        ({"many": [{"_size": 1}, {}]}, "`_size` is missing", "many[1]"),
        ({"span": [1]}, "expected a list of 2, got 1", "span"),
        ({"span": [1, "2"]}, "expected a whole number, got text `2`; leave the quotes out", "span[1]"),
        ({"span": "x"}, "expected a whole number, got text `x`", "span"),
        ({"tags": {"team": 1}}, "expected text, got the number 1; write it in quotes", "tags.team"),
        ({"nothing": 1}, "expected null, got the number 1", "nothing"),
        ({"nmae": 1}, "unknown key `nmae`; did you mean `name`?", ""),
    ],
)
def test_a_fault_names_what_and_where(change: dict[str, Any], what: str, path: str) -> None:
    """Every error says what was found, what was expected, and the place."""
    with pytest.raises(InvalidModel) as caught:
        structure(Outer, {**FULL, **change})
    assert (what, path) == (caught.value.what, caught.value.path)


def test_the_path_is_seen_from_the_given_one() -> None:
    """A caller's own place comes first."""
    with pytest.raises(InvalidModel) as caught:
        structure(Outer, {"name": 1}, "sets[3]")
    assert caught.value.path == "sets[3].name"


def test_a_list_is_no_object_and_an_object_no_list() -> None:
    """The two containers are told apart."""
    assert (mapping_of({"a": 1}), list_of([1])) == ({"a": 1}, [1])
    with pytest.raises(InvalidModel, match="expected an object, got a list"):
        mapping_of([])
    with pytest.raises(InvalidModel, match="expected a list, got an object"):
        list_of({})


def test_what_has_no_reader_is_the_callers_mistake() -> None:
    """A hint that plain data cannot say is a TypeError."""
    with pytest.raises(TypeError, match="no reader for"):
        Reader().of(set[int])


def test_a_special_reader_takes_the_place_of_the_usual_one() -> None:
    """A caller may read a type in its own way."""
    reader = Reader({Inner: lambda data: Inner(len(str(data)))})
    assert reader.read(Outer, {"name": "a", "inner": "four"}).inner == Inner(4)


def test_plain_is_the_way_back() -> None:
    """What is read is what was written."""
    assert {**plain(structure(Outer, FULL)), "nothing": None} | {
        "inner": {"_size": 1},
        "many": [{"_size": 2}],
    } | {"colour": "red"} == {**FULL, "ratio": 1.0} | {"anything": [1, {"x": None}]}


def test_given_leaves_defaults_out() -> None:
    """Only what differs from its default is given."""
    assert given(Outer("a", tags={}, day="tue")) == {"name": "a", "day": "tue"}


def test_long_numbers_are_cut() -> None:
    """A number of many digits does not fill the error."""
    assert len(described(10**200)) < 60
