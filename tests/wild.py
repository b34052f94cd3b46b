"""Random fleets, and random things that happen to them; one seed is one story."""

from __future__ import annotations

from random import Random
from typing import Any

from attrs import evolve
from fleets import CENTOS, DONE, MINUTE, NEW, NEWER, OLD, OPEN, UBUNTU, a_set, vm

import phasegate as pg
from phasegate.core.events import Event, What
from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, Group, RollingPolicy, ServiceFabric, Window
from phasegate.core.state import State

REGIONS = ("a", "b", "c")


def a_wild_fleet(chance: Random) -> Fleet:
    """Return one to three regions with up to five small sets of every kind."""
    names = REGIONS[: chance.randint(1, 3)]
    pairs = {"a": "b"} if chance.random() < 0.5 else {"b": "c", "c": "a"}
    sets = tuple(_a_wild_set(chance, names, at) for at in range(chance.randint(1, 5)))
    full = [one.full_name for one in sets]
    cells = [f"{name}/{zone}" for name in names for zone in "12-"]
    groups = []
    for at in range(chance.choice((0, 0, 1, 2))):
        counts: Any = chance.choice(("instances", "cells", "sets"))
        members = cells if counts == "cells" else full
        some = tuple(chance.sample(members, chance.randint(1, len(members))))
        groups.append(Group(name=f"g{at}", counts=counts, members=some, limit=chance.randint(1, 3)))
    conflicts = [tuple(chance.sample(cells, 2))] if chance.random() < 0.3 else []
    return Fleet(
        regions=[pg.Region(name, pairs.get(name), ("1", "2")) for name in names],
        images=[pg.Image(one, (pg.ImageVersion(OLD), pg.ImageVersion(NEW))) for one in (UBUNTU, CENTOS)],
        sets=sets,
        conflicts=conflicts,
        groups=groups,
    )


def _a_wild_set(chance: Random, names: tuple[str, ...], at: int) -> pg.ScaleSet:
    instances = []
    numbered = chance.random() < 0.2
    for ident in range(chance.choice((1, 2, 3, 4, 6, 12))):
        instances.append(
            vm(
                ident,
                chance.choice(("1", "2", "1", None)),
                upgrade_domain=chance.randint(0, 1),
                version=chance.choices((OLD, "1.5", NEW, NEWER), (12, 4, 1, 1))[0],
                health=chance.choices((0, 1, 2, 3), (60, 1, 1, 1))[0],
                protect_from_scale_set_actions=chance.random() < 0.05,
                skip_upgrade=chance.random() < 0.05,
                phase_ordering_number=chance.choice((None, 1, 2)) if numbered else None,
                failed_versions=(NEW,) if chance.random() < 0.05 else (),
            )
        )
    return a_set(
        f"{chance.choice(names)}/s{at}",
        instances,
        zones=("1", "2"),
        image=chance.choice((UBUNTU, UBUNTU, CENTOS)),
        service_fabric=ServiceFabric() if chance.random() < 0.2 else None,
        windows=(Window(day="thu", start="02:00", minutes=300),) if chance.random() < 0.15 else (),
        configured_at_ms=0 if chance.random() < 0.1 else None,
        disable_automatic_rollback=chance.random() < 0.2,
        automatic_os_upgrade=chance.random() < 0.95,
        rolling_policy=RollingPolicy(enable_cross_zone=True) if chance.random() < 0.15 else RollingPolicy(),
    )


def a_wild_policy(chance: Random) -> pg.policies.AvailabilityFirst:
    """Return a policy with some of its options set."""
    options: dict[str, Any] = {}
    choices: dict[str, tuple[Any, ...]] = {
        "max_batch_percent": (5, 50, 100),
        "max_unhealthy_percent": (50, 100),
        "max_unhealthy_upgraded_percent": (0, 50, 50, 100, 100),
        "phase_failure_percent": (30, 100),
        "pause_between_batches_ms": (MINUTE,),
        "phase_bake_ms": (MINUTE,),
        "prioritize_unhealthy": (True,),
        "unhealthy_shrinks_batch": (False,),
        "unhealthy_upgraded_of": ("set",),
        "supersede": ("cancel",),
        "delays": (False,),
    }
    for name, values in choices.items():
        if chance.random() < 0.5:
            options[name] = chance.choice(values)
    return pg.policies.availability_first(**options)


def a_wild_event(chance: Random, engine: pg.Engine, state: State) -> Event:
    """Return something that may happen now; most of the time something that helps."""
    kind = chance.choices(
        ("start", "legal", "answer", "fail", "promote", "health", "wait", "rare"), (20, 15, 40, 2, 30, 8, 10, 8)
    )[0]
    now = state.now
    if kind == "start":
        return pg.Start(engine.select(state), now)
    if kind == "legal":
        found = engine.legal(state)
        if found:
            choice = chance.choice(found)
            return pg.Start([pg.Batch(choice.set, part_of(chance, engine, state, choice))], now)
    sets = [one.full_name for one in engine.fleet.sets]
    slots = [slot for name in sets for slot in engine.members(state, name)]
    some = chance.sample(slots, chance.randint(0, len(slots)))
    if kind in ("answer", "fail"):
        parts = []
        for command in engine.outstanding(state):
            what = DONE[command.do]
            if kind == "fail":
                what = What.RESTORE_FAILED if what is What.DISK_RESTORED else What.FAILED
            picked = [slot for slot in command.slots if kind == "answer" or slot in some]
            parts.append(pg.Signals.of(what, picked, now, attempt=command.attempt, answers=command.do))
        return pg.Signals.joined(parts, now)
    if kind == "promote":
        waiting = [slot for slot in slots if engine.life(state, slot) is Life.VERIFYING]
        waiting = waiting if chance.random() < 0.7 else waiting[:1]
        return pg.Signals.of(What.HEALTHY, waiting, now + 1)
    if kind == "health":
        what = chance.choice((What.HEALTHY, What.HEALTHY, What.UNHEALTHY, What.UNKNOWN, What.INITIALIZING))
        later = now + chance.choice((0, 1, 1000))
        return pg.Signals.of(what, some[:2], later, observed_at=max(0, chance.choice((now - 1000, now, later))))
    if kind == "rare":
        return _a_rare_event(chance, engine, state, chance.choice(sets))
    time = engine.next_time(state)
    return pg.Tick(now + 1000 if time is None or chance.random() < 0.6 else max(now, time))


def _a_rare_event(chance: Random, engine: pg.Engine, state: State, name: str) -> Event:
    now = state.now
    kind = chance.choice(
        ("roll", "roll", "manual", "pause", "resume", "cancel", "out", "in", "protect", "model", "late")
    )
    model = next(one for one in engine.fleet.sets if one.full_name == name)
    ids = engine.ids(state, engine.members(state, name))
    some = tuple(chance.sample(ids, chance.randint(0, len(ids))))
    if kind == "roll":
        return pg.Rollout(chance.choice((UBUNTU, CENTOS)).name, now)
    if kind == "manual":
        return pg.Rollout(model.image.name, now, sets=(name,), started_by="user")
    if kind == "pause":
        return pg.Pause(now)
    if kind == "cancel" and chance.random() < 0.3:
        return pg.Cancel(now)
    if kind == "out":
        free = [str(ident) for ident in range(20) if str(ident) not in ids][:2]
        version = chance.choice((OLD, None, "1.7"))
        zone = chance.choice(("1", "2", None))
        return pg.Scaled(name, now, added=[vm(ident, zone, version=version) for ident in free])
    if kind == "in":
        return pg.Scaled(name, now, removed=some[:2])
    if kind == "protect":
        return pg.Protected(name, some[:2], chance.random() < 0.5, now)
    if kind == "model":
        return pg.Configured(evolve(model, automatic_os_upgrade=chance.random() < 0.7), now)
    if kind == "late":
        do, slot = chance.choice((*OPEN.values(),)), chance.randrange(state.rows["instance"])  # it may be gone
        return pg.Signals.of(DONE[do], [slot], now, attempt=chance.randint(0, 2), answers=do)
    return pg.Resume(now)


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
