"""Remove one rule after the other, and see that a test notices: `python tests/rules_removed.py [RULE ...]`.

A rule is one policy of `availability.PARTS`, one code of the eligibility table (`eligibility:CODE`), one entry of the
life-cycle table (`life:EVENT:STATE`), one reason (`reason:CODE`), or one option of the policy (`option:NAME`, which
then has its default whatever is said). Each is taken out in a process of its own, which then runs the test module that
speaks of it; it must fail. A rule that nobody misses is a gap: it is printed, and the exit status is 1.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import hypothesis.strategies  # noqa: F401 - what is imported here, the processes need not import again
import pytest
from attrs import evolve, fields

from phasegate.core import explaining, lifecycle
from phasegate.core.model import Fleet
from phasegate.core.reasons import Code
from phasegate.core.rules import Rules
from phasegate.policies import availability, eligibility

HERE = Path(__file__).parent
REMOVE = "PHASEGATE_TEST_WITHOUT"

SPEAKS_OF = {
    "eligibility": "core/test_attempts.py",
    "targets": "core/test_versions_and_targets.py",
    "protection": "core/test_changes.py",
    "retries": "core/test_versions_and_targets.py",
    "phases": "core/test_phases_and_pairs.py",
    "pairs": "core/test_phases_and_pairs.py",
    "zones": "core/test_zones_cells_groups.py",
    "conflicts": "core/test_zones_cells_groups.py",
    "groups": "core/test_zones_cells_groups.py",
    "delays": "core/test_time.py",
    "maintenance-windows": "core/test_time.py",
    "upgrade-domains": "core/test_gates_and_batches.py",
    "service-fabric-domains": "core/test_gates_and_batches.py",
    "phase-order": "core/test_gates_and_batches.py",
    "batches": "core/test_gates_and_batches.py",
    "health-gate": "core/test_gates_and_batches.py",
    "upgraded-gate": "core/test_gates_and_batches.py",
    "rollback": "core/test_lifecycle.py",
}


def rules() -> dict[str, str]:
    """Return every rule that can be taken out, with the test module that speaks of it."""
    found = {part.name: SPEAKS_OF[part.name] for part in availability.PARTS}
    found |= {f"eligibility:{code.value}": "policies/test_eligibility.py" for code, _ in eligibility.RULES}
    found |= {f"reason:{code.value}": "core/test_reasons.py" for code in Code}
    found |= {f"option:{a.name}": "core/test_options.py" for a in fields(availability.AvailabilityFirst)}
    for happening, row in lifecycle.TABLE.items():
        for life, entry in zip(lifecycle.Life, row, strict=True):
            if entry != lifecycle.__:
                found[f"life:{happening.word}:{life.word}"] = "core/test_lifecycle.py"
    return found


def remove(rule: str) -> None:
    """Take one rule out of this process; tests/conftest.py calls it before anything is imported by a test."""
    if rule not in rules():
        raise SystemExit(f"no rule `{rule}` to remove")
    kind, _, rest = rule.partition(":")
    match kind:
        case "life":
            _remove_entry(*rest.split(":"))
        case "reason":
            _remove_reason(Code(rest))
        case "option":
            _remove_option(rest)
        case "eligibility" if rest:
            kept = tuple(entry for entry in eligibility.RULES if entry[0].value != rest)
            eligibility.RULES = kept  # type: ignore[misc]
        case _:
            parts = tuple(part for part in availability.PARTS if part.name != rule)
            availability.PARTS = parts  # type: ignore[misc]


def _remove_entry(event: str, state: str) -> None:
    """Let the event not belong in that state any more."""
    happening = next(known for known in lifecycle.Happening if known.word == event)
    row = list(lifecycle.TABLE[happening])
    row[next(known for known in lifecycle.Life if known.word == state)] = lifecycle.__
    lifecycle.TABLE[happening] = tuple(row)


def _remove_reason(code: Code) -> None:
    """Leave the reason out of every explanation and verdict."""

    def without(told: Callable[..., Any]) -> Callable[..., Any]:
        def tell(*arguments: Any) -> Any:
            found = told(*arguments)
            return evolve(found, reasons=tuple(one for one in found.reasons if one.code != code))

        return tell

    explaining.explain, explaining.check = without(explaining.explain), without(explaining.check)


def _remove_option(name: str) -> None:
    """Let the policy go by the option's default, whatever it was given."""
    default = getattr(availability.availability_first(), name)
    rules_of = availability.AvailabilityFirst.rules

    def rules(policy: availability.AvailabilityFirst, fleet: Fleet) -> Rules:
        return rules_of(evolve(policy, **{name: default}), fleet)

    availability.AvailabilityFirst.rules = rules  # type: ignore[method-assign]


def is_missed(rule: str, module: str) -> bool:
    """Return whether a test fails without the rule; to be asked once in a process.

    An exit status other than "tests failed" is an error of its own.
    """
    os.environ[REMOVE] = rule
    with redirect_stdout(io.StringIO()) as said:
        code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", str(HERE / module)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"without `{rule}`: {said.getvalue()[-2000:]}")
    return code == pytest.ExitCode.TESTS_FAILED


def main(chosen: list[str]) -> int:
    """Remove the chosen rules, or all; print one line a rule; return the exit status."""
    todo = {rule: module for rule, module in rules().items() if not chosen or rule in chosen}
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
        missed = pool.starmap(is_missed, todo.items(), chunksize=1)
    for rule, is_ in zip(todo, missed, strict=True):
        print(f"{'missed ' if is_ else 'NOT MISSED'}  {rule}  ({todo[rule]})")
    gaps = missed.count(False)
    print(f"{len(todo)} rules removed one after the other, {gaps} of them missed by nobody")
    return 1 if gaps or not todo else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
