from typing import Self, final

@final
class Memo:
    def __new__(cls, context_bytes: int) -> Self: ...
