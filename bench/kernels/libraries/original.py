"""What the original's users run: Pillow, torchvision, torchaudio, decord, libsndfile.

Depth, thermal and IMU have no loader there; for them this is what one writes with the same libraries.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import soundfile
import torch
import torchaudio
import torchvision.transforms as transforms
import torchvision.transforms.functional as vision
from PIL import Image
from torch.nn import functional
from torchaudio.compliance import kaldi

from bench.kernels.alternative import Call, alternative
from bench.kernels.libraries import constants as c
from bench.kernels.libraries.crops import three_crops

PACKAGES = ("torch", "torchvision", "torchaudio", "decord", "pillow", "soundfile", "av", "numpy")
BICUBIC = transforms.InterpolationMode.BICUBIC
VISION, FILM = "Pillow + torchvision", "decord + torch"

torch.set_grad_enabled(False)
_image = transforms.Compose(
    [
        transforms.Resize(c.SIDE, interpolation=BICUBIC),
        transforms.CenterCrop(c.SIDE),
        transforms.ToTensor(),
        transforms.Normalize(c.MEAN, c.STD),
    ]
)
_grey = transforms.Compose(
    [transforms.Resize(c.SIDE, interpolation=BICUBIC), transforms.CenterCrop(c.SIDE), transforms.ToTensor()]
)


@alternative("image-file", VISION, "original")
def image_file(path: str, threads: int) -> Call:
    def run() -> Any:
        with open(path, "rb") as file:
            return _image(Image.open(file).convert("RGB"))

    return run


@alternative("image", VISION, "original")
def image(pixels: str, threads: int) -> Call:
    picture = Image.fromarray(np.load(pixels))
    return lambda: _image(picture)


def mel(clip: torch.Tensor) -> torch.Tensor:
    """``[1, 128, 204]`` of a clip ``[channels, samples]``, its mean removed."""
    bands = kaldi.fbank(
        clip,
        htk_compat=True,
        sample_frequency=16000,
        use_energy=False,
        window_type="hanning",
        num_mel_bins=128,
        dither=0.0,
        frame_length=25,
        frame_shift=10,
    ).t()
    missing = c.MEL_FRAMES - bands.shape[1]
    bands = functional.pad(bands, (0, missing)) if missing > 0 else bands[:, : c.MEL_FRAMES]
    return ((bands - c.MEL_MEAN) / c.MEL_STD)[None]


@alternative("audio-file", "libsndfile + torchaudio", "original")
def audio_file(path: str, threads: int) -> Call:
    torch.set_num_threads(threads)

    def run() -> Any:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        wave = torchaudio.functional.resample(torch.from_numpy(samples.T), rate, 16000)
        views = []
        for start in c.clip_starts(wave.shape[1] / 16000, 3, 2.0):
            clip = wave[:, int(start * 16000) : int((start + 2) * 16000)]
            clip -= clip.mean()
            views.append(mel(clip))
        return torch.stack(views)

    return run


@alternative("resample", "torchaudio functional", "original")
def resample(wave: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    samples = torch.from_numpy(np.load(wave))[None]
    return lambda: torchaudio.functional.resample(samples, 44100, 16000)[0]


@alternative("resample", "torchaudio, filters kept", "library")
def resample_kept(wave: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    samples = torch.from_numpy(np.load(wave))[None]
    transform = torchaudio.transforms.Resample(44100, 16000)
    return lambda: transform(samples)[0]


@alternative("mel", "torchaudio", "original")
def log_mel(clip: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    samples = torch.from_numpy(np.load(clip))[None]
    return lambda: mel(samples)


@alternative("mel", "FFTs (torch)", "limit")
def fourier(clip: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    frames = torch.randn(198, 512)

    def run() -> None:
        torch.fft.rfft(frames)

    return run


@alternative("video-file", FILM, "original")
def video_file(path: str, threads: int) -> Call:
    import decord  # has no wheels for some machines

    torch.set_num_threads(threads)

    def run() -> Any:
        reader = decord.VideoReader(path, ctx=decord.cpu(0), num_threads=threads)
        views = []
        for clip in c.frame_ranges(len(reader), reader.get_avg_fps()):
            frames = torch.from_numpy(reader.get_batch(list(clip)).asnumpy())
            frames = frames.permute(3, 0, 1, 2).to(torch.float32)  # all of the clip's, as the original does
            views.append(three_crops(frames[:, [0, -1]]))
        return torch.cat(views)

    return run


@alternative(
    "video-frame",
    "PyAV + torch",
    "original",
    note="decord gives the same RGB, but no YUV",
)
def video_frame(frame: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    picture = av.VideoFrame.from_ndarray(np.load(frame), format="yuv420p")

    def run() -> Any:
        rgb = torch.from_numpy(picture.to_ndarray(format="rgb24"))
        return three_crops(rgb.permute(2, 0, 1)[:, None].to(torch.float32))[:, :, 0]

    return run


def disparity(counts: np.ndarray) -> torch.Tensor:
    """The depth encoder's input of millimetres."""
    metres = torch.from_numpy(counts.astype(np.float32)) / 1000
    pixels = c.BASELINE * c.FOCAL / (8 * metres).clamp(0.01, 50)
    pixels[metres == 0] = c.BASELINE * c.FOCAL / 50
    scaled = pixels.clamp(0.01, 75)[None] / 75
    small = vision.resize(scaled, c.SIDE, transforms.InterpolationMode.BILINEAR, antialias=True)
    return (vision.center_crop(small, [c.SIDE]) - c.DISPARITY_MEAN) / c.DISPARITY_STD


@alternative("depth-file", VISION, "original")
def depth_file(path: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    return lambda: disparity(np.asarray(Image.open(path)))


@alternative("depth", VISION, "original")
def depth(counts: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    array = np.load(counts)
    return lambda: disparity(array)


@alternative("thermal-file", VISION, "original")
def thermal_file(path: str, threads: int) -> Call:
    return lambda: _grey(Image.open(path))


@alternative("thermal", VISION, "original")
def thermal(counts: str, threads: int) -> Call:
    picture = Image.fromarray(np.load(counts))
    return lambda: _grey(picture)


def stretched(counts: np.ndarray) -> torch.Tensor:
    low, high = np.percentile(counts, (1, 99))
    scaled = ((counts.astype(np.float64) - low) / (high - low)).clip(0, 1).astype(np.float32)
    return _grey(Image.fromarray(scaled)).clamp(0, 1)


@alternative("thermal16-file", VISION, "original")
def thermal16_file(path: str, threads: int) -> Call:
    return lambda: stretched(np.asarray(Image.open(path)))


@alternative("thermal16", VISION, "original")
def thermal16(counts: str, threads: int) -> Call:
    array = np.load(counts)
    return lambda: stretched(array)


def even(samples: np.ndarray, times: np.ndarray) -> np.ndarray:
    at = np.arange(2000) / 400
    return np.stack([np.interp(at, times - times[0], row) for row in samples]).astype(np.float32)


@alternative("imu-file", "NumPy", "original")
def imu_file(path: str, threads: int) -> Call:
    def run() -> Any:
        with np.load(path) as fields:
            return even(fields["samples"], fields["t"])

    return run


@alternative("imu", "NumPy", "original")
def imu(recording: str, threads: int) -> Call:
    with np.load(recording) as fields:
        samples, times = fields["samples"], fields["t"]
    return lambda: even(samples, times)


@alternative("pool", "torch", "original")
def pool(views: str, threads: int) -> Call:
    torch.set_num_threads(threads)
    vectors = torch.from_numpy(np.load(views))
    return lambda: functional.normalize(vectors.mean(0, keepdim=True), dim=-1)
