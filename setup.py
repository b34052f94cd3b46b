"""Names the compiled modules; everything else stands in pyproject.toml.

setuptools translates the .pyx by itself when Cython is among the build requirements, and the sdist then holds the
.pyx. `optional` lets an installation without a C compiler go on with the plain twin.
"""

from pathlib import Path

from setuptools import Extension, setup

OPTIONS = ["-O3", "-g0"]  # what debuggers would need takes a quarter of the time, and four fifths of the size

MODULES = (
    "phasegate.core.copier",
    "phasegate.core.kernel",
    "phasegate.core.timers",
    "phasegate.core.exploring.abreast",
    "phasegate.core.exploring.expander",
    "phasegate.core.exploring.explorer",
    "phasegate.core.exploring.ground",
    "phasegate.core.exploring.judge",
    "phasegate.core.exploring.memo",
    "phasegate.core.exploring.mover",
    "phasegate.core.exploring.names",
    "phasegate.core.exploring.store",
    "phasegate.core.exploring.watch",
    "phasegate.core.hashing.fast",
    "phasegate.core.packing.fast",
    "phasegate.simulating.columns.fast",
)

SHARED = "phasegate.core._cyutility"  # what Cython adds to modules, compiled once; Cython writes its source

FACES = sorted(str(path) for path in Path("phasegate/core").rglob("*.pxd"))  # what modules know of each other

HOW = {"extra_compile_args": OPTIONS, "optional": True}

setup(
    ext_modules=[
        Extension(SHARED, [], **HOW),
        *(Extension(name, [f"{name.replace('.', '/')}.pyx"], depends=FACES, **HOW) for name in MODULES),
    ],
    options={"build_ext": {"cython_c_in_temp": True, "shared_utility_qualified_name": SHARED}},
)
