"""ONNX Runtime on an NVIDIA GPU, on our stream and in our memory: CUDA, or the plug-in of TensorRT-RTX.

Not run on a GPU yet: the tests run it on simulated device memory with a stand-in for the provider.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.engines import onnxruntime_plugin as plugin
from bindrt.engines import onnxruntime_session as sessions
from bindrt.engines.cuda_graph import CudaGraph, cuda_graph
from bindrt.engines.device_run import run_bytes, run_on_device
from bindrt.engines.devices import cuda_index
from bindrt.engines.onnx_file import require_listed_files
from bindrt.engines.onnxruntime_providers import CPU, device_and_batch
from bindrt.engines.spec import EngineSettings, EngineSpec, one_line
from bindrt.errors import EngineError, OptionError
from bindrt.heldfile import MappedFiles

LOG = logging.getLogger(__name__)

#: Options of the providers that bindrt sets, or that contradict how it uses them.
OURS = {
    "user_compute_stream": "bindrt gives the session a stream of its own",
    "has_user_compute_stream": "bindrt gives the session a stream of its own",
    "enable_cuda_graph": "such a graph holds one shape and two addresses, and bindrt's change",
}
#: Operations on a shape's few integers, also where ONNX Runtime made them itself.
SHAPE_KINDS = frozenset({"Shape", "Size", "Constant", "Unsqueeze", "Squeeze", "Range", "ConstantOfShape"})


class OnnxRuntimeGpuEngine:
    """One encoder in a session that computes on one stream; weights are on the GPU.

    The session has a stream of its own, since it is told of one when it is opened. What is to be computed on
    another stream waits for that by an event, and that for it: the host waits for neither. Calls from several
    threads take turns only while they queue their work.

    Attributes:
        records_graphs: the pipeline must not record CUDA graphs. ONNX Runtime queues functions of the host
            that free memory once, which a graph would run each time that it is launched.
        device_bytes: of the GPU's memory that it may take besides the weights: what ``run`` takes, and what
            ``gpu_mem_limit`` leaves.
    """

    name = "onnxruntime"
    records_graphs = True

    def __init__(
        self, spec: EngineSpec, settings: EngineSettings, chosen: Mapping[str, dict[str, Any]]
    ) -> None:
        """Open ``spec.files[0]``, whose weights are in the other files beside it.

        Args:
            chosen: providers and their options, the one of the GPU first.

        Raises:
            BundleError: the graph refers to what the bundle does not list for it.
            EngineError: the device is not there, ONNX Runtime refuses the graph, or leaves a part of it to
                the CPU.
            OptionError: an option that bindrt sets itself.
        """
        graph = spec.files[0]
        require_listed_files(graph, spec.files[1:])
        self.precision = spec.precision
        self.device, self.max_batch = device_and_batch(chosen, spec)
        self._spec = spec
        self._mapped = MappedFiles(spec.files)
        self._index = cuda_index(self.device) or 0
        row = int(np.prod(spec.view)) * np.dtype(spec.dtype).itemsize
        own = run_bytes(self.max_batch, row, spec.embed_dim)  # run()'s input and vectors
        self.device_bytes = besides_weights(chosen[next(iter(chosen))], spec) + own
        self._kind = np.float32 if spec.dtype == "float32" else np.int64
        self._binding: Any = None  # attributes end in this order: a session must not outlive its stream
        self._session: Any = None
        try:
            self._own = _core.gpu.Queue(self._index)  # its stream is the session's
            self._queue = _core.gpu.Queue(self._index)  # run()'s
        except _core.gpu.DriverError as error:
            raise EngineError(
                f"device={self.device!r}", str(error), "see `python -m bindrt doctor`"
            ) from None
        self._lock, self._run_lock = threading.Lock(), threading.Lock()
        form = cuda_graph(graph, spec.precision)
        options = sessions.session_options(settings)
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        first, *others = chosen
        providers = {first: self._on_our_stream(first, chosen[first]), **{o: chosen[o] for o in others}}
        with self._own:
            self._session = sessions.open_session(graph, options, providers, self.device, form.model)
        sessions.check_signature(self._session, spec)
        self._refuse_cpu(form)
        self._binding = self._session.io_binding()
        self._run_options = _without_waiting()

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        self._mapped.require_unchanged()
        what = self._what(inputs.shape)
        if out.shape != (len(inputs), self._spec.embed_dim):
            raise EngineError(what, f"the graph returns rows of {self._spec.embed_dim}")
        with self._run_lock:
            run_on_device(self._queue, self.enqueue, inputs, out, what)

    def enqueue(self, shape: tuple[int, ...], source: int, target: int, stream: int) -> None:
        """Queue the encoder after what a stream has got, and before what that gets next, without waiting.

        Args:
            shape: of the input ``[B, …]``.
            source, target: addresses of the input and of float32 ``[B, D]``, aligned to 256 bytes.
            stream: handle of a stream of this device.

        Raises:
            EngineError: ONNX Runtime refused or failed.
        """
        with self._lock, self._own as own:
            own.wait_for(stream)
            place = ("cuda", self._index)
            try:
                self._binding.bind_input("input", *place, self._kind, list(shape), source)
                vectors = [shape[0], self._spec.embed_dim]
                self._binding.bind_output("embedding", *place, np.float32, vectors, target)
                self._session.run_with_iobinding(self._binding, self._run_options)
            except Exception as error:
                with suppress(_core.gpu.DriverError):  # whoever waits for the stream is told
                    own.wait()  # what was queued still uses the caller's memory
                raise EngineError(self._what(shape), f"ONNX Runtime failed ({one_line(error)})") from None
            own.go_before(stream)

    def _on_our_stream(self, provider: str, given: Mapping[str, Any]) -> dict[str, Any]:
        for name in OURS.keys() & given.keys():
            if str(given[name]).lower() not in ("0", "false"):
                raise OptionError(f"engine_options: {name!r}", OURS[name], "leave it out")
        stream = {"user_compute_stream": str(self._own.stream)}
        if provider == plugin.NAME:
            stream |= {"has_user_compute_stream": "1", **plugin.options(self._spec, self.max_batch)}
        return {**stream, **{name: value for name, value in given.items() if name not in OURS}}

    def _refuse_cpu(self, form: CudaGraph) -> None:
        """Nothing may be computed on the CPU without a word: it would also wait for the GPU."""
        if not hasattr(self._session, "get_provider_graph_assignment_info"):
            LOG.info("%s: this ONNX Runtime does not tell what it leaves to the CPU", self._spec.encoder)
            return
        left = [
            node.op_type
            for part in self._session.get_provider_graph_assignment_info()
            if part.ep_name == CPU
            for node in part.get_nodes()
            if node.name not in form.small and node.op_type not in SHAPE_KINDS
        ]
        if left:
            raise EngineError(
                self._spec.files[0].name,
                f"ONNX Runtime leaves {', '.join(sorted(set(left)))} to the CPU",
                "export the bundle again, use another precision, or device='cpu'",
            )

    def _what(self, shape: tuple[int, ...]) -> str:
        return f"{self._spec.encoder} batch {list(shape)}"


def besides_weights(options: Mapping[str, Any], spec: EngineSpec) -> int:
    """What a provider's option leaves of the GPU's memory to all but the weights; 0 without that option."""
    most = str(options.get("gpu_mem_limit", ""))
    weights = sum(file.stat().st_size for file in spec.files[1:])
    return max(0, int(most) - weights) if most.isdecimal() else 0


def _without_waiting() -> Any:
    """``onnxruntime.RunOptions`` of a run that returns when its work is queued."""
    import onnxruntime as ort

    options = ort.RunOptions()
    options.log_severity_level = sessions.QUIET
    options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    return options
