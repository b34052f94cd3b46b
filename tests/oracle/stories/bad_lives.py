"""Instances whose life does not go by the table, and lines that cannot be (sections 8 and 10)."""

# ruff: noqa: D401 -- a story's docstring says what happens in it

from __future__ import annotations

from typing import Any

from .cast import WEB, Z1, breaks, manual, pair_of, small, verifying
from .telling import MINUTE, OLD, SECOND, Story, rows


@breaks("promotion")
def nobody_said_healthy() -> Story:
    """No report at all."""
    story = verifying()
    story.became("upgraded", WEB, "0")
    story.step()
    return story


@breaks("promotion")
def observed_too_early() -> Story:
    """A report observed before the entry into verifying."""
    story = verifying()
    story.upgraded(WEB, "0", observed=story.t - SECOND - 1)
    return story


@breaks("promotion")
def stale_report() -> Story:
    """A healthy report that is older than the unhealthy one before it."""
    story = verifying()
    story.t += SECOND
    story.health("unhealthy", WEB, "0")
    story.upgraded(WEB, "0", observed=story.t - 1)
    return story


@breaks("promotion")
def promoted_after_the_deadline() -> Story:
    """A healthy report a millisecond late; the log has forgotten the deadline too."""
    story = verifying()
    story.t += 5 * MINUTE - SECOND + 1
    story.upgraded(WEB, "0")
    return story


@breaks("restore-version")
def restores_another_version() -> Story:
    """A version that somebody else had."""
    story = verifying()
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND, version="18.04.202312010")
    return story


def manually() -> Story:
    """Return a story of a manual rollout with an instance that is verifying."""
    story = manual(pair_of("web", "eastus"))
    story.batch(WEB, Z1, 0, "0")
    story.swap(WEB, "0")
    return story


@breaks("manual-restore")
def manual_restores() -> Story:
    """A manual rollout restores."""
    story = manually()
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    return story


@breaks("manual-restore")
def manual_restore_commanded() -> Story:
    """A manual rollout commands a restore without saying more."""
    story = manually()
    story.command("restore", WEB, "0", version=OLD)
    story.step()
    return story


@breaks("commands")
def no_command() -> Story:
    """An instance enters replacing, and nothing is recorded."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.lines = [line for line in story.lines if line["kind"] != "command"]
    return story


@breaks("commands")
def another_target() -> Story:
    """A replace with another version than the target."""
    story = small()
    story.batch(WEB, Z1, 0, "0", version="18.04.202402011")
    return story


@breaks("commands")
def commanded_out_of_turn() -> Story:
    """A configure for an instance that is still replacing."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.command("configure", WEB, "0")
    story.step()
    return story


@breaks("commands")
def somebody_else() -> Story:
    """A command names an instance that the set does not have."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.command("replace", WEB, "7")
    story.step()
    return story


@breaks("commands")
def batch_of_strangers() -> Story:
    """A batch names an instance that the set does not have."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.lines[-4]["instances"] = ["0", "7"]
    return story


@breaks("commands")
def same_id_again() -> Story:
    """Two commands to one instance with one id."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.count -= 1
    story.swap(WEB, "0")
    return story


@breaks("commands")
def same_id_after_a_return() -> Story:
    """A command to an instance has the id of one to the instance that had its name before."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.say("scaled", set=WEB, removed=["0"], added=rows(("0", "1", 0)))
    story.step()
    story.count -= 1
    story.batch(WEB, Z1, 0, "0")
    return story


@breaks("commands")
def of_another_rollout() -> Story:
    """A command names another rollout than its instance is in."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.lines[-2]["rollout"] = 7
    return story


@breaks("life-cycle")
def skips_a_state() -> Story:
    """From replacing to verifying."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.became("verifying", WEB, "0")
    story.step()
    return story


@breaks("life-cycle")
def answers_another_command() -> Story:
    """A report that answers another command moves nothing."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.signal("failed", WEB, "0", command="c7")
    story.became("restoring", WEB, "0")
    story.command("restore", WEB, "0", version=OLD)
    story.step()
    return story


@breaks("life-cycle")
def effect_is_missing() -> Story:
    """A healthy report in time, and no promotion."""
    story = verifying()
    story.health("healthy", WEB, "0")
    return story


@breaks("life-cycle")
def effect_is_another() -> Story:
    """A healthy report exactly at the deadline, and the log says that the deadline passed first."""
    story = verifying()
    story.t += 5 * MINUTE - SECOND
    story.signal("healthy", WEB, "0")
    story.times_out(WEB, "0", after=0)
    return story


@breaks("life-cycle")
def wrong_cause() -> Story:
    """A promotion by a deadline."""
    story = verifying()
    story.signal("healthy", WEB, "0")
    story.became("upgraded", WEB, "0", cause="deadline")
    story.step()
    return story


@breaks("life-cycle")
def upgraded_from_nowhere() -> Story:
    """A pending instance becomes upgraded."""
    story = verifying()
    story.became("upgraded", WEB, "1")
    story.step()
    return story


@breaks("life-cycle")
def fails_though_rollback_is_on() -> Story:
    """A deadline in verifying, and no restore."""
    story = verifying()
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND, version=None)
    return story


@breaks("life-cycle")
def restores_though_rollback_is_off() -> Story:
    """A deadline in verifying, and a restore in a set that wants none."""
    story = verifying(disable_automatic_rollback=True)
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND)
    return story


@breaks("life-cycle")
def replacing_without_a_batch() -> Story:
    """Replacing needs a batch."""
    story = verifying()
    story.became("replacing", WEB, "1", cause="batch")
    story.step()
    return story


@breaks("life-cycle")
def batch_without_replacing() -> Story:
    """A batch has started, and nobody became replacing."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    del story.lines[-3]
    return story


@breaks("life-cycle")
def pending_is_current() -> Story:
    """An instance on an old version is said to be current."""
    story = small()
    story.became("current", WEB, "1", cause="rollout")
    story.step()
    return story


@breaks("life-cycle")
def no_way_back() -> Story:
    """No row leads from verifying to excluded."""
    story = verifying()
    story.became("excluded", WEB, "0", cause="policy")
    story.lines[-1]["instances"] = ["0"]
    story.step()
    return story


@breaks("life-cycle")
def a_stranger_becomes() -> Story:
    """An instance that the set does not have."""
    story = small()
    story.became("current", WEB, "7", cause="rollout")
    return story


@breaks("life-cycle")
def gone_by_itself() -> Story:
    """An instance is gone without having been removed."""
    story = small()
    story.became("gone", WEB, "1", cause="scaled")
    return story


@breaks("life-cycle")
def outside_of_any_attempt() -> Story:
    """A set without an attempt has no life cycle."""
    story = small()
    story.became("upgraded", WEB, "1")
    del story.lines[-1]["rollout"]
    return story


@breaks("deadline")
def deadline_before_its_time() -> Story:
    """A millisecond early."""
    story = verifying()
    story.times_out(WEB, "0", after=5 * MINUTE - SECOND - 1)
    return story


@breaks("deadline")
def deadline_extended() -> Story:
    """A flapping report extends nothing, and no pause does."""
    story = verifying()
    story.t += 4 * MINUTE
    story.health("unhealthy", WEB, "0")
    story.say("paused", rollout=1)
    story.step(2 * MINUTE)
    story.step()
    return story


@breaks("deadline")
def step_times_out() -> Story:
    """A replace that is not answered within 90 minutes."""
    story = small()
    story.batch(WEB, Z1, 0, "0")
    story.step(90 * MINUTE)
    story.step(1)
    story.step()
    return story


@breaks("log")
def time_falls() -> Story:
    """Time never falls."""
    story = small()
    story.step(SECOND)
    story.say("paused", rollout=1)
    story.step(-SECOND)
    story.say("resumed", rollout=1)
    return story


@breaks("log")
def observed_in_the_future() -> Story:
    """Nothing is observed after it was reported."""
    story = small()
    story.health("healthy", WEB, "0", observed=1)
    return story


@breaks("log")
def unknown_report() -> Story:
    """A report that the rules do not know."""
    story = small()
    story.health("healthy", WEB, "0")
    story.lines[-2]["what"] = "bored"
    return story


@breaks("log")
def same_rollout_again() -> Story:
    """A rollout is started once."""
    story = small()
    story.starts([["eastus"]])
    return story


@breaks("log")
def unknown_names() -> Story:
    """Sets and rollouts that nobody knows, in every kind of line, and instances that cannot be taken out or in."""
    story = small()
    kinds = "batch-started", "signal", "became", "command", "attempt-ended", "scaled", "protected", "configured"
    for kind in kinds:
        line: dict[str, Any] = {
            "set": "mars/web",
            "rollout": 1,
            "what": "healthy",
            "state": "upgraded",
            "do": "replace",
        }
        story.say(kind, id="c1", instances=[], **line)
    for kind in ("phase-opened", "phase-ended", "rollout-ended", "paused"):
        story.say(kind, rollout=7, phase=0, status="completed")
    story.say("scaled", set=WEB, removed=["7"], added=rows(("0", "1", 0)))
    story.became("bored", WEB, "0")
    story.say("became")
    story.say("became", cause="deadline")
    story.say("became", cause="deadline", set="mars/web", state="failed", instances=["0"])
    return story
