from typing import Final, Self, final

__pyx_capi__: Final[dict[str, object]]  # what other compiled modules call

@final
class Store:
    def __new__(cls, key_bytes: int, memory_max: int, is_compact: bool) -> Self: ...
