"""Which sets may take part in a rollout (semantics 3).

Reasons: `IneligibleCode`, each the name of one rule. Rule: a set is eligible if no condition of `RULES` holds for it;
all that hold are reported, in the order of the table, so that whoever mends a set sees everything at once.
Promise: what cannot be decided from the model counts as "no". An absent value is never taken for the one that would
make a set eligible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from attrs import frozen

from phasegate.core.model import HealthSource, Image, ImageVersion, Replica, ScaleSet
from phasegate.core.versions import version_key
from phasegate.policies.supported_images import DEFAULT, SupportedImage
from phasegate.policies.versions import replica_in, version_of

NAME: Final = "eligibility"

API_VERSION_MIN: Final = "2018-10-01"  # the first that knows automatic upgrades
API_VERSION_WINDOWS_UPDATES: Final = "2019-03-01"  # the first that asks Windows sets to switch their own updates off
EXTENSION_VERSION_MIN: Final = version_key("1.1")  # of the Service Fabric extension
DURABLE: Final = frozenset({"Silver", "Gold"})  # the tiers at which Service Fabric itself holds up what is unsafe


class IneligibleCode(StrEnum):
    """Why a set takes no part in a rollout, in the order in which the codes are reported."""

    AUTOMATIC_UPGRADE_DISABLED = "automatic-upgrade-disabled"
    VERSION_NOT_LATEST = "version-not-latest"
    IMAGE_NOT_SUPPORTED = "image-not-supported"
    MODEL_NOT_APPLIED = "model-not-applied"
    HEALTH_SOURCE_MISSING = "health-source-missing"
    HEALTH_SOURCE_DUPLICATE = "health-source-duplicate"
    HEALTH_PROBE_UNSUPPORTED = "health-probe-unsupported"
    STANDARD_LOAD_BALANCER_REQUIRED = "standard-load-balancer-required"
    API_VERSION_TOO_OLD = "api-version-too-old"
    WINDOWS_AUTOMATIC_UPDATES_ENABLED = "windows-automatic-updates-enabled"
    PATCH_MODE_BY_PLATFORM = "patch-mode-by-platform"
    SERVICE_FABRIC_DURABILITY = "service-fabric-durability"
    SERVICE_FABRIC_DURABILITY_MISMATCH = "service-fabric-durability-mismatch"
    SERVICE_FABRIC_EXTENSION_VERSION = "service-fabric-extension-version"
    EXTERNAL_RESOURCE_UNAVAILABLE = "external-resource-unavailable"
    IMAGE_NOT_REPLICATED = "image-not-replicated"
    IMAGE_EXCLUDED_FROM_LATEST = "image-excluded-from-latest"


@frozen(kw_only=True)
class Case:
    """Everything that a rule may look at: one set, and the rollout that would touch it."""

    scale_set: ScaleSet
    manual: bool
    supported: Sequence[SupportedImage]
    off_model: bool
    now: int | None
    version: ImageVersion | None  # the image's entry for the target
    replica: Replica | None  # the target's entry for the set's region

    def has(self, source: HealthSource) -> bool:
        """Return whether the set has this health source."""
        return source in self.scale_set.health_sources

    @property
    def is_bronze(self) -> bool:
        """Whether the cluster or the extension is below Silver: where they differ, the weaker tier is what holds."""
        fabric = self.scale_set.service_fabric
        return fabric is not None and not {fabric.cluster_durability, fabric.extension_durability} <= DURABLE


def _automatic_upgrade_disabled(case: Case) -> bool:
    return not case.manual and not case.scale_set.automatic_os_upgrade


def _version_not_latest(case: Case) -> bool:
    return case.scale_set.version != "latest"


def _image_not_supported(case: Case) -> bool:
    reference = case.scale_set.image
    if reference.publisher is None or reference.offer is None or reference.sku is None:
        return not reference.is_gallery
    return SupportedImage(reference.publisher, reference.offer, reference.sku) not in case.supported


def _model_not_applied(case: Case) -> bool:
    return case.scale_set.upgrade_mode == "manual" and case.off_model


def _health_source_missing(case: Case) -> bool:
    fabric = case.scale_set.service_fabric
    needed = fabric is None or (fabric.stateless and case.is_bronze)
    return needed and not case.scale_set.health_sources


def _health_source_duplicate(case: Case) -> bool:
    return case.has(HealthSource.PROBE) and case.has(HealthSource.EXTENSION)


def _health_probe_unsupported(case: Case) -> bool:
    return case.scale_set.service_fabric is not None and case.has(HealthSource.PROBE)


def _standard_load_balancer_required(case: Case) -> bool:
    standard = (case.scale_set.load_balancer_sku or "").casefold() == "standard"
    return case.has(HealthSource.PROBE) and case.scale_set.placement_groups == "multiple" and not standard


def _api_version_too_old(case: Case) -> bool:
    return case.scale_set.api_date < API_VERSION_MIN


def _windows_automatic_updates_enabled(case: Case) -> bool:
    scale_set = case.scale_set
    if scale_set.os != "windows" or scale_set.windows_automatic_updates is False:
        return False
    return scale_set.service_fabric is not None or scale_set.api_date >= API_VERSION_WINDOWS_UPDATES


def _patch_mode_by_platform(case: Case) -> bool:
    return (case.scale_set.patch_mode or "").casefold() == "automaticbyplatform"


def _service_fabric_durability(case: Case) -> bool:
    fabric = case.scale_set.service_fabric
    return fabric is not None and case.is_bronze and not fabric.stateless


def _service_fabric_durability_mismatch(case: Case) -> bool:
    fabric = case.scale_set.service_fabric
    return fabric is not None and fabric.cluster_durability != fabric.extension_durability


def _service_fabric_extension_version(case: Case) -> bool:
    fabric = case.scale_set.service_fabric
    return fabric is not None and version_key(fabric.extension_version) < EXTENSION_VERSION_MIN


def _external_resource_unavailable(case: Case) -> bool:
    return not all(resource.available for resource in case.scale_set.external_resources)


def _image_not_replicated(case: Case) -> bool:
    if not case.scale_set.image.is_gallery:
        return False
    return case.replica is None or (case.now is not None and case.replica.replicated_at_ms > case.now)


def _image_excluded_from_latest(case: Case) -> bool:
    if case.version is not None and case.version.exclude_from_latest:
        return True
    return case.scale_set.image.is_gallery and case.replica is not None and case.replica.exclude_from_latest


RULES: Final[tuple[tuple[IneligibleCode, Callable[[Case], bool]], ...]] = (
    # the owner opted out; somebody who starts a rollout by hand has opted in again, for this once
    (IneligibleCode.AUTOMATIC_UPGRADE_DISABLED, _automatic_upgrade_disabled),
    # the model pins a version, and new instances would come up on it beside the upgraded ones
    (IneligibleCode.VERSION_NOT_LATEST, _version_not_latest),
    # nobody tests upgrades of this platform image, or a custom image has no versions to go to outside a gallery
    (IneligibleCode.IMAGE_NOT_SUPPORTED, _image_not_supported),
    # with upgrade mode manual, instances stay on the model that they were made from until somebody applies the new
    (IneligibleCode.MODEL_NOT_APPLIED, _model_not_applied),
    # nothing would tell a good upgrade from a bad one; only durable node types watch over themselves
    (IneligibleCode.HEALTH_SOURCE_MISSING, _health_source_missing),
    # two sources can contradict each other, and nothing says which of them to believe
    (IneligibleCode.HEALTH_SOURCE_DUPLICATE, _health_source_duplicate),
    # a load balancer cannot tell the health of a Service Fabric node
    (IneligibleCode.HEALTH_PROBE_UNSUPPORTED, _health_probe_unsupported),
    # only a Standard load balancer reaches across placement groups; one that is not named is not known to be that
    (IneligibleCode.STANDARD_LOAD_BALANCER_REQUIRED, _standard_load_balancer_required),
    # the model was written for an interface that does not know automatic upgrades
    (IneligibleCode.API_VERSION_TOO_OLD, _api_version_too_old),
    # Windows would patch itself in place beside the rollout; the cloud takes an absent value for "enabled"
    (IneligibleCode.WINDOWS_AUTOMATIC_UPDATES_ENABLED, _windows_automatic_updates_enabled),
    # the platform would patch the instances in place, in an order of its own, beside the rollout
    (IneligibleCode.PATCH_MODE_BY_PLATFORM, _patch_mode_by_platform),
    # below Silver the cluster cannot hold up a node's upgrade until its replicas are safe elsewhere
    (IneligibleCode.SERVICE_FABRIC_DURABILITY, _service_fabric_durability),
    # cluster and extension disagree about who approves a node's upgrade, and it fails half-way
    (IneligibleCode.SERVICE_FABRIC_DURABILITY_MISMATCH, _service_fabric_durability_mismatch),
    # the extension is too old to take part in approving upgrades
    (IneligibleCode.SERVICE_FABRIC_EXTENSION_VERSION, _service_fabric_extension_version),
    # an expired token or a payload that is gone would fail the first batch while it is configured
    (IneligibleCode.EXTERNAL_RESOURCE_UNAVAILABLE, _external_resource_unavailable),
    # a gallery version can only be had where it has been replicated to; owners steer rollouts by that
    (IneligibleCode.IMAGE_NOT_REPLICATED, _image_not_replicated),
    # the publisher took the version, or its copy in this region, out of what `latest` may mean
    (IneligibleCode.IMAGE_EXCLUDED_FROM_LATEST, _image_excluded_from_latest),
)


def judge(
    scale_set: ScaleSet,
    image: Image | None,
    target: str | None,
    *,
    manual: bool = False,
    supported: Sequence[SupportedImage] = DEFAULT,
    off_model: bool = False,
    now: int | None = None,
) -> tuple[IneligibleCode, ...]:
    """Return every code that keeps the set out of a rollout to `target`, in the order of section 3; none: eligible.

    `image` is the set's image with its known versions, None for one that the fleet does not list. `target` is the
    version to go to; without one, or with one that the image does not have, a gallery image is not replicated
    anywhere. `manual` says that somebody started the rollout by hand, which needs no `automatic_os_upgrade`; the other
    rules hold. `supported` are the platform images that may be upgraded. `off_model` says that some instance is not on
    the set's model yet. With `now` (ms UTC), a replica that arrives after it is not there yet; without, it is.

    `InvalidModel` if `target` is not dotted integers.

    >>> from phasegate.core.model import ImageReference
    >>> centos = ImageReference("OpenLogic", "CentOS", "7.5")
    >>> judge(ScaleSet(name="web", region="eastus", image=centos), Image(centos), None)
    ()
    >>> pinned = ScaleSet(name="web", region="eastus", image=centos, version="7.5.1", health_sources=())
    >>> [code.value for code in judge(pinned, Image(centos), None)]
    ['version-not-latest', 'health-source-missing']
    """
    version = None if image is None or target is None else version_of(image, target)
    case = Case(
        scale_set=scale_set,
        manual=manual,
        supported=supported,
        off_model=off_model,
        now=now,
        version=version,
        replica=None if version is None else replica_in(version, scale_set.region),
    )
    return tuple(code for code, holds in RULES if holds(case))
