"""Builds azure.json: a fleet of 2,000 sets and 200,000 instances in 60 regions, the same bytes at every run.

    python examples/build_azure.py [OUT]

What is real, and where it comes from:

- regions, pairs, numbers of zones: `phasegate.regions`, the cloud's own list. The two `stg` regions are left out:
  nobody outside the cloud can deploy there;
- the 13 platform images: `phasegate.policies.supported_images`, the rows of the vendor's documentation;
- the versions of Windows Server `2019-Datacenter`: what the marketplace listed on 12 October 2021, as
  tests/data/marketplace-image-versions.json has it (`LISTED` below; a test compares). The last part of a version is the
  minute in which it was built. When it appeared the snapshots there only bracket: three days after it was built,
  rounded to that minute, is invented, and lies within the bracket of every version;
- numbers of Windows builds (9600, 14393, 17763); that a set holds at most 1,000 instances, and one placement group at
  most 100; that Silver and Gold node types have five nodes or more; the regions' time zones.

Invented: all other versions and their times, the galleries, and everything about teams, services and sets. The fleet
is one whose owners have switched automatic upgrades on after a year of not upgrading. The images that rest at one
version have nothing newer (for Ubuntu 16.04 and CentOS 7.5 that is so: their last versions had come out by then).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from attrs import evolve, field, frozen

from phasegate.core.model import (
    Extension,
    ExternalResource,
    Fleet,
    Group,
    HealthSource,
    Image,
    ImageReference,
    ImageVersion,
    Region,
    Replica,
    RollingPolicy,
    ScaleSet,
    ServiceFabric,
    Window,
)
from phasegate.core.roster import Instance, Roster
from phasegate.files.fleetfile import write_fleet
from phasegate.files.timezones import utc_offsets
from phasegate.policies.supported_images import DEFAULT
from phasegate.regions import region_table

SEED: Final = 20211012
SETS: Final = 2_000
INSTANCES: Final = 200_000
SET_MAX: Final = 1_000
PLACEMENT_GROUP_MAX: Final = 100
START: Final = datetime(2021, 10, 12, 7, 0, tzinfo=UTC)  # the last replica arrives, and a simulation begins

LISTED: Final = (
    *("17763.1518.2010132039", "17763.1577.2011031610", "17763.1579.2011180054", "17763.1637.2012040632"),
    *("17763.1697.2101090203", "17763.1757.2102060435", "17763.1817.2103030313", "17763.1879.2104091832"),
    *("17763.1935.2105080716", "17763.1999.2106060321", "17763.2029.2107060607", "17763.2061.2107070810"),
    *("17763.2114.2108051826", "17763.2183.2109130127"),
)
NEWER: Final = {  # the versions of images that have something newer, beside 2019-Datacenter
    "20_04-lts": ("20.04.202103250", "20.04.202109080"),
    "18.04-LTS": ("18.04.202010140", "18.04.202103250", "18.04.202109180"),
    "2016-Datacenter": ("14393.3986.2010132039", "14393.4651.2109130127"),
    "2019-Datacenter-Core-with-Containers": ("17763.1518.2010132039", "17763.2183.2109130127"),
}
RESTING: Final = {  # and the one version of each that has not
    "16.04-LTS": "16.04.202109280",
    "7.5": "7.5.201808150",
    "2012-R2-Datacenter": "9600.20120.2109130127",
    "2016-Datacenter-smalldisk": "14393.4651.2109130127",
    "2016-Datacenter-with-Containers": "14393.4651.2109130127",
    "2019-Datacenter-smalldisk": "17763.2183.2109130127",
    "2019-Datacenter-with-Containers": "17763.2183.2109130127",
    "2019-Datacenter-Core": "17763.2183.2109130127",
    "2019-Datacenter-gensecond": "17763.2183.2109130127",
}
EDGE: Final = ImageReference(gallery="golden", definition="edge")
DATABASE: Final = ImageReference(gallery="golden", definition="database")
FOCAL: Final = ImageReference("Canonical", "0001-com-ubuntu-server-focal", "20_04-lts")  # real, and not among the rows
HAND_MADE: Final = ImageReference(custom="images/licence-server-2017")

WEIGHTS: Final = {  # how much of a service runs in a region, beside 1 in all others: invented
    **{"eastus": 12.0, "westeurope": 11.0, "eastus2": 9.0, "northeurope": 7.0, "southeastasia": 7.0, "westus2": 7.0},
    **{"southcentralus": 6.0, "centralus": 5.0, "uksouth": 5.0, "australiaeast": 5.0, "japaneast": 5.0},
    **{"centralindia": 4.5, "westus": 4.0, "canadacentral": 4.0, "francecentral": 3.5, "germanywestcentral": 3.5},
    **{"westus3": 3.5, "brazilsouth": 3.0, "koreacentral": 2.5, "eastasia": 2.5, "northcentralus": 2.5},
    **{"swedencentral": 2.0, "switzerlandnorth": 2.0, "uaenorth": 2.0, "southafricanorth": 1.5, "norwayeast": 1.5},
    **{"ukwest": 0.7, "japanwest": 0.7, "canadaeast": 0.7, "koreasouth": 0.6, "westcentralus": 0.6, "westindia": 0.5},
    **{"southindia": 0.5, "francesouth": 0.4, "germanynorth": 0.4, "norwaywest": 0.4, "switzerlandwest": 0.4},
    **{"southafricawest": 0.3, "uaecentral": 0.3, "brazilsoutheast": 0.3, "australiacentral": 0.3},
    **{"australiacentral2": 0.2, "jioindiawest": 0.2, "jioindiacentral": 0.2, "eastus2euap": 0.1, "centraluseuap": 0.1},
}
TIMEZONES: Final = {  # of the regions with maintenance windows; the largest five have people at work day and night
    **{"centralus": "America/Chicago", "southcentralus": "America/Chicago", "northcentralus": "America/Chicago"},
    **{"westus": "America/Los_Angeles", "canadacentral": "America/Toronto", "brazilsouth": "America/Sao_Paulo"},
    **{"northeurope": "Europe/Dublin", "uksouth": "Europe/London", "germanywestcentral": "Europe/Berlin"},
    **{"francecentral": "Europe/Paris", "swedencentral": "Europe/Stockholm", "southafricanorth": "Africa/Johannesburg"},
    **{"japaneast": "Asia/Tokyo", "eastasia": "Asia/Hong_Kong", "centralindia": "Asia/Kolkata"},
    **{"australiaeast": "Australia/Sydney", "uaenorth": "Asia/Dubai"},
}


@frozen(kw_only=True)
class Service:
    """What a team runs: in how many regions, how much of it, from which image, and how its sets are set up.

    `size` is relative, 0 for sets of one instance; `small` are sets of a few instances, listed one by one.
    """

    team: str
    name: str
    image: str
    reach: int
    size: float
    traits: frozenset[str] = field(converter=lambda words: frozenset(words.split()))


# team, then its services: name, image, regions, size, traits
TABLE: Final = """
shop        front 18.04-LTS 60 6 zonal probe pause
shop        cart 18.04-LTS 48 4 zonal
shop        catalog 18.04-LTS 44 5 zonal probe pause
shop        checkout 2019-Datacenter 40 3 zonal pause
shop        pricing 18.04-LTS 26 2 zonal
shop        legacy-orders 2012-R2-Datacenter 9 1
payments    gateway 2019-Datacenter 42 3 zonal windows
payments    ledger 2019-Datacenter 22 2 zonal windows
payments    fraud 18.04-LTS 24 3 zonal windows
payments    settlement 2016-Datacenter 14 1 zonal windows
payments    vault-proxy 2019-Datacenter-gensecond 18 0.5 zonal
search      query 18.04-LTS 52 8 zonal probe pause
search      index 18.04-LTS 36 7 zonal pause
search      crawler 18.04-LTS 22 5
search      suggest 18.04-LTS 40 2 zonal
search      ranker 2019-Datacenter-Core-with-Containers 12 3 zonal pause
media       transcode 18.04-LTS 34 9 cross-zone prioritized pause
media       origin 18.04-LTS 30 4 zonal
media       thumbs 18.04-LTS 28 2
media       live 18.04-LTS 18 4 zonal pause
media       drm 2019-Datacenter 20 1 zonal
identity    login 2019-Datacenter 60 4 zonal probe pause
identity    directory 2019-Datacenter 46 3 zonal small-steps pause
identity    tokens 2019-Datacenter 44 2 zonal
identity    audit 2016-Datacenter 26 1 zonal pause
identity    sync 2016-Datacenter-with-Containers 10 0.6
logistics   routing 18.04-LTS 24 3 zonal
logistics   tracking 18.04-LTS 36 2 zonal
logistics   warehouse 2016-Datacenter 22 1
logistics   labels 2016-Datacenter-smalldisk 12 0.4
logistics   scanners 7.5 10 0.5
analytics   ingest 18.04-LTS 42 5 zonal pause
analytics   spark 18.04-LTS 18 10 zonal deep
analytics   reports 2019-Datacenter 24 1 zonal
analytics   notebooks 18.04-LTS 14 1
analytics   exports 16.04-LTS 14 0.7
records     archive 2019-Datacenter 28 2 zonal pause
records     scans 2019-Datacenter-smalldisk 12 0.5
records     registry golden/database 14 0.6 zonal windows database
records     cases golden/database 12 0.5 zonal database
records     history golden/database 10 0.5 database
network     edge golden/edge 48 3 zonal probe pause
network     relay golden/edge 30 2 zonal
network     dns golden/edge 36 0.2 small
network     vpn 2019-Datacenter-Core 16 0.4 zonal
network     bastion 18.04-LTS 60 0
network     probe-agents 18.04-LTS 58 0
platform    fabric-front 2019-Datacenter 24 2 fabric zonal
platform    fabric-back 2019-Datacenter 26 3 fabric zonal pause
platform    fabric-batch 2019-Datacenter 12 2 fabric stateless
platform    fabric-gold 2016-Datacenter 10 1 fabric gold
platform    builders 18.04-LTS 22 4
platform    windows-builders 2019-Datacenter-with-Containers 14 1
platform    runners 2019-Datacenter-Core-with-Containers 16 2
platform    monitors 18.04-LTS 60 0.2 small
platform    config 2019-Datacenter 56 0
platform    jump 2019-Datacenter 40 0
internal    mail 2016-Datacenter 12 1 zonal
internal    files 2016-Datacenter 16 0.7 zonal
internal    wiki 18.04-LTS 8 0.1 small manual
internal    desktops 2019-Datacenter 18 3
internal    licences custom 6 0
internal    print 2012-R2-Datacenter 8 0.2
internal    lab 20_04-lts 6 0.3
games       lobby 18.04-LTS 32 2 zonal
games       match 18.04-LTS 36 6 cross-zone pause
games       sessions 2019-Datacenter 30 5 zonal pause
games       stats 18.04-LTS 20 1 zonal
games       voice 18.04-LTS 28 3 zonal
games       patcher 2019-Datacenter 34 1
platform    mirror 18.04-LTS 40 1 zonal
search      logs 18.04-LTS 34 3 zonal
media       ads 2019-Datacenter 27 2 zonal
"""

# what keeps sets out: the set's fields that differ, each for a few sets
KEPT_OUT: Final[tuple[dict[str, Any], ...]] = (
    {"automatic_os_upgrade": False},
    {"version": "installed"},  # pinned to the version that is installed
    {"health_sources": ()},
    {"health_sources": (HealthSource.PROBE, HealthSource.EXTENSION), "load_balancer_sku": "Standard"},
    {"api_version": "2018-06-01"},
    {"patch_mode": "AutomaticByPlatform"},
    {"external_resources": (ExternalResource("payload-sas", available=False),)},
)
KEPT_OUT_EACH: Final = 4


def services() -> Iterator[Service]:
    """Yield the rows of the table."""
    for row in TABLE.strip().splitlines():
        team, name, image, reach, size, *traits = row.split()
        yield Service(team=team, name=name, image=image, reach=int(reach), size=float(size), traits=" ".join(traits))


def regions() -> tuple[Region, ...]:
    """Return the regions that customers can deploy to."""
    return tuple(region for region in region_table() if not region.name.endswith("stg"))


def ms(at: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def published(version: str) -> int:
    """Return when a platform version appeared: three days after it was built, where it says when."""
    stamp = version.rsplit(".", maxsplit=1)[-1]
    if len(stamp) == 10:
        built = datetime.strptime(stamp, "%y%m%d%H%M").replace(tzinfo=UTC)
    else:
        built = datetime.strptime(stamp[:8], "%Y%m%d").replace(tzinfo=UTC)
    return ms(built + timedelta(days=3))


def images(places: tuple[Region, ...]) -> Iterator[Image]:
    """Yield the 13 supported platform images, one that is not supported, and the two of the gallery."""
    for reference in (*(ImageReference(row.publisher, row.offer, row.sku) for row in DEFAULT), FOCAL):
        sku = str(reference.sku)
        versions = LISTED if sku == "2019-Datacenter" else NEWER.get(sku) or (RESTING[sku],)
        yield Image(reference, [ImageVersion(version, published(version)) for version in versions])
    yield gallery_image(EDGE, ("4.17.2", "4.18.0"), places, missing={"polandcentral", "qatarcentral"})
    yield gallery_image(DATABASE, ("11.0.9", "11.0.10"), places, excluded={"francecentral"})


def gallery_image(
    reference: ImageReference,
    versions: tuple[str, str],
    places: tuple[Region, ...],
    missing: frozenset[str] | set[str] = frozenset(),
    excluded: frozenset[str] | set[str] = frozenset(),
) -> Image:
    """Return an image with an installed version, a newer one that reached region after region, and a withdrawn one."""
    installed, newer = versions
    major = int(newer.split(".", maxsplit=1)[0])
    long_ago, lately = START - timedelta(days=360), START - timedelta(minutes=10 * len(places))
    arrivals = [
        Replica(place.name, ms(lately + timedelta(minutes=10 * at)), exclude_from_latest=place.name in excluded)
        for at, place in enumerate(places, start=1)
        if place.name not in missing
    ]
    everywhere = [Replica(place.name, ms(long_ago)) for place in places]
    return Image(
        reference,
        [
            ImageVersion(installed, ms(long_ago), regions=everywhere),
            ImageVersion(newer, ms(lately), regions=arrivals),
            ImageVersion(f"{major + 1}.0.0", ms(lately), exclude_from_latest=True, regions=everywhere[:1]),
        ],
    )


def reference_of(service: Service) -> ImageReference:
    """Return the image that the table names by its sku or definition."""
    others = {EDGE.name: EDGE, DATABASE.name: DATABASE, "20_04-lts": FOCAL, "custom": HAND_MADE}
    if service.image in others:
        return others[service.image]
    row = next(row for row in DEFAULT if row.sku == service.image)
    return ImageReference(row.publisher, row.offer, row.sku)


def homes(service: Service, places: tuple[Region, ...], chance: random.Random) -> list[Region]:
    """Return the regions of a service: the larger a region, the likelier it is among them."""
    rank = {place.name: chance.random() ** (1 / WEIGHTS.get(place.name, 1.0)) for place in places}
    return sorted(sorted(places, key=lambda place: -rank[place.name])[: service.reach], key=lambda place: place.name)


def nightly(region: str) -> tuple[Window, ...]:
    """Return seven hours of every night, local time."""
    timezone = TIMEZONES[region]
    days: tuple[Any, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    offsets = utc_offsets(timezone)
    return tuple(Window(day=day, start="22:00", minutes=420, timezone=timezone, offsets=offsets) for day in days)


def scale_set(service: Service, place: Region, size: int) -> ScaleSet:
    """Return a set of a service, well set up for automatic upgrades."""
    has, reference = service.traits, reference_of(service)
    is_windows = reference.publisher == "MicrosoftWindowsServer"
    more: dict[str, Any] = {}
    if "probe" in has:
        more |= {"health_sources": (HealthSource.PROBE,), "load_balancer_sku": "Standard"}
    if "fabric" in has:
        tier: Any = "Bronze" if "stateless" in has else "Gold" if "gold" in has else "Silver"
        more["service_fabric"] = ServiceFabric(
            cluster_durability=tier, extension_durability=tier, stateless="stateless" in has, extension_version="1.1"
        )
        if "stateless" not in has:
            more["health_sources"] = ()
    policy: dict[str, Any] = {}
    if "pause" in has:
        policy["pause_between_batches_ms"] = 10 * 60_000
    if "small-steps" in has:
        policy |= {"max_batch_percent": 5, "max_unhealthy_upgraded_percent": 5}
    if "prioritized" in has:
        policy["prioritize_unhealthy"] = True
    if "cross-zone" in has and place.zones:
        policy["enable_cross_zone"] = True
    if "windows" in has and place.name in TIMEZONES:
        more["windows"] = nightly(place.name)
    if "manual" in has:
        more["upgrade_mode"] = "manual"
    if service.team == "games":  # switched on this morning: their first rollout begins within three hours after that
        more["configured_at_ms"] = ms(START - timedelta(minutes=150))
    if service.team == "identity":
        more["extensions"] = (Extension("join", ("agent",)), Extension("agent"))
    return ScaleSet(
        name=f"{service.team}-{service.name}",
        region=place.name,
        image=reference,
        zones=place.zones if {"zonal", "cross-zone"} & has else (),
        upgrade_domains=20 if "deep" in has else 5,
        tags={"team": service.team},
        os="windows" if is_windows else "linux",
        windows_automatic_updates=False if is_windows else None,
        placement_groups="multiple" if size > PLACEMENT_GROUP_MAX else "single",
        rolling_policy=RollingPolicy(**policy),
        instances=size,
        **more,
    )


def sizes(raw: list[tuple[float, int]]) -> list[int]:
    """Return whole sizes in proportion to what is wanted, at least the second number each, together `INSTANCES`."""

    def at_scale(thousandths: int) -> list[int]:
        return [max(least, min(SET_MAX, int(want * thousandths) // 1000)) for want, least in raw]

    low, high = 0, 1_000_000
    while high - low > 1:  # the largest scale that stays within
        middle = (low + high) // 2
        low, high = (middle, high) if sum(at_scale(middle)) <= INSTANCES else (low, middle)
    found = at_scale(low)
    rest = INSTANCES - sum(found)
    for at in sorted(range(len(raw)), key=lambda at: -raw[at][0]):  # what rounding has left, one each
        if rest and raw[at][0] and found[at] < SET_MAX:
            found[at] += 1
            rest -= 1
    assert not rest, f"{rest} instances have no place"
    return found


def listed(one: ScaleSet, at: int) -> ScaleSet:
    """Return the set with its instances one by one, some of them protected, asked to be skipped, or numbered."""
    rows = []
    for number in range(one.size):
        first, last = number == 0, number == one.size - 1
        rows.append(
            Instance(
                id=str(number),
                zone=one.zones[number % len(one.zones)] if one.zones else None,
                upgrade_domain=number // max(len(one.zones), 1) % one.upgrade_domains,
                protect_from_scale_set_actions=first and at % 3 == 0 and one.size > 1,
                protect_from_scale_in=last and at % 2 == 0,
                skip_upgrade=last and at % 5 == 1 and one.size > 1,
                on_model=not (last and one.upgrade_mode == "manual" and at % 2),
                # the primary, which is the first, after all of its replicas
                phase_ordering_number=(9 if first else 1) if one.image == DATABASE else None,
            )
        )
    return evolve(one, instances=Roster.of(rows))


def sets(places: tuple[Region, ...], known: tuple[Image, ...]) -> list[ScaleSet]:
    """Return all sets, by region and name; a few of them kept out of every rollout, for each reason."""
    chance = random.Random(SEED)  # only `random()` is drawn from it, which stays the same in every Python version
    plan = [(service, place) for service in services() for place in homes(service, places, chance)]
    assert len(plan) == SETS, f"the table comes to {len(plan)} sets"
    raw = []
    for service, place in plan:
        spread = 0.4 + 1.2 * chance.random()
        size = service.size * WEIGHTS.get(place.name, 1.0) * spread
        raw.append((size, 5 if "fabric" in service.traits else 3 if "database" in service.traits else 1))
    made = [scale_set(service, place, size) for (service, place), size in zip(plan, sizes(raw), strict=True)]
    installed = {image.name: image.versions[0].version for image in known}
    for fields in KEPT_OUT * KEPT_OUT_EACH:
        place = int(chance.random() * len(made))
        while made[place].service_fabric or made[place].size < 2 or made[place].image == DATABASE:
            place = (place + 1) % len(made)
        pinned = {"version": installed[made[place].image.name]} if "version" in fields else {}
        made[place] = evolve(made[place], **{**fields, **pinned})
    fabric = [at for at, one in enumerate(made) if one.service_fabric]
    for at, fields in enumerate(
        (
            {"extension_durability": "Gold"},
            {"extension_version": "1.0"},
            {"cluster_durability": "Bronze", "extension_durability": "Bronze", "stateless": False},
        )
    ):
        place = fabric[at * 11 + 5]
        made[place] = evolve(made[place], service_fabric=evolve(made[place].service_fabric, **fields))
    made[fabric[3]] = evolve(made[fabric[3]], health_sources=(HealthSource.PROBE,))
    spread = [at for at, one in enumerate(made) if one.load_balancer_sku and one.placement_groups == "multiple"]
    for place in spread[::20]:
        made[place] = evolve(made[place], load_balancer_sku="Basic")
    windows = [at for at, one in enumerate(made) if one.os == "windows" and not one.service_fabric]
    for place in windows[::180]:
        made[place] = evolve(made[place], windows_automatic_updates=True)
    return sorted(_with_lists(made), key=lambda one: (one.region, one.name))


def _with_lists(made: list[ScaleSet]) -> Iterator[ScaleSet]:
    small = {f"{one.team}-{one.name}" for one in services() if {"small", "database"} & one.traits}
    for at, one in enumerate(made):
        yield listed(one, at) if one.name in small and one.size <= 40 else one


def groups(made: list[ScaleSet]) -> Iterator[Group]:
    """Yield what must not be down together beside what the rules know of."""
    of: dict[str, list[str]] = {}
    for one in made:
        of.setdefault(one.name, []).append(one.full_name)
    yield Group(name="registry-quorum", counts="sets", members=of["records-registry"], limit=2)
    yield Group(name="cases-quorum", counts="instances", members=of["records-cases"], limit=6)
    yield Group(name="sign-in", counts="instances", members=of["identity-login"], limit=900)
    atlantic = [f"{region}/{zone}" for region in ("eastus2", "uksouth", "francecentral") for zone in "123"]
    yield Group(name="atlantic-trading", counts="cells", members=atlantic, limit=2)


def fleet() -> Fleet:
    """Return the fleet."""
    places = regions()
    known = tuple(images(places))
    made = sets(places, known)
    return Fleet(
        regions=places,
        images=known,
        sets=made,
        # what runs here fails over to there, without the two being a pair
        conflicts=[
            *((f"westus2/{zone}", f"canadacentral/{zone}") for zone in "123"),
            *((f"japaneast/{zone}", f"koreacentral/{zone}") for zone in "123"),
        ],
        groups=tuple(groups(made)),
    )


if __name__ == "__main__":
    write_fleet(fleet(), sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("azure.json"))
