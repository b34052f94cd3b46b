"""The images of a key under the symmetries of a fleet, worked out beside the explorer."""

from __future__ import annotations

import random
from collections import Counter
from math import factorial, prod
from typing import Any

Key = tuple[Any, ...]


def moved(key: Key, one: Any) -> Key:
    """Return where a symmetry takes a key: buckets, what they carry, and sets change places; holds are renamed."""
    records, begun, sets, *rest = key
    there_records, there_begun, there_sets = list(records), list(begun), list(sets)
    for bucket, to in enumerate(one.bucket):
        there_records[to], there_begun[to] = records[bucket], begun[bucket]
    for at, to in enumerate(one.set):
        hold, record = sets[at]
        there_sets[to] = (one.cell[hold] if hold >= 0 else hold, record)
    return (tuple(there_records), tuple(there_begun), tuple(there_sets), *rest)


def in_order(key: Key) -> Key:
    """Return the key with the instances of each bucket in order."""
    return (tuple(tuple(sorted(run)) for run in key[0]), *key[1:])


def canonical(key: Key, group: tuple[Any, ...]) -> Key:
    """Return the least image of a key."""
    return min(moved(in_order(key), one) for one in group)


def orbit_size(key: Key, group: tuple[Any, ...]) -> int:
    """Return how many keys are images of this one: different places of its buckets, times orders within each."""
    places = {moved(in_order(key), one) for one in group}
    orders = prod(factorial(len(run)) // prod(map(factorial, Counter(run).values())) for run in key[0])
    return len(places) * orders


def shuffled(key: Key, group: tuple[Any, ...], chance: random.Random) -> Key:
    """Return an image of the key under a random symmetry and random permutations within each bucket."""
    records, *rest = key
    runs = tuple(tuple(chance.sample(run, len(run))) for run in records)
    return moved((runs, *rest), chance.choice(group))
