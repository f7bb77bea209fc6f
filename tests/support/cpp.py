"""Building the C++ tests: kernels alone, without Python, under a sanitizer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import bindrt

ROOT = Path(__file__).resolve().parent.parent.parent
# Folders of tests/, as tests/cpp/CMakeLists.txt has them.
_ROOMS = (
    "kernels/*",
    *("csrc/pipeline", "csrc/audio", "csrc/jpeg", "csrc/png", "csrc/prepare", "csrc/native", "csrc/text"),
    *("csrc/video", "csrc/live"),
)


def _sources(kind: str) -> dict[str, Path]:
    found = (p for room in _ROOMS for p in (ROOT / "tests").glob(f"{room}/{kind}_*.cpp"))
    return {p.stem: p for p in sorted(found, key=lambda p: p.stem) if not p.stem.endswith("_cuda")}


def _has_threads(source: Path) -> bool:
    return source.parent.name == "pipeline" or "thread" in source.read_text()


#: Programs of the tests.
PROGRAMS = list(_sources("test"))
#: Programs of random cases, one an op.
STRESS = list(_sources("stress"))
#: What `make test` runs under the thread sanitizer; `make test-deep` runs the rest.
THREADED = [name for name, source in _sources("test").items() if _has_threads(source)]
THREADED += ["stress_pipeline", "stress_team"]
#: Sanitized code takes half the time to compile at -O1, and names its lines with the least debug information.
FLAGS = "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1"
TIMEOUT = 1800  # seconds; a first build of all kernels on a slow machine


def tool(name: str) -> str | None:
    """A build tool: the one in this environment, else the system's."""
    mine = Path(sys.executable).parent / name
    return str(mine) if mine.exists() else shutil.which(name)


def run(
    command: list[str], cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run to the end, with both outputs as one text; `env` is added to the environment."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


_missing: dict[str, str] = {}


def missing(sanitize: str, folder: Path) -> str:
    """Why tests cannot be built under a sanitizer ("": none) here; empty if they can."""
    if sanitize not in _missing:
        _missing[sanitize] = _probe(sanitize, folder)
    return _missing[sanitize]


def _probe(sanitize: str, folder: Path) -> str:
    if not (ROOT / "CMakeLists.txt").exists():
        return "there are no C++ sources here"
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return "no C++ compiler"
    if tool("cmake") is None:
        return "no cmake"
    source, program = folder / "probe.cpp", folder / "probe"
    source.write_text("#include <vector>\nint main() { return static_cast<int>(std::vector<int>(3)[1]); }\n")
    flags = [f"-fsanitize={sanitize}"] if sanitize else []
    built = run([compiler, "-std=c++20", *flags, str(source), "-o", str(program)])
    if built.returncode:
        return f"{compiler} cannot build with -fsanitize={sanitize}: {built.stdout.strip()[-200:]}"
    ran = run([str(program)])
    return f"-fsanitize={sanitize} does not run here: {ran.stdout.strip()[-200:]}" if ran.returncode else ""


def tree(sanitize: str) -> Path:
    """The build folder for one sanitizer."""
    return ROOT / "build" / ("cpp-" + (sanitize.replace(",", "-") or "plain"))


def build(sanitize: str, *targets: str) -> Path:
    """Build targets and return the build folder. AssertionError with the log if it fails."""
    folder = tree(sanitize)
    cmake = tool("cmake")
    assert cmake is not None
    ninja = tool("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else ["-G", "Unix Makefiles"]
    options = ["-DBINDRT_PYTHON=OFF", "-DBINDRT_TESTS=ON", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", FLAGS]
    options.append(f"-DPython_EXECUTABLE={sys.executable}")  # where NVRTC is
    for command in (
        [cmake, "-S", str(ROOT), "-B", str(folder), *generator, *options, f"-DBINDRT_SANITIZE={sanitize}"],
        [cmake, "--build", str(folder), "--parallel", "2", "--target", *targets],
    ):
        done = run(command)
        assert done.returncode == 0, done.stdout[-8000:]
    return folder


def require_clean(done: subprocess.CompletedProcess[str], line: str = "") -> None:
    """Assert that a program of tests/cpp ended well, printed a line of its own, and no sanitizer spoke."""
    assert re.search(r"^[1-9]\d* checks, 0 failed$", done.stdout, re.MULTILINE), done.stdout[-8000:]
    assert not line or line in done.stdout.splitlines(), done.stdout[-8000:]
    assert "Sanitizer" not in done.stdout, done.stdout[-8000:]
    assert "runtime error" not in done.stdout, done.stdout[-8000:]
    assert done.returncode == 0, done.stdout[-8000:]


def loaded(library: str) -> Path | None:
    """The file of a library that this process has loaded; None if it is not there, or there is no /proc."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    return next((Path(x.split(maxsplit=5)[5]) for x in lines if library in x), None)


def build_core(tree: Path, folder: Path, *options: str) -> Path:
    """A copy of the package with a `_core` built from `tree`; its parent goes first in `sys.path`."""
    import pybind11  # needed to build only

    build = folder / "build"
    python = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11.get_cmake_dir()}"]
    make = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}", "-DCMAKE_BUILD_TYPE=Release"]
    for command in (
        [str(tool("cmake")), "-S", str(tree), "-B", str(build), *make, *python, *options],
        [str(tool("cmake")), "--build", str(build), "--parallel", "2"],
    ):
        done = run(command)
        assert done.returncode == 0, done.stdout[-4000:]
    package = folder / "path" / "bindrt"
    shutil.copytree(Path(bindrt.__file__).parent, package, ignore=shutil.ignore_patterns("_core*.so"))
    (module,) = build.glob("_core*.so")
    shutil.copy(module, package)
    return package
