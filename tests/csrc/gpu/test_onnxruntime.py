"""ONNX Runtime on a GPU, end to end on simulated device memory; its providers there are a stand-in."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from bindrt.engines.device_run import run_bytes
from bindrt.engines.onnxruntime_cuda import besides_weights
from bindrt.engines.spec import EngineSpec
from bindrt_export.precision import choose_types, write_cpu_form
from bindrt_export.precision.graphs import linears
from support import cpp
from support.beside import BESIDE

PLUGIN = """
from pathlib import Path
__version__ = "0.5.0"
def get_library_path():
    return str(Path(__file__).parent / "library.so")
"""
SUBMIT = """
import json, os, sys, threading
import ort_on_gpu
import numpy as np
import bindrt
bundle, precision, device, options = sys.argv[1:4] + [json.loads(sys.argv[4])]
texts = [f"{'a dog ' * (i % 7)} number {i}" for i in range(30)]
imu = [bindrt.Imu(np.sin(np.arange(6000.0).reshape(6, 1000) / (i + 2)).astype(np.float32), rate=200)
       for i in range(9)]
both = ["text", "imu"]
with bindrt.load(bundle, engine="onnxruntime", device="cpu", precision="fp32", modalities=both) as model:
    expected = model.embed(text=texts, imu=imu)
apart, out = [], {}
def compare(rows, modality, first=0):
    rows = np.stack(rows)
    want = expected[modality][first : first + len(rows)]
    assert np.isfinite(rows).all()
    apart.append(float(1 - (rows * want).sum(axis=1).min()))
asked = dict(engine="onnxruntime", device=device, precision=precision, modalities=both)
with bindrt.load(bundle, **asked, **options) as model:
    def embed():  # beside the pipeline, on the same engine
        if not any(name.startswith("ORTSIM_F") for name in os.environ):
            compare(model.embed(text=texts).text, "text")
    beside = threading.Thread(target=embed)
    beside.start()
    futures = {m: [model.submit(m, item) for item in items] for m, items in (("text", texts), ("imu", imu))}
    for modality, of in futures.items():
        compare([f.result(60) for f in of], modality)
    beside.join()
    for i in range(3):  # alone
        compare([model.submit("text", texts[i]).result(60)], "text", i)
    engine = model.engine("text")
    tokens = bindrt.preprocess.text(texts[:1])
    vectors = np.full((1, expected.text.shape[1]), np.nan, np.float32)
    engine.run(tokens, vectors)
    compare(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), "text")
    out["engine"] = [engine.name, engine.device, engine.precision, isinstance(engine, bindrt.GpuEngine)]
    stats = {m: s["pipeline"] for m, s in model.stats().items()}
print(json.dumps({**out, "apart": max(apart), "stats": stats, "recorded": next(ort_on_gpu.recorded) - 1}))
"""
TOLD = """
import json, os, sys
import ort_on_gpu
import bindrt
told = []
for change, options in json.loads(sys.argv[2]):
    os.environ.update(change)
    try:
        with bindrt.load(sys.argv[1], precision="fp16", modalities=["text"], **options) as model:
            model.embed(text="a")
            told.append(model.engine("text").device)
    except bindrt.Error as error:
        told.append(str(error))
    for name in change:
        del os.environ[name]
print(json.dumps(told))
"""
#: What `doctor` prints behind the engine's version, without importing every other library.
PROVIDERS = """
import json
import ort_on_gpu
import onnxruntime
from bindrt.engines import ENGINES
print(json.dumps(ENGINES["onnxruntime"].detail(onnxruntime)))
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, simulated_driver: Path) -> dict[str, str]:
    """Environment of a process on a machine with ONNX Runtime's package for GPUs and one GPU."""
    folder = tmp_path_factory.mktemp("ort")
    paths = [cpp.ROOT / "tests/ortsim", cpp.ROOT / "tests", *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "BINDRT_LIBCUDA": str(simulated_driver),
        "BINDRT_CUDASIM": "order=random,seed=3,poison=0xff",
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


@pytest.fixture(scope="module")
def plugged(machine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A machine with the plug-in of TensorRT-RTX beside ONNX Runtime's package for CPUs."""
    folder = tmp_path_factory.mktemp("plugin")
    package = folder / "onnxruntime_ep_nv_tensorrt_rtx"
    about = folder / "onnxruntime_ep_nv_tensorrt_rtx_cu13-0.5.0.dist-info"
    for each in (package, about):
        each.mkdir()
    (package / "__init__.py").write_text(PLUGIN)
    (package / "library.so").write_text("not one")
    name = "Metadata-Version: 2.1\nName: onnxruntime-ep-nv-tensorrt-rtx-cu13\nVersion: 0.5.0\n"
    (about / "METADATA").write_text(name)
    path = os.pathsep.join([str(folder), machine["PYTHONPATH"]])
    return {**machine, "PYTHONPATH": path, "ORTSIM_NO_CUDA": "1"}


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bind-tiny's text and imu, also in fp16 and bf16."""
    bundle = tmp_path_factory.mktemp("halves") / "a.bind"
    shutil.copytree(cpp.ROOT / "runtime/bindrt/data/tiny.bind", bundle)
    manifest = json.loads((bundle / "bundle.json").read_text())
    for precision in ("fp16", "bf16"):
        (bundle / "onnx" / precision).mkdir()
        for encoder in ("text", "imu"):
            source = bundle / f"onnx/fp32/{encoder}.onnx"
            target = bundle / f"onnx/{precision}/{encoder}.onnx"
            names = [name for name, _ in linears(onnx.load(str(source), load_external_data=False))]
            write_cpu_form(source, target, choose_types(precision, names, None))
            (entry,) = (
                e for e in manifest["engines"] if e["encoder"] == encoder and e["precision"] == "fp32"
            )
            files = [listed(bundle, path) for path in (target, target.with_suffix(".weights"))]
            manifest["engines"].append({**entry, "precision": precision, "files": files})
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    return bundle


def listed(bundle: Path, path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    name = path.relative_to(bundle).as_posix()
    return {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def run(code: str, environment: dict[str, str], *arguments: str) -> Any:
    folder = Path(environment["XDG_CACHE_HOME"]).parent
    done = cpp.run([sys.executable, "-c", code, *arguments], cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def submitted(bundle: Path, environment: dict[str, str], precision: str, **options: Any) -> Any:
    found = run(SUBMIT, environment, str(bundle), precision, "cuda", json.dumps(options))
    for counts in found["stats"].values():
        assert counts["failed"] == 0
        assert counts["done"] == counts["submitted"]
        assert counts["graphs"] == {"recorded": 0, "refused": 0, "launched": 0}
    assert found["recorded"] == 0
    return found


@pytest.mark.parametrize(("precision", "most"), [("fp32", 1e-6), ("fp16", 1e-5), ("bf16", 5e-3)])
def test_vectors_on_the_gpu(halves: Path, machine: dict[str, str], precision: str, most: float) -> None:
    """Through the pipeline, `embed` beside it, and `run`."""
    found = submitted(halves, machine, precision)
    assert found["engine"] == ["onnxruntime", "cuda:0", precision, True]
    assert found["apart"] < most
    assert found["apart"] > 0 or precision == "fp32"  # it did compute in half


def test_run_and_enqueue_do_not_wait_for_each_other(halves: Path, machine: dict[str, str]) -> None:
    opened = (
        "import ort_on_gpu, bindrt, sys\n"
        "model = bindrt.load(sys.argv[1], engine='onnxruntime', device='cuda', precision='fp32')\n"
        "engine = model.engine('imu')\n"
    )
    assert run(opened + BESIDE, machine, str(halves)) == [True, True]


@pytest.mark.deep
def test_streams_in_another_order(halves: Path, machine: dict[str, str]) -> None:
    submitted(halves, {**machine, "BINDRT_CUDASIM": "order=random,seed=5,poison=0x7f"}, "fp32")


@pytest.mark.parametrize("fault", [pytest.param("wait_for", marks=pytest.mark.deep), "go_before"])
def test_a_missing_event_is_found(halves: Path, machine: dict[str, str], fault: str) -> None:
    """Planted faults: the session's stream and the pipeline's know nothing of each other."""
    planted = (
        "from bindrt.engines import onnxruntime_cuda as module\n"
        "class Core:\n"
        "    class gpu:\n"
        "        DriverError = module._core.gpu.DriverError\n"
        "        available = staticmethod(module._core.gpu.available)\n"
        "        class Queue:\n"
        "            def __init__(self, device): self.real = real.gpu.Queue(device)\n"
        "            def __getattr__(self, name):\n"
        f"                return (lambda stream: None) if name == {fault!r} else getattr(self.real, name)\n"
        "            def __enter__(self): self.real.__enter__(); return self\n"
        "            def __exit__(self, *args): return self.real.__exit__(*args)\n"
        "real, module._core = module._core, Core\n"
    )
    arguments = [str(halves), "fp32", "cuda", "{}"]
    command = [sys.executable, "-c", planted + SUBMIT, *arguments]
    done = cpp.run(command, cwd=Path(machine["XDG_CACHE_HOME"]).parent, env=machine)
    assert done.returncode != 0 or json.loads(done.stdout.splitlines()[-1])["apart"] > 1e-3, done.stdout


@pytest.mark.parametrize(
    "fault",
    [pytest.param({"ORTSIM_FAIL_EVERY": "5"}, marks=pytest.mark.deep), {"ORTSIM_MEMORY_ROWS": "3"}],
)
def test_the_pipeline_goes_on(halves: Path, machine: dict[str, str], fault: dict[str, str]) -> None:
    stats = submitted(halves, {**machine, **fault}, "fp32")["stats"]["text"]
    assert (stats["halvings"] > 0) is ("ORTSIM_MEMORY_ROWS" in fault)


def test_the_plug_in(halves: Path, plugged: dict[str, str]) -> None:
    found = submitted(halves, plugged, "fp16")
    assert found["engine"] == ["onnxruntime", "cuda:0", "fp16", True]
    assert found["apart"] < 1e-5


@pytest.mark.parametrize(
    ("change", "said"), [({}, "1 devices"), ({"BINDRT_LIBCUDA": "libnone.so"}, "no GPU (libnone.so")]
)
def test_doctor_tells_of_the_plug_in(plugged: dict[str, str], change: dict[str, str], said: str) -> None:
    assert f"plug-in NvTensorRTRTX 0.5.0: {said}" in run(PROVIDERS, {**plugged, **change})


ASKED = {"device": "cuda", "engine": "onnxruntime"}
CUDA, PLUGIN_NAME = "CUDAExecutionProvider", "NvTensorRTRTXExecutionProvider"
#: What is changed about the machine, what is asked for, and what is said: an error, or the device.
CASES: list[tuple[dict[str, str], dict[str, Any], str]] = [
    ({"ORTSIM_NO_KERNEL": "Softmax"}, ASKED, "leaves Softmax to the CPU"),
    ({"ORTSIM_NO_KERNEL": "Softmax"}, {"engine": "onnxruntime"}, "cpu"),
    ({"ORTSIM_NO_START": "1"}, ASKED, "CUDAExecutionProvider did not start"),
    ({}, {**ASKED, "device": "cuda:7"}, "there is no GPU 7"),
    ({}, {**ASKED, "engine_options": {CUDA: {"user_compute_stream": "5"}}}, "leave it out"),
    ({}, {**ASKED, "engine_options": {CUDA: {"enable_cuda_graph": True}}}, "leave it out"),
    ({}, {**ASKED, "engine_options": {CUDA: {"enable_cuda_graph": "0"}}}, "cuda:0"),
    ({}, {**ASKED, "engine_options": {PLUGIN_NAME: {}}}, "pip install onnxruntime-ep-nv-tensorrt-rtx"),
    ({}, {"engine": "onnxruntime"}, "cuda:0"),
]


def told(bundle: Path, machine: dict[str, str], cases: list[tuple[dict[str, str], dict[str, Any]]]) -> Any:
    return run(TOLD, machine, str(bundle), json.dumps(cases))


def test_refused_or_told(halves: Path, machine: dict[str, str]) -> None:
    found = told(halves, machine, [(change, options) for change, options, _ in CASES])
    for said, (_, _, wanted) in zip(found, CASES, strict=True):
        assert wanted in said


def test_a_second_device_that_the_plug_in_does_not_take(halves: Path, plugged: dict[str, str]) -> None:
    two = {**plugged, "BINDRT_CUDASIM_DEVICE": "count=2"}
    options = {**ASKED, "device": "cuda:1", "engine_options": {PLUGIN_NAME: {}}}
    (said,) = told(halves, two, [({}, options)])
    assert "computes on 1 of the GPUs here" in said


def test_a_plug_in_that_does_not_load(halves: Path, plugged: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "onnxruntime_ep_nv_tensorrt_rtx"
    folder.mkdir()
    (folder / "__init__.py").write_text(PLUGIN)
    damaged = {**plugged, "PYTHONPATH": os.pathsep.join([str(tmp_path), plugged["PYTHONPATH"]])}
    (said,) = told(halves, damaged, [({}, ASKED)])
    assert "the plug-in does not load (Failed to load library" in said


def test_its_memory_is_counted_where_it_is_bounded(halves: Path) -> None:
    weights = halves / "onnx/fp32/imu.weights"
    spec = EngineSpec([halves / "onnx/fp32/imu.onnx", weights], "imu", "float32", 96, "fp32")
    bound = 10 << 20
    assert besides_weights({"gpu_mem_limit": str(bound)}, spec) == bound - weights.stat().st_size > 0
    assert besides_weights({"gpu_mem_limit": 1}, spec) == 0
    assert besides_weights({}, spec) == 0
    assert run_bytes(32, 48000, 96) == 32 * (48000 + 96 * 4)
    assert run_bytes(1, 100, 96) == 1 << 20  # the least that a queue takes
