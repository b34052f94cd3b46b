"""Template expressions: text like `[concat(parameters('a'), 'b')]` to a tree.

Grammar, as the template language documents it: a text that starts with `[` and ends with `]` is an expression, unless
it starts with `[[`, which stands for a text with one `[`. An expression is a text in single quotes (a quote doubled),
a whole number, a call of a function, and after a call `.name` or `[index]`, any number of times. Names are found
whatever their case.
"""

from __future__ import annotations

import re
from functools import lru_cache

from attrs import define, frozen

LENGTH_MAX = 24_576  # the template service's own limit

_TOKEN = re.compile(
    r"""\s*(
      [A-Za-z_][A-Za-z0-9_-]*   # a name
    | -?[0-9]{1,18}             # a whole number
    | '(?:[^']|'')*'                # a text
    | [()\[\],.]                # a mark
    )""",
    re.VERBOSE,
)


class ExpressionError(Exception):
    """An expression that is malformed, or whose evaluation fails; its text says how."""


@frozen
class Literal:
    """A text or a number that stands for itself."""

    value: str | int


@frozen
class Call:
    """A function and its arguments; the name in lower case, a user's own with its namespace."""

    name: str
    arguments: tuple[Node, ...]


@frozen
class Get:
    """A property of an object, or an item of a list."""

    of: Node
    key: Node


Node = Literal | Call | Get


def expression_in(text: str) -> str | None:
    """Return the expression that a text holds, or None if it stands for itself.

    >>> expression_in("[parameters('a')]"), expression_in("[[no]"), expression_in("no")
    ("parameters('a')", None, None)
    """
    if text.startswith("[") and text.endswith("]") and not text.startswith("[["):
        return text[1:-1]
    return None


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Node:
    """Return the tree of an expression; `ExpressionError` if it is malformed or too long.

    >>> parse_expression("variables('a')")
    Call(name='variables', arguments=(Literal(value='a'),))
    """
    if len(text) > LENGTH_MAX:
        raise ExpressionError(f"an expression of {len(text)} characters; at most {LENGTH_MAX} are possible")
    parser = _Parser(_tokens(text))
    node = parser.node()
    if parser.peek() is not None:
        raise ExpressionError(f"unexpected `{parser.peek()}` after the expression")
    return node


def _tokens(text: str) -> list[str]:
    tokens = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"`{text[at : at + 20]}` is no part of an expression")
        tokens.append(match[1])
        at = match.end()
    return tokens


@define
class _Parser:
    tokens: list[str]
    at: int = 0

    def peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self) -> str:
        if self.at == len(self.tokens):
            raise ExpressionError("the expression ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, mark: str) -> None:
        found = self.take()
        if found != mark:
            raise ExpressionError(f"expected `{mark}`, got `{found}`")

    def node(self) -> Node:
        token = self.take()
        if token.startswith("'"):
            return Literal(token[1:-1].replace("''", "'"))
        if token.lstrip("-").isdecimal():
            return Literal(int(token))
        if not token[0].isalpha() and token[0] != "_":
            raise ExpressionError(f"unexpected `{token}`")
        while self.peek() == ".":  # a user's own function: namespace.name(...)
            self.take()
            token = f"{token}.{self.take()}"
        self.expect("(")
        node: Node = Call(token.lower(), self._arguments())
        while self.peek() in (".", "["):
            if self.take() == ".":
                node = Get(node, Literal(self.take()))
            else:
                node = Get(node, self.node())
                self.expect("]")
        return node

    def _arguments(self) -> tuple[Node, ...]:
        arguments: list[Node] = []
        if self.peek() != ")":
            arguments.append(self.node())
            while self.peek() == ",":
                self.take()
                arguments.append(self.node())
        self.expect(")")
        return tuple(arguments)
