"""Videos, beside a full decode by FFmpeg: all frames, at their times."""

from __future__ import annotations

import functools
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

import bindrt
from bench.formats.case import Case, ffmpeg
from bindrt import preprocess

FPS = 25
#: Container, suffix, codec, options of ffmpeg, the demuxer of the full decode.
MADE = [
    ("MP4", "mp4", "libx264", "-pix_fmt yuv420p", "mov"),
    ("MP4", "mp4", "libx265", "-pix_fmt yuv420p", "mov"),
    ("MP4", "mp4", "libsvtav1", "-pix_fmt yuv420p", "mov"),
    ("MP4", "mp4", "mpeg4", "-bf 2", "mov"),
    ("MOV", "mov", "mjpeg", "-pix_fmt yuvj420p", "mov"),
    ("MOV", "mov", "prores_ks", "-pix_fmt yuv422p10le", "mov"),
    ("MKV", "mkv", "libx264", "-pix_fmt yuv420p", "matroska"),
    ("MKV", "mkv", "ffv1", "-pix_fmt yuv420p", "matroska"),
    ("WebM", "webm", "libvpx", "-pix_fmt yuv420p", "matroska"),
    ("WebM", "webm", "libvpx-vp9", "-pix_fmt yuv420p", "matroska"),
    ("AVI", "avi", "mpeg4", "-bf 2", "avi"),
    ("AVI", "avi", "libx264", "-bf 3 -pix_fmt yuv420p", "avi"),
    ("AVI", "avi", "mjpeg", "-pix_fmt yuvj420p", "avi"),
    ("OGG", "ogv", "libtheora", "-pix_fmt yuv420p", "ogg"),
    ("MPEG-TS", "ts", "libx264", "-pix_fmt yuv420p", "mpegts"),
    ("MPEG-TS", "ts", "mpeg2video", "", "mpegts"),
    ("M2TS", "m2ts", "libx264", "-pix_fmt yuv420p", "mpegts"),
    ("MPEG-PS", "mpg", "mpeg1video", "", "mpeg"),
    ("MPEG-PS", "vob", "mpeg2video", "", "mpeg"),
    ("FLV", "flv", "flv", "", "flv"),
    ("FLV", "flv", "libx264", "-pix_fmt yuv420p", "flv"),
    ("ASF (WMV)", "wmv", "wmv2", "", "asf"),
    ("ASF (WMV)", "wmv", "msmpeg4", "", "asf"),
    ("3GP", "3gp", "h263", "-s 176x144", "mov"),
    ("RealMedia", "rm", "rv20", "", "rm"),
    ("MXF", "mxf", "mpeg2video", "-pix_fmt yuv420p", "mxf"),
    ("NUT", "nut", "mpeg4", "", "nut"),
    ("WTV", "wtv", "mpeg2video", "", "wtv"),
    ("IVF", "ivf", "libvpx", "-pix_fmt yuv420p", "ivf"),
    ("DV", "dv", "dvvideo", "-s 720x576 -pix_fmt yuv420p", "dv"),
    ("DV in AVI", "avi", "dvvideo", "-s 720x576 -pix_fmt yuv420p", "avi"),
    ("YUV4MPEG", "y4m", "wrapped_avframe", "-pix_fmt yuv420p", "yuv4mpegpipe"),
    ("AVI", "avi", "huffyuv", "-pix_fmt yuv422p", "avi"),
    ("AVI", "avi", "msmpeg4v2", "", "avi"),
    ("MOV", "mov", "qtrle", "", "mov"),
    ("GIF", "gif", "gif", "", "gif"),
    ("none", "h264", "libx264", "-bf 3 -pix_fmt yuv420p", "h264"),
    ("none", "hevc", "libx265", "-pix_fmt yuv420p", "hevc"),
    ("none", "m1v", "mpeg1video", "-bf 2", "mpegvideo"),
    ("none", "m2v", "mpeg2video", "-bf 2", "mpegvideo"),
    ("none", "m4v", "mpeg4", "-bf 2 -f m4v", "m4v"),
    ("H.264 in ASF", "asf", "libx264", "-bf 3 -pix_fmt yuv420p", "asf"),
    ("MPEG-PS", "mpg", "libx264", "-bf 3 -pix_fmt yuv420p", "mpeg"),
]


def cases() -> Iterator[Case]:
    for container, suffix, codec, options, demuxer in MADE:
        make = functools.partial(_made, suffix, codec, tuple(options.split()))
        yield Case("video", container, codec, "ffmpeg", make, functools.partial(_difference, demuxer))


def _made(suffix: str, codec: str, options: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "frames.avi"
        with av.open(str(source), "w") as out:
            stream = out.add_stream("rawvideo", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = 352, 288, "bgr24"
            for number in range(4 * FPS):
                frame = av.VideoFrame.from_ndarray(_pixels(number), format="rgb24")
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return ffmpeg(source, suffix, "-c:v", codec, *options)


def _pixels(number: int) -> np.ndarray:
    """Smooth colours that move: which frame was seen shows."""
    rows, columns = np.mgrid[0:288, 0:352]
    red = 128 + 100 * np.sin((columns + 5 * number) / 40)
    green = 128 + 100 * np.sin((rows + 7 * number) / 40)
    return np.stack([red, green, np.full_like(red, 40 + 2 * (number % 100))], 2).astype(np.uint8)


def _difference(demuxer: str, data: bytes) -> float:
    with av.open(io.BytesIO(data), format=demuxer) as media:
        frames = [frame.to_ndarray(format="rgb24") for frame in media.decode(video=0)]
    want = preprocess.video(bindrt.Video(frames, fps=FPS))
    return float(np.abs(preprocess.video(data) - want).max())
