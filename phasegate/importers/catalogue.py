"""Images and regions, gathered while an importer goes through its documents."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, evolve, field

from phasegate.core.errors import InvalidModel
from phasegate.core.model import Image, ImageReference, ImageVersion, Region, Replica
from phasegate.core.versions import version_key
from phasegate.files.documents import blamed_on
from phasegate.importers.reading import Document, Notes
from phasegate.regions import region_key, regions_by_name

SEEN_ONLY = "is known from machines and models alone: taken as published at 0"


@define
class Catalogue:
    """Image references with the versions met so far: those that a catalogue lists, and those only seen in use.

    A version that is only seen in use gets `published_at_ms` 0, and one of a gallery counts as replicated where it was
    seen; both are noted. A listed one takes precedence over a seen one.
    """

    notes: Notes
    _listed: dict[ImageReference, dict[str, ImageVersion]] = field(factory=dict)
    _seen: dict[ImageReference, dict[str, dict[str, None]]] = field(factory=dict)
    _origins: dict[ImageReference, Document] = field(factory=dict)

    def refer(self, reference: ImageReference, document: Document) -> None:
        """Note that a set uses the image; custom images outside galleries have no versions to list."""
        if reference.custom is None:
            self._seen.setdefault(reference, {})
            self._origins.setdefault(reference, document)

    def see(self, reference: ImageReference, version: str, region: str, document: Document, place: str) -> bool:
        """Note that a version is in use in a region; False, and listed as unmapped, if it is not dotted integers."""
        try:
            version_key(version)
        except InvalidModel:
            self.notes.add(document.name, place, f"version `{version}`", "is not dotted integers")
            return False
        self.refer(reference, document)
        if reference.custom is None:
            self._seen[reference].setdefault(version, {})[region] = None
        return True

    def list(self, reference: ImageReference, version: ImageVersion, document: Document) -> None:
        """Note a version that a catalogue lists; the replicas of several listings of it add up."""
        versions = self._listed.setdefault(reference, {})
        before = versions.get(version.version)
        if before is not None:
            known = {replica.name for replica in before.regions}
            more = tuple(replica for replica in version.regions if replica.name not in known)
            version = evolve(before, regions=before.regions + more)
        versions[version.version] = version
        self._origins.setdefault(reference, document)

    def images(self) -> tuple[Image, ...]:
        """Return the images in the order in which they were met, versions from old to new."""
        made = []
        for reference, document in self._origins.items():
            listed = self._listed.get(reference, {})
            known = {version_key(version): listed[version] for version in listed}
            for version, regions in self._seen.get(reference, {}).items():
                if version_key(version) not in known:
                    replicas = tuple(map(Replica, regions)) if reference.is_gallery else ()
                    known[version_key(version)] = ImageVersion(version, regions=replicas)
                    self.notes.add(document.name, "", f"version `{version}` of `{reference.name}`", SEEN_ONLY)
            if not known:
                self.notes.add(document.name, "", f"`{reference.name}`", "has no known version; add some to `images`")
            with blamed_on(document.name):
                made.append(Image(reference, tuple(known[key] for key in sorted(known))))
        return tuple(made)


@define
class Places:
    """The regions that sets are in, with the zones that they use there."""

    notes: Notes
    _zones: dict[str, dict[str, None]] = field(factory=dict)
    _origins: dict[str, Document] = field(factory=dict)

    def use(self, region: str, zones: Iterable[str], document: Document) -> None:
        """Note that a set uses these zones of a region."""
        self._zones.setdefault(region, {}).update(dict.fromkeys(zones))
        self._origins.setdefault(region, document)

    def regions(self) -> tuple[Region, ...]:
        """Return the regions in use by name, with pair and zones from the table where it has them."""
        made = []
        for name, used in sorted(self._zones.items()):
            known = regions_by_name().get(name)
            if known is None:
                why = "is not in the region table: its pair is unknown"
                self.notes.add(self._origins[name].name, "", f"region `{name}`", why)
            pair, zones = (known.pair, known.zones) if known is not None else (None, ())
            with blamed_on(self._origins[name].name):
                made.append(Region(name, pair, {*zones, *used}))
        return tuple(made)


def region_named(text: str) -> str:
    """Return the name under which a region goes in a fleet."""
    return region_key(text)
