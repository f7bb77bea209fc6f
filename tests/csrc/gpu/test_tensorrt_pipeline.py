"""The pipeline on a GPU with TensorRT, which is a stand-in: streams, graphs, contexts, failures."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from support import cpp
from support.beside import BESIDE
from support.tensorrt_runs import run

SUBMIT = """
import json, os, sys, threading
import numpy as np
import bindrt
texts = [f"{'a dog ' * (i % 7)} number {i}" for i in range(60)]
imu = [bindrt.Imu(np.full((6, 1000), i, np.float32), rate=200) for i in range(30)]
expected = {}
with bindrt.load(sys.argv[1], engine="onnxruntime", precision="fp32") as model:
    for normalize in (True, False):
        found = model.embed(text=texts, imu=imu, normalize=normalize)
        expected[normalize] = {"text": found.text, "imu": found.imu}
apart = []
def compare(rows, modality, normalize=True, first=0):
    want = expected[normalize][modality][first : first + len(rows)]
    apart.append(float((np.abs(np.stack(rows) - want) / max(1, np.abs(want).max())).max()))
options = bindrt.PipelineOptions(**json.loads(sys.argv[2]))
passed = {}
if os.environ.get("TRTSIM_RTX") == "recorded":  # by the pipeline, and not by TensorRT-RTX
    import tensorrt
    passed["cuda_graph_strategy"] = tensorrt.CudaGraphStrategy.DISABLED
loading = dict(engine="tensorrt", precision="fp32", engine_options=passed)
with bindrt.load(sys.argv[1], **loading, pipeline=options) as model:
    def embed():  # beside the pipeline, on the same engine
        if not any(name.startswith("TRTSIM") for name in os.environ):  # it would fail as well
            compare(model.embed(text=texts).text, "text")
    for normalize in (True, False) * 2:
        beside = threading.Thread(target=embed)
        beside.start()
        futures = {m: [model.submit(m, item, normalize=normalize) for item in items]
                   for m, items in (("text", texts), ("imu", imu))}
        for modality, of in futures.items():
            compare([f.result(60) for f in of], modality, normalize)
        beside.join()
    for i in (0, 3, 6) * 8:  # alone, in three lengths: often enough to be recorded and launched
        compare([model.submit("text", texts[i]).result(60)], "text", first=i)
    compare([r.vector for r in model.stream("imu", imu, prefetch=50)], "imu")
    stats = {m: s["pipeline"] for m, s in model.stats().items()}
    model.unload("text")
    compare([model.submit("text", texts[0]).result(60)], "text")
    waiting = [model.submit("imu", item) for item in imu]
    model.close(drain=True)
    compare([f.result(0) for f in waiting], "imu")
print(json.dumps({"apart": max(apart), "stats": stats}))
"""


def submitted(planned: tuple[Path, list[Any]], environment: dict[str, str], **options: Any) -> Any:
    found = run(SUBMIT, environment, str(planned[0]), json.dumps(options))
    assert found["apart"] < 2e-6
    for counts in found["stats"].values():
        assert counts["failed"] == 0
        assert counts["done"] == counts["submitted"]
    return found["stats"]


@pytest.mark.parametrize("seed", [3, 4])
def test_the_pipeline_on_the_gpu(planned: tuple[Path, list[Any]], machine: dict[str, str], seed: int) -> None:
    stats = submitted(planned, {**machine, "BINDRT_CUDASIM": f"order=random,seed={seed},poison=0xff"})
    for counts in stats.values():
        assert counts["engine_calls"] == counts["batches"]
    assert stats["text"]["graphs"]["recorded"] > 0
    assert stats["text"]["graphs"]["launched"] > 0


def test_run_and_enqueue_do_not_wait_for_each_other(
    planned: tuple[Path, list[Any]], machine: dict[str, str]
) -> None:
    opened = (
        "import bindrt, sys\n"
        "model = bindrt.load(sys.argv[1], engine='tensorrt', precision='fp32')\n"
        "engine = model.engine('imu')\n"
    )
    assert run(opened + BESIDE, machine, str(planned[0])) == [True, True]


def test_the_pipeline_without_graphs(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    stats = submitted(planned, machine, cuda_graphs=False, gpu_buffers=1)
    assert stats["text"]["graphs"] == {"recorded": 0, "refused": 0, "launched": 0}


@pytest.mark.parametrize(
    ("fault", "graphs"),
    [
        ({"TRTSIM_NO_CAPTURE": "1"}, False),
        ({"TRTSIM_FAIL_EVERY": "5"}, True),
        ({"TRTSIM_MEMORY_ROWS": "3"}, True),
    ],
)
def test_the_pipeline_goes_on(
    planned: tuple[Path, list[Any]], machine: dict[str, str], fault: dict[str, str], graphs: bool
) -> None:
    """Graphs that cannot be recorded, an engine that fails now and then, and too little memory."""
    stats = submitted(planned, {**machine, **fault})["text"]
    assert (stats["graphs"]["launched"] > 0) is graphs
    assert stats["graphs"]["refused"] > 0 or "TRTSIM_NO_CAPTURE" not in fault
    assert (stats["halvings"] > 0) is ("TRTSIM_MEMORY_ROWS" in fault)


def test_no_room_for_contexts_of_graphs(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    """Batches run on the context that all share, as large as ever."""
    stats = submitted(planned, {**machine, "TRTSIM_CONTEXTS": "5"})
    graphs = [counts["graphs"] for counts in stats.values()]
    assert all(counts["halvings"] == 0 for counts in stats.values())
    assert all(counts["engine_calls"] == counts["batches"] for counts in stats.values())  # none ran twice
    assert sum(g["refused"] for g in graphs) > 0


@pytest.mark.parametrize("seed", [3, pytest.param(4, marks=pytest.mark.deep)])
def test_contexts_with_streams_of_their_own(
    planned: tuple[Path, list[Any]], machine: dict[str, str], seed: int
) -> None:
    """Graphs are of all the streams that a context draws in."""
    order = f"order=random,seed={seed},poison=0xff"
    stats = submitted(planned, {**machine, "TRTSIM_AUX": "1", "BINDRT_CUDASIM": order})
    assert stats["text"]["graphs"]["launched"] > 0


@pytest.mark.parametrize(
    "way", ["itself", "recorded", pytest.param("not capturable", marks=pytest.mark.deep)]
)
def test_a_runtime_that_compiles_kernels(
    planned: tuple[Path, list[Any]], machine: dict[str, str], tmp_path: Path, way: str
) -> None:
    """As TensorRT-RTX does, which also records graphs, unless it is asked not to."""
    rtx = {**machine, "TRTSIM_RTX": way, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if way == "not capturable":
        rtx |= {"TRTSIM_NOT_CAPTURABLE": "1"}
    stats = submitted(planned, rtx)
    assert (stats["text"]["graphs"]["launched"] > 0) is (way == "recorded")
    assert stats["text"]["graphs"]["refused"] == 0
    kept = list((tmp_path / "cache/bindrt/tensorrt").glob("*.kernels"))
    words = {word for file in kept for word in file.read_text().split()}
    # One text alone in three lengths comes after the first batches: what it compiled is saved at the end.
    assert len([word for word in words if re.fullmatch(r"1x\d+", word)]) >= 3


def test_kernels_that_come_later_are_found(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    """A planted fault: nobody asks for kernels at the first use, and a graph holds those before."""
    fault = (
        "from bindrt.engines.tensorrt_contexts import RuntimeConfig\n"
        "RuntimeConfig._choose = lambda *args: None\n"
    )
    command = [sys.executable, "-c", fault + SUBMIT, str(planned[0]), "{}"]
    folder = Path(machine["XDG_CACHE_HOME"]).parent
    done = cpp.run(command, cwd=folder, env={**machine, "TRTSIM_RTX": "recorded"})
    assert done.returncode != 0, done.stdout
    assert "finite" in done.stdout


def test_recordings_that_fail_are_made_later(
    planned: tuple[Path, list[Any]], machine: dict[str, str]
) -> None:
    stats = submitted(planned, {**machine, "BINDRT_CUDASIM_DEVICE": "spoils=2"})
    assert stats["text"]["graphs"]["recorded"] > 0
    assert stats["text"]["graphs"]["launched"] > 0


def test_one_context_for_several_graphs_is_found(
    planned: tuple[Path, list[Any]], machine: dict[str, str]
) -> None:
    """A planted fault: a graph holds what its context launched, which the next shape takes away."""
    fault = (
        "from bindrt.engines.tensorrt_contexts import Contexts\n"
        "Contexts.fixed = lambda self, profile, use: self.changing(profile)\n"
    )
    command = [sys.executable, "-c", fault + SUBMIT, str(planned[0]), "{}"]
    done = cpp.run(command, cwd=Path(machine["XDG_CACHE_HOME"]).parent, env=machine)
    assert done.returncode != 0, done.stdout
    assert "finite" in done.stdout
