"""Small fleets, and stories told on an engine: what tests of the rules are written in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field, frozen

import phasegate as pg
from phasegate.core.events import Batch, What
from phasegate.core.facts import AttemptEnded, BatchStarted, Commands, Fact, RolloutEnded
from phasegate.core.kernels import default_kernel
from phasegate.core.lifecycle import IN_FLIGHT, Do, Life
from phasegate.core.model import Fleet, Health, Image, ImageReference, ImageVersion, Region, Replica, ScaleSet
from phasegate.core.order import natural_key, sorted_zones
from phasegate.core.roster import Instance, Roster
from phasegate.core.rules import Rules
from phasegate.core.state import State
from phasegate.core.twin import Kernel as Twin

KERNELS = [Twin] if default_kernel() is Twin else [Twin, default_kernel()]

UBUNTU = ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
CENTOS = ImageReference("OpenLogic", "CentOS", "7.5")
CORP = ImageReference(gallery="corp", definition="web")
OLD, NEW, NEWER = "1.0", "2.0", "3.0"
MINUTE, HOUR = 60_000, 3_600_000
HEALTH_MS, STEP_MS = 5 * MINUTE, 90 * MINUTE

DONE = {Do.REPLACE: What.DISK_REPLACED, Do.CONFIGURE: What.CONFIGURED, Do.RESTORE: What.DISK_RESTORED}
OPEN = {Life.REPLACING: Do.REPLACE, Life.CONFIGURING: Do.CONFIGURE, Life.RESTORING: Do.RESTORE}


def vm(ident: int | str, zone: str | None = None, **fields: Any) -> Instance:
    """Return an instance; `health` may be a word."""
    if isinstance(fields.get("health"), str):
        fields["health"] = Health[fields["health"].upper()]
    return Instance(id=str(ident), zone=zone, **fields)


def a_set(name: str = "eastus/web", instances: int | Iterable[Instance] = 4, **fields: Any) -> ScaleSet:
    """Return a zoneless set of one upgrade domain, unless said otherwise; listed instances bring their zones."""
    region, _, short = name.rpartition("/")
    if not isinstance(instances, int):
        listed = tuple(instances)
        fields.setdefault("zones", sorted_zones({row.zone for row in listed if row.zone is not None}))
        instances = Roster.of(listed)
    known: dict[str, Any] = {"image": UBUNTU, "upgrade_domains": 1}
    return ScaleSet(name=short, region=region, instances=instances, **known | fields)


def a_fleet(*sets: ScaleSet, pairs: Mapping[str, str] | None = None, **fields: Any) -> Fleet:
    """Return a fleet of these sets: their regions with zones 1 to 3, and two versions, old and new, of every image."""
    named = pairs or {}
    sets = sets or (a_set(),)
    regions = {one.region: set[str]() for one in sets} | {name: set[str]() for name in named}
    for one in sets:
        regions[one.region] |= {*one.zones}
    references = {one.image.name: one.image for one in sets if one.image.custom is None}
    known: dict[str, Any] = {
        "regions": [Region(name, named.get(name), {"1", "2", "3", *zones}) for name, zones in regions.items()],
        "images": [an_image(reference, regions=tuple(regions)) for reference in references.values()],
        "sets": sets,
    }
    return Fleet(**known | fields)


def an_image(reference: ImageReference = UBUNTU, *versions: str, regions: Iterable[str] = ()) -> Image:
    """Return an image with these versions, replicated to those regions where it comes from a gallery."""
    replicas = tuple(Replica(name) for name in regions) if reference.is_gallery else ()
    return Image(reference, tuple(ImageVersion(version, regions=replicas) for version in versions or (OLD, NEW)))


@define
class Story:
    """An engine, the state that the story has come to, and every fact on the way."""

    engine: pg.Engine
    state: State
    facts: list[Fact] = field(factory=list)

    @property
    def now(self) -> int:
        """The time of the state."""
        return self.state.now

    # --- what happens ------------------------------------------------------------------------------------------------

    def on(self, event: Any) -> list[Fact]:
        """Step, and return what it brought about."""
        step = self.engine.step(self.state, event)
        self.state = step.state
        self.facts += step.facts
        return list(step.facts)

    def roll_out(self, image: str = UBUNTU.name, target: str | None = None, **fields: Any) -> Story:
        """Begin a rollout now."""
        self.on(pg.Rollout(image, fields.pop("now", self.now), target, **fields))
        return self

    def tick(self, by: int = 0) -> list[Fact]:
        """Let that time pass, and the timers that fall due by then."""
        return self.on(pg.Tick(self.now + by))

    def start(self, *names: str, **fields: Any) -> list[Fact]:
        """Start a batch of these instances of one set (`region/set/id`); without names, what the engine would."""
        batches = (self.batch(*names),) if names else self.engine.select(self.state)
        return self.on(pg.Start(batches, fields.pop("now", self.now)))

    def report(self, what: What, *names: str, answers: Do | None = None, **fields: Any) -> list[Fact]:
        """Report that about these instances; an answer names the first one's open command unless told to."""
        slots = self.engine.slots(self.state, names)
        if what > What.INITIALIZING:
            if answers is None:
                answers = OPEN.get(self.engine.life(self.state, slots[0]), Do.NOTHING)
            fields.setdefault("attempt", self.attempt(names[0]))
            fields["answers"] = answers
        return self.on(pg.Signals.of(what, slots, fields.pop("now", self.now), **fields))

    def healthy(self, *names: str, **fields: Any) -> list[Fact]:
        """Report these healthy."""
        return self.report(What.HEALTHY, *names, **fields)

    def unhealthy(self, *names: str, **fields: Any) -> list[Fact]:
        """Report these unhealthy."""
        return self.report(What.UNHEALTHY, *names, **fields)

    def answer(self, *names: str) -> list[Fact]:
        """Answer the open command of each of these with success, or of all that have one."""
        facts: list[Fact] = []
        for name in names or self.with_command():
            facts += self.report(DONE[OPEN[self.life(name)]], name)
        return facts

    def configured(self, *names: str) -> Story:
        """Answer until each of these, or all that have a command, are `verifying`."""
        names = names or tuple(self.with_command())
        self.answer(*names)
        self.answer(*names)
        return self

    def upgrade(self, *names: str) -> Story:
        """Take these, or everything in flight, to `upgraded`, without a moment passing if that can be."""
        names = names or tuple(self.in_flight())
        for name in names:
            while self.life(name) in (Life.REPLACING, Life.CONFIGURING):
                self.answer(name)
        return self.promote(*names)

    def promote(self, *names: str) -> Story:
        """Report these, which are `verifying`, healthy; a moment later where one was heard of at this very instant."""
        self.healthy(*names)
        late = [name for name in names if self.life(name) is Life.VERIFYING]
        if late:
            self.healthy(*late, now=self.now + 1)
        return self

    def roll_back(self, *names: str) -> Story:
        """Let these fail in the step that they are in, and bring their disks back."""
        for name in names:
            self.report(What.FAILED, name)
            self.answer(name)
        return self

    def finish(self, *names: str) -> Story:
        """Start and upgrade batch after batch, until nothing more may start."""
        for _ in range(1000):
            if not self.engine.select(self.state) and not self.in_flight():
                return self
            self.start()
            self.upgrade()
        raise AssertionError("this does not come to an end")

    # --- what there is -----------------------------------------------------------------------------------------------

    def batch(self, *names: str) -> Batch:
        """Return these instances of one set as a batch."""
        return Batch(names[0].rpartition("/")[0], self.engine.slots(self.state, names))

    def slot(self, name: str) -> int:
        """Return the slot of an instance."""
        return self.engine.slots(self.state, [name])[0]

    def life(self, name: str) -> Life:
        """Return the life-cycle state of an instance."""
        return self.engine.life(self.state, self.slot(name))

    def health(self, name: str) -> str:
        """Return the health of an instance in a word."""
        return self.engine.health(self.state, self.slot(name)).name.lower()

    def version(self, name: str) -> str | None:
        """Return the version installed on an instance."""
        return self.engine.version(self.state, self.slot(name))

    def names(self, of: str | None = None) -> list[str]:
        """Return the present instances of a set, or of all sets, by set and id."""
        sets = [of] if of is not None else sorted(one.full_name for one in self.engine.fleet.sets)
        return [
            f"{name}/{ident}"
            for name in sets
            for ident in sorted(self.engine.ids(self.state, self.engine.members(self.state, name)), key=natural_key)
        ]

    def lives(self, of: str = "eastus/web") -> dict[str, str]:
        """Return the state of each instance of a set in a word, by id."""
        return {name.rpartition("/")[2]: self.life(name).word for name in self.names(of)}

    def in_flight(self) -> list[str]:
        """Return the instances in flight."""
        return [name for name in self.names() if self.life(name) in IN_FLIGHT]

    def with_command(self) -> list[str]:
        """Return the instances with a command that nobody has answered."""
        return [name for name in self.names() if self.life(name) in OPEN]

    def selected(self) -> list[list[str]]:
        """Return the batches that the engine would start now."""
        return [
            [f"{batch.set}/{ident}" for ident in self.engine.ids(self.state, batch.slots)]
            for batch in self.engine.select(self.state)
        ]

    def legal(self) -> list[tuple[str, list[str]]]:
        """Return what is legal now: cell and candidates, with the name of the set before each id."""
        return [
            (choice.cell, [f"{choice.set}/{ident}" for ident in self.engine.ids(self.state, choice.candidates)])
            for choice in self.engine.legal(self.state)
        ]

    def check(self, *names: str) -> list[str]:
        """Return the reasons against a batch of these instances, [] if it may start."""
        return [str(reason) for reason in self.engine.check(self.state, self.batch(*names)).reasons]

    def why(self, name: str) -> list[str]:
        """Return why an instance does not start now."""
        return [str(reason) for reason in self.engine.explain(self.state, name)]

    def earliest(self, name: str) -> int | None:
        """Return when an instance may start at the earliest, as far as time alone decides."""
        return self.engine.explain(self.state, name).earliest

    def rollout(self, number: int = 0) -> dict[str, Any]:
        """Return the report of a rollout."""
        found: dict[str, Any] = self.engine.progress(self.state)["rollouts"][number]
        return found

    def status(self, of: str | None = None, number: int = 0) -> str:
        """Return the status of a rollout, or of a set's part of it."""
        return str(self.rollout(number)["status"] if of is None else self.of_set(of, number)["status"])

    def error(self, of: str = "eastus/web", number: int = 0) -> str | None:
        """Return the error code of a set's attempt."""
        found: str | None = self.of_set(of, number)["error"]
        return found

    def of_set(self, of: str, number: int = 0) -> dict[str, Any]:
        """Return a set's part of the report of a rollout."""
        return next(entry for entry in self.rollout(number)["sets"] if entry["name"] == of)

    def refused(self, number: int = 0) -> dict[str, list[str]]:
        """Return the codes of the sets that a rollout left out."""
        return {entry["name"]: entry["codes"] for entry in self.rollout(number)["ineligible"]}

    def attempt(self, name: str) -> int:
        """Return the attempt of the command that an instance was given last, 0 for none."""
        slot = self.slot(name)
        given = [fact.attempt for fact in self.facts if isinstance(fact, Commands) and slot in fact.slots]
        return given[-1] if given else 0

    def started(self) -> list[BatchStarted]:
        """Return the batches that have started."""
        return [fact for fact in self.facts if isinstance(fact, BatchStarted)]

    def ended(self) -> list[str]:
        """Return the sets whose attempts have ended, and how, in order; then the rollouts."""
        found = [f"{fact.set} {fact.status}" for fact in self.facts if isinstance(fact, AttemptEnded)]
        return found + [f"{fact.rollout} {fact.status}" for fact in self.facts if isinstance(fact, RolloutEnded)]


def a_story(kernel: Any, fleet: Fleet | ScaleSet | None = None, *, now: int = 0, **options: Any) -> Story:
    """Return a story on that fleet before anything has begun; without delays, unless the options say otherwise."""
    if fleet is None or isinstance(fleet, ScaleSet):
        fleet = a_fleet(fleet) if fleet is not None else a_fleet()
    policy = options.pop("policy", None) or pg.policies.availability_first(**{"delays": False} | options)
    engine = pg.Engine(fleet, policy, kernel=kernel)
    return Story(engine, engine.initial(now))


@frozen
class Known:
    """A policy of which it is known already what it makes of the rules for a fleet."""

    made: Rules

    def rules(self, fleet: Fleet) -> Rules:
        """Return what is known."""
        return self.made


def afresh(engine: pg.Engine) -> pg.Engine:
    """Return an engine under the same rules that has seen nothing yet, in half the time that its policy would take."""
    return pg.Engine(engine.fleet, Known(engine.compiled.rules), kernel=engine.kernel_class)


Behaviour = Callable[[str], bool]


def drive(story: Story, is_well: Behaviour = lambda name: True, *, rounds: int = 1000) -> Story:
    """Run the rollouts to their end: answer every command, report each instance that waits for it as `is_well` says.

    Whoever is not well stays unhealthy until its deadline; when nothing more happens, time goes on to the next timer.
    """
    for _ in range(rounds):
        before = story.state
        if story.engine.select(story.state):
            story.start()
        story.answer()
        waiting = [name for name in story.names() if story.life(name) is Life.VERIFYING]
        well = [name for name in waiting if is_well(name)]
        if well:
            story.promote(*well)
        if story.state == before:
            time = story.engine.next_time(story.state)
            if time is None:
                return story
            story.on(pg.Tick(time))
    raise AssertionError("this does not come to an end")
