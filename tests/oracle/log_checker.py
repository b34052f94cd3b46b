"""Checks a rollout log against the rules, from the log and the fleet document alone.

A second implementation, written from the text of the semantics and importing nothing of the project: what it finds in
a log that the project wrote is a fault of the one or the other. Lines are judged a step at a time: first the deadlines
that passed before the step's event, then everything else in order, then the commands, then what the step failed to say.
Where the text allows two readings the checker is silent unless both are broken.

    python tests/oracle/log_checker.py FLEET LOG

prints one finding a line and exits 0 without findings, 1 with some, 2 on input that it cannot read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

if not __package__:  # run as a script: its siblings are those of the package, as PEP 366 has it
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    __package__ = "oracle"

from . import ending, environment, living, planning, starting
from .court import Court
from .findings import RULES, Finding
from .fleet_document import REPLACING, Fleet, Json

__all__ = ["RULES", "Finding", "check", "main"]

Reader = Callable[[Court, Json], None]
IN_ORDER: Final[dict[str, Reader]] = {
    "rollout-started": planning.rollout_started,
    "phase-opened": planning.phase_opened,
    "batch-started": starting.read,
    "signal": living.read_signal,
    "became": living.read_became,
    "attempt-ended": ending.attempt_ended,
    "phase-ended": ending.phase_ended,
    "rollout-ended": ending.rollout_ended,
    "scaled": environment.scaled,
    "protected": environment.protected,
    "configured": environment.configured,
    "published": environment.published,
    "replicated": environment.replicated,
    "paused": environment.paused,
    "resumed": environment.resumed,
    "cancelled": environment.cancelled,
}
Numbered = tuple[int, Json]


def check(fleet: Json, lines: Iterable[Json]) -> list[Finding]:
    """Return every breach that the lines of a log show, in order; lines are numbered from 1, unknown kinds skipped."""
    court = Court(Fleet.of(fleet))
    for step in _steps(lines):
        _judge(court, step)
    return court.findings


def _steps(lines: Iterable[Json]) -> Iterator[list[Numbered]]:
    """Yield the lines between two `step` lines; where time moves on without one, the step was over too."""
    step: list[Numbered] = []
    for number, line in enumerate(lines, 1):
        if step and line.get("t") != step[0][1].get("t"):
            yield step
            step = []
        step.append((number, line))
        if line.get("kind") == "step":
            yield step
            step = []
    if step:
        yield step


def _judge(court: Court, step: list[Numbered]) -> None:
    reported = _reported(step)
    rest: list[Numbered] = []
    for number, line in step:
        if line.get("kind") == "became" and line.get("cause") == "deadline":
            named = line.get("instances", ())
            early = [id_ for id_ in named if _passed_before(court, line, id_, reported)]
            if early:
                _read(court, number, {**line, "instances": early}, living.read_became)
            if len(early) < len(named) or not named:
                known = frozenset(early)
                rest.append((number, {**line, "instances": [id_ for id_ in named if id_ not in known]}))
        else:
            rest.append((number, line))
    later: list[Numbered] = []
    for number, line in rest:
        kind = line.get("kind")
        if kind == "command" or (kind == "became" and line.get("state") == REPLACING):
            later.append((number, line))
        elif kind in IN_ORDER:
            _read(court, number, line, IN_ORDER[kind])
    for number, line in later:
        _read(court, number, line, living.read_command if line["kind"] == "command" else living.read_became)
    court.line, court.t = step[-1][0], max(court.t, step[-1][1].get("t", court.t))
    ending.end_step(court)
    living.end_step(court)


def _reported(step: list[Numbered]) -> frozenset[tuple[str, str]]:
    """Return the instances that the step has reports of, needed only where a deadline passes in it."""
    if not any(line.get("cause") == "deadline" for _, line in step):
        return frozenset()
    signals = (line for _, line in step if line.get("kind") == "signal")
    return frozenset((line.get("set", ""), id_) for line in signals for id_ in line.get("instances", ()))


def _passed_before(court: Court, line: Json, id_: str, reported: frozenset[tuple[str, str]]) -> bool:
    """Tell whether a deadline passed before the event: one that is due now waits for a report in the same step."""
    set_name, t = line.get("set", ""), line.get("t", court.t)
    scale_set = court.fleet.sets.get(set_name)
    instance = scale_set.instances.get(id_) if scale_set else None
    if instance is None or instance.deadline is None:
        return False
    return instance.deadline < t or (instance.deadline == t and (set_name, id_) not in reported)


def _read(court: Court, number: int, line: Json, reader: Reader) -> None:
    court.line = number
    try:
        if line["t"] < court.t:
            court.find("log", f"time falls from {court.t} to {line['t']}")
        court.t = max(court.t, line["t"])
        reader(court, line)
    except KeyError as missing:
        court.find("log", f"the line lacks {missing}, or names what is not there: {line.get('kind')}")


def main(arguments: list[str]) -> int:
    """Check the log file against the fleet file that the arguments name; return the exit status."""
    if len(arguments) != 2:
        print("error: two files are needed (use `log_checker.py FLEET LOG`)", file=sys.stderr)
        return 2
    try:
        with open(arguments[1], "rb") as log:
            findings = check(read_fleet(Path(arguments[0])), (json.loads(line) for line in log if line.strip()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"error: {type(error).__name__} {error} (in `{arguments[0]}` or `{arguments[1]}`)", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def read_fleet(path: Path) -> Json:
    """Read a fleet document from a JSON or YAML file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".yaml", ".yml"):
        import yaml

        document: Json = yaml.safe_load(text)
    else:
        document = json.loads(text)
    return document


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
