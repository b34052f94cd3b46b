"""The page of a run in a real browser: it opens, steps, links, prints, and nobody's name gets to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_cases import FOREIGN, HOSTILE, SCRIPT, bent, endless, hostile, long_run, rolled_back, waiting_zones

from phasegate.cli.verifypage import page
from phasegate.verifying.result import Result

pytestmark = pytest.mark.untraced

Open = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the page of a result; whatever it complains of or fetches fails the test."""
    complaints: list[str] = []
    contexts = []

    def put(result: Result, fragment: str = "", *, width: int = 1280, height: int = 800, scheme: str = "light") -> Any:
        path = tmp_path / "run.html"
        path.write_bytes(page(result))
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: complaints.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        tab.on("request", lambda request: _note(complaints, request.url, path))
        tab.goto(path.as_uri() + fragment)
        return tab

    yield put
    for context in contexts:
        context.close()
    assert [] == complaints


def _note(complaints: list[str], url: str, path: Path) -> None:
    if url.partition("#")[0] not in (path.as_uri(), "data:,") and not url.startswith("blob:"):
        complaints.append(f"request: {url}")


DRAWN = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"  # links lead on only after a while


def _step(tab: Any) -> str:
    tab.evaluate(DRAWN)
    return str(tab.locator("#bar output").inner_text())


def _now(tab: Any) -> str:
    return str(tab.locator("#now").inner_text())


def _is_seen(tab: Any, locator: Any) -> bool:
    """Say whether the middle of an element is within the window and on top of whatever else is there."""
    script = """(it) => { const box = it.getBoundingClientRect();
        const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return at !== null && (it.contains(at) || at.contains(it)); }"""
    return bool(locator.evaluate(script))


def test_it_opens_at_the_beginning(opened: Open) -> None:
    """Without a complaint, with the verdict and its promise in sight."""
    tab = opened(rolled_back())
    assert "step 0 of 3" == _step(tab)
    assert "✗ violated" in tab.locator("h1").inner_text()
    assert "Nobody is ever rolled back" in tab.locator(".verdict").inner_text()
    assert "rolled back: violated" == tab.title()


def test_keys_step(opened: Open) -> None:
    """Arrows, letters, ends; never beyond them; not with a modifier."""
    tab = opened(rolled_back())
    seen = []
    for key in ("ArrowRight", "j", "k", "End", "ArrowRight", "ArrowLeft", "Home", "ArrowLeft", "Control+j"):
        tab.keyboard.press(key)
        seen.append(int(_step(tab).split()[1]))
    assert [1, 2, 1, 3, 3, 2, 0, 0, 0] == seen


def test_buttons_columns_and_the_story_step(opened: Open) -> None:
    """Each is another way to a step; a button at an end is off."""
    tab = opened(rolled_back())
    assert tab.get_by_role("button", name="Step back").is_disabled()
    tab.get_by_role("button", name="Last step").click()
    assert "step 3 of 3" == _step(tab)
    assert tab.get_by_role("button", name="Step on").is_disabled()
    tab.get_by_role("button", name="Step back").click()
    assert "step 2 of 3" == _step(tab)
    tab.locator('td[data-step="1"][data-row="0"]').click()
    assert "step 1 of 3" == _step(tab)
    tab.locator("#story a").nth(3).click()
    assert "step 3 of 3" == _step(tab)
    tab.locator("thead a").nth(2).click()
    assert "step 2 of 3" == _step(tab)


def test_the_address_holds_the_step(opened: Open) -> None:
    """A link leads to it, stepping writes it, no step is one of the browser's history, nonsense is the beginning."""
    tab = opened(rolled_back(), "#step=2")
    assert "step 2 of 3" == _step(tab)
    before = tab.evaluate("history.length")
    tab.keyboard.press("ArrowRight")
    assert tab.url.endswith("#step=3")
    assert before == tab.evaluate("history.length")
    tab.reload()
    assert "step 3 of 3" == _step(tab)
    for fragment, step in (("#step=99", 3), ("#step=x", 0), ("#elsewhere", 0), ("#step=1", 1)):
        tab.evaluate("fragment => { location.hash = fragment }", fragment)
        tab.locator("#bar output", has_text=f"step {step} of 3").wait_for()


def test_the_violation_is_marked_where_it_happens(opened: Open) -> None:
    """At the last step, in the timeline, the story and the state, and nowhere before."""
    tab = opened(rolled_back())
    assert "here it is broken" not in _now(tab)
    tab.keyboard.press("End")
    assert "✗ here it is broken: promise none_restored" in _now(tab)
    assert "3" == tab.locator("thead .end").inner_text()
    assert ["✗ here it is broken: promise none_restored"] == tab.locator(
        "#story > ol > li:last-child .mark"
    ).all_inner_texts()
    assert _is_seen(tab, tab.locator("#mark"))


def test_the_numbers_of_a_broken_promise_are_in_sight(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch rounded up: how many start of how many, and how many may."""
    result = bent("CEIL", monkeypatch)
    assert result.trace is not None
    tab = opened(result)
    assert result.trace.evidence == tab.locator("header .evidence").inner_text()
    tab.keyboard.press("End")
    assert result.trace.evidence in tab.locator("#mark").inner_text()


@pytest.mark.parametrize("width", [1280, 500])
def test_what_comes_again_and_again_is_bracketed(opened: Open, width: int) -> None:
    """Above the columns of its steps, with words that a screen reader has too; the story and each step say so."""
    tab = opened(endless(), "#step=2", width=width)
    words = "steps 1 to 4 come again and again: after step 4 all is as at the beginning"
    bracket = tab.locator(".scroll td.turn")
    assert ("↺", "4", words) == (
        bracket.inner_text(),
        bracket.get_attribute("colspan"),
        bracket.get_attribute("aria-label"),
    )
    columns = [tab.locator(f'.scroll td[data-step="{step}"][data-row="0"]').bounding_box() for step in (1, 4)]
    box = bracket.bounding_box()
    assert (columns[0]["x"], columns[1]["x"] + columns[1]["width"]) == (box["x"], box["x"] + box["width"])
    assert f"↺ {words}" == tab.locator("#turned").inner_text() == tab.locator("#story li.turn").inner_text()
    assert words in tab.locator("#again").inner_text()
    tab.keyboard.press("Home")
    assert 0 == tab.locator("#again").count()
    assert "beginning" in tab.locator("#story [aria-current]").inner_text()
    tab.keyboard.press("End")
    assert "closes" in tab.locator("#story [aria-current]").inner_text()
    assert "↺ the run has no end: promise 13, every-rollout-ends" in tab.locator("#mark").inner_text()


def test_reasons_change_with_the_step(opened: Open) -> None:
    """Somebody is next, then waits for the batch in flight."""
    tab = opened(waiting_zones())
    assert "the engine itself would start it next" in _now(tab)
    tab.keyboard.press("ArrowRight")
    assert "a batch of its set is in flight: 1 instance" in _now(tab)
    assert "no batch is legal" in _now(tab)
    assert "replace 2.0: eastus/web/" in _now(tab)
    assert "holds cell eastus/" in _now(tab)


def test_gate_arithmetic_and_health_are_shown(opened: Open) -> None:
    """One of four is not healthy: in words, and beside its letter."""
    tab = opened(rolled_back())
    assert "1 of 4 not healthy = 25 % ≤ 25 %" in _now(tab)
    assert "P!" in tab.locator('td[data-step="0"]').all_inner_texts()
    sick = tab.locator('td[data-step="0"]', has_text="!")
    sick.hover()
    assert "eastus/web/3 at step 0: pending, unhealthy, 1.0" == sick.get_attribute("title")


def test_changed_cells_are_framed(opened: Open) -> None:
    """Whoever the step changed, and nobody else."""
    tab = opened(rolled_back())
    framed = tab.locator("td.changed").evaluate_all("all => all.map((one) => one.dataset.step)")
    assert ["1", "2", "3"] == framed
    assert 0 == tab.locator("th.acted").count()
    tab.keyboard.press("End")
    assert 1 == tab.locator("th.acted").count()


def test_names_are_shown_as_text(opened: Open) -> None:
    """Whatever they say, nothing of it runs."""
    tab = opened(hostile(), "#step=1")
    assert tab.evaluate("window.hacked") is None
    assert 0 == tab.locator("img").count()
    assert SCRIPT in tab.locator("h1").inner_text()
    assert SCRIPT in tab.locator(".verdict").inner_text()
    assert HOSTILE in tab.locator("#story").inner_text()
    assert {HOSTILE, FOREIGN} <= set(tab.locator("th.id").all_inner_texts())
    assert f"region {FOREIGN}" in tab.locator("tr.region th").all_inner_texts()


def test_the_log_comes_out_as_it_is(opened: Open, tmp_path: Path) -> None:
    """The very lines that `phasegate replay` runs, in a file with a harmless name."""
    result = hostile()
    tab = opened(result)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save the log").click()
    download.value.save_as(tmp_path / "saved.ndjson")
    assert result.trace is not None
    assert b"".join(result.trace.lines) == (tmp_path / "saved.ndjson").read_bytes()
    assert "/" not in download.value.suggested_filename


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_it_fits_the_screen(opened: Open, width: int, height: int) -> None:
    """Nothing sticks out at the side; the bar stays in sight below; whom a step is about is scrolled to."""
    tab = opened(long_run(120, 60), "#step=60", width=width, height=height)
    assert width >= tab.evaluate("document.documentElement.scrollWidth")
    assert _is_seen(tab, tab.locator("th.acted").first)
    tab.evaluate("window.scrollTo(0, 3000)")
    assert _is_seen(tab, tab.locator("#bar output"))


def test_dark_is_dark(opened: Open) -> None:
    """Paper and ink change places."""
    colours = []
    for scheme in ("light", "dark"):
        tab = opened(rolled_back(), scheme=scheme)
        colours.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert ["rgb(255, 255, 255)", "rgb(22, 24, 28)"] == colours


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_paper(opened: Open, scheme: str) -> None:
    """By a contrast of at least 4.5 to 1: each letter on its colour, and all text on what is under it."""
    tab = opened(long_run(60, 12), "#step=60", scheme=scheme)
    for selector in (".about", ".numbers", ".mark", "#story li li", ".who", ".legend li", ".wide .end", "#now dd"):
        assert 4.5 <= tab.evaluate(CONTRAST, selector)
    for letter in "CPRGVUBOF":
        tab.evaluate("letter => document.querySelector('td[data-row]').className = `c${letter}`", letter)
        assert 4.5 <= tab.evaluate(CONTRAST, "td[data-row]")


CONTRAST = """(selector) => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let it = document.querySelector(selector);
  if (it === null) return 0;
  const ink = light(getComputedStyle(it).color);
  while (getComputedStyle(it).backgroundColor === "rgba(0, 0, 0, 0)") it = it.parentElement;
  const paper = light(getComputedStyle(it).backgroundColor);
  return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
}"""


def test_it_prints_whole(opened: Open) -> None:
    """On paper the timeline stands in pieces, the whole story below; on the screen it is one again."""
    tab = opened(long_run(40, 12))
    tab.emulate_media(media="print")
    tab.locator("#paper table").nth(2).wait_for()
    assert 3 == tab.locator("#paper table").count()
    assert not tab.locator("#bar").is_visible()
    assert tab.locator("#story > ol > li").last.is_visible()
    tab.emulate_media(media="screen")
    tab.locator("#paper table").first.wait_for(state="detached")
    assert tab.locator("#bar").is_visible()


def test_it_is_read_by_what_it_says(opened: Open) -> None:
    """For who does not see it: parts have names, heads of rows and columns are heads, the step is read out."""
    tab = opened(rolled_back(), "#step=1")
    for name in ("Timeline", "The state at this step", "The story"):
        assert 1 == tab.get_by_role("region", name=name).count()
    assert 4 == tab.locator('th.id[scope="row"]').count()
    assert "step 1 of 3" == tab.get_by_role("status").inner_text()
    assert "step" == tab.locator("#story > ol > li").nth(1).get_attribute("aria-current")


def test_without_the_script_the_story_is_there(browser: Any, tmp_path: Path) -> None:
    """Verdict and steps; what needs the script is not."""
    path = tmp_path / "run.html"
    path.write_bytes(page(rolled_back()))
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(path.as_uri())
    assert tab.locator("#story > ol > li").last.is_visible()
    assert not tab.locator("#bar").is_visible()
    context.close()


def test_hundreds_of_steps_of_sixty_instances_are_all_there(opened: Open) -> None:
    """Each state of each instance is a cell, and a hundred steps by key come to where they should."""
    tab = opened(long_run(300, 60))
    assert 301 * 60 == tab.locator("td[data-row]").count()
    for _ in range(100):
        tab.keyboard.press("ArrowRight")
    assert "step 100 of 300" == _step(tab)
