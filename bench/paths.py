"""Where the benches keep what they make, and how a result's file is named."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
#: Not in the repository: bundles, media, environments.
BUILD = ROOT / "build" / "bench"
#: imagebind_huge with random weights, 5 GB; ``python -m bench export`` makes it.
HUGE = BUILD / "huge.bind"
#: What a simulated GPU gives; never a measurement.
SIMULATED = ROOT / "build" / "gpu_check"
#: The C++ programs that run on a driver, as ``make gpu-kit`` builds them and the kit has them.
PROGRAMS = ROOT / "build" / "gpu-programs"


def slug(name: str) -> str:
    """The name of a processor or a GPU as a part of a file name.

    Example:
        >>> slug("NVIDIA GeForce RTX 4090")
        'nvidia-geforce-rtx-4090'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed"
