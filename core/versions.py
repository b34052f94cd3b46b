"""Image versions: dotted integers that compare part by part (semantics 2).

Catalogues list versions as text, where `17763.973` comes after `17763.1039`; only the numbers tell which is newer.
Missing parts count as zero, so `1.2` and `1.2.0` are the same version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from phasegate.core.errors import InvalidModel

_DOTTED = re.compile(r"[0-9]+(\.[0-9]+)*")
_LENGTH_MAX = 200

VersionKey = tuple[int, ...]


@lru_cache(maxsize=4096)  # the same few texts are compared again and again
def version_key(version: str) -> VersionKey:
    """Return the numbers of a version, trailing zeros dropped; `InvalidModel` if a part is no number.

    >>> version_key("17763.973.2001110547") < version_key("17763.1039.2002091844")
    True
    >>> version_key("1.x")
    Traceback (most recent call last):
    phasegate.core.errors.InvalidModel: version `1.x` is not dotted integers, like `1.2.0`
    """
    if len(version) > _LENGTH_MAX or not _DOTTED.fullmatch(version):
        raise InvalidModel(f"version `{version[:40]}` is not dotted integers, like `1.2.0`")
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


def newest(versions: Iterable[str]) -> str | None:
    """Return the newest of the versions, or None where there are none.

    >>> newest(["2019.0.20190410", "17763.973.2001110547", "17763.1039.2002091844"])
    '17763.1039.2002091844'
    """
    return max(versions, key=version_key, default=None)
