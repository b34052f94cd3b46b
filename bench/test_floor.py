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
from phasegate.bench.flapping import FEW, Flapping, spread
from phasegate.core.columns import COLUMNS

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
