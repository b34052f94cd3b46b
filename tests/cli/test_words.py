"""Every code has its words, and every word its code."""

from __future__ import annotations

import pytest

from phasegate.cli.words import ERRORS, EXCLUDED, INELIGIBLE, STATES, ineligible, moment, sentence
from phasegate.core.lifecycle import Life
from phasegate.core.reasons import Code, Reason
from phasegate.core.rollouts import IN_ANOTHER_ATTEMPT
from phasegate.core.roster import NO_NUMBER
from phasegate.core.tracing import ERRORS as CODES
from phasegate.policies.eligibility import IneligibleCode

SENTENCES = [
    (Reason(Code.CURRENT), "it has the target version or a newer one, and is not touched"),
    (Reason(Code.EXCLUDED, {"why": "protected"}), "it is protected from scale set actions"),
    (Reason(Code.EXCLUDED, {"why": "else"}), "it is excluded: else"),
    (
        Reason(Code.FAILED_BEFORE, {"version": "1.2"}),
        "version 1.2 failed on it before, and is not offered to it again",
    ),
    (
        Reason(Code.NOT_ELIGIBLE, {"codes": ("health-source-missing", "new-code")}),
        "its set is not eligible: it has no health source; new-code",
    ),
    (Reason(Code.NO_ROLLOUT), "no rollout has its set"),
    (
        Reason(Code.ATTEMPT_ENDED, {"status": "cancelled", "code": "none"}),
        "its set's attempt has ended, cancelled; a new rollout can take it up",
    ),
    (
        Reason(
            Code.ATTEMPT_ENDED,
            {"status": "faulted", "code": "MaxUnhealthyInstancePercentExceededInRollingUpgrade"},
        ),
        "its set's attempt has ended, faulted: too many instances were not healthy before a batch "
        "(MaxUnhealthyInstancePercentExceededInRollingUpgrade); a new rollout can take it up",
    ),
    (Reason(Code.CANCELLED), "its attempt is cancelled; what is in flight is finished"),
    (Reason(Code.PAUSED), "the rollout is paused"),
    (
        Reason(Code.PHASE_NOT_OPEN, {"phase": 2, "waiting_for": 0, "regions": ("eastus", "japan")}),
        "phase 2 is not open: it waits for phase 0 (eastus, japan)",
    ),
    (
        Reason(Code.PHASE_NOT_OPEN, {"phase": 2, "waiting_for": 0, "regions": tuple("abcdefgh")}),
        "phase 2 is not open: it waits for phase 0 (a, b, c, d, e, f and 2 more)",
    ),
    (
        Reason(Code.PAIR_AT_WORK, {"region": "eastus", "pair": "westus"}),
        "region eastus waits: its pair westus is at work",
    ),
    (
        Reason(Code.NOT_BEFORE, {"time": 90_000}, 90_000),
        "its set may not start a batch before 1 min 30 s (90000 ms)",
    ),
    (
        Reason(Code.OUTSIDE_WINDOW, {"next_opening": 1_714_564_800_000}),
        "its set is outside its maintenance windows; the next opens at 2024-05-01T12:00:00Z",
    ),
    (
        Reason(Code.OUTSIDE_WINDOW, {"next_opening": None}),  # type: ignore[dict-item]  # what a reader of a log may meet
        "its set is outside its maintenance windows; none opens again",
    ),
    (Reason(Code.BATCH_IN_FLIGHT, {"count": 1}), "a batch of its set is in flight: 1 instance"),
    (
        Reason(Code.UPGRADED_UNHEALTHY, {"count": 3, "of": 1200, "percent": 20}),
        "3 of 1,200 are bad after their upgrade, more than the 20 % that it allows",
    ),
    (
        Reason(Code.SET_UNHEALTHY, {"count": 3, "total": 10, "percent": 20}),
        "3 of 10 instances are not healthy, more than the 20 % that it allows",
    ),
    (Reason(Code.GROUP_FULL, {"group": "quorum", "k": 1}), "group quorum is full: it lets 1 at a time"),
    (
        Reason(Code.CELL_BUSY, {"cell": "eastus/1", "busy_cell": "eastus/2"}),
        "cell eastus/1 waits: cell eastus/2 is busy",
    ),
    (
        Reason(Code.PHASE_ORDER_LATER, {"number": NO_NUMBER, "current": 3}),
        "its phase ordering number is none: those with 3 come first",
    ),
    (
        Reason(Code.UPGRADE_DOMAIN_LATER, {"domain": 4}),
        "upgrade domain 4 waits until the one that was begun is finished",
    ),
    (Reason(Code.POLICY, {"name": "mine", "reasons": ("a", "b")}), "policy mine refuses it: a; b"),
    (Reason(Code.BATCH_FULL, {"size": 6}), "the next batch is full: it takes 6 instances"),
    (
        Reason(Code.LATER_IN_ORDER, {"set": "eastus/db", "cell": "eastus/1"}),
        "set eastus/db comes first, in cell eastus/1",
    ),
    (
        Reason(Code.NOT_ONE_BATCH, {"buckets": 2}),
        "they are in 2 places, and a batch is of one cell and upgrade domain",
    ),
    (Reason(Code.NOT_PENDING, {"instance": "7", "state": "upgraded"}), "instance 7 is upgraded, not pending"),
]


@pytest.mark.parametrize(("reason", "words"), SENTENCES, ids=lambda value: getattr(value, "code", ""))
def test_a_reason_is_a_sentence_with_its_numbers(reason: Reason, words: str) -> None:
    """Every reason reads as a sentence that has its numbers and names in it."""
    assert words == sentence(reason)


def test_every_reason_is_tested() -> None:
    """No code is without a sentence."""
    assert set(Code) == {reason.code for reason, _ in SENTENCES}


def test_every_code_has_words() -> None:
    """Codes of ineligible sets, of faulted attempts, causes of exclusion and states: all have words, and only they."""
    assert {*map(str, IneligibleCode), IN_ANOTHER_ATTEMPT} == set(INELIGIBLE)
    assert {code for code in CODES.values() if code is not None} == set(ERRORS)
    assert set(Life) == set(STATES)
    assert {"protected", "skip-upgrade", "policy"} == set(EXCLUDED)
    assert "of tomorrow" == ineligible("of tomorrow")


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "the start"),
        (1, "0.001 s (1 ms)"),
        (946_684_800_000, "2000-01-01T00:00:00Z"),
        (1_714_564_800_250, "2024-05-01T12:00:00.250Z"),
        (2**53, "104249991 d 8 h (9007199254740992 ms)"),
    ],
)
def test_a_moment_can_be_pasted_back(ms: int, words: str) -> None:
    """A real time is RFC 3339, a simulated one says its milliseconds: both are what `--at` takes."""
    assert words == moment(ms)
