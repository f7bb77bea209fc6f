"""A process on a machine with TensorRT, which is a stand-in (tests/trtsim) over the simulated driver."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from support import cpp
from support.bundles import TINY_CONFIG

STAND_IN = cpp.ROOT / "tests" / "trtsim"
#: Exports a small bundle with plans; prints what the report says of them.
EXPORT = """
import json, sys
from pathlib import Path
from bindrt_export.exporter import run
from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress
import bindrt
try:
    output, sizes, targets, *allow_log = Path(sys.argv[1]), *map(json.loads, sys.argv[2:])
    engines = EngineRequest(["tensorrt"], targets, ["fp32", "fp16"], None, False, *allow_log)
    report = run(ExportRequest("random:0", output, sizes, ["text", "imu"], engines), SilentProgress())
    print(json.dumps([e for e in report["engines"] if e["engine"] == "tensorrt"]))
except bindrt.Error as error:
    print(json.dumps({"error": str(error)}))
"""


def machine(folder: Path, driver: Path) -> dict[str, str]:
    """Environment of a process on a machine with TensorRT 11 and one GPU of capability 8.9."""
    for module in STAND_IN.glob("*.py"):
        shutil.copy(module, folder)
    about = folder / "tensorrt-11.0.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorrt\nVersion: 11.0.0\n")
    return {
        "BINDRT_LIBCUDA": str(driver),
        "BINDRT_CUDASIM": "order=random,seed=3,poison=0xff",
        "PYTHONPATH": os.pathsep.join(
            [str(folder), str(cpp.ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


def run(code: str, environment: dict[str, str], *arguments: str) -> Any:
    done = cpp.run([sys.executable, "-c", code, *arguments], cwd=Path(environment["XDG_CACHE_HOME"]).parent,
                   env=environment)  # fmt: skip
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def plan(bundle: Path, environment: dict[str, str]) -> Any:
    """Export to a bundle; what the report says of its plans."""
    return run(EXPORT, environment, str(bundle), json.dumps(TINY_CONFIG), "[]")
