"""The log of a rollout: writing it, reading it, and running it through the engine again."""
