"""What ``python -m bench triton`` tells of what it measured."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.triton import client, packages, sweep
from bench.triton.tables import MANY, ONE, kept, section
from bench.triton.work import Work


def case(rate: float) -> dict[str, Any]:
    spent = {"server": 0.5, "text_prepare": 0.25, "text_encoder": 1.0}
    return {"rate": rate, "cpu_ms_per_item": spent}


def test_the_share_that_eight_processes_keep() -> None:
    served = {name: {"text": {"1": case(rate), "16": case(10 * rate)}} for name, rate in
              (("model", 300.0), (ONE, 200.0), (MANY, 190.0))}  # fmt: skip
    assert kept(served) == {"text": {"1": 0.95, "16": 0.95}}
    machine = {"cpu": "a cpu", "cores": 2}
    lines = section({"machine": machine, "here": {"text": 5000.0}, "served": served, "kept": kept(served)})
    assert "| eight processes against one | 0.95 | 0.95 |" in lines
    assert "| ensemble | encoder 1, server 0.5, prepare 0.25 | encoder 1, server 0.5, prepare 0.25 |" in lines


def test_a_sweep_asks_with_each_number_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(job: dict[str, Any]) -> dict[str, Any]:
        latencies = [0.001 * job["concurrency"]] * 99 + [0.1]
        return {"requests": 100, "seconds": job["seconds"], "latencies": latencies, "share": 0.25}

    monkeypatch.setattr(client, "run", run)
    found = sweep.sweep("127.0.0.1:1", "text", tmp_path / "item", [1, 8], 2.0)
    assert [(one["concurrency"], one["rate"], round(one["p50"], 3)) for one in found] == [
        (1, 50.0, 1.0),
        (8, 50.0, 8.0),
    ]
    sweep.report({"model": {"text": found}})
    said = "model, text, 8 under way: 50/s, p50 8.0 ms, p99 8.9 ms, the client took 0.25 of a core"
    assert said in capsys.readouterr().out


def test_work_of_each_item() -> None:
    before = Work()
    before.seconds.update({"server": 1.0})
    after = Work()
    after.seconds.update({"server": 2.0, "pool": 0.5})
    after.calls.update({"pool": 5})
    assert (after - before).of(10) == {
        "cpu_ms_per_item": {"pool": 50.0, "server": 100.0},
        "calls_per_item": {"pool": 0.5},
    }


def test_a_server_that_cannot_be_had_is_a_reason_and_leaves_nothing(tmp_path: Path) -> None:
    problem = packages.install(tmp_path / "triton", ("./none-0-py3-none-any.whl",))
    assert problem.startswith("pip cannot bring ./none-0-py3-none-any.whl: ERROR")
    assert os.listdir(tmp_path) == ["triton.lock"]


def test_a_server_is_brought_once_over_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def pip(site: Path, wanted: tuple[str, ...]) -> str:
        (site / "numpy.py").write_text("__version__ = '1.26.4'")
        asked.append(wanted)
        return ""

    monkeypatch.setattr(packages, "_pip", pip)
    for _ in range(2):
        assert packages.install(tmp_path / "triton", ("a==1",)) == ""
    assert asked == [("a==1",)]
    command = [
        tmp_path / "triton" / "bin" / "python",
        "-c",
        "import bindrt_export, numpy; print(numpy.__version__)",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "1.26.4\n", "its own packages first, then those that are here"
