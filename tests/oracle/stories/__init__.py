"""Logs written by hand: `GOOD` ones keep every rule, `BAD` ones break exactly the one that they name."""

from . import bad_batches, bad_ends, bad_lives, bad_places, good_lives, good_places
from .cast import BAD, GOOD
from .telling import Story

__all__ = ["BAD", "GOOD", "Story", "bad_batches", "bad_ends", "bad_lives", "bad_places", "good_lives", "good_places"]
