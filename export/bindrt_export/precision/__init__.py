"""Other precisions than float32: one description of what is computed in what, and its form for each engine.

``description`` says it, ``survey`` measures what it is decided by, ``cpu`` and ``typed`` write graphs, from
an encoder's float32 graph and weights. Nothing here needs torch.
"""

from __future__ import annotations

from bindrt_export.precision.description import (
    Description,
    Layer,
    describe,
    require_supported,
    supported,
)
from bindrt_export.precision.forms import FORM_VERSION, write_cpu_form, write_typed_form

__all__ = [
    "FORM_VERSION",
    "Description",
    "Layer",
    "describe",
    "require_supported",
    "supported",
    "write_cpu_form",
    "write_typed_form",
]
