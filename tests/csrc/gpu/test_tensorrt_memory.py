"""When an engine of TensorRT, which is a stand-in, gives the GPU's memory back and saves its kernels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from support import cpp
from support.tensorrt_runs import run

#: Nothing is left to Python's collector of cycles. Each round runs one number of rows that no other one does.
ENDING = """
import gc
gc.disable()
import json, os, sys
from pathlib import Path
import numpy as np
import bindrt
from bindrt import _core
free = lambda: _core.gpu.memory_free(0)
imu = [bindrt.Imu(np.full((6, 1000), i, np.float32), rate=200) for i in range(4)]
texts = ["a dog", "a " * 90]
passed = {}
if os.environ.get("TRTSIM_RTX"):
    import tensorrt
    passed["cuda_graph_strategy"] = tensorrt.CudaGraphStrategy.DISABLED
def kernels():
    kept = (Path(os.environ["XDG_CACHE_HOME"]) / "bindrt/tensorrt").glob("*.kernels")
    return {word for file in kept for word in file.read_text().split()}
def use(rows):
    model = bindrt.load(sys.argv[1], engine="tensorrt", precision="fp32", engine_options=passed)
    model.embed(imu=imu[0], text=texts)
    for _ in range(6):
        model.submit("imu", imu[0]).result(60)
    assert model.stats()["imu"]["pipeline"]["graphs"]["launched"] > 0
    engine, dim = model.engine("imu"), model.embed_dim
    for n in (5, rows):  # the first run of a profile saves
        engine.run(np.ones((n, 6, 2000), np.float32), np.empty((n, dim), np.float32))
    return model
def close(model): model.close()
def unload(model):
    model.unload("imu")
    model.unload("text")
use(5).close()  # the process keeps its kernels
before, out = free(), []
for rows, end in enumerate((close, unload, None), 6):
    model = use(rows)
    held = before - free()
    saved = f"{rows}x6x2000" in kernels()
    if end is not None:
        end(model)
        left = before - free(), f"{rows}x6x2000" in kernels()
    del model
    if end is None:
        left = before - free(), f"{rows}x6x2000" in kernels()
    out.append([held > 0, saved, *left])
print(json.dumps(out))
"""


@pytest.mark.parametrize("compiles", [False, True])
def test_what_ends_is_free_at_once(
    planned: tuple[Path, list[Any]], machine: dict[str, str], tmp_path: Path, compiles: bool
) -> None:
    """A model that is closed, an encoder that is unloaded, a model that nobody has any more."""
    here = {**machine, "XDG_CACHE_HOME": str(tmp_path / "cache"), **({"TRTSIM_RTX": "1"} if compiles else {})}
    assert run(ENDING, here, str(planned[0])) == [[True, False, 0, compiles]] * 3


#: Planted faults, of an engine with work on a stream that is not ours.
FAULTS = """
import gc, sys
import numpy as np
from bindrt import _core
from bindrt.bundle import open_bundle
from bindrt.selection import choose, open_engine
bundle = open_bundle(sys.argv[1])
engine = open_engine(bundle, choose(bundle, "imu", "tensorrt", "fp32", "cuda"))
other = _core.gpu.Queue(0)
inputs = np.ones((1, 6, 2000), np.float32)
rows = np.empty((1, bundle.manifest.embed_dim), np.float32)
with other:
    source, target = other.take(inputs.nbytes), other.take(rows.nbytes)
    other.upload(source, inputs)
    engine.enqueue(inputs.shape, source, target, other.stream)
    if sys.argv[2] == "engine":
        del engine
    other.download(rows, target)
if sys.argv[2] == "memory":
    del engine._streamed._queue
del engine
"""


@pytest.mark.parametrize(
    ("ends", "said"),
    [("engine", "a context is gone, and its work is not done"), ("memory", "a context outlives its memory")],
)
def test_what_ends_too_early_is_found(
    planned: tuple[Path, list[Any]], machine: dict[str, str], ends: str, said: str
) -> None:
    done = cpp.run([sys.executable, "-c", FAULTS, str(planned[0]), ends], env=machine)
    assert done.returncode == 71, done.stdout
    assert said in done.stdout
