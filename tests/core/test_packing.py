"""The columns of listed instances: the compiled text and the plain one do the same, and what it is is right."""

from __future__ import annotations

import importlib
import sys
from array import array
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core import packing
from phasegate.core.names import PackedNames
from phasegate.core.order import natural_key
from phasegate.core.packing import plain

TEXTS: list[Any] = [plain, pytest.importorskip("phasegate.core.packing.fast")]

names = st.lists(
    st.one_of(
        st.text(alphabet="ab019_/é\x1f\x7f\u200b\u20ac", max_size=6),
        st.integers(0, 2**33).map(str),
        st.integers(0, 30).map(lambda number: f"web_{number}"),
        st.sampled_from(["0" * 1001 + "1", "0" * 1000 + "a", "9" * 1000, "9" * 1002, "1" + "0" * 1000]),
    ),
    max_size=40,
)
columns = st.integers(0, 40).flatmap(
    lambda count: st.tuples(
        st.lists(st.sampled_from([0, 1, 300, 70_000, 2**31 - 1]), min_size=count, max_size=count),
        st.lists(st.sampled_from([0, 1, 254, 255]), min_size=count, max_size=count),
        st.lists(st.sampled_from([0, 1, 255, 256, 65_535]), min_size=count, max_size=count),
    )
)


@pytest.mark.parametrize("text", TEXTS)
def test_an_order_of_names_by_hand(text: ModuleType) -> None:
    """A number within a name counts as one, and equal names stay as they stand."""
    listed, ordered = PackedNames.of(["web_10", "web_9", "é", "web_9"]), ["web_9", "web_9", "web_10", "é"]
    order = text.natural_order(listed.blob, listed.ends)
    assert array("I", [1, 3, 0, 2]) == order
    taken = PackedNames(*text.taken_names(listed.blob, listed.ends, order))
    assert (ordered, None) == (list(taken), text.natural_order(taken.blob, taken.ends))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("listed", "wrong", "twice"),
    [
        (["a", "b", "a"], -1, -1),
        (["é", "a", "a", "b/c", "b/c"], 3, 2),
        (["", ""], 0, 1),
        (["a", "a", "a\x1b"], 2, 1),
    ],
)
def test_a_name_at_fault_by_hand(text: ModuleType, listed: list[str], wrong: int, twice: int) -> None:
    """The first that is no name, and the first that is the same as the one before it."""
    packed = PackedNames.of(listed)
    found = text.first_wrong(packed.blob, packed.ends), text.first_repeated(packed.blob, packed.ends)
    assert (wrong, twice) == found


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        (["0", "7", "4294967295"], array("I", [0, 7, 4294967295])),
        ([], array("I")),
        (["7", "07"], None),
        (["4294967296"], None),
        (["10000000000"], None),
        (["1" * 5000], None),  # more digits than Python makes a number of
        (["\u0663"], None),  # a digit of another script
        ([""], None),
    ],
)
def test_numbers_by_hand(text: ModuleType, listed: list[str], wanted: array[int] | None) -> None:
    """Up to the largest of 32 bits; one name that is no plain number, and none is."""
    packed = PackedNames.of(listed)
    assert wanted == text.numbers(packed.blob, packed.ends)


@pytest.mark.parametrize("text", TEXTS)
def test_columns_by_hand(text: ModuleType) -> None:
    """Rows in order of number, place and domain, in runs of those that are alike; and what is taken in that order."""
    number, place, domain = array("i", [70_000, 0, 70_000, 0]), bytes((1, 255, 0, 255)), array("H", [300, 9, 300, 9])
    order = text.grouped(number.tobytes(), place, domain.tobytes())
    assert array("I", [1, 3, 2, 0]) == order
    grouped = (
        text.taken(number.tobytes(), 4, order),
        text.taken(place, 1, order),
        text.taken(domain.tobytes(), 2, order),
    )
    wanted = array("i", [0, 0, 70_000, 70_000]), bytes((255, 255, 0, 1)), array("H", [9, 9, 300, 300])
    assert (wanted[0].tobytes(), wanted[1], wanted[2].tobytes()) == grouped
    assert (None, array("I", [0, 2, 3, 4])) == (text.grouped(*grouped), text.run_starts(*grouped))
    assert array("I", [0]) == text.run_starts(b"", b"", b"")
    assert domain.tobytes() == text.looked_up(array("H", [1, 0, 1, 0]).tobytes(), array("H", [9, 300]))


@pytest.mark.parametrize("text", TEXTS)
def test_ends_and_repeated_values_by_hand(text: ModuleType) -> None:
    """Where names begin and end within a longer list; a value as often as its count says; the ends of a column."""
    ends = array("q", [7, 9, 9, 12]).tobytes()
    assert (9, array("I", [0, 3]).tobytes()) == text.cut_ends(ends, 1, 3)
    assert (7, array("I", [2]).tobytes()) == text.cut_ends(ends, 0, 1)
    assert array("q", [2**40, 2**40, -1]) == text.repeated((2**40, 3, -1), (2, 0, 1), "q")
    assert array("I", [5, 5]) == text.repeated((5,), (2,), "I")
    assert (-9, 2**40) == text.span(array("q", [3, -9, 2**40]))


@pytest.mark.parametrize("text", TEXTS)
@given(names)
def test_names_are_ordered_as_their_natural_keys_are(text: ModuleType, listed: list[str]) -> None:
    """Equal ones in the order in which they stand; an order that is there already is not made."""
    packed = PackedNames.of(listed)
    order = text.natural_order(packed.blob, packed.ends)
    rows = sorted(range(len(listed)), key=lambda row: natural_key(listed[row]))
    assert rows == (list(range(len(listed))) if order is None else list(order))
    assert (order is None) == (rows == list(range(len(listed))))
    taken = text.taken_names(packed.blob, packed.ends, array("I", rows))
    assert [listed[row] for row in rows] == list(PackedNames(*taken))


@pytest.mark.parametrize("text", TEXTS)
@given(names)
def test_the_first_name_at_fault_is_found(text: ModuleType, listed: list[str]) -> None:
    """One that is empty, holds a slash or what does not print; one that is the same as the one before."""
    packed = PackedNames.of(listed)
    wrong = [at for at, name in enumerate(listed) if not name or "/" in name or not name.isprintable()]
    twice = [at for at in range(1, len(listed)) if listed[at] == listed[at - 1]]
    found = text.first_wrong(packed.blob, packed.ends), text.first_repeated(packed.blob, packed.ends)
    assert ([*wrong, -1][0], [*twice, -1][0]) == found


@pytest.mark.parametrize("text", TEXTS)
@given(st.one_of(names, st.lists(st.integers(0, 2**33).map(str), max_size=10)))
def test_names_are_numbers_where_each_is_a_plain_one(text: ModuleType, listed: list[str]) -> None:
    """Below 2**32, without leading zeros, in the digits of ASCII."""
    packed = PackedNames.of(listed)
    are = all(name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < 2**32 for name in listed)
    found = text.numbers(packed.blob, packed.ends)
    assert (array("I", map(int, listed)) if are else None) == found


@pytest.mark.parametrize("text", TEXTS)
@given(columns)
def test_rows_are_grouped_by_their_three_columns(
    text: ModuleType, drawn: tuple[list[int], list[int], list[int]]
) -> None:
    """By number, place and domain; and where each run begins."""
    number, place, domain = array("i", drawn[0]).tobytes(), bytes(drawn[1]), array("H", drawn[2]).tobytes()
    keys = list(zip(*drawn, strict=True))
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    order = text.grouped(number, place, domain)
    assert rows == (list(range(len(keys))) if order is None else list(order))
    starts = [at for at in range(len(keys)) if at == 0 or keys[at] != keys[at - 1]]
    assert [*starts, len(keys)] == list(text.run_starts(number, place, domain))


@pytest.mark.parametrize("text", TEXTS)
@given(columns, st.randoms(use_true_random=False))
def test_columns_are_taken_and_renumbered(
    text: ModuleType, drawn: tuple[list[int], list[int], list[int]], random: Any
) -> None:
    """In any order of rows; codes become places among those that occur, and are looked up again."""
    number, place, domain = array("i", drawn[0]), bytes(drawn[1]), array("H", drawn[2])
    order = array("I", random.sample(range(len(place)), len(place)))
    assert bytes(place[row] for row in order) == text.taken(place, 1, order)
    assert array("H", (domain[row] for row in order)).tobytes() == text.taken(domain.tobytes(), 2, order)
    assert array("i", (number[row] for row in order)).tobytes() == text.taken(number.tobytes(), 4, order)
    used, codes = text.recoded(domain.tobytes(), 2, -1)
    assert list(dict.fromkeys(domain)) == list(used)
    assert domain.tobytes() == text.looked_up(codes, array("H", used))
    used, codes = text.recoded(place, 1, 255)
    assert [code for code in dict.fromkeys(place) if code != 255] == list(used)
    assert list(place) == [255 if code == 255 else used[code] for code in codes]


def test_many_codes_are_renumbered_too() -> None:
    """A long column of codes, for which the table is laid out at once."""
    codes = array("H", [*range(65_535, 60_000, -1)])
    for text in TEXTS:
        used, new = text.recoded(codes.tobytes(), 2, -1)
        assert (codes, array("H", range(len(codes))).tobytes()) == (array("H", used), new)


@pytest.mark.parametrize("text", TEXTS)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 5)), max_size=10))
def test_values_are_repeated(text: ModuleType, drawn: list[tuple[int, int]]) -> None:
    """Each as often as its count says, in either type."""
    values, counts = [value for value, _ in drawn], [count for _, count in drawn]
    wanted = [value for value, count in drawn for _ in range(count)]
    assert [array("I", wanted), array("q", wanted)] == [text.repeated(values, counts, code) for code in "Iq"]


@pytest.mark.parametrize("text", TEXTS)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=10), st.data())
def test_ends_are_cut_out_of_a_long_list(text: ModuleType, lengths: list[int], data: st.DataObject) -> None:
    """Where some of the names begin, and where each of them ends from there."""
    ends = array("q", [7, *(7 + sum(lengths[: at + 1]) for at in range(len(lengths)))])
    first = data.draw(st.integers(0, len(lengths)))
    end = data.draw(st.integers(first, len(lengths)))
    wanted = array("I", (ends[at] - ends[first] for at in range(first + 1, end + 1))).tobytes()
    assert (ends[first], wanted) == text.cut_ends(ends.tobytes(), first, end)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("typecode", "least", "greatest"), [("B", 0, 255), ("I", 0, 2**32 - 1), ("q", -(2**63), 2**63 - 1), ("h", -9, 9)]
)
@given(data=st.data())
def test_the_span_of_a_column_is_from_its_least_to_its_greatest_number(
    text: ModuleType, typecode: str, least: int, greatest: int, data: st.DataObject
) -> None:
    """Whatever its type; nothing has none."""
    column = array(typecode, data.draw(st.lists(st.integers(least, greatest), min_size=1)))
    assert (min(column), max(column)) == text.span(column.tobytes() if typecode == "B" else column)
    for empty in (b"", array(typecode)):
        with pytest.raises(ValueError, match="empty"):
            text.span(empty)


def test_the_compiled_text_is_the_one_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was built; else the plain one is."""
    assert packing.IS_COMPILED
    monkeypatch.setitem(sys.modules, "phasegate.core.packing.fast", None)
    assert not importlib.reload(packing).IS_COMPILED
    monkeypatch.undo()
    assert importlib.reload(packing).IS_COMPILED
