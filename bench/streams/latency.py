"""From the last sample of a window to its vector: ``--part latency``.

Each sensor is played in real time into a stream of its own, with bind-tiny. Time runs from the call of
``push`` that completes a window until its vector is there; ``staleness`` of a result is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import bindrt
from bench.streams.sensors import SENSORS, Sensor, ticks

SUMMARY = "milliseconds from the last sample of a window to its vector"
HOP = 0.1  # seconds


def add_options(parser: Any) -> None:
    parser.add_argument("--latency-seconds", type=float, default=20.0, help="of each sensor (default 20)")


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a sensor."""
    found = []
    with bindrt.load("tiny") as model:
        model.warm_up()
        for sensor in SENSORS:
            each = measured(model, sensor, options.latency_seconds)
            found.append({"modality": sensor.modality, "piece": sensor.what, **each})
            print(line(found[-1]), flush=True)
    return {"hop": HOP, "sensors": found}


def measured(model: bindrt.Model, sensor: Sensor, seconds: float) -> dict[str, Any]:
    """Milliseconds of each window."""
    times: list[float] = []
    stream = model.live(  # type: ignore[call-overload]
        sensor.modality,
        hop=HOP,
        on_result=lambda window: times.append(1e3 * window.staleness),
        **sensor.options,
    )
    with stream:
        for number in ticks(sensor.every, sensor.window + seconds):
            stream.push(*sensor.piece(number))
    p50, p99 = np.percentile(times, [50, 99])
    dropped = int(stream.dropped)
    return {
        "windows": len(times),
        "dropped": dropped,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "max_ms": max(times),
    }


def line(found: dict[str, Any]) -> str:
    return (
        f"latency, {found['modality']:<7} {found['piece']}: p50 {found['p50_ms']:.2f}, p99 "
        f"{found['p99_ms']:.2f}, most {found['max_ms']:.2f} ms of {found['windows']} windows, "
        f"{found['dropped']} dropped"
    )
