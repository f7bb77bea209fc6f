"""The part of Triton's ``ModelConfig`` that our files use, to read them as the server does.

Names, numbers and types of the fields are facts of model_config.proto (package ``inference``). What is not
among them is an error, as it is for the server.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format
from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "uint32": _Field.TYPE_UINT32,
    "int64": _Field.TYPE_INT64,
    "uint64": _Field.TYPE_UINT64,
}
_ENUMS = {
    "DataType": {
        "TYPE_INVALID": 0,
        "TYPE_INT32": 8,
        "TYPE_INT64": 9,
        "TYPE_FP16": 10,
        "TYPE_FP32": 11,
        "TYPE_STRING": 13,
    },
    "Kind": {"KIND_AUTO": 0, "KIND_GPU": 1, "KIND_CPU": 2, "KIND_MODEL": 3},
    "TimeoutAction": {"REJECT": 0, "DELAY": 1},
}
#: Message: field: number, type; ``*`` is a repeated field, ``key>`` a map.
_MESSAGES = {
    "ModelInput": "name=1 string, data_type=2 DataType, dims=4 *int64, allow_ragged_batch=7 bool, "
    "optional=8 bool",
    "ModelOutput": "name=1 string, data_type=2 DataType, dims=3 *int64",
    "ModelInstanceGroup": "kind=4 Kind, count=2 int32",
    "ModelQueuePolicy": "timeout_action=1 TimeoutAction, default_timeout_microseconds=2 uint64, "
    "allow_timeout_override=3 bool, max_queue_size=4 uint32",
    "ModelDynamicBatching": "max_queue_delay_microseconds=2 uint64, priority_levels=4 uint64, "
    "default_priority_level=5 uint64, default_queue_policy=6 ModelQueuePolicy",
    "Latest": "num_versions=1 uint32",
    "ModelVersionPolicy": "latest=1 Latest",
    "ModelParameter": "string_value=1 string",
    "Step": "model_name=1 string, model_version=2 int64, input_map=3 string>string, "
    "output_map=4 string>string",
    "ModelEnsembling": "step=1 *Step",
    "Input": "data_type=1 DataType, dims=2 *int64, zero_data=3 bool",
    "ModelWarmup": "name=1 string, batch_size=2 uint32, inputs=3 string>Input",
    "ModelConfig": "name=1 string, platform=2 string, backend=17 string, "
    "version_policy=3 ModelVersionPolicy, max_batch_size=4 int32, input=5 *ModelInput, "
    "output=6 *ModelOutput, "
    "instance_group=7 *ModelInstanceGroup, "
    "dynamic_batching=11 ModelDynamicBatching, parameters=14 string>ModelParameter, "
    "ensemble_scheduling=15 ModelEnsembling, model_warmup=16 *ModelWarmup",
}


def parse_config(text: str) -> dict[str, Any]:
    """``config.pbtxt`` as the server gives it to a model.

    Raises:
        text_format.ParseError: a field that there is none of, or a value of another type.
    """
    message = text_format.Parse(text, _model_config()())
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    for entry in (*found["input"], *found["output"]):
        entry["dims"] = [int(n) for n in entry["dims"]]  # 64-bit numbers are texts in protobuf's JSON
    return found


@lru_cache(maxsize=1)
def _model_config() -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(
        name="model_config_subset.proto", package="subset", syntax="proto3"
    )
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for value, number in values.items():
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split(", "):
            label, kind = field.split(" ")
            _add(message, label.split("=")[0], int(label.split("=")[1]), kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("subset.ModelConfig"))


def _add(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    repeated = kind.startswith("*") or ">" in kind
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, label=label)
    if ">" in kind:
        key, value = kind.split(">")
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add(entry, "key", 1, key)
        _add(entry, "value", 2, value)
        _set_type(field, f"{message.name}.{entry.name}")
    else:
        _set_type(field, kind.removeprefix("*"))


def _set_type(field: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type = _Field.TYPE_ENUM if kind in _ENUMS else _Field.TYPE_MESSAGE
        field.type_name = f".subset.{kind}"
