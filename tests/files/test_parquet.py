"""Fleets in Parquet: what is written is read as an equal fleet, and a fault is told by file, column and row."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from test_fleetfile_roundtrip import fleets

from phasegate.core.model import Fleet, ScaleSet
from phasegate.core.roster import Instance, Roster
from phasegate.files import parquetwrite
from phasegate.files.documents import InvalidFile
from phasegate.files.fleetfile import load_fleet, parse_fleet, write_fleet

DESCRIPTION: dict[str, Any] = {
    "format": "phasegate/fleet/1",
    "regions": [{"name": "eastus", "zones": ["1", "2"]}],
    "images": [{"gallery": "corp", "definition": "web", "versions": [{"version": "1.0"}]}],
    "sets": [
        {"name": name, "region": "eastus", "zones": ["1", "2"], "image": {"gallery": "corp", "definition": "web"}}
        for name in ("web", "db")
    ],
}
ROWS = {"set": ["eastus/web", "eastus/db", "eastus/web"], "id": ["w10", "d1", "w9"]}
EVERY = {
    **ROWS,
    "zone": ["2", None, "1"],
    "upgrade_domain": pa.array([3, None, 65_535], pa.int64()),
    "version": pa.array(["1.2", None, "1.0"], pa.large_string()),
    "health": ["unhealthy", None, "initializing"],
    "protect_from_scale_set_actions": [True, None, False],
    "protect_from_scale_in": [False, True, None],
    "skip_upgrade": [None, False, True],
    "phase_ordering_number": pa.array([7, None, 0], pa.uint8()),
    "failed_versions": [["2.0", "3.0"], None, []],
    "on_model": [False, None, True],
}


def written(path: Path, columns: dict[str, Any], description: Any = DESCRIPTION) -> Path:
    """Write the columns as somebody else's tool would, the description into the metadata unless it is None."""
    table = pa.table(columns)
    if description is not None:
        table = table.replace_schema_metadata({"phasegate": json.dumps(description)})
    pq.write_table(table, path)
    return path


def refused(path: Path, columns: dict[str, Any], description: Any = DESCRIPTION) -> str:
    """Return what is said of a file with these columns."""
    with pytest.raises(InvalidFile) as caught:
        load_fleet(written(path, columns, description))
    return str(caught.value).replace(f"{path.parent}/", "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleets())
def test_what_is_written_is_read_as_an_equal_fleet(tmp_path: Path, fleet: Fleet) -> None:
    """From a file, and from bytes as they come through a pipe."""
    path = tmp_path / "fleet.parquet"
    write_fleet(fleet, path)
    assert fleet == load_fleet(path) == parse_fleet(path.read_bytes(), "standard input")


def test_large_fleets_go_into_several_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with dictionaries of its own, which are one again when they are read."""
    fleet = load_fleet(
        written(tmp_path / "one.parquet", {**ROWS, "zone": ["1", "2", None], "version": ["3", "1", "2"]})
    )
    monkeypatch.setattr(parquetwrite, "ROWS_A_GROUP", 1)
    write_fleet(fleet, tmp_path / "many.parquet")
    assert 2 == pq.ParquetFile(tmp_path / "many.parquet").num_row_groups
    assert fleet == load_fleet(tmp_path / "many.parquet")


def test_rows_are_in_any_order_and_columns_are_left_out(tmp_path: Path) -> None:
    """What is null or not there has its default; rows of a set need not be side by side."""
    fleet = load_fleet(written(tmp_path / "fleet.parquet", ROWS))
    assert [Roster.of([Instance(id="w9"), Instance(id="w10")]), Roster.of([Instance(id="d1")])] == [
        one.instances for one in fleet.sets
    ]


def test_every_column_is_read(tmp_path: Path) -> None:
    """In the types that other tools write: plain texts, wide numbers, nulls between."""
    web, db = (one.instances for one in load_fleet(written(tmp_path / "fleet.parquet", EVERY)).sets)
    nine = Instance(id="w9", zone="1", upgrade_domain=65_535, version="1.0", health=3, skip_upgrade=True)
    ten = Instance(id="w10", zone="2", upgrade_domain=3, version="1.2", health=1, protect_from_scale_set_actions=True)
    ten = evolve(ten, phase_ordering_number=7, failed_versions=("2.0", "3.0"), on_model=False)
    assert Roster.of([evolve(nine, phase_ordering_number=0), ten]) == web
    assert Roster.of([Instance(id="d1", protect_from_scale_in=True)]) == db


def test_every_column_is_written(tmp_path: Path) -> None:
    """Set by set, each in order of its ids, null where nothing is said; a set with a count has no rows."""
    counted = {**DESCRIPTION["sets"][0], "name": "log", "instances": 5}
    description = {**DESCRIPTION, "sets": [counted, *reversed(DESCRIPTION["sets"])]}
    fleet = load_fleet(written(tmp_path / "theirs.parquet", EVERY, description))
    write_fleet(fleet, tmp_path / "ours.parquet")
    wanted = {
        "set": ["eastus/db", "eastus/web", "eastus/web"],
        "id": ["d1", "w9", "w10"],
        "zone": [None, "1", "2"],
        "upgrade_domain": [0, 65_535, 3],
        "version": [None, "1.0", "1.2"],
        "health": ["healthy", "initializing", "unhealthy"],
        "protect_from_scale_set_actions": [False, False, True],
        "protect_from_scale_in": [True, False, False],
        "skip_upgrade": [False, True, False],
        "phase_ordering_number": [None, 0, 7],
        "failed_versions": [None, None, ["2.0", "3.0"]],
        "on_model": [True, True, False],
    }
    assert wanted == pq.read_table(tmp_path / "ours.parquet").to_pydict()
    assert ([5, 1, 2], fleet) == ([one.size for one in fleet.sets], load_fleet(tmp_path / "ours.parquet"))


@pytest.mark.parametrize("ending", [".json", ".yaml"])
def test_the_description_stands_beside_where_the_metadata_has_none(tmp_path: Path, ending: str) -> None:
    """In a file of the same name; sets without rows keep the count that it gives."""
    counted: ScaleSet = load_fleet(written(tmp_path / "a.parquet", ROWS)).sets[1]
    beside: dict[str, Any] = json.loads(json.dumps(DESCRIPTION))
    beside["sets"][1]["instances"] = 5
    (tmp_path / f"b{ending}").write_text(json.dumps(beside))
    fleet = load_fleet(written(tmp_path / "b.parquet", {"set": ["eastus/web"], "id": ["w1"]}, None))
    assert (Roster.of([Instance(id="w1")]), evolve(counted, instances=5)) == (fleet.sets[0].instances, fleet.sets[1])


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"id": None}, "column `id` is missing (f.parquet)"),
        ({"zones": ["1"] * 3}, "unknown column `zones`; did you mean `zone`? (f.parquet)"),
        ({"set": ["eastus/web", "eastus/wb", "x"]}, "unknown set `eastus/wb`; did you mean `eastus/web`? (row 1, set)"),
        ({"set": ["eastus/web", None, "x"]}, "a row without its set (row 1, set)"),
        ({"set": [1, 2, 3]}, "expected texts, got int64 (f.parquet: column set)"),
        ({"id": ["a", "b", None]}, "a row without its id (row 2, id)"),
        (
            {"id": ["a", "b/c", "d"]},
            "instance id `b/c` is empty, or holds a `/` or a character that does not print (row 1, id)",
        ),
        (
            {"id": ["a", "b", "d\u200b"]},
            "instance id `d?` is empty, or holds a `/` or a character that does not print (row 2, id)",
        ),
        ({"id": ["a", "b", "a"]}, "instance `a` is there twice (row 2, id)"),
        ({"id": [1, 2, 3]}, "expected texts, got int64 (f.parquet: column id)"),
        ({"zone": ["1", "2", "3"]}, "zone `3` is none that set `eastus/web` lists (row 2, zone)"),
        ({"upgrade_domain": [0, -1, 0]}, "-1 is not between 0 and 65535 (row 1, upgrade_domain)"),
        ({"upgrade_domain": [0.5, 1, 0]}, "expected whole numbers, got double (f.parquet: column upgrade_domain)"),
        ({"version": ["1", "2", "b"]}, "version `b` is not dotted integers, like `1.2.0` (row 2, version)"),
        (
            {"health": ["healthy", "ill", None]},
            "`ill` is none of `healthy`, `unhealthy`, `unknown`, `initializing` (row 1, health)",
        ),
        ({"skip_upgrade": ["no", "x", ""]}, "expected booleans, got string (f.parquet: column skip_upgrade)"),
        (
            {"phase_ordering_number": [None, 2**31 - 1, 0]},
            "2147483647 is not between 0 and 2147483646 (row 1, phase_ordering_number)",
        ),
        (
            {"failed_versions": [None, ["1", "x"], []]},
            "version `x` is not dotted integers, like `1.2.0` (row 1, failed_versions)",
        ),
        ({"failed_versions": [None, [None], []]}, "a version is missing (row 1, failed_versions)"),
        (
            {"failed_versions": ["1", "2", "3"]},
            "expected lists of texts, got string (f.parquet: column failed_versions)",
        ),
    ],
)
def test_a_fault_is_told_by_column_and_row(tmp_path: Path, changed: dict[str, Any], what: str) -> None:
    """Rows are counted as they are in the file, from 0, however they were sorted."""
    columns = {key: value for key, value in {**ROWS, **changed}.items() if value is not None}
    said = refused(tmp_path / "f.parquet", columns)
    head, _, place = what.rpartition(" (row ")
    if head:
        row, column = place.rstrip(")").split(", ")
        what = f"{head} (f.parquet: row {row}, column {column})"
    assert what == said


@pytest.mark.parametrize("column", ["id", "set", "zone", "failed_versions"])
def test_text_that_is_not_utf8_is_refused(tmp_path: Path, column: str) -> None:
    """Arrow lets any bytes be called text; the column is named."""
    texts = pa.array([b"1", b"\xff\xfe", b"2"], pa.binary()).view(pa.string())
    if column == "failed_versions":
        texts = pa.ListArray.from_arrays([0, 1, 2, 3], texts)
    said = refused(tmp_path / "f.parquet", {**ROWS, column: texts})
    assert ("text is not UTF-8", f"(f.parquet: column {column})") == (said[:17], said[18:])


def test_what_the_description_says_must_fit(tmp_path: Path) -> None:
    """Rows and a count are one too many; without a description there is no fleet; one at fault says where."""
    counted: dict[str, Any] = json.loads(json.dumps(DESCRIPTION))
    counted["sets"][1]["instances"] = 5
    path = tmp_path / "f.parquet"
    assert "set `eastus/db` has rows, and `instances` in its description (f.parquet: row 1, column set)" == refused(
        path, ROWS, counted
    )
    counted["sets"] = [{"region": "eastus"}]
    assert "unknown set `eastus/web` (f.parquet: row 0, column set)" == refused(path, ROWS, counted)
    counted["sets"] = 7
    assert "expected a list, got the number 7 (f.parquet: metadata `phasegate`: sets)" == refused(path, ROWS, counted)
    counted["sets"] = [7]
    none = {"set": pa.array([], pa.string()), "id": pa.array([], pa.string())}
    assert "expected an object, got the number 7 (f.parquet: metadata `phasegate`: sets[0])" == refused(
        path, none, counted
    )
    what = "has no description of its fleet: neither in its metadata (key `phasegate`) nor beside it"
    assert f"{what} (`.json`, `.yaml`, `.yml`) (f.parquet)" == refused(path, ROWS, None)
    with pytest.raises(InvalidFile, match="the fleet's description is not in its metadata"):
        parse_fleet(path.read_bytes(), "standard input")


def test_too_many_texts_and_zones_are_refused(tmp_path: Path) -> None:
    """A set has 255 zones at most, a file 65,534 texts in one column."""
    path, count = tmp_path / "f.parquet", 65_535
    many = {"set": ["eastus/web"] * count, "id": [str(at) for at in range(count)]}
    texts = [str(at) for at in range(count)]
    assert "65535 different texts; at most 65534 are possible (f.parquet: column zone)" == refused(
        path, {**many, "zone": texts}
    )
    zones = {key: values[:256] for key, values in {**many, "zone": texts}.items()}
    assert "256 zones in one set; at most 255 are possible (f.parquet: row 0, column zone)" == refused(path, zones)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    """Another file, a folder, a broken page, or no file at all."""
    other = tmp_path / "other.parquet"
    other.write_bytes(b"PAR1 and something else")
    broken = written(tmp_path / "broken.parquet", ROWS)
    data = bytearray(broken.read_bytes())
    data[4:60] = bytes(56)
    broken.write_bytes(data)
    folder = tmp_path / "folder.parquet"
    folder.mkdir()
    for path, what in (
        (other, "no Parquet: "),
        (folder, "cannot be read: is a directory"),
        (tmp_path / "none.parquet", "cannot be read: no such file or directory"),
        (broken, ""),
    ):
        with pytest.raises(InvalidFile) as caught:
            load_fleet(path)
        assert str(caught.value).startswith(what)


def test_without_pyarrow_somebody_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing alike."""
    for module in ("parquetread", "parquetwrite"):
        monkeypatch.setitem(sys.modules, f"phasegate.files.{module}", None)
    fleet = parse_fleet(b'{"format": "phasegate/fleet/1", "regions": [{"name": "eastus"}]}', "fleet.json")
    for act in (lambda: load_fleet("f.parquet"), lambda: write_fleet(fleet, tmp_path / "f.parquet")):
        with pytest.raises(InvalidFile, match=r"pip install 'phasegate\[arrow\]'"):
            act()
    assert [] == list(tmp_path.iterdir())
