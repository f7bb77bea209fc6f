"""How soon a program has its first vector: ``--part start``.

Each turn is a process of its own. It imports bindrt, then loads bind-tiny and embeds one item. Python's own
start is not counted, NumPy's import is. Beside seconds stand seconds of processor time. Modules are
compiled by a process that is not measured, as an installation compiles them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from typing import Any

from bindrt.benchmark.json_process import ask_once

SUMMARY = "import bindrt, and the first vector of bind-tiny"
IMPORT_ASKED, VECTOR_ASKED = 0.15, 0.5  # seconds
MODALITIES = ("text", "image", "audio", "imu")
_CODE = """
import time, json, os, sys
modality = json.loads(sys.stdin.readline())["modality"]
out = os.fdopen(os.dup(1), "w")
start = time.perf_counter(), time.process_time()
import bindrt
imported = time.perf_counter(), time.process_time()
import numpy as np
items = {
    "text": "a bell ringing",
    "image": np.zeros((240, 320, 3), np.uint8),
    "audio": bindrt.Audio(np.zeros(32000, np.float32), rate=16000),
    "imu": bindrt.Imu(np.ones((6, 2000)), rate=400),
}
with bindrt.load("tiny") as model:
    model.embed(**{modality: items[modality]})
    embedded = time.perf_counter(), time.process_time()
parts = {"import": imported, "vector": embedded}
found = {name: [end - begin for end, begin in zip(each, start)] for name, each in parts.items()}
print(json.dumps(found), file=out)
out.flush()
"""


def add_options(parser: Any) -> None:
    parser.add_argument("--processes", type=int, default=7, help="of each modality (default 7)")


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a modality."""
    found = {"import_asked": IMPORT_ASKED, "vector_asked": VECTOR_ASKED, "modalities": {}}
    for modality in MODALITIES:
        found["modalities"][modality] = each = measured(modality, options.processes)
        print(line(modality, each), flush=True)
    return found


def measured(modality: str, processes: int) -> dict[str, dict[str, float]]:
    """Medians of seconds from the start of a program."""
    command = [sys.executable, "-c", _CODE]
    with tempfile.TemporaryDirectory() as compiled:
        variables = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}
        replies = [ask_once(command, {"modality": modality}, variables) for _ in range(1 + processes)][1:]
    return {
        part: {
            "seconds": statistics.median(reply[part][0] for reply in replies),
            "processor_seconds": statistics.median(reply[part][1] for reply in replies),
        }
        for part in ("import", "vector")
    }


def line(modality: str, found: dict[str, dict[str, float]]) -> str:
    told = [
        f"{part} {1e3 * each['seconds']:.0f} ms ({1e3 * each['processor_seconds']:.0f} of processor time)"
        for part, each in found.items()
    ]
    return f"start, {modality:<5}: {', '.join(told)}"
