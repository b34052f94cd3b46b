"""Workers on a Ray cluster: a real one on this machine, where the extra is installed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from attrs import evolve
from sweeps import a_sweep, jobs, kills_itself

from phasegate.verifying.result import Progress
from phasegate.verifying.sweeping import cluster
from phasegate.verifying.sweeping.cluster import Cluster, NoCluster, served
from phasegate.verifying.sweeping.outcome import Job, Outcome, worked
from phasegate.verifying.sweeping.pool import Pool

HAS_RAY = pytest.mark.skipif(find_spec("ray") is None, reason="the extra phasegate[cluster] is not installed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start a cluster of one node with two processors, and return its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parent), path)))  # where `sweeps` is
    from ray.cluster_utils import Cluster as Local

    local = Local(
        initialize_head=True,
        head_node_args={"num_cpus": 2, "include_dashboard": False, "object_store_memory": 80 * 2**20},
    )
    yield local.address
    local.shutdown()
    if path is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = path


def verified(place: Pool | Cluster, given: list[Job]) -> list[Outcome]:
    """Return what the jobs come to in a place, in their order, times left out."""
    found = {
        job.case.number: evolve(outcome, seconds=0)
        for job, outcome in place.outcomes(given, lambda *_: None, lambda: False)
    }
    return [found[job.case.number] for job in given]


@HAS_RAY
def test_a_cluster_comes_to_the_same_as_the_pool(address: str, tmp_path: Path) -> None:
    """Case by case."""
    given = jobs(a_sweep(tmp_path))
    assert verified(Pool(1), given) == verified(Cluster(address), given)
    assert f"on the Ray cluster at {address}" == Cluster(address).words


@HAS_RAY
def test_a_task_that_dies_is_a_row(address: str, tmp_path: Path) -> None:
    """The others go on."""
    found = verified(Cluster(address, kills_itself), jobs(a_sweep(tmp_path)))
    assert ["holds", "undetermined", "holds", "holds"] == [outcome.verdict for outcome in found]
    assert str(found[1].reason).startswith("the process ended: ")
    assert not found[1].is_final


@HAS_RAY
def test_who_is_stopped_lets_the_cluster_go(address: str, tmp_path: Path) -> None:
    """Nothing more is said, and one may ask again."""
    given = jobs(a_sweep(tmp_path))
    assert [] == list(Cluster(address).outcomes(given, lambda *_: None, lambda: True))
    assert 4 == len(verified(Cluster(address), given))


@HAS_RAY
@pytest.mark.parametrize(
    ("wrong", "error"),
    [("nonsense", "no cluster at `nonsense`: "), ("127.0.0.1:1", "no cluster at `127.0.0.1:1`: connection refused")],
)
def test_where_there_is_no_cluster(wrong: str, error: str, tmp_path: Path) -> None:
    """One line says so, at once."""
    with pytest.raises(NoCluster) as caught:
        list(Cluster(wrong).outcomes(jobs(a_sweep(tmp_path)), lambda *_: None, lambda: False))
    assert str(caught.value).startswith(error)


def test_an_address_is_only_tried_where_it_is_one() -> None:
    """Words that ray knows have no port; who does not answer by name is refused with what the system says."""
    cluster._refuse_unreachable("auto")
    with socket.create_server(("127.0.0.1", 0)) as server:
        cluster._refuse_unreachable(f"127.0.0.1:{server.getsockname()[1]}")
        cluster._refuse_unreachable(f"ray://127.0.0.1:{server.getsockname()[1]}")
    with pytest.raises(NoCluster, match="no cluster at `a:b`: port could not be cast"):
        cluster._refuse_unreachable("a:b")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is begun."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(NoCluster, match=r"a cluster needs ray, not installed; `pip install 'phasegate\[cluster\]'`"):
        Cluster("auto")


def test_a_worker_tells_nobody_and_is_never_asked_to_stop(tmp_path: Path) -> None:
    """A task has no line back before it ends; the machine is shared among as many as it has processors."""

    def asks(job: Job, share: int, tell: Callable[[Progress], None], stop: Callable[[], bool]) -> Outcome:
        tell(Progress(states=1, transitions=1, frontier=1, depth=1, seconds=1.0, memory=1))
        return Outcome(verdict="undetermined" if stop() else "holds", states=share)

    found = served(asks, jobs(a_sweep(tmp_path))[0], cluster.sources())
    assert ("holds", os.cpu_count()) == (found.verdict, found.states)


def test_a_worker_works_with_the_same_phasegate_or_not_at_all(tmp_path: Path) -> None:
    """Another one's results would be of other rules."""
    job = jobs(a_sweep(tmp_path))[0]
    assert "holds" == served(worked, job, cluster.sources()).verdict
    other = served(worked, job, "0.0.1+x")
    assert ("undetermined", False) == (other.verdict, other.is_final)
    assert str(other.reason).endswith("instead of 0.0.1+x")
