"""The video kernels: against the arithmetic in NumPy, and PyAV's own conversion to RGB."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt import Video, _core, preprocess
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.steps.clips import frame_pairs
from bindrt.modalities.steps.constants import IMAGE_MEAN, IMAGE_STD
from bindrt.modalities.video import prepare
from bindrt.sources import colour
from bindrt.sources.colour import ROUNDING, picture_of
from support.media import frames
from support.reference_video import views_of, yuv_to_rgb

SHARES = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "smpte240m": (0.212, 0.087),
    "bt2020": (0.2627, 0.0593),
}
TAGS = {"bt709": 1, "bt601": 5, "smpte240m": 7, "bt2020": 9}  # as FFmpeg numbers them
ALL = [(crop, crop, 0) for crop in range(3)]
SIZES = st.one_of(st.integers(1, 40), st.integers(1, 700))


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set that this processor has."""
    if _core.limit_cpu_level(request.param) != request.param:
        _core.limit_cpu_level("avx512")
        pytest.skip(f"this processor has no {request.param}")
    yield request.param
    _core.limit_cpu_level("avx512")


def crops(picture: _core.Picture, turns: int = 0, dtype: Any = np.float32, threads: int = 1) -> np.ndarray:
    out = np.full((3, 3, 1, 224, 224), np.nan, dtype)
    _core.video_crops(picture, out, ALL, turns, threads)
    return out[:, :, 0]


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def planes_of(width: int, height: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    return [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((height, width), half, half)]


def packed(planes: Sequence[np.ndarray], pad: int, interleaved: bool) -> tuple[list[bytes], list[int]]:
    """Planes as a decoder has them: rows with some bytes between, chroma together or apart."""
    if interleaved:
        y, u, v = planes
        planes = [y, np.stack([u, v], axis=-1).reshape(len(u), -1)]
    padded = [np.pad(p, ((0, 0), (0, pad)), constant_values=99) for p in planes]
    return [p.tobytes() for p in padded], [p.shape[1] for p in padded]


def av_frame(fmt: str, planes: Sequence[np.ndarray], standard: str, full: bool) -> Any:
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, fmt)
    for target, plane in zip(frame.planes, planes, strict=True):
        rows = np.zeros((target.buffer_size // target.line_size, target.line_size), np.uint8)
        rows[: plane.shape[0], : plane.shape[1]] = plane
        target.update(rows.tobytes())
    frame.colorspace, frame.color_range = TAGS[standard], 2 if full else 1
    return frame


@settings(deadline=None, max_examples=60)
@given(width=SIZES, height=SIZES, turns=st.integers(0, 3), seed=st.integers(0, 9), threads=st.integers(1, 3))
def test_crops_are_numpys(width: int, height: int, turns: int, seed: int, threads: int) -> None:
    frame = noise(height, width, seed)
    expected = views_of(np.rot90(frame, turns))
    np.testing.assert_array_equal(crops(_core.Picture(frame), turns, threads=threads), expected)
    half = crops(_core.Picture(frame), turns, np.float16, threads)
    np.testing.assert_array_equal(half, expected.astype(np.float16))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (64, 48), (48, 64), (225, 224), (640, 360), (1000, 31)])
def test_crops_at_each_level(size: tuple[int, int], level: str) -> None:
    frame = noise(size[1], size[0])
    for turns in range(4):
        expected = views_of(np.rot90(frame, turns))
        np.testing.assert_array_equal(crops(_core.Picture(frame), turns), expected, err_msg=level)


@settings(deadline=None, max_examples=20)
@given(width=st.integers(1, 300), height=st.integers(1, 300), seed=st.integers(0, 9))
def test_crops_are_a_bilinear_resize(width: int, height: int, seed: int) -> None:
    """Against the formula in float64, at some places."""
    frame = noise(height, width, seed)
    mean, std = (np.array(v)[:, None, None] for v in (IMAGE_MEAN, IMAGE_STD))
    out = (crops(_core.Picture(frame)).astype(np.float64) * std + mean) * 255
    short, long = min(width, height), max(width, height)
    new_long = math.floor(long / short * 224)
    new_w, new_h = (224, new_long) if height > width else (new_long, 224)

    def at(i: int, size: int, new: int) -> tuple[int, int, float]:
        position = max((i + 0.5) * size / new - 0.5, 0.0)
        low = min(int(position), size - 1)
        return low, min(low + 1, size - 1), position - low

    offset = math.ceil((new_long - 224) / 2)
    assert _core.video_crop_offsets(width, height) == [0, offset, new_long - 224]
    rng = np.random.default_rng(seed + 100)
    f = frame.astype(np.float64)
    for crop, start in enumerate((0, offset, new_long - 224)):
        for y, x in rng.integers(0, 224, (20, 2)):
            full_y, full_x = (start + y, x) if height > width else (y, start + x)
            y0, y1, wy = at(int(full_y), height, new_h)
            x0, x1, wx = at(int(full_x), width, new_w)
            upper = f[y0, x0] * (1 - wx) + f[y0, x1] * wx
            lower = f[y1, x0] * (1 - wx) + f[y1, x1] * wx
            # float32 positions of long sides are off by 1e-4 of a pixel or so, as the original's.
            tolerance = 255 * 2e-7 * (new_long + 100)
            np.testing.assert_allclose(
                out[crop, :, y, x], upper * (1 - wy) + lower * wy, rtol=0, atol=tolerance
            )


@settings(deadline=None, max_examples=60)
@given(
    width=SIZES,
    height=SIZES,
    seed=st.integers(0, 9),
    pad=st.sampled_from([0, 1, 7, 32]),
    interleaved=st.booleans(),
    standard=st.sampled_from(sorted(SHARES)),
    full=st.booleans(),
)
def test_rgb_is_numpys(
    width: int, height: int, seed: int, pad: int, interleaved: bool, standard: str, full: bool
) -> None:
    planes = planes_of(width, height, seed)
    expected = yuv_to_rgb(*planes, SHARES[standard], full)
    fmt = "nv12" if interleaved else "yuv420p"
    picture = _core.Picture(fmt, width, height, *packed(planes, pad, interleaved), standard, full)
    np.testing.assert_array_equal(_core.picture_to_rgb(picture, threads=2), expected)
    np.testing.assert_array_equal(crops(picture, 3), views_of(np.rot90(expected, 3)))


@settings(deadline=None, max_examples=60)
@given(
    fmt=st.sampled_from(["yuv420p", "yuvj420p", "nv12", "yuv444p", "gray", "rgb24"]),
    width=SIZES,
    height=SIZES,
    seed=st.integers(0, 9),
    standard=st.sampled_from(sorted(SHARES)),
    full=st.booleans(),
)
def test_rgb_of_decoded_frames_is_pyavs(
    fmt: str, width: int, height: int, seed: int, standard: str, full: bool
) -> None:
    y, u, v = planes_of(width, height, seed)
    planes = {
        "nv12": [y, np.stack([u, v], axis=-1).reshape(len(u), -1)],
        "yuv444p": [y, y[::-1], y[:, ::-1]],
        "gray": [y],
        "rgb24": [noise(height, width).reshape(height, -1)],
    }.get(fmt, [y, u, v])
    frame = av_frame(fmt, planes, standard, full)
    expected = frame.to_ndarray(format="rgb24")
    got = _core.picture_to_rgb(picture_of(frame))
    np.testing.assert_allclose(got.astype(int), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("standard", sorted(SHARES))
def test_every_colour_is_pyavs(standard: str, full: bool) -> None:
    """All 2^24 triples, where this PyAV converts as we do (if it did not, its own result would be taken)."""
    luma = np.broadcast_to(np.arange(256, dtype=np.uint8).reshape(64, 2, 1, 2), (64, 2, 256, 2))
    y = np.ascontiguousarray(luma).reshape(128, 512)
    v = np.ascontiguousarray(np.broadcast_to(np.arange(256, dtype=np.uint8), (64, 256)))
    for u in range(256):
        frame = av_frame("yuv420p", [y, np.full_like(v, u), v], standard, full)
        if u == 0 and _is_converted(frame):
            pytest.skip("PyAV's FFmpeg converts in another way here")
        got = _core.picture_to_rgb(picture_of(frame)).astype(np.int16)
        assert np.abs(got - frame.to_ndarray(format="rgb24")).max() <= ROUNDING, u


def _is_converted(frame: Any) -> bool:
    """Whether PyAV makes the RGB: then a change of the frame does not show in the picture."""
    picture = picture_of(frame)
    before = _core.picture_to_rgb(picture)
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    return bool((_core.picture_to_rgb(picture) == before).all())


def test_usual_frames_are_not_copied() -> None:
    """On x86-64, where this conversion was found; elsewhere PyAV's may differ, and be taken."""
    if not _core.build_info()["cpu_features"].get("avx2"):
        pytest.skip("not x86-64 with AVX2")
    assert not _is_converted(av_frame("yuv420p", planes_of(320, 240, 0), "bt709", False))
    assert _is_converted(av_frame("yuv420p", planes_of(320, 241, 0), "bt709", False))


def test_places_of_views() -> None:
    frame = noise(100, 150)
    expected = views_of(frame)
    for dtype in (np.float32, np.float16):
        out = np.full((4, 3, 2, 224, 224), 7, dtype)
        _core.video_crops(_core.Picture(frame), out, [(2, 0, 1), (2, 3, 0), (0, 1, 1)])
        for view, place, crop in ((0, 1, 2), (3, 0, 2), (1, 1, 0)):
            np.testing.assert_array_equal(out[view, :, place], expected[crop].astype(dtype))
            out[view, :, place] = 7
        assert (out == 7).all()


def every_view(made: Sequence[np.ndarray], fps: float) -> np.ndarray:
    """All 15 views by the reference, none left out for being equal to another."""
    cut = [
        (views_of(made[first]), views_of(made[last])) for first, last in frame_pairs(len(made), fps, 5, 2.0)
    ]
    return np.stack([np.stack([a[i], b[i]], axis=1) for a, b in cut for i in range(3)])


def test_equal_views_are_made_once() -> None:
    square = [noise(60, 60, i) for i in range(8)]
    for made, fps, count in ((square, 5, 1), (square, 2, 5), (frames(8), 5, 3), (frames(8), 2, 15)):
        views = prepare(Video(made, fps=fps), DEFAULT_LIMITS)
        assert len(views.array) == count
        assert views.index is not None
        assert len(views.index) == 15
        np.testing.assert_array_equal(views.all(), every_view(made, fps))
        np.testing.assert_array_equal(views.all(), preprocess.video(Video(made, fps=fps)))
    almost = [noise(224, 225, i) for i in range(3)]  # offsets 0, 1, 1
    views = prepare(
        Video(almost, fps=5), DEFAULT_LIMITS, lambda rows: np.empty((rows, 3, 2, 224, 224), np.float16)
    )
    assert views.weights is not None
    assert views.weights.tolist() == [5, 10]


def test_frames_of_several_sizes_share_no_views() -> None:
    made = [noise(60, 60), noise(60, 80), noise(80, 60)]
    np.testing.assert_array_equal(preprocess.video(Video(made, fps=1)), every_view(made, 1))


def test_frames_with_any_strides() -> None:
    made = np.stack(frames(4))
    expected = preprocess.video(Video(made, fps=4))
    wide = np.zeros((4, 48, 80, 3), np.uint8)
    wide[:, :, 8:72] = made
    turned = np.ascontiguousarray(made[:, ::-1])[:, ::-1]
    for same in (
        wide[:, :, 8:72],
        turned,
        np.asfortranarray(made),
        np.ascontiguousarray(made[..., ::-1])[..., ::-1],
    ):
        np.testing.assert_array_equal(preprocess.video(Video(same, fps=4)), expected)


def test_bad_arguments() -> None:
    picture, out = _core.Picture(noise(8, 8)), np.zeros((1, 3, 1, 224, 224), np.float32)
    bad_pictures: list[tuple[Any, ...]] = [
        ([1],),
        (np.zeros((4, 4), np.uint8),),
        (np.zeros((0, 4, 3), np.uint8),),
        (np.zeros((4, 4, 3), np.float32),),
        (noise(8, 8)[:, ::2],),
        (noise(8, 8)[:, ::-1],),
        ("yuv444p", 4, 4, [b""] * 3, [4] * 3),
        ("yuv420p", 4, 4, [bytes(16), bytes(4)], [4, 2]),
        ("yuv420p", 4, 4, [bytes(16), bytes(4), bytes(3)], [4, 2, 2]),
        ("yuv420p", 4, 4, [bytes(16), bytes(4), bytes(4)], [4, 2, 1]),
        ("yuv420p", 4, 4, [bytes(16), bytes(4), bytes(4)], [-4, 2, 2]),
        ("yuv420p", 4, 4, [bytes(16), bytes(4), bytes(4)], [2**62, 2, 2]),
        ("yuv420p", 2**40, 2**40, [bytes(16), bytes(4), bytes(4)], [4, 2, 2]),
        ("yuv420p", 0, 4, [bytes(16), bytes(4), bytes(4)], [4, 2, 2]),
        ("yuv420p", 4, 4, [bytes(16), "text", bytes(4)], [4, 2, 2]),
        ("nv12", 5, 4, [bytes(20), bytes(10)], [5, 5]),
        ("nv12", 4, 4, [bytes(16), bytes(8)], [4, 4], "bt2100"),
    ]
    for arguments in bad_pictures:
        with pytest.raises(ValueError, match=r"\S"):
            _core.Picture(*arguments)
    readonly = out.copy()
    readonly.flags.writeable = False
    for bad in (out[0], out.astype(np.float64), out[..., ::-1], readonly, [1]):
        with pytest.raises(ValueError, match="out"):
            _core.video_crops(picture, bad, [(0, 0, 0)])  # type: ignore[arg-type]
    for place in ((3, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 0, 1), (0, -1, 0)):
        with pytest.raises(ValueError, match="not in out"):
            _core.video_crops(picture, out, [place])
    with pytest.raises(ValueError, match="threads"):
        _core.video_crops(picture, out, [(0, 0, 0)], threads=0)
    with pytest.raises(TypeError):
        _core.picture_to_rgb(_core.Picture.__new__(_core.Picture))


@pytest.mark.parametrize(("rounding", "converted"), [(0, True), (4, False)])
def test_other_roundings(monkeypatch: pytest.MonkeyPatch, rounding: int, converted: bool) -> None:
    """On x86-64 PyAV's other result is taken; elsewhere ours, of the standard that PyAV's is near to."""
    real = colour._noise
    monkeypatch.setattr(colour, "ROUNDING", rounding)
    monkeypatch.setattr(colour, "_noise", lambda kind: _Darker(real(kind)))
    conversion = colour._conversion.__wrapped__
    monkeypatch.setattr(colour, "_conversion", conversion)
    assert _is_converted(av_frame("yuv420p", planes_of(320, 240, 0), "bt709", False)) is converted
    if not converted:
        frame = av_frame("yuv420p", planes_of(320, 240, 0), "bt709", False)
        assert conversion(colour._format_of(frame)) == ("bt709", False)


class _Darker:
    """A frame of which PyAV makes an RGB three levels darker."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self.frame, name)

    def to_ndarray(self, format: str) -> np.ndarray:
        return np.asarray(np.clip(self.frame.to_ndarray(format=format).astype(int) - 3, 0, 255), np.uint8)
