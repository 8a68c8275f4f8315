"""The compiled module, without which ampkit is complete; all else about the build is in pyproject.toml.

It is left out where there is no C compiler, unless AMPKIT_REQUIRE_SPEED=1 makes that an error; with AMPKIT_PURE=1
it is left out in any case. Whoever sets CFLAGS says how it is compiled.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

speed = Extension(
    "ampkit._speed",
    ["src/compiled/_speed.pyx"],
    depends=sorted(map(str, Path("src/compiled").glob("*.pxi"))),
    extra_compile_args=[] if sys.platform == "win32" or "CFLAGS" in os.environ else ["-O3", "-g0"],
    optional=os.environ.get("AMPKIT_REQUIRE_SPEED") != "1",
)
setup(ext_modules=[] if os.environ.get("AMPKIT_PURE") == "1" else [speed])
