"""Which providers of ONNX Runtime compute an encoder, with their options."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bindrt import hardware
from bindrt.engines import onnxruntime_plugin as plugin
from bindrt.engines.batch_sizes import GPU_BATCH
from bindrt.engines.devices import cuda_index
from bindrt.engines.spec import EngineSettings, EngineSpec
from bindrt.errors import EngineError, OptionError

LOG = logging.getLogger(__name__)

#: Precisions whose graphs have an operation that only the CPU has: MatMulIntegerToFloat.
NOT_ON_CUDA = ("int8",)
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
#: Those that compute on an NVIDIA GPU, on a stream that they are given.
ON_STREAM = (CUDA, plugin.NAME)
INSTALL = {
    plugin.NAME: f"pip install {plugin.PACKAGE}",
    CUDA: "pip uninstall onnxruntime, pip install 'onnxruntime-gpu[cuda,cudnn]'; or use device='cpu'",
}


def providers(settings: EngineSettings, precision: str) -> dict[str, dict[str, Any]]:
    """The execution providers to ask for, with their options. The first one must start.

    ``settings.options`` maps providers to options; those named come first, in their order. Where ONNX Runtime
    has no CUDA, a GPU means the plug-in of TensorRT-RTX, if that is installed.

    Raises:
        EngineError: this ONNX Runtime has no such provider.
        OptionError: this engine has no such device or options.
    """
    import onnxruntime as ort

    there = [*ort.get_available_providers(), *([plugin.NAME] if plugin.version() else [])]
    index = cuda_index(settings.device)
    if index is None and settings.device not in ("auto", "cpu"):
        raise OptionError(
            f"device={settings.device!r}", "ONNX Runtime has none", "use auto, cpu, cuda or cuda:N"
        )
    asked = passed_through(settings.options)
    on_gpu = CUDA if CUDA in there or plugin.NAME not in there else plugin.NAME
    if settings.device == "auto" and not asked:
        index = 0 if on_gpu in there else None
    chosen = dict(asked)
    if plugin.NAME in chosen:
        on_gpu = plugin.NAME
    if settings.device != "cpu" and (index is not None or on_gpu in chosen):
        # TF32 is on by default and has 10 bits.
        exact = {"use_tf32": "0"} if precision == "fp32" and on_gpu == CUDA else {}
        chosen[on_gpu] = {"device_id": str(index or 0), **exact, **chosen.get(on_gpu, {})}
    chosen.setdefault(CPU, {})
    for name in chosen:
        if name not in there:
            raise EngineError(
                f"device={settings.device!r}",
                f"this ONNX Runtime has no {name}; it has {', '.join(there)}",
                INSTALL.get(name, INSTALL[CUDA]),
            )
    return chosen


def is_free_to_choose(settings: EngineSettings) -> bool:
    """Whether nobody has named a device or a provider."""
    return settings.device == "auto" and not settings.options


def usable_providers(settings: EngineSettings, precision: str) -> dict[str, dict[str, Any]]:
    """As ``providers``, without a GPU's where it would not compute, if nobody asked for it.

    Raises:
        EngineError: a GPU was asked for, and its provider does not compute in this precision.
    """
    chosen = providers(settings, precision)
    named = next((name for name in ON_STREAM if name in chosen), None)
    if named is None:
        return chosen
    if is_free_to_choose(settings) and not (driver := hardware.nvidia_driver()).gpus:
        what = named.removesuffix("ExecutionProvider")
        LOG.warning(
            "ONNX Runtime computes on the CPU: it has %s, but there is no GPU (%s)", what, driver.problem
        )
        return {CPU: {}}
    if precision in NOT_ON_CUDA:
        problem = f"{named} has no kernel for the products of {precision} graphs; the CPU would compute them"
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
    on_gpu = any(name in chosen for name in ON_STREAM)
    name = f"cuda:{number}" if on_gpu else first.removesuffix("ExecutionProvider").lower()
    return name, spec.at_most(GPU_BATCH)


def providers_of(module: Any) -> str:
    """The providers that an ONNX Runtime has, for ``doctor``."""
    names = [name.removesuffix("ExecutionProvider") for name in module.get_available_providers()]
    return "; ".join(filter(None, [", ".join(names), plugin.about(module)]))
