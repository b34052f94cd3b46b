"""Auto Scaling groups of AWS: `phasegate import aws`, from `aws autoscaling describe-auto-scaling-groups`.

A group is a set; its launch template is its image and the template's versions, whole numbers, are the versions. AWS has
neither upgrade domains nor paired regions. The shape is that of the API's `DescribeAutoScalingGroups`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from phasegate.core.model import Health, HealthSource, ImageReference, ScaleSet
from phasegate.core.roster import Instance
from phasegate.importers.catalogue import Catalogue, Places
from phasegate.importers.reading import Imported, Notes, Source, fleet_of, items_of, parsed
from phasegate.importers.rosters import roster_of

GALLERY = "launch-template"

_ARN = re.compile(r"arn:[^:]*:autoscaling:([^:]+):")
_ZONE = re.compile(r"(.+-[0-9]+)[a-z]")
_LIVE = ("InService", "Standby", "EnteringStandby")
_STARTING = ("Pending", "Pending:Wait", "Pending:Proceed")


@frozen
class _Template:
    """A launch template and the version that a group or an instance names."""

    name: str
    version: str | None


def import_aws(documents: Sequence[tuple[str, bytes]]) -> Imported:
    """Return the fleet of Auto Scaling groups; `InvalidFile` for another kind of document, or if there is no group."""
    inputs = parsed(documents)
    notes = Notes()
    catalogue, places = Catalogue(notes), Places(notes)
    sets: list[ScaleSet] = []
    for document in inputs:
        for at, row in enumerate(items_of(document, "AutoScalingGroups")):
            place = f"AutoScalingGroups[{at}]"
            if "AutoScalingGroupName" not in row:
                document.refuse("is no group as `aws autoscaling describe-auto-scaling-groups` lists them", place)
            source = Source(row, document, place, notes)
            with source.blamed():
                sets.append(_set(source, catalogue, places))
            source.finish()
    first = inputs[0]
    if not sets:
        first.refuse("there is no Auto Scaling group in it")
    return notes.imported(fleet_of(first.name, regions=places.regions(), images=catalogue.images(), sets=sets))


def _set(source: Source, catalogue: Catalogue, places: Places) -> ScaleSet:
    zones = source.texts("AvailabilityZones")
    region = _region(source, zones)
    template = _template(source)
    if template is None:
        template = _template(
            source.child("MixedInstancesPolicy").child("LaunchTemplate"), "LaunchTemplateSpecification"
        )
    if template is None:
        configuration = source.required("LaunchConfigurationName")
        source.note("LaunchConfigurationName", "has no versions: it is taken as a custom image")
        reference, version = ImageReference(custom=f"launch-configuration/{configuration}"), "latest"
    else:
        reference = ImageReference(gallery=GALLERY, definition=template.name)
        version = template.version or "latest"
        catalogue.refer(reference, source.document)
        if version != "latest":
            catalogue.see(reference, version, region, source.document, source.place)
    rows: list[Source] = []
    instances: list[Instance] = []
    for row in source.children("Instances"):
        instance = _instance(row, reference, region, catalogue)
        if instance is not None:
            rows.append(row)
            instances.append(instance)
    desired = source.number("DesiredCapacity")
    if desired is not None and desired != len(instances):
        source.note("DesiredCapacity", f"is {desired}: the {len(instances)} instances that are there count")
    checks = source.text("HealthCheckType") or ""
    if "ELB" not in checks.split(","):
        source.note(
            "HealthCheckType", f"is `{checks}`: it checks machines, not what runs on them, and is no health source"
        )
    balanced = bool(source.texts("TargetGroupARNs"))
    zones = [*dict.fromkeys((*zones, *(instance.zone for instance in instances if instance.zone is not None)))]
    places.use(region, zones, source.document)
    tags: Any = _tags(source)
    return ScaleSet(
        name=source.required("AutoScalingGroupName").replace("/", "_"),
        region=region,
        image=reference,
        version=version,
        zones=zones,
        upgrade_domains=1,
        tags=tags,
        health_sources=(HealthSource.PROBE,) if "ELB" in checks.split(",") else (),
        load_balancer_sku="Standard" if balanced else None,
        instances=roster_of(rows, instances),
    )


def _region(source: Source, zones: list[str]) -> str:
    match = _ARN.match(source.text("AutoScalingGroupARN") or "") or (_ZONE.fullmatch(zones[0]) if zones else None)
    if match is None:
        source.refuse("the region is not known: neither an ARN nor a zone names it", "AutoScalingGroupARN")
    return match[1]


def _template(source: Source, key: str = "LaunchTemplate") -> _Template | None:
    """Return the launch template that an object names; a version like `$Latest` names none."""
    named = source.child(key)
    name = named.text("LaunchTemplateName")
    identity = named.text("LaunchTemplateId")
    version = named.text("Version")
    if not (name or identity):
        return None
    return _Template(str(name or identity), None if (version or "$").startswith("$") else version)


def _instance(source: Source, reference: ImageReference, region: str, catalogue: Catalogue) -> Instance | None:
    identity = source.required("InstanceId")
    state = source.text("LifecycleState") or "InService"
    source.listed_at = source.place.rpartition("[")[0] + "[*]"
    template = _template(source)
    if state not in _LIVE + _STARTING:
        source.value(*source.data)
        source.notes.add(source.document.name, source.place, f"instance `{identity}`", f"is left out: it is `{state}`")
        return None
    if state not in ("InService", *_STARTING):
        source.notes.add(
            source.document.name, source.place, f"instance `{identity}`", f"is `{state}`: it counts as it is"
        )
    version = None if template is None else template.version
    if template is not None and template.name != reference.definition:
        source.note("LaunchTemplate", "is not that of the group: the version is taken as unknown")
        version = None
    if version is not None and not catalogue.see(reference, version, region, source.document, source.place):
        version = None
    health = (source.text("HealthStatus") or "").upper()
    known = {"HEALTHY": Health.HEALTHY, "UNHEALTHY": Health.UNHEALTHY}.get(health, Health.UNKNOWN)
    return Instance(
        id=identity,
        zone=source.text("AvailabilityZone"),
        version=version,
        health=Health.INITIALIZING if state in _STARTING else known,
        protect_from_scale_in=bool(source.truth("ProtectedFromScaleIn")),
    )


def _tags(source: Source) -> dict[str, str]:
    tags = {}
    for tag in source.children("Tags"):
        tags[tag.required("Key")] = tag.text("Value") or ""
        tag.value("ResourceId", "ResourceType")
        tag.listed_at = tag.place.rpartition("[")[0] + "[*]"
    return tags
