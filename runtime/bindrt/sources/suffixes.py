"""What the names of files say they hold.

A file is read by its content (:mod:`bindrt.sources.formats`). Its suffix only says what it was meant to be: a
``.jpg`` that is not an image is a damaged image, and not a file that happens to lie there.
"""

from __future__ import annotations

import os

IMAGES = (
    "jpg jpeg jpe jfif png apng gif bmp dib webp tif tiff avif avifs heic heics heif heifs hif jxl jp2 j2k "
    "j2c jpc jpx jpf qoi ico pcx sgi dds ppm pgm pbm pnm pam tga psd dng cr2 cr3 nef arw orf rw2 raf"
)
VIDEOS = (
    "mp4 m4v mov qt mkv webm avi mpg mpeg mpe mpv m1v m2v m2p m2ts mts ts vob flv f4v wmv asf ogv ogm 3gp "
    "3gpp 3g2 mxf divx xvid rm rmvb dv nut wtv insv lrv h264 h265 hevc mjpeg mjpg swf"
)
SOUNDS = (
    "mp3 mp2 mp1 mpa wav wave bwf rf64 w64 flac ogg oga opus spx m4a m4b m4r aac adts latm aif aiff aifc au "
    "snd caf wma amr awb mka ac3 eac3 ec3 dts ape wv tta tak mpc ra voc "
    "mlp thd sbc msbc dsf dff sox gsm adx oma aptx"
)
#: Files of numbers, which bindrt reads once it is told what they are, and the modality that is likeliest.
TABLES = {
    "csv": "imu", "tsv": "imu", "parquet": "imu", "npz": "imu", "npy": "depth", "pfm": "depth",
    "exr": "depth",
}  # fmt: skip

_MODALITY = {
    **dict.fromkeys(IMAGES.split(), "image"),
    **dict.fromkeys(VIDEOS.split(), "video"),
    **dict.fromkeys(SOUNDS.split(), "audio"),
}
#: These are names of program texts as well, of TypeScript.
_ALSO_TEXTS = ("ts", "mts")


def suffix_of(path: str) -> str:
    """The suffix in lower case with its dot; empty if there is none.

    >>> suffix_of("A/B.JPG")
    '.jpg'
    """
    return os.path.splitext(path)[1].lower()


def modality_by_suffix(path: str, head: bytes) -> str | None:
    """``image``, ``video`` or ``audio`` if that is what a file was meant to be by its suffix.

    Args:
        head: the file's first bytes. They tell videos from program texts that have the same suffix.

    >>> modality_by_suffix("a.ts", b"G@\\0\\x10")
    'video'
    >>> modality_by_suffix("a.ts", b"export const a = 1;")
    """
    suffix = suffix_of(path)[1:]
    if suffix in _ALSO_TEXTS and is_text(head):
        return None
    return _MODALITY.get(suffix)


def is_text(head: bytes) -> bool:
    """Whether a file that begins so is a text: UTF-8 without control characters.

    >>> is_text("größer".encode()), is_text(b"\\0\\0")
    (True, False)
    """
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(head) - 3:  # the last letter may be cut
            return False
        text = head[: error.start].decode("utf-8")
    return all(c.isprintable() or c.isspace() or c in "\ufeff\x1b" for c in text)
