"""Fleet files, `phasegate/fleet/1`: reading, checking and writing what may be upgraded.

A JSON or YAML file is one object: `format` and the fields of a `Fleet`. An NDJSON file is for fleets too large for one
text: its first line is that object without `sets`, and each further line is one set. Three things are written
otherwise than the model holds them: an image's reference stands beside its `versions`, a set's `version` stands in its
`image`, and a window's offsets follow from its `timezone`.
"""

from __future__ import annotations

import os
from typing import Any, Final

import msgspec

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Fleet, Health, Image, ImageReference, ScaleSet, Window
from phasegate.core.roster import Instance, Roster
from phasegate.core.versions import version_key
from phasegate.files.cutting import cut_fleet, cut_set, put_back
from phasegate.files.documents import (
    InvalidFile,
    blamed_on,
    decoded,
    kind_by_ending,
    kind_of,
    parse_document,
    parse_line,
    read_bytes,
    read_document,
    split_lines,
    without_format,
)
from phasegate.files.fleetwrite import FLEET_FORMAT, dump_fleet, with_arrow, write_fleet
from phasegate.files.instancerows import NotInBulk, Row, roster_of_rows
from phasegate.files.structure import Reader, mapping_of
from phasegate.files.timezones import utc_offsets

__all__ = ["FLEET_FORMAT", "dump_fleet", "load_fleet", "parse_fleet", "write_fleet"]

PARQUET: Final = b"PAR1"
PARQUET_READER: Final = "phasegate.files.parquetread"


def _instances(data: object) -> int | Roster:
    if type(data) is Roster:  # cut out of the text, and read by then
        return data
    if type(data) is not list:
        if type(data) is not int:
            raise InvalidModel("expected a number of instances or a list of them")
        return data
    try:
        return roster_of_rows(msgspec.convert(data, list[Row]))
    except (msgspec.ValidationError, NotInBulk):  # read them again one by one, for an error that helps
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

    The name's ending says what is in it: `.json`, `.yaml` or `.yml`, `.ndjson` or `.jsonl`; see `parse_fleet`. A
    `.parquet` file may have its description beside it (`phasegate.files.parquet`), and needs `phasegate[arrow]`.
    """
    name = os.fspath(path)
    if kind_by_ending(name) != "parquet":
        return parse_fleet(read_bytes(path), name)
    return _from_rows(with_arrow(name, PARQUET_READER).Rows(path, name), name, path)


def parse_fleet(data: bytes, name: str) -> Fleet:
    """Return the fleet that a text describes; `name` is what errors call it.

    `InvalidFile` if it is empty, no text in UTF-8, no JSON, YAML or NDJSON, has another `format`, has a key that is
    unknown or there twice, a value of a wrong type or out of its range, a name that is there twice or does not exist.
    What begins as Parquet does is read as that; its description must then be in its metadata.

    >>> fleet = parse_fleet(b'{"format": "phasegate/fleet/1", "regions": [{"name": "eastus"}]}', "fleet.json")
    >>> fleet.regions[0].name
    'eastus'
    """
    if data.startswith(PARQUET):
        return _from_rows(with_arrow(name, PARQUET_READER).Rows(data, name), name)
    kind = kind_by_ending(name) or kind_of(name, decoded(data, name))
    if kind == "ndjson":
        return _parse_sets(data, name)
    document = _document(data, name, is_json=kind == "json")
    with blamed_on(name):
        return fleet_of(without_format(document, FLEET_FORMAT))


def fleet_of(document: object) -> Fleet:
    """Return the fleet of plain data, a fleet file's without its `format`; `InvalidModel` names the place of a fault.

    >>> fleet_of({"regions": [{"name": "eastus"}]}).regions[0].name
    'eastus'
    """
    return _READER.read(Fleet, document)


def _document(data: bytes, name: str, *, is_json: bool) -> object:
    """Return the plain data of a fleet in JSON or YAML, where long lists of instances may be rosters already."""
    if is_json:
        rest, rosters = cut_fleet(data)
        document = parse_document(rest, name)
        if put_back(document.get("sets") if isinstance(document, dict) else None, rosters):
            return document
    return parse_document(data, name)


def _from_rows(rows: Any, name: str, path: str | os.PathLike[str] | None = None) -> Fleet:
    """Return the fleet of a table of instances and its description, in its metadata or beside `path`."""
    if rows.description is not None:
        where = f"{name}: metadata `phasegate`"
        document = parse_document(rows.description, where)
    elif path is not None:
        where = os.fspath(rows.beside(path))
        document = read_document(where)
    else:
        raise InvalidFile("the fleet's description is not in its metadata (key `phasegate`)", name)
    if isinstance(document, dict) and isinstance(document.get("sets", []), list):
        rows.put_into(document.get("sets", []))
    with blamed_on(where):
        return _READER.read(Fleet, without_format(document, FLEET_FORMAT))


def _parse_sets(data: bytes, name: str) -> Fleet:
    lines = split_lines(data, name)
    number, first = next(lines)
    with blamed_on(name, line=number):
        top = without_format(parse_line(number, first, name), FLEET_FORMAT)
        if "sets" in top:
            raise InvalidModel("in NDJSON the sets follow the first line, one a line", "sets")
        header = _HEADER(top)
    header["sets"] = sets = []
    for number, line in lines:
        rest, roster = cut_set(line)
        table = parse_line(number, rest, name)
        if roster is not None and not put_back([table], [roster]):
            table = parse_line(number, line, name)
        with blamed_on(name, line=number):
            sets.append(_scale_set(table))
    with blamed_on(name):
        return Fleet(**header)
