"""The parts of ``bench streams`` that measure live streams, for moments; and the chart of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import bindrt
from bench.streams import chart, command, latency, many_worker, mel, push, start
from bench.streams.sensors import SENSORS, ticks


@pytest.mark.parametrize(
    ("rate", "window", "hop", "frames"), [(48000, 2.0, 0.1, 198), (16000, 3.0, 0.1, 298)]
)
def test_mel(rate: int, window: float, hop: float, frames: int) -> None:
    found = mel.measured(rate, window, hop, windows=20, turns=1)
    assert found["frames"]["apart"] == frames
    assert found["of_frames"] <= 1 / 15
    assert "frames" in mel.line(found)
    assert found["processor_seconds"]["apart"] > 0


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda sensor: f"{sensor.modality}, {sensor.what}")
def test_each_sensor_gives_windows(sensor: Any) -> None:
    with bindrt.load("tiny") as model:
        with model.live(sensor.modality, hop=1.0, policy="all", queue=999, **sensor.options) as stream:
            for number in range(round((sensor.window + 0.2) / sensor.every) + 1):
                stream.push(*sensor.piece(number))
        found = list(stream)
    assert found
    assert all(window.error is None for window in found)


def test_push_and_latency() -> None:
    sensor = SENSORS[2]
    with bindrt.load("tiny") as model:
        found = push.measured(model, sensor, 0.3)
        assert found["pushes"] == 12
        assert 0 < found["p50_us"] <= found["p99_us"] <= found["max_us"]
        image = next(each for each in SENSORS if each.modality == "thermal")
        told = latency.measured(model, image, 0.5)
    assert told["windows"] + told["dropped"] > 0
    assert 0 < told["p50_ms"] <= told["p99_ms"] <= told["max_ms"]


def test_push_in_a_process_of_its_own() -> None:
    found = push.apart(2, "normal", 0.1)
    assert (found["pushes"], found["modality"], found["scheduling"]) == (4, "imu", "normal")
    assert "normal, " in push.line(found)
    assert "in its own process" in push.line(found)


def test_many() -> None:
    found = many_worker.played(seconds=2.1, imu=2, audio=1, samples=10)
    assert found["expected"] == found["delivered"] == 1
    assert found["dropped"] == found["refused"] == 0


def test_ticks() -> None:
    assert list(ticks(0.001, 0.01)) == [*range(10)]


def test_the_command(tmp_path: Path) -> None:
    out, plot = tmp_path / "streams.json", tmp_path / "streams.svg"
    options = ["--part", "mel", "--windows", "5", "--mel-turns", "1", "--json", str(out), "--plot", str(plot)]
    assert command.main(options) == 0
    assert len(json.loads(out.read_text("utf-8"))["mel"]["cases"]) == len(mel.CASES)
    assert ElementTree.fromstring(plot.read_text("utf-8")).tag.endswith("svg")


def test_the_chart_of_all_parts() -> None:
    sensor = {"modality": "imu", "piece": "one sample"}
    events = dict.fromkeys(("precision", "recall"), 0.95)
    account = {"expected": 10, "unaccounted": 0}
    result = {
        "machine": {"cpu": "A processor", "cores": 2, "load_before": 0.5},
        "windows": {"m4a": {"hours": 3.0, "of_decode_speed": 0.95}},
        "events": {"audio": events, "imu": events},
        "mel": {"asked": 1 / 15, "cases": [mel.measured(16000, 2.0, 0.5, 2, 1)]},
        "many": {
            "runs": [
                {"imu": 32, "audio": 4, "samples": 1, "busy": 0.4, "dropped": 0, "refused": 0, "expected": 9}
            ]
        },
        "push": {"sensors": [{**sensor, "p50_us": 9.0, "p99_us": 30.0}]},
        "latency": {"sensors": [{**sensor, "p50_ms": 2.0, "p99_ms": 4.0}]},
        "start": {
            "vector_asked": 0.5,
            "modalities": {"imu": {"import": {"seconds": 0.1}, "vector": {"seconds": 0.2}}},
        },
        "day": {
            "simulated_hours": 2.0,
            "memory": {"series": [[0.0, 100.0], [1.0, 101.0]]},
            "sensors": {"audio": account},
        },
    }
    drawn = chart.draw(result)
    root = ElementTree.fromstring(drawn)
    texts = " ".join(node.text or "" for node in root.iter() if node.tag.endswith("text"))
    for told in (
        "m4a, 3 h",
        "audio, recall",
        "processor time",
        "32 imu",
        "imu, one sample",
        "imu, first vector",
        "0 unaccounted",
    ):
        assert told in texts, told
    assert set(chart.PANELS) == set(command.PARTS)
    numbers = [float(n) for node in root.iter() for key in ("x", "y", "width") if (n := node.get(key))]
    assert np.isfinite(numbers).all()


def test_start() -> None:
    found = start.measured("imu", 1)
    assert 0 < found["import"]["seconds"] < found["vector"]["seconds"]
    assert "import" in start.line("imu", found)
