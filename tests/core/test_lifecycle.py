"""Section 8: every pair of state and event, through the engine and through the machine built from the same table."""

from __future__ import annotations

from typing import Any

import pytest
from fleets import HEALTH_MS, HOUR, MINUTE, NEW, NEWER, OLD, STEP_MS, UBUNTU, Story, a_fleet, a_set, a_story, vm
from transitions import MachineError

import phasegate as pg
from phasegate.core.events import What
from phasegate.core.facts import Became, Commands, Ignored
from phasegate.core.lifecycle import COMMANDS, TABLE, Do, Happening, Life, machine
from phasegate.core.model import ImageVersion

ONE, OTHER = "eastus/web/0", "eastus/web/1"
ANSWERS = {
    Happening.DISK_REPLACED: (What.DISK_REPLACED, Do.REPLACE),
    Happening.CONFIGURED: (What.CONFIGURED, Do.CONFIGURE),
    Happening.DISK_RESTORED: (What.DISK_RESTORED, Do.RESTORE),
    Happening.RESTORE_FAILED: (What.RESTORE_FAILED, Do.RESTORE),
}
REACHED_WITHOUT_ROLLBACK = [life for life in Life if life not in (Life.RESTORING, Life.RESTORED)]


def with_one_in(kernel: Any, life: Life, *, rollback: bool) -> Story:
    """Return a story whose instance 0 is in that state, while instance 1 keeps the attempt going."""
    fields = {Life.CURRENT: {"version": NEW}, Life.EXCLUDED: {"skip_upgrade": True}}.get(life, {})
    story = a_story(
        kernel,
        a_set(instances=[vm(0, **fields), vm(1)]),
        disable_automatic_rollback=not rollback,
        max_unhealthy_percent=100,
        max_unhealthy_upgraded_percent=100,
    ).roll_out()
    if life in (Life.CURRENT, Life.EXCLUDED, Life.PENDING):
        pass
    elif life is Life.GONE:
        story.on(pg.Scaled("eastus/web", 0, removed=("0",)))
    else:
        story.start(ONE)
        if life is Life.CONFIGURING:
            story.answer(ONE)
        elif life in (Life.VERIFYING, Life.UPGRADED):
            story.configured(ONE)
            if life is Life.UPGRADED:
                story.healthy(ONE)
        elif life in (Life.RESTORING, Life.RESTORED, Life.FAILED):
            story.report(What.FAILED, ONE)
            if life is Life.RESTORED:
                story.answer(ONE)
            elif life is Life.FAILED and rollback:
                story.report(What.RESTORE_FAILED, ONE)
    return story


def happen(story: Story, slot: int, happening: Happening) -> list[Any]:
    """Let that happen to the instance, by the event that brings it about."""
    engine = story.engine
    if happening is Happening.BATCH_STARTS:
        try:
            return story.on(pg.Start([pg.Batch("eastus/web", [slot])], 0))
        except pg.IllegalTransition:
            return []
    if happening is Happening.DEADLINE_PASSED:
        return story.tick(STEP_MS)
    if happening is Happening.REMOVED:
        try:
            return story.on(pg.Scaled("eastus/web", 0, removed=("0",)))
        except pg.UnknownName:
            return []
    if happening is Happening.HEALTHY:
        return story.on(pg.Signals.of(What.HEALTHY, [slot], 0))
    if happening is Happening.STEP_FAILED:
        open_command = COMMANDS.get(engine.life(story.state, slot), Do.REPLACE)
        what = (What.FAILED, open_command)
    else:
        what = ANSWERS[happening]
    return story.on(pg.Signals.of(what[0], [slot], 0, attempt=1, answers=what[1]))


def by_machine(life: Life, happening: Happening, *, rollback: bool) -> str:
    """Return the state that the machine comes to, the same if the event does not belong there."""
    one = machine(initial=life)
    one.rollback = rollback
    try:
        one.trigger(happening.name.lower())
    except MachineError:
        assert one.state == life.word
    return str(one.state)


@pytest.mark.parametrize("happening", Happening)
@pytest.mark.parametrize(
    ("life", "rollback"),
    [(life, True) for life in Life] + [(life, False) for life in REACHED_WITHOUT_ROLLBACK],
)
def test_engine_and_machine_agree_on_every_pair(kernel: Any, life: Life, happening: Happening, rollback: bool) -> None:
    """From each state, with rollback and without, each event leads to the same state in both."""
    story = with_one_in(kernel, life, rollback=rollback)
    slot = 0
    assert story.engine.life(story.state, slot) is life
    happen(story, slot, happening)
    after = story.engine.life(story.state, slot).word
    assert after == by_machine(life, happening, rollback=rollback)


@pytest.mark.parametrize("happening", [*ANSWERS, Happening.STEP_FAILED])
@pytest.mark.parametrize("life", Life)
def test_an_answer_that_does_not_belong_moves_nothing_and_is_counted(
    kernel: Any, life: Life, happening: Happening
) -> None:
    """Where the table has no entry the report is ignored, and the state is equal to the one before."""
    if TABLE[happening][life] != 255:
        return
    story = with_one_in(kernel, life, rollback=True)
    before = story.state
    facts = happen(story, 0, happening)
    assert [fact.why for fact in facts if isinstance(fact, Ignored)] == ["gone" if life is Life.GONE else "late"]
    assert (story.state, story.state.digest) == (before, before.digest)


@pytest.mark.parametrize("life", [life for life in Life if life is not Life.PENDING])
def test_only_a_pending_instance_starts(kernel: Any, life: Life) -> None:
    """For every other state the refusal names the instance and its state."""
    story = with_one_in(kernel, life, rollback=True)
    with pytest.raises(pg.IllegalTransition) as refusal:
        story.on(pg.Start([pg.Batch("eastus/web", [0])], 0))
    assert f"not-pending(instance=0, state={life.word})" in [str(reason) for reason in refusal.value.verdict.reasons]


# The table of section 8 once more, by hand, as the text has it: from, to, to without rollback, the command.
ROWS: dict[Happening, tuple[list[Life], Life, Life, Do]] = {
    Happening.BATCH_STARTS: ([Life.PENDING], Life.REPLACING, Life.REPLACING, Do.REPLACE),
    Happening.DISK_REPLACED: ([Life.REPLACING], Life.CONFIGURING, Life.CONFIGURING, Do.CONFIGURE),
    Happening.CONFIGURED: ([Life.CONFIGURING], Life.VERIFYING, Life.VERIFYING, Do.NOTHING),
    Happening.HEALTHY: ([Life.VERIFYING], Life.UPGRADED, Life.UPGRADED, Do.NOTHING),
    Happening.DEADLINE_PASSED: (
        [Life.REPLACING, Life.CONFIGURING, Life.VERIFYING],
        Life.RESTORING,
        Life.FAILED,
        Do.RESTORE,
    ),
    Happening.STEP_FAILED: ([Life.REPLACING, Life.CONFIGURING], Life.RESTORING, Life.FAILED, Do.RESTORE),
    Happening.DISK_RESTORED: ([Life.RESTORING], Life.RESTORED, Life.RESTORED, Do.NOTHING),
    Happening.RESTORE_FAILED: ([Life.RESTORING], Life.FAILED, Life.FAILED, Do.NOTHING),
    Happening.REMOVED: ([life for life in Life if life is not Life.GONE], Life.GONE, Life.GONE, Do.NOTHING),
}


@pytest.mark.untraced
@pytest.mark.parametrize("happening", Happening)
@pytest.mark.parametrize(
    ("life", "rollback"),
    [(life, True) for life in Life] + [(life, False) for life in REACHED_WITHOUT_ROLLBACK],
)
def test_the_engine_does_what_the_text_says(kernel: Any, life: Life, happening: Happening, rollback: bool) -> None:
    """From each state each event of its row leads on, with its command, and any other nowhere."""
    story = with_one_in(kernel, life, rollback=rollback)
    sources, to, without, command = ROWS[happening]
    expected = (to if rollback else without) if life in sources else life
    if (life, happening) == (Life.RESTORING, Happening.DEADLINE_PASSED):
        expected = Life.FAILED
    facts = happen(story, 0, happening)
    assert story.engine.life(story.state, 0) is expected
    given = [] if expected in (life, Life.FAILED) or command is Do.NOTHING else [command]
    assert given == [fact.do for fact in facts if isinstance(fact, Commands)]
    became = [fact.state for fact in facts if isinstance(fact, Became) and 0 in fact.slots]
    assert became == ([] if expected is life else [expected])


# --- commands, versions, deadlines, health ---------------------------------------------------------------------------


def commanded(facts: list[Any]) -> list[tuple[str, str, list[int]]]:
    """Return the commands among the facts: what, to which version, slots."""
    return [(fact.do.word, fact.version, [*fact.slots]) for fact in facts if isinstance(fact, Commands)]


def test_the_good_life_of_an_instance(kernel: Any) -> None:
    """Replace, configure, watch; the version is the target from the new disk on."""
    story = a_story(kernel).roll_out()
    assert commanded(story.start(ONE)) == [("replace", NEW, [0])]
    assert story.version(ONE) == OLD
    assert commanded(story.report(What.DISK_REPLACED, ONE)) == [("configure", NEW, [0])]
    assert (story.version(ONE), story.health(ONE)) == (NEW, "initializing")
    assert commanded(story.report(What.CONFIGURED, ONE)) == []
    assert story.life(ONE) is Life.VERIFYING
    story.healthy(ONE)
    assert (story.life(ONE), story.health(ONE), story.version(ONE)) == (Life.UPGRADED, "healthy", NEW)


@pytest.mark.parametrize("at", [Life.REPLACING, Life.CONFIGURING, Life.VERIFYING])
def test_a_deadline_brings_back_the_instances_own_version(kernel: Any, at: Life) -> None:
    """From each step the restore names the version that this instance had, not the oldest or that of its neighbour."""
    own = a_set(instances=[vm(0, version="1.5"), vm(1)])
    story = a_story(kernel, own).roll_out()
    story.start(ONE)
    if at is not Life.REPLACING:
        story.answer(ONE)
    if at is Life.VERIFYING:
        story.answer(ONE)
    assert commanded(story.tick(HEALTH_MS if at is Life.VERIFYING else STEP_MS)) == [("restore", "1.5", [0])]
    story.answer(ONE)
    assert (story.life(ONE), story.version(ONE), story.health(ONE)) == (Life.RESTORED, "1.5", "initializing")


def test_the_version_of_an_instance_that_never_answered_is_unknown(kernel: Any) -> None:
    """Nobody knows what is on it: replacing, configuring and restoring alike."""
    for answers in (0, 1):
        story = a_story(kernel, disable_automatic_rollback=True).roll_out()
        story.start(ONE)
        for _ in range(answers):
            story.answer(ONE)
        story.tick(STEP_MS)
        assert (story.life(ONE), story.version(ONE), story.health(ONE)) == (Life.FAILED, None, "unknown")
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.report(What.FAILED, ONE)
    story.tick(STEP_MS)
    assert (story.life(ONE), story.version(ONE)) == (Life.FAILED, None)


@pytest.mark.parametrize("answers", [0, 1])
def test_a_restore_that_fails_does_not_tell_what_an_unanswered_command_did(kernel: Any, answers: int) -> None:
    """The replacement, or the configuration, may have been carried out or not; a restore that succeeds settles it."""
    story = a_story(kernel, a_set(instances=2), max_unhealthy_percent=100).roll_out()
    story.start(ONE)
    for _ in range(answers):
        story.answer(ONE)
    story.tick(STEP_MS)
    assert (story.life(ONE), story.version(ONE)) == (Life.RESTORING, (OLD, NEW)[answers])
    before = story.state
    story.answer(ONE)
    assert (story.life(ONE), story.version(ONE)) == (Life.RESTORED, OLD)
    story.state = before
    story.report(What.RESTORE_FAILED, ONE)
    assert (story.life(ONE), story.version(ONE)) == (Life.FAILED, None)
    story.roll_out(sets=("eastus/web",))
    story.start(ONE)
    story.answer(ONE)
    story.report(What.FAILED, ONE)
    assert (story.life(ONE), story.version(ONE)) == (Life.FAILED, NEW)


def test_an_answered_failure_leaves_the_version_known(kernel: Any) -> None:
    """A restore that was answered with failure leaves the target on the disk; a failed replacement the old version."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.answer(ONE)
    story.report(What.FAILED, ONE)
    story.report(What.RESTORE_FAILED, ONE)
    assert (story.life(ONE), story.version(ONE), story.health(ONE)) == (Life.FAILED, NEW, "unknown")
    story = a_story(kernel, disable_automatic_rollback=True).roll_out()
    story.start(ONE)
    story.report(What.FAILED, ONE)
    assert (story.life(ONE), story.version(ONE)) == (Life.FAILED, OLD)


@pytest.mark.parametrize("answers", [0, 1])
def test_what_is_on_an_instance_that_leaves_while_it_is_restored(kernel: Any, answers: int) -> None:
    """The target if its disk had been replaced; and it is not counted as one that joined too late."""
    story = a_story(kernel, a_set(instances=2), max_unhealthy_percent=100).roll_out()
    story.start(ONE)
    for _ in range(answers):
        story.answer(ONE)
    story.report(What.FAILED, ONE)
    story.on(pg.Scaled("eastus/web", story.state.now, removed=("0",)))
    assert story.engine.version(story.state, 0) == (OLD, NEW)[answers]
    assert not story.state.column("flag").flat()[0]


def test_a_restore_names_its_version_whatever_else_its_event_reports(kernel: Any) -> None:
    """An answer that comes with it is late: nobody can have been told to restore yet."""
    story = a_story(kernel, a_set(instances=[vm(0, version="1.5"), vm(1)])).roll_out()
    story.start(ONE)
    failed = pg.Signals.of(What.FAILED, [0], 5, attempt=1, answers=Do.REPLACE)
    restored = pg.Signals.of(What.DISK_RESTORED, [0], 5, attempt=1, answers=Do.RESTORE)
    assert commanded(story.on(pg.Signals.joined([failed, restored], 5))) == [("restore", "1.5", [0])]
    assert story.life(ONE) is Life.RESTORING
    story.answer(ONE)
    assert (story.life(ONE), story.version(ONE)) == (Life.RESTORED, "1.5")


def test_what_is_in_flight_goes_to_the_target_that_it_started_with(kernel: Any) -> None:
    """Whatever is published, configured or begun meanwhile: a set takes another target with its next attempt only."""
    story = a_story(kernel, a_set(instances=2)).roll_out()
    story.start(ONE)
    story.answer(ONE)
    story.on(pg.Published(UBUNTU.name, ImageVersion(NEWER), 1))
    story.on(pg.Configured(a_set(instances=2, automatic_os_upgrade=False), 1))
    story.roll_out()
    assert (story.life(ONE), story.version(ONE)) == (Life.CONFIGURING, NEW)
    story.answer(ONE)
    story.healthy(ONE)
    assert (story.life(ONE), story.version(ONE)) == (Life.UPGRADED, NEW)


def test_a_manual_rollout_never_restores(kernel: Any) -> None:
    """What fails in it is failed."""
    story = a_story(kernel).roll_out(sets=("eastus/web",))
    story.start(ONE)
    facts = story.report(What.FAILED, ONE)
    assert (commanded(facts), story.life(ONE)) == ([], Life.FAILED)


def test_a_set_can_switch_its_rollback_off(kernel: Any) -> None:
    """Its instances fail where those of another set are restored."""
    sets = (a_set(), a_set("eastus/x", disable_automatic_rollback=True))
    story = a_story(kernel, a_fleet(*sets)).roll_out()
    for name in (ONE, "eastus/x/0"):
        story.start(name)
        story.report(What.FAILED, name)
    assert (story.life(ONE), story.life("eastus/x/0")) == (Life.RESTORING, Life.FAILED)


def test_every_deadline_is_absolute(kernel: Any) -> None:
    """A flapping report extends nothing."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.configured(ONE)
    for minute in range(1, 5):
        story.unhealthy(ONE, now=minute * MINUTE)
    assert story.engine.next_time(story.state) == HEALTH_MS
    story.on(pg.Tick(HEALTH_MS - 1))
    assert story.life(ONE) is Life.VERIFYING
    story.on(pg.Tick(HEALTH_MS))
    assert story.life(ONE) is Life.RESTORING
    assert story.engine.next_time(story.state) == HEALTH_MS + STEP_MS


def test_a_set_with_many_deadlines_loses_none(kernel: Any) -> None:
    """When the first instance is done the deadline of the second still holds."""
    story = a_story(kernel, a_set(), max_batch_percent=50, disable_automatic_rollback=True).roll_out()
    story.start(ONE, OTHER)
    story.on(pg.Tick(10))
    story.configured(ONE)
    story.on(pg.Tick(20))
    story.configured(OTHER)
    story.healthy(ONE)
    assert story.engine.next_time(story.state) == HEALTH_MS + 20
    story.on(pg.Tick(HEALTH_MS + 20))
    assert story.life(OTHER) is Life.FAILED


def test_a_deadline_follows_one_that_has_passed_for_good(kernel: Any) -> None:
    """Two deadlines of one set, without rollback: the second falls due after the first has."""
    story = a_story(kernel, a_set(), max_batch_percent=50, disable_automatic_rollback=True).roll_out()
    story.start(ONE, OTHER)
    story.on(pg.Tick(10))
    story.configured(ONE)
    story.on(pg.Tick(20))
    story.configured(OTHER)
    story.on(pg.Tick(HEALTH_MS + 10))
    assert (story.life(ONE), story.engine.next_time(story.state)) == (Life.FAILED, HEALTH_MS + 20)


def test_removing_the_first_due_leaves_the_deadline_of_the_next(kernel: Any) -> None:
    """Scale-in takes the earliest deadline away, and only that."""
    story = a_story(kernel, a_set(), max_batch_percent=50).roll_out()
    story.start(ONE, OTHER)
    story.configured(ONE)
    story.on(pg.Scaled("eastus/web", 0, removed=("0",)))
    assert story.engine.next_time(story.state) == STEP_MS


def test_step_and_health_timeouts_are_options(kernel: Any) -> None:
    """Each step has its own deadline, counted from its own start."""
    story = a_story(kernel, step_timeout_ms=HOUR, health_timeout_ms=MINUTE).roll_out()
    story.start(ONE)
    assert story.engine.next_time(story.state) == HOUR
    story.tick(10)
    story.answer(ONE)
    assert story.engine.next_time(story.state) == HOUR + 10
    story.answer(ONE)
    assert story.engine.next_time(story.state) == MINUTE + 10


def test_promotion_needs_a_report_observed_since_verifying_began(kernel: Any) -> None:
    """A healthy report from while it was configured is too early; the first one in time promotes."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.tick(10)
    story.answer(ONE)
    story.healthy(ONE, now=20)
    story.on(pg.Tick(30))
    story.answer(ONE)
    assert (story.life(ONE), story.health(ONE)) == (Life.VERIFYING, "healthy")
    story.healthy(ONE, now=40, observed_at=29)
    assert story.life(ONE) is Life.VERIFYING
    story.healthy(ONE, now=40, observed_at=30)
    assert story.life(ONE) is Life.UPGRADED


def test_no_report_from_before_the_swap_promotes(kernel: Any) -> None:
    """Reports observed before the new disk are stale, however late they come in."""
    story = a_story(kernel).roll_out()
    story.start(ONE)
    story.tick(10)
    story.configured(ONE)
    facts = story.healthy(ONE, observed_at=8)
    assert [fact.why for fact in facts] == ["stale"]
    story.healthy(ONE, observed_at=9)
    assert (story.life(ONE), story.health(ONE)) == (Life.VERIFYING, "initializing")


def test_an_upgraded_instance_stays_upgraded(kernel: Any) -> None:
    """Whatever becomes of its health."""
    story = a_story(kernel, a_set(instances=10), max_unhealthy_upgraded_percent=100).roll_out()
    story.start(ONE)
    story.upgrade(ONE)
    story.unhealthy(ONE, now=1)
    assert (story.life(ONE), story.health(ONE)) == (Life.UPGRADED, "unhealthy")


def test_what_becomes_of_instances_is_told_with_its_cause(kernel: Any) -> None:
    """Batch, signal, deadline."""
    story = a_story(kernel).roll_out()
    facts = story.start(ONE) + story.answer(ONE) + story.tick(STEP_MS)
    became = [(fact.state.word, fact.cause) for fact in facts if isinstance(fact, Became)]
    assert became == [("replacing", "batch"), ("configuring", "signal"), ("restoring", "deadline")]
