"""What a sample of Zenoh holds: its message's type, its bytes or its fields, its time."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, NamedTuple

import bindrt

#: A key of rmw_zenoh: DOMAIN/TOPIC/sensor_msgs::msg::dds_::Imu_/HASH.
_ROS_KEY = re.compile(r"/(\w+)::msg::dds_::(\w+)_/")
_USUAL = {"imu": "sensor_msgs/msg/Imu", "audio": "audio_common_msgs/msg/AudioDataStamped"}
_PICTURE = "sensor_msgs/msg/Image"


class Incoming(NamedTuple):
    """What came.

    Attributes:
        type: for example ``sensor_msgs/msg/Imu``.
        encoding: ``cdr`` or ``json``.
        data: the bytes of the message.
        message: its fields, where no bytes have to be decoded.
        time: when it was published, in nanoseconds since 1970; None: not known.
    """

    type: str
    encoding: str
    data: bytes
    message: Any
    time: int | None


def read_sample(sample: Any, told: str, modality: str | None) -> Incoming:
    """Reads a sample's encoding.

    Its message's type is what ``told`` says; else the schema of its encoding, as in
    ``application/cdr;sensor_msgs/msg/Imu``; else what a key of rmw_zenoh says; else the usual one of the
    modality. A picture that is a JPEG or PNG by itself (``image/jpeg``) needs no message around it.

    Raises:
        bindrt.InputError: nothing says what it is.
    """
    encoding, _, schema = str(sample.encoding).partition(";")
    data = sample.payload.to_bytes()
    time = None if sample.timestamp is None else round(sample.timestamp.get_time().timestamp() * 1e9)
    if encoding in ("image/jpeg", "image/png"):
        picture = SimpleNamespace(format=encoding.partition("/")[2], data=data)
        return Incoming("sensor_msgs/msg/CompressedImage", "cdr", data, picture, time)
    kind = told or schema or _of_key(str(sample.key_expr)) or _usual(modality)
    if not kind:
        raise bindrt.InputError(
            "sample", "nothing says what its message is", "name its type: --type KEY=TYPE"
        )
    return Incoming(kind, "json" if encoding.endswith("json") else "cdr", data, None, time)


def _of_key(key: str) -> str:
    found = _ROS_KEY.search(key)
    return f"{found[1]}/msg/{found[2]}" if found else ""


def _usual(modality: str | None) -> str:
    return "" if modality is None else _USUAL.get(modality, _PICTURE)
