"""The columns of one small state in one block of memory: a workspace that is copied and put back as a whole.

It has the face of `core.workspace.Workspace` that kernels and views look at, so that the production kernel runs on it
as it is. Columns are cut to their rows, not to pages. Those that a step changes come first (`mutable_bytes`): those of
instances (`instance_bytes`), of everything else, and the steady ones (from `steady_begin`). Those that only say who is
who stand behind them.
"""

from __future__ import annotations

from phasegate.core.columns import COLUMNS, PAGE_ROWS, Table, marks_for
from phasegate.core.state import State

ALIGN = 8
STEADY = frozenset(
    {"begun", "status", "mark", "option", "code", "percent", "link", "clock"}
    | {"holds", "working", "used", "course", "trait", "plan"}
)
"""Columns that most acts leave as they are. They stand side by side, so that one comparison says whether one did."""


class Arena:
    """One block, and where each column begins in it."""

    def __init__(self, state: State) -> None:
        self.state = state
        ordered = sorted(
            COLUMNS,
            key=lambda column: (column.role == "identity", column.name in STEADY, column.table != "instance"),
        )
        self.offset: dict[str, int] = {}
        end = 0
        self.mutable_bytes = 0
        self.instance_bytes = self.steady_begin = 0
        for column in ordered:
            size = max(1, state.rows[column.table]) * column.row_bytes
            if column.name not in STEADY and column.role != "identity":
                self.steady_begin = end + -(-size // ALIGN) * ALIGN
                if column.table == "instance":
                    self.instance_bytes = self.steady_begin
            self.offset[column.name] = end
            end += -(-size // ALIGN) * ALIGN
            if column.role != "identity":
                self.mutable_bytes = end
        self.block = bytearray(end)
        whole = memoryview(self.block)
        self.flat: dict[str, memoryview] = {}
        for at, column in enumerate(COLUMNS):
            size = max(1, state.rows[column.table]) * column.row_bytes
            begin = self.offset[column.name]
            self.flat[column.name] = whole[begin : begin + size]
            self.flat[column.name][:] = state.columns[at].flat()[:size]
        self.dirty: dict[Table, bytearray] = {
            table: marks_for(max(1, -(-state.rows[table] // PAGE_ROWS[table])))
            for table in ("instance", "order", "bucket", "set")
        }

    @property
    def now(self) -> int:
        """The time of the state (ms UTC)."""
        return self.state.now

    def save(self) -> bytes:
        """Return everything that a step may change."""
        return bytes(self.block[: self.mutable_bytes])

    def restore(self, saved: bytes) -> None:
        """Put back what `save` returned."""
        self.block[: self.mutable_bytes] = saved
