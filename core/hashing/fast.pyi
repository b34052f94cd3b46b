from array import array
from collections.abc import Sequence

from phasegate.core.pages import Paged

IS_COMPILED: bool

def page_hash(column: int, number: int, page: bytes) -> bytes: ...
def sum_of(columns: Sequence[Paged]) -> int: ...
def changed_by(
    first: Sequence[int],
    base: Sequence[Paged],
    latest: dict[int, bytes],
    numbers: array[int],
    pages: list[bytes],
    begin: int,
    end: int,
) -> int: ...
