"""Whole rollouts as stories that a person can read."""
