"""What bench/gpu does besides comparing the kernels: copies, what may go wrong, Nsight Compute's times."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.gpu import check, nsight, processes, programs
from bench.gpu.adversities import command as adversities
from bench.gpu.adversities.cases import CASES
from bench.gpu.cases import Case
from bindrt import _core
from support import cpp, cudasim


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The simulated driver's library."""
    if _core.build_info()["gpu_kernels"] is None:
        pytest.skip("this build has no GPU kernels: NVRTC was not installed")
    if reason := cpp.missing("", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)
    return str(cudasim.driver("plain") / "libcudasim_cuda.so")


def bench(driver: str, *arguments: str, device: str = "memory=256") -> tuple[int, str]:
    env = {"BINDRT_LIBCUDA": driver, "BINDRT_CUDASIM_DEVICE": device}
    done = cpp.run([sys.executable, "-m", "bench", *arguments], env=env)
    return done.returncode, done.stdout


def test_copies_are_compared_and_not_timed(driver: str, tmp_path: Path) -> None:
    out = tmp_path / "copies.json"
    status, said = bench(driver, "gpu-copies", "--json", str(out))
    assert status == 0, said
    assert said.startswith("SIMULATED, nothing is measured")
    assert "GB/s" not in said
    found = json.loads(out.read_text())["results"]
    assert [(f["memory"], f["direction"]) for f in found] == [
        ("page-locked", "to the device"), ("page-locked", "from the device"),
        ("ordinary", "to the device"), ("ordinary", "from the device"), ("bindrt's queue", "to the device"),
    ]  # fmt: skip
    assert not any("bytes_per_second" in f for f in found)


def test_decoding_is_compared_and_not_timed(driver: str, tmp_path: Path) -> None:
    out = tmp_path / "decode.json"
    code = (
        "import sys\nfrom support.nvimgsim import install\ninstall()\n"
        "from bench.gpu import decoding\nraise SystemExit(decoding.main(sys.argv[1:]))"
    )
    env = {"BINDRT_LIBCUDA": driver, "PYTHONPATH": str(cpp.ROOT / "tests")}
    done = cpp.run([sys.executable, "-c", code, "--json", str(out)], env=env)
    assert done.returncode == 0, done.stdout
    assert "640×480 quality 90, samples 2" in done.stdout
    results = json.loads(out.read_text())["results"]
    assert "640×480 TIFF with LZW" in done.stdout
    assert [f["levels"] for f in results] == [{"largest": 0.0, "mean": 0.0}] * 8
    assert not any("files_per_second" in f for f in results)


@pytest.mark.parametrize("case", CASES)
def test_adversities(driver: str, case: str) -> None:
    status, said = bench(driver, "gpu-adversities", "--here", "--case", case)
    assert status == 0, said


def test_adversities_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = {"fork": "print('good news')", "collection": "raise SystemExit('bad news')"}
    monkeypatch.setattr(_core.gpu, "problem", lambda: "")
    monkeypatch.setattr(_core.gpu, "driver", lambda: {"simulated": True})
    real = processes.subprocess.run

    def run(command: list[str], **options: Any) -> Any:
        return real([sys.executable, "-c", programs[command[-1]]], **options)

    monkeypatch.setattr(processes.subprocess, "run", run)
    out = tmp_path / "out.json"
    assert adversities.main(["--case", *programs, "--json", str(out)]) == 1
    assert [(f["good"], f["said"]) for f in json.loads(out.read_text())["results"]] == [
        (True, "good news"), (False, "bad news")
    ]  # fmt: skip
    assert "FAILED: bad news" in capsys.readouterr().out


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_process_is_ended_and_what_it_said_is_kept(tmp_path: Path) -> None:
    program(tmp_path, "slow", "echo begun; exec sleep 1000")
    found = processes.run([str(tmp_path / "slow")], 0.5)
    assert (found["good"], found["exit_code"]) == (False, None)
    assert found["said"].splitlines() == ["begun", "it did not end within 0.5 s"]
    program(tmp_path, "told", 'printf "%05000d %s" 0 "$TOLD"')
    found = processes.run([str(tmp_path / "told")], 60, {"TOLD": "something"})
    assert found["good"]
    assert found["said"].endswith(" something")
    assert len(found["said"]) == processes.MOST_SAID
    (tmp_path / "other").write_bytes(b"\x7fELF of another machine")
    (tmp_path / "other").chmod(0o755)
    found = processes.run([str(tmp_path / "other")], 60)
    assert not found["good"]
    assert "Exec format error" in processes.last_line(found)


def test_programs_that_check_nothing_are_not_good(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_core.gpu, "problem", lambda: "")
    monkeypatch.setattr(_core.gpu, "driver", lambda: {"simulated": True, "path": "/a/driver.so"})
    monkeypatch.setattr(_core.gpu, "devices", lambda: [{"name": "a device"}])
    assert programs.main(["--folder", str(tmp_path)]) == 2
    assert "test_gpu, test_graphs, test_picture_decoder; make gpu-kit builds them" in capsys.readouterr().err
    for run in programs.RUNS:
        program(tmp_path, run.program, 'echo "$BINDRT_LIBCUDA $*"; echo "7 checks, 0 failed"')
    out = tmp_path / "out.json"
    assert programs.main(["--folder", str(tmp_path), "--json", str(out)]) == 0
    results = json.loads(out.read_text())["results"]
    assert [f["said"].splitlines()[0] for f in results] == [
        *["/a/driver.so /a/driver.so"] * 4, "/a/driver.so 100 1000", "/a/driver.so 100 2000"
    ]  # fmt: skip
    program(tmp_path, "test_gpu", 'echo "0 checks, 0 failed"')
    program(tmp_path, "test_graphs", 'echo "9 checks, 0 failed"; exit 3')
    program(tmp_path, "stress_gpu_pipeline", 'echo "9 checks, 1 failed"')
    assert programs.main(["--folder", str(tmp_path), "--json", str(out)]) == 1
    good = {f["program"]: f["good"] for f in json.loads(out.read_text())["results"]}
    assert [name for name, is_good in good.items() if not is_good] == [
        "test_gpu", "test_graphs", "stress_gpu_pipeline"
    ]  # fmt: skip
    assert "FAILED: 9 checks, 1 failed" in capsys.readouterr().out


NCU = """==PROF== Connected to process 17
"ID","Process ID","Kernel Name","Block Size","gpu__time_duration.sum"
"","","","","us"
"0","17","bindrt_map_across(MapSquareParams)","(256, 1, 1)","175.10"
"1","17","bindrt_map_down(MapSquareParams)","(256, 1, 1)","47.20"
"2","17","bindrt_map_across(MapSquareParams)","(256, 1, 1)","1,175.30"
"3","17","bindrt_map_across(MapSquareParams)","(256, 1, 1)","175.30"
==PROF== Disconnected
"""


def test_what_nsight_compute_says() -> None:
    found = nsight.durations(NCU.splitlines())
    assert found == {"bindrt_map_across": pytest.approx(175.3e-6), "bindrt_map_down": pytest.approx(47.2e-6)}
    assert nsight.durations(["==ERROR== no counters"]) == {}
    with pytest.raises(ValueError, match="fortnights"):
        nsight.durations(NCU.replace('"us"', '"fortnights"').splitlines())


def test_nsights_times_stand_beside_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "ncu"
    program.write_text(f"#!/bin/sh\ncat <<'E'\n{NCU}E\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def gpu(rounds: int) -> Any:
        return np.zeros(1), {"rounds": np.ones(rounds), "kernels": {"bindrt_map_down": np.full(rounds, 5e-5)}}

    found = nsight.compare("depth", Case("depth", "maps", lambda: np.zeros(1), gpu, 0.0, 1))
    assert found["kernels"] == {"bindrt_map_down": {"nsight": pytest.approx(47.2e-6), "ours": 5e-5}}
    assert nsight.line(found).endswith("Nsight | ours: bindrt_map_down 47.2 | 50.0 µs")
    program.write_text("#!/bin/sh\necho 'ERR_NVGPUCTRPERM: no counters'\n")
    assert (
        "no counters"
        in nsight.compare("depth", Case("depth", "maps", lambda: np.zeros(1), gpu, 0, 1))["error"]
    )


def test_nsight_without_a_gpu(driver: str) -> None:
    status, said = bench(driver, "gpu-nsight")
    assert status == 2
    assert "the driver is simulated" in said


def test_the_first_rounds_are_not_counted() -> None:
    seconds = [9.0] * check.WARM_UP + [1.0, 2.0, 4.0]
    assert check.spread(seconds) == {"median": 2.0, "fastest": 1.0, "slowest": 4.0, "rounds": 3}
