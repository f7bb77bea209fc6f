"""The plug-in of ONNX Runtime that brings TensorRT-RTX: ``pip install onnxruntime-ep-nv-tensorrt-rtx``.

ONNX Runtime's package for CPUs suffices beside it. The library needs NVIDIA's driver to be loaded at all.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bindrt import hardware
from bindrt.cache import cache_folder
from bindrt.engines.spec import EngineSpec, one_line
from bindrt.errors import EngineError
from bindrt.installed import installed_version

NAME = "NvTensorRTRTXExecutionProvider"
PACKAGE = "onnxruntime-ep-nv-tensorrt-rtx"
_MODULE = "onnxruntime_ep_nv_tensorrt_rtx"
#: The package of that name only asks for the one for CUDA 13.
_DISTRIBUTIONS = (f"{PACKAGE}-cu13", f"{PACKAGE}-cu12", PACKAGE)


def version() -> str:
    """The installed package's; empty if there is none."""
    if find_spec(_MODULE) is None:
        return ""
    return installed_version(*_DISTRIBUTIONS) or "of unknown version"


def devices(module: Any) -> list[Any]:
    """The devices that it computes on, each an ``OrtEpDevice``; its library is loaded if it is not yet.

    Args:
        module: ``onnxruntime``.

    Raises:
        EngineError: this ONNX Runtime takes no plug-ins, or the library does not load.
    """
    if not hasattr(module, "register_execution_provider_library"):
        raise EngineError(PACKAGE, "this ONNX Runtime takes no plug-ins", "pip install 'onnxruntime>=1.24'")
    found = _known(module)
    if not found:
        try:
            module.register_execution_provider_library(NAME, import_module(_MODULE).get_library_path())
        except Exception as error:  # a library of another machine may fail in any way
            if not (found := _known(module)):  # another thread may have been first
                raise EngineError(
                    PACKAGE,
                    f"the plug-in does not load ({one_line(error)})",
                    "see `python -m bindrt doctor` for the driver",
                ) from None
    return found or _known(module)


def device(module: Any, index: int) -> Any:
    """The device of ``cuda:N``.

    Raises:
        EngineError: it computes on no such device.
    """
    found = devices(module)
    if index >= len(found):
        raise EngineError(
            f"device='cuda:{index}'",
            f"{PACKAGE} computes on {len(found)} of the GPUs here",
            "it is for RTX GPUs from Ampere on (8.6, 8.9, 12.0 and later); number from 0",
        )
    return found[index]


def about(module: Any) -> str:
    """What is to be known of it, for ``doctor``; empty if it is not installed."""
    if not (installed := version()):
        return ""
    name = f"plug-in NvTensorRTRTX {installed}"
    if not (driver := hardware.nvidia_driver()).gpus:
        return f"{name}: no GPU ({driver.problem})"
    try:
        return f"{name}: {len(devices(module))} devices"
    except EngineError as error:
        return f"{name}: {error.problem}"


def options(spec: EngineSpec, rows: int) -> dict[str, str]:
    """The shapes that it is to build for, and where compiled kernels are kept."""
    folder = cache_folder("tensorrt-rtx-plugin")
    kept = {} if folder is None else {"nv_runtime_cache_path": str(Path(folder))}
    view = spec.view
    least = (1,) * len(view) if spec.dtype == "int64" else view  # texts have any length
    shapes = {"min": (1, *least), "opt": (rows, *view), "max": (rows, *view)}
    profiles = {f"nv_profile_{name}_shapes": f"input:{_joined(shape)}" for name, shape in shapes.items()}
    return {**kept, **(profiles if view else {})}


def _known(module: Any) -> list[Any]:
    return [each for each in module.get_ep_devices() if each.ep_name == NAME]


def _joined(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
