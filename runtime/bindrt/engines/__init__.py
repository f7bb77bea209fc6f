"""Engines: run one encoder on one device; chosen from what the bundle holds and the machine has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from bindrt.bundle import Bundle
from bindrt.bundle.manifest import EngineFiles
from bindrt.engines.available import REMEDY, absence, import_engine, module_name
from bindrt.engines.base import Engine, Job, Settings, cuda_index
from bindrt.errors import EngineError, OptionError

__all__ = ["ENGINES", "Engine", "Job", "Settings", "candidates", "choose", "open_engine", "start"]

#: In the order of preference where nothing was measured.
ENGINES = ("onnxruntime", "openvino", "tensorrt", "tensorrt-rtx")


def candidates(
    bundle: Bundle, encoder: str, engine: str, precision: str, device: str
) -> tuple[EngineFiles, ...]:
    """The engine files that could be used for an encoder; never of another precision.

    With ``engine="auto"`` those whose engine and device are here; else those of the engine, which may be
    absent: then opening says what is missing.

    Raises:
        OptionError: the names are not known.
        EngineError: the bundle has nothing that fits.
    """
    if engine not in ("auto", *ENGINES):
        raise OptionError(f"engine={engine!r}", "unknown engine", f"one of auto, {', '.join(ENGINES)}")
    refuse_unknown_device(device)
    held = [e for e in bundle.manifest.engines if e.encoder == encoder]
    fitting = [e for e in held if e.precision == precision and engine in ("auto", e.engine)]
    if not fitting:
        names = sorted({f"{e.engine} {e.precision}" for e in held})
        raise EngineError(
            f"{bundle.path.name} {encoder}",
            f"no {precision} files for engine {engine}; it holds {', '.join(names) or 'none'}",
            f"export again with --precision {precision}"
            + (f" --engine {engine}" if engine != "auto" else ""),
        )
    if engine != "auto":
        return tuple(fitting)
    usable = [e for e in fitting if not absence(e.engine) and runs_on(e.engine, device)]
    if not usable:
        why = [f"{e.engine}: {absence(e.engine) or f'not on {device}'}" for e in fitting]
        remedy = next(
            (REMEDY[e.engine] for e in fitting if module_name(e.engine) is None), "use device='auto'"
        )
        raise EngineError(
            f"{bundle.path.name} {encoder}", f"none of its engines runs here ({'; '.join(why)})", remedy
        )
    return tuple(sorted(usable, key=lambda e: ENGINES.index(e.engine)))


def refuse_unknown_device(device: str) -> None:
    name, _, number = device.partition(".")
    if device in ("auto", "cpu", "gpu", "npu") or cuda_index(device) is not None:
        return
    if name == "gpu" and number.isascii() and number.isdigit():
        return
    raise OptionError(
        f"device={device!r}", "unknown device", "use auto, cpu, cuda, cuda:N; with OpenVINO gpu, gpu.N, npu"
    )


def runs_on(engine: str, device: str) -> bool:
    """Whether an engine knows the kind of device."""
    if device == "auto":
        return True
    if cuda_index(device) is not None:
        return engine != "openvino"
    return engine == "openvino" if device != "cpu" else engine in ("onnxruntime", "openvino")


def choose(
    bundle: Bundle, encoder: str, engine: str, precision: str, device: str, settings: Settings | None = None
) -> EngineFiles:
    """The one engine for an encoder: where several could be used, the one that measured fastest here.

    The first time a machine meets a bundle this opens and runs each (docs/engines.md); then it is remembered.
    """
    return pick(bundle, candidates(bundle, encoder, engine, precision, device), settings or Settings(device))


def pick(bundle: Bundle, found: Sequence[EngineFiles], settings: Settings) -> EngineFiles:
    if len(found) == 1:
        return found[0]
    from bindrt.engines.auto import fastest

    return fastest(bundle, found, settings)


def start(bundle: Bundle, found: Sequence[EngineFiles], settings: Settings) -> Engine:
    """Open the best of the candidates."""
    return open_engine(bundle, pick(bundle, found, settings), settings)


def open_engine(bundle: Bundle, files: EngineFiles, settings: Settings | None = None) -> Engine:
    """Start an engine on its files.

    Raises:
        BundleError: a file is unsafe or damaged.
        EngineError: the engine is not here, or refuses the files, the precision or the device.
        OptionError: the engine has no such device or option.
    """
    settings = settings or Settings()
    if not runs_on(files.engine, settings.device):
        raise OptionError(f"device={settings.device!r}", f"{files.engine} has none", "use device='auto'")
    import_engine(files.engine)
    job = job_of(bundle, files)
    # Imported here: each takes its engine's library, which may be absent, and up to a second.
    if files.engine == "onnxruntime":
        from bindrt.engines.onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(job, settings)
    if files.engine == "openvino":
        from bindrt.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(job, settings)
    from bindrt.engines.tensorrt import TensorRtEngine

    return TensorRtEngine(job, settings, files.engine)


def job_of(bundle: Bundle, files: EngineFiles) -> Job:
    return Job(
        files=[bundle.file(entry) for entry in files.files],
        encoder=bundle.manifest.encoders[files.encoder],
        embed_dim=bundle.manifest.embed_dim,
        precision=files.precision,
        target=files.target,
        version=files.version,
        max_batch=files.max_batch,
        key=files_key(files),
    )


def files_key(files: EngineFiles) -> str:
    """Of all that the engine reads: equal wherever the same bundle lies."""
    listed = [(entry.path, entry.sha256, entry.bytes) for entry in files.files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()
