"""The modality of a file by its content."""

from __future__ import annotations

from collections.abc import Callable

from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources import Content, open_source

_RECOGNIZES: dict[str, Callable[[Content], bool]] = {
    "image": lambda content: content.format.holds == "picture",
    "video": lambda content: "video" in content.streams,
    "audio": lambda content: content.streams == {"audio"},
    "depth": lambda content: "depth" in content.fields,
    "thermal": lambda content: "thermal" in content.fields,
    "imu": lambda content: "samples" in content.fields,
}


def detect(src: object, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """The one modality that recognizes a file, or None: a depth or thermal PNG cannot be told from others.

    A container is video if it has a video stream that is not an attached cover picture. Animated GIF and
    WebP are images. A ``.npz`` is what its one field of ``depth``, ``thermal`` and ``samples`` (IMU) says.

    Args:
        src: a path, bytes or a file object.

    Raises:
        SourceError: the file is missing or empty.
        LimitError: more bytes than ``limits``, or too little memory to look into it.
    """
    content = Content(open_source(src, limits))
    found = [name for name, recognizes in _RECOGNIZES.items() if recognizes(content)]
    return found[0] if len(found) == 1 else None
