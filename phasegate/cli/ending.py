"""How a command ends: its exit code, and an error as one line on standard error.

    0    all is well
    1    the answer is no: a rollout did not complete, a named set is not eligible, a replay differs, a promise is
         broken
    2    bad input: an argument, a file, or an output that cannot be written
    3    no answer: no memory left, a run without an end, or a fault of this program
    130  interrupted from the keyboard; nothing is half written
    141  whoever read the output has gone
    143  told to end; nothing is half written

The line is `error: <what> (<where>)`. A traceback is never shown, but for a fault of this program with
`PHASEGATE_TRACEBACK` set.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from phasegate.core.errors import InvalidEvent, InvalidModel, PhasegateError, UnknownName
from phasegate.core.names import printable


class Exit(IntEnum):
    """The exit codes."""

    WELL = 0
    NO = 1
    BAD_INPUT = 2
    NO_ANSWER = 3
    INTERRUPTED = 130
    NO_READER = 141


class Refused(PhasegateError):
    """Input that cannot be used: what is wrong with it, and where it stands."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what, where)
        self.what = what
        self.where = where

    def __str__(self) -> str:
        return f"{self.what} ({self.where})"


@contextmanager
def asked_by(where: str) -> Iterator[None]:
    """Blame a name or request that the engine does not know on the option or file that it came from.

    A fault with a path in it is the fleet's, whatever was asked for: whoever read the fleet names the file.
    """
    try:
        yield
    except InvalidModel as error:
        if error.path:
            raise
        raise Refused(error.what, where) from None
    except (UnknownName, InvalidEvent) as error:
        raise Refused(str(error), where) from None


# typer carries a copy of click or depends on it, by version: the base of all errors of usage is found from a public one
_Usage: Final[type[Exception]] = typer.BadParameter.__mro__[2]
_SHOWN_MAX: Final = 1_000


class Commands(TyperGroup):
    """A group of commands whose errors end as this module says."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which people need them: the import first, though it is a group."""
        return sorted(super().list_commands(ctx), key=lambda name: name != "import")

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line and exit."""
        options["standalone_mode"] = False
        options["prog_name"] = "phasegate"
        try:
            code = super().main(*args, **options)
        except _Usage as error:
            ctx = getattr(error, "ctx", None)
            _end(usage_words(error) + _commands_of(ctx, error), _path_of(ctx), Exit.BAD_INPUT)
        sys.exit(code or Exit.WELL)

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the command line; what that prints (help, the version) ends as the output of a command does."""
        with _in_order(lambda: "phasegate"):
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for, and return its exit code."""
        with _in_order(lambda: _command(ctx)):
            code = super().invoke(ctx)
            sys.stdout.flush()
        return code


@contextmanager
def _in_order(command: Callable[[], str]) -> Iterator[None]:
    """End the process as this module says if something goes wrong; `command` says then what was being done."""
    try:
        try:
            yield
        except typer.Exit:
            sys.stdout.flush()
            raise
        except SystemExit as ended:  # so rich ends a help text whose reader has gone
            raise BrokenPipeError if ended.code == 1 else ended from None
    except PhasegateError as error:
        _end(*_read(error, command()))
    except KeyboardInterrupt:
        _end("interrupted", command(), Exit.INTERRUPTED)
    except BrokenPipeError:
        _drop_output()
        sys.exit(Exit.NO_READER)
    except OSError as error:  # files are read and written through `documents`: this is the output
        _drop_output()
        _end(f"cannot be written: {(error.strerror or str(error)).lower()}", "standard output", Exit.BAD_INPUT)
    except MemoryError:
        _end("out of memory", command(), Exit.NO_ANSWER)
    except (_Usage, typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if os.environ.get("PHASEGATE_TRACEBACK"):
            raise
        what = f"a fault of this program: {type(error).__name__}: {error}; PHASEGATE_TRACEBACK=1 shows where"
        _end(what, command(), Exit.NO_ANSWER)


def _read(error: PhasegateError, command: str) -> tuple[str, str, Exit]:
    """Return what is wrong, where, and the exit code for it."""
    # only now: whoever asks for help need not wait for what reads files and simulates
    from phasegate.files.documents import InvalidFile
    from phasegate.simulating.simulation import Endless

    if isinstance(error, Endless):
        return str(error), "", Exit.NO_ANSWER
    if isinstance(error, Refused | InvalidFile):
        return str(error), "", Exit.BAD_INPUT
    if isinstance(error, InvalidModel):
        return error.what, error.path or command, Exit.BAD_INPUT
    return str(error), command, Exit.BAD_INPUT


def _command(ctx: Any) -> str:
    return f"{ctx.command_path} {ctx.invoked_subcommand or ''}".strip()


def _path_of(ctx: Any) -> str:
    return ctx.command_path if ctx is not None else "phasegate"


def _commands_of(ctx: Any, error: Any) -> str:
    """Return a hint at the commands that there are, if one is missing or nothing like it is there."""
    command: Any = getattr(ctx, "command", None)
    commands = command.list_commands(ctx) if hasattr(command, "list_commands") else ()
    text = error.format_message()
    return f"; there are {', '.join(commands)}" if commands and "command" in text and "Did you" not in text else ""


def usage_words(error: Any) -> str:
    """Return what typer says of a misused command line, in the words of this program.

    >>> usage_words(typer.BadParameter("'x' is not a valid integer."))
    'invalid value: `x` is not a valid integer'
    """
    what = " ".join(error.format_message().split())
    what = re.sub(r"[.;]? ?\(?(?:Did you mean|Possible options:) ([^?)]*)[?)]*", _meant, what)
    what = re.sub(r"(?<![A-Za-z])['\"]([^'\"]*)['\"]", r"`\1`", what)
    what = re.sub(r"^(No such option: )([^` ;]+)", r"\1`\2`", what)
    what = re.sub(r"(?:^|(?<=: ))[A-Z](?=[a-z ])", lambda letter: letter[0].lower(), what)
    return what.rstrip(".")


def _meant(match: re.Match[str]) -> str:
    names = [name.strip(" '\"`") for name in match[1].replace(" or ", ",").split(",")]
    return f"; did you mean {' or '.join(f'`{name}`' for name in names if name)}?"


def _end(what: str, where: str, code: Exit) -> NoReturn:
    """Print the line of an error, and exit."""
    line = " ".join(f"error: {what} ({where})".split() if where else f"error: {what}".split())
    with suppress(OSError):  # nobody reads standard error: the exit code still says it
        print(printable(line[:_SHOWN_MAX]), file=sys.stderr, flush=True)
    _drop_unwritten()
    sys.exit(code)


def _drop_unwritten() -> None:
    """Send what is left in standard output's buffer on its way; if that fails, let Python not complain at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    """Let nothing more be written to standard output, so that Python does not fail once more at its end."""
    with suppress(io.UnsupportedOperation, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, sys.stdout.fileno())
        finally:
            os.close(null)
