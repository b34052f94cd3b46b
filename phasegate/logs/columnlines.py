"""Lines of what a step tells in columns: the same bytes as the journal's own, without an object a fact.

A rollout writes ten lines a batch, and most of what an encoder does for them is to look at names that it has seen
before. So names are quoted once, and a line is put together from pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from attrs import define, field

from phasegate.core import codes as c
from phasegate.core.events import What
from phasegate.core.facts import Fact
from phasegate.core.lifecycle import COMMANDS, Do
from phasegate.core.telling import CAUSES, LIVES, WHY, Told
from phasegate.core.traces import LENGTHS, records
from phasegate.simulating.reports import Bulk

_BECAME: Final = b'{"t":%d,"kind":"became","rollout":%b,"state":"%b","cause":"%b","set":"%b","instances":%b}\n'
_COMMAND: Final = (
    b'{"t":%d,"kind":"command","rollout":%d,"id":"%d/%b/%d/%b","do":"%b","set":"%b","version":"%b","attempt":%d,'
    b'"instances":%b}\n'
)
_STARTED: Final = (
    b'{"t":%d,"kind":"batch-started","rollout":%d,"set":"%b","cell":"%b","upgrade_domain":%d,"instances":%b}\n'
)
_IGNORED: Final = b'{"t":%d,"kind":"ignored","what":"%b","why":"%b","set":"%b","instances":%b}\n'
_SIGNAL: Final = b'{"t":%d,"kind":"signal","what":"%b","set":"%b","instances":%b,"observed_at":%d}\n'
_ANSWER: Final = (
    b'{"t":%d,"kind":"signal","what":"%b","set":"%b","instances":%b,"observed_at":%d,'
    b'"command":"%d/%b/%d/%b","do":"%b","attempt":%d}\n'
)

_DOES: Final = {int(life): do.word.encode() for life, do in COMMANDS.items()}
_STATES: Final = [life.word.encode() for life in LIVES]
_CAUSES: Final = {code: word.encode() for code, word in CAUSES.items()}
_WHATS: Final = [what.word.encode() for what in What]
_WHY: Final = {code: word.encode() for code, word in WHY.items()}
_DOS: Final = [do.word.encode() for do in Do]

Instances = Callable[[bytes], bytes]
"""Return the ids of slots (uint32, as bytes) as a JSON list."""


@define
class ColumnLines:
    """Writes lines; `quoted` are names as they stand between the quotes of a JSON string."""

    quoted: dict[str, bytes] = field(factory=dict, repr=False)

    def told(self, now: int, told: Told, instances: Instances, line_of: Callable[[Fact], bytes]) -> Iterator[bytes]:
        """Yield the lines of a trace's facts; `line_of` writes those that were made at once.

        Not for traces with later incarnations, whose commands differ.
        """
        trace, moments, noted, quote = told.trace, told.moments, told.noted, self._quote
        sets, cells, versions = told.directory.sets, told.directory.cells, told.book.versions
        moment = 0
        for at, begin, after in records(trace):
            operation = trace[at]
            if operation in LENGTHS:
                yield from map(line_of, noted.get(at, ()))
                continue
            first, second, third = moments[moment : moment + 3]
            moment += 3
            name = quote(sets[trace[at + 1]])
            if at in noted:
                yield from map(line_of, noted[at])
            if operation == c.T_STARTED:
                if at not in noted:
                    ids = instances(trace[begin:after].tobytes())
                    yield _STARTED % (now, first, name, quote(cells[second]), third, ids)
                continue
            ids = instances(trace[begin:after].tobytes())
            state, cause = trace[at + 2], trace[at + 3]
            if operation == c.T_IGNORED:
                yield _IGNORED % (now, _WHATS[state], _WHY[cause], name, ids)
            else:
                if state in _DOES and at not in noted:
                    do, version = _DOES[state], quote(versions[third])
                    yield _COMMAND % (now, first, first, name, second, do, do, name, version, second, ids)
                rollout = b"%d" % first if first >= 0 else b"null"
                yield _BECAME % (now, rollout, _STATES[state], _CAUSES[cause], name, ids)

    def signals(self, now: int, bulk: Bulk, instances: Instances) -> Iterator[bytes]:
        """Yield a line for each group of reports."""
        first, observed_at = 0, bulk.observed_at
        for at in range(0, len(bulk.groups), 3):
            s, rollout, count = bulk.groups[at : at + 3]
            name, what, do = self._quote(bulk.names[s]), _WHATS[bulk.what[first]], bulk.answers[first]
            ids = instances(bulk.slots[first : first + count].tobytes())
            if do:
                attempt, word = bulk.attempt[first], _DOS[do]
                yield _ANSWER % (now, what, name, ids, observed_at, rollout, name, attempt, word, word, attempt)
            else:
                yield _SIGNAL % (now, what, name, ids, observed_at)
            first += count

    def _quote(self, name: str) -> bytes:
        known = self.quoted.get(name)
        if known is None:
            known = self.quoted[name] = msgspec.json.encode(name)[1:-1]
        return known
