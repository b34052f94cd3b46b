"""`phasegate convert`: one fleet in every form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from phasegate.files.fleetfile import load_fleet, parse_fleet

FLEET = {
    "format": "phasegate/fleet/1",
    "regions": [{"name": "eastus"}],
    "images": [{"gallery": "corp", "definition": "web"}],
    "sets": [
        {
            "name": "web",
            "region": "eastus",
            "image": {"gallery": "corp", "definition": "web"},
            "instances": [{"id": "1"}, {"id": "2", "upgrade_domain": 1}],
        }
    ],
}


def test_a_fleet_goes_through_every_form(call: Any, write: Any) -> None:
    """JSON to Parquet to NDJSON to standard output: it stays the same fleet, and its numbers are said."""
    write("a.json", FLEET)
    for source, target in (("a.json", "b.parquet"), ("b.parquet", "c.ndjson")):
        result = call("convert", source, "-o", target)
        assert (0, f"fleet to {target}\n  1 region  .  1 image  .  1 set  .  2 instances\n") == (
            result.exit_code,
            result.stdout.replace("\u00b7", "."),
        )
    result = call("convert", "c.ndjson")
    assert load_fleet("a.json") == parse_fleet(result.stdout.encode(), "standard output")
    assert "fleet to standard output" in result.stderr
    result = call("convert", "-", "-o", "d.json", "--json", stdin=Path("b.parquet").read_bytes())
    counts = {"regions": 1, "images": 1, "sets": 1, "instances": 2}
    assert {"format": "phasegate/convert/1", "output": "d.json", **counts} == json.loads(result.stdout)
    assert load_fleet("a.json") == load_fleet("d.json")


def test_what_cannot_be_converted_is_refused(call: Any, write: Any) -> None:
    """A file that is not there is told with its like; fleet and numbers do not both go to standard output."""
    write("a.json", FLEET)
    call("convert", "a.json", "-o", "fleet.parquet")
    result = call("convert", "flet.parquet")
    what = "cannot be read: no such file or directory; did you mean `fleet.parquet`?"
    assert (2, f"error: {what} (flet.parquet)\n") == (result.exit_code, result.stderr)
    result = call("convert", "a.json", "--json")
    assert (2, True) == (result.exit_code, "cannot both go to standard output" in result.stderr)
