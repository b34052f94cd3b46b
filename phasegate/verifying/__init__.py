"""Exhaustive verification: scenarios, runs of the explorer over them, what they show, and how it is told."""
