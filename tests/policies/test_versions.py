"""Section 2: which version a rollout takes its sets to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Image, ImageReference, ImageVersion, Replica
from phasegate.core.versions import version_key
from phasegate.policies.versions import counts_in, newest_target, replica_in, version_of

PLATFORM = ImageReference("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter")
GALLERY = ImageReference(gallery="corp", definition="web")
CATALOGUE = json.loads((Path(__file__).parents[1] / "data" / "marketplace-image-versions.json").read_text())
NEWEST_LISTED = [  # by hand, the largest build of each snapshot
    "17763.1457.2009030514",
    "17763.1697.2101090203",
    "17763.1757.2102060435",
    "17763.1817.2103030313",
    "17763.1935.2105080716",
    "17763.2061.2107070810",
    "17763.2183.2109130127",
]


@pytest.mark.parametrize(("snapshot", "expected"), list(zip(CATALOGUE["snapshots"], NEWEST_LISTED, strict=True)))
def test_a_catalogue_is_read_by_number(snapshot: dict[str, list[str]], expected: str) -> None:
    """A real catalogue lists its versions as text, and the last one listed is not the newest."""
    listed = snapshot["versions"]
    assert listed == sorted(listed)
    image = Image(PLATFORM, [ImageVersion(version) for version in listed])
    assert newest_target(image, [], now=0) == expected
    assert expected != max(listed) == listed[-1]


def test_973_is_older_than_1039() -> None:
    """The builds of two months of 2020 come in the wrong order as text."""
    older, newer = "17763.973.2001110547", "17763.1039.2002091844"
    assert older > newer
    assert {older, newer} <= set(CATALOGUE["snapshots"][0]["versions"])
    assert newest_target(Image(PLATFORM, [ImageVersion(newer), ImageVersion(older)]), [], now=0) == newer


@pytest.mark.parametrize(
    ("now", "expected"),
    [(9, None), (10, "1.0"), (19, "1.0"), (20, "1.2"), (1000, "1.2")],
)
def test_a_platform_version_counts_from_its_publication_on(now: int, expected: str | None) -> None:
    """The newest published version that is not excluded from latest is the target, in every region."""
    image = Image(
        PLATFORM, [ImageVersion("1.2", 20), ImageVersion("1.0", 10), ImageVersion("1.3", 0, exclude_from_latest=True)]
    )
    assert newest_target(image, [], now) == expected
    assert counts_in(image, "1.0", "anywhere", now) == (now >= 10)
    assert counts_in(image, "1.3", "anywhere", now) is False


WEB = Image(
    GALLERY,
    [
        ImageVersion("1.9", 0, False, [Replica("eastus", 5), Replica("westus", 5)]),
        ImageVersion("1.10", 0, False, [Replica("eastus", 7), Replica("westus", 0, exclude_from_latest=True)]),
        ImageVersion("1.11", 0, True, [Replica("eastus"), Replica("westus")]),
        ImageVersion("1.12", 50, False, [Replica("westus", 0)]),
        ImageVersion("1.13"),
    ],
)


@pytest.mark.parametrize(
    ("regions", "now", "expected"),
    [
        (["eastus", "westus"], 4, None),
        (["eastus", "westus"], 5, "1.9"),
        (["eastus", "westus"], 7, "1.10"),
        (["westus"], 7, "1.9"),
        (["westus"], 49, "1.9"),
        (["westus"], 50, "1.12"),
        (["eastus"], 50, "1.10"),
        (["northeurope"], 50, None),
        ([], 50, None),
    ],
)
def test_a_gallery_version_counts_region_by_region(regions: list[str], now: int, expected: str | None) -> None:
    """Publication, the replica's arrival, and both marks "exclude from latest" decide where a version counts."""
    assert newest_target(WEB, regions, now) == expected
    assert newest_target(WEB, iter(regions), now) == expected


@given(st.sets(st.sampled_from(["eastus", "westus", "northeurope"])), st.integers(0, 60))
def test_the_target_is_the_newest_that_counts_somewhere(regions: set[str], now: int) -> None:
    """`newest_target` and `counts_in` are one rule, whatever the order of the versions."""
    counting = [v.version for v in WEB.versions if any(counts_in(WEB, v.version, region, now) for region in regions)]
    expected = max(counting, key=version_key, default=None)
    assert newest_target(WEB, regions, now) == expected
    assert newest_target(Image(GALLERY, WEB.versions[::-1]), regions, now) == expected


def test_entries_are_found_by_number_and_name() -> None:
    """`1.9.0` finds `1.9`; what is not there is None and never counts; what is no version is refused."""
    assert version_of(WEB, "1.9.0") is WEB.versions[0]
    assert version_of(WEB, "1.8") is None
    assert counts_in(WEB, "1.8", "eastus", 50) is False
    assert counts_in(WEB, "1.9.0", "eastus", 50) is True
    assert replica_in(WEB.versions[0], "westus") == Replica("westus", 5)
    assert replica_in(WEB.versions[0], "northeurope") is None
    with pytest.raises(InvalidModel, match="version `newest` is not dotted integers"):
        counts_in(WEB, "newest", "eastus", 50)
