"""The doctor: what it finds here, and that nothing absent or broken stops it."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bindrt import __main__ as command
from bindrt import cores, hardware
from bindrt.diagnosis import Part, Report, doctor, looking


def part(report: Report, name: str) -> Part:
    return next(p for p in (*report.libraries, *report.engines, *report.tools) if p.name == name)


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str, distributions: tuple[str, ...] = ()) -> None:
    """Make imports fail, and distributions unknown, as if they were not installed."""
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    version = importlib.metadata.version

    def known(name: str) -> str:
        if name in distributions:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", known)


def add(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Make distributions known; underscores in names stand for dashes."""
    version = importlib.metadata.version
    more = {name.replace("_", "-"): number for name, number in versions.items()}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: more.get(name) or version(name))


def test_this_installation_is_healthy() -> None:
    report = doctor()
    assert report.problems == ()
    assert report.healthy
    assert report.core["build_type"]
    assert part(report, "onnxruntime").present
    assert "CPU" in part(report, "onnxruntime").detail
    assert "FFmpeg" in part(report, "PyAV").detail
    assert report.cpu.cores >= report.cpu.usable_cores > 0
    assert report.cpu.memory > report.cpu.available > 0


def test_reads_as_text() -> None:
    report = doctor()
    text = str(report)
    assert text == repr(report)
    assert text.startswith("bindrt ")
    assert "All well." in text
    assert "libsndfile" in text
    assert max(map(len, text.splitlines())) < 400


def test_is_json() -> None:
    report = doctor()
    plain = report.as_dict()
    assert json.loads(json.dumps(plain)) == plain  # lists, not tuples; no objects
    assert plain["healthy"] is True
    assert plain["core"]["cpu_features"]


@pytest.mark.parametrize(
    ("module", "distribution", "name", "promise"),
    [
        ("soundfile", "soundfile", "soundfile", "WAV"),
        ("av", "av", "PyAV", "video"),
        ("PIL", "pillow", "Pillow", "image"),
        ("numpy", "numpy", "NumPy", "arrays"),
        ("onnxruntime", "onnxruntime", "onnxruntime", "default engine"),
    ],
)
def test_absent_library(
    monkeypatch: pytest.MonkeyPatch, module: str, distribution: str, name: str, promise: str
) -> None:
    hide(monkeypatch, module, distributions=(distribution,))
    report = doctor()
    absent = part(report, name)
    assert not absent.present
    assert absent.version == ""
    assert promise in absent.gives
    assert "pip install" in absent.remedy
    assert any(name in problem for problem in report.problems)
    assert f"- {name}: not installed" in str(report)


def test_absent_extra_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "usearch", distributions=("usearch",))
    report = doctor()
    assert report.healthy
    assert part(report, "usearch").remedy == "pip install 'usearch>=2.17'"


def test_export_is_looked_for_without_importing_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # an import would fail
    hide(monkeypatch, distributions=("onnxscript",))
    found = part(doctor(), "export")
    assert (found.present, found.detail) == (False, "onnxscript not installed")
    assert found.remedy.startswith("pip install 'torch>=2.6' 'onnx>=1.17'")


def test_broken_library_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    load = importlib.import_module

    def broken(name: str, package: str | None = None) -> ModuleType:
        if name == "soundfile":
            raise OSError("libsndfile.so: cannot open shared object file")
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", broken)
    found = part(doctor(), "soundfile")
    assert not found.present
    assert "does not load: OSError: libsndfile.so" in found.detail


def test_library_that_loads_but_fails_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise RuntimeError("no runtime")

    monkeypatch.setitem(sys.modules, "openvino", ModuleType("openvino"))
    monkeypatch.setattr(sys.modules["openvino"], "Core", fail, raising=False)
    found = part(doctor(), "openvino")
    assert found.present
    assert "does not answer: no runtime" in found.detail


def test_missing_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bindrt._core", None)
    report = doctor()
    assert report.core == {}
    assert not report.healthy
    assert "bindrt._core does not load" in report.problems[0]
    assert report.cpu.features == ()
    assert "features unknown" in str(report)


def test_not_installed_as_a_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, distributions=("bindrt",))
    assert "from its source" in doctor().version


@pytest.mark.parametrize(
    ("versions", "names"),
    [
        ({"onnxruntime_gpu": "1.0"}, "onnxruntime and onnxruntime-gpu"),
        ({"tensorrt": "11.0", "tensorrt_rtx": "1.2"}, "tensorrt and tensorrt-rtx"),
    ],
)
def test_conflicts(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str], names: str) -> None:
    add(monkeypatch, **versions)
    assert any(problem.startswith(f"{names} are both installed") for problem in doctor().problems)


def test_absent_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "openvino", distributions=("openvino",))
    found = part(doctor(), "openvino")
    assert not found.present
    assert found.remedy == "pip install 'openvino>=2025.0'"


class FakeDriver:
    """libcuda.so.1 with two devices, as far as the doctor asks."""

    def __init__(self, init: int = 0, count: int = 2) -> None:
        self.init, self.count = init, count

    def cuInit(self, flags: int) -> int:  # noqa: N802 - the driver's own names
        return self.init

    def cuDriverGetVersion(self, out: Any) -> int:  # noqa: N802
        out._obj.value = 13010
        return 0

    def cuGetErrorName(self, code: int, out: Any) -> int:  # noqa: N802
        out._obj.value = b"CUDA_ERROR_NO_DEVICE"
        return 0

    def cuDeviceGetCount(self, out: Any) -> int:  # noqa: N802
        out._obj.value = self.count
        return 0

    def cuDeviceGet(self, out: Any, index: int) -> int:  # noqa: N802
        out._obj.value = index
        return 0

    def cuDeviceGetName(self, name: Any, size: int, device: Any) -> int:  # noqa: N802
        name.value = b"GPU %d" % device.value
        return 0

    def cuDeviceGetAttribute(self, out: Any, attribute: int, device: Any) -> int:  # noqa: N802
        out._obj.value = {75: 8, 76: 9}[attribute]
        return 0

    def cuDeviceTotalMem_v2(self, out: Any, device: Any) -> int:  # noqa: N802
        out._obj.value = 24 << 30
        return 0


def test_driver_with_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: FakeDriver())
    report = doctor()
    assert report.driver.cuda == "13.1"
    assert report.driver.gpus[1] == hardware.Gpu("GPU 1", "8.9", 24 << 30)
    assert "GPU 1, capability 8.9, 24 GiB" in str(report)
    assert json.loads(json.dumps(report.as_dict()))["driver"]["gpus"][0]["name"] == "GPU 0"


def no_library(name: str) -> Any:
    raise OSError(name)


@pytest.mark.parametrize(
    ("library", "problem"),
    [
        (no_library, "not installed"),
        (lambda name: SimpleNamespace(), "does not answer as a driver"),
        (lambda name: FakeDriver(init=100), "does not start: CUDA_ERROR_NO_DEVICE"),
        (lambda name: FakeDriver(count=0), "no device"),
    ],
)
def test_driver_without_devices(monkeypatch: pytest.MonkeyPatch, library: Any, problem: str) -> None:
    monkeypatch.setattr(ctypes, "CDLL", library)
    found = hardware.nvidia_driver()
    assert problem in found.problem
    assert found.gpus == ()


def test_system_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "_read", lambda path: "")
    found = hardware.cpu()
    assert found.memory == 0
    assert found.usable_cores > 0
    assert found.model


def test_container_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = {
        "/sys/fs/cgroup/memory.max": f"{1 << 30}\n",
        "/sys/fs/cgroup/memory.current": f"{1 << 29}\n",
        "/proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 8000000 kB\n",
    }
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("50000 100000\n")
    monkeypatch.setattr(cores, "ROOT", str(tmp_path))
    monkeypatch.setattr(hardware, "_read", lambda path: files.get(path, ""))
    found = hardware.cpu()
    assert found.usable_cores == 0.5
    assert (found.memory, found.available) == (1 << 30, 1 << 29)


def test_command_prints_json_and_knows_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = ['bindrt', 'doctor', '--json']; "
        "import runpy; runpy.run_module('bindrt', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["healthy"] is True


def test_command_as_users_type_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bindrt", "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "All well." in done.stdout


def test_command_fails_when_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hide(monkeypatch, "av", distributions=("av",))
    assert command.main(["doctor"]) == 1
    assert "! PyAV: not installed" in capsys.readouterr().out


def test_torch_is_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from bindrt.diagnosis import doctor; doctor(); "
        "print(sorted({'torch', 'bindrt_export'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_nvdec_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the driver's, so a machine without one is healthy."""

    def loads(found: bool) -> Any:
        return (lambda name: None) if found else no_library

    monkeypatch.setattr(ctypes, "CDLL", loads(False))
    report = doctor()
    assert report.healthy
    assert "no libnvcuvid.so.1 here; gives large videos decoded on the GPU; install" in str(report)
    monkeypatch.setattr(ctypes, "CDLL", loads(True))
    assert looking.look_for_nvdec().present
    monkeypatch.setattr("av.codec.hwaccel.hwdevices_available", lambda: ["drm"])
    assert "built without it" in looking.look_for_nvdec().detail
    monkeypatch.setattr(looking, "hand_over_ffmpeg", lambda: False)
    monkeypatch.setattr("av.codec.hwaccel.hwdevices_available", lambda: ["cuda"])
    assert "of a version that bindrt does not know" in looking.look_for_nvdec().detail
