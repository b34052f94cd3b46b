"""The compiled kernel and its plain twin are one machine, state for state and fact for fact."""

from random import Random
from typing import Any

import pytest
from fleets import afresh
from hypothesis import given, settings
from hypothesis import strategies as st
from wild import a_wild_event, a_wild_fleet, a_wild_policy

import phasegate as pg
from phasegate.core import codes
from phasegate.core.columns import COLUMNS
from phasegate.core.twin import Kernel as Twin

compiled = pytest.importorskip("phasegate.core.kernel", reason="no C compiler was at hand")


def outcome(engine: pg.Engine, state: Any, event: Any) -> tuple[Any, Any]:
    """Return the step that the event leads to, or the error that refuses it."""
    try:
        return engine.step(state, event), None
    except pg.PhasegateError as error:
        return None, (type(error), str(error))


def what_is_laid_open(engine: pg.Engine) -> dict[str, bytes]:
    """Return the columns on which the engine's kernel works."""
    return {name: bytes(flat) for name, flat in engine._work.workspace.flat.items()}


def what_was_published(state: Any) -> dict[str, bytes]:
    """Return the columns of a state."""
    return {column.name: bytes(state.column(column.name).flat()) for column in COLUMNS}


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_kernel_and_twin_agree_on_every_state(seed: int) -> None:
    """Both reach the same states with the same facts, and say what an engine says that has remembered nothing."""
    random = Random(seed)
    fleet, policy = a_wild_fleet(random), a_wild_policy(random, is_moody=True)
    engines = [pg.Engine(fleet, policy, kernel=kernel) for kernel in (compiled.Kernel, Twin)]
    one, two = (engine.initial(0) for engine in engines)
    states = [(one, two)]
    for _ in range(40):
        assert one == two
        assert one.digest == two.digest
        assert engines[0].select(one) == engines[1].select(two)
        assert engines[0].legal(one) == engines[1].legal(two)
        assert engines[0].next_time(one) == engines[1].next_time(two)
        fresh = afresh(engines[0])
        assert fresh.select(one) == engines[0].select(one)
        assert fresh.next_time(one) == engines[0].next_time(one)
        event = a_wild_event(random, engines[1], two)
        first, first_error = outcome(engines[0], one, event)
        second, second_error = outcome(engines[1], two, event)
        assert first_error == second_error
        if first is None:
            continue
        assert first.facts == second.facts
        one, two = first.state, second.state
        assert what_is_laid_open(engines[0]) == what_was_published(one)
        assert what_is_laid_open(engines[1]) == what_was_published(two)
        states.append((one, two))
        if random.random() < 0.05:
            one, two = random.choice(states)


def test_both_have_the_same_numbers() -> None:
    """Every number that the compiled kernel is built with is the one of `codes`."""
    assert {name: getattr(codes, name) for name in compiled.CODES} == compiled.CODES


def test_both_have_the_same_methods() -> None:
    """What the compiled kernel can be asked, the twin can be asked too."""
    public = {name for name in vars(compiled.Kernel) if not name.startswith("_")}
    assert {name for name in public if not hasattr(Twin, name) and name != "assumed"} == set()
