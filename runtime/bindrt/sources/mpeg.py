"""Headers of MPEG audio frames (MP1, MP2, MP3) and of AAC's (ADTS)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

#: Bits of a header that all frames of a recording share: sync, version, layer and sample rate.
_SAME = 0xFFFE0C00
_RATES = ((11025, 12000, 8000), (0, 0, 0), (22050, 24000, 16000), (44100, 48000, 32000))
_KBPS_1 = (
    (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
)
_KBPS_2 = (
    (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)


@dataclass(frozen=True)
class FrameHeader:
    """A frame of MPEG audio.

    Attributes:
        word: the header's 32 bits.
        length: the frame's length in bytes, with the header.
        samples: how many samples of each channel it holds.
        rate: samples per second.
        channels: 1 or 2.
        layer: 1, 2 or 3.
    """

    word: int
    length: int
    samples: int
    rate: int
    channels: int
    layer: int

    @property
    def side_info(self) -> int:
        """Bytes between a layer 3 header and the frame's data; a Xing header stands there instead."""
        if self.word >> 19 & 3 == 3:
            return 32 if self.channels == 2 else 17
        return 17 if self.channels == 2 else 9

    def follows(self, other: FrameHeader) -> bool:
        """Whether the two can be frames of one recording."""
        return (self.word ^ other.word) & _SAME == 0


def frame_header(data: bytes, at: int = 0) -> FrameHeader | None:
    """The frame header at a position, or None; a free bit rate counts as none.

    >>> frame_header(bytes.fromhex("fffb9064")).length
    417
    """
    if data[at : at + 1] != b"\xff" or len(data) < at + 4:
        return None
    return _parse(int.from_bytes(data[at : at + 4], "big"))


@lru_cache(maxsize=1024)  # a recording has a few
def _parse(word: int) -> FrameHeader | None:
    version, layer = word >> 19 & 3, 4 - (word >> 17 & 3)
    bitrate, rate = word >> 12 & 15, word >> 10 & 3
    if word >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    hertz = _RATES[version][rate]
    kbps = (_KBPS_1 if version == 3 else _KBPS_2)[layer - 1][bitrate - 1]
    samples = 384 if layer == 1 else 1152 if layer == 2 or version == 3 else 576
    unit = 4 if layer == 1 else 1
    length = (samples // 8 * kbps * 1000 // hertz // unit + (word >> 9 & 1)) * unit
    return FrameHeader(word, length, samples, hertz, 1 if word >> 6 & 3 == 3 else 2, layer)


def is_mpeg_audio(head: bytes) -> bool:
    """Whether a frame begins here, and another of its kind follows, as far as ``head`` goes."""
    first = frame_header(head)
    if first is None:
        return False
    if len(head) < first.length + 4:
        return True
    second = frame_header(head, first.length)
    return second is not None and second.follows(first)


def resync(head: bytes, start: int = 0) -> int | None:
    """Where the first frame from ``start`` on begins that two others of its kind follow; None: nowhere.

    The third is not asked for if ``head`` ends before it.
    """
    at = head.find(b"\xff", start)
    while at >= 0:
        first = frame_header(head, at)
        second = first and frame_header(head, at + first.length)
        if first and second and second.follows(first):
            third_at = at + first.length + second.length
            third = frame_header(head, third_at)
            if len(head) < third_at + 4 or (third is not None and third.follows(first)):
                return at
        at = head.find(b"\xff", at + 1)
    return None


def is_adts(head: bytes) -> bool:
    """Whether a frame of AAC begins here: 12 set bits, layer bits that are 00; and another follows."""
    if len(head) < 7:
        return len(head) >= 4 and _adts_begins(head)
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if not _adts_begins(head) or length < 7:
        return False
    return len(head) < length + 4 or _adts_begins(head[length : length + 4])


def _adts_begins(head: bytes) -> bool:
    return head[0] == 0xFF and head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13
