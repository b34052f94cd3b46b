"""What may happen next in an explored fleet, and how often: the alphabet of acts, and the freedom that bounds it.

An *act* is one event at one moment: (kind, whom, choice, which). Who acts is the orchestrator, the environment, time,
or people. Some acts cost: each has a budget, a number of times that it may happen in one run, each time anywhere. Acts
without a budget happen whenever they are possible. Theory: what costs is what an environment does *to* a fleet, what is
free is what it must be able to do for a rollout to end; so a run in which nothing free is left to happen has ended.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import attrs
from attrs import field, frozen

from phasegate.core.errors import InvalidModel


class Act(IntEnum):
    """The kinds of acts, in the order in which an explorer tries them; the numbers are the compiled explorer's."""

    START = (
        0  # the orchestrator starts a batch: whom = set, which = part (one bit a candidate), of the choice-th choice
    )
    ANSWER = 1  # whom = slot: its open command is answered as done
    FAIL = 2  # its open command is answered as failed
    HEALTHY = 3  # its health source reports it healthy, observed now
    UNHEALTHY = 4
    STALE = 5  # a report of healthy that was observed before the disk was swapped (which = 0), or verifying begun (1)
    LATE = 6  # answers to commands that it is not under, or no longer
    DUPLICATE = 7  # the last health report once more, with either content
    REMOVE = 8  # scale-in
    ADD = 9  # scale-out: a slot that is held in reserve
    DEADLINE = 10  # the deadline of what it is in the middle of passes
    ISSUE = 11  # the orchestrator hands out its recorded command
    EXECUTE = 12  # the command is carried out; its answer is on the way
    MAINTENANCE = 13  # whom = bucket: all its instances turn unhealthy at once, from outside
    DELAY = 14  # whom = set: the delay before its attempt passes
    REST = 15  # the pause between its batches passes
    WINDOW = 16  # its maintenance window opens or closes
    BAKE = 17  # whom = rollout: the bake time of its phase passes
    PAUSE = 18
    RESUME = 19
    CANCEL = 20
    STOP = 21  # every rollout is cancelled
    ORDER = 22  # whom = one of the scenario's own events, each at most once
    CRASH = 23  # the orchestrator loses what it had not recorded: answers on the way, and which commands it handed out

    @property
    def word(self) -> str:
        """The kind as people write it."""
        return self.name.lower()


ANY: Final = 255
"""The budget of what may happen any number of times."""

COSTS: Final[dict[Act, str]] = {
    Act.FAIL: "failed_steps",
    Act.UNHEALTHY: "health_flips",
    Act.STALE: "stale_reports",
    Act.LATE: "late_reports",
    Act.DUPLICATE: "duplicate_reports",
    Act.REMOVE: "scale_ins",
    Act.ADD: "scale_outs",
    Act.DEADLINE: "lost_reports",
    Act.MAINTENANCE: "maintenances",
    Act.PAUSE: "pauses",
    Act.CANCEL: "cancels",
    Act.STOP: "cancels",
    Act.CRASH: "crashes",
}
"""Which budget an act draws on. A deadline passes when the report that it waits for is lost, late, or never sent."""

FAIR: Final = frozenset({Act.START, Act.DEADLINE, Act.DELAY, Act.REST, Act.WINDOW, Act.BAKE, Act.RESUME})
"""What cannot be put off for ever (semantics 11: commands are answered or time out, pauses resumed, windows recur)."""

ANSWERING: Final = frozenset({Act.ANSWER, Act.HEALTHY, Act.ISSUE, Act.EXECUTE})
"""What cannot be put off for ever where no deadline may pass (any more); `HEALTHY` for an instance that verifies.

Where a deadline may pass, it is what time does if no answer and no report come.
"""


def _budget(instance: Freedom, attribute: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ANY:
        raise InvalidModel(f"{value!r} is not a number from 0 to {ANY - 1}, nor `any`", attribute.name)


@frozen(kw_only=True)
class Freedom:
    """How often the environment may do what costs; `ANY` (255) is without bound.

    `faults` is a purse that `failed_steps` and `lost_reports` share where it is given: together they happen at most so
    often. `lost_reports` is without bound unless said otherwise, so that what is shown holds for all timings.

    >>> Freedom(faults=2).purse(Act.DEADLINE) == Freedom(faults=2).purse(Act.FAIL)
    True
    """

    failed_steps: int = field(default=0, validator=_budget)
    lost_reports: int = field(default=ANY, validator=_budget)
    health_flips: int = field(default=0, validator=_budget)
    stale_reports: int = field(default=0, validator=_budget)
    late_reports: int = field(default=0, validator=_budget)
    duplicate_reports: int = field(default=0, validator=_budget)
    maintenances: int = field(default=0, validator=_budget)
    scale_ins: int = field(default=0, validator=_budget)
    scale_outs: int = field(default=0, validator=_budget)
    pauses: int = field(default=0, validator=_budget)
    cancels: int = field(default=0, validator=_budget)
    crashes: int = field(default=0, validator=_budget)
    faults: int | None = field(default=None)

    def __attrs_post_init__(self) -> None:
        if self.faults is not None:
            _budget(self, attrs.fields(Freedom).faults, self.faults)

    def budgets(self) -> bytes:
        """Return what there is in each purse: one byte an entry of `PURSES`."""
        left = bytearray(getattr(self, name) for name in PURSES)
        if self.faults is not None:
            left[PURSES.index("failed_steps")] = self.faults
            left[PURSES.index("lost_reports")] = 0
        return bytes(left)

    def purse(self, act: Act) -> int:
        """Return which purse the act draws on (a place in `PURSES`), -1 if it is free."""
        if self.faults is not None and act is Act.DEADLINE:
            return PURSES.index("failed_steps")
        return PURSES.index(COSTS[act]) if act in COSTS else -1

    @property
    def is_benign(self) -> bool:
        """Whether the environment is a healthy one: nothing fails, is lost, turns unhealthy or is called off."""
        return not any(self.budgets())

    @property
    def has_crashes(self) -> bool:
        """Whether commands are followed on their way (`ISSUE`, `EXECUTE`)."""
        return self.crashes > 0


PURSES: Final = tuple(dict.fromkeys(COSTS.values()))
"""The budgets by name, in order."""
