"""Small media files, encoded on the spot."""

from __future__ import annotations

import importlib
import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import soundfile

from bindrt import _core
from bindrt.sources.colour import ROUNDING, picture_of

RATE = 22050


def picture(width: int = 61, height: int = 47, seed: int = 0) -> np.ndarray:
    """Smooth coloured pixels uint8 ``[H, W, 3]``."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(PIL.Image.fromarray(small).resize((width, height), PIL.Image.Resampling.BICUBIC))


def picture_bytes(fmt: str, pixels: np.ndarray | None = None, **options: Any) -> bytes:
    """A picture file."""
    _teach_pillow(fmt)
    out = io.BytesIO()
    PIL.Image.fromarray(picture() if pixels is None else pixels).save(out, fmt, **options)
    return out.getvalue()


def _teach_pillow(fmt: str) -> None:
    """The formats that Pillow knows by plugins alone."""
    if fmt == "HEIF":
        importlib.import_module("pillow_heif").register_heif_opener()
    elif fmt == "JXL":
        importlib.import_module("pillow_jxl")


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it has this size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def waveform(seconds: float = 2.5, channels: int = 2, rate: int = RATE) -> np.ndarray:
    """Tones with some noise, float32 ``[channels, N]`` within -0.6..0.6."""
    t = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(1).normal(0, 0.05, (channels, len(t)))
    tones = np.stack([0.3 * np.sin(2 * np.pi * (330 + 200 * c) * t) for c in range(channels)])
    return np.clip(tones + noise, -0.6, 0.6).astype(np.float32)


def sound_bytes(fmt: str, wave: np.ndarray | None = None, rate: int = RATE, **options: Any) -> bytes:
    """A sound file through libsndfile."""
    out = io.BytesIO()
    soundfile.write(out, (waveform(rate=rate) if wave is None else wave).T, rate, format=fmt, **options)
    return out.getvalue()


def frames(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Frames that differ: a bar moves over a picture."""
    base = picture(width, height)
    made = []
    for i in range(count):
        frame = base.copy()
        frame[:, (3 * i) % width : (3 * i) % width + 6] = 250 - (5 * i) % 200
        made.append(frame)
    return made


def write_video(
    path: Path,
    codec: str | None = "libx264",
    count: int = 45,
    fps: int | Fraction = 15,
    size: tuple[int, int] = (64, 48),
    audio: str | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
) -> Path:
    """A video, with a sound track if ``audio`` names a codec; without pictures if ``codec`` is None."""
    with av.open(str(path), "w", options=container or {}) as out:
        video: Any = None
        if codec is not None:
            video = out.add_stream(codec, rate=fps, options=options or {})
            video.width, video.height, video.pix_fmt = *size, pix_fmt
            if rotation:
                video.set_display_rotation(rotation)
        sound: Any = out.add_stream(audio, rate=48000) if audio is not None else None
        packets = list(_video_packets(video, count, size)) if video is not None else []
        packets += list(_sound_packets(sound)) if sound is not None else []
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def _video_packets(stream: Any, count: int, size: tuple[int, int]) -> Iterator[Any]:
    for frame in frames(count, *size):
        yield from stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
    yield from stream.encode()


def _sound_packets(stream: Any) -> Iterator[Any]:
    frame = av.AudioFrame.from_ndarray(waveform(3.0, 2, 48000), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    yield from stream.encode(frame)
    yield from stream.encode()


def decoded(path: Path) -> list[np.ndarray]:
    """All frames as uint8 ``[H, W, 3]``: PyAV's RGB on x86-64, which other processors are to give too.

    For progressive frames and those of interlaced video, whose fields are not told apart, with 4:2:0 and 8
    bits. From other formats PyAV makes other pixels than the original's decoder.
    """
    with av.open(str(path)) as media:
        return [
            _core.picture_to_rgb(picture_of(frame)) if ROUNDING else _whole_frame(frame)
            for frame in media.decode(video=0)
        ]


def _whole_frame(frame: Any) -> np.ndarray:
    """RGB by PyAV, which would convert the fields of an interlaced frame apart."""
    if frame.interlaced_frame:
        graph = av.filter.Graph()
        graph.link_nodes(
            graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
            ),
            graph.add("setfield", "mode=prog"),
            graph.add("buffersink"),
        ).configure()
        graph.push(frame)
        frame = graph.pull()
    return np.asarray(frame.to_ndarray(format="rgb24"))
