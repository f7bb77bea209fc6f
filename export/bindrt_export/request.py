"""What an export is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What every export makes first, and everything else from it: graphs in float32, which ONNX Runtime runs.
PRECISION, ENGINE = "fp32", "onnxruntime"


@dataclass(frozen=True)
class EngineRequest:
    """What to make from the float32 graphs.

    Attributes:
        engines: names of engines beside ONNX Runtime, which every bundle has.
        targets: the GPUs that plans are built for, for example ``sm_89``; empty: the usual ones.
        precisions: what the bundle holds.
        calibration: folder of files that 8-bit ranges are measured on.
        allow: vectors past their precision's limit fail nothing.
        allow_log: errors that TensorRT logs while it builds fail nothing if they contain one of these texts.
    """

    engines: Sequence[str] = ()
    targets: Sequence[str] = ()
    precisions: Sequence[str] = (PRECISION,)
    calibration: Path | None = None
    allow: bool = False
    allow_log: Sequence[str] = ()


@dataclass(frozen=True)
class ExportRequest:
    """What to export, and where to.

    Attributes:
        checkpoint: a path, or ``random:SEED``.
        output: folder of the bundle.
        config: numbers that no tensor shows.
        modalities: names; None: all that the checkpoint has.
        engines: what to make from the float32 graphs.
        default_precision: what ``bindrt.load`` takes.
        pairs: folder of files that belong together; what precisions cost in retrieval is measured on them.
        lean: the bundle holds only what ``bindrt.load`` reads: no report, no records of how parts were made,
            none of torch's vectors for ``bind-export --check``.
    """

    checkpoint: str
    output: Path
    config: Mapping[str, Any]
    modalities: Sequence[str] | None = None
    engines: EngineRequest = field(default_factory=EngineRequest)
    default_precision: str = PRECISION
    pairs: Path | None = None
    lean: bool = False
