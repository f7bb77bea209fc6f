"""TensorRT and TensorRT-RTX: plans, run on our memory and our stream. One adapter, since the API is the same.

No TensorRT has run it yet: the tests run it on simulated device memory with a stand-in for TensorRT.
"""

from __future__ import annotations

import mmap
import threading
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import _core, hardware
from bindrt.engines.device_run import queue_bytes, run_bytes, run_on_device
from bindrt.engines.devices import cuda_index
from bindrt.engines.kind import EngineKind
from bindrt.engines.plan import read_header
from bindrt.engines.spec import EngineSettings, EngineSpec
from bindrt.engines.tensorrt_contexts import Contexts, RuntimeConfig, memory_of
from bindrt.engines.tensorrt_releases import release_note, release_problem
from bindrt.errors import BundleError, EngineError, OptionError
from bindrt.extras import install
from bindrt.precisions import PRECISIONS

#: Up to this many rows the profile that is tuned for low latency is taken.
FEW_ROWS = 4
#: By an encoder's dtype, what a plan may read instead, as TensorRT calls it.
TYPES = {"float32": ("FLOAT", "HALF"), "int64": ("INT64",)}


class TensorRtEngine:
    """One encoder's plan on one GPU.

    Calls of ``run`` from several threads take turns, and so do calls of ``enqueue``: an execution context
    serves one at a time. Neither waits for the other.

    Attributes:
        device_bytes: bytes of the GPU's memory that it takes besides the plan's weights.
        input_dtype: ``float16`` where the plan reads that instead of float32.
        records_graphs: the pipeline must not record CUDA graphs: the library does, or says that it cannot be
            recorded.
    """

    def __init__(self, kind: EngineKind, spec: EngineSpec, settings: EngineSettings) -> None:
        """Open ``spec.files[0]``.

        Raises:
            BundleError: the file is not the plan that the manifest says.
            EngineError: there is no GPU, or the plan is for another GPU or release.
        """
        self.name = kind.name
        self._built_ahead = kind is TENSORRT_RTX
        self.precision = spec.precision
        self.max_batch = spec.max_batch or FEW_ROWS
        self._spec = spec
        self._plan = spec.files[0]
        trt = kind.import_library()
        index = cuda_index(settings.device) if settings.device != "auto" else 0
        if index is None:
            raise OptionError(
                f"device={settings.device!r}", f"{kind.name} has none", "use auto, cuda or cuda:N"
            )
        self.device = f"cuda:{index}"
        self._refuse_other_release(str(trt.__version__))
        self._refuse_other_gpu(index)
        self._queue = _core.gpu.Queue(index)  # run()'s; a queue is for one thread at a time
        self._stream_queue = _core.gpu.Queue(index)  # makes the device current for enqueue()
        self._run_lock, self._stream_lock = threading.Lock(), threading.Lock()
        self._said: list[str] = []
        with self._queue:
            self._open(trt, settings, index)

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        what = self._what(inputs.shape)
        if out.shape != (len(inputs), self._spec.embed_dim):
            raise EngineError(what, f"the plan returns rows of {self._spec.embed_dim}")
        with self._run_lock:
            given = inputs.astype(np.float16) if self.input_dtype == "float16" else inputs
            run_on_device(self._queue, self._alone_on, given, out, what)
            self._config.ran(self._profile(inputs.shape))

    def _alone_on(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        """What ``run`` queues, on contexts of its own."""
        context = self._alone.changing(self._profile(shape))
        self._queue_up(context, (shape, source, target), stream)

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        """Queue the encoder on a stream, from device memory to device memory, without waiting.

        Calls must be on one stream, or each after the one before is done: a context serves one at a time.
        ``run`` has contexts of its own. A CUDA graph must not record it: see ``enqueue_for_graph``.

        Args:
            shape: of the input ``[B, …]``.
            source, target: addresses of the input, of ``input_dtype``, and of float32 ``[B, D]``, aligned to
                256 bytes.
            stream: handle of a stream of this device.

        Raises:
            EngineError: the plan does not take the shape, or TensorRT failed.
        """
        with self._stream_lock, self._stream_queue:
            profile = self._profile(shape)
            self._queue_up(self._streamed.changing(profile), (shape, source, target), stream)
            self._config.ran(profile)

    def enqueue_for_graph(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        """As ``enqueue``, on a context that serves this shape and these addresses alone.

        So a CUDA graph may record the call, after one with the same arguments, and be launched as long as the
        engine lives, whatever is queued in between.
        """
        with self._stream_lock, self._stream_queue:
            profile = self._profile(shape)
            use = (shape, source, target)
            self._queue_up(self._streamed.fixed(profile, use), use, stream)
            self._config.ran(profile)

    def _profile(self, shape: tuple[int, ...]) -> int:
        return 0 if shape[0] <= FEW_ROWS or self._profiles == 1 else 1

    def _queue_up(self, context: Any, use: tuple[tuple[int, ...], int, int], stream: int) -> None:
        shape, source, target = use
        good = context.set_input_shape("input", shape)
        good = good and context.set_tensor_address("input", source)
        good = good and context.set_tensor_address("embedding", target)
        if not good:
            raise EngineError(self._what(shape), f"the plan does not take it ({self._reason()})")
        if not context.execute_async_v3(stream):
            raise EngineError(self._what(shape), f"{self.name} failed ({self._reason()})")

    def _open(self, trt: Any, settings: EngineSettings, index: int) -> None:
        self._logger = make_logger(trt, self._said)
        self._runtime = trt.Runtime(self._logger)
        with open(self._plan, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as plan:
            self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise EngineError(
                self._plan.name,
                f"{self.name} does not take the plan ({self._reason()})",
                self._export_again("it was built for another machine, or is damaged"),
            )
        self._check_signature(trt)
        self._profiles = self._engine.num_optimization_profiles
        self._config = RuntimeConfig(trt, self._engine, self._spec, settings)
        self.records_graphs = self._config.records_graphs
        # What run() queues may be computed beside what enqueue() does: each has memory of its own.
        no_context = partial(_no_context, self._plan.name, self.name, self._said)
        self._alone = Contexts(trt, self._engine, self._config, index, no_context)
        self._streamed = Contexts(trt, self._engine, self._config, index, no_context)
        number = np.dtype(self.input_dtype if self._spec.dtype == "float32" else self._spec.dtype)
        row = int(np.prod(self._spec.view)) * number.itemsize
        own = run_bytes(self.max_batch, row, self._spec.embed_dim)  # run()'s input and vectors
        self.device_bytes = 2 * queue_bytes(memory_of(self._engine)) + own
        self._alone.changing(0)  # what does not fit is said now
        capturable = getattr(self._streamed.changing(0), "is_stream_capturable", None)
        if capturable is not None and not capturable(self._queue.stream):
            self.records_graphs = True

    def _check_signature(self, trt: Any) -> None:
        engine = self._engine
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        inputs = TYPES[self._spec.dtype]
        if sorted(names) != ["embedding", "input"]:
            raise BundleError(
                self._plan.name, "the plan's tensors are not input and embedding", "export it again"
            )
        for name, kinds in {"input": inputs, "embedding": ("FLOAT",)}.items():
            if engine.get_tensor_dtype(name) not in [getattr(trt.DataType, kind) for kind in kinds]:
                raise BundleError(
                    self._plan.name, f"the plan's {name} is not {' or '.join(kinds)}", "export it again"
                )
        is_half = "HALF" in inputs and engine.get_tensor_dtype("input") == trt.DataType.HALF
        self.input_dtype = "float16" if is_half else "float32"
        if engine.get_tensor_shape("embedding")[-1] != self._spec.embed_dim:
            raise BundleError(
                self._plan.name, f"the plan's vectors are not of {self._spec.embed_dim}", "export it again"
            )

    def _refuse_other_release(self, here: str) -> None:
        if not self._built_ahead and (problem := release_problem(here)):
            raise EngineError(
                f"engine={self.name!r}", problem, "see docs/engines.md for the releases that work"
            )
        built = self._spec.version
        if self._built_ahead:
            built = read_header(self._plan).version
        if built != here:
            raise EngineError(
                self._plan.name,
                f"the plan is for {self.name} {built or 'of unknown version'}, installed is {here}",
                f"pip install {self.name}=={built}, or " + self._export_again("a plan holds for one release"),
            )

    def _refuse_other_gpu(self, index: int) -> None:
        devices = _core.gpu.devices()
        if not devices:
            raise EngineError(
                f"engine={self.name!r}",
                f"no NVIDIA GPU: {_core.gpu.driver()['problem']}",
                "use engine='onnxruntime' or 'openvino' with a precision that the bundle has for them",
            )
        if index >= len(devices):
            raise EngineError(f"device='cuda:{index}'", f"there are {len(devices)} GPUs", "number from 0")
        own = "sm_" + devices[index]["capability"].replace(".", "")
        if own not in self._spec.target.split("-"):
            raise EngineError(
                self._plan.name,
                f"the plan is for {self._spec.target.replace('-', ', ')}, this GPU is {own}",
                self._export_again("", own),
            )

    def _export_again(self, why: str, target: str = "") -> str:
        command = f"bind-export CHECKPOINT --engine {self.name} --precision {self.precision}"
        command += f" --target {target}" if target and self._built_ahead else ""
        return f"{command} -o NAME.bind" + (f" ({why})" if why else "")

    def _what(self, shape: tuple[int, ...]) -> str:
        return f"{self._spec.encoder} batch {list(shape)}"

    def _reason(self) -> str:
        return _reason(self._said)


def _no_context(plan: str, name: str, said: list[str], what: str) -> EngineError:
    """Contexts refer to no engine that refers to them: the GPU's memory is free as soon as that is gone."""
    return EngineError(plan, f"{name} {what} ({_reason(said)})")


def _reason(said: list[str]) -> str:
    last, said[:] = "; ".join(said[-3:]), []
    return last or "it says nothing"


def make_logger(trt: Any, said: list[str]) -> Any:
    """Keeps errors for our messages; TensorRT prints nothing."""
    severity = trt.ILogger.Severity

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, level: Any, message: str) -> None:
            if level in (severity.ERROR, severity.INTERNAL_ERROR):
                said.append(" ".join(message.split())[:200])

    return Logger()


def without_gpu(module: Any) -> str:
    """What the library can do here, for ``doctor``."""
    return "" if hardware.nvidia_driver().gpus else "builds plans; runs none here, since there is no GPU"


def known_release(module: Any) -> str:
    """As ``without_gpu``, and what is to be known of TensorRT's release."""
    version = str(getattr(module, "__version__", ""))
    found = [release_problem(version) or release_note(version), without_gpu(module)]
    return "; ".join(filter(None, found))


def open_tensorrt(spec: EngineSpec, settings: EngineSettings) -> TensorRtEngine:
    return TensorRtEngine(TENSORRT, spec, settings)


def open_tensorrt_rtx(spec: EngineSpec, settings: EngineSettings) -> TensorRtEngine:
    return TensorRtEngine(TENSORRT_RTX, spec, settings)


TENSORRT = EngineKind(
    name="tensorrt",
    modules=("tensorrt", "tensorrt_bindings"),
    distributions=(
        "tensorrt",
        "tensorrt-cu13",
        "tensorrt-cu13-bindings",
        "tensorrt-cu12",
        "tensorrt-cu12-bindings",
    ),
    gives="NVIDIA GPUs, fastest; plans for the GPU they were built on",
    remedy=lambda: f"where an NVIDIA GPU is: pip uninstall onnxruntime; {install('gpu')}",
    devices=("cuda",),
    precisions=PRECISIONS,
    open=open_tensorrt,
    needs_gpu=True,
    reads_plans=True,
    detail=known_release,
)
TENSORRT_RTX = EngineKind(
    name="tensorrt-rtx",
    modules=("tensorrt_rtx", "tensorrt_rtx_bindings"),
    distributions=(
        "tensorrt-rtx",
        "tensorrt-rtx-cu13",
        "tensorrt-rtx-cu13-bindings",
        "tensorrt-rtx-cu12",
        "tensorrt-rtx-cu12-bindings",
    ),
    gives="NVIDIA RTX GPUs; plans built on any machine",
    remedy=lambda: f"{install('rtx')}, not beside tensorrt",
    devices=("cuda",),
    precisions=PRECISIONS,
    open=open_tensorrt_rtx,
    needs_gpu=True,
    reads_plans=True,
    detail=without_gpu,
)
