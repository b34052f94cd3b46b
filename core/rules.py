"""What the policies have made of the rules: wide open at first, then narrowed by one policy after the other.

Built-in policies speak in numbers, flags and edges, which the engine compiles for the kernel; a user's own policy is
asked about batches (`asks`). A policy can only take away: it returns the rules with something narrower in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol, runtime_checkable

import networkx as nx
from attrs import field, frozen

from phasegate.core.model import Fleet, Group, Image, ScaleSet
from phasegate.core.topology import Edge, Phases

Judge = Callable[[ScaleSet, "Image | None", "str | None", bool, bool, int], tuple[str, ...]]
"""(set, its image, target, manual, off model, now) -> the codes that make it ineligible."""

Target = Callable[[Image, Iterable[str], int], "str | None"]
"""(image, regions, now) -> the newest version that counts in one of them."""

Counts = Callable[[Image, str, str, int], bool]
"""(image, version, region, now) -> whether that version may be installed there."""


@frozen
class Admit:
    """A user's policy lets these of the candidates start (ids; None: all of them)."""

    part: frozenset[str] | None = None


@frozen
class Wait:
    """A user's policy lets none of them start now; `reasons` say why, `earliest` (ms) when that may change."""

    reasons: tuple[str, ...]
    earliest: int | None = None


@frozen
class Never:
    """A user's policy will not let them start as long as the fleet looks like this."""

    reasons: tuple[str, ...]


Answer = Admit | Wait | Never


@frozen(kw_only=True)
class Question:
    """A candidate batch, as a user's policy sees it: one set, one upgrade domain, one cell (several with cross-zone).

    `at_work` are the full names of the sets at work now, the picks before this one too, in order; `model` says of each
    set of the fleet what it is; `size` and `not_healthy` count the set's instances.
    """

    set: ScaleSet
    cells: tuple[str, ...]
    upgrade_domain: int
    ids: tuple[str, ...]
    at_work: tuple[str, ...]
    model: Callable[[str], ScaleSet] = field(repr=False)
    size: int
    not_healthy: int
    target: str


@runtime_checkable
class UserPolicy(Protocol):
    """What a user's own policy is: a name, and an answer to a question. It must be a pure function of the question.

    It is asked about all candidates of one cell and upgrade domain at once; whatever part of them it admits may start
    in any smaller part too, so an answer must not depend on how many are asked about.
    """

    @property
    def name(self) -> str:
        """The name under which its reasons are given."""
        ...

    def judge(self, question: Question) -> Answer:
        """Answer whether the candidates may start."""
        ...


@frozen(kw_only=True)
class Rules:
    """Everything that a kernel and the engine ask of the policies; the defaults forbid nothing.

    Percentages are of the set (`max_unhealthy_upgraded_percent`: of those attempted), times in ms.
    """

    judge: Judge | None = None
    target: Target
    counts: Counts
    edges: tuple[Edge, ...] = ()
    pairs: nx.Graph[str] = field(factory=nx.Graph)
    groups: tuple[Group, ...] = ()
    has_phases: bool = False
    phases: Phases | None = None
    phase_failure_percent: int = 100
    phase_bake_ms: int = 0
    has_delays: bool = False
    has_windows: bool = False
    excludes_protected: bool = False
    excludes_skipped: bool = False
    excludes_failed_before: bool = False
    keeps_newer: bool = False
    by_upgrade_domain: bool = False
    by_phase_order: bool = False
    finishes_upgrade_domains: bool = False
    max_batch_percent: int = 100
    has_batch_limit: bool = False
    unhealthy_shrinks_batch: bool = False
    has_health_gate: bool = False
    max_unhealthy_percent: int = 100
    has_upgraded_gate: bool = False
    max_unhealthy_upgraded_percent: int = 100
    unhealthy_upgraded_of: Literal["upgraded", "set"] = "upgraded"
    pause_between_batches_ms: int = 0
    prioritize_unhealthy: bool = False
    enable_cross_zone: bool = False
    has_rollback: bool = False
    step_timeout_ms: int = 90 * 60_000  # this and the next from 1 to `TIMEOUT_MS_MAX`
    health_timeout_ms: int = 5 * 60_000
    supersede: Literal["finish", "cancel"] = "finish"
    asks: tuple[UserPolicy, ...] = ()


class Policy(Protocol):
    """A whole policy: what an engine is made with."""

    def rules(self, fleet: Fleet) -> Rules:
        """Return what it makes of the rules for that fleet."""
        ...

    def document(self) -> Mapping[str, object]:
        """Return its options as a policy file has them."""
        ...
