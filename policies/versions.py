"""Which version a rollout takes its sets to (semantics 2).

Rule: the newest version that counts. A platform version counts once it is published; a gallery version counts region
by region, once it is published and replicated there. One that is marked "exclude from latest" never counts, and a
gallery version does not count in a region whose entry is so marked.

Promise: the target is one of the image's own versions, and it counts in at least one of the regions asked about.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from phasegate.core.model import Image, ImageVersion, Replica
from phasegate.core.versions import newest, version_key


def newest_target(image: Image, regions: Iterable[str], now: int) -> str | None:
    """Return the newest version that counts at `now` (ms UTC) in at least one of the regions, or None.

    For an image outside a gallery the regions do not matter: it is the same everywhere.

    >>> from phasegate.core.model import ImageReference
    >>> versions = ImageVersion("1.9", regions=[Replica("eastus")]), ImageVersion("1.10", regions=[Replica("westus")])
    >>> image = Image(ImageReference(gallery="corp", definition="web"), versions)
    >>> newest_target(image, ["eastus", "westus"], now=0), newest_target(image, ["eastus"], now=0)
    ('1.10', '1.9')
    >>> newest_target(image, ["northeurope"], now=0) is None
    True
    """
    wanted = frozenset(regions)
    return newest(version.version for version in image.versions if _counts(image, version, wanted, now))


def counts_in(image: Image, version: str, region: str, now: int) -> bool:
    """Return whether the version counts in the region at `now` (ms UTC); one that the image does not have never does.

    `InvalidModel` if `version` is not dotted integers.
    """
    found = version_of(image, version)
    return found is not None and _counts(image, found, (region,), now)


def version_of(image: Image, version: str) -> ImageVersion | None:
    """Return the image's entry for the version, `1.2` and `1.2.0` being the same, or None if it has none.

    `InvalidModel` if `version` is not dotted integers.
    """
    for entry in image.versions:  # nearly always it is written alike, which is ten times as fast to see
        if entry.version == version:
            return entry
    key = version_key(version)
    return next((entry for entry in image.versions if version_key(entry.version) == key), None)


def replica_in(version: ImageVersion, region: str) -> Replica | None:
    """Return the version's entry for the region, arrived or still to come, or None if it has none."""
    return next((replica for replica in version.regions if replica.name == region), None)


def _counts(image: Image, version: ImageVersion, regions: Container[str], now: int) -> bool:
    if version.exclude_from_latest or version.published_at_ms > now:
        return False
    return not image.reference.is_gallery or any(
        replica.name in regions and not replica.exclude_from_latest and replica.replicated_at_ms <= now
        for replica in version.regions
    )
