"""Execution contexts of a TensorRT plan, their device memory, and kernels that TensorRT-RTX compiles."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bindrt import _core
from bindrt.cache import cache_folder, keep, read_kept
from bindrt.engines.spec import EngineSettings, EngineSpec
from bindrt.errors import EngineError, OptionError

#: A context that is never changed: the shape and the two addresses that it was made for.
Use = tuple[tuple[int, ...], int, int]


class Contexts:
    """Contexts whose work is on one stream, or each after the one before; so they share their device memory.

    ``changing`` has one for each profile, for any shape. ``fixed`` has one for a shape and two addresses,
    which never change: a CUDA graph holds what a context launches, and a context may launch something else,
    or free what it launched, once its shape or an address changes.
    """

    def __init__(
        self, trt: Any, engine: Any, config: RuntimeConfig, device: int, fail: Callable[[str], EngineError]
    ) -> None:
        """``fail`` makes the error of what could not be done; it must not refer to who has this object."""
        # Attributes end in this order: contexts before the memory that they were given.
        self._changing: dict[int, Any] = {}
        self._fixed: dict[Use, Any] = {}
        self._user_managed = trt.ExecutionContextAllocationStrategy.USER_MANAGED
        self._engine = engine
        self._config = config
        self._fail = fail
        self._queue = _core.gpu.Queue(device)  # holds the memory
        self._memory = 0
        self._asked: Counter[Use] = Counter()
        #: Bytes of the memory that they share.
        self.bytes = memory_of(engine)

    def changing(self, profile: int) -> Any:
        """The profile's context."""
        if profile not in self._changing:
            self._changing[profile] = self._make(profile)
        return self._changing[profile]

    def fixed(self, profile: int, use: Use) -> Any:
        """A context for this use alone. One that could not be made is tried again at the 2nd, 4th, … call."""
        if use not in self._fixed:
            self._asked[use] += 1
            if (calls := self._asked[use]) & (calls - 1):
                raise self._fail("was out of memory for one context more")
            self._fixed[use] = self._make(profile)
        return self._fixed[use]

    def _make(self, profile: int) -> Any:
        with self._config.making, self._queue as queue:
            if not self._memory and self.bytes:
                self._memory = queue.take(self.bytes)
            context = self._config.create_context(self._user_managed)
            if context is None or not context.set_optimization_profile_async(profile, queue.stream):
                raise self._fail("makes no context")
            queue.wait()  # profiles are chosen on our stream; work may come on another
            if self.bytes:
                context.set_device_memory(self._memory, self.bytes)
        return context


def memory_of(engine: Any) -> int:
    """Bytes that a context needs for what it computes in between, whichever profile it has."""
    profiles = range(engine.num_optimization_profiles)
    return int(max(engine.get_device_memory_size_for_profile_v2(i) for i in profiles))


class RuntimeConfig:
    """How contexts are made, and kernels that TensorRT-RTX compiles at first use, kept for the next process.

    TensorRT compiles none, and before 10.8 has no such object. Where the library records CUDA graphs by
    itself (``records_graphs``), it is asked to, and to compile kernels for a shape at its first use and not
    some time later, so that what is recorded stays.
    """

    def __init__(self, trt: Any, engine: Any, spec: EngineSpec, settings: EngineSettings) -> None:
        self._engine = engine
        self.making = threading.Lock()  # held while a context is made
        has_config = hasattr(engine, "create_runtime_config")
        self._config: Any = engine.create_runtime_config() if has_config else None
        self._cache = KernelCache(self._config, spec)
        self._choose("dynamic_shapes_kernel_specialization_strategy", trt, "EAGER")
        self._choose("cuda_graph_strategy", trt, "WHOLE_GRAPH_CAPTURE")
        for name, value in settings.options.items():
            if not hasattr(self._config, name):
                raise OptionError(
                    f"engine_options: {str(name)[:60]!r}", "not an attribute of TensorRT's runtime config"
                )
            setattr(self._config, name, value)
        strategy = getattr(self._config, "cuda_graph_strategy", None)
        self.records_graphs = strategy is not None and strategy != trt.CudaGraphStrategy.DISABLED

    def create_context(self, strategy: Any) -> Any:
        if self._config is None:
            return self._engine.create_execution_context(strategy)
        self._config.set_execution_context_allocation_strategy(strategy)
        return self._engine.create_execution_context(self._config)

    def ran(self, use: object) -> None:
        """Keep what the first run of a kind has compiled."""
        self._cache.ran(use)

    def _choose(self, name: str, trt: Any, value: str) -> None:
        kind = getattr(trt, "".join(word.title() for word in name.split("_")), None)
        if kind is not None and hasattr(self._config, name):
            setattr(self._config, name, getattr(kind, value))


class KernelCache:
    """Compiled kernels in a file: saved after the first run of each profile, and at the end."""

    def __init__(self, config: Any, spec: EngineSpec) -> None:
        self._used: set[object] = set()
        self._save: Callable[[], None] | None = None
        folder = cache_folder("tensorrt")
        if config is None or not hasattr(config, "create_runtime_cache"):
            return
        cache = config.create_runtime_cache()
        path = None if folder is None else folder / f"{spec.key[:32]}-{spec.version}.kernels"
        if path is not None and (kept := read_kept(path)) and cache.deserialize(kept) is False:
            path.unlink(missing_ok=True)  # damaged, or of another version
        config.set_runtime_cache(cache)
        if path is not None:
            self._save = lambda: _keep_the_larger(path, bytes(cache.serialize()))
            weakref.finalize(self, self._save)  # what later shapes have compiled

    def ran(self, use: object) -> None:
        if self._save is not None and use not in self._used:
            self._used.add(use)
            self._save()


def _keep_the_larger(path: Path, kernels: bytes) -> None:
    """Another engine of this plan, unloaded meanwhile, may have kept kernels of more shapes."""
    if len(read_kept(path)) < len(kernels):
        keep(path, kernels)
