"""ONNX Runtime: the embedded default on a CPU, and its GPU providers where they are installed."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import _core
from bindrt.cores import computing_threads
from bindrt.engines import onnxruntime_session as sessions
from bindrt.engines.kind import EngineKind
from bindrt.engines.onnx_file import require_listed_files
from bindrt.engines.onnxruntime_cuda import OnnxRuntimeGpuEngine
from bindrt.engines.onnxruntime_providers import (
    CPU,
    ON_STREAM,
    device_and_batch,
    is_free_to_choose,
    providers_of,
    usable_providers,
)
from bindrt.engines.protocols import Engine
from bindrt.engines.spec import STARTUPS, EngineSettings, EngineSpec, one_line
from bindrt.errors import EngineError
from bindrt.extras import repair
from bindrt.heldfile import MappedFiles

# From 1.29 on it collects data about its use and sends them, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

LOG = logging.getLogger(__name__)


class OnnxRuntimeEngine:
    """One encoder in an ONNX Runtime session; weights are mapped from the bundle."""

    name = "onnxruntime"

    def __init__(
        self,
        spec: EngineSpec,
        settings: EngineSettings,
        chosen: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:
        """Open ``spec.files[0]``, whose weights are in the other files beside it.

        Args:
            chosen: providers and their options; None: those of the settings.

        Raises:
            BundleError: the graph refers to what the bundle does not list for it, or does not hold.
            EngineError: the device is not there, or ONNX Runtime refuses the graph.
        """
        require_listed_files(spec.files[0], spec.files[1:])
        chosen = usable_providers(settings, spec.precision) if chosen is None else chosen
        self.precision = spec.precision
        self._spec = spec
        self._mapped = MappedFiles(spec.files)
        self.device, self.max_batch = device_and_batch(chosen, spec)
        self._session = sessions.open_session(
            spec.files[0], sessions.session_options(settings), chosen, self.device
        )
        self.threads = computing_threads(settings.threads) if self.device == "cpu" else 0
        sessions.check_signature(self._session, spec)

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        self._mapped.require_unchanged()
        try:
            result = self._session.run(["embedding"], {"input": inputs})[0]
        except Exception as error:
            raise EngineError(
                f"{self._spec.encoder} batch {list(inputs.shape)}",
                f"ONNX Runtime failed ({one_line(error)})",
            ) from None
        self._spec.check_result(result, out)
        out[...] = result


def open_onnxruntime(spec: EngineSpec, settings: EngineSettings) -> Engine:
    """An engine on the device that the settings name.

    Where nobody has named one, a GPU on which the encoder cannot be computed is passed over with a warning.
    """
    chosen = usable_providers(settings, spec.precision)
    try:
        if next(iter(chosen)) in ON_STREAM and _core.gpu.available():
            return OnnxRuntimeGpuEngine(spec, settings, chosen)
        return OnnxRuntimeEngine(spec, settings, chosen)
    except EngineError as error:
        if not is_free_to_choose(settings) or not any(name in chosen for name in ON_STREAM):
            raise
        LOG.warning("%s: computed on the CPU, since %s", spec.encoder, error.problem)
        return OnnxRuntimeEngine(spec, settings, {CPU: {}})


KIND = EngineKind(
    name="onnxruntime",
    modules=("onnxruntime",),
    distributions=("onnxruntime", "onnxruntime-gpu"),
    gives="the default engine on CPUs",
    remedy=lambda: repair("onnxruntime"),
    devices=("cpu", "cuda"),
    precisions=("fp32", "fp16", "bf16", "int8"),
    open=open_onnxruntime,
    included=True,
    startups=STARTUPS,
    detail=providers_of,
)
