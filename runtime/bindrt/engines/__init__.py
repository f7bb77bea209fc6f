"""Engines: run one encoder on one device; chosen from what the bundle holds and the machine has."""

from __future__ import annotations

from bindrt.bundle import Bundle
from bindrt.engines.base import Engine
from bindrt.errors import EngineError, OptionError
from bindrt.manifest import EngineFiles

__all__ = ["ENGINES", "Engine", "choose", "open_engine"]

ENGINES = ("onnxruntime", "openvino", "tensorrt", "tensorrt-rtx")
BUILT = ("onnxruntime",)


def choose(bundle: Bundle, encoder: str, engine: str, precision: str, device: str) -> EngineFiles:
    """The engine files to use for an encoder; ``engine="auto"`` never changes the precision.

    Raises:
        OptionError: the names are not known.
        EngineError: the bundle has nothing that fits, or this version cannot run it.
    """
    if engine not in ("auto", *ENGINES):
        raise OptionError(f"engine={engine!r}", "unknown engine", f"one of auto, {', '.join(ENGINES)}")
    if device not in ("auto", "cpu"):
        raise OptionError(f"device={device!r}", "not available in this version", "use auto or cpu")
    if engine not in ("auto", *BUILT):
        raise EngineError(f"engine={engine!r}", "not built yet in this version", f"use {', '.join(BUILT)}")
    fitting = [
        e
        for e in bundle.manifest.engines
        if e.encoder == encoder
        and e.precision == precision
        and e.engine in BUILT
        and engine in ("auto", e.engine)
    ]
    if not fitting:
        held = sorted({f"{e.engine} {e.precision}" for e in bundle.manifest.engines if e.encoder == encoder})
        raise EngineError(
            f"{bundle.path.name} {encoder}",
            f"no {precision} files for engine {engine}; it holds {', '.join(held) or 'none'}",
            f"export again with --precision {precision}",
        )
    return fitting[0]


def open_engine(bundle: Bundle, files: EngineFiles, threads: int | None) -> Engine:
    """Start the engine on its files."""
    from bindrt.engines.onnxruntime import OnnxRuntimeEngine  # a second to import; only when needed

    paths = [bundle.file(entry) for entry in files.files]
    encoder = bundle.manifest.encoders[files.encoder]
    return OnnxRuntimeEngine(paths, encoder, bundle.manifest.embed_dim, files.precision, threads)
