"""One case verified: what is kept of it, and the function that workers run, here or on another machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from phasegate.core.errors import PhasegateError
from phasegate.verifying.promise import Custom, load_promises
from phasegate.verifying.result import Bounds, Progress, Result, Verdict
from phasegate.verifying.run import verify
from phasegate.verifying.scenariofile import parse_scenario
from phasegate.verifying.sweeping.cases import Case, Settings

INTERRUPTED: Final = "interrupted"


@frozen(kw_only=True)
class Outcome:
    """What a case came to.

    `is_expected` says that it is violated as its scenario expects; `disagreements` are (what, expected, found).
    `is_final` says that it would come to the same once more within the same bounds: a worker that died says nothing
    of the kind.
    """

    verdict: Verdict
    reason: str | None = None
    promise: str | None = None
    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    memory_bytes: int = 0
    kernel: str | None = None
    symmetric: bool | None = None
    is_expected: bool = False
    is_final: bool = True
    disagreements: tuple[tuple[str, str, str], ...] = field(default=())

    @property
    def states_per_second(self) -> float:
        """How fast it was explored."""
        return self.states / self.seconds if self.seconds else 0.0

    @property
    def is_no(self) -> bool:
        """Whether a promise is broken that was to hold, or it does not come out as its scenario expects."""
        return (self.verdict == "violated" and not self.is_expected) or bool(self.disagreements)


@frozen(kw_only=True)
class Job:
    """What a worker is given: a case, how to verify it, and where it ends."""

    case: Case
    settings: Settings
    bounds: Bounds


def lost(why: str) -> Outcome:
    """Return the outcome of a case whose worker did not come to an end by itself."""
    return Outcome(verdict="undetermined", reason=why, is_final=False)


def died(code: int | None) -> Outcome:
    """Return the outcome of a case whose process ended with that exit code, a signal where it is negative.

    >>> died(-9).reason
    'the process ended: signal 9'
    """
    number = code or 0
    return lost(f"the process ended: signal {-number}" if number < 0 else f"the process ended: exit code {number}")


def worked(job: Job, share: int, tell: Callable[[Progress], None], stop: Callable[[], bool]) -> Outcome:
    """Verify a case in this process, one of `share` on its machine, and return what it came to, whatever happens.

    Without a bound on memory it takes its share of half of what is free now.
    """
    bounds = job.bounds
    if bounds.memory is None:
        bounds = evolve(bounds, memory=memory_share(share))
    settings = job.settings
    try:
        result = verify(
            parse_scenario(job.case.document, f"{job.case.name}.json"),
            promises=_promises(settings),
            symmetry=settings.symmetry,
            order=settings.order,
            bounds=bounds,
            kernel=settings.kernel,
            seed=settings.seed,
            progress=tell,
            stop=stop,
        )
    except PhasegateError as error:  # what only shows when it begins: how the sweep was asked for was checked before
        return Outcome(verdict="undetermined", reason=f"it cannot begin: {error}")
    except MemoryError:
        return lost("out of memory")
    except Exception as error:
        return lost(f"a fault of this program: {type(error).__name__}: {error}")
    return outcome_of(result)


def outcome_of(result: Result) -> Outcome:
    """Return what is kept of a result."""
    now = result.progress
    return Outcome(
        verdict=result.verdict,
        reason=result.reason,
        promise=result.broken.name if result.broken is not None else None,
        states=now.states,
        transitions=now.transitions,
        depth=now.depth,
        seconds=round(now.seconds, 3),
        memory_bytes=now.memory,
        kernel="compiled" if result.is_compiled else "twin",
        symmetric=result.is_symmetric,
        is_expected=result.scenario.expect.verdict == "violated" and not result.disagreements,
        is_final=result.reason != INTERRUPTED,
        disagreements=result.disagreements,
    )


def memory_share(share: int) -> int | None:
    """Return one of `share` equal parts of half of the memory that is free here; None if the system does not say."""
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return None
    return int(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 // share)


def _promises(settings: Settings) -> tuple[Custom, ...]:
    """Return somebody's own promises, from a file that is written anew here: theirs may be on another machine."""
    if settings.promises is None:
        return ()
    name, text = settings.promises
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_text(text, encoding="utf-8")
        return load_promises(str(path))


def document_of(case: Case, outcome: Outcome) -> dict[str, Any]:
    """Return what programs are told of a case: in the results file, and in the report."""
    return {
        "parameters": dict(case.parameters),
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "promise": outcome.promise,
        "states": outcome.states,
        "transitions": outcome.transitions,
        "depth": outcome.depth,
        "seconds": outcome.seconds,
        "states_per_second": round(outcome.states_per_second),
        "memory_bytes": outcome.memory_bytes,
        "kernel": outcome.kernel,
        "symmetric": outcome.symmetric,
        "is_expected": outcome.is_expected,
        "is_final": outcome.is_final,
        "disagreements": [list(one) for one in outcome.disagreements],
    }
