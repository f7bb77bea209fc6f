"""bench/gpu_check.sh and ``bench gpu``: what they say without a GPU; a simulated one is never timed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.gpu import check
from bench.gpu.cases import Case
from bindrt import _core
from support import cpp, cudasim

SCRIPT = cpp.ROOT / "bench" / "gpu_check.sh"


#: Steps that need no GPU.
ANYWHERE = ("doctor", "torch-cpu")


def test_without_a_gpu_it_is_said_of_each_step_why_it_did_not_run(tmp_path: Path) -> None:
    listed = cpp.run([str(SCRIPT), "--only", "list"], cwd=tmp_path).stdout.split()
    chosen = ",".join(name for name in listed if name != "torch-cpu")  # it takes a minute
    done = cpp.run(
        [str(SCRIPT), "--python", sys.executable, "--json", "out.json", "--only", chosen],
        cwd=tmp_path,
        env={"BINDRT_LIBCUDA": "libno_driver.so"},
    )
    assert done.returncode == 2, done.stdout
    first = done.stdout.splitlines()[0]
    assert first.startswith("no GPU to check: ")
    assert "libno_driver.so: cannot open" in first or "this build of bindrt has no GPU kernels" in first
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["complete"] is True
    assert report["lacking"] == first
    assert "gpu_check.sh: line " not in done.stdout  # what the shell says of mistakes in it
    steps = {s.pop("step"): s for s in report["steps"]}
    assert list(steps) == chosen.split(",")
    assert (steps["doctor"]["exit_code"], steps["doctor"]["result"]) == (0, "good")
    assert (tmp_path / "out-doctor.log").read_text() in done.stdout
    for name in set(steps) - set(ANYWHERE):
        assert steps[name] == {"exit_code": None, "seconds": 0, "result": f"not run: {first}"}
        assert re.search(rf"^{name} +0 s  not run: no GPU to check: ", done.stdout, re.MULTILINE)


def test_a_python_that_cannot_run_bindrt(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nprintf 'a\\tb\\nNo module named \"x\\y\"\\n' >&2; exit 1\n")
    python.chmod(0o755)
    command = [str(SCRIPT), "--python", str(python), "--json", str(tmp_path / "out.json")]
    assert cpp.run(command, cwd=tmp_path).returncode == 1
    report = json.loads((tmp_path / "out.json").read_text())
    assert {(s["exit_code"], s["result"]) for s in report["steps"]} == {
        (None, 'not run: No module named "x\\y"')
    }
    assert {*ANYWHERE, "tests"} <= {s["step"] for s in report["steps"]}


def test_usage(tmp_path: Path) -> None:
    done = cpp.run([str(SCRIPT), "--help"], cwd=tmp_path)
    assert done.returncode == 64
    assert "--python PYTHON" in done.stdout


def fake_python(folder: Path) -> Path:
    """One that tells what it was asked to run. The tests fail, and there is no torch."""
    python = folder / "python"
    python.write_text(
        '#!/bin/sh\ncase "$*" in *find_spec*onnx*) echo onnx; exit ;; *find_spec*) exit ;; esac\n'
        'echo "ran $*"\ncase "$*" in *"-m pytest"*) exit 2 ;;\n'
        '*"--way compiled"*) echo "bench torch: error: unrecognized arguments"; exit 2 ;;\n'
        '*"bench torch"*) echo "no torch"; exit 2 ;; esac\n'
    )
    python.chmod(0o755)
    return python


def test_a_step_that_fails_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [
        str(SCRIPT), "--python", str(fake_python(tmp_path)), "--bundle", "a.bind", "fp16", "--json", str(out)
    ]  # fmt: skip
    done = cpp.run(command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 1
    assert f"ran -m bench gpu-pipeline a.bind fp16 --json {tmp_path}/out-pipeline.json" in done.stdout
    assert "gpu_check: failed: tests torch-compiled\n" in done.stdout
    steps = {s["step"]: s for s in json.loads(out.read_text())["steps"]}
    tools = [f"sanitizer-{tool}" for tool in ("memcheck", "initcheck", "synccheck", "racecheck")]
    assert {name: s["exit_code"] for name, s in steps.items()} == {
        "doctor": 0, "tests": 2, "programs": 0, "kernels": 0, "copies": 0, "decode": 0, "adversities": 0,
        **dict.fromkeys(tools), "nsight": 0, "torch": 2, "torch-files": 2, "torch-compiled": 2,
        "torch-compiled-others": 2, "torch-cpu": None, "engines": 0, "pipeline": 0,
    }  # fmt: skip
    # pytest's exit code 2: it was interrupted, for example by files that it cannot import.
    assert steps["tests"]["result"] == "FAILED: exit code 2"
    assert steps["torch-compiled"]["result"] == "FAILED: exit code 2"
    assert steps["torch-cpu"]["result"] == "not run: not installed: onnx"
    assert steps["sanitizer-memcheck"]["result"] == "not run: compute-sanitizer is not here"
    assert steps["torch"]["result"] == "not run: no torch"
    assert all(f"\n{name} " in done.stdout for name in steps)  # the summary


def test_steps_may_be_chosen_and_limited(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [str(SCRIPT), "--python", str(fake_python(tmp_path)), "--json", str(out)]
    assert cpp.run([*command, "--only", "copies,nsight"], cwd=tmp_path).returncode == 0
    assert [s["step"] for s in json.loads(out.read_text())["steps"]] == ["copies", "nsight"]
    assert cpp.run([*command, "--limit", "0"], cwd=tmp_path).returncode == 0
    results = {s["result"] for s in json.loads(out.read_text())["steps"]}
    assert results == {"not run: no time was left", "not run: not installed: onnx"}
    none = cpp.run([*command, "--only", "coppies"], cwd=tmp_path)
    assert none.returncode == 64
    assert "no step is named so" in none.stdout
    listed = cpp.run([str(SCRIPT), "--only", "list"], cwd=tmp_path).stdout.split()
    assert listed[:4] == ["doctor", "tests", "programs", "kernels"]


def test_a_step_that_does_not_end_is_ended(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *adversities*) exec sleep 1000 ;; esac\n')
    python.chmod(0o755)
    out = tmp_path / "out.json"
    command = [
        str(SCRIPT),
        "--python",
        str(python),
        "--json",
        str(out),
        "--only",
        "adversities",
        "--limit",
        "1",
    ]
    assert cpp.run(command, cwd=tmp_path).returncode == 1
    report = json.loads(out.read_text())
    (step,) = report["steps"]
    assert report["complete"] is True
    assert (step["exit_code"], step["result"]) == (124, "FAILED: its time was over")


def numbers_in(value: Any) -> set[str]:
    """The keys at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(numbers_in, value.values()))
    return set().union(*map(numbers_in, value)) if isinstance(value, list) else set()


def test_the_simulated_driver_is_compared_and_never_timed(tmp_path: Path) -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    if reason := cpp.missing("", tmp_path):
        pytest.skip(reason)
    driver = cudasim.driver("plain") / "libcudasim_cuda.so"
    out = tmp_path / "simulated.json"
    done = cpp.run(
        [sys.executable, "-m", "bench", "gpu", "--json", str(out)], env={"BINDRT_LIBCUDA": str(driver)}
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("SIMULATED, nothing is measured: simulated device 0")
    assert "µs" not in done.stdout
    assert "GB/s" not in done.stdout
    report = json.loads(out.read_text())
    assert report["device"]["simulated"] is True
    assert "nothing was measured" in report["simulated"]
    assert not numbers_in(report) & {"seconds", "bytes_per_second", "share_of_bandwidth", "date", "machine"}
    ops = {"depth", "half", "image", "imu", "mel", "pool", "resample", "thermal", "video"}
    assert {case["op"] for case in report["cases"]} == ops
    assert report["not_compared"] == []
    assert "NOT COMPARED" not in done.stdout
    assert all(case["good"] for case in report["cases"])


def test_what_is_left_out_is_said() -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    left = check.not_compared({"op": op} for op in ("image", "imu", "mel", "pool", "depth"))
    assert left == ["half", "resample", "thermal", "video"]


def fake(monkeypatch: pytest.MonkeyPatch, simulated: bool) -> None:
    monkeypatch.setattr(_core.gpu, "driver", lambda: {"simulated": simulated, "version": 13000})


def case(got: list[float], seconds: float) -> Case:
    want = np.array([1, 2], np.float32)

    def gpu(rounds: int) -> tuple[Any, Any]:
        times = {"rounds": np.full(rounds, 3 * seconds), "kernels": {"k": np.full(rounds, seconds)}}
        return np.array(got, np.float32), times

    return Case("op", "two numbers", lambda: want, gpu, tolerance=1e-3, bytes=1000)


def test_results_of_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, simulated=False)
    found = check.run(case([1, 2.0005], 1e-6), 5, bandwidth=2e9)
    assert found["good"]
    assert found["difference"] == pytest.approx(5e-4, rel=1e-3)
    assert found["seconds"] == {"median": 3e-6, "fastest": 3e-6, "slowest": 3e-6, "rounds": 5}
    assert found["kernels"] == {"k": {"median": 1e-6, "fastest": 1e-6, "slowest": 1e-6, "rounds": 5}}
    assert found["kernel_seconds"] == 1e-6
    assert found["bytes_per_second"] == pytest.approx(1e9)
    assert found["share_of_bandwidth"] == pytest.approx(0.5)
    assert not check.run(case([1, 2.002], 1e-6), 5, bandwidth=0.0)["good"]
    assert not check.run(case([1, float("nan")], 1e-6), 5, bandwidth=0.0)["good"]
    assert not check.run(case([1, 2, 3], 1e-6), 5, bandwidth=0.0)["good"]


def test_a_time_of_the_simulated_driver_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, simulated=True)
    assert "seconds" not in check.run(case([1, 2], float("nan")), 5, bandwidth=0.0)
    with pytest.raises(AssertionError, match="gave a time"):
        check.run(case([1, 2], 1e-6), 5, bandwidth=0.0)


def test_an_error_is_a_failure_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, simulated=True)
    about = {"bandwidth": 0.0, "simulated": True, "name": "x"}
    monkeypatch.setattr(check, "device", lambda: about)

    def fails(rounds: int) -> tuple[Any, Any]:
        raise MemoryError("no room")

    broken = Case("op", "broken", lambda: np.zeros(1), fails, 0.0, 0)
    report = check.check([broken, case([1, 2], float("nan"))], 5, lambda found: None)
    assert [c["good"] for c in report["cases"]] == [False, True]
    assert report["cases"][0]["error"] == "no room"
    assert report["good"] is False
    assert check.check([], 5, lambda found: None)["good"] is False


@pytest.mark.parametrize(
    ("said", "result"), [("Problems:", "it names problems"), ("", "FAILED: exit code 1")]
)
def test_problems_that_doctor_names_are_no_failure(said: str, result: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *doctor*) printf "{said}\\n  ! PyAV\\n"; exit 1 ;; esac\n')
    python.chmod(0o755)
    out = tmp_path / "out.json"
    options = ["--python", str(python), "--only", "doctor", "--json", str(out)]
    assert cpp.run([str(SCRIPT), *options], cwd=tmp_path).returncode == (not said)
    (step,) = json.loads(out.read_text())["steps"]
    assert (step["exit_code"], step["result"]) == (1, result)


@pytest.mark.deep
def test_the_whole_script_over_the_simulated_driver(tmp_path: Path) -> None:
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    driver = cudasim.driver("plain") / "libcudasim_cuda.so"
    done = cpp.run(
        [str(SCRIPT), "--python", sys.executable],
        cwd=tmp_path,
        env={"BINDRT_LIBCUDA": str(driver)},
        timeout=4 * cpp.TIMEOUT,  # all of tests/csrc/gpu, with the builds they need
    )
    assert done.returncode == 0, done.stdout
    assert "SIMULATED" in done.stdout
    assert " passed" in done.stdout
    assert "NOT COMPARED" not in done.stdout
    assert "µs" not in done.stdout
    assert "/s" not in done.stdout
    assert "adversities" in done.stdout
