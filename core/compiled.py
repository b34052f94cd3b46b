"""What an engine knows for good: the fleet and its policy, numbered and flattened."""

from __future__ import annotations

from attrs import field, frozen

from phasegate.core.codes import TIMEOUT_MS_MAX
from phasegate.core.compiling import make_statics
from phasegate.core.directory import Directory, sorted_models
from phasegate.core.errors import InvalidModel
from phasegate.core.model import Fleet, ScaleSet
from phasegate.core.rules import Policy, Rules
from phasegate.core.statics import Statics
from phasegate.core.topology import Topology, check_phases


@frozen(eq=False)
class Compiled:
    """A fleet under a policy, made once."""

    fleet: Fleet
    rules: Rules = field(repr=False)
    topology: Topology
    models: tuple[ScaleSet, ...] = field(repr=False)
    directory: Directory = field(repr=False)
    statics: Statics = field(repr=False)

    @classmethod
    def of(cls, fleet: Fleet, policy: Policy) -> Compiled:
        """Compile; `InvalidModel` if the fleet's own conflicts, groups or phases, or the timeouts cannot be right."""
        rules = policy.rules(fleet)
        for name in ("health_timeout_ms", "step_timeout_ms"):
            if not 1 <= getattr(rules, name) <= TIMEOUT_MS_MAX:
                raise InvalidModel(f"{getattr(rules, name)} is not between 1 and {TIMEOUT_MS_MAX}", name)
        if rules.phases is not None:
            check_phases(rules.phases, (), rules.pairs)
        topology = Topology.of(fleet, rules.edges, rules.pairs)
        models = sorted_models(fleet)
        directory = Directory.of(models, topology)
        return cls(fleet, rules, topology, models, directory, make_statics(models, directory, topology, rules))
