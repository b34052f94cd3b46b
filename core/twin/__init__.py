"""The selector and the stepper in plain Python, written to be read; `kernel.pyx` is the same, compiled.

Three layers, each on the one before, with the same names in the same order as the compiled kernel:

- `counters`: every fact is counted where it changes, so that each rule is a comparison of a few numbers.
- `selector`: what keeps a batch from starting, which batches are legal, which are selected, and the gates.
- `stepper`: what one event does, and how the fleet settles after it.

Beside them, `copier` takes what was written out of a workspace, page by page, and `timers` knows what falls due;
`copier.pyx` and `timers.pyx` are the same, compiled.

Nothing here asks what time it is: marks and states say what is armed, and somebody else says what has passed.
"""

from __future__ import annotations

from phasegate.core.twin.copier import Copier
from phasegate.core.twin.stepper import Stepper as Kernel
from phasegate.core.twin.timers import Timers

__all__ = ["Copier", "Kernel", "Timers"]
