"""The simulated environment: what it answers, when, and what it lets happen."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from attrs import evolve, frozen
from paper_engine import NEW, OLD, UBUNTU, PaperEngine, fleet_of

from phasegate.core.errors import InvalidModel
from phasegate.core.events import (
    Applied,
    Cancel,
    Configured,
    Pause,
    Protected,
    Published,
    Replicated,
    Resume,
    Scaled,
    What,
)
from phasegate.core.facts import Became, Commands
from phasegate.core.lifecycle import Do, Life
from phasegate.core.model import Fleet, Health, Image, ImageReference, ImageVersion, Region, Replica, ScaleSet
from phasegate.core.roster import Instance, Roster
from phasegate.simulating.environment import Environment
from phasegate.simulating.faultmodel import (
    Apply,
    CancelAll,
    Configure,
    Dated,
    Fails,
    FaultEvent,
    Faults,
    NeverHealthy,
    NewReplica,
    NewVersion,
    Outage,
    PauseAll,
    Protect,
    Protection,
    Publish,
    Rates,
    Replicate,
    ResumeAll,
    Scale,
    Silent,
    Stop,
    Timing,
)
from phasegate.simulating.reports import Reports

WEB, DB = "eastus/web", "westus/db"
STEP_TIMEOUT, HEALTH_TIMEOUT = 5_400_000, 300_000


@frozen
class Policy:
    """As much of a policy as an environment reads."""

    step_timeout_ms: int = STEP_TIMEOUT
    health_timeout_ms: int = HEALTH_TIMEOUT


class World:
    """An environment, and everything that it reports, as (time, what, set, ids, observed_at)."""

    def __init__(
        self, *events: FaultEvent, rates: Rates | None = None, timing: Timing | None = None, **options: Any
    ) -> None:
        self.engine = PaperEngine(options.pop("fleet", None) or fleet_of(WEB, DB))
        faults = Faults(timing=timing or Timing(), rates=rates or Rates(), events=events)
        self.start = options.pop("start", 0)
        self.environment = Environment(
            self.engine, self.engine.fleet, faults, options.pop("seed", 0), self.start, Policy()
        )

    def command(self, do: Do, slots: list[int], *, now: int = 0, version: str = NEW, attempt: int = 1) -> None:
        """Let the engine command these slots."""
        set_name = self.engine.names[slots[0]][0]
        fact = Commands(f"1/{set_name}/{attempt}/{do.word}", do, 1, set_name, version, attempt, array("I", slots))
        self.environment.observe(self.engine.state(now), [fact])

    def became(self, life: Life, slots: list[int], *, now: int = 0, version: str = NEW) -> None:
        """Let the engine say that these slots entered a state."""
        self.engine.versions |= dict.fromkeys(slots, version)
        set_name = self.engine.names[slots[0]][0]
        self.environment.observe(self.engine.state(now), [Became(1, set_name, life, "signal", array("I", slots))])

    def reports(self, until: int = 10**9) -> list[tuple[int, str, str, str, int]]:
        """Let time pass, dated events included, and return all reports."""
        found = []
        while (now := self.environment.next_time()) is not None and now <= until:
            for happening in self.environment.happenings(now):
                assert self.environment.events(self.engine.state(now), happening, now) == ()
            for part in self.environment.reports(self.engine.state(now), now):
                ids = " ".join(self.engine.ids(None, part.slots))
                found.append((now, part.what.word, part.set, ids, part.observed_at))
        return found

    def happen(self, now: int = 10**9) -> list[Any]:
        """Return the engine's events of what is due."""
        state = self.engine.state(now)
        return [
            event
            for happening in self.environment.happenings(now)
            for event in self.environment.events(state, happening, now)
        ]


def test_by_default_everything_works_and_a_group_stays_one_group() -> None:
    """60 s, 20 s, 30 s, 60 s; the slots of the command are those of the report, uncopied."""
    world = World()
    slots = array("I", [0, 1, 2])
    command = Commands("c1", Do.REPLACE, 1, WEB, NEW, 7, slots)
    world.environment.observe(world.engine.state(5), [command])
    (report,) = world.environment.reports(world.engine.state(60_005), 60_005)
    assert report == Reports(WEB, What.DISK_REPLACED, slots, 60_005, 7, Do.REPLACE, "c1")
    assert report.slots is slots
    world.command(Do.CONFIGURE, [0])
    world.became(Life.VERIFYING, [1])
    world.command(Do.RESTORE, [2])
    world.became(Life.RESTORED, [3], version=OLD)
    assert world.reports() == [
        (20_000, "configured", WEB, "0", 20_000),
        (30_000, "healthy", WEB, "1", 30_000),
        (30_000, "healthy", WEB, "3", 30_000),
        (60_000, "disk-restored", WEB, "2", 60_000),
    ]


def test_other_facts_and_states_are_nothing_to_answer() -> None:
    """Who becomes `upgraded` or `failed` is left alone."""
    world = World()
    world.became(Life.UPGRADED, [0])
    world.became(Life.FAILED, [1])
    assert world.environment.next_time() is None


def test_reports_of_one_instant_keep_the_order_in_which_they_were_sent() -> None:
    """Two commands of one instant, and one that is answered then by chance of timing."""
    world = World()
    world.command(Do.REPLACE, [3], now=0)
    world.command(Do.REPLACE, [1], now=0)
    world.command(Do.CONFIGURE, [2], now=40_000)
    assert [ids for *_, ids, _ in world.reports()] == ["3", "1", "2"]


def test_a_span_is_drawn_from_for_each_instance() -> None:
    """All times inside, both ends possible, not all equal; another seed draws others."""
    drawn = []
    for seed in (0, 1):
        world = World(fleet=fleet_of(WEB, size=200), timing=Timing(replace_ms=(5, 9)), seed=seed)
        world.command(Do.REPLACE, list(range(200)))
        drawn.append(world.reports())
    assert [{5, 6, 7, 8, 9}] * 2 == [{time for time, *_ in reports} for reports in drawn]
    assert drawn[0] != drawn[1]


def test_draws_do_not_depend_on_the_order_of_commands() -> None:
    """The same commands in another order are answered at the same times."""
    times = []
    for order in ([0, 1], [1, 0]):
        world = World(timing=Timing(replace_ms=(0, 10**6)))
        for slot in order:
            world.command(Do.REPLACE, [slot])
        times.append({ids: time for time, _, _, ids, _ in world.reports()})
    assert times[0] == times[1]


@pytest.mark.parametrize(
    ("do", "step", "word"),
    [
        (Do.REPLACE, "replace", "failed"),
        (Do.CONFIGURE, "configure", "failed"),
        (Do.RESTORE, "restore", "restore-failed"),
    ],
)
def test_a_step_fails_for_those_that_a_pattern_names(do: Do, step: Any, word: str) -> None:
    """One id, another set untouched, and no other step."""
    world = World(Fails(instances=f"{WEB}/1", fails=step))
    world.command(do, [0, 1, 2])
    world.command(do, [6, 7])
    done = {Do.REPLACE: "disk-replaced", Do.CONFIGURE: "configured", Do.RESTORE: "disk-restored"}
    found = [(what, name, ids) for _, what, name, ids, _ in world.reports()]
    assert found == [(done[do], WEB, "0 2"), (word, WEB, "1"), (done[do], DB, "0 1")]
    for other in set(done) - {do}:
        world.command(other, [1])
        assert [done[other]] == [what for _, what, *_ in world.reports()]


def test_a_pattern_over_all_of_a_set_fails_the_whole_group_at_once() -> None:
    """With a version, only the step that is about it."""
    world = World(Fails(instances=f"{WEB}/*", fails="replace", version=NEW))
    world.command(Do.REPLACE, [0, 1], version=NEW)
    world.command(Do.REPLACE, [2], version=OLD)
    assert world.reports() == [
        (60_000, "failed", WEB, "0 1", 60_000),
        (60_000, "disk-replaced", WEB, "2", 60_000),
    ]


@pytest.mark.parametrize("step", ["replace", "configure", "restore"])
def test_a_silent_step_is_never_answered(step: Any) -> None:
    """The others of the group are."""
    world = World(Silent(instances=f"{WEB}/1", silent=step))
    world.command(Do[step.upper()], [0, 1, 2])
    assert [ids for *_, ids, _ in world.reports()] == ["0 2"]


def test_silence_about_one_version_leaves_others_alone() -> None:
    """For commands and for health."""
    world = World(
        Silent(instances=f"{WEB}/*", silent="replace", version=NEW),
        Silent(instances=f"{WEB}/*", silent="health", version=NEW),
    )
    world.command(Do.REPLACE, [0], version=NEW)
    world.command(Do.REPLACE, [1], version=OLD)
    world.became(Life.VERIFYING, [2], version=NEW)
    world.became(Life.RESTORED, [3], version=OLD)
    assert [(what, ids) for _, what, _, ids, _ in world.reports()] == [("healthy", "3"), ("disk-replaced", "1")]


def test_silent_health_is_silent_in_outages_too() -> None:
    """Nothing at all is heard of it."""
    world = World(
        Silent(instances=f"{WEB}/1", silent="health"),
        Outage(instances=f"{WEB}/*", at_ms=10, until_ms=20, health=Health.UNHEALTHY),
    )
    world.became(Life.VERIFYING, [1])
    assert {ids for *_, ids, _ in world.reports()} == {"0 2 3 4 5"}


def test_never_healthy_instances_report_unhealthy_on_their_version_only() -> None:
    """On the version named; and again healthy once restored to another."""
    world = World(NeverHealthy(instances=f"{WEB}/1", never_healthy=True, version=NEW))
    world.environment.begin(world.engine.state(0))
    world.became(Life.VERIFYING, [0, 1])
    world.became(Life.RESTORED, [1], now=40_000, version=OLD)
    assert world.reports() == [
        (30_000, "healthy", WEB, "0", 30_000),
        (30_000, "unhealthy", WEB, "1", 30_000),
        (70_000, "healthy", WEB, "1", 70_000),
    ]


def test_without_a_version_they_are_never_healthy_on_what_they_are_upgraded_to() -> None:
    """Not on what they are restored to."""
    world = World(NeverHealthy(instances=f"{WEB}/*", never_healthy=True))
    world.environment.begin(world.engine.state(0))
    world.became(Life.VERIFYING, [1])
    world.became(Life.RESTORED, [2], version=OLD)
    assert [(what, ids) for _, what, _, ids, _ in world.reports()] == [("unhealthy", "1"), ("healthy", "2")]


def test_who_stands_on_a_version_it_is_never_healthy_on_says_so_at_the_start() -> None:
    """Only where the version is named."""
    world = World(NeverHealthy(instances=f"{WEB}/[12]", never_healthy=True, from_version=OLD), start=500)
    world.environment.begin(world.engine.state(500))
    assert world.reports() == [(500, "unhealthy", WEB, "1 2", 500)]


def test_nobody_speaks_at_the_start_who_stands_on_another_version() -> None:
    """The fault is about a newer version."""
    world = World(NeverHealthy(instances=f"{WEB}/*", never_healthy=True, version=NEW))
    world.environment.begin(world.engine.state(0))
    assert world.reports() == []


def test_a_never_healthy_rate_is_drawn_once_for_instance_and_version() -> None:
    """The same ones again in a second attempt, others on another version, and none after a restore."""
    sick = []
    world = World(fleet=fleet_of(WEB, size=100), rates=Rates(never_healthy=0.5))
    for version, life in ((NEW, Life.VERIFYING), (NEW, Life.VERIFYING), ("9.9", Life.VERIFYING), (OLD, Life.RESTORED)):
        world.became(life, list(range(100)), version=version)
        sick.append({ids for _, what, _, ids, _ in world.reports() if what == "unhealthy"})
    assert sick[0] == sick[1] != sick[2]
    assert sick[3] == set()
    assert len(sick[0]) == 1  # one group of those that are


@pytest.mark.parametrize(
    ("rates", "do", "word"),
    [
        (Rates(replace_fails=1.0), Do.REPLACE, "failed"),
        (Rates(configure_fails=1.0), Do.CONFIGURE, "failed"),
        (Rates(restore_fails=1.0), Do.RESTORE, "restore-failed"),
    ],
)
def test_a_rate_of_one_fails_every_command_of_its_kind(rates: Rates, do: Do, word: str) -> None:
    """And none of another kind."""
    world = World(rates=rates)
    world.command(do, [0, 1])
    assert [what for _, what, *_ in world.reports()] == [word]
    for other in {Do.REPLACE, Do.CONFIGURE, Do.RESTORE} - {do}:
        world.command(other, [0, 1])
        assert word not in [what for _, what, *_ in world.reports()]


def test_a_late_report_comes_after_the_deadline_and_was_observed_in_time() -> None:
    """For commands and for health, within a minute after it."""
    world = World(rates=Rates(late_report=1.0))
    world.command(Do.REPLACE, [0])
    world.became(Life.VERIFYING, [1])
    (health, _, _, _, seen), (answer, _, _, _, observed) = world.reports()
    assert (seen, observed) == (30_000, 60_000)
    assert HEALTH_TIMEOUT < health <= HEALTH_TIMEOUT + 60_001
    assert STEP_TIMEOUT < answer <= STEP_TIMEOUT + 60_001


def test_a_duplicate_report_comes_once_more_within_a_minute() -> None:
    """The same report, observed at the same time."""
    world = World(rates=Rates(duplicate_report=1.0))
    world.command(Do.REPLACE, [0])
    first, second = world.reports()
    assert first[1:] == second[1:]
    assert 60_000 == first[0] <= second[0] <= 120_000


def test_an_outage_is_reported_at_its_beginning_and_its_end() -> None:
    """By instances whose machine runs; by nobody else."""
    world = World(Outage(instances=f"{WEB}/*", at_ms=10, until_ms=20, health=Health.UNHEALTHY), start=1000)
    world.engine.lives |= {1: Life.REPLACING, 2: Life.RESTORING, 3: Life.FAILED}
    assert world.reports() == [
        (1010, "unhealthy", WEB, "0 4 5", 1010),
        (1020, "healthy", WEB, "0 4 5", 1020),
    ]


def test_an_outage_without_an_end_stays() -> None:
    """There is no second report."""
    world = World(Outage(instances=f"{DB}/0", at_ms=10, health=Health.UNKNOWN))
    assert world.reports() == [(10, "unknown", DB, "0", 10)]


def test_of_two_outages_the_one_listed_last_is_reported() -> None:
    """When it ends, the other one is, then health."""
    world = World(
        Outage(instances=f"{WEB}/0", at_ms=10, until_ms=40, health=Health.UNHEALTHY),
        Outage(instances="eastus/w*/0", at_ms=20, until_ms=30, health=Health.UNKNOWN),
    )
    assert [(time, what) for time, what, *_ in world.reports()] == [
        (10, "unhealthy"),
        (20, "unknown"),
        (30, "unhealthy"),
        (40, "healthy"),
    ]


def test_in_an_outage_a_swapped_instance_reports_the_outage() -> None:
    """Its neighbour does not, and after the outage it reports of itself."""
    world = World(Outage(instances=f"{WEB}/1", at_ms=25_000, until_ms=35_000, health=Health.UNHEALTHY))
    world.became(Life.VERIFYING, [0, 1])
    world.became(Life.VERIFYING, [6])
    assert world.reports() == [
        (25_000, "unhealthy", WEB, "1", 25_000),
        (30_000, "healthy", WEB, "0", 30_000),
        (30_000, "unhealthy", WEB, "1", 30_000),
        (30_000, "healthy", DB, "0", 30_000),
        (35_000, "healthy", WEB, "1", 35_000),
    ]


def test_after_an_outage_the_never_healthy_are_unhealthy_still() -> None:
    """The others are healthy."""
    world = World(
        NeverHealthy(instances=f"{WEB}/1", never_healthy=True, version=NEW),
        Outage(instances=f"{WEB}/[01]", at_ms=50_000, until_ms=60_000, health=Health.UNKNOWN),
    )
    world.became(Life.VERIFYING, [0, 1])
    assert [(what, ids) for time, what, _, ids, _ in world.reports() if time >= 50_000] == [
        ("unknown", "0"),
        ("unknown", "1"),
        ("healthy", "0"),
        ("unhealthy", "1"),
    ]


def test_a_set_grows_by_the_next_free_numbers_spread_like_a_count() -> None:
    """Zones in turn, then upgrade domains, on the newest version available."""
    world = World(Scale(at_ms=5, scale=WEB, to=9))
    assert world.happen() == [
        Scaled(
            WEB,
            10**9,
            added=(
                Instance(id="6", zone="1", upgrade_domain=0, version=NEW),
                Instance(id="7", zone="2", upgrade_domain=0, version=NEW),
                Instance(id="8", zone="3", upgrade_domain=0, version=NEW),
            ),
        )
    ]


def test_a_set_shrinks_by_its_highest_ids() -> None:
    """In natural order: 10 and 11 before 9."""
    world = World(Scale(at_ms=5, scale=WEB, to=9), fleet=fleet_of(WEB, size=12))
    assert world.happen() == [Scaled(WEB, 10**9, removed=("9", "10", "11"))]


def test_a_set_that_has_its_size_already_is_left_alone() -> None:
    """There is no event."""
    world = World(Scale(at_ms=5, scale=WEB, to=6))
    assert world.happen() == []


def test_new_instances_of_named_ones_are_numbered_from_zero_on_the_version_given() -> None:
    """A zoneless set, and a model that was changed meanwhile."""
    world = World(Scale(at_ms=5, scale=WEB, to=3, version="7"), fleet=fleet_of(WEB, size=2, zones=()))
    world.engine.names = [(WEB, "web_a"), (WEB, "web_b")]
    model = evolve(world.engine.fleet.sets[0], upgrade_domains=1)
    (happening,) = world.environment.happenings(5)
    (event,) = world.environment.events(world.engine.state(5, [model]), happening, 5)
    assert event == Scaled(WEB, 5, added=(Instance(id="0", version="7"),))


def gallery_fleet(version: str = "latest", image: ImageReference | None = None) -> Fleet:
    """Return a set in eastus of a gallery image of which 2 is replicated there and 3 elsewhere."""
    reference = ImageReference(gallery="corp", definition="web")
    versions = [
        ImageVersion("1", regions=[Replica("eastus")]),
        ImageVersion("2", regions=[Replica("eastus")]),
        ImageVersion("3", regions=[Replica("westus")]),
    ]
    return Fleet(
        regions=[Region("eastus"), Region("westus")],
        images=[Image(reference, versions)],
        sets=[ScaleSet(name="web", region="eastus", image=image or reference, version=version)],
    )


@pytest.mark.parametrize(
    ("fleet", "version"),
    [
        (gallery_fleet(), "2"),
        (gallery_fleet(version="1"), "1"),
        (gallery_fleet(image=ImageReference(custom="disk")), None),
    ],
)
def test_a_new_instance_is_made_on_what_its_set_can_have(fleet: Fleet, version: str | None) -> None:
    """The newest that counts in its region, the pinned one, or none that is known."""
    world = World(Scale(at_ms=0, scale=WEB, to=1), fleet=fleet)
    ((scaled,), one) = world.happen(), Instance(id="0", version=version)
    assert scaled == Scaled(WEB, 10**9, added=(one,))


def test_new_instances_report_their_health() -> None:
    """30 s later."""
    world = World(rates=Rates(never_healthy=1.0))
    scaled = Scaled(WEB, 0, added=(Instance(id="6"),))
    world.engine.names.append((WEB, "6"))
    world.environment.welcome(world.engine.state(0), scaled, array("I", [12]))
    assert world.reports() == [(30_000, "unhealthy", WEB, "6", 30_000)]


@pytest.mark.parametrize(
    ("dated", "events"),
    [
        (PauseAll(pause=True, at_ms=1), [Pause(1)]),
        (ResumeAll(resume=True, at_ms=1), [Resume(1)]),
        (CancelAll(cancel=True, at_ms=1), [Cancel(1)]),
        (Stop(stop=True, at_ms=1), [Cancel(1)]),
        (
            Publish(publish=NewVersion(image=UBUNTU.name, version="19"), at_ms=1),
            [Published(UBUNTU.name, ImageVersion("19", published_at_ms=1), 1)],
        ),
        (
            Protect(protect=Protection(instances="*/1"), at_ms=1),
            [Protected(WEB, ("1",), True, 1), Protected(DB, ("1",), True, 1)],
        ),
        (
            Protect(protect=Protection(instances=f"{WEB}/[23]", protected=False), at_ms=1),
            [Protected(WEB, ("2", "3"), False, 1)],
        ),
        (Protect(protect=Protection(instances=f"{WEB}/x*"), at_ms=1), []),
        (Apply(apply="*/1", at_ms=1), [Applied(WEB, ("1",), 1), Applied(DB, ("1",), 1)]),
        (Apply(apply=f"{WEB}/x*", at_ms=1), []),
    ],
)
def test_what_is_dated_becomes_events_of_the_engine(dated: Dated, events: list[Any]) -> None:
    """One each, or one for each set."""
    assert events == World(dated).happen(1)


def test_a_replica_arrives() -> None:
    """With its exclusion from latest."""
    new = NewReplica(image="corp/web", version="3", region="eastus", exclude_from_latest=True)
    world = World(Replicate(replicate=new, at_ms=1), fleet=gallery_fleet())
    assert world.happen(1) == [Replicated("corp/web", "3", "eastus", 1, exclude_from_latest=True)]


def test_a_model_changes_only_where_the_file_says_so() -> None:
    """A mapping changes only by its keys, and a later change is made to the changed model."""
    world = World(
        Configure(configure={"set": WEB, "image": {"version": OLD}, "automatic_os_upgrade": False}, at_ms=1),
        Configure(configure={"set": WEB, "rolling_policy": {"max_batch_percent": 50}}, at_ms=2),
    )
    old = evolve(world.engine.fleet.sets[0], instances=0)
    (first,) = world.happen(1)
    assert first == Configured(evolve(old, version=OLD, automatic_os_upgrade=False), 1)
    (happening,) = world.environment.happenings(2)
    (second,) = world.environment.events(world.engine.state(2, [first.model]), happening, 2)
    assert isinstance(second, Configured)
    assert (second.model.rolling_policy.max_batch_percent, second.model.version) == (50, OLD)


def test_events_of_one_instant_keep_the_order_of_the_file() -> None:
    """Whatever their kind; earlier ones come first."""
    world = World(PauseAll(pause=True, at_ms=7), Stop(stop=True, at_ms=7), ResumeAll(resume=True, at_ms=1))
    assert world.environment.next_time() == 1
    assert world.happen(7) == [Resume(7), Pause(7), Cancel(7)]
    assert world.environment.next_time() is None


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (
            Scale(scale="eastus/wbe", to=1, at_ms=1),
            "unknown set `eastus/wbe`; did you mean `eastus/web`? (at `events[1].scale`)",
        ),
        (
            Publish(publish=NewVersion(image="Canonical/UbuntuServer", version="1"), at_ms=1),
            "unknown image `Canonical/UbuntuServer`; did you mean `Canonical/UbuntuServer/18.04-LTS`? "
            "(at `events[1].publish.image`)",
        ),
        (
            Replicate(replicate=NewReplica(image=UBUNTU.name, version="1", region="eastus"), at_ms=1),
            f"unknown gallery image `{UBUNTU.name}` (at `events[1].replicate.image`)",
        ),
        (
            Configure(configure={"set": "eastus/wb", "os": "linux"}, at_ms=1),
            "unknown set `eastus/wb`; did you mean `eastus/web`? (at `events[1].configure.set`)",
        ),
        (
            Configure(configure={"set": WEB, "zones": []}, at_ms=1),
            "`zones` of a set cannot be changed; leave it out (at `events[1].configure.zones`)",
        ),
        (
            Configure(configure={"set": WEB, "oss": "linux"}, at_ms=1),
            "unknown key `oss`; did you mean `os`? (at `events[1].configure`)",
        ),
        (
            Configure(configure={"set": WEB, "os": "beos"}, at_ms=1),
            "`beos` is none of `linux`, `windows` (at `events[1].configure.os`)",
        ),
        (
            Silent(instances="eastus/web", silent="replace"),
            "pattern `eastus/web` reaches no set; it is matched against `region/set/id` (at `events[1].instances`)",
        ),
        (
            Silent(instances="eastus/[", silent="replace"),
            "pattern `eastus/[` has a `[` that nothing closes (at `events[1].instances`)",
        ),
        (
            Silent(instances=f"{WEB}/999", silent="replace"),
            f"no instance `{WEB}/999`, and nothing scales {WEB} (at `events[1].instances`)",
        ),
        (
            NeverHealthy(instances="*", never_healthy=True, version="77.0"),
            "unknown version `77.0` (at `events[1].version`)",
        ),
        (
            Protect(protect=Protection(instances="eastsu/*"), at_ms=1),
            "pattern `eastsu/*` reaches no set; it is matched against `region/set/id` "
            "(at `events[1].protect.instances`)",
        ),
    ],
)
def test_what_does_not_fit_the_fleet_is_refused_with_its_place(event: FaultEvent, error: str) -> None:
    """Before anything runs."""
    with pytest.raises(InvalidModel) as caught:
        World(PauseAll(pause=True, at_ms=1), event)
    assert error == str(caught.value)


def test_what_there_may_come_to_be_may_be_named() -> None:
    """Instances of a set that is scaled, and versions that are on instances, published, scaled to, or pinned later."""
    fleet = fleet_of(WEB)
    rows = Roster.of([Instance(id="x", version="0.1"), Instance(id="y")])
    own = evolve(fleet.sets[0], name="own", instances=rows, zones=(), version="0.2")
    versions = ("0.1", "0.2", "0.3", "0.4", "0.5", f"{NEW}.0")
    events = (
        Publish(publish=NewVersion(image=fleet.images[0].name, version="0.3"), at_ms=1),
        Scale(scale=WEB, to=1_000, version="0.4", at_ms=1),
        Configure(configure={"set": WEB, "image": {"version": "0.5"}}, at_ms=1),
        Silent(instances=f"{WEB}/999", silent="replace"),
        Silent(instances="eastus/own/y", silent="replace"),
        *(Fails(instances="*", fails="replace", version=version) for version in versions),
    )
    World(*events, fleet=evolve(fleet, sets=(*fleet.sets, own)))


def test_a_replica_in_an_unknown_region_is_refused() -> None:
    """With its place."""
    new = NewReplica(image="corp/web", version="3", region="eastsu")
    with pytest.raises(InvalidModel) as caught:
        World(Replicate(replicate=new, at_ms=1), fleet=gallery_fleet())
    assert str(caught.value) == "unknown region `eastsu`; did you mean `eastus`? (at `events[0].replicate.region`)"
