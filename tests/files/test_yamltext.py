"""YAML text to plain data, bounded."""

from typing import Any

import pytest

from phasegate.core.errors import InvalidModel
from phasegate.files.yamltext import BYTES_MAX, DEPTH_MAX, parse_yaml


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: 1", {"a": 1}),
        ("a: -0x1", {"a": "-0x1"}),
        ("a: [1.5, .5, 1e3, 0o7]", {"a": [1.5, 0.5, 1000.0, "0o7"]}),
        ("a: [true, False, yes, no, on]", {"a": [True, False, "yes", "no", "on"]}),
        ("a: [null, ~, '', 'null', \"1\"]", {"a": [None, None, "", "null", "1"]}),
        ("a:", {"a": None}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 2024-01-31", {"a": "2024-01-31"}),
        ("a: |\n  1\n", {"a": "1\n"}),
        ("a: ! 1", {"a": "1"}),
        ("- 1\n- {}\n- []", [1, {}, []]),
        ("1: 2", {"1": 2}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("<<: [{a: 1}, {a: 2, b: 3}]", {"a": 1, "b": 3}),
        ('"<<": 1', {"<<": 1}),
    ],
)
def test_the_core_schema_is_read(text: str, data: Any) -> None:
    """Plain scalars are what version 1.2 says; everything else is text."""
    assert data == parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "what", "path"),
    [
        ("a: 1\na: 2", "key `a` is there twice", "line 2, column 1"),
        ("? [1]\n: 2", "a key is text", "line 1, column 3"),
        ("<<: 3", "`<<` merges an object or a list of objects", "line 1, column 1"),
        ("a: *b", "alias `b` has no anchor before it", "line 1, column 4"),
        ("a: &a [*a]", "alias `a` has no anchor before it", "line 1, column 8"),
        ("a: !!int 3", "tag `tag:yaml.org,2002:int` is not understood; leave it out", "line 1, column 4"),
        ("--- 1\n--- 2", "a second document starts; one file holds one", "line 2, column 1"),
        ("# nothing\n", "holds nothing but comments", ""),
        ("a: [", "no YAML: did not find expected node content", "line 2, column 1"),
        ("a: '", "no YAML: found unexpected end of stream", "line 1, column 5"),
        ("a: \x00", "no YAML: unacceptable character #x0000: control characters are not allowed", ""),
        ("[" * 500, f"nested more than {DEPTH_MAX} deep", f"line 1, column {DEPTH_MAX + 2}"),
    ],
)
def test_a_fault_names_what_and_where(text: str, what: str, path: str) -> None:
    """A fault is given by line and column."""
    with pytest.raises(InvalidModel) as caught:
        parse_yaml(text)
    assert (what, path) == (caught.value.what, caught.value.path)


def test_the_deepest_nesting_is_refused_by_whoever_meets_it_first() -> None:
    """Newer parsers have a bound of their own, and look ahead further than ours."""
    with pytest.raises(InvalidModel, match="nest"):
        parse_yaml("[" * 100_000)


def test_aliases_of_aliases_are_counted_as_what_they_stand_for() -> None:
    """Seven short lines that stand for ten million values are refused."""
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    with pytest.raises(InvalidModel, match="more than 1000000 values"):
        parse_yaml("\n".join(lines))


def test_a_large_text_is_refused() -> None:
    """YAML is for hand-written files."""
    with pytest.raises(InvalidModel, match="write JSON or NDJSON"):
        parse_yaml("x" * (BYTES_MAX + 1))
