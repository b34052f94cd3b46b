"""Why an instance does not start, and whether a batch may: the kernel's bits as reasons with numbers (semantics 12).

Nothing is decided here: `standing`, `gates`, `in_cell` and the candidates of the selector say no, this says what the
no is made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from phasegate.core import codes as c
from phasegate.core.compiling import image_named
from phasegate.core.frozenmap import FrozenMap
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.picks import Pick, Picks
from phasegate.core.reasons import Code, Fact, Reason, Verdict
from phasegate.core.rollouts import IN_ANOTHER_ATTEMPT, codes_of, delayed_until
from phasegate.core.roster import NO_NUMBER, PROTECTED, SKIPPED
from phasegate.core.rules import Admit
from phasegate.core.state import RolloutRecord
from phasegate.core.tracing import ATTEMPTS, ERRORS
from phasegate.core.twin.counters import items_of
from phasegate.core.windows import next_opening
from phasegate.core.working import Working

_ORDER = {code: at for at, code in enumerate(Code)}


@frozen
class Explanation:
    """What an instance is, and every reason why it does not start now; iterating gives the reasons.

    The reasons are in the order of `Code`. `selected` says that the engine would start it now. `earliest` (ms UTC) is
    the first time at which time alone has lifted every reason and the set's window is open, None if there is a reason
    that time does not lift, or none at all.
    """

    instance: str
    state: Life
    health: Health
    version: str
    target: str
    reasons: tuple[Reason, ...]
    selected: bool
    deadline: int | None = field(default=None)
    earliest: int | None = field(default=None)

    def __iter__(self) -> Iterator[Reason]:
        return iter(self.reasons)

    def __len__(self) -> int:
        return len(self.reasons)


def reason(code: Code, earliest: int | None = None, /, **facts: Fact) -> Reason:
    """Return a reason with its numbers by name."""
    return Reason(code, FrozenMap(facts), earliest)


def of_set(work: Working, s: int, now: int) -> list[Reason]:
    """Return what keeps the whole set from starting anything: one reason a rule, gates too."""
    v, directory = work.v, work.compiled.directory
    bits = work.kernel.standing(s)
    if bits & c.NO_ATTEMPT or bits & c.ENDED:
        return [_without_attempt(work, s, bits, now)]
    found: list[Reason] = []
    link, tally = s * c.LINK, s * c.TALLY
    rollout = v.link[link + c.LINK_ROLLOUT]
    gates = work.kernel.gates(s)
    if gates & c.NOT_ELIGIBLE:
        found.append(reason(Code.NOT_ELIGIBLE, codes=_codes_now(work, s, work.book.rollouts[rollout], now)))
    if bits & c.IS_CANCELLED:
        found.append(reason(Code.CANCELLED))
    if bits & c.IS_PAUSED:
        found.append(reason(Code.PAUSED))
    if bits & c.PHASE_SHUT:
        current = v.plan[rollout * c.PLAN + c.PLAN_PHASE]
        phase = v.link[link + c.LINK_PHASE]
        phases = work.book.rollouts[rollout].phases or ()
        opening = _next_phase_at(work, rollout) if phase == current + 1 else None
        found.append(reason(Code.PHASE_NOT_OPEN, opening, phase=phase, waiting_for=current, regions=phases[current]))
    if bits & c.PAIR_AT_WORK:
        region = v.link[link + c.LINK_REGION]
        found += (
            reason(Code.PAIR_AT_WORK, region=directory.regions[region], pair=directory.regions[pair])
            for pair in items_of(work.compiled.statics.region_pairs, region)
            if v.working[pair]
        )
    found += _not_before(work, s, now)
    if bits & c.WINDOW_SHUT:
        opening = next_opening(work.model(s).windows, now)
        found.append(reason(Code.OUTSIDE_WINDOW, opening, next_opening=opening))
    if bits & c.IN_FLIGHT:
        found.append(reason(Code.BATCH_IN_FLIGHT, count=v.tally[tally + c.TALLY_FLIGHT]))
    if gates & c.UPGRADED_UNHEALTHY:
        found.append(_upgraded_unhealthy(work, s))
    if gates & c.SET_UNHEALTHY:
        found.append(
            reason(
                Code.SET_UNHEALTHY,
                count=v.tally[tally + c.TALLY_BAD],
                total=v.tally[tally + c.TALLY_TOTAL],
                percent=v.percent[s * c.PERCENT + c.UNHEALTHY_PERCENT],
            )
        )
    if bits & c.GROUP_FULL:
        statics = work.compiled.statics
        crowded = list(items_of(statics.set_instance_groups, s))
        if v.status[s] == c.WAITING:
            crowded += items_of(statics.set_work_groups, s)
        found += _full_groups(work, crowded)
    return found


def _next_phase_at(work: Working, rollout: int) -> int | None:
    """Return when the next phase opens, if nothing but time is in its way: the one before bakes, and has not failed."""
    lost, eligible = work.kernel.lost_and_eligible(rollout)
    if 100 * lost > work.compiled.statics.phase_failure_percent * eligible:
        return None
    return work.kernel.time_of(c.TIMER_BAKE, rollout) or None


def _without_attempt(work: Working, s: int, bits: int, now: int) -> Reason:
    codes = _codes_left_out(work, s, now)
    if codes:
        return reason(Code.NOT_ELIGIBLE, codes=codes)
    if bits & c.NO_ATTEMPT:
        return reason(Code.NO_ROLLOUT)
    code = ERRORS[work.v.code[s]]
    return reason(Code.ATTEMPT_ENDED, status=ATTEMPTS[work.v.status[s]], code=code or "none")


def _codes_left_out(work: Working, s: int, now: int) -> tuple[str, ...]:
    """Return why the latest rollout of its image left a set out, which is in no attempt: () if it did not.

    While that rollout runs its own codes stand, for a set joins it no more; afterwards they are those of now. That
    somebody else was at work on the set is over in any case.
    """
    name = work.compiled.directory.sets[s]
    image = work.model(s).image.name
    for rollout, record in reversed(list(enumerate(work.book.rollouts))):
        if record.image == image and (record.sets is None or name in record.sets):
            codes = dict(record.ineligible).get(name, ())
            if codes and work.v.course[rollout] != c.RUNNING:
                codes = _codes_now(work, s, record, now)
            return tuple(code for code in codes if code != IN_ANOTHER_ATTEMPT)
    return ()


def _codes_now(work: Working, s: int, record: RolloutRecord, now: int) -> tuple[str, ...]:
    image = image_named(work.book.catalogue, record.image)
    return codes_of(work, s, image, record.target, is_manual=record.is_manual, now=now)


def _not_before(work: Working, s: int, now: int) -> list[Reason]:
    """Return the delay and the pause between batches; one that stands still ends when it would, were it resumed now."""
    v = work.v
    found = []
    if v.mark[s] & c.DELAYED:
        time = v.clock[s * c.CLOCK + c.CLOCK_DELAY]
        found.append(reason(Code.NOT_BEFORE, time, time=time))
    if v.mark[s] & c.RESTING:
        time = v.clock[s * c.CLOCK + c.CLOCK_REST]
        rollout = v.link[s * c.LINK + c.LINK_ROLLOUT]
        if v.trait[rollout] & c.PAUSED:
            stood = now - v.dial[rollout * c.DIAL + c.DIAL_PAUSED]
            found.append(reason(Code.NOT_BEFORE, time=time + stood))
        else:
            found.append(reason(Code.NOT_BEFORE, time, time=time))
    return found


def _upgraded_unhealthy(work: Working, s: int) -> Reason:
    tally = work.v.tally[s * c.TALLY : (s + 1) * c.TALLY]
    bad = tally[Life.RESTORED] + tally[Life.FAILED] + tally[c.TALLY_UPGRADED_BAD]
    attempted = tally[Life.RESTORED] + tally[Life.FAILED] + tally[Life.UPGRADED]
    of = tally[c.TALLY_TOTAL] if work.v.option[s] & c.OF_SET else attempted
    return reason(Code.UPGRADED_UNHEALTHY, count=bad, of=of, percent=work.v.percent[s * c.PERCENT + c.UPGRADED_PERCENT])


def _in_order(found: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(found, key=lambda entry: _ORDER[entry.code]))


def _earliest(work: Working, s: int, reasons: Sequence[Reason]) -> int | None:
    """Return when time has lifted all of the reasons and what follows from their end: a delay, a window that is shut.

    When a phase opens, its delays begin; a delay or a pause may end outside a window that is open now.
    """
    times = [entry.earliest for entry in reasons if entry.earliest is not None]
    if not times or len(times) < len(reasons):
        return None
    if work.compiled.rules.has_delays:
        times += [
            delayed_until(work, s, entry.earliest)
            for entry in reasons
            if entry.code is Code.PHASE_NOT_OPEN and entry.earliest is not None
        ]
    at = max(times)
    has_windows = work.v.clock[s * c.CLOCK + c.CLOCK_WINDOW]
    return next_opening(work.model(s).windows, at) if has_windows else at


def _full_groups(work: Working, groups: Sequence[int]) -> list[Reason]:
    limits = work.compiled.statics.group_limit
    return [
        reason(Code.GROUP_FULL, group=work.compiled.rules.groups[g].name, k=limits[g])
        for g in groups
        if work.v.used[g] >= limits[g]
    ]


def of_bucket(work: Working, s: int, bucket: int) -> list[Reason]:
    """Return what keeps the candidates of one bucket from starting, beside what keeps the whole set."""
    v = work.v
    number, lately = work.kernel.current(s)
    at = bucket * c.SITE
    found: list[Reason] = []
    if number >= 0 and v.site[at + c.SITE_NUMBER] != number:  # below 0: nothing is pending
        found.append(
            reason(Code.PHASE_ORDER_LATER, number=_number(v.site[at + c.SITE_NUMBER]), current=_number(number))
        )
    elif number >= 0 and v.begun[bucket] != lately:
        found.append(reason(Code.UPGRADE_DOMAIN_LATER, domain=v.site[at + c.SITE_DOMAIN]))
    cell = v.site[at + c.SITE_CELL]
    bits = work.kernel.in_cell(s, cell)
    if bits & c.CELL_BUSY:
        found += _busy_cells(work, s, cell)
    if bits & c.GROUP_FULL:
        found += _full_groups(work, list(items_of(work.compiled.statics.cell_groups, cell)))
    return found


def _busy_cells(work: Working, s: int, cell: int) -> list[Reason]:
    cells = work.compiled.directory.cells
    held = work.v.link[s * c.LINK + c.LINK_HOLD]
    if held >= 0:
        return [reason(Code.CELL_BUSY, cell=cells[cell], busy_cell=cells[held])]
    graph, number = work.compiled.topology.graph, work.compiled.directory.cell_number
    return [
        reason(Code.CELL_BUSY, cell=cells[cell], busy_cell=other)
        for other in sorted(graph[cells[cell]], key=number.__getitem__)
        if work.v.holds[number[other]]
    ]


def _number(number: int) -> int | str:
    return "none" if number == NO_NUMBER else number


def of_policies(work: Working, s: int, bucket: int, slots: Sequence[int]) -> list[Reason]:
    """Return what the users' policies say against these candidates; they are asked about all of the bucket's."""
    candidates: Sequence[int] = work.kernel.candidates(s, bucket)
    wanted = set(work.ids_of(slots))
    found = []
    for policy in work.compiled.rules.asks:
        question = work.question(s, bucket, candidates)
        answer = policy.judge(question)
        if not isinstance(answer, Admit):
            earliest = getattr(answer, "earliest", None)
            found.append(reason(Code.POLICY, earliest, name=policy.name, reasons=tuple(answer.reasons)))
        elif answer.part is not None:
            part = answer.part
            if not wanted <= part:
                found.append(reason(Code.POLICY, name=policy.name, reasons=("not in the part that it admits",)))
            candidates = [slot for slot, name in zip(candidates, question.ids, strict=True) if name in part]
    return found


def explain(work: Working, slot: int, now: int, picks: Picks) -> Explanation:
    """Return what an instance is, and why it does not start now; `picks` are what would be started."""
    v = work.v
    s = v.set_of(slot)
    life = Life(v.life[slot] & c.STATE_BITS)
    is_selected = any(slot in pick[2] for pick in picks if pick[0] == s)
    reasons: list[Reason] = []
    if life is Life.PENDING and not is_selected:
        reasons = _why_pending(work, slot, s, now, picks)
    elif life is Life.CURRENT:
        reasons = [reason(Code.CURRENT)]
    elif life is Life.EXCLUDED:
        reasons = _why_excluded(work, slot, s, now)
    return Explanation(
        f"{work.compiled.directory.sets[s]}/{work.id_of(slot)}",
        life,
        Health(v.life[slot] >> c.HEALTH_SHIFT),
        work.book.versions[v.installed(slot)],
        work.book.versions[v.link[s * c.LINK + c.LINK_TARGET]],
        _in_order(reasons),
        is_selected,
        work.kernel.deadline_of(slot) or None,
        _earliest(work, s, reasons),
    )


def _why_excluded(work: Working, slot: int, s: int, now: int) -> list[Reason]:
    flag = work.v.flag[slot]
    causes = ((PROTECTED, "protected"), (SKIPPED, "skip-upgrade"), (c.REFUSED, "policy"))
    found = [reason(Code.EXCLUDED, why=why) for bit, why in causes if flag & bit]
    target = work.v.link[s * c.LINK + c.LINK_TARGET]
    is_manual = work.v.option[s] & c.MANUAL_SET  # which may try again what has failed
    if target and not is_manual and (work.v.failed[slot] == target or (slot, target) in work.book.failed_more):
        found.append(reason(Code.FAILED_BEFORE, version=work.book.versions[target]))
    # What excluded it is over, but only a new attempt looks at it again.
    return found or [_without_attempt(work, s, work.kernel.standing(s), now)]


def _why_pending(work: Working, slot: int, s: int, now: int, picks: Picks) -> list[Reason]:
    found = of_set(work, s, now)
    if work.kernel.standing(s) & (c.NO_ATTEMPT | c.ENDED):
        return found
    bucket = work.v.bucket[slot]
    found += of_bucket(work, s, bucket)
    if work.compiled.rules.asks:
        found += of_policies(work, s, bucket, [slot])
    if found:
        return found
    cells = work.compiled.directory.cells
    own = next((pick for pick in picks if pick[0] == s), None)
    if own is not None and slot in work.kernel.candidates(s, own[1]):
        return [reason(Code.BATCH_FULL, size=len(own[2]))]
    before = [own] if own is not None else _in_the_way(work, s, bucket, picks)
    return [
        reason(
            Code.LATER_IN_ORDER,
            set=work.compiled.directory.sets[other],
            cell=cells[work.v.site[its_bucket * c.SITE + c.SITE_CELL]],
        )
        for other, its_bucket, _ in before
    ]


def _in_the_way(work: Working, s: int, bucket: int, picks: Picks) -> list[Pick]:
    """Return the picks that keep a set back: by pair or cell, or by what they take of a group that is full then.

    Where none does, it is a user's policy that counts them: any of them may be what it minds.
    """
    held: set[int] = set()
    takes = [_takes(work, other, its_bucket, len(batch), held) for other, its_bucket, batch in picks]
    limits, used = work.compiled.statics.group_limit, work.v.used
    wanted = _takes(work, s, bucket, 1, held)
    full = {group for group in wanted if used[group] + sum(taken[group] for taken in takes) >= limits[group]}
    found = [
        pick
        for pick, taken in zip(picks, takes, strict=True)
        if full & taken.keys() or _are_apart(work, s, bucket, pick[0], pick[1])
    ]
    return found or list(picks)


def _are_apart(work: Working, s: int, bucket: int, other: int, its_bucket: int) -> bool:
    """Whether two sets may not be at work together in these places: by their regions, or by their cells."""
    topology, directory = work.compiled.topology, work.compiled.directory
    regions = (directory.regions[work.v.link[at * c.LINK + c.LINK_REGION]] for at in (s, other))
    cells = (directory.cells[work.v.site[at * c.SITE + c.SITE_CELL]] for at in (bucket, its_bucket))
    hold = not (work.v.option[s] | work.v.option[other]) & c.CROSS_ZONE  # else one of them has nothing to do with cells
    return topology.pairs.has_edge(*regions) or (hold and topology.graph.has_edge(*cells))


def _takes(work: Working, s: int, bucket: int, size: int, held: set[int]) -> Counter[int]:
    """Return how much a start takes of each group; its cell is added to `held`, those that starts before it hold."""
    v, statics = work.v, work.compiled.statics
    found = Counter(dict.fromkeys(items_of(statics.set_instance_groups, s), size))
    if v.status[s] == c.WAITING:
        found.update(items_of(statics.set_work_groups, s))
    cell = v.site[bucket * c.SITE + c.SITE_CELL]
    if not v.option[s] & c.CROSS_ZONE and not v.holds[cell] and cell not in held:
        held.add(cell)
        found.update(items_of(statics.cell_groups, cell))
    return found


def check(work: Working, s: int, slots: Sequence[int], now: int) -> Verdict:
    """Say whether these instances of one set may start together now, and if not, every reason why not."""
    v, kernel = work.v, work.kernel
    found = of_set(work, s, now)
    for slot in slots:
        life = Life(v.life[slot] & c.STATE_BITS)
        if life is not Life.PENDING:
            found.append(reason(Code.NOT_PENDING, instance=work.id_of(slot), state=life.word))
    if found and kernel.standing(s) & (c.NO_ATTEMPT | c.ENDED):
        return Verdict(_in_order(found))
    buckets = sorted({v.bucket[slot] for slot in slots})
    for bucket in buckets:
        found += [entry for entry in of_bucket(work, s, bucket) if entry not in found]
    if not v.option[s] & c.CROSS_ZONE:
        is_one = len(buckets) == 1
    else:
        is_one = len({(v.site[b * c.SITE + c.SITE_DOMAIN], v.site[b * c.SITE + c.SITE_NUMBER]) for b in buckets}) == 1
    if not is_one:
        found.append(reason(Code.NOT_ONE_BATCH, buckets=len(buckets)))
    if work.compiled.rules.asks and is_one:
        found += of_policies(work, s, buckets[0], slots)
    size = min(kernel.cap(s), kernel.room(s))
    well = sum(v.life[slot] >> c.HEALTH_SHIFT not in (1, 2) for slot in slots)
    if len(slots) > 1 and (len(slots) > size or well > kernel.healthy_at_most(s)):
        size = min(size, len(slots) - well + kernel.healthy_at_most(s))
        found.append(reason(Code.BATCH_FULL, size=max(1, size)))  # one alone is always within it
    return Verdict(_in_order(found))
