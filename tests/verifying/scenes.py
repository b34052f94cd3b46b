"""Small scenarios that the tests of verification share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from phasegate.core.twin import Kernel as Twin
from phasegate.verifying.scenario import Scenario
from phasegate.verifying.scenariofile import parse_scenario

LIBRARY = Path(__file__).parents[1] / "scenarios"
UBUNTU = "Canonical/UbuntuServer/18.04-LTS"
HEAD = "format: phasegate/scenario/1\nabout: a test\n"
FLEET = """fleet:
  regions: [{name: eastus, pair: westus, zones: ["1", "2"]}, {name: westus}]
  images:
    - {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS, versions: [{version: "1.0"}, {version: "2.0"}]}
    - {gallery: corp, definition: web, versions: [{version: "1.0", regions: [{name: eastus}]}, {version: "2.0"}]}
  sets:
    - name: web
      region: eastus
      zones: ["1", "2"]
      upgrade_domains: 1
      image: {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS}
      instances: 3
    - name: db
      region: westus
      upgrade_domains: 1
      image: {publisher: Canonical, offer: UbuntuServer, sku: 18.04-LTS}
      windows: [{day: sat, start: "01:00", minutes: 300}]
      instances: 1
"""
SPARES = 'spares: [{set: eastus/web, instances: [{id: "7", zone: "1"}, {id: "8", zone: "2", version: "2.0"}]}]\n'
EVENTS = f"""events:
  - publish: {{image: {UBUNTU}, version: "3.0"}}
  - rollout: {{image: {UBUNTU}}}
  - protect: {{set: eastus/web, instances: ["1"]}}
  - unprotect: {{set: eastus/web, instances: ["1"]}}
  - configure: {{set: westus/db, automatic_os_upgrade: false}}
  - replicate: {{image: corp/web, version: "2.0", region: westus}}
"""
ONE = FLEET[: FLEET.index("    - name: db")].replace("instances: 3", "instances: 1")


def scene(text: str = "", fleet: str = FLEET, name: str = "scene.yaml") -> Scenario:
    """Return a scenario on the shared fleet, or on another one."""
    return parse_scenario((HEAD + fleet + text).encode(), name)


def broken(kernel: type, **methods: Any) -> type:
    """Return a kernel in which these methods are others: a rule that is bent."""
    return type("Bent", (kernel,), methods)


WINDOWS = """
format: phasegate/scenario/1
about: A set with a window, and one that shares its cell.
fleet:
  regions: [{name: eastus}]
  images: [{gallery: corp, definition: web, versions: [{version: 1.0.0, regions: [{name: eastus}]}, {version: 2.0.0, regions: [{name: eastus}]}]}]
  sets:
    - {name: web, region: eastus, image: {gallery: corp, definition: web}, upgrade_domains: 1, instances: 1,
       windows: [{day: sat, start: "01:00", minutes: 300}]}
    - {name: db, region: eastus, image: {gallery: corp, definition: web}, upgrade_domains: 1, instances: 1,
       windows: [{day: sun, start: "01:00", minutes: 300}]}
environment: {lost_reports: 0}
policy: {delays: false}
"""  # noqa: E501  # one line a thing


class NeverStarts(Twin):
    """A kernel that finds no batch to start."""

    def choose(self, s: int) -> int:
        """Find none."""
        return -1

    def legal(self, s: int) -> list[Any]:
        """Find none."""
        return []


def two_windows() -> Scenario:
    """Return the scenario of the windows."""
    return parse_scenario(WINDOWS.encode(), "windows.yaml")
