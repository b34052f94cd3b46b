"""Importers: what other tools say of their machines, as fleets.

Each importer is a function of documents, pairs of a name and what is in it, to `Imported`: a fleet, and the list of
what could not be mapped into it. An importer guesses as little as it can, and lists what it assumes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from phasegate.importers.arm import import_arm
from phasegate.importers.aws import import_aws
from phasegate.importers.az import import_az
from phasegate.importers.kubectl import import_kubectl
from phasegate.importers.locations import import_regions
from phasegate.importers.reading import Imported, Unmapped

__all__ = [
    "IMPORTERS",
    "Imported",
    "Unmapped",
    "import_arm",
    "import_aws",
    "import_az",
    "import_kubectl",
    "import_regions",
]

IMPORTERS: Final[dict[str, Callable[..., Imported]]] = {
    "arm": import_arm,
    "az": import_az,
    "regions": import_regions,
    "kubectl": import_kubectl,
    "aws": import_aws,
}
"""The importers by the name that the command line gives them; `arm` alone takes options."""
