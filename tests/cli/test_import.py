"""`phasegate import`: files of other tools into fleets, and the list of what is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_cases import golden

from phasegate.files.fleetfile import load_fleet

DATA = Path(__file__).parents[1] / "data"
FILES = {
    "az": ["az/vmss-list.json"],
    "regions": ["regions/list-locations.json"],
    "kubectl": ["kubectl/nodes.json"],
    "aws": ["aws/describe-auto-scaling-groups.json"],
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_becomes_a_fleet_file(call: Any, write: Any, kind: str) -> None:
    """The file that is written is a fleet, its numbers are those that are said, and nothing else is left behind."""
    write("x", "")
    result = call("import", kind, *(str(DATA / name) for name in FILES[kind]), "-o", "fleet.json", "--json")
    said = json.loads(result.stdout)
    fleet = load_fleet("fleet.json")
    assert (0, "fleet.json", None) == (result.exit_code, said["output"], said["fleet"])
    assert (len(fleet.regions), len(fleet.images), len(fleet.sets)) == (said["regions"], said["images"], said["sets"])
    assert {"file", "place", "what", "why"} == set(said["unmapped"][0])
    assert ["fleet.json", "x"] == sorted(path.name for path in Path().iterdir())


@pytest.mark.parametrize("kind", FILES)
def test_everything_unmapped_is_shown(call: Any, write: Any, kind: str) -> None:
    """What the JSON lists stands in the text for people too."""
    write("x", "")
    paths = [str(DATA / name) for name in FILES[kind]]
    said = json.loads(call("import", kind, *paths, "-o", "fleet.json", "--json").stdout)
    shown = "".join(call("import", kind, *paths, "-o", "fleet.json", columns=140).stdout.split())
    missing = [line["what"] for line in said["unmapped"] if "".join(line["what"].split()) not in shown]
    assert [] == missing


def test_the_fleet_goes_to_standard_output_and_the_rest_to_standard_error(call: Any, write: Any) -> None:
    """Without `-o` the fleet can be piped on, as it would stand in a file."""
    write("x", "")
    path = str(DATA / "regions/list-locations.json")
    piped = call("import", "regions", path)
    call("import", "regions", path, "-o", "fleet.json")
    assert Path("fleet.json").read_text(encoding="utf-8") == piped.stdout
    assert piped.stderr.startswith("fleet to standard output\n  4 regions")
    whole = json.loads(call("import", "regions", path, "--json").stdout)
    assert (None, json.loads(piped.stdout)) == (whole["output"], whole["fleet"])


def test_the_text_is_as_the_golden_one_has_it(call: Any, write: Any) -> None:
    """What is assumed comes first, what is no part of a rollout after it, by place."""
    nodes = {
        "kind": "List",
        "items": [
            {
                "kind": "Node",
                "metadata": {"name": "n1", "uid": "x", "labels": {"topology.kubernetes.io/region": "eastus"}},
                "spec": {"podCIDR": "10.0.0.0/8"},
                "status": {
                    "nodeInfo": {"osImage": "Ubuntu 22.04.3 LTS", "bootID": "b"},
                    "conditions": [{"type": "Ready", "status": "True"}],
                },
            }
        ],
    }
    write("nodes.json", nodes)
    result = call("import", "kubectl", "nodes.json", "-o", "fleet.json", columns=80)
    assert (0, golden("import.txt")) == (result.exit_code, result.stdout)


def test_a_file_that_is_mapped_whole_says_so(call: Any, write: Any) -> None:
    """Where nothing is left over, that is said."""
    write("regions.json", [{"name": "eastus", "metadata": {"regionType": "Physical"}}])
    result = call("import", "regions", "regions.json", "-o", "fleet.json")
    assert "everything in the files is in the fleet" in result.stdout


def test_what_is_assumed_stands_alone_where_nothing_else_is_left(call: Any, write: Any) -> None:
    """Without anything that is no part of a rollout, only the assumptions are listed."""
    write("regions.json", [{"name": "eastus", "metadata": {}}, {"name": "all", "metadata": {"regionType": "Logical"}}])
    result = call("import", "regions", "regions.json", "-o", "fleet.json")
    assert (True, False) == ("- region `all` is logical" in result.stdout, "no part of" in result.stdout)


def test_what_is_left_over_stands_alone_where_nothing_is_assumed(call: Any, write: Any) -> None:
    """Without assumptions, only what is no part of a rollout is listed."""
    write("regions.json", [{"name": "eastus", "metadata": {}, "id": "x"}])
    result = call("import", "regions", "regions.json", "-o", "fleet.json")
    assert result.stdout.endswith("from regions.json\n  no part of a rollout:\n  - [*]  `id`\n")


def test_a_template_takes_parameters(call: Any, write: Any) -> None:
    """`--parameter` fills in what the template leaves open; without it the refusal says how."""
    write("x", "")
    template = str(DATA / "arm/probe_upgrades.json")
    refused = call("import", "arm", template, "-o", "fleet.json")
    assert (2, True) == (refused.exit_code, "give it with --parameter" in refused.stderr)
    assert not Path("fleet.json").exists()
    given = [f"--parameter={name}=3" for name in ("prefix", "machines", "operator", "secret")]
    result = call("import", "arm", template, "-o", "fleet.json", *given, "--location", "eastus")
    assert (0, "") == (result.exit_code, result.stderr)
    assert ["eastus"] == [region.name for region in load_fleet("fleet.json").regions]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "missing command; there are arm, az, regions, kubectl, aws (phasegate import)"),
        (["foo"], "no such command `foo`; there are arm, az, regions, kubectl, aws (phasegate import)"),
        (["az"], "missing argument `FILE` (phasegate import az)"),
        (["az", "nodes.json"], "cannot be read: no such file or directory; did you mean `node.json`? (nodes.json)"),
        (["az", "node.json", "-o", "./node.json"],
            "`./node.json` would be written over, and is read as well; name another file (--output)"),
        (["az", ""], "a file has a name; this one is empty (``)"),
        (["az", "-", "-"], "standard input can be read once; name a file for the other (`-`)"),
        (["arm", "node.json", "--parameter", "x"], "`x` is not NAME=VALUE, like `instanceCount=3` (--parameter)"),
        (
            ["regions", str(DATA / "regions/list-locations.json"), "-o", "nowhere/fleet.json"],
            "cannot be written: no such file or directory (nowhere/fleet.json)",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_where(call: Any, write: Any, arguments: list[str], error: str) -> None:
    """What cannot be used ends with exit code 2 and one line on standard error."""
    write("node.json", {})
    result = call("import", *arguments, stdin="{}")
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_listing_that_some_tool_wrapped_is_found(call: Any, write: Any) -> None:
    """Objects that hold nothing but another object are taken off, down to the rows."""
    rows = json.loads((DATA / "regions/list-locations.json").read_text(encoding="utf-8"))
    write("wrapped.json", {"locals": {"cached": {"value": rows}}})
    wrapped = json.loads(call("import", "regions", "wrapped.json", "--json").stdout)
    plain = json.loads(call("import", "regions", str(DATA / "regions/list-locations.json"), "--json").stdout)
    assert plain["fleet"] == wrapped["fleet"]
