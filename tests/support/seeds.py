"""Good files of every format that a source reads, to be damaged by the robustness tests."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import PIL.Image
import pyarrow
import pyarrow.csv
import pyarrow.parquet

from support import flir, media, more_seeds
from support.golden import HERE, whole
from support.png import png_file

MODALITIES = ("image", "video", "audio", "depth", "thermal", "imu")
#: FFmpeg's encoders for each kind of container: file name → (pictures, sound).
CONTAINERS: dict[str, tuple[str | None, str | None]] = {
    "h264_aac.mp4": ("libx264", "aac"),
    "mpeg4.mov": ("mpeg4", None),
    "h264_mp3.mkv": ("libx264", "libmp3lame"),
    "vp9_opus.webm": ("libvpx-vp9", "libopus"),
    "mpeg4_mp3.avi": ("mpeg4", "libmp3lame"),
    "aac.m4a": (None, "aac"),
    "aac.aac": (None, "aac"),
}


@dataclass(frozen=True)
class Seed:
    """A good file, what it is read as, and the arguments of ``bindrt.preprocess.<modality>``."""

    name: str
    modality: str
    data: bytes = field(repr=False)
    options: dict[str, Any] = field(default_factory=dict)


def all_seeds(with_whole: bool = True) -> list[Seed]:
    """The golden inputs and files made on the spot, in an order that does not change."""
    return [*golden(with_whole), *pictures(), *sounds(), *videos(), *maps(), *samples(), *rarer()]


def golden(with_whole: bool = True) -> list[Seed]:
    """The inputs kept here; with ``with_whole`` those of the whole set instead, where it is present."""
    root = (whole() if with_whole else None) or HERE
    paths = sorted(p for m in MODALITIES for p in (root / "inputs" / m).iterdir())
    return [Seed(f"golden/{p.name}", p.parent.name, p.read_bytes()) for p in paths]


def pictures() -> list[Seed]:
    rgb = media.picture(64, 48)
    rgba = np.dstack([rgb, rgb[..., :1]])
    grey16 = rgb[..., 0].astype(np.uint16) * 257
    made = {
        "rgb.jpg": media.picture_bytes("JPEG", rgb, quality=85),
        "progressive.jpg": media.picture_bytes("JPEG", rgb, progressive=True, quality=85),
        "rgba.png": media.picture_bytes("PNG", rgba),
        "grey16.png": media.picture_bytes("PNG", grey16),
        "lossy.webp": media.picture_bytes("WEBP", rgb, quality=80),
        "lossless.webp": media.picture_bytes("WEBP", rgba, lossless=True),
        "rgb.bmp": media.picture_bytes("BMP", rgb),
        "raw.tiff": media.picture_bytes("TIFF", rgb),
        "lzw.tiff": media.picture_bytes("TIFF", rgb, compression="tiff_lzw"),
        "deflate.tiff": media.picture_bytes("TIFF", grey16, compression="tiff_deflate"),
        "jpeg.tiff": media.picture_bytes("TIFF", rgb, compression="jpeg"),
        "palette.gif": media.picture_bytes("GIF", rgb),
        "lossy.avif": media.picture_bytes("AVIF", rgb),
        "alpha.heic": media.picture_bytes("HEIF", rgba),
        "lossy.jxl": media.picture_bytes("JXL", rgb),
        "lossless.jxl": media.picture_bytes("JXL", grey16, lossless=True),
        "colours.ppm": media.picture_bytes("PPM", rgb),
        "interlaced.png": png_file(rgb, interlaced=True),
    }
    seeds = [Seed(name, "image", data) for name, data in made.items()]
    return [*seeds, Seed("grey16-full.png", "image", made["grey16.png"], {"grey16": "full"})]


def sounds() -> list[Seed]:
    made = {
        "pcm16.wav": media.sound_bytes("WAV", media.waveform(1.2), subtype="PCM_16"),
        "float.wav": media.sound_bytes("WAV", media.waveform(0.5, 1), subtype="FLOAT"),
        "adpcm.wav": media.sound_bytes("WAV", media.waveform(1.0, 1), subtype="IMA_ADPCM"),
        "pcm24.flac": media.sound_bytes("FLAC", media.waveform(1.0), subtype="PCM_24"),
        "vorbis.ogg": media.sound_bytes("OGG", media.waveform(2.2)),
        "stereo.mp3": media.sound_bytes("MP3", media.waveform(1.5)),
    }
    return [Seed(name, "audio", data) for name, data in made.items()]


def videos() -> list[Seed]:
    """Containers; one with pictures and sound is damaged for both."""
    seeds = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (pictures_codec, sound_codec) in CONTAINERS.items():
            path = media.write_video(Path(folder) / name, pictures_codec, count=24, audio=sound_codec)
            data = path.read_bytes()
            if pictures_codec is not None:
                seeds.append(Seed(name, "video", data))
            if sound_codec is not None:
                seeds.append(Seed(name, "audio", data))
    return seeds


def rarer() -> list[Seed]:
    """Sounds and videos that fewer people have."""
    sounds = [Seed(name, "audio", data) for name, data in more_seeds.sound_files().items()]
    return [*sounds, *(Seed(name, "video", data) for name, data in more_seeds.video_files().items())]


def maps() -> list[Seed]:
    """Depth maps and thermal frames."""
    rng = np.random.default_rng(5)
    metres = rng.uniform(0.2, 6, (40, 52)).astype(np.float32)
    counts = (metres * 1000).astype(np.uint16)
    grey = media.picture(52, 40)[..., 0]
    stretch = {"percentiles": (1, 99)}
    return [
        Seed("metres.npy", "depth", _npy(metres)),
        Seed("fortran.npy", "depth", _npy(np.asfortranarray(metres.astype(np.float64)))),
        Seed("deflated.npz", "depth", _npz(depth=counts)),
        Seed("counts.png", "depth", media.picture_bytes("PNG", counts)),
        Seed("packed.tiff", "depth", media.picture_bytes("TIFF", counts), {"unit": "sunrgbd"}),
        Seed("disparity.npy", "depth", _npy(metres * 10), {"unit": "disparity"}),
        Seed("counts.pgm", "depth", media.picture_bytes("PPM", counts)),
        Seed("metres.pfm", "depth", b"Pf\n52 40\n-1.0\n" + metres[::-1].tobytes()),
        Seed("metres.exr", "depth", _exr(metres)),
        Seed("rgb16.png", "depth", png_file(np.dstack([counts] * 3))),
        Seed("grey-alpha16.png", "depth", png_file(np.dstack([counts, counts]))),
        Seed("flir.jpg", "thermal", flir.radiometric(grey / 4.0), {"low": -10.0, "high": 80.0}),
        Seed("flir-png.jpg", "thermal", flir.radiometric(grey / 4.0, "wrong"), {"low": -10.0, "high": 80.0}),
        Seed("palette.png", "thermal", _palette(grey)),
        Seed("grey.png", "thermal", media.picture_bytes("PNG", grey)),
        Seed("radiometric.png", "thermal", media.picture_bytes("PNG", counts), stretch),
        Seed("celsius.npz", "thermal", _npz(thermal=metres), {"low": 0.0, "high": 6.0}),
    ]


def samples() -> list[Seed]:
    """Inertial recordings, with times and with a rate."""
    values = np.random.default_rng(6).normal(0, 1, (6, 1010)).astype(np.float32)
    times = np.arange(1010) / 200
    return [
        Seed("times.npz", "imu", _npz(samples=values, t=times)),
        Seed("rate.npz", "imu", _npz(samples=values[:, :1000], rate=np.float64(200))),
        Seed("bare.npy", "imu", _npy(values), {"rate": 200.0}),
        Seed("times-option.npy", "imu", _npy(values), {"timestamps": times}),
        *_tables(values.astype(np.float64), times),
    ]


def _tables(values: np.ndarray, times: np.ndarray) -> list[Seed]:
    names = ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    columns = {"t": times, **dict(zip(names, values, strict=True))}
    lists = {"time": times, "acc": values[:3].T.tolist(), "gyro": values[3:].T.tolist()}
    found = []
    for name, table in (("columns", columns), ("lists", lists)):
        file = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(table), file, row_group_size=200)
        found.append(Seed(f"{name}.parquet", "imu", file.getvalue()))
    file = io.BytesIO()
    pyarrow.csv.write_csv(pyarrow.table(columns), file)
    return [*found, Seed("columns.csv", "imu", file.getvalue())]


def _exr(values: np.ndarray) -> bytes:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.exr"
        OpenEXR.File(header, {"Z": values}).write(str(path))
        return path.read_bytes()


def _palette(grey: np.ndarray) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(grey).convert("P").save(out, "PNG")
    return out.getvalue()


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def _npz(**fields: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **fields)
    return out.getvalue()
