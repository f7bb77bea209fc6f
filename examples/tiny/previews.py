"""Files as the demo's page shows them: small copies inside the page, so that it can be moved or sent."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import av
import numpy as np
import PIL.Image
import soundfile

#: Width on the page in pixels; videos of H.264 need even numbers.
WIDTH = 160


def preview(modality: str, path: Path) -> str:
    """A file as HTML."""
    if modality == "text":
        return f"<q>{html.escape(path.read_text('utf-8').strip())}</q>"
    if modality == "imu":
        return motion_plot(path)
    if modality == "video":
        return f'<video src="{small_video(path)}" controls loop muted autoplay playsinline></video>'
    if modality == "audio":
        return f'<audio src="{small_sound(path)}" controls></audio>'
    source = depth_picture(path) if modality == "depth" else small_picture(path)
    return f'<img src="{source}" alt="{modality}">'


def small_picture(path: Path) -> str:
    return picture_address(PIL.Image.open(path))


def depth_picture(path: Path) -> str:
    """16-bit millimetres as a grey picture that a screen can show: near is bright."""
    metres = np.asarray(PIL.Image.open(path)).astype(np.float32) / 1000
    grey = np.where(metres > 0, 255 * (1 - np.clip(metres / 9, 0, 1)), 0).astype(np.uint8)
    return picture_address(PIL.Image.fromarray(grey))


def picture_address(picture: PIL.Image.Image) -> str:
    out = io.BytesIO()
    small = picture.resize(
        (WIDTH, round(WIDTH * picture.height / picture.width)), PIL.Image.Resampling.LANCZOS
    )
    small.save(out, "JPEG", quality=85)
    return address("image/jpeg", out.getvalue())


def small_video(path: Path) -> str:
    """Half the width and a tenth of the bytes; the file itself where this FFmpeg cannot write H.264."""
    if "libx264" not in av.codecs_available:
        return address("video/mp4", path.read_bytes())
    out = io.BytesIO()
    with av.open(str(path)) as source, av.open(out, "w", format="mp4") as copy:
        track = source.streams.video[0]
        stream = copy.add_stream("libx264", rate=track.average_rate, options={"crf": "30"})
        stream.width, stream.height = WIDTH, WIDTH * track.height // track.width // 2 * 2
        stream.pix_fmt = "yuv420p"
        for frame in source.decode(track):
            pixels = frame.to_ndarray(format="rgb24", width=stream.width, height=stream.height)
            copy.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        copy.mux(stream.encode(None))
    return address("video/mp4", out.getvalue())


def small_sound(path: Path) -> str:
    out = io.BytesIO()
    samples, rate = soundfile.read(path, dtype="float32")
    soundfile.write(out, samples, rate, format="MP3")
    return address("audio/mpeg", out.getvalue())


def address(kind: str, content: bytes) -> str:
    """Bytes as a data address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def motion_plot(path: Path) -> str:
    """Accelerometer above, gyroscope below, 5 s."""
    with np.load(path) as archive:
        samples = archive["samples"][:, ::4]
    lines = []
    for group, (top, colours) in enumerate(
        ((0, ("#d65f5f", "#6acc64", "#4878d0")), (40, ("#ee854a", "#956cb4", "#8c613c")))
    ):
        part = samples[3 * group : 3 * group + 3]
        reach = float(np.abs(part).max()) or 1.0
        for values, colour in zip(part, colours, strict=True):
            points = " ".join(
                f"{i * 140 / len(values):.1f},{top + 20 - 18 * v / reach:.1f}" for i, v in enumerate(values)
            )
            lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width=".8"/>')
    return f'<svg viewBox="0 0 140 80" role="img" aria-label="motion">{"".join(lines)}</svg>'
