"""What a result was measured on and with."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bindrt import _core, hardware


def describe_machine() -> dict[str, Any]:
    """The processor, its memory in bytes, its load before the measurement, and the Python version."""
    features = _core.build_info()["cpu_features"]
    cpu = hardware.cpu(tuple(name for name, present in features.items() if present))
    return {
        "cpu": cpu.model,
        "features": list(cpu.features),
        "cores": cpu.usable_cores,
        "memory": cpu.memory,
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "gpus": [gpu.name for gpu in hardware.nvidia_driver().gpus],
    }


def package_versions(*names: str) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
