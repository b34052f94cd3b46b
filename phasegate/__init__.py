"""The rules of a safe OS image rollout as a pure policy engine."""

__version__ = "0.1.0"
