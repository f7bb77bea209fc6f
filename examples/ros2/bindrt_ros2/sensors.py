"""Which topics are subscribed, with which types and quality of service."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

import bindrt
from bindrt.recordings import Choice

_IMAGE, _COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
_SOUND = "audio_common_msgs/msg/AudioData"


def sensor_qos(depth: int) -> QoSProfile:
    """As rclpy's profile for sensors, best effort and the newest messages, but with another depth.

    It fits every publisher: a reliable one too.
    """
    return QoSProfile(
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.VOLATILE,
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
    )


def latched_qos() -> QoSProfile:
    """For what is told once and kept for those who come later: AudioInfo, some cameras' CameraInfo."""
    return QoSProfile(
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
    )


def usual_type(name: str, modality: str) -> str:
    """The type of a topic's messages, by its modality and by the names that drivers give."""
    if modality == "imu":
        return "sensor_msgs/msg/Imu"
    if modality == "audio":
        return f"{_SOUND}Stamped" if name.endswith("stamped") else _SOUND
    return _COMPRESSED if name.endswith(("/compressed", "/compressedDepth")) else _IMAGE


def infos_of(topics: Mapping[str, Choice]) -> dict[str, str]:
    """Topics beside those of sensors that tell about them, with their types.

    >>> infos_of({"/camera/depth/image/compressedDepth": Choice("depth")})
    {'/camera/depth/camera_info': 'sensor_msgs/msg/CameraInfo'}
    """
    found = {}
    for name, choice in topics.items():
        above = name.removesuffix("/compressedDepth").removesuffix("/compressed").rpartition("/")[0]
        if choice.modality == "depth" and not {"focal", "camera"} & set(choice.options):
            found[f"{above}/camera_info"] = "sensor_msgs/msg/CameraInfo"
        if choice.modality == "audio" and not choice.options:
            found[f"{above}/audio_info"] = "audio_common_msgs/msg/AudioInfo"
    return found


def message_class(kind: str) -> Any:
    """The class of a type such as ``sensor_msgs/msg/Imu``.

    Raises:
        bindrt.OptionError: its package is not installed, or has no such type.
    """
    package, _, name = kind.split("/")
    try:
        return getattr(import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        remedy = f"apt install ros-$ROS_DISTRO-{package.replace('_', '-')}"
        raise bindrt.OptionError(f"type {kind}", f"it is not installed: {error}", remedy) from error
