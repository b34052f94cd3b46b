"""No input gives a traceback: real documents with one value replaced by any other."""

import copy
import json
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegate.files.documents import InvalidFile
from phasegate.files.fleetfile import dump_fleet, parse_fleet
from phasegate.importers import IMPORTERS

DATA = Path(__file__).parent.parent / "data"
INPUTS = {
    "arm": ["arm/zonal_rolling.json"],
    "az": ["az/vmss-list.json", "az/list-instances.json", "az/image-list.json", "az/sig-image-version-list.json"],
    "regions": ["regions/list-locations.json"],
    "kubectl": ["kubectl/nodes.json"],
    "aws": ["aws/describe-auto-scaling-groups.json"],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "arm": {"parameters": {"prefix": "web", "machines": "3", "operator": "o", "secret": "s"}, "location": "westus"}
}
scalars = st.sampled_from(
    [None, True, -1, 10**30, 1.5, "", "x", "/", "-", "[", "[x()]", "1.2", "[variables('lbName')]", "9" * 5000, "\n"]
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from(["id", "name", "x"]), scalars)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in plain data."""
    if path:
        yield path
    rows = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in rows:
        yield from places(value, (*path, key))


def holder(data: Any, path: tuple[Any, ...]) -> Any:
    """Return the object or list that holds the value of this path."""
    return reduce(getitem, path[:-1], data)


def written(documents: list[Any]) -> list[tuple[str, bytes]]:
    """Return documents as importers take them: `0.json` and so on."""
    return [(f"{number}.json", json.dumps(document).encode()) for number, document in enumerate(documents)]


DOCUMENTS = {name: [json.loads((DATA / path).read_bytes()) for path in paths] for name, paths in INPUTS.items()}
PLACES = {name: list(places(documents)) for name, documents in DOCUMENTS.items()}


@pytest.mark.parametrize("name", list(INPUTS))
@settings(max_examples=150)
@given(data=st.data())
def test_a_replaced_value_is_imported_or_refused(name: str, data: st.DataObject) -> None:
    """Whatever stands anywhere, the answer is a fleet that reads back, or one line."""
    documents = copy.deepcopy(DOCUMENTS[name])
    path = data.draw(st.sampled_from(PLACES[name]))
    holder(documents, path)[path[-1]] = data.draw(values)
    result, refusal = None, ""
    try:
        result = IMPORTERS[name](written(documents), **OPTIONS.get(name, {}))
    except InvalidFile as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert result is None or result.fleet == parse_fleet(json.dumps(dump_fleet(result.fleet)).encode(), "fleet.json")


@pytest.mark.parametrize("name", list(INPUTS))
def test_a_line_break_in_any_text_is_imported_or_refused_in_one_line(name: str) -> None:
    """No name that does not print is a traceback, wherever it stands; a refusal names the file; notes are lines."""
    documents = copy.deepcopy(DOCUMENTS[name])
    refusals: list[tuple[str, str, tuple[Any, ...]]] = []
    notes: list[str] = []
    imported = 0
    for path in PLACES[name]:
        at = holder(documents, path)
        text = at[path[-1]]
        if not isinstance(text, str):
            continue
        at[path[-1]] = f"{text[: len(text) // 2]}\n{text[len(text) // 2 :]}"
        try:
            result = IMPORTERS[name](written(documents), **OPTIONS.get(name, {}))
            imported += 1
            notes += [str(line) for line in result.unmapped]
        except InvalidFile as error:
            refusals.append((error.file, str(error), path))
        at[path[-1]] = text
    assert (True, True) == (imported > 0, len(refusals) > 0)  # where a text is no name, anything may stand
    assert [note for note in notes if "\n" in note] == []
    assert [refusal for refusal in refusals if "\n" in refusal[1] or refusal[0] != f"{refusal[2][0]}.json"] == []


FLEET = json.loads(json.dumps(dump_fleet(IMPORTERS["az"]([(n, (DATA / n).read_bytes()) for n in INPUTS["az"]]).fleet)))
FLEET_PLACES = list(places(FLEET))


@settings(max_examples=300)
@given(data=st.data())
def test_a_fleet_with_a_replaced_value_is_read_or_refused(data: st.DataObject) -> None:
    """A fleet file is right, or one line says what is wrong."""
    fleet = copy.deepcopy(FLEET)
    path = data.draw(st.sampled_from(FLEET_PLACES))
    holder(fleet, path)[path[-1]] = data.draw(values)
    refusal = ""
    try:
        parse_fleet(json.dumps(fleet).encode(), "fleet.json")
    except InvalidFile as error:
        refusal = str(error)
    assert "\n" not in refusal
