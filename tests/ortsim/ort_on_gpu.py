"""A stand-in for ONNX Runtime's providers for NVIDIA GPUs: CUDA, and the plug-in of TensorRT-RTX.

To import it changes ``onnxruntime``: sessions of such a provider then work on simulated device memory, on the
stream that they are given, and compute with ONNX Runtime's CPU kernels; bfloat16 with the ONNX package's own
evaluator.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import onnxruntime as ort
from onnx import TensorProto

from support.cuda_kernels import bfloat16_vectors, element_types, left_to_cpu
from support.device_calls import queue_call, read, recording, write

CPU, CUDA, PLUGIN = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "NvTensorRTRTX"))
original = ort.InferenceSession, ort.SessionOptions
#: How often sessions were asked to compute while their stream was being recorded.
recorded = itertools.count(1)
asked = itertools.count(1)


@dataclass(frozen=True)
class Node:
    name: str
    op_type: str


@dataclass(frozen=True)
class Part:
    ep_name: str
    nodes: Sequence[Node]

    def get_nodes(self) -> Sequence[Node]:
        return self.nodes


@dataclass(frozen=True)
class Device:
    ep_name: str = PLUGIN


class SessionOptions(original[1]):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.devices: list[Device] = []
        self.plugin: dict[str, str] = {}

    def add_provider_for_devices(self, devices: Sequence[Device], options: Mapping[str, str]) -> None:
        self.devices, self.plugin = list(devices), dict(options)


class Binding:
    def __init__(self) -> None:
        self.bound: dict[str, tuple[Any, ...]] = {}

    def bind_input(self, name: str, device: str, index: int, kind: Any, shape: Any, address: int) -> None:
        assert (device, index, address % 256) == ("cuda", 0, 0)
        self.bound[name] = (kind, tuple(shape), address)

    bind_output = bind_input


class Session:
    def __init__(
        self, model: bytes, options: SessionOptions, provider: str, given: Mapping[str, Any]
    ) -> None:
        self.stream = int(given["user_compute_stream"])
        self.provider = provider
        folder = options.get_session_config_entry("session.model_external_initializers_file_folder_path")
        self.graph = onnx.load_from_string(model)
        onnx.load_external_data_for_model(self.graph, folder)
        self.entered = threading.Lock()
        self.compute: Callable[[Any], Any]
        if TensorProto.BFLOAT16 in element_types(self.graph).values():
            self.compute = lambda x: bfloat16_vectors(self.graph, x)
            self.real = None
        else:
            plain = original[1]()
            plain.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
            plain.log_severity_level = 4
            self.real = original[0](model, plain, providers=[CPU])
            self.compute = lambda x: self.real.run(["embedding"], {"input": x})[0]

    def get_providers(self) -> list[str]:
        return [self.provider, CPU]

    def get_inputs(self) -> list[Any]:
        return [described(value) for value in self.graph.graph.input]

    def get_outputs(self) -> list[Any]:
        return [described(value) for value in self.graph.graph.output]

    def io_binding(self) -> Binding:
        return Binding()

    def get_provider_graph_assignment_info(self) -> list[Part]:
        missing = os.environ.get("ORTSIM_NO_KERNEL", "")
        on_cpu = [Node(*each) for each in left_to_cpu(self.graph, missing)]
        names = {node.name for node in on_cpu}
        others = [Node(n.name, n.op_type) for n in self.graph.graph.node if n.name not in names]
        return [Part(self.provider, others), Part(CPU, on_cpu)]

    def run_with_iobinding(self, binding: Binding, options: Any) -> None:
        assert options.get_run_config_entry("disable_synchronize_execution_providers") == "1"
        assert self.entered.acquire(blocking=False), "a stream serves one run at a time"
        try:
            self.refuse(binding.bound["input"][1][0])
            (kind, shape, source), (_, rows, target) = binding.bound["input"], binding.bound["embedding"]
            work = shape, kind, source, rows, target
            if not queue_call(self.stream, lambda: self.on_device(*work)):
                raise RuntimeError("CUDA failure: the stream takes no work")
        finally:
            self.entered.release()

    def refuse(self, rows: int) -> None:
        if recording(self.stream):
            next(recorded)
            raise RuntimeError("CUDA failure 900: operation not permitted when stream is capturing")
        if rows > int(os.environ.get("ORTSIM_MEMORY_ROWS", "1000")):
            raise RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer")
        every = int(os.environ.get("ORTSIM_FAIL_EVERY", "0"))
        if every and rows > 1 and next(asked) % every == 0:  # each row alone is good
            raise RuntimeError("now and then it fails")

    def on_device(self, shape: Any, kind: Any, source: int, rows: Any, target: int) -> None:
        given = read(source, shape, kind)
        if given is not None:
            result = self.compute(given)
            assert result.shape == tuple(rows)
            write(target, result)


def described(value: Any) -> Any:
    @dataclass(frozen=True)
    class Argument:
        name: str
        type: str

    kind = {TensorProto.FLOAT: "tensor(float)", TensorProto.INT64: "tensor(int64)"}[
        value.type.tensor_type.elem_type
    ]
    return Argument(value.name, kind)


def session(model: Any, options: Any, providers: Any = None) -> Any:
    if isinstance(options, SessionOptions) and options.devices:
        return Session(model, options, PLUGIN, options.plugin)
    first = providers[0] if providers else CPU
    name, given = (first, {}) if isinstance(first, str) else first
    if name == CUDA and not os.environ.get("ORTSIM_NO_START"):
        return Session(model, options, CUDA, given)
    return original[0](model, options, providers=[CPU])


def available() -> list[str]:
    return [CPU] if os.environ.get("ORTSIM_NO_CUDA") else [CUDA, CPU]


registered: list[str] = []


def register(name: str, path: str) -> None:
    assert name not in registered, "a library is registered once"
    if not os.path.exists(path):
        raise RuntimeError(f"Failed to load library {path}")
    registered.append(name)


ort.InferenceSession = session
ort.SessionOptions = SessionOptions
ort.get_available_providers = available
ort.register_execution_provider_library = register
ort.get_ep_devices = lambda: [Device()] if PLUGIN in registered else []
