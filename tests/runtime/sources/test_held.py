"""What a video's decoder may hold is bounded before it decodes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bindrt import LimitError, Limits
from bindrt.sources.held import check_held, is_large
from bindrt.sources.opening import Opened


def context(name: str, pix_fmt: str | None, width: int, height: int) -> SimpleNamespace:
    return SimpleNamespace(name=name, pix_fmt=pix_fmt, width=width, height=height)


@pytest.mark.parametrize(
    ("name", "pix_fmt", "size", "file", "is_allowed"),
    [
        ("h264", "yuv420p", (7680, 4320), 6 << 20, True),
        ("h264", "yuv420p", (9216, 9216), 1000, False),
        ("hevc", "yuv420p10le", (7680, 4320), 1000, False),
        ("hevc", "yuv420p10le", (7680, 4320), 30 << 20, True),
        ("mjpeg", "yuvj444p", (9216, 6000), 1000, True),
        ("vp9", None, (7680, 4320), 1000, True),
        ("h264", "yuv420p10le", (3840, 2160), 1000, True),
    ],
)
def test_frames_that_a_decoder_keeps(
    name: str, pix_fmt: str | None, size: tuple[int, int], file: int, is_allowed: bool
) -> None:
    decoder, opened = context(name, pix_fmt, *size), Opened("film", file, b"")
    if is_allowed:
        check_held(decoder, opened, Limits())
        return
    with pytest.raises(LimitError, match=rf"frames of {size[0]} x {size[1]} may take \d+ MiB"):
        check_held(decoder, opened, Limits())
    check_held(decoder, opened, Limits(max_picture_bytes=4 << 30))


def test_large_frames_are_decoded_by_one_thread() -> None:
    assert is_large(context("h264", "yuv420p", 7680, 4320))
    assert not is_large(context("h264", "yuv420p", 3840, 2160))
