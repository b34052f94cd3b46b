"""What a verification is bounded by, how far it is, and what it came to."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from phasegate.verifying.coverage import Coverage
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.trace import Trace

Verdict = Literal["holds", "violated", "undetermined"]
Order = Literal["breadth", "depth", "random"]


@frozen(kw_only=True)
class Bounds:
    """Where a run ends without an answer: states found, seconds, bytes; None is no bound."""

    states: int | None = None
    seconds: float | None = None
    memory: int | None = None


@frozen(kw_only=True)
class Progress:
    """How far a run is."""

    states: int
    transitions: int
    frontier: int
    depth: int
    seconds: float
    memory: int

    @property
    def rate(self) -> float:
        """States a second so far."""
        return self.states / self.seconds if self.seconds else 0.0


@frozen(kw_only=True)
class Broken:
    """A promise that does not hold: its name, its number (None: somebody's own), and what it says."""

    name: str
    number: int | None
    sentence: str
    kind: str = "always"


@frozen(kw_only=True)
class Asked:
    """How one of somebody's own promises was asked: how often, and the fields that it read without saying so."""

    name: str
    kind: str
    calls: int
    undeclared: tuple[str, ...]


@frozen(kw_only=True)
class Result:
    """What a verification came to. `trace` is None where nothing is broken, or no run shows it.

    Where all holds and a witness was asked for, `trace` is a shortest run to it, and `witness` its name.
    `reason` says why it is undetermined, or what is not so; `disagreements` are (what, expected, found).
    """

    scenario: Scenario
    verdict: Verdict
    reason: str | None
    broken: Broken | None
    progress: Progress
    is_symmetric: bool
    symmetries: int
    is_compiled: bool
    order: Order
    rising: int
    coverage: Coverage
    asked: tuple[Asked, ...]
    trace: Trace | None
    disagreements: tuple[tuple[str, str, str], ...]
    witness: str | None = None

    @property
    def holds(self) -> bool:
        """Whether every promise holds in all that was to be explored."""
        return self.verdict == "holds"
