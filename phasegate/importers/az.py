"""What `az` says of scale sets: `phasegate import az`.

Each document is known by its rows: scale sets (`az vmss list`, `az vmss show`), their instances (`az vmss
list-instances`, with `--expand instanceView` for health and upgrade domains), platform images (`az vm image list
--all`) and gallery versions (`az sig image-version list`). Lists under `value`, as the REST operations give them, do
too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import define, evolve, field

from phasegate.core.model import Health, ImageReference, ImageVersion, Replica, ScaleSet
from phasegate.core.roster import Instance
from phasegate.files.documents import blamed_on
from phasegate.importers.catalogue import Catalogue, Places, region_named
from phasegate.importers.reading import Imported, Notes, Source, fleet_of, items_of, parsed
from phasegate.importers.rosters import roster_of
from phasegate.importers.vmss import Surroundings, image_of, scale_set_of

_SET_ID = re.compile(r"/resourceGroups/([^/]+)/.*/virtualMachineScaleSets/([^/]+)", re.IGNORECASE)
_VERSION_ID = re.compile(r"/galleries/([^/]+)/images/([^/]+)/versions/([^/]+)", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_API_VERSION = "is not in the output of `az`: taken as 2021-03-01"
_NO_VIEW = "is not there for an instance: taken as healthy and in upgrade domain 0; list with `--expand instanceView`"

SetKey = tuple[str, str]  # resource group and name, in lower case


@define
class _Rows:
    """The rows of all documents by what they are."""

    sets: list[Source] = field(factory=list)
    instances: dict[SetKey, list[Source]] = field(factory=dict)
    images: list[Source] = field(factory=list)
    versions: list[Source] = field(factory=list)


def import_az(documents: Sequence[tuple[str, bytes]]) -> Imported:
    """Return the fleet of the scale sets that `az` lists, with the instances, images and versions listed beside them.

    `InvalidFile` for a document of none of these kinds, or if no scale set is among them.
    """
    inputs = parsed(documents)
    notes = Notes()
    rows = _Rows()
    for document in inputs:
        for at, row in enumerate(items_of(document, "value")):
            _sort(Source(row, document, f"[{at}]", notes, "[*]"), rows)
    if not rows.sets:
        inputs[0].refuse("there is no scale set in it; start from the output of `az vmss list`")
    catalogue, places = Catalogue(notes), Places(notes)
    _list_images(rows, catalogue)
    sets = _sets(rows, Surroundings(catalogue, places))
    for sources in rows.instances.values():
        for source in sources:
            source.note("id", "belongs to a scale set that is in none of the files")
    return notes.imported(fleet_of(inputs[0].name, regions=places.regions(), images=catalogue.images(), sets=sets))


def _sort(source: Source, rows: _Rows) -> None:
    kind = str(source.data.get("type", "")).lower()
    properties = source.data.get("properties")
    names = {*source.data, *(properties if isinstance(properties, dict) else ())}
    if "instanceId" in names or kind.endswith("/virtualmachinescalesets/virtualmachines"):
        rows.instances.setdefault(_set_key(source), []).append(source)
    elif kind.endswith("/virtualmachinescalesets") or "virtualMachineProfile" in names:
        rows.sets.append(source)
    elif "publishingProfile" in names:
        rows.versions.append(source)
    elif {"publisher", "offer", "sku", "version"} <= names:
        rows.images.append(source)
    else:
        source.document.refuse("is no scale set, instance, image or gallery version as `az` lists them", source.place)


def _set_key(source: Source) -> SetKey:
    match = _SET_ID.search(source.text("id") or "")
    if match is None:
        source.refuse("`id` does not name the resource group and the scale set", "id")
    return match[1].lower(), match[2].lower()


def _sets(rows: _Rows, around: Surroundings) -> list[ScaleSet]:
    made: dict[str, ScaleSet] = {}
    for source in rows.sets:
        source.listed_at = source.place  # sets are few: each has its own lines
        group, _ = key = _set_key(source)
        source.value("type", "resourceGroup")
        name = source.required("name")
        listed = rows.instances.pop(key, None)
        with source.blamed():
            scale_set = scale_set_of(source, around, name=name, api_version=None, counted=listed is None)
            source.note("apiVersion", _API_VERSION)
            if listed is not None:
                scale_set = _with_instances(scale_set, listed, around)
            if scale_set.full_name in made:
                scale_set = evolve(scale_set, name=f"{name}@{group}")
                source.note(
                    "name", f"is there twice in the region: this one is `{scale_set.name}`, after its resource group"
                )
        if scale_set.full_name in made:
            source.refuse(f"set `{scale_set.full_name}` is there twice", "name")
        made[scale_set.full_name] = scale_set
        source.finish()
    return list(made.values())


def _with_instances(scale_set: ScaleSet, sources: list[Source], around: Surroundings) -> ScaleSet:
    instances = [_instance(source, scale_set, around.catalogue) for source in sources]
    zones = {instance.zone for instance in instances if instance.zone is not None}
    document = sources[0].document
    around.places.use(scale_set.region, zones, document)
    for source in sources:
        source.finish()
    domains = max((instance.upgrade_domain for instance in instances), default=0) + 1
    with blamed_on(document.name):
        return evolve(
            scale_set,
            instances=roster_of(sources, instances),
            zones={*scale_set.zones, *zones},
            upgrade_domains=max(scale_set.upgrade_domains, domains),
        )


def _instance(top: Source, scale_set: ScaleSet, catalogue: Catalogue) -> Instance:
    source = top.child("properties") if "properties" in top else top
    top.value("name", "type", "resourceGroup", "location")
    view = source.child("instanceView")
    protection = source.child("protectionPolicy")
    zones = top.texts("zones")
    if "instanceView" not in source:
        source.note("instanceView", _NO_VIEW)
    return Instance(
        id=top.required("instanceId", "name"),
        zone=zones[0] if zones else None,
        upgrade_domain=view.number("platformUpdateDomain") or 0,
        version=_exact_version(source, scale_set, catalogue),
        health=_health(view),
        protect_from_scale_in=bool(protection.truth("protectFromScaleIn")),
        protect_from_scale_set_actions=bool(protection.truth("protectFromScaleSetActions")),
        on_model=source.truth("latestModelApplied") is not False,
    )


def _exact_version(source: Source, scale_set: ScaleSet, catalogue: Catalogue) -> str | None:
    """Return the version that an instance runs, if the listing says so and it is of the set's image."""
    reference = source.child("storageProfile").child("imageReference")
    exact = reference.text("exactVersion")
    found = image_of(reference)
    if found is not None and found[0].name.lower() != scale_set.image.name.lower():
        reference.note("imageReference", "is not the image of the set: the version of the instance is taken as unknown")
        return None
    version = exact or (found[1] if found is not None and found[1] != "latest" else None)
    if version is None:
        reference.note("exactVersion", "is missing: the instance is taken to be on the oldest known version")
        return None
    known = catalogue.see(scale_set.image, version, scale_set.region, source.document, source.listed_at)
    return version if known else None


def _health(view: Source) -> Health:
    """Return the reported health; without a report, healthy means running and every extension succeeded."""
    state = view.child("vmHealth").child("status").text("code")
    codes = [status.text("code") or "" for status in view.children("statuses")]
    extensions = [
        status.text("code") or "" for one in view.children("extensions") for status in one.children("statuses")
    ]
    if state is not None:
        word = state.rpartition("/")[2].upper()
        return Health[word] if word in Health.__members__ else Health.UNKNOWN
    if not codes:
        return Health.HEALTHY
    running = any(code.lower() == "powerstate/running" for code in codes)
    succeeded = all(code.lower().startswith("provisioningstate/succeeded") for code in extensions)
    return Health.HEALTHY if running and succeeded else Health.UNHEALTHY


def _list_images(rows: _Rows, catalogue: Catalogue) -> None:
    for source in rows.images:
        publisher, offer, sku = (source.required(name) for name in ("publisher", "offer", "sku"))
        with source.blamed():
            version = ImageVersion(source.required("version"))
            catalogue.list(ImageReference(publisher, offer, sku), version, source.document)
        source.value("urn", "urnAlias", "name")
        source.note("version", "comes without the time of its publication: taken as published at 0")
        source.finish()
    for source in rows.versions:
        _list_gallery_version(source, catalogue)


def _list_gallery_version(top: Source, catalogue: Catalogue) -> None:
    source = top.child("properties") if "properties" in top else top
    match = _VERSION_ID.search(top.text("id") or "")
    if match is None:
        top.refuse("`id` does not name gallery, definition and version", "id")
    top.value("name", "type", "resourceGroup", "location")
    profile = source.child("publishingProfile")
    published = _published(profile)
    replicas: list[Replica] = []
    for region in profile.children("targetRegions"):
        with region.blamed():
            named = region_named(region.required("name"))
            replicas.append(Replica(named, published, bool(region.truth("excludeFromLatest"))))
    if replicas:
        profile.note("targetRegions", "come without the time of their replication: taken as that of publication")
    with top.blamed():
        version = ImageVersion(match[3], published, bool(profile.truth("excludeFromLatest")), replicas)
        catalogue.list(ImageReference(gallery=match[1], definition=match[2]), version, top.document)
    top.finish()


def _published(profile: Source) -> int:
    text = profile.text("publishedDate")
    if text is None:
        profile.note("publishedDate", "is missing: taken as published at 0")
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        profile.refuse(f"`{text}` is no time, like `2024-01-31T12:00:00+00:00`", "publishedDate")
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0, (moment - _EPOCH) // timedelta(milliseconds=1))
