"""Video and sound without a container that knows its length: how such files begin."""

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


def is_mlp(head: bytes) -> bool:
    """MLP: the sync word of a major frame, behind four bytes of its length and time."""
    return head[4:8] == b"\xf8\x72\x6f\xbb"


def is_truehd(head: bytes) -> bool:
    return head[4:8] == b"\xf8\x72\x6f\xba"


def is_sbc(head: bytes) -> bool:
    """A frame of SBC, as Bluetooth carries it, and three others behind it."""
    at = 0
    for _ in range(4):
        if len(head) < at + 4:
            return at > 0
        length = _sbc_length(head[at : at + 4])
        if not length:
            return False
        at += length
    return True


def _sbc_length(header: bytes) -> int:
    """The length of a frame in bytes; 0 if none begins here. In mSBC all have 57."""
    sync, modes, pool = header[0], header[1], header[2]
    if sync == 0xAD:
        return 57 if modes == pool == 0 else 0
    bands, blocks, mode = 8 if modes & 1 else 4, 4 * ((modes >> 4 & 3) + 1), modes >> 2 & 3
    channels, joint = 1 if mode == 0 else 2, mode == 3
    if sync != 0x9C or not 2 <= pool <= (16 if mode < 2 else 32) * bands:
        return 0
    bits = blocks * pool * (channels if mode < 2 else 1) + (bands if joint else 0)
    return 4 + bands * channels // 2 + -(-bits // 8)
