"""What a file holds, by content: a picture, a video, sound, or named arrays."""

from __future__ import annotations

from bindrt.errors import SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.container import open_container, video_stream
from bindrt.sources.formats import ARRAYS, SOUND, TRACKS, VIDEO, Format, array_named, sniff
from bindrt.sources.numpyfile import npz_fields
from bindrt.sources.opening import Opened, open_source


def contents(src: object, limits: Limits = DEFAULT_LIMITS) -> frozenset[str]:
    """What a file holds: ``PICTURE``, ``VIDEO``, ``SOUND``, ``array_named(field)``; empty if it is unknown
    or damaged.

    A container with a video stream that is not an attached cover picture is a video, with or without
    sound. An animated GIF or WebP is a picture.

    Args:
        src: a path, bytes or a file object.

    Raises:
        SourceError: the file is missing or empty.
        LimitError: more bytes than ``limits``, or too little memory to look into it.
    """
    opened = open_source(src, limits)
    file_format = sniff(opened.head)
    try:
        if file_format.holds == TRACKS:
            return _tracks(opened, file_format)
        if file_format.holds == ARRAYS:
            return frozenset(array_named(field) for field in npz_fields(opened))
    except SourceError:
        return frozenset()
    return frozenset((file_format.holds,)) if file_format.holds else frozenset()


def _tracks(opened: Opened, file_format: Format) -> frozenset[str]:
    with open_container(opened, file_format) as media:
        if video_stream(media) is not None:
            return frozenset((VIDEO,))
        return frozenset((SOUND,)) if media.streams.audio else frozenset()
