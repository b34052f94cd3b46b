"""Golden stories: each was read against the semantics; the test says that nothing of it has changed since."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec

import pytest
from oracle.log_checker import check

from phasegate.core.kernels import default_kernel
from phasegate.core.twin import Kernel as Twin
from phasegate.logs.replay import replay
from phasegate.regions import regions_by_name

from .rollouts import BY_NAME, HERE, ROLLOUTS, Rollout, example, lines_of, log_of
from .story import tell
from .watched import Watched

HOUR = 3_600_000

each = pytest.mark.parametrize("rollout", ROLLOUTS, ids=lambda rollout: rollout.name)


def story_of(rollout: Rollout) -> str:
    """Return the story as its file holds it: what to look for, and the telling."""
    return f"{rollout.prose}\n\n{tell(lines_of(log_of(rollout.name)), every_step=rollout.every_step)}"


@each
def test_a_story_is_told_as_it_was_read(rollout: Rollout, updates_golden: bool) -> None:
    """The story of a rollout is the one that was accepted, word for word."""
    path = rollout.file("story.txt")
    if updates_golden:
        path.write_text(story_of(rollout), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == story_of(rollout)


@each
def test_the_counts_are_right_after_every_step(rollout: Rollout) -> None:
    """Counted anew, instance by instance, they are what the engine says; and a step so watched is the same step."""
    assert log_of(rollout.name, Watched) == log_of(rollout.name)


@each
def test_the_twin_and_the_default_kernel_write_the_same_log(rollout: Rollout) -> None:
    """Byte for byte, digests included; where nothing was compiled the twin is the default and this says little."""
    assert rollout.log(rollout.engine(Twin)) == log_of(rollout.name)


@each
def test_a_replay_reproduces_every_line_and_every_digest(rollout: Rollout) -> None:
    """The events of a log lead through the same states again."""
    report = replay(log_of(rollout.name).splitlines(keepends=True), name=rollout.name, also=rollout.policies())
    assert report.difference is None


@each
def test_an_independent_reader_finds_no_promise_broken(rollout: Rollout) -> None:
    """The checker, which shares no code with the engine, has nothing to say about the log."""
    lines = lines_of(log_of(rollout.name))
    findings = [str(finding) for finding in check(lines[0]["fleet"], lines)]
    assert findings == []


@pytest.mark.parametrize("name", ["everything_works", "groups", "team_quota", "two_images"])
def test_a_log_does_not_depend_on_the_hash_seed(name: str) -> None:
    """Two interpreters with different seeds write the same bytes."""
    script = [sys.executable, str(HERE / "rollouts.py"), name]
    logs = [
        subprocess.run(script, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert [log_of(name)] * 2 == logs


def first_batches(name: str) -> dict[tuple[int, str], int]:
    """Return when each set of each rollout of a story began, by (rollout, set)."""
    began: dict[tuple[int, str], int] = {}
    for line in lines_of(log_of(name)):
        if line["kind"] == "batch-started":
            began.setdefault((line["rollout"], line["set"]), line["t"])
    return began


def spread(name: str, version: str, window_ms: int) -> int:
    """Return the place in a window, from the text of the semantics (section 4)."""
    return int.from_bytes(sha256(f"{name}\n{version}".encode()).digest()[:8], "big") % (window_ms + 1)


def test_attempts_begin_when_the_hash_says() -> None:
    """Within 3 hours after a set was configured; later 30 to 60 minutes after the phase opened; long ago is at once."""
    first = {(0, name): spread(name, "2.0", 3 * HOUR) for name in ("eastus/a", "eastus/b")}
    names = ("eastus/a", "eastus/b", "eastus/long-ago")
    later = {(1, name): 4 * HOUR + HOUR // 2 + spread(name, "3.0", HOUR // 2) for name in names}
    assert {(0, "eastus/long-ago"): 0, **first, **later} == first_batches("delays")


def test_the_sizes_are_those_at_the_edges_of_a_share() -> None:
    """One set each, and no batch of any is larger than its cap, nor the largest smaller."""
    largest: dict[str, int] = {}
    for line in lines_of(log_of("sizes")):
        if line["kind"] == "batch-started":
            largest[line["set"]] = max(largest.get(line["set"], 0), len(line["instances"]))
    sizes = {one.full_name: one.size for one in BY_NAME["sizes"].engine().fleet.sets}
    assert [1, 2, 4, 5, 6, 9, 10, 11, 99, 101] == sorted(sizes.values())
    assert {name: max(1, min(size * 20 // 100, size - 1)) for name, size in sizes.items()} == largest


def test_the_chains_are_those_of_the_real_table() -> None:
    """The story has the pairs that the cloud lists, and every region among them that its pair does not name back."""
    real = regions_by_name()
    pairs = {region.name: region.pair for region in BY_NAME["chains"].engine().fleet.regions}
    assert {name: real[name].pair for name in pairs} == pairs
    one_way = {name for name, region in real.items() if region.pair in real and real[region.pair].pair != name}
    assert {"brazilsouth", "brazilsoutheast", "westindia", "westus3"} == one_way
    assert (set(), set()) == (one_way - pairs.keys(), {real[name].pair for name in one_way} - pairs.keys())


@pytest.mark.parametrize("name", ["frozen", "team_quota"])
def test_the_examples_in_the_policies_hold(name: str) -> None:
    """What the docstrings of examples/policies show is what happens."""
    result = doctest.testmod(example(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_a_quota_of_none_is_refused() -> None:
    """With room for nobody a rollout would never end."""
    with pytest.raises(ValueError, match="'limit' must be >= 1: 0"):
        example("team_quota").TeamQuota(limit=0)


def test_the_stories_are_those_of_the_table() -> None:
    """No file is left over from a rollout that is run no more, and none is missing."""
    assert sorted(BY_NAME) == sorted(path.name.removesuffix(".story.txt") for path in HERE.glob("*.story.txt"))
    inputs = {path.name.partition(".")[0] for path in HERE.glob("*.yaml")}
    assert sorted(BY_NAME) == sorted(inputs)


def test_both_kernels_are_at_hand() -> None:
    """Where the compiled kernel was built it is the default, and the comparison above compares two."""
    is_built = find_spec("phasegate.core.kernel") is not None
    assert (is_built, not is_built) == (default_kernel().is_compiled, default_kernel() is Twin)
