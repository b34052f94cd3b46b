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

__version__ = "0.1.0"
