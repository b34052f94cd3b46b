"""Which machine a run was made on, and with which versions: a figure without them says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import phasegate
from phasegate.core.kernels import default_kernel

PEERS: Final = ("numpy", "polars", "networkx", "simpy", "transitions")


def described() -> dict[str, Any]:
    """Return the machine as plain data; what the system does not tell is left out."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "phasegate": phasegate.__version__,
        "kernel": "compiled" if default_kernel().is_compiled else "plain twin",
    }
    return {name: value for name, value in found.items() if value is not None}


def versions() -> dict[str, str | None]:
    """Return the versions of the peers, None for one that is not installed."""
    return {name: _version(name) for name in PEERS}


def in_a_line(machine: dict[str, Any]) -> str:
    """Return the machine in words."""
    memory = f", {machine['memory_bytes'] / 2**30:.0f} GiB" if "memory_bytes" in machine else ""
    return f"{machine['processor']}, {machine['cores']} cores{memory}, {machine['system']}, {machine['python']}"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
