"""A policy of your own, the smallest there is: never touch a scale set that is tagged `frozen`.

A user's policy is any object with a `name` and a method `judge`. The engine asks it about candidate batches: the
pending instances of one set, of one cell and one upgrade domain, that every built-in rule would let start. It answers

- `Admit()`: they may start, as far as this policy is concerned,
- `Wait(reasons)`: not now; the engine asks again whenever something has changed,
- `Never(reasons)`: not at all.

A policy can only take away: whatever it answers, no batch starts that the built-in rules forbid (semantics 7 and 11).

What `Never` does depends on when it is said. When the set's attempt is made, its instances become `excluded`: they
count as skipped, not as lost, so a frozen set does no harm to its phase. When a batch of the attempt has started
already, the attempt ends as `cancelled` (here: the tag was set in the middle of a rollout), and what is pending then
is lost to the phase.

>>> import phasegate as pg
>>> ubuntu = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
>>> ledger = pg.ScaleSet(name="ledger", region="eastus", image=ubuntu, tags={"frozen": "audit"}, instances=5)
>>> web = pg.ScaleSet(name="web", region="eastus", image=ubuntu, instances=5)
>>> image = pg.Image(ubuntu, [pg.ImageVersion("1.0"), pg.ImageVersion("2.0")])
>>> fleet = pg.Fleet(regions=[pg.Region("eastus")], images=[image], sets=[ledger, web])
>>> engine = pg.Engine(fleet, pg.policies.availability_first(also=[Frozen()]))
>>> state = engine.start(ubuntu.name, now=0)
>>> [batch.set for batch in engine.select(state)]
['eastus/web']
>>> print(*engine.explain(state, "eastus/ledger/0"))
excluded(why=policy)
"""

from __future__ import annotations

from attrs import frozen

from phasegate.policies import Admit, Never, Question, Wait


@frozen
class Frozen:
    """Rule: a set that has the tag is never touched, whatever the tag's value.

    `name` is what the reasons are reported under, and what a log says that it was made with. The class is frozen and
    has no state, because an answer must follow from the question alone: the engine may ask as often as it likes, in any
    order, and a replay asks again.
    """

    tag: str = "frozen"
    name: str = "frozen"

    def judge(self, question: Question) -> Admit | Wait | Never:
        """Answer `never` for a set with the tag, `admit` for any other."""
        if self.tag in question.set.tags:
            return Never((f"`{question.set.full_name}` is tagged `{self.tag}`",))
        return Admit()
