"""What is raised, by whose fault it is.

A rule's "no" is never raised: it is a `Verdict` with reasons. These are for a caller's misuse and for bad input; the
text says what is wrong, where, and how to mend it, in lower case and without a full stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phasegate.core.reasons import Verdict


class PhasegateError(Exception):
    """The root of everything that this package raises on purpose."""


class InvalidModel(PhasegateError, ValueError):
    """A fleet, policy or fault description that cannot be right; `path` is the place in it, `""` for the whole."""

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(what, path)
        self.what = what
        self.path = path

    def __str__(self) -> str:
        return f"{self.what} (at `{self.path}`)" if self.path else self.what

    def under(self, prefix: str) -> InvalidModel:
        """Return the same error, its place seen from one level further out."""
        joint = "" if not prefix or not self.path or self.path.startswith("[") else "."
        return InvalidModel(self.what, f"{prefix}{joint}{self.path}")


class InvalidEvent(PhasegateError, ValueError):
    """An event that is malformed: refused whole, nothing moved (semantics 8)."""


class UnknownName(PhasegateError, LookupError):
    """A region, set, instance, image or rollout that the fleet does not have."""


class IllegalTransition(PhasegateError):
    """A batch that the rules do not allow now; `verdict` holds every reason."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict

    def __str__(self) -> str:
        return "; ".join(str(reason) for reason in self.verdict.reasons)
