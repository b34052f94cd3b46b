"""Names and numbers: regions, cells and sets in order, and which slot is which instance.

Numbers follow the order of the semantics (section 1): regions by name, cells by region and zone, sets by region and
name. An instance's slot is its for life; those that the fleet lists have the first slots, set by set, and their ids
stand in the `ident` column as numbers where they are numbers. Ids of instances that joined later are in the book.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from phasegate.core import packing
from phasegate.core.errors import UnknownName
from phasegate.core.model import Fleet, ScaleSet
from phasegate.core.names import PackedNames
from phasegate.core.roster import Roster
from phasegate.core.topology import Topology


@frozen(eq=False)
class Directory:
    """Who is who; made once, valid for every state of the engine."""

    regions: tuple[str, ...]
    cells: tuple[str, ...]
    sets: tuple[str, ...]
    set_number: Mapping[str, int] = field(repr=False)
    cell_number: Mapping[str, int] = field(repr=False)
    region_number: Mapping[str, int] = field(repr=False)
    set_region: array[int] = field(repr=False)
    first_slot: array[int] = field(repr=False)  # where each set's listed instances begin, one longer
    texts: Mapping[int, PackedNames] = field(repr=False)  # of sets whose ids are not all numbers

    @classmethod
    def of(cls, models: Iterable[ScaleSet], topology: Topology) -> Directory:
        """Return the numbers of everything; `models` are the fleet's sets in order of region and name."""
        regions = {name: at for at, name in enumerate(topology.regions)}
        sets: list[str] = []
        first_slot, set_region = array("I", [0]), array("I")
        texts: dict[int, PackedNames] = {}
        for s, model in enumerate(models):
            sets.append(model.full_name)
            set_region.append(regions[model.region])
            first_slot.append(first_slot[-1] + model.size)
            if isinstance(model.instances, Roster):
                ids = model.instances.ids
                if packing.numbers(ids.blob, ids.ends) is None:
                    texts[s] = ids
        return cls(
            topology.regions,
            topology.cells,
            tuple(sets),
            {name: s for s, name in enumerate(sets)},
            {name: at for at, name in enumerate(topology.cells)},
            regions,
            set_region,
            first_slot,
            texts,
        )

    def set_named(self, name: str) -> int:
        """Return the number of a set; `UnknownName` if there is none of that name."""
        found = self.set_number.get(name)
        if found is None:
            raise UnknownName(f"no set `{name}` in the fleet; sets are named region/set")
        return found

    def listed_id(self, s: int, ident: int) -> str:
        """Return the id of an instance that the fleet lists, from its `ident`."""
        names = self.texts.get(s)
        return str(ident) if names is None else names[ident]


def sorted_models(fleet: Fleet) -> tuple[ScaleSet, ...]:
    """Return the fleet's sets in order of region and name."""
    return tuple(sorted(fleet.sets, key=lambda model: (model.region, model.name)))
