"""A policy of your own that looks at the rest of the fleet: at most 2 scale sets of one team are at work at a time.

Teams keep people ready while their sets are upgraded, and those people can follow two upgrades, not ten. Which team a
set belongs to says its tag `team`; a set without one waits for nobody.

This could also be a group in the fleet file (`counts: sets`), if somebody kept its members up to date. The policy
needs no such list: a set with the tag is in. Where a group does, prefer the group: it costs less, and its numbers are
in `explain`.

`Question.at_work` holds the full names of the sets whose attempt has started a batch and not ended, *and* of those
picked just before in the same instant, so two sets cannot both take the last place. `Question.model` gives the model
of any set. The answer is `Wait`, not `Never`: as soon as a set of the team has ended, the next one may begin. A set
that is at work is not asked to wait for itself, else it would stop after its first batch and keep its place for ever.

>>> import phasegate as pg
>>> ubuntu = pg.ImageReference("Canonical", "UbuntuServer", "18.04-LTS")
>>> names = "basket", "catalogue", "orders"
>>> sets = [pg.ScaleSet(name=name, region="eastus", image=ubuntu, tags={"team": "shop"}, instances=5) for name in names]
>>> image = pg.Image(ubuntu, [pg.ImageVersion("1.0"), pg.ImageVersion("2.0")])
>>> fleet = pg.Fleet(regions=[pg.Region("eastus")], images=[image], sets=sets)
>>> engine = pg.Engine(fleet, pg.policies.availability_first(also=[TeamQuota()]))
>>> state = engine.start(ubuntu.name, now=0)
>>> [batch.set for batch in engine.select(state)]
['eastus/basket', 'eastus/catalogue']
"""

from __future__ import annotations

from attrs import field, frozen, validators

from phasegate.policies import Admit, Never, Question, Wait


@frozen
class TeamQuota:
    """Rule: a set begins only while fewer than `limit` other sets of its team are at work.

    `limit` is at least 1: with 0 no rollout of a team's sets would ever end.
    """

    limit: int = field(default=2, validator=validators.ge(1))
    tag: str = "team"
    name: str = "team-quota"

    def judge(self, question: Question) -> Admit | Wait | Never:
        """Answer `wait` for a set whose team has its number of others at work, `admit` for any other."""
        team = question.set.tags.get(self.tag)
        if team is None or question.set.full_name in question.at_work:
            return Admit()
        busy = [name for name in question.at_work if question.model(name).tags.get(self.tag) == team]
        if len(busy) < self.limit:
            return Admit()
        return Wait((f"team `{team}` has {len(busy)} of {self.limit} sets at work: {', '.join(busy)}",))
