"""`phasegate plan`: golden texts, the derived numbers against the engine, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from cli_cases import CENTOS, NEW, OLD, UBUNTU, UBUNTU_NAME, fleet, golden, many, policy, small, special, ubuntu
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from phasegate.cli.blueprint import batch_size, plan, stop_at
from phasegate.cli.screen import Screen
from phasegate.core.engine import Engine
from phasegate.files.fleetfile import parse_fleet
from phasegate.policies import availability_first
from phasegate.simulating.simulation import simulate


@pytest.mark.parametrize("columns", [80, 100])
def test_three_sets_are_shown_one_by_one(call: Any, write: Any, columns: int) -> None:
    """A small fleet's plan shows every set with its numbers, at both widths as the golden text has it."""
    result = call("plan", write("fleet.json", small()), columns=columns)
    assert (0, golden(f"plan-small-{columns}.txt")) == (result.exit_code, result.stdout)


@pytest.mark.parametrize("columns", [80, 100])
def test_what_is_special_about_a_set_is_said(call: Any, write: Any, columns: int) -> None:
    """Windows, groups, conflicts, no rollback, unhealthy, current, excluded and custom sets each have their line."""
    result = call("plan", write("fleet.json", special()), columns=columns)
    assert (0, golden(f"plan-special-{columns}.txt")) == (result.exit_code, result.stdout)


@pytest.mark.parametrize("columns", [80, 100])
def test_many_sets_are_summed_up_by_region_and_by_code(call: Any, write: Any, columns: int) -> None:
    """More than 25 sets are summed up by region, more than 12 that are not eligible by code."""
    result = call("plan", write("fleet.json", many()), columns=columns)
    assert (0, golden(f"plan-many-{columns}.txt")) == (result.exit_code, result.stdout)


def test_all_shows_each_of_many_sets(call: Any, write: Any) -> None:
    """With `--all` every set has its row, eligible or not."""
    result = call("plan", write("fleet.json", many()), "--all")
    assert [f"svc-{number:02}" for number in range(40) if f"svc-{number:02} " not in result.stdout] == []


def test_no_line_is_wider_than_the_screen(call: Any, write: Any) -> None:
    """80 columns are not overrun, and no line ends in blanks."""
    for document in (small(), special(), many()):
        lines = call("plan", write("fleet.json", document), "--all", columns=80).stdout.splitlines()
        assert [line for line in lines if len(line) > 80 or line != line.rstrip()] == []


@pytest.mark.parametrize("columns", [0, 1, 40, 79])
def test_a_narrow_terminal_loses_nothing(call: Any, write: Any, columns: int) -> None:
    """Below 80 columns tables would drop columns: lines stay that long, and the terminal breaks them."""
    write("fleet.json", special())
    assert call("plan", "fleet.json", columns=80).stdout == call("plan", "fleet.json", columns=columns).stdout


def test_names_are_shown_as_they_are(call: Any, write: Any) -> None:
    """A name in brackets or colons is no markup and no emoji."""
    document = small()
    document["sets"][0]["name"] = "[red]:smile:"
    assert "eastus/[red]:smile:" in call("plan", write("fleet.json", document)).stdout


def test_a_name_cannot_command_the_terminal(call: Any, write: Any) -> None:
    """It is refused, and what does not print in it is shown as a question mark."""
    document = small()
    document["groups"] = [{"name": "g\x1b]0;x\x07", "counts": "sets", "members": ["eastus/web"], "limit": 1}]
    result = call("plan", write("fleet.json", document))
    what = "name `g?]0;x?` holds a character that does not print (fleet.json: groups[0].name)"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"error: {what}\n")


def test_no_text_that_is_shown_commands_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it comes from: what does not print is a question mark there too."""
    Screen().print("a\x1b[31mb", Text("c\x9bd\u200ee"))
    assert capsys.readouterr().out == "a?[31mb c?d?e\n"


def test_json_has_the_promised_keys_and_numbers(call: Any, write: Any) -> None:
    """`--json` says of each rollout its phases, of each set its derived numbers, and who is not eligible and why."""
    document = json.loads(call("plan", write("fleet.json", small()), "--json").stdout)
    assert ["format", "rollouts", "idle", "without_catalogue"] == list(document)
    rollout = document["rollouts"][0]
    assert [["westus"], ["eastus", "northeurope"]] == rollout["phases"]
    assert {OLD: 47} == rollout["versions"]
    assert [
        {"name": "westus/old", "instances": 5, "codes": ["automatic-upgrade-disabled", "health-source-missing"]}
    ] == (rollout["ineligible"])
    assert {
        "name": "eastus/web",
        "region": "eastus",
        "zones": ["1", "2", "3"],
        "total": 30,
        "eligible": 30,
        "current": 0,
        "excluded": 0,
        "not_healthy": 0,
        "batch_size": 6,
        "batches_at_least": 15,
        "unhealthy_stop": 7,
        "upgraded_stop": [[1, 2], [7, 30]],
        "rollback": True,
        "cross_zone": False,
        "windows": 0,
        "groups": [],
        "stops_at_once": False,
    } == rollout["sets"][0]


def test_images_with_nothing_to_do_say_why(call: Any, write: Any) -> None:
    """An image with nothing newer, one without versions and one without sets are idle, each with its reason."""
    document = special()
    document["images"].append({"gallery": "corp", "definition": "unused", "versions": [{"version": "1"}]})
    document["images"].append({**UBUNTU, "sku": "16.04-LTS", "versions": [{"version": "1"}]})
    document["sets"][-2]["automatic_os_upgrade"] = False
    idle = json.loads(call("plan", write("fleet.json", document), "--json").stdout)["idle"]
    assert {
        "OpenLogic/CentOS/7.5": "no set is eligible",
        "corp/later": "image `corp/later` has no version yet that counts in a region of its sets",
        "corp/unused": "image `corp/unused` has no version yet that counts in a region of its sets",
        "Canonical/UbuntuServer/16.04-LTS": "no set is made from it",
    } == {entry["image"]: entry["why_idle"] for entry in idle}
    assert "automatic OS upgrades are switched off" in call("plan", "fleet.json").stdout


def test_one_region_needs_no_words_about_order(call: Any, write: Any) -> None:
    """A single set in a single zone has one phase, no pair, and limits of 100 % stop nothing."""
    sets = [{"name": "web", "region": "eastus", "image": UBUNTU, "instances": 3}]
    write("fleet.json", fleet(regions=[{"name": "eastus"}], images=[ubuntu()], sets=sets))
    write("policy.json", policy(max_unhealthy_percent=100, max_unhealthy_upgraded_percent=100))
    result = call("plan", "fleet.json", "--policy", "policy.json")
    assert (0, golden("plan-one.txt")) == (result.exit_code, result.stdout)


def test_a_very_wide_screen_is_not_filled(call: Any, write: Any) -> None:
    """Lines longer than 140 are hard to follow, so nothing is spread wider."""
    lines = call("plan", write("fleet.json", many()), "--all", columns=400).stdout.splitlines()
    assert max(map(len, lines)) <= 140


def test_an_empty_fleet_has_nothing_to_do(call: Any, write: Any) -> None:
    """A fleet without images is no error."""
    result = call("plan", write("fleet.json", fleet(regions=[])))
    assert (0, "nothing to do: the fleet has no image\n") == (result.exit_code, result.stdout)


def test_a_policy_file_changes_the_numbers(call: Any, write: Any) -> None:
    """The options of `--policy` are those of the plan: with 50 % a set of 30 goes 15 at a time, `of` the whole set."""
    options = policy(max_batch_percent=50, max_unhealthy_upgraded_percent=100, unhealthy_upgraded_of="set")
    write("policy.json", options)
    document = json.loads(call("plan", write("fleet.json", small()), "--policy", "policy.json", "--json").stdout)
    web = document["rollouts"][0]["sets"][0]
    assert (15, None) == (web["batch_size"], web["upgraded_stop"])
    write("policy.json", options | {"max_unhealthy_upgraded_percent": 10})
    document = json.loads(call("plan", "fleet.json", "--policy", "policy.json", "--json").stdout)
    assert [[4, 30], [4, 30]] == document["rollouts"][0]["sets"][0]["upgraded_stop"]
    assert "4/30" in call("plan", "fleet.json", "--policy", "policy.json").stdout


def test_a_target_and_an_image_are_taken(call: Any, write: Any) -> None:
    """`--image` leaves the other images out, `--target` names an older version."""
    document = small() | {"images": [ubuntu("18.04.1", "18.04.2", "18.04.3"), {**CENTOS, "versions": []}]}
    write("fleet.json", document)
    found = json.loads(call("plan", "fleet.json", "--image", UBUNTU_NAME, "--target", "18.04.2", "--json").stdout)
    assert ("18.04.2", []) == (found["rollouts"][0]["target"], found["idle"])


def test_now_decides_what_is_published(call: Any, write: Any) -> None:
    """Before a version is published the plan does not go to it; by default everything that is listed is there."""
    document = small()
    document["images"][0]["versions"][1]["published_at_ms"] = 1_714_564_800_000
    write("fleet.json", document)
    assert NEW == json.loads(call("plan", "fleet.json", "--json").stdout)["rollouts"][0]["target"]
    early = json.loads(call("plan", "fleet.json", "--now", "2024-05-01T11:59:59Z", "--json").stdout)
    assert ([], "no instance is below the target version") == (early["rollouts"], early["idle"][0]["why_idle"])


def test_standard_input_can_be_the_fleet(call: Any) -> None:
    """`-` reads the fleet from standard input."""
    assert 0 == call("plan", "-", stdin=json.dumps(small())).exit_code


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["flet.json"], "cannot be read: no such file or directory; did you mean `fleet.json`? (flet.json)"),
        (["nowhere/flet.json"], "cannot be read: no such file or directory (nowhere/flet.json)"),
        (["zzz"], "cannot be read: no such file or directory (zzz)"),
        (["."], "cannot be read: is a directory (.)"),
        (["fleet.json", "--image", "x/y"], "unknown image `x/y` (--image)"),
        (
            ["fleet.json", "--image", UBUNTU_NAME[:-1]],
            f"unknown image `{UBUNTU_NAME[:-1]}`; did you mean `{UBUNTU_NAME}`? (--image)",
        ),
        (["fleet.json", "--target", "9"],
            f"image `{UBUNTU_NAME}` has no version `9`; its newest are `{NEW}`, `{OLD}` (--target)"),
        (["two.json", "--image", "corp/later", "--target", "9"],
            "image `corp/later` has no version `9`; it has none (--target)"),
        (["later.json", "--target", NEW, "--now", "0"],
            f"version `{NEW}` is published at 10000, after 0 (--target)"),
        (["missing.json"], "no phase has `eastus`, which has an eligible set; add it to one (missing.json: phases)"),
        (["fleet.json", "--target", "x"], "version `x` is not dotted integers, like `1.2.0` (--target)"),
        (
            ["two.json", "--target", "9"],
            "a version needs its image; the fleet has 4, name one with `--image` (--target)",
        ),
        (["fleet.json", "--now", "-1"], "time `-1` is neither milliseconds since 1970 nor RFC 3339 from then on, like "
            "`2024-05-01T12:00:00Z` (--now)"),
        (["phases.json"], "`eastus` and `westus` are a pair and both in phase 0; put one into another phase "
            "(phases.json: phases)"),
        (["fleet.json", "--policy", "policy.json"], "4 is not between 5 and 100 (policy.json: max_batch_percent)"),
        (["-", "--policy", "-"], "standard input can be read once; name a file for the other (`-`)"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_that_says_where(call: Any, write: Any, arguments: list[str], error: str) -> None:
    """What cannot be used ends with exit code 2 and one line on standard error."""
    write("fleet.json", small())
    write("two.json", special())
    write("phases.json", small() | {"phases": [["eastus", "westus", "northeurope"]]})
    write("missing.json", small() | {"phases": [["westus"], ["northeurope"]]})
    later = small()
    later["images"][0]["versions"][1]["published_at_ms"] = 10_000
    write("later.json", later)
    write("policy.json", policy(max_batch_percent=4))
    result = call("plan", *arguments, stdin=json.dumps(small()))
    assert (2, "", f"error: {error}\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_fleet_file_at_fault_is_named_with_the_place(call: Any, write: Any) -> None:
    """An unknown key in the fleet names file, place and the closest key."""
    document = small()
    document["sets"][1]["zone"] = []
    result = call("plan", write("fleet.json", document))
    assert "error: unknown key `zone`; did you mean `zones`? (fleet.json: sets[1])\n" == result.stderr
    assert not Path("fleet.json.part").exists()


def _engine(size: int, zones: list[str], domains: int, **options: Any) -> Engine:
    document = fleet(
        regions=[{"name": "eastus", "zones": ["1", "2", "3"]}],
        images=[ubuntu()],
        sets=[
            {
                "name": "web",
                "region": "eastus",
                "zones": zones,
                "upgrade_domains": domains,
                "image": UBUNTU,
                "instances": size,
            }
        ],
    )
    return Engine(parse_fleet(json.dumps(document).encode(), "fleet.json"), availability_first(**options))


@given(
    st.integers(1, 40),
    st.sampled_from([[], ["1"], ["1", "2", "3"]]),
    st.integers(1, 5),
    st.integers(5, 100),
    st.booleans(),
)
def test_the_plan_agrees_with_what_the_engine_does(
    size: int, zones: list[str], domains: int, percent: int, cross_zone: bool
) -> None:
    """The batch size is the engine's, and an undisturbed rollout takes exactly the planned number of batches."""
    engine = _engine(size, zones, domains, max_batch_percent=percent, enable_cross_zone=cross_zone)
    found = plan(engine, UBUNTU_NAME, None, 0).sets[0]
    state = engine.start(UBUNTU_NAME, now=0)
    assert {found.batch_size} == {choice.at_most for choice in engine.legal(state)}
    assert found.batches_at_least == simulate(engine).rollouts[0]["batches"]


@given(st.integers(0, 1000), st.integers(0, 100))
def test_the_stop_is_the_smallest_count_that_breaks_the_gate(of: int, percent: int) -> None:
    """`stop_at` is the least count above the percentage, compared by cross multiplication; None if there is none."""
    breaking = [count for count in range(of + 1) if 100 * count > percent * of]
    assert (breaking[0] if breaking else None) == stop_at(of, percent)


@given(st.integers(1, 1000), st.integers(5, 100))
def test_a_batch_leaves_one_standing(total: int, percent: int) -> None:
    """A batch is at least one instance, never all of several, and within the percentage where that is at least one."""
    size = batch_size(total, percent)
    assert 1 <= size <= max(1, total - 1)
    assert size == 1 or 100 * size <= percent * total


def test_an_ordering_number_makes_batches_of_its_own() -> None:
    """Instances with different phase ordering numbers are never in one batch, so they count apart."""
    rows = [{"id": str(number), "phase_ordering_number": number % 3} for number in range(9)]
    document = fleet(
        regions=[{"name": "eastus"}],
        images=[ubuntu()],
        sets=[
            {
                "name": "web",
                "region": "eastus",
                "image": UBUNTU,
                "instances": rows,
                "rolling_policy": {"max_batch_percent": 100},
            }
        ],
    )
    engine = Engine(parse_fleet(json.dumps(document).encode(), "fleet.json"), availability_first())
    found = plan(engine, UBUNTU_NAME, None, 0)
    assert (8, 3) == (found.sets[0].batch_size, found.sets[0].batches_at_least)
    assert attrs.evolve(found, sets=()).is_idle
