"""What the simulation does for many instances at once: the compiled text does what the plain one does."""

from __future__ import annotations

import importlib
import sys
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core import codes as c
from phasegate.core.events import What
from phasegate.core.lifecycle import Do, Life
from phasegate.core.traces import LENGTHS
from phasegate.simulating import columns
from phasegate.simulating.chance import MASK, Chance, between, draw, threshold
from phasegate.simulating.columns import plain
from phasegate.simulating.reports import Bulk, Reports, each, joined

fast = pytest.importorskip("phasegate.simulating.columns.fast")

WEB = Reports("eastus/web", What.CONFIGURED, array("I", [1, 2, 3]), 5, 2, Do.CONFIGURE, "0/eastus/web/2/configure")
times = st.integers(0, 3)
pushes = st.one_of(
    st.tuples(st.just("group"), times),
    st.tuples(st.just("rows"), st.lists(st.tuples(st.integers(0, 9), times, times, st.sampled_from([5, 6])))),
    st.tuples(st.just("take"), times),
)


@given(st.lists(pushes, max_size=30))
def test_reports_are_delivered_by_time_and_then_as_they_were_sent(happenings: list[Any]) -> None:
    """Two queues, pushed to and taken from in turn, hold and give the same; rows are groups again."""
    queues = [plain.Queue(), fast.Queue()]
    pushed = 0
    for kind, what in happenings:
        if kind == "take":
            taken = [queue.take(what) for queue in queues]
            assert taken[0] == taken[1]
            assert all(time is None or time > what for time in (queue.next_time() for queue in queues))
            continue
        base = Reports(f"eastus/s{pushed}", What.CONFIGURED, array("I", [pushed]), 0, 1, Do.CONFIGURE, "id")
        pushed += 1
        for queue in queues:
            if kind == "group":
                queue.push(what, base)
            else:
                slots, due, observed, said = zip(*what, strict=True) if what else ((), (), (), ())
                queue.push_rows(base, array("I", slots), array("q", due), array("q", observed), bytes(said))
        assert (len(queues[0]), queues[0].next_time()) == (len(queues[1]), queues[1].next_time())
    assert queues[0].take(3) == queues[1].take(3)
    assert (0, 0) == (len(queues[0]), len(queues[1]))


@pytest.mark.parametrize("queue", [plain.Queue, fast.Queue])
def test_rows_that_say_the_same_are_one_group_again(queue: Any) -> None:
    """Those of one push, due and observed at one time; others stay apart, in the order in which they first came."""
    waiting = queue()
    slots, due, observed = array("I", [1, 2, 3, 4]), array("q", [8, 8, 9, 8]), array("q", [7, 6, 7, 7])
    waiting.push_rows(
        WEB, slots, due, observed, bytes((What.CONFIGURED, What.FAILED, What.CONFIGURED, What.CONFIGURED))
    )
    waiting.push(8, WEB)
    assert (5, 8) == (len(waiting), waiting.next_time())
    first, second, third = waiting.take(8)
    assert (array("I", [1, 4]), What.CONFIGURED, 7, WEB.command) == (
        first.slots,
        first.what,
        first.observed_at,
        first.command,
    )
    assert (array("I", [2]), What.FAILED, 6, WEB) == (second.slots, second.what, second.observed_at, third)
    assert (9, [array("I", [3])]) == (waiting.next_time(), [group.slots for group in waiting.take(10)])
    assert (0, None) == (len(waiting), waiting.next_time())


slots = st.lists(st.integers(0, 99), max_size=4)
records = st.one_of(
    st.tuples(st.just(c.T_BECAME), st.integers(0, 9), st.integers(0, 10), st.integers(0, 7), slots),
    st.tuples(st.just(c.T_IGNORED), st.integers(0, 9), st.integers(0, 8), st.integers(1, 4), slots),
    st.tuples(st.just(c.T_STARTED), st.integers(0, 9), st.integers(0, 9), slots),
    st.sampled_from(sorted(LENGTHS)).map(lambda operation: (operation, *[7] * (LENGTHS[operation] - 1))),
)


@pytest.mark.parametrize("text", [plain, fast])
def test_what_a_trace_is_answered_by_hand(text: Any) -> None:
    """Who has entered a state in which it does something says so once its span is over; those of one time together."""
    told = [
        (c.T_STARTED, 0, 0, 2, 70, 71),
        (c.T_BECAME, 0, Life.REPLACING, c.BY_BATCH, 2, 70, 71),
        (c.T_ARMED, 0, 0),
        (c.T_BECAME, 1, Life.CONFIGURING, c.BY_SIGNAL, 1, 80),
        (c.T_IGNORED, 1, What.HEALTHY, c.STALE, 1, 80),
        (c.T_BECAME, 1, Life.UPGRADED, c.BY_SIGNAL, 1, 81),
        (c.T_BECAME, 2, Life.VERIFYING, c.BY_SIGNAL, 1, 90),
        (c.T_BECAME, 0, Life.RESTORED, c.BY_SIGNAL, 2, 72, 73),
        (c.T_BECAME, 0, Life.FAILED, c.BY_DEADLINE, 1, 74),
    ]
    trace = array("i", [number for record in told for number in record])
    about = [(4, 9), (4, 9), (5, 2), (5, 2), (5, 2), (6, 3), (4, 9), (4, 9)]  # rollout and attempt of each with slots
    moments = array("i", [number for rollout, attempt in about for number in (rollout, attempt, 1)])
    replaced, configured, healthy = What.DISK_REPLACED, What.CONFIGURED, What.HEALTHY
    at_1060 = (
        array("i", (0, 4, 2, 2, 6, 1, 0, 4, 2)),
        array("I", (70, 71, 90, 72, 73)),
        bytes((replaced, replaced, healthy, healthy, healthy)),
        array("I", (9, 9, 0, 0, 0)),  # health answers nothing
        bytes((Do.REPLACE, Do.REPLACE, 0, 0, 0)),
    )
    at_1005 = array("i", (1, 5, 1)), array("I", (80,)), bytes((configured,)), array("I", (2,)), bytes((Do.CONFIGURE,))
    assert [(1060, *at_1060), (1005, *at_1005)] == text.replies(trace, moments, 1000, (60, 5, 60))
    assert 4 == text.arrived(trace)


@given(st.lists(records, max_size=20), st.integers(0, 2**40), st.tuples(*[st.sampled_from([0, 5, 7])] * 3))
def test_what_a_trace_is_answered_is_the_same(told: list[Any], now: int, spans: Any) -> None:
    """Both texts find the same reports, those of one time together, each a row of a group of one set."""
    trace, moments = array("i"), array("i")
    for record in told:
        about = isinstance(record[-1], list)
        trace.extend((*record[:-1], len(record[-1]), *record[-1]) if about else record)
        moments.extend((len(moments), len(moments) + 1, len(moments) + 2) if about else ())
    found = [text.replies(trace, moments, now, spans) for text in (plain, fast)]
    assert found[0] == found[1]
    assert plain.arrived(trace) == fast.arrived(trace)
    assert len({due for due, *_ in found[0]}) == len(found[0])
    answering = (Life.REPLACING, Life.CONFIGURING, Life.VERIFYING, Life.RESTORED)
    entered = [record for record in told if record[0] == c.T_BECAME and record[2] in answering]
    assert sum(len(record[4]) for record in entered) == sum(len(rows) for _, _, rows, *_ in found[1])
    assert len(entered) == sum(len(groups) // 3 for _, groups, *_ in found[1])


def test_reports_in_bulk_are_the_groups_that_they_hold() -> None:
    """One after the other with what they answer, and joined with others in their order."""
    groups = array("i", (1, 0, 2, 0, 3, 1))
    bulk = Bulk(
        ("a/x", "a/y"), groups, array("I", (4, 5, 9)), bytes((5, 5, 0)), array("I", (2, 2, 0)), bytes((2, 2, 0)), 7
    )
    configured = Reports("a/y", What.CONFIGURED, array("I", (4, 5)), 7, 2, Do.CONFIGURE, "0/a/y/2/configure")
    healthy = Reports("a/x", What.HEALTHY, array("I", (9,)), 7)
    assert [configured, healthy] == list(bulk)
    assert [WEB, configured, healthy] == list(each([WEB, bulk]))
    one, other = joined([WEB, bulk], 8), joined([WEB, configured, healthy], 8)
    for column in ("slots", "what", "observed_at", "attempt", "answers", "now"):
        assert getattr(one, column) == getattr(other, column)


@pytest.mark.parametrize("text", [plain, fast])
@pytest.mark.parametrize(("late_at", "due"), [(0, 1005), (1005, 1005), (2000, 2000)])
def test_certain_draws_by_hand(text: Any, late_at: int, due: int) -> None:
    """What always fails, is always late and always comes twice; never before it was observed."""
    certain = {"fails_below": 2**64, "late_below": 2**64, "late_at": late_at, "twice_below": 2**64, "stray_ms": 0}
    twice = array("I", [0, 0, 1, 1]), array("q", [due] * 4), array("q", [1005] * 4), b"\1\1\1\1"
    assert twice == text.drawn(array("Q", [3, MASK]), 0, (5, 5), 1000, **certain)
    never = {**certain, "fails_below": 0, "late_below": 0, "twice_below": 0}
    once = array("I", [0, 1]), array("q", [1005] * 2), array("q", [1005] * 2), b"\0\0"
    assert once == text.drawn(array("Q", [3, MASK]), 0, (5, 5), 1000, **never)


@pytest.mark.parametrize("text", [plain, fast])
@pytest.mark.parametrize("occasion", [3, 3 + 2**64])
def test_draws_are_pinned(text: Any, occasion: int) -> None:
    """A seed gives the reports that it always gave: of four, two are late, one comes twice, two fail."""
    lucks = array("Q", [Chance(7).of(f"eastus/web/{number}") for number in range(4)])
    half = dict.fromkeys(("fails_below", "late_below", "twice_below"), 2**63)
    assert (
        array("I", [0, 0, 1, 2, 3]),
        array("q", [90_245, 90_360, 90_208, 52_046, 52_597]),
        array("q", [56_764, 56_764, 51_308, 52_046, 52_597]),
        b"\0\0\0\1\1",
    ) == text.drawn(lucks, occasion, (1000, 9000), 50_000, late_at=90_000, stray_ms=500, **half)


rates = st.sampled_from([0.0, 0.1, 0.5, 1.0]).map(threshold)


@given(
    st.lists(st.integers(0, MASK), max_size=20),
    st.integers(0, 2**70),
    st.tuples(st.integers(0, 2**53), st.integers(0, 2**53)).map(sorted).map(tuple),
    st.integers(0, 2**53),
    rates,
    rates,
    rates,
)
def test_draws_are_the_same(
    lucks: list[int], occasion: int, span: Any, now: int, fails: int, late: int, twice: int
) -> None:
    """Whatever the luck; and a certain report is observed when `between` and `draw` say."""
    options = {"fails_below": fails, "late_below": late, "late_at": now + 9, "twice_below": twice, "stray_ms": 60_000}
    ways = [text.drawn(array("Q", lucks), occasion, span, now, **options) for text in (plain, fast)]
    assert ways[0] == ways[1]
    at, _, observed, _ = ways[1]
    assert [now + between(*span, draw(lucks[row], 0, occasion)) for row in at] == list(observed)


@pytest.mark.parametrize("text", [plain, fast])
@pytest.mark.parametrize(
    ("slots", "values", "wanted"),
    [([], b"", b"abc"), ([1], b"x", b"axc"), ([5, 0, 5], b"xyz", b"ybc\0\0z")],
)
def test_bytes_are_set_by_hand(text: Any, slots: list[int], values: bytes, wanted: bytes) -> None:
    """The last one said counts, and what lies between is zero."""
    column = bytearray(b"abc")
    text.set_at(column, array("I", slots), values)
    assert wanted == column


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 255)), max_size=20))
def test_bytes_are_set_at_slots(values: list[tuple[int, int]]) -> None:
    """The column grows where it is too short."""
    found = [bytearray(b"abc"), bytearray(b"abc")]
    for text, column in zip((plain, fast), found, strict=True):
        text.set_at(column, array("I", [slot for slot, _ in values]), bytes(value for _, value in values))
    wanted = dict(enumerate(b"abc")) | dict(values)
    assert found[0] == found[1] == bytes(wanted.get(slot, 0) for slot in range(max(wanted) + 1))


def test_the_compiled_text_is_the_one_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was built; else the plain one is."""
    assert columns.IS_COMPILED
    monkeypatch.setitem(sys.modules, "phasegate.simulating.columns.fast", None)
    assert not importlib.reload(columns).IS_COMPILED
    monkeypatch.undo()
    assert importlib.reload(columns).IS_COMPILED
