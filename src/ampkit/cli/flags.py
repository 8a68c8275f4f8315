"""How switches look on the command line: no `--no-...`, no default shown; knows no subcommand."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cyclopts import Parameter

Flag: TypeAlias = Annotated[bool, Parameter(negative="", show_default=False)]
FileFlag: TypeAlias = Annotated[str | None, Parameter(show_default=False)]
JsonFlag: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", show_default=False)]
