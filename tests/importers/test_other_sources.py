"""The region list, Kubernetes nodes and Auto Scaling groups as fleets: shapes as tests/data/README.md says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phasegate.core.model import Health, HealthSource, ImageReference, ImageVersion, Region, Replica
from phasegate.core.roster import Instance
from phasegate.files.documents import InvalidFile
from phasegate.importers import IMPORTERS, Imported, Unmapped, import_aws, import_kubectl, import_regions

DATA = Path(__file__).parent.parent / "data"
REGIONS = "regions/list-locations.json"
NODES = "kubectl/nodes.json"
GROUPS = "aws/describe-auto-scaling-groups.json"


def data(path: str) -> Any:
    """Return a listing as data."""
    return json.loads((DATA / path).read_bytes())


def imported(importer: Callable[..., Imported], document: Any) -> Imported:
    """Import a document given as data."""
    return importer([("a.json", json.dumps(document).encode())])


def refused(importer: Callable[..., Imported], document: Any) -> str:
    """Return the text of the refusal of a document given as data."""
    with pytest.raises(InvalidFile) as caught:
        imported(importer, document)
    return str(caught.value)


def notes(result: Imported) -> list[str]:
    """Return the list of what is unmapped, as lines without the file."""
    return [str(line).partition(": ")[2] for line in result.unmapped]


def test_every_importer_has_a_name() -> None:
    """The command line finds them by it."""
    assert list(IMPORTERS) == ["arm", "az", "regions", "kubectl", "aws"]


@pytest.mark.parametrize("name", ["az", "regions", "kubectl", "aws"])
def test_empty_and_cut_off_documents_are_refused(name: str) -> None:
    """One clear line, whatever the importer."""
    for text, what in ((b"", "is empty"), (b'[{"a": ', "the text ends too early"), (b"[3]", "expected an object")):
        with pytest.raises(InvalidFile, match=what):
            IMPORTERS[name]([("a.json", text)])
    with pytest.raises(InvalidFile, match="there is nothing to import"):
        IMPORTERS[name]([])


def test_the_region_list_is_imported() -> None:
    """Physical regions with pairs and zones; logical ones are listed as unmapped."""
    result = imported(import_regions, data(REGIONS))
    expected = (
        Region("westeurope", "northeurope", ("1", "2", "3")),
        Region("northeurope", "westeurope", ("1", "2", "3")),
        Region("westindia", "southindia"),
        Region("italynorth", zones=("1", "2", "3")),
    )
    assert expected == result.fleet.regions
    assert Unmapped("a.json", "[4]", "region `europe`", "is logical: it holds no machines") in result.unmapped


def test_the_rest_shape_and_older_lists_of_regions_are_imported() -> None:
    """Rows under `value`; a list of before regions had metadata; a second pair is noted."""
    pairs = [{"name": "b"}, {"name": "c"}]
    rows = [{"name": "a", "metadata": {"pairedRegion": pairs}}, {"name": "x", "displayName": "X"}]
    result = imported(import_regions, {"value": rows})
    assert (Region("a", "b"), Region("x")) == result.fleet.regions
    assert any("are beyond the first" in line for line in notes(result))


def test_a_plain_table_of_regions_is_imported() -> None:
    """The pair by its name, and how many zones there are; without them a region has neither."""
    rows = [
        {"name": "a", "displayName": "A", "pairedRegion": "b", "zones": 3},
        {"name": "b", "displayName": "B", "pairedRegion": None, "zones": 0},
        {"name": "c", "displayName": "C", "availabilityZoneMappings": [{"logicalZone": "2"}]},
    ]
    result = imported(import_regions, rows)
    assert (Region("a", "b", ("1", "2", "3")), Region("b"), Region("c", zones=("2",))) == result.fleet.regions
    assert [] == [line for line in notes(result) if "pairedRegion" in line or "zones" in line]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (
            [{"name": "a", "displayName": "A", "zones": 10**9}],
            "1000000000 is no number of availability zones; there are 99 at most (a.json: [0].zones)",
        ),
        ([], "there is no physical region in it (a.json)"),
        ([{"name": "a"}], "is no region as `az account list-locations` lists them (a.json: [0])"),
        (
            [{"name": "a", "metadata": {"pairedRegion": [{"name": "a"}]}}],
            "region `a` names itself as its pair; leave `pair` out (a.json: [0].pair)",
        ),
        ([{"name": "a", "metadata": {}}] * 2, "region `a` is there twice (a.json: regions[1])"),
    ],
)
def test_what_is_no_region_list_is_refused(document: Any, text: str) -> None:
    """Each fault is one line."""
    assert text == refused(import_regions, document)


def test_nodes_are_imported_pool_by_pool() -> None:
    """A pool in a region is a set; image and version come from the labels or the system."""
    result = imported(import_kubectl, data(NODES))
    found = [(s.full_name, s.image.name, s.zones, s.os, s.upgrade_domains) for s in result.fleet.sets]
    assert found == [
        ("unlabelled/nodes", "node-image/Debian", (), "linux", 1),
        ("us-central1/main", "node-image/Container-Optimized OS from Google", ("us-central1-a",), "linux", 1),
        ("us-east-1/workers", "node-image/Bottlerocket OS (aws-k8s-1.28)", ("us-east-1b",), "linux", 1),
        ("westeurope/apps", "node-image/AKSUbuntu-2204gen2containerd", ("1", "2"), "linux", 1),
        ("westeurope/win", "node-image/AKSWindows-2019", (), "windows", 1),
    ]
    instances = [instance for scale_set in result.fleet.sets for instance in scale_set.instances]  # type: ignore[union-attr]
    assert [
        Instance(id="metal-1"),
        Instance(id="gke-main-pool-1", zone="us-central1-a", version="5.15.120"),
        Instance(id="ip-10-0-0-9.ec2.internal", zone="us-east-1b", version="1.19.2"),
        Instance(id="aks-apps-1-vmss000000", zone="1", version="202401.17.1"),
        Instance(id="aks-apps-1-vmss000001", zone="2", version="202402.07.0", health=Health.UNHEALTHY),
        Instance(id="akswin000000", version="17763.5329.240202", health=Health.UNKNOWN),
    ] == instances


def test_what_a_node_does_not_say_is_noted() -> None:
    """Assumptions and what does not matter are in the list, and so is the lacking region table entry."""
    lines = "\n".join(notes(imported(import_kubectl, data(NODES))))
    for part in (
        "`unschedulable` takes no workload",
        "`taint node.kubernetes.io/unschedulable` keeps workload away",
        "is the number of a fault domain",
        "that of the kernel is taken",
        "nor does the kernel's",
        "the node is put in region `unlabelled`",
        "the node is put in pool `nodes`",
        "region `us-east-1` is not in the region table: its pair is unknown",
        "`node-image/Debian` has no known version; add some to `images`",
        "`podCIDR` is no part of a rollout",
    ):
        assert part in lines


def node(name: str, system: dict[str, Any], conditions: Any = None, **labels: str) -> dict[str, Any]:
    """Return a node of a pool of one region."""
    known = {"agentpool": "p", "topology.kubernetes.io/region": "r", **labels}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": known},
        "status": {"nodeInfo": system, "conditions": conditions},
    }


def test_a_node_of_another_image_than_its_pool_has_no_known_version() -> None:
    """A set has one image: that of the pool's first node."""
    rows = [node("a", {"osImage": "Ubuntu 22.04 LTS"}), node("b", {"osImage": "Debian 12.1"}), node("c", {})]
    result = imported(import_kubectl, {"kind": "NodeList", "items": rows})
    (scale_set,) = result.fleet.sets
    assert [instance.version for instance in scale_set.instances] == ["22.04", None, None]  # type: ignore[union-attr]
    assert "image `node-image/Debian` is not that of its pool, `node-image/Ubuntu LTS`" in "\n".join(notes(result))


@pytest.mark.parametrize(
    ("system", "definition", "version"),
    [
        ({"osImage": "12.1"}, "os", "12.1"),
        ({}, "os", None),
        ({"osImage": "Flatcar", "kernelVersion": "6.1.77-2-x"}, "Flatcar", "6.1.77.2"),
        ({"osImage": "Talos (v1.6.4)"}, "Talos (v )", "1.6.4"),
    ],
)
def test_the_image_of_a_node_is_read_from_its_system(system: Any, definition: str, version: str | None) -> None:
    """A dotted version in the system's name, else the kernel's, else none; the rest is the image."""
    (scale_set,) = imported(import_kubectl, node("a", system)).fleet.sets
    (instance,) = scale_set.instances  # type: ignore[misc]
    assert (ImageReference(gallery="node-image", definition=definition), version) == (scale_set.image, instance.version)


@pytest.mark.parametrize(
    ("conditions", "health"),
    [
        (None, Health.UNKNOWN),
        ([{"type": "DiskPressure", "status": "False"}], Health.UNKNOWN),
        ([{"type": "Ready"}], Health.UNKNOWN),
        ([{"type": "Ready", "status": "True"}], Health.HEALTHY),
    ],
)
def test_readiness_is_health(conditions: Any, health: Health) -> None:
    """A node that does not say whether it is ready is unknown."""
    (scale_set,) = imported(import_kubectl, node("a", {}, conditions)).fleet.sets
    assert [health] == [instance.health for instance in scale_set.instances]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"kind": "List", "items": []}, "there is no node in it; it comes from `kubectl get nodes -o json` (a.json)"),
        ({"kind": "Pod"}, "is no node as `kubectl get nodes -o json` lists them (a.json: items[0])"),
        ({"items": [node("", {})]}, "`name` is missing (a.json: items[0].metadata.name)"),
        ({"items": [node("a", {}), node("a", {})]}, "instance `a` is there twice (a.json: items[1])"),
        (
            {"items": [node("a", {}), node("b", {}, **{"topology.kubernetes.io/zone": "-"})]},
            "zone `-` is empty, `-`, or holds a `/` (a.json: items[1].zones)",
        ),
        (
            {"items": [node(f"n{at}", {}, **{"topology.kubernetes.io/zone": f"z{at}"}) for at in range(300)]},
            "300 zones in one set; at most 255 are possible (a.json)",
        ),
        (
            {"items": [node("a", {}, **{"topology.kubernetes.io/region": "a/b"})]},
            "name `a/b` is empty, padded, or holds a `/` (a.json: name)",
        ),
    ],
)
def test_what_is_no_list_of_nodes_is_refused(document: Any, text: str) -> None:
    """Each fault is one line."""
    assert text == refused(import_kubectl, document)


def test_groups_are_imported() -> None:
    """A group is a set on its launch template; its instances count, with their template versions."""
    result = imported(import_aws, data(GROUPS))
    web, jobs, mixed = result.fleet.sets
    template = ImageReference(gallery="launch-template", definition="shop")
    assert ("us-west-2/web", template, "latest", (HealthSource.PROBE,), "Standard", {"team": "shop"}) == (
        web.full_name,
        web.image,
        web.version,
        web.health_sources,
        web.load_balancer_sku,
        dict(web.tags),
    )
    assert [
        Instance(id="i-0a", zone="us-west-2a", version="1"),
        Instance(id="i-0b", zone="us-west-2b", version="2", health=Health.UNHEALTHY, protect_from_scale_in=True),
        Instance(id="i-0c", zone="us-west-2b", version="2", health=Health.INITIALIZING),
    ] == list(web.instances)  # type: ignore[arg-type]
    assert ("old_jobs", ImageReference(custom="launch-configuration/jobs-2019"), (), None) == (
        jobs.name,
        jobs.image,
        jobs.health_sources,
        jobs.load_balancer_sku,
    )
    assert (template, "2", ("us-west-2a", "us-west-2b", "us-west-2c"), 2) == (
        mixed.image,
        mixed.version,
        mixed.zones,
        mixed.size,
    )
    replicas = [Replica("us-west-2")]
    assert (ImageVersion("1", regions=replicas), ImageVersion("2", regions=replicas)) == result.fleet.images[0].versions
    zones = ("us-west-2a", "us-west-2b", "us-west-2c")
    assert (Region("us-west-2", zones=zones),) == result.fleet.regions


def test_what_a_group_says_beyond_a_set_is_noted() -> None:
    """Instances on their way out, stand-bys, and everything that the rules do not know."""
    lines = "\n".join(notes(imported(import_aws, data(GROUPS))))
    for part in (
        "AutoScalingGroups[2].Instances[1]: instance `i-3` is left out: it is `Terminating`",
        "AutoScalingGroups[2].Instances[2]: instance `i-4` is `Standby`: it counts",
        "`HealthCheckType` is `EC2`: it checks machines",
        "`LaunchConfigurationName` has no versions",
        "AutoScalingGroups[0]: `SuspendedProcesses` is no part of a rollout",
    ):
        assert part in lines


def group(**changes: Any) -> dict[str, Any]:
    """Return the listing of one small group, changed; None takes a key out."""
    least = {
        "AutoScalingGroupName": "g",
        "AvailabilityZones": ["us-west-2a"],
        "LaunchTemplate": {"LaunchTemplateId": "lt-1"},
        "HealthCheckType": "EC2,ELB",
        "Instances": [],
    }
    return {"AutoScalingGroups": [{**least, **changes}]}


def test_the_region_follows_from_a_zone_where_there_is_no_arn() -> None:
    """A template may be known by its id alone, and an empty group is a set of none."""
    (scale_set,) = imported(import_aws, group()).fleet.sets
    assert (scale_set.full_name, scale_set.image.name, scale_set.size) == ("us-west-2/g", "launch-template/lt-1", 0)


@pytest.mark.parametrize(
    ("template", "version", "note"),
    [
        ({"LaunchTemplateName": "lt-1", "Version": "3"}, "3", None),
        ({"LaunchTemplateName": "other", "Version": "3"}, None, "is not that of the group"),
        ({"LaunchTemplateName": "lt-1", "Version": "x"}, None, "version `x` is not dotted integers"),
        (None, None, None),
    ],
)
def test_the_version_of_an_instance_is_its_template_version(
    template: Any, version: str | None, note: str | None
) -> None:
    """Of another template, or no number, it is unknown; the desired capacity is only noted."""
    row = {"InstanceId": "i-1", "LaunchTemplate": template}
    result = imported(import_aws, group(Instances=[row], DesiredCapacity=4))
    (instance,) = result.fleet.sets[0].instances  # type: ignore[misc]
    assert (version, Health.UNKNOWN) == (instance.version, instance.health)
    lines = "\n".join(notes(result))
    assert (note or "`DesiredCapacity` is 4: the 1 instances that are there count") in lines


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"AutoScalingGroups": []}, "there is no Auto Scaling group in it (a.json)"),
        (
            {"AutoScalingInstances": []},
            "is no group as `aws autoscaling describe-auto-scaling-groups` lists them (a.json: AutoScalingGroups[0])",
        ),
        (
            group(AvailabilityZones=[]),
            "the region is not known: neither an ARN nor a zone names it"
            " (a.json: AutoScalingGroups[0].AutoScalingGroupARN)",
        ),
        (
            group(LaunchTemplate=None),
            "`LaunchConfigurationName` is missing (a.json: AutoScalingGroups[0].LaunchConfigurationName)",
        ),
        (
            group(Instances=[{"InstanceId": "a/b"}]),
            "instance id `a/b` is empty, or holds a `/` or a character that does not print"
            " (a.json: AutoScalingGroups[0].Instances[0])",
        ),
    ],
)
def test_what_is_no_listing_of_groups_is_refused(document: Any, text: str) -> None:
    """Each fault is one line."""
    assert text == refused(import_aws, document)
