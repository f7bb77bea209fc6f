"""When an engine counts as stopped, by a clock that the test turns."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bindrt.serving.pulse import DECODING, INTERVAL, Pulse

COUNTS = (
    "done", "failed", "cancelled", "expired", "closed", "batches", "rows", "preparing", "rows_in_flight",
    "rows_in_engine", "device_lost",
)  # fmt: skip


class World:
    """Counts of pipelines, and the pulse that looks at them."""

    def __init__(self, row_seconds: Mapping[str, float] | None = None) -> None:
        self.now = 100.0
        self.stats: dict[str, dict[str, Any]] = {}
        pipelines = SimpleNamespace(stats=lambda: self.stats, row_seconds=dict(row_seconds or {}))
        model: Any = SimpleNamespace(pipelines=pipelines)
        self.pulse = Pulse(model, lambda: self.now, 2)

    def set(self, modality: str, **counts: int) -> None:
        engine = {"count": 0, "sum": 0.0}
        found = self.stats.setdefault(modality, {**dict.fromkeys(COUNTS, 0), "seconds": {"engine": engine}})
        found.update(counts)

    def call(self, modality: str, rows: int, seconds: float) -> None:
        """A call of the engine, from its begin to its end."""
        self.set(modality, rows_in_flight=rows, rows_in_engine=rows)
        self.pulse.look()
        self.now += seconds
        of = self.stats[modality]
        of["seconds"]["engine"] = {
            "count": of["seconds"]["engine"]["count"] + 1,
            "sum": of["seconds"]["engine"]["sum"] + seconds,
        }
        self.set(modality, rows_in_flight=0, rows_in_engine=0, batches=of["batches"] + 1)
        self.set(modality, rows=of["rows"] + rows, done=of["done"] + rows)
        self.pulse.look()

    def after(self, seconds: float) -> str:
        """The problem then, as the looks up to then see it."""
        end = self.now + seconds
        while self.now < end and not self.pulse.problem:
            self.pulse.look()
            self.now += INTERVAL
        self.now = end
        return self.pulse.problem


@pytest.fixture
def world() -> World:
    return World({"vision": 2.0, "text": 0.001})


def test_a_fast_engine_that_stops_is_seen_within_a_second(world: World) -> None:
    for _ in range(20):
        world.call("text", 64, 0.01)
    world.set("text", rows_in_flight=3, rows_in_engine=3)
    assert world.after(0.5) == ""
    assert world.after(0.5) == "the engine of text does not go on"


def test_requests_that_come_and_files_that_fail_are_no_progress(world: World) -> None:
    """Nor does it matter that something is being decoded meanwhile."""
    world.set("text", rows_in_flight=3, rows_in_engine=3, preparing=1)
    for failed in range(5):
        world.set("text", failed=failed)
        world.after(0.2)
    assert world.pulse.problem


def test_a_slow_engine_may_take_its_time_from_the_first_call_on(world: World) -> None:
    """2 s a row: eight rows take 16 s, and on a machine that does other things more."""
    world.set("image", rows_in_flight=8, rows_in_engine=8)
    assert world.after(50) == ""
    assert world.after(20) == "the engine of image does not go on"


def test_more_rows_may_take_more_than_any_call_so_far(world: World) -> None:
    for _ in range(3):
        world.call("image", 1, 1.5)
    world.set("image", rows_in_flight=8, rows_in_engine=8)
    assert world.after(40) == ""
    assert world.after(10)


def test_engines_that_share_the_cores_may_take_longer() -> None:
    world = World({"vision": 1.0, "audio": 1.0, "depth": 1.0, "thermal": 1.0})
    for modality in ("image", "audio", "depth", "thermal"):
        world.set(modality, rows_in_flight=1, rows_in_engine=1)
    assert world.after(7) == ""
    assert world.after(2)


def test_one_slow_call_is_forgotten(world: World) -> None:
    world.call("text", 1, 2.0)
    for _ in range(40):
        world.call("text", 1, 0.01)
    world.set("text", rows_in_flight=1, rows_in_engine=1)
    assert world.after(1)


def test_a_modality_that_waits_for_the_other_of_its_engine(world: World) -> None:
    world.set("video", rows_in_flight=30)
    for _ in range(5):
        world.call("image", 1, 2.0)
        assert world.pulse.problem == ""


def test_rows_that_no_engine_takes(world: World) -> None:
    world.set("text", rows_in_flight=1)
    assert world.after(0.5) == ""
    assert world.after(0.5)


def test_a_lost_gpu_is_seen_at_once(world: World) -> None:
    world.set("image", device_lost=1)
    world.set("video", device_lost=1)
    world.pulse.look()
    assert world.pulse.problem == "the GPU of image and video is lost"


def test_files_that_are_decoded_for_ever(world: World) -> None:
    world.set("video", preparing=1, rows_in_flight=15)
    assert world.after(2 * DECODING) == "", "the other thread goes on"
    world.set("audio", preparing=1, rows_in_flight=3)
    assert world.after(DECODING - 1) == ""
    assert world.after(2) == "no file that is being decoded comes to its end"
    world.set("audio", preparing=0, rows_in_flight=0, done=1)
    world.pulse.look()
    assert world.pulse.problem == ""
