"""OpenVINO: Intel CPUs, GPUs and NPUs, Arm CPUs; runs the bundle's ONNX graphs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt import hardware
from bindrt.cache import cache_folder
from bindrt.cores import computing_threads, told_threads
from bindrt.engines.kind import EngineKind
from bindrt.engines.onnx_file import require_listed_files
from bindrt.engines.spec import EngineSettings, EngineSpec, one_line
from bindrt.errors import EngineError, OptionError
from bindrt.extras import install
from bindrt.heldfile import MappedFiles

#: What the products are computed in, whatever float type the files' weights have. Without it OpenVINO takes
#: what it finds fastest, bfloat16 on a Xeon.
PRECISION_HINT = {"fp32": "f32", "fp16": "f16", "bf16": "bf16", "int8": "f32", "fp8": "f32"}


class OpenVinoEngine:
    """One encoder, compiled by OpenVINO; weights are mapped from the bundle.

    Attributes:
        compiled: OpenVINO's compiled model, which knows its properties.
    """

    name = "openvino"

    def __init__(self, spec: EngineSpec, settings: EngineSettings) -> None:
        """Read and compile ``spec.files[0]``.

        Raises:
            BundleError: the graph refers to what the bundle does not list for it, or does not hold.
            EngineError: the device is not there, or OpenVINO refuses the graph or the precision.
        """
        import openvino

        graph = spec.files[0]
        require_listed_files(graph, spec.files[1:])
        core = openvino.Core()
        device = device_of(core, settings.device)
        self.precision = spec.precision
        self.device = device.lower()
        self.threads = computing_threads(settings.threads) if device == "CPU" else 0
        self.max_batch = spec.cpu_batch()
        self._spec = spec
        self._mapped = MappedFiles(spec.files)
        try:
            core.set_property({"ENABLE_MMAP": True})
            self.compiled = core.compile_model(
                core.read_model(str(graph)), device, properties(spec, settings, device)
            )
        except Exception as error:  # it raises one type for everything
            raise EngineError(
                graph.name,
                f"OpenVINO refuses the graph ({one_line(error)})",
                "export it again, or use engine='onnxruntime'",
            ) from None
        self._require_precision(graph.name)
        self._idle: list[Any] = []  # infer requests, each for one call at a time
        self._lock = threading.Lock()

    def run(self, inputs: npt.NDArray[np.generic], out: npt.NDArray[np.float32]) -> None:
        self._mapped.require_unchanged()
        with self._request() as request:
            try:
                result = request.infer({"input": inputs}, share_inputs=True, share_outputs=True)["embedding"]
            except Exception as error:
                raise EngineError(
                    f"{self._spec.encoder} batch {list(inputs.shape)}",
                    f"OpenVINO failed ({one_line(error)})",
                ) from None
            self._spec.check_result(result, out)
            out[...] = result

    @contextmanager
    def _request(self) -> Iterator[Any]:
        with self._lock:
            request = self._idle.pop() if self._idle else None
        request = request or self.compiled.create_infer_request()
        yield request
        with self._lock:  # not after an error: a failed request is not used again
            self._idle.append(request)

    def _require_precision(self, name: str) -> None:
        """Float32 is exact or it is refused; a device without a half type computes the others in float32."""
        found = str(self.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        if self.precision == "fp32" and found != "f32":
            raise EngineError(
                f"{name} on {self.device}",
                f"OpenVINO computes in {found}, not in fp32 as asked",
                "use device='cpu', or engine='onnxruntime'",
            )


def device_of(core: Any, asked: str) -> str:
    """OpenVINO's name of a device: ``CPU``, ``GPU``, ``GPU.1``, ``NPU``.

    Raises:
        OptionError: OpenVINO has no such kind of device.
        EngineError: this machine has none of that kind.
    """
    name = "CPU" if asked == "auto" else asked.upper()
    if name.partition(".")[0] not in ("CPU", "GPU", "NPU"):
        raise OptionError(f"device={asked!r}", "OpenVINO has none", "use auto, cpu, gpu, gpu.N or npu")
    there = core.available_devices
    if not any(name in (device, device.partition(".")[0]) for device in there):
        raise EngineError(
            f"device={asked!r}", f"OpenVINO finds none here; it has {', '.join(there)}", "use device='cpu'"
        )
    return name


def properties(spec: EngineSpec, settings: EngineSettings, device: str) -> dict[str, Any]:
    """For ``compile_model``; what the user gives comes last."""
    found: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": precision_hint(spec.precision, device),
    }
    if device == "CPU" and (threads := told_threads(settings.threads)) is not None:
        found["INFERENCE_NUM_THREADS"] = threads
    if (cache := model_cache(spec, device)) is not None:
        found |= {"CACHE_DIR": str(cache), "CACHE_MODE": "OPTIMIZE_SIZE"}
    return {**found, **settings.options}


def precision_hint(precision: str, device: str) -> str:
    """What OpenVINO computes in; for int8, what is between the products of bytes.

    Matrix units make attention in bfloat16 faster by more than the conversions cost; vectors of bfloat16 do
    not (docs/engines.md). OpenVINO itself keeps the residual stream in float32.
    """
    if precision == "int8" and device == "CPU" and "amx_bf16" in hardware.units("bf16"):
        return "bf16"
    return PRECISION_HINT[precision]


def model_cache(spec: EngineSpec, device: str) -> Path | None:
    """Where OpenVINO keeps the compiled model without its weights."""
    import openvino

    folder = cache_folder("openvino")
    if folder is None or not spec.key:
        return None
    return folder / f"{spec.key[:32]}-{spec.precision}-{device.lower()}-{openvino.__version__}"


def lacks(precision: str) -> str:
    """OpenVINO widens bf16 where the processor has no units for it, which is no faster than float32."""
    here = any(unit.startswith(("amx", "avx")) for unit in hardware.units(precision))
    return "" if here else f"the processor has no {precision} units"


KIND = EngineKind(
    name="openvino",
    modules=("openvino",),
    distributions=("openvino",),
    gives="Intel CPUs, GPUs and NPUs, Arm CPUs",
    remedy=lambda: install("openvino"),
    devices=("cpu", "gpu", "npu"),
    precisions=("fp32", "fp16", "bf16", "int8"),
    open=OpenVinoEngine,
    computes={"fp32": ("bf16",), "fp16": ("bf16",)},
    lacks=lacks,
    detail=lambda module: ", ".join(module.Core().available_devices),
)
