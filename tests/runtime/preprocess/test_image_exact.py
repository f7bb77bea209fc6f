"""The image kernel against Pillow, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import PIL.Image
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bindrt import _core
from bindrt.modalities.steps.constants import IMAGE_MEAN, IMAGE_STD, SIDE

LEVELS = ("baseline", "avx2", "avx512")
CHANNELS = {"L": 1, "RGB": 3, "BGR": 3, "RGBA": 4, "RGBX": 4, "BGRA": 4}
SIZES = st.integers(1, 2000)


@pytest.fixture(autouse=True)
def _best_level() -> Iterator[None]:
    yield
    _core.limit_cpu_level(LEVELS[-1])


def by_pillow(pixels: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The centre square of RGB or grey pixels.

    Pillow 13 chooses which pass of a resize comes first; two calls fix it: horizontal, then vertical.
    """
    height, width = pixels.shape[:2]
    long = int(side * max(height, width) / min(height, width))
    size = (side, long) if width <= height else (long, side)
    left, top = (round((n - side) / 2) for n in size)
    across = PIL.Image.fromarray(pixels).resize((size[0], height), PIL.Image.Resampling.BICUBIC)
    whole = across.resize(size, PIL.Image.Resampling.BICUBIC)
    return np.asarray(whole.crop((left, top, left + side, top + side)))


def random_pixels(height: int, width: int, layout: str, seed: int) -> np.ndarray:
    """Noise, or black and white, of which the filter overshoots most."""
    shape = (height, width) if layout == "L" else (height, width, CHANNELS[layout])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return (pixels // 128) * np.uint8(255) if seed % 3 == 0 else pixels


def colours(pixels: np.ndarray, layout: str) -> np.ndarray:
    """What Pillow takes: RGB, or grey."""
    if layout == "L":
        return pixels
    return np.ascontiguousarray(pixels[..., :3] if layout[0] == "R" else pixels[..., 2::-1])


@settings(deadline=None, max_examples=120)
@given(SIZES, SIZES, st.sampled_from(sorted(CHANNELS)), st.sampled_from(LEVELS), st.integers(0, 99))
@example(1, 1, "RGB", "avx512", 1)
@example(1, 1000, "L", "avx2", 3)
@example(1000, 1, "L", "baseline", 3)
@example(2000, 2000, "RGBA", "avx2", 4)
@example(224, 224, "BGR", "avx512", 5)
def test_as_pillow(width: int, height: int, layout: str, level: str, seed: int) -> None:
    assume(max(width, height) <= 100 * min(width, height) or layout == "L")  # what Pillow has to hold
    _core.limit_cpu_level(level)
    pixels = random_pixels(height, width, layout, seed)
    np.testing.assert_array_equal(_core.resize_u8(pixels, layout), by_pillow(colours(pixels, layout)))


@settings(deadline=None, max_examples=30)
@given(SIZES, SIZES, st.integers(1, 300), st.integers(1, 9))
def test_other_sides_and_threads(width: int, height: int, side: int, threads: int) -> None:
    assume(max(width, height) <= 50 * min(width, height))
    pixels = random_pixels(height, width, "RGB", width)
    got = _core.resize_u8(pixels, "RGB", side=side, threads=threads)
    np.testing.assert_array_equal(got, by_pillow(pixels, side))


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("layout", ["L", "RGB"])
def test_numbers_are_the_formula_of_the_bytes(layout: str, half: bool) -> None:
    pixels = random_pixels(300, 400, layout, 1)
    square = _core.resize_u8(pixels, layout)
    planes = np.stack([square] * 3) if layout == "L" else square.transpose(2, 0, 1)
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (IMAGE_MEAN, IMAGE_STD))
    expected = (planes.astype(np.float32) / np.float32(255) - mean) / std
    got = _core.image_input(pixels, layout, half=half)
    assert got.dtype == (np.float16 if half else np.float32)
    np.testing.assert_array_equal(got, expected.astype(got.dtype))


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(sorted(CHANNELS)),
    st.sampled_from(["turned", "upside down", "mirrored", "every other", "part", "column order"]),
)
def test_any_strides(width: int, height: int, layout: str, kind: str) -> None:
    pixels = random_pixels(2 * height, 2 * width, layout, 1)
    view = {
        "turned": np.swapaxes(pixels, 0, 1),
        "upside down": pixels[::-1],
        "mirrored": pixels[:, ::-1],
        "every other": pixels[::2, ::2],
        "part": pixels[height // 2 :, width // 2 : width // 2 + width],
        "column order": np.asfortranarray(pixels),
    }[kind]
    np.testing.assert_array_equal(
        _core.image_input(view, layout), _core.image_input(np.ascontiguousarray(view), layout)
    )


def test_into_an_array() -> None:
    pixels = random_pixels(50, 60, "RGB", 1)
    batch = np.full((3, 3, SIDE, SIDE), 7, np.float32)
    assert _core.image_input(pixels, out=batch[1]).base is batch
    np.testing.assert_array_equal(batch[1], _core.image_input(pixels))
    assert (batch[[0, 2]] == 7).all()


def test_what_does_not_fit() -> None:
    pixels = random_pixels(50, 60, "RGB", 1)
    buffer = np.zeros(3 * SIDE * SIDE + 9, np.float32)
    shared = buffer[: 3 * SIDE * SIDE].reshape(3, SIDE, SIDE)
    frozen = np.zeros((3, SIDE, SIDE), np.float32)
    frozen.flags.writeable = False
    calls = {
        "list": lambda: _core.image_input(pixels.tolist()),
        "float32": lambda: _core.image_input(pixels.astype(np.float32)),  # type: ignore[arg-type]
        "takes .H, W.": lambda: _core.image_input(pixels, "L"),
        "takes .H, W, 4.": lambda: _core.image_input(pixels, "RGBA"),
        "HSV.*one of L, RGB": lambda: _core.image_input(pixels, "HSV"),
        "at least 1": lambda: _core.image_input(pixels[:0]),
        "threads is 0": lambda: _core.image_input(pixels, threads=0),
        "dtype float32; it must be float16": lambda: _core.image_input(pixels, half=True, out=frozen),
        "out has shape": lambda: _core.image_input(pixels, out=frozen[:, :9]),
        "read-only": lambda: _core.image_input(pixels, out=frozen),
        "shares memory": lambda: _core.image_input(
            shared.view(np.uint8)[0, :9, :21].reshape(9, 7, 3), out=shared
        ),
        "side is 0": lambda: _core.resize_u8(pixels, side=0),
        "side is 5000": lambda: _core.resize_u8(pixels, side=5000),
    }
    for pattern, call in calls.items():
        with pytest.raises(ValueError, match=pattern):
            call()
