"""Pages, and the logs by which many states share them."""

from __future__ import annotations

import pickle
from array import array
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import phasegate as pg
from phasegate.core import codes as c
from phasegate.core import kernels, snapshot, workspace
from phasegate.core.columns import BY_NAME, COLUMNS, MARKS_FAN, PAGE_ROWS, TABLES, marks_for
from phasegate.core.pages import Paged, first_pages, merged
from phasegate.core.snapshot import Snapshot
from phasegate.core.twin import Copier as Twin
from phasegate.core.workspace import MARKED, Workspace

COPIERS = [Twin, kernels.copier_beside(kernels.default_kernel())]


class Writing:
    """Columns of a few pages each, written here and there, with a copier beside them."""

    def __init__(self, copier: Any, chance: Random) -> None:
        self.chance = chance
        pages = {table: chance.choice((1, 2, 70, 130)) if table in MARKED else chance.randint(1, 2) for table in TABLES}
        self.flat = {column.name: bytearray(pages[column.table] * column.page_bytes) for column in COLUMNS}
        self.dirty = {table: marks_for(pages[table]) for table in MARKED}
        self.pages = pages
        self.copier = copier(self.flat, self.dirty)

    def whole(self) -> tuple[Paged, ...]:
        """Return what is written, cut into pages."""
        return tuple(Paged.of(self.flat[column.name], column.page_bytes) for column in COLUMNS)

    def write(self, times: int) -> None:
        """Write somewhere, and mark it as a kernel would."""
        for _ in range(times):
            column = self.chance.choice(COLUMNS)
            at = self.chance.randrange(len(self.flat[column.name]))
            self.flat[column.name][at] = self.chance.randrange(256)
            if column.table in self.dirty:
                page = at // column.page_bytes
                self.dirty[column.table][page] |= column.mark
                self.dirty[column.table][self.pages[column.table] + page // MARKS_FAN] = 1


def test_equal_pages_side_by_side_are_one_object() -> None:
    """Columns of one content share; the pages that differ are told by identity alone, and the last is padded."""
    old = Paged.of(bytes(300), 100)
    new = old.replaced({2: b"x" * 100})
    assert (3, True, [2], []) == (
        old.page_count,
        old.page(0) is old.page(1),
        [*new.differing(old)],
        [*old.differing(old)],
    )
    assert (5, old) == (old.lengthened(5).page_count, old.lengthened(3))
    assert bytes(50) == Paged.of(b"\1" * 50, 100).page(0)[50:]
    assert pickle.loads(pickle.dumps(new)) == new != old


def test_the_last_page_said_of_a_number_counts() -> None:
    """Pages are numbered through all columns, one column after the other."""
    columns = (Paged.of(bytes(4), 2), Paged.of(bytes(4), 4))
    new = merged(columns, [0, 2, 0], [b"ab", b"cdef", b"gh"])
    assert ((0, 2, 3), [b"gh\0\0", b"cdef"]) == (first_pages((2, 1)), [bytes(column.flat()) for column in new])
    assert merged(columns, [], []) == columns


@pytest.mark.parametrize("copier", COPIERS)
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from((1, 40, 10_000)))
def test_every_snapshot_stays_what_was_written_when_it_was_taken(copier: Any, seed: int, pages_max: int) -> None:
    """Whatever is written later, and wherever one goes on from; and its digest is that of its pages alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "LOG_PAGES_MIN", pages_max)
        patch.setattr(snapshot, "LOG_SHARE", 10_000)
        writing = Writing(copier, Random(seed))
        known = [(Snapshot.of(writing.whole()), writing.whole())]
        here = known[0][0]
        for _ in range(12):
            if writing.chance.random() < 0.3:
                back = writing.chance.choice(known)[0]
                stale = [*back.differing(here, writing.copier).union(writing.copier.changed())]
                writing.copier.put(stale, back.pages(stale, writing.copier))
                here = back
                assert writing.whole() == here.columns
            writing.write(writing.chance.randint(0, 12))
            here = here.followed(writing.copier)
            assert [] == writing.copier.changed()
            known.append((here, writing.whole()))
            if writing.chance.random() < 0.5:
                assert Snapshot.of(writing.whole()).digest == here.digest
        writing.chance.shuffle(known)
        for some, whole in known:
            assert whole == some.columns
            assert Snapshot.of(whole).digest == some.digest
            assert pickle.loads(pickle.dumps(some)) == some == Snapshot.of(whole)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_both_copiers_find_the_same_pages(seed: int) -> None:
    """Those that are marked, and those of small tables that have changed; each once."""
    found = []
    for copier in COPIERS:
        writing = Writing(copier, Random(seed))
        writing.write(30)
        numbers, pages = array("I"), list[bytes]()
        writing.copier.take(numbers, pages)
        whole = writing.copier.merged(writing.whole(), numbers, [page[::-1] for page in pages])
        found.append((sorted(zip(numbers, pages, strict=True)), whole))
        assert len(set(numbers)) == len(numbers)
        assert {0} == {mark for marks in writing.dirty.values() for mark in marks}
    assert found[0] == found[1]


def test_a_page_of_another_size_is_refused() -> None:
    """The compiled copier does not write over what lies behind a page."""
    compiled = pytest.importorskip("phasegate.core.copier", reason="no C compiler was at hand")
    with pytest.raises(ValueError, match=f"page 0 is not of {COLUMNS[0].page_bytes} bytes"):
        Writing(compiled.Copier, Random(0)).copier.put([0], [b"x"])


def test_a_changed_page_somewhere_else_gives_another_digest() -> None:
    """The same page in the place of its neighbour, or of the same place in another column, is not the same state."""
    columns = tuple(Paged.of(bytes(2 * 8), 8) for _ in range(2))
    changed = {Snapshot.of(merged(columns, [number], [b"12345678"])).digest for number in range(4)}
    assert 4 == len(changed | {Snapshot.of(columns).digest}) - 1


def test_every_column_of_a_large_table_has_a_mark() -> None:
    """In a byte; columns that share one are always written together. Small tables are compared instead."""
    for table in TABLES:
        marks = [column.mark for column in COLUMNS if column.table == table]
        assert (table in MARKED) == all(marks)
        assert all(0 <= mark < 256 and mark.bit_count() <= 1 for mark in marks)
    assert c.WROTE_LIFE == BY_NAME["life"].mark
    assert {"instance", "order", "bucket", "set"} == set(MARKED) < set(PAGE_ROWS)


class Failing(Twin):
    """A copier that runs out of memory once it has appended a number."""

    fails = False

    def take(self, numbers: array[int], pages: list[bytes]) -> None:
        """Fail half way if that is wanted."""
        if self.fails:
            numbers.append(0)
            raise MemoryError
        super().take(numbers, pages)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 80), st.sets(st.integers(0, 50), max_size=70))
def test_the_latest_entry_of_a_number_is_found(numbers: list[int], size: int, wanted: set[int]) -> None:
    """Among the first so many entries; both copiers say the same."""
    column, order = array("I", numbers), sorted(wanted)
    first = {number: max((e for e, n in enumerate(numbers[:size]) if n == number), default=-1) for number in order}
    for copier in COPIERS:
        assert [*first.values()] == Writing(copier, Random(0)).copier.latest(column, size, order)


def test_columns_of_another_length_are_not_compared() -> None:
    """By the compiled copier either."""
    for copier in COPIERS:
        writing = Writing(copier, Random(0))
        columns = writing.whole()
        longer = (columns[0].lengthened(1000), *columns[1:])
        with pytest.raises(ValueError, match=r"length|shorter|longer"):
            writing.copier.differing(columns, longer)


def test_what_could_not_be_published_was_never_there() -> None:
    """The state before stays what it was, one can go on from it, and the workspace takes it up anew."""
    engine = pg.Engine(pg.Fleet(regions=[pg.Region("a")]), pg.policies.availability_first())
    state = engine.initial(0)
    workspace = Workspace(Failing)
    assert "new" == workspace.take_up(state)
    workspace.flat["sums"][0] = 1
    workspace.copier.fails = True
    with pytest.raises(MemoryError):
        workspace.publish()
    assert "new" == workspace.take_up(state)
    assert state.snapshot == workspace.publish() == engine.initial(0).snapshot
    workspace.flat["sums"][0] = 2
    assert [] != sorted(workspace.publish().differing(state.snapshot, workspace.copier))


def test_a_workspace_publishes_only_what_it_has_taken_up() -> None:
    """Before that there is nothing to publish."""
    with pytest.raises(AssertionError, match="after it has taken up a state"):
        Workspace(Twin).publish()
    with pytest.raises(AssertionError, match="tells the time after it has taken up a state"):
        _ = Workspace(Twin).now


def test_large_columns_lie_in_memory_of_their_own(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever memory a column lies in, what is published from it is the same."""
    image = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
    fleet = pg.Fleet(
        regions=[pg.Region("r")],
        images=[pg.Image(image, [pg.ImageVersion("1.0"), pg.ImageVersion("2.0")])],
        sets=[pg.ScaleSet(name="s", region="r", image=image, instances=9)],
    )

    def started() -> pg.State:
        engine = pg.Engine(fleet, pg.policies.availability_first(delays=False), kernel=kernel)
        state = engine.start(image.name, now=0)
        return engine.step(state, pg.Start(engine.select(state), 0)).state

    small = started()
    monkeypatch.setattr(workspace, "HUGE_FROM_BYTES", 1)
    assert small == started()


def test_a_snapshot_is_equal_to_snapshots_alone() -> None:
    """To nothing else, whatever it holds."""
    one = Snapshot.of(Writing(Twin, Random(1)).whole())
    assert one != 1
    assert one == Snapshot.of(Writing(Twin, Random(1)).whole())
