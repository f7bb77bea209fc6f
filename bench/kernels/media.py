"""The files and arrays that are measured, made once into build/bench/media; synthetic, from fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import soundfile

from bench.paths import BUILD
from bindrt.benchmark.synthetic import SOUND_RATE, motion, photograph, smooth, sound, video

FOLDER = BUILD / "media"
MAKERS: dict[str, Callable[[Path], None]] = {}


def path(name: str) -> str:
    """The file ``name``, made if it is not there."""
    file = FOLDER / name
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"partial-{file.name}")
        MAKERS[name](partial)
        partial.rename(file)
    return str(file)


def _makes(name: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def register(make: Callable[[Path], None]) -> Callable[[Path], None]:
        MAKERS[name] = make
        return make

    return register


@_makes("image_640x480.jpg")
def _jpeg(file: Path) -> None:
    PIL.Image.fromarray(photograph(640, 480, 1)).save(file, "JPEG", quality=90)


@_makes("image_1920x1080.jpg")
def _large_jpeg(file: Path) -> None:
    PIL.Image.fromarray(photograph(1920, 1080, 2)).save(file, "JPEG", quality=90)


@_makes("image_640x480.png")
def _png(file: Path) -> None:
    PIL.Image.fromarray(photograph(640, 480, 1)).save(file, "PNG")


@_makes("pixels_640x480.npy")
def _pixels(file: Path) -> None:
    _save(file, np.asarray(PIL.Image.open(path("image_640x480.jpg"))))


@_makes("pixels_1920x1080.npy")
def _large_pixels(file: Path) -> None:
    _save(file, np.asarray(PIL.Image.open(path("image_1920x1080.jpg"))))


@_makes("sound_5s_44k1_stereo.wav")
def _wav(file: Path) -> None:
    soundfile.write(file, sound(5, 3), SOUND_RATE, "PCM_16", format="WAV")


@_makes("sound_30s_44k1_stereo.flac")
def _flac(file: Path) -> None:
    soundfile.write(file, sound(30, 4), SOUND_RATE, "PCM_16", format="FLAC")


@_makes("wave_5s_44k1.npy")
def _wave(file: Path) -> None:
    _save(file, np.ascontiguousarray(sound(5, 3)[:, 0]))


@_makes("clip_2s_16k.npy")
def _clip(file: Path) -> None:
    wave = sound(2 * 16000 / SOUND_RATE, 5)[:, 0]  # 32 000 samples
    _save(file, np.ascontiguousarray(wave - wave.mean()))


def _encode(file: Path, form: str, codec: str, size: tuple[int, int], count: int, **options: str) -> None:
    with av.open(str(file), "w", format=form) as out:
        stream: Any = out.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in video(*size, count):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


@_makes("video_5s_640x360_h264.mp4")
def _mp4(file: Path) -> None:
    _encode(file, "mp4", "libx264", (640, 360), 150, crf="23", preset="medium")


@_makes("video_6.4s_320x240_h264.mp4")
def _small_mp4(file: Path) -> None:
    _encode(file, "mp4", "libx264", (320, 240), 192, crf="23", preset="medium")


@_makes("video_5s_640x360_vp9.webm")
def _webm(file: Path) -> None:
    rate = {"crf": "32", "b": "0", "deadline": "good", "cpu-used": "4"}
    _encode(file, "webm", "libvpx-vp9", (640, 360), 150, **rate)


@_makes("frame_640x360_yuv420p.npy")
def _yuv(file: Path) -> None:
    with av.open(path("video_5s_640x360_h264.mp4")) as media:
        frame = next(media.decode(video=0))
    _save(file, frame.to_ndarray(format="yuv420p"))  # [360 * 3/2, 640]: Y, then U and V


@_makes("depth_640x480.png")
def _depth_png(file: Path) -> None:
    PIL.Image.fromarray(np.load(path("depth_640x480.npy"))).save(file, "PNG")


@_makes("depth_640x480.npy")
def _depth(file: Path) -> None:
    millimetres = (600 + 4000 * smooth(640, 480, 8)).astype(np.uint16)
    millimetres[smooth(640, 480, 9) < 0.2] = 0  # what the sensor did not see
    _save(file, millimetres)


@_makes("thermal_640x512_8bit.npy")
def _thermal(file: Path) -> None:
    _save(file, (255 * smooth(640, 512, 10)).astype(np.uint8))


@_makes("thermal_640x512_16bit.npy")
def _thermal16(file: Path) -> None:
    _save(file, (27000 + 6000 * smooth(640, 512, 10)).astype(np.uint16))  # centikelvin


@_makes("thermal_640x512_8bit.png")
def _thermal_png(file: Path) -> None:
    PIL.Image.fromarray(np.load(path("thermal_640x512_8bit.npy"))).save(file, "PNG")


@_makes("thermal_640x512_16bit.png")
def _thermal16_png(file: Path) -> None:
    PIL.Image.fromarray(np.load(path("thermal_640x512_16bit.npy"))).save(file, "PNG")


@_makes("imu_5s_200hz.npz")
def _imu(file: Path) -> None:
    samples, t = motion(11)
    with open(file, "wb") as out:
        np.savez(out, samples=samples, t=t)


@_makes("views_15x1024.npy")
def _views(file: Path) -> None:
    _save(file, np.random.default_rng(12).normal(0, 1, (15, 1024)).astype(np.float32))


def _save(file: Path, array: np.ndarray) -> None:
    with open(file, "wb") as out:
        np.save(out, array)
