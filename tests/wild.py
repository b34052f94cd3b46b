"""Random fleets, policies and events of every kind; one source of chance is one story.

The source is a seeded `Random`, or one that hypothesis draws from, and shrinks.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import evolve, frozen
from fleets import CENTOS, CORP, DONE, MINUTE, NEW, NEWER, OLD, UBUNTU, a_set

import phasegate as pg
from phasegate.core.events import Event, What
from phasegate.core.lifecycle import Do, Life
from phasegate.core.model import Extension, Fleet, Group, Replica, RollingPolicy, ServiceFabric, Window
from phasegate.core.state import State

IMAGES = (UBUNTU, CENTOS, CORP)


# --- fleets ----------------------------------------------------------------------------------------------------------


def a_wild_fleet(chance: Random) -> Fleet:
    """Return up to four regions, in chains of pairs, with up to five small sets of every kind."""
    names = ("a", "b", "c", "d")[: chance.randint(1, 4)]
    regions = []
    for name in names:
        others = [other for other in (*names, "elsewhere") if other != name]
        pair = chance.choice(others) if chance.random() < 0.6 else None
        regions.append(pg.Region(name, pair, ("1", "2", "3")[: chance.choice((0, 1, 2, 2, 2, 3))]))
    sets = [
        _a_wild_set(chance, f"s{at}", chance.choice(regions)) for at in range(chance.choice((0, 1, 2, 3, 4, 5, 5, 5)))
    ]
    cells = [f"{region.name}/{zone}" for region in regions for zone in (*region.zones, "-")]
    conflicts = chance.choice((0, 0, 1, 2)) if len(cells) > 1 else 0
    return Fleet(
        regions=regions,
        images=[
            pg.Image(UBUNTU, [pg.ImageVersion(OLD), pg.ImageVersion(NEW)]),
            pg.Image(CENTOS, [pg.ImageVersion(OLD), pg.ImageVersion(NEW)]),
            pg.Image(CORP, [_replicated(chance, version, names) for version in (OLD, NEW)]),
        ],
        sets=sets,
        conflicts=[tuple(chance.sample(cells, 2)) for _ in range(conflicts)],
        groups=[_a_wild_group(chance, f"g{at}", cells, sets) for at in range(chance.choice((0, 0, 1, 2, 3)))],
    )


def _replicated(chance: Random, version: str, regions: tuple[str, ...]) -> pg.ImageVersion:
    return pg.ImageVersion(version, regions=[Replica(name) for name in regions if chance.random() < 0.6])


def _a_wild_group(chance: Random, name: str, cells: list[str], sets: list[pg.ScaleSet]) -> Group:
    counts: Any = chance.choice(("instances", "cells", "sets"))
    among = cells if counts == "cells" else [one.full_name for one in sets]
    members = [member for member in among if chance.random() < 0.6]
    return Group(name=name, counts=counts, members=members, limit=chance.randint(1, 3))


def _a_wild_set(chance: Random, name: str, region: pg.Region) -> pg.ScaleSet:
    zones = tuple(zone for zone in region.zones if chance.random() < 0.8)
    domains = chance.randint(1, 3)
    size = chance.choice((0, 1, 1, 2, 3, 4, 5, 6, 12, 12))
    instances: Any = size
    if chance.random() < 0.7:
        numbered, is_shielded = chance.random() < 0.2, chance.random() < 0.1
        rows = [_a_wild_instance(chance, str(at), zones, domains, numbered=numbered) for at in range(size)]
        instances = [evolve(row, protect_from_scale_set_actions=True) for row in rows] if is_shielded else rows
    return a_set(
        f"{region.name}/{name}",
        instances,
        image=chance.choice((UBUNTU, UBUNTU, UBUNTU, CENTOS, CORP)),
        zones=zones,
        upgrade_domains=domains,
        tags={"team": chance.choice("xy")},
        configured_at_ms=0 if chance.random() < 0.15 else None,
        automatic_os_upgrade=chance.random() < 0.95,
        disable_automatic_rollback=chance.random() < 0.2,
        rolling_policy=_a_wild_rolling_policy(chance) if chance.random() < 0.5 else RollingPolicy(),
        service_fabric=ServiceFabric() if chance.random() < 0.2 else None,
        windows=(Window(day="thu", start="02:00", minutes=300),) if chance.random() < 0.15 else (),
        extensions=(Extension("app"),) if chance.random() < 0.5 else (),
    )


def _a_wild_rolling_policy(chance: Random) -> RollingPolicy:
    return RollingPolicy(
        max_batch_percent=chance.choice((None, 20, 50, 100)),
        max_unhealthy_percent=chance.choice((None, 20, 50, 100)),
        max_unhealthy_upgraded_percent=chance.choice((None, 0, 50, 100)),
        pause_between_batches_ms=chance.choice((None, 0, 1000)),
        prioritize_unhealthy=chance.choice((None, True, False)),
        enable_cross_zone=chance.choice((None, True, False)),
    )


def _a_wild_instance(
    chance: Random, ident: str, zones: tuple[str, ...], domains: int, *, numbered: bool = False
) -> pg.Instance:
    return pg.Instance(
        id=chance.choice(("", "", "vm_")) + ident,
        zone=chance.choice((None, *zones, *zones)),
        upgrade_domain=chance.randrange(domains),
        version=chance.choices((OLD, "1.5", NEW, NEWER, None, "0.9"), (12, 4, 1, 1, 1, 1))[0],
        health=chance.choices((0, 1, 2, 3), (40, 1, 1, 1))[0],
        protect_from_scale_set_actions=chance.random() < 0.05,
        protect_from_scale_in=chance.random() < 0.05,
        skip_upgrade=chance.random() < 0.05,
        phase_ordering_number=chance.choice((None, 0, 1, 2)) if numbered else None,
        failed_versions=chance.choices(((), (NEW,), (OLD, "1.1"), (NEW, NEWER)), (30, 1, 1, 1))[0],
    )


# --- policies --------------------------------------------------------------------------------------------------------


@frozen
class Moody:
    """A user's policy of any kind: says wait, never, all or a part, by what it sees."""

    kind: int
    name: str = "moody"

    def judge(self, question: pg.policies.Question) -> pg.policies.Admit | pg.policies.Wait | pg.policies.Never:
        """Answer by team, by the number of sets at work, by parity of ids."""
        team = question.set.tags["team"]
        if self.kind & 1 and team == "x" and question.upgrade_domain == 1:
            return pg.policies.Never(("frozen",))
        if self.kind & 2 and len([name for name in question.at_work if name != question.set.full_name]) >= 1:
            return pg.policies.Wait(("one at a time",))
        if self.kind & 4:
            return pg.policies.Admit(frozenset(name for name in question.ids if name[-1] in "02468"))
        return pg.policies.Admit()


CHOICES: dict[str, tuple[Any, ...]] = {
    "max_batch_percent": (5, 34, 50, 100),
    "max_unhealthy_percent": (50, 100),
    "max_unhealthy_upgraded_percent": (0, 50, 50, 100, 100),
    "unhealthy_upgraded_of": ("set",),
    "unhealthy_shrinks_batch": (False,),
    "prioritize_unhealthy": (True,),
    "pause_between_batches_ms": (500, MINUTE),
    "phase_failure_percent": (30, 50, 100),
    "phase_bake_ms": (700, MINUTE),
    "health_timeout_ms": (1000, 5 * MINUTE, 5 * MINUTE),
    "step_timeout_ms": (3000, 90 * MINUTE, 90 * MINUTE),
    "supersede": ("cancel",),
    "delays": (False,),
}
SELDOM: dict[str, Any] = {"enable_cross_zone": True, "disable_automatic_rollback": True}


def a_wild_policy(chance: Random, *, is_moody: bool = False) -> pg.policies.AvailabilityFirst:
    """Return a policy with some of its options set, and, if it may be moody, now and then with a user's own."""
    options = {name: chance.choice(values) for name, values in CHOICES.items() if chance.random() < 0.5}
    options |= {name: value for name, value in SELDOM.items() if chance.random() < 0.1}
    if is_moody and chance.random() < 0.3:
        options["also"] = [Moody(chance.randint(1, 7))]
    return pg.policies.availability_first(**options)


# --- events ----------------------------------------------------------------------------------------------------------

KINDS = {"start": 20, "legal": 15, "answer": 30, "mixed": 5, "promote": 30, "health": 8, "wait": 10, "rare": 8}


def a_wild_event(chance: Random, engine: pg.Engine, state: State) -> Event:
    """Return something that may happen now; most of the time something that helps."""
    kind = chance.choices(tuple(KINDS), tuple(KINDS.values()))[0]
    now = state.now
    if kind == "start":
        picks = engine.select(state)
        return pg.Start(picks if chance.random() < 0.7 else picks[: chance.randint(0, len(picks))], now)
    if kind == "legal":
        found = engine.legal(state)
        if found:
            choice = chance.choice(found)
            return pg.Start([pg.Batch(choice.set, part_of(chance, engine, state, choice))], now)
    if kind == "answer":
        return _answers(engine, state)
    if kind == "mixed":
        return _mixed_reports(chance, engine, state)
    if kind == "promote":
        waiting = [slot for slot in _slots(engine, state) if engine.life(state, slot) is Life.VERIFYING]
        waiting = waiting if chance.random() < 0.7 else waiting[:1]
        return pg.Signals.of(What.HEALTHY, waiting, now + 1)
    if kind == "health":
        later = now + chance.choice((0, 1, 1000))
        observed_at = max(0, chance.choice((now - 1000, now, later)))
        return pg.Signals.of(
            _a_health(chance), _some(chance, _slots(engine, state))[:2], later, observed_at=observed_at
        )
    if kind == "rare":
        return _a_rare_event(chance, engine, state)
    time = engine.next_time(state)
    return pg.Tick(now + chance.choice((0, 10, 1000)) if time is None or chance.random() < 0.5 else max(now, time))


def _slots(engine: pg.Engine, state: State) -> list[int]:
    return [slot for one in engine.fleet.sets for slot in engine.members(state, one.full_name)]


def _some(chance: Random, among: Any) -> list[Any]:
    return chance.sample(among, chance.randint(0, len(among)))


def _a_health(chance: Random) -> What:
    return chance.choice((What.HEALTHY, What.HEALTHY, What.UNHEALTHY, What.UNKNOWN, What.INITIALIZING))


def _answers(engine: pg.Engine, state: State) -> Event:
    """Return the answer to every open command: done."""
    parts = [
        pg.Signals.of(DONE[command.do], command.slots, state.now, attempt=command.attempt, answers=command.do)
        for command in engine.outstanding(state)
    ]
    return pg.Signals.joined(parts, state.now)


def _mixed_reports(chance: Random, engine: pg.Engine, state: State) -> Event:
    """Return answers of either kind to some open commands, health of some, and one that answers nobody.

    Now and then the same instances answer what the event itself commands, too.
    """
    now = state.now + chance.choice((0, 0, 1, 500))
    parts = []
    for command in engine.outstanding(state):
        failed = What.RESTORE_FAILED if command.do is Do.RESTORE else What.FAILED
        what = chance.choice((DONE[command.do], DONE[command.do], DONE[command.do], failed))
        some = [slot for slot in command.slots if chance.random() < 0.7]
        parts.append(pg.Signals.of(what, some, now, attempt=command.attempt, answers=command.do))
        if chance.random() < 0.2:
            given = Do.RESTORE if what == What.FAILED else Do.CONFIGURE
            parts.append(pg.Signals.of(DONE[given], some, now, attempt=command.attempt, answers=given))
    heard = _some(chance, _slots(engine, state))
    observed_at = max(0, now - chance.choice((0, 0, 5, 3000)))
    what = What.HEALTHY if chance.random() < 0.7 else _a_health(chance)
    parts.append(pg.Signals.of(what, heard, now, observed_at=observed_at))
    if state.rows["instance"]:
        slot = chance.randrange(state.rows["instance"])  # it may be gone
        what, do = chance.choice(list(What)), chance.choice(list(Do))
        parts.append(pg.Signals.of(what, [slot], now, attempt=chance.randint(0, 2), answers=do))
    return pg.Signals.joined(parts, now)


def _a_rare_event(chance: Random, engine: pg.Engine, state: State) -> Event:
    """Return what somebody does to the fleet or its rollouts."""
    now = state.now + chance.choice((0, 0, 1))
    rollout = chance.choice((None, *range(state.rows["rollout"])))
    image = chance.choice(IMAGES).name
    region = chance.choice(engine.fleet.regions).name
    makers: list[Callable[[], Event]] = [
        lambda: pg.Rollout(image, now),
        lambda: pg.Rollout(image, now, chance.choice((OLD, NEW))),
        lambda: pg.Pause(now, rollout),
        lambda: pg.Resume(now, rollout),
        lambda: pg.Resume(now),
        lambda: pg.Cancel(now, rollout) if chance.random() < 0.3 else pg.Resume(now, rollout),
        lambda: pg.Replicated(CORP.name, chance.choice((OLD, NEW)), region, now, chance.random() < 0.2),
        lambda: pg.Published(image, pg.ImageVersion(NEWER, published_at_ms=chance.choice((0, now + 2000))), now),
    ]
    if engine.fleet.sets:
        model = chance.choice(engine.fleet.sets)
        name = model.full_name
        ids = engine.ids(state, engine.members(state, name))
        makers += [
            lambda: pg.Rollout(model.image.name, now, sets=(name,), started_by="user"),
            lambda: pg.Protected(name, _some(chance, ids)[:2], chance.random() < 0.5, now),
            lambda: pg.Scaled(name, now, removed=_some(chance, ids)[: chance.choice((1, 2, 20))]),
            lambda: pg.Scaled(name, now, added=_newcomers(chance, model, ids)),
            lambda: pg.Configured(evolve(model, automatic_os_upgrade=chance.random() < 0.7), now),
            lambda: pg.Configured(evolve(model, upgrade_mode="manual"), now),
            lambda: pg.Applied(name, ids if chance.random() < 0.7 else _some(chance, ids), now),
            lambda: pg.Configured(evolve(model, image=chance.choice(IMAGES)), now),
        ]
    return chance.choice(makers)()


def _newcomers(chance: Random, model: pg.ScaleSet, ids: Any) -> list[pg.Instance]:
    free = [f"{at}" for at in range(20) if f"{at}" not in ids and f"vm_{at}" not in ids]
    return [_a_wild_instance(chance, ident, model.zones, 4) for ident in free[: chance.randint(1, 3)]]


def part_of(chance: Random, engine: pg.Engine, state: State, choice: pg.Choice) -> list[int]:
    """Return a random non-empty part of the candidates within both numbers."""
    candidates = chance.sample(choice.candidates, len(choice.candidates))
    part = [candidates[0]]
    well = _is_well(engine, state, candidates[0])
    for slot in candidates[1 : chance.randint(1, len(candidates))]:
        is_well = _is_well(engine, state, slot)
        if len(part) < choice.at_most and well + is_well <= choice.healthy_at_most:
            part.append(slot)
            well += is_well
    return part


def _is_well(engine: pg.Engine, state: State, slot: int) -> bool:
    return engine.health(state, slot) in (pg.Health.HEALTHY, pg.Health.INITIALIZING)
