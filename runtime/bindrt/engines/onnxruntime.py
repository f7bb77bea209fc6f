"""ONNX Runtime: the embedded default on a CPU, and its GPU providers where they are installed."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import hardware
from bindrt.cores import computing_threads, told_threads
from bindrt.engines.batch_sizes import GPU_BATCH
from bindrt.engines.devices import cuda_index
from bindrt.engines.kind import EngineKind
from bindrt.engines.onnx_file import require_listed_files
from bindrt.engines.spec import FAST_START, STARTUPS, EngineSettings, EngineSpec, one_line
from bindrt.errors import EngineError, OptionError
from bindrt.extras import repair
from bindrt.heldfile import MappedFiles

# From 1.29 on it collects data about its use and sends them, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

LOG = logging.getLogger(__name__)

QUIET = 4  # ONNX Runtime logs what it also raises
#: Precisions whose graphs have an operation that only the CPU has: MatMulIntegerToFloat.
NOT_ON_CUDA = ("int8",)
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
TYPES = {"float32": "tensor(float)", "int64": "tensor(int64)"}


class OnnxRuntimeEngine:
    """One encoder in an ONNX Runtime session; weights are mapped from the bundle."""

    name = "onnxruntime"

    def __init__(self, spec: EngineSpec, settings: EngineSettings) -> None:
        """Open ``spec.files[0]``, whose weights are in the other files beside it.

        Raises:
            BundleError: the graph refers to what the bundle does not list for it, or does not hold.
            EngineError: the device is not there, or ONNX Runtime refuses the graph.
        """
        graph = spec.files[0]
        require_listed_files(graph, spec.files[1:])
        chosen = usable_providers(settings, spec.precision)
        self.precision = spec.precision
        self._spec = spec
        self._mapped = MappedFiles(spec.files)
        try:
            self._open(graph, settings, chosen)
        except EngineError as error:
            if not is_free_to_choose(settings) or CUDA not in chosen:
                raise
            LOG.warning("%s: computed on the CPU, since %s", spec.encoder, error.problem)
            self._open(graph, settings, {CPU: {}})
        self.threads = computing_threads(settings.threads) if self.device == "cpu" else 0
        self._check_signature(graph.name)

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        self._mapped.require_unchanged()
        try:
            result = self._session.run(["embedding"], {"input": inputs})[0]
        except Exception as error:
            raise EngineError(
                f"{self._spec.encoder} batch {list(inputs.shape)}",
                f"ONNX Runtime failed ({one_line(error)})",
            ) from None
        self._spec.check_result(result, out)
        out[...] = result

    def _open(self, graph: Path, settings: EngineSettings, chosen: Mapping[str, dict[str, Any]]) -> None:
        import onnxruntime as ort

        self.device, self.max_batch = device_and_batch(chosen, self._spec)
        if CUDA in chosen and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()  # cuBLAS and cuDNN of NVIDIA's packages, which no loader finds by itself
        try:
            self._session = ort.InferenceSession(
                str(graph), session_options(settings), providers=list(chosen.items())
            )
        except Exception as error:  # its exceptions have no other common base
            raise EngineError(
                graph.name, f"ONNX Runtime refuses the graph ({one_line(error)})", "export it again"
            ) from None
        self._require(chosen)

    def _require(self, chosen: Mapping[str, Any]) -> None:
        """A provider that does not start is dropped with a warning only, and the CPU would do its work."""
        first = next(iter(chosen))
        if first not in (started := self._session.get_providers()):
            raise EngineError(
                f"device={self.device!r}",
                f"{first} did not start; ONNX Runtime has {', '.join(started)}",
                "see `python -m bindrt doctor` for the driver, or use device='cpu'",
            )

    def _check_signature(self, name: str) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [i.name for i in inputs] != ["input"] or [o.name for o in outputs] != ["embedding"]:
            raise EngineError(
                name, "the graph's inputs or outputs are not input → embedding", "export it again"
            )
        expected = TYPES[self._spec.dtype]
        if inputs[0].type != expected or outputs[0].type != "tensor(float)":
            raise EngineError(
                name,
                f"the graph turns {inputs[0].type} into {outputs[0].type}",
                f"it must turn {expected} into tensor(float); export it again",
            )


def providers(settings: EngineSettings, precision: str) -> dict[str, dict[str, Any]]:
    """The execution providers to ask for, with their options. The first one must start.

    ``settings.options`` maps providers to options; those named come first, in their order.

    Raises:
        EngineError: this ONNX Runtime has no such provider.
        OptionError: this engine has no such device or options.
    """
    import onnxruntime as ort

    there = ort.get_available_providers()
    index = cuda_index(settings.device)
    if index is None and settings.device not in ("auto", "cpu"):
        raise OptionError(
            f"device={settings.device!r}", "ONNX Runtime has none", "use auto, cpu, cuda or cuda:N"
        )
    asked = passed_through(settings.options)
    if settings.device == "auto" and not asked:
        index = 0 if CUDA in there else None
    chosen = dict(asked)
    if settings.device != "cpu" and (index is not None or CUDA in chosen):
        exact = {"use_tf32": "0"} if precision == "fp32" else {}  # it is on by default and has 10 bits
        chosen[CUDA] = {"device_id": str(index or 0), **exact, **chosen.get(CUDA, {})}
    chosen.setdefault(CPU, {})
    for name in chosen:
        if name not in there:
            raise EngineError(
                f"device={settings.device!r}",
                f"this ONNX Runtime has no {name}; it has {', '.join(there)}",
                "pip uninstall onnxruntime, pip install 'onnxruntime-gpu[cuda,cudnn]'; or use device='cpu'",
            )
    return chosen


def is_free_to_choose(settings: EngineSettings) -> bool:
    """Whether nobody has named a device or a provider."""
    return settings.device == "auto" and not settings.options


def usable_providers(settings: EngineSettings, precision: str) -> dict[str, dict[str, Any]]:
    """As ``providers``, without CUDA where it would not compute, if nobody asked for it.

    Raises:
        EngineError: CUDA was asked for, and does not compute in this precision.
    """
    chosen = providers(settings, precision)
    if CUDA not in chosen:
        return chosen
    if is_free_to_choose(settings) and not (driver := hardware.nvidia_driver()).gpus:
        LOG.warning("ONNX Runtime computes on the CPU: it has CUDA, but there is no GPU (%s)", driver.problem)
        return {CPU: {}}
    if precision in NOT_ON_CUDA:
        problem = f"{CUDA} has no kernel for the products of {precision} graphs; the CPU would compute them"
        if not is_free_to_choose(settings):
            raise EngineError(
                f"device={settings.device!r}", problem, "use precision='fp16' there, or device='cpu'"
            )
        LOG.warning("ONNX Runtime computes on the CPU: %s", problem)
        return {CPU: {}}
    return chosen


def passed_through(options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    for name, value in options.items():
        if not str(name).endswith("ExecutionProvider") or not isinstance(value, Mapping):
            raise OptionError(
                f"engine_options: {str(name)[:60]!r}",
                "not a provider of ONNX Runtime with its options",
                'for example {"CUDAExecutionProvider": {"cudnn_conv_algo_search": "HEURISTIC"}}',
            )
    return {name: dict(value) for name, value in options.items()}


def device_and_batch(chosen: Mapping[str, dict[str, Any]], spec: EngineSpec) -> tuple[str, int]:
    """The device's name and the most rows of a batch there."""
    first = next(iter(chosen))
    if first == CPU:
        return "cpu", spec.cpu_batch()
    number = chosen[first].get("device_id", chosen.get(CUDA, {}).get("device_id", 0))
    name = f"cuda:{number}" if CUDA in chosen else first.removesuffix("ExecutionProvider").lower()
    return name, spec.at_most(GPU_BATCH)


def session_options(settings: EngineSettings) -> Any:
    """``onnxruntime.SessionOptions``."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = QUIET
    if (threads := told_threads(settings.threads)) is not None:
        options.intra_op_num_threads = threads
    if settings.startup == FAST_START:
        # Products read the mapped weights as they lie; else each is copied into the kernel's layout.
        options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def providers_of(module: Any) -> str:
    """The providers that an ONNX Runtime has, for ``doctor``."""
    return ", ".join(name.removesuffix("ExecutionProvider") for name in module.get_available_providers())


KIND = EngineKind(
    name="onnxruntime",
    modules=("onnxruntime",),
    distributions=("onnxruntime", "onnxruntime-gpu"),
    gives="the default engine on CPUs",
    remedy=lambda: repair("onnxruntime"),
    devices=("cpu", "cuda"),
    precisions=("fp32", "fp16", "bf16", "int8"),
    open=OnnxRuntimeEngine,
    included=True,
    startups=STARTUPS,
    detail=providers_of,
)
