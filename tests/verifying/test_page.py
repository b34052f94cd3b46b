"""The page of a run: what stands in it, before any browser has seen it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from fleets import a_fleet, a_set
from oracle_models.scenarios import a_scenario
from page_cases import HOSTILE, SCRIPT, bent, endless, hostile, none_restored, rolled_back, waiting_zones

from phasegate.cli.verifypage import ATTEMPTS, HEALTHS, LETTERS, document, gates, mark, page
from phasegate.core import tracing
from phasegate.core.exploring.acts import Freedom
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health
from phasegate.core.twin import Kernel as Twin
from phasegate.verifying.frames import UNTRIED, Share, Standing, frames, places
from phasegate.verifying.promise import Custom, eventually
from phasegate.verifying.result import Result
from phasegate.verifying.run import verify
from phasegate.verifying.story import again, story

DATA = Path(__file__).parents[2] / "phasegate" / "data"


class Parsed(HTMLParser):
    """The tags, the addresses, the texts, and the contents of the scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note the text."""
        (self.scripts if self.cdata_elem == "script" else self.texts).append(data)


def _data(result: Result) -> dict[str, Any]:
    assert result.trace is not None
    return document(result, result.trace, story(result.trace))


def _standing(**shares: Share) -> Standing:
    known = {name: Share(count=0, of=0, percent=20) for name in ("in_flight", "unhealthy", "bad")}
    return Standing(set="eastus/web", status="waiting", error=None, marks=(), hold=None, **known | shares)


def test_every_state_health_and_status_has_a_letter_and_its_colour() -> None:
    """No two share one, and each letter of a state has a rule in the style."""
    style = (DATA / "verify.css").read_text()
    assert {*Life} - {Life.GONE} == set(LETTERS)
    assert {*Health} == set(HEALTHS)
    assert {UNTRIED, *tracing.ATTEMPTS.values()} == set(ATTEMPTS)
    for table in (LETTERS, HEALTHS, ATTEMPTS):
        assert len(table) == len(set(table.values()))
    assert [] == [letter for letter in LETTERS.values() if not re.search(rf"\.c{letter}\b", style)]


def test_equal_results_give_equal_bytes() -> None:
    """Nothing in a page depends on the time of day or the order of a hash."""
    result = rolled_back()
    assert page(result) == page(result)


def test_the_story_and_the_verdict_stand_there_without_the_script() -> None:
    """The promise, its sentence, and each step with who acted."""
    result = rolled_back()
    texts = " ".join(Parsed(page(result).decode()).texts)
    assert result.trace is not None
    for words in ("✗ violated", "Nobody is ever rolled back", "✗ here it is broken: promise none_restored"):
        assert words in texts
    for told in story(result.trace):
        assert told.did in texts


def test_nothing_comes_from_elsewhere() -> None:
    """No address in it leads out, and its own policy allows none."""
    parsed = Parsed(page(rolled_back()).decode())
    addresses = [value for name, value in parsed.attributes if name in ("src", "href", "action", "data", "srcset")]
    assert all(value is not None and value.startswith(("#step=", "data:,")) for value in addresses)
    assert any(value is not None and value.startswith("default-src 'none';") for _, value in parsed.attributes)


def test_names_are_text() -> None:
    """A name that would be markup opens no tag and ends no script; half a pair of surrogates breaks nothing."""
    result = hostile()
    parsed = Parsed(page(result).decode())
    assert [] == [tag for tag in parsed.tags if tag == "img"]
    assert 2 == parsed.tags.count("script")
    assert [json.loads(parsed.scripts[0])["name"]] == [SCRIPT]
    assert any(SCRIPT in text for text in parsed.texts)
    assert any(HOSTILE in text for text in parsed.texts)


def test_frames_are_the_states_of_the_trace() -> None:
    """One more than there are steps; everybody is in each, in the order of the timeline."""
    result = waiting_zones()
    trace = result.trace
    assert trace is not None
    found = frames(trace)
    rows = places(trace.engine, found)
    assert len(trace.steps) + 1 == len(found)
    assert [("1", "0"), ("1", "3"), ("2", "1"), ("2", "4"), ("3", "2"), ("3", "5")] == [(p.zone, p.id) for p in rows]
    assert {Life.PENDING} == {being.life for being in found[0].beings.values()}
    assert {"1.0"} == {being.version for being in found[0].beings.values()}
    assert "eastus" == rows[0].region


def test_who_waits_is_told_why_and_who_is_next() -> None:
    """First somebody is next and the other zones wait for it; then a batch is in flight."""
    data = _data(waiting_zones())
    texts = data["texts"]
    told = [
        [([data["rows"][row]["id"] for row in those], [texts[why] for why in whys]) for those, whys in one["waiting"]]
        for one in data["frames"]
    ]
    assert any("the engine itself would start it next" in whys for _, whys in told[0])
    assert any("a batch of its set is in flight: 1 instance" in whys for _, whys in told[1])
    assert told[0] != told[1]


def test_commands_choices_and_holds_are_there() -> None:
    """What may start at first; after the start what is commanded, and the cell that is held."""
    data = _data(waiting_zones())
    texts, (first, second, *_) = data["texts"], data["frames"]
    assert "in eastus/1, upgrade domain 0: at most 1 at a time" == texts[first["choices"][0][1]]
    assert [] == first["commands"]
    assert ["replace 2.0"] == [texts[what] for _, what in second["commands"]]
    assert "eastus/1" == texts[second["sets"][0]["hold"]]


def test_gates_are_arithmetic_in_words() -> None:
    """Over, within, exactly at it, nobody, and in flight."""
    over = _standing(unhealthy=Share(count=3, of=10, percent=20), bad=Share(count=1, of=3, percent=34))
    flying = _standing(unhealthy=Share(count=2, of=10, percent=20), in_flight=Share(count=1, of=10, percent=25))
    assert [
        ("3 of 10 not healthy = 30 % > 20 %", True),
        ("1 of 3 bad after their upgrade = 33.33 % ≤ 34 %", False),
    ] == list(gates(over))
    assert [
        ("2 of 10 not healthy = 20 % ≤ 20 %", False),
        ("1 of 10 in flight; a batch: 25 % of 10, rounded down", False),
    ] == list(gates(flying))
    assert [("nobody is not healthy: there is nobody", False)] == list(gates(_standing()))


@pytest.mark.parametrize("name", ["CEIL", "FORGIVE", "TRUST", "WRITTEN"])
def test_each_seeded_defect_has_a_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the promise by its number, and the numbers by which it is broken."""
    result = bent(name, monkeypatch)
    assert result.broken is not None
    assert result.trace is not None
    text = page(result).decode()
    assert f"promise {result.broken.number}, {result.broken.name}" in text
    assert result.trace.evidence
    assert json.dumps(result.trace.evidence)[1:-1].replace("<", "\\u003c") in text


def test_a_run_that_ends_without_what_was_promised_says_so() -> None:
    """It is not its last act that breaks a promise of `eventually`."""

    @eventually(reads=("restored",))
    def restores(state: Any) -> bool:
        return bool(state.restored)

    result = verify(a_scenario(a_fleet(a_set(instances=1)), Freedom(lost_reports=0)), promises=[restores], kernel=Twin)
    assert "✗ the run ends without it: promise restores" == mark(result)
    assert result.trace is not None
    assert "restored = 0; rollout 0 is completed" == result.trace.evidence


def test_who_is_not_through_is_told_where_a_run_ends() -> None:
    """How many of each set are where, by name, and how their attempt stands."""

    @eventually(reads=("upgraded",))
    def upgrades(state: Any) -> bool:
        return bool(state.upgraded == 2)

    fleet = a_fleet(a_set(instances=2))
    result = verify(a_scenario(fleet, Freedom(lost_reports=0, failed_steps=1)), promises=[upgrades], kernel=Twin)
    assert result.trace is not None
    said = "1 of 2 of eastus/web (faulted) pending: eastus/web/1; 1 of 2 of eastus/web (faulted) restored: eastus/web/0"
    assert f"upgraded = 0; rollout 0 is halted; {said}" == result.trace.evidence


def test_a_run_without_an_end_says_what_comes_again() -> None:
    """At the head of the story, beside each of its steps, in the data, and where it would end."""
    result = endless()
    assert result.trace is not None
    assert 4 == result.trace.again == len(result.trace.steps)
    words = "steps 1 to 4 come again and again: after step 4 all is as at the beginning"
    text = page(result).decode()
    assert f'<li class="turn" role="note"><p>↺ {words}</p></li>\n<li class=again>' in text
    assert 4 == text.count("<li class=again>")
    assert [1, words] == document(result, result.trace, story(result.trace))["again"]
    assert "↺ the run has no end: promise 13, every-rollout-ends" == mark(result)
    waiting = "1 of 1 of eastus/web (waiting, window shut) pending: eastus/web/0"
    assert result.trace.evidence.endswith(waiting)


def test_one_step_may_come_again_by_itself() -> None:
    """What is said counts the steps, and names the one before."""
    trace = rolled_back().trace
    assert trace is not None
    last = len(trace.steps)
    assert "" == again(trace)
    assert f"step {last} comes again and again: after step {last} all is as after step {last - 1}" == again(
        evolve(trace, again=1)
    )


def test_what_a_promise_of_ones_own_reads_is_its_evidence() -> None:
    """Numbers, tuples, sets and budgets; whoever it names is left out, and emptiness is said."""
    reads = ("restored", "attempts", "happened", "left", "life")
    promise = Custom("mine", "always", none_restored.predicate, reads)
    result = verify(a_scenario(a_fleet(a_set(instances=1)), Freedom(failed_steps=2)), promises=[promise], kernel=Twin)
    assert result.trace is not None
    parts = result.trace.evidence.split(", ")
    assert ["restored = 1", "attempts = faulted", "happened = nothing"] == parts[:3]
    assert parts[3].startswith("left = 1 failed_steps")
    assert 4 == len(parts)


def test_time_is_abstract_in_reasons() -> None:
    """No instant that no clock showed is named; nor a window's next opening."""
    fleet = a_fleet(a_set(instances=1))
    result = verify(
        a_scenario(fleet, Freedom(lost_reports=0, failed_steps=1), delays=True), promises=[none_restored], kernel=Twin
    )
    data = _data(result)
    assert any("its set waits for its delay" in text for text in data["texts"])
    assert [] == [text for text in data["texts"] if "2004-" in text]
