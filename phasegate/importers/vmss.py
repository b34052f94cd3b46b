"""One virtual machine scale set, as templates and the cloud's own listings describe it, to a set of a fleet.

Both hold the same properties; a template keeps them under `properties`, a listing has them at the top. Names follow
the REST operation *Virtual Machine Scale Sets - Create Or Update*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from phasegate.core.model import (
    Extension,
    ExternalResource,
    HealthSource,
    ImageReference,
    RollingPolicy,
    ScaleSet,
    ServiceFabric,
)
from phasegate.importers.catalogue import Catalogue, Places, region_named
from phasegate.importers.reading import Source, tags_of

_GALLERY = re.compile(
    r"/(?:galleries|sharedGalleries|communityGalleries)/([^/]+)/images/([^/]+)(?:/versions/([^/]+))?/?$", re.IGNORECASE
)
_BALANCER = re.compile(r"/loadBalancers/([^/]+)", re.IGNORECASE)
_DURATION = re.compile(
    r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:\.(\d{1,7}))?S)?)?", re.IGNORECASE
)
_HEALTH_TYPES = ("applicationhealthlinux", "applicationhealthwindows")
DURABILITIES = ("Bronze", "Silver", "Gold")
_FABRIC = "microsoft.azure.servicefabric"


@frozen
class NodeType:
    """What a Service Fabric cluster says of one of its node types."""

    durability: str
    stateless: bool


@define
class Surroundings:
    """What stands around the sets: catalogues to fill; balancers' skus and node types, by name in lower case."""

    catalogue: Catalogue
    places: Places
    balancers: Mapping[str, str] | None = None  # None: the description does not hold load balancers
    node_types: Mapping[str, NodeType] = field(factory=dict)


@frozen
class _Extensions:
    """What the extensions of a set come to."""

    extensions: tuple[Extension, ...]
    health: bool
    fabric: Source | None
    resources: tuple[ExternalResource, ...]


def scale_set_of(
    top: Source,
    around: Surroundings,
    *,
    name: str,
    api_version: str | None,
    extra_extensions: Sequence[Source] = (),
    counted: bool = True,
) -> ScaleSet:
    """Return the set that a description makes, and add its image and region to what stands around.

    Its instances are its capacity, or 0 if they are not `counted`, as they are listed elsewhere. `InvalidFile` if the
    description is not complete, `InvalidModel` if it makes no set.
    """
    properties = top.child("properties") if "properties" in top else top
    profile = properties.child("virtualMachineProfile")
    system = profile.child("osProfile")
    windows_part = system.child("windowsConfiguration")
    linux_part = system.child("linuxConfiguration")
    region = region_named(top.required("location"))
    zones = top.texts("zones")
    around.places.use(region, zones, top.document)
    reference, version = _image(profile, around, region)
    extensions = _extensions(profile, extra_extensions)
    probe = profile.child("networkProfile").child("healthProbe").text("id")
    upgrade = properties.child("upgradePolicy")
    automatic = upgrade.child("automaticOSUpgradePolicy")
    capacity = top.child("sku").number("capacity")
    if counted and capacity is None:
        top.refuse("`sku.capacity` is missing or not known offline", "sku.capacity")
    health = ((HealthSource.PROBE, probe is not None), (HealthSource.EXTENSION, extensions.health))
    arguments: dict[str, Any] = {
        "name": name,
        "region": region,
        "image": reference,
        "version": version,
        "zones": zones,
        "tags": tags_of(top),
        "os": _os(profile, reference, extensions.fabric),
        "automatic_os_upgrade": _automatic(upgrade, automatic),
        "disable_automatic_rollback": bool(automatic.truth("disableAutomaticRollback")),
        "upgrade_mode": _mode(upgrade),
        "patch_mode": _patch_mode(windows_part, linux_part),
        "windows_automatic_updates": windows_part.truth("enableAutomaticUpdates"),
        "health_sources": tuple(source for source, there in health if there),
        "load_balancer_sku": _balancer_sku(profile, probe, around),
        "placement_groups": "multiple" if properties.truth("singlePlacementGroup") is False else "single",
        "rolling_policy": _rolling_policy(upgrade),
        "custom_data": system.value("customData") is not None,
        "extensions": extensions.extensions,
        "external_resources": (*extensions.resources, *_secrets(system)),
        "service_fabric": _service_fabric(extensions.fabric, around),
        "instances": capacity if counted else 0,
    }
    if api_version is not None:
        arguments["api_version"] = api_version
    if properties.number("platformFaultDomainCount") is not None:
        properties.note(
            "platformFaultDomainCount", "says nothing of upgrade domains: 5 are taken, the platform's own number"
        )
    return ScaleSet(**arguments)


def _mode(upgrade: Source) -> str:
    mode = upgrade.choice("mode", ("automatic", "rolling", "manual"))
    if mode is None:
        upgrade.note("mode", "is missing: taken as manual")
        return "manual"
    return mode


def _patch_mode(windows: Source, linux: Source) -> str | None:
    modes = [part.child("patchSettings").text("patchMode") for part in (windows, linux)]
    return next((mode for mode in modes if mode is not None), None)


def image_of(source: Source) -> tuple[ImageReference, str] | None:
    """Return the reference and the version of an `imageReference`, or None if it holds neither an id nor a name."""
    identity = source.text("id", "sharedGalleryImageId", "communityGalleryImageId")
    publisher, offer, sku = source.text("publisher"), source.text("offer"), source.text("sku")
    version = source.text("version") or "latest"
    with source.blamed():
        if identity:
            gallery = _GALLERY.search(identity)
            if gallery is None:
                return ImageReference(custom=identity), version
            return ImageReference(gallery=gallery[1], definition=gallery[2]), gallery[3] or "latest"
        if publisher and offer and sku:
            return ImageReference(publisher, offer, sku), version
    return None


def _image(profile: Source, around: Surroundings, region: str) -> tuple[ImageReference, str]:
    source = profile.child("storageProfile").child("imageReference")
    found = image_of(source)
    if found is None:
        source.refuse("the image is not known: it needs `publisher`, `offer` and `sku`, or an `id`", "")
    reference, version = found
    if version.lower() == "latest":
        around.catalogue.refer(reference, source.document)
        return reference, "latest"
    around.catalogue.see(reference, version, region, source.document, source.place)
    return reference, version


def _automatic(upgrade: Source, automatic: Source) -> bool:
    """Return whether automatic upgrades are on: before API version 2018-10-01 the policy held the switch itself."""
    switches = (automatic.truth("enableAutomaticOSUpgrade"), upgrade.truth("automaticOSUpgrade"))
    return any(switches)


def _os(profile: Source, reference: ImageReference, fabric: Source | None) -> str:
    system = profile.child("osProfile")
    stated = profile.child("storageProfile").child("osDisk").choice("osType", ("linux", "windows"))
    if stated is not None:
        return stated
    if "windowsConfiguration" in system or "linuxConfiguration" in system:
        return "windows" if "windowsConfiguration" in system else "linux"
    if fabric is not None and fabric.text("type", "typePropertiesType", "type1") == "ServiceFabricNode":
        return "windows"
    if (reference.publisher or "").lower().startswith("microsoftwindows"):
        return "windows"
    if not reference.is_platform:
        profile.note("osProfile", "does not say the system: taken as linux")
    return "linux"


def _rolling_policy(upgrade: Source) -> RollingPolicy:
    source = upgrade.child("rollingUpgradePolicy")
    pause = source.text("pauseTimeBetweenBatches")
    with source.blamed():
        return RollingPolicy(
            max_batch_percent=source.number("maxBatchInstancePercent"),
            max_unhealthy_percent=source.number("maxUnhealthyInstancePercent"),
            max_unhealthy_upgraded_percent=source.number("maxUnhealthyUpgradedInstancePercent"),
            pause_between_batches_ms=None if pause is None else _milliseconds(source, pause),
            prioritize_unhealthy=source.truth("prioritizeUnhealthyInstances"),
            enable_cross_zone=source.truth("enableCrossZoneUpgrade"),
        )


def _milliseconds(source: Source, text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None or text[-1:].upper() in "PT":
        source.refuse(f"`{text}` is no duration, like `PT30S` (ISO 8601)", "pauseTimeBetweenBatches")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    fraction = int((match[5] or "0").ljust(3, "0")[:3])
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + fraction


def _extensions(profile: Source, extra: Sequence[Source]) -> _Extensions:
    made: list[Extension] = []
    health = False
    fabric: Source | None = None
    resources: list[ExternalResource] = []
    for top in (*profile.child("extensionProfile").children("extensions"), *extra):
        source = top.child("properties") if "properties" in top else top
        name = top.required("name").rpartition("/")[2]
        with top.blamed():
            made.append(Extension(name, tuple(source.texts("provisionAfterExtensions"))))
        kind = (source.text("type", "typePropertiesType", "type1") or "").lower()
        health = health or kind in _HEALTH_TYPES
        if (source.text("publisher") or "").lower() == _FABRIC:
            fabric = source
        settings = source.child("settings")
        with settings.blamed():
            resources += [ExternalResource(f"{name}: {_bare(uri)}") for uri in settings.texts("fileUris")]
    return _Extensions(tuple(made), health, fabric, tuple(resources))


def _bare(uri: str) -> str:
    """Return an address without its query: that is where a signature would be."""
    return uri.partition("?")[0]


def _secrets(system: Source) -> list[ExternalResource]:
    found = []
    for secret in system.children("secrets"):
        vault = (secret.child("sourceVault").text("id") or "").rpartition("/")[2]
        with secret.blamed():
            found += [
                ExternalResource(f"{vault}: {_bare(url)}")
                for certificate in secret.children("vaultCertificates")
                if (url := certificate.text("certificateUrl"))
            ]
    return found


def _service_fabric(extension: Source | None, around: Surroundings) -> ServiceFabric | None:
    if extension is None:
        return None
    settings = extension.child("settings")
    own = settings.choice("durabilityLevel", DURABILITIES) or "Bronze"
    node_type = around.node_types.get((settings.text("nodeTypeRef") or "").lower())
    if node_type is None:
        why = (
            "names a node type of a cluster that is not described: the cluster's durability is taken as the extension's"
        )
        settings.note("nodeTypeRef", why)
    with extension.blamed():
        arguments: dict[str, Any] = {
            "cluster_durability": node_type.durability if node_type else own,
            "extension_durability": own,
            "stateless": node_type is not None and node_type.stateless,
        }
        version = extension.text("typeHandlerVersion")
        return ServiceFabric(**arguments) if version is None else ServiceFabric(**arguments, extension_version=version)


def _balancer_sku(profile: Source, probe: str | None, around: Surroundings) -> str | None:
    """Return the sku of the balancer that the probe belongs to, or else of the first one in front of the set."""
    network = profile.child("networkProfile")
    pools = [
        pool.text("id")
        for interface in network.children("networkInterfaceConfigurations")
        for address in _flat(interface).children("ipConfigurations")
        for pool in _flat(address).children("loadBalancerBackendAddressPools")
    ]
    names = [match[1] for identity in (probe, *pools) if identity and (match := _BALANCER.search(identity))]
    if not names:
        return None
    sku = (around.balancers or {}).get(names[0].lower())
    if sku is None:
        why = "is not described here: its sku is taken as unknown"
        network.notes.add(network.document.name, network.listed_at, f"load balancer `{names[0]}`", why)
    return sku


def _flat(source: Source) -> Source:
    return source.child("properties") if "properties" in source else source
