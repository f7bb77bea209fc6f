"""tools/compile_kernels.py: what NVRTC makes of a source, and how it is packed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support import cpp

TOOL = cpp.ROOT / "tools" / "compile_kernels.py"
EXAMPLE = cpp.ROOT / "tests" / "cudasim" / "example_cuda.cu"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    sys.path.insert(0, str(TOOL.parent))
    try:
        import compile_kernels
    finally:
        sys.path.pop(0)
    return compile_kernels


@pytest.fixture(scope="module")
def nvrtc(tool: ModuleType) -> Any:
    found = tool.Nvrtc.find()
    if found is None:
        pytest.skip("NVRTC (nvidia-cuda-nvrtc-cu12) is not installed")
    return found


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compiles_for_each_architecture(tool: ModuleType, nvrtc: Any) -> None:
    files = tool.compile_source(nvrtc, EXAMPLE, (75, 87, 121))
    assert sorted(files) == [
        "compute_100.ptx", "compute_75.ptx", "facts.json", "sm_121.cubin", "sm_75.cubin", "sm_87.cubin",
    ]  # fmt: skip
    assert re.search(rb"\.target sm_75\n", files["compute_75.ptx"])
    assert all(files[name].startswith(b"\x7fELF") for name in files if name.endswith("cubin"))
    assert re.search(rb"\.target sm_100\n", files["compute_100.ptx"])
    assert files["compute_100.ptx"].endswith(b"}\n\0") or files["compute_100.ptx"].endswith(b"\n\0")
    facts = json.loads(files["facts.json"])
    assert facts["module"] == "example"
    assert facts["kernels"] == [
        "bindrt_example_histogram",
        "bindrt_example_resize",
        "bindrt_example_sum_rows",
    ]
    for target in ("sm_75", "sm_87", "sm_121"):
        taken = facts["resources"][target]
        assert set(taken) == set(facts["kernels"])
        assert 8 <= taken["bindrt_example_resize"]["registers"] <= 255
        assert taken["bindrt_example_histogram"]["shared"] >= 1024  # as its source declares
    assert tool.compile_source(nvrtc, EXAMPLE, (75, 87, 121)) == files  # the same bytes again


def test_multiplications_are_not_fused(tool: ModuleType, nvrtc: Any) -> None:
    source = 'extern "C" __global__ void k(float* x) { x[0] = x[1] * x[2] + x[3]; }'
    options = [*tool.OPTIONS, "--gpu-architecture=compute_80"]
    ptx = nvrtc.compile(source, "k.cu", options).ptx.decode()
    assert "mul.rn.f32" in ptx
    assert "fma" not in ptx


def test_an_error_shows_the_compilers_log(tool: ModuleType, nvrtc: Any, tmp_path: Path) -> None:
    source = tmp_path / "bad_cuda.cu"
    source.write_text('extern "C" __global__ void bindrt_bad(int n) { n = undeclared; }\n')
    done = run("compile", source, "-o", tmp_path / "bad.zip")
    assert done.returncode == 1
    assert 'bad_cuda.cu(1): error: identifier "undeclared" is undefined' in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "bad.zip").exists()


def test_the_depfile_names_every_header(tool: ModuleType, nvrtc: Any, tmp_path: Path) -> None:
    out = tmp_path / "example.zip"
    done = run("compile", EXAMPLE, "-o", out, "--depfile", tmp_path / "d", "--architecture", "89")
    assert done.returncode == 0, done.stderr
    target, _, needed = (tmp_path / "d").read_text().partition(": ")
    assert target == str(out)
    names = {Path(name).name for name in needed.split()}
    assert {"example_cuda.cu", "device.h", "portable.h", "example_params.h"} <= names


def packed(tmp_path: Path, module: str, kernels: list[str], files: dict[str, bytes]) -> Path:
    path = tmp_path / f"{module}.zip"
    facts = {"module": module, "compiler": "NVRTC 12.9", "kernels": kernels, "resources": {}}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**files, "facts.json": json.dumps(facts).encode()}.items():
            archive.writestr(name, content)
    return path


def test_pack(tool: ModuleType, tmp_path: Path) -> None:
    first = packed(tmp_path, "a", ["bindrt_a_x"], {"sm_80.cubin": b"A" * 100, "compute_100.ptx": b"text\0"})
    second = packed(tmp_path, "b", ["bindrt_b_x", "bindrt_b_y"], {"sm_80.cubin": b"B" * 10})
    done = run("pack", "-o", tmp_path / "images.bin", "--table", tmp_path / "images.cpp", first, second)
    assert done.returncode == 0, done.stderr
    table, blob = (tmp_path / "images.cpp").read_text(), (tmp_path / "images.bin").read_bytes()
    rows = re.findall(r'{"(\w)", ImageKind::(\w+), (\d+), {bindrt_gpu_images \+ (\d+), (\d+)}}', table)
    found = {(name, kind, arch): blob[int(at) : int(at) + int(size)] for name, kind, arch, at, size in rows}
    assert found == {
        ("a", "kCubin", "80"): b"A" * 100,
        ("a", "kPtx", "100"): b"text\0",
        ("b", "kCubin", "80"): b"B" * 10,
    }
    assert all(int(row[3]) % 64 == 0 for row in rows)
    assert re.findall(r'{"(bindrt_\w+)", "(\w)"}', table) == [
        ("bindrt_a_x", "a"), ("bindrt_b_x", "b"), ("bindrt_b_y", "b"),
    ]  # fmt: skip


def test_pack_nothing(tmp_path: Path) -> None:
    done = run("pack", "-o", tmp_path / "images.bin", "--table", tmp_path / "images.cpp")
    assert done.returncode == 0, done.stderr
    assert '{"", {}, {}}' in (tmp_path / "images.cpp").read_text()
    assert (tmp_path / "images.bin").read_bytes() == b""


def test_one_name_in_two_sources_is_refused(tmp_path: Path) -> None:
    both = [packed(tmp_path, name, ["bindrt_same"], {}) for name in ("a", "b")]
    done = run("pack", "-o", tmp_path / "images.bin", "--table", tmp_path / "images.cpp", *both)
    assert done.returncode == 1
    assert done.stderr == "kernel bindrt_same is defined in both a_cuda.cu and b_cuda.cu\n"


def test_find_without_the_package(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "nvidia", raising=False)
    assert tool.Nvrtc.find() is None
    (tmp_path / "nvidia" / "cuda_nvrtc").mkdir(parents=True)  # a package without the library
    assert tool.Nvrtc.find() is None


NVCC_LOG = """
ptxas info    : Compiling entry function 'bindrt_a' for 'sm_89'
ptxas info    : Function properties for bindrt_a
    16 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 16 bytes cumulative stack size, 2048 bytes smem
ptxas info    : Compiling entry function 'bindrt_b' for 'sm_89'
ptxas info    : Function properties for bindrt_b
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, 376 bytes cmem[0]
"""


def test_resources(tool: ModuleType) -> None:
    found = tool.Resources.parse(NVCC_LOG)
    assert found == {
        "bindrt_a": tool.Resources(registers=40, spill_stores=12, spill_loads=8, stack=16, shared=2048),
        "bindrt_b": tool.Resources(registers=8, spill_stores=0, spill_loads=0, stack=0, shared=0),
    }
    with pytest.raises(ValueError, match="unknown format"):
        tool.Resources.parse("ptxas info : Compiling entry function 'bindrt_c' for 'sm_89'\nnothing")


def test_the_makefile_installs_the_version_that_wheels_are_built_with() -> None:
    pattern = re.compile(r"nvidia-cuda-nvrtc-cu12==([\d.]+)")
    makefile = pattern.findall((cpp.ROOT / "Makefile").read_text())
    project = pattern.findall((cpp.ROOT / "pyproject.toml").read_text())
    assert makefile == project
    assert len(makefile) == 1
