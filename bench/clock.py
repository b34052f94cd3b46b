"""What benchmarks are timed with: the clock on the wall, or the processor's for a machine that others use too."""

from __future__ import annotations

import resource
import time
from typing import Final

CPU_CLOCK: Final = f"{__name__}.cpu"  # as pytest-benchmark is told it


def cpu() -> float:
    """Return the seconds that processors have spent on this process, and on those of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
