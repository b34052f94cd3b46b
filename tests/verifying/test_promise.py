"""Promises of somebody's own: what they read, what is remembered, and the files that they come from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scenes import EVENTS, LIBRARY, SPARES, scene

from phasegate.core.errors import InvalidModel
from phasegate.core.exploring.twin import Explorer
from phasegate.core.twin import Kernel
from phasegate.files.documents import InvalidFile
from phasegate.verifying.conditions import CONDITIONS
from phasegate.verifying.explorers import made
from phasegate.verifying.promise import Memory, always, load_promises
from phasegate.verifying.run import kernel_class, verify
from phasegate.verifying.scenariofile import load_scenario
from phasegate.verifying.view import FIELDS, NAMING, PLACES, StateView


def laid() -> Explorer:
    """Return an explorer with the first state of a scenario laid open."""
    text = "environment: {scale_outs: 1, pauses: 1}\n" + SPARES + EVENTS
    explorer = Explorer(scene(text).subject(Kernel), is_symmetric=False)
    explorer.write(explorer.first)
    return explorer


def view(explorer: Any, noted: list[str]) -> StateView:
    """Return what a promise sees."""
    return StateView(explorer, {}, noted.append)


def test_a_state_shows_its_fields() -> None:
    """Counts of the fleet, rollouts, budgets; sets, cells and instances by name."""
    noted: list[str] = []
    state = view(laid(), noted)
    assert (4, 4, 0, 0, 0) == (state.total, state.pending, state.unhealthy, state.in_flight, state.upgraded_unhealthy)
    assert (("waiting", "waiting"), ("running",), (False,), (False,), (0,)) == (
        state.attempts,
        state.rollouts,
        state.paused,
        state.baking,
        state.phase,
    )
    assert (frozenset(), frozenset(), frozenset()) == (state.at_work, state.busy, state.happened)
    assert (1, 0) == (state.left["pauses"], state.left["crashes"])
    assert ("waiting", None, None, {"window-shut", "delayed"}) == (
        state.status["westus/db"],
        state.error["westus/db"],
        state.holds["westus/db"],
        state.marks["westus/db"],
    )
    assert (3, 3, 0) == tuple(state.counts["eastus/web"][name] for name in ("pending", "total", "unhealthy"))
    assert ("pending", "healthy", "1.0") == tuple(
        getattr(state, name)["eastus/web/2"] for name in ("life", "health", "version")
    )
    assert 4 == len(state.life)
    assert "total" == noted[0]


def test_a_state_shows_what_may_start_and_what_keeps_the_rest() -> None:
    """Of each set: how many a legal batch has in each place, and the codes of what is in the way."""
    explorer = laid()
    state = view(explorer, [])
    assert ({"phase-not-open"}, {"not-before", "outside-window"}) == (
        state.waits["eastus/web"],
        state.waits["westus/db"],
    )
    assert () == state.may_start["eastus/web"]
    explorer = Explorer(load_scenario(LIBRARY / "upgrade_domains.yaml").subject(Kernel), is_symmetric=False)
    explorer.write(explorer.first)
    state = view(explorer, [])
    assert (frozenset(), (2, 2)) == (state.waits["eastus/web"], state.may_start["eastus/web"])
    assert explorer.happen(next(explorer.moves()))
    state = view(explorer, [])
    assert ({"batch-in-flight"}, ()) == (state.waits["eastus/web"], state.may_start["eastus/web"])


def test_a_set_that_waits_for_a_cell_says_so() -> None:
    """What keeps every place of its candidates from being started in is told; a set with nobody pending waits not."""
    explorer = Explorer(load_scenario(LIBRARY / "zones.yaml").subject(Kernel), is_symmetric=True)
    while explorer.run(50) == "more":
        pass
    seen = set()
    for number in range(explorer.states):
        explorer.write(explorer.key_of(number))
        for reasons in view(explorer, []).waits.values():
            seen |= reasons
    assert "cell-busy" in seen


@pytest.mark.untraced
@pytest.mark.parametrize("name", ["no_shrinking", "gate_behind_another", "over_zones"])
def test_both_explorers_say_the_same_of_what_may_start(name: str) -> None:
    """State for state, however the kernel keeps what it counts beside the columns."""
    told = []
    for kernel in {Kernel, kernel_class("compiled")}:
        explorer = made(
            load_scenario(LIBRARY / f"{name}.yaml").subject(kernel), is_symmetric=True, order="breadth", memory_max=None
        )
        while explorer.run(1000) == "more":
            pass
        found: Counter[Any] = Counter()
        for number in range(explorer.states):
            explorer.write(explorer.key_of(number))
            state = view(explorer, [])
            found[state.waits, state.may_start, state.pending, state.unhealthy] += 1
        told.append(found)
    assert 1 == len({frozenset(one.items()) for one in told})


def test_a_state_shows_who_is_at_work() -> None:
    """A set that rolls forward holds a cell of its region."""
    explorer = laid()
    for _ in range(3):
        moves = list(explorer.moves())
        start = [move for move in moves if move[0] == 0]
        wanted = start or [move for move in moves if move[0] in (14, 16)]
        assert explorer.happen(wanted[0])
    state = view(explorer, [])
    assert ({"westus"}, {"westus/-"}, "westus/-") == (state.at_work, state.busy, state.holds["westus/db"])


def test_a_state_is_immutable() -> None:
    """Nothing can be set or deleted, and there are no other fields."""
    state = view(laid(), [])
    with pytest.raises(AttributeError, match="immutable"):
        state.total = 3
    with pytest.raises(AttributeError, match="immutable"):
        del state.total
    with pytest.raises(AttributeError, match="no field `totl`; it has current, excluded"):
        _ = state.totl


def test_every_field_can_be_read_and_remembered() -> None:
    """Each has a value that can be told from others and kept."""
    state = view(laid(), [])
    assert len(FIELDS) == len({name: hash(getattr(state, name)) for name in FIELDS})
    assert FIELDS.keys() >= NAMING.keys()


@pytest.mark.parametrize("name", ["protection", "pause_and_resume", "group_of_cells", "two_images", "windows", "zones"])
def test_equal_bytes_are_equal_fields(name: str, kernel: Any) -> None:
    """Whatever a column tells is told by the bytes that are looked at, in every state of a scenario."""
    explorer = made(
        load_scenario(LIBRARY / f"{name}.yaml").subject(kernel), is_symmetric=True, order="breadth", memory_max=None
    )
    explorer.run(150)
    block, met = explorer.open.arena.block, {field: {} for field in PLACES}
    for number in range(explorer.states):
        explorer.write(explorer.key_of(number))
        for field, places in PLACES.items():
            found = b"".join(block[offset : offset + size] for offset, size in places(explorer.open))
            assert met[field].setdefault(found, FIELDS[field](explorer)) == FIELDS[field](explorer)
    assert {"version", "left", "happened", "waits", "may_start"} == FIELDS.keys() - PLACES.keys()


def test_conditions_read_what_they_declare() -> None:
    """None of them is asked once more because of a field that it did not name."""
    explorer = laid()
    for condition in CONDITIONS.values():
        memory = Memory(condition)
        memory.holds(explorer, {})
        assert [] == memory.undeclared
        assert frozenset() == memory.names()


def test_a_predicate_is_asked_once_for_what_it_reads() -> None:
    """Equal values of its fields are one question; a field that it did not declare widens it."""
    asked: list[int] = []

    @always(reads=("total",))
    def mine(state: StateView) -> bool:
        asked.append(1)
        return bool(state.total and state.pending)

    explorer = laid()
    memory = Memory(mine)
    assert [True, True, True] == [memory.holds(explorer, {}) for _ in range(3)]
    assert (1, ["pending"], ("total", "pending")) == (len(asked), memory.undeclared, memory.reads)
    assert explorer.happen(next(move for move in explorer.moves() if move[0] == 14))
    assert memory.holds(explorer, {})
    assert 1 == len(asked) == memory.calls


def test_a_promise_says_what_it_promises() -> None:
    """Its docstring's first line, or its name."""
    said = always()(laid)
    unsaid = always(name="no_more")(lambda state: True)
    assert ("Return an explorer with the first state of a scenario laid open", "no more") == (
        said.sentence,
        unsaid.sentence,
    )
    assert unsaid(view(laid(), []))


def test_a_field_that_there_is_not_is_refused() -> None:
    """With the closest one that there is."""
    with pytest.raises(InvalidModel, match=r"unknown field `upgradet`; did you mean `upgraded`\? \(at `reads\[0\]`\)"):
        always(reads=("upgradet",))


def test_promises_come_from_a_file(tmp_path: Path) -> None:
    """In the order in which they stand there, each once."""
    path = tmp_path / "mine.py"
    path.write_text(
        "import phasegate as pg\n"
        "@pg.sometimes(reads='failed')\n"
        "def b(state): return state.failed > 0\n"
        "@pg.always(reads='total')\n"
        "def a(state): return state.total > 0\n"
        "again = a\n"
    )
    assert [("b", "sometimes"), ("a", "always")] == [(one.name, one.kind) for one in load_promises(str(path))]


def test_a_predicate_that_raises_is_blamed_on_its_line(tmp_path: Path) -> None:
    """Its file, its line and its name: it is no fault of the program."""
    path = tmp_path / "mine.py"
    path.write_text("import phasegate as pg\n@pg.always(reads='total')\ndef a(state):\n    return 1 / 0\n")
    with pytest.raises(InvalidFile) as error:
        verify(load_scenario(str(LIBRARY / "set_of_one.yaml")), promises=load_promises(str(path)))
    assert f"promise `a` does not run: ZeroDivisionError: division by zero ({path}: line 4)" == str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no promise; decorate a predicate"),
        ("1 / 0", "does not run: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(0)", "does not run: SystemExit: 0"),
        ("import phasegate as pg\npg.always(reads=('faild',))", "unknown field `faild`; did you mean `failed`?"),
    ],
)
def test_a_file_that_gives_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """With its name and what is wrong."""
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(InvalidFile) as error:
        load_promises(str(path))
    assert words in str(error.value)
    with pytest.raises(InvalidFile, match="no such file"):
        load_promises(str(tmp_path / "none.py"))
