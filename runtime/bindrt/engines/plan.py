"""Plans: what they are built for, and the header of those of TensorRT-RTX, good enough for a check.

NVIDIA does not document the header. Plans of known targets show: 64 bytes, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bindrt.errors import BundleError

HEADER_BYTES = 64
MAGIC = b"vtrt"
#: Bit of the target mask → the target's name.
TARGETS = {1: "sm_75", 2: "sm_80", 4: "sm_86", 8: "sm_89", 16: "sm_120", 32: "sm_121"}


def plan_target(targets: Sequence[str]) -> str:
    """A plan's targets as the manifest and folder names have them: ``sm_86-sm_89``."""
    return "-".join(targets)


@dataclass(frozen=True)
class PlanHeader:
    """What a plan says of itself.

    Attributes:
        size: bytes of the whole plan.
        version: the release of TensorRT-RTX that it is for.
        targets: the GPUs that it is for, for example ``("sm_86", "sm_89")``.
        weight_bytes: bytes of its weights.
    """

    size: int
    version: str
    targets: tuple[str, ...]
    weight_bytes: int


def read_header(path: Path) -> PlanHeader:
    """Read the header of a plan of TensorRT-RTX.

    Raises:
        BundleError: the file is not such a plan, or is cut short.
    """
    with open(path, "rb") as file:
        head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or head[:4] != MAGIC:
        raise BundleError(path.name, "not a TensorRT-RTX plan", "export or copy the bundle again")
    (size,) = struct.unpack_from("<Q", head, 16)
    if size != path.stat().st_size:
        raise BundleError(
            path.name,
            f"its header says {size} bytes, the file has {path.stat().st_size}",
            "export or copy the bundle again",
        )
    (mask,) = struct.unpack_from("<I", head, 32)
    return PlanHeader(
        size=size,
        version=".".join(str(number) for number in head[24:28]),
        targets=tuple(name for bit, name in TARGETS.items() if mask & bit),
        weight_bytes=struct.unpack_from("<Q", head, 56)[0],
    )
