"""The nodes of Kubernetes clusters: `phasegate import kubectl`, from `kubectl get nodes -o json`.

A node pool in a region is a set: nodes are told apart by the labels that the clouds put on them. What a node runs is
read from its node image label, or else from what it reports of its operating system, wherever that holds a dotted
version. Well-known labels: *Well-Known Labels, Annotations and Taints* of the Kubernetes reference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import define, field, frozen

from phasegate.core.model import Health, ImageReference, ScaleSet
from phasegate.core.roster import Instance
from phasegate.files.documents import blamed_on
from phasegate.importers.catalogue import Catalogue, Places
from phasegate.importers.reading import Document, Imported, Notes, Source, fleet_of, items_of, parsed
from phasegate.importers.rosters import roster_of

REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
POOL_LABELS = (
    "kubernetes.azure.com/agentpool",
    "agentpool",
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "karpenter.sh/nodepool",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
)
IMAGE_LABEL = "kubernetes.azure.com/node-image-version"  # like AKSUbuntu-2204gen2containerd-202401.17.1
NO_REGION = "unlabelled"
NO_POOL = "nodes"
GALLERY = "node-image"

_LABELLED = re.compile(r"(.+)-([0-9]+(?:\.[0-9]+)+)")
_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_KERNEL = re.compile(r"([0-9]+(?:\.[0-9]+)+)(?:-([0-9]+))?")


@frozen
class _Node:
    """A node as an instance, and where its image is known from."""

    instance: Instance
    reference: ImageReference
    source: Source


@define
class _Pool:
    """The nodes of one pool in one region."""

    nodes: list[_Node] = field(factory=list)
    windows: bool = False


def import_kubectl(documents: Sequence[tuple[str, bytes]]) -> Imported:
    """Return the fleet of the nodes of a cluster, a set for each node pool in each region.

    `InvalidFile` for a document that is no list of nodes, or if there is no node.
    """
    inputs = parsed(documents)
    notes = Notes()
    pools: dict[tuple[str, str], _Pool] = {}
    for document in inputs:
        for at, row in enumerate(items_of(document, "items")):
            if row.get("kind") != "Node":
                document.refuse("is no node as `kubectl get nodes -o json` lists them", f"items[{at}]")
            source = Source(row, document, f"items[{at}]", notes, "items[*]")
            with source.blamed():
                _add(source, pools)
    if not pools:
        inputs[0].refuse("there is no node in it; it comes from `kubectl get nodes -o json`")
    catalogue, places = Catalogue(notes), Places(notes)
    sets = [
        _set(region, name, pool, catalogue, places)
        for (region, name), pool in sorted(pools.items(), key=lambda at: at[0])
    ]
    return notes.imported(fleet_of(inputs[0].name, regions=places.regions(), images=catalogue.images(), sets=sets))


def _add(source: Source, pools: dict[tuple[str, str], _Pool]) -> None:
    metadata, spec, status = source.child("metadata"), source.child("spec"), source.child("status")
    labels = metadata.child("labels")
    name = metadata.required("name")
    region = labels.text(*REGION_LABELS)
    if region is None:
        labels.note(REGION_LABELS[0], f"is missing: the node is put in region `{NO_REGION}`")
        region = NO_REGION
    pool_name = labels.text(*POOL_LABELS)
    if pool_name is None:
        labels.note(POOL_LABELS[0], f"is missing, and the like labels too: the node is put in pool `{NO_POOL}`")
        pool_name = NO_POOL
    system = status.child("nodeInfo")
    reference, version = _image(system, labels)
    source.value("kind", "apiVersion")
    if spec.truth("unschedulable"):
        spec.note("unschedulable", "takes no workload: that does not keep a machine from being upgraded")
    for taint in spec.children("taints"):
        key = taint.text("key")
        spec.note(f"taint {key}", "keeps workload away: that does not keep a machine from being upgraded")
        taint.value("effect", "value", "timeAdded")
    pool = pools.setdefault((region, pool_name.replace("/", "_")), _Pool())
    pool.windows = pool.windows or (system.text("operatingSystem") or "").lower() == "windows"
    zone = _zone(labels, region, (spec.text("providerID") or "").startswith("azure:"))
    pool.nodes.append(_Node(Instance(id=name, zone=zone, version=version, health=_health(status)), reference, source))


def _zone(labels: Source, region: str, azure: bool) -> str | None:
    """Return the zone of a node: on Azure the label is `region-1` for zone `1`, and elsewhere the zone's own name."""
    zone = labels.text(*ZONE_LABELS)
    if zone is not None and azure:
        if not zone.startswith(f"{region}-"):
            labels.note(ZONE_LABELS[0], "is the number of a fault domain, which Azure puts on nodes without a zone")
            return None
        return zone.removeprefix(f"{region}-")
    return zone or None


def _health(status: Source) -> Health:
    """Return healthy if the node says that it is ready, unhealthy if not, unknown if it says neither."""
    words = {"True": Health.HEALTHY, "False": Health.UNHEALTHY}
    for condition in status.children("conditions"):
        if condition.text("type") == "Ready":
            state = words.get(condition.text("status") or "", Health.UNKNOWN)
            condition.value("lastHeartbeatTime", "lastTransitionTime", "message", "reason")
            return state
    return Health.UNKNOWN


def _image(system: Source, labels: Source) -> tuple[ImageReference, str | None]:
    """Return image and version of a node: its image label, a dotted version in its system's name, or its kernel's."""
    labelled = _LABELLED.fullmatch(labels.text(IMAGE_LABEL) or "")
    name = (system.text("osImage") or "").strip()
    kernel = _KERNEL.match(system.text("kernelVersion") or "")
    if labelled is not None:
        return ImageReference(gallery=GALLERY, definition=labelled[1]), labelled[2]
    found = _DOTTED.search(name)
    if found is not None:
        rest = " ".join(f"{name[: found.start()]} {name[found.end() :]}".split())
        return ImageReference(gallery=GALLERY, definition=rest or "os"), found.group()
    reference = ImageReference(gallery=GALLERY, definition=name or "os")
    if kernel is None:
        system.note("osImage", "holds no dotted version, nor does the kernel's: the version is taken as unknown")
        return reference, None
    system.note("osImage", "holds no dotted version: that of the kernel is taken")
    return reference, ".".join(filter(None, kernel.groups()))


def _set(region: str, name: str, pool: _Pool, catalogue: Catalogue, places: Places) -> ScaleSet:
    reference = pool.nodes[0].reference
    first = pool.nodes[0].source
    document: Document = first.document
    instances = []
    for node in pool.nodes:
        instance, source = node.instance, node.source
        if node.reference != reference:
            why = f"is not that of its pool, `{reference.name}`: its version is taken as unknown"
            source.notes.add(source.document.name, source.place, f"image `{node.reference.name}`", why)
            instance = Instance(id=instance.id, zone=instance.zone, health=instance.health)
        elif instance.version is not None:
            catalogue.see(reference, instance.version, region, source.document, source.place)
        source.finish()
        instances.append(instance)
    catalogue.refer(reference, document)
    zones = {instance.zone for instance in instances if instance.zone is not None}
    places.use(region, zones, document)
    with blamed_on(document.name):
        return ScaleSet(
            name=name,
            region=region,
            image=reference,
            zones=zones,
            upgrade_domains=1,
            os="windows" if pool.windows else "linux",
            instances=roster_of([node.source for node in pool.nodes], instances),
        )
