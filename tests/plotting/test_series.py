"""Steps, spans and counts over time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from phasegate.plotting.series import Counts, Spans, Steps

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], sum(pair))))
RECORDS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=40)


def steps_of(records: list[tuple[int, int]], whole: int = 10) -> Steps:
    """Return the steps of (time since the last one, count)."""
    steps, now = Steps(), 0
    for wait, count in records:
        now += wait
        steps.record(now, count, whole)
    return steps


def covered(spans: list[tuple[int, int]]) -> set[int]:
    """Return the instants within spans."""
    return {at for start, end in spans for at in range(start, end)}


@given(RECORDS)
def test_the_most_is_the_highest_count_ever_recorded(records: list[tuple[int, int]]) -> None:
    """A count that is corrected within its instant still was."""
    assert steps_of(records).most == max((count for _, count in records), default=0)


@given(RECORDS)
def test_a_peak_is_the_highest_share_for_the_first_time(records: list[tuple[int, int]]) -> None:
    """Against the plain definition, over one whole."""
    steps = steps_of(records)
    best = max(steps.high, default=0)
    expected = (steps.at[list(steps.high).index(best)], best, 10) if len(steps) else (0, 0, 0)
    assert expected == steps.peak


def test_a_peak_compares_shares_and_passes_over_an_empty_whole() -> None:
    """2 of 4 is more than 3 of 9; 0 of 0 is nothing."""
    steps = Steps()
    for now, count, whole in ((0, 0, 0), (1, 3, 9), (2, 2, 4), (3, 5, 10)):
        steps.record(now, count, whole)
    assert steps.peak == (2, 2, 4)


def test_an_outline_is_exact_while_there_is_room() -> None:
    """Every step is two corners, a peak within an instant a spike, and the last level goes on to the end."""
    steps = steps_of([(0, 0), (10, 4), (0, 2), (10, 2), (10, 0)])
    expected = ([0, 10, 10, 10, 20, 30, 30, 40], [0.0, 0.0, 40.0, 20.0, 20.0, 20.0, 0.0, 0.0])
    assert expected == steps.outline(0, 40, 10)


def test_a_coarse_outline_holds_its_level_where_nothing_changes() -> None:
    """Spans without a step go on with the last one's end."""
    steps = steps_of([(0, 1), (1, 5), (1, 2), (97, 3)])
    expected = ([0, 33, 33, 66, 66, 100], [50.0, 50.0, 20.0, 20.0, 30.0, 30.0])
    assert expected == steps.outline(0, 100, 3)


def test_an_outline_of_nothing_is_empty() -> None:
    """No point at all."""
    assert Steps().outline(0, 10, 5) == ([], [])


@given(RECORDS.filter(lambda records: len(records) > 6), st.integers(1, 4))
def test_a_coarse_outline_is_never_below_the_exact_one(records: list[tuple[int, int]], bins: int) -> None:
    """In each of the equal spans it is the highest that held there, and the peak of all is kept."""
    steps = steps_of(records)
    end = steps.at[-1] + 1
    xs, ys = steps.outline(0, end, bins)
    if len(steps) > bins:
        for place in range(bins):
            held = [
                100 * count / 10 for at, count in zip(steps.at, steps.count, strict=True) if at * bins // end < place
            ]
            inside = [
                100 * high / 10 for at, high in zip(steps.at, steps.high, strict=True) if at * bins // end == place
            ]
            assert max([*held[-1:], *inside, 0.0]) == ys[2 * place] == ys[2 * place + 1]
    assert xs == sorted(xs)
    assert max(ys) == 10 * steps.most


@given(SPANS, st.integers(0, 5))
def test_a_union_covers_what_its_spans_cover_and_closes_small_gaps(spans: list[tuple[int, int]], gap: int) -> None:
    """Its spans are in order and lie further than the gap apart."""
    union = list(Spans.union(spans, gap))
    assert all(start - end > gap for (_, end), (start, _) in pairwise(union))
    assert covered(spans) <= covered(union)
    if gap == 0:
        assert covered(spans) == covered(union)


def test_a_span_that_ends_and_begins_in_one_instant_is_one_span() -> None:
    """A batch that follows at once is no gap."""
    spans = Spans()
    spans.open(5)
    spans.close(9)
    spans.open(9)
    assert spans.is_open
    spans.close(12)
    spans.close(40)
    assert (list(spans), spans.is_open, len(spans)) == ([(5, 12)], False, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5))), st.integers(0, 12))
def test_clusters_keep_the_number_and_the_order(events: list[tuple[int, int]], gap: int) -> None:
    """Whatever the gap, nothing is lost, and clusters are in order."""
    counts, now = Counts(), 0
    for wait, count in events:
        now += wait
        counts.add(now, count)
    clusters = list(counts.clusters(gap))
    assert sum(count for _, count in events) == counts.total == sum(count for _, count in clusters)
    assert clusters == sorted(clusters)
    assert len(clusters) <= len(counts)
