"""What a mutant is: a rule that is bent while somebody looks, in one place, and put back afterwards.

There are three kinds: a policy that is left out of the composition, an entry of the life-cycle table that leads
elsewhere, and a fragment of a function's source that is another one. What is promised is still worked out from the full
policy. The functions of the selector and the stepper are bent in the plain twin, which the compiled kernel follows
function by function; mutants are explored on it.
"""

from __future__ import annotations
import __future__

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any, Protocol

from attrs import field, frozen

from phasegate.core import lifecycle
from phasegate.core.errors import PhasegateError
from phasegate.core.lifecycle import Happening, Life
from phasegate.policies import availability


class RottenMutant(PhasegateError):
    """A mutant's fragment is not in its function exactly once: the function has changed, and the table has not."""


class Mutant(Protocol):
    """One bent rule: its name, what it bends in a sentence, where, and why nobody could tell (None: somebody must)."""

    @property
    def name(self) -> str:
        """Its name, as people ask for it."""
        ...

    @property
    def about(self) -> str:
        """What is bent."""
        ...

    @property
    def where(self) -> str:
        """The place of the rule."""
        ...

    @property
    def unseen(self) -> str | None:
        """Why no promise can tell it from the rule as it is, if that is argued."""
        ...

    def bent(self) -> Any:
        """Bend the rule as long as the context lasts."""
        ...


@frozen
class Without:
    """A policy that is left out of the composition."""

    part: type[Any]
    about: str
    unseen: str | None = field(default=None, kw_only=True)

    @property
    def name(self) -> str:
        """Its name: `without-` and the policy's."""
        return f"without-{self.part.name}"

    @property
    def where(self) -> str:
        """The place of the rule."""
        return f"policies.{self.part.__module__.rpartition('.')[2]}"

    @contextmanager
    def bent(self) -> Iterator[None]:
        """Leave it out of every composition that is made meanwhile."""
        parts = availability.PARTS
        availability.PARTS = tuple(part for part in parts if part is not self.part)  # type: ignore[misc]
        try:
            yield
        finally:
            availability.PARTS = parts  # type: ignore[misc]


@frozen
class Entry:
    """An entry of the life-cycle table that leads elsewhere; `to` None: nowhere, the instance stays as it is."""

    happening: Happening
    life: Life
    to: Life | None = None
    unseen: str | None = field(default=None, kw_only=True)

    @property
    def name(self) -> str:
        """Its name: `life-`, the event, the state, and where it leads."""
        return f"life-{self.happening.word}-{self.life.word}-{'stays' if self.to is None else self.to.word}"

    @property
    def about(self) -> str:
        """What is bent."""
        leads = "leaves it as it is" if self.to is None else f"leads to {self.to.word}"
        return f"{self.happening.word} in {self.life.word} {leads}"

    @property
    def where(self) -> str:
        """The place of the rule."""
        return "core.lifecycle.TABLE"

    @contextmanager
    def bent(self) -> Iterator[None]:
        """Let every table that is compiled meanwhile have the other entry."""
        row = lifecycle.TABLE[self.happening]
        to = self.life if self.to is None else self.to
        lifecycle.TABLE[self.happening] = (*row[: self.life], to, *row[self.life + 1 :])
        try:
            yield
        finally:
            lifecycle.TABLE[self.happening] = row


@frozen
class Bent:
    """A fragment of a function's source that is another one."""

    name: str
    about: str
    function: Callable[..., Any]
    old: str
    new: str
    unseen: str | None = field(default=None, kw_only=True)

    @property
    def where(self) -> str:
        """The place of the rule."""
        return f"{self._plain.__module__.removeprefix('phasegate.')}.{self._plain.__qualname__}"

    @property
    def _plain(self) -> Any:
        return getattr(self.function, "__func__", self.function)  # of a class method

    @contextmanager
    def bent(self) -> Iterator[None]:
        """Let the function run the other source; whoever has it by whatever name runs that.

        `RottenMutant` if the fragment is not there exactly once.
        """
        function, code = self._plain, self._plain.__code__
        function.__code__ = self.code()
        try:
            yield
        finally:
            function.__code__ = code

    def code(self) -> CodeType:
        """Return the other source, compiled. `RottenMutant` if the fragment is not there exactly once."""
        source = textwrap.dedent(inspect.getsource(self._plain))
        count = source.count(self.old)
        if count != 1:
            raise RottenMutant(f"mutant `{self.name}`: {self.where} has its fragment {count} times, not once")
        bent = source.replace(self.old, self.new)
        compiled = compile(bent, f"<{self.name}>", "exec", __future__.annotations.compiler_flag, dont_inherit=True)
        namespace = dict(self._plain.__globals__)
        exec(compiled, namespace)  # the source is this program's own
        made: Any = namespace[self._plain.__name__]
        code: CodeType = getattr(made, "__func__", made).__code__
        return code
