"""Which GPU a bench runs on, if there is one."""

from __future__ import annotations

import sys

from bindrt import _core


def announce_gpu() -> tuple[str, bool] | None:
    """Prints the GPU's name; returns it, and whether it is a simulated one. None, with the reason: no GPU."""
    if problem := _core.gpu.problem():
        print(f"no GPU to check: {problem}", file=sys.stderr)
        return None
    simulated = bool(_core.gpu.driver()["simulated"])
    name = str(_core.gpu.devices()[0]["name"])
    print(f"{'SIMULATED, nothing is measured' if simulated else 'GPU'}: {name}")
    return name, simulated
