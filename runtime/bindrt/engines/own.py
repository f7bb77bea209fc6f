"""Engines of the user's own: checked when a model is loaded, and watched while they run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.engines.devices import cuda_index
from bindrt.engines.protocols import Engine, GpuEngine
from bindrt.engines.spec import one_line
from bindrt.errors import EngineError, Error, OptionError

MOST_ROWS = 1 << 16
#: The bits of a NaN that no computation gives.
_UNWRITTEN = np.uint32(0x7FC0B1BD)
_EXAMPLE = 'for example engines={"vision": mine}; docs/engines.md shows what `mine` needs'


def own_engines(given: object, encoders: Collection[str], precisions: Sequence[str]) -> dict[str, Engine]:
    """What ``load(engines=…)`` was given, checked and watched.

    Args:
        given: encoder → engine, or None.
        encoders: those that the model uses.
        precisions: those that the model may compute in.

    Raises:
        OptionError: an encoder that the model does not use, or an engine that lacks something.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise OptionError("engines", f"a {type(given).__name__}, not a dict", _EXAMPLE)
    for encoder in given:
        if encoder not in encoders:
            raise OptionError(
                f"engines: {encoder!r}"[:80],
                "not an encoder of this model",
                f"it has {', '.join(sorted(encoders))}",
            )
    return {encoder: watched(encoder, engine, precisions) for encoder, engine in given.items()}


def watched(encoder: str, engine: Any, precisions: Sequence[str]) -> Engine:
    """The engine, whose faults are named as ours are."""
    where = f"engines[{encoder!r}]"
    for name in ("name", "device", "precision"):
        value = getattr(engine, name, None)
        if not isinstance(value, str) or not value:
            raise OptionError(
                where, f"its {name} is {shown(value)}", f"{name} must be a str that is not empty"
            )
    most = getattr(engine, "max_batch", None)
    if type(most) is bool or not isinstance(most, (int, np.integer)) or not 1 <= most <= MOST_ROWS:
        raise OptionError(
            where, f"its max_batch is {shown(most)}", f"max_batch must be a whole number, 1 to {MOST_ROWS}"
        )
    if not is_threads(getattr(engine, "threads", 0)):
        raise OptionError(
            where, f"its threads is {shown(engine.threads)}", "threads must be a whole number, 0 to 1024"
        )
    for name in ("run", "enqueue"):
        if (name == "run" or hasattr(engine, name)) and not callable(getattr(engine, name, None)):
            raise OptionError(
                where, f"its {name} is {shown(getattr(engine, name, None))}", f"{name} must be a method"
            )
    if engine.precision not in precisions:
        ours = " or ".join(precisions)
        raise OptionError(
            where,
            f"it computes in {engine.precision}, the model in {ours}",
            f"load with precision={engine.precision!r}, or give an engine of {ours}",
        )
    if cuda_index(engine.device) is not None and hasattr(engine, "enqueue"):
        return WatchedGpuEngine(encoder, engine)
    return WatchedEngine(encoder, engine)


def is_threads(value: object) -> bool:
    return type(value) is not bool and isinstance(value, (int, np.integer)) and 0 <= int(value) <= 1024


def shown(value: object) -> str:
    return "missing" if value is None else repr(value)[:60]


class WatchedEngine:
    """An engine of the user's own: what it raises becomes an ``EngineError``, and it must write its rows."""

    def __init__(self, encoder: str, engine: Engine) -> None:
        self.name = engine.name
        self.device = engine.device
        self.precision = engine.precision
        self.max_batch = int(engine.max_batch)
        self.threads = int(getattr(engine, "threads", 0))
        self._where = f"engine {engine.name!r} for {encoder}"
        self._run = engine.run

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        # `out` is memory that held other items' vectors: rows left as they are must not pass for these.
        marks = out.view(np.uint32)[:, 0]
        marks[...] = _UNWRITTEN
        try:
            returned: object = self._run(inputs, out)
        except Exception as error:
            raise self._failed(error, inputs.shape) from error
        if (marks == _UNWRITTEN).any():
            also = "" if returned is None else ", but returned something"
            raise EngineError(
                f"{self._where}, batch {list(inputs.shape)}",
                f"run did not write every row{also}",
                "it must write its vectors into out, for example out[...] = vectors",
            )

    def _failed(self, error: Exception, shape: tuple[int, ...]) -> Error:
        if isinstance(error, Error):
            return error
        # The pipeline tries smaller batches when an engine says that it is out of memory. Each library has a
        # class of its own for it, of which all have this name: torch, CuPy, JAX.
        is_memory = isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__
        what = "out of memory" if is_memory else type(error).__name__
        return EngineError(f"{self._where}, batch {list(shape)}", f"it failed ({what}: {one_line(error)})")


class WatchedGpuEngine(WatchedEngine):
    """As ``WatchedEngine``, for one that can queue work on a stream; what it writes is not looked at."""

    def __init__(self, encoder: str, engine: GpuEngine) -> None:
        super().__init__(encoder, engine)
        self._enqueue = engine.enqueue
        self._for_graph = getattr(engine, "enqueue_for_graph", engine.enqueue)
        self.records_graphs = bool(getattr(engine, "records_graphs", False))
        self.device_bytes = int(getattr(engine, "device_bytes", 0))
        self.input_dtype = getattr(engine, "input_dtype", "float32")

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        try:
            self._enqueue(shape, source, target, stream)
        except Exception as error:
            raise self._failed(error, shape) from error

    def enqueue_for_graph(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        try:
            self._for_graph(shape, source, target, stream)
        except Exception as error:
            raise self._failed(error, shape) from error
