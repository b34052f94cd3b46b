"""The law of fleet files: what is dumped is read as an equal fleet."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from phasegate.core.model import (
    DAYS,
    Extension,
    ExternalResource,
    Fleet,
    Group,
    Health,
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
from phasegate.files.documents import InvalidFile
from phasegate.files.fleetfile import dump_fleet, parse_fleet
from phasegate.files.timezones import utc_offsets

ZONES = ("1", "2", "3")
IMAGES = (
    Image(ImageReference("Canonical", "UbuntuServer", "18.04-LTS"), [ImageVersion("1.2"), ImageVersion("1.10", 5)]),
    Image(
        ImageReference(gallery="corp", definition="web"),
        [ImageVersion("1.2.0", 3, True, [Replica("eastus", 4, True), Replica("elsewhere")])],
    ),
)
words = st.text(min_size=1, max_size=8).filter(
    lambda text: "/" not in text and text == text.strip() and text.isprintable()
)
texts = st.text(max_size=8)
versions = st.lists(st.integers(0, 999), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
windows = st.builds(
    lambda day, hour, minutes, zone: Window(
        day=day, start=f"{hour:02}:00", minutes=minutes, timezone=zone, offsets=utc_offsets(zone)
    ),
    st.sampled_from(DAYS),
    st.integers(0, 23),
    st.integers(300, 10080),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
)
instances = st.builds(
    Instance,
    id=words,
    zone=st.none() | st.sampled_from(ZONES),
    upgrade_domain=st.integers(0, 65535),
    version=st.none() | versions,
    health=st.integers(0, 3),
    protect_from_scale_set_actions=st.booleans(),
    protect_from_scale_in=st.booleans(),
    skip_upgrade=st.booleans(),
    phase_ordering_number=st.none() | st.integers(0, 2**31 - 2),
    failed_versions=st.lists(versions, max_size=2).map(tuple),
    on_model=st.booleans(),
)
rosters = st.lists(instances, max_size=5, unique_by=lambda instance: instance.id).map(Roster.of)
policies = st.builds(
    RollingPolicy,
    max_batch_percent=st.none() | st.integers(5, 100),
    max_unhealthy_percent=st.none() | st.integers(5, 100),
    max_unhealthy_upgraded_percent=st.none() | st.integers(0, 100),
    pause_between_batches_ms=st.none() | st.integers(0, 2**53),
    prioritize_unhealthy=st.none() | st.booleans(),
    enable_cross_zone=st.none() | st.booleans(),
)
durabilities = st.sampled_from(["Bronze", "Silver", "Gold"])
sets = st.builds(
    ScaleSet,
    name=words,
    region=st.sampled_from(["eastus", "westus"]),
    image=st.sampled_from([image.reference for image in IMAGES] + [ImageReference(custom="/my/image")]),
    version=st.just("latest") | versions,
    zones=st.just(ZONES),
    upgrade_domains=st.integers(1, 65535),
    tags=st.dictionaries(texts, texts, max_size=3),
    os=st.sampled_from(["linux", "windows"]),
    api_version=st.dates().map(str) | st.dates().map("{}-preview".format),
    configured_at_ms=st.none() | st.integers(0, 2**53),
    automatic_os_upgrade=st.booleans(),
    disable_automatic_rollback=st.booleans(),
    upgrade_mode=st.sampled_from(["automatic", "rolling", "manual"]),
    patch_mode=st.none() | texts,
    windows_automatic_updates=st.none() | st.booleans(),
    health_sources=st.lists(st.sampled_from(HealthSource), unique=True).map(tuple),
    load_balancer_sku=st.none() | texts,
    placement_groups=st.sampled_from(["single", "multiple"]),
    rolling_policy=policies,
    custom_data=st.booleans(),
    extensions=st.just(()) | st.just((Extension("app", ("agent",)), Extension("agent"))),
    external_resources=st.lists(st.builds(ExternalResource, words, st.booleans()), max_size=2).map(tuple),
    service_fabric=st.none()
    | st.builds(
        ServiceFabric,
        cluster_durability=durabilities,
        extension_durability=durabilities,
        stateless=st.booleans(),
        extension_version=versions,
    ),
    windows=st.lists(windows, max_size=2).map(tuple),
    instances=st.integers(0, 2**31) | rosters,
)


@st.composite
def fleets(draw: Any) -> Fleet:
    """Draw a fleet in which anything may stand."""
    drawn = draw(st.lists(sets, max_size=3, unique_by=lambda scale_set: scale_set.full_name))
    regions = [Region("eastus", draw(st.none() | st.just("westus")), ZONES), Region("westus", zones=ZONES)]
    groups = [Group(name="g", counts="cells", members=["eastus/1", "westus/-"], limit=draw(st.integers(1, 9)))]
    return Fleet(
        regions=regions,
        images=IMAGES,
        sets=drawn,
        conflicts=draw(st.just(()) | st.just((("eastus/1", "westus/2"),))),
        groups=draw(st.just(()) | st.just(tuple(groups))),
        phases=draw(st.none() | st.just((("eastus",), ("westus",))) | st.just(())),
    )


@settings(max_examples=150)
@given(fleet=fleets())
def test_a_dumped_fleet_is_read_as_an_equal_one(fleet: Fleet) -> None:
    """Reading is the inverse of dumping, through JSON text."""
    assert fleet == parse_fleet(json.dumps(dump_fleet(fleet)).encode(), "fleet.json")


@settings(max_examples=100)
@given(fleet=fleets())
def test_yaml_says_the_same_as_json(fleet: Fleet) -> None:
    """A JSON text is YAML too, but for characters that JSON writes as two escapes."""
    text = json.dumps(dump_fleet(fleet))
    assume("\\ud" not in text)
    assert fleet == parse_fleet(text.encode(), "fleet.yaml")


@example(row={"id": "a", "phase_ordering_number": 2**53 + 1})
@given(
    row=st.fixed_dictionaries(
        {"id": st.just("a")},
        optional={
            "zone": st.none() | texts | st.integers(),
            "upgrade_domain": st.integers(-1, 70000) | st.booleans() | texts,
            "version": st.none() | versions | st.floats(allow_nan=False),
            "health": st.sampled_from(["healthy", "ill", None]),
            "skip_upgrade": st.booleans() | st.integers(0, 1) | st.just("true"),
            "phase_ordering_number": st.none() | st.integers(),
            "failed_versions": st.none() | st.lists(versions | st.integers()),
            "other": st.none(),
        },
    )
)
def test_reading_in_bulk_and_one_by_one_agree(row: dict[str, Any]) -> None:
    """The quick reader of instances takes exactly what the slow one takes, but for texts with escapes in them."""
    from phasegate.core.errors import InvalidModel
    from phasegate.files import fleetfile
    from phasegate.files.instancerows import NotInBulk, roster_of_text

    text = msgspec.json.encode([row])
    try:
        quick: object = roster_of_text(text)
    except NotInBulk:
        quick = None
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fleetfile, "roster_of_rows", _never)
            slow: object = fleetfile._READER.read(int | Roster, [row])
    except InvalidModel:
        slow = None
    assert quick == slow or (b"\\" in text and quick is None)


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": "a", "phase_ordering_number": -1}],
        [{"id": "a", "upgrade_domain": 2**16}],
        [{"id": str(number), "version": str(number)} for number in range(2**16 + 1)],
        [{"id": str(number), "zone": f"z{number}"} for number in range(256)],
    ],
)
def test_what_is_out_of_its_range_is_not_read_in_bulk(rows: list[dict[str, Any]]) -> None:
    """Numbers, and how many versions or zones one set can have; the strict reader then says which it is."""
    from phasegate.files.instancerows import NotInBulk, roster_of_text

    with pytest.raises(NotInBulk):
        roster_of_text(msgspec.json.encode(rows))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (b'[{"id": "a", "id": "b"}]', "key `id` is there twice (fleet.json: sets[0].instances[0])"),
        (b'[{"id": "a", "zon": "1"}]', "unknown key `zon`; did you mean `zone`? (fleet.json: sets[0].instances[0])"),
        (b'[{"id": "a"}, {"zone": "1"}]', "`id` is missing (fleet.json: sets[0].instances[1])"),
        (
            b'[{"id": "a", "health": "\\u0069ll"}]',
            "`ill` is none of `healthy`, `unhealthy`, `unknown`, `initializing`"
            " (fleet.json: sets[0].instances[0].health)",
        ),
    ],
)
def test_a_fault_in_a_long_list_is_told_by_the_strict_reader(
    monkeypatch: pytest.MonkeyPatch, rows: bytes, said: str
) -> None:
    """A list that is long enough to be read in bulk is not: its fault is told as that of a short one."""
    from phasegate.files import cutting
    from phasegate.files.instancerows import NotInBulk, roster_of_text

    with pytest.raises(NotInBulk):
        roster_of_text(rows)
    monkeypatch.setattr(cutting, "_LONG", 0)
    with pytest.raises(InvalidFile) as refused:
        parse_fleet(_with_instances(rows), "fleet.json")
    assert said == str(refused.value)


def test_a_long_list_with_escapes_is_read_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they stand for is what is kept."""
    from phasegate.files import cutting
    from phasegate.files.instancerows import NotInBulk, roster_of_text

    rows = b'[{"id": "caf\\u00e9", "zone": "1"}]'
    with pytest.raises(NotInBulk):
        roster_of_text(rows)
    monkeypatch.setattr(cutting, "_LONG", 0)
    (one,) = parse_fleet(_with_instances(rows), "fleet.json").sets
    assert Roster.of([Instance(id="café", zone="1")]) == one.instances


def test_what_is_not_read_in_bulk_is_the_same_read_strictly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The strict reader has the last word, and makes the roster that both are to make."""
    from phasegate.files import fleetfile

    rows = (
        b'[{"id": "web_10", "version": "1.2", "failed_versions": ["1.0"], "on_model": false},'
        b' {"id": "web_9", "zone": "1", "upgrade_domain": 3, "health": "unknown", "phase_ordering_number": 4,'
        b' "protect_from_scale_set_actions": true, "protect_from_scale_in": true, "skip_upgrade": true}]'
    )
    expected = [
        Instance(
            id="web_9",
            zone="1",
            upgrade_domain=3,
            health=Health.UNKNOWN,
            protect_from_scale_set_actions=True,
            protect_from_scale_in=True,
            skip_upgrade=True,
            phase_ordering_number=4,
        ),
        Instance(id="web_10", version="1.2", failed_versions=("1.0",), on_model=False),
    ]
    quick = parse_fleet(_with_instances(rows), "fleet.yaml")
    monkeypatch.setattr(fleetfile, "roster_of_rows", _never)
    strict = parse_fleet(_with_instances(rows), "fleet.yaml")
    assert quick == strict
    roster = strict.sets[0].instances
    assert isinstance(roster, Roster)
    assert expected == list(roster)


def _with_instances(rows: bytes) -> bytes:
    """Return the text of a fleet whose one set has these instances."""
    one = b'{"name": "s", "region": "r", "zones": ["1"], "image": {"custom": "c"}, "instances": ' + rows + b"}"
    return b'{"format": "phasegate/fleet/1", "regions": [{"name": "r", "zones": ["1"]}], "sets": [' + one + b"]}"


def test_an_empty_table_of_sets_is_empty() -> None:
    """Lines without anything on them are no fleet."""
    with pytest.raises(InvalidFile, match="is empty"):
        parse_fleet(b"\n \n", "fleet.ndjson")


def _never(rows: object) -> Roster:
    from phasegate.files.instancerows import NotInBulk

    raise NotInBulk


@given(st.lists(instances, min_size=1, max_size=5, unique_by=lambda instance: instance.id), st.data())
def test_a_key_that_is_there_twice_is_not_read_in_bulk(listed: list[Instance], data: st.DataObject) -> None:
    """Whichever key it is, in whichever row, with whatever value beside it."""
    from phasegate.files.instancerows import NotInBulk, roster_of_text, rows_of

    texts = [msgspec.json.encode(row) for row in rows_of(Roster.of(listed))]
    at = data.draw(st.integers(0, len(texts) - 1))
    table = msgspec.json.decode(texts[at])
    key = data.draw(st.sampled_from(sorted(table)))
    texts[at] = texts[at][:-1] + b"," + msgspec.json.encode({key: table[key]})[1:]
    with pytest.raises(NotInBulk):
        roster_of_text(b"[" + b",".join(texts) + b"]")


@given(fleets())
def test_cutting_lists_out_changes_nothing(fleet: Fleet) -> None:
    """A fleet whose lists of instances are cut out of the text is the fleet that the strict reader makes of it all."""
    from phasegate.files import cutting
    from phasegate.files.fleetwrite import fleet_text

    text = fleet_text(fleet)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "_LONG", 0)
        cut = parse_fleet(text, "fleet.json")
        patch.setattr(cutting, "_LONG", 2**60)
        assert parse_fleet(text, "fleet.json") == cut == fleet


def test_a_list_whose_text_stands_elsewhere_too_is_read_strictly() -> None:
    """The first place of that text is then no list of instances, and the error says so."""
    listed = [{"id": str(number), "zone": None} for number in range(20)]
    one = {"name": "s", "region": "r", "image": {"custom": "c"}, "extensions": listed, "instances": listed}
    top = {"format": "phasegate/fleet/1", "regions": [{"name": "r"}]}
    for text, name in (
        (json.dumps({**top, "sets": [one]}), "f.json: sets[0].extensions[0]"),
        (f"{json.dumps(top)}\n{json.dumps(one)}", "f.ndjson: line 2: extensions[0]"),
    ):
        with pytest.raises(InvalidFile) as refused:
            parse_fleet(text.encode(), name.partition(":")[0])
        assert name in str(refused.value)
