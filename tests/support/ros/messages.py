"""Classes of messages as ROS 2 makes them for Python: fields, defaults, and checks of types.

The fields are those that rosbags knows, which also writes and reads the messages.
"""

from __future__ import annotations

import array
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pytest

typesys = pytest.importorskip("rosbags.typesys")

_BASE, _NAME, _ARRAY, _SEQUENCE = 1, 2, 3, 4  # rosbags' kinds of fields
_CODES = {
    "int8": "b", "uint8": "B", "char": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
    "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip
_OTHERS = {
    "audio_common_msgs/msg/AudioData": "uint8[] data",
    "audio_common_msgs/msg/AudioDataStamped": "std_msgs/Header header\naudio_common_msgs/AudioData audio",
    "audio_common_msgs/msg/AudioInfo": (
        "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format"
    ),
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/Classification": "std_msgs/Header header\nvision_msgs/ObjectHypothesis[] results",
}
#: The packages of messages that the stand-in has.
PACKAGES = (
    "audio_common_msgs", "builtin_interfaces", "diagnostic_msgs", "rcl_interfaces", "sensor_msgs", "std_msgs",
    "vision_msgs",
)  # fmt: skip


@lru_cache(maxsize=1)
def store() -> Any:
    made = typesys.get_typestore(typesys.Stores.ROS2_HUMBLE)
    types: dict[str, Any] = {}
    for name, text in _OTHERS.items():
        types.update(typesys.get_types_from_msg(text, name))
    made.register(types)
    return made


class Message:
    """A message. Only keywords make one, and a field takes only values of its type."""

    KIND = ""
    FIELDS: dict[str, Any] = {}  # noqa: RUF012 - each class has its own

    def __init__(self, **given: Any) -> None:
        unknown = set(given) - set(self.FIELDS)
        assert not unknown, f"{self.KIND} has no {unknown}"
        for name, node in self.FIELDS.items():
            setattr(self, name, given[name] if name in given else _default(node))

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self.FIELDS, f"{self.KIND} has no field {name}"
        super().__setattr__(name, _checked(self.FIELDS[name], value, f"{self.KIND}.{name}"))


@cache
def message_type(kind: str) -> Any:
    """The class of a type such as ``sensor_msgs/msg/Imu``."""
    constants, fields = store().fielddefs[kind]
    package, _, name = kind.split("/")
    values = {c: bytes([value]) if base == "byte" else value for c, base, value in constants}
    told = {"KIND": kind, "FIELDS": dict(fields), "__module__": f"{package}.msg", **values}
    return type(name, (Message,), told)


def kinds(package: str) -> list[str]:
    return [kind for kind in store().fielddefs if kind.startswith(f"{package}/msg/")]


def to_bytes(message: Message) -> bytes:
    """As it goes over the network."""
    return bytes(store().serialize_cdr(_plain(message), message.KIND))


def from_bytes(data: bytes, kind: str) -> Any:
    return _message(store().deserialize_cdr(data, kind), kind)


def _default(node: Any) -> Any:
    sort, what = node
    if sort == _BASE:
        return {"bool": False, "string": "", "byte": b"\0"}.get(what[0], 0.0 if "float" in what[0] else 0)
    if sort == _NAME:
        return message_type(what)()
    (inner, kind), length = what
    if sort == _ARRAY:
        return np.zeros(length, kind[0])
    return array.array(_CODES[kind[0]]) if inner == _BASE and kind[0] in _CODES else []


def _checked(node: Any, value: Any, where: str) -> Any:
    sort, what = node
    if sort == _BASE:
        _check_plain(what[0], value, where)
        return value
    if sort == _NAME:
        assert isinstance(value, message_type(what)), f"{where} is {type(value).__name__}"
        return value
    (inner, kind), length = what
    if sort == _ARRAY:
        found = np.asarray(value, kind[0])
        assert found.shape == (length,), f"{where} has {length} numbers"
        return found
    if inner == _BASE and kind[0] in _CODES:
        code = _CODES[kind[0]]
        if isinstance(value, array.array):
            assert value.typecode == code, f"{where} is array({code!r})"
            return value
        return array.array(code, value)
    assert isinstance(value, (list, tuple)), f"{where} is {type(value).__name__}"
    assert not length or len(value) <= length, where
    for each in value:
        if inner == _NAME:
            assert isinstance(each, message_type(kind)), f"{where} holds {type(each).__name__}"
        else:
            _check_plain(kind[0], each, where)
    return list(value)


def _check_plain(kind: str, value: Any, where: str) -> None:
    if kind == "byte":
        fits = isinstance(value, bytes) and len(value) == 1
    elif kind in ("bool", "string"):
        fits = isinstance(value, bool if kind == "bool" else str)
    elif kind.startswith("float"):
        fits = isinstance(value, float)
    else:
        bounds = np.iinfo(kind)
        fits = isinstance(value, int) and not isinstance(value, bool) and bounds.min <= value <= bounds.max
    assert fits, f"{where} is a {kind}, not {value!r}"


def _plain(message: Message) -> Any:
    """The message as rosbags has it."""
    made = {name: _as_rosbags(node, getattr(message, name)) for name, node in message.FIELDS.items()}
    return store().types[message.KIND](**made)


def _as_rosbags(node: Any, value: Any) -> Any:
    sort, what = node
    if sort == _NAME:
        return _plain(value)
    if sort == _BASE:
        return value[0] if what[0] == "byte" else value
    (inner, kind), _ = what
    if inner == _NAME:
        return [_plain(each) for each in value]
    return np.array(value, kind[0]) if kind[0] in _CODES else list(value)


def _message(plain: Any, kind: str) -> Any:
    cls = message_type(kind)
    return cls(**{name: _of_rosbags(node, getattr(plain, name)) for name, node in cls.FIELDS.items()})


def _of_rosbags(node: Any, value: Any) -> Any:
    sort, what = node
    if sort == _NAME:
        return _message(value, what)
    if sort == _BASE:
        return bytes([value]) if what[0] == "byte" else value
    (inner, kind), _ = what
    if inner == _NAME:
        return [_message(each, kind) for each in value]
    if sort == _SEQUENCE and kind[0] in _CODES:
        return array.array(_CODES[kind[0]], np.asarray(value).tobytes())
    return value
