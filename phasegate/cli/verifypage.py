"""The run that `phasegate verify` found as one self-contained web page: its story, stepped through state by state.

What a page says is worded here; `data/verify.js` lays it out and steps through it. Nothing comes from the net, and the
page's own content policy lets nothing in. The verdict and the story stand in it without the script too.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any, Final

from phasegate.cli.verifyview import AGAIN, how_explored, verdict_in_words
from phasegate.cli.words import ERRORS, STATES, sentence
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.reasons import Code, Reason
from phasegate.plotting.summary import counted
from phasegate.verifying.frames import Course, Frame, Place, Share, Standing, Waiting, frames, places
from phasegate.verifying.result import Result
from phasegate.verifying.story import Sentence, again, story
from phasegate.verifying.trace import Trace

LETTERS: Final[Mapping[Life, str]] = {
    Life.CURRENT: "C",
    Life.EXCLUDED: "X",
    Life.PENDING: "P",
    Life.REPLACING: "R",
    Life.CONFIGURING: "G",
    Life.VERIFYING: "V",
    Life.UPGRADED: "U",
    Life.RESTORING: "B",
    Life.RESTORED: "O",
    Life.FAILED: "F",
}
"""What stands for a state in the timeline; whoever is not there is a `.`."""
HEALTHS: Final[Mapping[Health, str]] = {
    Health.HEALTHY: "h",
    Health.UNHEALTHY: "u",
    Health.UNKNOWN: "n",
    Health.INITIALIZING: "i",
}
ATTEMPTS: Final[Mapping[str, str]] = {
    "none": "",
    "waiting": "w",
    "rolling-forward": "r",
    "completed": "c",
    "faulted": "f",
    "cancelled": "x",
}
NOBODY: Final = "."
_TIMELESS: Final[Mapping[Code, str]] = {
    Code.NOT_BEFORE: "its set waits for its delay, or the pause between its batches, to pass",
    Code.OUTSIDE_WINDOW: "its set is outside its maintenance windows",
}
"""Reasons whose words name an instant, which is none here: time is abstract."""


def page(result: Result) -> bytes:
    """Return the page of the run that a result shows; it has one (`result.trace` is not None)."""
    trace = result.trace
    assert trace is not None, "asked for where there is one"
    told = story(trace)
    style, script = _asset("verify.css"), _asset("verify.js")
    title = f"{result.scenario.name}: {result.verdict}"
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        f'<head><meta charset="utf-8"><title>{escape(title)}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<link rel="icon" href="data:,">',
        f"<style>{style}</style></head>",
        "<body>",
        *_head(result, trace.evidence),
        '<nav id="bar" hidden aria-label="Steps"></nav>',
        "<main>",
        '<section id="timeline" hidden aria-label="Timeline"></section>',
        '<section id="now" hidden aria-label="The state at this step"></section>',
        *_story(result, told),
        "</main>",
        f'<script type="application/json" id="data">{_embedded(document(result, trace, told))}</script>',
        f"<script>{script}</script>",
        "</body></html>",
        "",
    ]
    return "\n".join(parts).encode("utf-8", "replace")  # a name may hold half of a surrogate pair


def _asset(name: str) -> str:
    return (files("phasegate") / "data" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _embedded(data: Any) -> str:
    """Return the data as JSON that ends no script, whatever names are in it."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")


# --- what stands there without the script ----------------------------------------------------------------------------


def _head(result: Result, evidence: str) -> Iterator[str]:
    now = result.progress
    signs = {"violated": "✗", "holds": "✓"}
    badge = f"{signs.get(result.verdict, '?')} {result.verdict}"
    yield f'<header><h1>{escape(result.scenario.name)} <b class="{result.verdict}">{badge}</b></h1>'
    if result.scenario.about:
        yield f'<p class="about">{escape(result.scenario.about)}</p>'
    yield f'<p class="verdict">{escape(verdict_in_words(result).plain)}</p>'
    if evidence:
        yield f'<p class="evidence">{escape(evidence)}</p>'
    numbers = (
        counted(now.states, "state", "states"),
        counted(now.transitions, "transition", "transitions"),
        f"depth {now.depth}",
        f"explored {how_explored(result)}",
    )
    yield f'<p class="numbers">{escape("  ·  ".join(numbers))}</p></header>'


def _story(result: Result, told: Sequence[Sentence]) -> Iterator[str]:
    yield '<section id="story" aria-label="The story"><h2>The story</h2><ol>'
    assert result.trace is not None, "asked for where there is one"
    repeated = len(told) - result.trace.again + 1 if result.trace.again else len(told) + 1  # the first step that is
    items = [("0", "beginning", "", ()), *((str(one.number), one.who, one.did, one.came) for one in told)]
    for number, who, did, came in items:
        lines = "".join(f"<li>{escape(line)}</li>" for line in came)
        is_again = int(number) >= repeated
        if int(number) == repeated:
            yield f'<li class="turn" role="note"><p>{AGAIN} {escape(again(result.trace))}</p></li>'
        link = f'<a href="#step={number}"><b>{number}</b> <span class="who">{escape(who)}</span> {escape(did)}</a>'
        yield f"{'<li class=again>' if is_again else '<li>'}{link}{f'<ul>{lines}</ul>' if lines else ''}"
        if number == items[-1][0]:
            yield f'<p class="{result.verdict} mark">{escape(mark(result))}</p>'
        yield "</li>"
    yield "</ol></section>"


def mark(result: Result) -> str:
    """Return what is shown at the last step."""
    broken = result.broken
    if broken is None:
        return f"✓ here it is shown: {result.witness}"
    of = f"promise {broken.number}, {broken.name}" if broken.number is not None else f"promise {broken.name}"
    if broken.kind == "eventually":
        return f"✗ the run ends without it: {of}"
    if result.trace is not None and result.trace.again:
        return f"{AGAIN} the run has no end: {of}"
    return f"✗ here it is broken: {of}"


# --- what the script steps through -----------------------------------------------------------------------------------


class Texts:
    """Texts by number: what is said again in state after state is in the page once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the number of a text."""
        return self.numbers.setdefault(text, len(self.numbers))


def document(result: Result, trace: Trace, told: Sequence[Sentence]) -> dict[str, Any]:
    """Return everything that the page shows of a trace, as plain data."""
    found = frames(trace)
    rows = places(trace.engine, found)
    at = {place: number for number, place in enumerate(rows)}
    by_name = {f"{place.set}/{place.id}": number for place, number in at.items()}
    texts = Texts()
    steps: list[dict[str, Any]] = [{"who": "", "did": "the beginning", "came": [], "acted": []}]
    steps += [
        {
            "who": one.who,
            "did": one.did,
            "came": list(one.came),
            "acted": [by_name[name] for name in step.names if name in by_name],
        }
        for one, step in zip(told, trace.steps, strict=True)
    ]
    sets = trace.engine.compiled.directory.sets
    return {
        "rows": [_row(place, sets) for place in rows],
        "sets": list(sets),
        "lives": {LETTERS[life]: [life.word, STATES[life]] for life in LETTERS},
        "healths": {letter: health.name.lower() for health, letter in HEALTHS.items()},
        "attempts": {letter: word for word, letter in ATTEMPTS.items()},
        "steps": steps,
        "frames": [_frame(one, rows, at, texts) for one in found],
        "mark": mark(result),
        "again": [len(told) - trace.again + 1, again(trace)] if trace.again else None,
        "ending": "; ".join(part for part in (trace.evidence, result.reason) if part),
        "isBroken": result.broken is not None,
        "log": [line.decode() for line in trace.lines],
        "name": result.scenario.name,
        "texts": list(texts.numbers),  # the last: all that goes before has put its own in
    }


def _row(place: Place, sets: Sequence[str]) -> dict[str, Any]:
    return {
        "id": place.id,
        "set": sets.index(place.set),
        "region": place.region,
        "zone": place.zone,
        "domain": place.upgrade_domain,
    }


def _frame(one: Frame, rows: Sequence[Place], at: Mapping[Place, int], texts: Texts) -> dict[str, Any]:
    beings = [one.beings.get(place) for place in rows]
    return {
        "life": "".join(NOBODY if being is None else LETTERS[being.life] for being in beings),
        "health": "".join(NOBODY if being is None else HEALTHS[being.health] for being in beings),
        "versions": [None if being is None else texts(being.version or "unknown") for being in beings],
        "sets": [_standing(standing, texts) for standing in one.sets],
        "rollouts": [texts(_course(course)) for course in one.rollouts],
        "waiting": [_waiting(waiting, at, texts) for waiting in one.waiting],
        "choices": [
            [[at[place] for place in candidates], texts(_choice(choice.cell, choice.upgrade_domain, choice.at_most))]
            for choice, candidates in one.choices
        ],
        "commands": [
            [[at[place] for place in those], texts(f"{some.do.word} {some.version}".strip())]
            for some, those in one.commands
        ],
    }


def _waiting(waiting: Waiting, at: Mapping[Place, int], texts: Texts) -> list[Any]:
    words = ["the engine itself would start it next"] if waiting.is_next else list(map(_reason, waiting.reasons))
    return [[at[place] for place in waiting.places], [texts(text) for text in words]]


def _reason(reason: Reason) -> str:
    return _TIMELESS.get(reason.code) or sentence(reason)


def _choice(cell: str, domain: int, at_most: int) -> str:
    return f"in {cell}, upgrade domain {domain}: at most {at_most} at a time"


def _standing(standing: Standing, texts: Texts) -> dict[str, Any]:
    code = standing.error
    said = standing.status if code is None else f"{standing.status}: {ERRORS.get(code, code)} ({code})"
    return {
        "status": ATTEMPTS[standing.status],
        "said": texts("no rollout has it" if standing.status == "none" else said),
        "marks": [texts(word.replace("-", " ")) for word in standing.marks],
        "hold": None if standing.hold is None else texts(standing.hold),
        "gates": [[texts(words), is_over] for words, is_over in gates(standing)],
    }


def gates(standing: Standing) -> Iterator[tuple[str, bool]]:
    """Yield the arithmetic of a set's gates in words, and whether it is over: not healthy, bad, in flight."""
    unhealthy, bad, flight = standing.unhealthy, standing.bad, standing.in_flight
    yield _arithmetic(unhealthy, "not healthy"), unhealthy.is_over
    if bad.of:
        yield _arithmetic(bad, "bad after their upgrade"), bad.is_over
    if flight.count:
        yield (
            f"{flight.count} of {flight.of} in flight; a batch: {flight.percent} % of {flight.of}, rounded down",
            False,
        )


def _arithmetic(share: Share, words: str) -> str:
    if not share.of:
        return f"nobody is {words}: there is nobody"
    percent = f"{100 * share.count / share.of:.2f}".rstrip("0").rstrip(".")
    return f"{share.count} of {share.of} {words} = {percent} % {'>' if share.is_over else '≤'} {share.percent} %"


def _course(course: Course) -> str:
    said = [f"rollout {course.number}: {course.image} to {course.target}: {course.status}"]
    if course.phases and course.status == "running":
        said.append(f"phase {course.phase} of {course.phases} is open (counted from 0)")
    said += [word for word, holds in (("paused", course.is_paused), ("baking", course.is_baking)) if holds]
    return ", ".join(said)
