"""Pictures of messages: every encoding, strides, byte order, depth with its camera, and what cannot be."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bindrt
from bindrt.recordings import Choice, Recording
from support import media
from support.recordings import BEGIN, Said, image, make, write_bag1, write_mcap

PIXELS = media.picture(64, 48)
GREY = PIXELS[:, :, 0].copy()
DEPTH = (np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 3 + 400).astype(np.uint16)


def read(
    folder: Path, *messages: Any, topic: str = "/camera/image", choice: Choice | None = None
) -> Recording:
    """A recording of messages of one topic, read; its samples stand in ``found``."""
    said = [Said(topic, BEGIN + i, message) for i, message in enumerate(messages)]
    recording = Recording(write_mcap(folder / "run.mcap", said))
    with recording:
        recording.found = list(recording.samples({topic: choice} if choice else None))  # type: ignore[attr-defined]
    return recording


def only(folder: Path, message: Any, **options: Any) -> Any:
    (sample,) = read(folder, message, **options).found  # type: ignore[attr-defined]
    return sample


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 200, np.uint8)], axis=2)


PLAIN = {
    "rgb8": PIXELS,
    "bgr8": PIXELS[:, :, ::-1],
    "8UC3": PIXELS[:, :, ::-1],
    "rgba8": with_alpha(PIXELS),
    "bgra8": with_alpha(PIXELS[:, :, ::-1]),
    "rgb16": PIXELS.astype(np.uint16) << 8 | 17,
}


@pytest.mark.parametrize("encoding", PLAIN)
@pytest.mark.parametrize("padding", [0, 5])
def test_colours(encoding: str, padding: int, tmp_path: Path) -> None:
    values = PLAIN[encoding]
    step = values[0].nbytes + padding
    sample = only(tmp_path, image(values, encoding, step=step, stamp=BEGIN + 123_000_000))
    assert (sample.modality, sample.topic) == ("image", "/camera/image")
    assert sample.time == pytest.approx(BEGIN / 1e9 + 0.123, abs=1e-6)
    np.testing.assert_array_equal(sample.data.src, PIXELS)


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey(encoding: str, tmp_path: Path) -> None:
    np.testing.assert_array_equal(only(tmp_path, image(GREY, encoding, step=70)).data.src, GREY)


def test_sixteen_bits_of_grey_keep_their_upper_eight(tmp_path: Path) -> None:
    big = (GREY.astype(np.uint16) << 8 | 99).astype(">u2")
    np.testing.assert_array_equal(only(tmp_path, image(big, "mono16", is_bigendian=1)).data.src, GREY)


def yuv_planes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Luma of the grey picture, and smooth colours for each pair of pixels across."""
    u = np.tile(np.linspace(90, 160, 32), (48, 1)).astype(np.uint8)
    return GREY, u, np.full((48, 32), 140, np.uint8)


def expected_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """BT.601 with the limited range, as cameras send it."""
    luma = 1.164383 * (y.astype(float) - 16)
    cb, cr = (np.repeat(c.astype(float) - 128, 64 // c.shape[1], axis=1) for c in (u, v))
    rgb = np.stack([luma + 1.596027 * cr, luma - 0.391762 * cb - 0.812968 * cr, luma + 2.017232 * cb], axis=2)
    return np.clip(rgb, 0, 255)


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv"])
def test_yuv_422(encoding: str, tmp_path: Path) -> None:
    y, u, v = yuv_planes()
    packed = np.empty((48, 32, 4), np.uint8)
    order = (1, 3, 0, 2) if encoding in ("yuv422", "uyvy") else (0, 2, 1, 3)
    for place, plane in zip(order, (y[:, 0::2], y[:, 1::2], u, v), strict=True):
        packed[:, :, place] = plane
    sample = only(tmp_path, image(packed.reshape(48, 128), encoding, width=64, step=140))
    assert np.abs(sample.data.src - expected_rgb(y, u, v)).mean() < 3


@pytest.mark.parametrize("encoding", ["nv12", "nv21"])
def test_nv12(encoding: str, tmp_path: Path) -> None:
    y, u, v = yuv_planes()
    pair = (u[::2], v[::2]) if encoding == "nv12" else (v[::2], u[::2])
    chroma = np.stack(pair, axis=2).reshape(24, 64)
    sample = only(tmp_path, image(np.concatenate([y, chroma]), encoding, height=48, width=64, step=72))
    assert np.abs(sample.data.src - expected_rgb(y, u, v)).mean() < 3


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_bayer(pattern: str, bits: int, tmp_path: Path) -> None:
    smooth = np.asarray(
        PIL.Image.fromarray(PIXELS).resize((16, 12)).resize((64, 48), PIL.Image.Resampling.BICUBIC)
    )
    mosaic = np.empty((48, 64), np.uint8)
    for place, colour in enumerate(pattern):
        row, column = divmod(place, 2)
        mosaic[row::2, column::2] = smooth[row::2, column::2, "rgb".index(colour)]
    values = mosaic if bits == 8 else mosaic.astype(np.uint16) << 8
    sample = only(tmp_path, image(values, f"bayer_{pattern}{bits}"))
    inner = (slice(2, -2), slice(2, -2))
    assert np.abs(sample.data.src.astype(int) - smooth)[inner].mean() < 4


def test_compressed_images_stay_packed_until_they_are_used(tmp_path: Path) -> None:
    jpeg = media.picture_bytes("JPEG", PIXELS)
    for form in ("jpeg", "rgb8; jpeg compressed bgr8"):
        message = make("sensor_msgs/msg/CompressedImage", format=form, data=np.frombuffer(jpeg, np.uint8))
        sample = only(tmp_path, message)
        assert (sample.modality, sample.data.src) == ("image", jpeg)


def test_depth_by_its_encoding(tmp_path: Path) -> None:
    counts = only(tmp_path, image(DEPTH, "16UC1", step=140))
    assert counts.modality == "depth"
    np.testing.assert_array_equal(counts.data.src, DEPTH)
    metres = (DEPTH / 1000).astype(">f4")
    found = only(tmp_path, image(metres, "32FC1", is_bigendian=1))
    assert found.modality == "depth"
    np.testing.assert_allclose(found.data.src, metres.astype(np.float32))
    want = bindrt.preprocess.depth(bindrt.Depth(DEPTH))
    np.testing.assert_allclose(bindrt.preprocess.depth(found.data), want, atol=1e-4)


def rvl(counts: np.ndarray) -> bytes:
    """RVL by its definition, pixel by pixel."""
    nibbles: list[int] = []

    def put(value: int) -> None:
        while True:
            nibble, value = value & 7, value >> 3
            nibbles.append(nibble | (8 if value else 0))
            if not value:
                return

    flat, at, previous = counts.reshape(-1).astype(int), 0, 0
    while at < len(flat):
        begin = at
        while at < len(flat) and flat[at] == 0:
            at += 1
        put(at - begin)
        begin = at
        while at < len(flat) and flat[at]:
            at += 1
        put(at - begin)
        for value in flat[begin:at]:
            difference = int(value) - previous
            put(difference << 1 if difference >= 0 else (-difference << 1) - 1)
            previous = int(value)
    nibbles += [0] * (-len(nibbles) % 8)
    words = [
        sum(n << 28 - 4 * i for i, n in enumerate(nibbles[j : j + 8])) for j in range(0, len(nibbles), 8)
    ]
    return struct.pack(f"<{len(words)}I", *words)


HOLES = DEPTH.copy()
HOLES[10:20, 5:30] = 0
HOLES[-1, -7:] = 0


def compressed_depth(form: str, packed: bytes, a: float = 0.0, b: float = 0.0) -> Any:
    data = np.frombuffer(struct.pack("<iff", 0, a, b) + packed, np.uint8)
    return make("sensor_msgs/msg/CompressedImage", format=form, data=data)


def png16(counts: np.ndarray) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(counts).save(out, "PNG")
    return out.getvalue()


def test_compressed_depth_of_counts(tmp_path: Path) -> None:
    for form, packed in (
        ("16UC1; compressedDepth png", png16(HOLES)),
        ("16UC1; compressedDepth", png16(HOLES)),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 64, 48) + rvl(HOLES)),
    ):
        sample = only(tmp_path, compressed_depth(form, packed))
        assert sample.modality == "depth"
        np.testing.assert_array_equal(sample.data.src, HOLES, err_msg=form)


def test_compressed_depth_of_metres_is_inverse(tmp_path: Path) -> None:
    a, b = 1002.5, 3.5
    metres = a / (HOLES.astype(np.float32) - b)
    metres[HOLES == 0] = np.nan
    for kind, packed in (("png", png16(HOLES)), ("rvl", struct.pack("<ii", 64, 48) + rvl(HOLES))):
        sample = only(tmp_path, compressed_depth(f"32FC1; compressedDepth {kind}", packed, a, b))
        np.testing.assert_allclose(sample.data.src, metres, rtol=1e-6)


def camera_info(k: float, p: float = 0.0, width: int = 64, version: int = 2) -> Any:
    names = ("K", "P") if version == 1 else ("k", "p")
    matrices = {names[0]: np.array([k, *[0.0] * 8]), names[1]: np.array([p, *[0.0] * 11])}
    return make("sensor_msgs/msg/CameraInfo", version, width=width, height=48, **matrices)


def test_the_camera_tells_the_focal_length(tmp_path: Path) -> None:
    def focal(topic: str, version: int = 2) -> float:
        said = [
            Said(topic, BEGIN, image(DEPTH, "16UC1", version)),  # it comes before its camera
            Said("/front/camera_info", BEGIN + 1, camera_info(100.0, 90.0, version=version)),
            Said("/back/camera_info", BEGIN + 2, camera_info(300.0, 290.0, 128, version)),
        ]
        path = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        path = write_mcap(path, said) if version == 2 else write_bag1(path, said)
        with Recording(path) as recording:
            (sample,) = recording.samples()
        assert recording.report.lines() == []
        assert recording.report.read == {topic: 1}
        return sample.data.focal

    assert focal("/front/depth/image_raw") == 100
    assert focal("/front/depth/image_rect") == 90
    assert focal("/back/depth/image_raw") == 150  # in pixels of the map's own width
    assert focal("/back/depth/image_raw", version=1) == 150


def test_depth_without_a_camera_says_so(tmp_path: Path) -> None:
    recording = read(tmp_path, image(DEPTH, "16UC1"), image(DEPTH, "16UC1"))
    assert recording.found[1].data.focal == bindrt.Depth(DEPTH).focal  # type: ignore[attr-defined]
    assert recording.report.lines() == [
        "/camera/image: no CameraInfo tells the focal length: the first Kinect's was taken"
    ]
    given = only(tmp_path, image(DEPTH, "16UC1"), choice=Choice("depth", {"focal": 321.0, "unit": "mm"}))
    assert (given.data.focal, given.data.unit) == (321.0, "mm")


def test_a_picture_as_another_modality(tmp_path: Path) -> None:
    heat = (GREY.astype(np.uint16) * 10 + 29000).astype(np.uint16)
    sample = only(tmp_path, image(heat, "mono16"), choice=Choice("thermal", {"low": 290.0, "high": 320.0}))
    assert isinstance(sample.data, bindrt.Thermal)
    np.testing.assert_array_equal(sample.data.src, heat)
    assert sample.data.high == 320
    png = np.frombuffer(png16(DEPTH), np.uint8)
    message = make("sensor_msgs/msg/CompressedImage", format="png", data=png)
    sample = only(tmp_path, message, choice=Choice("depth"))
    assert sample.data.src == png.tobytes()
    video = only(tmp_path, make("sensor_msgs/msg/CompressedImage", format="png", data=_png(PIXELS)),
                 choice=Choice("video"))  # fmt: skip
    np.testing.assert_array_equal(video.data.src, PIXELS)


def _png(pixels: np.ndarray) -> np.ndarray:
    return np.frombuffer(media.picture_bytes("PNG", pixels), np.uint8)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"height": 4000}, r"says|has \d+ bytes, 9216 are there"),
        ({"width": 1 << 31, "height": 1 << 31}, "more than the limit"),
        ({"width": 65}, "its step is 192 bytes, a row has 195"),
        ({"width": 0}, "at least one"),
        ({"encoding": "rgb99"}, "no encoding of an image"),
        ({"encoding": "32FC3"}, "no encoding of an image"),
        ({"encoding": "bayer_rggb8", "width": 63}, "multiples of 2"),
    ],
)
def test_pictures_that_are_not_what_they_say(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    bad = image(PIXELS, "rgb8")
    for name, value in fields.items():
        setattr(bad, name, value)
    bad_sample, good_sample = read(tmp_path, bad, image(PIXELS, "rgb8")).found  # type: ignore[attr-defined]
    with pytest.raises(bindrt.InputError, match=message):
        _ = bad_sample.data
    np.testing.assert_array_equal(good_sample.data.src, PIXELS)


@pytest.mark.parametrize(
    ("form", "packed"),
    [
        ("16UC1; compressedDepth png", b"\x89PNG and no more"),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 64, 48) + rvl(HOLES)[:100]),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 1 << 30, 1 << 30)),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", -4, 48) + rvl(HOLES)),
        ("16UC1; compressedDepth rvl", struct.pack("<ii", 8, 8) + rvl(HOLES)),
        ("16UC1; compressedDepth zip", b"what is this?"),
        ("16UC1; compressedDepth", b""),
    ],
)
def test_compressed_depth_that_is_damaged(form: str, packed: bytes, tmp_path: Path) -> None:
    sample = only(tmp_path, compressed_depth(form, packed))
    with pytest.raises(bindrt.InputError):
        _ = sample.data
