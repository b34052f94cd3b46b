"""What is promised in every reachable state, whatever the environment does: the numbers of semantics 11.

A promise is checked against what is *meant*, worked out here from the fleet and the policy's options without the
engine's statics and counters: who is whose pair, which cells are in conflict, what a percentage comes to. So a rule
that is compiled wrongly, or bent, shows. Each promise is declared with the policy that keeps it; this is their list.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from phasegate.core.exploring.acts import Act
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, ScaleSet
from phasegate.core.roster import NO_NUMBER, Roster
from phasegate.core.topology import cells_of
from phasegate.core.versions import version_key

if TYPE_CHECKING:
    from phasegate.core.exploring.subject import Open


class Promise(IntEnum):
    """The promises, with the numbers of semantics 11; those above 15 are of other sections."""

    PAIRS_APART = 1
    CELLS_APART = 2
    PHASES_IN_ORDER = 3
    BATCH_WITHIN_CAP = 4
    HEALTHY_ENOUGH = 5
    NOT_AFTER_THE_END = 6
    PROMOTED_BY_HEALTH = 7
    OWN_DISK_BACK = 8
    TARGET_UNTOUCHED = 9
    MANUAL_NEVER_RESTORES = 10
    COUNTS_ADD_UP = 11
    COMMANDS_AS_RECORDED = 12
    EVERY_ROLLOUT_ENDS = 13
    EVERYONE_UPGRADED = 14
    SMALL_SETS_END = 15
    LATE_MOVES_NOTHING = 16  # section 8: late and duplicate reports leave the state as it is
    GROUPS_WITHIN_LIMITS = 17  # section 6
    NOT_BEFORE_ITS_TIME = 18  # sections 4, 7 and 9
    LOWER_NUMBERS_FIRST = 19  # section 7
    DOMAINS_FINISHED = 20  # section 7
    LIVES_AS_WRITTEN = 21  # section 8
    STOPPED_FOR_A_REASON = 22  # sections 5 and 7

    @property
    def sentence(self) -> str:
        """What is promised."""
        return SENTENCES[self]


SENTENCES = {
    Promise.PAIRS_APART: "no two regions of a pair are at work at the same time",
    Promise.CELLS_APART: "no two cells in conflict are busy at once, nobody is in flight outside its attempt's cell",
    Promise.PHASES_IN_ORDER: "no region of a phase starts before the phase before it succeeded",
    Promise.BATCH_WITHIN_CAP: "in flight in one set is at most its batch size, from one cell and one upgrade domain",
    Promise.HEALTHY_ENOUGH: "no batch starts while too many of the set are not healthy",
    Promise.NOT_AFTER_THE_END: "no batch starts in an ended attempt, nor while too many of those upgraded are bad",
    Promise.PROMOTED_BY_HEALTH: "no instance becomes upgraded without a healthy report from after its swap, in time",
    Promise.OWN_DISK_BACK: "a restore brings back exactly the version that the instance had when its batch started",
    Promise.TARGET_UNTOUCHED: "an instance on the target or newer is never replaced, an excluded one never touched",
    Promise.MANUAL_NEVER_RESTORES: "a manual rollout never restores",
    Promise.COUNTS_ADD_UP: "successful + failed + in progress + pending + skipped = the set's instances",
    Promise.COMMANDS_AS_RECORDED: "nothing is commanded before it is recorded, or with another version",
    Promise.EVERY_ROLLOUT_ENDS: "every rollout ends",
    Promise.EVERYONE_UPGRADED: "with a healthy environment every eligible instance ends up on the target",
    Promise.SMALL_SETS_END: "sets of one to four instances never deadlock",
    Promise.LATE_MOVES_NOTHING: "late, duplicate and stale reports leave the state as it is",
    Promise.GROUPS_WITHIN_LIMITS: "no group goes over its limit",
    Promise.NOT_BEFORE_ITS_TIME: "no batch starts outside its window, before its instant, in a pause or cancelled",
    Promise.LOWER_NUMBERS_FIRST: "no instance starts while one of a lower phase ordering number of its set is pending",
    Promise.DOMAINS_FINISHED: "a Service Fabric set begins no upgrade domain while a begun one has somebody pending",
    Promise.LIVES_AS_WRITTEN: "what happens to an instance leads where the life-cycle table says",
    Promise.STOPPED_FOR_A_REASON: "attempts fault and rollouts end as their gates and phases say",
}

BACK: Final = 254  # restoring, or failed where nothing is to be restored
UNSAID: Final = 255
_C, _V, _U, _D, _F, _G = Life.CONFIGURING, Life.VERIFYING, Life.UPGRADED, Life.RESTORED, Life.FAILED, Life.GONE
_LED: Final[Mapping[Act, Mapping[Life, int]]] = {
    Act.ANSWER: {Life.REPLACING: _C, Life.CONFIGURING: _V, Life.RESTORING: _D},
    Act.FAIL: {Life.REPLACING: BACK, Life.CONFIGURING: BACK, Life.RESTORING: _F},
    Act.HEALTHY: {Life.VERIFYING: _U},
    Act.DEADLINE: {Life.REPLACING: BACK, Life.CONFIGURING: BACK, Life.VERIFYING: BACK, Life.RESTORING: _F},
    Act.REMOVE: dict.fromkeys(list(Life)[: Life.GONE], _G),
}
LED: Final = bytes(
    _LED.get(act, {}).get(Life(life), UNSAID) if life <= Life.GONE else UNSAID for act in Act for life in range(16)
)
"""Where an act leads the instance that it is about: `act * 16 + life`; semantics 8 once more, beside the table."""


@frozen(eq=False, kw_only=True)
class Meant:
    """What the promises are checked against: flat numbers, made from the fleet and the policy's options.

    `pairs` and `conflicts` are a byte each way (`one * count + other`); `percent` has four bytes a set: batch,
    unhealthy, upgraded, and whether the last is of the whole set; `groups` are (what counts, limit, a byte a member).
    `restores` are the sets whose automatic rollouts restore; `domains` and `numbers` are each slot's upgrade domain and
    phase ordering number as the fleet says them (a large one for none).
    """

    pairs: bytes
    conflicts: bytes
    percent: bytes
    cross_zone: bytes
    fabric: bytes
    small: bytes
    restores: bytes
    shrinks: bool
    domains: array[int]
    numbers: array[int]
    groups: tuple[tuple[str, int, bytes], ...]
    phase_failure_percent: int
    region_of_cell: array[int] = field(repr=False)

    @classmethod
    def of(cls, opened: Open) -> Meant:
        """Work them out."""
        compiled = opened.work.compiled
        directory, fleet = compiled.directory, compiled.fleet
        options = opened.subject.engine.policy.document()
        regions, cells = directory.regions, directory.cells
        pairs = bytearray(len(regions) ** 2)
        number = {name: at for at, name in enumerate(regions)}
        for region in fleet.regions:
            if region.pair in number:
                one, other = number[region.name], number[region.pair]
                pairs[one * len(regions) + other] = pairs[other * len(regions) + one] = 1
        models = [opened.work.model(s) for s in range(opened.rows["set"])]
        places = _places(opened, models)
        percent, cross_zone = bytearray(), bytearray()
        for model in models:
            percent += _percent(model, options)
            own = model.rolling_policy.enable_cross_zone
            cross_zone.append(bool(options["enable_cross_zone"] if own is None else own))
        return cls(
            pairs=bytes(pairs),
            conflicts=_conflicts(fleet, cells, pairs, number),
            percent=bytes(percent),
            cross_zone=bytes(cross_zone),
            fabric=bytes(model.service_fabric is not None for model in models),
            small=bytes(1 <= model.size <= 4 for model in models),
            restores=bytes(
                not (model.disable_automatic_rollback or options["disable_automatic_rollback"]) for model in models
            ),
            shrinks=bool(options["unhealthy_shrinks_batch"]),
            domains=array("i", (place[0] for place in places)),
            numbers=array("i", (place[1] for place in places)),
            groups=tuple(
                (
                    group.counts,
                    group.limit,
                    bytes(name in group.members for name in (cells if group.counts == "cells" else directory.sets)),
                )
                for group in fleet.groups
            ),
            phase_failure_percent=int(str(options["phase_failure_percent"])),
            region_of_cell=array("I", (number[cell.rsplit("/", 1)[0]] for cell in cells)),
        )


def _places(opened: Open, models: Sequence[ScaleSet]) -> list[tuple[int, int]]:
    """Return the upgrade domain and the phase ordering number of each slot's instance."""
    named = {
        (opened.work.compiled.directory.set_named(some.set), one.id): one
        for some in opened.subject.spares
        for one in some.instances
    }
    for s, model in enumerate(models):
        if isinstance(model.instances, Roster):
            named |= {(s, one.id): one for one in model.instances}
    found = []
    for slot in range(opened.rows["instance"]):
        s = opened.v.set_of(slot)
        ident = opened.work.id_of(slot)
        one = named.get((s, ident))
        if one is None:  # a count, spread over the zones, then over the upgrade domains
            found.append((int(ident) // max(1, len(models[s].zones)) % models[s].upgrade_domains, NO_NUMBER))
        else:
            number = one.phase_ordering_number
            found.append((one.upgrade_domain, NO_NUMBER if number is None else number))
    return found


def _percent(model: ScaleSet, options: Mapping[str, Any]) -> bytes:
    own = model.rolling_policy
    names = ("max_batch_percent", "max_unhealthy_percent", "max_unhealthy_upgraded_percent")
    found = [options[name] if getattr(own, name) is None else getattr(own, name) for name in names]
    return bytes([*found, options["unhealthy_upgraded_of"] == "set"])


def _conflicts(fleet: Fleet, cells: tuple[str, ...], pairs: bytearray, number: Mapping[str, int]) -> bytes:
    """Semantics 6: zones of a region, its zoneless cell with each, cells of a pair, users' own."""
    at = {cell: place for place, cell in enumerate(cells)}
    found = bytearray(len(cells) ** 2)

    def conflict(one: str, other: str) -> None:
        found[at[one] * len(cells) + at[other]] = found[at[other] * len(cells) + at[one]] = 1

    for region in fleet.regions:
        for one, other in combinations(cells_of(region), 2):
            conflict(one, other)
        for pair in fleet.regions:
            if pairs[number[region.name] * len(number) + number[pair.name]]:
                for one in cells_of(region):
                    for other in cells_of(pair):
                        conflict(one, other)
    for one, other in fleet.conflicts:
        conflict(one, other)
    return bytes(found)


def version_ranks(versions: tuple[str, ...]) -> list[int]:
    """Return the rank of each version number among all, 0 for the unknown one; equal versions rank equally."""
    keys = sorted({version_key(version) for version in versions if version})
    return [keys.index(version_key(version)) + 1 if version else 0 for version in versions]
