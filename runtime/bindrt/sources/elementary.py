"""Video without a container that knows its length: how such files begin."""

from __future__ import annotations

_H264_PARAMETERS = (b"\x27", b"\x47", b"\x67")
_H265_FIRST = (b"\x40\x01", b"\x46\x01")  # parameters, or a mark before the picture


def _unit(head: bytes) -> bytes:
    """What follows the start code; nothing if there is none."""
    for code in (b"\0\0\0\1", b"\0\0\1"):
        if head.startswith(code):
            return head[len(code) :]
    return b""


def is_h264(head: bytes) -> bool:
    """Sequence parameters come first, or a mark before the picture and another start code behind it."""
    unit = _unit(head)
    return unit[:1] in _H264_PARAMETERS or (unit[:1] == b"\x09" and unit[2:5] in (b"\0\0\0", b"\0\0\1"))


def is_h265(head: bytes) -> bool:
    return _unit(head)[:2] in _H265_FIRST


def is_mpeg12(head: bytes) -> bool:
    """MPEG-1 and MPEG-2 begin with a sequence header."""
    return head.startswith(b"\0\0\1\xb3")


def is_mpeg4(head: bytes) -> bool:
    """MPEG-4 Part 2 begins with a visual object sequence, or with a video object."""
    return head.startswith((b"\0\0\1\xb0", b"\0\0\1\0\0\0\1\x20"))


def is_dv(head: bytes) -> bool:
    """The header block of a DV frame, then that of the subcode."""
    return head.startswith((b"\x1f\x07\x00\x3f", b"\x1f\x07\x00\xbf")) and head[80:81] == b"\x3f"
