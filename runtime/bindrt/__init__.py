"""bindrt: ImageBind, compiled.

``bindrt.load(bundle)`` gives a :class:`Model`; ``model.embed(image=[…], text=[…], …)`` gives
:class:`Embeddings`: float32 vectors of one space for images, video, text, audio, depth, thermal
frames and IMU samples.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

from bindrt.errors import (
    BundleError,
    CheckpointError,
    ClosedError,
    DeadlineExceeded,
    EngineError,
    Error,
    ExportError,
    ForkError,
    InputError,
    LimitError,
    MemoryBudgetExceeded,
    OptionError,
    Overloaded,
    SourceError,
    SpaceError,
)
from bindrt.installed import installed_version
from bindrt.items import Prepared
from bindrt.limits import Limits

if TYPE_CHECKING:
    from bindrt import preprocess
    from bindrt.client import Client
    from bindrt.diagnosis import doctor
    from bindrt.embeddings import DeviceEmbeddings, Embeddings
    from bindrt.engines import Engine, GpuEngine
    from bindrt.loading import load
    from bindrt.modalities.audio import Audio
    from bindrt.modalities.depth import Depth
    from bindrt.modalities.image import Image
    from bindrt.modalities.imu import Imu
    from bindrt.modalities.thermal import Thermal
    from bindrt.modalities.video import Video
    from bindrt.model import Model
    from bindrt.monitoring import Monitor
    from bindrt.pipeline import PipelineOptions, Streamed
    from bindrt.probe import Probe
    from bindrt.streams.windows import Window
    from bindrt.tables.streaming import StreamedRow
    from bindrt.zero_shot import Scores, ZeroShot

    __version__: str

#: What is imported when it is asked for: so that a program starts soon.
_WHEN_ASKED = {
    "Audio": "bindrt.modalities.audio",
    "Client": "bindrt.client",
    "Depth": "bindrt.modalities.depth",
    "DeviceEmbeddings": "bindrt.embeddings",
    "Embeddings": "bindrt.embeddings",
    "Engine": "bindrt.engines",
    "GpuEngine": "bindrt.engines",
    "Image": "bindrt.modalities.image",
    "Imu": "bindrt.modalities.imu",
    "Model": "bindrt.model",
    "Monitor": "bindrt.monitoring",
    "PipelineOptions": "bindrt.pipeline",
    "Scores": "bindrt.zero_shot",
    "Streamed": "bindrt.pipeline",
    "StreamedRow": "bindrt.tables.streaming",
    "Probe": "bindrt.probe",
    "Thermal": "bindrt.modalities.thermal",
    "Video": "bindrt.modalities.video",
    "Window": "bindrt.streams.windows",
    "ZeroShot": "bindrt.zero_shot",
    "doctor": "bindrt.diagnosis",
    "load": "bindrt.loading",
}

logging.getLogger("bindrt").addHandler(logging.NullHandler())  # silent unless the program wants to hear it


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return installed_version("bindrt")
    if name in _WHEN_ASKED:
        found = globals()[name] = getattr(importlib.import_module(_WHEN_ASKED[name]), name)
        return found
    if name in ("preprocess", "serving"):  # the latter needs libraries that embedding does without
        return importlib.import_module(f"bindrt.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "Audio",
    "BundleError",
    "CheckpointError",
    "Client",
    "ClosedError",
    "DeadlineExceeded",
    "Depth",
    "DeviceEmbeddings",
    "Embeddings",
    "Engine",
    "EngineError",
    "Error",
    "ExportError",
    "ForkError",
    "GpuEngine",
    "Image",
    "Imu",
    "InputError",
    "LimitError",
    "Limits",
    "MemoryBudgetExceeded",
    "Model",
    "Monitor",
    "OptionError",
    "Overloaded",
    "PipelineOptions",
    "Prepared",
    "Probe",
    "Scores",
    "SourceError",
    "SpaceError",
    "Streamed",
    "StreamedRow",
    "Thermal",
    "Video",
    "Window",
    "ZeroShot",
    "doctor",
    "load",
    "preprocess",
]
