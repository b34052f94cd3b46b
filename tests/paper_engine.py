"""An engine on paper: what the simulated environment and the journal ask of an engine, answered from a list."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from attrs import define, field

from phasegate.core.lifecycle import Life
from phasegate.core.model import Fleet, Image, ImageReference, ImageVersion, Region, ScaleSet

UBUNTU = ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
OLD, NEW = "18.04.1", "18.04.2"


def fleet_of(*sets: str, size: int = 6, **fields: Any) -> Fleet:
    """Return a fleet of these sets (`region/name`), all on one image with two versions."""
    regions = sorted({name.split("/")[0] for name in sets})
    return Fleet(
        regions=[Region(region, zones=("1", "2", "3")) for region in regions],
        images=[Image(UBUNTU, (ImageVersion(OLD), ImageVersion(NEW)))],
        sets=[
            ScaleSet(
                name=name.split("/")[1],
                region=name.split("/")[0],
                image=UBUNTU,
                **{"zones": ("1", "2", "3"), "upgrade_domains": 2, "instances": size} | fields,
            )
            for name in sets
        ],
    )


@define
class PaperEngine:
    """Holds id, set, life and version of each slot; tests write them as they like."""

    fleet: Fleet
    names: list[tuple[str, str]] = field(factory=list)
    lives: dict[int, Life] = field(factory=dict)
    versions: dict[int, str | None] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for scale_set in self.fleet.sets:
            self.names += [(scale_set.full_name, str(number)) for number in range(scale_set.size)]

    def state(self, now: int = 0, models: Iterable[ScaleSet] = ()) -> Any:
        """Return a state as far as the environment reads it."""
        book = SimpleNamespace(models=dict(enumerate(models)), catalogue=self.fleet.images)
        return SimpleNamespace(now=now, book=book, digest=f"{now:032x}")

    def ids(self, state: Any, slots: Iterable[int]) -> list[str]:
        """Return the ids of the instances."""
        return [self.names[slot][1] for slot in slots]

    def slots(self, state: Any, names: Iterable[str]) -> array[int]:
        """Return the slots of the instances with these full names."""
        return array("I", (self.names.index((name.rpartition("/")[0], name.rpartition("/")[2])) for name in names))

    def members(self, state: Any, name: str) -> array[int]:
        """Return the slots of the set's present instances."""
        return array(
            "I",
            (
                slot
                for slot, (set_name, _) in enumerate(self.names)
                if set_name == name and self.life(state, slot) is not Life.GONE
            ),
        )

    def life(self, state: Any, slot: int) -> Life:
        """Return an instance's state, `pending` unless written otherwise."""
        return self.lives.get(slot, Life.PENDING)

    def version(self, state: Any, slot: int) -> str | None:
        """Return an instance's version, the old one unless written otherwise."""
        return self.versions.get(slot, OLD)
