"""Which functions convert records and mappings, those of the compiled module or generated ones; converts nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ampkit.schema import compiler, mapping
from ampkit.speed import twin

make_encoder: Final = twin("make_encoder", compiler.make_encoder)
make_decoder: Final = twin("make_decoder", compiler.make_decoder)
make_mapping_encoder: Final = twin("make_mapping_encoder", mapping.make_mapping_encoder)
make_mapping_decoder: Final = twin("make_mapping_decoder", mapping.make_mapping_decoder)
make_caller: Final = twin("make_caller", mapping.make_caller)


def _nothing(*_: object) -> Any:
    return None


make_quickly: Final[Callable[[type], None]] = twin("make_quickly", _nothing)
"""Let the compiled module make the instances of a record."""

make_plan: Final[Callable[[Callable[..., bytes], Callable[..., Any] | None], Any]] = twin("make_plan", _nothing)
"""Return how the compiled module asks a command, by its encoder and the decoder of its response; None without it."""
