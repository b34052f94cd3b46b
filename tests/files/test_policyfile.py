"""Policy files: the options of `availability_first`, strictly read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.core.rules import Admit, Answer, Question
from phasegate.files.documents import InvalidFile
from phasegate.files.policyfile import dump_policy, load_policy, parse_policy
from phasegate.policies import SupportedImage, availability_first

PERCENT = st.integers(5, 100)


def _parsed(**options: Any) -> Any:
    return parse_policy(json.dumps({"format": "phasegate/policy/1", **options}).encode(), "policy.json")


def test_an_empty_policy_has_every_default() -> None:
    """What a file does not say is as in `availability_first()`."""
    assert availability_first() == _parsed()


@given(PERCENT, PERCENT, st.booleans(), st.sampled_from(["upgraded", "set"]), st.integers(0, 2**53))
def test_a_policy_is_what_it_was_after_a_round_trip(
    batch: int, unhealthy: int, cross_zone: bool, of: str, pause_ms: int
) -> None:
    """`dump_policy` writes what `parse_policy` reads."""
    policy = availability_first(
        max_batch_percent=batch,
        max_unhealthy_percent=unhealthy,
        enable_cross_zone=cross_zone,
        unhealthy_upgraded_of=of,
        pause_between_batches_ms=pause_ms,
        supported_images=[SupportedImage("a", "b", "c")],
    )
    assert policy == parse_policy(json.dumps(dump_policy(policy)).encode(), "policy.json")


def test_a_file_is_read_as_its_ending_says(tmp_path: Path) -> None:
    """YAML and JSON say the same."""
    (tmp_path / "policy.yaml").write_text("format: phasegate/policy/1\nmax_batch_percent: 7\ndelays: false\n")
    assert availability_first(max_batch_percent=7, delays=False) == load_policy(tmp_path / "policy.yaml")


def test_supported_images_replace_the_default_list() -> None:
    """The list of supported images is data: rows of publisher, offer and sku."""
    rows = [{"publisher": "Canonical", "offer": "ubuntu", "sku": "24.04"}]
    assert (SupportedImage("Canonical", "ubuntu", "24.04"),) == _parsed(supported_images=rows).supported_images


class Mine:
    """A user's policy."""

    name = "mine"

    def judge(self, question: Question) -> Answer:
        """Admit everything."""
        return Admit()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_batch": 5}, "unknown key `max_batch`; did you mean `max_batch_percent`? (policy.json)"),
        ({"max_batch_percent": 4}, "4 is not between 5 and 100 (policy.json: max_batch_percent)"),
        ({"max_batch_percent": "20"}, "expected a whole number, got text `20`; leave the quotes out "
            "(policy.json: max_batch_percent)"),
        ({"supersede": "later"}, "`later` is none of `finish`, `cancel` (policy.json: supersede)"),
        ({"delays": 1}, "expected true or false, got the number 1 (policy.json: delays)"),
        ({"supported_images": [{"publisher": "x"}]}, "`offer` is missing (policy.json: supported_images[0])"),
        ({"also": ["mine"]}, "users' own policies are code and cannot come from a file; leave it out "
            "(policy.json: also)"),
        ({"also": "mine"}, "expected a list, got text `mine` (policy.json)"),
    ],
)  # fmt: skip
def test_a_fault_names_file_and_place(options: dict[str, Any], error: str) -> None:
    """Whatever cannot be right is refused with file and place."""
    with pytest.raises(InvalidFile) as refused:
        _parsed(**options)
    assert error == str(refused.value)


def test_a_policy_with_users_own_ones_is_dumped_by_name() -> None:
    """What is code is named, and a file that names it is refused."""
    document = dump_policy(availability_first(also=[Mine()]))
    assert ["mine"] == document["also"]
    with pytest.raises(InvalidFile):
        parse_policy(json.dumps(document).encode(), "policy.json")


def test_another_format_is_refused() -> None:
    """A fleet is no policy, and neither is a list."""
    for data in (b'{"format": "phasegate/fleet/1"}', b"[]", b"{}", b""):
        with pytest.raises(InvalidFile):
            parse_policy(data, "policy.json")
