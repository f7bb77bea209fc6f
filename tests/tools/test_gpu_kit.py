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

import make_gpu_kit
import pytest

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


#: Tests that need C++ sources, or TensorRT or ONNX Runtime for GPUs, for which there are stand-ins here.
NOT_IN_THE_KIT = {
    "test_compile_kernels.py", "test_driver.py", "test_onnxruntime.py", "test_pipeline_schedules.py",
    "test_tensorrt.py", "test_tensorrt_pipeline.py",
}  # fmt: skip


def test_all_tests_that_a_gpu_can_run() -> None:
    folder = make_gpu_kit.ROOT / "tests" / "csrc" / "gpu"
    carried = {Path(path).name for path in make_gpu_kit.TREE if path.startswith("tests/csrc/gpu/test_")}
    assert carried | NOT_IN_THE_KIT == {path.name for path in folder.glob("test_*.py")}
    assert not carried & NOT_IN_THE_KIT


def a_kit(folder: Path, version: str) -> Path:
    """A kit without wheels in it."""
    kit = folder / "kit"
    make_gpu_kit.assemble(kit, [], {"commit": "abc", "python": version, "wheel": "none"})
    (kit / "site").mkdir()
    (kit / "site" / ".installed").touch()
    return kit


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
        'case "$*" in *version_info*) echo 3.12 ;; -) echo "pytest is not here: tests cannot run" ;;\n'
        '  *"import torch"*) exit 1 ;; *"gpu --ready"*) exit 2 ;; esac\n'
    )  # fmt: skip
    python.chmod(0o755)
    done = run_kit(a_kit(tmp_path, "3.12"), "./python", "--json", "out.json")
    assert done.returncode == 2
    assert "pytest is not here: tests cannot run" in done.stdout
    assert "not run: the pipeline with PyTorch on the CPU" in done.stdout
    after = done.stdout.split("not run, since there is no GPU:\n")[1].split()
    assert {"tests", "kernels", "copies", "adversities", "nsight", "torch"} <= set(after)
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


@pytest.mark.deep
def test_the_kit_in_an_empty_environment(tmp_path: Path) -> None:
    tool = str(make_gpu_kit.ROOT / "tools" / "make_gpu_kit.py")
    made = cpp.run([sys.executable, tool, "--output", str(tmp_path)], timeout=2 * cpp.TIMEOUT)
    assert made.returncode == 0, made.stdout
    (archive,) = tmp_path.glob("bindrt-gpu-kit-*.tar.gz")
    assert archive.stat().st_size <= make_gpu_kit.MOST_BYTES
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    kit = tmp_path / "bindrt-gpu-kit"
    python = environment(tmp_path / "env")
    lacking = subprocess.run([python, "-c", "import bindrt"], capture_output=True, text=True, check=False)
    assert "No module named 'bindrt'" in lacking.stderr
    done = run_kit(kit, str(python), "--json", "out.json")
    assert done.returncode == 2, done.stdout
    assert "NOT A GPU, nothing is measured" in done.stdout
    assert "no GPU to check: " in done.stdout
    assert "not run, since there is no GPU:\ntests\nkernels\n" in done.stdout
    report = json.loads((kit / "cpu.json").read_text())
    assert report["measured"] is False
    assert {r["modality"] for r in report["results"] if r["good"]} == {
        "image", "video", "text", "audio", "depth", "thermal", "imu"
    }  # fmt: skip
    # With a driver, which is the simulated one: all tests and kernels of the kit.
    driver = str(cudasim.driver("plain") / "libcudasim_cuda.so")
    done = run_kit(kit, str(python), "--json", "sim.json", "--only", "tests,kernels", driver=driver)
    assert done.returncode == 0, done.stdout
    steps = json.loads((tmp_path / "sim.json").read_text())["steps"]
    assert [(s["step"], s["result"]) for s in steps] == [("tests", "good"), ("kernels", "good")]
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 100
    # Not the checkout's: the installed wheel's.
    where = "import bindrt; print(bindrt.__file__)"
    at = cpp.run([str(python), "-c", where], cwd=kit, env={"PYTHONPATH": str(kit / "site")}).stdout
    assert at.startswith(str(kit / "site"))
