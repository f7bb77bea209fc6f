"""The files and arrays that are measured, made once into build/bench/media; synthetic, from fixed seeds.

Pictures have the spectrum of photographs (amplitude falls with frequency) with edges and grain, so that
decoders have as much to do as with real ones; films pan over such a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import PIL.ImageDraw
import soundfile

from bench.kernels.environments import BUILD

FOLDER = BUILD / "media"
_MAKERS: dict[str, Callable[[Path], None]] = {}
_RATE = 44100


def path(name: str) -> str:
    """The file ``name``, made if it is not there."""
    file = FOLDER / name
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"partial-{file.name}")
        _MAKERS[name](partial)
        partial.rename(file)
    return str(file)


def _makes(name: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def register(make: Callable[[Path], None]) -> Callable[[Path], None]:
        _MAKERS[name] = make
        return make

    return register


@cache
def scene(width: int, height: int, seed: int) -> np.ndarray:
    """A picture uint8 ``[height, width, 3]``."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    cells, amplitude = 3, 70.0
    while cells < width // 2:
        noise = rng.normal(0, amplitude, (max(cells * height // width, 2), cells, 3)).astype(np.float32)
        noise = 0.7 * noise.mean(axis=2, keepdims=True) + 0.3 * noise  # colours follow brightness
        for channel in range(3):
            layer = PIL.Image.fromarray(np.ascontiguousarray(noise[..., channel]))
            total[..., channel] += np.asarray(layer.resize((width, height), PIL.Image.Resampling.BICUBIC))
        cells, amplitude = cells * 2, amplitude * 0.55
    picture = PIL.Image.fromarray((total + 120).clip(0, 255).astype(np.uint8))
    draw = PIL.ImageDraw.Draw(picture)
    for _ in range(24):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(width // 40, width // 6, 2)
        colour = tuple(int(c) for c in rng.integers(20, 230, 3))
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((int(x), int(y), int(x + w), int(y + h)), outline=colour, width=max(width // 200, 2))
    grain = rng.normal(0, 3, (height, width, 1))
    return (np.asarray(picture) + grain).clip(0, 255).astype(np.uint8)


@_makes("picture_640x480.jpg")
def _jpeg(file: Path) -> None:
    PIL.Image.fromarray(scene(640, 480, 1)).save(file, "JPEG", quality=90)


@_makes("picture_1920x1080.jpg")
def _large_jpeg(file: Path) -> None:
    PIL.Image.fromarray(scene(1920, 1080, 2)).save(file, "JPEG", quality=90)


@_makes("picture_640x480.png")
def _png(file: Path) -> None:
    PIL.Image.fromarray(scene(640, 480, 1)).save(file, "PNG")


@_makes("pixels_640x480.npy")
def _pixels(file: Path) -> None:
    _save(file, np.asarray(PIL.Image.open(path("picture_640x480.jpg"))))


@_makes("pixels_1920x1080.npy")
def _large_pixels(file: Path) -> None:
    _save(file, np.asarray(PIL.Image.open(path("picture_1920x1080.jpg"))))


def sound(seconds: float, seed: int) -> np.ndarray:
    """Tones with vibrato and bursts of noise, float32 ``[samples, 2]`` within -0.9..0.9."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * _RATE)) / _RATE
    left = np.zeros_like(t)
    for frequency in (110, 221, 443, 887, 1770, 3545, 7080):
        vibrato = 3 * np.sin(2 * np.pi * rng.uniform(3, 7) * t)
        left += 30 / frequency**0.9 * np.sin(2 * np.pi * frequency * t + vibrato)
    burst = (np.sin(2 * np.pi * 2 * t) > 0.6) * rng.normal(0, 0.1, len(t))
    both = np.stack((left + burst, 0.8 * np.roll(left, 200) + rng.normal(0, 0.02, len(t))), axis=1)
    return (0.9 * both / np.abs(both).max()).astype(np.float32)


@_makes("sound_5s_44k1_stereo.wav")
def _wav(file: Path) -> None:
    soundfile.write(file, sound(5, 3), _RATE, "PCM_16", format="WAV")


@_makes("sound_30s_44k1_stereo.flac")
def _flac(file: Path) -> None:
    soundfile.write(file, sound(30, 4), _RATE, "PCM_16", format="FLAC")


@_makes("wave_5s_44k1.npy")
def _wave(file: Path) -> None:
    _save(file, np.ascontiguousarray(sound(5, 3)[:, 0]))


@_makes("clip_2s_16k.npy")
def _clip(file: Path) -> None:
    wave = sound(2 * 16000 / _RATE, 5)[:, 0]  # 32 000 samples
    _save(file, np.ascontiguousarray(wave - wave.mean()))


def film(width: int, height: int, count: int) -> Iterator[np.ndarray]:
    """Frames: a window that moves over a larger scene, grain that changes."""
    world = scene(width * 3 // 2, height * 3 // 2, 6)
    rng = np.random.default_rng(7)
    for i in range(count):
        x = int((np.sin(i / 40) + 1) / 2 * (world.shape[1] - width))
        y = int((np.cos(i / 55) + 1) / 2 * (world.shape[0] - height))
        grain = rng.normal(0, 2, (height, width, 1))
        yield (world[y : y + height, x : x + width] + grain).clip(0, 255).astype(np.uint8)


def _encode(file: Path, form: str, codec: str, size: tuple[int, int], count: int, **options: str) -> None:
    with av.open(str(file), "w", format=form) as out:
        stream: Any = out.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for frame in film(*size, count):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())


@_makes("film_5s_640x360_h264.mp4")
def _mp4(file: Path) -> None:
    _encode(file, "mp4", "libx264", (640, 360), 150, crf="23", preset="medium")


@_makes("film_6.4s_320x240_h264.mp4")
def _small_mp4(file: Path) -> None:
    _encode(file, "mp4", "libx264", (320, 240), 192, crf="23", preset="medium")


@_makes("film_5s_640x360_vp9.webm")
def _webm(file: Path) -> None:
    rate = {"crf": "32", "b": "0", "deadline": "good", "cpu-used": "4"}
    _encode(file, "webm", "libvpx-vp9", (640, 360), 150, **rate)


@_makes("frame_640x360_yuv420p.npy")
def _yuv(file: Path) -> None:
    with av.open(path("film_5s_640x360_h264.mp4")) as media:
        frame = next(media.decode(video=0))
    _save(file, frame.to_ndarray(format="yuv420p"))  # [360 * 3/2, 640]: Y, then U and V


def _smooth(width: int, height: int, seed: int) -> np.ndarray:
    """One channel within 0..1."""
    return scene(width, height, seed)[..., 1].astype(np.float64) / 255


@_makes("depth_640x480.png")
def _depth_png(file: Path) -> None:
    PIL.Image.fromarray(np.load(path("depth_640x480.npy"))).save(file, "PNG")


@_makes("depth_640x480.npy")
def _depth(file: Path) -> None:
    millimetres = (600 + 4000 * _smooth(640, 480, 8)).astype(np.uint16)
    millimetres[_smooth(640, 480, 9) < 0.2] = 0  # what the sensor did not see
    _save(file, millimetres)


@_makes("thermal_640x512_8bit.npy")
def _thermal(file: Path) -> None:
    _save(file, (255 * _smooth(640, 512, 10)).astype(np.uint8))


@_makes("thermal_640x512_16bit.npy")
def _thermal16(file: Path) -> None:
    _save(file, (27000 + 6000 * _smooth(640, 512, 10)).astype(np.uint16))  # centikelvin


@_makes("thermal_640x512_8bit.png")
def _thermal_png(file: Path) -> None:
    PIL.Image.fromarray(np.load(path("thermal_640x512_8bit.npy"))).save(file, "PNG")


@_makes("thermal_640x512_16bit.png")
def _thermal16_png(file: Path) -> None:
    PIL.Image.fromarray(np.load(path("thermal_640x512_16bit.npy"))).save(file, "PNG")


@_makes("imu_5s_200hz.npz")
def _imu(file: Path) -> None:
    rng = np.random.default_rng(11)
    t = np.arange(1010) / 200 + rng.uniform(-0.0005, 0.0005, 1010)
    walk = np.cumsum(rng.normal(0, 0.05, (6, 1010)), axis=1).astype(np.float32)
    with open(file, "wb") as out:
        np.savez(out, samples=walk, t=t)


@_makes("views_15x1024.npy")
def _views(file: Path) -> None:
    _save(file, np.random.default_rng(12).normal(0, 1, (15, 1024)).astype(np.float32))


def _save(file: Path, array: np.ndarray) -> None:
    with open(file, "wb") as out:
        np.save(out, array)
