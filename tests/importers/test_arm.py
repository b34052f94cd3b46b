"""Deployment templates as fleets, first the three whole ones in tests/data/arm."""

import json
from pathlib import Path
from typing import Any

import pytest

from phasegate.core.model import ExternalResource, HealthSource, ImageReference, Region, RollingPolicy, ServiceFabric
from phasegate.files.documents import InvalidFile
from phasegate.importers import Imported, import_arm

DATA = Path(__file__).parent.parent / "data" / "arm"
GIVEN = {"prefix": "web", "machines": "5"}
SCRIPTS = "https://example.org/first-boot"


def whole(name: str) -> tuple[str, bytes]:
    """Return one of the whole templates."""
    return name, (DATA / name).read_bytes()


def notes(imported: Imported) -> list[str]:
    """Return the list of what is unmapped, as lines without the file."""
    return [str(line).partition(": ")[2] for line in imported.unmapped]


def made(properties: dict[str, Any] | None = None, *others: Any, **top: Any) -> dict[str, Any]:
    """Return a template with one set, its properties merged over the least that a set needs, and other resources."""
    least: dict[str, Any] = {
        "upgradePolicy": {"mode": "Manual"},
        "virtualMachineProfile": {
            "osProfile": {"linuxConfiguration": {"provisionVMAgent": True}},
            "storageProfile": {"imageReference": {"publisher": "p", "offer": "o", "sku": "s", "version": "1.2.3"}},
        },
    }
    scale_set = {
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "apiVersion": "2023-03-01",
        "name": "web",
        "location": "westeurope",
        "sku": {"capacity": 2},
        "properties": merged(least, properties or {}),
        **top,
    }
    return {"$schema": "x", "resources": [scale_set, *others]}


def merged(one: Any, other: Any) -> Any:
    """Return two objects as one, the second over the first at every depth."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one | {key: merged(one.get(key), value) for key, value in other.items()}
    return other


def imported(template: Any, **options: Any) -> Imported:
    """Import a template given as data."""
    return import_arm([("t.json", json.dumps(template).encode())], **options)


def refused(*documents: Any, **options: Any) -> str:
    """Return the text of the refusal of documents given as data."""
    texts = [(f"{'abc'[at]}.json", json.dumps(document).encode()) for at, document in enumerate(documents)]
    with pytest.raises(InvalidFile) as caught:
        import_arm(texts, **options)
    return str(caught.value)


def test_the_automatic_template_is_imported() -> None:
    """Text booleans, variables, a probe, and a load balancer without a sku, which is Basic."""
    result = import_arm([whole("probe_upgrades.json")], parameters=GIVEN, location="West US")
    (scale_set,) = result.fleet.sets
    assert (Region("westus", "eastus"),) == result.fleet.regions
    assert ("westus/web", 5, ImageReference("Canonical", "UbuntuServer", "16.04-LTS"), "latest") == (
        scale_set.full_name,
        scale_set.instances,
        scale_set.image,
        scale_set.version,
    )
    assert (
        scale_set.automatic_os_upgrade,
        scale_set.upgrade_mode,
        scale_set.api_version,
        scale_set.os,
        scale_set.placement_groups,
    ) == (True, "automatic", "2018-10-01", "linux", "single")
    assert (scale_set.health_sources, scale_set.load_balancer_sku) == ((HealthSource.PROBE,), "Basic")
    assert tuple(extension.name for extension in scale_set.extensions) == ("first-boot",)
    scripts = tuple(ExternalResource(f"first-boot: {SCRIPTS}/{name}") for name in ("install.sh", "serve.py"))
    assert scripts == scale_set.external_resources


def test_the_rolling_template_is_imported() -> None:
    """Zones, a rolling policy with a duration, the older switch, and a Standard load balancer."""
    result = import_arm([whole("zonal_rolling.json")], parameters=GIVEN, location="eastus2")
    (scale_set,) = result.fleet.sets
    policy = RollingPolicy(
        max_batch_percent=20,
        max_unhealthy_percent=25,
        max_unhealthy_upgraded_percent=10,
        pause_between_batches_ms=0,
    )
    assert (policy, ("1", "2", "3"), False, "rolling", "Standard", "2017-03-30") == (
        scale_set.rolling_policy,
        scale_set.zones,
        scale_set.automatic_os_upgrade,
        scale_set.upgrade_mode,
        scale_set.load_balancer_sku,
        scale_set.api_version,
    )


def test_the_service_fabric_template_is_imported() -> None:
    """Comments, defaults for everything, a cluster whose node type is the set, and Windows by its extension."""
    result = import_arm([whole("fabric_cluster.json")], location="westeurope")
    (scale_set,) = result.fleet.sets
    assert (ServiceFabric(), "windows", "nt1vm", 5, ()) == (
        scale_set.service_fabric,
        scale_set.os,
        scale_set.name,
        scale_set.instances,
        scale_set.health_sources,
    )
    lines = notes(result)
    stand_in = "is filled in by the deployment: a stand-in, always the same, is in its place"
    assert f"`uniquestring` {stand_in}" in lines
    assert "outputs: `outputs` is no part of a rollout" in lines
    assert "`MicrosoftWindowsServer/WindowsServer/2016-Datacenter-with-Containers` has no known version;" in "\n".join(
        lines
    )


def test_templates_from_elsewhere_are_imported_where_there_are_any() -> None:
    """Beside a checkout there may be real templates: each gives one set that can be planned."""
    elsewhere = Path(__file__).parents[3] / "shared" / "azure" / "templates"
    for path in sorted(elsewhere.glob("*.json")):
        text = path.read_bytes()
        wanted = {"vmssNamePrefix": "web", "instanceCount": "10"}
        given = {name: value for name, value in wanted.items() if f'"{name}"'.encode() in text}
        result = import_arm([(path.name, text)], parameters=given, location="westus")
        (scale_set,) = result.fleet.sets
        assert ("westus", True, True) == (scale_set.region, scale_set.size in (5, 10), scale_set.image.is_platform)


def test_a_missing_parameter_is_one_clear_error() -> None:
    """It says which parameter, and both ways to give it; only those that matter are asked for."""
    with pytest.raises(InvalidFile) as caught:
        import_arm([whole("probe_upgrades.json")], parameters={"prefix": "web"}, location="westus")
    what = "parameter `machines` has no default; give it with --parameter machines=VALUE or in a parameters file"
    what += ", as perhaps `operator`, `secret`"
    assert f"{what} (probe_upgrades.json: resources[1].sku.capacity)" == str(caught.value)


def test_a_parameter_of_another_type_is_one_clear_error() -> None:
    """It says which parameter and what is wrong with it, where it is needed."""
    with pytest.raises(InvalidFile) as caught:
        import_arm([whole("probe_upgrades.json")], parameters=GIVEN | {"machines": "many"}, location="westus")
    what = "parameter `machines`: `many` is no int (probe_upgrades.json: resources[1].sku.capacity)"
    assert what == str(caught.value)


def test_a_missing_location_is_one_clear_error() -> None:
    """The location of the resource group is an option."""
    with pytest.raises(InvalidFile, match=r"with --location REGION \(probe_upgrades.json: resources\[1\].location\)"):
        import_arm([whole("probe_upgrades.json")], parameters=GIVEN)


def test_parameters_come_from_a_file_and_the_command_line_wins() -> None:
    """A parameters file is known by its shape; a reference to a vault is no value."""
    template = made(name="[parameters('name')]", sku={"capacity": "[parameters('count')]"})
    template["parameters"] = {"name": {"type": "string"}, "count": {"type": "int"}, "secret": {"type": "securestring"}}
    values = {"name": {"value": "fromfile"}, "count": {"value": 3}, "secret": {"reference": {"keyVault": {}}}}
    documents = [("t.json", json.dumps(template).encode()), ("p.json", json.dumps({"parameters": values}).encode())]
    one, other = import_arm(documents), import_arm(documents, parameters={"NAME": "given"})
    assert [(i.fleet.sets[0].name, i.fleet.sets[0].instances) for i in (one, other)] == [("fromfile", 3), ("given", 3)]


def test_another_kind_of_document_is_refused() -> None:
    """Each wrong input is one line."""
    values = {"parameters": {"name": {"value": "a"}}}
    assert refused([]) == "is neither a deployment template (it has no `resources`) nor a parameters file (a.json)"
    assert refused(values) == "is a parameters file alone; name its template too (a.json)"
    assert refused({"parameters": {"a": 1}}) == "expected an object with `value` (a.json: parameters.a)"
    assert refused({"resources": []}) == (
        "the template holds no scale set (`Microsoft.Compute/virtualMachineScaleSets`) (a.json: resources)"
    )
    assert refused({"resources": [3]}) == "expected an object with `type` (a.json: resources[0])"
    assert refused(made(), parameters={"nmae": "x"}) == "unknown parameter `nmae` (a.json: parameters)"
    with pytest.raises(InvalidFile, match="there is nothing to import"):
        import_arm([])
    with pytest.raises(InvalidFile, match="the text ends too early"):
        import_arm([("t.json", b'{"resources": [')])
    with pytest.raises(InvalidFile, match="is empty"):
        import_arm([("t.json", b"")])


def test_expressions_nested_without_end_are_refused() -> None:
    """Depth is an error of the file, not of the interpreter."""
    deep = "not(" * 3000 + "true()" + ")" * 3000
    assert refused(made(name=f"[{deep}]")) == "nested too deeply (a.json)"


def test_everything_that_the_rules_know_is_mapped() -> None:
    """A set with all that a template can say of it."""
    profile = {
        "osProfile": {
            "customData": "aGVsbG8=",
            "linuxConfiguration": None,
            "windowsConfiguration": {"enableAutomaticUpdates": "false", "patchSettings": {"patchMode": "Manual"}},
            "secrets": [
                {"sourceVault": {"id": "/x/vaults/safe"}, "vaultCertificates": [{"certificateUrl": "u?sig=1"}, {}]}
            ],
        },
        "storageProfile": {
            "imageReference": {
                "publisher": None,
                "offer": None,
                "sku": None,
                "version": None,
                "id": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/galleries/corp/images/web",
            }
        },
        "extensionProfile": {
            "extensions": [
                {"name": "health", "properties": {"type": "ApplicationHealthWindows", "settings": {}}},
                {"name": "late", "properties": {"provisionAfterExtensions": ["health"]}},
            ]
        },
    }
    policy = {
        "mode": "Rolling",
        "automaticOSUpgradePolicy": {"enableAutomaticOSUpgrade": True, "disableAutomaticRollback": True},
        "rollingUpgradePolicy": {
            "maxBatchInstancePercent": "10",
            "pauseTimeBetweenBatches": "P1DT2H3M4.5S",
            "enableCrossZoneUpgrade": True,
            "prioritizeUnhealthyInstances": True,
        },
    }
    properties = {
        "singlePlacementGroup": "false",
        "platformFaultDomainCount": 1,
        "upgradePolicy": policy,
        "virtualMachineProfile": profile,
    }
    separate = {
        "type": "Microsoft.Compute/virtualMachineScaleSets/extensions",
        "apiVersion": "2023-03-01",
        "name": "web/monitor",
        "properties": {"publisher": "p", "type": "Monitor"},
    }
    child = {"type": "extensions", "name": "backup", "properties": {"type": "Backup"}}
    result = imported(made(properties, separate, tags={"team": "shop", "cost": 5}, zones=["1", 2], resources=[child]))
    (scale_set,) = result.fleet.sets
    assert (
        scale_set.zones,
        dict(scale_set.tags),
        scale_set.os,
        scale_set.patch_mode,
        scale_set.windows_automatic_updates,
        scale_set.custom_data,
        scale_set.placement_groups,
    ) == (("1", "2"), {"cost": "5", "team": "shop"}, "windows", "Manual", False, True, "multiple")
    assert (ImageReference(gallery="corp", definition="web"), "latest", True, True) == (
        scale_set.image,
        scale_set.version,
        scale_set.automatic_os_upgrade,
        scale_set.disable_automatic_rollback,
    )
    rolling = RollingPolicy(
        max_batch_percent=10,
        pause_between_batches_ms=((26 * 60 + 3) * 60 + 4) * 1000 + 500,
        prioritize_unhealthy=True,
        enable_cross_zone=True,
    )
    assert rolling == scale_set.rolling_policy
    names = [(extension.name, extension.provision_after) for extension in scale_set.extensions]
    assert names == [("health", ()), ("late", ("health",)), ("monitor", ()), ("backup", ())]
    assert ((HealthSource.EXTENSION,), (ExternalResource("safe: u"),)) == (
        scale_set.health_sources,
        scale_set.external_resources,
    )
    why = "says nothing of upgrade domains: 5 are taken, the platform's own number"
    assert f"resources[0].properties: `platformFaultDomainCount` {why}" in notes(result)


@pytest.mark.parametrize(
    ("reference", "image", "version"),
    [
        (
            {"sharedGalleryImageId": "/SharedGalleries/shared/Images/web/Versions/1.2.0"},
            ImageReference(gallery="shared", definition="web"),
            "1.2.0",
        ),
        (
            {"communityGalleryImageId": "/CommunityGalleries/all/Images/web/Versions/latest"},
            ImageReference(gallery="all", definition="web"),
            "latest",
        ),
        (
            {"id": "/x/Microsoft.Compute/images/mine"},
            ImageReference(custom="/x/Microsoft.Compute/images/mine"),
            "latest",
        ),
    ],
)
def test_every_kind_of_image_is_told(reference: dict[str, Any], image: ImageReference, version: str) -> None:
    """Galleries of each kind are galleries; everything else by id is a custom image."""
    nothing = {"publisher": None, "offer": None, "sku": None, "version": None}
    storage = {"storageProfile": {"imageReference": nothing | reference}}
    result = imported(made({"virtualMachineProfile": storage}))
    assert (image, version) == (result.fleet.sets[0].image, result.fleet.sets[0].version)
    assert (image.custom is None) == any(known.reference == image for known in result.fleet.images)


def test_a_pinned_version_is_known_and_noted() -> None:
    """The fleet lists it as published at 0, and the notes say so; a gallery's counts as replicated where it is used."""
    result = imported(made())
    assert [(v.version, v.published_at_ms) for v in result.fleet.images[0].versions] == [("1.2.3", 0)]
    seen = "version `1.2.3` of `p/o/s` is known from machines and models alone: taken as published at 0"
    assert seen in notes(result)


@pytest.mark.parametrize(
    ("profile", "system"),
    [
        ({"storageProfile": {"osDisk": {"osType": "Windows"}}}, "windows"),
        ({}, "linux"),
        ({"osProfile": {"linuxConfiguration": None}}, "linux"),
        (
            {
                "osProfile": {"linuxConfiguration": None},
                "storageProfile": {"imageReference": {"publisher": "MicrosoftWindowsServer"}},
            },
            "windows",
        ),
        ({"osProfile": {"linuxConfiguration": None}, "storageProfile": {"imageReference": {"id": "/my"}}}, "linux"),
    ],
)
def test_the_system_is_told(profile: dict[str, Any], system: str) -> None:
    """The disk says it first, then the configuration, then the publisher."""
    result = imported(made({"virtualMachineProfile": profile}))
    assert system == result.fleet.sets[0].os
    assumed = "resources[0].properties.virtualMachineProfile: `osProfile` does not say the system: taken as linux"
    assert ("/my" in str(profile)) == (assumed in notes(result))


def fabric(**settings: Any) -> dict[str, Any]:
    """Return the profile of a set with the Service Fabric extension."""
    properties = {"publisher": "Microsoft.Azure.ServiceFabric", "type": "ServiceFabricLinuxNode", "settings": settings}
    return {"virtualMachineProfile": {"extensionProfile": {"extensions": [{"name": "sf", "properties": properties}]}}}


def test_a_service_fabric_node_type_is_matched_by_its_name() -> None:
    """Durability of cluster and extension may differ, and a node type may be stateless."""
    types = [{"name": "NT", "durabilityLevel": "gold", "isStateless": "true"}, {"name": "other"}]
    cluster = {"type": "Microsoft.ServiceFabric/clusters", "name": "c", "properties": {"nodeTypes": types}}
    result = imported(made(fabric(nodeTypeRef="nt", durabilityLevel="Silver"), cluster))
    expected = ServiceFabric(cluster_durability="Gold", extension_durability="Silver", stateless=True)
    assert expected == result.fleet.sets[0].service_fabric


def test_a_service_fabric_set_without_its_cluster_is_noted() -> None:
    """Its durability, Bronze where nothing is said, counts for the cluster too."""
    result = imported(made(fabric(nodeTypeRef="nt")))
    expected = ServiceFabric(cluster_durability="Bronze", extension_durability="Bronze")
    assert expected == result.fleet.sets[0].service_fabric
    assert any("names a node type" in line for line in notes(result))


def test_the_sku_of_a_balancer_elsewhere_is_unknown() -> None:
    """A pool names a balancer that the template does not hold."""
    pool = {"id": "/x/loadBalancers/front/backendAddressPools/p"}
    address = {"name": "ip", "properties": {"loadBalancerBackendAddressPools": [pool]}}
    interface = {"name": "nic", "properties": {"ipConfigurations": [address]}}
    network = {"networkProfile": {"networkInterfaceConfigurations": [interface]}}
    result = imported(made({"virtualMachineProfile": network}))
    assert result.fleet.sets[0].load_balancer_sku is None
    assert any("load balancer `front` is not described here" in line for line in notes(result))


def test_resources_are_copied_and_left_out() -> None:
    """A copy loop makes several sets; a false condition none; an unknown loop of something else is listed."""
    template = made(name="[concat('web', copyIndex(1))]", copy={"name": "sets", "count": 2})
    template["resources"] += [
        {**template["resources"][0], "condition": False},
        {"type": "Other/thing", "name": "[reference('x')]", "copy": {"name": "c", "count": "[reference('x')]"}},
        {"type": "Other/thing", "name": "[reference('x')]"},
    ]
    template["functions"] = [{"namespace": "contoso"}]
    result = imported(template)
    assert [scale_set.name for scale_set in result.fleet.sets] == ["web1", "web2"]
    kind = "Microsoft.Compute/virtualMachineScaleSets"
    assert {
        f"resources[1]: resource `{kind}` is left out: its condition is false",
        "resources[2]: resource `Other/thing` has a copy loop that is not known: `reference` needs what is deployed",
        "resources[3]: resource `Other/thing` `?` is no part of a rollout",
        "functions: `functions` is no part of a rollout",
    } <= set(notes(result))


def test_resources_may_have_symbolic_names() -> None:
    """Newer templates hold them as an object."""
    template = made()
    template["resources"] = {"scaleSet": template["resources"][0]}
    assert imported(template).fleet.sets[0].name == "web"


def test_an_unknown_copy_loop_of_a_set_is_refused() -> None:
    """How many sets there are matters."""
    template = made(copy={"name": "sets", "count": "many"})
    what = "the copy loop is not known: the count of copy loop `sets` is not between 0 and 800"
    assert refused(template) == f"{what} (a.json: resources[0].copy)"


def test_what_is_not_known_offline_is_listed() -> None:
    """An optional value that needs the deployment is left out, and noted."""
    extensions = ["[reference('x')]", {"name": "app", "properties": {"type": "[reference('y')]"}}]
    profile = {"virtualMachineProfile": {"extensionProfile": {"extensions": extensions}}}
    result = imported(made(profile, tags={"a": "[reference('x')]", "b": "c"}))
    assert dict(result.fleet.sets[0].tags) == {"b": "c"}
    assert sum("is not known offline: `reference` needs what is deployed" in line for line in notes(result)) == 3


@pytest.mark.parametrize(
    ("properties", "top", "text"),
    [
        ({}, {"name": ""}, "`name` is missing (a.json: resources[0].name)"),
        (
            {},
            {"name": "[reference('x').name]"},
            "`name` is not known offline: `reference` needs what is deployed (a.json: resources[0].name)",
        ),
        ({}, {"name": ["x"]}, "expected text, got a list (a.json: resources[0].name)"),
        ({}, {"name": "a/b"}, "name `a/b` is empty, padded, or holds a `/` (a.json: resources[0].name)"),
        ({}, {"sku": {}}, "`sku.capacity` is missing or not known offline (a.json: resources[0].sku.capacity)"),
        (
            {},
            {"sku": {"capacity": "many"}},
            "expected a whole number, got text `many` (a.json: resources[0].sku.capacity)",
        ),
        (
            {"upgradePolicy": {"mode": "Sometimes"}},
            {},
            "`Sometimes` is none of `automatic`, `rolling`, `manual`"
            " (a.json: resources[0].properties.upgradePolicy.mode)",
        ),
        ({}, {"zones": "1"}, "expected a list of texts (a.json: resources[0].zones)"),
        ({}, {"zones": ["-"]}, "zone `-` is empty, `-`, or holds a `/` (a.json: resources[0].zones)"),
        ({}, {"tags": 3}, "expected an object, got the number 3 (a.json: resources[0].tags)"),
        (
            {"singlePlacementGroup": "perhaps"},
            {},
            "expected true or false, got text `perhaps` (a.json: resources[0].properties.singlePlacementGroup)",
        ),
        (
            {"upgradePolicy": {"rollingUpgradePolicy": {"maxBatchInstancePercent": 1}}},
            {},
            "1 is not between 5 and 100"
            " (a.json: resources[0].properties.upgradePolicy.rollingUpgradePolicy.max_batch_percent)",
        ),
        (
            {"upgradePolicy": {"rollingUpgradePolicy": {"pauseTimeBetweenBatches": "PT"}}},
            {},
            "`PT` is no duration, like `PT30S` (ISO 8601)"
            " (a.json: resources[0].properties.upgradePolicy.rollingUpgradePolicy.pauseTimeBetweenBatches)",
        ),
        (
            {"virtualMachineProfile": {"storageProfile": {"imageReference": {"sku": None}}}},
            {},
            "the image is not known: it needs `publisher`, `offer` and `sku`, or an `id`"
            " (a.json: resources[0].properties.virtualMachineProfile.storageProfile.imageReference.)",
        ),
        (
            {"virtualMachineProfile": {"extensionProfile": {"extensions": {}}}},
            {},
            "expected a list (a.json: resources[0].properties.virtualMachineProfile.extensionProfile.extensions)",
        ),
        (
            {"virtualMachineProfile": {"extensionProfile": {"extensions": [1]}}},
            {},
            "expected an object (a.json: resources[0].properties.virtualMachineProfile.extensionProfile.extensions[0])",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused(properties: dict[str, Any], top: dict[str, Any], text: str) -> None:
    """What matters must be right; the error names the place in the template."""
    assert text == refused(made(properties, **top))


def test_a_missing_mode_is_manual() -> None:
    """That is the platform's own default, and it is noted."""
    result = imported(made({"upgradePolicy": {"mode": None}}))
    assert result.fleet.sets[0].upgrade_mode == "manual"
    assert "resources[0].properties.upgradePolicy: `mode` is missing: taken as manual" in notes(result)


def test_a_version_that_does_not_compare_is_refused() -> None:
    """A model that pins a version with letters cannot be judged."""
    image = {"virtualMachineProfile": {"storageProfile": {"imageReference": {"version": "1.x"}}}}
    text = "version `1.x` is not dotted integers, like `1.2.0`, nor `latest` (a.json: resources[0].image.version)"
    assert text == refused(made(image))
