"""The columns of a state: which facts there are of what, how wide, and how they are cut into pages.

One row of a table is one instance, bucket, set, ...; a column holds `stride` numbers of one type for each row. Pages
are cut by rows, so that one changed row touches one page of each column of its table. `identity` columns say who
somebody is, `timing` columns when something falls due: a machine that only asks what may happen next can leave them.
"""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

from phasegate.core import codes

Table = Literal["instance", "order", "bucket", "set", "cell", "region", "group", "rollout", "fleet"]

PAGE_ROWS: Final[dict[Table, int]] = {
    "instance": 256,
    "order": 1024,
    "bucket": 64,
    "set": 16,
    "cell": 256,
    "region": 256,
    "group": 256,
    "rollout": 16,
    "fleet": 1,
}
ITEM_BYTES: Final = {"B": 1, "H": 2, "I": 4, "i": 4, "q": 8}


@frozen
class Column:
    """One column: `stride` numbers of `typecode` (as in `array`) for each row of `table`."""

    name: str
    table: Table
    typecode: Literal["B", "H", "I", "i", "q"]
    stride: int = 1
    role: Literal["fact", "identity", "timing"] = "fact"

    @property
    def row_bytes(self) -> int:
        """Bytes a row."""
        return ITEM_BYTES[self.typecode] * self.stride

    @property
    def page_bytes(self) -> int:
        """Bytes a page."""
        return self.row_bytes * PAGE_ROWS[self.table]


COLUMNS: Final = (
    Column("life", "instance", "B"),  # state and health in one byte
    Column("flag", "instance", "B"),
    Column("version", "instance", "H"),  # installed; 0 is unknown
    Column("previous", "instance", "H"),  # while in flight: what a restore brings back
    Column("failed", "instance", "H"),  # the last version that failed here; older ones are in the book
    Column("bucket", "instance", "I", role="identity"),
    Column("ident", "instance", "I", role="identity"),  # the id where it is a number, else a place among the names
    Column("observed", "instance", "q", role="timing"),  # of the latest health report that counts
    Column("deadline", "instance", "q", role="timing"),  # 0 unless in flight
    Column("order", "order", "I", role="identity"),  # slots, bucket by bucket, in order of id
    Column("site", "bucket", "i", codes.SITE, role="identity"),
    Column("wait", "bucket", "I", codes.WAIT),
    Column("begun", "bucket", "B"),  # 0, or how lately the attempt began this upgrade domain number (Service Fabric)
    Column("status", "set", "B"),
    Column("mark", "set", "B"),
    Column("option", "set", "B"),
    Column("code", "set", "B"),
    Column("percent", "set", "B", codes.PERCENT),
    Column("tally", "set", "I", codes.TALLY),
    Column("link", "set", "i", codes.LINK),
    Column("clock", "set", "q", codes.CLOCK, role="timing"),
    Column("holds", "cell", "I"),  # attempts that hold the cell
    Column("working", "region", "I"),  # attempts at work in the region
    Column("used", "group", "I"),
    Column("course", "rollout", "B"),
    Column("trait", "rollout", "B"),
    Column("plan", "rollout", "i", codes.PLAN),
    Column("dial", "rollout", "q", codes.DIAL, role="timing"),
    Column("sums", "fleet", "q", codes.SUM),
)
TABLES: Final[tuple[Table, ...]] = tuple(PAGE_ROWS)
BY_NAME: Final = {column.name: column for column in COLUMNS}
