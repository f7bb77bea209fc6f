"""What a TensorRT-RTX plan's matrix products compute in, read from the text that stands in its body.

A strongly typed network should leave no choice, but some graphs run a product in another type without a
word (docs/engines.md), so every export looks.
"""

from __future__ import annotations

import mmap
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bindrt.precisions import EIGHT_BITS
from bindrt_export.precision.typed import QUANTIZED

TENSOR = re.compile(rb"tensor=\{ ([^\n]{1,4000}) \}")
PRODUCT = re.compile(rb'fully_connected=\{ name="([^"\n]{1,200})"[^\n]{0,2000}? input=\{([^}\n]{1,2000})\}')
NAME, KIND = re.compile(rb' name="([^"]+)"'), re.compile(rb" type=([a-z0-9_]+)")
#: Precision → the plan's names of the type its products must read.
KINDS = {
    "fp32": ("float",),
    "fp16": ("half",),
    "bf16": ("bfloat16", "bf16"),
    "int8": ("int8",),
    "fp8": ("fp8_e4m3",),
}


@dataclass(frozen=True)
class Product:
    """A matrix product of the plan and the types of its two operands; ``?`` where a fusion hides one."""

    name: str
    kinds: tuple[str, str]


def products(path: Path) -> list[Product]:
    """Every matrix product with weights or activations; none that TensorRT fuses in attention."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        kinds: dict[bytes, str] = {}
        for found in TENSOR.finditer(text):
            name, kind = NAME.search(found[1]), KIND.search(found[1])
            if name and kind:
                kinds[name[1]] = kind[1].decode()
        made = []
        for found in PRODUCT.finditer(text):
            operands = re.findall(rb'"([^"]+)"', found[2])[:2]
            a, b = (kinds.get(operand.removesuffix(b"^deref"), "?") for operand in (*operands, b"", b"")[:2])
            made.append(Product(found[1].decode(errors="replace"), (a, b)))
        return made


def wrong_products(found: list[Product], precision: str) -> list[Product]:
    """The products whose weight has another type than asked for.

    The other side may be read in the type before it, where a norm or a quantisation is fused into it.
    In 8-bit plans only the 8-bit linears count, not the products inside attention.
    """
    allowed = (*KINDS[precision], "?")
    meant = [p for p in found if precision not in EIGHT_BITS or QUANTIZED in p.name]
    return [p for p in meant if p.kinds[1] not in allowed]


def missing_products(found: list[Product], names: set[str]) -> set[str]:
    """Linears of the graph that the plan shows nowhere, alone or fused with others."""
    return names - {name.partition(" [")[0] for p in found for name in p.name.split("+")}


def known_products(found: list[Product]) -> list[Product]:
    """The products whose types the plan shows: all that have weights."""
    return [p for p in found if p.kinds != ("?", "?")]


def summary(found: list[Product]) -> dict[str, int]:
    """How many products there are of each pair of types, for the report."""
    return dict(Counter(" × ".join(p.kinds) for p in found))
