"""What all tests of the rules share: the kernels that there are, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from phasegate.core.kernels import default_kernel
from phasegate.core.twin import Kernel as Twin

KERNELS = [Twin] if default_kernel() is Twin else [Twin, default_kernel()]


@pytest.fixture(params=KERNELS, ids=lambda kernel: "compiled" if kernel.is_compiled else "twin")
def kernel(request: pytest.FixtureRequest) -> Any:
    """Return the class of one kernel: the plain twin, and the compiled one where it was built."""
    return request.param
