"""The messages of the Open Inference Protocol's gRPC service, from a table: no compiler is needed.

They live in a pool of their own, beside those that a client in the same process may have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped,unused-ignore]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
_SCALARS = {
    "bool": 8, "string": 9, "bytes": 12, "int64": 3, "uint64": 4, "int32": 5, "uint32": 13, "float": 2,
    "double": 1,
}  # fmt: skip
#: Each message with its fields: name, number and type. ``*`` stands before what is repeated.
_MESSAGES: Mapping[str, str] = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "live=1 bool",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "ready=1 bool",
    "ModelReadyRequest": "name=1 string, version=2 string",
    "ModelReadyResponse": "ready=1 bool",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "name=1 string, version=2 string, extensions=3 *string",
    "ModelMetadataRequest": "name=1 string, version=2 string",
    "TensorMetadata": "name=1 string, datatype=2 string, shape=3 *int64",
    "ModelMetadataResponse": "name=1 string, versions=2 *string, platform=3 string, "
    "inputs=4 *TensorMetadata, outputs=5 *TensorMetadata",
    "InferParameter": "bool_param=1 bool, int64_param=2 int64, string_param=3 string, double_param=4 double, "
    "uint64_param=5 uint64",
    "ParametersEntry": "key=1 string, value=2 InferParameter",
    "InferTensorContents": "bool_contents=1 *bool, int_contents=2 *int32, int64_contents=3 *int64, "
    "uint_contents=4 *uint32, uint64_contents=5 *uint64, fp32_contents=6 *float, fp64_contents=7 *double, "
    "bytes_contents=8 *bytes",
    "InferInputTensor": "name=1 string, datatype=2 string, shape=3 *int64, parameters=4 *ParametersEntry, "
    "contents=5 InferTensorContents",
    "InferRequestedOutputTensor": "name=1 string, parameters=2 *ParametersEntry",
    "ModelInferRequest": "model_name=1 string, model_version=2 string, id=3 string, "
    "parameters=4 *ParametersEntry, inputs=5 *InferInputTensor, outputs=6 *InferRequestedOutputTensor, "
    "raw_input_contents=7 *bytes",
    "InferOutputTensor": "name=1 string, datatype=2 string, shape=3 *int64, parameters=4 *ParametersEntry, "
    "contents=5 InferTensorContents",
    "ModelInferResponse": "model_name=1 string, model_version=2 string, id=3 string, "
    "parameters=4 *ParametersEntry, outputs=5 *InferOutputTensor, raw_output_contents=6 *bytes",
}


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="bindrt_inference.proto", package=PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name == "InferParameter":  # which of its fields is set tells the type
            message.oneof_decl.add(name="parameter_choice")
        for text in filter(None, fields.split(", ")):
            _add(message, *text.split(" "))
    return file


def _add(message: Any, named: str, kind: str) -> None:
    name, _, number = named.partition("=")
    repeated, kind = kind.startswith("*"), kind.removeprefix("*")
    field = message.field.add(name=name, number=int(number), label=3 if repeated else 1)
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = 11, f".{PACKAGE}.{kind}"
    if message.name == "InferParameter":
        field.oneof_index = 0


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())


def message(name: str) -> Any:
    """The class of a message."""
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
