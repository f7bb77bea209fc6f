"""The pipeline's random schedules on the simulated GPU: adversarial streams, poisoned memory, graphs."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from bindrt import hardware
from support import cpp, cudasim, planted

PROGRAM = "stress_gpu_pipeline"
#: Sanitizer of the program, and build of the simulated driver, which the thread sanitizer does not look into.
BUILDS = {"address": ("address,undefined", "address"), "thread": ("thread", "plain")}
SEEDS, CASES = (1, 2), 100
FAULT_CASES = 200
DEEP_SEEDS, DEEP_CASES = range(10, 20), 1000


def driver_of(build: str) -> dict[str, str]:
    kind = BUILDS[build][1] if build else "plain"
    return {"BINDRT_LIBCUDA": str(cudasim.driver(kind) / "libcudasim_cuda.so")}


def program(build: str, folder: Path) -> Path:
    sanitizer = BUILDS[build][0] if build else ""
    if reason := cpp.missing(sanitizer, folder):
        pytest.skip(reason)
    return cpp.build(sanitizer, PROGRAM) / "tests" / "cpp" / PROGRAM


def run(build: str, seed: int, cases: int, folder: Path, spoils: int = 0) -> None:
    """``spoils``: every so many recordings fail; 0: none."""
    options = {"BINDRT_CUDASIM": f"order=random,seed={seed},poison={'0xff' if seed % 2 else '0x5a'}"}
    options["BINDRT_CUDASIM_DEVICE"] = f"spoils={spoils}"
    started = [str(program(build, folder)), str(cases), str(1000 * seed)]
    done = cpp.run(started, cwd=folder, env=driver_of(build) | options)
    cpp.require_clean(done, f"{cases} cases")
    assert "cudasim:" not in done.stdout, done.stdout
    totals = re.search(
        r"(\d+) batches on the device, (\d+) graphs, (\d+) replays, (\d+) made there, (\d+) pieces",
        done.stdout,
    )
    assert totals is not None
    assert all(int(total) > 0 for total in totals.groups()), totals.group()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("build", BUILDS)
def test_random_schedules(build: str, seed: int, tmp_path: Path) -> None:
    run(build, seed, CASES, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("seed", DEEP_SEEDS)
@pytest.mark.parametrize("build", BUILDS)
def test_many_random_schedules(build: str, seed: int, tmp_path: Path) -> None:
    run(build, seed, DEEP_CASES, tmp_path, spoils=3 * (seed % 2))


def test_random_schedules_on_a_real_driver(tmp_path: Path) -> None:
    """The same program with the same images; a sanitizer would stand in the driver's way."""
    if not hardware.nvidia_driver().gpus or hardware.nvidia_driver().simulated:
        pytest.skip("no GPU")
    done = cpp.run([str(program("", tmp_path)), str(CASES), "1000"], cwd=tmp_path)
    cpp.require_clean(done, f"{CASES} cases")


OnGpu = partial(planted.Fault, cpp.ROOT / "csrc" / "gpu")
InPipeline = partial(planted.Fault, cpp.ROOT / "csrc" / "pipeline")
Device = partial(OnGpu, file="batch_device.cpp")
FAULTS = (
    Device(name="computed before it is copied in", old="  compute_.wait_for(set.copied_in);\n", new=""),
    OnGpu(
        name="copied in while it is computed",
        file="batch_rows.cpp",
        old="  in_.wait_for(set.computed);\n",
        new="",
    ),
    Device(name="pooled over what is copied out", old="  compute_.wait_for(set.copied_out);\n", new=""),
    Device(name="copied out before it is computed", old="  out_.wait_for(set.computed);\n", new=""),
    Device(name="handed over too early", old="flight.done.wait();", new="static_cast<void>(flight);"),
    Device(
        name="end noted on the wrong stream", old="flight.done.record(out_);", new="flight.done.record(in_);"
    ),
    Device(
        name="engine on the wrong stream",
        old="compute_.handle(), kept,",
        new="out_.handle(), kept,",
    ),
    Device(
        name="pooled on the wrong stream",
        old="  context_.launch(compute_",
        new="  context_.launch(out_",
    ),
    Device(
        name="rows read after a failure",
        old="left = settle();  // the caller",
        new="left = cu::kSuccess;  // the caller",
    ),
    Device(
        name="tables written while they are read",
        old="*flights_[started_ % depth()];",
        new="*flights_[started_ % (depth() - 1)];",
    ),
    Device(name="graph of another set", old="filled.rows, index}, compute_", new="filled.rows, 0}, compute_"),
    Device(
        name="graph of another number of rows",
        old="batch.length, filled.rows, index}",
        new="batch.length, 0, index}",
    ),
    Device(
        name="graph of another length",
        old="alike(batch.lane), batch.length,",
        new="alike(batch.lane), 0,",
    ),
    Device(
        name="rows made on the wrong stream",
        old="std::make_unique<Stream>(context, in_.handle())",
        new="std::make_unique<Stream>(context, out_.handle())",
    ),
    Device(
        name="vectors copied on the wrong stream",
        old="(end - from) * vector, out_.handle());",
        new="(end - from) * vector, in_.handle());",
    ),
    Device(name="one vector of several copied", old="(end - from) * vector, out_", new="vector, out_"),
    OnGpu(
        name="lent rows read before they are written",
        file="lent_rows.cpp",
        old="    memory.wait(queue);\n",
        new="",
    ),
    OnGpu(
        name="lent rows made before they are written",
        file="lent_memory.cpp",
        old="    let_wait(stream);\n",
        new="",
    ),
    OnGpu(
        name="pieces computed before they are made",
        file="batch_pieces.cpp",
        old="  compute_.wait_for(set.copied_in);\n",
        new="",
    ),
    OnGpu(
        name="pieces of one place",
        file="batch_pieces.cpp",
        old="whole.output + before * vector",
        new="whole.output",
    ),
    InPipeline(
        name="vectors of the engine alone stay on the host",
        file="on_device.cpp",
        old="const bool is_there = batch.from_device != nullptr && entry.failure == nullptr;",
        new="const bool is_there = true;",
    ),
    InPipeline(
        name="decoded bytes given back when a batch is started",
        file="on_device.cpp",
        old="      executor_.started.push_back(std::move(batch));\n",
        new="      for (Batch::Entry& each : batch->entries) {\n        each.decoded = nullptr;\n      }\n"
        "      executor_.started.push_back(std::move(batch));\n",
    ),
    InPipeline(
        name="slots reused when a batch is started",
        file="on_device.cpp",
        old="      executor_.started.push_back(std::move(batch));\n",
        new="      of.open[batch->length_class] = batch.get();\n"
        "      executor_.started.push_back(std::move(batch));\n",
    ),
    InPipeline(
        name="more on the device than it has room for",
        file="on_device.cpp",
        old="      ++executor_.on_device;\n",
        new="      executor_.on_device = 1;\n",
    ),
    InPipeline(
        name="failed batch forgotten",
        file="on_device.cpp",
        old="      executor_.alone.push_back(std::move(batch));\n      return;\n",
        new="      return;\n",
    ),
)
IN_MAKE_TEST = ("computed before it is copied in", "slots reused when a batch is started")


def outcome(damaged: Path, folder: Path, seeds: range) -> str:
    """Up to the first run that fails."""
    tree = cpp.build("", PROGRAM)
    libraries = ["gpu", "pipeline", "kernels"]
    built = planted.link(tree, PROGRAM, damaged, libraries, folder / "run", images="gpu_test_images")
    out = ""
    for seed in seeds:
        options = {"BINDRT_CUDASIM": f"order=random,seed={seed}", "BINDRT_STRESS_SECONDS": "5"}
        out = cpp.run(
            [str(built), str(FAULT_CASES), str(1000 * seed)], cwd=folder, env=driver_of("") | options
        ).stdout
        if f"{FAULT_CASES} cases\n" not in out or ", 0 failed" not in out:
            break
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    program("", tmp_path)
    return tmp_path


def test_without_a_fault(folder: Path) -> None:
    (folder / "same.cpp").write_text((cpp.ROOT / "csrc" / "gpu" / "batch_device.cpp").read_text())
    out = outcome(folder / "same.cpp", folder, range(1, 2))
    assert f"{FAULT_CASES} cases\n" in out
    assert ", 0 failed" in out


def test_each_fault_can_be_planted() -> None:
    """Code that was written anew leaves none without its text, which `make test` tries in part only."""
    assert all(fault.damaged() for fault in FAULTS)


@pytest.mark.parametrize(
    "fault",
    [pytest.param(f, id=f.name, marks=() if f.name in IN_MAKE_TEST else pytest.mark.deep) for f in FAULTS],
)
def test_fault_is_found(folder: Path, fault: planted.Fault) -> None:
    (folder / fault.file).write_text(fault.damaged())
    out = outcome(folder / fault.file, folder, range(1, 17))
    assert f"{FAULT_CASES} cases\n" not in out or ", 0 failed" not in out  # failed, crashed or hung
