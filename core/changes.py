"""How the fleet itself changes in the middle of things: models, versions, protection, instances (semantics 9).

Each function applies one checked event to the columns and the book of `Working`.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core.compiling import image_named, interned
from phasegate.core.errors import InvalidEvent, InvalidModel, UnknownName
from phasegate.core.events import Applied, Configured, Protected, Published, Replicated, Scaled
from phasegate.core.frozenmap import FrozenMap
from phasegate.core.lifecycle import IN_FLIGHT, Happening, Life
from phasegate.core.model import ZONELESS, Health, Image, Replica
from phasegate.core.order import natural_key
from phasegate.core.other_images import forget_failures, forget_versions
from phasegate.core.rollouts import aim, classify, codes_of, join, set_window
from phasegate.core.roster import NO_NUMBER, OFF_MODEL, PROTECTED, Instance, Roster
from phasegate.core.versions import version_key
from phasegate.core.working import Working

ACTIVE = (c.WAITING, c.ROLLING)


# --- models and versions ---------------------------------------------------------------------------------------------


def configure(work: Working, event: Configured) -> None:
    """Take up a set's changed model: windows and eligibility at once, limits with its next attempt.

    Deploying it clears the memory of failed versions (semantics 2); switching the automatic upgrade off takes the set
    out of its automatic rollout, another image out of any (semantics 1: the reference never changes in a rollout), and
    makes the versions of what is not in flight unknown.
    `InvalidEvent` if region or zones differ from those that it has.
    """
    s = work.compiled.directory.set_named(event.model.full_name)
    old = work.model(s)
    if event.model.zones != old.zones:
        raise InvalidEvent(f"set `{old.full_name}` keeps its zones {', '.join(old.zones) or '(none)'}")
    models = {**work.book.models, s: evolve(event.model, instances=old.instances)}
    work.book = evolve(work.book, models=FrozenMap(models))
    v = work.v
    slots = work.slots_of(s)
    is_manual_mode = event.model.upgrade_mode == "manual"
    for slot in slots:
        v.flag[slot] = v.flag[slot] | OFF_MODEL if is_manual_mode else v.flag[slot] & ~OFF_MODEL
        v.touch_slot(slot)
    forget_failures(work, slots)
    if event.model.image.name != old.image.name:
        forget_versions(work, [slot for slot in slots if v.life[slot] & c.STATE_BITS not in IN_FLIGHT])
        if v.status[s] == c.NONE:
            aim(work, s, event.model, event.now)
    if v.status[s] in ACTIVE:
        classify(work, s, [slot for slot in slots if v.life[slot] & c.STATE_BITS == Life.EXCLUDED], c.BY_MODEL)
    elif v.status[s] == c.NONE:
        classify(work, s, slots, c.BY_MODEL)
    if v.status[s] in ACTIVE:
        is_manual = bool(v.option[s] & c.MANUAL_SET)
        set_window(work, s, event.now, is_manual=is_manual)
        has_opted_out = not event.model.automatic_os_upgrade and not is_manual
        if has_opted_out or event.model.image.name != old.image.name:
            work.kernel.leave(s)
    judge_again(work, s, event.now)


def judge_again(work: Working, s: int, now: int) -> None:
    """Note whether a waiting set would still be eligible were it to begin now (semantics 3)."""
    if work.v.status[s] != c.WAITING:
        return
    record = work.book.rollouts[work.v.link[s * c.LINK + c.LINK_ROLLOUT]]
    image = image_named(work.book.catalogue, record.image)
    unfit = c.UNFIT if codes_of(work, s, image, record.target, is_manual=record.is_manual, now=now) else 0
    work.v.mark[s] = work.v.mark[s] & ~c.UNFIT | unfit
    work.v.touch_set(s, c.WROTE_MARK)
    work.kernel.touch(s)


def _replace_image(work: Working, image: Image) -> None:
    catalogue = tuple(image if known.name == image.name else known for known in work.book.catalogue)
    work.book = evolve(work.book, catalogue=catalogue)


def publish(work: Working, event: Published) -> None:
    """Add a version to its image; with `supersede = "cancel"` a running rollout to an older one is cancelled first.

    `UnknownName` if there is no such image; `InvalidEvent` if it has that version already.
    """
    image = image_named(work.book.catalogue, event.image)
    if image is None:
        raise UnknownName(f"no image `{event.image}` in the fleet")
    key = version_key(event.version.version)
    if any(version_key(version.version) == key for version in image.versions):
        raise InvalidEvent(f"image `{event.image}` has version `{event.version.version}` already")
    _replace_image(work, evolve(image, versions=(*image.versions, event.version)))
    work.book, _ = interned(work.book, event.version.version)
    if work.compiled.rules.supersede == "cancel":
        supersede(work, event.image, event.now)


def supersede(work: Working, name: str, now: int) -> None:
    """Cancel the image's automatic rollouts that a newer version, which counts by now, has overtaken (semantics 9)."""
    image = image_named(work.book.catalogue, name)
    regions = {model.region for s in range(work.rows("set")) if (model := work.model(s)).image.name == name}
    target = work.compiled.rules.target(image, regions, now) if image is not None else None
    if target is None:
        return
    for rollout, record in enumerate(work.book.rollouts):
        if record.image == name and not record.is_manual and version_key(record.target) < version_key(target):
            work.kernel.cancel(rollout)


def replicate(work: Working, event: Replicated) -> None:
    """Enter a gallery version's arrival in a region; running rollouts to it go on there (semantics 5).

    `UnknownName` if there is no such image or region; `InvalidEvent` if it is no gallery image with such a version.
    """
    image = image_named(work.book.catalogue, event.image)
    if image is None or event.region not in work.compiled.directory.region_number:
        raise UnknownName(f"no image `{event.image}` or no region `{event.region}` in the fleet")
    key = version_key(event.version)
    found = next((at for at, version in enumerate(image.versions) if version_key(version.version) == key), None)
    if found is None or not image.reference.is_gallery:
        raise InvalidEvent(f"`{event.image}` is no gallery image with a version `{event.version}`")
    version = image.versions[found]
    others = tuple(replica for replica in version.regions if replica.name != event.region)
    mine = next((replica for replica in version.regions if replica.name == event.region), None)
    since = event.now if mine is None else min(event.now, mine.replicated_at_ms)
    replica = Replica(event.region, since, event.exclude_from_latest)
    version = evolve(version, regions=tuple(sorted((*others, replica), key=lambda entry: entry.name)))
    image = evolve(image, versions=(*image.versions[:found], version, *image.versions[found + 1 :]))
    _replace_image(work, image)
    for rollout, record in enumerate(work.book.rollouts):
        if work.v.course[rollout] != c.RUNNING or record.image != event.image or record.is_manual:
            continue
        if work.v.trait[rollout] & c.STOPPING:
            continue
        if version_key(record.target) == key and work.compiled.rules.counts(
            image, record.target, event.region, event.now
        ):
            join(work, rollout, event.region, event.now)
    if work.compiled.rules.supersede == "cancel":
        supersede(work, event.image, event.now)
    for s in range(len(work.compiled.directory.sets)):
        if work.v.status[s] == c.WAITING and work.model(s).image.name == event.image:
            judge_again(work, s, event.now)


# --- instances -------------------------------------------------------------------------------------------------------


def find(work: Working, s: int, ids: Sequence[str]) -> array[int]:
    """Return the slots of present instances of one set, in the order of the ids.

    `InvalidEvent` if an id is there twice, `UnknownName` names one that the set lacks.
    """
    wanted = set(ids)
    slots = work.slots_of(s)
    found = {name: slot for name, slot in zip(work.ids_of(slots), slots, strict=True) if name in wanted}
    if len(wanted) != len(ids):
        raise InvalidEvent(f"an instance of set `{work.compiled.directory.sets[s]}` is named twice")
    for name in ids:
        if name not in found:
            raise UnknownName(f"no instance `{name}` in set `{work.compiled.directory.sets[s]}`")
    return array("I", (found[name] for name in ids))


def protect(work: Working, event: Protected) -> None:
    """Switch protection on or off; what is pending or excluded is looked at anew, what is in flight finishes."""
    s = work.compiled.directory.set_named(event.set)
    slots = find(work, s, event.instances)
    v = work.v
    for slot in slots:
        v.flag[slot] = v.flag[slot] | PROTECTED if event.protected else v.flag[slot] & ~PROTECTED
        v.touch_slot(slot)
    if v.status[s] in (c.NONE, *ACTIVE):
        open_slots = [slot for slot in slots if v.life[slot] & c.STATE_BITS in (Life.PENDING, Life.EXCLUDED)]
        classify(work, s, open_slots, c.BY_PROTECTION)


def apply_model(work: Working, event: Applied) -> None:
    """Note that instances are on the set's model now; a waiting set may become eligible by that (semantics 3)."""
    s = work.compiled.directory.set_named(event.set)
    for slot in find(work, s, event.instances):
        work.v.flag[slot] &= ~OFF_MODEL
        work.v.touch_slot(slot, c.WROTE_FLAG)
    judge_again(work, s, event.now)


def room_for(work: Working, event: Scaled) -> dict[str, int]:
    """Return how many rows the tables need for what joins: its slots, the runs and buckets that are written anew."""
    s = work.compiled.directory.set_named(event.set)
    buckets = work.v.link[s * c.LINK + c.LINK_BUCKETS]
    size = sum(work.v.site[bucket * c.SITE + c.SITE_COUNT] for bucket in work.kernel.buckets(s))
    more = len(event.added)
    return {
        "instance": work.rows("instance") + more,
        "order": work.rows("order") + size + more,
        "bucket": work.rows("bucket") + buckets + more,
    }


def scale(work: Working, event: Scaled) -> None:
    """Remove and add instances; the workplace has the rows that `room_for` named, the last ones of them free."""
    s = work.compiled.directory.set_named(event.set)
    for slot in find(work, s, event.removed):
        work.kernel.happen(Happening.REMOVED, slot, c.BY_SCALING)
    if event.added:
        _add(work, s, event)
    judge_again(work, s, event.now)  # some of them may not be on the model
    work.v.touch_set(s)
    work.kernel.touch(s)


def check_added(work: Working, event: Scaled) -> None:
    """Refuse what cannot join: an id that is there already, and whatever a fleet file would not be let through with."""
    s = work.compiled.directory.set_named(event.set)
    model = work.model(s)
    present = set(work.ids_of(work.slots_of(s))) - set(event.removed)
    try:
        Roster.of(event.added).check_zones(model.zones, event.set)
        for instance in event.added:
            for version in (*instance.failed_versions, *([] if instance.version is None else [instance.version])):
                version_key(version)
    except InvalidModel as error:
        raise InvalidEvent(str(error)) from None
    for instance in event.added:
        if instance.id in present:
            raise InvalidEvent(f"instance `{instance.id}` is in set `{event.set}` already")


def _add(work: Working, s: int, event: Scaled) -> None:
    directory, v = work.compiled.directory, work.v
    model = work.model(s)
    link = s * c.LINK
    first_slot = work.rows("instance") - len(event.added)
    old = list(work.kernel.buckets(s))
    joined: dict[tuple[int, int, int], list[int]] = {}
    names, incarnations = dict(work.book.names), dict(work.book.incarnations)
    before = _incarnations(work, s)
    for at, instance in enumerate(event.added):
        slot = first_slot + at
        zone = ZONELESS if instance.zone is None else instance.zone
        joined.setdefault(_site(work, instance, directory.cell_number[f"{model.region}/{zone}"]), []).append(slot)
        names[slot] = instance.id
        if instance.id in before:
            incarnations[slot] = before[instance.id] + 1
    work.book = evolve(work.book, names=FrozenMap(names), incarnations=FrozenMap(incarnations))
    # Each bucket of the set is written anew at the end of its table, so that they stay side by side and in order.
    sites = {_key(v.site, bucket): bucket for bucket in old}
    first_bucket = work.rows("bucket") - len(old) - len(event.added)
    order = work.rows("order") - sum(v.site[b * c.SITE + c.SITE_COUNT] for b in old) - len(event.added)
    bucket = first_bucket
    begun = {key[2]: v.begun[b] for key, b in sites.items()}  # one for every bucket of an upgrade domain
    for number, cell, domain in sorted(sites.keys() | joined.keys()):
        was = sites.get((number, cell, domain))
        slots = [] if was is None else [x for x in work.kernel.members(was) if v.life[x] & c.STATE_BITS != Life.GONE]
        new = joined.get((number, cell, domain), [])
        run = sorted([*slots, *new], key=lambda slot: natural_key(_name(work, s, slot))) if new else slots
        v.order[order : order + len(run)] = memoryview(array("I", run))
        v.touch_order(order, len(run))
        v.site[bucket * c.SITE : (bucket + 1) * c.SITE] = memoryview(
            array("i", (s, cell, domain, number, order, len(run)))
        )
        for at in range(c.WAIT):
            v.wait[bucket * c.WAIT + at] = 0 if was is None else v.wait[was * c.WAIT + at]
        v.begun[bucket] = begun.get(domain, 0)
        for slot in run:
            v.bucket[slot] = bucket
            v.touch_slot(slot)
        v.touch_bucket(bucket)
        order += len(run)
        bucket += 1
    v.link[link + c.LINK_BUCKET], v.link[link + c.LINK_BUCKETS] = first_bucket, bucket - first_bucket
    settle_in(work, s, list(enumerate(event.added, first_slot)), event.now)


def settle_in(work: Working, s: int, joining: Sequence[tuple[int, Instance]], now: int) -> None:
    """Count those that have joined: initializing, and pending or current for what the set is going to.

    Each has a slot in a bucket of the set; the slot holds nobody.
    """
    v = work.v
    region = work.model(s).region
    image = image_named(work.book.catalogue, work.model(s).image.name)
    newest = work.compiled.rules.target(image, (region,), now) if image is not None else None
    for slot, instance in joining:
        version = instance.version if instance.version is not None else newest or ""
        work.book, number = interned(work.book, version)
        v.version[slot] = number
        v.flag[slot] = instance.flags
        for failed in instance.failed_versions:
            work.book, number = interned(work.book, failed)
            if v.failed[slot]:
                work.book = evolve(work.book, failed_more=work.book.failed_more | {(slot, v.failed[slot])})
            v.failed[slot] = number
        v.observe(slot, now - 1)
        v.life[slot] = Life.GONE
        v.touch_slot(slot)
        work.kernel.put(slot, Life.PENDING, Health.INITIALIZING)
    joined = array("I", (slot for slot, _ in joining))
    classify(work, s, joined, c.BY_SCALING)
    if v.status[s] not in (c.NONE, *ACTIVE):
        for slot in joined:
            if v.life[slot] & c.STATE_BITS == Life.PENDING:
                v.flag[slot] |= c.TOO_LATE
                v.tally[s * c.TALLY + c.TALLY_TOO_LATE] += 1


def _site(work: Working, instance: Instance, cell: int) -> tuple[int, int, int]:
    rules = work.compiled.rules
    number = instance.phase_ordering_number if rules.by_phase_order else None
    return (
        NO_NUMBER if number is None else number,
        cell,
        instance.upgrade_domain if rules.by_upgrade_domain else 0,
    )


def _key(site: memoryview, bucket: int) -> tuple[int, int, int]:
    at = bucket * c.SITE
    return site[at + c.SITE_NUMBER], site[at + c.SITE_CELL], site[at + c.SITE_DOMAIN]


def _incarnations(work: Working, s: int) -> dict[str, int]:
    """Return the latest incarnation of every id that the set has or ever had."""
    found: dict[str, int] = {}
    first, end = work.compiled.directory.first_slot[s], work.compiled.directory.first_slot[s + 1]
    for slot in range(first, end):
        found[work.compiled.directory.listed_id(s, work.v.ident[slot])] = 1
    for slot, name in work.book.names.items():
        if work.v.set_of(slot) == s:
            found[name] = max(found.get(name, 0), work.book.incarnations.get(slot, 1))
    return found


def _name(work: Working, s: int, slot: int) -> str:
    """Return the id of an instance that may not have its bucket yet."""
    known = work.book.names.get(slot)
    return known if known is not None else work.compiled.directory.listed_id(s, work.v.ident[slot])
