"""What this processor's arithmetic units and its memory can do at most: the limit that engines are held to.

``peak.cpp`` is compiled when it is first asked, and again when it changed. Its loops keep everything in
registers, and count processor time, so other programs on the machine hardly matter.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bench.paths import BUILD, ROOT
from bindrt import hardware

SOURCES = (ROOT / "bench" / "units" / "peak.cpp", ROOT / "kernels" / "base" / "cpu_features.cpp")
PROGRAM = BUILD / "peak"
#: Bytes that are read: many times the largest cache here.
READ = 512 << 20


@dataclass(frozen=True)
class Unit:
    """The fastest instruction for a type of number.

    Attributes:
        name: for example ``AVX-512 VNNI``.
        operations: a second, of all threads together; a multiply-add is two.
    """

    name: str
    operations: float


@dataclass(frozen=True)
class Peaks:
    """What so many threads reach.

    Attributes:
        units: by type, ``fp32``, ``bf16``, ``int8``; only those that the processor has.
        bytes: read from memory in a second.
    """

    threads: int
    units: dict[str, Unit]
    bytes: float


def compiled() -> Path:
    """The program; CalledProcessError or OSError where there is no C++ compiler that can make it."""
    newest = max(path.stat().st_mtime for path in SOURCES)
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < newest:
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        options = ["-std=c++20", "-O3", "-pthread", f"-I{ROOT}", "-o", str(PROGRAM)]
        subprocess.run([os.environ.get("CXX", "c++"), *options, *map(str, SOURCES)], check=True)
    return PROGRAM


def measure(threads: int, seconds: float = 0.05, read: int = READ) -> Peaks:
    """Take the limits; ``seconds`` of each repeat of a loop."""
    command = [str(compiled()), str(threads), str(read), str(seconds)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    units = {kind: Unit(e["name"], e["operations_per_second"]) for kind, e in found["units"].items()}
    return Peaks(found["threads"], units, found["bytes_per_second"])


@lru_cache(maxsize=1)
def of_this_machine() -> Peaks:
    """With a thread for each core that this process may use."""
    return measure(max(1, int(hardware.cpu().usable_cores)))
