"""The small immutable structures that states are made of."""

from __future__ import annotations

import pickle
from hashlib import blake2b
from typing import Any

import pytest

import phasegate as pg
from phasegate.core import kernels, state
from phasegate.core.frozenmap import FrozenMap
from phasegate.core.lifecycle import Happening, Life, machine
from phasegate.core.names import PackedNames
from phasegate.core.state import Chain
from phasegate.core.topology import Topology
from phasegate.core.twin import Copier as TwinCopier
from phasegate.core.twin import Kernel as Twin
from phasegate.core.twin import Timers as TwinTimers
from phasegate.core.vector import Vector


def test_frozen_maps_hash_and_compare_by_content() -> None:
    """In whatever order they were written, and after pickling."""
    one, other = FrozenMap({"a": 1, "b": 2}), FrozenMap({"b": 2, "a": 1})
    assert (1, None, 7) == (one.get("a"), one.get("c"), one.get("c", 7))
    assert (hash(one), one, ["a", "b"]) == (hash(other), pickle.loads(pickle.dumps(other)), list(other))


def test_packed_names_are_a_sequence() -> None:
    """Slices, negative places, places beyond the end and iteration are those of a list."""
    names = PackedNames.of(["a", "é€", "", "d"])
    assert (["é€", ""], "d", "PackedNames(4 names)") == (names[1:3], names[-1], repr(names))
    assert ["a", "é€", "", "d"] == list(names)
    with pytest.raises(IndexError):
        names[4]


def test_vectors_share_what_they_have_in_common() -> None:
    """Length, slices, iteration and pickling are those of a list; equal means equal content."""
    vector = Vector.filled(0, 600).replaced(300, 1)
    assert (600, [0, 1, 0], 1) == (len(vector), vector[299:302], sum(vector))
    assert pickle.loads(pickle.dumps(vector)) == vector
    assert vector != Vector.filled(0, 600)
    assert Vector.filled(0, 600).replaced(2, 7).replaced(300, 1) == vector.replaced_all({2: 7, 300: 1})
    with pytest.raises(IndexError):
        vector.replaced_all({600: 1})


def test_a_chain_is_worked_out_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever that is, it says the same; and it never falls further behind than it may."""
    ended: list[Any] = [(s, f"attempt {s}") for s in range(6)]
    late, at_once = Chain(), Chain()
    for at in range(0, 6, 2):
        late, at_once = late.followed(ended[at : at + 2]), at_once.followed(ended[at : at + 2])
        at_once.digest()
    digest = bytes(16)
    for entry in ended:
        digest = blake2b(digest + repr(entry).encode(), digest_size=16).digest()
    assert (digest, digest) == (at_once.digest(), pickle.loads(pickle.dumps(late)).digest())
    assert Chain(bytes(range(16))).followed(ended).digest() != digest
    monkeypatch.setattr(state, "WAITING_MAX", 3)
    behind = Chain().followed(ended[:2])
    assert behind._behind is not None
    after = behind.followed(ended[2:])
    assert (None, None, digest) == (behind._behind, after._behind, after.digest())


def test_a_state_is_equal_to_states_only() -> None:
    """Equal states are equal, hash alike and are one in a set; anything else is something else."""
    engine = pg.Engine(pg.Fleet(regions=[pg.Region("a")]), pg.policies.availability_first())
    now, same, later = engine.initial(0), pickle.loads(pickle.dumps(engine.initial(0))), engine.initial(1)
    assert ({now}, hash(now), now.digest) == ({same}, hash(same), same.digest)
    assert now != later
    assert (now != now.digest, now != None) == (True, True)  # noqa: E711  # the comparison is what is tested


def test_a_machine_asks_its_model_about_rollback() -> None:
    """A model that says so is not restored; `word` is how people write a happening."""

    class Model:
        rollback = False
        state: str

    model = Model()
    machine(model, initial=Life.VERIFYING).dispatch(Happening.DEADLINE_PASSED.name.lower())
    assert ("failed", "deadline-passed") == (model.state, Happening.DEADLINE_PASSED.word)


def test_without_a_compiler_the_twin_takes_the_kernels_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine says which of them is at work."""
    monkeypatch.setitem(__import__("sys").modules, "phasegate.core.kernel", None)
    monkeypatch.setitem(__import__("sys").modules, "phasegate.core.copier", None)
    monkeypatch.setitem(__import__("sys").modules, "phasegate.core.timers", None)
    assert kernels.default_kernel() is Twin
    built = type("Built", (), {"is_compiled": True})
    assert (TwinCopier, TwinTimers) == (kernels.copier_beside(built), kernels.timers_beside(built))
    fleet = pg.Fleet(regions=[pg.Region("a")])
    engine = pg.Engine(fleet, pg.policies.availability_first())
    expected = "Engine(<Fleet 1 regions, 0 sets, 0 instances>, AvailabilityFirst)"
    assert (False, expected) == (engine.is_compiled, repr(engine))


def test_the_topology_answers_for_people() -> None:
    """Whether two cells may be busy together, with the reason; an unknown cell is named."""
    fleet = pg.Fleet(regions=[pg.Region("a", zones=("1", "2"))])
    topology = pg.Engine(fleet, pg.policies.availability_first()).topology
    together = topology.may_run_together("a/1", "a/2")
    assert (False, "zones", True) == (bool(together), together.reason, topology.may_run_together("a/1", "a/1").may)
    with pytest.raises(pg.UnknownName, match="no cell `a/9` in the fleet"):
        topology.may_run_together("a/1", "a/9")
    with pytest.raises(pg.InvalidModel, match="cannot be in conflict with itself"):
        Topology.of(fleet, [("a/1", "a/1", "user")], topology.pairs)


def test_the_face_has_what_reads_files_and_nothing_else() -> None:
    """It is imported when asked for; any other name is an error."""
    assert pg.InvalidFile.__name__ == "InvalidFile"
    with pytest.raises(AttributeError, match="no attribute `load_flet`"):
        pg.load_flet  # noqa: B018  # the look-up is what is tested
