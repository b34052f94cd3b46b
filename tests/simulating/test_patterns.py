"""Patterns over full instance names."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.simulating.patterns import Pattern

TEXT = st.text("aw/1*?[]!-", max_size=8)


@given(TEXT, TEXT)
def test_a_pattern_matches_as_the_shell_rules_say(pattern: str, name: str) -> None:
    """`fnmatchcase` is the judge."""
    assert fnmatchcase(name, pattern) == Pattern(pattern).matches(name)


@given(TEXT, st.text("aw1", max_size=3), st.text("aw1", max_size=3))
def test_what_reaches_none_matches_none_and_what_reaches_all_matches_all(pattern: str, name: str, id_: str) -> None:
    """Narrowing by the set never changes an answer."""
    found, reach = Pattern(pattern).matches(f"{name}/{id_}"), Pattern(pattern).reach(name)
    assert reach in (("some", "all") if found else ("none", "some"))


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("eastus/web/*", "all"),
        ("*", "all"),
        ("east*", "all"),
        ("eastus/web/1[0-9]", "some"),
        ("*/web/7", "some"),
        ("eastus/web/[*", "some"),
        ("eastus/db/*", "none"),
        ("eastus/web", "none"),
        ("eastus/web/7", "some"),
        ("eastus/webs/1", "none"),
        ("Eastus/web/*", "none"),
    ],
)
def test_how_far_a_pattern_reaches(text: str, reach: str) -> None:
    """By its text up to the first special sign, and by a star in last place."""
    assert reach == Pattern(text).reach("eastus/web")
