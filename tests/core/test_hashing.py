"""The hashes of pages: what `hashlib` says, and sums that follow the pages."""

from __future__ import annotations

import importlib
import sys
from array import array
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core import hashing
from phasegate.core.hashing import plain
from phasegate.core.pages import Paged, first_pages

TEXTS: list[Any] = [plain, pytest.importorskip("phasegate.core.hashing.fast")]

PINNED = ["475f188b8223e6ba9cab239f948ca7fc", "e194b81e20f5c365602a8871a528beec", "c1eb95171eccb0ed56d4d3d907a6075a"]
MORE, LAST = "fb78e621c4fbb8acda9aca0ac00477a4", "c3638b4351c39c3a457cdfc0a6e7a691"

pages = st.binary(min_size=4, max_size=4)
columns = st.lists(st.lists(pages, min_size=1, max_size=4), min_size=1, max_size=4)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [*range(0, 260, 3), 127, 128, 129, 255, 256, 257, 448, 4096])
def test_a_page_has_the_hash_that_it_always_had(text: ModuleType, size: int) -> None:
    """Whatever its size: logs hold digests that older versions must find again."""
    page = bytes(at * 7 % 256 for at in range(size))
    assert plain.page_hash(28, 2**40 + size, page) == text.page_hash(28, 2**40 + size, page)


@pytest.mark.parametrize("text", TEXTS)
def test_a_hash_is_pinned(text: ModuleType) -> None:
    """Its place is part of it."""
    found = [text.page_hash(column, number, b"page").hex() for column, number in ((0, 0), (0, 1), (1, 0))]
    assert PINNED == found


@pytest.mark.parametrize("text", TEXTS)
def test_a_sum_is_that_of_pinned_hashes(text: ModuleType) -> None:
    """Modulo 2**128; a log changes it by the hash of each new page less the hash of the one in its place before."""
    base = (Paged((b"page", b"page"), 4), Paged((b"page",), 4))
    first, second, third, more, last = (int(digest, 16) for digest in (*PINNED, MORE, LAST))
    assert (first + second + third) % 2**128 == text.sum_of(base)
    log = array("I", [1, 2, 1]), [b"more", b"last", b"page"]
    latest: dict[int, bytes] = {}
    assert (more - second + last - third) % 2**128 == text.changed_by((0, 2, 3), base, latest, *log, 0, 2)
    assert {1: MORE, 2: LAST} == {number: digest.hex() for number, digest in latest.items()}
    assert (last - third) % 2**128 == text.changed_by((0, 2, 3), base, {}, *log, 1, 2)
    assert (second - more) % 2**128 == text.changed_by((0, 2, 3), base, latest, *log, 2, 3)
    assert {1: PINNED[1], 2: LAST} == {number: digest.hex() for number, digest in latest.items()}


@given(columns, st.data())
def test_sums_follow_the_pages(contents: list[list[bytes]], data: Any) -> None:
    """What a log's entries change is the difference between the sums over all pages before and after."""
    base = tuple(Paged(tuple(some), 4) for some in contents)
    first = first_pages(len(some) for some in contents)
    entries = data.draw(st.lists(st.tuples(st.integers(0, first[-1] - 1), pages), max_size=12))
    cut = data.draw(st.integers(0, len(entries)))
    numbers, written = array("I", [number for number, _ in entries]), [page for _, page in entries]
    for number, page in entries:
        at = max(at for at in range(len(contents)) if first[at] <= number)
        contents[at][number - first[at]] = page
    after = tuple(Paged(tuple(some), 4) for some in contents)
    assert plain.sum_of(after) == TEXTS[1].sum_of(after)
    for text in TEXTS:
        latest: dict[int, bytes] = {}
        changes = [
            text.changed_by(first, base, latest, numbers, written, *part) for part in ((0, cut), (cut, len(entries)))
        ]
        assert (text.sum_of(base) + sum(changes)) % 2**128 == text.sum_of(after)
        assert {number: plain.page_hash(*_place(first, number), page) for number, page in entries} == latest


def _place(first: tuple[int, ...], number: int) -> tuple[int, int]:
    at = max(at for at in range(len(first) - 1) if first[at] <= number)
    return at, number - first[at]


def test_the_compiled_text_is_the_one_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was built; else the plain one is."""
    assert hashing.IS_COMPILED
    monkeypatch.setitem(sys.modules, "phasegate.core.hashing.fast", None)
    assert not importlib.reload(hashing).IS_COMPILED
    monkeypatch.undo()
    assert importlib.reload(hashing).IS_COMPILED
