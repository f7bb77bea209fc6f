"""Which engines this machine has; looks without importing, since an engine takes a second to import."""

from __future__ import annotations

import importlib
import importlib.metadata
from importlib.util import find_spec
from typing import Any

from bindrt import hardware
from bindrt.errors import EngineError

#: Engine → the modules that bring it, the first that is there being used.
MODULES = {
    "onnxruntime": ("onnxruntime",),
    "openvino": ("openvino",),
    "tensorrt": ("tensorrt", "tensorrt_bindings"),
    "tensorrt-rtx": ("tensorrt_rtx", "tensorrt_rtx_bindings"),
}
REMEDY = {
    "onnxruntime": "pip install onnxruntime",
    "openvino": "pip install 'bindrt[openvino]'",
    "tensorrt": "pip install 'bindrt[gpu]' on a machine with an NVIDIA GPU",
    "tensorrt-rtx": "pip install 'bindrt[rtx]' on a machine with an NVIDIA GPU",
}
NEEDS_GPU = ("tensorrt", "tensorrt-rtx")


def module_name(engine: str) -> str | None:
    """The module that brings an engine; None if none is installed."""
    return next((name for name in MODULES[engine] if is_there(name)), None)


def is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def import_engine(engine: str) -> Any:
    """The engine's own library.

    Raises:
        EngineError: not installed, or it does not load.
    """
    name = module_name(engine)
    if name is None:
        raise EngineError(f"engine={engine!r}", "it is not installed", REMEDY[engine])
    try:
        return importlib.import_module(name)
    except Exception as error:  # a library of another machine may fail in any way
        raise EngineError(f"engine={engine!r}", f"{name} does not load: {error}", REMEDY[engine]) from None


def absence(engine: str) -> str:
    """Why an engine cannot run here; empty if it can."""
    if module_name(engine) is None:
        return "not installed"
    if engine in NEEDS_GPU and not (driver := hardware.nvidia_driver()).gpus:
        return f"no NVIDIA GPU ({driver.problem})"
    return ""


def version(engine: str) -> str:
    """Of the installed library; empty if unknown."""
    for suffix in ("", "-gpu", "-cu13", "-cu13-bindings", "-cu12", "-cu12-bindings"):
        try:
            return importlib.metadata.version(engine + suffix)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""
