"""tools/make_gpu_kit.py and the script in the kit; the kit itself is built by a deep test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from importlib.metadata import files
from pathlib import Path
from typing import Any

import gpu_programs
import make_gpu_kit
import pytest

from bench.gpu import programs
from bench.paths import PROGRAMS
from bindrt.extras import install
from support import cpp, cudasim

#: What a machine for PyTorch has of what bindrt and its benches use; neither bindrt nor make_gpu_kit.CARRIED.
ON_THE_MACHINE = (
    "Pygments", "attrs", "filelock", "flatbuffers", "fsspec", "hypothesis", "iniconfig", "jinja2",
    "markdown-it-py", "markupsafe", "mdurl", "ml_dtypes", "mpmath", "networkx", "numpy", "onnx",
    "onnxruntime", "packaging", "pillow", "pluggy", "protobuf", "pyarrow", "pytest", "rich",
    "safetensors", "setuptools", "sortedcontainers", "sympy", "tokenizers", "torch", "typing_extensions",
)  # fmt: skip


def test_what_is_carried_is_needed_and_what_is_needed_is_there_or_carried() -> None:
    project = (make_gpu_kit.ROOT / "pyproject.toml").read_text()
    (text,) = re.findall(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    needed = set(re.findall(r'"([a-z]+)>=', text))
    assert "soundfile" in needed
    assert needed <= {*make_gpu_kit.CARRIED, *ON_THE_MACHINE}
    assert not set(make_gpu_kit.CARRIED) & set(ON_THE_MACHINE)
    assert not set(make_gpu_kit.ON_REQUEST) & {*make_gpu_kit.CARRIED, *ON_THE_MACHINE}


def test_the_tree() -> None:
    for path in make_gpu_kit.TREE:
        assert (make_gpu_kit.ROOT / path).exists(), path
    names = make_gpu_kit.tracked(make_gpu_kit.TREE)
    assert {"bench/gpu_check.sh", "tests/support/cpp.py", "pyproject.toml"} <= set(names)
    assert not any(name.startswith(("bench/results", "csrc", "runtime")) for name in names)


#: Tests that need C++ sources, or what stands in here for TensorRT, ONNX Runtime for GPUs and the driver.
NOT_IN_THE_KIT = {
    "test_compile_kernels.py", "test_driver.py", "test_onnxruntime.py", "test_pipeline_schedules.py",
    "test_planned_memory.py", "test_sent_bytes.py", "test_tensorrt.py",
    "test_tensorrt_memory.py", "test_tensorrt_pipeline.py",
}  # fmt: skip


def test_all_tests_that_a_gpu_can_run() -> None:
    folder = make_gpu_kit.ROOT / "tests" / "csrc" / "gpu"
    carried = {Path(path).name for path in make_gpu_kit.TREE if path.startswith("tests/csrc/gpu/test_")}
    assert carried | NOT_IN_THE_KIT == {path.name for path in folder.glob("test_*.py")}
    assert not carried & NOT_IN_THE_KIT


def a_kit(folder: Path, version: str) -> Path:
    """A kit without wheels in it."""
    kit = folder / "kit"
    program = folder / "test_gpu"
    program.touch()
    make_gpu_kit.assemble(kit, [], [program], {"commit": "abc", "python": version, "wheel": "none"})
    (kit / "site").mkdir()
    (kit / "site" / ".installed").touch()
    return kit


def test_every_program_that_the_step_runs_is_built_and_lies_where_it_looks(tmp_path: Path) -> None:
    assert {Path(built).name for built in gpu_programs.TARGETS.values()} == {r.program for r in programs.RUNS}
    kit = a_kit(tmp_path, "3.12")
    assert (kit / PROGRAMS.relative_to(make_gpu_kit.ROOT) / "test_gpu").is_file()


def test_an_archive_that_cannot_be_carried_is_not_made(tmp_path: Path) -> None:
    kit = a_kit(tmp_path, "3.12")
    (kit / "wheels" / "large.whl").write_bytes(os.urandom(300_000))
    archive = tmp_path / "kit.tar.gz"
    with pytest.raises(SystemExit, match=r"large\.whl 0\.3 MB.*--without av"):
        make_gpu_kit.pack(kit, archive, most=200_000)
    assert not archive.exists()
    assert make_gpu_kit.pack(kit, archive) == archive.stat().st_size
    with tarfile.open(archive) as packed:
        assert {"kit/run.sh", "kit/KIT.json", "kit/bench/gpu_check.sh"} <= set(packed.getnames())


def run_kit(
    kit: Path, python: str, *options: str, driver: str = "libno_driver.so"
) -> subprocess.CompletedProcess[str]:
    env = {"BINDRT_LIBCUDA": driver}
    return cpp.run([str(kit / "run.sh"), "--python", python, *options], cwd=kit.parent, env=env)


def test_another_python_is_refused(tmp_path: Path) -> None:
    done = run_kit(a_kit(tmp_path, "2.7"), sys.executable)
    assert done.returncode == 64
    assert "this kit is for Python 2.7" in done.stdout
    assert "make gpu-kit ARGS=" in done.stdout
    assert run_kit(tmp_path / "kit", "no-such-python").returncode == 64


def test_what_cannot_run_is_said(tmp_path: Path) -> None:
    """A Python that has nothing but what it is asked for."""
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\necho \"ran $*\" >> {tmp_path}/ran\n"
        'case "$*" in *version_info*) echo 3.12 ;; -) echo "pytest is not here: step tests cannot run" ;;\n'
        '  *find_spec*torch*) echo torch ;; *"gpu --ready"*) echo "no driver"; exit 2 ;; esac\n'
    )  # fmt: skip
    python.chmod(0o755)
    done = run_kit(a_kit(tmp_path, "3.12"), "./python", "--json", "out.json")
    assert done.returncode == 2
    assert "pytest is not here: step tests cannot run" in done.stdout
    results = {s["step"]: s["result"] for s in json.loads((tmp_path / "out.json").read_text())["steps"]}
    assert results.pop("doctor") == "good"
    assert results.pop("torch-cpu") == "not run: not installed: torch"
    assert {"tests", "programs", "kernels", "copies", "adversities", "nsight", "torch-files"} <= set(results)
    assert set(results.values()) == {"not run: no driver"}
    assert "-m bindrt doctor" in (tmp_path / "ran").read_text()


def environment(folder: Path) -> Path:
    """An empty environment with what that machine has, linked from ours; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in ON_THE_MACHINE:
        for file in files(name) or ():
            top = packages / file.parts[0]
            if file.parts[0] not in ("..", "__pycache__") and not top.exists():
                top.symlink_to(Path(str(file.locate())).parents[len(file.parts) - 2] if len(file.parts) > 1
                               else Path(str(file.locate())))  # fmt: skip
    return folder / "bin" / "python"


def unpacked(folder: Path, *options: str) -> Path:
    """A kit as ``make gpu-kit`` packs it, unpacked into an empty folder."""
    tool = str(make_gpu_kit.ROOT / "tools" / "make_gpu_kit.py")
    made = cpp.run([sys.executable, tool, "--output", str(folder), *options], timeout=2 * cpp.TIMEOUT)
    assert made.returncode == 0, made.stdout
    (archive,) = folder.glob("bindrt-gpu-kit-*.tar.gz")
    assert archive.stat().st_size <= make_gpu_kit.MOST_BYTES
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "bindrt-gpu-kit"


def run_alone(kit: Path, home: Path, python: Path, *options: str, **environment: str) -> tuple[int, str]:
    """``run.sh`` with nothing of this process's environment, from an empty folder."""
    home.mkdir(exist_ok=True)
    command = [str(kit / "run.sh"), "--python", str(python), *options]
    done = subprocess.run(
        command, cwd=home, env={"PATH": "/usr/bin:/bin", "HOME": str(home), **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=cpp.TIMEOUT,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode()


def steps_of(out: Path) -> dict[str, dict[str, Any]]:
    report = json.loads(out.read_text())
    assert report["complete"] is True
    return {step["step"]: step for step in report["steps"]}


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual kit."""
    return unpacked(tmp_path_factory.mktemp("kit"))


@pytest.mark.deep
def test_the_kit_in_an_empty_environment(kit: Path, tmp_path: Path) -> None:
    # Nothing but Python: each step says so.
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", str(bare)], check=True)
    code, said = run_alone(kit, tmp_path / "home", bare / "bin" / "python", "--json", "bare.json")
    assert code == 1, said
    assert "numpy is not here: bindrt does not run without it" in said
    steps = steps_of(tmp_path / "home" / "bare.json")
    lacking = {"not run: ModuleNotFoundError: No module named 'numpy'"}
    assert {(s["exit_code"], s["result"]) for s in steps.values()} == {(None, *lacking)}
    # What a machine for PyTorch has, without a driver.
    python = environment(tmp_path / "env")
    lacks = subprocess.run([python, "-c", "import bindrt"], capture_output=True, text=True, check=False)
    assert "No module named 'bindrt'" in lacks.stderr
    code, said = run_alone(
        kit, tmp_path / "home", python, "--json", "out.json", BINDRT_LIBCUDA="libno_driver.so"
    )
    assert code == 2, said
    assert "NOT A GPU, nothing is measured" in said
    steps = steps_of(tmp_path / "home" / "out.json")
    ran = [name for name, step in steps.items() if step["exit_code"] is not None]
    assert ran == ["doctor", "torch-cpu"]
    assert {steps[name]["result"] for name in ran} == {"good"}
    assert all("libno_driver.so" in s["result"] for name, s in steps.items() if name not in ran)
    report = json.loads((tmp_path / "home" / "out-torch-cpu.json").read_text())
    assert report["measured"] is False
    assert {r["modality"] for r in report["results"] if r["good"]} == {
        "image", "video", "text", "audio", "depth", "thermal", "imu"
    }  # fmt: skip
    # With a driver, which is the simulated one: the tests, programs and kernels of the kit.
    driver = str(cudasim.driver("plain") / "libcudasim_cuda.so")
    options = ("--json", "sim.json", "--only", "tests,programs,kernels,decode")
    code, said = run_alone(kit, tmp_path / "home", python, *options, BINDRT_LIBCUDA=driver)
    assert code == 0, said
    steps = steps_of(tmp_path / "home" / "sim.json")
    assert [(s["step"], s["result"]) for s in steps.values()] == [
        ("tests", "good"), ("programs", "good"), ("kernels", "good"),
        ("decode", f"not run: decoding on GPU 0: nvImageCodec is not installed; {install('gpu-decode')}"),
    ]  # fmt: skip
    passed = re.search(r"^(\d+) passed", said, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 100
    results = json.loads((tmp_path / "home" / "sim-programs.json").read_text())["results"]
    assert [r["good"] for r in results] == [True] * len(programs.RUNS)
    # Not the checkout's: the installed wheel's.
    where = "import bindrt; print(bindrt.__file__)"
    at = cpp.run([str(python), "-c", where], cwd=kit, env={"PYTHONPATH": str(kit / "site")}).stdout
    assert at.startswith(str(kit / "site"))


@pytest.mark.deep
def test_the_programs_need_no_library_of_cpp(tmp_path: Path) -> None:
    """And no C library that is newer than the wheel's, which auditwheel names."""
    for built in gpu_programs.build_programs():
        content = built.read_bytes()
        assert b"libstdc++.so" not in content
        versions = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"GLIBC_(\d+\.\d+)", content)}
        assert max(versions) <= (2, 35), built
        assert b".nv.info.bindrt_" in content, "there are no kernels in it"


@pytest.mark.deep
def test_a_kit_that_decodes_there_and_has_no_videos(kit: Path, tmp_path: Path) -> None:
    (wheel,) = (kit / "wheels").glob("bindrt-*.whl")
    options = ("--wheel", str(wheel), "--with", "nvidia-nvimgcodec-cu13", "--without", "av")
    other = unpacked(tmp_path, *options)
    names = {path.name.partition("-")[0] for path in (other / "wheels").iterdir()}
    assert "nvidia_nvimgcodec_cu13" in names
    assert "av" not in names
    python = environment(tmp_path / "env")
    chosen = ("--json", "out.json", "--only", "doctor,torch-cpu")
    code, said = run_alone(other, tmp_path / "home", python, *chosen, BINDRT_LIBCUDA="libno_driver.so")
    assert code == 2, said
    assert "av is not here: videos cannot run" in said
    steps = steps_of(tmp_path / "home" / "out.json")
    assert [s["result"] for s in steps.values()] == ["it names problems", "good"]  # PyAV is not there
    report = json.loads((tmp_path / "home" / "out-torch-cpu.json").read_text())
    assert [r["modality"] for r in report["results"] if r.get("not run") == "av is not installed"] == [
        "video"
    ]
    assert {"image", "audio", "depth"} <= {r["modality"] for r in report["results"] if "differences" in r}
