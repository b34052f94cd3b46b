"""Which compiled modules there are: selector and stepper, copier of pages, timers; else their plain twins."""

from __future__ import annotations

from typing import Any

from phasegate.core.twin import Copier as TwinCopier
from phasegate.core.twin import Kernel as Twin
from phasegate.core.twin import Timers as TwinTimers


def default_kernel() -> Any:
    """Return the compiled kernel's class if it was built, else the twin's."""
    try:
        from phasegate.core.kernel import Kernel
    except ImportError:
        return Twin
    return Kernel


def copier_beside(kernel: Any) -> Any:
    """Return the copier that goes with a kernel's class: the compiled one with the compiled kernel, if it was built."""
    if kernel.is_compiled:
        try:
            from phasegate.core.copier import Copier
        except ImportError:
            return TwinCopier
        return Copier
    return TwinCopier


def timers_beside(kernel: Any) -> Any:
    """Return the timers that go with a kernel's class: compiled with the compiled kernel, if they were built."""
    if kernel.is_compiled:
        try:
            from phasegate.core.timers import Timers
        except ImportError:
            return TwinTimers
        return Timers
    return TwinTimers
