"""The modality of a file by its content."""

from __future__ import annotations

from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.modalities import MODALITIES
from bindrt.sources import Content, Opened, open_source
from bindrt.sources.foreign import as_source


def detect(src: object, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """The one modality that recognizes a file, or None: a depth or thermal PNG cannot be told from others.

    A container is video if it has a video stream that is not an attached cover image. Animated GIF and
    WebP are images. A ``.npz`` is what its one field of ``depth``, ``thermal`` and ``samples`` (IMU) says. A
    CSV or Parquet table with columns of an accelerometer and a gyroscope is IMU.

    Args:
        src: a path or URL, bytes, a file object, or a cell of Hugging Face ``datasets``.

    Raises:
        SourceError: the file is missing or empty.
        LimitError: more bytes than ``limits``, or too little memory to look into it.

    >>> bindrt.preprocess.detect("bell.wav")
    'audio'
    """
    return detect_opened(open_source(as_source(src), limits), limits)


def detect_opened(opened: Opened, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """As :func:`detect`, of a source that is open already."""
    content = Content(opened, limits)
    found = [name for name, modality in MODALITIES.items() if modality.recognizes(content)]
    return found[0] if len(found) == 1 else None
