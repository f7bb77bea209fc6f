"""One model's modalities: the vectors of every way in beside the module's own, then items a second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import numpy as np
import torch

import bindrt
from bench.pipeline.engine_input import engine_rows, repeated
from bench.torch_engine.engine import TorchEngine
from bench.torch_engine.items import on_device
from bindrt import _core
from bindrt.benchmark import scenarios
from bindrt.benchmark.distributions import latencies
from bindrt.benchmark.systems import ModelSystem
from bindrt.modalities import MODALITIES, for_encoder
from bindrt.preprocess.dispatch import prepare_views

#: The largest difference of two numbers of unit vectors: in another batch, sums come in another order.
TOLERANCES = {"fp32": 5e-6, "fp16": 5e-3, "bf16": 4e-2}
#: Full batches of items that are under way: on the GPU, being prepared, and handed to the caller.
BATCHES = 8
#: A batch is recorded the second time that its size comes, and launched the third.
TIMES = 3


def eager_vectors(engine: TorchEngine, modality: str, items: Sequence[Any], view: tuple[int, ...]) -> Any:
    """Unit vectors of the module called directly, an item at a time."""
    found = []
    for item in items:
        rows = for_encoder(prepare_views(modality, item).all(), view)
        with torch.inference_mode(), engine.on_own_stream():
            given = torch.from_numpy(np.ascontiguousarray(rows)).to(engine.torch_device)
            vectors = engine.eager(given).cpu().numpy()
        found.append(_core.pool_views(vectors, np.array([len(rows)]), normalize=True)[0])
    return np.stack(found)


def compare(model: bindrt.Model, engine: TorchEngine, modality: str, items: Sequence[Any]) -> dict[str, Any]:
    """The largest differences from the module's own vectors: by ``submit``, ``embed`` and from the device."""
    view = model.bundle.manifest.encoders[MODALITIES[modality].encoder].view
    want = eager_vectors(engine, modality, items, view)
    apart = {"submit": 0.0, "embed": 0.0}
    for _ in range(TIMES):
        futures = [model.submit(modality, item) for item in items]
        alone = np.stack([future.result(300) for future in futures])
        apart["submit"] = max(apart["submit"], difference(alone, want))
    apart["embed"] = difference(model.embed(**{modality: list(items)})[modality], want)
    given = [on_device(modality, item, engine.torch_device) for item in items]
    if given[0] is not None:
        apart["device input"] = difference(model.embed(**{modality: given})[modality], want)
    counts = model.stats()[modality]["pipeline"]
    return {"differences": apart, "graphs": counts.get("graphs")}


def difference(got: Any, want: Any) -> float:
    """Infinite where a number is not one."""
    apart = float(np.abs(np.asarray(got) - want).max())
    return apart if np.isfinite(apart) else float("inf")


def rates(
    model: bindrt.Model, engine: TorchEngine, modality: str, items: Sequence[Any], seconds: float
) -> dict[str, Any]:
    """Items a second: the engine alone, ``stream``, ``submit``, ``embed``; and how long one request takes.

    The engine alone is called as it is, and on a GPU also by a CUDA graph: ``share`` is of the faster one.
    """
    rows = engine_rows(model, modality, items[0])
    alone = {"engine": engine_rate(engine, rows, seconds)}
    if engine.torch_device.type == "cuda":
        alone["engine by a graph"] = engine_rate(engine, rows, seconds, by_graph=True)
    settle(model, modality, items, seconds)
    stream = stream_rate(model, modality, items, seconds)
    one = scenarios.single(ModelSystem(model), {modality: items}, [modality], seconds).latencies[modality]
    found = {
        **alone,
        "stream": stream,
        "share": stream / max(alone.values()),
        "submit": submit_rate(model, modality, items, seconds),
        "embed": embed_rate(model, modality, items, seconds),
        "one request": latencies(one),
    }
    given = [on_device(modality, item, engine.torch_device) for item in items]
    if given[0] is not None:
        found["device input"] = stream_rate(model, modality, given, seconds)
    return found


def settle(model: bindrt.Model, modality: str, items: Sequence[Any], seconds: float) -> None:
    """Until no graph is recorded any more, which takes far longer than to launch it."""
    before = -1
    for _ in range(8):
        stream_rate(model, modality, items, seconds)
        submit_rate(model, modality, items, seconds / 2)
        recorded = (model.stats()[modality]["pipeline"].get("graphs") or {}).get("recorded", 0)
        if recorded == before:
            return
        before = recorded


def engine_rate(engine: TorchEngine, rows: np.ndarray, seconds: float, by_graph: bool = False) -> float:
    """Items a second of full batches that are on the device; four of them are queued at once."""
    batch, items = repeated(rows, engine.max_batch)
    calls = 0
    with torch.inference_mode(), engine.on_own_stream():
        given = torch.from_numpy(batch).to(engine.torch_device)
        for _ in range(TIMES):
            engine.forward(given)
        finish(engine.torch_device)
        compute: Callable[[], Any] = partial(engine.forward, given)
        if by_graph:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=torch.cuda.current_stream(engine.torch_device)):
                compute()
            compute = graph.replay
            compute()
            finish(engine.torch_device)
        begin = perf_counter()
        while not calls or perf_counter() - begin < seconds:
            for _ in range(4):
                compute()
            finish(engine.torch_device)
            calls += 4
    return calls * items / (perf_counter() - begin)


def finish(device: torch.device) -> None:
    """Wait until the device has done what was queued."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def under_way(model: bindrt.Model, modality: str) -> int:
    return max(BATCHES * model.engine(modality).max_batch // MODALITIES[modality].views, BATCHES)


def stream_rate(model: bindrt.Model, modality: str, items: Sequence[Any], seconds: float) -> float:
    count, system = under_way(model, modality), ModelSystem(model)
    run = scenarios.offline(system, {modality: items}, [modality], seconds, in_flight=count)
    return run.items[modality] / run.seconds[modality]


def submit_rate(model: bindrt.Model, modality: str, items: Sequence[Any], seconds: float) -> float:
    """Items a second that one thread submits; it waits for the oldest where enough are in work."""
    most = under_way(model, modality)
    waiting: deque[Future[Any]] = deque()
    count, begin = 0, perf_counter()
    for item in cycle(items):
        if count >= most and perf_counter() - begin >= seconds:
            break
        if len(waiting) == most:
            waiting.popleft().result(300)
        waiting.append(model.submit(modality, item))
        count += 1
    for future in waiting:
        future.result(300)
    return count / (perf_counter() - begin)


def embed_rate(model: bindrt.Model, modality: str, items: Sequence[Any], seconds: float) -> float:
    """Items a second of calls with a list of eight full batches."""
    views = MODALITIES[modality].views
    count = max(8 * model.engine(modality).max_batch // views, len(items))
    given = list(islice(cycle(items), count))
    calls, begin = 0, perf_counter()
    while not calls or perf_counter() - begin < seconds:
        model.embed(**{modality: given})
        calls += 1
    return calls * count / (perf_counter() - begin)
