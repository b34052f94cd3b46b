"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phasegate import atomic
from phasegate.core.errors import PhasegateError


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """The second content follows the first; a leftover of another run is no obstacle and stays."""
    leftover = tmp_path / f"plot.svg.{os.getpid()}-0.part"
    leftover.write_bytes(b"")
    for content in (b"one", b"two"):
        atomic.write(tmp_path / "plot.svg", content)
        assert content == (tmp_path / "plot.svg").read_bytes()
    assert {"plot.svg", leftover.name} == {path.name for path in tmp_path.iterdir()}


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file that it points to is written, the link stays one."""
    (tmp_path / "link").symlink_to("real")
    atomic.write(tmp_path / "link", b"content")
    assert (tmp_path / "real").read_bytes() == b"content"
    assert (tmp_path / "link").is_symlink()


def test_a_new_file_has_the_rights_that_the_umask_leaves(tmp_path: Path) -> None:
    """Not those of a temporary file, which only its owner can read."""
    before = os.umask(0o027)
    try:
        atomic.write(tmp_path / "plot.svg", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "plot.svg").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["missing/plot.svg", "."])
def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path, name: str) -> None:
    """No directory there, or the path is one; nothing is left."""
    with pytest.raises(PhasegateError, match=r"cannot write `.*`: (no such file|is a directory|.*busy|.*exists)"):
        atomic.write(tmp_path / name, b"content")
    assert list(tmp_path.iterdir()) == []
