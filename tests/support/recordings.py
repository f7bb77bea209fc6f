"""Recordings of robots, written by the libraries that robots use: mcap, mcap-ros2, mcap-protobuf, rosbags.

Where they are missing, as in the environment of `make wheel`, the tests that use this are skipped.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

mcap_writer = pytest.importorskip("mcap.writer")
mcap_protobuf_writer = pytest.importorskip("mcap_protobuf.writer")
mcap_ros2_writer = pytest.importorskip("mcap_ros2.writer")
rosbag1 = pytest.importorskip("rosbags.rosbag1")
rosbag2 = pytest.importorskip("rosbags.rosbag2")
typesys = pytest.importorskip("rosbags.typesys")
timestamp_pb2 = pytest.importorskip("google.protobuf.timestamp_pb2")

SECOND = 10**9
#: When the recordings begin, in nanoseconds since 1970.
BEGIN = 1_700_000_000 * SECOND
#: Types that rosbags does not bring, as their packages define them.
_TYPES = {
    "audio_common_msgs/msg/AudioData": "uint8[] data\n",
    "audio_common_msgs/msg/AudioDataStamped": "std_msgs/Header header\naudio_common_msgs/AudioData audio\n",
    "audio_common_msgs/msg/AudioInfo": (
        "uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\nstring coding_format\n"
    ),
    "foxglove_msgs/msg/RawAudio": (
        "builtin_interfaces/Time timestamp\nuint8[] data\nstring format\nuint32 sample_rate\n"
        "uint32 number_of_channels\n"
    ),
    "robot_msgs/msg/Mood": "string text\nfloat64[] values\n",
}


@dataclasses.dataclass(frozen=True)
class Said:
    """A message of ROS: its topic, when it was recorded, and what it says."""

    topic: str
    time: int
    message: Any


@lru_cache(maxsize=2)
def store(version: int) -> Any:
    """The types of ROS 1 or 2."""
    made = typesys.get_typestore(typesys.Stores.ROS1_NOETIC if version == 1 else typesys.Stores.ROS2_HUMBLE)
    types: dict[str, Any] = {}
    for name, text in _TYPES.items():
        types.update(typesys.get_types_from_msg(text, name))
    made.register(types)
    return made


def make(kind: str, version: int = 2, **fields: Any) -> Any:
    """A message of a type such as ``sensor_msgs/msg/Imu``; fields that are not given are zero or empty.

    ``stamp`` is the time of its header or of itself, in nanoseconds.
    """
    stamp = fields.pop("stamp", 0)
    made = _empty(store(version), kind)
    if hasattr(made, "header"):
        made.header.stamp = _time(version, stamp)
    elif hasattr(made, "timestamp"):
        made.timestamp = _time(version, stamp)
    for name, value in fields.items():
        inner, _, last = name.rpartition("__")
        setattr(getattr(made, inner) if inner else made, last, value)
    return made


def _time(version: int, nanoseconds: int) -> Any:
    of_time = store(version).types["builtin_interfaces/msg/Time"]
    return of_time(sec=nanoseconds // SECOND, nanosec=nanoseconds % SECOND)


def _empty(types: Any, kind: str) -> Any:
    numbers = {"bool": False, "string": ""}
    values = []
    for _, (node, desc) in types.fielddefs[kind][1]:
        if node == 1:  # a plain value
            values.append(numbers.get(desc[0], 0.0 if desc[0].startswith("float") else 0))
        elif node == 2:
            values.append(_empty(types, desc))
        else:
            (inner, name), length = desc
            count = length if node == 3 else 0
            values.append(
                np.zeros(count, name[0]) if inner == 1 and name[0] != "string" else [] if not count else None
            )
    return types.types[kind](*values)


def image(pixels: np.ndarray, encoding: str, version: int = 2, **fields: Any) -> Any:
    """A sensor_msgs/Image of an array ``[H, W, …]``, rows close together unless ``step`` says else."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    step = fields.pop("step", rows.shape[1])
    padded = np.full((len(rows), step), 77, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return make(
        "sensor_msgs/msg/Image", version, height=fields.pop("height", len(pixels)),
        width=fields.pop("width", pixels.shape[1]), encoding=encoding, step=step, data=padded.reshape(-1),
        **fields,
    )  # fmt: skip


def write_mcap(path: Path, said: Iterable[Said], **options: Any) -> Path:
    """ROS 2 in MCAP, by mcap-ros2-support."""
    with open(path, "wb") as file, mcap_ros2_writer.Writer(file, **options) as writer:
        schemas: dict[str, Any] = {}
        for one in said:
            kind = one.message.__msgtype__
            if kind not in schemas:
                text, _ = store(2).generate_msgdef(kind, ros_version=2)
                schemas[kind] = writer.register_msgdef(kind, text)
            writer.write_message(one.topic, schemas[kind], plain(one.message), one.time, one.time)
    return path


def plain(message: Any) -> Any:
    """A message of rosbags as dicts, bytes and lists."""
    if dataclasses.is_dataclass(message):
        names = [field.name for field in dataclasses.fields(message)]
        return {name: plain(getattr(message, name)) for name in names if not name.startswith("__")}
    if isinstance(message, np.ndarray):
        return message.tobytes() if message.dtype == np.uint8 else message.tolist()
    return message


def write_bag1(path: Path, said: Iterable[Said], compression: str = "") -> Path:
    """A ROS 1 bag, by rosbags."""
    writer = rosbag1.Writer(path)
    if compression:
        writer.set_compression(writer.CompressionFormat[compression.upper()])
    writer.chunk_threshold = 1 << 14
    with writer:
        _write(writer, said, 1, store(1).serialize_ros1)
    return path


def write_bag2(path: Path, said: Iterable[Said], storage: str = "sqlite3", version: int = 9) -> Path:
    """A ROS 2 bag, by rosbags: a folder with ``metadata.yaml``."""
    plugin = rosbag2.StoragePlugin[storage.upper()]
    with rosbag2.Writer(path, version=version, storage_plugin=plugin) as writer:  # type: ignore[arg-type]
        _write(writer, said, 2, store(2).serialize_cdr)
    return path


def _write(writer: Any, said: Iterable[Said], version: int, serialize: Any) -> None:
    connections: dict[str, Any] = {}
    for one in said:
        kind = one.message.__msgtype__
        if one.topic not in connections:
            connections[one.topic] = writer.add_connection(one.topic, kind, typestore=store(version))
        writer.write(connections[one.topic], one.time, serialize(one.message, kind))


def write_protobuf(path: Path, messages: Iterable[tuple[str, int, Any]], **options: Any) -> Path:
    """Protobuf messages in MCAP, by mcap-protobuf-support: topic, time in nanoseconds, message."""
    with open(path, "wb") as file, mcap_protobuf_writer.Writer(file, **options) as writer:
        for topic, time, message in messages:
            writer.write_message(topic, message, time, time)
    return path


def timestamp(nanoseconds: int) -> Any:
    return timestamp_pb2.Timestamp(seconds=nanoseconds // SECOND, nanos=nanoseconds % SECOND)


def write_json(path: Path, messages: Sequence[tuple[str, str, int, dict[str, Any]]]) -> Path:
    """JSON messages in MCAP: topic, schema, time in nanoseconds, fields. Bytes become base64."""
    with open(path, "wb") as file:
        writer = mcap_writer.Writer(file)
        writer.start()
        channels: dict[str, int] = {}
        for topic, schema, time, fields in messages:
            if topic not in channels:
                number = writer.register_schema(schema, "jsonschema", b'{"type": "object"}')
                channels[topic] = writer.register_channel(topic, "json", number)
            said = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in fields.items()}
            writer.add_message(channels[topic], time, json.dumps(said).encode(), time)
        writer.finish()
    return path


def write_run(path: Path, sound: np.ndarray, rate: int, motion: np.ndarray, hertz: float) -> Path:
    """A robot's recording of a sound ``[n]`` at ``/mic``, and of motion ``[6, n]`` at ``/imu``."""
    said = [
        Said("/mic_info", BEGIN, make("audio_common_msgs/msg/AudioInfo", channels=1, sample_rate=rate,
             sample_format="S16LE", coding_format="wave"))
    ]  # fmt: skip
    samples, block = np.rint(sound * 32767).astype("<i2"), rate // 10
    for at in range(0, len(samples), block):
        part = np.frombuffer(samples[at : at + block].tobytes(), np.uint8)
        stamp = BEGIN + at * SECOND // rate
        message = make("audio_common_msgs/msg/AudioDataStamped", stamp=stamp, audio__data=part)
        said.append(Said("/mic", stamp + SECOND // 10, message))
    for i in range(motion.shape[1]):
        stamp = BEGIN + round(i * SECOND / hertz)
        values = dict(zip(("x", "y", "z"), motion[:3, i].tolist(), strict=True))
        turns = dict(zip(("x", "y", "z"), motion[3:, i].tolist(), strict=True))
        fields = {f"linear_acceleration__{k}": v for k, v in values.items()}
        fields |= {f"angular_velocity__{k}": v for k, v in turns.items()}
        said.append(Said("/imu", stamp + 1_000_000, make("sensor_msgs/msg/Imu", stamp=stamp, **fields)))
    return write_mcap(path, sorted(said, key=lambda one: one.time), chunk_size=1 << 14)
