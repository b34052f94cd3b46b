"""The instances of a set, packed; what is wrong with one of them is blamed on its own row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phasegate.core.errors import InvalidModel
from phasegate.core.model import check_zones
from phasegate.core.roster import Instance, Roster
from phasegate.importers.reading import Source


def roster_of(sources: Sequence[Source], instances: Sequence[Instance]) -> Roster:
    """Return the instances, each read from its source, packed.

    `InvalidFile` that names the row of an instance that is wrong or is there for the second time; `InvalidModel` if
    they cannot be packed together for another reason.
    """
    try:
        return _packed(instances)
    except InvalidModel:
        earlier: dict[str, Instance] = {}
        for source, instance in zip(sources, instances, strict=True):
            with source.blamed():
                _packed([earlier[instance.id], instance] if instance.id in earlier else [instance])
            earlier[instance.id] = instance
        raise


def _packed(instances: Iterable[Instance]) -> Roster:
    rows = list(instances)
    check_zones(tuple(dict.fromkeys(row.zone for row in rows if row.zone is not None)))
    return Roster.of(rows)
