"""The columns of a state: which facts there are of what, how wide, and how they are cut into pages.

One row of a table is one instance, bucket, set, ...; a column holds `stride` numbers of one type for each row. Pages
are cut by rows, so that one changed row touches one page of each column of its table. `identity` columns say who
somebody is, `timing` columns when something falls due: a machine that only asks what may happen next can leave them.
"""

from __future__ import annotations

from typing import Final, Literal

from attrs import frozen

from phasegate.core import codes as c

Table = Literal["instance", "order", "bucket", "set", "cell", "region", "group", "rollout", "fleet"]

PAGE_ROWS: Final[dict[Table, int]] = {  # where a step writes, a page is a few cache lines: it is copied whole
    "instance": 32,
    "order": 1024,
    "bucket": 8,
    "set": 2,
    "cell": 256,
    "region": 256,
    "group": 256,
    "rollout": 16,
    "fleet": 1,
}
ITEM_BYTES: Final = {"B": 1, "H": 2, "I": 4, "i": 4, "q": 8}


@frozen
class Column:
    """One column: `stride` numbers of `typecode` (as in `array`) for each row of `table`.

    `mark` is the bit that says of a page of a large table that this column was written in it; 0 in small tables.
    """

    name: str
    table: Table
    typecode: Literal["B", "H", "I", "i", "q"]
    stride: int = 1
    role: Literal["fact", "identity", "timing"] = "fact"
    mark: int = 0

    @property
    def row_bytes(self) -> int:
        """Bytes a row."""
        return ITEM_BYTES[self.typecode] * self.stride

    @property
    def page_bytes(self) -> int:
        """Bytes a page."""
        return self.row_bytes * PAGE_ROWS[self.table]


COLUMNS: Final = (
    Column("life", "instance", "B", mark=c.WROTE_LIFE),  # state and health in one byte
    Column("flag", "instance", "B", mark=c.WROTE_FLAG),
    Column("version", "instance", "H", mark=c.WROTE_VERSION),  # installed, 0 is unknown; in flight: what it was before
    Column("failed", "instance", "H", mark=c.WROTE_FAILED),  # the last version that failed here
    Column("bucket", "instance", "I", role="identity", mark=c.WROTE_IDENTITY),
    Column("ident", "instance", "I", role="identity", mark=c.WROTE_IDENTITY),  # the id, or its place among names
    Column("observed", "instance", "H", c.OBSERVED, role="timing", mark=c.WROTE_OBSERVED),  # the last health report
    Column("deadline", "instance", "I", role="timing", mark=c.WROTE_DEADLINE),  # ms modulo 2**32; 0 unless in flight
    Column("order", "order", "I", role="identity", mark=c.WROTE_ORDER),  # slots, bucket by bucket, in order of id
    Column("site", "bucket", "i", c.SITE, role="identity", mark=c.WROTE_SITE),
    Column("wait", "bucket", "I", c.WAIT, mark=c.WROTE_WAIT),
    Column("begun", "bucket", "B", mark=c.WROTE_BEGUN),  # 0, or how lately this domain number was begun
    Column("status", "set", "B", mark=c.WROTE_STATUS),
    Column("mark", "set", "B", mark=c.WROTE_MARK),
    Column("option", "set", "B", mark=c.WROTE_LIMITS),
    Column("code", "set", "B", mark=c.WROTE_CODE),
    Column("percent", "set", "B", c.PERCENT, mark=c.WROTE_LIMITS),
    Column("tally", "set", "I", c.TALLY, mark=c.WROTE_TALLY),
    Column("link", "set", "i", c.LINK, mark=c.WROTE_LINK),
    Column("clock", "set", "q", c.CLOCK, role="timing", mark=c.WROTE_CLOCK),
    Column("holds", "cell", "I"),  # attempts that hold the cell
    Column("working", "region", "I"),  # attempts at work in the region
    Column("used", "group", "I"),
    Column("course", "rollout", "B"),
    Column("trait", "rollout", "B"),
    Column("plan", "rollout", "i", c.PLAN),
    Column("dial", "rollout", "q", c.DIAL, role="timing"),
    Column("sums", "fleet", "q", c.SUM),
)
TABLES: Final[tuple[Table, ...]] = tuple(PAGE_ROWS)
BY_NAME: Final = {column.name: column for column in COLUMNS}

MARKS_FAN: Final = 64


def marks_for(pages: int) -> bytearray:
    """Return room for the marks of a large table: a byte a page, then a byte for every 64 of them that says look here.

    A byte a page has the `mark` of each column that was written in it.
    """
    return bytearray(pages + -(-pages // MARKS_FAN))
