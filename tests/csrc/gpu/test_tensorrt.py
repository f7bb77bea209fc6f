"""The TensorRT adapter and builder, end to end on simulated device memory; TensorRT itself is a stand-in."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bindrt_export.artifacts.tensorrt_worker import HARMLESS
from support import cpp
from support.bundles import TINY_CONFIG
from support.tensorrt_runs import EXPORT, run

EMBED = """
import ctypes, gc, json, os, sys, threading
import numpy as np
import bindrt
def taken():
    gc.collect()
    there, here = ctypes.c_ulonglong(), ctypes.c_ulonglong()
    ctypes.CDLL(os.environ["BINDRT_LIBCUDA"]).cudasimMostBytes(ctypes.byref(there), ctypes.byref(here))
    return there.value
from bindrt import _core
from bindrt.bundle import open_bundle
from bindrt.selection import candidates, choose, open_engine
texts = ["a", "a dog", "a " * 90, "two words"] * 20 + ["one more"]
imu = [bindrt.Imu(np.full((6, 1000), i, np.float32), rate=200) for i in range(3)]
out = {}
bundle = open_bundle(sys.argv[1])
def where(precision, engine):
    return open_engine(bundle, choose(bundle, "text", engine, precision, "auto")).device
def embed(precision, engine):
    with bindrt.load(sys.argv[1], engine=engine, precision=precision) as model:
        found = model.embed(text=texts, imu=imu)
        again = model.embed(text=texts[:3]).text
        assert np.abs(again - found.text[:3]).max() < 1e-5
        return np.concatenate([found.text, found.imu]), where(precision, engine)
plain, _ = embed("fp32", "onnxruntime")
for precision in ("fp32", "fp16"):
    rows, device = embed(precision, "tensorrt")
    out[precision] = [float(np.abs(rows - plain).max()), device, bool(np.isfinite(rows).all())]
with bindrt.load(sys.argv[1], precision="fp32") as model:
    model.embed(text="a")
    out["auto"] = [e.engine for e in candidates(bundle, "text", "auto", "fp32", "auto")]
with bindrt.load(sys.argv[1], engine="tensorrt", modalities=["text"]) as model:
    rows = {}
    def work(i):
        rows[i] = model.embed(text=[texts[i]] * (1 + 5 * i)).text
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    out["threads"] = max(float(np.abs(rows[i] - plain[i]).max()) for i in range(4))
engine = open_engine(bundle, choose(bundle, "imu", "tensorrt", "fp32", "cuda"))
out["held"] = engine.device_bytes
out["limits"] = {**_core.gpu.memory_limits(), "long": _core.gpu.batch_whole_bytes(64, 48000, 96)}
options = dict(engine="tensorrt", precision="fp32", modalities=["imu"])
with bindrt.load(sys.argv[1], **options) as model:
    model.warm_up()
    out["memory"] = held = model.memory()["imu"]
    out["report"] = str(bindrt.doctor())
taken()
for name, less in (("refused", held["device"]), ("short", 1), ("enough", 0)):
    try:
        with bindrt.load(sys.argv[1], **options, memory_budget=sum(held.values()) - less) as model:
            model.embed(imu=imu)
            out[name] = ["", taken()]
    except bindrt.MemoryBudgetExceeded as error:
        out[name] = [str(error), taken()]
half = open_engine(bundle, choose(bundle, "imu", "tensorrt", "fp16", "cuda"))
out["inputs"] = [engine.input_dtype, half.input_dtype]
other = _core.gpu.Queue(0)  # as the pipeline: its own memory and stream, nothing waits in between
with other:
    inputs, rows = np.ones((3, 6, 2000), np.float32), np.empty((3, bundle.manifest.embed_dim), np.float32)
    source, target = other.take(inputs.nbytes), other.take(rows.nbytes)
    other.upload(source, inputs)
    engine.enqueue(inputs.shape, source, target, other.stream)
    other.download(rows, target)
expected = np.empty_like(rows)
engine.run(inputs, expected)
out["enqueue"] = float(np.abs(rows - expected).max())
print(json.dumps(out))
"""
BUILD = """
import json, sys
from bindrt_export.artifacts.tensorrt_worker import BuildError, build
try:
    print(json.dumps(build(json.loads(sys.argv[1]))))
except BuildError as error:
    print(json.dumps({"problem": str(error)}))
"""
REFUSED = """
import json, sys
import bindrt
try:
    with bindrt.load(sys.argv[1], engine="tensorrt", modalities=["imu"], device=sys.argv[2]) as model:
        model.warm_up()
    print(json.dumps("no error"))
except bindrt.Error as error:
    print(json.dumps(str(error)))
"""


def test_plans_are_recorded(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    bundle, engines = planned
    assert [(e["encoder"], e["precision"], e["target"], e["version"]) for e in engines] == [
        (encoder, precision, "sm_89", "11.0.0")
        for precision in ("fp32", "fp16")
        for encoder in ("text", "imu")
    ]
    assert all(e["run"] == "built, not run" and e["peak_rss_bytes"] > 0 for e in engines)
    timing = Path(machine["XDG_CACHE_HOME"]) / "bindrt/tensorrt/11.0.0-sm_89.timing"
    assert timing.read_bytes() == b"timed " * 4  # each build went on from the one before
    held = json.loads((bundle / "bundle.json").read_text())["engines"]
    assert {e["max_batch"] for e in held if e["engine"] == "tensorrt"} == {64, 32}
    half = [(e["encoder"], e["precision"]) for e in held if e.get("input") == "float16"]
    assert half == [("imu", "fp16")] == [(e["encoder"], e["precision"]) for e in engines if "input" in e]
    assert not list(bundle.rglob("engines/**/*.onnx"))  # what was made on the way
    plan = next(bundle.rglob("imu.plan")).read_bytes()
    assert b'"tf32": false' in plan
    about = json.loads(plan[10 : 10 + int.from_bytes(plan[6:10], "little")])
    rows = [[shape[0] for shape in profile["input"]] for profile in about["profiles"]]
    assert rows == [[1, 1, 4], [1, 32, 32]]  # least, tuned for, most


def test_vectors_are_those_of_the_cpu(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    found = run(EMBED, machine, str(planned[0]))
    assert found["fp32"][0] < 2e-6
    assert found["fp16"][0] < 5e-3
    for precision in ("fp32", "fp16"):
        assert found[precision][1:] == ["cuda:0", True]
    assert found["auto"] == ["onnxruntime", "native", "tensorrt"]
    assert found["threads"] < 2e-6
    assert found["enqueue"] == 0
    assert found["inputs"] == ["float32", "float16"]
    row, vector = 4 * 6 * 2000, 4 * TINY_CONFIG["out_embed_dim"]
    batches = 2 * 32 * (row + 2 * vector + 28)  # two sets; 28 bytes say what is pooled
    limits = found["limits"]
    preparing = 32 * (limits["item_room"] + 4096) + limits["tables"]
    assert found["memory"]["device"] == batches + found["held"] + preparing + limits["long"]
    assert f", {found['memory']['device'] / 1e6:.1f} MB on the GPU" in found["report"]
    said, taken = found["refused"]
    assert "more than the budget" in said
    assert "its engine" not in said  # that is not asked yet
    assert taken == 0
    assert f"its engine {found['held'] / 1e6:.1f} MB" in found["short"][0]
    assert found["enough"][0] == ""
    assert 0 < found["enough"][1] <= found["memory"]["device"]
    # For run and for enqueue: each a row's 512 bytes for 32 rows, in a block; and run's rows and vectors.
    assert found["held"] == 2 * 2**20 + 32 * (row + vector)


def test_what_gpu_check_runs_of_the_pipeline(
    planned: tuple[Path, list[Any]], machine: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "bench", "gpu-pipeline", str(planned[0]), "fp32", "--items", "40"]
    done = cpp.run([*command, "--json", str(out)], env=machine)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("SIMULATED, nothing is measured")
    assert "items/s" not in done.stdout
    results = json.loads(out.read_text())["results"]
    assert [(r["modality"], r["cuda_graphs"], r["good"]) for r in results] == [
        (modality, graphs, True) for graphs in (True, False) for modality in ("text", "imu")
    ]
    assert "items_per_second" not in results[0]


def test_another_export_finds_the_plans(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    broken = {**machine, "TRTSIM_ERROR": "must not be built again"}
    assert run(EXPORT, broken, str(planned[0]), json.dumps(TINY_CONFIG), "[]") == planned[1]


def test_an_error_in_the_log_fails_the_export(machine: dict[str, str], tmp_path: Path) -> None:
    broken = {**machine, "TRTSIM_ERROR": "profile past the maximum"}
    said = run(EXPORT, broken, str(tmp_path / "a.bind"), json.dumps(TINY_CONFIG), "[]")["error"]
    assert said.startswith("text tensorrt fp32 sm_89: profile past the maximum")
    assert not (tmp_path / "a.bind").exists()


TACTICS = (
    "Skipping tactic 0x0000000000000012 due to exception out of memory",
    "Tactic Device request: 9216MB Available: 6000MB. Skipping tactic 3 due to insufficient memory on it",
    "[virtualMemoryBuffer.cpp::resizePhysical::154] Error Code 2: OutOfMemory (Requested size was 9 bytes.)",
    "Requested amount of GPU memory (9663676416 bytes) could not be allocated.",
    "[defaultAllocator.cpp::allocate::31] Error Code 1: Cuda Runtime (out of memory)",
    "2: [virtualMemoryBuffer.cpp::resizePhysical::145] Error Code 2: OutOfMemory (no further information)",
    "Tactic Device request: 1800MB Available: 1536MB. Device memory is insufficient to use tactic.",
)


@pytest.mark.parametrize("line", TACTICS)
def test_a_kernel_that_is_left_out_is_reported(line: str) -> None:
    assert HARMLESS.search(line)


def test_a_plan_comes_out_though_kernels_are_left_out(
    planned: tuple[Path, list[Any]], machine: dict[str, str], tmp_path: Path
) -> None:
    shape = [6, 2000]
    job = {
        "module": "tensorrt",
        "graph": str(planned[0] / "onnx/fp32/imu.onnx"),
        "plan": str(tmp_path / "imu.plan"),
        "targets": [],
        "profiles": [{"min": [1, *shape], "opt": [1, *shape], "max": [4, *shape]}],
        "timing_cache": None,
        "accepted": [],
    }
    full = {**machine, "TRTSIM_ERROR": TACTICS[0]}
    done = run(BUILD, full, json.dumps(job))
    assert done["left_out"] == [TACTICS[0]]
    assert "accepted" not in done
    assert (tmp_path / "imu.plan").stat().st_size > 0
    assert run(BUILD, {**full, "TRTSIM_NO_PLAN": "1"}, json.dumps(job))["problem"] == TACTICS[0]


def test_an_error_that_is_accepted(machine: dict[str, str], tmp_path: Path) -> None:
    """It is in the report, and a later export that does not accept it builds again."""
    broken = {**machine, "TRTSIM_ERROR": "profile past the maximum"}
    bundle = tmp_path / "a.bind"
    arguments = str(bundle), json.dumps(TINY_CONFIG), "[]"
    engines = run(EXPORT, broken, *arguments, '["past the max"]')
    assert [(e["accepted"], e["left_out"]) for e in engines] == [(["profile past the maximum"], [])] * 4
    said = run(EXPORT, broken, *arguments, '["another"]')["error"]
    assert said.startswith("text tensorrt fp32 sm_89: profile past the maximum; a plan came out: --allow-log")
    assert "profile past the maximum" in run(EXPORT, broken, *arguments)["error"]


def test_a_target_that_is_not_here(machine: dict[str, str], tmp_path: Path) -> None:
    said = run(EXPORT, machine, str(tmp_path / "a.bind"), json.dumps(TINY_CONFIG), '["sm_120"]')["error"]
    assert "--target sm_120: this GPU is sm_89" in said


@pytest.mark.parametrize(
    ("change", "device", "said"),
    [
        ({"BINDRT_CUDASIM_DEVICE": "capability=120"}, "auto", "for sm_89, this GPU is sm_120; bind-export"),
        ({"BINDRT_LIBCUDA": "libno_such_driver.so"}, "auto", "no NVIDIA GPU"),
        ({}, "cuda:3", "there are 1 GPUs"),
        ({}, "cpu", "tensorrt has none"),
    ],
)  # fmt: skip
def test_refused_with_what_to_run(
    planned: tuple[Path, list[Any]], machine: dict[str, str], change: dict[str, str], device: str, said: str
) -> None:
    assert said in run(REFUSED, {**machine, **change}, str(planned[0]), device)


def edited(bundle: Path, folder: Path, plan: bytes | None = None, version: str = "11.0.0") -> Path:
    """A copy with another plan of the imu encoder, or one that says it is of another version."""
    copy = shutil.copytree(bundle, folder / "b.bind")
    manifest = json.loads((copy / "bundle.json").read_text())
    for e in manifest["engines"]:
        if e["engine"] == "tensorrt" and e["encoder"] == "imu" and e["precision"] == "fp32":
            e["version"] = version
            if plan is not None:
                (copy / e["files"][0]["path"]).write_bytes(plan)
                e["files"][0]["bytes"] = len(plan)
    (copy / "bundle.json").write_text(json.dumps(manifest))
    return copy


def test_a_plan_of_another_release(
    planned: tuple[Path, list[Any]], machine: dict[str, str], tmp_path: Path
) -> None:
    said = run(REFUSED, machine, str(edited(planned[0], tmp_path, version="10.9.1")), "auto")
    assert "the plan is for tensorrt 10.9.1, installed is 11.0.0; pip install tensorrt==10.9.1" in said


def test_a_release_that_is_too_old(planned: tuple[Path, list[Any]], machine: dict[str, str]) -> None:
    old = {**machine, "TRTSIM_VERSION": "10.2.0"}
    job = {"module": "tensorrt", "targets": []}
    assert "TensorRT 10.2.0 is older than 10.3" in run(REFUSED, old, str(planned[0]), "auto")
    assert "TensorRT 10.2.0 is older than 10.3" in run(BUILD, old, json.dumps(job))["problem"]


def test_a_damaged_plan(planned: tuple[Path, list[Any]], machine: dict[str, str], tmp_path: Path) -> None:
    said = run(REFUSED, machine, str(edited(planned[0], tmp_path, plan=b"nothing of the kind")), "auto")
    assert "does not take the plan (the magic number is wrong)" in said
