"""What the machine allows: the time to read the bytes that a decision rests on once, and to copy them.

Measured in the same run with the fastest loops at hand (numpy's sum over 64-bit words, and memcpy), so that our
distance to the floor means something on any machine. A selection that need not look at every byte can be below it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from phasegate.bench.begun import Begun
from phasegate.bench.figures import note
from phasegate.bench.flapping import FEW, Flapping, Wandering, spread
from phasegate.core.columns import COLUMNS

LINE_BYTES = 64
TOUCHED_BY_REPORT = ("life", "bucket", "observed", "site", "wait", "tally", "link")
READ_BY_SELECTION = ("life", "wait", "site", "status", "mark", "option", "percent", "tally", "link")
FLOOR = "floor"


@pytest.mark.fleets(least=100_000)
@pytest.mark.parametrize("what", ["read", "copy"])
def test_bytes_of_a_selection(benchmark: Any, begun: Begun, what: str) -> None:
    """The columns that a full selection looks at."""
    columns = [np.frombuffer(bytes(begun.state.column(name).flat()), np.uint8) for name in READ_BY_SELECTION]
    words = np.concatenate([column[: len(column) // 8 * 8] for column in columns]).view(np.uint64)
    room = np.empty_like(words)
    assert int(words.sum()) == int(words[::2].sum()) + int(words[1::2].sum()) - 2**64 * (
        int(words[::2].sum()) + int(words[1::2].sum()) >= 2**64
    )
    np.copyto(room, words)
    assert np.array_equal(room, words)
    note(
        benchmark,
        f"{what} the bytes of a selection",
        FLOOR,
        begun.scale.shape,
        begun.scale.instances,
        bytes=words.nbytes,
    )
    if what == "read":
        benchmark(words.sum)
    else:
        benchmark(np.copyto, room, words)


@pytest.mark.fleets(least=100_000)
def test_pages_of_a_step(benchmark: Any, begun: Begun) -> None:
    """The pages in which the state after a hundred changes differs from the one before, as if they lay together."""
    flap = Flapping(begun.engine, begun.started, spread(begun.started, FEW))
    flap()
    before = flap.state
    flap()
    pages = [
        new.page(number)
        for column, new, old in zip(COLUMNS, flap.state.columns, before.columns, strict=True)
        for number in new.differing(old)
    ]
    assert len(pages) >= FEW
    together = np.frombuffer(b"".join(pages), np.uint8)
    room = np.empty_like(together)
    np.copyto(room, together)
    assert np.array_equal(room, together)
    note(
        benchmark,
        "copy the bytes of a step",
        FLOOR,
        begun.scale.shape,
        begun.scale.instances,
        bytes=together.nbytes,
    )
    benchmark(np.copyto, room, together)


@pytest.mark.fleets(least=100_000)
def test_lines_of_a_step(benchmark: Any, begun: Begun) -> None:
    """As many cache lines as a step after a hundred changes elsewhere cannot but read, anywhere in the same columns.

    A row of each column that a report touches, and the rest of each page that is copied because of it. Not counted: the
    lines that the copies are written to, and the objects that they are.
    """
    wander = Wandering(begun.engine, begun.started, FEW)
    wander.check()
    before = wander.state
    wander()
    pages = [
        (column.page_bytes, number)
        for column, new, old in zip(COLUMNS, wander.state.columns, before.columns, strict=True)
        for number in new.differing(old)
    ]
    rows = len(TOUCHED_BY_REPORT) * FEW
    lines = rows + sum(max(0, -(-page_bytes // LINE_BYTES) - 1) for page_bytes, _ in pages)
    columns = [np.frombuffer(bytes(begun.state.column(name).flat()), np.uint8) for name in TOUCHED_BY_REPORT]
    memory = np.concatenate(columns)
    memory = memory[: len(memory) // LINE_BYTES * LINE_BYTES].view(np.uint64)
    random = np.random.default_rng(1)
    turns = [random.integers(len(memory), size=lines) for _ in range(Wandering.TURNS // 4)]
    room, turn = np.empty(lines, np.uint64), iter(range(2**62))
    assert rows < lines < 20 * FEW

    def touch() -> Any:
        return memory.take(turns[next(turn) % len(turns)], out=room, mode="clip")

    assert np.array_equal(touch(), memory[turns[0]])
    note(
        benchmark,
        "touch the lines of a step",
        FLOOR,
        begun.scale.shape,
        begun.scale.instances,
        bytes=lines * LINE_BYTES,
    )
    benchmark(touch)
