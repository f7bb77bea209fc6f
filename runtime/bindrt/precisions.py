"""The precisions there are, and which of them give vectors that may be mixed."""

from __future__ import annotations

#: Precision → its class. Vectors of one class may stand in one index (cosine ≥ 0.999 to fp32).
PRECISION_CLASS: dict[str, str] = {
    "fp32": "float",
    "fp16": "float",
    "bf16": "float",
    "int8": "int8",
    "fp8": "fp8",
}
PRECISIONS = tuple(PRECISION_CLASS)
#: Those whose linear layers multiply 8-bit numbers.
EIGHT_BITS = tuple(name for name, kind in PRECISION_CLASS.items() if kind != "float")
#: What may be asked for besides: the fastest of the default's space, and the fastest of all spaces.
FAST, FASTEST = "fast", "fastest"
#: What ``load`` and the commands take.
CHOICES = (*PRECISIONS, FAST, FASTEST)
#: How the commands describe their option.
PRECISION_HELP = (
    "fp32, bf16, …; fast or fastest: measured once, in the default's space or in all; default: the bundle's"
)


def of_class(kind: str) -> tuple[str, ...]:
    """The precisions of a class, for example ``("fp32", "fp16", "bf16")`` for ``float``."""
    return tuple(name for name, its in PRECISION_CLASS.items() if its == kind)
