"""Codes in words: every reason, state and code that the engine gives, as a sentence with its numbers.

The tables are total: a test goes through every code that there is. A sentence begins in lower case and has no full
stop, so that it stands in a list as well as after a name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from phasegate.cli.screen import some
from phasegate.core.lifecycle import Life
from phasegate.core.reasons import Code, Reason
from phasegate.core.roster import NO_NUMBER
from phasegate.plotting.summary import counted
from phasegate.plotting.times import EPOCH_FROM_MS, duration

REGIONS_MAX: Final = 6  # of a phase that is waited for; `--json` names them all
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_9999_MS: Final = 253_370_764_800_000  # beyond it datetime gives up

INELIGIBLE: Final[Mapping[str, str]] = {
    "automatic-upgrade-disabled": "automatic OS upgrades are switched off",
    "version-not-latest": "its model pins a version instead of `latest`",
    "image-not-supported": "its image is not among the supported ones",
    "model-not-applied": "upgrade mode is manual, and not all instances are on the latest model",
    "health-source-missing": "it has no health source",
    "health-source-duplicate": "it has a health probe and a health extension, and may have only one of them",
    "health-probe-unsupported": "a load balancer's probe cannot watch a Service Fabric set",
    "standard-load-balancer-required": "a probe over several placement groups needs a Standard load balancer",
    "api-version-too-old": "its API version is older than 2018-10-01",
    "windows-automatic-updates-enabled": "Windows' own automatic updates are not switched off",
    "patch-mode-by-platform": "its patch mode lets the platform patch instances in place",
    "service-fabric-durability": "its Service Fabric durability is Bronze, and the node type is not stateless",
    "service-fabric-durability-mismatch": "Service Fabric cluster and extension have different durability",
    "service-fabric-extension-version": "its Service Fabric extension is older than 1.1",
    "external-resource-unavailable": "something that its model refers to cannot be had",
    "image-not-replicated": "the version has not been replicated to its region",
    "image-excluded-from-latest": "the version is excluded from latest",
    "in-another-attempt": "another rollout is working on it",
}

ERRORS: Final[Mapping[str, str]] = {
    "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade": "too many upgraded instances turned out bad",
    "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade": "too many instances were not healthy at the start",
    "MaxUnhealthyInstancePercentExceededInRollingUpgrade": "too many instances were not healthy before a batch",
    "RefusedByPolicy": "a policy of its owner will not have it",
}

STATES: Final[Mapping[Life, str]] = {
    Life.CURRENT: "it has the target version or a newer one, and is not touched",
    Life.EXCLUDED: "it is left out of the rollout, and is not touched",
    Life.PENDING: "it is below the target version",
    Life.REPLACING: "in flight: its OS disk is being replaced",
    Life.CONFIGURING: "in flight: custom data and extensions are being run",
    Life.VERIFYING: "in flight: its health is being watched",
    Life.UPGRADED: "it runs the target version, and was healthy in time",
    Life.RESTORING: "in flight: its old OS disk is being restored",
    Life.RESTORED: "the upgrade failed, and it has its old OS disk again",
    Life.FAILED: "the upgrade failed, and it was not restored",
    Life.GONE: "it was removed",
}

EXCLUDED: Final[Mapping[str, str]] = {
    "protected": "it is protected from scale set actions",
    "skip-upgrade": "it was asked to be skipped",
    "policy": "a policy of its owner never admits it",
}


def moment(ms: int) -> str:
    """Return a time for people: UTC with its seconds from the year 2000 on, else since the simulation's start.

    >>> moment(1_714_564_805_000), moment(5_400_000), moment(0)
    ('2024-05-01T12:00:05Z', '1 h 30 min (5400000 ms)', 'the start')
    """
    if EPOCH_FROM_MS <= ms < _YEAR_9999_MS:
        at = _EPOCH + timedelta(milliseconds=ms)
        return at.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")
    return f"{duration(ms)} ({ms} ms)" if ms else "the start"


def ineligible(code: str) -> str:
    """Return why a set is not eligible; a code that is not known here is given as it is."""
    return INELIGIBLE.get(code, code)


def phases(number: int) -> str:
    """Return a phase ordering number in words, of an instance without one too."""
    return "none" if number == NO_NUMBER else str(number)


_Facts = Mapping[str, Any]


def _ended(facts: _Facts) -> str:
    code = facts["code"]
    why = f": {ERRORS.get(code, code)} ({code})" if code != "none" else ""
    return f"its set's attempt has ended, {facts['status']}{why}; a new rollout can take it up"


def _window(facts: _Facts) -> str:
    opening = facts["next_opening"]
    after = "none opens again" if opening is None else f"the next opens at {moment(opening)}"
    return f"its set is outside its maintenance windows; {after}"


_SENTENCES: Final[Mapping[Code, Callable[[_Facts], str]]] = {
    Code.CURRENT: lambda f: STATES[Life.CURRENT],
    Code.EXCLUDED: lambda f: EXCLUDED.get(f["why"], f"it is excluded: {f['why']}"),
    Code.FAILED_BEFORE: lambda f: f"version {f['version']} failed on it before, and is not offered to it again",
    Code.NOT_ELIGIBLE: lambda f: f"its set is not eligible: {'; '.join(map(ineligible, f['codes']))}",
    Code.NO_ROLLOUT: lambda f: "no rollout has its set",
    Code.ATTEMPT_ENDED: _ended,
    Code.CANCELLED: lambda f: "its attempt is cancelled; what is in flight is finished",
    Code.PAUSED: lambda f: "the rollout is paused",
    Code.PHASE_NOT_OPEN: lambda f: (
        f"phase {f['phase']} is not open: it waits for phase {f['waiting_for']} ({some(f['regions'], REGIONS_MAX)})"
    ),
    Code.PAIR_AT_WORK: lambda f: f"region {f['region']} waits: its pair {f['pair']} is at work",
    Code.NOT_BEFORE: lambda f: f"its set may not start a batch before {moment(f['time'])}",
    Code.OUTSIDE_WINDOW: _window,
    Code.BATCH_IN_FLIGHT: lambda f: f"a batch of its set is in flight: {counted(f['count'], 'instance', 'instances')}",
    Code.UPGRADED_UNHEALTHY: lambda f: (
        f"{f['count']:,} of {f['of']:,} are bad after their upgrade, more than the {f['percent']} % that it allows"
    ),
    Code.SET_UNHEALTHY: lambda f: (
        f"{f['count']:,} of {f['total']:,} instances are not healthy, more than the {f['percent']} % that it allows"
    ),
    Code.GROUP_FULL: lambda f: f"group {f['group']} is full: it lets {f['k']:,} at a time",
    Code.CELL_BUSY: lambda f: f"cell {f['cell']} waits: cell {f['busy_cell']} is busy",
    Code.PHASE_ORDER_LATER: lambda f: (
        f"its phase ordering number is {phases(f['number'])}: those with {phases(f['current'])} come first"
    ),
    Code.UPGRADE_DOMAIN_LATER: lambda f: f"upgrade domain {f['domain']} waits until the one that was begun is finished",
    Code.POLICY: lambda f: f"policy {f['name']} refuses it: {'; '.join(f['reasons'])}",
    Code.BATCH_FULL: lambda f: f"the next batch is full: it takes {counted(f['size'], 'instance', 'instances')}",
    Code.LATER_IN_ORDER: lambda f: f"set {f['set']} comes first, in cell {f['cell']}",
    Code.NOT_ONE_BATCH: lambda f: f"they are in {f['buckets']} places, and a batch is of one cell and upgrade domain",
    Code.NOT_PENDING: lambda f: f"instance {f['instance']} is {f['state']}, not pending",
}


def sentence(reason: Reason) -> str:
    """Return a reason as a sentence with its numbers.

    >>> sentence(Reason(Code.CELL_BUSY, {"cell": "eastus/1", "busy_cell": "eastus/2"}))
    'cell eastus/1 waits: cell eastus/2 is busy'
    """
    return _SENTENCES[reason.code](reason.facts)
