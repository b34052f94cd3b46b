"""The rollouts that the golden stories tell: what is run, on which inputs, and the log that comes of it.

`python tests/golden/rollouts.py NAME` prints the log of one of them.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from phasegate.core.engine import Engine
from phasegate.files.documents import read_document
from phasegate.files.fleetfile import load_fleet
from phasegate.logs.replay import policy_of
from phasegate.policies import UserPolicy
from phasegate.simulating.faults import load_faults
from phasegate.simulating.simulation import simulate

HERE: Final = Path(__file__).resolve().parent
EXAMPLES: Final = HERE.parents[1] / "examples" / "policies"
FORMAT: Final = {"format": "phasegate/policy/1"}


@frozen
class Rollout:
    """One run. Its inputs are `NAME.fleet.yaml` and, where they are there, `NAME.faults.yaml` and `NAME.policy.yaml`.

    `options` are those of `simulate`; `also` names a class in a module of examples/policies.
    """

    name: str
    every_step: bool = False
    options: dict[str, Any] = field(factory=dict, hash=False)
    also: tuple[str, str] | None = None

    def file(self, kind: str) -> Path:
        """Return the path of one of its files."""
        return HERE / f"{self.name}.{kind}"

    @property
    def prose(self) -> str:
        """What the story is about: the comment at the top of the fleet file."""
        told = []
        for line in self.file("fleet.yaml").read_text(encoding="utf-8").splitlines():
            if not line.startswith("# "):
                break
            told.append(line[2:])
        return "\n".join(told)

    def policies(self) -> tuple[UserPolicy, ...]:
        """Return the user's own policies, made anew."""
        return () if self.also is None else (getattr(example(self.also[0]), self.also[1])(),)

    def engine(self, kernel: Any = None, kind: type[Engine] = Engine) -> Engine:
        """Return the engine, on this kernel."""
        path = self.file("policy.yaml")
        options: Any = read_document(path) if path.exists() else FORMAT
        return kind(
            load_fleet(self.file("fleet.yaml")), policy_of(options, ()).evolve(also=self.policies()), kernel=kernel
        )

    def log(self, engine: Engine) -> bytes:
        """Run it, and return its log."""
        path = self.file("faults.yaml")
        chunks: list[bytes] = []
        faults = load_faults(path) if path.exists() else None
        simulate(engine, faults=faults, sink=chunks.append, **self.options)
        return b"".join(chunks)


@cache
def example(name: str) -> Any:
    """Return a module of examples/policies, by its file: examples are no package."""
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # attrs looks its classes' module up there
    spec.loader.exec_module(module)
    return module


SATURDAY_EVENING: Final = 1_774_735_200_000  # 2026-03-28 22:00 UTC

ROLLOUTS: Final = (
    Rollout("everything_works"),
    Rollout("every_step", every_step=True),
    Rollout("bad_image"),
    Rollout("maintenance_mid_batch"),
    Rollout("maintenance_before"),
    Rollout("passing_dip"),
    Rollout("turns_bad_later"),
    Rollout("of_the_set"),
    Rollout("no_shrinking"),
    Rollout("sizes"),
    Rollout("deadline", every_step=True),
    Rollout("rollback"),
    Rollout("rollback_fails"),
    Rollout("no_rollback"),
    Rollout("credentials"),
    Rollout("another_image"),
    Rollout("some_may_be_lost"),
    Rollout("manual", options={"sets": ("eastus/web",)}),
    Rollout("supersede_finish"),
    Rollout("supersede_cancel"),
    Rollout("supersede_announced"),
    Rollout("scaling"),
    Rollout("cancel"),
    Rollout("pause_resume", every_step=True),
    Rollout("stop"),
    Rollout("gallery"),
    Rollout("protected", options={"target": "2.0"}),
    Rollout("ineligible"),
    Rollout("applied"),
    Rollout("chains"),
    Rollout("service_fabric"),
    Rollout("phase_order"),
    Rollout("prioritize_unhealthy"),
    Rollout("cross_zone"),
    Rollout("zoneless"),
    Rollout("groups"),
    Rollout("windows", options={"now": SATURDAY_EVENING}),
    Rollout("delays"),
    Rollout("never_answered", every_step=True),
    Rollout("late_reports", every_step=True),
    Rollout("users_phases"),
    Rollout("users_conflicts"),
    Rollout("two_images"),
    Rollout("frozen", also=("frozen", "Frozen")),
    Rollout("team_quota", also=("team_quota", "TeamQuota")),
)
BY_NAME: Final = {rollout.name: rollout for rollout in ROLLOUTS}


@cache
def log_of(name: str, kind: type[Engine] = Engine) -> bytes:
    """Return the log of a rollout on the default kernel; each is run once."""
    rollout = BY_NAME[name]
    return rollout.log(rollout.engine(kind=kind))


def lines_of(log: bytes) -> list[dict[str, Any]]:
    """Return the lines of a log."""
    return [json.loads(line) for line in log.splitlines()]


if __name__ == "__main__":
    [wanted] = sys.argv[1:]
    sys.stdout.buffer.write(BY_NAME[wanted].log(BY_NAME[wanted].engine()))
