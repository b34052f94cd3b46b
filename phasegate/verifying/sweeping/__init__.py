"""Sweeps: many scenarios, or one family of them over a grid, each verified in a process of its own."""
