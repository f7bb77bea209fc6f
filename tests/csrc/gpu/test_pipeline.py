"""The pipeline on a GPU, the machine's or the simulated one; the engine copies its input to its output."""

from __future__ import annotations

import ctypes
import queue
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bindrt import _core
from support import cpp

DIM = 64  # a row of 256 bytes, the alignment that engines ask for


def lane(max_batch: int) -> dict[str, Any]:
    return {
        "name": "rows",
        "dim": DIM,
        "dtype": np.dtype(np.float32),
        "view": (DIM,),
        "lengths": [],
        "tokens": 0,
        "max_batch": max_batch,
        "item_rows": 1,
        "queue": 1000,
        "in_flight": 10 * max_batch,
        "max_wait_us": 2000,
        "spin_us": 100,
    }


class Numbered:
    """Instead of a future; ``_made`` says that the core shall not set it, but deliver it."""

    _made = True
    request: Any = None

    def __init__(self, number: int) -> None:
        self.number = number


class Copying:
    """A pipeline whose engine returns its rows; vectors arrive in ``results`` as (number, error, vector)."""

    def __init__(self, gpu: Any, sets: int = 2, graphs: int = 8, max_batch: int = 4, lanes: int = 1) -> None:
        self.driver = ctypes.CDLL(gpu.driver()["path"])
        self.results: queue.Queue[tuple[int, Any, Any]] = queue.Queue()
        self.ran_alone = 0
        self.before: Callable[[tuple[int, ...]], None] = lambda shape: None
        device = {"device": 0, "enqueue": self.enqueue, "sets": sets, "graphs": graphs}
        workers = _core.Workers(2)
        described = [lane(max_batch) for _ in range(lanes)]
        self.core = _core.Pipeline(described, self.prepare, self.run, self.deliver, workers, device)

    def prepare(self, lane: int, item: np.ndarray, rows: _core.ItemRows) -> None:
        rows.reserve(len(item))[...] = item
        rows.weigh(list(range(1, len(item) + 1)))

    def run(self, lane: int, inputs: np.ndarray, out: np.ndarray) -> None:
        self.ran_alone += 1
        if (inputs == -7).any():
            raise ValueError("a seven")
        out[...] = inputs

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int, kept: bool) -> None:
        self.before(shape)
        copied = self.driver.cuMemcpyDtoDAsync_v2(
            ctypes.c_uint64(target), ctypes.c_uint64(source), ctypes.c_size_t(4 * DIM * shape[0]),
            ctypes.c_void_p(stream),
        )  # fmt: skip
        if copied:
            raise RuntimeError(f"the copy failed: {copied}")

    def deliver(self, found: list[tuple[Numbered, int, Any, Any]]) -> None:
        for future, _, error, vector in found:
            self.results.put((future.number, error, vector))

    def submit(self, items: list[np.ndarray], normalize: bool = False, lane: int = 0) -> dict[int, Any]:
        """Vectors, or errors, by number."""
        for number, item in enumerate(items):
            assert self.core.submit(Numbered(number), lane, item, normalize=normalize)
        found = [self.results.get(timeout=60) for _ in items]
        assert sorted(number for number, _, _ in found) == list(range(len(items)))
        return {number: vector if error is None else error for number, error, vector in found}


@pytest.fixture
def copying(gpu: Any) -> Iterator[Callable[..., Copying]]:
    made: list[Copying] = []

    def make(**options: int) -> Copying:
        made.append(Copying(gpu, **options))
        return made[-1]

    yield make
    for each in made:
        each.core.close(False)


def some(count: int, seed: int = 0) -> list[np.ndarray]:
    """Items of one row, and now and then of some."""
    random = np.random.default_rng(seed)
    sizes = np.where(random.random(count) < 0.2, random.integers(2, 4, count), 1)
    return [random.standard_normal((n, DIM)).astype(np.float32) for n in sizes]


def means(items: list[np.ndarray]) -> np.ndarray:
    return np.stack([np.average(i, axis=0, weights=range(1, len(i) + 1)) for i in items])


@pytest.mark.parametrize("graphs", [8, 0])
@pytest.mark.parametrize("sets", [1, 2])
def test_vectors(copying: Callable[..., Copying], sets: int, graphs: int) -> None:
    pipeline, items = copying(sets=sets, graphs=graphs), some(200)
    for normalize in (False, True):
        found = pipeline.submit(items, normalize)
        want = means(items)
        want = want / np.linalg.norm(want, axis=1, keepdims=True) if normalize else want
        np.testing.assert_allclose(np.stack([found[n] for n in range(len(items))]), want, atol=1e-5)
    assert pipeline.ran_alone == 0
    counts = pipeline.core.snapshot(0)["graphs"]
    assert (counts["launched"] > 0) is (graphs > 0)
    assert counts["refused"] == 0


def test_errors(copying: Callable[..., Copying]) -> None:
    pipeline, items = copying(), some(40)
    items[5][...] = items[21][...] = -7

    def fails(shape: tuple[int, ...]) -> None:
        raise ValueError("not now")

    pipeline.before = fails
    found = pipeline.submit(items)
    assert {n for n, v in found.items() if isinstance(v, ValueError)} == {5, 21}
    assert pipeline.ran_alone >= 20
    pipeline.before = lambda shape: None
    ran = pipeline.ran_alone
    good = pipeline.submit(some(20, seed=1))
    np.testing.assert_allclose(np.stack([good[n] for n in range(20)]), means(some(20, seed=1)), atol=1e-5)
    assert pipeline.ran_alone == ran


def test_out_of_memory(copying: Callable[..., Copying]) -> None:
    pipeline, items = copying(max_batch=8), some(60)

    def needs(shape: tuple[int, ...]) -> None:
        if shape[0] > 3:
            raise MemoryError

    pipeline.before = needs
    for _ in range(3):
        found = pipeline.submit(items)
        np.testing.assert_allclose(np.stack([found[n] for n in range(60)]), means(items), atol=1e-5)
    counts = pipeline.core.snapshot(0)
    assert counts["halvings"] >= 1
    assert counts["limit"] in (2, 3)
    assert counts["graphs"]["launched"] > 0  # fewer rows run on the device again


COLLECTING = """
import ctypes, gc
from bindrt import _core
from test_pipeline import Copying, some
gc.set_threshold(100_000)  # nothing but what is asked for here
class Garbage:
    def __init__(self):
        self.me, self.queue = self, _core.gpu.Queue(0)  # a cycle that holds memory of the GPU
        self.queue.take(64)
class Littering(Copying):
    recordings = 0
    def enqueue(self, shape, source, target, stream, kept):
        capturing = ctypes.c_int()
        self.driver.cuStreamIsCapturing(ctypes.c_void_p(stream), ctypes.byref(capturing))
        if capturing.value:
            self.recordings += 1
            gc.set_threshold(1)
            kept_alive = [[] for _ in range(1000)]  # makes the collector run, if it may
            gc.set_threshold(100_000)
        else:
            Garbage()
        super().enqueue(shape, source, target, stream, kept)
pipeline = Littering(_core.gpu)
for _ in range(6):
    pipeline.submit(some(1))
counts = pipeline.core.snapshot(0)["graphs"]
print(gc.isenabled(), pipeline.recordings > 0, counts["recorded"] > 0, counts["refused"])
pipeline.core.close(True)
"""


def said_by(program: str, driver: Path) -> str:
    """The last line of a program, which has a process and a simulated driver of its own."""
    done = cpp.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent,
        env={"BINDRT_LIBCUDA": str(driver), "PYTHONPATH": str(cpp.ROOT / "tests")},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()[-1]


def test_nothing_is_collected_while_a_graph_is_recorded(simulated_driver: Path) -> None:
    assert said_by(COLLECTING, simulated_driver) == "True True True 0"


def test_few_rows_are_filled_up_to_the_sizes_of_the_graphs(copying: Callable[..., Copying], gpu: Any) -> None:
    assert gpu.graph_rows(64) == [1, 2, 4, 8, 64]
    assert gpu.graph_rows(6) == [1, 2, 4, 6]
    assert gpu.graph_rows(1) == [1]
    assert gpu.graph_rows(32, 3) == [1, 2, 4, 8, 30]  # no batch of recordings has more
    assert gpu.graph_rows(8, 15) == [1, 2, 4, 8]
    pipeline = copying(sets=1, max_batch=6)
    seen: list[int] = []
    pipeline.before = lambda shape: seen.append(shape[0])
    one = some(1)[0][:1]
    for rows in (1, 2, 3, 4, 5, 6) * 3:
        item = np.repeat(one, rows, axis=0)
        np.testing.assert_allclose(pipeline.submit([item])[0], one[0], atol=1e-5)
    assert set(seen) == {1, 2, 4, 6}
    assert pipeline.core.snapshot(0)["graphs"] == {"recorded": 4, "refused": 0, "launched": 10}


def test_an_engine_that_is_slow_to_queue_gets_full_batches(copying: Callable[..., Copying], gpu: Any) -> None:
    """Once the device has timed a full graph. The simulated driver has no clock: they stay as they are."""
    pipeline = copying(sets=1, max_batch=32)
    seen: list[int] = []

    def slow(shape: tuple[int, ...]) -> None:
        seen.append(shape[0])
        time.sleep(0.02)

    pipeline.before = slow
    one = some(1)[0][:1]
    for rows in (32,) * 6 + (12,) * 4:
        np.testing.assert_allclose(pipeline.submit([np.repeat(one, rows, axis=0)])[0], one[0], atol=1e-5)
    counts = pipeline.core.snapshot(0)["graphs"]
    if gpu.driver()["simulated"]:
        assert seen == [32, 32, 32, 12, 12, 12, 12]  # once, and again to be recorded
        assert counts == {"recorded": 1, "refused": 0, "launched": 4}
    else:
        assert seen == [32, 32, 32, 12]
        assert counts == {"recorded": 1, "refused": 0, "launched": 7}


def test_lanes_of_the_same_rows_share_graphs(copying: Callable[..., Copying]) -> None:
    """As images and videos, which have the same network."""
    pipeline = copying(sets=1, lanes=2)
    for number in range(6):
        item = some(1, seed=number)[0][:1]
        np.testing.assert_allclose(pipeline.submit([item], lane=number % 2)[0], item[0], atol=1e-5)
    assert pipeline.core.snapshot(0)["graphs"] == {"recorded": 1, "refused": 0, "launched": 4}


PIECES = """
import numpy as np
from bindrt import _core
from test_pipeline import DIM, Copying, means
items = [np.random.default_rng(rows).random((rows, DIM), np.float32) for rows in (200, 150, 3)]
pipeline = Copying(_core.gpu)
found = pipeline.submit(items)
print(np.allclose(np.stack([found[n] for n in range(3)]), means(items)), pipeline.ran_alone)
pipeline.core.close(True)
"""


def test_a_batch_in_pieces_has_room_for_what_pooling_writes(simulated_driver: Path) -> None:
    """A vector for each row, of which an item has many; the simulated memory ends where it should."""
    assert said_by(PIECES, simulated_driver) == "True 0"


def test_what_does_not_fit_is_an_error(gpu: Any) -> None:
    device = {"device": 99, "enqueue": print, "sets": 2, "graphs": 0}
    with pytest.raises(gpu.DriverError, match="there is no GPU 99"):
        _core.Pipeline([lane(1)], print, print, print, _core.Workers(1), device)


LOST = """
import ctypes
from bindrt import _core
from test_pipeline import Copying, some
class Breaking(Copying):
    calls = 0
    def enqueue(self, shape, source, target, stream, kept):
        super().enqueue(shape, source, target, stream, kept)
        self.calls += 1
        if self.calls == 3:  # beyond the end of everything: what a wild kernel does
            far = ctypes.c_uint64(source + (1 << 40))
            self.driver.cuMemsetD8Async(far, 0, ctypes.c_size_t(64), ctypes.c_void_p(stream))
            if WHILE_QUEUED:  # the engine is the first to be refused, and says nothing of the GPU
                self.driver.cuStreamSynchronize(ctypes.c_void_p(stream))
                raise RuntimeError("the copy failed")
pipeline = Breaking(_core.gpu)
first = pipeline.submit(some(4))
found = [*pipeline.submit(some(100)).values(), *pipeline.submit(some(10)).values()]
said = [v for v in found if isinstance(v, str)]
print(len(found), all("lost to this process, which must be started anew" in v for v in said), len(said) > 50)
print(pipeline.ran_alone)
pipeline.core.close(True)
print("closed")
"""


@pytest.mark.parametrize(
    ("while_queued", "code"),
    [(False, 719), (True, 719), (False, 226)],
)
def test_a_lost_gpu_fails_every_request_and_hangs_nobody(
    simulated_driver: Path, while_queued: bool, code: int
) -> None:
    done = cpp.run(
        [sys.executable, "-c", f"WHILE_QUEUED = {while_queued}\n{LOST}"],
        cwd=Path(__file__).parent,
        env={
            "BINDRT_LIBCUDA": str(simulated_driver),
            "BINDRT_CUDASIM_DEVICE": f"lost={code}",
            "PYTHONPATH": str(cpp.ROOT / "tests"),
        },
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-3:] == ["110 True True", "0", "closed"], done.stdout
