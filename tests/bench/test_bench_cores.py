"""`bench cores`: the lock sampler against planted holds, what follows from its numbers, and a whole run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.cores import chart, command, lock, run
from bench.cores.prediction import items_a_second, speedup

needs_compiler = pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
needs_lock = pytest.mark.skipif(not lock.has_lock(), reason="this interpreter has no lock")


@pytest.mark.deep  # it asks for a machine that has nothing else to do
@needs_compiler
@needs_lock
@pytest.mark.parametrize("held", [0.0, 0.2e-3, 1.6e-3])
def test_the_sampler_finds_what_was_planted(held: float) -> None:
    """An item holds the lock for a known part of 2 ms; a busy machine finds more, so once is enough."""

    def work() -> int:
        lock.spin(held, lock=True)
        lock.spin(2e-3 - held, lock=False)
        return 1

    for _ in range(8):
        found = lock.held(work, 0.8)
        assert found.seconds == pytest.approx(found.share * found.of)
        if abs(found.seconds - held) <= 0.15 * held + 0.02e-3 + 3 * found.error:
            return
    pytest.fail(f"planted {held}, found {found}")


def test_predictions_are_amdahls() -> None:
    assert speedup(0.0, 64) == 64
    assert speedup(1.0, 64) == 1
    assert items_a_second(1e-3, 1e-3, 16) == pytest.approx(1000)
    lock_of = {"prepare": {"seconds": 1e-4}, "submit": {"seconds": 2e-4}}
    found = run.predicted(lock_of, 1e-3)
    assert found["prepare"]["16"]["rate"] == pytest.approx(items_a_second(1e-4, 1e-3, 16))
    assert found["submit"]["16"]["rate"] == pytest.approx(items_a_second(2e-4, 1.1e-3, 16))
    assert found["submit"]["64"]["of_processes"] < found["submit"]["16"]["of_processes"] < 1
    assert run.predicted({"prepare": {}, "submit": {}}, 1e-3) == {}


@needs_compiler
def test_a_whole_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, plot = tmp_path / "cores.json", tmp_path / "cores.svg"
    options = ["--case", "imu", "text", "--threads", "2", "--seconds", "0.05", "--rounds", "1"]
    assert command.main([*options, "--json", str(out), "--plot", str(plot)]) == 0
    result: dict[str, Any] = json.loads(out.read_text("utf-8"))
    assert result["settings"]["counts"] == [1, 2]
    for case in result["cases"]:
        assert case["threads"].keys() == case["processes"].keys() == {"1", "2"}
        assert all(
            rate > 0 for way in ("threads", "processes") for rates in case[way].values() for rate in rates
        )
        assert case["lists"]["submit"]
        assert case["embed_of_submit"] > 0
        assert all(held["items"] > 0 for held in case["lock"].values()) or not lock.has_lock()
    said = capsys.readouterr().out
    assert "imu: float32 [6, 1000] at 200 Hz" in said
    assert "share of processes" in said
    assert plot.read_text("utf-8") == chart.draw(result)
    assert "predicted for submit" in plot.read_text("utf-8")
