"""Random fleets, policies and events, from a random source that hypothesis controls (and shrinks)."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

import phasegate as pg
from phasegate.core.model import Extension, Group, Replica, RollingPolicy, ServiceFabric, Window
from phasegate.core.state import State

PLATFORM = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
GALLERY = pg.ImageReference(gallery="corp", definition="web")
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


def a_fleet(random: Random) -> pg.Fleet:
    """Return a fleet of any shape: empty zones, zoneless and one-instance sets, chains of pairs, groups, conflicts."""
    names = ["a", "b", "c", "d"][: random.randint(1, 4)]
    regions = []
    for name in names:
        others = [other for other in [*names, "elsewhere"] if other != name]
        pair = random.choice(others) if random.random() < 0.5 else None
        regions.append(pg.Region(name, pair, tuple("123"[: random.randint(0, 3)])))

    platform = pg.Image(PLATFORM, [pg.ImageVersion(version) for version in VERSIONS[:2]])
    gallery = pg.Image(
        GALLERY,
        [
            pg.ImageVersion(version, regions=[Replica(name) for name in names if random.random() < 0.6])
            for version in VERSIONS[:2]
        ],
    )
    sets = [a_set(random, f"s{number}", random.choice(regions)) for number in range(random.randint(0, 5))]
    cells = [f"{region.name}/{zone}" for region in regions for zone in (*region.zones, "-")]
    conflicts = [tuple(random.sample(cells, 2)) for _ in range(random.randint(0, 2)) if len(cells) > 1]
    groups = [a_group(random, f"g{number}", cells, sets) for number in range(random.randint(0, 3))]
    return pg.Fleet(regions=regions, images=[platform, gallery], sets=sets, conflicts=conflicts, groups=groups)


def a_group(random: Random, name: str, cells: list[str], sets: list[pg.ScaleSet]) -> Group:
    """Return a group of any kind."""
    counts = random.choice(["instances", "cells", "sets"])
    among = cells if counts == "cells" else [some.full_name for some in sets]
    members = [member for member in among if random.random() < 0.6]
    return Group(name=name, counts=counts, members=members, limit=random.randint(1, 3))  # type: ignore[arg-type]


def a_set(random: Random, name: str, region: pg.Region) -> pg.ScaleSet:
    """Return a set of any shape in that region."""
    zones = tuple(zone for zone in region.zones if random.random() < 0.7)
    domains = random.randint(1, 3)
    size = random.choice([0, 1, 1, 2, 3, 5, 7, 12])
    instances: Any = size
    if random.random() < 0.5:
        instances = pg.Roster.of(an_instance(random, number, zones, domains) for number in range(size))
    return pg.ScaleSet(
        name=name,
        region=region.name,
        image=PLATFORM if random.random() < 0.7 else GALLERY,
        zones=zones,
        upgrade_domains=domains,
        tags={"team": random.choice("xy")},
        configured_at_ms=random.choice([None, None, 0]),
        automatic_os_upgrade=random.random() < 0.95,
        disable_automatic_rollback=random.random() < 0.2,
        rolling_policy=RollingPolicy(
            max_batch_percent=random.choice([None, 20, 50, 100]),
            max_unhealthy_percent=random.choice([None, 20, 50, 100]),
            max_unhealthy_upgraded_percent=random.choice([None, 0, 50, 100]),
            pause_between_batches_ms=random.choice([None, 0, 1000]),
            prioritize_unhealthy=random.choice([None, True, False]),
            enable_cross_zone=random.choice([None, True, False]),
        ),
        service_fabric=ServiceFabric() if random.random() < 0.2 else None,
        windows=[Window(day="thu", start="01:00", minutes=300)] if random.random() < 0.1 else (),
        extensions=[Extension("app")],
        instances=instances,
    )


def an_instance(random: Random, number: int, zones: tuple[str, ...], domains: int) -> pg.Instance:
    """Return one listed instance of any kind."""
    return pg.Instance(
        id=random.choice(["", "vm_"]) + str(number),
        zone=random.choice([None, *zones]),
        upgrade_domain=random.randrange(domains),
        version=random.choice([None, "1.0.0", "1.1.0", "0.9"]),
        health=random.choice([0, 0, 0, 0, 1, 2, 3]),
        protect_from_scale_set_actions=random.random() < 0.1,
        protect_from_scale_in=random.random() < 0.1,
        skip_upgrade=random.random() < 0.1,
        phase_ordering_number=random.choice([None, None, 0, 1]),
        failed_versions=random.choice([(), (), ("1.1.0",), ("1.0.0", "1.1")]),
    )


@attrs.frozen
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


def a_policy(random: Random, **options: Any) -> pg.policies.AvailabilityFirst:
    """Return a policy with any options."""
    return pg.policies.availability_first(
        max_batch_percent=random.choice([20, 34, 100]),
        max_unhealthy_percent=random.choice([20, 60, 100]),
        max_unhealthy_upgraded_percent=random.choice([0, 20, 100]),
        unhealthy_upgraded_of=random.choice(["upgraded", "set"]),
        unhealthy_shrinks_batch=random.random() < 0.7,
        prioritize_unhealthy=random.random() < 0.3,
        enable_cross_zone=random.random() < 0.1,
        pause_between_batches_ms=random.choice([0, 0, 500]),
        phase_failure_percent=random.choice([0, 50, 100]),
        phase_bake_ms=random.choice([0, 0, 700]),
        disable_automatic_rollback=random.random() < 0.2,
        health_timeout_ms=1000,
        step_timeout_ms=3000,
        supersede=random.choice(["finish", "cancel"]),
        delays=random.random() < 0.3,
        **({"also": [Moody(random.randint(0, 7))]} if random.random() < 0.3 else {}),
        **options,
    )


def an_event(random: Random, engine: pg.Engine, state: State) -> pg.Event:
    """Return something that may happen now: mostly what a rollout is made of, now and then anything else."""
    now = state.now + random.choice([0, 0, 1, 10, 500, 2000])
    kind = random.random()
    if kind < 0.30:
        picks = engine.select(state)
        return pg.Start(picks[: random.randint(0, len(picks))] if random.random() < 0.5 else picks, state.now)
    if kind < 0.40:
        choices = engine.legal(state)
        if choices:
            choice = random.choice(choices)
            return pg.Start([pg.Batch(choice.set, [random.choice(choice.candidates)])], state.now)
    if kind < 0.75:
        return some_reports(random, engine, state, now)
    if kind < 0.85:
        return pg.Tick(max(now, engine.next_time(state) or 0) if random.random() < 0.7 else now)
    return something_rare(random, engine, state, now)


def some_reports(random: Random, engine: pg.Engine, state: State, now: int) -> pg.Signals:
    """Return reports: right answers to open commands, and health of anybody."""
    parts = []
    for command in engine.outstanding(state):
        slots = [slot for slot in command.slots if random.random() < 0.7]
        answers = {
            pg.Do.REPLACE: [pg.What.DISK_REPLACED] * 5 + [pg.What.FAILED],
            pg.Do.CONFIGURE: [pg.What.CONFIGURED] * 5 + [pg.What.FAILED],
            pg.Do.RESTORE: [pg.What.DISK_RESTORED] * 2 + [pg.What.RESTORE_FAILED],
        }[command.do]
        parts.append(pg.Signals.of(random.choice(answers), slots, now, attempt=command.attempt, answers=command.do))
    slots = [slot for slot in range(state.rows["instance"]) if random.random() < 0.5]
    health = random.choice([pg.What.HEALTHY] * 6 + [pg.What.UNHEALTHY, pg.What.UNKNOWN, pg.What.INITIALIZING])
    parts.append(pg.Signals.of(health, slots, now, observed_at=max(0, now - random.choice([0, 0, 0, 5, 3000]))))
    if random.random() < 0.2 and state.rows["instance"]:
        slot = random.randrange(state.rows["instance"])
        what = random.choice(list(pg.What))
        answers_do = random.choice(list(pg.Do))
        parts.append(pg.Signals.of(what, [slot], now, attempt=random.randint(0, 2), answers=answers_do))
    return pg.Signals.joined(parts, now)


def something_rare(random: Random, engine: pg.Engine, state: State, now: int) -> pg.Event:
    """Return what somebody does to the fleet or its rollouts."""
    names = [some.full_name for some in engine.fleet.sets]
    rollouts = [None, *range(state.rows["rollout"])]
    makers: list[Any] = [
        lambda: pg.Pause(now, random.choice(rollouts)),
        lambda: pg.Resume(now, random.choice(rollouts)),
        lambda: pg.Resume(now, None),
        lambda: pg.Cancel(now, random.choice(rollouts)),
        lambda: pg.Rollout(random.choice([PLATFORM, GALLERY]).name, now),
    ]
    if names:
        name = random.choice(names)
        members = engine.members(state, name)
        ids = engine.ids(state, members)
        model = next(some for some in engine.fleet.sets if some.full_name == name)
        makers += [
            lambda: pg.Rollout(model.image.name, now, None, (name,), "user"),
            lambda: pg.Protected(name, [i for i in ids if random.random() < 0.3], random.random() < 0.5, now),
            lambda: pg.Scaled(name, now, removed=[i for i in ids if random.random() < 0.3]),
            lambda: pg.Scaled(
                name,
                now,
                added=[
                    attrs.evolve(an_instance(random, 0, model.zones, 4), id=f"n{number}")
                    for number in range(random.randint(1, 3))
                    if f"n{number}" not in ids
                ],
            ),
            lambda: pg.Configured(attrs.evolve(model, automatic_os_upgrade=random.random() < 0.5), now),
            lambda: pg.Replicated(
                GALLERY.name,
                random.choice(VERSIONS[:2]),
                random.choice([region.name for region in engine.fleet.regions]),
                now,
                random.random() < 0.2,
            ),
            lambda: pg.Published(random.choice([PLATFORM, GALLERY]).name, pg.ImageVersion(VERSIONS[2]), now),
        ]
    return random.choice(makers)()
