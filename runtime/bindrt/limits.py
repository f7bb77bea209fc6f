"""Limits that protect memory from hostile or mistaken input; each is checked before allocation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Upper bounds on what one item may decode to; raise them where larger items are expected.

    Attributes:
        max_pixels: pixels of one image, video frame, depth map or thermal frame.
        max_bytes: bytes of one item that is given as, or must be read into, memory.
        max_seconds: length of one recording, in seconds of audio or video.
    """

    max_pixels: int = 89_478_485  # Pillow's own warning threshold: 256 MiB of RGB
    max_bytes: int = 2 << 30
    max_seconds: float = 24 * 3600.0


DEFAULT_LIMITS = Limits()
