"""Section 3: which sets are eligible, and every code that says why not."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.errors import InvalidModel
from phasegate.core.model import (
    ExternalResource,
    HealthSource,
    Image,
    ImageReference,
    ImageVersion,
    Replica,
    ScaleSet,
    ServiceFabric,
)
from phasegate.policies.eligibility import RULES, IneligibleCode, judge
from phasegate.policies.supported_images import DEFAULT, SupportedImage

UBUNTU = ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
SERVER = ImageReference("MicrosoftWindowsServer", "WindowsServer", "2019-Datacenter")
GALLERY = ImageReference(gallery="corp", definition="web")
PROBE, EXTENSION = HealthSource.PROBE, HealthSource.EXTENSION

LINUX = ScaleSet(name="web", region="eastus", image=UBUNTU)
WINDOWS = ScaleSet(name="web", region="eastus", image=SERVER, os="windows", windows_automatic_updates=False)
CUSTOM = ScaleSet(name="web", region="eastus", image=GALLERY)
FABRIC = evolve(LINUX, service_fabric=ServiceFabric())
BRONZE_STATELESS = evolve(
    LINUX,
    service_fabric=ServiceFabric(cluster_durability="Bronze", extension_durability="Bronze", stateless=True),
)


def fabric(**changes: Any) -> ServiceFabric:
    """Return a node type that is eligible but for the changes."""
    return evolve(ServiceFabric(), **changes)


def gallery(*, excluded: bool = False, replicas: tuple[Replica, ...] = (Replica("eastus"),)) -> Image:
    """Return a gallery image with the version `2.0`."""
    return Image(GALLERY, (ImageVersion("2.0", 0, excluded, replicas),))


def codes(scale_set: ScaleSet, image: Image | None = None, target: str | None = "2.0", **options: Any) -> list[str]:
    """Return the words of the codes with which the set is judged."""
    return [code.value for code in judge(scale_set, image or Image(scale_set.image), target, **options)]


ONE_CAUSE: list[tuple[str, ScaleSet, Image | None, dict[str, Any]]] = [
    ("automatic-upgrade-disabled", evolve(LINUX, automatic_os_upgrade=False), None, {}),
    ("version-not-latest", evolve(LINUX, version="18.04.1"), None, {}),
    ("image-not-supported", evolve(LINUX, image=ImageReference("Canonical", "UbuntuServer", "20.04-LTS")), None, {}),
    ("image-not-supported", evolve(LINUX, image=ImageReference(custom="golden")), None, {}),
    ("model-not-applied", evolve(LINUX, upgrade_mode="manual"), None, {"off_model": True}),
    ("health-source-missing", evolve(LINUX, health_sources=()), None, {}),
    ("health-source-missing", evolve(BRONZE_STATELESS, health_sources=()), None, {}),
    ("health-source-duplicate", evolve(LINUX, health_sources=(PROBE, EXTENSION)), None, {}),
    ("health-probe-unsupported", evolve(FABRIC, health_sources=(PROBE,)), None, {}),
    ("health-probe-unsupported", evolve(BRONZE_STATELESS, health_sources=(PROBE,)), None, {}),
    (
        "standard-load-balancer-required",
        evolve(LINUX, health_sources=(PROBE,), placement_groups="multiple", load_balancer_sku="Basic"),
        None,
        {},
    ),
    (
        "standard-load-balancer-required",
        evolve(LINUX, health_sources=(PROBE,), placement_groups="multiple", load_balancer_sku=None),
        None,
        {},
    ),
    ("api-version-too-old", evolve(LINUX, api_version="2018-09-30"), None, {}),
    ("api-version-too-old", evolve(LINUX, api_version="2017-12-01-preview"), None, {}),
    ("windows-automatic-updates-enabled", evolve(WINDOWS, windows_automatic_updates=True), None, {}),
    ("windows-automatic-updates-enabled", evolve(WINDOWS, windows_automatic_updates=None), None, {}),
    (
        "windows-automatic-updates-enabled",
        evolve(WINDOWS, windows_automatic_updates=True, api_version="2019-03-01"),
        None,
        {},
    ),
    (
        "windows-automatic-updates-enabled",
        evolve(WINDOWS, windows_automatic_updates=True, api_version="2018-10-01", service_fabric=fabric()),
        None,
        {},
    ),
    ("patch-mode-by-platform", evolve(LINUX, patch_mode="AutomaticByPlatform"), None, {}),
    ("patch-mode-by-platform", evolve(LINUX, patch_mode="automaticbyplatform"), None, {}),
    (
        "service-fabric-durability",
        evolve(LINUX, service_fabric=fabric(cluster_durability="Bronze", extension_durability="Bronze")),
        None,
        {},
    ),
    (
        "service-fabric-durability-mismatch",
        evolve(LINUX, service_fabric=fabric(cluster_durability="Gold", extension_durability="Silver")),
        None,
        {},
    ),
    ("service-fabric-extension-version", evolve(LINUX, service_fabric=fabric(extension_version="1.0")), None, {}),
    (
        "external-resource-unavailable",
        evolve(LINUX, external_resources=(ExternalResource("a"), ExternalResource("sas", available=False))),
        None,
        {},
    ),
    ("image-not-replicated", CUSTOM, gallery(replicas=(Replica("westus"),)), {}),
    ("image-not-replicated", CUSTOM, gallery(replicas=(Replica("eastus", 11),)), {"now": 10}),
    ("image-excluded-from-latest", CUSTOM, gallery(excluded=True), {}),
    ("image-excluded-from-latest", CUSTOM, gallery(replicas=(Replica("eastus", 0, True),)), {}),
    ("image-excluded-from-latest", LINUX, Image(UBUNTU, (ImageVersion("2.0", 0, True),)), {}),
]


@pytest.mark.parametrize(("code", "scale_set", "image", "options"), ONE_CAUSE)
def test_one_cause_gives_exactly_its_code(
    code: str, scale_set: ScaleSet, image: Image | None, options: dict[str, Any]
) -> None:
    """A set with one thing wrong is kept out by that alone, by automatic rollouts and manual ones."""
    assert codes(scale_set, image, **options) == [code]
    manual = [] if code == "automatic-upgrade-disabled" else [code]
    assert codes(scale_set, image, manual=True, **options) == manual


def test_every_code_is_caused() -> None:
    """No code of section 3 is without a rule, nor a rule without an example above; the order is the section's."""
    assert [code for code, _ in RULES] == list(IneligibleCode)
    assert list(dict.fromkeys(code for code, *_ in ONE_CAUSE)) == [code.value for code in IneligibleCode]


@pytest.mark.parametrize(
    ("scale_set", "image", "options"),
    [
        (LINUX, None, {}),
        (LINUX, None, {"off_model": True}),
        (evolve(LINUX, upgrade_mode="manual"), None, {}),
        (evolve(LINUX, upgrade_mode="rolling"), None, {"off_model": True}),
        (evolve(LINUX, api_version="2018-10-01"), None, {}),
        (evolve(LINUX, api_version="2018-10-01-preview"), None, {}),
        (evolve(LINUX, windows_automatic_updates=True), None, {}),
        (evolve(LINUX, patch_mode="ImageDefault"), None, {}),
        (evolve(LINUX, external_resources=(ExternalResource("sas"),)), None, {}),
        (evolve(LINUX, health_sources=(PROBE,)), None, {}),
        (evolve(LINUX, health_sources=(PROBE,), load_balancer_sku="Basic"), None, {}),
        (
            evolve(LINUX, health_sources=(PROBE,), placement_groups="multiple", load_balancer_sku="standard"),
            None,
            {},
        ),
        (evolve(LINUX, placement_groups="multiple", load_balancer_sku="Basic"), None, {}),
        (WINDOWS, None, {}),
        (evolve(WINDOWS, windows_automatic_updates=True, api_version="2019-02-28"), None, {}),
        (evolve(WINDOWS, service_fabric=fabric()), None, {}),
        (FABRIC, None, {}),
        (evolve(FABRIC, windows_automatic_updates=True), None, {}),
        (evolve(FABRIC, health_sources=()), None, {}),
        (
            evolve(FABRIC, health_sources=(), service_fabric=fabric(stateless=True)),
            None,
            {},
        ),
        (
            evolve(
                FABRIC,
                health_sources=(),
                service_fabric=fabric(cluster_durability="Gold", extension_durability="Gold"),
            ),
            None,
            {},
        ),
        (evolve(FABRIC, service_fabric=fabric(extension_version="1.10")), None, {}),
        (BRONZE_STATELESS, None, {}),
        (CUSTOM, gallery(), {}),
        (CUSTOM, gallery(), {"supported": ()}),
        (CUSTOM, gallery(replicas=(Replica("eastus", 10), Replica("westus", 0, True))), {"now": 10}),
        (CUSTOM, gallery(replicas=(Replica("eastus", 11),)), {}),
    ],
)
def test_what_the_rules_ask_for_is_eligible(scale_set: ScaleSet, image: Image | None, options: dict[str, Any]) -> None:
    """On the right side of every border a set is eligible."""
    assert codes(scale_set, image, **options) == []


def test_all_that_apply_are_reported_in_order() -> None:
    """A set with everything wrong that can be wrong at once is told so at once, in the order of section 3."""
    wreck = ScaleSet(
        name="web",
        region="eastus",
        image=GALLERY,
        version="1.0",
        os="windows",
        api_version="2018-01-01",
        automatic_os_upgrade=False,
        upgrade_mode="manual",
        patch_mode="AutomaticByPlatform",
        health_sources=(PROBE, EXTENSION),
        placement_groups="multiple",
        external_resources=(ExternalResource("sas", available=False),),
        service_fabric=fabric(cluster_durability="Bronze", extension_version="1.0.9"),
    )
    missing_here = Image(GALLERY, (ImageVersion("2.0", 0, True),))
    assert codes(wreck, missing_here, off_model=True) == [
        "automatic-upgrade-disabled",
        "version-not-latest",
        "model-not-applied",
        "health-source-duplicate",
        "health-probe-unsupported",
        "standard-load-balancer-required",
        "api-version-too-old",
        "windows-automatic-updates-enabled",
        "patch-mode-by-platform",
        "service-fabric-durability",
        "service-fabric-durability-mismatch",
        "service-fabric-extension-version",
        "external-resource-unavailable",
        "image-not-replicated",
        "image-excluded-from-latest",
    ]
    bare = evolve(wreck, image=ImageReference(custom="golden"), health_sources=(), service_fabric=None)
    assert codes(bare, off_model=True, manual=True) == [
        "version-not-latest",
        "image-not-supported",
        "model-not-applied",
        "health-source-missing",
        "api-version-too-old",
        "patch-mode-by-platform",
        "external-resource-unavailable",
    ]


CAUSES: list[tuple[str, dict[str, Any]]] = [
    ("automatic-upgrade-disabled", {"automatic_os_upgrade": False}),
    ("version-not-latest", {"version": "1.0"}),
    ("image-not-supported", {"image": ImageReference(custom="golden")}),
    ("health-source-missing", {"health_sources": ()}),
    ("api-version-too-old", {"api_version": "2018-09-30"}),
    ("patch-mode-by-platform", {"patch_mode": "AutomaticByPlatform"}),
    ("external-resource-unavailable", {"external_resources": (ExternalResource("sas", available=False),)}),
]


@given(st.lists(st.sampled_from(range(len(CAUSES))), unique=True))
def test_causes_add_up(chosen: list[int]) -> None:
    """Independent causes hide nothing of one another, whatever the order in which they came about."""
    changed = LINUX
    for at in chosen:
        changed = evolve(changed, **CAUSES[at][1])
    assert codes(changed) == [CAUSES[at][0] for at in sorted(chosen)]


@pytest.mark.parametrize("stateless", [False, True])
@pytest.mark.parametrize(("cluster", "extension"), [("Bronze", "Gold"), ("Silver", "Bronze")])
def test_the_weaker_durability_holds(cluster: str, extension: str, stateless: bool) -> None:
    """Where cluster and extension differ and one is Bronze, the node type is judged as Bronze."""
    node_type = fabric(cluster_durability=cluster, extension_durability=extension, stateless=stateless)
    found = codes(evolve(LINUX, service_fabric=node_type, health_sources=()))
    bronze = "health-source-missing" if stateless else "service-fabric-durability"
    assert found == [bronze, "service-fabric-durability-mismatch"]


@pytest.mark.parametrize("row", DEFAULT)
def test_default_images_are_supported_in_any_case(row: SupportedImage) -> None:
    """Each of the 13 rows is recognised in upper and lower case."""
    for spelled in (str.upper, str.lower):
        reference = ImageReference(spelled(row.publisher), spelled(row.offer), spelled(row.sku))
        assert codes(evolve(LINUX, image=reference)) == []


def test_the_default_list_is_the_documents() -> None:
    """There are 13 rows, each once, spelled as the catalogue spells them."""
    assert len(DEFAULT) == len(set(DEFAULT)) == 13
    assert {(row.publisher, row.offer) for row in DEFAULT} == {
        ("Canonical", "UbuntuServer"),
        ("OpenLogic", "CentOS"),
        ("MicrosoftWindowsServer", "WindowsServer"),
    }
    assert [row.sku for row in DEFAULT] == [
        "16.04-LTS",
        "18.04-LTS",
        "7.5",
        "2012-R2-Datacenter",
        "2016-Datacenter",
        "2016-Datacenter-smalldisk",
        "2016-Datacenter-with-Containers",
        "2019-Datacenter",
        "2019-Datacenter-smalldisk",
        "2019-Datacenter-with-Containers",
        "2019-Datacenter-Core",
        "2019-Datacenter-Core-with-Containers",
        "2019-Datacenter-gensecond",
    ]


def test_the_supported_images_can_be_replaced() -> None:
    """With another list the same set is judged by that list alone."""
    other = evolve(LINUX, image=ImageReference("debian", "Debian-11", "11"))
    supported = [SupportedImage("Debian", "debian-11", "11")]
    assert codes(other, supported=supported) == []
    assert codes(LINUX, supported=supported) == ["image-not-supported"]
    assert codes(LINUX, supported=[]) == ["image-not-supported"]


@pytest.mark.parametrize(
    ("image", "target"),
    [(None, "2.0"), (gallery(), None), (gallery(), "2.1"), (Image(GALLERY), "2.0")],
)
def test_a_gallery_version_that_is_not_known_is_not_replicated(image: Image | None, target: str | None) -> None:
    """Without an image, a target, or an entry for it, a gallery set has nothing to go to; a platform set needs none."""
    assert judge(CUSTOM, image, target) == (IneligibleCode.IMAGE_NOT_REPLICATED,)
    assert judge(LINUX, None, target) == ()


def test_a_target_is_found_by_its_numbers() -> None:
    """`2.0` and `2` are the same version; a target that is none is refused."""
    assert judge(CUSTOM, gallery(), "2") == ()
    with pytest.raises(InvalidModel, match="version `new` is not dotted integers"):
        judge(CUSTOM, gallery(), "new")
