"""The rules of a safe OS image rollout as a pure policy engine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from phasegate import policies
from phasegate.core.engine import Choice, Engine
from phasegate.core.errors import IllegalTransition, InvalidEvent, InvalidModel, PhasegateError, UnknownName
from phasegate.core.events import (
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

__version__ = "0.1.0"

_OF_FILES = {"InvalidFile": "phasegate.files.documents", "load_fleet": "phasegate.files.fleetfile"}


def __getattr__(name: str) -> Any:
    """Import what reads files when somebody asks for it: whoever embeds the engine alone does not wait for it."""
    if name not in _OF_FILES:
        raise AttributeError(f"module `phasegate` has no attribute `{name}`")
    return getattr(import_module(_OF_FILES[name]), name)


__all__ = [
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
    "load_fleet",
    "policies",
]
