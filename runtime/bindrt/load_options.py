"""What ``bindrt.load`` was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bindrt.engines import Engine, EngineSettings
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.pipeline import PipelineOptions

EngineName = Literal["auto", "onnxruntime", "native", "openvino", "tensorrt", "tensorrt-rtx"]
Precision = Literal["fp32", "fp16", "bf16", "int8", "fp8", "fast", "fastest"]
Startup = Literal["fast-run", "fast-start"]


@dataclass(frozen=True)
class LoadOptions:
    """The arguments of :func:`bindrt.load`, which describes them; those of engines are in ``settings``."""

    engine: str = "auto"
    precision: str | None = None
    modalities: Iterable[str] | None = None
    settings: EngineSettings = field(default_factory=EngineSettings)
    limits: Limits = DEFAULT_LIMITS
    pipeline: PipelineOptions = field(default_factory=PipelineOptions)
    memory_budget: int | None = None
    engines: Mapping[str, Engine] | None = None
    isolate: bool = False
    item_timeout: float | None = None
