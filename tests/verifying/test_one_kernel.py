"""There is no second model: a rule that is broken in one place changes what the engine does and what is explored."""

from __future__ import annotations

from typing import Any

import pytest
from scenes import LIBRARY

from phasegate.core import codes as c
from phasegate.core.events import Batch, Signals, Start, What
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.subject import NOW
from phasegate.core.kernels import default_kernel
from phasegate.core.lifecycle import Do, Happening, Life
from phasegate.core.twin import Kernel
from phasegate.core.twin.selector import Selector
from phasegate.verifying.explorers import made
from phasegate.verifying.mutants.mutant import Entry
from phasegate.verifying.scenariofile import load_scenario

KERNELS = list(dict.fromkeys((Kernel, default_kernel())))
SCENARIO = load_scenario(LIBRARY / "batch_cap.yaml")  # five instances, of which two may be in flight


def may_start(kernel: Any) -> int:
    """Return how many of the five the engine lets start at most."""
    subject = SCENARIO.subject(kernel)
    return subject.engine.legal(subject.first_state())[0].at_most


def failed_step(kernel: Any) -> Life:
    """Return where the engine leads an instance of which the first step has failed."""
    subject = SCENARIO.subject(kernel)
    engine, state = subject.engine, subject.first_state()
    choice = engine.legal(state)[0]
    slot = choice.candidates[0]
    state = engine.step(state, Start((Batch(choice.set, [slot]),), NOW)).state
    state = engine.step(state, Signals.of(What.FAILED, [slot], NOW, attempt=1, answers=Do.REPLACE)).state
    return Life(state.column("life").flat()[slot] & c.STATE_BITS)


def explored(kernel: Any) -> Promise | None:
    """Return which promise the explorer finds broken, None if it finds none."""
    explorer = made(SCENARIO.subject(kernel), is_symmetric=True, order="breadth", memory_max=None)
    explorer.run(2_000)
    return None if explorer.violation is None else Promise(explorer.violation.promise)


def test_a_function_of_the_selector(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one instance more in a batch, the engine lets one more start, and the explorer finds that it does."""
    assert (2, None) == (may_start(Kernel), explored(Kernel))
    cap = Selector.cap
    monkeypatch.setattr(Selector, "cap", lambda self, s: cap(self, s) + 1)
    assert (3, Promise.BATCH_WITHIN_CAP) == (may_start(Kernel), explored(Kernel))


@pytest.mark.untraced
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: "compiled" if kernel.is_compiled else "twin")
def test_an_entry_of_the_life_cycle_table(kernel: Any) -> None:
    """With another entry, the engine leads an instance elsewhere, and the explorer finds it there, compiled or not."""
    assert (Life.RESTORING, None) == (failed_step(kernel), explored(kernel))
    with Entry(Happening.STEP_FAILED, Life.REPLACING, Life.FAILED).bent():
        assert (Life.FAILED, Promise.LIVES_AS_WRITTEN) == (failed_step(kernel), explored(kernel))
    assert (Life.RESTORING, None) == (failed_step(kernel), explored(kernel))


def test_each_explorer_is_made_of_its_engines_kernel() -> None:
    """The compiled explorer runs on the compiled kernel; any other kernel is run by the plain one."""
    for kernel in KERNELS:
        subject = SCENARIO.subject(kernel)
        explorer = made(subject, is_symmetric=True, order="breadth", memory_max=None)
        assert isinstance(subject.engine.kernel_class, type)
        assert (kernel.is_compiled, kernel) == (explorer.is_compiled, type(explorer.open.kernel))
