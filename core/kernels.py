"""Which selector and stepper there is: the compiled one, or its plain twin where no C compiler was at hand."""

from __future__ import annotations

from typing import Any

from phasegate.core.twin import Kernel as Twin


def default_kernel() -> Any:
    """Return the compiled kernel's class if it was built, else the twin's."""
    try:
        from phasegate.core.kernel import Kernel
    except ImportError:
        return Twin
    return Kernel
