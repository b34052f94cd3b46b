"""What `az` lists, as a fleet: see tests/data/README.md for where the shapes come from."""

import json
from pathlib import Path
from typing import Any

import pytest

from phasegate.core.model import (
    Health,
    HealthSource,
    Image,
    ImageReference,
    ImageVersion,
    Region,
    Replica,
    RollingPolicy,
)
from phasegate.core.roster import Instance, Roster
from phasegate.files.documents import InvalidFile
from phasegate.importers import Imported, import_az

DATA = Path(__file__).parent.parent / "data" / "az"
GROUP = "/subscriptions/0/resourceGroups"
UBUNTU = ImageReference("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2")


def listed(name: str) -> Any:
    """Return one of the listings as data."""
    return json.loads((DATA / f"{name}.json").read_bytes())


def imported(*documents: Any) -> Imported:
    """Import documents given as data."""
    return import_az([(f"{'abcd'[at]}.json", json.dumps(document).encode()) for at, document in enumerate(documents)])


def refused(*documents: Any) -> str:
    """Return the text of the refusal of documents given as data."""
    with pytest.raises(InvalidFile) as caught:
        imported(*documents)
    return str(caught.value)


def notes(result: Imported) -> list[str]:
    """Return the list of what is unmapped, as lines."""
    return [str(line) for line in result.unmapped]


def instance(**changes: Any) -> dict[str, Any]:
    """Return the first listed instance, changed."""
    return {**listed("list-instances")[0], **changes}


def test_sets_are_imported_with_their_capacity() -> None:
    """`az vmss list` alone gives counts."""
    web, batch = imported(listed("vmss-list")).fleet.sets
    assert (
        web.full_name,
        web.image,
        web.version,
        web.instances,
        web.zones,
        web.os,
    ) == ("westeurope/web", UBUNTU, "latest", 3, ("1", "2", "3"), "linux")
    policy = RollingPolicy(
        max_batch_percent=20,
        max_unhealthy_percent=30,
        max_unhealthy_upgraded_percent=10,
        pause_between_batches_ms=90_500,
        prioritize_unhealthy=True,
        enable_cross_zone=False,
    )
    assert (policy, (HealthSource.EXTENSION,), "multiple", True, "rolling", "ImageDefault") == (
        web.rolling_policy,
        web.health_sources,
        web.placement_groups,
        web.automatic_os_upgrade,
        web.upgrade_mode,
        web.patch_mode,
    )
    assert (ImageReference(gallery="corp", definition="batch"), "1.2.0", 4, (), "windows", False) == (
        batch.image,
        batch.version,
        batch.instances,
        batch.zones,
        batch.os,
        batch.windows_automatic_updates,
    )


def test_listed_instances_take_the_place_of_the_capacity() -> None:
    """Ids, zones, domains, exact versions, health, protection and the model come from `az vmss list-instances`."""
    result = imported(listed("vmss-list"), listed("list-instances"))
    roster = result.fleet.sets[0].instances
    assert isinstance(roster, Roster)
    expected = [
        Instance(id="0", zone="1", version="22.04.202401010"),
        Instance(
            id="1",
            zone="2",
            upgrade_domain=1,
            version="22.04.202401010",
            health=Health.UNHEALTHY,
            protect_from_scale_in=True,
            protect_from_scale_set_actions=True,
            on_model=False,
        ),
        Instance(id="7", zone="3", upgrade_domain=2, version="22.04.202402010"),
    ]
    assert expected == list(roster)
    assert [ImageVersion("22.04.202401010"), ImageVersion("22.04.202402010")] == list(result.fleet.images[0].versions)
    seen = "is known from machines and models alone: taken as published at 0"
    assert f"a.json: version `22.04.202401010` of `{UBUNTU.name}` {seen}" in notes(result)


def test_versions_come_from_the_catalogues() -> None:
    """Platform versions have no time of publication; gallery versions have regions and exclusions."""
    result = imported(listed("vmss-list"), listed("image-list"), listed("sig-image-version-list"))
    first, second = 1_706_702_400_123, 1_709_164_800_000
    corp = Image(
        ImageReference(gallery="corp", definition="batch"),
        [
            ImageVersion("1.2.0", first, False, [Replica("westeurope", first), Replica("northeurope", first, True)]),
            ImageVersion("1.10.0", second, True, [Replica("westeurope", second)]),
        ],
    )
    ubuntu = Image(UBUNTU, [ImageVersion(f"22.04.2024{month}") for month in ("01010", "02010", "03010")])
    assert (ubuntu, corp) == result.fleet.images
    assert (Region("westeurope", "northeurope", ("1", "2", "3")),) == result.fleet.regions
    assert "b.json: [*]: `version` comes without the time of its publication: taken as published at 0" in notes(result)


def test_the_same_version_listed_twice_adds_its_replicas_up() -> None:
    """Listings of several regions or runs may overlap."""
    first = listed("sig-image-version-list")[0]
    second = json.loads(json.dumps(first))
    second["publishingProfile"]["targetRegions"] = [{"name": "West Europe"}, {"name": "UK South"}]
    result = imported(listed("vmss-list"), [first], [second])
    replicas = [replica.name for replica in result.fleet.images[0].versions[0].regions]
    assert replicas == ["westeurope", "northeurope", "uksouth"]


def test_the_shape_of_the_rest_operations_does_too() -> None:
    """Rows under `value`, with `properties`."""
    row = listed("vmss-list")[0]
    top = {key: row.pop(key) for key in ("id", "name", "type", "location", "sku", "zones", "tags")}
    machine = instance()
    part = {key: machine.pop(key) for key in ("id", "name", "type", "location", "instanceId", "zones")}
    version = listed("sig-image-version-list")[0]
    head = {key: version.pop(key) for key in ("id", "name", "type", "location")}
    result = imported(
        {"value": [{**top, "properties": row}]},
        {"value": [{**part, "properties": machine}]},
        {"value": [{**head, "properties": version}]},
    )
    assert (result.fleet.sets[0].size, result.fleet.images[0].name) == (1, "corp/batch")


def test_a_single_set_may_be_shown() -> None:
    """`az vmss show` gives an object, no list."""
    assert imported(listed("vmss-list")[0]).fleet.sets[0].name == "web"


@pytest.mark.parametrize(
    ("view", "health"),
    [
        ({"vmHealth": {"status": {"code": "HealthState/healthy"}}}, Health.HEALTHY),
        ({"vmHealth": {"status": {"code": "HealthState/Initializing"}}}, Health.INITIALIZING),
        ({"vmHealth": {"status": {"code": "HealthState/strange"}}}, Health.UNKNOWN),
        ({"statuses": [{"code": "PowerState/running"}]}, Health.HEALTHY),
        ({"statuses": [{"code": "PowerState/deallocated"}, {}]}, Health.UNHEALTHY),
        (
            {
                "statuses": [{"code": "PowerState/running"}],
                "extensions": [{"statuses": [{"code": "ProvisioningState/failed/1"}]}, {"statuses": None}],
            },
            Health.UNHEALTHY,
        ),
        ({}, Health.HEALTHY),
        (None, Health.HEALTHY),
    ],
)
def test_health_is_reported_or_follows_from_the_state(view: dict[str, Any] | None, health: Health) -> None:
    """Without a report, healthy is running with every extension succeeded; without a view it is assumed."""
    result = imported(listed("vmss-list"), [instance(instanceView=view)])
    (row,) = result.fleet.sets[0].instances  # type: ignore[misc]  # a roster
    assert health == row.health
    assert (view is None) == any("list with `--expand instanceView`" in line for line in notes(result))


@pytest.mark.parametrize(
    ("reference", "version", "note"),
    [
        ({"exactVersion": "1.5"}, "1.5", None),
        ({"id": "/galleries/corp/images/other/versions/1.0.0"}, None, "is not the image of the set"),
        ({"version": "1.4"}, None, "`exactVersion` is missing"),
        (
            {"publisher": "canonical", "offer": UBUNTU.offer, "sku": UBUNTU.sku, "version": "1.4"},
            "1.4",
            None,
        ),
        ({"exactVersion": "1.x"}, None, "version `1.x` is not dotted integers"),
    ],
)
def test_the_version_of_an_instance(reference: dict[str, Any], version: str | None, note: str | None) -> None:
    """It is the exact one, or the pinned one of the same image; everything else is unknown and noted."""
    result = imported(listed("vmss-list"), [instance(storageProfile={"imageReference": reference})])
    (row,) = result.fleet.sets[0].instances  # type: ignore[misc]  # a roster
    assert version == row.version
    assert note is None or any(note in line for line in notes(result))


def test_zones_and_domains_of_instances_count() -> None:
    """An instance in a zone or domain that the model does not name widens the set."""
    rows = [instance(zones=["9"], instanceView={"platformUpdateDomain": 12}), instance(instanceId="5", zones=None)]
    scale_set = imported(listed("vmss-list"), rows).fleet.sets[0]
    assert (scale_set.zones, scale_set.upgrade_domains, scale_set.size) == (("1", "2", "3", "9"), 13, 2)


def test_instances_of_no_listed_set_are_noted() -> None:
    """Nothing is dropped silently."""
    stranger = instance(id=f"{GROUP}/other/providers/Microsoft.Compute/virtualMachineScaleSets/db/virtualMachines/0")
    result = imported(listed("vmss-list"), [stranger])
    assert "b.json: [*]: `id` belongs to a scale set that is in none of the files" in notes(result)


def test_sets_of_one_name_are_told_apart_by_their_resource_group() -> None:
    """Names are unique in a resource group only."""
    row = listed("vmss-list")[0]
    other = {**row, "id": f"{GROUP}/Lab/providers/Microsoft.Compute/virtualMachineScaleSets/web"}
    result = imported([row, other])
    assert [scale_set.name for scale_set in result.fleet.sets] == ["web", "web@lab"]
    assert refused([row, other, other]) == "set `westeurope/web@lab` is there twice (a.json: [2].name)"
    other["id"] = str(other["id"]).replace("Lab", "La\nb")
    assert refused([row, other]) == "name `web@la?b` holds a character that does not print (a.json: [1].name)"


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            instance(instanceId="5\n"),
            "instance id `5?` is empty, or holds a `/` or a character that does not print (c.json: [0])",
        ),
        (
            instance(instanceId="5", instanceView={"platformUpdateDomain": 70_000}),
            "upgrade domain 70000 of instance `5` is not between 0 and 65535 (c.json: [0])",
        ),
        (instance(instanceId="5", zones=["\n"]), "name `?` holds a character that does not print (c.json: [0].zones)"),
        (instance(), "instance `0` is there twice (c.json: [0])"),
    ],
)
def test_a_wrong_instance_is_blamed_on_its_own_row(row: dict[str, Any], text: str) -> None:
    """Also where the set, and other instances of it, stand in other files."""
    assert text == refused(listed("vmss-list"), [instance()], [row])


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({}, "is no scale set, instance, image or gallery version as `az` lists them (b.json: [0])"),
        ({"instanceId": "1"}, "`id` does not name the resource group and the scale set (b.json: [0].id)"),
        (
            {"publisher": "p", "offer": "o", "sku": "s", "version": "1.x"},
            "version `1.x` is not dotted integers, like `1.2.0` (b.json: [0].version)",
        ),
        ({"publishingProfile": {}}, "`id` does not name gallery, definition and version (b.json: [0].id)"),
        (
            {"id": "/galleries/g/images/d/versions/1", "publishingProfile": {"publishedDate": "soon"}},
            "`soon` is no time, like `2024-01-31T12:00:00+00:00` (b.json: [0].publishingProfile.publishedDate)",
        ),
        (5, "expected an object (b.json: [0])"),
    ],
)
def test_a_row_of_no_known_kind_is_refused(row: Any, text: str) -> None:
    """Each fault is one line with the row."""
    assert text == refused(listed("vmss-list"), [row])


def test_an_image_whose_name_does_not_print_is_refused_where_it_stands() -> None:
    """It names the file and the place, as every refusal does, and stays on one line."""
    (row,) = [row for row in listed("vmss-list") if row["name"] == "web"][:1]
    row["virtualMachineProfile"]["storageProfile"]["imageReference"] = {"id": "\n"}
    place = "[0].virtualMachineProfile.storageProfile.imageReference.custom"
    assert f"name `?` holds a character that does not print (a.json: {place})" == refused([row])


def test_a_listing_without_sets_is_refused() -> None:
    """There must be a scale set somewhere, and the documents must be listings."""
    assert refused([]) == "there is no scale set in it; start from the output of `az vmss list` (a.json)"
    assert refused("text") == "expected an object or a list of objects (a.json)"


def test_a_gallery_version_without_a_date_is_noted() -> None:
    """It counts as published at 0; a time without zone is UTC."""
    rows = listed("sig-image-version-list")
    del rows[0]["publishingProfile"]["publishedDate"]
    rows[0]["publishingProfile"]["targetRegions"] = None
    rows[1]["publishingProfile"]["publishedDate"] = "1970-01-01T00:00:01"
    result = imported(listed("vmss-list"), rows)
    assert [version.published_at_ms for version in result.fleet.images[0].versions] == [0, 1000]
    assert any("`publishedDate` is missing: taken as published at 0" in line for line in notes(result))
