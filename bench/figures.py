"""What a benchmark measured, by name: noted in pytest-benchmark's own record, and read back from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import frozen

from phasegate.core.frozenmap import EMPTY

OURS: Final = "phasegate"


@frozen(kw_only=True)
class Figure:
    """One measurement: `by` did `path` on a fleet of that shape and size; `seconds` is the fastest of the rounds.

    The fastest, because everything that disturbs a measurement on a shared machine only adds to it. `numbers` is what
    else was counted or measured there: bytes, picks, changed instances.
    """

    path: str
    by: str
    shape: str
    instances: int
    seconds: float
    median: float
    rounds: int
    numbers: Mapping[str, float]


def note(benchmark: Any, path: str, by: str, shape: str, instances: int, **numbers: float) -> None:
    """Name what the benchmark measures; to be called once in each, before or after it is timed.

    A number named `seconds` is taken instead of what was timed here: of work done in another process.
    """
    benchmark.group = path
    benchmark.extra_info.update(path=path, by=by, shape=shape, instances=instances, numbers=numbers)


def read(document: Mapping[str, Any]) -> list[Figure]:
    """Return the figures in what `--benchmark-json` wrote; a benchmark that named nothing is left out."""
    return [
        Figure(
            path=info["path"],
            by=info["by"],
            shape=info["shape"],
            instances=info["instances"],
            seconds=info["numbers"].get("seconds", one["stats"]["min"]),
            median=info["numbers"].get("seconds", one["stats"]["median"]),
            rounds=one["stats"]["rounds"],
            numbers=info["numbers"],
        )
        for one in document["benchmarks"]
        if (info := one["extra_info"]).get("path")
    ]


@frozen
class Figures:
    """All figures of one run."""

    all: tuple[Figure, ...]

    def of(
        self, path: str, by: str = OURS, shape: str | None = None, numbers: Mapping[str, float] = EMPTY
    ) -> list[Figure]:
        """Return those of one path, ascending in size; with `numbers`, those that have exactly these among theirs."""
        found = (
            figure
            for figure in self.all
            if figure.path == path
            and figure.by == by
            and shape in (None, figure.shape)
            and all(figure.numbers.get(name) == number for name, number in numbers.items())
        )
        return sorted(found, key=lambda figure: figure.instances)

    def at(self, instances: int, path: str, by: str = OURS, **options: Any) -> Figure | None:
        """Return the one of that size, None if it was not measured."""
        return next((figure for figure in self.of(path, by, **options) if figure.instances == instances), None)


def in_order(names: Iterable[str]) -> list[str]:
    """Return names without repetition, in the order of their first appearance, ours first."""
    found = dict.fromkeys(names)
    return sorted(found, key=lambda name: (not name.startswith(OURS), list(found).index(name)))
