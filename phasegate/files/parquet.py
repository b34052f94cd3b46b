"""Fleets in Parquet: one file whose rows are instances, with the fleet's description in its metadata or beside it.

The rows have these columns; the first two are needed, any other may be left out, and null is the same as left out:

| column | type | left out |
| --- | --- | --- |
| `set` | text, `region/name` | |
| `id` | text | |
| `zone` | text | no zone |
| `upgrade_domain` | whole number, 0 to 65535 | 0 |
| `version` | text | the oldest known one |
| `health` | text: healthy, unhealthy, unknown, initializing | healthy |
| `protect_from_scale_set_actions`, `protect_from_scale_in`, `skip_upgrade` | boolean | false |
| `phase_ordering_number` | whole number | none, comes last |
| `failed_versions` | list of texts | none |
| `on_model` | boolean | true |

The description is a fleet document (`phasegate/fleet/1`): regions, images, sets and so on, where the sets whose
instances are rows have no `instances`. It is the value of the key `phasegate` in the file's metadata, as `write`
writes it; without that, it is the file of the same name with the ending `.json`, `.yaml` or `.yml`. The rows of a set
are best side by side, but need not be. Rows are counted from 0 in errors.

Columns are read one after the other, and cut into rosters set by set: there is no object for an instance.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import pyarrow as pa

from phasegate.files.documents import reading

KEY: Final = b"phasegate"
BESIDE: Final = (".json", ".yaml", ".yml")
NONE: Final = 2**16 - 1  # the code of a row without
LOW: Final = 0 if sys.byteorder == "little" else 1  # which byte of a uint16 is the lower one

TEXT: Final = pa.dictionary(pa.int32(), pa.string())
SCHEMA: Final = pa.schema(
    [
        pa.field("set", TEXT, nullable=False),
        pa.field("id", pa.string(), nullable=False),
        pa.field("zone", TEXT),
        pa.field("upgrade_domain", pa.uint16()),
        pa.field("version", TEXT),
        pa.field("health", TEXT),
        pa.field("protect_from_scale_set_actions", pa.bool_()),
        pa.field("protect_from_scale_in", pa.bool_()),
        pa.field("skip_upgrade", pa.bool_()),
        pa.field("phase_ordering_number", pa.int32()),
        pa.field("failed_versions", pa.list_(pa.string())),
        pa.field("on_model", pa.bool_()),
    ]
)
CODED: Final = ("set", "zone", "version", "health")


def mapped(path: str | os.PathLike[str], name: str) -> Any:
    """Open a file to be read where it lies; `InvalidFile` in the system's words if that does not go."""
    with reading(path, name):
        return pa.memory_map(os.fspath(path))


def kind_of_type(form: Any) -> str:
    """Return of which kind a type is, in words."""
    inner = form.value_type if pa.types.is_dictionary(form) else form
    if pa.types.is_string(inner) or pa.types.is_large_string(inner):
        return "texts"
    if pa.types.is_list(form) or pa.types.is_large_list(form):
        return f"lists of {kind_of_type(form.value_type)}"
    if pa.types.is_null(form):
        return "nulls"
    if pa.types.is_boolean(form):
        return "booleans"
    return "whole numbers" if pa.types.is_integer(form) else str(form)


def one_line(error: Exception) -> str:
    """Return the first line of what Arrow says, as error texts here are written."""
    text = str(error).partition("\n")[0]
    return text[:1].lower() + text[1:].removesuffix(".")
