"""csrc/gpu over a driver: its own C++ tests, and what Python sees of it, also where there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bindrt import _core, hardware
from support import cpp, cudasim

PROGRAMS = ("test_gpu", "test_graphs", "test_picture_decoder", "test_film_decoder")
#: With the seeds of their runs; kernels of pictures take their time on the simulator, and places for videos
#: need none.
SEEDS = {"test_picture_decoder": 2, "test_film_decoder": 1}
RUNS = [(p, seed) for p in PROGRAMS for seed in range(1, SEEDS.get(p, 5) + 1)]


@pytest.mark.parametrize(("program", "seed"), RUNS)
@pytest.mark.parametrize("kind", ["address", "plain"])
def test_program(program: str, kind: str, seed: int, simulated_driver: Path, tmp_path: Path) -> None:
    folder = cudasim.driver(kind)
    done = cpp.run(
        [str(folder / program), str(folder / "libcudasim_cuda.so")],
        cwd=tmp_path,
        env={"BINDRT_CUDASIM": f"order=random,seed={seed}"},
    )
    assert done.returncode == 0, done.stdout
    assert " checks, 0 failed" in done.stdout
    assert "Sanitizer" not in done.stdout, done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_on_a_real_driver(program: str, tmp_path: Path) -> None:
    """The same programs with the same images; a sanitizer would stand in the driver's way."""
    if not hardware.nvidia_driver().gpus or hardware.nvidia_driver().simulated:
        pytest.skip("no GPU")
    if reason := cpp.missing("", tmp_path):
        pytest.skip(reason)
    done = cpp.run([str(cudasim.driver("plain") / program), "libcuda.so.1"], cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert " checks, 0 failed" in done.stdout


def test_programs_have_machine_code(simulated_driver: Path) -> None:
    """Where NVRTC is, so that a real driver can run them; the simulated one reads the same images."""
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    for program in ("test_gpu", "test_graphs"):
        content = (simulated_driver.parent / program).read_bytes()
        assert b".nv.info.bindrt_example_sum_rows" in content


def ask(code: str, tmp_path: Path, **environment: str) -> Any:
    """What a fresh process prints as JSON; a process opens its driver only once."""
    text = f"import json, numpy as np\nfrom bindrt import _core\ngpu = _core.gpu\n{code}"
    done = cpp.run([sys.executable, "-c", text], cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout.splitlines()[-1])


def test_no_driver_is_a_state(tmp_path: Path) -> None:
    found = ask(
        "try:\n    gpu.round_trip(np.zeros(1, np.uint8))\nexcept gpu.DriverError as error:\n"
        "    said = [str(error), error.name]\n"
        "print(json.dumps([gpu.available(), gpu.devices(), gpu.driver(), said]))",
        tmp_path,
        BINDRT_LIBCUDA="libno_such_driver.so",
    )
    assert found[:2] == [False, []]
    assert "libno_such_driver.so: cannot open shared object file" in found[2]["problem"]
    assert found[3] == ["no GPU: " + found[2]["problem"], ""]


def test_a_library_that_is_no_driver(tmp_path: Path) -> None:
    found = ask("print(json.dumps(gpu.driver()))", tmp_path, BINDRT_LIBCUDA="libm.so.6")
    assert not found["usable"]
    assert "libm.so.6 is not a driver that we know: it lacks cuInit" in found["problem"]


def test_a_driver_without_devices(simulated_driver: Path, tmp_path: Path) -> None:
    settings = {"BINDRT_LIBCUDA": str(simulated_driver), "BINDRT_CUDASIM_DEVICE": "count=0"}
    found = ask("print(json.dumps([gpu.available(), gpu.driver()]))", tmp_path, **settings)
    assert found[0] is False
    assert "the driver does not start: CUDA_ERROR_NO_DEVICE" in found[1]["problem"]


def test_devices_and_errors(simulated_driver: Path, tmp_path: Path) -> None:
    settings = {
        "BINDRT_LIBCUDA": str(simulated_driver),
        "BINDRT_CUDASIM_DEVICE": "count=2,capability=121,memory=32,cuda=128",
    }
    found = ask(
        "data = np.arange(9_000_000).astype(np.uint8)\n"
        "same = bool((gpu.round_trip(data, device=1) == data).all())\n"
        "try:\n    gpu.round_trip(np.zeros(33 << 20, np.uint8))\nexcept MemoryError as error:\n"
        "    memory = str(error)\n"
        "try:\n    gpu.round_trip(data, device=2)\n"
        "except gpu.DriverError as error:\n    device = str(error)\n"
        "print(json.dumps([gpu.driver(), gpu.devices(), same, memory, device]))",
        tmp_path,
        **settings,
    )
    driver, devices, same, memory, device = found
    assert (driver["version"], driver["simulated"]) == (12080, True)
    assert [d["name"] for d in devices] == ["simulated device 0", "simulated device 1"]
    assert devices[1]["capability"] == "12.1"
    assert devices[1]["memory"] == 32 << 20
    assert devices[1]["bandwidth"] == 0.0  # nothing that could be taken for a speed
    assert same
    assert "allocating 33.0 MiB on simulated device 0" in memory
    assert "CUDA_ERROR_OUT_OF_MEMORY" in memory
    assert device == "there is no GPU 2; this machine has 2, counted from 0"


def require_all_kernels(device: str, simulated_driver: Path, tmp_path: Path) -> None:
    """Every kernel of this build loads on a simulated device."""
    kernels = _core.build_info()["gpu_kernels"]
    if kernels is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    settings = {"BINDRT_LIBCUDA": str(simulated_driver), "BINDRT_CUDASIM_DEVICE": device}
    assert ask("print(json.dumps(gpu.load_kernels()))", tmp_path, **settings) == kernels["kernels"]


@pytest.mark.parametrize(
    "capability", ["75", "80", "86", "87", "89", "90", "100", "103", "110", "121", "130"]
)
def test_every_kernel_loads(capability: str, simulated_driver: Path, tmp_path: Path) -> None:
    """On each kind of device; the driver checks machine code and parameters against the simulator's."""
    require_all_kernels(f"capability={capability},cuda=129,ptx=88", simulated_driver, tmp_path)


def test_too_old_a_device(simulated_driver: Path, tmp_path: Path) -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    said = ask(
        "try:\n    gpu.load_kernels()\nexcept gpu.DriverError as error:\n    print(json.dumps(str(error)))",
        tmp_path,
        BINDRT_LIBCUDA=str(simulated_driver),
        BINDRT_CUDASIM_DEVICE="capability=70",
    )
    assert "compute capability 7.0, for which this build has no kernels; it must be 7.5 or newer" in said


@pytest.mark.parametrize("capability", ["75", "89", "120"])
def test_ptx_where_the_driver_refuses_the_machine_code(
    capability: str, simulated_driver: Path, tmp_path: Path
) -> None:
    device = f"capability={capability},cuda=129,ptx=88,cubins=0"
    require_all_kernels(device, simulated_driver, tmp_path)


def test_a_forked_child_is_told_so(simulated_driver: Path, tmp_path: Path) -> None:
    """Also where the parent only looked for GPUs, and the child is the first to open the driver."""
    said = ask(
        "import os\nfrom bindrt import hardware\nassert hardware.nvidia_driver().gpus\n"
        "read, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    problems = [hardware.nvidia_driver().problem, gpu.driver()['problem']]\n"
        "    os.write(write, json.dumps(problems).encode())\n    os._exit(0)\n"
        "os.wait()\nprint(os.read(read, 10000).decode())",
        tmp_path,
        BINDRT_LIBCUDA=str(simulated_driver),
    )
    for problem in said:
        assert "the driver does not start: CUDA_ERROR_NOT_INITIALIZED" in problem
        assert "the GPU was started before this process was forked" in problem
        assert "'spawn'" in problem


FORKS = """
import os, signal, threading
gpu.synchronize(0)
ended = []
def ask():
    while not ended:
        gpu.place(0, 64)
threads = [threading.Thread(target=ask) for _ in range(3)]
for thread in threads:
    thread.start()
ends = []
for _ in range(60):
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # ends one that waits for ever
        try:
            gpu.place(0, 64)
        except gpu.DriverError:
            os._exit(0)
        os._exit(1)
    ends.append(os.waitpid(child, 0)[1])
    if ends[-1]:
        break
ended.append(True)
print(json.dumps(max(ends)))
"""


def test_a_child_does_not_wait_for_threads_that_it_lacks(simulated_driver: Path, tmp_path: Path) -> None:
    """Forked while others ask for the GPU's context, which one at a time looks up."""
    assert ask(FORKS, tmp_path, BINDRT_LIBCUDA=str(simulated_driver)) == 0


def test_an_old_driver_takes_machine_code_but_no_newer_text(simulated_driver: Path, tmp_path: Path) -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    code = (
        "try:\n    print(json.dumps(len(gpu.load_kernels())))\n"
        "except gpu.DriverError as error:\n    print(json.dumps(error.name))"
    )
    loaded = {}
    for capability in ("89", "110"):
        machine = f"capability={capability},cuda=124,ptx=84"
        loaded[capability] = ask(
            code, tmp_path, BINDRT_LIBCUDA=str(simulated_driver), BINDRT_CUDASIM_DEVICE=machine
        )
    assert loaded["89"] > 0
    assert loaded["110"] == "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"


@pytest.mark.parametrize(
    ("capability", "target"),
    [
        ("7.0", ""), ("7.5", "sm_75"), ("8.0", "sm_80"), ("8.6", "sm_86"), ("8.7", "sm_87"), ("8.9", "sm_89"),
        ("9.0", "sm_90"), ("10.0", "sm_100"), ("10.1", "compute_100"), ("10.3", "sm_100"),
        ("11.0", "compute_100"), ("12.0", "sm_120"), ("12.1", "sm_120"), ("13.0", "compute_100"),
    ],
)  # fmt: skip
def test_choice_of_code(capability: str, target: str) -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    assert _core.gpu.target(capability) == target


@pytest.mark.parametrize("capability", ["", "8", "8.", ".9", "8.9.1", "a.b", "-8.9", "8.99", "99999999999.0"])
def test_no_capability(capability: str) -> None:
    with pytest.raises(ValueError, match="is not a compute capability"):
        _core.gpu.target(capability)


def test_round_trip_takes_bytes_only(gpu: Any) -> None:
    data = np.random.default_rng(1).integers(0, 256, 100_001, dtype=np.uint8)
    assert np.array_equal(gpu.round_trip(data), data)
    assert gpu.round_trip(data[:0]).shape == (0,)
    with pytest.raises(TypeError):
        gpu.round_trip(data.astype(np.float32))
    with pytest.raises(ValueError, match=r"shape \(1, 3\)"):
        gpu.round_trip(data[None, :3])


def test_doctor_names_the_simulated_driver(simulated_driver: Path, tmp_path: Path) -> None:
    done = cpp.run(
        [sys.executable, "-m", "bindrt", "doctor"],
        cwd=tmp_path,
        env={"BINDRT_LIBCUDA": str(simulated_driver), "BINDRT_CUDASIM_DEVICE": "capability=87"},
    )
    assert done.returncode == 0, done.stdout
    assert f"simulated by {simulated_driver}: no GPU" in done.stdout
    kernels = _core.build_info()["gpu_kernels"]
    if kernels is not None:
        assert "simulated device 0, capability 8.7, 1 GiB, runs sm_87" in done.stdout
        assert kernels["compiler"] in done.stdout


DECLARATIONS = """
#include <cuda.h>
#include <type_traits>
#include "csrc/gpu/api.h"
namespace ours = bindrt::gpu::cu;
template <class A, class B>
constexpr bool alike = sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
template <class A, class B> struct same_call : std::false_type {};
template <class R, class... A, class S, class... B>
struct same_call<R (*)(A...), S (*)(B...)> {
  static constexpr bool value = sizeof...(A) == sizeof...(B) && alike<R, S> && (alike<A, B> && ...);
};
#define CHECK(member, symbol, parameters) \\
  static_assert(same_call<decltype(ours::Api::member), decltype(&symbol)>::value, #symbol);
BINDRT_DRIVER_FUNCTIONS(CHECK)
BINDRT_DRIVER_OPTIONAL_FUNCTIONS(CHECK)
static_assert(ours::kOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(ours::kNotInitialized == CUDA_ERROR_NOT_INITIALIZED);
static_assert(ours::kEccUncorrectable == CUDA_ERROR_ECC_UNCORRECTABLE);
static_assert(ours::kNvlinkUncorrectable == CUDA_ERROR_NVLINK_UNCORRECTABLE);
static_assert(ours::kTensorMemoryLeak == 721 && ours::kContained == 226);  // newer than some toolkits
static_assert(ours::kExternalDevice == CUDA_ERROR_EXTERNAL_DEVICE);
static_assert(ours::kUnknown == CUDA_ERROR_UNKNOWN);
static_assert(ours::kDeinitialized == CUDA_ERROR_DEINITIALIZED);
static_assert(ours::kInvalidImage == CUDA_ERROR_INVALID_IMAGE);
static_assert(ours::kNoBinaryForGpu == CUDA_ERROR_NO_BINARY_FOR_GPU);
static_assert(ours::kInvalidPtx == CUDA_ERROR_INVALID_PTX);
static_assert(ours::kJitCompilerNotFound == CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
static_assert(ours::kUnsupportedPtxVersion == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
static_assert(ours::kNotFound == CUDA_ERROR_NOT_FOUND);
static_assert(ours::kNotReady == CUDA_ERROR_NOT_READY);
static_assert(ours::kIllegalAddress == CUDA_ERROR_ILLEGAL_ADDRESS);
static_assert(ours::kLaunchOutOfResources == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
static_assert(ours::kLaunchTimeout == CUDA_ERROR_LAUNCH_TIMEOUT);
static_assert(ours::kAssert == CUDA_ERROR_ASSERT);
static_assert(ours::kHardwareStack == CUDA_ERROR_HARDWARE_STACK_ERROR);
static_assert(ours::kLaunchFailed == CUDA_ERROR_LAUNCH_FAILED);
static_assert(ours::kNotSupported == CUDA_ERROR_NOT_SUPPORTED);
static_assert(ours::kMaxThreadsPerBlock == CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
static_assert(ours::kMaxSharedPerBlock == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
static_assert(ours::kMultiprocessors == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(ours::kIntegrated == CU_DEVICE_ATTRIBUTE_INTEGRATED);
static_assert(ours::kMemoryClockRate == CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
static_assert(ours::kMemoryBusWidth == CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
static_assert(ours::kMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(ours::kMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(ours::kStreamNonBlocking == CU_STREAM_NON_BLOCKING);
static_assert(ours::kEventDisableTiming == CU_EVENT_DISABLE_TIMING);
static_assert(ours::kHostPortable == CU_MEMHOSTALLOC_PORTABLE);
static_assert(ours::kFunctionStaticShared == CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
static_assert(ours::kFunctionRegisters == CU_FUNC_ATTRIBUTE_NUM_REGS);
static_assert(ours::kJitErrorLog == CU_JIT_ERROR_LOG_BUFFER);
static_assert(ours::kJitErrorLogBytes == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
"""


def test_our_declarations_are_the_drivers(tmp_path: Path) -> None:
    """Against NVIDIA's own header, where a toolkit is installed."""
    compiler, nvcc = (
        shutil.which("g++"),
        shutil.which("nvcc", path="/usr/local/cuda/bin") or shutil.which("nvcc"),
    )
    if compiler is None or nvcc is None:
        pytest.skip("needs g++ and CUDA's toolkit")
    source = tmp_path / "declarations.cpp"
    source.write_text(DECLARATIONS)
    include = Path(nvcc).resolve().parent.parent / "include"
    command = [
        compiler,
        "-std=c++20",
        "-fsyntax-only",
        "-I",
        str(cpp.ROOT),
        "-isystem",
        str(include),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
