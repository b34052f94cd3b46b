"""Shell-style patterns over full instance names (`region/set/id`), narrowed set by set before any name is made.

`*`, `?` and `[...]` as in a shell, case-sensitively; unlike in a shell, `*` and `?` also match a `/`. With 200,000
instances and a few patterns, the names that need looking at are those of the sets that a pattern can reach at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from attrs import field, frozen

_SPECIAL = re.compile(r"[*?[]")


@frozen
class Pattern:
    """A pattern, translated once.

    >>> Pattern("eastus/web/1?").matches("eastus/web/17")
    True
    >>> Pattern("eastus/web/*").reach("eastus/web"), Pattern("eastus/web/*").reach("eastus/db")
    ('all', 'none')
    >>> Pattern("*/web/1").reach("eastus/web")
    'some'
    """

    text: str
    _fullmatch: Callable[[str], re.Match[str] | None] = field(init=False, repr=False, eq=False)
    _literal: str = field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        special = _SPECIAL.search(self.text)
        object.__setattr__(self, "_fullmatch", re.compile(translate(self.text)).fullmatch)
        object.__setattr__(self, "_literal", self.text[: special.start()] if special else self.text)

    @property
    def is_name(self) -> bool:
        """Whether it is the name of one instance, and no more."""
        return self._literal == self.text

    def matches(self, name: str) -> bool:
        """Whether the whole of an instance's full name matches."""
        return self._fullmatch(name) is not None

    def reach(self, set_name: str) -> str:
        """Return `none`, `some` or `all`: how many of the set's instances the pattern can match, whatever their ids.

        `some` is a "perhaps". A pattern that matches `region/set/` and ends in `*` matches every longer name too: a
        `*` in last place is never inside brackets.
        """
        prefix = f"{set_name}/"
        begun = self._literal != self.text and prefix.startswith(self._literal)
        if not (begun or self._literal.startswith(prefix)):
            return "none"
        return "all" if self.text.endswith("*") and self.matches(prefix) else "some"
