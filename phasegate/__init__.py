"""The rules of a safe OS image rollout as a pure policy engine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from phasegate import policies
from phasegate.core.engine import Choice, Engine
from phasegate.core.errors import IllegalTransition, InvalidEvent, InvalidModel, PhasegateError, UnknownName
from phasegate.core.events import (
    Applied,
    Batch,
    Cancel,
    Configured,
    Elapsed,
    Event,
    Pause,
    Protected,
    Published,
    Replicated,
    Resume,
    Rollout,
    Scaled,
    Signals,
    Start,
    Tick,
    What,
)
from phasegate.core.facts import Commands, Step
from phasegate.core.lifecycle import Do, Life
from phasegate.core.model import Fleet, Health, Image, ImageReference, ImageVersion, Region, ScaleSet
from phasegate.core.reasons import Code, Reason, Verdict
from phasegate.core.roster import Instance, Roster
from phasegate.core.state import State

if TYPE_CHECKING:
    from phasegate.files.documents import InvalidFile
    from phasegate.files.fleetfile import load_fleet
    from phasegate.verifying.promise import always, eventually, sometimes
    from phasegate.verifying.run import verify
    from phasegate.verifying.scenariofile import load_scenario

__version__ = "0.1.0"

_LATER = {
    "InvalidFile": "phasegate.files.documents",
    "always": "phasegate.verifying.promise",
    "eventually": "phasegate.verifying.promise",
    "load_fleet": "phasegate.files.fleetfile",
    "load_scenario": "phasegate.verifying.scenariofile",
    "sometimes": "phasegate.verifying.promise",
    "verify": "phasegate.verifying.run",
}


def __getattr__(name: str) -> Any:
    """Import what reads files or verifies when it is asked for: who embeds the engine alone does not wait for it."""
    if name not in _LATER:
        raise AttributeError(f"module `phasegate` has no attribute `{name}`")
    return getattr(import_module(_LATER[name]), name)


__all__ = [
    "Applied",
    "Batch",
    "Cancel",
    "Choice",
    "Code",
    "Commands",
    "Configured",
    "Do",
    "Elapsed",
    "Engine",
    "Event",
    "Fleet",
    "Health",
    "IllegalTransition",
    "Image",
    "ImageReference",
    "ImageVersion",
    "Instance",
    "InvalidEvent",
    "InvalidFile",
    "InvalidModel",
    "Life",
    "Pause",
    "PhasegateError",
    "Protected",
    "Published",
    "Reason",
    "Region",
    "Replicated",
    "Resume",
    "Rollout",
    "Roster",
    "ScaleSet",
    "Scaled",
    "Signals",
    "Start",
    "State",
    "Step",
    "Tick",
    "UnknownName",
    "Verdict",
    "What",
    "always",
    "eventually",
    "load_fleet",
    "load_scenario",
    "policies",
    "sometimes",
    "verify",
]
