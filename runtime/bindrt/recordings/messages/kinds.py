"""The types of messages that are read, and which modality each may be."""

from __future__ import annotations

import re

_PICTURE = ("image", "video", "depth", "thermal")
#: Type → the modalities that its topics may be read as, the usual one first. Which of the first a picture is,
#: its encoding says.
MODALITIES_OF: dict[str, tuple[str, ...]] = {
    "sensor_msgs/Image": _PICTURE,
    "sensor_msgs/CompressedImage": _PICTURE,
    "foxglove/RawImage": _PICTURE,
    "foxglove/CompressedImage": _PICTURE,
    "foxglove/CompressedVideo": ("video", "image"),
    "sensor_msgs/Imu": ("imu",),
    "audio_common_msgs/AudioData": ("audio",),
    "audio_common_msgs/AudioDataStamped": ("audio",),
    "foxglove/RawAudio": ("audio",),
    "foxglove/CompressedAudio": ("audio",),
}
#: Types that tell something about other topics.
CAMERA_INFOS = ("sensor_msgs/CameraInfo", "foxglove/CameraCalibration")
AUDIO_INFO = "audio_common_msgs/AudioInfo"
INFOS = (*CAMERA_INFOS, AUDIO_INFO)

_PARTS = re.compile(r"(\w+?)(?:_msgs)?(?:/msg/|/|\.|::msg::|::)(\w+)")


def kind_of(type_name: str) -> str:
    """One name of a type for all ways to write it; the name itself if it is none that is read.

    >>> kind_of("sensor_msgs/msg/Imu"), kind_of("foxglove.RawAudio"), kind_of("foxglove_msgs/RawAudio")
    ('sensor_msgs/Imu', 'foxglove/RawAudio', 'foxglove/RawAudio')
    """
    found = _PARTS.fullmatch(type_name)
    if found is not None:
        package, name = found.groups()
        for kind in (f"{package}/{name}", f"{package}_msgs/{name}"):
            if kind in MODALITIES_OF or kind in INFOS:
                return kind
    return type_name
