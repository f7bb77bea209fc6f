"""A stand-in with the part of TensorRT 11's Python surface that bindrt uses; runs ONNX Runtime on a CPU.

It works on the simulated driver's device memory as ``support.device_calls`` says. With TRTSIM_AUX a context
computes half of the rows on a stream of its own, as TensorRT does with layers that are independent. With
TRTSIM_RTX the runtime has what TensorRT-RTX has: kernels compiled for a shape once it is used, and graphs.
An engine and each context take device memory of their own while they live. Work of a context that is gone, or
one that outlives the memory it was given, ends the process.
"""

from __future__ import annotations

import enum
import itertools
import json
import os
import struct
import sys
import weakref
from typing import Any, NoReturn

import numpy as np
import onnx
import onnxruntime as ort
from trtsim_builder import (
    MAGIC,
    Builder,
    BuilderFlag,
    ILogger,
    NetworkDefinitionCreationFlag,
    OnnxParser,
    capability,
)

from support.device_calls import OwnMemory, after, new_stream, queue_call, read, recording, wait, write

__all__ = ["Builder", "BuilderFlag", "ILogger", "NetworkDefinitionCreationFlag", "OnnxParser", "Runtime"]
__version__ = os.environ.get("TRTSIM_VERSION", "11.0.0")


class ExecutionContextAllocationStrategy(enum.Enum):
    STATIC, ON_PROFILE_CHANGE, USER_MANAGED = range(3)


if os.environ.get("TRTSIM_RTX"):

    class DynamicShapesKernelSpecializationStrategy(enum.Enum):
        LAZY, EAGER, NONE = range(3)

    class CudaGraphStrategy(enum.Enum):
        DISABLED, WHOLE_GRAPH_CAPTURE = range(2)


class DataType(enum.Enum):
    FLOAT, INT64, HALF = 1, 7, 10  # ONNX's numbers


class Runtime:
    def __init__(self, logger: ILogger) -> None:
        self.logger = logger

    def deserialize_cuda_engine(self, plan: Any) -> CudaEngine | None:
        content = bytes(plan)
        if content[: len(MAGIC)] != MAGIC:
            self.logger.log(ILogger.Severity.ERROR, "the magic number is wrong")
            return None
        (size,) = struct.unpack_from("<I", content, len(MAGIC))
        start = len(MAGIC) + 4
        about = json.loads(content[start : start + size])
        if about["capability"] != capability():
            self.logger.log(ILogger.Severity.ERROR, "the plan is for another GPU")
            return None
        kind = RtxEngine if os.environ.get("TRTSIM_RTX") else CudaEngine
        return kind(about, content[start + size :], self.logger)


#: A context needs so many bytes of device memory for every row that is computed.
BYTES_A_ROW = 512
#: And so many of its own, whoever manages the others.
BYTES_A_CONTEXT = 4096


def crash(why: str) -> NoReturn:
    """What the real library does not survive, or only by chance."""
    print(f"trtsim: {why}", file=sys.stderr, flush=True)
    os._exit(71)


class CudaEngine:
    num_io_tensors = 2
    contexts = 0

    def __init__(self, about: dict[str, Any], graph: bytes, logger: ILogger) -> None:
        self.about, self.logger = about, logger
        self.num_optimization_profiles = len(about["profiles"])
        model = onnx.load_from_string(graph)
        self.tensors = {v.name: v.type.tensor_type for v in [*model.graph.input, *model.graph.output]}
        self.session = ort.InferenceSession(graph, providers=["CPUExecutionProvider"])
        self.weights = OwnMemory(len(graph))
        self.memory_of_run = 0  # of the first context, which is made when the engine is opened
        self.queued: dict[
            int, list[int]
        ] = {}  # by address of device memory: the stream of each call not done

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType(self.tensors[name].elem_type)

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(d.dim_value if d.HasField("dim_value") else -1 for d in self.tensors[name].shape.dim)

    def get_tensor_rows(self, profile: int) -> int:
        return int(self.about["profiles"][profile]["input"][2][0])

    def get_device_memory_size_for_profile_v2(self, profile: int) -> int:
        return BYTES_A_ROW * self.get_tensor_rows(profile)

    def create_execution_context(
        self, strategy: ExecutionContextAllocationStrategy
    ) -> ExecutionContext | None:
        assert strategy is ExecutionContextAllocationStrategy.USER_MANAGED
        return ExecutionContext(self) if self.has_room() else None

    def has_room(self) -> bool:
        """Whether there is device memory for one context more."""
        if self.contexts < int(os.environ.get("TRTSIM_CONTEXTS", "1000")):
            return True
        self.logger.log(ILogger.Severity.ERROR, "Error Code 1: Cuda Runtime (out of memory)")
        return False


class RuntimeCache:
    """Kernels that were compiled, as text: a word each."""

    def __init__(self) -> None:
        self.kernels: set[str] = set()

    def deserialize(self, content: bytes) -> None:
        self.kernels.update(content.decode().split())

    def serialize(self) -> bytes:
        return " ".join(sorted(self.kernels)).encode()


class RuntimeConfig:
    def __init__(self) -> None:
        self.dynamic_shapes_kernel_specialization_strategy = DynamicShapesKernelSpecializationStrategy.LAZY
        self.cuda_graph_strategy = CudaGraphStrategy.DISABLED
        self.allocation = ExecutionContextAllocationStrategy.STATIC
        self.cache = RuntimeCache()

    def set_execution_context_allocation_strategy(self, strategy: ExecutionContextAllocationStrategy) -> None:
        self.allocation = strategy

    def create_runtime_cache(self) -> RuntimeCache:
        return RuntimeCache()

    def set_runtime_cache(self, cache: RuntimeCache) -> None:
        self.cache = cache


class RtxEngine(CudaEngine):
    def create_runtime_config(self) -> RuntimeConfig:
        return RuntimeConfig()

    def create_execution_context(self, config: Any) -> ExecutionContext:
        assert config.allocation is ExecutionContextAllocationStrategy.USER_MANAGED
        return RtxContext(self, config)


class ExecutionContext:
    """Its work is a function of the host, queued on the stream, so that it can be recorded as well.

    A recording holds what its context had launched, which may be gone once the context is told another shape,
    address or memory: then it gives poison.
    """

    def __init__(self, engine: CudaEngine) -> None:
        self.engine = engine
        engine.contexts += 1
        self.profile = -1
        self.memory, self.memory_bytes = 0, 0
        self.shape: tuple[int, ...] = ()
        self.addresses: dict[str, int] = {}
        self.aux = new_stream() if os.environ.get("TRTSIM_AUX") else 0
        self.own = OwnMemory(BYTES_A_CONTEXT)

    def __del__(self) -> None:
        if self.memory and not self.own.is_beside(self.memory):
            crash("a context outlives its memory")

    def set_optimization_profile_async(self, profile: int, stream: int) -> bool:
        self.profile = profile
        return 0 <= profile < self.engine.num_optimization_profiles

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        low, _, high = self.engine.about["profiles"][self.profile][name]
        self.shape = tuple(shape)
        return len(low) == len(shape) and all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True))

    def set_device_memory(self, memory: int, size: int) -> None:
        self.memory, self.memory_bytes = memory, size
        self.engine.memory_of_run = self.engine.memory_of_run or memory
        self.engine.queued.setdefault(memory, [])

    def stamp(self) -> tuple[object, ...]:
        return self.shape, tuple(sorted(self.addresses.items())), self.memory, self.profile

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return name in self.engine.tensors and address % 256 == 0

    def execute_async_v3(self, stream: int) -> bool:
        is_recorded = recording(stream)
        if problem := self.problem(stream):
            self.engine.logger.log(ILogger.Severity.ERROR, problem)
            return False
        if is_recorded and os.environ.get("TRTSIM_NO_CAPTURE"):  # as some layers of TensorRT
            return wait(stream)
        if not is_recorded:
            self.engine.queued[self.memory].append(stream)
        at = self.addresses["input"], self.addresses["embedding"]
        work = self.shape, *at, self.stamp()
        half = self.shape[0] // 2 if self.aux else self.shape[0]
        good = True
        if self.aux:
            good = after(self.aux, stream)
            good = good and self.queue(self.aux, *work, slice(half, None), is_recorded, False)
        good = good and self.queue(stream, *work, slice(half), is_recorded, not is_recorded)
        return good and (not self.aux or after(stream, self.aux))

    def queue(self, stream: int, *work: Any) -> bool:
        """Queue a part of the work; what is queued, or in a graph, does not keep the context."""
        found = weakref.ref(self)

        def compute() -> None:
            context = found()
            if context is None:
                crash("a context is gone, and its work is not done")
            context.compute(*work)

        return queue_call(stream, compute)

    def problem(self, stream: int) -> str:
        """What TensorRT would refuse, or compute wrongly."""
        if set(self.engine.queued[self.memory]) - {stream}:
            return "contexts that share memory serve one stream at a time"
        if self.memory_bytes < BYTES_A_ROW * self.shape[0]:
            return "too little device memory"
        if self.shape[0] > int(os.environ.get("TRTSIM_MEMORY_ROWS", "1000")):
            return "out of memory"
        every = int(os.environ.get("TRTSIM_FAIL_EVERY", "0"))
        if every and self.memory != self.engine.memory_of_run and next(asked) % every == 0:
            return "now and then it fails"
        return ""

    def compute(
        self,
        shape: tuple[int, ...],
        source: int,
        target: int,
        stamp: tuple[object, ...],
        rows: slice,
        is_recorded: bool,
        last: bool,
    ) -> None:
        """Some rows of a batch; ``last``: nothing of the call is left to do."""
        kinds = {DataType.FLOAT: np.float32, DataType.HALF: np.float16, DataType.INT64: np.int64}
        given = read(source, shape, kinds[self.engine.get_tensor_dtype("input")])
        if given is not None and len(given[rows]):
            result = np.array(self.engine.session.run(["embedding"], {"input": given})[0])
            if is_recorded and stamp != self.stamp():
                result[:] = np.nan
            write(target + (rows.start or 0) * result.strides[0], result[rows])
        if last:
            self.engine.queued[self.memory].pop()


class RtxContext(ExecutionContext):
    """A context that compiles kernels for a shape: at its first use, or (LAZY) some runs later.

    What was recorded before holds the kernels that these replace. TensorRT-RTX may be kinder than that.
    """

    def __init__(self, engine: CudaEngine, config: RuntimeConfig) -> None:
        super().__init__(engine)
        self.config = config
        self.runs: dict[tuple[int, ...], int] = {}

    def is_stream_capturable(self, stream: int) -> bool:
        return not os.environ.get("TRTSIM_NOT_CAPTURABLE")

    def execute_async_v3(self, stream: int) -> bool:
        if recording(stream) and self.config.cuda_graph_strategy is not CudaGraphStrategy.DISABLED:
            self.engine.logger.log(ILogger.Severity.ERROR, "it records its work by itself")
            return False
        return super().execute_async_v3(stream)

    def stamp(self) -> tuple[object, ...]:
        return *super().stamp(), self.is_specialised()

    def is_specialised(self) -> bool:
        strategy = self.config.dynamic_shapes_kernel_specialization_strategy
        eager = strategy is DynamicShapesKernelSpecializationStrategy.EAGER
        return eager or self.runs.get(self.shape, 0) > 3

    def compute(self, *work: Any) -> None:
        shape = work[0]
        self.runs[shape] = self.runs.get(shape, 0) + 1
        self.config.cache.kernels.add("x".join(map(str, shape)))
        super().compute(*work)


asked = itertools.count(1)
