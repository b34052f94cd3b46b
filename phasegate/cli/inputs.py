"""What the commands are given: files or standard input, names, and times."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from phasegate.cli.ending import Refused, asked_by
from phasegate.core.codes import TIME_MAX
from phasegate.core.model import Fleet, refuse_unknown
from phasegate.core.versions import version_key
from phasegate.files.documents import (
    InvalidFile,
    blamed_on,
    kind_by_ending,
    lines_of,
    parse_document,
    read_bytes,
    whole,
)
from phasegate.files.fleetfile import load_fleet, parse_fleet
from phasegate.files.policyfile import parse_policy
from phasegate.logs.logfile import log_lines
from phasegate.plotting.times import EPOCH_FROM_MS
from phasegate.policies import AvailabilityFirst, availability_first
from phasegate.simulating.faultmodel import Faults
from phasegate.simulating.faults import parse_faults

STANDARD_INPUT: Final = "standard input"


class Inputs:
    """The files of one command; standard input (`-`) can be one of them, once."""

    def __init__(self) -> None:
        self._taken = False

    def read(self, path: str) -> tuple[str, bytes]:
        """Return what errors call the file, and what it holds."""
        if path == "-":
            self._take()
            try:
                return STANDARD_INPUT, whole(sys.stdin.buffer, STANDARD_INPUT)
            except OSError as error:
                raise InvalidFile(f"cannot be read: {(error.strerror or str(error)).lower()}", STANDARD_INPUT) from None
        if not path:
            raise Refused("a file has a name; this one is empty", "``")
        try:
            return path, read_bytes(path)
        except InvalidFile as error:
            raise InvalidFile(f"{error.what}{_like(path)}", error.file) from None

    def lines(self, path: str) -> tuple[str, Iterator[bytes]]:
        """Return what errors call the file, and its lines one by one."""
        if path == "-":
            self._take()
            return STANDARD_INPUT, lines_of(sys.stdin.buffer, STANDARD_INPUT)
        return path, _lines(path)

    def _take(self) -> None:
        if self._taken:
            raise Refused("standard input can be read once; name a file for the other", "`-`")
        if sys.stdin is None or sys.stdin.closed:
            raise Refused("there is no standard input", "`-`")
        self._taken = True

    def fleet(self, path: str) -> tuple[str, Fleet]:
        """Return the fleet of a file, and what errors call it."""
        if path != "-" and kind_by_ending(path) == "parquet" and os.path.exists(path):
            return path, load_fleet(path)  # read where it lies, with what stands beside it
        name, data = self.read(path)
        return name, parse_fleet(data, name)

    def policy(self, path: str | None) -> AvailabilityFirst:
        """Return the policy of a file; without one, the defaults."""
        if path is None:
            return availability_first()
        name, data = self.read(path)
        return parse_policy(data, name)

    def faults(self, path: str | None) -> tuple[str, Faults | None]:
        """Return the faults of a file, and what errors call it."""
        if path is None:
            return "faults", None
        name, data = self.read(path)
        document = parse_document(data, name)
        with blamed_on(name):
            return name, parse_faults(document)


def refuse_same(output: str | None, inputs: Iterable[str | None], option: str) -> None:
    """Refuse to write over a file that is read: whoever asks for that has mixed up two names."""
    for path in inputs:
        if None not in (output, path) and "-" not in (output, path) and _is_same(str(output), str(path)):
            raise Refused(f"`{output}` would be written over, and is read as well; name another file", option)


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.isfile(one) and os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them is not there
        return False


def _lines(path: str) -> Iterator[bytes]:
    try:
        yield from log_lines(path)
    except InvalidFile as error:
        raise InvalidFile(f"{error.what}{_like(path)}", error.file, error.place) from None


def _like(path: str) -> str:
    """Return a hint at a file of nearly that name, if there is no file of the name."""
    beside = Path(path)
    try:
        if beside.exists():
            return ""
        close = difflib.get_close_matches(beside.name, os.listdir(beside.parent), n=1)
    except (OSError, ValueError):  # its folder does not exist either, or cannot be read
        return ""
    return f"; did you mean `{beside.with_name(close[0])}`?" if close else ""


def image_named(fleet: Fleet, image: str) -> str:
    """Return the name of an image of the fleet; refused with the closest one if there is none."""
    names = [known.name for known in fleet.images]
    if image not in names:
        with asked_by("--image"):
            refuse_unknown(image, names, "image", "")
    return image


def sets_named(fleet: Fleet, names: Iterable[str]) -> tuple[str, ...]:
    """Return full names of sets of the fleet, each once; refused with the closest one if there is none."""
    known = {scale_set.full_name: scale_set for scale_set in fleet.sets}
    found = dict.fromkeys(names)
    for name in found:
        if name in known:
            continue
        named = [full for full, scale_set in known.items() if scale_set.name == name]
        if named:  # without its region
            raise Refused(f"a set is named region/set; did you mean `{'` or `'.join(named[:3])}`?", "--set")
        with asked_by("--set"):
            refuse_unknown(name, known, "set", "")
    return tuple(found)


def version_named(fleet: Fleet, image: str | None, version: str | None) -> str | None:
    """Return the version; refused if it is not dotted integers, or no version that the fleet lists of the image."""
    if version is None:
        return None
    with asked_by("--target"):
        key = version_key(version)
    for one in fleet.images:
        known = sorted((listed.version for listed in one.versions), key=version_key)
        if one.name == image and key not in map(version_key, known):
            newest = f"its newest are {', '.join(f'`{name}`' for name in known[:-4:-1])}" if known else "it has none"
            raise Refused(f"image `{image}` has no version `{version}`; {newest}", "--target")
    return version


def time_at(text: str, option: str) -> int:
    """Return a time in ms UTC, written as that number or as RFC 3339 with its offset.

    >>> time_at("1500", "--at"), time_at("1970-01-01T00:00:02Z", "--at"), time_at("1970-01-01 01:00+01:00", "--at")
    (1500, 2000, 0)
    """
    if text.isascii() and text.isdecimal() and int(text) <= TIME_MAX:
        return int(text)
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise Refused(f"time `{text}` does not say its offset from UTC; add `Z` or `+01:00`", option)
        time = round(found.timestamp() * 1000)
    except (ValueError, OverflowError):
        time = -1
    if time < 0:
        what = "is neither milliseconds since 1970 nor RFC 3339 from then on, like `2024-05-01T12:00:00Z`"
        raise Refused(f"time `{text}` {what}", option)
    return time


def default_now(fleet: Fleet) -> int:
    """Return when a plan or a simulation of the fleet begins if nobody says.

    Times from the year 2000 on are real ones: then it is when the last version that the fleet lists was there. Smaller
    ones count from the start of a simulation, which is at 0.
    """
    last = last_time(fleet)
    return last if last >= EPOCH_FROM_MS else 0


def last_time(fleet: Fleet) -> int:
    """Return when the last version that the fleet lists is published or has reached a region."""
    times = [0]
    for image in fleet.images:
        for version in image.versions:
            times.append(version.published_at_ms)
            times += (replica.replicated_at_ms for replica in version.regions)
    return max(times)
