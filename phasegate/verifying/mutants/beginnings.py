"""Mutants of what happens now and then: rollouts begin, limits are set, who conflicts with whom, the fleet changes."""

from __future__ import annotations

from typing import Final

from phasegate.core import changes, compiling, rollouts, topology
from phasegate.core.limits import Limits
from phasegate.policies.zones import Zones
from phasegate.verifying.mutants.mutant import Bent

BEGUN: Final = (
    Bent("two-attempts-at-once", "a set in an attempt is taken into another one", rollouts.refusal,
         "if work.v.status[s] in (c.WAITING, c.ROLLING)", "if False"),
    Bent("ineligible-begins", "a set begins an attempt though it is ineligible", rollouts.begin,
         "if codes:", "if IN_ANOTHER_ATTEMPT in codes:"),
    Bent("manual-has-phases", "a manual rollout has phases", rollouts.begin, "and not is_manual and ", "and "),
    Bent("gallery-has-phases", "a gallery rollout has phases", rollouts.begin,
         " and not image.reference.is_gallery", ""),
    Bent("manual-has-delays", "a manual rollout has delays", rollouts._open, "if not record.is_manual and ", "if "),
    Bent("begun-domains-stay", "upgrade domains begun in the last attempt go first in the next", rollouts.make_attempt,
         "if v.begun[bucket]:", "if False:"),
    Bent("attempt-number-stays", "an attempt has the number of the one before it", rollouts.make_attempt,
         "v.link[link + c.LINK_ATTEMPT] += 1", "pass"),
    Bent("newer-is-taken-back", "a newer version than the target is taken back to it", rollouts.classify,
         "target, rules.keeps_newer)", "target, False)"),
    Bent("older-failures-forgotten", "only the last version that failed on an instance is remembered",
         rollouts.classify, "_failed_more(work.book.failed_more, target)", "frozenset()"),
    Bent("taken-over-is-forgotten", "what a set lost that another rollout takes over is forgotten",
         rollouts.keep_for_phase, "v.plan[plan + c.PLAN_LOST] += not_done", "v.plan[plan + c.PLAN_LOST] += 0"),
    Bent("taken-over-from-any-phase", "what a set of another phase lost counts for the open one",
         rollouts.keep_for_phase,
         "if v.link[link + c.LINK_PHASE] != v.plan[plan + c.PLAN_PHASE]:", "if False:"),
    Bent("joins-at-once", "a set joins a gallery rollout without its delay", rollouts.join,
         "if work.compiled.rules.has_delays:", "if False:"),
    Bent("joins-uncounted", "a set that joins a gallery rollout does not keep it going", rollouts.join,
         "work.v.plan[rollout * c.PLAN + c.PLAN_ALIVE] += 1", "pass"),
    Bent("manual-has-windows", "a manual rollout has windows", rollouts.set_window, "if is_manual or ", "if "),
)  # fmt: skip

LIMITS: Final = (
    Bent("manual-restores", "a manual rollout restores", Limits.of, " and not is_manual", ""),
    Bent("own-rollback-ignored", "a set cannot switch its rollback off", Limits.of,
         " and not model.disable_automatic_rollback", ""),
    Bent("own-batch-ignored", "a set's own batch percentage is not looked at", Limits.of,
         "first(own.max_batch_percent, rules.max_batch_percent)", "rules.max_batch_percent"),
    Bent("own-zones-ignored", "a set cannot be taken out of the zone rule by its own policy", Limits.of,
         "first(own.enable_cross_zone, rules.enable_cross_zone)", "rules.enable_cross_zone"),
    Bent("domains-of-all", "every set finishes its begun upgrade domain first", Limits.of,
         "model.service_fabric is not None and ", ""),
    Bent("of-set-ignored", "the after-batch gate is always of those attempted", Limits.of,
         'rules.unhealthy_upgraded_of == "set"', "False"),
    Bent("manual-is-automatic", "a manual rollout is taken for an automatic one", Limits.of,
         "(c.MANUAL_SET, is_manual)", "(c.MANUAL_SET, False)"),
    Bent("pause-ignored", "the pause between batches is not taken from the policy", Limits.of,
         "first(own.pause_between_batches_ms, rules.pause_between_batches_ms)", "0"),
)  # fmt: skip

PLACES: Final = (
    Bent("pairs-as-written", "a region is kept from those that it names, not from those that name it",
         topology.pair_graph, "graph: nx.Graph[str] = nx.Graph()", "graph: nx.Graph[str] = nx.DiGraph()"),
    Bent("pairs-unknown", "a pair that is not in the fleet counts", topology.pair_graph,
         "region.pair is not None and region.pair in graph", "region.pair is not None"),
    Bent("pairs-in-a-phase", "the default plan puts pairs into one phase", topology.phase_plan,
         " and not any(pairs.has_edge(region, other) for other in taken)", ""),
    Bent("zoneless-apart", "the zoneless cell conflicts with no zone", Zones.narrow,
         "for one, other in combinations(cells_of(region), 2)",
         "for one, other in combinations(cells_of(region)[:-1], 2)"),
    Bent("conflicts-one-way", "a conflict keeps one of its two cells", topology.Topology.rows,
         "((number[one], number[other]), (number[other], number[one]))", "((number[one], number[other]),)"),
    Bent("retired-pairs", "pairs of regions are not told to the kernel", compiling.make_statics,
         "topology.pairs.adj.get(region, ())", "()"),
)  # fmt: skip

CHANGED: Final = (
    Bent("opting-out-ignored", "a set that opts out goes on", changes.configure,
         "has_opted_out or event.model.image.name", "event.model.image.name"),
    Bent("another-image-goes-on", "a set that is given another image goes on", changes.configure,
         "has_opted_out or event.model.image.name != old.image.name", "has_opted_out"),
    Bent("failures-kept", "a changed model leaves the memory of failures", changes.configure,
         "forget_failures(work, slots)", "pass"),
    Bent("never-judged-again", "a waiting set is not judged again", changes.judge_again,
         "c.UNFIT if codes_of(work, s, image, record.target, is_manual=record.is_manual, now=now) else 0", "0"),
    Bent("never-superseded", "a newer version cancels nothing", changes.publish,
         'work.compiled.rules.supersede == "cancel"', "False"),
    Bent("always-superseded", "a newer version cancels though it is not to", changes.publish,
         'work.compiled.rules.supersede == "cancel"', "True"),
    Bent("superseded-by-older", "an equal or older version cancels", changes.supersede,
         "version_key(record.target) < version_key(target)", "version_key(record.target) <= version_key(target)"),
    Bent("manual-superseded", "a newer version cancels a manual rollout", changes.supersede,
         "not record.is_manual and ", ""),
    Bent("replica-unseen", "a region whose replica arrives does not join", changes.replicate,
         "join(work, rollout, event.region, event.now)", "pass"),
    Bent("protection-too-late", "an instance protected meanwhile is started", changes.protect,
         "classify(work, s, open_slots, c.BY_PROTECTION)", "pass"),
    Bent("protected-in-flight", "an instance protected in flight is taken out of it", changes.protect,
         "[slot for slot in slots if v.life[slot] & c.STATE_BITS in (Life.PENDING, Life.EXCLUDED)]", "list(slots)"),
    Bent("joins-without-class", "who joins is pending whatever is on it", changes.settle_in,
         "classify(work, s, joined, c.BY_SCALING)", "pass"),
    Bent("joins-in-time", "who joins after its attempt's end counts as abandoned", changes.settle_in,
         "v.flag[slot] |= c.TOO_LATE", "pass"),
)  # fmt: skip

BEGINNINGS: Final = (*BEGUN, *LIMITS, *PLACES, *CHANGED)
