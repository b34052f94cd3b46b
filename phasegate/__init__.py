"""The rules of a safe OS image rollout as a pure policy engine."""

from __future__ import annotations

from phasegate import policies
from phasegate.core.engine import Choice, Engine
from phasegate.core.errors import IllegalTransition, InvalidEvent, InvalidModel, PhasegateError, UnknownName
from phasegate.core.events import (
    Batch,
    Cancel,
    Configured,
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
from phasegate.documents import InvalidFile
from phasegate.fleetfile import load_fleet

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Cancel",
    "Choice",
    "Code",
    "Commands",
    "Configured",
    "Do",
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
