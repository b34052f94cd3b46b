"""The template functions, each against what the language's documentation says of it."""

from typing import Any

import pytest

from phasegate.importers.expressions import ExpressionError
from phasegate.importers.functions import CHARACTERS_MAX, FUNCTIONS, ITEMS_MAX, STAND_INS


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("add", (5, 3), 8),
        ("array", ("a",), ["a"]),
        ("array", (["a"],), ["a"]),
        ("base64", ("one, two",), "b25lLCB0d28="),
        ("base64tostring", ("b25lLCB0d28=",), "one, two"),
        ("bool", ("True",), True),
        ("bool", ("0",), False),
        ("bool", (1,), True),
        ("coalesce", (None, None, "a"), "a"),
        ("coalesce", (None,), None),
        ("concat", ("a", 1, True, {"b": [1]}), 'a1True{"b":[1]}'),
        ("concat", ([1], [2, 3]), [1, 2, 3]),
        ("concat", (), ""),
        ("contains", ("OneTwo", "Two"), True),
        ("contains", (["one"], "two"), False),
        ("contains", ([["one"]], ["one"]), True),
        ("contains", ({"One": 1}, "one"), True),
        ("createarray", (1, "a"), [1, "a"]),
        ("createobject", ("a", 1, "b", 2), {"a": 1, "b": 2}),
        ("div", (8, 3), 2),
        ("div", (-8, 3), -2),
        ("empty", ("",), True),
        ("empty", ([0],), False),
        ("endswith", ("abCD", "cd"), True),
        ("equals", (1, 1), True),
        ("equals", (1, "1"), False),
        ("equals", ({"a": 1, "b": 2}, {"b": 2, "a": 1}), True),
        ("equals", ([1], {"a": 1}), False),
        ("false", (), False),
        ("first", ("one",), "o"),
        ("first", ([1, 2],), 1),
        ("first", ([],), None),
        ("format", ("{0}, {{{1:N0}}} {0}", "a", 5), "a, {5} a"),
        ("greater", (2, 1), True),
        ("greaterorequals", (1, 1), True),
        ("indexof", ("abc", "C"), 2),
        ("indexof", ("abc", "x"), -1),
        ("int", ("5",), 5),
        ("intersection", ([1, 2, 2, 3], [2, 3, 4]), [2, 3]),
        ("intersection", ({"a": 1, "b": 2}, {"a": 1, "b": 3}), {"a": 1}),
        ("join", (["a", 1], "-"), "a-1"),
        ("json", ('{"a": null}',), {"a": None}),
        ("last", ("one",), "e"),
        ("last", ([1, 2],), 2),
        ("last", ([],), None),
        ("lastindexof", ("abcabc", "B"), 4),
        ("length", ("abc",), 3),
        ("less", (1, 2), True),
        ("lessorequals", (1, 2), True),
        ("max", (1, 3, 2), 3),
        ("min", ([3, 1, 2],), 1),
        ("mod", (-7, 3), -1),
        ("mul", (5, 3), 15),
        ("not", (False,), True),
        ("null", (), None),
        ("padleft", (123, 6, "0"), "000123"),
        ("range", (5, 3), [5, 6, 7]),
        ("replace", ("123-123", "-", ""), "123123"),
        ("skip", ([1, 2, 3], 2), [3]),
        ("skip", ("abc", -1), "abc"),
        ("split", ("one,two;three", [",", ";"]), ["one", "two", "three"]),
        ("split", ("a.b", "."), ["a", "b"]),
        ("startswith", ("Abc", "aB"), True),
        ("string", (["a", 1],), '["a",1]'),
        ("sub", (7, 3), 4),
        ("substring", ("one two", 4, 3), "two"),
        ("substring", ("one two", 4), "two"),
        ("take", ("abc", 2), "ab"),
        ("take", ([1], -1), []),
        ("tolower", ("ABC",), "abc"),
        ("toupper", ("abc",), "ABC"),
        ("trim", (" a ",), "a"),
        ("true", (), True),
        ("union", ([1, 2], [2, 3]), [1, 2, 3]),
        ("union", ({"a": 1}, {"a": 2, "b": 3}), {"a": 2, "b": 3}),
        ("uri", ("http://x.org/a/", "b.sh"), "http://x.org/a/b.sh"),
        ("uricomponent", ("a b/c",), "a%20b%2Fc"),
        ("uricomponenttostring", ("a%20b",), "a b"),
    ],
)
def test_a_function_does_what_is_documented(name: str, arguments: tuple[Any, ...], value: Any) -> None:
    """The value and its type are those of the documentation."""
    assert (type(value), value) == (type(FUNCTIONS[name](*arguments)), FUNCTIONS[name](*arguments))


def test_stand_ins_are_opaque_and_always_the_same() -> None:
    """Equal arguments give equal text, other arguments another; both have the shape of the real ones."""
    for name, length in (("uniquestring", 13), ("guid", 36)):
        assert name in STAND_INS
        one, again, other = FUNCTIONS[name]("a", "b"), FUNCTIONS[name]("a", "b"), FUNCTIONS[name]("ab")
        assert (True, False, length) == (one == again, one == other, len(one))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("concat", ("a" * CHARACTERS_MAX, "b")),
        ("concat", ([0] * ITEMS_MAX, [0])),
        ("format", ("{0}{0}", "a" * CHARACTERS_MAX)),
        ("replace", ("a" * 1000, "a", "b" * 1000)),
        ("padleft", ("a", 10**9)),
        ("range", (0, 10**9)),
    ],
)
def test_values_are_bounded(name: str, arguments: tuple[Any, ...]) -> None:
    """No function makes a value that fills the memory."""
    with pytest.raises(ExpressionError, match="at most"):
        FUNCTIONS[name](*arguments)


def test_a_list_that_holds_itself_many_times_is_bounded_when_written() -> None:
    """Forty doublings are short to hold and would be long to write."""
    value: list[Any] = []
    for _ in range(40):
        value = [value, value]
    with pytest.raises(ExpressionError, match="at most"):
        FUNCTIONS["string"](value)


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("mul", ("a", 10**9), TypeError),
        ("mul", (2**62, 4), OverflowError),
        ("div", (1, 0), ZeroDivisionError),
        ("substring", ("abc", 2, 5), ValueError),
        ("bool", ("maybe",), KeyError),
        ("createobject", ("a",), ValueError),
        ("format", ("{3}", "a"), IndexError),
    ],
)
def test_wrong_arguments_raise(name: str, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    """The evaluator turns these into its own error."""
    with pytest.raises(error):
        FUNCTIONS[name](*arguments)
