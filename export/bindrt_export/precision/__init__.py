"""Other precisions than float32, made from an encoder's float32 graph and weights.

``number_types`` decides what is computed in which type, from what ``survey`` measures. ``cpu`` and ``typed``
write the graph that computes so, for engines on a CPU and for TensorRT. Nothing here needs torch.
"""

from __future__ import annotations

from bindrt_export.precision.forms import FORM_VERSION, narrow_input, write_cpu_form, write_typed_form
from bindrt_export.precision.number_types import (
    EncoderTypes,
    LinearTypes,
    choose_types,
    require_supported,
    supported,
)

__all__ = [
    "FORM_VERSION",
    "EncoderTypes",
    "LinearTypes",
    "choose_types",
    "narrow_input",
    "require_supported",
    "supported",
    "write_cpu_form",
    "write_typed_form",
]
