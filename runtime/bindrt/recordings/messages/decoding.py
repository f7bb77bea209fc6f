"""Messages as objects: ROS 1 and ROS 2, protobuf, JSON.

A recording's own descriptions of ROS types are not used: rosbags would run code that it makes of them. The
types that are read are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from bindrt.recordings.libraries import library
from bindrt.recordings.messages.kinds import kind_of
from bindrt.recordings.raw import Topic

#: Makes an object of a message's bytes. It raises what the library raises.
Decode = Callable[[bytes], Any]

#: Types that rosbags does not bring.
_OTHER_TYPES: Mapping[str, str] = {
    "audio_common_msgs/AudioData": "uint8[] data",
    "audio_common_msgs/AudioDataStamped": "std_msgs/Header header\naudio_common_msgs/AudioData audio",
    "audio_common_msgs/AudioInfo": (
        "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format"
    ),
    "foxglove_msgs/RawImage": (
        "builtin_interfaces/Time timestamp\nstring frame_id\nuint32 width\nuint32 height\nstring encoding\n"
        "uint32 step\nuint8[] data"
    ),
    "foxglove_msgs/CompressedImage": (
        "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format"
    ),
    "foxglove_msgs/CompressedVideo": (
        "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format"
    ),
    "foxglove_msgs/RawAudio": (
        "builtin_interfaces/Time timestamp\nuint8[] data\nstring format\nuint32 sample_rate\n"
        "uint32 number_of_channels"
    ),
    "foxglove_msgs/CompressedAudio": "builtin_interfaces/Time timestamp\nuint8[] data\nstring format",
    "foxglove_msgs/CameraCalibration": (
        "builtin_interfaces/Time timestamp\nstring frame_id\nuint32 width\nuint32 height\n"
        "string distortion_model\nfloat64[] D\nfloat64[9] K\nfloat64[9] R\nfloat64[12] P"
    ),
}


def decoder_of(topic: Topic) -> Decode | None:
    """What makes objects of a topic's messages; None if they are written in a way that is not read.

    Raises:
        Exception: its protobuf description is damaged.
    """
    if topic.encoding in ("cdr", "ros1"):
        name = kind_of(topic.type).replace("foxglove/", "foxglove_msgs/").replace("/", "/msg/")
        store = _store(topic.encoding)
        deserialize = store.deserialize_cdr if topic.encoding == "cdr" else store.deserialize_ros1
        return lambda data: deserialize(data, name)
    if topic.encoding == "protobuf":
        return _protobuf_decoder(topic)
    if topic.encoding == "json":
        return lambda data: json.loads(data, object_hook=lambda fields: SimpleNamespace(**fields))
    return None


def _protobuf_decoder(topic: Topic) -> Decode | None:
    records = library("mcap.records", "mcap")
    factory = library("mcap_protobuf.decoder", "mcap-protobuf-support").DecoderFactory()
    schema = records.Schema(id=1, data=topic.schema, encoding="protobuf", name=topic.type)
    decode: Decode | None = factory.decoder_for("protobuf", schema)
    return decode


@lru_cache(maxsize=2)
def _store(encoding: str) -> Any:
    """The types as rosbags knows them, and the others."""
    typesys = library("rosbags.typesys", "rosbags")
    release = typesys.Stores.LATEST if encoding == "cdr" else typesys.Stores.ROS1_NOETIC
    store = typesys.get_typestore(release)
    types: dict[str, Any] = {}
    for name, text in _OTHER_TYPES.items():
        types.update(typesys.get_types_from_msg(text, name.replace("/", "/msg/")))
    store.register({name: fields for name, fields in types.items() if name not in store.fielddefs})
    return store
