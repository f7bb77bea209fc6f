"""What a file is, by its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bindrt.errors import SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.opening import Opened, open_source

Family = Literal["image", "audio", "container", "npz", "npy", "unknown"]
Detected = Literal["image", "video", "audio", "depth", "thermal", "imu"]
#: The array in a ``.npz`` that tells its modality.
_NPZ_FIELDS: dict[str, Detected] = {"depth": "depth", "thermal": "thermal", "samples": "imu"}

#: Brands of MP4-like files that hold a still picture, which no decoder here reads.
_PICTURE_BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MP4_ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


@dataclass(frozen=True)
class Kind:
    """The family of a file and the decoder's name of its format.

    ``format`` is Pillow's name for images, libsndfile's for audio, FFmpeg's demuxer for containers.
    OGG is audio here; :func:`detect` and the readers ask whether it carries pictures.
    """

    family: Family
    format: str = ""


def sniff(head: bytes) -> Kind:
    """The kind of a file whose first bytes are ``head`` (at least 16 if it has them)."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] in (b"RIFF", b"RF64", b"RIFX"):
        return _RIFF.get(head[8:12], Kind("unknown"))
    if len(head) >= 12 and head[4:8] in _MP4_ATOMS:
        if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
            return Kind("unknown")
        return Kind("container", "mov")
    return _mpeg_audio(head)


_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind("image", "JPEG")),
    (b"\x89PNG\r\n\x1a\n", Kind("image", "PNG")),
    (b"GIF87a", Kind("image", "GIF")),
    (b"GIF89a", Kind("image", "GIF")),
    (b"II*\0", Kind("image", "TIFF")),
    (b"MM\0*", Kind("image", "TIFF")),
    (b"II+\0", Kind("image", "TIFF")),
    (b"MM\0+", Kind("image", "TIFF")),
    (b"BM", Kind("image", "BMP")),
    (b"fLaC", Kind("audio", "FLAC")),
    (b"OggS", Kind("audio", "OGG")),
    (b"ID3", Kind("audio", "MP3")),
    (b"\x1aE\xdf\xa3", Kind("container", "matroska")),
    (b"PK\x03\x04", Kind("npz")),
    (b"PK\x05\x06", Kind("npz")),
    (b"\x93NUMPY", Kind("npy")),
)
_RIFF = {
    b"WAVE": Kind("audio", "WAV"),
    b"WEBP": Kind("image", "WEBP"),
    b"AVI ": Kind("container", "avi"),
}


def _mpeg_audio(head: bytes) -> Kind:
    """MP3 without a tag starts with a frame header: 11 set bits, then layer bits that are not 00."""
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
        bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
        if version != 1 and layer != 0 and bitrate != 15 and rate != 3:
            return Kind("audio", "MP3")
        if layer == 0 and head[1] & 0xF6 == 0xF0:
            return Kind("container", "aac")
    return Kind("unknown")


def detect(src: object, limits: Limits = DEFAULT_LIMITS) -> Detected | None:
    """The modality of a file by content, or None: a depth or thermal picture cannot be told from others.

    A container is video if it has a video stream that is not an attached cover picture. Animated
    GIF and WebP are images. A ``.npz`` is what its one field of ``depth``, ``thermal`` and ``samples``
    (IMU) says.

    Raises:
        SourceError: the file is missing or empty.
        LimitError: more bytes than ``limits``, or too little memory to look into it.
    """
    opened = open_source(src, limits)
    kind = sniff(opened.head)
    if kind.family == "image":
        return "image"
    if kind.family == "container" or kind.format == "OGG":
        return _container_modality(opened, kind)
    if kind.family == "npz":
        return _npz_modality(opened, limits)
    return "audio" if kind.family == "audio" else None


def _container_modality(opened: Opened, kind: Kind) -> Literal["video", "audio"] | None:
    from bindrt.sources import container

    try:
        with container.open_container(opened, kind) as media:
            if container.video_stream(media) is not None:
                return "video"
            return "audio" if media.streams.audio else None
    except SourceError:
        return None


def _npz_modality(opened: Opened, limits: Limits) -> Detected | None:
    from bindrt.sources import numpyfile

    try:
        held = numpyfile.npz_fields(opened.target, limits)
    except SourceError:
        return None
    told = [modality for field, modality in _NPZ_FIELDS.items() if field in held]
    return told[0] if len(told) == 1 else None


def unfit(opened: Opened, kind: Kind, wanted: str, formats: str) -> SourceError:
    """The error for a file of another kind than ``wanted``."""
    found = {
        "image": f"a picture ({kind.format})",
        "audio": f"a sound file ({kind.format})",
        "container": f"a media container ({kind.format})",
        "npz": "a zip or .npz archive",
        "npy": "a .npy array",
        "unknown": "of a format that is not known",
    }[kind.family]
    return SourceError(opened.name, f"the file is {found}, not {wanted}", f"formats read are {formats}")
