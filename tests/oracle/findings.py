"""What the checker reports: the rules by name, and one breach of a rule at one line of a log."""

from __future__ import annotations

from typing import Final

from attrs import frozen

# The numbers in brackets are the promises of section 11 of the semantics; "section" is where the rule itself stands.
RULES: Final[dict[str, str]] = {
    "pairs": "no two regions of a pair are at work at the same time (1; section 6)",
    "cells": "no two cells in conflict are busy at the same time (2; section 6)",
    "groups": "no group goes over its limit (section 6)",
    "phases": "no region of a phase starts before the phase before it succeeded (3; section 5)",
    "phase-plan": "no pair inside a phase, each region once, the default plan as computed again (section 5)",
    "phase-result": "a phase ends with the right numbers, once its attempts have ended and it has baked (section 5)",
    "batch-size": "at most cap instances, and no more well ones than keep what is down within cap (4; section 7)",
    "batch-shape": "a batch is from one cell and one upgrade domain, each instance once (4; section 7)",
    "between-batches": "a set with an instance in flight starts nothing (4; section 7)",
    "unhealthy": "no batch starts while too much of the set is not healthy (5; section 7)",
    "attempt-over": "no batch starts in an attempt, or a rollout, that has ended or was cancelled (6; section 7)",
    "upgraded-unhealthy": "no batch starts while the after-batch gate is broken (6; section 7)",
    "promotion": "upgraded needs a healthy report observed after entry into verifying, in time (7; section 8)",
    "restore-version": "a restore brings back the version that the instance had when its batch started (8; section 8)",
    "touched": "current and excluded instances are never touched (9; section 8)",
    "manual-restore": "a manual rollout never restores (10; section 8)",
    "counts": "the counts of an attempt are right and sum to the set's instances (11; section 9)",
    "commands": "a command is recorded, once, for the instance in its state, with the right version (12; section 10)",
    "not-pending": "only pending instances are started (section 7)",
    "phase-number": "the lowest phase ordering number goes first (section 7)",
    "service-fabric": "an upgrade domain number that was begun is finished before another (section 7)",
    "pause-between": "pause_between_batches_ms passes between two batches, pauses not counted (section 7)",
    "paused": "no batch starts while paused (section 9)",
    "window": "a batch starts inside a maintenance window (section 4)",
    "delay": "an attempt begins at its instant, and never before the version is there (section 4)",
    "one-attempt": "one set is in one attempt at a time (section 9)",
    "rollout": "a rollout touches the sets of its image, a manual one those that it names (sections 1 and 5)",
    "life-cycle": "every state entered is a row of the table with its cause, every cause has its effect (section 8)",
    "deadline": "a deadline passes at its time: neither before nor after (section 8)",
    "attempt-result": "an attempt ends as what happened in it says (section 7)",
    "rollout-result": "a rollout ends as its phases or attempts say (section 9)",
    "log": "the log can be read: times never fall, every name is known, every line has its fields",
}


@frozen
class Finding:
    """A breach of `rule` (a key of `RULES`) that line `line` of a log (from 1, at `t` ms) shows."""

    line: int
    t: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, t={self.t}: {self.rule}: {self.text}"
