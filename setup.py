"""The compiled module, which the build does without where there is no C compiler; all else is in pyproject.toml."""

import os
from glob import glob

from setuptools import Extension, setup

required = os.environ.get("AMPKIT_REQUIRE_SPEED") == "1"
speed = Extension(
    "ampkit._speed",
    ["src/compiled/_speed.pyx"],
    depends=sorted(glob("src/compiled/*.pxi")),
    optional=not required,
)
setup(ext_modules=[] if os.environ.get("AMPKIT_PURE") == "1" else [speed])
