"""Makes ``decoder/``: small videos of rarer pixel formats, and a frame of each from the original's decoder.

pip install decord==0.6.0; python tests/golden/make_decoder.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import decord
import numpy as np

OUT = Path(__file__).resolve().parent / "decoder"
COUNT, WIDTH, HEIGHT = 4, 96, 68
INTERLACED = {"x264-params": "interlaced=1"}
#: File name → encoder, pixel format, its options.
VIDEOS: dict[str, tuple[str, str, dict[str, str]]] = {
    "420_10.mkv": ("libx264", "yuv420p10le", {}),
    "420_10.hevc.mp4": ("libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
    "420_12.hevc.mkv": ("libx265", "yuv420p12le", {"x265-params": "log-level=none"}),
    "420_interlaced.mp4": ("libx264", "yuv420p", INTERLACED),
    "420_10_interlaced.mkv": ("libx264", "yuv420p10le", INTERLACED),
    "422.mp4": ("libx264", "yuv422p", {}),
    "422_10.mkv": ("libx264", "yuv422p10le", {}),
    "422_interlaced.mkv": ("libx264", "yuv422p", INTERLACED),
    "422.avi": ("mjpeg", "yuvj422p", {}),
    "422_10.mov": ("prores_ks", "yuv422p10le", {}),
    "440.webm": ("libvpx-vp9", "yuv440p", {}),
    "444.mp4": ("libx264", "yuv444p", {}),
    "444_10.mkv": ("libx264", "yuv444p10le", {}),
    "420.mpg": ("mpeg2video", "yuv420p", {}),
    "rgb.mkv": ("libx264rgb", "rgb24", {}),
}


def frame(number: int) -> np.ndarray:
    """Saturated bars across and down, so that each chroma edge shows: uint8 ``[H, W, 3]``."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([(x * 2 + number * 9) % 256, (y * 3) % 256, (x + y) % 256], axis=-1).astype(np.uint8)
    pixels[:, (7 * number + 11) % WIDTH :][:, :9] = (255, 0, 0)
    pixels[(5 * number + 20) % HEIGHT :][:7] = (0, 0, 255)
    return pixels


def write(path: Path, codec: str, pixel_format: str, options: dict[str, str]) -> None:
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        for number in range(COUNT):
            picture = av.VideoFrame.from_ndarray(frame(number), format="rgb24")
            out.mux(stream.encode(picture.reformat(format=pixel_format)))
        out.mux(stream.encode(None))


def main() -> None:
    """Writes the videos, and ``frames.npz`` with the last frame of each."""
    OUT.mkdir(exist_ok=True)
    made = {}
    for name, (codec, pixel_format, options) in VIDEOS.items():
        write(OUT / name, codec, pixel_format, options)
        reader = decord.VideoReader(str(OUT / name))
        made[name] = reader[COUNT - 1].asnumpy()
    np.savez_compressed(OUT / "frames.npz", **made)


if __name__ == "__main__":
    main()
