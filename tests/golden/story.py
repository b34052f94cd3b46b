"""Renders a log as a story: what there is, the plan and why, then one line for each thing that matters, in order.

What goes without saying is left out: that a disk is swapped and configured after its batch has started (unless a story
asks for every step), and reports that tell nothing new. Times count from the start of the log.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from .story_cast import FLIGHT, Cast, Line, cast_of, ids, image_name
from .story_plan import opening, reasons
from .story_words import Row, clock, laid_out, percent, plain, which, whole, zone


def tell(lines: Iterable[Line], *, every_step: bool = False) -> str:
    """Return the story of a log (its lines as dicts, the first the header), every step of each instance if wanted."""
    rest = iter(lines)
    story = Story.of(next(rest), every_step=every_step)
    for line in rest:
        story.read(line)
    return "\n".join([*laid_out(story.told), ""])


@define
class Story:
    """A story while it is told."""

    fleet: Line
    policy: Line
    start: int
    cast: dict[str, Cast]
    every_step: bool
    told: list[str | Row] = field(factory=list)
    target: dict[int, str] = field(factory=dict)
    _restores: dict[str, str] = field(factory=dict)  # set: the version that its last restore command brings back
    _causes: dict[tuple[str, str], str] = field(factory=dict)  # (set, id): the failure reported in this step

    @classmethod
    def of(cls, header: Line, *, every_step: bool) -> Story:
        """Open a story: the fleet, the policy's choices, what the environment was told to do."""
        fleet, policy = header["fleet"], header["policy"]
        cast = cast_of(fleet, policy)
        return cls(fleet, policy, header["t"], cast, every_step, list(opening(header, cast)))

    def say(self, line: Line, who: str, what: str, note: str = "") -> None:
        """Write one line of the telling."""
        self.told.append(Row(clock(line["t"] - self.start), who, what, note))

    def read(self, line: Line) -> None:
        """Take in one line; kinds that tell nothing to a reader are passed over."""
        reader = getattr(self, "_" + line["kind"].replace("-", "_"), None)
        if reader is not None:
            reader(line)

    def _step(self, line: Line) -> None:
        self._causes.clear()

    def _rollout_started(self, line: Line) -> None:
        number = line["rollout"]
        self.target[number] = line["target"]
        kind = "manual rollout" if line["manual"] else "rollout"
        self.told.append("")
        what = f"{kind} of {line['image']} to {line['target']}, started by {line['started_by']}"
        self.say(line, f"rollout {number}", what)
        for text in reasons(self.fleet, self.cast, line):
            self._why(text)

    def _why(self, text: str) -> None:
        self.told.append(f"{'':>12}{text}")

    def _phase_opened(self, line: Line) -> None:
        self.say(line, f"rollout {line['rollout']}", f"phase {line['phase']} opens: {' '.join(line['regions'])}")

    def _phase_ended(self, line: Line) -> None:
        word = "succeeded" if line["succeeded"] else "did not succeed"
        what = f"phase {line['phase']} {word}: {line['lost']} lost of {line['eligible']} eligible"
        self.say(line, f"rollout {line['rollout']}", what)

    def _rollout_ended(self, line: Line) -> None:
        self.say(line, f"rollout {line['rollout']}", f"ended {line['status']}: {line['reason']}")

    def _batch_started(self, line: Line) -> None:
        set_ = self.cast[line["set"]]
        if set_.rollout != line["rollout"]:  # its region has joined a rollout of a gallery image
            set_.begin(line["rollout"], self.target[line["rollout"]])
        set_.batches += 1
        names = [cell.rpartition("/")[2] for cell in line.get("cells") or [line["cell"]]]
        place = " and ".join(zone(None if name == "-" else name) for name in names)
        note = f"cap {set_.cap}"
        if set_.ill:
            well = max(0, set_.cap - set_.ill)
            note += f", {set_.ill} not healthy"
            note += f", so {well} healthy at most" if self.policy["unhealthy_shrinks_batch"] else ""
        what = f"batch {set_.batches}: {place}, ud {line['upgrade_domain']}: {ids(line['instances'])}"
        self.say(line, self._who(line), what, note)

    def _who(self, line: Line) -> str:
        of = f" ({line['rollout']})" if len(self.target) > 1 and line.get("rollout") is not None else ""
        return f"{line['set']}{of}"

    def _command(self, line: Line) -> None:
        if line["do"] == "restore":
            self._restores[line["set"]] = line["version"]

    def _became(self, line: Line) -> None:
        set_, life, cause = self.cast[line["set"]], line["state"], line["cause"]
        if life == "gone":
            return  # the line `scaled` has said so
        was = {set_.members[ident].life for ident in line["instances"]}
        set_.became(line)
        names = ids(line["instances"])
        if life == "upgraded":
            self.say(
                line, self._who(line), f"upgraded: {names}", f"{set_.count('upgraded')} upgraded, {set_.total} in all"
            )
        elif life == "restoring":
            self.say(
                line,
                self._who(line),
                f"rolling back to {self._restores[set_.name] or 'what was there'}: {names}",
                self._cause(line, was),
            )
        elif life == "restored":
            self.say(line, self._who(line), f"restored: {names}")
        elif life == "failed":
            self.say(line, self._who(line), f"failed: {names}", self._cause(line, was))
        elif life in ("configuring", "verifying"):
            if self.every_step:
                self.say(line, self._who(line), f"{life}: {names}")
        elif life == "excluded" or (life in ("pending", "current") and cause not in ("rollout", "batch")):
            self.say(line, self._who(line), f"{life}: {names}", f"({cause})")

    def _cause(self, line: Line, was: set[str]) -> str:
        if line["cause"] == "deadline":
            limit = self.policy["health_timeout_ms" if was == {"verifying"} else "step_timeout_ms"] // 60_000
            return f"{' '.join(sorted(was))} for {limit} minutes"
        failed = {self._causes.get((line["set"], ident), "") for ident in line["instances"]}
        return ", ".join(sorted(failed))

    def _signal(self, line: Line) -> None:
        set_, what = self.cast[line["set"]], line["what"]
        if what in ("failed", "restore-failed"):
            for ident in line["instances"]:
                self._causes[set_.name, ident] = f"{line['do']} failed"
            return
        if "command" in line:
            return
        changed = list(set_.heard(line))
        worth = [
            ident for ident, old, new in changed if new in ("unhealthy", "unknown") or old in ("unhealthy", "unknown")
        ]
        if worth:
            of = f"{set_.ill} of {set_.total} not healthy"
            self.say(line, line["set"], f"reported {what}: {ids(worth)}", of)

    def _ignored(self, line: Line) -> None:
        self.say(line, line["set"], f"ignored, {line['why']}: `{line['what']}` of {ids(line['instances'])}")

    def _attempt_ended(self, line: Line) -> None:
        set_, error, counts = self.cast[line["set"]], line["error"], line["progress"]
        numbers = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in counts if counts[name])
        self.say(line, self._who(line), f"attempt {line['status']}: {numbers or 'no instances'}")
        if error is not None:
            self._why(f"{error}{self._gate(set_, error)}")

    def _gate(self, set_: Cast, error: str) -> str:
        """Return the numbers that broke a gate, nothing for an error that is none of the two gates."""
        if error.startswith("MaxUnhealthyUpgraded"):
            (bad, of), word, limit = set_.bad_of_attempted, "bad", set_.limit("max_unhealthy_upgraded_percent")
        elif error.startswith("MaxUnhealthyInstance"):
            bad, of, word, limit = set_.ill, set_.total, "not healthy", set_.limit("max_unhealthy_percent")
        else:
            return ""
        return f": {bad} of {of} {word} = {percent(bad, of)} > {limit} %"

    # --- the world ---------------------------------------------------------------------------------------------------

    def _scaled(self, line: Line) -> None:
        set_ = self.cast[line["set"]]
        for ident in line["removed"]:
            del set_.members[ident]
        for row in line["added"]:
            set_.add(row, None, "initializing", line["t"])
        if line["removed"]:
            self.say(line, line["set"], f"scaled in by {ids(line['removed'])}", f"{set_.total} in all, cap {set_.cap}")
        if line["added"]:
            added: dict[str, list[str]] = {}
            for row in line["added"]:
                place = f"{zone(row['zone'])}, ud {row['upgrade_domain']}, on {row['version']}"
                added.setdefault(place, []).append(row["id"])
            places = "; ".join(f"{ids(names)} ({place})" for place, names in added.items())
            self.say(line, line["set"], f"scaled out by {places}", f"{set_.total} in all, cap {set_.cap}")

    def _configured(self, line: Line) -> None:
        set_, model = self.cast[line["set"]], line["model"]
        old, set_.model = whole(set_.model), {**model, "instances": set_.model.get("instances", 0)}
        for member in set_.members.values():
            member.failed.clear()
            if image_name(old["image"]) != image_name(model["image"]) and member.life not in FLIGHT:
                member.version = None  # versions of two images do not compare
        changed = {key: value for key, value in whole(set_.model).items() if old.get(key) != value}
        self.say(line, line["set"], f"configured: {plain(changed)}")

    def _applied(self, line: Line) -> None:
        self.say(line, line["set"], f"the model is applied to {ids(line['instances'])}")

    def _published(self, line: Line) -> None:
        self.say(line, "published", f"{line['image']} {line['version']['version']}")

    def _replicated(self, line: Line) -> None:
        but = ", excluded from latest" if line["exclude_from_latest"] else ""
        self.say(line, "replicated", f"{line['image']} {line['version']} to {line['region']}{but}")

    def _protected(self, line: Line) -> None:
        word = "protected" if line["protected"] else "protected no more"
        for ident in line["instances"]:
            self.cast[line["set"]].members[ident].protected = line["protected"]
        self.say(line, line["set"], f"{word}: {ids(line['instances'])}")

    def _paused(self, line: Line) -> None:
        self.say(line, which(line), "paused")

    def _resumed(self, line: Line) -> None:
        self.say(line, which(line), "resumed")

    def _cancelled(self, line: Line) -> None:
        self.say(line, which(line), "cancelled: nothing starts any more")

    def _log_ended(self, line: Line) -> None:
        self.say(line, "", f"nothing is left to happen, after {line['steps']} steps")
