"""The file formats: how each begins, which reader decodes it, what it holds. ``FORMATS`` lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bindrt.errors import SourceError
from bindrt.sources.opening import Opened

Family = Literal["image", "audio", "container", "npz", "npy", "unknown"]

#: What files of a format hold. Which tracks or which arrays is told by opening the file.
PICTURE, SOUND, TRACKS, ARRAYS = "picture", "sound", "tracks", "arrays"


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        title: what users call it.
        family: which reader decodes it: ``image`` (Pillow), ``audio`` (libsndfile), ``container`` (FFmpeg),
            ``npz`` or ``npy`` (our own). No reader decodes ``unknown``.
        name: the reader's name of the format; for FFmpeg the name of the demuxer.
        begins: whether a file of this format can begin with these bytes. They are the first 16 or more of
            the file, or all of a shorter one.
        holds: ``PICTURE``, ``SOUND``, ``TRACKS``, ``ARRAYS``, or another word that a modality recognizes;
            empty if it tells no modality.
    """

    title: str
    family: Family
    name: str
    begins: Callable[[bytes], bool]
    holds: str = ""


def sniff(head: bytes) -> Format:
    """The format of a file by its first bytes: at least 16, or all of a shorter file.

    >>> sniff(b"GIF89a" + bytes(10)).name
    'GIF'
    >>> sniff(b"Dear reader, ...").family
    'unknown'
    """
    for known in FORMATS:
        if known.begins(head):
            return known
    return UNKNOWN


def unfit(opened: Opened, found: Format, wanted: str, *holds: str) -> SourceError:
    """The error for a file that is not what is ``wanted``, for example ``an image``.

    Args:
        found: the file's format.
        holds: what the formats hold that can be read instead; the error lists them.
    """
    what = {
        "image": f"an image ({found.title})",
        "audio": f"a sound file ({found.title})",
        "container": f"a media container ({found.title})",
        "npz": "a zip or .npz archive",
        "npy": "a .npy array",
        "unknown": "of an unknown format",
    }[found.family]
    readable = dict.fromkeys(known.title for known in FORMATS if known.holds in holds)
    return SourceError(opened.name, f"the file is {what}, not {wanted}", f"use one of {', '.join(readable)}")


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic)


_RIFF = (b"RIFF", b"RF64", b"RIFX")


def _riff(form: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[8:12] == form and head.startswith(_RIFF)


# ISO base media files (MP4, MOV, HEIF) are boxes: four bytes of length, then the kind of the first box.
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HEIF_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS


def _is_mp4(head: bytes) -> bool:
    return len(head) >= 12 and head[4:8] in _FIRST_BOXES


def _is_mpeg_audio(head: bytes) -> bool:
    """An MP3 without a tag starts with a frame header: 11 set bits, then layer bits that are not 00."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bitrate != 15 and rate != 3


def _is_adts(head: bytes) -> bool:
    """AAC without a container: 12 set bits, then layer bits that are 00."""
    return len(head) >= 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0


#: In the order in which they are tried: the first that fits is the file's.
FORMATS = (
    Format("JPEG", "image", "JPEG", _starts(b"\xff\xd8\xff"), PICTURE),
    Format("PNG", "image", "PNG", _starts(b"\x89PNG\r\n\x1a\n"), PICTURE),
    Format("GIF", "image", "GIF", _starts(b"GIF87a", b"GIF89a"), PICTURE),
    Format("TIFF", "image", "TIFF", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), PICTURE),
    Format("BMP", "image", "BMP", _starts(b"BM"), PICTURE),
    Format("FLAC", "audio", "FLAC", _starts(b"fLaC"), SOUND),
    Format("OGG", "audio", "OGG", _starts(b"OggS"), TRACKS),  # FFmpeg reads one with a video track
    Format("MP3", "audio", "MP3", _starts(b"ID3"), SOUND),
    Format("MKV or WebM", "container", "matroska", _starts(b"\x1aE\xdf\xa3"), TRACKS),
    Format(".npz", "npz", "npz", _starts(b"PK\x03\x04", b"PK\x05\x06"), ARRAYS),
    Format(".npy", "npy", "npy", _starts(b"\x93NUMPY")),
    Format("WAV", "audio", "WAV", _riff(b"WAVE"), SOUND),
    Format("WebP", "image", "WEBP", _riff(b"WEBP"), PICTURE),
    Format("AVI", "container", "avi", _riff(b"AVI "), TRACKS),
    Format("RIFF", "unknown", "RIFF", _starts(*_RIFF)),
    Format("HEIF", "unknown", "HEIF", _is_heif),
    Format("MP4 or MOV", "container", "mov", _is_mp4, TRACKS),
    Format("MP3", "audio", "MP3", _is_mpeg_audio, SOUND),
    Format("AAC", "container", "aac", _is_adts, SOUND),
)
UNKNOWN = Format("", "unknown", "", lambda head: True)
