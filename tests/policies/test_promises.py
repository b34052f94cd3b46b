"""Each promise is declared with the policies that keep it, or is kept by the core whatever the policy."""

from __future__ import annotations

from phasegate.core.exploring.promises import Promise
from phasegate.policies import availability

# counters, commands, late reports and lives are the core's own; runs end by all rules together
OF_THE_CORE = {
    Promise.COUNTS_ADD_UP,
    Promise.COMMANDS_AS_RECORDED,
    Promise.LATE_MOVES_NOTHING,
    Promise.LIVES_AS_WRITTEN,
}
OF_ALL = {Promise.EVERY_ROLLOUT_ENDS, Promise.EVERYONE_UPGRADED, Promise.SMALL_SETS_END}


def test_every_promise_has_a_home() -> None:
    """The policies' promises, the core's and those of all together are all that there are, each in one group."""
    declared = {promise for part in availability.PARTS for promise in getattr(part, "promises", ())}
    assert set(Promise) == declared | OF_THE_CORE | OF_ALL
    assert not declared & (OF_THE_CORE | OF_ALL)


def test_a_sentence_each() -> None:
    """Every promise says in words of its own what it promises."""
    assert len(Promise) == len({promise.sentence for promise in Promise})
