"""Beginning a rollout: its target, its eligible sets, its phases; and a region that joins a gallery rollout.

Everything here happens a few times in the life of a rollout, in plain Python on the columns of `Working`; what happens
for every instance and batch is the kernel's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core import windows as w
from phasegate.core.compiling import image_named, interned, number_of
from phasegate.core.errors import InvalidEvent, UnknownName
from phasegate.core.events import Rollout
from phasegate.core.facts import RolloutStarted
from phasegate.core.lifecycle import Life
from phasegate.core.limits import Limits
from phasegate.core.model import Image, ScaleSet
from phasegate.core.other_images import forget_failures, forget_versions, left_by_another
from phasegate.core.roster import OFF_MODEL, PROTECTED, SKIPPED
from phasegate.core.schedule import first_instant, later_instant
from phasegate.core.state import RolloutRecord
from phasegate.core.topology import Phases, check_phases, phase_plan
from phasegate.core.twin.counters import NEVER
from phasegate.core.versions import version_key
from phasegate.core.working import Working

IN_ANOTHER_ATTEMPT = "in-another-attempt"


def begin(work: Working, event: Rollout) -> RolloutStarted:
    """Begin a rollout; the workplace has a free row for it (semantics 2 to 5 and 9).

    `UnknownName` if the image or a set is not in the fleet; `InvalidEvent` if the version is not published, no version
    counts anywhere, or a named set is made from another image.
    """
    image = image_named(work.book.catalogue, event.image)
    if image is None:
        raise UnknownName(f"no image `{event.image}` in the fleet")
    sets = _sets(work, event)
    target = target_of(work, image, event, sets)
    rollout = len(work.book.rollouts)
    is_manual = event.sets is not None
    refused: list[tuple[str, tuple[str, ...]]] = []
    eligible: list[int] = []
    for s in sets:
        codes = refusal(work, s, image, target, is_manual=is_manual, now=event.now)
        if codes:
            refused.append((work.compiled.directory.sets[s], codes))
        else:
            eligible.append(s)
    work.book, number = interned(work.book, target)
    for s in eligible:
        make_attempt(work, s, rollout, number, is_manual=is_manual, now=event.now)
    phases = None
    if work.compiled.rules.has_phases and not is_manual and not image.reference.is_gallery:
        phases = plan_phases(work, eligible)
    regions: tuple[str, ...] = ()
    if image.reference.is_gallery and not is_manual:
        regions = _come_to(work, image, target, sets, eligible, event.now)
    record = RolloutRecord(
        image=image.name,
        target=target,
        started_by=event.started_by,
        started_at_ms=event.now,
        phases=phases,
        sets=event.sets,
        ineligible=tuple(refused),
        regions=regions,
    )
    work.book = evolve(work.book, rollouts=(*work.book.rollouts, record))
    _open(work, rollout, eligible, record, image, event.now)
    return RolloutStarted(rollout, image.name, target, event.started_by, phases, record.ineligible)


def _sets(work: Working, event: Rollout) -> list[int]:
    directory = work.compiled.directory
    if event.sets is None:
        return [s for s in range(len(directory.sets)) if work.model(s).image.name == event.image]
    found = sorted({directory.set_named(name) for name in event.sets})
    for s in found:
        if work.model(s).image.name != event.image:
            made_from = work.model(s).image.name
            raise InvalidEvent(f"set `{directory.sets[s]}` is made from `{made_from}`, not from `{event.image}`")
    return found


def target_of(work: Working, image: Image, event: Rollout, sets: Iterable[int]) -> str:
    """Return the version that the rollout goes to (semantics 2)."""
    if event.target is None:
        regions = {work.model(s).region for s in sets}
        target = work.compiled.rules.target(image, regions, event.now)
        if target is None:
            raise InvalidEvent(f"image `{image.name}` has no version yet that counts in a region of its sets")
        return target
    known = {version_key(version.version): version for version in image.versions}
    version = known.get(version_key(event.target))
    if version is None:
        raise InvalidEvent(f"image `{image.name}` has no version `{event.target}`; publish it first")
    if version.published_at_ms > event.now:
        raise InvalidEvent(f"version `{event.target}` is published at {version.published_at_ms}, after {event.now}")
    return version.version


def refusal(work: Working, s: int, image: Image | None, target: str, *, is_manual: bool, now: int) -> tuple[str, ...]:
    """Return every code that a start for the set is refused with now, () if there is none (semantics 3 and 9)."""
    codes = codes_of(work, s, image, target, is_manual=is_manual, now=now)
    return (*codes, IN_ANOTHER_ATTEMPT) if work.v.status[s] in (c.WAITING, c.ROLLING) else codes


def _come_to(
    work: Working, image: Image, target: str, sets: Iterable[int], eligible: Iterable[int], now: int
) -> tuple[str, ...]:
    """Return the regions of the sets in which the target counts, and those that have an eligible set all the same."""
    found = {work.model(s).region for s in eligible}
    others = {work.model(s).region for s in sets} - found
    return tuple(sorted(found | {name for name in others if work.compiled.rules.counts(image, target, name, now)}))


def codes_of(
    work: Working, s: int, image: Image | None, target: str | None, *, is_manual: bool, now: int
) -> tuple[str, ...]:
    """Return every code that keeps the set out of a rollout to that target (semantics 3)."""
    judge = work.compiled.rules.judge
    if judge is None:
        return ()
    model = work.model(s)
    off_model = model.upgrade_mode == "manual" and any(work.v.flag[slot] & OFF_MODEL for slot in work.slots_of(s))
    return tuple(judge(model, image, target, is_manual, off_model, now))


def make_attempt(work: Working, s: int, rollout: int, target: int, *, is_manual: bool, now: int) -> None:
    """Make the set's attempt: its limits, and what each of its instances is to it. It waits until it is opened."""
    v = work.v
    keep_for_phase(work, s)
    strange = left_by_another(work, s)
    limits = Limits.of(work.model(s), work.compiled.rules, is_manual=is_manual)
    link = s * c.LINK
    v.link[link + c.LINK_ROLLOUT] = rollout
    v.link[link + c.LINK_PHASE] = 0
    v.link[link + c.LINK_ATTEMPT] += 1
    v.link[link + c.LINK_TARGET] = target
    v.status[s] = c.WAITING
    v.mark[s] = 0
    v.code[s] = c.NO_ERROR
    v.option[s] = limits.option
    v.percent[s * c.PERCENT : s * c.PERCENT + 3] = memoryview(bytes(limits.percent))
    for at in (c.CLOCK_BEGAN, c.CLOCK_DELAY, c.CLOCK_REST, c.CLOCK_WINDOW):
        v.clock[s * c.CLOCK + at] = 0
    v.clock[s * c.CLOCK + c.CLOCK_PAUSE] = limits.pause_ms
    for at in (c.TALLY_BATCHES, c.TALLY_UNRESTORED, c.TALLY_TOO_LATE):
        v.tally[s * c.TALLY + at] = 0
    for bucket in work.kernel.buckets(s):
        if v.begun[bucket]:
            v.begun[bucket] = 0
            v.touch_bucket(bucket)
    slots = work.slots_of(s)
    work.kernel.forget_marks(slots)
    forget_failures(work, strange)
    forget_versions(work, strange)
    classify(work, s, slots, c.BY_ROLLOUT)
    if work.compiled.rules.asks:
        refuse_at_once(work, s)
    set_window(work, s, now, is_manual=is_manual)
    work.v.touch_set(s)
    work.kernel.touch(s)


def aim(work: Working, s: int, model: ScaleSet, now: int) -> None:
    """Let a set that no rollout has come to yet be judged by the newest version of its image (semantics 2)."""
    image = image_named(work.book.catalogue, model.image.name)
    newest = work.compiled.rules.target(image, (model.region,), now) if image is not None else None
    work.v.link[s * c.LINK + c.LINK_TARGET] = (newest and number_of(work.book, newest)) or 0
    work.v.touch_set(s)


def keep_for_phase(work: Working, s: int) -> None:
    """Count a set that another rollout takes over into the open phase of the one that it was in."""
    v = work.v
    link = s * c.LINK
    old = v.link[link + c.LINK_ROLLOUT]
    if old < 0 or v.course[old] != c.RUNNING or not v.trait[old] & c.PHASED or v.mark[s] & c.LEFT:
        return
    plan = old * c.PLAN
    if v.link[link + c.LINK_PHASE] != v.plan[plan + c.PLAN_PHASE]:
        return
    tally = s * c.TALLY
    abandoned = v.tally[tally + Life.PENDING] - v.tally[tally + c.TALLY_TOO_LATE]
    not_done = abandoned + v.tally[tally + Life.RESTORED] + v.tally[tally + Life.FAILED]
    v.plan[plan + c.PLAN_LOST] += not_done + v.tally[tally + c.TALLY_UPGRADED_BAD]
    v.plan[plan + c.PLAN_ELIGIBLE] += not_done + v.tally[tally + Life.UPGRADED]


def classify(work: Working, s: int, slots: Sequence[int], cause: int) -> None:
    """Say of each of the instances whether it is current, excluded or pending for the set's target (semantics 2, 8)."""
    rules = work.compiled.rules
    target = work.v.link[s * c.LINK + c.LINK_TARGET]
    reached = _reached(work.book.versions, target, rules.keeps_newer)
    more = _failed_more(work.book.failed_more, target)
    excluding = PROTECTED * rules.excludes_protected | SKIPPED * rules.excludes_skipped | c.REFUSED
    work.kernel.classify(s, slots, reached, more, excluding, rules.excludes_failed_before, cause)


@lru_cache(maxsize=64)  # the same for every set that goes to that target
def _reached(versions: tuple[str, ...], target: int, keeps_newer: bool) -> bytes:
    """Return a byte a version: whether it is the target, or newer where that counts; none is where there is no target.

    `target` and the places are numbers of `Book.versions`; number 0 is unknown and no version at all.
    """
    keys = [version_key(version) for version in versions[1:]]
    if not target:
        return bytes(len(versions))
    key = keys[target - 1]
    return bytes([0, *(known >= key if keeps_newer else known == key for known in keys)])


@lru_cache(maxsize=64)
def _failed_more(failed_more: frozenset[tuple[int, int]], target: int) -> frozenset[int]:
    """Return the slots on which the target failed longer ago than their column tells."""
    return frozenset(slot for slot, number in failed_more if number == target)


def refuse_at_once(work: Working, s: int) -> None:
    """Exclude what a user's policy will never admit (semantics 8: when the attempt begins)."""
    for bucket in work.kernel.buckets(s):
        while slots := work.kernel.candidates(s, bucket):
            if work.ask(s, bucket, slots)[0] != NEVER:
                break
            work.kernel.refuse(s, bucket)


def plan_phases(work: Working, eligible: Sequence[int]) -> Phases:
    """Return the phases over the regions with an eligible set, the users' own if there are any (semantics 5)."""
    counts: dict[str, int] = {}
    for s in eligible:
        region = work.model(s).region
        counts[region] = counts.get(region, 0) + work.v.tally[s * c.TALLY + Life.PENDING]
    rules = work.compiled.rules
    if rules.phases is not None:
        return check_phases(rules.phases, counts, rules.pairs)
    return phase_plan(counts, rules.pairs)


def _open(work: Working, rollout: int, eligible: Sequence[int], record: RolloutRecord, image: Image, now: int) -> None:
    """Fill in the rollout's row, and open its first phase, or all of it where it has none."""
    v = work.v
    v.course[rollout] = c.RUNNING
    v.trait[rollout] = c.PHASED * (record.phases is not None) | c.MANUAL * record.is_manual
    plan = rollout * c.PLAN
    v.plan[plan + c.PLAN_ALIVE] = len(eligible)
    v.dial[rollout * c.DIAL + c.DIAL_OPENED] = now
    if record.phases:
        phase_of = {region: number for number, phase in enumerate(record.phases) for region in phase}
        v.plan[plan + c.PLAN_PHASES] = len(record.phases)
        for s in eligible:
            v.link[s * c.LINK + c.LINK_PHASE] = phase_of[work.model(s).region]
        work.kernel.open_phase(rollout, 0)
        return
    v.plan[plan + c.PLAN_OPEN] = len(eligible)
    if not record.is_manual and work.compiled.rules.has_delays:
        for s in eligible:
            v.mark[s] |= c.DELAYED
            delay(work, s, _available_at(image, record.target, work.model(s).region, now), now)
    work.kernel.note_rollout(rollout)


def _available_at(image: Image, target: str, region: str, now: int) -> int:
    """Return since when the region has the replica of that version, if that is in the past; else now."""
    version = next(version for version in image.versions if version.version == target)
    times = [replica.replicated_at_ms for replica in version.regions if replica.name == region]
    return min(now, max([version.published_at_ms, *times]))


def delayed_until(work: Working, s: int, available_at: int) -> int:
    """Return the instant before which an attempt does not begin that may begin from then on (semantics 4)."""
    v = work.v
    name = work.compiled.directory.sets[s]
    version = work.book.versions[v.link[s * c.LINK + c.LINK_TARGET]]
    configured_at = work.model(s).configured_at_ms
    if v.link[s * c.LINK + c.LINK_ATTEMPT] > 1:
        return later_instant(name, version, available_at)
    return available_at if configured_at is None else first_instant(name, version, configured_at)


def delay(work: Working, s: int, available_at: int, now: int) -> None:
    """Set the instant before which a delayed attempt does not begin, or let it pass at once (semantics 4)."""
    v = work.v
    instant = delayed_until(work, s, available_at)
    if instant <= now:
        work.kernel.pass_timer(s, c.DELAYED)
    else:
        v.clock[s * c.CLOCK + c.CLOCK_DELAY] = instant
        v.touch_set(s, c.WROTE_CLOCK)
        work.timers.arm(c.TIMER_DELAY, s)


def set_window(work: Working, s: int, now: int, *, is_manual: bool) -> None:
    """Say whether the set is inside its maintenance windows, and when that changes (semantics 4)."""
    model_windows = work.model(s).windows
    at = s * c.CLOCK + c.CLOCK_WINDOW
    if is_manual or not work.compiled.rules.has_windows or not model_windows:
        work.v.clock[at] = 0
        work.v.touch_set(s, c.WROTE_CLOCK)
        if work.v.mark[s] & c.SHUT:
            work.kernel.set_window(s, True)
        return
    work.kernel.set_window(s, w.is_open(model_windows, now))
    work.v.clock[at] = w.next_change(model_windows, now) or 0
    work.v.touch_set(s, c.WROTE_CLOCK)
    if work.v.clock[at]:
        work.timers.arm(c.TIMER_WINDOW, s)


def join(work: Working, rollout: int, region: str, now: int) -> None:
    """Let the sets of a region join a gallery rollout that has come to it, for the first time (semantics 5)."""
    record = work.book.rollouts[rollout]
    if region in record.regions:
        return
    record = evolve(record, regions=tuple(sorted((*record.regions, region))))
    image = image_named(work.book.catalogue, record.image)
    work.book, number = interned(work.book, record.target)
    for s, name in enumerate(work.compiled.directory.sets):
        model = work.model(s)
        if model.region != region or model.image.name != record.image:
            continue
        codes = refusal(work, s, image, record.target, is_manual=False, now=now)
        record = evolve(record, ineligible=tuple(entry for entry in record.ineligible if entry[0] != name))
        if codes:
            record = evolve(record, ineligible=(*record.ineligible, (name, codes)))
            continue
        make_attempt(work, s, rollout, number, is_manual=False, now=now)
        work.v.plan[rollout * c.PLAN + c.PLAN_ALIVE] += 1
        work.v.plan[rollout * c.PLAN + c.PLAN_OPEN] += 1
        if work.compiled.rules.has_delays:
            work.v.mark[s] |= c.DELAYED
            delay(work, s, now, now)
    rollouts = list(work.book.rollouts)
    rollouts[rollout] = record
    work.book = evolve(work.book, rollouts=tuple(rollouts))


def candidates(work: Working, now: int) -> tuple[str, ...]:
    """Return the images that an automatic rollout would do something for now, and that have none running.

    That is: some eligible set in no attempt has an instance below the newest version, and was not taken to it before:
    what faulted or was cancelled is tried again only when somebody says so (semantics 9).
    """
    running = {
        record.image
        for number, record in enumerate(work.book.rollouts)
        if work.v.course[number] == c.RUNNING and not record.is_manual
    }
    return tuple(
        image.name for image in work.book.catalogue if image.name not in running and _is_wanted(work, image, now)
    )


def _is_wanted(work: Working, image: Image, now: int) -> bool:
    sets = [s for s in range(len(work.compiled.directory.sets)) if work.model(s).image.name == image.name]
    target = work.compiled.rules.target(image, {work.model(s).region for s in sets}, now)
    if target is None:
        return False
    key = version_key(target)
    behind = {number for number, version in enumerate(work.book.versions) if not number or version_key(version) < key}
    for s in sets:
        if work.v.status[s] in (c.WAITING, c.ROLLING):
            continue
        last = work.v.link[s * c.LINK + c.LINK_ROLLOUT]
        if last >= 0 and (work.book.rollouts[last].image, work.book.rollouts[last].target) == (image.name, target):
            continue
        if codes_of(work, s, image, target, is_manual=False, now=now):
            continue
        if left_by_another(work, s) or any(work.v.version[slot] in behind for slot in work.slots_of(s)):
            return True
    return False
