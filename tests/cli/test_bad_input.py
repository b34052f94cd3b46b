"""Bad input of every kind: one clear line, exit code 2, no traceback, and nothing half written."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cli_cases import NEW, UBUNTU, UBUNTU_NAME, faults, fleet, policy, small


def changed(**parts: Any) -> dict[str, Any]:
    """Return the small fleet with other parts."""
    return {**small(), **parts}


def with_set(**fields: Any) -> dict[str, Any]:
    """Return the small fleet with other fields in its first set."""
    first, *others = small()["sets"]
    return changed(sets=[{**first, **fields}, *others])


def with_versions(*versions: str) -> dict[str, Any]:
    """Return the small fleet with other versions of its image."""
    return changed(images=[{**UBUNTU, "versions": [{"version": version} for version in versions]}])


CIRCLE = [{"name": "a", "provision_after": ["b"]}, {"name": "b", "provision_after": ["a"]}]
GARBAGE = Random(0).randbytes(10 * 2**20)

FLEETS: dict[str, tuple[Any, str]] = {
    "unknown key": (changed(regoins=[]), "unknown key `regoins`; did you mean `regions`? (fleet.json)"),
    "unknown key deep down": (
        with_set(rolling_policy={"max_batch_precent": 10}),
        "unknown key `max_batch_precent`; did you mean `max_batch_percent`? (fleet.json: sets[0].rolling_policy)",
    ),
    "wrong type": (
        with_set(upgrade_domains="5"),
        "expected a whole number, got text `5`; leave the quotes out (fleet.json: sets[0].upgrade_domains)",
    ),
    "duplicate name": (
        changed(sets=[*small()["sets"], small()["sets"][1]]),
        "set `westus/db` is there twice (fleet.json: sets[4])",
    ),
    "duplicate key": (b'{"format": "phasegate/fleet/1", "format": 1}', "key `format` is there twice (fleet.json)"),
    "pair inside a user's phase": (
        changed(phases=[["eastus", "westus"], ["northeurope"]]),
        "`eastus` and `westus` are a pair and both in phase 0; put one into another phase (fleet.json: phases)",
    ),
    "region in no phase": (
        changed(phases=[["eastus"], ["westus"]]),
        "no phase has `northeurope`, which has an eligible set; add it to one (fleet.json: phases)",
    ),
    "zone that is there twice": (
        with_set(zones=["1", "2", "1"]),
        "zone `1` is there twice (fleet.json: sets[0].zones)",
    ),
    "zone of a region that is there twice": (
        changed(regions=[{"name": "eastus", "zones": ["1", "1"]}, *small()["regions"][1:]]),
        "zone `1` is there twice (fleet.json: regions[0].zones)",
    ),
    "instance with a name that commands a terminal": (
        with_set(instances=[{"id": "\x1b[2J"}]),
        "instance id `?[2J` is empty, or holds a `/` or a character that does not print "
        "(fleet.json: sets[0].instances)",
    ),
    "zone with a name that commands a terminal": (
        changed(regions=[{"name": "eastus", "zones": ["1\x07"]}, *small()["regions"][1:]]),
        "name `1?` holds a character that does not print (fleet.json: regions[0].zones)",
    ),
    "image with a name that commands a terminal": (
        changed(images=[{**UBUNTU, "sku": "18.04\x1b[2J", "versions": []}]),
        "name `18.04?[2J` holds a character that does not print (fleet.json: images[0].sku)",
    ),
    "API version that is no date": (
        with_set(api_version="yesterday"),
        "API version `yesterday` is no date, like `2021-03-01` or `2021-03-01-preview` "
        "(fleet.json: sets[0].api_version)",
    ),
    "unknown region": (
        with_set(region="eastsu"),
        "unknown region `eastsu`; did you mean `eastus`? (fleet.json: sets[0].region)",
    ),
    "region that is its own pair": (
        changed(regions=[{"name": "eastus", "pair": "eastus"}]),
        "region `eastus` names itself as its pair; leave `pair` out (fleet.json: regions[0].pair)",
    ),
    "cyclic extensions": (
        with_set(extensions=CIRCLE),
        "extensions wait for one another in a circle: a, b (fleet.json: sets[0].extensions)",
    ),
    "percent out of range": (
        with_set(rolling_policy={"max_batch_percent": 4}),
        "4 is not between 5 and 100 (fleet.json: sets[0].rolling_policy.max_batch_percent)",
    ),
    "version 1.x": (
        with_versions("1.x"),
        "version `1.x` is not dotted integers, like `1.2.0` (fleet.json: images[0].versions[0].version)",
    ),
    "empty file": (b"", "is empty (fleet.json)"),
    "truncated JSON": (
        json.dumps(small()).encode()[:-100],
        f"no JSON: the text ends too early (fleet.json: line 1, column {len(json.dumps(small())) - 99})",
    ),
    "garbage": (GARBAGE, "byte 0xcd is not UTF-8 (fleet.json: byte 0)"),
    "garbage that begins well": (b'{"format": "' + GARBAGE, "byte 0xcd is not UTF-8 (fleet.json: byte 12)"),
    "another format": (
        policy(),
        "format `phasegate/policy/1` is not `phasegate/fleet/1` (fleet.json: format)",
    ),
    "no fleet at all": (fleet(), "`regions` is missing (fleet.json)"),
}


@pytest.mark.parametrize("kind", FLEETS)
@pytest.mark.parametrize("command", ["plan", "simulate"])
def test_a_bad_fleet_is_one_line(call: Any, write: Any, command: str, kind: str) -> None:
    """Whichever command reads it; no log and no picture is begun."""
    data, error = FLEETS[kind]
    write("fleet.json", {})
    Path("fleet.json").write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    outputs = ["--log", "log.ndjson", "--plot", "plot.svg"] if command == "simulate" else []
    result = call(command, "fleet.json", *outputs)
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)
    assert [Path("fleet.json")] == [*Path().iterdir()]


OTHERS: dict[str, tuple[list[str], Any, str]] = {
    "policy: unknown key": (
        ["--policy"],
        policy(max_batch_precent=10),
        "unknown key `max_batch_precent`; did you mean `max_batch_percent`? (other.json)",
    ),
    "policy: percent out of range": (
        ["--policy"],
        policy(max_batch_percent=4),
        "4 is not between 5 and 100 (other.json: max_batch_percent)",
    ),
    "policy: wrong type": (
        ["--policy"],
        policy(delays="no"),
        "expected true or false, got text `no` (other.json: delays)",
    ),
    "policy: empty": (["--policy"], b"", "is empty (other.json)"),
    "policy: garbage": (["--policy"], GARBAGE, "byte 0xcd is not UTF-8 (other.json: byte 0)"),
    "faults: unknown key": (["--faults"], faults(ratse={}), "unknown key `ratse`; did you mean `rates`? (other.json)"),
    "faults: unknown set": (
        ["--faults"],
        faults({"at_ms": 0, "scale": "eastus/wbe", "to": 3}),
        "unknown set `eastus/wbe`; did you mean `eastus/web`? (other.json: events[0].scale)",
    ),
    "faults: a rate above one": (
        ["--faults"],
        faults(rates={"late_report": 2}),
        "rate 2.0 is not between 0 and 1 (other.json: rates.late_report)",
    ),
    "faults: version 1.x": (
        ["--faults"],
        faults({"at_ms": 0, "publish": {"image": UBUNTU_NAME, "version": "1.x"}}),
        "version `1.x` is not dotted integers, like `1.2.0` (other.json: events[0].publish.version)",
    ),
    "faults: truncated": (
        ["--faults"],
        b'{"format": "phasegate/faults/1", "ev',
        "no JSON: the text ends too early (other.json: line 1, column 34)",
    ),
    "faults: garbage": (["--faults"], GARBAGE, "byte 0xcd is not UTF-8 (other.json: byte 0)"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_a_bad_policy_or_faults_file_is_one_line(call: Any, write: Any, kind: str) -> None:
    """The fleet beside it is good; still nothing is begun."""
    option, data, error = OTHERS[kind]
    write("fleet.json", small())
    Path("other.json").write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    result = call("simulate", "fleet.json", *option, "other.json", "--log", "log.ndjson", "--plot", "plot.svg")
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)
    assert [Path("fleet.json"), Path("other.json")] == sorted(Path().iterdir())


NO_LOG = "no log as `simulate --log` writes it"
LOGS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty (log.ndjson)"),
    "truncated": (b'{"t":0,"kind":"log-sta', f"{NO_LOG}: input data was truncated (log.ndjson: line 1)"),
    "a fleet": (json.dumps(small()).encode(), f"{NO_LOG}: object missing required field `t` (log.ndjson: line 1)"),
    "garbage": (GARBAGE, f"{NO_LOG}: invalid character (byte 0) (log.ndjson: line 1)"),
}


@pytest.mark.parametrize("kind", LOGS)
@pytest.mark.parametrize("arguments", [["replay", "log.ndjson"], ["explain", "log.ndjson", "eastus/web/0"]])
def test_a_bad_log_is_one_line(call: Any, write: Any, arguments: list[str], kind: str) -> None:
    """To replay it, or to ask about somebody in it."""
    data, error = LOGS[kind]
    write("log.ndjson", "")
    Path("log.ndjson").write_bytes(data)
    result = call(*arguments)
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize("source", ["arm", "az", "regions", "kubectl", "aws"])
@pytest.mark.parametrize("data", [b"", b'{"resources": [', b"[1, 2", GARBAGE], ids=["empty", "cut", "list", "garbage"])
def test_a_bad_description_is_one_line(call: Any, write: Any, source: str, data: bytes) -> None:
    """Of every tool; the fleet that was there before stays as it was."""
    write("in.json", "")
    Path("in.json").write_bytes(data)
    Path("fleet.json").write_text("before", encoding="utf-8")
    result = call("import", source, "in.json", "-o", "fleet.json")
    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert (True, True) == (result.stderr.startswith("error: "), "in.json" in result.stderr)
    assert "before" == Path("fleet.json").read_text(encoding="utf-8")


def test_a_good_fleet_beside_all_these_is_simulated(call: Any, write: Any) -> None:
    """What is changed above is what is refused."""
    write("fleet.json", with_set(rolling_policy={"max_batch_percent": 5}))
    assert 0 == call("simulate", "fleet.json", "--log", "log.ndjson").exit_code
    assert NEW in Path("log.ndjson").read_text(encoding="utf-8")
