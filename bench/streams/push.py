"""How long ``push`` takes while the model is busy: ``--part push``.

Each sensor is played in real time into a stream of its own. Beside it two threads embed items of the same
modality without a pause, so that its encoder always computes. Each call of ``push`` is timed.
``--scheduling batch normal`` compares the classes of the pipeline's threads, which take turns. Each turn is a
process of its own, since the threads of the engine native have the class of the first model that starts them.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import threading
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

import bindrt
from bench.streams.sensors import SENSORS, Sensor, ticks
from bindrt.benchmark.json_process import ask_once, open_replies
from bindrt.pipeline.options import SCHEDULING

SUMMARY = "microseconds of push while the model is busy"
ASKED = 200.0  # microseconds, of 99 pushes in a hundred
_AT_ONCE = 16  # items of a call


def add_options(parser: Any) -> None:
    parser.add_argument("--push-seconds", type=float, default=10.0, help="of each sensor (default 10)")
    parser.add_argument(
        "--scheduling",
        nargs="+",
        choices=SCHEDULING,
        default=["batch"],
        help="default: batch, as load has it",
    )


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a sensor."""
    found = []
    for number in range(len(SENSORS)):
        for name in options.scheduling:
            found.append(apart(number, name, options.push_seconds))
            print(line(found[-1]), flush=True)
    return {"asked_us": ASKED, "sensors": found}


def apart(number: int, scheduling: str, seconds: float) -> dict[str, Any]:
    """One sensor, by its number, measured in a process of its own."""
    request = {"number": number, "scheduling": scheduling, "seconds": seconds}
    return ask_once([sys.executable, "-m", "bench.streams.push"], request)


def main() -> int:
    """What :func:`apart` asks."""
    reply, request = open_replies(), json.loads(sys.stdin.readline())
    sensor, name = SENSORS[request["number"]], request["scheduling"]
    with bindrt.load("tiny", pipeline=bindrt.PipelineOptions(scheduling=name)) as model:
        found = measured(model, sensor, request["seconds"])
        engine = model.engine(sensor.modality).name
    about = {"modality": sensor.modality, "piece": sensor.what, "scheduling": name, "engine": engine}
    reply({**about, "process": "its own", **found})
    return 0


def measured(model: bindrt.Model, sensor: Sensor, seconds: float) -> dict[str, Any]:
    """Microseconds of each push, and in how many the thread lost its core."""
    times, lost = [], 0
    with (
        model.live(sensor.modality, hop=0.5, **sensor.options) as stream,
        _busy(model, sensor.modality) as done,
    ):  # type: ignore[call-overload]
        for number in ticks(sensor.every, seconds):
            data, time = sensor.piece(number)
            before = _lost_cores()
            start = perf_counter()
            stream.push(data, time)
            times.append(1e6 * (perf_counter() - start))
            lost += _lost_cores() > before
    p50, p99 = np.percentile(times, [50, 99])
    return {
        "pushes": len(times),
        "p50_us": float(p50),
        "p99_us": float(p99),
        "max_us": max(times),
        "lost_core": lost,
        "embedded": done[0],
    }


def _lost_cores() -> int:
    """How often this thread lost its core though it had work, so far."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


@contextlib.contextmanager
def _busy(model: bindrt.Model, modality: str) -> Iterator[list[int]]:
    """Keeps an encoder at work; counts the items."""
    item = _item(modality)
    ended, done = threading.Event(), [0]

    def embed() -> None:
        while not ended.is_set():
            model.embed(**{modality: [item] * _AT_ONCE})  # type: ignore[arg-type]
            done[0] += _AT_ONCE

    threads = [threading.Thread(target=embed) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _item(modality: str) -> Any:
    random = np.random.default_rng(1)
    if modality == "audio":
        return bindrt.Audio(random.normal(0, 0.1, 32000).astype(np.float32), rate=16000)
    if modality == "imu":
        return bindrt.Imu(random.normal(0, 1, (6, 2000)), rate=400)
    picture = random.integers(0, 256, (240, 320, 3), np.uint8)
    if modality == "video":
        return bindrt.Video([picture] * 10, fps=5)
    if modality == "image":
        return bindrt.Image(picture)
    frame = random.integers(500, 9000, (240, 320)).astype(np.uint16)
    return bindrt.Depth(frame, unit="mm") if modality == "depth" else bindrt.Thermal(frame, low=0, high=9000)


def line(found: dict[str, Any]) -> str:
    return (
        f"push, {found['modality']:<7} {found['piece']}, {found['scheduling']}, {found['engine']}, "
        f"in {found['process']} process: p50 {found['p50_us']:.0f}, "
        f"p99 {found['p99_us']:.0f}, most {found['max_us']:.0f} µs of {found['pushes']} pushes, "
        f"{found['lost_core']} of which lost their core; {found['embedded']} items embedded beside them"
    )


if __name__ == "__main__":
    sys.exit(main())
