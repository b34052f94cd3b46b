"""The policy file, format `phasegate/policy/1`: the options of `availability_first()` as JSON or YAML."""

from __future__ import annotations

import os
from typing import Any, Final

from phasegate.core.errors import InvalidModel
from phasegate.files.documents import blamed_on, parse_document, read_bytes, without_format
from phasegate.files.structure import Reader, list_of, mapping_of
from phasegate.policies import AvailabilityFirst, availability_first

FORMAT: Final = "phasegate/policy/1"

_OPTIONS: Final = Reader().arguments(AvailabilityFirst, leave_out=("also",))


def load_policy(path: str | os.PathLike[str]) -> AvailabilityFirst:
    """Return the policy of a file; `InvalidFile`, with file and place, for all that `parse_policy` refuses."""
    return parse_policy(read_bytes(path), os.fspath(path))


def parse_policy(data: bytes, name: str) -> AvailabilityFirst:
    """Return the policy that a text describes; `name` is what errors call it. What it does not say has its default.

    `InvalidFile` if it is no JSON or YAML, has another `format`, an option that is unknown or there twice, or a value
    of a wrong type or out of its range; and if `also` names users' own policies, which are code and come from no file.

    >>> parse_policy(b'{"format": "phasegate/policy/1", "max_batch_percent": 10}', "policy.json").max_batch_percent
    10
    >>> parse_policy(b'{"format": "phasegate/policy/1", "max_batch": 10}', "policy.json")
    Traceback (most recent call last):
    phasegate.files.documents.InvalidFile: unknown key `max_batch`; did you mean `max_batch_percent`? (policy.json)
    """
    document = parse_document(data, name)
    with blamed_on(name):
        return policy_of(without_format(document, FORMAT))


def policy_of(document: object) -> AvailabilityFirst:
    """Return the policy of plain data, a policy file's without its `format`; `InvalidModel` for all else as above.

    >>> policy_of({"max_batch_percent": 10}).max_batch_percent
    10
    """
    options = dict(mapping_of(document))
    if list_of(options.pop("also", [])):
        raise InvalidModel("users' own policies are code and cannot come from a file; leave it out", "also")
    return availability_first(**_OPTIONS(options))


def dump_policy(policy: AvailabilityFirst) -> dict[str, Any]:
    """Return the document that `parse_policy` reads back as the same policy, every option said.

    Users' own policies are in it by name, and `parse_policy` refuses one that has any.
    """
    return {"format": FORMAT, **policy.document()}
