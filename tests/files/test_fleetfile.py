"""Fleet files: what they hold, and how a fault in one is told."""

import json
from pathlib import Path
from typing import Any

import pytest

from phasegate.core.model import Fleet, Health, HealthSource, Image, ImageReference, Region
from phasegate.core.roster import Instance, Roster
from phasegate.files.documents import InvalidFile
from phasegate.files.fleetfile import FLEET_FORMAT, dump_fleet, load_fleet, parse_fleet, write_fleet
from phasegate.files.timezones import utc_offsets

IMAGE = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
SET: dict[str, Any] = {
    "name": "web",
    "region": "eastus",
    "zones": ["1", "2", "3"],
    "upgrade_domains": 5,
    "tags": {"team": "shop"},
    "image": {**IMAGE, "version": "latest"},
    "os": "linux",
    "api_version": "2021-03-01",
    "configured_at_ms": 0,
    "automatic_os_upgrade": True,
    "disable_automatic_rollback": False,
    "upgrade_mode": "automatic",
    "patch_mode": None,
    "windows_automatic_updates": None,
    "health_sources": ["extension"],
    "load_balancer_sku": None,
    "placement_groups": "single",
    "rolling_policy": {
        "max_batch_percent": 20,
        "max_unhealthy_percent": 20,
        "max_unhealthy_upgraded_percent": 20,
        "pause_between_batches_ms": 0,
        "prioritize_unhealthy": False,
        "enable_cross_zone": False,
    },
    "custom_data": False,
    "extensions": [{"name": "app", "provision_after": []}],
    "external_resources": [{"name": "sas", "available": True}],
    "service_fabric": {
        "cluster_durability": "Silver",
        "extension_durability": "Silver",
        "stateless": False,
        "extension_version": "1.1",
    },
    "windows": [{"day": "sat", "start": "01:00", "minutes": 300, "timezone": "Europe/Berlin"}],
    "instances": 100,
}
FLEET: dict[str, Any] = {
    "format": FLEET_FORMAT,
    "regions": [{"name": "eastus", "pair": "westus", "zones": ["1", "2", "3"]}],
    "images": [
        {**IMAGE, "versions": [{"version": "18.04.202401010", "published_at_ms": 0}]},
        {
            "gallery": "corp",
            "definition": "web",
            "versions": [
                {
                    "version": "1.2.0",
                    "published_at_ms": 0,
                    "exclude_from_latest": False,
                    "regions": [{"name": "eastus", "replicated_at_ms": 0, "exclude_from_latest": False}],
                }
            ],
        },
    ],
    "sets": [SET],
    "conflicts": [["eastus/1", "eastus/-"]],
    "groups": [{"name": "quorum", "counts": "sets", "members": ["eastus/web"], "limit": 1}],
    "phases": [["eastus"]],
}


def with_set(**changes: Any) -> dict[str, Any]:
    """Return the example fleet with a changed set."""
    return {**FLEET, "sets": [{**SET, **changes}]}


def text_of(document: Any) -> bytes:
    """Return a document as JSON."""
    return json.dumps(document).encode()


def refused(data: bytes, name: str = "fleet.json") -> str:
    """Return the text of the refusal of a fleet."""
    with pytest.raises(InvalidFile) as caught:
        parse_fleet(data, name)
    return str(caught.value)


def test_the_documented_example_is_read() -> None:
    """Every field of the format has its place in the model."""
    fleet = parse_fleet(text_of(FLEET), "fleet.json")
    (scale_set,) = fleet.sets
    assert (repr(fleet), scale_set.full_name) == ("<Fleet 1 regions, 1 sets, 100 instances>", "eastus/web")
    assert (ImageReference("Canonical", "UbuntuServer", "18.04-LTS"), "latest") == (scale_set.image, scale_set.version)
    assert ((HealthSource.EXTENSION,), utc_offsets("Europe/Berlin")) == (
        scale_set.health_sources,
        scale_set.windows[0].offsets,
    )
    assert (fleet.conflicts, fleet.phases) == ((("eastus/1", "eastus/-"),), (("eastus",),))


def test_the_same_fleet_comes_from_every_kind_of_file(tmp_path: Path) -> None:
    """JSON, YAML and NDJSON say the same."""
    header = {key: value for key, value in FLEET.items() if key != "sets"}
    (tmp_path / "a.json").write_bytes(text_of(FLEET))
    (tmp_path / "a.yaml").write_bytes(b"# a comment\n" + text_of(FLEET))
    (tmp_path / "a.ndjson").write_bytes(text_of(header) + b"\n\n" + text_of(SET) + b"\n")
    fleets = [load_fleet(tmp_path / f"a.{ending}") for ending in ("json", "yaml", "ndjson")]
    assert [parse_fleet(text_of(header) + b"\n" + text_of(SET), "-")] * 3 == fleets


def test_listed_instances_become_columns() -> None:
    """A listed instance keeps everything that is said of it, in the order of ids."""
    rows = [
        {"id": "web_10"},
        {
            "id": "web_9",
            "zone": "2",
            "upgrade_domain": 3,
            "version": "18.04.202401010",
            "health": "unhealthy",
            "protect_from_scale_set_actions": True,
            "protect_from_scale_in": True,
            "skip_upgrade": True,
            "phase_ordering_number": 4,
            "failed_versions": ["18.04.202312010"],
            "on_model": False,
        },
    ]
    fleet = parse_fleet(text_of(with_set(instances=rows)), "fleet.json")
    roster = fleet.sets[0].instances
    assert isinstance(roster, Roster)
    expected = [
        Instance(
            id="web_9",
            zone="2",
            upgrade_domain=3,
            version="18.04.202401010",
            health=Health.UNHEALTHY,
            protect_from_scale_set_actions=True,
            protect_from_scale_in=True,
            skip_upgrade=True,
            phase_ordering_number=4,
            failed_versions=("18.04.202312010",),
            on_model=False,
        ),
        Instance(id="web_10"),
    ]
    assert expected == list(roster)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "`format` is missing; this one is `phasegate/fleet/1` (fleet.json)"),
        (
            {"format": "phasegate/policy/1"},
            "format `phasegate/policy/1` is not `phasegate/fleet/1` (fleet.json: format)",
        ),
        ({"format": FLEET_FORMAT}, "`regions` is missing (fleet.json)"),
        ({**FLEET, "regoins": []}, "unknown key `regoins`; did you mean `regions`? (fleet.json)"),
        (
            {**FLEET, "regions": [{"name": "eastus", "pair": "eastus"}]},
            "region `eastus` names itself as its pair; leave `pair` out (fleet.json: regions[0].pair)",
        ),
        (
            {**FLEET, "images": [{"gallery": "corp", "definition": "web", "sku": "x"}]},
            "an image is publisher, offer and sku, or gallery and definition, or custom (fleet.json: images[0])",
        ),
        (
            {**FLEET, "images": [{**IMAGE, "versions": [{"version": "1.x"}]}]},
            "version `1.x` is not dotted integers, like `1.2.0` (fleet.json: images[0].versions[0].version)",
        ),
        (
            {**FLEET, "images": [{**IMAGE, "versions": 3}]},
            "expected a list, got the number 3 (fleet.json: images[0].versions)",
        ),
        (
            {**FLEET, "sets": [{**SET, "region": "eastsu"}]},
            "unknown region `eastsu`; did you mean `eastus`? (fleet.json: sets[0].region)",
        ),
        (with_set(zones=["1", "33"]), "unknown zone of eastus `33`; did you mean `3`? (fleet.json: sets[0].zones)"),
        ({**FLEET, "sets": [SET, SET]}, "set `eastus/web` is there twice (fleet.json: sets[1])"),
        (with_set(image=5), "expected an object, got the number 5 (fleet.json: sets[0].image)"),
        (
            with_set(image={**IMAGE, "version": 18}),
            "expected text, got the number 18; write it in quotes (fleet.json: sets[0].image.version)",
        ),
        (
            with_set(image={**IMAGE, "version": "1.x"}),
            "version `1.x` is not dotted integers, like `1.2.0`, nor `latest` (fleet.json: sets[0].image.version)",
        ),
        (with_set(version="1"), "the version of a set stands in its `image` (fleet.json: sets[0].version)"),
        (
            with_set(rolling_policy={"max_batch_percent": 200}),
            "200 is not between 5 and 100 (fleet.json: sets[0].rolling_policy.max_batch_percent)",
        ),
        (
            with_set(extensions=[{"name": "a", "provision_after": ["b"]}, {"name": "b", "provision_after": ["a"]}]),
            "extensions wait for one another in a circle: a, b (fleet.json: sets[0].extensions)",
        ),
        (
            with_set(windows=[{"day": "sat", "start": "01:00", "minutes": 300, "timezone": "Europe/Berln"}]),
            "unknown timezone `Europe/Berln`; did you mean `Europe/Berlin`? (fleet.json: sets[0].windows[0].timezone)",
        ),
        (
            with_set(windows=[{"day": "sat", "start": "01:00", "minutes": 300, "offsets": []}]),
            "unknown key `offsets` (fleet.json: sets[0].windows[0])",
        ),
        (with_set(instances="5"), "expected a number of instances or a list of them (fleet.json: sets[0].instances)"),
        (with_set(instances=True), "expected a number of instances or a list of them (fleet.json: sets[0].instances)"),
        (with_set(instances=-1), "-1 is no number of instances (fleet.json: sets[0].instances)"),
        (with_set(instances=[5]), "expected an object, got the number 5 (fleet.json: sets[0].instances[0])"),
        (
            with_set(instances=[{"id": "a"}, {"id": "b", "zon": "1"}]),
            "unknown key `zon`; did you mean `zone`? (fleet.json: sets[0].instances[1])",
        ),
        (
            with_set(instances=[{"id": "a", "health": "ill"}]),
            "`ill` is none of `healthy`, `unhealthy`, `unknown`, `initializing`"
            " (fleet.json: sets[0].instances[0].health)",
        ),
        (with_set(instances=[{"id": "a"}, {"id": "a"}]), "instance `a` is there twice (fleet.json: sets[0].instances)"),
        (
            with_set(instances=[{"id": "a", "zone": "9"}]),
            "instance `a` is in zone `9`, which its set does not list (fleet.json: sets[0].instances)",
        ),
        (
            with_set(instances=[{"id": "b"}, {"id": "a", "version": "1.x"}]),
            "version `1.x` is not dotted integers, like `1.2.0` (fleet.json: sets[0].instances[1].version)",
        ),
        (
            with_set(instances=[{"id": "a", "version": "1"}, {"id": "b", "failed_versions": ["1", "x"]}]),
            "version `x` is not dotted integers, like `1.2.0` (fleet.json: sets[0].instances[1].failed_versions)",
        ),
        (
            with_set(instances=[{"id": str(n), "zone": f"z{n}"} for n in range(300)]),
            "300 zones in one set; at most 255 are possible (fleet.json: sets[0].instances)",
        ),
    ],
)
def test_a_fault_names_file_place_and_remedy(document: Any, text: str) -> None:
    """Every fault is one line with the file and the place in it."""
    assert text == refused(text_of(document))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is empty (fleet.json)"),
        (text_of(FLEET)[:-9], "no JSON: the text ends too early"),
        (b'{"format": "phasegate/fleet/1", "format": 1}', "key `format` is there twice (fleet.json)"),
        (b"[" * 100_000, "nested too deeply (fleet.json)"),
        (b'{"a": {"b":' * 100_000, "nested too deeply (fleet.json)"),
    ],
)
def test_a_text_that_is_no_document_is_refused(data: bytes, text: str) -> None:
    """Nothing that a file can hold gives a traceback."""
    assert refused(data).startswith(text)


def test_names_of_any_length_are_refused_in_short() -> None:
    """A key of a megabyte does not fill the terminal, nor ids of thousands of digits the stack."""
    assert len(refused(text_of({**FLEET, "x" * 1_000_000: 1}))) < 200
    fleet = parse_fleet(text_of(with_set(instances=[{"id": "9" * 5000}])), "fleet.json")
    assert fleet.sets[0].size == 1


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([FLEET], "in NDJSON the sets follow the first line, one a line (f.ndjson: line 1: sets)"),
        ([{"regions": []}], "`format` is missing; this one is `phasegate/fleet/1` (f.ndjson: line 1)"),
        ([{"format": FLEET_FORMAT, "regions": []}, {"name": "a"}], "`region` is missing (f.ndjson: line 2)"),
        (
            [{"format": FLEET_FORMAT, "regions": []}, {**SET, "os": "dos"}],
            "`dos` is none of `linux`, `windows` (f.ndjson: line 2: os)",
        ),
        (
            [{"format": FLEET_FORMAT, "regions": []}, SET],
            "unknown region `eastus` (f.ndjson: sets[0].region)",
        ),
    ],
)
def test_a_fault_of_a_line_names_it(lines: list[Any], text: str) -> None:
    """NDJSON places begin with the line."""
    assert text == refused(b"\n".join(map(text_of, lines)), "f.ndjson")


def test_a_dump_leaves_defaults_out() -> None:
    """What a reader would assume is not written."""
    fleet = Fleet(regions=[Region("eastus")], images=[Image(ImageReference(gallery="corp", definition="web"))])
    images = [{"gallery": "corp", "definition": "web"}]
    assert dump_fleet(fleet) == {"format": FLEET_FORMAT, "regions": [{"name": "eastus"}], "images": images}


def test_a_written_fleet_is_read_again(tmp_path: Path) -> None:
    """JSON and NDJSON both come back, one set a line."""
    rows = [{"id": "a", "health": "unknown", "version": "18.04.202401010"}]
    fleet = parse_fleet(text_of({**FLEET, "sets": [SET, {**SET, "name": "db", "instances": rows}]}), "fleet.json")
    for name, lines in (("a.json", 9), ("a.NDJSON", 3)):
        write_fleet(fleet, tmp_path / name)
        assert fleet == load_fleet(tmp_path / name)
        assert lines == (tmp_path / name).read_bytes().count(b"\n")


def test_large_fleets_are_read_whole() -> None:
    """2,000 counted sets, and 100,000 listed instances."""
    many = text_of({**FLEET, "groups": [], "sets": [{**SET, "name": f"s{n}"} for n in range(2000)]})
    rows = [{"id": f"web_{n}", "zone": str(n % 3 + 1), "upgrade_domain": n % 5} for n in range(100_000)]
    sizes = [
        sum(one.size for one in parse_fleet(data, "fleet.json").sets)
        for data in (many, text_of(with_set(instances=rows)))
    ]
    assert [200_000, 100_000] == sizes
