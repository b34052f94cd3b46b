"""Which scenario gave a mutant away last: it is tried first. Nothing else hangs on it."""

from __future__ import annotations

from typing import Final

KILLERS: Final[dict[str, str]] = {}
