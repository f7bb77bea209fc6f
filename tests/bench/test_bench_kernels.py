"""The kernels bench itself: processes, turns, sums and the chart; no library is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from bench.kernels import alternative, chart, command, media, report, run
from bench.kernels.cases import CASES, Case, chosen
from bench.kernels.libraries import constants
from bench.kernels.worker_process import WorkerError, WorkerProcess
from bindrt import _core

SIDE = "tests.support.bench_side"
EFFORT = run.Effort(rounds=2, seconds=0.005)
LIMITS = {"copy_bytes_per_second": 1e9, "float_operations_per_second": 1e9}


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    started = WorkerProcess(Path(sys.executable), SIDE, 1)
    yield started
    started.close()


@pytest.fixture
def numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A case whose input is ``[1, 2, 3]``."""
    monkeypatch.setattr(run, "RESULTS", tmp_path)
    monkeypatch.setattr(media, "FOLDER", tmp_path)
    np.save(tmp_path / "numbers.npy", np.array([1.0, 2.0, 3.0]))
    return Case("sum-of-3", "sum of 3", "sum", "op", {"path": "numbers.npy"}, goal=1.5, flops=2e3)


def test_worker_prepares_and_times(worker: WorkerProcess, tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", np.arange(4.0))
    assert worker.packages == {"numpy": np.__version__}
    assert {offer["name"] for offer in worker.alternatives} == {"quick", "slow", "broken", "nothing", "count"}
    request = {"op": "sum", "inputs": {"path": str(tmp_path / "in.npy")}}
    found = worker.ask("prepare", name="slow", out=str(tmp_path / "out.npy"), **request)
    assert found["has_result"]
    assert found["seconds"] > 0.002
    assert np.load(tmp_path / "out.npy").tolist() == [6.25]
    timed = worker.ask("time", name="slow", calls=5)
    seconds = timed["seconds"]
    assert 0 < timed["cpu_seconds"] < sum(seconds)  # it sleeps
    assert len(seconds) == 5
    assert all(s > 0.002 for s in seconds)
    with pytest.raises(WorkerError, match=r"RuntimeError: no such device$"):
        worker.ask("prepare", name="broken", out="", **request)
    worker.ask("forget")
    with pytest.raises(WorkerError, match="KeyError"):
        worker.ask("time", name="slow", calls=1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_worker_keeps_to_its_threads(worker: WorkerProcess, tmp_path: Path) -> None:
    worker.ask("prepare", op="cores", name="count", inputs={}, out=str(tmp_path / "out.npy"))
    assert np.load(tmp_path / "out.npy").tolist() == [1, 1, 1]


def test_worker_options_name_the_alternatives() -> None:
    started = WorkerProcess(Path(sys.executable), SIDE, 1, {"level": "avx2"})
    assert "quick (avx2)" in {offer["name"] for offer in started.alternatives}
    started.close()


@pytest.mark.parametrize(
    ("module", "options", "problem"),
    [
        ("tests.support.no_such_side", None, "ModuleNotFoundError"),
        (SIDE, {"unknown": 1}, "TypeError"),
    ],
)
def test_side_that_does_not_start(module: str, options: Any, problem: str) -> None:
    with pytest.raises(WorkerError, match=problem):
        WorkerProcess(Path(sys.executable), module, 1, options)


def test_case_is_compared_and_summed_up(worker: WorkerProcess, numbers: Case) -> None:
    found = run.measure_case(numbers, [worker], EFFORT, LIMITS)
    by_name = {entry["name"]: entry for entry in found["alternatives"]}
    assert set(by_name) == {"quick", "slow", "nothing"}
    assert by_name["slow"]["seconds"]["calls"] in (2, 4)  # one or two a round, as long as they take
    assert by_name["slow"]["largest_difference_to_bindrt"] == 0.25
    assert by_name["nothing"]["largest_difference_to_bindrt"] is None
    assert found["problems"] == [{"name": "broken", "problem": "RuntimeError: no such device"}]
    slow, quick = (by_name[name]["seconds"]["median"] for name in ("slow", "quick"))
    assert found["ratio_to_original"] == pytest.approx(slow / quick)
    assert found["ratio_to_original"] > 1.5
    assert found["goal_met"]
    assert [limit["name"] for limit in found["limits"]] == [
        "nothing",
        "arithmetic at the matrix product's rate",
    ]
    assert found["limits"][1]["seconds"] == pytest.approx(2e-6)
    assert 0 < report.undisturbed([found]) < 1  # it sleeps


def test_alternatives_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Recorder:
        def ask(self, do: str, name: str, calls: int, warm: bool) -> dict[str, Any]:
            asked.append(name)
            return {"seconds": [1.0] * calls, "cpu_seconds": 0.5}

    entries = [run.Entry(Recorder(), {"name": name}, calls=2) for name in "abc"]  # type: ignore[arg-type]
    run.interleave(entries, run.Effort(rounds=2, seconds=0))
    assert asked == list("abcabc")
    assert [len(entry.seconds) for entry in entries] == [4, 4, 4]


def test_cases_have_inputs_and_ours() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case.inputs.values()) <= set(media.MAKERS)
    from bench.kernels.libraries import ours

    assert ours.PACKAGES
    offered = {found.op for found in alternative.REGISTRY if found.role == "ours"}
    assert {case.op for case in CASES} <= offered


def test_the_libraries_have_our_numbers() -> None:
    """Their environments cannot import bindrt, so the numbers stand there once more."""
    ours = _core.constants()
    image, mel, depth = ours["image"], ours["mel"], ours["depth"]
    assert (
        image["side"],
        tuple(image["mean"]),
        tuple(image["std"]),
    ) == (constants.SIDE, constants.MEAN, constants.STD)
    mel_numbers = (constants.MEL_MEAN, constants.MEL_STD, constants.MEL_FRAMES)
    assert mel_numbers == (mel["mean"], mel["std"], mel["frames"])
    assert (depth["focal"], depth["baseline"]) == (constants.FOCAL, constants.BASELINE)
    assert (depth["mean"], depth["std"]) == (constants.DISPARITY_MEAN, constants.DISPARITY_STD)


def test_chosen_cases() -> None:
    assert chosen([]) == list(CASES)
    assert [case.name for case in chosen(["image-file-1", "mel"])] == ["image-file-1080p", "mel"]
    assert command.main(["--only", "no-such-case"]) == 2


def charted(**changes: Any) -> dict[str, Any]:
    case = {
        "title": "A & B < C",
        "kind": "file",
        "threads": 2,
        "ratio_to_original": 4.0,
        "ratio_to_best_library": 2.0,
        "best_library": "<fast>",
        **changes,
    }
    return {"machine": {"cpu": "CPU & Co"}, "settings": {"cpu_level": "avx2"}, "cases": [case]}


def test_chart_shows_ratio_library_and_names() -> None:
    root = ElementTree.fromstring(chart.draw(charted()))
    space = {"s": "http://www.w3.org/2000/svg"}
    texts = ["".join(element.itertext()) for element in root.iterfind(".//s:text", space)]
    assert "A & B < C · 2 threads" in texts
    assert "4.0×" in texts
    assert any("CPU & Co, avx2" in text for text in texts)
    (bar,) = root.iterfind(".//s:rect[@class='bar']", space)
    (ring,) = root.iterfind(".//s:circle", space)
    assert "<fast> 2.0×" in texts
    # Logarithmic: twice is half of the way to four times.
    begin, width = float(bar.attrib["x"]), float(bar.attrib["width"])
    assert float(ring.attrib["cx"]) == pytest.approx(begin + width / 2, abs=0.2)
    assert "prefers-color-scheme: dark" in "".join(root.itertext())


def test_chart_of_slower_and_unknown_cases() -> None:
    slower = charted(ratio_to_original=0.01)
    root = ElementTree.fromstring(chart.draw(slower))
    bars = root.findall(".//{http://www.w3.org/2000/svg}rect[@class='bar']")
    assert [float(bar.attrib["width"]) > 0 for bar in bars] == [True]
    unknown = charted()
    del unknown["cases"][0]["ratio_to_original"]
    root = ElementTree.fromstring(chart.draw(unknown))
    assert not root.findall(".//{http://www.w3.org/2000/svg}rect[@class='bar']")
