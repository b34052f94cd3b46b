"""Reads a rollout's log into plain series over time: what a plot or a report of it needs.

`collect` takes the lines one by one in their order. It keeps three small columns an instance while it reads, and gives
back series that grow with what happened: bars for each region and lane, failures, phases, and the fleet's shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import define, evolve, field

from phasegate.core.errors import InvalidModel
from phasegate.core.order import sorted_zones
from phasegate.plotting.growing import Line, RolloutSoFar, SetSoFar
from phasegate.plotting.series import Steps
from phasegate.plotting.standing import Standing
from phasegate.plotting.tracks import Mark, Timeline

_HEALTH: Final = {"healthy": False, "initializing": False, "unhealthy": True, "unknown": True}


def collect(lines: Iterable[Line]) -> Timeline:
    """Read a log into series.

    `lines` are its lines in order, the first of kind `log` with the fleet document under `fleet`; lines of a kind that
    is not drawn are passed over. They may be a generator: each is looked at once.

    `InvalidModel`, with the number of the line, if there is no line, the first is not a `log` with its fleet, a line
    lacks what its kind needs, time goes back, or a line names a set, cell or rollout that was not announced.

    >>> log = [
    ...     {"kind": "log", "t": 0, "fleet": {"regions": [{"name": "eastus", "zones": ["1"]}],
    ...      "sets": [{"name": "web", "region": "eastus", "zones": ["1"], "instances": 4}]}},
    ...     {"kind": "rollout-started", "t": 0, "rollout": 1, "image": "corp/web", "target": "1.2",
    ...      "started_by": "platform", "phases": [["eastus"]]},
    ...     {"kind": "batch-started", "t": 10, "rollout": 1, "set": "eastus/web", "cell": "eastus/1",
    ...      "instances": ["0"]},
    ...     {"kind": "became", "t": 90, "rollout": 1, "set": "eastus/web", "state": "upgraded", "instances": ["0"]},
    ... ]
    >>> timeline = collect(log)
    >>> list(timeline.rollouts[0].regions[0].lanes["1"]), timeline.in_flight.peak
    ([(10, 90)], (10, 1, 4))
    """
    reader: _Reader | None = None
    number = 0
    for number, line in enumerate(lines, start=1):
        try:
            if reader is None:
                reader = _Reader.of(line)
            else:
                reader.read(line)
        except InvalidModel as error:
            raise error.under(f"line {number}") from None
        except KeyError as error:
            raise InvalidModel(f"a `{line.get('kind')}` line lacks `{error.args[0]}`", f"line {number}") from None
        except (TypeError, AttributeError, ValueError):
            raise InvalidModel("the line does not have the shape that its kind has", f"line {number}") from None
    if reader is None:
        raise InvalidModel("the log is empty; its first line has kind `log` and the fleet")
    return reader.finish()


@define
class _Reader:
    """What is known so far. One method a kind of line; what is not among them is not drawn."""

    start_ms: int
    now: int
    zones: dict[str, tuple[str, ...]]
    sets: dict[str, SetSoFar]
    total: int
    unwell: int
    flying: int = 0
    by_step: bool = False
    rollouts: dict[int | str, RolloutSoFar] = field(factory=dict)
    marks: list[Mark] = field(factory=list)
    in_flight: Steps = field(factory=Steps)
    not_healthy: Steps = field(factory=Steps)

    @classmethod
    def of(cls, line: Line) -> _Reader:
        if line.get("kind") != "log":
            raise InvalidModel(
                "the first line of a log has kind `log` and the fleet; this is not a log, or a part of one"
            )
        now, fleet = line["t"], line["fleet"]
        zones = {region["name"]: sorted_zones(region.get("zones", ())) for region in fleet["regions"]}
        sets = {
            f"{row['region']}/{row['name']}": SetSoFar(
                region=row["region"],
                standing=Standing.of(row.get("instances", 0)),
                cross_zone=bool((row.get("rolling_policy") or {}).get("enable_cross_zone")),
            )
            for row in fleet.get("sets", ())
        }
        total = sum(place.standing.size for place in sets.values())
        unwell = sum(place.standing.not_healthy for place in sets.values())
        made = cls(now, now, zones, sets, total, unwell)
        made.record()
        return made

    def record(self) -> None:
        for steps, count in ((self.in_flight, self.flying), (self.not_healthy, self.unwell)):
            if not steps or count != steps.count[-1] or self.total != steps.whole[-1]:
                steps.record(self.now, count, self.total)

    def read(self, line: Line) -> None:
        now = line["t"]
        if now < self.now:
            raise InvalidModel(f"time goes back from {self.now} to {now} ms; a log is in order")
        self.now = now
        kind = line["kind"]
        method = _KINDS.get(kind)
        if method is not None:
            method(self, line)
        # between the lines of one step the counts are those of no state; a log without steps is taken line by line
        self.by_step = self.by_step or kind == "step"
        if kind == "step" or not self.by_step:
            self.record()

    def place(self, line: Line) -> SetSoFar:
        try:
            return self.sets[line["set"]]
        except KeyError:
            raise InvalidModel(f"set `{line['set']}` is not in the fleet of the log") from None

    def rollout(self, line: Line) -> RolloutSoFar:
        try:
            return self.rollouts[line["rollout"]]
        except KeyError:
            raise InvalidModel(f"rollout `{line['rollout']}` was not started before") from None

    def some(self, line: Line) -> list[RolloutSoFar]:
        """Return the rollout that a line names, or all that run."""
        if line.get("rollout") is not None:
            return [self.rollout(line)]
        return [rollout for rollout in self.rollouts.values() if rollout.track.ended_ms is None]

    def rollout_started(self, line: Line) -> None:
        self.rollouts[line["rollout"]] = RolloutSoFar.of(line, self.zones)

    def phase_opened(self, line: Line) -> None:
        self.rollout(line).set_phase(line["phase"], opened_ms=self.now)

    def phase_ended(self, line: Line) -> None:
        self.rollout(line).set_phase(
            line["phase"],
            ended_ms=self.now,
            succeeded=line["succeeded"],
            lost=line["lost"],
            eligible=line["eligible"],
        )

    def rollout_ended(self, line: Line) -> None:
        rollout = self.rollout(line)
        rollout.track.paused.close(self.now)
        rollout.track = evolve(rollout.track, ended_ms=self.now, status=line["status"], reason=line.get("reason") or "")

    def batch_started(self, line: Line) -> None:
        place = self.place(line)
        row = self.rollout(line).row(place.region, self.zones)
        if place.in_flight and place.row is not row:
            raise InvalidModel(
                f"a batch of `{line['set']}` starts while instances of it are in flight in another rollout"
            )
        place.cross_zone = place.cross_zone or "cells" in line
        lane = row.lane(place.cross_zone, line.get("cell", ""))
        if place.row is row and place.lane == lane and place.idle_since is not None and place.idle_since < self.now:
            row.gaps[lane].append((place.idle_since, self.now))
        started = place.standing.start(line["instances"], lane)
        row.batches += 1
        row.enter(lane, started, self.now)
        place.row, place.lane, place.idle_since = row, lane, None
        place.in_flight += started
        self.flying += started

    def landed(self, place: SetSoFar, lanes: dict[int, int]) -> int:
        if place.row is None:
            return 0  # nothing of it is in flight
        for lane, some in lanes.items():
            place.row.leave(lane, some, self.now)
        count = sum(lanes.values())
        place.in_flight -= count
        self.flying -= count
        if count and not place.in_flight:
            place.idle_since = self.now
        return count

    def became(self, line: Line) -> None:
        state = line["state"]
        if state not in ("configuring", "upgraded", "restored", "failed"):
            return  # the other states change neither what is in flight nor what is healthy
        place, ids = self.place(line), line["instances"]
        if state != "upgraded":
            # section 8: `initializing` once a disk is replaced or restored, `unknown` at failed
            self.unwell += place.standing.set_health(ids, not_healthy=state == "failed", now=self.now)
        if state == "configuring":
            return
        row = place.row or self.rollout(line).row(place.region, self.zones)
        count = self.landed(place, place.standing.land(ids))
        if state == "upgraded":
            row.upgraded += count
        else:
            row.lost[state].add(self.now, count)

    def signal(self, line: Line) -> None:
        not_healthy = _HEALTH.get(line["what"])
        if not_healthy is not None:
            standing = self.place(line).standing
            self.unwell += standing.report(line["instances"], not_healthy=not_healthy, observed_at=line["observed_at"])

    def attempt_ended(self, line: Line) -> None:
        place = self.place(line)
        place.row, place.idle_since = (None, None) if not place.in_flight else (place.row, None)
        if line["status"] in ("faulted", "cancelled"):
            self.rollout(line).row(place.region, self.zones).ends[line["status"]].add(self.now, 1)

    def scaled(self, line: Line) -> None:
        place = self.place(line)
        removed, added = line.get("removed") or (), line.get("added") or ()
        before = place.standing.size
        lanes, more = place.standing.remove(removed)
        self.landed(place, lanes)
        self.unwell += more
        place.standing.add((row["id"] for row in added), self.now)
        self.total += place.standing.size - before
        change = [f"{sign}{len(ids)}" for sign, ids in (("+", added), ("\N{MINUS SIGN}", removed)) if ids]
        self.marks.append(Mark(self.now, "scaled", f"{line['set']} {' '.join(change)}"))

    def published(self, line: Line) -> None:
        version = line["version"]
        words = version["version"] if isinstance(version, Mapping) else version
        self.marks.append(Mark(self.now, "published", f"{line['image']} {words}"))

    def paused(self, line: Line) -> None:
        for rollout in self.some(line):
            if not rollout.track.paused.is_open:
                rollout.track.paused.open(self.now)

    def resumed(self, line: Line) -> None:
        for rollout in self.some(line):
            rollout.track.paused.close(self.now)

    def cancelled(self, line: Line) -> None:
        for rollout in self.some(line):
            rollout.track = evolve(rollout.track, cancelled_ms=self.now)

    def finish(self) -> Timeline:
        self.record()
        return Timeline(
            start_ms=self.start_ms,
            end_ms=self.now,
            rollouts=tuple(rollout.finish(self.now) for rollout in self.rollouts.values()),
            marks=tuple(self.marks),
            in_flight=self.in_flight,
            not_healthy=self.not_healthy,
        )


_KINDS: Final[dict[str, Callable[[_Reader, Line], None]]] = {
    "rollout-started": _Reader.rollout_started,
    "phase-opened": _Reader.phase_opened,
    "phase-ended": _Reader.phase_ended,
    "rollout-ended": _Reader.rollout_ended,
    "batch-started": _Reader.batch_started,
    "became": _Reader.became,
    "signal": _Reader.signal,
    "attempt-ended": _Reader.attempt_ended,
    "scaled": _Reader.scaled,
    "published": _Reader.published,
    "paused": _Reader.paused,
    "resumed": _Reader.resumed,
    "cancelled": _Reader.cancelled,
}
