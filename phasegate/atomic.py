"""Writes a file whole or not at all."""

from __future__ import annotations

import os
from itertools import count

from phasegate.core.errors import PhasegateError


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Write `content` to `path`: into a new file beside it, which then takes its name.

    Whoever reads `path` meanwhile sees the old content or the new, never a part. A link is followed. `PhasegateError`
    if the file cannot be written; then the old one is as it was, and nothing is left beside it.
    """
    target = os.path.realpath(path)
    try:
        beside = _create_beside(target)
        try:
            with open(beside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, target)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise PhasegateError(f"cannot write `{os.fspath(path)}`: {(error.strerror or str(error)).lower()}") from None


def _create_beside(target: str) -> str:
    # not tempfile: its files are for the owner alone, and this one becomes an ordinary file under the user's umask
    for number in count():
        beside = f"{target}.{os.getpid()}-{number}.part"
        try:
            os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return beside
    raise AssertionError("count() does not end")  # pragma: no cover  # for the type checker
