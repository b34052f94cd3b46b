"""Template expressions: text to a tree."""

import pytest

from phasegate.importers.expressions import (
    LENGTH_MAX,
    Call,
    ExpressionError,
    Get,
    Literal,
    expression_in,
    parse_expression,
)


@pytest.mark.parametrize(
    ("text", "expression"),
    [("[a()]", "a()"), ("[[a()]", None), ("a()", None), ("[a()", None), ("", None), ("[]", "")],
)
def test_brackets_make_an_expression(text: str, expression: str | None) -> None:
    """Two brackets stand for a text with one."""
    assert expression == expression_in(text)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("'it''s'", Literal("it's")),
        (" -12 ", Literal(-12)),
        ("utcNow()", Call("utcnow", ())),
        ("concat('a', 1, b())", Call("concat", (Literal("a"), Literal(1), Call("b", ())))),
        ("contoso.name('a')", Call("contoso.name", (Literal("a"),))),
        ("a().b[0]", Get(Get(Call("a", ()), Literal("b")), Literal(0))),
        ("a()[b()].c", Get(Get(Call("a", ()), Call("b", ())), Literal("c"))),
    ],
)
def test_the_grammar_is_read(text: str, node: object) -> None:
    """Literals, calls, properties and indices nest."""
    assert node == parse_expression(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the expression ends too early"),
        ("a", "the expression ends too early"),
        ("a(", "the expression ends too early"),
        ("a('b'", "the expression ends too early"),
        ("a('b", "`'b` is no part of an expression"),
        ("a() b", "unexpected `b` after the expression"),
        ("a(1 2)", "expected `)`, got `2`"),
        ("a b", "expected `(`, got `b`"),
        ("(1)", "unexpected `(`"),
        ("a()[1", "the expression ends too early"),
        ("a(!)", "`!)` is no part of an expression"),
        (
            f"a('{'x' * LENGTH_MAX}')",
            f"an expression of {LENGTH_MAX + 5} characters; at most {LENGTH_MAX} are possible",
        ),
    ],
)
def test_a_malformed_expression_says_how(text: str, what: str) -> None:
    """Each fault has its words."""
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert what == str(caught.value)
