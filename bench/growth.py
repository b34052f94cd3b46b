"""How a cost grows: the exponent of the power law that fits best, by least squares on logarithms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, log
from typing import Final

from attrs import frozen

from phasegate.bench.figures import Figure

FIT_FROM: Final = 10_000  # instances: below that, what is measured is the cost of being called


@frozen
class Fit:
    """`seconds = factor * instances ** exponent`, between the smallest and the largest size that were measured."""

    exponent: float
    factor: float
    least: int
    most: int

    def at(self, instances: float) -> float:
        """Return what the law says, in seconds.

        >>> round(fitted([(1_000, 0.001), (100_000, 0.1)]).at(10_000), 6)
        0.01
        """
        return float(self.factor * instances**self.exponent)


def fitted(points: Sequence[tuple[float, float]]) -> Fit:
    """Return the law through (instances, seconds); two different sizes at least.

    >>> fit = fitted([(10, 3.0), (100, 30.0), (1000, 300.0)])
    >>> round(fit.exponent, 6), round(fit.factor, 6)
    (1.0, 0.3)
    """
    xs, ys = [log(x) for x, _ in points], [log(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    exponent = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - x_mean) ** 2 for x in xs
    )
    sizes = [int(x) for x, _ in points]
    return Fit(exponent, exp(y_mean - exponent * x_mean), min(sizes), max(sizes))


def fit_of(figures: Iterable[Figure]) -> Fit | None:
    """Return the law of these figures from `FIT_FROM` instances on; None where fewer than three sizes were measured."""
    points = [(figure.instances, figure.seconds) for figure in figures if figure.instances >= FIT_FROM]
    return fitted(points) if len(points) >= 3 else None
