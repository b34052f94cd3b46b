"""A persistent sequence: setting one item copies two short tuples and shares the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")
_FAN = 256


class Vector(Sequence[T], Generic[T]):
    """An immutable sequence with cheap `replaced`.

    >>> old = Vector.filled("-", 3)
    >>> new = old.replaced(1, "x")
    >>> list(new), list(old)
    (['-', 'x', '-'], ['-', '-', '-'])
    """

    __slots__ = ("_length", "_nodes")

    def __init__(self, nodes: tuple[tuple[T, ...], ...], length: int) -> None:
        self._nodes = nodes
        self._length = length

    @classmethod
    def filled(cls, item: T, length: int) -> Vector[T]:
        """Return `length` times the same item."""
        node = (item,) * _FAN
        return cls((node,) * -(-length // _FAN), length)

    def replaced(self, at: int, item: T) -> Vector[T]:
        """Return the sequence with another item at `at`."""
        node, inside = divmod(range(self._length)[at], _FAN)
        old = self._nodes[node]
        new = (*old[:inside], item, *old[inside + 1 :])
        return Vector((*self._nodes[:node], new, *self._nodes[node + 1 :]), self._length)

    def replaced_all(self, items: Mapping[int, T]) -> Vector[T]:
        """Return the sequence with other items at some places.

        >>> list(Vector.filled("-", 3).replaced_all({2: "x", 0: "y"}))
        ['y', '-', 'x']
        """
        nodes = list(self._nodes)
        by_node: dict[int, dict[int, T]] = {}
        for at, item in items.items():
            node, inside = divmod(range(self._length)[at], _FAN)
            by_node.setdefault(node, {})[inside] = item
        for node, some in by_node.items():
            new = list(nodes[node])
            for inside, item in some.items():
                new[inside] = item
            nodes[node] = tuple(new)
        return Vector(tuple(nodes), self._length)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        if isinstance(at, slice):
            return [self[i] for i in range(self._length)[at]]
        node, inside = divmod(range(self._length)[at], _FAN)
        return self._nodes[node][inside]

    def __iter__(self) -> Iterator[T]:
        return (self[at] for at in range(self._length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and self._length == other._length and self._nodes == other._nodes

    __hash__ = None  # type: ignore[assignment]  # equal by content; nobody hashes it

    def __reduce__(self) -> tuple[type[Vector[T]], tuple[tuple[tuple[T, ...], ...], int]]:
        return Vector, (self._nodes, self._length)
