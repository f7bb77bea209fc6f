"""Bad input of every modality: always an error that names the item and what would be right."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bindrt import (
    Audio,
    Depth,
    Error,
    Image,
    Imu,
    InputError,
    LimitError,
    Limits,
    OptionError,
    Prepared,
    SourceError,
    Thermal,
    Video,
    preprocess,
)
from bindrt.preprocess import prepare
from support.media import frames, picture, picture_bytes, png_header, sound_bytes, waveform, write_video

FILES = ("image", "video", "audio", "depth", "thermal", "imu")
NAN = float("nan")


def refused(call: Callable[[], Any], pattern: str = "", kind: type[Error] = InputError) -> Error:
    """The error that ``call`` raises; its text matches ``pattern`` and it names item and problem."""
    with pytest.raises(Error) as caught:
        call()
    error = caught.value
    assert isinstance(error, kind), repr(error)
    assert error.item
    assert error.problem
    assert re.search(pattern, str(error)), str(error)
    return error


def imu_samples(seconds: float = 5.5, rate: int = 200) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(6, int(seconds * rate)))


@pytest.mark.parametrize("modality", FILES)
def test_files(modality: str, tmp_path: Path) -> None:
    (tmp_path / "empty.bin").touch()
    (tmp_path / "text.jpg").write_text("this is text, whatever its name says")
    refused(lambda: prepare(modality, tmp_path / "missing.x"), "missing.x.*no such file", SourceError)
    refused(lambda: prepare(modality, tmp_path), "folder", SourceError)
    refused(lambda: prepare(modality, tmp_path / "empty.bin"), "empty", SourceError)
    refused(lambda: prepare(modality, str(tmp_path / "text.jpg")), "text.jpg", SourceError)
    refused(lambda: prepare(modality, b""), "no bytes", SourceError)
    refused(lambda: prepare(modality, bytes(1000)), "1000 B", SourceError)


@pytest.mark.parametrize("modality", [*FILES, "text"])
@pytest.mark.parametrize("item", [None, 17, 2.5, {}, {1}, object(), [], [1], (), True])
def test_what_is_no_item(modality: str, item: Any) -> None:
    refused(lambda: prepare(modality, item))


@pytest.mark.parametrize("modality", FILES)
def test_items_of_another_modality(modality: str) -> None:
    wrappers = {
        "image": Image,
        "video": Video,
        "audio": Audio,
        "depth": Depth,
        "thermal": Thermal,
        "imu": Imu,
    }
    for other, wrapper in wrappers.items():
        if other != modality:
            refused(lambda w=wrapper: prepare(modality, w("file")), f"{other}, not of {modality}")  # type: ignore[misc]
    refused(lambda: prepare("text", wrappers[modality]("file")), "a text is a str")


def test_no_such_modality() -> None:
    refused(lambda: prepare("smell", b"x"), "no such modality.*image", OptionError)


def test_bare_arrays_name_their_wrapper() -> None:
    refused(lambda: prepare("audio", waveform()), r"bindrt\.Audio\(waveform, rate=")
    refused(lambda: prepare("video", np.stack(frames(3))), r"bindrt\.Video\(frames, fps=")
    refused(lambda: prepare("video", frames(3)), r"bindrt\.Video\(frames, fps=")
    refused(lambda: prepare("imu", imu_samples()), r"bindrt\.Imu\(samples, rate=")
    refused(lambda: preprocess.audio(waveform()), r"bindrt\.Audio\(waveform, rate=")
    refused(lambda: preprocess.video(frames(3)), r"bindrt\.Video\(frames, fps=")
    refused(lambda: preprocess.imu(imu_samples()), r"bindrt\.Imu\(samples, rate=")


@pytest.mark.parametrize(
    ("array", "pattern"),
    [
        (picture().astype(np.float32), "float32.*uint8"),
        (picture().astype(np.uint16), "uint16.*uint8"),
        (picture() > 3, "bool.*uint8"),
        (picture().transpose(2, 0, 1), r"\[C, H, W\]"),
        (picture()[None], "list of images"),
        (picture()[..., :2], r"\[H, W, 3\]"),
        (np.zeros((0, 5, 3), np.uint8), "empty"),
        (np.zeros((5, 0), np.uint8), "empty"),
        (np.uint8(3), "not a file"),
        (np.zeros(5, np.uint8), r"\[H, W, 3\]"),
    ],
)
def test_pixels(array: Any, pattern: str) -> None:
    refused(lambda: preprocess.image(array), pattern)


def test_image_options() -> None:
    refused(lambda: preprocess.image(Image(picture(), layout="L")), "layout 'L'")
    refused(lambda: preprocess.image(Image(picture(), layout="HSV")), "RGBA")  # type: ignore[arg-type]
    refused(lambda: preprocess.image(Image(picture_bytes("PNG"), layout="RGB")), "arrays only")
    refused(lambda: preprocess.image(picture(), grey16="half"), "'full'")  # type: ignore[arg-type]


def test_bombs() -> None:
    bomb = png_header(30000, 30000)
    for modality in ("image", "depth", "thermal"):
        refused(lambda m=modality: prepare(m, bomb), "30000 x 30000", LimitError)  # type: ignore[misc]
    refused(lambda: prepare("image", picture(), Limits(max_pixels=100)), "61 x 47", LimitError)


def test_recordings(tmp_path: Path) -> None:
    wave = waveform()
    broken = wave.copy()
    broken[0, 777] = NAN
    refused(lambda: preprocess.audio(Audio(broken, rate=16000)), "NaN")
    broken[0, 777] = np.inf
    refused(lambda: preprocess.audio(Audio(broken, rate=16000)), "NaN or infinite")
    refused(lambda: preprocess.audio(sound_bytes("WAV", broken, subtype="FLOAT")), "NaN")
    refused(lambda: preprocess.audio(Audio(wave.T, rate=16000)), "transpose")
    refused(lambda: preprocess.audio(Audio(wave[None], rate=16000)), r"\[channels, N\]")
    refused(lambda: preprocess.audio(Audio(wave[:, :0], rate=16000)), "empty")
    refused(lambda: preprocess.audio(Audio(wave[:, :200], rate=16000)), "0.025 s")
    refused(lambda: preprocess.audio(Audio(wave.astype(np.int64), rate=16000)), "int64")
    refused(lambda: preprocess.audio(Audio(wave > 0, rate=16000)), "bool")
    refused(lambda: preprocess.audio(Audio(wave.astype(np.complex64), rate=16000)), "complex64")
    for rate in (0, -1, NAN, np.inf, 1e9, "16000", True):
        refused(lambda r=rate: preprocess.audio(Audio(wave, rate=r)), "rate")  # type: ignore[misc]
    refused(lambda: preprocess.audio(Audio(sound_bytes("WAV"), rate=16000)), "waveforms only")
    refused(lambda: preprocess.audio(sound_bytes("WAV", wave[:, :0])))
    refused(lambda: preprocess.audio(write_video(tmp_path / "a.mp4")), "no sound track", SourceError)


def test_videos(tmp_path: Path) -> None:
    made = frames(3)
    refused(lambda: preprocess.video(Video(made)), "rate")
    for fps in (0, -1.0, NAN, np.inf, 10**400, "25", True):
        refused(lambda f=fps: preprocess.video(Video(made, fps=f)), "fps")  # type: ignore[misc]
    refused(lambda: preprocess.video(Video([], fps=5)), "no frames")
    refused(lambda: preprocess.video(Video(np.zeros((0, 4, 4, 3), np.uint8), fps=5)), "no frames")
    refused(lambda: preprocess.video(Video(np.stack(made).transpose(0, 3, 1, 2), fps=5)), r"\[N, H, W, 3\]")
    refused(lambda: preprocess.video(Video(made[0], fps=5)), r"\[N, H, W, 3\]")
    refused(lambda: preprocess.video(Video([f / 255 for f in made], fps=5)), "uint8")
    refused(lambda: preprocess.video(Video(np.zeros((2, 0, 4, 3), np.uint8), fps=5)), "empty")
    refused(lambda: preprocess.video(Video([1, 2], fps=5)), "frame 0")
    refused(lambda: preprocess.video(Video(17, fps=5)), "neither a file nor frames")
    refused(lambda: preprocess.video(Video(b"file", fps=5)), "frames only")
    sound = write_video(tmp_path / "a.mp4", None, audio="aac")
    refused(lambda: preprocess.video(sound), "no video stream", SourceError)


def test_texts() -> None:
    refused(lambda: preprocess.text(["a", 5]), r"text\[1\].*int")  # type: ignore[list-item]
    refused(lambda: preprocess.text(["a", "b", None]), r"text\[2\]")  # type: ignore[list-item]
    refused(lambda: preprocess.text(b"abc"), "list of str")  # type: ignore[arg-type]
    refused(lambda: preprocess.text(5), "list of str")  # type: ignore[arg-type]
    refused(lambda: prepare("text", b"abc"), "bytes")
    assert preprocess.text([]).shape == (0, 77)
    assert preprocess.text([]).dtype == np.int64


def test_depth_maps() -> None:
    depth = np.full((30, 40), 1.5, np.float32)
    for unit in ("cm", "", 3):
        refused(lambda u=unit: preprocess.depth(depth, unit=u), "sunrgbd")  # type: ignore[misc]
    refused(lambda: preprocess.depth(depth, missing="average"), "'nearest'")  # type: ignore[arg-type]
    for field in ("focal", "baseline", "depth_scale"):
        for value in (0, -1, NAN, np.inf, "1", None, True):
            refused(lambda f=field, v=value: preprocess.depth(depth, **{f: v}), field)  # type: ignore[misc]
    refused(lambda: preprocess.depth(depth, unit="sunrgbd"), "16-bit integers")
    refused(lambda: preprocess.depth(depth.astype(np.uint8)), "8-bit")
    refused(lambda: preprocess.depth(picture_bytes("PNG", picture()[..., 0])), "8-bit")
    refused(lambda: preprocess.depth(picture_bytes("PNG")), "colours")
    refused(lambda: preprocess.depth(np.zeros((4, 5, 3))), r"\[H, W\]")
    refused(lambda: preprocess.depth(np.zeros((0, 5))), "empty")
    refused(lambda: preprocess.depth(depth > 1), "bool")
    refused(lambda: preprocess.depth(depth.astype(complex)), "complex")


def test_thermal_frames() -> None:
    counts = np.arange(1200, dtype=np.uint16).reshape(30, 40)
    refused(lambda: preprocess.thermal(counts), "low and high.*percentiles")
    refused(lambda: preprocess.thermal(counts.astype(np.float32)), "low and high")
    refused(lambda: preprocess.thermal(counts, low=5), "high is None")
    refused(lambda: preprocess.thermal(counts, low=5, high=5), "not below")
    refused(lambda: preprocess.thermal(counts, low=NAN, high=5), "nan")
    refused(lambda: preprocess.thermal(counts, low=0, high=5, percentiles=(1, 99)), "both")
    for pair in ((99, 1), (1,), (0, 101), ("a", "b"), 5, (1, NAN)):
        refused(lambda p=pair: preprocess.thermal(counts, percentiles=p), "percentiles")  # type: ignore[misc]
    refused(lambda: preprocess.thermal(counts * 0, percentiles=(1, 99)), "flat")
    broken = counts.astype(np.float32)
    broken[3, 3] = NAN
    refused(lambda: preprocess.thermal(broken, low=0, high=50), "NaN")
    refused(lambda: preprocess.thermal(picture_bytes("PNG")), "colours")
    refused(lambda: preprocess.thermal(np.zeros((4, 5, 3), np.uint8)), r"\[H, W\]")


def test_imu_samples() -> None:
    good = imu_samples()
    count = good.shape[1]
    times = np.arange(count) / 200
    refused(lambda: preprocess.imu(good.T, rate=200), "transpose")
    refused(lambda: preprocess.imu(good[:5], rate=200), r"\[6, N\]")
    refused(lambda: preprocess.imu(good[None], rate=200), r"\[6, N\]")
    refused(lambda: preprocess.imu(good[:, :0], rate=200), "too few")
    refused(lambda: preprocess.imu(good > 0, rate=200), "bool")
    refused(lambda: preprocess.imu(good[:, :980], rate=200), r"4\.900 s are shorter than 4\.95")
    refused(lambda: preprocess.imu(good, rate=200, timestamps=times), "both")
    for rate in (0, -5, NAN, "200", True):
        refused(lambda r=rate: preprocess.imu(good, rate=r), "rate")  # type: ignore[misc]
    for value in (NAN, np.inf):
        broken = good.copy()
        broken[4, 100] = value
        refused(lambda b=broken: preprocess.imu(b, rate=200), "NaN")  # type: ignore[misc]
    refused(lambda: preprocess.imu(good, timestamps=times[:-1]), "one for each")
    refused(lambda: preprocess.imu(good, timestamps=times[::-1]), "does not increase")
    refused(lambda: preprocess.imu(good, timestamps=np.full(count, NAN)), "NaN")
    refused(lambda: preprocess.imu(good, timestamps=["a"] * count), "not numbers")
    refused(lambda: preprocess.imu(good, timestamps=times + (times > 2)), "gap of 1.00")
    same = times.copy()
    same[7] = same[6]
    refused(lambda: preprocess.imu(good, timestamps=same), "sample 7")
    refused(lambda: preprocess.imu(good, rate=200, standardize=([0] * 6, [0] * 6)), "standardize")
    refused(lambda: preprocess.imu(good, rate=200, standardize=([0] * 5, [1] * 5)), "standardize")
    refused(lambda: preprocess.imu(good, rate=200, accel_unit="ft/s2"), "m/s2")  # type: ignore[arg-type]
    refused(lambda: preprocess.imu(good, rate=200, gyro_unit="rpm"), "deg/s")  # type: ignore[arg-type]
    refused(lambda: preprocess.imu(good, rate=200, max_gap=-1), "max_gap")


@pytest.mark.parametrize(
    ("modality", "shape", "dtype"),
    [
        ("image", (3, 224, 224), np.float32),
        ("video", (15, 3, 2, 224, 224), np.float32),
        ("audio", (3, 1, 128, 204), np.float32),
        ("text", (77,), np.int64),
        ("depth", (1, 224, 224), np.float32),
        ("thermal", (1, 224, 224), np.float32),
        ("imu", (6, 2000), np.float32),
    ],
)
def test_prepared(modality: str, shape: tuple[int, ...], dtype: Any) -> None:
    good = np.zeros(shape, dtype)
    if modality == "text":
        good[..., 5] = 49407
    out = prepare(modality, Prepared(good, {"a": 1}))
    np.testing.assert_array_equal(out.array, good)
    assert dict(out.notes) == {"a": 1}
    refused(lambda: prepare(modality, Prepared(good[..., :-1])), "shape")
    refused(lambda: prepare(modality, Prepared(good[:0])), "shape")
    refused(lambda: prepare(modality, Prepared(good.astype(np.float64))), "float64")
    refused(lambda: prepare(modality, Prepared([1, 2])), "list is not an array")
    broken = good.copy()
    broken[(0,) * good.ndim] = -1 if modality == "text" else NAN
    refused(lambda: prepare(modality, Prepared(broken)), r"NaN|vocabulary")
    if modality == "text":
        refused(lambda: prepare(modality, Prepared(good * 0)), "end token")


class OnTheDevice:
    """As CuPy and PyCUDA arrays look."""

    shape, dtype = (4, 4), np.dtype(np.uint8)
    __cuda_array_interface__ = {"shape": (4, 4), "typestr": "|u1", "data": (1 << 40, True), "version": 3}  # noqa: RUF012


class OnTheDeviceByDlpack:
    """As torch's CUDA tensors look."""

    shape, dtype = (4, 4), "torch.uint8"

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)

    def __dlpack__(self, **_: Any) -> Any:
        raise AssertionError("not to be asked")


@pytest.mark.parametrize("array", [OnTheDevice(), OnTheDeviceByDlpack()])
def test_cuda_arrays_are_to_be_copied_first(array: Any) -> None:
    refused(lambda: preprocess.image(array), r"uint8 \[4, 4\].*CUDA memory.*host")
    refused(lambda: preprocess.depth(array), "CUDA memory")
    refused(lambda: preprocess.audio(Audio(array, rate=16000)), "CUDA memory")
    refused(lambda: preprocess.imu(array, rate=200), "CUDA memory")
    refused(lambda: prepare("image", Prepared(array)), "CUDA memory")


def test_dlpack_arrays_of_the_host_are_read() -> None:
    class Dlpack:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

        def __dlpack__(self, **options: Any) -> Any:
            return self.array.__dlpack__(**options)

    np.testing.assert_array_equal(preprocess.image(Dlpack(picture().copy())), preprocess.image(picture()))  # type: ignore[arg-type]

    class Broken(Dlpack):
        def __dlpack__(self, **options: Any) -> Any:
            raise BufferError("requires grad")

    refused(lambda: preprocess.image(Broken(picture())), "requires grad")  # type: ignore[arg-type]


class Failing(io.BytesIO):
    """A file on a network that goes away after some reads."""

    def __init__(self, data: bytes, reads: int) -> None:
        super().__init__(data)
        self.left = reads

    def read(self, size: int | None = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("the network is down")
        return super().read(size)


@pytest.mark.parametrize("reads", range(4))
@pytest.mark.parametrize(
    ("modality", "data"),
    [("image", picture_bytes("PNG")), ("image", picture_bytes("JPEG")), ("audio", sound_bytes("WAV"))],
    ids=["png", "jpeg", "wav"],
)
def test_a_file_object_that_fails_while_it_is_read(modality: str, data: bytes, reads: int) -> None:
    file = Failing(data, reads)
    with contextlib.suppress(SourceError):
        preprocess.prepare(modality, file)
        assert file.left >= 0, "a failed read was taken for the end"


def test_options_beside_a_wrapper_are_not_passed_over() -> None:
    pixels, samples = np.zeros((4, 4, 3), np.uint8), np.zeros((6, 2000))
    depths = np.ones((4, 4), np.uint16)
    for call, option in (
        (lambda: preprocess.image(Image(pixels), exif=True), "exif="),
        (lambda: preprocess.depth(Depth(depths), unit="m"), "unit="),
        (lambda: preprocess.depth(Prepared(np.zeros((1, 224, 224), np.float32)), focal=1.0), "focal="),
        (lambda: preprocess.imu(Imu(samples, rate=400), timestamps=np.arange(2000)), "timestamps="),
    ):
        refused(call, f"{option}.*has its own", OptionError)
    assert preprocess.depth(Depth(depths), focal=518.8579).shape == (1, 224, 224)


def test_options_of_another_type() -> None:
    pixels, samples = np.zeros((4, 4, 3), np.uint8), np.zeros((6, 2000))
    wrong: Any = []
    refused(lambda: preprocess.image(Image(pixels, layout=wrong)), "layout is")
    refused(lambda: preprocess.image(Image(pixels, layout=[wrong])), "layout is")  # type: ignore[arg-type]
    refused(lambda: preprocess.imu(samples, rate=400, accel_unit=wrong), "accel_unit is")
    refused(lambda: preprocess.imu(samples, rate=400, gyro_unit=wrong), "gyro_unit is")
    refused(lambda: prepare(wrong, pixels), "no such modality", OptionError)


@pytest.mark.parametrize("value", ["1", None, 0, -1, NAN, True])
def test_limits_that_are_none(value: Any) -> None:
    refused(lambda: Limits(max_pixels=value), "max_pixels=.*above 0", OptionError)
    refused(lambda: preprocess.image(np.zeros((4, 4, 3), np.uint8), limits=value), "limits=", OptionError)
