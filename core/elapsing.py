"""Letting armed timers pass because somebody says so, not because a clock does.

What is verified holds for all timings: a timer passes wherever it is armed. A run that was found so is told by these
events. Each timer passes by the kernel's own function, as it does when its time has come.
"""

from __future__ import annotations

from phasegate.core import codes as c
from phasegate.core.errors import InvalidEvent, UnknownName
from phasegate.core.events import Elapsed
from phasegate.core.lifecycle import IN_FLIGHT
from phasegate.core.working import Working


def elapse(work: Working, event: Elapsed) -> None:
    """Let the timers pass, in the order deadlines, delays, pauses, bakes, windows.

    `InvalidEvent` names the first that is not armed, a pause or bake that stands still because its rollout is paused
    among them; `UnknownName` a set or rollout that there is not.
    """
    named = work.compiled.directory.set_named
    for slot in event.deadlines:
        if not 0 <= slot < work.rows("instance") or work.v.life[slot] & c.STATE_BITS not in IN_FLIGHT:
            raise InvalidEvent(f"slot {slot} has no deadline: it is not in flight")
        work.kernel.pass_deadlines([slot])
    for name in event.delays:
        _pass(work, named(name), c.DELAYED, f"set `{name}` is not delayed")
    for name in event.pauses:
        s = named(name)
        if _is_paused(work, work.v.link[s * c.LINK + c.LINK_ROLLOUT]):
            raise InvalidEvent(f"the pause of set `{name}` stands still: its rollout is paused")
        _pass(work, s, c.RESTING, f"set `{name}` does not pause between batches")
    for rollout in event.bakes:
        if not 0 <= rollout < work.rows("rollout"):
            raise UnknownName(f"no rollout {rollout}; there are {work.rows('rollout')}")
        if not work.v.trait[rollout] & c.BAKING or _is_paused(work, rollout):
            raise InvalidEvent(f"rollout {rollout} does not bake, or stands still because it is paused")
        work.kernel.pass_bake(rollout)
    for name, is_open in event.windows:
        s = named(name)
        if not work.v.clock[s * c.CLOCK + c.CLOCK_WINDOW]:
            raise InvalidEvent(f"set `{name}` waits for no maintenance window")
        work.kernel.set_window(s, is_open)


def _pass(work: Working, s: int, mark: int, otherwise: str) -> None:
    if not work.v.mark[s] & mark:
        raise InvalidEvent(otherwise)
    work.kernel.pass_timer(s, mark)


def _is_paused(work: Working, rollout: int) -> bool:
    return rollout >= 0 and bool(work.v.trait[rollout] & c.PAUSED)
