"""Which modality a file is of, by its content."""

from __future__ import annotations

from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources import PICTURE, SOUND, VIDEO, array_named, contents

#: What a file holds that is of a modality. Depth and thermal pictures cannot be told from others.
_CONTENTS = {
    "image": PICTURE,
    "video": VIDEO,
    "audio": SOUND,
    "depth": array_named("depth"),
    "thermal": array_named("thermal"),
    "imu": array_named("samples"),
}


def detect(src: object, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """The modality of a file by content; None if it is of none, or could be of several.

    Args:
        src: a path, bytes or a file object.

    Raises:
        SourceError: the file is missing or empty.
        LimitError: more bytes than ``limits``, or too little memory to look into it.
    """
    held = contents(src, limits)
    told = [modality for modality, content in _CONTENTS.items() if content in held]
    return told[0] if len(told) == 1 else None
