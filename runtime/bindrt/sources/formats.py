"""The file formats: how each begins, which reader decodes it, what it holds. ``FORMATS`` lists them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bindrt.errors import SourceError
from bindrt.sources import elementary, mpeg
from bindrt.sources.beginning import has_tag, read_at, sound_start
from bindrt.sources.opening import Opened
from bindrt.sources.tables import csv_dialect

Family = Literal["image", "floats", "audio", "container", "npz", "npy", "table", "unknown"]

#: What files of a format hold. Which tracks or which arrays is told by opening the file.
PICTURE, SOUND, TRACKS, ARRAYS = "picture", "sound", "tracks", "arrays"

_NAMED = 12  # so many formats are named in an error


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        title: what users call it.
        family: which reader decodes it: ``image`` (Pillow and its plugins), ``floats`` (maps of numbers:
            PFM, OpenEXR), ``audio`` (libsndfile; FFmpeg for MP3), ``container`` (FFmpeg), ``npz`` or ``npy``
            (our own), ``table`` (pyarrow). No reader decodes ``unknown``.
        name: the reader's name of the format; for FFmpeg the name of the demuxer.
        begins: whether a file of this format can begin with these bytes. They are the first 4096 of the
            file, or all of a shorter one; a caller that has less may give 16.
        holds: ``PICTURE``, ``SOUND``, ``TRACKS``, ``ARRAYS``, or another word that a modality recognizes;
            empty if it tells no modality.
    """

    title: str
    family: Family
    name: str
    begins: Callable[[bytes], bool]
    holds: str = ""


def sniff(file: Opened | bytes) -> Format:
    """The format of a file by its content.

    A tag (ID3) or zeros may stand before a sound, and an MP3 may begin in the middle of a frame.

    Args:
        file: an opened file, or the first bytes of one: at least 16, or all of a shorter file.

    >>> sniff(b"GIF89a" + bytes(10)).name
    'GIF'
    >>> sniff(b"Dear reader, ...").family
    'unknown'
    """
    head = file if isinstance(file, bytes) else file.head
    for known in FORMATS:
        if known.begins(head):
            return known
    if start := sound_start(file):
        behind = read_at(file, start, len(head))
        for known in FORMATS:
            if (known.holds == SOUND or known.family == "audio") and known.begins(behind):
                return known
        if has_tag(head) or mpeg.resync(behind) is not None:
            return MP3
    return MP3 if mpeg.resync(head) is not None else UNKNOWN


def unfit(opened: Opened, found: Format, wanted: str, *holds: str) -> SourceError:
    """The error for a file that is not what is ``wanted``, for example ``an image``.

    Args:
        found: the file's format.
        holds: what the formats hold that can be read instead; the error lists them.
    """
    what = {
        "image": f"an image ({found.title})",
        "floats": f"a map of numbers ({found.title})",
        "audio": f"a sound file ({found.title})",
        "container": f"a media container ({found.title})",
        "npz": "a zip or .npz archive",
        "npy": "a .npy array",
        "table": f"a table ({found.title})",
        "unknown": "of an unknown format",
    }[found.family]
    readable = list(dict.fromkeys(known.title for known in FORMATS if known.holds in holds))
    more = " or another of docs/formats.md" if len(readable) > _NAMED else ""
    use = f"use one of {', '.join(readable[:_NAMED])}{more}"
    return SourceError(opened.name, f"the file is {what}, not {wanted}", use)


def _starts(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magic)


def _iff(*forms: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"FORM" and head[8:12] in forms


_RIFF = (b"RIFF", b"RF64", b"BW64", b"RIFX")


def _riff(form: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[8:12] == form and head.startswith(_RIFF)


# ISO base media files (MP4, MOV, HEIF) are boxes: four bytes of length, then the kind of the first box.
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"heif", b"mif1", b"mif2", b"msf1")


def _is_avif(head: bytes) -> bool:
    """The first brand is AVIF's, or that of all still pictures and AVIF's among the others."""
    if head[4:8] != b"ftyp" or head[8:12] not in (*_AVIF_BRANDS, *_HEIF_BRANDS):
        return False
    end = int.from_bytes(head[:4], "big")
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(end, len(head)) - 3, 4))]
    return any(brand in _AVIF_BRANDS for brand in brands)


def _is_heif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS


_PNM = re.compile(rb"P[1-6](?:\s|#[^\r\n]*[\r\n])+\d")
_PCX = re.compile(rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]")
_PFM = re.compile(rb"P[fF]\s+\d")


def _is_ico(head: bytes) -> bool:
    """How many icons there are, then of the first its size, a zero and the number of its planes."""
    return head[:4] == b"\0\0\1\0" and len(head) > 11 and head[4] > 0 == head[5] == head[9] and head[10] < 2


def _is_mp4(head: bytes) -> bool:
    return len(head) >= 12 and head[4:8] in _FIRST_BOXES


def _is_transport_stream(head: bytes) -> bool:
    """Packets of 188 bytes begin with a ``G``; some recorders add 4 bytes before, others 16 behind.

    A recording may begin within a packet.
    """
    for size in (188, 192, 204):
        if len(head) >= 3 * size and any(
            head[at] == 0x47 and set(head[at::size]) == {0x47} for at in range(size)
        ):
            return True
    return False


def _is_ircam(head: bytes) -> bool:
    """A number that names the machine; in the order of its bytes, or turned round."""
    first = head[:4] if head[:1] == b"\x64" else head[3::-1]
    return first[:2] == b"\x64\xa3" and first[3:] == b"\0"


def _is_ac3(head: bytes, enhanced: bool) -> bool:
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return False
    version = head[5] >> 3
    return 10 < version <= 16 if enhanced else version <= 10 and head[4] >> 6 != 3 and head[4] & 63 < 38


def _is_loas(head: bytes) -> bool:
    """AAC as broadcasts carry it: 11 bits of sync, then the length; the next one stands behind."""
    if len(head) < 3 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return False
    following = head[3 + ((head[1] & 0x1F) << 8 | head[2]) :][:2]
    return len(following) == 2 and following[0] == 0x56 and following[1] & 0xE0 == 0xE0


_DTS = (b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80", b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_WTV = bytes.fromhex("b7d800203749da11a64e0007e95ead8d")
_W64 = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_MXF = bytes.fromhex("060e2b34020501010d010201")

MP3 = Format("MP3", "audio", "MP3", mpeg.is_mpeg_audio, SOUND)

#: In the order in which they are tried: the first that fits is the file's. The usual ones of a kind come
#: first, since an error names a few from the front.
FORMATS = (
    Format("JPEG", "image", "JPEG", _starts(b"\xff\xd8\xff"), PICTURE),
    Format("PNG", "image", "PNG", _starts(b"\x89PNG\r\n\x1a\n"), PICTURE),
    Format("GIF", "image", "GIF", _starts(b"GIF87a", b"GIF89a"), PICTURE),
    Format("TIFF", "image", "TIFF", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), PICTURE),
    Format("BMP", "image", "BMP", _starts(b"BM"), PICTURE),
    Format("AVIF", "image", "AVIF", _is_avif, PICTURE),
    Format("HEIF", "image", "HEIF", _is_heif, PICTURE),
    Format("JPEG XL", "image", "JXL", _starts(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"), PICTURE),
    Format("PNM", "image", "PNM", lambda head: _PNM.match(head) is not None, PICTURE),
    Format(
        "JPEG 2000", "image", "JPEG2000", _starts(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), PICTURE
    ),
    Format("QOI", "image", "QOI", _starts(b"qoif"), PICTURE),
    Format("PCX", "image", "PCX", lambda head: _PCX.match(head) is not None, PICTURE),
    Format("SGI", "image", "SGI", _starts(b"\x01\xda\0\1", b"\x01\xda\1\1"), PICTURE),
    Format("DDS", "image", "DDS", _starts(b"DDS \x7c\0\0\0"), PICTURE),
    Format("PSD", "image", "PSD", _starts(b"8BPS\0\1"), PICTURE),
    Format("ICO", "image", "ICO", _is_ico, PICTURE),
    Format("PFM", "floats", "PFM", lambda head: _PFM.match(head) is not None),
    Format("EXR", "floats", "EXR", _starts(b"v/1\x01")),
    Format("FLAC", "audio", "FLAC", _starts(b"fLaC"), SOUND),
    Format("OGG", "audio", "OGG", _starts(b"OggS"), TRACKS),  # FFmpeg reads one with a video track
    Format("MKV or WebM", "container", "matroska", _starts(b"\x1aE\xdf\xa3"), TRACKS),
    Format(".npz", "npz", "npz", _starts(b"PK\x03\x04", b"PK\x05\x06"), ARRAYS),
    Format(".npy", "npy", "npy", _starts(b"\x93NUMPY")),
    Format("WAV", "audio", "WAV", _riff(b"WAVE"), SOUND),
    Format("WebP", "image", "WEBP", _riff(b"WEBP"), PICTURE),
    Format("AVI", "container", "avi", _riff(b"AVI "), TRACKS),
    Format("xWMA", "container", "xwma", _riff(b"XWMA"), SOUND),
    Format("RIFF", "unknown", "RIFF", _starts(*_RIFF)),
    Format("MP4 or MOV", "container", "mov", _is_mp4, TRACKS),
    MP3,
    Format("AAC", "container", "aac", mpeg.is_adts, SOUND),
    Format("ASF (WMA, WMV)", "container", "asf", _starts(_ASF), TRACKS),
    Format("FLV", "container", "flv", _starts(b"FLV\x01"), TRACKS),
    Format("MPEG-PS", "container", "mpeg", _starts(b"\0\0\1\xba"), TRACKS),
    Format("MPEG-TS", "container", "mpegts", _is_transport_stream, TRACKS),
    Format("AIFF", "audio", "AIFF", _iff(b"AIFF", b"AIFC"), SOUND),
    Format("AU", "audio", "AU", _starts(b".snd", b"dns."), SOUND),
    Format("CAF", "audio", "CAF", _starts(b"caff"), SOUND),
    Format("W64", "audio", "W64", _starts(_W64), SOUND),
    Format("AMR", "container", "amr", _starts(b"#!AMR\n", b"#!AMR-WB\n"), SOUND),
    Format("AC-3", "container", "ac3", lambda head: _is_ac3(head, enhanced=False), SOUND),
    Format("E-AC-3", "container", "eac3", lambda head: _is_ac3(head, enhanced=True), SOUND),
    Format("DTS", "container", "dts", _starts(*_DTS), SOUND),
    Format("LATM", "container", "loas", _is_loas, SOUND),
    Format("MLP", "container", "mlp", elementary.is_mlp, SOUND),
    Format("TrueHD", "container", "truehd", elementary.is_truehd, SOUND),
    Format("SBC", "container", "sbc", elementary.is_sbc, SOUND),
    Format("WavPack", "container", "wv", _starts(b"wvpk"), SOUND),
    Format("Monkey's Audio", "container", "ape", _starts(b"MAC "), SOUND),
    Format("True Audio", "container", "tta", _starts(b"TTA1"), SOUND),
    Format("TAK", "container", "tak", _starts(b"tBaK"), SOUND),
    Format("Musepack", "container", "mpc8", _starts(b"MPCK"), SOUND),
    Format("Musepack", "container", "mpc", _starts(b"MP+"), SOUND),
    Format("VOC", "audio", "VOC", _starts(b"Creative Voice File\x1a"), SOUND),
    Format("8SVX", "audio", "SVX", _iff(b"8SVX", b"16SV"), SOUND),
    Format("NIST SPHERE", "audio", "NIST", _starts(b"NIST_1A\n"), SOUND),
    Format("IRCAM", "audio", "IRCAM", _is_ircam, SOUND),
    Format("SoX", "container", "sox", _starts(b".SoX", b"XoS."), SOUND),
    Format("DSF", "container", "dsf", _starts(b"DSD \x1c\0\0\0"), SOUND),
    Format("DSDIFF", "container", "iff", lambda head: head[:4] == b"FRM8" and head[12:16] == b"DSD ", SOUND),
    Format("RealMedia", "container", "rm", _starts(b".RMF", b".ra\xfd"), TRACKS),
    Format("MXF", "container", "mxf", _starts(_MXF), TRACKS),
    Format("NUT", "container", "nut", _starts(b"nut/multimedia container\0"), TRACKS),
    Format("WTV", "container", "wtv", _starts(_WTV), TRACKS),
    Format("IVF", "container", "ivf", _starts(b"DKIF\0\0"), TRACKS),
    Format("YUV4MPEG", "container", "yuv4mpegpipe", _starts(b"YUV4MPEG2 "), TRACKS),
    Format("DV", "container", "dv", elementary.is_dv, TRACKS),
    Format("MPEG-1 or MPEG-2 stream", "container", "mpegvideo", elementary.is_mpeg12, TRACKS),
    Format("MPEG-4 stream", "container", "m4v", elementary.is_mpeg4, TRACKS),
    Format("H.265 stream", "container", "hevc", elementary.is_h265, TRACKS),
    Format("H.264 stream", "container", "h264", elementary.is_h264, TRACKS),
    Format("Parquet", "table", "parquet", _starts(b"PAR1"), ARRAYS),
    Format("CSV", "table", "csv", lambda head: csv_dialect(head) is not None, ARRAYS),
)
UNKNOWN = Format("", "unknown", "", lambda head: True)
