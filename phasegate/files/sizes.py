"""Amounts of memory as people write them: `500M`, `2 GiB`."""

from __future__ import annotations

import re
from typing import Final

from phasegate.core.errors import InvalidModel

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
BYTES_MAX: Final = 2**53  # what every reader of JSON keeps exactly, and more than any machine has
_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def bytes_of(text: str) -> int:
    """Return a number of bytes; units go by 1024, with or without the `i`.

    `InvalidModel` if the text is no amount, or more than `BYTES_MAX`.

    >>> bytes_of("1"), bytes_of("0.5k"), bytes_of("2 MiB")
    (1, 512, 2097152)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidModel(f"`{text}` is no amount of memory, like `500M` or `2G`")
    amount = float(match[1]) * _UNITS[match[2].lower()]
    if amount > BYTES_MAX:
        raise InvalidModel(f"`{text}` is more than 8192T")
    return int(amount)
