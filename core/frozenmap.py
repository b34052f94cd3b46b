"""A small immutable mapping that can be hashed, compared and pickled; insertion order does not matter to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

K = TypeVar("K")
V_co = TypeVar("V_co", covariant=True)
D = TypeVar("D")


class FrozenMap(Mapping[K, V_co], Generic[K, V_co]):
    """An immutable `Mapping`. Keys iterate in sorted order.

    >>> FrozenMap({"b": 1, "a": 2})
    FrozenMap({'a': 2, 'b': 1})
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V_co] | None = None) -> None:
        self._items: dict[K, V_co] = dict(sorted((items or {}).items()))

    def __getitem__(self, key: K) -> V_co:
        return self._items[key]

    @overload
    def get(self, key: K, /) -> V_co | None: ...
    @overload
    def get(self, key: K, /, default: V_co | D) -> V_co | D: ...
    def get(self, key: K, /, default: Any = None) -> Any:
        """Return what the key stands for, or the default; `Mapping` would ask for the item and catch its error."""
        return self._items.get(key, default)

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._items == dict(other)

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def __reduce__(self) -> tuple[type[FrozenMap[K, V_co]], tuple[dict[K, V_co]]]:
        return FrozenMap, (self._items,)


EMPTY: FrozenMap[Any, Any] = FrozenMap()
