"""The plot of a rollout: the files, and what stands where on the sheet."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from rollout_logs import IMAGE, MINUTE, Line, Story, lines

from phasegate.core.errors import PhasegateError
from phasegate.files.documents import InvalidFile
from phasegate.plotting import canvas
from phasegate.plotting.crowding import losses
from phasegate.plotting.frame import HAIR, MARGIN, WIDTH, Frame
from phasegate.plotting.frame import SMALL as SMALL_TEXT
from phasegate.plotting.layout import HEIGHT_AIM, HEIGHT_MAX, PHASE_HEADING, ROW_MAX, ROW_MIN, lay_out
from phasegate.plotting.legend import LINE, SIGN, flow, keys
from phasegate.plotting.page import inline
from phasegate.plotting.palette import BAD, CROSS_ZONE, ZONELESS, ZONES, lighter
from phasegate.plotting.panels import nice_step, percent
from phasegate.plotting.picture import picture
from phasegate.plotting.plot import ENDINGS, check, collect, draw
from phasegate.plotting.summary import in_words, phase_words, rollout_words, shared_words, title_of
from phasegate.plotting.times import EPOCH_FROM_MS, Clock
from phasegate.plotting.tracks import Timeline

EVENTS: tuple[Line, ...] = (
    {"t": 60 * MINUTE, "kind": "paused", "rollout": None},
    {"t": 95 * MINUTE, "kind": "resumed", "rollout": None},
    {"t": 100 * MINUTE, "kind": "published", "image": IMAGE, "version": "18.04.202403010"},
    {"t": 130 * MINUTE, "kind": "scaled", "set": "eastus/web0", "added": [{"id": "77"}], "removed": []},
    {"t": 131 * MINUTE, "kind": "scaled", "set": "westeurope/web0", "added": [], "removed": ["3", "4"]},
    {"t": 200 * MINUTE, "kind": "published", "image": IMAGE, "version": "18.04.202404010"},
    {"t": 203 * MINUTE, "kind": "published", "image": IMAGE, "version": "18.04.202405010"},
)
HALTED = Story(regions=12, sets=3, instances=40, bad_regions=(4,), extra=EVENTS)
SMALL = Story(restored=0.05, failed=0.05, pause_ms=10 * MINUTE, outage=(100, 120))
LARGE = Story(regions=60, sets=4, instances=40, restored=0.02, failed=0.01, start=EPOCH_FROM_MS)


def several() -> list[Line]:
    """Return a log of three rollouts: across zones, zoneless, and a manual one that was cancelled."""
    first = list(lines(Story(regions=3, cross_zone=True, spread=False)))
    second = list(lines(Story(regions=3, zoneless=True, seed=5, pause_ms=2 * MINUTE, start=100 * MINUTE)))[1:]
    for line in second:
        line["rollout"] = 2
        if "set" in line:
            line["set"] += "b"
        if "image" in line:
            line["image"] = "Canonical/" + "a-very-long-name-of-an-offer-" * 8
    head, rest = first[0], first[1:]
    head["fleet"]["sets"] += [one | {"name": one["name"] + "b"} for one in head["fleet"]["sets"]]
    head["fleet"]["sets"].append({"name": "db", "region": "north", "zones": ["a"], "instances": 3})
    head["fleet"]["regions"].append({"name": "north", "zones": list("abcdefgh")})
    third: list[Line] = [
        {"t": 0, "kind": "rollout-started", "image": "$a$ <b>", "target": "1.2", "started_by": "ann", "phases": None},
        {"t": 9 * MINUTE, "kind": "batch-started", "set": "north/db", "cell": "north/g", "instances": ["0"]},
        {"t": 20 * MINUTE, "kind": "became", "set": "north/db", "state": "upgraded", "instances": ["0"]},
        {"t": 30 * MINUTE, "kind": "cancelled"},
    ]
    rest += second + [line | {"rollout": 3} for line in third]
    return [head, *sorted(rest, key=lambda line: line["t"])]


def many(rollouts: int) -> list[Line]:
    """Return a log of many rollouts that only began."""
    log = list(lines(Story(regions=30, sets=1, instances=4)))
    start = log[1]
    return [log[0], *(start | {"rollout": number} for number in range(rollouts)), {"t": 5, "kind": "log-ended"}]


def crowded() -> list[Line]:
    """Return a log of three rollouts over 60 regions each, in which two regions lost something."""
    log = list(lines(Story(regions=60, sets=1, instances=10, restored=0.0, bad_regions=(20, 45))))
    head, rest = log[0], log[1:]
    sets = head["fleet"]["sets"]
    for number, letter in ((2, "b"), (3, "c")):
        good = list(lines(Story(regions=60, sets=1, instances=10, seed=number)))[1:]
        for line in good:
            line["rollout"] = number
            if "set" in line:
                line["set"] += letter
        rest += good
        head["fleet"]["sets"] = head["fleet"]["sets"] + [one | {"name": one["name"] + letter} for one in sets]
    return [head, *sorted(rest, key=lambda line: line["t"])]


LOGS = {
    "small": lambda: lines(SMALL),
    "halted": lambda: lines(HALTED),
    "large": lambda: lines(LARGE),
    "several": several,
    "crowded": crowded,
    "squeezed": lambda: many(120),
    "empty": lambda: [{"t": 0, "kind": "log", "fleet": {"regions": []}}],
}


@pytest.fixture(params=LOGS)
def timeline(request: pytest.FixtureRequest) -> Timeline:
    """Each of the logs as a timeline."""
    return collect(LOGS[request.param]())


def frame_of(log: Iterable[Line]) -> Frame:
    """Return the frame of a log's plot."""
    timeline = collect(log)
    return Frame.of(timeline, lay_out(timeline))


def words_of(sheet: canvas.Canvas) -> list[Any]:
    """Return matplotlib's texts on a sheet."""
    return list(sheet._axes.texts)


def test_no_text_covers_another_or_leaves_the_sheet(timeline: Timeline) -> None:
    """Measured in pixels, two of which may be shared: a box of text is higher than its letters."""
    with canvas.settings():
        sheet = picture(timeline, title_of(timeline))
        figure = sheet._axes.get_figure(root=True)
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in words_of(sheet)]
        assert len(boxes) > 10
    boxes.sort(key=lambda pair: pair[1].y0)
    for (one, a), (other, b) in ((p, q) for p, q in combinations(boxes, 2) if q[1].y0 < p[1].y1):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 2 or down <= 2, (one, other)
    pixels = canvas.DOTS_PER_INCH
    for words, box in boxes:
        assert 0 <= box.x0 < box.x1 <= WIDTH * pixels, words
        assert 0 <= box.y0 < box.y1 <= sheet.height * pixels, words


def test_rows_are_in_order_and_do_not_touch(timeline: Timeline) -> None:
    """Everything lies under what comes before it, and within what it is a part of."""
    layout = lay_out(timeline)
    at = 0.0
    for block in layout.blocks:
        assert block.top >= at
        at = block.bands_top
        for band in block.bands:
            assert band.top == pytest.approx(at)
            at = band.rows_top
            for row in band.rows:
                assert row.top == pytest.approx(at)
                lanes = dict.fromkeys((lane.top, lane.top + lane.height) for lane in row.lanes)  # a line has all zones
                edges = [edge for lane in lanes for edge in lane]
                assert edges == pytest.approx(sorted(edges))
                assert all(row.top < edge < row.top + row.height for edge in edges)
                at = row.top + row.height
            assert band.bottom == pytest.approx(at)
        assert block.bottom == pytest.approx(at)
    assert at <= layout.height <= HEIGHT_MAX + ROW_MAX


def test_few_rows_are_high_and_many_are_low() -> None:
    """But not too low to be read, until a thousand of them are squeezed."""
    heights = [lay_out(collect(LOGS[name]())).rows[0].height for name in ("small", "large", "squeezed")]
    assert heights[:2] == pytest.approx([ROW_MAX, ROW_MIN])
    assert 0 < heights[2] < ROW_MIN


def test_where_there_is_no_room_regions_share_rows_and_the_picture_says_so() -> None:
    """Those that lost something keep their own; nothing is left out, and no number is lost."""
    timeline = collect(crowded())
    layout = lay_out(timeline)
    assert layout.height <= HEIGHT_AIM
    assert layout.scale == 1.0
    assert [track for of in timeline.rollouts for track in of.regions] == sorted(
        (track for row in layout.rows for track in row.tracks),
        key=[track for of in timeline.rollouts for track in of.regions].index,
    )
    worst = {track.region for of in timeline.rollouts for track in of.regions if losses(track)}
    assert worst == {row.label for row in layout.rows if len(row.tracks) == 1 and losses(row.track)}
    assert 0 < len(worst) < 10
    assert sum(row.track.upgraded for row in layout.rows) == sum(
        track.upgraded for of in timeline.rollouts for track in of.regions
    )
    for row in layout.rows:
        assert len({lane.top for lane in row.lanes}) <= max(len(row.tracks), len(row.track.zones) + 2)
    rows, regions = layout.shared
    assert 180 - len(worst) >= regions > 150
    with canvas.settings():
        words = [text.get_text() for text in words_of(picture(timeline, "three"))]
    assert shared_words(rows, regions) in words
    assert any(label.endswith(" more regions") for label in words)
    assert "phase 0" in words


def test_a_phase_in_which_nothing_ran_takes_little_room() -> None:
    """However many regions it has, and however crowded the rest is."""
    layout = lay_out(collect(many(12)))
    assert {"phase 0"} < {row.phase for row in layout.rows}
    assert [ROW_MIN] * len(layout.rows) == pytest.approx([row.height / layout.scale for row in layout.rows])


def test_a_small_picture_says_nothing_of_sharing() -> None:
    """Every region has its row."""
    layout = lay_out(collect(lines(LARGE)))
    assert layout.shared == (0, 0)
    assert all(row.label == row.track.region and not row.phase for row in layout.rows)


def test_a_rollout_without_regions_still_has_its_heading() -> None:
    """A phase without regions, and a rollout without phases."""
    log = [LOGS["empty"]()[0], {"t": 0, "kind": "rollout-started", "rollout": 1, "image": "i", "target": "1"}]
    log[1] |= {"started_by": "ann", "phases": [[]]}
    layout = lay_out(collect([*log, log[1] | {"rollout": 2, "phases": []}]))
    assert [len(block.bands) for block in layout.blocks] == [1, 0]
    assert layout.blocks[0].bands[0].bottom == pytest.approx(layout.blocks[0].bands_top + PHASE_HEADING)
    assert layout.blocks[1].bottom == layout.blocks[1].bands_top


def test_time_runs_from_left_to_right_all_the_way_down() -> None:
    """The frame maps the first and the last instant to its edges, and a log of one instant to its left one."""
    frame = frame_of(lines(SMALL))
    assert (frame.left, frame.right) == (frame.x(frame.start_ms), frame.x(frame.end_ms))
    assert frame.ms(frame.right - frame.left) == frame.end_ms - frame.start_ms
    instant = frame_of(LOGS["empty"]())
    assert instant.left == instant.x(0)


def test_columns_stand_in_order_and_only_if_they_have_numbers() -> None:
    """Instances upgraded always; of the rest, what happened."""
    columns = frame_of(lines(HALTED)).columns
    assert [column.of for column in columns] == ["upgraded", "restored", "faulted", "cancelled"]
    rights = [column.right for column in columns]
    assert rights == sorted(rights)
    assert rights[-1] < WIDTH
    assert [column.of for column in frame_of(LOGS["empty"]()).columns] == ["upgraded"]


def test_the_legend_has_what_occurs_and_nothing_else() -> None:
    """Zones by their name where they have the same one everywhere, else by their number."""
    small, halted, others = (
        [key.words for key in keys(collect(LOGS[name]()))] for name in ("small", "halted", "several")
    )
    assert small == [
        "zone 1",
        "zone 2",
        "zone 3",
        "between batches",
        "phase open",
        "phase did not succeed",
        "instances restored",
        "instances failed",
        "attempt cancelled",
    ]
    assert halted[3:] == [
        "phase open",
        "phase succeeded",
        "phase did not succeed",
        "paused",
        "instances restored",
        "attempt faulted",
        "attempt cancelled",
    ]
    assert others == [
        "zone g",
        "zoneless",
        "cross-zone",
        "between batches",
        "phase open",
        "phase succeeded",
        "rollout cancelled",
    ]
    assert list(keys(collect(LOGS["empty"]()))) == []
    assert flow([]) == ([], 0.0)


def test_a_legend_wider_than_the_sheet_goes_on_in_the_next_line() -> None:
    """Each entry ends within the sheet, and lines lie equally far apart."""
    entries = list(keys(collect(lines(HALTED)))) * 3
    with canvas.settings():
        placed, height = flow(entries)
        ends = [x + SIGN + 0.07 + canvas.text_width(key.words, SMALL_TEXT) for x, _, key in placed]
    assert max(ends) <= WIDTH - MARGIN
    assert sorted({y for _, y, _ in placed}) == pytest.approx([(at + 0.5) * LINE for at in range(round(height / LINE))])
    assert height > LINE


def test_zones_of_one_colour_share_an_entry_of_the_legend() -> None:
    """The seventh zone of a region has the colour of the first; a running rollout without phases is named."""
    log = several()
    start = {"kind": "rollout-started", "image": "i", "target": "1", "started_by": "ann", "phases": None}
    log = [
        log[0],
        start | {"t": 0, "rollout": 1},
        {"t": 1, "kind": "batch-started", "rollout": 1, "set": "north/db", "cell": "north/a", "instances": ["0"]},
        {"t": 2, "kind": "batch-started", "rollout": 1, "set": "north/db", "cell": "north/g", "instances": ["1"]},
    ]
    entries = list(keys(collect(log)))
    assert [("a region's zone number 1", ZONES[0]), ("rollout running", "#DDE4EE")] == [
        (key.words, key.color) for key in entries
    ]


def test_the_colours_of_zones_and_shades_are_all_different() -> None:
    """Light ones too: nothing in the rows has two meanings."""
    solid = [*ZONES, ZONELESS, CROSS_ZONE, BAD]
    assert len({*solid, *map(lighter, solid)}) == 2 * len(solid)


@pytest.mark.parametrize(("top", "most", "step"), [(8.3, 3, 5.0), (0.002, 3, 0.001), (100.0, 10, 10.0), (3.0, 3, 1.0)])
def test_ticks_of_a_share_are_round(top: float, most: int, step: float) -> None:
    """1, 2 or 5 times a power of ten."""
    assert step == nice_step(top, most)


def test_percentages_are_short() -> None:
    """One digit after the point above 1, two that count below."""
    assert [percent(v) for v in (0, 100, 1.23, 0.25, 0.000123)] == ["0 %", "100 %", "1.2 %", "0.25 %", "0.00012 %"]


def test_words_say_how_a_rollout_and_its_phases_went() -> None:
    """Ended or not, with reasons or without; the title has the status."""
    timeline = collect(lines(HALTED))
    clock = Clock(timeline.start_ms, timeline.end_ms)
    (rollout,) = timeline.rollouts
    assert "Rollout to 18.04.202402010: halted" == title_of(timeline)
    name, more = rollout_words(rollout, clock)
    assert name == f"{IMAGE} → 18.04.202402010"
    assert more.startswith("by platform  ·  halted (phase 2 did not succeed) after 3 h ")
    first, *_, last = (phase_words(phase, clock) for phase in rollout.phases)
    assert first[0] == "phase 0"
    assert first[1].startswith("1 region  ·  opened at the start  ·  ended after 1 h ")
    assert first[1].endswith("  ·  succeeded  ·  0 of 120 lost")
    assert last == ("phase 3", "5 regions  ·  not opened")
    assert in_words(timeline).endswith("  ·  24 restored  ·  3 attempts faulted  ·  15 attempts cancelled")
    assert "  ·  1,440 instances  ·  12 regions  ·  4 phases  ·  " in in_words(timeline)


def test_words_of_what_has_not_ended() -> None:
    """A rollout and a phase that the log leaves open, and one that ended without a reason."""
    log = list(lines(SMALL))[:3]
    timeline = collect(log)
    clock = Clock(0, 1)
    assert rollout_words(timeline.rollouts[0], clock)[1] == "by platform  ·  running, started at the start"
    assert phase_words(timeline.rollouts[0].phases[0], clock)[1] == "1 region  ·  opened at the start  ·  not ended"
    over = collect([*log, {"t": 0, "kind": "rollout-ended", "rollout": 1, "status": "cancelled", "reason": None}])
    assert rollout_words(over.rollouts[0], clock)[1] == "by platform  ·  cancelled after 0 s"
    same = collect(
        [*log, {"t": 0, "kind": "rollout-ended", "rollout": 1, "status": "cancelled", "reason": "cancelled"}]
    )
    assert rollout_words(same.rollouts[0], clock)[1] == "by platform  ·  cancelled after 0 s"
    assert title_of(collect(LOGS["several"]())) == "3 rollouts"


def test_long_texts_are_cut_to_their_room() -> None:
    """And short ones left alone."""
    with canvas.settings():
        cut = canvas.shortened("wide " * 40, 8, 1.0)
        assert canvas.text_width(cut, 8) <= 1.0 < canvas.text_width(f"wide {cut}", 8)
        assert cut.endswith("…")
        assert canvas.shortened("short", 8, 1.0) == "short"
        assert canvas.text_width("  ", 8) == 0.0


def test_a_phase_is_open_no_longer_than_its_rollout_runs() -> None:
    """A rollout that was cancelled in a phase leaves it open; what comes after is not its."""
    start = {"rollout": 1, "image": "i", "target": "1", "started_by": "ann", "phases": [["north"]]}
    timeline = collect(
        [
            LOGS["several"]()[0],
            {"t": 0, "kind": "rollout-started", **start},
            {"t": 0, "kind": "phase-opened", "rollout": 1, "phase": 0, "regions": ["north"]},
            {"t": 10 * MINUTE, "kind": "rollout-ended", "rollout": 1, "status": "cancelled", "reason": "cancelled"},
            {"t": 60 * MINUTE, "kind": "log-ended"},
        ]
    )
    with canvas.settings():
        sheet = picture(timeline, "title")
        frame = Frame.of(timeline, lay_out(timeline))
        ends = [
            path.get_extents().x1
            for drawn in sheet._axes.collections
            for path, color in zip(drawn.get_paths(), drawn.get_facecolor(), strict=False)
            if tuple(round(255 * part) for part in color[:3]) == (0xDD, 0xE4, 0xEE)
        ]
    assert frame.x(10 * MINUTE) == pytest.approx(ends[-1])
    assert len(ends) == 2  # the legend's, and the phase's


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_letter_that_the_font_lacks_is_no_reason_to_complain(tmp_path: Path, ending: str) -> None:
    """A region may have a name in any script; matplotlib's warning would name a place in this program."""
    log = json.loads(json.dumps(list(lines(SMALL)), ensure_ascii=False).replace("eastus", "\u4e1c\u90e8"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(collect(log), tmp_path / f"plot.{ending}")


def test_a_bar_is_never_too_narrow_to_be_seen() -> None:
    """A batch of a millisecond in a rollout of a year has a pixel."""
    log = [
        LOGS["several"]()[0],
        {
            "t": 0,
            "kind": "rollout-started",
            "rollout": 1,
            "image": "i",
            "target": "1",
            "started_by": "a",
            "phases": None,
        },
        {"t": 5, "kind": "batch-started", "rollout": 1, "set": "north/db", "cell": "north/b", "instances": ["0"]},
        {"t": 6, "kind": "became", "set": "north/db", "state": "upgraded", "instances": ["0"]},
        {"t": 365 * 24 * 60 * MINUTE, "kind": "log-ended"},
    ]
    with canvas.settings():
        sheet = picture(collect(log), "title")
        widths = [
            path.get_extents().width
            for drawn in sheet._axes.collections
            for path, color in zip(drawn.get_paths(), drawn.get_facecolor(), strict=False)
            if tuple(round(255 * part) for part in color[:3]) == (0xE6, 0x9F, 0x00)
        ]
    assert [pytest.approx(HAIR), pytest.approx(0.22)] == sorted(widths)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what could load something, and which tags are open."""
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data", "action")]
        if tag not in ("meta", "path", "use", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Each end belongs to the last open tag."""
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        """Remember the cells of tables."""
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


def test_a_page_stands_alone(tmp_path: Path) -> None:
    """The drawing inline, a table, names escaped, every tag closed, and nothing from elsewhere."""
    draw(collect(several()), tmp_path / "plot.html", title="a <b> & c")
    text = (tmp_path / "plot.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert all(link.startswith("#") for link in page.links)
    assert "url(http" not in text
    assert "@import" not in text
    assert "<script" not in text
    assert text.count("<svg ") == 1
    assert "<title>a &lt;b&gt; &amp; c</title>" in text
    assert page.cells[11:15] == ["$a$ <b>", "1.2", "ann", "running"]
    assert {"in flight", "not healthy", "phase 0", "no phase"} < set(page.cells)
    assert "<metadata>" not in text


def test_a_drawing_without_metadata_goes_into_a_page_too() -> None:
    """Other versions may write none."""
    assert inline(b'<?xml?>\n<svg width="1">\n</svg>\n', 'a "b"') == (
        '<svg role="img" aria-label="a &quot;b&quot;" width="1">\n</svg>'
    )


def test_a_page_of_nothing_says_so(tmp_path: Path) -> None:
    """No rollout, no instance: no division by zero."""
    draw(collect(LOGS["empty"]()), tmp_path / "plot.html")
    cells = Page((tmp_path / "plot.html").read_text(encoding="utf-8")).cells
    assert cells == ["in flight", "0 %", "0", "0", "not healthy", "0 %", "0", "0"]


def test_each_ending_gives_its_kind_of_file(tmp_path: Path) -> None:
    """In capitals too; and the SVG is well-formed, without date or version."""
    timeline = collect(lines(SMALL))
    for ending, begin in (("svg", b"<?xml"), ("PNG", b"\x89PNG\r\n"), ("html", b"<!DOCTYPE html>")):
        draw(timeline, tmp_path / f"plot.{ending}")
        assert (tmp_path / f"plot.{ending}").read_bytes().startswith(begin)
    svg = (tmp_path / "plot.svg").read_bytes()
    assert Xml.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert b"dc:date" not in svg
    assert b"matplotlib.org" not in svg
    assert {"plot.svg", "plot.PNG", "plot.html"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["plot.pdf", "plot", "svg", ".svg", "plot.svg.gz"])
def test_another_ending_is_refused_before_anything_is_drawn(tmp_path: Path, name: str) -> None:
    """The error names the three that work, and nothing is written."""
    with pytest.raises(PhasegateError) as caught:
        draw(collect(LOGS["empty"]()), tmp_path / name)
    path = tmp_path / name
    assert str(caught.value) == f"cannot plot to `{path}`: its ending is none of .svg, .png, .html"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """In one line, and nothing is left."""
    with pytest.raises(InvalidFile, match=r"cannot be written: .*no such file"):
        draw(collect(LOGS["empty"]()), tmp_path / "missing" / "plot.svg")
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, and at once; reading a log does not need it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    collect(lines(SMALL))
    for ending in ENDINGS:
        with pytest.raises(PhasegateError) as caught:
            check(f"plot.{ending}")
        assert str(caught.value) == "plots need matplotlib, which is not installed; `pip install 'phasegate[plot]'`"


def test_a_users_settings_of_matplotlib_do_not_matter(tmp_path: Path) -> None:
    """They are as before afterwards, and the drawing is the same."""
    import matplotlib

    timeline = collect(lines(SMALL))
    draw(timeline, tmp_path / "one.svg")
    with matplotlib.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none", "lines.linewidth": 9}
    ):
        draw(timeline, tmp_path / "two.svg")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
import test_plot
from phasegate.plotting.plot import collect, draw
for path in sys.argv[2:]:
    draw(collect(test_plot.several()), path)
assert "matplotlib.pyplot" not in sys.modules
"""


def test_equal_logs_give_equal_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    """And whatever the time of day: they are drawn in different processes."""
    digests = []
    for seed in ("1", "4242"):
        paths = [tmp_path / f"{seed}.{ending}" for ending in ENDINGS]
        environment = os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed}
        here = str(Path(__file__).parent)
        subprocess.run([sys.executable, "-c", DRAW, here, *map(str, paths)], env=environment, check=True)
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])
    assert digests[0] == digests[1]
