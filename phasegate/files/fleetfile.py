"""Fleet files, `phasegate/fleet/1`: reading, checking and writing what may be upgraded.

A JSON or YAML file is one object: `format` and the fields of a `Fleet`. An NDJSON file is for fleets too large for one
text: its first line is that object without `sets`, and each further line is one set. Three things are written
otherwise than the model holds them: an image's reference stands beside its `versions`, a set's `version` stands in its
`image`, and a window's offsets follow from its `timezone`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from phasegate.core.errors import InvalidModel
from phasegate.core.model import (
    Fleet,
    Health,
    Image,
    ImageReference,
    ScaleSet,
    Window,
)
from phasegate.core.roster import Instance, Roster
from phasegate.core.versions import version_key
from phasegate.files.documents import (
    blamed_on,
    decoded,
    kind_of,
    parse_document,
    parse_lines,
    read_bytes,
    without_format,
    write_atomically,
)
from phasegate.files.structure import Reader, given, mapping_of, plain
from phasegate.files.timezones import utc_offsets

FLEET_FORMAT = "phasegate/fleet/1"

_HEALTH = {member.name.lower(): int(member) for member in Health}


class _Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A listed instance as it stands in a file: what msgspec checks in bulk, with the same fields as `Instance`."""

    id: str
    zone: str | None = None
    upgrade_domain: int = 0
    version: str | None = None
    health: str = "healthy"
    protect_from_scale_set_actions: bool = False
    protect_from_scale_in: bool = False
    skip_upgrade: bool = False
    phase_ordering_number: int | None = None
    failed_versions: tuple[str, ...] = ()
    on_model: bool = True

    def instance(self) -> Instance:
        """Return it as the model has it; `KeyError` for a health that there is not."""
        return Instance(
            id=self.id,
            zone=self.zone,
            upgrade_domain=self.upgrade_domain,
            version=self.version,
            health=_HEALTH[self.health],
            protect_from_scale_set_actions=self.protect_from_scale_set_actions,
            protect_from_scale_in=self.protect_from_scale_in,
            skip_upgrade=self.skip_upgrade,
            phase_ordering_number=self.phase_ordering_number,
            failed_versions=self.failed_versions,
            on_model=self.on_model,
        )


def _instances(data: object) -> int | Roster:
    if type(data) is not list:
        if type(data) is not int:
            raise InvalidModel("expected a number of instances or a list of them")
        return data
    try:
        rows: Any = (row.instance() for row in msgspec.convert(data, list[_Row]))
        roster = Roster.of(rows)
    except (msgspec.ValidationError, KeyError):  # read them again one by one, for an error that helps
        roster = Roster.of(_ROWS(data))
    for version in (*roster.versions, *(version for _, failed in roster.failed for version in failed)):
        if version is not None:
            _check_version(version, data)
    return roster


def _check_version(version: str, rows: list[Any]) -> None:
    try:
        version_key(version)
    except InvalidModel as error:
        at = next(at for at, row in enumerate(rows) if version in (row.get("version"), *row.get("failed_versions", ())))
        key = "version" if rows[at].get("version") == version else "failed_versions"
        raise error.under(f"[{at}].{key}") from None


def _instance(data: object) -> Instance:
    return Instance(**_INSTANCE(data))


def _image(data: object) -> Image:
    table = dict(mapping_of(data))
    versions = {key: table.pop(key) for key in ("versions",) if key in table}
    return Image(_READER.read(ImageReference, table), **_VERSIONS(versions))


def _scale_set(data: object) -> ScaleSet:
    table = dict(mapping_of(data))
    if "version" in table:
        raise InvalidModel("the version of a set stands in its `image`", "version")
    image = table.get("image")
    version = "latest"
    if isinstance(image, dict) and "version" in image:
        table["image"] = {key: value for key, value in image.items() if key != "version"}
        version = _READER.read(str, image["version"], "image.version")
    return ScaleSet(**_SET(table), version=version)


def _window(data: object) -> Window:
    arguments = _WINDOW(data)
    return Window(**arguments, offsets=utc_offsets(arguments.get("timezone", "UTC")))


_READER = Reader({Image: _image, ScaleSet: _scale_set, Window: _window, int | Roster: _instances, Instance: _instance})
_INSTANCE = _READER.arguments(Instance, instead={"health": _READER.of(Health)})
_ROWS = _READER.of(tuple[Instance, ...])
_VERSIONS = _READER.arguments(Image, leave_out=("reference",))
_SET = _READER.arguments(ScaleSet, leave_out=("version",))
_WINDOW = _READER.arguments(Window, leave_out=("offsets",))
_HEADER = _READER.arguments(Fleet, leave_out=("sets",))


def load_fleet(path: str | os.PathLike[str]) -> Fleet:
    """Return the fleet of a file; `InvalidFile`, which names file and place, if it holds none.

    The name's ending says what is in it: `.json`, `.yaml` or `.yml`, `.ndjson` or `.jsonl`; see `parse_fleet`.
    """
    return parse_fleet(read_bytes(path), os.fspath(path))


def parse_fleet(data: bytes, name: str) -> Fleet:
    """Return the fleet that a text describes; `name` is what errors call it.

    `InvalidFile` if it is empty, no text in UTF-8, no JSON, YAML or NDJSON, has another `format`, has a key that is
    unknown or there twice, a value of a wrong type or out of its range, a name that is there twice or does not exist.

    >>> fleet = parse_fleet(b'{"format": "phasegate/fleet/1", "regions": [{"name": "eastus"}]}', "fleet.json")
    >>> fleet.regions[0].name
    'eastus'
    """
    if kind_of(name, decoded(data, name)) == "ndjson":
        return _parse_sets(data, name)
    document = parse_document(data, name)
    with blamed_on(name):
        return fleet_of(without_format(document, FLEET_FORMAT))


def fleet_of(document: object) -> Fleet:
    """Return the fleet of plain data, a fleet file's without its `format`; `InvalidModel` names the place of a fault.

    >>> fleet_of({"regions": [{"name": "eastus"}]}).regions[0].name
    'eastus'
    """
    return _READER.read(Fleet, document)


def _parse_sets(data: bytes, name: str) -> Fleet:
    lines = parse_lines(data, name)
    number, first = next(lines)  # `decoded` has refused a text without any
    with blamed_on(name, line=number):
        top = without_format(first, FLEET_FORMAT)
        if "sets" in top:
            raise InvalidModel("in NDJSON the sets follow the first line, one a line", "sets")
        header = _HEADER(top)
    header["sets"] = sets = []
    for number, line in lines:
        with blamed_on(name, line=number):
            sets.append(_scale_set(line))
    with blamed_on(name):
        return Fleet(**header)


def dump_fleet(fleet: Fleet) -> dict[str, Any]:
    """Return the fleet as plain data, defaults left out: what `parse_fleet` makes an equal fleet from.

    >>> from phasegate.core.model import Region
    >>> dump_fleet(Fleet(regions=[Region("eastus")]))
    {'format': 'phasegate/fleet/1', 'regions': [{'name': 'eastus'}]}
    """
    dumped = _dump_header(fleet)
    if fleet.sets:
        dumped["sets"] = [_dump_set(scale_set) for scale_set in fleet.sets]
    return dumped


def _dump_header(fleet: Fleet) -> dict[str, Any]:
    dumped: dict[str, Any] = {"format": FLEET_FORMAT}
    for key, value in given(fleet).items():
        if key == "images":
            dumped[key] = [_dump_image(image) for image in value]
        elif key != "sets":
            dumped[key] = plain(value)
    return dumped


def _dump_image(image: Image) -> dict[str, Any]:
    dumped: dict[str, Any] = plain(image.reference)
    if image.versions:
        dumped["versions"] = plain(image.versions)
    return dumped


def _dump_set(scale_set: ScaleSet) -> dict[str, Any]:
    dumped: dict[str, Any] = {}
    for key, value in given(scale_set).items():
        match key:
            case "version":
                dumped["image"]["version"] = value  # the reference comes before it
            case "windows":
                dumped[key] = [{k: v for k, v in plain(window).items() if k != "offsets"} for window in value]
            case "instances" if isinstance(value, Roster):
                dumped[key] = [_dump_instance(instance) for instance in value]
            case _:
                dumped[key] = plain(value)
    return dumped


def _dump_instance(instance: Instance) -> dict[str, Any]:
    dumped = plain(instance)
    if "health" in dumped:
        dumped["health"] = Health(instance.health).name.lower()
    return cast(dict[str, Any], dumped)


def write_fleet(fleet: Fleet, path: str | os.PathLike[str]) -> None:
    """Write the fleet as JSON, or as NDJSON where the name ends in `.ndjson` or `.jsonl`; all of it or nothing.

    One region, image, set a line, so that versions of a file compare well. `InvalidFile` if it cannot be written.
    """
    large = os.fspath(path).lower().endswith((".ndjson", ".jsonl"))
    write_atomically(path, _ndjson(fleet) if large else _json(fleet))


def _ndjson(fleet: Fleet) -> Iterator[bytes]:
    yield msgspec.json.encode(_dump_header(fleet)) + b"\n"
    for scale_set in fleet.sets:
        yield msgspec.json.encode(_dump_set(scale_set)) + b"\n"


def _json(fleet: Fleet) -> Iterator[bytes]:
    yield b"{"
    for at, (key, value) in enumerate(dump_fleet(fleet).items()):
        yield (b",\n " if at else b"") + msgspec.json.encode(key) + b": "
        if isinstance(value, list):
            yield b"[" + b",\n  ".join(map(msgspec.json.encode, value)) + b"]"
        else:
            yield msgspec.json.encode(value)
    yield b"}\n"
