from array import array

from typing_extensions import disjoint_base

from phasegate.simulating.reports import Bulk, Reports

IS_COMPILED: bool

@disjoint_base
class Queue:
    def __len__(self) -> int: ...
    def push(self, due: int, group: Reports | Bulk) -> None: ...
    def push_rows(
        self, base: Reports, slots: array[int], due: array[int], observed_at: array[int], what: bytes
    ) -> None: ...
    def next_time(self) -> int | None: ...
    def take(self, now: int) -> list[Reports | Bulk]: ...

def drawn(
    lucks: array[int],
    occasion: int,
    span: tuple[int, int],
    now: int,
    *,
    fails_below: int,
    late_below: int,
    late_at: int,
    twice_below: int,
    stray_ms: int,
) -> tuple[array[int], array[int], array[int], bytes]: ...
def replies(
    trace: array[int], moments: array[int], now: int, spans: tuple[int, int, int]
) -> list[tuple[int, array[int], array[int], bytes, array[int], bytes]]: ...
def arrived(trace: array[int]) -> int: ...
def set_at(column: bytearray, slots: array[int], values: bytes | bytearray) -> None: ...
