"""The command line: `phasegate import`, `plan`, `simulate`, `replay`, `explain`.

Nothing is decided here. Each command reads files, asks the engine, and renders what it says: for people, or with
`--json` for programs.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

__all__ = ["main"]


def _nothing(**_: object) -> None:
    """Stand in for what a stream cannot do."""


def _leave(number: int, _: object) -> NoReturn:
    """End on a signal in order, so that what is half written is taken away, with the exit code that shells expect."""
    sys.exit(128 + number)


def main() -> NoReturn:
    """Run the command line on the arguments of the process, and exit with its code (`phasegate.cli.ending`)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: then there is nobody to read it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # open until the process ends
        # a name that the terminal cannot show is no reason to show nothing
        getattr(getattr(sys, name), "reconfigure", _nothing)(errors="replace")
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # there is no SIGHUP everywhere
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # else whoever started us has said
            signal.signal(number, _leave)
    try:
        from phasegate.cli.app import app

        app()
    except KeyboardInterrupt:  # before the commands were there to take it
        sys.exit(130)
    sys.exit(0)
