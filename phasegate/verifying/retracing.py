"""The acts of an exploration on the fleet as it is.

Under symmetry an explorer's keys stand for all their images, and its acts are on images too. From one key to the next
the acts are found once more, on the fleet itself; so they need no names in common with the explorer that found the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phasegate.core.exploring.twin import Explorer as Twin
from phasegate.core.exploring.twin import Move
from phasegate.verifying.explorers import Explorer


class Divergence(AssertionError):
    """The engine and an explorer make different states of the same event."""


def on_the_fleet(twin: Twin, keys: Sequence[Any]) -> list[Move]:
    """Return the acts along these keys, one after the other, on the fleet as it is; leave its beginning laid open.

    The first of the keys is what comes of the first act. `twin` is new: its arena still holds the beginning.
    """
    real = twin.saved()
    found: list[Move] = []
    for key in keys:
        here = twin.saved()
        for move in list(twin.moves()):
            if twin.happen(move) and twin.read() == key:
                found.append(move)
                twin.open.settle_times()
                break
            twin.restore(here)
        else:
            raise Divergence("no act leads to the next state of a trace")
    twin.restore(real)
    return found


def plain(explorer: Explorer) -> Twin:
    """Return a plain explorer of the same subject, laid open at the beginning of the fleet as it is."""
    twin = Twin(explorer.subject, is_symmetric=explorer.is_symmetric)
    twin.open.settle_times()
    return twin


def keys_to(twin: Twin, moves: Sequence[Move]) -> list[Any]:
    """Return the keys along a trace of an explorer of the same subject; leave the beginning laid open."""
    real, keys = twin.saved(), []
    twin.write(twin.first)
    for move in moves:
        if not twin.happen(move):
            raise Divergence(f"{move} is not possible")
        twin.open.settle_times()
        keys.append(twin.read())
    twin.restore(real)
    return keys


def breaking_act(twin: Twin, promise: int) -> Move:
    """Return the act in the state that is laid open by which the promise is broken."""
    here = twin.saved()
    for move in list(twin.moves()):
        broken = twin.judge.before(move)
        could = twin.happen(move)
        broken = broken or (twin.judge.after(move) if could else 0)
        twin.restore(here)
        if broken == promise:
            return move
    raise Divergence(f"no act breaks promise {promise} at the end of its trace")
