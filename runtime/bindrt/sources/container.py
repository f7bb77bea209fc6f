"""Media containers through PyAV: MP4, MOV, MKV, WebM, AVI, OGG."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from bindrt.sources.opening import Opened, decoding
from bindrt.sources.sniff import Kind

_DEMUXER = {"OGG": "ogg"}


@contextlib.contextmanager
def open_container(opened: Opened, kind: Kind) -> Iterator[Any]:
    """Opens a container with the demuxer its magic bytes name, and no other.

    FFmpeg would otherwise probe for playlists and protocols, which open further files or the network.
    """
    import av

    with decoding(opened.name, "media file", "is it complete?"):
        media = av.open(opened.target, "r", format=_DEMUXER.get(kind.format, kind.format))
    try:
        yield media
    finally:
        media.close()


def video_stream(media: Any) -> Any | None:
    """The best video stream of an open container; cover pictures do not count."""
    candidates = [s for s in media.streams.video if not _is_cover(s)]
    best = media.streams.best("video")
    return best if any(best is s for s in candidates) else (candidates[0] if candidates else None)


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)
