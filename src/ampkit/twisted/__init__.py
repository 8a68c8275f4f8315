"""The names of `twisted.protocols.amp` on this core, for programs that exist; needs the extra `twisted`.

`from ampkit.twisted import amp` takes the place of `from twisted.protocols import amp`; `install()` puts it in
Twisted's place for code that cannot be changed.
"""

from __future__ import annotations

from ampkit.twisted.install import install, uninstall

__all__ = ["install", "uninstall"]
