"""Sizes, and the fleets that benchmarks share: one at a time in memory, everything on it measured before the next."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from phasegate.bench.begun import Begun, Scale
from phasegate.bench.clock import CPU_CLOCK
from phasegate.bench.fleets import SHAPES

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
QUICK_MOST = 10_000
MAIN = "sixty regions"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add how large fleets may be."""
    group = parser.getgroup("phasegate")
    group.addoption("--most", type=int, default=SIZES[-1], help="the largest fleet, in instances")
    group.addoption("--quick", action="store_true", help=f"fleets of {QUICK_MOST:,} at most: results, not figures")


def pytest_configure(config: pytest.Config) -> None:
    """Name our marker."""
    config.addinivalue_line(
        "markers",
        "fleets(shapes, least, most): run on a fleet of each size in the main shape (`shapes` None), or at the "
        "largest size of each shape (`all`), or of one; sizes outside least..most are left out",
    )


def most_of(config: pytest.Config) -> int:
    """Return how large fleets may be in this run."""
    most: int = config.getoption("--most")
    return min(most, QUICK_MOST) if config.getoption("--quick") else most


def scales(most: int, shapes: str | None = None, least_size: int = 0, most_size: int = SIZES[-1]) -> list[Scale]:
    """Return the fleets to run on: every size of the main shape, or other shapes at their largest ("all", or one)."""
    sizes = [size for size in SIZES if least_size <= size <= min(most, most_size)]
    if shapes is None:
        return [Scale(MAIN, size) for size in sizes]
    return [
        Scale(name, max(size for size in sizes if size <= shape.most))
        for name, shape in SHAPES.items()
        if (name == shapes or (shapes == "all" and name != MAIN)) and sizes and sizes[0] <= shape.most
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the tests marked `fleets` their fleets."""
    found: list[Scale] = []
    for marker in metafunc.definition.iter_markers("fleets"):
        options = marker.kwargs
        found += scales(
            most_of(metafunc.config), options.get("shapes"), options.get("least", 0), options.get("most", SIZES[-1])
        )
    if "begun" in metafunc.fixturenames:
        metafunc.parametrize("begun", found, ids=str, indirect=True, scope="session")
    elif "scale" in metafunc.fixturenames:
        metafunc.parametrize("scale", found, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out benchmarks that say themselves how large their fleet is (`instances`) where that is too large."""
    most = most_of(config)
    too_large = [item for item in items if isinstance(item, pytest.Function) and _instances(item) > most]
    if too_large:
        config.hook.pytest_deselected(items=too_large)
        items[:] = [item for item in items if item not in too_large]


def _instances(item: pytest.Function) -> int:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    found = parameters.get("instances", 0)
    return found if isinstance(found, int) else 0


@pytest.fixture
def benchmark(benchmark: Any, request: pytest.FixtureRequest) -> Any:
    """Return pytest-benchmark's own; with `--quick` it does once what a benchmark asks it to do several times."""
    if request.config.getoption("--quick"):
        pedantic = benchmark.pedantic

        def once(*args: Any, **options: Any) -> Any:
            return pedantic(*args, **(options | {"rounds": 1, "warmup_rounds": 0}))

        benchmark.pedantic = once
    return benchmark


@pytest.fixture(scope="session")
def begun(request: pytest.FixtureRequest) -> Iterator[Begun]:
    """Return a rollout that has begun on the fleet that the test is run on."""
    yield Begun.of(request.param)
    gc.collect()


@pytest.fixture
def is_cpu_time(request: pytest.FixtureRequest) -> bool:
    """Return whether this run is timed with the processor's clock."""
    return str(request.config.getoption("--benchmark-timer")) == CPU_CLOCK
