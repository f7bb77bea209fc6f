"""All engines. A new one is a file that declares an ``EngineKind``, and a line in ``_KINDS``."""

from __future__ import annotations

from bindrt.engines import native, onnxruntime, openvino, tensorrt
from bindrt.engines.devices import device_kind
from bindrt.engines.kind import EngineKind
from bindrt.errors import OptionError

#: In the order of preference where nothing was measured: that of quicker starts.
_KINDS = (
    onnxruntime.KIND,
    native.KIND,
    openvino.KIND,
    tensorrt.TENSORRT,
    tensorrt.TENSORRT_RTX,
)
#: Name → engine.
ENGINES: dict[str, EngineKind] = {kind.name: kind for kind in _KINDS}


def listed_engines() -> tuple[str, ...]:
    """The engines that have files of their own in bundles; others read those of these."""
    return tuple(name for name, kind in ENGINES.items() if not kind.reads)


def require_known_engine(engine: str) -> None:
    """Raises OptionError for a name that is neither ``auto`` nor an engine's."""
    if engine not in ("auto", *ENGINES):
        raise OptionError(f"engine={engine!r}", "unknown engine", f"one of auto, {', '.join(ENGINES)}")


def require_known_device(device: str) -> None:
    """Raises OptionError for a device that no engine has."""
    known = {kind for engine in ENGINES.values() for kind in engine.devices}
    if device != "auto" and device_kind(device) not in known:
        raise OptionError(
            f"device={device!r}",
            "unknown device",
            "use auto, cpu, cuda, cuda:N; with OpenVINO gpu, gpu.N, npu",
        )
