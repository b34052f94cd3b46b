"""Persistent columns: immutable pages in a shallow tree, shared between the states that have them in common.

A column of n pages is a tuple of nodes of `FAN` pages each. Changing a page copies its node and the tuple of nodes,
everything else is shared; so a step of ten changed rows costs microseconds whether the fleet has a thousand instances
or ten million. Sharing also tells two states apart quickly: what is identical need not be compared, hashed or copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final

FAN: Final = 64
DIGEST_BYTES: Final = 16


class Node:
    """Up to `FAN` pages, with their digest once somebody has asked for it."""

    __slots__ = ("_digest", "_digests", "pages")

    def __init__(self, pages: tuple[bytes, ...], digests: list[bytes | None] | None = None) -> None:
        self.pages = pages
        self._digests: list[bytes | None] = digests if digests is not None else [None] * len(pages)
        self._digest: bytes | None = None

    @property
    def digest(self) -> bytes:
        """128 bits over the pages; kept page by page, so a copy hashes only what was changed in it."""
        if self._digest is None:
            for at, known in enumerate(self._digests):
                if known is None:
                    self._digests[at] = blake2b(self.pages[at], digest_size=DIGEST_BYTES).digest()
            self._digest = blake2b(b"".join(self._digests), digest_size=DIGEST_BYTES).digest()  # type: ignore[arg-type]  # none is None now
        return self._digest

    def replaced(self, changes: Mapping[int, bytes]) -> Node:
        """Return the node with other pages at these places; a place one past the end appends."""
        pages, digests = list(self.pages), list(self._digests)
        for at, page in sorted(changes.items()):
            if at == len(pages):
                pages.append(page)
                digests.append(None)
            else:
                pages[at], digests[at] = page, None
        return Node(tuple(pages), digests)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.pages == other.pages

    __hash__ = None  # type: ignore[assignment]  # equal by content; hash a column by its digest

    def __reduce__(self) -> tuple[type[Node], tuple[tuple[bytes, ...]]]:
        return Node, (self.pages,)


class Paged:
    """One immutable column in pages of `page_bytes`; the last page is padded with zeros."""

    __slots__ = ("_digest", "nodes", "page_bytes")

    def __init__(self, nodes: tuple[Node, ...], page_bytes: int) -> None:
        self.nodes = nodes
        self.page_bytes = page_bytes
        self._digest: bytes | None = None

    @classmethod
    def of(cls, flat: bytes | bytearray | memoryview, page_bytes: int) -> Paged:
        """Cut a flat column into pages; equal pages next to each other are one object."""
        view = memoryview(flat)
        pages: list[bytes] = []
        for start in range(0, len(view), page_bytes):
            page = bytes(view[start : start + page_bytes]).ljust(page_bytes, b"\0")
            pages.append(pages[-1] if pages and pages[-1] == page else page)
        nodes = tuple(Node(tuple(pages[start : start + FAN])) for start in range(0, len(pages), FAN))
        return cls(nodes, page_bytes)

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return (len(self.nodes) - 1) * FAN + len(self.nodes[-1].pages) if self.nodes else 0

    @property
    def digest(self) -> bytes:
        """128 bits over the whole column."""
        if self._digest is None:
            self._digest = blake2b(b"".join(node.digest for node in self.nodes), digest_size=DIGEST_BYTES).digest()
        return self._digest

    def page(self, number: int) -> bytes:
        """Return one page."""
        return self.nodes[number // FAN].pages[number % FAN]

    def replaced(self, changes: Mapping[int, bytes]) -> Paged:
        """Return the column with other pages at these numbers; numbers from `page_count` on append, without a gap."""
        if len(changes) == 1:  # nearly always: what one step changes lies side by side
            (number, page), *_ = changes.items()
            at, place = divmod(number, FAN)
            if at < len(self.nodes):
                node = self.nodes[at].replaced({place: page})
                return Paged((*self.nodes[:at], node, *self.nodes[at + 1 :]), self.page_bytes)
        by_node: dict[int, dict[int, bytes]] = {}
        for number, page in changes.items():
            by_node.setdefault(number // FAN, {})[number % FAN] = page
        nodes = list(self.nodes)
        for at, inside in sorted(by_node.items()):
            if at == len(nodes):
                nodes.append(Node(()))
            nodes[at] = nodes[at].replaced(inside)
        return Paged(tuple(nodes), self.page_bytes)

    def differing(self, other: Paged) -> Iterator[int]:
        """Yield the numbers of the pages that are not one object in both, in order; both are of one length."""
        for at, (mine, theirs) in enumerate(zip(self.nodes, other.nodes, strict=True)):
            if mine is not theirs:
                for inside, (one, two) in enumerate(zip(mine.pages, theirs.pages, strict=True)):
                    if one is not two:
                        yield at * FAN + inside

    def flat(self) -> bytearray:
        """Return a writable copy of the whole column."""
        return bytearray().join(page for node in self.nodes for page in node.pages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Paged) and self.nodes == other.nodes

    __hash__ = None  # type: ignore[assignment]  # hash a state, by its digest

    def __reduce__(self) -> tuple[type[Paged], tuple[tuple[Node, ...], int]]:
        return Paged, (self.nodes, self.page_bytes)
