"""A stand-in for the process in which Triton's Python backend runs a model of a repository."""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from support.triton_config import parse_config

TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1


class Tensor:
    def __init__(self, name: str, array: np.ndarray) -> None:
        self._name, self._array = name, array

    def name(self) -> str:
        return self._name

    def as_numpy(self) -> np.ndarray:
        return self._array


class TritonError(Exception):
    INTERNAL, INVALID_ARG, UNAVAILABLE, CANCELLED = "INTERNAL", "INVALID_ARG", "UNAVAILABLE", "CANCELLED"

    def __init__(self, message: str, code: str = INTERNAL) -> None:
        self.message, self.code = message, code


class InferenceResponse:
    def __init__(self, output_tensors: Sequence[Tensor] = (), error: TritonError | None = None) -> None:
        self.outputs = {tensor.name(): tensor.as_numpy() for tensor in output_tensors}
        self.error = error


class Sender:
    """Takes the only answer to a request."""

    def __init__(self) -> None:
        self.answer: Future[InferenceResponse] = Future()

    def send(self, response: InferenceResponse, flags: int) -> None:
        assert flags == TRITONSERVER_RESPONSE_COMPLETE_FINAL
        self.answer.set_result(response)


class Request:
    """A request as a model sees it."""

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray],
        parameters: str = "",
        is_cancelled: bool = False,
        timeout: int = 0,
    ) -> None:
        self.inputs = inputs
        self._timeout = timeout
        self._parameters, self._is_cancelled = parameters, is_cancelled
        self.sender = Sender()

    def get_response_sender(self) -> Sender:
        return self.sender

    def timeout(self) -> int:
        return self._timeout

    def parameters(self) -> str:
        return self._parameters

    def is_cancelled(self) -> bool:
        return self._is_cancelled


def get_input_tensor_by_name(request: Request, name: str) -> Tensor | None:
    return Tensor(name, request.inputs[name]) if name in request.inputs else None


def execute(model: Any, *requests: Request) -> list[InferenceResponse]:
    """The answers of a model, whether it returns or sends them."""
    returned = model.execute(requests)
    return returned if returned is not None else [request.sender.answer.result(60) for request in requests]


def files(*items: bytes, **parameters: object) -> Request:
    """A request with files."""
    data = np.array(items, object).reshape(-1, 1)
    return Request({"data": data}, json.dumps(parameters) if parameters else "")


@contextmanager
def backend() -> Iterator[None]:
    """The module that Triton gives its models."""
    module = types.ModuleType("triton_python_backend_utils")
    for each in (Tensor, TritonError, InferenceResponse, get_input_tensor_by_name):
        setattr(module, each.__name__, each)
    vars(module)["TRITONSERVER_RESPONSE_COMPLETE_FINAL"] = TRITONSERVER_RESPONSE_COMPLETE_FINAL
    sys.modules[module.__name__] = module
    try:
        yield
    finally:
        del sys.modules[module.__name__]


@contextmanager
def loaded(repository: Path, name: str) -> Iterator[Any]:
    """A model of a repository, initialized as the server does it, and finalized at the end."""
    folder = repository / name
    config = parse_config((folder / "config.pbtxt").read_text("utf-8"))
    spec = importlib.util.spec_from_file_location(f"triton_{name}", folder / "1" / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.TritonPythonModel()
    model.initialize(
        {
            "model_config": json.dumps(config),
            "model_repository": str(folder),
            "model_version": "1",
            "model_name": name,
            "model_instance_kind": "CPU",
            "model_instance_device_id": "0",
        }
    )
    try:
        yield model
    finally:
        if hasattr(model, "finalize"):
            model.finalize()
