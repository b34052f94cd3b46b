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
    """Return the figures in what `--benchmark-json` wrote; a benchmark that noted nothing goes by its own name."""
    found = []
    for one in document["benchmarks"]:
        named = one["extra_info"] if "path" in one["extra_info"] else _by_its_name(one["name"], one["params"] or {})
        seconds = named["numbers"].get("seconds")
        found.append(
            Figure(
                path=named["path"],
                by=named["by"],
                shape=named["shape"],
                instances=named["instances"],
                seconds=one["stats"]["min"] if seconds is None else seconds,
                median=one["stats"]["median"] if seconds is None else seconds,
                rounds=one["stats"]["rounds"],
                numbers=named["numbers"],
            )
        )
    return found


def _by_its_name(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a test is called: its name in words, then its parameters that are words or true; numbers apart.

    >>> _by_its_name("test_load[json-10]", {"ending": "json", "instances": 10, "size": 5, "is_logged": True})["path"]
    'load, json, is logged'
    """
    words = [name.partition("[")[0].removeprefix("test_")]
    words += [value for value in parameters.values() if isinstance(value, str)]
    words += [name for name, value in parameters.items() if value is True]
    numbers = {name: value for name, value in parameters.items() if type(value) in (int, float)}
    return {
        "path": ", ".join(words).replace("_", " "),
        "by": OURS,
        "shape": "",
        "instances": numbers.pop("instances", 0),
        "numbers": numbers,
    }


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
