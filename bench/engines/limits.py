"""The least time that an encoder could take: at the peak of the processor's unit, or of its memory."""

from __future__ import annotations

from typing import Any

from bench.engines.work import CAPTION, encoder_work
from bench.units import Peaks
from bindrt.bundle import Bundle

#: Bytes of a weight.
BYTES = {"fp32": 4, "bf16": 2, "int8": 1}


def limits_of(bundle: Bundle, encoder: str, batch: int, peaks: Peaks) -> dict[str, dict[str, Any]]:
    """By precision: the seconds, and what bounds them; a text counts the tokens of its caption only.

    Matrix products at the unit's bare peak, or reading each weight once, whichever takes longer.
    """
    tokens = CAPTION if encoder == "text" else None
    work = encoder_work(bundle.manifest.encoders[encoder], bundle.manifest.embed_dim, tokens)
    found = {}
    for precision, unit in peaks.units.items():
        computing = batch * work.operations / unit.operations
        reading = work.weights * BYTES[precision] / peaks.bytes
        found[precision] = {
            "seconds": max(computing, reading),
            "by": unit.name if computing >= reading else "reading the weights",
            "computing": computing,
            "reading": reading,
        }
    return found
