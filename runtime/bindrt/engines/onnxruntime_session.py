"""Sessions of ONNX Runtime: how they are opened, and what is checked of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bindrt.cores import told_threads
from bindrt.engines import onnxruntime_plugin as plugin
from bindrt.engines.onnxruntime_providers import CUDA
from bindrt.engines.spec import FAST_START, EngineSettings, EngineSpec, one_line
from bindrt.errors import EngineError

QUIET = 4  # ONNX Runtime logs what it also raises
TYPES = {"float32": "tensor(float)", "int64": "tensor(int64)"}


def session_options(settings: EngineSettings) -> Any:
    """``onnxruntime.SessionOptions``."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = QUIET
    if (threads := told_threads(settings.threads)) is not None:
        options.intra_op_num_threads = threads
    if not settings.spin:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if settings.startup == FAST_START:
        # Products read the mapped weights as they lie; else each is copied into the kernel's layout.
        options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def open_session(
    graph: Path, options: Any, chosen: Mapping[str, dict[str, Any]], device: str, model: bytes | None = None
) -> Any:
    """An ``onnxruntime.InferenceSession`` of a graph, whose first provider has started.

    Args:
        device: its name, for messages.
        model: the graph's bytes where they are not the file's; weights lie beside the file.

    Raises:
        EngineError: ONNX Runtime refuses the graph, or the provider does not start.
    """
    import onnxruntime as ort

    if CUDA in chosen and hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # cuBLAS and cuDNN of NVIDIA's packages, which no loader finds by itself
    if model is not None:
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(graph.parent)
        )
    given = {name: values for name, values in chosen.items() if name != plugin.NAME}
    if plugin.NAME in chosen:
        texts = {name: str(value) for name, value in chosen[plugin.NAME].items() if name != "device_id"}
        index = int(chosen[plugin.NAME].get("device_id", 0))
        options.add_provider_for_devices([plugin.device(ort, index)], texts)
        given = {}  # ONNX Runtime takes one or the other way, and adds the CPU by itself
    try:
        session = ort.InferenceSession(model or str(graph), options, providers=list(given.items()) or None)
    except Exception as error:  # its exceptions have no other common base
        raise EngineError(
            graph.name, f"ONNX Runtime refuses the graph ({one_line(error)})", "export it again"
        ) from None
    _require_started(session, next(iter(chosen)), device)
    return session


def _require_started(session: Any, first: str, device: str) -> None:
    """A provider that does not start is dropped with a warning only, and the CPU would do its work."""
    if first not in (started := session.get_providers()):
        raise EngineError(
            f"device={device!r}",
            f"{first} did not start; ONNX Runtime has {', '.join(started)}",
            "see `python -m bindrt doctor` for the driver, or use device='cpu'",
        )


def check_signature(session: Any, spec: EngineSpec) -> None:
    """
    Raises:
        EngineError: the graph does not turn the encoder's input into vectors.
    """
    name = spec.files[0].name
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if [i.name for i in inputs] != ["input"] or [o.name for o in outputs] != ["embedding"]:
        raise EngineError(name, "the graph's inputs or outputs are not input → embedding", "export it again")
    expected = TYPES[spec.dtype]
    if inputs[0].type != expected or outputs[0].type != "tensor(float)":
        raise EngineError(
            name,
            f"the graph turns {inputs[0].type} into {outputs[0].type}",
            f"it must turn {expected} into tensor(float); export it again",
        )
