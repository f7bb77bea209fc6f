"""The targets of tests/fuzz for some seconds each: random damage, and Atheris where it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from support.cpp import ROOT

RUN = ROOT / "tests" / "fuzz" / "run.py"
TARGETS = ("image", "image_options", "video", "audio", "depth", "thermal", "imu", "numpy", "detect",
           "manifest", "graph")  # fmt: skip
SECONDS = 15
DRIVERS = ("random", "atheris")


def fuzz(name: str, driver: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUN), name, "--driver", driver, "--folder", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 120, check=False)


def skip_without(driver: str) -> None:
    if driver == "atheris" and importlib.util.find_spec("atheris") is None:
        pytest.skip("Atheris is not installed: pip install atheris")


@pytest.mark.deep
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", TARGETS)
def test_no_input_is_at_fault(name: str, driver: str, tmp_path: Path) -> None:
    skip_without(driver)
    done = fuzz(name, driver, tmp_path, "--seconds", str(SECONDS))
    said = (done.stdout + done.stderr).splitlines()
    print(f"\n{name}: {next(x for x in said if ' inputs in ' in x or x.startswith('Done '))}")
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert [p.name for p in tmp_path.iterdir() if p.name != "corpus"] == []


@pytest.mark.deep
@pytest.mark.parametrize("driver", DRIVERS)
def test_planted_faults_are_found(driver: str, tmp_path: Path) -> None:
    skip_without(driver)
    done = fuzz(
        "planted", driver, tmp_path, "--seconds", "20", "--runs", "200" if driver == "random" else "20000"
    )
    assert done.returncode != 0
    kept = {p.name.split("-")[0]: p for p in tmp_path.iterdir() if p.is_file()}
    if driver == "random":
        assert kept["died"].read_bytes()[:1] == b"!"
        assert kept["wrong"].read_bytes()[:1] == b"?"
        again = fuzz("planted", driver, tmp_path, "--input", str(kept["wrong"]))
        assert "ValueError: planted" in again.stderr
    else:
        assert kept["crash"].read_bytes()[:1] in (b"!", b"?")
